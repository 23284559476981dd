/* SPDX-License-Identifier: MIT */
/* verb_help: help as people ask for it at the command line, made from the table of verbs. */
#include <string.h>

#include "admin/verb.h"

#define VERB_HELP_COLUMNS 80
#define VERB_HELP_INDENT  26 /* where what is said about something begins */

/* `name`, and behind it `help`, in lines that fit. */
static void verb_help_item(const char *name, const char *help, FILE *out)
{
    size_t at = (size_t)fprintf(out, "  %-*s", VERB_HELP_INDENT - 2, name);
    if (at > VERB_HELP_INDENT) {
        fprintf(out, "\n%*s", VERB_HELP_INDENT, "");
    }
    at = VERB_HELP_INDENT;
    bool is_first = true;
    while (*help != '\0') {
        size_t len = strcspn(help, " ");
        if (!is_first && at + 1 + len > VERB_HELP_COLUMNS) {
            fprintf(out, "\n%*s", VERB_HELP_INDENT, "");
            at = VERB_HELP_INDENT;
            is_first = true;
        }
        fprintf(out, "%s%.*s", is_first ? "" : " ", (int)len, help);
        at += len + (is_first ? 0 : 1);
        is_first = false;
        help += len;
        help += strspn(help, " ");
    }
    fputc('\n', out);
}

static void verb_help_option(const struct verb_option *option, FILE *out)
{
    char name[64], help[256];
    verb_option_name(option, name, sizeof name);
    snprintf(help, sizeof help, "%s%s%s", option->help,
             option->choices != NULL && option->field != NULL ? ": " : "",
             option->choices != NULL && option->field != NULL ? option->choices : "");
    verb_help_item(name, help, out);
}

static void verb_help_options(const struct verb_option *options, size_t max, FILE *out)
{
    for (size_t i = 0; i < max && options[i].name != NULL; i++) {
        verb_help_option(&options[i], out);
    }
}

static void verb_help_line(const struct verb *verb, FILE *out)
{
    char usage[128];
    verb_usage(verb, usage, sizeof usage);
    verb_help_item(usage, verb->help, out);
}

void verb_help_group(const char *group, FILE *out)
{
    for (size_t i = 0; i < verb_group_count; i++) {
        if (strcmp(verb_groups[i].name, group) == 0) {
            fprintf(out, "hgtpctl %s: %s\n\n", group, verb_groups[i].help);
        }
    }
    for (size_t i = 0; i < verb_count; i++) {
        if (verbs[i].group != NULL && strcmp(verbs[i].group, group) == 0) {
            verb_help_line(&verbs[i], out);
        }
    }
    fprintf(out, "\nhgtpctl %s VERB --help says more.\n", group);
}

void verb_help_all(FILE *out)
{
    fputs("usage: hgtpctl [option]... GROUP VERB [argument]...\n", out);
    for (size_t g = 0; g < verb_group_count; g++) {
        fprintf(out, "\n%s: %s\n", verb_groups[g].name, verb_groups[g].help);
        for (size_t i = 0; i < verb_count; i++) {
            if (verbs[i].group != NULL && strcmp(verbs[i].group, verb_groups[g].name) == 0) {
                verb_help_line(&verbs[i], out);
            }
        }
    }
    fputs("\nand:\n", out);
    for (size_t i = 0; i < verb_count; i++) {
        if (verbs[i].group == NULL) {
            verb_help_line(&verbs[i], out);
        }
    }
    fputs("\nOptions of all verbs, before or behind them:\n", out);
    verb_help_options(verb_globals, GLOBAL_COUNT, out);
    fputs(
        "\nhgtpctl GROUP VERB --help says more, as does the manual page hgtpctl(1).\n"
        "Exit codes: 0 done, 1 refused or failed, 2 usage, 3 unreachable, 4 not found, 5 denied\n",
        out);
}

void verb_help(const struct verb *verb, FILE *out)
{
    char usage[128], name[64];
    verb_usage(verb, usage, sizeof usage);
    fprintf(out, "usage: hgtpctl [option]... %s\n\n", usage);
    verb_full_name(verb, name, sizeof name);
    verb_help_item(name, verb->help, out);
    for (size_t i = 0; i < VERB_WORDS_MAX && verb->words[i].name != NULL; i++) {
        verb_help_item(verb->words[i].name, verb->words[i].help, out);
    }
    if (verb->options[0].name != NULL || verb->is_destructive) {
        fputc('\n', out);
    }
    verb_help_options(verb->options, VERB_OPTIONS_MAX, out);
    verb_help_options(verb_cares, verb->is_destructive ? CARE_COUNT : 0, out);
    if (verb->role != ROLE_NONE) {
        fprintf(out, "\nOn a node with tokens it needs the role %s.\n", verb_role_name(verb->role));
    }
    fprintf(out, "\nhgtpctl --help lists the options of all verbs. Example:\n  hgtpctl %s\n",
            verb->example);
}
