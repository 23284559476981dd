/* SPDX-License-Identifier: MIT */
/*
 * sim_original: the original client with its real behaviour: one datagram per click and nothing
 * repeated, enters a room as soon as it is invited, leaves as soon as it is removed, is stuck after
 * answers that it does not expect and when JOIN or CREATE is not answered. Its user starts it again
 * when nothing else helps.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base64.h"
#include "proto/digest.h"
#include "sim_check.h"
#include "sim_faults.h"
#include "sim_node.h"

#define ORIGINAL_UDP_PORT  9100
#define ORIGINAL_HTTP_PORT 10000
#define ORIGINAL_CLICK_US  (3 * SIM_S)  /* after so long a user clicks again */
#define ORIGINAL_STUCK_US  (15 * SIM_S) /* no answer to JOIN or CREATE */
#define ORIGINAL_START_US  (2 * SIM_S)  /* to start the program again */
#define REFRESH_EVERY_US   (5 * SIM_S)
#define REFUSALS_MAX       4
#define NAMES_MAX          256

enum original_state { ORIGINAL_ENDED, ORIGINAL_IDLE, ORIGINAL_REGISTERED };

struct sim_original {
    enum original_state state;
    uint8_t uid[HGTP_USER_ID_BYTES];
    uint16_t port; /* it sends from; another one in each run */
    int node;      /* to which its balancer sends it */
    uint8_t asked; /* type of the request that is open; 0: none */
    int64_t asked_us;
    const struct sim_node *asked_node;
    uint32_t asked_life;
    bool asked_is_lost; /* something of it was lost on its way */
    bool asked_in_pause;
    char room[16]; /* it believes to be in; also while JOIN or CREATE is open */
    char room_id[HGTP_ROOM_ID_BYTES + 1]; /* of its own */
    bool is_member;                       /* it has the room's buttons */
    bool is_manager, is_stuck, is_misled;
    int64_t stuck_us, start_us, frozen_us, refresh_us;
    unsigned refusal_count;
    char members[NAMES_MAX];
    bool has_members;
};

void sim_original_new(struct sim_user *user)
{
    user->original = calloc(1, sizeof *user->original);
    assert(user->original != NULL);
    user->original->node = (int)sim_below((uint32_t)sim_node_count);
}

void sim_original_free(struct sim_user *user)
{
    free(user->original);
}

static void original_leave_room(struct sim_original *o)
{
    o->room[0] = '\0';
    o->is_member = o->is_manager = o->has_members = false;
}

static void original_start(struct sim_user *user)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct sim_original *o = user->original;
    original_leave_room(o);
    o->state = ORIGINAL_IDLE;
    o->asked = 0;
    o->is_stuck = o->is_misled = false;
    o->refusal_count = 0;
    o->frozen_us = 0;
    o->port = (uint16_t)(20000 + sim_below(20000));
    for (size_t i = 0; i < sizeof o->uid; i++) {
        o->uid[i] = (uint8_t)alphabet[sim_below(64)];
    }
    SIM_TELL(user, NULL, "starts its program: %.8s", (const char *)o->uid);
}

void sim_original_crash(struct sim_user *user)
{
    struct sim_original *o = user->original;
    SIM_TELL(user, o->room, "its program ends");
    original_leave_room(o);
    o->state = ORIGINAL_ENDED;
    o->asked = 0;
    o->start_us = sim_now_us + sim_between(ORIGINAL_START_US / 2, ORIGINAL_START_US);
    sim_push_break(user);
}

void sim_original_freeze(struct sim_user *user, int64_t until_us)
{
    user->original->frozen_us = until_us;
}

bool sim_original_listens(const struct sim_user *user, uint16_t port)
{
    return user->original->state != ORIGINAL_ENDED && port == ORIGINAL_HTTP_PORT;
}

bool sim_original_answers(const struct sim_user *user)
{
    return user->original->frozen_us <= sim_now_us;
}

int64_t sim_original_answers_at(const struct sim_user *user)
{
    return user->original->frozen_us;
}

bool sim_original_has_port(const struct sim_user *user, uint16_t port)
{
    const struct sim_original *o = user->original;
    return o->state != ORIGINAL_ENDED && (port == o->port || port == ORIGINAL_UDP_PORT);
}

/* Asking -----------------------------------------------------------------------------------------
 */

static struct sim_node *original_node(struct sim_user *user)
{
    struct sim_original *o = user->original;
    if (sim_nodes[o->node].phase != SIM_UP || sim_chance(10)) {
        o->node = sim_node_pick()->index;
    }
    return &sim_nodes[o->node];
}

static void original_send(struct sim_user *user, const struct hgtp_message *msg)
{
    struct sim_original *o = user->original;
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    hgtp_encode(msg, &out);
    assert(sink_fits(&out));
    struct sim_node *node = original_node(user);
    if (hgtp_type_is_request(msg->header.type)) {
        o->asked_node = node;
        o->asked_life = node->life;
        o->asked_in_pause = node->is_paused;
    }
    sim_datagram_to_node(user, o->port, node, sink_bytes(&out));
}

static struct hgtp_header original_header(const struct sim_user *user, uint8_t type, int32_t seq)
{
    struct hgtp_header header = {.type = type, .request_type = type, .seq = seq};
    header.timestamp_ms = (uint32_t)(1700000000000 + sim_now_us / SIM_MS);
    memcpy(header.user_id, user->original->uid, HGTP_USER_ID_BYTES);
    return header;
}

static struct bytes original_base64(const char *text, uint8_t storage[64])
{
    struct sink out = sink_into(storage, 64);
    base64_encode(bytes_str(text), &out);
    return sink_bytes(&out);
}

static void original_register(struct sim_user *user)
{
    uint8_t name[64];
    struct hgtp_message msg = {.header = original_header(user, HGTP_REGISTER, 1)};
    msg.reg = (struct hgtp_register){.expires_s = 3600,
                                     .listen_ip = user->ip,
                                     .listen_port = ORIGINAL_UDP_PORT,
                                     .nonce = original_base64(user->name, name)};
    user->original->asked = HGTP_REGISTER;
    user->original->asked_us = sim_now_us;
    SIM_TELL(user, NULL, "clicks REGISTER");
    sim_operation();
    original_send(user, &msg);
}

static void original_prove(struct sim_user *user, const struct hgtp_message *challenge)
{
    uint8_t digest[DIGEST_LEGACY_MAX];
    struct sink out = sink_into(digest, sizeof digest);
    digest_legacy(challenge->challenge.realm, bytes_str(SIM_KEY), &out);
    struct hgtp_message msg = {.header =
                                   original_header(user, HGTP_REGISTER, challenge->header.seq + 1)};
    msg.reg = (struct hgtp_register){.expires_s = 3600,
                                     .listen_ip = user->ip,
                                     .listen_port = ORIGINAL_HTTP_PORT,
                                     .nonce = sink_bytes(&out)};
    original_send(user, &msg);
}

static void original_ask(struct sim_user *user, uint8_t type, const char *room, const char *peer)
{
    struct sim_original *o = user->original;
    uint8_t room_base64[64], peer_base64[64];
    struct hgtp_message msg = {.header = original_header(user, type, 1)};
    switch (type) {
    case HGTP_CREATE_ROOM:
        snprintf(o->room_id, sizeof o->room_id, "g%03d%08x", user->index, (unsigned)sim_random());
        msg.room = (struct hgtp_room){bytes_str(o->room_id), original_base64(room, room_base64)};
        break;
    case HGTP_DELETE_ROOM:
        msg.room = (struct hgtp_room){bytes_str(o->room_id), bytes_str("")};
        break;
    case HGTP_JOIN_ROOM:
    case HGTP_EXIT_ROOM:
        msg.room_name = original_base64(room, room_base64);
        break;
    case HGTP_INVITE_USER_FROM_ROOM:
    case HGTP_REMOVE_USER_FROM_ROOM:
        msg.peer = (struct hgtp_peer){original_base64(room, room_base64),
                                      original_base64(peer, peer_base64)};
        break;
    default:
        msg.body = bytes_of(NULL, 0);
        break;
    }
    SIM_TELL(user, room, "clicks %s %s %s", hgtp_type_name(type), room, peer);
    if (type == HGTP_CREATE_ROOM || type == HGTP_JOIN_ROOM) {
        snprintf(o->room, sizeof o->room, "%s", room);
    }
    if (type != HGTP_INVITE_USER_FROM_ROOM && type != HGTP_REMOVE_USER_FROM_ROOM &&
        type != HGTP_REFRESH) {
        o->asked = type; /* the others change nothing here, whatever comes */
        o->asked_us = sim_now_us;
        o->asked_is_lost = false;
    }
    sim_operation();
    original_send(user, &msg);
}

/* Answers ----------------------------------------------------------------------------------------
 */

static void original_breaks(struct sim_user *user, const struct hgtp_header *header)
{
    sim_wrong(user, user->original->room, "the original client is broken by %s to %s",
              hgtp_type_name(header->type), hgtp_type_name(header->request_type));
}

static void original_on_room_answer(struct sim_user *user, const struct hgtp_header *header)
{
    struct sim_original *o = user->original;
    bool is_create = header->request_type == HGTP_CREATE_ROOM;
    switch (header->type) {
    case HGTP_OK:
        o->is_member = true;
        o->is_manager = is_create;
        o->refusal_count = 0;
        o->is_misled = false;
        break;
    case HGTP_BAD_REQUEST:
        o->refusal_count++;
        original_leave_room(o);
        break;
    case HGTP_DECLINE:
        if (is_create) {
            original_leave_room(o);
            break;
        }
        original_breaks(user, header);
        break;
    default:
        original_breaks(user, header);
        break;
    }
}

static void original_on_response(struct sim_user *user, const struct hgtp_message *msg)
{
    struct sim_original *o = user->original;
    const struct hgtp_header *header = &msg->header;
    struct hgtp_reason reason = {0};
    bool has_reason = header->type != HGTP_OK && header->type != HGTP_UNAUTHORIZED &&
                      hgtp_reason_decode(msg->body, &reason);
    SIM_TELL(user, o->room, "%s: %s %s", hgtp_type_name(header->request_type),
             hgtp_type_name(header->type), has_reason ? err_name((enum err)reason.code) : "");
    bool is_way_out =
        header->request_type == HGTP_DELETE_ROOM || header->request_type == HGTP_EXIT_ROOM;
    if (is_way_out && header->type == HGTP_OK && o->is_member) {
        original_leave_room(o); /* however late it comes */
        o->refusal_count = 0;
        o->is_misled = false;
    }
    if (header->request_type != o->asked) {
        return; /* to something that it does not wait for, or a copy */
    }
    if (header->type == HGTP_UNAUTHORIZED) {
        if (o->asked == HGTP_REGISTER) {
            original_prove(user, msg);
        }
        return;
    }
    o->asked = 0;
    switch (header->request_type) {
    case HGTP_REGISTER:
        if (header->type == HGTP_OK) {
            o->state = ORIGINAL_REGISTERED;
            user->was_kicked = false;
            o->refusal_count = 0;
        }
        break;
    case HGTP_CREATE_ROOM:
    case HGTP_JOIN_ROOM:
        original_on_room_answer(user, header);
        break;
    case HGTP_DELETE_ROOM:
    case HGTP_EXIT_ROOM:
        o->refusal_count += header->type == HGTP_OK ? 0 : 1;
        break;
    default:
        break;
    }
}

static void original_on_relay(struct sim_user *user, const struct hgtp_message *msg)
{
    struct sim_original *o = user->original;
    uint8_t name[64], room[64];
    struct sink name_out = sink_into(name, sizeof name), room_out = sink_into(room, sizeof room);
    bool is_invite = msg->header.type == HGTP_INVITE_USER_FROM_ROOM;
    if (o->state != ORIGINAL_REGISTERED || !base64_decode(msg->peer.peer_name, &name_out) ||
        !bytes_equal(sink_bytes(&name_out), bytes_str(user->name)) ||
        !base64_decode(msg->peer.room_name, &room_out)) {
        return;
    }
    bool accepts = (o->room[0] != '\0') != is_invite;
    SIM_TELL(user, o->room, "%s %s %.*s", accepts ? "obeys" : "declines",
             hgtp_type_name(msg->header.type), is_invite ? (int)room_out.len : 0,
             (const char *)room);
    if (accepts && is_invite) {
        snprintf(o->room, sizeof o->room, "%.*s", (int)room_out.len, (const char *)room);
        o->is_member = true;
        o->is_manager = false;
        o->is_misled = false;
    } else if (accepts) {
        o->is_misled = o->asked == HGTP_JOIN_ROOM || o->asked == HGTP_CREATE_ROOM;
        original_leave_room(o);
    }
    struct hgtp_message answer = {.header =
                                      original_header(user, accepts ? HGTP_OK : HGTP_DECLINE,
                                                      (int32_t)((uint32_t)msg->header.seq + 1))};
    answer.header.request_type = msg->header.type;
    original_send(user, &answer);
}

void sim_original_on_datagram(struct sim_user *user, uint16_t port, struct bytes datagram)
{
    struct sim_original *o = user->original;
    struct hgtp_message msg;
    (void)port;
    if (o->frozen_us > sim_now_us) {
        return; /* a stopped process; what is more than its buffer takes is lost */
    }
    if (hgtp_decode(datagram, &msg) != HGTP_DECODED) {
        sim_wrong(user, NULL, "gets a datagram that is none");
        return;
    }
    bool is_mine = memcmp(msg.header.user_id, o->uid, HGTP_USER_ID_BYTES) == 0;
    if (hgtp_type_is_request(msg.header.type)) {
        if (is_mine) {
            original_on_relay(user, &msg);
        }
    } else if (is_mine) {
        original_on_response(user, &msg);
    } else {
        SIM_TELL(user, NULL, "gets a response for %.8s", (const char *)msg.header.user_id);
    }
}

/* It does not know: what it believes may differ from what is. */
void sim_original_on_lost(struct sim_user *user, struct bytes datagram)
{
    struct sim_original *o = user->original;
    (void)datagram;
    o->asked_is_lost = true;
    o->is_misled = true;
}

/* Pushes -----------------------------------------------------------------------------------------
 */

/* The next base64 string behind `at`, decoded; NULL: there is none. */
static const uint8_t *push_string(const uint8_t *at, const uint8_t *end, struct sink *ret_text)
{
    static const char escaped[] = "\\u003d";
    const uint8_t *open = memchr(at, '"', (size_t)(end - at));
    const uint8_t *close = open != NULL ? memchr(open + 1, '"', (size_t)(end - open - 1)) : NULL;
    if (close == NULL) {
        return NULL;
    }
    const uint8_t *pad = memmem(open, (size_t)(close - open), escaped, sizeof escaped - 1);
    struct bytes base64 = bytes_of(open + 1, (size_t)((pad != NULL ? pad : close) - open - 1));
    ret_text->len = 0;
    bool is_base64 = base64_decode(base64, ret_text);
    assert(is_base64 && sink_fits(ret_text));
    return close + 1;
}

/* The value of a member. */
static bool push_member(struct bytes body, const char *name, struct sink *ret_text)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const uint8_t *at = memmem(body.ptr, body.len, quoted, strlen(quoted));
    return at != NULL && push_string(at + strlen(quoted), body.ptr + body.len, ret_text) != NULL;
}

static void original_on_members(struct sim_user *user, struct bytes body)
{
    struct sim_original *o = user->original;
    const uint8_t *end = body.ptr + body.len, *at = memchr(body.ptr, '[', body.len);
    struct sink out = sink_into(o->members, sizeof o->members - 1);
    uint8_t storage[64];
    struct sink name = sink_into(storage, sizeof storage);
    while (at != NULL && (at = push_string(at, end, &name)) != NULL) {
        sink_put(&out, sink_bytes(&name));
        sink_text(&out, " ");
    }
    assert(sink_fits(&out));
    o->members[out.len] = '\0';
    o->has_members = true;
}

void sim_original_on_push(struct sim_user *user, const uint8_t uid[8], enum push_type type,
                          struct bytes body)
{
    struct sim_original *o = user->original;
    uint8_t who[64], text[256];
    struct sink who_out = sink_into(who, sizeof who), text_out = sink_into(text, sizeof text);
    if (memcmp(uid, o->uid, sizeof o->uid) != 0) {
        SIM_TELL(user, NULL, "is pushed something for %.8s", (const char *)uid);
    }
    if (type == PUSH_ROOM_USER_LIST) {
        original_on_members(user, body);
    } else if (type == PUSH_MESSAGE && push_member(body, "hostName", &who_out) &&
               push_member(body, "message", &text_out)) {
        SIM_TELL(user, o->room, "is shown '%.*s'", (int)text_out.len, (const char *)text);
        sim_check_push(user, sink_bytes(&who_out), sink_bytes(&text_out));
    }
}

/* What it does -----------------------------------------------------------------------------------
 */

static void original_on_said(struct sim_user *user, enum err err, uint64_t seq, struct bytes reply,
                             uint64_t tag)
{
    char text[40];
    (void)reply;
    snprintf(text, sizeof text, "%s:%llu", user->name, (unsigned long long)tag);
    if (err == ERR_NONE) {
        sim_check_ack(user, bytes_str(text), seq);
    } else {
        SIM_TELL(user, user->original->room, "'%s' is refused: %s", text, err_name(err));
        sim_check_refused(user, bytes_str(text), err);
    }
}

static void original_say(struct sim_user *user)
{
    struct sim_original *o = user->original;
    char text[40];
    uint32_t number = ++user->message_count;
    snprintf(text, sizeof text, "%s:%u", user->name, number);
    SIM_TELL(user, o->room, "says '%s'", text);
    sim_operation();
    sim_post(user, original_node(user), SIM_SAID_MESSAGE, bytes_of(o->uid, sizeof o->uid),
             bytes_of(NULL, 0), bytes_str(text), original_on_said, number);
}

static void original_is_stuck(struct sim_user *user)
{
    struct sim_original *o = user->original;
    SIM_TELL(user, o->room, "is stuck: %s was not answered", hgtp_type_name(o->asked));
    bool is_nodes_fault = !sim_fault_was_on(FAULT_udp) && !sim_fault_was_on(FAULT_freeze) &&
                          o->asked_node->life == o->asked_life && !o->asked_is_lost &&
                          o->asked_node->phase == SIM_UP;
    if (is_nodes_fault) {
        sim_wrong(user, o->room, "n%d has not answered %s", o->asked_node->index,
                  hgtp_type_name(o->asked));
    }
    o->is_stuck = true;
    o->stuck_us = sim_now_us;
}

void sim_original_tick(struct sim_user *user)
{
    struct sim_original *o = user->original;
    if (o->state == ORIGINAL_ENDED) {
        if (sim_now_us >= o->start_us) {
            original_start(user);
        }
        return;
    }
    if (o->frozen_us > sim_now_us) {
        return;
    }
    bool waits_for_room = o->asked == HGTP_JOIN_ROOM || o->asked == HGTP_CREATE_ROOM;
    int64_t patience_us = waits_for_room ? ORIGINAL_STUCK_US : ORIGINAL_CLICK_US;
    if (o->is_stuck && sim_now_us - o->stuck_us > ORIGINAL_CLICK_US) {
        sim_original_crash(user);
    } else if (o->asked != 0 && !o->is_stuck && sim_now_us - o->asked_us > patience_us) {
        if (waits_for_room) {
            original_is_stuck(user);
        } else {
            o->asked = 0; /* its user may click again */
        }
    }
}

static void original_act_in_room(struct sim_user *user)
{
    struct sim_original *o = user->original;
    uint32_t dice = sim_below(1000);
    const struct sim_user *peer = &sim_users[sim_below((uint32_t)sim_user_count)];
    if (dice < 700) {
        original_say(user);
    } else if (dice < 760) {
        original_ask(user, o->is_manager ? HGTP_DELETE_ROOM : HGTP_EXIT_ROOM, o->room, "");
    } else if (dice < 840 && o->is_manager) {
        original_ask(user, HGTP_INVITE_USER_FROM_ROOM, o->room, peer->name);
    } else if (dice < 890 && o->is_manager) {
        original_ask(user, HGTP_REMOVE_USER_FROM_ROOM, o->room, peer->name);
    } else if (dice < 920 && sim_now_us - o->refresh_us > REFRESH_EVERY_US) {
        o->refresh_us = sim_now_us;
        original_ask(user, HGTP_REFRESH, "", "");
    }
}

static void original_sign_off(struct sim_user *user)
{
    struct sim_original *o = user->original;
    original_ask(user, HGTP_UNREGISTER, "", "");
    o->state = ORIGINAL_IDLE; /* it does not wait */
    o->asked = 0;
}

static void original_act_outside(struct sim_user *user)
{
    struct sim_original *o = user->original;
    uint32_t dice = sim_below(1000);
    const char *room = sim_room_name((int)sim_below(SIM_ROOMS));
    if (dice < 550) {
        original_ask(user, HGTP_JOIN_ROOM, room, "");
    } else if (dice < 800) {
        original_ask(user, HGTP_CREATE_ROOM, room, "");
    } else if (dice < 815 || o->refusal_count >= REFUSALS_MAX) {
        original_sign_off(user);
    } else if (dice < 830 && sim_now_us - o->refresh_us > REFRESH_EVERY_US) {
        o->refresh_us = sim_now_us;
        original_ask(user, HGTP_REFRESH, "", "");
    }
}

void sim_original_act(struct sim_user *user)
{
    struct sim_original *o = user->original;
    if (o->state == ORIGINAL_ENDED || o->is_stuck || o->asked != 0 || o->frozen_us > sim_now_us) {
        return;
    }
    if (o->state == ORIGINAL_IDLE) {
        if (user->wants_out) {
            user->is_done = true;
        } else {
            original_register(user);
        }
    } else if (user->wants_out) {
        if (o->room[0] != '\0') {
            original_ask(user, o->is_manager ? HGTP_DELETE_ROOM : HGTP_EXIT_ROOM, o->room, "");
        } else {
            original_sign_off(user);
        }
    } else if (o->room[0] != '\0') {
        original_act_in_room(user);
    } else {
        original_act_outside(user);
    }
}

struct sim_belief sim_original_belief(const struct sim_user *user)
{
    const struct sim_original *o = user->original;
    struct sim_belief belief = {.is_registered = o->state == ORIGINAL_REGISTERED,
                                .is_unsure =
                                    o->asked != 0 || o->is_stuck || o->state == ORIGINAL_ENDED,
                                .was_misled = o->is_misled,
                                .members = o->has_members ? o->members : NULL};
    memcpy(belief.uid, o->uid, HGTP_USER_ID_BYTES);
    memcpy(belief.room, o->room, sizeof belief.room);
    return belief;
}
