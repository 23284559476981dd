/* SPDX-License-Identifier: MIT */
/* units: numbers as people write and read them: durations, sizes, rates, times. */
#ifndef ADMIN_UNITS_H
#define ADMIN_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** "90", "1.5", "90s", "250ms", "10m", "2h", "7d" into ms; false: it is none of these. */
bool units_duration(const char *text, int64_t *ret_ms);
/** Digits only. */
bool units_number(const char *text, uint64_t *ret_number);

/* Into `text` of `cap` bytes; 24 are enough. */
void units_age(int64_t ms, char *text, size_t cap);         /* 350ms, 42s, 4m10s, 2h5m, 3d4h */
void units_bytes(double bytes, char *text, size_t cap);     /* 512B, 1.5K, 12M */
void units_rate(double per_s, char *text, size_t cap);      /* 0.5/s, 12.3k/s; below 0: - */
void units_percent(double percent, char *text, size_t cap); /* 12.5% */
void units_time(int64_t unix_ms, char *text, size_t cap);   /* 2026-11-23 07:00:19, or - */
void units_value(double value, char *text, size_t cap);     /* the shortest that reads back equal */

#endif
