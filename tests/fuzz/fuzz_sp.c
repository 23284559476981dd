/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target for the wire of local sockets. What is whole lies within the input and reads the same
 * when it is made anew; what is whole or bad stays so when more comes; a cut is never whole.
 */
#include <assert.h>
#include <stdlib.h>

#include "proto/sp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAYLOAD_MAX 2000

static void check_request(struct bytes payload)
{
    struct bytes stack, body;
    if (sp_request_split(payload, &stack, &body)) {
        assert(stack.ptr == payload.ptr && stack.len % 4 == 0 && stack.len >= 4);
        assert(stack.len <= SP_STACK_BYTES_MAX && stack.len + body.len == payload.len);
        assert(body.len == 0 || body.ptr == payload.ptr + stack.len);
    }
}

static void check_frame_anew(struct bytes payload)
{
    uint8_t *storage = malloc(SP_FRAME_HEAD_BYTES + payload.len);
    struct sink out = sink_into(storage, SP_FRAME_HEAD_BYTES + payload.len);
    struct bytes again;
    assert(storage != NULL);
    sp_frame_head(payload.len, &out);
    sink_put(&out, payload);
    assert(sink_fits(&out));
    assert(sp_frame_read(sink_bytes(&out), PAYLOAD_MAX, &again) == SP_WHOLE);
    assert(bytes_equal(payload, again));
    free(storage);
}

/* The first `size` bytes say `result`; fewer must not contradict it. */
static void check_cuts(const uint8_t *data, size_t size, enum sp_result result, size_t whole_bytes)
{
    struct bytes payload;
    for (size_t len = 0; len < size && len < 64; len++) {
        enum sp_result cut = sp_frame_read(bytes_of(data, len), PAYLOAD_MAX, &payload);
        assert(cut == SP_NEED_MORE || cut == result);
        assert(cut != SP_WHOLE || len >= whole_bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size), payload = bytes_of(NULL, 0);
    enum sp_result greeting = sp_greeting_read(in, SP_REQ);
    if (greeting == SP_WHOLE) {
        assert(size >= SP_GREETING_BYTES);
        in = bytes_from(in, SP_GREETING_BYTES);
    }
    enum sp_result result;
    while ((result = sp_frame_read(in, PAYLOAD_MAX, &payload)) == SP_WHOLE) {
        size_t used = SP_FRAME_HEAD_BYTES + payload.len;
        assert(payload.len <= PAYLOAD_MAX && used <= in.len);
        check_cuts(in.ptr, in.len, result, used);
        check_request(payload);
        check_frame_anew(payload);
        in = bytes_from(in, used);
    }
    check_cuts(in.ptr, in.len, result, SIZE_MAX);
    return 0;
}
