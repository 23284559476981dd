/* SPDX-License-Identifier: MIT */
/*
 * talk_text: the JSON objects that a node sends over WebSocket and SSE, one function each
 * (docs/protocol.md "WebSocket"). Compact, UTF-8; what is not UTF-8 in a name or text becomes
 * U+FFFD. Rooms and users are told by their names.
 */
#ifndef PROTO_TALK_TEXT_H
#define PROTO_TALK_TEXT_H

#include "bytes.h"

/** Append a JSON string, quotes included. */
void talk_text_string(struct bytes text, struct sink *out);

struct talk_text_entry {
    struct bytes room; /* empty: of none, told to everybody */
    uint64_t seq;
    struct bytes event; /* "message", or what the notice tells */
    struct bytes user;  /* who says or does it */
    struct bytes text;  /* what is said, or the notice in words */
    int64_t time_unix_ms;
};
void talk_text_entry(const struct talk_text_entry *entry, struct sink *out);

enum talk_text_list_kind { TALK_TEXT_USERS, TALK_TEXT_ROOMS, TALK_TEXT_MEMBERS };
struct talk_text_list {
    enum talk_text_list_kind kind;
    struct bytes room;    /* TALK_TEXT_MEMBERS: whose members, and its manager */
    struct bytes manager; /* empty: it has none */
    bool is_of_operators; /* ... and what kind of room that is */
    /* A name, then what is shown beside it, and so on. TALK_TEXT_ROOMS: the number of members in
     * digits; else nothing, or whatever says that the user is away. */
    const struct bytes *names;
    size_t count;
    size_t total;    /* names in the whole list */
    int64_t version; /* greater than those of all earlier ones */
    int64_t first;   /* of a page: place of its first name in the whole list; < 0: no page */
    bool more;       /* with `first`: another page follows */
};
void talk_text_list(const struct talk_text_list *list, struct sink *out);

struct talk_text_session {
    struct bytes user;
    struct bytes room; /* empty: in none */
    struct bytes room_id;
    struct bytes manager; /* of the room; empty: nobody */
    struct bytes epoch;
    uint64_t last;
    const uint64_t *kept; /* the client has the log of an earlier epoch, which is what it was up to
                             this number; NULL: it has not */
};
void talk_text_session(const struct talk_text_session *session, struct sink *out);

/** The entries stand between the two, with commas. */
void talk_text_history_begin(struct bytes room, struct sink *out);
void talk_text_history_end(bool more, struct sink *out);

/** `id` empty: the message had none. */
void talk_text_ack(struct bytes id, uint64_t seq, struct sink *out);
void talk_text_error(const char *code, const char *reason, const char *name, struct bytes id,
                     struct sink *out);
/** An object as these functions write it, and the id of what it answers; empty: it had none. */
void talk_text_with_id(struct bytes text, struct bytes id, struct sink *out);
void talk_text_gap(struct bytes room, uint64_t from, uint64_t to, struct sink *out);
/** What the end of a WebSocket says by its close code, for an event stream. */
void talk_text_closed(int code, const char *reason, struct sink *out);
void talk_text_reconnect(int64_t after_ms, struct sink *out);

#endif
