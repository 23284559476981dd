/* SPDX-License-Identifier: MIT */
/*
 * talk_register: two requests and their answers. When to try again is the owner's.
 */
#include "admin/talk/talk_register.h"

#include "admin/talk/talk_body.h"
#include "proto/digest.h"

static void talk_register_refused(const struct talk_register *reg, const struct talk_answer *answer)
{
    bool is_passing = answer->msg->header.type == HGTP_SERVER_UNAVAILABLE ||
                      answer->reason == ERR_NOT_CHALLENGED; /* the challenge has run out */
    reg->on_end(reg->ctx, is_passing ? TALK_REGISTER_LATER : TALK_REGISTER_REFUSED, answer);
}

static void talk_register_on_answer(const struct talk_answer *answer, void *arg)
{
    const struct talk_register *reg = arg;
    struct bytes token;
    if (answer == NULL) {
        return;
    }
    if (answer->msg == NULL) {
        reg->on_end(reg->ctx, TALK_REGISTER_UNANSWERED, NULL);
    } else if (answer->msg->header.type != HGTP_OK) {
        talk_register_refused(reg, answer);
    } else if (!hgtp_token_decode(answer->msg->body, &token) || token.len == 0 ||
               token.len > TALK_ASK_TOKEN_MAX) {
        reg->on_end(reg->ctx, TALK_REGISTER_NO_TOKEN, NULL);
    } else {
        memcpy(reg->ask->token, token.ptr, token.len);
        reg->ask->token[token.len] = '\0';
        reg->on_end(reg->ctx, TALK_REGISTERED, answer);
    }
}

static void talk_register_on_challenge(const struct talk_answer *answer, void *arg)
{
    struct talk_register *reg = arg;
    if (answer == NULL || answer->msg == NULL || answer->msg->header.type != HGTP_UNAUTHORIZED) {
        talk_register_on_answer(answer, arg);
        return;
    }
    uint8_t storage[128], mac[DIGEST_SHA256_BYTES];
    struct sink body = sink_into(storage, sizeof storage);
    digest_hmac_sha256(bytes_str(reg->key), answer->msg->challenge.realm, mac);
    talk_body_put_no_address(&body, reg->expires_s);
    sink_be32(&body, sizeof mac);
    sink_put(&body, bytes_of(mac, sizeof mac));
    talk_ask_put(reg->ask, HGTP_REGISTER, sink_bytes(&body), TALK_ASK_PROOF_STEP,
                 talk_register_on_answer, reg);
}

bool talk_register_begin(struct talk_register *reg)
{
    uint8_t storage[HGTP_BODY_MAX];
    struct sink body = sink_into(storage, sizeof storage);
    talk_body_put_no_address(&body, reg->expires_s);
    talk_body_put_name(&body, reg->name);
    reg->ask->token[0] = '\0';
    if (sink_fits(&body)) {
        talk_ask_put(reg->ask, HGTP_REGISTER, sink_bytes(&body), TALK_ASK_STEP,
                     talk_register_on_challenge, reg);
    }
    return sink_fits(&body);
}
