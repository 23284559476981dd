/* SPDX-License-Identifier: MIT */
/*
 * top_look: keys and what they do. The list that people see of them is in top_frame.c.
 */
#include "admin/top/top_look.h"

#include <string.h>

void top_look_init(struct top_look *look, enum top_view view)
{
    *look = (struct top_look){.view = view};
    for (size_t i = 0; i < TOP_VIEWS; i++) {
        look->views[i].column = top_table((enum top_view)i)->order;
    }
}

struct top_wish top_look_wish(const struct top_look *look, uint32_t limit)
{
    const struct top_look_view *view = &look->views[look->view];
    struct top_wish wish = {look->view, view->column, view->is_reverse, limit, ""};
    memcpy(wish.match, view->match, sizeof wish.match);
    return wish;
}

void top_look_fit(struct top_look *look, size_t row_count, size_t page)
{
    struct top_look_view *view = &look->views[look->view];
    size_t last = row_count > page ? row_count - page : 0;
    look->page = page;
    view->first = view->first < last ? view->first : last;
}

/* Typing --------------------------------------------------------------------------------------- */

static size_t top_look_encode(uint32_t character, char ret_utf8[4])
{
    if (character < 0x80) {
        ret_utf8[0] = (char)character;
        return 1;
    }
    size_t len = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        ret_utf8[i] = (char)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    ret_utf8[0] = (char)((0xf00u >> len & 0xff) | character);
    return len;
}

static void top_look_rub_out(char *text)
{
    size_t len = strlen(text);
    while (len > 0 && ((unsigned char)text[--len] & 0xc0) == 0x80) {
    }
    text[len] = '\0';
}

static enum top_deed top_look_type(struct top_look *look, uint32_t key)
{
    char utf8[4];
    size_t used = strlen(look->typed), len;
    switch (key) {
    case KEY_ENTER:
        look->is_typing = false;
        memcpy(look->views[look->view].match, look->typed, sizeof look->typed);
        look->views[look->view].first = 0;
        return TOP_READ;
    case KEY_ESCAPE:
    case KEY_CTRL_C:
        look->is_typing = false;
        return TOP_DRAW;
    case KEY_BACKSPACE:
        top_look_rub_out(look->typed);
        return TOP_DRAW;
    case KEY_CTRL_U:
        look->typed[0] = '\0';
        return TOP_DRAW;
    default:
        break;
    }
    len = key >= 0x20 && key < KEY_UP ? top_look_encode(key, utf8) : 0;
    if (len == 0 || used + len >= sizeof look->typed) {
        return TOP_NOTHING;
    }
    memcpy(look->typed + used, utf8, len);
    look->typed[used + len] = '\0';
    return TOP_DRAW;
}

/* Commands ------------------------------------------------------------------------------------- */

static enum top_deed top_look_go(struct top_look *look, size_t view)
{
    look->view = (enum top_view)(view % TOP_VIEWS);
    return TOP_READ;
}

static enum top_deed top_look_order(struct top_look *look, size_t step)
{
    struct top_look_view *view = &look->views[look->view];
    size_t count = top_table(look->view)->column_count;
    view->column = (view->column + step) % count;
    view->is_reverse = false;
    return TOP_SORT;
}

/* Where it ends is seen to by top_look_fit. */
static enum top_deed top_look_scroll(struct top_look *look, size_t rows, bool is_up)
{
    size_t *first = &look->views[look->view].first;
    if (is_up) {
        *first -= rows < *first ? rows : *first;
    } else {
        *first += rows;
    }
    return TOP_DRAW;
}

static enum top_deed top_look_special(struct top_look *look, uint32_t key)
{
    size_t last = top_table(look->view)->column_count - 1;
    switch (key) {
    case KEY_TAB:
        return top_look_go(look, (size_t)look->view + 1);
    case KEY_BACK_TAB:
        return top_look_go(look, (size_t)look->view + TOP_VIEWS - 1);
    case KEY_LEFT:
    case '<':
        return top_look_order(look, last);
    case KEY_RIGHT:
    case '>':
        return top_look_order(look, 1);
    case KEY_UP:
        return top_look_scroll(look, 1, true);
    case KEY_DOWN:
        return top_look_scroll(look, 1, false);
    case KEY_PAGE_UP:
        return top_look_scroll(look, look->page, true);
    case KEY_PAGE_DOWN:
        return top_look_scroll(look, look->page, false);
    case KEY_HOME:
        return top_look_scroll(look, SIZE_MAX, true);
    case KEY_END:
        return top_look_scroll(look, SIZE_MAX / 2 - look->views[look->view].first, false);
    default:
        return TOP_NOTHING;
    }
}

enum top_deed top_look_key(struct top_look *look, uint32_t key)
{
    if (look->is_typing) {
        return top_look_type(look, key);
    }
    bool had_help = look->has_help;
    look->has_help = false;
    switch (key) {
    case 'q':
    case KEY_CTRL_C:
        return TOP_QUIT;
    case KEY_CTRL_Z:
        return TOP_STOP;
    case KEY_CTRL_L:
        return TOP_DRAW;
    case '?':
    case 'h':
        look->has_help = !had_help;
        return TOP_DRAW;
    case 'n':
        return top_look_go(look, TOP_NODES);
    case 'r':
        return top_look_go(look, TOP_ROOMS);
    case 's':
        return top_look_go(look, TOP_SESSIONS);
    case 'R':
        look->views[look->view].is_reverse = !look->views[look->view].is_reverse;
        return TOP_SORT;
    case '/':
        look->is_typing = true;
        memcpy(look->typed, look->views[look->view].match, sizeof look->typed);
        return TOP_DRAW;
    case ' ':
        look->is_paused = !look->is_paused;
        return TOP_PAUSE;
    default:
        break;
    }
    enum top_deed deed = top_look_special(look, key);
    return deed == TOP_NOTHING && had_help ? TOP_DRAW : deed;
}
