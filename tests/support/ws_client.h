/* SPDX-License-Identifier: MIT */
/*
 * ws_client: a WebSocket client (RFC 6455) that shares nothing with the product's codec. It can
 * break every rule when it sends; when it receives it forgives nothing: the first rule that the
 * server breaks is kept in `broken`. One thread; whatever waits pumps all clients.
 */
#ifndef SUPPORT_WS_CLIENT_H
#define SUPPORT_WS_CLIENT_H

#include <jansson.h>
#include <stdio.h>

#include "pump.h"
#include "sockets.h"

#define WS_CLIENT_WAIT_MS 5000

/* The first byte of a frame: flags and opcode. */
#define WS_CLIENT_FIN  0x80
#define WS_CLIENT_RSV1 0x40
#define WS_CLIENT_RSV2 0x20
#define WS_CLIENT_RSV3 0x10

enum ws_client_opcode {
    WS_CLIENT_CONTINUATION = 0,
    WS_CLIENT_TEXT = 1,
    WS_CLIENT_BINARY = 2,
    WS_CLIENT_CLOSE = 8,
    WS_CLIENT_PING = 9,
    WS_CLIENT_PONG = 10,
};

/* What a close code says when there was none to read, as in RFC 6455 section 7.4.1. */
#define WS_CLIENT_NO_CODE  1005 /* a close frame without a code */
#define WS_CLIENT_NO_CLOSE 1006 /* the connection ended without a close frame */

/** One message or control frame that has come; fragments are put together. */
struct ws_client_message {
    size_t index;
    enum ws_client_opcode kind;
    struct bytes payload; /* of all but texts; NUL follows */
    json_t *json;         /* of a text: always an object */
    bool taken;           /* a wait has returned it */
    int64_t at_ms;
};

struct ws_client_options {
    uint16_t port;         /* of 127.0.0.1 */
    const char *target;    /* NULL: "/ws" */
    const char *protocols; /* offered; NULL: none */
    const char *origin;    /* NULL: none */
    const char *headers;   /* more of them, each with its CRLF; NULL: none */
    struct bytes behind;   /* sent in one piece with the handshake */
    int receive_bytes;     /* what the kernel may keep for it; 0: as the kernel likes */
    bool answers_nothing;  /* neither pings nor a close */
    /** Called for each message after it has been logged; may be NULL. */
    void (*on_message)(const struct ws_client_message *message, void *arg);
    void *arg;
};

/** Tests may read everything here. */
struct ws_client {
    struct ws_client_options options;
    int status;         /* of the answer to the handshake; 0: none came */
    char *head;         /* of that answer */
    char *body;         /* of a refusal; NULL: none */
    bool ended;         /* there is no TCP connection any more */
    int close_code;     /* of the server's close frame; 0: none yet */
    const char *broken; /* the rule that the server broke; NULL: none */
    struct ws_client_message **messages;
    size_t count;

    /* Inside */
    struct pump_watch watch;
    struct queue in, out;
    struct queue fragments;
    enum ws_client_opcode fragments_kind; /* CONTINUATION: no fragments wait for more */
    char key[32];
    bool close_sent, stalled;
    size_t taken_below; /* all messages before it are taken */
};

/** Connect and send the handshake. Never NULL. */
struct ws_client *ws_client_start(const struct ws_client_options *options);
/** The same, and wait for the answer, whatever it is; see `status`. */
struct ws_client *ws_client_open(const struct ws_client_options *options);
/** The status, when it has come; 0: none came. */
int ws_client_wait_answer(struct ws_client *client);
/** The TCP connection ends without a word. What has come stays. */
void ws_client_drop(struct ws_client *client);
/** NULL is legal. */
void ws_client_free(struct ws_client *client);

/** Everything that has come, for people. */
void ws_client_print(const struct ws_client *client, FILE *out);

/* Sending -------------------------------------------------------------------------------------- */

/** Append one frame; `first` is its first byte as it is. */
void ws_client_put_frame(struct queue *out, uint8_t first, bool is_masked, struct bytes payload);

void ws_client_send_raw(struct ws_client *client, struct bytes in);
/** Each byte for itself, with time for the server to read it. */
void ws_client_send_slowly(struct ws_client *client, struct bytes in);
/** Masked, as it has to be. */
void ws_client_send_frame(struct ws_client *client, uint8_t first, struct bytes payload);
void ws_client_send_text(struct ws_client *client, const char *text);
void ws_client_send_json(struct ws_client *client, json_t *object); /* takes the reference */
/** Code 0: a close frame without one. */
void ws_client_send_close(struct ws_client *client, int code, const char *reason);

/** Stop reading, or go on. While it does not read, nothing is noticed but the end. */
void ws_client_stall(struct ws_client *client, bool is_stalled);

/* Waits: the first message that fits and was not taken yet, or NULL at the deadline or when the
 * connection has ended without it. --------------------------------------------------------------
 */

typedef bool ws_client_fits_fn(const struct ws_client_message *message, const void *arg);

const struct ws_client_message *ws_client_wait(struct ws_client *client, ws_client_fits_fn *fits,
                                               const void *arg, int64_t timeout_ms);
/** Binary, ping, pong. */
const struct ws_client_message *ws_client_wait_kind(struct ws_client *client,
                                                    enum ws_client_opcode kind);
/** A text whose member "type" is this. */
const json_t *ws_client_wait_type(struct ws_client *client, const char *type);
/** The server's close code, or one of the two above; 0: it is not closed at the deadline. */
int ws_client_wait_close(struct ws_client *client, int64_t timeout_ms);

bool ws_client_is_type(const struct ws_client_message *message, const void *type);

#endif
