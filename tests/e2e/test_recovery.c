/* SPDX-License-Identifier: MIT */
/*
 * What is right again by itself: answers of Redis that came too late, connections cut under way,
 * nodes that died with sessions at home, logs that went back. In each the clients do nothing for
 * it.
 */
#include <signal.h>
#include <stdio.h>

#include "tests/support/e2e.h"
#include "tests/support/relay.h"
#include "tests/support/sockets.h"

static void own_redis(struct e2e *e, char url[160])
{
    e->redis = redis_server_new();
    assert_true(redis_server_start(e->redis));
    snprintf(url, 160, "redis.url=%s", e->redis->url);
}

static size_t messages(const struct original *client)
{
    const enum push_type type = PUSH_MESSAGE;
    return original_count(client, 0, original_is_push, &type);
}

static void ask_unheard(struct original *bob, struct original *carol)
{
    original_send_name(carol, HGTP_JOIN_ROOM, "den");
    original_send_name(bob, HGTP_EXIT_ROOM, "den");
    e2e_refused(original_wait_response(carol, HGTP_JOIN_ROOM), HGTP_BAD_REQUEST, ERR_STORE_AWAY);
    e2e_refused(original_wait_response(bob, HGTP_EXIT_ROOM), HGTP_SERVER_UNAVAILABLE,
                ERR_STORE_AWAY);
}

/* While Redis stands still, bob leaves and carol enters; both are told that it could not be done,
 * and by then it cannot be. */
static void change_rooms_unheard(struct e2e *e, struct original *bob, struct original *carol)
{
    process_signal(e->redis->process, SIGSTOP);
    ask_unheard(bob, carol);
}

/* Refused was not done: bob is in the room, carol is not, and both can do it now. */
static void expect_same_rooms(struct original *alice, struct original *bob, struct original *carol)
{
    assert_true(original_say(alice, "for alice and bob"));
    e2e_came(original_wait_message(alice, "for alice and bob"));
    e2e_came(original_wait_message(bob, "for alice and bob"));
    assert_true(original_fence(carol));
    assert_int_equal(messages(carol), 0);
    e2e_ok(original_join(carol, "den"));
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice,bob,carol"));
    e2e_ok(original_exit(bob, "den"));
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice,carol"));
}

E2E_SCENARIO(request_that_was_refused_while_redis_stood_still_is_not_done)
{
    char url[160];
    own_redis(e, url);
    E2E_NODE(e, url, "redis.deadline_ms=400");
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    change_rooms_unheard(e, bob, carol);
    process_signal(e->redis->process, SIGCONT);
    expect_same_rooms(alice, bob, carol);
}

E2E_SCENARIO(request_on_a_connection_that_was_cut_is_not_done)
{
    char url[160];
    own_redis(e, url);
    E2E_NODE(e, url, "redis.deadline_ms=200");
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    int64_t breaks = e2e_metric(e, "hgtp_store_reconnects_total");
    change_rooms_unheard(e, bob, carol);
    int64_t deadline_ms = pump_deadline_ms(20000);
    while (e2e_metric(e, "hgtp_store_connected") != 0) {
        assert_true(pump_now_ms() < deadline_ms);
        e2e_retry_pause();
    }
    process_signal(e->redis->process, SIGCONT);
    while (e2e_metric(e, "hgtp_store_reconnects_total") == breaks) {
        assert_true(pump_now_ms() < deadline_ms);
        e2e_retry_pause();
    }
    expect_same_rooms(alice, bob, carol);
}

/* A node whose answers of Redis can be held back. */
static struct relay *answers_of_redis(struct e2e *e, char url[160])
{
    own_redis(e, url);
    uint16_t port = sockets_free_port();
    freeReplyObject(redis_server_command(e->redis, "CONFIG SET port %d", port));
    struct relay *relay = relay_open(port);
    snprintf(url, 160, "redis.url=redis://127.0.0.1:%u/0", relay_port(relay));
    return relay;
}

/* What was refused for want of an answer was done: it is made true as it was told. */
static void expect_as_told(struct original *alice, struct original *bob, struct original *carol)
{
    /* Bob, who was told that he is still in, is told that he is out. */
    e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    assert_false(bob->in_room);
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice"));
    assert_true(original_say(alice, "nobody is here"));
    e2e_came(original_wait_message(alice, "nobody is here"));
    assert_true(original_fence(carol) && original_fence(bob));
    assert_int_equal(messages(carol), 0);
    assert_int_equal(messages(bob), 0);
    e2e_ok(original_join(carol, "den"));
    e2e_ok(original_join(bob, "den"));
}

/* The answers are held back until both are refused, and then come, or are lost with the connection.
 */
static void expect_undone(struct e2e *e, bool is_lost)
{
    char url[160];
    struct relay *relay = answers_of_redis(e, url);
    E2E_NODE(e, url, "redis.deadline_ms=1000");
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    relay_set(relay, RELAY_HOLD_BACK);
    ask_unheard(bob, carol);
    if (is_lost) {
        relay_set(relay, RELAY_CUT);
    }
    relay_set(relay, RELAY_PASS);
    expect_as_told(alice, bob, carol);
    relay_close(relay);
}

E2E_SCENARIO(request_that_was_done_though_its_answer_came_too_late_is_undone)
{
    expect_undone(e, false);
}

E2E_SCENARIO(request_that_was_done_though_its_answer_was_lost_is_undone)
{
    expect_undone(e, true);
}

/* Start, end in the given way, start again; the sessions' members have done nothing meanwhile. */
static void restart_node(struct e2e *e, int signal_number)
{
    char url[160], hgtp[64], http[64];
    own_redis(e, url);
    snprintf(hgtp, sizeof hgtp, "hgtp.listen=127.0.0.1:%u", sockets_free_port());
    snprintf(http, sizeof http, "http.listen=127.0.0.1:%u", sockets_free_port());
    E2E_NODE(e, url, hgtp, http);
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    process_signal(e->daemon->process, signal_number);
    (void)process_wait_exit(e->daemon->process, DAEMON_STOP_MS);
    daemon_free(e->daemon);
    e->daemon = NULL;
    E2E_NODE(e, url, hgtp, http);
    int64_t deadline_ms = pump_deadline_ms(20000);
    while (e2e_metric(e, "hgtp_push_connections") < 2) {
        assert_true(pump_now_ms() < deadline_ms);
        e2e_retry_pause();
    }
    assert_true(original_say(alice, "bob has asked for nothing"));
    e2e_came(original_wait_message(bob, "bob has asked for nothing"));
    e2e_came(original_wait_message(alice, "bob has asked for nothing"));
}

E2E_SCENARIO(sessions_of_a_node_that_ended_are_adopted_by_the_next)
{
    restart_node(e, SIGTERM);
}

E2E_SCENARIO(sessions_of_a_node_that_was_killed_are_adopted_by_the_next)
{
    restart_node(e, SIGKILL);
}

E2E_SCENARIO(what_waits_for_a_client_reaches_it_at_its_new_address)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    original_set_pushes(bob, ORIGINAL_PUSHES_REFUSE);
    for (int i = 0; i < 3; i++) {
        char text[32];
        snprintf(text, sizeof text, "waiting %d", i);
        assert_true(original_say(alice, text));
        e2e_came(original_wait_message(alice, text));
    }
    original_set_pushes(bob, ORIGINAL_PUSHES_ANSWER);
    assert_true(original_register(bob));
    e2e_came(original_wait_message(bob, "waiting 0"));
    e2e_came(original_wait_message(bob, "waiting 1"));
    e2e_came(original_wait_message(bob, "waiting 2"));
}

E2E_SCENARIO(room_log_that_went_back_does_not_swallow_what_is_said_next)
{
    char url[160], command[256];
    own_redis(e, url);
    E2E_NODE(e, url);
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    assert_true(original_say(alice, "kept"));
    e2e_came(original_wait_message(bob, "kept"));
    snprintf(command, sizeof command, "COPY hgtp:{HGTP_SERVICE}:log:%s hgtp:{HGTP_SERVICE}:before",
             alice->room_id);
    freeReplyObject(redis_server_command(e->redis, command));
    for (int i = 0; i < 5; i++) {
        assert_true(original_say(alice, "lost in the failover"));
        e2e_came(original_wait_message(bob, "lost in the failover"));
    }
    snprintf(command, sizeof command,
             "COPY hgtp:{HGTP_SERVICE}:before hgtp:{HGTP_SERVICE}:log:%s REPLACE", alice->room_id);
    freeReplyObject(redis_server_command(e->redis, command));
    assert_true(process_wait_output(e->daemon->process, "room_log_went_back", 20000));
    assert_true(original_say(alice, "said after it"));
    e2e_came(original_wait_message(bob, "said after it"));
    e2e_came(original_wait_message(alice, "said after it"));
}

E2E_SCENARIO(entry_of_a_kind_from_the_future_holds_up_nothing)
{
    char url[160], command[256];
    own_redis(e, url);
    E2E_NODE(e, url);
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    snprintf(command, sizeof command,
             "XADD hgtp:{HGTP_SERVICE}:log:%s 0-* kind poll who alice text tea? time 1 sent 0",
             alice->room_id);
    freeReplyObject(redis_server_command(e->redis, command));
    assert_true(original_say(alice, "after the poll"));
    e2e_came(original_wait_message(bob, "after the poll"));
    e2e_came(original_wait_message(alice, "after the poll"));
}

E2E_SCENARIO(stranger_cannot_use_up_what_a_user_may_say)
{
    E2E_NODE(e, "limits.messages_per_s=5");
    struct original *alice = e2e_user(e, "alice");
    e2e_open_room(alice, "den");
    const struct original_options options = {.name = "mallory", .own_ip = 0x7f000009};
    struct original *mallory = e2e_user_with(e, &options);
    char own_id[sizeof mallory->user_id];
    memcpy(own_id, mallory->user_id, sizeof own_id);
    memcpy(mallory->user_id, alice->user_id, sizeof mallory->user_id);
    for (int i = 0; i < 30; i++) {
        assert_true(original_say(mallory, "as alice"));
        assert_int_not_equal(e2e_came(original_wait_answer(mallory))->status, 200);
    }
    memcpy(mallory->user_id, own_id, sizeof own_id);
    assert_true(original_say(alice, "herself"));
    assert_int_equal(e2e_came(original_wait_answer(alice))->status, 200);
    e2e_came(original_wait_message(alice, "herself"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(request_that_was_refused_while_redis_stood_still_is_not_done),
        E2E_TEST(request_on_a_connection_that_was_cut_is_not_done),
        E2E_TEST(request_that_was_done_though_its_answer_came_too_late_is_undone),
        E2E_TEST(request_that_was_done_though_its_answer_was_lost_is_undone),
        E2E_TEST(sessions_of_a_node_that_ended_are_adopted_by_the_next),
        E2E_TEST(sessions_of_a_node_that_was_killed_are_adopted_by_the_next),
        E2E_TEST(what_waits_for_a_client_reaches_it_at_its_new_address),
        E2E_TEST(room_log_that_went_back_does_not_swallow_what_is_said_next),
        E2E_TEST(entry_of_a_kind_from_the_future_holds_up_nothing),
        E2E_TEST(stranger_cannot_use_up_what_a_user_may_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
