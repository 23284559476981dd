/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target for base64: what is encoded decodes to itself, and what decodes encodes to its input
 * again, but for padding and the bits left over in the last character.
 */
#include "proto/base64.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any bytes: encode, decode with and without the padding. */
static void fuzz_check_encode(struct bytes in)
{
    size_t cap = base64_encoded_bytes(in.len);
    uint8_t *text = malloc(cap + 1);
    uint8_t *back = malloc(in.len + 1);
    assert(text != NULL && back != NULL);
    struct sink text_out = sink_into(text, cap);
    base64_encode(in, &text_out);
    assert(text_out.len == cap);
    for (size_t len = cap - (3 - in.len % 3) % 3; len <= cap; len++) {
        bool is_right_padding = len == cap || len == cap - (3 - in.len % 3) % 3;
        struct sink back_out = sink_into(back, in.len);
        assert(base64_decode(bytes_of(text, len), &back_out) == is_right_padding);
        assert(!is_right_padding || bytes_equal(sink_bytes(&back_out), in));
    }
    free(text);
    free(back);
}

static size_t fuzz_unpadded_bytes(struct bytes text)
{
    while (text.len > 0 && text.ptr[text.len - 1] == '=') {
        text.len--;
    }
    return text.len;
}

/* Any text: if it decodes, encode it again. */
static void fuzz_check_decode(struct bytes text)
{
    size_t plain_cap = text.len / 4 * 3 + 2;
    uint8_t *plain = malloc(plain_cap);
    uint8_t *again = malloc(text.len + 4);
    assert(plain != NULL && again != NULL);
    struct sink plain_out = sink_into(plain, plain_cap);
    struct sink again_out = sink_into(again, text.len + 4);
    if (base64_decode(text, &plain_out)) {
        size_t digits = fuzz_unpadded_bytes(text);
        assert(text.len == digits || text.len % 4 == 0);
        assert(sink_fits(&plain_out) && plain_out.len == digits * 3 / 4);
        base64_encode(sink_bytes(&plain_out), &again_out);
        assert(fuzz_unpadded_bytes(sink_bytes(&again_out)) == digits);
        size_t exact = digits % 4 == 0 ? digits : digits - 1;
        assert(exact == 0 || memcmp(again, text.ptr, exact) == 0);
    }
    free(plain);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_check_encode(bytes_of(data, size));
    fuzz_check_decode(bytes_of(data, size));
    return 0;
}
