/* SPDX-License-Identifier: MIT */
/*
 * config_doc: build tool that prints what is made from config.def and kept in the repository:
 * deploy/hgtpd.conf.example and docs/configuration.md; and the manual page of hgtpd. It is no part
 * of the node.
 */
#include <stdio.h>
#include <string.h>

#include "node/base/config.h"

/* Text for roff: no character of it is a command. */
static void doc_roff(const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '-':
            fputs("\\-", stdout);
            break;
        case '\\':
            fputs("\\e", stdout);
            break;
        case '\'':
            fputs("\\(aq", stdout);
            break;
        default:
            putchar(*text);
        }
    }
}

static void doc_man_setting(const struct config_setting *setting, void *arg)
{
    (void)arg;
    fputs(".TP\n\\fB", stdout);
    doc_roff(setting->key);
    fputs("\\fR (", stdout);
    doc_roff(setting->fallback[0] != '\0' ? setting->fallback : "empty");
    fputs(setting->reloads ? ")\n" : "; taken on restart)\n", stdout);
    doc_roff(setting->help);
    putchar('\n');
}

static int doc_man(void)
{
    char error[CONFIG_ERROR_BYTES];
    const struct config_sources nothing = {.file = NULL};
    struct config config;
    if (!config_load(&nothing, &config, error)) {
        return 1;
    }
    fputs(
        ".TH HGTPD 8 \"\" \"HGTP\" \"HGTP\"\n"
        ".SH NAME\nhgtpd \\- node of a group\\-talk cluster\n"
        ".SH SYNOPSIS\n.B hgtpd\n[\\fB\\-\\-config\\fR \\fIFILE\\fR] "
        "[\\fB\\-\\-set\\fR \\fIsection.key=value\\fR]...\n"
        "[\\fB\\-\\-check\\-config\\fR] [\\fB\\-\\-print\\-config\\fR] "
        "[\\fB\\-\\-version\\fR] [\\fB\\-\\-help\\fR]\n"
        ".SH DESCRIPTION\nServes HGTP, the Http Group Talk Protocol: UDP for sessions and rooms, "
        "HTTP for the talk. Nodes with the same \\fBredis.url\\fR are one cluster.\n"
        ".SH OPTIONS\n.TP\n\\fB\\-\\-config\\fR \\fIFILE\\fR\nread settings from FILE (INI)\n"
        ".TP\n\\fB\\-\\-set\\fR \\fIsection.key=value\\fR\none setting; wins over all others\n"
        ".TP\n\\fB\\-\\-check\\-config\\fR\nsay whether the settings are good, and end\n"
        ".TP\n\\fB\\-\\-print\\-config\\fR\nprint all settings with bounds and help, and end\n"
        ".SH SIGNALS\n.TP\nSIGTERM, SIGINT\ndrain and end; a second one: end at once\n"
        ".TP\nSIGHUP\nread settings, keys and tokens again\n"
        ".SH SETTINGS\nThey come from the defaults, which stand behind their names, the file, the "
        "environment (\\fBHGTP_SECTION_KEY\\fR), and \\fB\\-\\-set\\fR.\n",
        stdout);
    config_each(&config, doc_man_setting, NULL);
    fputs(".SH FILES\n.TP\n/etc/hgtp/hgtpd.conf\nsettings of the service of that name\n"
          ".TP\n/run/hgtp/control.sock\nwhere \\fBhgtpctl\\fR(1) reaches the node\n"
          ".SH SEE ALSO\n.BR hgtpctl (1)\n",
          stdout);
    config_fini(&config);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "example") == 0) {
        config_print_example(stdout);
    } else if (argc == 2 && strcmp(argv[1], "markdown") == 0) {
        config_print_markdown(stdout);
    } else if (argc == 2 && strcmp(argv[1], "man") == 0) {
        return doc_man();
    } else {
        fprintf(stderr, "usage: config_doc example|markdown|man\n");
        return 2;
    }
    return 0;
}
