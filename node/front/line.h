/* SPDX-License-Identifier: MIT */
/*
 * line: connections that clients have opened to be told what happens: WebSocket (ws_line.c) and
 * event streams (sse_line.c). What is queued in a loop turn leaves in one write; the queue is
 * bounded; one that is silent for too long ends. What is said over them is talk's.
 */
#ifndef FRONT_LINE_H
#define FRONT_LINE_H

#include <uv.h>

#include "node/core/core.h"
#include "node/front/connections.h"

struct line;
struct lines;

/** Settings of all lines of a node; the caller keeps them alive and may change them. */
struct line_settings {
    uv_loop_t *loop;
    struct core *core;               /* set before the first line is opened */
    struct connections *connections; /* where those that are taken over count; NULL: nowhere */
    size_t queue_max_bytes;
    size_t message_max_bytes; /* longest WebSocket message taken */
    int64_t
        ping_ms; /* silence after which a client is pinged; after as much again it is given up */
    int64_t idle_ms; /* how long a line may have no session */
};

/** NULL when memory is out; freed by lines_close. */
struct lines *lines_open(struct line_settings *settings);

/**
 * End all lines at once, what is queued as far as the sockets take it. Everything is freed when
 * libuv has closed it and nobody holds a line any more.
 */
void lines_close(struct lines *lines);

/** Whose connection it is, as in struct core_asker. */
struct line_peer {
    uint32_t ip;
    uint32_t client_ip;
};

/**
 * Take over a connection whose request has been read and not been answered; `head` is the answer.
 * It has been counted for the client's address.
 *
 * tcp      owned by the line from now on, also on failure
 * returns  valid until it has ended: owned by itself; NULL when memory is out
 */
struct line *line_open_ws(struct lines *lines, uv_tcp_t *tcp, const struct line_peer *peer,
                          struct bytes head);
struct line *line_open_sse(struct lines *lines, uv_tcp_t *tcp, const struct line_peer *peer,
                           struct bytes head);

/** The port for talk. */
struct line_port line_port(void);

#endif
