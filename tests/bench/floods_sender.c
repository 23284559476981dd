/* SPDX-License-Identifier: MIT */
/*
 * floods_sender: registers as anybody does, and then sends without regard: by a rate, or as many as
 * get answers. It looks at answers only as far as to tell what was done from what was refused.
 */
#include "floods_sender.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FLOOD_WINDOW     64
#define FLOOD_FILL_COUNT 100
#define FLOOD_FILL_BYTES 16384
#define FLOOD_READ_BYTES (256 * 1024)
#define FLOOD_OUT_MAX    (256 * 1024)

/* What is sent ----------------------------------------------------------------------------------
 */

static void flood_put_text(struct queue *out, const char *text)
{
    ws_client_put_frame(out, WS_CLIENT_FIN | WS_CLIENT_TEXT, true, bytes_str(text));
}

static void flood_put_message(struct queue *out, const struct sink *message)
{
    ws_client_put_frame(out, WS_CLIENT_FIN | WS_CLIENT_BINARY, true, sink_bytes(message));
}

static void flood_ask_refresh(struct talker *talker, int64_t number, struct queue *out)
{
    (void)number;
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink message = sink_into(storage, sizeof storage);
    talk_request_plain(&talker->speaker, HGTP_REFRESH, &message);
    flood_put_message(out, &message);
}

static void flood_ask_history(struct talker *talker, int64_t number, struct queue *out)
{
    (void)talker;
    (void)number;
    flood_put_text(out, "{\"type\":\"history\",\"count\":100}");
}

static void flood_ask_old_history(struct talker *talker, int64_t number, struct queue *out)
{
    (void)talker;
    char text[96];
    snprintf(text, sizeof text, "{\"type\":\"history\",\"count\":50,\"before\":%d}",
             (int)(40 + number % 40));
    flood_put_text(out, text);
}

static void flood_ask_move(struct talker *talker, int64_t number, struct queue *out)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink message = sink_into(storage, sizeof storage);
    talk_request_name(&talker->speaker, number % 2 == 0 ? HGTP_JOIN_ROOM : HGTP_EXIT_ROOM,
                      "a room, number 0007", &message);
    flood_put_message(out, &message);
}

static void flood_ask_exit(struct talker *talker, int64_t number, struct queue *out)
{
    (void)number;
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink message = sink_into(storage, sizeof storage);
    talk_request_name(&talker->speaker, HGTP_EXIT_ROOM, "a room, number 0007", &message);
    flood_put_message(out, &message);
}

static void flood_ask_open(struct talker *talker, int64_t number, struct queue *out)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink message = sink_into(storage, sizeof storage);
    char name[32];
    snprintf(name, sizeof name, "of the flood %d", (int)(number / 2));
    if (number % 2 == 0) {
        talk_request_room_id(talker->room_id);
        talk_request_room(&talker->speaker, HGTP_CREATE_ROOM, talker->room_id, name, &message);
    } else {
        talk_request_room(&talker->speaker, HGTP_DELETE_ROOM, talker->room_id, "", &message);
    }
    flood_put_message(out, &message);
}

static void flood_ask_invite(struct talker *talker, int64_t number, struct queue *out)
{
    (void)number;
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink message = sink_into(storage, sizeof storage);
    talk_request_peer(&talker->speaker, HGTP_INVITE_USER_FROM_ROOM, "of the flood", "bob",
                      &message);
    flood_put_message(out, &message);
}

static void flood_ask_say(struct talker *talker, int64_t number, struct queue *out)
{
    (void)talker;
    char text[96];
    snprintf(text, sizeof text, "{\"type\":\"message\",\"message\":\"%d\"}", (int)number);
    flood_put_text(out, text);
}

static void flood_ask_say_long(struct talker *talker, int64_t number, struct queue *out)
{
    (void)talker;
    (void)number;
    static char text[FLOOD_FILL_BYTES + 64];
    if (text[0] == '\0') {
        snprintf(text, sizeof text, "{\"type\":\"message\",\"message\":\"%0*d\"}", FLOOD_FILL_BYTES,
                 7);
    }
    flood_put_text(out, text);
}

static void flood_ask_nonsense(struct talker *talker, int64_t number, struct queue *out)
{
    (void)talker;
    (void)number;
    flood_put_text(out, "{\"type\":\"message\",\"id\":\"a\",\"message\":[1,2,{\"a\":1}]}");
}

static void flood_post(const struct talker *talker, const char *token, const char *body,
                       struct queue *out)
{
    char text[1024];
    (void)talker;
    snprintf(text, sizeof text,
             "POST /message HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             token, strlen(body), body);
    queue_put(out, bytes_str(text));
}

static void flood_ask_post_history(struct talker *talker, int64_t number, struct queue *out)
{
    (void)number;
    flood_post(talker, talker->token, "{\"type\":\"history\",\"count\":100}", out);
}

static void flood_ask_poll(struct talker *talker, int64_t number, struct queue *out)
{
    (void)number;
    flood_post(talker, talker->token, "{\"type\":\"history\",\"count\":1}", out);
}

static void flood_ask_stranger(struct talker *talker, int64_t number, struct queue *out)
{
    char token[48];
    snprintf(token, sizeof token, "%08dabcdefghijklmnopqrstuvwx", (int)(number % 100000000));
    flood_post(talker, token, "{\"type\":\"message\",\"message\":\"hello\"}", out);
}

static void flood_ask_bad_post(struct talker *talker, int64_t number, struct queue *out)
{
    (void)number;
    flood_post(talker, talker->token, "{\"type\":\"messag", out);
}

static void flood_ask_nowhere(struct talker *talker, int64_t number, struct queue *out)
{
    (void)talker;
    (void)number;
    queue_put(out, bytes_str("GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
}

static void flood_ask_page(struct talker *talker, int64_t number, struct queue *out)
{
    (void)talker;
    (void)number;
    queue_put(out, bytes_str("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
}

static void flood_ask_metrics(struct talker *talker, int64_t number, struct queue *out)
{
    (void)talker;
    (void)number;
    queue_put(out, bytes_str("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
}

static void flood_ask_attach(struct talker *talker, int64_t number, struct queue *out)
{
    (void)number;
    char text[512];
    snprintf(text, sizeof text,
             "GET /ws?token=%s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
             talker->token);
    queue_put(out, bytes_str(text));
}

#define FLOOD_ROOM "of the flood"
const struct flood floods_table[] = {
    {"quiet", "nobody floods", FLOOD_FRAMES, 0, NULL, NULL},
    {"refresh-300", "300 REFRESH/s", FLOOD_FRAMES, 300, NULL, flood_ask_refresh},
    {"refresh", "REFRESH", FLOOD_FRAMES, 0, NULL, flood_ask_refresh},
    {"history-300", "300 history/s of 100 texts of 16 KiB", FLOOD_FRAMES, 300, FLOOD_ROOM,
     flood_ask_history},
    {"history", "the same, as fast as it gets them", FLOOD_FRAMES, 0, FLOOD_ROOM,
     flood_ask_history},
    {"history-old", "history of 50, each from another place", FLOOD_FRAMES, 0, FLOOD_ROOM,
     flood_ask_old_history},
    {"history-http", "history of 100 by POST", FLOOD_POSTS, 0, FLOOD_ROOM, flood_ask_post_history},
    {"poll-http", "history of 1 by POST", FLOOD_POSTS, 0, FLOOD_ROOM, flood_ask_poll},
    {"moves", "JOIN_ROOM and EXIT_ROOM", FLOOD_FRAMES, 0, NULL, flood_ask_move},
    {"opens", "CREATE_ROOM and DELETE_ROOM", FLOOD_FRAMES, 0, NULL, flood_ask_open},
    {"exits", "EXIT_ROOM without end", FLOOD_FRAMES, 0, NULL, flood_ask_exit},
    {"invites", "INVITE of one who does not answer", FLOOD_FRAMES, 0, FLOOD_ROOM, flood_ask_invite},
    {"says", "short messages", FLOOD_FRAMES, 0, FLOOD_ROOM, flood_ask_say},
    {"says-long", "messages of 16 KiB", FLOOD_FRAMES, 0, FLOOD_ROOM, flood_ask_say_long},
    {"nonsense", "texts that say nothing", FLOOD_FRAMES, 0, NULL, flood_ask_nonsense},
    {"bad-http", "JSON that is none by POST", FLOOD_POSTS, 0, NULL, flood_ask_bad_post},
    {"strangers", "messages by tokens that are nobody's", FLOOD_POSTS, 0, NULL, flood_ask_stranger},
    {"nowhere", "paths that are none", FLOOD_POSTS, 0, NULL, flood_ask_nowhere},
    {"page", "the page", FLOOD_POSTS, 0, NULL, flood_ask_page},
    {"metrics", "/metrics", FLOOD_POSTS, 0, NULL, flood_ask_metrics},
    {"attaches", "/ws with its token, again and again", FLOOD_OPENS, 0, NULL, flood_ask_attach},
    {NULL, NULL, FLOOD_FRAMES, 0, NULL, NULL},
};

/* Answers -------------------------------------------------------------------------------------- */

struct flood_line {
    const struct flood *flood;
    struct talker *talker;
    struct floods_shared *shared;
    int fd;
    struct queue in, out;
    size_t skip; /* bytes of an answer that are not looked at */
};

static void flood_answered(struct flood_line *line, bool is_done)
{
    if (is_done) {
        line->shared->done++;
    } else {
        line->shared->refused++;
    }
}

/* A frame of the server: an answer, or something that it says by itself. */
static void flood_on_frame(struct flood_line *line, uint8_t opcode, struct bytes head)
{
    static const char *const answers[] = {"{\"type\":\"ack\"", "{\"type\":\"history\""};
    static const char error[] = "{\"type\":\"error\"";
    struct hgtp_message msg;
    if (opcode == WS_CLIENT_BINARY && hgtp_decode(head, &msg) == HGTP_DECODED &&
        !hgtp_type_is_request(msg.header.type)) {
        flood_answered(line, msg.header.type == HGTP_OK);
    } else if (head.len >= sizeof error - 1 && memcmp(head.ptr, error, sizeof error - 1) == 0) {
        flood_answered(line, false);
    }
    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(answers[i]);
        if (head.len >= len && memcmp(head.ptr, answers[i], len) == 0) {
            flood_answered(line, true);
        }
    }
}

/* Takes a frame whose head is there; false: more is needed. */
static bool flood_take_frame(struct flood_line *line)
{
    const uint8_t *in = line->in.ptr;
    size_t head = 2, len;
    if (line->in.len < 2) {
        return false;
    }
    len = in[1] & 0x7f;
    size_t extended = len == 126 ? 2 : len == 127 ? 8 : 0;
    if (line->in.len < head + extended) {
        return false;
    }
    if (extended > 0) {
        len = 0;
        for (size_t i = 0; i < extended; i++) {
            len = len << 8 | in[2 + i];
        }
    }
    head += extended;
    size_t wanted = len < 512 ? len : 512;
    if (line->in.len < head + wanted) {
        return false;
    }
    flood_on_frame(line, in[0] & 0x0f, bytes_of(in + head, wanted));
    size_t there = line->in.len < head + len ? line->in.len : head + len;
    line->skip = head + len - there;
    queue_take(&line->in, there);
    return true;
}

static bool flood_take_response(struct flood_line *line)
{
    const char *end = line->in.len > 0 ? memmem(line->in.ptr, line->in.len, "\r\n\r\n", 4) : NULL;
    if (end == NULL) {
        return false;
    }
    size_t head = (size_t)((const uint8_t *)end - line->in.ptr) + 4;
    const char *length = memmem(line->in.ptr, head, "ontent-", 7);
    const char *value = memmem(line->in.ptr, head, "-length:", 8);
    value = value != NULL ? value : memmem(line->in.ptr, head, "-Length:", 8);
    (void)length;
    size_t len = value != NULL ? (size_t)atoll(value + 8) : 0;
    int status = line->in.len > 12 ? atoi((const char *)line->in.ptr + 9) : 0;
    flood_answered(line, status == 200);
    size_t there = line->in.len < head + len ? line->in.len : head + len;
    line->skip = head + len - there;
    queue_take(&line->in, there);
    return true;
}

/* False: the connection has ended. */
static bool flood_read(struct flood_line *line)
{
    static uint8_t in[FLOOD_READ_BYTES];
    ssize_t len = recv(line->fd, in, sizeof in, MSG_DONTWAIT);
    if (len < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    size_t skipped = (size_t)len < line->skip ? (size_t)len : line->skip;
    line->skip -= skipped;
    queue_put(&line->in, bytes_of(in + skipped, (size_t)len - skipped));
    while (line->skip == 0 && (line->flood->way == FLOOD_FRAMES ? flood_take_frame(line)
                                                                : flood_take_response(line))) {
    }
    return len > 0;
}

/* Sending -------------------------------------------------------------------------------------- */

/* How many may be sent now. */
static int64_t flood_due(const struct flood_line *line, int64_t from_ms)
{
    const struct floods_shared *shared = line->shared;
    if (line->flood->per_s > 0) {
        return (pump_now_ms() - from_ms) * line->flood->per_s / 1000 - shared->sent;
    }
    return FLOOD_WINDOW - (shared->sent - shared->done - shared->refused);
}

static void flood_fill(struct flood_line *line, int64_t from_ms)
{
    for (int64_t due = flood_due(line, from_ms); due > 0 && line->out.len < FLOOD_OUT_MAX; due--) {
        line->flood->ask(line->talker, line->shared->sent, &line->out);
        line->shared->sent++;
    }
}

static bool flood_connect(struct flood_line *line)
{
    line->in.len = line->out.len = line->skip = 0;
    line->fd = sockets_connect(0, SOCKETS_LOOPBACK, line->talker->options.port, 5000);
    return line->fd >= 0;
}

static bool flood_flow(struct flood_line *line)
{
    int64_t from_ms = pump_now_ms();
    for (;;) {
        flood_fill(line, from_ms);
        struct pollfd fd = {.fd = line->fd,
                            .events = (short)(POLLIN | (line->out.len > 0 ? POLLOUT : 0))};
        (void)poll(&fd, 1, line->flood->per_s > 0 ? 1 : 50);
        if (line->out.len > 0) {
            ssize_t len = send(line->fd, line->out.ptr, line->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
            queue_take(&line->out, len > 0 ? (size_t)len : 0);
        }
        if ((fd.revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !flood_read(line)) {
            return false;
        }
    }
}

/* A connection for each request, as many as there can be. */
static bool flood_open_and_close(struct flood_line *line)
{
    for (;;) {
        if (!flood_connect(line)) {
            return false;
        }
        line->flood->ask(line->talker, line->shared->sent++, &line->out);
        (void)send(line->fd, line->out.ptr, line->out.len, MSG_NOSIGNAL);
        char head[16] = "";
        bool has_come = recv(line->fd, head, sizeof head - 1, 0) > 12;
        flood_answered(line, has_come && atoi(head + 9) == 101);
        close(line->fd);
    }
}

static bool flood_fill_room(struct talker *talker, const char *room)
{
    static char text[FLOOD_FILL_BYTES + 1];
    memset(text, 'x', FLOOD_FILL_BYTES);
    if (!talker_create(talker, room).has_come) {
        return false;
    }
    for (int i = 0; i < FLOOD_FILL_COUNT; i++) {
        if (talker_say_acked(talker, text, NULL) < 0) {
            return false;
        }
        pump_pause(10); /* as no limit minds */
    }
    return true;
}

bool floods_send(const struct flood *flood, uint16_t port, struct floods_shared *shared)
{
    struct talker *talker = talker_open(&(struct talker_options){.name = "mallory", .port = port});
    struct flood_line line = {.flood = flood, .talker = talker, .shared = shared};
    if (!talker_register(talker) || (flood->in != NULL && !flood_fill_room(talker, flood->in))) {
        fprintf(stderr, "the one who floods does not get in\n");
        return false;
    }
    pump_remove(&talker->ws->watch);
    line.fd = talker->ws->watch.fd;
    shared->is_flowing = true;
    bool is_over = flood->way == FLOOD_OPENS   ? flood_open_and_close(&line)
                   : flood->way == FLOOD_POSTS ? flood_connect(&line) && flood_flow(&line)
                                               : flood_flow(&line);
    fprintf(stderr, "%s: the node has closed the connection\n", flood->name);
    return is_over;
}
