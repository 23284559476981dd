/* SPDX-License-Identifier: MIT */
/* prometheus: the copy of the configuration, the process, and questions to it by its HTTP API. */
#include "prometheus.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROMETHEUS_WAIT_MS   30000
#define PROMETHEUS_TEXT_MAX  16384
#define PROMETHEUS_REPLY_MAX (1 << 20)

struct prometheus {
    struct process *process;
    char *folder;
    uint16_t port;
};

/* The shipped configuration --------------------------------------------------------------------
 */

/* `from`, which the shipped file has, becomes `to`. */
static void prometheus_replace(char text[PROMETHEUS_TEXT_MAX], const char *from, const char *to)
{
    char *at = strstr(text, from);
    if (at == NULL) {
        fail_msg("deploy/prometheus/prometheus.yml has no \"%s\" any more", from);
        return;
    }
    assert_true(strlen(text) + strlen(to) < PROMETHEUS_TEXT_MAX);
    memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
    memcpy(at, to, strlen(to));
}

static void prometheus_configure(const struct prometheus *prometheus, const uint16_t *ports,
                                 size_t count)
{
    static char text[PROMETHEUS_TEXT_MAX];
    char path[256], targets[512] = "targets: [";
    FILE *file = fopen(TEST_SOURCE_DIR "/deploy/prometheus/prometheus.yml", "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(targets);
        snprintf(targets + len, sizeof targets - len, "%s127.0.0.1:%u", i > 0 ? ", " : "",
                 ports[i]);
    }
    strcat(targets, "]");
    prometheus_replace(text, "targets: [node1:8080, node2:8080, node3:8080]", targets);
    prometheus_replace(text, "scrape_interval: 15s", "scrape_interval: 250ms");
    prometheus_replace(text, "evaluation_interval: 15s", "evaluation_interval: 250ms");
    prometheus_replace(text, "- hgtp-alerts.yml",
                       "- " TEST_SOURCE_DIR "/deploy/prometheus/hgtp-alerts.yml");
    snprintf(path, sizeof path, "%s/prometheus.yml", prometheus->folder);
    file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Life -----------------------------------------------------------------------------------------
 */

static void prometheus_print(const void *guest, FILE *out)
{
    const struct prometheus *prometheus = guest;
    fprintf(out, "---- prometheus\n%s", process_stderr(prometheus->process));
}

static void prometheus_free(void *guest)
{
    struct prometheus *prometheus = guest;
    process_free(prometheus->process);
    process_folder_remove(prometheus->folder);
    free(prometheus->folder);
    free(prometheus);
}

static void prometheus_run(struct prometheus *prometheus)
{
    char config[256], storage[256], listen[64];
    snprintf(config, sizeof config, "--config.file=%s/prometheus.yml", prometheus->folder);
    snprintf(storage, sizeof storage, "--storage.tsdb.path=%s/data", prometheus->folder);
    snprintf(listen, sizeof listen, "--web.listen-address=127.0.0.1:%u", prometheus->port);
    prometheus->process = process_start(
        (const char *const[]){"prometheus", config, storage, listen, NULL}, prometheus->folder);
}

struct prometheus *prometheus_open(struct e2e *e, const uint16_t *ports, size_t count)
{
    struct prometheus *prometheus = calloc(1, sizeof *prometheus);
    assert_non_null(prometheus);
    prometheus->folder = process_folder_make();
    prometheus->port = sockets_free_port();
    prometheus_configure(prometheus, ports, count);
    prometheus_run(prometheus);
    const struct e2e_guest guest = {prometheus, prometheus_print, NULL, prometheus_free};
    e2e_adopt(e, &guest);
    if (!process_wait_output(prometheus->process, "Server is ready to receive web requests",
                             PROMETHEUS_WAIT_MS)) {
        fail_msg("prometheus does not start");
    }
    char all[64];
    snprintf(all, sizeof all, "sum(up) == %zu", count);
    json_decref(prometheus_wait(prometheus, all));
    return prometheus;
}

/* Questions --------------------------------------------------------------------------------------
 */

/* The whole answer, head included. By HTTP/1.0 it comes in one piece and ends with the connection.
 */
static const char *prometheus_fetch(const struct prometheus *prometheus, const char *target)
{
    static char reply[PROMETHEUS_REPLY_MAX];
    static char request[8192];
    size_t len = 0;
    ssize_t count;
    const struct timeval patience = {.tv_sec = PROMETHEUS_WAIT_MS / 1000};
    int fd = sockets_connect(0, SOCKETS_LOOPBACK, prometheus->port, PROMETHEUS_WAIT_MS);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0); /* it may wait */
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    int request_len = snprintf(request, sizeof request, "GET %s HTTP/1.0\r\n\r\n", target);
    assert_true(request_len > 0 && (size_t)request_len < sizeof request);
    assert_int_equal(write(fd, request, (size_t)request_len), request_len);
    while ((count = read(fd, reply + len, sizeof reply - 1 - len)) > 0) {
        len += (size_t)count;
    }
    assert_true(count == 0 && len < sizeof reply - 1);
    reply[len] = '\0';
    close(fd);
    return reply;
}

/* {"status":"success","data":...}: the data. */
static json_t *prometheus_get(const struct prometheus *prometheus, const char *target,
                              const char *about)
{
    const char *text = prometheus_fetch(prometheus, target);
    const char *body = strstr(text, "\r\n\r\n");
    json_t *reply = body != NULL ? json_loads(body + 4, 0, NULL) : NULL;
    const char *status = json_string_value(json_object_get(reply, "status"));
    if (status == NULL || strcmp(status, "success") != 0) {
        fail_msg("%s: %s", about, text);
    }
    json_t *data = json_incref(json_object_get(reply, "data"));
    json_decref(reply);
    return data;
}

json_t *prometheus_query(const struct prometheus *prometheus, const char *expr)
{
    static char target[6144];
    size_t len = (size_t)snprintf(target, sizeof target, "/api/v1/query?query=");
    for (const char *at = expr; *at != '\0'; at++) {
        assert_true(len + 4 < sizeof target);
        len += (size_t)snprintf(target + len, 4, isalnum((unsigned char)*at) ? "%c" : "%%%02X",
                                (unsigned char)*at);
    }
    json_t *data = prometheus_get(prometheus, target, expr);
    json_t *result = json_incref(json_object_get(data, "result"));
    json_decref(data);
    assert_true(json_is_array(result));
    return result;
}

struct prometheus_waiting {
    const struct prometheus *prometheus;
    const char *expr;
    json_t *result;
};

static bool prometheus_has(void *arg)
{
    struct prometheus_waiting *waiting = arg;
    json_decref(waiting->result);
    waiting->result = prometheus_query(waiting->prometheus, waiting->expr);
    return json_array_size(waiting->result) > 0;
}

json_t *prometheus_wait(const struct prometheus *prometheus, const char *expr)
{
    struct prometheus_waiting waiting = {prometheus, expr, NULL};
    int64_t until_ms = pump_deadline_ms(PROMETHEUS_WAIT_MS);
    while (!prometheus_has(&waiting)) {
        if (pump_now_ms() >= until_ms) {
            json_decref(waiting.result);
            return NULL;
        }
        e2e_retry_pause();
    }
    return waiting.result;
}

double prometheus_value(const struct prometheus *prometheus, const char *expr)
{
    json_t *result = prometheus_wait(prometheus, expr);
    if (result == NULL || json_array_size(result) != 1) {
        fail_msg("%s comes to %zu samples", expr, json_array_size(result));
    }
    const json_t *sample = json_object_get(json_array_get(result, 0), "value");
    double value = strtod(json_string_value(json_array_get(sample, 1)), NULL);
    json_decref(result);
    return value;
}

json_t *prometheus_rules(const struct prometheus *prometheus)
{
    json_t *data = prometheus_get(prometheus, "/api/v1/rules?type=alert", "rules");
    json_t *all = json_array();
    size_t i;
    json_t *group;
    json_array_foreach(json_object_get(data, "groups"), i, group)
    {
        json_array_extend(all, json_object_get(group, "rules"));
    }
    json_decref(data);
    return all;
}
