/* SPDX-License-Identifier: MIT */
/*
 * talker: a modern user, as a browser's page is one: registers by HMAC over a WebSocket, asks by
 * binary frames, talks by JSON, and comes back with its token and its last number to any node. What
 * it is told over all its connections is in its record.
 */
#ifndef SUPPORT_TALKER_H
#define SUPPORT_TALKER_H

#include "original.h"
#include "talk_record.h"
#include "talk_request.h"
#include "ws_client.h"

#define TALKER_KEY     "950817"
#define TALKER_WAIT_MS 10000

struct talker_options {
    const char *name;  /* UTF-8 */
    const char *key;   /* NULL: TALKER_KEY */
    uint16_t port;     /* HTTP port of a node, or of a relay to it */
    int receive_bytes; /* as of ws_client */
    bool is_manual;    /* answers neither an UNAUTHORIZED nor a relay by itself */
};

/** A response, or what a relay brought; the views live as long as the connection's object. */
struct talker_reply {
    bool has_come;
    struct hgtp_message msg;
};

/** Tests may read everything here, and set `relay`. */
struct talker {
    struct talker_options options;
    struct talk_speaker speaker;
    enum original_relay relay; /* what it does with a relayed INVITE or REMOVE */
    char token[ORIGINAL_TOKEN_MAX + 1];
    char room_id[HGTP_ROOM_ID_BYTES + 1]; /* of the room that it has created */
    struct ws_client *ws;                 /* NULL: never connected */
    struct talk_record record;
    int64_t reconnect_after_ms; /* of the last "reconnect"; -1: none came */

    /* Its long talk: message n has the id "n". */
    int64_t *acks; /* number in the room that message n was given; 0: not acknowledged */
    int64_t goal, said, acked, window;
    size_t text_bytes; /* texts are filled up to so many bytes */
    size_t errors;     /* to messages of the long talk */
};

/** Connected, attached to nothing. */
struct talker *talker_open(const struct talker_options *options);
/** NULL is legal. Nothing is said to the server. */
void talker_free(struct talker *talker);
void talker_print(const struct talker *talker, FILE *out);
/** What the server did wrong; NULL: nothing. */
const char *talker_broken(const struct talker *talker);

/** Both steps, and the session has been told; true when it stands. */
bool talker_register(struct talker *talker);
/** Both steps, or the first one if that is refused: the answer to the last. */
struct talker_reply talker_prove(struct talker *talker);

/**
 * A new connection to `port` for the same session, by token, last number and epoch as the record
 * has them. The old one is dropped first.
 *
 * returns  status of the handshake: 101, or 0 when there was no answer
 */
int talker_resume(struct talker *talker, uint16_t port);
/** The path and query that it would ask for. `after` < 0: without a number. */
void talker_target(const struct talker *talker, int64_t after, char *ret_target, size_t cap);

/* Requests: send and wait for the response. ---------------------------------------------------- */

struct talker_reply talker_create(struct talker *talker, const char *room);
struct talker_reply talker_delete(struct talker *talker);
struct talker_reply talker_join(struct talker *talker, const char *room);
struct talker_reply talker_exit(struct talker *talker, const char *room);
struct talker_reply talker_invite(struct talker *talker, const char *room, const char *peer);
struct talker_reply talker_remove(struct talker *talker, const char *room, const char *peer);
struct talker_reply talker_refresh(struct talker *talker);
struct talker_reply talker_unregister(struct talker *talker);

/** The next response to a request of this type, whatever its number. */
struct talker_reply talker_wait_response(struct talker *talker, enum hgtp_type request_type);
/** A request of this type that the server sends. */
struct talker_reply talker_wait_relay(struct talker *talker, enum hgtp_type type);
void talker_answer_relay(struct talker *talker, const struct talker_reply *relay,
                         enum hgtp_type type);
/** Any message as a binary frame. */
void talker_send(struct talker *talker, struct bytes message);

/* Talk ----------------------------------------------------------------------------------------- */

/** Say something; `id` NULL: without one. */
void talker_say(struct talker *talker, const char *text, const char *id);
/** The same, and wait: its number, or -1 when it was refused or nothing came. */
int64_t talker_say_acked(struct talker *talker, const char *text, const char *id);
/** {"type":"history"}; `before` 0 and `count` 0 are left out. */
const json_t *talker_history(struct talker *talker, int64_t before, int64_t count);

/**
 * The next text of this type for which all the pairs of member and value (strings, NULL-terminated)
 * hold: TALKER_WAIT(t, "notice", "event", "joined", "user", "bob"). NULL at the deadline.
 */
#define TALKER_WAIT(talker, type, ...)                                                             \
    talker_wait((talker), (type), (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
const json_t *talker_wait(struct talker *talker, const char *type, const char *const *pairs);

/** A list of exactly these names, with commas between; earlier lists of its type are passed over.
 */
const json_t *talker_wait_list(struct talker *talker, const char *type, const char *names);
/** The session is in this room ("": in none) as far as it has been told. */
bool talker_is_in(struct talker *talker, const char *room);
/** Its record goes to this number, at the least. */
bool talker_has(struct talker *talker, int64_t seq, int64_t timeout_ms);
/** Everything that the server had for it has come: a REFRESH was answered. */
bool talker_fence(struct talker *talker);

/* The long talk: "NAME 0", "NAME 1", ... with `window` of them on their way at once, each said
 * again over every new connection until it is acknowledged. It goes on while anything is waited
 * for. --------------------------------------------------------------------------------------- */

/** Go on until there are `count` messages. */
void talker_pour(struct talker *talker, int64_t count, int64_t window);
/** All of them are acknowledged. */
bool talker_poured(struct talker *talker, int64_t timeout_ms);

#endif
