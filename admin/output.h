/* SPDX-License-Identifier: MIT */
/*
 * output: replies of the control service for people and for programs: tables, or JSON with the
 * fields' names of control.proto.
 */
#ifndef ADMIN_OUTPUT_H
#define ADMIN_OUTPUT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdio.h>

enum output_format { FORMAT_TEXT, FORMAT_COUNT, FORMAT_BYTES, FORMAT_AGE, FORMAT_TIME };

struct output_column {
    const char *heading; /* NULL: the end of the columns */
    const char *field;
    enum output_format format;
};

/** One JSON document, a line end behind it. */
void output_json(const ProtobufCMessage *message, FILE *out);

/** The first repeated message field of `reply` as a table; `columns` end with a NULL heading. */
void output_table(const ProtobufCMessage *reply, const struct output_column *columns,
                  bool has_colour, FILE *out);

/** The fields of one message, a line each; empty ones are left out. */
void output_fields(const ProtobufCMessage *message, const struct output_column *columns, FILE *out);

/** Columns that a UTF-8 text takes on a terminal; control characters count as one. */
size_t output_width(const char *text);

#endif
