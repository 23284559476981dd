/* SPDX-License-Identifier: MIT */
/*
 * sim_bus: the bus between nodes as node/bus has it: a batch per peer and turn, numbered, so that
 * the receiver sees what is missing; what is for a node that is not named yet waits a second. The
 * world loses batches, cuts the way in one direction or both, and brings them late.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_faults.h"
#include "sim_node.h"

#define BUS_PEERS_MAX  32
#define BUS_HELD_US    (1 * SIM_S)
#define BUS_FORGET_US  (5 * SIM_S)
#define BUS_FIELDS_MAX 4096
#define BUS_RECONNECT  (100 * SIM_MS)

/* Effects one after the other: number of fields, then length and bytes of each. */
struct bus_buffer {
    uint8_t *ptr;
    size_t len, cap;
};

struct bus_peer {
    char name[32];
    int64_t named_us;   /* 0: not named, only something is for it or has come from it */
    int64_t waiting_us; /* since when something is for it */
    uint64_t sent_number, heard_number;
    struct bus_buffer out;
};

struct sim_bus {
    struct bus_peer peers[BUS_PEERS_MAX];
    size_t peer_count;
    bool must_beat;
    uint64_t echo_number;
};

struct bus_batch {
    char from[32], to[32];
    uint64_t number;
    size_t len;
    struct sim_node *node; /* the receiver's machine */
    uint8_t data[];
};

static struct {
    int64_t last_us, cut_us;
    bool is_held, was_cut;
} ways[SIM_NODES_MAX][SIM_NODES_MAX];

void sim_bus_begin(void)
{
    memset(ways, 0, sizeof ways);
}

void sim_bus_cut(int from, int to, int64_t until_us, bool is_held)
{
    ways[from][to].cut_us = until_us;
    ways[from][to].is_held = is_held;
    ways[from][to].was_cut = true;
}

/* Packing ----------------------------------------------------------------------------------------
 */

static void buffer_put(struct bus_buffer *buffer, const void *bytes, size_t len)
{
    if (buffer->len + len > buffer->cap) {
        buffer->cap = (buffer->len + len) * 2;
        buffer->ptr = realloc(buffer->ptr, buffer->cap);
        assert(buffer->ptr != NULL);
    }
    if (len > 0) {
        memcpy(buffer->ptr + buffer->len, bytes, len);
    }
    buffer->len += len;
}

static void buffer_add(struct bus_buffer *buffer, const struct effect *effect)
{
    buffer_put(buffer, &effect->count, sizeof effect->count);
    for (size_t i = 0; i < effect->count; i++) {
        buffer_put(buffer, &effect->fields[i].len, sizeof effect->fields[i].len);
        buffer_put(buffer, effect->fields[i].ptr, effect->fields[i].len);
    }
}

static size_t batch_size(const uint8_t **at)
{
    size_t value;
    memcpy(&value, *at, sizeof value);
    *at += sizeof value;
    return value;
}

/* Peers ------------------------------------------------------------------------------------------
 */

static struct bus_peer *bus_peer(struct sim_bus *bus, const char *name, bool must_be)
{
    for (size_t i = 0; i < bus->peer_count; i++) {
        if (strcmp(bus->peers[i].name, name) == 0) {
            return &bus->peers[i];
        }
    }
    if (!must_be || bus->peer_count == BUS_PEERS_MAX) {
        return NULL;
    }
    struct bus_peer *peer = &bus->peers[bus->peer_count++];
    *peer = (struct bus_peer){0};
    snprintf(peer->name, sizeof peer->name, "%s", name);
    return peer;
}

static struct sim_node *bus_machine(const char *name)
{
    int index = name[0] == 'n' ? name[1] - '0' : -1;
    return index >= 0 && index < sim_node_count ? &sim_nodes[index] : NULL;
}

/* Receiving --------------------------------------------------------------------------------------
 */

static void bus_hand_on(struct sim_node *node, const struct bus_batch *batch)
{
    struct bytes fields[BUS_FIELDS_MAX];
    const uint8_t *at = batch->data, *end = batch->data + batch->len;
    while (at < end) {
        struct effect effect = {fields, batch_size(&at)};
        assert(effect.count <= BUS_FIELDS_MAX);
        for (size_t i = 0; i < effect.count; i++) {
            fields[i].len = batch_size(&at);
            fields[i].ptr = at;
            at += fields[i].len;
        }
        core_on_bus_effect(node->core, &effect);
    }
}

static void bus_on_batch(void *arg, bool is_over)
{
    struct bus_batch *batch = arg;
    struct sim_node *node = batch->node;
    if (is_over || strcmp(node->name, batch->to) != 0) {
        free(batch); /* for an earlier life of this node */
        return;
    }
    if (strcmp(batch->from, node->name) == 0) {
        free(batch);
        core_on_bus_echo(node->core);
        return;
    }
    struct bus_peer *peer = bus_peer(node->bus, batch->from, true);
    if (peer == NULL || batch->number <= peer->heard_number) {
        free(batch);
        return;
    }
    bool is_gap = batch->number != peer->heard_number + 1;
    bool is_stranger = peer->named_us == 0;
    peer->heard_number = batch->number;
    sim_trace_bytes(batch->data, batch->len);
    bus_hand_on(node, batch);
    free(batch);
    if (is_gap) {
        SIM_TELL(NULL, NULL, "n%d: batches are missing", node->index);
        core_on_bus_gap(node->core);
    }
    if (is_stranger) {
        core_on_bus_stranger(node->core);
    }
}

/* Sending ----------------------------------------------------------------------------------------
 */

static void bus_on_new_pipe(void *arg, bool is_over)
{
    struct sim_node *node = arg;
    if (!is_over) {
        core_on_bus_gap(node->core);
    }
}

/* The batch is on its way, or lost. */
static void bus_pass(struct sim_node *from, struct sim_node *to, struct bus_batch *batch)
{
    int64_t at_us = sim_now_us + sim_way_us(SIM_WAY_BUS);
    int64_t *last_us = &ways[from->index][to->index].last_us;
    bool is_self = from == to;
    bool is_cut = !is_self && ways[from->index][to->index].cut_us > sim_now_us;
    bool is_lost = !is_self && ((is_cut && !ways[from->index][to->index].is_held) ||
                                (sim_fault_is_on(FAULT_bus_loss) && sim_chance(30)));
    if (ways[from->index][to->index].was_cut && !is_cut) {
        bool is_new = !ways[from->index][to->index].is_held;
        ways[from->index][to->index].was_cut = false;
        if (is_new && sim_node_is_up(to)) {
            sim_node_in(to, sim_between(0, BUS_RECONNECT), SIM_IO, bus_on_new_pipe, to);
        }
    }
    if (is_lost || !sim_node_is_up(to)) {
        free(batch);
        return;
    }
    if (is_cut) {
        at_us += ways[from->index][to->index].cut_us - sim_now_us;
    }
    *last_us = at_us > *last_us ? at_us : *last_us;
    batch->node = to;
    sim_node_in(to, *last_us - sim_now_us, SIM_IO, bus_on_batch, batch);
}

static struct bus_batch *bus_batch_new(const struct sim_node *from, const char *to, uint64_t number,
                                       const struct bus_buffer *out)
{
    struct bus_batch *batch = malloc(sizeof *batch + out->len);
    assert(batch != NULL);
    *batch = (struct bus_batch){.number = number, .len = out->len};
    memcpy(batch->from, from->name, sizeof batch->from);
    snprintf(batch->to, sizeof batch->to, "%s", to);
    if (out->len > 0) {
        memcpy(batch->data, out->ptr, out->len);
    }
    return batch;
}

void sim_bus_flush(struct sim_node *node)
{
    struct sim_bus *bus = node->bus;
    for (size_t i = 0; i < bus->peer_count; i++) {
        struct bus_peer *peer = &bus->peers[i];
        struct sim_node *to = bus_machine(peer->name);
        if (peer->named_us == 0 || to == NULL || to == node) {
            if (peer->out.len > 0 && sim_now_us - peer->waiting_us > BUS_HELD_US) {
                peer->out.len = 0;
            }
            continue;
        }
        if (peer->out.len > 0 || bus->must_beat) {
            bus_pass(node, to, bus_batch_new(node, peer->name, ++peer->sent_number, &peer->out));
            peer->out.len = 0;
        }
    }
    if (bus->must_beat) {
        const struct bus_buffer nothing = {0};
        bus_pass(node, node, bus_batch_new(node, node->name, ++bus->echo_number, &nothing));
    }
    bus->must_beat = false;
}

static void bus_put(struct bus_peer *peer, const struct effect *effect)
{
    if (peer->out.len == 0) {
        peer->waiting_us = sim_now_us;
    }
    buffer_add(&peer->out, effect);
}

static void bus_port_send(void *ctx, struct bytes name, const struct effect *effect)
{
    struct sim_node *node = ctx;
    if (node->phase == SIM_DOWN) {
        return;
    }
    if (bytes_equal(name, bytes_str("*"))) {
        for (size_t i = 0; i < node->bus->peer_count; i++) {
            if (node->bus->peers[i].named_us != 0) {
                bus_put(&node->bus->peers[i], effect);
            }
        }
        return;
    }
    char text[32];
    snprintf(text, sizeof text, "%.*s", (int)name.len, (const char *)name.ptr);
    struct bus_peer *peer = bus_peer(node->bus, text, true);
    if (peer != NULL) {
        bus_put(peer, effect);
        if (peer->named_us == 0) {
            core_on_bus_stranger(node->core);
        }
    }
}

static void bus_port_peer(void *ctx, struct bytes name, struct bytes address)
{
    struct sim_node *node = ctx;
    (void)address;
    char text[32];
    snprintf(text, sizeof text, "%.*s", (int)name.len, (const char *)name.ptr);
    struct bus_peer *peer = node->phase != SIM_DOWN ? bus_peer(node->bus, text, true) : NULL;
    if (peer != NULL) {
        peer->named_us = sim_now_us;
    }
}

static void bus_port_beat(void *ctx)
{
    struct sim_node *node = ctx;
    if (node->phase == SIM_DOWN) {
        return;
    }
    struct sim_bus *bus = node->bus;
    bus->must_beat = true;
    for (size_t i = 0; i < bus->peer_count; i++) {
        struct bus_peer *peer = &bus->peers[i];
        if (peer->named_us != 0 && sim_now_us - peer->named_us > BUS_FORGET_US) {
            free(peer->out.ptr);
            *peer = bus->peers[--bus->peer_count];
            i--;
        }
    }
}

struct bus_port sim_bus_port(struct sim_node *node)
{
    return (struct bus_port){node, bus_port_send, bus_port_peer, bus_port_beat};
}

void sim_bus_start(struct sim_node *node)
{
    node->bus = calloc(1, sizeof *node->bus);
    assert(node->bus != NULL);
}

void sim_bus_end(struct sim_node *node)
{
    for (size_t i = 0; i < node->bus->peer_count; i++) {
        free(node->bus->peers[i].out.ptr);
    }
    free(node->bus);
    node->bus = NULL;
}
