/* SPDX-License-Identifier: MIT */
/*
 * talk_text: writes the JSON objects of WebSocket and SSE by hand, because they are written once
 * per message and shared by all its receivers. It decides nothing about who gets what.
 */
#include "talk_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "utf8.h"

static void talk_text_escape(uint8_t byte, struct sink *out)
{
    static const char hex[] = "0123456789abcdef";
    switch (byte) {
    case '"':
    case '\\':
        sink_u8(out, '\\');
        sink_u8(out, byte);
        return;
    case '\n':
        sink_text(out, "\\n");
        return;
    case '\r':
        sink_text(out, "\\r");
        return;
    case '\t':
        sink_text(out, "\\t");
        return;
    default:
        sink_text(out, "\\u00");
        sink_u8(out, (uint8_t)hex[byte >> 4]);
        sink_u8(out, (uint8_t)hex[byte & 15]);
    }
}

/* U+2028 and U+2029 end a line in older JavaScript. */
static bool talk_text_is_separator(struct bytes text, size_t at)
{
    return text.len - at >= 3 && text.ptr[at] == 0xe2 && text.ptr[at + 1] == 0x80 &&
           (text.ptr[at + 2] & 0xfe) == 0xa8;
}

static void talk_text_escaped(struct bytes text, struct sink *out)
{
    size_t start = 0;
    for (size_t at = 0; at < text.len; at++) {
        uint8_t byte = text.ptr[at];
        bool is_separator = byte == 0xe2 && talk_text_is_separator(text, at);
        if (byte >= 0x20 && byte != '"' && byte != '\\' && !is_separator) {
            continue;
        }
        sink_put(out, bytes_of(text.ptr + start, at - start));
        if (is_separator) {
            sink_text(out, text.ptr[at + 2] == 0xa8 ? "\\u2028" : "\\u2029");
            at += 2;
        } else {
            talk_text_escape(byte, out);
        }
        start = at + 1;
    }
    sink_put(out, bytes_from(text, start));
}

void talk_text_string(struct bytes text, struct sink *out)
{
    sink_u8(out, '"');
    while (text.len > 0) {
        size_t whole;
        (void)utf8_begins_valid(text, &whole);
        talk_text_escaped(bytes_of(text.ptr, whole), out);
        if (whole < text.len) {
            sink_text(out, "\xef\xbf\xbd");
        }
        text = bytes_from(text, whole + 1);
    }
    sink_u8(out, '"');
}

static void talk_text_member(const char *name, struct bytes text, struct sink *out)
{
    sink_text(out, ",\"");
    sink_text(out, name);
    sink_text(out, "\":");
    talk_text_string(text, out);
}

static void talk_text_number(const char *name, int64_t number, struct sink *out)
{
    char text[64];
    snprintf(text, sizeof text, ",\"%s\":%" PRId64, name, number);
    sink_text(out, text);
}

static void talk_text_begin(const char *type, struct sink *out)
{
    sink_text(out, "{\"type\":\"");
    sink_text(out, type);
    sink_u8(out, '"');
}

void talk_text_entry(const struct talk_text_entry *entry, struct sink *out)
{
    bool is_message = bytes_equal(entry->event, bytes_str("message"));
    talk_text_begin(is_message ? "message" : "notice", out);
    if (entry->room.len > 0) {
        talk_text_member("room", entry->room, out);
    } else {
        sink_text(out, ",\"room\":null");
    }
    talk_text_number("seq", (int64_t)entry->seq, out);
    if (!is_message) {
        talk_text_member("event", entry->event, out);
    }
    talk_text_member(is_message ? "from" : "user", entry->user, out);
    talk_text_member(is_message ? "message" : "notice", entry->text, out);
    talk_text_number("time", entry->time_unix_ms, out);
    sink_u8(out, '}');
}

/* Every `step`th name from `start` on. */
static void talk_text_array(const char *name, const struct talk_text_list *list, size_t start,
                            size_t step, bool is_string, struct sink *out)
{
    sink_text(out, ",\"");
    sink_text(out, name);
    sink_text(out, "\":[");
    for (size_t i = start; i < list->count; i += step) {
        if (i > start) {
            sink_u8(out, ',');
        }
        if (is_string) {
            talk_text_string(list->names[i], out);
        } else {
            sink_put(out, list->names[i]);
        }
    }
    sink_u8(out, ']');
}

/* The names of those who are away, if there are any. */
static void talk_text_away(const struct talk_text_list *list, struct sink *out)
{
    bool is_any = false;
    for (size_t i = 0; i + 1 < list->count; i += 2) {
        if (list->names[i + 1].len > 0) {
            sink_text(out, is_any ? "," : ",\"away\":[");
            talk_text_string(list->names[i], out);
            is_any = true;
        }
    }
    sink_text(out, is_any ? "]" : "");
}

void talk_text_list(const struct talk_text_list *list, struct sink *out)
{
    switch (list->kind) {
    case TALK_TEXT_USERS:
        talk_text_begin("user_list", out);
        talk_text_array("users", list, 0, 2, true, out);
        talk_text_away(list, out);
        break;
    case TALK_TEXT_ROOMS:
        talk_text_begin("room_list", out);
        talk_text_array("rooms", list, 0, 2, true, out);
        talk_text_array("members", list, 1, 2, false, out);
        break;
    case TALK_TEXT_MEMBERS:
        talk_text_begin("room_user_list", out);
        talk_text_member("room", list->room, out);
        talk_text_array("users", list, 0, 2, true, out);
        talk_text_away(list, out);
        if (list->manager.len > 0) {
            talk_text_member("manager", list->manager, out);
        }
        talk_text_member("kind", bytes_str(list->is_of_operators ? "operators" : "users"), out);
        break;
    }
    talk_text_number("total", (int64_t)list->total, out);
    talk_text_number("version", list->version, out);
    if (list->first >= 0) {
        talk_text_number("first", list->first, out);
        sink_text(out, list->more ? ",\"more\":true" : ",\"more\":false");
    }
    sink_u8(out, '}');
}

void talk_text_session(const struct talk_text_session *session, struct sink *out)
{
    talk_text_begin("session", out);
    talk_text_member("user", session->user, out);
    if (session->room.len > 0) {
        talk_text_member("room", session->room, out);
        talk_text_member("room_id", session->room_id, out);
        talk_text_member("manager", session->manager, out);
    } else {
        sink_text(out, ",\"room\":null");
    }
    talk_text_member("epoch", session->epoch, out);
    talk_text_number("last", (int64_t)session->last, out);
    if (session->kept != NULL) {
        talk_text_number("kept", (int64_t)*session->kept, out);
    }
    sink_u8(out, '}');
}

void talk_text_history_begin(struct bytes room, struct sink *out)
{
    talk_text_begin("history", out);
    talk_text_member("room", room, out);
    sink_text(out, ",\"entries\":[");
}

void talk_text_history_end(bool more, struct sink *out)
{
    sink_text(out, more ? "],\"more\":true}" : "],\"more\":false}");
}

void talk_text_ack(struct bytes id, uint64_t seq, struct sink *out)
{
    talk_text_begin("ack", out);
    if (id.len > 0) {
        talk_text_member("id", id, out);
    }
    talk_text_number("seq", (int64_t)seq, out);
    sink_u8(out, '}');
}

void talk_text_with_id(struct bytes text, struct bytes id, struct sink *out)
{
    if (id.len == 0) {
        sink_put(out, text);
        return;
    }
    sink_put(out, bytes_of(text.ptr, text.len - 1)); /* without its closing brace */
    talk_text_member("id", id, out);
    sink_u8(out, '}');
}

void talk_text_error(const char *code, const char *reason, const char *name, struct bytes id,
                     struct sink *out)
{
    talk_text_begin("error", out);
    talk_text_member("code", bytes_str(code), out);
    talk_text_member("reason", bytes_str(reason), out);
    talk_text_member("name", bytes_str(name), out);
    if (id.len > 0) {
        talk_text_member("id", id, out);
    }
    sink_u8(out, '}');
}

void talk_text_gap(struct bytes room, uint64_t from, uint64_t to, struct sink *out)
{
    talk_text_begin("gap", out);
    talk_text_member("room", room, out);
    talk_text_number("from", (int64_t)from, out);
    talk_text_number("to", (int64_t)to, out);
    sink_u8(out, '}');
}

void talk_text_closed(int code, const char *reason, struct sink *out)
{
    talk_text_begin("closed", out);
    talk_text_number("code", code, out);
    talk_text_member("reason", bytes_str(reason), out);
    sink_u8(out, '}');
}

void talk_text_reconnect(int64_t after_ms, struct sink *out)
{
    talk_text_begin("reconnect", out);
    talk_text_number("after_ms", after_ms, out);
    sink_u8(out, '}');
}
