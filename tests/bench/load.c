/* SPDX-License-Identifier: MIT */
/*
 * load: one UDP socket and a few HTTP connections per node, each with a bounded number of
 * operations under way; one listening socket for all pushes. Whoever has an answer does the next
 * thing at once.
 */
#include "load.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "proto/base64.h"
#include "proto/digest.h"
#include "proto/hgtp.h"

#define LOAD_KEY            "950817"
#define LOAD_LOOPBACK       0x7f000001u
#define LOAD_TALKS_PER_NODE 8
#define LOAD_TALK_WINDOW    16
#define LOAD_MOVE_WINDOW    64
#define LOAD_SETUP_WINDOW   64
#define LOAD_REPEAT_MS      1000
#define LOAD_SETUP_MS       120000
#define LOAD_BUFFER         65536
#define LOAD_SAMPLES_MAX    (1u << 20)

enum session_step { STEP_NEW, STEP_PROVING, STEP_REGISTERED, STEP_IN_ROOM };

struct session {
    char user_id[HGTP_USER_ID_BYTES + 1];
    enum session_step step;
    bool is_busy; /* a datagram of it is under way */
    int64_t sent_us;
    int64_t repeat_ms;
    uint32_t timestamp_ms;
    size_t sent_bytes;
    uint8_t sent[160];
};

struct talk_connection {
    struct load *load;
    uv_tcp_t tcp;
    uv_connect_t connect;
    size_t node, next_session; /* who speaks next */
    int64_t sent_us[LOAD_TALK_WINDOW];
    size_t first, count; /* of sent_us, a ring */
    size_t in_bytes;
    char in[LOAD_BUFFER];
};

struct push_connection {
    struct load *load;
    uv_tcp_t tcp;
    size_t skip_bytes; /* of a body */
    size_t in_bytes;
    char in[2048]; /* a head */
};

struct load {
    struct load_options options;
    uv_loop_t loop;
    uv_udp_t udp[LOAD_NODES_MAX];
    uv_tcp_t push_listener;
    uint16_t push_port;
    uv_timer_t clock;
    struct session *sessions;
    size_t next_setup, ready_count, under_way;
    enum session_step wanted;
    bool is_running, is_failed;
    enum load_kind kind;
    size_t next_mover;
    struct talk_connection *talks;
    size_t talk_count;
    int64_t *samples;
    struct load_figures figures;
    char buffer[LOAD_BUFFER];
};

static int64_t load_now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

static void load_sample(struct load *load, int64_t sent_us)
{
    if (load->figures.operations < LOAD_SAMPLES_MAX) {
        load->samples[load->figures.operations] = load_now_us() - sent_us;
    }
    load->figures.operations++;
}

/* Pushes ----------------------------------------------------------------------------------------
 */

static void load_on_written(uv_write_t *write, int status)
{
    (void)status;
    free(write);
}

static void load_write(uv_stream_t *stream, const char *data, size_t len)
{
    uv_write_t *write = malloc(sizeof *write + len);
    assert(write != NULL);
    memcpy(write + 1, data, len);
    uv_buf_t buf = uv_buf_init((char *)(write + 1), (unsigned)len);
    if (uv_write(write, stream, &buf, 1, load_on_written) != 0) {
        free(write);
    }
}

static void load_on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct load *load = handle->loop->data;
    (void)wanted;
    *buf = uv_buf_init(load->buffer, sizeof load->buffer);
}

static void load_on_push_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* Takes what a head says; returns how many answers are due. */
static size_t load_take_push(struct push_connection *push, const char *data, size_t len)
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
        push->load->figures.deliveries += strstr(push->in, "message-type: message") != NULL;
        answer_count++;
        data += head_bytes - push->in_bytes;
        len -= head_bytes - push->in_bytes;
        push->in_bytes = 0;
    }
    return answer_count;
}

static void load_on_push(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    struct push_connection *push = stream->data;
    if (len < 0) {
        uv_close((uv_handle_t *)stream, load_on_push_closed);
        return;
    }
    size_t answer_count = load_take_push(push, buf->base, (size_t)len);
    char answers[64 * (sizeof answer - 1)];
    while (answer_count > 0) {
        size_t now = answer_count < 64 ? answer_count : 64;
        for (size_t i = 0; i < now; i++) {
            memcpy(answers + i * (sizeof answer - 1), answer, sizeof answer - 1);
        }
        load_write(stream, answers, now * (sizeof answer - 1));
        answer_count -= now;
    }
}

static void load_on_push_connection(uv_stream_t *listener, int status)
{
    struct load *load = listener->data;
    struct push_connection *push = status == 0 ? calloc(1, sizeof *push) : NULL;
    if (push == NULL) {
        return;
    }
    push->load = load;
    push->tcp.data = push;
    uv_tcp_init(&load->loop, &push->tcp);
    if (uv_accept(listener, (uv_stream_t *)&push->tcp) != 0) {
        uv_close((uv_handle_t *)&push->tcp, load_on_push_closed);
        return;
    }
    uv_read_start((uv_stream_t *)&push->tcp, load_on_alloc, load_on_push);
}

/* Datagrams -------------------------------------------------------------------------------------
 */

static size_t load_node_of(const struct load *load, const struct session *session)
{
    return (size_t)(session - load->sessions) % load->options.node_count;
}

static size_t load_room_of(const struct load *load, const struct session *session)
{
    return (size_t)(session - load->sessions) % load->options.room_count;
}

static bool load_is_manager(const struct load *load, const struct session *session)
{
    return (size_t)(session - load->sessions) < load->options.room_count;
}

static void load_send_again(struct load *load, struct session *session)
{
    uv_buf_t buf = uv_buf_init((char *)session->sent, (unsigned)session->sent_bytes);
    (void)uv_udp_try_send(&load->udp[load_node_of(load, session)], &buf, 1, NULL);
    session->repeat_ms = load_now_us() / 1000 + LOAD_REPEAT_MS;
}

static void load_send(struct load *load, struct session *session, struct hgtp_message *msg,
                      int32_t seq)
{
    struct sink out = sink_into(session->sent, sizeof session->sent);
    memcpy(msg->header.user_id, session->user_id, HGTP_USER_ID_BYTES);
    msg->header.request_type = msg->header.type;
    msg->header.seq = seq;
    msg->header.timestamp_ms = ++session->timestamp_ms;
    hgtp_encode(msg, &out);
    assert(sink_fits(&out));
    session->sent_bytes = out.len;
    session->sent_us = load_now_us();
    session->is_busy = true;
    load_send_again(load, session);
}

static struct bytes load_name(char kind, size_t number, char ret_text[32])
{
    char plain[24];
    struct sink out = sink_into(ret_text, 32);
    snprintf(plain, sizeof plain, "%c%zu", kind, number);
    base64_encode(bytes_str(plain), &out);
    return sink_bytes(&out);
}

static void load_register(struct load *load, struct session *session)
{
    char name[32];
    struct hgtp_message msg = {
        .header.type = HGTP_REGISTER,
        .reg = {3600, LOAD_LOOPBACK, 9, load_name('u', (size_t)(session - load->sessions), name)}};
    load_send(load, session, &msg, 1);
}

static void load_prove(struct load *load, struct session *session, struct bytes realm)
{
    uint8_t digest[DIGEST_LEGACY_MAX];
    struct sink out = sink_into(digest, sizeof digest);
    digest_legacy(realm, bytes_str(LOAD_KEY), &out);
    struct hgtp_message msg = {.header.type = HGTP_REGISTER,
                               .reg = {3600, LOAD_LOOPBACK, load->push_port, sink_bytes(&out)}};
    load_send(load, session, &msg, 3);
}

static void load_enter(struct load *load, struct session *session, bool is_exit)
{
    char name[32], id[24];
    size_t room = load_room_of(load, session);
    struct bytes name64 = load_name('r', room, name);
    snprintf(id, sizeof id, "%012zu", room);
    struct hgtp_message msg = {.header.type = is_exit ? HGTP_EXIT_ROOM : HGTP_JOIN_ROOM};
    if (load_is_manager(load, session)) {
        msg.header.type = HGTP_CREATE_ROOM;
        msg.room = (struct hgtp_room){bytes_str(id), name64};
    } else {
        msg.room_name = name64;
    }
    load_send(load, session, &msg, 1);
}

static void load_set_up_next(struct load *load)
{
    while (load->under_way < LOAD_SETUP_WINDOW && load->next_setup < load->options.session_count) {
        struct session *session = &load->sessions[load->next_setup++];
        load->under_way++;
        if (load->wanted == STEP_REGISTERED) {
            load_register(load, session);
        } else {
            load_enter(load, session, false);
        }
    }
}

static void load_move_next(struct load *load)
{
    size_t movable = load->options.session_count - load->options.room_count;
    for (size_t tried = 0; tried < movable && load->under_way < LOAD_MOVE_WINDOW; tried++) {
        struct session *session =
            &load->sessions[load->options.room_count + load->next_mover++ % movable];
        if (!session->is_busy) {
            load->under_way++;
            load_enter(load, session, session->step == STEP_IN_ROOM);
        }
    }
}

static void load_step_done(struct load *load, struct session *session, enum session_step step)
{
    session->step = step;
    session->is_busy = false;
    load->under_way--;
    if (load->is_running) {
        load_sample(load, session->sent_us);
        load_move_next(load);
    } else {
        load->ready_count++;
        load_set_up_next(load);
    }
}

static void load_on_response(struct load *load, struct session *session,
                             const struct hgtp_message *msg)
{
    if (!session->is_busy) {
        return;
    }
    uint8_t type = msg->header.type, request = msg->header.request_type;
    if (type == HGTP_UNAUTHORIZED && session->step == STEP_NEW) {
        session->step = STEP_PROVING;
        load_prove(load, session, msg->challenge.realm);
    } else if (type == HGTP_OK && request == HGTP_REGISTER) {
        load_step_done(load, session, STEP_REGISTERED);
    } else if (type == HGTP_OK && request == HGTP_EXIT_ROOM) {
        load_step_done(load, session, STEP_REGISTERED);
    } else if (type == HGTP_OK) {
        load_step_done(load, session, STEP_IN_ROOM);
    } else if (type != HGTP_UNAUTHORIZED) {
        load->figures.refused++;
    }
}

static void load_on_datagram(uv_udp_t *udp, ssize_t len, const uv_buf_t *buf,
                             const struct sockaddr *from, unsigned flags)
{
    struct load *load = udp->loop->data;
    struct hgtp_message msg;
    (void)flags;
    if (len <= 0 || from == NULL ||
        hgtp_decode(bytes_of(buf->base, (size_t)len), &msg) != HGTP_DECODED) {
        return;
    }
    char id[HGTP_USER_ID_BYTES + 1] = "";
    memcpy(id, msg.header.user_id, HGTP_USER_ID_BYTES);
    size_t number = strtoul(id, NULL, 10);
    if (number < load->options.session_count) {
        load_on_response(load, &load->sessions[number], &msg);
    }
}

static void load_on_clock(uv_timer_t *clock)
{
    struct load *load = clock->data;
    int64_t now_ms = load_now_us() / 1000;
    for (size_t i = 0; i < load->options.session_count; i++) {
        struct session *session = &load->sessions[i];
        if (session->is_busy && now_ms >= session->repeat_ms) {
            load_send_again(load, session);
        }
    }
}

/* Messages --------------------------------------------------------------------------------------
 */

static void load_say_next(struct talk_connection *talk)
{
    struct load *load = talk->load;
    char out[LOAD_TALK_WINDOW * 320];
    size_t len = 0;
    while (talk->count < LOAD_TALK_WINDOW && load->is_running) {
        size_t number = talk->next_session % load->options.session_count;
        talk->next_session += load->options.node_count * LOAD_TALKS_PER_NODE;
        const char *json = "{\"hostName\":\"dQ==\",\"message\":"
                           "\"SGVsbG8gdG8gYWxsIG9mIHlvdSBpbiB0aGlzIHJvb20=\",\"messageTime\":1}";
        len += (size_t)snprintf(out + len, sizeof out - len,
                                "POST message HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: %s\r\n"
                                "content-type: application/json\r\nmessage-type: message\r\n"
                                "content-length: %zu\r\n\r\n%s",
                                load->sessions[number].user_id, strlen(json), json);
        assert(len < sizeof out);
        talk->sent_us[(talk->first + talk->count++) % LOAD_TALK_WINDOW] = load_now_us();
    }
    if (len > 0) {
        load_write((uv_stream_t *)&talk->tcp, out, len);
    }
}

/* Answers from the front; what is left of the last one stays. */
static void load_take_answers(struct talk_connection *talk)
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
            load_sample(talk->load, talk->sent_us[talk->first]);
        } else {
            talk->load->figures.refused++;
        }
        talk->first = (talk->first + 1) % LOAD_TALK_WINDOW;
        talk->count--;
        at = next;
    }
    talk->in_bytes -= (size_t)(at - talk->in);
    memmove(talk->in, at, talk->in_bytes + 1);
}

static void load_on_talk_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct talk_connection *talk = handle->data;
    (void)wanted;
    *buf = uv_buf_init(talk->in + talk->in_bytes, (unsigned)(sizeof talk->in - 1 - talk->in_bytes));
}

static void load_on_talk(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct talk_connection *talk = stream->data;
    (void)buf;
    if (len < 0) {
        fprintf(stderr, "a node has closed a connection for messages\n");
        talk->load->is_failed = true;
        uv_read_stop(stream);
        return;
    }
    talk->in_bytes += (size_t)len;
    talk->in[talk->in_bytes] = '\0';
    load_take_answers(talk);
    load_say_next(talk);
}

static void load_on_talk_connected(uv_connect_t *connect, int status)
{
    struct talk_connection *talk = connect->data;
    if (status != 0) {
        fprintf(stderr, "no connection to a node's HTTP port: %s\n", uv_strerror(status));
        talk->load->is_failed = true;
        return;
    }
    uv_read_start((uv_stream_t *)&talk->tcp, load_on_talk_alloc, load_on_talk);
}

/* Life ------------------------------------------------------------------------------------------
 */

static struct sockaddr_in load_address(uint16_t port)
{
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", port, &address);
    return address;
}

static bool load_open_sockets(struct load *load)
{
    struct sockaddr_in any = load_address(0), bound;
    int len = sizeof bound;
    uv_tcp_init(&load->loop, &load->push_listener);
    load->push_listener.data = load;
    bool is_good =
        uv_tcp_bind(&load->push_listener, (struct sockaddr *)&any, 0) == 0 &&
        uv_listen((uv_stream_t *)&load->push_listener, 4096, load_on_push_connection) == 0;
    uv_tcp_getsockname(&load->push_listener, (struct sockaddr *)&bound, &len);
    load->push_port = ntohs(bound.sin_port);
    for (size_t i = 0; i < load->options.node_count; i++) {
        struct sockaddr_in to = load_address(load->options.hgtp_ports[i]);
        int buffer = 4 << 20;
        uv_udp_init(&load->loop, &load->udp[i]);
        is_good = is_good && uv_udp_connect(&load->udp[i], (struct sockaddr *)&to) == 0 &&
                  uv_udp_recv_start(&load->udp[i], load_on_alloc, load_on_datagram) == 0;
        (void)uv_recv_buffer_size((uv_handle_t *)&load->udp[i], &buffer);
    }
    return is_good;
}

static void load_open_talks(struct load *load)
{
    for (size_t i = 0; i < load->talk_count; i++) {
        struct talk_connection *talk = &load->talks[i];
        talk->load = load;
        talk->node = i % load->options.node_count;
        talk->next_session = i;
        struct sockaddr_in to = load_address(load->options.http_ports[talk->node]);
        uv_tcp_init(&load->loop, &talk->tcp);
        talk->tcp.data = talk->connect.data = talk;
        if (uv_tcp_connect(&talk->connect, &talk->tcp, (struct sockaddr *)&to,
                           load_on_talk_connected) != 0) {
            load->is_failed = true;
        }
    }
}

static bool load_set_up(struct load *load, enum session_step wanted, size_t from, const char *what)
{
    int64_t until_ms = load_now_us() / 1000 + LOAD_SETUP_MS;
    load->wanted = wanted;
    load->next_setup = load->ready_count = from;
    load_set_up_next(load);
    while (load->ready_count < load->options.session_count && !load->is_failed) {
        if (load_now_us() / 1000 > until_ms) {
            fprintf(stderr, "only %zu of %zu sessions are %s\n", load->ready_count,
                    load->options.session_count, what);
            return false;
        }
        uv_run(&load->loop, UV_RUN_ONCE);
    }
    return !load->is_failed;
}

/* The rooms have to stand before anybody can enter them. */
static bool load_fill_rooms(struct load *load)
{
    size_t all = load->options.session_count;
    load->options.session_count = load->options.room_count;
    bool is_good = load_set_up(load, STEP_IN_ROOM, 0, "managers");
    load->options.session_count = all;
    return is_good && load_set_up(load, STEP_IN_ROOM, load->options.room_count, "members");
}

struct load *load_open(const struct load_options *options)
{
    struct load *load = calloc(1, sizeof *load);
    assert(load != NULL && options->room_count <= options->session_count);
    load->options = *options;
    load->talk_count = options->node_count * LOAD_TALKS_PER_NODE;
    load->sessions = calloc(options->session_count, sizeof *load->sessions);
    load->talks = calloc(load->talk_count, sizeof *load->talks);
    load->samples = calloc(LOAD_SAMPLES_MAX, sizeof *load->samples);
    assert(load->sessions != NULL && load->talks != NULL && load->samples != NULL);
    for (size_t i = 0; i < options->session_count; i++) {
        snprintf(load->sessions[i].user_id, sizeof load->sessions[i].user_id, "%08zu",
                 i % 100000000);
    }
    uv_loop_init(&load->loop);
    load->loop.data = load;
    uv_timer_init(&load->loop, &load->clock);
    load->clock.data = load;
    uv_timer_start(&load->clock, load_on_clock, 100, 100);
    load_open_talks(load);
    if (!load_open_sockets(load) || !load_set_up(load, STEP_REGISTERED, 0, "registered") ||
        !load_fill_rooms(load)) {
        load_close(load);
        return NULL;
    }
    return load;
}

static int load_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void load_on_over(uv_timer_t *timer)
{
    struct load *load = timer->data;
    load->is_running = false;
    uv_stop(timer->loop);
}

void load_run(struct load *load, enum load_kind kind, int64_t duration_ms,
              struct load_figures *ret_figures)
{
    uv_timer_t over;
    uv_timer_init(&load->loop, &over);
    over.data = load;
    uv_timer_start(&over, load_on_over, (uint64_t)duration_ms, 0);
    load->figures = (struct load_figures){0};
    load->is_running = true;
    load->kind = kind;
    int64_t start_us = load_now_us();
    for (size_t i = 0; i < load->talk_count && kind == LOAD_SAY; i++) {
        load_say_next(&load->talks[i]);
    }
    if (kind == LOAD_MOVE) {
        load->under_way = 0;
        load_move_next(load);
    }
    uv_run(&load->loop, UV_RUN_DEFAULT);
    load->figures.duration_us = load_now_us() - start_us;
    size_t count =
        load->figures.operations < LOAD_SAMPLES_MAX ? load->figures.operations : LOAD_SAMPLES_MAX;
    qsort(load->samples, count, sizeof *load->samples, load_compare);
    if (count > 0) {
        load->figures.p50_us = load->samples[count / 2];
        load->figures.p99_us = load->samples[count * 99 / 100];
    }
    *ret_figures = load->figures;
    uv_close((uv_handle_t *)&over, NULL);
    uv_run(&load->loop, UV_RUN_NOWAIT);
}

/* What is left open is a push connection. */
static void load_close_push(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle)) {
        uv_close(handle, load_on_push_closed);
    }
}

void load_close(struct load *load)
{
    uv_close((uv_handle_t *)&load->clock, NULL);
    uv_close((uv_handle_t *)&load->push_listener, NULL);
    for (size_t i = 0; i < load->talk_count; i++) {
        uv_close((uv_handle_t *)&load->talks[i].tcp, NULL);
    }
    for (size_t i = 0; i < load->options.node_count; i++) {
        uv_close((uv_handle_t *)&load->udp[i], NULL);
    }
    uv_walk(&load->loop, load_close_push, NULL);
    uv_run(&load->loop, UV_RUN_DEFAULT);
    uv_loop_close(&load->loop);
    free(load->sessions);
    free(load->talks);
    free(load->samples);
    free(load);
}
