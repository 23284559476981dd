/* SPDX-License-Identifier: MIT */
/*
 * strangers: few of their calls are at Redis at a time, so that a flood of them adds little to
 * what the node's own clients wait for; the rest wait here, first come, first served, no longer
 * than they would wait for Redis. Who has proved a session of another node does not wait for a
 * minute. Nobody's calls overtake each other.
 */
#include "strangers.h"

#include <stdlib.h>

#include "core_state.h"
#include "node/base/log.h"
#include "node/base/metrics.h"
#include "proto/digest.h"

#define STRANGERS_IN_FLIGHT_MAX  32
#define STRANGERS_WAITING_MAX    4096
#define STRANGERS_LEAVING_MAX    5120 /* waiting, when they want to leave */
#define STRANGERS_FAILURES_PER_S 100
#define STRANGERS_NOBODY_MS      1000
#define STRANGERS_PROVED_MS      60000

struct strangers_call {
    struct core *core;
    struct strangers_call *next;
    struct cost cost;
    enum cost_kind kind;
    uint64_t key; /* of who asks */
    uint64_t address;
    bool is_opening, is_leaving, is_proof;
    bool takes_turns;
    int64_t since_ms;
    enum script script;
    struct script_args *args; /* while it waits; what it views stands behind it */
    store_on_result_fn *on_result;
    void *arg;
};

/* What is remembered -----------------------------------------------------------------------------
 */

/* By what is shown, so that a wrong token says nothing about a right one, and by address. */
static uint64_t strangers_key(const struct core *core, struct bytes shown, uint32_t ip)
{
    uint8_t hash[DIGEST_SHA256_BYTES];
    const uint32_t salt[2] = {ip, core->strangers.failures.seed};
    digest_sha256(shown, bytes_of(salt, sizeof salt), hash);
    uint64_t key;
    memcpy(&key, hash, sizeof key);
    return key;
}

static bool strangers_remembers(const struct core *core, const struct strangers_memory *memory,
                                uint64_t key)
{
    const struct strangers_memory *slot = &memory[key % STRANGERS_MEMORY];
    return slot->key == key && core_now_ms(core) < slot->until_ms;
}

static void strangers_remember(struct core *core, struct strangers_memory *memory, uint64_t key,
                               int64_t for_ms)
{
    memory[key % STRANGERS_MEMORY] = (struct strangers_memory){key, core_now_ms(core) + for_ms};
}

static void strangers_forget(struct core *core, struct strangers_memory *memory, uint64_t key)
{
    if (strangers_remembers(core, memory, key)) {
        strangers_remember(core, memory, key, 0);
    }
}

void strangers_registered(struct core *core, struct bytes uid, uint32_t ip)
{
    strangers_forget(core, core->strangers.nobodies, strangers_key(core, uid, ip));
}

/* A datagram's address may be forged: it holds nobody back who has a connection from there. */
static uint64_t strangers_address(const struct stranger *stranger)
{
    return stranger->ip | (stranger->is_datagram ? UINT64_C(1) << 32 : 0);
}

static bool strangers_may_fail(struct core *core, const struct stranger *stranger)
{
    return config_networks_contain(core->options.config->http_trusted_proxies, stranger->ip) ||
           rate_has(rate_table_slot(&core->strangers.failures, strangers_address(stranger)),
                    STRANGERS_FAILURES_PER_S, core_now_ms(core));
}

static void strangers_learn(const struct strangers_call *call, enum err code)
{
    struct core *core = call->core;
    struct strangers *strangers = &core->strangers;
    if (call->is_proof && code == ERR_NONE) {
        strangers_remember(core, strangers->proved, call->key, STRANGERS_PROVED_MS);
    }
    if (call->is_opening || (code != ERR_NOT_REGISTERED && code != ERR_SIGNATURE_REQUIRED &&
                             code != ERR_ADDRESS_MISMATCH)) {
        return;
    }
    strangers_forget(core, strangers->proved, call->key);
    (void)rate_take(rate_table_slot(&strangers->failures, call->address), STRANGERS_FAILURES_PER_S,
                    core_now_ms(core));
    if (code == ERR_NOT_REGISTERED) {
        strangers_remember(core, strangers->nobodies, call->key, STRANGERS_NOBODY_MS);
    }
}

/* Taking turns -----------------------------------------------------------------------------------
 */

static void strangers_on_result(const struct result *result, void *arg);

static void strangers_ask(struct strangers_call *call, const struct script_args *args)
{
    struct core *core = call->core;
    if (!call->takes_turns) {
        core->in_flight--; /* it is counted there */
        cost_call(core, &call->cost, call->kind, call->script, args, strangers_on_result, call);
        return;
    }
    core->strangers.in_flight++;
    core->options.store.call(core->options.store.ctx, call->script, args, strangers_on_result,
                             call);
}

static void strangers_free(struct strangers_call *call)
{
    free(call->args);
    free(call);
}

/* Without having asked: nothing has been done. */
static void strangers_answer(struct strangers_call *call, enum err code)
{
    static const struct bytes reply = {(const uint8_t *)"reply", sizeof "reply" - 1};
    static const struct effect effect = {&reply, 1};
    const struct result result = {
        .code = code, .extra = bytes_str(""), .effects = &effect, .effect_count = 1};
    call->on_result(&result, call->arg);
    strangers_free(call);
}

static uint16_t *strangers_place(struct strangers *strangers, uint64_t key)
{
    return &strangers->waiting_by_key[key % STRANGERS_PLACES];
}

/* Takes what `from` points to, the first or a call's next, out of those that wait. */
static struct strangers_call *strangers_take(struct strangers *strangers,
                                             struct strangers_call **from,
                                             struct strangers_call *before)
{
    struct strangers_call *call = *from;
    *from = call->next;
    if (strangers->last == call) {
        strangers->last = before;
    }
    strangers->waiting_count--;
    --*strangers_place(strangers, call->key);
    return call;
}

static void strangers_ask_next(struct core *core)
{
    struct strangers *strangers = &core->strangers;
    while (strangers->in_flight < STRANGERS_IN_FLIGHT_MAX && strangers->first != NULL) {
        struct strangers_call *call = strangers_take(strangers, &strangers->first, NULL);
        bool is_sure = call->is_opening || call->is_leaving;
        if (core_now_ms(core) - call->since_ms >= core->options.config->redis_deadline_ms) {
            strangers_answer(call, ERR_BUSY);
        } else if (!is_sure && strangers_remembers(core, strangers->nobodies, call->key)) {
            strangers_answer(call, ERR_NOT_REGISTERED);
        } else {
            strangers_ask(call, call->args);
        }
    }
}

/* What the same one has asked and waits is asked now, before what he asks next. */
static void strangers_let_pass(struct core *core, uint64_t key)
{
    struct strangers *strangers = &core->strangers;
    struct strangers_call **from = &strangers->first, *before = NULL;
    struct strangers_call *passing = NULL, **end = &passing; /* an answer may come at once */
    while (*strangers_place(strangers, key) > 0 && *from != NULL) {
        if ((*from)->key == key) {
            *end = strangers_take(strangers, from, before);
            end = &(*end)->next;
        } else {
            before = *from;
            from = &before->next;
        }
    }
    *end = NULL;
    while (passing != NULL) {
        struct strangers_call *call = passing;
        passing = call->next;
        call->takes_turns = false;
        strangers_ask(call, call->args);
    }
}

static void strangers_on_result(const struct result *result, void *arg)
{
    struct strangers_call *call = arg;
    struct core *core = call->core;
    core->strangers.in_flight -= call->takes_turns ? 1 : 0;
    if (result != NULL) {
        strangers_learn(call, result->code);
    }
    if (result != NULL && call->takes_turns) {
        cost_read(core, &call->cost, result);
    }
    call->on_result(result, call->arg);
    strangers_free(call);
    strangers_ask_next(core);
}

static bool strangers_wait(struct strangers_call *call, const struct script_args *args)
{
    struct strangers *strangers = &call->core->strangers;
    call->args = core_args_keep(args);
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
    ++*strangers_place(strangers, call->key);
    return true;
}

/* Who may ask ------------------------------------------------------------------------------------
 */

/* Its session is here, and it has shown that it is its own. */
static bool strangers_is_own(const struct stranger *stranger)
{
    return stranger->cost->is_own && !stranger->is_opening && !stranger->is_unproved;
}

static uint64_t strangers_key_of(const struct core *core, const struct stranger *stranger)
{
    return strangers_key(core, stranger->token.len > 0 ? stranger->token : stranger->uid,
                         stranger->ip);
}

static enum err strangers_check(struct core *core, const struct stranger *stranger, uint64_t key)
{
    struct strangers *strangers = &core->strangers;
    if (!stranger->is_opening && !stranger->is_leaving) {
        if (strangers_remembers(core, strangers->nobodies, key)) {
            return ERR_NOT_REGISTERED;
        }
        if (!strangers_may_fail(core, stranger)) {
            metric_add(METRIC_RATE_LIMITED, 1);
            return ERR_RATE_LIMITED;
        }
    }
    if (strangers->waiting_count >=
        (stranger->is_leaving ? STRANGERS_LEAVING_MAX : STRANGERS_WAITING_MAX)) {
        LOG_LIMITED(LOG_WARN, "strangers_wait", log_int("count", (int64_t)strangers->waiting_count),
                    log_str("hint", "more ask who have no session at this node than Redis answers; "
                                    "those who have are served"));
        return ERR_BUSY;
    }
    return ERR_NONE;
}

static struct strangers_call *strangers_call_new(struct core *core, const struct stranger *stranger,
                                                 uint64_t key, bool is_proved)
{
    struct strangers_call *call = calloc(1, sizeof *call);
    if (call != NULL) {
        *call = (struct strangers_call){.core = core,
                                        .cost = *stranger->cost,
                                        .kind = stranger->kind,
                                        .key = key,
                                        .address = strangers_address(stranger),
                                        .is_opening = stranger->is_opening,
                                        .is_leaving = stranger->is_leaving,
                                        .is_proof = stranger->is_proof,
                                        .takes_turns = !is_proved,
                                        .since_ms = core_now_ms(core)};
    }
    return call;
}

enum err strangers_call(struct core *core, const struct stranger *stranger, enum script script,
                        const struct script_args *args, store_on_result_fn *on_result, void *arg)
{
    struct strangers *strangers = &core->strangers;
    if (strangers_is_own(stranger)) {
        if (strangers->first != NULL) {
            strangers_let_pass(core, strangers_key_of(core, stranger));
        }
        cost_call(core, stranger->cost, stranger->kind, script, args, on_result, arg);
        return ERR_NONE;
    }
    uint64_t key = strangers_key_of(core, stranger);
    bool is_proved = !stranger->is_unproved && strangers_remembers(core, strangers->proved, key);
    enum err err = is_proved ? ERR_NONE : strangers_check(core, stranger, key);
    struct strangers_call *call =
        err == ERR_NONE ? strangers_call_new(core, stranger, key, is_proved) : NULL;
    if (call == NULL) {
        return err == ERR_NONE ? ERR_BUSY : err;
    }
    call->script = script;
    call->on_result = on_result;
    call->arg = arg;
    if (is_proved) {
        strangers_let_pass(core, key);
    }
    bool is_turn =
        is_proved || (strangers->first == NULL && strangers->in_flight < STRANGERS_IN_FLIGHT_MAX);
    if (!is_turn && !strangers_wait(call, args)) {
        free(call);
        return ERR_BUSY;
    }
    core->in_flight++;
    if (is_turn) {
        strangers_ask(call, args);
    }
    return ERR_NONE;
}

void strangers_send_home(struct core *core)
{
    struct strangers *strangers = &core->strangers;
    while (strangers->first != NULL) {
        strangers_answer(strangers_take(strangers, &strangers->first, NULL), ERR_BUSY);
    }
}
