/* SPDX-License-Identifier: MIT */
/*
 * e2e_cluster: a scenario's nodes when there are several: on one Redis, with names n0, n1, ...,
 * each on its own loopback ports, which it keeps when it is started again. Nodes are meant by their
 * index. Clients are bound to one node, and bound to another as a balancer would do it.
 */
#ifndef SUPPORT_E2E_CLUSTER_H
#define SUPPORT_E2E_CLUSTER_H

#include "e2e.h"
#include "relay.h"

#define E2E_CLUSTER_MESH_MS  15000
#define E2E_CLUSTER_ADOPT_MS 20000

/** Start `count` nodes with these "section.key=value" settings and wait until all serve. A Redis is
 * started unless the scenario has one already. */
#define E2E_CLUSTER(e, count, ...)                                                                 \
    e2e_cluster((e), (count), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
void e2e_cluster(struct e2e *e, size_t count, const char *const *sets);

/** The same, where the nodes reach each other through relays (nodes[i].bus_relay). */
#define E2E_CLUSTER_RELAYED(e, count, ...)                                                         \
    e2e_cluster_relayed((e), (count), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
void e2e_cluster_relayed(struct e2e *e, size_t count, const char *const *sets);

/** Wait until every living node is connected to all others: its metric hgtp_bus_peers says so. */
void e2e_cluster_meshed(struct e2e *e);

/** SIGKILL; it is gone when this returns. */
void e2e_cluster_kill(struct e2e *e, size_t node);
/** SIGTERM; it has ended with 0 and left nothing behind when this returns. */
void e2e_cluster_stop(struct e2e *e, size_t node);
/** Start it again after its end: same name, same ports, same settings. Returns when it serves. */
void e2e_cluster_start(struct e2e *e, size_t node);

/** A node that wants a name which another has; nothing is waited for. Freed with the scenario. */
struct daemon *e2e_cluster_double(struct e2e *e, size_t node);

/** Clients and users as in e2e.h, bound to that node. */
struct original *e2e_client_at(struct e2e *e, size_t node, const struct original_options *options);
struct original *e2e_user_at(struct e2e *e, size_t node, const char *name);

/** From now on the client's datagrams, or its messages, or both, go to that node. The client knows
 * nothing of it. */
void e2e_rebind(struct e2e *e, struct original *client, size_t node);
void e2e_rebind_datagrams(struct e2e *e, struct original *client, size_t node);
void e2e_rebind_talk(struct e2e *e, struct original *client, size_t node);

/** As e2e_get and e2e_metric, of that node. */
int e2e_get_at(const struct e2e *e, size_t node, const char *target, char *ret_body,
               size_t body_cap);
int64_t e2e_metric_at(const struct e2e *e, size_t node, const char *name);
/** The metric has this value before the deadline. */
bool e2e_metric_becomes(const struct e2e *e, size_t node, const char *name, int64_t value,
                        int64_t timeout_ms);

#endif
