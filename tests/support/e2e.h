/* SPDX-License-Identifier: MIT */
/*
 * e2e: what every end-to-end scenario needs: a node of its own, clients, assertions on responses,
 * and at its end the things that must hold always. A scenario fails with the logs of all in sight.
 */
#ifndef SUPPORT_E2E_H
#define SUPPORT_E2E_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "balancer.h"
#include "daemon.h"
#include "http_client.h"
#include "original.h"
#include "proto/err.h"
#include "redis_server.h"

#define E2E_CLIENTS_MAX 64
#define E2E_NODES_MAX   5
#define E2E_ENDED_MAX   16
#define E2E_GUESTS_MAX  64

/** A node of a cluster (e2e_cluster.h): its place stays while its process comes and goes. */
struct e2e_node {
    struct daemon *daemon; /* NULL: does not run */
    char id[32];
    uint16_t hgtp_port, http_port, bus_port; /* 0: not known yet */
    struct relay *bus_relay; /* through which the others reach its bus; NULL: none */
    struct relay
        *redis_relay; /* through which it reaches Redis, set before it starts; NULL: none */
};

/** Whatever else a scenario has opened: printed when it fails, asked when it passes, freed in any
 * case. */
struct e2e_guest {
    void *guest;
    void (*print)(const void *guest, FILE *out);
    const char *(*broken)(const void *guest); /* what the server did wrong to it; NULL: nothing */
    void (*free)(void *guest);
};

struct e2e {
    struct daemon *daemon; /* the node of a scenario with one */
    struct e2e_node nodes[E2E_NODES_MAX];
    size_t node_count;
    const char *bus_scheme; /* of a cluster's nodes; NULL: "tcp" */
    char **cluster_sets;    /* NULL-terminated; owned */
    struct daemon *ended[E2E_ENDED_MAX];
    size_t ended_count;
    struct balancer *balancer; /* NULL: none */
    struct redis_server *redis;
    struct original *clients[E2E_CLIENTS_MAX];
    size_t client_count;
    struct e2e_guest guests[E2E_GUESTS_MAX];
    size_t guest_count;
    bool has_passed;
};

/** Opens a scenario: E2E_SCENARIO(name) { ... uses `e` ... }, listed by E2E_TEST(name). */
#define E2E_SCENARIO(name)                                                                         \
    static void name##_steps(struct e2e *e);                                                       \
    static void name(void **state)                                                                 \
    {                                                                                              \
        name##_steps(*state);                                                                      \
        e2e_passed(*state);                                                                        \
    }                                                                                              \
    static void name##_steps(struct e2e *e)
#define E2E_TEST(name) cmocka_unit_test_setup_teardown(name, e2e_setup, e2e_teardown)

int e2e_setup(void **state);
int e2e_teardown(void **state);

/**
 * What holds at the end of every scenario: no client in a state that breaks the original, every
 * push exactly as the original writes it, every datagram from a listening socket and none empty but
 * through a balancer, and nodes that end on SIGTERM with 0 and leave neither process nor file.
 */
void e2e_passed(struct e2e *e);
/** The part of it about a node's end, for one that the scenario ends itself. */
void e2e_check_end(struct daemon *daemon);

/** Settings of a node whose users say as much as they can: without a rate for them. */
#define E2E_NO_RATES                                                                               \
    "limits.messages_per_s=1000000", "limits.cost_per_s=10000000",                                 \
        "limits.address_cost_per_s=100000000"

/** Start the scenario's node with these "section.key=value" settings and wait until it serves. */
#define E2E_NODE(e, ...) e2e_node((e), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
void e2e_node(struct e2e *e, const char *const *sets);

/** A client that has said nothing yet, on 127.0.0.1; or with options, whose server is filled in:
 * a server_port of 0 is the balancer's, or that of the scenario's node. */
struct original *e2e_client(struct e2e *e, const char *name);
struct original *e2e_client_with(struct e2e *e, const struct original_options *options);
/** A registered one that has its lists. */
struct original *e2e_user(struct e2e *e, const char *name);
struct original *e2e_user_with(struct e2e *e, const struct original_options *options);
/** Its process is gone, without a word to the server. */
void e2e_vanish(struct e2e *e, struct original *client);

/** `manager` opens a room, or `user` joins it; its list and notice have come when this returns. */
void e2e_open_room(struct original *manager, const char *room);
void e2e_join_room(struct original *user, const char *room);

/** Print and broken may be NULL. */
void e2e_adopt(struct e2e *e, const struct e2e_guest *guest);

/** The clock has passed lists.coalesce_ms, so the next change of a list is pushed at once. */
void e2e_pass_coalescing(void);

/** Between two looks at something that changes by time alone: 20 ms in which all clients go on. */
void e2e_retry_pause(void);

/* Assertions that name the scenario's line. ---------------------------------------------------- */

#define e2e_ok(event) e2e_response_at((event), HGTP_OK, ERR_NONE, __FILE__, __LINE__)
/** A response of this type whose body explains it by `err`: code and text of the catalogue. */
#define e2e_refused(event, type, err) e2e_response_at((event), (type), (err), __FILE__, __LINE__)
void e2e_response_at(const struct original_event *event, enum hgtp_type type, enum err err,
                     const char *file, int line);

/** Text of the catalogue. */
const char *e2e_reason_text(enum err err);

/** Something has come (non-NULL); returns it. */
#define e2e_came(event) e2e_came_at((event), #event, __FILE__, __LINE__)
const struct original_event *e2e_came_at(const struct original_event *event, const char *what,
                                         const char *file, int line);

/** `first` was there before `then`. */
#define e2e_in_order(first, then) assert_true((first)->arrived_ns < (then)->arrived_ns)

/** GET of the node; status 0 when it does not answer. */
int e2e_get(const struct e2e *e, const char *target, char *ret_body, size_t body_cap);
/** Value of a line of /metrics, labels included in `name`; -1 when there is none. */
int64_t e2e_metric(const struct e2e *e, const char *name);
/** The same of whatever listens at this port of 127.0.0.1. */
int64_t e2e_metric_of(uint16_t http_port, const char *name);

#endif
