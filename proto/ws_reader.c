/* SPDX-License-Identifier: MIT */
/*
 * ws_reader: one side's stream of frames, in whatever pieces it comes, as messages and control
 * frames. It stores nothing but what the caller's buffer holds, and answers nothing.
 */
#include "ws.h"

#include "utf8.h"

enum { WS_READER_HEAD, WS_READER_PAYLOAD, WS_READER_FAILED };

#define WS_READER_GROW_MIN 1024

void ws_reader_init(struct ws_reader *reader, size_t message_max)
{
    *reader = (struct ws_reader){.message_max = message_max};
}

static enum ws_result ws_reader_fail(struct ws_reader *reader, enum ws_close why)
{
    reader->state = WS_READER_FAILED;
    reader->fail = why;
    return WS_FAIL;
}

static bool ws_reader_is_control(const struct ws_reader *reader)
{
    return (reader->frame_opcode & 8) != 0;
}

size_t ws_reader_wants(const struct ws_reader *reader)
{
    bool is_full = reader->state == WS_READER_PAYLOAD && !ws_reader_is_control(reader) &&
                   reader->left_bytes > 0 && reader->message_bytes >= reader->buffer_cap;
    if (!is_full) {
        return 0;
    }
    size_t needed = reader->message_bytes + (size_t)reader->left_bytes;
    size_t larger = reader->buffer_cap * 2;
    larger = larger < WS_READER_GROW_MIN ? WS_READER_GROW_MIN : larger;
    return larger < needed ? larger : needed;
}

bool ws_reader_is_idle(const struct ws_reader *reader)
{
    return !reader->in_message || reader->is_whole;
}

/* Heads ----------------------------------------------------------------------------------------
 */

static size_t ws_reader_head_bytes(const struct ws_reader *reader)
{
    uint8_t length = reader->head_bytes < 2 ? 0 : reader->head[1] & 0x7f;
    size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
    return 2 + extended + (reader->from_server ? 0 : sizeof reader->mask);
}

/* What the first two bytes tell; false: they may not be. */
static bool ws_reader_begin(struct ws_reader *reader)
{
    uint8_t opcode = reader->head[0] & 0x0f;
    bool is_control = opcode >= 8;
    reader->is_final = (reader->head[0] & 0x80) != 0;
    reader->frame_opcode = opcode;
    bool has_reserved = (reader->head[0] & 0x70) != 0 || (opcode > 2 && opcode < 8) || opcode > 10;
    bool has_mask = (reader->head[1] & 0x80) != 0;
    if (has_reserved || has_mask == reader->from_server) {
        return false;
    }
    if (is_control) {
        return reader->is_final && (reader->head[1] & 0x7f) <= WS_CONTROL_MAX;
    }
    return (opcode == 0) == reader->in_message;
}

/* The head is complete: false when its length is longer than it had to be. */
static bool ws_reader_length(struct ws_reader *reader)
{
    uint8_t length = reader->head[1] & 0x7f;
    reader->left_bytes = length;
    if (length == 126) {
        reader->left_bytes = be16_at(reader->head + 2);
        return reader->left_bytes >= 126;
    }
    if (length == 127) {
        reader->left_bytes = be64_at(reader->head + 2);
        return reader->left_bytes > UINT16_MAX && reader->left_bytes >> 63 == 0;
    }
    return true;
}

/* WS_NEED_MORE also when the head is complete. */
static enum ws_result ws_reader_head(struct ws_reader *reader, struct bytes in, size_t *used)
{
    while (*used < in.len && reader->head_bytes < ws_reader_head_bytes(reader)) {
        reader->head[reader->head_bytes++] = in.ptr[(*used)++];
        if (reader->head_bytes == 2 && !ws_reader_begin(reader)) {
            return ws_reader_fail(reader, WS_CLOSE_PROTOCOL);
        }
    }
    if (reader->head_bytes < 2 || reader->head_bytes < ws_reader_head_bytes(reader)) {
        return WS_NEED_MORE;
    }
    if (!ws_reader_length(reader)) {
        return ws_reader_fail(reader, WS_CLOSE_PROTOCOL);
    }
    if (!reader->from_server) {
        memcpy(reader->mask, reader->head + reader->head_bytes - 4, sizeof reader->mask);
    }
    reader->mask_at = 0;
    reader->head_bytes = 0;
    reader->state = WS_READER_PAYLOAD;
    if (ws_reader_is_control(reader)) {
        reader->control_bytes = 0;
        return WS_NEED_MORE;
    }
    if (reader->left_bytes > reader->message_max - reader->message_bytes) {
        return ws_reader_fail(reader, WS_CLOSE_TOO_LARGE);
    }
    if (!reader->in_message) {
        reader->in_message = true;
        reader->is_text = reader->frame_opcode == WS_TEXT;
    }
    return WS_NEED_MORE;
}

/* Payloads -------------------------------------------------------------------------------------
 */

static void ws_reader_unmask(struct ws_reader *reader, const uint8_t *in, size_t len, uint8_t *out)
{
    uint8_t turned[8];
    uint64_t mask;
    for (size_t i = 0; i < sizeof turned; i++) {
        turned[i] = reader->mask[(reader->mask_at + i) % 4];
    }
    memcpy(&mask, turned, sizeof mask);
    size_t at = 0;
    for (; at + sizeof mask <= len; at += sizeof mask) {
        uint64_t word;
        memcpy(&word, in + at, sizeof word);
        word ^= mask;
        memcpy(out + at, &word, sizeof word);
    }
    for (; at < len; at++) {
        out[at] = in[at] ^ turned[at % 8];
    }
    reader->mask_at = (reader->mask_at + len) % 4;
}

static bool ws_reader_close_code_is_sent(uint16_t code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

static enum ws_result ws_reader_control(struct ws_reader *reader)
{
    reader->state = WS_READER_HEAD;
    reader->opcode = (enum ws_opcode)reader->frame_opcode;
    if (reader->opcode != WS_CLOSE) {
        return WS_CONTROL;
    }
    size_t whole;
    if (reader->control_bytes == 0) {
        reader->close_code = WS_CLOSE_NO_STATUS;
        return WS_CONTROL;
    }
    if (reader->control_bytes == 1 || !ws_reader_close_code_is_sent(be16_at(reader->control))) {
        return ws_reader_fail(reader, WS_CLOSE_PROTOCOL);
    }
    struct bytes reason = bytes_of(reader->control + 2, reader->control_bytes - 2);
    if (!utf8_begins_valid(reason, &whole) || whole != reason.len) {
        return ws_reader_fail(reader, WS_CLOSE_NOT_UTF8);
    }
    reader->close_code = (enum ws_close)be16_at(reader->control);
    return WS_CONTROL;
}

static enum ws_result ws_reader_control_payload(struct ws_reader *reader, struct bytes in,
                                                size_t *used)
{
    size_t len = in.len - *used;
    len = len < reader->left_bytes ? len : (size_t)reader->left_bytes;
    ws_reader_unmask(reader, in.ptr + *used, len, reader->control + reader->control_bytes);
    *used += len;
    reader->control_bytes += len;
    reader->left_bytes -= len;
    return reader->left_bytes == 0 ? ws_reader_control(reader) : WS_NEED_MORE;
}

/* Checks what of a text has come; the last character may be incomplete while more is to come. */
static bool ws_reader_check_text(struct ws_reader *reader, bool is_end)
{
    size_t whole;
    struct bytes rest = bytes_of(reader->buffer + reader->checked_bytes,
                                 reader->message_bytes - reader->checked_bytes);
    bool is_good = utf8_begins_valid(rest, &whole);
    reader->checked_bytes += whole;
    return is_good && (!is_end || reader->checked_bytes == reader->message_bytes);
}

static enum ws_result ws_reader_data_payload(struct ws_reader *reader, struct bytes in,
                                             size_t *used)
{
    size_t len = in.len - *used;
    size_t space = reader->buffer_cap - reader->message_bytes;
    len = len < reader->left_bytes ? len : (size_t)reader->left_bytes;
    len = len < space ? len : space;
    if (len > 0) {
        ws_reader_unmask(reader, in.ptr + *used, len, reader->buffer + reader->message_bytes);
    }
    *used += len;
    reader->message_bytes += len;
    reader->left_bytes -= len;
    bool is_end = reader->left_bytes == 0 && reader->is_final;
    if (reader->is_text && reader->message_bytes > 0 && !ws_reader_check_text(reader, is_end)) {
        return ws_reader_fail(reader, WS_CLOSE_NOT_UTF8);
    }
    if (reader->left_bytes > 0) {
        return WS_NEED_MORE;
    }
    reader->state = WS_READER_HEAD;
    if (!is_end) {
        return WS_NEED_MORE;
    }
    reader->opcode = reader->is_text ? WS_TEXT : WS_BINARY;
    reader->is_whole = true;
    return WS_MESSAGE;
}

enum ws_result ws_reader_take(struct ws_reader *reader, struct bytes in, size_t *ret_used)
{
    *ret_used = 0;
    if (reader->state == WS_READER_FAILED) {
        return WS_FAIL;
    }
    if (reader->is_whole) {
        reader->is_whole = reader->in_message = false;
        reader->message_bytes = reader->checked_bytes = 0;
    }
    enum ws_result found = WS_NEED_MORE;
    while (found == WS_NEED_MORE) {
        if (reader->state == WS_READER_HEAD) {
            found = ws_reader_head(reader, in, ret_used);
            if (found == WS_NEED_MORE && reader->state == WS_READER_HEAD) {
                return WS_NEED_MORE;
            }
        } else if (ws_reader_wants(reader) != 0) {
            return WS_NEED_MORE;
        } else if (*ret_used == in.len && reader->left_bytes > 0) {
            return WS_NEED_MORE;
        } else if (ws_reader_is_control(reader)) {
            found = ws_reader_control_payload(reader, in, ret_used);
        } else {
            found = ws_reader_data_payload(reader, in, ret_used);
        }
    }
    return found;
}
