/* SPDX-License-Identifier: MIT */
/*
 * webdriver: the process of chromedriver, under a guard, and one HTTP connection per command. What
 * the commands mean is browser.c's business.
 */
#include "webdriver.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "http_client.h"
#include "process.h"

#define WEBDRIVER_STARTS   5
#define WEBDRIVER_START_MS 30000
#define WEBDRIVER_END_MS   15000

struct webdriver {
    struct process *process;
    char *folder;
    uint16_t port;
};

static bool webdriver_has_program(const char *name)
{
    const char *path = getenv("PATH");
    while (path != NULL && *path != '\0') {
        char file[512];
        size_t len = strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%s", (int)len, path, name);
        if (access(file, X_OK) == 0) {
            return true;
        }
        path += len + (path[len] == ':');
    }
    return false;
}

bool webdriver_is_installed(void)
{
    return webdriver_has_program("chromium") && webdriver_has_program("chromedriver");
}

/* The port that it says it listens on; 0: it does not. */
static uint16_t webdriver_port(struct process *process)
{
    static const char started[] = "started successfully on port ";
    unsigned port = 0;
    if (process_wait_output(process, started, WEBDRIVER_START_MS) &&
        process_wait_output(process, ".\n", WEBDRIVER_START_MS)) {
        (void)sscanf(strstr(process_stdout(process), started) + strlen(started), "%u", &port);
    }
    return (uint16_t)port;
}

struct webdriver *webdriver_start(void)
{
    struct webdriver *driver = calloc(1, sizeof *driver);
    assert_non_null(driver);
    driver->folder = process_folder_make();
    const char *const argv[] = {GUARD_PATH, driver->folder, "chromedriver", "--port=0", NULL};
    /* The port that it finds free for IPv6 may be somebody's for IPv4; then it ends. */
    for (int i = 0; i < WEBDRIVER_STARTS && driver->port == 0; i++) {
        process_free(driver->process);
        driver->process = process_start(argv, driver->folder);
        driver->port = webdriver_port(driver->process);
    }
    if (driver->port == 0) {
        fail_msg("chromedriver does not start: %s%s", process_stdout(driver->process),
                 process_stderr(driver->process));
    }
    return driver;
}

void webdriver_free(struct webdriver *driver)
{
    if (driver == NULL) {
        return;
    }
    process_signal(driver->process, SIGTERM);
    if (process_wait_exit(driver->process, WEBDRIVER_END_MS) < 0) {
        print_error("the browsers do not end\n");
    }
    process_free(driver->process);
    process_folder_remove(driver->folder);
    free(driver->folder);
    free(driver);
}

const char *webdriver_folder(const struct webdriver *driver)
{
    return driver->folder;
}

/* Commands ------------------------------------------------------------------------------------- */

static void webdriver_send(struct http_client *client, uint16_t port, const char *method,
                           const char *path, const char *body)
{
    char head[768];
    snprintf(head, sizeof head,
             "%s %s HTTP/1.1\r\nhost: 127.0.0.1:%u\r\ncontent-type: application/json\r\n"
             "content-length: %zu\r\n\r\n",
             method, path, port, strlen(body));
    http_client_send(client, bytes_str(head));
    http_client_send(client, bytes_str(body));
}

static json_t *webdriver_value(const struct http_answer *answer)
{
    json_t *root = json_loadb(answer->body, answer->body_bytes, JSON_ALLOW_NUL, NULL);
    json_t *value = json_incref(json_object_get(root, "value"));
    json_decref(root);
    return value;
}

json_t *webdriver_call(struct webdriver *driver, const char *method, const char *path, json_t *body)
{
    char *text = NULL;
    if (body != NULL) {
        text = json_dumps(body, JSON_COMPACT);
        json_decref(body);
        assert_non_null(text);
    }
    struct http_client *client = http_client_open(0, SOCKETS_LOOPBACK, driver->port);
    if (client == NULL) {
        free(text);
        return NULL;
    }
    const char *empty = strcmp(method, "POST") == 0 ? "{}" : "";
    webdriver_send(client, driver->port, method, path, text != NULL ? text : empty);
    struct http_answer answer = http_client_read_within(client, true, WEBDRIVER_CALL_MS);
    json_t *value = answer.status != 0 ? webdriver_value(&answer) : NULL;
    http_client_close(client);
    free(text);
    return value;
}

bool webdriver_is_error(const json_t *value)
{
    return json_is_string(json_object_get(value, "error")) &&
           json_is_string(json_object_get(value, "message"));
}
