/* SPDX-License-Identifier: MIT */
/*
 * channel: a client's connection to its home, of whichever kind: the push connection that the node
 * keeps to it, or the line that it has opened. At most one at a time. Not for others than talk/.
 */
#ifndef CORE_CHANNEL_H
#define CORE_CHANNEL_H

#include "core_state.h"

bool channel_is_open(const struct client *client);
/** It is there, and the client has shown signs of life. */
bool channel_is_alive(const struct core *core, const struct client *client);
/** Nothing waits in it for the client to take. */
bool channel_is_idle(const struct core *core, const struct client *client);
/** The mark of what the client has confirmed; lines confirm nothing: 0. */
uint64_t channel_confirmed(const struct core *core, const struct client *client);

/* False when the connection, or memory, is full: later. True also when nobody is there. */
bool channel_entry(struct core *core, struct client *client, struct entry *entry);
bool channel_listing(struct core *core, struct client *client, struct listing *listing);
/** A notice that is of no room. Nobody keeps it: one whose connection is full misses it. */
void channel_announce(struct core *core, const struct client *client, struct entry *notice);
/** Only to one with a line. */
bool channel_gap(struct core *core, struct client *client, uint64_t from, uint64_t to);

/** A list of this kind is for this kind of connection. */
bool channel_takes(const struct client *client, enum listing_kind list);

/** An HGTP message over the line; false: it has none. */
bool channel_hgtp(struct core *core, const struct client *client, struct bytes message);
/** Tell one with a line who and where it is. */
void channel_session(struct core *core, const struct client *client);
/** ... and that of its room's entries those up to `kept` are what it has, the later ones are anew.
 */
void channel_epoch(struct core *core, const struct client *client, uint64_t kept);
void channel_reconnect(struct core *core, const struct client *client, int64_t after_ms);

/** One line more, or less. */
void channel_counted(struct core *core, int by);
/** Close what there is; `why` is told on a line. */
void channel_close(struct core *core, struct client *client, enum ws_close why);

#endif
