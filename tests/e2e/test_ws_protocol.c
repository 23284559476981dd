/* SPDX-License-Identifier: MIT */
/*
 * Frames by hand: the rules of RFC 6455 sections 5 to 7, kept and broken. What a node does with a
 * broken one is the RFC's close code, and nothing to anybody else. Handshakes are in
 * test_ws_handshake.c.
 */
#include <stdlib.h>

#include "tests/support/e2e_talk.h"

#define RAW(text) bytes_of("" text, sizeof(text) - 1)
#define FIN_TEXT  (WS_CLIENT_FIN | WS_CLIENT_TEXT)
#define FIN_MORE  (WS_CLIENT_FIN | WS_CLIENT_CONTINUATION)
#define FIN_PING  (WS_CLIENT_FIN | WS_CLIENT_PING)
#define FIN_CLOSE (WS_CLIENT_FIN | WS_CLIENT_CLOSE)

static struct ws_client *connected(struct e2e *e)
{
    const struct ws_client_options options = {.protocols = "hgtp"};
    struct ws_client *client = e2e_ws(e, &options);
    assert_int_equal(client->status, 101);
    return client;
}

static struct talker *talker_in_den(struct e2e *e)
{
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    return alice;
}

/* Broken rules --------------------------------------------------------------------------------- */

/* One or two frames, and the code that the connection is closed with. */
struct broken {
    const char *rule;
    uint8_t first;
    struct bytes payload;
    int code;
    uint8_t second; /* first byte of another frame, empty; 0: none */
};

static void expect_closed(struct e2e *e, const struct broken *broken)
{
    struct ws_client *client = connected(e);
    ws_client_send_frame(client, broken->first, broken->payload);
    if (broken->second != 0) {
        ws_client_send_frame(client, broken->second, bytes_str(""));
    }
    int code = ws_client_wait_close(client, WS_CLIENT_WAIT_MS);
    if (code != broken->code || client->broken != NULL) {
        fail_msg("%s: closed with %d, not %d; %s", broken->rule, code, broken->code,
                 client->broken != NULL ? client->broken : "not broken");
    }
}

static uint8_t long_payload[126];

E2E_SCENARIO(each_broken_rule_of_framing_closes_with_a_protocol_error)
{
    E2E_NODE(e);
    const struct broken cases[] = {
        {"reserved bit 1", FIN_TEXT | WS_CLIENT_RSV1, RAW("{}"), 1002, 0},
        {"reserved bit 2", FIN_TEXT | WS_CLIENT_RSV2, RAW("{}"), 1002, 0},
        {"reserved bit 3", FIN_PING | WS_CLIENT_RSV3, RAW(""), 1002, 0},
        {"opcode 3", WS_CLIENT_FIN | 3, RAW("x"), 1002, 0},
        {"opcode 7", WS_CLIENT_FIN | 7, RAW(""), 1002, 0},
        {"opcode 11", WS_CLIENT_FIN | 11, RAW(""), 1002, 0},
        {"opcode 15", WS_CLIENT_FIN | 15, RAW("x"), 1002, 0},
        {"fragmented ping", WS_CLIENT_PING, RAW("x"), 1002, 0},
        {"fragmented close", WS_CLIENT_CLOSE, RAW(""), 1002, 0},
        {"long ping", FIN_PING, bytes_of(long_payload, sizeof long_payload), 1002, 0},
        {"continuation of nothing", FIN_MORE, RAW("x"), 1002, 0},
        {"start within a text", WS_CLIENT_TEXT, RAW("{"), 1002, FIN_TEXT},
        {"binary within a text", WS_CLIENT_TEXT, RAW("{"), 1002, WS_CLIENT_FIN | WS_CLIENT_BINARY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_closed(e, &cases[i]);
    }
}

E2E_SCENARIO(each_bad_close_frame_closes_with_a_protocol_error)
{
    E2E_NODE(e);
    const struct broken cases[] = {
        {"one byte", FIN_CLOSE, RAW("\x03"), 1002, 0},
        {"code 0", FIN_CLOSE, RAW("\0\0"), 1002, 0},
        {"code 999", FIN_CLOSE, RAW("\x03\xe7"), 1002, 0},
        {"code 1005", FIN_CLOSE, RAW("\x03\xed"), 1002, 0},
        {"code 1006", FIN_CLOSE, RAW("\x03\xee"), 1002, 0},
        {"code 1015", FIN_CLOSE, RAW("\x03\xf7"), 1002, 0},
        {"code 2999", FIN_CLOSE, RAW("\x0b\xb7"), 1002, 0},
        {"code 5000", FIN_CLOSE, RAW("\x13\x88"), 1002, 0},
        {"reason not UTF-8", FIN_CLOSE, RAW("\x03\xe8\xff"), 1007, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_closed(e, &cases[i]);
    }
}

E2E_SCENARIO(text_that_is_not_utf_8_closes_the_connection)
{
    E2E_NODE(e);
    const struct broken cases[] = {
        {"0xff", FIN_TEXT, RAW("{\"\xff\":1}"), 1007, 0},
        {"overlong", FIN_TEXT, RAW("{\"\xc0\xaf\":1}"), 1007, 0},
        {"surrogate", FIN_TEXT, RAW("{\"\xed\xa0\x80\":1}"), 1007, 0},
        {"beyond U+10FFFF", FIN_TEXT, RAW("{\"\xf4\x90\x80\x80\":1}"), 1007, 0},
        {"cut at the end", FIN_TEXT, RAW("{\"\xc3"), 1007, 0},
        {"cut at the last fragment", WS_CLIENT_TEXT, RAW("{\"\xe2\x82"), 1007, FIN_MORE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_closed(e, &cases[i]);
    }
}

E2E_SCENARIO(frame_without_a_mask_closes_with_a_protocol_error)
{
    E2E_NODE(e);
    struct ws_client *client = connected(e);
    struct queue out = {0};
    ws_client_put_frame(&out, FIN_TEXT, false, RAW("{\"type\":\"history\"}"));
    ws_client_send_raw(client, bytes_of(out.ptr, out.len));
    queue_fini(&out);
    assert_int_equal(ws_client_wait_close(client, WS_CLIENT_WAIT_MS), 1002);
}

/* The head alone says so; nobody waits for the rest, or keeps room for it. */
E2E_SCENARIO(message_that_is_announced_too_large_is_refused_at_its_head)
{
    E2E_NODE(e);
    static const struct {
        struct bytes head;
        int code;
    } cases[] = {
        {{(const uint8_t *)"\x81\xff\0\0\0\0\x40\0\0\0mask", 14}, 1009},
        {{(const uint8_t *)"\x82\xff\0\0\0\0\x40\0\0\0mask", 14}, 1009},
        {{(const uint8_t *)"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xffmask", 14}, 1009},
        {{(const uint8_t *)"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xffmask", 14}, 1002},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ws_client *client = connected(e);
        ws_client_send_raw(client, cases[i].head);
        int code = ws_client_wait_close(client, WS_CLIENT_WAIT_MS);
        if (code != cases[i].code && code != 1009) {
            fail_msg("case %zu: %d", i, code);
        }
    }
}

E2E_SCENARIO(message_that_grows_too_large_in_fragments_is_refused)
{
    E2E_NODE(e);
    struct ws_client *client = connected(e);
    const size_t len = 60000;
    uint8_t *part = malloc(len);
    assert_non_null(part);
    memset(part, ' ', len);
    ws_client_send_frame(client, WS_CLIENT_TEXT, bytes_of(part, len));
    for (int i = 0; i < 200 && !client->ended; i++) {
        ws_client_send_frame(client, WS_CLIENT_CONTINUATION, bytes_of(part, len));
    }
    free(part);
    int code = ws_client_wait_close(client, WS_CLIENT_WAIT_MS);
    /* The node may have ended the connection while we still wrote: then our kernel drops what it
     * has said. */
    assert_true(code == 1009 || code == WS_CLIENT_NO_CLOSE);
    assert_int_equal(e2e_get(e, "/healthz", NULL, 0), 200);
}

/* Kept rules ----------------------------------------------------------------------------------- */

static void put_text(struct queue *out, uint8_t first, const char *text)
{
    ws_client_put_frame(out, first, true, bytes_str(text));
}

E2E_SCENARIO(text_in_fragments_with_pings_between_is_one_message)
{
    E2E_NODE(e);
    struct talker *alice = talker_in_den(e);
    struct queue out = {0};
    put_text(&out, WS_CLIENT_TEXT, "{\"type\":\"mess");
    put_text(&out, FIN_PING, "between 1");
    put_text(&out, WS_CLIENT_CONTINUATION, "");
    /* A character of four bytes in three fragments. */
    put_text(&out, WS_CLIENT_CONTINUATION, "age\",\"message\":\"\xf0");
    put_text(&out, FIN_PING, "between 2");
    put_text(&out, WS_CLIENT_CONTINUATION, "\x9f\x99");
    put_text(&out, FIN_MORE, "\x82\",\"id\":\"f\"}");
    ws_client_send_raw(alice->ws, bytes_of(out.ptr, out.len));
    queue_fini(&out);
    const struct ws_client_message *pong = ws_client_wait_kind(alice->ws, WS_CLIENT_PONG);
    assert_non_null(pong);
    assert_true(bytes_equal(pong->payload, bytes_str("between 1")));
    pong = ws_client_wait_kind(alice->ws, WS_CLIENT_PONG);
    assert_non_null(pong);
    assert_true(bytes_equal(pong->payload, bytes_str("between 2")));
    e2e_told(TALKER_WAIT(alice, "ack", "id", "f"));
    e2e_told(TALKER_WAIT(alice, "message", "message", "\xf0\x9f\x99\x82"));
}

E2E_SCENARIO(message_that_comes_byte_by_byte_is_one_message)
{
    E2E_NODE(e);
    struct talker *alice = talker_in_den(e);
    struct queue out = {0};
    put_text(&out, FIN_TEXT, "{\"type\":\"message\",\"message\":\"caf\xc3\xa9\",\"id\":\"b\"}");
    put_text(&out, FIN_PING, "p");
    ws_client_send_slowly(alice->ws, bytes_of(out.ptr, out.len));
    queue_fini(&out);
    e2e_told(TALKER_WAIT(alice, "ack", "id", "b"));
    e2e_told(TALKER_WAIT(alice, "message", "message", "caf\xc3\xa9"));
    assert_non_null(ws_client_wait_kind(alice->ws, WS_CLIENT_PONG));
}

E2E_SCENARIO(many_frames_in_one_segment_are_all_heard_in_their_order)
{
    E2E_NODE(e);
    struct talker *alice = talker_in_den(e);
    struct queue out = {0};
    for (int i = 0; i < 100; i++) {
        char text[96];
        snprintf(text, sizeof text, "{\"type\":\"message\",\"message\":\"alice %d\",\"id\":\"%d\"}",
                 i, i);
        put_text(&out, FIN_TEXT, text);
    }
    ws_client_send_raw(alice->ws, bytes_of(out.ptr, out.len));
    queue_fini(&out);
    e2e_told(TALKER_WAIT(alice, "ack", "id", "99"));
    assert_true(talker_has(alice, 101, TALKER_WAIT_MS));
    assert_true(talk_record_has_numbers(&alice->record, "alice", 100));
}

/* RFC 6455 section 4.1: the client must wait. One that does not may be refused, but not half
 * heard. */
E2E_SCENARIO(frames_that_come_with_the_handshake_are_heard_or_refused)
{
    E2E_NODE(e);
    struct queue out = {0};
    put_text(&out, FIN_PING, "early");
    const struct ws_client_options options = {.behind = bytes_of(out.ptr, out.len)};
    struct ws_client *client = e2e_ws(e, &options);
    queue_fini(&out);
    assert_true(client->status == 400 ||
                (client->status == 101 && ws_client_wait_kind(client, WS_CLIENT_PONG) != NULL));
}

E2E_SCENARIO(ping_is_answered_with_its_payload_and_a_stray_pong_is_not)
{
    E2E_NODE(e);
    struct ws_client *client = connected(e);
    ws_client_send_frame(client, WS_CLIENT_FIN | WS_CLIENT_PONG, bytes_str("nobody asked"));
    static const uint8_t binary[125] = {0, 0xff, 0x80};
    const struct bytes payloads[] = {RAW(""), RAW("a"), bytes_of(binary, sizeof binary)};
    for (size_t i = 0; i < 3; i++) {
        ws_client_send_frame(client, FIN_PING, payloads[i]);
        const struct ws_client_message *pong = ws_client_wait_kind(client, WS_CLIENT_PONG);
        assert_non_null(pong);
        assert_true(bytes_equal(pong->payload, payloads[i]));
    }
    assert_int_equal(client->count, 3);
}

/* Closing -------------------------------------------------------------------------------------- */

E2E_SCENARIO(close_is_answered_with_its_code)
{
    E2E_NODE(e);
    static const int codes[] = {1000, 1001, 1003, 1011, 3000, 4000, 4999};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        struct ws_client *client = connected(e);
        ws_client_send_close(client, codes[i], "bye");
        assert_int_equal(ws_client_wait_close(client, WS_CLIENT_WAIT_MS), codes[i]);
    }
    struct ws_client *client = connected(e);
    ws_client_send_close(client, 0, "");
    int code = ws_client_wait_close(client, WS_CLIENT_WAIT_MS);
    assert_true(code == WS_CLIENT_NO_CODE || code == 1000);
}

E2E_SCENARIO(nothing_that_follows_a_close_is_heard)
{
    E2E_NODE(e);
    struct talker *alice = talker_in_den(e);
    struct talker *bob = e2e_talker(e, "bob");
    e2e_talk_join_room(bob, "den");
    struct queue out = {0};
    put_text(&out, FIN_TEXT, "{\"type\":\"message\",\"message\":\"before\"}");
    ws_client_put_frame(&out, FIN_CLOSE, true, RAW("\x03\xe8"));
    put_text(&out, FIN_TEXT, "{\"type\":\"message\",\"message\":\"behind\"}");
    ws_client_send_raw(alice->ws, bytes_of(out.ptr, out.len));
    queue_fini(&out);
    assert_int_equal(ws_client_wait_close(alice->ws, WS_CLIENT_WAIT_MS), 1000);
    e2e_told(TALKER_WAIT(bob, "message", "message", "before"));
    assert_true(talker_fence(bob));
    assert_null(talk_record_message(&bob->record, "behind", NULL));
}

E2E_SCENARIO(client_that_does_not_answer_a_close_is_not_waited_for_long)
{
    E2E_NODE(e, "http.ping_s=1");
    const struct ws_client_options options = {.answers_nothing = true};
    struct ws_client *client = e2e_ws(e, &options);
    ws_client_send_frame(client, FIN_TEXT | WS_CLIENT_RSV1, RAW("{}"));
    assert_int_equal(ws_client_wait_close(client, 15000), 1002);
}

/* Silence -------------------------------------------------------------------------------------- */

E2E_SCENARIO(silent_client_is_pinged_and_stays_as_long_as_it_answers)
{
    E2E_NODE(e, "http.ping_s=1");
    struct talker *alice = talker_in_den(e);
    int64_t start_ms = pump_now_ms();
    for (int i = 0; i < 3; i++) {
        const struct ws_client_message *ping = ws_client_wait_kind(alice->ws, WS_CLIENT_PING);
        assert_non_null(ping);
    }
    int64_t took_ms = pump_now_ms() - start_ms;
    assert_true(took_ms > 1500 && took_ms < 8000);
    assert_true(talker_say_acked(alice, "still here", "1") > 0);
}

E2E_SCENARIO(client_that_answers_no_ping_is_closed_as_idle)
{
    E2E_NODE(e, "http.ping_s=1");
    const struct ws_client_options options = {.answers_nothing = true};
    struct ws_client *client = e2e_ws(e, &options);
    int64_t start_ms = pump_now_ms();
    assert_non_null(ws_client_wait_kind(client, WS_CLIENT_PING));
    assert_int_equal(ws_client_wait_close(client, 15000), 4000);
    int64_t took_ms = pump_now_ms() - start_ms;
    assert_true(took_ms > 1500);
}

/* Its session outlives the connection. */
E2E_SCENARIO(member_whose_connection_is_idle_keeps_its_place)
{
    E2E_NODE(e, "http.ping_s=1");
    struct talker *alice = talker_in_den(e);
    alice->ws->options.answers_nothing = true;
    assert_int_equal(ws_client_wait_close(alice->ws, 15000), 4000);
    assert_int_equal(talker_resume(alice, e->daemon->http_port), 101);
    assert_true(talker_say_acked(alice, "back", "1") > 0);
    assert_string_equal(alice->record.room, "den");
}

/* Strange contents ----------------------------------------------------------------------------- */

E2E_SCENARIO(malformed_json_is_refused_and_the_connection_stays)
{
    E2E_NODE(e);
    struct talker *alice = talker_in_den(e);
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "null",
        "\"message\"",
        "{}",
        "{\"type\":1}",
        "{\"type\":\"message\"}",
        "{\"type\":\"message\",\"message\":1}",
        "{\"type\":\"message\",\"message\":\"x\",\"id\":1}",
        "{\"type\":\"message\",\"message\":\"\\ud800\"}",
        "{\"type\":\"message\",\"message\":\"x\"} {}",
        "{\"type\":\"history\",\"before\":\"x\"}",
        "{\"type\":\"history\",\"count\":-1}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ws_client_send_text(alice->ws, bad[i]);
        const json_t *error = ws_client_wait_type(alice->ws, "error");
        const char *name = json_string_value(json_object_get(error, "name"));
        const char *code = json_string_value(json_object_get(error, "code"));
        if (name == NULL || strcmp(name, "MALFORMED") != 0 || strcmp(code, "BAD_REQUEST") != 0) {
            fail_msg("%s: %s", bad[i], name != NULL ? name : "no error came");
        }
    }
    ws_client_send_text(alice->ws, "{\"type\":\"unknown\",\"id\":\"u\"}");
    e2e_told(TALKER_WAIT(alice, "error", "code", "BAD_REQUEST", "id", "u"));
    assert_true(talker_say_acked(alice, "unharmed", "1") > 0);
}

E2E_SCENARIO(json_that_nests_without_end_harms_nobody)
{
    E2E_NODE(e);
    struct talker *alice = talker_in_den(e);
    char deep[16001];
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    ws_client_send_text(alice->ws, deep);
    e2e_talk_error(alice, ERR_MALFORMED, NULL);
    assert_true(talker_say_acked(alice, "unharmed", "1") > 0);
}

/* What is no HGTP cannot be answered; the connection may stay or go, and nobody else notices. */
E2E_SCENARIO(binary_that_is_no_hgtp_harms_nobody)
{
    E2E_NODE(e);
    struct talker *alice = talker_in_den(e);
    static uint8_t huge[4096] = "HS\xb0\xb0";
    const struct bytes bad[] = {RAW(""), RAW("H"), RAW("HTTP/1.1 200 OK and so on and on"),
                                bytes_of(huge, sizeof huge)};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ws_client *client = connected(e);
        ws_client_send_frame(client, WS_CLIENT_FIN | WS_CLIENT_BINARY, bad[i]);
        ws_client_send_frame(client, FIN_PING, RAW("there?"));
        if (ws_client_wait_kind(client, WS_CLIENT_PONG) == NULL) {
            int code = ws_client_wait_close(client, WS_CLIENT_WAIT_MS);
            assert_true(code >= 1002 && code <= 1009 && code != WS_CLIENT_NO_CLOSE);
        }
    }
    assert_true(talker_say_acked(alice, "unharmed", "1") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(each_broken_rule_of_framing_closes_with_a_protocol_error),
        E2E_TEST(each_bad_close_frame_closes_with_a_protocol_error),
        E2E_TEST(text_that_is_not_utf_8_closes_the_connection),
        E2E_TEST(frame_without_a_mask_closes_with_a_protocol_error),
        E2E_TEST(message_that_is_announced_too_large_is_refused_at_its_head),
        E2E_TEST(message_that_grows_too_large_in_fragments_is_refused),
        E2E_TEST(text_in_fragments_with_pings_between_is_one_message),
        E2E_TEST(message_that_comes_byte_by_byte_is_one_message),
        E2E_TEST(many_frames_in_one_segment_are_all_heard_in_their_order),
        E2E_TEST(frames_that_come_with_the_handshake_are_heard_or_refused),
        E2E_TEST(ping_is_answered_with_its_payload_and_a_stray_pong_is_not),
        E2E_TEST(close_is_answered_with_its_code),
        E2E_TEST(nothing_that_follows_a_close_is_heard),
        E2E_TEST(client_that_does_not_answer_a_close_is_not_waited_for_long),
        E2E_TEST(silent_client_is_pinged_and_stays_as_long_as_it_answers),
        E2E_TEST(client_that_answers_no_ping_is_closed_as_idle),
        E2E_TEST(member_whose_connection_is_idle_keeps_its_place),
        E2E_TEST(malformed_json_is_refused_and_the_connection_stays),
        E2E_TEST(json_that_nests_without_end_harms_nobody),
        E2E_TEST(binary_that_is_no_hgtp_harms_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
