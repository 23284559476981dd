/* SPDX-License-Identifier: MIT */
/*
 * sp: the wire of nng's local sockets (ipc), as a listener for requests speaks it, without I/O: the
 * greeting, the frames, and the header stack by which an answer finds its way back. Nothing here
 * allocates.
 */
#ifndef PROTO_SP_H
#define PROTO_SP_H

#include "bytes.h"

#define SP_GREETING_BYTES   8
#define SP_FRAME_HEAD_BYTES 9
/* Words of a header stack: forwarders on the way, at most 8, and the number of the request. */
#define SP_STACK_WORDS_MAX 9
#define SP_STACK_BYTES_MAX ((size_t)SP_STACK_WORDS_MAX * 4)

/* Protocols, as numbered in the greeting. */
enum sp_protocol { SP_REQ = 0x30, SP_REP = 0x31 };

enum sp_result {
    SP_WHOLE,
    SP_NEED_MORE, /* nothing is wrong so far */
    SP_BAD,       /* close the connection */
};

/** Append the greeting of one who speaks `protocol`. */
void sp_greet(enum sp_protocol protocol, struct sink *out);

/** Whether `in` begins with the greeting of one who speaks `protocol`; bad at the first wrong byte.
 */
enum sp_result sp_greeting_read(struct bytes in, enum sp_protocol protocol);

/** Append the head of a frame. */
void sp_frame_head(uint64_t payload_bytes, struct sink *out);

/**
 * Find the first frame of `in`.
 *
 * payload_max  a frame that announces more is bad, as soon as its head is there
 * ret_payload  on SP_WHOLE: within `in`; the next frame begins behind it
 */
enum sp_result sp_frame_read(struct bytes in, uint64_t payload_max, struct bytes *ret_payload);

/**
 * Split a request's frame into its header stack, which goes in front of the answer unchanged, and
 * what is asked. False: the stack has no end, or is longer than SP_STACK_BYTES_MAX.
 */
bool sp_request_split(struct bytes payload, struct bytes *ret_stack, struct bytes *ret_body);

#endif
