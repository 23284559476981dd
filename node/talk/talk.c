/* SPDX-License-Identifier: MIT */
/*
 * talk: life of the talk, calls to the store and what all its modules share. Requests are in
 * datagrams.c and say.c, what scripts answer in effects.c, deliveries in deliver.c, timers in
 * upkeep.c.
 */
#include "lines.h"

#include "node/base/metrics.h"

/* Calls to the store under way; each holds a few KiB. */
#define TALK_IN_FLIGHT_MAX 20000
/* Redis and the bus have to have worked within this time. */
#define TALK_READY_MS 3000
/* Redis has done what is left of a broken connection within this time. */
#define TALK_RESUME_MS 1000
/* The list of nodes is not asked for more often than this because of an unknown one. */
#define TALK_STRANGER_MS 20

struct talk *talk_new(const struct talk_options *options)
{
    struct talk *talk = calloc(1, sizeof *talk);
    if (talk != NULL) {
        talk->options = *options;
        options->clock.random(options->clock.ctx, (uint8_t *)&talk->registers.seed,
                              sizeof talk->registers.seed);
        talk->requests.seed = talk->visitors.seed = talk->unsaid.seed = talk->registers.seed;
        talk->strangers.failures.seed = talk->registers.seed;
        talk->payers.seed = talk->addresses.seed = talk->registers.seed;
        options->clock.random(options->clock.ctx, (uint8_t *)&talk->payers_seed,
                              sizeof talk->payers_seed);
        options->clock.random(options->clock.ctx, talk->guesses.secret,
                              sizeof talk->guesses.secret);
    }
    return talk;
}

void talk_free(struct talk *talk)
{
    if (talk == NULL) {
        return;
    }
    assert(talk->in_flight == 0);
    rivals_fini(talk);
    struct client *client, *next;
    HASH_ITER(hh, talk->roster.clients, client, next)
    {
        effects_gone(talk, client, WS_CLOSE_GOING_AWAY);
    }
    for (int list = 0; list < LIST_COUNT; list++) {
        listing_unref(talk->lists[list]);
    }
    undecided_free(talk);
    lines_fini(talk);
    free(talk);
}

int64_t talk_now_ms(const struct talk *talk)
{
    return talk->options.clock.now_ms(talk->options.clock.ctx);
}

void talk_args_init(struct talk *talk, struct script_args *args, struct bytes uid)
{
    const struct config *config = talk->options.config;
    args->count = 0;
    args->digits_used = 0;
    args->keys_used = 0;
    if (uid.len > 0) {
        script_args_bytes(args, "uid", uid);
    }
    script_args_str(args, "node", talk->options.node);
    script_args_int(args, "history", config->history_length);
    script_args_int(args, "dedupe_ms", config->history_dedupe_s * 1000);
    script_args_int(args, "lists_max", config->lists_max);
    script_args_int(args, "coalesce_ms", config->lists_coalesce_ms);
    script_args_int(args, "away_s", config->http_away_s);
    if (talk->draining) {
        script_args_str(args, "draining", "1");
    }
}

struct script_args *talk_args_keep(const struct script_args *args)
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

void talk_call(struct talk *talk, enum script script, const struct script_args *args,
               store_on_result_fn *on_result, void *arg)
{
    talk->in_flight++;
    talk->options.store.call(talk->options.store.ctx, script, args, on_result, arg);
}

void talk_control_args(struct talk *talk, struct script_args *args)
{
    talk_args_init(talk, args, bytes_of(NULL, 0));
    script_args_int(args, "name_max", talk->options.config->limits_name_bytes);
    script_args_int(args, "members_max", talk->options.config->limits_room_members);
    script_args_int(args, "rooms_max", talk->options.config->limits_rooms);
    script_args_int(args, "answer_ms", talk->options.config->hgtp_answer_ms);
}

struct talk_controlled {
    struct talk *talk;
    store_on_result_fn *on_result;
    void *arg;
};

static void talk_on_controlled(const struct result *result, void *arg)
{
    struct talk_controlled *controlled = arg;
    struct talk *talk = controlled->talk;
    talk_call_over(talk);
    if (result != NULL) {
        effects_apply(talk, result, NULL, NULL);
    }
    controlled->on_result(result, controlled->arg);
    free(controlled);
}

void talk_control(struct talk *talk, enum script script, const struct script_args *args,
                  store_on_result_fn *on_result, void *arg)
{
    struct talk_controlled *controlled = calloc(1, sizeof *controlled);
    if (controlled == NULL || talk_is_busy(talk)) {
        free(controlled);
        on_result(NULL, arg);
        return;
    }
    *controlled = (struct talk_controlled){talk, on_result, arg};
    talk_call(talk, script, args, talk_on_controlled, controlled);
}

bool talk_is_busy(const struct talk *talk)
{
    return talk->in_flight >= TALK_IN_FLIGHT_MAX;
}

void talk_end_waiting(struct talk *talk)
{
    strangers_send_home(talk);
    cost_send_home(talk);
}

bool talk_address_in_time(struct talk *talk, struct rate_table *table, uint32_t ip, int64_t per_s)
{
    return config_networks_contain(talk->options.config->http_trusted_proxies, ip) ||
           rate_table_take(table, ip, per_s, talk_now_ms(talk));
}

void talk_call_over(struct talk *talk)
{
    assert(talk->in_flight > 0);
    talk->in_flight--;
}

enum err talk_outcome(struct talk *talk, const struct result *result)
{
    if (result != NULL) {
        return result->code;
    }
    enum err err = talk->options.store.refusal(talk->options.store.ctx);
    if (err != ERR_STORE_AWAY) {
        talk->refused = err;
        talk->refused_ms = talk_now_ms(talk);
    }
    return err;
}

void talk_on_drained(void *owner)
{
    struct client *client = owner;
    client->is_full = false;
    deliver_catch_up(client->talk, client);
}

void talk_on_store(struct talk *talk, bool connected)
{
    talk->store_connected = connected;
    if (!connected) {
        return;
    }
    inbox_begin_anew(talk);
    upkeep_resume(talk);
    /* What was sent on a connection that broke may be carried out after this one has come. */
    talk->resume_ms = talk_now_ms(talk) + TALK_RESUME_MS;
    talk->next_beat_ms = talk->next_touch_ms = 0;
    talk->options.clock.wake_in(talk->options.clock.ctx, 0);
}

void talk_on_late(struct talk *talk, const struct result *result)
{
    effects_apply(talk, result, NULL, NULL);
}

void talk_on_bus_gap(struct talk *talk)
{
    upkeep_missed(talk);
}

void talk_on_bus_stranger(struct talk *talk)
{
    int64_t due_ms = talk->beat_ms + TALK_STRANGER_MS;
    if (due_ms < talk->next_beat_ms) {
        talk->next_beat_ms = due_ms;
        talk->options.clock.wake_in(talk->options.clock.ctx, due_ms - talk_now_ms(talk));
    }
}

void talk_on_bus_echo(struct talk *talk)
{
    talk->echo_ms = talk_now_ms(talk);
    talk->options.clock.wake_in(talk->options.clock.ctx, 0);
}

void talk_drain(struct talk *talk, int64_t within_ms)
{
    talk->draining = true;
    lines_send_away(talk, within_ms);
    upkeep_beat_soon(talk);
}

void talk_resume(struct talk *talk)
{
    talk->draining = false;
    upkeep_beat_soon(talk);
}

size_t talk_others(const struct talk *talk)
{
    return talk->other_count;
}

struct talk_census talk_census(const struct talk *talk)
{
    return (struct talk_census){.sessions = roster_client_count(&talk->roster),
                                .lines = talk->line_count,
                                .rooms = roster_room_count(&talk->roster),
                                .store_ms = talk->beat_took_ms,
                                .beat_age_ms =
                                    talk->beat_ms != 0 ? talk_now_ms(talk) - talk->beat_ms : 0};
}

void talk_send_off(struct talk *talk)
{
    struct client *client, *next;
    HASH_ITER(hh, talk->roster.clients, client, next)
    {
        if (client->line != NULL) {
            talk->options.line.close(client->line, WS_CLOSE_GOING_AWAY);
            talk_on_line_ended(client);
        }
    }
}

void talk_stop(struct talk *talk)
{
    talk->stopped = true;
}

bool talk_settled(const struct talk *talk)
{
    struct client *client, *next;
    HASH_ITER(hh, talk->roster.clients, client, next)
    {
        bool is_moving = client->leaving_to != NULL || client->held_ms != 0;
        if (client->line != NULL || is_moving || !channel_is_idle(talk, client)) {
            return false;
        }
    }
    return true;
}

void talk_leave(struct talk *talk)
{
    homes_report_all(talk);
    upkeep_leave(talk);
}

int64_t talk_id_taken_ms(const struct talk *talk)
{
    return talk->id_taken_ms;
}

static bool talk_is_old(const struct talk *talk, int64_t at_ms)
{
    return at_ms == 0 || talk_now_ms(talk) - at_ms > TALK_READY_MS;
}

bool talk_ready(const struct talk *talk, const char **ret_why)
{
    if (talk->draining) {
        *ret_why = "draining";
    } else if (!talk->store_connected) {
        *ret_why = "not connected to Redis";
    } else if (talk->id_taken_ms != 0) {
        *ret_why = err_text(ERR_NODE_ID_TAKEN);
    } else if (talk->is_store_full) {
        *ret_why = err_text(ERR_STORE_FULL);
    } else if (talk->refused != ERR_NONE && !talk_is_old(talk, talk->refused_ms)) {
        *ret_why = err_text(talk->refused);
    } else if (talk_is_old(talk, talk->beat_ms)) {
        *ret_why = "Redis takes no writes";
    } else if (talk->options.bus_address[0] != '\0' && talk_is_old(talk, talk->echo_ms)) {
        *ret_why = "its own batch did not come back over the bus";
    } else {
        return true;
    }
    return false;
}

size_t talk_in_flight(const struct talk *talk)
{
    return talk->in_flight;
}
