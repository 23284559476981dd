/* SPDX-License-Identifier: MIT */
/*
 * Nodes of a cluster that die, come back, or should never have come: what their clients and all
 * others notice of it.
 */
#include <signal.h>
#include <stdio.h>

#include "tests/support/e2e_cluster.h"

#define ENDS_MS       15000
#define SAY_EVERY_MS  5
#define KEPT_BACK_MS  250  /* what a dead node may not have noted as delivered */
#define KEPT_SLACK_MS 1000 /* a loaded machine notes later */

static const struct original_event *message_at(const struct original *client, size_t at)
{
    const struct original_event *event = client->log.events[at];
    bool is_message = event->kind == ORIGINAL_PUSH && event->push == PUSH_MESSAGE;
    return is_message ? event : NULL;
}

static int number_of(const struct original_event *message)
{
    int number = -1;
    assert_int_equal(sscanf(message->text, "said %d", &number), 1);
    return number;
}

/* Relays --------------------------------------------------------------------------------------- */

E2E_SCENARIO(invite_whose_peer_loses_its_node_is_declined_at_the_deadline)
{
    E2E_CLUSTER(e, 3, "hgtp.answer_ms=1000");
    e2e_cluster_meshed(e);
    struct original *alice = e2e_user_at(e, 0, "alice"), *bob = e2e_user_at(e, 1, "bob");
    e2e_open_room(alice, "den");
    bob->relay = ORIGINAL_RELAY_SILENT;
    int64_t start_ms = pump_now_ms();
    original_send_peer(alice, HGTP_INVITE_USER_FROM_ROOM, "den", "bob");
    e2e_came(original_wait_relay(bob, HGTP_INVITE_USER_FROM_ROOM));
    e2e_cluster_kill(e, 1);
    e2e_refused(original_wait_response(alice, HGTP_INVITE_USER_FROM_ROOM), HGTP_DECLINE,
                ERR_PEER_SILENT);
    int64_t took_ms = pump_now_ms() - start_ms;
    assert_true(took_ms >= 990 && took_ms < 4500);

    /* Its node is dead, and nobody has noticed yet. */
    e2e_refused(original_invite(alice, "bob"), HGTP_DECLINE, ERR_PEER_SILENT);
    e2e_rebind(e, bob, 2);
    assert_true(original_fence(bob));
    bob->relay = ORIGINAL_RELAY_ANSWER;
    e2e_ok(original_invite(alice, "bob"));
    e2e_came(original_wait_list(bob, PUSH_ROOM_USER_LIST, "alice,bob"));
}

/* The node that relayed is gone, so another answers: to a client that has moved there. */
E2E_SCENARIO(invite_whose_manager_loses_its_node_can_still_be_accepted)
{
    E2E_CLUSTER(e, 3);
    e2e_cluster_meshed(e);
    struct original *alice = e2e_user_at(e, 0, "alice"), *bob = e2e_user_at(e, 1, "bob");
    e2e_open_room(alice, "den");
    bob->relay = ORIGINAL_RELAY_SILENT;
    original_send_peer(alice, HGTP_INVITE_USER_FROM_ROOM, "den", "bob");
    const struct original_event *relay =
        e2e_came(original_wait_relay(bob, HGTP_INVITE_USER_FROM_ROOM));
    e2e_cluster_kill(e, 0);
    original_answer_relay(bob, relay, HGTP_OK);
    e2e_came(original_wait_list(bob, PUSH_ROOM_USER_LIST, "alice,bob"));
    e2e_rebind(e, alice, 2);
    assert_true(original_fence(alice));
    assert_true(original_say(bob, "in"));
    e2e_came(original_wait_message(alice, "in"));
}

/* Adoption ------------------------------------------------------------------------------------- */

struct death {
    struct original *alice, *bob, *carol;
    int64_t at_ms;
    int said;
    size_t bob_had; /* events of bob's log at the death */
    size_t alice_had;
};

static void say_next(struct death *death)
{
    char text[32];
    snprintf(text, sizeof text, "said %d", death->said++);
    assert_true(original_say(death->alice, text));
    pump_pause(SAY_EVERY_MS);
}

static bool bob_is_pushed(const struct death *death)
{
    for (size_t i = death->bob_had; i < death->bob->log.count; i++) {
        if (message_at(death->bob, i) != NULL) {
            return true;
        }
    }
    return false;
}

struct last_message {
    const struct original *client;
    int number;
};

static bool has_last(void *arg)
{
    const struct last_message *last = arg;
    for (size_t i = last->client->log.count; i-- > 0;) {
        const struct original_event *message = message_at(last->client, i);
        if (message != NULL) {
            return number_of(message) == last->number;
        }
    }
    return false;
}

static void expect_last(const struct original *client, int number)
{
    struct last_message last = {client, number};
    if (!pump_until(has_last, &last, ENDS_MS)) {
        fail_msg("%s has not got message %d", client->options.name, number);
    }
}

/*
 * Every message once and in order; only behind the death a run that begins anew at most a quarter
 * second before it. Returns how many came twice.
 */
static int expect_whole(const struct death *death, const struct original *client)
{
    int next = 0, highest = 0, twice = 0;
    int64_t oldest_ms = death->at_ms;
    for (size_t i = 0; i < client->log.count; i++) {
        const struct original_event *message = message_at(client, i);
        if (message == NULL) {
            continue;
        }
        int number = number_of(message);
        if (number != next) {
            /* It begins anew: once at most, behind the death, and not ahead. */
            assert_true(number < next && twice == 0 && message->at_ms >= death->at_ms);
            for (size_t j = 0; j < i; j++) {
                const struct original_event *first = message_at(client, j);
                if (first != NULL && number_of(first) == number) {
                    oldest_ms = first->at_ms;
                }
            }
            twice = next - number;
        }
        next = number + 1;
        highest = next > highest ? next : highest;
    }
    assert_int_equal(highest, death->said);
    assert_true(oldest_ms >= death->at_ms - KEPT_BACK_MS - KEPT_SLACK_MS);
    return twice;
}

static void expect_nobody_left(const struct death *death)
{
    for (size_t i = death->alice_had; i < death->alice->log.count; i++) {
        const struct original_event *event = death->alice->log.events[i];
        if (event->kind == ORIGINAL_PUSH && event->push == PUSH_ROOM_USER_LIST) {
            assert_true(original_event_lists(event, "alice,bob,carol"));
        }
        assert_false(event->kind == ORIGINAL_PUSH && event->push == PUSH_NOTICE);
    }
}

E2E_SCENARIO(clients_of_a_killed_node_are_adopted_and_get_what_they_missed)
{
    struct death death = {0};
    E2E_CLUSTER(e, 3);
    e2e_cluster_meshed(e);
    struct original *alice = death.alice = e2e_user_at(e, 0, "alice");
    struct original *bob = death.bob = e2e_user_at(e, 1, "bob");
    struct original *carol = death.carol = e2e_user_at(e, 2, "carol");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    e2e_join_room(carol, "den");
    assert_true(original_fence(alice) && original_fence(bob) && original_fence(carol));
    while (death.said < 200) {
        say_next(&death);
    }
    e2e_cluster_kill(e, 1);
    death.at_ms = pump_now_ms();
    death.bob_had = bob->log.count;
    death.alice_had = alice->log.count;
    while (!bob_is_pushed(&death)) {
        assert_true(pump_now_ms() - death.at_ms < E2E_CLUSTER_ADOPT_MS);
        say_next(&death);
    }
    print_message("adopted after %d ms\n", (int)(pump_now_ms() - death.at_ms));
    for (int i = 0; i < 100; i++) {
        say_next(&death);
    }
    expect_last(alice, death.said - 1);
    expect_last(carol, death.said - 1);
    expect_last(bob, death.said - 1);
    assert_int_equal(expect_whole(&death, alice), 0);
    assert_int_equal(expect_whole(&death, carol), 0);
    print_message("%d of %d messages came twice\n", expect_whole(&death, bob), death.said);
    expect_nobody_left(&death);
    e2e_cluster_meshed(e);
}

E2E_SCENARIO(node_that_is_stopped_leaves_its_clients_to_the_others)
{
    struct death death = {0};
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct original *alice = death.alice = e2e_user_at(e, 0, "alice");
    struct original *bob = death.bob = e2e_user_at(e, 1, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    while (death.said < 50) {
        say_next(&death);
    }
    e2e_cluster_stop(e, 1);
    death.at_ms = pump_now_ms();
    death.bob_had = bob->log.count;
    while (!bob_is_pushed(&death)) {
        assert_true(pump_now_ms() - death.at_ms < E2E_CLUSTER_ADOPT_MS);
        say_next(&death);
    }
    print_message("adopted after %d ms\n", (int)(pump_now_ms() - death.at_ms));
    expect_last(bob, death.said - 1);
    /* A node that had the time to say good-bye has noted everything. */
    assert_int_equal(expect_whole(&death, bob), 0);
}

/* Names ---------------------------------------------------------------------------------------- */

E2E_SCENARIO(killed_node_comes_back_at_once_under_its_name_and_ports)
{
    E2E_CLUSTER(e, 3);
    e2e_cluster_meshed(e);
    struct original *alice = e2e_user_at(e, 0, "alice"), *bob = e2e_user_at(e, 1, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    e2e_cluster_kill(e, 1);
    e2e_cluster_start(e, 1);
    e2e_cluster_meshed(e);
    assert_true(original_fence(bob));
    assert_true(e2e_metric_becomes(e, 1, "hgtp_push_connections", 1, 5000));
    assert_true(original_say(alice, "back again"));
    e2e_came(original_wait_message(bob, "back again"));
    assert_true(original_say(bob, "so it is"));
    e2e_came(original_wait_message(alice, "so it is"));
    assert_true(e2e_metric_becomes(e, 2, "hgtp_sessions", 0, 5000));
}

E2E_SCENARIO(second_node_with_a_name_that_is_taken_does_not_start)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct original *alice = e2e_user_at(e, 0, "alice");
    struct daemon *twin = e2e_cluster_double(e, 1);
    int code = process_wait_exit(twin->process, ENDS_MS);
    assert_true(code > 0);
    assert_non_null(strstr(process_stderr(twin->process), "event=node_id_taken"));
    assert_int_equal(process_folder_count(twin->folder), 0);
    e2e_cluster_meshed(e);
    struct original *bob = e2e_user_at(e, 1, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    assert_true(original_say(alice, "there is one n1 only"));
    e2e_came(original_wait_message(bob, "there is one n1 only"));
}

E2E_SCENARIO(bus_beyond_loopback_needs_a_key)
{
    e->daemon = daemon_start((const char *const[]){"bus.listen=tcp://0.0.0.0:0", NULL});
    assert_true(process_wait_exit(e->daemon->process, ENDS_MS) > 0);
    assert_non_null(strstr(process_stderr(e->daemon->process), "bus.key"));
    daemon_free(e->daemon);
    e->daemon =
        daemon_run((const char *const[]){"--check-config", "--set", "bus.listen=tcp://0.0.0.0:9200",
                                         "--set", "auth.key=k", "--set", "bus.key=k2", NULL});
    assert_int_equal(process_wait_exit(e->daemon->process, ENDS_MS), 0);
}

/* Nothing is said about the bus at all. */
E2E_SCENARIO(nodes_on_one_machine_share_a_redis_and_need_no_other_set_up)
{
    e->redis = redis_server_new();
    assert_true(redis_server_start(e->redis));
    char url[160];
    snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    for (size_t i = 0; i < 3; i++) {
        struct e2e_node *node = &e->nodes[e->node_count++];
        node->daemon = daemon_start((const char *const[]){url, "bus.listen=tcp://127.0.0.1:9200",
                                                          NULL}); /* which is its default */
        assert_true(daemon_wait_ready(node->daemon));
        node->hgtp_port = node->daemon->hgtp_port;
        node->http_port = node->daemon->http_port;
    }
    e2e_cluster_meshed(e);
    struct original *alice = e2e_user_at(e, 0, "alice"), *bob = e2e_user_at(e, 2, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    assert_true(original_say(bob, "from the third"));
    e2e_came(original_wait_message(alice, "from the third"));
}

static void expect_numbers_once(const struct original *client, int count)
{
    int next = 0;
    for (size_t i = 0; i < client->log.count; i++) {
        const struct original_event *message = message_at(client, i);
        if (message != NULL) {
            assert_int_equal(number_of(message), next++);
        }
    }
    assert_int_equal(next, count);
}

/* Its clients have gone on elsewhere; what has piled up for them here must not reach them again. */
E2E_SCENARIO(node_that_stalls_and_wakes_up_again_delivers_nothing_twice)
{
    E2E_CLUSTER(e, 3);
    e2e_cluster_meshed(e);
    struct death death = {.alice = e2e_user_at(e, 0, "alice"), .bob = e2e_user_at(e, 1, "bob")};
    e2e_open_room(death.alice, "den");
    e2e_join_room(death.bob, "den");
    say_next(&death);
    expect_last(death.bob, 0);
    pump_pause(KEPT_BACK_MS + KEPT_SLACK_MS); /* it has noted that */
    process_signal(e->nodes[1].daemon->process, SIGSTOP);
    int64_t until_ms = pump_now_ms() + 6000;
    while (pump_now_ms() < until_ms) {
        say_next(&death);
    }
    process_signal(e->nodes[1].daemon->process, SIGCONT);
    for (int i = 0; i < 100; i++) {
        say_next(&death);
    }
    expect_last(death.bob, death.said - 1);
    assert_true(original_fence(death.bob));
    expect_numbers_once(death.bob, death.said);
    expect_numbers_once(death.alice, death.said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(nodes_on_one_machine_share_a_redis_and_need_no_other_set_up),
        E2E_TEST(invite_whose_peer_loses_its_node_is_declined_at_the_deadline),
        E2E_TEST(invite_whose_manager_loses_its_node_can_still_be_accepted),
        E2E_TEST(clients_of_a_killed_node_are_adopted_and_get_what_they_missed),
        E2E_TEST(node_that_is_stopped_leaves_its_clients_to_the_others),
        E2E_TEST(killed_node_comes_back_at_once_under_its_name_and_ports),
        E2E_TEST(node_that_stalls_and_wakes_up_again_delivers_nothing_twice),
        E2E_TEST(second_node_with_a_name_that_is_taken_does_not_start),
        E2E_TEST(bus_beyond_loopback_needs_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
