/* SPDX-License-Identifier: MIT */
/*
 * Tests of what becomes of a session whose client has lost its connection: it is away, is kept for
 * a time, comes back or ends; and of connections that come too late (items 8 and 17).
 */
#include <stdio.h>
#include <stdlib.h>

#include "scripts_fixture.h"

#define HALL "hallhallhall"
#define BOB  "hgtp:{T}:u:bob+++++ "

static int attach(const char *line, const char *try_number)
{
    return CALL(attach, "bob+++++", "token", "t", "line", line, "try", try_number);
}

/* bob is in alice's room and has a connection; two nodes live. */
static void attached(void)
{
    world();
    CALL(beat, NULL, "node", "n1@1", "bus", "tcp://127.0.0.1:9");
    CALL(beat, NULL, "node", "n2@1", "bus", "tcp://127.0.0.1:8");
    assert_int_equal(attach("w1", "10"), ERR_NONE);
}

/* For how many s it is kept from now on. */
static long long kept_s(const char *uid)
{
    char text[96];
    snprintf(text, sizeof text, "ZSCORE hgtp:{T}:sessions %s", uid);
    long long until = strtoll(command(text), NULL, 10);
    return (until - strtoll(command("HGET hgtp:{T}:realm life"), NULL, 10) + 999) / 1000;
}

static void pass(const char *ms)
{
    char text[96];
    snprintf(text, sizeof text, "HINCRBY hgtp:{T}:realm life %s", ms);
    command(text);
}

static void is_shown(const char *users)
{
    char effect[256];
    CALL(lists, NULL, "what", HALL);
    snprintf(effect, sizeof effect, " %s\n", users);
    if (!has_effect("list members " HALL " ") || !has_effect(effect)) {
        fail_msg("no %s in %s", effect, last.effects);
    }
}

static void lists_are_asked_for(void)
{
    assert_true(has_effect("to *\ndirty users  away\n"));
    assert_true(has_effect("dirty members " HALL " away\n"));
}

/* Item 17. */
static void scripts_session_that_loses_its_line_is_away_and_kept_for_a_while(void **state)
{
    (void)state;
    attached();
    is_shown("alice  bob  erin ");
    assert_in_range(kept_s("bob+++++"), 3600, 3602);
    CALL(detach, "bob+++++", "line", "w1");
    lists_are_asked_for();
    is_shown("alice  bob away erin ");
    CALL(lists, NULL, "what", "users");
    assert_true(has_effect(" bob away"));
    CALL(lists, NULL, "what", "rooms");
    assert_true(has_effect(" hall\n"));
    assert_in_range(kept_s("bob+++++"), 299, 302);
    assert_string_equal(state_of("bob+++++"), "TALK");
}

static void scripts_session_is_away_no_longer_than_it_would_live(void **state)
{
    (void)state;
    attached();
    command("HSET " BOB "expires 20");
    CALL(detach, "bob+++++", "line", "w1");
    assert_in_range(kept_s("bob+++++"), 19, 22);
}

static void scripts_session_that_is_away_for_too_long_ends_as_by_expiry(void **state)
{
    (void)state;
    attached();
    CALL(detach, "bob+++++", "line", "w1");
    pass("290000");
    CALL(sweep, NULL);
    assert_string_equal(state_of("bob+++++"), "TALK");
    pass("12000");
    CALL(sweep, NULL);
    assert_true(has_effect("gone bob+++++ ended\n"));
    assert_true(has_effect(" left bob "));
    assert_string_equal(command("EXISTS "
                                "hgtp:{T}:un:bob"),
                        "0");
    assert_int_equal(attach("w2", "11"), ERR_NOT_REGISTERED);
}

static void scripts_session_that_attaches_again_is_back(void **state)
{
    (void)state;
    attached();
    CALL(detach, "bob+++++", "line", "w1");
    assert_int_equal(attach("w2", "11"), ERR_NONE);
    lists_are_asked_for();
    is_shown("alice  bob  erin ");
    assert_in_range(kept_s("bob+++++"), 3600, 3602);
    CALL(detach, "bob+++++", "line", "w1");
    is_shown("alice  bob  erin ");
    CALL(detach, "bob+++++", "line", "w2");
    CALL(register, "bob+++++", "name", "bob", "challenge", "d");
    assert_int_equal(
        CALL(prove, "bob+++++", "challenge", "d", "new_token", "u", "token", "t", "line", "w3"),
        ERR_NONE);
    is_shown("alice  bob  erin ");
    assert_in_range(kept_s("bob+++++"), 3600, 3602);
}

/* A sign of life that was on its way when the connection broke. */
static void scripts_late_touch_keeps_nobody_who_is_away_for_longer(void **state)
{
    (void)state;
    attached();
    CALL(detach, "bob+++++", "line", "w1");
    CALL(touch, NULL, "uids", "bob+++++");
    assert_in_range(kept_s("bob+++++"), 299, 302);
}

static void scripts_request_of_one_who_is_away_restarts_its_time(void **state)
{
    (void)state;
    attached();
    CALL(detach, "bob+++++", "line", "w1");
    pass("200000");
    assert_int_equal(
        CALL(say, "bob+++++", "token", "t", "timestamp", "9", "src", "", "text", "x", "sent", "1"),
        ERR_NONE);
    assert_in_range(kept_s("bob+++++"), 299, 302);
    is_shown("alice  bob away erin ");
}

static void scripts_who_only_posts_or_is_pushed_to_is_never_away(void **state)
{
    (void)state;
    attached();
    CALL(detach, "erin++++", "line", "");
    CALL(beat, NULL, "bye", "1");
    registered_original("frank+++", "frank");
    command("HSET hgtp:{T}:u:frank+++ home n1@1");
    command("HSET hgtp:{T}:home:n1@1 frank+++ x");
    CALL(adopt, NULL, "node", "n2@1", "from", "n1@1", "cursor", "0", "count", "100");
    is_shown("alice  bob away erin ");
    assert_string_equal(command("HGET hgtp:{T}:u:frank+++ home"), "n2@1");
    assert_in_range(kept_s("erin++++"), 3590, 3602);
    assert_in_range(kept_s("frank+++"), 3590, 3602);
    assert_in_range(kept_s("bob+++++"), 299, 302);
}

static void scripts_line_whose_node_is_gone_is_away_until_it_is_heard_of(void **state)
{
    (void)state;
    attached();
    CALL(beat, NULL, "bye", "1");
    CALL(adopt, NULL, "node", "n2@1", "from", "n1@1", "cursor", "0", "count", "100");
    lists_are_asked_for();
    is_shown("alice  bob away erin ");
    /* The node lives after all, and so does the connection. */
    CALL(beat, NULL, "node", "n1@1", "bus", "tcp://127.0.0.1:9");
    CALL(look, "bob+++++", "line", "w1");
    is_shown("alice  bob  erin ");
    assert_in_range(kept_s("bob+++++"), 3600, 3602);
}

static void scripts_request_at_another_node_finds_the_line_of_a_dead_one_gone(void **state)
{
    (void)state;
    attached();
    CALL(beat, NULL, "bye", "1");
    assert_int_equal(CALL(refresh, "bob+++++", "node", "n2@1", "token", "t", "timestamp", "9"),
                     ERR_NONE);
    assert_string_equal(command("HGET " BOB "home"), "n2@1");
    is_shown("alice  bob away erin ");
}

/* A connection that was to take the place of a living one, and has gone before its answer came. */
static void scripts_line_that_was_none_gives_the_earlier_one_its_place_back(void **state)
{
    (void)state;
    attached();
    assert_int_equal(attach("w2", "11"), ERR_NONE);
    CALL(detach, "bob+++++", "line", "w2", "back", "w1");
    assert_string_equal(command("HGET " BOB "line"), "w1");
    is_shown("alice  bob  erin ");
    CALL(detach, "bob+++++", "line", "w2", "back", "");
    assert_string_equal(command("HGET " BOB "line"), "w1");
}

/* Item 8. */
static void scripts_attempt_that_comes_behind_a_later_one_is_none(void **state)
{
    (void)state;
    attached();
    assert_int_equal(attach("w2", "12"), ERR_NONE);
    assert_int_equal(
        CALL(attach, "bob+++++", "node", "n2@1", "token", "t", "line", "w3", "try", "11"),
        ERR_ATTACH_STALE);
    assert_false(has_effect("release"));
    assert_false(has_effect("home"));
    assert_string_equal(command("HGET " BOB "line"), "w2");
    assert_string_equal(command("HGET " BOB "home"), "n1@1");
    assert_int_equal(attach("w4", "12"), ERR_NONE); /* an event stream comes again by its address */
    assert_int_equal(attach("w5", "1767225600000"), ERR_NONE);
    assert_int_equal(attach("w6", "1767225599999"), ERR_ATTACH_STALE);
    assert_int_equal(CALL(attach, "bob+++++", "token", "t", "line", "w7"), ERR_NONE);
    assert_int_equal(attach("w8", "1767225599999"), ERR_ATTACH_STALE);
    /* Who has a new token counts anew. */
    CALL(register, "bob+++++", "name", "bob", "challenge", "d");
    assert_int_equal(CALL(prove, "bob+++++", "challenge", "d", "new_token", "u", "token", "t"),
                     ERR_NONE);
    assert_int_equal(CALL(attach, "bob+++++", "token", "u", "line", "w9", "try", "1"), ERR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_session_that_loses_its_line_is_away_and_kept_for_a_while),
        cmocka_unit_test(scripts_session_is_away_no_longer_than_it_would_live),
        cmocka_unit_test(scripts_session_that_is_away_for_too_long_ends_as_by_expiry),
        cmocka_unit_test(scripts_session_that_attaches_again_is_back),
        cmocka_unit_test(scripts_late_touch_keeps_nobody_who_is_away_for_longer),
        cmocka_unit_test(scripts_request_of_one_who_is_away_restarts_its_time),
        cmocka_unit_test(scripts_who_only_posts_or_is_pushed_to_is_never_away),
        cmocka_unit_test(scripts_line_whose_node_is_gone_is_away_until_it_is_heard_of),
        cmocka_unit_test(scripts_request_at_another_node_finds_the_line_of_a_dead_one_gone),
        cmocka_unit_test(scripts_line_that_was_none_gives_the_earlier_one_its_place_back),
        cmocka_unit_test(scripts_attempt_that_comes_behind_a_later_one_is_none),
    };
    return cmocka_run_group_tests(tests, scripts_set_up, scripts_tear_down);
}
