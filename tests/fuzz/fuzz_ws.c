/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target for the WebSocket reader. Any split of a stream gives the same messages; the buffer
 * never grows beyond the limit; texts are UTF-8; what was read, framed anew, reads the same.
 */
#include <assert.h>
#include <stdlib.h>

#include "proto/utf8.h"
#include "proto/ws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MESSAGE_MAX 5000

struct log {
    uint8_t *ptr;
    struct sink out;
};

static void log_one(struct log *log, uint8_t kind, struct bytes content)
{
    sink_u8(&log->out, kind);
    sink_be32(&log->out, (uint32_t)content.len);
    sink_put(&log->out, content);
}

static void check(const struct ws_reader *reader, enum ws_result result)
{
    size_t whole;
    struct bytes message = bytes_of(reader->buffer, reader->message_bytes);
    assert(reader->message_bytes <= MESSAGE_MAX && reader->control_bytes <= WS_CONTROL_MAX);
    if (result == WS_MESSAGE && reader->opcode == WS_TEXT && message.len > 0) {
        assert(utf8_begins_valid(message, &whole) && whole == message.len);
    }
}

/* False when it has failed. */
static bool take(struct ws_reader *reader, struct bytes *in, struct log *log)
{
    size_t used;
    enum ws_result result = ws_reader_take(reader, *in, &used);
    assert(used <= in->len);
    *in = bytes_from(*in, used);
    check(reader, result);
    if (result == WS_MESSAGE) {
        log_one(log, (uint8_t)reader->opcode, bytes_of(reader->buffer, reader->message_bytes));
    } else if (result == WS_CONTROL) {
        log_one(log, (uint8_t)reader->opcode, bytes_of(reader->control, reader->control_bytes));
    } else if (result == WS_FAIL) {
        uint8_t why[2] = {(uint8_t)(reader->fail >> 8), (uint8_t)reader->fail};
        log_one(log, 0xff, bytes_of(why, 2));
    }
    size_t wanted = ws_reader_wants(reader);
    assert(wanted == 0 || (wanted > reader->buffer_cap && wanted <= MESSAGE_MAX));
    if (wanted != 0) {
        reader->buffer = realloc(reader->buffer, wanted);
        assert(reader->buffer != NULL);
        reader->buffer_cap = wanted;
    }
    return result != WS_FAIL;
}

static struct log read_all(struct bytes in, size_t step)
{
    struct log log = {.ptr = malloc(in.len * 8 + 64)};
    log.out = sink_into(log.ptr, in.len * 8 + 64);
    struct ws_reader reader;
    ws_reader_init(&reader, MESSAGE_MAX);
    bool is_open = true;
    while (in.len > 0 && is_open) {
        struct bytes piece = bytes_of(in.ptr, in.len < step ? in.len : step);
        in = bytes_from(in, piece.len);
        while (piece.len > 0 && is_open) {
            is_open = take(&reader, &piece, &log);
        }
    }
    free(reader.buffer);
    assert(sink_fits(&log.out));
    return log;
}

/* The first message that was found, framed as a client would, reads as one message. */
static void frame_anew(const struct log *log)
{
    uint8_t kind = log->out.len > 0 ? log->ptr[0] : 0xff;
    if (kind != WS_TEXT && kind != WS_BINARY) {
        return;
    }
    struct bytes message = bytes_of(log->ptr + 5, be32_at(log->ptr + 1));
    uint8_t *storage = malloc(message.len + WS_HEAD_MAX + 4);
    struct sink out = sink_into(storage, message.len + WS_HEAD_MAX + 4);
    ws_head((enum ws_opcode)kind, message.len, &out);
    storage[1] |= 0x80;
    sink_be32(&out, 0);
    sink_put(&out, message);
    struct log again = read_all(sink_bytes(&out), 11);
    assert(again.out.len == message.len + 5 && memcmp(again.ptr, log->ptr, again.out.len) == 0);
    free(again.ptr);
    free(storage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t steps[] = {1, 3, 64};
    struct log whole = read_all(bytes_of(data, size), size + 1);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct log split = read_all(bytes_of(data, size), steps[i]);
        assert(split.out.len == whole.out.len && memcmp(split.ptr, whole.ptr, whole.out.len) == 0);
        free(split.ptr);
    }
    frame_anew(&whole);
    free(whole.ptr);
    return 0;
}
