/* SPDX-License-Identifier: MIT */
/*
 * base64: the vectors of RFC 4648, every length both ways, and the border between what
 * java.util.Base64's basic decoder takes and what it refuses.
 */
#include "proto/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEST_LEN_MAX 200

struct pair {
    const char *plain;
    const char *text;
};

static const struct pair rfc_pairs[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

/* Decodes from a copy of exactly the input's size, so that a read beyond it is seen. */
static bool decodes(const char *text, struct sink *out)
{
    size_t len = strlen(text);
    uint8_t *copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, text, len);
    bool is_base64 = base64_decode(bytes_of(copy + 1, len), out);
    free(copy);
    return is_base64;
}

static void assert_decodes_to(const char *text, const char *plain)
{
    uint8_t storage[64];
    struct sink out = sink_into(storage, sizeof storage);
    assert_true(decodes(text, &out));
    assert_int_equal(out.len, strlen(plain));
    assert_memory_equal(storage, plain, out.len);
}

static void assert_refused(const char *text)
{
    uint8_t storage[64];
    struct sink out = sink_into(storage, sizeof storage);
    assert_false(decodes(text, &out));
}

static void base64_rfc_vectors_encode_padded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rfc_pairs / sizeof rfc_pairs[0]; i++) {
        char storage[16] = "";
        struct sink out = sink_into(storage, sizeof storage);
        base64_encode(bytes_str(rfc_pairs[i].plain), &out);
        assert_int_equal(out.len, strlen(rfc_pairs[i].text));
        assert_string_equal(storage, rfc_pairs[i].text);
    }
}

static void base64_rfc_vectors_decode(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rfc_pairs / sizeof rfc_pairs[0]; i++) {
        assert_decodes_to(rfc_pairs[i].text, rfc_pairs[i].plain);
    }
}

static void base64_missing_padding_is_accepted(void **state)
{
    (void)state;
    assert_decodes_to("Zg", "f");
    assert_decodes_to("Zm8", "fo");
    assert_decodes_to("Zm9vYg", "foob");
    assert_decodes_to("Zm9vYmE", "fooba");
}

static void base64_wrong_padding_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "=",        "==",    "===",    "====",  "Z=",      "Z==",      "Z===",     "Zg=",
        "Zg===",    "Zm8==", "Zm8===", "Zm9v=", "Zm9v==",  "Zm9v====", "Zg=x",     "Zg==Zg==",
        "Zm8=Zm8=", "Z=g=",  "=Zg=",   "Zg==Z", "Zm9vYg=", "Zm9vY=",   "Zm9vY===", "Zm9vYmE==",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_refused(texts[i]);
    }
}

static void base64_single_left_over_character_is_refused(void **state)
{
    (void)state;
    assert_refused("Z");
    assert_refused("Zm9vZ");
    assert_refused("Zm9vYmFyZ");
}

static void base64_white_space_is_refused(void **state)
{
    (void)state;
    assert_refused(" Zm9v");
    assert_refused("Zm9v\n");
    assert_refused("Zm 9v");
    assert_refused("Zm9\r");
    assert_refused("Zg==\n");
    assert_refused("Zg==\r\n");
    assert_refused("Zm\tv");
}

static void base64_url_alphabet_is_refused(void **state)
{
    (void)state;
    assert_decodes_to("+/+/", "\xfb\xff\xbf");
    assert_refused("-/+/");
    assert_refused("+_+/");
    assert_refused("-_-_");
}

static void base64_only_the_64_characters_are_digits(void **state)
{
    (void)state;
    size_t digit_count = 0;
    for (unsigned byte = 0; byte <= UINT8_MAX; byte++) {
        uint8_t in[4] = {'A', 'A', 'A', (uint8_t)byte};
        uint8_t storage[3];
        struct sink out = sink_into(storage, sizeof storage);
        if (base64_decode(bytes_of(in, sizeof in), &out) && out.len == 3) {
            uint8_t back[4];
            struct sink again = sink_into(back, sizeof back);
            base64_encode(bytes_of(storage, 3), &again);
            assert_memory_equal(back, in, sizeof in);
            digit_count++;
        }
    }
    assert_int_equal(digit_count, 64);
}

static void base64_left_over_bits_are_ignored(void **state)
{
    (void)state;
    assert_decodes_to("Zh==", "f");
    assert_decodes_to("Zn", "f");
    assert_decodes_to("Zm9", "fo");
    assert_decodes_to("Zm+=", "fo");
}

static void base64_every_length_round_trips(void **state)
{
    (void)state;
    uint8_t plain[TEST_LEN_MAX];
    for (size_t i = 0; i < sizeof plain; i++) {
        plain[i] = (uint8_t)(i * 151 + 77);
    }
    for (size_t len = 0; len <= sizeof plain; len++) {
        uint8_t text[TEST_LEN_MAX * 2];
        uint8_t back[TEST_LEN_MAX + 2];
        struct sink text_out = sink_into(text, sizeof text);
        struct sink back_out = sink_into(back, sizeof back);
        base64_encode(bytes_of(plain, len), &text_out);
        assert_int_equal(text_out.len, base64_encoded_bytes(len));
        assert_int_equal(text_out.len % 4, 0);
        assert_true(base64_decode(sink_bytes(&text_out), &back_out));
        assert_true(bytes_equal(sink_bytes(&back_out), bytes_of(plain, len)));
    }
}

static void base64_empty_range_without_pointer_is_empty(void **state)
{
    (void)state;
    struct sink out = sink_into(NULL, 0);
    base64_encode(bytes_of(NULL, 0), &out);
    assert_true(base64_decode(bytes_of(NULL, 0), &out));
    assert_int_equal(out.len, 0);
}

static void base64_small_storage_counts_and_is_not_overrun(void **state)
{
    (void)state;
    uint8_t storage[6] = {0, 0, 0, 0, 0, 0xaa};
    struct sink out = sink_into(storage, 5);
    base64_encode(bytes_str("foobar"), &out);
    assert_int_equal(out.len, 8);
    assert_false(sink_fits(&out));
    assert_int_equal(storage[5], 0xaa);
    out = sink_into(storage, 5);
    assert_true(base64_decode(bytes_str("Zm9vYmFy"), &out));
    assert_int_equal(out.len, 6);
    assert_false(sink_fits(&out));
    assert_int_equal(storage[5], 0xaa);
}

static void base64_output_is_appended(void **state)
{
    (void)state;
    char storage[16] = "";
    struct sink out = sink_into(storage, sizeof storage);
    sink_text(&out, "x:");
    base64_encode(bytes_str("f"), &out);
    assert_true(base64_decode(bytes_str("Zm8"), &out));
    assert_string_equal(storage, "x:Zg==fo");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_rfc_vectors_encode_padded),
        cmocka_unit_test(base64_rfc_vectors_decode),
        cmocka_unit_test(base64_missing_padding_is_accepted),
        cmocka_unit_test(base64_wrong_padding_is_refused),
        cmocka_unit_test(base64_single_left_over_character_is_refused),
        cmocka_unit_test(base64_white_space_is_refused),
        cmocka_unit_test(base64_url_alphabet_is_refused),
        cmocka_unit_test(base64_only_the_64_characters_are_digits),
        cmocka_unit_test(base64_left_over_bits_are_ignored),
        cmocka_unit_test(base64_every_length_round_trips),
        cmocka_unit_test(base64_empty_range_without_pointer_is_empty),
        cmocka_unit_test(base64_small_storage_counts_and_is_not_overrun),
        cmocka_unit_test(base64_output_is_appended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
