/* SPDX-License-Identifier: MIT */
/*
 * push: the original's way of getting talk: one HTTP connection from the node to each client,
 * requests back to back, responses read and dropped. Reconnects with back-off and jitter as long as
 * it is open. What was written but not answered when a connection broke is sent again.
 */
#ifndef FRONT_PUSH_H
#define FRONT_PUSH_H

#include <uv.h>

#include "node/core/ports.h"

struct push;

struct push_events {
    /** The queue has fallen below half of its bound after push_send had refused something. */
    void (*on_drained)(void *owner);
    /**
     * Answers have come: once for all that one read has brought. Never from inside a function of
     * this header; the owner may call any of them from inside this one, push_close as well. NULL:
     * nobody is told. A receiver that answers nothing never causes it.
     */
    void (*on_confirmed)(void *owner);
};

/** Settings shared by all connections of a node; the caller keeps it alive and may change it. */
struct push_settings {
    uv_loop_t *loop;
    size_t queue_max_bytes;
    int64_t connect_ms;   /* limit for one attempt to connect */
    int64_t retry_min_ms; /* back-off after a failed attempt: doubles with jitter from here ... */
    int64_t retry_max_ms; /* ... to here */
    struct push_events events;
};

/**
 * Start to connect and keep connected. TCP_NODELAY and keep-alive are set.
 *
 * user_agent  8 bytes, copied: the receiver's user id
 * ip, port    host order
 * returns     owned by the caller until push_close; NULL when memory is out
 */
struct push *push_open(const struct push_settings *settings, const uint8_t user_agent[8],
                       uint32_t ip, uint16_t port, void *owner);

/**
 * Queue one request; all that a loop turn queues is written in one go. May be called before the
 * connection stands. The `host` header is the local address of the connection.
 *
 * body     a reference is taken
 * mark     what push_confirmed says once this is answered: the caller's number, of whatever order;
 *          0: it has none
 * returns  true; false: the queue is full, nothing was taken, on_drained will be called
 * limits   waiting and written-but-unanswered bytes together: settings.queue_max_bytes. What is
 *          written and unanswered is forgotten, oldest first, rather than refuse something new: a
 *          receiver need not answer. While nothing waits, one request of any size is taken.
 */
bool push_send(struct push *push, enum push_type type, struct frame *body, uint64_t mark);

/**
 * Mark of the last request, of those that have one, that was answered; 0: none yet. Requests are
 * answered in their order, so all before it were answered or forgotten. What was forgotten before
 * its answer came does not count: then this is less than what the receiver has.
 *
 * A receiver need not answer. While it has answered nothing at all, on no connection of this push,
 * the last request that was written completely counts instead. Its first answer ends that, and what
 * is said then is what is answered, so it may go back that once, to 0 even.
 */
uint64_t push_confirmed(const struct push *push);

/** Nothing waits to be written and nothing written, forgotten or not, is unanswered; for a receiver
 * that has never answered: nothing waits. No event says that it has become so, if no answer does.
 */
bool push_idle(const struct push *push);

/**
 * The client is at another address now: connect there, at once, and send what is queued, what the
 * old address has not answered included. Nothing happens when it is the address it has.
 */
void push_redirect(struct push *push, uint32_t ip, uint16_t port);

/** True while connected and, if something is unanswered, answered to within the last 30 s. */
bool push_alive(const struct push *push);

/** How it stands with the client's port. */
struct push_health push_health(const struct push *push);

/** Close; what is queued is still written if the connection takes it at once. No event is called
 * again. */
void push_close(struct push *push);

/** The port for talk; `settings` must live as long as it is used. */
struct push_port push_port(struct push_settings *settings);

#endif
