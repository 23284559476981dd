/* SPDX-License-Identifier: MIT */
/*
 * e2e_talk: opens modern users and connections for a scenario, and says what is wrong about what
 * they got.
 */
#include "e2e_talk.h"

#include <stdlib.h>

#define E2E_TALK_REQUEST_MAX 65536

/* The catalogue's symbol and HGTP response for each error, as they stand in JSON. */
static const struct e2e_talk_name {
    enum err err;
    const char *name, *code;
} e2e_talk_names[] = {
#define ERR(name, code, hgtp, http, control, retry, text) {ERR_##name, #name, #hgtp},
#include "proto/err.def"
};

/* Guests --------------------------------------------------------------------------------------- */

static void e2e_talk_print_talker(const void *guest, FILE *out)
{
    talker_print(guest, out);
}

static const char *e2e_talk_talker_broken(const void *guest)
{
    return talker_broken(guest);
}

static void e2e_talk_free_talker(void *guest)
{
    talker_free(guest);
}

static void e2e_talk_print_ws(const void *guest, FILE *out)
{
    fprintf(out, "--- connection by hand\n");
    ws_client_print(guest, out);
}

static const char *e2e_talk_ws_broken(const void *guest)
{
    const struct ws_client *client = guest;
    return client->broken;
}

static void e2e_talk_free_ws(void *guest)
{
    ws_client_free(guest);
}

static void e2e_talk_print_sse(const void *guest, FILE *out)
{
    fprintf(out, "--- stream of events\n");
    sse_client_print(guest, out);
}

static const char *e2e_talk_sse_broken(const void *guest)
{
    const struct sse_client *client = guest;
    return client->broken;
}

static void e2e_talk_free_sse(void *guest)
{
    sse_client_free(guest);
}

static void e2e_talk_free_relay(void *guest)
{
    relay_close(guest);
}

struct ws_client *e2e_ws(struct e2e *e, const struct ws_client_options *options)
{
    struct ws_client_options complete = *options;
    complete.port = options->port != 0 ? options->port : e->daemon->http_port;
    struct ws_client *client = ws_client_open(&complete);
    const struct e2e_guest guest = {client, e2e_talk_print_ws, e2e_talk_ws_broken,
                                    e2e_talk_free_ws};
    e2e_adopt(e, &guest);
    return client;
}

struct sse_client *e2e_sse(struct e2e *e, const struct sse_client_options *options)
{
    struct sse_client_options complete = *options;
    complete.port = options->port != 0 ? options->port : e->daemon->http_port;
    struct sse_client *client = sse_client_open(&complete);
    const struct e2e_guest guest = {client, e2e_talk_print_sse, e2e_talk_sse_broken,
                                    e2e_talk_free_sse};
    e2e_adopt(e, &guest);
    return client;
}

struct relay *e2e_relay(struct e2e *e, uint16_t port)
{
    struct relay *relay = relay_open(port);
    const struct e2e_guest guest = {relay, NULL, NULL, e2e_talk_free_relay};
    e2e_adopt(e, &guest);
    return relay;
}

/* Users ---------------------------------------------------------------------------------------- */

static struct talker *e2e_talk_open(struct e2e *e, const struct talker_options *options)
{
    struct talker_options complete = *options;
    complete.port = options->port != 0 ? options->port : e->daemon->http_port;
    struct talker *talker = talker_open(&complete);
    const struct e2e_guest guest = {talker, e2e_talk_print_talker, e2e_talk_talker_broken,
                                    e2e_talk_free_talker};
    e2e_adopt(e, &guest);
    assert_int_equal(talker->ws->status, 101);
    return talker;
}

struct talker *e2e_visitor(struct e2e *e, const char *name)
{
    const struct talker_options options = {.name = name};
    return e2e_talk_open(e, &options);
}

struct talker *e2e_talker_with(struct e2e *e, const struct talker_options *options)
{
    struct talker *talker = e2e_talk_open(e, options);
    assert_true(talker_register(talker));
    e2e_told(ws_client_wait_type(talker->ws, "user_list"));
    e2e_told(ws_client_wait_type(talker->ws, "room_list"));
    return talker;
}

struct talker *e2e_talker(struct e2e *e, const char *name)
{
    const struct talker_options options = {.name = name};
    return e2e_talker_with(e, &options);
}

struct talker *e2e_talker_at(struct e2e *e, size_t node, const char *name)
{
    const struct talker_options options = {.name = name, .port = e->nodes[node].http_port};
    return e2e_talker_with(e, &options);
}

static bool e2e_talk_list_has(const struct ws_client_message *message, const void *name)
{
    const json_t *users = json_object_get(message->json, "users");
    if (!ws_client_is_type(message, "room_user_list")) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(users); i++) {
        if (strcmp(json_string_value(json_array_get(users, i)), name) == 0) {
            return true;
        }
    }
    return false;
}

/* Session, list and the notice about its own coming have come. */
static void e2e_talk_entered(struct talker *talker, const char *room, const char *event)
{
    const char *name = talker->options.name;
    assert_true(talker_is_in(talker, room));
    assert_non_null(ws_client_wait(talker->ws, e2e_talk_list_has, name, TALKER_WAIT_MS));
    e2e_told(TALKER_WAIT(talker, "notice", "event", event, "user", name, "room", room));
}

void e2e_talk_open_room(struct talker *manager, const char *room)
{
    e2e_talk_ok(talker_create(manager, room));
    e2e_talk_entered(manager, room, "created");
}

void e2e_talk_join_room(struct talker *user, const char *room)
{
    e2e_talk_ok(talker_join(user, room));
    e2e_talk_entered(user, room, "joined");
}

/* Assertions ----------------------------------------------------------------------------------- */

const json_t *e2e_told_at(const json_t *json, const char *what, const char *file, int line)
{
    if (json == NULL) {
        print_error("did not come: %s\n", what);
        _fail(file, line);
    }
    return json;
}

static const struct e2e_talk_name *e2e_talk_name(enum err err)
{
    for (size_t i = 0; i < sizeof e2e_talk_names / sizeof e2e_talk_names[0]; i++) {
        if (e2e_talk_names[i].err == err) {
            return &e2e_talk_names[i];
        }
    }
    return &e2e_talk_names[0];
}

void e2e_talk_reply_at(struct talker_reply reply, enum hgtp_type type, enum err err,
                       const char *file, int line)
{
    struct hgtp_reason reason = {0};
    uint8_t got = reply.msg.header.type;
    if (!reply.has_come) {
        print_error("no response came\n");
        _fail(file, line);
    }
    bool has_reason =
        got != HGTP_OK && got != HGTP_UNAUTHORIZED && hgtp_reason_decode(reply.msg.body, &reason);
    if (got != type ||
        (err != ERR_NONE && (!has_reason || reason.code != (int16_t)err ||
                             !bytes_equal(reason.text, bytes_str(e2e_reason_text(err)))))) {
        print_error("expected %s (%d %s), got %s (%d %.*s)\n", hgtp_type_name((uint8_t)type),
                    (int)err, e2e_reason_text(err), hgtp_type_name(got), reason.code,
                    (int)reason.text.len, (const char *)reason.text.ptr);
        _fail(file, line);
    }
}

static bool e2e_talk_is_error(const struct ws_client_message *message, const void *id)
{
    const char *found = json_string_value(json_object_get(message->json, "id"));
    return ws_client_is_type(message, "error") &&
           (id == NULL ? found == NULL : found != NULL && strcmp(found, id) == 0);
}

void e2e_talk_error_at(struct talker *talker, enum err err, const char *id, const char *file,
                       int line)
{
    const struct ws_client_message *message =
        ws_client_wait(talker->ws, e2e_talk_is_error, id, TALKER_WAIT_MS);
    const struct e2e_talk_name *wanted = e2e_talk_name(err);
    if (message == NULL) {
        print_error("no error %s came for the id %s\n", wanted->name, id != NULL ? id : "(none)");
        _fail(file, line);
        return;
    }
    const char *code = json_string_value(json_object_get(message->json, "code"));
    const char *name = json_string_value(json_object_get(message->json, "name"));
    const char *reason = json_string_value(json_object_get(message->json, "reason"));
    if (code == NULL || name == NULL || reason == NULL || strcmp(code, wanted->code) != 0 ||
        strcmp(name, wanted->name) != 0 || strcmp(reason, e2e_reason_text(err)) != 0) {
        print_error("expected %s %s, got %s %s: %s\n", wanted->code, wanted->name,
                    code != NULL ? code : "", name != NULL ? name : "",
                    reason != NULL ? reason : "");
        _fail(file, line);
    }
}

void e2e_talk_whole(const struct talker *talker, int64_t last)
{
    struct talk_account account = talk_record_account(&talker->record);
    if (talker_broken(talker) != NULL || account.gaps != 0 || account.to != last) {
        fail_msg("%s has %lld to %lld, not up to %lld, %lld gaps; %s", talker->options.name,
                 (long long)account.from, (long long)account.to, (long long)last,
                 (long long)account.gaps,
                 talker_broken(talker) != NULL ? talker_broken(talker) : "nothing is broken");
    }
}

/* HTTP by token -------------------------------------------------------------------------------- */

static struct http_answer e2e_post(uint16_t port, const char *target, const char *content_type,
                                   const char *token, struct bytes body)
{
    static struct http_client *last; /* keeps the answer until the next call */
    char head[1024], bearer[256] = "";
    http_client_close(last);
    last = http_client_open(0, SOCKETS_LOOPBACK, port);
    assert_non_null(last);
    if (token != NULL) {
        snprintf(bearer, sizeof bearer, "authorization: Bearer %s\r\n", token);
    }
    snprintf(head, sizeof head,
             "POST %s HTTP/1.1\r\nhost: test\r\ncontent-type: %s\r\ncontent-length: %zu\r\n%s\r\n",
             target, content_type, body.len, bearer);
    http_client_send(last, bytes_str(head));
    http_client_send(last, body);
    return http_client_read(last, true);
}

struct talker_reply e2e_post_hgtp(uint16_t port, const char *token, struct bytes message,
                                  int *ret_status)
{
    struct talker_reply reply = {0};
    struct http_answer answer = e2e_post(port, "/hgtp", "application/octet-stream", token, message);
    reply.has_come = answer.status == 200 && hgtp_decode(bytes_of(answer.body, answer.body_bytes),
                                                         &reply.msg) == HGTP_DECODED;
    if (ret_status != NULL) {
        *ret_status = answer.status;
    }
    return reply;
}

int e2e_post_message(uint16_t port, const char *token, json_t *object, json_t **ret_answer)
{
    char *body = json_dumps(object, JSON_COMPACT);
    struct http_answer answer =
        e2e_post(port, "/message", "application/json", token, bytes_str(body));
    if (ret_answer != NULL) {
        *ret_answer = json_loadb(answer.body, answer.body_bytes, 0, NULL);
    }
    free(body);
    json_decref(object);
    return answer.status;
}
