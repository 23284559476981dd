/* SPDX-License-Identifier: MIT */
/*
 * frames: what goes over a client's connection, in the form of each kind of connection. A frame is
 * made once and shared by all connections of its format.
 */
#ifndef CORE_FRAMES_H
#define CORE_FRAMES_H

#include "node/base/frame.h"

enum format {
    FORMAT_PUSH, /* the body of an HTTP push; its head is the connection's own */
    FORMAT_WS,   /* a WebSocket frame */
    FORMAT_SSE,  /* an event of a text/event-stream */
    FORMAT_COUNT
};

/** A place in a room's log. */
struct frame_place {
    const char *epoch;
    uint64_t seq;
};

/** Appends one text; called twice, the first time to measure. */
typedef void frames_write_fn(const void *what, struct sink *out);

/**
 * A frame with one reference; NULL when memory is out.
 *
 * place  FORMAT_SSE: the event's id, "EPOCH:SEQ", from which a client may resume; NULL: none
 */
struct frame *frames_text(enum format format, const struct frame_place *place,
                          frames_write_fn *write, const void *what);

/** An HGTP message (FORMAT_WS or FORMAT_SSE); as above. */
struct frame *frames_hgtp(enum format format, struct bytes message);

#endif
