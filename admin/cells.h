/* SPDX-License-Identifier: MIT */
/*
 * cells: UTF-8 text on a terminal: how many columns it takes, and how it is made short.
 */
#ifndef ADMIN_CELLS_H
#define ADMIN_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** Columns by wcwidth: 2 for Hangul and emoji, 0 for what joins; 1 for what is no character. */
size_t cells_width(const char *text);

/** In place: at most `columns` columns, a dot at the end where something is left out. */
void cells_shorten(char *text, size_t columns);

/** Write with blanks to `columns` columns, before it or behind it. */
void cells_pad(const char *text, size_t columns, bool is_right, FILE *out);

#endif
