/* SPDX-License-Identifier: MIT */
/*
 * talk_register: two requests and their answers. When to try again is the owner's.
 */
#include "admin/talk/talk_register.h"

#include "admin/talk/talk_body.h"
#include "admin/talk/talk_net.h"
#include "proto/base64.h"
#include "proto/digest.h"

static void talk_register_refused(const struct talk_register *reg, const struct talk_answer *answer,
                                  bool is_proved)
{
    bool is_passing = answer->msg->header.type == HGTP_SERVER_UNAVAILABLE ||
                      answer->reason == ERR_NOT_CHALLENGED || /* the challenge has run out */
                      answer->reason == ERR_CHALLENGE_USED;
    bool is_elsewhere = answer->reason == ERR_NAME_TAKEN && is_proved && !reg->takes_over;
    reg->on_end(reg->ctx,
                is_passing     ? TALK_REGISTER_LATER
                : is_elsewhere ? TALK_REGISTER_ELSEWHERE
                               : TALK_REGISTER_REFUSED,
                answer);
}

/* A token begins with the session's user id, in the alphabet of URLs. It is not the one that was
 * sent when a session was taken over. */
static void talk_register_take_token(struct talk_ask *ask, struct bytes token)
{
    memcpy(ask->token, token.ptr, token.len);
    ask->token[token.len] = '\0';
    for (size_t i = 0; i < sizeof ask->user_id; i++) {
        uint8_t one = token.ptr[i];
        ask->user_id[i] = one == '-' ? '+' : one == '_' ? '/' : one;
    }
}

static void talk_register_end(const struct talk_register *reg, const struct talk_answer *answer,
                              bool is_proved)
{
    struct bytes token;
    if (answer->msg == NULL) {
        reg->on_end(reg->ctx, TALK_REGISTER_UNANSWERED, NULL);
    } else if (answer->msg->header.type != HGTP_OK) {
        talk_register_refused(reg, answer, is_proved);
    } else if (!hgtp_token_decode(answer->msg->body, &token) ||
               token.len < sizeof reg->ask->user_id || token.len > TALK_ASK_TOKEN_MAX) {
        reg->on_end(reg->ctx, TALK_REGISTER_NO_TOKEN, NULL);
    } else {
        talk_register_take_token(reg->ask, token);
        reg->on_end(reg->ctx, TALK_REGISTERED, answer);
    }
}

static void talk_register_on_answer(const struct talk_answer *answer, void *arg)
{
    if (answer != NULL) {
        talk_register_end(arg, answer, true);
    }
}

static void talk_register_on_challenge(const struct talk_answer *answer, void *arg)
{
    struct talk_register *reg = arg;
    if (answer == NULL) {
        return;
    }
    if (answer->msg == NULL || answer->msg->header.type != HGTP_UNAUTHORIZED) {
        talk_register_end(reg, answer, false);
        return;
    }
    uint8_t storage[128], mac[DIGEST_SHA256_BYTES];
    struct sink body = sink_into(storage, sizeof storage);
    digest_hmac_sha256(bytes_str(reg->key), answer->msg->challenge.realm, mac);
    talk_body_put_no_address(&body, reg->expires_s);
    sink_be32(&body, sizeof mac);
    sink_put(&body, bytes_of(mac, sizeof mac));
    talk_body_put_takes_over(&body, reg->takes_over);
    talk_ask_put(reg->ask, HGTP_REGISTER, sink_bytes(&body), TALK_ASK_PROOF_STEP,
                 talk_register_on_answer, reg);
}

/* Each session has its own: one that has gone to somebody else must not be taken for it. */
static void talk_register_new_user_id(struct talk_ask *ask)
{
    uint8_t noise[HGTP_USER_ID_BYTES * 3 / 4];
    struct sink out = sink_into(ask->user_id, sizeof ask->user_id);
    talk_net_random(noise, sizeof noise);
    base64_encode(bytes_of(noise, sizeof noise), &out);
}

bool talk_register_begin(struct talk_register *reg)
{
    uint8_t storage[HGTP_BODY_MAX];
    struct sink body = sink_into(storage, sizeof storage);
    talk_body_put_no_address(&body, reg->expires_s);
    talk_body_put_name(&body, reg->name);
    talk_body_put_takes_over(&body, reg->takes_over);
    reg->ask->token[0] = '\0';
    if (talk_ask_put_again(reg->ask)) {
        return true;
    }
    talk_register_new_user_id(reg->ask);
    if (sink_fits(&body)) {
        talk_ask_put(reg->ask, HGTP_REGISTER, sink_bytes(&body), TALK_ASK_STEP,
                     talk_register_on_challenge, reg);
    }
    return sink_fits(&body);
}
