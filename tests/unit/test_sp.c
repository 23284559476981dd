/* SPDX-License-Identifier: MIT */
/* Tests of proto/sp: against bytes that nng 1.5 has sent and taken, every cut, lengths at their
 * extremes. What a real nng client makes of it is in tests/it/test_control_local.c. */
#include "proto/sp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* As strace shows them of a REQ socket that asks "hi". */
static const uint8_t greeting_of_req[] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
static const uint8_t frame_of_req[] = {1, 0, 0, 0, 0, 0, 0, 0, 6, 0x80, 0, 0, 7, 'h', 'i'};

static void sp_greeting_is_what_nng_sends(void **state)
{
    (void)state;
    uint8_t made[SP_GREETING_BYTES];
    struct sink out = sink_into(made, sizeof made);
    sp_greet(SP_REQ, &out);
    assert_true(sink_fits(&out));
    assert_memory_equal(made, greeting_of_req, sizeof made);
    for (size_t len = 0; len < sizeof greeting_of_req; len++) {
        assert_int_equal(sp_greeting_read(bytes_of(greeting_of_req, len), SP_REQ), SP_NEED_MORE);
    }
    assert_int_equal(sp_greeting_read(bytes_of(greeting_of_req, 8), SP_REQ), SP_WHOLE);
    assert_int_equal(sp_greeting_read(bytes_of(greeting_of_req, 8), SP_REP), SP_BAD);
}

static void sp_greeting_is_bad_at_its_first_wrong_byte(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof greeting_of_req; at++) {
        uint8_t wrong[sizeof greeting_of_req];
        memcpy(wrong, greeting_of_req, sizeof wrong);
        wrong[at] ^= 1;
        assert_int_equal(sp_greeting_read(bytes_of(wrong, at), SP_REQ), SP_NEED_MORE);
        assert_int_equal(sp_greeting_read(bytes_of(wrong, at + 1), SP_REQ), SP_BAD);
    }
    assert_int_equal(sp_greeting_read(bytes_of("GET / HTTP/1.1", 14), SP_REQ), SP_BAD);
}

static void sp_frame_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    struct bytes payload = bytes_of(NULL, 0);
    for (size_t len = 0; len < sizeof frame_of_req; len++) {
        assert_int_equal(sp_frame_read(bytes_of(frame_of_req, len), 100, &payload), SP_NEED_MORE);
    }
    assert_null(payload.ptr);
    assert_int_equal(sp_frame_read(bytes_of(frame_of_req, sizeof frame_of_req), 6, &payload),
                     SP_WHOLE);
    assert_ptr_equal(payload.ptr, frame_of_req + SP_FRAME_HEAD_BYTES);
    assert_int_equal(payload.len, 6);
    uint8_t head[SP_FRAME_HEAD_BYTES];
    struct sink out = sink_into(head, sizeof head);
    sp_frame_head(6, &out);
    assert_memory_equal(head, frame_of_req, sizeof head);
}

static void sp_frame_that_announces_too_much_is_bad_at_its_head(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {7, 1 << 20, UINT32_MAX, INT64_MAX, UINT64_MAX};
    struct bytes payload;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t head[SP_FRAME_HEAD_BYTES];
        struct sink out = sink_into(head, sizeof head);
        sp_frame_head(lengths[i], &out);
        assert_int_equal(sp_frame_read(bytes_of(head, sizeof head), 6, &payload), SP_BAD);
        assert_int_equal(sp_frame_read(bytes_of(head, sizeof head), lengths[i], &payload),
                         SP_NEED_MORE);
    }
    assert_int_equal(sp_frame_read(bytes_of("\0", 1), 6, &payload), SP_BAD);
    assert_int_equal(sp_frame_read(bytes_of("\2", 1), 6, &payload), SP_BAD);
}

static void sp_empty_frame_is_one(void **state)
{
    (void)state;
    struct bytes payload = bytes_of("x", 1);
    static const uint8_t empty[] = {1, 0, 0, 0, 0, 0, 0, 0, 0};
    assert_int_equal(sp_frame_read(bytes_of(empty, sizeof empty), 0, &payload), SP_WHOLE);
    assert_int_equal(payload.len, 0);
}

static void sp_request_has_a_stack_that_ends(void **state)
{
    (void)state;
    static const uint8_t forwarded[] = {0, 0, 0, 1, 0, 0, 0, 2, 0x80, 0, 0, 7, 'h', 'i'};
    struct bytes stack, body;
    assert_true(sp_request_split(bytes_of(frame_of_req + SP_FRAME_HEAD_BYTES, 6), &stack, &body));
    assert_int_equal(stack.len, 4);
    assert_true(bytes_equal(body, bytes_str("hi")));
    assert_true(sp_request_split(bytes_of(forwarded, sizeof forwarded), &stack, &body));
    assert_true(bytes_equal(stack, bytes_of(forwarded, 12)));
    assert_true(bytes_equal(body, bytes_str("hi")));
    assert_true(sp_request_split(bytes_of(forwarded, 12), &stack, &body));
    assert_int_equal(body.len, 0);
    for (size_t len = 0; len < 12; len++) {
        assert_false(sp_request_split(bytes_of(forwarded, len), &stack, &body));
    }
}

static void sp_request_through_more_than_eight_forwarders_is_refused(void **state)
{
    (void)state;
    uint8_t words[SP_STACK_BYTES_MAX + 4] = {0};
    struct bytes stack, body;
    words[SP_STACK_BYTES_MAX] = 0x80;
    assert_false(sp_request_split(bytes_of(words, sizeof words), &stack, &body));
    words[SP_STACK_BYTES_MAX - 4] = 0x80;
    assert_true(sp_request_split(bytes_of(words, sizeof words), &stack, &body));
    assert_int_equal(stack.len, SP_STACK_BYTES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sp_greeting_is_what_nng_sends),
        cmocka_unit_test(sp_greeting_is_bad_at_its_first_wrong_byte),
        cmocka_unit_test(sp_frame_is_read_whole_or_not_at_all),
        cmocka_unit_test(sp_frame_that_announces_too_much_is_bad_at_its_head),
        cmocka_unit_test(sp_empty_frame_is_one),
        cmocka_unit_test(sp_request_has_a_stack_that_ends),
        cmocka_unit_test(sp_request_through_more_than_eight_forwarders_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
