/* SPDX-License-Identifier: MIT */
/*
 * supervise: tells systemd how this node is, and that its loop turns. Where no supervisor asked for
 * it (NOTIFY_SOCKET), nothing happens.
 */
#ifndef NODE_SUPERVISE_H
#define NODE_SUPERVISE_H

#include <uv.h>

struct supervise {
    uv_timer_t timer; /* of the watchdog */
};

/** Start the watchdog's beat if it is asked for (WATCHDOG_USEC). */
void supervise_open(struct supervise *supervise, uv_loop_t *loop);
void supervise_close(struct supervise *supervise);

/* What is so from now on; `status` is a line for `systemctl status`. */
void supervise_ready(const char *status);
void supervise_reloading(void);
void supervise_stopping(const char *status);

#endif
