/* SPDX-License-Identifier: MIT */
/*
 * Tests of node/store/scripts on a real Redis: what keeps a client of the original's kind from
 * being stuck. It knows one way out of a room, acts before it answers, and cannot be asked where it
 * is. The world is that of scripts_fixture.h, but all five are originals; `stamp` is a client's
 * clock.
 */
#include "scripts_fixture.h"

#include <stdio.h>

static void original(const char *uid, const char *name, const char *http)
{
    assert_int_equal(CALL(register, uid, "name", name, "challenge", "c"), ERR_CHALLENGED);
    assert_int_equal(CALL(prove, uid, "challenge", "c", "new_token", "t", "seq", "3", "http", http),
                     ERR_NONE);
}

static void originals(void)
{
    empty_realm();
    original("alice+++", "alice", "127.0.0.1:101");
    original("bob+++++", "bob", "127.0.0.1:102");
    original("carol+++", "carol", "127.0.0.1:103");
    original("dave++++", "dave", "127.0.0.1:104");
    original("erin++++", "erin", "127.0.0.1:105");
    assert_int_equal(
        CALL(create, "alice+++", "room_id", "hallhallhall", "room", "hall", "stamp", "100"),
        ERR_NONE);
    assert_int_equal(CALL(join, "bob+++++", "room", "hall", "stamp", "100"), ERR_NONE);
    assert_int_equal(CALL(join, "erin++++", "room", "hall", "stamp", "100"), ERR_NONE);
    assert_int_equal(CALL(invite, "alice+++", "room", "hall", "peer", "dave", "print", "i1"),
                     ERR_WAITING);
    assert_int_equal(CALL(remove, "alice+++", "room", "hall", "peer", "erin", "print", "i2"),
                     ERR_WAITING);
}

static const char *room_of(const char *uid)
{
    char text[64];
    snprintf(text, sizeof text, "HGET hgtp:{T}:u:%s room", uid);
    return command(text);
}

static void give_up_waiting(void)
{
    command("ZADD hgtp:{T}:waits -1 dave++++ -1 erin++++");
    assert_int_equal(CALL(sweep, NULL), ERR_NONE);
}

/* Answers to REMOVE (issue 12, item 12) ----------------------------------------------------------
 */

static void original_that_answers_a_remove_is_in_no_room_whatever_it_says(void **state)
{
    (void)state;
    static const char *const answers[] = {"1", "0"};
    for (size_t i = 0; i < 2; i++) {
        originals();
        CALL(answer, "erin++++", "kind", "REMOVE", "accepted", answers[i], "stamp", "200");
        assert_string_equal(room_of("erin++++"), "");
        assert_true(has_effect("answer REMOVE alice+++ 127.0.0.1:5 4 0"));
        assert_true(has_effect(" removed erin "));
        assert_int_equal(CALL(join, "erin++++", "room", "hall", "stamp", "300"), ERR_NONE);
    }
}

static void original_that_answers_a_remove_too_late_or_unasked_is_in_no_room(void **state)
{
    (void)state;
    originals();
    give_up_waiting();
    assert_string_equal(state_of("erin++++"), "TALK");
    CALL(answer, "erin++++", "kind", "REMOVE", "accepted", "1", "stamp", "200");
    assert_string_equal(room_of("erin++++"), "");
    assert_string_equal(state_of("erin++++"), "REGISTER_OK");
    CALL(answer, "bob+++++", "kind", "REMOVE", "accepted", "0", "stamp", "200");
    assert_string_equal(room_of("bob+++++"), "");
    assert_true(has_effect(" removed bob "));
}

static void answer_to_a_remove_that_is_older_than_the_last_join_takes_nobody_out(void **state)
{
    (void)state;
    originals();
    give_up_waiting();
    assert_int_equal(CALL(exit, "erin++++", "room", "hall", "stamp", "210"), ERR_NONE);
    assert_int_equal(CALL(join, "erin++++", "room", "hall", "stamp", "220"), ERR_NONE);
    CALL(answer, "erin++++", "kind", "REMOVE", "accepted", "1", "stamp", "200");
    assert_string_equal(room_of("erin++++"), "hallhallhall");
    /* Clocks of 32 bits wrap. */
    assert_int_equal(CALL(exit, "erin++++", "room", "hall", "stamp", "4294967000"), ERR_NONE);
    assert_int_equal(CALL(join, "erin++++", "room", "hall", "stamp", "4294967290"), ERR_NONE);
    CALL(answer, "erin++++", "kind", "REMOVE", "accepted", "1", "stamp", "5");
    assert_string_equal(room_of("erin++++"), "");
}

static void manager_that_answers_a_remove_is_in_no_room_and_the_room_goes_on(void **state)
{
    (void)state;
    originals();
    CALL(answer, "alice+++", "kind", "REMOVE", "accepted", "0", "stamp", "200");
    assert_string_equal(room_of("alice+++"), "");
    assert_string_equal(room_of("bob+++++"), "hallhallhall");
    assert_string_equal(command("HGET hgtp:{T}:r:hallhallhall manager"), "");
    assert_int_equal(
        CALL(create, "alice+++", "room_id", "otherotherot", "room", "other", "stamp", "210"),
        ERR_NONE);
}

static void modern_clients_unasked_answer_changes_nothing(void **state)
{
    (void)state;
    world();
    CALL(answer, "bob+++++", "kind", "REMOVE", "accepted", "1", "stamp", "200");
    assert_string_equal(state_of("bob+++++"), "TALK");
    CALL(answer, "erin++++", "kind", "REMOVE", "accepted", "0", "stamp", "200");
    assert_string_equal(state_of("erin++++"), "TALK");
    assert_true(has_effect("answer REMOVE alice+++ 127.0.0.1:5 4 35"));
}

/* Answers to INVITE (issue 12, item 13) ----------------------------------------------------------
 */

static void refused_join_or_create_leaves_an_invitation_waiting(void **state)
{
    (void)state;
    originals();
    assert_int_equal(CALL(join, "dave++++", "room", "nowhere", "stamp", "150"), ERR_ROOM_UNKNOWN);
    command("HSET hgtp:{T}:r:hallhallhall limit 4");
    assert_int_equal(CALL(create, "dave++++", "room_id", "hallhallhall", "room", "x"),
                     ERR_ROOM_ID_TAKEN);
    assert_int_equal(
        CALL(create, "dave++++", "room_id", "otherotherot", "room", "hall", "stamp", "160"),
        ERR_ROOM_NAME_TAKEN);
    assert_string_equal(state_of("dave++++"), "INVITE");
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "1", "stamp", "140");
    assert_string_equal(room_of("dave++++"), "hallhallhall");
    assert_true(has_effect("answer INVITE alice+++ 127.0.0.1:5 4 0"));
}

static void the_place_kept_for_the_invited_is_its_own_when_it_joins(void **state)
{
    (void)state;
    originals();
    command("HSET hgtp:{T}:r:hallhallhall limit 4");
    assert_int_equal(CALL(join, "carol+++", "room", "hall"), ERR_ROOM_FULL);
    assert_int_equal(CALL(join, "dave++++", "room", "hall", "stamp", "150"), ERR_NONE);
    assert_string_equal(command("ZCARD hgtp:{T}:i:hallhallhall"), "0");
}

static void invited_who_accepts_after_it_was_elsewhere_is_a_member_after_all(void **state)
{
    (void)state;
    originals();
    assert_int_equal(
        CALL(create, "dave++++", "room_id", "otherotherot", "room", "other", "stamp", "150"),
        ERR_NONE);
    assert_true(has_effect("answer INVITE alice+++ 127.0.0.1:5 4 35"));
    assert_int_equal(CALL(delete, "dave++++", "room_id", "otherotherot", "stamp", "160"), ERR_NONE);
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "1", "stamp", "170");
    assert_string_equal(room_of("dave++++"), "hallhallhall");
    assert_true(has_effect(" invited dave "));
    assert_false(has_effect("answer INVITE")); /* the manager has heard of it */
}

static void invited_who_accepts_late_and_finds_no_place_is_told_to_leave(void **state)
{
    (void)state;
    originals();
    give_up_waiting();
    command("HSET hgtp:{T}:r:hallhallhall limit 3");
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "1", "stamp", "200");
    assert_string_equal(room_of("dave++++"), "");
    assert_true(has_effect("relay REMOVE dave++++ 127.0.0.1:9 1 hallhallhall dave"));
    originals();
    assert_int_equal(CALL(delete, "alice+++", "room_id", "hallhallhall", "stamp", "150"), ERR_NONE);
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "1", "stamp", "200");
    assert_true(has_effect("relay REMOVE dave++++"));
    /* Nobody asked carol at all, and yet it believes to be in a room. */
    CALL(answer, "carol+++", "kind", "INVITE", "accepted", "1", "stamp", "200");
    assert_true(has_effect("relay REMOVE carol+++"));
}

static void acceptance_that_is_older_than_the_exit_brings_nobody_back(void **state)
{
    (void)state;
    originals();
    /* It has entered in its own view and left again; its OK comes behind its EXIT. */
    assert_int_equal(CALL(exit, "dave++++", "room", "hall", "stamp", "200"), ERR_NONE);
    assert_true(has_effect("answer INVITE alice+++ 127.0.0.1:5 4 35"));
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "1", "stamp", "190");
    assert_string_equal(room_of("dave++++"), "");
    assert_false(has_effect("relay"));
}

/* Ways out (issue 12, item 14) -------------------------------------------------------------------
 */

static void original_gets_ok_for_exit_of_a_room_that_it_is_not_in(void **state)
{
    (void)state;
    originals();
    assert_int_equal(CALL(exit, "carol+++", "room", "hall", "stamp", "200"), ERR_NONE);
    assert_int_equal(CALL(exit, "carol+++", "room", "nowhere", "stamp", "200"), ERR_NONE);
    assert_false(has_effect("entry"));
    /* In another one: out of that. */
    assert_int_equal(CALL(exit, "bob+++++", "room", "nowhere", "stamp", "200"), ERR_NONE);
    assert_string_equal(room_of("bob+++++"), "");
    assert_true(has_effect(" left bob "));
    /* Asked to leave: that is answered thereby. */
    assert_int_equal(CALL(exit, "erin++++", "room", "nowhere", "stamp", "200"), ERR_NONE);
    assert_true(has_effect("answer REMOVE alice+++ 127.0.0.1:5 4 0"));
    assert_string_equal(room_of("erin++++"), "");
}

static void exit_of_another_room_does_not_move_a_manager_nor_one_who_joined_since(void **state)
{
    (void)state;
    originals();
    assert_int_equal(CALL(exit, "alice+++", "room", "nowhere", "stamp", "200"), ERR_ROOM_UNKNOWN);
    assert_int_equal(CALL(exit, "alice+++", "room", "hall", "stamp", "200"), ERR_MANAGER_STAYS);
    assert_int_equal(CALL(exit, "bob+++++", "room", "nowhere", "stamp", "50"), ERR_NONE);
    assert_string_equal(room_of("bob+++++"), "hallhallhall");
    world(); /* modern clients are told what is wrong */
    assert_int_equal(CALL(exit, "bob+++++", "room", "nowhere", "stamp", "200"), ERR_ROOM_UNKNOWN);
}

static void original_gets_ok_for_delete_of_a_room_that_is_gone(void **state)
{
    (void)state;
    originals();
    assert_int_equal(CALL(ctl_room_delete, NULL, "room", "hall"), ERR_NONE);
    assert_int_equal(CALL(delete, "alice+++", "room_id", "hallhallhall", "stamp", "200"), ERR_NONE);
    originals();
    assert_int_equal(CALL(delete, "bob+++++", "room_id", "hallhallhall", "stamp", "200"),
                     ERR_NOT_MANAGER);
    assert_int_equal(CALL(delete, "bob+++++", "room_id", "otherotherot", "stamp", "200"), ERR_NONE);
    assert_string_equal(room_of("bob+++++"), "");
    /* The manager of another room stays that. */
    assert_int_equal(CALL(delete, "alice+++", "room_id", "otherotherot", "stamp", "200"), ERR_NONE);
    assert_string_equal(room_of("alice+++"), "hallhallhall");
}

static void original_that_has_lost_its_room_to_another_manager_gets_out_by_delete(void **state)
{
    (void)state;
    originals();
    command("HSET hgtp:{T}:r:hallhallhall manager bob+++++");
    assert_int_equal(CALL(delete, "alice+++", "room_id", "hallhallhall", "stamp", "200"), ERR_NONE);
    assert_string_equal(room_of("alice+++"), "");
    assert_string_equal(room_of("bob+++++"), "hallhallhall");
    assert_int_equal(CALL(delete, "alice+++", "room_id", "hallhallhall", "stamp", "300"), ERR_NONE);
    assert_string_equal(room_of("bob+++++"), "hallhallhall");
}

static void original_that_joins_the_room_it_is_in_gets_ok_and_its_lists(void **state)
{
    (void)state;
    originals();
    assert_int_equal(CALL(join, "bob+++++", "room", "hall", "stamp", "200"), ERR_NONE);
    const char *reply = strstr(last.effects, "reply\n");
    const char *list = strstr(last.effects, "list members hallhallhall");
    assert_true(reply != NULL && list != NULL && reply < list);
    assert_false(has_effect("entry"));
    world();
    assert_int_equal(CALL(join, "bob+++++", "room", "hall", "stamp", "200"), ERR_IN_ROOM);
}

static void unknown_ids_get_ok_for_exit_and_delete_unless_they_sign(void **state)
{
    (void)state;
    originals();
    assert_int_equal(CALL(exit, "nobody++", "room", "hall", "is_bare", "1"), ERR_NONE);
    assert_int_equal(CALL(delete, "nobody++", "room_id", "hallhallhall", "is_bare", "1"), ERR_NONE);
    assert_string_equal(room_of("bob+++++"), "hallhallhall");
    assert_int_equal(CALL(exit, "nobody++", "room", "hall", "is_bare", ""), ERR_NOT_REGISTERED);
    assert_int_equal(CALL(delete, "nobody++", "room_id", "hallhallhall", "is_bare", ""),
                     ERR_NOT_REGISTERED);
    assert_int_equal(CALL(unregister, "nobody++", "is_bare", "1"), ERR_NOT_REGISTERED);
    assert_int_equal(CALL(exit, "bob+++++", "room", "hall", "is_bare", "1", "ip", "127.0.0.2"),
                     ERR_ADDRESS_MISMATCH);
}

/* Ends (issue 12, item 15) -----------------------------------------------------------------------
 */

static void original_whose_session_ends_in_a_room_is_told_to_leave_it_first(void **state)
{
    (void)state;
    originals();
    assert_int_equal(CALL(ctl_session_kick, NULL, "user", "bob"), ERR_NONE);
    const char *relay =
        strstr(last.effects, "relay REMOVE bob+++++ 127.0.0.1:9 1 hallhallhall bob");
    assert_non_null(relay);
    assert_true(relay < strstr(last.effects, "gone bob+++++"));
    command("ZADD hgtp:{T}:sessions -1 erin++++");
    assert_int_equal(CALL(sweep, NULL), ERR_NONE);
    assert_true(has_effect("relay REMOVE erin++++"));
    command("ZADD hgtp:{T}:sessions -1 carol+++");
    assert_int_equal(CALL(sweep, NULL), ERR_NONE);
    assert_false(has_effect("relay REMOVE carol+++"));
    assert_int_equal(CALL(ctl_session_kick, NULL, "user", "alice"), ERR_NONE);
    assert_true(has_effect("relay REMOVE alice+++"));
    assert_int_equal(CALL(delete, "alice+++", "room_id", "hallhallhall", "is_bare", "1"), ERR_NONE);
}

/* Several invitations (rule 19) ------------------------------------------------------------------
 */

/* carol has a room of her own, "den", and invites dave, whom alice has asked already. */
static void two_invite_dave(void)
{
    originals();
    assert_int_equal(CALL(create, "carol+++", "room_id", "dendendenden", "room", "den"), ERR_NONE);
    assert_int_equal(CALL(invite, "carol+++", "room", "den", "peer", "dave", "print", "c1"),
                     ERR_WAITING);
    assert_false(has_effect("relay"));
}

static void second_invitation_is_relayed_when_the_first_is_declined_or_not_answered(void **state)
{
    (void)state;
    two_invite_dave();
    assert_string_equal(command("ZCARD hgtp:{T}:i:dendendenden"), "0"); /* keeps no place yet */
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "0", "stamp", "200");
    const char *answer = strstr(last.effects, "answer INVITE alice+++ 127.0.0.1:5 4 35");
    const char *relay = strstr(last.effects, "relay INVITE dave++++ 127.0.0.1:9 2 den dave");
    assert_true(answer != NULL && relay != NULL && answer < relay);
    assert_string_equal(command("ZCARD hgtp:{T}:i:dendendenden"), "1");
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "1", "stamp", "210");
    assert_string_equal(room_of("dave++++"), "dendendenden");
    assert_true(has_effect("answer INVITE carol+++ 127.0.0.1:5 4 0"));

    two_invite_dave();
    give_up_waiting();
    assert_true(has_effect("answer INVITE alice+++ 127.0.0.1:5 4 36"));
    assert_true(has_effect("relay INVITE dave++++ 127.0.0.1:9 2 den dave"));
    assert_string_equal(command("ZCARD hgtp:{T}:waits"), "1");
}

static void invitations_that_wait_fall_when_the_invited_enters_a_room(void **state)
{
    (void)state;
    two_invite_dave();
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "1", "stamp", "200");
    assert_string_equal(room_of("dave++++"), "hallhallhall");
    assert_true(has_effect("answer INVITE carol+++ 127.0.0.1:5 4 31"));
    assert_int_equal(CALL(invite, "carol+++", "room", "den", "peer", "dave", "print", "c1"),
                     ERR_PEER_IN_ROOM);

    two_invite_dave();
    assert_int_equal(CALL(join, "dave++++", "room", "den", "stamp", "200"), ERR_NONE);
    assert_true(has_effect("answer INVITE alice+++ 127.0.0.1:5 4 35"));
    assert_true(has_effect("answer INVITE carol+++ 127.0.0.1:5 4 35"));
    assert_false(has_effect("relay"));
    assert_string_equal(command("ZCARD hgtp:{T}:waits"), "1"); /* erin's */
}

static void invitation_that_waits_is_passed_over_when_it_does_not_stand_any_more(void **state)
{
    (void)state;
    two_invite_dave();
    assert_int_equal(CALL(delete, "carol+++", "room_id", "dendendenden"), ERR_NONE);
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "0", "stamp", "200");
    assert_true(has_effect("answer INVITE carol+++ 127.0.0.1:5 4 23"));
    assert_string_equal(state_of("dave++++"), "REGISTER_OK");

    two_invite_dave();
    command("HSET hgtp:{T}:r:dendendenden limit 1");
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "0", "stamp", "200");
    assert_true(has_effect("answer INVITE carol+++ 127.0.0.1:5 4 25"));

    two_invite_dave();
    assert_int_equal(CALL(unregister, "dave++++"), ERR_NONE);
    assert_true(has_effect("answer INVITE carol+++ 127.0.0.1:5 4 35"));
}

static void one_room_asks_a_peer_once_at_a_time(void **state)
{
    (void)state;
    two_invite_dave();
    assert_int_equal(CALL(invite, "alice+++", "room", "hall", "peer", "dave"), ERR_PEER_BUSY);
    assert_int_equal(CALL(invite, "carol+++", "room", "den", "peer", "dave"), ERR_PEER_BUSY);
    assert_int_equal(CALL(ctl_room_create, NULL, "room", "ops", "limit", "0", "actor", "op"),
                     ERR_NONE);
    assert_int_equal(CALL(ctl_room_invite, NULL, "room", "ops", "user", "dave"), ERR_NONE);
    assert_int_equal(CALL(ctl_room_invite, NULL, "room", "ops", "user", "dave"), ERR_PEER_BUSY);
}

/* Refused messages (issue 12, item 16) -----------------------------------------------------------
 */

static void only_an_original_is_told_that_its_message_was_refused(void **state)
{
    (void)state;
    originals();
    CALL(unsaid, "bob+++++", "kind", "too_long", "text", "100");
    assert_true(has_effect("inform bob+++++ too_long 100 "));
    CALL(unsaid, "bob+++++", "kind", "too_long", "text", "100", "ip", "127.0.0.2");
    assert_false(has_effect("inform"));
    world();
    CALL(unsaid, "bob+++++", "kind", "too_long", "text", "100");
    assert_false(has_effect("inform"));
}

/* Started again (issue 12, item 10) --------------------------------------------------------------
 */

static int proof(const char *uid, const char *http, const char *rival, const char *verdict)
{
    return CALL(prove, uid, "challenge", "c", "new_token", "t", "seq", "3", "http", http, "rival",
                rival, "verdict", verdict);
}

static void client_at_anothers_port_waits_for_what_that_ones_connection_tells(void **state)
{
    (void)state;
    originals();
    assert_int_equal(
        CALL(register, "zoe+++++", "name", "zoe", "challenge", "c", "udp", "127.0.0.1:8"),
        ERR_CHALLENGED);
    assert_int_equal(proof("zoe+++++", "127.0.0.1:102", "", ""), ERR_RIVAL);
    assert_true(has_effect("rival bob+++++ n1@1"));
    assert_string_equal(room_of("bob+++++"), "hallhallhall");
    assert_int_equal(proof("zoe+++++", "127.0.0.1:102", "bob+++++", "alive"), ERR_ADDRESS_IN_USE);
    assert_string_equal(room_of("bob+++++"), "hallhallhall");
    assert_string_equal(command("EXISTS hgtp:{T}:u:zoe+++++"), "0");
    /* Nobody knows: nothing changes either. */
    assert_int_equal(
        CALL(register, "zoe+++++", "name", "zoe", "challenge", "c", "udp", "127.0.0.1:8"),
        ERR_CHALLENGED);
    assert_int_equal(proof("zoe+++++", "127.0.0.1:102", "bob+++++", "unknown"), ERR_ADDRESS_IN_USE);
    /* A word about another session is none about this one. */
    assert_int_equal(
        CALL(register, "zoe+++++", "name", "zoe", "challenge", "c", "udp", "127.0.0.1:8"),
        ERR_CHALLENGED);
    assert_int_equal(proof("zoe+++++", "127.0.0.1:102", "carol+++", "dead"), ERR_RIVAL);
    assert_int_equal(proof("zoe+++++", "127.0.0.1:102", "bob+++++", "dead"), ERR_NONE);
    assert_string_equal(command("EXISTS hgtp:{T}:u:bob+++++"), "0");
    assert_true(has_effect(" left bob "));
    assert_string_equal(command("HGET hgtp:{T}:ports 127.0.0.1:102"), "zoe+++++");
}

static void client_started_again_at_another_http_port_is_known_by_name_and_udp_port(void **state)
{
    (void)state;
    originals();
    assert_int_equal(CALL(register, "zoe+++++", "name", "bob", "challenge", "c"), ERR_CHALLENGED);
    assert_int_equal(proof("zoe+++++", "127.0.0.1:999", "", ""), ERR_RIVAL);
    assert_int_equal(proof("zoe+++++", "127.0.0.1:999", "bob+++++", "dead"), ERR_NONE);
    assert_string_equal(command("GET hgtp:{T}:un:bob"), "zoe+++++");
    assert_string_equal(command("HEXISTS hgtp:{T}:ports 127.0.0.1:102"), "0");
}

static void nobody_elses_session_can_be_ended_by_an_address(void **state)
{
    (void)state;
    originals();
    /* Another IP, another UDP port, another digest. */
    assert_int_equal(CALL(register, "zoe+++++", "name", "bob", "challenge", "c", "ip", "127.0.0.2"),
                     ERR_NAME_TAKEN);
    assert_int_equal(
        CALL(register, "zoe+++++", "name", "bob", "challenge", "c", "udp", "127.0.0.1:8"),
        ERR_NAME_TAKEN);
    assert_int_equal(CALL(register, "zoe+++++", "name", "bob", "challenge", "c"), ERR_CHALLENGED);
    assert_int_equal(CALL(prove, "zoe+++++", "challenge", "c", "new_token", "t", "seq", "3", "http",
                          "127.0.0.1:102", "auth", "hmac", "rival", "bob+++++", "verdict", "dead"),
                     ERR_NAME_TAKEN);
    /* A modern client's session, and one of an account's name. */
    command("HSET hgtp:{T}:u:bob+++++ kind modern");
    assert_int_equal(CALL(register, "zoe+++++", "name", "bob", "challenge", "c"), ERR_NAME_TAKEN);
    command("HSET hgtp:{T}:u:bob+++++ kind original");
    command("HSET hgtp:{T}:accounts bob {\"sealed\":\"x\"}");
    assert_int_equal(CALL(register, "zoe+++++", "name", "zoe", "challenge", "c"), ERR_CHALLENGED);
    assert_int_equal(proof("zoe+++++", "127.0.0.1:102", "bob+++++", "dead"), ERR_NONE);
    assert_string_equal(room_of("bob+++++"), "hallhallhall");
}

static void port_is_nobodys_when_its_session_has_ended(void **state)
{
    (void)state;
    originals();
    assert_string_equal(command("HLEN hgtp:{T}:ports"), "5");
    assert_int_equal(CALL(unregister, "carol+++"), ERR_NONE);
    assert_int_equal(CALL(attach, "dave++++", "token", "t", "line", "w1"), ERR_NONE);
    assert_string_equal(command("HLEN hgtp:{T}:ports"), "3");
    original("zoe+++++", "zoe", "127.0.0.1:103");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(original_that_answers_a_remove_is_in_no_room_whatever_it_says),
        cmocka_unit_test(original_that_answers_a_remove_too_late_or_unasked_is_in_no_room),
        cmocka_unit_test(answer_to_a_remove_that_is_older_than_the_last_join_takes_nobody_out),
        cmocka_unit_test(manager_that_answers_a_remove_is_in_no_room_and_the_room_goes_on),
        cmocka_unit_test(modern_clients_unasked_answer_changes_nothing),
        cmocka_unit_test(refused_join_or_create_leaves_an_invitation_waiting),
        cmocka_unit_test(the_place_kept_for_the_invited_is_its_own_when_it_joins),
        cmocka_unit_test(invited_who_accepts_after_it_was_elsewhere_is_a_member_after_all),
        cmocka_unit_test(invited_who_accepts_late_and_finds_no_place_is_told_to_leave),
        cmocka_unit_test(acceptance_that_is_older_than_the_exit_brings_nobody_back),
        cmocka_unit_test(original_gets_ok_for_exit_of_a_room_that_it_is_not_in),
        cmocka_unit_test(exit_of_another_room_does_not_move_a_manager_nor_one_who_joined_since),
        cmocka_unit_test(original_gets_ok_for_delete_of_a_room_that_is_gone),
        cmocka_unit_test(original_that_has_lost_its_room_to_another_manager_gets_out_by_delete),
        cmocka_unit_test(original_that_joins_the_room_it_is_in_gets_ok_and_its_lists),
        cmocka_unit_test(unknown_ids_get_ok_for_exit_and_delete_unless_they_sign),
        cmocka_unit_test(original_whose_session_ends_in_a_room_is_told_to_leave_it_first),
        cmocka_unit_test(second_invitation_is_relayed_when_the_first_is_declined_or_not_answered),
        cmocka_unit_test(invitations_that_wait_fall_when_the_invited_enters_a_room),
        cmocka_unit_test(invitation_that_waits_is_passed_over_when_it_does_not_stand_any_more),
        cmocka_unit_test(one_room_asks_a_peer_once_at_a_time),
        cmocka_unit_test(only_an_original_is_told_that_its_message_was_refused),
        cmocka_unit_test(client_at_anothers_port_waits_for_what_that_ones_connection_tells),
        cmocka_unit_test(client_started_again_at_another_http_port_is_known_by_name_and_udp_port),
        cmocka_unit_test(nobody_elses_session_can_be_ended_by_an_address),
        cmocka_unit_test(port_is_nobodys_when_its_session_has_ended),
    };
    return cmocka_run_group_tests(tests, scripts_set_up, scripts_tear_down);
}
