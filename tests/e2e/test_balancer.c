/* SPDX-License-Identifier: MIT */
/*
 * Three nodes behind nginx with the shipped configuration. Clients have addresses of their own,
 * which no node ever sees as a source: to the nodes everybody is the balancer.
 */
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/e2e_cluster.h"
#include "tests/support/e2e_talk.h"
#include "tests/support/tool.h"

#define USERS 3

/* Nodes as they have to be set behind a balancer (docs/balancer.md), and the balancer. */
static void behind_balancer(struct e2e *e)
{
    char port[48];
    e->balancer = balancer_new();
    snprintf(port, sizeof port, "http.advertise_port=%u", e->balancer->talk_port);
    E2E_CLUSTER(e, BALANCER_NODES, "hgtp.trusted_networks=127.0.0.0/8",
                "http.trusted_proxies=127.0.0.1", port);
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
        answer = original_wait_within(client, original_is_response, &request_type, 500);
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
    if (!balancer_leaves_dead_nodes()) {
        print_message("this nginx does not: docs/balancer.md\n");
        skip();
    }
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

/* Nodes that read a request and close the connection, as one that is killed in mid-work. */
struct abrupt_nodes {
    struct pump_watch listeners[BALANCER_NODES], connections[16];
    size_t connection_count;
    size_t requests;
    char head[2048]; /* of the last request */
};

static void abrupt_on_request(short revents, void *arg)
{
    (void)revents;
    struct abrupt_nodes *nodes = arg;
    for (size_t i = 0; i < nodes->connection_count; i++) {
        struct pump_watch *watch = &nodes->connections[i];
        char text[sizeof nodes->head];
        ssize_t len = watch->fd >= 0 ? recv(watch->fd, text, sizeof text - 1, MSG_DONTWAIT) : -1;
        if (len < 0) {
            continue;
        }
        if (len > 0) {
            memcpy(nodes->head, text, (size_t)len);
            nodes->head[len] = '\0';
            nodes->requests++;
        }
        pump_remove(watch);
        close(watch->fd);
        watch->fd = -1;
    }
}

static void abrupt_on_connection(short revents, void *arg)
{
    (void)revents;
    struct abrupt_nodes *nodes = arg;
    for (size_t i = 0; i < BALANCER_NODES; i++) {
        int fd = accept4(nodes->listeners[i].fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            continue;
        }
        assert_true(nodes->connection_count < 16);
        struct pump_watch *watch = &nodes->connections[nodes->connection_count++];
        *watch = (struct pump_watch){
            .fd = fd, .events = POLLIN, .on_ready = abrupt_on_request, .arg = nodes};
        pump_add(watch);
    }
}

static void abrupt_open(struct e2e *e, struct abrupt_nodes *nodes)
{
    struct balancer_node addresses[BALANCER_NODES] = {0};
    for (size_t i = 0; i < BALANCER_NODES; i++) {
        struct pump_watch *watch = &nodes->listeners[i];
        *watch = (struct pump_watch){.fd = sockets_listen(SOCKETS_LOOPBACK, 0),
                                     .events = POLLIN,
                                     .on_ready = abrupt_on_connection,
                                     .arg = nodes};
        addresses[i].http_port = sockets_port(watch->fd);
        addresses[i].hgtp_port = sockets_free_port();
        pump_add(watch);
    }
    e->balancer = balancer_new();
    assert_true(balancer_start(e->balancer, addresses));
}

static void abrupt_close(struct abrupt_nodes *nodes)
{
    for (size_t i = 0; i < BALANCER_NODES; i++) {
        pump_remove(&nodes->listeners[i]);
        close(nodes->listeners[i].fd);
    }
    for (size_t i = 0; i < nodes->connection_count; i++) {
        if (nodes->connections[i].fd >= 0) {
            pump_remove(&nodes->connections[i]);
            close(nodes->connections[i].fd);
        }
    }
}

E2E_SCENARIO(post_that_was_sent_to_a_node_is_not_sent_to_another)
{
    struct abrupt_nodes nodes = {0};
    abrupt_open(e, &nodes);
    uint16_t port = e->balancer->web_port;
    assert_int_equal(http_client_post(SOCKETS_LOOPBACK, port, "/message", "", "{}", NULL, 0), 502);
    assert_int_equal(nodes.requests, 1);
    assert_non_null(strstr(nodes.head, "POST /message HTTP/1.1"));
    assert_int_equal(http_client_get(SOCKETS_LOOPBACK, port, "/", NULL, 0), 502);
    assert_int_equal(nodes.requests, 3);
    abrupt_close(&nodes);
}

E2E_SCENARIO(upgrade_to_websocket_is_passed_on)
{
    struct abrupt_nodes nodes = {0};
    abrupt_open(e, &nodes);
    struct http_client *client = http_client_open(0, SOCKETS_LOOPBACK, e->balancer->web_port);
    assert_non_null(client);
    http_client_send(client, bytes_str("GET /ws HTTP/1.1\r\nHost: talk.example:8081\r\n"
                                       "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"));
    (void)http_client_read(client, true);
    assert_true(nodes.requests > 0);
    assert_non_null(strstr(nodes.head, "\r\nHost: talk.example:8081\r\n"));
    assert_non_null(strstr(nodes.head, "\r\nUpgrade: websocket\r\n"));
    assert_non_null(strstr(nodes.head, "\r\nConnection: upgrade\r\n"));
    http_client_close(client);
    abrupt_close(&nodes);
}

/* Issue 13, item 22. nginx adds 127.0.0.1, a proxy's address, to what the client says itself. */
E2E_SCENARIO(session_of_a_websocket_behind_the_balancer_shows_the_clients_address)
{
    behind_balancer(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice");
    char target[256];
    snprintf(target, sizeof target, "/ws?token=%s", alice->token);
    const struct ws_client_options options = {.port = e->balancer->web_port,
                                              .target = target,
                                              .headers = "X-Forwarded-For: 198.51.100.7\r\n"};
    struct ws_client *client = ws_client_open(&options);
    assert_int_equal(client->status, 101);
    assert_non_null(ws_client_wait_type(client, "session"));
    TOOL(e->nodes[1].daemon, 0, "session", "show", "alice");
    assert_non_null(strstr(tool.out, "198.51.100.7"));
    ws_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(clients_behind_the_balancer_register_meet_and_talk),
        E2E_TEST(original_client_is_refused_when_the_nodes_trust_no_address),
        E2E_TEST(invite_reaches_the_declared_address_and_its_answer_comes_through_the_balancer),
        E2E_TEST(invite_of_a_client_without_an_address_comes_through_the_balancer),
        E2E_TEST(death_of_a_node_behind_the_balancer_costs_repeated_datagrams_and_nothing_else),
        E2E_TEST(post_that_was_sent_to_a_node_is_not_sent_to_another),
        E2E_TEST(upgrade_to_websocket_is_passed_on),
        E2E_TEST(session_of_a_websocket_behind_the_balancer_shows_the_clients_address),
        E2E_TEST(browsers_are_served_through_http_and_metrics_are_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
