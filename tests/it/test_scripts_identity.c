/* SPDX-License-Identifier: MIT */
/*
 * Tests of who may have a session that stands: by its user id and by its name, with its token, its
 * account's key, or the shared key alone; and that who may not changes nothing of it (items 2 and
 * 17).
 */
#include <stdio.h>
#include <string.h>

#include "scripts_fixture.h"

#define HALL "hallhallhall"
#define U    "hgtp:{T}:u:"

/* How a REGISTER comes. */
struct proof {
    const char *auth, *ip, *http, *token, *account, *take_over, *line;
};
static const struct proof as_original = {.auth = "md5", .http = "127.0.0.1:70"};
static const struct proof by_hmac = {.auth = "hmac"};
static const struct proof by_account = {.auth = "hmac", .account = "1"};
static const struct proof by_marked_account = {.auth = "hmac", .account = "1", .take_over = "1"};

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static int registers(const char *uid, const char *name, const struct proof *how,
                     const char *new_token)
{
    const char *ip = how->ip != NULL ? how->ip : "127.0.0.1";
    int code = CALL(register, uid, "name", name, "challenge", new_token, "ip", ip);
    if (code != ERR_CHALLENGED) {
        return code;
    }
    char src[32];
    snprintf(src, sizeof src, "%s:5", ip);
    return CALL(prove, uid, "challenge", new_token, "new_token", new_token, "seq", "3", "auth",
                how->auth, "ip", ip, "src", src, "http", or_empty(how->http), "token",
                or_empty(how->token), "account", or_empty(how->account), "take_over",
                or_empty(how->take_over), "line", or_empty(how->line));
}

/* Asked with the session's token, each time later. */
#define BY(shown) "token", (shown), "timestamp", later()
static const char *later(void)
{
    static char text[24];
    static int count = 1;
    snprintf(text, sizeof text, "%d", ++count);
    return text;
}

static void has_account(const char *name)
{
    const struct bytes words[] = {bytes_str("HSET"), bytes_str("hgtp:{T}:accounts"),
                                  bytes_str(name), bytes_str("{\"sealed\":\"s\"}")};
    raw(4, words);
}

/* Everything that Redis keeps of a user's session. */
static char kept[4096];
static const char *session_of(const char *uid)
{
    static char text[4096];
    char script[512];
    snprintf(
        script, sizeof script,
        "local all = redis.call('HGETALL', '" U "%s') table.sort(all) "
        "return table.concat(all, ' ') .. (redis.call('ZSCORE', 'hgtp:{T}:sessions', '%s') or '')",
        uid, uid);
    const struct bytes words[] = {bytes_str("EVAL"), bytes_str(script), bytes_str("0")};
    snprintf(text, sizeof text, "%s", raw(3, words));
    return text;
}

static const char *field(const char *uid, const char *name)
{
    char text[96];
    snprintf(text, sizeof text, "HGET " U "%s %s", uid, name);
    return command(text);
}

/* bob, of the given kind, is in alice's room. */
static void bob_is(const struct proof *how)
{
    empty_realm();
    registered("alice+++", "alice");
    assert_int_equal(registers("bob+++++", "bob", how, "bob-----first"), ERR_NONE);
    assert_int_equal(CALL(create, "alice+++", "room_id", HALL, "room", "hall"), ERR_NONE);
    assert_int_equal(CALL(join, "bob+++++", "room", "hall", BY("bob-----first")), ERR_NONE);
    snprintf(kept, sizeof kept, "%s", session_of("bob+++++"));
}

static void nothing_has_changed(void)
{
    assert_string_equal(session_of("bob+++++"), kept);
    assert_string_equal(command("GET hgtp:{T}:un:bob"), "bob+++++");
    assert_false(has_effect("gone"));
    assert_false(has_effect("home"));
    assert_false(has_effect("release"));
}

static void bob_has(const char *uid, const char *token)
{
    assert_string_equal(command("GET hgtp:{T}:un:bob"), uid);
    assert_string_equal(field(uid, "token"), token);
    assert_string_equal(field(uid, "name"), "bob");
}

/* By the user id ------------------------------------------------------------------------------- */

static void scripts_user_id_and_shared_key_take_over_no_modern_session(void **state)
{
    (void)state;
    static const struct proof lined = {.auth = "md5", .line = "w1"};
    static const struct proof *const kinds[] = {&by_hmac, &lined};
    for (size_t i = 0; i < 2; i++) {
        bob_is(kinds[i]);
        const struct proof tries[] = {
            by_hmac,
            as_original,
            {.auth = "md5"},
            {.auth = "hmac", .ip = "10.0.0.1"},
            {.auth = "hmac", .token = "bob-----wrong"},
            {.auth = "hmac", .take_over = "1"},
        };
        for (size_t t = 0; t < sizeof tries / sizeof tries[0]; t++) {
            assert_int_equal(registers("bob+++++", "bob", &tries[t], "x"), ERR_TOKEN_REQUIRED);
            nothing_has_changed();
            assert_int_equal(registers("bob+++++", "mallory", &tries[t], "x"), ERR_TOKEN_REQUIRED);
            nothing_has_changed();
        }
    }
}

static void scripts_token_takes_over_and_keeps_the_room(void **state)
{
    (void)state;
    bob_is(&by_hmac);
    const struct proof by_token = {.auth = "hmac", .ip = "10.0.0.1", .token = "bob-----first"};
    assert_int_equal(registers("bob+++++", "bob", &by_token, "bob-----second"), ERR_NONE);
    bob_has("bob+++++", "bob-----second");
    assert_string_equal(field("bob+++++", "room"), HALL);
    assert_int_equal(registers("bob+++++", "bob", &by_token, "x"), ERR_TOKEN_REQUIRED);
}

static void scripts_original_is_taken_over_from_its_own_address_by_its_own_digest(void **state)
{
    (void)state;
    bob_is(&as_original);
    const struct proof elsewhere = {.auth = "md5", .ip = "10.0.0.1", .http = "10.0.0.1:70"};
    assert_int_equal(registers("bob+++++", "bob", &elsewhere, "x"), ERR_ADDRESS_MISMATCH);
    nothing_has_changed();
    assert_int_equal(registers("bob+++++", "bob", &by_hmac, "x"), ERR_TOKEN_REQUIRED);
    nothing_has_changed();
    assert_int_equal(registers("bob+++++", "bob", &as_original, "again"), ERR_NONE);
    bob_has("bob+++++", "again");
    assert_string_equal(field("bob+++++", "room"), HALL);
    assert_string_equal(field("bob+++++", "kind"), "original");
}

static void scripts_original_that_has_ever_had_a_line_is_one_no_more(void **state)
{
    (void)state;
    bob_is(&as_original);
    assert_int_equal(CALL(attach, "bob+++++", "token", "bob-----first", "line", "w1"), ERR_NONE);
    CALL(detach, "bob+++++", "line", "w1");
    snprintf(kept, sizeof kept, "%s", session_of("bob+++++"));
    assert_int_equal(registers("bob+++++", "bob", &as_original, "x"), ERR_TOKEN_REQUIRED);
    nothing_has_changed();
    assert_int_equal(CALL(unregister, "bob+++++"), ERR_SIGNATURE_REQUIRED);
    const struct proof by_token = {.auth = "md5", .http = "127.0.0.1:70", .token = "bob-----first"};
    assert_int_equal(registers("bob+++++", "bob", &by_token, "bob-----second"), ERR_NONE);
    assert_string_equal(field("bob+++++", "kind"), "modern");
}

static void scripts_session_of_an_account_needs_its_key_or_the_token(void **state)
{
    (void)state;
    static const struct proof account_original = {
        .auth = "md5", .http = "127.0.0.1:70", .account = "1"};
    static const struct proof *const kinds[] = {&by_account, &account_original};
    for (size_t i = 0; i < 2; i++) {
        empty_realm();
        has_account("bob");
        registered("alice+++", "alice");
        assert_int_equal(registers("bob+++++", "bob", kinds[i], "bob-----first"), ERR_NONE);
        snprintf(kept, sizeof kept, "%s", session_of("bob+++++"));
        /* By the shared key; the node has told the account's name before. */
        assert_int_equal(registers("bob+++++", "bob", &as_original, "x"), ERR_NOT_CHALLENGED);
        nothing_has_changed();
        assert_int_equal(registers("bob+++++", "zoe", &as_original, "x"), ERR_TOKEN_REQUIRED);
        nothing_has_changed();
        assert_int_equal(registers("bob+++++", "bob", &by_account, "bob-----second"), ERR_NONE);
        bob_has("bob+++++", "bob-----second");
    }
}

/* Names ---------------------------------------------------------------------------------------- */

static void scripts_rename_needs_the_token_and_no_room(void **state)
{
    (void)state;
    bob_is(&by_hmac);
    const struct proof by_token = {.auth = "hmac", .token = "bob-----first"};
    assert_int_equal(registers("bob+++++", "zoe", &by_token, "x"), ERR_IN_ROOM);
    nothing_has_changed();
    assert_int_equal(CALL(exit, "bob+++++", "room", "hall", BY("bob-----first")), ERR_NONE);
    assert_int_equal(registers("bob+++++", "zoe", &by_hmac, "x"), ERR_TOKEN_REQUIRED);
    assert_int_equal(registers("bob+++++", "alice", &by_token, "x"), ERR_NAME_TAKEN);
    assert_int_equal(registers("bob+++++", "zoe", &by_token, "bob-----second"), ERR_NONE);
    assert_string_equal(command("EXISTS hgtp:{T}:un:bob"), "0");
    assert_string_equal(command("GET hgtp:{T}:un:zoe"), "bob+++++");
}

/* Its UNREGISTER may have been lost. */
static void scripts_original_in_no_room_may_rename_by_its_ordinary_proof(void **state)
{
    (void)state;
    bob_is(&as_original);
    assert_int_equal(registers("bob+++++", "zoe", &as_original, "x"), ERR_IN_ROOM);
    nothing_has_changed();
    assert_int_equal(CALL(exit, "bob+++++", "room", "hall"), ERR_NONE);
    assert_int_equal(CALL(invite, "alice+++", "room", "hall", "peer", "bob"), ERR_WAITING);
    assert_int_equal(registers("bob+++++", "zoe", &as_original, "second"), ERR_NONE);
    assert_true(has_effect("answer INVITE alice+++ 127.0.0.1:5 4 35"));
    assert_string_equal(state_of("bob+++++"), "REGISTER_OK");
    assert_string_equal(command("GET hgtp:{T}:un:zoe"), "bob+++++");
    assert_string_equal(command("EXISTS hgtp:{T}:un:bob"), "0");
    assert_string_equal(command("ZCARD hgtp:{T}:waits"), "0");
}

/* By the name ---------------------------------------------------------------------------------- */

static void scripts_shared_key_takes_no_name_over_marked_or_not(void **state)
{
    (void)state;
    bob_is(&by_hmac);
    assert_int_equal(CALL(register, "other+++", "name", "bob", "challenge", "c", "take_over", "1"),
                     ERR_NAME_TAKEN);
    nothing_has_changed();
    /* A challenge for the name that was given before it was taken. */
    command("DEL hgtp:{T}:un:bob");
    CALL(register, "other+++", "name", "bob", "challenge", "c");
    command("SET hgtp:{T}:un:bob bob+++++");
    assert_int_equal(CALL(prove, "other+++", "challenge", "c", "new_token", "x", "take_over", "1"),
                     ERR_NAME_TAKEN);
    nothing_has_changed();
}

static void scripts_account_is_told_first_and_then_gets_session_room_and_management(void **state)
{
    (void)state;
    empty_realm();
    has_account("bob");
    assert_int_equal(registers("bob+++++", "bob", &by_account, "bob-----first"), ERR_NONE);
    const char *token = "bob-----first";
    assert_int_equal(CALL(attach, "bob+++++", "token", token, "line", "w1"), ERR_NONE);
    assert_int_equal(CALL(create, "bob+++++", "room_id", HALL, "room", "hall", BY(token)),
                     ERR_NONE);
    snprintf(kept, sizeof kept, "%s", session_of("bob+++++"));

    assert_int_equal(registers("new/++++", "bob", &by_account, "new_----second"), ERR_NAME_TAKEN);
    nothing_has_changed();
    const struct proof unproved = {.auth = "hmac", .take_over = "1"};
    assert_int_equal(registers("new/++++", "bob", &unproved, "x"), ERR_NOT_CHALLENGED);
    nothing_has_changed();

    const struct proof marked = {
        .auth = "hmac", .account = "1", .take_over = "1", .line = "w2", .ip = "10.0.0.1"};
    assert_int_equal(registers("new/++++", "bob", &marked, "new_----third"), ERR_NONE);
    assert_string_equal(last.extra, "bob-----third");
    bob_has("bob+++++", "bob-----third");
    assert_string_equal(field("bob+++++", "room"), HALL);
    assert_string_equal(field("bob+++++", "line"), "w2");
    assert_string_equal(command("HGET hgtp:{T}:r:" HALL " manager"), "bob+++++");
    assert_string_equal(command("EXISTS " U "new/++++"), "0");
    assert_string_equal(command("ZCARD hgtp:{T}:sessions"), "1");
    assert_true(has_effect("list members hallhallhall "));
    assert_true(has_effect(" bob \n"));
    assert_true(has_effect("resume bob+++++"));
    assert_int_equal(CALL(attach, "bob+++++", "token", token, "line", "w3"), ERR_NOT_REGISTERED);
}

static void scripts_challenge_is_used_up_by_a_right_proof_that_is_refused(void **state)
{
    (void)state;
    empty_realm();
    has_account("bob");
    assert_int_equal(registers("bob+++++", "bob", &by_account, "bob-----first"), ERR_NONE);
    assert_int_equal(registers("other+++", "bob", &by_account, "c"), ERR_NAME_TAKEN);
    assert_int_equal(CALL(prove, "other+++", "challenge", "c", "new_token", "x", "account", "1",
                          "take_over", "1"),
                     ERR_NOT_CHALLENGED);
    bob_has("bob+++++", "bob-----first");
}

static void scripts_session_that_is_taken_over_elsewhere_is_released_where_it_was(void **state)
{
    (void)state;
    empty_realm();
    CALL(beat, NULL, "node", "n1@1", "bus", "tcp://127.0.0.1:9");
    CALL(beat, NULL, "node", "n2@1", "bus", "tcp://127.0.0.1:8");
    has_account("bob");
    assert_int_equal(registers("bob+++++", "bob", &by_account, "bob-----first"), ERR_NONE);
    assert_int_equal(CALL(attach, "bob+++++", "token", "bob-----first", "line", "w1"), ERR_NONE);
    assert_int_equal(CALL(register, "other+++", "name", "bob", "challenge", "c"), ERR_CHALLENGED);
    assert_int_equal(CALL(prove, "other+++", "node", "n2@1", "challenge", "c", "new_token",
                          "other---x", "auth", "hmac", "account", "1", "take_over", "1", "line",
                          "w2"),
                     ERR_NONE);
    assert_true(has_effect("to n1@1\nrelease bob+++++ n2@1 w1 2\n"));
    assert_string_equal(field("bob+++++", "home"), "n2@1");
}

static void scripts_originals_session_is_ended_when_its_account_comes_otherwise(void **state)
{
    (void)state;
    empty_realm();
    has_account("bob");
    registered("alice+++", "alice");
    assert_int_equal(CALL(create, "alice+++", "room_id", HALL, "room", "hall"), ERR_NONE);
    static const struct proof account_original = {
        .auth = "md5", .http = "127.0.0.1:70", .account = "1"};
    assert_int_equal(registers("bob+++++", "bob", &account_original, "bob-----first"), ERR_NONE);
    assert_int_equal(CALL(join, "bob+++++", "room", "hall"), ERR_NONE);
    snprintf(kept, sizeof kept, "%s", session_of("bob+++++"));
    assert_int_equal(registers("other+++", "bob", &by_account, "x"), ERR_NAME_TAKEN);
    nothing_has_changed();
    assert_int_equal(registers("other+++", "bob", &by_marked_account, "other---second"), ERR_NONE);
    assert_true(has_effect("gone bob+++++ ended\n"));
    assert_true(has_effect(" left bob "));
    bob_has("other+++", "other---second");
    assert_string_equal(command("EXISTS " U "bob+++++"), "0");
    assert_string_equal(field("other+++", "room"), "");
    assert_string_equal(command("ZCARD hgtp:{T}:sessions"), "2");
}

/* Its own session stays what it is, under its own name. */
static void scripts_who_has_a_session_already_may_take_over_another_one(void **state)
{
    (void)state;
    empty_realm();
    has_account("bob");
    assert_int_equal(registers("bob+++++", "bob", &by_account, "bob-----first"), ERR_NONE);
    assert_int_equal(registers("zoe+++++", "zoe", &by_hmac, "zoe-----first"), ERR_NONE);
    assert_int_equal(registers("zoe+++++", "bob", &by_marked_account, "zoe-----x"), ERR_NONE);
    bob_has("bob+++++", "bob-----x");
    assert_string_equal(field("zoe+++++", "token"), "zoe-----first");
    assert_string_equal(field("zoe+++++", "name"), "zoe");
}

static void
scripts_account_that_has_come_or_gone_since_the_challenge_is_proved_by_nothing(void **state)
{
    (void)state;
    empty_realm();
    CALL(register, "bob+++++", "name", "bob", "challenge", "c");
    has_account("bob");
    assert_int_equal(CALL(prove, "bob+++++", "challenge", "c", "new_token", "x"),
                     ERR_NOT_CHALLENGED);
    CALL(register, "bob+++++", "name", "bob", "challenge", "d");
    command("DEL hgtp:{T}:accounts");
    assert_int_equal(CALL(prove, "bob+++++", "challenge", "d", "new_token", "x", "account", "1"),
                     ERR_NOT_CHALLENGED);
    assert_string_equal(command("EXISTS " U "bob+++++"), "0");
}

/* Lost answers --------------------------------------------------------------------------------- */

static int registered_by(const char *print, const char *line)
{
    CALL(register, "bob+++++", "name", "bob", "challenge", "c");
    return CALL(prove, "bob+++++", "challenge", "c", "new_token", "bob-----t", "auth", "hmac",
                "line", line, "print", print);
}

/* Item 5: refused is not done. */
static void
scripts_register_whose_answer_was_lost_is_undone_while_nobody_knows_its_token(void **state)
{
    (void)state;
    empty_realm();
    assert_int_equal(registered_by("p1", ""), ERR_NONE);
    assert_int_equal(CALL(undo, "bob+++++", "print", "p0"), ERR_NONE);
    assert_string_equal(command("EXISTS hgtp:{T}:un:bob"), "1");
    assert_int_equal(CALL(undo, "bob+++++", "print", "p1"), ERR_NONE);
    assert_string_equal(command("EXISTS hgtp:{T}:un:bob"), "0");
    assert_true(has_effect("gone bob+++++ ended\n"));
    assert_int_equal(registered_by("p1", ""), ERR_NOT_CHALLENGED); /* begin anew */
    assert_int_equal(registered_by("p2", ""), ERR_NONE);

    /* Its token was shown: the client has heard of it after all. */
    assert_int_equal(CALL(refresh, "bob+++++", BY("bob-----t")), ERR_NONE);
    assert_int_equal(CALL(undo, "bob+++++", "print", "p2"), ERR_NONE);
    assert_string_equal(command("EXISTS hgtp:{T}:un:bob"), "1");
    /* It has been taken over since, or stood before. */
    const struct proof by_token = {.auth = "hmac", .token = "bob-----t"};
    assert_int_equal(registers("bob+++++", "bob", &by_token, "bob-----u"), ERR_NONE);
    assert_int_equal(CALL(undo, "bob+++++", "print", "p2"), ERR_NONE);
    assert_string_equal(command("EXISTS hgtp:{T}:un:bob"), "1");
    assert_int_equal(CALL(unregister, "bob+++++", BY("bob-----u")), ERR_NONE);
    /* Its connection is there. */
    assert_int_equal(registered_by("p3", "w1"), ERR_NONE);
    assert_int_equal(CALL(undo, "bob+++++", "print", "p3"), ERR_NONE);
    assert_string_equal(command("EXISTS hgtp:{T}:un:bob"), "1");
    CALL(detach, "bob+++++", "line", "w1");
    assert_int_equal(CALL(undo, "bob+++++", "print", "p3"), ERR_NONE);
    assert_string_equal(command("EXISTS hgtp:{T}:un:bob"), "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_user_id_and_shared_key_take_over_no_modern_session),
        cmocka_unit_test(scripts_token_takes_over_and_keeps_the_room),
        cmocka_unit_test(scripts_original_is_taken_over_from_its_own_address_by_its_own_digest),
        cmocka_unit_test(scripts_original_that_has_ever_had_a_line_is_one_no_more),
        cmocka_unit_test(scripts_session_of_an_account_needs_its_key_or_the_token),
        cmocka_unit_test(scripts_rename_needs_the_token_and_no_room),
        cmocka_unit_test(scripts_original_in_no_room_may_rename_by_its_ordinary_proof),
        cmocka_unit_test(scripts_shared_key_takes_no_name_over_marked_or_not),
        cmocka_unit_test(scripts_account_is_told_first_and_then_gets_session_room_and_management),
        cmocka_unit_test(scripts_challenge_is_used_up_by_a_right_proof_that_is_refused),
        cmocka_unit_test(scripts_session_that_is_taken_over_elsewhere_is_released_where_it_was),
        cmocka_unit_test(scripts_originals_session_is_ended_when_its_account_comes_otherwise),
        cmocka_unit_test(
            scripts_register_whose_answer_was_lost_is_undone_while_nobody_knows_its_token),
        cmocka_unit_test(scripts_who_has_a_session_already_may_take_over_another_one),
        cmocka_unit_test(
            scripts_account_that_has_come_or_gone_since_the_challenge_is_proved_by_nothing),
    };
    return cmocka_run_group_tests(tests, scripts_set_up, scripts_tear_down);
}
