/* SPDX-License-Identifier: MIT */
/* name_key: which names are one, which are none, and what holds of every key. */
#include "node/base/name_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEST_CODE_MAX 0x10ffff

static const char *key_of(struct bytes name, char text[NAME_KEY_BYTES_MAX + 1])
{
    uint8_t storage[NAME_KEY_BYTES_MAX];
    struct bytes key;
    if (!name_key(name, storage, &key)) {
        return NULL;
    }
    assert_in_range(key.len, 1, NAME_KEY_BYTES_MAX);
    memcpy(text, key.ptr, key.len);
    text[key.len] = '\0';
    return text;
}

static void name_key_written_otherwise_is_the_same(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"alice", "Alice"},
        {"alice", "ALICE"},
        {"alice", "alice "},
        {"alice", " \xc2\xa0"
                  "alice\xe3\x80\x80"},
        {"alice", "\xef\xbd\x81lice"},
        {"alice", "\xef\xbc\xa1\xef\xbc\xac\xef\xbc\xa9\xef\xbc\xa3\xef\xbc\xa5"},
        {"alice", "ali\xe2\x80\x8b"
                  "ce"},
        {"alice", "ali\xc2\xad"
                  "ce"},
        {"alice", "\xef\xbb\xbf"
                  "alice"},
        {"alice", "al\xe2\xa0\x80ice"},
        {"alice", "\xe3\x85\xa4"
                  "alice"},
        {"alice", "\xe2\x80\x8b alice \xe2\x80\x8d"},
        {"alice", "alice\xef\xb8\x8f"},
        {"alice",
         "\xf0\x9d\x93\xaa\xf0\x9d\x93\xb5\xf0\x9d\x93\xb2\xf0\x9d\x93\xac\xf0\x9d\x93\xae"},
        {"al ice", "al  \xe2\x80\x89ice"},
        {"al ice", "al \xe2\x80\x8b ice"},
        {"jos\xc3\xa9", "JOSE\xcc\x81"},
        {"strasse", "Stra\xc3\x9f"
                    "e"},
        {"strasse", "STRA\xe1\xba\x9e"
                    "E"},
        {"\xcf\x83\xce\xaf\xcf\x83\xcf\x85\xcf\x86\xce\xbf\xcf\x83",
         "\xce\xa3\xce\x8a\xce\xa3\xce\xa5\xce\xa6\xce\x9f\xcf\x82"},
        {"\xeb\xaf\xbc\xec\x95\x84",
         "\xe1\x84\x86\xe1\x85\xb5\xe1\x86\xab\xe1\x84\x8b\xe1\x85\xa1"},
        {"\xea\xb0\x80", "\xef\xbe\xa1\xef\xbf\x82"},
        {"o'neil", "O\xef\xbc\x87Neil"},
        {"1 2", "\xe2\x91\xa0 \xc2\xb2"},
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        char key[NAME_KEY_BYTES_MAX + 1], other[NAME_KEY_BYTES_MAX + 1];
        assert_non_null(key_of(bytes_str(same[i][0]), key));
        assert_non_null(key_of(bytes_str(same[i][1]), other));
        assert_string_equal(key, other);
        assert_string_equal(key, same[i][0]);
    }
}

static void name_key_another_name_is_another(void **state)
{
    (void)state;
    static const char *const names[] = {
        "alice",
        "\xd0\xb0lice", /* Cyrillic a */
        "al ice",
        "alices",
        "\xeb\xaf\xbc\xec\x95\x84",
        "jos\xc3\xa9",
        "jose",
        "O'Neil",
        "ONeil",
        "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7",
        "\xf0\x9f\x91\xa9",
        "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd",
        "\xf0\x9f\x91\x8d",
        "\xe2\x9d\xa4\xef\xb8\x8f",
        "a/b",
        "a:b",
        "{a}",
    };
    size_t count = sizeof names / sizeof names[0];
    for (size_t i = 0; i < count; i++) {
        char key[NAME_KEY_BYTES_MAX + 1], other[NAME_KEY_BYTES_MAX + 1];
        assert_non_null(key_of(bytes_str(names[i]), key));
        for (size_t j = 0; j < i; j++) {
            assert_non_null(key_of(bytes_str(names[j]), other));
            assert_string_not_equal(key, other);
        }
    }
}

static void name_key_of_what_is_no_name_is_refused(void **state)
{
    (void)state;
    static const char *const none[] = {
        "",
        " ",
        "\xe3\x80\x80",
        "\xe3\x85\xa4",                      /* U+3164 */
        "\xe2\xa0\x80",                      /* U+2800 */
        "\xe2\x80\x8b",                      /* U+200B */
        "\xe2\x80\x8b \xe2\xa0\x80\xc2\xa0", /* all of them */
        "\xef\xbe\xa0",                      /* U+FFA0, which is U+1160 in another width */
        "\xf3\xa0\x81\xa1\xf3\xa0\x81\xbf",  /* tags */
        "alice\xed\xa0\x80",                 /* a surrogate */
        "\xff",                              /* no UTF-8 */
        "alice\xcd\xb8",                     /* U+0378, unassigned */
        "alice\xef\xbf\xbf",                 /* U+FFFF, no character */
        "alice\xf3\xa0\x80\x80",             /* U+E0000, unassigned and ignorable */
    };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        char key[NAME_KEY_BYTES_MAX + 1];
        if (key_of(bytes_str(none[i]), key) != NULL) {
            fail_msg("none[%zu] has the key \"%s\"", i, key);
        }
    }
}

static void name_key_is_bounded(void **state)
{
    (void)state;
    static uint8_t name[CONFIG_NAME_BYTES_MAX + 1];
    char key[NAME_KEY_BYTES_MAX + 1];
    memset(name, 'a', sizeof name);
    assert_non_null(key_of(bytes_of(name, CONFIG_NAME_BYTES_MAX), key));
    assert_null(key_of(bytes_of(name, CONFIG_NAME_BYTES_MAX + 1), key));
    for (size_t i = 0; i + 3 <= sizeof name; i += 3) {
        memcpy(name + i, "\xef\xb7\xba", 3); /* U+FDFA: 18 letters in a key */
    }
    assert_non_null(key_of(bytes_of(name, 30), key));
    assert_null(key_of(bytes_of(name, 510), key));
}

/* A key is its own key, and so is that of the name between any blanks. */
static void check_properties(struct bytes name)
{
    uint8_t storage[NAME_KEY_BYTES_MAX], other[NAME_KEY_BYTES_MAX];
    struct bytes key, again;
    if (!name_key(name, storage, &key)) {
        return;
    }
    struct bytes shown = name_shown(name);
    assert_true(shown.len > 0 && name_key(shown, other, &again));
    assert_true(bytes_equal(key, again));
    if (key.len <= CONFIG_NAME_BYTES_MAX) {
        assert_true(name_key(key, other, &again));
        assert_true(bytes_equal(key, again));
    }
    assert_true(bytes_equal(name_shown(key), key));
}

static size_t put_code(uint32_t code, uint8_t *out)
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};
    for (size_t i = more; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (uint8_t)(leads[more] | code);
    return more + 1;
}

static void name_key_of_every_character_is_its_own_key(void **state)
{
    (void)state;
    size_t count = 0;
    for (uint32_t code = 0; code <= TEST_CODE_MAX; code++) {
        uint8_t text[8];
        size_t len = put_code(code, text);
        check_properties(bytes_of(text, len));
        char key[NAME_KEY_BYTES_MAX + 1];
        count += key_of(bytes_of(text, len), key) != NULL;
    }
    assert_true(count > 100000); /* most of what Unicode has can be a name */
}

static void name_key_of_any_text_is_its_own_key(void **state)
{
    (void)state;
    /* Blanks, ignorable ones, marks that change their order, letters that fold into several. */
    static const uint32_t odd[] = {' ',    0xa0,   0x3000, 0x200b, 0x2800, 0x3164,  0xfe0f, 0x34f,
                                   0x345,  0x301,  0x327,  0x3099, 0x130,  0xdf,    0x1f88, 0xa8,
                                   0xfdfa, 0x1100, 0x1161, 0xffa0, 0xff9e, 0x1d15e, 'A',    0xb4};
    srandom(1);
    for (size_t round = 0; round < 50000; round++) {
        uint8_t text[64];
        size_t len = 0;
        for (long i = random() % 8; i >= 0; i--) {
            bool is_odd = random() % 4 != 0;
            uint32_t code = is_odd ? odd[(size_t)random() % (sizeof odd / sizeof odd[0])]
                                   : (uint32_t)random() % 0x3000;
            len += put_code(code, text + len);
        }
        check_properties(bytes_of(text, len));
    }
}

static void name_shown_is_trimmed_and_else_as_written(void **state)
{
    (void)state;
    static const char *const shown[][2] = {
        {"alice", "alice"},
        {"  Al ice\xe3\x80\x80", "Al ice"},
        {" \xe2\x80\x8b"
         "alice ",
         "\xe2\x80\x8b"
         "alice"},
        {"\xef\xbd\x81lice", "\xef\xbd\x81lice"},
        {"  ", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        assert_true(bytes_equal(name_shown(bytes_str(shown[i][0])), bytes_str(shown[i][1])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_key_written_otherwise_is_the_same),
        cmocka_unit_test(name_key_another_name_is_another),
        cmocka_unit_test(name_key_of_what_is_no_name_is_refused),
        cmocka_unit_test(name_key_is_bounded),
        cmocka_unit_test(name_key_of_every_character_is_its_own_key),
        cmocka_unit_test(name_key_of_any_text_is_its_own_key),
        cmocka_unit_test(name_shown_is_trimmed_and_else_as_written),
    };
    return cmocka_run_group_tests_name("name_key", tests, NULL, NULL);
}
