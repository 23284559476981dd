/* SPDX-License-Identifier: MIT */
/*
 * http_connection: reads requests in whatever pieces they come, gives them to the handler, and
 * sends the answers in order, all of a loop turn in one write. Listening and time-outs are
 * http_server's.
 */
#include "http_connection.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <utlist.h>

#include "node/base/metrics.h"

#define HTTP_READ_BYTES 65536

struct http_write {
    uv_write_t write;
    struct http_connection *connection;
    size_t bytes;
    uint8_t data[];
};

static void http_connection_parse(struct http_connection *connection);

/* Life ----------------------------------------------------------------------------------------- */

void http_connection_free(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    metric_add(METRIC_HTTP_CONNECTIONS, -1);
    free(connection->in);
    free(connection->body);
    free(connection->tcp);
    free(connection);
    http_server_let_go(server);
}

static void http_connection_on_closed(uv_handle_t *handle)
{
    http_connection_free(handle->data);
}

void http_exchange_free(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;
    free(exchange->answer);
    free(exchange->headers);
    free(exchange);
    http_server_let_go(server);
}

/* Takes it out of everything that could still come to it. */
static void http_connection_retire(struct http_connection *connection)
{
    connection->is_closing = true;
    connection->is_last_read = true;
    while (connection->first != NULL) {
        struct http_exchange *exchange = connection->first;
        LL_DELETE(connection->first, exchange);
        exchange->connection = NULL;
        if (exchange->is_answered) {
            http_exchange_free(exchange);
        }
    }
    DL_DELETE(connection->server->connections, connection);
    if (connection->is_dirty) {
        LL_DELETE2(connection->server->dirty, connection, next_dirty);
        connection->is_dirty = false;
    }
}

void http_connection_close(struct http_connection *connection)
{
    if (!connection->is_closing) {
        http_connection_retire(connection);
        uv_close((uv_handle_t *)connection->tcp, http_connection_on_closed);
    }
}

/* The client has shut its end, which has not been read yet: this node may have been hanging, and
 * the client be at another one by now. */
static bool http_connection_has_gone(const struct http_connection *connection)
{
    uv_os_fd_t fd = -1;
    uint8_t byte;
    return uv_fileno((uv_handle_t *)connection->tcp, &fd) != 0 ||
           recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

bool http_exchange_reserve(struct http_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;
    bool is_alone = connection->first == exchange && exchange->next == NULL &&
                    connection->in_len == connection->used_bytes;
    if (!is_alone || connection->has_ended || http_connection_has_gone(connection)) {
        return false;
    }
    connection->is_reserved = connection->is_last_read = true;
    exchange->is_last = true;
    uv_read_stop((uv_stream_t *)connection->tcp);
    return true;
}

uv_tcp_t *http_exchange_take(struct http_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;
    if (connection == NULL) {
        http_exchange_free(exchange);
        return NULL;
    }
    uv_tcp_t *tcp = connection->tcp;
    exchange->is_answered = true; /* by whoever has the socket now */
    http_connection_retire(connection);
    connection->tcp = NULL;
    if (!connection->is_writing) {
        http_server_free_later(connection);
    }
    return tcp;
}

/* Writing -------------------------------------------------------------------------------------- */

static void http_connection_on_shut(uv_shutdown_t *shutdown, int status)
{
    if (status != 0) {
        http_connection_close(shutdown->handle->data);
    }
}

/* All is answered and nothing more will be asked: our end is shut first, or what the client has not
 * read yet would be lost with the bytes of its that we have not read. */
static void http_connection_end_if_over(struct http_connection *connection)
{
    bool is_over = connection->is_last_read && connection->in_flight == 0 &&
                   !connection->is_writing && !connection->is_dirty && !connection->is_closing &&
                   !connection->is_lingering;
    if (!is_over) {
        return;
    }
    connection->is_lingering = true;
    connection->since_ms = http_server_now_ms(connection->server);
    if (connection->has_ended || uv_shutdown(&connection->shutdown, (uv_stream_t *)connection->tcp,
                                             http_connection_on_shut) != 0) {
        http_connection_close(connection);
    }
}

static void http_connection_resume(struct http_connection *connection)
{
    if (!connection->is_closing && connection->is_paused &&
        connection->in_flight < HTTP_IN_FLIGHT_MAX && connection->unsent_bytes < HTTP_UNSENT_MAX) {
        connection->is_paused = false;
        http_connection_parse(connection);
    }
}

static void http_connection_on_written(uv_write_t *write, int status)
{
    struct http_write *written = write->data;
    struct http_connection *connection = written->connection;
    connection->is_writing = false;
    connection->unsent_bytes -= written->bytes;
    connection->since_ms = http_server_now_ms(connection->server);
    free(written);
    if (connection->tcp == NULL) {
        http_connection_free(connection); /* an earlier answer was still being written */
        return;
    }
    if (connection->is_closing) {
        return;
    }
    if (status != 0) {
        http_connection_close(connection);
        return;
    }
    http_connection_flush(connection);
}

/* Size of the answers that may go out: those before the first that is still open. */
static size_t http_connection_ready_bytes(const struct http_connection *connection)
{
    size_t total = 0;
    const struct http_exchange *exchange;
    LL_FOREACH(connection->first, exchange)
    {
        if (!exchange->is_answered) {
            break;
        }
        total += exchange->answer_bytes;
    }
    return total;
}

static void http_connection_write(struct http_connection *connection, size_t total)
{
    struct http_write *out = malloc(sizeof *out + total);
    if (out == NULL) {
        http_connection_close(connection);
        return;
    }
    out->connection = connection;
    out->bytes = total;
    out->write.data = out;
    size_t at = 0;
    while (at < total) {
        struct http_exchange *exchange = connection->first;
        LL_DELETE(connection->first, exchange);
        memcpy(out->data + at, exchange->answer, exchange->answer_bytes);
        at += exchange->answer_bytes;
        connection->in_flight--;
        http_exchange_free(exchange);
    }
    connection->is_writing = true;
    connection->since_ms = http_server_now_ms(connection->server);
    uv_buf_t buf = uv_buf_init((char *)out->data, (unsigned)total);
    if (uv_write(&out->write, (uv_stream_t *)connection->tcp, &buf, 1,
                 http_connection_on_written) != 0) {
        connection->is_writing = false;
        free(out);
        http_connection_close(connection);
    }
}

void http_connection_flush(struct http_connection *connection)
{
    if (connection->is_closing) {
        return;
    }
    size_t total = connection->is_writing ? 0 : http_connection_ready_bytes(connection);
    if (total > 0) {
        http_connection_write(connection, total);
    }
    http_connection_resume(connection);
    http_connection_end_if_over(connection);
}

void http_connection_drain(struct http_connection *connection)
{
    if (connection->is_last_read || connection->in_len > 0) {
        return; /* ends anyhow, or with the request that is coming in */
    }
    connection->is_last_read = true;
    struct http_exchange *last = connection->first;
    while (last != NULL && last->next != NULL) {
        last = last->next;
    }
    if (last != NULL) {
        last->is_last = true;
    }
    http_connection_end_if_over(connection);
}

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
    http_server_hold(connection->server);
    LL_APPEND(connection->first, exchange);
    connection->in_flight++;
    return exchange;
}

/* Answers a request that no handler sees, and closes. */
static void http_connection_refuse(struct http_connection *connection, int status)
{
    metric_add(METRIC_HTTP_MALFORMED, 1);
    connection->is_last_read = true;
    connection->in_len = 0;
    struct http_exchange *exchange = http_exchange_new(connection);
    if (exchange != NULL) {
        exchange->is_last = true;
        char text[64];
        snprintf(text, sizeof text, "%s\n", http_reason(status));
        http_respond(exchange, status, "text/plain", NULL, bytes_str(text));
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
        http_connection_refuse(connection, http_status_of(result));
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
        http_connection_refuse(connection, http_status_of(result));
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

static void http_connection_on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf);

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

static void http_connection_parse(struct http_connection *connection)
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
        uv_read_start((uv_stream_t *)connection->tcp, http_connection_on_buffer,
                      http_connection_on_read);
    }
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

bool http_connection_accept(struct http_server *server)
{
    struct http_connection *connection = calloc(1, sizeof *connection);
    uv_tcp_t *tcp = calloc(1, sizeof *tcp);
    if (connection == NULL || tcp == NULL) {
        free(connection);
        free(tcp);
        return false;
    }
    connection->tcp = tcp;
    connection->server = server;
    connection->body_max_bytes = server->options.body_max_bytes;
    uv_tcp_init(server->loop, connection->tcp);
    connection->tcp->data = connection;
    connection->since_ms = http_server_now_ms(server);
    http_server_hold(server);
    metric_add(METRIC_HTTP_CONNECTIONS, 1);
    DL_APPEND(server->connections, connection);
    struct sockaddr_in peer = {0};
    int len = sizeof peer;
    if (uv_accept((uv_stream_t *)&server->listener, (uv_stream_t *)connection->tcp) != 0 ||
        uv_tcp_getpeername(connection->tcp, (struct sockaddr *)&peer, &len) != 0) {
        http_connection_close(connection);
        return true;
    }
    connection->peer_ip = ntohl(peer.sin_addr.s_addr);
    (void)uv_tcp_nodelay(connection->tcp, 1);
    uv_read_start((uv_stream_t *)connection->tcp, http_connection_on_buffer,
                  http_connection_on_read);
    return true;
}
