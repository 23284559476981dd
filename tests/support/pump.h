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

/**
 * True as soon as `done` says so; false when it has not by pump_deadline_ms(timeout_ms). For what
 * has to come.
 */
bool pump_until(bool (*done)(void *arg), void *arg, int64_t timeout_ms);
/** The same for exactly that long: for what must not come, and between two looks. */
bool pump_within(bool (*done)(void *arg), void *arg, int64_t timeout_ms);
/** All go on for that long. */
void pump_pause(int64_t ms);

/**
 * When waiting for something that has to come ends, in pump_now_ms's time. Tests say what is enough
 * on a quiet machine; here is said how much slower it may be, with sanitizers and with whatever
 * else it has to do. A test that passes does not get later by it.
 */
int64_t pump_deadline_ms(int64_t timeout_ms);
/** From now on nothing is forgiven: a person waits, not a test. */
void pump_be_prompt(void);

/** Monotonic. */
int64_t pump_now_ms(void);
int64_t pump_now_unix_ms(void);
int64_t pump_now_unix_ns(void);

#endif
