/* SPDX-License-Identifier: MIT */
/* cmd_context: context add, list, use, remove. The files are context.c's. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/cli.h"
#include "admin/cmd.h"
#include "admin/context.h"
#include "control.pb-c.h"
#include "tool.pb-c.h"

#define CMD_CONTEXT_MAX 128 /* are listed */

/* What was done, in the form of any other change. */
static int cmd_context_done(const struct cli *cli, const char *what, const char *name)
{
    char text[160];
    Hgtp__Control__Done done = HGTP__CONTROL__DONE__INIT;
    snprintf(text, sizeof text, what, name);
    done.what = (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
    done.state = (char *)(uintptr_t) "done";
    cli_print(cli, &done.base);
    return EXIT_DONE;
}

/* False: there are too many, or one is too long. */
static bool cmd_context_add_urls(struct context *context, const char *at)
{
    const char *url;
    size_t len;
    while (cli_next_url(&at, &url, &len)) {
        if (context->url_count == CONTEXT_URLS_MAX || len >= CONTEXT_VALUE_MAX) {
            return false;
        }
        snprintf(context->urls[context->url_count++], CONTEXT_VALUE_MAX, "%.*s", (int)len, url);
    }
    return true;
}

/* A file, if one was given, is kept with its whole path, since the tool is not always started in
 * the same folder. */
static bool cmd_context_set_file(const struct cli *cli, char field[CONTEXT_VALUE_MAX],
                                 const char *option, const char *path)
{
    if (path == NULL) {
        return true;
    }
    char *whole = realpath(path, NULL);
    bool is_good = whole != NULL && strlen(whole) < CONTEXT_VALUE_MAX && access(whole, R_OK) == 0;
    if (is_good) {
        snprintf(field, CONTEXT_VALUE_MAX, "%s", whole);
    } else {
        cli_say(cli, "--%s %s: there is no such file that you may read", option, path);
    }
    free(whole);
    return is_good;
}

static bool cmd_context_set_trust(const struct cli *cli, struct context *context)
{
    if (cli->tls_name != NULL) {
        snprintf(context->tls_name, sizeof context->tls_name, "%s", cli->tls_name);
    }
    return cmd_context_set_file(cli, context->token_file, "token-file", cli->token_file) &&
           cmd_context_set_file(cli, context->ca_file, "ca-file", cli->ca_file);
}

int cmd_context_add(struct cli *cli)
{
    static struct context context;
    char error[CONTEXT_ERROR];
    bool is_whole = true;
    const char *name = cli->words[0];
    for (size_t i = 1; i < cli->word_count; i++) {
        is_whole = cmd_context_add_urls(&context, cli->words[i]) && is_whole;
    }
    is_whole = cmd_context_add_urls(&context, cli->url != NULL ? cli->url : "") && is_whole;
    if (context.url_count == 0 || !is_whole) {
        cli_say(cli,
                is_whole ? "context add %s: a URL is missing: hgtpctl context add %s URL..."
                         : "context add %s: too many URLs for %s, or too long ones",
                name, name);
        return EXIT_USAGE;
    }
    if (!cmd_context_set_trust(cli, &context)) {
        return EXIT_USAGE;
    }
    snprintf(context.name, sizeof context.name, "%s", name);
    if (!context_name_valid(name)) {
        cli_say(cli,
                "a context's name has 1 to %d letters, digits, '-', '_' or '.', not '.' first: "
                "not '%s'",
                CONTEXT_NAME_MAX, name);
        return EXIT_USAGE;
    }
    if (context_exists(name)) {
        cli_say(cli, "there is a context '%s' already: hgtpctl context remove %s", name, name);
        return EXIT_FAILED;
    }
    if (!context_save(&context, error)) {
        cli_say(cli, "%s", error);
        return EXIT_FAILED;
    }
    return cmd_context_done(cli, "added the context %s", name);
}

/* A row of the list; one that cannot be read has its name only. */
static bool cmd_context_fill(Hgtp__Tool__Context *row, struct context *context, char **urls,
                             const char *name, const char *current, const struct cli *cli)
{
    char error[CONTEXT_ERROR];
    hgtp__tool__context__init(row);
    row->name = (char *)(uintptr_t)name;
    row->current = strcmp(name, current) == 0;
    if (!context_load(name, context, error)) {
        cli_say(cli, "%s", error);
        return false;
    }
    for (size_t i = 0; i < context->url_count; i++) {
        urls[i] = context->urls[i];
    }
    row->urls = urls;
    row->n_urls = context->url_count;
    row->token_file = context->token_file;
    row->ca_file = context->ca_file;
    row->tls_name = context->tls_name;
    return true;
}

int cmd_context_list(struct cli *cli)
{
    static char names[CMD_CONTEXT_MAX][CONTEXT_NAME_MAX + 1];
    static struct context contexts[CMD_CONTEXT_MAX];
    static char *urls[CMD_CONTEXT_MAX][CONTEXT_URLS_MAX];
    static Hgtp__Tool__Context rows[CMD_CONTEXT_MAX];
    static Hgtp__Tool__Context *row_at[CMD_CONTEXT_MAX];
    char current[CONTEXT_NAME_MAX + 1];
    Hgtp__Tool__ContextListReply reply = HGTP__TOOL__CONTEXT_LIST_REPLY__INIT;
    int code = EXIT_DONE;
    context_current(current);
    size_t count = context_names(names, CMD_CONTEXT_MAX);
    reply.n_contexts = count < CMD_CONTEXT_MAX ? count : CMD_CONTEXT_MAX;
    reply.contexts = row_at;
    for (size_t i = 0; i < reply.n_contexts; i++) {
        row_at[i] = &rows[i];
        if (!cmd_context_fill(&rows[i], &contexts[i], urls[i], names[i], current, cli)) {
            code = EXIT_FAILED;
        }
    }
    cli_print(cli, &reply.base);
    return code;
}

int cmd_context_use(struct cli *cli)
{
    char error[CONTEXT_ERROR];
    const char *name = cli->word_count > 0 ? cli->words[0] : "";
    if (!context_use(name, error)) {
        cli_say(cli, "%s", error);
        return name[0] != '\0' && !context_exists(name) ? EXIT_NOT_FOUND : EXIT_FAILED;
    }
    return cmd_context_done(cli, name[0] != '\0' ? "using the context %s" : "using no context%s",
                            name);
}

int cmd_context_remove(struct cli *cli)
{
    char error[CONTEXT_ERROR];
    const char *name = cli->words[0];
    bool was_there = context_exists(name);
    if (!context_remove(name, error)) {
        cli_say(cli, "%s", error);
        return was_there ? EXIT_FAILED : EXIT_NOT_FOUND;
    }
    return cmd_context_done(cli, "removed the context %s", name);
}
