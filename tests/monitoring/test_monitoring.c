/* SPDX-License-Identifier: MIT */
/*
 * What operators watch is there: a real Prometheus asks real nodes, on which people talk, and every
 * question of the dashboard and of the alerts finds what it asks for.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "prometheus.h"
#include "tests/support/e2e_cluster.h"
#include "tests/support/e2e_talk.h"
#include "tests/support/streamer.h"

#define DASHBOARD TEST_SOURCE_DIR "/deploy/grafana/hgtp.json"
#define SAID      20

/* Two nodes and people who come by each way: alice by pushes, bob by a WebSocket, carol by events.
 */
struct company {
    struct original *alice;
    struct talker *bob;
    struct streamer *carol;
};

static struct company company(struct e2e *e)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct company company = {.alice = e2e_user_at(e, 0, "alice"),
                              .bob = e2e_talker_at(e, 1, "bob"),
                              .carol = streamer_open(e, e->nodes[1].http_port, "carol")};
    e2e_open_room(company.alice, "den");
    e2e_talk_join_room(company.bob, "den");
    e2e_talk_ok(streamer_ask_name(company.carol, HGTP_JOIN_ROOM, "den"));
    return company;
}

static void talk(struct company *company, int64_t from)
{
    for (int64_t i = from; i < from + SAID; i++) {
        char text[32];
        snprintf(text, sizeof text, "word %d", (int)i);
        int64_t seq = talker_say_acked(company->bob, text, NULL);
        assert_true(seq > 0);
        e2e_came(original_wait_message(company->alice, text));
        assert_true(streamer_has(company->carol, seq));
    }
}

/* Measured at the nodes ------------------------------------------------------------------------ */

static int64_t count_of(const struct e2e *e, const char *name, const char *labels)
{
    char sample[160];
    snprintf(sample, sizeof sample, "%s_count%s", name, labels);
    return e2e_metric_at(e, 0, sample) + e2e_metric_at(e, 1, sample);
}

struct counting {
    const struct e2e *e;
    const char *labels;
    int64_t count;
};

static bool has_counted(void *arg)
{
    const struct counting *counting = arg;
    return count_of(counting->e, "hgtp_delivery_seconds", counting->labels) >= counting->count;
}

E2E_SCENARIO(deliveries_are_measured_for_each_transport_and_none_took_for_ever)
{
    static const char *const transports[] = {"push", "websocket", "events"};
    struct company people = company(e);
    talk(&people, 0);
    for (size_t i = 0; i < sizeof transports / sizeof transports[0]; i++) {
        char labels[64], ten_s[96];
        snprintf(labels, sizeof labels, "{transport=\"%s\"}", transports[i]);
        struct counting counting = {e, labels, SAID};
        assert_true(pump_until(has_counted, &counting, 10000));
        /* Redis' clock is taken for another one where more than seconds come out. */
        snprintf(ten_s, sizeof ten_s, "hgtp_delivery_seconds_bucket{transport=\"%s\",le=\"10\"}",
                 transports[i]);
        int64_t within = e2e_metric_at(e, 0, ten_s) + e2e_metric_at(e, 1, ten_s);
        assert_int_equal(within, count_of(e, "hgtp_delivery_seconds", labels));
    }
}

E2E_SCENARIO(what_was_said_before_a_client_came_is_not_measured_as_late)
{
    struct company people = company(e);
    talk(&people, 0);
    static const char labels[] = "{transport=\"events\"}";
    int64_t before = count_of(e, "hgtp_delivery_seconds", labels);
    char target[512];
    snprintf(target, sizeof target, "/events?token=%s&after=0", people.carol->token);
    struct sse_client *again =
        e2e_sse(e, &(struct sse_client_options){.port = e->nodes[1].http_port, .target = target});
    for (int i = 0; i < SAID; i++) {
        e2e_told(sse_client_wait_type(again, "message"));
    }
    assert_int_equal(count_of(e, "hgtp_delivery_seconds", labels), before);
    assert_true(talker_say_acked(people.bob, "something new", NULL) > 0);
    e2e_told(sse_client_wait_type(again, "message"));
    struct counting counting = {e, labels, before + 1};
    assert_true(pump_until(has_counted, &counting, 10000));
}

E2E_SCENARIO(every_hop_is_measured)
{
    struct company people = company(e);
    talk(&people, 0);
    assert_true(count_of(e, "hgtp_request_seconds", "{kind=\"message\"}") >= SAID);
    /* Registering takes two, and each is in the room by one more. */
    assert_true(count_of(e, "hgtp_request_seconds", "{kind=\"request\"}") >= 9);
    assert_true(count_of(e, "hgtp_store_call_seconds", "") >= SAID + 9);
    assert_true(count_of(e, "hgtp_bus_echo_seconds", "") >= 2);
    assert_true(count_of(e, "hgtp_loop_lag_seconds", "") >= 2);
}

E2E_SCENARIO(readiness_and_draining_are_told)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    assert_true(e2e_metric_becomes(e, 0, "hgtp_ready", 1, 5000));
    assert_true(e2e_metric_becomes(e, 0, "hgtp_other_nodes", 1, 5000));
    assert_int_equal(e2e_metric_at(e, 0, "hgtp_draining"), 0);
    redis_server_kill(e->redis);
    assert_true(e2e_metric_becomes(e, 0, "hgtp_ready", 0, 10000));
    assert_true(redis_server_start(e->redis));
    assert_true(e2e_metric_becomes(e, 0, "hgtp_ready", 1, 10000));
    e2e_cluster_kill(e, 1);
    assert_true(e2e_metric_becomes(e, 0, "hgtp_other_nodes", 0, 10000));
}

E2E_SCENARIO(promtool_finds_nothing_to_say_about_the_text)
{
    static char text[1 << 16];
    struct company people = company(e);
    talk(&people, 0);
    assert_int_equal(e2e_get_at(e, 0, "/metrics", text, sizeof text), 200);
    char *folder = process_folder_make();
    struct process *promtool =
        process_start_fed((const char *const[]){"promtool", "check", "metrics", NULL}, folder);
    assert_true(process_write(promtool, text));
    process_end_input(promtool);
    int code = process_wait_exit(promtool, 10000);
    assert_string_equal(process_stderr(promtool), "");
    assert_string_equal(process_stdout(promtool), "");
    assert_int_equal(code, 0);
    process_free(promtool);
    process_folder_remove(folder);
    free(folder);
}

/* Asked for by Prometheus ---------------------------------------------------------------------- */

/* Grafana's variables as it fills them in. */
static void fill_in(const char *expr, char ret_expr[4096])
{
    static const char *const values[][2] = {
        {"$__rate_interval", "10s"}, {"$realm", ".*"}, {"$node", ".*"}};
    size_t len = 0;
    for (const char *at = expr; *at != '\0';) {
        const char *value = NULL;
        for (size_t i = 0; i < sizeof values / sizeof values[0] && value == NULL; i++) {
            if (strncmp(at, values[i][0], strlen(values[i][0])) == 0) {
                value = values[i][1];
                at += strlen(values[i][0]);
            }
        }
        assert_true(len + 32 < 4096);
        len += value != NULL ? (size_t)snprintf(ret_expr + len, 32, "%s", value)
                             : (size_t)snprintf(ret_expr + len, 2, "%c", *at++);
    }
    assert_null(strchr(ret_expr, '$'));
}

static void expect_panel(const struct prometheus *prometheus, const json_t *panel)
{
    size_t i;
    json_t *target;
    json_array_foreach(json_object_get(panel, "targets"), i, target)
    {
        char expr[4096];
        fill_in(json_string_value(json_object_get(target, "expr")), expr);
        json_t *result = prometheus_wait(prometheus, expr);
        if (result == NULL) {
            fail_msg("panel \"%s\" shows nothing: %s",
                     json_string_value(json_object_get(panel, "title")), expr);
        }
        json_decref(result);
    }
}

/* The metric within label_values(...) of each variable. */
static void expect_variables(const struct prometheus *prometheus, const json_t *dashboard)
{
    size_t i;
    json_t *variable;
    const json_t *templating = json_object_get(dashboard, "templating");
    json_array_foreach(json_object_get(templating, "list"), i, variable)
    {
        const char *query = json_string_value(json_object_get(variable, "definition"));
        char expr[4096];
        if (query == NULL) {
            continue; /* the choice of the source */
        }
        assert_memory_equal(query, "label_values(", 13);
        fill_in(query + 13, expr);
        char *label = strrchr(expr, ',');
        assert_non_null(label);
        *label++ = '\0';
        char has_label[5000];
        snprintf(has_label, sizeof has_label, "group by (%.*s) (%s)", (int)strcspn(label, ")"),
                 label, expr);
        json_t *result = prometheus_wait(prometheus, has_label);
        assert_non_null(result);
        json_decref(result);
    }
}

/* Each name of a metric in an expression is one that there are samples of. */
static void expect_names(const struct prometheus *prometheus, const char *expr)
{
    for (const char *at = expr; *at != '\0';) {
        size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz_");
        if (len > 5 && (strncmp(at, "hgtp_", 5) == 0 || strncmp(at, "process_", 8) == 0)) {
            char name[128];
            snprintf(name, sizeof name, "%.*s", (int)len, at);
            json_t *result = prometheus_wait(prometheus, name);
            if (result == NULL) {
                fail_msg("there is no %s, but it is asked for: %s", name, expr);
            }
            json_decref(result);
        }
        at += len > 0 ? len : 1;
    }
}

E2E_SCENARIO(every_panel_and_every_alert_finds_what_it_asks_for)
{
    struct company people = company(e);
    const uint16_t ports[] = {e->nodes[0].http_port, e->nodes[1].http_port};
    talk(&people, 0);
    struct prometheus *prometheus = prometheus_open(e, ports, 2);
    talk(&people, SAID);
    json_t *dashboard = json_load_file(DASHBOARD, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(dashboard);
    expect_variables(prometheus, dashboard);
    size_t i;
    json_t *panel, *rule;
    json_array_foreach(json_object_get(dashboard, "panels"), i, panel)
    {
        expect_panel(prometheus, panel);
    }
    json_decref(dashboard);

    json_t *rules = prometheus_rules(prometheus);
    assert_true(json_array_size(rules) > 20);
    json_array_foreach(rules, i, rule)
    {
        const char *name = json_string_value(json_object_get(rule, "name"));
        const char *health = json_string_value(json_object_get(rule, "health"));
        const char *state = json_string_value(json_object_get(rule, "state"));
        if (strcmp(health, "err") == 0 || strcmp(state, "firing") == 0) {
            fail_msg("%s on healthy nodes: %s, %s", name, health, state);
        }
        expect_names(prometheus, json_string_value(json_object_get(rule, "query")));
    }
    json_decref(rules);
}

/* The rules see a node that is gone, and one that cannot reach Redis, by way of all that is
 * between. */
E2E_SCENARIO(what_breaks_becomes_an_alert)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    const uint16_t ports[] = {e->nodes[0].http_port, e->nodes[1].http_port};
    struct prometheus *prometheus = prometheus_open(e, ports, 2);
    e2e_cluster_kill(e, 1);
    json_t *alert = prometheus_wait(prometheus, "ALERTS{alertname=\"HgtpNodeDown\"}");
    assert_non_null(alert);
    json_decref(alert);
    redis_server_kill(e->redis);
    alert = prometheus_wait(prometheus, "ALERTS{alertname=\"HgtpRedisAway\"}");
    assert_non_null(alert);
    json_decref(alert);
    alert = prometheus_wait(prometheus, "ALERTS{alertname=\"HgtpNobodyServes\"}");
    assert_non_null(alert);
    json_decref(alert);
    assert_true(redis_server_start(e->redis));
    assert_true(e2e_metric_becomes(e, 0, "hgtp_ready", 1, 10000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(deliveries_are_measured_for_each_transport_and_none_took_for_ever),
        E2E_TEST(what_was_said_before_a_client_came_is_not_measured_as_late),
        E2E_TEST(every_hop_is_measured),
        E2E_TEST(readiness_and_draining_are_told),
        E2E_TEST(promtool_finds_nothing_to_say_about_the_text),
        E2E_TEST(every_panel_and_every_alert_finds_what_it_asks_for),
        E2E_TEST(what_breaks_becomes_an_alert),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
