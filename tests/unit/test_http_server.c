/* SPDX-License-Identifier: MIT */
/*
 * http_server against clients on the same loop. Each case says when the handler answers: at once,
 * or later and in which order. "Settled" means: a round trip on another connection is over, so that
 * all that was sent before it has been read by the server, if it reads at all.
 */
#include "node/front/http_server.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/base/metrics.h"

enum {
    PATIENCE_MS = 20000,
    REQUESTS_MAX = 512,
    CLIENTS_MAX = 8,
    IN_FLIGHT_MAX = 64,
    HEAD_MAX = 4096,
    BODY_MAX = 1024 * 1024,
    LONG_IDLE_MS = 60000,
};

#define GET(target)  "GET " target " HTTP/1.1\r\nhost: x\r\n\r\n"
#define POST(fields) "POST /p HTTP/1.1\r\nhost: x\r\n" fields "\r\n"

struct client {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_shutdown_t shutdown;
    int connected; /* 1: not yet; else what uv_connect came to */
    int ended;     /* 0: not yet; else the error, UV_EOF when the server ended properly */
    char *got;
    size_t got_len, got_cap;
    size_t at; /* answers before it have been looked at */
};

struct request {
    struct http_exchange *exchange; /* NULL: answered */
    char target[32];
    char *body;
    size_t body_len;
};

struct fixture {
    uv_loop_t loop;
    uv_timer_t patience;
    bool expired;
    struct http_server *server; /* NULL: closed */
    struct client clients[CLIENTS_MAX];
    size_t client_count;
    struct client *other; /* the one that settles */
    struct request requests[REQUESTS_MAX];
    size_t request_count;
    bool is_held;        /* the case answers, not the handler */
    size_t answer_bytes; /* of an answer's body; 0: it is the target */
    bool closes_in_handler, drains_in_handler;
};

#define WAIT_UNTIL(f, condition)                                                                   \
    do {                                                                                           \
        while (!(condition) && !(f)->expired) {                                                    \
            uv_run(&(f)->loop, UV_RUN_ONCE);                                                       \
        }                                                                                          \
        assert_true(condition);                                                                    \
    } while (0)

/* ---- The server's side ---- */

static void answer(struct fixture *f, size_t i)
{
    struct request *request = &f->requests[i];
    struct http_exchange *exchange = request->exchange;
    assert_non_null(exchange);
    request->exchange = NULL;
    if (f->answer_bytes == 0) {
        http_respond(exchange, 200, "text/plain", "x-more: 1\r\n", bytes_str(request->target));
        return;
    }
    char *body = malloc(f->answer_bytes);
    assert_non_null(body);
    memset(body, 'a', f->answer_bytes);
    http_respond(exchange, 200, NULL, NULL, bytes_of(body, f->answer_bytes));
    free(body);
}

static void on_request(struct http_exchange *exchange, const struct http1_request *req,
                       struct bytes body, void *arg)
{
    struct fixture *f = arg;
    assert_int_equal(http_exchange_peer_ip(exchange), INADDR_LOOPBACK);
    if (bytes_equal(req->target, bytes_str("/settle"))) {
        http_respond(exchange, 200, NULL, NULL, bytes_of(NULL, 0));
        return;
    }
    assert_true(f->request_count < REQUESTS_MAX && req->target.len < 32);
    struct request *request = &f->requests[f->request_count++];
    request->exchange = exchange;
    memcpy(request->target, req->target.ptr, req->target.len);
    request->body = malloc(body.len + 1);
    assert_non_null(request->body);
    if (body.len > 0) {
        memcpy(request->body, body.ptr, body.len);
    }
    request->body_len = body.len;
    if (f->closes_in_handler) {
        http_server_close(f->server);
        f->server = NULL;
    }
    if (!f->is_held) {
        answer(f, f->request_count - 1);
    }
    if (f->drains_in_handler) {
        http_server_drain(f->server);
    }
}

static int64_t connection_count(void)
{
    return metrics_values[METRIC_HTTP_CONNECTIONS];
}

/* ---- The client's side ---- */

static void client_on_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct client *client = handle->data;
    if (client->got_cap - client->got_len < suggested + 1) {
        client->got_cap = client->got_cap * 2 + suggested + 1;
        client->got = realloc(client->got, client->got_cap);
        assert_non_null(client->got);
    }
    *buf = uv_buf_init(client->got + client->got_len, (unsigned)suggested);
}

static void client_on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    (void)buf;
    struct client *client = stream->data;
    if (count < 0) {
        client->ended = (int)count;
        uv_read_stop(stream);
        return;
    }
    client->got_len += (size_t)count;
    client->got[client->got_len] = '\0';
}

static void client_read(struct client *client)
{
    uv_read_start((uv_stream_t *)&client->tcp, client_on_buffer, client_on_read);
}

static void client_on_connect(uv_connect_t *connect, int status)
{
    struct client *client = connect->handle->data;
    client->connected = status;
}

static struct client *client_start(struct fixture *f, uint16_t port)
{
    assert_true(f->client_count < CLIENTS_MAX);
    struct client *client = &f->clients[f->client_count++];
    client->connected = 1;
    assert_int_equal(uv_tcp_init(&f->loop, &client->tcp), 0);
    client->tcp.data = client;
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    assert_int_equal(uv_tcp_connect(&client->connect, &client->tcp,
                                    (const struct sockaddr *)&address, client_on_connect),
                     0);
    WAIT_UNTIL(f, client->connected != 1);
    return client;
}

static struct client *client_open(struct fixture *f)
{
    struct client *client = client_start(f, http_server_port(f->server));
    assert_int_equal(client->connected, 0);
    assert_int_equal(uv_tcp_nodelay(&client->tcp, 1), 0);
    client_read(client);
    return client;
}

static void client_on_sent(uv_write_t *write, int status)
{
    (void)status; /* the server may have closed meanwhile */
    free(write);
}

static void client_send_bytes(struct client *client, const void *data, size_t len)
{
    uv_write_t *write = malloc(sizeof *write + len);
    assert_non_null(write);
    memcpy(write + 1, data, len);
    uv_buf_t buf = uv_buf_init((char *)(write + 1), (unsigned)len);
    if (uv_write(write, (uv_stream_t *)&client->tcp, &buf, 1, client_on_sent) != 0) {
        free(write);
    }
}

static void client_send(struct client *client, const char *text)
{
    client_send_bytes(client, text, strlen(text));
}

static void client_close(struct client *client)
{
    if (!uv_is_closing((uv_handle_t *)&client->tcp)) {
        uv_close((uv_handle_t *)&client->tcp, NULL);
    }
}

/* Bytes of the answer at client->at with its body (a HEAD's has none), or 0 when it is not whole.
 */
static size_t answer_len(const struct client *client, bool has_body)
{
    if (client->got_len <= client->at) {
        return 0;
    }
    const char *head = client->got + client->at;
    const char *end = strstr(head, "\r\n\r\n");
    if (end == NULL) {
        return 0;
    }
    const char *length = strstr(head, "content-length: ");
    size_t len = (size_t)(end - head) + 4;
    if (has_body && length != NULL && length < end) {
        len += strtoul(length + strlen("content-length: "), NULL, 10);
    }
    return client->got_len - client->at >= len ? len : 0;
}

/* The next answer is complete, has the status, and its text has (or lacks) this. */
static void assert_next(struct fixture *f, struct client *client, int status, const char *has,
                        const char *lacks)
{
    char start[32];
    WAIT_UNTIL(f, answer_len(client, true) > 0);
    size_t len = answer_len(client, true);
    snprintf(start, sizeof start, "HTTP/1.1 %d ", status);
    assert_memory_equal(client->got + client->at, start, strlen(start));
    assert_true(has == NULL || memmem(client->got + client->at, len, has, strlen(has)) != NULL);
    assert_true(lacks == NULL ||
                memmem(client->got + client->at, len, lacks, strlen(lacks)) == NULL);
    client->at += len;
}

static void assert_no_more(struct fixture *f, struct client *client)
{
    WAIT_UNTIL(f, client->ended != 0);
    assert_int_equal(client->ended, UV_EOF);
    assert_int_equal(client->got_len, client->at);
}

static void settle(struct fixture *f)
{
    if (f->other == NULL || f->other->ended != 0) {
        f->other = client_open(f);
    }
    client_send(f->other, GET("/settle"));
    assert_next(f, f->other, 200, NULL, NULL);
}

/* ---- Set-up ---- */

static void on_patience(uv_timer_t *timer)
{
    struct fixture *f = timer->data;
    f->expired = true;
}

static int open_server(struct fixture *f, uint16_t port, int64_t idle_ms,
                       struct http_server **ret_server)
{
    const struct http_server_options options = {.ip = INADDR_LOOPBACK,
                                                .port = port,
                                                .head_max_bytes = HEAD_MAX,
                                                .body_max_bytes = BODY_MAX,
                                                .idle_ms = idle_ms,
                                                .on_request = on_request,
                                                .arg = f};
    return http_server_open(&f->loop, &options, ret_server);
}

static int setup_idle(void **state, int64_t idle_ms)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    *state = f;
    (void)signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&f->loop);
    uv_timer_init(&f->loop, &f->patience);
    f->patience.data = f;
    uv_timer_start(&f->patience, on_patience, PATIENCE_MS, 1000);
    return open_server(f, 0, idle_ms, &f->server);
}

static int setup(void **state)
{
    return setup_idle(state, LONG_IDLE_MS);
}

static int setup_hasty(void **state)
{
    return setup_idle(state, 60);
}

/* Also the check that nothing is left open: the loop runs dry, and no memory is left. */
static int teardown(void **state)
{
    struct fixture *f = *state;
    if (f->server != NULL) {
        http_server_close(f->server);
    }
    for (size_t i = 0; i < f->client_count; i++) {
        client_close(&f->clients[i]);
    }
    for (size_t i = 0; i < f->request_count; i++) {
        if (f->requests[i].exchange != NULL) {
            answer(f, i);
        }
        free(f->requests[i].body);
    }
    uv_timer_stop(&f->patience);
    uv_close((uv_handle_t *)&f->patience, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < f->client_count; i++) {
        free(f->clients[i].got);
    }
    int error = uv_loop_close(&f->loop);
    bool has_connections = connection_count() != 0;
    free(f);
    return error != 0 || has_connections;
}

/* Sends GET /first ... GET /last in one piece. */
static void send_numbered(struct client *client, size_t first, size_t last)
{
    char *text = calloc(last - first + 1, 64);
    assert_non_null(text);
    size_t len = 0;
    for (size_t i = first; i <= last; i++) {
        len += (size_t)sprintf(text + len, GET("/%zu"), i);
    }
    client_send_bytes(client, text, len);
    free(text);
}

static void assert_numbered(struct fixture *f, struct client *client, size_t first, size_t last)
{
    for (size_t i = first; i <= last; i++) {
        char body[32];
        snprintf(body, sizeof body, "\r\n\r\n/%zu", i);
        assert_next(f, client, 200, body, NULL);
    }
}

/* ---- Order and pieces ---- */

static void http_server_answers_in_reverse_order_go_out_in_order(void **state)
{
    struct fixture *f = *state;
    f->is_held = true;
    struct client *client = client_open(f);
    send_numbered(client, 1, 5);
    WAIT_UNTIL(f, f->request_count == 5);
    for (size_t i = 5; i-- > 1;) {
        answer(f, i);
    }
    settle(f);
    assert_int_equal(client->got_len, 0);
    answer(f, 0);
    assert_numbered(f, client, 1, 5);
}

static void http_server_request_at_every_split_is_one_request(void **state)
{
    static const struct {
        const char *text, *body;
    } requests[] = {
        {POST("content-length: 5\r\n") "hello", "hello"},
        {POST("transfer-encoding: chunked\r\n") "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\na: b\r\n\r\n",
         "hello"},
        {GET("/p"), ""},
    };
    struct fixture *f = *state;
    struct client *client = client_open(f);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        size_t len = strlen(requests[i].text);
        for (size_t split = 1; split < len; split++) {
            client_send_bytes(client, requests[i].text, split);
            settle(f);
            assert_int_equal(f->request_count, 0);
            client_send(client, requests[i].text + split);
            assert_next(f, client, 200, "\r\n\r\n/p", "connection:");
            assert_int_equal(f->request_count, 1);
            assert_string_equal(f->requests[0].target, "/p");
            assert_int_equal(f->requests[0].body_len, strlen(requests[i].body));
            assert_memory_equal(f->requests[0].body, requests[i].body, f->requests[0].body_len);
            free(f->requests[0].body);
            f->request_count = 0;
        }
    }
}

/* Large enough that the buffer moves while the head's views are in use; tiny chunks, then a large
 * one. */
static void http_server_large_chunked_body_is_put_together(void **state)
{
    enum { TINY_COUNT = 50000, LARGE = 500000 };
    struct fixture *f = *state;
    struct client *client = client_open(f);
    char *text = malloc(TINY_COUNT * 6 + LARGE + 64);
    assert_non_null(text);
    size_t len = 0;
    for (int i = 0; i < TINY_COUNT; i++) {
        len += (size_t)sprintf(text + len, "1\r\n%c\r\n", 'a' + i % 26);
    }
    len += (size_t)sprintf(text + len, "%x\r\n", LARGE);
    memset(text + len, 'z', LARGE);
    len += LARGE;
    len += (size_t)sprintf(text + len, "\r\n0\r\n\r\n" GET("/after"));
    client_send(client, POST("transfer-encoding: chunked\r\n"));
    settle(f);
    client_send_bytes(client, text, len);
    free(text);
    assert_next(f, client, 200, "\r\n\r\n/p", NULL);
    assert_next(f, client, 200, "\r\n\r\n/after", NULL);
    assert_int_equal(f->requests[0].body_len, TINY_COUNT + LARGE);
    for (size_t i = 0; i < TINY_COUNT + LARGE; i++) {
        assert_int_equal(f->requests[0].body[i], i < TINY_COUNT ? 'a' + (int)(i % 26) : 'z');
    }
}

static void http_server_expect_continue_is_answered_before_the_body(void **state)
{
    static const char *const framings[] = {"content-length: 2\r\n",
                                           "transfer-encoding: chunked\r\n"};
    static const char *const bodies[] = {"ok", "2\r\nok\r\n0\r\n\r\n"};
    struct fixture *f = *state;
    struct client *client = client_open(f);
    for (size_t i = 0; i < 2; i++) {
        char head[128];
        snprintf(head, sizeof head, POST("expect: 100-continue\r\n%s"), framings[i]);
        client_send(client, head);
        assert_next(f, client, 100, NULL, NULL);
        assert_int_equal(f->request_count, i);
        client_send(client, bodies[i]);
        assert_next(f, client, 200, "\r\n\r\n/p", NULL);
        assert_memory_equal(f->requests[i].body, "ok", 2);
    }
}

static void http_server_expect_continue_waits_for_the_answers_before_it(void **state)
{
    struct fixture *f = *state;
    f->is_held = true;
    struct client *client = client_open(f);
    client_send(client, GET("/1") POST("expect: 100-continue\r\ncontent-length: 2\r\n"));
    settle(f);
    assert_int_equal(f->request_count, 1);
    assert_int_equal(client->got_len, 0);
    answer(f, 0);
    assert_next(f, client, 200, "\r\n\r\n/1", NULL);
    assert_next(f, client, 100, NULL, NULL);
    client_send(client, "ok");
    WAIT_UNTIL(f, f->request_count == 2);
    answer(f, 1);
    assert_next(f, client, 200, "\r\n\r\n/p", NULL);
}

static void http_server_head_is_answered_without_a_body(void **state)
{
    struct fixture *f = *state;
    struct client *client = client_open(f);
    client_send(client, "HEAD /1 HTTP/1.1\r\nhost: x\r\n\r\n" GET("/2"));
    WAIT_UNTIL(f, answer_len(client, false) > 0);
    size_t len = answer_len(client, false);
    assert_non_null(memmem(client->got, len, "content-length: 2\r\n", 19));
    client->at = len;
    assert_next(f, client, 200, "\r\n\r\n/2", NULL);
}

/* ---- How connections end ---- */

static void http_server_malformed_request_is_refused_and_closed(void **state)
{
    static char large_head[HEAD_MAX + 64];
    static const struct {
        int status;
        const char *text;
    } cases[] = {{400, "GET / HTTP/1.1\r\n\r\n"},
                 {400, POST("transfer-encoding: chunked\r\n") "x\r\n"},
                 {413, POST("content-length: 1048577\r\n")},
                 {413, POST("transfer-encoding: chunked\r\n") "1\r\na\r\n100000\r\n"},
                 {431, large_head},
                 {501, POST("transfer-encoding: gzip\r\n")},
                 {505, "GET / HTTP/2.0\r\nhost: x\r\n\r\n"}};
    enum { MORE = 4 * 1024 * 1024 };
    struct fixture *f = *state;
    char *more = calloc(1, MORE);
    assert_non_null(more);
    int len = snprintf(large_head, sizeof large_head, "GET / HTTP/1.1\r\nhost: ");
    memset(large_head + len, 'x', HEAD_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct client *client = client_open(f);
        client_send(client, GET("/before"));
        client_send(client, cases[i].text);
        client_send_bytes(client, more, MORE); /* it learns of its error while it sends this */
        assert_next(f, client, 200, "\r\n\r\n/before", "connection:");
        assert_next(f, client, cases[i].status, "connection: close\r\n", NULL);
        assert_no_more(f, client);
        assert_int_equal(f->request_count, i + 1);
        WAIT_UNTIL(f, client->tcp.write_queue_size == 0); /* the server took it all */
    }
    free(more);
    for (size_t i = 1; i < f->client_count; i++) {
        client_close(&f->clients[i]);
    }
    WAIT_UNTIL(f, connection_count() == 0); /* the first does not close: it is closed */
}

static void http_server_connection_is_kept_or_closed_as_asked(void **state)
{
    struct fixture *f = *state;
    struct client *client = client_open(f);
    client_send(client, GET("/1"));
    assert_next(f, client, 200, "/1", "connection:");
    client_send(client, "GET /2 HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
    assert_next(f, client, 200, "connection: keep-alive\r\n", NULL);
    client_send(client, "GET /3 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" GET("/4"));
    assert_next(f, client, 200, "connection: close\r\n", NULL);
    assert_no_more(f, client);
    client = client_open(f);
    client_send(client, "GET /4 HTTP/1.0\r\n\r\n");
    assert_next(f, client, 200, "connection: close\r\n", NULL);
    assert_no_more(f, client);
    assert_int_equal(f->request_count, 4);
}

static void http_server_half_closed_client_gets_its_answers(void **state)
{
    struct fixture *f = *state;
    f->is_held = true;
    struct client *client = client_open(f);
    send_numbered(client, 1, 3);
    client_send(client, "GET /unfini");
    uv_shutdown(&client->shutdown, (uv_stream_t *)&client->tcp, NULL);
    WAIT_UNTIL(f, f->request_count == 3);
    settle(f);
    for (size_t i = 0; i < 3; i++) {
        answer(f, i);
    }
    assert_numbered(f, client, 1, 3);
    assert_no_more(f, client);
}

static void http_server_answer_to_a_client_that_has_gone_is_dropped(void **state)
{
    struct fixture *f = *state;
    f->is_held = true;
    struct client *client = client_open(f);
    send_numbered(client, 1, 3);
    WAIT_UNTIL(f, f->request_count == 3);
    answer(f, 1);
    uv_tcp_close_reset(&client->tcp, NULL);
    WAIT_UNTIL(f, connection_count() == 0);
    answer(f, 2);
    answer(f, 0);
}

/* ---- Bounds ---- */

static void http_server_takes_at_most_so_many_requests_in_flight(void **state)
{
    enum { COUNT = 200 };
    struct fixture *f = *state;
    f->is_held = true;
    struct client *client = client_open(f);
    send_numbered(client, 1, COUNT);
    uv_shutdown(&client->shutdown, (uv_stream_t *)&client->tcp, NULL);
    settle(f);
    settle(f);
    assert_int_equal(f->request_count, IN_FLIGHT_MAX);
    for (size_t i = 0; i < COUNT; i++) {
        WAIT_UNTIL(f, f->request_count > i);
        assert_true(f->request_count <= i + IN_FLIGHT_MAX);
        answer(f, i);
    }
    assert_numbered(f, client, 1, COUNT);
    assert_no_more(f, client);
}

/* Until no further request has come in 20 round trips of another connection. */
static void settle_long(struct fixture *f)
{
    for (size_t quiet = 0, count = f->request_count; quiet < 20; quiet++) {
        settle(f);
        if (f->request_count != count) {
            count = f->request_count;
            quiet = 0;
        }
    }
}

static void http_server_client_that_does_not_read_is_not_read_from(void **state)
{
    enum { COUNT = IN_FLIGHT_MAX - 4, ANSWER = 1024 * 1024, SOCKET_BUFFERS = 16 * 1024 * 1024 };
    struct fixture *f = *state;
    f->answer_bytes = ANSWER;
    struct client *client = client_open(f);
    uv_read_stop((uv_stream_t *)&client->tcp);
    send_numbered(client, 1, COUNT);
    settle_long(f);
    assert_true(f->request_count * ANSWER < SOCKET_BUFFERS);
    client_read(client);
    for (size_t i = 0; i < COUNT; i++) {
        assert_next(f, client, 200, NULL, NULL);
    }
    client_send(client, GET("/more"));
    assert_next(f, client, 200, NULL, NULL);
}

/* ---- Time ---- */

static void http_server_idle_connection_is_ended(void **state)
{
    struct fixture *f = *state;
    struct client *silent = client_open(f);
    struct client *client = client_open(f);
    client_send(client, GET("/1"));
    assert_next(f, client, 200, "/1", "connection:");
    assert_no_more(f, client);
    assert_no_more(f, silent);
}

static void http_server_slow_request_is_ended(void **state)
{
    static const char *const starts[] = {"GET / HTTP/1.1\r\nhost: ",
                                         POST("content-length: 1000000\r\n")};
    struct fixture *f = *state;
    for (size_t i = 0; i < 2; i++) {
        struct client *client = client_open(f);
        client_send(client, starts[i]);
        uint64_t sent_ms = 0;
        while (client->ended == 0 && !f->expired) {
            if (uv_now(&f->loop) != sent_ms) {
                client_send(client, "a");
                sent_ms = uv_now(&f->loop);
            }
            uv_run(&f->loop, UV_RUN_ONCE);
        }
        assert_int_not_equal(client->ended, 0);
        assert_int_equal(client->got_len, 0);
        client_close(client);
    }
    assert_int_equal(f->request_count, 0);
}

static void http_server_request_in_flight_is_not_timed_out(void **state)
{
    struct fixture *f = *state;
    f->is_held = true;
    struct client *client = client_open(f);
    client_send(client, GET("/1"));
    for (int i = 0; i < 3; i++) {
        assert_no_more(f, client_open(f)); /* an idle time passes */
    }
    assert_int_equal(client->ended, 0);
    answer(f, 0);
    assert_next(f, client, 200, "/1", NULL);
    assert_no_more(f, client);
}

static void http_server_client_that_never_reads_is_ended(void **state)
{
    struct fixture *f = *state;
    f->answer_bytes = 32 * 1024 * 1024;
    struct client *client = client_open(f);
    uv_read_stop((uv_stream_t *)&client->tcp);
    client_send(client, GET("/1"));
    WAIT_UNTIL(f, f->request_count == 1);
    WAIT_UNTIL(f, connection_count() == 0);
}

/* ---- The server's end ---- */

static void http_server_drain_ends_connections_after_their_answers(void **state)
{
    struct fixture *f = *state;
    f->is_held = true;
    struct client *idle = client_open(f), *busy = client_open(f), *coming = client_open(f);
    send_numbered(busy, 1, 2);
    client_send(coming, POST("content-length: 2\r\n") "o");
    settle(f);
    http_server_drain(f->server);
    assert_no_more(f, idle);
    client_send(coming, "k");
    WAIT_UNTIL(f, f->request_count == 3);
    for (size_t i = 0; i < 3; i++) {
        answer(f, i);
    }
    assert_next(f, busy, 200, "\r\n\r\n/1", "connection:");
    assert_next(f, busy, 200, "connection: close\r\n", NULL);
    assert_no_more(f, busy);
    assert_next(f, coming, 200, "connection: close\r\n", NULL);
    assert_no_more(f, coming);
    assert_int_equal(client_start(f, http_server_port(f->server))->connected, UV_ECONNREFUSED);
}

static void http_server_sending_off_ends_connections_with_an_answer_only(void **state)
{
    struct fixture *f = *state;
    f->is_held = true;
    struct client *idle = client_open(f), *busy = client_open(f);
    settle(f);
    assert_false(http_server_is_deserted(f->server));
    http_server_send_off(f->server, true);
    send_numbered(busy, 1, 2); /* in one piece: both are answered */
    WAIT_UNTIL(f, f->request_count == 2);
    answer(f, 0);
    answer(f, 1);
    assert_next(f, busy, 200, "\r\n\r\n/1", "connection:");
    assert_next(f, busy, 200, "connection: close\r\n", NULL);
    assert_no_more(f, busy);

    /* Newcomers are let in, and so is what an old one asks when it is over. */
    http_server_send_off(f->server, false);
    struct client *late = client_open(f);
    client_send(late, GET("/3"));
    client_send(idle, GET("/4"));
    WAIT_UNTIL(f, f->request_count == 4);
    answer(f, 2);
    answer(f, 3);
    assert_next(f, late, 200, NULL, "connection:");
    assert_next(f, idle, 200, NULL, "connection:");
}

static void http_server_drain_waits_for_an_answer_being_written(void **state)
{
    struct fixture *f = *state;
    f->answer_bytes = 32 * 1024 * 1024;
    struct client *client = client_open(f);
    uv_read_stop((uv_stream_t *)&client->tcp);
    client_send(client, GET("/1"));
    WAIT_UNTIL(f, f->request_count == 1);
    settle(f);
    http_server_drain(f->server);
    client_read(client);
    assert_next(f, client, 200, NULL, NULL);
    assert_no_more(f, client);
}

static void http_server_drain_in_the_handler_ends_its_connection(void **state)
{
    struct fixture *f = *state;
    f->drains_in_handler = true;
    struct client *client = client_open(f);
    client_send(client, GET("/1"));
    assert_next(f, client, 200, "/1", NULL);
    assert_no_more(f, client);
}

static void http_server_close_leaves_exchanges_to_be_answered(void **state)
{
    struct fixture *f = *state;
    f->is_held = true;
    struct client *client = client_open(f);
    send_numbered(client, 1, 100);
    WAIT_UNTIL(f, f->request_count == IN_FLIGHT_MAX);
    answer(f, 7);
    http_server_close(f->server);
    f->server = NULL;
    WAIT_UNTIL(f, client->ended != 0 && connection_count() == 0);
    assert_int_equal(client->got_len, 0);
    assert_int_equal(f->request_count, IN_FLIGHT_MAX);
    for (size_t i = 0; i < IN_FLIGHT_MAX; i++) {
        if (i != 7) {
            answer(f, i);
        }
    }
}

static void http_server_close_in_the_handler_is_safe(void **state)
{
    struct fixture *f = *state;
    f->closes_in_handler = true;
    struct client *client = client_open(f);
    client_send(client, POST("transfer-encoding: chunked\r\n") "1\r\na\r\n0\r\n\r\n" GET("/2"));
    WAIT_UNTIL(f, client->ended != 0);
    assert_int_equal(f->request_count, 1);
}

static void http_server_close_sends_what_was_answered_before(void **state)
{
    struct fixture *f = *state;
    f->is_held = true;
    struct client *client = client_open(f);
    send_numbered(client, 1, 2);
    WAIT_UNTIL(f, f->request_count == 2);
    answer(f, 1);
    answer(f, 0);
    http_server_close(f->server);
    f->server = NULL;
    assert_numbered(f, client, 1, 2);
    assert_no_more(f, client);
}

/* ---- Ports and limits ---- */

static void http_server_port_zero_gives_one_the_original_can_reach(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 50; i++) {
        struct http_server *server = NULL;
        assert_int_equal(open_server(f, 0, LONG_IDLE_MS, &server), 0);
        assert_in_range(http_server_port(server), 1024, 32767);
        http_server_close(server);
    }
}

static void http_server_port_in_use_is_reported(void **state)
{
    struct fixture *f = *state;
    struct http_server *server = NULL;
    assert_int_equal(open_server(f, http_server_port(f->server), LONG_IDLE_MS, &server),
                     UV_EADDRINUSE);
    assert_null(server);
}

static void http_server_limits_apply_to_new_connections(void **state)
{
    struct fixture *f = *state;
    struct client *before = client_open(f), *larger = client_open(f);
    client_send(before, POST("transfer-encoding: chunked\r\n") "5\r\nhello\r\n");
    client_send(larger, POST("transfer-encoding: chunked\r\n") "5\r\nhello\r\n");
    settle(f);
    http_server_limits(f->server, 3, LONG_IDLE_MS);
    client_send(before, "5\r\nthere\r\n0\r\n\r\n");
    assert_next(f, before, 200, "/p", "connection:");
    assert_int_equal(f->requests[0].body_len, 10);
    client_send(larger, "100000\r\n"); /* as before, not without any limit */
    assert_next(f, larger, 413, "connection: close\r\n", NULL);
    struct client *after = client_open(f);
    client_send(after, POST("content-length: 4\r\n"));
    assert_next(f, after, 413, "connection: close\r\n", NULL);
    assert_no_more(f, after);
}

#define CASE(name)       cmocka_unit_test_setup_teardown(http_server_##name, setup, teardown)
#define HASTY_CASE(name) cmocka_unit_test_setup_teardown(http_server_##name, setup_hasty, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(answers_in_reverse_order_go_out_in_order),
        CASE(request_at_every_split_is_one_request),
        CASE(large_chunked_body_is_put_together),
        CASE(expect_continue_is_answered_before_the_body),
        CASE(expect_continue_waits_for_the_answers_before_it),
        CASE(head_is_answered_without_a_body),
        CASE(malformed_request_is_refused_and_closed),
        CASE(connection_is_kept_or_closed_as_asked),
        CASE(half_closed_client_gets_its_answers),
        CASE(answer_to_a_client_that_has_gone_is_dropped),
        CASE(takes_at_most_so_many_requests_in_flight),
        CASE(client_that_does_not_read_is_not_read_from),
        HASTY_CASE(idle_connection_is_ended),
        HASTY_CASE(slow_request_is_ended),
        HASTY_CASE(request_in_flight_is_not_timed_out),
        HASTY_CASE(client_that_never_reads_is_ended),
        CASE(drain_ends_connections_after_their_answers),
        CASE(sending_off_ends_connections_with_an_answer_only),
        CASE(drain_waits_for_an_answer_being_written),
        CASE(drain_in_the_handler_ends_its_connection),
        CASE(close_leaves_exchanges_to_be_answered),
        CASE(close_in_the_handler_is_safe),
        CASE(close_sends_what_was_answered_before),
        CASE(port_zero_gives_one_the_original_can_reach),
        CASE(port_in_use_is_reported),
        CASE(limits_apply_to_new_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
