/* SPDX-License-Identifier: MIT */
/*
 * room_feed: puts a room's entries in order, each once, whatever the way brought them: early ones
 * are held, repetitions dropped, holes named so that they can be read from the room log. Keeps the
 * recent entries for those who have to catch up. Pure: no clock, no I/O.
 */
#ifndef CORE_ROOM_FEED_H
#define CORE_ROOM_FEED_H

#include "entry.h"

#define ROOM_FEED_RING       64           /* recent entries kept ... */
#define ROOM_FEED_RING_BYTES (256 * 1024) /* ... while they fit into this */
#define ROOM_FEED_HELD       256          /* early entries held; more are read from the log later */

struct room_feed {
    uint64_t next; /* number of the entry to be delivered next */
    uint64_t top;  /* highest number known to exist */
    struct entry *ring[ROOM_FEED_RING];
    uint64_t ring_first; /* lowest number in the ring; ring_first == next: empty */
    size_t ring_bytes;
    struct entry *held[ROOM_FEED_HELD]; /* sorted by number */
    size_t held_count;
};

enum feed_verdict {
    FEED_DELIVER,   /* it is its turn: deliver, then room_feed_pop until that is NULL */
    FEED_DUPLICATE, /* delivered or held already: drop */
    FEED_EARLY,     /* held, or left to the log: a gap stands before it */
};

/** Start with `next` as the number of the first entry to deliver. */
void room_feed_init(struct room_feed *feed, uint64_t next);
void room_feed_fini(struct room_feed *feed);

/** Offer one entry; a reference is taken where the feed keeps it. */
enum feed_verdict room_feed_take(struct room_feed *feed, struct entry *entry);

/** The held entry whose turn has come, borrowed (it is in the ring now), or NULL. */
struct entry *room_feed_pop(struct room_feed *feed);

/** Tell what the log's last number is; never lowers what is known. */
void room_feed_top(struct room_feed *feed, uint64_t top);

/** True when entries are missing: ret_first to ret_last have to be read from the log. */
bool room_feed_gap(const struct room_feed *feed, uint64_t *ret_first, uint64_t *ret_last);

/** The log has lost what lies before `first`: go on there. Returns how many entries are lost. */
uint64_t room_feed_skip(struct room_feed *feed, uint64_t first);

/** A delivered entry that is still kept, borrowed; or NULL. */
struct entry *room_feed_recent(const struct room_feed *feed, uint64_t seq);

#endif
