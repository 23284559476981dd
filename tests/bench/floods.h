/* SPDX-License-Identifier: MIT */
/*
 * floods: what two people who talk to each other notice of one client that floods their node, kind
 * by kind. It prints figures and judges nothing.
 */
#ifndef BENCH_FLOODS_H
#define BENCH_FLOODS_H

#include <stdbool.h>
#include <stdint.h>

/** `only`: the name of one flood, or NULL: all. False, after a sentence on stderr, when something
 * could not be measured. */
bool floods_measure(const char *only, int64_t duration_ms);
bool floods_has(const char *name);

#endif
