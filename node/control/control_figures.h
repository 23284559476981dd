/* SPDX-License-Identifier: MIT */
/*
 * control_figures: how much a node does, from its metrics: rates over the last seconds, memory,
 * CPU. Sampled by the clock; what the numbers count is metrics.def's.
 */
#ifndef CONTROL_CONTROL_FIGURES_H
#define CONTROL_CONTROL_FIGURES_H

#include <stdint.h>

#define CONTROL_FIGURES_MS   1000 /* between samples */
#define CONTROL_FIGURES_KEPT 6    /* samples: rates are over the time between oldest and newest */

struct control_sample {
    int64_t at_ms;
    int64_t messages, deliveries;
    int64_t cpu_us;
};

/** Zeroed storage is one without samples. */
struct control_figures {
    struct control_sample samples[CONTROL_FIGURES_KEPT];
    unsigned next; /* how many were taken */
};

struct control_rates {
    double messages_per_s, deliveries_per_s;
    double cpu_percent; /* of one CPU */
};

/** Take a sample if one is due; `now_ms` is monotonic. */
void control_figures_tick(struct control_figures *figures, int64_t now_ms);
/** Zero until there are two samples. */
struct control_rates control_figures_rates(const struct control_figures *figures);
/** Memory of this process that is in RAM, in bytes. */
uint64_t control_figures_memory(void);

#endif
