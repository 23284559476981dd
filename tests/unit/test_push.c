/* SPDX-License-Identifier: MIT */
/*
 * push against a listener on the same loop that plays the client's HTTP port. What it does with a
 * request is set per case: answer it, answer and close, say nothing, say nonsense, not even read.
 */
#include "node/front/push.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/base/metrics.h"

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
};

/* ---- Helpers ---- */

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

static bool send_text(struct fixture *f, enum push_type type, const char *text)
{
    struct frame *body = frame_new(strlen(text));
    memcpy(body->data, text, body->len);
    bool taken = push_send(f->push, type, body);
    assert_int_equal(body->refs, taken ? 2 : 1);
    frame_unref(body);
    return taken;
}

static bool send_bytes(struct fixture *f, size_t len)
{
    struct frame *body = frame_new(len);
    if (body == NULL) {
        fail_msg("out of memory");
        return false;
    }
    memset(body->data, 'x', len);
    bool taken = push_send(f->push, PUSH_MESSAGE, body);
    frame_unref(body);
    return taken;
}

/* "{0}", "{1}" and so on, as messages. */
static void send_numbers(struct fixture *f, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        char text[24];
        (void)snprintf(text, sizeof text, "{%d}", i);
        assert_true(send_text(f, PUSH_MESSAGE, text));
    }
}

/* "{n}" and then blanks. */
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
    assert_true(push_send(f->push, PUSH_MESSAGE, body));
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
    f->drained_count++;
    if (f->send_on_drained) {
        f->send_on_drained = false;
        assert_true(send_bytes(f, 1));
    }
}

static void open_push(struct fixture *f)
{
    f->push = push_open(&f->settings, (const uint8_t *)"tYn5VRHk", INADDR_LOOPBACK, f->port, f);
    assert_non_null(f->push);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    uv_timer_init(&f->loop, &f->patience);
    f->patience.data = f;
    f->settings = (struct push_settings){.loop = &f->loop,
                                         .queue_max_bytes = 1 << 20,
                                         .connect_ms = 5000,
                                         .retry_min_ms = 5,
                                         .retry_max_ms = 20,
                                         .events = {.on_drained = on_drained}};
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

/* ---- Cases ---- */

static void push_requests_arrive_byte_for_byte_in_order(void **state)
{
    struct fixture *f = *state;
    static const char expected[] = "POST room_list HTTP/1.1\r\n"
                                   "host: 127.0.0.1\r\n"
                                   "user-agent: tYn5VRHk\r\n"
                                   "content-type: application/json\r\n"
                                   "message-type: room_list\r\n"
                                   "content-length: 23\r\n"
                                   "\r\n"
                                   "{\n  \"roomListSet\": []\n}"
                                   "POST notice HTTP/1.1\r\n"
                                   "host: 127.0.0.1\r\n"
                                   "user-agent: tYn5VRHk\r\n"
                                   "content-type: application/json\r\n"
                                   "message-type: notice\r\n"
                                   "content-length: 2\r\n"
                                   "\r\n"
                                   "{}"
                                   "POST message HTTP/1.1\r\n"
                                   "host: 127.0.0.1\r\n"
                                   "user-agent: tYn5VRHk\r\n"
                                   "content-type: application/json\r\n"
                                   "message-type: message\r\n"
                                   "content-length: 0\r\n"
                                   "\r\n";
    open_push(f);
    assert_false(push_alive(f->push));
    assert_true(send_text(f, PUSH_ROOM_LIST, "{\n  \"roomListSet\": []\n}"));
    assert_true(send_text(f, PUSH_NOTICE, "{}"));
    assert_true(send_text(f, PUSH_MESSAGE, ""));
    WAIT_UNTIL(f, f->received_bytes == sizeof expected - 1);
    assert_string_equal(f->received, expected);
    assert_int_equal(metrics_values[METRIC_PUSH_SENT], 3);
    assert_int_equal(metrics_values[METRIC_PUSH_CONFIRMED], 0);
}

static void push_user_id_cannot_break_the_head(void **state)
{
    struct fixture *f = *state;
    f->push =
        push_open(&f->settings, (const uint8_t *)"a\r\nb: c\xff", INADDR_LOOPBACK, f->port, f);
    send_numbers(f, 0, 1);
    WAIT_UNTIL(f, f->request_count == 1);
    assert_non_null(strstr(f->received, "\r\nuser-agent: a??b: c?\r\ncontent-type: "));
}

static void push_requests_of_a_turn_do_not_wait_for_answers(void **state)
{
    struct fixture *f = *state;
    open_push(f);
    WAIT_UNTIL(f, push_alive(f->push));
    send_numbers(f, 0, 500);
    assert_int_equal(f->received_bytes, 0);
    WAIT_UNTIL(f, f->request_count == 500);
    assert_numbers(f, 0, 0, 500);
}

static void push_answers_are_counted_and_confirm(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER;
    open_push(f);
    send_numbers(f, 0, 300);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 300);
    assert_true(push_alive(f->push));
    assert_int_equal(f->client_count, 1);
    assert_int_equal(metrics_values[METRIC_PUSH_SENT], 300);
}

static void push_unreachable_peer_is_tried_until_it_listens(void **state)
{
    struct fixture *f = *state;
    uv_close((uv_handle_t *)&f->listener, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    open_push(f);
    send_numbers(f, 0, 3);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONNECT_FAILED] >= 3);
    assert_false(push_alive(f->push));
    listen_on(f, f->port);
    WAIT_UNTIL(f, f->request_count == 3);
    assert_numbers(f, 0, 0, 3);
}

static void push_broken_connection_sends_the_unanswered_again_before_newer(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER;
    f->answers_left = 4;
    open_push(f);
    send_numbers(f, 0, 10);
    WAIT_UNTIL(f, f->request_count == 10 && metrics_values[METRIC_PUSH_CONFIRMED] == 4);
    f->answers_left = 1000000;
    client_close(&f->clients[0]);
    send_numbers(f, 10, 5);
    WAIT_UNTIL(f, f->client_count == 2 && f->clients[1].request_count == 11);
    assert_numbers(f, 1, 4, 11);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 15);
    assert_int_equal(f->clients[1].request_count, 11);
}

static void push_reset_connection_sends_the_unanswered_again(void **state)
{
    struct fixture *f = *state;
    open_push(f);
    send_numbers(f, 0, 10);
    WAIT_UNTIL(f, f->request_count == 10);
    uv_tcp_close_reset(&f->clients[0].tcp, client_on_closed);
    WAIT_UNTIL(f, f->client_count == 2 && f->clients[1].request_count == 10);
    assert_numbers(f, 1, 0, 10);
}

static void push_peer_that_closes_after_each_answer_gets_everything_once_answered(void **state)
{
    struct fixture *f = *state;
    f->answer = CLOSING_ANSWER;
    f->close_after_answer = true;
    open_push(f);
    send_numbers(f, 0, 20);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 20);
    for (int i = 0; i < 20; i++) {
        assert_numbers(f, i, i, 1);
    }
}

static void push_peer_that_closes_unannounced_after_each_answer_gets_everything(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER;
    f->close_after_answer = true;
    open_push(f);
    send_numbers(f, 0, 20);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 20);
    assert_numbers(f, 19, 19, 1);
}

static void push_answer_without_a_length_is_complete_when_the_peer_closes(void **state)
{
    struct fixture *f = *state;
    f->answer = LENGTHLESS_ANSWER;
    f->close_after_answer = true;
    open_push(f);
    send_numbers(f, 0, 3);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 3);
    assert_numbers(f, 2, 2, 1);
}

static void push_nonsense_as_answer_closes_and_connects_anew(void **state)
{
    struct fixture *f = *state;
    f->answer = "220 this is not HTTP\r\n\r\n";
    open_push(f);
    send_numbers(f, 0, 1);
    WAIT_UNTIL(f, f->client_count == 2 && !f->clients[0].open);
    f->answer = OK_ANSWER;
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 1);
}

static void push_answer_that_nobody_asked_for_closes_and_connects_anew(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER OK_ANSWER;
    open_push(f);
    send_numbers(f, 0, 1);
    WAIT_UNTIL(f, f->client_count == 2 && !f->clients[0].open);
    assert_int_equal(metrics_values[METRIC_PUSH_CONFIRMED], 1);
    assert_int_equal(f->clients[1].request_count, 0);
}

static void push_queue_takes_exactly_its_bound(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = QUEUE_MAX;
    open_push(f);
    for (int i = 0; i < 4; i++) {
        assert_true(send_bytes(f, QUEUE_MAX / 4 - PUSH_HEAD_BYTES));
    }
    assert_false(send_bytes(f, 0));
    assert_int_equal(metrics_values[METRIC_PUSH_DROPPED], 1);
    WAIT_UNTIL(f, f->request_count == 4);
    assert_true(send_bytes(f, 1));
    WAIT_UNTIL(f, f->request_count == 5);
}

static void push_queue_one_byte_beyond_its_bound_is_refused(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = QUEUE_MAX;
    open_push(f);
    assert_true(send_bytes(f, QUEUE_MAX / 2 - PUSH_HEAD_BYTES));
    assert_false(send_bytes(f, QUEUE_MAX / 2 - PUSH_HEAD_BYTES + 1));
    assert_true(send_bytes(f, QUEUE_MAX / 2 - PUSH_HEAD_BYTES));
}

static void push_request_greater_than_the_bound_is_taken_by_an_empty_queue(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = QUEUE_MAX;
    open_push(f);
    assert_true(send_bytes(f, 2 * QUEUE_MAX));
    assert_false(send_bytes(f, 0));
    WAIT_UNTIL(f, f->request_count == 1 && f->drained_count == 1);
}

static void push_drained_is_said_once_after_a_refusal(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = QUEUE_MAX;
    f->send_on_drained = true;
    open_push(f);
    assert_true(send_bytes(f, QUEUE_MAX - PUSH_HEAD_BYTES));
    assert_false(send_bytes(f, 0));
    assert_false(send_bytes(f, 0));
    assert_int_equal(f->drained_count, 0);
    WAIT_UNTIL(f, f->request_count == 2);
    assert_int_equal(f->drained_count, 1);
    send_numbers(f, 0, 3);
    WAIT_UNTIL(f, f->request_count == 5);
    assert_int_equal(f->drained_count, 1);
}

static void push_drained_is_not_said_when_nothing_was_refused(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = QUEUE_MAX;
    open_push(f);
    assert_true(send_bytes(f, QUEUE_MAX - PUSH_HEAD_BYTES));
    WAIT_UNTIL(f, f->request_count == 1);
    assert_int_equal(f->drained_count, 0);
}

static void push_peer_that_never_answers_gets_everything_and_the_oldest_is_forgotten(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = 10 * (PUSH_HEAD_BYTES + 4);
    open_push(f);
    for (int i = 0; i < 40; i++) {
        send_numbers(f, 10 + i, 1);
        WAIT_UNTIL(f, f->request_count == i + 1);
    }
    assert_int_equal(f->client_count, 1);
    client_close(&f->clients[0]);
    WAIT_UNTIL(f, f->client_count == 2 && f->clients[1].request_count == 10);
    assert_numbers(f, 1, 40, 10);
}

static void push_answers_to_what_was_forgotten_confirm_nothing_newer(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = 2 * (PUSH_HEAD_BYTES + 3);
    open_push(f);
    for (int i = 0; i < 5; i++) {
        send_numbers(f, i, 1);
        WAIT_UNTIL(f, f->request_count == i + 1);
    }
    f->answer = OK_ANSWER;
    for (int i = 0; i < 4; i++) {
        client_answer(&f->clients[0]); /* three were forgotten, and then one that was not */
    }
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 4);
    f->answer = NULL;
    client_close(&f->clients[0]);
    WAIT_UNTIL(f, f->client_count == 2 && f->clients[1].request_count == 1);
    assert_numbers(f, 1, 4, 1);
}

/* So much that the kernel cannot take it: a write is under way for most of the time. */
static void push_peer_that_does_not_read_makes_the_queue_full_then_gets_all(void **state)
{
    struct fixture *f = *state;
    enum { BODY_BYTES = 100000, COUNT_MAX = 200 };
    f->settings.queue_max_bytes = 5 * (BODY_BYTES + PUSH_HEAD_BYTES);
    f->paused = true;
    f->answer = OK_ANSWER;
    open_push(f);
    WAIT_UNTIL(f, push_alive(f->push));
    int taken_count = 0;
    while (taken_count < COUNT_MAX && send_bytes(f, BODY_BYTES)) {
        taken_count++;
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_true(taken_count >= 5 && taken_count < COUNT_MAX);
    WAIT_UNTIL(f, f->client_count == 1);
    assert_int_equal(f->drained_count, 0);
    uv_read_start((uv_stream_t *)&f->clients[0].tcp, client_on_alloc, client_on_read);
    WAIT_UNTIL(f, f->request_count == taken_count);
    WAIT_UNTIL(f, f->drained_count == 1);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == taken_count);
    assert_int_equal(f->client_count, 1);
}

static void push_connection_lost_in_the_middle_of_a_write_sends_whole_requests_again(void **state)
{
    struct fixture *f = *state;
    enum { BODY_BYTES = 500000 };
    f->settings.queue_max_bytes = 64 * (BODY_BYTES + PUSH_HEAD_BYTES);
    f->paused = true;
    open_push(f);
    for (int i = 0; i < 20; i++) {
        assert_true(send_bytes(f, BODY_BYTES));
    }
    WAIT_UNTIL(f, f->client_count == 1 && metrics_values[METRIC_PUSH_SENT] > 0);
    assert_true(metrics_values[METRIC_PUSH_SENT] < 20);
    f->paused = false;
    client_close(&f->clients[0]);
    WAIT_UNTIL(f, f->client_count == 2 && f->clients[1].request_count >= 1);
    const char *again = f->received + f->clients[1].start;
    assert_memory_equal(again, "POST message HTTP/1.1\r\n", 23);
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

static void push_answers_before_the_end_of_a_write_are_counted(void **state)
{
    struct fixture *f = *state;
    open_with_a_long_write(f, 40);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 40);
    assert_int_equal(f->client_count, 1);
    assert_numbers(f, 0, 0, 40);
}

static void push_connection_lost_after_such_answers_goes_on_behind_them(void **state)
{
    struct fixture *f = *state;
    f->answers_left = 15;
    open_with_a_long_write(f, 40);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 15);
    assert_true(metrics_values[METRIC_PUSH_SENT] < 40);
    client_close(&f->clients[0]);
    WAIT_UNTIL(f, f->client_count == 2 && f->clients[1].request_count >= 1);
    assert_numbers(f, 1, 15, 1);
}

static void push_answer_that_came_before_a_reset_is_still_read(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER;
    open_push(f);
    send_numbers(f, 0, 1);
    WAIT_UNTIL(f, f->request_count == 1);
    assert_int_equal(metrics_values[METRIC_PUSH_CONFIRMED], 0); /* it lies in the socket */
    uv_tcp_close_reset(&f->clients[0].tcp, client_on_closed);
    send_numbers(f, 1, 1);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONFIRMED] == 2);
    assert_int_equal(f->clients[1].request_count, 1);
    assert_numbers(f, 1, 1, 1);
}

static void push_close_writes_what_is_queued(void **state)
{
    struct fixture *f = *state;
    f->answer = OK_ANSWER;
    open_push(f);
    WAIT_UNTIL(f, push_alive(f->push));
    send_numbers(f, 0, 100);
    push_close(f->push);
    f->push = NULL;
    memset(&f->settings, 0xff, sizeof f->settings); /* nobody looks at it any more */
    WAIT_UNTIL(f, f->client_count == 1 && !f->clients[0].open);
    assert_int_equal(f->request_count, 100);
    assert_numbers(f, 0, 0, 100);
}

static void push_close_does_not_wait_for_a_peer_that_keeps_its_end_open(void **state)
{
    struct fixture *f = *state;
    f->paused = true;
    open_push(f);
    WAIT_UNTIL(f, push_alive(f->push) && f->client_count == 1);
    push_close(f->push);
    f->push = NULL;
    assert_int_equal(metrics_values[METRIC_PUSH_CONNECTIONS], 1);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONNECTIONS] == 0);
}

static void push_close_while_connecting_or_waiting_is_safe(void **state)
{
    struct fixture *f = *state;
    open_push(f);
    send_numbers(f, 0, 1);
    push_close(f->push);
    uv_close((uv_handle_t *)&f->listener, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    open_push(f);
    send_numbers(f, 0, 1);
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_CONNECT_FAILED] == 1);
    push_close(f->push);
    f->push = NULL;
    uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void push_close_with_a_write_under_way_is_safe(void **state)
{
    struct fixture *f = *state;
    f->settings.queue_max_bytes = 64 * 1000000;
    f->paused = true;
    open_push(f);
    for (int i = 0; i < 20; i++) {
        assert_true(send_bytes(f, 500000));
    }
    WAIT_UNTIL(f, metrics_values[METRIC_PUSH_SENT] > 0);
    push_close(f->push);
    f->push = NULL;
    assert_int_equal(metrics_values[METRIC_PUSH_CONNECTIONS], 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(push_requests_arrive_byte_for_byte_in_order),
        CASE(push_user_id_cannot_break_the_head),
        CASE(push_requests_of_a_turn_do_not_wait_for_answers),
        CASE(push_answers_are_counted_and_confirm),
        CASE(push_unreachable_peer_is_tried_until_it_listens),
        CASE(push_broken_connection_sends_the_unanswered_again_before_newer),
        CASE(push_reset_connection_sends_the_unanswered_again),
        CASE(push_peer_that_closes_after_each_answer_gets_everything_once_answered),
        CASE(push_peer_that_closes_unannounced_after_each_answer_gets_everything),
        CASE(push_answer_without_a_length_is_complete_when_the_peer_closes),
        CASE(push_nonsense_as_answer_closes_and_connects_anew),
        CASE(push_answer_that_nobody_asked_for_closes_and_connects_anew),
        CASE(push_queue_takes_exactly_its_bound),
        CASE(push_queue_one_byte_beyond_its_bound_is_refused),
        CASE(push_request_greater_than_the_bound_is_taken_by_an_empty_queue),
        CASE(push_drained_is_said_once_after_a_refusal),
        CASE(push_drained_is_not_said_when_nothing_was_refused),
        CASE(push_peer_that_never_answers_gets_everything_and_the_oldest_is_forgotten),
        CASE(push_answers_to_what_was_forgotten_confirm_nothing_newer),
        CASE(push_peer_that_does_not_read_makes_the_queue_full_then_gets_all),
        CASE(push_connection_lost_in_the_middle_of_a_write_sends_whole_requests_again),
        CASE(push_answers_before_the_end_of_a_write_are_counted),
        CASE(push_connection_lost_after_such_answers_goes_on_behind_them),
        CASE(push_answer_that_came_before_a_reset_is_still_read),
        CASE(push_close_writes_what_is_queued),
        CASE(push_close_does_not_wait_for_a_peer_that_keeps_its_end_open),
        CASE(push_close_while_connecting_or_waiting_is_safe),
        CASE(push_close_with_a_write_under_way_is_safe),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as the node does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
