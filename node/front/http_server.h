/* SPDX-License-Identifier: MIT */
/*
 * http_server: HTTP/1.1 connections of clients: reads requests (pipelined, in any split of bytes),
 * hands each to one handler, and sends the answers in the order of the requests. It knows no route.
 * Framing errors are answered here (400, 413, 431, 501, 505) and close the connection.
 */
#ifndef FRONT_HTTP_SERVER_H
#define FRONT_HTTP_SERVER_H

#include <uv.h>

#include "node/front/connections.h"
#include "proto/http1.h"

struct http_server;

/** One request waiting for its answer. Owned by the server; valid until http_respond. */
struct http_exchange;

/**
 * Called for each complete request, on the loop thread.
 *
 * req, body  borrowed for the call; the body is de-chunked
 * The handler answers by http_respond exactly once, now or later, also when the client has gone.
 */
typedef void http_on_request_fn(struct http_exchange *exchange, const struct http1_request *req,
                                struct bytes body, void *arg);

/** A body that is longer than body_max_bytes, which is answered by 413 without a handler. `req` is
 * borrowed. */
typedef void http_on_too_large_fn(const struct http1_request *req, uint32_t peer_ip, void *arg);

struct http_server_options {
    uint32_t ip; /* host order */
    uint16_t
        port; /* 0: a free one from 1024 to 32767, which is as far as the original client can go */
    size_t head_max_bytes;
    uint64_t body_max_bytes;
    struct connections *connections; /* who has how many; NULL: nobody counts */
    int64_t idle_ms; /* a connection without a request in flight is closed after this */
    http_on_request_fn *on_request;
    http_on_too_large_fn *on_too_large; /* NULL: nobody is told */
    void *arg;
};

/**
 * Listen. SO_REUSEADDR is set; no SO_REUSEPORT.
 *
 * ret_server  on 0: owned by the caller until http_server_close
 * returns     0, or a negative libuv error (UV_EADDRINUSE, UV_EACCES, ...)
 */
int http_server_open(uv_loop_t *loop, const struct http_server_options *options,
                     struct http_server **ret_server);

uint16_t http_server_port(const struct http_server *server);

/** Applies to connections from now on (reload). */
void http_server_limits(struct http_server *server, uint64_t body_max_bytes, int64_t idle_ms);

/**
 * From now on, or no more: each answer is the last of its connection, so that clients that talk
 * connect anew, to another node if a balancer leads them there. A connection that is cut while
 * idle may cut off a request that is on its way; one that ends by an answer doesn't.
 */
void http_server_send_off(struct http_server *server, bool is_sending_off);
/** True when there is no connection. */
bool http_server_is_deserted(const struct http_server *server);

/** Stop listening; connections end after the answer to what they have asked ("connection: close").
 */
void http_server_drain(struct http_server *server);

/**
 * Close listener and connections at once. Exchanges still open must be answered all the same (to
 * nobody). The server is freed when libuv has closed everything and the last exchange is answered.
 */
void http_server_close(struct http_server *server);

/**
 * Keep the connection of this request for something else than HTTP: no further request is read.
 *
 * returns  true; false: it cannot be, because other requests or other bytes came along with it, or
 *          the client has gone.
 * From then on either http_respond answers, and closes, or http_exchange_take takes it.
 */
bool http_exchange_reserve(struct http_exchange *exchange);

/** Take the socket of a reserved request, which is over thereby, answered by the caller. Owned by
 * the caller; reading is stopped. NULL: the client has gone. */
uv_tcp_t *http_exchange_take(struct http_exchange *exchange);

/** True for a connection that is one too many: operators' questions are answered over it and
 * nothing else, and it ends after the first answer, or soon if nothing is asked. */
bool http_exchange_is_spare(const struct http_exchange *exchange);

/** The peer's IPv4 address in host order. */
uint32_t http_exchange_peer_ip(const struct http_exchange *exchange);

/** Add header lines, each ending in CR LF, to the answer to come; copied. */
void http_exchange_add_headers(struct http_exchange *exchange, const char *headers);

/** The `date` header's value now. */
const char *http_exchange_date(const struct http_exchange *exchange);
/** What http_exchange_add_headers has added; "" when nothing. */
const char *http_exchange_added(const struct http_exchange *exchange);

/**
 * Answer and free the exchange. Head: status line, date, content-type (when body.len > 0 or given),
 * content-length, connection as needed. The connection sends what its answers have come to in one
 * write per loop turn.
 *
 * content_type   NULL: none
 * extra_headers  NULL, or complete lines each ending in CR LF ("Allow: POST\r\n")
 * body           copied
 */
void http_respond(struct http_exchange *exchange, int status, const char *content_type,
                  const char *extra_headers, struct bytes body);

/**
 * Refuse by http_respond: every refusal has the same JSON body, {"type":"error","code":...,
 * "reason":...,"name":...}, whose two names are the same.
 *
 * name    NULL: made of the status' own words, NOT_FOUND
 * reason  NULL: the status' own words. Neither needs escaping
 */
void http_refuse(struct http_exchange *exchange, int status, const char *name, const char *reason,
                 const char *extra_headers);

#endif
