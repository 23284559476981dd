/* SPDX-License-Identifier: MIT */
/*
 * Modern users where no WebSocket gets through: told by a stream of events, asking by POST /hgtp,
 * talking by POST /message, all by their token.
 */
#include <stdlib.h>

#include "proto/base64.h"
#include "tests/support/e2e_talk.h"

#define STREAMERS_MAX 8

/* A user of this kind; it outlives a scenario that fails. */
struct streamer {
    struct talk_speaker speaker;
    char token[ORIGINAL_TOKEN_MAX + 1];
    char room_id[HGTP_ROOM_ID_BYTES + 1];
    uint16_t port;
    struct sse_client *sse;
    struct talk_record record;
};

static struct streamer streamers[STREAMERS_MAX];
static size_t streamer_count;

/* Users ---------------------------------------------------------------------------------------- */

/* Every number is the event's id, so that Last-Event-ID is right; nothing else has one. */
static void on_event(const struct sse_client_event *event, void *arg)
{
    struct streamer *streamer = arg;
    if (strcmp(event->event, "message") != 0) {
        return;
    }
    assert_true(json_is_object(event->json));
    size_t had = streamer->record.count;
    talk_record_take(&streamer->record, event->json);
    if (streamer->record.count > had) {
        char number[24];
        snprintf(number, sizeof number, "%lld", (long long)streamer->record.entries[had]->to);
        assert_non_null(event->id);
        assert_string_equal(event->id, number);
    } else {
        assert_null(event->id);
    }
}

static struct talker_reply post(struct streamer *streamer, const struct sink *message)
{
    return e2e_post_hgtp(streamer->port, streamer->token[0] != '\0' ? streamer->token : NULL,
                         sink_bytes(message), NULL);
}

/* By POST /hgtp alone; nothing is attached. */
static struct streamer *registered(uint16_t port, const char *name)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct bytes token;
    struct streamer *streamer = &streamers[streamer_count++ % STREAMERS_MAX];
    talk_record_fini(&streamer->record);
    *streamer = (struct streamer){.port = port};
    talk_request_init(&streamer->speaker);
    struct sink out = sink_into(storage, sizeof storage);
    int32_t seq = talk_request_register(&streamer->speaker, name, &out);
    struct talker_reply reply = post(streamer, &out);
    e2e_talk_refused(reply, HGTP_UNAUTHORIZED, ERR_NONE);
    assert_int_equal(reply.msg.header.seq, seq + 1);
    out = sink_into(storage, sizeof storage);
    seq = talk_request_proof(&streamer->speaker, reply.msg.challenge.realm, TALKER_KEY, &out);
    reply = post(streamer, &out);
    e2e_talk_ok(reply);
    assert_int_equal(reply.msg.header.seq, seq + 1);
    assert_true(hgtp_token_decode(reply.msg.body, &token) && token.len < sizeof streamer->token);
    memcpy(streamer->token, token.ptr, token.len);
    return streamer;
}

static void attach_with(struct e2e *e, struct streamer *streamer, const char *query,
                        const char *last_id)
{
    char target[512];
    snprintf(target, sizeof target, "/events?token=%s%s", streamer->token, query);
    const struct sse_client_options options = {.port = streamer->port,
                                               .target = target,
                                               .last_id = last_id,
                                               .on_event = on_event,
                                               .arg = streamer};
    streamer->sse = e2e_sse(e, &options);
    assert_int_equal(streamer->sse->status, 200);
}

static struct streamer *streaming(struct e2e *e, uint16_t port, const char *name)
{
    struct streamer *streamer = registered(port, name);
    attach_with(e, streamer, "", NULL);
    e2e_told(sse_client_wait_type(streamer->sse, "session"));
    return streamer;
}

/* As EventSource does it: by itself, with the last id that it has seen. */
static void reattach(struct e2e *e, struct streamer *streamer, uint16_t port)
{
    char last_id[64];
    strcpy(last_id, streamer->sse->last_id);
    sse_client_drop(streamer->sse);
    streamer->port = port;
    attach_with(e, streamer, "", last_id);
}

struct until {
    const struct streamer *streamer;
    int64_t seq;
};

static bool has_number(void *arg)
{
    const struct until *until = arg;
    return talk_record_last(&until->streamer->record) >= until->seq;
}

static void expect_whole(const struct streamer *streamer, int64_t last)
{
    struct until until = {streamer, last};
    (void)pump_until(has_number, &until, TALKER_WAIT_MS);
    struct talk_account account = talk_record_account(&streamer->record);
    if (streamer->record.broken[0] != '\0' || account.to != last || account.gaps != 0) {
        fail_msg("%s has up to %d, not %d, and %d gaps; %s", streamer->record.user, (int)account.to,
                 (int)last, (int)account.gaps, streamer->record.broken);
    }
}

/* Requests ------------------------------------------------------------------------------------- */

static struct talker_reply create(struct streamer *streamer, const char *room)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    talk_request_room_id(streamer->room_id);
    talk_request_room(&streamer->speaker, HGTP_CREATE_ROOM, streamer->room_id, room, &out);
    return post(streamer, &out);
}

static struct talker_reply ask_name(struct streamer *streamer, enum hgtp_type type,
                                    const char *room)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    talk_request_name(&streamer->speaker, type, room, &out);
    return post(streamer, &out);
}

static struct talker_reply ask_plain(struct streamer *streamer, enum hgtp_type type)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    talk_request_plain(&streamer->speaker, type, &out);
    return post(streamer, &out);
}

/* Its number, or minus the status. */
static int64_t say(struct streamer *streamer, const char *text, const char *id)
{
    json_t *object = json_pack("{s:s, s:s}", "type", "message", "message", text);
    json_t *answer = NULL;
    if (id != NULL) {
        json_object_set_new(object, "id", json_string(id));
    }
    int status = e2e_post_message(streamer->port, streamer->token, object, &answer);
    int64_t seq = -status;
    if (status == 200) {
        assert_string_equal(json_string_value(json_object_get(answer, "type")), "ack");
        assert_true(id == NULL ? json_object_get(answer, "id") == NULL
                               : strcmp(json_string_value(json_object_get(answer, "id")), id) == 0);
        seq = json_integer_value(json_object_get(answer, "seq"));
    }
    json_decref(answer);
    return seq;
}

/* The stream ----------------------------------------------------------------------------------- */

E2E_SCENARIO(stream_says_what_it_is_and_begins_with_session_and_lists)
{
    E2E_NODE(e);
    struct streamer *alice = streaming(e, e->daemon->http_port, "alice");
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
    struct streamer *alice = streaming(e, e->daemon->http_port, "alice");
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
    struct streamer *alice = streaming(e, e->daemon->http_port, "alice");
    struct talker *bob = e2e_talker(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_talk_ok(create(alice, "den"));
    e2e_talk_join_room(bob, "den");
    e2e_join_room(carol, "den");
    static const char strange[] = "안녕 🙂\n\r\n: data: \"x\"\\\u2028 id: 7";
    assert_int_equal(say(alice, strange, "1"), 4);
    assert_int_equal(talker_say_acked(bob, "from bob", "1"), 5);
    assert_true(original_say(carol, "from carol"));
    expect_whole(alice, 6);
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
    E2E_CLUSTER(e, 2, "history.length=10000", "limits.messages_per_s=100000");
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice");
    struct streamer *bob = streaming(e, e->nodes[1].http_port, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_talk_ok(ask_name(bob, HGTP_JOIN_ROOM, "den"));
    talker_pour(alice, 2000, 10);
    for (size_t i = 0; i < 20; i++) {
        struct until until = {bob, 50 * (int64_t)(i + 1)};
        assert_true(pump_until(has_number, &until, TALKER_WAIT_MS));
        reattach(e, bob, e->nodes[i % 2].http_port);
    }
    assert_true(talker_poured(alice, 60000));
    expect_whole(bob, 2002);
    assert_true(talk_record_has_numbers(&bob->record, "alice", 2000));
}

E2E_SCENARIO(stream_whose_node_is_killed_resumes_at_another)
{
    E2E_CLUSTER(e, 2, "limits.messages_per_s=100000", "history.length=10000");
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice");
    struct streamer *bob = streaming(e, e->nodes[1].http_port, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_talk_ok(ask_name(bob, HGTP_JOIN_ROOM, "den"));
    talker_pour(alice, 1000, 10);
    struct until until = {bob, 300};
    assert_true(pump_until(has_number, &until, TALKER_WAIT_MS));
    e2e_cluster_kill(e, 1);
    assert_true(sse_client_wait_end(bob->sse, SSE_CLIENT_WAIT_MS));
    reattach(e, bob, e->nodes[0].http_port);
    assert_true(talker_poured(alice, 60000));
    expect_whole(bob, 1002);
    assert_int_equal(talk_record_account(&alice->record).notices, 2);
}

E2E_SCENARIO(stream_resumes_by_the_query_where_there_is_no_header)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    struct streamer *bob = streaming(e, e->daemon->http_port, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_talk_ok(ask_name(bob, HGTP_JOIN_ROOM, "den"));
    talker_pour(alice, 10, 10);
    assert_true(talker_poured(alice, TALKER_WAIT_MS));
    expect_whole(bob, 12);
    talk_record_fini(&bob->record);
    sse_client_drop(bob->sse);
    attach_with(e, bob, "&after=7", NULL);
    expect_whole(bob, 12);
    assert_int_equal(talk_record_account(&bob->record).from, 8);
    /* A browser that reconnects by itself asks for the same address: what it has seen counts. */
    talk_record_fini(&bob->record);
    sse_client_drop(bob->sse);
    attach_with(e, bob, "&after=7", "10");
    expect_whole(bob, 12);
    assert_int_equal(talk_record_account(&bob->record).from, 11);
}

E2E_SCENARIO(stream_that_was_away_for_too_long_is_told_of_the_gap_with_its_end_as_id)
{
    E2E_CLUSTER(e, 2, "history.length=50", "limits.messages_per_s=100000");
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice");
    struct streamer *bob = streaming(e, e->nodes[1].http_port, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_talk_ok(ask_name(bob, HGTP_JOIN_ROOM, "den"));
    e2e_told(sse_client_wait_type(bob->sse, "notice"));
    sse_client_drop(bob->sse);
    talker_pour(alice, 1000, 50);
    assert_true(talker_poured(alice, TALKER_WAIT_MS));
    reattach(e, bob, e->nodes[1].http_port);
    struct until until = {bob, 1002};
    assert_true(pump_until(has_number, &until, TALKER_WAIT_MS));
    struct talk_account account = talk_record_account(&bob->record);
    assert_string_equal(bob->record.broken, "");
    assert_int_equal(account.gaps, 1);
    assert_true(account.missed <= 950);
}

E2E_SCENARIO(second_stream_ends_the_first)
{
    E2E_NODE(e);
    struct streamer *alice = streaming(e, e->daemon->http_port, "alice");
    struct sse_client *first = alice->sse;
    attach_with(e, alice, "", NULL);
    assert_true(sse_client_wait_end(first, SSE_CLIENT_WAIT_MS));
    e2e_told(sse_client_wait_type(alice->sse, "session"));
    assert_false(alice->sse->ended);
}

E2E_SCENARIO(stream_ends_with_its_session)
{
    E2E_NODE(e);
    struct streamer *alice = streaming(e, e->daemon->http_port, "alice");
    e2e_talk_ok(ask_plain(alice, HGTP_UNREGISTER));
    assert_true(sse_client_wait_end(alice->sse, SSE_CLIENT_WAIT_MS));
    e2e_talk_refused(ask_plain(alice, HGTP_REFRESH), HGTP_BAD_REQUEST, ERR_NOT_REGISTERED);
}

/* POST /hgtp ----------------------------------------------------------------------------------- */

E2E_SCENARIO(requests_by_post_are_answered_in_the_body)
{
    E2E_NODE(e);
    struct streamer *alice = streaming(e, e->daemon->http_port, "alice");
    struct streamer *bob = streaming(e, e->daemon->http_port, "bob");
    e2e_talk_refused(ask_name(bob, HGTP_JOIN_ROOM, "den"), HGTP_BAD_REQUEST, ERR_ROOM_UNKNOWN);
    e2e_talk_ok(create(alice, "den"));
    e2e_talk_ok(ask_name(bob, HGTP_JOIN_ROOM, "den"));
    e2e_talk_refused(ask_name(alice, HGTP_EXIT_ROOM, "den"), HGTP_BAD_REQUEST, ERR_MANAGER_STAYS);
    e2e_talk_ok(ask_name(bob, HGTP_EXIT_ROOM, "den"));
    expect_whole(alice, 3);
    assert_string_equal(alice->record.room, "den");
    e2e_talk_ok(ask_plain(alice, HGTP_REFRESH));
}

/* As hgtp.js asks whether its session is dead. */
E2E_SCENARIO(refresh_by_post_tells_whether_a_session_lives)
{
    E2E_NODE(e);
    struct streamer *alice = registered(e->daemon->http_port, "alice");
    e2e_talk_ok(ask_plain(alice, HGTP_REFRESH));
    char last = alice->token[strlen(alice->token) - 1];
    alice->token[strlen(alice->token) - 1] = last == 'x' ? 'y' : 'x';
    struct talker_reply reply = ask_plain(alice, HGTP_REFRESH);
    assert_true(reply.has_come);
    assert_int_equal(reply.msg.header.type, HGTP_BAD_REQUEST);
    struct streamer stranger = *alice;
    talk_request_init(&stranger.speaker);
    e2e_talk_refused(ask_plain(&stranger, HGTP_REFRESH), HGTP_BAD_REQUEST, ERR_NOT_REGISTERED);
}

E2E_SCENARIO(post_without_proof_speaks_for_nobody)
{
    E2E_NODE(e);
    struct streamer *alice = registered(e->daemon->http_port, "alice");
    struct streamer *bob = registered(e->daemon->http_port, "bob");
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    talk_request_plain(&alice->speaker, HGTP_UNREGISTER, &out);
    e2e_talk_refused(e2e_post_hgtp(alice->port, NULL, sink_bytes(&out), NULL), HGTP_BAD_REQUEST,
                     ERR_SIGNATURE_REQUIRED);
    struct talker_reply reply = e2e_post_hgtp(alice->port, bob->token, sink_bytes(&out), NULL);
    assert_true(reply.has_come && reply.msg.header.type == HGTP_BAD_REQUEST);
    e2e_talk_ok(ask_plain(alice, HGTP_REFRESH));
    e2e_talk_ok(ask_plain(bob, HGTP_REFRESH));
}

E2E_SCENARIO(post_by_address_or_signature_is_as_good_as_a_datagram)
{
    E2E_NODE(e);
    const struct original_options modern = {.name = "bob", .auth = ORIGINAL_HMAC};
    struct original *clients[] = {e2e_user(e, "alice"), e2e_user_with(e, &modern)};
    for (size_t i = 0; i < 2; i++) {
        original_send_plain(clients[i], HGTP_REFRESH);
        e2e_ok(original_wait_response(clients[i], HGTP_REFRESH));
        /* The same once more, by another way: the stored reply. */
        e2e_talk_ok(e2e_post_hgtp(e->daemon->http_port, NULL,
                                  bytes_of(clients[i]->sent, clients[i]->sent_bytes), NULL));
    }
    clients[1]->sent[clients[1]->sent_bytes - 1] ^= 1;
    e2e_talk_refused(e2e_post_hgtp(e->daemon->http_port, NULL,
                                   bytes_of(clients[1]->sent, clients[1]->sent_bytes), NULL),
                     HGTP_BAD_REQUEST, ERR_SIGNATURE_REQUIRED);
}

E2E_SCENARIO(post_of_what_is_no_hgtp_is_a_bad_request)
{
    E2E_NODE(e);
    static const uint8_t zeros[5000];
    const struct bytes bad[] = {bytes_of(zeros, 0), bytes_of(zeros, 24), bytes_str("HS"),
                                bytes_of(zeros, sizeof zeros)};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int status = 0;
        (void)e2e_post_hgtp(e->daemon->http_port, NULL, bad[i], &status);
        assert_true(status == 400 || (status == 413 && bad[i].len > HGTP_DATAGRAM_MAX));
    }
    assert_int_equal(e2e_get(e, "/hgtp", NULL, 0), 405);
}

E2E_SCENARIO(relay_comes_as_an_event_and_is_answered_by_post)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    const struct talker_options options = {.name = "alice", .port = e->nodes[0].http_port};
    struct talker *alice = e2e_talker_with(e, &options);
    struct streamer *bob = streaming(e, e->nodes[1].http_port, "bob");
    e2e_talk_open_room(alice, "den");
    uint8_t storage[HGTP_DATAGRAM_MAX], relay_bytes[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    talk_request_peer(&alice->speaker, HGTP_INVITE_USER_FROM_ROOM, "den", "bob", &out);
    talker_send(alice, sink_bytes(&out));
    const struct sse_client_event *event = sse_client_wait_event(bob->sse, "hgtp");
    assert_non_null(event);
    assert_null(event->id);
    struct sink relay = sink_into(relay_bytes, sizeof relay_bytes);
    struct hgtp_message msg;
    assert_true(base64_decode(bytes_str(event->data), &relay) && sink_fits(&relay));
    assert_int_equal(hgtp_decode(sink_bytes(&relay), &msg), HGTP_DECODED);
    assert_int_equal(msg.header.type, HGTP_INVITE_USER_FROM_ROOM);
    out = sink_into(storage, sizeof storage);
    talk_request_put(&bob->speaker, HGTP_OK, HGTP_INVITE_USER_FROM_ROOM, msg.header.seq + 1,
                     bytes_of(NULL, 0), &out);
    int status = 0;
    (void)e2e_post_hgtp(e->nodes[1].http_port, bob->token, sink_bytes(&out), &status);
    assert_int_equal(status, 204);
    e2e_talk_ok(talker_wait_response(alice, HGTP_INVITE_USER_FROM_ROOM));
    expect_whole(bob, 2);
    assert_string_equal(bob->record.room, "den");
}

/* POST /message -------------------------------------------------------------------------------- */

E2E_SCENARIO(message_by_post_is_acknowledged_once_per_id_at_every_node)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct streamer *alice = streaming(e, e->nodes[0].http_port, "alice");
    e2e_talk_ok(create(alice, "den"));
    assert_int_equal(say(alice, "once", "same"), 2);
    alice->port = e->nodes[1].http_port;
    assert_int_equal(say(alice, "once", "same"), 2);
    assert_int_equal(say(alice, "once", NULL), 3);
    assert_int_equal(say(alice, "once", NULL), 4);
    alice->port = e->nodes[0].http_port;
    assert_int_equal(say(alice, "once", "same"), 2);
    expect_whole(alice, 4);
}

static void expect_error(uint16_t port, const char *token, const char *json, int status,
                         const char *name)
{
    json_t *answer = NULL;
    int got = e2e_post_message(port, token, json_loads(json, 0, NULL), &answer);
    if (got != status || strcmp(json_string_value(json_object_get(answer, "type")), "error") != 0 ||
        strcmp(json_string_value(json_object_get(answer, "name")), name) != 0) {
        fail_msg("%s: %d %s", json, got, json_string_value(json_object_get(answer, "name")));
    }
    json_decref(answer);
}

E2E_SCENARIO(message_by_post_is_refused_with_status_and_reason)
{
    E2E_NODE(e, "limits.message_bytes=10");
    struct streamer *alice = registered(e->daemon->http_port, "alice");
    uint16_t port = alice->port;
    expect_error(port, alice->token, "{\"type\":\"message\",\"message\":\"x\"}", 409,
                 "NOT_IN_ROOM");
    e2e_talk_ok(create(alice, "den"));
    expect_error(port, NULL, "{\"type\":\"message\",\"message\":\"x\"}", 401, "NOT_REGISTERED");
    expect_error(port, "x", "{\"type\":\"message\",\"message\":\"x\"}", 401, "NOT_REGISTERED");
    expect_error(port, alice->token, "{\"type\":\"message\",\"message\":\"0123456789a\"}", 413,
                 "MESSAGE_TOO_LARGE");
    expect_error(port, alice->token, "{\"type\":\"message\",\"message\":1}", 400, "MALFORMED");
    expect_error(port, alice->token, "{\"type\":\"message\",\"message\":\"x\",\"id\":\"\"}", 400,
                 "MALFORMED");
    assert_int_equal(say(alice, "0123456789", "fits"), 2);
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
        E2E_TEST(stream_that_was_away_for_too_long_is_told_of_the_gap_with_its_end_as_id),
        E2E_TEST(second_stream_ends_the_first),
        E2E_TEST(stream_ends_with_its_session),
        E2E_TEST(requests_by_post_are_answered_in_the_body),
        E2E_TEST(refresh_by_post_tells_whether_a_session_lives),
        E2E_TEST(post_without_proof_speaks_for_nobody),
        E2E_TEST(post_by_address_or_signature_is_as_good_as_a_datagram),
        E2E_TEST(post_of_what_is_no_hgtp_is_a_bad_request),
        E2E_TEST(relay_comes_as_an_event_and_is_answered_by_post),
        E2E_TEST(message_by_post_is_acknowledged_once_per_id_at_every_node),
        E2E_TEST(message_by_post_is_refused_with_status_and_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
