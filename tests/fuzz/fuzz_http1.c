/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes proto/http1's requests: every prefix of an input says "more" or what the whole says, views
 * stay inside, and a chunked body has the same content however it is cut.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "proto/http1.h"

#define HEAD_MAX 512
#define BODY_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct bytes view, struct bytes in)
{
    assert(view.len == 0 || (view.ptr >= in.ptr && view.ptr + view.len <= in.ptr + in.len));
}

static void check_head(struct bytes in, const struct http1_request *req)
{
    assert(req->head_bytes > 0 && req->head_bytes <= in.len && req->head_bytes <= HEAD_MAX);
    check_inside(req->method, in);
    check_inside(req->target, in);
    assert(req->header_count <= HTTP1_HEADERS_MAX);
    for (size_t i = 0; i < req->header_count; i++) {
        check_inside(req->headers[i].name, in);
        check_inside(req->headers[i].value, in);
    }
    assert(req->body != HTTP1_BODY_LENGTH || req->content_bytes <= BODY_MAX);
}

/* Reads a chunked body in pieces of `step` bytes; returns the result, and the content's length. */
static enum http1_result read_chunked(struct bytes in, size_t step, uint8_t *content,
                                      size_t *ret_len, size_t *ret_used)
{
    struct http1_chunked body = {0};
    enum http1_result result = HTTP1_NEED_MORE;
    size_t at = 0, end = 0, len = 0;
    while (result == HTTP1_NEED_MORE) {
        size_t used = 0;
        struct bytes piece;
        result =
            http1_chunked_take(&body, bytes_of(in.ptr + at, end - at), BODY_MAX, &used, &piece);
        assert(used <= end - at);
        check_inside(piece, in);
        assert(len + piece.len <= BODY_MAX);
        if (piece.len > 0) {
            memcpy(content + len, piece.ptr, piece.len);
        }
        len += piece.len;
        at += used;
        if (result == HTTP1_NEED_MORE && used == 0) {
            if (end == in.len) {
                break;
            }
            end = in.len - end < step ? in.len : end + step;
        }
    }
    *ret_len = len;
    *ret_used = at;
    return result;
}

static void check_chunked(struct bytes in)
{
    static uint8_t whole[BODY_MAX], pieces[BODY_MAX];
    size_t whole_len, pieces_len, whole_used, pieces_used;
    enum http1_result result = read_chunked(in, in.len + 1, whole, &whole_len, &whole_used);
    for (size_t step = 1; step <= 7; step += 3) {
        enum http1_result again = read_chunked(in, step, pieces, &pieces_len, &pieces_used);
        assert(again == result);
        assert(pieces_len == whole_len && memcmp(pieces, whole, whole_len) == 0);
        assert(result != HTTP1_OK || pieces_used == whole_used);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1); /* so that reading beyond the input is seen */
    if (size > 0) {
        memcpy(copy, data, size);
    }
    struct bytes in = bytes_of(copy, size);
    struct http1_request req;
    enum http1_result whole = http1_request_parse(in, HEAD_MAX, BODY_MAX, &req);
    size_t head_bytes = req.head_bytes;
    if (whole == HTTP1_OK) {
        check_head(in, &req);
    }
    for (size_t len = 0; len < size && len < 2 * HEAD_MAX; len++) {
        enum http1_result part = http1_request_parse(bytes_of(copy, len), HEAD_MAX, BODY_MAX, &req);
        assert(part == HTTP1_NEED_MORE || part == whole);
        assert(part != HTTP1_OK || req.head_bytes == head_bytes);
    }
    check_chunked(in);
    free(copy);
    return 0;
}
