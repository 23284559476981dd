/* SPDX-License-Identifier: MIT */
/*
 * talk: life of the talk, calls to the store and what all its modules share. Requests are in
 * datagrams.c and say.c, what scripts answer in effects.c, deliveries in deliver.c, timers in
 * upkeep.c.
 */
#include "lines.h"

#include "node/base/metrics.h"

/* Calls to the store under way; each holds a few KiB. */
#define CORE_IN_FLIGHT_MAX 20000
/* Redis and the bus have to have worked within this time. */
#define CORE_READY_MS 3000
/* Redis has done what is left of a broken connection within this time. */
#define CORE_RESUME_MS 1000
/* The list of nodes is not asked for more often than this because of an unknown one. */
#define CORE_STRANGER_MS 20

struct core *core_new(const struct core_options *options)
{
    struct core *core = calloc(1, sizeof *core);
    if (core != NULL) {
        core->options = *options;
        options->clock.random(options->clock.ctx, (uint8_t *)&core->registers.seed,
                              sizeof core->registers.seed);
        core->requests.seed = core->visitors.seed = core->unsaid.seed = core->registers.seed;
        core->strangers.failures.seed = core->registers.seed;
        core->payers.seed = core->addresses.seed = core->registers.seed;
        options->clock.random(options->clock.ctx, (uint8_t *)&core->payers_seed,
                              sizeof core->payers_seed);
        options->clock.random(options->clock.ctx, core->guesses.secret,
                              sizeof core->guesses.secret);
    }
    return core;
}

void core_free(struct core *core)
{
    if (core == NULL) {
        return;
    }
    assert(core->in_flight == 0);
    rivals_fini(core);
    struct client *client, *next;
    HASH_ITER(hh, core->roster.clients, client, next)
    {
        effects_gone(core, client, WS_CLOSE_GOING_AWAY);
    }
    for (int list = 0; list < LIST_COUNT; list++) {
        listing_unref(core->lists[list]);
    }
    undecided_free(core);
    lines_fini(core);
    free(core);
}

int64_t core_now_ms(const struct core *core)
{
    return core->options.clock.now_ms(core->options.clock.ctx);
}

void core_args_init(struct core *core, struct script_args *args, struct bytes uid)
{
    const struct config *config = core->options.config;
    args->count = 0;
    args->digits_used = 0;
    args->keys_used = 0;
    if (uid.len > 0) {
        script_args_bytes(args, "uid", uid);
    }
    script_args_str(args, "node", core->options.node);
    script_args_int(args, "history", config->history_length);
    script_args_int(args, "dedupe_ms", config->history_dedupe_s * 1000);
    script_args_int(args, "lists_max", config->lists_max);
    script_args_int(args, "coalesce_ms", config->lists_coalesce_ms);
    script_args_int(args, "away_s", config->http_away_s);
    if (core->draining) {
        script_args_str(args, "draining", "1");
    }
}

struct script_args *core_args_keep(const struct script_args *args)
{
    size_t bytes = 0;
    for (size_t i = 0; i < args->count; i++) {
        bytes += args->items[i].len;
    }
    struct script_args *kept = malloc(sizeof *kept + bytes);
    if (kept == NULL) {
        return NULL;
    }
    kept->count = args->count;
    struct sink out = sink_into((uint8_t *)(kept + 1), bytes);
    for (size_t i = 0; i < args->count; i++) {
        kept->items[i] = bytes_of(out.ptr + out.len, args->items[i].len);
        sink_put(&out, args->items[i]);
    }
    return kept;
}

void core_call(struct core *core, enum script script, const struct script_args *args,
               store_on_result_fn *on_result, void *arg)
{
    core->in_flight++;
    core->options.store.call(core->options.store.ctx, script, args, on_result, arg);
}

void core_control_args(struct core *core, struct script_args *args)
{
    core_args_init(core, args, bytes_of(NULL, 0));
    script_args_int(args, "name_max", core->options.config->limits_name_bytes);
    script_args_int(args, "members_max", core->options.config->limits_room_members);
    script_args_int(args, "rooms_max", core->options.config->limits_rooms);
    script_args_int(args, "answer_ms", core->options.config->hgtp_answer_ms);
}

struct core_controlled {
    struct core *core;
    store_on_result_fn *on_result;
    void *arg;
};

static void core_on_controlled(const struct result *result, void *arg)
{
    struct core_controlled *controlled = arg;
    struct core *core = controlled->core;
    core_call_over(core);
    if (result != NULL) {
        effects_apply(core, result, NULL, NULL);
    }
    controlled->on_result(result, controlled->arg);
    free(controlled);
}

void core_control(struct core *core, enum script script, const struct script_args *args,
                  store_on_result_fn *on_result, void *arg)
{
    struct core_controlled *controlled = calloc(1, sizeof *controlled);
    if (controlled == NULL || core_is_busy(core)) {
        free(controlled);
        on_result(NULL, arg);
        return;
    }
    *controlled = (struct core_controlled){core, on_result, arg};
    core_call(core, script, args, core_on_controlled, controlled);
}

bool core_is_busy(const struct core *core)
{
    return core->in_flight >= CORE_IN_FLIGHT_MAX;
}

void core_end_waiting(struct core *core)
{
    strangers_send_home(core);
    cost_send_home(core);
}

bool core_address_in_time(struct core *core, struct rate_table *table, uint32_t ip, int64_t per_s)
{
    return config_networks_contain(core->options.config->http_trusted_proxies, ip) ||
           rate_table_take(table, ip, per_s, core_now_ms(core));
}

void core_call_over(struct core *core)
{
    assert(core->in_flight > 0);
    core->in_flight--;
}

enum err core_outcome(struct core *core, const struct result *result)
{
    if (result != NULL) {
        return result->code;
    }
    enum err err = core->options.store.refusal(core->options.store.ctx);
    if (err != ERR_STORE_AWAY) {
        core->refused = err;
        core->refused_ms = core_now_ms(core);
    }
    return err;
}

void core_on_drained(void *owner)
{
    struct client *client = owner;
    client->is_full = false;
    deliver_catch_up(client->core, client);
}

void core_on_store(struct core *core, bool connected)
{
    core->store_connected = connected;
    if (!connected) {
        return;
    }
    inbox_begin_anew(core);
    upkeep_resume(core);
    /* What was sent on a connection that broke may be carried out after this one has come. */
    core->resume_ms = core_now_ms(core) + CORE_RESUME_MS;
    core->next_beat_ms = core->next_touch_ms = 0;
    core->options.clock.wake_in(core->options.clock.ctx, 0);
}

void core_on_late(struct core *core, const struct result *result)
{
    effects_apply(core, result, NULL, NULL);
}

void core_on_bus_gap(struct core *core)
{
    upkeep_missed(core);
}

void core_on_bus_stranger(struct core *core)
{
    int64_t due_ms = core->beat_ms + CORE_STRANGER_MS;
    if (due_ms < core->next_beat_ms) {
        core->next_beat_ms = due_ms;
        core->options.clock.wake_in(core->options.clock.ctx, due_ms - core_now_ms(core));
    }
}

void core_on_bus_echo(struct core *core)
{
    core->echo_ms = core_now_ms(core);
    core->options.clock.wake_in(core->options.clock.ctx, 0);
}

void core_drain(struct core *core, int64_t within_ms)
{
    core->draining = true;
    lines_send_away(core, within_ms);
    upkeep_beat_soon(core);
}

void core_resume(struct core *core)
{
    core->draining = false;
    upkeep_beat_soon(core);
}

size_t core_others(const struct core *core)
{
    return core->other_count;
}

struct core_census core_census(const struct core *core)
{
    return (struct core_census){.sessions = roster_client_count(&core->roster),
                                .lines = core->line_count,
                                .rooms = roster_room_count(&core->roster),
                                .store_ms = core->beat_took_ms,
                                .beat_age_ms =
                                    core->beat_ms != 0 ? core_now_ms(core) - core->beat_ms : 0};
}

void core_send_off(struct core *core)
{
    struct client *client, *next;
    HASH_ITER(hh, core->roster.clients, client, next)
    {
        if (client->line != NULL) {
            core->options.line.close(client->line, WS_CLOSE_GOING_AWAY);
            core_on_line_ended(client);
        }
    }
}

void core_stop(struct core *core)
{
    core->stopped = true;
}

bool core_settled(const struct core *core)
{
    struct client *client, *next;
    HASH_ITER(hh, core->roster.clients, client, next)
    {
        bool is_moving = client->leaving_to != NULL || client->held_ms != 0;
        if (client->line != NULL || is_moving || !channel_is_idle(core, client)) {
            return false;
        }
    }
    return true;
}

void core_leave(struct core *core)
{
    homes_report_all(core);
    upkeep_leave(core);
}

int64_t core_id_taken_ms(const struct core *core)
{
    return core->id_taken_ms;
}

static bool core_is_old(const struct core *core, int64_t at_ms)
{
    return at_ms == 0 || core_now_ms(core) - at_ms > CORE_READY_MS;
}

bool core_ready(const struct core *core, const char **ret_why)
{
    if (core->draining) {
        *ret_why = "draining";
    } else if (!core->store_connected) {
        *ret_why = "not connected to Redis";
    } else if (core->id_taken_ms != 0) {
        *ret_why = err_text(ERR_NODE_ID_TAKEN);
    } else if (core->is_store_full) {
        *ret_why = err_text(ERR_STORE_FULL);
    } else if (core->refused != ERR_NONE && !core_is_old(core, core->refused_ms)) {
        *ret_why = err_text(core->refused);
    } else if (core_is_old(core, core->beat_ms)) {
        *ret_why = "Redis takes no writes";
    } else if (core->options.bus_address[0] != '\0' && core_is_old(core, core->echo_ms)) {
        *ret_why = "its own batch did not come back over the bus";
    } else {
        return true;
    }
    return false;
}

size_t core_in_flight(const struct core *core)
{
    return core->in_flight;
}
