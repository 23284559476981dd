/* SPDX-License-Identifier: MIT */
/*
 * daemon: a real hgtpd as a child process (HGTPD_PATH), on free loopback ports, with its log kept
 * and a private folder for what it leaves behind.
 */
#ifndef SUPPORT_DAEMON_H
#define SUPPORT_DAEMON_H

#include "process.h"

#define DAEMON_START_MS 15000
#define DAEMON_STOP_MS  15000

struct daemon {
    struct process *process;
    char *folder;              /* its TMPDIR */
    uint32_t hgtp_ip, http_ip; /* host order; from the log's line "ready" */
    uint16_t hgtp_port, http_port;
};

/** Run with exactly these arguments (NULL-terminated, the program's name not included). */
struct daemon *daemon_run(const char *const *args);

/**
 * Run with the tests' settings and then `sets` ("section.key=value", NULL-terminated, NULL: none).
 * Nothing is waited for.
 */
struct daemon *daemon_start(const char *const *sets);

/** True when the log says that it serves, with its addresses; they are then in the structure. */
bool daemon_wait_ready(struct daemon *daemon);

/** SIGTERM, and SIGKILL after DAEMON_STOP_MS. Returns the exit code, 128 + signal, or -1 if it had
 * to be killed. */
int daemon_stop(struct daemon *daemon);

/** Kills it if it runs, removes its folder. NULL is legal. */
void daemon_free(struct daemon *daemon);

/** Its output and log, on stderr. */
void daemon_print_log(const struct daemon *daemon);

#endif
