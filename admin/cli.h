/* SPDX-License-Identifier: MIT */
/*
 * cli: one run of hgtpctl: what was asked for, of whom, and how to answer. args.c fills the first
 * part, where.c the second; call.c and the verbs use it.
 */
#ifndef ADMIN_CLI_H
#define ADMIN_CLI_H

#include "admin/rpc_client.h"
#include "admin/verb.h"

#define CLI_URLS_MAX  8
#define CLI_WORDS_MAX 256

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_UNREACHABLE = 3,
    EXIT_NOT_FOUND = 4,
    EXIT_DENIED = 5,
};

struct cli {
    FILE *out, *err;

    /* What was asked for. Strings are argv's. */
    const char *group; /* given, but perhaps no verb yet */
    const struct verb *verb;
    const char *words[CLI_WORDS_MAX]; /* of the verb, in their order */
    size_t word_count;
    const char
        *options[VERB_OPTIONS_MAX]; /* of the verb, by their place in its table; "": a flag */
    bool cares[CARE_COUNT];
    const char *url; /* one or more, with commas or blanks between them */
    const char *context, *token_file, *ca_file, *tls_name;
    int64_t timeout_ms;
    bool is_json, wants_help, wants_version;
    ProtobufCMessage *request; /* of the verb's method; NULL: it has none. Its strings are argv's */

    /* Reading. */
    const struct verb_option *pending; /* its value comes next */
    bool has_only_words;               /* behind "--" */

    /* Of whom. */
    char *where[CLI_URLS_MAX + 1]; /* NULL-terminated */
    bool is_anywhere;              /* nobody has said where: the sockets of this machine */
    char token[256];
    struct rpc_trust trust;
    char actor[160];
    struct rpc_client *client; /* NULL until it is needed */
};

/** The value of an option of the verb, "" for a flag; NULL when it was not given. */
const char *cli_option(const struct cli *cli, const char *name);

/** The next of some addresses at `*at`, which moves behind it; false: there is none. */
bool cli_next_url(const char **at, const char **ret_url, size_t *ret_len);

/** "hgtpctl: ..." and a line end to the stream for errors. */
void cli_say(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** A reply in the form that was asked for. */
void cli_print(const struct cli *cli, const ProtobufCMessage *reply);

#endif
