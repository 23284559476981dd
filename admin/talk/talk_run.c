/* SPDX-License-Identifier: MIT */
/*
 * talk_run: checks what was asked for, puts the talk client together and runs it. The talk itself
 * is talk_client.c's, the terminal talk_loop.c's.
 */
#include "admin/talk/talk_run.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/talk/talk_loop.h"

#define TALK_RUN_HTTP_PORT "8080"
#define TALK_RUN_HGTP_PORT "9000"
#define TALK_RUN_KEY_MAX   1024

static int talk_run_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int talk_run_usage(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("hgtpctl talk: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return TALK_USAGE;
}

/* The key is the first line. False: it was said why not. */
static bool talk_run_read_key(const char *path, char key[TALK_RUN_KEY_MAX])
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        (void)talk_run_usage("cannot read the key file %s: %s", path, strerror(errno));
        return false;
    }
    bool has_line = fgets(key, TALK_RUN_KEY_MAX, file) != NULL;
    fclose(file);
    if (has_line) {
        key[strcspn(key, "\r\n")] = '\0';
    }
    if (!has_line || key[0] == '\0') {
        (void)talk_run_usage("the key file %s is empty; its first line is the key", path);
        return false;
    }
    return true;
}

/* False: it was said why not. */
static bool talk_run_addresses(const struct talk_options *options, struct talk_address *ret_http,
                               struct talk_address *ret_hgtp)
{
    if (!talk_net_parse(options->http, TALK_RUN_HTTP_PORT, ret_http)) {
        (void)talk_run_usage("%s is not HOST or HOST:PORT", options->http);
        return false;
    }
    const char *hgtp = options->hgtp != NULL ? options->hgtp : ret_http->host;
    if (!talk_net_parse(hgtp, TALK_RUN_HGTP_PORT, ret_hgtp)) {
        (void)talk_run_usage("%s is not HOST or HOST:PORT", hgtp);
        return false;
    }
    return true;
}

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
    struct talk_address http, hgtp;
    char key[TALK_RUN_KEY_MAX];
    if (options->http == NULL || options->name == NULL || options->name[0] == '\0') {
        return talk_run_usage("a server and a name are needed");
    }
    if ((options->key == NULL) == (options->key_file == NULL)) {
        return talk_run_usage("either a key or a key file is needed");
    }
    if (!talk_run_addresses(options, &http, &hgtp)) {
        return TALK_USAGE;
    }
    if (options->key == NULL) {
        if (!talk_run_read_key(options->key_file, key)) {
            return TALK_USAGE;
        }
        with_key.key = key;
    }
    talk_run_locale();
    const char *no_colour = getenv("NO_COLOR");
    bool is_plain = options->plain || !talk_run_is_terminal();
    const struct talk_show style = {.is_plain = is_plain,
                                    .has_colour = options->colour && !is_plain &&
                                                  (no_colour == NULL || no_colour[0] == '\0')};
    struct talk_loop *loop = talk_loop_new(is_plain);
    struct talk_view view = talk_loop_view(loop);
    struct talk_client client;
    talk_client_init(&client, &with_key, &http, &hgtp, &view, &style);
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
