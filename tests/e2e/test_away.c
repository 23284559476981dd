/* SPDX-License-Identifier: MIT */
/*
 * Who has lost his connection: what the others see of him until he is back or his session ends, and
 * that no connection which comes too late, or has gone before it was answered, costs him another
 * one. Items 8 and 17.
 */
#include <signal.h>
#include <string.h>

#include "tests/support/e2e_talk.h"

/* Away --------------------------------------------------------------------------------------------
 */

struct away_list {
    const char *type;
    const char *names; /* who is away, with commas between */
};

static bool is_away_list(const struct ws_client_message *message, const void *arg)
{
    const struct away_list *wanted = arg;
    if (!ws_client_is_type(message, wanted->type)) {
        return false;
    }
    const json_t *away = json_object_get(message->json, "away");
    char names[256] = "";
    for (size_t i = 0; i < json_array_size(away); i++) {
        size_t len = strlen(names);
        snprintf(names + len, sizeof names - len, "%s%s", i > 0 ? "," : "",
                 json_string_value(json_array_get(away, i)));
    }
    return strcmp(names, wanted->names) == 0;
}

/* A list that says so has come, behind all that were looked at before. */
static void sees_away(struct talker *talker, const char *type, const char *names)
{
    const struct away_list wanted = {type, names};
    const struct ws_client_message *found =
        ws_client_wait(talker->ws, is_away_list, &wanted, TALKER_WAIT_MS);
    if (found == NULL) {
        fail_msg("%s never saw \"%s\" away in %s", talker->options.name, names, type);
    }
    for (size_t i = 0; i < found->index; i++) {
        struct ws_client_message *message = talker->ws->messages[i];
        message->taken = message->taken || ws_client_is_type(message, type);
    }
}

static void both_lists_say_away(struct talker *talker, const char *names)
{
    sees_away(talker, "room_user_list", names);
    sees_away(talker, "user_list", names);
}

static void in_den(struct talker *alice, struct talker *bob)
{
    e2e_talk_open_room(alice, "den");
    e2e_talk_join_room(bob, "den");
    e2e_told(talker_wait_list(alice, "room_user_list", "alice,bob"));
}

E2E_SCENARIO(closed_tab_is_away_and_back_when_it_comes_again)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    in_den(alice, bob);
    e2e_join_room(carol, "den");
    ws_client_drop(bob->ws);
    both_lists_say_away(alice, "bob");
    e2e_came(original_wait_list(carol, PUSH_ROOM_USER_LIST, "alice,bob,carol"));
    struct talker *other = e2e_visitor(e, "bob");
    e2e_talk_refused(talker_prove(other), HGTP_DECLINE, ERR_NAME_TAKEN);
    assert_true(talker_say_acked(alice, "meanwhile", "1") > 0);
    assert_int_equal(talker_resume(bob, e->daemon->http_port), 101);
    both_lists_say_away(alice, "");
    both_lists_say_away(bob, "");
    assert_true(talker_has(bob, 4, TALKER_WAIT_MS));
    e2e_talk_whole(bob, 4);
}

E2E_SCENARIO(closed_tab_that_does_not_come_again_frees_name_and_place)
{
    E2E_NODE(e, "http.away_s=2");
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    in_den(alice, bob);
    ws_client_drop(bob->ws);
    both_lists_say_away(alice, "bob");
    e2e_told(TALKER_WAIT(alice, "notice", "event", "left", "user", "bob"));
    both_lists_say_away(alice, "");
    assert_int_equal(talker_resume(bob, e->daemon->http_port), 401);
    struct talker *again = e2e_talker(e, "bob");
    e2e_talk_join_room(again, "den");
}

/* A lost stream is no other than a lost WebSocket; who has none at all is not away. */
E2E_SCENARIO(event_stream_that_ends_is_away_and_one_who_only_posts_is_not)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    in_den(alice, bob);
    char target[512];
    snprintf(target, sizeof target, "/events?token=%s", bob->token);
    struct sse_client *stream = e2e_sse(e, &(struct sse_client_options){.target = target});
    assert_int_equal(stream->status, 200);
    assert_int_equal(ws_client_wait_close(bob->ws, WS_CLIENT_WAIT_MS), 4001);
    sse_client_drop(stream);
    sees_away(alice, "room_user_list", "bob");

    struct talk_speaker poster;
    talk_request_init(&poster);
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    talk_request_register(&poster, "zoe", &out);
    struct talker_reply reply = e2e_post_hgtp(e->daemon->http_port, NULL, sink_bytes(&out), NULL);
    assert_int_equal(reply.msg.header.type, HGTP_UNAUTHORIZED);
    out = sink_into(storage, sizeof storage);
    talk_request_proof(&poster, reply.msg.challenge.realm, TALKER_KEY, &out);
    e2e_talk_ok(e2e_post_hgtp(e->daemon->http_port, NULL, sink_bytes(&out), NULL));
    const json_t *away =
        json_object_get(e2e_told(talker_wait_list(alice, "user_list", "bob,alice,zoe")), "away");
    assert_int_equal(json_array_size(away), 1);
    assert_string_equal(json_string_value(json_array_get(away, 0)), "bob");
}

E2E_SCENARIO(talker_whose_node_is_killed_is_away_until_it_comes_to_another)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice"), *bob = e2e_talker_at(e, 1, "bob");
    in_den(alice, bob);
    e2e_cluster_kill(e, 1);
    both_lists_say_away(alice, "bob");
    assert_int_equal(talker_resume(bob, e->nodes[0].http_port), 101);
    both_lists_say_away(alice, "");
}

/* Redis cannot be told when the connection ends, and is told later. */
E2E_SCENARIO(connection_that_ends_while_redis_hangs_is_away_all_the_same)
{
    e->redis = redis_server_new();
    assert_true(redis_server_start(e->redis));
    char url[160];
    snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    E2E_NODE(e, url, "redis.deadline_ms=200");
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    in_den(alice, bob);
    process_signal(e->redis->process, SIGSTOP);
    int64_t failed = e2e_metric(e, "hgtp_store_failures_total");
    ws_client_drop(bob->ws);
    int64_t deadline_ms = pump_deadline_ms(TALKER_WAIT_MS);
    while (e2e_metric(e, "hgtp_lines") > 1 ||
           e2e_metric(e, "hgtp_store_failures_total") < failed + 4) {
        e2e_retry_pause();
        assert_true(pump_now_ms() < deadline_ms);
    }
    process_signal(e->redis->process, SIGCONT);
    both_lists_say_away(alice, "bob");
}

/* Too late ----------------------------------------------------------------------------------------
 */

static void target_of(const struct talker *talker, const char *path, int64_t try_number,
                      char ret_target[512])
{
    snprintf(ret_target, 512, "/%s?token=%s&try=%lld", path, talker->token, (long long)try_number);
}

static int expect_answer(struct e2e *e, const char *target)
{
    struct ws_client *client = e2e_ws(e, &(struct ws_client_options){.target = target});
    if (client->status == 409) {
        assert_non_null(strstr(client->body, "\"ATTACH_STALE\""));
    }
    return client->status;
}

E2E_SCENARIO(attempt_behind_a_later_one_is_refused_and_changes_nothing)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    in_den(alice, bob);
    char target[512];
    target_of(bob, "ws", 1767225600007, target);
    struct ws_client *there = e2e_ws(e, &(struct ws_client_options){.target = target});
    assert_int_equal(there->status, 101);
    target_of(bob, "ws", 1767225600006, target);
    assert_int_equal(expect_answer(e, target), 409);
    target_of(bob, "events", 6, target);
    struct sse_client *stream = e2e_sse(e, &(struct sse_client_options){.target = target});
    assert_int_equal(stream->status, 409);
    target_of(bob, "ws", -1, target);
    assert_int_equal(expect_answer(e, target), 400);
    assert_true(talker_say_acked(alice, "to whom?", "1") > 0);
    const json_t *message = e2e_told(ws_client_wait_type(there, "message"));
    assert_string_equal(json_string_value(json_object_get(message, "message")), "to whom?");
    assert_false(there->ended);
}

/* One node with a Redis that is stopped and goes on. */
static void patient_node(struct e2e *e)
{
    e->redis = redis_server_new();
    assert_true(redis_server_start(e->redis));
    char url[160];
    snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    E2E_NODE(e, url, "redis.deadline_ms=60000", "http.away_s=2");
}

/* The node has begun with so many requests more than at `before`, besides those that look. */
static void has_come(const struct e2e *e, int64_t before, int64_t count)
{
    int64_t deadline_ms = pump_deadline_ms(TALKER_WAIT_MS);
    for (int64_t looks = 1; e2e_metric(e, "hgtp_http_requests_total") < before + looks + count;
         looks++) {
        e2e_retry_pause();
        assert_true(pump_now_ms() < deadline_ms);
    }
}

E2E_SCENARIO(connection_given_up_while_redis_hangs_costs_the_later_one_nothing)
{
    patient_node(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    in_den(alice, bob);
    ws_client_drop(bob->ws);
    sees_away(alice, "room_user_list", "bob");
    char targets[2][512];
    target_of(bob, "ws", 7, targets[0]);
    target_of(bob, "ws", 6, targets[1]);
    process_signal(e->redis->process, SIGSTOP);
    int64_t asked = e2e_metric(e, "hgtp_http_requests_total");
    struct ws_client_options options = {.target = targets[0], .port = e->daemon->http_port};
    struct ws_client *later = ws_client_start(&options);
    has_come(e, asked, 1);
    options.target = targets[1];
    struct ws_client *given_up = ws_client_start(&options);
    has_come(e, e2e_metric(e, "hgtp_http_requests_total") - 1, 1);
    ws_client_drop(given_up);
    process_signal(e->redis->process, SIGCONT);
    assert_int_equal(ws_client_wait_answer(later), 101);
    sees_away(alice, "room_user_list", "");
    assert_true(talker_say_acked(alice, "to the later one", "1") > 0);
    e2e_told(ws_client_wait_type(later, "message"));
    assert_int_equal(later->close_code, 0);
    ws_client_free(later);
    ws_client_free(given_up);
}

/* The first node cannot reach Redis, the client goes to the second one, and then the first one can.
 */
E2E_SCENARIO(connection_that_was_held_up_at_another_node_costs_the_living_one_nothing)
{
    e->redis = redis_server_new();
    assert_true(redis_server_start(e->redis));
    uint16_t port = sockets_free_port();
    freeReplyObject(redis_server_command(e->redis, "CONFIG SET port %d", port));
    struct relay *way = e2e_relay(e, port);
    e->nodes[0].redis_relay = way;
    E2E_CLUSTER(e, 2, "redis.deadline_ms=60000");
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 1, "alice"), *bob = e2e_talker_at(e, 0, "bob");
    in_den(alice, bob);
    ws_client_drop(bob->ws);
    sees_away(alice, "room_user_list", "bob");
    char targets[2][512];
    target_of(bob, "ws", 6, targets[0]);
    target_of(bob, "ws", 7, targets[1]);
    relay_set(way, RELAY_HOLD);
    uint16_t held_port = e->nodes[0].http_port;
    int64_t asked = e2e_metric_of(held_port, "hgtp_http_requests_total");
    struct ws_client *held =
        ws_client_start(&(struct ws_client_options){.target = targets[0], .port = held_port});
    int64_t deadline_ms = pump_deadline_ms(TALKER_WAIT_MS), looks = 1;
    while (e2e_metric_of(held_port, "hgtp_http_requests_total") < asked + looks + 1) {
        looks++;
        e2e_retry_pause();
        assert_true(pump_now_ms() < deadline_ms);
    }
    struct ws_client *living =
        e2e_ws(e, &(struct ws_client_options){.target = targets[1], .port = e->nodes[1].http_port});
    assert_int_equal(living->status, 101);
    relay_set(way, RELAY_PASS);
    assert_int_equal(ws_client_wait_answer(held), 409);
    ws_client_free(held);
    assert_true(talker_say_acked(alice, "to the living one", "1") > 0);
    e2e_told(ws_client_wait_type(living, "message"));
    assert_int_equal(living->close_code, 0);
}

/* Without numbers the last one wins, unless nobody is there any more. */
E2E_SCENARIO(connection_that_has_gone_before_its_answer_is_away)
{
    patient_node(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    in_den(alice, bob);
    ws_client_drop(bob->ws);
    sees_away(alice, "room_user_list", "bob");
    char target[512];
    talker_target(bob, -1, target, sizeof target);
    process_signal(e->redis->process, SIGSTOP);
    int64_t asked = e2e_metric(e, "hgtp_http_requests_total");
    struct ws_client *gone = ws_client_start(
        &(struct ws_client_options){.target = target, .port = e->daemon->http_port});
    has_come(e, asked, 1);
    ws_client_free(gone);
    process_signal(e->redis->process, SIGCONT);
    e2e_told(TALKER_WAIT(alice, "notice", "event", "left", "user", "bob"));
}

E2E_SCENARIO(register_whose_connection_has_gone_before_its_answer_frees_its_name)
{
    patient_node(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_visitor(e, "bob");
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    talk_request_register(&bob->speaker, "bob", &out);
    talker_send(bob, sink_bytes(&out));
    struct talker_reply reply = talker_wait_response(bob, HGTP_REGISTER);
    assert_int_equal(reply.msg.header.type, HGTP_UNAUTHORIZED);
    out = sink_into(storage, sizeof storage);
    talk_request_proof(&bob->speaker, reply.msg.challenge.realm, TALKER_KEY, &out);
    process_signal(e->redis->process, SIGSTOP);
    talker_send(bob, sink_bytes(&out));
    ws_client_drop(bob->ws);
    process_signal(e->redis->process, SIGCONT);
    e2e_told(talker_wait_list(alice, "user_list", "alice,bob"));
    sees_away(alice, "user_list", "bob");
    e2e_told(talker_wait_list(alice, "user_list", "alice"));
    e2e_talker(e, "bob");
}

/* The OK was lost with the connection: the same bytes over another one bring it, and attach that
 * one. */
E2E_SCENARIO(second_register_repeated_over_another_connection_attaches_that_one)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_visitor(e, "bob");
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    talk_request_register(&bob->speaker, "bob", &out);
    talker_send(bob, sink_bytes(&out));
    struct talker_reply reply = talker_wait_response(bob, HGTP_REGISTER);
    out = sink_into(storage, sizeof storage);
    talk_request_proof(&bob->speaker, reply.msg.challenge.realm, TALKER_KEY, &out);
    talker_send(bob, sink_bytes(&out));
    e2e_talk_ok(talker_wait_response(bob, HGTP_REGISTER));
    ws_client_drop(bob->ws);
    sees_away(alice, "user_list", "bob");

    struct talker *again = e2e_visitor(e, "bob");
    talker_send(again, sink_bytes(&out));
    e2e_talk_ok(talker_wait_response(again, HGTP_REGISTER));
    e2e_told(ws_client_wait_type(again->ws, "session"));
    sees_away(alice, "user_list", "");
    again->speaker = bob->speaker;
    e2e_talk_open_room(again, "den");
    assert_int_equal(talker_say_acked(again, "here", "1"), 2);
    /* And over the very connection it changes nothing. */
    talker_send(again, sink_bytes(&out));
    e2e_talk_ok(talker_wait_response(again, HGTP_REGISTER));
    assert_int_equal(talker_say_acked(again, "still here", "2"), 3);
    assert_int_equal(again->ws->close_code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(closed_tab_is_away_and_back_when_it_comes_again),
        E2E_TEST(closed_tab_that_does_not_come_again_frees_name_and_place),
        E2E_TEST(event_stream_that_ends_is_away_and_one_who_only_posts_is_not),
        E2E_TEST(talker_whose_node_is_killed_is_away_until_it_comes_to_another),
        E2E_TEST(connection_that_ends_while_redis_hangs_is_away_all_the_same),
        E2E_TEST(attempt_behind_a_later_one_is_refused_and_changes_nothing),
        E2E_TEST(connection_given_up_while_redis_hangs_costs_the_later_one_nothing),
        E2E_TEST(connection_that_was_held_up_at_another_node_costs_the_living_one_nothing),
        E2E_TEST(connection_that_has_gone_before_its_answer_is_away),
        E2E_TEST(register_whose_connection_has_gone_before_its_answer_frees_its_name),
        E2E_TEST(second_register_repeated_over_another_connection_attaches_that_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
