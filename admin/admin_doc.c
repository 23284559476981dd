/* SPDX-License-Identifier: MIT */
/*
 * admin_doc: build tool that prints what is made from the table of verbs: the manual page, and the
 * part of docs/admin.md that lists the verbs. It is no part of hgtpctl.
 */
#include <stdlib.h>
#include <string.h>

#include "admin/admin_doc_json.h"

/* The manual page ------------------------------------------------------------------------------ */

/* Text for roff: no character of it is a command. */
static void doc_roff(const char *text)
{
    if (*text == '.' || *text == '\'') {
        fputs("\\&", stdout);
    }
    for (; *text != '\0'; text++) {
        if (*text == '-') {
            fputs("\\-", stdout);
        } else if (*text == '\\') {
            fputs("\\e", stdout);
        } else if (*text == '\'') {
            fputs("\\(aq", stdout);
        } else {
            putchar(*text);
        }
    }
}

static void doc_roff_item(const char *name, const char *help, const char *choices)
{
    fputs(".TP\n\\fB", stdout);
    doc_roff(name);
    fputs("\\fR\n", stdout);
    doc_roff(help);
    if (choices != NULL) {
        fputs(": ", stdout);
        doc_roff(choices);
    }
    putchar('\n');
}

static void doc_roff_options(const struct verb_option *options, size_t max)
{
    char name[64];
    for (size_t i = 0; i < max && options[i].name != NULL; i++) {
        verb_option_name(&options[i], name, sizeof name);
        doc_roff_item(name, options[i].help, options[i].field != NULL ? options[i].choices : NULL);
    }
}

static void doc_man_verb(const struct verb *verb)
{
    char usage[128];
    verb_usage(verb, usage, sizeof usage);
    fputs(".SS ", stdout);
    doc_roff(usage);
    putchar('\n');
    doc_roff(verb->help);
    if (verb->role != ROLE_NONE) {
        printf(".\nRole: %s", verb_role_name(verb->role));
    }
    fputs(".\n", stdout);
    for (size_t i = 0; i < VERB_WORDS_MAX && verb->words[i].name != NULL; i++) {
        doc_roff_item(verb->words[i].name, verb->words[i].help, NULL);
    }
    doc_roff_options(verb->options, VERB_OPTIONS_MAX);
    doc_roff_options(verb_cares, verb->is_destructive ? CARE_COUNT : 0);
    fputs(".PP\nExample:\n.EX\n  hgtpctl ", stdout);
    doc_roff(verb->example);
    fputs("\n.EE\n", stdout);
}

static void doc_man(void)
{
    fputs(".TH HGTPCTL 1 \"\" \"hgtp " HGTP_VERSION "\" \"HGTP\"\n"
          ".SH NAME\nhgtpctl \\- operate a cluster of hgtpd\n"
          ".SH SYNOPSIS\n.B hgtpctl\n[\\fIoption\\fR]... \\fIgroup verb\\fR [\\fIargument\\fR]...\n"
          ".SH DESCRIPTION\nAsks any node of the cluster, by its control service, and shows or "
          "changes what belongs to all of them.\n"
          "What destroys something shows what would be hit and asks first on a terminal, and needs "
          "\\fB\\-\\-yes\\fR without one.\n"
          ".SH OPTIONS\nThey may stand before the verb or behind it.\n",
          stdout);
    doc_roff_options(verb_globals, GLOBAL_COUNT);
    fputs(".SH VERBS\n", stdout);
    for (size_t i = 0; i < verb_count; i++) {
        doc_man_verb(&verbs[i]);
    }
    fputs(".SH EXIT STATUS\n.nf\n0  done\n1  refused or failed\n2  usage\n"
          "3  no node answers, or not all of them, or not in time\n"
          "4  there is no such room, user, node or context\n5  the token may not do this\n.fi\n"
          ".SH ENVIRONMENT\n"
          ".TP\n\\fBHGTPCTL_URL\\fR\naddresses where \\fB\\-\\-url\\fR "
          "and \\fB\\-\\-context\\fR are not given\n"
          ".TP\n\\fBHGTPCTL_TOKEN_FILE\\fR\nfile with the token for them\n"
          ".TP\n\\fBHGTPCTL_CA_FILE\\fR, \\fBHGTPCTL_TLS_NAME\\fR\n"
          "authorities and name for them, as \\fB\\-\\-ca\\-file\\fR and "
          "\\fB\\-\\-tls\\-name\\fR\n"
          ".TP\n\\fBNO_COLOR\\fR\nif it is not empty, nothing is coloured\n"
          ".TP\n\\fBXDG_CONFIG_HOME\\fR\nwhere contexts are kept, instead of ~/.config\n"
          ".SH FILES\n.TP\n~/.config/hgtp/contexts/\\fINAME\\fR, ~/.config/hgtp/context\n"
          "contexts, and the name of the one in use\n"
          ".TP\n/run/hgtp/control.sock, $XDG_RUNTIME_DIR/hgtp/control.sock\n"
          "where a node of this machine is looked for\n",
          stdout);
}

/* Markdown ------------------------------------------------------------------------------------- */

/* In a table's cell: a bar would end it. */
static void doc_cell(const char *text)
{
    for (; *text != '\0'; text++) {
        fputs(*text == '|' ? "\\" : "", stdout);
        putchar(*text);
    }
}

static void doc_markdown_option(const struct verb_option *option)
{
    char name[64];
    verb_option_name(option, name, sizeof name);
    fputs("| `", stdout);
    doc_cell(name);
    fputs("` | ", stdout);
    doc_cell(option->help);
    if (option->choices != NULL && option->field != NULL) {
        printf(": %s", option->choices);
    }
    fputs(" |\n", stdout);
}

static void doc_markdown_json(const struct verb *verb)
{
    char *json = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&json, &size);
    if (out != NULL && admin_doc_json(verb, out) && fflush(out) == 0) {
        printf("\n```json\n%s\n```\n", json);
    }
    if (out != NULL) {
        (void)fclose(out);
    }
    free(json);
}

static void doc_markdown_verb(const struct verb *verb)
{
    char usage[128];
    verb_usage(verb, usage, sizeof usage);
    printf("\n#### hgtpctl %s\n\n%s.", usage, verb->help);
    if (verb->role != ROLE_NONE) {
        printf(" Role: %s.", verb_role_name(verb->role));
    }
    fputs(verb->is_destructive ? " Takes `--dry-run` and `--yes`.\n" : "\n", stdout);
    if (verb->words[0].name != NULL || verb->options[0].name != NULL) {
        fputs("\n| | |\n|---|---|\n", stdout);
    }
    for (size_t i = 0; i < VERB_WORDS_MAX && verb->words[i].name != NULL; i++) {
        printf("| %s | %s |\n", verb->words[i].name, verb->words[i].help);
    }
    for (size_t i = 0; i < VERB_OPTIONS_MAX && verb->options[i].name != NULL; i++) {
        doc_markdown_option(&verb->options[i]);
    }
    printf("\n```\nhgtpctl %s\n```\n", verb->example);
    doc_markdown_json(verb);
}

static void doc_markdown(void)
{
    fputs("### Options of all verbs\n\n| | |\n|---|---|\n", stdout);
    for (size_t i = 0; i < GLOBAL_COUNT; i++) {
        doc_markdown_option(&verb_globals[i]);
    }
    for (size_t g = 0; g < verb_group_count; g++) {
        printf("\n### %s\n\nFor %s.\n", verb_groups[g].name, verb_groups[g].help);
        for (size_t i = 0; i < verb_count; i++) {
            if (verbs[i].group != NULL && strcmp(verbs[i].group, verb_groups[g].name) == 0) {
                doc_markdown_verb(&verbs[i]);
            }
        }
    }
    fputs("\n### Others\n", stdout);
    for (size_t i = 0; i < verb_count; i++) {
        if (verbs[i].group == NULL) {
            doc_markdown_verb(&verbs[i]);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "man") == 0) {
        doc_man();
    } else if (argc == 2 && strcmp(argv[1], "markdown") == 0) {
        doc_markdown();
    } else {
        fputs("usage: admin_doc man|markdown\n", stderr);
        return 2;
    }
    return 0;
}
