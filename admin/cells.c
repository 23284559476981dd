/* SPDX-License-Identifier: MIT */
/*
 * cells: the only place that knows of wide characters. The locale has to be one of UTF-8, which
 * main.c sees to.
 */
#include "admin/cells.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#define CELLS_MORE "…"

/* The character at `text`, which is not at its end; its bytes, or 0 when it is none. */
static size_t cells_next(const char *text, wchar_t *ret_character)
{
    mbstate_t state = {0};
    size_t len = mbrtowc(ret_character, text, strlen(text), &state);
    return len > MB_LEN_MAX ? 0 : len;
}

static size_t cells_of(wchar_t character)
{
    int columns = wcwidth(character);
    return columns >= 0 ? (size_t)columns : 1;
}

size_t cells_width(const char *text)
{
    size_t width = 0;
    while (*text != '\0') {
        wchar_t character;
        size_t len = cells_next(text, &character);
        width += len > 0 ? cells_of(character) : 1;
        text += len > 0 ? len : 1;
    }
    return width;
}

void cells_shorten(char *text, size_t columns)
{
    if (columns == 0 || cells_width(text) <= columns) {
        return;
    }
    char *end = text; /* where the dot fits, were it to end there */
    size_t width = 0;
    while (width < columns) {
        wchar_t character;
        size_t len = cells_next(end, &character);
        size_t adds = len > 0 ? cells_of(character) : 1;
        if (width + adds > columns - 1) {
            break;
        }
        width += adds;
        end += len > 0 ? len : 1;
    }
    const char *more = strlen(end) >= strlen(CELLS_MORE) ? CELLS_MORE : ".";
    memcpy(end, more, strlen(more) + 1);
}

void cells_pad(const char *text, size_t columns, bool is_right, FILE *out)
{
    size_t has = cells_width(text);
    int blanks = has < columns ? (int)(columns - has) : 0;
    fprintf(out, "%*s%s%*s", is_right ? blanks : 0, "", text, is_right ? 0 : blanks, "");
}
