/* SPDX-License-Identifier: MIT */
/*
 * push_fixture: what the tests of push share: a push, and a listener on the same loop that plays
 * the client's HTTP port. What it does with a request is set per case: answer it, answer and close,
 * say nothing, say nonsense, not even read. Included once by a test program.
 */
#ifndef UNIT_PUSH_FIXTURE_H
#define UNIT_PUSH_FIXTURE_H

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/base/metrics.h"
#include "node/front/push.h"
#include "node/front/push_queue.h"

enum { PATIENCE_MS = 20000, RECEIVED_MAX = 64 * 1024 * 1024, CLIENTS_MAX = 64, QUEUE_MAX = 4096 };

#define OK_ANSWER         "HTTP/1.1 200 OK\r\nserver: x\r\ncontent-length: 0\r\n\r\n"
#define CLOSING_ANSWER    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"
#define LENGTHLESS_ANSWER "HTTP/1.0 200 OK\r\n\r\nsome text"

struct client {
    struct fixture *fixture;
    uv_tcp_t tcp;
    bool open;
    size_t start; /* of this connection's bytes in `received` */
    size_t parsed;
    int request_count;
    int answer_count;
};

struct fixture {
    uv_loop_t loop;
    uv_timer_t patience;
    bool expired;
    uv_tcp_t listener;
    uint16_t port;
    struct push_settings settings;
    struct push *push;
    struct client clients[CLIENTS_MAX];
    int client_count;
    char received[RECEIVED_MAX]; /* of all connections, one after the other */
    size_t received_bytes;
    int request_count;  /* complete ones, on all connections */
    const char *answer; /* to a complete request; NULL: none */
    int answers_left;   /* per connection */
    bool close_after_answer;
    bool paused; /* accept, but do not read */
    int drained_count;
    bool send_on_drained;
    int confirmed_count; /* how often it was said */
    bool close_on_confirmed;
    int send_on_confirmed; /* number of the next to send then; 0: none */
    bool inside;           /* a call of push: nothing may be said */
};

static void on_patience(uv_timer_t *timer)
{
    struct fixture *f = timer->data;
    f->expired = true;
}

#define WAIT_UNTIL(f, condition)                                                                   \
    do {                                                                                           \
        (f)->expired = false;                                                                      \
        uv_timer_start(&(f)->patience, on_patience, PATIENCE_MS, 0);                               \
        while (!(condition)) {                                                                     \
            assert_false((f)->expired);                                                            \
            uv_run(&(f)->loop, UV_RUN_ONCE);                                                       \
        }                                                                                          \
        uv_timer_stop(&(f)->patience);                                                             \
    } while (0)

static void client_on_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;
    client->open = false;
}

static void client_close(struct client *client)
{
    if (client->open && !uv_is_closing((uv_handle_t *)&client->tcp)) {
        uv_close((uv_handle_t *)&client->tcp, client_on_closed);
    }
}

static void client_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    struct fixture *f = ((struct client *)handle->data)->fixture;
    size_t room = sizeof f->received - f->received_bytes - 1;
    *ret_buf = uv_buf_init(f->received + f->received_bytes,
                           (unsigned)(room < suggested ? room : suggested));
}

/* Length of the request at `text`, 0 when it is not complete. */
static size_t request_bytes(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = strstr(text, "content-length: ");
    if (end == NULL || length == NULL || length > end) {
        return 0;
    }
    size_t bytes = (size_t)(end + 4 - text) + strtoul(length + 16, NULL, 10);
    return strlen(text) >= bytes ? bytes : 0;
}

static void client_answer(struct client *client)
{
    struct fixture *f = client->fixture;
    client->answer_count++;
    uv_buf_t answer = uv_buf_init((char *)(uintptr_t)f->answer, (unsigned)strlen(f->answer));
    (void)uv_try_write((uv_stream_t *)&client->tcp, &answer, 1);
    if (f->close_after_answer) {
        client_close(client);
    }
}

static void client_on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct client *client = stream->data;
    struct fixture *f = client->fixture;
    (void)buf;
    if (count < 0) {
        client_close(client);
        return;
    }
    f->received_bytes += (size_t)count;
    f->received[f->received_bytes] = '\0';
    size_t bytes = 0;
    while (client->open && !uv_is_closing((uv_handle_t *)stream) &&
           (bytes = request_bytes(f->received + client->parsed)) > 0) {
        client->parsed += bytes;
        client->request_count++;
        f->request_count++;
        if (f->answer != NULL && client->answer_count < f->answers_left) {
            client_answer(client);
        }
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct fixture *f = listener->data;
    assert_int_equal(status, 0);
    assert_true(f->client_count < CLIENTS_MAX);
    struct client *client = &f->clients[f->client_count++];
    *client = (struct client){
        .fixture = f, .open = true, .start = f->received_bytes, .parsed = f->received_bytes};
    uv_tcp_init(&f->loop, &client->tcp);
    client->tcp.data = client;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&client->tcp), 0);
    if (!f->paused) {
        uv_read_start((uv_stream_t *)&client->tcp, client_on_alloc, client_on_read);
    }
}

static void listen_on(struct fixture *f, uint16_t port)
{
    struct sockaddr_in address;
    int address_bytes = sizeof address;
    uv_ip4_addr("127.0.0.1", port, &address);
    uv_tcp_init(&f->loop, &f->listener);
    f->listener.data = f;
    assert_int_equal(uv_tcp_bind(&f->listener, (struct sockaddr *)&address, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&f->listener, 16, on_connection), 0);
    uv_tcp_getsockname(&f->listener, (struct sockaddr *)&address, &address_bytes);
    f->port = ntohs(address.sin_port);
}

static bool send_marked(struct fixture *f, enum push_type type, const char *text, uint64_t mark)
{
    struct frame *body = frame_new(strlen(text));
    memcpy(body->data, text, body->len);
    bool taken = push_send(f->push, type, body, mark);
    assert_int_equal(body->refs, taken ? 2 : 1);
    frame_unref(body);
    return taken;
}

static bool send_text(struct fixture *f, enum push_type type, const char *text)
{
    return send_marked(f, type, text, 0);
}

static bool send_bytes(struct fixture *f, size_t len)
{
    struct frame *body = frame_new(len);
    if (body == NULL) {
        fail_msg("out of memory");
        return false;
    }
    memset(body->data, 'x', len);
    bool taken = push_send(f->push, PUSH_MESSAGE, body, 0);
    frame_unref(body);
    return taken;
}

/* "{0}", "{1}" and so on, as messages; the number is the mark. */
static void send_numbers(struct fixture *f, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        char text[24];
        (void)snprintf(text, sizeof text, "{%d}", i);
        assert_true(send_marked(f, PUSH_MESSAGE, text, (uint64_t)i));
    }
}

/* "{n}" and then blanks; the number is the mark. */
static void send_number_padded(struct fixture *f, int number, size_t len)
{
    char text[24];
    int text_len = snprintf(text, sizeof text, "{%d}", number);
    struct frame *body = frame_new(len);
    if (body == NULL) {
        fail_msg("out of memory");
        return;
    }
    memset(body->data, ' ', len);
    memcpy(body->data, text, (size_t)text_len);
    assert_true(push_send(f->push, PUSH_MESSAGE, body, (uint64_t)number));
    frame_unref(body);
}

/* The bodies "{n}" received by a connection, in order. */
static void assert_numbers(const struct fixture *f, int client, int first, int count)
{
    const char *at = f->received + f->clients[client].start;
    for (int i = first; i < first + count; i++) {
        char text[24];
        (void)snprintf(text, sizeof text, "\r\n\r\n{%d}", i);
        at = strstr(at, "\r\n\r\n{");
        assert_non_null(at);
        assert_memory_equal(at, text, strlen(text));
        at += 4;
    }
}

static void on_drained(void *owner)
{
    struct fixture *f = owner;
    assert_false(f->inside);
    f->drained_count++;
    if (f->send_on_drained) {
        f->send_on_drained = false;
        assert_true(send_bytes(f, 1));
    }
}

static void on_confirmed(void *owner)
{
    struct fixture *f = owner;
    assert_false(f->inside);
    f->confirmed_count++;
    if (f->send_on_confirmed > 0) {
        send_numbers(f, f->send_on_confirmed++, 1);
    }
    if (f->close_on_confirmed) {
        push_close(f->push);
        f->push = NULL;
    }
}

static void open_push(struct fixture *f)
{
    f->push = push_open(&f->settings, (const uint8_t *)"tYn5VRHk", INADDR_LOOPBACK, f->port, f);
    assert_non_null(f->push);
}

/* One write for far more than the kernel takes; the peer answers the first requests of it before it
 * has the last ones. */
static void open_with_a_long_write(struct fixture *f, int count)
{
    enum { BODY_BYTES = 500000 };
    f->settings.queue_max_bytes = 64 * (BODY_BYTES + PUSH_HEAD_BYTES);
    f->paused = true;
    f->answer = OK_ANSWER;
    open_push(f);
    for (int i = 0; i < count; i++) {
        send_number_padded(f, i, BODY_BYTES);
    }
    WAIT_UNTIL(f, f->client_count == 1 && metrics_values[METRIC_PUSH_SENT] > 0);
    assert_true(metrics_values[METRIC_PUSH_SENT] < count);
    f->paused = false;
    uv_read_start((uv_stream_t *)&f->clients[0].tcp, client_on_alloc, client_on_read);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    uv_timer_init(&f->loop, &f->patience);
    f->patience.data = f;
    f->settings =
        (struct push_settings){.loop = &f->loop,
                               .queue_max_bytes = 1 << 20,
                               .connect_ms = 5000,
                               .retry_min_ms = 5,
                               .retry_max_ms = 20,
                               .events = {.on_drained = on_drained, .on_confirmed = on_confirmed}};
    f->answers_left = 1000000;
    listen_on(f, 0);
    memset(metrics_values, 0, sizeof metrics_values);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->push != NULL) {
        push_close(f->push);
    }
    for (int i = 0; i < f->client_count; i++) {
        client_close(&f->clients[i]);
    }
    if (!uv_is_closing((uv_handle_t *)&f->listener)) {
        uv_close((uv_handle_t *)&f->listener, NULL);
    }
    uv_close((uv_handle_t *)&f->patience, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    assert_int_equal(metrics_values[METRIC_PUSH_CONNECTIONS], 0);
    free(f);
    return 0;
}

#endif
