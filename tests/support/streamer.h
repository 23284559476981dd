/* SPDX-License-Identifier: MIT */
/*
 * streamer: a modern user where no WebSocket gets through: registers and asks by POST /hgtp, talks
 * by POST /message, and is told by a stream of events. It belongs to its scenario.
 */
#ifndef SUPPORT_STREAMER_H
#define SUPPORT_STREAMER_H

#include "e2e_talk.h"

/** Tests may read everything here, and set `port`: where its POSTs go. */
struct streamer {
    struct talk_speaker speaker;
    char token[ORIGINAL_TOKEN_MAX + 1];
    char room_id[HGTP_ROOM_ID_BYTES + 1]; /* of the room that it has created */
    uint16_t port;
    struct sse_client *sse; /* the last one; earlier ones belong to the scenario */
    struct talk_record record;
};

/** Registered; without a stream. */
struct streamer *streamer_register(struct e2e *e, uint16_t port, const char *name);
/** The same, with a stream that has told its session. */
struct streamer *streamer_open(struct e2e *e, uint16_t port, const char *name);

/** A stream with more in its query ("&after=7") and Last-Event-ID (NULL: none). */
void streamer_attach(struct e2e *e, struct streamer *streamer, const char *query,
                     const char *last_id);
/** As EventSource does it by itself: the same address, and the last id that it has seen. */
void streamer_reattach(struct e2e *e, struct streamer *streamer, uint16_t port);

/** Its record goes to this number, at the least, before the deadline. */
bool streamer_has(struct streamer *streamer, int64_t seq);
/** All that came in the present room came once, in order and without a gap, up to `last`. */
void streamer_whole(struct streamer *streamer, int64_t last);

/* Requests: the reply's views live until the next one. ----------------------------------------- */

struct talker_reply streamer_create(struct streamer *streamer, const char *room);
/** JOIN_ROOM, EXIT_ROOM. */
struct talker_reply streamer_ask_name(struct streamer *streamer, enum hgtp_type type,
                                      const char *room);
/** UNREGISTER, REFRESH. */
struct talker_reply streamer_ask(struct streamer *streamer, enum hgtp_type type);

/** Say something; `id` NULL: without one. Its number, or minus the status. */
int64_t streamer_say(struct streamer *streamer, const char *text, const char *id);

#endif
