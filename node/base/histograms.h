/* SPDX-License-Identifier: MIT */
/*
 * histograms: how long things take at this node, from one table (histograms.def), and their
 * Prometheus text. Buckets are the same for all. One loop thread writes them; no locks.
 */
#ifndef BASE_HISTOGRAMS_H
#define BASE_HISTOGRAMS_H

#include <stdint.h>

#include "proto/bytes.h"

/* Rows that share a Prometheus name stand together and differ in their labels. */
enum histogram {
#define HISTOGRAM(name, prom, labels, help) HISTOGRAM_##name,
#include "histograms.def"
    HISTOGRAM_COUNT
};

/** Something took `us` microseconds; less than none counts as none. */
void histogram_observe(enum histogram histogram, int64_t us);

/** Append the Prometheus text format (version 0.0.4). */
void histograms_render(struct sink *out);

#endif
