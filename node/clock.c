/* SPDX-License-Identifier: MIT */
/* clock: the clock port of talk, on the loop. What is due when is talk's own business. */
#include "clock.h"

#include <stdlib.h>
#include <time.h>

#include <openssl/rand.h>

#include "node/base/log.h"

int64_t clock_now_ms(void)
{
    return (int64_t)(uv_hrtime() / 1000000);
}

static int64_t clock_now_ms_port(void *ctx)
{
    (void)ctx;
    return clock_now_ms();
}

static int64_t clock_now_unix_ms(void *ctx)
{
    (void)ctx;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void clock_random(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    if (RAND_bytes(out, (int)len) != 1) {
        LOG(LOG_ERROR, "no_randomness", log_str("hint", "the system's random generator failed"));
        log_flush();
        abort();
    }
}

static void clock_on_timer(uv_timer_t *timer)
{
    struct clock *clock = timer->data;
    clock->on_wake(clock->arg);
}

static void clock_wake_in(void *ctx, int64_t ms)
{
    struct clock *clock = ctx;
    uint64_t wanted_ms = ms > 0 ? (uint64_t)ms : 0;
    bool is_later = !uv_is_active((uv_handle_t *)&clock->timer) ||
                    uv_timer_get_due_in(&clock->timer) > wanted_ms;
    if (is_later && !uv_is_closing((uv_handle_t *)&clock->timer)) {
        uv_timer_start(&clock->timer, clock_on_timer, wanted_ms, 0);
    }
}

void clock_init(struct clock *clock, uv_loop_t *loop, void (*on_wake)(void *arg), void *arg)
{
    uv_timer_init(loop, &clock->timer);
    clock->timer.data = clock;
    clock->on_wake = on_wake;
    clock->arg = arg;
}

struct clock_port clock_port(struct clock *clock)
{
    return (struct clock_port){clock, clock_now_ms_port, clock_now_unix_ms, clock_wake_in,
                               clock_random};
}

void clock_stop(struct clock *clock)
{
    uv_timer_stop(&clock->timer);
}

void clock_close(struct clock *clock)
{
    uv_close((uv_handle_t *)&clock->timer, NULL);
}
