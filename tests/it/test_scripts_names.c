/* SPDX-License-Identifier: MIT */
/*
 * Tests of names in the scripts: what differs only in width, case, blanks or what cannot be seen is
 * one name, whoever makes or looks up what; each is shown, and told to its own client, as it was
 * written (issue 13, item 4).
 */
#include "ctl_fixture.h"

#define U          "hgtp:{T}:u:"
#define WIDE_ALICE "\xef\xbd\x81lice"
#define ZERO_ALICE                                                                                 \
    "ali\xe2\x80\x8b"                                                                              \
    "ce"
#define WIDE_HALL "\xef\xbd\x88" "all"

static const char *const alices[] = {"alice",          "Alice",    "alice ",
                                     " ALICE\xc2\xa0", WIDE_ALICE, ZERO_ALICE};
#define ALICES (sizeof alices / sizeof alices[0])

/* What has no key. */
static const char *const no_names[] = {"\xe3\x85\xa4", "\xe2\xa0\x80", "\xe2\x80\x8b",
                                       " \xe2\x80\x8b\xe3\x80\x80", "a\xcd\xb8"};
#define NO_NAMES (sizeof no_names / sizeof no_names[0])

static const char *field(const char *uid, const char *name)
{
    char text[64];
    snprintf(text, sizeof text, "HGET " U "%s %s", uid, name);
    return command(text);
}

static void scripts_user_of_the_same_name_written_otherwise_is_refused(void **state)
{
    (void)state;
    empty_realm();
    registered("alice+++", "Alice");
    for (size_t i = 0; i < ALICES; i++) {
        assert_int_equal(CALL(register, "mallory+", "name", alices[i], "challenge", "c"),
                         ERR_NAME_TAKEN);
    }
    for (size_t i = 0; i < NO_NAMES; i++) {
        assert_int_equal(CALL(register, "mallory+", "name", no_names[i], "challenge", "c"),
                         ERR_NAME_INVALID);
    }
    registered("other+++", "\xd0\xb0lice"); /* Cyrillic a */
    registered("minah+++", "\xeb\xaf\xbc\xec\x95\x84");
    registered("jose++++", "Jos\xc3\xa9");
    registered("oneil+++", "O'Neil");
    registered("family++",
               "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7");
    assert_string_equal(field("jose++++", "name"), "Jos\xc3\xa9");
}

/* Both began before one of them had proved its key. */
static void scripts_two_registrations_under_way_get_the_name_once(void **state)
{
    (void)state;
    empty_realm();
    assert_int_equal(CALL(register, "alice+++", "name", "alice", "challenge", "c"), ERR_CHALLENGED);
    assert_int_equal(CALL(register, "mallory+", "name", "ALICE", "challenge", "d"), ERR_CHALLENGED);
    assert_int_equal(CALL(prove, "mallory+", "challenge", "d", "new_token", "t", "seq", "3"),
                     ERR_NONE);
    assert_int_equal(CALL(prove, "alice+++", "challenge", "c", "new_token", "t", "seq", "3"),
                     ERR_NAME_TAKEN);
}

static void scripts_room_of_the_same_name_written_otherwise_is_refused(void **state)
{
    (void)state;
    world();
    static const char *const halls[] = {"hall", "HALL", " hall", WIDE_HALL, "h\xc2\xad" "all"};
    for (size_t i = 0; i < sizeof halls / sizeof halls[0]; i++) {
        assert_int_equal(CALL(create, "carol+++", "room_id", "otherotherot", "room", halls[i]),
                         ERR_ROOM_NAME_TAKEN);
        assert_int_equal(CTL(ctl_room_create, "room", halls[i], "limit", "0"), ERR_ROOM_NAME_TAKEN);
    }
    for (size_t i = 0; i < NO_NAMES; i++) {
        assert_int_equal(CALL(create, "carol+++", "room_id", "otherotherot", "room", no_names[i]),
                         ERR_NAME_INVALID);
        assert_int_equal(CTL(ctl_room_create, "room", no_names[i], "limit", "0"), ERR_NAME_INVALID);
    }
}

static void scripts_name_is_free_again_however_it_was_written(void **state)
{
    (void)state;
    empty_realm();
    registered("alice+++", "Alice ");
    assert_int_equal(CALL(create, "alice+++", "room_id", "hallhallhall", "room", " Hall"),
                     ERR_NONE);
    assert_int_equal(CALL(delete, "alice+++", "room_id", "hallhallhall", "room", "hall"), ERR_NONE);
    assert_int_equal(CALL(create, "alice+++", "room_id", "hallhallhall", "room", "HALL"), ERR_NONE);
    assert_int_equal(CALL(exit, "alice+++", "room", WIDE_HALL), ERR_NONE);
    assert_int_equal(CALL(unregister, "alice+++"), ERR_NONE);
    registered("mallory+", ZERO_ALICE);
    assert_string_equal(command("GET hgtp:{T}:un:alice"), "mallory+");
    assert_string_equal(command("EXISTS hgtp:{T}:rn:hall"), "0");
}

/* What clients look up. */
static void scripts_clients_find_by_any_writing(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(join, "carol+++", "room", " Hall "), ERR_NONE);
    assert_int_equal(CALL(exit, "carol+++", "room", WIDE_HALL), ERR_NONE);
    assert_int_equal(CALL(invite, "alice+++", "room", "HALL", "peer", " Carol"), ERR_WAITING);
    assert_true(has_effect("relay INVITE carol+++ 127.0.0.1:9 2 hall carol\n"));
    assert_int_equal(CALL(answer, "carol+++", "kind", "INVITE", "accepted", "1"), ERR_IGNORED);
    assert_int_equal(CALL(remove, "alice+++", "room", "Hall", "peer", "CAROL"), ERR_WAITING);
    assert_true(has_effect("relay REMOVE carol+++ 127.0.0.1:9 2 hallhallhall carol\n"));
    assert_int_equal(CALL(manager, "alice+++", "peer", "\xef\xbc\xa2ob"), ERR_NONE);
    assert_true(has_effect(" manager bob "));
}

/* What operators look up; told as it is written there, not as they wrote it. */
static void scripts_operators_find_by_any_writing(void **state)
{
    (void)state;
    world();
    assert_int_equal(CTL(ctl_room_show, "room", "HALL"), ERR_NONE);
    assert_true(has_effect("row Room room hall id hallhallhall "));
    assert_int_equal(CTL(ctl_room_members, "room", WIDE_HALL), ERR_NONE);
    assert_int_equal(CTL(ctl_room_history, "room", "Hall ", "before", "0", "count", "2"), ERR_NONE);
    assert_int_equal(CTL(ctl_room_notice, "room", "Hall", "text", "tea"), ERR_NONE);
    assert_int_equal(CTL(ctl_room_limit, "room", "Hall", "limit", "50"), ERR_NONE);
    assert_int_equal(CTL(ctl_room_manager, "room", "Hall", "user", "Bob"), ERR_NONE);
    assert_true(has_effect(" the room hall to bob "));
    assert_int_equal(CTL(ctl_room_kick, "room", "Hall", "user", " alice"), ERR_NONE);
    assert_true(has_effect("removed alice from the room hall "));
    assert_int_equal(CTL(ctl_room_invite, "room", "Hall", "user", WIDE_ALICE), ERR_NONE);
    assert_int_equal(CTL(ctl_session_show, "user", ZERO_ALICE), ERR_NONE);
    assert_true(has_effect("row Session user alice id alice+++ "));
    assert_int_equal(CTL(ctl_session_list, "match", "", "sort", "", "reverse", "", "limit", "0",
                         "node", "", "room", "HALL"),
                     ERR_NONE);
    assert_true(has_effect("row SessionListReply total 2\n"));
    assert_int_equal(CTL(ctl_session_kick, "user", "BOB"), ERR_NONE);
    assert_int_equal(CTL(ctl_room_delete, "room", "HALL"), ERR_NONE);
    CTL(ctl_events, "after", "0", "since_ms", "0", "count", "0", "kind", "", "user", "", "room",
        WIDE_HALL);
    assert_true(has_effect(" event room_created user alice room hall "));
    assert_true(has_effect(" event ctl_room_delete "));
    assert_false(has_effect(" event session_registered "));
    CTL(ctl_events, "after", "0", "since_ms", "0", "count", "0", "kind", "", "user", "Alice",
        "room", "");
    assert_true(has_effect(" event session_registered user alice "));
    assert_true(has_effect(" event ctl_room_kick "));
    assert_false(has_effect(" user bob "));
}

/* The client of the original's kind takes a relayed request only under the name that it has. */
static void scripts_client_is_told_its_own_spelling(void **state)
{
    (void)state;
    empty_realm();
    registered("alice+++", "alice");
    registered_original("carol+++", " Carol ");
    assert_true(has_effect("home carol+++  Carol  127.0.0.1:"));
    assert_string_equal(field("carol+++", "name"), "Carol");
    assert_int_equal(CALL(create, "alice+++", "room_id", "hallhallhall", "room", "hall"), ERR_NONE);
    assert_int_equal(CALL(invite, "alice+++", "room", "hall", "peer", "carol"), ERR_WAITING);
    assert_true(has_effect("relay INVITE carol+++ 127.0.0.1:9 2 hall  Carol \n"));
    assert_int_equal(CALL(answer, "carol+++", "kind", "INVITE", "accepted", "1"), ERR_IGNORED);
    assert_true(has_effect("entry hallhallhall "));
    assert_true(has_effect(" invited Carol "));
    assert_int_equal(CALL(remove, "alice+++", "room", "hall", "peer", "carol"), ERR_WAITING);
    assert_true(has_effect("relay REMOVE carol+++ 127.0.0.1:9 2 hallhallhall  Carol \n"));
}

/* With its token it may write its name in another way, but a room goes on with the one it knows. */
static void scripts_own_name_may_be_written_otherwise_out_of_rooms(void **state)
{
    (void)state;
    empty_realm();
    registered("alice+++", "alice");
    assert_int_equal(CALL(create, "alice+++", "room_id", "hallhallhall", "room", "hall"), ERR_NONE);
    assert_int_equal(CALL(register, "alice+++", "name", "Alice", "challenge", "d"), ERR_CHALLENGED);
    assert_int_equal(CALL(prove, "alice+++", "challenge", "d", "new_token", "u", "seq", "3",
                          "token", "t", "timestamp", "2"),
                     ERR_NONE);
    assert_string_equal(field("alice+++", "name"), "alice");
    assert_int_equal(CALL(exit, "alice+++", "room", "hall", "token", "u", "timestamp", "3"),
                     ERR_NONE);
    assert_int_equal(CALL(register, "alice+++", "name", "Alice", "challenge", "e"), ERR_CHALLENGED);
    assert_int_equal(CALL(prove, "alice+++", "challenge", "e", "new_token", "v", "seq", "3",
                          "token", "u", "timestamp", "4"),
                     ERR_NONE);
    assert_string_equal(field("alice+++", "name"), "Alice");
    assert_string_equal(command("GET hgtp:{T}:un:alice"), "alice+++");
}

static void scripts_account_is_found_by_any_writing_of_its_name(void **state)
{
    (void)state;
    empty_realm();
    assert_int_equal(CTL(ctl_account_add, "user", " Alice ", "sealed", "SECRET"), ERR_NONE);
    assert_true(has_effect("row AccountKey user Alice\n"));
    for (size_t i = 0; i < ALICES; i++) {
        assert_int_equal(CTL(ctl_account_add, "user", alices[i], "sealed", "OTHER"),
                         ERR_NAME_TAKEN);
        /* The key was sealed for the name as it was written. */
        assert_int_equal(CALL(register, "alice+++", "name", alices[i], "challenge", "c"),
                         ERR_CHALLENGED);
        assert_int_equal(CALL(register, "alice+++", "name", "", "seq", "3"), ERR_PROVE);
        assert_true(has_effect("challenge c Alice SECRET \n"));
        assert_int_equal(CALL(prove, "alice+++", "challenge", "c", "new_token", "t", "seq", "3"),
                         ERR_NOT_CHALLENGED);
    }
    for (size_t i = 0; i < NO_NAMES; i++) {
        assert_int_equal(CTL(ctl_account_add, "user", no_names[i], "sealed", "OTHER"),
                         ERR_NAME_INVALID);
    }
    CALL(register, "alice+++", "name", "alice", "challenge", "c");
    assert_int_equal(
        CALL(prove, "alice+++", "challenge", "c", "new_token", "t", "seq", "3", "account", "1"),
        ERR_NONE);
    assert_string_equal(field("alice+++", "name"), "alice");
    assert_int_equal(CALL(reseal, NULL, "user", "Alice", "old", "SECRET", "sealed", "ANEW"),
                     ERR_NONE);
    CTL(ctl_account_list, "text", "");
    assert_true(has_effect("row Account user Alice added_ms 1"));
    assert_true(has_effect(" added_by root@ops key ANEW\n"));
    assert_int_equal(CTL(ctl_account_remove, "user", "ALICE"), ERR_NONE);
    assert_true(has_effect("removed the account Alice and its session"));
    assert_string_equal(command("EXISTS hgtp:{T}:accounts"), "0");
}

/* The account's user comes back in another way, while its session is in a room. */
static void scripts_session_taken_over_in_a_room_keeps_the_name_it_is_known_by(void **state)
{
    (void)state;
    empty_realm();
    assert_int_equal(CTL(ctl_account_add, "user", "alice", "sealed", "SECRET"), ERR_NONE);
    CALL(register, "alice+++", "name", "alice", "challenge", "c");
    assert_int_equal(CALL(prove, "alice+++", "challenge", "c", "new_token", "t", "seq", "3", "auth",
                          "hmac", "account", "1"),
                     ERR_NONE);
    assert_int_equal(CALL(create, "alice+++", "room_id", "hallhallhall", "room", "hall", "token",
                          "t", "timestamp", "2"),
                     ERR_NONE);
    CALL(register, "other+++", "name", "ALICE", "challenge", "d");
    assert_int_equal(CALL(prove, "other+++", "challenge", "d", "new_token", "other---u", "seq", "3",
                          "auth", "hmac", "account", "1", "take_over", "1"),
                     ERR_NONE);
    assert_string_equal(field("alice+++", "name"), "alice");
    assert_string_equal(field("alice+++", "room"), "hallhallhall");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_user_of_the_same_name_written_otherwise_is_refused),
        cmocka_unit_test(scripts_two_registrations_under_way_get_the_name_once),
        cmocka_unit_test(scripts_room_of_the_same_name_written_otherwise_is_refused),
        cmocka_unit_test(scripts_name_is_free_again_however_it_was_written),
        cmocka_unit_test(scripts_clients_find_by_any_writing),
        cmocka_unit_test(scripts_operators_find_by_any_writing),
        cmocka_unit_test(scripts_client_is_told_its_own_spelling),
        cmocka_unit_test(scripts_own_name_may_be_written_otherwise_out_of_rooms),
        cmocka_unit_test(scripts_account_is_found_by_any_writing_of_its_name),
        cmocka_unit_test(scripts_session_taken_over_in_a_room_keeps_the_name_it_is_known_by),
    };
    return cmocka_run_group_tests_name("scripts_names", tests, scripts_set_up, scripts_tear_down);
}
