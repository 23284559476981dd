/* SPDX-License-Identifier: MIT */
/*
 * request: one HGTP request on its way: decoded, asked of a script, answered, freed. Shared by
 * datagrams.c (arrival, sending), request.c (requests of a session) and request_register.c.
 */
#ifndef CORE_REQUEST_H
#define CORE_REQUEST_H

#include "core_state.h"
#include "proto/digest.h"

#define REQUEST_NAME_MAX           CONFIG_NAME_BYTES_MAX
#define REQUEST_REALM_MAX          256
#define REQUEST_TOKEN_RANDOM_BYTES 18

/* Where a message comes from, and its reply goes to. */
struct origin {
    uint32_t ip;
    uint32_t client_ip;         /* as in struct core_asker */
    uint16_t port;              /* of the datagram; 0: it did not come as one */
    core_on_reply_fn *on_reply; /* for what came otherwise; NULL: a datagram, or has been called */
    void *arg;
    void *line;         /* it came by this one; NULL: by none */
    struct bytes token; /* shown along with it; empty: none. Borrowed until a request is made */
};

/* A request whose script has not answered yet. */
struct request {
    struct core *core;
    struct origin origin;
    struct cost cost;
    struct hgtp_message msg;         /* views into `datagram` */
    char src[24];                    /* "a.b.c.d:port"; empty: it did not come as a datagram */
    char line_name[ROSTER_LINE_MAX]; /* of origin.line, if a session opens with it */
    bool is_repeated;                /* the reply was kept */
    uint8_t print[2 * DIGEST_SHA256_BYTES]; /* tells a repetition: hex of a hash */
    uint8_t token[ROSTER_TOKEN_MAX];        /* shown, or that the signature was found right with */
    size_t token_bytes;
    bool is_signed;
    uint8_t name[REQUEST_NAME_MAX]; /* decoded from the body: the room's or the user's */
    size_t name_bytes;
    uint8_t peer[REQUEST_NAME_MAX];
    size_t peer_bytes;
    uint8_t challenge[REQUEST_REALM_MAX]; /* that was proved by the original's digest */
    size_t challenge_bytes;
    char new_token[HGTP_USER_ID_BYTES + 2 * REQUEST_TOKEN_RANDOM_BYTES];
    int64_t since_us;    /* it came, as metrics_now_us */
    int32_t ahead;       /* so many numbers are left out before that of a challenge */
    int32_t reply_steps; /* the reply's sequence number is so far from the request's */
    size_t datagram_bytes;
    uint8_t datagram[];
};

/* datagrams.c */
/** Sequence numbers wrap. */
static inline int32_t datagrams_seq_after(int32_t seq, int32_t steps)
{
    return (int32_t)((uint32_t)seq + (uint32_t)steps);
}
/** Reply where the message came from. */
void datagrams_reply(struct core *core, struct origin *origin, const struct hgtp_message *msg);
/** No reply comes (any more). */
void datagrams_no_reply(struct origin *origin);
struct hgtp_header datagrams_header(struct core *core, uint8_t type, uint8_t request_type,
                                    const uint8_t *user_id, int32_t seq);
/** "a.b.c.d:port" */
void datagrams_address(uint32_t ip, uint16_t port, char text[24]);
/** The response that carries `err` and its reason to the request with header `to`. */
void datagrams_refuse(struct core *core, struct origin *origin, const struct hgtp_header *to,
                      int32_t steps, enum err err);

/* request.c */
/** A request is freed by request_finish, or by request_end after its only answer was sent. */
void request_end(struct request *request);
void request_refuse(struct request *request, enum err err);
/** Carry out what the script answered, the reply included, and end; `result` NULL: it did not
 * answer. */
void request_finish(struct request *request, const struct result *result);
/** store_on_result_fn: request_finish for `arg`, a request. */
void request_on_result(const struct result *result, void *arg);
struct bytes request_uid(const struct request *request);
/** Decode a base64 name; `ret_bytes` 0 when it can be nobody's. False when it is not base64.
 * Whether a new one may be so long is the scripts' to say. */
bool request_name(struct bytes base64, uint8_t *storage, size_t *ret_bytes);
/** The realm of a challenge, "REALM:challenge". False when there is none, or it is longer than can
 * be. */
bool request_realm(const struct core *core, struct bytes challenge, struct sink *out);
/** Start the arguments with what every request's script gets. */
void request_args(struct request *request, struct script_args *args);
/** What gets a client out of a room, and what it answers, is never refused for what it costs: it
 * would leave the original's client stuck. */
bool request_is_leaving(uint8_t type);
/** The request is refused and over where its speaker may not ask now. */
/** Find out who pays for it, and take what it costs at the least; false: he has not got it, and it
 * is refused and over. */
bool request_pay(struct request *request);
void request_call(struct request *request, enum script script, const struct script_args *args,
                  store_on_result_fn *on_result);
/** Begin a request: find out whether it is signed, then have the script decide. */
void request_check_signature(struct request *request);

/* request_register.c */
/** What has been found about the session of `uid`, at whose address this one is: dead, alive or
 * unknown. */
void request_rival_seen(struct request *request, struct bytes uid, const char *verdict);
/** Begin a REGISTER, first or second: what needs no state is checked. */
void request_register(struct request *request);
/** Whose signature, if there is one, is settled: have the script decide. */
void request_register_ask(struct request *request);

#endif
