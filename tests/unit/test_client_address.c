/* SPDX-License-Identifier: MIT */
/* client_address: the way back through X-Forwarded-For, as far as proxies are trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "node/front/client_address.h"

#define PROXIES "10.0.0.0/8, 192.0.2.7"

static uint32_t ip(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    return a << 24 | b << 16 | c << 8 | d;
}

/* The address of a request with these headers, "" for none; from 10.0.0.1 unless told otherwise. */
static uint32_t address_from(uint32_t peer, const char *headers)
{
    char head[2048];
    snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: x\r\n%s\r\n", headers);
    struct http1_request req;
    assert_int_equal(http1_request_parse(bytes_str(head), sizeof head, 0, &req), HTTP1_OK);
    return client_address(&req, peer, PROXIES);
}

static uint32_t address(const char *headers)
{
    return address_from(ip(10, 0, 0, 1), headers);
}

static void strangers_header_is_not_believed(void **state)
{
    (void)state;
    assert_int_equal(address_from(ip(203, 0, 113, 9), "X-Forwarded-For: 198.51.100.1\r\n"),
                     ip(203, 0, 113, 9));
    assert_int_equal(address_from(ip(192, 0, 2, 8), "X-Forwarded-For: 198.51.100.1\r\n"),
                     ip(192, 0, 2, 8));
}

static void proxys_header_names_the_client(void **state)
{
    (void)state;
    assert_int_equal(address("X-Forwarded-For: 198.51.100.1\r\n"), ip(198, 51, 100, 1));
    assert_int_equal(address("x-forwarded-FOR:198.51.100.1 \r\n"), ip(198, 51, 100, 1));
    assert_int_equal(address("X-Forwarded-For: 198.51.100.1:4711\r\n"), ip(198, 51, 100, 1));
    assert_int_equal(address_from(ip(192, 0, 2, 7), "X-Forwarded-For: 198.51.100.1\r\n"),
                     ip(198, 51, 100, 1));
}

static void what_the_client_wrote_itself_does_not_count(void **state)
{
    (void)state;
    assert_int_equal(address("X-Forwarded-For: 1.2.3.4, 198.51.100.1\r\n"), ip(198, 51, 100, 1));
    assert_int_equal(address("X-Forwarded-For: 1.2.3.4,198.51.100.1 ,\t10.9.9.9\r\n"),
                     ip(198, 51, 100, 1));
    assert_int_equal(
        address(
            "X-Forwarded-For: 1.2.3.4\r\nVia: x\r\nX-Forwarded-For: 198.51.100.1, 10.3.3.3\r\n"),
        ip(198, 51, 100, 1));
}

static void nothing_to_go_by_leaves_the_last_that_is_known(void **state)
{
    (void)state;
    assert_int_equal(address(""), ip(10, 0, 0, 1));
    assert_int_equal(address("X-Forwarded-For:\r\n"), ip(10, 0, 0, 1));
    assert_int_equal(address("X-Forwarded-For: ,\r\n"), ip(10, 0, 0, 1));
    assert_int_equal(address("X-Forwarded-For: unknown\r\n"), ip(10, 0, 0, 1));
    assert_int_equal(address("X-Forwarded-For: 198.51.100.1, 2001:db8::1\r\n"), ip(10, 0, 0, 1));
    assert_int_equal(address("X-Forwarded-For: 198.51.100.1, 999.1.1.1, 10.2.2.2\r\n"),
                     ip(10, 2, 2, 2));
    assert_int_equal(address("X-Forwarded-For: 10.4.4.4, 10.5.5.5\r\n"), ip(10, 4, 4, 4));
    assert_int_equal(address("X-Forwarded-For: 198.51.100.1, 1234567890123456789012345\r\n"),
                     ip(10, 0, 0, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_header_is_not_believed),
        cmocka_unit_test(proxys_header_names_the_client),
        cmocka_unit_test(what_the_client_wrote_itself_does_not_count),
        cmocka_unit_test(nothing_to_go_by_leaves_the_last_that_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
