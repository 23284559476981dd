/* SPDX-License-Identifier: MIT */
/*
 * daemon: starts hgtpd for a scenario and learns its addresses from its log, as an operator would.
 * Whether it behaves is for the scenarios to say.
 */
#include "daemon.h"

#include <arpa/inet.h>
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAEMON_ARGS_MAX 64

/* What every node of a scenario is given; a scenario's own settings come later and win. */
static const char *const daemon_sets[] = {
    "hgtp.listen=127.0.0.1:0", "http.listen=127.0.0.1:0", "bus.listen=tcp://127.0.0.1:0",
    "auth.key=950817",         "lists.coalesce_ms=1",     "node.drain_s=1",
};

struct daemon *daemon_run(const char *const *args)
{
    const char *argv[DAEMON_ARGS_MAX + 2] = {HGTPD_PATH};
    size_t count = 1;
    for (; *args != NULL; args++) {
        assert(count <= DAEMON_ARGS_MAX);
        argv[count++] = *args;
    }
    struct daemon *daemon = calloc(1, sizeof *daemon);
    assert(daemon != NULL);
    daemon->folder = process_folder_make();
    daemon->process = process_start(argv, daemon->folder);
    return daemon;
}

struct daemon *daemon_start(const char *const *sets)
{
    const char *args[DAEMON_ARGS_MAX + 1] = {NULL};
    size_t count = 0;
    for (size_t i = 0; i < sizeof daemon_sets / sizeof daemon_sets[0]; i++) {
        args[count++] = "--set";
        args[count++] = daemon_sets[i];
    }
    for (; sets != NULL && *sets != NULL; sets++) {
        assert(count + 2 <= DAEMON_ARGS_MAX);
        args[count++] = "--set";
        args[count++] = *sets;
    }
    return daemon_run(args);
}

/* The value of `key` in a log line of either format: key=IP:PORT or "key":"IP:PORT". */
static bool daemon_address(const char *line, const char *key, uint32_t *ret_ip, uint16_t *ret_port)
{
    char quoted[32], ip[16];
    unsigned port;
    snprintf(quoted, sizeof quoted, "\"%s\":\"", key);
    const char *at = strstr(line, quoted);
    if (at == NULL) {
        snprintf(quoted, sizeof quoted, " %s=", key);
        at = strstr(line, quoted);
    }
    if (at == NULL) {
        return false;
    }
    at += strlen(quoted);
    at += *at == '"';
    struct in_addr address;
    if (sscanf(at, "%15[0-9.]:%u", ip, &port) != 2 || inet_pton(AF_INET, ip, &address) != 1) {
        return false;
    }
    *ret_ip = ntohl(address.s_addr);
    *ret_port = (uint16_t)port;
    return true;
}

bool daemon_wait_ready(struct daemon *daemon)
{
    const char *line = NULL;
    if (process_wait_output(daemon->process, "event=ready", DAEMON_START_MS)) {
        line = strstr(process_stderr(daemon->process), "event=ready");
    }
    return line != NULL && daemon_address(line, "hgtp", &daemon->hgtp_ip, &daemon->hgtp_port) &&
           daemon_address(line, "http", &daemon->http_ip, &daemon->http_port);
}

int daemon_stop(struct daemon *daemon)
{
    process_signal(daemon->process, SIGTERM);
    int code = process_wait_exit(daemon->process, DAEMON_STOP_MS);
    if (code < 0) {
        process_signal(daemon->process, SIGKILL);
        (void)process_wait_exit(daemon->process, DAEMON_STOP_MS);
    }
    return code;
}

void daemon_free(struct daemon *daemon)
{
    if (daemon == NULL) {
        return;
    }
    process_free(daemon->process);
    process_folder_remove(daemon->folder);
    free(daemon->folder);
    free(daemon);
}

void daemon_print_log(const struct daemon *daemon)
{
    fprintf(stderr, "--- hgtpd's output\n%s--- hgtpd's log\n%s---\n",
            process_stdout(daemon->process), process_stderr(daemon->process));
}
