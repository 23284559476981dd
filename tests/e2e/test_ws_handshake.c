/* SPDX-License-Identifier: MIT */
/*
 * How a WebSocket comes into being: RFC 6455 section 4, by hand, with what is refused and why; who
 * may open one from which page; subprotocol and extensions.
 */
#include "tests/support/e2e_talk.h"

#define KEY  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define V13  "Sec-WebSocket-Version: 13\r\n"
#define UP   "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
#define GET  "GET /ws HTTP/1.1\r\n"
#define DONE "\r\n"

/* Of one request on a connection of its own; its answer lives until the next call. */
static struct http_answer answer_to(const struct e2e *e, const char *request)
{
    static struct http_client *client;
    http_client_close(client);
    client = http_client_open(0, SOCKETS_LOOPBACK, e->daemon->http_port);
    assert_non_null(client);
    http_client_send(client, bytes_str(request));
    return http_client_read(client, true);
}

static bool has_header(const char *head, const char *line)
{
    char wanted[256];
    snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    return strcasestr(head, wanted) != NULL;
}

E2E_SCENARIO(example_of_the_rfc_is_answered_as_the_rfc_says)
{
    E2E_NODE(e);
    struct http_answer answer = answer_to(e, GET UP KEY V13 DONE);
    assert_int_equal(answer.status, 101);
    assert_true(has_header(answer.head, "upgrade: websocket"));
    assert_true(has_header(answer.head, "connection: upgrade"));
    assert_true(has_header(answer.head, "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_null(strcasestr(answer.head, "sec-websocket-protocol"));
    assert_null(strcasestr(answer.head, "content-length"));
}

E2E_SCENARIO(handshake_is_read_as_http_is)
{
    E2E_NODE(e);
    static const char *const good[] = {
        GET "Host: x\r\nUPGRADE: WebSocket\r\nconnection: keep-alive, UPGRADE\r\n" KEY V13 DONE,
        GET "Host: x\r\nUpgrade: h2c, websocket\r\nConnection:upgrade ,close\r\n" KEY V13 DONE,
        GET
        "Host: x\r\nConnection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" KEY V13
            DONE,
        GET UP "Sec-WebSocket-Key:  dGhlIHNhbXBsZSBub25jZQ== \r\n" V13 DONE,
        "GET /ws?x=y HTTP/1.1\r\n" UP KEY V13 DONE,
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int status = answer_to(e, good[i]).status;
        if (status != 101) {
            fail_msg("%d for %s", status, good[i]);
        }
    }
}

E2E_SCENARIO(other_versions_are_told_which_one_is_spoken)
{
    E2E_NODE(e);
    static const char *const others[] = {
        GET UP KEY "Sec-WebSocket-Version: 8\r\n" DONE,
        GET UP KEY "Sec-WebSocket-Version: 0\r\n" DONE,
        GET UP KEY "Sec-WebSocket-Version: 130\r\n" DONE,
        GET UP KEY "Sec-WebSocket-Version: x\r\n" DONE,
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct http_answer answer = answer_to(e, others[i]);
        assert_int_equal(answer.status, 426);
        assert_true(has_header(answer.head, "sec-websocket-version: 13"));
    }
}

E2E_SCENARIO(handshake_without_a_good_key_is_a_bad_request)
{
    E2E_NODE(e);
    static const char *const bad[] = {
        GET UP V13 DONE,
        GET UP "Sec-WebSocket-Key: \r\n" V13 DONE,
        GET UP "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n" V13 DONE,
        GET UP "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSBpcyBsb25n\r\n" V13 DONE,
        GET UP "Sec-WebSocket-Key: dGhlIHNhb!BsZSBub25jZQ==\r\n" V13 DONE,
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int status = answer_to(e, bad[i]).status;
        if (status != 400) {
            fail_msg("%d for %s", status, bad[i]);
        }
    }
}

E2E_SCENARIO(request_that_does_not_ask_for_a_websocket_gets_none)
{
    E2E_NODE(e);
    struct http_answer answer = answer_to(e, GET "Host: x\r\n" DONE);
    assert_true(answer.status == 400 || answer.status == 426);
    answer = answer_to(e, GET "Host: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n" KEY V13 DONE);
    assert_true(answer.status == 400 || answer.status == 426);
    answer = answer_to(e, GET "Host: x\r\nUpgrade: websocket\r\n" KEY V13 DONE);
    assert_true(answer.status == 400 || answer.status == 426);
    answer = answer_to(e, "GET /ws HTTP/1.0\r\n" UP KEY V13 DONE);
    assert_true(answer.status >= 400);
}

E2E_SCENARIO(other_methods_are_not_allowed)
{
    E2E_NODE(e);
    struct http_answer answer =
        answer_to(e, "POST /ws HTTP/1.1\r\n" UP KEY V13 "Content-Length: 0\r\n" DONE);
    assert_int_equal(answer.status, 405);
    assert_non_null(strcasestr(answer.head, "\r\nallow: GET"));
    answer = answer_to(e, "PUT /ws HTTP/1.1\r\n" UP KEY V13 "Content-Length: 0\r\n" DONE);
    assert_int_equal(answer.status, 405);
}

/* Proxies keep connections and use them for whatever comes next. Again and again, because the node
 * may not have put an answer away when the next request is there. */
E2E_SCENARIO(connection_that_was_used_for_http_becomes_a_websocket)
{
    E2E_NODE(e);
    static const struct {
        const char *request;
        int status;
    } steps[] = {
        {GET UP KEY "Sec-WebSocket-Version: 8\r\n" DONE, 426},
        {"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 200},
        {GET UP KEY V13 DONE, 101},
    };
    for (int i = 0; i < 50; i++) {
        struct http_client *client = http_client_open(0, SOCKETS_LOOPBACK, e->daemon->http_port);
        assert_non_null(client);
        for (size_t j = 0; j < 3; j++) {
            http_client_send(client, bytes_str(steps[j].request));
            assert_int_equal(http_client_read(client, true).status, steps[j].status);
        }
        http_client_close(client);
    }
}

/* Origins -------------------------------------------------------------------------------------- */

static int status_from(struct e2e *e, const char *origin)
{
    const struct ws_client_options options = {.origin = origin};
    return e2e_ws(e, &options)->status;
}

E2E_SCENARIO(page_of_another_origin_may_not_connect)
{
    E2E_NODE(e);
    char own[64], other_port[64];
    snprintf(own, sizeof own, "http://127.0.0.1:%u", e->daemon->http_port);
    snprintf(other_port, sizeof other_port, "http://127.0.0.1:%u", e->daemon->http_port + 1);
    assert_int_equal(status_from(e, NULL), 101);
    assert_int_equal(status_from(e, own), 101);
    assert_int_equal(status_from(e, other_port), 403);
    assert_int_equal(status_from(e, "http://127.0.0.1"), 403);
    assert_int_equal(status_from(e, "https://evil.example"), 403);
    assert_int_equal(status_from(e, "http://127.0.0.1.evil.example"), 403);
    assert_int_equal(status_from(e, "null"), 403);
}

E2E_SCENARIO(origins_that_the_configuration_names_may_connect)
{
    E2E_NODE(e, "http.allowed_origins=https://talk.example,http://other.example:8080");
    assert_int_equal(status_from(e, "https://talk.example"), 101);
    assert_int_equal(status_from(e, "http://other.example:8080"), 101);
    assert_int_equal(status_from(e, NULL), 101);
    assert_int_equal(status_from(e, "http://talk.example"), 403);
    assert_int_equal(status_from(e, "https://talk.example.evil"), 403);
    assert_int_equal(status_from(e, "https://xtalk.example"), 403);
    assert_int_equal(status_from(e, "http://other.example"), 403);
}

/* Subprotocol and extensions ------------------------------------------------------------------- */

/* The client itself checks that what was not offered does not come. */
static bool speaks_hgtp(struct e2e *e, const char *offered)
{
    const struct ws_client_options options = {.protocols = offered};
    const struct ws_client *client = e2e_ws(e, &options);
    assert_int_equal(client->status, 101);
    assert_null(client->broken);
    return has_header(client->head, "sec-websocket-protocol: hgtp");
}

E2E_SCENARIO(subprotocol_is_chosen_when_it_is_offered)
{
    E2E_NODE(e);
    assert_true(speaks_hgtp(e, "hgtp"));
    assert_true(speaks_hgtp(e, "chat, hgtp"));
    assert_true(speaks_hgtp(e, "hgtp,superchat"));
    assert_false(speaks_hgtp(e, NULL));
    assert_false(speaks_hgtp(e, "chat"));
    assert_false(speaks_hgtp(e, "hgtp2"));
}

/* The client itself checks that no extension comes; the talk shows that none is in use. */
E2E_SCENARIO(compression_is_declined)
{
    E2E_NODE(e);
    const struct ws_client_options options = {
        .headers = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"};
    struct ws_client *client = e2e_ws(e, &options);
    assert_int_equal(client->status, 101);
    assert_null(client->broken);
    ws_client_send_text(client, "{\"type\":\"history\"}");
    e2e_told(ws_client_wait_type(client, "error"));
    ws_client_send_frame(client, WS_CLIENT_FIN | WS_CLIENT_RSV1 | WS_CLIENT_TEXT, bytes_str("x"));
    assert_int_equal(ws_client_wait_close(client, WS_CLIENT_WAIT_MS), 1002);
}

/* Tokens --------------------------------------------------------------------------------------- */

static void expect_dead(const struct ws_client *client)
{
    assert_int_equal(client->status, 401);
    json_t *body = json_loads(client->body, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(body, "code")), "NOT_REGISTERED");
    assert_non_null(json_string_value(json_object_get(body, "reason")));
    json_decref(body);
}

E2E_SCENARIO(token_that_nobody_has_is_unauthorized)
{
    E2E_NODE(e);
    static const char *const targets[] = {
        "/ws?token=abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
        "/ws?token=x",
        "/ws?token=%00%ff&after=3",
        "/ws?after=3&token=x",
    };
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        const struct ws_client_options options = {.target = targets[i]};
        expect_dead(e2e_ws(e, &options));
    }
}

E2E_SCENARIO(token_of_a_session_that_has_ended_is_unauthorized)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_ok(talker_unregister(alice));
    assert_int_equal(ws_client_wait_close(alice->ws, WS_CLIENT_WAIT_MS), 1000);
    char target[512];
    talker_target(alice, -1, target, sizeof target);
    const struct ws_client_options options = {.target = target};
    expect_dead(e2e_ws(e, &options));
}

E2E_SCENARIO(numbers_in_the_query_that_are_none_are_refused_or_ignored)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    static const char *const queries[] = {
        "&after=-1", "&after=x", "&after=", "&after=1e3", "&after=99999999999999999999999",
        "&epoch=%00"};
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        char target[512];
        talker_target(alice, -1, target, sizeof target);
        strncat(target, queries[i], sizeof target - strlen(target) - 1);
        const struct ws_client_options options = {.target = target};
        int status = e2e_ws(e, &options)->status;
        assert_true(status == 101 || status == 400);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(example_of_the_rfc_is_answered_as_the_rfc_says),
        E2E_TEST(handshake_is_read_as_http_is),
        E2E_TEST(other_versions_are_told_which_one_is_spoken),
        E2E_TEST(handshake_without_a_good_key_is_a_bad_request),
        E2E_TEST(request_that_does_not_ask_for_a_websocket_gets_none),
        E2E_TEST(other_methods_are_not_allowed),
        E2E_TEST(connection_that_was_used_for_http_becomes_a_websocket),
        E2E_TEST(page_of_another_origin_may_not_connect),
        E2E_TEST(origins_that_the_configuration_names_may_connect),
        E2E_TEST(subprotocol_is_chosen_when_it_is_offered),
        E2E_TEST(compression_is_declined),
        E2E_TEST(token_that_nobody_has_is_unauthorized),
        E2E_TEST(token_of_a_session_that_has_ended_is_unauthorized),
        E2E_TEST(numbers_in_the_query_that_are_none_are_refused_or_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
