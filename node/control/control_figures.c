/* SPDX-License-Identifier: MIT */
/* control_figures: keeps the last samples in a ring. It measures; it shows nothing. */
#include "control_figures.h"

#include <uv.h>

#include "node/base/metrics.h"

static int64_t control_figures_cpu_us(void)
{
    uv_rusage_t usage;
    if (uv_getrusage(&usage) != 0) {
        return 0;
    }
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

void control_figures_tick(struct control_figures *figures, int64_t now_ms)
{
    unsigned last = (figures->next + CONTROL_FIGURES_KEPT - 1) % CONTROL_FIGURES_KEPT;
    if (figures->next > 0 && now_ms - figures->samples[last].at_ms < CONTROL_FIGURES_MS) {
        return;
    }
    figures->samples[figures->next % CONTROL_FIGURES_KEPT] =
        (struct control_sample){.at_ms = now_ms,
                                .messages = metrics_values[METRIC_MESSAGES],
                                .deliveries = metrics_values[METRIC_DELIVERIES],
                                .cpu_us = control_figures_cpu_us()};
    figures->next++;
}

struct control_rates control_figures_rates(const struct control_figures *figures)
{
    unsigned count =
        figures->next < CONTROL_FIGURES_KEPT ? figures->next : (unsigned)CONTROL_FIGURES_KEPT;
    if (count < 2) {
        return (struct control_rates){0};
    }
    const struct control_sample *newest =
        &figures->samples[(figures->next - 1) % CONTROL_FIGURES_KEPT];
    const struct control_sample *oldest =
        &figures->samples[(figures->next - count) % CONTROL_FIGURES_KEPT];
    double seconds = (double)(newest->at_ms - oldest->at_ms) / 1000;
    return (struct control_rates){
        .messages_per_s = (double)(newest->messages - oldest->messages) / seconds,
        .deliveries_per_s = (double)(newest->deliveries - oldest->deliveries) / seconds,
        .cpu_percent = (double)(newest->cpu_us - oldest->cpu_us) / 10000 / seconds};
}

uint64_t control_figures_memory(void)
{
    size_t bytes = 0;
    return uv_resident_set_memory(&bytes) == 0 ? bytes : 0;
}
