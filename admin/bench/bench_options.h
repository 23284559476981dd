/* SPDX-License-Identifier: MIT */
/* bench_options: what a load is to be like. */
#ifndef ADMIN_BENCH_BENCH_OPTIONS_H
#define ADMIN_BENCH_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admin/talk/talk_target.h"

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

#endif
