/* SPDX-License-Identifier: MIT */
/*
 * push: which mark counts as confirmed, when a push is idle, and how its owner is told. What
 * arrives at the client's port, and in which order, is test_push.c's.
 */
#include "push_fixture.h"

#include <signal.h>

#define CONFIRMED_ANSWERS metrics_values[METRIC_PUSH_CONFIRMED]

/* Answer the next requests of a connection, each by a write of its own. */
static void answer(struct fixture *f, int client, int count)
{
    f->answer = OK_ANSWER;
    for (int i = 0; i < count; i++) {
        client_answer(&f->clients[client]);
    }
    f->answer = NULL;
}

/* A receiver that answers, known as such, and its connection: nothing is confirmed, none waits. */
static void open_answered(struct fixture *f)
{
    open_push(f);
    assert_true(send_text(f, PUSH_USER_LIST, "{}"));
    WAIT_UNTIL(f, f->request_count == 1);
    answer(f, 0, 1);
    WAIT_UNTIL(f, CONFIRMED_ANSWERS == 1);
    f->confirmed_count = 0;
}

/* ---- What is confirmed ---- */

static void push_confirmed_is_the_mark_answered_last(void **state)
{
    struct fixture *f = *state;
    open_answered(f);
    assert_int_equal(push_confirmed(f->push), 0);
    send_numbers(f, 1, 10);
    WAIT_UNTIL(f, f->request_count == 11);
    assert_int_equal(push_confirmed(f->push), 0);
    for (int i = 1; i <= 10; i++) {
        answer(f, 0, 1);
        WAIT_UNTIL(f, CONFIRMED_ANSWERS == 1 + i);
        assert_int_equal(push_confirmed(f->push), i);
    }
    assert_int_equal(f->client_count, 1);
}

static void push_request_without_a_mark_leaves_what_is_confirmed(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER;
    open_push(f);
    send_numbers(f, 7, 1);
    assert_true(send_text(f, PUSH_ROOM_LIST, "{}"));
    WAIT_UNTIL(f, CONFIRMED_ANSWERS == 2);
    assert_int_equal(push_confirmed(f->push), 7);
}

static void push_mark_may_be_lower_than_the_one_before(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER;
    open_push(f);
    send_numbers(f, 100, 3);
    send_numbers(f, 1, 2);
    WAIT_UNTIL(f, CONFIRMED_ANSWERS == 5);
    assert_int_equal(push_confirmed(f->push), 2);
}

static void push_mark_keeps_all_its_bits(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER;
    open_push(f);
    assert_true(send_marked(f, PUSH_NOTICE, "{}", UINT64_MAX));
    WAIT_UNTIL(f, CONFIRMED_ANSWERS == 1);
    assert_true(push_confirmed(f->push) == UINT64_MAX);
}

static void push_broken_connection_leaves_what_is_confirmed_until_it_is_answered_again(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER;
    f->answers_left = 4;
    open_push(f);
    send_numbers(f, 1, 10);
    WAIT_UNTIL(f, f->request_count == 10 && CONFIRMED_ANSWERS == 4);
    assert_int_equal(push_confirmed(f->push), 4);
    f->answer = NULL;
    client_close(&f->clients[0]);
    WAIT_UNTIL(f, !push_alive(f->push));
    assert_int_equal(push_confirmed(f->push), 4);
    WAIT_UNTIL(f, f->client_count == 2 && f->clients[1].request_count == 6);
    assert_numbers(f, 1, 5, 6);
    assert_int_equal(push_confirmed(f->push), 4);
    answer(f, 1, 6);
    WAIT_UNTIL(f, CONFIRMED_ANSWERS == 10);
    assert_int_equal(push_confirmed(f->push), 10);
}

static void push_redirected_keeps_what_is_confirmed(void **state)
{
    struct fixture *f = *state;
    open_push(f);
    send_numbers(f, 1, 3);
    WAIT_UNTIL(f, f->request_count == 3);
    answer(f, 0, 2);
    WAIT_UNTIL(f, CONFIRMED_ANSWERS == 2);
    push_redirect(f->push, INADDR_LOOPBACK + 1, f->port); /* nobody listens there */
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONNECT_FAILED] >= 1);
    assert_int_equal(push_confirmed(f->push), 2);
    push_redirect(f->push, INADDR_LOOPBACK, f->port);
    WAIT_UNTIL(f, f->client_count == 2 && f->clients[1].request_count == 1);
    assert_int_equal(push_confirmed(f->push), 2);
    answer(f, 1, 1);
    WAIT_UNTIL(f, push_confirmed(f->push) == 3);
}

static void push_answers_before_the_end_of_a_write_confirm(void **state)
{
    struct fixture *f = *state;
    f->answers_left = 20;
    open_with_a_long_write(f, 40);
    WAIT_UNTIL(f, CONFIRMED_ANSWERS == 20);
    assert_true(metrics_values[METRIC_PUSH_SENT] < 20);
    assert_int_equal(push_confirmed(f->push), 19);
    assert_false(push_idle(f->push));
    WAIT_UNTIL(f, f->request_count == 40);
    answer(f, 0, 20);
    WAIT_UNTIL(f, push_confirmed(f->push) == 39 && push_idle(f->push));
}

static void push_answers_to_what_was_forgotten_leave_what_is_confirmed(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = 2 * (PUSH_HEAD_BYTES + 3);
    open_answered(f);
    for (int i = 1; i <= 5; i++) {
        send_numbers(f, i, 1);
        WAIT_UNTIL(f, f->request_count == 1 + i);
    }
    answer(f, 0, 3); /* which were forgotten */
    WAIT_UNTIL(f, CONFIRMED_ANSWERS == 4);
    assert_int_equal(push_confirmed(f->push), 0);
    answer(f, 0, 1);
    WAIT_UNTIL(f, CONFIRMED_ANSWERS == 5);
    assert_int_equal(push_confirmed(f->push), 4);
    assert_false(push_idle(f->push));
    answer(f, 0, 1);
    WAIT_UNTIL(f, push_confirmed(f->push) == 5);
    assert_true(push_idle(f->push));
}

/* ---- A receiver that does not answer ---- */

static void push_receiver_that_never_answers_confirms_by_what_is_written(void **state)
{
    struct fixture *f = *state;
    open_push(f);
    send_numbers(f, 1, 5);
    assert_true(send_text(f, PUSH_USER_LIST, "{}"));
    assert_int_equal(push_confirmed(f->push), 0);
    assert_false(push_idle(f->push));
    WAIT_UNTIL(f, f->request_count == 6);
    assert_int_equal(push_confirmed(f->push), 5);
    assert_true(push_idle(f->push));
    assert_int_equal(f->confirmed_count, 0);
}

static void push_receiver_that_never_answers_confirms_what_was_forgotten(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = 2 * (PUSH_HEAD_BYTES + 3);
    open_push(f);
    for (int i = 1; i <= 9; i++) {
        send_numbers(f, i, 1);
        WAIT_UNTIL(f, f->request_count == i);
        assert_int_equal(push_confirmed(f->push), i);
        assert_true(push_idle(f->push));
    }
}

static void push_request_written_in_part_is_not_confirmed(void **state)
{
    struct fixture *f = *state;
    f->answers_left = 0;
    f->paused = true;
    f->settings.queue_max_bytes = 64 * 1000000;
    open_push(f);
    send_numbers(f, 1, 1);
    send_number_padded(f, 2, 40 * 1000000);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_SENT] == 1);
    assert_int_equal(push_confirmed(f->push), 1);
    assert_false(push_idle(f->push));
}

/* All is written, and then about a fifth of it once more, to a connection that reads nothing. */
static void push_sending_again_does_not_turn_the_written_mark_back(void **state)
{
    struct fixture *f = *state;
    f->answers_left = 0;
    open_with_a_long_write(f, 40);
    WAIT_UNTIL(f, f->request_count == 40 && metrics_values[METRIC_PUSH_SENT] == 40);
    assert_int_equal(push_confirmed(f->push), 39);
    assert_true(push_idle(f->push));
    f->paused = true;
    client_close(&f->clients[0]);
    WAIT_UNTIL(f, f->client_count == 2 && metrics_values[METRIC_PUSH_SENT] > 41);
    assert_true(metrics_values[METRIC_PUSH_SENT] < 80);
    assert_int_equal(push_confirmed(f->push), 39);
    assert_false(push_idle(f->push));
}

static void push_first_answer_ends_that_what_is_written_counts(void **state)
{
    struct fixture *f = *state;
    open_push(f);
    send_numbers(f, 1, 5);
    WAIT_UNTIL(f, f->request_count == 5);
    assert_int_equal(push_confirmed(f->push), 5);
    answer(f, 0, 2);
    WAIT_UNTIL(f, CONFIRMED_ANSWERS == 2);
    assert_int_equal(push_confirmed(f->push), 2);
    assert_false(push_idle(f->push));
    client_close(&f->clients[0]);
    WAIT_UNTIL(f, f->client_count == 2 && f->clients[1].request_count == 3);
    assert_int_equal(push_confirmed(f->push), 2); /* on the next connection neither */
    assert_false(push_idle(f->push));
}

static void push_nonsense_is_not_an_answer(void **state)
{
    struct fixture *f = *state;
    f->answer = "220 this is not HTTP\r\n\r\n";
    open_push(f);
    send_numbers(f, 1, 1);
    WAIT_UNTIL(f, f->client_count == 2 && !f->clients[0].open);
    assert_int_equal(push_confirmed(f->push), 1);
    assert_int_equal(f->confirmed_count, 0);
}

/* ---- Idle ---- */

static void push_is_idle_while_nothing_was_ever_sent(void **state)
{
    struct fixture *f = *state;
    open_push(f);
    assert_true(push_idle(f->push));
    WAIT_UNTIL(f, push_alive(f->push));
    assert_true(push_idle(f->push));
}

static void push_is_idle_again_when_all_is_answered(void **state)
{
    struct fixture *f = *state;
    open_answered(f);
    assert_true(push_idle(f->push));
    assert_true(send_text(f, PUSH_ROOM_LIST, "{}"));
    send_numbers(f, 1, 1);
    assert_false(push_idle(f->push));
    WAIT_UNTIL(f, f->request_count == 3);
    assert_false(push_idle(f->push));
    answer(f, 0, 1);
    WAIT_UNTIL(f, CONFIRMED_ANSWERS == 2);
    assert_false(push_idle(f->push));
    answer(f, 0, 1);
    WAIT_UNTIL(f, CONFIRMED_ANSWERS == 3);
    assert_true(push_idle(f->push));
}

/* ---- How the owner is told ---- */

static void push_owner_is_told_once_of_several_answers_in_one_read(void **state)
{
    struct fixture *f = *state;
    open_push(f);
    send_numbers(f, 1, 4);
    WAIT_UNTIL(f, f->request_count == 4);
    f->answer = OK_ANSWER OK_ANSWER OK_ANSWER;
    client_answer(&f->clients[0]);
    WAIT_UNTIL(f, f->confirmed_count > 0);
    assert_int_equal(push_confirmed(f->push), 3);
    answer(f, 0, 1);
    WAIT_UNTIL(f, push_confirmed(f->push) == 4);
    assert_int_equal(f->confirmed_count, 2);
}

static void push_owner_is_not_told_of_a_piece_of_an_answer(void **state)
{
    struct fixture *f = *state;
    open_push(f);
    send_numbers(f, 1, 2);
    WAIT_UNTIL(f, f->request_count == 2);
    f->answer = OK_ANSWER "HTTP/1.1 200 OK\r\ncontent-le";
    client_answer(&f->clients[0]);
    WAIT_UNTIL(f, f->confirmed_count == 1);
    f->answer = "ngth: 3\r\n\r\nx";
    client_answer(&f->clients[0]);
    for (int turns = 0; turns < 10; turns++) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(f->confirmed_count, 1);
    assert_int_equal(push_confirmed(f->push), 1);
    f->answer = "yz";
    client_answer(&f->clients[0]);
    WAIT_UNTIL(f, f->confirmed_count == 2);
    assert_int_equal(push_confirmed(f->push), 2);
}

static void push_owner_is_told_of_answers_found_when_a_write_fails(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER;
    open_push(f);
    send_numbers(f, 1, 1);
    WAIT_UNTIL(f, f->request_count == 1);
    assert_int_equal(CONFIRMED_ANSWERS, 0); /* it lies in the socket */
    uv_tcp_close_reset(&f->clients[0].tcp, client_on_closed);
    send_numbers(f, 2, 1);
    WAIT_UNTIL(f, f->confirmed_count == 1);
    assert_int_equal(push_confirmed(f->push), 1);
    WAIT_UNTIL(f, f->confirmed_count == 2);
    assert_int_equal(push_confirmed(f->push), 2);
}

static void push_owner_may_send_when_told(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER;
    f->send_on_confirmed = 2;
    open_push(f);
    send_numbers(f, 1, 1);
    WAIT_UNTIL(f, f->confirmed_count == 50);
    assert_int_equal(push_confirmed(f->push), 50);
    assert_numbers(f, 0, 1, 50);
}

static void push_without_somebody_to_tell_confirms_all_the_same(void **state)
{
    struct fixture *f = *state;
    f->settings.events.on_confirmed = NULL;
    f->answer = OK_ANSWER;
    open_push(f);
    send_numbers(f, 1, 3);
    WAIT_UNTIL(f, push_confirmed(f->push) == 3);
    assert_int_equal(f->confirmed_count, 0);
}

/* ---- Closing when told ---- */

static void push_owner_may_close_when_told(void **state)
{
    struct fixture *f = *state;
    open_push(f);
    send_numbers(f, 1, 3);
    WAIT_UNTIL(f, f->request_count == 3);
    f->close_on_confirmed = true;
    answer(f, 0, 1);
    WAIT_UNTIL(f, f->push == NULL);
    memset(&f->settings, 0xff, sizeof f->settings); /* nobody looks at it any more */
    answer(f, 0, 1);
    WAIT_UNTIL(f, !f->clients[0].open);
    assert_int_equal(f->confirmed_count, 1);
}

static void push_owner_may_close_when_told_with_a_write_under_way(void **state)
{
    struct fixture *f = *state;
    f->close_on_confirmed = true;
    open_with_a_long_write(f, 40);
    WAIT_UNTIL(f, f->push == NULL && !f->clients[0].open);
    assert_true(f->request_count < 40);
    assert_int_equal(f->confirmed_count, 1);
}

static void push_owner_may_close_when_told_by_an_answer_that_ends_the_connection(void **state)
{
    static const char *const answers[] = {CLOSING_ANSWER, LENGTHLESS_ANSWER, OK_ANSWER "nonsense"};
    struct fixture *f = *state;
    f->close_after_answer = true;
    f->close_on_confirmed = true;
    for (int i = 0; i < 3; i++) {
        f->answer = answers[i];
        open_push(f);
        send_numbers(f, 1, 2);
        WAIT_UNTIL(f, f->push == NULL);
        assert_int_equal(f->confirmed_count, i + 1);
    }
}

/* Something was refused, too, and would fit now. */
static void push_closed_when_told_says_nothing_more(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = QUEUE_MAX;
    f->answer = OK_ANSWER;
    f->close_on_confirmed = true;
    open_push(f);
    send_numbers(f, 1, 1);
    WAIT_UNTIL(f, f->request_count == 1);
    assert_int_equal(CONFIRMED_ANSWERS, 0);
    uv_tcp_close_reset(&f->clients[0].tcp, client_on_closed);
    send_numbers(f, 2, 1);
    assert_false(send_bytes(f, QUEUE_MAX));
    WAIT_UNTIL(f, f->push == NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(f->confirmed_count, 1);
    assert_int_equal(f->drained_count, 0);
}

static void push_owner_is_not_told_from_inside_a_call_of_its_own(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER;
    open_push(f);
    send_numbers(f, 1, 1);
    WAIT_UNTIL(f, f->request_count == 1);
    uv_tcp_close_reset(&f->clients[0].tcp, client_on_closed);
    f->inside = true;
    send_numbers(f, 2, 1);
    push_close(f->push); /* its write fails, and the answer is found */
    f->inside = false;
    f->push = NULL;
    assert_int_equal(CONFIRMED_ANSWERS, 1);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(f->confirmed_count, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(push_confirmed_is_the_mark_answered_last),
        CASE(push_request_without_a_mark_leaves_what_is_confirmed),
        CASE(push_mark_may_be_lower_than_the_one_before),
        CASE(push_mark_keeps_all_its_bits),
        CASE(push_broken_connection_leaves_what_is_confirmed_until_it_is_answered_again),
        CASE(push_redirected_keeps_what_is_confirmed),
        CASE(push_answers_before_the_end_of_a_write_confirm),
        CASE(push_answers_to_what_was_forgotten_leave_what_is_confirmed),
        CASE(push_receiver_that_never_answers_confirms_by_what_is_written),
        CASE(push_receiver_that_never_answers_confirms_what_was_forgotten),
        CASE(push_request_written_in_part_is_not_confirmed),
        CASE(push_sending_again_does_not_turn_the_written_mark_back),
        CASE(push_first_answer_ends_that_what_is_written_counts),
        CASE(push_nonsense_is_not_an_answer),
        CASE(push_is_idle_while_nothing_was_ever_sent),
        CASE(push_is_idle_again_when_all_is_answered),
        CASE(push_owner_is_told_once_of_several_answers_in_one_read),
        CASE(push_owner_is_not_told_of_a_piece_of_an_answer),
        CASE(push_owner_is_told_of_answers_found_when_a_write_fails),
        CASE(push_owner_may_send_when_told),
        CASE(push_without_somebody_to_tell_confirms_all_the_same),
        CASE(push_owner_may_close_when_told),
        CASE(push_owner_may_close_when_told_with_a_write_under_way),
        CASE(push_owner_may_close_when_told_by_an_answer_that_ends_the_connection),
        CASE(push_closed_when_told_says_nothing_more),
        CASE(push_owner_is_not_told_from_inside_a_call_of_its_own),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as the node does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
