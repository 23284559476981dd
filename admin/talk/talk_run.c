/* SPDX-License-Identifier: MIT */
/*
 * talk_run: checks what was asked for, puts the talk client together and runs it. The talk itself
 * is talk_client.c's, the terminal talk_loop.c's.
 */
#include "admin/talk/talk_run.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/talk/talk_loop.h"
#include "admin/talk/talk_target.h"

static bool talk_run_is_terminal(void)
{
    const char *term = getenv("TERM");
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term != NULL &&
           strcmp(term, "dumb") != 0;
}

/* Korean has to work where nobody has set up a locale. */
static void talk_run_locale(void)
{
    if (setlocale(LC_ALL, "") == NULL || strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
        (void)setlocale(LC_ALL, "C.UTF-8");
    }
}

int talk_run(const struct talk_options *options)
{
    struct talk_options with_key = *options;
    struct talk_target target;
    const struct talk_target_words words = {.verb = "talk",
                                            .http = options->http,
                                            .hgtp = options->hgtp,
                                            .key = options->key,
                                            .key_file = options->key_file};
    if (options->name == NULL || options->name[0] == '\0') {
        fputs("hgtpctl talk: a name is needed: --name NAME\n", stderr);
        return TALK_USAGE;
    }
    if (!talk_target_find(&words, &target)) {
        return TALK_USAGE;
    }
    with_key.key = target.key;
    talk_run_locale();
    const char *no_colour = getenv("NO_COLOR");
    bool is_plain = options->plain || !talk_run_is_terminal();
    const struct talk_show style = {.is_plain = is_plain,
                                    .has_colour = options->colour && !is_plain &&
                                                  (no_colour == NULL || no_colour[0] == '\0')};
    struct talk_loop *loop = talk_loop_new(is_plain);
    struct talk_view view = talk_loop_view(loop);
    struct talk_client client;
    talk_client_init(&client, &with_key, &target.http, &target.hgtp, &view, &style);
    talk_loop_run(loop, &client);
    int exit_code = client.exit_code;
    if (client.outbox.count > 0) {
        fprintf(stderr, "hgtpctl talk: %zu messages were not acknowledged\n", client.outbox.count);
        exit_code = exit_code == TALK_DONE ? TALK_REFUSED : exit_code;
    }
    talk_client_fini(&client);
    talk_loop_free(loop);
    return exit_code;
}
