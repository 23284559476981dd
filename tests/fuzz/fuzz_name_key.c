/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target for name_key: a key is bounded, well-formed, not empty, its own key, and that of the
 * name between blanks and with invisible characters in it; of what is ill-formed there is none.
 */
#include "node/base/name_key.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The key of a name stands between `before` and `after` unchanged. */
static void fuzz_between(struct bytes name, const char *before, const char *after, struct bytes key)
{
    uint8_t text[CONFIG_NAME_BYTES_MAX], storage[NAME_KEY_BYTES_MAX];
    struct bytes other;
    struct sink out = sink_into(text, sizeof text);
    sink_text(&out, before);
    sink_put(&out, name);
    sink_text(&out, after);
    if (sink_fits(&out)) {
        bool is_name = name_key(sink_bytes(&out), storage, &other);
        assert(is_name && bytes_equal(other, key));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t storage[NAME_KEY_BYTES_MAX], other[NAME_KEY_BYTES_MAX];
    struct bytes name = bytes_of(data, size), key, again;
    struct bytes shown = name_shown(name);
    assert(shown.len <= size);
    if (!name_key(name, storage, &key)) {
        return 0;
    }
    assert(size <= CONFIG_NAME_BYTES_MAX && utf8_valid(name));
    assert(key.len > 0 && key.len <= NAME_KEY_BYTES_MAX && utf8_valid(key));
    bool is_name = name_key(shown, other, &again);
    assert(is_name && bytes_equal(again, key));
    if (key.len <= CONFIG_NAME_BYTES_MAX) {
        is_name = name_key(key, other, &again);
        assert(is_name && bytes_equal(again, key));
    }
    fuzz_between(name, " \xe3\x80\x80", "\xc2\xa0 ", key);
    fuzz_between(name, "\xe2\x80\x8b", "\xe2\xa0\x80", key);
    return 0;
}
