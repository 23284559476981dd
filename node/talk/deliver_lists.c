/* SPDX-License-Identifier: MIT */
/*
 * deliver_lists: lists of users, rooms and members to clients' connections: a changed list to all
 * it concerns, pages to the one who asked, and what a full connection could not take, later.
 */
#include "talk_state.h"

static const enum push_type deliver_list_types[LIST_COUNT] = {
    [LIST_USERS] = PUSH_USER_LIST,
    [LIST_ROOMS] = PUSH_ROOM_LIST,
    [LIST_MEMBERS] = PUSH_ROOM_USER_LIST,
};

static struct frame *deliver_list_frame(enum roster_list list, const struct bytes *names,
                                        size_t count)
{
    enum push_type type = deliver_list_types[list];
    struct sink measure = sink_into(NULL, 0);
    push_list_body(type, names, count, &measure);
    struct frame *frame = frame_new(measure.len);
    if (frame != NULL) {
        struct sink out = sink_into(frame->data, frame->len);
        push_list_body(type, names, count, &out);
    }
    return frame;
}

static void deliver_list_frame_to(struct talk *talk, struct client *client, enum roster_list list,
                                  struct frame *frame)
{
    if (client->push != NULL && !client->leaving) {
        bool is_sent = talk->options.push.send(client->push, deliver_list_types[list], frame, 0);
        client->lists_missed[list] = !is_sent;
    }
}

void deliver_list(struct talk *talk, enum roster_list list, struct room *room,
                  const struct bytes *names, size_t count)
{
    if (list == LIST_MEMBERS && room == NULL) {
        return;
    }
    struct frame *frame = deliver_list_frame(list, names, count);
    if (frame == NULL) {
        return;
    }
    struct frame **last = list == LIST_MEMBERS ? &room->members : &talk->lists[list];
    frame_unref(*last);
    *last = frame;
    if (list == LIST_MEMBERS) {
        for (struct client *member = room->first_member; member != NULL;
             member = member->next_member) {
            deliver_list_frame_to(talk, member, list, frame);
        }
        return;
    }
    struct client *client, *next;
    HASH_ITER(hh, talk->roster.clients, client, next)
    {
        deliver_list_frame_to(talk, client, list, frame);
    }
}

void deliver_page(struct talk *talk, struct client *client, enum roster_list list, int64_t first,
                  const struct bytes *names, size_t count)
{
    struct frame *frame = deliver_list_frame(list, names, count);
    if (frame == NULL) {
        return;
    }
    if (client->push != NULL &&
        !talk->options.push.send(client->push, deliver_list_types[list], frame, 0)) {
        client->page_due[list] = true;
        client->page_first[list] = first;
    }
    frame_unref(frame);
}

/* A page that is asked for; the client may be gone when it comes. */
struct deliver_asked {
    struct talk *talk;
    uint8_t uid[HGTP_USER_ID_BYTES];
    enum roster_list list;
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
    if (client != NULL && result != NULL) {
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
    asked->list = (enum roster_list)list;
    asked->first = client->page_first[list];
    memcpy(asked->uid, client->uid, sizeof asked->uid);
    client->paging = true;
    struct script_args args;
    talk_args_init(talk, &args, bytes_of(asked->uid, sizeof asked->uid));
    script_args_str(&args, "what", roster_list_words[list]);
    script_args_int(&args, "first", client->page_first[list]);
    talk_call(talk, SCRIPT_page, &args, deliver_on_page, asked);
}

void deliver_pages_due(struct talk *talk, struct client *client, enum roster_list list,
                       int64_t first)
{
    if (!client->page_due[list]) {
        client->page_due[list] = true;
        client->page_first[list] = first;
        deliver_ask_page(talk, client);
    }
}

static void deliver_missed_lists(struct talk *talk, struct client *client)
{
    for (int list = 0; list < LIST_COUNT; list++) {
        struct frame *frame = talk->lists[list];
        if (list == LIST_MEMBERS) {
            frame = client->room != NULL ? client->room->members : NULL;
        }
        if (client->lists_missed[list] && frame != NULL) {
            deliver_list_frame_to(talk, client, (enum roster_list)list, frame);
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
