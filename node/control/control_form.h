/* SPDX-License-Identifier: MIT */
/* control_form: whether the texts of a request have the form that clients' have to have. */
#ifndef CONTROL_CONTROL_FORM_H
#define CONTROL_CONTROL_FORM_H

#include <protobuf-c/protobuf-c.h>

#include "node/base/config.h"

/** The request's field of this name is the name of a user or a room. */
bool control_form_is_name(const char *field);

/**
 * All text is UTF-8; fields `room` and `user` are names or empty, `text` is no longer than
 * limits.message_bytes. How long a new name may be is the scripts' to say.
 *
 * ret_error  at least 256 bytes; when false: which field, and what is allowed
 */
bool control_form_good(const ProtobufCMessage *request, const struct config *config,
                       char *ret_error);

#endif
