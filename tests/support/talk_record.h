/* SPDX-License-Identifier: MIT */
/*
 * talk_record: what a modern client has been told in JSON, over WebSocket or server-sent events,
 * and over all its connections. Each object is held against the protocol (docs/protocol.md); each
 * room's numbers against the promise: once, in order, no hole that is not announced as a gap.
 */
#ifndef SUPPORT_TALK_RECORD_H
#define SUPPORT_TALK_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define TALK_RECORD_NAME_MAX 600

enum talk_kind { TALK_MESSAGE, TALK_NOTICE, TALK_GAP };

/** Strings live as long as the record. */
struct talk_entry {
    enum talk_kind kind;
    int64_t seq; /* TALK_GAP: the first number that is missing */
    int64_t to;  /* TALK_GAP: the last one; else seq */
    int64_t at_ms;
    size_t stay; /* which stay in a room it belongs to, counted by changes of the session's room */
    const char *room;
    const char *who;   /* of a message: from; of a notice: user; else NULL */
    const char *text;  /* of a message or a notice, else NULL */
    const char *event; /* of a notice, else NULL */
    json_t *json;
};

struct talk_record {
    /* The last "session". */
    char user[TALK_RECORD_NAME_MAX];
    char room[TALK_RECORD_NAME_MAX]; /* "": in none */
    char room_id[32];
    char epoch[128];
    int64_t last; /* number of the last entry at that moment */
    size_t sessions;

    size_t stay;
    int64_t kept;   /* of the log of an earlier epoch, up to here; only if ... */
    bool has_kept;  /* ... the session said so */
    bool is_turned; /* ... with its last text: a gap that follows is of what is lost */
    struct talk_entry **entries;
    size_t count;
    char broken[256]; /* what the server did wrong first; "": nothing */
};

void talk_record_fini(struct talk_record *record);

/** One JSON object from the server. */
void talk_record_take(struct talk_record *record, json_t *object);

/** The highest number of the present room, for `after`; -1 when there is none yet. */
int64_t talk_record_last(const struct talk_record *record);

/** What has come of the present stay in a room; the sum of it is to - from + 1. */
struct talk_account {
    int64_t from, to; /* 0: nothing has come */
    int64_t messages, notices;
    int64_t gaps, missed; /* how many gaps, and numbers in them; adjacent ones are one */
};
struct talk_account talk_record_account(const struct talk_record *record);

/** The message with this text, or NULL; `ret_times`, if not NULL: how often it is there. */
const struct talk_entry *talk_record_message(const struct talk_record *record, const char *text,
                                             size_t *ret_times);

/**
 * True when the messages of `who` in the present stay begin with "WHO 0", "WHO 1", ... to `count` -
 * 1, each once and in this order. Else it says on stderr what is not so.
 */
bool talk_record_has_numbers(const struct talk_record *record, const char *who, int64_t count);

#endif
