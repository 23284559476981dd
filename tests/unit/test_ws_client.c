/* SPDX-License-Identifier: MIT */
/*
 * The tests' own WebSocket client against a server that says what it is told to: what a good server
 * sends is taken, and each rule that a bad one breaks is noticed. Else the end-to-end tests would
 * pass with any server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/ws_client.h"

#define RAW(text) bytes_of("" text, sizeof(text) - 1)

/* Answers one connection's handshake, then sends `frames`, then closes if it is to. */
struct raw_server {
    struct pump_watch listener, connection;
    struct queue heard;
    struct bytes frames;
    const char *answer; /* a format with the accept value in it */
    bool has_answered, closes;
};

static const char raw_good_answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                      "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n";

static void raw_accept(const char *head, char *ret_accept)
{
    char text[128];
    uint8_t hash[SHA_DIGEST_LENGTH];
    const char *key = strstr(head, "Sec-WebSocket-Key: ");
    assert_non_null(key);
    snprintf(text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
             key + strlen("Sec-WebSocket-Key: "));
    SHA1((const uint8_t *)text, strlen(text), hash);
    (void)EVP_EncodeBlock((uint8_t *)ret_accept, hash, sizeof hash);
}

static void raw_answer(struct raw_server *server)
{
    char answer[512], accept[64];
    queue_put(&server->heard, bytes_of("", 1));
    raw_accept((const char *)server->heard.ptr, accept);
    queue_take(&server->heard, server->heard.len);
    snprintf(answer, sizeof answer, server->answer, accept);
    (void)!send(server->connection.fd, answer, strlen(answer), MSG_NOSIGNAL);
    (void)!send(server->connection.fd, server->frames.ptr, server->frames.len, MSG_NOSIGNAL);
    server->has_answered = true;
    if (server->closes) {
        shutdown(server->connection.fd, SHUT_WR);
    }
}

static void raw_on_bytes(short revents, void *arg)
{
    struct raw_server *server = arg;
    uint8_t storage[4096];
    (void)revents;
    ssize_t len = recv(server->connection.fd, storage, sizeof storage, MSG_DONTWAIT);
    if (len <= 0) {
        pump_remove(&server->connection);
        return;
    }
    queue_put(&server->heard, bytes_of(storage, (size_t)len));
    if (!server->has_answered && server->heard.len >= 4 &&
        memcmp(server->heard.ptr + server->heard.len - 4, "\r\n\r\n", 4) == 0) {
        raw_answer(server);
    }
}

static void raw_on_connection(short revents, void *arg)
{
    struct raw_server *server = arg;
    (void)revents;
    int fd = accept(server->listener.fd, NULL, NULL);
    server->connection =
        (struct pump_watch){.fd = fd, .events = POLLIN, .on_ready = raw_on_bytes, .arg = server};
    pump_add(&server->connection);
}

static int raw_setup(void **state)
{
    struct raw_server *server = calloc(1, sizeof *server);
    server->answer = raw_good_answer;
    server->connection.fd = -1;
    server->listener = (struct pump_watch){.fd = sockets_listen(SOCKETS_LOOPBACK, 0),
                                           .events = POLLIN,
                                           .on_ready = raw_on_connection,
                                           .arg = server};
    pump_add(&server->listener);
    *state = server;
    return 0;
}

static int raw_teardown(void **state)
{
    struct raw_server *server = *state;
    pump_remove(&server->listener);
    pump_remove(&server->connection);
    close(server->listener.fd);
    close(server->connection.fd);
    queue_fini(&server->heard);
    free(server);
    return 0;
}

static struct ws_client *connected(struct raw_server *server)
{
    const struct ws_client_options options = {.port = sockets_port(server->listener.fd)};
    return ws_client_open(&options);
}

/* What the client says of these frames; "": nothing. */
static void expect_broken(struct raw_server *server, struct bytes frames, const char *rule)
{
    server->frames = frames;
    server->closes = true;
    struct ws_client *client = connected(server);
    assert_int_equal(client->status, 101);
    (void)ws_client_wait_close(client, WS_CLIENT_WAIT_MS);
    assert_string_equal(client->broken != NULL ? client->broken : "", rule);
    ws_client_free(client);
    pump_remove(&server->connection);
    close(server->connection.fd);
    server->connection.fd = -1;
    server->has_answered = false;
    queue_take(&server->heard, server->heard.len);
}

/* Cases ---------------------------------------------------------------------------------------- */

static void ws_client_good_frames_are_taken(void **state)
{
    struct raw_server *server = *state;
    server->frames = RAW("\x81\x02{}"
                         "\x01\x08{\"type\":"
                         "\x89\x02hi"
                         "\x80\x06\"ack\"}"
                         "\x82\x03\0\1\2");
    struct ws_client *client = connected(server);
    assert_non_null(ws_client_wait_type(client, "ack"));
    assert_non_null(ws_client_wait_kind(client, WS_CLIENT_PING));
    const struct ws_client_message *binary = ws_client_wait_kind(client, WS_CLIENT_BINARY);
    assert_non_null(binary);
    assert_true(bytes_equal(binary->payload, RAW("\0\1\2")));
    assert_int_equal(client->count, 4);
    assert_null(client->broken);
    ws_client_free(client);
}

static void ws_client_close_code_is_told(void **state)
{
    struct raw_server *server = *state;
    server->frames = RAW("\x88\x05\x0f\xa1"
                         "abc");
    server->closes = true;
    struct ws_client *client = connected(server);
    assert_int_equal(ws_client_wait_close(client, WS_CLIENT_WAIT_MS), 4001);
    assert_null(client->broken);
    ws_client_free(client);
}

static void ws_client_end_without_close_is_told(void **state)
{
    struct raw_server *server = *state;
    server->closes = true;
    struct ws_client *client = connected(server);
    assert_int_equal(ws_client_wait_close(client, WS_CLIENT_WAIT_MS), WS_CLIENT_NO_CLOSE);
    ws_client_free(client);
}

static void ws_client_refusal_is_told(void **state)
{
    struct raw_server *server = *state;
    server->answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}";
    struct ws_client *client = connected(server);
    assert_int_equal(client->status, 401);
    assert_string_equal(client->body, "{}");
    ws_client_free(client);
}

static void ws_client_broken_frames_are_noticed(void **state)
{
    struct raw_server *server = *state;
    expect_broken(server, RAW("\x81\x02{}"), "");
    expect_broken(server, RAW("\x81\x82\0\0\0\0{}"), "the server masks");
    expect_broken(server, RAW("\xc1\x02{}"), "a reserved bit is set");
    expect_broken(server, RAW("\x83\x02{}"), "an opcode is reserved");
    expect_broken(server, RAW("\x8b\x02{}"), "an opcode is reserved");
    expect_broken(server, RAW("\x09\x02{}"), "a control frame is fragmented or too long");
    expect_broken(server, RAW("\x80\x02{}"), "fragments do not follow each other");
    expect_broken(server, RAW("\x01\x01{\x81\x01}"), "fragments do not follow each other");
    expect_broken(server, RAW("\x81\x7e\0\x02{}"), "a length is not in its shortest form");
    expect_broken(server, RAW("\x81\x02[]"), "a text is not one JSON object in UTF-8");
    expect_broken(server, RAW("\x81\x06{\"\xff\":1"), "a text is not one JSON object in UTF-8");
    expect_broken(server, RAW("\x88\x01\x03"), "the close code is not legal");
    expect_broken(server, RAW("\x88\x02\x03\xed"), "the close code is not legal");
    expect_broken(server, RAW("\x88\x03\x03\xe8\xff"), "the close reason is not UTF-8");
    expect_broken(server, RAW("\x88\0\x81\x02{}"), "something follows the close frame");
}

static void ws_client_broken_answers_are_noticed(void **state)
{
    struct raw_server *server = *state;
    server->answer = "HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: %s\r\n\r\n";
    expect_broken(server, RAW(""), "the answer does not say upgrade: websocket");
    server->answer = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\n"
                     "Sec-WebSocket-Accept: %s\r\n\r\n";
    expect_broken(server, RAW(""), "the answer does not say connection: upgrade");
    server->answer = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: x%.10s\r\n\r\n";
    expect_broken(server, RAW(""), "sec-websocket-accept is wrong");
    server->answer = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: hgtp\r\n\r\n";
    expect_broken(server, RAW(""), "the subprotocol was not offered");
    server->answer = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Extensions: x\r\n\r\n";
    expect_broken(server, RAW(""), "there is an extension");
}

struct heard_bytes {
    const struct raw_server *server;
    size_t count;
};

static bool has_heard(void *arg)
{
    const struct heard_bytes *wanted = arg;
    return wanted->server->heard.len >= wanted->count;
}

static void ws_client_frames_are_masked_and_pings_answered(void **state)
{
    struct raw_server *server = *state;
    server->frames = RAW("\x89\x02hi");
    struct ws_client *client = connected(server);
    assert_non_null(ws_client_wait_kind(client, WS_CLIENT_PING));
    struct heard_bytes wanted = {server, 8};
    assert_true(pump_until(has_heard, &wanted, WS_CLIENT_WAIT_MS));
    const uint8_t *frame = server->heard.ptr;
    assert_int_equal(frame[0], 0x8a);
    assert_int_equal(frame[1], 0x82);
    assert_int_equal(frame[6] ^ frame[2], 'h');
    assert_int_equal(frame[7] ^ frame[3], 'i');
    ws_client_free(client);
}

#define WS_CLIENT_TEST_CASE(name) cmocka_unit_test_setup_teardown(name, raw_setup, raw_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WS_CLIENT_TEST_CASE(ws_client_good_frames_are_taken),
        WS_CLIENT_TEST_CASE(ws_client_close_code_is_told),
        WS_CLIENT_TEST_CASE(ws_client_end_without_close_is_told),
        WS_CLIENT_TEST_CASE(ws_client_refusal_is_told),
        WS_CLIENT_TEST_CASE(ws_client_broken_frames_are_noticed),
        WS_CLIENT_TEST_CASE(ws_client_broken_answers_are_noticed),
        WS_CLIENT_TEST_CASE(ws_client_frames_are_masked_and_pings_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
