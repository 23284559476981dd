/* SPDX-License-Identifier: MIT */
/*
 * roster: tables of local clients and of the rooms they are in. It sends nothing and knows no rule;
 * effects.c keeps it as the scripts say.
 */
#include "roster.h"

#include <utlist.h>

const char *const roster_list_words[LIST_COUNT] = {"users", "rooms", "members"};

bool roster_list_of(struct bytes word, enum roster_list *ret_list)
{
    for (int list = 0; list < LIST_COUNT; list++) {
        if (bytes_equal(word, bytes_str(roster_list_words[list]))) {
            *ret_list = (enum roster_list)list;
            return true;
        }
    }
    return false;
}

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
    HASH_DEL(roster->clients, client);
    free(client->leaving_to);
    free(client);
}

static void roster_room_free(struct roster *roster, struct room *room)
{
    HASH_DEL(roster->rooms, room);
    room_feed_fini(&room->feed);
    frame_unref(room->members);
    free(room);
}

static struct room *roster_room_add(struct roster *roster, struct bytes id, struct bytes epoch,
                                    uint64_t next)
{
    if (id.len != HGTP_ROOM_ID_BYTES || epoch.len >= ROSTER_EPOCH_MAX) {
        return NULL;
    }
    struct room *room = calloc(1, sizeof *room);
    if (room != NULL) {
        memcpy(room->id, id.ptr, id.len);
        memcpy(room->epoch, epoch.ptr, epoch.len);
        room_feed_init(&room->feed, next);
        room->check_due = true; /* what came before it was known here has been dropped */
        HASH_ADD(hh, roster->rooms, id, HGTP_ROOM_ID_BYTES, room);
    }
    return room;
}

bool roster_enter(struct roster *roster, struct client *client, struct bytes room_id,
                  struct bytes epoch, uint64_t next, uint64_t first)
{
    roster_leave(roster, client);
    struct room *room = roster_room(roster, room_id);
    if (room != NULL && !bytes_equal(bytes_str(room->epoch), epoch)) {
        roster_room_close(roster, room);
        room = NULL;
    }
    if (room == NULL) {
        room = roster_room_add(roster, room_id, epoch, next);
    }
    if (room == NULL) {
        return false;
    }
    client->room = room;
    client->first = first;
    client->behind = first < room->feed.next;
    client->behind_at = first;
    client->seen = 0;
    client->turn++;
    DL_APPEND2(room->first_member, client, prev_member, next_member);
    return true;
}

uint64_t roster_next(const struct client *client)
{
    uint64_t next = client->behind ? client->behind_at : client->room->feed.next;
    return next > client->first ? next : client->first;
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
    client->lists_missed[LIST_MEMBERS] = false;
    if (room->first_member == NULL) {
        roster_room_free(roster, room);
    }
}

void roster_room_close(struct roster *roster, struct room *room)
{
    bool is_last;
    do {
        is_last = room->first_member->next_member == NULL;
        roster_leave(roster, room->first_member);
    } while (!is_last);
}

size_t roster_client_count(const struct roster *roster)
{
    return HASH_COUNT(roster->clients);
}

size_t roster_room_count(const struct roster *roster)
{
    return HASH_COUNT(roster->rooms);
}
