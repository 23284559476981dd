/* SPDX-License-Identifier: MIT */
/*
 * say: a message from HTTP on its way into the room log. Who speaks is told by the session's token,
 * or by user id and address; never by what the message claims.
 */
#include "node/base/metrics.h"
#include "proto/utf8.h"
#include "talk_state.h"

struct say {
    struct talk *talk;
    uint8_t uid[HGTP_USER_ID_BYTES];
    talk_on_said_fn *on_said;
    void *arg;
};

/* A session may speak through a node that is not its home. */
static struct rate_bucket *say_bucket(struct talk *talk, struct bytes uid)
{
    struct client *client = roster_client(&talk->roster, uid);
    if (client != NULL) {
        return &client->messages;
    }
    uint64_t key;
    static_assert(sizeof key == HGTP_USER_ID_BYTES, "a user id is the key");
    memcpy(&key, uid.ptr, sizeof key);
    return rate_table_slot(&talk->visitors, key);
}

/* Nothing was said: a stranger who uses somebody's user id must not use up what that one may say.
 */
static void say_give_back(const struct say *say)
{
    rate_give_back(say_bucket(say->talk, bytes_of(say->uid, sizeof say->uid)));
}

static void say_on_result(const struct result *result, void *arg)
{
    struct say *say = arg;
    struct talk *talk = say->talk;
    talk_call_over(talk);
    enum err err = result != NULL ? result->code : ERR_STORE_AWAY;
    uint64_t seq = 0;
    if (err == ERR_NONE) {
        seq = (uint64_t)effects_number(result->extra, 0);
        metric_add(METRIC_MESSAGES, 1);
    } else {
        say_give_back(say);
    }
    say->on_said(err, seq, say->arg);
    if (result != NULL) {
        effects_apply(talk, result, NULL, NULL);
    }
    free(say);
}

/* A token begins with the user id, in the URL alphabet. */
static bool say_user_id(const struct talk_message *message, uint8_t ret_uid[HGTP_USER_ID_BYTES])
{
    struct bytes from = message->token.len > 0 ? message->token : message->user_id;
    if (from.len < HGTP_USER_ID_BYTES ||
        (message->token.len == 0 && from.len != HGTP_USER_ID_BYTES)) {
        return false;
    }
    for (size_t i = 0; i < HGTP_USER_ID_BYTES; i++) {
        ret_uid[i] = from.ptr[i] == '-' ? '+' : from.ptr[i] == '_' ? '/' : from.ptr[i];
    }
    return hgtp_user_id_valid(ret_uid);
}

static enum err say_check(struct talk *talk, const struct talk_message *message, struct bytes uid)
{
    const struct config *config = talk->options.config;
    if (message->text.len > (size_t)config->limits_message_bytes) {
        return ERR_MESSAGE_TOO_LARGE;
    }
    if (!utf8_valid(message->text)) {
        return ERR_MESSAGE_INVALID;
    }
    if (talk_is_busy(talk)) {
        return ERR_BUSY;
    }
    if (!rate_take(say_bucket(talk, uid), config->limits_messages_per_s, talk_now_ms(talk))) {
        metric_add(METRIC_RATE_LIMITED, 1);
        return ERR_RATE_LIMITED;
    }
    return ERR_NONE;
}

void talk_say(struct talk *talk, const struct talk_message *message, talk_on_said_fn *on_said,
              void *arg)
{
    uint8_t user_id[HGTP_USER_ID_BYTES] = {0};
    struct bytes uid = bytes_of(user_id, sizeof user_id);
    enum err err =
        say_user_id(message, user_id) ? say_check(talk, message, uid) : ERR_NOT_REGISTERED;
    struct say *say = err == ERR_NONE ? calloc(1, sizeof *say) : NULL;
    if (say == NULL) {
        on_said(err == ERR_NONE ? ERR_BUSY : err, 0, arg);
        return;
    }
    *say = (struct say){.talk = talk, .on_said = on_said, .arg = arg};
    memcpy(say->uid, user_id, sizeof say->uid);
    char ip[16];
    snprintf(ip, sizeof ip, "%u.%u.%u.%u", message->ip >> 24, message->ip >> 16 & 255,
             message->ip >> 8 & 255, message->ip & 255);
    struct script_args args;
    talk_args_init(talk, &args, uid);
    script_args_bytes(&args, "token", message->token);
    script_args_str(&args, "ip", ip);
    script_args_bytes(&args, "text", message->text);
    script_args_int(&args, "sent", message->sent_unix_ms);
    talk_call(talk, SCRIPT_say, &args, say_on_result, say);
}
