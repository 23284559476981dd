/* SPDX-License-Identifier: MIT */
/*
 * upkeep: what a node does by the clock: beats in Redis, sweeps what has run out, passes on signs
 * of life, compares its rooms with their logs. All in batches, and each kind only once at a time.
 */
#include "channel.h"
#include "node/base/ages.h"
#include "node/base/log.h"

#define UPKEEP_BEAT_MS       500
#define UPKEEP_SWEEP_MS      500
#define UPKEEP_SWEEP_BATCH   100
#define UPKEEP_TOUCH_MS      250
#define UPKEEP_TOUCH_MOST_MS 20000 /* a sign of life is passed on at least so often */
#define UPKEEP_CHECK_MS      5000
#define UPKEEP_BATCH         500

/* Beat and sweep ---------------------------------------------------------------------------------
 */

static void upkeep_on_beat(const struct result *result, void *arg)
{
    struct talk *talk = arg;
    talk_call_over(talk);
    talk->beating = false;
    enum err err = talk_outcome(talk, result);
    if (result == NULL) {
        return;
    }
    if (err == ERR_NODE_ID_TAKEN) {
        if (talk->id_taken_ms == 0) {
            talk->id_taken_ms = talk_now_ms(talk);
            LOG(LOG_WARN, "node_id_in_use", log_str("node", talk->options.node),
                log_bytes("other", result->extra),
                log_str("hint", "waiting whether the other node with this id still lives"));
        }
        return;
    }
    if (err != ERR_NONE) { /* nothing was written */
        talk->refused = err;
        talk->refused_ms = talk_now_ms(talk);
        LOG_LIMITED(LOG_ERROR, "beat_refused", log_str("error", err_text(err)));
        return;
    }
    ages_clock(result->sent_us, result->got_us, result->redis_us);
    bool is_first = talk->beat_ms == 0;
    homes_doubt_if_given_up(talk);
    talk->beat_ms = talk_now_ms(talk);
    talk->beat_took_ms = talk->beat_ms - talk->beat_sent_ms;
    talk->other_count = (size_t)effects_number(result->extra, 0);
    metric_set(METRIC_OTHER_NODES, (int64_t)talk->other_count);
    talk->id_taken_ms = 0;
    bool was_evicting = talk->is_store_evicting;
    talk->is_store_full = talk->is_store_evicting = false;
    effects_apply(talk, result, NULL, NULL);
    if (talk->is_store_evicting && !was_evicting) {
        LOG(LOG_WARN, "redis_evicts",
            log_str("hint",
                    "its maxmemory-policy may take sessions and logs away; set noeviction"));
    }
    if (talk->options.bus_address[0] != '\0') {
        talk->options.bus.beat(talk->options.bus.ctx);
    }
    if (is_first) {
        talk->options.clock.wake_in(talk->options.clock.ctx, 0);
    }
}

static void upkeep_call_beat(struct talk *talk, bool is_leaving)
{
    talk->beating = true;
    talk->beat_sent_ms = talk_now_ms(talk);
    struct script_args args;
    talk_args_init(talk, &args, bytes_of(NULL, 0));
    script_args_str(&args, "hgtp", talk->options.hgtp_address);
    script_args_str(&args, "http", talk->options.http_address);
    script_args_str(&args, "bus", talk->options.bus_address);
    script_args_int(&args, "dead_ms", TALK_DEAD_MS);
    if (is_leaving) {
        script_args_str(&args, "bye", "1");
    }
    talk_call(talk, SCRIPT_beat, &args, upkeep_on_beat, talk);
}

static void upkeep_beat(struct talk *talk)
{
    if (!talk->beating) {
        upkeep_call_beat(talk, false);
    }
}

void upkeep_beat_soon(struct talk *talk)
{
    talk->next_beat_ms = 0;
    talk->options.clock.wake_in(talk->options.clock.ctx, 0);
}

void upkeep_leave(struct talk *talk)
{
    upkeep_call_beat(talk, true);
}

static void upkeep_on_swept(const struct result *result, void *arg)
{
    struct talk *talk = arg;
    talk_call_over(talk);
    talk->sweeping = false;
    if (result == NULL) {
        return;
    }
    int64_t swept_count = effects_number(result->extra, 0);
    metric_add(METRIC_SWEPT, swept_count);
    effects_apply(talk, result, NULL, NULL);
    if (swept_count >= UPKEEP_SWEEP_BATCH) {
        talk->next_sweep_ms = talk_now_ms(talk);
        talk->options.clock.wake_in(talk->options.clock.ctx, 0);
    }
}

static void upkeep_sweep(struct talk *talk)
{
    if (talk->sweeping) {
        return;
    }
    talk->sweeping = true;
    struct script_args args;
    talk_args_init(talk, &args, bytes_of(NULL, 0));
    script_args_int(&args, "batch", UPKEEP_SWEEP_BATCH);
    talk_call(talk, SCRIPT_sweep, &args, upkeep_on_swept, talk);
}

/* Signs of life ----------------------------------------------------------------------------------
 */

/* A full batch may have left some over: the next one follows at once, so that all get their turn.
 */
static void upkeep_go_on(struct talk *talk)
{
    talk->next_touch_ms = talk_now_ms(talk);
    talk->options.clock.wake_in(talk->options.clock.ctx, 0);
}

static void upkeep_on_touched(const struct result *result, void *arg)
{
    struct talk *talk = arg;
    talk_call_over(talk);
    talk->touching = false;
    if (result != NULL) {
        effects_apply(talk, result, NULL, NULL);
        if (talk->touch_was_full) {
            upkeep_go_on(talk);
        }
    }
}

static bool upkeep_touch_due(const struct talk *talk, const struct client *client, int64_t now_ms)
{
    int64_t every_ms = client->expires_ms / 3;
    if (every_ms > UPKEEP_TOUCH_MOST_MS) {
        every_ms = UPKEEP_TOUCH_MOST_MS;
    }
    return now_ms - client->touched_ms >= every_ms && channel_is_alive(talk, client);
}

static void upkeep_touch(struct talk *talk, int64_t now_ms)
{
    if (talk->touching) {
        return;
    }
    uint8_t uids[UPKEEP_BATCH * HGTP_USER_ID_BYTES];
    struct sink out = sink_into(uids, sizeof uids);
    struct client *client, *next;
    HASH_ITER(hh, talk->roster.clients, client, next)
    {
        if (client->behind || deliver_owes_lists(client)) {
            deliver_catch_up(talk, client);
        }
        if (out.len < sizeof uids && upkeep_touch_due(talk, client, now_ms)) {
            client->touched_ms = now_ms;
            sink_put(&out, bytes_of(client->uid, sizeof client->uid));
        }
    }
    talk->touch_was_full = out.len == sizeof uids;
    if (out.len > 0) {
        talk->touching = true;
        struct script_args args;
        talk_args_init(talk, &args, bytes_of(NULL, 0));
        script_args_bytes(&args, "uids", sink_bytes(&out));
        talk_call(talk, SCRIPT_touch, &args, upkeep_on_touched, talk);
    }
}

/* Comparison with the room logs ------------------------------------------------------------------
 */

static void upkeep_on_checked(const struct result *result, void *arg)
{
    struct talk *talk = arg;
    talk_call_over(talk);
    talk->checking = false;
    if (result != NULL) {
        effects_apply(talk, result, NULL, NULL);
        if (talk->check_was_full) {
            upkeep_go_on(talk);
        }
    }
}

/* Id, epoch and next number of a room, a space behind each. */
#define UPKEEP_ROOM_MAX (HGTP_ROOM_ID_BYTES + ROSTER_EPOCH_MAX + 24)
static void upkeep_put_room(const struct room *room, struct sink *out)
{
    char text[ROSTER_EPOCH_MAX + 24];
    sink_put(out, bytes_of(room->id, sizeof room->id));
    snprintf(text, sizeof text, " %s %" PRIu64 " ", room->epoch, room->feed.next);
    sink_text(out, text);
}

static void upkeep_call_tops(struct talk *talk, const struct sink *rooms,
                             store_on_result_fn *on_result)
{
    struct script_args args;
    talk_args_init(talk, &args, bytes_of(NULL, 0));
    script_args_bytes(&args, "rooms", sink_bytes(rooms));
    talk_call(talk, SCRIPT_tops, &args, on_result, talk);
}

/* One batch of the rooms that are due; when none is, all become due for the next round. */
static void upkeep_check(struct talk *talk)
{
    if (talk->checking) {
        return;
    }
    uint8_t rooms[UPKEEP_BATCH * UPKEEP_ROOM_MAX];
    struct sink out = sink_into(rooms, sizeof rooms);
    struct room *room, *next;
    talk->check_was_full = false;
    HASH_ITER(hh, talk->roster.rooms, room, next)
    {
        talk->check_was_full = out.cap - out.len < UPKEEP_ROOM_MAX;
        if (room->check_due && !talk->check_was_full) {
            room->check_due = false;
            upkeep_put_room(room, &out);
        }
    }
    if (out.len > 0) {
        talk->checking = true;
        upkeep_call_tops(talk, &out, upkeep_on_checked);
    }
}

static void upkeep_on_carried_out(const struct result *result, void *arg)
{
    struct talk *talk = arg;
    talk_call_over(talk);
    if (result != NULL) {
        effects_apply(talk, result, NULL, NULL);
    }
}

void upkeep_compare(struct talk *talk, struct room *room)
{
    uint8_t text[UPKEEP_ROOM_MAX];
    struct sink out = sink_into(text, sizeof text);
    upkeep_put_room(room, &out);
    upkeep_call_tops(talk, &out, upkeep_on_carried_out);
}

static void upkeep_check_all(struct talk *talk)
{
    struct room *room, *next;
    HASH_ITER(hh, talk->roster.rooms, room, next)
    {
        room->check_due = true;
    }
}

void upkeep_check_soon(struct talk *talk)
{
    talk->next_touch_ms = 0;
    talk->options.clock.wake_in(talk->options.clock.ctx, 0);
}

/* However much is missed at a time, it is looked for once. */
static void upkeep_look_for_missed(struct talk *talk)
{
    talk->missed = false;
    upkeep_check_all(talk);
    struct room *room, *next_room;
    HASH_ITER(hh, talk->roster.rooms, room, next_room)
    {
        lists_dirty(talk, LIST_MEMBERS, room);
    }
    lists_dirty(talk, LIST_USERS, NULL);
    lists_dirty(talk, LIST_ROOMS, NULL);
    lists_dirty(talk, LIST_COUNTS, NULL);
    struct client *client, *next;
    HASH_ITER(hh, talk->roster.clients, client, next)
    {
        client->touched_ms = 0;
    }
}

void upkeep_missed(struct talk *talk)
{
    talk->missed =
        true; /* looked for by the clock: who connects to the bus must not set its pace */
}

void upkeep_resume(struct talk *talk)
{
    homes_walk(talk, bytes_str(talk->options.node));
    upkeep_missed(talk);
}

/* The clock --------------------------------------------------------------------------------------
 */

static bool upkeep_due(int64_t *next_ms, int64_t now_ms, int64_t every_ms, int64_t *wait_ms)
{
    bool is_due = now_ms >= *next_ms;
    if (is_due) {
        *next_ms = now_ms + every_ms;
    }
    if (*next_ms - now_ms < *wait_ms) {
        *wait_ms = *next_ms - now_ms;
    }
    return is_due;
}

int64_t talk_tick(struct talk *talk)
{
    int64_t now_ms = talk_now_ms(talk);
    int64_t wait_ms = UPKEEP_BEAT_MS;
    if (talk->resume_ms != 0 && now_ms >= talk->resume_ms) {
        talk->resume_ms = 0;
        upkeep_resume(talk);
    }
    if (talk->gaps_ms != 0 && now_ms >= talk->gaps_ms) {
        deliver_gaps(talk, now_ms);
    }
    if (talk->gaps_ms != 0 && talk->gaps_ms - now_ms < wait_ms) {
        wait_ms = talk->gaps_ms - now_ms;
    }
    cost_tick(talk);
    wait_ms = lists_tick(talk, now_ms, wait_ms);
    if (upkeep_due(&talk->next_beat_ms, now_ms, UPKEEP_BEAT_MS, &wait_ms)) {
        upkeep_beat(talk);
    }
    if (upkeep_due(&talk->next_sweep_ms, now_ms, UPKEEP_SWEEP_MS, &wait_ms)) {
        upkeep_sweep(talk);
    }
    if (upkeep_due(&talk->next_check_ms, now_ms, UPKEEP_CHECK_MS, &wait_ms)) {
        upkeep_check_all(talk);
    }
    if (upkeep_due(&talk->next_touch_ms, now_ms, UPKEEP_TOUCH_MS, &wait_ms)) {
        if (talk->missed) {
            upkeep_look_for_missed(talk);
        }
        lines_tick(talk);
        upkeep_touch(talk, now_ms);
        upkeep_check(talk);
        homes_tick(talk, now_ms);
        undecided_tick(talk, now_ms);
        originals_tick(talk, now_ms);
        rivals_tick(talk, now_ms);
    }
    return wait_ms > 0 ? wait_ms : 1;
}
