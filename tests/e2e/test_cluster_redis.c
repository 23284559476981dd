/* SPDX-License-Identifier: MIT */
/*
 * Several nodes and a Redis that stalls, dies, comes back with and without its data, or loses its
 * scripts: nobody is taken for dead for it, and every member gets every acknowledged message.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/e2e_cluster.h"

#define NODES      3
#define ARRIVES_MS 20000

struct scene {
    struct e2e *e;
    struct original *members[NODES];
    int said;
};

static bool is_message(const struct original_event *event, const void *arg)
{
    (void)arg;
    return event->kind == ORIGINAL_PUSH && event->push == PUSH_MESSAGE;
}

/* Each member says a message until it is acknowledged, and one at a time. */
static void all_say(struct scene *scene)
{
    for (size_t i = 0; i < NODES; i++) {
        char text[32];
        int status = 0;
        int64_t deadline_ms = pump_deadline_ms(ARRIVES_MS);
        while (status != 200) {
            assert_true(pump_now_ms() < deadline_ms);
            snprintf(text, sizeof text, "said %d", scene->said);
            if (!original_say(scene->members[i], text)) {
                e2e_retry_pause();
                continue;
            }
            const struct original_event *answer = original_wait_answer(scene->members[i]);
            status = answer != NULL ? answer->status : 0;
        }
        scene->said++;
    }
}

static void room_of_three(struct e2e *e, struct scene *scene)
{
    static const char *const names[NODES] = {"alice", "bob", "carol"};
    e2e_cluster_meshed(e);
    *scene = (struct scene){.e = e};
    for (size_t i = 0; i < NODES; i++) {
        scene->members[i] = e2e_user_at(e, i, names[i]);
    }
    e2e_open_room(scene->members[0], "den");
    e2e_join_room(scene->members[1], "den");
    e2e_join_room(scene->members[2], "den");
}

static bool has_last(void *arg)
{
    const struct scene *scene = arg;
    char last[32];
    snprintf(last, sizeof last, "said %d", scene->said - 1);
    for (size_t i = 0; i < NODES; i++) {
        const struct original_log *log = &scene->members[i]->log;
        bool is_there = false;
        for (size_t at = log->count; at-- > 0 && !is_there;) {
            is_there =
                is_message(log->events[at], NULL) && strcmp(log->events[at]->text, last) == 0;
        }
        if (!is_there) {
            return false;
        }
    }
    return true;
}

/* All acknowledged messages, in their order. One whose acknowledgement was lost may be there twice,
 * by having been said again. */
static void expect_all_in_order(struct scene *scene)
{
    assert_true(pump_until(has_last, scene, ARRIVES_MS));
    for (size_t i = 0; i < NODES; i++) {
        const struct original_log *log = &scene->members[i]->log;
        int next = 0;
        for (size_t at = 0; at < log->count; at++) {
            int number;
            if (!is_message(log->events[at], NULL)) {
                continue;
            }
            assert_int_equal(sscanf(log->events[at]->text, "said %d", &number), 1);
            assert_true(number == next || (number == next - 1));
            next = number + 1;
        }
        assert_int_equal(next, scene->said);
    }
}

static void expect_ready(struct e2e *e, int status)
{
    for (size_t i = 0; i < NODES; i++) {
        int64_t deadline_ms = pump_deadline_ms(ARRIVES_MS);
        while (e2e_get_at(e, i, "/readyz", NULL, 0) != status) {
            assert_true(pump_now_ms() < deadline_ms);
            e2e_retry_pause();
        }
    }
}

static void expect_nobody_moved(struct e2e *e)
{
    for (size_t i = 0; i < NODES; i++) {
        assert_int_equal(e2e_metric_at(e, i, "hgtp_sessions"), 1);
        assert_int_equal(e2e_metric_at(e, i, "hgtp_sessions_arrived_total"), 0);
    }
}

E2E_SCENARIO(redis_that_stalls_for_longer_than_a_dead_node_is_silent_kills_nobody)
{
    struct scene scene;
    E2E_CLUSTER(e, NODES);
    room_of_three(e, &scene);
    all_say(&scene);
    process_signal(e->redis->process, SIGSTOP);
    int64_t until_ms = pump_now_ms() + 4500;
    while (pump_now_ms() < until_ms) {
        e2e_retry_pause();
    }
    process_signal(e->redis->process, SIGCONT);
    expect_ready(e, 200);
    all_say(&scene);
    expect_all_in_order(&scene);
    expect_nobody_moved(e);
}

E2E_SCENARIO(redis_that_is_killed_and_has_its_data_again_costs_nothing)
{
    struct scene scene;
    e->redis = redis_server_new();
    e->redis->keeps = true;
    assert_true(redis_server_start(e->redis));
    E2E_CLUSTER(e, NODES);
    room_of_three(e, &scene);
    for (int round = 0; round < 2; round++) {
        all_say(&scene);
        redis_server_kill(e->redis);
        expect_ready(e, 503);
        assert_true(redis_server_start(e->redis));
        expect_ready(e, 200);
        all_say(&scene);
    }
    expect_all_in_order(&scene);
    expect_nobody_moved(e);
}

/* What was said last is in no log any more, but everybody has heard it. */
E2E_SCENARIO(redis_that_comes_back_older_swallows_nothing_that_is_said_next)
{
    struct scene scene;
    e->redis = redis_server_new();
    e->redis->keeps = true;
    assert_true(redis_server_start(e->redis));
    E2E_CLUSTER(e, NODES);
    room_of_three(e, &scene);
    all_say(&scene);
    freeReplyObject(redis_server_command(e->redis, "CONFIG SET appendonly no"));
    for (int i = 0; i < 5; i++) {
        all_say(&scene);
    }
    expect_all_in_order(&scene);
    redis_server_kill(e->redis);
    expect_ready(e, 503);
    assert_true(redis_server_start(e->redis));
    for (int i = 0; i < 8; i++) {
        all_say(&scene);
    }
    expect_all_in_order(&scene);
    expect_nobody_moved(e);
}

E2E_SCENARIO(redis_that_is_emptied_means_to_register_again_at_any_node)
{
    struct scene scene;
    E2E_CLUSTER(e, NODES);
    room_of_three(e, &scene);
    all_say(&scene);
    expect_all_in_order(&scene);
    freeReplyObject(redis_server_command(e->redis, "FLUSHALL"));
    for (size_t i = 0; i < NODES; i++) {
        struct original *member = scene.members[i];
        original_send_plain(member, HGTP_REFRESH);
        e2e_refused(original_wait_response(member, HGTP_REFRESH), HGTP_BAD_REQUEST,
                    ERR_NOT_REGISTERED);
        member->in_room = member->is_manager = false;
        e2e_rebind(e, member, (i + 1) % NODES);
    }
    expect_ready(e, 200);
    for (size_t i = 0; i < NODES; i++) {
        assert_true(original_register(scene.members[i]));
    }
    e2e_open_room(scene.members[1], "den again");
    e2e_join_room(scene.members[2], "den again");
    e2e_join_room(scene.members[0], "den again");
    all_say(&scene);
    expect_all_in_order(&scene);
}

E2E_SCENARIO(scripts_that_redis_has_forgotten_are_loaded_again)
{
    struct scene scene;
    E2E_CLUSTER(e, NODES);
    room_of_three(e, &scene);
    all_say(&scene);
    freeReplyObject(redis_server_command(e->redis, "SCRIPT FLUSH"));
    all_say(&scene);
    expect_all_in_order(&scene);
    expect_nobody_moved(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(redis_that_stalls_for_longer_than_a_dead_node_is_silent_kills_nobody),
        E2E_TEST(redis_that_is_killed_and_has_its_data_again_costs_nothing),
        E2E_TEST(redis_that_comes_back_older_swallows_nothing_that_is_said_next),
        E2E_TEST(redis_that_is_emptied_means_to_register_again_at_any_node),
        E2E_TEST(scripts_that_redis_has_forgotten_are_loaded_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
