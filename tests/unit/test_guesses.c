/* SPDX-License-Identifier: MIT */
/* Tests of node/core/guesses: who has to wait after wrong keys, for how long, and who has not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "node/core/guesses.h"

#define ADDRESS 0x0a000001u
#define FREE    5

static struct guesses guesses;
static int64_t now_ms;

static int setup(void **state)
{
    (void)state;
    guesses = (struct guesses){.secret = {1}};
    now_ms = 5000;
    return 0;
}

static struct guesser by_connection(const char *name, uint32_t ip)
{
    return (struct guesser){.name_key = bytes_str(name), .client_ip = ip};
}

static struct guesser by_datagram(const char *name, uint32_t ip, bool is_heard)
{
    return (struct guesser){bytes_str(name), ip, true, is_heard};
}

static int64_t wrong(const struct guesser *guesser, int times)
{
    int64_t wait_ms = 0;
    for (int i = 0; i < times; i++) {
        wait_ms = guesses_wrong(&guesses, guesser, now_ms);
    }
    return wait_ms;
}

static void first_wrong_keys_are_free_and_then_the_wait_grows(void **state)
{
    (void)state;
    const struct guesser guesser = by_connection("alice", ADDRESS);
    for (int i = 0; i < FREE - 1; i++) {
        assert_int_equal(wrong(&guesser, 1), 0);
        assert_int_equal(guesses_may(&guesses, &guesser, now_ms), GUESSES_MAY);
    }
    int64_t expected_ms = 1000;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(wrong(&guesser, 1), expected_ms);
        assert_int_equal(guesses_may(&guesses, &guesser, now_ms + expected_ms - 1), GUESSES_WAIT);
        assert_int_equal(guesses_may(&guesses, &guesser, now_ms + expected_ms), GUESSES_MAY);
        expected_ms = expected_ms * 2 < 60000 ? expected_ms * 2 : 60000;
    }
}

static void others_do_not_wait(void **state)
{
    (void)state;
    const struct guesser guesser = by_connection("alice", ADDRESS);
    wrong(&guesser, 20);
    const struct guesser others[] = {by_connection("bob", ADDRESS),
                                     by_connection("alice", ADDRESS + 1),
                                     by_datagram("alice", ADDRESS, true)};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(guesses_may(&guesses, &others[i], now_ms), GUESSES_MAY);
    }
}

static void right_key_and_time_make_it_forgotten(void **state)
{
    (void)state;
    const struct guesser guesser = by_connection("alice", ADDRESS);
    wrong(&guesser, FREE - 1);
    guesses_right(&guesses, &guesser);
    assert_int_equal(wrong(&guesser, FREE - 1), 0);
    now_ms += 600000;
    assert_int_equal(wrong(&guesser, FREE - 1), 0);
}

static void datagrams_that_anybody_may_have_sent_make_nobody_wait(void **state)
{
    (void)state;
    const struct guesser forged = by_datagram("alice", ADDRESS, false);
    const struct guesser heard = by_datagram("alice", ADDRESS, true);
    assert_false(guesses_is_doubted(&guesses, &heard, now_ms));
    assert_int_equal(wrong(&forged, 1000), 0);
    assert_true(guesses_is_doubted(&guesses, &heard, now_ms));
    assert_int_equal(guesses_may(&guesses, &forged, now_ms), GUESSES_ANEW);
    assert_int_equal(guesses_may(&guesses, &heard, now_ms), GUESSES_MAY);
    assert_int_equal(wrong(&heard, FREE), 1000);
    assert_int_equal(guesses_may(&guesses, &heard, now_ms), GUESSES_WAIT);
}

static void flood_of_pairs_holds_nobody_back(void **state)
{
    (void)state;
    char name[16];
    const struct guesser guesser = by_connection("mallory", ADDRESS);
    wrong(&guesser, 20);
    for (int i = 0; i < 100000; i++) {
        snprintf(name, sizeof name, "%d", i);
        const struct guesser forged = by_datagram(name, ADDRESS + (uint32_t)i, false);
        wrong(&forged, 1);
    }
    const struct guesser honest = by_connection("alice", ADDRESS);
    assert_int_equal(guesses_may(&guesses, &honest, now_ms), GUESSES_MAY);
    /* Nor does it free the one who tries: of him most is known. */
    assert_int_equal(guesses_may(&guesses, &guesser, now_ms), GUESSES_WAIT);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(first_wrong_keys_are_free_and_then_the_wait_grows),
        TEST(others_do_not_wait),
        TEST(right_key_and_time_make_it_forgotten),
        TEST(datagrams_that_anybody_may_have_sent_make_nobody_wait),
        TEST(flood_of_pairs_holds_nobody_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
