/* SPDX-License-Identifier: MIT */
/*
 * ws_line: what comes in over a WebSocket: messages are put together, HGTP messages asked of talk,
 * texts given to line_text.c, control frames answered. Framing is proto/ws's, writing line.c's.
 */
#include <stdlib.h>

#include "line_state.h"

static struct frame *ws_line_frame(enum ws_opcode opcode, struct bytes payload)
{
    struct frame *frame = frame_new(WS_HEAD_MAX + payload.len);
    if (frame != NULL) {
        struct sink out = sink_into(frame->data, frame->len);
        ws_head(opcode, payload.len, &out);
        sink_put(&out, payload);
        frame->len = out.len;
    }
    return frame;
}

void ws_line_ping(struct line *line)
{
    line_send_own(line, ws_line_frame(WS_PING, bytes_of(NULL, 0)));
}

void ws_line_close(struct line *line, enum ws_close why)
{
    uint8_t storage[WS_HEAD_MAX + WS_CONTROL_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    ws_close_frame(why, line_close_reason(why), &out);
    struct frame *frame = frame_new(out.len);
    if (frame != NULL) {
        memcpy(frame->data, storage, out.len);
    }
    line_send_own(line, frame);
    line_end(line);
}

void ws_line_free(struct line *line)
{
    if (line->reader != NULL) {
        free(line->reader->buffer);
        free(line->reader);
    }
}

struct line *line_open_ws(struct lines *lines, uv_tcp_t *tcp, const struct line_peer *peer,
                          struct bytes head)
{
    struct ws_reader *reader = calloc(1, sizeof *reader);
    struct line *line = line_new(lines, tcp, peer, FORMAT_WS, head);
    if (line == NULL) {
        free(reader);
        return NULL;
    }
    line->reader = reader;
    if (reader == NULL) {
        line_drop(line);
        return NULL;
    }
    ws_reader_init(reader, lines->settings->message_max_bytes);
    return line;
}

/* HGTP messages -------------------------------------------------------------------------------- */

static bool ws_line_is_too_fast(struct bytes reply)
{
    struct hgtp_message decoded;
    struct hgtp_reason reason;
    return hgtp_decode(reply, &decoded) == HGTP_DECODED &&
           (decoded.header.type == HGTP_SERVER_UNAVAILABLE ||
            decoded.header.type == HGTP_BAD_REQUEST) &&
           hgtp_reason_decode(decoded.body, &reason) && reason.code == ERR_RATE_LIMITED;
}

static void ws_line_on_reply(struct bytes reply, void *arg)
{
    struct line *line = arg;
    if (reply.len > 0) {
        line_send_own(line, frames_hgtp(FORMAT_WS, reply));
        line->is_slowed = line->is_slowed || ws_line_is_too_fast(reply);
    }
    line->in_flight--;
    line_pace(line);
    line_let_go(line);
}

static void ws_line_ask(struct line *line, struct bytes message)
{
    struct hgtp_message decoded;
    if (hgtp_decode(message, &decoded) == HGTP_BAD_HEADER) {
        line_text_error(line, ERR_MALFORMED, bytes_of(NULL, 0));
        return;
    }
    const struct core_asker asker = {
        .ip = line->peer_ip, .client_ip = line->client_ip, .line = line, .owner = line->owner};
    line_hold(line);
    line->in_flight++;
    core_ask(line->lines->settings->core, &asker, message, ws_line_on_reply, line);
}

/* Reading -------------------------------------------------------------------------------------- */

static bool ws_line_make_room(struct ws_reader *reader)
{
    size_t wanted = ws_reader_wants(reader);
    if (wanted == 0) {
        return true;
    }
    uint8_t *larger = realloc(reader->buffer, wanted);
    if (larger == NULL) {
        return false;
    }
    reader->buffer = larger;
    reader->buffer_cap = wanted;
    return true;
}

static void ws_line_on_control(struct line *line)
{
    const struct ws_reader *reader = line->reader;
    struct bytes payload = bytes_of(reader->control, reader->control_bytes);
    if (reader->opcode == WS_PING) {
        line_send_own(line, ws_line_frame(WS_PONG, payload));
    } else if (reader->opcode == WS_CLOSE) {
        payload.len = payload.len > 2 ? 2 : payload.len; /* the code, without their reason */
        line_send_own(line, ws_line_frame(WS_CLOSE, payload));
        line_end(line);
    }
}

void ws_line_on_bytes(struct line *line, struct bytes in)
{
    struct ws_reader *reader = line->reader;
    while (in.len > 0 && line->state == LINE_OPEN) {
        size_t used;
        enum ws_result found = ws_reader_take(reader, in, &used);
        in = bytes_from(in, used);
        switch (found) {
        case WS_MESSAGE:
            if (reader->opcode == WS_TEXT) {
                line_text_take(line, bytes_of(reader->buffer, reader->message_bytes));
            } else {
                ws_line_ask(line, bytes_of(reader->buffer, reader->message_bytes));
            }
            break;
        case WS_CONTROL:
            ws_line_on_control(line);
            break;
        case WS_FAIL:
            ws_line_close(line, reader->fail);
            return;
        case WS_NEED_MORE:
            break;
        }
        if (!ws_line_make_room(reader)) {
            line_drop(line);
            return;
        }
    }
    if (ws_reader_is_idle(reader)) {
        free(reader->buffer);
        reader->buffer = NULL;
        reader->buffer_cap = 0;
    }
}
