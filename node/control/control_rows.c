/* SPDX-License-Identifier: MIT */
/*
 * control_rows: fields of messages from text and to text. What a method does is control.c's and the
 * scripts'.
 */
#include "control_rows.h"

#include <stdlib.h>

#include "control_form.h"
#include "node/core/script_args.h"

static const void *control_rows_at(const ProtobufCMessage *message,
                                   const ProtobufCFieldDescriptor *field)
{
    return (const uint8_t *)message + field->offset;
}

static void control_rows_arg(const ProtobufCMessage *request, const ProtobufCFieldDescriptor *field,
                             struct script_args *args)
{
    const void *at = control_rows_at(request, field);
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        script_args_str(args, field->name, *(char *const *)at);
        break;
    case PROTOBUF_C_TYPE_BYTES: {
        const ProtobufCBinaryData *data = at;
        struct bytes value = bytes_of(data->data, data->len);
        if (control_form_is_name(field->name)) {
            script_args_name(args, field->name, value);
        } else {
            script_args_bytes(args, field->name, value);
        }
        break;
    }
    case PROTOBUF_C_TYPE_BOOL:
        script_args_str(args, field->name, *(const protobuf_c_boolean *)at ? "1" : "");
        break;
    case PROTOBUF_C_TYPE_UINT32:
        script_args_int(args, field->name, *(const uint32_t *)at);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_INT64:
        script_args_int(args, field->name, *(const int64_t *)at);
        break;
    default:
        break; /* no request has one */
    }
}

void control_rows_args(const ProtobufCMessage *request, struct script_args *args)
{
    for (unsigned i = 0; i < request->descriptor->n_fields; i++) {
        control_rows_arg(request, &request->descriptor->fields[i], args);
    }
}

ProtobufCMessage *control_rows_new(const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = calloc(1, type->sizeof_message);
    if (message != NULL) {
        protobuf_c_message_init(type, message);
    }
    return message;
}

static char *control_rows_text(struct bytes value)
{
    char *text = malloc(value.len + 1);
    if (text != NULL) {
        sink_put(&(struct sink){(uint8_t *)text, value.len, 0}, value);
        text[value.len] = '\0';
    }
    return text;
}

/* One more element of a repeated field, zeroed; NULL when memory is out. */
static void *control_rows_more(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                               size_t element_bytes)
{
    void **array = (void **)((uint8_t *)message + field->offset);
    size_t *count = (size_t *)((uint8_t *)message + field->quantifier_offset);
    uint8_t *longer = realloc(*array, (*count + 1) * element_bytes);
    if (longer == NULL) {
        return NULL;
    }
    *array = longer;
    memset(longer + *count * element_bytes, 0, element_bytes);
    return longer + (*count)++ * element_bytes;
}

static bool control_rows_string(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                                struct bytes value)
{
    char *text = control_rows_text(value);
    bool is_list = field->label == PROTOBUF_C_LABEL_REPEATED;
    char **at = is_list ? control_rows_more(message, field, sizeof *at)
                        : (char **)((uint8_t *)message + field->offset);
    if (text == NULL || at == NULL) {
        free(text);
        return false;
    }
    if (!is_list && *at != protobuf_c_empty_string) {
        free(*at);
    }
    *at = text;
    return true;
}

static bool control_rows_bytes(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                               struct bytes value)
{
    uint8_t *data = (uint8_t *)control_rows_text(value);
    bool is_list = field->label == PROTOBUF_C_LABEL_REPEATED;
    ProtobufCBinaryData *at = is_list ? control_rows_more(message, field, sizeof *at)
                                      : (ProtobufCBinaryData *)((uint8_t *)message + field->offset);
    if (data == NULL || at == NULL) {
        free(data);
        return false;
    }
    free(at->data);
    *at = (ProtobufCBinaryData){value.len, data};
    return true;
}

bool control_rows_set(ProtobufCMessage *message, struct bytes name, struct bytes value)
{
    char key[64], digits[64];
    snprintf(key, sizeof key, "%.*s", (int)name.len, (const char *)name.ptr);
    snprintf(digits, sizeof digits, "%.*s", (int)value.len, (const char *)value.ptr);
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, key);
    if (field == NULL) {
        return false;
    }
    void *at = (uint8_t *)message + field->offset;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return control_rows_string(message, field, value);
    case PROTOBUF_C_TYPE_BYTES:
        return control_rows_bytes(message, field, value);
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = value.len > 0 && digits[0] != '0';
        return true;
    case PROTOBUF_C_TYPE_UINT32:
        *(uint32_t *)at = (uint32_t)strtoul(digits, NULL, 10);
        return true;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_INT64:
        *(int64_t *)at = strtoll(digits, NULL, 10);
        return true;
    case PROTOBUF_C_TYPE_DOUBLE:
        *(double *)at = strtod(digits, NULL);
        return true;
    default:
        return false;
    }
}

/* The repeated field of `reply` whose elements are messages of that name. */
static const ProtobufCFieldDescriptor *control_rows_list_of(const ProtobufCMessage *reply,
                                                            struct bytes name)
{
    for (unsigned i = 0; i < reply->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &reply->descriptor->fields[i];
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && field->label == PROTOBUF_C_LABEL_REPEATED) {
            const ProtobufCMessageDescriptor *type = field->descriptor;
            if (bytes_equal(name, bytes_str(type->short_name))) {
                return field;
            }
        }
    }
    return NULL;
}

bool control_rows_str(ProtobufCMessage *message, const char *field, const char *value)
{
    return control_rows_set(message, bytes_str(field), bytes_str(value));
}

ProtobufCMessage *control_rows_add(ProtobufCMessage *message, struct bytes name)
{
    const ProtobufCFieldDescriptor *list = control_rows_list_of(message, name);
    ProtobufCMessage *element = list != NULL ? control_rows_new(list->descriptor) : NULL;
    ProtobufCMessage **at = element != NULL ? control_rows_more(message, list, sizeof *at) : NULL;
    if (at == NULL) {
        free(element);
        return NULL;
    }
    *at = element;
    return element;
}

bool control_rows_put(ProtobufCMessage *reply, const struct effect *row)
{
    ProtobufCMessage *into = reply;
    if (row->count < 2) {
        return false;
    }
    if (!bytes_equal(row->fields[1], bytes_str(reply->descriptor->short_name))) {
        into = control_rows_add(reply, row->fields[1]);
    }
    if (into == NULL) {
        return false;
    }
    bool is_good = true;
    for (size_t i = 2; i + 1 < row->count; i += 2) {
        is_good = control_rows_set(into, row->fields[i], row->fields[i + 1]) && is_good;
    }
    return is_good;
}
