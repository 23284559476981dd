/* SPDX-License-Identifier: MIT */
/*
 * verb: finding verbs by words, guessing what was meant, and their names. The verbs are in
 * verb_table.c, help is in verb_help.c.
 */
#include "admin/verb.h"

#include <string.h>

#include "proto/edit_distance.h"

#define VERB_LIKE_MAX 2 /* changes of a letter that are forgiven */

static bool verb_is_of(const struct verb *verb, const char *group)
{
    return group == NULL ? verb->group == NULL
                         : verb->group != NULL && strcmp(verb->group, group) == 0;
}

const struct verb *verb_find(const char *group, const char *name)
{
    for (size_t i = 0; i < verb_count; i++) {
        if (verb_is_of(&verbs[i], group) && strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

bool verb_is_group(const char *word)
{
    for (size_t i = 0; i < verb_group_count; i++) {
        if (strcmp(verb_groups[i].name, word) == 0) {
            return true;
        }
    }
    return false;
}

/* What was meant ------------------------------------------------------------------------------- */

struct verb_guess {
    const char *best;
    size_t distance;
};

/* A word of which most letters would have to change is not meant. */
static void verb_guess_take(struct verb_guess *guess, const char *word, const char *known)
{
    size_t distance = edit_distance(word, known);
    if (distance < guess->distance && distance * 2 <= strlen(known)) {
        *guess = (struct verb_guess){known, distance};
    }
}

const char *verb_like(const char *group, const char *word)
{
    struct verb_guess guess = {NULL, VERB_LIKE_MAX + 1};
    for (size_t i = 0; group == NULL && i < verb_group_count; i++) {
        verb_guess_take(&guess, word, verb_groups[i].name);
    }
    for (size_t i = 0; i < verb_count; i++) {
        if (verb_is_of(&verbs[i], group)) {
            verb_guess_take(&guess, word, verbs[i].name);
        }
    }
    return guess.best;
}

static void verb_guess_options(struct verb_guess *guess, const struct verb_option *options,
                               size_t max, const char *word)
{
    for (size_t i = 0; i < max && options[i].name != NULL; i++) {
        if (options[i].name[1] != '\0') {
            verb_guess_take(guess, word, options[i].name);
        }
    }
}

const char *verb_like_option(const struct verb *verb, const char *word)
{
    struct verb_guess guess = {NULL, VERB_LIKE_MAX + 1};
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    if (verb != NULL) {
        verb_guess_options(&guess, verb->options, VERB_OPTIONS_MAX, name);
    }
    if (verb != NULL && verb->is_destructive) {
        verb_guess_options(&guess, verb_cares, CARE_COUNT, name);
    }
    verb_guess_options(&guess, verb_globals, GLOBAL_COUNT, name);
    return guess.best;
}

bool verb_like_choice(const char *choices, const char *word, char ret_text[32])
{
    struct verb_guess guess = {NULL, VERB_LIKE_MAX + 1};
    char choice[32];
    for (const char *at = choices; *at != '\0'; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        snprintf(choice, sizeof choice, "%.*s", (int)len, at);
        verb_guess_take(&guess, word, choice);
        if (guess.best == choice) {
            guess.best = at;
            snprintf(ret_text, 32, "%s", choice);
        }
        at += len;
    }
    return guess.best != NULL;
}

size_t verb_last_word(const struct verb *verb)
{
    size_t last = 0;
    while (last + 1 < VERB_WORDS_MAX && verb->words[last + 1].name != NULL) {
        last++;
    }
    return last;
}

/* Names ---------------------------------------------------------------------------------------- */

void verb_full_name(const struct verb *verb, char *text, size_t cap)
{
    snprintf(text, cap, "%s%s%s", verb->group != NULL ? verb->group : "",
             verb->group != NULL ? " " : "", verb->name);
}

void verb_usage(const struct verb *verb, char *text, size_t cap)
{
    verb_full_name(verb, text, cap);
    for (size_t i = 0; i < VERB_WORDS_MAX && verb->words[i].name != NULL; i++) {
        const struct verb_word *word = &verb->words[i];
        size_t used = strlen(text);
        snprintf(text + used, cap - used, word->is_optional ? " [%s]%s" : " %s%s", word->name,
                 word->is_many ? "..." : "");
    }
}

void verb_option_name(const struct verb_option *option, char *text, size_t cap)
{
    snprintf(text, cap, "%s%s%s%s", option->name[1] != '\0' ? "--" : "-", option->name,
             option->value != NULL ? " " : "", option->value != NULL ? option->value : "");
}

const char *verb_role_name(enum verb_role role)
{
    static const char *const names[] = {"none", "view", "operate", "administer"};
    return names[role];
}
