/* SPDX-License-Identifier: MIT */
/*
 * talk_ask: HGTP requests, one after the other: signed with the session's token, sent again with
 * the same bytes until they are answered, given up after three tries. Without I/O: time is passed
 * in, datagrams go to the owner's function.
 */
#ifndef ADMIN_TALK_TALK_ASK_H
#define ADMIN_TALK_TALK_ASK_H

#include "proto/err.h"
#include "proto/hgtp.h"

#define TALK_ASK_TRIES     3 /* by datagram */
#define TALK_ASK_TOKEN_MAX 127
#define TALK_ASK_TEXT_MAX  255

/* How long an INVITE or a REMOVE that was sent three times may still be answered: the server waits
 * for a person (hgtp.answer_ms). */
#define TALK_ASK_PEER_MS 60000

/** What became of a request. */
struct talk_answer {
    const struct hgtp_message *msg;   /* NULL: nobody has answered */
    enum err reason;                  /* why it is refused; ERR_NONE: the response does not say */
    char text[TALK_ASK_TEXT_MAX + 1]; /* the same in words of the server; may be empty */
};
/** `answer` NULL: the queue ends, nothing may be asked any more; `arg` can be freed. */
typedef void talk_ask_on_answer_fn(const struct talk_answer *answer, void *arg);

/** `attempt`: 0 for the first time that these bytes are sent; TALK_ASK_TRIES: datagrams do not get
 * through. False: there is no way for that attempt. */
typedef bool talk_ask_send_fn(void *ctx, unsigned attempt, struct bytes message);

struct talk_ask_request;

struct talk_ask {
    talk_ask_send_fn *send;
    void *ctx;
    uint8_t user_id[HGTP_USER_ID_BYTES]; /* of the session; whoever registers sets it */
    char token[TALK_ASK_TOKEN_MAX + 1];  /* empty: nothing but REGISTER is sent */
    /* The rest is private. */
    int32_t seq;
    uint32_t timestamp_ms;
    struct talk_ask_request *waiting;  /* in their order */
    struct talk_ask_request *active;   /* the one that is being sent */
    struct talk_ask_request *parked;   /* sent often enough; a person's answer is waited for */
    struct talk_ask_request *given_up; /* a REGISTER that nobody has answered */
};

void talk_ask_init(struct talk_ask *ask, talk_ask_send_fn *send, void *ctx);
/** What was not answered is dropped, see talk_ask_on_answer_fn. */
void talk_ask_fini(struct talk_ask *ask);

/**
 * Ask when those before have been answered. A REGISTER goes before all others.
 *
 * body       encoded; copied
 * seq_step   distance of its number from that of the request before: 2 for the second REGISTER
 * on_answer  called once, from talk_ask_take, talk_ask_turn or talk_ask_fini
 */
#define TALK_ASK_STEP       10 /* leaves room for a relay's numbers */
#define TALK_ASK_PROOF_STEP 2
void talk_ask_put(struct talk_ask *ask, enum hgtp_type type, struct bytes body, int32_t seq_step,
                  talk_ask_on_answer_fn *on_answer, void *arg);

/**
 * Ask once more, byte for byte, what the REGISTER asked that was given up last: a server that has
 * answered it answers the same again. False: it is not so that the last one was given up.
 */
bool talk_ask_put_again(struct talk_ask *ask);

/** Send what is due, give up what is late. */
void talk_ask_turn(struct talk_ask *ask, int64_t now_ms, int64_t now_unix_ms);
/** When the next turn is needed: a time, 0 for now, or INT64_MAX. */
int64_t talk_ask_due_ms(const struct talk_ask *ask);

/** A response has come, by whichever way. False: it answers nothing that was asked. */
bool talk_ask_take(struct talk_ask *ask, struct bytes message);

/** True while something was not answered; `with_parked`: or waits for a person. */
bool talk_ask_is_busy(const struct talk_ask *ask, bool with_parked);

/** Append the answer to a request that the server has relayed, unsigned: for the session's own
 * line.
 */
void talk_ask_answer(struct talk_ask *ask, const struct hgtp_header *relay, enum hgtp_type type,
                     int64_t now_unix_ms, struct sink *out);

#endif
