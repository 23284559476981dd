/* SPDX-License-Identifier: MIT */
/*
 * Tests of redis_link through Sentinel on real processes: three sentinels, a master and a replica.
 * The link finds the master, follows it through failovers, and tells why when it cannot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/store/redis_link.h"
#include "tests/support/process.h"
#include "tests/support/pump.h"
#include "tests/support/sockets.h"

#define SENTINELS     3
#define SERVERS       2
#define START_MS      15000
#define FAILOVER_S    40
#define LOOK_EVERY_MS 20
#define PASSWORD      "se cret"

static struct {
    char *folder;
    struct process *servers[SERVERS + 1], *sentinels[SENTINELS + 1]; /* the last: left behind */
    uint16_t server_ports[SERVERS + 1], sentinel_ports[SENTINELS + 1];
    uv_loop_t loop;
    uv_timer_t patience;
    struct redis_link *link;
    bool has_password;
    bool is_connected;
    int loss_count;
    char first_why[256], why[256]; /* of the first loss, and of the last */
    char reply[256];
    bool is_replied;
} world;

/* Processes --------------------------------------------------------------------------------------
 */

static void start_server(size_t at, bool with_password)
{
    char port[16], dir[256], replica_of[64] = "no one";
    snprintf(port, sizeof port, "%u", world.server_ports[at]);
    snprintf(dir, sizeof dir, "%s", world.folder);
    bool is_replica = at == 1;
    if (is_replica) {
        snprintf(replica_of, sizeof replica_of, "127.0.0.1 %u", world.server_ports[0]);
    }
    const char *argv[24] = {"redis-server",
                            "--port",
                            port,
                            "--bind",
                            "127.0.0.1",
                            "--save",
                            "",
                            "--dir",
                            dir,
                            "--repl-diskless-sync-delay",
                            "0"};
    size_t count = 11;
    if (is_replica) {
        argv[count++] = "--replicaof";
        argv[count++] = replica_of;
    }
    if (with_password) {
        argv[count++] = "--requirepass";
        argv[count++] = PASSWORD;
        argv[count++] = "--masterauth";
        argv[count++] = PASSWORD;
    }
    world.servers[at] = process_start(argv, world.folder);
    assert_true(process_wait_output(world.servers[at], "eady to accept connections", START_MS));
}

static void start_sentinel(size_t at, bool with_password, size_t master)
{
    char path[256];
    snprintf(path, sizeof path, "%s/sentinel%zu.conf", world.folder, at);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "port %u\nbind 127.0.0.1\ndir %s\n"
            "sentinel monitor main 127.0.0.1 %u 2\n"
            "sentinel down-after-milliseconds main 1000\n"
            "sentinel failover-timeout main 5000\n",
            world.sentinel_ports[at], world.folder, world.server_ports[master]);
    if (with_password) {
        fprintf(file, "sentinel auth-pass main \"%s\"\n", PASSWORD);
    }
    fclose(file);
    const char *const argv[] = {"redis-server", path, "--sentinel", NULL};
    world.sentinels[at] = process_start(argv, world.folder);
    assert_true(process_wait_output(world.sentinels[at], "+monitor master main", START_MS));
}

/* One command to a process, synchronously; an element of an array, or the reply itself. */
static void ask(uint16_t port, const char *element, char ret_text[256], const char *command)
{
    const struct timeval limit = {.tv_sec = 2};
    ret_text[0] = '\0';
    redisContext *context = redisConnectWithTimeout("127.0.0.1", port, limit);
    if (context->err == 0 && world.has_password) {
        freeReplyObject(redisCommand(context, "AUTH %s", PASSWORD)); /* refused by sentinels */
    }
    redisReply *reply = context->err == 0 ? redisCommand(context, command) : NULL;
    if (reply != NULL && reply->type == REDIS_REPLY_ARRAY) {
        for (size_t i = 0; i + 1 < reply->elements; i++) {
            if (element == NULL) {
                snprintf(ret_text, 256, "%s", reply->element[1]->str);
            } else if (strcmp(reply->element[i]->str, element) == 0) {
                snprintf(ret_text, 256, "%s", reply->element[i + 1]->str);
            }
        }
    } else if (reply != NULL && reply->str != NULL) {
        snprintf(ret_text, 256, "%s", reply->str);
    }
    freeReplyObject(reply);
    redisFree(context);
}

static bool sentinels_know_all(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < SENTINELS; i++) {
        char others[256], replicas[256];
        ask(world.sentinel_ports[i], "num-other-sentinels", others, "SENTINEL MASTER main");
        ask(world.sentinel_ports[i], "num-slaves", replicas, "SENTINEL MASTER main");
        if (strcmp(others, "2") != 0 || strcmp(replicas, "1") != 0) {
            return false;
        }
    }
    return true;
}

static void on_patience(uv_timer_t *timer)
{
    (void)timer; /* the loop has turned: look again */
}

static bool until(bool (*done)(void *arg), int64_t timeout_ms)
{
    int64_t deadline_ms = pump_deadline_ms(timeout_ms);
    uv_timer_start(&world.patience, on_patience, LOOK_EVERY_MS, LOOK_EVERY_MS);
    bool is_done = done(NULL);
    while (!is_done && pump_now_ms() < deadline_ms) {
        uv_run(&world.loop, UV_RUN_ONCE);
        is_done = done(NULL);
    }
    uv_timer_stop(&world.patience);
    return is_done;
}

static void world_starts(bool with_password)
{
    world.folder = process_folder_make();
    world.has_password = with_password;
    for (size_t i = 0; i < SERVERS; i++) {
        world.server_ports[i] = sockets_free_port();
        start_server(i, with_password);
    }
    for (size_t i = 0; i < SENTINELS; i++) {
        world.sentinel_ports[i] = sockets_free_port();
        start_sentinel(i, with_password, 0);
    }
    assert_true(until(sentinels_know_all, START_MS));
}

/* A side that a cut has left behind: a sentinel that never hears of a failover, and a server that
 * it takes for the master and that says of itself that it is one. */
static void left_behind_starts(void)
{
    world.server_ports[SERVERS] = sockets_free_port();
    start_server(SERVERS, false);
    world.sentinel_ports[SENTINELS] = sockets_free_port();
    start_sentinel(SENTINELS, false, SERVERS);
}

/* The link ---------------------------------------------------------------------------------------
 */

static void on_state(bool connected, const char *why, void *arg)
{
    (void)arg;
    world.is_connected = connected;
    if (!connected) {
        if (world.loss_count++ == 0) {
            snprintf(world.first_why, sizeof world.first_why, "%s", why);
        }
        snprintf(world.why, sizeof world.why, "%s", why);
    }
}

static void link_opens(const char *login, const char *master)
{
    char url[256];
    int len = snprintf(url, sizeof url, "redis+sentinel://%s", login);
    for (size_t i = 0; i <= SENTINELS; i++) {
        if (world.sentinels[i] != NULL) {
            len += snprintf(url + len, sizeof url - (size_t)len, "%s127.0.0.1:%u", i > 0 ? "," : "",
                            world.sentinel_ports[i]);
        }
    }
    snprintf(url + len, sizeof url - (size_t)len, "/%s", master);
    const struct redis_link_options options = {
        .loop = &world.loop, .url = url, .deadline_ms = 1000, .on_state = on_state};
    world.link = redis_link_open(&options);
    assert_non_null(world.link);
}

static bool is_connected(void *arg)
{
    (void)arg;
    return world.is_connected;
}

static bool is_told_why(void *arg)
{
    (void)arg;
    return world.why[0] != '\0';
}

static void on_reply(const redisReply *reply, void *arg)
{
    (void)arg;
    world.is_replied = true;
    world.reply[0] = '\0';
    if (reply != NULL && reply->str != NULL) {
        snprintf(world.reply, sizeof world.reply, "%s", reply->str);
    }
}

static bool is_replied(void *arg)
{
    (void)arg;
    return world.is_replied;
}

/* A write goes through, to that server. */
static void expect_write_to(size_t server, const char *value)
{
    const struct bytes words[] = {bytes_str("SET"), bytes_str("said"), bytes_str(value)};
    world.is_replied = false;
    redis_link_command(world.link, words, 3, on_reply, NULL);
    assert_true(until(is_replied, START_MS));
    assert_string_equal(world.reply, "OK");
    char got[256];
    ask(world.server_ports[server], NULL, got, "GET said");
    assert_string_equal(got, value);
}

static bool is_moved_to_replica(void *arg)
{
    (void)arg;
    char port[256], expected[16];
    ask(world.sentinel_ports[1], NULL, port, "SENTINEL GET-MASTER-ADDR-BY-NAME main");
    snprintf(expected, sizeof expected, "%u", world.server_ports[1]);
    return strcmp(port, expected) == 0;
}

static bool is_moved_to_all(void *arg)
{
    char port[256], expected[16];
    bool is_moved = true;
    (void)arg;
    snprintf(expected, sizeof expected, "%u", world.server_ports[1]);
    for (size_t i = 0; i < SENTINELS; i++) {
        ask(world.sentinel_ports[i], NULL, port, "SENTINEL GET-MASTER-ADDR-BY-NAME main");
        is_moved = is_moved && strcmp(port, expected) == 0;
    }
    return is_moved;
}

static bool is_lost_again(void *arg)
{
    (void)arg;
    return world.loss_count > 0;
}

static bool is_lost(void *arg)
{
    (void)arg;
    return !world.is_connected || strstr(world.why, "the master is") != NULL;
}

/* Scenarios --------------------------------------------------------------------------------------
 */

static int set_up(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    (void)signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&world.loop);
    uv_timer_init(&world.loop, &world.patience);
    return 0;
}

static void on_closed(void *arg)
{
    *(bool *)arg = true;
}

static int tear_down(void **state)
{
    (void)state;
    bool is_closed = world.link == NULL;
    if (world.link != NULL) {
        redis_link_close(world.link, on_closed, &is_closed);
    }
    uv_close((uv_handle_t *)&world.patience, NULL);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    int rc = is_closed && uv_loop_close(&world.loop) == 0 ? 0 : -1;
    for (size_t i = 0; i <= SENTINELS; i++) {
        process_free(world.sentinels[i]);
    }
    for (size_t i = 0; i <= SERVERS; i++) {
        process_free(world.servers[i]);
    }
    process_folder_remove(world.folder);
    free(world.folder);
    return rc;
}

static void sentinel_link_follows_the_master_that_is_killed(void **state)
{
    (void)state;
    world_starts(false);
    link_opens("", "main");
    assert_true(until(is_connected, START_MS));
    expect_write_to(0, "before");
    process_signal(world.servers[0], SIGKILL);
    int64_t killed_ms = pump_now_ms();
    assert_true(until(is_moved_to_replica, FAILOVER_S * 1000));
    int64_t switched_ms = pump_now_ms();
    assert_true(until(is_connected, START_MS));
    print_message("the sentinels took %d ms, the link %d ms more\n", (int)(switched_ms - killed_ms),
                  (int)(pump_now_ms() - switched_ms));
    expect_write_to(1, "after");
}

static void sentinel_link_leaves_a_master_that_lives_and_is_none_any_more(void **state)
{
    (void)state;
    world_starts(true);
    link_opens(":se%20cret@", "main");
    assert_true(until(is_connected, START_MS));
    char answer[256];
    ask(world.sentinel_ports[1], NULL, answer, "SENTINEL FAILOVER main");
    assert_string_equal(answer, "OK");
    assert_true(until(is_moved_to_replica, FAILOVER_S * 1000));
    assert_true(until(is_lost, START_MS));
    assert_true(until(is_connected, START_MS));
    expect_write_to(1, "x");
}

static void sentinel_link_leaves_a_master_that_refuses_writes_as_a_replica(void **state)
{
    (void)state;
    world_starts(false);
    link_opens("", "main");
    assert_true(until(is_connected, START_MS));
    char command[64], answer[256];
    snprintf(command, sizeof command, "REPLICAOF 127.0.0.1 %u", world.server_ports[1]);
    ask(world.server_ports[0], NULL, answer, command);
    assert_string_equal(answer, "OK");
    const struct bytes words[] = {bytes_str("SET"), bytes_str("said"), bytes_str("x")};
    redis_link_command(world.link, words, 3, on_reply, NULL);
    assert_true(until(is_replied, START_MS));
    assert_memory_equal(world.reply, "READONLY", 8);
    assert_int_equal(world.loss_count, 1);
    assert_string_equal(world.first_why, "the master is a replica now");
}

static void sentinel_link_leaves_a_master_that_hangs(void **state)
{
    (void)state;
    world_starts(false);
    link_opens("", "main");
    assert_true(until(is_connected, START_MS));
    process_signal(world.servers[0], SIGSTOP);
    assert_true(until(is_moved_to_replica, FAILOVER_S * 1000));
    assert_true(until(is_lost, START_MS));
    assert_true(until(is_connected, START_MS));
    expect_write_to(1, "x");
}

static void sentinel_link_stays_away_from_a_side_that_missed_the_failover(void **state)
{
    (void)state;
    world_starts(false);
    left_behind_starts();
    char answer[256];
    ask(world.sentinel_ports[1], NULL, answer, "SENTINEL FAILOVER main");
    assert_string_equal(answer, "OK");
    assert_true(until(is_moved_to_all, FAILOVER_S * 1000));
    link_opens("", "main");
    assert_true(until(is_connected, START_MS));
    expect_write_to(1, "first");
    int64_t rounds_ms = 2000 * (SENTINELS + 1);
    assert_false(until(is_lost_again, rounds_ms)); /* each was asked again in that time */
    expect_write_to(1, "then");
}

static void sentinel_link_passes_over_sentinels_that_are_dead_or_silent(void **state)
{
    (void)state;
    world_starts(false);
    process_signal(world.sentinels[0], SIGKILL);
    process_signal(world.sentinels[1], SIGSTOP);
    link_opens("", "main");
    assert_true(until(is_connected, START_MS));
    expect_write_to(0, "x");
    process_signal(world.sentinels[1], SIGCONT);
}

static void sentinel_link_says_when_the_master_is_unknown(void **state)
{
    (void)state;
    world_starts(false);
    link_opens("", "other");
    assert_true(until(is_told_why, START_MS));
    assert_non_null(strstr(world.why, "knows no master of the name 'other'"));
    assert_non_null(strstr(world.why, "sentinel 127.0.0.1:"));
    assert_false(world.is_connected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sentinel_link_follows_the_master_that_is_killed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            sentinel_link_leaves_a_master_that_lives_and_is_none_any_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            sentinel_link_leaves_a_master_that_refuses_writes_as_a_replica, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sentinel_link_leaves_a_master_that_hangs, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            sentinel_link_stays_away_from_a_side_that_missed_the_failover, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sentinel_link_passes_over_sentinels_that_are_dead_or_silent,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(sentinel_link_says_when_the_master_is_unknown, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
