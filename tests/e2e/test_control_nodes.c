/* SPDX-License-Identifier: MIT */
/*
 * Operators and nodes: any node tells of all, changes all, and sends any other's clients away
 * without a word lost; one that does not answer is shown as such.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/tool.h"

#define SOON_MS 10000

/* The entry of that node in the reply to node list; borrowed from `list`. */
static const json_t *node_of(const json_t *list, const char *id)
{
    size_t i;
    const json_t *node;
    json_array_foreach(json_object_get(list, "nodes"), i, node)
    {
        if (strcmp(tool_text(node, "id"), id) == 0) {
            return node;
        }
    }
    fail_msg("no node %s", id);
    return NULL;
}

struct wanted {
    const struct e2e *e;
    size_t asked;
    const char *id, *state;
    int64_t sessions; /* -1: any */
};

static bool is_so(void *arg)
{
    const struct wanted *wanted = arg;
    char url[TOOL_URL_BYTES];
    tool_url(wanted->e->nodes[wanted->asked].daemon, url);
    tool_run(url, (const char *const[]){"-o", "json", "node", "list", NULL});
    json_t *list = json_loads(tool.out, 0, NULL);
    size_t i;
    const json_t *node;
    bool is_there = false;
    json_array_foreach(json_object_get(list, "nodes"), i, node)
    {
        is_there = is_there ||
                   (strcmp(tool_text(node, "id"), wanted->id) == 0 &&
                    strcmp(tool_text(node, "state"), wanted->state) == 0 &&
                    (wanted->sessions < 0 || tool_integer(node, "sessions") == wanted->sessions));
    }
    json_decref(list);
    return is_there;
}

static void expect_node(const struct e2e *e, size_t asked, const char *id, const char *state,
                        int64_t sessions)
{
    struct wanted wanted = {e, asked, id, state, sessions};
    if (!pump_until(is_so, &wanted, SOON_MS)) {
        fail_msg("%s is not %s with %lld sessions: %s", id, state, (long long)sessions, tool.out);
    }
}

static struct daemon *at(const struct e2e *e, size_t node)
{
    return e->nodes[node].daemon;
}

E2E_SCENARIO(every_node_tells_of_all_nodes)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice");
    struct original *bob = e2e_user_at(e, 1, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_join_room(bob, "den");
    for (size_t asked = 0; asked < 2; asked++) {
        TOOL(at(e, asked), 0, "-o", "json", "node", "list");
        json_t *list = tool_json();
        assert_int_equal(tool_integer(node_of(list, "n0"), "lines"), 1);
        assert_int_equal(tool_integer(node_of(list, "n1"), "lines"), 0);
        for (size_t i = 0; i < 2; i++) {
            const json_t *node = node_of(list, i == 0 ? "n0" : "n1");
            assert_int_equal(tool_integer(node, "sessions"), 1);
            assert_int_equal(tool_integer(node, "rooms"), 1);
            assert_true(tool_integer(node, "memory_bytes") > 1000000);
            assert_string_equal(tool_text(node, "error"), "");
            assert_true(tool_text(node, "version")[0] != '\0');
        }
        json_decref(list);
        TOOL(at(e, asked), 0, "-o", "json", "node", "show", "n1");
        json_t *shown = tool_json();
        assert_string_equal(tool_text(json_object_get(shown, "node"), "id"), "n1");
        assert_true(json_array_size(json_object_get(shown, "metrics")) > 30);
        json_decref(shown);
        TOOL(at(e, asked), 0, "-o", "json", "stats");
        json_t *stats = tool_json();
        assert_int_equal(tool_integer(stats, "nodes"), 2);
        assert_int_equal(tool_integer(stats, "silent"), 0);
        assert_int_equal(tool_integer(stats, "sessions"), 2);
        assert_int_equal(tool_integer(stats, "rooms"), 1);
        assert_int_equal(tool_integer(stats, "members"), 2);
        assert_true(tool_integer(stats, "redis_memory_bytes") > 100000);
        json_decref(stats);
        TOOL(at(e, asked), 0, "node", "list");
        assert_non_null(strstr(tool.out, "n0"));
        assert_non_null(strstr(tool.out, "n1"));
        TOOL(at(e, asked), 0, "stats");
        TOOL(at(e, asked), 0, "node", "show");
    }
    TOOL(at(e, 0), 4, "node", "show", "n7");
    assert_non_null(strstr(tool.err, "n0, n1"));
}

E2E_SCENARIO(node_that_does_not_answer_is_shown_beside_those_that_do)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    (void)e2e_user_at(e, 1, "bob");
    process_signal(at(e, 1)->process, SIGSTOP);
    TOOL(at(e, 0), 3, "-o", "json", "node", "list");
    json_t *list = tool_json();
    assert_string_equal(tool_text(node_of(list, "n0"), "state"), "serving");
    assert_string_equal(tool_text(node_of(list, "n1"), "state"), "silent");
    assert_true(tool_text(node_of(list, "n1"), "error")[0] != '\0');
    json_decref(list);
    process_signal(at(e, 1)->process, SIGCONT);
    expect_node(e, 0, "n1", "serving", -1);
}

E2E_SCENARIO(drained_node_gives_its_people_away_and_none_of_them_misses_a_word)
{
    E2E_CLUSTER(e, 2, "hgtp.expires_s=60");
    e2e_cluster_meshed(e);
    struct original *alice = e2e_user_at(e, 0, "alice"), *bob = e2e_user_at(e, 1, "bob");
    struct talker *carol = e2e_talker_at(e, 1, "carol");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    e2e_talk_join_room(carol, "den");
    TOOL(at(e, 0), 0, "node", "drain", "n1", "--dry-run");
    assert_non_null(strstr(tool.out, "would drain n1: 2 sessions"));
    assert_true(original_say(alice, "before"));
    TOOL(at(e, 0), 2, "node", "drain", "n1");
    TOOL(at(e, 0), 0, "node", "drain", "n1", "--yes");
    assert_true(original_say(alice, "while it drains"));
    char body[256];
    assert_int_equal(e2e_get_at(e, 1, "/readyz", body, sizeof body), 503);
    assert_non_null(strstr(body, "draining"));
    (void)e2e_told(TALKER_WAIT(carol, "reconnect"));
    assert_int_equal(talker_resume(carol, at(e, 1)->http_port), 503);
    assert_int_equal(talker_resume(carol, at(e, 0)->http_port), 101);
    expect_node(e, 0, "n1", "draining", 0);
    e2e_came(original_wait_message(bob, "before"));
    e2e_came(original_wait_message(bob, "while it drains"));
    assert_true(original_say(alice, "after"));
    e2e_came(original_wait_message(bob, "after"));
    assert_true(talker_has(carol, 6, SOON_MS));
    e2e_talk_whole(carol, 6);

    /* Whom the balancer still sends there is served, and stays where he is. */
    assert_true(original_fence(bob));
    expect_node(e, 0, "n1", "draining", 0);
    struct original *dave = e2e_client_at(e, 1, &(struct original_options){.name = "dave"});
    original_send_register(dave);
    e2e_refused(original_wait_response(dave, HGTP_REGISTER), HGTP_SERVER_UNAVAILABLE, ERR_DRAINING);
    TOOL(at(e, 0), 0, "node", "resume", "n1");
    expect_node(e, 0, "n1", "serving", -1);
    assert_int_equal(e2e_get_at(e, 1, "/readyz", NULL, 0), 200);
    (void)e2e_user_at(e, 1, "erin");
    TOOL(at(e, 1), 0, "-o", "json", "events", "--after", "0");
    assert_non_null(strstr(tool.out, "\"event\":\"ctl_node_drain\""));
    assert_non_null(strstr(tool.out, "\"event\":\"ctl_node_resume\""));
}

E2E_SCENARIO(lines_that_stay_at_a_drained_node_are_closed_in_time)
{
    E2E_CLUSTER(e, 2, "node.drain_s=1");
    e2e_cluster_meshed(e);
    struct talker *carol = e2e_talker_at(e, 1, "carol");
    TOOL(at(e, 0), 0, "node", "drain", "n1", "--yes", "--wait", "20");
    expect_node(e, 0, "n1", "draining", 0);
    assert_int_equal(talker_resume(carol, at(e, 0)->http_port), 101);
    TOOL(at(e, 1), 0, "node", "resume");
}

E2E_SCENARIO(settings_are_changed_at_all_nodes_or_one)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    TOOL(at(e, 0), 0, "config", "set", "limits.message_bytes", "5", "--dry-run");
    struct talker *alice = e2e_talker_at(e, 1, "alice");
    e2e_talk_open_room(alice, "den");
    assert_true(talker_say_acked(alice, "longer than five", NULL) > 0);
    TOOL(at(e, 0), 2, "config", "set", "limits.message_bytes", "5");
    TOOL(at(e, 0), 0, "-o", "json", "config", "set", "limits.message_bytes", "5", "--node", "n1",
         "--yes");
    json_t *set = tool_json();
    const json_t *row = json_array_get(json_object_get(set, "nodes"), 0);
    assert_int_equal(json_array_size(json_object_get(set, "nodes")), 1);
    assert_string_equal(tool_text(row, "result"), "changed");
    json_decref(set);
    assert_int_equal(talker_say_acked(alice, "longer than five", NULL), -1);
    TOOL(at(e, 0), 0, "config", "show", "n1");
    assert_non_null(strstr(tool.out, "limits.message_bytes"));
    TOOL(at(e, 0), 0, "config", "set", "log.level", "debug", "--yes");
    TOOL(at(e, 0), 1, "config", "set", "hgtp.listen", "127.0.0.1:1", "--yes");
    assert_non_null(strstr(tool.out, "needs a restart"));
    TOOL(at(e, 0), 1, "config", "set", "log.levle", "debug", "--yes");
    assert_non_null(strstr(tool.err, "did you mean 'log.level'?"));
    TOOL(at(e, 0), 1, "config", "set", "limits.users", "none", "--yes");
    assert_non_null(strstr(tool.err, "whole number"));
    TOOL(at(e, 0), 0, "config", "set", "auth.key", "950817secret", "--yes");
    TOOL(at(e, 0), 0, "-o", "json", "events", "--after", "0");
    assert_null(strstr(tool.out, "950817secret"));
    assert_non_null(strstr(tool.out, "ctl_config_set"));
    TOOL(at(e, 0), 0, "-o", "json", "config", "show");
    assert_null(strstr(tool.out, "950817secret"));
}

/* What starts nodes again: a test's own supervisor. */
struct restart {
    struct e2e *e;
    struct process *tool;
    const char *folder;
    size_t next;
};

/* A control address that a node keeps when it is started again. */
static void link_control(const struct e2e *e, const char *folder, size_t node)
{
    char from[TOOL_URL_BYTES], to[TOOL_URL_BYTES];
    snprintf(from, sizeof from, "%s/%zu", folder, node);
    snprintf(to, sizeof to, "%s/hgtp/control.sock", at(e, node)->folder);
    (void)unlink(from);
    assert_int_equal(symlink(to, from), 0);
}

static void unlink_controls(char *folder)
{
    char path[TOOL_URL_BYTES];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%zu", folder, i);
        (void)unlink(path);
    }
    process_folder_remove(folder);
    free(folder);
}

static bool tool_has_ended(void *arg)
{
    struct restart *restart = arg;
    if (restart->next < 2 && process_wait_exit(at(restart->e, restart->next)->process, 0) >= 0) {
        e2e_cluster_stop(restart->e, restart->next);
        e2e_cluster_start(restart->e, restart->next);
        link_control(restart->e, restart->folder, restart->next);
        restart->next++;
    }
    return process_wait_exit(restart->tool, 0) >= 0;
}

E2E_SCENARIO(rolling_restart_goes_from_node_to_node_while_people_talk)
{
    E2E_CLUSTER(e, 2, "node.drain_s=2");
    e2e_cluster_meshed(e);
    char *folder = process_folder_make();
    char urls[2 * TOOL_URL_BYTES];
    snprintf(urls, sizeof urls, "ipc://%s/0,ipc://%s/1", folder, folder);
    link_control(e, folder, 0);
    link_control(e, folder, 1);
    const char *const argv[] = {HGTPCTL_PATH,      "--url",  urls, "-o",    "json", "node",
                                "restart-rolling", "--wait", "30", "--yes", NULL};
    struct restart restart = {e, process_start(argv, folder), folder, 0};
    assert_true(pump_until(tool_has_ended, &restart, 60000));
    if (process_wait_exit(restart.tool, 0) != 0) {
        fail_msg("%s%s", process_stdout(restart.tool), process_stderr(restart.tool));
    }
    assert_non_null(strstr(process_stdout(restart.tool), "\"result\":\"restarted\""));
    assert_int_equal(restart.next, 2);
    process_free(restart.tool);
    unlink_controls(folder);
    expect_node(e, 0, "n1", "serving", -1);
}

E2E_SCENARIO(rolling_restart_stops_at_the_first_that_does_not_come_back)
{
    E2E_CLUSTER(e, 2, "node.drain_s=1");
    e2e_cluster_meshed(e);
    TOOL(at(e, 1), 1, "node", "restart-rolling", "--wait", "3", "--yes");
    assert_non_null(strstr(tool.err, "n0: not back after"));
    assert_int_equal(process_wait_exit(at(e, 0)->process, SOON_MS), 0);
    expect_node(e, 1, "n1", "serving", -1);
    e2e_cluster_stop(e, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(every_node_tells_of_all_nodes),
        E2E_TEST(node_that_does_not_answer_is_shown_beside_those_that_do),
        E2E_TEST(drained_node_gives_its_people_away_and_none_of_them_misses_a_word),
        E2E_TEST(lines_that_stay_at_a_drained_node_are_closed_in_time),
        E2E_TEST(settings_are_changed_at_all_nodes_or_one),
        E2E_TEST(rolling_restart_goes_from_node_to_node_while_people_talk),
        E2E_TEST(rolling_restart_stops_at_the_first_that_does_not_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
