/* SPDX-License-Identifier: MIT */
/*
 * control_rows: between messages of control.proto and scripts, by the messages' descriptors: a
 * request's fields are a script's arguments of the same names, its rows are the reply.
 */
#ifndef CONTROL_CONTROL_ROWS_H
#define CONTROL_CONTROL_ROWS_H

#include <protobuf-c/protobuf-c.h>

#include "node/core/ports.h"

/** Append the request's fields; strings are borrowed, a bool is "1" or "". */
void control_rows_args(const ProtobufCMessage *request, struct script_args *args);

/** An empty message of that type, to be freed by protobuf_c_message_free_unpacked; NULL when memory
 * is out. */
ProtobufCMessage *control_rows_new(const ProtobufCMessageDescriptor *type);

/** Set a field from text; false: there is no such field, or memory is out. */
bool control_rows_set(ProtobufCMessage *message, struct bytes field, struct bytes value);
bool control_rows_str(ProtobufCMessage *message, const char *field, const char *value);
/** One more element of the repeated field whose elements are messages of that name; NULL: there is
 * no such field, or memory is out. */
ProtobufCMessage *control_rows_add(ProtobufCMessage *message, struct bytes name);

/**
 * Put a row ("row", name of a message, field, value, field, value ...) into a reply: its own
 * fields, or one more element of its repeated field of that message.
 *
 * returns  false: the row doesn't fit into the reply, or memory is out
 */
bool control_rows_put(ProtobufCMessage *reply, const struct effect *row);

#endif
