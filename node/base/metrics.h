/* SPDX-License-Identifier: MIT */
/*
 * metrics: every counter, gauge and histogram of a node, from one table (metrics.def), and their
 * Prometheus text. One loop thread writes them; no locks, no allocation.
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdint.h>

#include "proto/bytes.h"

/* metrics.def: METRIC(name, COUNTER|GAUGE, prometheus name, labels in braces or "", help). Rows
 * that share a Prometheus name stand together and differ in their labels. */
enum metric {
#define METRIC(name, kind, prom, labels, help) METRIC_##name,
#include "metrics.def"
    METRIC_COUNT
};

/* metrics.def: HISTOGRAM(name, prometheus name, labels as above, help). All count seconds. */
enum histogram {
#define HISTOGRAM(name, prom, labels, help) HISTOGRAM_##name,
#include "metrics.def"
    HISTOGRAM_COUNT
};

/** One range for all, from 100 us to 10 s: their quantiles can be compared. */
#define METRICS_BOUNDS 16

struct metrics_histogram {
    int64_t counts[METRICS_BOUNDS + 1]; /* per range, the last one without end */
    int64_t sum_us;
};

extern int64_t metrics_values[METRIC_COUNT];
extern struct metrics_histogram metrics_histograms[HISTOGRAM_COUNT];

static inline void metric_add(enum metric metric, int64_t by)
{
    metrics_values[metric] += by;
}

static inline void metric_set(enum metric metric, int64_t value)
{
    metrics_values[metric] = value;
}

/** Count a duration; one below 0, as of clocks that differ, counts as 0. */
void metric_observe(enum histogram histogram, int64_t us);

/** Monotonic, in microseconds; for durations that are measured, not for what is decided by them. */
int64_t metrics_now_us(void);

/** Every counter and gauge of the table as it is; views are static. */
void metrics_each(void (*on_metric)(const char *name, const char *labels, const char *help,
                                    int64_t value, void *arg),
                  void *arg);

/** What metrics_render says of the program: its version, copied as far as it fits. */
void metrics_set_version(const char *version);

/** Append the Prometheus text format (version 0.0.4), build and process included. */
void metrics_render(struct sink *out);

/** Append what the kernel knows of this process: memory, CPU time, descriptors, start. */
void metrics_process_render(struct sink *out);

/** Append the lines before the samples of one name; `kind` as Prometheus has it. */
void metrics_head(struct sink *out, const char *name, const char *kind, const char *help);
/** Append one sample; `labels` in braces or "". */
void metrics_sample(struct sink *out, const char *name, const char *labels, int64_t value);

#endif
