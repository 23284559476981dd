/* SPDX-License-Identifier: MIT */
/*
 * http1_chunked: chunked bodies, byte by byte where lines are, in pieces where content is. It keeps
 * its place in the caller's structure and copies nothing.
 */
#include "http1.h"

#include "http1_chars.h"

enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER, CHUNK_OVER };

#define HTTP1_CHUNK_LINE_MAX 256
#define HTTP1_TRAILER_MAX    4096

static int http1_hex(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    uint8_t lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* line_bytes counts the digits until an extension begins (then it counts on), and CR as the last.
 */
static enum http1_result http1_chunk_size(struct http1_chunked *body, uint8_t c, uint64_t body_max)
{
    enum { SEEN_EXTENSION = 1 << 20, SEEN_CR = 1 << 21 };
    size_t count = body->line_bytes & (SEEN_EXTENSION - 1);
    bool in_extension = (body->line_bytes & SEEN_EXTENSION) != 0;
    if ((body->line_bytes & SEEN_CR) != 0) {
        if (c != '\n') {
            return HTTP1_BAD;
        }
        body->line_bytes = 0;
        body->state = body->left_bytes > 0 ? CHUNK_DATA : CHUNK_TRAILER;
        return HTTP1_OK;
    }
    if (c == '\r' && count > 0) {
        body->line_bytes |= SEEN_CR;
        return HTTP1_OK;
    }
    if (++body->line_bytes, count + 1 > HTTP1_CHUNK_LINE_MAX) {
        return HTTP1_BAD;
    }
    if (in_extension) {
        return http1_is_control(c) ? HTTP1_BAD : HTTP1_OK;
    }
    if (c == ';' && count > 0) {
        body->line_bytes |= SEEN_EXTENSION;
        return HTTP1_OK;
    }
    int digit = http1_hex(c);
    if (digit < 0 || body->left_bytes > UINT64_MAX >> 5) {
        return HTTP1_BAD;
    }
    body->left_bytes = body->left_bytes << 4 | (uint64_t)digit;
    return body->left_bytes > body_max - body->total_bytes ? HTTP1_BODY_TOO_LARGE : HTTP1_OK;
}

static enum http1_result http1_chunk_data_end(struct http1_chunked *body, uint8_t c)
{
    if (c != (body->line_bytes == 0 ? '\r' : '\n')) {
        return HTTP1_BAD;
    }
    if (++body->line_bytes == 2) {
        body->line_bytes = 0;
        body->state = CHUNK_SIZE;
    }
    return HTTP1_OK;
}

/* Trailers are read to their empty line and dropped, each `name: value` in form; left_bytes counts
 * them all, line_bytes the line. */
static enum http1_result http1_chunk_trailer(struct http1_chunked *body, uint8_t c)
{
    enum { SEEN_CR = 1 << 20, SEEN_COLON = 1 << 21 };
    bool in_value = (body->line_bytes & SEEN_COLON) != 0;
    bool is_empty = (body->line_bytes & ~(size_t)SEEN_CR) == 0;
    if (++body->left_bytes > HTTP1_TRAILER_MAX) {
        return HTTP1_BAD;
    }
    if ((body->line_bytes & SEEN_CR) != 0) {
        if (c != '\n') {
            return HTTP1_BAD;
        }
        body->state = is_empty ? CHUNK_OVER : CHUNK_TRAILER;
        body->line_bytes = 0;
        return HTTP1_OK;
    }
    if (c == '\r' && (in_value || is_empty)) {
        body->line_bytes |= SEEN_CR;
        return HTTP1_OK;
    }
    if (c == ':' && !is_empty) {
        body->line_bytes |= SEEN_COLON;
        return HTTP1_OK;
    }
    body->line_bytes++;
    return (in_value ? !http1_is_control(c) : http1_is_token(c)) ? HTTP1_OK : HTTP1_BAD;
}

static void http1_chunk_piece(struct http1_chunked *body, struct bytes in, size_t *used,
                              struct bytes *ret_piece)
{
    size_t len = in.len - *used;
    if (len > body->left_bytes) {
        len = (size_t)body->left_bytes;
    }
    *ret_piece = bytes_of(in.ptr + *used, len);
    *used += len;
    body->left_bytes -= len;
    body->total_bytes += len;
    if (body->left_bytes == 0) {
        body->state = CHUNK_DATA_END;
    }
}

enum http1_result http1_chunked_take(struct http1_chunked *body, struct bytes in, uint64_t body_max,
                                     size_t *ret_used, struct bytes *ret_piece)
{
    enum http1_result result = HTTP1_OK;
    size_t used = 0;
    *ret_piece = bytes_of(NULL, 0);
    while (result == HTTP1_OK && used < in.len && body->state != CHUNK_OVER) {
        switch (body->state) {
        case CHUNK_SIZE:
            result = http1_chunk_size(body, in.ptr[used++], body_max);
            break;
        case CHUNK_DATA:
            http1_chunk_piece(body, in, &used, ret_piece);
            *ret_used = used;
            return HTTP1_NEED_MORE;
        case CHUNK_DATA_END:
            result = http1_chunk_data_end(body, in.ptr[used++]);
            break;
        default:
            result = http1_chunk_trailer(body, in.ptr[used++]);
            break;
        }
    }
    *ret_used = used;
    if (result != HTTP1_OK) {
        return result;
    }
    return body->state == CHUNK_OVER ? HTTP1_OK : HTTP1_NEED_MORE;
}
