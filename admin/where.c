/* SPDX-License-Identifier: MIT */
/* where: addresses and the token; the files of contexts are context.c's. */
#include "admin/where.h"

#include <errno.h>
#include <glob.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/context.h"
#include "admin/secret_file.h"
#include "proto/utf8.h"

#define WHERE_PATH_MAX 256

static void where_add(struct cli *cli, const char *url, size_t len)
{
    size_t count = 0;
    while (cli->where[count] != NULL) {
        count++;
    }
    if (count < CLI_URLS_MAX) {
        cli->where[count] = strndup(url, len);
    }
}

/* A folder under /tmp may be anybody's, who could pose as a node there: NULL if it is our own or
 * none, else why nothing in it is connected to. */
static const char *where_folder_fault(const char *folder)
{
    struct stat info;
    if (lstat(folder, &info) != 0) {
        return NULL;
    }
    if (!S_ISDIR(info.st_mode)) {
        return "it is no folder";
    }
    if (info.st_uid != getuid()) {
        return "it belongs to another user";
    }
    return (info.st_mode & 077) != 0 ? "others may open it; chmod 700" : NULL;
}

/* The sockets of a folder, the first node's and then those of the others on this machine. */
static void where_add_sockets(struct cli *cli, const char *folder)
{
    static const char *const names[] = {"control.sock", "control-*.sock"};
    glob_t found = {0};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char pattern[WHERE_PATH_MAX];
        int len = snprintf(pattern, sizeof pattern, "%s/%s", folder, names[i]);
        if (len > 0 && (size_t)len < sizeof pattern) {
            (void)glob(pattern, i > 0 ? GLOB_APPEND : 0, NULL, &found);
        }
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char url[WHERE_PATH_MAX];
        struct stat info;
        int len = snprintf(url, sizeof url, "ipc://%s", found.gl_pathv[i]);
        if ((size_t)len < sizeof url && stat(found.gl_pathv[i], &info) == 0) {
            where_add(cli, url, (size_t)len);
        }
    }
    globfree(&found);
}

static void where_add_default(struct cli *cli)
{
    char folder[WHERE_PATH_MAX];
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    where_add_sockets(cli, "/run/hgtp");
    if (runtime != NULL && runtime[0] == '/') {
        snprintf(folder, sizeof folder, "%s/hgtp", runtime);
        where_add_sockets(cli, folder);
    }
    snprintf(folder, sizeof folder, "/tmp/hgtp-%u", (unsigned)getuid());
    const char *fault = where_folder_fault(folder);
    if (fault == NULL) {
        where_add_sockets(cli, folder);
    } else if (cli->where[0] == NULL) {
        cli_say(cli, "no node is looked for in the folder %s: %s", folder, fault);
    }
}

/* A change is never made at a neighbour's, which may be of another cluster: only what is shown says
 * in time whom it comes from. */
static bool where_changes(const struct cli *cli)
{
    return cli->verb != NULL && (cli->verb->role > ROLE_VIEW || cli->verb->is_destructive ||
                                 cli_option(cli, "fix") != NULL);
}

static void where_keep_first(struct cli *cli)
{
    for (size_t i = 1; cli->where[0] != NULL && cli->where[i] != NULL; i++) {
        free(cli->where[i]);
        cli->where[i] = NULL;
    }
}

static int where_read_token(struct cli *cli, const char *path)
{
    char line[512] = "", first[256] = "", second[256] = "";
    FILE *file = secret_file_open(path);
    int error = errno;
    for (int number = 1; file != NULL && fgets(line, sizeof line, file) != NULL; number++) {
        const char *text = number == 1 ? utf8_past_mark(line) : line;
        int found = sscanf(text, "%255s %255s", first, second);
        if (found < 1 || first[0] == '#') {
            first[0] = '\0';
            continue;
        }
        bool has_role = strcmp(first, "view") == 0 || strcmp(first, "operate") == 0 ||
                        strcmp(first, "administer") == 0;
        snprintf(cli->token, sizeof cli->token, "%s", found > 1 && has_role ? second : first);
        break;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    memset(line, 0, sizeof line);
    if (cli->token[0] == '\0') {
        cli_say(cli, "the token's file %s: %s", path,
                file == NULL ? strerror(error)
                             : "it holds none; a line is TOKEN, or ROLE TOKEN [name]");
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

static void where_name_actor(struct cli *cli)
{
    char host[64] = "";
    const struct passwd *user = getpwuid(getuid());
    (void)gethostname(host, sizeof host - 1);
    snprintf(cli->actor, sizeof cli->actor, "%.64s@%s", user != NULL ? user->pw_name : "?", host);
}

/* Addresses of --url or the environment; false: there are none. */
static bool where_add_given(struct cli *cli)
{
    const char *at = cli->url, *url;
    size_t len;
    if (at == NULL && cli->context == NULL) {
        at = getenv("HGTPCTL_URL");
    }
    while (at != NULL && cli_next_url(&at, &url, &len)) {
        where_add(cli, url, len);
    }
    return cli->where[0] != NULL;
}

/* What belongs to the address: given with it, or by the environment if HGTPCTL_URL is, too, or by
 * the context. */
static const char *where_choose(const struct cli *cli, const char *given, const char *variable,
                                const char *of_context, bool is_given)
{
    const char *of_environment = getenv(variable);
    if (given != NULL) {
        return given;
    }
    bool is_environment = is_given && cli->url == NULL;
    return is_environment && of_environment != NULL ? of_environment : of_context;
}

static int where_trust(struct cli *cli, const struct context *context, bool is_given)
{
    const char *ca_file =
        where_choose(cli, cli->ca_file, "HGTPCTL_CA_FILE", context->ca_file, is_given);
    const char *name =
        where_choose(cli, cli->tls_name, "HGTPCTL_TLS_NAME", context->tls_name, is_given);
    if (ca_file[0] != '\0' && access(ca_file, R_OK) != 0) {
        cli_say(cli, "the authorities' file %s: %s", ca_file, strerror(errno));
        return EXIT_USAGE;
    }
    cli->trust = (struct rpc_trust){ca_file, name};
    return EXIT_DONE;
}

int where_find(struct cli *cli)
{
    static struct context context;
    char current[CONTEXT_NAME_MAX + 1] = "", error[CONTEXT_ERROR];
    bool is_given = where_add_given(cli);
    const char *name = cli->context;
    if (name == NULL && !is_given) {
        context_current(current);
        name = current;
    }
    context = (struct context){0};
    if (name != NULL && name[0] != '\0') {
        if (!context_load(name, &context, error)) {
            cli_say(cli, "%s", error);
            return context_exists(name) ? EXIT_USAGE : EXIT_NOT_FOUND;
        }
        for (size_t i = 0; !is_given && i < context.url_count; i++) {
            where_add(cli, context.urls[i], strlen(context.urls[i]));
        }
    }
    if (cli->where[0] == NULL) {
        where_add_default(cli);
        cli->is_anywhere = true;
        if (where_changes(cli)) {
            where_keep_first(cli);
        }
    }
    where_name_actor(cli);
    const char *token_file =
        where_choose(cli, cli->token_file, "HGTPCTL_TOKEN_FILE", context.token_file, is_given);
    int code = token_file[0] != '\0' ? where_read_token(cli, token_file) : EXIT_DONE;
    return code == EXIT_DONE ? where_trust(cli, &context, is_given) : code;
}

void where_fini(struct cli *cli)
{
    for (size_t i = 0; cli->where[i] != NULL; i++) {
        free(cli->where[i]);
        cli->where[i] = NULL;
    }
    memset(cli->token, 0, sizeof cli->token);
}
