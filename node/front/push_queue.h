/* SPDX-License-Identifier: MIT */
/*
 * push_queue: the requests of one push connection in their order: first those that are written and
 * not answered, then those that wait to be written. It does no I/O: it gives out what to write next
 * and is told what became of it.
 */
#ifndef FRONT_PUSH_QUEUE_H
#define FRONT_PUSH_QUEUE_H

#include <uv.h>

#include "node/base/frame.h"
#include "proto/push_text.h"

/** What a request's head is counted as. */
#define PUSH_HEAD_BYTES 256

struct push_item {
    struct push_item *next;
    struct frame *body;
    enum push_type type;
    bool was_written; /* completely, perhaps on a connection that is gone */
    uint64_t mark;    /* 0: none */
    size_t head_len;
    uint8_t head[PUSH_HEAD_BYTES];
};

/** Zeroed storage is an empty queue. */
struct push_queue {
    struct push_item *oldest;
    struct push_item *waiting; /* the first that is not written completely; NULL: none */
    struct push_item *newest;
    size_t bytes;         /* of all, a head counted as PUSH_HEAD_BYTES */
    size_t waiting_bytes; /* of `waiting` and what follows it */
    size_t started_bytes; /* on the wire of `waiting`: written already */
    size_t lent_count;  /* from `waiting` on: lent to a write under way; they stay until its end */
    size_t early_count; /* of those: answered before the write was reported done */
    size_t forgotten_count; /* written and forgotten here, their answers still to come */
    bool answers_at_all;    /* at least one answer came, on whichever connection */
    uint64_t answered_mark; /* the last that was answered; 0: none */
    uint64_t written_mark;  /* the last that was written for the first time; 0: none */
};

/** Legal on zeroed storage. No write may be under way. */
void push_queue_fini(struct push_queue *queue);

/**
 * Append a request, forgetting written ones as needed.
 *
 * body     a reference is taken
 * mark     of this request; 0: none
 * returns  true; false: what waits and this one are more than `max_bytes`, or memory is out;
 *          nothing has changed. When nothing waits, one request is taken whatever its size.
 */
bool push_queue_add(struct push_queue *queue, size_t max_bytes, enum push_type type,
                    struct frame *body, uint64_t mark);

/**
 * What to write next, at most `buf_max` (at least 2) buffers. They stay valid until the next
 * push_queue_written, or longer for what is lent.
 *
 * ret_bytes  sum of the buffers
 * returns    number of buffers; 0: nothing waits
 */
size_t push_queue_next(struct push_queue *queue, struct bytes host, struct bytes user_agent,
                       uv_buf_t *bufs, size_t buf_max, size_t *ret_bytes);

/** `bytes` of what push_queue_next gave were written. Returns how many requests this completed. */
size_t push_queue_written(struct push_queue *queue, size_t bytes);

/** A write of the next `bytes` bytes is under way. It ends by push_queue_written or _rewind. */
void push_queue_lend(struct push_queue *queue, size_t bytes);

/** A response came. False: nothing was asked. ret_logged_unix_ms: of the frame that it answers; 0:
 * it carried no entry, or was forgotten. */
bool push_queue_answered(struct push_queue *queue, int64_t *ret_logged_unix_ms);

/** Something is written, or being written, and not answered. */
bool push_queue_unanswered(const struct push_queue *queue);

/** See push_confirmed. */
uint64_t push_queue_confirmed(const struct push_queue *queue);

/** See push_idle. */
bool push_queue_idle(const struct push_queue *queue);

/** The connection is gone, its write as well: all that is not answered waits again. */
void push_queue_rewind(struct push_queue *queue);

#endif
