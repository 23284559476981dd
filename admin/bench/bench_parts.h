/* SPDX-License-Identifier: MIT */
/* bench_parts: a bench while it runs, for bench_run.c and bench_talk.c. */
#ifndef ADMIN_BENCH_BENCH_PARTS_H
#define ADMIN_BENCH_BENCH_PARTS_H

#include <signal.h>

#include "admin/bench/bench_options.h"
#include "admin/bench/bench_user.h"

struct bench {
    const struct bench_options *options;
    struct bench_crew crew;
    struct bench_tally tally;
    struct bench_user *users;
    struct pollfd *fds; /* BENCH_USER_FDS places for each user */
    size_t *fd_counts;
    size_t next_sender;
    uint64_t due_count;      /* messages whose time has come */
    int64_t talk_us, end_us; /* of the talk */
    int64_t moved_ms;        /* something has come in, or gone out, last */
    uint64_t moved;
    int64_t told_ms; /* progress */
    uint64_t told_acked, told_heard;
};

/** A person has had enough. */
extern volatile sig_atomic_t bench_is_stopped;

/** One turn of all users, which waits at most until then. */
void bench_turn(struct bench *bench, int64_t until_us);
void bench_turn_ms(struct bench *bench, int64_t ms);

/** All talk, until the time is over. */
void bench_talk(struct bench *bench);
/** Until nothing is outstanding, or nothing has come for long. */
void bench_rest(struct bench *bench);
/** Messages that were due by the rate, and could not be said. */
uint64_t bench_unsaid(const struct bench *bench);

#endif
