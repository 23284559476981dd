/* SPDX-License-Identifier: MIT */
/*
 * pump: poll() over all watched descriptors until a condition holds or a deadline passes. One
 * thread; it knows nothing of what the descriptors carry.
 */
#include "pump.h"

#include <assert.h>
#include <poll.h>
#include <stddef.h>
#include <time.h>

#define PUMP_FDS_MAX 1024
#define PUMP_LOOK_MS 50 /* between two looks at a condition that no descriptor tells of */

static int64_t pump_patience = PUMP_PATIENCE;

static struct pump_watch *pump_watches;

static int64_t pump_clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t pump_now_ms(void)
{
    return pump_clock_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t pump_now_unix_ms(void)
{
    return pump_now_unix_ns() / 1000000;
}

int64_t pump_now_unix_ns(void)
{
    return pump_clock_ns(CLOCK_REALTIME);
}

void pump_add(struct pump_watch *watch)
{
    watch->next = pump_watches;
    pump_watches = watch;
}

void pump_remove(struct pump_watch *watch)
{
    for (struct pump_watch **at = &pump_watches; *at != NULL; at = &(*at)->next) {
        if (*at == watch) {
            *at = watch->next;
            return;
        }
    }
}

static bool pump_has(const struct pump_watch *watch, int fd)
{
    for (const struct pump_watch *at = pump_watches; at != NULL; at = at->next) {
        if (at == watch) {
            return watch->fd == fd;
        }
    }
    return false;
}

static void pump_once(int64_t timeout_ms)
{
    struct pollfd fds[PUMP_FDS_MAX];
    struct pump_watch *owners[PUMP_FDS_MAX];
    nfds_t count = 0;
    for (struct pump_watch *at = pump_watches; at != NULL; at = at->next) {
        assert(count < PUMP_FDS_MAX);
        owners[count] = at;
        fds[count] = (struct pollfd){.fd = at->fd, .events = at->events};
        count++;
    }
    if (poll(fds, count, (int)timeout_ms) <= 0) {
        return;
    }
    for (nfds_t i = 0; i < count; i++) {
        /* An earlier callback may have ended this one. */
        if (fds[i].revents != 0 && pump_has(owners[i], fds[i].fd)) {
            owners[i]->on_ready(fds[i].revents, owners[i]->arg);
        }
    }
}

static bool pump_to(bool (*done)(void *arg), void *arg, int64_t deadline_ms)
{
    while (!done(arg)) {
        int64_t left_ms = deadline_ms - pump_now_ms();
        if (left_ms <= 0) {
            return false;
        }
        pump_once(left_ms < PUMP_LOOK_MS ? left_ms : PUMP_LOOK_MS);
    }
    return true;
}

void pump_be_prompt(void)
{
    pump_patience = 1;
}

int64_t pump_deadline_ms(int64_t timeout_ms)
{
    return pump_now_ms() + timeout_ms * pump_patience;
}

bool pump_until(bool (*done)(void *arg), void *arg, int64_t timeout_ms)
{
    return pump_to(done, arg, pump_deadline_ms(timeout_ms));
}

bool pump_within(bool (*done)(void *arg), void *arg, int64_t timeout_ms)
{
    return pump_to(done, arg, pump_now_ms() + timeout_ms);
}

static bool pump_never(void *arg)
{
    (void)arg;
    return false;
}

void pump_pause(int64_t ms)
{
    (void)pump_to(pump_never, NULL, pump_now_ms() + ms);
}
