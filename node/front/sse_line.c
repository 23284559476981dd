/* SPDX-License-Identifier: MIT */
/*
 * sse_line: event streams (text/event-stream): comments against silence. What is sent comes from
 * talk as events; what the client has to say it says by POST, so nothing is read here.
 */
#include "line_state.h"
#include "proto/talk_text.h"

void sse_line_ping(struct line *line)
{
    static const char comment[] = ": still here\n\n";
    struct frame *frame = frame_new(sizeof comment - 1);
    if (frame != NULL) {
        memcpy(frame->data, comment, sizeof comment - 1);
    }
    line_send_own(line, frame);
}

static void sse_line_write_closed(const void *what, struct sink *out)
{
    const enum ws_close *why = what;
    talk_text_closed((int)*why, line_close_reason(*why), out);
}

void sse_line_close(struct line *line, enum ws_close why)
{
    line_send_own(line, frames_text(FORMAT_SSE, NULL, sse_line_write_closed, &why));
    line_end(line);
}

struct line *line_open_sse(struct lines *lines, uv_tcp_t *tcp, const struct line_peer *peer,
                           struct bytes head)
{
    return line_new(lines, tcp, peer, FORMAT_SSE, head);
}
