/* SPDX-License-Identifier: MIT */
/*
 * e2e_cluster: starts, kills and restarts the nodes of a scenario and binds clients to them. What
 * must hold at the scenario's end is e2e.c's, for one node and for many.
 */
#include "e2e_cluster.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define E2E_CLUSTER_SETS_MAX 24

/* Nodes ---------------------------------------------------------------------------------------- */

/* Its ports stay its own while it is down. */
static void e2e_cluster_ports(struct e2e_node *node)
{
    uint16_t *const ports[] = {&node->hgtp_port, &node->http_port, &node->bus_port};
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        *ports[i] = *ports[i] != 0 ? *ports[i] : sockets_free_port();
        assert_true(*ports[i] != 0);
    }
}

static struct daemon *e2e_cluster_run(struct e2e *e, const struct e2e_node *node)
{
    char url[160], id[64], hgtp[64], http[64], bus[96], advertise[96];
    const char *sets[E2E_CLUSTER_SETS_MAX + 8] = {
        url, id, hgtp, http, bus, "bus.key=shared by the scenario's nodes"};
    size_t count = 6;
    if (node->redis_relay != NULL) {
        snprintf(url, sizeof url, "redis.url=redis://127.0.0.1:%u/0",
                 relay_port(node->redis_relay));
    } else {
        snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    }
    snprintf(id, sizeof id, "node.id=%s", node->id);
    snprintf(hgtp, sizeof hgtp, "hgtp.listen=127.0.0.1:%u", node->hgtp_port);
    snprintf(http, sizeof http, "http.listen=127.0.0.1:%u", node->http_port);
    const char *scheme = e->bus_scheme != NULL ? e->bus_scheme : "tcp";
    snprintf(bus, sizeof bus, "bus.listen=%s://127.0.0.1:%u", scheme, node->bus_port);
    if (node->bus_relay != NULL) {
        snprintf(advertise, sizeof advertise, "bus.advertise=%s://127.0.0.1:%u", scheme,
                 relay_port(node->bus_relay));
        sets[count++] = advertise;
    }
    for (size_t i = 0; e->cluster_sets[i] != NULL; i++) {
        assert_true(i < E2E_CLUSTER_SETS_MAX);
        sets[count++] = e->cluster_sets[i];
    }
    return daemon_start(sets);
}

static void e2e_cluster_keep_sets(struct e2e *e, const char *const *sets)
{
    size_t count = 0;
    while (sets[count] != NULL) {
        count++;
    }
    e->cluster_sets = calloc(count + 1, sizeof *e->cluster_sets);
    assert_non_null(e->cluster_sets);
    for (size_t i = 0; i < count; i++) {
        e->cluster_sets[i] = strdup(sets[i]);
    }
}

void e2e_cluster(struct e2e *e, size_t count, const char *const *sets)
{
    assert_true(e->node_count == 0 && count <= E2E_NODES_MAX);
    if (e->redis == NULL) {
        e->redis = redis_server_new();
        assert_true(redis_server_start(e->redis));
    }
    e2e_cluster_keep_sets(e, sets);
    for (size_t i = 0; i < count; i++) {
        struct e2e_node *node = &e->nodes[e->node_count++];
        snprintf(node->id, sizeof node->id, "n%zu", i);
        e2e_cluster_ports(node);
        node->daemon = e2e_cluster_run(e, node);
    }
    for (size_t i = 0; i < count; i++) {
        assert_true(daemon_wait_ready(e->nodes[i].daemon));
    }
}

void e2e_cluster_relayed(struct e2e *e, size_t count, const char *const *sets)
{
    assert_true(count <= E2E_NODES_MAX);
    for (size_t i = 0; i < count; i++) {
        e2e_cluster_ports(&e->nodes[i]);
        e->nodes[i].bus_relay = relay_open(e->nodes[i].bus_port);
    }
    e2e_cluster(e, count, sets);
}

static struct e2e_node *e2e_cluster_living(struct e2e *e, size_t node)
{
    assert_true(node < e->node_count && e->nodes[node].daemon != NULL);
    return &e->nodes[node];
}

/* Its log may still be wanted. */
static void e2e_cluster_ended(struct e2e *e, struct e2e_node *node)
{
    assert_true(e->ended_count < E2E_ENDED_MAX);
    e->ended[e->ended_count++] = node->daemon;
    node->daemon = NULL;
}

void e2e_cluster_kill(struct e2e *e, size_t node)
{
    struct e2e_node *at = e2e_cluster_living(e, node);
    process_signal(at->daemon->process, SIGKILL);
    assert_int_equal(process_wait_exit(at->daemon->process, DAEMON_STOP_MS), 128 + SIGKILL);
    e2e_cluster_ended(e, at);
}

void e2e_cluster_stop(struct e2e *e, size_t node)
{
    struct e2e_node *at = e2e_cluster_living(e, node);
    e2e_check_end(at->daemon);
    e2e_cluster_ended(e, at);
}

void e2e_cluster_start(struct e2e *e, size_t node)
{
    assert_true(node < e->node_count && e->nodes[node].daemon == NULL);
    e->nodes[node].daemon = e2e_cluster_run(e, &e->nodes[node]);
    assert_true(daemon_wait_ready(e->nodes[node].daemon));
}

struct daemon *e2e_cluster_double(struct e2e *e, size_t node)
{
    struct e2e_node same_name = {0};
    assert_true(node < e->node_count && e->ended_count < E2E_ENDED_MAX);
    memcpy(same_name.id, e->nodes[node].id, sizeof same_name.id);
    struct daemon *daemon = e2e_cluster_run(e, &same_name);
    e->ended[e->ended_count++] = daemon;
    return daemon;
}

void e2e_cluster_meshed(struct e2e *e)
{
    int64_t living = 0;
    for (size_t i = 0; i < e->node_count; i++) {
        living += e->nodes[i].daemon != NULL;
    }
    for (size_t i = 0; i < e->node_count; i++) {
        if (e->nodes[i].daemon != NULL &&
            !e2e_metric_becomes(e, i, "hgtp_bus_peers", living - 1, E2E_CLUSTER_MESH_MS)) {
            fail_msg("%s is not connected to the other %d nodes: hgtp_bus_peers is %d",
                     e->nodes[i].id, (int)living - 1, (int)e2e_metric_at(e, i, "hgtp_bus_peers"));
        }
    }
}

/* Clients -------------------------------------------------------------------------------------- */

struct original *e2e_client_at(struct e2e *e, size_t node, const struct original_options *options)
{
    struct original_options complete = *options;
    complete.server_port = e2e_cluster_living(e, node)->hgtp_port;
    return e2e_client_with(e, &complete);
}

struct original *e2e_user_at(struct e2e *e, size_t node, const char *name)
{
    const struct original_options options = {.name = name,
                                             .server_port = e2e_cluster_living(e, node)->hgtp_port};
    return e2e_user_with(e, &options);
}

void e2e_rebind_datagrams(struct e2e *e, struct original *client, size_t node)
{
    original_redirect_datagrams(client, e2e_cluster_living(e, node)->hgtp_port);
}

void e2e_rebind_talk(struct e2e *e, struct original *client, size_t node)
{
    original_redirect_talk(client, e2e_cluster_living(e, node)->http_port);
}

void e2e_rebind(struct e2e *e, struct original *client, size_t node)
{
    e2e_rebind_datagrams(e, client, node);
    e2e_rebind_talk(e, client, node);
}

/* Questions ------------------------------------------------------------------------------------ */

int e2e_get_at(const struct e2e *e, size_t node, const char *target, char *ret_body,
               size_t body_cap)
{
    return http_client_get(SOCKETS_LOOPBACK, e->nodes[node].http_port, target, ret_body, body_cap);
}

int64_t e2e_metric_at(const struct e2e *e, size_t node, const char *name)
{
    return e2e_metric_of(e->nodes[node].http_port, name);
}

bool e2e_metric_becomes(const struct e2e *e, size_t node, const char *name, int64_t value,
                        int64_t timeout_ms)
{
    int64_t deadline_ms = pump_deadline_ms(timeout_ms);
    while (e2e_metric_at(e, node, name) != value) {
        if (pump_now_ms() >= deadline_ms) {
            return false;
        }
        e2e_retry_pause();
    }
    return true;
}
