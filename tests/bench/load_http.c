/* SPDX-License-Identifier: MIT */
/*
 * load_http: messages said on a few connections, each with a bounded number without an answer, and
 * one listening socket for the pushes of all sessions. There are as many connections for one node
 * as for several, so that every row has the same number of messages under way. Contents of answers
 * and pushes are not looked at.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load_parts.h"

#define LOAD_HTTP_TALKS   24 /* a multiple of 1, 2 and 3 nodes */
#define LOAD_HTTP_WINDOW  32
#define LOAD_HTTP_BACKLOG 4096

struct load_talk {
    struct load *load;
    uv_tcp_t tcp;
    uv_connect_t connect;
    size_t next_session; /* who speaks next */
    int64_t sent_us[LOAD_HTTP_WINDOW];
    size_t first, count; /* of sent_us, a ring */
    size_t in_bytes;
    char in[LOAD_BUFFER];
};

struct load_push {
    struct load *load;
    uv_tcp_t tcp;
    size_t skip_bytes; /* of a body */
    size_t in_bytes;
    char in[2048]; /* a head */
};

/* Pushes --------------------------------------------------------------------------------------- */

static void load_http_on_written(uv_write_t *write, int status)
{
    (void)status;
    free(write);
}

static void load_http_write(uv_stream_t *stream, const char *data, size_t len)
{
    uv_write_t *write = malloc(sizeof *write + len);
    assert(write != NULL);
    memcpy(write + 1, data, len);
    uv_buf_t buf = uv_buf_init((char *)(write + 1), (unsigned)len);
    if (uv_write(write, stream, &buf, 1, load_http_on_written) != 0) {
        free(write);
    }
}

static void load_http_on_push_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* Takes what a head says; returns how many answers are due. */
static size_t load_http_take_push(struct load_push *push, const char *data, size_t len)
{
    size_t answer_count = 0;
    while (len > 0) {
        size_t skipped = push->skip_bytes < len ? push->skip_bytes : len;
        push->skip_bytes -= skipped;
        data += skipped;
        len -= skipped;
        size_t taken = sizeof push->in - 1 - push->in_bytes;
        taken = len < taken ? len : taken;
        memcpy(push->in + push->in_bytes, data, taken);
        push->in[push->in_bytes + taken] = '\0';
        char *end = strstr(push->in, "\r\n\r\n");
        if (end == NULL) {
            push->in_bytes += taken;
            return answer_count;
        }
        size_t head_bytes = (size_t)(end - push->in) + 4;
        const char *length = strcasestr(push->in, "content-length:");
        push->skip_bytes = length != NULL ? strtoul(length + 15, NULL, 10) : 0;
        if (strstr(push->in, "message-type: message") != NULL) {
            push->load->figures.deliveries++;
            push->load->last_us = load_now_us();
        }
        answer_count++;
        data += head_bytes - push->in_bytes;
        len -= head_bytes - push->in_bytes;
        push->in_bytes = 0;
    }
    return answer_count;
}

static void load_http_on_push(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    struct load_push *push = stream->data;
    if (len < 0) {
        uv_close((uv_handle_t *)stream, load_http_on_push_closed);
        return;
    }
    size_t answer_count = load_http_take_push(push, buf->base, (size_t)len);
    char answers[64 * (sizeof answer - 1)];
    while (answer_count > 0) {
        size_t now = answer_count < 64 ? answer_count : 64;
        for (size_t i = 0; i < now; i++) {
            memcpy(answers + i * (sizeof answer - 1), answer, sizeof answer - 1);
        }
        load_http_write(stream, answers, now * (sizeof answer - 1));
        answer_count -= now;
    }
}

static void load_http_on_push_connection(uv_stream_t *listener, int status)
{
    struct load *load = listener->data;
    struct load_push *push = status == 0 ? calloc(1, sizeof *push) : NULL;
    if (push == NULL) {
        return;
    }
    push->load = load;
    push->tcp.data = push;
    uv_tcp_init(&load->loop, &push->tcp);
    if (uv_accept(listener, (uv_stream_t *)&push->tcp) != 0) {
        uv_close((uv_handle_t *)&push->tcp, load_http_on_push_closed);
        return;
    }
    uv_read_start((uv_stream_t *)&push->tcp, load_on_alloc, load_http_on_push);
}

/* Messages ------------------------------------------------------------------------------------- */

static void load_http_say_next(struct load_talk *talk)
{
    struct load *load = talk->load;
    char out[LOAD_HTTP_WINDOW * 320];
    size_t len = 0;
    while (talk->count < LOAD_HTTP_WINDOW && load->is_running) {
        size_t number = talk->next_session % load->options.session_count;
        talk->next_session += LOAD_HTTP_TALKS;
        const char *json = "{\"hostName\":\"dQ==\",\"message\":"
                           "\"SGVsbG8gdG8gYWxsIG9mIHlvdSBpbiB0aGlzIHJvb20=\",\"messageTime\":1}";
        len += (size_t)snprintf(out + len, sizeof out - len,
                                "POST message HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: %s\r\n"
                                "content-type: application/json\r\nmessage-type: message\r\n"
                                "content-length: %zu\r\n\r\n%s",
                                load->sessions[number].user_id, strlen(json), json);
        assert(len < sizeof out);
        load->under_way++;
        talk->sent_us[(talk->first + talk->count++) % LOAD_HTTP_WINDOW] = load_now_us();
    }
    if (len > 0) {
        load_http_write((uv_stream_t *)&talk->tcp, out, len);
    }
}

/* Answers from the front; what is left of the last one stays. */
static void load_http_take_answers(struct load_talk *talk)
{
    char *at = talk->in, *end;
    while ((end = strstr(at, "\r\n\r\n")) != NULL) {
        const char *length = strcasestr(at, "content-length:");
        size_t body_bytes = length != NULL && length < end ? strtoul(length + 15, NULL, 10) : 0;
        char *next = end + 4 + body_bytes;
        if (next > talk->in + talk->in_bytes || talk->count == 0) {
            break;
        }
        if (strncmp(at, "HTTP/1.1 200", 12) == 0) {
            talk->load->figures.expected +=
                talk->load->options.session_count / talk->load->options.room_count;
            load_sample(talk->load, talk->sent_us[talk->first]);
        } else {
            talk->load->figures.refused++;
        }
        talk->first = (talk->first + 1) % LOAD_HTTP_WINDOW;
        talk->count--;
        talk->load->under_way--;
        at = next;
    }
    talk->in_bytes -= (size_t)(at - talk->in);
    memmove(talk->in, at, talk->in_bytes + 1);
}

static void load_http_on_talk_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct load_talk *talk = handle->data;
    (void)wanted;
    *buf = uv_buf_init(talk->in + talk->in_bytes, (unsigned)(sizeof talk->in - 1 - talk->in_bytes));
}

static void load_http_on_talk(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct load_talk *talk = stream->data;
    (void)buf;
    if (len < 0) {
        fprintf(stderr, "a node has closed a connection for messages\n");
        talk->load->is_failed = true;
        uv_read_stop(stream);
        return;
    }
    talk->in_bytes += (size_t)len;
    talk->in[talk->in_bytes] = '\0';
    load_http_take_answers(talk);
    load_http_say_next(talk);
}

static void load_http_on_talk_connected(uv_connect_t *connect, int status)
{
    struct load_talk *talk = connect->data;
    if (status != 0) {
        fprintf(stderr, "no connection to a node's HTTP port: %s\n", uv_strerror(status));
        talk->load->is_failed = true;
        return;
    }
    uv_read_start((uv_stream_t *)&talk->tcp, load_http_on_talk_alloc, load_http_on_talk);
}

void load_http_say(struct load *load)
{
    for (size_t i = 0; i < LOAD_HTTP_TALKS; i++) {
        load_http_say_next(&load->talks[i]);
    }
}

/* Life ----------------------------------------------------------------------------------------- */

static bool load_http_open_talks(struct load *load)
{
    load->talks = calloc(LOAD_HTTP_TALKS, sizeof *load->talks);
    assert(load->talks != NULL);
    bool is_good = true;
    for (size_t i = 0; i < LOAD_HTTP_TALKS; i++) {
        struct load_talk *talk = &load->talks[i];
        talk->load = load;
        talk->next_session = i;
        struct sockaddr_in to =
            load_address(load->options.http_ports[i % load->options.node_count]);
        uv_tcp_init(&load->loop, &talk->tcp);
        talk->tcp.data = talk->connect.data = talk;
        is_good = uv_tcp_connect(&talk->connect, &talk->tcp, (struct sockaddr *)&to,
                                 load_http_on_talk_connected) == 0 &&
                  is_good;
    }
    return is_good;
}

bool load_http_open(struct load *load)
{
    struct sockaddr_in any = load_address(0), bound;
    int len = sizeof bound;
    any.sin_addr.s_addr = INADDR_ANY; /* each client declares another address of this machine */
    uv_tcp_init(&load->loop, &load->push_listener);
    load->push_listener.data = load;
    bool is_good = uv_tcp_bind(&load->push_listener, (struct sockaddr *)&any, 0) == 0 &&
                   uv_listen((uv_stream_t *)&load->push_listener, LOAD_HTTP_BACKLOG,
                             load_http_on_push_connection) == 0 &&
                   uv_tcp_getsockname(&load->push_listener, (struct sockaddr *)&bound, &len) == 0;
    load->push_port = is_good ? ntohs(bound.sin_port) : 0;
    return load_http_open_talks(load) && is_good;
}

/* What is left open when all else is closed is a push connection. */
static void load_http_close_push(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle)) {
        uv_close(handle, load_http_on_push_closed);
    }
}

void load_http_close(struct load *load)
{
    uv_close((uv_handle_t *)&load->push_listener, NULL);
    for (size_t i = 0; i < LOAD_HTTP_TALKS; i++) {
        uv_close((uv_handle_t *)&load->talks[i].tcp, NULL);
    }
    uv_walk(&load->loop, load_http_close_push, NULL);
}
