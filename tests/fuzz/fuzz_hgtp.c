/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target for hgtp: what decodes must encode to the same header and declared body (but for what
 * the decoder is told to overlook) and decode to the same again.
 */
#include "proto/hgtp.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A body shorter than its fixed part encodes to at most so many bytes. */
#define FUZZ_FIXED_MAX 22

static bool fuzz_headers_equal(const struct hgtp_header *a, const struct hgtp_header *b)
{
    return a->type == b->type && a->request_type == b->request_type &&
           memcmp(a->user_id, b->user_id, HGTP_USER_ID_BYTES) == 0 && a->seq == b->seq &&
           a->timestamp_ms == b->timestamp_ms;
}

static void fuzz_check_inside(struct bytes view, struct bytes in)
{
    if (view.len > 0) {
        assert(view.ptr >= in.ptr && view.ptr + view.len <= in.ptr + in.len);
    }
}

static void fuzz_check_views(const struct hgtp_message *msg, struct bytes in)
{
    fuzz_check_inside(msg->trailer, in);
    switch (msg->header.type) {
    case HGTP_REGISTER:
        fuzz_check_inside(msg->reg.nonce, in);
        break;
    case HGTP_CREATE_ROOM:
    case HGTP_DELETE_ROOM:
        assert(msg->room.room_id.len == HGTP_ROOM_ID_BYTES || msg->room.room_id.len == 0);
        fuzz_check_inside(msg->room.room_id, in);
        fuzz_check_inside(msg->room.name, in);
        break;
    case HGTP_JOIN_ROOM:
    case HGTP_EXIT_ROOM:
        fuzz_check_inside(msg->room_name, in);
        break;
    case HGTP_INVITE_USER_FROM_ROOM:
    case HGTP_REMOVE_USER_FROM_ROOM:
        fuzz_check_inside(msg->peer.room_name, in);
        fuzz_check_inside(msg->peer.peer_name, in);
        break;
    case HGTP_UNAUTHORIZED:
        fuzz_check_inside(msg->challenge.realm, in);
        break;
    default:
        fuzz_check_inside(msg->body, in);
        break;
    }
}

/* Blanks what a REGISTER may hold and encode need not repeat. */
static void fuzz_blank_overlooked(uint8_t type, uint8_t *body, size_t len)
{
    if (type == HGTP_REGISTER && len >= FUZZ_FIXED_MAX) {
        memset(body + 8, 0, 4);
        if ((int32_t)be32_at(body + 18) < 0) {
            memset(body + 18, 0, 4);
        }
    }
}

static void fuzz_check_body(const struct hgtp_message *msg, struct bytes in, struct bytes encoded)
{
    size_t encoded_bytes = encoded.len - HGTP_HEADER_BYTES;
    size_t present_bytes = in.len - HGTP_HEADER_BYTES - msg->trailer.len;
    if (encoded_bytes > present_bytes) {
        assert(encoded_bytes <= FUZZ_FIXED_MAX);
        for (size_t i = HGTP_HEADER_BYTES; i < encoded.len; i++) {
            assert(encoded.ptr[i] == 0);
        }
        return;
    }
    uint8_t *body = malloc(encoded_bytes + 1);
    assert(body != NULL);
    memcpy(body, in.ptr + HGTP_HEADER_BYTES, encoded_bytes);
    fuzz_blank_overlooked(msg->header.type, body, encoded_bytes);
    assert(memcmp(body, encoded.ptr + HGTP_HEADER_BYTES, encoded_bytes) == 0);
    free(body);
}

/* Whatever body is there, our own bodies are found in it or not, and encode to what was read. */
static void fuzz_check_own_bodies(struct bytes body)
{
    struct hgtp_reason reason;
    struct bytes token;
    uint8_t *storage = malloc(body.len + 1);
    assert(storage != NULL);
    if (hgtp_reason_decode(body, &reason)) {
        struct sink out = sink_into(storage, body.len);
        hgtp_reason_encode(&reason, &out);
        assert(sink_fits(&out) && memcmp(storage, body.ptr, out.len) == 0);
    }
    if (hgtp_token_decode(body, &token)) {
        struct sink out = sink_into(storage, body.len);
        hgtp_token_encode(token, &out);
        assert(sink_fits(&out) && memcmp(storage, body.ptr, out.len) == 0);
    }
    free(storage);
}

static void fuzz_check_decoded(const struct hgtp_message *msg, struct bytes in)
{
    struct hgtp_message again;
    size_t cap = in.len + FUZZ_FIXED_MAX;
    uint8_t *first = malloc(cap);
    uint8_t *second = malloc(cap);
    assert(first != NULL && second != NULL);
    struct sink first_out = sink_into(first, cap);
    struct sink second_out = sink_into(second, cap);
    hgtp_encode(msg, &first_out);
    assert(sink_fits(&first_out));
    fuzz_check_body(msg, in, sink_bytes(&first_out));
    assert(hgtp_decode(sink_bytes(&first_out), &again) == HGTP_DECODED);
    assert(fuzz_headers_equal(&again.header, &msg->header));
    assert(msg->header.type != HGTP_REGISTER || again.reg.flags == msg->reg.flags);
    assert((size_t)again.header.body_bytes == first_out.len - HGTP_HEADER_BYTES);
    assert(again.trailer.len == 0);
    hgtp_encode(&again, &second_out);
    assert(bytes_equal(sink_bytes(&first_out), sink_bytes(&second_out)));
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    struct hgtp_message msg;
    enum hgtp_result result = hgtp_decode(in, &msg);
    assert((result == HGTP_BAD_HEADER) == (size < HGTP_HEADER_BYTES || memcmp(data, "HS", 2) != 0));
    if (result == HGTP_BAD_HEADER) {
        return 0;
    }
    assert(msg.header.type == data[2]);
    assert((result == HGTP_BAD_TYPE) == (hgtp_type_name(data[2]) == NULL));
    fuzz_check_own_bodies(bytes_from(in, HGTP_HEADER_BYTES));
    if (result == HGTP_DECODED) {
        fuzz_check_views(&msg, in);
        fuzz_check_decoded(&msg, in);
    }
    return 0;
}
