/* SPDX-License-Identifier: MIT */
/*
 * http1: request heads and responses of HTTP/1.1 as bytes; chunked bodies are http1_chunked.c's. It
 * does no I/O, keeps nothing, and knows no route. What could be read in two ways is refused.
 */
#include "http1.h"

#include <strings.h>

#include "http1_chars.h"

enum { RESPONSE_HEAD, RESPONSE_LENGTH, RESPONSE_CHUNKED, RESPONSE_TO_END };

/* Characters -------------------------------------------------------------------------------------
 */

static bool http1_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool http1_all_token(struct bytes in)
{
    for (size_t i = 0; i < in.len; i++) {
        if (!http1_is_token(in.ptr[i])) {
            return false;
        }
    }
    return in.len > 0;
}

static bool http1_same_word(struct bytes in, const char *word)
{
    return in.len == strlen(word) && strncasecmp((const char *)in.ptr, word, in.len) == 0;
}

static struct bytes http1_trim(struct bytes in)
{
    while (in.len > 0 && (in.ptr[0] == ' ' || in.ptr[0] == '\t')) {
        in = bytes_from(in, 1);
    }
    while (in.len > 0 && (in.ptr[in.len - 1] == ' ' || in.ptr[in.len - 1] == '\t')) {
        in.len--;
    }
    return in;
}

/* True when `word` is one of the comma-separated words of `list`, in any case. */
static bool http1_list_has(struct bytes list, const char *word)
{
    while (list.len > 0) {
        const uint8_t *comma = memchr(list.ptr, ',', list.len);
        size_t len = comma != NULL ? (size_t)(comma - list.ptr) : list.len;
        if (http1_same_word(http1_trim(bytes_of(list.ptr, len)), word)) {
            return true;
        }
        list = bytes_from(list, len + 1);
    }
    return false;
}

/* Digits only, no sign, no blank; false on overflow. */
static bool http1_number(struct bytes in, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < in.len; i++) {
        if (!http1_is_digit(in.ptr[i]) || number > UINT64_MAX / 10 - 1) {
            return false;
        }
        number = number * 10 + (uint64_t)(in.ptr[i] - '0');
    }
    *ret_number = number;
    return in.len > 0;
}

/* Lines ------------------------------------------------------------------------------------------
 */

/*
 * The next line of `in` without its CR LF, from *at on, which moves behind it. False when there is
 * no whole line yet; *ret_bad when a CR or LF stands alone, or another control character.
 */
static bool http1_line(struct bytes in, size_t *at, struct bytes *ret_line, bool *ret_bad)
{
    for (size_t i = *at; i < in.len; i++) {
        uint8_t c = in.ptr[i];
        if (c == '\r') {
            if (i + 1 == in.len) {
                return false;
            }
            if (in.ptr[i + 1] != '\n') {
                *ret_bad = true;
                return false;
            }
            *ret_line = bytes_of(in.ptr + *at, i - *at);
            *at = i + 2;
            return true;
        }
        if (http1_is_control(c)) {
            *ret_bad = true;
            return false;
        }
    }
    return false;
}

/* Request heads ----------------------------------------------------------------------------------
 */

static enum http1_result http1_request_line(struct bytes line, struct http1_request *req)
{
    const uint8_t *space = memchr(line.ptr, ' ', line.len);
    if (space == NULL) {
        return HTTP1_BAD;
    }
    req->method = bytes_of(line.ptr, (size_t)(space - line.ptr));
    struct bytes rest = bytes_from(line, req->method.len + 1);
    space = rest.len > 0 ? memchr(rest.ptr, ' ', rest.len) : NULL;
    if (space == NULL) {
        return HTTP1_BAD;
    }
    req->target = bytes_of(rest.ptr, (size_t)(space - rest.ptr));
    struct bytes version = bytes_from(rest, req->target.len + 1);
    if (!http1_all_token(req->method) || req->target.len == 0 ||
        memchr(req->target.ptr, '\t', req->target.len) != NULL || version.len != 8 ||
        memcmp(version.ptr, "HTTP/", 5) != 0 || !http1_is_digit(version.ptr[5]) ||
        version.ptr[6] != '.' || !http1_is_digit(version.ptr[7])) {
        return HTTP1_BAD;
    }
    if (version.ptr[5] != '1' || (version.ptr[7] != '0' && version.ptr[7] != '1')) {
        return HTTP1_VERSION;
    }
    req->minor = version.ptr[7] - '0';
    return HTTP1_OK;
}

static enum http1_result http1_header_line(struct bytes line, struct http1_request *req)
{
    const uint8_t *colon = memchr(line.ptr, ':', line.len);
    if (colon == NULL) {
        return HTTP1_BAD;
    }
    struct bytes name = bytes_of(line.ptr, (size_t)(colon - line.ptr));
    if (!http1_all_token(name)) {
        return HTTP1_BAD; /* also a folded line and a blank before the colon */
    }
    if (req->header_count == HTTP1_HEADERS_MAX) {
        return HTTP1_HEAD_TOO_LARGE;
    }
    req->headers[req->header_count++] =
        (struct http1_header){name, http1_trim(bytes_from(line, name.len + 1))};
    return HTTP1_OK;
}

static enum http1_result http1_take_length(struct bytes value, uint64_t body_max,
                                           struct http1_request *req)
{
    uint64_t length;
    bool is_second = req->body == HTTP1_BODY_LENGTH;
    if (!http1_number(value, &length) || (is_second && length != req->content_bytes)) {
        return HTTP1_BAD;
    }
    req->body = HTTP1_BODY_LENGTH;
    req->content_bytes = length;
    return length > body_max ? HTTP1_BODY_TOO_LARGE : HTTP1_OK;
}

static bool http1_host_is_right(const struct http1_request *req)
{
    size_t count = 0;
    for (size_t i = 0; i < req->header_count; i++) {
        count += http1_same_word(req->headers[i].name, "host");
    }
    return count == 1 || (count == 0 && req->minor == 0);
}

/* What the headers of a request or a response say about the body and the connection. */
static enum http1_result http1_framing(uint64_t body_max, struct http1_request *req)
{
    size_t coding_count = 0;
    enum http1_result result = HTTP1_OK;
    bool is_kept = req->minor == 1, is_closed = false;
    for (size_t i = 0; i < req->header_count; i++) {
        const struct http1_header *header = &req->headers[i];
        if (http1_same_word(header->name, "content-length")) {
            enum http1_result length = http1_take_length(header->value, body_max, req);
            result = result == HTTP1_OK || length == HTTP1_BAD ? length : result;
        } else if (http1_same_word(header->name, "transfer-encoding")) {
            coding_count++;
            if (!http1_same_word(header->value, "chunked")) {
                result = result == HTTP1_OK ? HTTP1_CODING : result;
            }
        } else if (http1_same_word(header->name, "connection")) {
            is_kept = is_kept || http1_list_has(header->value, "keep-alive");
            is_closed = is_closed || http1_list_has(header->value, "close");
        } else if (http1_same_word(header->name, "expect")) {
            req->expects_continue =
                req->minor == 1 && http1_same_word(header->value, "100-continue");
        }
    }
    req->keep_alive = is_kept && !is_closed;
    if (coding_count > 1 ||
        (coding_count > 0 && (req->body == HTTP1_BODY_LENGTH || req->minor == 0))) {
        return HTTP1_BAD;
    }
    if (coding_count > 0) {
        req->body = HTTP1_BODY_CHUNKED;
    }
    if (req->body == HTTP1_BODY_LENGTH && req->content_bytes == 0) {
        req->body = HTTP1_BODY_NONE;
    }
    return result;
}

enum http1_result http1_request_parse(struct bytes in, size_t head_max, uint64_t body_max,
                                      struct http1_request *ret_req)
{
    struct bytes whole = in;
    bool is_bad = false, is_first = true;
    size_t at = 0;
    struct bytes line;
    enum http1_result result = HTTP1_OK;
    if (in.len > head_max) {
        in.len = head_max;
    }
    *ret_req = (struct http1_request){.minor = 1};
    while (result == HTTP1_OK && http1_line(in, &at, &line, &is_bad)) {
        if (line.len == 0 && !is_first) {
            ret_req->head_bytes = at;
            return http1_host_is_right(ret_req) ? http1_framing(body_max, ret_req) : HTTP1_BAD;
        }
        if (line.len == 0) {
            if (at > 2) {
                return HTTP1_BAD;
            }
            continue;
        }
        result = is_first ? http1_request_line(line, ret_req) : http1_header_line(line, ret_req);
        is_first = false;
    }
    if (result != HTTP1_OK) {
        return result;
    }
    if (is_bad) {
        return HTTP1_BAD;
    }
    return whole.len >= head_max ? HTTP1_HEAD_TOO_LARGE : HTTP1_NEED_MORE;
}

const struct http1_header *http1_header_find(const struct http1_request *req, const char *name)
{
    for (size_t i = 0; i < req->header_count; i++) {
        if (http1_same_word(req->headers[i].name, name)) {
            return &req->headers[i];
        }
    }
    return NULL;
}

/* Responses --------------------------------------------------------------------------------------
 */

/* The head is complete: what follows it, or HTTP1_BAD. */
static enum http1_result http1_response_head(struct http1_response_reader *reader)
{
    struct bytes head = bytes_of(reader->head, reader->head_bytes), line;
    struct http1_request fields = {.minor = 1};
    bool is_bad = false;
    size_t at = 0;
    uint64_t status;
    if (!http1_line(head, &at, &line, &is_bad) || line.len < 12 ||
        memcmp(line.ptr, "HTTP/1.", 7) != 0 || !http1_is_digit(line.ptr[7]) || line.ptr[8] != ' ' ||
        !http1_number(bytes_of(line.ptr + 9, 3), &status) ||
        (line.len > 12 && line.ptr[12] != ' ')) {
        return HTTP1_BAD;
    }
    fields.minor = line.ptr[7] - '0';
    while (http1_line(head, &at, &line, &is_bad) && line.len > 0) {
        if (http1_header_line(line, &fields) != HTTP1_OK) {
            return HTTP1_BAD;
        }
    }
    reader->head_bytes = 0;
    if (is_bad || status < 100 || http1_framing(UINT64_MAX, &fields) != HTTP1_OK) {
        return HTTP1_BAD;
    }
    if (status < 200) {
        return HTTP1_OK;
    }
    reader->status = (int)status;
    reader->closing = !fields.keep_alive;
    reader->left_bytes = 0;
    reader->state = RESPONSE_LENGTH;
    if (status == 204 || status == 304) {
        return HTTP1_OK;
    }
    if (fields.body == HTTP1_BODY_CHUNKED) {
        reader->chunked = (struct http1_chunked){0};
        reader->state = RESPONSE_CHUNKED;
    } else if (http1_header_find(&fields, "content-length") != NULL) {
        reader->left_bytes = fields.content_bytes;
    } else {
        reader->state = RESPONSE_TO_END;
        reader->closing = true;
    }
    return HTTP1_OK;
}

static enum http1_result http1_response_head_byte(struct http1_response_reader *reader, uint8_t c)
{
    if (reader->head_bytes == sizeof reader->head) {
        return HTTP1_BAD;
    }
    static const uint8_t start[] = "HTTP/1.";
    if (reader->head_bytes < sizeof start - 1 && c != start[reader->head_bytes]) {
        return HTTP1_BAD;
    }
    reader->head[reader->head_bytes++] = c;
    bool is_whole = reader->head_bytes >= 4 &&
                    memcmp(reader->head + reader->head_bytes - 4, "\r\n\r\n", 4) == 0;
    return is_whole ? http1_response_head(reader) : HTTP1_OK;
}

/* Takes from the body of a response; HTTP1_OK when it is over. */
static enum http1_result http1_response_body(struct http1_response_reader *reader, struct bytes in,
                                             size_t *used)
{
    if (reader->state == RESPONSE_TO_END) {
        *used = in.len;
        return HTTP1_NEED_MORE;
    }
    if (reader->state == RESPONSE_LENGTH) {
        size_t len = in.len - *used;
        len = len > reader->left_bytes ? (size_t)reader->left_bytes : len;
        *used += len;
        reader->left_bytes -= len;
        return reader->left_bytes == 0 ? HTTP1_OK : HTTP1_NEED_MORE;
    }
    size_t taken = 0;
    struct bytes piece;
    enum http1_result result =
        http1_chunked_take(&reader->chunked, bytes_from(in, *used), UINT64_MAX, &taken, &piece);
    *used += taken;
    return result;
}

enum http1_result http1_response_take(struct http1_response_reader *reader, struct bytes in,
                                      size_t *ret_used)
{
    size_t used = 0;
    enum http1_result result = HTTP1_NEED_MORE;
    while (used < in.len || (reader->state == RESPONSE_LENGTH && reader->left_bytes == 0)) {
        if (reader->state == RESPONSE_HEAD) {
            if (http1_response_head_byte(reader, in.ptr[used++]) != HTTP1_OK) {
                result = HTTP1_BAD;
                break;
            }
            continue;
        }
        size_t before = used;
        result = http1_response_body(reader, in, &used);
        if (result == HTTP1_OK) {
            reader->state = RESPONSE_HEAD;
            break;
        }
        if (result != HTTP1_NEED_MORE || used == before) {
            break;
        }
    }
    *ret_used = used;
    return result == HTTP1_NEED_MORE || result == HTTP1_OK ? result : HTTP1_BAD;
}
