/* SPDX-License-Identifier: MIT */
/*
 * http_server: listening, the text of answers, time-outs and the end of HTTP connections. Reading
 * requests and writing answers in order is in http_connection.c. One timer walks all connections
 * each half second or so: time-outs are coarse, and a timer for each of many idle connections would
 * cost more than the walk.
 */
#include "http_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "http_connection.h"

#define HTTP_BACKLOG       1024
#define HTTP_LINGER_MS     1000 /* for a client to read the last answer and close */
#define HTTP_PORT_ATTEMPTS 500
#define HTTP_PORT_FIRST    10240 /* browsers refuse some ports up to 10080 */
#define HTTP_PORT_LAST     32767

int64_t http_server_now_ms(const struct http_server *server)
{
    return (int64_t)uv_now(server->loop);
}

static const char *http_server_date(struct http_server *server)
{
    time_t now = time(NULL);
    if (server->date_s != (int64_t)now) {
        struct tm parts;
        gmtime_r(&now, &parts);
        strftime(server->date, sizeof server->date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        server->date_s = (int64_t)now;
    }
    return server->date;
}

void http_server_hold(struct http_server *server)
{
    server->open_count++;
}

void http_server_let_go(struct http_server *server)
{
    assert(server->open_count > 0);
    if (--server->open_count == 0) {
        free(server);
    }
}

static void http_server_on_closed(uv_handle_t *handle)
{
    http_server_let_go(handle->data);
}

/* Writing -------------------------------------------------------------------------------------- */

static void http_server_free_taken(struct http_server *server)
{
    while (server->taken != NULL) {
        struct http_connection *connection = server->taken;
        server->taken = connection->next;
        http_connection_free(connection);
    }
}

static void http_server_on_flush(uv_idle_t *idle)
{
    struct http_server *server = idle->data;
    uv_idle_stop(idle);
    while (server->dirty != NULL) {
        struct http_connection *connection = server->dirty;
        server->dirty = connection->next_dirty;
        connection->is_dirty = false;
        http_connection_flush(connection);
    }
    http_server_free_taken(server);
}

void http_server_dirty(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    if (!connection->is_dirty) {
        connection->is_dirty = true;
        connection->next_dirty = server->dirty;
        server->dirty = connection;
        uv_idle_start(&server->flush, http_server_on_flush);
    }
}

void http_server_free_later(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    LL_PREPEND(server->taken, connection);
    uv_idle_start(&server->flush, http_server_on_flush);
}

/* Answers -------------------------------------------------------------------------------------- */

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {{200, "OK"},
                   {204, "No Content"},
                   {304, "Not Modified"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {408, "Request Timeout"},
                   {409, "Conflict"},
                   {413, "Content Too Large"},
                   {426, "Upgrade Required"},
                   {429, "Too Many Requests"},
                   {431, "Request Header Fields Too Large"},
                   {500, "Internal Server Error"},
                   {501, "Not Implemented"},
                   {503, "Service Unavailable"},
                   {504, "Gateway Timeout"},
                   {505, "HTTP Version Not Supported"}};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "Status";
}

bool http_exchange_is_spare(const struct http_exchange *exchange)
{
    return exchange->connection != NULL && exchange->connection->is_spare;
}

uint32_t http_exchange_peer_ip(const struct http_exchange *exchange)
{
    return exchange->peer_ip;
}

void http_exchange_add_headers(struct http_exchange *exchange, const char *headers)
{
    size_t has = strlen(http_exchange_added(exchange));
    char *longer = realloc(exchange->headers, has + strlen(headers) + 1);
    if (longer != NULL) {
        memcpy(longer + has, headers, strlen(headers) + 1);
        exchange->headers = longer;
    }
}

const char *http_exchange_added(const struct http_exchange *exchange)
{
    return exchange->headers != NULL ? exchange->headers : "";
}

const char *http_exchange_date(const struct http_exchange *exchange)
{
    return http_server_date(exchange->server);
}

static void http_exchange_encode(struct http_exchange *exchange, int status,
                                 const char *content_type, const char *extra_headers,
                                 struct bytes body, struct sink *out)
{
    char line[160];
    snprintf(line, sizeof line, "HTTP/1.1 %d %s\r\ndate: %s\r\n", status, http_reason(status),
             http_server_date(exchange->server));
    sink_text(out, line);
    if (status != 204 && status != 304) {
        snprintf(line, sizeof line, "content-length: %zu\r\n", body.len);
        sink_text(out, line);
    }
    if (content_type != NULL) {
        sink_text(out, "content-type: ");
        sink_text(out, content_type);
        sink_text(out, "\r\n");
    }
    sink_text(out, extra_headers != NULL ? extra_headers : "");
    sink_text(out, http_exchange_added(exchange));
    if (exchange->is_last) {
        sink_text(out, "connection: close\r\n");
    } else if (exchange->is_kept) {
        sink_text(out, "connection: keep-alive\r\n");
    }
    sink_text(out, "\r\n");
    if (!exchange->is_head) {
        sink_put(out, body);
    }
}

void http_respond(struct http_exchange *exchange, int status, const char *content_type,
                  const char *extra_headers, struct bytes body)
{
    struct http_connection *connection = exchange->connection;
    assert(!exchange->is_answered);
    if (connection == NULL) {
        http_exchange_free(exchange);
        return;
    }
    struct sink measure = sink_into(NULL, 0);
    http_exchange_encode(exchange, status, content_type, extra_headers, body, &measure);
    exchange->answer = malloc(measure.len);
    exchange->is_answered = true;
    if (exchange->answer == NULL) {
        http_connection_close(connection);
        return;
    }
    struct sink out = sink_into(exchange->answer, measure.len);
    http_exchange_encode(exchange, status, content_type, extra_headers, body, &out);
    exchange->answer_bytes = out.len;
    connection->unsent_bytes += out.len;
    http_server_dirty(connection);
}

void http_refuse(struct http_exchange *exchange, int status, const char *name, const char *reason,
                 const char *extra_headers)
{
    char own[64], text[512];
    const char *words = http_reason(status);
    size_t len = 0;
    for (; words[len] != '\0' && len + 1 < sizeof own; len++) {
        own[len] = words[len] == ' ' ? '_' : (char)toupper((unsigned char)words[len]);
    }
    own[len] = '\0';
    name = name != NULL ? name : own;
    snprintf(text, sizeof text,
             "{\"type\":\"error\",\"code\":\"%s\",\"reason\":\"%s\",\"name\":\"%s\"}\n", name,
             reason != NULL ? reason : words, name);
    http_respond(exchange, status, "application/json", extra_headers, bytes_str(text));
}

/* Time ----------------------------------------------------------------------------------------- */

static void http_server_on_timer(uv_timer_t *timer)
{
    struct http_server *server = timer->data;
    int64_t now_ms = http_server_now_ms(server);
    struct http_connection *connection, *next;
    if (server->owes_accept) {
        server->owes_accept = !http_connection_accept(server);
    }
    DL_FOREACH_SAFE(server->connections, connection, next)
    {
        int64_t limit_ms = connection->is_lingering ? HTTP_LINGER_MS
                           : connection->is_spare   ? HTTP_SPARE_MS
                                                    : server->options.idle_ms;
        bool is_waiting_for_us = connection->in_flight > 0 && !connection->is_writing;
        if (now_ms - connection->since_ms >= limit_ms && !is_waiting_for_us) {
            http_connection_close(connection);
        }
    }
}

static uint64_t http_server_step_ms(int64_t idle_ms)
{
    return idle_ms < 2000 ? (uint64_t)idle_ms / 4 + 1 : 500;
}

/* Listening ------------------------------------------------------------------------------------ */

static void http_server_on_connection(uv_stream_t *stream, int status)
{
    struct http_server *server = stream->data;
    if (status == 0) {
        server->owes_accept = !http_connection_accept(server);
    }
}

static struct sockaddr_in http_server_address(const struct http_server *server, uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr = {.s_addr = htonl(server->options.ip)}};
}

/* Binds to the port asked for, or to a free one that the original client can reach. */
static int http_server_bind(struct http_server *server, int fd)
{
    uint16_t port = server->options.port;
    int attempts = port != 0 ? 1 : HTTP_PORT_ATTEMPTS;
    int error = 0;
    for (int i = 0; i < attempts; i++) {
        if (server->options.port == 0) {
            uint16_t noise = 0;
            (void)uv_random(NULL, NULL, &noise, sizeof noise, 0, NULL);
            port = (uint16_t)(HTTP_PORT_FIRST + noise % (HTTP_PORT_LAST - HTTP_PORT_FIRST + 1));
        }
        const struct sockaddr_in address = http_server_address(server, port);
        if (bind(fd, (const struct sockaddr *)&address, sizeof address) == 0) {
            server->port = port;
            return 0;
        }
        error = uv_translate_sys_error(errno);
        if (error != UV_EADDRINUSE) {
            break;
        }
    }
    return error;
}

static int http_server_listen(struct http_server *server)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return uv_translate_sys_error(errno);
    }
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    int error = http_server_bind(server, fd);
    if (error == 0) {
        error = uv_tcp_open(&server->listener, fd);
    }
    if (error != 0) {
        close(fd);
        return error;
    }
    return uv_listen((uv_stream_t *)&server->listener, HTTP_BACKLOG, http_server_on_connection);
}

int http_server_open(uv_loop_t *loop, const struct http_server_options *options,
                     struct http_server **ret_server)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return UV_ENOMEM;
    }
    server->loop = loop;
    server->options = *options;
    uv_tcp_init(loop, &server->listener);
    uv_timer_init(loop, &server->timer);
    uv_idle_init(loop, &server->flush);
    server->listener.data = server;
    server->timer.data = server;
    server->flush.data = server;
    server->open_count = 3;
    int error = http_server_listen(server);
    if (error != 0) {
        http_server_close(server);
        return error;
    }
    uint64_t step_ms = http_server_step_ms(options->idle_ms);
    uv_timer_start(&server->timer, http_server_on_timer, step_ms, step_ms);
    *ret_server = server;
    return 0;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_limits(struct http_server *server, uint64_t body_max_bytes, int64_t idle_ms)
{
    server->options.body_max_bytes = body_max_bytes;
    server->options.idle_ms = idle_ms;
    uint64_t step_ms = http_server_step_ms(idle_ms);
    uv_timer_start(&server->timer, http_server_on_timer, step_ms, step_ms);
}

/* End ------------------------------------------------------------------------------------------ */

static void http_server_close_listener(struct http_server *server)
{
    if (!uv_is_closing((uv_handle_t *)&server->listener)) {
        uv_close((uv_handle_t *)&server->listener, http_server_on_closed);
    }
}

void http_server_send_off(struct http_server *server, bool is_sending_off)
{
    server->is_sending_off = is_sending_off;
}

bool http_server_is_deserted(const struct http_server *server)
{
    return server->connections == NULL;
}

void http_server_drain(struct http_server *server)
{
    server->is_draining = true;
    server->owes_accept = false;
    http_server_close_listener(server);
    struct http_connection *connection, *next;
    DL_FOREACH_SAFE(server->connections, connection, next)
    {
        http_connection_drain(connection);
    }
}

void http_server_close(struct http_server *server)
{
    http_server_close_listener(server);
    struct http_connection *connection, *next;
    DL_FOREACH_SAFE(server->connections, connection, next)
    {
        /* What was answered in this turn still goes out, as far as the socket takes it. */
        connection->is_last_read = true;
        http_connection_flush(connection);
        http_connection_close(connection);
    }
    http_server_free_taken(server);
    uv_close((uv_handle_t *)&server->timer, http_server_on_closed);
    uv_close((uv_handle_t *)&server->flush, http_server_on_closed);
}
