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

/* Fields per name. */
static size_t listing_step(enum listing_kind list)
{
    return list == LIST_ROOMS ? 1 : 2;
}

static int listing_order(struct bytes a, struct bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int listing_compare(const void *a, const void *b)
{
    return listing_order(*(const struct bytes *)a, *(const struct bytes *)b);
}

static void listing_sort(struct listing *listing)
{
    size_t step = listing_step(listing->list), kept = 0;
    qsort(listing->names, listing->count / step, step * sizeof listing->names[0], listing_compare);
    for (size_t i = 0; i < listing->count; i += step) {
        if (kept == 0 || !bytes_equal(listing->names[kept - step], listing->names[i])) {
            memmove(&listing->names[kept], &listing->names[i], step * sizeof listing->names[0]);
            kept += step;
        }
    }
    listing->count = kept;
}

static struct listing *listing_made(const struct listing *form, const struct bytes *names,
                                    size_t count)
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
    listing->pages = NULL;
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

bool listing_is_long(const struct listing *listing)
{
    return listing->first < 0 && listing->total > listing->page_names;
}

struct listing *listing_new(const struct listing *form, const struct bytes *names, size_t count)
{
    struct listing *listing = listing_made(form, names, count);
    if (listing == NULL) {
        return NULL;
    }
    size_t step = listing_step(form->list);
    listing->first = -1;
    listing->total = count / step;
    if (listing_is_long(listing)) {
        listing_sort(listing);
        listing->total = listing->count / step;
    }
    return listing;
}

static size_t listing_page_count(const struct listing *whole)
{
    return (whole->total + whole->page_names - 1) / whole->page_names;
}

/* A part of a long list; `slot`: where it is kept. */
static struct listing *listing_part(struct listing *whole, size_t slot, size_t first, bool is_page)
{
    if (whole->pages == NULL) {
        whole->pages = calloc(listing_page_count(whole) + 1, sizeof *whole->pages);
    }
    if (whole->pages != NULL && whole->pages[slot] == NULL) {
        size_t step = listing_step(whole->list), left = whole->total - first;
        struct listing form = *whole;
        form.first = is_page ? (int64_t)first : -1;
        form.more = is_page && left > whole->page_names;
        size_t length = left < whole->page_names ? left : whole->page_names;
        whole->pages[slot] = listing_made(&form, whole->names + first * step, length * step);
    }
    return whole->pages != NULL ? whole->pages[slot] : NULL;
}

struct listing *listing_page(struct listing *whole, size_t first)
{
    assert(listing_is_long(whole) && first < whole->total);
    return listing_part(whole, first / whole->page_names, first, true);
}

/* The first page, in which `self` stands in the place of the last one. */
static struct listing *listing_head_with(const struct listing *whole, const struct bytes self[2],
                                         bool is_missing)
{
    size_t step = listing_step(whole->list), count = whole->page_names * step;
    struct bytes *names = malloc(count * sizeof *names);
    struct listing *head = NULL;
    if (names != NULL) {
        memcpy(names, whole->names, count * sizeof *names);
        memcpy(&names[count - step], self, step * sizeof *names);
        struct listing form = *whole;
        form.total += is_missing ? 1 : 0;
        head = listing_made(&form, names, count);
    }
    free(names);
    return head;
}

struct listing *listing_head(struct listing *whole, struct bytes self)
{
    if (!listing_is_long(whole)) {
        return listing_ref(whole);
    }
    size_t step = listing_step(whole->list);
    const struct bytes *found =
        bsearch(&self, whole->names, whole->total, step * sizeof self, listing_compare);
    if (self.len == 0 || (found != NULL && found < whole->names + whole->page_names * step)) {
        struct listing *head = listing_part(whole, listing_page_count(whole), 0, false);
        return head != NULL ? listing_ref(head) : NULL;
    }
    const struct bytes present[2] = {self, bytes_str("")};
    return listing_head_with(whole, found != NULL ? found : present, found == NULL);
}

struct listing *listing_ref(struct listing *listing)
{
    listing->refs++;
    return listing;
}

void listing_unref(struct listing *listing)
{
    if (listing == NULL || --listing->refs > 0) {
        return;
    }
    for (size_t i = 0; listing->pages != NULL && i <= listing_page_count(listing); i++) {
        listing_unref(listing->pages[i]);
    }
    free(listing->pages);
    for (int format = 0; format < FORMAT_COUNT; format++) {
        frame_unref(listing->frames[format]);
    }
    free(listing);
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
    push_list_body(listing_push_type(listing), listing->names, listing->count,
                   listing_step(listing->list), out);
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
                                        .total = listing->total,
                                        .version = listing->version,
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
