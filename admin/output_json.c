/* SPDX-License-Identifier: MIT */
/*
 * output_json: a message as one line of JSON: all its fields, in the order of the .proto file, with
 * its names. Text is never cut; what is not UTF-8 becomes U+FFFD.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "admin/output.h"
#include "admin/units.h"
#include "proto/talk_text.h"

static void output_json_string(struct bytes text, FILE *out)
{
    struct sink measure = sink_into(NULL, 0);
    talk_text_string(text, &measure);
    uint8_t *quoted = malloc(measure.len);
    if (quoted == NULL) {
        fputs("null", out);
        return;
    }
    struct sink written = sink_into(quoted, measure.len);
    talk_text_string(text, &written);
    (void)fwrite(quoted, 1, written.len, out);
    free(quoted);
}

static void output_json_double(double value, FILE *out)
{
    char text[32] = "null"; /* JSON knows no infinity */
    if (isfinite(value)) {
        units_value(value, text, sizeof text);
    }
    fputs(text, out);
}

static void output_json_message(const ProtobufCMessage *message, FILE *out);

/* One value, the i-th of a repeated field. */
static void output_json_value(const ProtobufCMessage *message,
                              const ProtobufCFieldDescriptor *field, size_t i, FILE *out)
{
    const void *at = output_at(message, field);
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
        output_json_string(output_text(message, field, i), out);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            output_json_message(output_row(message, field, i), out);
        } else if (*(ProtobufCMessage *const *)at == NULL) {
            fputs("null", out);
        } else {
            output_json_message(*(ProtobufCMessage *const *)at, out);
        }
        break;
    case PROTOBUF_C_TYPE_BOOL:
        fputs(*(const protobuf_c_boolean *)at ? "true" : "false", out);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        output_json_double(*(const double *)at, out);
        break;
    case PROTOBUF_C_TYPE_UINT32:
        fprintf(out, "%" PRIu32, *(const uint32_t *)at);
        break;
    case PROTOBUF_C_TYPE_UINT64:
        fprintf(out, "%" PRIu64, *(const uint64_t *)at);
        break;
    case PROTOBUF_C_TYPE_INT64:
        fprintf(out, "%" PRId64, *(const int64_t *)at);
        break;
    default:
        fputs("null", out); /* a type that the .proto files do not use */
    }
}

/* Repeated are texts and messages only. */
static void output_json_array(const ProtobufCMessage *message,
                              const ProtobufCFieldDescriptor *field, FILE *out)
{
    fputc('[', out);
    for (size_t i = 0; i < output_count(message, field); i++) {
        fputs(i > 0 ? "," : "", out);
        output_json_value(message, field, i, out);
    }
    fputc(']', out);
}

static void output_json_message(const ProtobufCMessage *message, FILE *out)
{
    fputc('{', out);
    for (unsigned f = 0; f < message->descriptor->n_fields; f++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[f];
        fprintf(out, "%s\"%s\":", f > 0 ? "," : "", field->name);
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            output_json_array(message, field, out);
        } else {
            output_json_value(message, field, 0, out);
        }
    }
    fputc('}', out);
}

void output_json(const ProtobufCMessage *message, FILE *out)
{
    output_json_message(message, out);
    fputc('\n', out);
}
