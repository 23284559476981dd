/* SPDX-License-Identifier: MIT */
/*
 * lines: sessions and the lines that they live by: attaching, what is asked over them besides HGTP
 * messages, their end. Not for others than talk/.
 */
#ifndef CORE_LINES_H
#define CORE_LINES_H

#include "channel.h"

/** A name for a line that is about to be attached, by which Redis tells it from others. It begins
 * with its kind: w (WebSocket) or s (event stream). */
void lines_name(struct core *core, enum format format, char ret_name[ROSTER_LINE_MAX]);
/** The token that counts for what an asker asks. */
struct bytes lines_token(const struct core_asker *asker);
/** A REGISTER has succeeded that came by `line`; NULL: by none. */
void lines_on_registered(struct core *core, struct bytes uid, void *line, const char *name,
                         struct bytes token);
/** The OK to a REGISTER that came by `line` was one that had been kept: attach the line, as the
 * first one was to be. */
void lines_attach_again(struct core *core, void *line, const struct core_asker *asker);
/** A line of this name has ended, or it is not known whether it has become the session's: Redis is
 * told, until it has answered, that it is none. */
void lines_forget(struct core *core, struct bytes uid, const char *name);
void lines_on_unregistered(struct core *core, struct bytes uid, const void *line);
/** Tell all clients with lines to go to another node, one after the other within `within_ms`. */
void lines_send_away(struct core *core, int64_t within_ms);

#endif
