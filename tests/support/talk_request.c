/* SPDX-License-Identifier: MIT */
/*
 * talk_request: encodes what a modern client asks. It sends nothing and keeps nothing but numbers
 * and time.
 */
#include "talk_request.h"

#include <assert.h>
#include <sys/random.h>

#include "proto/base64.h"
#include "proto/digest.h"
#include "pump.h"

#define TALK_REQUEST_EXPIRES_S 3600
/* A relay's messages carry the request's number + 1, + 2 and + 3. */
#define TALK_REQUEST_SEQ_STEP 10

static void talk_request_make_id(char *out, size_t random_bytes)
{
    uint8_t noise[16];
    assert(random_bytes <= sizeof noise);
    ssize_t got = getrandom(noise, random_bytes, 0);
    assert(got == (ssize_t)random_bytes);
    struct sink sink = sink_into(out, random_bytes / 3 * 4);
    base64_encode(bytes_of(noise, random_bytes), &sink);
    out[sink.len] = '\0';
}

void talk_request_init(struct talk_speaker *speaker)
{
    *speaker = (struct talk_speaker){.last_timestamp_ms = (uint32_t)pump_now_unix_ms() - 1};
    talk_request_make_id(speaker->user_id, 6);
}

void talk_request_room_id(char *ret_id)
{
    talk_request_make_id(ret_id, 9);
}

static uint32_t talk_request_timestamp(struct talk_speaker *speaker)
{
    uint32_t now_ms = (uint32_t)pump_now_unix_ms();
    if ((int32_t)(now_ms - speaker->last_timestamp_ms) <= 0) {
        now_ms = speaker->last_timestamp_ms + 1;
    }
    speaker->last_timestamp_ms = now_ms;
    return now_ms;
}

void talk_request_put(struct talk_speaker *speaker, enum hgtp_type type, uint8_t request_type,
                      int32_t seq, struct bytes body, struct sink *out)
{
    sink_text(out, "HS");
    sink_u8(out, (uint8_t)type);
    sink_u8(out, request_type);
    sink_put(out, bytes_of(speaker->user_id, HGTP_USER_ID_BYTES));
    sink_be32(out, (uint32_t)seq);
    sink_be32(out, talk_request_timestamp(speaker));
    sink_be32(out, (uint32_t)body.len);
    sink_put(out, body);
    assert(sink_fits(out));
}

static int32_t talk_request_finish(struct talk_speaker *speaker, enum hgtp_type type,
                                   const struct sink *body, struct sink *out)
{
    assert(sink_fits(body));
    speaker->seq += TALK_REQUEST_SEQ_STEP;
    talk_request_put(speaker, type, (uint8_t)type, speaker->seq, sink_bytes(body), out);
    return speaker->seq;
}

static void talk_request_body_name(struct sink *body, const char *name)
{
    sink_be32(body, (uint32_t)base64_encoded_bytes(strlen(name)));
    base64_encode(bytes_str(name), body);
}

/* No address: it attaches instead. */
static void talk_request_body_register(struct sink *body)
{
    sink_be64(body, TALK_REQUEST_EXPIRES_S);
    sink_be64(body, 0);
    sink_be16(body, 0);
}

static void talk_request_body_flags(const struct talk_speaker *speaker, struct sink *body)
{
    if (speaker->flags != 0) {
        sink_be16(body, speaker->flags);
    }
}

int32_t talk_request_register(struct talk_speaker *speaker, const char *name, struct sink *out)
{
    uint8_t storage[HGTP_BODY_MAX];
    struct sink body = sink_into(storage, sizeof storage);
    talk_request_body_register(&body);
    talk_request_body_name(&body, name);
    talk_request_body_flags(speaker, &body);
    return talk_request_finish(speaker, HGTP_REGISTER, &body, out);
}

int32_t talk_request_proof(struct talk_speaker *speaker, struct bytes realm, const char *key,
                           struct sink *out)
{
    uint8_t storage[HGTP_BODY_MAX], mac[DIGEST_SHA256_BYTES];
    struct sink body = sink_into(storage, sizeof storage);
    digest_hmac_sha256(bytes_str(key), realm, mac);
    talk_request_body_register(&body);
    sink_be32(&body, sizeof mac);
    sink_put(&body, bytes_of(mac, sizeof mac));
    talk_request_body_flags(speaker, &body);
    speaker->seq += 2;
    talk_request_put(speaker, HGTP_REGISTER, HGTP_REGISTER, speaker->seq, sink_bytes(&body), out);
    return speaker->seq;
}

int32_t talk_request_room(struct talk_speaker *speaker, enum hgtp_type type, const char *room_id,
                          const char *room, struct sink *out)
{
    uint8_t storage[HGTP_BODY_MAX];
    struct sink body = sink_into(storage, sizeof storage);
    sink_text(&body, room_id);
    talk_request_body_name(&body, room);
    return talk_request_finish(speaker, type, &body, out);
}

int32_t talk_request_name(struct talk_speaker *speaker, enum hgtp_type type, const char *room,
                          struct sink *out)
{
    uint8_t storage[HGTP_BODY_MAX];
    struct sink body = sink_into(storage, sizeof storage);
    talk_request_body_name(&body, room);
    return talk_request_finish(speaker, type, &body, out);
}

int32_t talk_request_peer(struct talk_speaker *speaker, enum hgtp_type type, const char *room,
                          const char *peer, struct sink *out)
{
    uint8_t storage[HGTP_BODY_MAX];
    struct sink body = sink_into(storage, sizeof storage);
    talk_request_body_name(&body, room);
    talk_request_body_name(&body, peer);
    return talk_request_finish(speaker, type, &body, out);
}

int32_t talk_request_plain(struct talk_speaker *speaker, enum hgtp_type type, struct sink *out)
{
    const struct sink body = sink_into(NULL, 0);
    return talk_request_finish(speaker, type, &body, out);
}

bool talk_request_answered(const struct hgtp_header *response, uint8_t request_type, int32_t seq)
{
    bool is_relayed =
        request_type == HGTP_INVITE_USER_FROM_ROOM || request_type == HGTP_REMOVE_USER_FROM_ROOM;
    return !hgtp_type_is_request(response->type) && response->request_type == request_type &&
           (response->seq == seq + 1 || (is_relayed && response->seq == seq + 3));
}
