/* SPDX-License-Identifier: MIT */
/*
 * ws_client: life of the client, its socket, what it sends and its waits. The handshake is in
 * ws_client_handshake.c, frames that come in are in ws_client_frames.c.
 */
#include "ws_client_parts.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define WS_CLIENT_PACE_MS 1

void ws_client_break(struct ws_client *client, const char *rule)
{
    if (client->broken == NULL) {
        client->broken = rule;
    }
}

/* Socket --------------------------------------------------------------------------------------- */

void ws_client_drop(struct ws_client *client)
{
    pump_remove(&client->watch);
    if (client->watch.fd >= 0) {
        close(client->watch.fd);
        client->watch.fd = -1;
    }
    client->ended = true;
}

static void ws_client_set_events(struct ws_client *client)
{
    client->watch.events =
        (short)((client->stalled ? 0 : POLLIN) | (client->out.len > 0 ? POLLOUT : 0));
}

static void ws_client_flush(struct ws_client *client)
{
    while (client->out.len > 0 && client->watch.fd >= 0) {
        ssize_t len =
            send(client->watch.fd, client->out.ptr, client->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (len > 0) {
            queue_take(&client->out, (size_t)len);
        } else if (errno == EAGAIN) {
            break;
        } else {
            /* The server may have said why before it closed: that is still to be read. */
            queue_take(&client->out, client->out.len);
        }
    }
    ws_client_set_events(client);
}

/* False when nothing more will come. */
static bool ws_client_receive(struct ws_client *client)
{
    uint8_t storage[65536];
    ssize_t len = recv(client->watch.fd, storage, sizeof storage, MSG_DONTWAIT);
    if (len <= 0) {
        return len < 0 && errno == EAGAIN;
    }
    queue_put(&client->in, bytes_of(storage, (size_t)len));
    if (client->status == 0) {
        ws_client_read_answer(client);
    }
    if (client->status == 101) {
        ws_client_read_frames(client);
    }
    return true;
}

static void ws_client_on_ready(short revents, void *arg)
{
    struct ws_client *client = arg;
    if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !ws_client_receive(client)) {
        ws_client_drop(client);
        return;
    }
    if ((revents & POLLOUT) != 0) {
        ws_client_flush(client);
    }
}

void ws_client_stall(struct ws_client *client, bool is_stalled)
{
    client->stalled = is_stalled;
    ws_client_set_events(client);
}

/* Life ----------------------------------------------------------------------------------------- */

static bool ws_client_is_answered(void *arg)
{
    const struct ws_client *client = arg;
    return client->status != 0 || client->ended;
}

int ws_client_wait_answer(struct ws_client *client)
{
    (void)pump_until(ws_client_is_answered, client, WS_CLIENT_WAIT_MS);
    return client->status;
}

struct ws_client *ws_client_open(const struct ws_client_options *options)
{
    struct ws_client *client = ws_client_start(options);
    (void)ws_client_wait_answer(client);
    return client;
}

struct ws_client *ws_client_start(const struct ws_client_options *options)
{
    struct ws_client *client = calloc(1, sizeof *client);
    assert(client != NULL);
    client->options = *options;
    int fd = sockets_connect(0, SOCKETS_LOOPBACK, options->port, WS_CLIENT_WAIT_MS);
    client->watch = (struct pump_watch){
        .fd = fd, .events = POLLIN, .on_ready = ws_client_on_ready, .arg = client};
    if (fd < 0) {
        client->ended = true;
        return client;
    }
    int size = options->receive_bytes;
    if (size > 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    pump_add(&client->watch);
    ws_client_send_handshake(client);
    return client;
}

void ws_client_free(struct ws_client *client)
{
    if (client == NULL) {
        return;
    }
    ws_client_drop(client);
    for (size_t i = 0; i < client->count; i++) {
        struct ws_client_message *message = client->messages[i];
        json_decref(message->json);
        free((void *)(uintptr_t)message->payload.ptr);
        free(message);
    }
    free(client->messages);
    queue_fini(&client->in);
    queue_fini(&client->out);
    queue_fini(&client->fragments);
    free(client->head);
    free(client->body);
    free(client);
}

static void ws_client_print_message(const struct ws_client_message *message, FILE *out)
{
    if (message->json != NULL) {
        json_dumpf(message->json, out, JSON_COMPACT);
        return;
    }
    fprintf(out, "opcode %d, %zu bytes:", (int)message->kind, message->payload.len);
    for (size_t i = 0; i < message->payload.len && i < 32; i++) {
        fprintf(out, " %02x", message->payload.ptr[i]);
    }
}

void ws_client_print(const struct ws_client *client, FILE *out)
{
    fprintf(out, "  handshake: %d, close code: %d, %s%s%s\n", client->status, client->close_code,
            client->ended ? "ended" : "open", client->broken != NULL ? ", BROKEN: " : "",
            client->broken != NULL ? client->broken : "");
    for (size_t i = 0; i < client->count; i++) {
        const struct ws_client_message *message = client->messages[i];
        fprintf(out, "  %4zu %8lld ms ", i,
                (long long)(message->at_ms - client->messages[0]->at_ms));
        ws_client_print_message(message, out);
        fprintf(out, "\n");
    }
}

/* Sending -------------------------------------------------------------------------------------- */

static void ws_client_put_length(struct queue *out, bool is_masked, size_t len)
{
    uint8_t storage[9];
    struct sink sink = sink_into(storage, sizeof storage);
    uint8_t flag = is_masked ? 0x80 : 0;
    if (len < 126) {
        sink_u8(&sink, (uint8_t)(flag | len));
    } else if (len <= UINT16_MAX) {
        sink_u8(&sink, flag | 126);
        sink_be16(&sink, (uint16_t)len);
    } else {
        sink_u8(&sink, flag | 127);
        sink_be64(&sink, len);
    }
    queue_put(out, sink_bytes(&sink));
}

void ws_client_put_frame(struct queue *out, uint8_t first, bool is_masked, struct bytes payload)
{
    queue_put(out, bytes_of(&first, 1));
    ws_client_put_length(out, is_masked, payload.len);
    if (!is_masked) {
        queue_put(out, payload);
        return;
    }
    uint8_t mask[4];
    ssize_t got = getrandom(mask, sizeof mask, 0);
    assert(got == sizeof mask);
    queue_put(out, bytes_of(mask, sizeof mask));
    queue_put(out, payload);
    for (size_t i = 0; i < payload.len; i++) {
        out->ptr[out->len - payload.len + i] ^= mask[i % 4];
    }
}

void ws_client_send_raw(struct ws_client *client, struct bytes in)
{
    queue_put(&client->out, in);
    ws_client_flush(client);
}

void ws_client_send_slowly(struct ws_client *client, struct bytes in)
{
    for (size_t i = 0; i < in.len; i++) {
        ws_client_send_raw(client, bytes_of(in.ptr + i, 1));
        pump_pause(WS_CLIENT_PACE_MS);
    }
}

void ws_client_send_frame(struct ws_client *client, uint8_t first, struct bytes payload)
{
    ws_client_put_frame(&client->out, first, true, payload);
    ws_client_flush(client);
}

void ws_client_send_text(struct ws_client *client, const char *text)
{
    ws_client_send_frame(client, WS_CLIENT_FIN | WS_CLIENT_TEXT, bytes_str(text));
}

void ws_client_send_json(struct ws_client *client, json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    assert(text != NULL);
    ws_client_send_text(client, text);
    free(text);
    json_decref(object);
}

void ws_client_send_close(struct ws_client *client, int code, const char *reason)
{
    uint8_t storage[125];
    struct sink payload = sink_into(storage, sizeof storage);
    if (code != 0) {
        sink_be16(&payload, (uint16_t)code);
        sink_text(&payload, reason);
    }
    assert(sink_fits(&payload));
    client->close_sent = true;
    ws_client_send_frame(client, WS_CLIENT_FIN | WS_CLIENT_CLOSE, sink_bytes(&payload));
}

/* Waits ---------------------------------------------------------------------------------------- */

struct ws_client_wait {
    struct ws_client *client;
    ws_client_fits_fn *fits;
    const void *arg;
    size_t next;
    struct ws_client_message *found;
};

static bool ws_client_wait_done(void *arg)
{
    struct ws_client_wait *wait = arg;
    struct ws_client *client = wait->client;
    for (; wait->next < client->count; wait->next++) {
        struct ws_client_message *message = client->messages[wait->next];
        if (!message->taken && wait->fits(message, wait->arg)) {
            wait->found = message;
            return true;
        }
    }
    return client->ended;
}

const struct ws_client_message *ws_client_wait(struct ws_client *client, ws_client_fits_fn *fits,
                                               const void *arg, int64_t timeout_ms)
{
    while (client->taken_below < client->count && client->messages[client->taken_below]->taken) {
        client->taken_below++;
    }
    struct ws_client_wait wait = {client, fits, arg, client->taken_below, NULL};
    (void)pump_until(ws_client_wait_done, &wait, timeout_ms);
    if (wait.found != NULL) {
        wait.found->taken = true;
    }
    return wait.found;
}

static bool ws_client_is_kind(const struct ws_client_message *message, const void *kind)
{
    return message->kind == *(const enum ws_client_opcode *)kind;
}

const struct ws_client_message *ws_client_wait_kind(struct ws_client *client,
                                                    enum ws_client_opcode kind)
{
    return ws_client_wait(client, ws_client_is_kind, &kind, WS_CLIENT_WAIT_MS);
}

bool ws_client_is_type(const struct ws_client_message *message, const void *type)
{
    const char *found = json_string_value(json_object_get(message->json, "type"));
    return found != NULL && strcmp(found, type) == 0;
}

const json_t *ws_client_wait_type(struct ws_client *client, const char *type)
{
    const struct ws_client_message *message =
        ws_client_wait(client, ws_client_is_type, type, WS_CLIENT_WAIT_MS);
    return message != NULL ? message->json : NULL;
}

static bool ws_client_has_ended(void *arg)
{
    const struct ws_client *client = arg;
    return client->ended;
}

int ws_client_wait_close(struct ws_client *client, int64_t timeout_ms)
{
    if (!pump_until(ws_client_has_ended, client, timeout_ms)) {
        return 0;
    }
    return client->close_code != 0 ? client->close_code : WS_CLIENT_NO_CLOSE;
}
