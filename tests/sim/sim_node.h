/* SPDX-License-Identifier: MIT */
/*
 * sim_node: nodes of the simulated cluster: the real talk and store of each, with ports into the
 * world: bus (sim_bus.c), push connections (sim_push.c), lines (sim_line.c), datagrams (sim_net.c).
 */
#ifndef SIM_SIM_NODE_H
#define SIM_SIM_NODE_H

#include "node/base/config.h"
#include "node/core/core.h"
#include "node/store/store.h"
#include "sim.h"

#define SIM_NODES_MAX 8
#define SIM_REALM     "SIM"
#define SIM_PREFIX    "hgtp:{" SIM_REALM "}:"
#define SIM_KEY       "950817"

enum sim_phase { SIM_DOWN, SIM_UP, SIM_DRAINING, SIM_STOPPING, SIM_LEAVING };

struct sim_bus;
struct sim_line;
struct sim_push;

struct sim_node {
    int index;
    uint32_t life; /* counts its runs, and their ends */
    enum sim_phase phase;
    bool is_paused;
    char name[32]; /* "n0@..." */
    char hgtp[32], http[32], bus_address[32];
    struct core *core;
    struct store *store;
    int64_t clock_us; /* its monotonic clock at virtual time 0 */
    int64_t wall_ahead_us;
    int64_t wake_us;  /* when it is woken; 0: it will not be */
    int64_t until_us; /* of its phase */
    struct sim_bus *bus;
    struct sim_line *lines;
    struct sim_push *pushes;
};

extern struct sim_node sim_nodes[SIM_NODES_MAX];
extern int sim_node_count;
extern struct config sim_config;

void sim_nodes_begin(int count);
/** All nodes end at once. */
void sim_nodes_end(void);

void sim_node_start(struct sim_node *node);
/** kill -9 */
void sim_node_kill(struct sim_node *node);
/** SIGTERM: drains, and ends. */
void sim_node_drain(struct sim_node *node);
void sim_node_pause(struct sim_node *node, int64_t for_us);
/** After each of its events: what it has for others leaves. */
void sim_node_turn_ends(struct sim_node *node);
bool sim_node_is_up(const struct sim_node *node);
/** One that serves, or one that doesn't if none does. */
struct sim_node *sim_node_pick(void);

/* How long something is on its way */
enum sim_way { SIM_WAY_REDIS, SIM_WAY_BUS, SIM_WAY_TCP, SIM_WAY_UDP };
int64_t sim_way_us(enum sim_way way);

/* sim_bus.c */
void sim_bus_start(struct sim_node *node);
void sim_bus_end(struct sim_node *node);
struct bus_port sim_bus_port(struct sim_node *node);
void sim_bus_flush(struct sim_node *node);
/** Nothing goes from one to the other until then; `is_held`: it comes later, else never. */
void sim_bus_cut(int from, int to, int64_t until_us, bool is_held);
void sim_bus_begin(void);

/* sim_push.c */
struct push_port sim_push_port(struct sim_node *node);
void sim_push_end(struct sim_node *node);
/** The connections to a user's port break; they are made again. */
void sim_push_break(const struct sim_user *user);

/* sim_line.c */
struct line_port sim_line_port(void);
void sim_line_end(struct sim_node *node);
/** After sim_line_end, when talk is no more. */
void sim_line_free(struct sim_node *node);

/* sim_net.c */
struct datagram_port sim_datagram_port(struct sim_node *node);

#endif
