/* SPDX-License-Identifier: MIT */
/* bench_histogram: many durations in little room, each to within 2 %. */
#ifndef ADMIN_BENCH_BENCH_HISTOGRAM_H
#define ADMIN_BENCH_BENCH_HISTOGRAM_H

#include <stdint.h>

#define BENCH_HISTOGRAM_STEPS   64 /* to each doubling */
#define BENCH_HISTOGRAM_BUCKETS (BENCH_HISTOGRAM_STEPS * 40)

/** Zeroed storage is an empty one. */
struct bench_histogram {
    uint64_t buckets[BENCH_HISTOGRAM_BUCKETS];
    uint64_t count;
    int64_t max_us;
};

void bench_histogram_add(struct bench_histogram *histogram, int64_t us);
/** The duration that `share` (0 to 1) of all do not exceed; 0 where there is none. */
int64_t bench_histogram_at(const struct bench_histogram *histogram, double share);

#endif
