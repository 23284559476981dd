/* SPDX-License-Identifier: MIT */
/*
 * talk_time: the clocks of the talk client, read at the edge and passed on, so that everything that
 * waits can be tested without waiting.
 */
#include "admin/talk/talk_time.h"

#include <time.h>

static int64_t talk_time_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t talk_time_ms(void)
{
    return talk_time_of(CLOCK_MONOTONIC);
}

int64_t talk_time_unix_ms(void)
{
    return talk_time_of(CLOCK_REALTIME);
}
