/* SPDX-License-Identifier: MIT */
/*
 * POST /hgtp and POST /message of modern users: who is believed, what is answered, and relays that
 * come over a stream of events. The streams are in test_sse.c.
 */
#include "proto/base64.h"
#include "tests/support/streamer.h"

/* POST /hgtp ----------------------------------------------------------------------------------- */

E2E_SCENARIO(requests_by_post_are_answered_in_the_body)
{
    E2E_NODE(e);
    struct streamer *alice = streamer_open(e, e->daemon->http_port, "alice");
    struct streamer *bob = streamer_open(e, e->daemon->http_port, "bob");
    e2e_talk_refused(streamer_ask_name(bob, HGTP_JOIN_ROOM, "den"), HGTP_BAD_REQUEST,
                     ERR_ROOM_UNKNOWN);
    e2e_talk_ok(streamer_create(alice, "den"));
    e2e_talk_ok(streamer_ask_name(bob, HGTP_JOIN_ROOM, "den"));
    e2e_talk_ok(streamer_ask_name(bob, HGTP_EXIT_ROOM, "den"));
    e2e_talk_refused(streamer_ask_name(bob, HGTP_EXIT_ROOM, "den"), HGTP_BAD_REQUEST,
                     ERR_NOT_IN_ROOM);
    streamer_whole(alice, 3);
    assert_string_equal(alice->record.room, "den");
    e2e_talk_ok(streamer_ask(alice, HGTP_REFRESH));
}

/* As hgtp.js asks whether its session is dead. */
E2E_SCENARIO(refresh_by_post_tells_whether_a_session_lives)
{
    E2E_NODE(e);
    struct streamer *alice = streamer_register(e, e->daemon->http_port, "alice");
    e2e_talk_ok(streamer_ask(alice, HGTP_REFRESH));
    char last = alice->token[strlen(alice->token) - 1];
    alice->token[strlen(alice->token) - 1] = last == 'x' ? 'y' : 'x';
    struct talker_reply reply = streamer_ask(alice, HGTP_REFRESH);
    assert_true(reply.has_come);
    assert_int_equal(reply.msg.header.type, HGTP_BAD_REQUEST);
    struct streamer stranger = {.port = alice->port};
    strcpy(stranger.token, alice->token);
    talk_request_init(&stranger.speaker);
    e2e_talk_refused(streamer_ask(&stranger, HGTP_REFRESH), HGTP_BAD_REQUEST, ERR_NOT_REGISTERED);
}

E2E_SCENARIO(post_without_proof_speaks_for_nobody)
{
    E2E_NODE(e);
    struct streamer *alice = streamer_register(e, e->daemon->http_port, "alice");
    struct streamer *bob = streamer_register(e, e->daemon->http_port, "bob");
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    talk_request_plain(&alice->speaker, HGTP_UNREGISTER, &out);
    e2e_talk_refused(e2e_post_hgtp(alice->port, NULL, sink_bytes(&out), NULL), HGTP_BAD_REQUEST,
                     ERR_SIGNATURE_REQUIRED);
    struct talker_reply reply = e2e_post_hgtp(alice->port, bob->token, sink_bytes(&out), NULL);
    assert_true(reply.has_come && reply.msg.header.type == HGTP_BAD_REQUEST);
    e2e_talk_ok(streamer_ask(alice, HGTP_REFRESH));
    e2e_talk_ok(streamer_ask(bob, HGTP_REFRESH));
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
    struct streamer *bob = streamer_open(e, e->nodes[1].http_port, "bob");
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
    streamer_whole(bob, 2);
    assert_string_equal(bob->record.room, "den");
}

/* POST /message -------------------------------------------------------------------------------- */

E2E_SCENARIO(message_by_post_is_acknowledged_once_per_id_at_every_node)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct streamer *alice = streamer_open(e, e->nodes[0].http_port, "alice");
    e2e_talk_ok(streamer_create(alice, "den"));
    assert_int_equal(streamer_say(alice, "once", "same"), 2);
    alice->port = e->nodes[1].http_port;
    assert_int_equal(streamer_say(alice, "once", "same"), 2);
    assert_int_equal(streamer_say(alice, "once", NULL), 3);
    assert_int_equal(streamer_say(alice, "once", NULL), 4);
    alice->port = e->nodes[0].http_port;
    assert_int_equal(streamer_say(alice, "once", "same"), 2);
    streamer_whole(alice, 4);
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
    struct streamer *alice = streamer_register(e, e->daemon->http_port, "alice");
    uint16_t port = alice->port;
    expect_error(port, alice->token, "{\"type\":\"message\",\"message\":\"x\"}", 409,
                 "NOT_IN_ROOM");
    e2e_talk_ok(streamer_create(alice, "den"));
    expect_error(port, "x", "{\"type\":\"message\",\"message\":\"x\"}", 401, "NOT_REGISTERED");
    expect_error(port, alice->token, "{\"type\":\"message\",\"message\":\"0123456789a\"}", 413,
                 "MESSAGE_TOO_LARGE");
    expect_error(port, alice->token, "{\"type\":\"message\",\"message\":1}", 400, "MALFORMED");
    expect_error(port, alice->token, "{\"type\":\"manager\"}", 400, "MALFORMED");
    expect_error(port, alice->token, "{\"type\":\"manager\",\"user\":\"nobody\"}", 404,
                 "PEER_UNKNOWN");
    expect_error(port, alice->token, "{\"type\":\"message\",\"message\":\"x\",\"id\":\"\"}", 400,
                 "MALFORMED");
    assert_int_equal(streamer_say(alice, "0123456789", "fits"), 2);
    int status = e2e_post_message(
        port, NULL, json_pack("{s:s, s:s}", "type", "message", "message", "eA=="), NULL);
    assert_true(status == 400 || status == 401);
    assert_int_equal(streamer_say(alice, "next", "next"), 3);
    expect_error(port, alice->token, "{\"type\":\"message\",\"message\":\"other\",\"id\":\"next\"}",
                 409, "ID_REUSED");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
