/* SPDX-License-Identifier: MIT */
/*
 * store: runs scripts in Redis by EVALSHA, one round trip each, loads them on every connection, and
 * gives their replies to talk as results. Connecting and deadlines are redis_link's.
 */
#include "store.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "node/base/log.h"
#include "node/base/metrics.h"
#include "redis_link.h"
#include "script_text.h"

#define STORE_SHA_CHARS  40
#define STORE_PREFIX_MAX 96
/* Words of a command before the script's arguments: EVALSHA, hash, number of keys, key. */
#define STORE_HEAD_WORDS 4

struct store {
    struct redis_link *link;
    char prefix[STORE_PREFIX_MAX];
    char shas[SCRIPT_COUNT][STORE_SHA_CHARS + 1];
    void (*on_state)(bool connected, const char *why, void *arg);
    void (*on_late)(const struct result *result, void *arg);
    void *arg;
    void (*on_closed)(void *arg);
    void *closed_arg;
};

/* A call whose reply has not come; its arguments are kept for the case that the script is unknown.
 */
struct store_call {
    struct store *store;
    enum script script;
    store_on_result_fn *on_result;
    void *arg;
    int64_t sent_us;
    size_t word_count;
    struct bytes *words; /* in `data` */
    uint8_t data[];
};

static void store_on_reply(const redisReply *reply, void *arg);

/* Loading ----------------------------------------------------------------------------------------
 */

static void store_sha(const struct script_text *text, char ret_sha[STORE_SHA_CHARS + 1])
{
    unsigned char hash[20];
    size_t len = 0;
    int ok = EVP_Q_digest(NULL, "SHA1", NULL, text->text, text->len, hash, &len);
    assert(ok == 1 && len == sizeof hash);
    for (size_t i = 0; i < sizeof hash; i++) {
        snprintf(ret_sha + 2 * i, 3, "%02x", hash[i]);
    }
}

static void store_on_loaded(const redisReply *reply, void *arg)
{
    const char *name = arg;
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR) {
        LOG(LOG_ERROR, "script_refused", log_str("script", name), log_str("error", reply->str));
    }
}

static void store_on_link_state(bool connected, const char *why, void *arg)
{
    struct store *store = arg;
    if (connected) {
        for (size_t i = 0; i < SCRIPT_COUNT; i++) {
            const struct script_text *text = &script_texts[i];
            const struct bytes words[] = {bytes_str("SCRIPT"), bytes_str("LOAD"),
                                          bytes_of(text->text, text->len)};
            redis_link_command(store->link, words, 3, store_on_loaded,
                               (void *)(uintptr_t)text->name);
        }
    }
    store->on_state(connected, why, store->arg);
}

/* Results ----------------------------------------------------------------------------------------
 */

static struct bytes store_bytes(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS
               ? bytes_of(reply->str, reply->len)
               : bytes_of(NULL, 0);
}

static size_t store_field_count(const redisReply *reply)
{
    size_t count = 0;
    for (size_t i = 2; i < reply->elements; i++) {
        count += reply->element[i]->type == REDIS_REPLY_ARRAY ? reply->element[i]->elements : 0;
    }
    return count;
}

/* Hands over a reply of the form { code, extra, effect, ... }; false when it has another form.
 * `sent_us` 0: when it was asked for is not known. */
static bool store_give(const redisReply *reply, int64_t sent_us, store_on_result_fn *on_result,
                       void *arg)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2 ||
        reply->element[0]->type != REDIS_REPLY_INTEGER) {
        return false;
    }
    size_t effect_count = reply->elements - 2;
    struct effect *effects = calloc(effect_count + 1, sizeof *effects);
    struct bytes *fields = calloc(store_field_count(reply) + 1, sizeof *fields);
    bool is_given = effects != NULL && fields != NULL;
    if (is_given) {
        size_t used = 0;
        for (size_t i = 0; i < effect_count; i++) {
            const redisReply *row = reply->element[i + 2];
            effects[i].fields = &fields[used];
            effects[i].count = row->type == REDIS_REPLY_ARRAY ? row->elements : 0;
            for (size_t f = 0; f < effects[i].count; f++) {
                fields[used++] = store_bytes(row->element[f]);
            }
        }
        const struct result result = {.code = (enum err)reply->element[0]->integer,
                                      .extra = store_bytes(reply->element[1]),
                                      .effects = effects,
                                      .effect_count = effect_count,
                                      .sent_us = sent_us,
                                      .got_us = metrics_now_us()};
        on_result(&result, arg);
    }
    free(effects);
    free(fields);
    return is_given;
}

static void store_on_late_reply(const redisReply *reply, void *arg)
{
    struct store *store = arg;
    if (store->on_late != NULL) {
        (void)store_give(reply, 0, store->on_late, store->arg);
    }
}

static void store_give_internal_error(const struct store_call *call)
{
    const struct bytes reply_name = bytes_str("reply");
    const struct effect reply_effect = {&reply_name, 1};
    const struct result result = {
        .code = ERR_INTERNAL, .effects = &reply_effect, .effect_count = 1};
    call->on_result(&result, call->arg);
}

/* Redis answers, but cannot do it now; everything else is a fault of a script. */
static bool store_is_away(const char *error)
{
    static const char *const passing[] = {"LOADING",    "READONLY", "MISCONF",  "OOM",
                                          "NOREPLICAS", "BUSY",     "TRYAGAIN", "CLUSTERDOWN",
                                          "MASTERDOWN", "NOPERM",   "MOVED",    "ASK"};
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++) {
        if (strncmp(error, passing[i], strlen(passing[i])) == 0 ||
            (strncmp(error, "-", 1) == 0 &&
             strncmp(error + 1, passing[i], strlen(passing[i])) == 0)) {
            return true;
        }
    }
    return false;
}

static void store_call_failed(struct store_call *call, const redisReply *reply)
{
    metric_add(METRIC_STORE_FAILED, 1);
    if (reply == NULL || (reply->type == REDIS_REPLY_ERROR && store_is_away(reply->str))) {
        if (reply != NULL) {
            LOG_LIMITED(LOG_WARN, "redis_refuses", log_str("error", reply->str));
        }
        call->on_result(NULL, call->arg);
        return;
    }
    LOG_LIMITED(LOG_ERROR, "script_failed", log_str("script", script_texts[call->script].name),
                log_str("error", reply->type == REDIS_REPLY_ERROR ? reply->str : "odd reply"));
    store_give_internal_error(call);
}

static void store_on_reply(const redisReply *reply, void *arg)
{
    struct store_call *call = arg;
    if (reply != NULL && reply->type == REDIS_REPLY_ERROR &&
        strncmp(reply->str, "NOSCRIPT", 8) == 0 && call->words[0].len == strlen("EVALSHA")) {
        const struct script_text *text = &script_texts[call->script];
        call->words[0] = bytes_str("EVAL");
        call->words[1] = bytes_of(text->text, text->len);
        redis_link_command(call->store->link, call->words, call->word_count, store_on_reply, call);
        return;
    }
    if (reply != NULL) {
        metric_observe(HISTOGRAM_STORE_CALL, metrics_now_us() - call->sent_us);
    }
    if (reply == NULL || !store_give(reply, call->sent_us, call->on_result, call->arg)) {
        store_call_failed(call, reply);
    }
    free(call);
}

/* Calls ------------------------------------------------------------------------------------------
 */

static size_t store_words_bytes(const struct script_args *args)
{
    size_t total = 0;
    for (size_t i = 0; i < args->count; i++) {
        total += args->items[i].len;
    }
    return total;
}

/* The key that names the slot: the session's own, or one that every realm has. */
static void store_key(const struct store *store, const struct script_args *args, struct sink *out)
{
    sink_text(out, store->prefix);
    if (args->count >= 2 && bytes_equal(args->items[0], bytes_str("uid"))) {
        sink_text(out, "u:");
        sink_put(out, args->items[1]);
    } else {
        sink_text(out, "sessions");
    }
}

static struct store_call *store_call_new(struct store *store, enum script script,
                                         const struct script_args *args)
{
    size_t word_count = STORE_HEAD_WORDS + 2 + args->count;
    size_t words_bytes = word_count * sizeof(struct bytes);
    size_t data_bytes = words_bytes + STORE_PREFIX_MAX + 64 + store_words_bytes(args);
    struct store_call *call = malloc(sizeof *call + data_bytes);
    if (call == NULL) {
        return NULL;
    }
    *call = (struct store_call){.store = store, .script = script, .word_count = word_count};
    call->words = (struct bytes *)(void *)call->data;
    struct sink data = sink_into(call->data + words_bytes, data_bytes - words_bytes);
    call->words[0] = bytes_str("EVALSHA");
    call->words[1] = bytes_str(store->shas[script]);
    call->words[2] = bytes_str("1");
    store_key(store, args, &data);
    call->words[3] = sink_bytes(&data);
    call->words[4] = bytes_str("prefix");
    call->words[5] = bytes_str(store->prefix);
    for (size_t i = 0; i < args->count; i++) {
        call->words[STORE_HEAD_WORDS + 2 + i] = bytes_of(data.ptr + data.len, args->items[i].len);
        sink_put(&data, args->items[i]);
    }
    assert(sink_fits(&data));
    return call;
}

static void store_call(void *ctx, enum script script, const struct script_args *args,
                       store_on_result_fn *on_result, void *arg)
{
    struct store *store = ctx;
    struct store_call *call = store_call_new(store, script, args);
    if (call == NULL) {
        on_result(NULL, arg);
        return;
    }
    call->on_result = on_result;
    call->arg = arg;
    call->sent_us = metrics_now_us();
    metric_add(METRIC_STORE_CALLS, 1);
    redis_link_command(store->link, call->words, call->word_count, store_on_reply, call);
}

/* Life -------------------------------------------------------------------------------------------
 */

struct store *store_open(const struct store_options *options)
{
    struct store *store = calloc(1, sizeof *store);
    if (store == NULL) {
        return NULL;
    }
    store->on_state = options->on_state;
    store->on_late = options->on_late;
    store->arg = options->arg;
    int len = snprintf(store->prefix, sizeof store->prefix, "hgtp:{%s}:", options->realm);
    assert(len > 0 && (size_t)len < sizeof store->prefix);
    for (size_t i = 0; i < SCRIPT_COUNT; i++) {
        store_sha(&script_texts[i], store->shas[i]);
    }
    const struct redis_link_options link = {.loop = options->loop,
                                            .url = options->url,
                                            .deadline_ms = options->deadline_ms,
                                            .on_state = store_on_link_state,
                                            .on_late = store_on_late_reply,
                                            .arg = store};
    store->link = redis_link_open(&link);
    if (store->link == NULL) {
        free(store);
        return NULL;
    }
    return store;
}

struct store_port store_port(struct store *store)
{
    return (struct store_port){store, store_call};
}

void store_deadline(struct store *store, int64_t deadline_ms)
{
    redis_link_deadline(store->link, deadline_ms);
}

static void store_on_link_closed(void *arg)
{
    struct store *store = arg;
    void (*on_closed)(void *) = store->on_closed;
    void *closed_arg = store->closed_arg;
    free(store);
    on_closed(closed_arg);
}

void store_close(struct store *store, void (*on_closed)(void *arg), void *arg)
{
    store->on_closed = on_closed;
    store->closed_arg = arg;
    redis_link_close(store->link, store_on_link_closed, store);
}
