/* SPDX-License-Identifier: MIT */
/*
 * What modern users say over WebSocket and hear: messages beside originals in the same room, ids,
 * sizes, rates, history. How they get into rooms is in test_ws_rooms.c.
 */
#include <stdlib.h>

#include "tests/support/e2e_talk.h"

static int64_t number(const json_t *object, const char *member)
{
    return json_integer_value(json_object_get(object, member));
}

static const char *text(const json_t *object, const char *member)
{
    const char *value = json_string_value(json_object_get(object, member));
    return value != NULL ? value : "";
}

static void expect_now(int64_t time_unix_ms)
{
    int64_t off_ms = pump_now_unix_ms() - time_unix_ms;
    assert_true(off_ms > -5000 && off_ms < 60000);
}

/* Talk ----------------------------------------------------------------------------------------- */

E2E_SCENARIO(message_reaches_talkers_and_originals_unchanged)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *carol = e2e_talker(e, "carol");
    struct original *bob = e2e_user(e, "bob");
    struct talker *outside = e2e_talker(e, "outside");
    e2e_talk_open_room(alice, "den");
    e2e_talk_join_room(carol, "den");
    e2e_join_room(bob, "den");
    static const char strange[] = "안녕 🙂 <b>&'\"\\ \t\n\u2028=/\x01";
    int64_t seq = talker_say_acked(alice, strange, "first");
    assert_int_equal(seq, 4);
    struct talker *const hearers[] = {alice, carol};
    for (size_t i = 0; i < 2; i++) {
        const json_t *message =
            e2e_told(TALKER_WAIT(hearers[i], "message", "message", strange, "from", "alice"));
        assert_int_equal(number(message, "seq"), seq);
        assert_string_equal(text(message, "room"), "den");
        expect_now(number(message, "time"));
    }
    const struct original_event *pushed = e2e_came(original_wait_message(bob, strange));
    assert_string_equal(pushed->who, "alice");
    expect_now(pushed->time_unix_ms);

    assert_true(original_say_at(bob, "from the original", 1234567890123));
    e2e_told(TALKER_WAIT(alice, "message", "from", "bob", "message", "from the original"));
    e2e_told(TALKER_WAIT(carol, "message", "from", "bob", "message", "from the original"));
    assert_true(talker_fence(outside));
    assert_int_equal(outside->record.count, 0);
    e2e_talk_whole(alice, 5);
    e2e_talk_whole(carol, 5);
}

E2E_SCENARIO(message_without_an_id_is_acknowledged_without_one)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    assert_int_equal(talker_say_acked(alice, "same", NULL), 2);
    assert_int_equal(talker_say_acked(alice, "same", NULL), 3);
    assert_true(talker_has(alice, 3, TALKER_WAIT_MS));
}

E2E_SCENARIO(talk_of_many_comes_once_and_in_one_order_for_all)
{
    E2E_NODE(e, "history.length=5000");
    static const char *const names[] = {"t0", "t1", "t2", "t3"};
    struct talker *talkers[4];
    for (size_t i = 0; i < 4; i++) {
        talkers[i] = e2e_talker(e, names[i]);
        if (i == 0) {
            e2e_talk_open_room(talkers[i], "den");
        } else {
            e2e_talk_join_room(talkers[i], "den");
        }
    }
    struct original *bob = e2e_user(e, "bob");
    e2e_join_room(bob, "den");
    for (size_t i = 0; i < 4; i++) {
        talker_pour(talkers[i], 500, 20);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_true(talker_poured(talkers[i], 30000));
        assert_int_equal(talkers[i]->errors, 0);
    }
    const int64_t last = 5 + 4 * 500;
    for (size_t i = 0; i < 4; i++) {
        assert_true(talker_has(talkers[i], last, TALKER_WAIT_MS));
        e2e_talk_whole(talkers[i], last);
        for (size_t j = 0; j < 4; j++) {
            assert_true(talk_record_has_numbers(&talkers[i]->record, names[j], 500));
        }
    }
    const struct talk_record *record = &talkers[0]->record;
    for (size_t i = 5, j = 0; i < record->count; i++) {
        while (bob->log.events[j]->kind != ORIGINAL_PUSH ||
               bob->log.events[j]->push != PUSH_MESSAGE) {
            assert_true(++j < bob->log.count);
        }
        assert_string_equal(bob->log.events[j++]->text, record->entries[i]->text);
    }
}

/* Ids ------------------------------------------------------------------------------------------ */

E2E_SCENARIO(id_that_is_said_again_is_acknowledged_with_its_first_number)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_talk_join_room(bob, "den");
    int64_t first = talker_say_acked(alice, "once", "same");
    assert_int_equal(first, 3);
    assert_int_equal(talker_say_acked(alice, "once", "same"), first);
    assert_int_equal(talker_say_acked(alice, "once", "other"), first + 1);
    /* Somebody else's id is another one. */
    assert_int_equal(talker_say_acked(bob, "once", "same"), first + 2);
    assert_int_equal(talker_say_acked(alice, "once", "same"), first);
    size_t times = 0;
    assert_true(talker_has(bob, first + 2, TALKER_WAIT_MS));
    assert_true(talker_fence(bob));
    talk_record_message(&bob->record, "once", &times);
    assert_int_equal(times, 3);
}

/* Issue 12, item 6. */
E2E_SCENARIO(id_counts_in_its_room_and_for_its_text)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_talk_open_room(bob, "attic");
    assert_int_equal(talker_say_acked(alice, "hello", "1"), 2);
    talker_say(alice, "another", "1");
    e2e_talk_error(alice, ERR_ID_REUSED, "1");
    assert_int_equal(talker_say_acked(alice, "hello", "1"), 2);
    e2e_talk_ok(talker_exit(alice, "den"));
    e2e_talk_join_room(alice, "attic");
    assert_int_equal(talker_say_acked(alice, "hello", "1"), 3);
    e2e_told(TALKER_WAIT(bob, "message", "room", "attic", "message", "hello"));
    assert_true(talker_fence(bob));
    e2e_talk_whole(bob, 3);
}

E2E_SCENARIO(ids_may_be_64_bytes_of_anything_and_not_more)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    static const char *const good[] = {
        "0123456789012345678901234567890123456789012345678901234567890123", "\"\\/\n 안녕", " "};
    for (size_t i = 0; i < 3; i++) {
        assert_true(talker_say_acked(alice, "good", good[i]) > 0);
    }
    static const char *const bad[] = {
        "01234567890123456789012345678901234567890123456789012345678901234", ""};
    for (size_t i = 0; i < 2; i++) {
        talker_say(alice, "bad", bad[i]);
        const json_t *error = e2e_told(ws_client_wait_type(alice->ws, "error"));
        assert_string_equal(text(error, "name"), "MALFORMED");
    }
    assert_true(talker_fence(alice));
    assert_null(talk_record_message(&alice->record, "bad", NULL));
}

/* Sizes and rates ------------------------------------------------------------------------------ */

E2E_SCENARIO(message_may_be_as_long_as_the_limit_in_bytes)
{
    E2E_NODE(e, "limits.message_bytes=100");
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    char exact[102];
    memset(exact, 'x', 101);
    exact[100] = exact[101] = '\0';
    assert_true(talker_say_acked(alice, exact, "fits") > 0);
    exact[100] = 'x';
    talker_say(alice, exact, "too long");
    e2e_talk_error(alice, ERR_MESSAGE_TOO_LARGE, "too long");
    memcpy(exact + 98, "안", 3); /* 101 bytes, 99 characters */
    talker_say(alice, exact, "too long, too");
    e2e_talk_error(alice, ERR_MESSAGE_TOO_LARGE, "too long, too");
    assert_true(talker_say_acked(alice, "short", "short") > 0);
}

/* As JSON may write it. */
E2E_SCENARIO(message_that_is_all_escapes_may_be_as_long_as_any)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    const size_t len = 16384;
    char *frame = calloc(1, 6 * len + 100);
    assert_non_null(frame);
    char *at = frame + sprintf(frame, "{\"type\":\"message\",\"id\":\"e\",\"message\":\"");
    for (size_t i = 0; i < len; i++) {
        at += sprintf(at, "\\u0041");
    }
    strcpy(at, "\"}");
    ws_client_send_text(alice->ws, frame);
    free(frame);
    e2e_told(TALKER_WAIT(alice, "ack", "id", "e"));
    const json_t *message = e2e_told(TALKER_WAIT(alice, "message", "from", "alice"));
    assert_int_equal(json_string_length(json_object_get(message, "message")), len);
}

E2E_SCENARIO(talker_that_is_too_fast_is_told_so_and_may_go_on_later)
{
    E2E_NODE(e, "limits.messages_per_s=10");
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    talker_pour(alice, 30, 30);
    const json_t *error = e2e_told(ws_client_wait_type(alice->ws, "error"));
    assert_string_equal(text(error, "name"), "RATE_LIMITED");
    assert_string_equal(text(error, "code"), "SERVER_UNAVAILABLE");
    assert_true(text(error, "id")[0] != '\0');
    int64_t seq = -1;
    for (int i = 0; i < 100 && seq < 0; i++) {
        e2e_retry_pause();
        seq = talker_say_acked(alice, "later", "later");
    }
    assert_true(seq > 0);
    assert_true(alice->acked >= 10 && alice->acked < 30);
}

/* History -------------------------------------------------------------------------------------- */

static void expect_history(const json_t *history, int64_t first, int64_t last, bool more)
{
    const json_t *entries = json_object_get(history, "entries");
    assert_int_equal(json_array_size(entries), (size_t)(last - first + 1));
    for (size_t i = 0; i < json_array_size(entries); i++) {
        assert_int_equal(number(json_array_get(entries, i), "seq"), first + (int64_t)i);
    }
    assert_true(json_is_true(json_object_get(history, "more")) == more);
}

E2E_SCENARIO(history_is_read_backwards_in_pages)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    talker_pour(alice, 119, 50);
    assert_true(talker_poured(alice, TALKER_WAIT_MS));
    expect_history(e2e_told(talker_history(alice, 0, 0)), 71, 120, true);
    expect_history(e2e_told(talker_history(alice, 0, 100)), 21, 120, true);
    expect_history(e2e_told(talker_history(alice, 21, 100)), 1, 20, false);
    expect_history(e2e_told(talker_history(alice, 21, 20)), 1, 20, false);
    expect_history(e2e_told(talker_history(alice, 21, 19)), 2, 20, true);
    expect_history(e2e_told(talker_history(alice, 2, 5)), 1, 1, false);
    expect_history(e2e_told(talker_history(alice, 1, 5)), 1, 0, false);
    expect_history(e2e_told(talker_history(alice, 999999, 2)), 119, 120, true);
    const json_t *history = e2e_told(talker_history(alice, 3, 2));
    const json_t *entries = json_object_get(history, "entries");
    assert_string_equal(text(history, "room"), "den");
    for (size_t i = 0; i < 2; i++) {
        assert_true(json_equal(json_array_get(entries, i), alice->record.entries[i]->json));
    }
}

/* The one who comes later may read what was said before. */
E2E_SCENARIO(history_is_for_members_only)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    e2e_talk_open_room(alice, "den");
    assert_true(talker_say_acked(alice, "before bob", "1") > 0);
    ws_client_send_text(bob->ws, "{\"type\":\"history\"}");
    e2e_talk_error(bob, ERR_NOT_IN_ROOM, NULL);
    e2e_talk_join_room(bob, "den");
    expect_history(e2e_told(talker_history(bob, 0, 10)), 1, 3, false);
    assert_null(talk_record_message(&bob->record, "before bob", NULL));
    e2e_talk_whole(bob, 3);
}

E2E_SCENARIO(history_ends_where_the_log_was_trimmed)
{
    E2E_NODE(e, "history.length=50");
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    talker_pour(alice, 999, 100);
    assert_true(talker_poured(alice, TALKER_WAIT_MS));
    int64_t before = 1001, seen = 0;
    bool more = true;
    while (more) {
        const json_t *history = e2e_told(talker_history(alice, before, 100));
        size_t count = json_array_size(json_object_get(history, "entries"));
        more = json_is_true(json_object_get(history, "more"));
        expect_history(history, before - (int64_t)count, before - 1, more);
        assert_true(count > 0 || !more);
        before -= (int64_t)count;
        seen += (int64_t)count;
    }
    assert_true(seen >= 50 && seen < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(message_reaches_talkers_and_originals_unchanged),
        E2E_TEST(message_without_an_id_is_acknowledged_without_one),
        E2E_TEST(talk_of_many_comes_once_and_in_one_order_for_all),
        E2E_TEST(id_that_is_said_again_is_acknowledged_with_its_first_number),
        E2E_TEST(id_counts_in_its_room_and_for_its_text),
        E2E_TEST(ids_may_be_64_bytes_of_anything_and_not_more),
        E2E_TEST(message_may_be_as_long_as_the_limit_in_bytes),
        E2E_TEST(message_that_is_all_escapes_may_be_as_long_as_any),
        E2E_TEST(talker_that_is_too_fast_is_told_so_and_may_go_on_later),
        E2E_TEST(history_is_read_backwards_in_pages),
        E2E_TEST(history_is_for_members_only),
        E2E_TEST(history_ends_where_the_log_was_trimmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
