/* SPDX-License-Identifier: MIT */
/*
 * balancer: makes a runnable copy of the shipped nginx configuration in a private folder and runs
 * nginx with it, in the foreground, for the time of a scenario. What the configuration says beyond
 * addresses and paths is left alone: it is what is tested.
 */
#include "balancer.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pump.h"
#include "sockets.h"

#define BALANCER_START_MS 10000
#define BALANCER_END_MS   10000
#define BALANCER_TEXT_MAX 32768

struct balancer *balancer_new(void)
{
    struct balancer *balancer = calloc(1, sizeof *balancer);
    assert(balancer != NULL);
    balancer->folder = process_folder_make();
    balancer->hgtp_port = sockets_free_port();
    balancer->talk_port = sockets_free_port();
    balancer->web_port = sockets_free_port();
    return balancer;
}

void balancer_free(struct balancer *balancer)
{
    if (balancer == NULL) {
        return;
    }
    if (balancer->process != NULL) {
        process_signal(balancer->process, SIGTERM);
        (void)process_wait_exit(balancer->process, BALANCER_END_MS);
        process_free(balancer->process);
    }
    process_folder_remove(balancer->folder);
    free(balancer->folder);
    free(balancer);
}

/* Configuration -------------------------------------------------------------------------------- */

/* Every `from` in `text` becomes `to`; there has to be one, or the shipped file has changed. */
static void balancer_replace(char *text, const char *from, const char *to)
{
    char *at = strstr(text, from);
    assert(at != NULL);
    while (at != NULL) {
        size_t rest = strlen(at + strlen(from)) + 1;
        assert(strlen(text) + strlen(to) < BALANCER_TEXT_MAX);
        memmove(at + strlen(to), at + strlen(from), rest);
        memcpy(at, to, strlen(to));
        at = strstr(at + strlen(to), from);
    }
}

static void balancer_replace_port(char *text, const char *from, uint16_t port)
{
    char to[64];
    const char *after = strpbrk(from + strlen("listen "), " ;");
    snprintf(to, sizeof to, "listen 127.0.0.1:%u%s", port, after);
    balancer_replace(text, from, to);
}

static void balancer_replace_nodes(char *text, const struct balancer_node *nodes)
{
    for (unsigned i = 0; i < BALANCER_NODES; i++) {
        char from[32], to[32];
        snprintf(from, sizeof from, "10.0.0.%u:9000", 11 + i);
        snprintf(to, sizeof to, "127.0.0.1:%u", nodes[i].hgtp_port);
        balancer_replace(text, from, to);
        snprintf(from, sizeof from, "10.0.0.%u:8080", 11 + i);
        snprintf(to, sizeof to, "127.0.0.1:%u", nodes[i].http_port);
        balancer_replace(text, from, to);
    }
}

static void balancer_replace_paths(char *text, const char *folder)
{
    char to[512];
    snprintf(to, sizeof to, "pid %s/nginx.pid;", folder);
    balancer_replace(text, "pid /run/nginx.pid;", to);
    balancer_replace(text, "error_log /var/log/nginx/error.log warn;", "error_log stderr warn;");
    balancer_replace(text, "user www-data;", "");
    snprintf(to, sizeof to,
             "\nhttp {\n    client_body_temp_path %s/body;\n    proxy_temp_path %s/proxy;\n"
             "    fastcgi_temp_path %s/fastcgi;\n    uwsgi_temp_path %s/uwsgi;\n"
             "    scgi_temp_path %s/scgi;",
             folder, folder, folder, folder, folder);
    balancer_replace(text, "\nhttp {", to);
}

static bool balancer_configure(const struct balancer *balancer, const struct balancer_node *nodes,
                               const char *path)
{
    static char text[BALANCER_TEXT_MAX];
    FILE *shipped = fopen(TEST_SOURCE_DIR "/deploy/nginx/hgtp.conf", "re");
    if (shipped == NULL) {
        return false;
    }
    size_t len = fread(text, 1, sizeof text - 1, shipped);
    text[len] = '\0';
    fclose(shipped);
    balancer_replace_nodes(text, nodes);
    balancer_replace_port(text, "listen 9000 udp", balancer->hgtp_port);
    balancer_replace_port(text, "listen 8080 so_keepalive", balancer->talk_port);
    balancer_replace_port(text, "listen 8081;", balancer->web_port);
    balancer_replace_paths(text, balancer->folder);
    if (balancer->is_behind_path) {
        balancer_replace(text, "location / {", "location /chat/ {");
        balancer_replace(text, "proxy_pass http://hgtp_http;", "proxy_pass http://hgtp_http/;");
        balancer_replace(text, "location = /metrics {", "location = /chat/metrics {");
    }
    FILE *copy = fopen(path, "we");
    bool is_written = copy != NULL && fputs(text, copy) >= 0;
    return copy != NULL && fclose(copy) == 0 && is_written;
}

/* Life ----------------------------------------------------------------------------------------- */

static bool balancer_accepts(void *arg)
{
    const struct balancer *balancer = arg;
    int fd = sockets_connect(0, SOCKETS_LOOPBACK, balancer->talk_port, 100);
    if (fd >= 0) {
        close(fd);
    }
    if (fd < 0) {
        pump_pause(10);
    }
    return fd >= 0 || process_wait_exit(balancer->process, 0) >= 0;
}

bool balancer_leaves_dead_nodes(void)
{
    int minor = 0;
    FILE *version = popen("/usr/sbin/nginx -v 2>&1", "r");
    bool is_read = version != NULL && fscanf(version, "nginx version: nginx/1.%d", &minor) == 1;
    if (version != NULL) {
        (void)pclose(version);
    }
    return is_read && minor <= 22;
}

bool balancer_start(struct balancer *balancer, const struct balancer_node nodes[BALANCER_NODES])
{
    char path[256];
    snprintf(path, sizeof path, "%s/nginx.conf", balancer->folder);
    if (!balancer_configure(balancer, nodes, path)) {
        return false;
    }
    const char *const argv[] = {"/usr/sbin/nginx", "-e", "stderr", "-c", path, "-g",
                                "daemon off;",     NULL};
    balancer->process = process_start(argv, balancer->folder);
    return pump_until(balancer_accepts, balancer, BALANCER_START_MS) &&
           process_wait_exit(balancer->process, 0) < 0;
}

void balancer_print_log(const struct balancer *balancer)
{
    if (balancer->process != NULL) {
        fprintf(stderr, "--- nginx' log\n%s---\n", process_stderr(balancer->process));
    }
}
