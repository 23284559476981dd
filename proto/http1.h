/* SPDX-License-Identifier: MIT */
/*
 * http1: HTTP/1.1 framing without I/O: request heads (with or without a leading slash in the
 * target), chunked and counted bodies, and the reading of responses whose content nobody wants.
 * Strict where requests could be smuggled. Limits: RFC 9112 and docs/protocol.md "HTTP".
 */
#ifndef PROTO_HTTP1_H
#define PROTO_HTTP1_H

#include "bytes.h"

#define HTTP1_HEADERS_MAX 64

enum http1_result {
    HTTP1_OK,
    HTTP1_NEED_MORE,
    HTTP1_BAD,            /* 400, framing is lost: answer and close */
    HTTP1_HEAD_TOO_LARGE, /* 431, close */
    HTTP1_BODY_TOO_LARGE, /* 413, close */
    HTTP1_VERSION,        /* 505, close */
    HTTP1_CODING,         /* 501: a transfer coding other than chunked, close */
};

struct http1_header {
    struct bytes name;
    struct bytes value; /* without surrounding blanks */
};

enum http1_body { HTTP1_BODY_NONE, HTTP1_BODY_LENGTH, HTTP1_BODY_CHUNKED };

struct http1_request {
    struct bytes method;
    struct bytes target; /* as sent: "/message", "message", "/ws?token=..." */
    int minor;           /* HTTP/1.minor: 0 or 1 */
    struct http1_header headers[HTTP1_HEADERS_MAX];
    size_t header_count;
    enum http1_body body;
    uint64_t content_bytes; /* HTTP1_BODY_LENGTH only */
    bool keep_alive;
    bool expects_continue;
    size_t head_bytes; /* bytes of `in` that the head takes, its empty line included */
};

/**
 * Parse one request head from the front of `in`.
 *
 * in        what has been received so far; may end anywhere; not kept
 * head_max  limit for the head in bytes, request line included
 * body_max  limit for a declared Content-Length
 * ret_req   on HTTP1_OK: filled; its views point INTO `in`
 * returns   HTTP1_OK | HTTP1_NEED_MORE | the error to answer. Refused as HTTP1_BAD: both
 *           Content-Length and Transfer-Encoding, differing or malformed lengths, folded headers,
 *           blanks before a colon, bare CR or LF inside, control bytes, no or several Host in 1.1.
 *           One empty line before the request line is skipped.
 */
enum http1_result http1_request_parse(struct bytes in, size_t head_max, uint64_t body_max,
                                      struct http1_request *ret_req);

/** First header of that name in any case, or NULL. */
const struct http1_header *http1_header_find(const struct http1_request *req, const char *name);

/** A chunked body being read. Zeroed storage is the start. */
struct http1_chunked {
    int state;
    uint64_t left_bytes;
    uint64_t total_bytes;
    size_t line_bytes;
};

/**
 * Take the next piece of a chunked body.
 *
 * in            unread bytes
 * body_max      limit for the sum of all chunks
 * ret_used      bytes of `in` taken, also on HTTP1_NEED_MORE
 * ret_piece     content found in them, pointing INTO `in`; may be empty
 * returns       HTTP1_OK: the body and its trailers are over · HTTP1_NEED_MORE: call again with
 *               what follows (also when only `ret_piece` ended) · HTTP1_BAD | HTTP1_BODY_TOO_LARGE
 */
enum http1_result http1_chunked_take(struct http1_chunked *body, struct bytes in, uint64_t body_max,
                                     size_t *ret_used, struct bytes *ret_piece);

/** Reads responses back to back and drops their content. Zeroed storage is the start. */
struct http1_response_reader {
    int state;
    uint64_t left_bytes;
    struct http1_chunked chunked;
    uint8_t head[1024]; /* the head's needed parts are read from here; a longer head is HTTP1_BAD */
    size_t head_bytes;
    int status;   /* of the response last completed */
    bool closing; /* that response said the connection ends, or ran to its end */
};

/**
 * Take bytes of a stream of responses, up to the end of the next complete final response.
 *
 * ret_used  bytes of `in` taken
 * returns   HTTP1_OK: one response completed, call again with the rest · HTTP1_NEED_MORE: all
 *           taken · HTTP1_BAD: close the connection. 1xx responses are skipped. A response without
 *           a length runs to the end of the connection and never completes.
 */
enum http1_result http1_response_take(struct http1_response_reader *reader, struct bytes in,
                                      size_t *ret_used);

#endif
