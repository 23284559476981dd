/* SPDX-License-Identifier: MIT */
/*
 * output: prints messages by their descriptors. It knows no verb; which columns a table has is in
 * the table of verbs.
 */
#include "output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "proto/talk_text.h"

#define OUTPUT_CELL_MAX    512
#define OUTPUT_COLUMNS_MAX 16

/* Values --------------------------------------------------------------------------------------- */

static size_t output_count(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return *(const size_t *)((const uint8_t *)message + field->quantifier_offset);
}

static const void *output_at(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (const uint8_t *)message + field->offset;
}

/* The `i`th element of a repeated field, or the field itself. */
static const void *output_element(const ProtobufCMessage *message,
                                  const ProtobufCFieldDescriptor *field, size_t i)
{
    const void *at = output_at(message, field);
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
        return at;
    }
    /* Repeated are strings and messages only: pointers both. */
    return *(void *const *const *)at + i;
}

/* JSON ----------------------------------------------------------------------------------------- */

static void output_json_string(const char *text, FILE *out)
{
    struct sink measure = sink_into(NULL, 0);
    talk_text_string(bytes_str(text), &measure);
    uint8_t *quoted = malloc(measure.len);
    if (quoted != NULL) {
        struct sink written = sink_into(quoted, measure.len);
        talk_text_string(bytes_str(text), &written);
        (void)fwrite(quoted, 1, written.len, out);
    }
    free(quoted);
}

static void output_json_message(const ProtobufCMessage *message, FILE *out);

static void output_json_value(const ProtobufCFieldDescriptor *field, const void *at, FILE *out)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        output_json_string(*(char *const *)at, out);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        if (*(ProtobufCMessage *const *)at == NULL) {
            fputs("null", out);
        } else {
            output_json_message(*(ProtobufCMessage *const *)at, out);
        }
        break;
    case PROTOBUF_C_TYPE_BOOL:
        fputs(*(const protobuf_c_boolean *)at ? "true" : "false", out);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        fprintf(out, "%.10g", *(const double *)at);
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
        fputs("null", out);
    }
}

static void output_json_message(const ProtobufCMessage *message, FILE *out)
{
    fputc('{', out);
    for (unsigned f = 0; f < message->descriptor->n_fields; f++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[f];
        fprintf(out, "%s\"%s\":", f > 0 ? "," : "", field->name);
        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
            output_json_value(field, output_at(message, field), out);
            continue;
        }
        fputc('[', out);
        for (size_t i = 0; i < output_count(message, field); i++) {
            fputs(i > 0 ? "," : "", out);
            output_json_value(field, output_element(message, field, i), out);
        }
        fputc(']', out);
    }
    fputc('}', out);
}

void output_json(const ProtobufCMessage *message, FILE *out)
{
    output_json_message(message, out);
    fputc('\n', out);
}

/* Cells ---------------------------------------------------------------------------------------- */

size_t output_width(const char *text)
{
    mbstate_t state = {0};
    size_t width = 0;
    while (*text != '\0') {
        wchar_t c;
        size_t len = mbrtowc(&c, text, MB_CUR_MAX, &state);
        if (len == 0 || len > MB_CUR_MAX) {
            state = (mbstate_t){0};
            text++;
            width++;
            continue;
        }
        int columns = wcwidth(c);
        width += columns >= 0 ? (size_t)columns : 1;
        text += len;
    }
    return width;
}

static void output_units(double value, double step, const char *const *units, char *cell)
{
    size_t unit = 0;
    while (value >= step && units[unit + 1] != NULL) {
        value /= step;
        unit++;
    }
    snprintf(cell, OUTPUT_CELL_MAX, unit > 0 && value < 10 ? "%.1f%s" : "%.0f%s", value,
             units[unit]);
}

static void output_age(int64_t ms, char *cell)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    size_t unit = 0;
    while (unit < 4 && ms < units[unit].ms * 2) {
        unit++;
    }
    snprintf(cell, OUTPUT_CELL_MAX, "%" PRId64 "%s", ms / units[unit].ms, units[unit].unit);
}

static void output_number(double value, enum output_format format, char *cell)
{
    static const char *const bytes[] = {"B", "K", "M", "G", "T", NULL};
    time_t seconds = (time_t)(value / 1000);
    struct tm parts;
    switch (format) {
    case FORMAT_BYTES:
        output_units(value, 1024, bytes, cell);
        break;
    case FORMAT_AGE:
        output_age((int64_t)value, cell);
        break;
    case FORMAT_TIME:
        localtime_r(&seconds, &parts);
        strftime(cell, OUTPUT_CELL_MAX, "%Y-%m-%d %H:%M:%S", &parts);
        break;
    default:
        snprintf(cell, OUTPUT_CELL_MAX, "%.10g", value);
    }
}

/* What others chose as a name must not steer the terminal. */
static void output_harmless(char *cell)
{
    for (; *cell != '\0'; cell++) {
        if ((unsigned char)*cell < 0x20 || *cell == 0x7f) {
            *cell = '?';
        }
    }
}

static void output_cell(const ProtobufCMessage *message, const struct output_column *column,
                        char cell[OUTPUT_CELL_MAX])
{
    cell[0] = '\0';
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, column->field);
    if (field == NULL) {
        return;
    }
    size_t count = field->label == PROTOBUF_C_LABEL_REPEATED ? output_count(message, field) : 1;
    for (size_t i = 0; i < count; i++) {
        const void *at = output_element(message, field, i);
        size_t used = strlen(cell);
        switch (field->type) {
        case PROTOBUF_C_TYPE_STRING:
            snprintf(cell + used, OUTPUT_CELL_MAX - used, "%s%s", i > 0 ? ", " : "",
                     *(char *const *)at);
            break;
        case PROTOBUF_C_TYPE_BOOL:
            snprintf(cell, OUTPUT_CELL_MAX, "%s", *(const protobuf_c_boolean *)at ? "yes" : "");
            break;
        case PROTOBUF_C_TYPE_DOUBLE:
            output_number(*(const double *)at, column->format, cell);
            break;
        case PROTOBUF_C_TYPE_UINT32:
            output_number(*(const uint32_t *)at, column->format, cell);
            break;
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_INT64:
            output_number((double)*(const int64_t *)at, column->format, cell);
            break;
        default:
            break;
        }
    }
    output_harmless(cell);
}

/* Tables --------------------------------------------------------------------------------------- */

static const ProtobufCFieldDescriptor *output_list_of(const ProtobufCMessage *reply)
{
    for (unsigned f = 0; f < reply->descriptor->n_fields; f++) {
        const ProtobufCFieldDescriptor *field = &reply->descriptor->fields[f];
        if (field->label == PROTOBUF_C_LABEL_REPEATED && field->type == PROTOBUF_C_TYPE_MESSAGE) {
            return field;
        }
    }
    return NULL;
}

static void output_pad(const char *cell, size_t width, bool is_right, bool is_last, FILE *out)
{
    size_t has = output_width(cell);
    int blanks = has < width ? (int)(width - has) : 0;
    if (is_right) {
        fprintf(out, "%*s%s", blanks, "", cell);
    } else {
        fprintf(out, "%s%*s", cell, is_last ? 0 : blanks, "");
    }
    fputs(is_last ? "\n" : "  ", out);
}

void output_table(const ProtobufCMessage *reply, const struct output_column *columns,
                  bool has_colour, FILE *out)
{
    const ProtobufCFieldDescriptor *list = output_list_of(reply);
    size_t widths[OUTPUT_COLUMNS_MAX] = {0}, column_count = 0;
    size_t row_count = list != NULL ? output_count(reply, list) : 0;
    char cell[OUTPUT_CELL_MAX];
    while (columns[column_count].heading != NULL && column_count < OUTPUT_COLUMNS_MAX) {
        widths[column_count] = output_width(columns[column_count].heading);
        column_count++;
    }
    for (size_t i = 0; i < row_count; i++) {
        const ProtobufCMessage *row = *(ProtobufCMessage *const *)output_element(reply, list, i);
        for (size_t c = 0; c < column_count; c++) {
            output_cell(row, &columns[c], cell);
            size_t width = output_width(cell);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    fputs(has_colour ? "\033[1m" : "", out);
    for (size_t c = 0; c < column_count; c++) {
        output_pad(columns[c].heading, widths[c], columns[c].format != FORMAT_TEXT,
                   c + 1 == column_count, out);
    }
    fputs(has_colour ? "\033[0m" : "", out);
    for (size_t i = 0; i < row_count; i++) {
        const ProtobufCMessage *row = *(ProtobufCMessage *const *)output_element(reply, list, i);
        for (size_t c = 0; c < column_count; c++) {
            output_cell(row, &columns[c], cell);
            output_pad(cell, widths[c], columns[c].format != FORMAT_TEXT, c + 1 == column_count,
                       out);
        }
    }
}

void output_fields(const ProtobufCMessage *message, const struct output_column *columns, FILE *out)
{
    char cell[OUTPUT_CELL_MAX];
    size_t width = 0;
    for (size_t c = 0; columns[c].heading != NULL; c++) {
        size_t len = output_width(columns[c].heading);
        width = len > width ? len : width;
    }
    for (size_t c = 0; columns[c].heading != NULL; c++) {
        output_cell(message, &columns[c], cell);
        if (cell[0] != '\0') {
            fprintf(out, "%-*s  %s\n", (int)width, columns[c].heading, cell);
        }
    }
}
