/* SPDX-License-Identifier: MIT */
/*
 * original: life of the client, its requests and its waits. Bodies are written field by field here
 * and not by proto/hgtp.c, so that the server's codec meets another hand. What comes in is handled
 * in original_datagram.c, original_push.c and original_talk.c.
 */
#include "original_parts.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/base64.h"
#include "proto/digest.h"

#define ORIGINAL_EXPIRES_S 3600

/* Life ----------------------------------------------------------------------------------------- */

/* Base64 of random bytes that begin with the bits 10, as the half of a UUID does. */
static void original_make_id(char *out, size_t random_bytes)
{
    uint8_t noise[16];
    assert(random_bytes <= sizeof noise);
    ssize_t got = getrandom(noise, random_bytes, 0);
    assert(got == (ssize_t)random_bytes);
    noise[0] = (uint8_t)((noise[0] & 0x3f) | 0x80);
    struct sink sink = sink_into(out, random_bytes / 3 * 4);
    base64_encode(bytes_of(noise, random_bytes), &sink);
    out[sink.len] = '\0';
}

static bool original_watch(struct original *original, struct pump_watch *watch, int fd,
                           void (*on_ready)(short revents, void *arg))
{
    *watch = (struct pump_watch){.fd = fd, .events = POLLIN, .on_ready = on_ready, .arg = original};
    if (fd >= 0) {
        pump_add(watch);
    }
    return fd >= 0;
}

static bool original_open_sockets(struct original *original)
{
    struct original_options *options = &original->options;
    int declared = sockets_udp(options->own_ip, options->udp_port);
    if (!original_watch(original, &original->udp_declared, declared,
                        original_datagram_on_declared)) {
        return false;
    }
    options->udp_port = sockets_port(declared);
    int sending = sockets_udp_connected(options->own_ip, options->server_ip, options->server_port);
    return original_watch(original, &original->udp_sending, sending,
                          original_datagram_on_sending) &&
           original_push_open(original);
}

struct original *original_open(const struct original_options *options)
{
    struct original *original = calloc(1, sizeof *original);
    assert(original != NULL && strlen(options->name) < ORIGINAL_NAME_MAX);
    original->options = *options;
    original->udp_declared.fd = original->udp_sending.fd = -1;
    original->http_listener.fd = original->talk.fd = -1;
    if (options->own_ip == 0) {
        original->options.own_ip = sockets_own_ip(options->server_ip);
    }
    if (options->key == NULL) {
        original->options.key = ORIGINAL_KEY;
    }
    if (options->expires_s == 0) {
        original->options.expires_s = ORIGINAL_EXPIRES_S;
    }
    original_make_id(original->user_id, 6);
    original->last_timestamp_ms = (uint32_t)pump_now_unix_ms() - 1;
    if (!original_open_sockets(original)) {
        original_close(original);
        return NULL;
    }
    original->declared_ip = original->options.own_ip;
    original->declared_port = original->options.http_port;
    return original;
}

static void original_unwatch(struct pump_watch *watch)
{
    pump_remove(watch);
    if (watch->fd >= 0) {
        close(watch->fd);
        watch->fd = -1;
    }
}

void original_close(struct original *original)
{
    if (original == NULL) {
        return;
    }
    original_unwatch(&original->udp_declared);
    original_unwatch(&original->udp_sending);
    original_push_close(original);
    original_talk_close(original);
    original_log_fini(&original->log);
    queue_fini(&original->talk_in);
    queue_fini(&original->talk_out);
    free(original);
}

bool original_is_healthy(const struct original *original)
{
    return original->workers_lost == 0 && !original->is_stuck && !original->is_dirty;
}

void original_tell(struct original *original, const struct original_event *event)
{
    if (original->options.on_event != NULL) {
        original->options.on_event(event, original->options.arg);
    }
}

void original_redirect_datagrams(struct original *original, uint16_t server_port)
{
    const struct sockaddr_in to = sockets_address(original->options.server_ip, server_port);
    original->options.server_port = server_port;
    int error = connect(original->udp_sending.fd, (const struct sockaddr *)&to, sizeof to);
    assert(error == 0);
}

void original_redirect_talk(struct original *original, uint16_t http_port)
{
    original_talk_close(original);
    original->talk_port = http_port;
}

/* Requests: send ------------------------------------------------------------------------------- */

void original_send_raw(struct original *original, struct bytes datagram)
{
    /* Lost is lost, as with the original. */
    (void)!send(original->udp_sending.fd, datagram.ptr, datagram.len, 0);
}

void original_send_again(struct original *original)
{
    original_send_raw(original, bytes_of(original->sent, original->sent_bytes));
}

/* Each message has a later timestamp than the one before, as if no two were clicked in one ms. */
static uint32_t original_timestamp(struct original *original)
{
    uint32_t now_ms = (uint32_t)pump_now_unix_ms();
    if (now_ms - original->last_timestamp_ms > INT32_MAX || now_ms == original->last_timestamp_ms) {
        now_ms = original->last_timestamp_ms + 1;
    }
    original->last_timestamp_ms = now_ms;
    return now_ms;
}

void original_send(struct original *original, enum hgtp_type type, uint8_t request_type,
                   int32_t seq, struct bytes body)
{
    struct sink out = sink_into(original->sent, sizeof original->sent);
    sink_text(&out, "HS");
    sink_u8(&out, (uint8_t)type);
    sink_u8(&out, request_type);
    sink_put(&out, bytes_of(original->user_id, HGTP_USER_ID_BYTES));
    sink_be32(&out, (uint32_t)seq);
    sink_be32(&out, original_timestamp(original));
    sink_be32(&out, (uint32_t)body.len);
    sink_put(&out, body);
    if (original->options.auth == ORIGINAL_HMAC && original->token_bytes > 0) {
        digest_sign(bytes_of(original->token, original->token_bytes), &out);
    }
    assert(sink_fits(&out));
    original->sent_bytes = out.len;
    original_send_again(original);
}

static void original_request(struct original *original, enum hgtp_type type,
                             const struct sink *body)
{
    assert(sink_fits(body));
    original_send(original, type, (uint8_t)type, 1, sink_bytes(body));
}

static void original_put_str(struct sink *out, struct bytes text)
{
    sink_be32(out, (uint32_t)text.len);
    sink_put(out, text);
}

static void original_put_name(struct sink *out, const char *name)
{
    sink_be32(out, (uint32_t)base64_encoded_bytes(strlen(name)));
    base64_encode(bytes_str(name), out);
}

static void original_put_register(struct original *original, uint16_t port, struct sink *out)
{
    sink_be64(out, (uint64_t)original->options.expires_s);
    sink_be64(out, original->declared_ip);
    sink_be16(out, port);
}

void original_send_register(struct original *original)
{
    uint8_t storage[HGTP_BODY_MAX];
    struct sink body = sink_into(storage, sizeof storage);
    original_put_register(original, original->options.udp_port, &body);
    original_put_name(&body, original->options.name);
    original_request(original, HGTP_REGISTER, &body);
}

void original_send_proof(struct original *original, int32_t seq, const char *realm, const char *key)
{
    uint8_t storage[256], digest[DIGEST_LEGACY_MAX];
    struct sink nonce = sink_into(digest, sizeof digest);
    if (original->options.auth == ORIGINAL_HMAC) {
        digest_hmac_sha256(bytes_str(key), bytes_str(realm), digest);
        nonce.len = DIGEST_SHA256_BYTES;
    } else {
        digest_legacy(bytes_str(realm), bytes_str(key), &nonce);
    }
    struct sink body = sink_into(storage, sizeof storage);
    original_put_register(original, original->declared_port, &body);
    original_put_str(&body, sink_bytes(&nonce));
    original_send(original, HGTP_REGISTER, HGTP_REGISTER, seq, sink_bytes(&body));
}

void original_send_room(struct original *original, enum hgtp_type type, const char *room_id,
                        const char *room)
{
    uint8_t storage[HGTP_BODY_MAX];
    struct sink body = sink_into(storage, sizeof storage);
    sink_text(&body, room_id);
    original_put_name(&body, room);
    original_request(original, type, &body);
}

void original_send_create(struct original *original, const char *room)
{
    assert(strlen(room) < sizeof original->room_name);
    strcpy(original->room_name, room);
    original_make_id(original->room_id, 9);
    original->in_room = true;
    original_send_room(original, HGTP_CREATE_ROOM, original->room_id, room);
}

void original_send_delete(struct original *original)
{
    original_send_room(original, HGTP_DELETE_ROOM, original->room_id, "");
}

void original_send_name(struct original *original, enum hgtp_type type, const char *room)
{
    uint8_t storage[HGTP_BODY_MAX];
    struct sink body = sink_into(storage, sizeof storage);
    original_put_name(&body, room);
    original_request(original, type, &body);
}

void original_send_peer(struct original *original, enum hgtp_type type, const char *room,
                        const char *peer)
{
    uint8_t storage[HGTP_BODY_MAX];
    struct sink body = sink_into(storage, sizeof storage);
    original_put_name(&body, room);
    original_put_name(&body, peer);
    original_request(original, type, &body);
}

void original_send_plain(struct original *original, enum hgtp_type type)
{
    original_send(original, type, (uint8_t)type, 1, bytes_of(NULL, 0));
}

/* Requests: send and wait ---------------------------------------------------------------------- */

static bool original_register_over(void *arg)
{
    struct original *original = arg;
    if (original->registered) {
        return true;
    }
    const struct original_log *log = &original->log;
    for (size_t i = 0; i < log->count; i++) {
        const uint8_t request_type = HGTP_REGISTER;
        if (!log->events[i]->taken && original_is_response(log->events[i], &request_type) &&
            log->events[i]->msg.header.type != HGTP_UNAUTHORIZED) {
            return true;
        }
    }
    return false;
}

bool original_register(struct original *original)
{
    original->registered = false;
    original_send_register(original);
    (void)pump_until(original_register_over, original, ORIGINAL_WAIT_MS);
    for (size_t i = 0; i < original->log.count; i++) {
        const uint8_t request_type = HGTP_REGISTER;
        struct original_event *event = original->log.events[i];
        event->taken = event->taken || original_is_response(event, &request_type);
    }
    return original->registered;
}

const struct original_event *original_create(struct original *original, const char *room)
{
    original_send_create(original, room);
    return original_wait_response(original, HGTP_CREATE_ROOM);
}

const struct original_event *original_delete(struct original *original)
{
    original_send_delete(original);
    return original_wait_response(original, HGTP_DELETE_ROOM);
}

const struct original_event *original_join(struct original *original, const char *room)
{
    assert(strlen(room) < sizeof original->room_name);
    strcpy(original->room_name, room);
    original->in_room = true;
    original_send_name(original, HGTP_JOIN_ROOM, room);
    return original_wait_response(original, HGTP_JOIN_ROOM);
}

const struct original_event *original_exit(struct original *original, const char *room)
{
    original_send_name(original, HGTP_EXIT_ROOM, room);
    return original_wait_response(original, HGTP_EXIT_ROOM);
}

const struct original_event *original_invite(struct original *original, const char *peer)
{
    original_send_peer(original, HGTP_INVITE_USER_FROM_ROOM, original->room_name, peer);
    return original_wait_response(original, HGTP_INVITE_USER_FROM_ROOM);
}

const struct original_event *original_remove(struct original *original, const char *peer)
{
    original_send_peer(original, HGTP_REMOVE_USER_FROM_ROOM, original->room_name, peer);
    return original_wait_response(original, HGTP_REMOVE_USER_FROM_ROOM);
}

const struct original_event *original_refresh(struct original *original)
{
    original_send_plain(original, HGTP_REFRESH);
    return original_wait_response(original, HGTP_REFRESH);
}

const struct original_event *original_unregister(struct original *original)
{
    /* The original goes back to "not registered" whatever the answer will be. */
    original->registered = false;
    original_send_plain(original, HGTP_UNREGISTER);
    return original_wait_response(original, HGTP_UNREGISTER);
}
