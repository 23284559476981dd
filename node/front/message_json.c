/* SPDX-License-Identifier: MIT */
/*
 * message_json: reads the body of `POST message` with jansson, as lenient as the original's gson
 * where that does no harm. Writing the same JSON is proto/push_text.c's.
 */
#include "message_json.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "proto/base64.h"

/* Deep nesting in members that nobody reads would cost stack; jansson refuses beyond 2048 levels.
 */

static bool message_json_whole(double number, int64_t *ret_time)
{
    if (!(fabs(number) < 9007199254740992.0) || floor(number) != number) {
        return false;
    }
    *ret_time = (int64_t)number;
    return true;
}

static bool message_json_text_time(const char *text, int64_t *ret_time)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0') {
        *ret_time = value;
        return true;
    }
    errno = 0;
    double number = strtod(text, &end);
    return errno == 0 && end != text && *end == '\0' && message_json_whole(number, ret_time);
}

static bool message_json_time(const json_t *value, int64_t *ret_time)
{
    *ret_time = 0;
    if (value == NULL || json_is_null(value)) {
        return true;
    }
    if (json_is_integer(value)) {
        *ret_time = json_integer_value(value);
        return true;
    }
    if (json_is_real(value)) {
        return message_json_whole(json_real_value(value), ret_time);
    }
    return json_is_string(value) && message_json_text_time(json_string_value(value), ret_time);
}

enum err message_json_decode(struct bytes json, uint8_t *storage, struct message_json *ret_message)
{
    json_t *root = json_loadb((const char *)json.ptr, json.len, JSON_ALLOW_NUL, NULL);
    const json_t *text = json_object_get(root, "message");
    enum err err = ERR_MALFORMED;
    struct sink out = sink_into(storage, json.len);
    int64_t time_unix_ms;
    if (json_is_string(json_object_get(root, "type"))) {
        *ret_message = (struct message_json){.is_text = true};
        err = ERR_NONE;
    } else if (json_is_string(text) &&
               message_json_time(json_object_get(root, "messageTime"), &time_unix_ms) &&
               base64_decode(bytes_of(json_string_value(text), json_string_length(text)), &out) &&
               sink_fits(&out)) {
        *ret_message =
            (struct message_json){.text = sink_bytes(&out), .time_unix_ms = time_unix_ms};
        err = ERR_NONE;
    }
    json_decref(root);
    return err;
}
