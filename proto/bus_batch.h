/* SPDX-License-Identifier: MIT */
/*
 * bus_batch: what nodes send each other (bus.proto), packed, sealed and opened. Effects are packed
 * one by one and appended to one another; what seals them adds who, to whom and which, and proves
 * it. Nothing in a batch is looked at before its proof holds.
 */
#ifndef PROTO_BUS_BATCH_H
#define PROTO_BUS_BATCH_H

#include "bytes.h"
#include "digest.h"

#define BUS_BATCH_BYTES_MAX  ((size_t)3 << 20) /* sealed; more is not opened */
#define BUS_BATCH_NAME_MAX   160               /* of a node's name */
#define BUS_BATCH_MAC_BYTES  DIGEST_SHA256_BYTES
#define BUS_EFFECT_BYTES_MAX ((size_t)2 << 20) /* packed */

/** Fields of one effect, and least number of fields of a batch that always opens. */
#define BUS_EFFECT_FIELDS_MAX 16384
#define BUS_BATCH_FIELDS_MAX  (2 * BUS_EFFECT_FIELDS_MAX)

/**
 * Storage for one packing or opening, the caller's, used from the start by each. Bounds what a
 * batch of many tiny fields can cost. The sizes suffice for all that keeps within the limits above.
 */
struct bus_arena {
    uint8_t *ptr;
    size_t cap;
    size_t used;
};
#define BUS_ARENA_PACK_BYTES ((size_t)BUS_EFFECT_FIELDS_MAX * 16 + 64)
#define BUS_ARENA_OPEN_BYTES ((size_t)16 << 20)

struct bus_batch_effect {
    const struct bytes *fields;
    size_t count; /* at least 1 */
};

struct bus_batch_head {
    struct bytes sender;
    struct bytes receiver;
    uint64_t number;
    bool is_beat;
};

struct bus_batch {
    struct bus_batch_head head;
    const struct bus_batch_effect *effects;
    size_t effect_count;
};

enum bus_batch_result {
    BUS_BATCH_OK,
    BUS_BATCH_MALFORMED,  /* too large, too many fields, or not a batch of this protocol */
    BUS_BATCH_FORGED,     /* not made with this key */
    BUS_BATCH_NOT_FOR_US, /* well made, for another node or for an earlier life of this one */
    BUS_BATCH_RESULT_COUNT
};

/**
 * Append one effect, packed, to the body of a batch; equal for all receivers.
 *
 * fields   borrowed for the call
 * arena    at least BUS_ARENA_PACK_BYTES
 * returns  false, with nothing written, when the effect has no field, or is beyond
 *          BUS_EFFECT_BYTES_MAX or BUS_EFFECT_FIELDS_MAX; else true: sink_fits(out) says whether
 * there was room
 */
bool bus_batch_add(const struct bytes *fields, size_t count, struct bus_arena *arena,
                   struct sink *out);

/** Bytes that bus_batch_seal adds at most. */
#define BUS_BATCH_SEAL_MAX (2 * (BUS_BATCH_NAME_MAX + 4) + 16 + BUS_BATCH_MAC_BYTES)

/** Append the head to a body, and the proof if `key` isn't empty. The names are within
 * BUS_BATCH_NAME_MAX and the number isn't 0. */
void bus_batch_seal(const struct bus_batch_head *head, struct bytes key, struct sink *out);

/**
 * Open what bus_batch_seal has made.
 *
 * key        the same; empty: nothing is proved and nothing checked
 * receiver   name of this node
 * arena      at least BUS_ARENA_OPEN_BYTES; not to be used while ret_batch is
 * ret_batch  on OK: filled; its views point into `arena`
 * returns    see bus_batch_result; all but OK: drop it and count it
 */
enum bus_batch_result bus_batch_open(struct bytes in, struct bytes key, struct bytes receiver,
                                     struct bus_arena *arena, struct bus_batch *ret_batch);

#endif
