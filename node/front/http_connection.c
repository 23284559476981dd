/* SPDX-License-Identifier: MIT */
/*
 * http_connection: a connection's life, and its answers: in order, all of a loop turn in one write.
 * Requests are http_connection_read.c's; listening and time-outs are http_server's.
 */
#include "http_connection.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <utlist.h>

#include "node/base/metrics.h"

struct http_write {
    uv_write_t write;
    struct http_connection *connection;
    size_t bytes;
    uint8_t data[];
};

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
    for (size_t i = 0; connection->is_spare && i < HTTP_SPARE_MAX; i++) {
        struct http_connection **spare = &connection->server->spares[i];
        *spare = *spare == connection ? NULL : *spare;
    }
    if (connection->is_dirty) {
        LL_DELETE2(connection->server->dirty, connection, next_dirty);
        connection->is_dirty = false;
    }
}

void http_connection_close(struct http_connection *connection)
{
    if (!connection->is_closing) {
        http_connection_retire(connection);
        if (connection->is_counted) {
            connections_give(connection->server->options.connections, connection->peer_ip);
        }
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

/* Operators get through whoever has taken the rest; what asks nothing makes room for what does. */
static void http_connection_take_spare(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    size_t place = server->next_spare;
    server->next_spare = (place + 1) % HTTP_SPARE_MAX;
    if (server->spares[place] != NULL) {
        http_connection_close(server->spares[place]);
    }
    connection->is_spare = true;
    server->spares[place] = connection;
}

static void http_connection_count(struct http_connection *connection)
{
    struct connections *connections = connection->server->options.connections;
    if (connections == NULL) {
        return;
    }
    connection->is_counted = connections_take(connections, connection->peer_ip);
    if (!connection->is_counted) {
        http_connection_take_spare(connection);
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
    http_connection_count(connection);
    (void)uv_tcp_nodelay(connection->tcp, 1);
    http_connection_listen(connection);
    return true;
}

/* Writing -------------------------------------------------------------------------------------- */

static void http_connection_on_shut(uv_shutdown_t *shutdown, int status)
{
    if (status != 0) {
        http_connection_close(shutdown->handle->data);
    }
}

/* Our end is shut first, or what the client has not read yet would be lost with the bytes of its
 * that we have not read. */
void http_connection_end_if_over(struct http_connection *connection)
{
    bool is_over = connection->is_last_read && connection->in_flight == 0 &&
                   !connection->is_writing && !connection->is_dirty && !connection->is_closing &&
                   !connection->is_lingering;
    if (!is_over) {
        return;
    }
    connection->is_lingering = true;
    connection->lingering_ms = connection->since_ms = http_server_now_ms(connection->server);
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
