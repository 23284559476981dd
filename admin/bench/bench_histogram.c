/* SPDX-License-Identifier: MIT */
/*
 * bench_histogram: buckets that are as wide as their values are large: up to 128 us one for each,
 * then 64 for each doubling.
 */
#include "admin/bench/bench_histogram.h"

#include <stddef.h>

static size_t bench_histogram_bucket(uint64_t us)
{
    size_t doubling = 0;
    while (us >> doubling >= 2 * BENCH_HISTOGRAM_STEPS) {
        doubling++;
    }
    size_t bucket = doubling * BENCH_HISTOGRAM_STEPS + (size_t)(us >> doubling);
    return bucket < BENCH_HISTOGRAM_BUCKETS ? bucket : BENCH_HISTOGRAM_BUCKETS - 1;
}

/* The largest duration that falls into it. */
static int64_t bench_histogram_end(size_t bucket)
{
    size_t doubling = bucket < 2 * BENCH_HISTOGRAM_STEPS ? 0 : bucket / BENCH_HISTOGRAM_STEPS - 1;
    uint64_t step = bucket - doubling * BENCH_HISTOGRAM_STEPS;
    return (int64_t)(((step + 1) << doubling) - 1);
}

void bench_histogram_add(struct bench_histogram *histogram, int64_t us)
{
    us = us > 0 ? us : 0;
    histogram->buckets[bench_histogram_bucket((uint64_t)us)]++;
    histogram->count++;
    histogram->max_us = us > histogram->max_us ? us : histogram->max_us;
}

int64_t bench_histogram_at(const struct bench_histogram *histogram, double share)
{
    double wanted = share * (double)histogram->count;
    uint64_t seen = 0;
    for (size_t i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen > 0 && (double)seen >= wanted) {
            int64_t end_us = bench_histogram_end(i);
            return end_us < histogram->max_us ? end_us : histogram->max_us;
        }
    }
    return histogram->max_us;
}
