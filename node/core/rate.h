/* SPDX-License-Identifier: MIT */
/* rate: token buckets. A bucket holds one second's worth and starts full. */
#ifndef CORE_RATE_H
#define CORE_RATE_H

#include <stdbool.h>
#include <stdint.h>

/** Zeroed storage is a full bucket. */
struct rate_bucket {
    int64_t used_milli; /* thousandths of a token taken and not yet back */
    int64_t at_ms;
};

/** What has come back until now is in the bucket; `per_s` may differ from call to call. */
static inline void rate_refill(struct rate_bucket *bucket, int64_t per_s, int64_t now_ms)
{
    int64_t back_milli = (now_ms - bucket->at_ms) * per_s;
    bucket->at_ms = now_ms;
    bucket->used_milli = back_milli >= bucket->used_milli ? 0 : bucket->used_milli - back_milli;
}

/** Take one token if there is one. */
static inline bool rate_take(struct rate_bucket *bucket, int64_t per_s, int64_t now_ms)
{
    rate_refill(bucket, per_s, now_ms);
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

/** Take so many, there or not: what is owed comes back first. Nobody owes more than a second's
 * worth. */
static inline void rate_charge(struct rate_bucket *bucket, int64_t tokens, int64_t per_s,
                               int64_t now_ms)
{
    rate_refill(bucket, per_s, now_ms);
    bucket->used_milli += tokens * 1000;
    if (bucket->used_milli > 2 * per_s * 1000) {
        bucket->used_milli = 2 * per_s * 1000;
    }
}

/** Give back what rate_take took: the request turned out to be none. */
static inline void rate_give_back(struct rate_bucket *bucket)
{
    bucket->used_milli = bucket->used_milli > 1000 ? bucket->used_milli - 1000 : 0;
}

/**
 * Buckets by address (or another key) in fixed memory; zeroed storage has none but full ones. No
 * two keys share one; where there is no place, the bucket of RATE_WAYS goes that has not been taken
 * from for the longest time. `seed` keeps strangers from choosing which ones these are.
 */
#define RATE_SETS 512
#define RATE_WAYS 8
struct rate_entry {
    uint64_t key;
    struct rate_bucket bucket;
};
struct rate_table {
    uint32_t seed;
    struct rate_entry entries[RATE_SETS][RATE_WAYS];
};

/** Valid until the next call. */
static inline struct rate_bucket *rate_table_slot(struct rate_table *table, uint64_t key)
{
    uint64_t mixed = (key ^ table->seed) * 0x9e3779b97f4a7c15u;
    struct rate_entry *set = table->entries[(mixed >> 40) % RATE_SETS], *oldest = set;
    for (int i = 0; i < RATE_WAYS; i++) {
        if (set[i].key == key) {
            return &set[i].bucket;
        }
        oldest = set[i].bucket.at_ms < oldest->bucket.at_ms ? &set[i] : oldest;
    }
    *oldest = (struct rate_entry){.key = key};
    return &oldest->bucket;
}

static inline bool rate_table_take(struct rate_table *table, uint64_t key, int64_t per_s,
                                   int64_t now_ms)
{
    return rate_take(rate_table_slot(table, key), per_s, now_ms);
}

#endif
