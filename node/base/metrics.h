/* SPDX-License-Identifier: MIT */
/*
 * metrics: every counter and gauge of a node, from one table (metrics.def), and their Prometheus
 * text. One loop thread writes them; no locks.
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

extern int64_t metrics_values[METRIC_COUNT];

static inline void metric_add(enum metric metric, int64_t by)
{
    metrics_values[metric] += by;
}

static inline void metric_set(enum metric metric, int64_t value)
{
    metrics_values[metric] = value;
}

/** Every counter and gauge of the table as it is; views are static. */
void metrics_each(void (*on_metric)(const char *name, const char *labels, const char *help,
                                    int64_t value, void *arg),
                  void *arg);

/** Append the Prometheus text format (version 0.0.4), process memory and CPU included. */
void metrics_render(struct sink *out);

#endif
