/* SPDX-License-Identifier: MIT */
/*
 * Nodes that are killed, stopped and started at random while six people talk through all of them
 * and are led from node to node: every acknowledged message reaches everybody, in one order for
 * all. HGTP_TEST_SEED repeats a run.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/e2e_cluster.h"

#define NODES      3
#define MEMBERS    6
#define STEPS      120
#define SAID_MAX   4096
#define ARRIVES_MS 25000
#define ANSWER_MS  3000

struct chaos {
    struct e2e *e;
    uint64_t random;
    struct original *members[MEMBERS];
    size_t at[MEMBERS]; /* where it talks */
    int attempts;
    bool is_acknowledged[SAID_MAX];
};

static unsigned chance(struct chaos *chaos, unsigned of)
{
    chaos->random = chaos->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(chaos->random >> 33) % of;
}

static size_t some_living(struct chaos *chaos)
{
    size_t node;
    do {
        node = chance(chaos, NODES);
    } while (chaos->e->nodes[node].daemon == NULL);
    return node;
}

/* What a balancer does when its node does not answer: the next attempt goes elsewhere. */
static void lead_to_a_living(struct chaos *chaos, size_t member)
{
    chaos->at[member] = some_living(chaos);
    e2e_rebind(chaos->e, chaos->members[member], chaos->at[member]);
}

static bool is_answer(const struct original_event *event, const void *arg)
{
    (void)arg;
    return event->kind == ORIGINAL_ANSWER;
}

/* Each attempt has a text of its own, so that what was never acknowledged may be there or not. */
static void say(struct chaos *chaos, size_t member)
{
    bool is_said = false;
    int64_t deadline_ms = pump_deadline_ms(ARRIVES_MS);
    while (!is_said) {
        assert_true(pump_now_ms() < deadline_ms && chaos->attempts < SAID_MAX);
        char text[32];
        int attempt = chaos->attempts++;
        snprintf(text, sizeof text, "said %d", attempt);
        const struct original_event *answer = NULL;
        if (original_say(chaos->members[member], text)) {
            answer = original_wait_within(chaos->members[member], is_answer, NULL, ANSWER_MS);
        }
        is_said = answer != NULL && answer->status == 200;
        chaos->is_acknowledged[attempt] = is_said;
        if (!is_said) {
            lead_to_a_living(chaos, member);
        }
    }
}

static void refresh(struct chaos *chaos, size_t member)
{
    int64_t deadline_ms = pump_deadline_ms(ARRIVES_MS);
    struct original *client = chaos->members[member];
    const uint8_t type = HGTP_REFRESH;
    do {
        assert_true(pump_now_ms() < deadline_ms);
        lead_to_a_living(chaos, member);
        original_send_plain(client, HGTP_REFRESH);
    } while (original_wait_within(client, original_is_response, &type, 500) == NULL);
}

static void step(struct chaos *chaos)
{
    size_t node = chance(chaos, NODES), member = chance(chaos, MEMBERS);
    struct e2e *e = chaos->e;
    size_t living = 0;
    for (size_t i = 0; i < NODES; i++) {
        living += e->nodes[i].daemon != NULL;
    }
    switch (chance(chaos, 16)) {
    case 0:
        if (e->nodes[node].daemon != NULL && living > 1 && e->ended_count + 2 < E2E_ENDED_MAX) {
            e2e_cluster_kill(e, node);
        }
        break;
    case 1:
        if (e->nodes[node].daemon != NULL && living > 1 && e->ended_count + 2 < E2E_ENDED_MAX) {
            e2e_cluster_stop(e, node);
        }
        break;
    case 2:
    case 3:
        if (e->nodes[node].daemon == NULL) {
            e2e_cluster_start(e, node);
        }
        break;
    case 4:
    case 5:
        refresh(chaos, member);
        break;
    default:
        for (unsigned i = chance(chaos, 8); i-- > 0;) {
            say(chaos, chance(chaos, MEMBERS));
        }
        break;
    }
    if (chance(chaos, 4) == 0) {
        e2e_retry_pause();
    }
}

/* Numbers of the messages that a member has got, each once, in the order of their first coming. */
static size_t heard_by(const struct original *member, int *ret_numbers, size_t *ret_twice)
{
    bool is_heard[SAID_MAX] = {false};
    size_t count = 0;
    *ret_twice = 0;
    for (size_t i = 0; i < member->log.count; i++) {
        const struct original_event *event = member->log.events[i];
        int number;
        if (event->kind != ORIGINAL_PUSH || event->push != PUSH_MESSAGE) {
            continue;
        }
        assert_int_equal(sscanf(event->text, "said %d", &number), 1);
        assert_true(number >= 0 && number < SAID_MAX);
        if (is_heard[number]) {
            (*ret_twice)++;
        } else {
            is_heard[number] = true;
            ret_numbers[count++] = number;
        }
    }
    return count;
}

static bool all_have_last(void *arg)
{
    const struct chaos *chaos = arg;
    for (size_t i = 0; i < MEMBERS; i++) {
        int numbers[SAID_MAX];
        size_t twice, count = heard_by(chaos->members[i], numbers, &twice);
        if (count == 0 || numbers[count - 1] != chaos->attempts - 1) {
            return false;
        }
    }
    return true;
}

static void expect_the_same_for_all(struct chaos *chaos)
{
    static int first[SAID_MAX], other[SAID_MAX];
    size_t twice, first_count = heard_by(chaos->members[0], first, &twice);
    for (size_t i = 0; i < MEMBERS; i++) {
        size_t count = heard_by(chaos->members[i], other, &twice);
        print_message("%s: %zu messages, %zu came twice\n", chaos->members[i]->options.name, count,
                      twice);
        for (size_t at = 0; at < count && at < first_count; at++) {
            if (first[at] != other[at]) {
                fail_msg("message %zu is %d for %s and %d for %s", at, first[at],
                         chaos->members[0]->options.name, other[at],
                         chaos->members[i]->options.name);
            }
        }
        assert_int_equal(count, first_count);
    }
    size_t at = 0;
    for (int number = 0; number < chaos->attempts; number++) {
        bool is_there = at < first_count && first[at] == number;
        at += is_there;
        assert_true(is_there || !chaos->is_acknowledged[number]);
    }
}

E2E_SCENARIO(talk_through_nodes_that_come_and_go_is_whole_and_the_same_for_all)
{
    static const char *const names[MEMBERS] = {"alice", "bob", "carol", "dave", "erin", "frank"};
    const char *given = getenv("HGTP_TEST_SEED");
    struct chaos chaos = {
        .e = e, .random = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)pump_now_unix_ms()};
    print_message("HGTP_TEST_SEED=%llu\n", (unsigned long long)chaos.random);
    E2E_CLUSTER(e, NODES);
    e2e_cluster_meshed(e);
    for (size_t i = 0; i < MEMBERS; i++) {
        chaos.at[i] = i % NODES;
        chaos.members[i] = e2e_user_at(e, chaos.at[i], names[i]);
    }
    e2e_open_room(chaos.members[0], "den");
    for (size_t i = 1; i < MEMBERS; i++) {
        e2e_join_room(chaos.members[i], "den");
    }
    for (int i = 0; i < STEPS; i++) {
        step(&chaos);
    }
    for (size_t i = 0; i < NODES; i++) {
        if (e->nodes[i].daemon == NULL) {
            e2e_cluster_start(e, i);
        }
    }
    say(&chaos, 0);
    if (!pump_until(all_have_last, &chaos, ARRIVES_MS)) {
        print_message("not everybody has got the last message\n");
    }
    expect_the_same_for_all(&chaos);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(talk_through_nodes_that_come_and_go_is_whole_and_the_same_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
