/* SPDX-License-Identifier: MIT */
/* tick: the clocks of the machine that hgtpctl runs on; the cluster's times are Redis'. */
#include "admin/tick.h"

#include <time.h>

static int64_t tick_of(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t tick_ms(void)
{
    return tick_of(CLOCK_MONOTONIC);
}

int64_t tick_unix_ms(void)
{
    return tick_of(CLOCK_REALTIME);
}

void tick_sleep(int64_t ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    (void)nanosleep(&time, NULL);
}
