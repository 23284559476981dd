/* SPDX-License-Identifier: MIT */
/*
 * frames: puts texts and HGTP messages into the form of a connection: as they are, in a WebSocket
 * frame, or as an event of a text/event-stream. What the texts say is others' business.
 */
#include "frames.h"

#include <inttypes.h>
#include <stdio.h>

#include "proto/base64.h"
#include "proto/ws.h"

struct frames_wrap {
    uint8_t before[128];
    size_t before_bytes;
    const char *after;
};

static struct frames_wrap frames_wrap(enum format format, enum ws_opcode opcode,
                                      const struct frame_place *place, size_t content_bytes)
{
    struct frames_wrap wrap = {.after = ""};
    struct sink before = sink_into(wrap.before, sizeof wrap.before);
    if (format == FORMAT_WS) {
        ws_head(opcode, content_bytes, &before);
    } else if (format == FORMAT_SSE) {
        char id[96];
        snprintf(id, sizeof id, "id: %.60s:%" PRIu64 "\n", place != NULL ? place->epoch : "",
                 place != NULL ? place->seq : 0);
        sink_text(&before, place != NULL ? id : "");
        sink_text(&before, opcode == WS_BINARY ? "event: hgtp\ndata: " : "data: ");
        wrap.after = "\n\n";
    }
    wrap.before_bytes = before.len;
    return wrap;
}

static struct frame *frames_make(enum format format, enum ws_opcode opcode,
                                 const struct frame_place *place, frames_write_fn *write,
                                 const void *what)
{
    struct sink measure = sink_into(NULL, 0);
    write(what, &measure);
    struct frames_wrap wrap = frames_wrap(format, opcode, place, measure.len);
    struct frame *frame = frame_new(wrap.before_bytes + measure.len + strlen(wrap.after));
    if (frame != NULL) {
        struct sink out = sink_into(frame->data, frame->len);
        sink_put(&out, bytes_of(wrap.before, wrap.before_bytes));
        write(what, &out);
        sink_text(&out, wrap.after);
        assert(out.len == frame->len);
    }
    return frame;
}

struct frame *frames_text(enum format format, const struct frame_place *place,
                          frames_write_fn *write, const void *what)
{
    return frames_make(format, WS_TEXT, place, write, what);
}

static void frames_write_bytes(const void *what, struct sink *out)
{
    sink_put(out, *(const struct bytes *)what);
}

static void frames_write_base64(const void *what, struct sink *out)
{
    base64_encode(*(const struct bytes *)what, out);
}

struct frame *frames_hgtp(enum format format, struct bytes message)
{
    return frames_make(format, WS_BINARY, NULL,
                       format == FORMAT_SSE ? frames_write_base64 : frames_write_bytes, &message);
}
