/* SPDX-License-Identifier: MIT */
/*
 * original_talk: the client's one TCP connection to the server, for `POST message`. As in the
 * original it is kept for the life of the process and made anew to the same port when found closed.
 */
#include "original_parts.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/base64.h"

#define ORIGINAL_CONNECT_MS 1000

void original_talk_close(struct original *original)
{
    pump_remove(&original->talk);
    if (original->talk.fd >= 0) {
        close(original->talk.fd);
        original->talk.fd = -1;
    }
    queue_take(&original->talk_out, original->talk_out.len);
    queue_take(&original->talk_in, original->talk_in.len);
}

/* Answers -------------------------------------------------------------------------------------- */

static size_t original_talk_content_bytes(const char *head)
{
    const char *line = strcasestr(head, "\r\ncontent-length:");
    return line != NULL ? strtoul(line + strlen("\r\ncontent-length:"), NULL, 10) : 0;
}

/* Takes one complete answer from the front; false when there is none. */
static bool original_talk_take(struct original *original)
{
    struct queue *in = &original->talk_in;
    const uint8_t *end = in->len > 0 ? memmem(in->ptr, in->len, "\r\n\r\n", 4) : NULL;
    if (end == NULL) {
        return false;
    }
    size_t head_bytes = (size_t)(end - in->ptr) + 4;
    char *head = strndup((const char *)in->ptr, head_bytes);
    assert(head != NULL);
    size_t content_bytes = original_talk_content_bytes(head);
    int status = 0;
    bool is_http = sscanf(head, "HTTP/1.1 %d", &status) == 1;
    free(head);
    if (in->len - head_bytes < content_bytes) {
        return false;
    }
    struct original_event *event = original_log_add(&original->log, ORIGINAL_ANSWER,
                                                    bytes_of(in->ptr + head_bytes, content_bytes));
    event->status = is_http ? status : -1;
    queue_take(in, head_bytes + content_bytes);
    original_tell(original, event);
    return true;
}

static bool original_talk_read(struct original *original)
{
    uint8_t storage[16384];
    ssize_t len = recv(original->talk.fd, storage, sizeof storage, 0);
    if (len <= 0) {
        return false;
    }
    queue_put(&original->talk_in, bytes_of(storage, (size_t)len));
    while (original_talk_take(original)) {
    }
    return true;
}

static bool original_talk_write(struct original *original)
{
    struct queue *out = &original->talk_out;
    if (out->len > 0) {
        ssize_t len = send(original->talk.fd, out->ptr, out->len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (len > 0) {
            queue_take(out, (size_t)len);
        } else {
            return false;
        }
    }
    original->talk.events = out->len > 0 ? POLLIN | POLLOUT : POLLIN;
    return true;
}

static void original_talk_on_ready(short revents, void *arg)
{
    struct original *original = arg;
    bool lives = true;
    if ((revents & POLLOUT) != 0) {
        lives = original_talk_write(original);
    }
    if (lives && (revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        lives = original_talk_read(original);
    }
    if (!lives) {
        original_talk_close(original);
    }
}

/* Messages ------------------------------------------------------------------------------------- */

static void original_talk_connect(struct original *original)
{
    int fd = sockets_connect(original->options.own_ip, original->options.server_ip,
                             original->talk_port, ORIGINAL_CONNECT_MS);
    original->talk = (struct pump_watch){
        .fd = fd, .events = POLLIN, .on_ready = original_talk_on_ready, .arg = original};
    if (fd >= 0) {
        pump_add(&original->talk);
    }
}

void original_talk_open(struct original *original, uint16_t port)
{
    if (original->talk_port == 0) {
        original->talk_port = port;
    }
    if (original->talk.fd < 0) {
        original_talk_connect(original);
    }
}

/* Base64 as gson writes it: `=` escaped. */
static void original_talk_put_base64(const char *text, struct sink *out)
{
    size_t start = out->len;
    base64_encode(bytes_str(text), out);
    size_t pads = 0;
    while (out->len > start && out->ptr[out->len - 1] == '=') {
        out->len--;
        pads++;
    }
    while (pads-- > 0) {
        sink_text(out, "\\u003d");
    }
}

char *original_message_json(const char *name, const char *text, int64_t time_unix_ms)
{
    size_t cap = 2 * (strlen(name) + strlen(text)) + 256;
    char *json = calloc(1, cap);
    assert(json != NULL);
    struct sink out = sink_into(json, cap - 1);
    char number[64];
    sink_text(&out, "{\n  \"hostName\": \"");
    original_talk_put_base64(name, &out);
    sink_text(&out, "\",\n  \"message\": \"");
    original_talk_put_base64(text, &out);
    snprintf(number, sizeof number, "\",\n  \"messageTime\": %lld\n}", (long long)time_unix_ms);
    sink_text(&out, number);
    assert(sink_fits(&out));
    return json;
}

bool original_say_raw(struct original *original, struct bytes request)
{
    if (original->talk.fd < 0 && original->talk_port != 0) {
        original_talk_connect(original);
    }
    if (original->talk.fd < 0) {
        return false;
    }
    queue_put(&original->talk_out, request);
    original->talk.events = POLLIN | POLLOUT;
    return true;
}

bool original_say_at(struct original *original, const char *text, int64_t time_unix_ms)
{
    char *json = original_message_json(original->options.name, text, time_unix_ms);
    char head[1024], bearer[ORIGINAL_TOKEN_MAX + 64] = "", host[INET_ADDRSTRLEN];
    const struct sockaddr_in own = sockets_address(original->options.own_ip, 0);
    inet_ntop(AF_INET, &own.sin_addr, host, sizeof host);
    if (original->options.auth == ORIGINAL_HMAC) {
        snprintf(bearer, sizeof bearer, "authorization: Bearer %.*s\r\n",
                 (int)original->token_bytes, original->token);
    }
    snprintf(
        head, sizeof head,
        "POST message HTTP/1.1\r\nhost: %s\r\nuser-agent: %s\r\ncontent-type: application/json\r\n"
        "message-type: message\r\ncontent-length: %zu\r\n%s\r\n",
        host, original->user_id, strlen(json), bearer);
    bool is_sent = original_say_raw(original, bytes_str(head));
    if (is_sent) {
        queue_put(&original->talk_out, bytes_str(json));
    }
    free(json);
    return is_sent;
}

bool original_say(struct original *original, const char *text)
{
    return original_say_at(original, text, pump_now_unix_ms());
}
