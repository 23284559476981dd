/* SPDX-License-Identifier: MIT */
/*
 * load_udp: requests as datagrams: registering by the original's digest, opening rooms, entering
 * and leaving them. A bounded number is under way, each session has at most one, and what gets no
 * answer is sent again. It looks at the type of an answer and at nothing else.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load_parts.h"
#include "proto/base64.h"
#include "proto/digest.h"

#define LOAD_UDP_KEY       "950817"
#define LOAD_UDP_LOOPBACK  0x7f000001u
#define LOAD_UDP_WINDOW    128
#define LOAD_UDP_REPEAT_MS 1000
#define LOAD_UDP_BUFFER    (4 << 20)

static size_t load_udp_node_of(const struct load *load, const struct load_session *session)
{
    return (size_t)(session - load->sessions) % load->options.node_count;
}

static size_t load_udp_room_of(const struct load *load, const struct load_session *session)
{
    return (size_t)(session - load->sessions) % load->options.room_count;
}

static bool load_udp_is_manager(const struct load *load, const struct load_session *session)
{
    return (size_t)(session - load->sessions) < load->options.room_count;
}

static void load_udp_send_again(struct load *load, struct load_session *session)
{
    uv_buf_t buf = uv_buf_init((char *)session->sent, (unsigned)session->sent_bytes);
    (void)uv_udp_try_send(&load->udp[load_udp_node_of(load, session)], &buf, 1, NULL);
    session->repeat_ms = load_now_us() / 1000 + LOAD_UDP_REPEAT_MS;
}

static void load_udp_send(struct load *load, struct load_session *session, struct hgtp_message *msg,
                          int32_t seq)
{
    struct sink out = sink_into(session->sent, sizeof session->sent);
    memcpy(msg->header.user_id, session->user_id, HGTP_USER_ID_BYTES);
    msg->header.request_type = msg->header.type;
    msg->header.seq = seq;
    msg->header.timestamp_ms = ++session->timestamp_ms;
    hgtp_encode(msg, &out);
    assert(sink_fits(&out));
    session->sent_type = msg->header.type;
    session->sent_bytes = out.len;
    session->sent_us = load_now_us();
    session->is_busy = true;
    load_udp_send_again(load, session);
}

static struct bytes load_udp_name(char kind, size_t number, char ret_text[32])
{
    char plain[24];
    struct sink out = sink_into(ret_text, 32);
    snprintf(plain, sizeof plain, "%c%zu", kind, number);
    base64_encode(bytes_str(plain), &out);
    return sink_bytes(&out);
}

static void load_udp_register(struct load *load, struct load_session *session)
{
    char name[32];
    struct hgtp_message msg = {
        .header.type = HGTP_REGISTER,
        .reg = {3600, LOAD_UDP_LOOPBACK, 9,
                load_udp_name('u', (size_t)(session - load->sessions), name)}};
    load_udp_send(load, session, &msg, 1);
}

static void load_udp_prove(struct load *load, struct load_session *session, struct bytes realm)
{
    uint8_t digest[DIGEST_LEGACY_MAX];
    struct sink out = sink_into(digest, sizeof digest);
    digest_legacy(realm, bytes_str(LOAD_UDP_KEY), &out);
    /* No two clients are at one address: all of 127.0.0.0/8 is this machine. */
    uint32_t ip = LOAD_UDP_LOOPBACK + (uint32_t)(session - load->sessions);
    struct hgtp_message msg = {.header.type = HGTP_REGISTER,
                               .reg = {3600, ip, load->push_port, sink_bytes(&out)}};
    load_udp_send(load, session, &msg, 3);
}

static void load_udp_enter(struct load *load, struct load_session *session, bool is_exit)
{
    char name[32], id[24];
    size_t room = load_udp_room_of(load, session);
    struct bytes name64 = load_udp_name('r', room, name);
    snprintf(id, sizeof id, "%012zu", room);
    struct hgtp_message msg = {.header.type = is_exit ? HGTP_EXIT_ROOM : HGTP_JOIN_ROOM};
    if (load_udp_is_manager(load, session)) {
        msg.header.type = HGTP_CREATE_ROOM;
        msg.room = (struct hgtp_room){bytes_str(id), name64};
    } else {
        msg.room_name = name64;
    }
    load_udp_send(load, session, &msg, 1);
}

void load_udp_set_up_next(struct load *load)
{
    while (load->under_way < LOAD_UDP_WINDOW && load->next_setup < load->setup_end) {
        struct load_session *session = &load->sessions[load->next_setup++];
        load->under_way++;
        if (load->wanted == STEP_REGISTERED) {
            load_udp_register(load, session);
        } else {
            load_udp_enter(load, session, false);
        }
    }
}

void load_udp_move_next(struct load *load)
{
    size_t movable = load->options.session_count - load->options.room_count;
    for (size_t tried = 0; tried < movable && load->under_way < LOAD_UDP_WINDOW; tried++) {
        struct load_session *session =
            &load->sessions[load->options.room_count + load->next_mover++ % movable];
        if (!session->is_busy) {
            load->under_way++;
            load_udp_enter(load, session, session->step == STEP_IN_ROOM);
        }
    }
}

/* The request has its final answer; the next may go. */
static void load_udp_settle(struct load *load, struct load_session *session)
{
    assert(load->under_way > 0);
    session->is_busy = false;
    load->under_way--;
    if (load->is_setting_up) {
        load_udp_set_up_next(load);
    } else if (load->is_running) {
        load_udp_move_next(load);
    }
}

static void load_udp_done(struct load *load, struct load_session *session, enum load_step step)
{
    session->step = step;
    if (load->is_setting_up) {
        load->ready_count++;
    } else {
        load_sample(load, session->sent_us);
    }
    load_udp_settle(load, session);
}

static void load_udp_refused(struct load *load, struct load_session *session, uint8_t type)
{
    load->figures.refused++;
    if (load->is_setting_up && !load->is_failed) {
        const char *name = hgtp_type_name(type);
        fprintf(stderr, "%s is answered with %s\n", hgtp_type_name(session->sent_type),
                name != NULL ? name : "something unknown");
        load->is_failed = true;
    }
    load_udp_settle(load, session);
}

static void load_udp_on_response(struct load *load, struct load_session *session,
                                 const struct hgtp_message *msg)
{
    uint8_t type = msg->header.type;
    if (!session->is_busy || msg->header.request_type != session->sent_type) {
        return;
    }
    if (type == HGTP_UNAUTHORIZED && session->step == STEP_NEW) {
        session->step = STEP_PROVING;
        load_udp_prove(load, session, msg->challenge.realm);
    } else if (type == HGTP_UNAUTHORIZED && session->step == STEP_PROVING) {
        return; /* to the repetition of the first REGISTER */
    } else if (type != HGTP_OK) {
        load_udp_refused(load, session, type);
    } else if (session->sent_type == HGTP_REGISTER || session->sent_type == HGTP_EXIT_ROOM) {
        load_udp_done(load, session, STEP_REGISTERED);
    } else {
        load_udp_done(load, session, STEP_IN_ROOM);
    }
}

static void load_udp_on_datagram(uv_udp_t *udp, ssize_t len, const uv_buf_t *buf,
                                 const struct sockaddr *from, unsigned flags)
{
    struct load *load = udp->loop->data;
    struct hgtp_message msg;
    (void)flags;
    if (len <= 0 || from == NULL ||
        hgtp_decode(bytes_of(buf->base, (size_t)len), &msg) != HGTP_DECODED) {
        return;
    }
    char id[HGTP_USER_ID_BYTES + 1] = "";
    memcpy(id, msg.header.user_id, HGTP_USER_ID_BYTES);
    size_t number = strtoul(id, NULL, 10);
    if (number < load->options.session_count) {
        load_udp_on_response(load, &load->sessions[number], &msg);
    }
}

void load_udp_repeat(struct load *load)
{
    int64_t now_ms = load_now_us() / 1000;
    for (size_t i = 0; i < load->options.session_count; i++) {
        struct load_session *session = &load->sessions[i];
        if (session->is_busy && now_ms >= session->repeat_ms) {
            load_udp_send_again(load, session);
        }
    }
}

bool load_udp_open(struct load *load)
{
    bool is_good = true;
    for (size_t i = 0; i < load->options.node_count; i++) {
        struct sockaddr_in to = load_address(load->options.hgtp_ports[i]);
        int buffer = LOAD_UDP_BUFFER;
        uv_udp_init(&load->loop, &load->udp[i]);
        is_good = is_good && uv_udp_connect(&load->udp[i], (struct sockaddr *)&to) == 0 &&
                  uv_udp_recv_start(&load->udp[i], load_on_alloc, load_udp_on_datagram) == 0;
        (void)uv_recv_buffer_size((uv_handle_t *)&load->udp[i], &buffer);
    }
    return is_good;
}

void load_udp_close(struct load *load)
{
    for (size_t i = 0; i < load->options.node_count; i++) {
        uv_close((uv_handle_t *)&load->udp[i], NULL);
    }
}
