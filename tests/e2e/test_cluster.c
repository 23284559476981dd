/* SPDX-License-Identifier: MIT */
/*
 * Several nodes on one Redis: whoever is at home where, all see one service. Each client has its
 * node; what happens at one node reaches the members at the others over the bus.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/e2e_cluster.h"

#define TALKERS   3
#define SAID_EACH 200

static size_t pushes(const struct original *client, enum push_type type)
{
    return original_count(client, 0, original_is_push, &type);
}

struct expected {
    const struct original *client;
    enum push_type type;
    size_t count;
};

static bool has_expected(void *arg)
{
    const struct expected *expected = arg;
    return pushes(expected->client, expected->type) >= expected->count;
}

static void expect_messages(const struct original *client, size_t count)
{
    struct expected expected = {client, PUSH_MESSAGE, count};
    if (!pump_until(has_expected, &expected, 30000)) {
        fail_msg("%s got %zu of %zu messages", client->options.name, pushes(client, PUSH_MESSAGE),
                 count);
    }
}

/* The next message from `at` on, which is moved behind it; NULL: no more. */
static const struct original_event *next_message(const struct original *client, size_t *at)
{
    while (*at < client->log.count) {
        const struct original_event *event = client->log.events[(*at)++];
        if (event->kind == ORIGINAL_PUSH && event->push == PUSH_MESSAGE) {
            return event;
        }
    }
    return NULL;
}

/* One room with a member on each of three nodes. */
static void room_across(struct e2e *e, struct original *members[TALKERS])
{
    static const char *const names[TALKERS] = {"alice", "bob", "carol"};
    for (size_t i = 0; i < TALKERS; i++) {
        members[i] = e2e_user_at(e, i, names[i]);
    }
    e2e_open_room(members[0], "den");
    e2e_join_room(members[1], "den");
    e2e_join_room(members[2], "den");
}

/* Talk ----------------------------------------------------------------------------------------- */

/* Both have got the same, and of each talker each message once, in the order it was said. */
static void expect_same_talk(const struct original *first, const struct original *other)
{
    size_t at = 0, other_at = 0;
    unsigned next[TALKERS] = {0};
    for (size_t i = 0; i < TALKERS * SAID_EACH; i++) {
        const struct original_event *event = next_message(first, &at);
        const struct original_event *same = next_message(other, &other_at);
        unsigned talker, number;
        assert_true(event != NULL && same != NULL);
        assert_string_equal(event->text, same->text);
        assert_int_equal(sscanf(event->text, "%u says %u", &talker, &number), 2);
        assert_true(talker < TALKERS);
        assert_int_equal(number, next[talker]++);
    }
    assert_null(next_message(first, &at));
    assert_null(next_message(other, &other_at));
}

E2E_SCENARIO(members_on_three_nodes_get_the_same_messages_in_one_order)
{
    struct original *members[TALKERS];
    E2E_CLUSTER(e, 3);
    e2e_cluster_meshed(e);
    room_across(e, members);
    for (int i = 0; i < SAID_EACH; i++) {
        for (int j = 0; j < TALKERS; j++) {
            char text[32];
            snprintf(text, sizeof text, "%d says %d", j, i);
            assert_true(original_say(members[j], text));
        }
        e2e_pass_coalescing(); /* what was said goes out, and what came is read */
    }
    for (int i = 0; i < TALKERS; i++) {
        expect_messages(members[i], TALKERS * SAID_EACH);
        assert_true(original_fence(members[i]));
    }
    expect_same_talk(members[0], members[1]);
    expect_same_talk(members[0], members[2]);
}

/* Rooms ---------------------------------------------------------------------------------------- */

E2E_SCENARIO(lists_and_notices_reach_users_of_all_nodes)
{
    E2E_CLUSTER(e, 3);
    e2e_cluster_meshed(e);
    struct original *alice = e2e_user_at(e, 0, "alice"), *bob = e2e_user_at(e, 1, "bob");
    struct original *carol = e2e_user_at(e, 2, "carol");
    e2e_came(original_wait_list(alice, PUSH_USER_LIST, "alice,bob,carol"));
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "alice,bob,carol"));
    e2e_open_room(alice, "den");
    e2e_came(original_wait_list(bob, PUSH_ROOM_LIST, "den"));
    e2e_came(original_wait_list(carol, PUSH_ROOM_LIST, "den"));
    e2e_join_room(bob, "den");
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice,bob"));
    e2e_came(original_wait_push(alice, PUSH_NOTICE, NULL, NULL));
    e2e_ok(original_exit(bob, "den"));
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice"));
    e2e_came(original_wait_push(alice, PUSH_NOTICE, NULL, NULL));
    e2e_ok(original_unregister(carol));
    e2e_came(original_wait_list(alice, PUSH_USER_LIST, "alice,bob"));
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "alice,bob"));
}

E2E_SCENARIO(invite_kick_and_closing_reach_peers_at_home_on_other_nodes)
{
    E2E_CLUSTER(e, 3);
    e2e_cluster_meshed(e);
    struct original *alice = e2e_user_at(e, 0, "alice"), *bob = e2e_user_at(e, 1, "bob");
    struct original *carol = e2e_user_at(e, 2, "carol");
    e2e_open_room(alice, "den");
    e2e_ok(original_invite(alice, "bob"));
    assert_true(bob->in_room);
    e2e_came(original_wait_list(bob, PUSH_ROOM_USER_LIST, "alice,bob"));
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice,bob"));
    e2e_ok(original_invite(alice, "carol"));
    e2e_came(original_wait_list(bob, PUSH_ROOM_USER_LIST, "alice,bob,carol"));
    assert_true(original_say(carol, "all in"));
    e2e_came(original_wait_message(alice, "all in"));
    e2e_came(original_wait_message(bob, "all in"));

    e2e_ok(original_remove(alice, "carol"));
    assert_false(carol->in_room);
    e2e_came(original_wait_list(bob, PUSH_ROOM_USER_LIST, "alice,bob"));
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice,bob"));
    assert_true(original_say(alice, "without carol"));
    e2e_came(original_wait_message(bob, "without carol"));
    assert_true(original_fence(carol));
    assert_int_equal(pushes(carol, PUSH_MESSAGE), 1);

    e2e_ok(original_delete(alice));
    e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    assert_false(bob->in_room);
    e2e_came(original_wait_list(bob, PUSH_ROOM_LIST, ""));
    e2e_came(original_wait_list(carol, PUSH_ROOM_LIST, ""));
    e2e_open_room(bob, "bob's");
    e2e_join_room(carol, "bob's");
}

E2E_SCENARIO(peer_that_declines_on_another_node_is_told_as_on_the_same)
{
    E2E_CLUSTER(e, 2, "hgtp.answer_ms=600");
    e2e_cluster_meshed(e);
    struct original *alice = e2e_user_at(e, 0, "alice"), *bob = e2e_user_at(e, 1, "bob");
    e2e_open_room(alice, "den");
    bob->relay = ORIGINAL_RELAY_DECLINE;
    e2e_refused(original_invite(alice, "bob"), HGTP_DECLINE, ERR_PEER_DECLINED);
    bob->relay = ORIGINAL_RELAY_SILENT;
    e2e_refused(original_invite(alice, "bob"), HGTP_DECLINE, ERR_PEER_SILENT);
    bob->relay = ORIGINAL_RELAY_ANSWER;
    e2e_ok(original_invite(alice, "bob"));
}

/* Clients that move ---------------------------------------------------------------------------- */

/* bob's messages so far are "said 0", "said 1", ... without a hole and each once. */
static void expect_count_up(const struct original *client, int count)
{
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        char text[32];
        snprintf(text, sizeof text, "said %d", i);
        const struct original_event *event = next_message(client, &at);
        assert_non_null(event);
        assert_string_equal(event->text, text);
    }
    assert_null(next_message(client, &at));
}

E2E_SCENARIO(client_that_moves_between_nodes_loses_no_message_and_gets_none_twice)
{
    E2E_CLUSTER(e, 3);
    e2e_cluster_meshed(e);
    struct original *alice = e2e_user_at(e, 0, "alice"), *bob = e2e_user_at(e, 1, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    for (int i = 0; i < 300; i++) {
        char text[32];
        snprintf(text, sizeof text, "said %d", i);
        assert_true(original_say(alice, text));
        if (i % 50 == 25) {
            e2e_rebind(e, bob, i / 50 % 2 == 0 ? 2 : 1);
            original_send_plain(bob, HGTP_REFRESH);
        }
        e2e_pass_coalescing();
    }
    expect_messages(bob, 300);
    expect_messages(alice, 300);
    assert_true(original_fence(bob));
    expect_count_up(bob, 300);
    expect_count_up(alice, 300);
}

E2E_SCENARIO(datagram_to_another_node_moves_the_home_and_a_message_does_not)
{
    E2E_CLUSTER(e, 3);
    e2e_cluster_meshed(e);
    struct original *alice = e2e_user_at(e, 0, "alice"), *bob = e2e_user_at(e, 1, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    assert_true(e2e_metric_becomes(e, 1, "hgtp_push_connections", 1, 5000));

    e2e_rebind_datagrams(e, bob, 2);
    assert_true(original_fence(bob));
    assert_true(e2e_metric_becomes(e, 2, "hgtp_push_connections", 1, 5000));
    assert_true(e2e_metric_becomes(e, 1, "hgtp_push_connections", 0, 5000));
    assert_true(e2e_metric_becomes(e, 1, "hgtp_sessions", 0, 5000));

    e2e_rebind_talk(e, bob, 1);
    assert_true(original_say(bob, "by way of another"));
    assert_int_equal(e2e_came(original_wait_answer(bob))->status, 200);
    e2e_came(original_wait_message(alice, "by way of another"));
    e2e_came(original_wait_message(bob, "by way of another"));
    assert_true(original_fence(alice) && original_fence(bob));
    assert_int_equal(e2e_metric_at(e, 2, "hgtp_sessions"), 1);
    assert_int_equal(e2e_metric_at(e, 1, "hgtp_sessions"), 0);
    assert_int_equal(e2e_metric_at(e, 1, "hgtp_push_connections"), 0);
    assert_int_equal(pushes(bob, PUSH_MESSAGE), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(members_on_three_nodes_get_the_same_messages_in_one_order),
        E2E_TEST(lists_and_notices_reach_users_of_all_nodes),
        E2E_TEST(invite_kick_and_closing_reach_peers_at_home_on_other_nodes),
        E2E_TEST(peer_that_declines_on_another_node_is_told_as_on_the_same),
        E2E_TEST(client_that_moves_between_nodes_loses_no_message_and_gets_none_twice),
        E2E_TEST(datagram_to_another_node_moves_the_home_and_a_message_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
