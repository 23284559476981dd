/* SPDX-License-Identifier: MIT */
/*
 * utf8: well-formedness by a table of borders, names, and the lossy conversion against what Java
 * itself made of the same bytes (array "utf8_replacement" of the vectors).
 */
#include "proto/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#define TEST_BYTES_MAX 256

struct validity {
    const char *text;
    bool is_valid;
    const char *why;
};

static const struct validity validity_table[] = {
    {"", true, "empty"},
    {"plain ASCII\t\x7f", true, "ASCII"},
    {"\xc2\x80", true, "lowest of two bytes"},
    {"\xdf\xbf", true, "highest of two bytes"},
    {"\xe0\xa0\x80", true, "lowest of three bytes"},
    {"\xed\x9f\xbf", true, "last before the surrogates"},
    {"\xee\x80\x80", true, "first after the surrogates"},
    {"\xef\xbf\xbf", true, "highest of three bytes"},
    {"\xf0\x90\x80\x80", true, "lowest of four bytes"},
    {"\xf4\x8f\xbf\xbf", true, "U+10FFFF"},
    {"\xed\x99\x8d\xea\xb8\xb8\xeb\x8f\x99", true, "Korean"},
    {"\xf0\x9f\x98\x80", true, "emoji"},
    {"\x80", false, "continuation alone"},
    {"\xbf", false, "continuation alone"},
    {"a\x80", false, "continuation after ASCII"},
    {"\xc0\x80", false, "overlong NUL"},
    {"\xc1\xbf", false, "overlong of two bytes"},
    {"\xe0\x80\x80", false, "overlong of three bytes"},
    {"\xe0\x9f\xbf", false, "overlong of three bytes, highest"},
    {"\xf0\x80\x80\x80", false, "overlong of four bytes"},
    {"\xf0\x8f\xbf\xbf", false, "overlong of four bytes, highest"},
    {"\xed\xa0\x80", false, "first surrogate"},
    {"\xed\xbf\xbf", false, "last surrogate"},
    {"\xed\xa0\xbd\xed\xb8\x80", false, "surrogate pair (CESU-8)"},
    {"\xf4\x90\x80\x80", false, "U+110000"},
    {"\xf5\x80\x80\x80", false, "lead beyond F4"},
    {"\xf8\x88\x80\x80\x80", false, "five bytes"},
    {"\xfc\x84\x80\x80\x80\x80", false, "six bytes"},
    {"\xfe", false, "never a byte of UTF-8"},
    {"\xff", false, "never a byte of UTF-8"},
    {"\xc2", false, "cut after one of two"},
    {"\xe2\x82", false, "cut after two of three"},
    {"\xf0\x9f\x98", false, "cut after three of four"},
    {"\xc2\x41", false, "ASCII instead of a continuation"},
    {"\xe2\x82\xc0", false, "lead instead of a continuation"},
    {"ok\xf0\x9f\x98\x80\xc3", false, "good start, bad end"},
};

static const char *const good_names[] = {
    "a",
    "alice",
    "room one",
    " a ",
    "\xed\x99\x8d\xea\xb8\xb8\xeb\x8f\x99",
    "\xf0\x9f\x98\x80",
    "~",
    "\xc2\xa1",
    ("\xc2\xa0"
     "a"),
    "\xe2\x80\xa7",
    ("\xe2\x80\xaf"
     "b"),
    "\xe2\x81\xa5",
    "\xe2\x81\xaa",
};

static const char *const bad_names[] = {
    "",
    " ",
    "   ",
    "\xe3\x80\x80",
    " \xc2\xa0\xe2\x80\x83",
    "\xe1\x9a\x80",
    "\xe2\x80\xaf",
    "\xe2\x81\x9f",
    "\t",
    "tab\tname",
    "line\n",
    ("\x1f"
     "a"),
    "a\x7f",
    "a\xc2\x80",
    "a\xc2\x85",
    "a\xc2\x9f",
    "a\xe2\x80\xa8",
    "a\xe2\x80\xa9",
    "a\xe2\x80\xaa",
    "a\xe2\x80\xae",
    "a\xe2\x81\xa6",
    "a\xe2\x81\xa9",
    "a\xff",
    "a\xed\xa0\x80",
    "a\xc3",
};

static json_t *vectors;

static int vectors_load(void **state)
{
    (void)state;
    vectors = json_load_file(TEST_DATA_DIR "/hgtp_vectors.json", JSON_ALLOW_NUL, NULL);
    return vectors == NULL;
}

static int vectors_free(void **state)
{
    (void)state;
    json_decref(vectors);
    return 0;
}

static size_t hex_bytes(const char *hex, uint8_t *ret_bytes)
{
    size_t count = strlen(hex) / 2;
    assert_true(count <= TEST_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        ret_bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return count;
}

/* Runs on a copy of exactly the input's size, so that a read beyond it is seen. */
static bool is_valid_copy(struct bytes in)
{
    uint8_t *copy = malloc(in.len + 1);
    assert_non_null(copy);
    if (in.len > 0) {
        memcpy(copy + 1, in.ptr, in.len);
    }
    bool is_valid = utf8_valid(bytes_of(copy + 1, in.len));
    free(copy);
    return is_valid;
}

static void utf8_table_of_borders_tells_valid_from_ill_formed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof validity_table / sizeof validity_table[0]; i++) {
        const struct validity *row = &validity_table[i];
        if (is_valid_copy(bytes_str(row->text)) != row->is_valid) {
            fail_msg("row %zu: %s", i, row->why);
        }
    }
}

static void utf8_nul_byte_is_valid(void **state)
{
    (void)state;
    assert_true(utf8_valid(bytes_of("a\0b", 3)));
    assert_true(utf8_valid(bytes_of(NULL, 0)));
}

/* Encodes without any check: surrogates and values beyond U+10FFFF too. */
static size_t encode_code(uint32_t code, uint8_t ret_bytes[4])
{
    if (code < 0x80) {
        ret_bytes[0] = (uint8_t)code;
        return 1;
    }
    size_t count = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = count - 1; i > 0; i--) {
        ret_bytes[i] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    ret_bytes[0] = (uint8_t)((0xf00U >> count & 0xf0) | code);
    return count;
}

static void utf8_every_code_point_is_valid_but_surrogates(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x13ffff; code++) {
        uint8_t encoded[4];
        size_t count = encode_code(code, encoded);
        bool is_scalar = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
        if (utf8_valid(bytes_of(encoded, count)) != is_scalar) {
            fail_msg("U+%04X", code);
        }
    }
}

static void utf8_ordinary_names_are_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good_names / sizeof good_names[0]; i++) {
        if (!utf8_name_valid(bytes_str(good_names[i]), 64)) {
            fail_msg("name %zu", i);
        }
    }
}

static void utf8_empty_blank_and_harmful_names_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_names / sizeof bad_names[0]; i++) {
        if (utf8_name_valid(bytes_str(bad_names[i]), 64)) {
            fail_msg("name %zu", i);
        }
    }
    assert_false(utf8_name_valid(bytes_of("a\0b", 3), 64));
    assert_false(utf8_name_valid(bytes_of(NULL, 0), 64));
}

static void utf8_every_control_and_direction_character_spoils_a_name(void **state)
{
    (void)state;
    size_t refused_count = 0;
    for (uint32_t code = 0; code <= 0xffff; code++) {
        uint8_t name[5] = {'a'};
        size_t count = encode_code(code, name + 1);
        bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
        refused_count += !is_surrogate && !utf8_name_valid(bytes_of(name, count + 1), 64);
    }
    /* C0 32, DEL 1, C1 32, separators 2, overrides and embeddings 5, isolates 4 */
    assert_int_equal(refused_count, 76);
}

static void utf8_name_may_have_the_maximum_but_no_byte_more(void **state)
{
    (void)state;
    assert_true(utf8_name_valid(bytes_str("abcd"), 4));
    assert_false(utf8_name_valid(bytes_str("abcde"), 4));
    assert_true(utf8_name_valid(bytes_str("a\xea\xb0\x80"), 4));
    assert_false(utf8_name_valid(bytes_str("ab\xea\xb0\x80"), 4));
    assert_false(utf8_name_valid(bytes_str("a"), 0));
}

static void utf8_replacement_vectors_give_what_java_gave(void **state)
{
    (void)state;
    size_t index;
    json_t *vector;
    json_t *array = json_object_get(vectors, "utf8_replacement");
    assert_true(json_array_size(array) >= 70);
    json_array_foreach(array, index, vector)
    {
        uint8_t in[TEST_BYTES_MAX], expected[TEST_BYTES_MAX], storage[TEST_BYTES_MAX];
        size_t in_bytes = hex_bytes(json_string_value(json_object_get(vector, "in")), in);
        size_t out_bytes = hex_bytes(json_string_value(json_object_get(vector, "out")), expected);
        struct sink out = sink_into(storage, sizeof storage);
        utf8_replace(bytes_of(in, in_bytes), &out);
        if (!bytes_equal(sink_bytes(&out), bytes_of(expected, out_bytes))) {
            fail_msg("vector %zu", index);
        }
        assert_int_equal(utf8_valid(bytes_of(in, in_bytes)),
                         bytes_equal(bytes_of(in, in_bytes), bytes_of(expected, out_bytes)));
    }
}

static void utf8_replacement_grows_at_most_threefold(void **state)
{
    (void)state;
    uint8_t in[16];
    memset(in, 0xff, sizeof in);
    struct sink out = sink_into(NULL, 0);
    utf8_replace(bytes_of(in, sizeof in), &out);
    assert_int_equal(out.len, 48);
}

static void utf8_replacement_into_small_storage_counts_and_is_not_overrun(void **state)
{
    (void)state;
    uint8_t storage[5] = {0, 0, 0, 0, 0xaa};
    struct sink out = sink_into(storage, 4);
    utf8_replace(bytes_str("a\xff\xff"), &out);
    assert_int_equal(out.len, 7);
    assert_false(sink_fits(&out));
    assert_memory_equal(storage, "a\xef\xbf\xbd\xaa", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_table_of_borders_tells_valid_from_ill_formed),
        cmocka_unit_test(utf8_nul_byte_is_valid),
        cmocka_unit_test(utf8_every_code_point_is_valid_but_surrogates),
        cmocka_unit_test(utf8_ordinary_names_are_valid),
        cmocka_unit_test(utf8_empty_blank_and_harmful_names_are_refused),
        cmocka_unit_test(utf8_every_control_and_direction_character_spoils_a_name),
        cmocka_unit_test(utf8_name_may_have_the_maximum_but_no_byte_more),
        cmocka_unit_test(utf8_replacement_vectors_give_what_java_gave),
        cmocka_unit_test(utf8_replacement_grows_at_most_threefold),
        cmocka_unit_test(utf8_replacement_into_small_storage_counts_and_is_not_overrun),
    };
    return cmocka_run_group_tests(tests, vectors_load, vectors_free);
}
