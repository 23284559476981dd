/* SPDX-License-Identifier: MIT */
/*
 * Tests of the scripts by which operators change things, on a real Redis: every refusal, that a dry
 * run changes nothing and tells what the real one does, what members and managers hear of it, what
 * is recorded, and that a room without a manager gets on with everything that sessions can do.
 */
#include "ctl_fixture.h"

/* Refusals ---------------------------------------------------------------------------------------
 */

static void ctl_change_of_what_is_not_there_is_refused(void **state)
{
    (void)state;
    world();
    assert_int_equal(CTL(ctl_room_delete, "room", "no"), ERR_ROOM_UNKNOWN);
    assert_int_equal(CTL(ctl_room_limit, "room", "no", "limit", "5"), ERR_ROOM_UNKNOWN);
    assert_int_equal(CTL(ctl_room_invite, "room", "no", "user", "carol"), ERR_ROOM_UNKNOWN);
    assert_int_equal(CTL(ctl_room_invite, "room", "hall", "user", "no"), ERR_PEER_UNKNOWN);
    assert_int_equal(CTL(ctl_room_kick, "room", "no", "user", "bob"), ERR_ROOM_UNKNOWN);
    assert_int_equal(CTL(ctl_room_kick, "room", "hall", "user", "no"), ERR_PEER_UNKNOWN);
    assert_int_equal(CTL(ctl_room_notice, "room", "no", "text", "x"), ERR_ROOM_UNKNOWN);
    assert_int_equal(CTL(ctl_room_manager, "room", "no", "user", "bob"), ERR_ROOM_UNKNOWN);
    assert_int_equal(CTL(ctl_room_manager, "room", "hall", "user", "no"), ERR_PEER_UNKNOWN);
    assert_int_equal(CTL(ctl_session_kick, "user", "no"), ERR_PEER_UNKNOWN);
    assert_int_equal(CTL(ctl_account_remove, "user", "no"), ERR_PEER_UNKNOWN);
}

static void ctl_change_against_the_rules_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    world();
    command("SADD hgtp:{T}:other x");
    CTL(ctl_account_add, "user", "ann", "sealed", "k");
    command("HSET hgtp:{T}:r:hallhallhall limit 4"); /* alice, bob, erin and the invited dave */
    char before[64], after[64];
    digest(before);
    for (int dry = 0; dry < 2; dry++) {
        const char *is_dry = dry ? "1" : "";
        assert_int_equal(CTL(ctl_room_create, "dry_run", is_dry, "room", "hall", "limit", "0"),
                         ERR_ROOM_NAME_TAKEN);
        assert_int_equal(CTL(ctl_room_create, "dry_run", is_dry, "room", "", "limit", "0"),
                         ERR_NAME_INVALID);
        assert_int_equal(CTL(ctl_room_create, "dry_run", is_dry, "room", "a\nb", "limit", "0"),
                         ERR_NAME_INVALID);
        assert_int_equal(
            CTL(ctl_room_create, "dry_run", is_dry, "room", "x", "limit", "0", "rooms_max", "1"),
            ERR_ROOMS_FULL);
        assert_int_equal(CTL(ctl_room_invite, "dry_run", is_dry, "room", "hall", "user", "bob"),
                         ERR_PEER_IN_ROOM);
        assert_int_equal(CTL(ctl_room_invite, "dry_run", is_dry, "room", "hall", "user", "carol"),
                         ERR_ROOM_FULL);
        assert_int_equal(CTL(ctl_room_kick, "dry_run", is_dry, "room", "hall", "user", "alice"),
                         ERR_PEER_IS_MANAGER);
        assert_int_equal(CTL(ctl_room_kick, "dry_run", is_dry, "room", "hall", "user", "carol"),
                         ERR_PEER_NOT_MEMBER);
        assert_int_equal(CTL(ctl_room_notice, "dry_run", is_dry, "room", "hall", "text", ""),
                         ERR_MESSAGE_INVALID);
        assert_int_equal(CTL(ctl_notice, "dry_run", is_dry, "text", ""), ERR_MESSAGE_INVALID);
        assert_int_equal(CTL(ctl_account_add, "dry_run", is_dry, "user", "ann", "sealed", "x"),
                         ERR_NAME_TAKEN);
        assert_int_equal(CTL(ctl_account_add, "dry_run", is_dry, "user", "", "sealed", "x"),
                         ERR_NAME_INVALID);
    }
    assert_int_equal(CTL(ctl_account_add, "user", "new", "sealed", ""), ERR_MALFORMED);
    digest(after);
    assert_string_equal(after, before);
}

static void ctl_invited_user_cannot_be_invited_once_more(void **state)
{
    (void)state;
    world();
    assert_int_equal(CTL(ctl_room_invite, "room", "hall", "user", "dave"), ERR_PEER_BUSY);
}

/* Dry and real -----------------------------------------------------------------------------------
 */

struct change {
    enum script script;
    const char *args[4];
    const char *would, *did; /* words of `what` */
    const char *hit;         /* the rest of the row, but for the state */
    const char *state;
    const char *kind; /* of the event */
};

static const struct change changes[] = {
    {SCRIPT_ctl_room_create,
     {"room", "lobby", "limit", "7"},
     "would create",
     "created",
     "the room lobby for 7 members users 0 rooms 1",
     "done names lobby",
     "ctl_room_create"},
    {SCRIPT_ctl_room_delete,
     {"room", "hall", "text", ""},
     "would delete",
     "deleted",
     "the room hall with 3 users in it users 3 rooms 1",
     "done names alice names bob names erin",
     "ctl_room_delete"},
    {SCRIPT_ctl_room_limit,
     {"room", "hall", "limit", "2"},
     "would set",
     "set",
     "the limit of the room hall from 100 to 2 members, 3 are in it users 0 rooms 1",
     "done names hall",
     "ctl_room_limit"},
    {SCRIPT_ctl_room_invite,
     {"room", "hall", "user", "carol"},
     "would ask",
     "asked",
     "carol into the room hall users 1 rooms 1",
     "asked names carol",
     "ctl_room_invite"},
    {SCRIPT_ctl_room_kick,
     {"room", "hall", "user", "bob"},
     "would remove",
     "removed",
     "bob from the room hall users 1 rooms 1",
     "done names bob",
     "ctl_room_kick"},
    {SCRIPT_ctl_room_notice,
     {"room", "hall", "text", "hi"},
     "would tell",
     "told",
     "3 users in the room hall users 3 rooms 1",
     "done names alice names bob names erin",
     "ctl_room_notice"},
    {SCRIPT_ctl_session_kick,
     {"user", "bob", "text", ""},
     "would end",
     "ended",
     "the session of bob users 1 rooms 0",
     "done names bob",
     "ctl_session_kick"},
    {SCRIPT_ctl_session_kick,
     {"user", "alice", "text", ""},
     "would end",
     "ended",
     "the session of alice; bob manages the room hall from then on users 1 rooms 1",
     "done names alice",
     "ctl_session_kick"},
    {SCRIPT_ctl_room_manager,
     {"room", "hall", "user", "bob"},
     "would hand",
     "handed",
     "the room hall to bob users 1 rooms 1",
     "done names bob",
     "ctl_room_manager"},
    {SCRIPT_ctl_notice,
     {"text", "hi", "user", ""},
     "would tell",
     "told",
     "5 users users 5 rooms 0",
     "done",
     "ctl_notice"},
    {SCRIPT_ctl_account_remove,
     {"user", "ann", "text", ""},
     "would remove",
     "removed",
     "the account ann users 1 rooms 0",
     "done names ann",
     "ctl_account_remove"},
};

static int change(const struct change *c, const char *is_dry)
{
    return call(c->script, NULL, "actor", "root@ops", "dry_run", is_dry, c->args[0], c->args[1],
                c->args[2], c->args[3], NULL);
}

static void ctl_dry_run_changes_nothing_and_tells_what_the_real_one_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const struct change *c = &changes[i];
        char before[64], after[64], expected[512];
        world();
        CTL(ctl_account_add, "user", "ann", "sealed", "k");
        digest(before);
        assert_int_equal(change(c, "1"), ERR_NONE);
        const char *state_end = strchr(c->state, ' ');
        snprintf(expected, sizeof expected, "reply\nrow Done dry_run 1 what %s %s state %s\n",
                 c->would, c->hit, state_end != NULL ? state_end : "");
        assert_string_equal(last.effects, expected);
        digest(after);
        assert_string_equal(after, before);

        assert_int_equal(change(c, ""), ERR_NONE);
        snprintf(expected, sizeof expected, "row Done dry_run  what %s %s state %s\n", c->did,
                 c->hit, c->state);
        if (!has_effect(expected)) {
            fail_msg("no %s in %s", expected, last.effects);
        }
        digest(after);
        assert_string_not_equal(after, before);
        CTL(ctl_events, "after", "0", "since_ms", "0", "count", "0", "kind", "ctl_", "user", "",
            "room", "");
        snprintf(expected, sizeof expected, " event %s user ", c->kind);
        assert_true(has_effect(expected));
        snprintf(expected, sizeof expected, " node n1@1 actor root@ops args {\"%s\":\"%s\"",
                 c->args[0], c->args[1]);
        assert_true(has_effect(expected));
        snprintf(expected, sizeof expected, " result %s ", c->did);
        assert_true(has_effect(expected));
    }
}

/* What is heard of it ----------------------------------------------------------------------------
 */

static void ctl_kicked_member_is_out_at_once_and_told_before_its_node_lets_it_go(void **state)
{
    (void)state;
    world();
    assert_int_equal(CTL(ctl_room_kick, "room", "hall", "user", "bob"), ERR_NONE);
    const char *told = strstr(last.effects, "relay REMOVE bob+++++ 127.0.0.1:9 2 hallhallhall bob");
    const char *left = strstr(last.effects, "leave bob+++++ ");
    const char *notice = strstr(last.effects, " removed bob ");
    const char *reply = strstr(last.effects, "reply\n");
    assert_true(told != NULL && told < left && left < notice && notice < reply);
    assert_string_equal(state_of("bob+++++"), "REGISTER_OK");
    assert_string_equal(command("ZSCORE hgtp:{T}:m:hallhallhall bob+++++"), "");
    assert_string_equal(command("HGET hgtp:{T}:rh:hallhallhall n1@1"), "2");
    CALL(answer, "bob+++++", "kind", "REMOVE", "accepted", "1");
    assert_int_equal(CALL(join, "bob+++++", "room", "hall"), ERR_NONE);
}

static void ctl_kick_settles_what_the_manager_waits_for(void **state)
{
    (void)state;
    world();
    assert_int_equal(CTL(ctl_room_kick, "room", "hall", "user", "erin"), ERR_NONE);
    assert_true(has_effect("answer REMOVE alice+++ 127.0.0.1:5 4 0\n"));
    assert_true(has_effect("relay REMOVE erin++++ 127.0.0.1:9 2 "));
    assert_string_equal(command("ZSCORE hgtp:{T}:waits erin++++"), "");
    assert_string_equal(command("HEXISTS hgtp:{T}:u:erin++++ wait"), "0");
    assert_int_equal(CALL(remove, "alice+++", "room", "hall", "peer", "erin", "print", "i2"),
                     ERR_NONE); /* the request once more: its stored answer */
}

static void ctl_deleted_room_lets_all_go_its_manager_included(void **state)
{
    (void)state;
    world();
    assert_int_equal(CTL(ctl_room_delete, "room", "hall"), ERR_NONE);
    assert_true(has_effect("relay REMOVE alice+++ 127.0.0.1:9 1 hallhallhall alice\n"));
    assert_true(has_effect("relay REMOVE bob+++++ 127.0.0.1:9 1 hallhallhall bob\n"));
    assert_true(has_effect("answer INVITE alice+++ 127.0.0.1:5 4 36\n"));
    assert_true(has_effect(" closed "));
    assert_true(strstr(last.effects, " closed ") < strstr(last.effects, "reply\n"));
    const char *const uids[] = {"alice+++", "bob+++++", "dave++++", "erin++++"};
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(state_of(uids[i]), "REGISTER_OK");
    }
    assert_string_equal(command("EXISTS hgtp:{T}:r:hallhallhall hgtp:{T}:m:hallhallhall "
                                "hgtp:{T}:rh:hallhallhall hgtp:{T}:i:hallhallhall "
                                "hgtp:{T}:log:hallhallhall hgtp:{T}:rn:hall"),
                        "0");
    assert_int_equal(CALL(create, "alice+++", "room_id", "hallhallhall", "room", "hall"), ERR_NONE);
}

static void ctl_kicked_session_leaves_like_one_that_expires(void **state)
{
    (void)state;
    world();
    assert_int_equal(CTL(ctl_session_kick, "user", "bob"), ERR_NONE);
    assert_true(has_effect(" left bob ") && has_effect("gone bob+++++ ended\n"));
    assert_string_equal(command("EXISTS hgtp:{T}:u:bob+++++ hgtp:{T}:un:bob"), "0");
    CTL(ctl_session_kick, "user", "dave");
    assert_true(has_effect("answer INVITE alice+++ 127.0.0.1:5 4 36\n"));
    CTL(ctl_session_kick, "user", "alice");
    assert_true(has_effect(" manager erin ") && has_effect("gone alice+++ ended\n"));
    CTL(ctl_session_kick, "user", "erin");
    assert_true(
        has_effect(" what ended the session of erin and with it the room hall, which nobody "
                   "else is in users 1 rooms 1 "));
    assert_true(has_effect("gone erin++++ ended\n"));
    assert_string_equal(command("EXISTS hgtp:{T}:r:hallhallhall hgtp:{T}:m:hallhallhall "
                                "hgtp:{T}:rh:hallhallhall hgtp:{T}:i:hallhallhall "
                                "hgtp:{T}:log:hallhallhall hgtp:{T}:rn:hall"),
                        "0");
    CTL(ctl_events, "after", "0", "since_ms", "0", "count", "0", "kind", "session_kicked", "user",
        "bob", "room", "");
    assert_true(has_effect(" event session_kicked user bob "));
    registered("bob+++++", "bob");
}

static void ctl_limit_counts_from_now_on_and_nobody_has_to_leave(void **state)
{
    (void)state;
    world();
    CTL(ctl_room_limit, "room", "hall", "limit", "2");
    assert_string_equal(command("ZCARD hgtp:{T}:m:hallhallhall"), "3");
    assert_int_equal(CALL(join, "carol+++", "room", "hall"), ERR_ROOM_FULL);
    CTL(ctl_room_limit, "room", "hall", "limit", "0");
    assert_string_equal(command("HGET hgtp:{T}:r:hallhallhall limit"), "100");
    assert_int_equal(CALL(join, "carol+++", "room", "hall"), ERR_NONE);
}

static void ctl_notices_go_to_a_room_or_to_all(void **state)
{
    (void)state;
    world();
    CTL(ctl_room_notice, "room", "hall", "text", "tea is ready");
    assert_true(has_effect("entry hallhallhall ") &&
                has_effect(" 4 notice root@ops tea is ready "));
    CTL(ctl_notice, "text", "we restart");
    assert_true(has_effect("to *\nannounce root@ops we restart 1"));
}

/* Inviting ---------------------------------------------------------------------------------------
 */

static void ctl_invited_by_operators_answers_and_nobody_is_told(void **state)
{
    (void)state;
    world();
    CTL(ctl_room_create, "room", "lobby", "limit", "0");
    CTL(ctl_room_invite, "room", "lobby", "user", "carol");
    assert_true(has_effect("relay INVITE carol+++ 127.0.0.1:9 2 lobby carol\n"));
    assert_string_equal(state_of("carol+++"), "INVITE");
    assert_int_equal(CALL(answer, "carol+++", "kind", "INVITE", "accepted", "1"), ERR_IGNORED);
    assert_false(has_effect("answer "));
    assert_true(has_effect("join carol+++ ") && has_effect(" lobby  "));
    assert_true(has_effect(" invited carol "));
    assert_string_equal(state_of("carol+++"), "TALK");
    assert_string_equal(command("KEYS hgtp:{T}:q::*"), "");
}

static void ctl_invitation_by_operators_runs_out_and_is_declined_like_any_other(void **state)
{
    (void)state;
    world();
    CTL(ctl_room_invite, "room", "hall", "user", "carol");
    CALL(answer, "carol+++", "kind", "INVITE", "accepted", "0");
    assert_false(has_effect("answer "));
    assert_string_equal(state_of("carol+++"), "REGISTER_OK");
    CTL(ctl_room_invite, "room", "hall", "user", "carol");
    command("ZADD hgtp:{T}:waits 1 carol+++");
    assert_int_equal(CALL(sweep, NULL), ERR_NONE);
    assert_string_equal(state_of("carol+++"), "REGISTER_OK");
    CTL(ctl_room_invite, "room", "hall", "user", "carol");
    CALL(attach, "carol+++", "token", "t", "line", "w1");
    assert_true(has_effect("relay INVITE carol+++ 127.0.0.1:9 2 hall carol\n"));
    CTL(ctl_room_delete, "room", "hall");
    assert_string_equal(state_of("carol+++"), "REGISTER_OK");
    assert_false(has_effect("answer INVITE  "));
    assert_string_equal(command("KEYS hgtp:{T}:q::*"), "");
}

/* A room without a manager -----------------------------------------------------------------------
 */

static void lobby(void)
{
    world();
    assert_int_equal(CTL(ctl_room_create, "room", "lobby", "limit", "3"), ERR_NONE);
    assert_true(has_effect("list rooms") || has_effect("dirty rooms"));
}

static void ctl_operators_room_is_joined_left_and_stays(void **state)
{
    (void)state;
    lobby();
    CTL(ctl_room_show, "room", "lobby");
    assert_true(has_effect(" kind operators manager  members 0 limit 3 messages 1 kept 1 "));
    assert_int_equal(CALL(join, "carol+++", "room", "lobby"), ERR_NONE);
    assert_true(has_effect("join carol+++ ") && has_effect(" lobby  "));
    assert_int_equal(CALL(say, "carol+++", "text", "hi", "sent", "1"), ERR_NONE);
    assert_int_equal(CALL(refresh, "carol+++"), ERR_NONE);
    assert_true(has_effect(" carol \n"));
    assert_int_equal(CALL(exit, "carol+++", "room", "lobby"), ERR_NONE);
    CALL(lists, NULL, "what", "rooms counts ");
    assert_true(has_effect(" hall lobby\n") && has_effect(" hall 3 lobby 0\n"));
    assert_int_equal(CALL(join, "carol+++", "room", "lobby"), ERR_NONE);
    command("ZADD hgtp:{T}:sessions 1 carol+++");
    assert_int_equal(CALL(sweep, NULL), ERR_NONE);
    assert_true(has_effect(" left carol "));
    CALL(sweep, NULL);
    CTL(ctl_room_show, "room", "lobby");
    assert_true(has_effect(" manager  members 0 "));
}

static void ctl_operators_room_is_managed_by_none_of_its_members(void **state)
{
    (void)state;
    lobby();
    CALL(join, "carol+++", "room", "lobby");
    char rid[32];
    snprintf(rid, sizeof rid, "%s", command("GET hgtp:{T}:rn:lobby"));
    assert_int_equal(strlen(rid), 12);
    registered("frank+++", "frank");
    assert_int_equal(CALL(invite, "carol+++", "room", "lobby", "peer", "frank"), ERR_NOT_MANAGER);
    assert_int_equal(CALL(remove, "carol+++", "room", "lobby", "peer", "carol"), ERR_NOT_MANAGER);
    assert_int_equal(CALL(delete, "carol+++", "room_id", rid), ERR_NOT_MANAGER);
    assert_int_equal(CALL(manager, "carol+++", "peer", "carol"), ERR_NOT_MANAGER);
    assert_int_equal(CTL(ctl_room_manager, "room", "lobby", "user", "carol"),
                     ERR_ROOM_OF_OPERATORS);
    assert_int_equal(CALL(create, "frank+++", "room_id", "otherotherot", "room", "lobby"),
                     ERR_ROOM_NAME_TAKEN);
    assert_int_equal(CALL(join, "frank+++", "room", "lobby"), ERR_NONE);
    registered("grace+++", "grace");
    assert_int_equal(CTL(ctl_room_invite, "room", "lobby", "user", "grace"), ERR_NONE);
    registered("heidi+++", "heidi");
    assert_int_equal(CALL(join, "heidi+++", "room", "lobby"), ERR_ROOM_FULL);
    assert_int_equal(CTL(ctl_room_kick, "room", "lobby", "user", "carol"), ERR_NONE);
    assert_int_equal(CTL(ctl_session_kick, "user", "frank"), ERR_NONE);
    assert_false(has_effect("closed "));
}

static void ctl_operators_room_is_moved_with_and_deleted(void **state)
{
    (void)state;
    lobby();
    CALL(beat, NULL, "node", "n1@1");
    CALL(beat, NULL, "node", "n2@1", "bus", "tcp://127.0.0.1:8");
    CALL(join, "carol+++", "room", "lobby");
    assert_int_equal(CALL(attach, "carol+++", "node", "n2@1", "token", "t", "line", "w2"),
                     ERR_NONE);
    assert_true(has_effect("home carol+++ carol ") && has_effect(" n1@1  lobby  "));
    CALL(look, "carol+++", "node", "n2@1");
    assert_true(has_effect(" lobby   "));
    CTL(ctl_room_delete, "room", "lobby");
    assert_true(has_effect("to n2@1\nrelay REMOVE carol+++ "));
    assert_true(has_effect("to n2@1\nentry ") && has_effect(" closed "));
    assert_string_equal(state_of("carol+++"), "REGISTER_OK");
    assert_string_equal(command("EXISTS hgtp:{T}:rn:lobby"), "0");
}

static void ctl_operators_room_that_is_empty_is_told_and_deleted(void **state)
{
    (void)state;
    lobby();
    assert_int_equal(CTL(ctl_room_notice, "room", "lobby", "text", "x"), ERR_NONE);
    assert_true(has_effect("row Done dry_run  what told 0 users in the room lobby "));
    assert_int_equal(CTL(ctl_room_delete, "room", "lobby"), ERR_NONE);
    assert_int_equal(CTL(ctl_room_delete, "room", "lobby"), ERR_ROOM_UNKNOWN);
}

/* Accounts ---------------------------------------------------------------------------------------
 */

static void ctl_accounts_are_added_listed_and_removed(void **state)
{
    (void)state;
    world();
    assert_int_equal(DRY(ctl_account_add, "user", "zoe"), ERR_NONE);
    assert_int_equal(CTL(ctl_account_list, "text", ""), ERR_NONE);
    assert_false(has_effect("row Account "));
    assert_int_equal(CTL(ctl_account_add, "user", "zoe", "sealed", "SECRET"), ERR_NONE);
    assert_true(has_effect("row AccountKey user zoe\n"));
    assert_int_equal(CTL(ctl_account_add, "user", "bob", "sealed", "SECRET"), ERR_NONE);
    CTL(ctl_account_list, "text", "");
    const char *bob = strstr(last.effects, "row Account user bob added_ms 1");
    const char *zoe = strstr(last.effects, "row Account user zoe added_ms 1");
    assert_true(bob != NULL && zoe != NULL && bob < zoe &&
                has_effect(" added_by root@ops key SECRET\n"));
    assert_string_equal(last.extra, "0");
    CTL(ctl_account_remove, "user", "bob");
    assert_true(has_effect("removed the account bob and its session "));
    assert_int_equal(CALL(look, "bob+++++", "line", ""), ERR_NONE);
    assert_true(has_effect("gone bob+++++ ended"));
    CTL(ctl_account_list, "text", "");
    assert_false(has_effect("row Account user bob"));
    CTL(ctl_events, "after", "0", "since_ms", "0", "count", "0", "kind", "ctl_account", "user", "",
        "room", "");
    assert_true(has_effect(" event ctl_account_add user zoe "));
    assert_false(has_effect("SECRET"));
    assert_true(strstr(command("HGET hgtp:{T}:accounts zoe"), "\"sealed\":\"SECRET\"") != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ctl_change_of_what_is_not_there_is_refused),
        cmocka_unit_test(ctl_change_against_the_rules_is_refused_and_changes_nothing),
        cmocka_unit_test(ctl_invited_user_cannot_be_invited_once_more),
        cmocka_unit_test(ctl_dry_run_changes_nothing_and_tells_what_the_real_one_does),
        cmocka_unit_test(ctl_kicked_member_is_out_at_once_and_told_before_its_node_lets_it_go),
        cmocka_unit_test(ctl_kick_settles_what_the_manager_waits_for),
        cmocka_unit_test(ctl_deleted_room_lets_all_go_its_manager_included),
        cmocka_unit_test(ctl_kicked_session_leaves_like_one_that_expires),
        cmocka_unit_test(ctl_limit_counts_from_now_on_and_nobody_has_to_leave),
        cmocka_unit_test(ctl_notices_go_to_a_room_or_to_all),
        cmocka_unit_test(ctl_invited_by_operators_answers_and_nobody_is_told),
        cmocka_unit_test(ctl_invitation_by_operators_runs_out_and_is_declined_like_any_other),
        cmocka_unit_test(ctl_operators_room_is_joined_left_and_stays),
        cmocka_unit_test(ctl_operators_room_is_managed_by_none_of_its_members),
        cmocka_unit_test(ctl_operators_room_is_moved_with_and_deleted),
        cmocka_unit_test(ctl_operators_room_that_is_empty_is_told_and_deleted),
        cmocka_unit_test(ctl_accounts_are_added_listed_and_removed),
    };
    return cmocka_run_group_tests(tests, scripts_set_up, scripts_tear_down);
}
