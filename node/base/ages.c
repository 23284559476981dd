/* SPDX-License-Identifier: MIT */
/*
 * ages: Redis' clock by the answer that was fastest lately: half of its way, at most, is the error.
 * So one slow answer spoils nothing, and a clock that is set is believed a few answers later.
 */
#include "node/base/ages.h"

struct ages_sample ages_samples[AGES_SAMPLES];
static size_t ages_next;

void ages_clock(int64_t sent_us, int64_t got_us, int64_t redis_unix_us)
{
    if (sent_us <= 0 || got_us < sent_us || redis_unix_us <= 0) {
        return;
    }
    int64_t trip_us = got_us - sent_us;
    ages_samples[ages_next++ % AGES_SAMPLES] = (struct ages_sample){
        .trip_us = trip_us > 0 ? trip_us : 1, .ahead_us = redis_unix_us - sent_us - trip_us / 2};
}

static const struct ages_sample *ages_best(void)
{
    const struct ages_sample *best = &ages_samples[0];
    for (size_t i = 1; i < AGES_SAMPLES; i++) {
        const struct ages_sample *sample = &ages_samples[i];
        if (sample->trip_us > 0 && (best->trip_us == 0 || sample->trip_us < best->trip_us)) {
            best = sample;
        }
    }
    return best;
}

void ages_delivered(enum histogram histogram, int64_t logged_unix_ms, int64_t since_us)
{
    const struct ages_sample *clock = ages_best();
    if (logged_unix_ms <= 0 || clock->trip_us == 0) {
        return;
    }
    int64_t now_us = metrics_now_us();
    /* The log's time is cut to a millisecond: on the average half of one is gone. */
    int64_t age_us = now_us + clock->ahead_us - (logged_unix_ms * 1000 + 500);
    if (age_us <= now_us - since_us) {
        metric_observe(histogram, age_us);
    }
}
