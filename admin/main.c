/* SPDX-License-Identifier: MIT */
/*
 * hgtpctl: the operators' tool: reads the command line by the table of verbs, calls the control
 * service, prints what comes back. What verbs there are is in verb_table.c.
 */
#include <errno.h>
#include <locale.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control.pb-c.h"
#include "rpc_client.h"
#include "verb.h"

#define MAIN_WORDS_MAX 32
#define MAIN_URLS_MAX  4

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_UNREACHABLE = 3,
    EXIT_NOT_FOUND = 4,
    EXIT_DENIED = 5,
};

struct cli {
    const char *words[MAIN_WORDS_MAX]; /* everything but options of all verbs */
    size_t word_count;
    const char *url;
    const char *token_file;
    char token[256];
    char actor[160];
    bool is_json, wants_help, is_dry_run, is_yes;
    double timeout_s;
    char paths[MAIN_URLS_MAX][256];
    const char *urls[MAIN_URLS_MAX + 1];
    const struct verb *verb;
    ProtobufCMessage *request;
};

static int main_usage(const char *text, const char *word)
{
    const char *like = word != NULL ? verb_like(word) : NULL;
    fprintf(stderr, "hgtpctl: %s%s%s%s\n", text, word != NULL ? " '" : "", word != NULL ? word : "",
            word != NULL ? "'" : "");
    if (like != NULL) {
        fprintf(stderr, "did you mean '%s'?\n", like);
    }
    fputs("hgtpctl --help lists what there is\n", stderr);
    return EXIT_USAGE;
}

/* Options of all verbs --------------------------------------------------------------------------
 */

/* 0: it is one; else EXIT_USAGE, or -1: it is none of these. */
static int main_option(struct cli *cli, char **argv, int *at)
{
    static const char *const names[] = {"--url", "--token-file", "-o", "--timeout"};
    const char *word = argv[*at];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(word, names[i]) != 0) {
            continue;
        }
        const char *value = argv[*at + 1];
        if (value == NULL) {
            return main_usage("a value is missing behind", word);
        }
        (*at)++;
        char *end = NULL;
        if (i == 0) {
            cli->url = value;
        } else if (i == 1) {
            cli->token_file = value;
        } else if (i == 2 && (strcmp(value, "json") == 0 || strcmp(value, "table") == 0)) {
            cli->is_json = value[0] == 'j';
        } else if (i == 3 && (cli->timeout_s = strtod(value, &end)) > 0 && *end == '\0' &&
                   cli->timeout_s <= 3600) {
            return 0;
        } else {
            return main_usage(i == 2 ? "-o is table or json, not" : "--timeout is in seconds, not",
                              value);
        }
        return 0;
    }
    return -1;
}

static int main_read_options(struct cli *cli, char **argv)
{
    for (int i = 1; argv[i] != NULL; i++) {
        int option = main_option(cli, argv, &i);
        if (option == EXIT_USAGE) {
            return EXIT_USAGE;
        }
        if (option == 0) {
            continue;
        }
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            cli->wants_help = true;
        } else if (cli->word_count == MAIN_WORDS_MAX) {
            return main_usage("there are too many arguments, from", argv[i]);
        } else {
            cli->words[cli->word_count++] = argv[i];
        }
    }
    return EXIT_DONE;
}

/* The verb's own words --------------------------------------------------------------------------
 */

/* Puts a value into the request; what is wrong with it, or NULL. */
static const char *main_set(ProtobufCMessage *request, const char *name, const char *value)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(request->descriptor, name);
    void *at = (uint8_t *)request + field->offset;
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    bool is_number = errno == 0 && end != value && *end == '\0' && value[0] != '-';
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(char **)at = (char *)(uintptr_t)value;
        return NULL;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = 1;
        return NULL;
    case PROTOBUF_C_TYPE_UINT32:
        *(uint32_t *)at = (uint32_t)number;
        return is_number && number <= UINT32_MAX ? NULL : "a number is wanted, not";
    default:
        *(uint64_t *)at = number;
        return is_number && number <= INT64_MAX ? NULL : "a number is wanted, not";
    }
}

static const struct verb_option *main_option_of(const struct verb *verb, const char *word)
{
    for (size_t i = 0; i < VERB_OPTIONS_MAX && verb->options[i].name != NULL; i++) {
        if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, verb->options[i].name) == 0) {
            return &verb->options[i];
        }
    }
    return NULL;
}

static int main_take_option(struct cli *cli, size_t *at)
{
    const char *word = cli->words[*at];
    if (cli->verb->is_destructive && strcmp(word, "--dry-run") == 0) {
        cli->is_dry_run = true;
        return EXIT_DONE;
    }
    if (cli->verb->is_destructive && strcmp(word, "--yes") == 0) {
        cli->is_yes = true;
        return EXIT_DONE;
    }
    const struct verb_option *option = main_option_of(cli->verb, word);
    if (option == NULL) {
        return main_usage("unknown option", word);
    }
    const char *value = "";
    if (option->value != NULL) {
        if (*at + 1 == cli->word_count) {
            return main_usage("a value is missing behind", word);
        }
        value = cli->words[++*at];
    }
    const char *wrong = main_set(cli->request, option->field, value);
    return wrong != NULL ? main_usage(wrong, value) : EXIT_DONE;
}

static int main_read_words(struct cli *cli, size_t from)
{
    size_t given = 0;
    for (size_t i = from; i < cli->word_count; i++) {
        const char *word = cli->words[i];
        if (strncmp(word, "--", 2) == 0) {
            int code = main_take_option(cli, &i);
            if (code != EXIT_DONE) {
                return code;
            }
            continue;
        }
        if (given == VERB_WORDS_MAX || cli->verb->words[given].name == NULL) {
            return main_usage("there is nothing to do with", word);
        }
        const char *wrong = main_set(cli->request, cli->verb->words[given++].field, word);
        if (wrong != NULL) {
            return main_usage(wrong, word);
        }
    }
    if (given < VERB_WORDS_MAX && cli->verb->words[given].name != NULL) {
        fprintf(stderr, "hgtpctl: %s is missing\n", cli->verb->words[given].name);
        verb_help(cli->verb, stderr);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

/* Where, and as whom ----------------------------------------------------------------------------
 */

static void main_add_url(struct cli *cli, const char *format, const char *folder)
{
    size_t count = 0;
    struct stat info;
    while (cli->urls[count] != NULL) {
        count++;
    }
    if (folder != NULL && count < MAIN_URLS_MAX) {
        snprintf(cli->paths[count], sizeof cli->paths[count], format, folder);
        if (stat(cli->paths[count] + strlen("ipc://"), &info) == 0) {
            cli->urls[count] = cli->paths[count];
        }
    }
}

static void main_find_urls(struct cli *cli)
{
    char own[64];
    const char *url = cli->url != NULL ? cli->url : getenv("HGTPCTL_URL");
    if (url != NULL && url[0] != '\0') {
        cli->urls[0] = url;
        return;
    }
    snprintf(own, sizeof own, "/tmp/hgtp-%u", (unsigned)getuid());
    main_add_url(cli, "ipc://%s/hgtp/control.sock", "/run");
    main_add_url(cli, "ipc://%s/hgtp/control.sock", getenv("XDG_RUNTIME_DIR"));
    main_add_url(cli, "ipc://%s/control.sock", own);
}

static int main_read_token(struct cli *cli)
{
    char line[512] = "", first[256] = "", second[256] = "";
    if (cli->token_file == NULL) {
        return EXIT_DONE;
    }
    FILE *file = fopen(cli->token_file, "re");
    if (file == NULL || fgets(line, sizeof line, file) == NULL) {
        fprintf(stderr, "hgtpctl: --token-file %s: %s\n", cli->token_file,
                file == NULL ? strerror(errno) : "it is empty");
        if (file != NULL) {
            (void)fclose(file);
        }
        return EXIT_USAGE;
    }
    (void)fclose(file);
    int found = sscanf(line, "%255s %255s", first, second);
    bool has_role = strcmp(first, "view") == 0 || strcmp(first, "operate") == 0 ||
                    strcmp(first, "administer") == 0;
    snprintf(cli->token, sizeof cli->token, "%s", found > 1 && has_role ? second : first);
    return EXIT_DONE;
}

static void main_name_actor(struct cli *cli)
{
    char host[64] = "";
    const struct passwd *user = getpwuid(getuid());
    (void)gethostname(host, sizeof host - 1);
    snprintf(cli->actor, sizeof cli->actor, "%.64s@%s", user != NULL ? user->pw_name : "?", host);
}

/* Calls -----------------------------------------------------------------------------------------
 */

static int main_exit_code(Hgtp__Rpc__Code code)
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

static void main_print(const struct cli *cli, const ProtobufCMessage *reply)
{
    bool has_colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    const ProtobufCFieldDescriptor *what =
        protobuf_c_message_descriptor_get_field_by_name(reply->descriptor, "what");
    if (cli->is_json) {
        output_json(reply, stdout);
    } else if (cli->verb->columns == NULL && what != NULL) {
        printf("%s\n", *(char *const *)((const uint8_t *)reply + what->offset));
    } else if (cli->verb->columns[0].heading[0] >= 'a') {
        output_fields(reply, cli->verb->columns, stdout);
    } else {
        output_table(reply, cli->verb->columns, has_colour, stdout);
    }
}

static bool main_call(struct cli *cli, struct rpc_client *client, ProtobufCMessage **ret_reply,
                      int *ret_code)
{
    struct rpc_status status;
    bool is_ok = rpc_client_call(client, cli->verb->method, cli->request, ret_reply, &status);
    *ret_code = main_exit_code(status.code);
    if (!is_ok) {
        fprintf(stderr, "hgtpctl: %s\n", status.message);
        *ret_code = *ret_code == EXIT_DONE ? EXIT_FAILED : *ret_code;
    }
    return is_ok;
}

/* Shows what would be hit and asks; false: it is not to be done. */
static bool main_confirm(struct cli *cli, struct rpc_client *client, int *ret_code)
{
    ProtobufCMessage *reply;
    (void)main_set(cli->request, "dry_run", "");
    if (!main_call(cli, client, &reply, ret_code)) {
        return false;
    }
    main_print(cli, reply);
    protobuf_c_message_free_unpacked(reply, NULL);
    if (cli->is_dry_run) {
        return false;
    }
    char answer[16] = "";
    fputs("do it? [y/N] ", stderr);
    bool is_yes = fgets(answer, sizeof answer, stdin) != NULL &&
                  (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0);
    *ret_code = is_yes ? EXIT_DONE : EXIT_FAILED;
    const ProtobufCFieldDescriptor *dry_run =
        protobuf_c_message_descriptor_get_field_by_name(cli->request->descriptor, "dry_run");
    *(protobuf_c_boolean *)((uint8_t *)cli->request + dry_run->offset) = 0;
    return is_yes;
}

static int main_do(struct cli *cli)
{
    const struct rpc_options options = {.urls = cli->urls,
                                        .token = cli->token,
                                        .actor = cli->actor,
                                        .timeout_ms = (int64_t)(cli->timeout_s * 1000)};
    struct rpc_client *client = rpc_client_open(&options);
    ProtobufCMessage *reply = NULL;
    int code = EXIT_FAILED;
    bool asks = cli->is_dry_run || (cli->verb->is_destructive && !cli->is_yes);
    if (client != NULL && (!asks || main_confirm(cli, client, &code)) &&
        main_call(cli, client, &reply, &code)) {
        main_print(cli, reply);
        protobuf_c_message_free_unpacked(reply, NULL);
    }
    rpc_client_close(client);
    return code;
}

static int main_find_verb(struct cli *cli, size_t *ret_used)
{
    if (cli->word_count == 0) {
        verb_help_all(cli->wants_help ? stdout : stderr);
        return cli->wants_help ? EXIT_DONE : EXIT_USAGE;
    }
    cli->verb = verb_find(cli->words, cli->word_count, ret_used);
    bool is_group = verb_is_group(cli->words[0]);
    if (cli->verb == NULL && is_group && (cli->word_count == 1 || cli->wants_help)) {
        verb_help_group(cli->words[0], cli->wants_help ? stdout : stderr);
        return cli->wants_help ? EXIT_DONE : EXIT_USAGE;
    }
    if (cli->verb == NULL) {
        return main_usage("unknown command", cli->words[is_group ? 1 : 0]);
    }
    if (cli->wants_help) {
        verb_help(cli->verb, stdout);
    }
    return EXIT_DONE;
}

static int main_run(struct cli *cli)
{
    size_t used = 0;
    int code = main_find_verb(cli, &used);
    if (code != EXIT_DONE || cli->verb == NULL || cli->wants_help) {
        return code;
    }
    const ProtobufCMethodDescriptor *method = protobuf_c_service_descriptor_get_method_by_name(
        &hgtp__control__control__descriptor, cli->verb->method);
    cli->request = calloc(1, method->input->sizeof_message);
    if (cli->request == NULL) {
        return EXIT_FAILED;
    }
    protobuf_c_message_init(method->input, cli->request);
    code = main_read_words(cli, used);
    if (code == EXIT_DONE && cli->verb->is_destructive && !cli->is_yes && !cli->is_dry_run &&
        !isatty(STDIN_FILENO)) {
        code = main_usage("there is no terminal to ask at: give --yes, or --dry-run", NULL);
    }
    if (code == EXIT_DONE) {
        code = main_read_token(cli);
    }
    if (code == EXIT_DONE) {
        main_find_urls(cli);
        main_name_actor(cli);
        code = main_do(cli);
    }
    free(cli->request);
    return code;
}

int main(int argc, char **argv)
{
    (void)argc;
    (void)setlocale(LC_ALL, "");
    static struct cli cli = {.timeout_s = 5};
    if (argv[1] != NULL && strcmp(argv[1], "--version") == 0) {
        puts("hgtpctl " HGTP_VERSION);
        return EXIT_DONE;
    }
    int code = main_read_options(&cli, argv);
    code = code == EXIT_DONE ? main_run(&cli) : code;
    return fflush(stdout) == 0 ? code : EXIT_FAILED;
}
