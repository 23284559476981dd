/* SPDX-License-Identifier: MIT */
/*
 * Three nodes behind nginx with the shipped configuration. Clients have addresses of their own,
 * which no node ever sees as a source: to the nodes everybody is the balancer.
 */
#include <stdio.h>
#include <unistd.h>

#include "tests/support/e2e_cluster.h"

#define USERS 3

/* Nodes as they have to be set behind a balancer (docs/balancer.md), and the balancer. */
static void behind_balancer(struct e2e *e)
{
    char port[48];
    e->balancer = balancer_new();
    snprintf(port, sizeof port, "http.advertise_port=%u", e->balancer->talk_port);
    E2E_CLUSTER(e, BALANCER_NODES, "hgtp.trusted_networks=127.0.0.0/8", port);
    struct balancer_node nodes[BALANCER_NODES];
    for (size_t i = 0; i < BALANCER_NODES; i++) {
        nodes[i].hgtp_port = e->nodes[i].hgtp_port;
        nodes[i].http_port = e->nodes[i].http_port;
    }
    assert_true(balancer_start(e->balancer, nodes));
}

static struct original *user_behind(struct e2e *e, const char *name, uint32_t last_byte)
{
    const struct original_options options = {.name = name, .own_ip = 0x7f000000 + last_byte};
    return e2e_user_with(e, &options);
}

/* Registered, in one room, and heard by each other. */
static void users_in_room(struct e2e *e, struct original *users[USERS])
{
    static const char *const names[USERS] = {"alice", "bob", "carol"};
    for (uint32_t i = 0; i < USERS; i++) {
        users[i] = user_behind(e, names[i], 11 + i);
    }
    e2e_open_room(users[0], "den");
    e2e_join_room(users[1], "den");
    e2e_join_room(users[2], "den");
}

static void expect_all_hear(struct original *users[USERS], const char *when)
{
    for (int i = 0; i < USERS; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s speaks %s", users[i]->options.name, when);
        assert_true(original_say(users[i], text));
        assert_int_equal(e2e_came(original_wait_answer(users[i]))->status, 200);
        for (int j = 0; j < USERS; j++) {
            e2e_came(original_wait_message(users[j], text));
        }
    }
}

/* Sends the same datagram again and again, as a client with a timer or a user with patience does.
 */
static const struct original_event *answer_with_patience(struct original *client,
                                                         enum hgtp_type type)
{
    const uint8_t request_type = (uint8_t)type;
    const struct original_event *answer = NULL;
    for (int i = 0; i < 40 && answer == NULL; i++) {
        if (i > 0) {
            original_send_again(client);
        }
        answer = original_wait(client, original_is_response, &request_type, 500);
    }
    return answer;
}

E2E_SCENARIO(clients_behind_the_balancer_register_meet_and_talk)
{
    struct original *users[USERS];
    behind_balancer(e);
    e2e_cluster_meshed(e);
    users_in_room(e, users);
    expect_all_hear(users, "first");
    e2e_ok(original_exit(users[2], "den"));
    e2e_ok(original_delete(users[0]));
}

E2E_SCENARIO(original_client_is_refused_when_the_nodes_trust_no_address)
{
    e->balancer = balancer_new();
    E2E_CLUSTER(e, BALANCER_NODES);
    struct balancer_node nodes[BALANCER_NODES];
    for (size_t i = 0; i < BALANCER_NODES; i++) {
        nodes[i].hgtp_port = e->nodes[i].hgtp_port;
        nodes[i].http_port = e->nodes[i].http_port;
    }
    assert_true(balancer_start(e->balancer, nodes));
    const struct original_options options = {.name = "alice", .own_ip = 0x7f00000b};
    struct original *alice = e2e_client_with(e, &options);
    original_send_register(alice);
    e2e_refused(original_wait_response(alice, HGTP_REGISTER), HGTP_BAD_REQUEST,
                ERR_ADDRESS_FOREIGN);
}

E2E_SCENARIO(invite_reaches_the_declared_address_and_its_answer_comes_through_the_balancer)
{
    behind_balancer(e);
    e2e_cluster_meshed(e);
    struct original *alice = user_behind(e, "alice", 11), *bob = user_behind(e, "bob", 12);
    e2e_open_room(alice, "den");
    e2e_ok(original_invite(alice, "bob"));
    const struct original_event *relay =
        e2e_came(original_wait_relay(bob, HGTP_INVITE_USER_FROM_ROOM));
    assert_true(relay->at_declared);
    assert_int_not_equal(relay->from_port, e->balancer->hgtp_port);
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice,bob"));
    e2e_came(original_wait_list(bob, PUSH_ROOM_USER_LIST, "alice,bob"));
    e2e_ok(original_remove(alice, "bob"));
    assert_false(bob->in_room);
}

/* Declares no address for HGTP: what a node begins comes back the way the client came. */
E2E_SCENARIO(invite_of_a_client_without_an_address_comes_through_the_balancer)
{
    behind_balancer(e);
    e2e_cluster_meshed(e);
    struct original *alice = user_behind(e, "alice", 11);
    const struct original_options options = {.name = "bob", .own_ip = 0x7f00000c};
    struct original *bob = e2e_client_with(e, &options);
    bob->options.udp_port = 0;
    assert_true(original_register(bob));
    e2e_open_room(alice, "den");
    e2e_ok(original_invite(alice, "bob"));
    const struct original_event *relay =
        e2e_came(original_wait_relay(bob, HGTP_INVITE_USER_FROM_ROOM));
    assert_false(relay->at_declared);
    assert_int_equal(relay->from_port, e->balancer->hgtp_port);
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice,bob"));
}

/* A node through which at least one of the users came. */
static size_t node_with_users(const struct e2e *e)
{
    for (size_t i = 0; i < e->node_count; i++) {
        if (e2e_metric_at(e, i, "hgtp_sessions") > 0) {
            return i;
        }
    }
    fail_msg("no node has a session");
    return 0;
}

E2E_SCENARIO(death_of_a_node_behind_the_balancer_costs_repeated_datagrams_and_nothing_else)
{
    struct original *users[USERS];
    behind_balancer(e);
    e2e_cluster_meshed(e);
    users_in_room(e, users);
    expect_all_hear(users, "before");
    e2e_cluster_kill(e, node_with_users(e));
    int64_t start_ms = pump_now_ms();
    for (int i = 0; i < USERS; i++) {
        original_send_plain(users[i], HGTP_REFRESH);
        e2e_ok(answer_with_patience(users[i], HGTP_REFRESH));
    }
    size_t empty =
        users[0]->empty_datagrams + users[1]->empty_datagrams + users[2]->empty_datagrams;
    print_message("all served again after %d ms; %zu empty datagrams\n",
                  (int)(pump_now_ms() - start_ms), empty);
    expect_all_hear(users, "after");
    e2e_ok(original_exit(users[2], "den"));
    e2e_ok(original_invite(users[0], "carol"));
}

E2E_SCENARIO(browsers_are_served_through_http_and_metrics_are_not_shown)
{
    char body[512] = "";
    behind_balancer(e);
    assert_int_equal(http_client_get(SOCKETS_LOOPBACK, e->balancer->web_port, "/healthz", NULL, 0),
                     200);
    assert_int_equal(
        http_client_get(SOCKETS_LOOPBACK, e->balancer->web_port, "/metrics", body, sizeof body),
        404);
    assert_int_equal(http_client_get(SOCKETS_LOOPBACK, e->balancer->talk_port, "/healthz", NULL, 0),
                     200);
    e2e_cluster_kill(e, 0);
    e2e_cluster_kill(e, 1);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(
            http_client_get(SOCKETS_LOOPBACK, e->balancer->web_port, "/healthz", NULL, 0), 200);
        assert_int_equal(
            http_client_get(SOCKETS_LOOPBACK, e->balancer->talk_port, "/healthz", NULL, 0), 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(clients_behind_the_balancer_register_meet_and_talk),
        E2E_TEST(original_client_is_refused_when_the_nodes_trust_no_address),
        E2E_TEST(invite_reaches_the_declared_address_and_its_answer_comes_through_the_balancer),
        E2E_TEST(invite_of_a_client_without_an_address_comes_through_the_balancer),
        E2E_TEST(death_of_a_node_behind_the_balancer_costs_repeated_datagrams_and_nothing_else),
        E2E_TEST(browsers_are_served_through_http_and_metrics_are_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
