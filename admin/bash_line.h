/* SPDX-License-Identifier: MIT */
/*
 * bash_line: a command line of bash up to the cursor, taken apart into words, and words put back
 * into it in the state of quoting at the cursor. Nothing in it is ever evaluated: a line whose
 * words only an evaluation could tell is refused.
 */
#ifndef ADMIN_BASH_LINE_H
#define ADMIN_BASH_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define BASH_LINE_WORDS_MAX 256

enum bash_quote { BASH_PLAIN, BASH_SINGLE, BASH_DOUBLE, BASH_ANSI };

struct bash_line {
    char *words[BASH_LINE_WORDS_MAX + 1]; /* as the command would get them; NULL at the end */
    size_t count;          /* at least 1: the last one is at the cursor, perhaps "" */
    enum bash_quote quote; /* open at the cursor */
    size_t kept; /* bytes of the last word that stay; readline replaces what is typed of the rest */
};

/**
 * Take a line apart.
 *
 * breaks   $COMP_WORDBREAKS: readline replaces only what is behind the last of them
 * returns  false: the line holds an expansion or an operator, or readline sees its quotes otherwise
 *          than the shell does; `ret_line` is then to be freed as well
 */
bool bash_line_read(struct bash_line *ret_line, const char *line, const char *breaks);
/** Legal on zeroed storage. */
void bash_line_fini(struct bash_line *line);

/** Write what replaces the typed part of the last word, so that the word becomes `text`, which
 * begins with it. Control characters are not to be in it. */
void bash_line_write(const struct bash_line *line, const char *text, FILE *out);

#endif
