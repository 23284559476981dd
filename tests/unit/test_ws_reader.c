/* SPDX-License-Identifier: MIT */
/*
 * Tests of proto/ws_reader where it matters when something is found, or what came before: the very
 * byte that fails, what a message leaves behind for the next one, and the caller's buffer as it
 * grows and moves. What a whole stream reads as is test_ws's.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/ws.h"

#define MESSAGE_MAX 100000

static uint8_t stream_storage[MESSAGE_MAX + 1000];
static struct sink stream;
static struct ws_reader reader;

static int set_up(void **state)
{
    (void)state;
    stream = sink_into(stream_storage, sizeof stream_storage);
    ws_reader_init(&reader, MESSAGE_MAX);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(reader.buffer);
    reader.buffer = NULL;
    return 0;
}

/* `announced` bytes, of which `payload` comes now. */
static void frame_begins(uint8_t first, uint64_t announced, struct bytes payload)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    sink_u8(&stream, first);
    if (announced < 126) {
        sink_u8(&stream, (uint8_t)(0x80 | announced));
    } else if (announced <= UINT16_MAX) {
        sink_u8(&stream, 0x80 | 126);
        sink_be16(&stream, (uint16_t)announced);
    } else {
        sink_u8(&stream, 0x80 | 127);
        sink_be64(&stream, announced);
    }
    sink_put(&stream, bytes_of(mask, sizeof mask));
    for (size_t i = 0; i < payload.len; i++) {
        sink_u8(&stream, payload.ptr[i] ^ mask[i % 4]);
    }
}

static void frame(uint8_t first, const char *text)
{
    frame_begins(first, strlen(text), bytes_str(text));
}

/* To another place each time, as realloc may. */
static void move_to_larger(void)
{
    size_t wanted = ws_reader_wants(&reader);
    if (wanted == 0) {
        return;
    }
    uint8_t *larger = malloc(wanted);
    assert_non_null(larger);
    if (reader.message_bytes > 0) {
        memcpy(larger, reader.buffer, reader.message_bytes);
    }
    free(reader.buffer);
    reader.buffer = larger;
    reader.buffer_cap = wanted;
}

/* Takes the stream in pieces of `step` bytes until something is found; the stream goes on behind.
 */
static enum ws_result take_in(size_t step, size_t *at)
{
    enum ws_result found = WS_NEED_MORE;
    while (found == WS_NEED_MORE && *at < stream.len) {
        size_t len = stream.len - *at < step ? stream.len - *at : step;
        size_t used;
        found = ws_reader_take(&reader, bytes_of(stream.ptr + *at, len), &used);
        *at += used;
        move_to_larger();
    }
    return found;
}

static void next_is_text(size_t *at, const char *expected)
{
    assert_int_equal(take_in(1, at), WS_MESSAGE);
    assert_int_equal(reader.opcode, WS_TEXT);
    assert_int_equal(reader.message_bytes, strlen(expected));
    assert_memory_equal(reader.buffer, expected, strlen(expected));
}

static void stream_fails(enum ws_close why)
{
    size_t at = 0;
    assert_int_equal(take_in(1, &at), WS_FAIL);
    assert_int_equal(reader.fail, why);
}

/* Heads ----------------------------------------------------------------------------------------
 */

static void ws_reader_takes_seven_of_all_first_bytes(void **state)
{
    (void)state;
    static const uint8_t good[] = {0x01, 0x02, 0x81, 0x82, 0x88, 0x89, 0x8a};
    for (unsigned first = 0; first < 256; first++) {
        uint8_t head[2] = {(uint8_t)first, 0x80};
        size_t used;
        ws_reader_init(&reader, MESSAGE_MAX);
        enum ws_result found = ws_reader_take(&reader, bytes_of(head, sizeof head), &used);
        bool is_good = memchr(good, (int)first, sizeof good) != NULL;
        assert_int_equal(found, is_good ? WS_NEED_MORE : WS_FAIL);
        assert_int_equal(reader.fail, is_good ? 0 : WS_CLOSE_PROTOCOL);
    }
}

static void ws_reader_waits_for_the_whole_of_each_head(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {1, 125, 126, 65535, 65536};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        stream.len = 0;
        frame_begins(0x82, lengths[i], bytes_of(NULL, 0));
        for (size_t len = 0; len < stream.len; len++) {
            size_t used;
            ws_reader_init(&reader, MESSAGE_MAX);
            assert_int_equal(ws_reader_take(&reader, bytes_of(stream.ptr, len), &used),
                             WS_NEED_MORE);
            assert_int_equal(used, len);
            assert_int_equal(ws_reader_wants(&reader), 0);
        }
        size_t used;
        ws_reader_init(&reader, MESSAGE_MAX);
        assert_int_equal(ws_reader_take(&reader, sink_bytes(&stream), &used), WS_NEED_MORE);
        assert_in_range(ws_reader_wants(&reader), 1, lengths[i]);
    }
}

/* Control frames ---------------------------------------------------------------------------------
 */

static void ws_reader_takes_a_ping_of_125_bytes(void **state)
{
    (void)state;
    uint8_t payload[WS_CONTROL_MAX];
    for (size_t i = 0; i < sizeof payload; i++) {
        payload[i] = (uint8_t)(i + 1);
    }
    frame_begins(0x89, sizeof payload, bytes_of(payload, sizeof payload));
    size_t at = 0;
    assert_int_equal(take_in(1, &at), WS_CONTROL);
    assert_int_equal(reader.opcode, WS_PING);
    assert_int_equal(reader.control_bytes, sizeof payload);
    assert_memory_equal(reader.control, payload, sizeof payload);
}

static void ws_reader_refuses_a_close_of_one_byte_after_a_ping_that_would_complete_it(void **state)
{
    (void)state;
    frame(0x89, "\x03\xe8");
    frame(0x88, "\x03");
    size_t at = 0;
    assert_int_equal(take_in(1, &at), WS_CONTROL);
    assert_int_equal(take_in(1, &at), WS_FAIL);
    assert_int_equal(reader.fail, WS_CLOSE_PROTOCOL);
}

static void ws_reader_gives_the_reason_of_a_close(void **state)
{
    (void)state;
    frame(0x88, "\x03\xe9\xed\x95\x9c");
    size_t at = 0;
    assert_int_equal(take_in(1, &at), WS_CONTROL);
    assert_int_equal(reader.opcode, WS_CLOSE);
    assert_int_equal(reader.close_code, WS_CLOSE_GOING_AWAY);
    assert_int_equal(reader.control_bytes, 5);
    assert_memory_equal(reader.control + 2, "\xed\x95\x9c", 3);
}

static void ws_reader_refuses_a_close_reason_cut_in_a_character(void **state)
{
    (void)state;
    frame(0x88, "\x03\xe8\xed\x95");
    stream_fails(WS_CLOSE_NOT_UTF8);
}

/* Texts ------------------------------------------------------------------------------------------
 */

static void ws_reader_fails_a_text_at_its_first_bad_byte_within_a_frame(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t good_bytes;
    } cases[] = {
        {"\x80", 0},          {"abc\xff", 3},          {"\xc1\xbf", 0},
        {"\xc3(", 1},         {"\xe0\x9f\xbf", 1},     {"\xed\xa0\x80", 1}, /* a surrogate */
        {"\xed\x95z", 2},     {"\xf0\x8f\xbf\xbf", 1}, {"\xf4\x90\x80\x80", 1},
        {"\xf0\x9f\x98z", 3}, {"\xf5\x80\x80\x80", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tear_down(NULL);
        set_up(NULL);
        frame_begins(0x81, 100, bytes_str(cases[i].text));
        size_t at = 0;
        assert_int_equal(take_in(1, &at), WS_FAIL);
        assert_int_equal(reader.fail, WS_CLOSE_NOT_UTF8);
        assert_int_equal(at, 2 + 4 + cases[i].good_bytes + 1);
    }
}

static void ws_reader_refuses_a_text_that_an_empty_frame_ends_within_a_character(void **state)
{
    (void)state;
    frame(0x01, "\xed\x95");
    frame(0x80, "");
    stream_fails(WS_CLOSE_NOT_UTF8);
}

static void ws_reader_begins_each_message_anew(void **state)
{
    (void)state;
    frame(0x81, "a longer text");
    frame(0x81, "\xed\x95\x9c");
    frame(0x82, "\xff");
    frame(0x81, "");
    frame(0x81, "\xff");
    size_t at = 0;
    next_is_text(&at, "a longer text");
    next_is_text(&at, "\xed\x95\x9c");
    assert_int_equal(take_in(1, &at), WS_MESSAGE);
    assert_int_equal(reader.opcode, WS_BINARY);
    next_is_text(&at, "");
    assert_int_equal(take_in(1, &at), WS_FAIL);
    assert_int_equal(reader.fail, WS_CLOSE_NOT_UTF8);
}

/* The caller's buffer ----------------------------------------------------------------------------
 */

static void ws_reader_keeps_a_message_whose_buffer_moves(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 1000, SIZE_MAX / 2};
    uint8_t *payload = malloc(70000);
    assert_non_null(payload);
    for (size_t i = 0; i < 70000; i++) {
        payload[i] = (uint8_t)(i * 31 + i / 251);
    }
    frame_begins(0x02, 333, bytes_of(payload, 333));
    frame(0x89, "between");
    frame_begins(0x80, 70000 - 333, bytes_of(payload + 333, 70000 - 333));
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        tear_down(NULL);
        ws_reader_init(&reader, MESSAGE_MAX);
        size_t at = 0;
        assert_int_equal(take_in(steps[i], &at), WS_CONTROL);
        assert_int_equal(take_in(steps[i], &at), WS_MESSAGE);
        assert_int_equal(at, stream.len);
        assert_int_equal(reader.message_bytes, 70000);
        assert_memory_equal(reader.buffer, payload, 70000);
    }
    free(payload);
}

static void ws_reader_is_idle_but_for_a_message_under_way(void **state)
{
    (void)state;
    size_t at = 0;
    assert_true(ws_reader_is_idle(&reader));
    frame(0x01, "begun");
    assert_int_equal(take_in(1, &at), WS_NEED_MORE);
    assert_false(ws_reader_is_idle(&reader));
    frame(0x89, "");
    assert_int_equal(take_in(1, &at), WS_CONTROL);
    assert_false(ws_reader_is_idle(&reader));
    frame(0x80, " and done");
    next_is_text(&at, "begun and done");
    assert_true(ws_reader_is_idle(&reader));
    tear_down(NULL); /* idle: the buffer may go */
    reader.buffer_cap = 0;
    frame(0x81, "again");
    next_is_text(&at, "again");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(ws_reader_takes_seven_of_all_first_bytes),
        CASE(ws_reader_waits_for_the_whole_of_each_head),
        CASE(ws_reader_takes_a_ping_of_125_bytes),
        CASE(ws_reader_refuses_a_close_of_one_byte_after_a_ping_that_would_complete_it),
        CASE(ws_reader_gives_the_reason_of_a_close),
        CASE(ws_reader_refuses_a_close_reason_cut_in_a_character),
        CASE(ws_reader_fails_a_text_at_its_first_bad_byte_within_a_frame),
        CASE(ws_reader_refuses_a_text_that_an_empty_frame_ends_within_a_character),
        CASE(ws_reader_begins_each_message_anew),
        CASE(ws_reader_keeps_a_message_whose_buffer_moves),
        CASE(ws_reader_is_idle_but_for_a_message_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
