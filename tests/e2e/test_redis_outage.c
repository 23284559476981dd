/* SPDX-License-Identifier: MIT */
/*
 * Redis away, slow, or empty: what users are told meanwhile, and that the node finds its way back
 * by itself. Each scenario has a Redis of its own.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/tool.h"

static void own_redis(struct e2e *e)
{
    e->redis = redis_server_new();
    assert_true(redis_server_start(e->redis));
}

/* Node on the scenario's Redis; `setting` may be NULL. */
static void node_on_redis(struct e2e *e, const char *setting)
{
    char url[160];
    snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    E2E_NODE(e, url, setting);
}

/* Repeats a question of readiness until it is answered so. */
static void expect_ready(const struct e2e *e, int status, const char *reason)
{
    char body[512] = "";
    int64_t deadline_ms = pump_deadline_ms(20000);
    while (e2e_get(e, "/readyz", body, sizeof body) != status) {
        assert_true(pump_now_ms() < deadline_ms);
        e2e_retry_pause();
    }
    assert_non_null(strstr(body, reason));
}

E2E_SCENARIO(node_without_redis_at_the_start_says_so_and_serves_when_it_comes)
{
    e->redis = redis_server_new();
    char url[160], hgtp[64], http[64];
    uint16_t hgtp_port = sockets_free_port(), http_port = sockets_free_port();
    snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    snprintf(hgtp, sizeof hgtp, "hgtp.listen=127.0.0.1:%u", hgtp_port);
    snprintf(http, sizeof http, "http.listen=127.0.0.1:%u", http_port);
    e->daemon = daemon_start((const char *const[]){url, hgtp, http, NULL});
    assert_true(process_wait_output(e->daemon->process, "redis_away", DAEMON_START_MS));
    e->daemon->hgtp_port = hgtp_port;
    e->daemon->http_port = http_port;
    expect_ready(e, 503, "Redis");
    assert_int_equal(e2e_get(e, "/healthz", NULL, 0), 200);

    struct original *alice = e2e_client(e, "alice");
    original_send_register(alice);
    e2e_refused(original_wait_response(alice, HGTP_REGISTER), HGTP_SERVER_UNAVAILABLE,
                ERR_STORE_AWAY);
    e2e_refused(original_create(alice, "den"), HGTP_BAD_REQUEST, ERR_STORE_AWAY);
    e2e_refused(original_join(alice, "den"), HGTP_BAD_REQUEST, ERR_STORE_AWAY);
    e2e_refused(original_refresh(alice), HGTP_SERVER_UNAVAILABLE, ERR_STORE_AWAY);

    assert_true(redis_server_start(e->redis));
    expect_ready(e, 200, "true");
    assert_true(daemon_wait_ready(e->daemon));
    assert_true(original_register(alice));
    e2e_open_room(alice, "den");
}

E2E_SCENARIO(redis_lost_in_mid_talk_is_told_and_its_return_empty_means_to_register_again)
{
    own_redis(e);
    node_on_redis(e, NULL);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    redis_server_kill(e->redis);
    expect_ready(e, 503, "Redis");
    assert_true(original_say(alice, "lost"));
    const struct original_event *answer = e2e_came(original_wait_answer(alice));
    assert_int_equal(answer->status, 503);
    assert_non_null(strstr((const char *)answer->raw.ptr, "\"STORE_AWAY\""));
    original_send_name(bob, HGTP_JOIN_ROOM, "den");
    e2e_refused(original_wait_response(bob, HGTP_JOIN_ROOM), HGTP_BAD_REQUEST, ERR_STORE_AWAY);
    e2e_refused(original_exit(bob, "den"), HGTP_SERVER_UNAVAILABLE, ERR_STORE_AWAY);
    assert_int_equal(e2e_metric(e, "hgtp_messages_failed_total"), 1);
    assert_int_equal(e2e_metric(e, "hgtp_requests_total{outcome=\"failed\"}"), 2);

    assert_true(redis_server_start(e->redis));
    expect_ready(e, 200, "true");
    e2e_refused(original_refresh(alice), HGTP_BAD_REQUEST, ERR_NOT_REGISTERED);
    assert_true(original_say(alice, "nobody speaks from memory"));
    assert_int_equal(e2e_came(original_wait_answer(alice))->status, 401);
    assert_int_equal(e2e_metric(e, "hgtp_messages_failed_total"), 1); /* that one was its own */

    assert_true(original_register(alice) && original_register(bob));
    e2e_ok(original_create(alice, "den"));
    e2e_ok(original_join(bob, "den"));
    assert_true(original_say(alice, "again"));
    e2e_came(original_wait_message(bob, "again"));
    e2e_came(original_wait_message(alice, "again"));
}

E2E_SCENARIO(redis_that_does_not_answer_is_given_up_at_the_deadline)
{
    own_redis(e);
    node_on_redis(e, "redis.deadline_ms=300");
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    process_signal(e->redis->process, SIGSTOP);
    e2e_refused(original_refresh(alice), HGTP_SERVER_UNAVAILABLE, ERR_STORE_AWAY);
    e2e_refused(original_join(bob, "den"), HGTP_BAD_REQUEST, ERR_STORE_AWAY);
    expect_ready(e, 503, "Redis");
    process_signal(e->redis->process, SIGCONT);
    expect_ready(e, 200, "true");
    assert_true(original_fence(alice) && original_fence(bob));
    assert_true(original_say(alice, "all there"));
    e2e_came(original_wait_message(alice, "all there"));
}

E2E_SCENARIO(redis_that_forgot_its_scripts_is_taught_again)
{
    own_redis(e);
    node_on_redis(e, NULL);
    struct original *alice = e2e_user(e, "alice");
    redisReply *reply = redis_server_command(e->redis, "SCRIPT FLUSH");
    assert_non_null(reply);
    assert_string_equal(reply->str, "OK");
    freeReplyObject(reply);
    e2e_open_room(alice, "den");
    assert_true(original_say(alice, "known again"));
    e2e_came(original_wait_message(alice, "known again"));
}

E2E_SCENARIO(node_restarted_on_the_same_redis_finds_sessions_and_rooms)
{
    own_redis(e);
    char hgtp[64], http[64];
    snprintf(hgtp, sizeof hgtp, "hgtp.listen=127.0.0.1:%u", sockets_free_port());
    snprintf(http, sizeof http, "http.listen=127.0.0.1:%u", sockets_free_port());
    char url[160];
    snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    E2E_NODE(e, url, hgtp, http);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    process_signal(e->daemon->process, SIGKILL);
    assert_int_equal(process_wait_exit(e->daemon->process, DAEMON_STOP_MS), 128 + SIGKILL);
    daemon_free(e->daemon);
    e->daemon = NULL;
    E2E_NODE(e, url, hgtp, http);
    /* The first request of each makes the new node its home. */
    assert_true(original_fence(alice) && original_fence(bob));
    assert_true(original_say(alice, "after the crash"));
    e2e_came(original_wait_message(bob, "after the crash"));
    e2e_came(original_wait_message(alice, "after the crash"));
    e2e_ok(original_exit(bob, "den"));
    e2e_ok(original_delete(alice));
}

E2E_SCENARIO(realms_on_one_redis_do_not_see_each_other)
{
    own_redis(e);
    char url[160];
    snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    E2E_NODE(e, url, "node.realm=FIRST");
    struct daemon *second = daemon_start((const char *const[]){url, "node.realm=SECOND", NULL});
    assert_true(daemon_wait_ready(second));
    struct original *alice = e2e_user(e, "alice");
    const struct original_options options = {
        .server_ip = SOCKETS_LOOPBACK, .server_port = second->hgtp_port, .name = "alice"};
    struct original *other = original_open(&options);
    assert_non_null(other);
    assert_true(original_register(other));
    assert_memory_equal(other->realm, "SECOND:", 7);
    e2e_came(original_wait_list(other, PUSH_USER_LIST, "alice"));
    e2e_open_room(alice, "den");
    e2e_refused(original_join(other, "den"), HGTP_BAD_REQUEST, ERR_ROOM_UNKNOWN);
    original_close(other);
    assert_int_equal(daemon_stop(second), 0);
    daemon_free(second);
}

/* Longer than anybody's session lasts without a sign of life. */
E2E_SCENARIO(redis_that_hangs_ends_nobodys_session)
{
    own_redis(e);
    node_on_redis(e, "hgtp.expires_s=2");
    struct talker *alice = e2e_talker(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_talk_ok(talker_create(alice, "den"));
    e2e_join_room(bob, "den");
    process_signal(e->redis->process, SIGSTOP);
    int64_t deadline_ms = pump_deadline_ms(30000);
    while (e2e_metric(e, "hgtp_store_connected") != 0) { /* several deadlines */
        assert_true(pump_now_ms() < deadline_ms);
        e2e_retry_pause();
    }
    process_signal(e->redis->process, SIGCONT);
    expect_ready(e, 200, "");
    assert_true(talker_say_acked(alice, "still here", NULL) > 0);
    e2e_came(original_wait_message(bob, "still here"));
    e2e_ok(original_refresh(bob));
    assert_null(talker_broken(alice));
    assert_int_equal(e2e_metric(e, "hgtp_sessions"), 2);
}

E2E_SCENARIO(node_that_finds_a_realm_of_another_schema_ends_and_says_what_to_do)
{
    own_redis(e);
    freeReplyObject(redis_server_command(e->redis, "SET hgtp:{HGTP_SERVICE}:schema 0"));
    char url[160];
    snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    struct daemon *daemon = daemon_start((const char *const[]){url, NULL});
    assert_true(process_wait_output(daemon->process, "event=schema_foreign", DAEMON_START_MS));
    assert_true(
        process_wait_output(daemon->process, "end all nodes of the realm", DAEMON_START_MS));
    assert_int_equal(process_wait_exit(daemon->process, DAEMON_START_MS), 1);
    daemon_free(daemon);
}

/* Who wants something new is refused, who wants to go can go. */
E2E_SCENARIO(redis_whose_memory_is_full_is_told_and_keeps_nobody_in)
{
    own_redis(e);
    node_on_redis(e, NULL);
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    struct talker *carol = e2e_talker(e, "carol");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    e2e_talk_ok(talker_join(carol, "den"));
    freeReplyObject(redis_server_command(e->redis, "CONFIG SET maxmemory 1"));
    expect_ready(e, 503, "Redis is full: OOM");
    assert_int_equal(talker_say_acked(carol, "no place", "1"), -1);
    ws_client_send_text(carol->ws, "{\"type\":\"message\",\"id\":\"m\",\"message\":\"x\"}");
    e2e_talk_error(carol, ERR_STORE_FULL, "m");
    e2e_ok(original_exit(bob, "den"));
    e2e_refused(original_join(bob, "den"), HGTP_BAD_REQUEST, ERR_STORE_FULL);
    TOOL(e->daemon, 1, "room", "create", "lounge");
    assert_non_null(strstr(tool.err, "Redis is full: OOM, its maxmemory is reached"));
    TOOL(e->daemon, 0, "room", "list"); /* what only looks is answered */
    TOOL(e->daemon, 0, "doctor");
    e2e_talk_ok(talker_exit(carol, "den"));
    e2e_ok(original_delete(alice));
    e2e_talk_ok(talker_unregister(carol));
    freeReplyObject(redis_server_command(e->redis, "CONFIG SET maxmemory 0"));
    expect_ready(e, 200, "");
    e2e_open_room(bob, "den");
}

/* What Redis says is said to everybody, until it takes writes again (issue 13, item 16). */
static void expect_refusing(struct e2e *e, struct talker *alice, enum err err, const char *word)
{
    expect_ready(e, 503, word);
    ws_client_send_text(alice->ws, "{\"type\":\"message\",\"id\":\"m\",\"message\":\"hello\"}");
    e2e_talk_error(alice, err, "m");
    e2e_talk_refused(talker_exit(alice, "den"), HGTP_SERVER_UNAVAILABLE, err);
    TOOL(e->daemon, err == ERR_STORE_FORBIDDEN ? 1 : 3, "room", "create", "lounge");
    assert_non_null(strstr(tool.err, word));
}

E2E_SCENARIO(redis_that_cannot_save_is_told_as_what_it_is)
{
    char file[128];
    own_redis(e);
    node_on_redis(e, NULL);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    snprintf(file, sizeof file, "%s/dump.rdb", e->redis->folder);
    assert_int_equal(mkdir(file, 0700), 0); /* where its file should be */
    freeReplyObject(redis_server_command(e->redis, "CONFIG SET save %s", "3600 1"));
    freeReplyObject(redis_server_command(e->redis, "BGSAVE"));
    expect_refusing(e, alice, ERR_STORE_UNSAVED, "MISCONF");
    freeReplyObject(redis_server_command(e->redis, "CONFIG SET stop-writes-on-bgsave-error no"));
    expect_ready(e, 200, "");
    assert_true(talker_say_acked(alice, "again", "2") > 0);
    assert_int_equal(rmdir(file), 0);
}

E2E_SCENARIO(redis_that_forbids_something_is_told_as_what_it_is)
{
    own_redis(e);
    node_on_redis(e, NULL);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    freeReplyObject(redis_server_command(e->redis, "ACL SETUSER default -@write"));
    expect_refusing(e, alice, ERR_STORE_FORBIDDEN, "NOPERM");
    freeReplyObject(redis_server_command(e->redis, "ACL SETUSER default +@all"));
    expect_ready(e, 200, "");
    assert_true(talker_say_acked(alice, "again", "2") > 0);
}

E2E_SCENARIO(redis_that_evicts_is_warned_of)
{
    own_redis(e);
    freeReplyObject(redis_server_command(e->redis, "CONFIG SET maxmemory-policy allkeys-lru"));
    node_on_redis(e, NULL);
    assert_true(process_wait_output(e->daemon->process, "event=redis_evicts", DAEMON_START_MS));
    TOOL(e->daemon, 1, "doctor");
    assert_non_null(strstr(tool.out, "maxmemory-policy is allkeys-lru"));
}

E2E_SCENARIO(key_of_a_wrong_type_is_told_and_doctor_names_it)
{
    own_redis(e);
    node_on_redis(e, NULL);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    freeReplyObject(redis_server_command(e->redis, "SET hgtp:{HGTP_SERVICE}:realm x"));
    TOOL(e->daemon, 1, "room", "list");
    assert_non_null(strstr(tool.err, "hgtpctl doctor names it"));
    expect_ready(e, 503, "hgtpctl doctor names it");
    TOOL(e->daemon, 1, "doctor");
    assert_non_null(strstr(tool.out, "hgtp:{HGTP_SERVICE}:realm is of type string and not hash"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(node_without_redis_at_the_start_says_so_and_serves_when_it_comes),
        E2E_TEST(redis_lost_in_mid_talk_is_told_and_its_return_empty_means_to_register_again),
        E2E_TEST(redis_that_does_not_answer_is_given_up_at_the_deadline),
        E2E_TEST(redis_that_forgot_its_scripts_is_taught_again),
        E2E_TEST(node_restarted_on_the_same_redis_finds_sessions_and_rooms),
        E2E_TEST(realms_on_one_redis_do_not_see_each_other),
        E2E_TEST(redis_that_hangs_ends_nobodys_session),
        E2E_TEST(redis_whose_memory_is_full_is_told_and_keeps_nobody_in),
        E2E_TEST(redis_that_cannot_save_is_told_as_what_it_is),
        E2E_TEST(redis_that_forbids_something_is_told_as_what_it_is),
        E2E_TEST(redis_that_evicts_is_warned_of),
        E2E_TEST(key_of_a_wrong_type_is_told_and_doctor_names_it),
        E2E_TEST(node_that_finds_a_realm_of_another_schema_ends_and_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
