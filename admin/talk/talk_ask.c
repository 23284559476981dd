/* SPDX-License-Identifier: MIT */
/*
 * talk_ask: numbers, timestamps, signatures, repetition. A server takes a signed request only if
 * its timestamp is later than that of the one before, and datagrams may overtake each other: hence
 * one at a time. What a request means, and its body, is the business of who asks.
 */
#include "admin/talk/talk_ask.h"

#include <stdlib.h>

#include "proto/digest.h"

/* The server waits for Redis up to a second. */
static const int64_t talk_ask_wait_ms[TALK_ASK_TRIES + 1] = {500, 1000, 1500, 2000};

struct talk_ask_request {
    struct talk_ask_request *next;
    enum hgtp_type type;
    int32_t seq_step;
    int32_t seq;
    talk_ask_on_answer_fn *on_answer;
    void *arg;
    unsigned sent_count;
    int64_t due_ms;
    size_t datagram_bytes; /* 0: it was not sent yet */
    uint8_t datagram[HGTP_DATAGRAM_MAX];
    size_t body_bytes;
    uint8_t body[];
};

void talk_ask_init(struct talk_ask *ask, talk_ask_send_fn *send, void *ctx)
{
    *ask = (struct talk_ask){.send = send, .ctx = ctx};
}

static void talk_ask_end(struct talk_ask_request *request, const struct talk_answer *answer)
{
    talk_ask_on_answer_fn *on_answer = request->on_answer;
    void *arg = request->arg;
    free(request);
    on_answer(answer, arg);
}

static void talk_ask_drop_list(struct talk_ask_request **list)
{
    while (*list != NULL) {
        struct talk_ask_request *request = *list;
        *list = request->next;
        talk_ask_end(request, NULL);
    }
}

void talk_ask_fini(struct talk_ask *ask)
{
    talk_ask_drop_list(&ask->waiting);
    talk_ask_drop_list(&ask->active);
    talk_ask_drop_list(&ask->parked);
    talk_ask_drop_list(&ask->given_up);
}

void talk_ask_put(struct talk_ask *ask, enum hgtp_type type, struct bytes body, int32_t seq_step,
                  talk_ask_on_answer_fn *on_answer, void *arg)
{
    struct talk_ask_request *request = calloc(1, sizeof *request + body.len);
    if (request == NULL) {
        abort();
    }
    request->type = type;
    request->seq_step = seq_step;
    request->on_answer = on_answer;
    request->arg = arg;
    request->body_bytes = body.len;
    if (body.len > 0) {
        memcpy(request->body, body.ptr, body.len);
    }
    struct talk_ask_request **place = &ask->waiting;
    while (type != HGTP_REGISTER && *place != NULL) {
        place = &(*place)->next;
    }
    request->next = *place;
    *place = request;
}

bool talk_ask_put_again(struct talk_ask *ask)
{
    struct talk_ask_request *request = ask->given_up;
    if (request == NULL) {
        return false;
    }
    ask->given_up = NULL;
    request->sent_count = 0;
    request->next = ask->waiting;
    ask->waiting = request;
    return true;
}

/* Sending -------------------------------------------------------------------------------------- */

static uint32_t talk_ask_timestamp(struct talk_ask *ask, int64_t now_unix_ms)
{
    uint32_t now_ms = (uint32_t)now_unix_ms;
    if (ask->timestamp_ms != 0 && (int32_t)(now_ms - ask->timestamp_ms) <= 0) {
        now_ms = ask->timestamp_ms + 1;
    }
    ask->timestamp_ms = now_ms;
    return now_ms;
}

static void talk_ask_put_header(struct talk_ask *ask, uint8_t type, uint8_t request_type,
                                int32_t seq, size_t body_bytes, int64_t now_unix_ms,
                                struct sink *out)
{
    sink_text(out, "HS");
    sink_u8(out, type);
    sink_u8(out, request_type);
    sink_put(out, bytes_of(ask->user_id, sizeof ask->user_id));
    sink_be32(out, (uint32_t)seq);
    sink_be32(out, talk_ask_timestamp(ask, now_unix_ms));
    sink_be32(out, (uint32_t)body_bytes);
}

/* False: it is too long for a datagram. */
static bool talk_ask_encode(struct talk_ask *ask, struct talk_ask_request *request,
                            int64_t now_unix_ms)
{
    struct sink out = sink_into(request->datagram, sizeof request->datagram);
    ask->seq = (int32_t)((uint32_t)ask->seq + (uint32_t)request->seq_step);
    request->seq = ask->seq;
    talk_ask_put_header(ask, (uint8_t)request->type, (uint8_t)request->type, request->seq,
                        request->body_bytes, now_unix_ms, &out);
    sink_put(&out, bytes_of(request->body, request->body_bytes));
    if (out.len + HGTP_SIGNATURE_BYTES > sizeof request->datagram) {
        return false;
    }
    if (request->type != HGTP_REGISTER) {
        digest_sign(bytes_str(ask->token), &out);
    }
    request->datagram_bytes = out.len;
    return true;
}

static bool talk_ask_is_relayed(enum hgtp_type type)
{
    return type == HGTP_INVITE_USER_FROM_ROOM || type == HGTP_REMOVE_USER_FROM_ROOM;
}

/* False: it was sent by all ways that there are. */
static bool talk_ask_send(struct talk_ask *ask, int64_t now_ms)
{
    struct talk_ask_request *request = ask->active;
    unsigned attempt = request->sent_count;
    if (attempt > TALK_ASK_TRIES ||
        !ask->send(ask->ctx, attempt, bytes_of(request->datagram, request->datagram_bytes))) {
        return false;
    }
    request->sent_count++;
    request->due_ms = now_ms + talk_ask_wait_ms[attempt];
    return true;
}

/* The first that may be sent becomes the active one. */
static void talk_ask_begin(struct talk_ask *ask, int64_t now_ms, int64_t now_unix_ms)
{
    struct talk_ask_request *request = ask->waiting;
    if (ask->active != NULL || request == NULL ||
        (ask->token[0] == '\0' && request->type != HGTP_REGISTER)) {
        return;
    }
    ask->waiting = request->next;
    request->next = NULL;
    if (request->datagram_bytes == 0 && !talk_ask_encode(ask, request, now_unix_ms)) {
        struct talk_answer answer = {.reason = ERR_MALFORMED, .text = "the name is too long"};
        talk_ask_end(request, &answer);
        return;
    }
    ask->active = request;
    (void)talk_ask_send(ask, now_ms);
}

/* It is kept for talk_ask_put_again. */
static void talk_ask_give_up(struct talk_ask *ask, struct talk_ask_request *request,
                             const struct talk_answer *answer)
{
    talk_ask_drop_list(&ask->given_up);
    ask->given_up = request;
    request->on_answer(answer, request->arg);
}

static void talk_ask_late(struct talk_ask *ask, int64_t now_ms)
{
    struct talk_ask_request *request = ask->active;
    if (talk_ask_send(ask, now_ms)) {
        return;
    }
    const struct talk_answer none = {.text = "no answer"};
    ask->active = NULL;
    if (talk_ask_is_relayed(request->type)) {
        request->due_ms = now_ms + TALK_ASK_PEER_MS;
        request->next = ask->parked;
        ask->parked = request;
    } else if (request->type == HGTP_REGISTER) {
        talk_ask_give_up(ask, request, &none);
    } else {
        talk_ask_end(request, &none);
    }
}

static struct talk_ask_request **talk_ask_parked_late(struct talk_ask *ask, int64_t now_ms)
{
    struct talk_ask_request **place = &ask->parked;
    while (*place != NULL && (*place)->due_ms > now_ms) {
        place = &(*place)->next;
    }
    return place;
}

void talk_ask_turn(struct talk_ask *ask, int64_t now_ms, int64_t now_unix_ms)
{
    if (ask->active != NULL && ask->active->due_ms <= now_ms) {
        talk_ask_late(ask, now_ms);
    }
    for (struct talk_ask_request **place = talk_ask_parked_late(ask, now_ms); *place != NULL;
         place = talk_ask_parked_late(ask, now_ms)) {
        struct talk_ask_request *request = *place;
        const struct talk_answer none = {.text = "no answer"};
        *place = request->next;
        talk_ask_end(request, &none);
    }
    talk_ask_begin(ask, now_ms, now_unix_ms);
}

int64_t talk_ask_due_ms(const struct talk_ask *ask)
{
    int64_t due_ms = INT64_MAX;
    for (const struct talk_ask_request *one = ask->parked; one != NULL; one = one->next) {
        due_ms = one->due_ms < due_ms ? one->due_ms : due_ms;
    }
    if (ask->active != NULL) {
        return ask->active->due_ms < due_ms ? ask->active->due_ms : due_ms;
    }
    bool may_begin =
        ask->waiting != NULL && (ask->token[0] != '\0' || ask->waiting->type == HGTP_REGISTER);
    return may_begin ? 0 : due_ms;
}

/* Answers -------------------------------------------------------------------------------------- */

static bool talk_ask_fits(const struct talk_ask_request *request, const struct hgtp_header *header)
{
    uint32_t distance = (uint32_t)header->seq - (uint32_t)request->seq;
    return header->request_type == request->type &&
           (distance == 1 || (distance == 3 && talk_ask_is_relayed(request->type)));
}

static struct talk_ask_request **talk_ask_find(struct talk_ask *ask,
                                               const struct hgtp_header *header)
{
    if (ask->active != NULL && talk_ask_fits(ask->active, header)) {
        return &ask->active;
    }
    struct talk_ask_request **place = &ask->parked;
    while (*place != NULL && !talk_ask_fits(*place, header)) {
        place = &(*place)->next;
    }
    return place;
}

static void talk_ask_explain(const struct hgtp_message *msg, struct talk_answer *answer)
{
    struct hgtp_reason reason;
    if (msg->header.type == HGTP_OK || msg->header.type == HGTP_UNAUTHORIZED ||
        !hgtp_reason_decode(msg->body, &reason)) {
        return;
    }
    size_t len = reason.text.len < TALK_ASK_TEXT_MAX ? reason.text.len : TALK_ASK_TEXT_MAX;
    answer->reason = (enum err)reason.code;
    if (len > 0) {
        memcpy(answer->text, reason.text.ptr, len);
    }
}

/* A REGISTER that the service could not decide on may have been done all the same: the same once
 * more finds out, a new one would find the name taken. */
static bool talk_ask_is_undecided(const struct talk_ask_request *request,
                                  const struct talk_answer *answer)
{
    return request->type == HGTP_REGISTER && answer->msg->header.type == HGTP_SERVER_UNAVAILABLE &&
           answer->reason != ERR_USERS_FULL;
}

bool talk_ask_take(struct talk_ask *ask, struct bytes message)
{
    struct hgtp_message msg;
    if (hgtp_decode(message, &msg) != HGTP_DECODED || hgtp_type_is_request(msg.header.type) ||
        memcmp(msg.header.user_id, ask->user_id, sizeof ask->user_id) != 0) {
        return false;
    }
    struct talk_ask_request **place = talk_ask_find(ask, &msg.header);
    struct talk_ask_request *request = *place;
    if (request == NULL) {
        return false;
    }
    *place = request->next;
    struct talk_answer answer = {.msg = &msg};
    talk_ask_explain(&msg, &answer);
    if (talk_ask_is_undecided(request, &answer)) {
        talk_ask_give_up(ask, request, &answer);
    } else {
        talk_ask_end(request, &answer);
    }
    return true;
}

bool talk_ask_is_busy(const struct talk_ask *ask, bool with_parked)
{
    return ask->waiting != NULL || ask->active != NULL || (with_parked && ask->parked != NULL);
}

void talk_ask_answer(struct talk_ask *ask, const struct hgtp_header *relay, enum hgtp_type type,
                     int64_t now_unix_ms, struct sink *out)
{
    talk_ask_put_header(ask, (uint8_t)type, relay->type, (int32_t)((uint32_t)relay->seq + 1), 0,
                        now_unix_ms, out);
}
