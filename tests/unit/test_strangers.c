/* SPDX-License-Identifier: MIT */
/*
 * Tests of node/core/strangers in virtual time: whose scripts go to the store at once, whose wait,
 * and who is answered without one. The store is a fake that answers when the test says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "node/core/core_state.h"

#define IN_FLIGHT   32
#define AT_ONCE     16 /* of one session that has proved itself */
#define WAITING     4096
#define FAILURES    100
#define HOME_UID    "alice+++"
#define HOME_TOKEN  "alice+++token"
#define ADDRESS     0x0a000001u
#define DEADLINE_MS 2000
#define CALLS_MAX   8192
#define MARK_DIGITS 24

/* A call that has reached the store, with the mark that the test gave it. */
struct asked {
    store_on_result_fn *on_result;
    void *arg;
    char mark[MARK_DIGITS];
};

static struct {
    struct core *core;
    struct config config;
    int64_t now_ms;
    struct asked asked[CALLS_MAX];
    size_t asked_count, answered_count;
    size_t got_count, busy_count; /* results, and those that say that nothing was asked */
} fake;

static void fake_call(void *ctx, enum script script, const struct script_args *args,
                      store_on_result_fn *on_result, void *arg)
{
    (void)ctx;
    (void)script;
    assert_true(fake.asked_count < CALLS_MAX);
    struct asked *asked = &fake.asked[fake.asked_count++];
    *asked = (struct asked){.on_result = on_result, .arg = arg};
    snprintf(asked->mark, sizeof asked->mark, "%.*s", (int)args->items[1].len,
             (const char *)args->items[1].ptr);
}

static enum err fake_refusal(void *ctx)
{
    (void)ctx;
    return ERR_STORE_AWAY;
}

static int64_t fake_now(void *ctx)
{
    (void)ctx;
    return fake.now_ms;
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
    fake.config.redis_deadline_ms = DEADLINE_MS;
    fake.config.limits_cost_per_s = fake.config.limits_address_cost_per_s = 1000000;
    fake.config.http_trusted_proxies = (char *)"192.0.2.0/24";
    const struct core_options options = {.config = &fake.config,
                                         .node = "n1@1",
                                         .bus_address = "",
                                         .store = {NULL, fake_call, fake_refusal},
                                         .clock = {.now_ms = fake_now, .random = fake_random}};
    fake.core = core_new(&options);
    assert_non_null(fake.core);
    struct client *client = roster_client_add(&fake.core->roster, bytes_str(HOME_UID));
    assert_non_null(client);
    client->token_bytes = sizeof HOME_TOKEN - 1;
    memcpy(client->token, HOME_TOKEN, sizeof HOME_TOKEN - 1);
    return 0;
}

static void on_result(const struct result *result, void *arg)
{
    (void)arg;
    core_call_over(fake.core);
    assert_non_null(result);
    fake.busy_count += result->code == ERR_BUSY ? 1 : 0;
    fake.got_count += result->code != ERR_BUSY ? 1 : 0;
}

/* The oldest call at the store is answered. */
static void answer(enum err code)
{
    assert_true(fake.answered_count < fake.asked_count);
    const struct asked asked = fake.asked[fake.answered_count++];
    const struct result result = {.code = code, .extra = bytes_str("")};
    asked.on_result(&result, asked.arg);
}

static void answer_all(enum err code)
{
    while (fake.answered_count < fake.asked_count) {
        answer(code);
    }
}

static int teardown(void **state)
{
    (void)state;
    core_end_waiting(fake.core);
    answer_all(ERR_NONE);
    assert_int_equal(core_in_flight(fake.core), 0);
    roster_client_remove(&fake.core->roster,
                         roster_client(&fake.core->roster, bytes_str(HOME_UID)));
    core_free(fake.core);
    return 0;
}

/* With an argument that is gone when the call returns. */
static enum err ask_as(struct stranger stranger, int mark)
{
    char *text = malloc(MARK_DIGITS);
    assert_non_null(text);
    snprintf(text, MARK_DIGITS, "%d", mark);
    struct script_args args = {.count = 0};
    script_args_str(&args, "mark", text);
    const struct cost cost = cost_of(
        fake.core, &(struct cost_asker){stranger.uid, stranger.token, stranger.ip, stranger.ip});
    stranger.cost = &cost;
    enum err err = strangers_call(fake.core, &stranger, SCRIPT_say, &args, on_result, NULL);
    memset(text, '?', MARK_DIGITS);
    free(text);
    return err;
}

static struct stranger own_client(void)
{
    return (struct stranger){
        .uid = bytes_str(HOME_UID), .token = bytes_str(HOME_TOKEN), .ip = ADDRESS};
}

/* One of many who nobody has heard of. */
static enum err ask(int number, uint32_t ip)
{
    char uid[16];
    snprintf(uid, sizeof uid, "%08d", number);
    return ask_as((struct stranger){.uid = bytes_of(uid, HGTP_USER_ID_BYTES), .ip = ip}, number);
}

static const struct stranger visitor = {
    .uid = {(const uint8_t *)"visitor+", 8},
    .token = {(const uint8_t *)"visitor+token", 13},
    .ip = ADDRESS,
    .is_proof = true,
};

static void visitor_proves(void)
{
    size_t asked_count = fake.asked_count;
    assert_int_equal(ask_as(visitor, -1), ERR_NONE);
    assert_int_equal(fake.asked_count, asked_count + 1);
    answer(ERR_NONE);
}

/* Tests ------------------------------------------------------------------------------------------
 */

static void strangers_wait_for_each_other_in_their_order(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(ask(i, ADDRESS), ERR_NONE);
    }
    assert_int_equal(fake.asked_count, IN_FLIGHT);
    assert_int_equal(core_in_flight(fake.core), COUNT);
    for (int i = 0; i < COUNT; i++) {
        char mark[MARK_DIGITS];
        snprintf(mark, sizeof mark, "%d", i);
        assert_string_equal(fake.asked[i].mark, mark);
        answer(ERR_NONE);
    }
    assert_int_equal(fake.got_count, COUNT);
    assert_int_equal(core_in_flight(fake.core), 0);
}

static void own_clients_do_not_wait_for_strangers(void **state)
{
    (void)state;
    for (int i = 0; i < IN_FLIGHT + 10; i++) {
        (void)ask(i, ADDRESS);
    }
    assert_int_equal(ask_as(own_client(), -1), ERR_NONE);
    assert_int_equal(fake.asked_count, IN_FLIGHT + 1);
    assert_string_equal(fake.asked[IN_FLIGHT].mark, "-1");
}

static void who_has_proved_a_session_elsewhere_does_not_wait(void **state)
{
    (void)state;
    visitor_proves();
    for (int i = 0; i < IN_FLIGHT + 10; i++) {
        (void)ask(i, ADDRESS);
    }
    size_t asked_count = fake.asked_count;
    assert_int_equal(ask_as(visitor, -2), ERR_NONE);
    assert_int_equal(fake.asked_count, asked_count + 1);
    struct stranger other = visitor;
    other.token = bytes_str("visitor+guess");
    assert_int_equal(ask_as(other, -3), ERR_NONE);
    other = visitor;
    other.ip++;
    assert_int_equal(ask_as(other, -4), ERR_NONE);
    other = visitor;
    other.is_unproved = true;
    assert_int_equal(ask_as(other, -5), ERR_NONE);
    assert_int_equal(fake.asked_count, asked_count + 1);
}

/* Their calls are not among those that take turns. */
static void many_proved_calls_keep_no_newcomer_out(void **state)
{
    (void)state;
    visitor_proves();
    for (int i = 0; i < 2 * IN_FLIGHT; i++) {
        assert_int_equal(ask_as(visitor, -2), ERR_NONE);
    }
    assert_int_equal(ask(1, ADDRESS), ERR_NONE);
    assert_int_equal(fake.asked_count, 1 + AT_ONCE + 1);
}

/* OK to an EXIT, and a token that was looked up, are said to everybody. */
static void answer_that_everybody_gets_proves_nothing(void **state)
{
    (void)state;
    struct stranger leaving = visitor;
    leaving.is_leaving = true;
    leaving.is_proof = false;
    assert_int_equal(ask_as(leaving, -1), ERR_NONE);
    answer(ERR_NONE);
    for (int i = 0; i < IN_FLIGHT; i++) {
        (void)ask(i, ADDRESS);
    }
    assert_int_equal(ask_as(visitor, -2), ERR_NONE);
    assert_int_equal(fake.asked_count, IN_FLIGHT + 1);
}

static void proof_ends_when_it_fails(void **state)
{
    (void)state;
    visitor_proves();
    assert_int_equal(ask_as(visitor, -2), ERR_NONE);
    answer(ERR_NOT_REGISTERED);
    assert_int_equal(ask_as(visitor, -3), ERR_NOT_REGISTERED);
}

static void nobodys_calls_overtake_each_other(void **state)
{
    (void)state;
    for (int i = 0; i < IN_FLIGHT - 1; i++) {
        (void)ask(i, ADDRESS);
    }
    for (int i = 1; i <= 3; i++) { /* the first gets a turn, the others wait */
        assert_int_equal(ask_as(visitor, 1000 + i), ERR_NONE);
        assert_int_equal(ask(100 + i, ADDRESS), ERR_NONE);
    }
    const struct asked first = fake.asked[IN_FLIGHT - 1];
    assert_string_equal(first.mark, "1001");
    const struct result result = {.code = ERR_NONE, .extra = bytes_str("")};
    for (int i = 0; i < IN_FLIGHT - 1; i++) {
        fake.answered_count++; /* those before it stay unanswered */
    }
    fake.answered_count++;
    first.on_result(&result, first.arg);
    assert_int_equal(ask_as(visitor, 1004), ERR_NONE);
    char last[MARK_DIGITS] = "1001";
    for (size_t i = IN_FLIGHT; i < fake.asked_count; i++) {
        if (strncmp(fake.asked[i].mark, "100", 3) == 0 && strlen(fake.asked[i].mark) == 4) {
            assert_true(strcmp(fake.asked[i].mark, last) > 0);
            snprintf(last, sizeof last, "%s", fake.asked[i].mark);
        }
    }
    assert_string_equal(last, "1004");
    fake.answered_count = 0;
    for (size_t i = 0; i < fake.asked_count; i++) {
        if (i != IN_FLIGHT - 1) {
            fake.asked[i].on_result(&result, fake.asked[i].arg);
        }
    }
    fake.answered_count = fake.asked_count;
}

/* Whose session is here, as he says, but not by what he shows. */
static void claim_to_a_session_of_the_node_is_a_strangers(void **state)
{
    (void)state;
    struct stranger claims[] = {
        {.uid = bytes_str(HOME_UID), .token = bytes_str("alice+++guess"), .ip = ADDRESS},
        {.uid = bytes_str(HOME_UID), .ip = ADDRESS, .is_unproved = true}};
    for (int i = 0; i < IN_FLIGHT; i++) {
        (void)ask(i, ADDRESS);
    }
    assert_int_equal(ask_as(claims[0], -1), ERR_NONE);
    assert_int_equal(ask_as(claims[1], -2), ERR_NONE);
    assert_int_equal(fake.asked_count, IN_FLIGHT);
}

static void who_leaves_has_places_of_his_own(void **state)
{
    (void)state;
    for (int i = 0; i < IN_FLIGHT + WAITING; i++) {
        (void)ask(i, ADDRESS + (uint32_t)i);
    }
    struct stranger leaving = visitor;
    leaving.is_leaving = true;
    assert_int_equal(ask(-1, ADDRESS), ERR_BUSY);
    assert_int_equal(ask_as(leaving, -2), ERR_NONE);
}

static void too_many_are_refused_and_own_clients_served(void **state)
{
    (void)state;
    for (int i = 0; i < IN_FLIGHT + WAITING; i++) {
        assert_int_equal(ask(i, ADDRESS + (uint32_t)i), ERR_NONE);
    }
    assert_int_equal(ask(-1, ADDRESS), ERR_BUSY);
    assert_int_equal(ask_as(own_client(), -2), ERR_NONE);
    answer(ERR_NONE);
    assert_int_equal(ask(-3, ADDRESS), ERR_NONE);
}

static void nobody_is_not_asked_about_again_for_a_second(void **state)
{
    (void)state;
    assert_int_equal(ask(1, ADDRESS), ERR_NONE);
    answer(ERR_NOT_REGISTERED);
    assert_int_equal(ask(1, ADDRESS), ERR_NOT_REGISTERED);
    assert_int_equal(fake.asked_count, 1);
    /* Another address, another token, a request that must not be refused, or a second later. */
    assert_int_equal(ask(1, ADDRESS + 1), ERR_NONE);
    const struct stranger with_token = {
        .uid = bytes_str("00000001"), .token = bytes_str("00000001right"), .ip = ADDRESS};
    assert_int_equal(ask_as(with_token, 1), ERR_NONE);
    const struct stranger leaving = {
        .uid = bytes_str("00000001"), .ip = ADDRESS, .is_leaving = true};
    assert_int_equal(ask_as(leaving, 1), ERR_NONE);
    fake.now_ms += 1000;
    assert_int_equal(ask(1, ADDRESS), ERR_NONE);
    assert_int_equal(fake.asked_count, 5);
}

static void nobody_is_not_asked_about_when_his_turn_comes(void **state)
{
    (void)state;
    for (int i = 0; i < IN_FLIGHT + 200; i++) {
        assert_int_equal(ask(1, ADDRESS), ERR_NONE);
    }
    for (int i = 0; i < IN_FLIGHT; i++) {
        answer(ERR_NOT_REGISTERED);
    }
    assert_int_equal(fake.asked_count, IN_FLIGHT);
    assert_int_equal(fake.got_count, IN_FLIGHT + 200);
}

static void who_registers_is_nobody_no_more(void **state)
{
    (void)state;
    assert_int_equal(ask(1, ADDRESS), ERR_NONE);
    answer(ERR_NOT_REGISTERED);
    const struct stranger opening = {
        .uid = bytes_str("00000001"), .ip = ADDRESS, .is_opening = true};
    assert_int_equal(ask_as(opening, 1), ERR_NONE);
    answer(ERR_CHALLENGED);
    assert_int_equal(ask(1, ADDRESS), ERR_NOT_REGISTERED);
    strangers_registered(fake.core, bytes_str("00000001"), ADDRESS);
    assert_int_equal(ask(1, ADDRESS), ERR_NONE);
}

static void address_that_tries_many_is_held_back_and_no_other(void **state)
{
    (void)state;
    for (int i = 0; i < FAILURES; i++) {
        assert_int_equal(ask(i, ADDRESS), ERR_NONE);
        answer(ERR_NOT_REGISTERED);
    }
    assert_int_equal(ask(FAILURES, ADDRESS), ERR_RATE_LIMITED);
    assert_int_equal(ask(FAILURES, ADDRESS + 1), ERR_NONE);
    const struct stranger opening = {
        .uid = bytes_str("newcomer"), .ip = ADDRESS, .is_opening = true};
    assert_int_equal(ask_as(opening, 1), ERR_NONE);
    assert_int_equal(ask_as(own_client(), 1), ERR_NONE);
    fake.now_ms += 1000;
    assert_int_equal(ask(FAILURES, ADDRESS), ERR_NONE);
}

static void forged_datagrams_hold_no_connection_back(void **state)
{
    (void)state;
    struct stranger forged = {.ip = ADDRESS, .is_datagram = true};
    char uid[16];
    for (int i = 0; i < FAILURES; i++) {
        snprintf(uid, sizeof uid, "%08d", i);
        forged.uid = bytes_of(uid, HGTP_USER_ID_BYTES);
        assert_int_equal(ask_as(forged, i), ERR_NONE);
        answer(ERR_SIGNATURE_REQUIRED);
    }
    forged.uid = bytes_str("onemore+");
    assert_int_equal(ask_as(forged, 0), ERR_RATE_LIMITED);
    assert_int_equal(ask(FAILURES, ADDRESS), ERR_NONE);
}

static void address_of_a_trusted_proxy_is_not_held_back(void **state)
{
    (void)state;
    for (int i = 0; i < 3 * FAILURES; i++) {
        assert_int_equal(ask(i, 0xc0000207), ERR_NONE);
        answer(ERR_NOT_REGISTERED);
    }
}

static void who_has_waited_as_long_as_for_redis_is_not_asked_for(void **state)
{
    (void)state;
    for (int i = 0; i < IN_FLIGHT + 10; i++) {
        (void)ask(i, ADDRESS);
    }
    fake.now_ms += DEADLINE_MS;
    assert_int_equal(ask(-1, ADDRESS), ERR_NONE);
    answer(ERR_NONE);
    assert_int_equal(fake.busy_count, 10);
    assert_int_equal(fake.asked_count, IN_FLIGHT + 1);
    assert_string_equal(fake.asked[IN_FLIGHT].mark, "-1");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(strangers_wait_for_each_other_in_their_order),
        TEST(own_clients_do_not_wait_for_strangers),
        TEST(who_has_proved_a_session_elsewhere_does_not_wait),
        TEST(many_proved_calls_keep_no_newcomer_out),
        TEST(answer_that_everybody_gets_proves_nothing),
        TEST(proof_ends_when_it_fails),
        TEST(nobodys_calls_overtake_each_other),
        TEST(claim_to_a_session_of_the_node_is_a_strangers),
        TEST(who_leaves_has_places_of_his_own),
        TEST(too_many_are_refused_and_own_clients_served),
        TEST(nobody_is_not_asked_about_again_for_a_second),
        TEST(nobody_is_not_asked_about_when_his_turn_comes),
        TEST(who_registers_is_nobody_no_more),
        TEST(address_that_tries_many_is_held_back_and_no_other),
        TEST(forged_datagrams_hold_no_connection_back),
        TEST(address_of_a_trusted_proxy_is_not_held_back),
        TEST(who_has_waited_as_long_as_for_redis_is_not_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
