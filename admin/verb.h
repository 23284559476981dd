/* SPDX-License-Identifier: MIT */
/*
 * verb: the one table of what hgtpctl can do: parsing, help and output come from it.
 */
#ifndef ADMIN_VERB_H
#define ADMIN_VERB_H

#include "output.h"

#define VERB_WORDS_MAX   4
#define VERB_OPTIONS_MAX 8

struct verb_word {
    const char *name;  /* as help shows it; NULL: the end */
    const char *field; /* of the request */
};

struct verb_option {
    const char *name;  /* without the dashes; NULL: the end */
    const char *value; /* what help calls its value; NULL: it has none */
    const char *field;
    const char *help;
};

struct verb {
    const char *group; /* NULL: it stands alone */
    const char *name;
    const char *method; /* of the control service */
    const char *help;   /* one line */
    bool is_destructive;
    struct verb_word words[VERB_WORDS_MAX];
    struct verb_option options[VERB_OPTIONS_MAX];
    const struct output_column *columns; /* NULL: what was done is said */
};

extern const struct verb verbs[];
extern const size_t verb_count;

/** The verb that `words` begin with, and how many of them name it; NULL: none. */
const struct verb *verb_find(const char *const *words, size_t count, size_t *ret_used);

/** The known group, verb or option that looks most like `word`; NULL: nothing does. */
const char *verb_like(const char *word);

void verb_help_all(FILE *out);
void verb_help_group(const char *group, FILE *out);
void verb_help(const struct verb *verb, FILE *out);
bool verb_is_group(const char *word);

#endif
