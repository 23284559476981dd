/* SPDX-License-Identifier: MIT */
/* histograms: counts observations in fixed buckets and writes them. It measures nothing itself. */
#include "node/base/histograms.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Upper bounds, in microseconds and as Prometheus writes them. */
static const struct {
    int64_t us;
    const char *text;
} histograms_bounds[] = {{250, "0.00025"}, {500, "0.0005"},  {1000, "0.001"},  {2500, "0.0025"},
                         {5000, "0.005"},  {10000, "0.01"},  {25000, "0.025"}, {50000, "0.05"},
                         {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"},  {1000000, "1"},
                         {2500000, "2.5"}, {5000000, "5"},   {10000000, "10"}};
#define HISTOGRAMS_BOUNDS (sizeof histograms_bounds / sizeof histograms_bounds[0])

static const struct {
    const char *prom, *labels, *help;
} histograms_rows[HISTOGRAM_COUNT] = {
#define HISTOGRAM(name, prom, labels, help) {prom, labels, help},
#include "node/base/histograms.def"
};

static struct {
    uint64_t counts[HISTOGRAMS_BOUNDS + 1]; /* the last: beyond all bounds */
    uint64_t sum_us;
} histograms[HISTOGRAM_COUNT];

void histogram_observe(enum histogram histogram, int64_t us)
{
    size_t bucket = 0;
    us = us > 0 ? us : 0;
    while (bucket < HISTOGRAMS_BOUNDS && us > histograms_bounds[bucket].us) {
        bucket++;
    }
    histograms[histogram].counts[bucket]++;
    histograms[histogram].sum_us += (uint64_t)us;
}

static void histograms_line(struct sink *out, size_t i, const char *what, const char *bound,
                            const char *value)
{
    char line[256];
    const char *labels = histograms_rows[i].labels;
    bool has_both = labels[0] != '\0' && bound != NULL;
    bool has_any = labels[0] != '\0' || bound != NULL;
    (void)snprintf(line, sizeof line, "%s%s%s%s%s%s%s%s%s %s\n", histograms_rows[i].prom, what,
                   has_any ? "{" : "", labels, has_both ? "," : "", bound != NULL ? "le=\"" : "",
                   bound != NULL ? bound : "", bound != NULL ? "\"" : "", has_any ? "}" : "",
                   value);
    sink_text(out, line);
}

static void histograms_one(struct sink *out, size_t i)
{
    char value[48];
    uint64_t count = 0;
    for (size_t k = 0; k <= HISTOGRAMS_BOUNDS; k++) {
        count += histograms[i].counts[k];
        (void)snprintf(value, sizeof value, "%" PRIu64, count);
        histograms_line(out, i, "_bucket",
                        k < HISTOGRAMS_BOUNDS ? histograms_bounds[k].text : "+Inf", value);
    }
    (void)snprintf(value, sizeof value, "%" PRIu64 ".%06" PRIu64, histograms[i].sum_us / 1000000,
                   histograms[i].sum_us % 1000000);
    histograms_line(out, i, "_sum", NULL, value);
    (void)snprintf(value, sizeof value, "%" PRIu64, count);
    histograms_line(out, i, "_count", NULL, value);
}

void histograms_render(struct sink *out)
{
    for (size_t i = 0; i < HISTOGRAM_COUNT; i++) {
        if (i == 0 || strcmp(histograms_rows[i].prom, histograms_rows[i - 1].prom) != 0) {
            const char *const head[] = {
                "# HELP ",   histograms_rows[i].prom, " ",           histograms_rows[i].help,
                "\n# TYPE ", histograms_rows[i].prom, " histogram\n"};
            for (size_t k = 0; k < sizeof head / sizeof head[0]; k++) {
                sink_text(out, head[k]);
            }
        }
        histograms_one(out, i);
    }
}
