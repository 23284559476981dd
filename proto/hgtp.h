/* SPDX-License-Identifier: MIT */
/*
 * hgtp: the 24-byte header and the bodies of HGTP, both ways. Pure: bytes in, values out.
 * The wire is described in docs/protocol.md; names in bodies are kept as they travel (base64).
 */
#ifndef PROTO_HGTP_H
#define PROTO_HGTP_H

#include "bytes.h"

#define HGTP_HEADER_BYTES    24
#define HGTP_USER_ID_BYTES   8
#define HGTP_ROOM_ID_BYTES   12
#define HGTP_DATAGRAM_MAX    2048 /* the original reads no more */
#define HGTP_BODY_MAX        (HGTP_DATAGRAM_MAX - HGTP_HEADER_BYTES)
#define HGTP_RELAY_MIN_BYTES 44 /* the original drops a shorter INVITE or REMOVE */
#define HGTP_SIGNATURE_BYTES 16

enum hgtp_type {
#define HGTP_TYPE(name, byte, kind) HGTP_##name = byte,
#include "hgtp_type.def"
};

enum hgtp_result {
    HGTP_DECODED,
    HGTP_BAD_HEADER, /* shorter than a header, or wrong magic: drop, nothing can be answered */
    HGTP_BAD_TYPE,   /* header is filled; the type byte is none of hgtp_type.def */
    HGTP_BAD_BODY, /* header is filled; a length is negative, beyond its container or over the limit
                    */
};

struct hgtp_header {
    uint8_t type;         /* enum hgtp_type, or unknown */
    uint8_t request_type; /* in a response: copied from the request */
    uint8_t user_id[HGTP_USER_ID_BYTES];
    int32_t seq;
    uint32_t timestamp_ms; /* low 32 bits of the sender's wall clock */
    int32_t body_bytes;    /* as declared; encode computes it and ignores this */
};

struct hgtp_register {
    int64_t expires_s;
    uint32_t listen_ip; /* host order; encoded with a zero high half, whose content is ignored */
    uint16_t listen_port;
    struct bytes nonce; /* first REGISTER: base64 of the name; second: the digest */
    /* Our extension: HGTP_REGISTER_*, or what is not known yet. 0 is encoded as nothing, which is
     * what the original sends. */
    uint16_t flags;
};
/* The name's account is proved: its session, if one stands, is to be this client's. */
#define HGTP_REGISTER_TAKE_OVER 1

struct hgtp_room {
    struct bytes room_id; /* 12 bytes, or empty: the body was too short to hold one */
    struct bytes name;    /* base64 */
};

struct hgtp_peer {
    struct bytes room_name; /* base64; in a REMOVE that a server sends: base64 of the room id */
    struct bytes peer_name; /* base64 */
};

struct hgtp_challenge {
    uint16_t http_port;
    struct bytes realm; /* plain UTF-8 */
};

/** Our extension: the body of a refusing response. The original ignores bodies of responses. */
struct hgtp_reason {
    int16_t code;
    struct bytes text;
};

struct hgtp_message {
    struct hgtp_header header;
    union {
        struct hgtp_register reg;        /* REGISTER */
        struct hgtp_room room;           /* CREATE_ROOM, DELETE_ROOM */
        struct bytes room_name;          /* JOIN_ROOM, EXIT_ROOM: base64 */
        struct hgtp_peer peer;           /* INVITE_USER_FROM_ROOM, REMOVE_USER_FROM_ROOM */
        struct hgtp_challenge challenge; /* UNAUTHORIZED */
        struct bytes body; /* every other type: the bytes present, see hgtp_reason_decode */
    };
    /* Decode only: what followed the declared body. A signature when it is 16 bytes long. Empty
     * when the declared length of a body that nobody reads was itself out of range. */
    struct bytes trailer;
};

/**
 * Decode one datagram.
 *
 * in        the whole datagram; not kept
 * ret_msg   on HGTP_DECODED filled, its views point INTO `in`; on HGTP_BAD_TYPE and HGTP_BAD_BODY
 *           its header is filled
 * returns   see enum hgtp_result. As in the original, a body shorter than its fixed part decodes
 *           to zero and empty fields (but that of UNAUTHORIZED is HGTP_BAD_BODY), a REGISTER nonce
 *           length <= 0 is empty, and types without a body take any declared length. Shorter
 *           minimum sizes than the original's are accepted. A REGISTER has flags only behind
 *           a nonce that is not empty; one byte alone is none.
 * limits    body <= HGTP_BODY_MAX for the types that have one
 */
enum hgtp_result hgtp_decode(struct bytes in, struct hgtp_message *ret_msg);

/** Encode header and body in wire order; magic, type and body length are set from `msg`. */
void hgtp_encode(const struct hgtp_message *msg, struct sink *out);

/** Append zero bytes until the original client takes an INVITE or REMOVE of this size. */
void hgtp_pad_relay(struct sink *out);

/** Body of a refusing response: code int16, text str. False when `body` holds none. */
bool hgtp_reason_decode(struct bytes body, struct hgtp_reason *ret_reason);
void hgtp_reason_encode(const struct hgtp_reason *reason, struct sink *out);

/** Body of the OK to a REGISTER: session token str. False when `body` holds none. */
bool hgtp_token_decode(struct bytes body, struct bytes *ret_token);
void hgtp_token_encode(struct bytes token, struct sink *out);

/** Name of a type ("JOIN_ROOM"), or NULL when unknown. */
const char *hgtp_type_name(uint8_t type);
bool hgtp_type_is_request(uint8_t type);

/** True when all 8 bytes are of the standard base64 alphabet. */
bool hgtp_user_id_valid(const uint8_t user_id[HGTP_USER_ID_BYTES]);
/** True when `room_id` has 12 bytes, all of the standard base64 alphabet. */
bool hgtp_room_id_valid(struct bytes room_id);

#endif
