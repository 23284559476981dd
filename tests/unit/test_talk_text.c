/* SPDX-License-Identifier: MIT */
/*
 * Tests of proto/talk_text: each object as it must stand on the wire, and that a JSON library reads
 * back what was put in, whatever the text.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>
#include <jansson.h>

#include "proto/talk_text.h"

static uint8_t storage[16384];
static struct sink out;

static int set_up(void **state)
{
    (void)state;
    out = sink_into(storage, sizeof storage - 1);
    return 0;
}

static void is_written(const char *expected)
{
    assert_true(sink_fits(&out));
    storage[out.len] = '\0';
    assert_string_equal((const char *)storage, expected);
}

static void reads_back(struct bytes text, struct bytes expected)
{
    out.len = 0;
    talk_text_string(text, &out);
    json_t *read =
        json_loadb((const char *)storage, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(read);
    assert_int_equal(json_string_length(read), expected.len);
    assert_memory_equal(json_string_value(read), expected.ptr, expected.len);
    json_decref(read);
}

static void talk_text_message_is_as_documented(void **state)
{
    (void)state;
    const struct talk_text_entry entry = {.room = bytes_str("lobby"),
                                          .seq = 7,
                                          .event = bytes_str("message"),
                                          .user = bytes_str("alice"),
                                          .text = bytes_str("hi"),
                                          .time_unix_ms = 1700000000123};
    talk_text_entry(&entry, &out);
    is_written("{\"type\":\"message\",\"room\":\"lobby\",\"seq\":7,\"from\":\"alice\","
               "\"message\":\"hi\",\"time\":1700000000123}");
}

static void talk_text_notice_tells_who_did_what(void **state)
{
    (void)state;
    const struct talk_text_entry entry = {.room = bytes_str("lobby"),
                                          .seq = 1,
                                          .event = bytes_str("joined"),
                                          .user = bytes_str("bob"),
                                          .text = bytes_str("[bob] has joined."),
                                          .time_unix_ms = 5};
    talk_text_entry(&entry, &out);
    is_written("{\"type\":\"notice\",\"room\":\"lobby\",\"seq\":1,\"event\":\"joined\","
               "\"user\":\"bob\",\"notice\":\"[bob] has joined.\",\"time\":5}");
}

static void talk_text_lists_are_as_documented(void **state)
{
    (void)state;
    const struct bytes rooms[] = {bytes_str("a"), bytes_str("2"), bytes_str("b"), bytes_str("14")};
    const struct bytes users[] = {bytes_str("alice"), bytes_str(""), bytes_str("b\"ob"),
                                  bytes_str("")};
    const struct bytes some_away[] = {bytes_str("alice"), bytes_str("away"),  bytes_str("carol"),
                                      bytes_str(""),      bytes_str("b\"ob"), bytes_str("away")};
    struct talk_text_list list = {
        .kind = TALK_TEXT_ROOMS, .names = rooms, .count = 4, .total = 2, .version = 7, .first = -1};
    talk_text_list(&list, &out);
    is_written("{\"type\":\"room_list\",\"rooms\":[\"a\",\"b\"],\"members\":[2,14],\"total\":2,"
               "\"version\":7}");
    out.len = 0;
    list = (struct talk_text_list){.kind = TALK_TEXT_USERS,
                                   .names = users,
                                   .count = 4,
                                   .total = 2500,
                                   .version = 4294967303,
                                   .first = 1000,
                                   .more = true};
    talk_text_list(&list, &out);
    is_written("{\"type\":\"user_list\",\"users\":[\"alice\",\"b\\\"ob\"],\"total\":2500,"
               "\"version\":4294967303,\"first\":1000,\"more\":true}");
    out.len = 0;
    list = (struct talk_text_list){.kind = TALK_TEXT_MEMBERS,
                                   .room = bytes_str("den"),
                                   .manager = bytes_str("alice"),
                                   .names = users,
                                   .count = 2,
                                   .first = -1};
    talk_text_list(&list, &out);
    is_written("{\"type\":\"room_user_list\",\"room\":\"den\",\"users\":[\"alice\"],"
               "\"manager\":\"alice\",\"kind\":\"users\",\"total\":0,\"version\":0}");
    out.len = 0;
    list.names = some_away;
    list.count = 6;
    talk_text_list(&list, &out);
    is_written("{\"type\":\"room_user_list\",\"room\":\"den\",\"users\":[\"alice\",\"carol\","
               "\"b\\\"ob\"],\"away\":[\"alice\",\"b\\\"ob\"],\"manager\":\"alice\",\"kind\":"
               "\"users\",\"total\":0,\"version\":0}");
    out.len = 0;
    list = (struct talk_text_list){.kind = TALK_TEXT_USERS, .first = -1};
    talk_text_list(&list, &out);
    is_written("{\"type\":\"user_list\",\"users\":[],\"total\":0,\"version\":0}");
}

static void talk_text_session_tells_the_room_or_that_there_is_none(void **state)
{
    (void)state;
    struct talk_text_session session = {.user = bytes_str("alice")};
    talk_text_session(&session, &out);
    is_written("{\"type\":\"session\",\"user\":\"alice\",\"room\":null,\"epoch\":\"\",\"last\":0}");
    out.len = 0;
    session.room = bytes_str("den");
    session.room_id = bytes_str("abcdefghijkl");
    session.manager = bytes_str("bob");
    session.epoch = bytes_str("17");
    session.last = 3;
    talk_text_session(&session, &out);
    is_written(
        "{\"type\":\"session\",\"user\":\"alice\",\"room\":\"den\",\"room_id\":\"abcdefghijkl\","
        "\"manager\":\"bob\",\"epoch\":\"17\",\"last\":3}");
}

static void talk_text_answers_are_as_documented(void **state)
{
    (void)state;
    talk_text_ack(bytes_str("m1"), 9, &out);
    is_written("{\"type\":\"ack\",\"id\":\"m1\",\"seq\":9}");
    out.len = 0;
    talk_text_ack(bytes_str(""), 9, &out);
    is_written("{\"type\":\"ack\",\"seq\":9}");
    out.len = 0;
    talk_text_error("BAD_REQUEST", "not in that room", "NOT_IN_ROOM", bytes_str("m2"), &out);
    is_written("{\"type\":\"error\",\"code\":\"BAD_REQUEST\",\"reason\":\"not in that room\","
               "\"name\":\"NOT_IN_ROOM\",\"id\":\"m2\"}");
    out.len = 0;
    talk_text_gap(bytes_str("den"), 3, 8, &out);
    is_written("{\"type\":\"gap\",\"room\":\"den\",\"from\":3,\"to\":8}");
    out.len = 0;
    talk_text_reconnect(250, &out);
    is_written("{\"type\":\"reconnect\",\"after_ms\":250}");
    out.len = 0;
    talk_text_history_begin(bytes_str("den"), &out);
    talk_text_history_end(false, &out);
    is_written("{\"type\":\"history\",\"room\":\"den\",\"entries\":[],\"more\":false}");
}

static void talk_text_strings_read_back_as_they_were(void **state)
{
    (void)state;
    for (int byte = 0; byte < 128; byte++) {
        uint8_t text[3] = {'a', (uint8_t)byte, 'b'};
        reads_back(bytes_of(text, 3), bytes_of(text, 3));
    }
    static const char *const texts[] = {
        "",
        "\"\\/\b\f\n\r\t",
        "\xe2\x80\xa8 and \xe2\x80\xa9 end lines in old JavaScript",
        "\xe2\x80\xa7\xe2\x80\xaa\xe2",
        "\xed\x95\x9c\xea\xb5\xad\xec\x96\xb4 \xf0\x9f\x98\x80",
        "</script><script>alert(1)</script>",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (i != 3) {
            reads_back(bytes_str(texts[i]), bytes_str(texts[i]));
        }
    }
    reads_back(bytes_str(texts[3]), bytes_str("\xe2\x80\xa7\xe2\x80\xaa\xef\xbf\xbd"));
}

static void talk_text_escapes_what_it_must_and_no_more(void **state)
{
    (void)state;
    talk_text_string(
        bytes_str("/\"\\\n\x01\x1f\x7f\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"), &out);
    is_written("\"/\\\"\\\\\\n\\u0001\\u001f\x7f\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa\"");
}

static void talk_text_replaces_bad_bytes_at_the_end_of_a_long_name(void **state)
{
    (void)state;
    char name[257] = "";
    char expected[260] = "";
    memset(name, 'n', 256);
    memset(expected, 'n', 255);
    name[255] = '\xff';
    strcat(expected, "\xef\xbf\xbd");
    reads_back(bytes_str(name), bytes_str(expected));
}

static void talk_text_optional_members_are_left_out(void **state)
{
    (void)state;
    const struct bytes users[] = {bytes_str("alice"), bytes_str("")};
    struct talk_text_list list = {.kind = TALK_TEXT_MEMBERS,
                                  .room = bytes_str("den"),
                                  .names = users,
                                  .count = 2,
                                  .first = -1};
    talk_text_list(&list, &out);
    is_written("{\"type\":\"room_user_list\",\"room\":\"den\",\"users\":[\"alice\"],\"kind\":"
               "\"users\",\"total\":0,\"version\":0}");
    out.len = 0;
    list = (struct talk_text_list){.kind = TALK_TEXT_ROOMS, .first = 0};
    talk_text_list(&list, &out);
    is_written("{\"type\":\"room_list\",\"rooms\":[],\"members\":[],\"total\":0,\"version\":0,"
               "\"first\":0,\"more\":false}");
    out.len = 0;
    talk_text_error("DECLINE", "r", "N", bytes_str(""), &out);
    is_written("{\"type\":\"error\",\"code\":\"DECLINE\",\"reason\":\"r\",\"name\":\"N\"}");
    out.len = 0;
    talk_text_history_begin(bytes_str("den"), &out);
    talk_text_history_end(true, &out);
    is_written("{\"type\":\"history\",\"room\":\"den\",\"entries\":[],\"more\":true}");
}

static void talk_text_has_no_line_end_within(void **state)
{
    (void)state;
    talk_text_string(bytes_str("a\nb\r\n\xe2\x80\xa8"), &out);
    for (size_t i = 0; i < out.len; i++) {
        assert_true(storage[i] >= 0x20 && storage[i] < 0x80);
    }
}

static void talk_text_measures_what_it_writes(void **state)
{
    (void)state;
    struct sink measure = sink_into(NULL, 0);
    talk_text_ack(bytes_str("a\"\n"), 12345, &measure);
    talk_text_ack(bytes_str("a\"\n"), 12345, &out);
    assert_int_equal(measure.len, out.len);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        CASE(talk_text_message_is_as_documented),
        CASE(talk_text_notice_tells_who_did_what),
        CASE(talk_text_lists_are_as_documented),
        CASE(talk_text_session_tells_the_room_or_that_there_is_none),
        CASE(talk_text_answers_are_as_documented),
        CASE(talk_text_strings_read_back_as_they_were),
        CASE(talk_text_escapes_what_it_must_and_no_more),
        CASE(talk_text_replaces_bad_bytes_at_the_end_of_a_long_name),
        CASE(talk_text_optional_members_are_left_out),
        CASE(talk_text_has_no_line_end_within),
        CASE(talk_text_measures_what_it_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
