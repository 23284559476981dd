/* SPDX-License-Identifier: MIT */
/*
 * complete: candidates for the word at the cursor. What shells do with them is in the scripts of
 * cmd_completion.c.
 */
#include "admin/complete.h"

#include <stdlib.h>
#include <string.h>

#include "admin/args.h"
#include "admin/bash_line.h"
#include "admin/context.h"
#include "admin/where.h"
#include "control.pb-c.h"
#include "proto/utf8.h"

#define COMPLETE_TIMEOUT_MS 1000
#define COMPLETE_NAMES_MAX  200 /* of rooms and users, from the network */
#define COMPLETE_CONTEXTS   64

struct complete {
    struct cli *cli;
    const char *begin;            /* what is typed of the last word */
    const struct bash_line *bash; /* NULL: another shell, which quotes by itself */
};

static void complete_offer(const struct complete *complete, const char *word, const char *help)
{
    bool is_typeable = utf8_name_valid(bytes_str(word), SIZE_MAX);
    if (!is_typeable || strncmp(word, complete->begin, strlen(complete->begin)) != 0) {
        return;
    }
    if (complete->bash != NULL) {
        bash_line_write(complete->bash, word, complete->cli->out);
        fputc('\n', complete->cli->out);
    } else {
        fprintf(complete->cli->out, "%s\t%s\n", word, help);
    }
}

/* A name from outside. One that would be read as an option can be given behind "--" only. */
static void complete_offer_name(const struct complete *complete, const char *name)
{
    if (name[0] != '-' || complete->cli->has_only_words) {
        complete_offer(complete, name, "");
    }
}

/* bash takes files as they are typed without a quote, or behind one. */
static void complete_files(const struct complete *complete)
{
    if (complete->bash == NULL) {
        fputs(COMPLETE_FILES "\n", complete->cli->out);
    } else if (complete->bash->kept == 0) {
        fprintf(complete->cli->out, COMPLETE_FILES " %s\n", complete->begin);
    }
}

/* Words of the table --------------------------------------------------------------------------- */

static void complete_verbs(const struct complete *complete)
{
    const char *group = complete->cli->group;
    for (size_t i = 0; group == NULL && i < verb_group_count; i++) {
        complete_offer(complete, verb_groups[i].name, verb_groups[i].help);
    }
    for (size_t i = 0; i < verb_count; i++) {
        bool is_here = group == NULL ? verbs[i].group == NULL
                                     : verbs[i].group != NULL && strcmp(verbs[i].group, group) == 0;
        if (is_here) {
            complete_offer(complete, verbs[i].name, verbs[i].help);
        }
    }
}

static void complete_options(const struct complete *complete, const struct verb_option *options,
                             size_t max)
{
    char name[64];
    for (size_t i = 0; i < max && options[i].name != NULL; i++) {
        verb_option_name(&options[i], name, sizeof name);
        name[strcspn(name, " ")] = '\0';
        complete_offer(complete, name, options[i].help);
    }
}

static void complete_all_options(const struct complete *complete)
{
    const struct verb *verb = complete->cli->verb;
    if (verb != NULL) {
        complete_options(complete, verb->options, VERB_OPTIONS_MAX);
        complete_options(complete, verb_cares, verb->is_destructive ? CARE_COUNT : 0);
    }
    complete_options(complete, verb_globals, GLOBAL_COUNT);
}

/* Values --------------------------------------------------------------------------------------- */

static void complete_choices(const struct complete *complete, const char *choices)
{
    char choice[32];
    for (const char *at = choices; *at != '\0'; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        snprintf(choice, sizeof choice, "%.*s", (int)len, at);
        complete_offer(complete, choice, "");
        at += len;
    }
}

static void complete_contexts(const struct complete *complete)
{
    static char names[COMPLETE_CONTEXTS][CONTEXT_NAME_MAX + 1];
    size_t count = context_names(names, COMPLETE_CONTEXTS);
    for (size_t i = 0; i < count && i < COMPLETE_CONTEXTS; i++) {
        complete_offer_name(complete, names[i]);
    }
}

/* Names in `field` of the rows that `method` answers with. */
static void complete_call(const struct complete *complete, const char *method,
                          const ProtobufCMessage *request, const char *field)
{
    struct cli *cli = complete->cli;
    struct rpc_status status;
    ProtobufCMessage *reply = NULL;
    if (where_find(cli) != EXIT_DONE) {
        return;
    }
    const struct rpc_options options = {.urls = (const char *const *)cli->where,
                                        .token = cli->token,
                                        .trust = cli->trust,
                                        .actor = cli->actor,
                                        .timeout_ms = COMPLETE_TIMEOUT_MS};
    cli->client = rpc_client_open(&options, &status);
    if (cli->client == NULL || !rpc_client_call(cli->client, method, request, &reply, &status)) {
        return;
    }
    const ProtobufCFieldDescriptor *list = output_list(reply);
    for (size_t i = 0; i < output_count(reply, list); i++) {
        const ProtobufCMessage *row = output_row(reply, list, i);
        struct bytes text = output_text(row, output_field(row, field), 0);
        char *name = memchr(text.ptr, 0, text.len) == NULL
                         ? strndup((const char *)text.ptr, text.len)
                         : NULL; /* no shell can type it */
        if (name != NULL) {
            complete_offer_name(complete, name);
        }
        free(name);
    }
    protobuf_c_message_free_unpacked(reply, NULL);
}

static void complete_names(const struct complete *complete, enum verb_kind kind)
{
    const Hgtp__Control__Empty nothing = HGTP__CONTROL__EMPTY__INIT;
    Hgtp__Control__RoomListRequest rooms = HGTP__CONTROL__ROOM_LIST_REQUEST__INIT;
    Hgtp__Control__SessionListRequest users = HGTP__CONTROL__SESSION_LIST_REQUEST__INIT;
    Hgtp__Control__NodeName node = HGTP__CONTROL__NODE_NAME__INIT;
    bool is_pattern = strpbrk(complete->begin, "*?[\\") != NULL;
    const char *begin = is_pattern ? "" : complete->begin;
    rooms.match = users.match = (ProtobufCBinaryData){strlen(begin), (uint8_t *)(uintptr_t)begin};
    rooms.limit = users.limit = COMPLETE_NAMES_MAX;
    switch (kind) {
    case KIND_ROOM:
        complete_call(complete, "RoomList", &rooms.base, "room");
        break;
    case KIND_USER:
        complete_call(complete, "SessionList", &users.base, "user");
        break;
    case KIND_NODE:
        complete_call(complete, "NodeList", &nothing.base, "id");
        break;
    case KIND_ACCOUNT:
        complete_call(complete, "AccountList", &nothing.base, "user");
        break;
    default:
        complete_call(complete, "ConfigShow", &node.base, "key");
    }
}

static void complete_value(const struct complete *complete, enum verb_kind kind,
                           const char *choices)
{
    switch (kind) {
    case KIND_CHOICE:
        complete_choices(complete, choices);
        break;
    case KIND_FILE:
        complete_files(complete);
        break;
    case KIND_CONTEXT:
        complete_contexts(complete);
        break;
    case KIND_URL:
        complete_choices(complete, "ipc:/// tcp:// tls+tcp://");
        break;
    case KIND_ROOM:
    case KIND_USER:
    case KIND_NODE:
    case KIND_ACCOUNT:
    case KIND_SETTING:
        complete_names(complete, kind);
        break;
    default:
        break; /* only people know */
    }
}

static void complete_word(const struct complete *complete)
{
    const struct cli *cli = complete->cli;
    size_t at = cli->word_count;
    while (at > 0 && (at >= VERB_WORDS_MAX || cli->verb->words[at].name == NULL)) {
        at--;
    }
    const struct verb_word *word = &cli->verb->words[at];
    if (word->name != NULL && (at == cli->word_count || word->is_many)) {
        complete_value(complete, word->kind, word->choices);
    }
}

static int complete_from(struct complete *complete, char **words)
{
    struct cli *cli = complete->cli;
    char *unread = NULL;
    size_t size = 0;
    cli->err = open_memstream(&unread, &size); /* a key press is no time for explanations */
    if (cli->err == NULL || words[0] == NULL) {
        return EXIT_USAGE;
    }
    for (; words[1] != NULL; words++) {
        if (args_feed(cli, words[0]) != EXIT_DONE) {
            return EXIT_DONE;
        }
    }
    complete->begin = words[0];
    if (cli->pending != NULL) {
        complete_value(complete, cli->pending->kind, cli->pending->choices);
    } else if (!cli->has_only_words && words[0][0] == '-') {
        complete_all_options(complete);
    } else if (cli->verb == NULL) {
        complete_verbs(complete);
    } else {
        complete_word(complete);
    }
    return EXIT_DONE;
}

int complete_run(struct cli *cli, char **words)
{
    struct complete complete = {.cli = cli};
    return complete_from(&complete, words);
}

int complete_run_bash(struct cli *cli, char **words)
{
    struct bash_line line;
    struct complete complete = {.cli = cli, .bash = &line};
    if (words[0] == NULL || words[1] == NULL) {
        return EXIT_USAGE;
    }
    /* The words live as long as the process: the command line keeps them. */
    bool is_known = bash_line_read(&line, words[1], words[0]);
    return is_known ? complete_from(&complete, line.words + 1) : EXIT_DONE;
}
