/* SPDX-License-Identifier: MIT */
/*
 * Tests of the scripts' rules about rooms, on a real Redis: which names may be made and which are
 * found; what is said once; who manages a room, and when it ends.
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

/* Ids of messages --------------------------------------------------------------------------------
 */

static int say(const char *uid, const char *text, const char *id)
{
    return CALL(say, uid, "text", text, "sent", "1", "id", id);
}

/* Issue 12, item 6. */
static void scripts_message_with_the_id_of_another_room_is_a_new_one(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(create, "carol+++", "room_id", "attiatticatt", "room", "attic"),
                     ERR_NONE);
    assert_int_equal(say("bob+++++", "one", "1"), ERR_NONE);
    assert_string_equal(last.extra, "4");
    assert_int_equal(say("bob+++++", "one", "1"), ERR_NONE);
    assert_string_equal(last.extra, "4");
    assert_true(has_effect("repeated 1\n") && !has_effect("entry"));
    assert_int_equal(CALL(exit, "bob+++++", "room", "hall"), ERR_NONE);
    assert_int_equal(say("bob+++++", "one", "1"), ERR_NOT_IN_ROOM);
    assert_int_equal(CALL(join, "bob+++++", "room", "attic"), ERR_NONE);
    assert_int_equal(say("bob+++++", "one", "1"), ERR_NONE);
    assert_true(has_effect(" 3 message bob one "));
    /* The same room again: it is still known there. */
    assert_int_equal(CALL(exit, "bob+++++", "room", "attic"), ERR_NONE);
    assert_int_equal(CALL(join, "bob+++++", "room", "hall"), ERR_NONE);
    assert_int_equal(say("bob+++++", "one", "1"), ERR_NONE);
    assert_string_equal(last.extra, "4");
    /* A room of the same id and name, opened anew, is another one. */
    assert_int_equal(CALL(delete, "alice+++", "room_id", "hallhallhall"), ERR_NONE);
    assert_int_equal(CALL(create, "bob+++++", "room_id", "hallhallhall", "room", "hall"), ERR_NONE);
    assert_int_equal(say("bob+++++", "one", "1"), ERR_NONE);
    assert_string_equal(last.extra, "2");
    assert_true(has_effect(" 2 message bob one "));
}

static void scripts_id_with_another_text_is_refused_and_takes_nothing_from_the_first(void **state)
{
    (void)state;
    world();
    assert_int_equal(say("bob+++++", "one", "1"), ERR_NONE);
    assert_int_equal(say("bob+++++", "two", "1"), ERR_ID_REUSED);
    assert_string_equal(command("XLEN hgtp:{T}:log:hallhallhall"), "4");
    assert_int_equal(say("bob+++++", "one", "1"), ERR_NONE);
    assert_string_equal(last.extra, "4");
    assert_int_equal(say("alice+++", "two", "1"), ERR_NONE); /* ids are the session's own */
    assert_string_equal(last.extra, "5");
    assert_int_equal(say("bob+++++", "two", "2"), ERR_NONE);
    assert_int_equal(CALL(say, "bob+++++", "text", "two", "sent", "1"), ERR_NONE);
    assert_int_equal(CALL(say, "bob+++++", "text", "two", "sent", "1"), ERR_NONE);
    assert_string_equal(last.extra, "8");
}

/* Management -------------------------------------------------------------------------------------
 */

#define MANAGER "HGET hgtp:{T}:r:hallhallhall manager"

static void manages(const char *uid)
{
    assert_string_equal(command(MANAGER), uid);
}

/* The effects have these, in this order. */
#define IN_ORDER(...) in_order((const char *const[]){__VA_ARGS__, NULL})
static void in_order(const char *const *texts)
{
    const char *at = last.effects;
    for (size_t i = 0; texts[i] != NULL; i++) {
        const char *found = strstr(at, texts[i]);
        if (found == NULL) {
            fail_msg("no %s there in %s", texts[i], last.effects);
        }
        at = found + strlen(texts[i]);
    }
}

/* Issue 12, item 19. */
static void scripts_manager_who_leaves_hands_over_and_the_log_says_so_in_its_place(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(exit, "alice+++", "room", "hall"), ERR_NONE);
    IN_ORDER(" 4 left alice ", " 5 manager bob ");
    manages("bob+++++");
    assert_string_equal(state_of("alice+++"), "REGISTER_OK");
    assert_string_equal(state_of("bob+++++"), "TALK");
    assert_int_equal(CALL(delete, "alice+++", "room_id", "hallhallhall"), ERR_NOT_MANAGER);
    assert_int_equal(CALL(invite, "bob+++++", "room", "hall", "peer", "carol"), ERR_WAITING);
    CTL(ctl_events, "after", "0", "since_ms", "0", "count", "0", "kind", "room_manager", "user", "",
        "room", "");
    assert_true(has_effect(" event room_manager user bob room hall "));
    assert_int_equal(CALL(delete, "bob+++++", "room_id", "hallhallhall"), ERR_NONE);
    assert_string_equal(command("EXISTS hgtp:{T}:r:hallhallhall"), "0");
}

/* bob, dave and erin are in the hall with alice, who leaves; who manages it then? */
static void hall_is_left(const char *then)
{
    assert_int_equal(CALL(exit, "alice+++", "room", "hall"), ERR_NONE);
    manages(then);
}

static void crowd(void)
{
    world();
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "1");
    CALL(answer, "erin++++", "kind", "REMOVE", "accepted", "0");
}

static void scripts_successor_is_here_then_longest_then_first_by_id(void **state)
{
    (void)state;
    crowd();
    command("ZADD hgtp:{T}:m:hallhallhall 40 bob+++++ 20 dave++++ 30 erin++++");
    hall_is_left("dave++++");
    crowd();
    command("ZADD hgtp:{T}:m:hallhallhall 40 bob+++++ 20 dave++++ 20 erin++++");
    hall_is_left("dave++++");
    crowd();
    command("ZADD hgtp:{T}:m:hallhallhall 40 bob+++++ 20 dave++++ 30 erin++++");
    command("HSET hgtp:{T}:u:dave++++ away 1");
    hall_is_left("erin++++");
    crowd();
    command("ZADD hgtp:{T}:m:hallhallhall 40 bob+++++ 20 dave++++ 30 erin++++");
    eval("for _, uid in ipairs({ 'bob+++++', 'dave++++', 'erin++++' }) do"
         " redis.call('HSET', 'hgtp:{T}:u:' .. uid, 'away', 1) end");
    hall_is_left("dave++++");
}

/* gina manages the den, an original in it with hugo, another one; ina is modern and free. */
static void den(void)
{
    command("FLUSHALL");
    registered_original("gina++++", "gina");
    registered_original("hugo++++", "hugo");
    registered("ina+++++", "ina");
    assert_int_equal(CALL(create, "gina++++", "room_id", "hallhallhall", "room", "den"), ERR_NONE);
    assert_int_equal(CALL(join, "hugo++++", "room", "den"), ERR_NONE);
}

static void scripts_original_manager_stays_or_deletes(void **state)
{
    (void)state;
    den();
    assert_int_equal(CALL(exit, "gina++++", "room", "den"), ERR_MANAGER_STAYS);
    assert_int_equal(CALL(unregister, "gina++++"), ERR_MANAGER_STAYS);
    assert_int_equal(CALL(unregister, "hugo++++"), ERR_IN_ROOM);
    assert_int_equal(CALL(join, "ina+++++", "room", "den"), ERR_NONE);
    assert_false(has_effect(" manager ina "));
    manages("gina++++");
    assert_int_equal(CALL(delete, "gina++++", "room_id", "hallhallhall"), ERR_NONE);
    assert_true(has_effect("relay REMOVE hugo++++ ") && has_effect("relay REMOVE ina+++++ "));
}

static void scripts_original_manager_that_ends_hands_over_to_a_modern_member_only(void **state)
{
    (void)state;
    den();
    assert_int_equal(CALL(join, "ina+++++", "room", "den"), ERR_NONE);
    assert_int_equal(CTL(ctl_session_kick, "user", "gina"), ERR_NONE);
    IN_ORDER(" 4 left gina ", " 5 manager ina ");
    manages("ina+++++");
    /* hugo, who has been there longer, never does. */
    assert_int_equal(CALL(manager, "ina+++++", "peer", "hugo"), ERR_PEER_ORIGINAL);
    assert_int_equal(CTL(ctl_room_manager, "room", "den", "user", "hugo"), ERR_PEER_ORIGINAL);
    assert_int_equal(CALL(exit, "ina+++++", "room", "den"), ERR_NONE);
    manages("");
}

static void
scripts_room_of_originals_goes_on_without_a_manager_and_ends_when_it_is_empty(void **state)
{
    (void)state;
    den();
    assert_int_equal(CTL(ctl_session_kick, "dry_run", "1", "user", "gina"), ERR_NONE);
    assert_true(has_effect(" the session of gina; nobody manages the room den from then on "));
    assert_int_equal(CTL(ctl_session_kick, "user", "gina"), ERR_NONE);
    manages("");
    assert_int_equal(CALL(delete, "hugo++++", "room_id", "hallhallhall"), ERR_NOT_MANAGER);
    assert_int_equal(CALL(say, "hugo++++", "text", "alone", "sent", "1"), ERR_NONE);
    registered_original("jan+++++", "jan");
    assert_int_equal(CALL(join, "jan+++++", "room", "den"), ERR_NONE);
    manages("");
    CTL(ctl_room_show, "room", "den");
    assert_true(has_effect(" kind users manager  members 2 "));
    /* The first modern member to come gets it. */
    assert_int_equal(CALL(join, "ina+++++", "room", "den"), ERR_NONE);
    IN_ORDER(" joined ina ", " manager ina ");
    manages("ina+++++");
    assert_int_equal(CALL(exit, "ina+++++", "room", "den"), ERR_NONE);
    manages("");
    assert_int_equal(CALL(exit, "hugo++++", "room", "den"), ERR_NONE);
    assert_int_equal(CALL(exit, "jan+++++", "room", "den"), ERR_NONE);
    assert_true(has_effect(" left jan ") || has_effect("leave jan+++++ "));
    assert_string_equal(command("EXISTS hgtp:{T}:r:hallhallhall hgtp:{T}:m:hallhallhall "
                                "hgtp:{T}:rh:hallhallhall hgtp:{T}:rn:den"),
                        "0");
    assert_string_equal(command("ZCARD hgtp:{T}:rooms"), "0");
}

static void scripts_last_member_ends_a_room_and_who_is_invited_is_let_go(void **state)
{
    (void)state;
    world(); /* dave is invited */
    assert_int_equal(CALL(exit, "bob+++++", "room", "hall"), ERR_NONE);
    CALL(answer, "erin++++", "kind", "REMOVE", "accepted", "1");
    assert_int_equal(CALL(unregister, "alice+++"), ERR_NONE);
    assert_string_equal(state_of("dave++++"), "REGISTER_OK");
    assert_string_equal(command("EXISTS hgtp:{T}:r:hallhallhall hgtp:{T}:rn:hall "
                                "hgtp:{T}:i:hallhallhall hgtp:{T}:u:alice+++ hgtp:{T}:un:alice"),
                        "0");
    assert_int_equal(CALL(create, "bob+++++", "room_id", "hallhallhall", "room", "hall"), ERR_NONE);
}

/* It was told that it could not be done, and believes that it is in no room. */
static void scripts_room_whose_opening_is_undone_is_no_more(void **state)
{
    (void)state;
    den();
    assert_int_equal(CALL(exit, "hugo++++", "room", "den"), ERR_NONE);
    assert_int_equal(CALL(create, "hugo++++", "room_id", "hutshutshuts", "room", "hut", "print",
                          "c1", "stamp", "7"),
                     ERR_NONE);
    assert_int_equal(CALL(undo, "hugo++++", "print", "c1"), ERR_NONE);
    assert_string_equal(command("EXISTS hgtp:{T}:r:hutshutshuts hgtp:{T}:rn:hut"), "0");
    assert_string_equal(state_of("hugo++++"), "REGISTER_OK");
    assert_int_equal(
        CALL(create, "hugo++++", "room_id", "hutshutshuts", "room", "hut", "stamp", "8"), ERR_NONE);
    assert_int_equal(CALL(delete, "hugo++++", "room_id", "hutshutshuts", "stamp", "9"), ERR_NONE);
}

static void scripts_unregister_of_a_modern_client_leaves_its_room_first(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(unregister, "alice+++"), ERR_NONE);
    IN_ORDER("reply\n", " left alice ", " manager bob ", "gone alice+++ ended\n");
    /* One that is asked to leave has left, and the one who asks is told so. */
    world();
    assert_int_equal(CALL(unregister, "erin++++"), ERR_NONE);
    assert_true(has_effect("answer REMOVE alice+++ 127.0.0.1:5 4 0\n"));
    IN_ORDER(" removed erin ", "gone erin++++ ended\n");
    assert_string_equal(command("ZCARD hgtp:{T}:waits"), "1");
}

static int hand_over(const char *uid, const char *peer, const char *id)
{
    return CALL(manager, uid, "peer", peer, "id", id);
}

static void scripts_manager_hands_over_to_a_modern_member_once(void **state)
{
    (void)state;
    world();
    assert_int_equal(hand_over("nobody++", "bob", "1"), ERR_NOT_REGISTERED);
    assert_int_equal(hand_over("carol+++", "bob", "1"), ERR_NOT_IN_ROOM);
    assert_int_equal(hand_over("bob+++++", "bob", "1"), ERR_NOT_MANAGER);
    assert_int_equal(hand_over("alice+++", "no", "1"), ERR_PEER_UNKNOWN);
    assert_int_equal(hand_over("alice+++", "carol", "1"), ERR_PEER_NOT_MEMBER);
    registered_original("hugo++++", "hugo");
    assert_int_equal(CALL(join, "hugo++++", "room", "hall"), ERR_NONE);
    assert_int_equal(hand_over("alice+++", "hugo", "1"), ERR_PEER_ORIGINAL);
    manages("alice+++");
    assert_int_equal(hand_over("alice+++", "alice", "0"), ERR_NONE); /* she has it */
    assert_false(has_effect("entry"));
    assert_int_equal(hand_over("alice+++", "bob", "1"), ERR_NONE);
    assert_string_equal(last.extra, "5");
    assert_true(has_effect(" 5 manager bob "));
    manages("bob+++++");
    assert_int_equal(hand_over("alice+++", "bob", "1"), ERR_NONE); /* the same once more */
    assert_string_equal(last.extra, "5");
    assert_int_equal(hand_over("alice+++", "erin", "1"), ERR_ID_REUSED);
    assert_int_equal(say("alice+++", "bob", "1"), ERR_ID_REUSED);
    assert_int_equal(hand_over("alice+++", "erin", "2"), ERR_NOT_MANAGER);
    assert_int_equal(CALL(exit, "alice+++", "room", "hall"), ERR_NONE);
    assert_false(has_effect(" manager "));
    manages("bob+++++");
}

static void scripts_manager_who_is_asked_to_leave_hands_over_when_it_does(void **state)
{
    (void)state;
    world(); /* erin is asked */
    assert_int_equal(hand_over("alice+++", "erin", "1"), ERR_NONE);
    CALL(answer, "erin++++", "kind", "REMOVE", "accepted", "1");
    IN_ORDER(" removed erin ", " manager alice ");
    manages("alice+++");
}

static void scripts_operators_make_a_member_the_manager(void **state)
{
    (void)state;
    world();
    assert_int_equal(CTL(ctl_room_manager, "room", "hall", "user", "carol"), ERR_PEER_NOT_MEMBER);
    assert_int_equal(CTL(ctl_room_manager, "room", "hall", "user", "bob"), ERR_NONE);
    assert_true(has_effect(" 4 manager bob "));
    manages("bob+++++");
    assert_int_equal(CTL(ctl_room_manager, "room", "hall", "user", "bob"), ERR_NONE);
    assert_false(has_effect("entry"));
    assert_int_equal(CTL(ctl_room_kick, "room", "hall", "user", "alice"), ERR_NONE);
    assert_int_equal(CTL(ctl_room_kick, "room", "hall", "user", "bob"), ERR_PEER_IS_MANAGER);
}

static void scripts_room_of_operators_stays_without_members_and_gets_no_manager(void **state)
{
    (void)state;
    world();
    CTL(ctl_room_create, "room", "lobby", "limit", "0");
    assert_int_equal(CALL(join, "carol+++", "room", "lobby"), ERR_NONE);
    assert_false(has_effect(" manager carol "));
    assert_int_equal(CALL(unregister, "carol+++"), ERR_NONE);
    CTL(ctl_room_show, "room", "lobby");
    assert_true(has_effect(" kind operators manager  members 0 "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_limit_of_names_counts_for_what_is_made_and_finds_what_there_is),
        cmocka_unit_test(scripts_message_with_the_id_of_another_room_is_a_new_one),
        cmocka_unit_test(scripts_id_with_another_text_is_refused_and_takes_nothing_from_the_first),
        cmocka_unit_test(scripts_manager_who_leaves_hands_over_and_the_log_says_so_in_its_place),
        cmocka_unit_test(scripts_successor_is_here_then_longest_then_first_by_id),
        cmocka_unit_test(scripts_original_manager_stays_or_deletes),
        cmocka_unit_test(scripts_original_manager_that_ends_hands_over_to_a_modern_member_only),
        cmocka_unit_test(
            scripts_room_of_originals_goes_on_without_a_manager_and_ends_when_it_is_empty),
        cmocka_unit_test(scripts_last_member_ends_a_room_and_who_is_invited_is_let_go),
        cmocka_unit_test(scripts_room_whose_opening_is_undone_is_no_more),
        cmocka_unit_test(scripts_unregister_of_a_modern_client_leaves_its_room_first),
        cmocka_unit_test(scripts_manager_hands_over_to_a_modern_member_once),
        cmocka_unit_test(scripts_manager_who_is_asked_to_leave_hands_over_when_it_does),
        cmocka_unit_test(scripts_operators_make_a_member_the_manager),
        cmocka_unit_test(scripts_room_of_operators_stays_without_members_and_gets_no_manager),
    };
    return cmocka_run_group_tests(tests, scripts_set_up, scripts_tear_down);
}
