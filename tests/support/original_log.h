/* SPDX-License-Identifier: MIT */
/*
 * original_log: what an original client has received, in order and with parsed fields: datagrams,
 * pushes, and the answers to its own messages.
 */
#ifndef SUPPORT_ORIGINAL_LOG_H
#define SUPPORT_ORIGINAL_LOG_H

#include <stdio.h>

#include "proto/hgtp.h"
#include "proto/push_text.h"

enum original_kind { ORIGINAL_DATAGRAM, ORIGINAL_PUSH, ORIGINAL_ANSWER };

struct original_event {
    enum original_kind kind;
    size_t index;  /* place in the log: what came first has the smaller one */
    int64_t at_ms; /* monotonic, when it was read */
    int64_t
        arrived_ns; /* wall clock; of a datagram: when the kernel took it, else when it was read */
    bool taken;     /* a wait has returned it; no other wait will */
    struct bytes raw; /* the datagram, or the body of the push or answer; a NUL stands behind it */

    /* ORIGINAL_DATAGRAM */
    enum hgtp_result decoded;
    struct hgtp_message msg; /* views point into `raw` */
    bool at_declared;        /* came to the declared port, not to the sending socket */
    uint32_t from_ip;
    uint16_t from_port;

    /* ORIGINAL_PUSH; PUSH_TYPE_COUNT: none that the original takes */
    enum push_type push;
    char *head;      /* request line and headers */
    bool head_exact; /* to the byte as the original writes it */
    char **names;    /* of a list, decoded */
    size_t name_count;
    char *text; /* of a notice or message, decoded; else NULL */
    char *who;  /* of a message */
    int64_t time_unix_ms;

    /* What a push was answered with, or ORIGINAL_ANSWER: what the server answered */
    int status;
};

/** Zeroed storage is an empty log. Events stay where they are until original_log_fini. */
struct original_log {
    struct original_event **events;
    size_t count;
};

/** A new event at the end, with a copy of `raw`. Owned by the log. */
struct original_event *original_log_add(struct original_log *log, enum original_kind kind,
                                        struct bytes raw);
void original_log_fini(struct original_log *log);

/** Fill the fields of a push from its raw body; false when the original would answer 500. */
bool original_log_parse_push(struct original_event *event);

/** Name of the type: "OK", "JOIN_ROOM", "notice", "answer". */
const char *original_event_name(const struct original_event *event);
/** True when the event is a list of exactly these names, given with commas between, in any order.
 */
bool original_event_lists(const struct original_event *event, const char *names);

/** Every event on a line of its own. */
void original_log_print(const struct original_log *log, FILE *out);

#endif
