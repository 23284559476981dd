/* SPDX-License-Identifier: MIT */
/*
 * Nodes that operators drain, take into service again and restart at random, some of them in the
 * midst of it, while people with push connections and with WebSockets talk: every acknowledged
 * message reaches everybody once, in one order for all. Where nodes are killed too, a push
 * connection may bring a message a second time. HGTP_TEST_SEED repeats a run.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/tool.h"

#define NODES      3
#define PUSHED     4
#define TALKERS    3
#define STORM_MS   6000
#define ARRIVES_MS 25000
#define ANSWER_MS  3000
#define TEXTS_MAX  8192

enum place { DOWN, SERVING, DRAINED, ENDING };

struct storm {
    struct e2e *e;
    uint64_t random;
    bool kills;
    enum place places[NODES];
    struct original *pushed[PUSHED];
    struct talker *talkers[TALKERS];
    int attempts;
    bool is_acknowledged[TEXTS_MAX];
};

static unsigned chance(struct storm *storm, unsigned of)
{
    storm->random = storm->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(storm->random >> 33) % of;
}

static bool is_up(const struct storm *storm, size_t node)
{
    return storm->places[node] == SERVING || storm->places[node] == DRAINED;
}

/* One that serves or is drained; there is always one. */
static size_t some_node(struct storm *storm)
{
    size_t node;
    do {
        node = chance(storm, NODES);
    } while (!is_up(storm, node));
    return node;
}

static size_t up_count(const struct storm *storm)
{
    size_t count = 0;
    for (size_t i = 0; i < NODES; i++) {
        count += is_up(storm, i);
    }
    return count;
}

/* People ---------------------------------------------------------------------------------------
 */

/* As a page does: another connection when this one has ended, or it was told to look for one. */
static bool tend(struct storm *storm, struct talker *talker)
{
    for (size_t i = 0; i < 2 * NODES && (talker->ws->ended || talker->reconnect_after_ms >= 0);
         i++) {
        size_t node = some_node(storm);
        (void)talker_resume(talker, storm->e->nodes[node].http_port);
    }
    return !talker->ws->ended;
}

static void lead(struct storm *storm, struct original *client)
{
    e2e_rebind(storm->e, client, some_node(storm));
}

static bool is_answer(const struct original_event *event, const void *arg)
{
    (void)arg;
    return event->kind == ORIGINAL_ANSWER;
}

static bool said(struct original *client, const char *text)
{
    const struct original_event *answer = NULL;
    if (original_say(client, text)) {
        answer = original_wait_within(client, is_answer, NULL, ANSWER_MS);
    }
    return answer != NULL && answer->status == 200;
}

/* Each attempt has a text of its own, so that what was never acknowledged may be there or not. */
static void say(struct storm *storm, struct original *client)
{
    bool is_said = false;
    int64_t deadline_ms = pump_deadline_ms(ARRIVES_MS);
    while (!is_said) {
        char text[32];
        assert_true(pump_now_ms() < deadline_ms && storm->attempts < TEXTS_MAX);
        int attempt = storm->attempts++;
        snprintf(text, sizeof text, "said %d", attempt);
        is_said = said(client, text);
        storm->is_acknowledged[attempt] = is_said;
        if (!is_said) {
            lead(storm, client);
        }
    }
}

static void refresh(struct storm *storm, struct original *client)
{
    int64_t deadline_ms = pump_deadline_ms(ARRIVES_MS);
    const uint8_t type = HGTP_REFRESH;
    do {
        assert_true(pump_now_ms() < deadline_ms);
        lead(storm, client);
        original_send_plain(client, HGTP_REFRESH);
    } while (original_wait_within(client, original_is_response, &type, 500) == NULL);
}

static void talk(struct storm *storm)
{
    for (size_t i = 0; i < TALKERS; i++) {
        if (tend(storm, storm->talkers[i])) {
            talker_pour(storm->talkers[i], storm->talkers[i]->goal + 1 + chance(storm, 4), 3);
        }
    }
    for (unsigned i = 1 + chance(storm, 5); i-- > 0;) {
        struct original *client = storm->pushed[chance(storm, PUSHED)];
        if (chance(storm, 8) == 0) {
            refresh(storm, client);
        } else if (chance(storm, 8) == 0) {
            lead(storm, client);
        }
        say(storm, client);
    }
}

/* Nodes ----------------------------------------------------------------------------------------
 */

static void operate(struct storm *storm, const char *verb, size_t node)
{
    TOOL(storm->e->nodes[some_node(storm)].daemon, 0, "node", verb, storm->e->nodes[node].id,
         strcmp(verb, "drain") == 0 ? "--yes" : NULL);
    storm->places[node] = strcmp(verb, "drain") == 0 ? DRAINED : SERVING;
}

/* Nobody is led to it any more, as a balancer does that asks /readyz. */
static void begin_end(struct storm *storm, size_t node)
{
    storm->places[node] = ENDING;
    for (size_t i = 0; i < PUSHED; i++) {
        lead(storm, storm->pushed[i]);
    }
    process_signal(storm->e->nodes[node].daemon->process, SIGTERM);
}

static void kill_it(struct storm *storm, size_t node)
{
    storm->places[node] = DOWN;
    e2e_cluster_kill(storm->e, node);
    for (size_t i = 0; i < PUSHED; i++) {
        lead(storm, storm->pushed[i]);
    }
}

/* What a supervisor does. */
static void supervise(struct storm *storm)
{
    struct e2e *e = storm->e;
    for (size_t i = 0; i < NODES; i++) {
        if (storm->places[i] == ENDING && process_wait_exit(e->nodes[i].daemon->process, 0) >= 0) {
            e2e_cluster_stop(e, i);
            storm->places[i] = DOWN;
        }
        if (storm->places[i] == DOWN) {
            e2e_cluster_start(e, i);
            storm->places[i] = SERVING;
        }
    }
}

static void step(struct storm *storm)
{
    size_t node = some_node(storm);
    bool may_end = up_count(storm) > 1 && storm->e->ended_count + NODES < E2E_ENDED_MAX;
    switch (chance(storm, 24)) {
    case 0:
    case 1:
    case 2:
    case 3:
        operate(storm, "drain", node);
        break;
    case 4:
    case 5:
    case 6:
        operate(storm, "resume", node);
        break;
    case 7:
        operate(storm, "drain", node);
        operate(storm, "resume", node);
        break;
    case 8:
        if (may_end) {
            operate(storm, "drain", node);
            begin_end(storm, node);
        }
        break;
    case 9:
        if (may_end) {
            begin_end(storm, node);
        }
        break;
    case 10:
        if (may_end && storm->kills) {
            kill_it(storm, node);
        }
        break;
    case 11:
        if (may_end && storm->kills) {
            operate(storm, "drain", node);
            kill_it(storm, node);
        }
        break;
    default:
        talk(storm);
        break;
    }
    supervise(storm);
}

/* What came --------------------------------------------------------------------------------------
 */

/* Texts of the messages that somebody has got, in the order of their first coming. */
struct heard {
    const char *texts[TEXTS_MAX];
    size_t count, twice;
};

static void hear(struct heard *heard, const char *text)
{
    assert_true(heard->count < TEXTS_MAX);
    for (size_t i = heard->count; i-- > 0;) {
        if (strcmp(heard->texts[i], text) == 0) {
            heard->twice++;
            return;
        }
    }
    heard->texts[heard->count++] = text;
}

static void heard_by_pushed(const struct original *client, struct heard *heard)
{
    heard->count = heard->twice = 0;
    for (size_t i = 0; i < client->log.count; i++) {
        const struct original_event *event = client->log.events[i];
        if (event->kind == ORIGINAL_PUSH && event->push == PUSH_MESSAGE) {
            hear(heard, event->text);
        }
    }
}

static void heard_by_talker(const struct talker *talker, struct heard *heard)
{
    heard->count = heard->twice = 0;
    for (size_t i = 0; i < talker->record.count; i++) {
        const struct talk_entry *entry = talker->record.entries[i];
        assert_true(entry->kind != TALK_GAP);
        if (entry->kind == TALK_MESSAGE) {
            hear(heard, entry->text);
        }
    }
}

static bool pushed_have_it(void *arg)
{
    struct storm *storm = arg;
    static const char last[] = "the last word";
    size_t have = 0;
    for (size_t i = 0; i < PUSHED; i++) {
        for (size_t at = storm->pushed[i]->log.count; at-- > 0;) {
            const struct original_event *event = storm->pushed[i]->log.events[at];
            if (event->kind == ORIGINAL_PUSH && event->push == PUSH_MESSAGE) {
                have += strcmp(event->text, last) == 0;
                break;
            }
        }
    }
    for (size_t i = 0; i < TALKERS; i++) {
        (void)tend(storm, storm->talkers[i]);
        have += talk_record_message(&storm->talkers[i]->record, last, NULL) != NULL;
    }
    return have == PUSHED + TALKERS;
}

static void expect_same(const char *name, const struct heard *first, const struct heard *other,
                        bool is_late)
{
    print_message("%s: %zu messages, %zu came twice\n", name, other->count, other->twice);
    for (size_t i = 0; i < first->count && i < other->count; i++) {
        if (strcmp(first->texts[i], other->texts[i]) != 0) {
            fail_msg("message %zu is [%s] for the first and [%s] for %s", i, first->texts[i],
                     other->texts[i], name);
        }
    }
    assert_int_equal(other->count, first->count);
    assert_true(is_late || other->twice == 0);
}

/* A node has said that it was too slow: then push clients may get the last talk twice. On a loaded
 * machine that is no fault. */
static bool says(const struct daemon *daemon, const char *event)
{
    return daemon != NULL && strstr(process_stderr(daemon->process), event) != NULL;
}

static bool may_repeat(const struct storm *storm)
{
    static const char *const events[] = {"event=move_late", "event=node_dead"};
    bool is_late = storm->kills;
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        for (size_t n = 0; n < storm->e->node_count; n++) {
            is_late = is_late || says(storm->e->nodes[n].daemon, events[i]);
        }
        for (size_t n = 0; n < storm->e->ended_count; n++) {
            is_late = is_late || says(storm->e->ended[n], events[i]);
        }
    }
    return is_late;
}

static void expect_whole(struct storm *storm)
{
    bool is_late = may_repeat(storm);
    static struct heard first, other;
    heard_by_talker(storm->talkers[0], &first);
    for (size_t i = 0; i < TALKERS; i++) {
        heard_by_talker(storm->talkers[i], &other);
        expect_same(storm->talkers[i]->options.name, &first, &other, false);
        assert_true(talk_record_has_numbers(
            &storm->talkers[0]->record, storm->talkers[i]->options.name, storm->talkers[i]->goal));
    }
    for (size_t i = 0; i < PUSHED; i++) {
        heard_by_pushed(storm->pushed[i], &other);
        expect_same(storm->pushed[i]->options.name, &first, &other, is_late);
    }
    for (int i = 0; i < storm->attempts; i++) {
        char text[32];
        size_t times;
        snprintf(text, sizeof text, "said %d", i);
        const struct talk_entry *entry =
            talk_record_message(&storm->talkers[0]->record, text, &times);
        if (storm->is_acknowledged[i] ? entry == NULL || times != 1 : entry != NULL && times != 1) {
            fail_msg("%s is there %zu times", text, entry != NULL ? times : 0);
        }
    }
}

/* The scenarios ----------------------------------------------------------------------------------
 */

static void people_come(struct storm *storm)
{
    static const char *const names[] = {"alice", "bob", "carol", "dave", "erin", "frank", "grace"};
    for (size_t i = 0; i < PUSHED; i++) {
        storm->pushed[i] = e2e_user_at(storm->e, i % NODES, names[i]);
    }
    e2e_open_room(storm->pushed[0], "den");
    for (size_t i = 1; i < PUSHED; i++) {
        e2e_join_room(storm->pushed[i], "den");
    }
    for (size_t i = 0; i < TALKERS; i++) {
        storm->talkers[i] = e2e_talker_at(storm->e, i % NODES, names[PUSHED + i]);
        e2e_talk_join_room(storm->talkers[i], "den");
    }
}

static bool nothing_is_down(void *arg)
{
    struct storm *storm = arg;
    supervise(storm);
    for (size_t i = 0; i < TALKERS; i++) {
        (void)tend(storm, storm->talkers[i]);
    }
    return up_count(storm) == NODES;
}

static void calm(struct storm *storm)
{
    assert_true(pump_until(nothing_is_down, storm, ARRIVES_MS));
    for (size_t i = 0; i < NODES; i++) {
        operate(storm, "resume", i);
    }
    for (size_t i = 0; i < TALKERS; i++) {
        assert_true(tend(storm, storm->talkers[i]));
        assert_true(talker_poured(storm->talkers[i], ARRIVES_MS));
    }
    assert_true(said(storm->pushed[0], "the last word"));
    if (!pump_until(pushed_have_it, storm, ARRIVES_MS)) {
        print_message("not everybody has got the last word\n");
    }
}

static void rage(struct e2e *e, bool kills)
{
    const char *given = getenv("HGTP_TEST_SEED");
    struct storm *storm = calloc(1, sizeof *storm);
    assert_non_null(storm);
    *storm = (struct storm){.e = e,
                            .kills = kills,
                            .random = given != NULL ? strtoull(given, NULL, 10)
                                                    : (uint64_t)pump_now_unix_ms(),
                            .places = {SERVING, SERVING, SERVING}};
    print_message("HGTP_TEST_SEED=%llu\n", (unsigned long long)storm->random);
    E2E_CLUSTER(e, NODES, "node.drain_s=1", "history.length=20000");
    e2e_cluster_meshed(e);
    people_come(storm);
    int64_t until_ms = pump_now_ms() + STORM_MS;
    while (pump_now_ms() < until_ms) {
        step(storm);
    }
    calm(storm);
    expect_whole(storm);
    free(storm);
}

E2E_SCENARIO(talk_goes_on_whole_while_nodes_are_drained_resumed_and_restarted)
{
    rage(e, false);
}

E2E_SCENARIO(talk_goes_on_whole_while_drained_nodes_are_killed_too)
{
    rage(e, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(talk_goes_on_whole_while_nodes_are_drained_resumed_and_restarted),
        E2E_TEST(talk_goes_on_whole_while_drained_nodes_are_killed_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
