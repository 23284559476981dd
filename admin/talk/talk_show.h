/* SPDX-License-Identifier: MIT */
/*
 * talk_show: lines as people see them. Whatever comes from others goes through visible_put
 * (proto/visible.h).
 */
#ifndef ADMIN_TALK_TALK_SHOW_H
#define ADMIN_TALK_TALK_SHOW_H

#include "proto/visible.h"

struct talk_show {
    bool has_colour;
    bool is_plain; /* for programs: one line for each thing, whatever is in it */
};

/** Append `12:03 alice: hi`. On a terminal further lines of the text are indented below it. */
void talk_show_said(const struct talk_show *show, int64_t time_unix_ms, struct bytes from,
                    bool is_own, struct bytes text, struct sink *out);

/** Append `* bob joined`: what an event of the room means, in words. `notice`: the server's own. */
void talk_show_event(const struct talk_show *show, struct bytes event, struct bytes user,
                     struct bytes notice, struct sink *out);

/** Append a line of our own, calm; `text` is safe already. */
void talk_show_status(const struct talk_show *show, const char *text, struct sink *out);
void talk_show_error(const struct talk_show *show, const char *text, struct sink *out);

#endif
