/* SPDX-License-Identifier: MIT */
/*
 * sim_push: the connections from nodes to the HTTP ports of original clients, as node/front/push.h
 * promises: requests in their order, answers counted, what was not answered when a connection broke
 * sent again.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim_client.h"
#include "sim_faults.h"
#include "sim_node.h"

#define PUSH_RETRY_LEAST_US (100 * SIM_MS)
#define PUSH_RETRY_MOST_US  (15 * SIM_S)
#define PUSH_SILENCE_US     (30 * SIM_S)
#define PUSH_ITEM_BYTES     256

struct push_item {
    struct push_item *next;
    struct frame *body;
    enum push_type type;
    uint64_t mark;
    bool is_written;
};

struct sim_push {
    struct sim_push *next; /* of its node */
    struct sim_node *node;
    void *owner; /* NULL: closed */
    uint8_t uid[8];
    uint32_t ip;
    uint16_t port;
    bool is_connected;
    bool is_lingering;   /* closed: what is on its way still arrives */
    unsigned holds;      /* events that know it, and its node */
    uint32_t connection; /* counts them */
    int64_t to_us, from_us;
    int64_t retry_us, silent_since_us;
    int64_t failed_since_us; /* 0: it works */
    unsigned lost_count;
    struct push_item *items; /* not answered, oldest first */
    size_t bytes;
    bool has_refused, answers_at_all;
    uint64_t answered_mark, written_mark;
};

/* One request on its way, there or back. */
struct push_way {
    struct sim_push *push;
    struct sim_user *user;
    uint32_t connection;
    enum push_type type;
    struct frame *body;
};

static void push_connect(struct sim_push *push, int64_t in_us);
static void push_write(struct sim_push *push);

static void push_let_go(struct sim_push *push)
{
    if (--push->holds == 0) {
        free(push);
    }
}

static void push_drop_items(struct sim_push *push)
{
    while (push->items != NULL) {
        struct push_item *item = push->items;
        push->items = item->next;
        frame_unref(item->body);
        free(item);
    }
    push->bytes = 0;
}

static void push_note_failure(struct sim_push *push)
{
    if (push->failed_since_us == 0) {
        push->failed_since_us = push->silent_since_us != 0 ? push->silent_since_us : sim_now_us;
    }
}

/* Breaking: what was not answered waits again. */
static void push_break(struct sim_push *push)
{
    if (!push->is_connected) {
        return;
    }
    push->is_connected = false;
    push->lost_count++;
    push_note_failure(push);
    push->silent_since_us = 0;
    for (struct push_item *item = push->items; item != NULL; item = item->next) {
        item->is_written = false;
    }
    push_connect(push, push->retry_us);
}

static void push_on_answer(void *arg, bool is_over)
{
    struct push_way *way = arg;
    struct sim_push *push = way->push;
    struct push_item *item = push->items;
    if (!is_over && push->owner != NULL && push->is_connected &&
        push->connection == way->connection && item != NULL && item->is_written) {
        push->items = item->next;
        push->bytes -= item->body->len + PUSH_ITEM_BYTES;
        push->answered_mark = item->mark != 0 ? item->mark : push->answered_mark;
        push->answers_at_all = true;
        push->failed_since_us = 0;
        push->retry_us = PUSH_RETRY_LEAST_US;
        push->silent_since_us = push->items != NULL ? sim_now_us : 0;
        frame_unref(item->body);
        free(item);
        if (push->has_refused && push->bytes <= (size_t)sim_config.limits_queue_bytes / 2) {
            push->has_refused = false;
            core_on_drained(push->owner);
        }
        if (push->owner != NULL) {
            core_on_confirmed(push->owner);
        }
    }
    push_let_go(push);
    free(way);
}

static void push_on_at_client(void *arg, bool is_over)
{
    struct push_way *way = arg;
    struct sim_push *push = way->push;
    if (!is_over && (push->is_connected || push->is_lingering) &&
        push->connection == way->connection) {
        if (sim_original_listens(way->user, push->port) && sim_original_answers(way->user)) {
            sim_trace_bytes(way->body->data, way->body->len);
            sim_original_on_push(way->user, push->uid, way->type,
                                 bytes_of(way->body->data, way->body->len));
            int64_t at_us = sim_now_us + sim_way_us(SIM_WAY_TCP);
            push->from_us = at_us > push->from_us ? at_us : push->from_us;
            frame_unref(way->body);
            way->body = NULL;
            sim_node_in(push->node, push->from_us - sim_now_us, SIM_IO, push_on_answer, way);
            return;
        }
        if (sim_original_listens(way->user, push->port)) { /* it hangs: it takes it later */
            int64_t until_us = sim_original_answers_at(way->user);
            push->to_us = until_us > push->to_us ? until_us : push->to_us;
            sim_in(until_us - sim_now_us, push_on_at_client, way);
            return;
        }
    }
    frame_unref(way->body);
    push_let_go(push);
    free(way);
}

static void push_write(struct sim_push *push)
{
    struct sim_user *user = sim_user_at(push->ip);
    for (struct push_item *item = push->items; item != NULL && push->is_connected;
         item = item->next) {
        if (item->is_written) {
            continue;
        }
        item->is_written = true;
        push->written_mark = item->mark != 0 ? item->mark : push->written_mark;
        push->silent_since_us = push->silent_since_us != 0 ? push->silent_since_us : sim_now_us;
        struct push_way *way = malloc(sizeof *way);
        assert(way != NULL);
        *way = (struct push_way){push, user, push->connection, item->type, frame_ref(item->body)};
        push->holds++;
        int64_t at_us = sim_now_us + sim_way_us(SIM_WAY_TCP);
        push->to_us = at_us > push->to_us ? at_us : push->to_us;
        sim_in(push->to_us - sim_now_us, push_on_at_client, way);
    }
}

static void push_on_connected(void *arg, bool is_over)
{
    struct sim_push *push = arg;
    if (!is_over && push->owner != NULL && !push->is_connected) {
        const struct sim_user *user = sim_user_at(push->ip);
        if (user != NULL && user->is_original && sim_original_listens(user, push->port)) {
            push->is_connected = true;
            push->connection++;
            push->to_us = push->from_us = sim_now_us;
            push_write(push);
        } else {
            push->retry_us =
                push->retry_us * 2 < PUSH_RETRY_MOST_US ? push->retry_us * 2 : PUSH_RETRY_MOST_US;
            push_connect(push, push->retry_us);
        }
    }
    push_let_go(push);
}

static void push_connect(struct sim_push *push, int64_t in_us)
{
    push->holds++;
    sim_node_in(push->node, in_us + 2 * sim_way_us(SIM_WAY_TCP), SIM_IO, push_on_connected, push);
}

static void push_on_break(void *arg, bool is_over)
{
    struct sim_push *push = arg;
    if (!is_over && push->owner != NULL) {
        push_break(push);
    }
    push_let_go(push);
}

void sim_push_break(const struct sim_user *user)
{
    for (int i = 0; i < sim_node_count; i++) {
        for (struct sim_push *push = sim_nodes[i].pushes; push != NULL; push = push->next) {
            if (push->ip == user->ip && push->owner != NULL) {
                push->holds++;
                sim_node_in(push->node, sim_way_us(SIM_WAY_TCP), SIM_IO, push_on_break, push);
            }
        }
    }
}

/* The port ---------------------------------------------------------------------------------------
 */

static void *push_port_open(void *ctx, const uint8_t uid[8], uint32_t ip, uint16_t port,
                            void *owner)
{
    struct sim_node *node = ctx;
    struct sim_push *push = calloc(1, sizeof *push);
    assert(push != NULL);
    push->node = node;
    push->owner = owner;
    push->ip = ip;
    push->port = port;
    push->holds = 1;
    push->retry_us = PUSH_RETRY_LEAST_US;
    memcpy(push->uid, uid, sizeof push->uid);
    push->next = node->pushes;
    node->pushes = push;
    push_connect(push, 0);
    return push;
}

static bool push_port_send(void *port, enum push_type type, struct frame *body, uint64_t mark)
{
    struct sim_push *push = port;
    size_t bytes = body->len + PUSH_ITEM_BYTES;
    if (push->items != NULL && push->bytes + bytes > (size_t)sim_config.limits_queue_bytes) {
        push->has_refused = true;
        return false;
    }
    struct push_item *item = malloc(sizeof *item), **last = &push->items;
    assert(item != NULL);
    *item = (struct push_item){.body = frame_ref(body), .type = type, .mark = mark};
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = item;
    push->bytes += bytes;
    push_write(push);
    return true;
}

static void push_port_redirect(void *port, uint32_t ip, uint16_t port_number)
{
    struct sim_push *push = port;
    if (push->ip != ip || push->port != port_number) {
        push->ip = ip;
        push->port = port_number;
        push->retry_us = 0;
        if (push->is_connected) {
            push_break(push);
        } else {
            push_connect(push, 0);
        }
        push->retry_us = PUSH_RETRY_LEAST_US;
        push->failed_since_us = push->silent_since_us = 0;
    }
}

static bool push_port_alive(const void *port)
{
    const struct sim_push *push = port;
    return push->is_connected &&
           (push->silent_since_us == 0 || sim_now_us - push->silent_since_us < PUSH_SILENCE_US);
}

static struct push_health push_port_health(const void *port)
{
    const struct sim_push *push = port;
    struct push_health health = {.is_up = push->is_connected, .lost_count = push->lost_count};
    bool is_in_doubt = !push->is_connected || push->silent_since_us != 0;
    int64_t since_us = push->failed_since_us != 0 ? push->failed_since_us : push->silent_since_us;
    if (is_in_doubt && since_us != 0) {
        health.failing_ms = (sim_now_us - since_us) / SIM_MS + 1;
    }
    return health;
}

static uint64_t push_port_confirmed(const void *port)
{
    const struct sim_push *push = port;
    return push->answers_at_all ? push->answered_mark : push->written_mark;
}

static bool push_port_idle(const void *port)
{
    return ((const struct sim_push *)port)->items == NULL;
}

static void push_port_close(void *port)
{
    struct sim_push *push = port;
    struct sim_push **at = &push->node->pushes;
    while (*at != NULL && *at != push) {
        at = &(*at)->next;
    }
    if (*at == push) {
        *at = push->next;
    }
    push->owner = NULL;
    push->is_lingering = push->is_lingering || push->is_connected;
    push->is_connected = false;
    push_drop_items(push);
    push_let_go(push);
}

struct push_port sim_push_port(struct sim_node *node)
{
    return (struct push_port){.ctx = node,
                              .open = push_port_open,
                              .send = push_port_send,
                              .redirect = push_port_redirect,
                              .alive = push_port_alive,
                              .health = push_port_health,
                              .confirmed = push_port_confirmed,
                              .idle = push_port_idle,
                              .close = push_port_close};
}

/* The node's process is gone: no connection of it brings anything any more. Talk still knows them.
 */
void sim_push_end(struct sim_node *node)
{
    for (struct sim_push *push = node->pushes; push != NULL; push = push->next) {
        push->is_lingering = push->is_connected && sim_chance(800);
        push->is_connected = false;
        push->connection += push->is_lingering ? 0 : 1;
    }
}
