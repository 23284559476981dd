/* SPDX-License-Identifier: MIT */
/*
 * push_text: the texts of HTTP pushes as the original's gson and netty write them. It decides
 * neither what is pushed nor to whom, and reads nothing.
 */
#include "push_text.h"

#include "base64.h"

static const char *const push_targets[PUSH_TYPE_COUNT] = {
#define PUSH_TYPE_TARGET(name, target, member) target,
    PUSH_TYPES(PUSH_TYPE_TARGET)
#undef PUSH_TYPE_TARGET
};

static const char *const push_members[PUSH_TYPE_COUNT] = {
#define PUSH_TYPE_MEMBER(name, target, member) member,
    PUSH_TYPES(PUSH_TYPE_MEMBER)
#undef PUSH_TYPE_MEMBER
};

const char *push_type_target(enum push_type type)
{
    return push_targets[type];
}

/* Base64 in quotes, its padding escaped as gson does. */
static void push_quoted(struct bytes text, struct sink *out)
{
    size_t padding = (3 - text.len % 3) % 3;
    sink_u8(out, '"');
    struct sink before = *out;
    base64_encode(text, out);
    out->len = before.len + base64_encoded_bytes(text.len) - padding;
    for (size_t i = 0; i < padding; i++) {
        sink_text(out, "\\u003d");
    }
    sink_u8(out, '"');
}

static void push_member(const char *name, struct sink *out)
{
    sink_text(out, "  \"");
    sink_text(out, name);
    sink_text(out, "\": ");
}

static void push_decimal(int64_t value, struct sink *out)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0) {
        sink_u8(out, '-');
    }
    sink_put(out, bytes_of(digits + at, sizeof digits - at));
}

void push_list_body(enum push_type type, const struct bytes *names, size_t count, size_t step,
                    struct sink *out)
{
    sink_text(out, "{\n");
    push_member(push_members[type], out);
    sink_text(out, count == 0 ? "[]" : "[");
    for (size_t i = 0; i < count; i += step) {
        sink_text(out, i == 0 ? "\n    " : ",\n    ");
        push_quoted(names[i], out);
    }
    sink_text(out, count == 0 ? "\n}" : "\n  ]\n}");
}

void push_notice_body(struct bytes text, struct sink *out)
{
    sink_text(out, "{\n");
    push_member("notice", out);
    push_quoted(text, out);
    sink_text(out, "\n}");
}

void push_message_body(struct bytes host_name, struct bytes message, int64_t time_unix_ms,
                       struct sink *out)
{
    sink_text(out, "{\n");
    push_member("hostName", out);
    push_quoted(host_name, out);
    sink_text(out, ",\n");
    push_member("message", out);
    push_quoted(message, out);
    sink_text(out, ",\n");
    push_member("messageTime", out);
    push_decimal(time_unix_ms, out);
    sink_text(out, "\n}");
}

void push_request_head(enum push_type type, struct bytes host, struct bytes user_agent,
                       size_t content_bytes, struct sink *out)
{
    const char *target = push_targets[type];
    sink_text(out, "POST ");
    sink_text(out, target);
    sink_text(out, " HTTP/1.1\r\nhost: ");
    sink_put(out, host);
    sink_text(out, "\r\nuser-agent: ");
    sink_put(out, user_agent);
    sink_text(out, "\r\ncontent-type: application/json\r\nmessage-type: ");
    sink_text(out, target);
    sink_text(out, "\r\ncontent-length: ");
    push_decimal((int64_t)content_bytes, out);
    sink_text(out, "\r\n\r\n");
}
