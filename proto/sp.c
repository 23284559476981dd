/* SPDX-License-Identifier: MIT */
/*
 * sp: greeting "\0SP\0", protocol, two zeros; frame 0x01, length, payload; numbers are big-endian.
 * In a request's payload words come first, the last of which has its highest bit set.
 */
#include "sp.h"

#define SP_FRAME_MESSAGE 1
#define SP_STACK_END     0x80

void sp_greet(enum sp_protocol protocol, struct sink *out)
{
    sink_put(out, bytes_of("\0SP\0", 4));
    sink_be16(out, (uint16_t)protocol);
    sink_be16(out, 0);
}

enum sp_result sp_greeting_read(struct bytes in, enum sp_protocol protocol)
{
    uint8_t wanted[SP_GREETING_BYTES];
    struct sink out = sink_into(wanted, sizeof wanted);
    sp_greet(protocol, &out);
    size_t len = in.len < sizeof wanted ? in.len : sizeof wanted;
    if (!bytes_equal(bytes_of(in.ptr, len), bytes_of(wanted, len))) {
        return SP_BAD;
    }
    return len == sizeof wanted ? SP_WHOLE : SP_NEED_MORE;
}

void sp_frame_head(uint64_t payload_bytes, struct sink *out)
{
    sink_u8(out, SP_FRAME_MESSAGE);
    sink_be64(out, payload_bytes);
}

enum sp_result sp_frame_read(struct bytes in, uint64_t payload_max, struct bytes *ret_payload)
{
    if (in.len > 0 && in.ptr[0] != SP_FRAME_MESSAGE) {
        return SP_BAD;
    }
    if (in.len < SP_FRAME_HEAD_BYTES) {
        return SP_NEED_MORE;
    }
    uint64_t payload_bytes = be64_at(in.ptr + 1);
    if (payload_bytes > payload_max) {
        return SP_BAD;
    }
    if (in.len - SP_FRAME_HEAD_BYTES < payload_bytes) {
        return SP_NEED_MORE;
    }
    *ret_payload = bytes_of(in.ptr + SP_FRAME_HEAD_BYTES, (size_t)payload_bytes);
    return SP_WHOLE;
}

bool sp_request_split(struct bytes payload, struct bytes *ret_stack, struct bytes *ret_body)
{
    for (size_t at = 0; at < SP_STACK_BYTES_MAX && payload.len - at >= 4; at += 4) {
        if ((payload.ptr[at] & SP_STACK_END) != 0) {
            *ret_stack = bytes_of(payload.ptr, at + 4);
            *ret_body = bytes_from(payload, at + 4);
            return true;
        }
    }
    return false;
}
