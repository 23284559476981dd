/* SPDX-License-Identifier: MIT */
/*
 * talk_request: HGTP requests of a modern client, to be sent as a binary frame or by POST /hgtp:
 * proved by HMAC, without addresses, unsigned. Written field by field, so that the server's codec
 * meets another hand.
 */
#ifndef SUPPORT_TALK_REQUEST_H
#define SUPPORT_TALK_REQUEST_H

#include "proto/hgtp.h"

/** Who asks. Each request has a sequence number of its own and a later timestamp. */
struct talk_speaker {
    char user_id[HGTP_USER_ID_BYTES + 1];
    int32_t seq; /* of the last request; the next one leaves room for a relay's numbers */
    uint32_t last_timestamp_ms;
    uint16_t flags; /* of both REGISTERs; 0: none are sent */
};

void talk_request_init(struct talk_speaker *speaker);
/** A new room id; `ret_id` holds HGTP_ROOM_ID_BYTES + 1. */
void talk_request_room_id(char *ret_id);

/** Any message; the number is the caller's. */
void talk_request_put(struct talk_speaker *speaker, enum hgtp_type type, uint8_t request_type,
                      int32_t seq, struct bytes body, struct sink *out);

/* Each writes one request and returns its sequence number. ------------------------------------- */

int32_t talk_request_register(struct talk_speaker *speaker, const char *name, struct sink *out);
/** The second REGISTER, for the realm of an UNAUTHORIZED to the first. */
int32_t talk_request_proof(struct talk_speaker *speaker, struct bytes realm, const char *key,
                           struct sink *out);
/** CREATE_ROOM, DELETE_ROOM. */
int32_t talk_request_room(struct talk_speaker *speaker, enum hgtp_type type, const char *room_id,
                          const char *room, struct sink *out);
/** JOIN_ROOM, EXIT_ROOM. */
int32_t talk_request_name(struct talk_speaker *speaker, enum hgtp_type type, const char *room,
                          struct sink *out);
/** INVITE_USER_FROM_ROOM, REMOVE_USER_FROM_ROOM. */
int32_t talk_request_peer(struct talk_speaker *speaker, enum hgtp_type type, const char *room,
                          const char *peer, struct sink *out);
/** UNREGISTER, REFRESH. */
int32_t talk_request_plain(struct talk_speaker *speaker, enum hgtp_type type, struct sink *out);

/** True for the response to the request with this number, relayed or not. */
bool talk_request_answered(const struct hgtp_header *response, uint8_t request_type, int32_t seq);

#endif
