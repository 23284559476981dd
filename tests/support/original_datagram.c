/* SPDX-License-Identifier: MIT */
/*
 * original_datagram: what the client does with a datagram: it believes responses, answers relayed
 * INVITE and REMOVE without asking its user, and loses a worker where the original does. Reading is
 * proto/hgtp.c's; what the original drops for its size or its names is dropped here.
 */
#include "original_parts.h"

#include <stdio.h>
#include <sys/socket.h>

#include "proto/base64.h"

#define ORIGINAL_WORKERS  2
#define ORIGINAL_PORT_MAX 32767

/* Responses ------------------------------------------------------------------------------------ */

static void original_leave(struct original *original)
{
    original->in_room = false;
    original->is_manager = false;
    original->room_name[0] = '\0';
    original->room_id[0] = '\0';
}

static void original_datagram_on_challenge(struct original *original,
                                           const struct hgtp_message *msg)
{
    struct bytes realm = msg->challenge.realm;
    uint16_t port = msg->challenge.http_port;
    if (port == 0 || port > ORIGINAL_PORT_MAX || realm.len >= sizeof original->realm) {
        original->workers_lost++;
        return;
    }
    memcpy(original->realm, realm.ptr, realm.len);
    original->realm[realm.len] = '\0';
    original_talk_open(original, port);
    if (original->talk.fd < 0) {
        original->workers_lost++;
        return;
    }
    if (!original->options.is_manual) {
        uint32_t seq = (uint32_t)msg->header.seq + 1;
        original_send_proof(original, (int32_t)seq, original->realm, original->options.key);
    }
}

static void original_datagram_on_registered(struct original *original,
                                            const struct hgtp_message *msg)
{
    struct bytes token;
    original->registered = msg->header.type == HGTP_OK;
    if (original->registered && hgtp_token_decode(msg->body, &token) &&
        token.len <= sizeof original->token) {
        memcpy(original->token, token.ptr, token.len);
        original->token_bytes = token.len;
    }
}

/* CREATE and JOIN: which refusals the original can live with. */
static void original_datagram_on_entered(struct original *original,
                                         const struct hgtp_header *header)
{
    bool is_create = header->request_type == HGTP_CREATE_ROOM;
    switch (header->type) {
    case HGTP_OK:
        original->is_manager = is_create;
        break;
    case HGTP_BAD_REQUEST:
        original_leave(original);
        break;
    case HGTP_DECLINE:
        original->is_stuck = original->is_stuck || !is_create;
        if (is_create) {
            original_leave(original);
        }
        break;
    case HGTP_SERVER_UNAVAILABLE:
        original->is_dirty = true;
        original_leave(original);
        break;
    default:
        original->is_stuck = true;
        break;
    }
}

static void original_datagram_on_response(struct original *original, const struct hgtp_message *msg)
{
    const struct hgtp_header *header = &msg->header;
    if (memcmp(header->user_id, original->user_id, HGTP_USER_ID_BYTES) != 0) {
        original->workers_lost++;
        return;
    }
    switch (header->request_type) {
    case HGTP_REGISTER:
        if (header->type == HGTP_UNAUTHORIZED) {
            original_datagram_on_challenge(original, msg);
        } else {
            original_datagram_on_registered(original, msg);
        }
        break;
    case HGTP_CREATE_ROOM:
    case HGTP_JOIN_ROOM:
        original_datagram_on_entered(original, header);
        break;
    case HGTP_DELETE_ROOM:
    case HGTP_EXIT_ROOM:
        if (header->type == HGTP_OK) {
            original_leave(original);
        }
        break;
    default:
        break;
    }
}

/* Requests ------------------------------------------------------------------------------------- */

void original_answer_relay(struct original *original, const struct original_event *relay,
                           enum hgtp_type type)
{
    const struct hgtp_header *header = &relay->msg.header;
    if (type == HGTP_OK && header->type == HGTP_INVITE_USER_FROM_ROOM) {
        struct sink name = sink_into(original->room_name, sizeof original->room_name - 1);
        (void)base64_decode(relay->msg.peer.room_name, &name);
        original->room_name[sink_fits(&name) ? name.len : 0] = '\0';
        original->in_room = true;
    } else if (type == HGTP_OK) {
        original_leave(original);
    }
    original_send(original, type, header->type, (int32_t)((uint32_t)header->seq + 1),
                  bytes_of(NULL, 0));
}

/* The three reasons for which the original drops a relayed request without a word. */
static bool original_datagram_is_heard(const struct original *original,
                                       const struct original_event *event)
{
    char name[ORIGINAL_NAME_MAX];
    struct sink out = sink_into(name, sizeof name);
    return event->raw.len >= HGTP_RELAY_MIN_BYTES &&
           memcmp(event->msg.header.user_id, original->user_id, HGTP_USER_ID_BYTES) == 0 &&
           base64_decode(event->msg.peer.peer_name, &out) && sink_fits(&out) &&
           bytes_equal(sink_bytes(&out), bytes_str(original->options.name));
}

static void original_datagram_on_relay(struct original *original,
                                       const struct original_event *event)
{
    if (!original_datagram_is_heard(original, event) || original->relay == ORIGINAL_RELAY_SILENT) {
        return;
    }
    bool is_invite = event->msg.header.type == HGTP_INVITE_USER_FROM_ROOM;
    bool agrees = is_invite != original->in_room && original->relay == ORIGINAL_RELAY_ANSWER;
    original_answer_relay(original, event, agrees ? HGTP_OK : HGTP_DECLINE);
}

static void original_datagram_on_request(struct original *original,
                                         const struct original_event *event)
{
    const struct hgtp_header *header = &event->msg.header;
    if (header->type == HGTP_INVITE_USER_FROM_ROOM || header->type == HGTP_REMOVE_USER_FROM_ROOM) {
        original_datagram_on_relay(original, event);
    } else {
        original_send(original, HGTP_BAD_REQUEST, header->type,
                      (int32_t)((uint32_t)header->seq + 1), bytes_of(NULL, 0));
    }
}

/* Sockets -------------------------------------------------------------------------------------- */

static void original_datagram_take(struct original *original, struct original_event *event)
{
    event->decoded = hgtp_decode(event->raw, &event->msg);
    if (original->workers_lost < ORIGINAL_WORKERS) {
        if (event->decoded == HGTP_BAD_BODY) {
            original->workers_lost++;
        } else if (event->decoded == HGTP_DECODED && hgtp_type_is_request(event->msg.header.type)) {
            original_datagram_on_request(original, event);
        } else if (event->decoded == HGTP_DECODED) {
            original_datagram_on_response(original, &event->msg);
        }
    }
    original_tell(original, event);
}

/* When the kernel took the datagram; so the order of arrival at several sockets can be told. */
static int64_t original_datagram_arrived_ns(struct msghdr *header)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL;
         part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec at;
            memcpy(&at, CMSG_DATA(part), sizeof at);
            return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
        }
    }
    return 0;
}

static void original_datagram_read(struct original *original, int fd, bool at_declared)
{
    for (;;) {
        uint8_t storage[HGTP_DATAGRAM_MAX], control[256];
        struct sockaddr_in from = {0};
        struct iovec into = {storage, sizeof storage};
        struct msghdr header = {.msg_name = &from,
                                .msg_namelen = sizeof from,
                                .msg_iov = &into,
                                .msg_iovlen = 1,
                                .msg_control = control,
                                .msg_controllen = sizeof control};
        ssize_t len = recvmsg(fd, &header, 0);
        if (len < 0) {
            /* Nothing more, or "connection refused" because no server is there. */
            return;
        }
        if (len == 0) {
            original->empty_datagrams++;
            continue;
        }
        struct original_event *event =
            original_log_add(&original->log, ORIGINAL_DATAGRAM, bytes_of(storage, (size_t)len));
        event->at_declared = at_declared;
        event->arrived_ns = original_datagram_arrived_ns(&header);
        event->from_ip = ntohl(from.sin_addr.s_addr);
        event->from_port = ntohs(from.sin_port);
        original_datagram_take(original, event);
    }
}

void original_datagram_on_declared(short revents, void *arg)
{
    (void)revents;
    struct original *original = arg;
    original_datagram_read(original, original->udp_declared.fd, true);
}

void original_datagram_on_sending(short revents, void *arg)
{
    (void)revents;
    struct original *original = arg;
    original_datagram_read(original, original->udp_sending.fd, false);
}
