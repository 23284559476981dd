/* SPDX-License-Identifier: MIT */
/*
 * visible_print: printf for people: whatever its arguments hold, from a command line, a file or a
 * node, goes through visible_put; the format's own line breaks are the only ones.
 */
#ifndef ADMIN_VISIBLE_PRINT_H
#define ADMIN_VISIBLE_PRINT_H

#include <stdarg.h>
#include <stdio.h>

#include "proto/bytes.h"

/** As printf, with the conversions s, c, d, i, u, x, f and %, and the lengths l, ll, z, j. */
void visible_printf(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void visible_vprintf(FILE *out, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/** A copy with all made visible; freed by the caller. NULL: memory is out. */
char *visible_copy(struct bytes text);

#endif
