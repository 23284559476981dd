/* SPDX-License-Identifier: MIT */
/*
 * Tests of admin/talk_show and talk_cells: nothing that comes from others does anything to a
 * terminal; lines as people and programs see them; where a line ends that libedit has drawn.
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "admin/talk/talk_cells.h"
#include "admin/talk/talk_show.h"
#include "proto/utf8.h"

static char line[4096];

static const char *text_of(struct sink *out)
{
    assert_true(out->len < sizeof line);
    line[out->len] = '\0';
    return line;
}

static const char *safe(const char *text, size_t len)
{
    struct sink out = sink_into(line, sizeof line - 1);
    visible_put(bytes_of(text, len), &out);
    return text_of(&out);
}

#define SAFE(text) safe((text), sizeof(text) - 1)

/* Safety --------------------------------------------------------------------------------------- */

static void ordinary_text_is_left_alone(void **state)
{
    (void)state;
    static const char text[] = "Grüße, 안녕하세요 🙂 👩‍👩‍👧 e\u0301";
    assert_string_equal(SAFE(text), text);
    assert_string_equal(SAFE(""), "");
}

static void escape_sequences_become_visible(void **state)
{
    (void)state;
    assert_string_equal(SAFE("\033[2J\033]0;x\a"), "␛[2J␛]0;x␇");
    assert_string_equal(SAFE("a\r\nb\tc\bd\x7f"), "a␍␤b c␈d␡");
    assert_string_equal(SAFE("a\0b"), "a␀b");
}

static void control_characters_beyond_ascii_and_turned_text_go(void **state)
{
    (void)state;
    assert_string_equal(SAFE("\xc2\x9b"
                             "31m"),
                        "\ufffd31m");
    assert_string_equal(SAFE("a\u202eb\u2066c\u2028d\ufeffe"), "a\ufffdb\ufffdc\ufffdd\ufffde");
}

static void bytes_that_are_no_characters_are_replaced(void **state)
{
    (void)state;
    assert_string_equal(SAFE("a\xff"
                             "b"),
                        "a\ufffdb");
    assert_string_equal(SAFE("a\xe2\x82"), "a\ufffd");
    assert_string_equal(SAFE("\xc0\x9b"), "\ufffd\ufffd");
    assert_string_equal(SAFE("\xed\xa0\x80x"), "\ufffd\ufffd\ufffdx");
}

/* Whatever the bytes: no control characters, well-formed, and as long as was promised. */
static void any_bytes_become_harmless(void **state)
{
    (void)state;
    srand(17);
    for (int round = 0; round < 5000; round++) {
        char text[64];
        size_t len = (size_t)(rand() % 64);
        for (size_t i = 0; i < len; i++) {
            static const uint8_t likely[] = {0x1b, 0xc2, 0x9b, 0xe2, 0x80,
                                             0xae, 0xf0, 0x9f, 'a',  0};
            text[i] = (char)(rand() % 2 ? likely[rand() % 10] : (uint8_t)rand());
        }
        const char *shown = safe(text, len);
        assert_true(strlen(shown) <= VISIBLE_FACTOR * len);
        assert_true(len == 0 || utf8_valid(bytes_str(shown)));
        for (const char *at = shown; *at != '\0'; at++) {
            assert_true((uint8_t)*at >= 0x20 && *at != 0x7f);
            assert_false((uint8_t)*at == 0xc2 && (uint8_t)at[1] < 0xa0);
        }
    }
}

/* Lines ---------------------------------------------------------------------------------------- */

static const struct talk_show plain = {.is_plain = true}, person = {.has_colour = false},
                              coloured = {.has_colour = true};

#define NOON_MS (12 * 3600000 + 3 * 60000 + 59999)

static const char *said(const struct talk_show *show, const char *from, bool is_own,
                        const char *text)
{
    struct sink out = sink_into(line, sizeof line - 1);
    talk_show_said(show, NOON_MS, bytes_str(from), is_own, bytes_str(text), &out);
    return text_of(&out);
}

static void message_is_shown_with_time_and_name(void **state)
{
    (void)state;
    assert_string_equal(said(&plain, "alice", false, "hi"), "12:03 alice: hi");
    assert_string_equal(said(&person, "앨리스", false, "안녕"), "12:03 앨리스: 안녕");
    assert_string_equal(said(&plain, "al\x1bice", false, "hi"), "12:03 al␛ice: hi");
}

static void message_of_several_lines_forges_no_other(void **state)
{
    (void)state;
    assert_string_equal(said(&plain, "m", false, "a\n12:04 bob: b"), "12:03 m: a␤12:04 bob: b");
    assert_string_equal(said(&person, "m", false, "a\r\n12:04 bob: b"),
                        "12:03 m: a\n      12:04 bob: b");
}

static void colours_are_there_only_when_wanted(void **state)
{
    (void)state;
    assert_null(strchr(said(&person, "alice", true, "hi"), '\033'));
    char own[4096];
    snprintf(own, sizeof own, "%s", said(&coloured, "alice", true, "hi"));
    assert_non_null(strchr(own, '\033'));
    assert_string_not_equal(own, said(&coloured, "alice", false, "hi"));
    assert_string_equal(own + strlen(own) - 4, ": hi");
}

static const char *event(const char *name, const char *user, const char *notice)
{
    struct sink out = sink_into(line, sizeof line - 1);
    talk_show_event(&plain, bytes_str(name), bytes_str(user), bytes_str(notice), &out);
    return text_of(&out);
}

static void event_is_told_in_our_words_and_a_notice_in_its_own(void **state)
{
    (void)state;
    assert_string_equal(event("joined", "bob", "[bob] has joined."), "* bob joined");
    assert_string_equal(event("manager", "bob", "[bob]!"), "* bob manages the room now");
    assert_string_equal(event("created", "bob", "x"), "* bob opened the room");
    assert_string_equal(event("left", "b\033b", "x"), "* b␛b left");
    assert_string_equal(event("notice", "", "back at \0337"), "* back at ␛7");
    assert_string_equal(event("danced", "bob", "[bob] has danced."), "* [bob] has danced.");
}

/* Cells ---------------------------------------------------------------------------------------- */

static void expect_end(const wchar_t *text, size_t columns, size_t row, size_t column)
{
    struct talk_cells end =
        talk_cells_after((struct talk_cells){0, 0}, text, wcslen(text), columns);
    assert_int_equal(end.row, row);
    assert_int_equal(end.column, column);
}

static void letters_fill_rows(void **state)
{
    (void)state;
    expect_end(L"", 10, 0, 0);
    expect_end(L"abcdefghi", 10, 0, 9);
    expect_end(L"abcdefghij", 10, 1, 0);
    expect_end(L"abcdefghijk", 10, 1, 1);
}

static void wide_characters_are_not_cut_by_the_edge(void **state)
{
    (void)state;
    expect_end(L"안녕하세요", 10, 1, 0);
    expect_end(L"a안녕하세요", 10, 1, 2); /* the last one does not fit beside the others */
    expect_end(L"🙂🙂", 10, 0, 4);
    expect_end(L"e\u0301e", 10, 0, 2); /* a mark above its letter */
    assert_int_equal(talk_cells_width(L"한국어방> ", 6), 10);
}

static void control_characters_and_tabs_take_what_libedit_gives_them(void **state)
{
    (void)state;
    expect_end(L"\x01", 10, 0, 2);
    expect_end(L"ab\tc", 20, 0, 9);
}

int main(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    if (setlocale(LC_ALL, "C.UTF-8") == NULL) {
        return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_text_is_left_alone),
        cmocka_unit_test(escape_sequences_become_visible),
        cmocka_unit_test(control_characters_beyond_ascii_and_turned_text_go),
        cmocka_unit_test(bytes_that_are_no_characters_are_replaced),
        cmocka_unit_test(any_bytes_become_harmless),
        cmocka_unit_test(message_is_shown_with_time_and_name),
        cmocka_unit_test(message_of_several_lines_forges_no_other),
        cmocka_unit_test(colours_are_there_only_when_wanted),
        cmocka_unit_test(event_is_told_in_our_words_and_a_notice_in_its_own),
        cmocka_unit_test(letters_fill_rows),
        cmocka_unit_test(wide_characters_are_not_cut_by_the_edge),
        cmocka_unit_test(control_characters_and_tabs_take_what_libedit_gives_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
