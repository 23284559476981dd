/* SPDX-License-Identifier: MIT */
/*
 * push against a client's HTTP port on the same loop: what arrives there and in which order, what
 * is sent again, and the bound of the queue. Marks and what is confirmed: test_push_confirm.c.
 */
#include "push_fixture.h"

#include <signal.h>

static void push_requests_arrive_byte_for_byte_in_order(void **state)
{
    struct fixture *f = *state;
    static const char expected[] = "POST room_list HTTP/1.1\r\n"
                                   "host: 127.0.0.1\r\n"
                                   "user-agent: tYn5VRHk\r\n"
                                   "content-type: application/json\r\n"
                                   "message-type: room_list\r\n"
                                   "content-length: 23\r\n"
                                   "\r\n"
                                   "{\n  \"roomListSet\": []\n}"
                                   "POST notice HTTP/1.1\r\n"
                                   "host: 127.0.0.1\r\n"
                                   "user-agent: tYn5VRHk\r\n"
                                   "content-type: application/json\r\n"
                                   "message-type: notice\r\n"
                                   "content-length: 2\r\n"
                                   "\r\n"
                                   "{}"
                                   "POST message HTTP/1.1\r\n"
                                   "host: 127.0.0.1\r\n"
                                   "user-agent: tYn5VRHk\r\n"
                                   "content-type: application/json\r\n"
                                   "message-type: message\r\n"
                                   "content-length: 0\r\n"
                                   "\r\n";
    open_push(f);
    assert_false(push_alive(f->push));
    assert_true(send_text(f, PUSH_ROOM_LIST, "{\n  \"roomListSet\": []\n}"));
    assert_true(send_text(f, PUSH_NOTICE, "{}"));
    assert_true(send_text(f, PUSH_MESSAGE, ""));
    WAIT_UNTIL(f, f->received_bytes == sizeof expected - 1);
    assert_string_equal(f->received, expected);
    assert_int_equal(metrics_values[METRIC_PUSH_SENT], 3);
    assert_int_equal(metrics_values[METRIC_PUSH_CONFIRMED], 0);
}

static void push_user_id_cannot_break_the_head(void **state)
{
    struct fixture *f = *state;
    f->push =
        push_open(&f->settings, (const uint8_t *)"a\r\nb: c\xff", INADDR_LOOPBACK, f->port, f);
    send_numbers(f, 0, 1);
    WAIT_UNTIL(f, f->request_count == 1);
    assert_non_null(strstr(f->received, "\r\nuser-agent: a??b: c?\r\ncontent-type: "));
}

static void push_requests_of_a_turn_do_not_wait_for_answers(void **state)
{
    struct fixture *f = *state;
    open_push(f);
    WAIT_UNTIL(f, push_alive(f->push));
    send_numbers(f, 0, 500);
    assert_int_equal(f->received_bytes, 0);
    WAIT_UNTIL(f, f->request_count == 500);
    assert_numbers(f, 0, 0, 500);
}

static void push_answers_are_counted_and_confirm(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER;
    open_push(f);
    send_numbers(f, 0, 300);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 300);
    assert_true(push_alive(f->push));
    assert_int_equal(f->client_count, 1);
    assert_int_equal(metrics_values[METRIC_PUSH_SENT], 300);
}

static void push_unreachable_peer_is_tried_until_it_listens(void **state)
{
    struct fixture *f = *state;
    uv_close((uv_handle_t *)&f->listener, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    open_push(f);
    send_numbers(f, 0, 3);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONNECT_FAILED] >= 3);
    assert_false(push_alive(f->push));
    listen_on(f, f->port);
    WAIT_UNTIL(f, f->request_count == 3);
    assert_numbers(f, 0, 0, 3);
}

/* How it stands (issue 12, item 11) -------------------------------------------------------------
 */

static void push_that_is_refused_fails_until_it_is_answered(void **state)
{
    struct fixture *f = *state;
    uv_close((uv_handle_t *)&f->listener, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    open_push(f);
    assert_int_equal(push_health(f->push).failing_ms, 0); /* not tried yet */
    send_numbers(f, 0, 1);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONNECT_FAILED] >= 1);
    int64_t failing_ms = push_health(f->push).failing_ms;
    assert_true(failing_ms > 0);
    WAIT_UNTIL(f, push_health(f->push).failing_ms > failing_ms);
    f->answer = OK_ANSWER;
    listen_on(f, f->port);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 1);
    assert_int_equal(push_health(f->push).failing_ms, 0);
    assert_int_equal(push_health(f->push).lost_count, 0);
    assert_true(push_health(f->push).is_up);
}

static void push_that_is_not_answered_fails_from_the_first_request_on(void **state)
{
    struct fixture *f = *state;
    open_push(f);
    WAIT_UNTIL(f, push_health(f->push).is_up);
    assert_int_equal(push_health(f->push).failing_ms, 0); /* nothing is owed */
    send_numbers(f, 0, 1);
    WAIT_UNTIL(f, f->request_count == 1);
    assert_true(push_health(f->push).failing_ms > 0);
    /* A connection made anew brings no other clock along. */
    int64_t failing_ms = push_health(f->push).failing_ms;
    client_close(&f->clients[0]);
    WAIT_UNTIL(f, f->client_count == 2 && push_health(f->push).is_up);
    assert_true(push_health(f->push).failing_ms >= failing_ms);
    assert_int_equal(push_health(f->push).lost_count, 1);
}

static void push_broken_connection_sends_the_unanswered_again_before_newer(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER;
    f->answers_left = 4;
    open_push(f);
    send_numbers(f, 0, 10);
    WAIT_UNTIL(f, f->request_count == 10 && metrics_values[METRIC_PUSH_CONFIRMED] == 4);
    f->answers_left = 1000000;
    client_close(&f->clients[0]);
    send_numbers(f, 10, 5);
    WAIT_UNTIL(f, f->client_count == 2 && f->clients[1].request_count == 11);
    assert_numbers(f, 1, 4, 11);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 15);
    assert_int_equal(f->clients[1].request_count, 11);
}

static void push_reset_connection_sends_the_unanswered_again(void **state)
{
    struct fixture *f = *state;
    open_push(f);
    send_numbers(f, 0, 10);
    WAIT_UNTIL(f, f->request_count == 10);
    uv_tcp_close_reset(&f->clients[0].tcp, client_on_closed);
    WAIT_UNTIL(f, f->client_count == 2 && f->clients[1].request_count == 10);
    assert_numbers(f, 1, 0, 10);
}

static void push_peer_that_closes_after_each_answer_gets_everything_once_answered(void **state)
{
    struct fixture *f = *state;
    f->answer = CLOSING_ANSWER;
    f->close_after_answer = true;
    open_push(f);
    send_numbers(f, 0, 20);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 20);
    for (int i = 0; i < 20; i++) {
        assert_numbers(f, i, i, 1);
    }
}

static void push_peer_that_closes_unannounced_after_each_answer_gets_everything(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER;
    f->close_after_answer = true;
    open_push(f);
    send_numbers(f, 0, 20);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 20);
    assert_numbers(f, 19, 19, 1);
}

static void push_answer_without_a_length_is_complete_when_the_peer_closes(void **state)
{
    struct fixture *f = *state;
    f->answer = LENGTHLESS_ANSWER;
    f->close_after_answer = true;
    open_push(f);
    send_numbers(f, 0, 3);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 3);
    assert_numbers(f, 2, 2, 1);
}

static void push_nonsense_as_answer_closes_and_connects_anew(void **state)
{
    struct fixture *f = *state;
    f->answer = "220 this is not HTTP\r\n\r\n";
    open_push(f);
    send_numbers(f, 0, 1);
    WAIT_UNTIL(f, f->client_count == 2 && !f->clients[0].open);
    f->answer = OK_ANSWER;
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 1);
}

static void push_answer_that_nobody_asked_for_closes_and_connects_anew(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER OK_ANSWER;
    open_push(f);
    send_numbers(f, 0, 1);
    WAIT_UNTIL(f, f->client_count == 2 && !f->clients[0].open);
    assert_int_equal(metrics_values[METRIC_PUSH_CONFIRMED], 1);
    assert_int_equal(f->clients[1].request_count, 0);
}

static void push_queue_takes_exactly_its_bound(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = QUEUE_MAX;
    open_push(f);
    for (int i = 0; i < 4; i++) {
        assert_true(send_bytes(f, QUEUE_MAX / 4 - PUSH_HEAD_BYTES));
    }
    assert_false(send_bytes(f, 0));
    assert_int_equal(metrics_values[METRIC_PUSH_DROPPED], 1);
    WAIT_UNTIL(f, f->request_count == 4);
    assert_true(send_bytes(f, 1));
    WAIT_UNTIL(f, f->request_count == 5);
}

static void push_queue_one_byte_beyond_its_bound_is_refused(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = QUEUE_MAX;
    open_push(f);
    assert_true(send_bytes(f, QUEUE_MAX / 2 - PUSH_HEAD_BYTES));
    assert_false(send_bytes(f, QUEUE_MAX / 2 - PUSH_HEAD_BYTES + 1));
    assert_true(send_bytes(f, QUEUE_MAX / 2 - PUSH_HEAD_BYTES));
}

static void push_request_greater_than_the_bound_is_taken_by_an_empty_queue(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = QUEUE_MAX;
    open_push(f);
    assert_true(send_bytes(f, 2 * QUEUE_MAX));
    assert_false(send_bytes(f, 0));
    WAIT_UNTIL(f, f->request_count == 1 && f->drained_count == 1);
}

static void push_drained_is_said_once_after_a_refusal(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = QUEUE_MAX;
    f->send_on_drained = true;
    open_push(f);
    assert_true(send_bytes(f, QUEUE_MAX - PUSH_HEAD_BYTES));
    assert_false(send_bytes(f, 0));
    assert_false(send_bytes(f, 0));
    assert_int_equal(f->drained_count, 0);
    WAIT_UNTIL(f, f->request_count == 2);
    assert_int_equal(f->drained_count, 1);
    send_numbers(f, 0, 3);
    WAIT_UNTIL(f, f->request_count == 5);
    assert_int_equal(f->drained_count, 1);
}

static void push_drained_is_not_said_when_nothing_was_refused(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = QUEUE_MAX;
    open_push(f);
    assert_true(send_bytes(f, QUEUE_MAX - PUSH_HEAD_BYTES));
    WAIT_UNTIL(f, f->request_count == 1);
    assert_int_equal(f->drained_count, 0);
}

static void push_peer_that_never_answers_gets_everything_and_the_oldest_is_forgotten(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = 10 * (PUSH_HEAD_BYTES + 4);
    open_push(f);
    for (int i = 0; i < 40; i++) {
        send_numbers(f, 10 + i, 1);
        WAIT_UNTIL(f, f->request_count == i + 1);
    }
    assert_int_equal(f->client_count, 1);
    client_close(&f->clients[0]);
    WAIT_UNTIL(f, f->client_count == 2 && f->clients[1].request_count == 10);
    assert_numbers(f, 1, 40, 10);
}

static void push_answers_to_what_was_forgotten_confirm_nothing_newer(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = 2 * (PUSH_HEAD_BYTES + 3);
    open_push(f);
    for (int i = 0; i < 5; i++) {
        send_numbers(f, i, 1);
        WAIT_UNTIL(f, f->request_count == i + 1);
    }
    f->answer = OK_ANSWER;
    for (int i = 0; i < 4; i++) {
        client_answer(&f->clients[0]); /* three were forgotten, and then one that was not */
    }
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 4);
    f->answer = NULL;
    client_close(&f->clients[0]);
    WAIT_UNTIL(f, f->client_count == 2 && f->clients[1].request_count == 1);
    assert_numbers(f, 1, 4, 1);
}

/* So much that the kernel cannot take it: a write is under way for most of the time. */
static void push_peer_that_does_not_read_makes_the_queue_full_then_gets_all(void **state)
{
    struct fixture *f = *state;
    enum { BODY_BYTES = 100000, COUNT_MAX = 200 };
    f->settings.queue_max_bytes = 5 * (BODY_BYTES + PUSH_HEAD_BYTES);
    f->paused = true;
    f->answer = OK_ANSWER;
    open_push(f);
    WAIT_UNTIL(f, push_alive(f->push));
    int taken_count = 0;
    while (taken_count < COUNT_MAX && send_bytes(f, BODY_BYTES)) {
        taken_count++;
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_true(taken_count >= 5 && taken_count < COUNT_MAX);
    WAIT_UNTIL(f, f->client_count == 1);
    assert_int_equal(f->drained_count, 0);
    uv_read_start((uv_stream_t *)&f->clients[0].tcp, client_on_alloc, client_on_read);
    WAIT_UNTIL(f, f->request_count == taken_count);
    WAIT_UNTIL(f, f->drained_count == 1);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == taken_count);
    assert_int_equal(f->client_count, 1);
}

static void push_connection_lost_in_the_middle_of_a_write_sends_whole_requests_again(void **state)
{
    struct fixture *f = *state;
    enum { BODY_BYTES = 500000 };
    f->settings.queue_max_bytes = 64 * (BODY_BYTES + PUSH_HEAD_BYTES);
    f->paused = true;
    open_push(f);
    for (int i = 0; i < 20; i++) {
        assert_true(send_bytes(f, BODY_BYTES));
    }
    WAIT_UNTIL(f, f->client_count == 1 && metrics_values[METRIC_PUSH_SENT] > 0);
    assert_true(metrics_values[METRIC_PUSH_SENT] < 20);
    f->paused = false;
    client_close(&f->clients[0]);
    WAIT_UNTIL(f, f->client_count == 2 && f->clients[1].request_count >= 1);
    const char *again = f->received + f->clients[1].start;
    assert_memory_equal(again, "POST message HTTP/1.1\r\n", 23);
}

static void push_answers_before_the_end_of_a_write_are_counted(void **state)
{
    struct fixture *f = *state;
    open_with_a_long_write(f, 40);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 40);
    assert_int_equal(f->client_count, 1);
    assert_numbers(f, 0, 0, 40);
}

static void push_connection_lost_after_such_answers_goes_on_behind_them(void **state)
{
    struct fixture *f = *state;
    f->answers_left = 15;
    open_with_a_long_write(f, 40);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 15);
    assert_true(metrics_values[METRIC_PUSH_SENT] < 40);
    client_close(&f->clients[0]);
    WAIT_UNTIL(f, f->client_count == 2 && f->clients[1].request_count >= 1);
    assert_numbers(f, 1, 15, 1);
}

static void push_answer_that_came_before_a_reset_is_still_read(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER;
    open_push(f);
    send_numbers(f, 0, 1);
    WAIT_UNTIL(f, f->request_count == 1);
    assert_int_equal(metrics_values[METRIC_PUSH_CONFIRMED], 0); /* it lies in the socket */
    uv_tcp_close_reset(&f->clients[0].tcp, client_on_closed);
    send_numbers(f, 1, 1);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 2);
    assert_int_equal(f->clients[1].request_count, 1);
    assert_numbers(f, 1, 1, 1);
}

static void push_close_writes_what_is_queued(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER;
    open_push(f);
    WAIT_UNTIL(f, push_alive(f->push));
    send_numbers(f, 0, 100);
    push_close(f->push);
    f->push = NULL;
    memset(&f->settings, 0xff, sizeof f->settings); /* nobody looks at it any more */
    WAIT_UNTIL(f, f->client_count == 1 && !f->clients[0].open);
    assert_int_equal(f->request_count, 100);
    assert_numbers(f, 0, 0, 100);
}

static void push_close_does_not_wait_for_a_peer_that_keeps_its_end_open(void **state)
{
    struct fixture *f = *state;
    f->paused = true;
    open_push(f);
    WAIT_UNTIL(f, push_alive(f->push) && f->client_count == 1);
    push_close(f->push);
    f->push = NULL;
    assert_int_equal(metrics_values[METRIC_PUSH_CONNECTIONS], 1);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONNECTIONS] == 0);
}

static void push_close_while_connecting_or_waiting_is_safe(void **state)
{
    struct fixture *f = *state;
    open_push(f);
    send_numbers(f, 0, 1);
    push_close(f->push);
    uv_close((uv_handle_t *)&f->listener, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    open_push(f);
    send_numbers(f, 0, 1);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONNECT_FAILED] == 1);
    push_close(f->push);
    f->push = NULL;
    uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void push_close_with_a_write_under_way_is_safe(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = 64 * 1000000;
    f->paused = true;
    open_push(f);
    for (int i = 0; i < 20; i++) {
        assert_true(send_bytes(f, 500000));
    }
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_SENT] > 0);
    push_close(f->push);
    f->push = NULL;
    assert_int_equal(metrics_values[METRIC_PUSH_CONNECTIONS], 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(push_requests_arrive_byte_for_byte_in_order),
        CASE(push_user_id_cannot_break_the_head),
        CASE(push_requests_of_a_turn_do_not_wait_for_answers),
        CASE(push_answers_are_counted_and_confirm),
        CASE(push_unreachable_peer_is_tried_until_it_listens),
        CASE(push_that_is_refused_fails_until_it_is_answered),
        CASE(push_that_is_not_answered_fails_from_the_first_request_on),
        CASE(push_broken_connection_sends_the_unanswered_again_before_newer),
        CASE(push_reset_connection_sends_the_unanswered_again),
        CASE(push_peer_that_closes_after_each_answer_gets_everything_once_answered),
        CASE(push_peer_that_closes_unannounced_after_each_answer_gets_everything),
        CASE(push_answer_without_a_length_is_complete_when_the_peer_closes),
        CASE(push_nonsense_as_answer_closes_and_connects_anew),
        CASE(push_answer_that_nobody_asked_for_closes_and_connects_anew),
        CASE(push_queue_takes_exactly_its_bound),
        CASE(push_queue_one_byte_beyond_its_bound_is_refused),
        CASE(push_request_greater_than_the_bound_is_taken_by_an_empty_queue),
        CASE(push_drained_is_said_once_after_a_refusal),
        CASE(push_drained_is_not_said_when_nothing_was_refused),
        CASE(push_peer_that_never_answers_gets_everything_and_the_oldest_is_forgotten),
        CASE(push_answers_to_what_was_forgotten_confirm_nothing_newer),
        CASE(push_peer_that_does_not_read_makes_the_queue_full_then_gets_all),
        CASE(push_connection_lost_in_the_middle_of_a_write_sends_whole_requests_again),
        CASE(push_answers_before_the_end_of_a_write_are_counted),
        CASE(push_connection_lost_after_such_answers_goes_on_behind_them),
        CASE(push_answer_that_came_before_a_reset_is_still_read),
        CASE(push_close_writes_what_is_queued),
        CASE(push_close_does_not_wait_for_a_peer_that_keeps_its_end_open),
        CASE(push_close_while_connecting_or_waiting_is_safe),
        CASE(push_close_with_a_write_under_way_is_safe),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as the node does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
