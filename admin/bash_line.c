/* SPDX-License-Identifier: MIT */
/*
 * bash_line: bash's quoting, as far as words without expansions need it, and readline's idea of
 * where the word to be replaced begins (_rl_find_completion_word). What is offered is complete.c's.
 */
#include "admin/bash_line.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A line while it is read. */
struct bash_read {
    struct bash_line *line;
    const char *at;
    char *word; /* of the last word, so far; has space for the whole line */
    size_t len;
    bool is_word;  /* something of it has been seen, perhaps only quotes */
    size_t breaks; /* bytes of the word before the last unquoted break in it */
    const char *break_chars;
};

/* Reading -------------------------------------------------------------------------------------- */

static bool bash_read_end_word(struct bash_read *read)
{
    struct bash_line *line = read->line;
    if (line->count == BASH_LINE_WORDS_MAX) {
        return false;
    }
    line->words[line->count] = strndup(read->word, read->len);
    read->len = read->breaks = 0;
    read->is_word = false;
    return line->words[line->count++] != NULL;
}

static void bash_read_put(struct bash_read *read, char byte)
{
    read->word[read->len++] = byte;
    read->is_word = true;
}

/* UTF-8 of \u and \U. */
static void bash_read_put_character(struct bash_read *read, unsigned long code)
{
    if (code < 0x80) {
        bash_read_put(read, (char)code);
        return;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const int leads[] = {0, 0xc0, 0xe0, 0xf0};
    bash_read_put(read, (char)(leads[more] | (int)(code >> (6 * more))));
    while (more-- > 0) {
        bash_read_put(read, (char)(0x80 | ((code >> (6 * more)) & 0x3f)));
    }
}

/* A number of at most `max` digits; false: there is no digit, or it stands for no character. */
static bool bash_read_number(struct bash_read *read, int base, size_t max)
{
    char digits[9] = "";
    size_t len = 0;
    static const char set[] = "0123456789abcdefABCDEF";
    while (len < max && read->at[len] != '\0' &&
           memchr(set, read->at[len], base == 8 ? 8 : sizeof set - 1) != NULL) {
        digits[len] = read->at[len];
        len++;
    }
    unsigned long code = strtoul(digits, NULL, base);
    if (len == 0 || code == 0 || code > 0x10ffff) {
        return false;
    }
    read->at += len;
    if (max <= 3) {
        bash_read_put(read, (char)code); /* \x and octal numbers are bytes */
    } else {
        bash_read_put_character(read, code);
    }
    return true;
}

/* Behind a backslash within $'...'. */
static bool bash_read_escape(struct bash_read *read)
{
    static const char names[] = "abeEfnrtv\\'\"?", bytes[] = "\a\b\033\033\f\n\r\t\v\\'\"?";
    char c = *read->at;
    const char *named = c != '\0' ? strchr(names, c) : NULL;
    if (c == '\0') {
        return true; /* the cursor stands here: it says nothing yet */
    }
    if (named != NULL) {
        bash_read_put(read, bytes[named - names]);
        read->at++;
        return true;
    }
    if (c >= '0' && c <= '7') {
        return bash_read_number(read, 8, 3);
    }
    read->at++;
    return c == 'x'   ? bash_read_number(read, 16, 2)
           : c == 'u' ? bash_read_number(read, 16, 4)
           : c == 'U' ? bash_read_number(read, 16, 8)
                      : false;
}

/* A '$' or '`' that begins an expansion. */
static bool bash_is_expansion(const char *at)
{
    return *at == '`' || (*at == '$' && at[1] != '\0' &&
                          (isalnum((unsigned char)at[1]) || strchr("_{([*@#?-!$", at[1]) != NULL));
}

static bool bash_read_quoted(struct bash_read *read)
{
    enum bash_quote quote = read->line->quote;
    char c = *read->at;
    if (c == (quote == BASH_DOUBLE ? '"' : '\'')) {
        read->line->quote = BASH_PLAIN;
        read->at++;
        return true;
    }
    if (quote == BASH_DOUBLE && bash_is_expansion(read->at)) {
        return false;
    }
    read->at++;
    if (c == '\\' && quote == BASH_ANSI) {
        return bash_read_escape(read);
    }
    if (c == '\\' && quote == BASH_DOUBLE) {
        if (*read->at == '\0') {
            return true;
        }
        c = strchr("$`\"\\", *read->at) != NULL ? *read->at++ : c;
    }
    bash_read_put(read, c);
    return true;
}

static void bash_read_open(struct bash_read *read, enum bash_quote quote, size_t len)
{
    read->line->quote = quote;
    read->is_word = true;
    read->at += len;
}

static const char *bash_home(void)
{
    const char *home = getenv("HOME");
    return home != NULL ? home : "~";
}

static bool bash_read_plain(struct bash_read *read)
{
    char c = *read->at;
    if (!read->is_word && strncmp(read->at, "~/", 2) == 0) {
        for (const char *home = bash_home(); *home != '\0'; home++) {
            bash_read_put(read, *home);
        }
        read->at++;
        return true;
    }
    if (c == ' ' || c == '\t' || c == '\n') {
        read->at++;
        return !read->is_word || bash_read_end_word(read);
    }
    if (c == '\'' || c == '"') {
        bash_read_open(read, c == '"' ? BASH_DOUBLE : BASH_SINGLE, 1);
        return true;
    }
    if (c == '$' && (read->at[1] == '\'' || read->at[1] == '"')) {
        bash_read_open(read, read->at[1] == '"' ? BASH_DOUBLE : BASH_ANSI, 2);
        return true;
    }
    if (bash_is_expansion(read->at) || strchr("<>|&;()", c) != NULL) {
        return false;
    }
    read->at++;
    if (c == '\\') {
        read->is_word = true;
        if (*read->at != '\0') {
            bash_read_put(read, *read->at++);
        }
        return true;
    }
    bash_read_put(read, c);
    if (strchr(read->break_chars, c) != NULL) {
        read->breaks = read->len;
    }
    return true;
}

/* The quote that readline takes for open at the end, and where it begins; '\0': none. */
static char bash_readline_quote(const char *line, size_t *ret_behind)
{
    char quote = '\0';
    for (size_t i = 0; line[i] != '\0'; i++) {
        if (quote != '\'' && line[i] == '\\') {
            i += line[i + 1] != '\0' ? 1 : 0;
        } else if (quote != '\0') {
            quote = line[i] == quote ? '\0' : quote;
        } else if (line[i] == '\'' || line[i] == '"') {
            quote = line[i];
            *ret_behind = i + 1;
        }
    }
    return quote;
}

bool bash_line_read(struct bash_line *ret_line, const char *line, const char *breaks)
{
    struct bash_read read = {.line = ret_line, .at = line, .break_chars = breaks};
    size_t behind_quote = 0, kept = 0;
    char quote = bash_readline_quote(line, &behind_quote);
    bool is_good = true;
    memset(ret_line, 0, sizeof *ret_line);
    read.word = malloc(strlen(line) * (1 + strlen(bash_home())) + 1);
    if (read.word == NULL) {
        return false;
    }
    while (is_good && *read.at != '\0') {
        const char *begin = read.at;
        is_good = ret_line->quote != BASH_PLAIN ? bash_read_quoted(&read) : bash_read_plain(&read);
        if (begin < line + behind_quote && read.at >= line + behind_quote) {
            kept = read.len;
        }
    }
    static const char quotes[] = {'\0', '\'', '"', '\''};
    ret_line->kept = quote != '\0' ? kept : read.breaks;
    is_good = is_good && quotes[ret_line->quote] == quote && bash_read_end_word(&read);
    free(read.word);
    return is_good;
}

void bash_line_fini(struct bash_line *line)
{
    for (size_t i = 0; i < line->count; i++) {
        free(line->words[i]);
    }
    memset(line, 0, sizeof *line);
}

/* Writing -------------------------------------------------------------------------------------- */

static void bash_write_byte(enum bash_quote quote, char c, FILE *out)
{
    switch (quote) {
    case BASH_SINGLE:
        fputs(c == '\'' ? "'\\''" : (char[]){c, '\0'}, out);
        return;
    case BASH_DOUBLE: /* "\!" would keep its backslash, and "!" alone is the history's */
        fputs(c == '!'                      ? "\"'!'\""
              : strchr("$`\"\\", c) != NULL ? (char[]){'\\', c, '\0'}
                                            : (char[]){c, '\0'},
              out);
        return;
    case BASH_ANSI:
        fputs(c == '\'' || c == '\\' ? (char[]){'\\', c, '\0'} : (char[]){c, '\0'}, out);
        return;
    case BASH_PLAIN:
        break;
    }
    if ((uint8_t)c < 0x80 && !isalnum((unsigned char)c) && strchr("_./:=@%+,-", c) == NULL) {
        fputc('\\', out);
    }
    fputc(c, out);
}

void bash_line_write(const struct bash_line *line, const char *text, FILE *out)
{
    for (const char *at = text + line->kept; *at != '\0'; at++) {
        bash_write_byte(line->quote, *at, out);
    }
}
