/* SPDX-License-Identifier: MIT */
/*
 * The promise to modern users: every number once and in order, whatever happens to connections and
 * nodes; what they say is said once. Attaching in peace is in test_ws_session.c.
 */
#include "tests/support/e2e_talk.h"

#define POUR_MS 60000

/* Each room begins with "created" and one "joined" for each other user. */
struct talk {
    struct talker *alice, *bob, *carol;
};

static void open_den(struct talk *talk)
{
    e2e_talk_open_room(talk->alice, "den");
    e2e_talk_join_room(talk->bob, "den");
    e2e_talk_join_room(talk->carol, "den");
}

/* Nothing of what alice said is missing, and nobody has come or gone since the beginning. */
static void expect_whole(const struct talk *talk)
{
    struct talker *const talkers[] = {talk->alice, talk->bob, talk->carol};
    const int64_t last = 3 + talk->alice->goal;
    for (size_t i = 0; i < 3; i++) {
        if (!talker_has(talkers[i], last, POUR_MS)) {
            fail_msg("%s has %d of %d; %s", talkers[i]->options.name,
                     (int)talk_record_last(&talkers[i]->record), (int)last,
                     talker_broken(talkers[i]) != NULL ? talker_broken(talkers[i]) : "");
        }
        assert_true(talker_fence(talkers[i]));
        e2e_talk_whole(talkers[i], last);
        assert_true(talk_record_has_numbers(&talkers[i]->record, "alice", talk->alice->goal));
    }
    assert_int_equal(talk_record_account(&talk->alice->record).notices, 3);
}

struct progress {
    const struct talker *talker;
    int64_t count;
};

static bool has_heard(void *arg)
{
    const struct progress *wanted = arg;
    return talk_record_last(&wanted->talker->record) >= wanted->count;
}

static bool has_said(void *arg)
{
    const struct progress *wanted = arg;
    return wanted->talker->acked >= wanted->count;
}

/* Until it has heard, or said, so many more, or all that is to be said. */
static void let_hear(const struct talker *talker, int64_t more, int64_t last)
{
    int64_t count = talk_record_last(&talker->record) + more;
    struct progress wanted = {talker, count < last ? count : last};
    assert_true(pump_until(has_heard, &wanted, POUR_MS));
}

static void let_say(const struct talker *talker, int64_t more)
{
    int64_t count = talker->acked + more;
    struct progress wanted = {talker, count < talker->goal ? count : talker->goal};
    assert_true(pump_until(has_said, &wanted, POUR_MS));
}

/* Connections ---------------------------------------------------------------------------------- */

E2E_SCENARIO(talker_that_goes_from_node_to_node_hears_everything_once)
{
    E2E_CLUSTER(e, 2, "history.length=10000", E2E_NO_RATES);
    e2e_cluster_meshed(e);
    struct talk talk = {e2e_talker_at(e, 0, "alice"), e2e_talker_at(e, 1, "bob"),
                        e2e_talker_at(e, 1, "carol")};
    open_den(&talk);
    talker_pour(talk.alice, 3000, 20);
    for (size_t i = 0; i < 40; i++) {
        let_hear(talk.bob, 50, 3003);
        ws_client_drop(talk.bob->ws);
        assert_int_equal(talker_resume(talk.bob, e->nodes[i % 2].http_port), 101);
    }
    assert_true(talker_poured(talk.alice, POUR_MS));
    expect_whole(&talk);
}

/* It has not noticed yet that its old connection is dead. */
E2E_SCENARIO(talker_that_comes_back_before_its_old_connection_ends_hears_everything_once)
{
    E2E_CLUSTER(e, 2, "history.length=10000", E2E_NO_RATES);
    e2e_cluster_meshed(e);
    struct talk talk = {e2e_talker_at(e, 0, "alice"), e2e_talker_at(e, 1, "bob"),
                        e2e_talker_at(e, 1, "carol")};
    struct relay *relays[] = {e2e_relay(e, e->nodes[0].http_port),
                              e2e_relay(e, e->nodes[1].http_port)};
    open_den(&talk);
    talker_pour(talk.alice, 2000, 20);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(talker_resume(talk.bob, relay_port(relays[i % 2])), 101);
        let_hear(talk.bob, 30, 2003);
        relay_set(relays[i % 2], RELAY_HOLD);
        let_say(talk.alice, 30);
        assert_int_equal(talker_resume(talk.bob, e->nodes[(i + 1) % 2].http_port), 101);
        let_hear(talk.bob, 10, 2003);
        relay_set(relays[i % 2], RELAY_CUT);
        relay_set(relays[i % 2], RELAY_PASS);
    }
    assert_true(talker_poured(talk.alice, POUR_MS));
    expect_whole(&talk);
}

/* Both who says and who hears; each cut loses what is on its way, in both directions. */
E2E_SCENARIO(connections_that_are_cut_again_and_again_lose_and_repeat_nothing)
{
    E2E_CLUSTER(e, 2, "history.length=10000", E2E_NO_RATES);
    e2e_cluster_meshed(e);
    struct talk talk = {e2e_talker_at(e, 0, "alice"), e2e_talker_at(e, 1, "bob"),
                        e2e_talker_at(e, 0, "carol")};
    struct relay *relays[] = {e2e_relay(e, e->nodes[0].http_port),
                              e2e_relay(e, e->nodes[1].http_port)};
    open_den(&talk);
    assert_int_equal(talker_resume(talk.alice, relay_port(relays[0])), 101);
    assert_int_equal(talker_resume(talk.bob, relay_port(relays[1])), 101);
    talker_pour(talk.alice, 3000, 30);
    for (size_t i = 0; i < 30; i++) {
        let_say(talk.alice, 40);
        relay_set(relays[(i + 1) % 2], RELAY_HOLD); /* bob's: more gets lost */
        let_say(talk.alice, 20);
        relay_set(relays[0], RELAY_CUT);
        relay_set(relays[1], RELAY_CUT);
        relay_set(relays[0], RELAY_PASS);
        relay_set(relays[1], RELAY_PASS);
        assert_int_equal(talker_resume(talk.alice, relay_port(relays[(i + 1) % 2])), 101);
        assert_int_equal(talker_resume(talk.bob, relay_port(relays[i % 2])), 101);
    }
    assert_true(talker_poured(talk.alice, POUR_MS));
    assert_int_equal(talk.alice->errors, 0);
    expect_whole(&talk);
}

/* Said at one node, not acknowledged for all that its sender knows, said again at the other. */
E2E_SCENARIO(id_that_is_said_again_at_another_node_is_said_once)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct talk talk = {e2e_talker_at(e, 0, "alice"), e2e_talker_at(e, 1, "bob"),
                        e2e_talker_at(e, 0, "carol")};
    open_den(&talk);
    int64_t seq = talker_say_acked(talk.alice, "once", "the id");
    assert_int_equal(seq, 4);
    for (size_t i = 1; i <= 4; i++) {
        assert_int_equal(talker_resume(talk.alice, e->nodes[i % 2].http_port), 101);
        assert_int_equal(talker_say_acked(talk.alice, "once", "the id"), seq);
    }
    assert_int_equal(talker_say_acked(talk.alice, "twice", "another id"), seq + 1);
    assert_true(talker_has(talk.bob, seq + 1, TALKER_WAIT_MS));
    e2e_talk_whole(talk.bob, seq + 1);
}

/* Gaps ----------------------------------------------------------------------------------------- */

E2E_SCENARIO(talker_that_was_away_for_longer_than_the_log_is_told_of_one_gap)
{
    E2E_CLUSTER(e, 2, "history.length=50", E2E_NO_RATES);
    e2e_cluster_meshed(e);
    struct talk talk = {e2e_talker_at(e, 0, "alice"), e2e_talker_at(e, 1, "bob"),
                        e2e_talker_at(e, 0, "carol")};
    open_den(&talk);
    talker_pour(talk.alice, 10, 10);
    assert_true(talker_has(talk.bob, 13, POUR_MS));
    for (size_t i = 0; i < 2; i++) {
        int64_t had = talk_record_last(&talk.bob->record);
        ws_client_drop(talk.bob->ws);
        talker_pour(talk.alice, talk.alice->goal + 2000, 50);
        assert_true(talker_poured(talk.alice, POUR_MS));
        size_t first = talk.bob->record.count;
        assert_int_equal(talker_resume(talk.bob, e->nodes[i].http_port), 101);
        assert_true(talker_has(talk.bob, 3 + talk.alice->goal, POUR_MS));
        assert_int_equal(talk.bob->record.entries[first]->kind, TALK_GAP);
        assert_int_equal(talk.bob->record.entries[first]->seq, had + 1);
        for (size_t j = first + 1; j < talk.bob->record.count; j++) {
            assert_int_equal(talk.bob->record.entries[j]->kind, TALK_MESSAGE);
        }
        assert_true(talk.bob->record.count - first > 50);
    }
    assert_true(talker_say_acked(talk.alice, "goes on", "goes on") > 0);
    assert_true(talker_has(talk.bob, 4 + talk.alice->goal, POUR_MS));
    assert_null(talker_broken(talk.bob));
}

/* Nodes ---------------------------------------------------------------------------------------- */

E2E_SCENARIO(hearer_whose_node_is_killed_goes_on_at_another_and_nobody_notices)
{
    E2E_CLUSTER(e, 2, "history.length=10000", E2E_NO_RATES);
    e2e_cluster_meshed(e);
    struct talk talk = {e2e_talker_at(e, 0, "alice"), e2e_talker_at(e, 1, "bob"),
                        e2e_talker_at(e, 0, "carol")};
    open_den(&talk);
    talker_pour(talk.alice, 3000, 20);
    let_hear(talk.bob, 500, 3003);
    e2e_cluster_kill(e, 1);
    assert_int_equal(ws_client_wait_close(talk.bob->ws, WS_CLIENT_WAIT_MS), WS_CLIENT_NO_CLOSE);
    let_say(talk.alice, 300);
    assert_int_equal(talker_resume(talk.bob, e->nodes[0].http_port), 101);
    assert_true(talker_poured(talk.alice, POUR_MS));
    expect_whole(&talk);
}

E2E_SCENARIO(sender_whose_node_is_killed_says_everything_once)
{
    E2E_CLUSTER(e, 3, "history.length=10000", E2E_NO_RATES);
    e2e_cluster_meshed(e);
    struct talk talk = {e2e_talker_at(e, 1, "alice"), e2e_talker_at(e, 0, "bob"),
                        e2e_talker_at(e, 2, "carol")};
    open_den(&talk);
    talker_pour(talk.alice, 3000, 50);
    let_say(talk.alice, 1000);
    e2e_cluster_kill(e, 1);
    assert_int_equal(ws_client_wait_close(talk.alice->ws, WS_CLIENT_WAIT_MS), WS_CLIENT_NO_CLOSE);
    assert_int_equal(talker_resume(talk.alice, e->nodes[0].http_port), 101);
    let_say(talk.alice, 500);
    e2e_cluster_kill(e, 2);
    assert_int_equal(talker_resume(talk.carol, e->nodes[0].http_port), 101);
    assert_true(talker_poured(talk.alice, POUR_MS));
    expect_whole(&talk);
}

E2E_SCENARIO(node_that_is_stopped_in_mid_talk_loses_and_repeats_nothing)
{
    E2E_CLUSTER(e, 2, "history.length=10000", E2E_NO_RATES);
    e2e_cluster_meshed(e);
    struct talk talk = {e2e_talker_at(e, 1, "alice"), e2e_talker_at(e, 1, "bob"),
                        e2e_talker_at(e, 0, "carol")};
    open_den(&talk);
    talker_pour(talk.alice, 2000, 20);
    let_say(talk.alice, 500);
    e2e_cluster_stop(e, 1);
    assert_int_equal(ws_client_wait_close(talk.alice->ws, WS_CLIENT_WAIT_MS), 1001);
    assert_int_equal(ws_client_wait_close(talk.bob->ws, WS_CLIENT_WAIT_MS), 1001);
    assert_int_equal(talker_resume(talk.alice, e->nodes[0].http_port), 101);
    let_say(talk.alice, 500);
    assert_int_equal(talker_resume(talk.bob, e->nodes[0].http_port), 101);
    assert_true(talker_poured(talk.alice, POUR_MS));
    expect_whole(&talk);
}

/* All state is in Redis: the node that comes back knows its talkers. */
E2E_SCENARIO(only_node_is_killed_and_comes_back_and_the_talk_goes_on)
{
    E2E_CLUSTER(e, 1, "history.length=10000", E2E_NO_RATES);
    struct talk talk = {e2e_talker_at(e, 0, "alice"), e2e_talker_at(e, 0, "bob"),
                        e2e_talker_at(e, 0, "carol")};
    struct talker *const talkers[] = {talk.bob, talk.carol, talk.alice};
    open_den(&talk);
    talker_pour(talk.alice, 1000, 20);
    let_say(talk.alice, 300);
    e2e_cluster_kill(e, 0);
    e2e_cluster_start(e, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(talker_resume(talkers[i], e->nodes[0].http_port), 101);
    }
    assert_true(talker_poured(talk.alice, POUR_MS));
    expect_whole(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(talker_that_goes_from_node_to_node_hears_everything_once),
        E2E_TEST(talker_that_comes_back_before_its_old_connection_ends_hears_everything_once),
        E2E_TEST(connections_that_are_cut_again_and_again_lose_and_repeat_nothing),
        E2E_TEST(id_that_is_said_again_at_another_node_is_said_once),
        E2E_TEST(talker_that_was_away_for_longer_than_the_log_is_told_of_one_gap),
        E2E_TEST(hearer_whose_node_is_killed_goes_on_at_another_and_nobody_notices),
        E2E_TEST(sender_whose_node_is_killed_says_everything_once),
        E2E_TEST(node_that_is_stopped_in_mid_talk_loses_and_repeats_nothing),
        E2E_TEST(only_node_is_killed_and_comes_back_and_the_talk_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
