/* SPDX-License-Identifier: MIT */
/*
 * entry: one message or notice of a room log, shared by reference, with its encoded forms kept so
 * that each is made once for all receivers.
 */
#ifndef CORE_ENTRY_H
#define CORE_ENTRY_H

#include "frames.h"
#include "proto/hgtp.h"
#include "proto/push_text.h"

enum entry_kind {
    ENTRY_message,
#define NOTICE(kind, en, ko) ENTRY_##kind,
#include "notice.def"
    ENTRY_closed,  /* the room is no more; not shown */
    ENTRY_unknown, /* of a newer version: counts in the room's order, is not shown */
    ENTRY_KIND_COUNT
};

/** Order of the choices of notices.language in config.def. */
enum notice_language { NOTICE_EN, NOTICE_KO, NOTICE_LANGUAGE_COUNT };

struct entry {
    size_t refs;
    uint64_t seq; /* number in the room log, from 1 */
    enum entry_kind kind;
    int64_t time_unix_ms;            /* Redis' clock */
    int64_t sent_unix_ms;            /* the sender's clock, as it said; 0 if it did not */
    uint8_t uid[HGTP_USER_ID_BYTES]; /* the session whose being in the room it changes ... */
    int64_t stay;                    /* ... and the number of that stay; 0: nobody's */
    struct bytes who;                /* views into `data` */
    struct bytes text;
    struct frame *frames[FORMAT_COUNT]; /* made by entry_frame */
    uint8_t data[];
};

/** What clients are shown. */
static inline bool entry_is_shown(const struct entry *entry)
{
    return entry->kind < ENTRY_closed;
}

/** ENTRY_unknown when `word` names none of the others. */
enum entry_kind entry_kind_of(struct bytes word);

/** An entry with one reference, `who` and `text` copied; NULL when memory is out. */
struct entry *entry_new(uint64_t seq, enum entry_kind kind, struct bytes who, struct bytes text,
                        int64_t time_unix_ms, int64_t sent_unix_ms);
struct entry *entry_ref(struct entry *entry);
void entry_unref(struct entry *entry);
/** Memory it takes, its encoded forms estimated: the same before and after they are made. */
size_t entry_bytes(const struct entry *entry);

enum push_type entry_push_type(const struct entry *entry);

/** Its form for one kind of connection, borrowed from the entry; NULL when memory is out. An entry
 * belongs to one room, so that `room_name` is always the same. */
struct frame *entry_frame(struct entry *entry, enum format format, struct bytes room_name,
                          const char *epoch, enum notice_language language);

/** Append its JSON object as WebSocket and SSE have it. */
void entry_text(const struct entry *entry, struct bytes room_name, enum notice_language language,
                struct sink *out);

#endif
