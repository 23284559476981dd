/* SPDX-License-Identifier: MIT */
/*
 * Tests of node/control/control_socket with a real caller: a request comes to the loop and its
 * answer goes back; when the loop is gone, requests that still come hurt nobody.
 */
#include "node/control/control_socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>

#define ANSWERED_MS   5000
#define STEP_MS       10
#define UNANSWERED_MS 300

struct fixture {
    uv_loop_t loop;
    struct control_socket *socket;
    nng_socket caller;
};

static void echo(struct control_slot *slot, struct bytes request, void *arg)
{
    char text[64];
    (void)arg;
    int len = snprintf(text, sizeof text, "%.*s", (int)request.len, (const char *)request.ptr);
    slot->answer(slot, bytes_of(text, (size_t)len));
}

static int open_fixture(void **state)
{
    int rc = 0;
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    uv_loop_init(&f->loop);
    f->socket = control_socket_open(&f->loop, "tcp://127.0.0.1:0", NULL, echo, f, &rc);
    assert_non_null(f->socket);
    assert_int_equal(nng_req0_open(&f->caller), 0);
    assert_int_equal(nng_dial(f->caller, control_socket_url(f->socket), NULL, 0), 0);
    *state = f;
    return 0;
}

static void close_loop(struct fixture *f)
{
    control_socket_close(f->socket);
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&f->loop), 0);
}

/* The sockets stay open, as a node's do. */
static int free_fixture(void **state)
{
    struct fixture *f = *state;
    free(f);
    return 0;
}

static void say(const struct fixture *f, const char *text)
{
    assert_int_equal(nng_send(f->caller, (void *)(uintptr_t)text, strlen(text), 0), 0);
}

static void on_step(uv_timer_t *timer)
{
    (void)timer;
}

/* On one of nng's threads. */
static void on_received(void *arg)
{
    atomic_store((atomic_bool *)arg, true);
}

/* The loop turns until the answer has come. */
static void expect_answer(struct fixture *f, const char *text)
{
    nng_aio *aio;
    uv_timer_t step;
    atomic_bool has_come = false;
    assert_int_equal(nng_aio_alloc(&aio, on_received, &has_come), 0);
    nng_aio_set_timeout(aio, ANSWERED_MS);
    nng_recv_aio(f->caller, aio);
    uv_timer_init(&f->loop, &step);
    uv_timer_start(&step, on_step, STEP_MS, STEP_MS);
    while (!atomic_load(&has_come)) {
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    }
    uv_close((uv_handle_t *)&step, NULL);
    (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    nng_aio_wait(aio);
    assert_int_equal(nng_aio_result(aio), 0);
    nng_msg *answer = nng_aio_get_msg(aio);
    assert_int_equal(nng_msg_len(answer), strlen(text));
    assert_memory_equal(nng_msg_body(answer), text, strlen(text));
    nng_msg_free(answer);
    nng_aio_free(aio);
}

static void control_socket_request_comes_to_the_loop_and_is_answered(void **state)
{
    struct fixture *f = *state;
    say(f, "hello");
    expect_answer(f, "hello");
    say(f, "and again");
    expect_answer(f, "and again");
    close_loop(f);
}

static void control_socket_request_after_the_loop_is_gone_is_not_answered(void **state)
{
    struct fixture *f = *state;
    nng_msg *answer;
    close_loop(f);
    say(f, "too late");
    assert_int_equal(nng_socket_set_ms(f->caller, NNG_OPT_RECVTIMEO, UNANSWERED_MS), 0);
    assert_int_equal(nng_recvmsg(f->caller, &answer, 0), NNG_ETIMEDOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(control_socket_request_comes_to_the_loop_and_is_answered,
                                        open_fixture, free_fixture),
        cmocka_unit_test_setup_teardown(
            control_socket_request_after_the_loop_is_gone_is_not_answered, open_fixture,
            free_fixture),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fflush(NULL);
    _exit(failed);
}
