/* SPDX-License-Identifier: MIT */
/*
 * bench_tally: the accounts of a load: what was said in each room, and what each member has heard
 * of it: once, twice, late, or not at all. No I/O; time is passed in.
 */
#ifndef ADMIN_BENCH_BENCH_TALLY_H
#define ADMIN_BENCH_BENCH_TALLY_H

#include <stdbool.h>
#include <stddef.h>

#include "admin/bench/bench_histogram.h"

struct bench_message;

struct bench_room {
    struct bench_message *messages; /* by their index, in the order they were said */
    size_t count, cap;
    size_t member_count;
};

struct bench_member {
    size_t room;
    uint8_t *heard; /* a bit for each message of the room */
    size_t heard_bytes;
    uint64_t last_seq;
};

struct bench_tally {
    struct bench_room *rooms;
    struct bench_member *members; /* member i is in room i modulo room_count */
    size_t room_count, member_count;

    uint64_t said, acked, refused; /* messages */
    uint64_t owed;                 /* deliveries: of messages that are in a log, to each member */
    uint64_t heard;                /* of these */
    uint64_t twice, out_of_order;
    uint64_t wrong; /* neither said here, nor with that number */
    int64_t first_us, last_ack_us, last_heard_us;
    struct bench_histogram latency; /* from when it was due to be said */
};

void bench_tally_init(struct bench_tally *tally, size_t room_count, size_t member_count);
void bench_tally_fini(struct bench_tally *tally);

/** Member `sender` says something in its room; returns the message's index there. `due_us` is when
 * it was to be said, which may be earlier than now. */
size_t bench_tally_say(struct bench_tally *tally, size_t sender, int64_t due_us);
/** It is in the log, under this number. */
void bench_tally_acked(struct bench_tally *tally, size_t sender, size_t index, uint64_t seq,
                       int64_t now_us);
/** It is not, and will not be. */
void bench_tally_refused(struct bench_tally *tally, size_t sender, size_t index);

/** `member` hears message `index` of its room under number `seq`. */
void bench_tally_heard(struct bench_tally *tally, size_t member, size_t index, uint64_t seq,
                       int64_t now_us);

/** Messages of which it is not known whether they are in a log. */
uint64_t bench_tally_unacked(const struct bench_tally *tally);
/** Deliveries that have not come. */
uint64_t bench_tally_missing(const struct bench_tally *tally);
/** Nothing was lost, doubled, out of order or wrong, and all was acknowledged. */
bool bench_tally_is_clean(const struct bench_tally *tally);

#endif
