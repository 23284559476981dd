/* SPDX-License-Identifier: MIT */
/*
 * say: what is said to a room from HTTP, on its way into the room log: messages, and who is to
 * manage it. Who speaks is told by the session's token, or by user id and address; never by what
 * the message claims.
 */
#include "lines.h"
#include "node/base/metrics.h"
#include "proto/utf8.h"
#include "request.h"

struct say {
    struct core *core;
    struct cost cost;
    uint8_t uid[HGTP_USER_ID_BYTES];
    uint32_t ip, client_ip;
    bool is_originals; /* in the original's form, and without a token */
    int64_t since_us;
    bool is_manager;
    core_on_said_fn *on_said;
    void *arg;
};

/* The slot of a user id. */
static struct rate_bucket *say_slot(struct rate_table *table, struct bytes uid)
{
    uint64_t key;
    static_assert(sizeof key == HGTP_USER_ID_BYTES, "a user id is the key");
    memcpy(&key, uid.ptr, sizeof key);
    return rate_table_slot(table, key);
}

/* A session may speak through a node that is not its home. */
static struct rate_bucket *say_bucket(struct core *core, const struct cost *cost)
{
    struct client *client =
        cost->is_own ? roster_client(&core->roster, bytes_of(cost->uid, sizeof cost->uid)) : NULL;
    return client != NULL ? &client->messages : rate_table_slot(&core->visitors, cost->key);
}

static void say_failed(enum err err)
{
    metric_add(METRIC_MESSAGES_FAILED, err_is_fault(err) ? 1 : 0);
}

/* Telling of refusals ----------------------------------------------------------------------------
 */

/* What the client can know of it by a notice; NULL: nothing, because it may have been said, or
 * nobody knows it. */
static const char *say_notice(enum err err)
{
    switch (err) {
    case ERR_MESSAGE_TOO_LARGE:
        return "too_long";
    case ERR_MESSAGE_INVALID:
        return "no_text";
    case ERR_RATE_LIMITED:
        return "too_fast";
    case ERR_NOT_IN_ROOM:
    case ERR_ROOM_UNKNOWN:
        return "no_room";
    default:
        return NULL;
    }
}

static void say_on_told(const struct result *result, void *arg)
{
    struct core *core = arg;
    core_call_over(core);
    if (result != NULL) {
        effects_apply(core, result, NULL, NULL);
    }
}

static void say_tell(struct core *core, struct bytes uid, uint32_t from_ip, uint32_t client_ip,
                     enum err err)
{
    const char *kind = say_notice(err);
    if (kind == NULL || core_is_busy(core) ||
        !rate_take(say_slot(&core->unsaid, uid), 1, core_now_ms(core))) {
        return; /* once in a second is enough */
    }
    const struct cost_asker asker = {.uid = uid, .ip = from_ip, .client_ip = client_ip};
    const struct cost cost = cost_of(core, &asker);
    struct script_args args;
    core_args_init(core, &args, uid);
    script_args_str(&args, "token", "");
    script_args_ip(&args, "ip", from_ip);
    script_args_str(&args, "kind", kind);
    script_args_int(&args, "text", core->options.config->limits_message_bytes);
    const struct stranger stranger = {.uid = uid, .cost = &cost, .ip = client_ip};
    (void)strangers_call(core, &stranger, SCRIPT_unsaid, &args, say_on_told, core);
}

static void say_on_result(const struct result *result, void *arg)
{
    struct say *say = arg;
    struct core *core = say->core;
    core_call_over(core);
    enum err err = core_outcome(core, result);
    uint64_t seq = 0;
    if (err == ERR_NONE) {
        seq = (uint64_t)effects_number(result->extra, 0);
        metric_add(effects_are_repeated(result) ? METRIC_REQUESTS_REPEATED
                   : say->is_manager            ? METRIC_REQUESTS_OK
                                                : METRIC_MESSAGES,
                   1);
    } else {
        rate_give_back(say_bucket(core, &say->cost)); /* nothing was said */
        say_failed(err);
    }
    if (say->is_originals) {
        say_tell(core, bytes_of(say->uid, sizeof say->uid), say->ip, say->client_ip, err);
    }
    say->on_said(err, seq, say->arg);
    metric_observe(HISTOGRAM_MESSAGE, metrics_now_us() - say->since_us);
    if (result != NULL) {
        effects_apply(core, result, NULL, NULL);
    }
    free(say);
}

/* In the URL alphabet. */
bool say_token_uid(struct bytes token, uint8_t ret_uid[HGTP_USER_ID_BYTES])
{
    if (token.len < HGTP_USER_ID_BYTES) {
        return false;
    }
    for (size_t i = 0; i < HGTP_USER_ID_BYTES; i++) {
        ret_uid[i] = token.ptr[i] == '-' ? '+' : token.ptr[i] == '_' ? '/' : token.ptr[i];
    }
    return hgtp_user_id_valid(ret_uid);
}

static bool say_user_id(const struct core_message *message, struct bytes token,
                        uint8_t ret_uid[HGTP_USER_ID_BYTES])
{
    if (token.len > 0) {
        return say_token_uid(token, ret_uid);
    }
    return message->user_id.len == HGTP_USER_ID_BYTES && say_token_uid(message->user_id, ret_uid);
}

/* Take one of what a session may say in a second. */
static bool say_in_time(struct core *core, const struct cost *cost)
{
    int64_t per_s = core->options.config->limits_messages_per_s;
    bool is_in_time = rate_take(say_bucket(core, cost), per_s, core_now_ms(core));
    if (!is_in_time) {
        cost_refused(core, bytes_of(cost->uid, sizeof cost->uid), cost->client_ip);
    }
    return is_in_time;
}

static enum err say_check(struct core *core, const struct core_message *message,
                          const struct cost *cost)
{
    const struct config *config = core->options.config;
    if (message->text.len > (size_t)config->limits_message_bytes) {
        return ERR_MESSAGE_TOO_LARGE;
    }
    if (!utf8_valid(message->text) || bytes_have_nul(message->text)) {
        return ERR_MESSAGE_INVALID;
    }
    if (message->id.len > CORE_MESSAGE_ID_MAX) {
        return ERR_MALFORMED;
    }
    if (core_is_busy(core)) {
        return ERR_BUSY;
    }
    return say_in_time(core, cost) ? cost_take(core, cost, message->text.len) : ERR_RATE_LIMITED;
}

void core_unsaid(struct core *core, const struct core_message *message, enum err err)
{
    uint8_t user_id[HGTP_USER_ID_BYTES] = {0};
    struct bytes token = lines_token(&message->asker);
    if (message->is_originals && token.len == 0 && say_user_id(message, token, user_id)) {
        say_tell(core, bytes_of(user_id, sizeof user_id), message->asker.ip,
                 message->asker.client_ip, err);
    }
}

static void say_refuse(struct core *core, const struct core_message *message, enum err err,
                       core_on_said_fn *on_said, void *arg)
{
    say_failed(err);
    on_said(err, 0, arg);
    core_unsaid(core, message, err);
}

void core_say(struct core *core, const struct core_message *message, core_on_said_fn *on_said,
              void *arg)
{
    uint8_t user_id[HGTP_USER_ID_BYTES] = {0};
    struct bytes uid = bytes_of(user_id, sizeof user_id);
    struct bytes token = lines_token(&message->asker);
    struct cost cost = {0};
    enum err err = ERR_NOT_REGISTERED;
    if (say_user_id(message, token, user_id)) {
        cost = cost_of(
            core, &(struct cost_asker){uid, token, message->asker.ip, message->asker.client_ip});
        err = say_check(core, message, &cost);
    }
    struct say *say = err == ERR_NONE ? calloc(1, sizeof *say) : NULL;
    if (say == NULL) {
        say_refuse(core, message, err == ERR_NONE ? ERR_BUSY : err, on_said, arg);
        return;
    }
    *say = (struct say){.core = core,
                        .cost = cost,
                        .ip = message->asker.ip,
                        .client_ip = message->asker.client_ip,
                        .is_originals = message->is_originals && token.len == 0,
                        .since_us = metrics_now_us(),
                        .is_manager = message->is_manager,
                        .on_said = on_said,
                        .arg = arg};
    memcpy(say->uid, user_id, sizeof say->uid);
    struct script_args args;
    core_args_init(core, &args, uid);
    script_args_bytes(&args, "token", token);
    script_args_ip(&args, "ip", message->asker.ip);
    if (message->id.len > 0) {
        script_args_bytes(&args, "id", message->id);
    }
    if (message->is_manager) {
        script_args_name(&args, "peer", message->text);
    } else {
        script_args_bytes(&args, "text", message->text);
    }
    if (message->is_originals) {
        script_args_int(&args, "sent", message->sent_unix_ms);
    }
    const struct stranger stranger = {.uid = uid,
                                      .token = token,
                                      .cost = &cost,
                                      .ip = message->asker.client_ip,
                                      .is_proof = true};
    err = strangers_call(core, &stranger, message->is_manager ? SCRIPT_manager : SCRIPT_say, &args,
                         say_on_result, say);
    if (err != ERR_NONE) {
        rate_give_back(say_bucket(core, &cost));
        free(say);
        say_refuse(core, message, err, on_said, arg);
    }
}
