/* SPDX-License-Identifier: MIT */
/*
 * sim_node: the life of a node as node/lifecycle.c has it, on virtual time: start, SIGTERM, kill
 * -9, SIGSTOP. Its clocks and its randomness come from the world.
 */
#include "sim_node.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_client.h"
#include "sim_faults.h"

#define NODE_WALL_US   ((int64_t)1700000000 * SIM_S)
#define NODE_DRAIN_US  (3 * SIM_S)
#define NODE_SETTLE_US (2 * SIM_S)
#define NODE_LEAVE_US  (1500 * SIM_MS)
#define NODE_STEP_US   (50 * SIM_MS)

struct sim_node sim_nodes[SIM_NODES_MAX];
int sim_node_count;
struct config sim_config;

static const struct core_keys node_keys = {{{(const uint8_t *)SIM_KEY, sizeof SIM_KEY - 1}}, 1};
static const struct core_keys node_bus_keys = {.count = 0};

/* Clocks -----------------------------------------------------------------------------------------
 */

/* metrics_now_us for all that is linked into the simulator: no real time anywhere. */
int64_t __wrap_metrics_now_us(void);
int64_t __wrap_metrics_now_us(void)
{
    const struct sim_node *node = sim_node_now();
    return sim_now_us + (node != NULL ? node->clock_us : 0);
}

static int64_t node_now_ms(void *ctx)
{
    const struct sim_node *node = ctx;
    return (sim_now_us + node->clock_us) / SIM_MS;
}

static int64_t node_now_unix_ms(void *ctx)
{
    const struct sim_node *node = ctx;
    return (NODE_WALL_US + sim_now_us + node->wall_ahead_us) / SIM_MS;
}

static void node_random(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(sim_random() >> 32);
    }
}

static void node_wake_in(void *ctx, int64_t ms);

static void node_on_wake(void *arg, bool is_over)
{
    struct sim_node *node = arg;
    if (is_over || node->wake_us == 0 || node->wake_us > sim_now_us || node->phase >= SIM_LEAVING) {
        return; /* it is to be woken at another time by now */
    }
    node->wake_us = 0;
    node_wake_in(node, core_tick(node->core));
}

static void node_wake_in(void *ctx, int64_t ms)
{
    struct sim_node *node = ctx;
    int64_t at_us = sim_now_us + (ms > 0 ? ms : 0) * SIM_MS;
    if (node->wake_us == 0 || at_us < node->wake_us) {
        node->wake_us = at_us;
        sim_node_in(node, at_us - sim_now_us, SIM_TIMER, node_on_wake, node);
    }
}

/* Ways -------------------------------------------------------------------------------------------
 */

int64_t sim_way_us(enum sim_way way)
{
    static const int64_t usual_us[] = {
        [SIM_WAY_REDIS] = 150, [SIM_WAY_BUS] = 200, [SIM_WAY_TCP] = 300, [SIM_WAY_UDP] = 300};
    int64_t us = usual_us[way] + (int64_t)sim_below((uint32_t)usual_us[way] * 2);
    if (sim_fault_is_on(FAULT_delay) && sim_chance(way == SIM_WAY_REDIS ? 10 : 40)) {
        us += sim_between(SIM_MS, sim_chance(100) ? 400 * SIM_MS : 40 * SIM_MS);
    }
    return us;
}

/* Life -------------------------------------------------------------------------------------------
 */

static void node_on_store(bool connected, const char *why, void *arg)
{
    struct sim_node *node = arg;
    SIM_TELL(NULL, NULL, "n%d: Redis is %s %s", node->index, connected ? "connected" : "away", why);
    core_on_store(node->core, connected);
}

static void node_on_late(const struct result *result, void *arg)
{
    struct sim_node *node = arg;
    SIM_TELL(NULL, NULL, "n%d: a late answer", node->index);
    core_on_late(node->core, result);
}

static void node_on_schema(struct bytes schema, void *arg)
{
    (void)schema;
    (void)arg;
    assert(false);
}

void sim_node_start(struct sim_node *node)
{
    assert(node->phase == SIM_DOWN);
    node->life++;
    node->phase = SIM_UP;
    node->is_paused = false;
    node->wake_us = 0;
    node->clock_us = sim_between(0, 1000) * SIM_S;
    node->wall_ahead_us = sim_between(-2000, 2000) * SIM_MS;
    snprintf(node->name, sizeof node->name, "n%d@%08x", node->index, (unsigned)sim_random());
    snprintf(node->hgtp, sizeof node->hgtp, "10.9.0.%d:9000", node->index + 1);
    snprintf(node->http, sizeof node->http, "10.9.0.%d:8080", node->index + 1);
    snprintf(node->bus_address, sizeof node->bus_address, "tcp://10.9.0.%d:9200", node->index + 1);
    SIM_TELL(NULL, NULL, "n%d starts as %s", node->index, node->name);
    const struct store_options store = {.loop = (uv_loop_t *)(void *)node,
                                        .url = "sim",
                                        .realm = SIM_REALM,
                                        .deadline_ms = sim_config.redis_deadline_ms,
                                        .on_state = node_on_store,
                                        .on_late = node_on_late,
                                        .on_schema = node_on_schema,
                                        .arg = node};
    node->store = store_open(&store);
    sim_bus_start(node);
    const struct core_options options = {
        .config = &sim_config,
        .keys = &node_keys,
        .bus_keys = &node_bus_keys,
        .node = node->name,
        .http_port = 8080,
        .hgtp_address = node->hgtp,
        .http_address = node->http,
        .bus_address = node->bus_address,
        .store = store_port(node->store),
        .datagram = sim_datagram_port(node),
        .push = sim_push_port(node),
        .line = sim_line_port(),
        .bus = sim_bus_port(node),
        .clock = {node, node_now_ms, node_now_unix_ms, node_wake_in, node_random}};
    node->core = core_new(&options);
    assert(node->store != NULL && node->core != NULL);
    node_wake_in(node, 0);
}

static void node_on_store_closed(void *arg)
{
    struct sim_node *node = arg;
    node->store = NULL;
}

/* Its process is gone: the world hears nothing of it any more, then its memory is freed. */
static void node_end(struct sim_node *node)
{
    node->phase = SIM_DOWN;
    node->life++;
    if (node->is_paused) {
        node->is_paused = false;
        sim_node_goes_on(node);
    }
    sim_line_end(node);
    sim_push_end(node);
    sim_bus_end(node);
    store_close(node->store, node_on_store_closed, node);
    assert(node->store == NULL);
    core_free(node->core);
    node->core = NULL;
    sim_line_free(node);
}

void sim_node_kill(struct sim_node *node)
{
    SIM_TELL(NULL, NULL, "n%d is killed", node->index);
    node_end(node);
}

static void node_on_goes_on(void *arg, bool is_over)
{
    struct sim_node *node = arg;
    if (!is_over && node->is_paused) {
        node->is_paused = false;
        SIM_TELL(NULL, NULL, "n%d goes on", node->index);
        sim_node_goes_on(node);
    }
}

struct node_pause {
    struct sim_node *node;
    uint32_t life;
};

static void node_on_pause_over(void *arg, bool is_over)
{
    struct node_pause *pause = arg;
    node_on_goes_on(pause->node, is_over || pause->node->life != pause->life);
    free(pause);
}

void sim_node_pause(struct sim_node *node, int64_t for_us)
{
    struct node_pause *pause = malloc(sizeof *pause);
    assert(pause != NULL);
    *pause = (struct node_pause){node, node->life};
    SIM_TELL(NULL, NULL, "n%d is paused for %lld ms", node->index, (long long)(for_us / SIM_MS));
    node->is_paused = true;
    sim_in(for_us, node_on_pause_over, pause);
}

static bool node_is_quiet(const struct sim_node *node)
{
    return core_in_flight(node->core) == 0;
}

static void node_enter(struct sim_node *node, enum sim_phase phase, int64_t within_us)
{
    node->phase = phase;
    node->until_us = sim_now_us + within_us;
}

static void node_on_end(void *arg, bool is_over)
{
    if (!is_over) {
        struct sim_node *node = arg;
        SIM_TELL(NULL, NULL, "n%d has drained and ends", node->index);
        node_end(node);
    }
}

static void node_on_drain_step(void *arg, bool is_over)
{
    struct sim_node *node = arg;
    if (is_over) {
        return;
    }
    bool is_late = sim_now_us >= node->until_us;
    if (node->phase == SIM_DRAINING &&
        (core_others(node->core) == 0 || is_late || core_census(node->core).sessions == 0)) {
        node_enter(node, SIM_STOPPING, NODE_SETTLE_US);
        core_stop(node->core);
        sim_lines_send_off(node);
    } else if (node->phase == SIM_STOPPING &&
               ((node_is_quiet(node) && core_settled(node->core)) || is_late)) {
        node_enter(node, SIM_LEAVING, NODE_LEAVE_US);
        core_leave(node->core);
    } else if (node->phase == SIM_LEAVING &&
               ((node_is_quiet(node) && core_census(node->core).sessions == 0) || is_late)) {
        /* Not from inside its own event. */
        sim_node_in(node, 0, SIM_TIMER, node_on_end, node);
        return;
    }
    sim_node_in(node, NODE_STEP_US, SIM_TIMER, node_on_drain_step, node);
}

static void node_on_drain(void *arg, bool is_over)
{
    struct sim_node *node = arg;
    if (is_over || node->phase != SIM_UP) {
        return;
    }
    SIM_TELL(NULL, NULL, "n%d drains", node->index);
    node_enter(node, SIM_DRAINING, NODE_DRAIN_US);
    core_drain(node->core, NODE_DRAIN_US / 2 / SIM_MS);
    sim_node_in(node, NODE_STEP_US, SIM_TIMER, node_on_drain_step, node);
}

void sim_node_drain(struct sim_node *node)
{
    sim_node_in(node, 0, SIM_IO, node_on_drain, node);
}

void sim_node_turn_ends(struct sim_node *node)
{
    if (node->phase != SIM_DOWN) {
        sim_bus_flush(node);
    }
}

bool sim_node_is_up(const struct sim_node *node)
{
    return node->phase != SIM_DOWN;
}

struct sim_node *sim_node_pick(void)
{
    struct sim_node *picked = &sim_nodes[sim_below((uint32_t)sim_node_count)];
    /* A balancer sends most, but not all, to those that serve. */
    for (int i = 0; i < sim_node_count && picked->phase != SIM_UP && !sim_chance(100); i++) {
        picked = &sim_nodes[(picked->index + 1) % sim_node_count];
    }
    return picked;
}

void sim_nodes_begin(int count)
{
    memset(sim_nodes, 0, sizeof sim_nodes);
    sim_node_count = count;
    sim_bus_begin();
    for (int i = 0; i < count; i++) {
        sim_nodes[i].index = i;
        sim_node_start(&sim_nodes[i]);
    }
}

void sim_nodes_end(void)
{
    for (int i = 0; i < sim_node_count; i++) {
        if (sim_nodes[i].phase != SIM_DOWN) {
            node_end(&sim_nodes[i]);
        }
    }
}
