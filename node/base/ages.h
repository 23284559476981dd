/* SPDX-License-Identifier: MIT */
/*
 * ages: how old an entry of a room log is when a member has it. Entries carry Redis' time, so
 * Redis' clock is estimated from its answers; what comes of it is measured only, nothing is decided
 * by it. One loop thread.
 */
#ifndef BASE_AGES_H
#define BASE_AGES_H

#include "node/base/metrics.h"

/** So many answers are remembered; the one with the shortest way counts. */
#define AGES_SAMPLES 8

struct ages_sample {
    int64_t trip_us;  /* 0: there is none */
    int64_t ahead_us; /* Redis' time less the monotonic one */
};
extern struct ages_sample ages_samples[AGES_SAMPLES];

/** An answer of Redis said `redis_unix_us`; it was asked for and came at these monotonic times. 0
 * for one that is not known: then nothing is learned. */
void ages_clock(int64_t sent_us, int64_t got_us, int64_t redis_unix_us);

/**
 * A member has an entry.
 *
 * logged_unix_ms  the entry's time; 0: it was no entry
 * since_us        when the member's connection was opened, monotonic: what is older is not counted
 */
void ages_delivered(enum histogram histogram, int64_t logged_unix_ms, int64_t since_us);

#endif
