/* SPDX-License-Identifier: MIT */
/*
 * hgtpctl bench as operators use it to check a deployment: through the balancer, against two nodes,
 * of which one may die meanwhile; and what it says when something is not as it should be.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/tool.h"

#define KEY     "950817"
#define WAIT_MS 60000

static void print_bench(const void *guest, FILE *out)
{
    const struct process *bench = guest;
    fprintf(out, "--- bench\n%s--- its stderr\n%s", process_stdout(bench), process_stderr(bench));
}

static void free_bench(void *guest)
{
    process_free(guest);
}

/* Two nodes behind the balancer, whose configuration has places for three. */
static void two_nodes(struct e2e *e)
{
    /* A call of Redis that is given up counts at no node, though it may be carried out. */
    E2E_CLUSTER(e, 2, E2E_NO_RATES, "redis.deadline_ms=10000");
    e2e_cluster_meshed(e);
    struct balancer_node nodes[BALANCER_NODES];
    for (size_t i = 0; i < BALANCER_NODES; i++) {
        size_t node = i < 2 ? i : 1;
        nodes[i] = (struct balancer_node){e->nodes[node].hgtp_port, e->nodes[node].http_port};
    }
    e->balancer = balancer_new();
    assert_true(balancer_start(e->balancer, nodes));
}

#define BENCH_ARGS_MAX 24

/* hgtpctl -o json bench at these ports, with ARGS. */
#define START(e, hgtp_port, http_port, key, ...)                                                   \
    start((e), (hgtp_port), (http_port), (key), (const char *const[]){__VA_ARGS__, NULL})
static struct process *start(struct e2e *e, uint16_t hgtp_port, uint16_t http_port, const char *key,
                             const char *const *args)
{
    char hgtp[24], http[24];
    const char *argv[BENCH_ARGS_MAX + 9] = {HGTPCTL_PATH, "-o",     "json", "bench", "--key",
                                            key,          "--hgtp", hgtp,   http};
    snprintf(hgtp, sizeof hgtp, "127.0.0.1:%u", hgtp_port);
    snprintf(http, sizeof http, "127.0.0.1:%u", http_port);
    for (size_t i = 0; args[i] != NULL && i + 1 < BENCH_ARGS_MAX; i++) {
        argv[9 + i] = args[i];
    }
    struct process *bench = process_start(argv, "/tmp");
    const struct e2e_guest guest = {.guest = bench, .print = print_bench, .free = free_bench};
    e2e_adopt(e, &guest);
    return bench;
}

#define START_BALANCED(e, ...)                                                                     \
    START((e), (e)->balancer->hgtp_port, (e)->balancer->talk_port, KEY, __VA_ARGS__)
#define START_AT(e, ...)                                                                           \
    START((e), (e)->daemon->hgtp_port, (e)->daemon->http_port, KEY, __VA_ARGS__)

/* It ends with that code; its figures, to be freed, or NULL where there are none. */
static json_t *figures_of(struct process *bench, int code)
{
    assert_int_equal(process_wait_exit(bench, WAIT_MS), code);
    return json_loads(process_stdout(bench), 0, NULL);
}

static void expect_clean(const json_t *figures)
{
    static const char *const faults[] = {"lost",    "twice",          "out_of_order", "wrong",
                                         "refused", "unacknowledged", "sessions_lost"};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        assert_int_equal(tool_integer(figures, faults[i]), 0);
    }
}

static void expect_nothing_left(const struct e2e *e, size_t nodes)
{
    for (size_t i = 0; i < nodes; i++) {
        if (e->nodes[i].daemon != NULL) {
            assert_true(e2e_metric_becomes(e, i, "hgtp_sessions", 0, WAIT_MS));
            assert_true(e2e_metric_becomes(e, i, "hgtp_rooms", 0, WAIT_MS));
        }
    }
}

E2E_SCENARIO(every_message_is_counted_at_every_member)
{
    two_nodes(e);
    struct process *bench = START_BALANCED(e, "--users", "20", "--rooms", "4", "--rate", "100",
                                           "--seconds", "3", "--size", "200");
    json_t *figures = figures_of(bench, 0);
    int64_t messages = tool_integer(figures, "messages");
    expect_clean(figures);
    assert_int_equal(messages + tool_integer(figures, "unsaid"), 300);
    assert_int_equal(tool_integer(figures, "deliveries"), 5 * messages);
    assert_int_equal(tool_integer(figures, "foreign_sessions"), 0);
    assert_int_equal(tool_integer(figures, "size"), 200);
    double p50 = json_number_value(json_object_get(figures, "latency_p50_ms"));
    double p99 = json_number_value(json_object_get(figures, "latency_p99_ms"));
    double max = json_number_value(json_object_get(figures, "latency_max_ms"));
    assert_true(p50 > 0 && p50 <= p99 && p99 <= max);
    json_decref(figures);
    assert_non_null(strstr(process_stderr(bench), "registering 20 users\nentering 4 rooms\n"));
    assert_non_null(strstr(process_stderr(bench), "  deliveries "));
    assert_int_equal(e2e_metric_at(e, 0, "hgtp_messages_total") +
                         e2e_metric_at(e, 1, "hgtp_messages_total"),
                     messages);
    expect_nothing_left(e, 2);
}

E2E_SCENARIO(without_a_rate_the_window_is_the_limit)
{
    E2E_NODE(e, "limits.messages_per_s=15"); /* less than a window: however slow the machine */
    struct process *bench = START_AT(e, "--users", "4", "--rooms", "1", "--rate", "0", "--seconds",
                                     "2", "--window", "16");
    json_t *figures = figures_of(bench, 0);
    expect_clean(figures);
    assert_true(tool_integer(figures, "messages") > 100);
    assert_true(tool_integer(figures, "held_back") > 0);
    assert_int_equal(tool_integer(figures, "deliveries"), 4 * tool_integer(figures, "messages"));
    json_decref(figures);
    assert_int_equal(e2e_metric(e, "hgtp_sessions"), 0);
}

/* Two rooms of eight, in mid-talk at both nodes. */
static struct process *start_in_mid_talk(struct e2e *e)
{
    two_nodes(e);
    struct process *bench =
        START_BALANCED(e, "--users", "16", "--rooms", "2", "--rate", "200", "--seconds", "6");
    int64_t until_ms = pump_deadline_ms(WAIT_MS);
    while (e2e_metric_at(e, 0, "hgtp_messages_total") < 50) {
        assert_true(pump_now_ms() < until_ms);
        e2e_retry_pause();
    }
    return bench;
}

E2E_SCENARIO(planned_end_of_a_node_costs_connections_and_nothing_else)
{
    struct process *bench = start_in_mid_talk(e);
    e2e_cluster_stop(e, 0);
    e2e_cluster_start(e, 0);
    json_t *figures = figures_of(bench, 0);
    expect_clean(figures);
    assert_true(tool_integer(figures, "reconnects") > 0);
    assert_int_equal(tool_integer(figures, "deliveries"), 8 * tool_integer(figures, "messages"));
    json_decref(figures);
    expect_nothing_left(e, 2);
}

E2E_SCENARIO(death_of_a_node_costs_connections_and_nothing_else)
{
    struct process *bench = start_in_mid_talk(e);
    e2e_cluster_kill(e, 0);
    json_t *figures = figures_of(bench, 0);
    expect_clean(figures);
    assert_true(tool_integer(figures, "reconnects") > 0);
    assert_int_equal(tool_integer(figures, "deliveries"), 8 * tool_integer(figures, "messages"));
    json_decref(figures);
    expect_nothing_left(e, 2);
}

E2E_SCENARIO(service_that_is_gone_for_good_is_told_of)
{
    E2E_NODE(e);
    struct process *bench = START_AT(e, "--users", "4", "--rooms", "1", "--seconds", "60");
    assert_true(process_wait_output(bench, "2s  messages", WAIT_MS));
    process_signal(e->daemon->process, SIGSTOP);
    assert_true(process_wait_output(bench, "unacknowledged 32", WAIT_MS));
    process_signal(bench, SIGINT);
    json_t *figures = figures_of(bench, 1);
    assert_true(tool_integer(figures, "unacknowledged") > 0);
    assert_true(tool_integer(figures, "unsaid") > 0);
    json_decref(figures);
    assert_non_null(strstr(process_stderr(bench), "not everything that was said has come"));
    process_signal(e->daemon->process, SIGCONT);
}

E2E_SCENARIO(bench_that_is_stopped_leaves_nothing_behind)
{
    E2E_NODE(e);
    struct process *bench = START_AT(e, "--users", "6", "--rooms", "2", "--seconds", "600");
    assert_true(process_wait_output(bench, "1s  messages", WAIT_MS));
    assert_int_equal(e2e_metric(e, "hgtp_sessions"), 6);
    process_signal(bench, SIGTERM);
    json_t *figures = figures_of(bench, 0);
    expect_clean(figures);
    json_decref(figures);
    assert_int_equal(e2e_metric(e, "hgtp_sessions"), 0);
    assert_int_equal(e2e_metric(e, "hgtp_rooms"), 0);
}

/* Their list is longer than lists.max: it comes in pages. */
E2E_SCENARIO(others_are_counted_and_left_alone)
{
    E2E_NODE(e, "lists.max=1");
    struct talker *alice = e2e_visitor(e, "alice"), *bob = e2e_visitor(e, "bob");
    assert_true(talker_register(alice) && talker_register(bob));
    struct process *bench = START_AT(e, "--users", "3", "--seconds", "1");
    assert_null(figures_of(bench, 2));
    assert_non_null(strstr(process_stderr(bench), "2 sessions of others are there"));
    assert_int_equal(e2e_metric(e, "hgtp_sessions"), 2);
    bench = START_AT(e, "--users", "3", "--seconds", "1", "--yes");
    json_t *figures = figures_of(bench, 0);
    expect_clean(figures);
    assert_int_equal(tool_integer(figures, "foreign_sessions"), 2);
    json_decref(figures);
    assert_int_equal(e2e_metric(e, "hgtp_sessions"), 2);
}

/* A session that the bench has registered, and that is in no room; false: there is none now. */
static bool session_in_no_room(struct e2e *e, char name[64])
{
    TOOL(e->daemon, 0, "-o", "json", "session", "list");
    json_t *reply = tool_json();
    size_t i;
    const json_t *session;
    bool is_found = false;
    json_array_foreach(json_object_get(reply, "sessions"), i, session)
    {
        if (!is_found && tool_text(session, "room")[0] == '\0') {
            snprintf(name, 64, "%s", tool_text(session, "user"));
            is_found = true;
        }
    }
    json_decref(reply);
    return is_found;
}

/* It stands still on its way, so that there is time to end a session. */
E2E_SCENARIO(session_that_ends_on_the_way_into_the_rooms_is_named)
{
    E2E_NODE(e);
    struct process *bench = START_AT(e, "--users", "200", "--rooms", "200", "--seconds", "1");
    assert_true(process_wait_output(bench, "entering 200 rooms", WAIT_MS));
    process_signal(bench, SIGSTOP);
    char name[64];
    assert_true(session_in_no_room(e, name));
    TOOL(e->daemon, 0, "session", "kick", name, "--yes");
    process_signal(bench, SIGCONT);
    assert_null(figures_of(bench, 1));
    assert_non_null(strstr(process_stderr(bench), name));
    assert_non_null(strstr(process_stderr(bench), "its session has ended before all were there"));
}

E2E_SCENARIO(users_that_do_not_come_are_told_of_and_not_waited_for)
{
    E2E_NODE(e, "limits.requests_per_s=10");
    struct process *bench =
        START_AT(e, "--users", "16", "--rooms", "16", "--seconds", "1", "--wait", "1ms");
    assert_null(figures_of(bench, 1));
    const char *said = process_stderr(bench);
    assert_non_null(strstr(said, "users have come so far"));
    assert_non_null(strstr(said, "one of those who are missing is bench-"));
    assert_non_null(strstr(said, "--wait S waits longer"));
}

E2E_SCENARIO(exit_code_tells_what_went_wrong)
{
    E2E_NODE(e, "limits.message_bytes=100");
    uint16_t hgtp = e->daemon->hgtp_port, http = e->daemon->http_port;
    struct process *unheard =
        START(e, sockets_free_port(), http, KEY, "--users", "2", "--seconds", "1");
    struct process *wrong_key = START(e, hgtp, http, "wrong", "--users", "2");
    assert_null(figures_of(wrong_key, 1));
    assert_non_null(strstr(process_stderr(wrong_key), "wrong key"));
    struct process *too_long = START_AT(e, "--users", "2", "--seconds", "1", "--size", "101");
    json_t *figures = figures_of(too_long, 1);
    assert_int_equal(tool_integer(figures, "messages"), 0);
    assert_true(tool_integer(figures, "refused") > 0);
    json_decref(figures);
    assert_non_null(strstr(process_stderr(too_long), "the last refusal: the message is too long"));
    static const char *const usage[][2] = {{"--users", "0"},
                                           {"--rooms", "21"},
                                           {"--size", "10"},
                                           {"--window", "65"},
                                           {"--prefix", "a b"}};
    for (size_t i = 0; i < sizeof usage / sizeof usage[0]; i++) {
        struct process *bench = START_AT(e, usage[i][0], usage[i][1]);
        assert_null(figures_of(bench, 2));
        assert_non_null(strstr(process_stderr(bench), usage[i][0]));
    }
    assert_null(figures_of(unheard, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(every_message_is_counted_at_every_member),
        E2E_TEST(without_a_rate_the_window_is_the_limit),
        E2E_TEST(planned_end_of_a_node_costs_connections_and_nothing_else),
        E2E_TEST(death_of_a_node_costs_connections_and_nothing_else),
        E2E_TEST(service_that_is_gone_for_good_is_told_of),
        E2E_TEST(bench_that_is_stopped_leaves_nothing_behind),
        E2E_TEST(others_are_counted_and_left_alone),
        E2E_TEST(session_that_ends_on_the_way_into_the_rooms_is_named),
        E2E_TEST(users_that_do_not_come_are_told_of_and_not_waited_for),
        E2E_TEST(exit_code_tells_what_went_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
