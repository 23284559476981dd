/* SPDX-License-Identifier: MIT */
/*
 * deliver_lists: lists of users, rooms and members to clients' connections: a changed list to all
 * it concerns, pages to the one who asked, and what a full connection could not take, later.
 */
#include "channel.h"

static void deliver_listing_to(struct talk *talk, struct client *client, struct listing *listing)
{
    if (!client->leaving && channel_takes(client, listing->list)) {
        client->lists_missed[listing->list] = !channel_listing(talk, client, listing);
    }
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
    struct listing form = {.list = listing->list, .first = listing->first, .more = listing->more};
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

static void deliver_members(struct talk *talk, struct room *room, struct listing *listing)
{
    listing = deliver_as_of_now(room, listing);
    listing_unref(room->members);
    room->members = listing;
    for (struct client *client = room->first_member; client != NULL; client = client->next_member) {
        deliver_listing_to(talk, client, listing);
    }
}

void deliver_list_ahead(struct talk *talk, struct room *room, uint64_t seq)
{
    struct listing *listing = room->list_ahead;
    if (listing != NULL && seq >= room->list_ahead_at) {
        room->list_ahead = NULL;
        deliver_members(talk, room, listing);
    }
}

void deliver_list(struct talk *talk, enum listing_kind list, struct room *room, uint64_t at,
                  const struct bytes *names, size_t count)
{
    if (list == LIST_MEMBERS && room == NULL) {
        return;
    }
    struct listing form = {.list = list, .first = -1};
    if (list == LIST_MEMBERS) {
        deliver_list_of(room, &form);
    }
    struct listing *listing = listing_new(&form, names, count);
    if (listing == NULL) {
        return;
    }
    if (list == LIST_MEMBERS) {
        listing_unref(room->list_ahead);
        room->list_ahead = listing;
        room->list_ahead_at = room->members_at = at;
        deliver_list_ahead(talk, room, room->feed.next - 1);
        return;
    }
    listing_unref(talk->lists[list]);
    talk->lists[list] = listing;
    struct client *client, *next;
    HASH_ITER(hh, talk->roster.clients, client, next)
    {
        deliver_listing_to(talk, client, listing);
    }
}

void deliver_page(struct talk *talk, struct client *client, const struct listing *page,
                  const struct bytes *names, size_t count)
{
    struct listing form = *page;
    if (form.list == LIST_MEMBERS && client->room != NULL) {
        deliver_list_of(client->room, &form);
    }
    if (form.first == 0 && !form.more) {
        form.first = -1;
    }
    struct listing *listing = listing_new(&form, names, count);
    if (listing != NULL && channel_takes(client, form.list) &&
        !channel_listing(talk, client, listing)) {
        client->page_due[form.list] = true;
        client->page_first[form.list] = page->first;
    }
    listing_unref(listing);
}

/* A page that is asked for; the client may be gone when it comes. */
struct deliver_asked {
    struct talk *talk;
    uint8_t uid[HGTP_USER_ID_BYTES];
    enum listing_kind list;
    int64_t first;
};

static void deliver_ask_page(struct talk *talk, struct client *client);

static void deliver_on_page(const struct result *result, void *arg)
{
    struct deliver_asked *asked = arg;
    struct talk *talk = asked->talk;
    talk_call_over(talk);
    struct client *client = roster_client(&talk->roster, bytes_of(asked->uid, sizeof asked->uid));
    if (client != NULL) {
        client->paging = false;
    }
    bool has_begun_anew = client != NULL && client->page_first[asked->list] != asked->first;
    if (has_begun_anew) {
        deliver_ask_page(talk, client); /* the list was asked for once more: not this page now */
    } else if (client != NULL && result != NULL) {
        client->page_due[asked->list] = false;
        effects_apply(talk, result, NULL, NULL);
        bool is_refused =
            client->page_due[asked->list] && client->page_first[asked->list] == asked->first;
        if (!is_refused) {
            deliver_ask_page(talk, client);
        }
    }
    free(asked);
}

static void deliver_ask_page(struct talk *talk, struct client *client)
{
    int list = 0;
    while (list < LIST_COUNT && !client->page_due[list]) {
        list++;
    }
    struct deliver_asked *asked = NULL;
    if (list < LIST_COUNT && !client->paging) {
        asked = calloc(1, sizeof *asked);
    }
    if (asked == NULL) {
        return;
    }
    asked->talk = talk;
    asked->list = (enum listing_kind)list;
    asked->first = client->page_first[list];
    memcpy(asked->uid, client->uid, sizeof asked->uid);
    client->paging = true;
    struct script_args args;
    talk_args_init(talk, &args, bytes_of(asked->uid, sizeof asked->uid));
    script_args_str(&args, "what", listing_words[list]);
    script_args_int(&args, "first", client->page_first[list]);
    talk_call(talk, SCRIPT_page, &args, deliver_on_page, asked);
}

void deliver_pages_due(struct talk *talk, struct client *client, enum listing_kind list,
                       int64_t first)
{
    bool is_earlier = !client->page_due[list] || first < client->page_first[list];
    if (is_earlier && channel_takes(client, list)) {
        client->page_due[list] = true;
        client->page_first[list] = first;
        deliver_ask_page(talk, client);
    }
}

static void deliver_missed_lists(struct talk *talk, struct client *client)
{
    for (int list = 0; list < LIST_COUNT; list++) {
        struct listing *listing = talk->lists[list];
        if (list == LIST_MEMBERS) {
            listing = client->room != NULL ? client->room->members : NULL;
        }
        if (client->lists_missed[list] && listing != NULL) {
            deliver_listing_to(talk, client, listing);
        }
    }
}

bool deliver_owes_lists(const struct client *client)
{
    bool is_owed = false;
    for (int list = 0; list < LIST_COUNT; list++) {
        is_owed = is_owed || client->page_due[list] || client->lists_missed[list];
    }
    return is_owed && !client->paging;
}

void deliver_lists_owed(struct talk *talk, struct client *client)
{
    deliver_missed_lists(talk, client);
    deliver_ask_page(talk, client);
}
