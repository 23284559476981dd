/* SPDX-License-Identifier: MIT */
/* clock: time, randomness and the one timer that talk has itself called by. */
#ifndef NODE_CLOCK_H
#define NODE_CLOCK_H

#include <uv.h>

#include "node/core/ports.h"

struct clock {
    uv_timer_t timer;
    void (*on_wake)(void *arg);
    void *arg;
};

/** Caller's storage; it must live until clock_close has been carried out by the loop. */
void clock_init(struct clock *clock, uv_loop_t *loop, void (*on_wake)(void *arg), void *arg);
struct clock_port clock_port(struct clock *clock);
/** `on_wake` is not called any more until somebody asks for it again. */
void clock_stop(struct clock *clock);
void clock_close(struct clock *clock);

/** Monotonic. */
int64_t clock_now_ms(void);

#endif
