/* SPDX-License-Identifier: MIT */
/* rate: token buckets. A bucket holds one second's worth and starts full. */
#ifndef TALK_RATE_H
#define TALK_RATE_H

#include <stdbool.h>
#include <stdint.h>

/** Zeroed storage is a full bucket. */
struct rate_bucket {
    int64_t used_milli; /* thousandths of a token taken and not yet back */
    int64_t at_ms;
};

/** Take one token if there is one; `per_s` may differ from call to call. */
static inline bool rate_take(struct rate_bucket *bucket, int64_t per_s, int64_t now_ms)
{
    int64_t back_milli = (now_ms - bucket->at_ms) * per_s;
    bucket->at_ms = now_ms;
    bucket->used_milli = back_milli >= bucket->used_milli ? 0 : bucket->used_milli - back_milli;
    if (bucket->used_milli + 1000 > per_s * 1000) {
        return false;
    }
    bucket->used_milli += 1000;
    return true;
}

/** True when rate_take would take one. */
static inline bool rate_has(const struct rate_bucket *bucket, int64_t per_s, int64_t now_ms)
{
    int64_t left_milli = bucket->used_milli - (now_ms - bucket->at_ms) * per_s;
    return (left_milli > 0 ? left_milli : 0) + 1000 <= per_s * 1000;
}

/** Give back what rate_take took: the request turned out to be none. */
static inline void rate_give_back(struct rate_bucket *bucket)
{
    bucket->used_milli = bucket->used_milli > 1000 ? bucket->used_milli - 1000 : 0;
}

/**
 * Buckets by address (or another key) in fixed memory: keys that fall on one slot share its bucket.
 * `seed` keeps strangers from choosing whose bucket they share.
 */
#define RATE_SLOTS 4096
struct rate_table {
    uint32_t seed;
    struct rate_bucket slots[RATE_SLOTS];
};

static inline struct rate_bucket *rate_table_slot(struct rate_table *table, uint64_t key)
{
    uint64_t mixed = (key ^ table->seed) * 0x9e3779b97f4a7c15u;
    return &table->slots[(mixed >> 40) % RATE_SLOTS];
}

static inline bool rate_table_take(struct rate_table *table, uint64_t key, int64_t per_s,
                                   int64_t now_ms)
{
    return rate_take(rate_table_slot(table, key), per_s, now_ms);
}

#endif
