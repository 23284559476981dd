/* SPDX-License-Identifier: MIT */
/*
 * talker: life of a modern user: its connection, its registration, its return, its talk and what it
 * waits for. Requests are in talker_requests.c, the long talk is in talker_pour.c.
 */
#include "talker_parts.h"

#include <assert.h>
#include <stdlib.h>

/* Connection ----------------------------------------------------------------------------------- */

static void talker_on_message(const struct ws_client_message *message, void *arg)
{
    struct talker *talker = arg;
    struct hgtp_message msg;
    if (message->kind == WS_CLIENT_TEXT && message->json != NULL) {
        talk_record_take(&talker->record, message->json);
        talker_pour_on_text(talker, message->json);
        if (ws_client_is_type(message, "reconnect")) {
            talker->reconnect_after_ms =
                json_integer_value(json_object_get(message->json, "after_ms"));
        }
    } else if (message->kind == WS_CLIENT_BINARY && talker_decode(message, &msg) &&
               hgtp_type_is_request(msg.header.type) && !talker->options.is_manual) {
        talker_on_relay(talker, &msg);
    }
}

static void talker_connect(struct talker *talker, uint16_t port, const char *target)
{
    const struct ws_client_options options = {.port = port,
                                              .target = target,
                                              .protocols = "hgtp",
                                              .receive_bytes = talker->options.receive_bytes,
                                              .on_message = talker_on_message,
                                              .arg = talker};
    /* It may have to answer something before this returns. */
    talker->ws = ws_client_start(&options);
    (void)ws_client_wait_answer(talker->ws);
}

struct talker *talker_open(const struct talker_options *options)
{
    struct talker *talker = calloc(1, sizeof *talker);
    assert(talker != NULL);
    talker->options = *options;
    if (options->key == NULL) {
        talker->options.key = TALKER_KEY;
    }
    talker->reconnect_after_ms = -1;
    talk_request_init(&talker->speaker);
    talker_connect(talker, options->port, "/ws");
    return talker;
}

void talker_free(struct talker *talker)
{
    if (talker == NULL) {
        return;
    }
    ws_client_free(talker->ws);
    talk_record_fini(&talker->record);
    free(talker->acks);
    free(talker);
}

void talker_print(const struct talker *talker, FILE *out)
{
    fprintf(out, "--- talker %s %s: %lld of %lld said, %lld acknowledged; %s\n",
            talker->options.name, talker->speaker.user_id, (long long)talker->said,
            (long long)talker->goal, (long long)talker->acked,
            talker_broken(talker) != NULL ? talker_broken(talker) : "not broken");
    if (talker->ws != NULL) {
        ws_client_print(talker->ws, out);
    }
}

const char *talker_broken(const struct talker *talker)
{
    if (talker->record.broken[0] != '\0') {
        return talker->record.broken;
    }
    return talker->ws != NULL ? talker->ws->broken : NULL;
}

/* Registration --------------------------------------------------------------------------------- */

static bool talker_is_told(void *arg)
{
    const struct talker *talker = arg;
    return talker->record.sessions > 0 || talker->ws->ended;
}

struct talker_reply talker_prove(struct talker *talker)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    talk_request_register(&talker->speaker, talker->options.name, &out);
    talker_send(talker, sink_bytes(&out));
    struct talker_reply reply = talker_wait_response(talker, HGTP_REGISTER);
    if (!reply.has_come || reply.msg.header.type != HGTP_UNAUTHORIZED) {
        return reply;
    }
    out = sink_into(storage, sizeof storage);
    int32_t seq =
        talk_request_proof(&talker->speaker, reply.msg.challenge.realm, talker->options.key, &out);
    talker_send(talker, sink_bytes(&out));
    reply = talker_wait_response(talker, HGTP_REGISTER);
    reply.has_come = reply.has_come && reply.msg.header.seq == seq + 1;
    return reply;
}

/* The session may be another one than that of the user id that has asked. */
static void talker_take_id(struct talker *talker)
{
    for (size_t i = 0; i < HGTP_USER_ID_BYTES; i++) {
        char at = talker->token[i];
        talker->speaker.user_id[i] = at == '-' ? '+' : at == '_' ? '/' : at;
    }
}

bool talker_register(struct talker *talker)
{
    struct talker_reply reply = talker_prove(talker);
    struct bytes token;
    if (!reply.has_come || reply.msg.header.type != HGTP_OK ||
        !hgtp_token_decode(reply.msg.body, &token) || token.len < HGTP_USER_ID_BYTES ||
        token.len >= sizeof talker->token) {
        return false;
    }
    memcpy(talker->token, token.ptr, token.len);
    talker->token[token.len] = '\0';
    talker_take_id(talker);
    return pump_until(talker_is_told, talker, TALKER_WAIT_MS) && talker->record.sessions > 0;
}

/* Return --------------------------------------------------------------------------------------- */

static size_t talker_put_escaped(char *out, size_t cap, const char *text)
{
    size_t len = 0;
    for (; *text != '\0'; text++) {
        bool is_plain = strchr("+/=&%#? ", *text) == NULL;
        len += (size_t)snprintf(out + len, cap - len, is_plain ? "%c" : "%%%02X",
                                (unsigned)(unsigned char)*text);
        assert(len < cap);
    }
    return len;
}

void talker_target(const struct talker *talker, int64_t after, char *ret_target, size_t cap)
{
    size_t len = (size_t)snprintf(ret_target, cap, "/ws?token=");
    len += talker_put_escaped(ret_target + len, cap - len, talker->token);
    if (after >= 0) {
        len +=
            (size_t)snprintf(ret_target + len, cap - len, "&after=%lld&epoch=", (long long)after);
        talker_put_escaped(ret_target + len, cap - len, talker->record.epoch);
    }
}

int talker_resume(struct talker *talker, uint16_t port)
{
    char target[512];
    talker_target(talker, talk_record_last(&talker->record), target, sizeof target);
    if (talker_broken(talker) == talker->ws->broken && talker->ws->broken != NULL) {
        snprintf(talker->record.broken, sizeof talker->record.broken, "%s", talker->ws->broken);
    }
    ws_client_free(talker->ws);
    talker->reconnect_after_ms = -1;
    talker_connect(talker, port, target);
    if (talker->ws->status == 101) {
        talker_pour_again(talker);
    }
    return talker->ws->status;
}

/* Talk ----------------------------------------------------------------------------------------- */

void talker_say(struct talker *talker, const char *text, const char *id)
{
    json_t *object = json_pack("{s:s, s:s}", "type", "message", "message", text);
    assert(object != NULL);
    if (id != NULL) {
        json_object_set_new(object, "id", json_string(id));
    }
    ws_client_send_json(talker->ws, object);
}

static bool talker_is_outcome(const struct ws_client_message *message, const void *id)
{
    const char *found = json_string_value(json_object_get(message->json, "id"));
    return (ws_client_is_type(message, "ack") || ws_client_is_type(message, "error")) &&
           (id == NULL ? found == NULL : found != NULL && strcmp(found, id) == 0);
}

int64_t talker_say_acked(struct talker *talker, const char *text, const char *id)
{
    talker_say(talker, text, id);
    const struct ws_client_message *outcome =
        ws_client_wait(talker->ws, talker_is_outcome, id, TALKER_WAIT_MS);
    return outcome != NULL && ws_client_is_type(outcome, "ack")
               ? json_integer_value(json_object_get(outcome->json, "seq"))
               : -1;
}

const json_t *talker_history(struct talker *talker, int64_t before, int64_t count)
{
    json_t *object = json_pack("{s:s}", "type", "history");
    assert(object != NULL);
    if (before > 0) {
        json_object_set_new(object, "before", json_integer(before));
    }
    if (count > 0) {
        json_object_set_new(object, "count", json_integer(count));
    }
    ws_client_send_json(talker->ws, object);
    return ws_client_wait_type(talker->ws, "history");
}

/* Waits ---------------------------------------------------------------------------------------- */

struct talker_wanted {
    const char *type;
    const char *const *pairs;
};

static bool talker_fits(const struct ws_client_message *message, const void *arg)
{
    const struct talker_wanted *wanted = arg;
    if (!ws_client_is_type(message, wanted->type)) {
        return false;
    }
    for (const char *const *pair = wanted->pairs; pair[0] != NULL; pair += 2) {
        const char *value = json_string_value(json_object_get(message->json, pair[0]));
        if (value == NULL || strcmp(value, pair[1]) != 0) {
            return false;
        }
    }
    return true;
}

const json_t *talker_wait(struct talker *talker, const char *type, const char *const *pairs)
{
    const struct talker_wanted wanted = {type, pairs};
    const struct ws_client_message *message =
        ws_client_wait(talker->ws, talker_fits, &wanted, TALKER_WAIT_MS);
    return message != NULL ? message->json : NULL;
}

struct talker_list {
    const char *type, *names;
};

static bool talker_list_has(const json_t *list, const char *name, size_t len)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *item = json_string_value(json_array_get(list, i));
        if (item != NULL && strlen(item) == len && strncmp(item, name, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool talker_is_list(const struct ws_client_message *message, const void *arg)
{
    const struct talker_list *wanted = arg;
    if (!ws_client_is_type(message, wanted->type)) {
        return false;
    }
    bool is_rooms = strcmp(wanted->type, "room_list") == 0;
    const json_t *list = json_object_get(message->json, is_rooms ? "rooms" : "users");
    size_t count = 0;
    for (const char *at = wanted->names; *at != '\0'; count++) {
        size_t len = strcspn(at, ",");
        if (!talker_list_has(list, at, len)) {
            return false;
        }
        at += len + (at[len] == ',');
    }
    return count == json_array_size(list);
}

const json_t *talker_wait_list(struct talker *talker, const char *type, const char *names)
{
    const struct talker_list wanted = {type, names};
    const struct ws_client_message *found =
        ws_client_wait(talker->ws, talker_is_list, &wanted, TALKER_WAIT_MS);
    for (size_t i = 0; found != NULL && i < found->index; i++) {
        /* A later wait must not take an older state of the list for news. */
        struct ws_client_message *message = talker->ws->messages[i];
        message->taken = message->taken || ws_client_is_type(message, type);
    }
    return found != NULL ? found->json : NULL;
}

struct talker_state {
    const struct talker *talker;
    const char *room;
    int64_t seq;
};

static bool talker_has_room(void *arg)
{
    const struct talker_state *wanted = arg;
    return strcmp(wanted->talker->record.room, wanted->room) == 0;
}

bool talker_is_in(struct talker *talker, const char *room)
{
    struct talker_state wanted = {.talker = talker, .room = room};
    return pump_until(talker_has_room, &wanted, TALKER_WAIT_MS);
}

static bool talker_has_number(void *arg)
{
    const struct talker_state *wanted = arg;
    return talk_record_last(&wanted->talker->record) >= wanted->seq ||
           talker_broken(wanted->talker) != NULL;
}

bool talker_has(struct talker *talker, int64_t seq, int64_t timeout_ms)
{
    struct talker_state wanted = {.talker = talker, .seq = seq};
    return pump_until(talker_has_number, &wanted, timeout_ms) && talker_broken(talker) == NULL;
}

bool talker_fence(struct talker *talker)
{
    struct talker_reply reply = talker_refresh(talker);
    return reply.has_come && reply.msg.header.type == HGTP_OK;
}
