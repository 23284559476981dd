/* SPDX-License-Identifier: MIT */
/*
 * One client asks for more than its share: the excess is refused in each front's form, it can leave
 * all the same, others are served as ever, and operators read whom it was. How fast the others are
 * served is for tests/bench. Issue 13, items 6 and 7.
 */
#include <stdlib.h>

#include "tests/support/e2e_talk.h"

#define FLOOD 400

/* Answers to a talker's requests of one type. */
struct answers {
    const struct talker *talker;
    enum hgtp_type type;
    size_t wanted, ok, refused, other;
};

static bool count_answers(void *arg)
{
    struct answers *answers = arg;
    answers->ok = answers->refused = answers->other = 0;
    for (size_t i = 0; i < answers->talker->ws->count; i++) {
        const struct ws_client_message *message = answers->talker->ws->messages[i];
        struct hgtp_message msg;
        if (message->kind != WS_CLIENT_BINARY ||
            hgtp_decode(message->payload, &msg) != HGTP_DECODED ||
            msg.header.request_type != answers->type || hgtp_type_is_request(msg.header.type)) {
            continue;
        }
        struct hgtp_reason reason = {0};
        bool is_ok = msg.header.type == HGTP_OK;
        bool is_refused =
            !is_ok && hgtp_reason_decode(msg.body, &reason) && reason.code == ERR_RATE_LIMITED;
        answers->ok += is_ok ? 1 : 0;
        answers->refused += is_refused ? 1 : 0;
        answers->other += !is_ok && !is_refused ? 1 : 0;
    }
    return answers->ok + answers->refused + answers->other >= answers->wanted;
}

static struct answers wait_answers(const struct talker *talker, enum hgtp_type type, size_t wanted)
{
    struct answers answers = {.talker = talker, .type = type, .wanted = wanted};
    assert_true(pump_until(count_answers, &answers, 20000));
    return answers;
}

static void send_plain(struct talker *talker, enum hgtp_type type, int count)
{
    for (int i = 0; i < count; i++) {
        uint8_t storage[HGTP_DATAGRAM_MAX];
        struct sink out = sink_into(storage, sizeof storage);
        talk_request_plain(&talker->speaker, type, &out);
        talker_send(talker, sink_bytes(&out));
    }
}

static void send_name(struct talker *talker, enum hgtp_type type, const char *room, int count)
{
    for (int i = 0; i < count; i++) {
        uint8_t storage[HGTP_DATAGRAM_MAX];
        struct sink out = sink_into(storage, sizeof storage);
        talk_request_name(&talker->speaker, type, room, &out);
        talker_send(talker, sink_bytes(&out));
    }
}

/* Two who talk, and whom nothing is refused. */
static void pair_enters(struct e2e *e, struct talker *pair[2])
{
    pair[0] = e2e_talker(e, "alice");
    pair[1] = e2e_talker(e, "bob");
    e2e_talk_open_room(pair[0], "den");
    e2e_talk_join_room(pair[1], "den");
}

static void pair_talks(struct talker *const pair[2], const char *about)
{
    char text[64];
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "%s %d", about, i);
        assert_true(talker_say_acked(pair[i % 2], text, NULL) > 0);
        e2e_told(TALKER_WAIT(pair[(i + 1) % 2], "message", "message", text));
    }
}

E2E_SCENARIO(flood_of_refresh_is_refused_and_others_are_served)
{
    E2E_NODE(e, "limits.cost_per_s=100");
    struct talker *pair[2], *mallory = e2e_talker(e, "mallory");
    pair_enters(e, pair);
    send_plain(mallory, HGTP_REFRESH, FLOOD);
    pair_talks(pair, "during the flood");
    struct answers answers = wait_answers(mallory, HGTP_REFRESH, FLOOD);
    assert_true(answers.ok > 0 && answers.refused > 0);
    assert_int_equal(answers.other, 0);
    assert_true(e2e_metric(e, "hgtp_rate_limited_total") >= (int64_t)answers.refused);
    assert_true(e2e_metric(e, "hgtp_request_cost_total") > 100);
    assert_true(process_wait_output(e->daemon->process, "event=rate_limited", 5000));
    const char *line = strstr(process_stderr(e->daemon->process), "event=rate_limited");
    char start[512];
    snprintf(start, sizeof start, "%.*s", (int)strcspn(line, "\n"), line);
    assert_non_null(strstr(start, "user=mallory"));
    assert_non_null(strstr(start, mallory->speaker.user_id));
    assert_non_null(strstr(start, "address=127.0.0.1"));
}

E2E_SCENARIO(who_has_used_up_his_share_can_leave)
{
    E2E_NODE(e, "limits.cost_per_s=50");
    struct talker *pair[2], *mallory = e2e_talker(e, "mallory");
    pair_enters(e, pair);
    e2e_talk_join_room(mallory, "den");
    send_plain(mallory, HGTP_REFRESH, FLOOD);
    e2e_talk_ok(talker_exit(mallory, "den"));
    e2e_told(TALKER_WAIT(pair[0], "notice", "event", "left", "user", "mallory"));
    send_plain(mallory, HGTP_REFRESH, FLOOD);
    e2e_talk_ok(talker_unregister(mallory));
}

E2E_SCENARIO(flood_of_leaving_is_never_refused_for_its_cost_and_others_are_served)
{
    enum { COUNT = 150 };
    E2E_NODE(e, "limits.cost_per_s=50");
    struct talker *pair[2], *mallory = e2e_talker(e, "mallory");
    pair_enters(e, pair);
    send_name(mallory, HGTP_EXIT_ROOM, "den", COUNT);
    pair_talks(pair, "while one leaves and leaves");
    struct answers answers = wait_answers(mallory, HGTP_EXIT_ROOM, COUNT);
    assert_int_equal(answers.refused, 0);
    assert_int_equal(answers.other, COUNT); /* it is not in that room */
}

E2E_SCENARIO(flood_of_history_is_refused_with_its_id_and_over_http_with_429)
{
    E2E_NODE(e, "limits.cost_per_s=200");
    struct talker *pair[2], *mallory = e2e_talker(e, "mallory");
    pair_enters(e, pair);
    e2e_talk_open_room(mallory, "hall");
    static char text[10001];
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 30; i++) {
        talker_say(mallory, text, NULL); /* some of them are too much already */
    }
    for (int i = 0; i < 50; i++) {
        ws_client_send_text(mallory->ws, "{\"type\":\"history\",\"count\":100,\"id\":\"h\"}");
    }
    e2e_talk_error(mallory, ERR_RATE_LIMITED, "h");
    pair_talks(pair, "during the flood");

    char headers[256], body[1024];
    snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", mallory->token);
    int status = 200;
    for (int i = 0; i < FLOOD && status == 200; i++) {
        status = http_client_post(SOCKETS_LOOPBACK, e->daemon->http_port, "/message", headers,
                                  "{\"type\":\"history\",\"count\":100}", body, sizeof body);
    }
    assert_int_equal(status, 429);
    assert_non_null(strstr(body, "\"name\":\"RATE_LIMITED\""));
    struct http_client *client = http_client_open(0, SOCKETS_LOOPBACK, e->daemon->http_port);
    char request[512];
    for (status = 200; status == 200;) {
        snprintf(request, sizeof request,
                 "POST /message HTTP/1.1\r\nHost: 127.0.0.1\r\n%sContent-Length: 18\r\n\r\n"
                 "{\"type\":\"history\"}",
                 headers);
        http_client_send(client, bytes_str(request));
        struct http_answer answer = http_client_read(client, true);
        status = answer.status;
        assert_true(status == 200 || strstr(answer.head, "Retry-After: ") != NULL);
    }
    assert_int_equal(status, 429);
    http_client_close(client);
}

E2E_SCENARIO(original_beyond_its_share_is_told_so_and_gets_out)
{
    E2E_NODE(e, "limits.cost_per_s=20");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(bob, "hall");
    e2e_ok(e2e_came(original_delete(bob)));
    for (int i = 0; i < 60; i++) {
        original_send_plain(bob, HGTP_REFRESH);
        e2e_came(original_wait_response(bob, HGTP_REFRESH));
    }
    struct hgtp_reason reason = {0};
    while (reason.code != ERR_RATE_LIMITED) {
        original_send_name(bob, HGTP_JOIN_ROOM, "no such room");
        const struct original_event *event = e2e_came(original_wait_response(bob, HGTP_JOIN_ROOM));
        assert_int_equal(event->msg.header.type, HGTP_BAD_REQUEST);
        assert_true(hgtp_reason_decode(event->msg.body, &reason));
    }
    original_send_name(bob, HGTP_EXIT_ROOM, "hall");
    e2e_ok(e2e_came(original_wait_response(bob, HGTP_EXIT_ROOM)));
    assert_true(original_is_healthy(bob));
}

E2E_SCENARIO(address_has_a_share_and_a_trusted_proxy_has_none)
{
    E2E_NODE(e, "limits.address_cost_per_s=30", "http.trusted_proxies=127.0.0.3/32");
    char body[1024];
    struct http_client *clients[3];
    static const uint32_t from[] = {SOCKETS_LOOPBACK + 1, SOCKETS_LOOPBACK + 2,
                                    SOCKETS_LOOPBACK + 3};
    int limited[3] = {0};
    for (size_t i = 0; i < 3; i++) {
        clients[i] = http_client_open(from[i], SOCKETS_LOOPBACK, e->daemon->http_port);
        for (int n = 0; n < (i == 2 ? 1 : 300); n++) {
            snprintf(body, sizeof body,
                     "GET /events?token=%08dabcdefghijklmnopqrstuvwx HTTP/1.1\r\n"
                     "Host: 127.0.0.1\r\n\r\n",
                     n);
            http_client_send(clients[i], bytes_str(body));
            struct http_answer answer = http_client_read(clients[i], true);
            limited[i] += answer.status == 429 ? 1 : 0;
            if (strstr(answer.head, "onnection: close") != NULL) {
                http_client_close(clients[i]);
                clients[i] = http_client_open(from[i], SOCKETS_LOOPBACK, e->daemon->http_port);
            }
        }
        http_client_close(clients[i]);
    }
    assert_true(limited[0] > 0);
    assert_int_equal(limited[1], 0);
    assert_int_equal(limited[2], 0);
}

/* History -------------------------------------------------------------------------------------- */

E2E_SCENARIO(recent_history_comes_from_memory_and_is_what_the_log_has)
{
    E2E_NODE(e);
    struct talker *pair[2];
    pair_enters(e, pair);
    for (int i = 0; i < 4; i++) {
        pair_talks(pair, "text");
    }
    json_t *recent = json_object_get(e2e_told(talker_history(pair[0], 0, 10)), "entries");
    assert_int_equal(e2e_metric(e, "hgtp_history_total{from=\"memory\"}"), 1);
    assert_int_equal(json_array_size(recent), 10);
    json_t *older = json_object_get(e2e_told(talker_history(pair[0], 0, 100)), "entries");
    assert_int_equal(e2e_metric(e, "hgtp_history_total{from=\"log\"}"), 1);
    size_t count = json_array_size(older);
    assert_true(count > 64);
    for (size_t i = 0; i < 10; i++) {
        assert_true(json_equal(json_array_get(recent, i), json_array_get(older, count - 10 + i)));
    }
    /* Not to one who has left. */
    e2e_talk_ok(talker_exit(pair[1], "den"));
    ws_client_send_text(pair[1]->ws, "{\"type\":\"history\",\"id\":\"gone\"}");
    e2e_talk_error(pair[1], ERR_NOT_IN_ROOM, "gone");
}

/* Wrong keys ----------------------------------------------------------------------------------- */

static struct talker_reply try_key(struct e2e *e, const char *name, const char *key)
{
    struct talker *talker = e2e_visitor(e, name);
    talker->options.key = key != NULL ? key : TALKER_KEY;
    return talker_prove(talker);
}

E2E_SCENARIO(wrong_keys_for_a_name_have_to_wait_and_others_have_not)
{
    E2E_NODE(e);
    for (int i = 0; i < 5; i++) {
        e2e_talk_refused(try_key(e, "alice", "wrong"), HGTP_FORBIDDEN, ERR_WRONG_DIGEST);
    }
    e2e_talk_refused(try_key(e, "alice", "wrong"), HGTP_SERVER_UNAVAILABLE, ERR_RATE_LIMITED);
    /* ALICE is the same name. */
    e2e_talk_refused(try_key(e, "ALICE", "wrong"), HGTP_SERVER_UNAVAILABLE, ERR_RATE_LIMITED);
    e2e_talk_ok(try_key(e, "bob", NULL));
    struct original *alice = e2e_user(e, "alice"); /* by datagrams */
    e2e_ok(e2e_came(original_unregister(alice)));
    assert_true(process_wait_output(e->daemon->process, "event=wrong_keys", 5000));
    struct talker_reply reply = try_key(e, "alice", NULL);
    while (reply.has_come && reply.msg.header.type == HGTP_SERVER_UNAVAILABLE) {
        e2e_retry_pause();
        reply = try_key(e, "alice", NULL);
    }
    e2e_talk_ok(reply);
}

E2E_SCENARIO(forged_datagrams_with_wrong_keys_hold_nobody_back)
{
    E2E_NODE(e);
    for (int i = 0; i < 30; i++) {
        struct original *forger = e2e_client(e, "alice");
        forger->options.is_manual = true;
        original_send_register(forger);
        e2e_came(original_wait_response(forger, HGTP_REGISTER));
        /* It has not read the answer. */
        original_send_proof(forger, 3, "HGTP_SERVICE:guess", "guess");
        e2e_came(original_wait_response(forger, HGTP_REGISTER));
        e2e_vanish(e, forger);
    }
    struct original *alice = e2e_user(e, "alice");
    assert_true(alice->registered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(flood_of_refresh_is_refused_and_others_are_served),
        E2E_TEST(who_has_used_up_his_share_can_leave),
        E2E_TEST(flood_of_leaving_is_never_refused_for_its_cost_and_others_are_served),
        E2E_TEST(flood_of_history_is_refused_with_its_id_and_over_http_with_429),
        E2E_TEST(original_beyond_its_share_is_told_so_and_gets_out),
        E2E_TEST(address_has_a_share_and_a_trusted_proxy_has_none),
        E2E_TEST(recent_history_comes_from_memory_and_is_what_the_log_has),
        E2E_TEST(wrong_keys_for_a_name_have_to_wait_and_others_have_not),
        E2E_TEST(forged_datagrams_with_wrong_keys_hold_nobody_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
