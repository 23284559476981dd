/* SPDX-License-Identifier: MIT */
/*
 * strangers: few of their calls are at Redis at a time, so that a flood of them adds little to
 * what the node's own clients wait for; the rest wait here, first come, first served, no longer
 * than they would wait for Redis. Who has proved a session of another node does not wait for a
 * minute.
 */
#include "strangers.h"

#include <stdlib.h>

#include "node/base/log.h"
#include "node/base/metrics.h"
#include "proto/digest.h"
#include "talk_state.h"

#define STRANGERS_IN_FLIGHT_MAX  32
#define STRANGERS_WAITING_MAX    4096
#define STRANGERS_FAILURES_PER_S 100
#define STRANGERS_NOBODY_MS      1000
#define STRANGERS_PROVED_MS      60000

struct strangers_call {
    struct talk *talk;
    struct strangers_call *next;
    struct cost cost;
    uint64_t key; /* of who asks */
    uint64_t address;
    bool is_opening;
    bool is_sure; /* to be asked, whatever is known of it */
    int64_t since_ms;
    enum script script;
    struct script_args *args; /* while it waits; what it views stands behind it */
    store_on_result_fn *on_result;
    void *arg;
};

/* What is remembered -----------------------------------------------------------------------------
 */

/* By what is shown, so that a wrong token says nothing about a right one, and by address. */
static uint64_t strangers_key(const struct talk *talk, struct bytes shown, uint32_t ip)
{
    uint8_t hash[DIGEST_SHA256_BYTES];
    const uint32_t salt[2] = {ip, talk->strangers.failures.seed};
    digest_sha256(shown, bytes_of(salt, sizeof salt), hash);
    uint64_t key;
    memcpy(&key, hash, sizeof key);
    return key;
}

static bool strangers_remembers(const struct talk *talk, const struct strangers_memory *memory,
                                uint64_t key)
{
    const struct strangers_memory *slot = &memory[key % STRANGERS_MEMORY];
    return slot->key == key && talk_now_ms(talk) < slot->until_ms;
}

static void strangers_remember(struct talk *talk, struct strangers_memory *memory, uint64_t key,
                               int64_t for_ms)
{
    memory[key % STRANGERS_MEMORY] = (struct strangers_memory){key, talk_now_ms(talk) + for_ms};
}

void strangers_registered(struct talk *talk, struct bytes uid, uint32_t ip)
{
    uint64_t key = strangers_key(talk, uid, ip);
    if (strangers_remembers(talk, talk->strangers.nobodies, key)) {
        strangers_remember(talk, talk->strangers.nobodies, key, 0);
    }
}

/* A datagram's address may be forged: it holds nobody back who has a connection from there. */
static uint64_t strangers_address(const struct stranger *stranger)
{
    return stranger->ip | (stranger->is_datagram ? UINT64_C(1) << 32 : 0);
}

static bool strangers_may_fail(struct talk *talk, const struct stranger *stranger)
{
    return rate_has(rate_table_slot(&talk->strangers.failures, strangers_address(stranger)),
                    STRANGERS_FAILURES_PER_S, talk_now_ms(talk)) ||
           config_networks_contain(talk->options.config->http_trusted_proxies, stranger->ip);
}

static void strangers_learn(const struct strangers_call *call, const struct result *result)
{
    struct talk *talk = call->talk;
    struct strangers *strangers = &talk->strangers;
    if (result == NULL || call->is_opening) {
        return;
    }
    if (result->code == ERR_NOT_REGISTERED) {
        strangers_remember(talk, strangers->nobodies, call->key, STRANGERS_NOBODY_MS);
    } else if (result->code == ERR_NONE) {
        strangers_remember(talk, strangers->proved, call->key, STRANGERS_PROVED_MS);
    }
    if (result->code == ERR_NOT_REGISTERED || result->code == ERR_SIGNATURE_REQUIRED ||
        result->code == ERR_ADDRESS_MISMATCH) {
        (void)rate_take(rate_table_slot(&strangers->failures, call->address),
                        STRANGERS_FAILURES_PER_S, talk_now_ms(talk));
    }
}

/* Taking turns -----------------------------------------------------------------------------------
 */

static void strangers_on_result(const struct result *result, void *arg);

static void strangers_ask(struct strangers_call *call, const struct script_args *args)
{
    struct talk *talk = call->talk;
    talk->strangers.in_flight++;
    talk->options.store.call(talk->options.store.ctx, call->script, args, strangers_on_result,
                             call);
}

static void strangers_free(struct strangers_call *call)
{
    free(call->args);
    free(call);
}

/* Without having asked; `result` NULL: there is none. */
static void strangers_answer(struct strangers_call *call, const struct result *result)
{
    call->on_result(result, call->arg);
    strangers_free(call);
}

static void strangers_answer_nobody(struct strangers_call *call)
{
    static const struct bytes reply = {(const uint8_t *)"reply", sizeof "reply" - 1};
    static const struct effect effect = {&reply, 1};
    const struct result result = {
        .code = ERR_NOT_REGISTERED, .extra = bytes_str(""), .effects = &effect, .effect_count = 1};
    strangers_answer(call, &result);
}

static struct strangers_call *strangers_next(struct strangers *strangers)
{
    struct strangers_call *call = strangers->first;
    if (call != NULL) {
        strangers->first = call->next;
        strangers->last = call->next != NULL ? strangers->last : NULL;
        strangers->waiting_count--;
    }
    return call;
}

static void strangers_ask_next(struct talk *talk)
{
    struct strangers *strangers = &talk->strangers;
    struct strangers_call *call;
    while (strangers->in_flight < STRANGERS_IN_FLIGHT_MAX &&
           (call = strangers_next(strangers)) != NULL) {
        if (talk_now_ms(talk) - call->since_ms >= talk->options.config->redis_deadline_ms) {
            strangers_answer(call, NULL);
        } else if (!call->is_sure && strangers_remembers(talk, strangers->nobodies, call->key)) {
            strangers_answer_nobody(call);
        } else {
            strangers_ask(call, call->args);
        }
    }
}

static void strangers_on_result(const struct result *result, void *arg)
{
    struct strangers_call *call = arg;
    struct talk *talk = call->talk;
    talk->strangers.in_flight--;
    strangers_learn(call, result);
    if (result != NULL) {
        cost_read(talk, &call->cost, result);
    }
    call->on_result(result, call->arg);
    strangers_free(call);
    strangers_ask_next(talk);
}

static bool strangers_wait(struct strangers_call *call, const struct script_args *args)
{
    struct strangers *strangers = &call->talk->strangers;
    call->args = talk_args_keep(args);
    if (call->args == NULL) {
        return false;
    }
    if (strangers->last != NULL) {
        strangers->last->next = call;
    } else {
        strangers->first = call;
    }
    strangers->last = call;
    strangers->waiting_count++;
    return true;
}

/* Who may ask ------------------------------------------------------------------------------------
 */

static enum err strangers_check(struct talk *talk, const struct stranger *stranger, uint64_t key)
{
    struct strangers *strangers = &talk->strangers;
    if (!stranger->is_opening && !stranger->is_leaving) {
        if (strangers_remembers(talk, strangers->nobodies, key)) {
            return ERR_NOT_REGISTERED;
        }
        if (!strangers_may_fail(talk, stranger)) {
            metric_add(METRIC_RATE_LIMITED, 1);
            return ERR_RATE_LIMITED;
        }
    }
    if (strangers->waiting_count >= STRANGERS_WAITING_MAX) {
        LOG_LIMITED(LOG_WARN, "strangers_wait", log_int("count", (int64_t)strangers->waiting_count),
                    log_str("hint", "more ask who have no session at this node than Redis answers; "
                                    "those who have are served"));
        return ERR_BUSY;
    }
    return ERR_NONE;
}

enum err strangers_call(struct talk *talk, const struct stranger *stranger, enum script script,
                        const struct script_args *args, store_on_result_fn *on_result, void *arg)
{
    struct strangers *strangers = &talk->strangers;
    uint64_t key = strangers_key(talk, stranger->token.len > 0 ? stranger->token : stranger->uid,
                                 stranger->ip);
    bool is_own = stranger->cost->is_own && !stranger->is_opening;
    if (is_own || strangers_remembers(talk, strangers->proved, key)) {
        cost_call(talk, stranger->cost, stranger->kind, script, args, on_result, arg);
        return ERR_NONE;
    }
    enum err err = strangers_check(talk, stranger, key);
    struct strangers_call *call = err == ERR_NONE ? calloc(1, sizeof *call) : NULL;
    if (call == NULL) {
        return err == ERR_NONE ? ERR_BUSY : err;
    }
    *call = (struct strangers_call){.talk = talk,
                                    .cost = *stranger->cost,
                                    .key = key,
                                    .address = strangers_address(stranger),
                                    .is_opening = stranger->is_opening,
                                    .is_sure = stranger->is_opening || stranger->is_leaving,
                                    .since_ms = talk_now_ms(talk),
                                    .script = script,
                                    .on_result = on_result,
                                    .arg = arg};
    bool is_turn = strangers->first == NULL && strangers->in_flight < STRANGERS_IN_FLIGHT_MAX;
    if (!is_turn && !strangers_wait(call, args)) {
        free(call);
        return ERR_BUSY;
    }
    talk->in_flight++;
    if (is_turn) {
        strangers_ask(call, args);
    }
    return ERR_NONE;
}

void strangers_send_home(struct talk *talk)
{
    struct strangers_call *call;
    while ((call = strangers_next(&talk->strangers)) != NULL) {
        strangers_answer(call, NULL);
    }
}
