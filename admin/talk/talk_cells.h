/* SPDX-License-Identifier: MIT */
/*
 * talk_cells: how much room characters take on a terminal, counted as libedit counts when it draws
 * a line that is being edited: Korean letters and emoji take two cells, and none is cut by the
 * terminal's edge.
 */
#ifndef ADMIN_TALK_TALK_CELLS_H
#define ADMIN_TALK_TALK_CELLS_H

#include <stddef.h>
#include <wchar.h>

/** A place on the terminal, relative to where the prompt begins. */
struct talk_cells {
    size_t row, column;
};

/**
 * Where drawing ends that begins at `from`.
 *
 * columns  of the terminal; at least 2
 */
struct talk_cells talk_cells_after(struct talk_cells from, const wchar_t *text, size_t len,
                                   size_t columns);

/** Cells of a text on a line without end. */
size_t talk_cells_width(const wchar_t *text, size_t len);

#endif
