/* SPDX-License-Identifier: MIT */
/*
 * bus_watchdog: whether nng still tears down connections. nng 1.5 has one thread for that in a
 * process, and it can hang for good; after that nothing of nng connects, reconnects or closes any
 * more. So a connection inside the process is made and ended again and again, and its end must be
 * reported in time.
 */
#ifndef BUS_BUS_WATCHDOG_H
#define BUS_BUS_WATCHDOG_H

#include <nng/nng.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

/** Where the connection is: there is none, it is being made, it is being ended. */
enum bus_watchdog_step { BUS_WATCHDOG_APART, BUS_WATCHDOG_JOINING, BUS_WATCHDOG_PARTING };

/** In the caller's storage, which has to last as long as the process: nng keeps its address. */
struct bus_watchdog {
    nng_socket listener;
    nng_socket caller;
    nng_dialer dialer;
    uv_timer_t timer;
    enum bus_watchdog_step step;
    uint64_t step_ms; /* when that began */
    uint64_t patience_ms;
    atomic_uint joined_count; /* these two are counted on nng's threads */
    atomic_uint parted_count;
    unsigned round_count;
    bool is_stuck;
    void (*on_stuck)(void *arg);
    void *arg;
};

#define BUS_WATCHDOG_PERIOD_MS   2000
#define BUS_WATCHDOG_PATIENCE_MS 10000

/**
 * Look every `period_ms`; call `on_stuck` once when a step takes longer than `patience_ms`.
 * Returns 0 or an error of nng; then there is nothing to close.
 */
int bus_watchdog_open(struct bus_watchdog *dog, uv_loop_t *loop, uint64_t period_ms,
                      uint64_t patience_ms, void (*on_stuck)(void *arg), void *arg);

/** on_stuck isn't called any more; the timer's handle is closed in one of the next loop turns. */
void bus_watchdog_close(struct bus_watchdog *dog);

#endif
