/* SPDX-License-Identifier: MIT */
/*
 * listing: lists of names in memory and their encoding for each kind of connection. Who is shown
 * which list is decided elsewhere.
 */
#include "listing.h"

#include "proto/talk_text.h"

const char *const listing_words[LIST_COUNT] = {"users", "rooms", "members", "counts"};

bool listing_of(struct bytes word, enum listing_kind *ret_list)
{
    for (int list = 0; list < LIST_COUNT; list++) {
        if (bytes_equal(word, bytes_str(listing_words[list]))) {
            *ret_list = (enum listing_kind)list;
            return true;
        }
    }
    return false;
}

static struct bytes listing_copy(struct bytes from, struct sink *into)
{
    struct bytes copy = bytes_of(into->ptr + into->len, from.len);
    sink_put(into, from);
    return copy;
}

struct listing *listing_new(const struct listing *form, const struct bytes *names, size_t count)
{
    size_t text_bytes = form->room.len + form->manager.len;
    for (size_t i = 0; i < count; i++) {
        text_bytes += names[i].len;
    }
    size_t names_bytes = count * sizeof names[0];
    struct listing *listing = malloc(sizeof *listing + names_bytes + text_bytes);
    if (listing == NULL) {
        return NULL;
    }
    *listing = *form;
    listing->refs = 1;
    memset(listing->frames, 0, sizeof listing->frames);
    listing->count = count;
    listing->names = (struct bytes *)(listing + 1);
    struct sink text = sink_into((uint8_t *)(listing + 1) + names_bytes, text_bytes);
    listing->room = listing_copy(form->room, &text);
    listing->manager = listing_copy(form->manager, &text);
    for (size_t i = 0; i < count; i++) {
        listing->names[i] = listing_copy(names[i], &text);
    }
    return listing;
}

struct listing *listing_ref(struct listing *listing)
{
    listing->refs++;
    return listing;
}

void listing_unref(struct listing *listing)
{
    if (listing != NULL && --listing->refs == 0) {
        for (int format = 0; format < FORMAT_COUNT; format++) {
            frame_unref(listing->frames[format]);
        }
        free(listing);
    }
}

enum push_type listing_push_type(const struct listing *listing)
{
    static const enum push_type types[LIST_COUNT] = {
        [LIST_USERS] = PUSH_USER_LIST,
        [LIST_ROOMS] = PUSH_ROOM_LIST,
        [LIST_MEMBERS] = PUSH_ROOM_USER_LIST,
        [LIST_COUNTS] = PUSH_ROOM_LIST,
    };
    return types[listing->list];
}

static void listing_write_push(const void *what, struct sink *out)
{
    const struct listing *listing = what;
    size_t step = listing->list == LIST_ROOMS ? 1 : 2;
    push_list_body(listing_push_type(listing), listing->names, listing->count, step, out);
}

static void listing_write_text(const void *what, struct sink *out)
{
    static const enum talk_text_list_kind kinds[LIST_COUNT] = {
        [LIST_USERS] = TALK_TEXT_USERS,
        [LIST_ROOMS] = TALK_TEXT_ROOMS,
        [LIST_MEMBERS] = TALK_TEXT_MEMBERS,
        [LIST_COUNTS] = TALK_TEXT_ROOMS,
    };
    const struct listing *listing = what;
    const struct talk_text_list text = {.kind = kinds[listing->list],
                                        .room = listing->room,
                                        .manager = listing->manager,
                                        .is_of_operators = listing->is_of_operators,
                                        .names = listing->names,
                                        .count = listing->count,
                                        .first = listing->first,
                                        .more = listing->more};
    talk_text_list(&text, out);
}

struct frame *listing_frame(struct listing *listing, enum format format)
{
    if (listing->frames[format] == NULL) {
        listing->frames[format] = frames_text(
            format, NULL, format == FORMAT_PUSH ? listing_write_push : listing_write_text, listing);
    }
    return listing->frames[format];
}
