/* SPDX-License-Identifier: MIT */
/*
 * top_look: what the person at the terminal looks at, and how keys change it. Neither terminal nor
 * node.
 */
#ifndef ADMIN_TOP_TOP_LOOK_H
#define ADMIN_TOP_TOP_LOOK_H

#include "admin/top/top_keys.h"
#include "admin/top/top_read.h"

struct top_look {
    enum top_view view;
    struct top_look_view {
        size_t column; /* by which it is sorted */
        bool is_reverse;
        size_t first; /* row on top */
        char match[TOP_MATCH_MAX + 1];
    } views[TOP_VIEWS];
    size_t page; /* rows that the screen has for the table: top_frame says so */
    bool is_paused, has_help;
    bool is_typing; /* the filter: */
    char typed[TOP_MATCH_MAX + 1];
};

void top_look_init(struct top_look *look, enum top_view view);

/** What a key makes necessary. */
enum top_deed {
    TOP_NOTHING,
    TOP_DRAW,
    TOP_SORT,  /* the same in another order */
    TOP_READ,  /* something else */
    TOP_PAUSE, /* is_paused has changed */
    TOP_STOP,  /* Ctrl-Z */
    TOP_QUIT,
};
enum top_deed top_look_key(struct top_look *look, uint32_t key);

struct top_wish top_look_wish(const struct top_look *look, uint32_t limit);

/** The table has so many rows, and the screen room for `page` of them: what is on top fits that. */
void top_look_fit(struct top_look *look, size_t row_count, size_t page);

#endif
