/* SPDX-License-Identifier: MIT */
/*
 * bench_run: a load from beginning to end: users come, enter their rooms, talk for a while, wait
 * for what is outstanding, and leave nothing behind. One poll loop, one thread.
 */
#ifndef ADMIN_BENCH_BENCH_RUN_H
#define ADMIN_BENCH_BENCH_RUN_H

#include "admin/talk/talk_target.h"
#include "tool.pb-c.h"

struct bench_options {
    const struct talk_target *target;
    size_t user_count, room_count, message_bytes, window;
    double rate; /* messages per second, of all users together; 0: as many as the window allows */
    int64_t talk_ms;
    int64_t wait_ms;    /* users that come are given up when none has arrived for so long */
    const char *prefix; /* of names */
    bool may_disturb;   /* others may be there */
    bool is_terminal;   /* of stderr: progress is shown in one line */
};

enum bench_outcome {
    BENCH_DONE,        /* the figures say how well */
    BENCH_REFUSED,     /* by the service */
    BENCH_UNREACHABLE, /* nobody is there */
    BENCH_OTHERS,      /* others are, and may not be disturbed: figures->foreign_sessions */
};

/**
 * Run; progress, and what goes wrong, is told on stderr. SIGINT and SIGTERM end the talk early.
 *
 * ret_figures  initialised by the caller; filled in as far as it has come
 */
enum bench_outcome bench_run(const struct bench_options *options,
                             Hgtp__Tool__BenchReply *ret_figures);

#endif
