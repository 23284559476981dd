/* SPDX-License-Identifier: MIT */
/*
 * metrics: holds the numbers of metrics.def and writes them as Prometheus text. It counts nothing
 * itself. What the kernel knows of the process is metrics_process.c's.
 */
#include "node/base/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t metrics_values[METRIC_COUNT];
struct metrics_histogram metrics_histograms[HISTOGRAM_COUNT];

static char metrics_version[64] = "unknown";

struct metrics_row {
    const char *kind;
    const char *prom;
    const char *labels;
    const char *help;
};

#define METRICS_COUNTER "counter"
#define METRICS_GAUGE   "gauge"

static const struct metrics_row metrics_rows[METRIC_COUNT] = {
#define METRIC(name, kind, prom, labels, help) {METRICS_##kind, prom, labels, help},
#include "node/base/metrics.def"
};

static const struct metrics_row metrics_histogram_rows[HISTOGRAM_COUNT] = {
#define HISTOGRAM(name, prom, labels, help) {"histogram", prom, labels, help},
#include "node/base/metrics.def"
};

/* Upper bounds, the bound included, with their text. */
static const struct {
    int64_t us;
    const char *le;
} metrics_bounds[METRICS_BOUNDS] = {
    {100, "0.0001"},  {250, "0.00025"}, {500, "0.0005"},  {1000, "0.001"},
    {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},  {25000, "0.025"},
    {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"},
    {1000000, "1"},   {2500000, "2.5"}, {5000000, "5"},   {10000000, "10"},
};

void metric_observe(enum histogram histogram, int64_t us)
{
    struct metrics_histogram *to = &metrics_histograms[histogram];
    int64_t taken_us = us > 0 ? us : 0;
    size_t range = 0;
    while (range < METRICS_BOUNDS && taken_us > metrics_bounds[range].us) {
        range++;
    }
    to->counts[range]++;
    to->sum_us += taken_us;
}

int64_t metrics_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void metrics_set_version(const char *version)
{
    (void)snprintf(metrics_version, sizeof metrics_version, "%s", version);
}

void metrics_each(void (*on_metric)(const char *name, const char *labels, const char *help,
                                    int64_t value, void *arg),
                  void *arg)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const struct metrics_row *row = &metrics_rows[i];
        on_metric(row->prom, row->labels, row->help, metrics_values[i], arg);
    }
}

/* Text ------------------------------------------------------------------------------------------
 */

void metrics_head(struct sink *out, const char *name, const char *kind, const char *help)
{
    const char *parts[] = {"# HELP ", name, " ", help, "\n# TYPE ", name, " ", kind, "\n"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        sink_text(out, parts[i]);
    }
}

void metrics_sample(struct sink *out, const char *name, const char *labels, int64_t value)
{
    char number[24];
    (void)snprintf(number, sizeof number, " %" PRId64 "\n", value);
    sink_text(out, name);
    sink_text(out, labels);
    sink_text(out, number);
}

/* Samples of one name have one head. */
static void metrics_row_head(struct sink *out, const struct metrics_row *rows, size_t i)
{
    if (i == 0 || strcmp(rows[i].prom, rows[i - 1].prom) != 0) {
        metrics_head(out, rows[i].prom, rows[i].kind, rows[i].help);
    }
}

static void metrics_table(struct sink *out)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        metrics_row_head(out, metrics_rows, i);
        metrics_sample(out, metrics_rows[i].prom, metrics_rows[i].labels, metrics_values[i]);
    }
}

/* name_bucket{labels,le="bound"} */
static void metrics_bucket(struct sink *out, const struct metrics_row *row, const char *le,
                           int64_t count)
{
    char labels[128];
    size_t len = strlen(row->labels);
    (void)snprintf(labels, sizeof labels, "%.*s%sle=\"%s\"}", len > 0 ? (int)len - 1 : 0,
                   row->labels, len > 0 ? "," : "{", le);
    sink_text(out, row->prom);
    metrics_sample(out, "_bucket", labels, count);
}

static void metrics_histogram(struct sink *out, size_t i)
{
    const struct metrics_row *row = &metrics_histogram_rows[i];
    const struct metrics_histogram *from = &metrics_histograms[i];
    int64_t count = 0;
    char sum[48];
    metrics_row_head(out, metrics_histogram_rows, i);
    for (size_t range = 0; range <= METRICS_BOUNDS; range++) {
        count += from->counts[range];
        metrics_bucket(out, row, range < METRICS_BOUNDS ? metrics_bounds[range].le : "+Inf", count);
    }
    (void)snprintf(sum, sizeof sum, " %" PRId64 ".%06" PRId64 "\n", from->sum_us / 1000000,
                   from->sum_us % 1000000);
    const char *parts[] = {row->prom, "_sum", row->labels, sum, row->prom};
    for (size_t part = 0; part < sizeof parts / sizeof parts[0]; part++) {
        sink_text(out, parts[part]);
    }
    metrics_sample(out, "_count", row->labels, count);
}

static void metrics_build(struct sink *out)
{
    static const char name[] = "hgtp_build_info";
    char labels[96];
    (void)snprintf(labels, sizeof labels, "{version=\"%s\"}", metrics_version);
    metrics_head(out, name, METRICS_GAUGE, "What this node was made of; always 1.");
    metrics_sample(out, name, labels, 1);
}

void metrics_render(struct sink *out)
{
    metrics_table(out);
    for (size_t i = 0; i < HISTOGRAM_COUNT; i++) {
        metrics_histogram(out, i);
    }
    metrics_build(out);
    metrics_process_render(out);
}
