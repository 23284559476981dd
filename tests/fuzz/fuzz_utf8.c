/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target for utf8: the replaced text is always valid and stays as it is when replaced again,
 * it equals its input exactly when that was valid, and what is a name is valid.
 */
#include "proto/utf8.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    size_t cap = 3 * size;
    uint8_t *once = malloc(cap + 1);
    uint8_t *twice = malloc(cap + 1);
    assert(once != NULL && twice != NULL);
    struct sink once_out = sink_into(once, cap);
    struct sink twice_out = sink_into(twice, cap);
    utf8_replace(in, &once_out);
    assert(sink_fits(&once_out));
    assert(utf8_valid(sink_bytes(&once_out)));
    assert(bytes_equal(in, sink_bytes(&once_out)) == utf8_valid(in));
    utf8_replace(sink_bytes(&once_out), &twice_out);
    assert(bytes_equal(sink_bytes(&once_out), sink_bytes(&twice_out)));
    if (utf8_name_valid(in, size)) {
        assert(size > 0 && utf8_valid(in) && !utf8_name_valid(in, size - 1));
    }
    free(once);
    free(twice);
    return 0;
}
