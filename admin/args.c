/* SPDX-License-Identifier: MIT */
/*
 * args: a state machine that takes one word at a time, so that completion can ask what would come
 * next. Values are checked as soon as they come; who is asked and how is none of its business.
 */
#include "admin/args.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "admin/units.h"
#include "admin/visible_print.h"
#include "control.pb-c.h"

#define ARGS_TIMEOUT_MS     5000
#define ARGS_TIMEOUT_MAX_MS 3600000

void args_init(struct cli *cli)
{
    cli->timeout_ms = ARGS_TIMEOUT_MS;
}

void args_fini(struct cli *cli)
{
    free(cli->request);
    cli->request = NULL;
}

/* Says what is wrong, what was perhaps meant, and where to read on. */
static int args_usage(const struct cli *cli, const char *like, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int args_usage(const struct cli *cli, const char *like, const char *format, ...)
{
    char name[64] = "";
    va_list list;
    va_start(list, format);
    fputs("hgtpctl: ", cli->err);
    visible_vprintf(cli->err, format, list);
    va_end(list);
    fputc('\n', cli->err);
    if (like != NULL) {
        visible_printf(cli->err, "did you mean '%s'?\n", like);
    }
    if (cli->verb != NULL) {
        verb_full_name(cli->verb, name, sizeof name);
    } else if (cli->group != NULL) {
        snprintf(name, sizeof name, "%s", cli->group);
    }
    fprintf(cli->err, "hgtpctl %s%s--help says what there is\n", name, name[0] != '\0' ? " " : "");
    return EXIT_USAGE;
}

/* Values --------------------------------------------------------------------------------------- */

static bool args_is_choice(const char *choices, const char *value)
{
    size_t len = strlen(value);
    const char *at = choices;
    while (len > 0 && strchr(value, ' ') == NULL && (at = strstr(at, value)) != NULL) {
        if ((at == choices || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0')) {
            return true;
        }
        at += len;
    }
    return false;
}

/* host:port, the host perhaps an IPv6 address in brackets. */
static bool args_has_port(struct bytes address)
{
    const uint8_t *colon = memrchr(address.ptr, ':', address.len);
    if (colon == NULL || colon == address.ptr ||
        memchr(colon, ']', address.len - (size_t)(colon - address.ptr)) != NULL) {
        return false;
    }
    struct bytes port = bytes_from(address, (size_t)(colon - address.ptr) + 1);
    unsigned number = 0;
    for (size_t i = 0; i < port.len && number <= UINT16_MAX; i++) {
        number = port.ptr[i] >= '0' && port.ptr[i] <= '9' ? number * 10 + (port.ptr[i] - '0')
                                                          : UINT16_MAX + 1;
    }
    return number >= 1 && number <= UINT16_MAX;
}

/* What is wrong with an address; NULL: nothing. */
static const char *args_url_fault(struct bytes url)
{
    static const struct {
        const char *begin;
        bool is_path;
    } schemes[] = {{"ipc://", true}, {"tcp://", false}, {"tls+tcp://", false}};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t len = strlen(schemes[i].begin);
        if (url.len <= len || memcmp(url.ptr, schemes[i].begin, len) != 0) {
            continue;
        }
        struct bytes rest = bytes_from(url, len);
        if (schemes[i].is_path) {
            return rest.len < sizeof((struct sockaddr_un *)NULL)->sun_path
                       ? NULL
                       : "the path of a socket has at most 107 bytes";
        }
        return args_has_port(rest) ? NULL
                                   : "a port from 1 to 65535 has to stand behind the host, as in "
                                     "tcp://10.0.0.5:9300";
    }
    return "an address is ipc:///path, tcp://host:port or tls+tcp://host:port";
}

static int args_check_urls(const struct cli *cli, const char *name, const char *value)
{
    const char *at = value, *url;
    size_t len, count = 0;
    while (cli_next_url(&at, &url, &len)) {
        const char *fault = args_url_fault(bytes_of(url, len));
        if (fault != NULL) {
            return args_usage(cli, NULL, "%s: '%.*s': %s", name, (int)len, url, fault);
        }
        count++;
    }
    return count > 0 && count <= CLI_URLS_MAX
               ? EXIT_DONE
               : args_usage(cli, NULL,
                            "%s is one address, or up to 8 of them with commas between, not '%s'",
                            name, value);
}

static int args_check(const struct cli *cli, const char *name, enum verb_kind kind,
                      const char *choices, const char *value)
{
    uint64_t number;
    int64_t ms;
    char like[32];
    if (kind == KIND_NUMBER && !units_number(value, &number)) {
        return args_usage(cli, NULL, "%s is a number, not '%s'", name, value);
    }
    if (kind == KIND_DURATION && !units_duration(value, &ms)) {
        return args_usage(cli, NULL, "%s is in seconds, or as in 500ms, 90s, 10m, 2h, 7d, not '%s'",
                          name, value);
    }
    if (kind == KIND_URL) {
        return args_check_urls(cli, name, value);
    }
    if (kind == KIND_CHOICE && !args_is_choice(choices, value)) {
        return args_usage(cli, verb_like_choice(choices, value, like) ? like : NULL,
                          "%s is one of: %s; not '%s'", name, choices, value);
    }
    return EXIT_DONE;
}

/* A checked value into its field; false: the field can't hold it. */
static bool args_set(ProtobufCMessage *request, const char *name, enum verb_kind kind,
                     const char *value)
{
    const ProtobufCFieldDescriptor *field = output_field(request, name);
    void *at = (uint8_t *)request + field->offset;
    uint64_t number = 0;
    int64_t ms;
    if (kind == KIND_NUMBER) {
        (void)units_number(value, &number);
    } else if (kind == KIND_DURATION && units_duration(value, &ms)) {
        number = (uint64_t)ms;
    }
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(char **)at = (char *)(uintptr_t)value;
        return true;
    case PROTOBUF_C_TYPE_BYTES:
        *(ProtobufCBinaryData *)at =
            (ProtobufCBinaryData){strlen(value), (uint8_t *)(uintptr_t)value};
        return true;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = 1;
        return true;
    case PROTOBUF_C_TYPE_UINT32:
        *(uint32_t *)at = (uint32_t)number;
        return number <= UINT32_MAX;
    default:
        *(uint64_t *)at = number;
        return number <= INT64_MAX; /* as far as Redis counts */
    }
}

static int args_take(struct cli *cli, const char *name, enum verb_kind kind, const char *choices,
                     const char *field, const char *value)
{
    int code = args_check(cli, name, kind, choices, value);
    if (code == EXIT_DONE && field != NULL && !args_set(cli->request, field, kind, value)) {
        return args_usage(cli, NULL, "%s is too large: %s", name, value);
    }
    return code;
}

/* Options -------------------------------------------------------------------------------------- */

/* Which of `options` has this name of `len` bytes; NULL: none. */
static const struct verb_option *args_option_in(const struct verb_option *options, size_t max,
                                                const char *name, size_t len, bool is_short)
{
    for (size_t i = 0; i < max && options[i].name != NULL; i++) {
        if (strlen(options[i].name) == len && strncmp(options[i].name, name, len) == 0 &&
            (len == 1) == is_short) {
            return &options[i];
        }
    }
    return NULL;
}

static const struct verb_option *args_find_option(const struct cli *cli, const char *name,
                                                  size_t len, bool is_short)
{
    const struct verb_option *found = NULL;
    if (cli->verb != NULL) {
        found = args_option_in(cli->verb->options, VERB_OPTIONS_MAX, name, len, is_short);
    }
    if (found == NULL && cli->verb != NULL && cli->verb->is_destructive) {
        found = args_option_in(verb_cares, CARE_COUNT, name, len, is_short);
    }
    return found != NULL ? found : args_option_in(verb_globals, GLOBAL_COUNT, name, len, is_short);
}

static int args_set_global(struct cli *cli, enum verb_global global, const char *value)
{
    switch (global) {
    case GLOBAL_URL:
        cli->url = value;
        return EXIT_DONE;
    case GLOBAL_CONTEXT:
        cli->context = value;
        return EXIT_DONE;
    case GLOBAL_TOKEN_FILE:
        cli->token_file = value;
        return EXIT_DONE;
    case GLOBAL_CA_FILE:
        cli->ca_file = value;
        return EXIT_DONE;
    case GLOBAL_TLS_NAME:
        cli->tls_name = value;
        return EXIT_DONE;
    case GLOBAL_OUTPUT:
        cli->is_json = strcmp(value, "json") == 0;
        return EXIT_DONE;
    case GLOBAL_TIMEOUT:
        (void)units_duration(value, &cli->timeout_ms);
        return cli->timeout_ms > 0 && cli->timeout_ms <= ARGS_TIMEOUT_MAX_MS
                   ? EXIT_DONE
                   : args_usage(cli, NULL, "--timeout is more than 0 and at most an hour, not '%s'",
                                value);
    case GLOBAL_VERSION:
        cli->wants_version = true;
        return EXIT_DONE;
    default:
        cli->wants_help = true;
        return EXIT_DONE;
    }
}

static int args_set_option(struct cli *cli, const struct verb_option *option, const char *value)
{
    char name[64];
    verb_option_name(option, name, sizeof name);
    name[strcspn(name, " ")] = '\0';
    int code = args_take(cli, name, option->kind, option->choices, option->field, value);
    if (code != EXIT_DONE) {
        return code;
    }
    if (option >= verb_globals && option < verb_globals + GLOBAL_COUNT) {
        return args_set_global(cli, (enum verb_global)(option - verb_globals), value);
    }
    if (option >= verb_cares && option < verb_cares + CARE_COUNT) {
        cli->cares[option - verb_cares] = true;
    } else {
        cli->options[option - cli->verb->options] = value;
    }
    return EXIT_DONE;
}

static int args_feed_option(struct cli *cli, const char *word)
{
    bool is_short = word[1] != '-';
    const char *name = word + (is_short ? 1 : 2);
    size_t len = is_short ? 1 : strcspn(name, "=");
    const struct verb_option *option = args_find_option(cli, name, len, is_short);
    const char *joined = name[len] != '\0' ? name + len + (is_short ? 0 : 1) : NULL;
    if (option == NULL) {
        const char *meant = is_short ? NULL : verb_like_option(cli->verb, name);
        char like[40];
        snprintf(like, sizeof like, "--%s", meant != NULL ? meant : "");
        return args_usage(cli, meant != NULL ? like : NULL, "unknown option '%s'%s", word,
                          cli->verb == NULL ? ": a verb's own options stand behind it" : "");
    }
    if (option->value == NULL && joined != NULL) {
        return args_usage(cli, NULL, "%.*s takes no value: '%s'", (int)(name - word + (int)len),
                          word, word);
    }
    if (option->value != NULL && joined == NULL) {
        cli->pending = option;
        return EXIT_DONE;
    }
    return args_set_option(cli, option, joined != NULL ? joined : "");
}

/* Words ---------------------------------------------------------------------------------------- */

/* Neither a group nor a verb that stands alone; perhaps a verb without its group. */
static int args_unknown(const struct cli *cli, const char *word)
{
    char groups[128] = "";
    for (size_t i = 0; i < verb_group_count; i++) {
        size_t used = strlen(groups);
        if (verb_find(verb_groups[i].name, word) != NULL) {
            snprintf(groups + used, sizeof groups - used, "%s %s", used > 0 ? "," : "",
                     verb_groups[i].name);
        }
    }
    return args_usage(cli, groups[0] != '\0' ? NULL : verb_like(NULL, word),
                      "unknown command '%s'%s%s", word,
                      groups[0] != '\0' ? ": its group comes first, one of" : "", groups);
}

static int args_feed_verb(struct cli *cli, const char *word)
{
    if (cli->group == NULL && strcmp(word, "help") == 0) {
        cli->wants_help = true;
        return EXIT_DONE;
    }
    if (cli->group == NULL && verb_is_group(word)) {
        cli->group = word;
        return EXIT_DONE;
    }
    cli->verb = verb_find(cli->group, word);
    if (cli->verb == NULL && cli->group != NULL && strcmp(word, "help") == 0) {
        cli->wants_help = true;
        return EXIT_DONE;
    }
    if (cli->verb == NULL && cli->group != NULL) {
        return args_usage(cli, verb_like(cli->group, word), "%s has no verb '%s'", cli->group,
                          word);
    }
    if (cli->verb == NULL) {
        return args_unknown(cli, word);
    }
    if (cli->verb->method == NULL) {
        return EXIT_DONE;
    }
    const ProtobufCMessageDescriptor *type =
        protobuf_c_service_descriptor_get_method_by_name(&hgtp__control__control__descriptor,
                                                         cli->verb->method)
            ->input;
    cli->request = calloc(1, type->sizeof_message);
    if (cli->request == NULL) {
        cli_say(cli, "out of memory");
        return EXIT_FAILED;
    }
    protobuf_c_message_init(type, cli->request);
    return EXIT_DONE;
}

static int args_feed_word(struct cli *cli, const char *word)
{
    const struct verb_word *words = cli->verb->words;
    size_t at = cli->word_count, last = verb_last_word(cli->verb);
    at = words[last].is_many && at > last ? last : at;
    if (at > last || words[at].name == NULL || cli->word_count == CLI_WORDS_MAX) {
        bool is_text = words[last].name != NULL && strcmp(words[last].name, "TEXT") == 0;
        return args_usage(cli, NULL, "there is nothing to do with '%s'%s", word,
                          is_text ? ": put a text with blanks between quotes" : "");
    }
    if (word[0] == '\0' && !words[at].may_be_empty) {
        return args_usage(cli, NULL, "%s is empty: %s", words[at].name, words[at].help);
    }
    int code =
        args_take(cli, words[at].name, words[at].kind, words[at].choices, words[at].field, word);
    if (code == EXIT_DONE) {
        cli->words[cli->word_count++] = word;
    }
    return code;
}

void args_set_last(struct cli *cli, const char *word)
{
    size_t last = verb_last_word(cli->verb);
    const struct verb_word *as = &cli->verb->words[last];
    (void)args_set(cli->request, as->field, as->kind, word); /* it was checked when it was read */
    cli->words[last] = word;
    cli->word_count = last + 1;
}

int args_feed(struct cli *cli, const char *word)
{
    const struct verb_option *pending = cli->pending;
    if (pending != NULL) {
        cli->pending = NULL;
        return args_set_option(cli, pending, word);
    }
    if (!cli->has_only_words && strcmp(word, "--") == 0) {
        cli->has_only_words = true;
        return EXIT_DONE;
    }
    if (!cli->has_only_words && word[0] == '-' && word[1] != '\0') {
        return args_feed_option(cli, word);
    }
    return cli->verb == NULL ? args_feed_verb(cli, word) : args_feed_word(cli, word);
}

int args_end(struct cli *cli)
{
    char name[64];
    if (cli->pending != NULL) {
        verb_option_name(cli->pending, name, sizeof name);
        return args_usage(cli, NULL, "a value is missing: %s", name);
    }
    if (cli->wants_help || cli->wants_version || cli->verb == NULL) {
        return EXIT_DONE;
    }
    size_t at = cli->word_count;
    if (at < VERB_WORDS_MAX && cli->verb->words[at].name != NULL &&
        !cli->verb->words[at].is_optional) {
        return args_usage(cli, NULL, "%s is missing: %s", cli->verb->words[at].name,
                          cli->verb->words[at].help);
    }
    return EXIT_DONE;
}

int args_read(struct cli *cli, char **argv)
{
    int code = EXIT_DONE;
    for (size_t i = 1; code == EXIT_DONE && argv[i] != NULL; i++) {
        code = args_feed(cli, argv[i]);
    }
    return code == EXIT_DONE ? args_end(cli) : code;
}
