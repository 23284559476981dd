/* SPDX-License-Identifier: MIT */
/*
 * bus_watchdog: silent while nng ends connections, and one call when it doesn't. nng calls a
 * REM_POST callback on the very thread that can hang, so a callback that doesn't return is that
 * hang.
 */
#include "node/bus/bus_watchdog.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <nng/protocol/pair0/pair.h>

enum { PERIOD_MS = 5, PATIENCE_MS = 100, DEADLINE_MS = 20000, ROUNDS = 10 };

static pthread_mutex_t hang = PTHREAD_MUTEX_INITIALIZER;

static struct {
    uv_loop_t loop;
    uv_timer_t deadline;
    bool expired;
    struct bus_watchdog dogs[2]; /* one per case: nng may call in when a case is over */
    struct bus_watchdog *dog;
    int stuck_count;
    nng_socket listener, caller;
    nng_dialer dialer;
} t;

static void on_stuck(void *arg)
{
    assert_ptr_equal(arg, &t);
    t.stuck_count++;
}

static void on_deadline(uv_timer_t *timer)
{
    (void)timer;
    t.expired = true;
}

#define WAIT_UNTIL(condition)                                                                      \
    do {                                                                                           \
        t.expired = false;                                                                         \
        uv_timer_start(&t.deadline, on_deadline, DEADLINE_MS, 0);                                  \
        while (!(condition)) {                                                                     \
            assert_false(t.expired);                                                               \
            uv_run(&t.loop, UV_RUN_ONCE);                                                          \
        }                                                                                          \
        uv_timer_stop(&t.deadline);                                                                \
    } while (0)

static void on_removed(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    (void)pipe;
    (void)event;
    (void)arg;
    pthread_mutex_lock(&hang);
    pthread_mutex_unlock(&hang);
}

static int set_up(void **state)
{
    (void)state;
    t.stuck_count = 0;
    t.dog = t.dog == NULL ? &t.dogs[0] : &t.dogs[1];
    uv_loop_init(&t.loop);
    uv_timer_init(&t.loop, &t.deadline);
    return bus_watchdog_open(t.dog, &t.loop, PERIOD_MS, PATIENCE_MS, on_stuck, &t);
}

static int tear_down(void **state)
{
    (void)state;
    bus_watchdog_close(t.dog);
    uv_close((uv_handle_t *)&t.deadline, NULL);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&t.loop);
}

static void bus_watchdog_is_silent_while_connections_end(void **state)
{
    (void)state;
    WAIT_UNTIL(t.dog->round_count == ROUNDS);
    assert_int_equal(t.stuck_count, 0);
    assert_true(atomic_load(&t.dog->parted_count) >= ROUNDS - 1);
}

static void bus_watchdog_calls_once_when_they_do_not(void **state)
{
    (void)state;
    assert_int_equal(nng_pair0_open(&t.listener), 0);
    assert_int_equal(nng_pair0_open(&t.caller), 0);
    assert_int_equal(nng_pipe_notify(t.caller, NNG_PIPE_EV_REM_POST, on_removed, NULL), 0);
    assert_int_equal(nng_listen(t.listener, "inproc://test-bus-watchdog", NULL, 0), 0);
    assert_int_equal(nng_dial(t.caller, "inproc://test-bus-watchdog", &t.dialer, 0), 0);
    WAIT_UNTIL(t.dog->round_count == 2);

    pthread_mutex_lock(&hang);
    nng_dialer_close(t.dialer);
    WAIT_UNTIL(t.stuck_count == 1);
    /* Nothing here waits for nng, so the loop goes on, and it is not said twice. */
    uint64_t until_ms = uv_now(&t.loop) + (uint64_t)3 * PATIENCE_MS;
    WAIT_UNTIL(uv_now(&t.loop) > until_ms);
    assert_int_equal(t.stuck_count, 1);
    pthread_mutex_unlock(&hang);
    nng_close(t.caller);
    nng_close(t.listener);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(bus_watchdog_is_silent_while_connections_end),
        CASE(bus_watchdog_calls_once_when_they_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
