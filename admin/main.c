/* SPDX-License-Identifier: MIT */
/*
 * hgtpctl: the operators' tool. It reads the command line by the table of verbs and hands over to
 * the verb: its own code, or one call of the control service. It ends by _exit, because nng 1.5 can
 * hang in taking itself down.
 */
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/args.h"
#include "admin/call.h"
#include "admin/complete.h"
#include "proto/build_info.h"

/* Names are UTF-8 wherever this runs. Numbers keep their decimal points. */
static void main_set_locale(void)
{
    if (setlocale(LC_CTYPE, "") == NULL || strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    }
}

static int main_help(const struct cli *cli)
{
    FILE *out = cli->wants_help ? cli->out : cli->err;
    if (cli->verb != NULL) {
        verb_help(cli->verb, out);
    } else if (cli->group != NULL) {
        verb_help_group(cli->group, out);
    } else {
        verb_help_all(out);
    }
    return cli->wants_help ? EXIT_DONE : EXIT_USAGE;
}

static int main_run(struct cli *cli, char **argv)
{
    int code = args_read(cli, argv);
    if (code != EXIT_DONE) {
        return code;
    }
    if (cli->wants_help || (cli->verb == NULL && !cli->wants_version)) {
        return main_help(cli);
    }
    if (cli->wants_version) {
        fprintf(cli->out, "hgtpctl %s\n", build_info_text);
        return EXIT_DONE;
    }
    return cli->verb->run != NULL ? cli->verb->run(cli) : call_verb(cli);
}

/* Nothing is asked by them, and by default they would end it. */
static void main_ignore_signals(void)
{
    (void)signal(SIGUSR1, SIG_IGN);
    (void)signal(SIGUSR2, SIG_IGN);
}

int main(int argc, char **argv)
{
    static struct cli cli;
    main_set_locale();
    main_ignore_signals();
    cli.out = stdout;
    cli.err = stderr;
    args_init(&cli);
    const char *first = argc > 1 ? argv[1] : "";
    int code = strcmp(first, COMPLETE_WORD) == 0   ? complete_run(&cli, argv + 2)
               : strcmp(first, COMPLETE_BASH) == 0 ? complete_run_bash(&cli, argv + 2)
                                                   : main_run(&cli, argv);
    bool is_written = fflush(stdout) == 0 && ferror(stdout) == 0;
    if (!is_written) {
        cli_say(&cli, "what there was to say could not be written");
    }
    _exit(code == EXIT_DONE && !is_written ? EXIT_FAILED : code);
}
