/* SPDX-License-Identifier: MIT */
/*
 * effects: carries out, in order, what a script wants done (effect.def): keeps the roster, hands
 * entries and lists to deliver.c and datagrams to datagrams.c. It decides nothing.
 */
#include <errno.h>

#include "node/base/log.h"
#include "node/base/metrics.h"
#include "talk_state.h"

bool effect_is(const struct effect *effect, const char *name)
{
    return effect->count > 0 && bytes_equal(effect->fields[0], bytes_str(name));
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
    return entry_new((uint64_t)seq, entry_kind_of(f[4]), f[5], f[6], effects_number(f[7], 0),
                     effects_number(f[8], 0));
}

void effects_gone(struct talk *talk, struct client *client)
{
    if (client->push != NULL) {
        talk->options.push.close(client->push);
    }
    roster_client_remove(&talk->roster, client);
    metric_set(METRIC_SESSIONS, (int64_t)roster_client_count(&talk->roster));
    metric_set(METRIC_ROOMS, (int64_t)roster_room_count(&talk->roster));
}

/* The push connection of a session whose declared address may have changed. */
static void effects_connect(struct talk *talk, struct client *client, struct bytes address)
{
    uint32_t ip = 0;
    uint16_t port = 0;
    (void)effects_address(address, &ip, &port);
    if (client->push != NULL && client->push_ip == ip && client->push_port == port) {
        return;
    }
    client->push_ip = ip;
    client->push_port = port;
    if (client->push != NULL && port != 0) {
        talk->options.push.redirect(client->push, ip, port);
    } else if (client->push != NULL) {
        talk->options.push.close(client->push);
        client->push = NULL;
    } else if (port != 0) {
        client->push =
            talk->options.push.open(talk->options.push.ctx, client->uid, ip, port, client);
    }
}

static void effects_on_home(struct talk *talk, const struct effect *effect)
{
    const struct bytes *f = effect->fields;
    struct client *client = roster_client_add(&talk->roster, f[1]);
    if (client == NULL) {
        return;
    }
    client->talk = talk;
    client->expires_ms = effects_number(f[4], 1) * 1000;
    client->touched_ms = talk_now_ms(talk);
    effects_connect(talk, client, f[3]);
    if (f[5].len == 0) {
        roster_leave(&talk->roster, client);
    } else if (client->room == NULL ||
               !bytes_equal(f[5], bytes_of(client->room->id, HGTP_ROOM_ID_BYTES))) {
        (void)roster_enter(&talk->roster, client, f[5], f[6], (uint64_t)effects_number(f[7], 1));
    }
    metric_set(METRIC_SESSIONS, (int64_t)roster_client_count(&talk->roster));
    metric_set(METRIC_ROOMS, (int64_t)roster_room_count(&talk->roster));
}

static void effects_on_gone(struct talk *talk, const struct effect *effect)
{
    struct client *client = roster_client(&talk->roster, effect->fields[1]);
    if (client != NULL) {
        effects_gone(talk, client);
    }
}

static void effects_on_join(struct talk *talk, const struct effect *effect)
{
    const struct bytes *f = effect->fields;
    struct client *client = roster_client(&talk->roster, f[1]);
    if (client != NULL) {
        (void)roster_enter(&talk->roster, client, f[2], f[3], (uint64_t)effects_number(f[4], 1));
        metric_set(METRIC_ROOMS, (int64_t)roster_room_count(&talk->roster));
    }
}

static void effects_on_leave(struct talk *talk, const struct effect *effect)
{
    struct client *client = roster_client(&talk->roster, effect->fields[1]);
    if (client != NULL) {
        roster_leave(&talk->roster, client);
        metric_set(METRIC_ROOMS, (int64_t)roster_room_count(&talk->roster));
    }
}

static void effects_on_closed(struct talk *talk, const struct effect *effect)
{
    struct room *room = roster_room(&talk->roster, effect->fields[1]);
    if (room != NULL) {
        roster_room_close(&talk->roster, room);
        metric_set(METRIC_ROOMS, (int64_t)roster_room_count(&talk->roster));
    }
}

static void effects_on_entry(struct talk *talk, const struct effect *effect)
{
    struct room *room = roster_room(&talk->roster, effect->fields[1]);
    if (room == NULL || !bytes_equal(bytes_str(room->epoch), effect->fields[2])) {
        return;
    }
    struct entry *entry = effects_entry(effect);
    if (entry == NULL) {
        room->check_due = true;
        return;
    }
    deliver_entry(talk, room, entry);
    entry_unref(entry);
}

static void effects_on_list(struct talk *talk, const struct effect *effect)
{
    enum roster_list list;
    if (roster_list_of(effect->fields[1], &list)) {
        struct room *room = roster_room(&talk->roster, effect->fields[2]);
        deliver_list(talk, list, room, effect->fields + 3, effect->count - 3);
    }
}

static void effects_on_give(struct talk *talk, const struct effect *effect)
{
    enum roster_list list;
    struct client *client = roster_client(&talk->roster, effect->fields[1]);
    if (client != NULL && roster_list_of(effect->fields[2], &list)) {
        deliver_page(talk, client, list, effects_number(effect->fields[3], 0), effect->fields + 4,
                     effect->count - 4);
    }
}

static void effects_on_pages(struct talk *talk, const struct effect *effect)
{
    enum roster_list list;
    struct client *client = roster_client(&talk->roster, effect->fields[1]);
    if (client != NULL && roster_list_of(effect->fields[2], &list)) {
        deliver_pages_due(talk, client, list, effects_number(effect->fields[3], 0));
    }
}

static void effects_on_dirty(struct talk *talk, const struct effect *effect)
{
    enum roster_list list;
    if (roster_list_of(effect->fields[1], &list)) {
        upkeep_list_dirty(talk, list, roster_room(&talk->roster, effect->fields[2]));
    }
}

/*
 * The log ends before what it had when it was asked: Redis has failed over to a replica that was
 * behind. What is said from now on has numbers that were used before; the feed starts again.
 */
static void effects_rewind(struct room *room, uint64_t top)
{
    LOG(LOG_WARN, "room_log_went_back", log_bytes("room", bytes_of(room->id, sizeof room->id)),
        log_int("from", (int64_t)room->feed.next - 1), log_int("to", (int64_t)top),
        log_str("hint", "Redis has lost messages that it had acknowledged, as in a failover"));
    room_feed_fini(&room->feed);
    room_feed_init(&room->feed, top + 1);
    for (struct client *client = room->first_member; client != NULL; client = client->next_member) {
        client->behind = false;
        if (client->first > top + 1) {
            client->first = top + 1;
        }
    }
}

static void effects_on_dead(struct talk *talk, const struct effect *effect)
{
    LOG(LOG_INFO, "node_dead", log_bytes("node", effect->fields[1]),
        log_str("effect", "its sessions are looked after"));
    talk->adopt_due = true;
    talk->options.clock.wake_in(talk->options.clock.ctx, 0);
}

static void effects_on_top(struct talk *talk, const struct effect *effect)
{
    const struct bytes *f = effect->fields;
    struct room *room = roster_room(&talk->roster, f[1]);
    if (room == NULL) {
        return;
    }
    if (!bytes_equal(f[2], bytes_str(room->epoch))) {
        LOG_LIMITED(LOG_WARN, "room_vanished", log_bytes("room", f[1]));
        roster_room_close(&talk->roster, room);
        return;
    }
    uint64_t top = (uint64_t)effects_number(f[3], 0);
    if (top + 1 < room->next_at_check) {
        effects_rewind(room, top);
    }
    room_feed_top(&room->feed, top);
    deliver_repair(talk, room);
}

/* What the caller of effects_apply looks at itself. */
static void effects_on_nothing(struct talk *talk, const struct effect *effect)
{
    (void)talk;
    (void)effect;
}

#define effects_on_reply     effects_on_nothing
#define effects_on_repeated  effects_on_nothing
#define effects_on_challenge effects_on_nothing
#define effects_on_relay     datagrams_relay
#define effects_on_answer    datagrams_answer

static const struct effects_handler {
    const char *name;
    size_t field_count;
    void (*apply)(struct talk *talk, const struct effect *effect);
} effects_handlers[] = {
#define EFFECT(name, least, help) {#name, 1 + (least), effects_on_##name},
#include "effect.def"
};

static void effects_apply_one(struct talk *talk, const struct effect *effect)
{
    for (size_t i = 0; i < sizeof effects_handlers / sizeof effects_handlers[0]; i++) {
        const struct effects_handler *handler = &effects_handlers[i];
        if (effect_is(effect, handler->name) && effect->count >= handler->field_count) {
            handler->apply(talk, effect);
            return;
        }
    }
    LOG_LIMITED(LOG_ERROR, "effect_unknown",
                log_bytes("effect", effect->count > 0 ? effect->fields[0] : bytes_str("")));
}

void effects_apply(struct talk *talk, const struct result *result, effects_on_reply_fn *on_reply,
                   void *arg)
{
    for (size_t i = 0; i < result->effect_count; i++) {
        if (effect_is(&result->effects[i], "reply")) {
            if (on_reply != NULL) {
                on_reply(result, arg);
            }
        } else {
            effects_apply_one(talk, &result->effects[i]);
        }
    }
}
