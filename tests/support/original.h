/* SPDX-License-Identifier: MIT */
/*
 * original: a client that behaves on the wire as the original Java client does: two UDP sockets, an
 * HTTP listener for pushes, one TCP connection for its messages, and the same answers to the same
 * input, its weaknesses included (docs/protocol.md "The original client"). One thread; whatever
 * waits pumps all clients. Every wait has a deadline.
 */
#ifndef SUPPORT_ORIGINAL_H
#define SUPPORT_ORIGINAL_H

#include "original_log.h"
#include "pump.h"
#include "sockets.h"

#define ORIGINAL_KEY       "950817"
#define ORIGINAL_WAIT_MS   5000
#define ORIGINAL_TOKEN_MAX 128
#define ORIGINAL_NAME_MAX  600

/* ORIGINAL_HMAC is what the original cannot do: prove by HMAC-SHA-256, then sign every datagram. */
enum original_auth { ORIGINAL_MD5, ORIGINAL_HMAC };

/* What it does with a relayed INVITE or REMOVE. The original knows ANSWER only. */
enum original_relay { ORIGINAL_RELAY_ANSWER, ORIGINAL_RELAY_DECLINE, ORIGINAL_RELAY_SILENT };

/* What its HTTP listener does. The original knows ANSWER only. */
enum original_pushes {
    ORIGINAL_PUSHES_ANSWER,
    ORIGINAL_PUSHES_SILENT, /* reads, never answers */
    ORIGINAL_PUSHES_CLOSE,  /* answers once, then closes the connection */
    ORIGINAL_PUSHES_REFUSE, /* no listener, no connection */
};

struct original_options {
    uint32_t server_ip; /* addresses in host order */
    uint16_t server_port;
    uint32_t own_ip;    /* of all its sockets; 0: from where the server is reached */
    uint16_t udp_port;  /* declared; 0: a free one */
    uint16_t http_port; /* declared; 0: a free one */
    int64_t expires_s;  /* 0: the original's 3600 */
    const char *name;   /* UTF-8 */
    const char *key;    /* NULL: ORIGINAL_KEY */
    enum original_auth auth;
    bool is_manual; /* the second REGISTER is left to the caller */
    /** Called for each event after it has been logged and acted upon; may be NULL. */
    void (*on_event)(const struct original_event *event, void *arg);
    void *arg;
};

struct original_push_connection;

/** Tests may read everything here, and set `relay`, `declared_ip`, `declared_port`, `user_id` and
 * `former_id`.
 */
struct original {
    struct original_options options;
    char user_id[HGTP_USER_ID_BYTES + 1];
    char former_id[HGTP_USER_ID_BYTES + 1]; /* of another process at its HTTP port; empty: none */
    enum original_relay relay;
    enum original_pushes pushes;
    uint32_t declared_ip;   /* in both REGISTERs; own_ip unless a test lies */
    uint16_t declared_port; /* in the second REGISTER; http_port unless a test lies */

    /* What it believes */
    bool registered;
    bool in_room;
    bool is_manager;
    char room_name[ORIGINAL_NAME_MAX];
    char room_id[HGTP_ROOM_ID_BYTES + 1];
    char realm[256]; /* of the last UNAUTHORIZED */
    char token[ORIGINAL_TOKEN_MAX];
    size_t token_bytes;

    /** Empty datagrams: no HGTP. A balancer sends one for a node that does not hear it any more. */
    size_t empty_datagrams;

    /* What would have gone wrong in the original. Must stay zero and false with a good server. */
    int workers_lost; /* of two; without them it hears no HGTP any more */
    bool is_stuck;    /* believes to be in a room and cannot get out */
    bool is_dirty;    /* every later CREATE or JOIN goes wrong */

    struct original_log log;
    uint8_t sent[HGTP_DATAGRAM_MAX]; /* the last datagram that was sent */
    size_t sent_bytes;
    uint32_t last_timestamp_ms;

    /* Inside */
    struct pump_watch udp_declared, udp_sending, http_listener, talk;
    struct original_push_connection *push_connections;
    uint16_t talk_port; /* of the first UNAUTHORIZED; the original never changes it */
    struct queue talk_out, talk_in;
};

/** Open the sockets; nothing is sent. NULL when they cannot be opened, with errno set. */
struct original *original_open(const struct original_options *options);
/** NULL is legal. Nothing is said to the server: the process is just gone. */
void original_close(struct original *original);

/** False when it is in a state that only a restart of the original would cure. */
bool original_is_healthy(const struct original *original);

/** From now on its datagrams go to this port of the server, and its messages to that one. Its own
 * ports stay as they are; it is what lies between that has changed. */
void original_redirect_datagrams(struct original *original, uint16_t server_port);
void original_redirect_talk(struct original *original, uint16_t http_port);

/* Requests: send only. Each carries sequence number 1 and a new timestamp. --------------------- */

void original_send_register(struct original *original);
/** The second REGISTER with the digest of `realm` under `key`. */
void original_send_proof(struct original *original, int32_t seq, const char *realm,
                         const char *key);
/** CREATE_ROOM with a new room id, or DELETE_ROOM of the present one. */
void original_send_create(struct original *original, const char *room);
void original_send_delete(struct original *original);
/** CREATE_ROOM or DELETE_ROOM with any id; the client's own idea of its room stays as it is. */
void original_send_room(struct original *original, enum hgtp_type type, const char *room_id,
                        const char *room);
/** JOIN_ROOM, EXIT_ROOM. */
void original_send_name(struct original *original, enum hgtp_type type, const char *room);
/** INVITE_USER_FROM_ROOM, REMOVE_USER_FROM_ROOM. */
void original_send_peer(struct original *original, enum hgtp_type type, const char *room,
                        const char *peer);
/** UNREGISTER, REFRESH. */
void original_send_plain(struct original *original, enum hgtp_type type);
/** Any message: header of the client, body as given, signed if the session signs. */
void original_send(struct original *original, enum hgtp_type type, uint8_t request_type,
                   int32_t seq, struct bytes body);
/** Any bytes, as they are. */
void original_send_raw(struct original *original, struct bytes datagram);
/** The last datagram once more, byte for byte. */
void original_send_again(struct original *original);
/** Answer a relayed request by hand; for the modes in which the client does not. */
void original_answer_relay(struct original *original, const struct original_event *relay,
                           enum hgtp_type type);

/* Requests: send and wait. They return the response, or NULL when none came in time. ----------- */

/** Both steps; true when the session stands. */
bool original_register(struct original *original);
const struct original_event *original_create(struct original *original, const char *room);
const struct original_event *original_delete(struct original *original);
const struct original_event *original_join(struct original *original, const char *room);
const struct original_event *original_exit(struct original *original, const char *room);
const struct original_event *original_invite(struct original *original, const char *peer);
const struct original_event *original_remove(struct original *original, const char *peer);
const struct original_event *original_refresh(struct original *original);
const struct original_event *original_unregister(struct original *original);

/* Waits: the first event that fits and was not taken yet, or NULL at the deadline. ------------- */

typedef bool original_fits_fn(const struct original_event *event, const void *arg);

const struct original_event *original_wait(struct original *original, original_fits_fn *fits,
                                           const void *arg, int64_t timeout_ms);
/** The same for exactly that long (pump_within): before it is asked once more. */
const struct original_event *original_wait_within(struct original *original, original_fits_fn *fits,
                                                  const void *arg, int64_t timeout_ms);
/** A response with this request type. */
const struct original_event *original_wait_response(struct original *original,
                                                    enum hgtp_type request_type);
/** A request of this type that the server sends. */
const struct original_event *original_wait_relay(struct original *original, enum hgtp_type type);
/** A push of this type; `fits` NULL: any. */
const struct original_event *original_wait_push(struct original *original, enum push_type type,
                                                original_fits_fn *fits, const void *arg);
/** A list of exactly these names, with commas between; shorter lists before it are passed over. */
const struct original_event *original_wait_list(struct original *original, enum push_type type,
                                                const char *names);
const struct original_event *original_wait_notice(struct original *original, const char *text);
const struct original_event *original_wait_message(struct original *original, const char *text);
/** The next answer to a message, in the order of the messages. */
const struct original_event *original_wait_answer(struct original *original);

/**
 * Everything that the server had for this client when the call was made has arrived when it
 * returns true: by REFRESH and the lists that it brings. Replaces any waiting for silence.
 */
bool original_fence(struct original *original);

/** Events from `first` (an index of the log) on that fit; taken or not. */
size_t original_count(const struct original *original, size_t first, original_fits_fn *fits,
                      const void *arg);
bool original_is_push(const struct original_event *event, const void *push_type);
bool original_is_response(const struct original_event *event, const void *request_type);
bool original_is_relay(const struct original_event *event, const void *type);

/* HTTP ----------------------------------------------------------------------------------------- */

/** Say something; the answer is logged when it comes. False: no connection, dropped as the original
 * does. */
bool original_say(struct original *original, const char *text);
bool original_say_at(struct original *original, const char *text, int64_t time_unix_ms);
/** Any bytes on the connection for messages. */
bool original_say_raw(struct original *original, struct bytes request);
/** JSON of a message as the original writes it; NUL-terminated, freed by the caller. */
char *original_message_json(const char *name, const char *text, int64_t time_unix_ms);

/** What the listener does from now on; connections of the kind that REFUSE forbids are closed. */
void original_set_pushes(struct original *original, enum original_pushes pushes);

#endif
