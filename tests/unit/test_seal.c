/* SPDX-License-Identifier: MIT */
/* seal: what is sealed is opened by the same secret for the same use, whole, or not at all. */
#include "proto/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const uint8_t nonce[SEAL_NONCE_BYTES] = "0123456789a";

static struct bytes sealed(const char *secret, const char *bound, const char *plain)
{
    static uint8_t storage[256];
    struct sink out = sink_into(storage, sizeof storage);
    seal_close(bytes_str(secret), bytes_str(bound), nonce, bytes_str(plain), &out);
    assert_true(sink_fits(&out));
    return sink_bytes(&out);
}

static bool opens(const char *secret, const char *bound, struct bytes in, const char *expected)
{
    uint8_t storage[256];
    struct sink out = sink_into(storage, sizeof storage);
    bool is_open = seal_open(bytes_str(secret), bytes_str(bound), in, &out);
    assert_int_equal(out.len, is_open ? strlen(expected) : 0);
    return is_open && bytes_equal(sink_bytes(&out), bytes_str(expected));
}

static void seal_open_gives_back_what_was_sealed(void **state)
{
    (void)state;
    struct bytes in = sealed("secret", "realm/bob", "the key");
    assert_int_equal(in.len, strlen("the key") + SEAL_EXTRA_BYTES);
    assert_null(memmem(in.ptr, in.len, "the key", 7));
    assert_true(opens("secret", "realm/bob", in, "the key"));
    assert_true(opens("secret", "", sealed("secret", "", ""), ""));
}

static void seal_open_refuses_another_secret_and_another_use(void **state)
{
    (void)state;
    struct bytes in = sealed("secret", "realm/bob", "the key");
    assert_false(opens("secreu", "realm/bob", in, ""));
    assert_false(opens("secret", "realm/rob", in, ""));
    assert_false(opens("secret", "", in, ""));
}

static void seal_open_refuses_every_changed_bit_and_every_length(void **state)
{
    (void)state;
    uint8_t copy[256];
    struct bytes in = sealed("secret", "realm/bob", "the key");
    memcpy(copy, in.ptr, in.len);
    for (size_t bit = 0; bit < in.len * 8; bit++) {
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(opens("secret", "realm/bob", bytes_of(copy, in.len), ""));
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < in.len; len++) {
        assert_false(opens("secret", "realm/bob", bytes_of(copy, len), ""));
    }
    assert_true(opens("secret", "realm/bob", bytes_of(copy, in.len), "the key"));
}

static void seal_open_into_too_little_room_appends_nothing(void **state)
{
    (void)state;
    uint8_t storage[6];
    struct sink out = sink_into(storage, sizeof storage);
    assert_false(seal_open(bytes_str("s"), bytes_str("b"), sealed("s", "b", "the key"), &out));
    assert_int_equal(out.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seal_open_gives_back_what_was_sealed),
        cmocka_unit_test(seal_open_refuses_another_secret_and_another_use),
        cmocka_unit_test(seal_open_refuses_every_changed_bit_and_every_length),
        cmocka_unit_test(seal_open_into_too_little_room_appends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
