/* SPDX-License-Identifier: MIT */
/*
 * bus_peers: connections to other nodes, and what is numbered, sent and remembered for each. A peer
 * has a PUB socket of its own, so that it gets what concerns it and nothing else. PUB never blocks:
 * without a connection, or when its queue is full, batches are lost, and the receiver sees it by
 * the next number. Only the first connection is waited for: two nodes that have just heard of each
 * other have something to say at once. Receiving is bus.c's affair.
 */
#include "node/bus/bus_peers.h"

#include <assert.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/supplemental/tls/tls.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "node/base/log.h"
#include "node/base/metrics.h"
#include "node/bus/bus_reap.h"
#include "proto/bus_batch.h"
#include "proto/dial_url.h"

enum {
    PEER_QUEUE = 8192,      /* batches; the most that nng allows */
    PEER_RETRY_MIN_MS = 50, /* between attempts to connect */
    PEER_RETRY_MAX_MS = 500,
    PEER_BODY_START = 4096,
    PEER_BODY_KEPT = 512 * 1024 /* a body that has grown larger is freed when it is sent */
};

/* ---- One peer ---- */

/* Whether a socket is connected, counted by nng's threads. */
struct bus_wire {
    atomic_int pipe_count;
};

static void bus_wire_on_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct bus_wire *wire = arg;
    (void)pipe;
    atomic_fetch_add(&wire->pipe_count, event == NNG_PIPE_EV_ADD_POST ? 1 : -1);
}

static void bus_peer_forget_body(struct bus_peer *peer)
{
    free(peer->body);
    peer->body = NULL;
    peer->body_len = peer->body_cap = peer->field_count = 0;
}

static void bus_peer_disconnect(struct bus_peer *peer)
{
    if (peer->address[0] != '\0') {
        bus_reap_socket(peer->socket, peer->wire);
        peer->wire = NULL;
        peer->address[0] = '\0';
    }
    peer->has_connected = false;
}

void bus_peer_hang_up(struct bus_peer *peer)
{
    bus_peer_disconnect(peer);
    bus_peer_forget_body(peer);
}

void bus_peer_leave_open(struct bus_peer *peer)
{
    peer->address[0] = '\0';
    bus_peer_forget_body(peer);
}

static bool bus_peer_is_tls(const char *address)
{
    return strncmp(address, BUS_TLS, strlen(BUS_TLS)) == 0;
}

static int bus_peer_start(nng_socket socket, struct bus_wire *wire, const char *address,
                          struct nng_tls_config *tls)
{
    nng_dialer dialer;
    int rc = nng_socket_set_int(socket, NNG_OPT_SENDBUF, PEER_QUEUE);
    if (rc == 0) {
        rc = nng_pipe_notify(socket, NNG_PIPE_EV_ADD_POST, bus_wire_on_pipe, wire);
    }
    if (rc == 0) {
        rc = nng_pipe_notify(socket, NNG_PIPE_EV_REM_POST, bus_wire_on_pipe, wire);
    }
    if (rc == 0) {
        rc = nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, PEER_RETRY_MIN_MS);
    }
    if (rc == 0) {
        rc = nng_socket_set_ms(socket, NNG_OPT_RECONNMAXT, PEER_RETRY_MAX_MS);
    }
    if (rc == 0) {
        char by_ipv4[BUS_ADDRESS_MAX + 2];
        rc = nng_dialer_create(&dialer, socket, dial_url(address, by_ipv4, sizeof by_ipv4));
    }
    if (rc == 0 && bus_peer_is_tls(address)) {
        rc = tls != NULL ? nng_dialer_set_ptr(dialer, NNG_OPT_TLS_CONFIG, tls) : NNG_EPEERAUTH;
    }
    return rc != 0 ? rc : nng_dialer_start(dialer, NNG_FLAG_NONBLOCK);
}

bool bus_peer_dial(struct bus_peer *peer, struct bytes address, struct nng_tls_config *tls)
{
    bus_peer_disconnect(peer);
    if (address.len == 0 || address.len >= sizeof peer->address ||
        memchr(address.ptr, '\0', address.len) != NULL) {
        return false;
    }
    char text[BUS_ADDRESS_MAX] = "";
    memcpy(text, address.ptr, address.len);
    nng_socket socket;
    struct bus_wire *wire = calloc(1, sizeof *wire);
    if (wire == NULL || nng_pub0_open(&socket) != 0) {
        free(wire);
        return false;
    }
    if (bus_peer_start(socket, wire, text, tls) != 0) {
        bus_reap_socket(socket, wire);
        return false;
    }
    peer->socket = socket;
    peer->wire = wire;
    memcpy(peer->address, text, sizeof text);
    return true;
}

static bool bus_peer_is_connected(const struct bus_peer *peer)
{
    return peer->address[0] != '\0' && atomic_load(&peer->wire->pipe_count) > 0;
}

/* False when memory is out. */
static bool bus_peer_reserve(struct bus_peer *peer, size_t bytes)
{
    if (peer->body_cap - peer->body_len >= bytes) {
        return true;
    }
    size_t cap = peer->body_cap == 0 ? PEER_BODY_START : peer->body_cap;
    while (cap - peer->body_len < bytes) {
        cap *= 2;
    }
    uint8_t *body = realloc(peer->body, cap);
    if (body == NULL) {
        return false;
    }
    peer->body = body;
    peer->body_cap = cap;
    return true;
}

bool bus_peer_append(struct bus_peer *peer, struct bytes packed, size_t field_count)
{
    if (!bus_peer_reserve(peer, packed.len)) {
        return false;
    }
    memcpy(peer->body + peer->body_len, packed.ptr, packed.len);
    peer->body_len += packed.len;
    peer->field_count += field_count;
    return true;
}

static void bus_peer_send(const struct bus_peer *peer, struct bytes batch)
{
    nng_msg *msg = NULL;
    if (nng_msg_alloc(&msg, batch.len) != 0) {
        return;
    }
    memcpy(nng_msg_body(msg), batch.ptr, batch.len);
    if (nng_sendmsg(peer->socket, msg, NNG_FLAG_NONBLOCK) != 0) {
        nng_msg_free(msg);
        return;
    }
    metric_add(METRIC_BUS_BATCHES_SENT, 1);
    metric_add(METRIC_BUS_BYTES_SENT, (int64_t)batch.len);
}

/* Before the first connection PUB would throw away what it is given. */
static bool bus_peer_is_held(struct bus_peer *peer, int64_t now_ms)
{
    peer->has_connected = peer->has_connected || bus_peer_is_connected(peer);
    if (peer->has_connected) {
        peer->held_ms = 0;
        return false;
    }
    if (peer->held_ms == 0) {
        peer->held_ms = now_ms;
    }
    return now_ms - peer->held_ms < BUS_PEER_HELD_MS && peer->body_len <= BUS_BODY_FULL &&
           peer->field_count <= BUS_EFFECT_FIELDS_MAX;
}

bool bus_peer_flush(struct bus_peer *peer, struct bytes sender, struct bytes key, bool is_beat,
                    int64_t now_ms)
{
    if (peer->body_len == 0 && (!is_beat || peer->address[0] == '\0')) {
        return false;
    }
    if (bus_peer_is_held(peer, now_ms)) {
        return true;
    }
    if (peer->address[0] == '\0') {
        metric_add(METRIC_BUS_DROPPED, 1);
        peer->held_ms = 0;
        bus_peer_forget_body(peer);
        return false;
    }
    /* The number is used even if the batch can't be sent, so that the receiver misses it. */
    peer->sent_number++;
    if (bus_peer_reserve(peer, BUS_BATCH_SEAL_MAX)) {
        const struct bus_batch_head head = {.sender = sender,
                                            .receiver = bus_peer_name(peer),
                                            .number = peer->sent_number,
                                            .is_beat = is_beat};
        struct sink out = {peer->body, peer->body_cap, peer->body_len};
        bus_batch_seal(&head, key, &out);
        assert(sink_fits(&out));
        bus_peer_send(peer, sink_bytes(&out));
    }
    peer->body_len = peer->field_count = 0;
    if (peer->body_cap > PEER_BODY_KEPT) {
        free(peer->body);
        peer->body = NULL;
        peer->body_cap = 0;
    }
    return false;
}

/* ---- All of them ---- */

struct bus_peer *bus_peers_find(struct bus_peers *peers, struct bytes name)
{
    struct bus_peer *peer = NULL;
    HASH_FIND(hh, peers->table, name.ptr, name.len, peer);
    return peer;
}

static void bus_peers_forget(struct bus_peers *peers, struct bus_peer *peer)
{
    /* Should it come back, its numbers must not begin below those that it has seen. */
    if (peer->sent_number > peers->floor_number) {
        peers->floor_number = peer->sent_number;
    }
    HASH_DEL(peers->table, peer);
    bus_peer_hang_up(peer);
    free(peer);
}

static void bus_peers_make_room(struct bus_peers *peers)
{
    if (HASH_COUNT(peers->table) < BUS_PEERS_KNOWN_MAX) {
        return;
    }
    struct bus_peer *peer, *next, *oldest = NULL;
    HASH_ITER(hh, peers->table, peer, next)
    {
        if (!peer->is_current && (oldest == NULL || peer->seen_ms < oldest->seen_ms)) {
            oldest = peer;
        }
    }
    if (oldest != NULL) {
        bus_peers_forget(peers, oldest);
    }
}

struct bus_peer *bus_peers_take(struct bus_peers *peers, struct bytes name, int64_t now_ms)
{
    assert(name.len > 0 && name.len < BUS_NAME_MAX);
    struct bus_peer *peer = bus_peers_find(peers, name);
    if (peer == NULL) {
        bus_peers_make_room(peers);
        peer = calloc(1, sizeof *peer);
        if (peer == NULL) {
            return NULL;
        }
        memcpy(peer->name, name.ptr, name.len);
        peer->name_len = name.len;
        peer->sent_number = peers->floor_number;
        HASH_ADD(hh, peers->table, name, peer->name_len, peer);
    }
    peer->seen_ms = now_ms;
    return peer;
}

void bus_peers_name(struct bus_peers *peers, struct bus_peer *peer, struct bytes address,
                    int64_t now_ms)
{
    bool is_new = !peer->is_current;
    if (is_new) {
        peer->is_current = true;
        peers->current_count++;
    }
    peer->named_ms = now_ms;
    if (bytes_equal(bytes_str(peer->address), address)) {
        return;
    }
    if (!bus_peer_dial(peer, address, peers->tls)) {
        peer->is_missed = true;
        LOG_LIMITED(LOG_WARN, "bus_peer_unreachable", log_bytes("peer", bus_peer_name(peer)),
                    log_bytes("address", address),
                    log_str("hint", "check bus.advertise of that node; for tls+tcp this one needs "
                                    "tls.cert_file and tls.ca_file"));
        return;
    }
    LOG(LOG_INFO, is_new ? "bus_peer_added" : "bus_peer_moved",
        log_bytes("peer", bus_peer_name(peer)), log_bytes("address", address));
}

/* Says once that there is no connection, and once that there is one after all. */
static bool bus_peers_miss(struct bus_peer *peer, int64_t now_ms)
{
    bool is_connected = bus_peer_is_connected(peer);
    if (is_connected && peer->is_missed) {
        LOG(LOG_INFO, "bus_peer_reached", log_bytes("peer", bus_peer_name(peer)),
            log_str("address", peer->address));
    }
    if (is_connected || !peer->is_current) {
        peer->lonely_ms = 0;
        peer->is_missed = false;
        return is_connected;
    }
    if (peer->lonely_ms == 0) {
        peer->lonely_ms = now_ms;
    }
    if (!peer->is_missed && now_ms - peer->lonely_ms > BUS_PEER_LONELY_MS) {
        peer->is_missed = true;
        LOG(LOG_WARN, "bus_peer_unreachable", log_bytes("peer", bus_peer_name(peer)),
            log_str("address", peer->address), log_str("effect", "what it has to know comes late"),
            log_str("hint", bus_peer_is_tls(peer->address)
                                ? "is its port open to this node, and do both have certificates of "
                                  "the same authority with tls.name in them?"
                                : "is its port open to this node, and bus.advertise right?"));
    }
    return false;
}

void bus_peers_look(struct bus_peers *peers, int64_t now_ms)
{
    struct bus_peer *peer, *next;
    int64_t connected_count = 0;
    HASH_ITER(hh, peers->table, peer, next)
    {
        if (peer->is_current && now_ms - peer->named_ms > BUS_PEER_SILENT_MS) {
            bus_peer_hang_up(peer);
            peer->is_current = false;
            peers->current_count--;
            LOG(LOG_INFO, "bus_peer_dropped", log_bytes("peer", bus_peer_name(peer)));
        }
        connected_count += bus_peers_miss(peer, now_ms);
    }
    metric_set(METRIC_BUS_PEERS, connected_count);
}

void bus_peers_fini(struct bus_peers *peers)
{
    struct bus_peer *peer, *next;
    HASH_ITER(hh, peers->table, peer, next)
    {
        HASH_DEL(peers->table, peer);
        bus_peer_leave_open(peer);
        free(peer);
    }
    *peers = (struct bus_peers){0};
    metric_set(METRIC_BUS_PEERS, 0);
}
