/* SPDX-License-Identifier: MIT */
/*
 * Tests of admin/bench/bench_tally and bench_histogram: what is lost, doubled, out of order or made
 * up is found, and nothing else is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/bench/bench_tally.h"

/* Members 0, 2, 4 are in room 0; 1 and 3 in room 1. */
static struct bench_tally tally;

static int set_up(void **state)
{
    (void)state;
    bench_tally_init(&tally, 2, 5);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bench_tally_fini(&tally);
    return 0;
}

static void all_hear(size_t index, uint64_t seq)
{
    for (size_t member = 0; member < 5; member += 2) {
        bench_tally_heard(&tally, member, index, seq, 5000);
    }
}

static void bench_tally_with_all_heard_is_clean(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3000; i++) {
        assert_int_equal(bench_tally_say(&tally, 0, 1000), i);
        bench_tally_acked(&tally, 0, i, i + 2, 4000);
        all_hear(i, i + 2);
    }
    assert_int_equal(bench_tally_say(&tally, 3, 1000), 0); /* a room counts for itself */
    bench_tally_acked(&tally, 3, 0, 2, 4000);
    bench_tally_heard(&tally, 1, 0, 2, 5000);
    assert_false(bench_tally_is_clean(&tally));
    bench_tally_heard(&tally, 3, 0, 2, 5000);
    assert_true(bench_tally_is_clean(&tally));
    assert_int_equal(tally.heard, 9002);
    assert_int_equal(tally.latency.count, 9002);
    assert_int_equal(tally.latency.max_us, 4000);
}

static void bench_tally_member_that_hears_nothing_misses_it(void **state)
{
    (void)state;
    size_t index = bench_tally_say(&tally, 0, 0);
    assert_int_equal(bench_tally_missing(&tally), 0); /* it may never have been stored */
    assert_int_equal(bench_tally_unacked(&tally), 1);
    bench_tally_acked(&tally, 0, index, 2, 0);
    bench_tally_heard(&tally, 0, index, 2, 0);
    bench_tally_heard(&tally, 4, index, 2, 0);
    assert_int_equal(bench_tally_missing(&tally), 1);
    assert_false(bench_tally_is_clean(&tally));
}

static void bench_tally_message_that_one_has_heard_is_owed_to_all(void **state)
{
    (void)state;
    size_t index = bench_tally_say(&tally, 0, 0);
    bench_tally_heard(&tally, 4, index, 2, 0);
    assert_int_equal(bench_tally_missing(&tally), 2);
    assert_int_equal(bench_tally_unacked(&tally), 1);
    bench_tally_acked(&tally, 0, index, 2, 0);
    assert_int_equal(bench_tally_missing(&tally), 2);
}

static void bench_tally_repetition_is_counted_and_not_heard_again(void **state)
{
    (void)state;
    size_t index = bench_tally_say(&tally, 0, 0);
    bench_tally_acked(&tally, 0, index, 2, 0);
    all_hear(index, 2);
    bench_tally_heard(&tally, 2, index, 2, 0);
    assert_int_equal(tally.twice, 1);
    assert_int_equal(tally.heard, 3);
    all_hear(index, 3); /* it stands in the log twice */
    assert_int_equal(tally.twice, 4);
    assert_int_equal(bench_tally_missing(&tally), 0);
    assert_false(bench_tally_is_clean(&tally));
}

static void bench_tally_later_number_first_is_out_of_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        (void)bench_tally_say(&tally, 0, 0);
        bench_tally_acked(&tally, 0, i, i + 2, 0);
    }
    bench_tally_heard(&tally, 0, 0, 2, 0);
    bench_tally_heard(&tally, 0, 2, 4, 0);
    assert_int_equal(tally.out_of_order, 0);
    bench_tally_heard(&tally, 0, 1, 3, 0);
    assert_int_equal(tally.out_of_order, 1);
    assert_int_equal(tally.twice, 0);
}

static void bench_tally_what_nobody_has_said_is_wrong(void **state)
{
    (void)state;
    bench_tally_heard(&tally, 0, 0, 2, 0);
    assert_int_equal(tally.wrong, 1);
    size_t index = bench_tally_say(&tally, 0, 0);
    bench_tally_heard(&tally, 0, index, 0, 0); /* without a number */
    assert_int_equal(tally.wrong, 2);
    bench_tally_heard(&tally, 0, index, 2, 0);
    bench_tally_acked(&tally, 0, index, 7, 0); /* another number than it was heard with */
    assert_int_equal(tally.wrong, 3);
    bench_tally_acked(&tally, 0, index, 2, 0); /* a second time */
    assert_int_equal(tally.wrong, 4);
    bench_tally_heard(&tally, 1, index, 2, 0); /* in another room */
    assert_int_equal(tally.wrong, 5);
    assert_int_equal(tally.acked, 1);
}

static void bench_tally_refused_message_is_owed_to_nobody(void **state)
{
    (void)state;
    size_t index = bench_tally_say(&tally, 0, 0);
    bench_tally_refused(&tally, 0, index);
    bench_tally_refused(&tally, 0, index);
    assert_int_equal(tally.refused, 1);
    assert_int_equal(bench_tally_unacked(&tally), 0);
    assert_int_equal(bench_tally_missing(&tally), 0);
    assert_false(bench_tally_is_clean(&tally));
}

static void bench_histogram_tells_shares_to_within_two_percent(void **state)
{
    static struct bench_histogram histogram;
    (void)state;
    assert_int_equal(bench_histogram_at(&histogram, 0.5), 0);
    for (int64_t us = 1; us <= 100000; us++) {
        bench_histogram_add(&histogram, us);
    }
    for (int percent = 1; percent <= 100; percent++) {
        double exact = 1000.0 * percent;
        double told = (double)bench_histogram_at(&histogram, percent / 100.0);
        assert_true(told >= exact && told <= exact * 1.02);
    }
    assert_int_equal(bench_histogram_at(&histogram, 1), 100000);
}

static void bench_histogram_takes_any_duration(void **state)
{
    static struct bench_histogram histogram;
    (void)state;
    bench_histogram_add(&histogram, -5);
    assert_int_equal(bench_histogram_at(&histogram, 1), 0);
    bench_histogram_add(&histogram, INT64_MAX);
    assert_int_equal(histogram.max_us, INT64_MAX);
    assert_true(bench_histogram_at(&histogram, 1) > 1000000);
    assert_int_equal(bench_histogram_at(&histogram, 0.5), 0);
    struct bench_histogram small = {.count = 0};
    for (int64_t us = 0; us < 128; us++) {
        bench_histogram_add(&small, us);
        assert_int_equal(bench_histogram_at(&small, 1), us); /* small ones are exact */
    }
}

#define TALLY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TALLY_TEST(bench_tally_with_all_heard_is_clean),
        TALLY_TEST(bench_tally_member_that_hears_nothing_misses_it),
        TALLY_TEST(bench_tally_message_that_one_has_heard_is_owed_to_all),
        TALLY_TEST(bench_tally_repetition_is_counted_and_not_heard_again),
        TALLY_TEST(bench_tally_later_number_first_is_out_of_order),
        TALLY_TEST(bench_tally_what_nobody_has_said_is_wrong),
        TALLY_TEST(bench_tally_refused_message_is_owed_to_nobody),
        cmocka_unit_test(bench_histogram_tells_shares_to_within_two_percent),
        cmocka_unit_test(bench_histogram_takes_any_duration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
