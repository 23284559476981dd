/* SPDX-License-Identifier: MIT */
/*
 * cost: shares of a second, and the turns of a session's scripts. Those of whom no session is here
 * wait in strangers.c.
 */
#include "cost.h"

#include <utlist.h>

#include "node/base/log.h"
#include "node/base/metrics.h"
#include "request.h"

#define COST_BYTES         1024 /* that cost 1 */
#define COST_NAMES         10
#define COST_AT_ONCE       16 /* of a session's scripts at Redis; of those that may read much: */
#define COST_LARGE_AT_ONCE 2
#define COST_LEAVING_MAX   256 /* of a session, waiting */
#define COST_TICK_MS       20

/* A script that waits for its turn, or is at Redis. */
struct cost_call {
    struct cost_queue *queue;
    struct cost cost;
    enum cost_kind kind;
    enum script script;
    struct script_args *args; /* while it waits */
    store_on_result_fn *on_result;
    void *arg;
    struct cost_call *next;
};

/* Of one session; there is one while anything of it waits or is at Redis. */
struct cost_queue {
    struct core *core;
    uint64_t key;
    size_t at_redis, large_at_redis, leaving_waiting;
    size_t hold_count; /* it is being used: an idle one is freed later */
    struct cost_call *waiting;
    UT_hash_handle hh;
};

/* Who pays ------------------------------------------------------------------------------------- */

static uint64_t cost_mix(uint64_t hash, struct bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        hash = (hash ^ bytes.ptr[i]) * 0x100000001b3u;
    }
    return hash ^ hash >> 32;
}

/* A session pays only for who shows its token, or is where an original client of that user id is
 * reached: anybody can name a user id. */
static bool cost_is_own(const struct client *client, const struct cost_asker *asker)
{
    if (client == NULL) {
        return false;
    }
    if (asker->token.len > 0) {
        return bytes_equal(asker->token, bytes_of(client->token, client->token_bytes));
    }
    return client->reach_port != 0 && client->reach_ip == asker->ip;
}

struct cost cost_of(struct core *core, const struct cost_asker *asker)
{
    struct cost cost = {.client_ip = asker->client_ip};
    uint64_t hash = cost_mix(core->payers_seed, asker->uid);
    cost.is_own = cost_is_own(roster_client(&core->roster, asker->uid), asker);
    if (!cost.is_own) {
        hash = cost_mix(hash, bytes_of((const uint8_t *)&asker->ip, sizeof asker->ip));
        hash = cost_mix(hash, asker->token);
    }
    cost.key = hash;
    sink_put(&(struct sink){cost.uid, sizeof cost.uid, 0}, asker->uid);
    return cost;
}

static struct rate_bucket *cost_bucket(struct core *core, const struct cost *cost)
{
    struct bytes uid = bytes_of(cost->uid, sizeof cost->uid);
    struct client *client = cost->is_own ? roster_client(&core->roster, uid) : NULL;
    return client != NULL ? &client->cost : rate_table_slot(&core->payers, cost->key);
}

/* An address has a share for the sessions that are here and one for strangers: who has none must
 * not use up what the people behind the same address live on. */
static struct rate_bucket *cost_address_bucket(struct core *core, const struct cost *cost)
{
    return rate_table_slot(&core->addresses, (uint64_t)cost->client_ip << 1 | cost->is_own);
}

/* Shares --------------------------------------------------------------------------------------- */

static void cost_charge_amount(struct core *core, const struct cost *cost, size_t amount)
{
    const struct config *config = core->options.config;
    int64_t now_ms = core_now_ms(core);
    metric_add(METRIC_COST, (int64_t)amount);
    rate_charge(cost_bucket(core, cost), (int64_t)amount, config->limits_cost_per_s, now_ms);
    rate_charge(cost_address_bucket(core, cost), (int64_t)amount, config->limits_address_cost_per_s,
                now_ms);
}

void cost_charge(struct core *core, const struct cost *cost, size_t bytes, size_t names)
{
    cost_charge_amount(core, cost, bytes / COST_BYTES + names / COST_NAMES);
}

static bool cost_has_share(struct core *core, const struct cost *cost)
{
    const struct config *config = core->options.config;
    int64_t now_ms = core_now_ms(core);
    bool has_address =
        rate_has(cost_address_bucket(core, cost), config->limits_address_cost_per_s, now_ms) ||
        config_networks_contain(config->http_trusted_proxies, cost->client_ip);
    return has_address && rate_has(cost_bucket(core, cost), config->limits_cost_per_s, now_ms);
}

void cost_refused(struct core *core, struct bytes uid, uint32_t client_ip)
{
    const struct client *client = roster_client(&core->roster, uid);
    char address[24];
    datagrams_address(client_ip, 0, address);
    metric_add(METRIC_RATE_LIMITED, 1);
    LOG_LIMITED(LOG_WARN, "rate_limited",
                log_str("user", client != NULL && client->name != NULL ? client->name : ""),
                log_bytes("session", uid),
                log_bytes("address", bytes_of(address, strcspn(address, ":"))),
                log_str("hint", "more than limits.cost_per_s, messages_per_s or address_cost_per_s "
                                "allow; hgtpctl session kick USER ends a session"));
}

enum err cost_take(struct core *core, const struct cost *cost, size_t bytes)
{
    if (!cost_has_share(core, cost)) {
        cost_refused(core, bytes_of(cost->uid, sizeof cost->uid), cost->client_ip);
        return ERR_RATE_LIMITED;
    }
    cost_charge_amount(core, cost, 1 + bytes / COST_BYTES);
    return ERR_NONE;
}

void cost_names(struct core *core, struct client *client, size_t names)
{
    metric_add(METRIC_COST, (int64_t)(names / COST_NAMES));
    rate_charge(&client->cost, (int64_t)(names / COST_NAMES),
                core->options.config->limits_cost_per_s, core_now_ms(core));
}

void cost_read(struct core *core, const struct cost *cost, const struct result *result)
{
    size_t names = 0, bytes = 0;
    for (size_t i = 0; i < result->effect_count; i++) {
        const struct effect *effect = &result->effects[i];
        if (effect_is(effect, "list") || effect_is(effect, "keep")) {
            names += effect->count / 2; /* each with what is shown beside it */
            continue;
        }
        for (size_t field = 0; field < effect->count; field++) {
            bytes += effect->fields[field].len;
        }
    }
    cost_charge(core, cost, bytes, names);
}

/* Turns ---------------------------------------------------------------------------------------- */

static void cost_on_result(const struct result *result, void *arg);

static void cost_ask(struct cost_call *call, const struct script_args *args)
{
    struct cost_queue *queue = call->queue;
    const struct store_port *store = &queue->core->options.store;
    queue->at_redis++;
    queue->large_at_redis += call->kind == COST_LARGE ? 1 : 0;
    store->call(store->ctx, call->script, args, cost_on_result, call);
}

static void cost_free(struct cost_call *call)
{
    free(call->args);
    free(call);
}

/* Without having asked: nothing has been done. */
static void cost_answer(struct cost_call *call, enum err err)
{
    static const struct bytes reply = {(const uint8_t *)"reply", sizeof "reply" - 1};
    static const struct effect effect = {&reply, 1};
    const struct result result = {
        .code = err, .extra = bytes_str(""), .effects = &effect, .effect_count = 1};
    call->on_result(&result, call->arg);
    cost_free(call);
}

static bool cost_is_turn(const struct cost_queue *queue, const struct cost_call *call)
{
    return queue->at_redis < COST_AT_ONCE &&
           (call->kind != COST_LARGE || queue->large_at_redis < COST_LARGE_AT_ONCE) &&
           (call->kind != COST_LEAVING || cost_has_share(queue->core, &call->cost));
}

static void cost_let_go(struct cost_queue *queue)
{
    if (--queue->hold_count == 0 && queue->at_redis == 0 && queue->waiting == NULL) {
        HASH_DEL(queue->core->cost_queues, queue);
        free(queue);
    }
}

static struct cost_call *cost_first(struct cost_queue *queue)
{
    struct cost_call *call = queue->waiting;
    queue->waiting = call->next;
    queue->leaving_waiting -= call->kind == COST_LEAVING ? 1 : 0;
    return call;
}

static void cost_next(struct cost_queue *queue)
{
    struct core *core = queue->core;
    queue->hold_count++;
    while (queue->waiting != NULL && cost_is_turn(queue, queue->waiting)) {
        struct cost_call *call = cost_first(queue);
        if (call->kind == COST_LARGE && !cost_has_share(core, &call->cost)) {
            cost_refused(core, bytes_of(call->cost.uid, sizeof call->cost.uid),
                         call->cost.client_ip);
            cost_answer(call, ERR_RATE_LIMITED); /* those before it have read so much */
        } else {
            cost_charge_amount(core, &call->cost, call->kind == COST_LEAVING ? 1 : 0);
            cost_ask(call, call->args);
        }
    }
    cost_let_go(queue);
}

/* Redis does not answer: nobody waits for it any longer. */
static void cost_give_up(struct cost_queue *queue)
{
    queue->hold_count++;
    while (queue->waiting != NULL) {
        cost_answer(cost_first(queue), ERR_STORE_AWAY);
    }
    cost_let_go(queue);
}

static void cost_on_result(const struct result *result, void *arg)
{
    struct cost_call *call = arg;
    struct cost_queue *queue = call->queue;
    if (result != NULL) {
        cost_read(queue->core, &call->cost, result);
    }
    call->on_result(result, call->arg);
    queue->at_redis--;
    queue->large_at_redis -= call->kind == COST_LARGE ? 1 : 0;
    cost_free(call);
    if (result == NULL) {
        cost_give_up(queue);
    } else {
        cost_next(queue);
    }
}

static struct cost_queue *cost_queue(struct core *core, uint64_t key)
{
    struct cost_queue *queue = NULL;
    HASH_FIND(hh, core->cost_queues, &key, sizeof key, queue);
    if (queue == NULL && (queue = calloc(1, sizeof *queue)) != NULL) {
        queue->core = core;
        queue->key = key;
        HASH_ADD(hh, core->cost_queues, key, sizeof queue->key, queue);
    }
    return queue;
}

static bool cost_wait(struct cost_call *call, const struct script_args *args)
{
    struct cost_queue *queue = call->queue;
    if (call->kind == COST_LEAVING && queue->leaving_waiting >= COST_LEAVING_MAX) {
        return false;
    }
    call->args = core_args_keep(args);
    if (call->args == NULL) {
        return false;
    }
    LL_APPEND(queue->waiting, call);
    if (call->kind == COST_LEAVING) {
        queue->leaving_waiting++;
        queue->core->options.clock.wake_in(queue->core->options.clock.ctx, COST_TICK_MS);
    }
    return true;
}

void cost_call(struct core *core, const struct cost *cost, enum cost_kind kind, enum script script,
               const struct script_args *args, store_on_result_fn *on_result, void *arg)
{
    struct cost_call *call = calloc(1, sizeof *call);
    struct cost_queue *queue = call != NULL ? cost_queue(core, cost->key) : NULL;
    core->in_flight++;
    if (queue == NULL) {
        free(call);
        on_result(NULL, arg);
        return;
    }
    *call = (struct cost_call){.queue = queue,
                               .cost = *cost,
                               .kind = kind,
                               .script = script,
                               .on_result = on_result,
                               .arg = arg};
    queue->hold_count++;
    if (queue->waiting == NULL && cost_is_turn(queue, call)) {
        cost_charge_amount(core, cost, kind == COST_LEAVING ? 1 : 0);
        cost_ask(call, args);
    } else if (!cost_wait(call, args)) {
        cost_refused(core, bytes_of(cost->uid, sizeof cost->uid), cost->client_ip);
        cost_answer(call, ERR_BUSY);
    }
    cost_let_go(queue);
}

void cost_tick(struct core *core)
{
    struct cost_queue *queue, *next;
    bool is_any_left = false;
    HASH_ITER(hh, core->cost_queues, queue, next)
    {
        bool is_leaving = queue->leaving_waiting > 0;
        is_any_left = is_any_left || is_leaving;
        if (is_leaving) {
            cost_next(queue);
        }
    }
    if (is_any_left) {
        core->options.clock.wake_in(core->options.clock.ctx, COST_TICK_MS);
    }
}

void cost_send_home(struct core *core)
{
    struct cost_queue *queue, *next;
    HASH_ITER(hh, core->cost_queues, queue, next)
    {
        cost_give_up(queue);
    }
}
