/* SPDX-License-Identifier: MIT */
/* top_keys: what a terminal sends when keys are pressed, byte by byte, as keys. */
#ifndef ADMIN_TOP_TOP_KEYS_H
#define ADMIN_TOP_TOP_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A key is a Unicode character, Ctrl and a letter being one below 32, or one of these. */
enum top_key {
    KEY_NONE = 0,
    KEY_CTRL_C = 3,
    KEY_TAB = 9,
    KEY_CTRL_L = 12,
    KEY_ENTER = 13,
    KEY_CTRL_U = 21,
    KEY_CTRL_Z = 26,
    KEY_ESCAPE = 27,
    KEY_BACKSPACE = 127,
    KEY_UP = 0x110000, /* behind all characters */
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_HOME,
    KEY_END,
    KEY_BACK_TAB,
};

/** Zeroed storage is legal. */
struct top_keys {
    char bytes[16];
    size_t len;
};

/** The key that this byte completes; KEY_NONE: there is none yet, or none that is known. */
uint32_t top_keys_take(struct top_keys *keys, char byte);
/** True while more bytes may belong to what has come: after a while without any, top_keys_end. */
bool top_keys_is_waiting(const struct top_keys *keys);
/** Nothing more has come: KEY_ESCAPE, if it was that key alone; else KEY_NONE. */
uint32_t top_keys_end(struct top_keys *keys);

#endif
