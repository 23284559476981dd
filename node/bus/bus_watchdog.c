/* SPDX-License-Identifier: MIT */
/*
 * bus_watchdog: a pair of sockets inside the process, joined and parted in turn by a timer. Each
 * look takes at most one step, so that nothing here waits for nng. What follows from a hang is the
 * caller's affair.
 */
#include "node/bus/bus_watchdog.h"

#include <assert.h>
#include <nng/protocol/pair0/pair.h>
#include <stdio.h>
#include <unistd.h>

#include "node/bus/bus_reap.h"

static void bus_watchdog_on_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct bus_watchdog *dog = arg;
    (void)pipe;
    atomic_fetch_add(event == NNG_PIPE_EV_ADD_POST ? &dog->joined_count : &dog->parted_count, 1);
}

static void bus_watchdog_take(struct bus_watchdog *dog, enum bus_watchdog_step step)
{
    dog->step = step;
    dog->step_ms = uv_now(dog->timer.loop);
}

static void bus_watchdog_join(struct bus_watchdog *dog)
{
    char url[64];
    (void)snprintf(url, sizeof url, "inproc://bus-watchdog-%u", dog->listener.id);
    if (nng_dialer_create(&dog->dialer, dog->caller, url) != 0) {
        return; /* memory is out; tried again at the next look */
    }
    (void)nng_dialer_start(dog->dialer, NNG_FLAG_NONBLOCK);
    dog->round_count++;
    bus_watchdog_take(dog, BUS_WATCHDOG_JOINING);
}

static void bus_watchdog_check(struct bus_watchdog *dog)
{
    if (!dog->is_stuck && uv_now(dog->timer.loop) - dog->step_ms > dog->patience_ms) {
        dog->is_stuck = true;
        dog->on_stuck(dog->arg);
    }
}

static void bus_watchdog_on_timer(uv_timer_t *timer)
{
    struct bus_watchdog *dog = timer->data;
    switch (dog->step) {
    case BUS_WATCHDOG_APART:
        bus_watchdog_join(dog);
        break;
    case BUS_WATCHDOG_JOINING:
        if (atomic_load(&dog->joined_count) < dog->round_count) {
            bus_watchdog_check(dog);
            break;
        }
        (void)nng_dialer_close(dog->dialer);
        bus_watchdog_take(dog, BUS_WATCHDOG_PARTING);
        break;
    case BUS_WATCHDOG_PARTING:
        if (atomic_load(&dog->parted_count) < dog->round_count) {
            bus_watchdog_check(dog);
            break;
        }
        bus_watchdog_join(dog);
        break;
    }
}

static int bus_watchdog_listen(struct bus_watchdog *dog)
{
    char url[64];
    (void)snprintf(url, sizeof url, "inproc://bus-watchdog-%u", dog->listener.id);
    int rc = nng_pipe_notify(dog->caller, NNG_PIPE_EV_ADD_POST, bus_watchdog_on_pipe, dog);
    if (rc == 0) {
        rc = nng_pipe_notify(dog->caller, NNG_PIPE_EV_REM_POST, bus_watchdog_on_pipe, dog);
    }
    return rc != 0 ? rc : nng_listen(dog->listener, url, NULL, 0);
}

int bus_watchdog_open(struct bus_watchdog *dog, uv_loop_t *loop, uint64_t period_ms,
                      uint64_t patience_ms, void (*on_stuck)(void *arg), void *arg)
{
    *dog = (struct bus_watchdog){.patience_ms = patience_ms, .on_stuck = on_stuck, .arg = arg};
    int rc = nng_pair0_open(&dog->listener);
    if (rc != 0) {
        return rc;
    }
    rc = nng_pair0_open(&dog->caller);
    if (rc != 0) {
        bus_reap_socket(dog->listener, NULL);
        return rc;
    }
    rc = bus_watchdog_listen(dog);
    if (rc != 0) {
        bus_reap_socket(dog->caller, NULL);
        bus_reap_socket(dog->listener, NULL);
        return rc;
    }
    dog->timer.data = dog;
    (void)uv_timer_init(loop, &dog->timer);
    rc = uv_timer_start(&dog->timer, bus_watchdog_on_timer, period_ms, period_ms);
    assert(rc == 0);
    return 0;
}

void bus_watchdog_close(struct bus_watchdog *dog)
{
    uv_close((uv_handle_t *)&dog->timer, NULL);
    bus_reap_socket(dog->caller, NULL);
    bus_reap_socket(dog->listener, NULL);
}
