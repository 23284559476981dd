/* SPDX-License-Identifier: MIT */
/*
 * supervise: the words of systemd's notification protocol, by libsystemd. What they are about is
 * lifecycle.c's.
 */
#include "supervise.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>
#include <time.h>

static void supervise_on_timer(uv_timer_t *timer)
{
    (void)timer;
    (void)sd_notify(0, "WATCHDOG=1");
}

void supervise_open(struct supervise *supervise, uv_loop_t *loop)
{
    uint64_t watchdog_us = 0;
    uv_timer_init(loop, &supervise->timer);
    if (sd_watchdog_enabled(0, &watchdog_us) > 0) {
        uint64_t every_ms = watchdog_us / 1000 / 3;
        uv_timer_start(&supervise->timer, supervise_on_timer, 0, every_ms > 0 ? every_ms : 1);
    }
    uv_unref((uv_handle_t *)&supervise->timer);
}

void supervise_close(struct supervise *supervise)
{
    uv_close((uv_handle_t *)&supervise->timer, NULL);
}

void supervise_ready(const char *status)
{
    (void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void supervise_reloading(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                     (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void supervise_stopping(const char *status)
{
    (void)sd_notifyf(0, "STOPPING=1\nSTATUS=%s", status);
}
