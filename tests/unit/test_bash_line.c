/* SPDX-License-Identifier: MIT */
/*
 * bash_line: lines as bash reads them, and that a name put into a line, in any state of quoting, is
 * read back as that name.
 */
#include "admin/bash_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BREAKS " \t\n\"'><=;|&(:"

static void bash_line_words_are_as_the_command_gets_them(void **state)
{
    (void)state;
    setenv("HOME", "/home/op", 1);
    static const struct {
        const char *line, *words[5];
        enum bash_quote quote;
        size_t kept;
    } cases[] = {
        {"tool", {"tool"}, BASH_PLAIN, 0},
        {"tool ", {"tool", ""}, BASH_PLAIN, 0},
        {"tool a\\ b c", {"tool", "a b", "c"}, BASH_PLAIN, 0},
        {"tool 'a b' \"c \\\"\\$d\\x\" e", {"tool", "a b", "c \"$d\\x", "e"}, BASH_PLAIN, 0},
        {"tool $'a\\n\\x41\\u00e9\\101' b",
         {"tool",
          "a\nA\u00e9"
          "A",
          "b"},
         BASH_PLAIN,
         0},
        {"tool \"zz", {"tool", "zz"}, BASH_DOUBLE, 0},
        {"tool 'z\\z", {"tool", "z\\z"}, BASH_SINGLE, 0},
        {"tool $'z\\\\z", {"tool", "z\\z"}, BASH_ANSI, 0},
        {"tool x'y'\"z", {"tool", "xyz"}, BASH_DOUBLE, 2},
        {"tool a:b=c", {"tool", "a:b=c"}, BASH_PLAIN, 4},
        {"tool a\\:b", {"tool", "a:b"}, BASH_PLAIN, 0},
        {"tool zz\\", {"tool", "zz"}, BASH_PLAIN, 0},
        {"tool ~/f ''", {"tool", "/home/op/f", ""}, BASH_PLAIN, 0},
        {"tool \\~/f a$ b", {"tool", "~/f", "a$", "b"}, BASH_PLAIN, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bash_line line;
        assert_true(bash_line_read(&line, cases[i].line, BREAKS));
        size_t count = 0;
        while (count < 5 && cases[i].words[count] != NULL) {
            assert_string_equal(line.words[count], cases[i].words[count]);
            count++;
        }
        assert_int_equal(line.count, count);
        assert_int_equal(line.quote, cases[i].quote);
        assert_int_equal(line.kept, cases[i].kept);
        bash_line_fini(&line);
    }
}

static void bash_line_with_what_only_an_evaluation_tells_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "tool $(x) a", "tool \"$(x", "tool `x`",   "tool $HOME/a",    "tool \"${a}",
        "tool a;b",    "tool a | b", "tool a > b", "tool $'a\\cx' b", "tool $'a\\'b"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct bash_line line;
        assert_false(bash_line_read(&line, lines[i], BREAKS));
        bash_line_fini(&line);
    }
}

/* A name of what shells know, without control characters. */
static void some_name(char name[32])
{
    static const char *const parts[] = {"$(x)", "`",     "'", "\"", "\\",     "!", " ",
                                        "*",    "{a,b}", "~", "#",  ";",      "&", "|",
                                        "$",    "$a",    ":", "=",  "\u00e9", "z"};
    name[0] = '\0';
    for (int i = 1 + rand() % 5; i > 0; i--) {
        strcat(name, parts[rand() % 20]);
    }
}

static void bash_line_that_was_completed_means_the_name(void **state)
{
    (void)state;
    static const char *const opened[] = {"", "'", "\"", "$'"}, *const closed[] = {"", "'", "\"",
                                                                                  "'"};
    srand(13);
    for (int round = 0; round < 20000; round++) {
        char name[32], typed[64], whole[512], *written = NULL;
        size_t size = 0;
        struct bash_line line;
        int q = rand() % 4;
        some_name(name);
        snprintf(typed, sizeof typed, "tool x %s", opened[q]);
        assert_true(bash_line_read(&line, typed, BREAKS));
        FILE *out = open_memstream(&written, &size);
        bash_line_write(&line, name, out);
        assert_int_equal(fclose(out), 0);
        bash_line_fini(&line);
        snprintf(whole, sizeof whole, "%s%s%s y", typed, written, closed[q]);
        free(written);
        if (q != 3 || strchr(name, '\'') == NULL) { /* readline reads that otherwise */
            assert_true(bash_line_read(&line, whole, BREAKS));
            assert_int_equal(line.count, 4);
            assert_string_equal(line.words[2], name);
        } else {
            (void)bash_line_read(&line, whole, BREAKS);
        }
        bash_line_fini(&line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bash_line_words_are_as_the_command_gets_them),
        cmocka_unit_test(bash_line_with_what_only_an_evaluation_tells_is_refused),
        cmocka_unit_test(bash_line_that_was_completed_means_the_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
