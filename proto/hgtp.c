/* SPDX-License-Identifier: MIT */
/*
 * hgtp: header and bodies of HGTP, each message decoded and encoded side by side in wire order.
 * Leniency is the original's, so that what it would have processed we process as well; what would
 * have made it throw is HGTP_BAD_BODY. Whether a name, an id or a port makes sense is not judged
 * here, and names stay base64.
 */
#include "proto/hgtp.h"

#include <assert.h>

#include "proto/base64.h"

#define HGTP_MAGIC                 0x4853
#define HGTP_STR_FIXED_BYTES       4
#define HGTP_REGISTER_FIXED_BYTES  22
#define HGTP_REGISTER_FLAGS_BYTES  2
#define HGTP_ROOM_FIXED_BYTES      (HGTP_ROOM_ID_BYTES + HGTP_STR_FIXED_BYTES)
#define HGTP_PEER_FIXED_BYTES      (2 * HGTP_STR_FIXED_BYTES)
#define HGTP_CODED_STR_FIXED_BYTES (2 + HGTP_STR_FIXED_BYTES)

enum hgtp_kind { HGTP_KIND_NONE, HGTP_KIND_REQUEST, HGTP_KIND_RESPONSE };

static const struct hgtp_type_info {
    const char *name;
    enum hgtp_kind kind;
} hgtp_types[UINT8_MAX + 1] = {
#define HGTP_TYPE(name, byte, kind) [byte] = {#name, HGTP_KIND_##kind},
#include "proto/hgtp_type.def"
};

const char *hgtp_type_name(uint8_t type)
{
    return hgtp_types[type].name;
}

bool hgtp_type_is_request(uint8_t type)
{
    return hgtp_types[type].kind == HGTP_KIND_REQUEST;
}

/* True for the types whose body has fields; of all others not even the declared length is read. */
static bool hgtp_type_has_fields(uint8_t type)
{
    switch (type) {
    case HGTP_REGISTER:
    case HGTP_CREATE_ROOM:
    case HGTP_DELETE_ROOM:
    case HGTP_JOIN_ROOM:
    case HGTP_EXIT_ROOM:
    case HGTP_INVITE_USER_FROM_ROOM:
    case HGTP_REMOVE_USER_FROM_ROOM:
    case HGTP_UNAUTHORIZED:
        return true;
    default:
        return false;
    }
}

/* "str": length int32, then the bytes. */
static bool hgtp_str_decode(struct bytes in, struct bytes *ret_str, struct bytes *ret_rest)
{
    if (in.len < HGTP_STR_FIXED_BYTES) {
        return false;
    }
    uint32_t count = be32_at(in.ptr);
    if (count > INT32_MAX || count > in.len - HGTP_STR_FIXED_BYTES) {
        return false;
    }
    *ret_str = bytes_of(in.ptr + HGTP_STR_FIXED_BYTES, count);
    *ret_rest = bytes_from(in, HGTP_STR_FIXED_BYTES + (size_t)count);
    return true;
}

static void hgtp_str_encode(struct bytes str, struct sink *out)
{
    sink_be32(out, (uint32_t)str.len);
    sink_put(out, str);
}

/* A body of one int16 and one str: UNAUTHORIZED, and the reason of a refusal. */
static bool hgtp_coded_str_decode(struct bytes body, uint16_t *ret_code, struct bytes *ret_str)
{
    struct bytes rest;
    if (body.len < HGTP_CODED_STR_FIXED_BYTES ||
        !hgtp_str_decode(bytes_from(body, 2), ret_str, &rest)) {
        return false;
    }
    *ret_code = be16_at(body.ptr);
    return true;
}

static void hgtp_coded_str_encode(uint16_t code, struct bytes str, struct sink *out)
{
    sink_be16(out, code);
    hgtp_str_encode(str, out);
}

static bool hgtp_register_decode(struct bytes body, struct hgtp_register *ret_reg)
{
    if (body.len < HGTP_REGISTER_FIXED_BYTES) {
        return true;
    }
    struct bytes nonce = bytes_of(NULL, 0);
    struct bytes rest = bytes_of(NULL, 0);
    bool is_nonce_empty = (int32_t)be32_at(body.ptr + 18) <= 0;
    if (!is_nonce_empty && !hgtp_str_decode(bytes_from(body, 18), &nonce, &rest)) {
        return false;
    }
    ret_reg->expires_s = (int64_t)be64_at(body.ptr);
    ret_reg->listen_ip = be32_at(body.ptr + 12);
    ret_reg->listen_port = be16_at(body.ptr + 16);
    ret_reg->nonce = nonce;
    ret_reg->flags = rest.len >= HGTP_REGISTER_FLAGS_BYTES ? be16_at(rest.ptr) : 0;
    return true;
}

static void hgtp_register_encode(const struct hgtp_register *reg, struct sink *out)
{
    sink_be64(out, (uint64_t)reg->expires_s);
    sink_be64(out, reg->listen_ip);
    sink_be16(out, reg->listen_port);
    hgtp_str_encode(reg->nonce, out);
    if (reg->flags != 0) {
        sink_be16(out, reg->flags);
    }
}

static bool hgtp_room_decode(struct bytes body, struct hgtp_room *ret_room)
{
    struct bytes rest;
    if (body.len < HGTP_ROOM_FIXED_BYTES) {
        return true;
    }
    if (!hgtp_str_decode(bytes_from(body, HGTP_ROOM_ID_BYTES), &ret_room->name, &rest)) {
        return false;
    }
    ret_room->room_id = bytes_of(body.ptr, HGTP_ROOM_ID_BYTES);
    return true;
}

/* Without a room id the body is the one that decodes to none. */
static void hgtp_room_encode(const struct hgtp_room *room, struct sink *out)
{
    if (room->room_id.len == 0) {
        assert(room->name.len == 0);
        return;
    }
    assert(room->room_id.len == HGTP_ROOM_ID_BYTES);
    sink_put(out, room->room_id);
    hgtp_str_encode(room->name, out);
}

static bool hgtp_room_name_decode(struct bytes body, struct bytes *ret_name)
{
    struct bytes rest;
    return body.len < HGTP_STR_FIXED_BYTES || hgtp_str_decode(body, ret_name, &rest);
}

static bool hgtp_peer_decode(struct bytes body, struct hgtp_peer *ret_peer)
{
    struct hgtp_peer peer;
    struct bytes rest;
    if (body.len < HGTP_PEER_FIXED_BYTES) {
        return true;
    }
    if (!hgtp_str_decode(body, &peer.room_name, &rest) ||
        !hgtp_str_decode(rest, &peer.peer_name, &rest)) {
        return false;
    }
    *ret_peer = peer;
    return true;
}

static void hgtp_peer_encode(const struct hgtp_peer *peer, struct sink *out)
{
    hgtp_str_encode(peer->room_name, out);
    hgtp_str_encode(peer->peer_name, out);
}

/* The fields of `ret_msg` are zero before; they stay so when the body is refused. */
static bool hgtp_body_decode(struct bytes body, struct hgtp_message *ret_msg)
{
    switch (ret_msg->header.type) {
    case HGTP_REGISTER:
        return hgtp_register_decode(body, &ret_msg->reg);
    case HGTP_CREATE_ROOM:
    case HGTP_DELETE_ROOM:
        return hgtp_room_decode(body, &ret_msg->room);
    case HGTP_JOIN_ROOM:
    case HGTP_EXIT_ROOM:
        return hgtp_room_name_decode(body, &ret_msg->room_name);
    case HGTP_INVITE_USER_FROM_ROOM:
    case HGTP_REMOVE_USER_FROM_ROOM:
        return hgtp_peer_decode(body, &ret_msg->peer);
    case HGTP_UNAUTHORIZED:
        /* Too short a challenge is refused: the original's client throws over it. */
        return hgtp_coded_str_decode(body, &ret_msg->challenge.http_port,
                                     &ret_msg->challenge.realm);
    default:
        ret_msg->body = body;
        return true;
    }
}

static void hgtp_body_encode(const struct hgtp_message *msg, struct sink *out)
{
    switch (msg->header.type) {
    case HGTP_REGISTER:
        hgtp_register_encode(&msg->reg, out);
        break;
    case HGTP_CREATE_ROOM:
    case HGTP_DELETE_ROOM:
        hgtp_room_encode(&msg->room, out);
        break;
    case HGTP_JOIN_ROOM:
    case HGTP_EXIT_ROOM:
        hgtp_str_encode(msg->room_name, out);
        break;
    case HGTP_INVITE_USER_FROM_ROOM:
    case HGTP_REMOVE_USER_FROM_ROOM:
        hgtp_peer_encode(&msg->peer, out);
        break;
    case HGTP_UNAUTHORIZED:
        hgtp_coded_str_encode(msg->challenge.http_port, msg->challenge.realm, out);
        break;
    default:
        sink_put(out, msg->body);
        break;
    }
}

static void hgtp_header_decode(const uint8_t *in, struct hgtp_header *ret_header)
{
    ret_header->type = in[2];
    ret_header->request_type = in[3];
    memcpy(ret_header->user_id, in + 4, HGTP_USER_ID_BYTES);
    ret_header->seq = (int32_t)be32_at(in + 12);
    ret_header->timestamp_ms = be32_at(in + 16);
    ret_header->body_bytes = (int32_t)be32_at(in + 20);
}

static void hgtp_header_encode(const struct hgtp_header *header, size_t body_bytes,
                               struct sink *out)
{
    sink_be16(out, HGTP_MAGIC);
    sink_u8(out, header->type);
    sink_u8(out, header->request_type);
    sink_put(out, bytes_of(header->user_id, HGTP_USER_ID_BYTES));
    sink_be32(out, (uint32_t)header->seq);
    sink_be32(out, header->timestamp_ms);
    sink_be32(out, (uint32_t)body_bytes);
}

enum hgtp_result hgtp_decode(struct bytes in, struct hgtp_message *ret_msg)
{
    if (in.len < HGTP_HEADER_BYTES || be16_at(in.ptr) != HGTP_MAGIC) {
        return HGTP_BAD_HEADER;
    }
    memset(ret_msg, 0, sizeof *ret_msg);
    hgtp_header_decode(in.ptr, &ret_msg->header);
    uint8_t type = ret_msg->header.type;
    if (hgtp_type_name(type) == NULL) {
        return HGTP_BAD_TYPE;
    }
    struct bytes body = bytes_from(in, HGTP_HEADER_BYTES);
    int32_t declared = ret_msg->header.body_bytes;
    bool is_whole = declared >= 0 && (size_t)declared <= body.len;
    if (hgtp_type_has_fields(type) && (!is_whole || declared > HGTP_BODY_MAX)) {
        return HGTP_BAD_BODY;
    }
    struct bytes trailer = bytes_of(NULL, 0);
    if (is_whole) {
        trailer = bytes_from(body, (size_t)declared);
        body.len = (size_t)declared;
    } else if (declared < 0) {
        body.len = 0;
    }
    if (!hgtp_body_decode(body, ret_msg)) {
        return HGTP_BAD_BODY;
    }
    ret_msg->trailer = trailer;
    return HGTP_DECODED;
}

void hgtp_encode(const struct hgtp_message *msg, struct sink *out)
{
    struct sink measure = sink_into(NULL, 0);
    hgtp_body_encode(msg, &measure);
    assert(measure.len <= INT32_MAX);
    hgtp_header_encode(&msg->header, measure.len, out);
    hgtp_body_encode(msg, out);
}

void hgtp_pad_relay(struct sink *out)
{
    while (out->len < HGTP_RELAY_MIN_BYTES) {
        sink_u8(out, 0);
    }
}

bool hgtp_reason_decode(struct bytes body, struct hgtp_reason *ret_reason)
{
    uint16_t code;
    if (!hgtp_coded_str_decode(body, &code, &ret_reason->text)) {
        return false;
    }
    ret_reason->code = (int16_t)code;
    return true;
}

void hgtp_reason_encode(const struct hgtp_reason *reason, struct sink *out)
{
    hgtp_coded_str_encode((uint16_t)reason->code, reason->text, out);
}

bool hgtp_token_decode(struct bytes body, struct bytes *ret_token)
{
    struct bytes rest;
    return hgtp_str_decode(body, ret_token, &rest);
}

void hgtp_token_encode(struct bytes token, struct sink *out)
{
    hgtp_str_encode(token, out);
}

/* Eight or twelve characters decode to all of 6 or 9 bytes only when none of them is padding. */
static bool hgtp_id_valid(struct bytes id)
{
    struct sink measure = sink_into(NULL, 0);
    return base64_decode(id, &measure) && measure.len == id.len / 4 * 3;
}

bool hgtp_user_id_valid(const uint8_t user_id[HGTP_USER_ID_BYTES])
{
    return hgtp_id_valid(bytes_of(user_id, HGTP_USER_ID_BYTES));
}

bool hgtp_room_id_valid(struct bytes room_id)
{
    return room_id.len == HGTP_ROOM_ID_BYTES && hgtp_id_valid(room_id);
}
