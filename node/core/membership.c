/* SPDX-License-Identifier: MIT */
/*
 * membership: keeps the roster's rooms by what is told of sessions' stays in them. It delivers
 * nothing, and decides nothing that a script has not.
 */
#include "membership.h"

#include "channel.h"
#include "node/base/metrics.h"

/* The fence stands in front of the number (`version` in the scripts' base). */
#define MEMBERSHIP_FENCE(stay) ((stay) >> 32)

static void membership_count(struct core *core)
{
    metric_set(METRIC_ROOMS, (int64_t)roster_room_count(&core->roster));
}

static void membership_leave(struct core *core, struct client *client)
{
    if (client->room != NULL) {
        roster_leave(&core->roster, client);
        channel_session(core, client);
        membership_count(core);
    }
}

static void membership_enter(struct core *core, struct client *client, const struct roster_room *of,
                             uint64_t first)
{
    if (!roster_enter(&core->roster, client, of, first)) {
        return;
    }
    client->believes_in_room = true;
    channel_session(core, client);
    membership_count(core);
    if (client->room->check_due) {
        upkeep_check_soon(core);
    }
}

bool membership_is_in(const struct client *client, struct bytes room_id, struct bytes epoch)
{
    return client->room != NULL &&
           bytes_equal(room_id, bytes_of(client->room->id, HGTP_ROOM_ID_BYTES)) &&
           bytes_equal(epoch, bytes_str(client->room->epoch));
}

/* The room is known here in another epoch: Redis is asked what has become of that one, and then
 * about the client, unless it is in the room by the same stay all the time. */
static void membership_ask(struct core *core, struct client *client, struct room *room,
                           bool is_same_stay)
{
    roster_hold(room);
    if (client->room == room && !is_same_stay) {
        membership_leave(core, client);
    }
    upkeep_compare(core, room);
    if (client->room != room) {
        homes_look(core, bytes_of(client->uid, sizeof client->uid));
    }
    membership_let_go(core, room);
}

void membership_told(struct core *core, struct client *client, const struct membership *told)
{
    bool is_of_later_state = told->fence > client->fence;
    bool is_earlier =
        told->stay < client->stay || (told->stay == client->stay && client->is_stay_over);
    if (is_earlier && !is_of_later_state) {
        return;
    }
    bool is_same_stay = told->stay == client->stay;
    client->fence = is_of_later_state ? told->fence : client->fence;
    client->stay = told->stay;
    client->is_stay_over = !told->is_in;
    if (!told->is_in) {
        membership_leave(core, client);
        return;
    }
    struct room *room = roster_room(&core->roster, told->room.id);
    if (room != NULL && !bytes_equal(bytes_str(room->epoch), told->room.epoch)) {
        membership_ask(core, client, room, is_same_stay);
    } else if (room == NULL || client->room != room || !is_same_stay) {
        membership_enter(core, client, &told->room, told->first);
    }
}

void membership_over(struct core *core, struct client *client, int64_t stay)
{
    const struct membership told = {.stay = stay};
    membership_told(core, client, &told);
}

bool membership_ends(const struct client *client, const struct entry *entry)
{
    return (entry->kind == ENTRY_left || entry->kind == ENTRY_removed) &&
           entry->stay >= client->stay && memcmp(entry->uid, client->uid, sizeof client->uid) == 0;
}

static bool membership_is_beginning(enum entry_kind kind)
{
    return kind == ENTRY_created || kind == ENTRY_joined || kind == ENTRY_invited;
}

void membership_entry(struct core *core, struct room *room, const struct entry *entry)
{
    if (entry->kind == ENTRY_closed) {
        membership_clear(core, room, true);
        return;
    }
    struct client *client =
        entry->stay != 0 ? roster_client(&core->roster, bytes_of(entry->uid, sizeof entry->uid))
                         : NULL;
    if (client == NULL) {
        return;
    }
    if (entry->kind == ENTRY_left || entry->kind == ENTRY_removed) {
        membership_over(core, client, entry->stay);
    } else if (membership_is_beginning(entry->kind) && entry->stay > client->stay &&
               MEMBERSHIP_FENCE(entry->stay) >= client->fence) {
        const struct membership told = {
            .stay = entry->stay,
            .is_in = true,
            .room = {.id = bytes_of(room->id, sizeof room->id), .epoch = bytes_str(room->epoch)},
            .first = entry->seq};
        membership_told(core, client, &told);
        client->behind = false; /* this is its first one, and is delivered next */
    }
}

/* What Redis told of one member; marks it as such. */
static void membership_of_list(struct core *core, struct room *room, const struct bytes *fields)
{
    struct client *client = roster_client(&core->roster, fields[0]);
    if (client == NULL) {
        return;
    }
    const struct membership told = {
        .stay = effects_number(fields[1], 0),
        .is_in = true,
        .room = {.id = bytes_of(room->id, sizeof room->id), .epoch = bytes_str(room->epoch)},
        .first = (uint64_t)effects_number(fields[2], 1)};
    membership_told(core, client, &told);
    client->is_listed = client->room == room;
}

void membership_managed(struct core *core, struct room *room, struct bytes manager, uint64_t next)
{
    if (next < room->feed.next || bytes_equal(manager, room->manager)) {
        return;
    }
    roster_set_manager(room, manager);
    for (struct client *client = room->first_member; client != NULL; client = client->next_member) {
        channel_session(core, client);
    }
}

void membership_as_of_top(struct core *core, struct room *room, const struct effect *members)
{
    uint64_t top = (uint64_t)effects_number(members->fields[3], 0);
    membership_managed(core, room, members->fields[4], top + 1);
    for (size_t i = 5; i + 3 <= members->count; i += 3) {
        membership_of_list(core, room, members->fields + i);
    }
    struct client *client = room->first_member;
    while (client != NULL) {
        struct client *next = client->next_member;
        if (!client->is_listed && !client->leaving && client->first <= top) {
            membership_leave(core, client);
            homes_look(core, bytes_of(client->uid, sizeof client->uid));
        }
        client->is_listed = false;
        client = next;
    }
}

void membership_clear(struct core *core, struct room *room, bool is_closed)
{
    roster_hold(room);
    while (room->first_member != NULL) {
        room->first_member->is_stay_over = is_closed;
        membership_leave(core, room->first_member);
    }
    membership_let_go(core, room);
}

void membership_let_go(struct core *core, struct room *room)
{
    roster_let_go(&core->roster, room);
    membership_count(core);
}
