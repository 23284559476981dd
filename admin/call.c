/* SPDX-License-Identifier: MIT */
/*
 * call: what happens between a command line that is read and a reply that is printed. Sockets are
 * rpc_client.c's.
 */
#include "admin/call.h"

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "admin/args.h"
#include "admin/where.h"

int call_exit_code(Hgtp__Rpc__Code code)
{
    switch (code) {
    case HGTP__RPC__CODE__OK:
        return EXIT_DONE;
    case HGTP__RPC__CODE__NOT_FOUND:
        return EXIT_NOT_FOUND;
    case HGTP__RPC__CODE__UNAUTHENTICATED:
    case HGTP__RPC__CODE__PERMISSION_DENIED:
        return EXIT_DENIED;
    case HGTP__RPC__CODE__UNAVAILABLE:
    case HGTP__RPC__CODE__DEADLINE_EXCEEDED:
        return EXIT_UNREACHABLE;
    default:
        return EXIT_FAILED;
    }
}

/* The group whose list shows what may stand there; NULL: nothing does. */
static const char *call_group_of(enum verb_kind kind)
{
    switch (kind) {
    case KIND_ROOM:
        return "room";
    case KIND_USER:
        return "session";
    case KIND_NODE:
        return "node";
    case KIND_ACCOUNT:
        return "account";
    default:
        return NULL;
    }
}

/* Which of the names was wrong is for the message to say. */
static void call_hint_lists(const struct cli *cli)
{
    size_t count = 0;
    for (size_t i = 0; i < cli->word_count; i++) {
        const char *group = call_group_of(cli->verb->words[i].kind);
        if (group != NULL) {
            fprintf(cli->err, "%shgtpctl %s list", count++ > 0 ? ", " : "", group);
        }
    }
    for (size_t i = 0; i < VERB_OPTIONS_MAX && cli->verb->options[i].name != NULL; i++) {
        const char *group = call_group_of(cli->verb->options[i].kind);
        if (group != NULL && cli->options[i] != NULL) {
            fprintf(cli->err, "%shgtpctl %s list", count++ > 0 ? ", " : "", group);
        }
    }
    if (count > 0) {
        fprintf(cli->err, " show%s those there are\n", count == 1 ? "s" : "");
    }
}

static void call_hint(const struct cli *cli, const struct rpc_status *status)
{
    switch (status->code) {
    case HGTP__RPC__CODE__NOT_FOUND:
        call_hint_lists(cli);
        break;
    case HGTP__RPC__CODE__INTERNAL:
        fputs("hgtpctl doctor says whether the state in Redis is as it should be\n", cli->err);
        break;
    case HGTP__RPC__CODE__UNAUTHENTICATED:
        fputs("give the token by --token-file F, or keep it in a context: hgtpctl context add\n",
              cli->err);
        break;
    case HGTP__RPC__CODE__UNAVAILABLE:
        fputs(status->is_answer ? "its log and its /readyz say more; --url names another node\n"
                                : "is a node running there? --url names another one\n",
              cli->err);
        break;
    case HGTP__RPC__CODE__DEADLINE_EXCEEDED:
        fputs("--timeout S waits longer\n", cli->err);
        break;
    case HGTP__RPC__CODE__UNIMPLEMENTED:
        fputs("the node may be older than this tool: hgtpctl version shows both\n", cli->err);
        break;
    default:
        break;
    }
}

void call_explain(const struct cli *cli, const struct rpc_status *status)
{
    char what[256];
    verb_full_name(cli->verb, what, sizeof what);
    for (size_t i = 0; i < cli->word_count && i < 2; i++) {
        size_t used = strlen(what);
        if (cli->verb->words[i].kind != KIND_TEXT || i == 0) {
            snprintf(what + used, sizeof what - used, " %.80s", cli->words[i]);
        }
    }
    cli_say(cli, "%s: %s", what, status->message);
    call_hint(cli, status);
}

struct rpc_client *call_client(struct cli *cli, int *ret_code)
{
    struct rpc_status status;
    if (cli->client != NULL) {
        return cli->client;
    }
    *ret_code = where_find(cli);
    if (*ret_code != EXIT_DONE) {
        return NULL;
    }
    const struct rpc_options options = {.urls = (const char *const *)cli->where,
                                        .token = cli->token,
                                        .trust = cli->trust,
                                        .actor = cli->actor,
                                        .timeout_ms = cli->timeout_ms};
    cli->client = rpc_client_open(&options, &status);
    if (cli->client == NULL) {
        call_explain(cli, &status);
        *ret_code = call_exit_code(status.code);
    }
    return cli->client;
}

void call_tell_where(struct cli *cli)
{
    const char *url = cli->client != NULL ? rpc_client_url(cli->client) : NULL;
    if (cli->is_anywhere && url != NULL && strcmp(url, cli->where[0]) != 0) {
        cli_say(cli, "no node answers at %s; this is from %s", cli->where[0], url);
        cli->is_anywhere = false; /* once is enough */
    }
}

ProtobufCMessage *call_method(struct cli *cli, const char *method, const ProtobufCMessage *request,
                              int *ret_code)
{
    struct rpc_status status;
    ProtobufCMessage *reply = NULL;
    struct rpc_client *client = call_client(cli, ret_code);
    if (client == NULL) {
        return NULL;
    }
    if (!rpc_client_call(client, method, request, &reply, &status)) {
        call_explain(cli, &status);
        *ret_code = call_exit_code(status.code);
        return NULL;
    }
    call_tell_where(cli);
    *ret_code = EXIT_DONE;
    return reply;
}

/* Care ----------------------------------------------------------------------------------------- */

enum call_care call_care(const struct cli *cli)
{
    char name[64];
    if (!cli->verb->is_destructive) {
        return CALL_DO;
    }
    if (cli->cares[CARE_DRY_RUN]) {
        return CALL_DRY;
    }
    if (cli->cares[CARE_YES]) {
        return CALL_DO;
    }
    if (isatty(STDIN_FILENO) && isatty(fileno(cli->err))) {
        return CALL_ASK;
    }
    verb_full_name(cli->verb, name, sizeof name);
    cli_say(cli,
            "%s is not done without being asked for twice, and there is no terminal to ask at:\n"
            "give --yes to do it, or --dry-run to see what it would hit",
            name);
    return CALL_STOP;
}

bool call_confirmed(const struct cli *cli)
{
    char answer[16] = "";
    fputs("do it? [y/N] ", cli->err);
    (void)fflush(cli->err);
    bool is_yes = fgets(answer, sizeof answer, stdin) != NULL &&
                  (strcasecmp(answer, "y\n") == 0 || strcasecmp(answer, "yes\n") == 0);
    if (!is_yes) {
        cli_say(cli, "nothing was done");
    }
    return is_yes;
}

static void call_set_dry_run(struct cli *cli, bool is_dry)
{
    const ProtobufCFieldDescriptor *field = output_field(cli->request, "dry_run");
    *(protobuf_c_boolean *)((uint8_t *)cli->request + field->offset) = is_dry;
}

/* One call, its reply printed to `out`, as JSON only if that is the answer. */
static int call_and_print(struct cli *cli, bool is_answer)
{
    int code;
    ProtobufCMessage *reply = call_method(cli, cli->verb->method, cli->request, &code);
    if (reply == NULL) {
        return code;
    }
    if (is_answer) {
        cli_print(cli, reply);
    } else {
        const struct output_style style = output_style_of(cli->err);
        output_people(reply, &cli->verb->view, &style, cli->err);
    }
    code = cli->verb->judge != NULL ? cli->verb->judge(reply) : EXIT_DONE;
    protobuf_c_message_free_unpacked(reply, NULL);
    return code;
}

/* A call for each of many last words. One that is refused does not keep the others from being done;
 * the first refusal's exit code tells of it. */
static int call_each(struct cli *cli)
{
    size_t last = verb_last_word(cli->verb), count = cli->word_count;
    const char *words[CLI_WORDS_MAX];
    int code = EXIT_DONE;
    if (!cli->verb->words[last].is_many || cli->verb->words[last].field == NULL) {
        return call_and_print(cli, true);
    }
    memcpy(words, cli->words, sizeof words);
    for (size_t i = last; i < count && code != EXIT_UNREACHABLE && code != EXIT_DENIED; i++) {
        args_set_last(cli, words[i]);
        int this_code = call_and_print(cli, true);
        code = code == EXIT_DONE ? this_code : code;
    }
    return code;
}

int call_verb(struct cli *cli)
{
    int code = EXIT_USAGE;
    switch (call_care(cli)) {
    case CALL_STOP:
        return EXIT_USAGE;
    case CALL_DRY:
        call_set_dry_run(cli, true);
        return call_and_print(cli, true);
    case CALL_ASK:
        call_set_dry_run(cli, true);
        code = call_and_print(cli, false);
        if (code != EXIT_DONE) {
            return code;
        }
        if (!call_confirmed(cli)) {
            return EXIT_FAILED;
        }
        call_set_dry_run(cli, false);
        break;
    case CALL_DO:
        break;
    }
    return call_each(cli);
}
