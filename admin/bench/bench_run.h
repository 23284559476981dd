/* SPDX-License-Identifier: MIT */
/*
 * bench_run: a load from beginning to end: users come, enter their rooms, talk for a while, wait
 * for what is outstanding, and leave nothing behind. One poll loop, one thread.
 */
#ifndef ADMIN_BENCH_BENCH_RUN_H
#define ADMIN_BENCH_BENCH_RUN_H

#include "admin/bench/bench_options.h"
#include "tool.pb-c.h"

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
