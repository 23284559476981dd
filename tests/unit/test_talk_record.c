/* SPDX-License-Identifier: MIT */
/*
 * The judge of the end-to-end tests: what a server may tell is taken, and every hole, repetition,
 * wrong order and odd object is noticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/support/talk_record.h"

#define IN_DEN                                                                                     \
    "{\"type\":\"session\",\"user\":\"a\",\"room\":\"den\",\"epoch\":\"1\",\"last\":0,"            \
    "\"room_id\":\"x\"}"
#define IN_NONE "{\"type\":\"session\",\"user\":\"a\",\"room\":null,\"epoch\":\"\",\"last\":0}"

static struct talk_record record;

static void take(const char *text)
{
    json_t *object = json_loads(text, 0, NULL);
    assert_non_null(object);
    talk_record_take(&record, object);
    json_decref(object);
}

static void take_message(int64_t seq, const char *text)
{
    json_t *object =
        json_pack("{s:s, s:s, s:I, s:s, s:s, s:I}", "type", "message", "room", "den", "seq",
                  (json_int_t)seq, "from", "a", "message", text, "time", (json_int_t)1);
    talk_record_take(&record, object);
    json_decref(object);
}

static void take_gap(int64_t from, int64_t to)
{
    json_t *object = json_pack("{s:s, s:s, s:I, s:I}", "type", "gap", "room", "den", "from",
                               (json_int_t)from, "to", (json_int_t)to);
    talk_record_take(&record, object);
    json_decref(object);
}

static int begin(void **state)
{
    (void)state;
    take(IN_DEN);
    return 0;
}

static int end(void **state)
{
    (void)state;
    talk_record_fini(&record);
    return 0;
}

static void talk_record_whole_talk_is_accounted_for(void **state)
{
    (void)state;
    take_message(3, "a 0");
    take_message(4, "a 1");
    take_gap(5, 7);
    take_gap(8, 8);
    take_message(9, "a 2");
    assert_string_equal(record.broken, "");
    assert_int_equal(talk_record_last(&record), 9);
    struct talk_account account = talk_record_account(&record);
    assert_int_equal(account.from, 3);
    assert_int_equal(account.to, 9);
    assert_int_equal(account.messages, 3);
    assert_int_equal(account.gaps, 1);
    assert_int_equal(account.missed, 4);
    assert_true(talk_record_has_numbers(&record, "a", 3));
}

static void talk_record_hole_is_noticed(void **state)
{
    (void)state;
    take_message(3, "a 0");
    take_message(5, "a 1");
    assert_string_equal(record.broken, "number 5 follows 3");
}

static void talk_record_repetition_is_noticed(void **state)
{
    (void)state;
    take_message(3, "a 0");
    take_message(3, "a 0");
    assert_string_equal(record.broken, "number 3 follows 3");
}

static void talk_record_gap_that_does_not_fit_is_noticed(void **state)
{
    (void)state;
    take_message(3, "a 0");
    take_gap(4, 3);
    assert_string_equal(record.broken, "an entry is numbered 4 to 3");
}

static void talk_record_entry_of_another_room_is_noticed(void **state)
{
    (void)state;
    take(IN_NONE);
    take_message(3, "a 0");
    assert_string_equal(record.broken, "an entry of the room [den], the session is in []");
}

/* Of a new stay it begins anew; of the same one, told again, it goes on. */
static void talk_record_numbers_begin_anew_with_the_stay_only(void **state)
{
    (void)state;
    take_message(3, "a 0");
    take(IN_DEN);
    take_message(4, "a 1");
    take(IN_NONE);
    assert_int_equal(talk_record_last(&record), -1);
    take(IN_DEN);
    take_message(9, "a 0");
    assert_string_equal(record.broken, "");
    assert_int_equal(talk_record_account(&record).from, 9);
}

static void talk_record_numbered_texts_must_be_complete(void **state)
{
    (void)state;
    take_message(3, "a 0");
    take_message(4, "a 2");
    assert_false(talk_record_has_numbers(&record, "a", 2));
    assert_false(talk_record_has_numbers(&record, "a", 1));
    size_t times = 0;
    assert_non_null(talk_record_message(&record, "a 2", &times));
    assert_int_equal(times, 1);
}

static void talk_record_odd_objects_are_noticed(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "{}",
        "{\"type\":\"unheard of\"}",
        "{\"type\":\"ack\"}",
        "{\"type\":\"ack\",\"seq\":\"1\"}",
        "{\"type\":\"ack\",\"seq\":1,\"more\":1}",
        "{\"type\":\"user_list\",\"users\":[1]}",
        "{\"type\":\"error\",\"code\":\"X\",\"reason\":\"y\"}",
        "{\"type\":\"gap\",\"room\":\"den\",\"from\":-1,\"to\":1}",
        "{\"type\":\"history\",\"room\":\"den\",\"entries\":[{}],\"more\":false}",
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        record.broken[0] = '\0';
        take(odd[i]);
        assert_memory_equal(record.broken, "unknown or malformed", 20);
    }
    record.broken[0] = '\0';
    take("{\"type\":\"room_list\",\"rooms\":[\"x\"],\"members\":[]}");
    assert_string_not_equal(record.broken, "");
}

#define TALK_RECORD_CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TALK_RECORD_CASE(talk_record_whole_talk_is_accounted_for),
        TALK_RECORD_CASE(talk_record_hole_is_noticed),
        TALK_RECORD_CASE(talk_record_repetition_is_noticed),
        TALK_RECORD_CASE(talk_record_gap_that_does_not_fit_is_noticed),
        TALK_RECORD_CASE(talk_record_entry_of_another_room_is_noticed),
        TALK_RECORD_CASE(talk_record_numbers_begin_anew_with_the_stay_only),
        TALK_RECORD_CASE(talk_record_numbered_texts_must_be_complete),
        TALK_RECORD_CASE(talk_record_odd_objects_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
