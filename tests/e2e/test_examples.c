/* SPDX-License-Identifier: MIT */
/*
 * The examples in docs/protocol.md, line by line against a node: whoever writes a client by them
 * has to get what stands there. A block ```session is a script; "*" stands for any value; what
 * comes in between and is not mentioned is passed over.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/base64.h"
#include "proto/digest.h"
#include "tests/support/e2e_talk.h"

#define PEOPLE_MAX 8
#define LINE_MAX   2000

struct person {
    char name[32];
    struct talk_speaker speaker;
    char token[ORIGINAL_TOKEN_MAX + 1];
    char room_id[HGTP_ROOM_ID_BYTES + 1];
    uint8_t realm[256];
    size_t realm_bytes;
    char target[256];
    struct ws_client *ws;
    struct sse_client *sse;
    uint8_t posted[HGTP_DATAGRAM_MAX]; /* the reply to the last POST /hgtp */
    size_t posted_bytes;
    json_t *answer; /* to the last POST /message */
};

static struct person people[PEOPLE_MAX];
static size_t people_count;
static struct e2e *scene;
static size_t line_count;

/* Words of a line ------------------------------------------------------------------------------ */

static struct person *person_of(const char *line)
{
    size_t len = strcspn(line, " ");
    for (size_t i = 0; i < people_count; i++) {
        if (strlen(people[i].name) == len && strncmp(people[i].name, line, len) == 0) {
            return &people[i];
        }
    }
    assert_true(people_count < PEOPLE_MAX && len < sizeof people[0].name);
    struct person *person = &people[people_count++];
    memset(person, 0, sizeof *person);
    memcpy(person->name, line, len);
    talk_request_init(&person->speaker);
    talk_request_room_id(person->room_id);
    return person;
}

/* The word behind `name` in "TYPE seq 1, room tea, peer bob"; "" when it is not there. */
static const char *value_of(const char *text, const char *name, char *storage, size_t cap)
{
    char key[40];
    storage[0] = '\0';
    snprintf(key, sizeof key, " %s ", name);
    const char *at = strstr(text, key);
    if (at != NULL) {
        at += strlen(key);
        snprintf(storage, cap, "%.*s", (int)strcspn(at, ", \n"), at);
    }
    return storage;
}

static enum hgtp_type type_of(const char *text)
{
    static const struct {
        const char *name;
        enum hgtp_type type;
    } types[] = {
#define HGTP_TYPE(name, byte, kind) {#name, HGTP_##name},
#include "proto/hgtp_type.def"
    };
    size_t len = strcspn(text, " \n");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strlen(types[i].name) == len && strncmp(types[i].name, text, len) == 0) {
            return types[i].type;
        }
    }
    fail_msg("no HGTP type: %s", text);
    return HGTP_OK;
}

static void put_str(struct sink *body, struct bytes content)
{
    sink_be32(body, (uint32_t)content.len);
    sink_put(body, content);
}

static void put_name(struct sink *body, const char *name)
{
    sink_be32(body, (uint32_t)base64_encoded_bytes(strlen(name)));
    base64_encode(bytes_str(name), body);
}

/* Sending -------------------------------------------------------------------------------------- */

static void put_register(struct person *person, const char *text, struct sink *body)
{
    char name[64];
    uint8_t mac[DIGEST_SHA256_BYTES];
    sink_be64(body, 3600);
    sink_be64(body, 0);
    sink_be16(body, 0);
    if (value_of(text, "name", name, sizeof name)[0] != '\0') {
        uint8_t encoded[128];
        struct sink nonce = sink_into(encoded, sizeof encoded);
        base64_encode(bytes_str(name), &nonce);
        put_str(body, sink_bytes(&nonce));
        return;
    }
    assert_non_null(strstr(text, "digest"));
    digest_hmac_sha256(bytes_str(TALKER_KEY), bytes_of(person->realm, person->realm_bytes), mac);
    put_str(body, bytes_of(mac, sizeof mac));
}

static void put_body(struct person *person, enum hgtp_type type, const char *text,
                     struct sink *body)
{
    char room[64], peer[64];
    value_of(text, "room", room, sizeof room);
    value_of(text, "peer", peer, sizeof peer);
    if (type == HGTP_REGISTER) {
        put_register(person, text, body);
    }
    if (type == HGTP_CREATE_ROOM || type == HGTP_DELETE_ROOM) {
        sink_put(body, bytes_str(person->room_id));
    }
    if (room[0] != '\0') {
        put_name(body, room);
    }
    if (peer[0] != '\0') {
        put_name(body, peer);
    }
}

static void send_message(struct person *person, const char *text)
{
    uint8_t storage[HGTP_DATAGRAM_MAX], content[HGTP_BODY_MAX];
    char word[64];
    struct sink out = sink_into(storage, sizeof storage);
    struct sink body = sink_into(content, sizeof content);
    enum hgtp_type type = type_of(text);
    const char *to = value_of(text, "to", word, sizeof word);
    uint8_t request_type = (uint8_t)(to[0] != '\0' ? type_of(to) : type);
    put_body(person, type, text, &body);
    int32_t seq = atoi(value_of(text, "seq", word, sizeof word));
    talk_request_put(&person->speaker, type, request_type, seq, sink_bytes(&body), &out);
    if (strstr(text, " by POST /hgtp") == NULL) {
        assert_non_null(person->ws);
        ws_client_send_frame(person->ws, WS_CLIENT_FIN | WS_CLIENT_BINARY, sink_bytes(&out));
        return;
    }
    char *token = person->token[0] != '\0' ? person->token : NULL;
    struct talker_reply reply =
        e2e_post_hgtp(scene->daemon->http_port, token, sink_bytes(&out), NULL);
    assert_true(reply.has_come);
    struct sink posted = sink_into(person->posted, sizeof person->posted);
    hgtp_encode(&reply.msg, &posted);
    person->posted_bytes = posted.len;
}

static void send_text(struct person *person, const char *text)
{
    json_t *object = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);
    assert_non_null(object);
    if (strstr(text, " by POST /message") == NULL) {
        ws_client_send_json(person->ws, object);
        return;
    }
    json_decref(person->answer);
    (void)e2e_post_message(scene->daemon->http_port, person->token, object, &person->answer);
}

/* Waiting -------------------------------------------------------------------------------------- */

/* Everything that is expected is there; "*" is anything. */
static bool json_fits(const json_t *expected, const json_t *got)
{
    if (json_is_string(expected) && strcmp(json_string_value(expected), "*") == 0) {
        return got != NULL;
    }
    if (json_is_object(expected) && json_is_object(got)) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)expected, key, value)
        {
            if (!json_fits(value, json_object_get(got, key))) {
                return false;
            }
        }
        return json_object_size(expected) == json_object_size(got);
    }
    if (json_is_array(expected) && json_is_array(got)) {
        bool fits = json_array_size(expected) == json_array_size(got);
        for (size_t i = 0; fits && i < json_array_size(expected); i++) {
            fits = json_fits(json_array_get(expected, i), json_array_get(got, i));
        }
        return fits;
    }
    return json_equal(expected, got);
}

static bool ws_fits(const struct ws_client_message *message, const void *expected)
{
    return message->json != NULL && json_fits(expected, message->json);
}

static bool sse_fits(const struct sse_client_event *event, const void *expected)
{
    return event->json != NULL && json_fits(expected, event->json);
}

static bool has_text(struct person *person, const char *text)
{
    json_t *expected = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);
    assert_non_null(expected);
    bool has_come = person->answer != NULL && json_fits(expected, person->answer);
    if (has_come) {
        json_decref(person->answer);
        person->answer = NULL;
    } else if (person->ws != NULL) {
        has_come = ws_client_wait(person->ws, ws_fits, expected, WS_CLIENT_WAIT_MS) != NULL;
    } else if (person->sse != NULL) {
        has_come = sse_client_wait(person->sse, sse_fits, expected, SSE_CLIENT_WAIT_MS) != NULL;
    }
    json_decref(expected);
    return has_come;
}

/* What the rest of an example needs of a message. */
static void remember(struct person *person, const struct hgtp_message *msg)
{
    struct bytes token;
    if (msg->header.type == HGTP_UNAUTHORIZED) {
        struct sink realm = sink_into(person->realm, sizeof person->realm);
        sink_put(&realm, msg->challenge.realm);
        person->realm_bytes = realm.len;
    } else if (msg->header.type == HGTP_OK && msg->header.request_type == HGTP_REGISTER &&
               hgtp_token_decode(msg->body, &token)) {
        snprintf(person->token, sizeof person->token, "%.*s", (int)token.len,
                 (const char *)token.ptr);
    }
}

static bool message_fits(struct person *person, const char *text, struct bytes bytes)
{
    struct hgtp_message msg;
    char word[64], room[64];
    if (hgtp_decode(bytes, &msg) != HGTP_DECODED || msg.header.type != type_of(text) ||
        msg.header.seq != atoi(value_of(text, "seq", word, sizeof word))) {
        return false;
    }
    uint8_t names[2][64];
    struct sink peer = sink_into(names[0], sizeof names[0]);
    struct sink named = sink_into(names[1], sizeof names[1]);
    if (value_of(text, "peer", word, sizeof word)[0] != '\0') {
        value_of(text, "room", room, sizeof room);
        assert_true(base64_decode(msg.peer.peer_name, &peer));
        assert_true(base64_decode(msg.peer.room_name, &named));
        assert_true(bytes_equal(sink_bytes(&peer), bytes_str(word)));
        assert_true(bytes_equal(sink_bytes(&named), bytes_str(room)));
    }
    remember(person, &msg);
    return true;
}

static bool has_message(struct person *person, const char *text)
{
    if (person->posted_bytes > 0) {
        struct bytes posted = bytes_of(person->posted, person->posted_bytes);
        person->posted_bytes = 0;
        return message_fits(person, text, posted);
    }
    const struct ws_client_message *message;
    while ((message = ws_client_wait_kind(person->ws, WS_CLIENT_BINARY)) != NULL) {
        if (message_fits(person, text, message->payload)) {
            return true;
        }
    }
    return false;
}

/* Lines ---------------------------------------------------------------------------------------- */

static void connect_to(struct person *person, const char *target)
{
    char *path = person->target;
    const char *token = strstr(target, "TOKEN");
    snprintf(path, sizeof person->target, "%.*s%s%s",
             (int)(token != NULL ? token - target : (int)strlen(target)), target,
             token != NULL ? person->token : "", token != NULL ? token + 5 : "");
    path[strcspn(path, "\n")] = '\0';
    if (strncmp(path, "/ws", 3) == 0) {
        person->ws =
            e2e_ws(scene, &(const struct ws_client_options){.target = path, .protocols = "hgtp"});
        assert_int_equal(person->ws->status, 101);
    } else {
        person->sse = e2e_sse(scene, &(const struct sse_client_options){.target = path});
        assert_int_equal(person->sse->status, 200);
    }
}

static bool run_line(const char *line)
{
    struct person *person = person_of(line);
    const char *rest = strchr(line, ' ') + 1;
    if (strncmp(rest, "connects ", 9) == 0) {
        connect_to(person, rest + 9);
    } else if (strncmp(rest, "disconnects", 11) == 0) {
        ws_client_drop(person->ws);
    } else if (strncmp(rest, "is closed ", 10) == 0) {
        return ws_client_wait_close(person->ws, WS_CLIENT_WAIT_MS) == atoi(rest + 10);
    } else if (strncmp(rest, "> {", 3) == 0) {
        send_text(person, rest + 2);
    } else if (strncmp(rest, "> ", 2) == 0) {
        send_message(person, rest + 2);
    } else if (strncmp(rest, "< {", 3) == 0) {
        return has_text(person, rest + 2);
    } else if (strncmp(rest, "< ", 2) == 0) {
        return has_message(person, rest + 2);
    } else {
        return false;
    }
    return true;
}

E2E_SCENARIO(examples_of_the_protocol_are_true)
{
    char line[LINE_MAX];
    bool is_example = false;
    scene = e;
    E2E_NODE(e);
    FILE *doc = fopen(TEST_SOURCE_DIR "/docs/protocol.md", "r");
    assert_non_null(doc);
    while (fgets(line, sizeof line, doc) != NULL) {
        assert_non_null(strchr(line, '\n'));
        if (strncmp(line, "```", 3) == 0) {
            is_example = strcmp(line, "```session\n") == 0;
        } else if (is_example) {
            line_count++;
            if (!run_line(line)) {
                fail_msg("not so: %s", line);
            }
        }
    }
    fclose(doc);
    assert_true(line_count > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {E2E_TEST(examples_of_the_protocol_are_true)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
