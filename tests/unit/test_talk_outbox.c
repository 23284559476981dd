/* SPDX-License-Identifier: MIT */
/*
 * Tests of admin/talk_outbox: order, one at a time, the same id again after an interruption, and
 * what arrived unacknowledged is not said twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "admin/talk/talk_outbox.h"
#include "admin/tick.h"

static struct talk_outbox outbox;
static char sent_text[64], sent_id[TALK_OUTBOX_ID_MAX + 1];

static int set_up(void **state)
{
    (void)state;
    talk_outbox_init(&outbox);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    talk_outbox_fini(&outbox);
    return 0;
}

/* False: nothing is to be sent; else text and id are in the two above. */
static bool sends(int64_t now_ms)
{
    char frame[512];
    struct sink out = sink_into(frame, sizeof frame);
    if (!talk_outbox_next(&outbox, now_ms, &out)) {
        return false;
    }
    assert_true(out.len <= talk_outbox_frame_bytes(&outbox));
    json_t *json = json_loadb(frame, out.len, 0, NULL);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "type")), "message");
    snprintf(sent_text, sizeof sent_text, "%s",
             json_string_value(json_object_get(json, "message")));
    snprintf(sent_id, sizeof sent_id, "%s", json_string_value(json_object_get(json, "id")));
    json_decref(json);
    return true;
}

static void messages_go_one_at_a_time_in_order(void **state)
{
    (void)state;
    talk_outbox_put(&outbox, "e", "one \"1\"\n");
    talk_outbox_put(&outbox, "e", "two");
    assert_true(sends(0));
    assert_string_equal(sent_text, "one \"1\"\n");
    assert_false(sends(0));
    talk_outbox_on_ack(&outbox, "another", 4);
    assert_int_equal(outbox.count, 2);
    talk_outbox_on_ack(&outbox, sent_id, 5);
    assert_int_equal(outbox.acked_seq, 5);
    assert_true(sends(0));
    assert_string_equal(sent_text, "two");
    talk_outbox_on_ack(&outbox, sent_id, 6);
    assert_int_equal(outbox.count, 0);
    assert_false(sends(0));
    assert_true(talk_outbox_due_ms(&outbox) == TICK_NEVER);
}

static void message_is_said_again_with_the_same_id_after_an_interruption(void **state)
{
    (void)state;
    char first_id[sizeof sent_id];
    talk_outbox_put(&outbox, "e", "one");
    assert_true(sends(0));
    memcpy(first_id, sent_id, sizeof first_id);
    talk_outbox_disconnected(&outbox);
    assert_true(sends(1));
    assert_string_equal(sent_id, first_id);
    talk_outbox_on_ack(&outbox, sent_id, 1);
    talk_outbox_put(&outbox, "e", "one");
    assert_true(sends(1));
    assert_string_not_equal(sent_id, first_id);
}

/* The new log knows no ids; what is in it is told before anything is said again. */
static void message_under_way_when_the_log_goes_back_is_said_again_in_the_new_one(void **state)
{
    (void)state;
    talk_outbox_put(&outbox, "e", "one");
    assert_true(sends(0));
    talk_outbox_on_ack(&outbox, sent_id, 9);
    talk_outbox_put(&outbox, "e", "two");
    assert_true(sends(0));
    talk_outbox_log_changed(&outbox, "e", "f", 6);
    assert_int_equal(outbox.acked_seq, 6);
    assert_null(talk_outbox_drop_other(&outbox, "f"));
    assert_true(sends(1));
    assert_string_equal(sent_text, "two");
    talk_outbox_on_own(&outbox, 7, "two");
    assert_int_equal(outbox.count, 0);
    talk_outbox_put(&outbox, "another", "three");
    talk_outbox_log_changed(&outbox, "f", "g", 7);
    char *lost = talk_outbox_drop_other(&outbox, "g");
    assert_string_equal(lost, "three");
    free(lost);
}

static void message_that_the_log_has_is_not_said_again(void **state)
{
    (void)state;
    talk_outbox_put(&outbox, "e", "one");
    assert_true(sends(0));
    talk_outbox_disconnected(&outbox);
    talk_outbox_on_own(&outbox, 7, "one");
    assert_int_equal(outbox.count, 0);
    assert_int_equal(outbox.acked_seq, 7);
    talk_outbox_on_ack(&outbox, sent_id, 7); /* comes late, changes nothing */
    assert_int_equal(outbox.acked_seq, 7);
}

static void same_words_said_twice_are_two_messages(void **state)
{
    (void)state;
    talk_outbox_put(&outbox, "e", "ha");
    talk_outbox_put(&outbox, "e", "ha");
    talk_outbox_on_own(&outbox, 3, "ha"); /* of somebody else's making: nothing was sent yet */
    assert_int_equal(outbox.count, 2);
    assert_true(sends(0));
    talk_outbox_on_ack(&outbox, sent_id, 4);
    assert_true(sends(0));
    talk_outbox_on_own(&outbox, 4, "ha"); /* the first one's entry comes behind its ack */
    assert_int_equal(outbox.count, 1);
    talk_outbox_on_own(&outbox, 5, "ho");
    assert_int_equal(outbox.count, 1);
    talk_outbox_on_own(&outbox, 6, "ha");
    assert_int_equal(outbox.count, 0);
}

static void refusal_that_may_pass_is_followed_by_another_try(void **state)
{
    (void)state;
    talk_outbox_put(&outbox, "e", "one");
    assert_true(sends(0));
    assert_null(talk_outbox_on_error(&outbox, sent_id, "RATE_LIMITED", 1000));
    assert_false(sends(1000 + TALK_OUTBOX_PAUSE_MS - 1));
    assert_int_equal(talk_outbox_due_ms(&outbox), 1000 + TALK_OUTBOX_PAUSE_MS);
    assert_true(sends(1000 + TALK_OUTBOX_PAUSE_MS));
}

static void refusal_for_good_gives_the_text_back(void **state)
{
    (void)state;
    talk_outbox_put(&outbox, "e", "one");
    talk_outbox_put(&outbox, "e", "two");
    assert_true(sends(0));
    assert_null(talk_outbox_on_error(&outbox, "", "MALFORMED", 0));
    char *lost = talk_outbox_on_error(&outbox, sent_id, "MESSAGE_TOO_LARGE", 0);
    assert_string_equal(lost, "one");
    free(lost);
    assert_true(sends(0));
    assert_string_equal(sent_text, "two");
}

static void message_for_another_room_is_given_back(void **state)
{
    (void)state;
    talk_outbox_put(&outbox, "e1", "one");
    talk_outbox_put(&outbox, "e2", "two");
    assert_null(talk_outbox_drop_other(&outbox, "e1"));
    char *lost = talk_outbox_drop_other(&outbox, "e2");
    assert_string_equal(lost, "one");
    free(lost);
    assert_null(talk_outbox_drop_other(&outbox, "e2"));
    assert_int_equal(outbox.count, 1);
}

static void message_without_an_answer_is_stuck_at_last(void **state)
{
    (void)state;
    talk_outbox_put(&outbox, "e", "one");
    assert_false(talk_outbox_is_stuck(&outbox, TALK_OUTBOX_ACK_MS));
    assert_true(sends(10));
    assert_int_equal(talk_outbox_due_ms(&outbox), 10 + TALK_OUTBOX_ACK_MS);
    assert_false(talk_outbox_is_stuck(&outbox, 9 + TALK_OUTBOX_ACK_MS));
    assert_true(talk_outbox_is_stuck(&outbox, 10 + TALK_OUTBOX_ACK_MS));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(messages_go_one_at_a_time_in_order),
        CASE(message_is_said_again_with_the_same_id_after_an_interruption),
        CASE(message_under_way_when_the_log_goes_back_is_said_again_in_the_new_one),
        CASE(message_that_the_log_has_is_not_said_again),
        CASE(same_words_said_twice_are_two_messages),
        CASE(refusal_that_may_pass_is_followed_by_another_try),
        CASE(refusal_for_good_gives_the_text_back),
        CASE(message_for_another_room_is_given_back),
        CASE(message_without_an_answer_is_stuck_at_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
