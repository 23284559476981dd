/* SPDX-License-Identifier: MIT */
/*
 * Tests of proto/ws: the examples of RFC 6455, every rule of the reader with what it must refuse,
 * lengths at their borders, and that no split of the bytes makes a difference.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include "proto/ws.h"

#define MESSAGE_MAX 200000

/* One thing that a reader found, written down. */
struct found {
    char text[4096]; /* "text hello|ping x|close 1000 bye|fail 1002|" */
    struct sink out;
};

static void note(struct found *found, const char *kind, struct bytes content)
{
    sink_text(&found->out, kind);
    sink_text(&found->out, " ");
    if (content.len > 64) {
        char digits[32];
        snprintf(digits, sizeof digits, "(%zu bytes)", content.len);
        sink_text(&found->out, digits);
    } else {
        sink_put(&found->out, content);
    }
    sink_text(&found->out, "|");
    assert_true(found->out.len < sizeof found->text);
}

static void note_number(struct found *found, const char *kind, int number)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%d", number);
    note(found, kind, bytes_str(digits));
}

/* False when the reader has failed. */
static bool note_result(struct found *found, const struct ws_reader *reader, enum ws_result result)
{
    struct bytes control = bytes_of(reader->control, reader->control_bytes);
    switch (result) {
    case WS_MESSAGE:
        note(found, reader->opcode == WS_TEXT ? "text" : "binary",
             bytes_of(reader->buffer, reader->message_bytes));
        return true;
    case WS_CONTROL:
        if (reader->opcode == WS_CLOSE) {
            note_number(found, "close", (int)reader->close_code);
        } else {
            note(found, reader->opcode == WS_PING ? "ping" : "pong", control);
        }
        return true;
    case WS_FAIL:
        note_number(found, "fail", (int)reader->fail);
        return false;
    case WS_NEED_MORE:
        break;
    }
    return true;
}

static void make_room(struct ws_reader *reader)
{
    size_t wanted = ws_reader_wants(reader);
    if (wanted != 0) {
        assert_true(wanted > reader->buffer_cap && wanted <= reader->message_max);
        reader->buffer = realloc(reader->buffer, wanted);
        reader->buffer_cap = wanted;
    }
}

/* Reads a whole stream in pieces of `step` bytes. Freed by the next call. */
static const char *read_in(const struct bytes in, size_t step, size_t message_max)
{
    static struct found found;
    struct ws_reader reader;
    ws_reader_init(&reader, message_max);
    found.out = sink_into(found.text, sizeof found.text - 1);
    bool is_open = true;
    for (size_t at = 0; at < in.len && is_open; at += step) {
        struct bytes piece = bytes_of(in.ptr + at, in.len - at < step ? in.len - at : step);
        while (piece.len > 0 && is_open) {
            size_t used;
            enum ws_result result = ws_reader_take(&reader, piece, &used);
            assert_true(used <= piece.len);
            assert_true(used > 0 || ws_reader_wants(&reader) != 0 || result != WS_NEED_MORE);
            is_open = note_result(&found, &reader, result);
            make_room(&reader);
            piece = bytes_from(piece, used);
        }
    }
    free(reader.buffer);
    found.text[found.out.len] = '\0';
    return found.text;
}

/* Whatever the split. */
static void reads_as(struct bytes in, const char *expected)
{
    static const size_t steps[] = {SIZE_MAX / 2, 1, 2, 3, 7, 13};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        assert_string_equal(read_in(in, steps[i], MESSAGE_MAX), expected);
    }
}

/* Frames of a client ----------------------------------------------------------------------------
 */

static uint8_t stream_storage[3 * MESSAGE_MAX];
static struct sink stream;

static int set_up(void **state)
{
    (void)state;
    stream = sink_into(stream_storage, sizeof stream_storage);
    return 0;
}

static void put_payload(struct bytes payload)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    sink_put(&stream, bytes_of(mask, sizeof mask));
    for (size_t i = 0; i < payload.len; i++) {
        sink_u8(&stream, payload.ptr[i] ^ mask[i % 4]);
    }
}

/* `first`: FIN, reserved bits and opcode, as they are on the wire. */
static void frame(uint8_t first, struct bytes payload)
{
    sink_u8(&stream, first);
    if (payload.len < 126) {
        sink_u8(&stream, (uint8_t)(0x80 | payload.len));
    } else if (payload.len <= UINT16_MAX) {
        sink_u8(&stream, 0x80 | 126);
        sink_be16(&stream, (uint16_t)payload.len);
    } else {
        sink_u8(&stream, 0x80 | 127);
        sink_be64(&stream, payload.len);
    }
    put_payload(payload);
}

static void text(uint8_t first, const char *payload)
{
    frame(first, bytes_str(payload));
}

static void stream_reads_as(const char *expected)
{
    assert_true(sink_fits(&stream));
    reads_as(sink_bytes(&stream), expected);
}

/* The handshake and what a node sends -----------------------------------------------------------
 */

static void ws_accept_of_the_rfc_key_is_the_rfc_answer(void **state)
{
    (void)state;
    uint8_t accept[WS_ACCEPT_BYTES];
    assert_true(ws_accept(bytes_str("dGhlIHNhbXBsZSBub25jZQ=="), accept));
    assert_memory_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", WS_ACCEPT_BYTES);
}

static void ws_accept_of_what_is_no_key_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "x",
                                      "dGhlIHNhbXBsZSBub25jZQ",
                                      "dGhlIHNhbXBsZSBub25j",
                                      "dGhlIHNhbXBsZSBub25jZSE=",
                                      "!GhlIHNhbXBsZSBub25jZQ==",
                                      "dGhlIHNhbXBsZSBub25jZQ===="};
    uint8_t accept[WS_ACCEPT_BYTES];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(ws_accept(bytes_str(bad[i]), accept));
    }
}

static void ws_heads_have_the_shortest_length(void **state)
{
    (void)state;
    static const struct {
        uint64_t payload_bytes;
        const char *head;
        size_t head_bytes;
    } cases[] = {{0, "\x81\x00", 2},
                 {125, "\x81\x7d", 2},
                 {126, "\x81\x7e\x00\x7e", 4},
                 {65535, "\x81\x7e\xff\xff", 4},
                 {65536, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t head[WS_HEAD_MAX];
        struct sink out = sink_into(head, sizeof head);
        ws_head(WS_TEXT, cases[i].payload_bytes, &out);
        assert_int_equal(out.len, cases[i].head_bytes);
        assert_memory_equal(head, cases[i].head, cases[i].head_bytes);
    }
}

static void ws_close_frame_cuts_a_long_reason_between_characters(void **state)
{
    (void)state;
    uint8_t storage[WS_HEAD_MAX + WS_CONTROL_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    char reason[200] = "xx";
    for (int i = 0; i < 60; i++) {
        strcat(reason, "\xed\x95\x9c"); /* three bytes each; 40 of them fit behind xx */
    }
    ws_close_frame(WS_CLOSE_POLICY, reason, &out);
    assert_true(sink_fits(&out));
    assert_int_equal(storage[1], 2 + 2 + 40 * 3);
    assert_int_equal(out.len, 2u + storage[1]);
    assert_int_equal(be16_at(storage + 2), 1008);
}

static void ws_close_frame_is_cut_only_when_it_must_be(void **state)
{
    (void)state;
    uint8_t storage[WS_HEAD_MAX + WS_CONTROL_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    ws_close_frame(WS_CLOSE_NORMAL, "bye", &out);
    ws_close_frame(WS_CLOSE_ENDED, "", &out);
    assert_int_equal(out.len, 7 + 4);
    assert_memory_equal(storage,
                        "\x88\x05\x03\xe8"
                        "bye"
                        "\x88\x02\x0f\xa2",
                        out.len);
    char reason[125] = "";
    memset(reason, 'x', 124);
    struct sink measure = sink_into(NULL, 0);
    ws_close_frame(WS_CLOSE_POLICY, reason + 1, &measure); /* 123 bytes just fit */
    ws_close_frame(WS_CLOSE_POLICY, reason, &measure);
    assert_int_equal(measure.len, 2 * (2 + WS_CONTROL_MAX));
}

/* Messages --------------------------------------------------------------------------------------
 */

static void ws_reader_takes_the_rfc_examples(void **state)
{
    (void)state;
    static const uint8_t hello[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d,
                                    0x7f, 0x9f, 0x4d, 0x51, 0x58};
    static const uint8_t ping[] = {0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d,
                                   0x7f, 0x9f, 0x4d, 0x51, 0x58};
    reads_as(bytes_of(hello, sizeof hello), "text Hello|");
    reads_as(bytes_of(ping, sizeof ping), "pong Hello|");
}

static void ws_reader_puts_fragments_together_with_control_frames_between(void **state)
{
    (void)state;
    text(0x01, "Hel");
    text(0x89, "are you there");
    text(0x00, "lo ");
    text(0x8a, "");
    text(0x00, "");
    text(0x80, "World");
    text(0x82, "\x01\x02");
    stream_reads_as("ping are you there|pong |text Hello World|binary \x01\x02|");
}

static void ws_reader_takes_empty_messages(void **state)
{
    (void)state;
    text(0x81, "");
    text(0x82, "");
    text(0x01, "");
    text(0x80, "");
    stream_reads_as("text |binary |text |");
}

static void ws_reader_takes_every_length_of_length(void **state)
{
    (void)state;
    static const size_t sizes[] = {125, 126, 127, 128, 65535, 65536, 65537, MESSAGE_MAX};
    uint8_t *payload = calloc(1, MESSAGE_MAX);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        stream.len = 0;
        frame(0x82, bytes_of(payload, sizes[i]));
        char expected[64];
        snprintf(expected, sizeof expected, "binary (%zu bytes)|", sizes[i]);
        assert_string_equal(read_in(sink_bytes(&stream), 4096, MESSAGE_MAX), expected);
        assert_string_equal(read_in(sink_bytes(&stream), 997, MESSAGE_MAX), expected);
    }
    free(payload);
}

static void ws_reader_unmasks_from_every_place_of_the_mask(void **state)
{
    (void)state;
    uint8_t payload[100];
    for (size_t i = 0; i < sizeof payload; i++) {
        payload[i] = (uint8_t)(i * 7 + 1);
    }
    for (size_t step = 1; step <= 20; step++) {
        stream.len = 0;
        frame(0x82, bytes_of(payload, sizeof payload));
        struct ws_reader reader;
        uint8_t buffer[sizeof payload];
        ws_reader_init(&reader, sizeof payload);
        reader.buffer = buffer;
        reader.buffer_cap = sizeof buffer;
        enum ws_result result = WS_NEED_MORE;
        size_t used;
        for (size_t at = 0; at < stream.len; at += used) {
            size_t len = stream.len - at < step ? stream.len - at : step;
            result = ws_reader_take(&reader, bytes_of(stream.ptr + at, len), &used);
        }
        assert_int_equal(result, WS_MESSAGE);
        assert_memory_equal(buffer, payload, sizeof payload);
    }
}

static void ws_reader_needs_no_more_memory_than_has_come(void **state)
{
    (void)state;
    struct ws_reader reader;
    ws_reader_init(&reader, MESSAGE_MAX);
    sink_u8(&stream, 0x82);
    sink_u8(&stream, 0x80 | 127);
    sink_be64(&stream, MESSAGE_MAX);
    put_payload(bytes_str("a few bytes"));
    size_t used;
    assert_int_equal(ws_reader_take(&reader, sink_bytes(&stream), &used), WS_NEED_MORE);
    assert_in_range(ws_reader_wants(&reader), 1, 4096);
}

/* Refusals --------------------------------------------------------------------------------------
 */

static void ws_reader_refuses_every_break_of_the_framing(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t head[16];
        size_t head_bytes;
    } cases[] = {
        {"no mask", {0x81, 0x05, 'h', 'e', 'l', 'l', 'o'}, 7},
        {"a reserved bit", {0xc1, 0x80}, 2},
        {"another one", {0xa1, 0x80}, 2},
        {"the third", {0x91, 0x80}, 2},
        {"opcode 3", {0x83, 0x80}, 2},
        {"opcode 7", {0x87, 0x80}, 2},
        {"opcode 11", {0x8b, 0x80}, 2},
        {"opcode 15", {0x8f, 0x80}, 2},
        {"a ping in fragments", {0x09, 0x80}, 2},
        {"a close in fragments", {0x08, 0x80}, 2},
        {"a ping of 126 bytes", {0x89, 0x80 | 126, 0, 126}, 4},
        {"a continuation of nothing", {0x80, 0x80}, 2},
        {"a start inside a message", {0x01, 0x80, 0, 0, 0, 0, 0x81, 0x80}, 8},
        {"16 bits for 125", {0x82, 0x80 | 126, 0, 125, 0, 0, 0, 0}, 8},
        {"64 bits for 65535", {0x82, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0}, 14},
        {"the top bit of a length", {0x82, 0x80 | 127, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}, 14},
        {"a close of one byte", {0x88, 0x81, 0, 0, 0, 0, 3}, 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *got = read_in(bytes_of(cases[i].head, cases[i].head_bytes), 1, MESSAGE_MAX);
        if (strcmp(got, "fail 1002|") != 0) {
            fail_msg("%s: %s", cases[i].what, got);
        }
        reads_as(bytes_of(cases[i].head, cases[i].head_bytes), "fail 1002|");
    }
}

static void ws_reader_that_has_failed_takes_nothing_more(void **state)
{
    (void)state;
    struct ws_reader reader;
    ws_reader_init(&reader, MESSAGE_MAX);
    size_t used;
    assert_int_equal(ws_reader_take(&reader, bytes_of("\x83\x80", 2), &used), WS_FAIL);
    text(0x81, "hello");
    assert_int_equal(ws_reader_take(&reader, sink_bytes(&stream), &used), WS_FAIL);
    assert_int_equal(used, 0);
}

static void ws_reader_takes_only_close_codes_that_may_be_sent(void **state)
{
    (void)state;
    for (int code = 0; code < 65536; code++) {
        uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};
        stream.len = 0;
        frame(0x88, bytes_of(payload, sizeof payload));
        bool is_sent = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                       (code >= 3000 && code <= 4999);
        char expected[32];
        snprintf(expected, sizeof expected, is_sent ? "close %d|" : "fail 1002|", code);
        assert_string_equal(read_in(sink_bytes(&stream), 64, MESSAGE_MAX), expected);
    }
    stream.len = 0;
    text(0x88, "");
    stream_reads_as("close 1005|");
}

static void ws_reader_refuses_a_close_reason_that_is_not_utf8(void **state)
{
    (void)state;
    text(0x88, "\x03\xe8\xff");
    stream_reads_as("fail 1007|");
}

static void ws_reader_refuses_long_messages_by_what_the_head_says(void **state)
{
    (void)state;
    sink_u8(&stream, 0x82);
    sink_u8(&stream, 0x80 | 127);
    sink_be64(&stream, MESSAGE_MAX + 1);
    put_payload(bytes_str(""));
    stream_reads_as("fail 1009|");
    stream.len = 0;
    text(0x01, "12345678");
    text(0x80, "123");
    assert_string_equal(read_in(sink_bytes(&stream), 1, 10), "fail 1009|");
    assert_string_equal(read_in(sink_bytes(&stream), 1, 11), "text 12345678123|");
}

static void ws_reader_takes_characters_that_are_cut_by_frames(void **state)
{
    (void)state;
    text(0x01, "\xed");
    text(0x00, "\x95");
    text(0x89, "!");
    text(0x80, "\x9c\xf0\x9f\x98\x80");
    stream_reads_as("ping !|text \xed\x95\x9c\xf0\x9f\x98\x80|");
}

static void ws_reader_refuses_text_that_is_not_utf8_at_its_first_bad_byte(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80",
                                      "\xf8", "a\xff",    "\xe2\x28",     "\xf0\x9f\x98\x28",
                                      "\xc3("};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        stream.len = 0;
        text(0x01, bad[i]); /* the message isn't over */
        stream_reads_as("fail 1007|");
    }
    stream.len = 0;
    text(0x81, "\xed\x95"); /* over in the middle of a character */
    stream_reads_as("fail 1007|");
    stream.len = 0;
    text(0x82, "\xff\xfe"); /* binary may be anything */
    stream_reads_as("binary \xff\xfe|");
}

static void ws_reader_cut_anywhere_waits_for_more(void **state)
{
    (void)state;
    text(0x01, "Hello \xed\x95\x9c");
    text(0x89, "ping");
    text(0x80, "!");
    for (size_t len = 0; len < stream.len; len++) {
        const char *got = read_in(bytes_of(stream.ptr, len), 5, MESSAGE_MAX);
        assert_true(strcmp(got, "") == 0 || strcmp(got, "ping ping|") == 0);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        CASE(ws_accept_of_the_rfc_key_is_the_rfc_answer),
        CASE(ws_accept_of_what_is_no_key_is_refused),
        CASE(ws_heads_have_the_shortest_length),
        CASE(ws_close_frame_cuts_a_long_reason_between_characters),
        CASE(ws_close_frame_is_cut_only_when_it_must_be),
        CASE(ws_reader_takes_the_rfc_examples),
        CASE(ws_reader_puts_fragments_together_with_control_frames_between),
        CASE(ws_reader_takes_empty_messages),
        CASE(ws_reader_takes_every_length_of_length),
        CASE(ws_reader_unmasks_from_every_place_of_the_mask),
        CASE(ws_reader_needs_no_more_memory_than_has_come),
        CASE(ws_reader_refuses_every_break_of_the_framing),
        CASE(ws_reader_that_has_failed_takes_nothing_more),
        CASE(ws_reader_takes_only_close_codes_that_may_be_sent),
        CASE(ws_reader_refuses_a_close_reason_that_is_not_utf8),
        CASE(ws_reader_refuses_long_messages_by_what_the_head_says),
        CASE(ws_reader_takes_characters_that_are_cut_by_frames),
        CASE(ws_reader_refuses_text_that_is_not_utf8_at_its_first_bad_byte),
        CASE(ws_reader_cut_anywhere_waits_for_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
