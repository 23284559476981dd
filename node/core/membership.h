/* SPDX-License-Identifier: MIT */
/*
 * membership: which of this node's clients are in which rooms. It is told by answers of scripts and
 * by the entries of room logs, which come by different ways and in any order. Each stay of a
 * session in a room has a number, greater than those of all earlier ones: of two words about a
 * session that with the greater number holds, and of two about one stay that it is over.
 */
#ifndef CORE_MEMBERSHIP_H
#define CORE_MEMBERSHIP_H

#include "core_state.h"

/** What Redis has of a session's stay in a room. */
struct membership {
    int64_t stay;  /* the last one, over unless `is_in` */
    int64_t fence; /* of the state of Redis that says so; 0: the one last heard of */
    bool is_in;
    struct roster_room room; /* views; only if `is_in` */
    uint64_t first;          /* the next entry for the client */
};

/** True when the client is in that room now. */
bool membership_is_in(const struct client *client, struct bytes room_id, struct bytes epoch);

/** Carry out what was said, unless a later word is known. */
void membership_told(struct core *core, struct client *client, const struct membership *told);
/** That stay is over. */
void membership_over(struct core *core, struct client *client, int64_t stay);
/** An entry whose turn has come in the room's log, before it is delivered. The caller holds the
 * room (roster_hold). */
void membership_entry(struct core *core, struct room *room, const struct entry *entry);
/** True when the client's stay ends with this entry: one that catches up must not get beyond it. */
bool membership_ends(const struct client *client, const struct entry *entry);
/** effect `members`: who is in the room as of its log's top, where entries that said so are lost.
 */
void membership_as_of_top(struct core *core, struct room *room, const struct effect *members);
/** Redis' word on who manages the room, as of the entry before `next`; what the log said of it may
 * be lost. Ignored where more has been delivered since; clients are told if it is news. */
void membership_managed(struct core *core, struct room *room, struct bytes manager, uint64_t next);
/** End of roster_hold: the room is freed if all are out. */
void membership_let_go(struct core *core, struct room *room);
/** All out: the room is closed, or unknown until this node has asked again. */
void membership_clear(struct core *core, struct room *room, bool is_closed);

#endif
