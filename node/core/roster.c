/* SPDX-License-Identifier: MIT */
/*
 * roster: tables of local clients and of the rooms they are in. It sends nothing and knows no rule;
 * effects.c keeps it as the scripts say.
 */
#include "roster.h"

#include <utlist.h>

struct client *roster_client(const struct roster *roster, struct bytes uid)
{
    struct client *client = NULL;
    if (uid.len == HGTP_USER_ID_BYTES) {
        HASH_FIND(hh, roster->clients, uid.ptr, HGTP_USER_ID_BYTES, client);
    }
    return client;
}

struct room *roster_room(const struct roster *roster, struct bytes id)
{
    struct room *room = NULL;
    if (id.len == HGTP_ROOM_ID_BYTES) {
        HASH_FIND(hh, roster->rooms, id.ptr, HGTP_ROOM_ID_BYTES, room);
    }
    return room;
}

struct client *roster_client_add(struct roster *roster, struct bytes uid)
{
    struct client *client = roster_client(roster, uid);
    if (client != NULL || uid.len != HGTP_USER_ID_BYTES) {
        return client;
    }
    client = calloc(1, sizeof *client);
    if (client != NULL) {
        memcpy(client->uid, uid.ptr, uid.len);
        HASH_ADD(hh, roster->clients, uid, HGTP_USER_ID_BYTES, client);
    }
    return client;
}

void roster_client_remove(struct roster *roster, struct client *client)
{
    roster_leave(roster, client);
    for (int list = 0; list < LIST_COUNT; list++) {
        roster_drop_list(client, (enum listing_kind)list);
    }
    HASH_DEL(roster->clients, client);
    free(client->leaving_to);
    free(client->held_from);
    free(client->name);
    free(client);
}

static void roster_room_free(struct roster *roster, struct room *room)
{
    HASH_DEL(roster->rooms, room);
    room_feed_fini(&room->feed);
    listing_unref(room->members);
    listing_unref(room->list_ahead);
    free((void *)room->manager.ptr);
    free(room);
}

void roster_set_manager(struct room *room, struct bytes name)
{
    uint8_t *copy = name.len > 0 ? malloc(name.len) : NULL;
    struct sink out = sink_into(copy, copy != NULL ? name.len : 0);
    if (copy != NULL) {
        sink_put(&out, name);
    }
    free((void *)room->manager.ptr);
    room->manager = bytes_of(copy, copy != NULL ? name.len : 0);
}

void roster_on_entry(struct room *room, const struct entry *entry)
{
    bool is_parting = entry->kind == ENTRY_left || entry->kind == ENTRY_removed;
    if (entry->kind == ENTRY_manager) {
        roster_set_manager(room, entry->who);
    } else if (is_parting && bytes_equal(entry->who, room->manager)) {
        roster_set_manager(room, bytes_of(NULL, 0));
    }
}

static struct room *roster_room_add(struct roster *roster, const struct roster_room *of)
{
    if (of->id.len != HGTP_ROOM_ID_BYTES || of->epoch.len >= ROSTER_EPOCH_MAX) {
        return NULL;
    }
    struct room *room = calloc(1, sizeof *room + of->name.len);
    if (room != NULL) {
        memcpy(room->id, of->id.ptr, of->id.len);
        memcpy(room->epoch, of->epoch.ptr, of->epoch.len);
        struct sink name = sink_into(room + 1, of->name.len);
        sink_put(&name, of->name);
        room->name = bytes_of(name.ptr, of->name.len);
        room->is_of_operators = bytes_equal(of->kind, bytes_str("operators"));
        roster_set_manager(room, of->manager);
        room_feed_init(&room->feed, of->next);
        room->check_due = true; /* what came before it was known here has been dropped */
        HASH_ADD(hh, roster->rooms, id, HGTP_ROOM_ID_BYTES, room);
    }
    return room;
}

void roster_resume(struct client *client, uint64_t next)
{
    client->first = next > 0 ? next : 1;
    client->behind = client->first < client->room->feed.next;
    client->behind_at = client->first;
}

bool roster_client_name(struct client *client, struct bytes name)
{
    char *copy = name.len <= ROSTER_NAME_MAX ? malloc(name.len + 1) : NULL;
    if (copy == NULL) {
        return false;
    }
    sink_put(&(struct sink){(uint8_t *)copy, name.len, 0}, name);
    copy[name.len] = '\0';
    free(client->name);
    client->name = copy;
    return true;
}

bool roster_enter(struct roster *roster, struct client *client, const struct roster_room *of,
                  uint64_t first)
{
    roster_leave(roster, client);
    struct room *room = roster_room(roster, of->id);
    if (room == NULL) {
        room = roster_room_add(roster, of);
    }
    if (room == NULL) {
        return false;
    }
    client->room = room;
    roster_resume(client, first);
    client->seen = client->first - 1;
    client->turn++;
    DL_APPEND2(room->first_member, client, prev_member, next_member);
    return true;
}

uint64_t roster_next(const struct client *client)
{
    uint64_t next = client->behind ? client->behind_at : client->room->feed.next;
    return next > client->first ? next : client->first;
}

void roster_drop_list(struct client *client, enum listing_kind list)
{
    listing_unref(client->paged[list]);
    client->paged[list] = NULL;
    client->list_wanted[list] = 0;
    client->lists_due[list] = client->lists_missed[list] = false;
}

void roster_leave(struct roster *roster, struct client *client)
{
    struct room *room = client->room;
    if (room == NULL) {
        return;
    }
    DL_DELETE2(room->first_member, client, prev_member, next_member);
    client->room = NULL;
    client->behind = false;
    roster_drop_list(client, LIST_MEMBERS);
    if (room->first_member == NULL && room->hold_count == 0) {
        roster_room_free(roster, room);
    }
}

void roster_hold(struct room *room)
{
    room->hold_count++;
}

void roster_let_go(struct roster *roster, struct room *room)
{
    if (--room->hold_count == 0 && room->first_member == NULL) {
        roster_room_free(roster, room);
    }
}

size_t roster_client_count(const struct roster *roster)
{
    return HASH_COUNT(roster->clients);
}

size_t roster_room_count(const struct roster *roster)
{
    return HASH_COUNT(roster->rooms);
}
