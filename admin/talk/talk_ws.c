/* SPDX-License-Identifier: MIT */
/*
 * talk_ws: the connection's life and its bytes. What the messages say, and when to connect again,
 * is decided by the owner (talk_client.c).
 */
#include "admin/talk/talk_ws.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin/tick.h"

#define TALK_WS_MESSAGE_MAX (32u << 20) /* a list of all users may be long */
#define TALK_WS_HEAD_CAP    32768

void talk_ws_init(struct talk_ws *ws, const struct talk_ws_events *events)
{
    *ws = (struct talk_ws){.events = *events, .fd = -1, .due_ms = TICK_NEVER};
}

/* Back to closed; buffers go. */
static void talk_ws_drop(struct talk_ws *ws)
{
    struct talk_ws_events events = ws->events;
    if (ws->fd >= 0) {
        close(ws->fd);
    }
    free(ws->out);
    free(ws->head);
    free(ws->reader.buffer);
    talk_ws_init(ws, &events);
}

void talk_ws_fini(struct talk_ws *ws)
{
    talk_ws_drop(ws);
}

static void talk_ws_end(struct talk_ws *ws, int http_status, int close_code, const char *why)
{
    const struct talk_ws_end end = {http_status, close_code, why};
    talk_ws_drop(ws);
    ws->events.on_end(ws->events.ctx, &end);
}

/* Writing -------------------------------------------------------------------------------------- */

static uint8_t *talk_ws_space(struct talk_ws *ws, size_t more)
{
    if (ws->out_cap - ws->out_len < more) {
        size_t cap = 2 * ws->out_cap + more;
        ws->out = realloc(ws->out, cap);
        if (ws->out == NULL) {
            abort();
        }
        ws->out_cap = cap;
    }
    return ws->out + ws->out_len;
}

/* An error is noticed by the next read. */
static void talk_ws_flush(struct talk_ws *ws)
{
    while (ws->out_len > 0) {
        ssize_t sent = send(ws->fd, ws->out, ws->out_len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        ws->out_len -= (size_t)sent;
        memmove(ws->out, ws->out + sent, ws->out_len);
    }
}

void talk_ws_send(struct talk_ws *ws, enum ws_opcode opcode, struct bytes payload)
{
    assert(ws->state == TALK_WS_OPEN);
    uint8_t mask[4];
    talk_net_random(mask, sizeof mask);
    struct sink out = sink_into(talk_ws_space(ws, payload.len + TALK_FRAME_HEAD_MAX),
                                payload.len + TALK_FRAME_HEAD_MAX);
    talk_frame_put(opcode, mask, payload, &out);
    ws->out_len += out.len;
    talk_ws_flush(ws);
}

void talk_ws_close(struct talk_ws *ws)
{
    if (ws->state == TALK_WS_OPEN) {
        const uint8_t code[2] = {WS_CLOSE_NORMAL >> 8, WS_CLOSE_NORMAL & 0xff};
        talk_ws_send(ws, WS_CLOSE, bytes_of(code, sizeof code));
    }
    talk_ws_drop(ws);
}

/* Opening -------------------------------------------------------------------------------------- */

static bool talk_ws_dial(struct talk_ws *ws, const struct talk_address *server, unsigned attempt)
{
    struct talk_endpoint endpoint;
    if (!talk_net_resolve(server, SOCK_STREAM, attempt, &endpoint)) {
        return false;
    }
    ws->fd = socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int yes = 1;
    (void)setsockopt(ws->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return ws->fd >= 0 &&
           (connect(ws->fd, (const struct sockaddr *)&endpoint.address, endpoint.len) == 0 ||
            errno == EINPROGRESS);
}

void talk_ws_connect(struct talk_ws *ws, const struct talk_address *server, unsigned attempt,
                     struct talk_upgrade *upgrade, int64_t now_ms)
{
    uint8_t noise[16];
    char host[TALK_NET_HOST_MAX + 16];
    assert(ws->state == TALK_WS_CLOSED);
    talk_net_print(server, host, sizeof host);
    talk_net_random(noise, sizeof noise);
    talk_frame_key(noise, ws->key);
    memcpy(upgrade->key, ws->key, sizeof upgrade->key);
    upgrade->host = host;
    struct sink measure = sink_into(NULL, 0);
    talk_frame_request(upgrade, &measure);
    struct sink out = sink_into(talk_ws_space(ws, measure.len), measure.len);
    talk_frame_request(upgrade, &out);
    ws->out_len = out.len;
    ws_reader_init(&ws->reader, TALK_WS_MESSAGE_MAX);
    ws->reader.from_server = true;
    ws->state = TALK_WS_CONNECTING;
    ws->due_ms = now_ms + TALK_WS_OPEN_MS;
    if (!talk_ws_dial(ws, server, attempt)) {
        ws->due_ms = now_ms; /* told by the next turn */
    }
}

static void talk_ws_on_connected(struct talk_ws *ws)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(ws->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) {
        talk_ws_end(ws, 0, 0, "it takes no connections");
        return;
    }
    ws->state = TALK_WS_UPGRADING;
    talk_ws_flush(ws);
}

/* Reading -------------------------------------------------------------------------------------- */

static bool talk_ws_grow(struct ws_reader *reader)
{
    size_t wanted = ws_reader_wants(reader);
    if (wanted == 0) {
        return false;
    }
    uint8_t *buffer = realloc(reader->buffer, wanted);
    if (buffer == NULL) {
        abort();
    }
    reader->buffer = buffer;
    reader->buffer_cap = wanted;
    return true;
}

/* False: the connection is over. */
static bool talk_ws_on_control(struct talk_ws *ws)
{
    const struct ws_reader *reader = &ws->reader;
    if (reader->opcode == WS_PING) {
        talk_ws_send(ws, WS_PONG, bytes_of(reader->control, reader->control_bytes));
    } else if (reader->opcode == WS_CLOSE) {
        int code = reader->close_code;
        size_t len = reader->control_bytes < 2 ? 0 : 2;
        talk_ws_send(ws, WS_CLOSE, bytes_of(reader->control, len));
        talk_ws_end(ws, 0, code, "the server has closed the connection");
        return false;
    }
    return true;
}

/* A handler may close the connection, or end it and open another. */
static void talk_ws_take(struct talk_ws *ws, struct bytes in)
{
    const int fd = ws->fd;
    enum ws_result found = WS_MESSAGE;
    while (found != WS_NEED_MORE || in.len > 0) {
        size_t used;
        found = ws_reader_take(&ws->reader, in, &used);
        in = bytes_from(in, used);
        if (found == WS_FAIL) {
            talk_ws_end(ws, 0, 0, "the server does not speak WebSocket as it should");
            return;
        }
        if (found == WS_CONTROL && !talk_ws_on_control(ws)) {
            return;
        }
        if (found == WS_MESSAGE) {
            ws->events.on_message(ws->events.ctx, ws->reader.opcode == WS_TEXT,
                                  bytes_of(ws->reader.buffer, ws->reader.message_bytes));
            if (ws->state != TALK_WS_OPEN || ws->fd != fd) {
                return;
            }
        }
        if (found == WS_NEED_MORE && !talk_ws_grow(&ws->reader) && in.len == 0) {
            return;
        }
    }
}

static void talk_ws_upgrade(struct talk_ws *ws, struct bytes in)
{
    int status = 0;
    size_t used = 0;
    if (ws->head == NULL) {
        ws->head = malloc(TALK_WS_HEAD_CAP);
    }
    if (ws->head == NULL || in.len > TALK_WS_HEAD_CAP - ws->head_len) {
        talk_ws_end(ws, 0, 0, "its answer is too long");
        return;
    }
    memcpy(ws->head + ws->head_len, in.ptr, in.len);
    ws->head_len += in.len;
    switch (talk_frame_answer(bytes_of(ws->head, ws->head_len), ws->key, &status, &used)) {
    case TALK_UPGRADE_MORE:
        break;
    case TALK_UPGRADED: {
        uint8_t *head = ws->head;
        struct bytes rest = bytes_of(head + used, ws->head_len - used);
        ws->head = NULL;
        ws->state = TALK_WS_OPEN;
        ws->events.on_open(ws->events.ctx);
        if (ws->state == TALK_WS_OPEN && rest.len > 0) {
            talk_ws_take(ws, rest);
        }
        free(head);
        break;
    }
    case TALK_UPGRADE_REFUSED: {
        char why[48];
        snprintf(why, sizeof why, "it refuses with HTTP status %d", status);
        talk_ws_end(ws, status, 0, why);
        break;
    }
    default:
        talk_ws_end(ws, 0, 0, "this is no hgtpd");
        break;
    }
}

static void talk_ws_read(struct talk_ws *ws, int64_t now_ms)
{
    uint8_t storage[16384];
    ssize_t len = recv(ws->fd, storage, sizeof storage, 0);
    if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (len <= 0) {
        talk_ws_end(ws, 0, 0, "the connection broke");
    } else if (ws->state == TALK_WS_UPGRADING) {
        ws->due_ms = now_ms + TALK_WS_SILENT_MS;
        talk_ws_upgrade(ws, bytes_of(storage, (size_t)len));
    } else {
        ws->due_ms = now_ms + TALK_WS_SILENT_MS;
        ws->is_pinged = false;
        talk_ws_take(ws, bytes_of(storage, (size_t)len));
    }
}

/* Life ----------------------------------------------------------------------------------------- */

struct pollfd talk_ws_watch(const struct talk_ws *ws)
{
    bool writes = ws->state == TALK_WS_CONNECTING || ws->out_len > 0;
    bool reads = ws->state != TALK_WS_CONNECTING;
    short events = (short)((writes ? POLLOUT : 0) | (reads ? POLLIN : 0));
    return (struct pollfd){.fd = ws->fd, .events = events};
}

void talk_ws_ready(struct talk_ws *ws, short revents, int64_t now_ms)
{
    if (ws->state == TALK_WS_CLOSED || revents == 0) {
        return;
    }
    if (ws->state == TALK_WS_CONNECTING) {
        talk_ws_on_connected(ws);
        return;
    }
    if (revents & POLLOUT) {
        talk_ws_flush(ws);
    }
    if (revents & (POLLIN | POLLHUP | POLLERR)) {
        talk_ws_read(ws, now_ms);
    }
}

void talk_ws_turn(struct talk_ws *ws, int64_t now_ms)
{
    if (ws->state == TALK_WS_CLOSED || now_ms < ws->due_ms) {
        return;
    }
    if (ws->state != TALK_WS_OPEN) {
        talk_ws_end(ws, 0, 0, "it does not answer");
    } else if (ws->is_pinged) {
        talk_ws_end(ws, 0, 0, "it has fallen silent");
    } else {
        ws->is_pinged = true;
        ws->due_ms = now_ms + TALK_WS_SILENT_MS;
        talk_ws_send(ws, WS_PING, bytes_of(NULL, 0));
    }
}

int64_t talk_ws_due_ms(const struct talk_ws *ws)
{
    return ws->due_ms;
}
