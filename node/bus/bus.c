/* SPDX-License-Identifier: MIT */
/*
 * bus: the life of a node's bus, and what comes in: it is opened, its number is looked at, and it
 * is handed on. Effects to be sent wait until the loop has nothing else to do, so that a turn of
 * the loop makes one batch for each peer. How peers are connected is bus_peers' affair.
 *
 * nng's threads come in here once, when there is a new connection; everything else is on the loop.
 */
#include "node/bus/bus.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/log.h"
#include "node/base/metrics.h"
#include "node/bus/bus_peers.h"
#include "node/bus/bus_sub.h"
#include "node/bus/bus_watchdog.h"
#include "proto/bus_batch.h"

enum {
    BUS_TAKEN_PER_TURN = 64, /* batches; what is left is read in the next turn of the loop */
    BUS_HELD_STEP_MS = 10    /* how often it is looked whether what waits is connected */
};

static_assert(BUS_NAME_MAX <= BUS_BATCH_NAME_MAX, "every name fits a batch");
static_assert(BUS_EFFECT_BYTES_MAX + BUS_BODY_FULL + BUS_BATCH_SEAL_MAX <= BUS_BATCH_BYTES_MAX,
              "what is sent can be opened");

/* Never freed: nng's threads may call in with it for as long as the SUB socket is open. */
struct bus {
    uv_loop_t *loop;
    struct bus_events events;
    void *arg;
    char *advertise;
    const struct core_keys *keys;
    struct bus_sub sub;
    struct bus_peers peers;
    struct bus_peer self; /* this node, as it hears itself; carries beats only */
    uint64_t echo_number; /* of its last beat that was sent, and when, as metrics_now_us */
    int64_t echo_sent_us;
    struct bus_watchdog watchdog;
    uv_poll_t poll;
    uv_prepare_t prepare;
    uv_timer_t held; /* runs while something waits for a connection: it turns the loop */
    uv_async_t async;
    bool is_started;
    bool is_watched;
    bool is_closed;
    pthread_mutex_t wake_lock; /* for `async` and may_wake, which nng's threads use, too */
    bool may_wake;             /* `async` is open */
    struct bus_arena pack_arena;
    struct bus_arena open_arena;
    struct sink packed; /* one effect: len is 0 in between */
};

static int64_t bus_now(const struct bus *bus)
{
    return (int64_t)uv_now(bus->loop);
}

/* ---- Sending ---- */

static void bus_on_held(uv_timer_t *timer)
{
    (void)timer;
}

static void bus_flush_peer(struct bus *bus, struct bus_peer *peer, bool is_beat)
{
    struct bytes key = bus->keys->count > 0 ? bus->keys->keys[0] : bytes_of(NULL, 0);
    bool is_held = bus_peer_flush(peer, bus_peer_name(&bus->self), key, is_beat, bus_now(bus));
    if (is_held && !bus->is_closed) {
        uv_timer_start(&bus->held, bus_on_held, BUS_HELD_STEP_MS, 0);
    }
}

static void bus_flush(struct bus *bus, bool is_beat)
{
    struct bus_peer *peer, *next;
    HASH_ITER(hh, bus->peers.table, peer, next)
    {
        bus_flush_peer(bus, peer, is_beat);
    }
}

static void bus_on_prepare(uv_prepare_t *prepare)
{
    bus_flush(prepare->data, false);
}

static void bus_drop_effect(struct bytes node, const char *why)
{
    metric_add(METRIC_BUS_DROPPED, 1);
    LOG_LIMITED(LOG_WARN, "bus_effect_dropped", log_bytes("peer", node), log_str("why", why));
}

static void bus_append(struct bus *bus, struct bus_peer *peer, struct bytes packed, size_t fields)
{
    if (!bus_peer_append(peer, packed, fields)) {
        bus_drop_effect(bus_peer_name(peer), "out of memory");
        return;
    }
    if (peer->body_len > BUS_BODY_FULL || peer->field_count > BUS_EFFECT_FIELDS_MAX) {
        bus_flush_peer(bus, peer, false);
    }
}

/* Packs it into bus->packed, which grows as needed; false when that can't be. */
static bool bus_pack(struct bus *bus, const struct effect *effect)
{
    struct sink *out = &bus->packed;
    out->len = 0;
    if (!bus_batch_add(effect->fields, effect->count, &bus->pack_arena, out)) {
        return false;
    }
    if (sink_fits(out)) {
        return true;
    }
    uint8_t *ptr = realloc(out->ptr, out->len);
    if (ptr == NULL) {
        return false;
    }
    *out = sink_into(ptr, out->len);
    return bus_batch_add(effect->fields, effect->count, &bus->pack_arena, out);
}

/* One that was met or heard a moment ago is about to be named. */
static bool bus_is_about(const struct bus *bus, const struct bus_peer *peer)
{
    return peer->is_current || bus_now(bus) - peer->seen_ms < BUS_PEER_HELD_MS;
}

/* Redis may know of a node before this one does. */
static struct bus_peer *bus_find_or_meet(struct bus *bus, struct bytes node)
{
    struct bus_peer *peer = bus_peers_find(&bus->peers, node);
    bool is_name = node.len > 0 && node.len < BUS_NAME_MAX;
    if (peer != NULL || !is_name || bus->is_closed || !bus->is_started) {
        return peer;
    }
    bus->events.on_stranger(bus->arg);
    return bus_peers_take(&bus->peers, node, bus_now(bus));
}

static void bus_send(void *ctx, struct bytes node, const struct effect *effect)
{
    struct bus *bus = ctx;
    bool is_for_all = bytes_equal(node, bytes_str("*"));
    struct bus_peer *peer = is_for_all ? NULL : bus_find_or_meet(bus, node);
    if (bus->is_closed || !bus->is_started || (is_for_all && bus->peers.current_count == 0)) {
        return;
    }
    if (!is_for_all && (peer == NULL || !bus_is_about(bus, peer))) {
        bus_drop_effect(node, "it is not known");
        return;
    }
    if (!bus_pack(bus, effect)) {
        bus_drop_effect(node, "it is too large");
        return;
    }
    if (!is_for_all) {
        bus_append(bus, peer, sink_bytes(&bus->packed), effect->count);
        return;
    }
    struct bus_peer *next;
    HASH_ITER(hh, bus->peers.table, peer, next)
    {
        if (peer->is_current) {
            bus_append(bus, peer, sink_bytes(&bus->packed), effect->count);
        }
    }
}

bool bus_is_waiting(const struct bus *bus)
{
    const struct bus_peer *peer, *next;
    HASH_ITER(hh, bus->peers.table, peer, next)
    {
        if (peer->body_len > 0) {
            return true;
        }
    }
    return false;
}

static void bus_name_peer(void *ctx, struct bytes node, struct bytes address)
{
    struct bus *bus = ctx;
    if (bus->is_closed || !bus->is_started || bytes_equal(node, bus_peer_name(&bus->self))) {
        return;
    }
    if (node.len == 0 || node.len >= BUS_NAME_MAX || bytes_equal(node, bytes_str("*"))) {
        LOG_LIMITED(LOG_WARN, "bus_peer_refused", log_bytes("peer", node),
                    log_str("why", "its name is empty or too long"));
        return;
    }
    struct bus_peer *peer = bus_peers_take(&bus->peers, node, bus_now(bus));
    if (peer != NULL) {
        bus_peers_name(&bus->peers, peer, address, bus_now(bus));
    }
}

static void bus_beat(void *ctx)
{
    struct bus *bus = ctx;
    if (bus->is_closed || !bus->is_started) {
        return;
    }
    bus_peers_look(&bus->peers, bus_now(bus));
    bus_flush(bus, true);
    bus_flush_peer(bus, &bus->self, true);
    if (bus->self.sent_number != bus->echo_number) {
        bus->echo_number = bus->self.sent_number;
        bus->echo_sent_us = metrics_now_us();
    }
}

/* ---- Receiving ---- */

static void bus_refuse(enum metric metric, const char *why, const char *hint)
{
    metric_add(metric, 1);
    LOG_LIMITED(LOG_WARN, "bus_batch_refused", log_str("why", why), log_str("hint", hint));
}

/* By one key after the other, of which there are two while they are rotated. */
static enum bus_batch_result bus_try_keys(struct bus *bus, struct bytes in,
                                          struct bus_batch *ret_batch)
{
    struct bytes self = bus_peer_name(&bus->self);
    size_t at = 0;
    enum bus_batch_result result;
    do {
        struct bytes key = at < bus->keys->count ? bus->keys->keys[at] : bytes_of(NULL, 0);
        result = bus_batch_open(in, key, self, &bus->open_arena, ret_batch);
        at++;
    } while (result == BUS_BATCH_FORGED && at < bus->keys->count);
    metric_add(METRIC_SECOND_KEY_BUS, result == BUS_BATCH_OK && at > 1 ? 1 : 0);
    return result;
}

static bool bus_open_batch(struct bus *bus, struct bytes in, struct bus_batch *ret_batch)
{
    switch (bus_try_keys(bus, in, ret_batch)) {
    case BUS_BATCH_OK:
        return true;
    case BUS_BATCH_FORGED:
        bus_refuse(METRIC_BUS_FORGED, "forged",
                   "check that the key of the bus is the same on all nodes");
        return false;
    case BUS_BATCH_NOT_FOR_US:
        bus_refuse(METRIC_BUS_FOREIGN, "foreign",
                   "usual for some seconds after a start; else check that no two nodes have the "
                   "same bus.advertise");
        return false;
    case BUS_BATCH_MALFORMED:
    case BUS_BATCH_RESULT_COUNT:
        break;
    }
    bus_refuse(METRIC_BUS_MALFORMED, "malformed",
               "check that all nodes or none have a key of the bus, and their versions");
    return false;
}

/* The views of `batch` are good until the next one is opened, so not beyond this call. */
static void bus_hand_on(struct bus *bus, const struct bus_batch *batch)
{
    for (size_t i = 0; i < batch->effect_count && !bus->is_closed; i++) {
        const struct effect effect = {batch->effects[i].fields, batch->effects[i].count};
        bus->events.on_effect(&effect, bus->arg);
    }
}

static void bus_take_own(struct bus *bus, const struct bus_batch *batch)
{
    if (batch->head.number <= bus->self.heard_number) {
        bus_refuse(METRIC_BUS_REPLAYED, "replayed", "somebody repeats what nodes have sent");
        return;
    }
    bus->self.heard_number = batch->head.number;
    if (batch->head.number == bus->echo_number) {
        metric_observe(HISTOGRAM_BUS_ECHO, metrics_now_us() - bus->echo_sent_us);
    }
    bus->events.on_echo(bus->arg);
}

static void bus_take(struct bus *bus, struct bytes in)
{
    struct bus_batch batch;
    metric_add(METRIC_BUS_BATCHES_RECEIVED, 1);
    metric_add(METRIC_BUS_BYTES_RECEIVED, (int64_t)in.len);
    if (!bus_open_batch(bus, in, &batch)) {
        return;
    }
    if (bytes_equal(batch.head.sender, bus_peer_name(&bus->self))) {
        bus_take_own(bus, &batch);
        return;
    }
    if (batch.head.sender.len >= BUS_NAME_MAX) {
        bus_refuse(METRIC_BUS_MALFORMED, "malformed", "its sender's name is too long");
        return;
    }
    struct bus_peer *peer = bus_peers_take(&bus->peers, batch.head.sender, bus_now(bus));
    if (peer == NULL) {
        return;
    }
    if (batch.head.number <= peer->heard_number) {
        bus_refuse(METRIC_BUS_REPLAYED, "replayed", "somebody repeats what nodes have sent");
        return;
    }
    /* What was sent before this node was heard of is no loss, but it may concern its rooms. */
    uint64_t missing = batch.head.number - peer->heard_number - 1;
    bool is_first = peer->heard_number == 0;
    bool is_stranger = !peer->is_current;
    peer->heard_number = batch.head.number;
    if (!is_first) {
        metric_add(METRIC_BUS_MISSING, missing > INT32_MAX ? INT32_MAX : (int64_t)missing);
    }
    /* First what came, so that a search for what is missing ends where it begins. From here on the
     * peer may be forgotten, and the bus closed, by what is called. */
    bus_hand_on(bus, &batch);
    if (missing > 0 && !bus->is_closed) {
        bus->events.on_gap(is_first ? "first batch of a node" : "batches are missing", bus->arg);
    }
    if (is_stranger && !bus->is_closed) {
        bus->events.on_stranger(bus->arg);
    }
}

static void bus_on_readable(uv_poll_t *poll, int status, int events)
{
    struct bus *bus = poll->data;
    (void)status;
    (void)events;
    nng_msg *msg = NULL;
    for (int i = 0; i < BUS_TAKEN_PER_TURN && !bus->is_closed; i++) {
        msg = bus_sub_take(&bus->sub);
        if (msg == NULL) {
            return;
        }
        bus_take(bus, bytes_of(nng_msg_body(msg), nng_msg_len(msg)));
        nng_msg_free(msg);
    }
}

static void bus_on_new_pipe(uv_async_t *async)
{
    struct bus *bus = async->data;
    if (!bus->is_closed) {
        bus->events.on_gap("a new connection", bus->arg);
    }
}

/* On a thread of nng's. */
static void bus_on_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct bus *bus = arg;
    (void)pipe;
    (void)event;
    pthread_mutex_lock(&bus->wake_lock);
    if (bus->may_wake) {
        (void)uv_async_send(&bus->async);
    }
    pthread_mutex_unlock(&bus->wake_lock);
}

static void bus_on_stuck(void *arg)
{
    struct bus *bus = arg;
    bus->events.on_stuck(bus->arg);
}

/* ---- Life ---- */

static void bus_free_storage(struct bus *bus)
{
    free(bus->pack_arena.ptr);
    free(bus->open_arena.ptr);
    free(bus->packed.ptr);
}

static void bus_free(struct bus *bus)
{
    bus_free_storage(bus);
    free(bus->advertise);
    free(bus);
}

static struct bus *bus_new(const struct bus_options *options)
{
    struct bus *bus = calloc(1, sizeof *bus);
    if (bus == NULL) {
        return NULL;
    }
    bus->loop = options->loop;
    bus->events = options->events;
    bus->arg = options->arg;
    bus->advertise = strdup(options->advertise);
    bus->keys = options->keys;
    bus->peers.tls = options->tls_out;
    bus->pack_arena = (struct bus_arena){malloc(BUS_ARENA_PACK_BYTES), BUS_ARENA_PACK_BYTES, 0};
    bus->open_arena = (struct bus_arena){malloc(BUS_ARENA_OPEN_BYTES), BUS_ARENA_OPEN_BYTES, 0};
    if (bus->advertise == NULL || bus->pack_arena.ptr == NULL || bus->open_arena.ptr == NULL ||
        pthread_mutex_init(&bus->wake_lock, NULL) != 0) {
        bus_free(bus);
        return NULL;
    }
    return bus;
}

struct bus *bus_open(const struct bus_options *options, char *ret_error)
{
    if (strlen(options->listen) >= BUS_ADDRESS_MAX) {
        (void)snprintf(ret_error, BUS_ERROR_BYTES, "the address to listen on is too long");
        return NULL;
    }
    struct bus *bus = bus_new(options);
    if (bus == NULL) {
        (void)snprintf(ret_error, BUS_ERROR_BYTES, "out of memory");
        return NULL;
    }
    if (!bus_sub_open(&bus->sub, options->listen, options->tls_in, bus_on_pipe, bus, ret_error)) {
        bus_free(bus);
        return NULL;
    }
    return bus;
}

const char *bus_address(const struct bus *bus)
{
    return bus->advertise[0] != '\0' ? bus->advertise : bus->sub.shown;
}

static void bus_start_handles(struct bus *bus)
{
    bus->async.data = bus->poll.data = bus->prepare.data = bus;
    int rc = uv_async_init(bus->loop, &bus->async, bus_on_new_pipe);
    assert(rc == 0);
    rc = uv_poll_init(bus->loop, &bus->poll, bus->sub.fd);
    assert(rc == 0);
    rc = uv_poll_start(&bus->poll, UV_READABLE, bus_on_readable);
    assert(rc == 0);
    (void)uv_prepare_init(bus->loop, &bus->prepare);
    (void)uv_prepare_start(&bus->prepare, bus_on_prepare);
    (void)uv_timer_init(bus->loop, &bus->held);
    pthread_mutex_lock(&bus->wake_lock);
    bus->may_wake = true;
    pthread_mutex_unlock(&bus->wake_lock);
}

void bus_start(struct bus *bus, const char *node)
{
    size_t len = strlen(node);
    assert(!bus->is_started && len > 0 && len < sizeof bus->self.name);
    memcpy(bus->self.name, node, len);
    bus->self.name_len = len;
    bus->is_started = true;
    bus_start_handles(bus);
    if (!bus_peer_dial(&bus->self, bytes_str(bus->sub.local), bus->peers.tls)) {
        LOG(LOG_ERROR, "bus_self_unreachable", log_str("address", bus->sub.local));
    }
    int rc = bus_watchdog_open(&bus->watchdog, bus->loop, BUS_WATCHDOG_PERIOD_MS,
                               BUS_WATCHDOG_PATIENCE_MS, bus_on_stuck, bus);
    bus->is_watched = rc == 0;
    if (rc != 0) {
        LOG(LOG_ERROR, "bus_unwatched", log_str("why", nng_strerror(rc)));
    }
}

struct bus_port bus_port(struct bus *bus)
{
    return (struct bus_port){.ctx = bus, .send = bus_send, .peer = bus_name_peer, .beat = bus_beat};
}

/* Not in bus_close: that may be called from inside bus_take. */
static void bus_on_closed(uv_handle_t *async)
{
    bus_free_storage(async->data);
}

void bus_close(struct bus *bus)
{
    assert(!bus->is_closed);
    bus->is_closed = true;
    if (!bus->is_started) {
        bus_free_storage(bus);
        return;
    }
    pthread_mutex_lock(&bus->wake_lock);
    bus->may_wake = false;
    pthread_mutex_unlock(&bus->wake_lock);
    bus_flush(bus, false);
    bus_peers_fini(&bus->peers);
    bus_peer_leave_open(&bus->self);
    if (bus->is_watched) {
        bus_watchdog_close(&bus->watchdog);
    }
    uv_close((uv_handle_t *)&bus->poll, NULL);
    uv_close((uv_handle_t *)&bus->prepare, NULL);
    uv_close((uv_handle_t *)&bus->held, NULL);
    uv_close((uv_handle_t *)&bus->async, bus_on_closed);
}
