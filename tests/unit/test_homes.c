/* SPDX-License-Identifier: MIT */
/*
 * Tests of node/core/homes in virtual time: a session's way from one node to another, seen from
 * either side, with a fake store, a fake bus and a push connection whose confirmations the test
 * decides on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/core/core_state.h"

#define ROOM "roomroomroom"
#define UID  "alice+++"

/* The outside -------------------------------------------------------------------------------------
 */

static struct {
    struct core *core;
    struct config config;
    int64_t now_ms;
    bool is_idle, is_closed;
    uint64_t confirmed; /* mark */
    uint64_t got_marks[64];
    size_t got_count;
    char told[4][256]; /* effects sent over the bus: "node: name field ..." */
    size_t told_count;
    char seen[256];   /* what the last `seen` reported */
    const char *move; /* number of the moves that scripts tell of; NULL: they do not say */
    size_t calls[SCRIPT_COUNT];
    store_on_result_fn *on_result[SCRIPT_COUNT];
    void *arg[SCRIPT_COUNT];
} fake;

static enum err fake_refusal(void *ctx)
{
    (void)ctx;
    return ERR_STORE_AWAY;
}

static void fake_call(void *ctx, enum script script, const struct script_args *args,
                      store_on_result_fn *on_result, void *arg)
{
    (void)ctx;
    for (size_t i = 0; i + 1 < args->count; i += 2) {
        if (bytes_equal(args->items[i], bytes_str("seen"))) {
            snprintf(fake.seen, sizeof fake.seen, "%.*s", (int)args->items[i + 1].len,
                     (const char *)args->items[i + 1].ptr);
        }
    }
    assert_null(fake.on_result[script]);
    fake.calls[script]++;
    fake.on_result[script] = on_result;
    fake.arg[script] = arg;
}

/* Answers the open call of a script; `fields` NULL: without an effect. */
static void answer(enum script script, const struct bytes *fields, size_t count)
{
    store_on_result_fn *on_result = fake.on_result[script];
    assert_non_null(on_result);
    fake.on_result[script] = NULL;
    const struct effect effect = {fields, count};
    const struct result result = {.code = ERR_NONE,
                                  .extra = bytes_str("0"),
                                  .effects = &effect,
                                  .effect_count = fields != NULL ? 1 : 0};
    on_result(&result, fake.arg[script]);
}

static bool fake_send(void *push, enum push_type type, struct frame *body, uint64_t mark)
{
    (void)push;
    (void)body;
    assert_false(fake.is_closed);
    if (type == PUSH_MESSAGE) {
        assert_true(fake.got_count < 64);
        fake.got_marks[fake.got_count++] = mark;
    }
    return true;
}

static void *fake_open(void *ctx, const uint8_t uid[8], uint32_t ip, uint16_t port, void *owner)
{
    (void)ctx;
    (void)uid;
    (void)ip;
    (void)port;
    (void)owner;
    fake.is_closed = false;
    return &fake;
}

static bool fake_alive(const void *push)
{
    (void)push;
    return false;
}

static struct push_health fake_health(const void *push)
{
    (void)push;
    return (struct push_health){.is_up = true};
}

static uint64_t fake_confirmed(const void *push)
{
    (void)push;
    return fake.confirmed;
}

static bool fake_idle(const void *push)
{
    (void)push;
    return fake.is_idle;
}

static void fake_close(void *push)
{
    (void)push;
    fake.is_closed = true;
}

static void fake_bus_send(void *ctx, struct bytes node, const struct effect *effect)
{
    (void)ctx;
    char *into = fake.told[fake.told_count++];
    struct sink out = sink_into(into, sizeof fake.told[0] - 1);
    sink_put(&out, node);
    sink_text(&out, ":");
    for (size_t i = 0; i < effect->count; i++) {
        sink_text(&out, " ");
        sink_put(&out, effect->fields[i]);
    }
    into[out.len] = '\0';
}

static int64_t fake_now(void *ctx)
{
    (void)ctx;
    return fake.now_ms;
}

static void fake_wake(void *ctx, int64_t ms)
{
    (void)ctx;
    (void)ms;
}

static void fake_random(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    memset(out, 7, len);
}

static int set_up(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof fake);
    fake.now_ms = 100000;
    fake.is_idle = true;
    const struct core_options options = {
        .config = &fake.config,
        .node = "n1@1",
        .bus_address = "tcp://127.0.0.1:1",
        .store = {NULL, fake_call, fake_refusal},
        .push = {.open = fake_open,
                 .send = fake_send,
                 .alive = fake_alive,
                 .health = fake_health,
                 .confirmed = fake_confirmed,
                 .idle = fake_idle,
                 .close = fake_close},
        .bus = {.send = fake_bus_send},
        .clock = {NULL, fake_now, fake_now, fake_wake, fake_random}};
    fake.core = core_new(&options);
    return fake.core == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    for (int script = 0; script < SCRIPT_COUNT; script++) {
        while (fake.on_result[script] != NULL) {
            answer((enum script)script, NULL, 0);
        }
    }
    core_free(fake.core);
    return 0;
}

static struct client *alice(void)
{
    return roster_client(&fake.core->roster, bytes_str(UID));
}

/* The script says that she is at home here; `room_next` is the room's next entry, `next` hers. */
static void comes_to(const char *room_next, const char *next, const char *from, const char *is_held)
{
    const struct bytes fields[] = {
        bytes_str("home"),  bytes_str(UID),
        bytes_str("alice"), bytes_str("127.0.0.1:7"),
        bytes_str("60"),    bytes_str(ROOM),
        bytes_str("1"),     bytes_str(room_next),
        bytes_str(next),    bytes_str(from),
        bytes_str(is_held), bytes_str("hall"),
        bytes_str("alice"), bytes_str(fake.move != NULL ? fake.move : ""),
        bytes_str("1"),     bytes_str("1"),
        bytes_str("users"), bytes_str("")};
    const struct effect effect = {fields, sizeof fields / sizeof fields[0]};
    const struct result result = {
        .code = ERR_NONE, .extra = bytes_str(""), .effects = &effect, .effect_count = 1};
    effects_apply(fake.core, &result, NULL, NULL);
    assert_non_null(alice());
}

static void comes(const char *next, const char *from, const char *is_held)
{
    comes_to("10", next, from, is_held);
}

static void hears(const char *name, const char *second, const char *third)
{
    const struct bytes fields[] = {bytes_str(name), bytes_str(UID), bytes_str(second),
                                   bytes_str(third)};
    const struct effect effect = {fields, 4};
    core_on_bus_effect(fake.core, &effect);
}

/* The same about the move of that number. */
static void hears_of_move(const char *name, const char *second, const char *third,
                          const char *number)
{
    const struct bytes fields[] = {bytes_str(name), bytes_str(UID), bytes_str(second),
                                   bytes_str(third), bytes_str(number)};
    const struct effect effect = {fields, 5};
    core_on_bus_effect(fake.core, &effect);
}

static void said(uint64_t seq)
{
    struct room *room = roster_room(&fake.core->roster, bytes_str(ROOM));
    struct entry *entry = entry_new(seq, ENTRY_message, bytes_str("u"), bytes_str("hello"), 1, 1);
    deliver_entry(fake.core, room, entry);
    entry_unref(entry);
}

static void passes(int64_t ms)
{
    fake.now_ms += ms;
    homes_tick(fake.core, fake.now_ms);
}

static uint64_t mark_of(uint64_t seq)
{
    return (uint64_t)alice()->turn << DELIVER_MARK_BITS | seq;
}

/* Going ------------------------------------------------------------------------------------------
 */

static void homes_client_with_nothing_under_way_is_released_at_once(void **state)
{
    (void)state;
    comes("10", "", "");
    said(10);
    hears("release", "n2@1", "");
    assert_int_equal(fake.told_count, 1);
    assert_string_equal(fake.told[0], "n2@1: released " UID " 1 11 0");
    said(11);
    assert_int_equal(fake.got_count, 1);
    const struct bytes gone[] = {bytes_str("gone"), bytes_str(UID), bytes_str("moved")};
    answer(SCRIPT_look, gone, 3);
    assert_null(alice());
    assert_true(fake.is_closed);
}

static void homes_what_is_under_way_may_arrive_before_the_release(void **state)
{
    (void)state;
    comes("10", "", "");
    said(10);
    said(11);
    fake.is_idle = false;
    hears("release", "n2@1", "");
    said(12);
    passes(100);
    assert_int_equal(fake.told_count, 0);
    fake.confirmed = mark_of(10);
    core_on_confirmed(alice());
    assert_int_equal(fake.told_count, 0);
    fake.confirmed = mark_of(11);
    fake.is_idle = true;
    core_on_confirmed(alice());
    assert_string_equal(fake.told[0], "n2@1: released " UID " 1 12 0");
    assert_int_equal(fake.got_count, 2);
}

static void homes_release_waits_no_longer_than_its_time(void **state)
{
    (void)state;
    comes("10", "", "");
    said(10);
    said(11);
    fake.is_idle = false;
    fake.confirmed = mark_of(10);
    hears("release", "n2@1", "");
    passes(249);
    assert_int_equal(fake.told_count, 0);
    passes(1);
    assert_string_equal(fake.told[0], "n2@1: released " UID " 1 11 0");
}

static void
homes_release_of_one_who_confirmed_nothing_of_this_room_begins_at_her_first(void **state)
{
    (void)state;
    comes("10", "", "");
    said(10);
    fake.is_idle = false;
    fake.confirmed = (uint64_t)(alice()->turn - 1) << DELIVER_MARK_BITS | 99;
    hears("release", "n2@1", "");
    passes(250);
    assert_string_equal(fake.told[0], "n2@1: released " UID " 1 10 0");
}

static void homes_release_of_one_who_is_not_here_is_answered(void **state)
{
    (void)state;
    hears("release", "n2@1", "");
    answer(SCRIPT_look, NULL, 0);
    assert_string_equal(fake.told[0], "n2@1: released " UID "  0 0");
}

static void homes_release_of_one_who_is_just_coming_waits_for_her_old_homes_word(void **state)
{
    (void)state;
    hears("release", "n3@1", "");
    comes("7", "n2@1", "1"); /* Redis had answered that before */
    const struct bytes gone[] = {bytes_str("gone"), bytes_str(UID), bytes_str("moved")};
    answer(SCRIPT_look, gone, 3);
    assert_int_equal(fake.told_count, 0);
    hears("released", "1", "10");
    assert_string_equal(fake.told[0], "n3@1: released " UID " 1 10 0");
    assert_int_equal(fake.got_count, 0);
}

static void homes_release_that_is_out_of_date_takes_nothing_from_her(void **state)
{
    (void)state;
    comes("10", "", "");
    said(10);
    hears("release", "n2@1", "");
    said(11);
    const struct bytes home[] = {
        bytes_str("home"),  bytes_str(UID),  bytes_str("alice"), bytes_str("127.0.0.1:7"),
        bytes_str("60"),    bytes_str(ROOM), bytes_str("1"),     bytes_str("12"),
        bytes_str("10"),    bytes_str(""),   bytes_str(""),      bytes_str("hall"),
        bytes_str("alice"), bytes_str(""),   bytes_str("1"),     bytes_str("1"),
        bytes_str("users"), bytes_str("")};
    answer(SCRIPT_look, home, 18);
    said(12);
    assert_int_equal(fake.got_count, 3);
    assert_int_equal(fake.got_marks[2], mark_of(12));
}

static void homes_question_whether_she_left_is_repeated_when_redis_was_away(void **state)
{
    (void)state;
    comes("10", "", "");
    hears("release", "n2@1", "");
    store_on_result_fn *on_result = fake.on_result[SCRIPT_look];
    fake.on_result[SCRIPT_look] = NULL;
    on_result(NULL, fake.arg[SCRIPT_look]);
    passes(500);
    assert_int_equal(fake.calls[SCRIPT_look], 1);
    passes(600);
    assert_int_equal(fake.calls[SCRIPT_look], 2);
    assert_int_equal(fake.told_count, 1);
}

/* Coming -----------------------------------------------------------------------------------------
 */

static void homes_newcomer_waits_for_the_word_of_her_old_home(void **state)
{
    (void)state;
    comes("7", "n2@1", "1");
    said(10);
    said(11);
    assert_int_equal(fake.got_count, 0);
    hears("released", "1", "10");
    assert_int_equal(fake.got_count, 2);
    assert_int_equal(fake.got_marks[0], mark_of(10));
    said(12);
    assert_int_equal(fake.got_count, 3);
}

static void homes_newcomer_whose_old_home_is_ahead_gets_nothing_twice(void **state)
{
    (void)state;
    comes("7", "n2@1", "1");
    hears("released", "1", "12"); /* it has delivered what has not come here yet */
    said(10);
    said(11);
    assert_int_equal(fake.got_count, 0);
    said(12);
    assert_int_equal(fake.got_count, 1);
}

static void homes_newcomer_who_misses_nothing_gets_nothing_twice_either(void **state)
{
    (void)state;
    comes("10", "n2@1", "1"); /* the room's next entry here; her old home is ahead */
    hears("released", "1", "12");
    said(10);
    said(11);
    assert_int_equal(fake.got_count, 0);
    said(12);
    assert_int_equal(fake.got_count, 1);
}

static void homes_newcomer_whose_old_home_is_silent_goes_on_from_what_redis_knows(void **state)
{
    (void)state;
    comes("10", "n2@1", "1");
    said(10);
    passes(499);
    assert_int_equal(fake.got_count, 0);
    passes(1);
    assert_int_equal(fake.got_count, 1);
    hears("released", "1", "11"); /* too late */
    said(11);
    assert_int_equal(fake.got_count, 2);
}

static void homes_newcomer_from_a_dead_node_gets_what_she_missed_from_the_log(void **state)
{
    (void)state;
    comes("8", "n2@1", "");
    assert_int_equal(fake.calls[SCRIPT_log_read], 1);
    const struct bytes entry[] = {bytes_str("entry"),  bytes_str(ROOM),      bytes_str("1"),
                                  bytes_str("8"),      bytes_str("message"), bytes_str("u"),
                                  bytes_str("missed"), bytes_str("1"),       bytes_str("1")};
    answer(SCRIPT_log_read, entry, 9);
    assert_int_equal(fake.got_count, 1);
    assert_int_equal(fake.got_marks[0], mark_of(8));
}

static void homes_client_that_comes_back_before_she_has_left_gets_nothing_twice(void **state)
{
    (void)state;
    comes("10", "", "");
    said(10);
    said(11);
    fake.is_idle = false; /* she has not confirmed them, so Redis does not know of them */
    hears("release", "n2@1", "");
    comes_to("12", "10", "n2@1", "1");
    said(12); /* there she has got nothing, because it still waits for the word from here */
    assert_int_equal(fake.got_count, 3);
    assert_int_equal(fake.got_marks[2], mark_of(12));
    hears("released", "1", "10");
    assert_int_equal(fake.got_count, 3);
    assert_int_equal(fake.told_count, 0);
}

static void homes_client_that_goes_back_after_another_move_takes_its_word_along(void **state)
{
    (void)state;
    fake.move = "5";
    comes("7", "n2@1", "1");
    fake.move = "8";
    comes("7", "n3@1", "1"); /* n3 knows where she ended, and is about to say so */
    hears_of_move("release", "n2@1", "", "9");
    hears_of_move("released", "1", "10", "8");
    assert_string_equal(fake.told[0], "n2@1: released " UID " 1 10 9");
}

static void homes_client_that_comes_back_while_she_is_held_waits_for_the_first_word(void **state)
{
    (void)state;
    fake.move = "5";
    comes("7", "n2@1", "1");
    fake.move = "7";
    comes("7", "n3@1", "1"); /* there she was for a moment; it waits for the word from here */
    said(10);
    hears_of_move("released", "", "0", "7");
    assert_int_equal(fake.got_count, 0);
    hears_of_move("released", "1", "9", "5");
    const struct bytes entry[] = {bytes_str("entry"),  bytes_str(ROOM),      bytes_str("1"),
                                  bytes_str("9"),      bytes_str("message"), bytes_str("u"),
                                  bytes_str("missed"), bytes_str("1"),       bytes_str("1")};
    answer(SCRIPT_log_read, entry, 9);
    assert_int_equal(fake.got_count, 2);
    assert_int_equal(fake.got_marks[0], mark_of(9));
}

static void homes_word_about_a_later_move_of_hers_counts_if_it_says_something(void **state)
{
    (void)state;
    fake.move = "5";
    comes("7", "n2@1", "1");
    fake.now_ms += 500;
    fake.move = "7"; /* n2 had her once more before it could say where she ended the first time */
    comes("7", "n2@1", "1");
    said(10);
    hears_of_move("released", "", "0", "7");
    assert_int_equal(fake.got_count, 0);
    hears_of_move("released", "1", "10", "7");
    assert_int_equal(fake.got_count, 1);
    assert_int_equal(fake.got_marks[0], mark_of(10));
}

static void homes_node_that_has_waited_in_vain_passes_nothing_on(void **state)
{
    (void)state;
    fake.move = "5";
    comes("7", "n2@1", "1");
    hears_of_move("release", "n3@1", "", "6");
    passes(500);
    assert_int_equal(fake.told_count, 0);
    assert_int_equal(fake.calls[SCRIPT_look], 1);
    const struct bytes gone[] = {bytes_str("gone"), bytes_str(UID), bytes_str("moved")};
    answer(SCRIPT_look, gone, 3);
    assert_null(alice());
}

/* Read from the log for her while she was open, answered when she is gone. */
static void homes_client_that_leaves_is_not_caught_up_any_more(void **state)
{
    (void)state;
    comes("7", "n2@1", "");
    hears("release", "n3@1", "");
    assert_string_equal(fake.told[0], "n3@1: released " UID " 1 7 0");
    const struct bytes entry[] = {bytes_str("entry"),  bytes_str(ROOM),      bytes_str("1"),
                                  bytes_str("7"),      bytes_str("message"), bytes_str("u"),
                                  bytes_str("missed"), bytes_str("1"),       bytes_str("1")};
    answer(SCRIPT_log_read, entry, 9);
    assert_int_equal(fake.got_count, 0);
}

static void homes_client_that_comes_back_after_the_word_waits_for_the_other_ones(void **state)
{
    (void)state;
    comes("10", "", "");
    said(10);
    hears("release", "n2@1", "");
    assert_int_equal(fake.told_count, 1);
    comes_to("11", "10", "n2@1", "1");
    said(11);
    assert_int_equal(fake.got_count, 1);
    hears("released", "1", "12"); /* there she has got it */
    said(12);
    assert_int_equal(fake.got_count, 2);
    assert_int_equal(fake.got_marks[1], mark_of(12));
}

static void homes_word_about_an_earlier_move_is_not_taken(void **state)
{
    (void)state;
    fake.move = "5";
    comes("7", "n2@1", "1");
    said(10);
    hears_of_move("released", "1", "8", "3");
    assert_int_equal(fake.got_count, 0);
    hears_of_move("released", "1", "10", "5");
    assert_int_equal(fake.got_count, 1);
}

static void homes_release_for_an_earlier_move_is_too_late(void **state)
{
    (void)state;
    fake.move = "5";
    comes("10", "", "");
    hears_of_move("release", "n2@1", "", "4");
    said(10);
    assert_int_equal(fake.got_count, 1);
    hears_of_move("release", "n2@1", "", "6");
    assert_string_equal(fake.told[0], "n2@1: released " UID " 1 11 6");
}

static void homes_client_that_goes_back_without_a_word_from_there_leaves_without_one(void **state)
{
    (void)state;
    fake.move = "5";
    comes("7", "n2@1", "1");
    hears_of_move("release", "n2@1", "", "6");
    said(10);
    assert_int_equal(fake.told_count, 0);
    const struct bytes gone[] = {bytes_str("gone"), bytes_str(UID), bytes_str("moved")};
    answer(SCRIPT_look, gone, 3);
    assert_null(alice());
    assert_int_equal(fake.got_count, 0);
}

static void homes_client_that_goes_on_while_she_is_held_takes_the_word_along(void **state)
{
    (void)state;
    comes("7", "n2@1", "1");
    hears("release", "n3@1", "");
    assert_int_equal(fake.told_count, 0);
    hears("released", "1", "12");
    assert_int_equal(fake.told_count, 1);
    assert_string_equal(fake.told[0], "n3@1: released " UID " 1 12 0");
    assert_int_equal(fake.got_count, 0);
}

static void homes_client_that_goes_on_while_she_is_held_waits_for_the_word_to_the_end(void **state)
{
    (void)state;
    comes("7", "n2@1", "1");
    hears("release", "n3@1", "");
    passes(400);
    assert_int_equal(fake.told_count, 0);
    assert_false(core_settled(fake.core)); /* a node that ends owes this word */
    hears("released", "1", "12");
    assert_string_equal(fake.told[0], "n3@1: released " UID " 1 12 0");
    assert_true(core_settled(fake.core));
}

static void homes_node_that_was_silent_for_too_long_asks_before_it_delivers(void **state)
{
    (void)state;
    comes("10", "", "");
    fake.core->beat_ms = fake.now_ms;
    said(10);
    fake.now_ms += 3001;
    said(11);
    assert_int_equal(fake.got_count, 1);
    homes_doubt_if_given_up(fake.core);
    fake.core->beat_ms = fake.now_ms;
    said(12);
    assert_int_equal(fake.got_count, 1);
    assert_int_equal(fake.calls[SCRIPT_look], 1);
    const struct bytes gone[] = {bytes_str("gone"), bytes_str(UID), bytes_str("moved")};
    answer(SCRIPT_look, gone, 3);
    assert_null(alice());
}

static void homes_word_about_another_room_is_not_taken(void **state)
{
    (void)state;
    comes("10", "n2@1", "1");
    said(10);
    hears("released", "0", "99");
    assert_int_equal(fake.got_count, 1);
}

static void homes_node_that_drains_is_shown_its_own_sessions_and_no_others(void **state)
{
    (void)state;
    core_drain(fake.core, 0);
    homes_walk(fake.core, bytes_str("n2@1"));
    assert_int_equal(fake.calls[SCRIPT_adopt], 0);
    homes_walk(fake.core, bytes_str("n1@1"));
    assert_int_equal(fake.calls[SCRIPT_adopt], 1);
}

static void homes_node_delivers_while_it_drains_and_nothing_new_once_it_stops(void **state)
{
    (void)state;
    comes("10", "", "");
    core_drain(fake.core, 0);
    said(10);
    assert_int_equal(fake.got_count, 1);
    core_stop(fake.core);
    said(11);
    assert_int_equal(fake.got_count, 1);
    fake.is_idle = false;
    assert_false(core_settled(fake.core));
    fake.is_idle = true;
    assert_true(core_settled(fake.core));
}

/* A node that goes knows it from another one's word, and she has confirmed nothing to it yet. */
static void homes_number_from_another_nodes_word_is_reported(void **state)
{
    (void)state;
    comes("7", "n2@1", "1");
    hears("released", "1", "12");
    assert_int_equal(fake.calls[SCRIPT_seen], 0);
    homes_report_all(fake.core);
    assert_int_equal(fake.calls[SCRIPT_seen], 1);
    assert_string_equal(fake.seen, UID " 11 1 ");
}

static void homes_client_that_came_back_loses_nothing_that_is_under_way(void **state)
{
    (void)state;
    comes("10", "", "");
    said(10);
    said(11);
    fake.is_idle = false;
    hears("release", "n2@1", "");
    comes_to("12", "10", "n2@1", "1");
    hears("release", "n2@1", "");
    passes(250);
    assert_string_equal(fake.told[0], "n2@1: released " UID " 1 10 0");
}

/* Confirmed numbers ------------------------------------------------------------------------------
 */

static void homes_confirmed_number_is_reported_once_and_not_too_often(void **state)
{
    (void)state;
    comes("10", "", "");
    said(10);
    passes(300);
    assert_int_equal(fake.calls[SCRIPT_seen], 0);
    fake.confirmed = mark_of(10);
    passes(10);
    assert_string_equal(fake.seen, UID " 10 1 ");
    answer(SCRIPT_seen, NULL, 0);
    passes(300);
    assert_int_equal(fake.calls[SCRIPT_seen], 1);
    fake.confirmed = mark_of(11);
    passes(250);
    fake.confirmed = mark_of(12);
    answer(SCRIPT_seen, NULL, 0);
    passes(100);
    assert_int_equal(fake.calls[SCRIPT_seen], 2);
    passes(150);
    assert_int_equal(fake.calls[SCRIPT_seen], 3);
    assert_string_equal(fake.seen, UID " 12 1 ");
}

static void homes_number_of_an_earlier_room_is_not_reported(void **state)
{
    (void)state;
    comes("10", "", "");
    fake.confirmed = (uint64_t)(alice()->turn - 1) << DELIVER_MARK_BITS | 5;
    passes(300);
    assert_int_equal(fake.calls[SCRIPT_seen], 0);
}

/* Trust ------------------------------------------------------------------------------------------
 */

static void homes_other_nodes_cannot_say_what_only_redis_may(void **state)
{
    (void)state;
    comes("10", "", "");
    hears("gone", "", "");
    assert_non_null(alice());
    hears("leave", ROOM, "");
    assert_non_null(alice()->room);
    hears("no such effect", "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(homes_client_with_nothing_under_way_is_released_at_once,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(homes_what_is_under_way_may_arrive_before_the_release,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(homes_release_waits_no_longer_than_its_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            homes_release_of_one_who_confirmed_nothing_of_this_room_begins_at_her_first, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(homes_release_of_one_who_is_not_here_is_answered, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(homes_release_that_is_out_of_date_takes_nothing_from_her,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            homes_question_whether_she_left_is_repeated_when_redis_was_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(homes_newcomer_waits_for_the_word_of_her_old_home, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(homes_newcomer_whose_old_home_is_ahead_gets_nothing_twice,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(homes_newcomer_who_misses_nothing_gets_nothing_twice_either,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            homes_newcomer_whose_old_home_is_silent_goes_on_from_what_redis_knows, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            homes_newcomer_from_a_dead_node_gets_what_she_missed_from_the_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            homes_client_that_comes_back_before_she_has_left_gets_nothing_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            homes_client_that_goes_on_while_she_is_held_takes_the_word_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            homes_node_that_was_silent_for_too_long_asks_before_it_delivers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            homes_client_that_comes_back_after_the_word_waits_for_the_other_ones, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            homes_client_that_goes_on_while_she_is_held_waits_for_the_word_to_the_end, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(homes_number_from_another_nodes_word_is_reported, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(homes_client_that_came_back_loses_nothing_that_is_under_way,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(homes_word_about_an_earlier_move_is_not_taken, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            homes_release_of_one_who_is_just_coming_waits_for_her_old_homes_word, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            homes_client_that_comes_back_while_she_is_held_waits_for_the_first_word, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(homes_client_that_leaves_is_not_caught_up_any_more, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(homes_release_for_an_earlier_move_is_too_late, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            homes_client_that_goes_back_without_a_word_from_there_leaves_without_one, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            homes_word_about_a_later_move_of_hers_counts_if_it_says_something, set_up, tear_down),
        cmocka_unit_test_setup_teardown(homes_node_that_has_waited_in_vain_passes_nothing_on,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            homes_client_that_goes_back_after_another_move_takes_its_word_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            homes_node_that_drains_is_shown_its_own_sessions_and_no_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(homes_word_about_another_room_is_not_taken, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            homes_node_delivers_while_it_drains_and_nothing_new_once_it_stops, set_up, tear_down),
        cmocka_unit_test_setup_teardown(homes_confirmed_number_is_reported_once_and_not_too_often,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(homes_number_of_an_earlier_room_is_not_reported, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(homes_other_nodes_cannot_say_what_only_redis_may, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
