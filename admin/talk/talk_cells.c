/* SPDX-License-Identifier: MIT */
/*
 * talk_cells: cells and rows. It draws nothing. What a terminal does with joined emoji is its own
 * affair; they are counted one by one, as libedit does.
 */
#include "admin/talk/talk_cells.h"

#include <wctype.h>

#define TALK_CELLS_TAB 8

static size_t talk_cells_of(wchar_t character, size_t column)
{
    if (character == L'\t') {
        return TALK_CELLS_TAB - column % TALK_CELLS_TAB;
    }
    if (iswcntrl((wint_t)character)) {
        return 2; /* ^X */
    }
    int width = wcwidth(character);
    if (width >= 0) {
        return (size_t)width;
    }
    return character > 0xffff ? 8 : 7; /* \U+XXXXX or \U+XXXX */
}

struct talk_cells talk_cells_after(struct talk_cells from, const wchar_t *text, size_t len,
                                   size_t columns)
{
    for (size_t i = 0; i < len; i++) {
        size_t cells = talk_cells_of(text[i], from.column);
        if (cells <= 2 && from.column + cells > columns) {
            from.row++;
            from.column = 0;
        }
        from.column += cells;
        while (from.column >= columns) {
            from.row++;
            /* What is longer than two cells is drawn cell by cell; a tab ends with its row. */
            from.column = text[i] == L'\t' ? 0 : from.column - columns;
        }
    }
    return from;
}

size_t talk_cells_width(const wchar_t *text, size_t len)
{
    return talk_cells_after((struct talk_cells){0, 0}, text, len, (size_t)-1).column;
}
