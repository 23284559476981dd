/* SPDX-License-Identifier: MIT */
/*
 * Operators' changes when something else goes wrong at the same time: the supervisor ends what an
 * operator is ending, Redis or a node does not answer in time, a node dies in a rolling restart;
 * and what must not be seen of them in Redis.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/tool.h"

#define SOON_MS 10000

static struct daemon *at(const struct e2e *e, size_t node)
{
    return e->nodes[node].daemon;
}

static struct process *start_rolling(const struct e2e *e, size_t asked, char *folder,
                                     const char *wait)
{
    char url[TOOL_URL_BYTES];
    tool_url(at(e, asked), url);
    const char *const argv[] = {HGTPCTL_PATH, "--url", url,     "node", "restart-rolling",
                                "--wait",     wait,    "--yes", NULL};
    return process_start(argv, folder);
}

static bool is_draining(void *arg)
{
    const struct e2e *e = arg;
    return e2e_get_at(e, 0, "/readyz", NULL, 0) == 503;
}

E2E_SCENARIO(first_signal_to_a_node_that_an_operator_ends_does_not_cut_its_drain_short)
{
    E2E_CLUSTER(e, 2, "node.drain_s=2");
    e2e_cluster_meshed(e);
    (void)e2e_talker_at(e, 0, "carol"); /* her line keeps it draining */
    char *folder = process_folder_make();
    struct process *rolling = start_rolling(e, 1, folder, "1");
    assert_true(pump_until(is_draining, e, SOON_MS));
    e2e_cluster_stop(e, 0);
    assert_int_equal(process_wait_exit(rolling, SOON_MS), 1);
    process_free(rolling);
    process_folder_remove(folder);
    free(folder);
}

struct supervisor {
    struct e2e *e;
    struct process *rolling;
    bool has_acted;
};

static bool tool_has_ended(void *arg)
{
    struct supervisor *supervisor = arg;
    struct e2e *e = supervisor->e;
    if (!supervisor->has_acted && process_wait_exit(at(e, 0)->process, 0) >= 0) {
        supervisor->has_acted = true;
        e2e_cluster_kill(e, 2);
        e2e_cluster_stop(e, 0);
        e2e_cluster_start(e, 0);
    }
    return process_wait_exit(supervisor->rolling, 0) >= 0;
}

E2E_SCENARIO(rolling_restart_touches_no_other_node_when_one_has_died_meanwhile)
{
    E2E_CLUSTER(e, 3, "node.drain_s=1");
    e2e_cluster_meshed(e);
    char *folder = process_folder_make();
    struct supervisor supervisor = {e, start_rolling(e, 1, folder, "4"), false};
    assert_true(pump_until(tool_has_ended, &supervisor, 60000));
    assert_true(supervisor.has_acted);
    assert_int_equal(process_wait_exit(supervisor.rolling, 0), 1);
    if (strstr(process_stderr(supervisor.rolling), "it is not drained: after 4s n2 is") == NULL) {
        fail_msg("%s", process_stderr(supervisor.rolling));
    }
    assert_int_equal(e2e_get_at(e, 1, "/readyz", NULL, 0), 200);
    process_free(supervisor.rolling);
    process_folder_remove(folder);
    free(folder);
}

E2E_SCENARIO(change_that_was_said_not_to_be_done_in_time_is_not_begun_later)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    process_signal(e->redis->process, SIGSTOP);
    TOOL(at(e, 0), 3, "--timeout", "0.3", "node", "drain", "n1", "--yes");
    assert_non_null(strstr(tool.err, "not done in time"));
    process_signal(e->redis->process, SIGCONT);
    TOOL(at(e, 0), 0, "-o", "json", "node", "show", "n1"); /* asked behind it */
    assert_non_null(strstr(tool.out, "\"state\":\"serving\""));
    assert_int_equal(e2e_get_at(e, 1, "/healthz", NULL, 0), 200);
}

E2E_SCENARIO(node_without_redis_is_told_from_no_node)
{
    e->redis = redis_server_new();
    assert_true(redis_server_start(e->redis));
    char url[160];
    snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    E2E_NODE(e, url, "redis.deadline_ms=100");
    process_signal(e->redis->process, SIGSTOP);
    TOOL(e->daemon, 3, "room", "list");
    assert_non_null(strstr(tool.err, "the node's Redis does not answer"));
    assert_null(strstr(tool.err, "is a node running"));
    process_signal(e->redis->process, SIGCONT);
    tool_run("ipc:///nowhere", (const char *const[]){"room", "list", NULL});
    assert_int_equal(tool.code, 3);
    assert_non_null(strstr(tool.err, "is a node running there?"));
}

E2E_SCENARIO(change_at_a_node_that_does_not_answer_is_recorded_as_what_it_is)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    process_signal(at(e, 1)->process, SIGSTOP);
    TOOL(at(e, 0), 3, "node", "drain", "n1", "--yes");
    assert_non_null(strstr(tool.err, "n1: it does not answer in time"));
    process_signal(at(e, 1)->process, SIGCONT);
    TOOL(at(e, 0), 0, "-o", "json", "events", "--after", "0");
    const char *event = strstr(tool.out, "\"event\":\"ctl_node_drain\"");
    assert_non_null(event);
    assert_non_null(strstr(event, "it does not answer in time"));
}

E2E_SCENARIO(secret_that_is_set_at_all_nodes_is_never_sent_to_redis)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    freeReplyObject(redis_server_command(e->redis, "CONFIG SET slowlog-log-slower-than 0"));
    freeReplyObject(redis_server_command(e->redis, "CONFIG SET slowlog-max-len 10000"));
    TOOL(at(e, 0), 0, "config", "set", "auth.key", "950817secret", "--yes");
    freeReplyObject(redis_server_command(e->redis, "CONFIG SET slowlog-log-slower-than -1"));
    redisReply *log = redis_server_command(e->redis, "SLOWLOG GET 10000");
    assert_non_null(log);
    for (size_t i = 0; i < log->elements; i++) {
        const redisReply *command = log->element[i]->element[3];
        for (size_t k = 0; k < command->elements; k++) {
            assert_null(strstr(command->element[k]->str, "950817secret"));
        }
    }
    freeReplyObject(log);
    TOOL(at(e, 0), 0, "-o", "json", "events", "--after", "0");
    assert_non_null(strstr(tool.out, "auth.key"));
    assert_null(strstr(tool.out, "950817secret"));
}

E2E_SCENARIO(events_behind_a_place_that_is_not_kept_any_more_come_with_their_gap)
{
    E2E_CLUSTER(e, 1);
    for (int i = 0; i < 600; i++) {
        freeReplyObject(
            redis_server_command(e->redis, "XADD hgtp:{HGTP_SERVICE}:events * event x"));
    }
    TOOL(at(e, 0), 0, "-o", "json", "events", "--after", "1-1");
    json_t *events = tool_json();
    assert_true(json_array_size(json_object_get(events, "events")) > 600);
    const json_t *first = json_array_get(json_object_get(events, "events"), 0);
    assert_string_equal(tool_text(first, "event"), "gap");
    json_decref(events);
    TOOL(at(e, 0), 0, "-o", "json", "events", "--after", "1-1", "--count", "1");
}

/* Its socket (issue 13, item 14) ------------------------------------------------------------------
 */

E2E_SCENARIO(socket_of_a_paused_node_is_well_after_tools_have_given_up)
{
    E2E_NODE(e);
    process_signal(e->daemon->process, SIGSTOP);
    for (int i = 0; i < 3; i++) {
        TOOL(e->daemon, 3, "--timeout", "1", "node", "list");
    }
    process_signal(e->daemon->process, SIGCONT);
    TOOL(e->daemon, 0, "node", "list");
    TOOL(e->daemon, 0, "--timeout", "5", "node", "list");
}

E2E_SCENARIO(socket_hears_on_when_many_connect_and_close)
{
    E2E_NODE(e);
    char url[TOOL_URL_BYTES];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    tool_url(e->daemon, url);
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", url + strlen("ipc://"));
    for (int i = 0; i < 2000; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
        assert_int_equal(close(fd), 0);
    }
    TOOL(e->daemon, 0, "node", "list");
    TOOL(e->daemon, 0, "room", "create", "den");
}

/* Strangers hold all the files that the node may have; its operators are served. */
E2E_SCENARIO(socket_serves_operators_when_the_node_has_no_files_left)
{
    enum { FILES = 100, STRANGERS = 120 };
    E2E_NODE(e);
    const struct rlimit few = {FILES, FILES};
    const struct sockaddr_in address = sockets_address(SOCKETS_LOOPBACK, e->daemon->http_port);
    int strangers[STRANGERS];
    assert_int_equal(prlimit(process_pid(e->daemon->process), RLIMIT_NOFILE, &few, NULL), 0);
    for (size_t i = 0; i < STRANGERS; i++) {
        strangers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(strangers[i] >= 0);
        assert_int_equal(connect(strangers[i], (const struct sockaddr *)&address, sizeof address),
                         0);
    }
    for (int i = 0; i < 10; i++) {
        TOOL(e->daemon, 0, "--timeout", "10", "room", "list");
    }
    for (size_t i = 0; i < STRANGERS; i++) {
        assert_int_equal(close(strangers[i]), 0);
    }
    TOOL(e->daemon, 0, "room", "create", "den");
}

E2E_SCENARIO(bus_at_a_path_is_refused)
{
    (void)e;
    struct daemon *daemon = daemon_start((const char *const[]){"bus.listen=ipc:///tmp/bus", NULL});
    assert_true(process_wait_exit(daemon->process, SOON_MS) > 0);
    assert_non_null(strstr(process_stderr(daemon->process),
                           "bus.listen must be tcp://host:port, tls+tcp://host:port or "
                           "inproc://name, not 'ipc:///tmp/bus'"));
    daemon_free(daemon);
}

/* As if another user had made it. */
E2E_SCENARIO(folder_that_is_open_to_others_is_named)
{
    (void)e;
    static const char *const argv[] = {
        HGTPD_PATH, "--set", "hgtp.listen=127.0.0.1:0", "--set", "http.listen=127.0.0.1:0", NULL};
    char *folder = process_folder_make(), below[128];
    snprintf(below, sizeof below, "%s/hgtp", folder);
    assert_int_equal(mkdir(below, 0700), 0);
    assert_int_equal(chmod(below, 0755), 0);
    struct process *node = process_start(argv, folder);
    assert_true(process_wait_output(node, "event=control_failed", SOON_MS));
    assert_non_null(strstr(process_stderr(node), below));
    assert_non_null(strstr(process_stderr(node), "others may open it; chmod 700"));
    process_signal(node, SIGTERM);
    assert_int_equal(process_wait_exit(node, 2 * SOON_MS), 0);
    process_free(node);
    process_folder_remove(folder);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(socket_of_a_paused_node_is_well_after_tools_have_given_up),
        E2E_TEST(socket_hears_on_when_many_connect_and_close),
        E2E_TEST(socket_serves_operators_when_the_node_has_no_files_left),
        E2E_TEST(bus_at_a_path_is_refused),
        E2E_TEST(folder_that_is_open_to_others_is_named),
        E2E_TEST(first_signal_to_a_node_that_an_operator_ends_does_not_cut_its_drain_short),
        E2E_TEST(rolling_restart_touches_no_other_node_when_one_has_died_meanwhile),
        E2E_TEST(change_that_was_said_not_to_be_done_in_time_is_not_begun_later),
        E2E_TEST(node_without_redis_is_told_from_no_node),
        E2E_TEST(change_at_a_node_that_does_not_answer_is_recorded_as_what_it_is),
        E2E_TEST(secret_that_is_set_at_all_nodes_is_never_sent_to_redis),
        E2E_TEST(events_behind_a_place_that_is_not_kept_any_more_come_with_their_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
