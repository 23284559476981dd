/* SPDX-License-Identifier: MIT */
/*
 * sim_modern: a modern client: proves its key by HMAC, lives by a WebSocket or an event stream,
 * keeps its token, connects again and goes on behind the last entry it has, says again what may not
 * have arrived. It believes what `session` texts tell it.
 */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base64.h"
#include "proto/digest.h"
#include "sim_check.h"
#include "sim_faults.h"
#include "sim_node.h"

#define MODERN_CONNECT_US (5 * SIM_S)
#define MODERN_REQUEST_US (8 * SIM_S)
#define MODERN_INVITE_US  (15 * SIM_S)
#define MODERN_AGAIN_US   (3 * SIM_S)
#define MODERN_SAY_US     (20 * SIM_S) /* within history.dedupe_s */
#define OUTBOX_MAX        16
#define NAMES_MAX         256

enum modern_register { REGISTER_NONE, REGISTER_OPENS, REGISTER_ASKED, REGISTER_PROVED };

struct modern_said {
    char id[16], text[40];
    char room_id[HGTP_ROOM_ID_BYTES + 1], epoch[40];
    int64_t first_us, sent_us;
    unsigned attempts;
    const struct sim_conn *conn; /* by which it was said last */
};

struct sim_modern {
    uint8_t uid[HGTP_USER_ID_BYTES];
    uint8_t token[64];
    size_t token_len;
    struct sim_conn *conn;
    bool is_open, is_attached; /* it stands; it brings the session's talk */
    int64_t conn_us, retry_us;
    enum modern_register stage;
    bool is_by_post;
    int64_t stage_us;
    uint64_t tag; /* of what was posted last */
    int64_t try_ms;
    struct sim_stay stay;
    bool is_manager;
    char members[NAMES_MAX];
    bool has_members;
    uint8_t asked; /* type of the request that is open; 0: none */
    int64_t asked_us;
    bool may_be_gone; /* an UNREGISTER may have been carried out */
    struct modern_said outbox[OUTBOX_MAX];
    size_t outbox_count;
};

void sim_modern_new(struct sim_user *user)
{
    user->modern = calloc(1, sizeof *user->modern);
    assert(user->modern != NULL);
}

static void modern_hang_up(struct sim_user *user)
{
    struct sim_modern *m = user->modern;
    if (m->conn != NULL) {
        sim_conn_close(m->conn);
        m->conn = NULL;
    }
    m->is_open = m->is_attached = false;
    m->asked = 0;
}

void sim_modern_free(struct sim_user *user)
{
    modern_hang_up(user);
    free(user->modern);
}

struct sim_conn *sim_modern_conn(const struct sim_user *user)
{
    return user->modern->is_open ? user->modern->conn : NULL;
}

static void modern_leave_room(struct sim_modern *m)
{
    m->stay = (struct sim_stay){0};
    m->is_manager = m->has_members = false;
    m->outbox_count = 0;
}

/* The session is no more. */
static void modern_forget(struct sim_user *user, const char *why)
{
    struct sim_modern *m = user->modern;
    SIM_TELL(user, NULL, "its session is no more: %s", why);
    if (!user->was_kicked && !m->may_be_gone && !sim_fault_was_on(FAULT_redis_loss)) {
        sim_wrong(user, NULL, "its session is gone, and nobody has ended it: %s", why);
    }
    if (user->wants_out && m->may_be_gone) {
        user->is_done = true;
    }
    m->token_len = 0;
    m->may_be_gone = user->was_kicked = false;
    m->stage = REGISTER_NONE;
    modern_leave_room(m);
}

/* Asking -----------------------------------------------------------------------------------------
 */

static void modern_on_hgtp(struct sim_user *user, struct bytes content);

static void modern_on_post(struct sim_user *user, enum err err, uint64_t seq, struct bytes reply,
                           uint64_t tag)
{
    (void)err;
    (void)seq;
    if (reply.len > 0 && tag == user->modern->tag) {
        modern_on_hgtp(user, reply);
    }
}

static void modern_send(struct sim_user *user, const struct hgtp_message *msg)
{
    struct sim_modern *m = user->modern;
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    hgtp_encode(msg, &out);
    assert(sink_fits(&out));
    bool is_registering = msg->header.type == HGTP_REGISTER;
    bool by_line = m->conn != NULL && m->is_open && !sim_conn_is_stream(m->conn) &&
                   (is_registering ? !m->is_by_post : sim_chance(850));
    if (by_line) {
        sim_conn_send(m->conn, SIM_SAID_HGTP, bytes_of(NULL, 0), sink_bytes(&out));
        return;
    }
    m->tag++;
    sim_post(user, sim_node_pick(), SIM_SAID_HGTP,
             is_registering ? bytes_of(NULL, 0) : bytes_of(m->token, m->token_len),
             bytes_of(NULL, 0), sink_bytes(&out), modern_on_post, m->tag);
}

static struct hgtp_header modern_header(const struct sim_user *user, uint8_t type, int32_t seq)
{
    struct hgtp_header header = {.type = type, .request_type = type, .seq = seq};
    header.timestamp_ms = (uint32_t)(1700000000000 + sim_now_us / SIM_MS);
    memcpy(header.user_id, user->modern->uid, HGTP_USER_ID_BYTES);
    return header;
}

static struct bytes modern_base64(const char *text, uint8_t storage[64])
{
    struct sink out = sink_into(storage, 64);
    base64_encode(bytes_str(text), &out);
    assert(sink_fits(&out));
    return sink_bytes(&out);
}

static void random_base64(uint8_t *out, size_t len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)alphabet[sim_below(64)];
    }
}

/* `room` and `peer` as the request needs them. */
static void modern_ask(struct sim_user *user, uint8_t type, const char *room, const char *peer)
{
    struct sim_modern *m = user->modern;
    uint8_t room_base64[64], peer_base64[64], room_id[HGTP_ROOM_ID_BYTES];
    struct hgtp_message msg = {.header = modern_header(user, type, 1)};
    switch (type) {
    case HGTP_CREATE_ROOM:
        random_base64(room_id, sizeof room_id);
        msg.room =
            (struct hgtp_room){bytes_of(room_id, sizeof room_id), modern_base64(room, room_base64)};
        break;
    case HGTP_DELETE_ROOM:
        msg.room = (struct hgtp_room){bytes_str(m->stay.room_id), bytes_str("")};
        break;
    case HGTP_JOIN_ROOM:
    case HGTP_EXIT_ROOM:
        msg.room_name = modern_base64(room, room_base64);
        break;
    case HGTP_INVITE_USER_FROM_ROOM:
    case HGTP_REMOVE_USER_FROM_ROOM:
        msg.peer =
            (struct hgtp_peer){modern_base64(room, room_base64), modern_base64(peer, peer_base64)};
        break;
    default:
        msg.body = bytes_of(NULL, 0);
        break;
    }
    SIM_TELL(user, room, "asks %s %s %s", hgtp_type_name(type), room != NULL ? room : "",
             peer != NULL ? peer : "");
    m->asked = type;
    m->asked_us = sim_now_us;
    m->may_be_gone = m->may_be_gone || type == HGTP_UNREGISTER;
    sim_operation();
    modern_send(user, &msg);
}

/* Registering ------------------------------------------------------------------------------------
 */

static void modern_register_first(struct sim_user *user)
{
    struct sim_modern *m = user->modern;
    uint8_t name[64];
    random_base64(m->uid, sizeof m->uid);
    struct hgtp_message msg = {.header = modern_header(user, HGTP_REGISTER, 1)};
    msg.reg = (struct hgtp_register){.expires_s = 3600, .nonce = modern_base64(user->name, name)};
    m->stage = REGISTER_ASKED;
    m->stage_us = sim_now_us;
    modern_send(user, &msg);
}

static void modern_prove(struct sim_user *user, const struct hgtp_message *challenge)
{
    struct sim_modern *m = user->modern;
    uint8_t mac[DIGEST_SHA256_BYTES];
    digest_hmac_sha256(bytes_str(SIM_KEY), challenge->challenge.realm, mac);
    struct hgtp_message msg = {.header =
                                   modern_header(user, HGTP_REGISTER, challenge->header.seq + 1)};
    msg.reg = (struct hgtp_register){.expires_s = 3600, .nonce = bytes_of(mac, sizeof mac)};
    m->stage = REGISTER_PROVED;
    m->stage_us = sim_now_us;
    modern_send(user, &msg);
}

static void modern_begin_register(struct sim_user *user)
{
    struct sim_modern *m = user->modern;
    SIM_TELL(user, NULL, "registers");
    sim_operation();
    m->is_by_post = sim_chance(400);
    m->stage_us = sim_now_us;
    m->may_be_gone = false;
    if (m->is_by_post) {
        modern_register_first(user);
        return;
    }
    m->stage = REGISTER_OPENS;
    m->conn_us = sim_now_us;
    m->conn = sim_conn_open(user, sim_node_pick(), FORMAT_WS, NULL);
}

static void modern_give_up_register(struct sim_user *user)
{
    modern_hang_up(user);
    user->modern->stage = REGISTER_NONE;
    user->modern->retry_us = sim_now_us + sim_between(500 * SIM_MS, 2 * SIM_S);
}

static void modern_on_registered(struct sim_user *user, const struct hgtp_message *msg)
{
    struct sim_modern *m = user->modern;
    struct bytes token;
    if (m->stage == REGISTER_ASKED && msg->header.type == HGTP_UNAUTHORIZED) {
        modern_prove(user, msg);
    } else if (m->stage == REGISTER_PROVED && msg->header.type == HGTP_OK &&
               hgtp_token_decode(msg->body, &token) && token.len <= sizeof m->token) {
        memcpy(m->token, token.ptr, token.len);
        m->token_len = token.len;
        m->stage = REGISTER_NONE;
        m->is_attached = m->conn != NULL;
        m->retry_us = sim_now_us;
        user->was_kicked = false;
        SIM_TELL(user, NULL, "is registered as %.8s", (const char *)m->uid);
    } else {
        SIM_TELL(user, NULL, "REGISTER: %s", hgtp_type_name(msg->header.type));
        modern_give_up_register(user);
    }
}

/* What it hears ----------------------------------------------------------------------------------
 */

static int modern_reason(const struct hgtp_message *msg)
{
    struct hgtp_reason reason = {0};
    bool has_reason = msg->header.type != HGTP_OK && msg->header.type != HGTP_UNAUTHORIZED;
    return has_reason && hgtp_reason_decode(msg->body, &reason) ? reason.code : 0;
}

static void modern_on_response(struct sim_user *user, const struct hgtp_message *msg)
{
    struct sim_modern *m = user->modern;
    uint8_t type = msg->header.request_type;
    int reason = modern_reason(msg);
    if (type == HGTP_REGISTER) {
        modern_on_registered(user, msg);
        return;
    }
    SIM_TELL(user, m->stay.room, "%s: %s %s", hgtp_type_name(type),
             hgtp_type_name(msg->header.type),
             msg->header.type != HGTP_OK ? err_name((enum err)reason) : "");
    if (type == m->asked) {
        m->asked = 0;
    }
    if (type == HGTP_UNREGISTER && msg->header.type == HGTP_OK) {
        if (m->token_len > 0) {
            modern_forget(user, "it has signed off");
        }
        modern_hang_up(user);
        user->is_done = user->wants_out;
        m->retry_us = sim_now_us + sim_between(0, SIM_S);
    } else if (type == HGTP_UNREGISTER && !err_is_fault((enum err)reason)) {
        m->may_be_gone = false;
    } else if (type == HGTP_EXIT_ROOM && reason == ERR_MANAGER_STAYS) {
        m->is_manager = true;
    }
}

/* Asked to come into a room, or to leave it. */
static void modern_on_relay(struct sim_user *user, const struct hgtp_message *msg)
{
    struct sim_modern *m = user->modern;
    bool is_invite = msg->header.type == HGTP_INVITE_USER_FROM_ROOM;
    if (sim_chance(50)) {
        return; /* nobody is at the screen */
    }
    bool accepts = is_invite ? m->stay.room[0] == '\0' && sim_chance(800) : sim_chance(850);
    struct hgtp_message answer = {
        .header = modern_header(user, accepts ? HGTP_OK : HGTP_DECLINE, msg->header.seq + 1)};
    answer.header.request_type = msg->header.type;
    SIM_TELL(user, m->stay.room, "%s %s", accepts ? "accepts" : "declines",
             hgtp_type_name(msg->header.type));
    modern_send(user, &answer);
}

static void modern_on_hgtp(struct sim_user *user, struct bytes content)
{
    struct hgtp_message msg;
    if (hgtp_decode(content, &msg) != HGTP_DECODED) {
        sim_wrong(user, NULL, "gets an HGTP message that is none");
        return;
    }
    if (memcmp(msg.header.user_id, user->modern->uid, HGTP_USER_ID_BYTES) != 0) {
        SIM_TELL(user, NULL, "gets a message for %.8s", (const char *)msg.header.user_id);
        return;
    }
    if (hgtp_type_is_request(msg.header.type)) {
        modern_on_relay(user, &msg);
    } else {
        modern_on_response(user, &msg);
    }
}

/* Texts ------------------------------------------------------------------------------------------
 */

static const char *text_str(const json_t *text, const char *name)
{
    const char *value = json_string_value(json_object_get(text, name));
    return value != NULL ? value : "";
}

static uint64_t text_number(const json_t *text, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(text, name));
}

static void modern_on_session(struct sim_user *user, const json_t *text)
{
    struct sim_modern *m = user->modern;
    const char *room = text_str(text, "room"), *epoch = text_str(text, "epoch");
    const char *room_id = text_str(text, "room_id");
    const json_t *kept = json_object_get(text, "kept");
    if (strcmp(text_str(text, "user"), user->name) != 0) {
        sim_wrong(user, NULL, "is told that it is %s", text_str(text, "user"));
    }
    m->is_attached = true;
    bool is_same_room = strcmp(room_id, m->stay.room_id) == 0 && room_id[0] != '\0';
    bool is_same = is_same_room && strcmp(epoch, m->stay.epoch) == 0;
    SIM_TELL(user, room[0] != '\0' ? room : m->stay.room, "is told: in room '%s' %s%s", room, epoch,
             is_same ? " still" : "");
    if (is_same) {
        return;
    }
    uint64_t last = m->stay.last, up_to = (uint64_t)json_integer_value(kept);
    if (!is_same_room || kept == NULL) {
        modern_leave_room(m);
        last = 0;
    }
    last = kept != NULL && last > up_to ? up_to : last;
    if (room_id[0] != '\0') {
        m->stay.last = last;
        snprintf(m->stay.room, sizeof m->stay.room, "%s", room);
        snprintf(m->stay.room_id, sizeof m->stay.room_id, "%s", room_id);
        snprintf(m->stay.epoch, sizeof m->stay.epoch, "%s", epoch);
    }
}

static void modern_on_members(struct sim_user *user, const json_t *text)
{
    struct sim_modern *m = user->modern;
    const char *room = text_str(text, "room");
    if (strncmp(room, m->stay.room, sizeof m->stay.room - 1) != 0 || m->stay.room[0] == '\0') {
        sim_wrong(user, room, "is shown who is in room '%s' and is in '%s'", room, m->stay.room);
        return;
    }
    struct sink out = sink_into(m->members, sizeof m->members - 1);
    const json_t *users = json_object_get(text, "users");
    for (size_t i = 0; i < json_array_size(users); i++) {
        sink_text(&out, json_string_value(json_array_get(users, i)));
        sink_text(&out, " ");
    }
    assert(sink_fits(&out));
    m->members[out.len] = '\0';
    m->has_members = true;
    m->is_manager = strcmp(text_str(text, "manager"), user->name) == 0;
}

static void modern_on_answered(struct sim_user *user, const char *id, enum err err, uint64_t seq)
{
    struct sim_modern *m = user->modern;
    for (size_t i = 0; i < m->outbox_count; i++) {
        struct modern_said *said = &m->outbox[i];
        if (strcmp(said->id, id) != 0) {
            continue;
        }
        if (err == ERR_NONE) {
            sim_check_ack(user, bytes_str(said->text), seq);
        } else {
            SIM_TELL(user, m->stay.room, "'%s' is refused: %s", said->text, err_name(err));
            if (said->attempts == 1) {
                sim_check_refused(user, bytes_str(said->text), err);
            }
        }
        if (err == ERR_NONE || !err_is_fault(err)) {
            *said = m->outbox[--m->outbox_count];
        } else {
            said->conn = NULL; /* say it again, later */
            said->sent_us = sim_now_us;
        }
        return;
    }
}

static void modern_on_entry(struct sim_user *user, const json_t *text, bool is_message)
{
    struct sim_modern *m = user->modern;
    const char *room = text_str(text, "room");
    uint64_t seq = text_number(text, "seq");
    if (seq == 0) {
        return; /* of no room: from an operator, or to this client alone */
    }
    if (m->stay.room[0] == '\0' || strncmp(room, m->stay.room, sizeof m->stay.room - 1) != 0) {
        sim_wrong(user, room, "is shown number %llu of room '%s' and was told that it is in '%s'",
                  (unsigned long long)seq, room, m->stay.room);
        return;
    }
    SIM_TELL(user, m->stay.room, "is shown %llu %s", (unsigned long long)seq,
             is_message ? text_str(text, "message") : text_str(text, "event"));
    sim_check_entry(user, &m->stay, seq, is_message,
                    bytes_str(text_str(text, is_message ? "from" : "user")),
                    bytes_str(text_str(text, is_message ? "message" : "notice")));
}

static void modern_on_text(struct sim_user *user, const json_t *text)
{
    struct sim_modern *m = user->modern;
    const char *type = text_str(text, "type");
    if (strcmp(type, "message") == 0 || strcmp(type, "notice") == 0) {
        modern_on_entry(user, text, type[0] == 'm');
    } else if (strcmp(type, "session") == 0) {
        modern_on_session(user, text);
    } else if (strcmp(type, "room_user_list") == 0) {
        modern_on_members(user, text);
    } else if (strcmp(type, "ack") == 0 || strcmp(type, "error") == 0) {
        modern_on_answered(user, text_str(text, "id"),
                           type[0] == 'a' ? ERR_NONE : (enum err)text_number(text, "code"),
                           text_number(text, "seq"));
    } else if (strcmp(type, "gap") == 0) {
        SIM_TELL(user, m->stay.room, "is told of a gap: %llu to %llu",
                 (unsigned long long)text_number(text, "from"),
                 (unsigned long long)text_number(text, "to"));
        sim_check_gap(user, &m->stay, text_number(text, "from"), text_number(text, "to"));
    } else if (strcmp(type, "reconnect") == 0) {
        modern_hang_up(user);
        m->retry_us = sim_now_us + (int64_t)text_number(text, "after_ms") * SIM_MS;
    }
}

void sim_modern_on_frame(struct sim_user *user, struct sim_conn *conn, bool is_text,
                         struct bytes content)
{
    if (conn != user->modern->conn) {
        return;
    }
    if (!is_text) {
        modern_on_hgtp(user, content);
        return;
    }
    json_t *text = json_loadb((const char *)content.ptr, content.len, 0, NULL);
    if (text == NULL) {
        sim_wrong(user, NULL, "gets a text that is no JSON: %.*s", (int)content.len,
                  (const char *)content.ptr);
        return;
    }
    modern_on_text(user, text);
    json_decref(text);
}

/* Connecting -------------------------------------------------------------------------------------
 */

void sim_modern_on_open(struct sim_user *user, struct sim_conn *conn)
{
    struct sim_modern *m = user->modern;
    if (conn != m->conn) {
        return;
    }
    m->is_open = true;
    if (m->stage == REGISTER_OPENS) {
        modern_register_first(user);
    }
}

void sim_modern_on_refused(struct sim_user *user, struct sim_conn *conn, enum err err)
{
    struct sim_modern *m = user->modern;
    if (conn != m->conn) {
        return;
    }
    SIM_TELL(user, NULL, "may not attach: %s", err_name(err));
    modern_hang_up(user);
    m->retry_us = sim_now_us + sim_between(200 * SIM_MS, SIM_S);
    if (err == ERR_NOT_REGISTERED) {
        modern_forget(user, "its token is not known");
    }
}

void sim_modern_on_closed(struct sim_user *user, struct sim_conn *conn, enum ws_close why)
{
    struct sim_modern *m = user->modern;
    if (conn != m->conn) {
        return;
    }
    SIM_TELL(user, NULL, "its connection is closed: %d", (int)why);
    bool was_registering = m->stage != REGISTER_NONE;
    modern_hang_up(user);
    m->retry_us = sim_now_us + sim_between(20 * SIM_MS, 500 * SIM_MS);
    if (why == WS_CLOSE_REPLACED) {
        sim_wrong(user, m->stay.room, "is told that another connection has replaced its only one");
    } else if (why == WS_CLOSE_ENDED) {
        modern_forget(user, "the node says so");
    } else if (was_registering) {
        m->stage = REGISTER_NONE;
    }
}

static void modern_connect(struct sim_user *user)
{
    struct sim_modern *m = user->modern;
    m->conn_us = sim_now_us;
    m->try_ms = sim_now_us / SIM_MS > m->try_ms ? sim_now_us / SIM_MS : m->try_ms + 1;
    struct core_attach attach = {.asker = {.token = bytes_of(m->token, m->token_len)},
                                 .has_after = m->stay.epoch[0] != '\0' && m->stay.last > 0,
                                 .after = m->stay.last,
                                 .epoch = bytes_str(m->stay.epoch),
                                 .has_try = true,
                                 .try_number = (uint64_t)m->try_ms};
    struct sim_node *node = sim_node_pick();
    SIM_TELL(user, m->stay.room, "connects to n%d behind %llu", node->index,
             (unsigned long long)m->stay.last);
    m->conn = sim_conn_open(user, node, sim_chance(700) ? FORMAT_WS : FORMAT_SSE, &attach);
}

/* Saying -----------------------------------------------------------------------------------------
 */

static void modern_on_post_said(struct sim_user *user, enum err err, uint64_t seq,
                                struct bytes reply, uint64_t tag)
{
    char id[16];
    (void)reply;
    snprintf(id, sizeof id, "%d-%llu", user->index, (unsigned long long)tag);
    modern_on_answered(user, id, err, seq);
}

static void modern_say_now(struct sim_user *user, struct modern_said *said)
{
    struct sim_modern *m = user->modern;
    said->attempts++;
    said->sent_us = sim_now_us;
    said->conn = m->conn;
    if (!sim_conn_is_stream(m->conn) && sim_chance(900)) {
        sim_conn_send(m->conn, SIM_SAID_MESSAGE, bytes_str(said->id), bytes_str(said->text));
        return;
    }
    sim_post(user, sim_node_pick(), SIM_SAID_MESSAGE, bytes_of(m->token, m->token_len),
             bytes_str(said->id), bytes_str(said->text), modern_on_post_said,
             strtoull(strchr(said->id, '-') + 1, NULL, 10));
}

static void modern_say(struct sim_user *user)
{
    struct sim_modern *m = user->modern;
    if (m->outbox_count == OUTBOX_MAX) {
        return;
    }
    struct modern_said *said = &m->outbox[m->outbox_count++];
    *said = (struct modern_said){.first_us = sim_now_us};
    uint32_t number = ++user->message_count;
    snprintf(said->id, sizeof said->id, "%d-%u", user->index, number);
    snprintf(said->text, sizeof said->text, "%s:%u", user->name, number);
    memcpy(said->room_id, m->stay.room_id, sizeof said->room_id);
    memcpy(said->epoch, m->stay.epoch, sizeof said->epoch);
    SIM_TELL(user, m->stay.room, "says '%s'", said->text);
    sim_operation();
    modern_say_now(user, said);
}

/* What may not have arrived is said again by another connection; what is too old is let be. */
static void modern_say_again(struct sim_user *user)
{
    struct sim_modern *m = user->modern;
    for (size_t i = 0; i < m->outbox_count;) {
        struct modern_said *said = &m->outbox[i];
        bool is_due = said->conn != m->conn || sim_conn_is_stream(m->conn);
        if (sim_now_us - said->first_us > MODERN_SAY_US ||
            strcmp(said->room_id, m->stay.room_id) != 0) {
            *said = m->outbox[--m->outbox_count];
            continue;
        }
        if (is_due && sim_now_us - said->sent_us > MODERN_AGAIN_US) {
            modern_say_now(user, said);
        }
        i++;
    }
}

/* What it does -----------------------------------------------------------------------------------
 */

void sim_modern_tick(struct sim_user *user)
{
    struct sim_modern *m = user->modern;
    int64_t patience_us =
        m->asked == HGTP_INVITE_USER_FROM_ROOM || m->asked == HGTP_REMOVE_USER_FROM_ROOM
            ? MODERN_INVITE_US
            : MODERN_REQUEST_US;
    if (m->asked != 0 && sim_now_us - m->asked_us > patience_us) {
        SIM_TELL(user, NULL, "%s is not answered", hgtp_type_name(m->asked));
        m->asked = 0;
    }
    if (m->stage != REGISTER_NONE) {
        if (sim_now_us - m->stage_us > MODERN_CONNECT_US) {
            modern_give_up_register(user);
        }
    } else if (m->conn == NULL && sim_now_us >= m->retry_us) {
        if (m->token_len > 0) {
            modern_connect(user);
        } else if (user->wants_out) {
            user->is_done = true;
        } else {
            modern_begin_register(user);
        }
    } else if (m->conn != NULL && !m->is_attached && sim_now_us - m->conn_us > MODERN_CONNECT_US) {
        SIM_TELL(user, NULL, "gives an attempt up");
        modern_hang_up(user);
        m->retry_us = sim_now_us;
    }
    if (m->is_attached) {
        modern_say_again(user);
    }
}

static struct sim_user *modern_somebody(void)
{
    return &sim_users[sim_below((uint32_t)sim_user_count)];
}

static void modern_act_in_room(struct sim_user *user)
{
    struct sim_modern *m = user->modern;
    uint32_t dice = sim_below(1000);
    if (dice < 700) {
        for (int i = sim_chance(50) ? 6 : 1; i > 0; i--) {
            modern_say(user);
        }
    } else if (dice < 760) {
        modern_ask(user, m->is_manager ? HGTP_DELETE_ROOM : HGTP_EXIT_ROOM, m->stay.room, NULL);
    } else if (dice < 830) {
        modern_ask(user, HGTP_INVITE_USER_FROM_ROOM, m->stay.room, modern_somebody()->name);
    } else if (dice < 870) {
        modern_ask(user, HGTP_REMOVE_USER_FROM_ROOM, m->stay.room, modern_somebody()->name);
    } else if (dice < 885) {
        modern_ask(user, HGTP_JOIN_ROOM, sim_room_name((int)sim_below(SIM_ROOMS)), NULL);
    } else if (dice < 900) {
        modern_ask(user, HGTP_REFRESH, NULL, NULL);
    } else if (dice < 920) {
        SIM_TELL(user, m->stay.room, "loads the page again");
        modern_hang_up(user);
        m->retry_us = sim_now_us;
    }
}

static void modern_act_outside(struct sim_user *user)
{
    uint32_t dice = sim_below(1000);
    const char *room = sim_room_name((int)sim_below(SIM_ROOMS));
    if (dice < 550) {
        modern_ask(user, HGTP_JOIN_ROOM, room, NULL);
    } else if (dice < 850) {
        modern_ask(user, HGTP_CREATE_ROOM, room, NULL);
    } else if (dice < 870) {
        modern_ask(user, HGTP_UNREGISTER, NULL, NULL);
    } else if (dice < 890) {
        modern_ask(user, HGTP_REFRESH, NULL, NULL);
    }
}

void sim_modern_act(struct sim_user *user)
{
    struct sim_modern *m = user->modern;
    if (!m->is_attached || m->asked != 0 || m->stage != REGISTER_NONE) {
        return;
    }
    bool is_in_room = m->stay.room[0] != '\0';
    if (user->wants_out) {
        modern_ask(user,
                   !is_in_room     ? HGTP_UNREGISTER
                   : m->is_manager ? HGTP_DELETE_ROOM
                                   : HGTP_EXIT_ROOM,
                   m->stay.room, NULL);
    } else if (is_in_room) {
        modern_act_in_room(user);
    } else {
        modern_act_outside(user);
    }
}

struct sim_belief sim_modern_belief(const struct sim_user *user)
{
    const struct sim_modern *m = user->modern;
    struct sim_belief belief = {.is_registered = m->token_len > 0,
                                .is_unsure = !m->is_attached,
                                .last = m->stay.last,
                                .members = m->has_members ? m->members : NULL};
    memcpy(belief.uid, m->uid, HGTP_USER_ID_BYTES);
    memcpy(belief.room, m->stay.room, sizeof belief.room);
    memcpy(belief.room_id, m->stay.room_id, sizeof belief.room_id);
    memcpy(belief.epoch, m->stay.epoch, sizeof belief.epoch);
    return belief;
}
