/* SPDX-License-Identifier: MIT */
/*
 * ws: WebSocket framing (RFC 6455) without I/O: the handshake's key, frame heads, and a reader that
 * takes a stream in any split of bytes and gives whole messages and control frames. Nothing here
 * allocates.
 */
#ifndef PROTO_WS_H
#define PROTO_WS_H

#include "bytes.h"

/* Close codes, of RFC 6455 section 7.4.1 and our own. */
enum ws_close {
    WS_CLOSE_NORMAL = 1000,
    WS_CLOSE_GOING_AWAY = 1001,
    WS_CLOSE_PROTOCOL = 1002,
    WS_CLOSE_NO_STATUS = 1005, /* never on the wire */
    WS_CLOSE_NOT_UTF8 = 1007,
    WS_CLOSE_POLICY = 1008,
    WS_CLOSE_TOO_LARGE = 1009,
    WS_CLOSE_INTERNAL = 1011,
    WS_CLOSE_IDLE = 4000,
    WS_CLOSE_REPLACED = 4001,
    WS_CLOSE_ENDED = 4002,
};

enum ws_opcode { WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

#define WS_HEAD_MAX     10 /* of an unmasked frame */
#define WS_CONTROL_MAX  125
#define WS_ACCEPT_BYTES 28

/** `sec-websocket-accept` for a client's key. False: the key is not base64 of 16 bytes. */
bool ws_accept(struct bytes key, uint8_t ret_accept[WS_ACCEPT_BYTES]);

/** Append the head of one unmasked, final frame. */
void ws_head(enum ws_opcode opcode, uint64_t payload_bytes, struct sink *out);
/** Append a whole close frame; `reason` is cut at a character to fit. */
void ws_close_frame(enum ws_close code, const char *reason, struct sink *out);

/* What a reader found. */
enum ws_result {
    WS_MESSAGE, /* a whole data message: opcode WS_TEXT (valid UTF-8) or WS_BINARY */
    WS_CONTROL, /* WS_PING, WS_PONG or WS_CLOSE with its payload */
    WS_NEED_MORE,
    WS_FAIL, /* close with reader.fail; the reader takes nothing more */
};

/**
 * Reads what a client sends, or what a server does. A message is put together, unmasked, in the
 * caller's buffer; the UTF-8 of a text is checked as it comes, so that a bad one fails at its first
 * bad byte, also in the middle of a frame.
 */
struct ws_reader {
    uint8_t *buffer;       /* the caller's; may be exchanged between calls, its content kept */
    size_t buffer_cap;     /* 0 at the start */
    size_t message_max;    /* a longer message fails at the head that tells so */
    bool from_server;      /* set after init by a client: frames come without a mask */
    size_t message_bytes;  /* of the message under way, or of the whole one after WS_MESSAGE */
    enum ws_opcode opcode; /* of what was found */
    uint8_t control[WS_CONTROL_MAX];
    size_t control_bytes;
    enum ws_close fail;       /* after WS_FAIL */
    enum ws_close close_code; /* after WS_CLOSE: what the peer said, or WS_CLOSE_NO_STATUS */
    /* The rest is private. */
    int state;
    bool is_whole; /* a message was given: the next byte begins another one */
    bool in_message;
    bool is_text;
    bool is_final; /* of the frame under way, as the four that follow */
    uint8_t frame_opcode;
    uint8_t mask[4];
    size_t mask_at;
    uint64_t left_bytes;
    uint8_t head[14];
    size_t head_bytes;
    size_t checked_bytes; /* of a text: whole characters */
};

void ws_reader_init(struct ws_reader *reader, size_t message_max);

/** How large the buffer must be before ws_reader_take goes on; 0: large enough. It grows with what
 * comes, not with what a head announces, and never beyond message_max. */
size_t ws_reader_wants(const struct ws_reader *reader);

/** True while no message is under way: the buffer may go. */
bool ws_reader_is_idle(const struct ws_reader *reader);

/**
 * Take bytes of the stream up to the end of the next message or control frame.
 *
 * ret_used  bytes of `in` taken, in every case
 * returns   WS_MESSAGE (in reader->buffer, message_bytes, until the next call) | WS_CONTROL |
 *           WS_NEED_MORE: all taken, or ws_reader_wants is not 0 | WS_FAIL. Failed are: frames
 *           without a mask, or with one from a server; reserved bits and opcodes; control frames
 * that are fragmented or longer than 125 bytes; a continuation of nothing, a start inside a
 * message; lengths that are not minimal; a close of 1 byte or with a code that must not be sent
 * (all 1002); text and close reasons that are not UTF-8 (1007); messages beyond message_max (1009).
 */
enum ws_result ws_reader_take(struct ws_reader *reader, struct bytes in, size_t *ret_used);

#endif
