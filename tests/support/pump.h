/* SPDX-License-Identifier: MIT */
/*
 * pump: the one place where a test waits. Everything with a descriptor (clients, the node's log,
 * HTTP helpers) is watched here, so while a test waits for one thing, all others go on.
 */
#ifndef SUPPORT_PUMP_H
#define SUPPORT_PUMP_H

#include <stdbool.h>
#include <stdint.h>

/** One watched descriptor, in the owner's storage. `events` (of poll) may change at any time. */
struct pump_watch {
    int fd;
    short events;
    void (*on_ready)(short revents, void *arg);
    void *arg;
    struct pump_watch *next;
};

void pump_add(struct pump_watch *watch);
/** Legal from inside on_ready, also for another watch, and for one that was never added. */
void pump_remove(struct pump_watch *watch);

/** True as soon as `done` says so; false when `timeout_ms` have passed without that. */
bool pump_until(bool (*done)(void *arg), void *arg, int64_t timeout_ms);

/** Monotonic. */
int64_t pump_now_ms(void);
int64_t pump_now_unix_ms(void);
int64_t pump_now_unix_ns(void);

#endif
