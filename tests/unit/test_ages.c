/* SPDX-License-Identifier: MIT */
/* ages: Redis' clock by its answers, and what is counted of deliveries. */
#include "node/base/ages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Redis' clock, against the monotonic one. */
#define AHEAD_US 1700000000000000

static int64_t counted(void)
{
    int64_t count = 0;
    for (size_t i = 0; i <= METRICS_BOUNDS; i++) {
        count += metrics_histograms[HISTOGRAM_DELIVERY_PUSH].counts[i];
    }
    return count;
}

static int64_t sum_us(void)
{
    return metrics_histograms[HISTOGRAM_DELIVERY_PUSH].sum_us;
}

static int setup(void **state)
{
    (void)state;
    memset(ages_samples, 0, sizeof ages_samples);
    memset(metrics_histograms, 0, sizeof metrics_histograms);
    return 0;
}

/* An answer that was on its way for `trip_us`; `error_us` is how wrong it makes the clock. */
static void learn(int64_t trip_us, int64_t error_us)
{
    int64_t now_us = metrics_now_us();
    ages_clock(now_us - trip_us, now_us, now_us - trip_us / 2 + AHEAD_US + error_us);
}

static int64_t logged_before(int64_t age_ms)
{
    return (metrics_now_us() + AHEAD_US) / 1000 - age_ms;
}

static void ages_delivered_is_counted_with_the_age_by_redis_clock(void **state)
{
    (void)state;
    learn(200, 0);
    ages_delivered(HISTOGRAM_DELIVERY_PUSH, logged_before(40), 1);
    assert_int_equal(counted(), 1);
    assert_in_range(sum_us(), 38000, 140000);
    assert_int_equal(metrics_histograms[HISTOGRAM_DELIVERY_WEBSOCKET].sum_us, 0);
}

static void ages_delivered_before_the_clock_is_known_is_not_counted(void **state)
{
    (void)state;
    ages_delivered(HISTOGRAM_DELIVERY_PUSH, logged_before(40), 1);
    assert_int_equal(counted(), 0);
}

static void ages_delivered_frame_without_entry_is_not_counted(void **state)
{
    (void)state;
    learn(200, 0);
    ages_delivered(HISTOGRAM_DELIVERY_PUSH, 0, 1);
    assert_int_equal(counted(), 0);
}

static void ages_delivered_entry_from_before_the_connection_is_not_counted(void **state)
{
    (void)state;
    learn(200, 0);
    int64_t opened_us = metrics_now_us() - 500000;
    ages_delivered(HISTOGRAM_DELIVERY_PUSH, logged_before(5000), opened_us);
    assert_int_equal(counted(), 0);
    ages_delivered(HISTOGRAM_DELIVERY_PUSH, logged_before(100), opened_us);
    assert_int_equal(counted(), 1);
}

static void ages_delivered_entry_from_the_future_counts_as_new(void **state)
{
    (void)state;
    learn(200, 0);
    ages_delivered(HISTOGRAM_DELIVERY_PUSH, logged_before(-2000), 1);
    assert_int_equal(counted(), 1);
    assert_int_equal(sum_us(), 0);
}

static void ages_clock_slow_answer_does_not_spoil_a_fast_one(void **state)
{
    (void)state;
    learn(300, 0);
    learn(4000000, 2000000);
    ages_delivered(HISTOGRAM_DELIVERY_PUSH, logged_before(40), 1);
    assert_in_range(sum_us(), 38000, 140000);
}

static void ages_clock_that_was_set_is_believed_after_some_answers(void **state)
{
    (void)state;
    learn(100, 0);
    for (int i = 0; i < AGES_SAMPLES; i++) {
        learn(300, 3000000);
    }
    ages_delivered(HISTOGRAM_DELIVERY_PUSH, logged_before(40), 1);
    assert_in_range(sum_us(), 3038000, 3140000);
}

static void ages_clock_answer_without_times_teaches_nothing(void **state)
{
    (void)state;
    int64_t now_us = metrics_now_us();
    ages_clock(0, now_us, now_us + AHEAD_US);
    ages_clock(now_us, now_us - 1, now_us + AHEAD_US);
    ages_clock(now_us, now_us, 0);
    ages_delivered(HISTOGRAM_DELIVERY_PUSH, logged_before(40), 1);
    assert_int_equal(counted(), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ages_delivered_is_counted_with_the_age_by_redis_clock),
        TEST(ages_delivered_before_the_clock_is_known_is_not_counted),
        TEST(ages_delivered_frame_without_entry_is_not_counted),
        TEST(ages_delivered_entry_from_before_the_connection_is_not_counted),
        TEST(ages_delivered_entry_from_the_future_counts_as_new),
        TEST(ages_clock_slow_answer_does_not_spoil_a_fast_one),
        TEST(ages_clock_that_was_set_is_believed_after_some_answers),
        TEST(ages_clock_answer_without_times_teaches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
