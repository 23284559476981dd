/* SPDX-License-Identifier: MIT */
/*
 * Tests of admin/talk_frame: masked frames against the server's reader, the upgrade request, every
 * kind of answer to it; and of ws_reader on a server's frames.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "admin/talk/talk_frame.h"

static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};

/* The example of RFC 6455 section 5.7. */
static void frame_of_the_rfc_is_written_as_there(void **state)
{
    (void)state;
    static const uint8_t wanted[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d,
                                     0x7f, 0x9f, 0x4d, 0x51, 0x58};
    uint8_t storage[64];
    struct sink out = sink_into(storage, sizeof storage);
    talk_frame_put(WS_TEXT, mask, bytes_str("Hello"), &out);
    assert_int_equal(out.len, sizeof wanted);
    assert_memory_equal(storage, wanted, sizeof wanted);
}

static void frame_of_any_length_is_read_by_a_server(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 2, 3, 4, 5, 125, 126, 127, 65535, 65536, 100000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t len = lengths[i], used;
        uint8_t *payload = calloc(1, len + 1), *buffer = calloc(1, len + 1);
        uint8_t *frame = calloc(1, len + TALK_FRAME_HEAD_MAX);
        for (size_t at = 0; at < len; at++) {
            payload[at] = (uint8_t)(at * 7);
        }
        struct sink out = sink_into(frame, len + TALK_FRAME_HEAD_MAX);
        talk_frame_put(WS_BINARY, mask, bytes_of(payload, len), &out);
        assert_true(sink_fits(&out));
        struct ws_reader reader;
        ws_reader_init(&reader, 200000);
        reader.buffer = buffer;
        reader.buffer_cap = len + 1;
        assert_int_equal(ws_reader_take(&reader, sink_bytes(&out), &used), WS_MESSAGE);
        assert_int_equal(used, out.len);
        assert_int_equal(reader.opcode, WS_BINARY);
        assert_int_equal(reader.message_bytes, len);
        assert_memory_equal(buffer, payload, len);
        free(payload);
        free(buffer);
        free(frame);
    }
}

static enum ws_result read_as_client(struct bytes in, struct ws_reader *reader, uint8_t *buffer)
{
    size_t used;
    ws_reader_init(reader, 64);
    reader->from_server = true;
    reader->buffer = buffer;
    reader->buffer_cap = 64;
    return ws_reader_take(reader, in, &used);
}

static void frame_of_a_server_is_read_without_a_mask(void **state)
{
    (void)state;
    static const uint8_t hello[] = {0x81, 0x05, 'H', 'e', 'l', 'l', 'o'};
    static const uint8_t ping[] = {0x89, 0x02, 'h', 'i'};
    struct ws_reader reader;
    uint8_t buffer[64];
    assert_int_equal(read_as_client(bytes_of(hello, sizeof hello), &reader, buffer), WS_MESSAGE);
    assert_int_equal(reader.message_bytes, 5);
    assert_memory_equal(buffer, "Hello", 5);
    assert_int_equal(read_as_client(bytes_of(ping, sizeof ping), &reader, buffer), WS_CONTROL);
    assert_int_equal(reader.opcode, WS_PING);
    for (size_t len = 0; len < sizeof hello; len++) {
        assert_int_equal(read_as_client(bytes_of(hello, len), &reader, buffer), WS_NEED_MORE);
    }
}

static void frame_of_a_server_with_a_mask_is_refused(void **state)
{
    (void)state;
    uint8_t storage[64], buffer[64];
    struct ws_reader reader;
    struct sink out = sink_into(storage, sizeof storage);
    talk_frame_put(WS_TEXT, mask, bytes_str("Hello"), &out);
    assert_int_equal(read_as_client(sink_bytes(&out), &reader, buffer), WS_FAIL);
    assert_int_equal(reader.fail, WS_CLOSE_PROTOCOL);
}

/* Upgrade -------------------------------------------------------------------------------------- */

static void request_names_the_session_and_where_it_goes_on(void **state)
{
    (void)state;
    char text[1024];
    struct talk_upgrade upgrade = {.host = "node:8080",
                                   .token = "T-1_",
                                   .attempt = 1795418258706,
                                   .has_after = true,
                                   .after = 17,
                                   .epoch = "4 2&x"};
    memcpy(upgrade.key, "dGhlIHNhbXBsZSBub25jZQ==", sizeof upgrade.key);
    struct sink out = sink_into(text, sizeof text - 1);
    talk_frame_request(&upgrade, &out);
    text[out.len] = '\0';
    const char first[] =
        "GET /ws?token=T-1_&after=17&epoch=4%202%26x&try=1795418258706 HTTP/1.1\r\n"
        "Host: node:8080\r\n";
    assert_memory_equal(text, first, sizeof first - 1);
    assert_non_null(strstr(text, "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
    assert_string_equal(text + out.len - 4, "\r\n\r\n");
}

static void request_of_a_new_session_asks_for_all(void **state)
{
    (void)state;
    char text[1024];
    const struct talk_upgrade upgrade = {.host = "h:1", .token = "T", .after = 17, .epoch = ""};
    struct sink out = sink_into(text, sizeof text - 1);
    talk_frame_request(&upgrade, &out);
    text[out.len] = '\0';
    const char first[] = "GET /ws?token=T HTTP/1.1\r\n";
    assert_memory_equal(text, first, sizeof first - 1);
}

/* Key and answer of RFC 6455 section 1.3. */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static enum talk_upgraded answer(const char *text, int *ret_status, size_t *ret_used)
{
    return talk_frame_answer(bytes_str(text), KEY, ret_status, ret_used);
}

static void answer_with_the_right_accept_is_taken_with_what_follows_it(void **state)
{
    (void)state;
    const char *head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                       "sec-websocket-ACCEPT:  " ACCEPT " \r\nConnection: Upgrade\r\n\r\n";
    char text[512];
    int status;
    size_t used = 0;
    snprintf(text, sizeof text, "%sframes", head);
    assert_int_equal(answer(text, &status, &used), TALK_UPGRADED);
    assert_int_equal(used, strlen(head));
    for (size_t len = 0; len < strlen(head); len++) {
        assert_int_equal(talk_frame_answer(bytes_of(text, len), KEY, &status, &used),
                         TALK_UPGRADE_MORE);
    }
}

static void answer_that_is_no_upgrade_is_told_by_its_status(void **state)
{
    (void)state;
    int status = 0;
    size_t used;
    assert_int_equal(
        answer("HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{}", &status, &used),
        TALK_UPGRADE_REFUSED);
    assert_int_equal(status, 401);
    assert_int_equal(answer("HTTP/1.0 503 x\r\n\r\n", &status, &used), TALK_UPGRADE_REFUSED);
    assert_int_equal(status, 503);
}

static void answer_of_something_else_is_bad(void **state)
{
    (void)state;
    int status;
    size_t used;
    assert_int_equal(answer("SSH-2.0-OpenSSH", &status, &used), TALK_UPGRADE_BAD);
    assert_int_equal(answer("HTTP/1.1 abc\r\n\r\n", &status, &used), TALK_UPGRADE_BAD);
    assert_int_equal(answer("HTTP/1.1 101 x\r\n\r\n", &status, &used), TALK_UPGRADE_BAD);
    assert_int_equal(
        answer("HTTP/1.1 101 x\r\nSec-WebSocket-Accept: AAAALMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
               &status, &used),
        TALK_UPGRADE_BAD);
    char *endless = calloc(1, 20001);
    memset(endless, 'x', 20000);
    memcpy(endless, "HTTP/1.1 200 OK\r\n", 17);
    assert_int_equal(answer(endless, &status, &used), TALK_UPGRADE_BAD);
    free(endless);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_of_the_rfc_is_written_as_there),
        cmocka_unit_test(frame_of_any_length_is_read_by_a_server),
        cmocka_unit_test(frame_of_a_server_is_read_without_a_mask),
        cmocka_unit_test(frame_of_a_server_with_a_mask_is_refused),
        cmocka_unit_test(request_names_the_session_and_where_it_goes_on),
        cmocka_unit_test(request_of_a_new_session_asks_for_all),
        cmocka_unit_test(answer_with_the_right_accept_is_taken_with_what_follows_it),
        cmocka_unit_test(answer_that_is_no_upgrade_is_told_by_its_status),
        cmocka_unit_test(answer_of_something_else_is_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
