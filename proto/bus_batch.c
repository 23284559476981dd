/* SPDX-License-Identifier: MIT */
/*
 * bus_batch: bus.proto by protobuf-c. Packed messages may be strung together: decoders append what
 * is repeated and take the last of what is not. So a body grows effect by effect, and the head
 * comes last, when the receiver is known. What is unpacked lies in an arena that is never larger
 * than it is, because protobuf-c itself would follow a stranger's message to any cost. How batches
 * travel, and what their numbers tell, is the bus's affair.
 */
#include "proto/bus_batch.h"

#include <assert.h>

#include "bus.pb-c.h"

enum { BUS_ARENA_ALIGN = 16 };

static_assert(sizeof(ProtobufCBinaryData) <= 16, "BUS_ARENA_PACK_BYTES counts on it");

/* ---- Arena ---- */

/* NULL when there is no room. */
static void *bus_arena_take(struct bus_arena *arena, size_t bytes)
{
    size_t pad = (size_t)(-(uintptr_t)(arena->ptr + arena->used) % BUS_ARENA_ALIGN);
    if (arena->cap - arena->used < pad || arena->cap - arena->used - pad < bytes) {
        return NULL;
    }
    void *ptr = arena->ptr + arena->used + pad;
    arena->used += pad + bytes;
    return ptr;
}

static void *bus_arena_on_alloc(void *arena, size_t bytes)
{
    return bus_arena_take(arena, bytes);
}

static void bus_arena_on_free(void *arena, void *ptr)
{
    (void)arena;
    (void)ptr;
}

/* ---- Packing ---- */

struct bus_batch_writer {
    ProtobufCBuffer base;
    struct sink *out;
};

static void bus_batch_on_append(ProtobufCBuffer *buffer, size_t len, const uint8_t *data)
{
    sink_put(((struct bus_batch_writer *)buffer)->out, bytes_of(data, len));
}

static void bus_batch_pack(const Hgtp__Bus__Batch *message, struct sink *out)
{
    struct bus_batch_writer writer = {.base = {.append = bus_batch_on_append}, .out = out};
    (void)hgtp__bus__batch__pack_to_buffer(message, &writer.base);
}

/* protobuf-c writes nothing through this pointer when it packs. */
static ProtobufCBinaryData bus_batch_data(struct bytes in)
{
    return (ProtobufCBinaryData){.len = in.len, .data = (uint8_t *)(uintptr_t)in.ptr};
}

bool bus_batch_add(const struct bytes *fields, size_t count, struct bus_arena *arena,
                   struct sink *out)
{
    if (count == 0 || count > BUS_EFFECT_FIELDS_MAX) {
        return false;
    }
    arena->used = 0;
    ProtobufCBinaryData *data = bus_arena_take(arena, count * sizeof *data);
    assert(data != NULL);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].len > BUS_EFFECT_BYTES_MAX) {
            return false;
        }
        data[i] = bus_batch_data(fields[i]);
    }
    Hgtp__Bus__Effect effect = HGTP__BUS__EFFECT__INIT;
    effect.n_fields = count;
    effect.fields = data;
    Hgtp__Bus__Batch batch = HGTP__BUS__BATCH__INIT;
    Hgtp__Bus__Effect *effects[] = {&effect};
    batch.n_effects = 1;
    batch.effects = effects;
    if (hgtp__bus__batch__get_packed_size(&batch) > BUS_EFFECT_BYTES_MAX) {
        return false;
    }
    bus_batch_pack(&batch, out);
    return true;
}

void bus_batch_seal(const struct bus_batch_head *head, struct bytes key, struct sink *out)
{
    assert(head->number > 0);
    assert(head->sender.len > 0 && head->sender.len <= BUS_BATCH_NAME_MAX);
    assert(head->receiver.len > 0 && head->receiver.len <= BUS_BATCH_NAME_MAX);
    Hgtp__Bus__Batch batch = HGTP__BUS__BATCH__INIT;
    batch.sender = bus_batch_data(head->sender);
    batch.receiver = bus_batch_data(head->receiver);
    batch.number = head->number;
    batch.is_beat = head->is_beat;
    bus_batch_pack(&batch, out);
    if (key.len == 0) {
        return;
    }
    uint8_t mac[BUS_BATCH_MAC_BYTES] = {0};
    if (sink_fits(out)) {
        digest_hmac_sha256(key, sink_bytes(out), mac);
    }
    sink_put(out, bytes_of(mac, sizeof mac));
}

/* ---- Opening ---- */

/* Takes the proof off; false when it doesn't hold. */
static bool bus_batch_unseal(struct bytes *in, struct bytes key)
{
    if (key.len == 0) {
        return true;
    }
    if (in->len < BUS_BATCH_MAC_BYTES) {
        return false;
    }
    in->len -= BUS_BATCH_MAC_BYTES;
    uint8_t mac[BUS_BATCH_MAC_BYTES];
    digest_hmac_sha256(key, *in, mac);
    return digest_equal(bytes_of(mac, sizeof mac),
                        bytes_of(in->ptr + in->len, BUS_BATCH_MAC_BYTES));
}

/* False when there is no room, or an effect has no name. */
static bool bus_batch_view_effects(const Hgtp__Bus__Batch *message, struct bus_arena *arena,
                                   struct bus_batch *ret_batch)
{
    struct bus_batch_effect *effects = bus_arena_take(arena, message->n_effects * sizeof *effects);
    if (effects == NULL) {
        return false;
    }
    for (size_t i = 0; i < message->n_effects; i++) {
        const Hgtp__Bus__Effect *from = message->effects[i];
        struct bytes *fields = bus_arena_take(arena, from->n_fields * sizeof *fields);
        if (fields == NULL || from->n_fields == 0) {
            return false;
        }
        for (size_t k = 0; k < from->n_fields; k++) {
            fields[k] = bytes_of(from->fields[k].data, from->fields[k].len);
        }
        effects[i] = (struct bus_batch_effect){fields, from->n_fields};
    }
    ret_batch->effects = effects;
    ret_batch->effect_count = message->n_effects;
    return true;
}

static bool bus_batch_name_valid(ProtobufCBinaryData name)
{
    return name.len > 0 && name.len <= BUS_BATCH_NAME_MAX;
}

enum bus_batch_result bus_batch_open(struct bytes in, struct bytes key, struct bytes receiver,
                                     struct bus_arena *arena, struct bus_batch *ret_batch)
{
    if (in.len > BUS_BATCH_BYTES_MAX) {
        return BUS_BATCH_MALFORMED;
    }
    if (!bus_batch_unseal(&in, key)) {
        return BUS_BATCH_FORGED;
    }
    arena->used = 0;
    ProtobufCAllocator allocator = {
        .alloc = bus_arena_on_alloc, .free = bus_arena_on_free, .allocator_data = arena};
    const Hgtp__Bus__Batch *message = hgtp__bus__batch__unpack(&allocator, in.len, in.ptr);
    if (message == NULL || message->number == 0 || !bus_batch_name_valid(message->sender) ||
        !bus_batch_name_valid(message->receiver)) {
        return BUS_BATCH_MALFORMED;
    }
    struct bus_batch batch = {
        .head = {.sender = bytes_of(message->sender.data, message->sender.len),
                 .receiver = bytes_of(message->receiver.data, message->receiver.len),
                 .number = message->number,
                 .is_beat = message->is_beat != 0}};
    if (!bytes_equal(batch.head.receiver, receiver)) {
        return BUS_BATCH_NOT_FOR_US;
    }
    if (!bus_batch_view_effects(message, arena, &batch)) {
        return BUS_BATCH_MALFORMED;
    }
    *ret_batch = batch;
    return BUS_BATCH_OK;
}
