/* SPDX-License-Identifier: MIT */
/*
 * A client of the original's kind that has crashed and is started again with the same configuration
 * (issue 12, item 10): same ports, a new user id. The dead session ends at once, and nobody else's
 * can be ended that way.
 */
#include "tests/support/e2e.h"
#include "tests/support/e2e_cluster.h"

/* Ports that nobody else of the scenario uses. */
static struct original_options at_own_ports(const char *name)
{
    return (struct original_options){
        .name = name, .udp_port = sockets_free_port(), .http_port = sockets_free_port()};
}

struct died {
    char user_id[HGTP_USER_ID_BYTES + 1];
};

static struct died dies(struct e2e *e, struct original *client)
{
    struct died died;
    memcpy(died.user_id, client->user_id, sizeof died.user_id);
    e2e_vanish(e, client);
    return died;
}

static struct original *follows(struct original *again, const struct died *died)
{
    memcpy(again->former_id, died->user_id, sizeof again->former_id);
    return again;
}

static void expect_metric(uint16_t http_port, const char *name, int64_t value)
{
    int64_t deadline_ms = pump_deadline_ms(20000);
    while (e2e_metric_of(http_port, name) != value) {
        assert_true(pump_now_ms() < deadline_ms);
        e2e_retry_pause();
    }
}

/* One whose first REGISTER is answered, and whose proof names the HTTP port of another. */
static const struct original_event *claims(struct original *client, uint16_t http_port)
{
    client->declared_port = http_port;
    original_send_register(client);
    const struct original_event *event = e2e_came(original_wait_response(client, HGTP_REGISTER));
    if (event->msg.header.type != HGTP_UNAUTHORIZED) {
        return event;
    }
    original_send_proof(client, 3, client->realm, ORIGINAL_KEY);
    return e2e_came(original_wait_response(client, HGTP_REGISTER));
}

static void expect_started_again(struct original *again, struct original *bob)
{
    e2e_came(original_wait_notice(bob, "[alice] has left."));
    e2e_came(original_wait_list(bob, PUSH_ROOM_USER_LIST, "bob"));
    assert_true(original_say(bob, "not for alice"));
    e2e_came(original_wait_message(bob, "not for alice"));
    assert_true(original_fence(again));
    const enum push_type message = PUSH_MESSAGE;
    assert_int_equal(original_count(again, 0, original_is_push, &message), 0);
    e2e_open_room(again, "attic");
    e2e_ok(original_delete(again));
}

E2E_SCENARIO(crashed_client_started_again_has_its_name_at_once)
{
    E2E_NODE(e);
    const struct original_options options = at_own_ports("alice");
    struct original *alice = e2e_user_with(e, &options), *bob = e2e_user(e, "bob");
    e2e_open_room(bob, "den");
    e2e_join_room(alice, "den");
    const struct died died = dies(e, alice);
    struct original *again = follows(e2e_client_with(e, &options), &died);
    assert_true(original_register(again));
    e2e_came(original_wait_list(again, PUSH_USER_LIST, "alice,bob"));
    expect_started_again(again, bob);
}

/* Its predecessor's pushes reach it, and are answered, before anybody presses a button. */
E2E_SCENARIO(client_started_again_that_answers_its_predecessors_pushes_has_its_name_too)
{
    E2E_NODE(e);
    const struct original_options options = at_own_ports("alice");
    struct original *alice = e2e_user_with(e, &options), *bob = e2e_user(e, "bob");
    e2e_open_room(bob, "den");
    e2e_join_room(alice, "den");
    const struct died died = dies(e, alice);
    expect_metric(e->daemon->http_port, "hgtp_push_connections", 1);
    struct original *again = follows(e2e_client_with(e, &options), &died);
    expect_metric(e->daemon->http_port, "hgtp_push_connections", 2);
    assert_true(original_register(again));
    expect_started_again(again, bob);
}

E2E_SCENARIO(client_started_again_under_another_name_ends_its_old_session)
{
    E2E_NODE(e);
    struct original_options options = at_own_ports("alice");
    struct original *alice = e2e_user_with(e, &options), *bob = e2e_user(e, "bob");
    const struct died died = dies(e, alice);
    options.name = "alicia";
    struct original *again = follows(e2e_client_with(e, &options), &died);
    assert_true(original_register(again));
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "alicia,bob"));
    e2e_came(original_wait_list(again, PUSH_USER_LIST, "alicia,bob"));
}

E2E_SCENARIO(client_started_again_at_another_node_has_its_name_at_once)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    const struct original_options options = at_own_ports("alice");
    struct original *alice = e2e_client_at(e, 0, &options), *bob = e2e_user_at(e, 0, "bob");
    assert_true(original_register(alice));
    e2e_open_room(bob, "den");
    e2e_join_room(alice, "den");
    const struct died died = dies(e, alice);
    struct original *again = follows(e2e_client_at(e, 1, &options), &died);
    assert_true(original_register(again));
    expect_started_again(again, bob);
}

E2E_SCENARIO(client_that_hangs_loses_its_session_to_one_at_its_address)
{
    E2E_NODE(e);
    const struct original_options options = at_own_ports("alice");
    struct original *alice = e2e_user_with(e, &options), *bob = e2e_user(e, "bob");
    original_set_pushes(alice, ORIGINAL_PUSHES_SILENT);
    const struct original_options other = {.name = "alicia", .is_manual = true};
    struct original *alicia = e2e_client_with(e, &other);
    memcpy(alice->former_id, alicia->user_id, sizeof alice->former_id); /* it gets her pushes */
    e2e_ok(claims(alicia, options.http_port));
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "alicia,bob"));
}

static void expect_untouched(struct original *alice, struct original *bob)
{
    const uint8_t remove = HGTP_REMOVE_USER_FROM_ROOM;
    assert_int_equal(original_count(alice, 0, original_is_relay, &remove), 0);
    assert_true(original_say(alice, "still here"));
    e2e_came(original_wait_message(bob, "still here"));
    e2e_came(original_wait_message(alice, "still here"));
}

E2E_SCENARIO(client_that_is_alive_keeps_its_session_and_its_neighbour_is_refused)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    const struct original_options options = at_own_ports("alice");
    struct original *alice = e2e_client_at(e, 0, &options), *bob = e2e_user_at(e, 0, "bob");
    assert_true(original_register(alice));
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    for (size_t node = 0; node < 2; node++) {
        const struct original_options other = {.name = "mallory", .is_manual = true};
        struct original *mallory = e2e_client_at(e, node, &other);
        e2e_refused(claims(mallory, options.http_port), HGTP_BAD_REQUEST, ERR_ADDRESS_IN_USE);
        expect_untouched(alice, bob);
    }
    const struct original_options double_options = {.name = "alice", .is_manual = true};
    e2e_refused(claims(e2e_client_at(e, 1, &double_options), options.http_port), HGTP_DECLINE,
                ERR_NAME_TAKEN);
    expect_untouched(alice, bob);
}

/* It has no way of ending a session that it could not have had itself. */
E2E_SCENARIO(dead_session_of_another_kind_is_not_ended_by_one_at_its_address)
{
    E2E_NODE(e);
    struct original_options options = at_own_ports("alice");
    options.auth = ORIGINAL_HMAC;
    struct original *alice = e2e_user_with(e, &options);
    e2e_user(e, "bob");
    e2e_vanish(e, alice);
    options.auth = ORIGINAL_MD5;
    options.is_manual = true;
    struct original *again = e2e_client_with(e, &options);
    original_send_register(again);
    e2e_refused(original_wait_response(again, HGTP_REGISTER), HGTP_DECLINE, ERR_NAME_TAKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(crashed_client_started_again_has_its_name_at_once),
        E2E_TEST(client_started_again_that_answers_its_predecessors_pushes_has_its_name_too),
        E2E_TEST(client_started_again_under_another_name_ends_its_old_session),
        E2E_TEST(client_started_again_at_another_node_has_its_name_at_once),
        E2E_TEST(client_that_hangs_loses_its_session_to_one_at_its_address),
        E2E_TEST(client_that_is_alive_keeps_its_session_and_its_neighbour_is_refused),
        E2E_TEST(dead_session_of_another_kind_is_not_ended_by_one_at_its_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
