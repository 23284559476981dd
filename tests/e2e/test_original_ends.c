/* SPDX-License-Identifier: MIT */
/*
 * How sessions of clients of the original's kind end, and what those clients hear of it: dead HTTP
 * ports, operators, expiry, an emptied Redis. Tests carry the numbers of issue 12's items.
 */
#include "tests/support/e2e.h"
#include "tests/support/e2e_cluster.h"
#include "tests/support/tool.h"

static bool has_remove(const struct original *client)
{
    const uint8_t remove = HGTP_REMOVE_USER_FROM_ROOM;
    return original_count(client, 0, original_is_relay, &remove) > 0;
}

/* It can register again, with the same name, and do what one in no room can. */
static void expect_usable(struct original *client, const char *room)
{
    assert_false(client->in_room);
    original_set_pushes(client, ORIGINAL_PUSHES_ANSWER);
    assert_true(original_register(client));
    e2e_open_room(client, room);
    e2e_ok(original_delete(client));
}

static void expect_metric(const struct e2e *e, const char *name, int64_t value)
{
    int64_t deadline_ms = pump_deadline_ms(ORIGINAL_WAIT_MS);
    while (e2e_metric(e, name) != value) {
        assert_true(pump_now_ms() < deadline_ms);
        e2e_retry_pause();
    }
}

/* Dead ports (item 11) ------------------------------------------------------------------------- */

E2E_SCENARIO(member_whose_port_refuses_pushes_is_given_up_and_told_so_first)
{
    E2E_NODE(e, "http.push_give_up_s=1");
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    original_set_pushes(bob, ORIGINAL_PUSHES_REFUSE);
    e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice"));
    e2e_came(original_wait_list(alice, PUSH_USER_LIST, "alice"));
    expect_usable(bob, "attic");
    assert_int_equal(e2e_metric(e, "hgtp_push_given_up_total"), 1);
}

E2E_SCENARIO(client_that_answers_no_push_is_given_up)
{
    E2E_NODE(e, "http.push_give_up_s=1");
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    original_set_pushes(bob, ORIGINAL_PUSHES_SILENT);
    assert_true(original_say(alice, "anybody?"));
    e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice"));
    expect_usable(bob, "attic");
}

E2E_SCENARIO(datagrams_keep_a_client_with_a_dead_port)
{
    E2E_NODE(e, "http.push_give_up_s=1");
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    original_set_pushes(bob, ORIGINAL_PUSHES_REFUSE);
    int64_t end_ms = pump_now_ms() + 3000;
    while (pump_now_ms() < end_ms) {
        original_send_plain(bob, HGTP_REFRESH);
        e2e_ok(original_wait_response(bob, HGTP_REFRESH));
        e2e_retry_pause();
    }
    assert_false(has_remove(bob));
    e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
}

E2E_SCENARIO(nobody_is_given_up_while_most_push_connections_fail)
{
    E2E_NODE(e, "http.push_give_up_s=1");
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    e2e_join_room(carol, "den");
    original_set_pushes(bob, ORIGINAL_PUSHES_REFUSE);
    original_set_pushes(carol, ORIGINAL_PUSHES_REFUSE);
    expect_metric(e, "hgtp_push_failing", 2);
    int64_t end_ms = pump_now_ms() + 2500;
    while (pump_now_ms() < end_ms) {
        assert_int_equal(e2e_metric(e, "hgtp_push_given_up_total"), 0);
        e2e_retry_pause();
    }
    original_set_pushes(carol, ORIGINAL_PUSHES_ANSWER);
    e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice,carol"));
    assert_true(original_say(carol, "still here"));
    e2e_came(original_wait_message(alice, "still here"));
}

/* Operators, expiry, an emptied Redis (item 15) ------------------------------------------------ */

E2E_SCENARIO(kicked_clients_in_a_room_are_told_to_leave_it)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct original *alice = e2e_user_at(e, 0, "alice"), *bob = e2e_user_at(e, 0, "bob");
    struct original *carol = e2e_user_at(e, 0, "carol");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    TOOL(e->nodes[1].daemon, 0, "session", "kick", "bob", "--yes");
    e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    e2e_ok(original_exit(bob, "den"));
    expect_usable(bob, "attic");

    char room_id[sizeof alice->room_id];
    memcpy(room_id, alice->room_id, sizeof room_id);
    e2e_ok(original_join(carol, "den"));
    TOOL(e->nodes[1].daemon, 0, "session", "kick", "alice", "--yes");
    e2e_came(original_wait_relay(alice, HGTP_REMOVE_USER_FROM_ROOM));
    original_send_room(alice, HGTP_DELETE_ROOM, room_id, "");
    e2e_ok(original_wait_response(alice, HGTP_DELETE_ROOM));
    expect_usable(alice, "attic");
}

E2E_SCENARIO(client_that_expires_in_a_room_is_told_to_leave_it)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    const struct original_options options = {.name = "bob", .expires_s = 1};
    struct original *bob = e2e_user_with(e, &options);
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    original_set_pushes(bob, ORIGINAL_PUSHES_REFUSE);
    e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    expect_usable(bob, "attic");
}

static void node_on_redis(struct e2e *e)
{
    char url[160];
    assert_true(redis_server_start(e->redis));
    snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    E2E_NODE(e, url);
}

E2E_SCENARIO(clients_in_a_room_are_told_to_leave_it_when_redis_was_emptied)
{
    e->redis = redis_server_new();
    node_on_redis(e);
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    freeReplyObject(redis_server_command(e->redis, "FLUSHALL"));
    e2e_came(
        original_wait(alice, original_is_relay, &(uint8_t){HGTP_REMOVE_USER_FROM_ROOM}, 30000));
    e2e_came(original_wait(bob, original_is_relay, &(uint8_t){HGTP_REMOVE_USER_FROM_ROOM}, 30000));
    assert_false(has_remove(carol));
    expect_usable(alice, "den");
    expect_usable(bob, "den");
}

E2E_SCENARIO(nobody_is_told_to_leave_while_redis_is_away)
{
    e->redis = redis_server_new();
    e->redis->keeps = true;
    node_on_redis(e);
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    redis_server_kill(e->redis);
    e2e_refused(original_refresh(bob), HGTP_SERVER_UNAVAILABLE, ERR_STORE_AWAY);
    assert_true(redis_server_start(e->redis));
    int64_t deadline_ms = pump_deadline_ms(20000);
    while (e2e_get(e, "/readyz", NULL, 0) != 200) {
        assert_true(pump_now_ms() < deadline_ms);
        e2e_retry_pause();
    }
    assert_true(original_fence(alice) && original_fence(bob));
    assert_false(has_remove(alice) || has_remove(bob));
    assert_true(original_say(bob, "still here"));
    e2e_came(original_wait_message(alice, "still here"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(member_whose_port_refuses_pushes_is_given_up_and_told_so_first),
        E2E_TEST(client_that_answers_no_push_is_given_up),
        E2E_TEST(datagrams_keep_a_client_with_a_dead_port),
        E2E_TEST(nobody_is_given_up_while_most_push_connections_fail),
        E2E_TEST(kicked_clients_in_a_room_are_told_to_leave_it),
        E2E_TEST(client_that_expires_in_a_room_is_told_to_leave_it),
        E2E_TEST(clients_in_a_room_are_told_to_leave_it_when_redis_was_emptied),
        E2E_TEST(nobody_is_told_to_leave_while_redis_is_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
