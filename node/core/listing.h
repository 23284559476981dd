/* SPDX-License-Identifier: MIT */
/*
 * listing: one state of a list (users, rooms, members), shared by reference among all who are shown
 * it, with its encoded forms kept.
 */
#ifndef CORE_LISTING_H
#define CORE_LISTING_H

#include "frames.h"
#include "proto/push_text.h"

/** The lists that clients are shown; the words the scripts use for them are in listing_words. */
enum listing_kind {
    LIST_USERS,
    LIST_ROOMS, /* to clients of the original's kind */
    LIST_MEMBERS,
    LIST_COUNTS, /* rooms with their numbers of members, to those with a line */
    LIST_COUNT
};
extern const char *const listing_words[LIST_COUNT];
bool listing_of(struct bytes word, enum listing_kind *ret_list);

struct listing {
    size_t refs;
    enum listing_kind list;
    struct bytes room; /* LIST_MEMBERS: whose, and its manager */
    struct bytes manager;
    bool is_of_operators; /* LIST_MEMBERS: the room is theirs */
    int64_t version;      /* every change has a greater one */
    size_t page_names; /* of a whole list: it is told in pages of so many names, if it has more */
    size_t total;      /* names in the whole list */
    int64_t first;     /* of a page: the place of its first name; < 0: no page */
    bool more;         /* of a page: another one follows */
    struct listing *
        *pages; /* of a long list, as far as they have been made; the head stands last */
    struct frame *frames[FORMAT_COUNT];
    size_t count;
    struct bytes *names; /* views into the same memory; each but of LIST_ROOMS with what is shown
                            beside it: the number of members, or `away` or nothing */
};

/** A whole list (`first` < 0) of the form's version, with one reference, everything copied; one
 * that is longer than a page is sorted, each name once. NULL when memory is out. */
struct listing *listing_new(const struct listing *form, const struct bytes *names, size_t count);
/** The page that begins at place `first` of a long list, borrowed; NULL when memory is out. */
struct listing *listing_page(struct listing *whole, size_t first);
/** What one is told who has not asked for pages, with a reference: the whole list, or its first
 * page, in which `self` is (empty: nobody has to be). NULL when memory is out. */
struct listing *listing_head(struct listing *whole, struct bytes self);
bool listing_is_long(const struct listing *listing);
struct listing *listing_ref(struct listing *listing);
void listing_unref(struct listing *listing);

enum push_type listing_push_type(const struct listing *listing);
/** Borrowed from the listing; NULL when memory is out. */
struct frame *listing_frame(struct listing *listing, enum format format);

#endif
