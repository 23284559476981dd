/* SPDX-License-Identifier: MIT */
/* loop_lag: measures how late the loop comes to its timers: what keeps it from everything else. */
#ifndef NODE_LOOP_LAG_H
#define NODE_LOOP_LAG_H

#include <uv.h>

struct loop_lag {
    uv_timer_t timer;
    int64_t due_us;
};

/** Caller's storage; it must live until loop_lag_close has been carried out by the loop. It keeps
 * no loop alive. */
void loop_lag_open(struct loop_lag *lag, uv_loop_t *loop);
void loop_lag_close(struct loop_lag *lag);

#endif
