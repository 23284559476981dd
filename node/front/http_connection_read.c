/* SPDX-License-Identifier: MIT */
/*
 * http_connection_read: reads requests in whatever pieces they come, and gives them to the handler.
 * What a request may look like is http1's; answers are http_connection.c's.
 */
#include <stdlib.h>
#include <utlist.h>

#include "http_connection.h"
#include "node/base/metrics.h"
#include "proto/err.h"

#define HTTP_READ_BYTES 65536

/* Requests ------------------------------------------------------------------------------------- */

static struct http_exchange *http_exchange_new(struct http_connection *connection)
{
    struct http_exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL) {
        http_connection_close(connection);
        return NULL;
    }
    exchange->server = connection->server;
    exchange->connection = connection;
    exchange->peer_ip = connection->peer_ip;
    exchange->is_last = connection->is_spare;
    connection->is_last_read |= connection->is_spare;
    http_server_hold(connection->server);
    LL_APPEND(connection->first, exchange);
    connection->in_flight++;
    return exchange;
}

/* Answers a request that no handler sees, and closes. */
static void http_connection_refuse(struct http_connection *connection, int status)
{
    enum err err = status == 400 ? ERR_MALFORMED : status == 413 ? ERR_MESSAGE_TOO_LARGE : ERR_NONE;
    metric_add(METRIC_HTTP_MALFORMED, 1);
    connection->is_last_read = true;
    connection->in_len = 0;
    struct http_exchange *exchange = http_exchange_new(connection);
    if (exchange != NULL) {
        exchange->is_last = true;
        http_refuse(exchange, status, err != ERR_NONE ? err_name(err) : NULL,
                    err != ERR_NONE ? err_text(err) : NULL, NULL);
    }
}

/* Reading -------------------------------------------------------------------------------------- */

static int http_status_of(enum http1_result result)
{
    switch (result) {
    case HTTP1_HEAD_TOO_LARGE:
        return 431;
    case HTTP1_BODY_TOO_LARGE:
        return 413;
    case HTTP1_VERSION:
        return 505;
    case HTTP1_CODING:
        return 501;
    default:
        return 400;
    }
}

/* A request that cannot be read; its head could if only the body is too long. */
static void http_connection_reject(struct http_connection *connection, enum http1_result result)
{
    const struct http_server_options *options = &connection->server->options;
    if (result == HTTP1_BODY_TOO_LARGE && options->on_too_large != NULL) {
        options->on_too_large(&connection->req, connection->peer_ip, options->arg);
    }
    http_connection_refuse(connection, http_status_of(result));
}

/* Hands a whole request over; `used` bytes of `in` were its own. */
static void http_connection_hand_over(struct http_connection *connection, struct bytes body,
                                      size_t used)
{
    struct http_exchange *exchange = http_exchange_new(connection);
    if (exchange == NULL) {
        return;
    }
    metric_add(METRIC_HTTP_REQUESTS, 1);
    exchange->is_head = bytes_equal(connection->req.method, bytes_str("HEAD"));
    /* What has come behind it is answered first. */
    bool is_sent_off = connection->server->is_sending_off && connection->in_len == used;
    exchange->is_last =
        !connection->req.keep_alive || connection->server->is_draining || is_sent_off;
    exchange->is_kept = connection->req.keep_alive && connection->req.minor == 0;
    connection->is_last_read = exchange->is_last;
    connection->used_bytes = used;
    const struct http_server_options *options = &connection->server->options;
    options->on_request(exchange, &connection->req, body, options->arg);
    connection->in_len -= used;
    memmove(connection->in, connection->in + used, connection->in_len);
    connection->in_body = false;
    connection->continued = false;
    connection->body_len = 0;
    connection->since_ms = http_server_now_ms(connection->server);
    if (connection->server->is_draining) {
        http_connection_drain(connection); /* draining may have begun in the handler */
    }
}

static bool http_connection_grow(uint8_t **storage, size_t *cap, size_t wanted)
{
    if (wanted <= *cap) {
        return true;
    }
    size_t larger = *cap * 2 > wanted ? *cap * 2 : wanted;
    uint8_t *moved = realloc(*storage, larger);
    if (moved == NULL) {
        return false;
    }
    *storage = moved;
    *cap = larger;
    return true;
}

static void http_connection_continue(struct http_connection *connection)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (connection->continued || !connection->req.expects_continue) {
        return;
    }
    connection->continued = true;
    struct http_exchange *exchange = http_exchange_new(connection);
    if (exchange == NULL) {
        return;
    }
    exchange->answer = malloc(sizeof text - 1);
    exchange->is_answered = true;
    if (exchange->answer == NULL) {
        http_connection_close(connection);
        return;
    }
    memcpy(exchange->answer, text, sizeof text - 1);
    exchange->answer_bytes = sizeof text - 1;
    connection->unsent_bytes += sizeof text - 1;
    http_server_dirty(connection);
}

/* Adds what there is of a chunked body to `body`. The head stays where it is, its views point
 * there; the body's bytes are used up, all in one move: chunks may be tiny and many. */
static enum http1_result http_connection_dechunk(struct http_connection *connection)
{
    uint8_t *start = connection->in + connection->chunked_at;
    struct bytes rest = bytes_of(start, connection->in_len - connection->chunked_at);
    enum http1_result result;
    size_t at = 0, used;
    do {
        struct bytes piece;
        result = http1_chunked_take(&connection->chunked, bytes_of(start + at, rest.len - at),
                                    connection->body_max_bytes, &used, &piece);
        at += used;
        size_t wanted = connection->body_len + piece.len;
        if (!http_connection_grow(&connection->body, &connection->body_cap, wanted)) {
            http_connection_close(connection);
            break;
        }
        if (piece.len > 0) {
            memcpy(connection->body + connection->body_len, piece.ptr, piece.len);
            connection->body_len = wanted;
        }
    } while (result == HTTP1_NEED_MORE && used > 0);
    memmove(start, start + at, rest.len - at);
    connection->in_len -= at;
    return result;
}

/* True when the request was handed over. */
static bool http_connection_take_chunked(struct http_connection *connection)
{
    enum http1_result result = http_connection_dechunk(connection);
    if (connection->is_closing) {
        return false;
    }
    if (result == HTTP1_OK) {
        http_connection_hand_over(connection, bytes_of(connection->body, connection->body_len),
                                  connection->chunked_at);
        return true;
    }
    if (result == HTTP1_NEED_MORE) {
        http_connection_continue(connection);
    } else {
        http_connection_reject(connection, result);
    }
    return false;
}

/* Takes one request if it is whole. */
static bool http_connection_take(struct http_connection *connection)
{
    size_t head_max = connection->server->options.head_max_bytes;
    struct bytes in = bytes_of(connection->in, connection->in_len);
    struct http1_request *req = &connection->req;
    /* The buffer may have moved: the head's views are made anew. It is small. */
    struct bytes head = connection->in_body ? bytes_of(connection->in, connection->chunked_at) : in;
    enum http1_result result = http1_request_parse(head, head_max, connection->body_max_bytes, req);
    if (result == HTTP1_NEED_MORE) {
        return false;
    }
    if (result != HTTP1_OK) {
        http_connection_reject(connection, result);
        return false;
    }
    if (req->body == HTTP1_BODY_CHUNKED) {
        if (!connection->in_body) {
            connection->in_body = true;
            connection->chunked = (struct http1_chunked){0};
            connection->chunked_at = req->head_bytes;
        }
        return http_connection_take_chunked(connection);
    }
    size_t body_bytes = req->body == HTTP1_BODY_LENGTH ? (size_t)req->content_bytes : 0;
    if (in.len - req->head_bytes < body_bytes) {
        http_connection_continue(connection);
        return false;
    }
    http_connection_hand_over(connection, bytes_of(in.ptr + req->head_bytes, body_bytes),
                              req->head_bytes + body_bytes);
    return true;
}

void http_connection_parse(struct http_connection *connection)
{
    while (!connection->is_last_read && connection->in_len > 0) {
        if (connection->in_flight >= HTTP_IN_FLIGHT_MAX ||
            connection->unsent_bytes >= HTTP_UNSENT_MAX) {
            connection->is_paused = true;
            break;
        }
        if (!http_connection_take(connection)) {
            break;
        }
    }
    if (connection->is_closing) {
        return;
    }
    if (connection->is_paused) {
        uv_read_stop((uv_stream_t *)connection->tcp);
    } else if (!connection->has_ended && !connection->is_reserved) {
        http_connection_listen(connection);
    }
}

/* A client that is still sending what was refused has not read the answer yet. */
static void http_connection_linger(struct http_connection *connection)
{
    int64_t now_ms = http_server_now_ms(connection->server);
    if (now_ms - connection->lingering_ms < HTTP_LINGER_MAX_MS) {
        connection->since_ms = now_ms;
    }
}

static void http_connection_on_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct http_connection *connection = handle->data;
    if (!http_connection_grow(&connection->in, &connection->in_cap,
                              connection->in_len + HTTP_READ_BYTES)) {
        *buf = uv_buf_init(NULL, 0);
        return;
    }
    *buf = uv_buf_init((char *)connection->in + connection->in_len, HTTP_READ_BYTES);
}

static void http_connection_on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    (void)buf;
    struct http_connection *connection = stream->data;
    if (count == UV_EOF) {
        connection->is_last_read = true;
        connection->has_ended = true;
        uv_read_stop(stream);
        if (connection->is_lingering) {
            http_connection_close(connection);
        } else {
            http_connection_end_if_over(connection);
        }
    } else if (count < 0) {
        http_connection_close(connection);
    } else if (count > 0 && connection->is_lingering) {
        http_connection_linger(connection);
    } else if (count > 0 && !connection->is_last_read) {
        if (connection->in_len == 0) {
            connection->since_ms = http_server_now_ms(connection->server);
        }
        connection->in_len += (size_t)count;
        http_connection_parse(connection);
    }
    /* Between requests no buffer is held. */
    if (!connection->is_closing && connection->in_len == 0) {
        free(connection->in);
        free(connection->body);
        connection->in = connection->body = NULL;
        connection->in_cap = connection->body_cap = 0;
    }
}

void http_connection_listen(struct http_connection *connection)
{
    uv_read_start((uv_stream_t *)connection->tcp, http_connection_on_buffer,
                  http_connection_on_read);
}
