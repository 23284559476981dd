/* SPDX-License-Identifier: MIT */
/*
 * Modern users where no WebSocket gets through: the stream of events that tells them what happens.
 * What they ask and say is in test_post.c.
 */
#include "proto/ws.h"
#include "tests/support/streamer.h"

/* The stream ----------------------------------------------------------------------------------- */

E2E_SCENARIO(stream_says_what_it_is_and_begins_with_session_and_lists)
{
    E2E_NODE(e);
    struct streamer *alice = streamer_open(e, e->daemon->http_port, "alice");
    assert_true(
        sse_client_has_header(alice->sse, "content-type", "text/event-stream") ||
        sse_client_has_header(alice->sse, "content-type", "text/event-stream; charset=utf-8"));
    assert_true(sse_client_has_header(alice->sse, "cache-control", "no-store"));
    assert_true(sse_client_has_header(alice->sse, "x-accel-buffering", "no"));
    assert_string_equal(alice->record.user, "alice");
    assert_string_equal(alice->record.room, "");
    e2e_told(sse_client_wait_type(alice->sse, "user_list"));
    e2e_told(sse_client_wait_type(alice->sse, "room_list"));
}

E2E_SCENARIO(stream_needs_the_token_of_a_living_session)
{
    E2E_NODE(e);
    static const char *const targets[] = {"/events", "/events?token=", "/events?token=x",
                                          "/events?after=1"};
    char body[1024];
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        assert_int_equal(e2e_get(e, targets[i], body, sizeof body), 401);
        json_t *refusal = json_loads(body, 0, NULL);
        assert_string_equal(json_string_value(json_object_get(refusal, "code")), "NOT_REGISTERED");
        json_decref(refusal);
    }
    assert_int_equal(
        http_client_post(SOCKETS_LOOPBACK, e->daemon->http_port, "/events", "", "", NULL, 0), 405);
}

E2E_SCENARIO(silent_stream_has_heartbeats)
{
    E2E_NODE(e, "http.ping_s=1");
    struct streamer *alice = streamer_open(e, e->daemon->http_port, "alice");
    size_t had = alice->sse->comments;
    int64_t start_ms = pump_now_ms();
    assert_true(sse_client_wait_comments(alice->sse, had + 3, 10000));
    int64_t took_ms = pump_now_ms() - start_ms;
    assert_true(took_ms > 1500 && took_ms < 8000);
    assert_false(alice->sse->ended);
}

E2E_SCENARIO(stream_tells_what_is_said_by_all_kinds_of_users)
{
    E2E_NODE(e);
    struct streamer *alice = streamer_open(e, e->daemon->http_port, "alice");
    struct talker *bob = e2e_talker(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_talk_ok(streamer_create(alice, "den"));
    e2e_talk_join_room(bob, "den");
    e2e_join_room(carol, "den");
    static const char strange[] = "안녕 🙂\n\r\n: data: \"x\"\\\u2028 id: 7";
    assert_int_equal(streamer_say(alice, strange, "1"), 4);
    assert_int_equal(talker_say_acked(bob, "from bob", "1"), 5);
    assert_true(original_say(carol, "from carol"));
    streamer_whole(alice, 6);
    e2e_talk_whole(bob, 6);
    const struct talk_entry *entry = talk_record_message(&alice->record, strange, NULL);
    assert_non_null(entry);
    assert_string_equal(entry->who, "alice");
    assert_non_null(talk_record_message(&alice->record, "from bob", NULL));
    assert_non_null(talk_record_message(&alice->record, "from carol", NULL));
    assert_non_null(talk_record_message(&bob->record, strange, NULL));
    e2e_came(original_wait_message(carol, strange));
}

E2E_SCENARIO(stream_resumes_behind_the_last_event_at_any_node)
{
    E2E_CLUSTER(e, 2, "history.length=10000", E2E_NO_RATES);
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice");
    struct streamer *bob = streamer_open(e, e->nodes[1].http_port, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_talk_ok(streamer_ask_name(bob, HGTP_JOIN_ROOM, "den"));
    talker_pour(alice, 2000, 10);
    for (size_t i = 0; i < 20; i++) {
        assert_true(streamer_has(bob, 50 * (int64_t)(i + 1)));
        streamer_reattach(e, bob, e->nodes[i % 2].http_port);
    }
    assert_true(talker_poured(alice, 60000));
    streamer_whole(bob, 2002);
    assert_true(talk_record_has_numbers(&bob->record, "alice", 2000));
}

E2E_SCENARIO(stream_whose_node_is_killed_resumes_at_another)
{
    E2E_CLUSTER(e, 2, E2E_NO_RATES, "history.length=10000");
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice");
    struct streamer *bob = streamer_open(e, e->nodes[1].http_port, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_talk_ok(streamer_ask_name(bob, HGTP_JOIN_ROOM, "den"));
    talker_pour(alice, 1000, 10);
    assert_true(streamer_has(bob, 300));
    e2e_cluster_kill(e, 1);
    assert_true(sse_client_wait_end(bob->sse, SSE_CLIENT_WAIT_MS));
    streamer_reattach(e, bob, e->nodes[0].http_port);
    assert_true(talker_poured(alice, 60000));
    streamer_whole(bob, 1002);
    assert_int_equal(talk_record_account(&alice->record).notices, 2);
}

/* Who has heard ten messages of alice's in a room, from its second entry to its twelfth. */
static struct streamer *has_heard_ten(struct e2e *e)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    struct streamer *bob = streamer_open(e, e->daemon->http_port, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_talk_ok(streamer_ask_name(bob, HGTP_JOIN_ROOM, "den"));
    talker_pour(alice, 10, 10);
    assert_true(talker_poured(alice, TALKER_WAIT_MS));
    streamer_whole(bob, 12);
    return bob;
}

E2E_SCENARIO(stream_resumes_by_the_query_where_there_is_no_header)
{
    struct streamer *bob = has_heard_ten(e);
    talk_record_fini(&bob->record);
    sse_client_drop(bob->sse);
    streamer_attach(e, bob, "&after=7", NULL);
    streamer_whole(bob, 12);
    assert_int_equal(talk_record_account(&bob->record).from, 8);
    /* A browser that reconnects by itself asks for the same address: what it has seen counts. */
    talk_record_fini(&bob->record);
    sse_client_drop(bob->sse);
    char last[64];
    snprintf(last, sizeof last, "%.*s:10", (int)strcspn(bob->sse->last_id, ":"), bob->sse->last_id);
    streamer_attach(e, bob, "&after=7", last);
    streamer_whole(bob, 12);
    assert_int_equal(talk_record_account(&bob->record).from, 11);
}

/* 11: what is none of our ids is not looked at. */
E2E_SCENARIO(stream_passes_over_a_last_event_id_that_is_none_of_ours)
{
    struct streamer *bob = has_heard_ten(e);
    static const char *const strange[] = {
        "", "10", ":10", "x:", "1:", "a b", "1:2:three", "99999999999999999999:9x"};
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        talk_record_fini(&bob->record);
        sse_client_drop(bob->sse);
        streamer_attach(e, bob, "&after=7", strange[i]);
        streamer_whole(bob, 12);
        assert_int_equal(talk_record_account(&bob->record).from, 8);
    }
}

/* 11: the number of one room says nothing about another one. */
E2E_SCENARIO(stream_whose_last_event_was_in_another_room_misses_nothing_of_this_one)
{
    struct streamer *bob = has_heard_ten(e);
    char last[64];
    snprintf(last, sizeof last, "%s", bob->sse->last_id);
    e2e_talk_ok(streamer_ask_name(bob, HGTP_EXIT_ROOM, "den"));
    sse_client_drop(bob->sse);
    struct talker *carol = e2e_talker(e, "carol");
    e2e_talk_open_room(carol, "attic");
    e2e_talk_ok(streamer_ask_name(bob, HGTP_JOIN_ROOM, "attic"));
    talker_pour(carol, 20, 10);
    assert_true(talker_poured(carol, TALKER_WAIT_MS));
    talk_record_fini(&bob->record);
    streamer_attach(e, bob, "", last);
    streamer_whole(bob, 22);
    assert_int_equal(talk_record_account(&bob->record).from, 2);
    assert_int_equal(talk_record_account(&bob->record).gaps, 0);
}

/* 11: a token that was percent-encoded, as every library does it, is a token. */
E2E_SCENARIO(stream_takes_a_percent_encoded_token)
{
    E2E_NODE(e);
    struct streamer *bob = streamer_open(e, e->daemon->http_port, "bob");
    char target[1024];
    size_t len = (size_t)snprintf(target, sizeof target, "/events?after=%%30&token=");
    for (const char *at = bob->token; *at != '\0'; at++) {
        len += (size_t)snprintf(target + len, sizeof target - len, "%%%02x", (unsigned char)*at);
    }
    const struct sse_client_options options = {.port = e->daemon->http_port, .target = target};
    struct sse_client *encoded = sse_client_open(&options);
    assert_int_equal(encoded->status, 200);
    e2e_told(sse_client_wait_type(encoded, "session"));
    sse_client_free(encoded);
}

E2E_SCENARIO(stream_that_was_away_for_too_long_is_told_of_the_gap_with_its_end_as_id)
{
    E2E_CLUSTER(e, 2, "history.length=50", E2E_NO_RATES);
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice");
    struct streamer *bob = streamer_open(e, e->nodes[1].http_port, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_talk_ok(streamer_ask_name(bob, HGTP_JOIN_ROOM, "den"));
    e2e_told(sse_client_wait_type(bob->sse, "notice"));
    sse_client_drop(bob->sse);
    talker_pour(alice, 1000, 50);
    assert_true(talker_poured(alice, TALKER_WAIT_MS));
    streamer_reattach(e, bob, e->nodes[1].http_port);
    assert_true(streamer_has(bob, 1002));
    struct talk_account account = talk_record_account(&bob->record);
    assert_string_equal(bob->record.broken, "");
    assert_int_equal(account.gaps, 1);
    assert_true(account.missed <= 950);
}

E2E_SCENARIO(second_stream_ends_the_first)
{
    E2E_NODE(e);
    struct streamer *alice = streamer_open(e, e->daemon->http_port, "alice");
    struct sse_client *first = alice->sse;
    streamer_attach(e, alice, "", NULL);
    const json_t *closed = e2e_told(sse_client_wait_type(first, "closed"));
    assert_int_equal(json_integer_value(json_object_get(closed, "code")), WS_CLOSE_REPLACED);
    assert_true(sse_client_wait_end(first, SSE_CLIENT_WAIT_MS));
    e2e_told(sse_client_wait_type(alice->sse, "session"));
    assert_false(alice->sse->ended);
}

E2E_SCENARIO(stream_ends_with_its_session)
{
    E2E_NODE(e);
    struct streamer *alice = streamer_open(e, e->daemon->http_port, "alice");
    e2e_talk_ok(streamer_ask(alice, HGTP_UNREGISTER));
    assert_true(sse_client_wait_end(alice->sse, SSE_CLIENT_WAIT_MS));
    e2e_talk_refused(streamer_ask(alice, HGTP_REFRESH), HGTP_BAD_REQUEST, ERR_NOT_REGISTERED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(stream_says_what_it_is_and_begins_with_session_and_lists),
        E2E_TEST(stream_needs_the_token_of_a_living_session),
        E2E_TEST(silent_stream_has_heartbeats),
        E2E_TEST(stream_tells_what_is_said_by_all_kinds_of_users),
        E2E_TEST(stream_resumes_behind_the_last_event_at_any_node),
        E2E_TEST(stream_whose_node_is_killed_resumes_at_another),
        E2E_TEST(stream_resumes_by_the_query_where_there_is_no_header),
        E2E_TEST(stream_passes_over_a_last_event_id_that_is_none_of_ours),
        E2E_TEST(stream_whose_last_event_was_in_another_room_misses_nothing_of_this_one),
        E2E_TEST(stream_takes_a_percent_encoded_token),
        E2E_TEST(stream_that_was_away_for_too_long_is_told_of_the_gap_with_its_end_as_id),
        E2E_TEST(second_stream_ends_the_first),
        E2E_TEST(stream_ends_with_its_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
