/* SPDX-License-Identifier: MIT */
/*
 * name_key: keys of names, by libunistring's tables. Whether a name may be shown at all is
 * proto/utf8's, how long a new one may be the scripts'.
 */
#include "name_key.h"

#include <stdlib.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "proto/utf8.h"

#define NAME_KEY_ROUNDS 8      /* two are enough for every name known */
#define NAME_KEY_NO_INK 0x2800 /* the empty pattern of Braille */

/* Well-formed, and all of characters that the tables have. */
static bool name_key_known(struct bytes name)
{
    if (!utf8_valid(name)) {
        return false;
    }
    ucs4_t code;
    for (size_t at = 0; at < name.len;) {
        at += (size_t)u8_mbtouc_unsafe(&code, name.ptr + at, name.len - at);
        if (uc_is_general_category(code, UC_UNASSIGNED)) {
            return false;
        }
    }
    return true;
}

static bool name_key_invisible(ucs4_t code)
{
    return code == NAME_KEY_NO_INK || uc_is_property_default_ignorable_code_point(code);
}

/* One blank for all that stand together; none around the text. False: it does not fit. */
static bool name_key_strip(struct bytes text, struct sink *out)
{
    bool is_blank_due = false;
    ucs4_t code;
    for (size_t at = 0, bytes; at < text.len; at += bytes) {
        bytes = (size_t)u8_mbtouc_unsafe(&code, text.ptr + at, text.len - at);
        if (name_key_invisible(code)) {
            continue;
        }
        if (uc_is_property_white_space(code)) {
            is_blank_due = out->len > 0;
            continue;
        }
        if (is_blank_due) {
            sink_text(out, " ");
            is_blank_due = false;
        }
        sink_put(out, bytes_of(text.ptr + at, bytes));
    }
    return sink_fits(out);
}

/* One round; `storage` may be what `text` points into. */
static bool name_key_fold(struct bytes text, uint8_t storage[NAME_KEY_BYTES_MAX],
                          struct bytes *ret_key)
{
    size_t len = 0;
    uint8_t *folded = u8_casefold(text.ptr, text.len, NULL, UNINORM_NFKC, NULL, &len);
    struct sink out = sink_into(storage, NAME_KEY_BYTES_MAX);
    bool is_fit = folded != NULL && name_key_strip(bytes_of(folded, len), &out);
    free(folded);
    if (is_fit) {
        *ret_key = sink_bytes(&out);
    }
    return is_fit;
}

bool name_key(struct bytes name, uint8_t storage[NAME_KEY_BYTES_MAX], struct bytes *ret_key)
{
    if (name.len == 0 || name.len > CONFIG_NAME_BYTES_MAX || !name_key_known(name)) {
        return false;
    }
    uint8_t last[NAME_KEY_BYTES_MAX];
    struct bytes text = name;
    for (size_t round = 0; round < NAME_KEY_ROUNDS; round++) {
        struct bytes key;
        if (!name_key_fold(text, storage, &key) || key.len == 0) {
            return false;
        }
        if (bytes_equal(key, text)) {
            *ret_key = key;
            return true;
        }
        text = bytes_of(memcpy(last, key.ptr, key.len), key.len);
    }
    return false;
}

struct bytes name_shown(struct bytes name)
{
    ucs4_t code;
    size_t first = name.len, end = 0;
    for (size_t at = 0, bytes; at < name.len; at += bytes) {
        bytes = (size_t)u8_mbtouc(&code, name.ptr + at, name.len - at);
        if (!uc_is_property_white_space(code)) {
            first = first < at ? first : at;
            end = at + bytes;
        }
    }
    return end == 0 ? bytes_of(name.ptr, 0) : bytes_of(name.ptr + first, end - first);
}
