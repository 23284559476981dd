/* SPDX-License-Identifier: MIT */
/*
 * top_keys: UTF-8, and the sequences that begin with ESC, as terminals of today send them. What is
 * not known is taken as a whole and dropped, so that its bytes do nothing.
 */
#include "admin/top/top_keys.h"

#include <string.h>

static const struct {
    const char *sequence; /* behind ESC [ or ESC O */
    uint32_t key;
} top_keys_known[] = {{"A", KEY_UP},      {"B", KEY_DOWN},     {"C", KEY_RIGHT},
                      {"D", KEY_LEFT},    {"5~", KEY_PAGE_UP}, {"6~", KEY_PAGE_DOWN},
                      {"H", KEY_HOME},    {"1~", KEY_HOME},    {"7~", KEY_HOME},
                      {"F", KEY_END},     {"4~", KEY_END},     {"8~", KEY_END},
                      {"Z", KEY_BACK_TAB}};

static uint32_t top_keys_find(const char *sequence)
{
    for (size_t i = 0; i < sizeof top_keys_known / sizeof top_keys_known[0]; i++) {
        if (strcmp(top_keys_known[i].sequence, sequence) == 0) {
            return top_keys_known[i].key;
        }
    }
    return KEY_NONE;
}

static uint32_t top_keys_sequence(struct top_keys *keys, char byte)
{
    char introducer = keys->len > 1 ? keys->bytes[1] : '\0';
    if (keys->len == 2) { /* its second byte has just come */
        if (introducer != '[' && introducer != 'O') {
            keys->len = 0; /* Alt and a key */
        }
        return KEY_NONE;
    }
    bool is_last = byte >= 0x40 && byte <= 0x7e;
    if (is_last || keys->len == sizeof keys->bytes - 1) {
        keys->bytes[keys->len] = '\0';
        keys->len = 0;
        return is_last ? top_keys_find(keys->bytes + 2) : KEY_NONE;
    }
    return KEY_NONE;
}

static size_t top_keys_utf8_len(unsigned char first)
{
    return first < 0x80 ? 1 : first >= 0xf0 && first < 0xf8 ? 4 : first >= 0xe0 ? 3 : 2;
}

static uint32_t top_keys_character(struct top_keys *keys)
{
    unsigned char first = (unsigned char)keys->bytes[0];
    size_t len = top_keys_utf8_len(first);
    if (first >= 0x80 && (first < 0xc2 || first >= 0xf5)) {
        keys->len = 0;
        return KEY_NONE;
    }
    if (keys->len < len) {
        return KEY_NONE;
    }
    uint32_t character = len == 1 ? first : first & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        unsigned char next = (unsigned char)keys->bytes[i];
        character = next >= 0x80 && next < 0xc0 ? character << 6 | (next & 0x3f) : UINT32_MAX >> 6;
    }
    keys->len = 0;
    if (character == '\n' || character == '\b') {
        return character == '\n' ? KEY_ENTER : KEY_BACKSPACE;
    }
    return character < KEY_UP ? character : KEY_NONE;
}

uint32_t top_keys_take(struct top_keys *keys, char byte)
{
    bool is_escape = byte == KEY_ESCAPE;
    if (keys->len > 0 && is_escape) {
        keys->len = 0; /* what was begun is not finished */
    }
    keys->bytes[keys->len++] = byte;
    if (keys->bytes[0] == KEY_ESCAPE) {
        return keys->len > 1 ? top_keys_sequence(keys, byte) : KEY_NONE;
    }
    return top_keys_character(keys);
}

bool top_keys_is_waiting(const struct top_keys *keys)
{
    return keys->len > 0;
}

uint32_t top_keys_end(struct top_keys *keys)
{
    bool is_escape = keys->len == 1 && keys->bytes[0] == KEY_ESCAPE;
    keys->len = 0;
    return is_escape ? KEY_ESCAPE : KEY_NONE;
}
