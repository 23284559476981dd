/* SPDX-License-Identifier: MIT */
/* frame: bytes encoded once and shared by reference among connections. One loop thread, plain
 * counts. */
#ifndef BASE_FRAME_H
#define BASE_FRAME_H

#include <assert.h>
#include <stdlib.h>

#include "proto/bytes.h"

struct frame {
    size_t refs;
    size_t len;
    int64_t logged_unix_ms; /* time in the room log of the entry it carries; 0: it carries none */
    uint8_t data[];
};

/** A frame with one reference, its content to be filled by the caller; NULL when memory is out. */
static inline struct frame *frame_new(size_t len)
{
    struct frame *frame = malloc(sizeof *frame + len);
    if (frame != NULL) {
        frame->refs = 1;
        frame->len = len;
        frame->logged_unix_ms = 0;
    }
    return frame;
}

static inline struct frame *frame_ref(struct frame *frame)
{
    frame->refs++;
    return frame;
}

/** Gives one reference back; the last one frees. NULL is legal. */
static inline void frame_unref(struct frame *frame)
{
    if (frame != NULL) {
        assert(frame->refs > 0);
        if (--frame->refs == 0) {
            free(frame);
        }
    }
}

#endif
