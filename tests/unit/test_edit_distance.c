/* SPDX-License-Identifier: MIT */
/* edit_distance: what each kind of slip counts, and words that are too long to compare. */
#include "proto/edit_distance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void each_slip_counts_one(void **state)
{
    (void)state;
    assert_int_equal(edit_distance("room", "room"), 0);
    assert_int_equal(edit_distance("rom", "room"), 1);
    assert_int_equal(edit_distance("rooom", "room"), 1);
    assert_int_equal(edit_distance("rool", "room"), 1);
    assert_int_equal(edit_distance("romo", "room"), 1);
    assert_int_equal(edit_distance("mor", "room"), 3);
    assert_int_equal(edit_distance("", "room"), 4);
    assert_int_equal(edit_distance("room", ""), 4);
}

static void capitals_of_the_word_do_not_matter(void **state)
{
    (void)state;
    assert_int_equal(edit_distance("ROMO", "room"), 1);
}

static void long_words_are_far_from_all(void **state)
{
    (void)state;
    const char *longest = "0123456789012345678901234567890123456789";
    const char *longer = "01234567890123456789012345678901234567890";
    assert_int_equal(edit_distance(longest, longest), 0);
    assert_true(edit_distance(longer, longer) == SIZE_MAX);
    assert_true(edit_distance("room", longer) == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_slip_counts_one),
        cmocka_unit_test(capitals_of_the_word_do_not_matter),
        cmocka_unit_test(long_words_are_far_from_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
