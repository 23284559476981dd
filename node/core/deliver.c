/* SPDX-License-Identifier: MIT */
/*
 * deliver: from entries to clients' connections: order by the room's feed, repair of gaps from the
 * room log, frames encoded once, and the catching up of clients whose connection was full. Lists
 * are deliver_lists.c's.
 */
#include "channel.h"
#include "membership.h"
#include "node/base/log.h"
#include "node/base/metrics.h"

/* An entry that comes early is usually ahead of one that is under way by another path: from another
 * node, or in Redis' answer to this one. Only a gap that stays for this long is read from the log.
 */
#define DELIVER_GAP_MS 20
/* Entries read from the log in one call. */
#define DELIVER_READ_COUNT 200

/* A read of the log, for a room's feed or for one client that catches up. */
struct deliver_read {
    struct core *core;
    uint8_t room_id[HGTP_ROOM_ID_BYTES];
    char epoch[ROSTER_EPOCH_MAX];
    uint8_t uid[HGTP_USER_ID_BYTES];
    uint64_t first, last;
};

static void deliver_to_members(struct core *core, struct room *room, struct entry *entry)
{
    for (struct client *client = room->first_member; client != NULL; client = client->next_member) {
        if (entry->seq < client->first || client->behind) {
            continue;
        }
        if (homes_is_closed(core, client) || !channel_entry(core, client, entry)) {
            client->behind = true;
            client->behind_at = entry->seq;
        }
    }
}

/* Who is in the room with an entry is settled before anybody gets it. */
static void deliver_in_turn(struct core *core, struct room *room, struct entry *entry)
{
    membership_entry(core, room, entry);
    roster_on_entry(room, entry);
    deliver_list_ahead(core, room, entry->seq);
    if (entry->stay != 0 && room->members_at < entry->seq) {
        lists_dirty(core, LIST_MEMBERS, room); /* the list that goes with it was lost */
    }
    deliver_to_members(core, room, entry);
}

static void deliver_held(struct core *core, struct room *room)
{
    struct entry *entry;
    while ((entry = room_feed_pop(&room->feed)) != NULL) {
        deliver_in_turn(core, room, entry);
    }
}

/* A client whose next entry was `next` has entries of an epoch that is over, some of them lost. */
static void deliver_epoch_to(struct core *core, struct client *client, uint64_t next, uint64_t kept)
{
    channel_epoch(core, client, kept);
    client->behind = next < client->room->feed.next;
    client->behind_at = next;
    if (next <= kept + 1) {
        return;
    }
    bool is_in_since_then = client->first > kept + 1;
    uint64_t lost_from = is_in_since_then ? client->first : kept + 1;
    if (next > lost_from && !channel_gap(core, client, lost_from, next - 1)) {
        metric_add(METRIC_GAPS_LOST, (int64_t)(next - lost_from));
    }
    client->first = kept + 1; /* it has all before, and nothing of what comes */
    client->turn++;           /* what it confirms of the lost ones is not of the new ones */
}

/* What was told of stays by entries that are lost is not so: Redis is asked about every session. */
static void deliver_doubt_stays(struct core *core)
{
    struct client *client, *next;
    HASH_ITER(hh, core->roster.clients, client, next)
    {
        client->fence = 0;
    }
    homes_walk(core, bytes_str(core->options.node));
}

void deliver_epoch(struct core *core, struct room *room, struct bytes epoch, uint64_t kept)
{
    uint64_t next = room->feed.next;
    if (epoch.len >= sizeof room->epoch) {
        return;
    }
    if (next > kept + 1) {
        LOG(LOG_WARN, "room_log_went_back", log_bytes("room", bytes_of(room->id, sizeof room->id)),
            log_int("from", (int64_t)next - 1), log_int("to", (int64_t)kept),
            log_str("hint", "Redis has lost messages that it had acknowledged, as in a failover"));
        deliver_doubt_stays(core);
    }
    room->repairing = false; /* what is being read is of the earlier one */
    room->gap_ms = 0;
    memcpy(room->epoch, epoch.ptr, epoch.len);
    room->epoch[epoch.len] = '\0';
    listing_unref(room->list_ahead);
    room->list_ahead = NULL;
    room->members_at = 0;
    lists_dirty(core, LIST_MEMBERS, room);
    uint64_t had[2] = {next, kept + 1};
    room_feed_fini(&room->feed);
    room_feed_init(&room->feed, had[0] < had[1] ? had[0] : had[1]);
    room_feed_top(&room->feed, kept);
    for (struct client *client = room->first_member; client != NULL; client = client->next_member) {
        uint64_t of_client = client->behind ? client->behind_at : next;
        deliver_epoch_to(core, client, of_client > client->first ? of_client : client->first, kept);
    }
}

static void deliver_wait_for_gap(struct core *core, struct room *room)
{
    if (room->gap_ms != 0 || room->repairing) {
        return;
    }
    room->gap_ms = core_now_ms(core) + DELIVER_GAP_MS;
    if (core->gaps_ms == 0) {
        core->gaps_ms = room->gap_ms;
        core->options.clock.wake_in(core->options.clock.ctx, DELIVER_GAP_MS);
    }
}

void deliver_gaps(struct core *core, int64_t now_ms)
{
    struct room *room, *next;
    core->gaps_ms = 0;
    HASH_ITER(hh, core->roster.rooms, room, next)
    {
        if (room->gap_ms != 0 && now_ms >= room->gap_ms) {
            room->gap_ms = 0;
            deliver_repair(core, room);
        }
        if (room->gap_ms != 0 && (core->gaps_ms == 0 || room->gap_ms < core->gaps_ms)) {
            core->gaps_ms = room->gap_ms;
        }
    }
}

void deliver_entry(struct core *core, struct room *room, struct entry *entry)
{
    switch (room_feed_take(&room->feed, entry)) {
    case FEED_DUPLICATE:
        metric_add(METRIC_FEED_DUPLICATES, 1);
        return;
    case FEED_EARLY:
        deliver_wait_for_gap(core, room);
        return;
    case FEED_DELIVER:
        break;
    }
    roster_hold(room);
    deliver_in_turn(core, room, entry);
    deliver_held(core, room);
    membership_let_go(core, room);
}

/* `under_way` says whether a read of this kind is; it is set here and cleared by `on_result`. */
static void deliver_read_log(struct core *core, const struct room *room,
                             const struct client *client, uint64_t first, uint64_t last,
                             bool *under_way, store_on_result_fn *on_result)
{
    struct deliver_read *read = calloc(1, sizeof *read);
    if (read == NULL) {
        return;
    }
    *under_way = true;
    read->core = core;
    read->first = first;
    read->last = last;
    memcpy(read->room_id, room->id, sizeof read->room_id);
    memcpy(read->epoch, room->epoch, sizeof read->epoch);
    if (client != NULL) {
        memcpy(read->uid, client->uid, sizeof read->uid);
    }
    struct script_args args;
    core_args_init(core, &args, bytes_of(NULL, 0));
    script_args_bytes(&args, "room_id", bytes_of(read->room_id, sizeof read->room_id));
    script_args_str(&args, "epoch", read->epoch);
    script_args_int(&args, "first", (int64_t)first);
    script_args_int(&args, "last", (int64_t)last);
    script_args_int(&args, "count", DELIVER_READ_COUNT);
    core_call(core, SCRIPT_log_read, &args, on_result, read);
}

static struct room *deliver_room_read(const struct deliver_read *read)
{
    struct room *room =
        roster_room(&read->core->roster, bytes_of(read->room_id, sizeof read->room_id));
    return room != NULL && strcmp(room->epoch, read->epoch) == 0 ? room : NULL;
}

/* Number of the first entry that the log still had; `fallback` when it had none of those asked for.
 */
static uint64_t deliver_first_found(const struct result *result, uint64_t fallback)
{
    for (size_t i = 0; i < result->effect_count; i++) {
        if (effect_is(&result->effects[i], "entry")) {
            return (uint64_t)effects_number(result->effects[i].fields[3], (int64_t)fallback);
        }
    }
    return fallback;
}

/* The log has lost entries before they came here: those who see numbers are told. */
static void deliver_gap_to_members(struct core *core, struct room *room, uint64_t from, uint64_t to)
{
    for (struct client *client = room->first_member; client != NULL; client = client->next_member) {
        uint64_t first = client->first > from ? client->first : from;
        if (client->behind || first > to) {
            continue; /* it finds the gap itself when it catches up */
        }
        if (!channel_gap(core, client, first, to)) {
            client->behind = true;
            client->behind_at = first;
        }
    }
}

/* Where the log has lost entries, who is in the room is told as of its top. */
static void deliver_who_is_in(struct core *core, struct room *room, const struct result *result)
{
    for (size_t i = 0; i < result->effect_count; i++) {
        if (effect_is(&result->effects[i], "members") && result->effects[i].count > 4) {
            membership_as_of_top(core, room, &result->effects[i]);
        }
    }
}

/* What the log has lost of the entries that were asked for, up to `asked_last`, is passed over. */
static void deliver_skip_lost(struct core *core, struct room *room, const struct result *result,
                              uint64_t asked_last)
{
    uint64_t first, last, before = room->feed.next;
    deliver_who_is_in(core, room, result);
    if (!room_feed_gap(&room->feed, &first, &last)) {
        return;
    }
    uint64_t found = deliver_first_found(result, asked_last + 1);
    uint64_t lost_count = room_feed_skip(&room->feed, found);
    metric_add(METRIC_GAPS_LOST, (int64_t)lost_count);
    if (lost_count > 0) {
        deliver_gap_to_members(core, room, before, before + lost_count - 1);
        deliver_list_ahead(core, room, room->feed.next - 1);
    }
}

static void deliver_repaired(struct core *core, struct room *room, const struct result *result,
                             uint64_t asked_last)
{
    uint64_t before = room->feed.next;
    deliver_skip_lost(core, room, result, asked_last);
    metric_add(METRIC_GAPS_REPAIRED, 1);
    effects_apply(core, result, NULL, NULL);
    deliver_held(core, room);
    if (room->feed.next > before) {
        deliver_repair(core, room);
    } else {
        room->check_due = true; /* no progress: not again before the next check */
    }
}

static void deliver_on_repair_read(const struct result *result, void *arg)
{
    struct deliver_read *read = arg;
    struct core *core = read->core;
    core_call_over(core);
    struct room *room = deliver_room_read(read);
    uint64_t last = read->last;
    free(read);
    if (room == NULL) {
        return;
    }
    room->repairing = false;
    if (result == NULL || result->code != ERR_NONE) {
        room->check_due = true;
        return;
    }
    roster_hold(room);
    deliver_repaired(core, room, result, last);
    membership_let_go(core, room);
}

void deliver_repair(struct core *core, struct room *room)
{
    uint64_t first, last;
    if (room->repairing || !room_feed_gap(&room->feed, &first, &last)) {
        return;
    }
    metric_add(METRIC_GAPS_FOUND, 1);
    deliver_read_log(core, room, NULL, first, last, &room->repairing, deliver_on_repair_read);
}

/* Catching up ------------------------------------------------------------------------------------
 */

/* One entry to a client that catches up; false: not now, or not any more. */
static bool deliver_behind(struct core *core, struct client *client, struct entry *entry)
{
    if (membership_ends(client, entry)) {
        membership_over(core, client, entry->stay);
        return false;
    }
    if (!channel_entry(core, client, entry)) {
        return false;
    }
    client->behind_at = entry->seq + 1;
    return true;
}

static void deliver_read_behind(struct core *core, struct client *client,
                                const struct result *result)
{
    const struct room *room = client->room;
    uint64_t found = deliver_first_found(result, room->feed.next);
    if (found > client->behind_at && !channel_gap(core, client, client->behind_at, found - 1)) {
        return;
    }
    metric_add(METRIC_GAPS_LOST, (int64_t)(found - client->behind_at));
    client->behind_at = found;
    bool goes_on = true;
    for (size_t i = 0; goes_on && i < result->effect_count; i++) {
        struct entry *entry =
            effect_is(&result->effects[i], "entry") ? effects_entry(&result->effects[i]) : NULL;
        if (entry != NULL && entry->seq < room->feed.next) {
            goes_on = deliver_behind(core, client, entry);
        }
        entry_unref(entry);
    }
    if (goes_on) {
        deliver_catch_up(core, client);
    }
}

static bool deliver_is_behind_at(const struct client *client, const struct room *room,
                                 uint64_t first)
{
    return client->room == room && client->behind && client->behind_at == first;
}

static void deliver_on_catch_up_read(const struct result *result, void *arg)
{
    struct deliver_read *read = arg;
    struct core *core = read->core;
    core_call_over(core);
    struct room *room = deliver_room_read(read);
    struct client *client = roster_client(&core->roster, bytes_of(read->uid, sizeof read->uid));
    uint64_t first = read->first;
    free(read);
    if (client == NULL) {
        return;
    }
    client->catching_up = false;
    if (room == NULL || homes_is_closed(core, client) ||
        !deliver_is_behind_at(client, room, first) || result == NULL || result->code != ERR_NONE) {
        return;
    }
    roster_hold(room);
    deliver_who_is_in(core, room, result);
    if (deliver_is_behind_at(client, room, first)) {
        deliver_read_behind(core, client, result);
    }
    membership_let_go(core, room);
}

void deliver_catch_up(struct core *core, struct client *client)
{
    if (homes_is_closed(core, client) || !channel_is_open(client) || client->is_full) {
        return;
    }
    deliver_lists_owed(core, client);
    struct room *room = client->room;
    if (room == NULL || !client->behind || client->catching_up) {
        return;
    }
    while (client->behind_at < room->feed.next) {
        struct entry *entry = room_feed_recent(&room->feed, client->behind_at);
        if (entry == NULL) {
            deliver_read_log(core, room, client, client->behind_at, room->feed.next - 1,
                             &client->catching_up, deliver_on_catch_up_read);
            return;
        }
        if (!deliver_behind(core, client, entry)) {
            return;
        }
    }
    client->behind = false;
}
