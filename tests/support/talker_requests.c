/* SPDX-License-Identifier: MIT */
/* talker_requests: HGTP over binary frames: what a modern user asks, and what it is asked. */
#include "talker_parts.h"

#include <assert.h>

#include "proto/base64.h"

bool talker_decode(const struct ws_client_message *message, struct hgtp_message *ret_msg)
{
    return message->kind == WS_CLIENT_BINARY &&
           hgtp_decode(message->payload, ret_msg) == HGTP_DECODED;
}

void talker_send(struct talker *talker, struct bytes message)
{
    ws_client_send_frame(talker->ws, WS_CLIENT_FIN | WS_CLIENT_BINARY, message);
}

/* Waits ---------------------------------------------------------------------------------------- */

struct talker_answer {
    const struct talker *talker;
    uint8_t type;
    int32_t seq;
    bool is_any; /* of all numbers */
};

static bool talker_is_answer(const struct ws_client_message *message, const void *arg)
{
    const struct talker_answer *wanted = arg;
    struct hgtp_message msg;
    if (!talker_decode(message, &msg) || hgtp_type_is_request(msg.header.type)) {
        return false;
    }
    return wanted->is_any ? msg.header.request_type == wanted->type
                          : talk_request_answered(&msg.header, wanted->type, wanted->seq);
}

static bool talker_is_relay(const struct ws_client_message *message, const void *arg)
{
    const struct talker_answer *wanted = arg;
    struct hgtp_message msg;
    return talker_decode(message, &msg) && msg.header.type == wanted->type;
}

static struct talker_reply talker_wait_binary(struct talker *talker, ws_client_fits_fn *fits,
                                              const struct talker_answer *wanted)
{
    struct talker_reply reply = {0};
    const struct ws_client_message *message =
        ws_client_wait(talker->ws, fits, wanted, TALKER_WAIT_MS);
    reply.has_come = message != NULL && talker_decode(message, &reply.msg);
    return reply;
}

struct talker_reply talker_wait_response(struct talker *talker, enum hgtp_type request_type)
{
    const struct talker_answer wanted = {talker, (uint8_t)request_type, 0, true};
    return talker_wait_binary(talker, talker_is_answer, &wanted);
}

struct talker_reply talker_wait_relay(struct talker *talker, enum hgtp_type type)
{
    const struct talker_answer wanted = {.talker = talker, .type = (uint8_t)type};
    return talker_wait_binary(talker, talker_is_relay, &wanted);
}

/* Relays --------------------------------------------------------------------------------------- */

void talker_answer_relay(struct talker *talker, const struct talker_reply *relay,
                         enum hgtp_type type)
{
    uint8_t storage[HGTP_HEADER_BYTES];
    struct sink out = sink_into(storage, sizeof storage);
    const struct hgtp_header *header = &relay->msg.header;
    talk_request_put(&talker->speaker, type, header->type, (int32_t)((uint32_t)header->seq + 1),
                     bytes_of(NULL, 0), &out);
    talker_send(talker, sink_bytes(&out));
}

static bool talker_is_named(const struct talker *talker, struct bytes base64)
{
    char name[ORIGINAL_NAME_MAX];
    struct sink out = sink_into(name, sizeof name);
    return base64_decode(base64, &out) && sink_fits(&out) &&
           bytes_equal(sink_bytes(&out), bytes_str(talker->options.name));
}

void talker_on_relay(struct talker *talker, const struct hgtp_message *msg)
{
    const struct talker_reply relay = {true, *msg};
    bool is_relay = msg->header.type == HGTP_INVITE_USER_FROM_ROOM ||
                    msg->header.type == HGTP_REMOVE_USER_FROM_ROOM;
    if (!is_relay || talker->relay == ORIGINAL_RELAY_SILENT ||
        memcmp(msg->header.user_id, talker->speaker.user_id, HGTP_USER_ID_BYTES) != 0) {
        return;
    }
    bool agrees =
        talker->relay == ORIGINAL_RELAY_ANSWER && talker_is_named(talker, msg->peer.peer_name);
    talker_answer_relay(talker, &relay, agrees ? HGTP_OK : HGTP_DECLINE);
}

/* Requests ------------------------------------------------------------------------------------- */

static struct talker_reply talker_ask(struct talker *talker, enum hgtp_type type, int32_t seq,
                                      const struct sink *request)
{
    const struct talker_answer wanted = {talker, (uint8_t)type, seq, false};
    assert(sink_fits(request));
    talker_send(talker, sink_bytes(request));
    return talker_wait_binary(talker, talker_is_answer, &wanted);
}

static struct talker_reply talker_ask_room(struct talker *talker, enum hgtp_type type,
                                           const char *room)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    int32_t seq = talk_request_room(&talker->speaker, type, talker->room_id, room, &out);
    return talker_ask(talker, type, seq, &out);
}

struct talker_reply talker_create(struct talker *talker, const char *room)
{
    talk_request_room_id(talker->room_id);
    return talker_ask_room(talker, HGTP_CREATE_ROOM, room);
}

struct talker_reply talker_delete(struct talker *talker)
{
    return talker_ask_room(talker, HGTP_DELETE_ROOM, "");
}

static struct talker_reply talker_ask_name(struct talker *talker, enum hgtp_type type,
                                           const char *room)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    int32_t seq = talk_request_name(&talker->speaker, type, room, &out);
    return talker_ask(talker, type, seq, &out);
}

struct talker_reply talker_join(struct talker *talker, const char *room)
{
    return talker_ask_name(talker, HGTP_JOIN_ROOM, room);
}

struct talker_reply talker_exit(struct talker *talker, const char *room)
{
    return talker_ask_name(talker, HGTP_EXIT_ROOM, room);
}

static struct talker_reply talker_ask_peer(struct talker *talker, enum hgtp_type type,
                                           const char *room, const char *peer)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    int32_t seq = talk_request_peer(&talker->speaker, type, room, peer, &out);
    return talker_ask(talker, type, seq, &out);
}

struct talker_reply talker_invite(struct talker *talker, const char *room, const char *peer)
{
    return talker_ask_peer(talker, HGTP_INVITE_USER_FROM_ROOM, room, peer);
}

struct talker_reply talker_remove(struct talker *talker, const char *room, const char *peer)
{
    return talker_ask_peer(talker, HGTP_REMOVE_USER_FROM_ROOM, room, peer);
}

static struct talker_reply talker_ask_plain(struct talker *talker, enum hgtp_type type)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    int32_t seq = talk_request_plain(&talker->speaker, type, &out);
    return talker_ask(talker, type, seq, &out);
}

struct talker_reply talker_refresh(struct talker *talker)
{
    return talker_ask_plain(talker, HGTP_REFRESH);
}

struct talker_reply talker_unregister(struct talker *talker)
{
    return talker_ask_plain(talker, HGTP_UNREGISTER);
}
