/* SPDX-License-Identifier: MIT */
/*
 * message_json: reads the body of `POST message` with jansson, as lenient as the original's gson
 * where that does no harm. Writing the same JSON is proto/push_text.c's.
 */
#include "message_json.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "json_members.h"
#include "proto/base64.h"

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
    enum { TYPE, TEXT, TIME, COUNT };
    static const char *const names[COUNT] = {"type", "message", "messageTime"};
    json_t *members[COUNT];
    bool is_whole = json_members_read(json, names, COUNT, members);
    enum err err = ERR_MALFORMED;
    struct sink out = sink_into(storage, json.len);
    int64_t time_unix_ms;
    if (json_is_string(members[TYPE])) {
        *ret_message = (struct message_json){.is_text = true};
        err = ERR_NONE;
    } else if (is_whole && json_is_string(members[TEXT]) &&
               message_json_time(members[TIME], &time_unix_ms) &&
               base64_decode(json_members_string(members[TEXT]), &out) && sink_fits(&out)) {
        *ret_message =
            (struct message_json){.text = sink_bytes(&out), .time_unix_ms = time_unix_ms};
        err = ERR_NONE;
    }
    json_members_free(members, COUNT);
    return err;
}
