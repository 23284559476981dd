/* SPDX-License-Identifier: MIT */
/*
 * Tests of node/store/scripts on a real Redis: every cell of the session's state machine against
 * session.def, every request in every state a session can be in, and rules that no client can reach
 * by itself (limits, repetition, sweep, epochs, who may speak).
 */
#include "scripts_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "node/core/session_state.h"

/* The state machine ------------------------------------------------------------------------------
 */

static char *read_file(const char *path, size_t *ret_len)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    *ret_len = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    return text;
}

static void scripts_step_every_cell_of_the_state_machine_as_the_table_says(void **state)
{
    (void)state;
    static const char *const events[] = {
#define SESSION_STATE(name, meaning)
#define SESSION_STEP(event, from, to) #event,
#include "node/core/session.def"
    };
    size_t machine_len, step_len;
    char *machine = read_file(MACHINE_LUA, &machine_len);
    char *step = read_file(TEST_SOURCE_DIR "/node/store/scripts/lib/step.lua", &step_len);
    char *script = calloc(1, machine_len + step_len + 200);
    sprintf(script, "%s%s\nreturn step({ state = ARGV[1] }, ARGV[2]) or 'illegal'", machine, step);
    int legal_count = 0;
    for (int from = 0; from < SESSION_STATE_COUNT; from++) {
        for (size_t e = 0; e < sizeof events / sizeof events[0]; e++) {
            const struct bytes words[] = {bytes_str("EVAL"), bytes_str(script), bytes_str("0"),
                                          bytes_str(session_state_name((enum session_state)from)),
                                          bytes_str(events[e])};
            const char *to = raw(5, words);
            enum session_state expected;
            if (session_state_step((enum session_state)from, events[e], &expected)) {
                assert_string_equal(to, session_state_name(expected));
                legal_count++;
            } else {
                assert_string_equal(to, "illegal");
            }
        }
    }
    /* TO_TALK is one event in two rows and so was tried twice in each state. */
    assert_int_equal(legal_count, sizeof events / sizeof events[0] + 2);
    free(machine);
    free(step);
    free(script);
}

struct cell {
    const char *uid;
    int unregister, create, join, exit, delete, invite, remove, refresh, say;
};

static void scripts_answer_every_request_in_every_state_a_session_can_be_in(void **state)
{
    (void)state;
    static const struct cell cells[] = {
        /* no session */
        {"nobody++", ERR_NOT_REGISTERED, ERR_NOT_REGISTERED, ERR_NOT_REGISTERED, ERR_NOT_REGISTERED,
         ERR_NOT_REGISTERED, ERR_NOT_REGISTERED, ERR_NOT_REGISTERED, ERR_NOT_REGISTERED,
         ERR_NOT_REGISTERED},
        /* REGISTER_OK */
        {"carol+++", ERR_NONE, ERR_NONE, ERR_NONE, ERR_NOT_IN_ROOM, ERR_NOT_MANAGER,
         ERR_NOT_IN_ROOM, ERR_NOT_IN_ROOM, ERR_NONE, ERR_NOT_IN_ROOM},
        /* INVITE: asking for something else declines, and is served */
        {"dave++++", ERR_NONE, ERR_NONE, ERR_NONE, ERR_NOT_IN_ROOM, ERR_NOT_MANAGER,
         ERR_NOT_IN_ROOM, ERR_NOT_IN_ROOM, ERR_NONE, ERR_NOT_IN_ROOM},
        /* TALK, a member */
        {"bob+++++", ERR_NONE, ERR_IN_ROOM, ERR_IN_ROOM, ERR_NONE, ERR_NOT_MANAGER, ERR_NOT_MANAGER,
         ERR_NOT_MANAGER, ERR_NONE, ERR_NONE},
        /* TALK, the manager */
        {"alice+++", ERR_NONE, ERR_IN_ROOM, ERR_IN_ROOM, ERR_NONE, ERR_NONE, ERR_WAITING,
         ERR_WAITING, ERR_NONE, ERR_NONE},
        /* REMOVE: may still talk, and may leave by itself */
        {"erin++++", ERR_NONE, ERR_IN_ROOM, ERR_IN_ROOM, ERR_NONE, ERR_NOT_MANAGER, ERR_NOT_MANAGER,
         ERR_NOT_MANAGER, ERR_NONE, ERR_NONE},
    };
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        const struct cell *c = &cells[i];
        print_message("%s\n", c->uid);
        world();
        assert_int_equal(CALL(unregister, c->uid), c->unregister);
        world();
        assert_int_equal(CALL(create, c->uid, "room_id", "otherotherot", "room", "other"),
                         c->create);
        world();
        assert_int_equal(CALL(join, c->uid, "room", "hall"), c->join);
        world();
        assert_int_equal(CALL(exit, c->uid, "room", "hall"), c->exit);
        world();
        assert_int_equal(CALL(delete, c->uid, "room_id", "hallhallhall"), c->delete);
        world();
        assert_int_equal(CALL(invite, c->uid, "room", "hall", "peer", "carol"),
                         strcmp(c->uid, "alice+++") == 0 ? ERR_WAITING : c->invite);
        world();
        assert_int_equal(CALL(remove, c->uid, "room", "hall", "peer", "bob"), c->remove);
        world();
        assert_int_equal(CALL(refresh, c->uid), c->refresh);
        world();
        assert_int_equal(CALL(say, c->uid, "text", "hi", "sent", "1"), c->say);
    }
}

static void scripts_refused_request_leaves_the_state_as_it_was(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(join, "bob+++++", "room", "hall"), ERR_IN_ROOM);
    assert_string_equal(state_of("bob+++++"), "TALK");
    assert_int_equal(CALL(join, "carol+++", "room", "hall", "members_max", "1"), ERR_NONE);
    assert_int_equal(CALL(create, "dave++++", "room_id", "hallhallhall", "room", "x"),
                     ERR_ROOM_ID_TAKEN);
    assert_string_equal(state_of("dave++++"), "INVITE");
}

/* Waiting for a peer -----------------------------------------------------------------------------
 */

static void scripts_invited_who_accepts_is_in_the_room_and_the_manager_hears_first(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(answer, "dave++++", "kind", "INVITE", "accepted", "1"), ERR_IGNORED);
    assert_string_equal(state_of("dave++++"), "TALK");
    const char *answer = strstr(last.effects, "answer INVITE alice+++ 127.0.0.1:5 4 0");
    const char *join = strstr(last.effects, "join dave++++ hallhallhall");
    const char *entry = strstr(last.effects, " invited dave ");
    assert_non_null(answer);
    assert_true(answer < join && join < entry);
}

static void scripts_answer_that_nobody_asked_for_changes_nothing(void **state)
{
    (void)state;
    world();
    CALL(answer, "bob+++++", "kind", "REMOVE", "accepted", "1");
    assert_string_equal(state_of("bob+++++"), "TALK");
    CALL(answer, "carol+++", "kind", "INVITE", "accepted", "1");
    assert_string_equal(state_of("carol+++"), "REGISTER_OK");
    CALL(answer, "erin++++", "kind", "INVITE", "accepted", "1");
    assert_string_equal(state_of("erin++++"), "REMOVE");
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "1", "ip", "10.0.0.1");
    assert_string_equal(state_of("dave++++"), "INVITE");
    assert_false(has_effect("entry"));
}

static void scripts_copy_of_an_old_answer_does_not_answer_a_new_question(void **state)
{
    (void)state;
    world();
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "1", "print", "ok1");
    assert_int_equal(CALL(exit, "dave++++", "room", "hall"), ERR_NONE);
    assert_int_equal(CALL(invite, "alice+++", "room", "hall", "peer", "dave"), ERR_WAITING);
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "1", "print", "ok1");
    assert_string_equal(state_of("dave++++"), "INVITE");
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "1", "print", "ok2");
    assert_string_equal(state_of("dave++++"), "TALK");
}

static void scripts_unanswered_requests_are_declined_by_the_sweep(void **state)
{
    (void)state;
    world();
    command("ZADD hgtp:{T}:waits 1 dave++++ 1 erin++++");
    assert_int_equal(CALL(sweep, NULL), ERR_NONE);
    assert_string_equal(last.extra, "2");
    assert_true(has_effect("answer INVITE alice+++ 127.0.0.1:5 4 36"));
    assert_true(has_effect("answer REMOVE alice+++ 127.0.0.1:5 4 36"));
    assert_string_equal(state_of("dave++++"), "REGISTER_OK");
    assert_string_equal(state_of("erin++++"), "TALK");
    /* Late, and there is place for it. */
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "1");
    assert_true(has_effect(" invited dave "));
    assert_string_equal(state_of("dave++++"), "TALK");
}

static void scripts_repeated_invite_gets_the_late_answer_and_asks_the_peer_once(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(invite, "alice+++", "room", "hall", "peer", "dave", "print", "i1"),
                     ERR_WAITING);
    assert_false(has_effect("relay"));
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "0");
    assert_int_equal(CALL(invite, "alice+++", "room", "hall", "peer", "dave", "print", "i1"),
                     ERR_PEER_DECLINED);
    assert_false(has_effect("relay"));
    assert_int_equal(CALL(invite, "alice+++", "room", "hall", "peer", "dave", "print", "i9"),
                     ERR_WAITING);
    assert_true(has_effect("relay INVITE dave++++"));
}

static void scripts_deleted_room_lets_everybody_go_and_settles_what_waits(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(delete, "alice+++", "room_id", "hallhallhall"), ERR_NONE);
    assert_string_equal(state_of("alice+++"), "REGISTER_OK");
    assert_string_equal(state_of("bob+++++"), "REGISTER_OK");
    assert_string_equal(state_of("dave++++"), "REGISTER_OK");
    assert_string_equal(state_of("erin++++"), "REGISTER_OK");
    const char *relay =
        strstr(last.effects, "relay REMOVE bob+++++ 127.0.0.1:9 1 hallhallhall bob");
    assert_non_null(relay);
    assert_true(relay < strstr(last.effects, "reply\n"));
    assert_true(has_effect("answer INVITE alice+++ 127.0.0.1:5 4 36"));
    assert_string_equal(command("KEYS *hall*"), "");
    assert_string_equal(command("ZCARD hgtp:{T}:waits"), "0");
    assert_int_equal(CALL(join, "bob+++++", "room", "hall"), ERR_ROOM_UNKNOWN);
}

/* Limits -----------------------------------------------------------------------------------------
 */

static void scripts_limits_are_exact(void **state)
{
    (void)state;
    world();
    assert_int_equal(
        CALL(register, "frank+++", "name", "frank", "challenge", "c", "users_max", "5"),
        ERR_USERS_FULL);
    assert_int_equal(
        CALL(register, "frank+++", "name", "frank", "challenge", "c", "users_max", "6"),
        ERR_CHALLENGED);
    assert_int_equal(CALL(prove, "frank+++", "challenge", "c", "new_token", "t", "users_max", "5"),
                     ERR_USERS_FULL);
    assert_int_equal(
        CALL(create, "carol+++", "room_id", "otherotherot", "room", "o", "rooms_max", "1"),
        ERR_ROOMS_FULL);
    assert_int_equal(
        CALL(create, "carol+++", "room_id", "otherotherot", "room", "o", "rooms_max", "2"),
        ERR_NONE);
    /* alice, bob, erin and the invited dave */
    command("HSET hgtp:{T}:r:hallhallhall limit 4");
    registered("frank+++", "frank");
    assert_int_equal(CALL(join, "frank+++", "room", "hall"), ERR_ROOM_FULL);
    assert_int_equal(CALL(invite, "alice+++", "room", "hall", "peer", "frank"), ERR_ROOM_FULL);
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "0");
    assert_int_equal(CALL(join, "frank+++", "room", "hall"), ERR_NONE);
}

static void scripts_names_are_unique_and_free_again_at_the_end(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(register, "frank+++", "name", "carol", "challenge", "c"), ERR_NAME_TAKEN);
    assert_int_equal(CALL(create, "carol+++", "room_id", "otherotherot", "room", "hall"),
                     ERR_ROOM_NAME_TAKEN);
    assert_int_equal(CALL(unregister, "carol+++"), ERR_NONE);
    registered("frank+++", "carol");
}

static void scripts_two_who_begin_with_one_name_only_the_first_to_prove_gets_it(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(register, "frank+++", "name", "zoe", "challenge", "c1"), ERR_CHALLENGED);
    assert_int_equal(CALL(register, "grace+++", "name", "zoe", "challenge", "c2"), ERR_CHALLENGED);
    assert_int_equal(CALL(prove, "grace+++", "challenge", "c2", "new_token", "t"), ERR_NONE);
    assert_int_equal(CALL(prove, "frank+++", "challenge", "c1", "new_token", "t"), ERR_NAME_TAKEN);
}

/* Who may speak ----------------------------------------------------------------------------------
 */

static void scripts_challenge_is_good_once(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(prove, "carol+++", "challenge", "c", "new_token", "x"),
                     ERR_NOT_CHALLENGED);
    assert_int_equal(CALL(register, "carol+++", "name", "carol", "challenge", "d", "seq", "7"),
                     ERR_CHALLENGED);
    assert_int_equal(CALL(register, "carol+++", "name", "carol", "challenge", "e", "seq", "7"),
                     ERR_CHALLENGED);
    assert_string_equal(last.extra, "d");
    assert_int_equal(CALL(prove, "carol+++", "challenge", "other", "new_token", "x"),
                     ERR_NOT_CHALLENGED);
    assert_int_equal(CALL(prove, "carol+++", "challenge", "d", "new_token", "x", "token", "t"),
                     ERR_NONE);
    assert_int_equal(CALL(prove, "carol+++", "challenge", "d", "new_token", "y", "token", "x"),
                     ERR_NOT_CHALLENGED);
}

static void scripts_repeated_beginning_gets_a_challenge_that_is_still_open(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(register, "frank+++", "name", "frank", "challenge", "a", "print", "p"),
                     ERR_CHALLENGED);
    command("DEL hgtp:{T}:p:frank+++:127.0.0.1");
    assert_int_equal(CALL(register, "frank+++", "name", "frank", "challenge", "b", "print", "p"),
                     ERR_CHALLENGED);
    assert_string_equal(last.extra, "b");
    assert_int_equal(CALL(prove, "frank+++", "challenge", "b", "new_token", "t"), ERR_NONE);
}

/* What is remembered of requests, to count it. */
#define MEMORY "HLEN hgtp:{T}:memory:1"
static void scripts_strangers_leave_no_key_behind(void **state)
{
    (void)state;
    world();
    char before[32], remembered[32];
    snprintf(before, sizeof before, "%s", command("DBSIZE"));
    snprintf(remembered, sizeof remembered, "%s", command(MEMORY));
    assert_int_not_equal(atoi(remembered), 0);
    CALL(join, "nobody++", "room", "hall");
    CALL(refresh, "bob+++++", "ip", "127.0.0.2");
    CALL(answer, "nobody++", "kind", "INVITE", "accepted", "1");
    assert_int_equal(CALL(token, "nobody++"), ERR_NOT_REGISTERED);
    assert_int_equal(CALL(register, "nobody++", "name", "carol", "challenge", "c"), ERR_NAME_TAKEN);
    assert_int_equal(
        CALL(register, "nobody++", "name", "too long", "challenge", "c", "name_max", "3"),
        ERR_NAME_INVALID);
    assert_int_equal(
        CALL(register, "nobody++", "name", "nobody", "challenge", "c", "users_max", "5"),
        ERR_USERS_FULL);
    assert_string_equal(command("DBSIZE"), before);
    assert_string_equal(command(MEMORY), remembered);
}

/* Issue 13, item 7. */
static void scripts_registrations_that_have_begun_are_bounded(void **state)
{
    (void)state;
    static const char *const uids[] = {"frank+++", "grace+++", "heidi+++"};
    empty_realm();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            CALL(register, uids[i], "name", uids[i], "challenge", "c", "begun_max", "2"),
            ERR_CHALLENGED);
    }
    assert_string_equal(command("ZCARD hgtp:{T}:pending"), "2");
    assert_string_equal(command("EXISTS hgtp:{T}:p:frank+++:127.0.0.1"), "0");
    assert_int_equal(CALL(prove, "frank+++", "challenge", "c", "new_token", "t"),
                     ERR_NOT_CHALLENGED);
    assert_int_equal(CALL(prove, "grace+++", "challenge", "c", "new_token", "t"), ERR_NONE);
    assert_int_equal(CALL(prove, "heidi+++", "challenge", "c", "new_token", "t"), ERR_NONE);
}

/* A signed request of nobody ends with the look for its token; its repetition as it ended before.
 */
static void scripts_repeated_request_of_one_who_is_gone_gets_its_answer(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(unregister, "carol+++", "token", "t", "timestamp", "9", "print", "p"),
                     ERR_NONE);
    assert_int_equal(CALL(token, "carol+++", "print", "p"), ERR_NONE);
    assert_true(has_effect("repeated 1"));
    assert_int_equal(CALL(token, "carol+++", "print", "q"), ERR_NOT_REGISTERED);
    assert_int_equal(CALL(token, "carol+++", "opens", "1"), ERR_NONE);
    assert_string_equal(last.extra, "");
}

static void scripts_signature_of_a_legacy_session_cannot_be_replayed(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(refresh, "bob+++++", "token", "t", "timestamp", "9"), ERR_NONE);
    assert_int_equal(CALL(refresh, "bob+++++", "token", "t", "timestamp", "9", "ip", "127.0.0.66",
                          "src", "127.0.0.66:1"),
                     ERR_REPLAYED);
    assert_string_equal(command("HGET hgtp:{T}:u:bob+++++ ip"), "127.0.0.1");
}

static void scripts_proof_rehomes_a_session_and_keeps_its_room(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(register, "bob+++++", "name", "bob", "challenge", "d"), ERR_CHALLENGED);
    assert_int_equal(CALL(prove, "bob+++++", "challenge", "d", "new_token", "x", "http",
                          "127.0.0.1:77", "token", "t"),
                     ERR_NONE);
    assert_string_equal(state_of("bob+++++"), "TALK");
    assert_true(has_effect("home bob+++++ bob 127.0.0.1:77 3600 hallhallhall"));
}

static void scripts_legacy_session_is_bound_to_its_address(void **state)
{
    (void)state;
    world();
    assert_int_equal(
        CALL(exit, "bob+++++", "room", "hall", "ip", "127.0.0.2", "src", "127.0.0.2:5"),
        ERR_ADDRESS_MISMATCH);
    assert_int_equal(CALL(exit, "bob+++++", "room", "hall", "src", "127.0.0.1:6"), ERR_NONE);
    assert_string_equal(command("HGET hgtp:{T}:u:bob+++++ src"), "127.0.0.1:6");
}

static void scripts_signed_session_needs_its_token_and_newer_timestamps(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(register, "frank+++", "name", "frank", "challenge", "c"), ERR_CHALLENGED);
    assert_int_equal(CALL(prove, "frank+++", "challenge", "c", "new_token", "tok", "auth", "hmac",
                          "timestamp", "4294967290"),
                     ERR_NONE);
    assert_int_equal(CALL(refresh, "frank+++", "timestamp", "4294967291"), ERR_SIGNATURE_REQUIRED);
    assert_int_equal(CALL(refresh, "frank+++", "token", "bad", "timestamp", "4294967291"),
                     ERR_SIGNATURE_REQUIRED);
    assert_int_equal(CALL(refresh, "frank+++", "token", "tok", "timestamp", "4294967290"),
                     ERR_REPLAYED);
    assert_int_equal(CALL(refresh, "frank+++", "token", "tok", "timestamp", "4294967295"),
                     ERR_NONE);
    assert_int_equal(CALL(refresh, "frank+++", "token", "tok", "timestamp", "3", "ip", "10.1.1.1",
                          "src", "10.1.1.1:1"),
                     ERR_NONE);
    assert_int_equal(CALL(refresh, "frank+++", "token", "tok", "timestamp", "4294967295"),
                     ERR_REPLAYED);
}

/* Time -------------------------------------------------------------------------------------------
 */

static void scripts_expired_member_leaves_its_room_and_the_last_one_ends_it(void **state)
{
    (void)state;
    world();
    command("ZADD hgtp:{T}:sessions 1 bob+++++");
    assert_int_equal(CALL(sweep, NULL), ERR_NONE);
    assert_true(has_effect("leave bob+++++ "));
    assert_true(has_effect(" left bob "));
    assert_true(has_effect("gone bob+++++"));
    command("ZADD hgtp:{T}:sessions 1 alice+++");
    assert_int_equal(CALL(sweep, NULL), ERR_NONE);
    assert_true(has_effect(" left alice "));
    assert_true(has_effect("gone alice+++"));
    command("ZADD hgtp:{T}:sessions 1 erin++++");
    assert_int_equal(CALL(sweep, NULL), ERR_NONE);
    assert_true(has_effect(" closed "));
    assert_string_equal(command("EXISTS hgtp:{T}:un:alice hgtp:{T}:r:hallhallhall"), "0");
    assert_int_equal(CALL(sweep, NULL), ERR_NONE);
    assert_string_equal(last.extra, "0");
}

static void scripts_touch_renews_its_own_and_reports_the_others(void **state)
{
    (void)state;
    world();
    command("ZADD hgtp:{T}:sessions 1 bob+++++");
    command("HSET hgtp:{T}:u:carol+++ home n2@1");
    assert_int_equal(CALL(touch, NULL, "uids", "bob+++++carol+++nobody++"), ERR_NONE);
    assert_false(has_effect("release bob"));
    assert_true(has_effect("release carol+++ "));
    assert_true(has_effect("release nobody++ "));
    assert_int_equal(CALL(sweep, NULL), ERR_NONE);
    assert_string_equal(last.extra, "0");
}

/* The room log -----------------------------------------------------------------------------------
 */

static void scripts_log_numbers_are_consecutive_and_can_be_read_again(void **state)
{
    (void)state;
    char epoch[64];
    world();
    snprintf(epoch, sizeof epoch, "%s", command("HGET hgtp:{T}:r:hallhallhall epoch"));
    for (int i = 0; i < 10; i++) {
        char expected[16];
        snprintf(expected, sizeof expected, "%d", 4 + i);
        assert_int_equal(CALL(say, "bob+++++", "text", "hi", "sent", "12"), ERR_NONE);
        assert_string_equal(last.extra, expected);
    }
    assert_int_equal(CALL(log_read, NULL, "room_id", "hallhallhall", "epoch", epoch, "first", "2",
                          "last", "5", "count", "3"),
                     ERR_NONE);
    assert_string_equal(last.extra, "13");
    assert_true(has_effect("hallhallhall") && has_effect(" 2 joined bob ") &&
                has_effect(" 4 message bob hi "));
    assert_false(has_effect(" 1 created") || has_effect(" 5 message"));
    assert_int_equal(CALL(log_read, NULL, "room_id", "hallhallhall", "epoch", "1", "first", "2",
                          "last", "5", "count", "3"),
                     ERR_ROOM_UNKNOWN);
}

static void scripts_room_opened_again_under_the_same_id_has_another_epoch(void **state)
{
    (void)state;
    char epoch[64];
    world();
    snprintf(epoch, sizeof epoch, "%s", command("HGET hgtp:{T}:r:hallhallhall epoch"));
    assert_int_equal(CALL(delete, "alice+++", "room_id", "hallhallhall"), ERR_NONE);
    assert_int_equal(CALL(create, "alice+++", "room_id", "hallhallhall", "room", "hall"), ERR_NONE);
    assert_string_not_equal(command("HGET hgtp:{T}:r:hallhallhall epoch"), epoch);
}

static void scripts_message_with_a_client_id_is_stored_once(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(say, "bob+++++", "text", "hi", "sent", "1", "id", "m1"), ERR_NONE);
    assert_string_equal(last.extra, "4");
    assert_int_equal(CALL(say, "bob+++++", "text", "hi", "sent", "1", "id", "m1"), ERR_NONE);
    assert_string_equal(last.extra, "4");
    assert_false(has_effect("entry"));
    assert_string_equal(command("XLEN hgtp:{T}:log:hallhallhall"), "4");
}

/* Lists ------------------------------------------------------------------------------------------
 */

static void scripts_lists_are_read_when_they_have_another_version(void **state)
{
    (void)state;
    world();
    char word[64];
    assert_int_equal(CALL(lists, NULL, "what", "users hallhallhall goneroomgone"), ERR_NONE);
    assert_true(has_effect("list users  "));
    assert_true(has_effect(" alice  bob  erin "));
    assert_false(has_effect("goneroomgone"));
    snprintf(word, sizeof word, "users:%s", command("HGET hgtp:{T}:listed users:version"));
    CALL(lists, NULL, "what", word);
    assert_false(has_effect("list"));
    CALL(unregister, "carol+++");
    CALL(lists, NULL, "what", word);
    assert_true(has_effect("list users  "));
}

/* Issue 13, item 18. */
static void scripts_long_lists_are_left_to_be_read_when_they_change(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(exit, "erin++++", "room", "hall", "lists_max", "1"), ERR_NONE);
    assert_true(has_effect("dirty members hallhallhall"));
    assert_false(has_effect("list members"));
}

static void scripts_list_longer_than_a_call_reads_comes_by_pieces(void **state)
{
    (void)state;
    world();
    for (int i = 0; i < 2500; i++) {
        char text[96];
        snprintf(text, sizeof text, "HSET hgtp:{T}:u:u%07d name n%07d", i, i);
        command(text);
        snprintf(text, sizeof text, "ZADD hgtp:{T}:sessions 9000000000000 u%07d", i);
        command(text);
    }
    CALL(lists, NULL, "what", "users hallhallhall");
    assert_true(has_effect("long users  "));
    assert_true(has_effect("list members"));
    char cursor[32] = "0";
    size_t piece_count = 0;
    do {
        CALL(piece, NULL, "what", "users", "room", "", "cursor", cursor);
        assert_true(has_effect("names "));
        snprintf(cursor, sizeof cursor, "%.31s", last.extra);
        piece_count++;
    } while (strcmp(cursor, "0") != 0 && piece_count < 100);
    assert_in_range(piece_count, 2, 10);
}

static void scripts_many_changes_at_once_are_left_for_one_list_later(void **state)
{
    (void)state;
    world();
    int at_once = 0, later = 0;
    for (int i = 0; i < 20; i++) {
        char uid[32], name[32];
        snprintf(uid, sizeof uid, "user%04d", i);
        snprintf(name, sizeof name, "name%d", i);
        assert_int_equal(CALL(register, uid, "name", name, "challenge", "c"), ERR_CHALLENGED);
        assert_int_equal(
            CALL(prove, uid, "challenge", "c", "new_token", "t", "coalesce_ms", "10000"), ERR_NONE);
        at_once += has_effect("list users");
        later += has_effect("dirty users");
    }
    assert_true(at_once <= 4);
    assert_int_equal(at_once + later, 20);
}

/* ------------------------------------------------------------------------------------------------
 */

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_step_every_cell_of_the_state_machine_as_the_table_says),
        cmocka_unit_test(scripts_answer_every_request_in_every_state_a_session_can_be_in),
        cmocka_unit_test(scripts_refused_request_leaves_the_state_as_it_was),
        cmocka_unit_test(scripts_invited_who_accepts_is_in_the_room_and_the_manager_hears_first),
        cmocka_unit_test(scripts_answer_that_nobody_asked_for_changes_nothing),
        cmocka_unit_test(scripts_copy_of_an_old_answer_does_not_answer_a_new_question),
        cmocka_unit_test(scripts_unanswered_requests_are_declined_by_the_sweep),
        cmocka_unit_test(scripts_repeated_invite_gets_the_late_answer_and_asks_the_peer_once),
        cmocka_unit_test(scripts_deleted_room_lets_everybody_go_and_settles_what_waits),
        cmocka_unit_test(scripts_limits_are_exact),
        cmocka_unit_test(scripts_names_are_unique_and_free_again_at_the_end),
        cmocka_unit_test(scripts_two_who_begin_with_one_name_only_the_first_to_prove_gets_it),
        cmocka_unit_test(scripts_challenge_is_good_once),
        cmocka_unit_test(scripts_repeated_beginning_gets_a_challenge_that_is_still_open),
        cmocka_unit_test(scripts_registrations_that_have_begun_are_bounded),
        cmocka_unit_test(scripts_repeated_request_of_one_who_is_gone_gets_its_answer),
        cmocka_unit_test(scripts_strangers_leave_no_key_behind),
        cmocka_unit_test(scripts_signature_of_a_legacy_session_cannot_be_replayed),
        cmocka_unit_test(scripts_proof_rehomes_a_session_and_keeps_its_room),
        cmocka_unit_test(scripts_legacy_session_is_bound_to_its_address),
        cmocka_unit_test(scripts_signed_session_needs_its_token_and_newer_timestamps),
        cmocka_unit_test(scripts_expired_member_leaves_its_room_and_the_last_one_ends_it),
        cmocka_unit_test(scripts_touch_renews_its_own_and_reports_the_others),
        cmocka_unit_test(scripts_log_numbers_are_consecutive_and_can_be_read_again),
        cmocka_unit_test(scripts_room_opened_again_under_the_same_id_has_another_epoch),
        cmocka_unit_test(scripts_message_with_a_client_id_is_stored_once),
        cmocka_unit_test(scripts_lists_are_read_when_they_have_another_version),
        cmocka_unit_test(scripts_long_lists_are_left_to_be_read_when_they_change),
        cmocka_unit_test(scripts_list_longer_than_a_call_reads_comes_by_pieces),
        cmocka_unit_test(scripts_many_changes_at_once_are_left_for_one_list_later),
    };
    return cmocka_run_group_tests(tests, scripts_set_up, scripts_tear_down);
}
