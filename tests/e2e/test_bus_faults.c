/* SPDX-License-Identifier: MIT */
/*
 * A bus between real nodes that is cut, held up and restored while people talk: every member gets
 * every message, in one order, once; what the bus lost comes from the room log.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/e2e_cluster.h"

#define NODES      3
#define ARRIVES_MS 20000

struct talk_state {
    struct original *members[NODES];
    int said; /* in all */
};

static bool is_message(const struct original_event *event, const void *arg)
{
    (void)arg;
    return event->kind == ORIGINAL_PUSH && event->push == PUSH_MESSAGE;
}

static size_t messages_of(const struct original *client)
{
    return original_count(client, 0, is_message, NULL);
}

static struct talk_state room_on_relayed_nodes(struct e2e *e)
{
    static const char *const names[NODES] = {"alice", "bob", "carol"};
    struct talk_state talk = {0};
    E2E_CLUSTER_RELAYED(e, NODES);
    e2e_cluster_meshed(e);
    for (size_t i = 0; i < NODES; i++) {
        talk.members[i] = e2e_user_at(e, i, names[i]);
    }
    e2e_open_room(talk.members[0], "den");
    e2e_join_room(talk.members[1], "den");
    e2e_join_room(talk.members[2], "den");
    return talk;
}

static void set_all(struct e2e *e, enum relay_mode mode)
{
    for (size_t i = 0; i < NODES; i++) {
        relay_set(e->nodes[i].bus_relay, mode);
    }
}

/* Each member says `count` messages, in turn. */
static void all_say(struct talk_state *talk, int count)
{
    for (int i = 0; i < count * NODES; i++) {
        char text[32];
        snprintf(text, sizeof text, "said %d", talk->said++);
        assert_true(original_say(talk->members[i % NODES], text));
        if (i % NODES == NODES - 1) {
            e2e_pass_coalescing();
        }
    }
}

static bool has_all(void *arg)
{
    const struct talk_state *talk = arg;
    for (size_t i = 0; i < NODES; i++) {
        if (messages_of(talk->members[i]) < (size_t)talk->said) {
            return false;
        }
    }
    return true;
}

static const char *next_text(const struct original *client, size_t *at)
{
    while (*at < client->log.count) {
        const struct original_event *event = client->log.events[(*at)++];
        if (is_message(event, NULL)) {
            return event->text;
        }
    }
    return NULL;
}

/* Every message has come to all, once, in the same order for all. */
static void expect_all_the_same(struct talk_state *talk)
{
    if (!pump_until(has_all, talk, ARRIVES_MS)) {
        fail_msg("of %d messages the members have got %zu, %zu and %zu", talk->said,
                 messages_of(talk->members[0]), messages_of(talk->members[1]),
                 messages_of(talk->members[2]));
    }
    size_t at[NODES] = {0};
    bool *is_seen = calloc((size_t)talk->said, sizeof *is_seen);
    for (int i = 0; i < talk->said; i++) {
        const char *first = next_text(talk->members[0], &at[0]);
        int number = -1;
        assert_int_equal(sscanf(first, "said %d", &number), 1);
        assert_true(number >= 0 && number < talk->said && !is_seen[number]);
        is_seen[number] = true;
        for (size_t m = 1; m < NODES; m++) {
            assert_string_equal(next_text(talk->members[m], &at[m]), first);
        }
    }
    for (size_t m = 0; m < NODES; m++) {
        assert_null(next_text(talk->members[m], &at[m]));
    }
    free(is_seen);
}

static int64_t sum_of(const struct e2e *e, const char *metric)
{
    int64_t sum = 0;
    for (size_t i = 0; i < NODES; i++) {
        sum += e2e_metric_at(e, i, metric);
    }
    return sum;
}

E2E_SCENARIO(talk_goes_on_over_a_bus_that_is_cut_and_restored)
{
    struct talk_state talk = room_on_relayed_nodes(e);
    all_say(&talk, 30);
    set_all(e, RELAY_CUT);
    all_say(&talk, 30);
    set_all(e, RELAY_PASS);
    all_say(&talk, 30);
    expect_all_the_same(&talk);
    assert_true(sum_of(e, "hgtp_feed_gaps_total{outcome=\"repaired\"}") > 0);
    assert_int_equal(sum_of(e, "hgtp_feed_gaps_total{outcome=\"lost\"}"), 0);
}

E2E_SCENARIO(talk_over_no_bus_at_all_comes_by_the_comparison_with_the_log)
{
    struct talk_state talk = room_on_relayed_nodes(e);
    set_all(e, RELAY_CUT);
    all_say(&talk, 20);
    expect_all_the_same(&talk);
    set_all(e, RELAY_PASS);
    all_say(&talk, 20);
    expect_all_the_same(&talk);
}

E2E_SCENARIO(batches_that_come_late_change_nothing)
{
    struct talk_state talk = room_on_relayed_nodes(e);
    relay_set(e->nodes[1].bus_relay, RELAY_HOLD);
    all_say(&talk, 30);
    relay_set(e->nodes[1].bus_relay, RELAY_PASS);
    relay_set(e->nodes[2].bus_relay, RELAY_HOLD);
    all_say(&talk, 30);
    expect_all_the_same(&talk);
    relay_set(e->nodes[2].bus_relay, RELAY_PASS);
    all_say(&talk, 5);
    expect_all_the_same(&talk);
}

static unsigned next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*state >> 33);
}

E2E_SCENARIO(bus_that_fails_at_random_loses_nothing)
{
    const char *given = getenv("HGTP_TEST_SEED");
    uint64_t random = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)pump_now_unix_ms();
    print_message("HGTP_TEST_SEED=%llu\n", (unsigned long long)random);
    struct talk_state talk = room_on_relayed_nodes(e);
    for (int i = 0; i < 60; i++) {
        unsigned choice = next_random(&random);
        relay_set(e->nodes[choice % NODES].bus_relay, (enum relay_mode)(choice / NODES % 3));
        all_say(&talk, (int)(choice / 64 % 5));
        if (choice / 1024 % 3 == 0) {
            e2e_retry_pause();
        }
    }
    set_all(e, RELAY_PASS);
    expect_all_the_same(&talk);
}

E2E_SCENARIO(rooms_change_rightly_while_no_node_hears_another)
{
    struct talk_state talk = room_on_relayed_nodes(e);
    struct original *alice = talk.members[0], *bob = talk.members[1], *carol = talk.members[2];
    set_all(e, RELAY_CUT);
    e2e_ok(original_exit(bob, "den"));
    assert_true(original_say(carol, "who is here"));
    e2e_came(original_wait_message(carol, "who is here"));
    e2e_ok(original_delete(alice));
    assert_true(e2e_metric_becomes(e, 2, "hgtp_rooms", 0, ARRIVES_MS));
    set_all(e, RELAY_PASS);
    e2e_came(original_wait_list(bob, PUSH_ROOM_LIST, ""));
    e2e_open_room(bob, "bob's");
    e2e_came(original_wait_list(alice, PUSH_ROOM_LIST, "bob's"));
    carol->in_room = false; /* the word that it was closed was lost with the bus */
    e2e_join_room(carol, "bob's");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(talk_goes_on_over_a_bus_that_is_cut_and_restored),
        E2E_TEST(talk_over_no_bus_at_all_comes_by_the_comparison_with_the_log),
        E2E_TEST(batches_that_come_late_change_nothing),
        E2E_TEST(bus_that_fails_at_random_loses_nothing),
        E2E_TEST(rooms_change_rightly_while_no_node_hears_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
