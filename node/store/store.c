/* SPDX-License-Identifier: MIT */
/*
 * store: runs scripts in Redis by EVALSHA, one round trip each, loads them on every connection, and
 * gives their replies to talk as results. Every call carries the fence of the state that the node
 * knows, and one that changes something the time after which it does nothing: a call that was
 * refused for one of the two has done nothing, and is made once more. Connecting and the deadlines
 * of replies are redis_link's.
 */
#include "store.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "node/base/log.h"
#include "node/base/metrics.h"
#include "node/core/script_args.h"
#include "redis_link.h"
#include "script_text.h"

#define STORE_SHA_CHARS  40
#define STORE_PREFIX_MAX 96
/* Words of a command before the script's arguments: EVALSHA, hash, number of keys, key; prefix,
 * fence and deadline with their names. A script without a deadline has an empty name for it. */
#define STORE_HEAD_WORDS 10
#define STORE_RUN_CHARS  40
#define STORE_DIGITS     24
/* A script must be done before the node gives up waiting for it: this much of its time is left. */
#define STORE_DEADLINE_SHARE(ms) ((ms)*9 / 10)

struct store {
    struct redis_link *link;
    char prefix[STORE_PREFIX_MAX];
    char shas[SCRIPT_COUNT][STORE_SHA_CHARS + 1];
    void (*on_state)(bool connected, const char *why, void *arg);
    void (*on_late)(const struct result *result, void *arg);
    void (*on_schema)(struct bytes schema, void *arg);
    void *arg;
    int64_t deadline_ms;
    int64_t fence;                 /* as last told; 0: never */
    char run[STORE_RUN_CHARS + 1]; /* the process of Redis that told it */
    bool has_fence;                /* it is that of this connection's state */
    bool is_asking;                /* for the fence; calls wait for it */
    int64_t ahead_us;              /* Redis' time less the monotonic one, as of the last reply */
    struct store_call *wait;       /* calls that wait for the fence, oldest first */
    struct store_call **wait_end;
    enum err refusal; /* why the result that is given just now is none */
    void (*on_closed)(void *arg);
    void *closed_arg;
};

/* A call whose reply has not come; its arguments are kept for the case that the script is unknown.
 */
struct store_call {
    struct store_call *next; /* while it waits */
    struct store *store;
    enum script script;
    bool is_again; /* it was refused once as fenced off or late */
    store_on_result_fn *on_result;
    void *arg;
    int64_t sent_us;
    size_t word_count;
    struct bytes *words; /* in `data` */
    char fence[STORE_DIGITS], deadline[STORE_DIGITS];
    uint8_t data[];
};

static const enum script_kind store_kinds[SCRIPT_COUNT] = {
#define SCRIPT(name, kind) SCRIPT_##kind,
#include "node/core/script.def"
};

static void store_on_reply(const redisReply *reply, void *arg);
static void store_ask_fence(struct store *store);

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

static void store_load(struct store *store)
{
    for (size_t i = 0; i < SCRIPT_COUNT; i++) {
        const struct script_text *text = &script_texts[i];
        const struct bytes words[] = {bytes_str("SCRIPT"), bytes_str("LOAD"),
                                      bytes_of(text->text, text->len)};
        redis_link_command(store->link, words, 3, store_on_loaded, (void *)(uintptr_t)text->name);
    }
}

/* Connected is told to others when the fence is known. */
static void store_on_link_state(bool connected, const char *why, void *arg)
{
    struct store *store = arg;
    store->has_fence = false;
    if (connected) {
        store_load(store);
        store_ask_fence(store);
    } else {
        store->on_state(false, why, store->arg);
    }
}

/* Results ----------------------------------------------------------------------------------------
 */

static struct bytes store_bytes(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS
               ? bytes_of(reply->str, reply->len)
               : bytes_of(NULL, 0);
}

/* Code, extra and time come before the effects. */
#define STORE_REPLY_HEAD 3

static size_t store_field_count(const redisReply *reply)
{
    size_t count = 0;
    for (size_t i = STORE_REPLY_HEAD; i < reply->elements; i++) {
        count += reply->element[i]->type == REDIS_REPLY_ARRAY ? reply->element[i]->elements : 0;
    }
    return count;
}

static bool store_is_result(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements >= STORE_REPLY_HEAD &&
           reply->element[0]->type == REDIS_REPLY_INTEGER &&
           reply->element[2]->type == REDIS_REPLY_INTEGER;
}

/* Hands over a reply of the form { code, extra, time, effect, ... }; false when it has another
 * form. `sent_us` 0: when it was asked for is not known. */
static bool store_give(const redisReply *reply, int64_t sent_us, store_on_result_fn *on_result,
                       void *arg)
{
    if (!store_is_result(reply)) {
        return false;
    }
    size_t effect_count = reply->elements - STORE_REPLY_HEAD;
    struct effect *effects = calloc(effect_count + 1, sizeof *effects);
    struct bytes *fields = calloc(store_field_count(reply) + 1, sizeof *fields);
    bool is_given = effects != NULL && fields != NULL;
    if (is_given) {
        size_t used = 0;
        for (size_t i = 0; i < effect_count; i++) {
            const redisReply *row = reply->element[i + STORE_REPLY_HEAD];
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
                                      .got_us = metrics_now_us(),
                                      .redis_us = reply->element[2]->integer};
        on_result(&result, arg);
    }
    free(effects);
    free(fields);
    return is_given;
}

/* A reply was made before it is here, so that this clock is rather slow than fast: what must be
 * done by some time of it is done by that time. */
static void store_take_time(struct store *store, const redisReply *reply)
{
    if (store_is_result(reply)) {
        store->ahead_us = reply->element[2]->integer - metrics_now_us();
    }
}

/* The script has done nothing, because of the fence or the deadline of the call. */
static bool store_is_refused(const redisReply *reply)
{
    return store_is_result(reply) &&
           (reply->element[0]->integer == ERR_FENCED || reply->element[0]->integer == ERR_LATE);
}

static void store_on_late_reply(const redisReply *reply, void *arg)
{
    struct store *store = arg;
    store_take_time(store, reply);
    if (store->on_late != NULL && !store_is_refused(reply)) {
        (void)store_give(reply, 0, store->on_late, store->arg);
    }
}

static void store_give_error(const struct store_call *call, enum err err)
{
    const struct bytes reply_name = bytes_str("reply");
    const struct effect reply_effect = {&reply_name, 1};
    const struct result result = {.code = err, .effects = &reply_effect, .effect_count = 1};
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

/* What Redis refuses for a reason that people can do something about. Within a script it says
 * NOPERM in other words. */
static enum err store_refusal_of(const redisReply *reply)
{
    static const struct {
        const char *word;
        enum err err;
    } refusals[] = {{"OOM ", ERR_STORE_FULL},
                    {"MISCONF ", ERR_STORE_UNSAVED},
                    {"NOPERM ", ERR_STORE_FORBIDDEN},
                    {"The user executing the script", ERR_STORE_FORBIDDEN}, /* Redis 7.0 */
                    {"ACL failure in script", ERR_STORE_FORBIDDEN},         /* later ones */
                    {"WRONGTYPE ", ERR_STORE_SPOILT}};
    for (size_t i = 0; reply != NULL && reply->type == REDIS_REPLY_ERROR &&
                       i < sizeof refusals / sizeof refusals[0];
         i++) {
        if (strstr(reply->str, refusals[i].word) != NULL) {
            return refusals[i].err;
        }
    }
    return ERR_STORE_AWAY;
}

/* Whoever asked for it is told that the state is out of reach. */
static void store_log_undone(const struct store_call *call, const char *why)
{
    if (store_kinds[call->script] == SCRIPT_ALWAYS || !call->store->has_fence) {
        return; /* nobody waits for it, or there is no Redis, which is told otherwise */
    }
    LOG_LIMITED(LOG_WARN, "script_unanswered", log_str("script", script_texts[call->script].name),
                log_str("why", why));
}

static void store_call_failed(struct store_call *call, const redisReply *reply)
{
    enum err refusal = store_refusal_of(reply);
    metric_add(METRIC_STORE_FAILED, 1);
    if (reply == NULL || refusal == ERR_STORE_FORBIDDEN ||
        (reply->type == REDIS_REPLY_ERROR && store_is_away(reply->str))) {
        if (reply != NULL) {
            LOG_LIMITED(LOG_WARN, "redis_refuses", log_str("error", reply->str));
        } else {
            store_log_undone(call,
                             "no answer within redis.deadline_ms, or the connection was lost");
        }
        call->store->refusal = refusal;
        call->on_result(NULL, call->arg);
        call->store->refusal = ERR_STORE_AWAY;
        return;
    }
    LOG_LIMITED(LOG_ERROR, "script_failed", log_str("script", script_texts[call->script].name),
                log_str("error", reply->type == REDIS_REPLY_ERROR ? reply->str : "odd reply"));
    call->store->refusal =
        refusal; /* of the calls that wait for this one, if it asks for the fence */
    store_give_error(call, refusal != ERR_STORE_AWAY ? refusal : ERR_INTERNAL);
    call->store->refusal = ERR_STORE_AWAY;
}

static void store_send(struct store_call *call);

/* It has done nothing; once more, with what is known better now. */
static void store_call_refused(struct store_call *call, const redisReply *reply)
{
    struct store *store = call->store;
    bool is_fenced = reply->element[0]->integer == ERR_FENCED;
    metric_add(METRIC_STORE_REFUSED, 1);
    if (call->is_again) {
        store_log_undone(call, "it came to Redis too late twice");
        call->on_result(NULL, call->arg);
        free(call);
        return;
    }
    call->is_again = true;
    if (is_fenced && !store->is_asking) {
        store->has_fence = false;
        store_ask_fence(store);
    }
    store_send(call);
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
        store_take_time(call->store, reply);
        if (store_is_refused(reply)) {
            store_call_refused(call, reply);
            return;
        }
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
    size_t word_count = STORE_HEAD_WORDS + args->count;
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
    call->words[6] = bytes_str(script == SCRIPT_connect ? "" : "fence");
    call->words[8] = bytes_str(store_kinds[script] == SCRIPT_CHANGES ? "deadline" : "");
    for (size_t i = 0; i < args->count; i++) {
        call->words[STORE_HEAD_WORDS + i] = bytes_of(data.ptr + data.len, args->items[i].len);
        sink_put(&data, args->items[i]);
    }
    assert(sink_fits(&data));
    return call;
}

static void store_send_now(struct store_call *call)
{
    struct store *store = call->store;
    int64_t redis_ms = (metrics_now_us() + store->ahead_us) / 1000;
    snprintf(call->fence, sizeof call->fence, "%" PRId64, store->fence);
    snprintf(call->deadline, sizeof call->deadline, "%" PRId64,
             redis_ms + STORE_DEADLINE_SHARE(store->deadline_ms));
    call->words[7] = bytes_str(call->fence);
    call->words[9] = bytes_str(call->deadline);
    call->words[0] = bytes_str("EVALSHA");
    call->words[1] = bytes_str(store->shas[call->script]);
    redis_link_command(store->link, call->words, call->word_count, store_on_reply, call);
}

/* Calls keep their order: while the fence is asked for, they wait for it. */
static void store_send(struct store_call *call)
{
    struct store *store = call->store;
    if (!store->is_asking) {
        store_send_now(call);
        return;
    }
    call->next = NULL;
    *store->wait_end = call;
    store->wait_end = &call->next;
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
    if (!store->has_fence && !store->is_asking && redis_link_connected(store->link)) {
        store_ask_fence(store);
    }
    store_send(call);
}

/* The fence --------------------------------------------------------------------------------------
 */

/* Sends what has waited; without a fence it gets no answer. */
static void store_send_waiting(struct store *store)
{
    struct store_call *call = store->wait;
    store->wait = NULL;
    store->wait_end = &store->wait;
    while (call != NULL) {
        struct store_call *next = call->next;
        if (store->has_fence) {
            store_send_now(call);
        } else {
            call->on_result(NULL, call->arg);
            free(call);
        }
        call = next;
    }
}

/* "fence run" */
static bool store_take_fence(struct store *store, struct bytes extra)
{
    char text[STORE_DIGITS + STORE_RUN_CHARS + 2] = "";
    if (extra.len >= sizeof text) {
        return false;
    }
    memcpy(text, extra.ptr, extra.len);
    return sscanf(text, "%" SCNd64 " %40s", &store->fence, store->run) == 2;
}

static void store_on_fence(const struct result *result, void *arg)
{
    struct store *store = arg;
    store->is_asking = false;
    if (result != NULL && result->code == ERR_SCHEMA_FOREIGN) {
        store->on_schema(result->extra, store->arg);
    } else if (result != NULL && result->code == ERR_NONE) {
        store->has_fence = store_take_fence(store, result->extra);
    }
    store_send_waiting(store);
    /* Also when the connection is an old one: what this node knows is of another state. */
    if (store->has_fence) {
        store->on_state(true, "", store->arg);
    }
}

static void store_ask_fence(struct store *store)
{
    struct script_args args = {.count = 0};
    script_args_int(&args, "known", store->fence);
    script_args_str(&args, "run", store->run);
    struct store_call *call = store_call_new(store, SCRIPT_connect, &args);
    if (call == NULL) {
        return;
    }
    call->on_result = store_on_fence;
    call->arg = store;
    call->sent_us = metrics_now_us();
    call->is_again = true;
    store_send_now(call);
    store->is_asking = true;
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
    store->on_schema = options->on_schema;
    store->deadline_ms = options->deadline_ms;
    store->refusal = ERR_STORE_AWAY;
    store->wait_end = &store->wait;
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

static enum err store_refusal(void *ctx)
{
    const struct store *store = ctx;
    return store->refusal;
}

struct store_port store_port(struct store *store)
{
    return (struct store_port){store, store_call, store_refusal};
}

void store_deadline(struct store *store, int64_t deadline_ms)
{
    store->deadline_ms = deadline_ms;
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
