/* SPDX-License-Identifier: MIT */
/*
 * Tests of how many invitations one user may send, to all and to one other, and that nobody keeps
 * another one from being invited (issue 13, item 8).
 */
#include <stdio.h>
#include <string.h>

#include "scripts_fixture.h"

#define DEN_MAX 70 /* more than wait in one queue */

static const char *name_of(const char *prefix, int number)
{
    static char names[4][16];
    static size_t used;
    char *name = names[used++ % 4];
    snprintf(name, sizeof names[0], "%s%d", prefix, number);
    return name;
}

/* As many characters as an id has. */
static const char *id_of(const char *prefix, int number, int chars)
{
    static char ids[4][16];
    static size_t used;
    char *id = ids[used++ % 4];
    snprintf(id, sizeof ids[0], "%s%0*d", prefix, chars - (int)strlen(prefix), number);
    return id;
}

/* alice and mallory have rooms of their own, victim and carol are in none. */
static void two_managers(void)
{
    empty_realm();
    registered("alice+++", "alice");
    registered("mallory+", "mallory");
    registered("victim++", "victim");
    registered("carol+++", "carol");
    assert_int_equal(CALL(create, "alice+++", "room_id", "hallhallhall", "room", "hall"), ERR_NONE);
    assert_int_equal(CALL(create, "mallory+", "room_id", "dendendenden", "room", "den"), ERR_NONE);
}

static int invites(const char *uid, const char *room, const char *peer)
{
    return CALL(invite, uid, "room", room, "peer", peer, "invites", "30");
}

static void declines(const char *uid)
{
    assert_int_equal(CALL(answer, uid, "kind", "INVITE", "accepted", "0"), ERR_IGNORED);
}

static void scripts_one_user_asks_another_so_often_and_no_more(void **state)
{
    (void)state;
    two_managers();
    for (int i = 0; i < 10; i++) {
        assert_int_equal(invites("mallory+", "den", "victim"), ERR_WAITING);
        declines("victim++");
    }
    for (int i = 0; i < 5; i++) {
        assert_int_equal(invites("mallory+", "den", "victim"), ERR_RATE_LIMITED);
        assert_false(has_effect("relay "));
    }
    assert_int_equal(invites("mallory+", "den", "Victim "), ERR_RATE_LIMITED);
    /* Others are asked by him, and he by others. */
    assert_int_equal(invites("mallory+", "den", "carol"), ERR_WAITING);
    assert_int_equal(invites("alice+++", "hall", "victim"), ERR_WAITING);
    assert_true(has_effect("relay INVITE victim++"));
    declines("victim++");
    /* Time passes. */
    command("HINCRBY hgtp:{T}:realm life 31000");
    assert_int_equal(invites("mallory+", "den", "victim"), ERR_WAITING);
}

static void scripts_new_session_or_room_gives_no_new_share(void **state)
{
    (void)state;
    two_managers();
    for (int i = 0; i < 10; i++) {
        assert_int_equal(invites("mallory+", "den", "victim"), ERR_WAITING);
        assert_int_equal(CALL(delete, "mallory+", "room_id", "dendendenden"), ERR_NONE);
        assert_int_equal(CALL(create, "mallory+", "room_id", "dendendenden", "room", "den"),
                         ERR_NONE);
    }
    assert_int_equal(invites("mallory+", "den", "victim"), ERR_RATE_LIMITED);
    assert_int_equal(CALL(unregister, "mallory+"), ERR_NONE);
    registered("another+", "Mallory");
    assert_int_equal(CALL(create, "another+", "room_id", "dendendenden", "room", "den"), ERR_NONE);
    assert_int_equal(invites("another+", "den", "victim"), ERR_RATE_LIMITED);
}

static void scripts_one_user_asks_all_others_so_often_and_no_more(void **state)
{
    (void)state;
    two_managers();
    for (int i = 0; i < 30; i++) {
        const char *name = name_of("user", i);
        registered(id_of("u", i, 8), name);
        assert_int_equal(invites("mallory+", "den", name), ERR_WAITING);
    }
    assert_int_equal(invites("mallory+", "den", "victim"), ERR_RATE_LIMITED);
    assert_int_equal(invites("mallory+", "den", "nobody"), ERR_RATE_LIMITED);
    assert_int_equal(invites("alice+++", "hall", "victim"), ERR_WAITING);
}

/* What is refused for it is not kept for a repetition. */
static void scripts_flood_of_invitations_fills_no_memory(void **state)
{
    (void)state;
    two_managers();
    for (int i = 0; i < 30; i++) {
        invites("mallory+", "den", "victim"); /* the first one is never answered */
    }
    char before[64];
    snprintf(before, sizeof before, "%s", command("HLEN hgtp:{T}:memory:1"));
    for (int i = 0; i < 100; i++) {
        assert_int_equal(invites("mallory+", "den", "victim"), ERR_RATE_LIMITED);
    }
    assert_string_equal(command("HLEN hgtp:{T}:memory:1"), before);
}

/* The victim is asked by one who waits for ever; another one opens rooms, invites and closes them.
 */
static void scripts_invitations_into_closed_rooms_keep_nobody_out(void **state)
{
    (void)state;
    two_managers();
    assert_int_equal(invites("mallory+", "den", "victim"), ERR_WAITING);
    for (int i = 0; i < DEN_MAX; i++) {
        const char *uid = id_of("m", i, 8), *room = name_of("room", i);
        registered(uid, name_of("m", i));
        assert_int_equal(CALL(create, uid, "room_id", id_of("r", i, 12), "room", room), ERR_NONE);
        assert_int_equal(invites(uid, room, "victim"), ERR_WAITING);
        assert_int_equal(CALL(exit, uid, "room", room), ERR_NONE);
    }
    assert_int_equal(invites("alice+++", "hall", "victim"), ERR_WAITING);
    declines("victim++");
    assert_true(has_effect("relay INVITE victim++ 127.0.0.1:9 2 hall victim\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_one_user_asks_another_so_often_and_no_more),
        cmocka_unit_test(scripts_new_session_or_room_gives_no_new_share),
        cmocka_unit_test(scripts_one_user_asks_all_others_so_often_and_no_more),
        cmocka_unit_test(scripts_flood_of_invitations_fills_no_memory),
        cmocka_unit_test(scripts_invitations_into_closed_rooms_keep_nobody_out),
    };
    return cmocka_run_group_tests_name("scripts_invites", tests, scripts_set_up, scripts_tear_down);
}
