/* SPDX-License-Identifier: MIT */
/* Tests of node/core/rate: exact bounds, refilling, and addresses that do not disturb each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/core/rate.h"

static int taken(struct rate_bucket *bucket, int64_t per_s, int64_t now_ms, int attempts)
{
    int count = 0;
    for (int i = 0; i < attempts; i++) {
        count += rate_take(bucket, per_s, now_ms);
    }
    return count;
}

static void rate_full_bucket_holds_exactly_one_second(void **state)
{
    (void)state;
    struct rate_bucket bucket = {0};
    assert_int_equal(taken(&bucket, 10, 5000, 25), 10);
}

static void rate_tokens_come_back_with_time(void **state)
{
    (void)state;
    struct rate_bucket bucket = {0};
    assert_int_equal(taken(&bucket, 10, 5000, 25), 10);
    assert_int_equal(taken(&bucket, 10, 5099, 5), 0);
    assert_int_equal(taken(&bucket, 10, 5100, 5), 1);
    assert_int_equal(taken(&bucket, 10, 5600, 25), 5);
    assert_int_equal(taken(&bucket, 10, 99999, 25), 10);
}

static void rate_over_a_long_time_is_kept(void **state)
{
    (void)state;
    struct rate_bucket bucket = {0};
    int count = 0;
    for (int64_t now_ms = 1000; now_ms < 11000; now_ms++) {
        count += taken(&bucket, 7, now_ms, 3);
    }
    assert_in_range(count, 7 * 10, 7 * 11);
}

static void rate_table_addresses_have_buckets_of_their_own(void **state)
{
    (void)state;
    static struct rate_table table = {.seed = 12345};
    for (int i = 0; i < 5; i++) {
        assert_true(rate_table_take(&table, 0x7f000001, 5, 1000));
    }
    assert_false(rate_table_take(&table, 0x7f000001, 5, 1000));
    assert_true(rate_table_take(&table, 0x7f000002, 5, 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rate_full_bucket_holds_exactly_one_second),
        cmocka_unit_test(rate_tokens_come_back_with_time),
        cmocka_unit_test(rate_over_a_long_time_is_kept),
        cmocka_unit_test(rate_table_addresses_have_buckets_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
