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
    struct core *core = arg;
    core_call_over(core);
    core->beating = false;
    enum err err = core_outcome(core, result);
    if (result == NULL) {
        return;
    }
    if (err == ERR_NODE_ID_TAKEN) {
        if (core->id_taken_ms == 0) {
            core->id_taken_ms = core_now_ms(core);
            LOG(LOG_WARN, "node_id_in_use", log_str("node", core->options.node),
                log_bytes("other", result->extra),
                log_str("hint", "waiting whether the other node with this id still lives"));
        }
        return;
    }
    if (err != ERR_NONE) { /* nothing was written */
        core->refused = err;
        core->refused_ms = core_now_ms(core);
        LOG_LIMITED(LOG_ERROR, "beat_refused", log_str("error", err_text(err)));
        return;
    }
    ages_clock(result->sent_us, result->got_us, result->redis_us);
    bool is_first = core->beat_ms == 0;
    homes_doubt_if_given_up(core);
    core->beat_ms = core_now_ms(core);
    core->beat_took_ms = core->beat_ms - core->beat_sent_ms;
    core->other_count = (size_t)effects_number(result->extra, 0);
    metric_set(METRIC_OTHER_NODES, (int64_t)core->other_count);
    core->id_taken_ms = 0;
    bool was_evicting = core->is_store_evicting;
    core->is_store_full = core->is_store_evicting = false;
    effects_apply(core, result, NULL, NULL);
    if (core->is_store_evicting && !was_evicting) {
        LOG(LOG_WARN, "redis_evicts",
            log_str("hint",
                    "its maxmemory-policy may take sessions and logs away; set noeviction"));
    }
    if (core->options.bus_address[0] != '\0') {
        core->options.bus.beat(core->options.bus.ctx);
    }
    if (is_first) {
        core->options.clock.wake_in(core->options.clock.ctx, 0);
    }
}

static void upkeep_call_beat(struct core *core, bool is_leaving)
{
    core->beating = true;
    core->beat_sent_ms = core_now_ms(core);
    struct script_args args;
    core_args_init(core, &args, bytes_of(NULL, 0));
    script_args_str(&args, "hgtp", core->options.hgtp_address);
    script_args_str(&args, "http", core->options.http_address);
    script_args_str(&args, "bus", core->options.bus_address);
    script_args_int(&args, "dead_ms", CORE_DEAD_MS);
    if (is_leaving) {
        script_args_str(&args, "bye", "1");
    }
    core_call(core, SCRIPT_beat, &args, upkeep_on_beat, core);
}

static void upkeep_beat(struct core *core)
{
    if (!core->beating) {
        upkeep_call_beat(core, false);
    }
}

void upkeep_beat_soon(struct core *core)
{
    core->next_beat_ms = 0;
    core->options.clock.wake_in(core->options.clock.ctx, 0);
}

void upkeep_leave(struct core *core)
{
    upkeep_call_beat(core, true);
}

static void upkeep_on_swept(const struct result *result, void *arg)
{
    struct core *core = arg;
    core_call_over(core);
    core->sweeping = false;
    if (result == NULL) {
        return;
    }
    int64_t swept_count = effects_number(result->extra, 0);
    metric_add(METRIC_SWEPT, swept_count);
    effects_apply(core, result, NULL, NULL);
    if (swept_count >= UPKEEP_SWEEP_BATCH) {
        core->next_sweep_ms = core_now_ms(core);
        core->options.clock.wake_in(core->options.clock.ctx, 0);
    }
}

static void upkeep_sweep(struct core *core)
{
    if (core->sweeping) {
        return;
    }
    core->sweeping = true;
    struct script_args args;
    core_args_init(core, &args, bytes_of(NULL, 0));
    script_args_int(&args, "batch", UPKEEP_SWEEP_BATCH);
    core_call(core, SCRIPT_sweep, &args, upkeep_on_swept, core);
}

/* Signs of life ----------------------------------------------------------------------------------
 */

/* A full batch may have left some over: the next one follows at once, so that all get their turn.
 */
static void upkeep_go_on(struct core *core)
{
    core->next_touch_ms = core_now_ms(core);
    core->options.clock.wake_in(core->options.clock.ctx, 0);
}

static void upkeep_on_touched(const struct result *result, void *arg)
{
    struct core *core = arg;
    core_call_over(core);
    core->touching = false;
    if (result != NULL) {
        effects_apply(core, result, NULL, NULL);
        if (core->touch_was_full) {
            upkeep_go_on(core);
        }
    }
}

static bool upkeep_touch_due(const struct core *core, const struct client *client, int64_t now_ms)
{
    int64_t every_ms = client->expires_ms / 3;
    if (every_ms > UPKEEP_TOUCH_MOST_MS) {
        every_ms = UPKEEP_TOUCH_MOST_MS;
    }
    return now_ms - client->touched_ms >= every_ms && channel_is_alive(core, client);
}

static void upkeep_touch(struct core *core, int64_t now_ms)
{
    if (core->touching) {
        return;
    }
    uint8_t uids[UPKEEP_BATCH * HGTP_USER_ID_BYTES];
    struct sink out = sink_into(uids, sizeof uids);
    struct client *client, *next;
    HASH_ITER(hh, core->roster.clients, client, next)
    {
        if (client->behind || deliver_owes_lists(client)) {
            deliver_catch_up(core, client);
        }
        if (out.len < sizeof uids && upkeep_touch_due(core, client, now_ms)) {
            client->touched_ms = now_ms;
            sink_put(&out, bytes_of(client->uid, sizeof client->uid));
        }
    }
    core->touch_was_full = out.len == sizeof uids;
    if (out.len > 0) {
        core->touching = true;
        struct script_args args;
        core_args_init(core, &args, bytes_of(NULL, 0));
        script_args_bytes(&args, "uids", sink_bytes(&out));
        core_call(core, SCRIPT_touch, &args, upkeep_on_touched, core);
    }
}

/* Comparison with the room logs ------------------------------------------------------------------
 */

static void upkeep_on_checked(const struct result *result, void *arg)
{
    struct core *core = arg;
    core_call_over(core);
    core->checking = false;
    if (result != NULL) {
        effects_apply(core, result, NULL, NULL);
        if (core->check_was_full) {
            upkeep_go_on(core);
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

static void upkeep_call_tops(struct core *core, const struct sink *rooms,
                             store_on_result_fn *on_result)
{
    struct script_args args;
    core_args_init(core, &args, bytes_of(NULL, 0));
    script_args_bytes(&args, "rooms", sink_bytes(rooms));
    core_call(core, SCRIPT_tops, &args, on_result, core);
}

/* One batch of the rooms that are due; when none is, all become due for the next round. */
static void upkeep_check(struct core *core)
{
    if (core->checking) {
        return;
    }
    uint8_t rooms[UPKEEP_BATCH * UPKEEP_ROOM_MAX];
    struct sink out = sink_into(rooms, sizeof rooms);
    struct room *room, *next;
    core->check_was_full = false;
    HASH_ITER(hh, core->roster.rooms, room, next)
    {
        core->check_was_full = out.cap - out.len < UPKEEP_ROOM_MAX;
        if (room->check_due && !core->check_was_full) {
            room->check_due = false;
            upkeep_put_room(room, &out);
        }
    }
    if (out.len > 0) {
        core->checking = true;
        upkeep_call_tops(core, &out, upkeep_on_checked);
    }
}

static void upkeep_on_carried_out(const struct result *result, void *arg)
{
    struct core *core = arg;
    core_call_over(core);
    if (result != NULL) {
        effects_apply(core, result, NULL, NULL);
    }
}

void upkeep_compare(struct core *core, struct room *room)
{
    uint8_t text[UPKEEP_ROOM_MAX];
    struct sink out = sink_into(text, sizeof text);
    upkeep_put_room(room, &out);
    upkeep_call_tops(core, &out, upkeep_on_carried_out);
}

static void upkeep_check_all(struct core *core)
{
    struct room *room, *next;
    HASH_ITER(hh, core->roster.rooms, room, next)
    {
        room->check_due = true;
    }
}

void upkeep_check_soon(struct core *core)
{
    core->next_touch_ms = 0;
    core->options.clock.wake_in(core->options.clock.ctx, 0);
}

/* However much is missed at a time, it is looked for once. */
static void upkeep_look_for_missed(struct core *core)
{
    core->missed = false;
    upkeep_check_all(core);
    struct room *room, *next_room;
    HASH_ITER(hh, core->roster.rooms, room, next_room)
    {
        lists_dirty(core, LIST_MEMBERS, room);
    }
    lists_dirty(core, LIST_USERS, NULL);
    lists_dirty(core, LIST_ROOMS, NULL);
    lists_dirty(core, LIST_COUNTS, NULL);
    struct client *client, *next;
    HASH_ITER(hh, core->roster.clients, client, next)
    {
        client->touched_ms = 0;
    }
}

void upkeep_missed(struct core *core)
{
    core->missed =
        true; /* looked for by the clock: who connects to the bus must not set its pace */
}

void upkeep_resume(struct core *core)
{
    homes_walk(core, bytes_str(core->options.node));
    upkeep_missed(core);
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

int64_t core_tick(struct core *core)
{
    int64_t now_ms = core_now_ms(core);
    int64_t wait_ms = UPKEEP_BEAT_MS;
    if (core->resume_ms != 0 && now_ms >= core->resume_ms) {
        core->resume_ms = 0;
        upkeep_resume(core);
    }
    if (core->gaps_ms != 0 && now_ms >= core->gaps_ms) {
        deliver_gaps(core, now_ms);
    }
    if (core->gaps_ms != 0 && core->gaps_ms - now_ms < wait_ms) {
        wait_ms = core->gaps_ms - now_ms;
    }
    cost_tick(core);
    wait_ms = lists_tick(core, now_ms, wait_ms);
    if (upkeep_due(&core->next_beat_ms, now_ms, UPKEEP_BEAT_MS, &wait_ms)) {
        upkeep_beat(core);
    }
    if (upkeep_due(&core->next_sweep_ms, now_ms, UPKEEP_SWEEP_MS, &wait_ms)) {
        upkeep_sweep(core);
    }
    if (upkeep_due(&core->next_check_ms, now_ms, UPKEEP_CHECK_MS, &wait_ms)) {
        upkeep_check_all(core);
    }
    if (upkeep_due(&core->next_touch_ms, now_ms, UPKEEP_TOUCH_MS, &wait_ms)) {
        if (core->missed) {
            upkeep_look_for_missed(core);
        }
        lines_tick(core);
        upkeep_touch(core, now_ms);
        upkeep_check(core);
        homes_tick(core, now_ms);
        undecided_tick(core, now_ms);
        originals_tick(core, now_ms);
        rivals_tick(core, now_ms);
    }
    return wait_ms > 0 ? wait_ms : 1;
}
