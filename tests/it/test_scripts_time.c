/* SPDX-License-Identifier: MIT */
/*
 * Which calls of scripts are carried out, and when what they keep runs out: the fence between
 * states of Redis, deadlines, the realm's service time, what is remembered, the schema.
 */
#include <stdio.h>
#include <stdlib.h>

#include "scripts_fixture.h"

static long long number(const char *text)
{
    return strtoll(command(text), NULL, 10);
}

static long long life(void)
{
    return number("HGET hgtp:{T}:realm life");
}

/* The last beat was so long ago by Redis' clock. */
static void beat_after(long long ms)
{
    char text[96];
    assert_int_equal(CALL(beat, NULL), ERR_NONE);
    long long at = number("HGET hgtp:{T}:realm at");
    snprintf(text, sizeof text, "HSET hgtp:{T}:realm at %lld", at - ms);
    command(text);
}

static void scripts_call_of_an_earlier_state_of_redis_is_made_again_under_its_fence(void **state)
{
    (void)state;
    world();
    command("HSET hgtp:{T}:realm fence 77 run another");
    assert_int_equal(CALL(join, "carol+++", "room", "hall"), ERR_NONE);
    assert_int_equal(number("HGET hgtp:{T}:realm fence"), 78);
    assert_string_equal(state_of("carol+++"), "TALK");
}

static void scripts_state_older_than_the_node_knows_raises_the_fence(void **state)
{
    (void)state;
    world();
    long long before = number("HGET hgtp:{T}:realm fence");
    assert_int_equal(CALL(connect, NULL, "known", "500", "run", "x"), ERR_NONE);
    assert_memory_equal(last.extra, "501 ", 4);
    assert_true(before < 500);
    char run[64];
    snprintf(run, sizeof run, "%.40s", last.extra + 4);
    assert_int_equal(CALL(connect, NULL, "known", "501", "run", run), ERR_NONE);
    assert_memory_equal(last.extra, "501 ", 4); /* of the same state */
    /* A process that has come to the same number without this one's knowing. */
    assert_int_equal(CALL(connect, NULL, "known", "501", "run", "another"), ERR_NONE);
    assert_memory_equal(last.extra, "502 ", 4);
}

static void scripts_call_past_its_deadline_does_nothing(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(join, "carol+++", "room", "hall", "deadline", "1"), -1);
    assert_string_equal(state_of("carol+++"), "REGISTER_OK");
    assert_int_equal(CALL(say, "bob+++++", "text", "hi", "sent", "1", "deadline", "1"), -1);
    assert_string_equal(command("XLEN hgtp:{T}:log:hallhallhall"), "3");
}

static void scripts_service_time_passes_by_a_second_a_beat_at_most(void **state)
{
    (void)state;
    world();
    beat_after(2 * 3600 * 1000);
    long long before = life();
    assert_int_equal(CALL(beat, NULL), ERR_NONE);
    assert_int_equal(life() - before, 1000);
    beat_after(-2 * 3600 * 1000); /* the clock was set back */
    before = life();
    assert_int_equal(CALL(beat, NULL), ERR_NONE);
    assert_int_equal(life() - before, 0);
}

static void scripts_leap_of_the_clock_ends_no_session(void **state)
{
    (void)state;
    world();
    beat_after(2 * 3600 * 1000);
    assert_int_equal(CALL(sweep, NULL), ERR_NONE);
    assert_string_equal(last.extra, "0");
    assert_string_equal(command("ZCARD hgtp:{T}:sessions"), "5");
    assert_string_equal(command("ZCARD hgtp:{T}:waits"), "2");
}

static void scripts_request_is_remembered_for_its_time_over_generations(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(join, "carol+++", "room", "hall", "print", "p"), ERR_NONE);
    command("HSET hgtp:{T}:realm memory_life 1"); /* a new generation with the next beat */
    long long generation = number("HGET hgtp:{T}:realm memory");
    assert_int_equal(CALL(beat, NULL), ERR_NONE);
    assert_int_equal(number("HGET hgtp:{T}:realm memory"), generation + 1);
    assert_int_equal(CALL(join, "carol+++", "room", "hall", "print", "p"), ERR_NONE);
    assert_true(has_effect("repeated 1\n"));
    assert_int_equal(CALL(join, "carol+++", "room", "hall", "print", "p", "dedupe_ms", "0"),
                     ERR_IN_ROOM);
    command("HSET hgtp:{T}:realm memory_life 1");
    assert_int_equal(CALL(beat, NULL), ERR_NONE);
    char text[64];
    snprintf(text, sizeof text, "EXISTS hgtp:{T}:memory:%lld", generation);
    assert_string_equal(command(text), "0");
}

static void scripts_registration_that_is_not_proved_runs_out(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(register, "zoe+++++", "name", "zoe", "challenge", "c"), ERR_CHALLENGED);
    command("ZADD hgtp:{T}:pending 1 zoe+++++:127.0.0.1");
    assert_int_equal(CALL(prove, "zoe+++++", "challenge", "c", "new_token", "t", "seq", "3"),
                     ERR_NOT_CHALLENGED);
    assert_int_equal(CALL(sweep, NULL), ERR_NONE);
    assert_string_equal(command("EXISTS hgtp:{T}:p:zoe+++++:127.0.0.1"), "0");
    assert_string_equal(command("ZCARD hgtp:{T}:pending"), "0");
}

static void scripts_nothing_has_a_ttl(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(register, "zoe+++++", "name", "zoe", "challenge", "c"), ERR_CHALLENGED);
    assert_int_equal(CALL(say, "bob+++++", "text", "hi", "sent", "1", "print", "id:1"), ERR_NONE);
    const struct bytes words[] = {
        bytes_str("EVAL"),
        bytes_str("local n = 0 for _, k in ipairs(redis.call('KEYS', '*')) do "
                  "if redis.call('PTTL', k) ~= -1 then n = n + 1 end end return n"),
        bytes_str("0")};
    assert_string_equal(raw(3, words), "0");
}

static void scripts_realm_of_another_schema_is_refused(void **state)
{
    (void)state;
    world();
    command("SET hgtp:{T}:schema 7");
    assert_int_equal(CALL(connect, NULL, "known", "0"), ERR_SCHEMA_FOREIGN);
    assert_string_equal(last.extra, "7");
    command("DEL hgtp:{T}:schema"); /* from before there was one */
    assert_int_equal(CALL(connect, NULL, "known", "0"), ERR_SCHEMA_FOREIGN);
    assert_string_equal(last.extra, "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_call_of_an_earlier_state_of_redis_is_made_again_under_its_fence),
        cmocka_unit_test(scripts_state_older_than_the_node_knows_raises_the_fence),
        cmocka_unit_test(scripts_call_past_its_deadline_does_nothing),
        cmocka_unit_test(scripts_service_time_passes_by_a_second_a_beat_at_most),
        cmocka_unit_test(scripts_leap_of_the_clock_ends_no_session),
        cmocka_unit_test(scripts_request_is_remembered_for_its_time_over_generations),
        cmocka_unit_test(scripts_registration_that_is_not_proved_runs_out),
        cmocka_unit_test(scripts_nothing_has_a_ttl),
        cmocka_unit_test(scripts_realm_of_another_schema_is_refused),
    };
    return cmocka_run_group_tests_name("scripts_time", tests, scripts_set_up, scripts_tear_down);
}
