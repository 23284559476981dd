/* SPDX-License-Identifier: MIT */
/*
 * Tests of proto/http1: what is a request, what could be smuggled and is refused, limits to the
 * byte, and that no cut of the bytes changes what they mean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "proto/http1.h"

#define HEAD_MAX 8192
#define BODY_MAX 1000

static struct http1_request req;

static enum http1_result parse(const char *text)
{
    return http1_request_parse(bytes_str(text), HEAD_MAX, BODY_MAX, &req);
}

static void assert_bytes(struct bytes got, const char *expected)
{
    assert_int_equal(got.len, strlen(expected));
    assert_memory_equal(got.ptr, expected, got.len);
}

#define ORIGINAL                                                                                   \
    "POST message HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: tYn5VRHk\r\ncontent-type: "           \
    "application/json\r\n"                                                                         \
    "message-type: message\r\ncontent-length: 79\r\n\r\n"

static void http1_request_of_the_original_is_read(void **state)
{
    (void)state;
    assert_int_equal(parse(ORIGINAL "{"), HTTP1_OK);
    assert_bytes(req.method, "POST");
    assert_bytes(req.target, "message");
    assert_int_equal(req.minor, 1);
    assert_int_equal(req.body, HTTP1_BODY_LENGTH);
    assert_int_equal(req.content_bytes, 79);
    assert_true(req.keep_alive);
    assert_false(req.expects_continue);
    assert_int_equal(req.head_bytes, strlen(ORIGINAL));
    assert_bytes(http1_header_find(&req, "User-Agent")->value, "tYn5VRHk");
    assert_null(http1_header_find(&req, "user-agen"));
}

static void http1_every_prefix_of_a_head_needs_more(void **state)
{
    (void)state;
    static const char *const heads[] = {
        ORIGINAL, "GET /ws?token=a&after=3 HTTP/1.1\r\nHost: x\r\nA:\r\nB: \t c \t\r\n\r\n",
        "\r\nGET / HTTP/1.0\r\n\r\n",
        ("POST /m HTTP/1.1\r\nhost: a\r\nTransfer-Encoding: Chunked\r\n"
         "Expect: 100-Continue\r\n\r\n")};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        for (size_t len = 0; len < strlen(heads[i]); len++) {
            assert_int_equal(http1_request_parse(bytes_of(heads[i], len), HEAD_MAX, BODY_MAX, &req),
                             HTTP1_NEED_MORE);
        }
        assert_int_equal(parse(heads[i]), HTTP1_OK);
        assert_int_equal(req.head_bytes, strlen(heads[i]));
    }
}

static void http1_values_are_without_surrounding_blanks(void **state)
{
    (void)state;
    assert_int_equal(parse("GET / HTTP/1.1\r\nHost:\r\nB: \t c d \t\r\n\r\n"), HTTP1_OK);
    assert_bytes(http1_header_find(&req, "b")->value, "c d");
    assert_int_equal(http1_header_find(&req, "host")->value.len, 0);
}

static void http1_connection_is_kept_as_version_and_header_say(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool keep_alive;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: closer\r\n\r\n", true},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n",
         false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("%s", cases[i].text);
        assert_int_equal(parse(cases[i].text), HTTP1_OK);
        assert_int_equal(req.keep_alive, cases[i].keep_alive);
    }
}

static void http1_what_could_be_read_in_two_ways_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum http1_result result;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", HTTP1_BAD},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", HTTP1_BAD},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
         HTTP1_BAD},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
         HTTP1_BAD},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
         HTTP1_BAD},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", HTTP1_BAD},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 4\r\n\r\n", HTTP1_BAD},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\n", HTTP1_BAD},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\n", HTTP1_BAD},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\n", HTTP1_BAD},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\n", HTTP1_BAD},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3 3\r\n\r\n", HTTP1_BAD},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", HTTP1_BAD},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", HTTP1_BAD},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
         "chunked\r\n\r\n",
         HTTP1_BAD},
        {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP1_BAD},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", HTTP1_CODING},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", HTTP1_CODING},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", HTTP1_CODING},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", HTTP1_BAD},
        {"GET / HTTP/1.1\r\n X: 1\r\nHost: a\r\n\r\n", HTTP1_BAD},
        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", HTTP1_BAD},
        {"GET / HTTP/1.1\r\n: a\r\n\r\n", HTTP1_BAD},
        {"GET / HTTP/1.1\r\nHost\r\n\r\n", HTTP1_BAD},
        {"GET / HTTP/1.1\nHost: a\n\n", HTTP1_BAD},
        {"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", HTTP1_BAD},
        {"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", HTTP1_BAD},
        {"GET / HTTP/1.1\r\nHost: a\x01"
         "b\r\n\r\n",
         HTTP1_BAD},
        {"GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n", HTTP1_BAD},
        {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_BAD},
        {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", HTTP1_BAD},
        {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_BAD},
        {"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_BAD},
        {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_BAD},
        {"GET /\r\nHost: a\r\n\r\n", HTTP1_BAD},
        {"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP1_BAD},
        {"GET / http/1.1\r\nHost: a\r\n\r\n", HTTP1_BAD},
        {"GET / HTTP/x.1\r\nHost: a\r\n\r\n", HTTP1_BAD},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", HTTP1_VERSION},
        {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", HTTP1_VERSION},
        {"\x16\x03\x01\x02", HTTP1_BAD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("%zu: %s\n", i, cases[i].text);
        assert_int_equal(parse(cases[i].text), cases[i].result);
    }
}

static void http1_equal_lengths_given_twice_are_one(void **state)
{
    (void)state;
    assert_int_equal(
        parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n"),
        HTTP1_OK);
    assert_int_equal(req.content_bytes, 3);
}

static void http1_limits_of_head_body_and_headers_are_exact(void **state)
{
    (void)state;
    static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const size_t len = sizeof text - 1;
    assert_int_equal(http1_request_parse(bytes_of(text, len), len, BODY_MAX, &req), HTTP1_OK);
    assert_int_equal(http1_request_parse(bytes_of(text, len), len - 1, BODY_MAX, &req),
                     HTTP1_HEAD_TOO_LARGE);
    assert_int_equal(http1_request_parse(bytes_of(text, len - 2), len - 1, BODY_MAX, &req),
                     HTTP1_NEED_MORE);
    assert_int_equal(parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"), HTTP1_OK);
    assert_int_equal(parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n"),
                     HTTP1_BODY_TOO_LARGE);
    char many[HEAD_MAX];
    for (size_t extra = HTTP1_HEADERS_MAX - 1; extra <= HTTP1_HEADERS_MAX; extra++) {
        size_t at = (size_t)snprintf(many, sizeof many, "GET / HTTP/1.1\r\nHost: a\r\n");
        for (size_t i = 0; i < extra; i++) {
            at += (size_t)snprintf(many + at, sizeof many - at, "x: y\r\n");
        }
        snprintf(many + at, sizeof many - at, "\r\n");
        assert_int_equal(parse(many), extra < HTTP1_HEADERS_MAX ? HTTP1_OK : HTTP1_HEAD_TOO_LARGE);
    }
}

/* Chunked bodies ---------------------------------------------------------------------------------
 */

static enum http1_result read_chunked(const char *text, size_t step, char *content,
                                      size_t *ret_left)
{
    struct http1_chunked body = {0};
    size_t at = 0, end = 0, len = strlen(text), out = 0;
    enum http1_result result = HTTP1_NEED_MORE;
    for (;;) {
        size_t used = 0;
        struct bytes piece;
        result = http1_chunked_take(&body, bytes_of(text + at, end - at), BODY_MAX, &used, &piece);
        if (piece.len > 0) {
            memcpy(content + out, piece.ptr, piece.len);
            out += piece.len;
        }
        at += used;
        if (result != HTTP1_NEED_MORE || (used == 0 && end == len)) {
            break;
        }
        if (used == 0) {
            end = len - end < step ? len : end + step;
        }
    }
    content[out] = '\0';
    *ret_left = len - at;
    return result;
}

static void http1_chunked_body_is_the_same_in_any_pieces(void **state)
{
    (void)state;
    static const char text[] = "4\r\nWiki\r\n5;x=\"y\"\r\npedia\r\n00e\r\n "
                               "in\r\n\r\nchunks.\r\n0\r\nTrailer: x\r\n\r\nNEXT";
    for (size_t step = 1; step <= sizeof text; step++) {
        char content[sizeof text];
        size_t left;
        assert_int_equal(read_chunked(text, step, content, &left), HTTP1_OK);
        assert_string_equal(content, "Wikipedia in\r\n\r\nchunks.");
        assert_true(left <= 4);
    }
}

static void http1_bad_chunks_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"\r\n",
                                        "g\r\n",
                                        "-1\r\n",
                                        "0x4\r\nWiki\r\n",
                                        " 4\r\nWiki\r\n",
                                        "4 \r\nWiki\r\n",
                                        "4\nWiki\r\n",
                                        "4\r\nWikip\r\n",
                                        "4\r\nWiki\n0\r\n\r\n",
                                        "4\r\nWik\r\n0\r\n\r\n",
                                        ";x\r\n",
                                        "ffffffffffffffffff\r\n",
                                        "0\r\n x: y\r\n\r\n",
                                        "0\r\n: y\r\n\r\n",
                                        "0\r\nno colon\r\n\r\n",
                                        "0\r\nx\r\n\r\n",
                                        "0\r\nx : y\r\n\r\n",
                                        "0\r\nx\ny\r\n\r\n",
                                        "4\rx"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char content[64];
        size_t left;
        print_message("%s\n", texts[i]);
        assert_int_not_equal(read_chunked(texts[i], 1, content, &left), HTTP1_OK);
        assert_int_not_equal(read_chunked(texts[i], 1, content, &left), HTTP1_NEED_MORE);
    }
}

static void http1_chunked_body_is_limited_to_the_byte(void **state)
{
    (void)state;
    char text[2 * BODY_MAX], content[2 * BODY_MAX];
    size_t left;
    int head = snprintf(text, sizeof text, "3E7\r\n%0999d\r\n1\r\nx\r\n0\r\n\r\n", 0);
    assert_true(head > 0);
    assert_int_equal(read_chunked(text, 64, content, &left), HTTP1_OK);
    snprintf(text, sizeof text, "3E7\r\n%0999d\r\n2\r\nxy\r\n0\r\n\r\n", 0);
    assert_int_equal(read_chunked(text, 64, content, &left), HTTP1_BODY_TOO_LARGE);
    snprintf(text, sizeof text, "3E9\r\n");
    assert_int_equal(read_chunked(text, 64, content, &left), HTTP1_BODY_TOO_LARGE);
}

static void http1_endless_trailers_and_extensions_are_refused(void **state)
{
    (void)state;
    static char text[16384], content[16];
    size_t left;
    size_t at = (size_t)snprintf(text, sizeof text, "0\r\n");
    while (at < 8000) {
        at += (size_t)snprintf(text + at, sizeof text - at, "x: yyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n");
    }
    assert_int_equal(read_chunked(text, 100, content, &left), HTTP1_BAD);
    snprintf(text, sizeof text, "1;%0500d\r\nx\r\n0\r\n\r\n", 0);
    assert_int_equal(read_chunked(text, 100, content, &left), HTTP1_BAD);
}

/* Responses --------------------------------------------------------------------------------------
 */

static void http1_responses_are_told_apart_in_any_pieces(void **state)
{
    (void)state;
    static const char text[] =
        "HTTP/1.1 200 OK\r\nserver: x\r\ncontent-length: 0\r\n\r\n"
        "HTTP/1.1 100 Continue\r\n\r\n"
        "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nNot Found"
        "HTTP/1.1 204 No Content\r\n\r\n"
        "HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx";
    static const int statuses[] = {200, 404, 204, 500, 200};
    for (size_t step = 1; step <= sizeof text; step++) {
        struct http1_response_reader reader = {0};
        size_t at = 0, end = 0, count = 0;
        while (end < sizeof text - 1 || at < end) {
            if (at == end) {
                end = sizeof text - 1 - end < step ? sizeof text - 1 : end + step;
            }
            size_t used = 0;
            enum http1_result result =
                http1_response_take(&reader, bytes_of(text + at, end - at), &used);
            at += used;
            assert_true(result == HTTP1_OK || result == HTTP1_NEED_MORE);
            if (result == HTTP1_OK) {
                assert_int_equal(reader.status, statuses[count]);
                assert_int_equal(reader.closing, count == 4);
                count++;
            }
        }
        assert_int_equal(count, 5);
    }
}

static void http1_response_without_a_length_never_completes(void **state)
{
    (void)state;
    static const char text[] = "HTTP/1.0 200 OK\r\n\r\nall the rest";
    struct http1_response_reader reader = {0};
    size_t used = 0;
    assert_int_equal(http1_response_take(&reader, bytes_str(text), &used), HTTP1_NEED_MORE);
    assert_int_equal(used, sizeof text - 1);
    assert_true(reader.closing);
}

static void http1_response_closes_as_version_and_headers_say(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool closing;
    } cases[] = {
        {"HTTP/1.1 204 x\r\nconnection: keep-alive\r\nconnection: close\r\n\r\n", true},
        {"HTTP/1.1 204 x\r\nconnection: x\r\n\r\n", false},
        {"HTTP/1.0 204 x\r\nconnection: x\r\n\r\n", true},
        {"HTTP/1.0 204 x\r\nconnection: keep-alive\r\n\r\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http1_response_reader reader = {0};
        size_t used = 0;
        print_message("%s", cases[i].text);
        assert_int_equal(http1_response_take(&reader, bytes_str(cases[i].text), &used), HTTP1_OK);
        assert_int_equal(reader.closing, cases[i].closing);
    }
}

static void http1_garbage_instead_of_a_response_is_refused_at_once(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "SSH-2.0",
        "\r\n",
        "HTTP/2",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct http1_response_reader reader = {0};
        size_t used = 0;
        print_message("%s\n", texts[i]);
        assert_int_equal(http1_response_take(&reader, bytes_str(texts[i]), &used), HTTP1_BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http1_request_of_the_original_is_read),
        cmocka_unit_test(http1_every_prefix_of_a_head_needs_more),
        cmocka_unit_test(http1_values_are_without_surrounding_blanks),
        cmocka_unit_test(http1_connection_is_kept_as_version_and_header_say),
        cmocka_unit_test(http1_what_could_be_read_in_two_ways_is_refused),
        cmocka_unit_test(http1_equal_lengths_given_twice_are_one),
        cmocka_unit_test(http1_limits_of_head_body_and_headers_are_exact),
        cmocka_unit_test(http1_chunked_body_is_the_same_in_any_pieces),
        cmocka_unit_test(http1_bad_chunks_are_refused),
        cmocka_unit_test(http1_chunked_body_is_limited_to_the_byte),
        cmocka_unit_test(http1_endless_trailers_and_extensions_are_refused),
        cmocka_unit_test(http1_responses_are_told_apart_in_any_pieces),
        cmocka_unit_test(http1_response_without_a_length_never_completes),
        cmocka_unit_test(http1_response_closes_as_version_and_headers_say),
        cmocka_unit_test(http1_garbage_instead_of_a_response_is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
