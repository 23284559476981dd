/* SPDX-License-Identifier: MIT */
/*
 * Tests of the scripts' rules about rooms, on a real Redis: which names may be made and which are
 * found.
 */
#include <string.h>

#include "ctl_fixture.h"

/* Names ------------------------------------------------------------------------------------------
 */

/* Issue 12, item 7. */
static void scripts_limit_of_names_counts_for_what_is_made_and_finds_what_there_is(void **state)
{
    (void)state;
    world();
    assert_int_equal(CTL(ctl_account_add, "user", "lodger", "sealed", "k"), ERR_NONE);
    /* Nothing new of five bytes ... */
    assert_int_equal(CALL(register, "frank+++", "name", "frank", "challenge", "c", "name_max", "4"),
                     ERR_NAME_INVALID);
    assert_int_equal(
        CALL(create, "carol+++", "room_id", "otherotherot", "room", "attic", "name_max", "4"),
        ERR_NAME_INVALID);
    assert_int_equal(CTL(ctl_room_create, "room", "attic", "limit", "0", "name_max", "4"),
                     ERR_NAME_INVALID);
    assert_int_equal(CTL(ctl_account_add, "user", "guest", "sealed", "k", "name_max", "4"),
                     ERR_NAME_INVALID);
    /* ... and all that there is, with names of four and more when two are allowed. */
    assert_int_equal(CALL(register, "carol+++", "name", "carol", "challenge", "d", "name_max", "2"),
                     ERR_CHALLENGED);
    assert_int_equal(
        CALL(register, "lodger++", "name", "lodger", "challenge", "d", "name_max", "2"),
        ERR_CHALLENGED);
    assert_int_equal(CALL(register, "grace+++", "name", "carol", "challenge", "d", "name_max", "2"),
                     ERR_NAME_TAKEN);
    assert_int_equal(
        CALL(create, "carol+++", "room_id", "otherotherot", "room", "x", "name_max", "2"),
        ERR_NONE);
    assert_int_equal(CTL(ctl_account_add, "user", "lodger", "sealed", "k", "name_max", "2"),
                     ERR_NAME_TAKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_limit_of_names_counts_for_what_is_made_and_finds_what_there_is),
    };
    return cmocka_run_group_tests(tests, scripts_set_up, scripts_tear_down);
}
