/* SPDX-License-Identifier: MIT */
/*
 * push_text: what the original sends over HTTP, byte for byte as gson and netty write it: the JSON
 * bodies (pretty printed, names as base64, `=` escaped) and the request head without a slash.
 */
#ifndef PROTO_PUSH_TEXT_H
#define PROTO_PUSH_TEXT_H

#include "bytes.h"

/* Push types: PUSH_TYPE(enumerator, target and message-type, JSON member of a list or NULL) */
#define PUSH_TYPES(PUSH_TYPE)                                                                      \
    PUSH_TYPE(ROOM_LIST, "room_list", "roomListSet")                                               \
    PUSH_TYPE(USER_LIST, "user_list", "userListSet")                                               \
    PUSH_TYPE(ROOM_USER_LIST, "room_user_list", "roomUserListSet")                                 \
    PUSH_TYPE(MESSAGE, "message", NULL)                                                            \
    PUSH_TYPE(NOTICE, "notice", NULL)

enum push_type {
#define PUSH_TYPE_ENUM(name, target, member) PUSH_##name,
    PUSH_TYPES(PUSH_TYPE_ENUM)
#undef PUSH_TYPE_ENUM
        PUSH_TYPE_COUNT
};

const char *push_type_target(enum push_type type);

/** Append the JSON body of a list push; every `step`th of `names` is one, UTF-8, which may be any
 * bytes. `type` is one of the three lists. */
void push_list_body(enum push_type type, const struct bytes *names, size_t count, size_t step,
                    struct sink *out);
void push_notice_body(struct bytes text, struct sink *out);
void push_message_body(struct bytes host_name, struct bytes message, int64_t time_unix_ms,
                       struct sink *out);

/** Append request line and headers, the empty line included. */
void push_request_head(enum push_type type, struct bytes host, struct bytes user_agent,
                       size_t content_bytes, struct sink *out);

#endif
