/* SPDX-License-Identifier: MIT */
/*
 * sim_link: node/store/redis_link.h over the simulated way to Redis: the same promises, with delays
 * that the world decides on, deadlines in virtual time, replies that come late or never, and
 * connections that break with some of what was sent arriving nevertheless.
 */
#include <assert.h>
#include <stdlib.h>

#include "node/store/redis_link.h"
#include "sim.h"
#include "sim_node.h"
#include "sim_redis.h"

#define LINK_CONNECT_US     (2 * SIM_MS)
#define LINK_CUT_DEADLINES  3
#define LINK_RETRY_LEAST_US (50 * SIM_MS)
#define LINK_RETRY_MOST_US  (1000 * SIM_MS)

struct link_call {
    struct link_call *next;
    struct redis_link *link; /* NULL: the link is gone */
    uint32_t connection;     /* on which it was sent */
    bool is_answered;        /* to the caller, by NULL perhaps */
    bool is_lost;            /* it never arrives */
    bool is_given_up;        /* its connection has broken */
    unsigned holds;          /* events that know it */
    redis_link_on_reply_fn *on_reply;
    void *arg;
    int64_t arrive_us;
    uint64_t ticket;
    struct bytes *argv;
    size_t argc; /* 0: nothing is asked of Redis, the answer is OK */
    uint8_t data[];
};

struct redis_link {
    struct redis_link_options options;
    struct sim_node *node;
    struct redis_link *next;
    bool is_connected, was_connected, is_down_told, is_closing;
    uint32_t connection;                   /* counts them */
    int64_t there_us, back_us;             /* when what was sent last arrives */
    int64_t there_until_us, back_until_us; /* nothing arrives before */
    struct link_call *calls, **last; /* not answered, oldest first, answered ones in between */
    size_t in_flight;
    void (*on_closed)(void *arg);
    void *closed_arg;
};

static struct redis_link *links;

static void link_connect(struct redis_link *link, int64_t in_us);

static int64_t link_pass_us(int64_t *last_us, int64_t not_before_us)
{
    int64_t at_us = sim_now_us + sim_way_us(SIM_WAY_REDIS);
    at_us = at_us > not_before_us ? at_us : not_before_us;
    *last_us = at_us > *last_us ? at_us : *last_us;
    return *last_us - sim_now_us;
}

static void link_drop(struct link_call *call, unsigned holds)
{
    call->holds -= holds;
    if (call->holds == 0) {
        free(call);
    }
}

/* It is not open any more: one hold less, which the caller drops. */
static void link_forget(struct redis_link *link, struct link_call *call)
{
    struct link_call **at = &link->calls;
    while (*at != call) {
        at = &(*at)->next;
    }
    *at = call->next;
    if (*at == NULL) {
        link->last = at;
    }
    call->link = NULL;
}

static void link_answer(struct link_call *call, const redisReply *reply)
{
    if (!call->is_answered) {
        call->is_answered = true;
        call->on_reply(reply, call->arg);
    }
}

/* Breaking ---------------------------------------------------------------------------------------
 */

static void link_on_lost(void *arg, bool is_over)
{
    struct link_call *call = arg;
    struct redis_link *link = call->link;
    if (is_over || link == NULL) {
        link_drop(call, 1);
        return;
    }
    link_answer(call, NULL);
    link_forget(link, call);
    link_drop(call, 2);
}

static void link_break(struct redis_link *link, const char *why)
{
    if (!link->is_connected) {
        return;
    }
    link->is_connected = false;
    link->is_down_told = true;
    bool is_lost = false;
    for (struct link_call *call = link->calls; call != NULL; call = call->next) {
        if (call->connection != link->connection || call->is_given_up) {
            continue;
        }
        /* What was sent arrives up to some point. */
        is_lost = is_lost || sim_chance(200);
        call->is_lost = is_lost;
        call->is_given_up = true;
        call->holds++;
        sim_node_in(link->node, 0, SIM_IO, link_on_lost, call);
    }
    link->options.on_state(false, why, link->options.arg);
    link_connect(link, sim_between(LINK_RETRY_LEAST_US, 2 * LINK_RETRY_LEAST_US));
}

static struct redis_link *link_of(const struct sim_node *node)
{
    struct redis_link *link = links;
    while (link != NULL && link->node != node) {
        link = link->next;
    }
    return link;
}

static void link_on_break(void *arg, bool is_over)
{
    struct redis_link *link = is_over ? NULL : link_of(arg);
    if (link != NULL) {
        link_break(link, "reset");
    }
}

void sim_link_break(struct sim_node *node)
{
    sim_node_in(node, 0, SIM_IO, link_on_break, node);
}

void sim_link_break_all(void)
{
    for (struct redis_link *link = links; link != NULL; link = link->next) {
        sim_link_break(link->node);
    }
}

void sim_link_delay(struct sim_node *node, int64_t there_until_us, int64_t back_until_us)
{
    struct redis_link *link = link_of(node);
    if (link != NULL) {
        link->there_until_us = there_until_us;
        link->back_until_us = back_until_us;
    }
}

/* Connecting -------------------------------------------------------------------------------------
 */

static void link_on_connected(void *arg, bool is_over)
{
    struct redis_link *link = is_over ? NULL : arg;
    if (link == NULL || link->is_connected || link->is_closing) {
        return;
    }
    int64_t held_us =
        link->there_until_us > link->back_until_us ? link->there_until_us : link->back_until_us;
    held_us = sim_redis_stalled_until() > held_us ? sim_redis_stalled_until() : held_us;
    if (held_us > sim_now_us) { /* PING is not answered: the next attempt */
        if (!link->is_down_told) {
            link->is_down_told = true;
            link->options.on_state(false, "no answer", link->options.arg);
        }
        link_connect(link, sim_between(LINK_RETRY_LEAST_US, LINK_RETRY_MOST_US));
        return;
    }
    link->is_connected = true;
    link->is_down_told = false;
    link->connection++;
    link->there_us = link->back_us = sim_now_us;
    link->options.on_state(true, "", link->options.arg);
}

static void link_connect(struct redis_link *link, int64_t in_us)
{
    sim_node_in(link->node, in_us + LINK_CONNECT_US, SIM_IO, link_on_connected, link);
}

struct redis_link *redis_link_open(const struct redis_link_options *options)
{
    struct redis_link *link = calloc(1, sizeof *link);
    assert(link != NULL);
    link->options = *options;
    link->node = (struct sim_node *)(void *)options->loop;
    link->last = &link->calls;
    link->next = links;
    links = link;
    link_connect(link, 0);
    return link;
}

bool redis_link_connected(const struct redis_link *link)
{
    return link->is_connected;
}

void redis_link_deadline(struct redis_link *link, int64_t deadline_ms)
{
    link->options.deadline_ms = deadline_ms;
}

/* Commands ---------------------------------------------------------------------------------------
 */

static const redisReply link_ok = {.type = REDIS_REPLY_STATUS, .str = (char *)"OK", .len = 2};

static void link_on_reply(void *arg, bool is_over)
{
    struct link_call *call = arg;
    redisReply *reply = call->argc > 0 ? sim_redis_take(call->ticket) : NULL;
    struct redis_link *link = call->link;
    unsigned holds = 1;
    if (!is_over && link != NULL && link->is_connected && !call->is_given_up) {
        const redisReply *said = reply != NULL ? reply : &link_ok;
        bool is_late = call->is_answered;
        sim_trace((uint64_t)said->type << 32 | said->elements);
        link_answer(call, said);
        if (is_late && link->options.on_late != NULL) {
            link->options.on_late(said, link->options.arg);
        }
        link_forget(link, call);
        holds++;
    }
    freeReplyObject(reply);
    link_drop(call, holds);
}

static void link_on_arrival(void *arg, bool is_over)
{
    struct link_call *call = arg;
    if (is_over || call->is_lost) {
        link_drop(call, 1);
        return;
    }
    if (sim_redis_stalled_until() > sim_now_us) {
        sim_in(sim_redis_stalled_until() - sim_now_us, link_on_arrival, call);
        return;
    }
    if (call->argc > 0) {
        call->ticket = sim_redis_send(call->argv, call->argc);
    }
    struct redis_link *link = call->link;
    if (link == NULL || call->is_given_up) { /* nobody hears the answer */
        if (call->argc > 0) {
            freeReplyObject(sim_redis_take(call->ticket));
        }
        link_drop(call, 1);
        return;
    }
    sim_node_in(link->node, link_pass_us(&link->back_us, link->back_until_us), SIM_IO,
                link_on_reply, call);
}

static void link_on_cut(void *arg, bool is_over)
{
    struct link_call *call = arg;
    if (!is_over && call->link != NULL && call->link->is_connected && !call->is_given_up) {
        link_break(call->link, "no reply for too long");
    }
    link_drop(call, 1);
}

static void link_on_deadline(void *arg, bool is_over)
{
    struct link_call *call = arg;
    if (!is_over && call->link != NULL && !call->is_answered) {
        SIM_TELL(NULL, NULL, "n%d: Redis has not answered in time", call->link->node->index);
        sim_node_in(call->link->node, LINK_CUT_DEADLINES * call->link->options.deadline_ms * SIM_MS,
                    SIM_TIMER, link_on_cut, call);
        link_answer(call, NULL);
        return;
    }
    link_drop(call, 1);
}

static struct link_call *link_call_new(const struct bytes *argv, size_t argc)
{
    /* Scripts are loaded once for all worlds. */
    argc = bytes_equal(argv[0], bytes_str("SCRIPT")) ? 0 : argc;
    size_t bytes = argc * sizeof *argv;
    for (size_t i = 0; i < argc; i++) {
        bytes += argv[i].len;
    }
    struct link_call *call = malloc(sizeof *call + bytes);
    assert(call != NULL);
    *call = (struct link_call){.argc = argc, .argv = (struct bytes *)(void *)call->data};
    uint8_t *at = call->data + argc * sizeof *argv;
    for (size_t i = 0; i < argc; i++) {
        call->argv[i] = bytes_of(at, argv[i].len);
        if (argv[i].len > 0) {
            memcpy(at, argv[i].ptr, argv[i].len);
        }
        at += argv[i].len;
    }
    return call;
}

void redis_link_command(struct redis_link *link, const struct bytes *argv, size_t argc,
                        redis_link_on_reply_fn *on_reply, void *arg)
{
    struct link_call *call = link_call_new(argv, argc);
    call->link = link;
    call->on_reply = on_reply;
    call->arg = arg;
    call->holds = 2;
    *link->last = call;
    link->last = &call->next;
    if (!link->is_connected) {
        call->is_given_up = true;
        sim_node_in(link->node, 0, SIM_IO, link_on_lost, call);
        return;
    }
    call->connection = link->connection;
    sim_in(link_pass_us(&link->there_us, link->there_until_us), link_on_arrival, call);
    if (call->argc > 0) {
        call->holds++;
        sim_node_in(link->node, link->options.deadline_ms * SIM_MS, SIM_TIMER, link_on_deadline,
                    call);
    }
}

/* The end of a node: all that is open is answered by NULL now, whatever that leads to included. */
void redis_link_close(struct redis_link *link, void (*on_closed)(void *arg), void *arg)
{
    link->is_closing = true;
    link->is_connected = false;
    while (link->calls != NULL) {
        struct link_call *call = link->calls;
        link_answer(call, NULL);
        link_forget(link, call);
        link_drop(call, 1);
    }
    struct redis_link **at = &links;
    while (*at != link) {
        at = &(*at)->next;
    }
    *at = link->next;
    free(link);
    on_closed(arg);
}
