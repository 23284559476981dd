/* SPDX-License-Identifier: MIT */
/*
 * sse_client: reads a stream of server-sent events (text/event-stream) as a browser's EventSource
 * does, but forgives nothing: the first rule that the server breaks is kept in `broken`. It does
 * not reconnect by itself.
 */
#ifndef SUPPORT_SSE_CLIENT_H
#define SUPPORT_SSE_CLIENT_H

#include <jansson.h>
#include <stdio.h>

#include "pump.h"
#include "sockets.h"

#define SSE_CLIENT_WAIT_MS 5000

struct sse_client_event {
    size_t index;
    char *event; /* "message" when it was not named */
    char *data;
    char *id;     /* of this event; NULL: it had none */
    json_t *json; /* of the data, when that is an object */
    bool taken;
};

struct sse_client_options {
    uint16_t port;       /* of 127.0.0.1 */
    const char *target;  /* "/events?token=..." */
    const char *last_id; /* Last-Event-ID; NULL: none */
    const char *headers; /* more of them, each with its CRLF; NULL: none */
    /** Called for each event after it has been logged; may be NULL. */
    void (*on_event)(const struct sse_client_event *event, void *arg);
    void *arg;
};

/** Tests may read everything here. */
struct sse_client {
    struct sse_client_options options;
    int status;         /* 0: no answer came */
    char *head;         /* of the answer */
    char *body;         /* of a refusal */
    bool ended;         /* there is no connection any more */
    char last_id[64];   /* as EventSource remembers it */
    size_t comments;    /* lines that begin with a colon */
    const char *broken; /* the rule that the server broke; NULL: none */
    struct sse_client_event **events;
    size_t count;

    /* Inside */
    struct pump_watch watch;
    struct queue in;   /* as it came */
    struct queue text; /* without the transfer coding */
    bool is_chunked;
    char *event, *id;
    struct queue data;
    bool has_data;
};

/** Connect, ask, and wait for the head of the answer. Never NULL. */
struct sse_client *sse_client_open(const struct sse_client_options *options);
void sse_client_drop(struct sse_client *client);
/** NULL is legal. */
void sse_client_free(struct sse_client *client);
void sse_client_print(const struct sse_client *client, FILE *out);

/** True when the head of the answer has this header with exactly this value. */
bool sse_client_has_header(const struct sse_client *client, const char *name, const char *value);

typedef bool sse_client_fits_fn(const struct sse_client_event *event, const void *arg);

/** The first event that fits and was not taken yet; NULL at the deadline or at the end. */
const struct sse_client_event *sse_client_wait(struct sse_client *client, sse_client_fits_fn *fits,
                                               const void *arg, int64_t timeout_ms);
/** One whose JSON has this member "type". */
const json_t *sse_client_wait_type(struct sse_client *client, const char *type);
/** One with this name. */
const struct sse_client_event *sse_client_wait_event(struct sse_client *client, const char *event);
/** So many comments have come since the beginning. */
bool sse_client_wait_comments(struct sse_client *client, size_t count, int64_t timeout_ms);
bool sse_client_wait_end(struct sse_client *client, int64_t timeout_ms);

#endif
