/* SPDX-License-Identifier: MIT */
/* message_json: the body of the original's `POST message`. */
#ifndef FRONT_MESSAGE_JSON_H
#define FRONT_MESSAGE_JSON_H

#include "proto/err.h"

struct message_json {
    bool is_text;         /* it is none of these but a text of text_json.h; nothing else is set */
    struct bytes text;    /* decoded from base64, in the caller's storage; not checked for UTF-8 */
    int64_t time_unix_ms; /* the sender's clock; 0 when missing, as in the original */
};

/**
 * Read `{"hostName":..., "message":..., "messageTime":...}` as gson does: any order, unknown
 * members ignored, the time as number or as text. The host name is not looked at: who speaks is
 * told by the session. A missing message, one that is not base64, or a time that is no whole number
 * is refused. What has a member "type" is something else.
 *
 * storage     where the text is put; json.len bytes suffice
 * returns     ERR_NONE and `ret_message` | ERR_MALFORMED
 */
enum err message_json_decode(struct bytes json, uint8_t *storage, struct message_json *ret_message);

#endif
