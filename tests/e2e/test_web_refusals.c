/* SPDX-License-Identifier: MIT */
/*
 * What web pages and programs are refused over HTTP and how they are told: by a JSON body,
 * whatever path, method, parser error or limit it was; by the id of the text that could not be
 * read. And which host names and origins are a node's own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/e2e_talk.h"

/* The answer to bytes as they are, on a connection of its own; NULL where there is no JSON. */
static json_t *answer_to(struct e2e *e, const char *request, int *ret_status)
{
    struct http_client *client = http_client_open(0, SOCKETS_LOOPBACK, e->daemon->http_port);
    assert_non_null(client);
    http_client_send(client, bytes_str(request));
    struct http_answer answer = http_client_read(client, true);
    *ret_status = answer.status;
    json_t *json = answer.body != NULL ? json_loads(answer.body, 0, NULL) : NULL;
    http_client_close(client);
    return json;
}

static const char *member(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text != NULL ? text : "";
}

static void refused_by_json(struct e2e *e, const char *request, int wanted)
{
    int status;
    json_t *json = answer_to(e, request, &status);
    if (status != wanted || strcmp(member(json, "type"), "error") != 0 ||
        member(json, "code")[0] == '\0' || member(json, "reason")[0] == '\0') {
        fail_msg("%.200s: %d, not %d, or no JSON that says why", request, status, wanted);
    }
    json_decref(json);
}

/* 10 */
E2E_SCENARIO(every_refusal_has_a_body_of_json)
{
    E2E_NODE(e);
#define REST " HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    static const struct {
        const char *request;
        int status;
    } refusals[] = {
        {"GET /nowhere" REST "\r\n", 404},
        {"POST /nowhere" REST "Content-Length: 2\r\n\r\nhi", 404},
        {"GET *" REST "\r\n", 404},
        {"GET /web/none.js" REST "\r\n", 404},
        {"POST /" REST "Content-Length: 0\r\n\r\n", 405},
        {"DELETE /web/hgtp.js" REST "\r\n", 405},
        {"GET /message" REST "\r\n", 405},
        {"GET /hgtp" REST "\r\n", 405},
        {"PUT /healthz" REST "\r\n", 405},
        {"PUT /readyz" REST "\r\n", 405},
        {"PUT /metrics" REST "\r\n", 405},
        {"POST /ws" REST "Content-Length: 0\r\n\r\n", 405},
        {"POST /events" REST "Content-Length: 0\r\n\r\n", 405},
        {"GET /ws" REST "\r\n", 426},
        {"GET /ws?after=x" REST
         "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         400},
        {"GET /ws?token=none" REST
         "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
         401},
        {"GET /events" REST "\r\n", 401},
        {"GET /events?token=nobody" REST "\r\n", 401},
        {"GET /events?try=nine" REST "\r\n", 400},
        {"POST /message" REST "Content-Length: 2\r\n\r\nhi", 400},
        {"POST /message" REST "Content-Length: 2\r\n\r\n{}", 400},
        {"POST /hgtp" REST "Content-Length: 2\r\n\r\nhi", 400},
        {"POST /message" REST "Origin: http://evil.example\r\nContent-Length: 2\r\n\r\n{}", 403},
        {"POST /message" REST "Content-Length: 999999999\r\n\r\n", 413},
        {"POST /message" REST "Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n", 413},
        {"POST /message" REST "Transfer-Encoding: gzip\r\n\r\n", 501},
        {"POST /message" REST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"POST /message" REST "Content-Length: one\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET /\r\n\r\n", 400},
        {"\x16\x03\x01\r\n\r\n", 400},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        refused_by_json(e, refusals[i].request, refusals[i].status);
    }
    static char long_head[40000];
    int len = snprintf(long_head, sizeof long_head, "GET /" REST "X: ");
    memset(long_head + len, 'x', 20000);
    snprintf(long_head + len + 20000, sizeof long_head - (size_t)len - 20000, "\r\n\r\n");
    refused_by_json(e, long_head, 431);
}

/* A text over a WebSocket, and the error that has to come of it. */
static void text_fails_with_id(struct talker *alice, const char *text, const char *id)
{
    ws_client_send_text(alice->ws, text);
    const json_t *error = e2e_told(ws_client_wait_type(alice->ws, "error"));
    if (strcmp(member(error, "id"), id) != 0) {
        fail_msg("%.100s: the error has the id [%s]", text, member(error, "id"));
    }
}

/* 10 */
E2E_SCENARIO(text_that_cannot_be_read_is_refused_with_its_id)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    static const struct {
        const char *text, *id;
    } texts[] = {
        {"{\"type\":\"message\",\"id\":\"h\",\"message\":\"\\ud83d\"}", "h"},
        {"{\"type\":\"message\",\"message\":\"\\udc00 x\",\"id\":\"h2\"}", "h2"},
        {"{\"message\":7,\"id\":\"h3\",\"type\":\"message\"}", "h3"},
        {"{\"type\":\"message\",\"id\":\"h4\"}", "h4"},
        {"{\"type\":\"message\",\"id\":\"h5\",\"message\":\"x\"", "h5"},
        {"{\"type\":\"message\",\"id\":\"h6\",\"message\":\"no end", "h6"},
        {"{\"type\":\"message\",\"id\":\"h7\",\"message\":\"bad \\x escape\"}", "h7"},
        {"{\"type\":\"shout\",\"id\":\"h8\"}", "h8"},
        {"{\"type\":5,\"id\":\"h9\"}", "h9"},
        {"{\"type\":\"message\",\"message\":{\"deep\":[1]},\"id\":\"h10\"}", "h10"},
        {"{\"type\":\"message\",\"id\":\"h11\",\"message\":\"x\"} more", "h11"},
        {"{\"type\":\"history\",\"id\":\"h12\",\"count\":1e999}", "h12"},
        {"{\"type\":\"manager\",\"id\":\"h13\"}", "h13"},
        {"{\"type\":\"manager\",\"id\":\"h14\",\"user\":\"nobody\"}", "h14"},
        {"{\"type\":\"message\",\"id\":7,\"message\":\"x\"}", ""},
        {"[\"id\",\"x\"]", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        text_fails_with_id(alice, texts[i].text, texts[i].id);
    }
    /* Too deep, and too long for a message though not for a frame. */
    static char text[100000];
    int len = snprintf(text, sizeof text, "{\"type\":\"message\",\"message\":");
    memset(text + len, '[', 30000);
    memset(text + len + 30000, ']', 30000);
    size_t end = (size_t)len + 60000;
    snprintf(text + end, sizeof text - end, ",\"id\":\"deep\"}");
    text_fails_with_id(alice, text, "deep");
    len = snprintf(text, sizeof text, "{\"type\":\"message\",\"message\":\"");
    memset(text + len, 'x', 70000);
    end = (size_t)len + 70000;
    snprintf(text + end, sizeof text - end, "\",\"id\":\"long\"}");
    ws_client_send_text(alice->ws, text);
    const json_t *too_long = e2e_told(ws_client_wait_type(alice->ws, "error"));
    assert_string_equal(member(too_long, "id"), "long");
    assert_string_equal(member(too_long, "name"), "MESSAGE_TOO_LARGE");
    assert_int_equal(talker_say_acked(alice, "all is well", "ok"), 2);
}

/* 13: what nobody reads spoils nothing, by a text and by the original's form. */
E2E_SCENARIO(unknown_members_spoil_nothing)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    char digits[401];
    memset(digits, '9', 400);
    digits[400] = '\0';
    static char deep[20001], text[50000];
    memset(deep, '[', 10000);
    memset(deep + 10000, ']', 10000);
    const char *const strange[] = {
        "1e999", "-1e-9999", digits, deep, "{\"id\":\"other\",\"message\":\"\\ud800\"}", "null"};
    for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++) {
        snprintf(text, sizeof text,
                 "{\"x\":%s,\"type\":\"message\",\"id\":\"u%zu\",\"message\":\"hi\",\"y\":%s}",
                 strange[i], i, strange[i]);
        ws_client_send_text(alice->ws, text);
        const json_t *ack = e2e_told(ws_client_wait_type(alice->ws, "ack"));
        assert_int_equal(json_integer_value(json_object_get(ack, "seq")), 2 + (int64_t)i);
    }
}

static int status_of(struct e2e *e, const char *line, const char *headers)
{
    char request[1024];
    int status;
    snprintf(request, sizeof request, "%s HTTP/1.1\r\n%s\r\n", line, headers);
    json_decref(answer_to(e, request, &status));
    return status;
}

/* 13 and rule 26; 401: it was let in, and has no token. */
E2E_SCENARIO(pages_reach_a_node_by_its_names_only)
{
    E2E_NODE(e, "http.names=talk.example.org, other.example",
             "http.allowed_origins=https://friend.example:8443");
    static const struct {
        const char *line, *headers;
        int status;
    } asked[] = {
        {"GET /events", "Host: 127.0.0.1:8080\r\n", 401},
        {"GET /events", "Host: 192.0.2.7\r\n", 401},
        {"GET /events", "Host: [::1]:8080\r\n", 401},
        {"GET /events", "Host: localhost:1\r\n", 401},
        {"GET /events", "Host: LOCALHOST\r\n", 401},
        {"GET /events", "Host: Talk.Example.Org:8443\r\n", 401},
        {"GET /events", "Host: other.example.\r\n", 401},
        {"GET /events", "Host: friend.example\r\n", 401},
        {"GET /events", "Host: evil.example\r\n", 403},
        {"GET /events", "Host: 127.0.0.1.evil.example\r\n", 403},
        {"GET /events", "Host: talk.example.org.evil.example\r\n", 403},
        {"GET /events", "Host: evil.example\r\nOrigin: http://evil.example\r\n", 403},
        {"POST /message",
         "Host: evil.example\r\nOrigin: http://evil.example\r\nContent-Length: 0\r\n", 403},
        {"POST /hgtp", "Host: evil.example\r\nOrigin: http://evil.example\r\nContent-Length: 0\r\n",
         403},
        {"GET /ws", "Host: evil.example\r\nOrigin: http://evil.example\r\n", 403},
        {"OPTIONS /message", "Host: evil.example\r\nOrigin: http://evil.example\r\n", 403},
        /* No page: no name is looked at. */
        {"POST /message", "Host: evil.example\r\nContent-Length: 0\r\n", 400},
        {"GET /healthz", "Host: evil.example\r\nOrigin: http://evil.example\r\n", 200},
        {"GET /readyz", "Host: evil.example\r\nOrigin: http://evil.example\r\n", 200},
        {"GET /metrics", "Host: evil.example\r\nOrigin: http://evil.example\r\n", 200},
        /* The scheme's own port, written or not. */
        {"GET /events", "Host: other.example:80\r\nOrigin: http://other.example\r\n", 401},
        {"GET /events", "Host: other.example\r\nOrigin: http://other.example:80\r\n", 401},
        {"GET /events", "Host: other.example:443\r\nOrigin: https://other.example\r\n", 401},
        {"GET /events", "Host: other.example:80\r\nOrigin: https://other.example\r\n", 403},
        {"GET /events", "Host: other.example:81\r\nOrigin: http://other.example\r\n", 403},
        {"GET /events", "Host: other.example\r\nOrigin: https://friend.example:8443\r\n", 401},
        {"GET /events", "Host: other.example\r\nOrigin: null\r\n", 403},
        /* A whole address tells the host itself. */
        {"GET http://other.example/healthz", "Host: x\r\n", 200},
        {"GET http://other.example", "Host: x\r\n", 200},
        {"GET http://other.example/events?a=b", "Host: x\r\n", 401},
        {"GET http://evil.example/events", "Host: other.example\r\n", 403},
    };
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        int status = status_of(e, asked[i].line, asked[i].headers);
        if (status != asked[i].status) {
            fail_msg("%s %s: %d, not %d", asked[i].line, asked[i].headers, status, asked[i].status);
        }
    }
    int status;
    json_t *json = answer_to(e, "GET /events HTTP/1.1\r\nHost: evil.example\r\n\r\n", &status);
    assert_non_null(strstr(member(json, "reason"), "http.names"));
    json_decref(json);
}

/* 22: hgtp.js is for pages at allowed origins. */
E2E_SCENARIO(modules_are_given_to_pages_at_allowed_origins)
{
    E2E_NODE(e, "http.allowed_origins=https://friend.example");
    static const struct {
        const char *origin;
        bool is_allowed;
    } origins[] = {{"https://friend.example", true}, {"https://stranger.example", false}};
    static const char *const files[] = {"hgtp.js", "hgtp_bytes.js", "hgtp_link.js",
                                        "hgtp_outbox.js", "sha256.js"};
    for (size_t i = 0; i < 2 * sizeof files / sizeof files[0]; i++) {
        char request[256];
        snprintf(request, sizeof request,
                 "GET /web/%s HTTP/1.1\r\nHost: localhost\r\nOrigin: %s\r\n\r\n", files[i / 2],
                 origins[i % 2].origin);
        struct http_client *client = http_client_open(0, SOCKETS_LOOPBACK, e->daemon->http_port);
        http_client_send(client, bytes_str(request));
        struct http_answer answer = http_client_read(client, true);
        assert_int_equal(answer.status, 200);
        assert_non_null(strcasestr(answer.head, "content-type: text/javascript"));
        assert_non_null(strcasestr(answer.head, "vary: origin"));
        assert_non_null(strcasestr(answer.head, "etag:"));
        bool has_cors =
            strcasestr(answer.head, "access-control-allow-origin: https://friend.example") != NULL;
        assert_int_equal(has_cors, origins[i % 2].is_allowed);
        http_client_close(client);
    }
}

/* 13 */
E2E_SCENARIO(bearer_may_stand_before_several_blanks)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    static const char *const schemes[] = {"Bearer ", "Bearer  ", "bearer    "};
    for (size_t i = 0; i < 3; i++) {
        char headers[256];
        snprintf(headers, sizeof headers, "Authorization: %s%s\r\n", schemes[i], alice->token);
        assert_int_equal(http_client_post(SOCKETS_LOOPBACK, e->daemon->http_port, "/message",
                                          headers, "{\"type\":\"message\",\"message\":\"hi\"}",
                                          NULL, 0),
                         200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(every_refusal_has_a_body_of_json),
        E2E_TEST(text_that_cannot_be_read_is_refused_with_its_id),
        E2E_TEST(unknown_members_spoil_nothing),
        E2E_TEST(pages_reach_a_node_by_its_names_only),
        E2E_TEST(modules_are_given_to_pages_at_allowed_origins),
        E2E_TEST(bearer_may_stand_before_several_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
