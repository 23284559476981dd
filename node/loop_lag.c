/* SPDX-License-Identifier: MIT */
/*
 * loop_lag: a timer that is set anew each time it comes, and how much later than asked for it came.
 * The loop counts in whole milliseconds, so an idle one is up to a millisecond late.
 */
#include "loop_lag.h"

#include "node/base/metrics.h"

#define LOOP_LAG_MS 100

static void loop_lag_on_timer(uv_timer_t *timer);

static void loop_lag_start(struct loop_lag *lag)
{
    uv_update_time(lag->timer.loop);
    lag->due_us = metrics_now_us() + LOOP_LAG_MS * 1000;
    uv_timer_start(&lag->timer, loop_lag_on_timer, LOOP_LAG_MS, 0);
}

static void loop_lag_on_timer(uv_timer_t *timer)
{
    struct loop_lag *lag = timer->data;
    metric_observe(HISTOGRAM_LOOP_LAG, metrics_now_us() - lag->due_us);
    loop_lag_start(lag);
}

void loop_lag_open(struct loop_lag *lag, uv_loop_t *loop)
{
    uv_timer_init(loop, &lag->timer);
    lag->timer.data = lag;
    uv_unref((uv_handle_t *)&lag->timer);
    loop_lag_start(lag);
}

void loop_lag_close(struct loop_lag *lag)
{
    uv_close((uv_handle_t *)&lag->timer, NULL);
}
