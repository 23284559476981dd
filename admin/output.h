/* SPDX-License-Identifier: MIT */
/*
 * output: replies for people and for programs: tables, or JSON with the fields' names of the .proto
 * files. It knows messages by their descriptors only; which columns a table has is the verbs'.
 */
#ifndef ADMIN_OUTPUT_H
#define ADMIN_OUTPUT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/bytes.h"

enum output_format {
    FORMAT_TEXT,
    FORMAT_STATE, /* text, coloured by what it says */
    FORMAT_COUNT, /* from here on: numbers, aligned to the right */
    FORMAT_BYTES,
    FORMAT_AGE,  /* from ms */
    FORMAT_TIME, /* from ms since 1970 */
    FORMAT_RATE, /* per second */
    FORMAT_PERCENT,
    FORMAT_VALUE, /* a number as exact as it is */
};

struct output_column {
    const char *heading; /* NULL: the end of the columns */
    const char *field;
    enum output_format format;
};

/** How a reply looks to people. With neither, its field `what` is said. */
struct output_view {
    const struct output_column *fields;  /* of the reply itself, a line each; NULL: none */
    const char *fields_in;               /* they are in this field of it; NULL: in the reply */
    const struct output_column *columns; /* of its repeated message, a table; NULL: none */
    const char *columns_in;              /* which one; NULL: the first */
    const char *none;                    /* said when it is empty; NULL: nothing is */
};

struct output_style {
    bool has_colour;
    size_t columns; /* of the terminal; 0: lines may be of any length */
};

/** For a stream: colours and a width only if it is a terminal. */
struct output_style output_style_of(FILE *out);

/** One JSON document and a line end. Numbers are numbers, 64-bit ones too; nothing is left out. */
void output_json(const ProtobufCMessage *message, FILE *out);

void output_people(const ProtobufCMessage *reply, const struct output_view *view,
                   const struct output_style *style, FILE *out);

/** The escape sequence for a FORMAT_STATE; "": it has no colour. */
const char *output_state_colour(const char *state);

/** One value as people read it, without control characters; freed by the caller. */
char *output_cell(const ProtobufCMessage *message, const struct output_column *column);

/** A field's place in a message, by name; NULL: there is none. */
const ProtobufCFieldDescriptor *output_field(const ProtobufCMessage *message, const char *name);
const void *output_at(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
size_t output_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);
/** Whether it holds texts: as C strings, or with their length. */
bool output_is_text(const ProtobufCFieldDescriptor *field);
/** The `i`th text of such a field, the 0th if it is not repeated. */
struct bytes output_text(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                         size_t i);
/** The `i`th element of a repeated field of messages. */
const ProtobufCMessage *output_row(const ProtobufCMessage *message,
                                   const ProtobufCFieldDescriptor *field, size_t i);
/** Its first repeated field of messages; NULL: there is none. */
const ProtobufCFieldDescriptor *output_list(const ProtobufCMessage *message);

#endif
