/* SPDX-License-Identifier: MIT */
/*
 * What modern clients are told when Redis has lost messages that were acknowledged, and has used
 * their numbers again: a restored older state, with clients that stayed, that were away, and that
 * come from further back.
 */
#include <stdio.h>

#include "tests/support/e2e_talk.h"

#define ARRIVES_MS 30000

struct scene {
    struct talker *alice, *bob, *carol;
    int64_t kept; /* the last number that Redis will have again */
    int64_t lost; /* the last one that everybody has heard */
};

static void await_ready(struct e2e *e, int status)
{
    for (size_t i = 0; i < 2; i++) {
        int64_t deadline_ms = pump_deadline_ms(ARRIVES_MS);
        while (e2e_get_at(e, i, "/readyz", NULL, 0) != status) {
            assert_true(pump_now_ms() < deadline_ms);
            e2e_retry_pause();
        }
    }
}

/* Two nodes; Redis keeps what is said until now, and will have lost what is said from now on. */
static struct scene three_in_a_room(struct e2e *e)
{
    e->redis = redis_server_new();
    e->redis->keeps = true;
    assert_true(redis_server_start(e->redis));
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct scene scene = {.alice = e2e_talker_at(e, 0, "alice"),
                          .bob = e2e_talker_at(e, 1, "bob"),
                          .carol = e2e_talker_at(e, 0, "carol")};
    e2e_talk_ok(talker_create(scene.alice, "den"));
    e2e_talk_ok(talker_join(scene.bob, "den"));
    e2e_talk_ok(talker_join(scene.carol, "den"));
    for (int i = 0; i < 3; i++) {
        scene.kept = talker_say_acked(scene.alice, "kept", NULL);
    }
    assert_true(talker_has(scene.bob, scene.kept, ARRIVES_MS));
    assert_true(talker_has(scene.carol, scene.kept, ARRIVES_MS));
    return scene;
}

static void say_what_will_be_lost(struct e2e *e, struct scene *scene)
{
    freeReplyObject(redis_server_command(e->redis, "CONFIG SET appendonly no"));
    for (int i = 0; i < 3; i++) {
        scene->lost = talker_say_acked(scene->alice, "lost", NULL);
    }
    assert_true(talker_has(scene->bob, scene->lost, ARRIVES_MS));
    assert_true(talker_has(scene->carol, scene->lost, ARRIVES_MS));
}

static void lose(struct e2e *e)
{
    redis_server_kill(e->redis);
    await_ready(e, 503);
    assert_true(redis_server_start(e->redis));
    await_ready(e, 200);
}

/* The last gap that it was told. */
static const struct talk_entry *last_gap(const struct talker *talker)
{
    for (size_t i = talker->record.count; i-- > 0;) {
        if (talker->record.entries[i]->kind == TALK_GAP) {
            return talker->record.entries[i];
        }
    }
    return NULL;
}

static void expect_turned(struct talker *talker, const struct scene *scene)
{
    assert_non_null(TALKER_WAIT(talker, "message", "message", "said anew"));
    size_t times;
    const struct talk_entry *anew = talk_record_message(&talker->record, "said anew", &times);
    assert_int_equal(anew->seq, scene->kept + 1);
    assert_int_equal(times, 1);
    const struct talk_entry *gap = last_gap(talker);
    assert_non_null(gap);
    assert_int_equal(gap->seq, scene->kept + 1);
    assert_int_equal(gap->to, scene->lost);
    assert_true(talker->record.has_kept);
    assert_int_equal(talker->record.kept, scene->kept);
    talk_record_message(&talker->record, "kept", &times);
    assert_int_equal(times, 3);
    assert_null(talker_broken(talker));
}

E2E_SCENARIO(clients_are_told_what_is_lost_and_get_what_is_said_under_its_numbers)
{
    struct scene scene = three_in_a_room(e);
    say_what_will_be_lost(e, &scene);
    lose(e);
    assert_int_equal(talker_say_acked(scene.alice, "said anew", NULL), scene.kept + 1);
    expect_turned(scene.alice, &scene);
    expect_turned(scene.bob, &scene);
    expect_turned(scene.carol, &scene);
}

struct managed {
    const struct talker *talker;
    const char *manager;
};

/* So the last `session` says. */
static bool is_managed(void *arg)
{
    const struct managed *managed = arg;
    const char *manager = "";
    for (size_t i = 0; i < managed->talker->ws->count; i++) {
        const struct ws_client_message *message = managed->talker->ws->messages[i];
        if (ws_client_is_type(message, "session")) {
            manager = json_string_value(json_object_get(message->json, "manager"));
        }
    }
    return manager != NULL && strcmp(manager, managed->manager) == 0;
}

/* The entry by which bob got the room is lost: alice has it, and all know. */
E2E_SCENARIO(clients_are_told_who_manages_the_room_when_redis_has_lost_a_change_of_it)
{
    struct scene scene = three_in_a_room(e);
    freeReplyObject(redis_server_command(e->redis, "CONFIG SET appendonly no"));
    ws_client_send_json(scene.alice->ws, json_pack("{s:s, s:s}", "type", "manager", "user", "bob"));
    struct talker *const all[] = {scene.alice, scene.bob, scene.carol};
    for (size_t i = 0; i < 3; i++) {
        e2e_told(TALKER_WAIT(all[i], "notice", "event", "manager", "user", "bob"));
    }
    lose(e);
    e2e_told(TALKER_WAIT(scene.alice, "gap"));
    for (size_t i = 0; i < 3; i++) {
        struct managed managed = {all[i], "alice"};
        assert_true(pump_until(is_managed, &managed, ARRIVES_MS));
    }
    ws_client_send_json(scene.alice->ws, json_pack("{s:s, s:s, s:s}", "type", "manager", "user",
                                                   "carol", "id", "again"));
    e2e_told(TALKER_WAIT(scene.alice, "ack", "id", "again"));
    e2e_told(TALKER_WAIT(scene.bob, "notice", "event", "manager", "user", "carol"));
}

E2E_SCENARIO(clients_are_told_at_once_though_nobody_says_anything)
{
    struct scene scene = three_in_a_room(e);
    say_what_will_be_lost(e, &scene);
    lose(e);
    assert_non_null(TALKER_WAIT(scene.bob, "gap"));
    assert_int_equal(scene.bob->record.kept, scene.kept);
    assert_int_equal(talker_say_acked(scene.bob, "said anew", NULL), scene.kept + 1);
    expect_turned(scene.alice, &scene);
}

E2E_SCENARIO(client_that_comes_back_ahead_of_the_log_is_told_and_goes_on)
{
    struct scene scene = three_in_a_room(e);
    say_what_will_be_lost(e, &scene);
    ws_client_drop(scene.carol->ws);
    lose(e);
    assert_int_equal(talker_say_acked(scene.alice, "said anew", NULL), scene.kept + 1);
    assert_int_equal(talker_resume(scene.carol, e->nodes[1].daemon->http_port), 101);
    expect_turned(scene.carol, &scene);
}

E2E_SCENARIO(client_that_has_not_heard_what_is_lost_goes_on_without_loss_or_repetition)
{
    struct scene scene = three_in_a_room(e);
    ws_client_drop(scene.carol->ws);
    freeReplyObject(redis_server_command(e->redis, "CONFIG SET appendonly no"));
    scene.lost = talker_say_acked(scene.alice, "lost", NULL);
    assert_true(talker_has(scene.bob, scene.lost, ARRIVES_MS));
    lose(e);
    assert_int_equal(talker_say_acked(scene.alice, "said anew", NULL), scene.kept + 1);
    assert_int_equal(talker_resume(scene.carol, e->nodes[1].daemon->http_port), 101);
    assert_non_null(TALKER_WAIT(scene.carol, "message", "message", "said anew"));
    assert_null(last_gap(scene.carol));
    size_t times;
    talk_record_message(&scene.carol->record, "kept", &times);
    assert_int_equal(times, 3);
    talk_record_message(&scene.carol->record, "lost", &times);
    assert_int_equal(times, 0);
    assert_null(talker_broken(scene.carol));
}

E2E_SCENARIO(restart_that_loses_nothing_costs_nobody_anything)
{
    struct scene scene = three_in_a_room(e);
    lose(e);
    int64_t anew = talker_say_acked(scene.alice, "said anew", NULL);
    assert_int_equal(anew, scene.kept + 1);
    struct talker *const all[] = {scene.alice, scene.bob, scene.carol};
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(TALKER_WAIT(all[i], "message", "message", "said anew"));
        assert_null(last_gap(all[i]));
        assert_null(talker_broken(all[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(clients_are_told_what_is_lost_and_get_what_is_said_under_its_numbers),
        E2E_TEST(clients_are_told_who_manages_the_room_when_redis_has_lost_a_change_of_it),
        E2E_TEST(clients_are_told_at_once_though_nobody_says_anything),
        E2E_TEST(client_that_comes_back_ahead_of_the_log_is_told_and_goes_on),
        E2E_TEST(client_that_has_not_heard_what_is_lost_goes_on_without_loss_or_repetition),
        E2E_TEST(restart_that_loses_nothing_costs_nobody_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
