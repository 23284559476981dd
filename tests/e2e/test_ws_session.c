/* SPDX-License-Identifier: MIT */
/*
 * One session and its connections: attaching by token, what comes first and what follows, one
 * connection at a time, and how and with which code each ends. Losses in mid-talk are in
 * test_ws_resume.c.
 */
#include <signal.h>

#include "tests/support/e2e_talk.h"

/* What connections by hand were told; it outlives a scenario that fails. */
static struct talk_record heard, also_heard;

static void heard_on_message(const struct ws_client_message *message, void *arg)
{
    struct talk_record *record = arg;
    if (message->json != NULL) {
        talk_record_take(record, message->json);
    }
}

/* Another connection for the talker's session, by hand; `after` < 0: none is given. */
static struct ws_client *attached(struct e2e *e, const struct talker *talker, uint16_t port,
                                  int64_t after, struct talk_record *record)
{
    talk_record_fini(record);
    char target[512];
    talker_target(talker, after, target, sizeof target);
    const struct ws_client_options options = {
        .target = target, .port = port, .on_message = heard_on_message, .arg = record};
    struct ws_client *client = e2e_ws(e, &options);
    assert_int_equal(client->status, 101);
    return client;
}

struct heard_until {
    const struct talk_record *record;
    int64_t seq;
};

static bool has_heard(void *arg)
{
    const struct heard_until *until = arg;
    return talk_record_last(until->record) >= until->seq;
}

/* It has heard exactly `first` to `last`, and whatever else was right. */
static void expect_heard(const struct talk_record *record, int64_t first, int64_t last)
{
    struct heard_until until = {record, last};
    (void)pump_until(has_heard, &until, TALKER_WAIT_MS);
    struct talk_account account = talk_record_account(record);
    if (record->broken[0] != '\0' || account.from != first || account.to != last ||
        account.gaps > 0) {
        fail_msg("heard %d to %d with %d gaps, not %d to %d; %s", (int)account.from,
                 (int)account.to, (int)account.gaps, (int)first, (int)last, record->broken);
    }
}

/* alice has opened the den and said ten things, bob has joined and ten more were said: 1 created,
 * 2 to 11, 12 joined, 13 to 22. */
static void talk_in_den(struct talker *alice, struct talker *bob)
{
    e2e_talk_open_room(alice, "den");
    talker_pour(alice, 10, 10);
    assert_true(talker_poured(alice, TALKER_WAIT_MS));
    e2e_talk_join_room(bob, "den");
    talker_pour(alice, 20, 10);
    assert_true(talker_poured(alice, TALKER_WAIT_MS));
    assert_true(talker_has(alice, 22, TALKER_WAIT_MS) && talker_has(bob, 22, TALKER_WAIT_MS));
    e2e_talk_whole(alice, 22);
    e2e_talk_whole(bob, 22);
    assert_int_equal(talk_record_account(&bob->record).from, 12);
}

/* Attaching ------------------------------------------------------------------------------------ */

E2E_SCENARIO(attaching_brings_session_lists_and_then_what_was_missed)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    talk_in_den(alice, bob);
    ws_client_drop(bob->ws);
    talker_pour(alice, 25, 10);
    assert_true(talker_poured(alice, TALKER_WAIT_MS));
    assert_int_equal(talker_resume(bob, e->daemon->http_port), 101);
    assert_true(talker_has(bob, 27, TALKER_WAIT_MS));
    e2e_talk_whole(bob, 27);
    static const char *const order[] = {"session",        "user_list", "room_list",
                                        "room_user_list", "message",   "message",
                                        "message",        "message",   "message"};
    assert_int_equal(bob->ws->count, 9);
    for (size_t i = 0; i < 9; i++) {
        assert_true(ws_client_is_type(bob->ws->messages[i], order[i]));
    }
    const json_t *session = bob->ws->messages[0]->json;
    assert_string_equal(json_string_value(json_object_get(session, "room")), "den");
    assert_string_equal(json_string_value(json_object_get(session, "room_id")), alice->room_id);
    assert_int_equal(json_integer_value(json_object_get(session, "last")), 27);
    assert_true(talker_say_acked(alice, "live", "live") == 28);
    assert_true(talker_has(bob, 28, TALKER_WAIT_MS));
    e2e_talk_whole(bob, 28);
}

E2E_SCENARIO(attaching_after_a_number_brings_what_follows_it)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    talk_in_den(alice, bob);
    static const int64_t afters[] = {0, 1, 11, 20, 21};
    for (size_t i = 0; i < 5; i++) {
        struct ws_client *client = attached(e, alice, e->daemon->http_port, afters[i], &heard);
        expect_heard(&heard, afters[i] + 1, 22);
        ws_client_drop(client);
    }
}

/* Nothing follows the last number, nor one that is still to come. */
E2E_SCENARIO(attaching_after_the_last_number_brings_what_is_said_then)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    talk_in_den(alice, bob);
    struct ws_client *client = attached(e, bob, e->daemon->http_port, 22, &heard);
    e2e_told(ws_client_wait_type(client, "room_user_list"));
    talker_pour(alice, 30, 10);
    expect_heard(&heard, 23, 32);
    ws_client_drop(client);
}

E2E_SCENARIO(attaching_without_a_number_brings_everything_since_the_session_joined)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    talk_in_den(alice, bob);
    attached(e, alice, e->daemon->http_port, -1, &heard);
    attached(e, bob, e->daemon->http_port, -1, &also_heard);
    expect_heard(&heard, 1, 22);
    expect_heard(&also_heard, 12, 22);
}

/* The number was one of another room. */
E2E_SCENARIO(number_of_another_epoch_is_not_looked_at)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    talk_in_den(alice, bob);
    char epoch[128];
    strcpy(epoch, alice->record.epoch);
    e2e_talk_ok(talker_delete(alice));
    assert_true(talker_is_in(alice, ""));
    e2e_talk_open_room(alice, "den");
    assert_string_not_equal(alice->record.epoch, epoch);
    talker_pour(alice, 30, 10);
    assert_true(talker_poured(alice, TALKER_WAIT_MS));
    strcpy(alice->record.epoch, epoch);
    attached(e, alice, e->daemon->http_port, 5, &heard);
    expect_heard(&heard, 1, 11);
}

E2E_SCENARIO(room_that_was_closed_meanwhile_is_told_by_the_session)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    talk_in_den(alice, bob);
    ws_client_drop(bob->ws);
    e2e_talk_ok(talker_delete(alice));
    assert_int_equal(talker_resume(bob, e->daemon->http_port), 101);
    assert_true(talker_is_in(bob, ""));
    e2e_talk_open_room(bob, "den");
    e2e_talk_whole(bob, 1);
}

/* One connection at a time --------------------------------------------------------------------- */

E2E_SCENARIO(second_connection_replaces_the_first)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    talk_in_den(alice, bob);
    struct ws_client *second = attached(e, bob, e->daemon->http_port, 22, &heard);
    assert_int_equal(ws_client_wait_close(bob->ws, WS_CLIENT_WAIT_MS), 4001);
    assert_true(talker_say_acked(alice, "to the second", "s") == 23);
    expect_heard(&heard, 23, 23);
    e2e_talk_whole(bob, 22);
    assert_false(second->ended);
}

E2E_SCENARIO(second_connection_at_another_node_replaces_the_first)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice"), *bob = e2e_talker_at(e, 0, "bob");
    talk_in_den(alice, bob);
    struct ws_client *second = attached(e, bob, e->nodes[1].http_port, 22, &heard);
    assert_int_equal(ws_client_wait_close(bob->ws, WS_CLIENT_WAIT_MS), 4001);
    assert_true(talker_say_acked(alice, "to the second", "s") == 23);
    expect_heard(&heard, 23, 23);
    assert_false(second->ended);
}

/* Nothing that nodes tell each other is sure to arrive. */
E2E_SCENARIO(connection_that_was_replaced_ends_even_if_its_node_was_not_told)
{
    E2E_CLUSTER_RELAYED(e, 2);
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 1, "alice"), *bob = e2e_talker_at(e, 0, "bob");
    talk_in_den(alice, bob);
    relay_set(e->nodes[0].bus_relay, RELAY_CUT);
    struct ws_client *second = attached(e, bob, e->nodes[1].http_port, 22, &heard);
    e2e_told(ws_client_wait_type(second, "session"));
    assert_true(talker_say_acked(alice, "to the second", "s") == 23);
    expect_heard(&heard, 23, 23);
    relay_set(e->nodes[0].bus_relay, RELAY_PASS);
    assert_int_equal(ws_client_wait_close(bob->ws, 30000), 4001);
    assert_false(second->ended);
}

/* What the second node tells the first about the client is overtaken by the client itself. */
E2E_SCENARIO(connection_that_is_back_at_its_first_node_outlives_what_the_second_has_said)
{
    E2E_CLUSTER_RELAYED(e, 2);
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 1, "alice"), *bob = e2e_talker_at(e, 0, "bob");
    talk_in_den(alice, bob);
    relay_set(e->nodes[0].bus_relay, RELAY_HOLD);
    assert_int_equal(talker_resume(bob, e->nodes[1].http_port), 101);
    e2e_told(ws_client_wait_type(bob->ws, "session"));
    assert_int_equal(talker_resume(bob, e->nodes[0].http_port), 101);
    e2e_told(ws_client_wait_type(bob->ws, "session"));
    relay_set(e->nodes[0].bus_relay, RELAY_PASS);
    for (int i = 0; i < 10; i++) {
        int64_t seq = talker_say_acked(alice, "on", NULL);
        assert_true(talker_has(bob, seq, TALKER_WAIT_MS));
        assert_true(talker_fence(bob));
    }
    e2e_talk_whole(bob, 32);
}

/* Ends ----------------------------------------------------------------------------------------- */

E2E_SCENARIO(unregister_is_answered_and_closes_normally)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    e2e_told(talker_wait_list(alice, "user_list", "alice,bob"));
    e2e_talk_ok(talker_unregister(bob));
    assert_int_equal(ws_client_wait_close(bob->ws, WS_CLIENT_WAIT_MS), 1000);
    e2e_told(talker_wait_list(alice, "user_list", "alice"));
    e2e_talker(e, "bob");
    e2e_told(talker_wait_list(alice, "user_list", "alice,bob"));
}

E2E_SCENARIO(session_that_ends_elsewhere_closes_its_connection)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice");
    uint8_t storage[64];
    struct sink out = sink_into(storage, sizeof storage);
    talk_request_plain(&alice->speaker, HGTP_UNREGISTER, &out);
    e2e_talk_ok(e2e_post_hgtp(e->nodes[1].http_port, alice->token, sink_bytes(&out), NULL));
    int code = ws_client_wait_close(alice->ws, WS_CLIENT_WAIT_MS);
    assert_true(code == 4002 || code == 1000);
}

E2E_SCENARIO(talker_that_is_gone_leaves_when_its_session_expires)
{
    E2E_NODE(e, "hgtp.expires_s=2", "http.ping_s=1");
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_talk_join_room(bob, "den");
    ws_client_drop(bob->ws);
    /* alice is as silent, but she is there. */
    const json_t *notice = NULL;
    for (int i = 0; i < 3 && notice == NULL; i++) {
        notice = TALKER_WAIT(alice, "notice", "event", "left", "user", "bob");
    }
    e2e_told(notice);
    assert_int_equal(talker_resume(bob, e->daemon->http_port), 401);
    assert_true(talker_say_acked(alice, "still here", "1") > 0);
}

E2E_SCENARIO(talker_that_comes_back_in_time_never_left)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    talk_in_den(alice, bob);
    for (int i = 0; i < 20; i++) {
        ws_client_drop(bob->ws);
        assert_int_equal(talker_resume(bob, e->daemon->http_port), 101);
    }
    assert_true(talker_say_acked(alice, "said", "said") == 23);
    assert_true(talker_has(bob, 23, TALKER_WAIT_MS));
    e2e_talk_whole(bob, 23);
    assert_int_equal(talk_record_account(&alice->record).notices, 2);
}

/* Going down ----------------------------------------------------------------------------------- */

E2E_SCENARIO(node_that_goes_down_sends_its_talkers_elsewhere)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice"), *bob = e2e_talker_at(e, 1, "bob");
    talk_in_den(alice, bob);
    e2e_cluster_stop(e, 1);
    assert_true(bob->reconnect_after_ms >= 0);
    assert_int_equal(ws_client_wait_close(bob->ws, WS_CLIENT_WAIT_MS), 1001);
    talker_pour(alice, 30, 10);
    assert_true(talker_poured(alice, TALKER_WAIT_MS));
    assert_int_equal(talker_resume(bob, e->nodes[0].http_port), 101);
    assert_true(talker_has(bob, 32, TALKER_WAIT_MS));
    e2e_talk_whole(bob, 32);
    e2e_talk_whole(alice, 32);
}

E2E_SCENARIO(talker_that_was_coming_when_its_node_went_down_is_sent_elsewhere)
{
    e->redis = redis_server_new();
    assert_true(redis_server_start(e->redis));
    char url[160], target[512];
    snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    E2E_NODE(e, url, "redis.deadline_ms=60000", "node.drain_s=20");
    struct talker *alice = e2e_talker(e, "alice");
    talker_target(alice, 0, target, sizeof target);
    process_signal(e->redis->process, SIGSTOP);
    int64_t asked = e2e_metric(e, "hgtp_http_requests_total");
    struct ws_client *coming = ws_client_start(
        &(struct ws_client_options){.port = e->daemon->http_port, .target = target});
    /* One more than those who look. */
    for (int64_t looks = 1; e2e_metric(e, "hgtp_http_requests_total") < asked + looks + 1;
         looks++) {
        assert_true(looks < 1000);
    }
    process_signal(e->daemon->process, SIGTERM);
    assert_true(process_wait_output(e->daemon->process, "event=draining", WS_CLIENT_WAIT_MS));
    process_signal(e->redis->process, SIGCONT);
    assert_int_equal(ws_client_wait_answer(coming), 101);
    assert_non_null(ws_client_wait_type(coming, "reconnect"));
    ws_client_free(coming);
    assert_int_equal(process_wait_exit(e->daemon->process, 2 * WS_CLIENT_WAIT_MS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(attaching_brings_session_lists_and_then_what_was_missed),
        E2E_TEST(attaching_after_a_number_brings_what_follows_it),
        E2E_TEST(attaching_after_the_last_number_brings_what_is_said_then),
        E2E_TEST(attaching_without_a_number_brings_everything_since_the_session_joined),
        E2E_TEST(number_of_another_epoch_is_not_looked_at),
        E2E_TEST(room_that_was_closed_meanwhile_is_told_by_the_session),
        E2E_TEST(second_connection_replaces_the_first),
        E2E_TEST(second_connection_at_another_node_replaces_the_first),
        E2E_TEST(connection_that_was_replaced_ends_even_if_its_node_was_not_told),
        E2E_TEST(connection_that_is_back_at_its_first_node_outlives_what_the_second_has_said),
        E2E_TEST(unregister_is_answered_and_closes_normally),
        E2E_TEST(session_that_ends_elsewhere_closes_its_connection),
        E2E_TEST(talker_that_is_gone_leaves_when_its_session_expires),
        E2E_TEST(talker_that_comes_back_in_time_never_left),
        E2E_TEST(node_that_goes_down_sends_its_talkers_elsewhere),
        E2E_TEST(talker_that_was_coming_when_its_node_went_down_is_sent_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
