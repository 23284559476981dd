/* SPDX-License-Identifier: MIT */
/* verb: finding verbs by words, guessing what was meant, help. The verbs are in verb_table.c. */
#include "verb.h"

#include <string.h>

#define VERB_LIKE_MAX 2 /* changes of a letter that are forgiven */

const struct verb *verb_find(const char *const *words, size_t count, size_t *ret_used)
{
    for (size_t i = 0; i < verb_count; i++) {
        bool is_alone = verbs[i].group == NULL;
        size_t used = is_alone ? 1 : 2;
        if (count >= used && (is_alone || strcmp(words[0], verbs[i].group) == 0) &&
            strcmp(words[used - 1], verbs[i].name) == 0) {
            *ret_used = used;
            return &verbs[i];
        }
    }
    return NULL;
}

bool verb_is_group(const char *word)
{
    for (size_t i = 0; i < verb_count; i++) {
        if (verbs[i].group != NULL && strcmp(verbs[i].group, word) == 0) {
            return true;
        }
    }
    return false;
}

static size_t verb_least(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Letters to insert, leave out or change to make one word of the other. */
static size_t verb_distance(const char *a, const char *b)
{
    size_t row[64];
    size_t a_len = strlen(a), b_len = strlen(b);
    if (b_len >= sizeof row / sizeof row[0]) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t above_left = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = row[j];
            row[j] = verb_least(above + 1, row[j - 1] + 1, above_left + (a[i - 1] != b[j - 1]));
            above_left = above;
        }
    }
    return row[b_len];
}

static void verb_nearer(const char *word, const char *known, size_t *least, const char **ret_best)
{
    size_t distance = known != NULL ? verb_distance(word, known) : SIZE_MAX;
    if (distance < *least) {
        *least = distance;
        *ret_best = known;
    }
}

const char *verb_like(const char *word)
{
    const char *best = NULL;
    size_t least = VERB_LIKE_MAX + 1;
    for (size_t i = 0; i < verb_count; i++) {
        verb_nearer(word, verbs[i].group, &least, &best);
        verb_nearer(word, verbs[i].name, &least, &best);
        for (size_t o = 0; verbs[i].options[o].name != NULL; o++) {
            verb_nearer(word, verbs[i].options[o].name, &least, &best);
        }
    }
    return best;
}

/* Help ----------------------------------------------------------------------------------------- */

static void verb_usage(const struct verb *verb, char *text, size_t cap)
{
    int used = snprintf(text, cap, "%s%s%s", verb->group != NULL ? verb->group : "",
                        verb->group != NULL ? " " : "", verb->name);
    for (size_t i = 0; i < VERB_WORDS_MAX && verb->words[i].name != NULL; i++) {
        used += snprintf(text + used, cap - (size_t)used, " %s", verb->words[i].name);
    }
}

static void verb_help_line(const struct verb *verb, FILE *out)
{
    char usage[128];
    verb_usage(verb, usage, sizeof usage);
    fprintf(out, "  %-28s %s\n", usage, verb->help);
}

void verb_help_group(const char *group, FILE *out)
{
    for (size_t i = 0; i < verb_count; i++) {
        if (verbs[i].group != NULL && strcmp(verbs[i].group, group) == 0) {
            verb_help_line(&verbs[i], out);
        }
    }
}

void verb_help_all(FILE *out)
{
    fputs("usage: hgtpctl [option]... GROUP VERB [argument]...\n\n", out);
    for (size_t i = 0; i < verb_count; i++) {
        verb_help_line(&verbs[i], out);
    }
    fputs(
        "\nhgtpctl GROUP VERB --help says more. Options of all verbs:\n"
        "  --url URL         a node's control address (ipc:///path, tcp://host:port); else\n"
        "                    HGTPCTL_URL, else the usual sockets on this machine\n"
        "  --token-file F    file with the token, as its first word or behind a role\n"
        "  -o table|json     for people (the default) or for programs\n"
        "  --timeout S       seconds to wait for an answer (5)\n"
        "  --version, --help\n"
        "Exit codes: 0 done, 1 refused or failed, 2 usage, 3 unreachable, 4 not found, 5 denied\n",
        out);
}

void verb_help(const struct verb *verb, FILE *out)
{
    char usage[128];
    verb_usage(verb, usage, sizeof usage);
    fprintf(out, "usage: hgtpctl %s [option]...\n\n%s\n", usage, verb->help);
    if (verb->options[0].name != NULL || verb->is_destructive) {
        fputs("\n", out);
    }
    for (size_t i = 0; i < VERB_OPTIONS_MAX && verb->options[i].name != NULL; i++) {
        char name[48];
        snprintf(name, sizeof name, "--%s %s", verb->options[i].name,
                 verb->options[i].value != NULL ? verb->options[i].value : "");
        fprintf(out, "  %-20s %s\n", name, verb->options[i].help);
    }
    if (verb->is_destructive) {
        fputs("  --dry-run            only say what would be hit\n"
              "  --yes                don't ask; needed where there is no terminal\n",
              out);
    }
}
