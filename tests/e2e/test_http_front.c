/* SPDX-License-Identifier: MIT */
/*
 * HTTP as the original speaks it and as the rest of the world does: targets, JSON, framing,
 * refusals with their reasons, and who is taken to be the speaker.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/tool.h"
#include "tests/support/ws_client.h"

static struct http_client *connected(const struct e2e *e)
{
    struct http_client *client = http_client_open(0, SOCKETS_LOOPBACK, e->daemon->http_port);
    assert_non_null(client);
    return client;
}

/* Status of one request on a connection of its own. */
static int status_of(const struct e2e *e, const char *request)
{
    struct http_client *client = connected(e);
    http_client_send(client, bytes_str(request));
    int status = http_client_read(client, true).status;
    http_client_close(client);
    return status;
}

static int post_as(const struct e2e *e, const struct original *user, const char *target,
                   const char *json, char *ret_body, size_t body_cap)
{
    char headers[128];
    snprintf(headers, sizeof headers, "user-agent: %s\r\n", user->user_id);
    return http_client_post(SOCKETS_LOOPBACK, e->daemon->http_port, target, headers, json, ret_body,
                            body_cap);
}

static struct original *talker(struct e2e *e)
{
    struct original *alice = e2e_user(e, "alice");
    e2e_open_room(alice, "den");
    return alice;
}

/* {"code":"NAME","reason":"text"} with the catalogue's text. */
static void expect_refusal(const char *body, const char *code, const char *reason)
{
    json_t *root = json_loads(body, 0, NULL);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "code")), code);
    assert_string_equal(json_string_value(json_object_get(root, "reason")), reason);
    json_decref(root);
}

/* Messages ------------------------------------------------------------------------------------- */

E2E_SCENARIO(message_goes_with_and_without_a_slash)
{
    E2E_NODE(e);
    struct original *alice = talker(e);
    static const char *const targets[] = {"message", "/message"};
    for (size_t i = 0; i < 2; i++) {
        char *json = original_message_json("alice", targets[i], 1);
        assert_int_equal(post_as(e, alice, targets[i], json, NULL, 0), 200);
        free(json);
        e2e_came(original_wait_message(alice, targets[i]));
    }
}

/* The text that the original would show, or NULL: the vector is to be refused. */
static const char *vector_text(const json_t *result)
{
    const char *text = json_string_value(json_object_get(result, "message"));
    return text != NULL && text[0] != '\0' ? text : NULL;
}

E2E_SCENARIO(every_json_that_the_original_takes_is_taken_and_no_other)
{
    E2E_NODE(e);
    struct original *alice = talker(e);
    json_error_t error;
    json_t *root = json_load_file(TEST_DATA_DIR "/hgtp_vectors.json", JSON_ALLOW_NUL, &error);
    const json_t *vectors = json_object_get(root, "http_message_decode");
    assert_true(json_array_size(vectors) > 15);
    for (size_t i = 0; i < json_array_size(vectors); i++) {
        const json_t *vector = json_array_get(vectors, i);
        const json_t *result = json_object_get(vector, "result");
        const char *name = json_string_value(json_object_get(vector, "name"));
        int status = post_as(e, alice, "message",
                             json_string_value(json_object_get(vector, "body")), NULL, 0);
        const char *text = vector_text(result);
        if (text != NULL) {
            if (status != 200) {
                fail_msg("%s: %d", name, status);
            }
            const struct original_event *message = e2e_came(original_wait_message(alice, text));
            assert_string_equal(message->who, "alice");
            assert_int_equal(message->time_unix_ms,
                             json_integer_value(json_object_get(result, "messageTime")));
        } else if (strcmp(name, "empty-strings") != 0 && status != 400) {
            fail_msg("%s: %d", name, status);
        }
    }
    json_decref(root);
}

E2E_SCENARIO(pipelined_requests_are_answered_in_their_order)
{
    E2E_NODE(e);
    struct original *alice = talker(e);
    struct http_client *client = connected(e);
    char request[2048] = "";
    char *json = original_message_json("alice", "one", 1);
    int len = snprintf(
        request, sizeof request,
        "POST message HTTP/1.1\r\nhost: x\r\nuser-agent: %s\r\ncontent-length: %zu\r\n\r\n%s"
        "GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n"
        "POST /message HTTP/1.1\r\nHost: x\r\nUSER-AGENT: %s\r\nContent-Length: %zu\r\n\r\n%s"
        "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n",
        alice->user_id, strlen(json), json, alice->user_id, strlen(json), json);
    free(json);
    http_client_send(client, bytes_of(request, (size_t)len));
    static const int expected[] = {200, 404, 200, 200};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(http_client_read(client, true).status, expected[i]);
    }
    http_client_close(client);
    e2e_came(original_wait_message(alice, "one"));
    e2e_came(original_wait_message(alice, "one"));
}

E2E_SCENARIO(request_in_single_bytes_is_the_same_request)
{
    E2E_NODE(e);
    struct original *alice = talker(e);
    struct http_client *client = connected(e);
    char request[1024];
    char *json = original_message_json("alice", "drop by drop", 1);
    int len = snprintf(
        request, sizeof request,
        "POST message HTTP/1.1\r\nhost: x\r\nuser-agent: %s\r\ncontent-length: %zu\r\n\r\n%s",
        alice->user_id, strlen(json), json);
    free(json);
    for (int i = 0; i < len; i++) {
        http_client_send(client, bytes_of(request + i, 1));
        /* A round trip in between, so that this byte is read alone. */
        assert_int_equal(e2e_get(e, "/healthz", NULL, 0), 200);
    }
    assert_int_equal(http_client_read(client, true).status, 200);
    http_client_close(client);
    e2e_came(original_wait_message(alice, "drop by drop"));
}

E2E_SCENARIO(chunked_body_is_taken)
{
    E2E_NODE(e);
    struct original *alice = talker(e);
    struct http_client *client = connected(e);
    char request[2048];
    char *json = original_message_json("alice", "in pieces", 1);
    int len = snprintf(
        request, sizeof request,
        "POST message HTTP/1.1\r\nhost: x\r\nuser-agent: %s\r\n"
        "transfer-encoding: chunked\r\n\r\n5;x=y\r\n%.5s\r\n%zx\r\n%s\r\n0\r\ntrailer: t\r\n\r\n",
        alice->user_id, json, strlen(json) - 5, json + 5);
    free(json);
    http_client_send(client, bytes_of(request, (size_t)len));
    assert_int_equal(http_client_read(client, true).status, 200);
    http_client_send(client, bytes_str("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"));
    assert_int_equal(http_client_read(client, true).status, 200);
    http_client_close(client);
    e2e_came(original_wait_message(alice, "in pieces"));
}

/* The original closed the connection without an answer (fault 28). */
E2E_SCENARIO(expected_continue_is_given_and_then_the_answer)
{
    E2E_NODE(e);
    struct original *alice = talker(e);
    struct http_client *client = connected(e);
    char head[512];
    char *json = original_message_json("alice", "may I?", 1);
    snprintf(head, sizeof head,
             "POST message HTTP/1.1\r\nhost: x\r\nuser-agent: %s\r\nexpect: 100-continue\r\n"
             "content-length: %zu\r\n\r\n",
             alice->user_id, strlen(json));
    http_client_send(client, bytes_str(head));
    assert_int_equal(http_client_read(client, true).status, 100);
    http_client_send(client, bytes_str(json));
    free(json);
    assert_int_equal(http_client_read(client, true).status, 200);
    http_client_close(client);
    e2e_came(original_wait_message(alice, "may I?"));
}

/* Who speaks ----------------------------------------------------------------------------------- */

E2E_SCENARIO(bearer_token_names_the_speaker_from_anywhere)
{
    E2E_NODE(e);
    struct original *alice = talker(e);
    char headers[512], body[512];
    snprintf(headers, sizeof headers, "Authorization: Bearer %.*s\r\n", (int)alice->token_bytes,
             alice->token);
    char *json = original_message_json("somebody", "by token", 1);
    struct http_client *client =
        http_client_open(SOCKETS_LOOPBACK + 4, SOCKETS_LOOPBACK, e->daemon->http_port);
    assert_non_null(client);
    char request[1024];
    snprintf(request, sizeof request,
             "POST /message HTTP/1.1\r\nhost: x\r\n%scontent-length: %zu\r\n\r\n%s", headers,
             strlen(json), json);
    http_client_send(client, bytes_str(request));
    assert_int_equal(http_client_read(client, true).status, 200);
    http_client_close(client);
    assert_string_equal(e2e_came(original_wait_message(alice, "by token"))->who, "alice");

    assert_int_equal(http_client_post(SOCKETS_LOOPBACK, e->daemon->http_port, "/message",
                                      "Authorization: Bearer nonsense\r\n", json, body,
                                      sizeof body),
                     401);
    free(json);
}

E2E_SCENARIO(refusals_say_why_as_json)
{
    E2E_NODE(e, "limits.message_bytes=100");
    struct original *alice = e2e_user(e, "alice");
    char body[512], long_text[102];
    char *json = original_message_json("alice", "hello", 1);
    assert_int_equal(http_client_post(SOCKETS_LOOPBACK, e->daemon->http_port, "message", "", json,
                                      body, sizeof body),
                     401);
    expect_refusal(body, "NOT_REGISTERED", "not registered: register first");
    assert_int_equal(http_client_post(SOCKETS_LOOPBACK, e->daemon->http_port, "message",
                                      "user-agent: gAAAAAAA\r\n", json, body, sizeof body),
                     401);
    expect_refusal(body, "NOT_REGISTERED", "not registered: register first");
    assert_int_equal(post_as(e, alice, "message", json, body, sizeof body), 409);
    expect_refusal(body, "NOT_IN_ROOM", "not in that room");
    free(json);

    e2e_open_room(alice, "den");
    assert_int_equal(post_as(e, alice, "message", "{bad", body, sizeof body), 400);
    expect_refusal(body, "MALFORMED", "the message is malformed");
    memset(long_text, 'x', sizeof long_text);
    long_text[101] = '\0';
    json = original_message_json("alice", long_text, 1);
    assert_int_equal(post_as(e, alice, "message", json, body, sizeof body), 413);
    expect_refusal(body, "MESSAGE_TOO_LARGE", "the message is too long");
    free(json);
    json = original_message_json("alice", long_text + 1, 1);
    assert_int_equal(post_as(e, alice, "message", json, body, sizeof body), 200);
    free(json);
    json = original_message_json("alice", "\xc3\x28", 1);
    assert_int_equal(post_as(e, alice, "message", json, body, sizeof body), 400);
    expect_refusal(body, "MESSAGE_INVALID",
                   "the message is not valid UTF-8 text, or contains U+0000");
    free(json);
}

E2E_SCENARIO(flood_of_messages_is_refused_and_passes)
{
    E2E_NODE(e, "limits.messages_per_s=5");
    struct original *alice = talker(e);
    for (int i = 0; i < 20; i++) {
        assert_true(original_say(alice, "flood"));
    }
    int taken = 0, refused = 0;
    for (int i = 0; i < 20; i++) {
        const struct original_event *answer = e2e_came(original_wait_answer(alice));
        taken += answer->status == 200;
        refused += answer->status == 429;
    }
    assert_true(taken >= 5 && taken < 15);
    assert_int_equal(taken + refused, 20);
}

/* Framing -------------------------------------------------------------------------------------- */

E2E_SCENARIO(unknown_targets_and_methods_are_refused)
{
    E2E_NODE(e);
    assert_int_equal(status_of(e, "GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n"), 404);
    assert_int_equal(status_of(e, "POST nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"),
                     404);
    struct http_client *client = connected(e);
    http_client_send(client, bytes_str("GET message HTTP/1.1\r\nhost: x\r\n\r\n"));
    struct http_answer answer = http_client_read(client, true);
    assert_int_equal(answer.status, 405);
    assert_non_null(strcasestr(answer.head, "\r\nallow: POST"));
    http_client_send(client, bytes_str("DELETE /metrics HTTP/1.1\r\nhost: x\r\n\r\n"));
    assert_int_equal(http_client_read(client, true).status, 405);
    http_client_close(client);
}

E2E_SCENARIO(lost_framing_is_answered_and_the_connection_closed)
{
    E2E_NODE(e);
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {"garbage\r\n\r\n", 400},
        {"GET /healthz HTTP/1.1\r\n\r\n", 400},
        {"GET /healthz HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n", 400},
        {"GET /healthz HTTP/1.1\r\nhost : x\r\n\r\n", 400},
        {"GET /healthz HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n", 400},
        {"POST message HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
         400},
        {"POST message HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400},
        {"POST message HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: "
         "chunked\r\n\r\n0\r\n\r\n",
         400},
        {"POST message HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n", 400},
        {"POST message HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n", 501},
        {"GET /healthz HTTP/2.0\r\nhost: x\r\n\r\n", 505},
        {"POST message HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n", 413},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_client *client = connected(e);
        http_client_send(client, bytes_str(cases[i].request));
        int status = http_client_read(client, true).status;
        if (status != cases[i].status) {
            fail_msg("%d instead of %d to %s", status, cases[i].status, cases[i].request);
        }
        assert_true(http_client_ended(client));
        http_client_close(client);
    }
}

E2E_SCENARIO(endless_head_and_endless_chunks_are_cut_off)
{
    E2E_NODE(e);
    static char filler[65536];
    memset(filler, 'a', sizeof filler);
    struct http_client *client = connected(e);
    http_client_send(client, bytes_str("GET /healthz HTTP/1.1\r\nhost: x\r\nx: "));
    http_client_send(client, bytes_of(filler, sizeof filler));
    assert_int_equal(http_client_read(client, true).status, 431);
    assert_true(http_client_ended(client));
    http_client_close(client);

    client = connected(e);
    http_client_send(
        client,
        bytes_str("POST message HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"));
    for (int i = 0; i < 8; i++) {
        http_client_send(client, bytes_str("10000\r\n"));
        http_client_send(client, bytes_of(filler, sizeof filler));
        http_client_send(client, bytes_str("\r\n"));
    }
    assert_int_equal(http_client_read(client, true).status, 413);
    assert_true(http_client_ended(client));
    http_client_close(client);
}

E2E_SCENARIO(connection_ends_when_the_client_says_so)
{
    E2E_NODE(e);
    struct http_client *client = connected(e);
    http_client_send(client,
                     bytes_str("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
    assert_int_equal(http_client_read(client, true).status, 200);
    assert_true(http_client_ended(client));
    http_client_close(client);
    client = connected(e);
    http_client_send(client, bytes_str("GET /healthz HTTP/1.0\r\n\r\n"));
    assert_int_equal(http_client_read(client, true).status, 200);
    assert_true(http_client_ended(client));
    http_client_close(client);
}

E2E_SCENARIO(idle_connection_is_closed_and_an_unfinished_request_too)
{
    E2E_NODE(e, "http.idle_s=1");
    struct http_client *idle = connected(e);
    struct http_client *slow = connected(e);
    http_client_send(slow, bytes_str("GET /healthz HTTP/1.1\r\nhost"));
    assert_true(http_client_ended(idle));
    assert_true(http_client_ended(slow));
    http_client_close(idle);
    http_client_close(slow);
}

/* Operation ------------------------------------------------------------------------------------ */

E2E_SCENARIO(health_readiness_and_metrics_answer)
{
    E2E_NODE(e);
    static char body[65536];
    assert_int_equal(e2e_get(e, "/healthz", body, sizeof body), 200);
    assert_int_equal(e2e_get(e, "/readyz", body, sizeof body), 200);
    struct original *alice = talker(e);
    assert_true(original_say(alice, "counted"));
    e2e_came(original_wait_message(alice, "counted"));
    assert_int_equal(e2e_metric(e, "hgtp_messages_total"), 1);
    assert_int_equal(e2e_metric(e, "hgtp_sessions"), 1);
    assert_int_equal(e2e_metric(e, "hgtp_rooms"), 1);
    assert_int_equal(e2e_metric(e, "hgtp_push_connections"), 1);
    assert_int_equal(e2e_get(e, "/metrics", body, sizeof body), 200);
    assert_non_null(strstr(body, "# HELP hgtp_messages_total "));
    assert_non_null(strstr(body, "# TYPE hgtp_messages_total counter\n"));

    struct http_client *client = connected(e);
    http_client_send(client, bytes_str("HEAD /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
                                       "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"));
    assert_int_equal(http_client_read(client, false).status, 200);
    assert_int_equal(http_client_read(client, true).status, 200);
    http_client_close(client);
}

/* Issue 13, item 7. */
E2E_SCENARIO(address_with_too_many_connections_takes_nothing_from_operators_and_others)
{
    enum { SHARE = 20, OPENED = 100 };
    static char body[65536];
    E2E_NODE(e, "limits.connections_per_address=20");
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    struct http_client *silent[OPENED];
    for (size_t i = 0; i < OPENED; i++) {
        silent[i] = connected(e);
    }
    /* The last ones wait, unread, for their turn to be one too many. */
    assert_int_equal(e2e_get(e, "/readyz", NULL, 0), 200);
    assert_int_equal(e2e_get(e, "/healthz", NULL, 0), 200);
    assert_true(e2e_metric(e, "hgtp_http_connections_refused_total{why=\"address\"}") >=
                OPENED - SHARE);
    assert_int_equal(e2e_get(e, "/", body, sizeof body), 503);
    expect_refusal(body, "CONNECTIONS_FULL", err_text(ERR_CONNECTIONS_FULL));
    assert_int_equal(
        status_of(e, "POST /message HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"), 503);
    assert_int_equal(status_of(e, "GET /ws HTTP/1.1\r\nhost: x\r\n\r\n"), 503);
    assert_true(process_wait_output(e->daemon->process, "event=connections_refused", 1000));
    /* Who is there stays there. */
    e2e_talk_ok(talker_exit(alice, "den"));
    /* An address that has no share in it yet. */
    struct http_client *other =
        http_client_open(SOCKETS_LOOPBACK + 1, SOCKETS_LOOPBACK, e->daemon->http_port);
    assert_non_null(other);
    http_client_send(other, bytes_str("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"));
    assert_int_equal(http_client_read(other, true).status, 200);
    http_client_close(other);
    for (size_t i = 0; i < OPENED; i++) {
        http_client_close(silent[i]);
    }
    int64_t deadline_ms = pump_now_ms() + 10000;
    while (e2e_get(e, "/", NULL, 0) != 200) {
        assert_true(pump_now_ms() < deadline_ms);
        e2e_retry_pause();
    }
}

E2E_SCENARIO(connections_through_a_trusted_proxy_have_no_share_by_address)
{
    E2E_NODE(e, "limits.connections_per_address=2", "http.trusted_proxies=127.0.0.0/8");
    struct http_client *clients[10];
    for (size_t i = 0; i < 10; i++) {
        clients[i] = connected(e);
    }
    assert_int_equal(e2e_get(e, "/", NULL, 0), 200);
    assert_int_equal(e2e_metric(e, "hgtp_http_connections_refused_total{why=\"address\"}"), 0);
    for (size_t i = 0; i < 10; i++) {
        http_client_close(clients[i]);
    }
}

/* Issue 13, item 7: who guesses ids and tokens is held back, each address for itself. */
E2E_SCENARIO(address_that_posts_for_nobody_is_held_back_and_others_are_served)
{
    enum { TRIES = 1000 };
    E2E_NODE(e);
    struct original *alice = talker(e);
    struct http_client *mallory =
        http_client_open(SOCKETS_LOOPBACK + 4, SOCKETS_LOOPBACK, e->daemon->http_port);
    assert_non_null(mallory);
    int64_t before = e2e_metric(e, "hgtp_store_calls_total");
    for (int i = 0; i < TRIES; i++) {
        char request[256];
        snprintf(request, sizeof request,
                 "POST /message HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %08dguess\r\n"
                 "content-length: 32\r\n\r\n{\"type\":\"message\",\"message\":\"m\"}",
                 i);
        http_client_send(mallory, bytes_str(request));
    }
    int unknown_count = 0, limited_count = 0;
    for (int i = 0; i < TRIES; i++) {
        int status = http_client_read(mallory, true).status;
        unknown_count += status == 401;
        limited_count += status == 429;
    }
    /* ... nor by another way. */
    http_client_send(mallory, bytes_str("GET /events?token=guessedguessed HTTP/1.1\r\n"
                                        "host: localhost\r\n\r\n"));
    int status = http_client_read(mallory, true).status;
    assert_true(status == 429 || status == 401); /* the second may be over */
    http_client_close(mallory);
    assert_int_equal(unknown_count + limited_count, TRIES);
    assert_true(unknown_count >= 100);
    assert_true(limited_count > 0);
    assert_true(e2e_metric(e, "hgtp_store_calls_total") - before < TRIES);
    assert_true(original_say(alice, "heard"));
    e2e_came(original_wait_message(alice, "heard"));
}

static struct ws_client *attached_from(struct e2e *e, const char *token, const char *address)
{
    char target[256], header[64];
    snprintf(target, sizeof target, "/ws?token=%s", token);
    snprintf(header, sizeof header, "X-Forwarded-For: %s\r\n", address);
    const struct ws_client_options options = {
        .port = e->daemon->http_port, .target = target, .headers = header};
    return ws_client_open(&options);
}

static void expect_address(struct e2e *e, const char *user, const char *address)
{
    TOOL(e->daemon, 0, "-o", "json", "session", "show", user);
    json_t *shown = tool_json();
    assert_string_equal(tool_text(shown, "address"), address);
    json_decref(shown);
}

/* Issue 13, items 7 and 22. */
E2E_SCENARIO(websockets_behind_a_trusted_proxy_count_and_show_for_their_clients)
{
    enum { SHARE = 2 };
    E2E_NODE(e, "limits.connections_per_address=2", "http.trusted_proxies=127.0.0.0/8");
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    expect_address(e, "alice", "127.0.0.1");
    struct ws_client *first = attached_from(e, alice->token, "198.51.100.1");
    struct ws_client *second = attached_from(e, bob->token, "10.1.1.1, 198.51.100.1");
    assert_int_equal(first->status, 101);
    assert_int_equal(second->status, 101);
    expect_address(e, "alice", "198.51.100.1");
    expect_address(e, "bob", "198.51.100.1");
    struct ws_client *third = attached_from(e, alice->token, "198.51.100.1");
    assert_int_equal(third->status, 503);
    expect_refusal(third->body, "CONNECTIONS_FULL", err_text(ERR_CONNECTIONS_FULL));
    struct ws_client *other = attached_from(e, bob->token, "198.51.100.2");
    assert_int_equal(other->status, 101);
    expect_address(e, "bob", "198.51.100.2");
    /* What has ended, or was refused, counts no more. */
    ws_client_free(first);
    ws_client_free(second);
    ws_client_free(third);
    struct ws_client *stranger = attached_from(e, "AAAAAAAAwrong", "198.51.100.1");
    assert_int_equal(stranger->status, 401);
    int64_t deadline_ms = pump_deadline_ms(10000);
    struct ws_client *again = attached_from(e, alice->token, "198.51.100.1");
    while (again->status != 101) {
        assert_true(pump_now_ms() < deadline_ms);
        ws_client_free(again);
        e2e_retry_pause();
        again = attached_from(e, alice->token, "198.51.100.1");
    }
    ws_client_free(again);
    ws_client_free(stranger);
    ws_client_free(other);
}

E2E_SCENARIO(forwarded_address_gives_no_right_and_is_not_believed_of_strangers)
{
    E2E_NODE(e, "http.trusted_proxies=192.0.2.1");
    struct talker *alice = e2e_talker(e, "alice");
    struct ws_client *line = attached_from(e, alice->token, "198.51.100.1");
    assert_int_equal(line->status, 101);
    expect_address(e, "alice", "127.0.0.1");
    ws_client_free(line);
}

/* An original client is known by the address that it sends from; a proxy could say any. */
E2E_SCENARIO(forwarded_address_of_an_original_client_does_not_speak_for_it)
{
    E2E_NODE(e, "http.trusted_proxies=127.0.0.0/8");
    struct original *alice = talker(e);
    char *json = original_message_json("alice", "forged", 1);
    char request[1024];
    snprintf(request, sizeof request,
             "POST /message HTTP/1.1\r\nhost: x\r\nuser-agent: %s\r\n"
             "x-forwarded-for: 127.0.0.1\r\ncontent-length: %zu\r\n\r\n%s",
             alice->user_id, strlen(json), json);
    free(json);
    struct http_client *client =
        http_client_open(SOCKETS_LOOPBACK + 4, SOCKETS_LOOPBACK, e->daemon->http_port);
    http_client_send(client, bytes_str(request));
    assert_int_equal(http_client_read(client, true).status, 403);
    http_client_close(client);
    assert_int_equal(e2e_metric(e, "hgtp_messages_total"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(message_goes_with_and_without_a_slash),
        E2E_TEST(every_json_that_the_original_takes_is_taken_and_no_other),
        E2E_TEST(pipelined_requests_are_answered_in_their_order),
        E2E_TEST(request_in_single_bytes_is_the_same_request),
        E2E_TEST(chunked_body_is_taken),
        E2E_TEST(expected_continue_is_given_and_then_the_answer),
        E2E_TEST(bearer_token_names_the_speaker_from_anywhere),
        E2E_TEST(refusals_say_why_as_json),
        E2E_TEST(flood_of_messages_is_refused_and_passes),
        E2E_TEST(unknown_targets_and_methods_are_refused),
        E2E_TEST(lost_framing_is_answered_and_the_connection_closed),
        E2E_TEST(endless_head_and_endless_chunks_are_cut_off),
        E2E_TEST(connection_ends_when_the_client_says_so),
        E2E_TEST(idle_connection_is_closed_and_an_unfinished_request_too),
        E2E_TEST(address_with_too_many_connections_takes_nothing_from_operators_and_others),
        E2E_TEST(connections_through_a_trusted_proxy_have_no_share_by_address),
        E2E_TEST(websockets_behind_a_trusted_proxy_count_and_show_for_their_clients),
        E2E_TEST(forwarded_address_gives_no_right_and_is_not_believed_of_strangers),
        E2E_TEST(forwarded_address_of_an_original_client_does_not_speak_for_it),
        E2E_TEST(address_that_posts_for_nobody_is_held_back_and_others_are_served),
        E2E_TEST(health_readiness_and_metrics_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
