/* SPDX-License-Identifier: MIT */
/* visible: what stands for characters that cannot be seen. Which texts need it is for who shows
 * them. */
#include "proto/visible.h"

#include "proto/utf8.h"

/* The character at the front of well-formed UTF-8. */
static uint32_t visible_character(struct bytes text, size_t *ret_len)
{
    uint8_t first = text.ptr[0];
    *ret_len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint32_t value = first < 0x80 ? first : first & (0x7fu >> *ret_len);
    for (size_t i = 1; i < *ret_len; i++) {
        value = value << 6 | (text.ptr[i] & 0x3f);
    }
    return value;
}

/* Steers what is around it without being seen itself: C1, separators, marks and overrides of
 * direction. */
static bool visible_is_steering(uint32_t character)
{
    return (character >= 0x80 && character < 0xa0) || character == 0x061c ||
           (character >= 0x200e && character <= 0x200f) ||
           (character >= 0x2028 && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069) || character == 0xfeff ||
           (character >= 0xfff9 && character <= 0xfffb);
}

static void visible_put_character(uint32_t character, struct bytes encoded, struct sink *out)
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
    } else if (visible_is_steering(character)) {
        sink_text(out, "\ufffd");
    } else {
        sink_put(out, encoded);
    }
}

void visible_put(struct bytes text, struct sink *out)
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
                uint32_t character = visible_character(rest, &len);
                visible_put_character(character, bytes_of(rest.ptr, len), out);
            }
        }
        text = bytes_from(text, whole);
    }
}
