/* SPDX-License-Identifier: MIT */
/*
 * talk: life of the talk, calls to the store and what all its modules share. Requests are in
 * datagrams.c and say.c, what scripts answer in effects.c, deliveries in deliver.c, timers in
 * upkeep.c.
 */
#include "talk_state.h"

#include "node/base/metrics.h"

/* Calls to the store under way; each holds a few KiB. */
#define TALK_IN_FLIGHT_MAX 20000

struct talk *talk_new(const struct talk_options *options)
{
    struct talk *talk = calloc(1, sizeof *talk);
    if (talk != NULL) {
        talk->options = *options;
        options->clock.random(options->clock.ctx, (uint8_t *)&talk->registers.seed,
                              sizeof talk->registers.seed);
        talk->requests.seed = talk->registers.seed;
    }
    return talk;
}

void talk_free(struct talk *talk)
{
    if (talk == NULL) {
        return;
    }
    assert(talk->in_flight == 0);
    struct client *client, *next;
    HASH_ITER(hh, talk->roster.clients, client, next)
    {
        effects_gone(talk, client);
    }
    for (int list = 0; list < LIST_COUNT; list++) {
        frame_unref(talk->lists[list]);
    }
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
    if (uid.len > 0) {
        script_args_bytes(args, "uid", uid);
    }
    script_args_str(args, "node", talk->options.node);
    script_args_int(args, "history", config->history_length);
    script_args_int(args, "dedupe_ms", config->history_dedupe_s * 1000);
    script_args_int(args, "lists_max", config->lists_max);
    script_args_int(args, "coalesce_ms", config->lists_coalesce_ms);
}

void talk_call(struct talk *talk, enum script script, const struct script_args *args,
               store_on_result_fn *on_result, void *arg)
{
    talk->in_flight++;
    talk->options.store.call(talk->options.store.ctx, script, args, on_result, arg);
}

bool talk_is_busy(const struct talk *talk)
{
    return talk->in_flight >= TALK_IN_FLIGHT_MAX;
}

void talk_call_over(struct talk *talk)
{
    assert(talk->in_flight > 0);
    talk->in_flight--;
}

void talk_on_drained(void *owner)
{
    struct client *client = owner;
    deliver_catch_up(client->talk, client);
}

void talk_on_store(struct talk *talk, bool connected)
{
    talk->store_connected = connected;
    if (!connected) {
        return;
    }
    struct room *room, *next;
    HASH_ITER(hh, talk->roster.rooms, room, next)
    {
        room->check_due = true;
        upkeep_list_dirty(talk, LIST_MEMBERS, room);
    }
    upkeep_list_dirty(talk, LIST_USERS, NULL);
    upkeep_list_dirty(talk, LIST_ROOMS, NULL);
    talk->adopt_due = true;
    talk->next_beat_ms = talk->next_check_ms = talk->next_touch_ms = 0;
    struct client *client, *next_client;
    HASH_ITER(hh, talk->roster.clients, client, next_client)
    {
        client->touched_ms = 0;
    }
    talk->options.clock.wake_in(talk->options.clock.ctx, 0);
}

void talk_on_late(struct talk *talk, const struct result *result)
{
    effects_apply(talk, result, NULL, NULL);
}

void talk_drain(struct talk *talk)
{
    talk->draining = true;
    upkeep_leave(talk);
}

bool talk_ready(const struct talk *talk, const char **ret_why)
{
    if (talk->draining) {
        *ret_why = "draining";
    } else if (!talk->store_connected) {
        *ret_why = "not connected to Redis";
    } else if (talk->beat_ms == 0 || talk_now_ms(talk) - talk->beat_ms > 3000) {
        *ret_why = "Redis takes no writes";
    } else {
        return true;
    }
    return false;
}

size_t talk_in_flight(const struct talk *talk)
{
    return talk->in_flight;
}
