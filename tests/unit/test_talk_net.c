/* SPDX-License-Identifier: MIT */
/* Tests of admin/talk_net: what people type for a server. */
#include "admin/talk/talk_net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void talk_net_addresses_are_read_and_printed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *port, *printed;
    } cases[] = {{"chat.example.org", "chat.example.org", "8080", "chat.example.org:8080"},
                 {"127.0.0.1:81", "127.0.0.1", "81", "127.0.0.1:81"},
                 {"[::1]:65535", "::1", "65535", "[::1]:65535"},
                 {"[fe80::1]", "fe80::1", "8080", "[fe80::1]:8080"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct talk_address address;
        char printed[300];
        assert_true(talk_net_parse(cases[i].text, "8080", &address));
        assert_string_equal(address.host, cases[i].host);
        assert_string_equal(address.port, cases[i].port);
        talk_net_print(&address, printed, sizeof printed);
        assert_string_equal(printed, cases[i].printed);
    }
    static const char *const wrong[] = {"",       ":80", "a:",    "a:0",    "a:65536",
                                        "a:b",    "::1", "[::1",  "[]:80",  "[::1]x",
                                        "[::1]:", "a/b", "a b:1", "[a b]:1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct talk_address address;
        assert_false(talk_net_parse(wrong[i], "8080", &address));
    }
}

static void talk_net_resolves_both_families(void **state)
{
    (void)state;
    struct talk_address address;
    struct talk_endpoint endpoint;
    assert_true(talk_net_parse("127.0.0.1:81", "80", &address));
    assert_true(talk_net_resolve(&address, SOCK_STREAM, 0, &endpoint));
    assert_int_equal(endpoint.address.ss_family, AF_INET);
    assert_true(talk_net_parse("[::1]:81", "80", &address));
    assert_true(talk_net_resolve(&address, SOCK_DGRAM, 0, &endpoint));
    assert_int_equal(endpoint.address.ss_family, AF_INET6);
    assert_int_equal(endpoint.len, sizeof(struct sockaddr_in6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(talk_net_addresses_are_read_and_printed),
        cmocka_unit_test(talk_net_resolves_both_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
