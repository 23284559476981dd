/* SPDX-License-Identifier: MIT */
/* control_form: looks at a request's text fields by their names. What is asked for is not its
 * affair. */
#include "control_form.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "node/base/name_key.h"
#include "proto/utf8.h"

#define CONTROL_FORM_ERROR 256

bool control_form_is_name(const char *field)
{
    return strcmp(field, "room") == 0 || strcmp(field, "user") == 0;
}

static bool control_form_name(struct bytes text)
{
    uint8_t storage[NAME_KEY_BYTES_MAX];
    struct bytes key;
    return utf8_name_valid(text, CONFIG_NAME_BYTES_MAX) && name_key(text, storage, &key);
}

static bool control_form_field(const char *name, struct bytes text, const struct config *config,
                               char *ret_error)
{
    if (!utf8_valid(text)) {
        snprintf(ret_error, CONTROL_FORM_ERROR, "%s is not UTF-8", name);
    } else if (bytes_have_nul(text)) {
        snprintf(ret_error, CONTROL_FORM_ERROR, "%s contains U+0000, which no text may", name);
    } else if (text.len > 0 && control_form_is_name(name) && !control_form_name(text)) {
        snprintf(ret_error, CONTROL_FORM_ERROR,
                 "%s is no name: at most %d bytes, without control characters, of characters that "
                 "Unicode has, some of which can be seen",
                 name, CONFIG_NAME_BYTES_MAX);
    } else if (strcmp(name, "text") == 0 && text.len > (size_t)config->limits_message_bytes) {
        snprintf(ret_error, CONTROL_FORM_ERROR,
                 "%s has %zu bytes; %" PRId64 " are allowed (limits.message_bytes)", name, text.len,
                 config->limits_message_bytes);
    } else {
        return true;
    }
    return false;
}

bool control_form_good(const ProtobufCMessage *request, const struct config *config,
                       char *ret_error)
{
    snprintf(ret_error, CONTROL_FORM_ERROR, "the actor is not UTF-8");
    for (unsigned i = 0; i < request->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &request->descriptor->fields[i];
        const void *at = (const uint8_t *)request + field->offset;
        struct bytes text = bytes_of(NULL, 0);
        if (field->type == PROTOBUF_C_TYPE_STRING) {
            text = bytes_str(*(char *const *)at);
        } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
            const ProtobufCBinaryData *data = at;
            text = bytes_of(data->data, data->len);
        }
        if (!control_form_field(field->name, text, config, ret_error)) {
            return false;
        }
    }
    return true;
}
