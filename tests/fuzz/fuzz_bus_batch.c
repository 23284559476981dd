/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes proto/bus_batch: without a key, what opens can be packed and sealed again and opens as the
 * same; views stay inside the arena, which is never exceeded. With a key, nothing that a stranger
 * makes opens, and what was sealed with it does.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "proto/bus_batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bus_arena pack_arena, first_arena, again_arena;
static struct sink sealed;

static void set_up(void)
{
    pack_arena = (struct bus_arena){malloc(BUS_ARENA_PACK_BYTES), BUS_ARENA_PACK_BYTES, 0};
    first_arena = (struct bus_arena){malloc(BUS_ARENA_OPEN_BYTES), BUS_ARENA_OPEN_BYTES, 0};
    again_arena = (struct bus_arena){malloc(BUS_ARENA_OPEN_BYTES), BUS_ARENA_OPEN_BYTES, 0};
    sealed = sink_into(malloc(2 * BUS_BATCH_BYTES_MAX), 2 * BUS_BATCH_BYTES_MAX);
}

static void check_inside(struct bytes view)
{
    assert(view.len == 0 || (view.ptr >= first_arena.ptr &&
                             view.ptr + view.len <= first_arena.ptr + first_arena.used));
}

static void check_batch(const struct bus_batch *batch)
{
    assert(batch->head.number > 0);
    assert(batch->head.sender.len > 0 && batch->head.sender.len <= BUS_BATCH_NAME_MAX);
    check_inside(batch->head.sender);
    for (size_t i = 0; i < batch->effect_count; i++) {
        assert(batch->effects[i].count > 0);
        for (size_t k = 0; k < batch->effects[i].count; k++) {
            check_inside(batch->effects[i].fields[k]);
        }
    }
}

static void check_same(const struct bus_batch *a, const struct bus_batch *b)
{
    assert(bytes_equal(a->head.sender, b->head.sender));
    assert(bytes_equal(a->head.receiver, b->head.receiver));
    assert(a->head.number == b->head.number && a->head.is_beat == b->head.is_beat);
    assert(a->effect_count == b->effect_count);
    for (size_t i = 0; i < a->effect_count; i++) {
        assert(a->effects[i].count == b->effects[i].count);
        for (size_t k = 0; k < a->effects[i].count; k++) {
            assert(bytes_equal(a->effects[i].fields[k], b->effects[i].fields[k]));
        }
    }
}

static void check_again(const struct bus_batch *batch, struct bytes key)
{
    sealed.len = 0;
    for (size_t i = 0; i < batch->effect_count; i++) {
        if (!bus_batch_add(batch->effects[i].fields, batch->effects[i].count, &pack_arena,
                           &sealed)) {
            return; /* larger than what a node sends */
        }
    }
    bus_batch_seal(&batch->head, key, &sealed);
    struct bus_batch again;
    assert(bus_batch_open(sink_bytes(&sealed), key, batch->head.receiver, &again_arena, &again) ==
           BUS_BATCH_OK);
    check_same(batch, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (pack_arena.ptr == NULL) {
        set_up();
    }
    struct bytes key = bytes_str("key"), receiver = bytes_str("b@2");
    uint8_t *copy = malloc(size + 1); /* so that reading beyond the input is seen */
    if (size > 0) {
        memcpy(copy, data, size);
    }
    struct bytes in = bytes_of(copy, size);
    struct bus_batch batch;
    assert(bus_batch_open(in, key, receiver, &first_arena, &batch) == BUS_BATCH_FORGED);
    enum bus_batch_result result =
        bus_batch_open(in, bytes_of(NULL, 0), receiver, &first_arena, &batch);
    assert(first_arena.used <= first_arena.cap);
    assert(result != BUS_BATCH_FORGED);
    if (result == BUS_BATCH_OK) {
        assert(bytes_equal(batch.head.receiver, receiver));
        check_batch(&batch);
        check_again(&batch, bytes_of(NULL, 0));
        check_again(&batch, key);
    }
    free(copy);
    return 0;
}
