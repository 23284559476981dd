/* SPDX-License-Identifier: MIT */
/*
 * control_socket: slots of a REP socket, each an nng context: receive, wait for the answer, send,
 * receive again. nng's threads only pass slots to the loop. The socket is never closed, because nng
 * 1.5 may hang when it is under traffic; the process ends with it open.
 */
#include "control_socket.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/supplemental/tls/tls.h>
#include <stdio.h>
#include <stdlib.h>

enum control_socket_state { CONTROL_SLOT_RECEIVING, CONTROL_SLOT_HELD, CONTROL_SLOT_SENDING };

struct control_socket_slot {
    struct control_slot slot; /* the first: control has its address */
    struct control_socket *socket;
    struct control_socket_slot *next; /* in the list of those that the loop has to take */
    nng_ctx ctx;
    nng_aio *aio;
    nng_msg *request;
    enum control_socket_state state;
};

struct control_socket {
    nng_socket socket;
    char url[256];
    uv_async_t wake;
    uv_mutex_t lock; /* of what nng's threads use: */
    struct control_socket_slot *arrived;
    bool may_wake; /* `wake` is open */
    struct control_socket_slot slots[CONTROL_SOCKET_SLOTS];
    control_request_fn *on_request; /* NULL: closed */
    void *arg;
};

static void control_socket_slot_receive(struct control_socket_slot *slot)
{
    slot->state = CONTROL_SLOT_RECEIVING;
    nng_ctx_recv(slot->ctx, slot->aio);
}

/* On one of nng's threads. */
static void control_socket_slot_on_aio(void *arg)
{
    struct control_socket_slot *slot = arg;
    int rc = nng_aio_result(slot->aio);
    if (slot->state == CONTROL_SLOT_SENDING) {
        if (rc != 0) {
            nng_msg_free(nng_aio_get_msg(slot->aio)); /* who asked has gone */
        }
        control_socket_slot_receive(slot);
        return;
    }
    if (rc == NNG_ECLOSED || rc == NNG_ECANCELED) {
        return;
    }
    if (rc != 0) {
        control_socket_slot_receive(slot);
        return;
    }
    struct control_socket *socket = slot->socket;
    slot->request = nng_aio_get_msg(slot->aio);
    slot->state = CONTROL_SLOT_HELD;
    uv_mutex_lock(&socket->lock);
    slot->next = socket->arrived;
    socket->arrived = slot;
    if (socket->may_wake) {
        (void)uv_async_send(&socket->wake);
    }
    uv_mutex_unlock(&socket->lock);
}

static void control_socket_on_wake(uv_async_t *wake)
{
    struct control_socket *socket = wake->data;
    uv_mutex_lock(&socket->lock);
    struct control_socket_slot *slot = socket->arrived;
    socket->arrived = NULL;
    uv_mutex_unlock(&socket->lock);
    while (slot != NULL && socket->on_request != NULL) {
        struct control_socket_slot *next = slot->next;
        socket->on_request(&slot->slot,
                           bytes_of(nng_msg_body(slot->request), nng_msg_len(slot->request)),
                           socket->arg);
        slot = next;
    }
}

static void control_socket_answer(struct control_slot *asked, struct bytes answer)
{
    struct control_socket_slot *slot = (struct control_socket_slot *)asked;
    nng_msg *msg = slot->request;
    slot->request = NULL;
    nng_msg_clear(msg);
    if (nng_msg_append(msg, answer.ptr, answer.len) != 0) {
        nng_msg_clear(msg); /* an empty answer is none that a client can read: it is told so */
    }
    slot->state = CONTROL_SLOT_SENDING;
    nng_aio_set_msg(slot->aio, msg);
    nng_ctx_send(slot->ctx, slot->aio);
}

static int control_socket_listen(struct control_socket *socket, const char *url,
                                 struct nng_tls_config *tls)
{
    nng_listener listener;
    int rc = nng_rep0_open(&socket->socket);
    if (rc == 0) {
        rc = nng_socket_set_size(socket->socket, NNG_OPT_RECVMAXSZ, CONTROL_RECEIVE_MAX);
    }
    if (rc == 0) {
        rc = nng_listener_create(&listener, socket->socket, url);
    }
    if (rc == 0 && strncmp(url, "tls+tcp://", 10) == 0) {
        rc = nng_listener_set_ptr(listener, NNG_OPT_TLS_CONFIG, tls);
    }
    if (rc == 0) {
        rc = nng_listener_start(listener, 0);
    }
    nng_sockaddr bound;
    snprintf(socket->url, sizeof socket->url, "%s", url);
    if (rc == 0 && nng_listener_get_addr(listener, NNG_OPT_LOCADDR, &bound) == 0 &&
        bound.s_family == NNG_AF_INET) {
        const char *host = strstr(url, "://") + 3;
        const char *port = strrchr(url, ':');
        snprintf(socket->url, sizeof socket->url, "%.*s%.*s:%u", (int)(host - url), url,
                 (int)(port - host), host,
                 (unsigned)((bound.s_in.sa_port & 0xff) << 8 | bound.s_in.sa_port >> 8));
    }
    return rc;
}

static int control_socket_fill(struct control_socket *socket)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < CONTROL_SOCKET_SLOTS; i++) {
        struct control_socket_slot *slot = &socket->slots[i];
        slot->slot.answer = control_socket_answer;
        slot->slot.is_owner = strncmp(socket->url, "inproc://", 9) == 0;
        slot->socket = socket;
        rc = nng_ctx_open(&slot->ctx, socket->socket);
        if (rc == 0) {
            rc = nng_aio_alloc(&slot->aio, control_socket_slot_on_aio, slot);
        }
    }
    for (size_t i = 0; rc == 0 && i < CONTROL_SOCKET_SLOTS; i++) {
        control_socket_slot_receive(&socket->slots[i]);
    }
    return rc;
}

struct control_socket *control_socket_open(uv_loop_t *loop, const char *url,
                                           struct nng_tls_config *tls,
                                           control_request_fn *on_request, void *arg, int *ret_rc)
{
    struct control_socket *socket = calloc(1, sizeof *socket);
    if (socket == NULL) {
        *ret_rc = NNG_ENOMEM;
        return NULL;
    }
    socket->on_request = on_request;
    socket->arg = arg;
    *ret_rc = control_socket_listen(socket, url, tls);
    if (*ret_rc != 0) {
        (void)nng_close(socket->socket); /* harmless: nobody could connect to it yet */
        free(socket);
        return NULL;
    }
    uv_mutex_init(&socket->lock);
    uv_async_init(loop, &socket->wake, control_socket_on_wake);
    socket->wake.data = socket;
    socket->may_wake = true;
    *ret_rc = control_socket_fill(socket);
    return socket;
}

const char *control_socket_url(const struct control_socket *socket)
{
    return socket->url;
}

void control_socket_close(struct control_socket *socket)
{
    socket->on_request = NULL;
    uv_mutex_lock(&socket->lock);
    socket->may_wake = false;
    uv_mutex_unlock(&socket->lock);
    uv_close((uv_handle_t *)&socket->wake, NULL);
}
