/* SPDX-License-Identifier: MIT */
/*
 * talk_frame: the client's side of RFC 6455 without I/O: the upgrade request, its answer, and
 * masked frames. What a server sends is read by ws_reader (proto/ws.h).
 */
#ifndef ADMIN_TALK_TALK_FRAME_H
#define ADMIN_TALK_TALK_FRAME_H

#include "proto/ws.h"

#define TALK_FRAME_HEAD_MAX  14 /* of a masked frame */
#define TALK_FRAME_KEY_BYTES 24 /* base64 of 16 random bytes */

/** Append one whole, final frame, masked. */
void talk_frame_put(enum ws_opcode opcode, const uint8_t mask[4], struct bytes payload,
                    struct sink *out);

struct talk_upgrade {
    const char *host;  /* "host:port" */
    const char *token; /* of the session to attach to */
    uint64_t
        attempt; /* rises with each connection of a session, so that the last one wins; 0: untold */
    bool has_after;    /* resume: the two that follow count */
    uint64_t after;    /* number of the last entry that has come */
    const char *epoch; /* of the room it was in */
    char key[TALK_FRAME_KEY_BYTES + 1];
};

/** Make the key from 16 random bytes. */
void talk_frame_key(const uint8_t noise[16], char ret_key[TALK_FRAME_KEY_BYTES + 1]);

/** Append the upgrade request. */
void talk_frame_request(const struct talk_upgrade *upgrade, struct sink *out);

enum talk_upgraded {
    TALK_UPGRADED,
    TALK_UPGRADE_MORE,    /* the answer's head is not whole yet */
    TALK_UPGRADE_REFUSED, /* by an HTTP status */
    TALK_UPGRADE_BAD,     /* no WebSocket server speaks like this */
};

/**
 * Read the answer to the upgrade request.
 *
 * in          what has come so far
 * ret_status  on TALK_UPGRADE_REFUSED: the HTTP status
 * ret_used    on TALK_UPGRADED: bytes of `in` that the head took; frames follow
 */
enum talk_upgraded talk_frame_answer(struct bytes in, const char *key, int *ret_status,
                                     size_t *ret_used);

#endif
