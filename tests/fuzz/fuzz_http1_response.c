/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes proto/http1's reader of responses: cut into pieces of any size, a stream yields the same
 * responses, and every call moves on or ends.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "proto/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct summary {
    size_t count;
    int status_sum;
    bool is_bad;
    bool is_closing;
};

static struct summary read_in_steps(struct bytes in, size_t step)
{
    struct http1_response_reader reader = {0};
    struct summary summary = {0};
    size_t at = 0, end = 0;
    while (!summary.is_bad) {
        size_t used = 0;
        enum http1_result result =
            http1_response_take(&reader, bytes_of(in.ptr + at, end - at), &used);
        assert(used <= end - at);
        at += used;
        if (result == HTTP1_OK) {
            assert(reader.status >= 200 && reader.status <= 999);
            summary.count++;
            summary.status_sum += reader.status;
            summary.is_closing = reader.closing;
        } else if (result == HTTP1_NEED_MORE) {
            assert(at == end);
            if (end == in.len) {
                break;
            }
            end = in.len - end < step ? in.len : end + step;
        } else {
            summary.is_bad = true;
        }
    }
    return summary;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    struct bytes in = bytes_of(copy, size);
    struct summary whole = read_in_steps(in, size + 1);
    for (size_t step = 1; step <= 7; step += 3) {
        struct summary pieces = read_in_steps(in, step);
        assert(pieces.count == whole.count && pieces.status_sum == whole.status_sum);
        assert(pieces.is_bad == whole.is_bad && pieces.is_closing == whole.is_closing);
    }
    free(copy);
    return 0;
}
