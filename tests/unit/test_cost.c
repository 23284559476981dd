/* SPDX-License-Identifier: MIT */
/*
 * Tests of node/core/cost in virtual time: what is charged and to whom, whose scripts go to the
 * store at once, whose wait, and who is refused. The store is a fake that answers when told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "node/core/core_state.h"

#define UID       "alice+++"
#define TOKEN     "alice+++token"
#define ADDRESS   0x0a000001u
#define PROXY     0xc0000201u
#define PER_S     100
#define ADDRESS_S 1000
#define AT_ONCE   16
#define LARGE     2
#define LEAVING   256
#define CALLS_MAX 1024
#define NO_ANSWER 255 /* and more than any code */

static struct {
    struct core *core;
    struct config config;
    int64_t now_ms;
    store_on_result_fn *on_result[CALLS_MAX];
    void *arg[CALLS_MAX];
    size_t asked_count, answered_count;
    size_t got_count[NO_ANSWER], none_count;
} fake;

static void fake_call(void *ctx, enum script script, const struct script_args *args,
                      store_on_result_fn *on_result, void *arg)
{
    (void)ctx;
    (void)script;
    assert_true(args->count > 0 && bytes_equal(args->items[0], bytes_str("mark")));
    assert_true(fake.asked_count < CALLS_MAX);
    fake.on_result[fake.asked_count] = on_result;
    fake.arg[fake.asked_count++] = arg;
}

static int64_t fake_now(void *ctx)
{
    (void)ctx;
    return fake.now_ms;
}

static void fake_wake_in(void *ctx, int64_t ms)
{
    (void)ctx;
    (void)ms;
}

static void fake_random(void *ctx, uint8_t *bytes, size_t len)
{
    (void)ctx;
    memset(bytes, 7, len);
}

static int setup(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    fake.now_ms = 100000;
    fake.config.limits_cost_per_s = PER_S;
    fake.config.limits_address_cost_per_s = ADDRESS_S;
    fake.config.http_trusted_proxies = (char *)"192.0.2.0/24";
    const struct core_options options = {
        .config = &fake.config,
        .node = "n1@1",
        .bus_address = "",
        .store = {NULL, fake_call, NULL},
        .clock = {.now_ms = fake_now, .wake_in = fake_wake_in, .random = fake_random}};
    fake.core = core_new(&options);
    assert_non_null(fake.core);
    struct client *client = roster_client_add(&fake.core->roster, bytes_str(UID));
    assert_non_null(client);
    client->token_bytes = sizeof TOKEN - 1;
    memcpy(client->token, TOKEN, sizeof TOKEN - 1);
    return 0;
}

/* The oldest call at the store is answered; NO_ANSWER: it is not. */
static void answer_with(unsigned code, const struct effect *effects, size_t effect_count)
{
    assert_true(fake.answered_count < fake.asked_count);
    size_t i = fake.answered_count++;
    const struct result result = {.code = (enum err)code,
                                  .extra = bytes_str(""),
                                  .effects = effects,
                                  .effect_count = effect_count};
    fake.on_result[i](code != NO_ANSWER ? &result : NULL, fake.arg[i]);
}

static void answer(unsigned code)
{
    answer_with(code, NULL, 0);
}

static int teardown(void **state)
{
    (void)state;
    core_end_waiting(fake.core);
    while (fake.answered_count < fake.asked_count) {
        answer(ERR_NONE);
    }
    assert_int_equal(core_in_flight(fake.core), 0);
    assert_null(fake.core->cost_queues);
    roster_client_remove(&fake.core->roster, roster_client(&fake.core->roster, bytes_str(UID)));
    core_free(fake.core);
    return 0;
}

static void on_result(const struct result *result, void *arg)
{
    (void)arg;
    core_call_over(fake.core);
    if (result != NULL) {
        fake.got_count[result->code]++;
    } else {
        fake.none_count++;
    }
}

static struct cost cost_from(const char *uid, const char *token, uint32_t ip)
{
    return cost_of(fake.core, &(struct cost_asker){bytes_str(uid), bytes_str(token), ip, ip});
}

static void call(const struct cost *cost, enum cost_kind kind)
{
    struct script_args args = {.count = 0};
    char mark[8] = "mark"; /* gone when the call returns */
    script_args_str(&args, mark, "1");
    cost_call(fake.core, cost, kind, SCRIPT_history, &args, on_result, NULL);
    memset(mark, '?', sizeof mark);
}

static int taken(const struct cost *cost, int attempts)
{
    int count = 0;
    for (int i = 0; i < attempts; i++) {
        count += cost_take(fake.core, cost, 0) == ERR_NONE ? 1 : 0;
    }
    return count;
}

/* Who pays ------------------------------------------------------------------------------------- */

static void session_has_its_share_and_no_more(void **state)
{
    (void)state;
    const struct cost cost = cost_from(UID, TOKEN, ADDRESS);
    assert_true(cost.is_own);
    assert_int_equal(taken(&cost, 3 * PER_S), PER_S);
    fake.now_ms += 500;
    assert_int_equal(taken(&cost, 3 * PER_S), PER_S / 2);
}

static void who_names_a_user_id_does_not_use_up_its_share(void **state)
{
    (void)state;
    const struct cost guess = cost_from(UID, "alice+++guess", ADDRESS);
    const struct cost bare = cost_from(UID, "", ADDRESS);
    assert_false(guess.is_own || bare.is_own);
    assert_int_equal(taken(&guess, 3 * PER_S), PER_S);
    assert_int_equal(taken(&bare, 3 * PER_S), PER_S);
    const struct cost own = cost_from(UID, TOKEN, ADDRESS + 1);
    assert_int_equal(taken(&own, 3 * PER_S), PER_S);
}

static void address_has_a_share_for_all_its_sessions(void **state)
{
    (void)state;
    int count = 0;
    for (int i = 0; i < 20; i++) {
        char uid[16];
        snprintf(uid, sizeof uid, "%08d", i);
        const struct cost cost = cost_from(uid, "", ADDRESS);
        count += taken(&cost, PER_S);
    }
    assert_int_equal(count, ADDRESS_S);
    const struct cost other = cost_from("00000000", "", ADDRESS + 1);
    assert_int_equal(taken(&other, PER_S), PER_S);
}

static void strangers_use_up_nothing_of_the_sessions_of_their_address(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        char uid[16];
        snprintf(uid, sizeof uid, "%08d", i);
        const struct cost cost = cost_from(uid, "", ADDRESS);
        (void)taken(&cost, PER_S);
    }
    const struct cost own = cost_from(UID, TOKEN, ADDRESS);
    assert_int_equal(taken(&own, 3 * PER_S), PER_S);
}

static void address_of_a_trusted_proxy_has_no_bound(void **state)
{
    (void)state;
    int count = 0;
    for (int i = 0; i < 20; i++) {
        char uid[16];
        snprintf(uid, sizeof uid, "%08d", i);
        const struct cost cost = cost_from(uid, "", PROXY);
        count += taken(&cost, PER_S);
    }
    assert_int_equal(count, 20 * PER_S);
}

static void no_address_shares_the_share_of_another(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3000; i++) {
        const struct cost cost = cost_from("00000000", "", ADDRESS + i);
        assert_int_equal(taken(&cost, 1), 1);
    }
    const struct cost other = cost_from("00000001", "", ADDRESS + 3000);
    assert_int_equal(taken(&other, 2 * PER_S), PER_S);
}

/* What is read --------------------------------------------------------------------------------- */

static void text_of_a_message_costs_by_its_size(void **state)
{
    (void)state;
    const struct cost cost = cost_from(UID, TOKEN, ADDRESS);
    int count = 0;
    while (cost_take(fake.core, &cost, 9 * 1024) == ERR_NONE) {
        count++;
    }
    assert_int_equal(count, PER_S / 10);
}

static void names_and_bytes_of_an_answer_are_charged(void **state)
{
    (void)state;
    static struct bytes names[401], entry[2];
    static uint8_t text[30 * 1024];
    names[0] = bytes_str("list");
    entry[0] = bytes_str("entry");
    entry[1] = bytes_of(text, sizeof text);
    const struct effect effects[] = {{names, 401}, {entry, 2}};
    const struct cost cost = cost_from(UID, TOKEN, ADDRESS);
    call(&cost, COST_LARGE);
    answer_with(ERR_NONE, effects, 2);
    assert_int_equal(taken(&cost, 3 * PER_S), PER_S - 20 - 30);
}

static void nobody_owes_more_than_a_second(void **state)
{
    (void)state;
    const struct cost cost = cost_from(UID, TOKEN, ADDRESS);
    cost_charge(fake.core, &cost, 100 * 1024 * 1024, 0);
    assert_int_equal(taken(&cost, 1), 0);
    fake.now_ms += 1000;
    assert_int_equal(taken(&cost, 1), 0);
    fake.now_ms += 500;
    assert_int_equal(taken(&cost, PER_S), PER_S / 2);
}

/* Turns ---------------------------------------------------------------------------------------- */

static void few_of_a_session_are_at_the_store_and_all_come_in_their_turn(void **state)
{
    (void)state;
    const struct cost cost = cost_from(UID, TOKEN, ADDRESS);
    const struct cost other = cost_from("bob+++++", "", ADDRESS);
    for (int i = 0; i < 5 * AT_ONCE; i++) {
        call(&cost, COST_SMALL);
    }
    assert_int_equal(fake.asked_count, AT_ONCE);
    call(&other, COST_SMALL);
    assert_int_equal(fake.asked_count, AT_ONCE + 1);
    for (int i = 0; i < 5 * AT_ONCE + 1; i++) {
        answer(ERR_NONE);
    }
    assert_int_equal(fake.got_count[ERR_NONE], 5 * AT_ONCE + 1);
}

static void fewer_that_read_much_are_and_what_they_have_read_counts_for_the_next(void **state)
{
    (void)state;
    static struct bytes entry[2];
    static uint8_t text[60 * 1024];
    entry[0] = bytes_str("entry");
    entry[1] = bytes_of(text, sizeof text);
    const struct effect effect = {entry, 2};
    const struct cost cost = cost_from(UID, TOKEN, ADDRESS);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(cost_take(fake.core, &cost, 0), ERR_NONE);
        call(&cost, COST_LARGE);
    }
    assert_int_equal(fake.asked_count, LARGE);
    answer_with(ERR_NONE, &effect, 1);
    assert_int_equal(fake.asked_count, LARGE + 1);
    answer_with(ERR_NONE, &effect, 1); /* that was all of its share */
    assert_int_equal(fake.got_count[ERR_RATE_LIMITED], 7);
    answer(ERR_NONE);
    assert_int_equal(fake.got_count[ERR_NONE], 3);
    assert_int_equal(fake.asked_count, 3);
}

static void who_leaves_waits_and_is_not_refused(void **state)
{
    (void)state;
    const struct cost cost = cost_from(UID, TOKEN, ADDRESS);
    assert_int_equal(taken(&cost, 2 * PER_S), PER_S);
    call(&cost, COST_LEAVING);
    assert_int_equal(fake.asked_count, 0);
    cost_tick(fake.core);
    assert_int_equal(fake.asked_count, 0);
    fake.now_ms += 20;
    cost_tick(fake.core);
    assert_int_equal(fake.asked_count, 1);
    answer(ERR_NONE);
    assert_int_equal(fake.got_count[ERR_NONE], 1);
}

static void too_many_who_leave_are_not_kept(void **state)
{
    (void)state;
    const struct cost cost = cost_from(UID, TOKEN, ADDRESS);
    assert_int_equal(taken(&cost, 2 * PER_S), PER_S);
    for (int i = 0; i < LEAVING + 5; i++) {
        call(&cost, COST_LEAVING);
    }
    assert_int_equal(fake.got_count[ERR_BUSY], 5);
    assert_int_equal(core_in_flight(fake.core), LEAVING);
}

static void nobody_waits_for_a_store_that_does_not_answer(void **state)
{
    (void)state;
    const struct cost cost = cost_from(UID, TOKEN, ADDRESS);
    for (int i = 0; i < 3 * AT_ONCE; i++) {
        call(&cost, COST_SMALL);
    }
    answer(NO_ANSWER);
    assert_int_equal(fake.none_count, 1);
    assert_int_equal(fake.got_count[ERR_STORE_AWAY], 2 * AT_ONCE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(session_has_its_share_and_no_more),
        TEST(who_names_a_user_id_does_not_use_up_its_share),
        TEST(address_has_a_share_for_all_its_sessions),
        TEST(strangers_use_up_nothing_of_the_sessions_of_their_address),
        TEST(address_of_a_trusted_proxy_has_no_bound),
        TEST(no_address_shares_the_share_of_another),
        TEST(text_of_a_message_costs_by_its_size),
        TEST(names_and_bytes_of_an_answer_are_charged),
        TEST(nobody_owes_more_than_a_second),
        TEST(few_of_a_session_are_at_the_store_and_all_come_in_their_turn),
        TEST(fewer_that_read_much_are_and_what_they_have_read_counts_for_the_next),
        TEST(who_leaves_waits_and_is_not_refused),
        TEST(too_many_who_leave_are_not_kept),
        TEST(nobody_waits_for_a_store_that_does_not_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
