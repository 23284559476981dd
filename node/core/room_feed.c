/* SPDX-License-Identifier: MIT */
/*
 * room_feed: order, duplicates, gaps and recent entries of one room. It neither reads the log nor
 * delivers; it says which of the two is due.
 */
#include "room_feed.h"

void room_feed_init(struct room_feed *feed, uint64_t next)
{
    *feed = (struct room_feed){.next = next, .top = next - 1, .ring_first = next};
}

static void room_feed_drop_oldest(struct room_feed *feed)
{
    struct entry **slot = &feed->ring[feed->ring_first % ROOM_FEED_RING];
    feed->ring_bytes -= entry_bytes(*slot);
    entry_unref(*slot);
    *slot = NULL;
    feed->ring_first++;
}

static void room_feed_clear_ring(struct room_feed *feed)
{
    while (feed->ring_first < feed->next) {
        room_feed_drop_oldest(feed);
    }
}

void room_feed_fini(struct room_feed *feed)
{
    room_feed_clear_ring(feed);
    for (size_t i = 0; i < feed->held_count; i++) {
        entry_unref(feed->held[i]);
    }
    feed->held_count = 0;
}

/* The entry's turn has come: it moves into the ring, whose reference the caller hands over. */
static void room_feed_advance(struct room_feed *feed, struct entry *entry)
{
    assert(entry->seq == feed->next);
    if (feed->next - feed->ring_first == ROOM_FEED_RING) {
        room_feed_drop_oldest(feed);
    }
    feed->ring[entry->seq % ROOM_FEED_RING] = entry;
    feed->ring_bytes += entry_bytes(entry);
    feed->next++;
    room_feed_top(feed, entry->seq);
    while (feed->ring_bytes > ROOM_FEED_RING_BYTES && feed->ring_first + 1 < feed->next) {
        room_feed_drop_oldest(feed);
    }
}

static enum feed_verdict room_feed_hold(struct room_feed *feed, struct entry *entry)
{
    size_t at = feed->held_count;
    while (at > 0 && feed->held[at - 1]->seq > entry->seq) {
        at--;
    }
    if (at > 0 && feed->held[at - 1]->seq == entry->seq) {
        return FEED_DUPLICATE;
    }
    room_feed_top(feed, entry->seq);
    if (feed->held_count == ROOM_FEED_HELD) {
        return FEED_EARLY;
    }
    memmove(&feed->held[at + 1], &feed->held[at], (feed->held_count - at) * sizeof feed->held[0]);
    feed->held[at] = entry_ref(entry);
    feed->held_count++;
    return FEED_EARLY;
}

enum feed_verdict room_feed_take(struct room_feed *feed, struct entry *entry)
{
    if (entry->seq < feed->next) {
        return FEED_DUPLICATE;
    }
    if (entry->seq > feed->next) {
        return room_feed_hold(feed, entry);
    }
    room_feed_advance(feed, entry_ref(entry));
    return FEED_DELIVER;
}

static struct entry *room_feed_take_held(struct room_feed *feed)
{
    struct entry *first = feed->held[0];
    feed->held_count--;
    memmove(&feed->held[0], &feed->held[1], feed->held_count * sizeof feed->held[0]);
    return first;
}

struct entry *room_feed_pop(struct room_feed *feed)
{
    while (feed->held_count > 0 && feed->held[0]->seq < feed->next) {
        entry_unref(room_feed_take_held(feed));
    }
    if (feed->held_count == 0 || feed->held[0]->seq != feed->next) {
        return NULL;
    }
    struct entry *entry = room_feed_take_held(feed);
    room_feed_advance(feed, entry);
    return entry;
}

void room_feed_top(struct room_feed *feed, uint64_t top)
{
    if (top > feed->top) {
        feed->top = top;
    }
}

bool room_feed_gap(const struct room_feed *feed, uint64_t *ret_first, uint64_t *ret_last)
{
    if (feed->top < feed->next) {
        return false;
    }
    *ret_first = feed->next;
    *ret_last = feed->held_count > 0 && feed->held[0]->seq > feed->next ? feed->held[0]->seq - 1
                                                                        : feed->top;
    return true;
}

uint64_t room_feed_skip(struct room_feed *feed, uint64_t first)
{
    if (first <= feed->next) {
        return 0;
    }
    uint64_t lost_count = first - feed->next;
    room_feed_clear_ring(feed);
    feed->next = first;
    feed->ring_first = first;
    room_feed_top(feed, first - 1);
    return lost_count;
}

struct entry *room_feed_recent(const struct room_feed *feed, uint64_t seq)
{
    if (seq < feed->ring_first || seq >= feed->next) {
        return NULL;
    }
    return feed->ring[seq % ROOM_FEED_RING];
}
