/* SPDX-License-Identifier: MIT */
/* top_grid: text in lines of a screen, and the table. For top_frame.c. */
#ifndef ADMIN_TOP_TOP_GRID_H
#define ADMIN_TOP_TOP_GRID_H

#include "admin/top/top_scene.h"

/** Where the next text goes; both begin with 0. SIZE_MAX as row: before the first line. */
struct top_pen {
    FILE *out;
    size_t row, column;
    size_t rows, columns; /* of the screen */
};

/** Go to the beginning of the next line, which is emptied. Below the last one nothing is written.
 */
void top_pen_line(struct top_pen *pen);
/** As much of it as there is room for, made visible. `style`: an escape sequence, or "". */
void top_pen_text(struct top_pen *pen, const char *style, const char *text);
/** Blanks up to the end of the line, reversed. */
void top_pen_fill(struct top_pen *pen);

/** Headings and rows, from the row that `look` has on top, look->page of them. */
void top_grid(struct top_pen *pen, const struct top_scene *scene, const struct top_look *look);

#endif
