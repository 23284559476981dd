/* SPDX-License-Identifier: MIT */
/*
 * output: fields of messages by their descriptors, and one value as people read it. Tables are
 * output_people.c's, JSON is output_json.c's.
 */
#include "admin/output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "admin/cells.h"
#include "admin/units.h"
#include "admin/visible_print.h"

#define OUTPUT_NUMBER_MAX 32

struct output_style output_style_of(FILE *out)
{
    struct output_style style = {0};
    struct winsize size;
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
    if (isatty(fileno(out))) {
        style.has_colour = (no_colour == NULL || no_colour[0] == '\0') &&
                           (term == NULL || strcmp(term, "dumb") != 0);
        style.columns = ioctl(fileno(out), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
    }
    return style;
}

const ProtobufCFieldDescriptor *output_field(const ProtobufCMessage *message, const char *name)
{
    return protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
}

const void *output_at(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (const uint8_t *)message + field->offset;
}

size_t output_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return *(const size_t *)((const uint8_t *)message + field->quantifier_offset);
}

bool output_is_text(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_BYTES;
}

struct bytes output_text(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                         size_t i)
{
    const void *at = output_at(message, field);
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        at = *(void *const *)at;
    }
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        return bytes_str(((char *const *)at)[i]);
    }
    const ProtobufCBinaryData *data = (const ProtobufCBinaryData *)at + i;
    return bytes_of(data->data, data->len);
}

const ProtobufCMessage *output_row(const ProtobufCMessage *message,
                                   const ProtobufCFieldDescriptor *field, size_t i)
{
    return (*(ProtobufCMessage *const *const *)output_at(message, field))[i];
}

const ProtobufCFieldDescriptor *output_list(const ProtobufCMessage *message)
{
    for (unsigned f = 0; f < message->descriptor->n_fields; f++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[f];
        if (field->label == PROTOBUF_C_LABEL_REPEATED && field->type == PROTOBUF_C_TYPE_MESSAGE) {
            return field;
        }
    }
    return NULL;
}

/* Cells ---------------------------------------------------------------------------------------- */

static void output_double(double value, enum output_format format, char *cell)
{
    switch (format) {
    case FORMAT_BYTES:
        units_bytes(value, cell, OUTPUT_NUMBER_MAX);
        break;
    case FORMAT_AGE:
        units_age((int64_t)value, cell, OUTPUT_NUMBER_MAX);
        break;
    case FORMAT_TIME:
        units_time((int64_t)value, cell, OUTPUT_NUMBER_MAX);
        break;
    case FORMAT_RATE:
        units_rate(value, cell, OUTPUT_NUMBER_MAX);
        break;
    case FORMAT_PERCENT:
        units_percent(value, cell, OUTPUT_NUMBER_MAX);
        break;
    default:
        units_value(value, cell, OUTPUT_NUMBER_MAX);
    }
}

/* Numbers that are to be exact do not pass through a double. */
static void output_integer(const ProtobufCFieldDescriptor *field, const void *at,
                           enum output_format format, char *cell)
{
    bool is_exact = format == FORMAT_COUNT || format == FORMAT_VALUE || format == FORMAT_TEXT;
    if (field->type == PROTOBUF_C_TYPE_UINT32 && is_exact) {
        snprintf(cell, OUTPUT_NUMBER_MAX, "%" PRIu32, *(const uint32_t *)at);
    } else if (field->type == PROTOBUF_C_TYPE_UINT64 && is_exact) {
        snprintf(cell, OUTPUT_NUMBER_MAX, "%" PRIu64, *(const uint64_t *)at);
    } else if (is_exact) {
        snprintf(cell, OUTPUT_NUMBER_MAX, "%" PRId64, *(const int64_t *)at);
    } else if (field->type == PROTOBUF_C_TYPE_UINT32) {
        output_double(*(const uint32_t *)at, format, cell);
    } else if (field->type == PROTOBUF_C_TYPE_UINT64) {
        output_double((double)*(const uint64_t *)at, format, cell);
    } else {
        output_double((double)*(const int64_t *)at, format, cell);
    }
}

static void output_texts(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                         FILE *out)
{
    size_t count = field->label == PROTOBUF_C_LABEL_REPEATED ? output_count(message, field) : 1;
    for (size_t i = 0; i < count; i++) {
        fputs(i > 0 ? ", " : "", out);
        struct bytes text = output_text(message, field, i);
        (void)fwrite(text.len > 0 ? (const void *)text.ptr : "", 1, text.len, out);
    }
}

char *output_cell(const ProtobufCMessage *message, const struct output_column *column)
{
    const ProtobufCFieldDescriptor *field = output_field(message, column->field);
    char number[OUTPUT_NUMBER_MAX] = "";
    char *cell = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&cell, &size);
    if (field == NULL || out == NULL) {
        return out != NULL && fclose(out) == 0 ? cell : NULL;
    }
    const void *at = output_at(message, field);
    if (output_is_text(field)) {
        output_texts(message, field, out);
    } else if (field->type == PROTOBUF_C_TYPE_BOOL) {
        fputs(*(const protobuf_c_boolean *)at ? "yes" : "no", out);
    } else if (field->type == PROTOBUF_C_TYPE_DOUBLE) {
        output_double(*(const double *)at, column->format, number);
    } else {
        output_integer(field, at, column->format, number);
    }
    fputs(number, out);
    if (fclose(out) != 0) {
        free(cell);
        return NULL;
    }
    char *shown = visible_copy(bytes_of(cell, size));
    free(cell);
    return shown;
}
