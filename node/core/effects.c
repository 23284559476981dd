/* SPDX-License-Identifier: MIT */
/*
 * effects: carries out, in order, what a script wants done (effect.def): keeps the roster, hands
 * entries and lists to deliver.c and datagrams to datagrams.c. It decides nothing.
 */
#include <errno.h>

#include "channel.h"
#include "membership.h"
#include "node/base/log.h"
#include "node/base/metrics.h"

bool effect_is(const struct effect *effect, const char *name)
{
    return effect->count > 0 && bytes_equal(effect->fields[0], bytes_str(name));
}

bool effects_are_repeated(const struct result *result)
{
    size_t count = result->effect_count;
    return count > 0 && effect_is(&result->effects[count - 1], "repeated");
}

int64_t effects_number(struct bytes digits, int64_t fallback)
{
    char text[24];
    if (digits.len == 0 || digits.len >= sizeof text) {
        return fallback;
    }
    memcpy(text, digits.ptr, digits.len);
    text[digits.len] = '\0';
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' ? value : fallback;
}

bool effects_address(struct bytes address, uint32_t *ret_ip, uint16_t *ret_port)
{
    char text[32] = "";
    if (address.len >= sizeof text) {
        return false;
    }
    sink_put(&(struct sink){(uint8_t *)text, sizeof text - 1, 0}, address);
    return config_ipv4_port(text, ret_ip, ret_port) && *ret_port != 0;
}

struct entry *effects_entry(const struct effect *effect)
{
    const struct bytes *f = effect->fields;
    int64_t seq = effects_number(f[3], 0);
    if (seq <= 0) {
        return NULL;
    }
    struct entry *entry = entry_new((uint64_t)seq, entry_kind_of(f[4]), f[5], f[6],
                                    effects_number(f[7], 0), effects_number(f[8], 0));
    if (entry != NULL && effect->count > 10 && f[9].len == sizeof entry->uid) {
        memcpy(entry->uid, f[9].ptr, f[9].len);
        entry->stay = effects_number(f[10], 0);
    }
    return entry;
}

void effects_gone(struct core *core, struct client *client, enum ws_close why)
{
    rivals_on_gone(core, client);
    channel_close(core, client, why);
    roster_client_remove(&core->roster, client);
    metric_set(METRIC_SESSIONS, (int64_t)roster_client_count(&core->roster));
    metric_set(METRIC_ROOMS, (int64_t)roster_room_count(&core->roster));
}

/* The push connection of a session whose declared address may have changed. */
static void effects_connect(struct core *core, struct client *client, struct bytes address)
{
    uint32_t ip = 0;
    uint16_t port = 0;
    (void)effects_address(address, &ip, &port);
    if (client->push != NULL && client->push_ip == ip && client->push_port == port) {
        return;
    }
    client->push_ip = ip;
    client->push_port = port;
    if (client->line != NULL && port != 0) {
        channel_close(core, client, WS_CLOSE_REPLACED);
    }
    if (client->push != NULL && port != 0) {
        core->options.push.redirect(client->push, ip, port);
    } else if (client->push != NULL) {
        channel_close(core, client, WS_CLOSE_REPLACED);
    } else if (port != 0) {
        client->heard_lost_count = 0;
        client->push =
            core->options.push.open(core->options.push.ctx, client->uid, ip, port, client);
    }
}

/* One that comes back before it has left has what it got here until now, on its connection at the
 * least, and what it confirmed elsewhere. */
static void effects_stay(struct client *client, uint64_t first)
{
    if (first > roster_next(client)) {
        roster_resume(client, first);
    }
    client->seen = 0; /* what it confirmed here is not where Redis looks for it now */
}

static void effects_on_home(struct core *core, const struct effect *effect)
{
    const struct bytes *f = effect->fields;
    bool has_moved = f[9].len > 0, was_here = roster_client(&core->roster, f[1]) != NULL;
    struct client *client = roster_client_add(&core->roster, f[1]);
    if (client == NULL) {
        return;
    }
    client->core = core;
    client->expires_ms = effects_number(f[4], 1) * 1000;
    client->touched_ms = core_now_ms(core);
    bool is_held = f[10].len > 0;
    bool has_stayed = has_moved && was_here && homes_has_stayed(core, client, is_held);
    homes_keep(client);
    effects_connect(core, client, f[3]);
    (void)roster_client_name(client, f[2]);
    originals_reach(client, f[17]);
    const struct membership told = {.stay = effects_number(f[14], 0),
                                    .fence = effects_number(f[15], 0),
                                    .is_in = f[5].len > 0,
                                    .room = {.id = f[5],
                                             .epoch = f[6],
                                             .name = f[11],
                                             .manager = f[12],
                                             .kind = f[16],
                                             .next = (uint64_t)effects_number(f[7], 1)},
                                    .first = (uint64_t)effects_number(f[8], 1)};
    bool was_in = membership_is_in(client, f[5], f[6]);
    membership_told(core, client, &told);
    bool is_in = membership_is_in(client, f[5], f[6]);
    if (has_moved && was_in && is_in) {
        effects_stay(client, told.first);
    } else if (is_in && !was_in && !has_moved) {
        deliver_give(core, client, LIST_MEMBERS, 0, false); /* told before this was known */
    }
    if (is_in) {
        membership_managed(core, client->room, told.room.manager, told.room.next);
    }
    if (f[5].len == 0 && client->room == NULL) {
        originals_tell_out(core, client); /* if the word that told it so was lost */
    }
    const struct homes_move move = {f[1], f[9], effects_number(f[13], 0)};
    client->move = move.number > client->move ? move.number : client->move;
    if (has_moved && !has_stayed) {
        homes_arrived(core, client, &move, is_held);
    }
    deliver_catch_up(core, client);
    metric_set(METRIC_SESSIONS, (int64_t)roster_client_count(&core->roster));
    metric_set(METRIC_ROOMS, (int64_t)roster_room_count(&core->roster));
}

static void effects_on_gone(struct core *core, const struct effect *effect)
{
    struct client *client = roster_client(&core->roster, effect->fields[1]);
    /* One that is being handed over goes when its new home has been told where it ended. */
    if (client == NULL || client->leaving_to != NULL) {
        return;
    }
    if (bytes_equal(effect->fields[2], bytes_str("ended"))) {
        originals_tell_out(core, client);
        effects_gone(core, client, client->has_unregistered ? WS_CLOSE_NORMAL : WS_CLOSE_ENDED);
    } else if (client->line != NULL && bytes_equal(effect->fields[2], bytes_str("detached"))) {
        homes_look(core, effect->fields[1]); /* its line is here: it comes back */
    } else {
        effects_gone(core, client, WS_CLOSE_REPLACED);
    }
}

static void effects_on_join(struct core *core, const struct effect *effect)
{
    const struct bytes *f = effect->fields;
    struct client *client = roster_client(&core->roster, f[1]);
    if (client != NULL) {
        uint64_t first = (uint64_t)effects_number(f[4], 1);
        const struct membership told = {.stay = effects_number(f[7], 0),
                                        .is_in = true,
                                        .room = {.id = f[2],
                                                 .epoch = f[3],
                                                 .name = f[5],
                                                 .manager = f[6],
                                                 .kind = f[8],
                                                 .next = first},
                                        .first = first};
        membership_told(core, client, &told);
        deliver_catch_up(core, client);
    }
}

bool effects_kept(const struct result *result, uint64_t *ret_kept)
{
    for (size_t i = 0; i < result->effect_count; i++) {
        const struct effect *effect = &result->effects[i];
        if (effect_is(effect, "resume") && effect->count > 5 && effect->fields[5].len > 0) {
            *ret_kept = (uint64_t)effects_number(effect->fields[5], 0);
            return true;
        }
    }
    return false;
}

static void effects_on_resume(struct core *core, const struct effect *effect)
{
    const struct bytes *f = effect->fields;
    struct client *client = roster_client(&core->roster, f[1]);
    if (client != NULL && client->room != NULL &&
        bytes_equal(f[2], bytes_str(client->room->epoch))) {
        uint64_t next = (uint64_t)effects_number(f[3], 1);
        uint64_t lost = (uint64_t)effects_number(f[4], 0);
        if (lost >= next) {
            (void)channel_gap(core, client, next, lost);
        }
        roster_resume(client, next);
        deliver_catch_up(core, client);
    }
}

static void effects_on_leave(struct core *core, const struct effect *effect)
{
    struct client *client = roster_client(&core->roster, effect->fields[1]);
    if (client != NULL) {
        membership_over(core, client, effects_number(effect->fields[2], 0));
    }
}

static void effects_on_inbox(struct core *core, const struct effect *effect)
{
    inbox_reached(core, (uint64_t)effects_number(effect->fields[1], 0));
}

static void effects_on_inbox_top(struct core *core, const struct effect *effect)
{
    inbox_is_at(core, (uint64_t)effects_number(effect->fields[1], 0));
}

/* Of a release or the word about it; 0: it is about none. */
static int64_t effects_move_number(const struct effect *effect)
{
    return effect->count > 4 ? effects_number(effect->fields[4], 0) : 0;
}

static void effects_on_release(struct core *core, const struct effect *effect)
{
    const struct bytes *f = effect->fields;
    const struct homes_move move = {f[1], f[2], effects_move_number(effect)};
    homes_release(core, &move, f[3]);
}

static void effects_on_released(struct core *core, const struct effect *effect)
{
    const struct bytes *f = effect->fields;
    const struct homes_move move = {.uid = f[1], .number = effects_move_number(effect)};
    homes_released(core, &move, f[2], (uint64_t)effects_number(f[3], 0));
}

static void effects_on_epoch(struct core *core, const struct effect *effect)
{
    const struct bytes *f = effect->fields;
    struct room *room = roster_room(&core->roster, f[1]);
    if (room != NULL && bytes_equal(f[2], bytes_str(room->epoch))) {
        deliver_epoch(core, room, f[3], (uint64_t)effects_number(f[4], 0));
    } else if (room != NULL && !bytes_equal(f[3], bytes_str(room->epoch))) {
        upkeep_compare(core, room); /* an earlier one was missed */
    }
}

static void effects_on_entry(struct core *core, const struct effect *effect)
{
    struct room *room = roster_room(&core->roster, effect->fields[1]);
    if (room != NULL && !bytes_equal(bytes_str(room->epoch), effect->fields[2])) {
        room->check_due = true;
        upkeep_check_soon(core);
        return;
    }
    if (room == NULL) {
        return;
    }
    struct entry *entry = effects_entry(effect);
    if (entry == NULL) {
        room->check_due = true;
        return;
    }
    deliver_entry(core, room, entry);
    entry_unref(entry);
}

static void effects_take_list(struct core *core, const struct effect *effect, bool is_told)
{
    struct deliver_list as = {.version = effects_number(effect->fields[3], 0),
                              .at = (uint64_t)effects_number(effect->fields[5], 0),
                              .is_told = is_told};
    if (!listing_of(effect->fields[1], &as.list)) {
        return;
    }
    as.room = roster_room(&core->roster, effect->fields[2]);
    if (as.room != NULL && !bytes_equal(effect->fields[4], bytes_str(as.room->epoch))) {
        as.room->check_due = true;
        upkeep_check_soon(core);
        lists_dirty(core, as.list, as.room); /* of members whom this node does not know of yet */
        return;
    }
    deliver_list(core, &as, effect->fields + 6, effect->count - 6);
}

static void effects_on_list(struct core *core, const struct effect *effect)
{
    effects_take_list(core, effect, true);
}

static void effects_on_keep(struct core *core, const struct effect *effect)
{
    effects_take_list(core, effect, false);
}

static void effects_on_give(struct core *core, const struct effect *effect)
{
    enum listing_kind list;
    struct client *client = roster_client(&core->roster, effect->fields[1]);
    if (client == NULL || !listing_of(effect->fields[2], &list)) {
        return;
    }
    bool is_of_its_room =
        list != LIST_MEMBERS ||
        (client->room != NULL &&
         bytes_equal(effect->fields[4], bytes_of(client->room->id, sizeof client->room->id)));
    if (is_of_its_room) {
        deliver_give(core, client, list, effects_number(effect->fields[3], 0),
                     effect->fields[5].len > 0);
    }
}

static void effects_on_dirty(struct core *core, const struct effect *effect)
{
    enum listing_kind list;
    if (!listing_of(effect->fields[1], &list)) {
        return;
    }
    struct room *room = roster_room(&core->roster, effect->fields[2]);
    if (effect->count > 3 && effect->fields[3].len > 0) {
        lists_presence_dirty(core, list, room);
    } else {
        lists_dirty(core, list, room);
    }
}

static void effects_on_dead(struct core *core, const struct effect *effect)
{
    (void)core;
    LOG(LOG_WARN, "node_dead", log_bytes("node", effect->fields[1]),
        log_str("hint", "it does not beat in Redis any more; its sessions go on at the others"));
}

/* Others have taken it for dead, and may have gone on with its sessions. */
static void effects_on_listed(struct core *core, const struct effect *effect)
{
    (void)effect;
    if (core->was_listed) {
        homes_doubt(core);
        homes_walk(core, bytes_str(core->options.node));
    }
    core->was_listed = true;
}

static void effects_on_full(struct core *core, const struct effect *effect)
{
    (void)effect;
    core->is_store_full = true;
}

static void effects_on_evicting(struct core *core, const struct effect *effect)
{
    (void)effect;
    core->is_store_evicting = true;
}

static void effects_on_lost(struct core *core, const struct effect *effect)
{
    homes_walk(core, effect->fields[1]);
}

static void effects_on_peer(struct core *core, const struct effect *effect)
{
    if (core->options.bus_address[0] != '\0') {
        core->options.bus.peer(core->options.bus.ctx, effect->fields[1], effect->fields[2]);
    }
}

static void effects_on_top(struct core *core, const struct effect *effect)
{
    const struct bytes *f = effect->fields;
    struct room *room = roster_room(&core->roster, f[1]);
    if (room == NULL || !bytes_equal(f[2], bytes_str(room->epoch))) {
        return; /* it has another epoch since it was asked about */
    }
    if (f[3].len == 0) {
        LOG_LIMITED(LOG_WARN, "room_vanished", log_bytes("room", f[1]));
        membership_clear(core, room, false);
        homes_walk(core, bytes_str(core->options.node));
        return;
    }
    if (!bytes_equal(f[2], f[3])) {
        deliver_epoch(core, room, f[3], (uint64_t)effects_number(f[5], 0));
    }
    room_feed_top(&room->feed, (uint64_t)effects_number(f[4], 0));
    deliver_repair(core, room);
}

static void effects_on_reach(struct core *core, const struct effect *effect)
{
    struct client *client = roster_client(&core->roster, effect->fields[1]);
    if (client != NULL) {
        originals_reach(client, effect->fields[2]);
    }
}

static void effects_on_inform(struct core *core, const struct effect *effect)
{
    const struct bytes *f = effect->fields;
    struct client *client = roster_client(&core->roster, f[1]);
    struct entry *entry = entry_new(0, entry_kind_of(f[2]), f[1], f[3], effects_number(f[4], 0), 0);
    if (client != NULL && entry != NULL && entry->kind != ENTRY_unknown) {
        channel_announce(core, client, entry);
    }
    entry_unref(entry);
}

static void effects_on_announce(struct core *core, const struct effect *effect)
{
    const struct bytes *f = effect->fields;
    struct entry *entry = entry_new(0, ENTRY_notice, f[1], f[2], effects_number(f[3], 0), 0);
    struct client *client, *next;
    HASH_ITER(hh, core->roster.clients, client, next)
    {
        /* One that leaves is told by the node that has it now. */
        if (entry != NULL && !client->leaving) {
            channel_announce(core, client, entry);
        }
    }
    entry_unref(entry);
}

/* What the caller of effects_apply looks at itself. */
static void effects_on_nothing(struct core *core, const struct effect *effect)
{
    (void)core;
    (void)effect;
}

#define effects_on_to        effects_on_nothing
#define effects_on_reply     effects_on_nothing
#define effects_on_repeated  effects_on_nothing
#define effects_on_challenge effects_on_nothing
#define effects_on_row       effects_on_nothing
#define effects_on_members   effects_on_nothing
#define effects_on_rival     effects_on_nothing
#define effects_on_names     effects_on_nothing
#define effects_on_long      lists_on_long
#define effects_on_probe     rivals_on_probe
#define effects_on_probed    rivals_on_probed
#define effects_on_relay     datagrams_relay
#define effects_on_answer    datagrams_answer

enum effects_origin { EFFECTS_HERE, EFFECTS_BUS };

static const struct effects_handler {
    const char *name;
    size_t field_count;
    enum effects_origin origin;
    void (*apply)(struct core *core, const struct effect *effect);
} effects_handlers[] = {
#define EFFECT(name, least, origin, help) {#name, 1 + (least), EFFECTS_##origin, effects_on_##name},
#include "effect.def"
};

static const struct effects_handler *effects_handler_of(const struct effect *effect)
{
    for (size_t i = 0; i < sizeof effects_handlers / sizeof effects_handlers[0]; i++) {
        const struct effects_handler *handler = &effects_handlers[i];
        if (effect_is(effect, handler->name) && effect->count >= handler->field_count) {
            return handler;
        }
    }
    LOG_LIMITED(LOG_ERROR, "effect_unknown",
                log_bytes("effect", effect->count > 0 ? effect->fields[0] : bytes_str("")),
                log_str("hint", "are all nodes of the same version?"));
    return NULL;
}

static void effects_apply_one(struct core *core, const struct effect *effect)
{
    const struct effects_handler *handler = effects_handler_of(effect);
    if (handler != NULL) {
        handler->apply(core, effect);
    }
}

void core_on_bus_effect(struct core *core, const struct effect *effect)
{
    const struct effects_handler *handler = effects_handler_of(effect);
    if (handler != NULL && handler->origin == EFFECTS_BUS) {
        handler->apply(core, effect);
    }
}

/* For the nodes that `to` names. */
static void effects_apply_at(struct core *core, const struct effect *to,
                             const struct effect *effect)
{
    for (size_t i = 1; i < to->count; i++) {
        bool is_all = bytes_equal(to->fields[i], bytes_str("*"));
        bool is_here = bytes_equal(to->fields[i], bytes_str(core->options.node));
        if (is_all || is_here) {
            effects_apply_one(core, effect);
        }
        if (!is_here && core->options.bus_address[0] != '\0') {
            core->options.bus.send(core->options.bus.ctx, to->fields[i], effect);
        }
    }
}

void effects_apply(struct core *core, const struct result *result, effects_on_reply_fn *on_reply,
                   void *arg)
{
    const struct effect *to = NULL;
    for (size_t i = 0; i < result->effect_count; i++) {
        const struct effect *effect = &result->effects[i];
        if (effect_is(effect, "to")) {
            to = effect;
            continue;
        }
        if (to != NULL) {
            effects_apply_at(core, to, effect);
        } else if (effect_is(effect, "reply")) {
            if (on_reply != NULL) {
                on_reply(result, arg);
            }
        } else {
            effects_apply_one(core, effect);
        }
        to = NULL;
    }
}
