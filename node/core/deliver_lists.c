/* SPDX-License-Identifier: MIT */
/*
 * deliver_lists: lists of users, rooms and members to clients' connections, from what the node has
 * of them in memory: a changed list to all it concerns, one that was asked for to who asked, and
 * what a full connection could not take, later. When a list is read is lists_read.c's.
 */
#include "channel.h"

/* Clients are told of long lists so many at a time, or everybody's messages would wait for it. */
#define DELIVER_AT_ONCE 8

static struct bytes deliver_self(const struct client *client, enum listing_kind list)
{
    bool is_among = client->name != NULL && (list == LIST_USERS || list == LIST_MEMBERS);
    return is_among ? bytes_str(client->name) : bytes_of(NULL, 0);
}

/* The whole list or its first page: how many names it was told. One who is being given pages of an
 * earlier form gets those first. */
static size_t deliver_listing_to(struct core *core, struct client *client, struct listing *listing)
{
    enum listing_kind list = listing->list;
    client->lists_due[list] = false;
    if (client->leaving || !channel_takes(client, list)) {
        return 0;
    }
    if (!channel_is_open(client)) {
        client->lists_missed[list] = false;
        return 0;
    }
    struct listing *head = NULL;
    if (client->paged[list] == NULL) {
        head = listing_head(listing, deliver_self(client, list));
    }
    bool is_taken = head != NULL && channel_listing(core, client, head);
    size_t told = is_taken ? head->count : 0;
    client->lists_missed[list] = !is_taken;
    listing_unref(head);
    return told;
}

static void deliver_pages(struct core *core, struct client *client, enum listing_kind list)
{
    while (client->paged[list] != NULL) {
        struct listing *whole = client->paged[list];
        bool is_over = client->page_at[list] >= whole->total || !channel_takes(client, list);
        if (is_over) {
            client->paged[list] = NULL;
            listing_unref(whole);
            continue;
        }
        struct listing *page = listing_page(whole, client->page_at[list]);
        if (page == NULL || !channel_listing(core, client, page)) {
            return;
        }
        client->page_at[list] += whole->page_names;
    }
}

/* A list that has come, or is here: as the client has asked for it. */
static void deliver_wanted(struct core *core, struct client *client, struct listing *listing)
{
    enum listing_kind list = listing->list;
    client->list_wanted[list] = 0;
    if (!client->wants_pages[list] || client->line == NULL || !listing_is_long(listing)) {
        cost_names(core, client, deliver_listing_to(core, client, listing));
        return;
    }
    cost_names(core, client, listing->count);
    struct listing *earlier = client->paged[list];
    client->paged[list] = listing_ref(listing);
    client->page_at[list] = 0;
    client->lists_due[list] = client->lists_missed[list] = false;
    listing_unref(earlier);
    if (!client->is_full) {
        deliver_pages(core, client, list);
    }
}

/* How many names it will be told. */
static size_t deliver_when_its_turn_comes(struct core *core, struct client *client,
                                          const struct listing *listing)
{
    if (client->leaving || !channel_takes(client, listing->list) || !channel_is_open(client)) {
        return 0;
    }
    client->lists_due[listing->list] = true;
    if (!core->is_telling) {
        core->is_telling = true;
        core->options.clock.wake_in(core->options.clock.ctx, 0);
    }
    return listing->page_names;
}

/* How many names it is told unasked. */
static size_t deliver_come(struct core *core, struct client *client, struct listing *listing,
                           bool is_told)
{
    int64_t wanted = client->list_wanted[listing->list];
    if (wanted > 0 && wanted <= listing->version) {
        deliver_wanted(core, client, listing);
        return 0;
    }
    if (!is_told) {
        return 0;
    }
    return listing_is_long(listing) ? deliver_when_its_turn_comes(core, client, listing)
                                    : deliver_listing_to(core, client, listing);
}

static void deliver_list_of(const struct room *room, struct listing *form)
{
    form->room = room->name;
    form->manager = room->manager;
    form->is_of_operators = room->is_of_operators;
}

/* The list, with who manages the room now. */
static struct listing *deliver_as_of_now(const struct room *room, struct listing *listing)
{
    struct listing form = {
        .list = listing->list, .version = listing->version, .page_names = listing->page_names};
    deliver_list_of(room, &form);
    struct listing *now = bytes_equal(listing->manager, form.manager)
                              ? NULL
                              : listing_new(&form, listing->names, listing->count);
    if (now == NULL) {
        return listing;
    }
    listing_unref(listing);
    return now;
}

static void deliver_members(struct core *core, struct room *room, struct listing *listing)
{
    listing = deliver_as_of_now(room, listing);
    listing_unref(room->members);
    room->members = listing;
    size_t told = 0;
    for (struct client *client = room->first_member; client != NULL; client = client->next_member) {
        told += deliver_come(core, client, listing, true);
    }
    lists_told(core, LIST_MEMBERS, room, told);
}

void deliver_list_ahead(struct core *core, struct room *room, uint64_t seq)
{
    struct listing *listing = room->list_ahead;
    if (listing != NULL && seq >= room->list_ahead_at) {
        room->list_ahead = NULL;
        deliver_members(core, room, listing);
    }
}

static void deliver_realm_list(struct core *core, struct listing *listing, bool is_told)
{
    enum listing_kind list = listing->list;
    listing_unref(core->lists[list]);
    core->lists[list] = listing;
    size_t told = 0;
    struct client *client, *next;
    HASH_ITER(hh, core->roster.clients, client, next)
    {
        told += deliver_come(core, client, listing, is_told);
    }
    if (is_told) {
        core->lists_told[list] = listing->version;
        lists_told(core, list, NULL, told);
    }
}

void deliver_list(struct core *core, const struct deliver_list *as, const struct bytes *names,
                  size_t count)
{
    struct room *room = as->list == LIST_MEMBERS ? as->room : NULL;
    if (as->list == LIST_MEMBERS && room == NULL) {
        return;
    }
    const struct listing *here = core->lists[as->list];
    if (as->version < (room != NULL ? room->members_version : here != NULL ? here->version : 0)) {
        return;
    }
    struct listing form = {.list = as->list,
                           .version = as->version,
                           .page_names = (size_t)core->options.config->lists_max};
    if (room != NULL) {
        deliver_list_of(room, &form);
    }
    struct listing *listing = listing_new(&form, names, count);
    if (listing == NULL) {
        return;
    }
    if (room == NULL) {
        deliver_realm_list(core, listing, as->is_told);
        return;
    }
    listing_unref(room->list_ahead);
    room->list_ahead = listing;
    room->list_ahead_at = room->members_at = as->at;
    room->members_version = as->version;
    deliver_list_ahead(core, room, room->feed.next - 1);
}

void deliver_give(struct core *core, struct client *client, enum listing_kind list, int64_t version,
                  bool is_paged)
{
    struct room *room = list == LIST_MEMBERS ? client->room : NULL;
    if (!channel_takes(client, list) || (list == LIST_MEMBERS && room == NULL)) {
        return;
    }
    struct listing *here = room != NULL ? room->members : core->lists[list];
    client->wants_pages[list] = is_paged;
    if (here != NULL && here->version >= version) {
        deliver_wanted(core, client, here);
        return;
    }
    client->list_wanted[list] = version > 0 ? version : 1;
    bool is_ahead = room != NULL && room->list_ahead != NULL && room->members_version >= version;
    if (!is_ahead) {
        lists_wanted(core, list, room);
    }
}

void deliver_give_all(struct core *core, struct client *client)
{
    for (int list = 0; list < LIST_COUNT; list++) {
        deliver_give(core, client, (enum listing_kind)list, 0, false);
    }
}

/* The latest form of a list that concerns the client; NULL: there is none. */
static struct listing *deliver_latest(const struct core *core, const struct client *client,
                                      enum listing_kind list)
{
    if (list == LIST_MEMBERS) {
        return client->room != NULL ? client->room->members : NULL;
    }
    return core->lists[list];
}

static size_t deliver_turn_of(struct core *core, struct client *client)
{
    size_t told = 0;
    for (int list = 0; list < LIST_COUNT; list++) {
        struct listing *listing = deliver_latest(core, client, (enum listing_kind)list);
        if (client->lists_due[list] && listing != NULL) {
            (void)deliver_listing_to(core, client, listing);
            told++;
        }
        client->lists_due[list] = false;
    }
    return told;
}

/* Round and round, so that nobody is left out however often a list changes. */
bool deliver_lists_in_turn(struct core *core)
{
    struct client *client =
        roster_client(&core->roster, bytes_of(core->told_last, sizeof core->told_last));
    size_t told = 0;
    for (size_t left = core->is_telling ? roster_client_count(&core->roster) : 0; left > 0;
         left--) {
        client = client != NULL && client->hh.next != NULL ? client->hh.next : core->roster.clients;
        told += deliver_turn_of(core, client);
        if (told >= DELIVER_AT_ONCE) {
            memcpy(core->told_last, client->uid, sizeof core->told_last);
            return true;
        }
    }
    core->is_telling = false;
    return false;
}

bool deliver_owes_lists(const struct client *client)
{
    bool is_owed = false;
    for (int list = 0; list < LIST_COUNT; list++) {
        is_owed = is_owed || client->paged[list] != NULL || client->lists_missed[list];
    }
    return is_owed;
}

void deliver_lists_owed(struct core *core, struct client *client)
{
    for (int list = 0; list < LIST_COUNT; list++) {
        if (client->is_full) {
            return;
        }
        deliver_pages(core, client, (enum listing_kind)list);
        struct listing *listing = deliver_latest(core, client, (enum listing_kind)list);
        if (client->lists_missed[list] && listing != NULL && client->paged[list] == NULL) {
            deliver_listing_to(core, client, listing);
        }
    }
}
