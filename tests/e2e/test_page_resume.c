/* SPDX-License-Identifier: MIT */
/*
 * The page when something goes on without it: reloads, nodes that are killed or drained behind
 * nginx, rooms that are not looked at. What was acknowledged is there, once, in the same order for
 * everybody.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/talk_page.h"

#define RESUME_MESSAGES 30
#define RESUME_HANG_MS  60000

#define RESUME_HAS_BOTH                                                                            \
    "const said = [...document.querySelectorAll('" TALK_PAGE_SAID " .text')].map(e => "            \
    "e.textContent); return said.includes(arguments[0]) && said.includes(arguments[1]);"

static void expect_same(struct browser *one, struct browser *other)
{
    char *ones = talk_page_transcript(one), *others = talk_page_transcript(other);
    assert_string_equal(ones, others);
    free(ones);
    free(others);
}

/* Everything that was said in turns stands there once and in order, and nothing else. */
static void expect_turns(struct browser *person, const char *const names[2], int count)
{
    char expected[RESUME_MESSAGES * 32] = "";
    for (int i = 0; i < count; i++) {
        size_t len = strlen(expected);
        snprintf(expected + len, sizeof expected - len, "%s: turn %d\n", names[i % 2], i);
    }
    char *transcript = talk_page_transcript(person);
    assert_string_equal(transcript, expected);
    free(transcript);
}

static void say_turn(struct browser *const people[2], int turn)
{
    char text[32];
    snprintf(text, sizeof text, "turn %d", turn);
    talk_page_say(people[turn % 2], text);
    talk_page_hears(people[(turn + 1) % 2], browser_name(people[turn % 2]), text);
}

PAGE_SCENARIO(reloaded_page_goes_on_where_it_was)
{
    static const char *const names[2] = {"alice", "bob"};
    PAGE_NODE(scene);
    struct browser *people[2] = {talk_page_person(scene, "alice"), talk_page_person(scene, "bob")};
    talk_page_create(people[0], "den");
    talk_page_join(people[1], "den");
    for (int i = 0; i < 4; i++) {
        say_turn(people, i);
    }
    browser_reload(people[0]);
    talk_page_in_room(people[0], "den");
    talk_page_lists_members(people[0], "alice,bob");
    for (int i = 4; i < 8; i++) {
        say_turn(people, i);
    }
    expect_turns(people[0], names, 8);
    expect_turns(people[1], names, 8);
    /* She is the manager still, and the page knows the room's id. */
    talk_page_delete(people[0]);
    talk_page_in_lobby(people[1]);
}

PAGE_SCENARIO(reload_in_the_lobby_keeps_the_person_registered)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    browser_reload(alice);
    talk_page_in_lobby(alice);
    talk_page_lists_users(alice, "alice");
}

/* The node that holds the connection of this person, told by what each node counts. */
static size_t node_with_a_line(const struct e2e *e)
{
    for (size_t i = 0; i < e->node_count; i++) {
        if (e->nodes[i].daemon != NULL && e2e_metric_at(e, i, "hgtp_lines") > 0) {
            return i;
        }
    }
    fail_msg("no node has a session");
    return 0;
}

static void allow_lost_connections(struct browser *person)
{
    browser_allow(person, "WebSocket connection to");
    browser_allow(person, "net::ERR_");
    browser_allow(person, "status of 502");
}

PAGE_SCENARIO(killed_node_costs_nobody_a_message)
{
    static const char *const names[2] = {"alice", "bob"};
    PAGE_CLUSTER(scene);
    struct browser *people[2] = {talk_page_person(scene, "alice"), talk_page_person(scene, "bob")};
    allow_lost_connections(people[0]);
    allow_lost_connections(people[1]);
    talk_page_create(people[0], "den");
    talk_page_join(people[1], "den");
    for (int i = 0; i < 10; i++) {
        say_turn(people, i);
    }
    e2e_cluster_kill(scene->e, node_with_a_line(scene->e));
    int64_t killed_ms = pump_now_ms();
    page_scene_picture(scene, people[0], "just-killed");
    page_scene_picture(scene, people[1], "just-killed");
    say_turn(people, 10);
    say_turn(people, 11);
    print_message("both talk again %d ms after the kill\n", (int)(pump_now_ms() - killed_ms));
    for (int i = 12; i < 20; i++) {
        say_turn(people, i);
    }
    e2e_cluster_kill(scene->e, node_with_a_line(scene->e));
    for (int i = 20; i < RESUME_MESSAGES; i++) {
        say_turn(people, i);
    }
    expect_turns(people[0], names, RESUME_MESSAGES);
    expect_turns(people[1], names, RESUME_MESSAGES);
    talk_page_lists_members(people[0], "alice,bob");
}

PAGE_SCENARIO(message_sent_while_the_node_dies_arrives_once)
{
    PAGE_CLUSTER(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    allow_lost_connections(alice);
    allow_lost_connections(bob);
    talk_page_create(alice, "den");
    talk_page_join(bob, "den");
    talk_page_say(alice, "first");
    /* Stopped, the node takes what is sent and answers nothing; then it dies. */
    size_t node = node_with_a_line(scene->e);
    process_signal(scene->e->nodes[node].daemon->process, SIGSTOP);
    talk_page_put(alice, "meanwhile");
    talk_page_put(bob, "at the same time");
    page_scene_picture(scene, alice, "sending");
    e2e_cluster_kill(scene->e, node);
    talk_page_hears(bob, "alice", "meanwhile");
    talk_page_hears(alice, "bob", "at the same time");
    talk_page_say(alice, "last");
    talk_page_hears(bob, "alice", "last");
    expect_same(alice, bob);
}

/* A node that hangs answers nothing, and its connections stay open for ever: the page has to notice
 * by itself. */
PAGE_SCENARIO(node_that_hangs_is_left_for_another)
{
    PAGE_CLUSTER(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    allow_lost_connections(alice);
    allow_lost_connections(bob);
    talk_page_create(alice, "den");
    talk_page_join(bob, "den");
    size_t node = node_with_a_line(scene->e);
    process_signal(scene->e->nodes[node].daemon->process, SIGSTOP);
    int64_t stopped_ms = pump_now_ms();
    talk_page_put(alice, "one");
    talk_page_put(bob, "two");
    bool is_heard =
        browser_wait(bob, RESUME_HAS_BOTH, json_pack("[s, s]", "one", "two"), RESUME_HANG_MS) &&
        browser_wait(alice, RESUME_HAS_BOTH, json_pack("[s, s]", "one", "two"), RESUME_HANG_MS);
    page_scene_picture(scene, alice, "hanging");
    page_scene_picture(scene, bob, "hanging");
    process_signal(scene->e->nodes[node].daemon->process, SIGCONT);
    assert_true(is_heard);
    print_message("heard %d ms after the node began to hang\n", (int)(pump_now_ms() - stopped_ms));
    talk_page_say(alice, "three");
    talk_page_hears(bob, "alice", "three");
    expect_same(alice, bob);
}

PAGE_SCENARIO(drained_node_sends_people_to_another)
{
    static const char *const names[2] = {"alice", "bob"};
    PAGE_CLUSTER(scene);
    struct browser *people[2] = {talk_page_person(scene, "alice"), talk_page_person(scene, "bob")};
    allow_lost_connections(people[0]);
    allow_lost_connections(people[1]);
    talk_page_create(people[0], "den");
    talk_page_join(people[1], "den");
    for (int i = 0; i < 4; i++) {
        say_turn(people, i);
    }
    e2e_cluster_stop(scene->e, node_with_a_line(scene->e));
    for (int i = 4; i < 10; i++) {
        say_turn(people, i);
    }
    expect_turns(people[0], names, 10);
    expect_turns(people[1], names, 10);
}

PAGE_SCENARIO(person_is_registered_anew_when_the_state_is_lost)
{
    PAGE_CLUSTER(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    allow_lost_connections(alice);
    browser_allow(alice, "status of 401");
    browser_allow(alice, "status of 400");
    talk_page_create(alice, "den");
    browser_type(alice, TALK_PAGE_MESSAGE, "half writ");
    freeReplyObject(redis_server_command(scene->e->redis, "FLUSHALL"));
    e2e_cluster_kill(scene->e, node_with_a_line(scene->e));
    /* The page has name and key and asks for nothing. */
    talk_page_in_lobby(alice);
    talk_page_is_warned(alice, "den");
    browser_expect(alice, "return document.querySelector('#say').value === 'half writ';", NULL);
    talk_page_lists_users(alice, "alice");
    talk_page_lists_room(alice, "den", -1);
    talk_page_create(alice, "den");
}

#define RESUME_LOG                                                                                 \
    "local logs = redis.call('KEYS', 'hgtp:{HGTP_SERVICE}:log:*') assert(#logs == 1) "

/* As a failover to a replica that has not got the last writes. */
static void log_is_kept_aside(struct page_scene *scene)
{
    redisReply *reply = redis_server_command(
        scene->e->redis, "EVAL %s 0",
        RESUME_LOG "return redis.call('COPY', logs[1], 'hgtp:{HGTP_SERVICE}:before')");
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
}

static void log_goes_back(struct page_scene *scene)
{
    redisReply *reply = redis_server_command(
        scene->e->redis, "EVAL %s 0",
        RESUME_LOG "return redis.call('COPY', 'hgtp:{HGTP_SERVICE}:before', logs[1], 'REPLACE')");
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
}

/* What is marked as lost, oldest first. */
static void expect_lost(struct browser *person, const char *texts)
{
    browser_expect(person,
                   "return [...document.querySelectorAll('" TALK_PAGE_SAID
                   ".lost .text')].map(e => e.textContent).join() === arguments[0];",
                   json_pack("[s]", texts));
}

/* Item 3: new entries have the numbers of those that are lost, and are shown all the same. */
PAGE_SCENARIO(what_is_said_after_the_log_went_back_is_shown_and_what_is_lost_is_marked)
{
    char redis_url[160]; /* its own: the log is touched */
    scene->e->redis = redis_server_new();
    assert_true(redis_server_start(scene->e->redis));
    snprintf(redis_url, sizeof redis_url, "redis.url=%s", scene->e->redis->url);
    PAGE_NODE(scene, redis_url);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    struct browser *carol = talk_page_person(scene, "carol");
    talk_page_create(alice, "den");
    talk_page_join(bob, "den");
    talk_page_join(carol, "den");
    talk_page_say(alice, "kept");
    talk_page_hears(carol, "alice", "kept");
    log_is_kept_aside(scene);
    talk_page_say(alice, "lost one");
    talk_page_say(bob, "lost two");
    talk_page_hears(alice, "bob", "lost two");
    talk_page_hears(carol, "bob", "lost two");
    /* carol's page is put to sleep with all of it, and comes back when there is another log. */
    browser_goto(carol, "about:blank");
    log_goes_back(scene);
    expect_lost(alice, "lost one,lost two");
    expect_lost(bob, "lost one,lost two");
    page_scene_picture(scene, alice, "lost");
    talk_page_language(alice, "ko");
    expect_lost(alice, "lost one,lost two");
    for (int i = 0; i < 4; i++) {
        char text[32];
        snprintf(text, sizeof text, "after %d", i);
        talk_page_say(i % 2 == 0 ? alice : bob, text);
    }
    browser_goto(carol, scene->url);
    struct browser *const people[3] = {alice, bob, carol};
    for (size_t i = 0; i < 3; i++) {
        talk_page_in_room(people[i], "den");
        talk_page_hears(people[i], "alice", "kept");
        talk_page_hears(people[i], "alice", "after 0");
        talk_page_hears(people[i], "bob", "after 1");
        talk_page_hears(people[i], "alice", "after 2");
        talk_page_hears(people[i], "bob", "after 3");
    }
    browser_expect(carol, "return document.querySelectorAll('#messages > .gap').length === 1;",
                   NULL);
    page_scene_picture(scene, carol, "back");
    browser_reload(bob);
    talk_page_in_room(bob, "den");
    talk_page_hears(bob, "bob", "after 3");
    char *transcript = talk_page_transcript(bob);
    assert_string_equal(transcript, "alice: kept\nalice: after 0\nbob: after 1\nalice: after 2\n"
                                    "bob: after 3\n");
    free(transcript);
    expect_same(bob, carol);
}

/* Where a proxy lets no WebSocket through, the page goes by an event stream and POST. */
PAGE_SCENARIO(page_without_websockets_goes_by_an_event_stream)
{
    static const char *const names[2] = {"alice", "bob"};
    static const struct browser_options options = {.name = "alice"};
    PAGE_CLUSTER(scene);
    struct browser *alice = page_scene_browser(scene, &options);
    allow_lost_connections(alice);
    json_decref(browser_cdp(
        alice, "Page.addScriptToEvaluateOnNewDocument",
        json_pack("{s:s}", "source",
                  "window.WebSocket = class extends EventTarget { constructor() { super();"
                  "setTimeout(() => this.onclose?.({code: 1006}), 10); } close() {} };")));
    browser_goto(alice, scene->url);
    talk_page_register(alice, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    allow_lost_connections(bob);
    struct browser *people[2] = {alice, bob};
    talk_page_create(alice, "den");
    talk_page_join(bob, "den");
    for (int i = 0; i < 6; i++) {
        say_turn(people, i);
    }
    browser_reload(alice);
    talk_page_in_room(alice, "den");
    for (int i = 6; i < 8; i++) {
        say_turn(people, i);
    }
    e2e_cluster_kill(scene->e, node_with_a_line(scene->e));
    for (int i = 8; i < 12; i++) {
        say_turn(people, i);
    }
    expect_turns(alice, names, 12);
    expect_turns(bob, names, 12);
    talk_page_kick(alice, "bob");
    talk_page_in_lobby(bob);
}

PAGE_SCENARIO(page_that_is_opened_twice_goes_on_in_the_newer_window)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    talk_page_create(alice, "den");
    talk_page_say(alice, "once");
    /* A window that is opened by another one begins with its session. */
    json_decref(browser_run(alice, "window.open(location.href);", NULL));
    browser_expect(alice, "return document.body.dataset.state === 'replaced';", NULL);
    page_scene_picture(scene, alice, "older");
    browser_select_window(alice, 1);
    talk_page_in_room(alice, "den");
    talk_page_say(alice, "twice");
    browser_select_window(alice, 0);
    browser_reload(alice);
    talk_page_in_room(alice, "den");
    talk_page_hears(alice, "alice", "once");
    talk_page_hears(alice, "alice", "twice");
}

PAGE_SCENARIO(what_is_said_in_a_window_nobody_looks_at_is_marked)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_create(alice, "den");
    talk_page_join(bob, "den");
    browser_put_away(alice);
    talk_page_say(bob, "one");
    talk_page_say(bob, "two");
    browser_expect(alice, "return /\\b2\\b/.test(document.title);", NULL);
    browser_bring_back(alice);
    browser_expect(alice, "return !/\\d/.test(document.title);", NULL);
    talk_page_hears(alice, "bob", "one");
    page_scene_picture(scene, alice, "seen-again");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGE_TEST(reloaded_page_goes_on_where_it_was),
        PAGE_TEST(reload_in_the_lobby_keeps_the_person_registered),
        PAGE_TEST(killed_node_costs_nobody_a_message),
        PAGE_TEST(message_sent_while_the_node_dies_arrives_once),
        PAGE_TEST(node_that_hangs_is_left_for_another),
        PAGE_TEST(drained_node_sends_people_to_another),
        PAGE_TEST(person_is_registered_anew_when_the_state_is_lost),
        PAGE_TEST(what_is_said_after_the_log_went_back_is_shown_and_what_is_lost_is_marked),
        PAGE_TEST(page_without_websockets_goes_by_an_event_stream),
        PAGE_TEST(page_that_is_opened_twice_goes_on_in_the_newer_window),
        PAGE_TEST(what_is_said_in_a_window_nobody_looks_at_is_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
