/* SPDX-License-Identifier: MIT */
/*
 * talk_show: makes texts safe and puts lines together. Pure, but for the time zone. Where lines go
 * is talk_screen.c's.
 */
#include "admin/talk/talk_show.h"

#include <stdio.h>
#include <time.h>

#include "proto/utf8.h"

#define TALK_SHOW_DIM    "\033[90m"
#define TALK_SHOW_NAME   "\033[36m"
#define TALK_SHOW_OWN    "\033[32m"
#define TALK_SHOW_WARN   "\033[33m"
#define TALK_SHOW_NORMAL "\033[0m"

/* Safety --------------------------------------------------------------------------------------- */

/* The character at the front of well-formed UTF-8. */
static uint32_t talk_show_character(struct bytes text, size_t *ret_len)
{
    uint8_t first = text.ptr[0];
    *ret_len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint32_t value = first < 0x80 ? first : first & (0x7fu >> *ret_len);
    for (size_t i = 1; i < *ret_len; i++) {
        value = value << 6 | (text.ptr[i] & 0x3f);
    }
    return value;
}

/* What moves text about without being seen: separators, marks and overrides of direction. */
static bool talk_show_is_unseen(uint32_t character)
{
    return (character >= 0x80 && character < 0xa0) || character == 0x061c ||
           (character >= 0x200e && character <= 0x200f) ||
           (character >= 0x2028 && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069) || character == 0xfeff ||
           (character >= 0xfff9 && character <= 0xfffb);
}

static void talk_show_safe_character(uint32_t character, struct bytes encoded, struct sink *out)
{
    if (character == '\t') {
        sink_u8(out, ' ');
    } else if (character == '\n') {
        sink_text(out, "\u2424"); /* a visible NL */
    } else if (character < 0x20) {
        const uint8_t picture[3] = {0xe2, 0x90, (uint8_t)(0x80 + character)}; /* U+2400.. */
        sink_put(out, bytes_of(picture, sizeof picture));
    } else if (character == 0x7f) {
        sink_text(out, "\u2421");
    } else if (talk_show_is_unseen(character)) {
        sink_text(out, "\ufffd");
    } else {
        sink_put(out, encoded);
    }
}

void talk_show_safe(struct bytes text, struct sink *out)
{
    while (text.len > 0) {
        size_t whole, len;
        if (utf8_begins_valid(text, &whole) && whole == 0) {
            whole = text.len; /* the beginning of a character that never ends */
            sink_text(out, "\ufffd");
        } else if (whole == 0) {
            whole = 1;
            sink_text(out, "\ufffd");
        } else {
            for (size_t at = 0; at < whole; at += len) {
                struct bytes rest = bytes_from(text, at);
                uint32_t character = talk_show_character(rest, &len);
                talk_show_safe_character(character, bytes_of(rest.ptr, len), out);
            }
        }
        text = bytes_from(text, whole);
    }
}

/* Lines ---------------------------------------------------------------------------------------- */

static void talk_show_colour(const struct talk_show *show, const char *colour, struct sink *out)
{
    if (show->has_colour) {
        sink_text(out, colour);
    }
}

static void talk_show_time(int64_t unix_ms, struct sink *out)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm local;
    char text[16] = "--:--";
    if (localtime_r(&seconds, &local) != NULL) {
        (void)strftime(text, sizeof text, "%H:%M", &local);
    }
    sink_text(out, text);
}

/* "\r\n" ends a line, too. */
static void talk_show_lines(const struct talk_show *show, struct bytes text, struct sink *out)
{
    const uint8_t *end;
    while (!show->is_plain && text.len > 0 && (end = memchr(text.ptr, '\n', text.len)) != NULL) {
        size_t len = (size_t)(end - text.ptr);
        size_t shown = len > 0 && text.ptr[len - 1] == '\r' ? len - 1 : len;
        talk_show_safe(bytes_of(text.ptr, shown), out);
        text = bytes_from(text, len + 1);
        sink_text(out, "\n      ");
    }
    talk_show_safe(text, out);
}

void talk_show_said(const struct talk_show *show, int64_t time_unix_ms, struct bytes from,
                    bool is_own, struct bytes text, struct sink *out)
{
    talk_show_colour(show, TALK_SHOW_DIM, out);
    talk_show_time(time_unix_ms, out);
    talk_show_colour(show, TALK_SHOW_NORMAL, out);
    sink_u8(out, ' ');
    talk_show_colour(show, is_own ? TALK_SHOW_OWN : TALK_SHOW_NAME, out);
    talk_show_safe(from, out);
    talk_show_colour(show, TALK_SHOW_NORMAL, out);
    sink_text(out, ": ");
    talk_show_lines(show, text, out);
}

void talk_show_event(const struct talk_show *show, struct bytes event, struct bytes user,
                     struct bytes notice, struct sink *out)
{
    static const struct {
        const char *event, *words;
    } table[] = {{"created", " opened the room"},
                 {"joined", " joined"},
                 {"left", " left"},
                 {"invited", " was invited and joined"},
                 {"removed", " was removed"},
                 {"manager", " manages the room now"}};
    const char *words = NULL;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (bytes_equal(event, bytes_str(table[i].event))) {
            words = table[i].words;
        }
    }
    talk_show_colour(show, TALK_SHOW_DIM, out);
    sink_text(out, "* ");
    talk_show_safe(words != NULL ? user : notice, out);
    sink_text(out, words != NULL ? words : "");
    talk_show_colour(show, TALK_SHOW_NORMAL, out);
}

void talk_show_status(const struct talk_show *show, const char *text, struct sink *out)
{
    talk_show_colour(show, TALK_SHOW_DIM, out);
    sink_text(out, "* ");
    sink_text(out, text);
    talk_show_colour(show, TALK_SHOW_NORMAL, out);
}

void talk_show_error(const struct talk_show *show, const char *text, struct sink *out)
{
    talk_show_colour(show, TALK_SHOW_WARN, out);
    sink_text(out, show->is_plain ? "hgtpctl talk: " : "! ");
    sink_text(out, text);
    talk_show_colour(show, TALK_SHOW_NORMAL, out);
}
