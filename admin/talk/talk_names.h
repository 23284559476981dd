/* SPDX-License-Identifier: MIT */
/* talk_names: a list of names as the server tells it, whole or page by page. */
#ifndef ADMIN_TALK_TALK_NAMES_H
#define ADMIN_TALK_TALK_NAMES_H

#include <jansson.h>
#include <stdbool.h>

struct talk_name {
    char *name;
    long members; /* of a room */
    bool is_away; /* a user who has lost the connection */
};

/** Zeroed storage is an empty list. */
struct talk_names {
    struct talk_name *names;
    size_t
        count; /* as far as the server has told them: the first page, or all that was asked for */
    size_t total; /* that there are */
};

void talk_names_fini(struct talk_names *names);
bool talk_names_has(const struct talk_names *names, const char *name);

/**
 * Take a list from a text of the server.
 *
 * text    its "first", if it has one, is the place of the first name: a page; else it is all that
 *         is told unasked; its "total" says how many there are, its "away", if it has one, who of
 *         them is
 * names   array of strings; anything else in it is passed over
 * counts  array of numbers in the same order, or NULL
 */
void talk_names_take(struct talk_names *list, const json_t *text, const json_t *names,
                     const json_t *counts);

/** strdup that does not fail. */
char *talk_names_copy(const char *text);

#endif
