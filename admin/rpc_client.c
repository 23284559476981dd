/* SPDX-License-Identifier: MIT */
/*
 * rpc_client: envelopes over nng REQ sockets. A slot of the pool is a socket that is connected to
 * one address and has at most one call under way. What is asked, and what becomes of the reply, is
 * the verbs'; dialling with a deadline is rpc_dial.c's.
 */
#include "admin/rpc_client.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/rpc_dial.h"
#include "admin/rpc_trust.h"
#include "admin/tick.h"
#include "control.pb-c.h"

/* How much longer than the node the tool waits, so that the node can say what was late. */
#define RPC_GRACE_MS   500
#define RPC_ANSWER_MAX ((size_t)4 << 20)
#define RPC_SLOTS      16

struct rpc_slot {
    nng_socket socket;
    size_t url;             /* index of the address that it is connected to */
    atomic_int *pipe_count; /* 1 while it is connected; nng's threads write it */
    bool is_open, is_busy;
};

struct rpc_client {
    ProtobufCService service; /* the first: rpc_client_invoke gets it */
    struct rpc_options options;
    size_t url_count;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t freed;
    size_t url; /* to begin with */
    uint64_t id;
    struct rpc_slot slots[RPC_SLOTS];
};

static bool rpc_fail(struct rpc_status *status, Hgtp__Rpc__Code code, const char *what,
                     const char *where, const char *why)
{
    status->code = code;
    snprintf(status->message, sizeof status->message, "%s %s: %s", what, where, why);
    return false;
}

/* Slots ---------------------------------------------------------------------------------------- */

/* An idle slot, best one that is connected to the present address. Waits while all are busy. */
static struct rpc_slot *rpc_slot_take(struct rpc_client *client, size_t *ret_url, uint64_t *ret_id)
{
    struct rpc_slot *best = NULL;
    (void)pthread_mutex_lock(&client->lock);
    while (best == NULL) {
        for (size_t i = 0; i < RPC_SLOTS; i++) {
            struct rpc_slot *slot = &client->slots[i];
            /* What else there is of a busy one is its caller's. */
            if (!slot->is_busy && (best == NULL || (slot->is_open && slot->url == client->url))) {
                best = slot;
            }
        }
        if (best == NULL) {
            (void)pthread_cond_wait(&client->freed, &client->lock);
        }
    }
    best->is_busy = true;
    *ret_url = client->url;
    *ret_id = ++client->id;
    (void)pthread_mutex_unlock(&client->lock);
    return best;
}

static void rpc_slot_give(struct rpc_client *client, struct rpc_slot *slot)
{
    (void)pthread_mutex_lock(&client->lock);
    slot->is_busy = false;
    (void)pthread_cond_signal(&client->freed);
    (void)pthread_mutex_unlock(&client->lock);
}

/* The next call begins with the address behind `url`, unless another call has seen to that. */
static void rpc_client_pass_on(struct rpc_client *client, size_t url)
{
    (void)pthread_mutex_lock(&client->lock);
    if (client->url == url) {
        client->url = (url + 1) % client->url_count;
    }
    (void)pthread_mutex_unlock(&client->lock);
}

/* On one of nng's threads. */
static void rpc_slot_on_pipe(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    (void)pipe;
    atomic_fetch_add((atomic_int *)arg, event == NNG_PIPE_EV_ADD_POST ? 1 : -1);
}

static int rpc_slot_open(struct rpc_slot *slot, const char *url, const struct rpc_trust *trust,
                         int64_t timeout_ms)
{
    struct nng_tls_config *tls;
    int wrong = rpc_trust_load(trust, url, &tls);
    if (wrong != 0) {
        return wrong;
    }
    slot->pipe_count = calloc(1, sizeof *slot->pipe_count);
    int rc = slot->pipe_count != NULL ? nng_req0_open(&slot->socket) : NNG_ENOMEM;
    if (rc != 0) {
        rpc_trust_free(tls);
        free(slot->pipe_count);
        return rc;
    }
    (void)nng_pipe_notify(slot->socket, NNG_PIPE_EV_ADD_POST, rpc_slot_on_pipe, slot->pipe_count);
    (void)nng_pipe_notify(slot->socket, NNG_PIPE_EV_REM_POST, rpc_slot_on_pipe, slot->pipe_count);
    (void)nng_socket_set_ms(slot->socket, NNG_OPT_REQ_RESENDTIME, -1);
    (void)nng_socket_set_size(slot->socket, NNG_OPT_RECVMAXSZ, RPC_ANSWER_MAX + 4096);
    rc = rpc_dial(slot->socket, url, tls, timeout_ms > 0 ? timeout_ms : 0);
    rpc_trust_free(tls); /* the dialer has its own hold of it */
    return rc;
}

/* Nothing may be coming in on it. What nng's threads may still count in stays. */
static void rpc_slot_close(struct rpc_slot *slot)
{
    if (slot->is_open) {
        (void)nng_close(slot->socket);
        slot->is_open = false;
    }
}

/* Connects the slot to the first address that answers, beginning with `url`. */
static bool rpc_slot_connect(struct rpc_client *client, struct rpc_slot *slot, size_t url,
                             int64_t until_ms, struct rpc_status *status)
{
    size_t used = 0;
    /* nng would wait for the node that is gone to come back. */
    bool is_connected = slot->is_open && atomic_load(slot->pipe_count) > 0;
    if (is_connected && slot->url == url) {
        return true;
    }
    rpc_slot_close(slot);
    status->code = HGTP__RPC__CODE__UNAVAILABLE;
    for (size_t i = 0; i < client->url_count; i++) {
        size_t at = (url + i) % client->url_count;
        /* Equal parts of the time that is left: for each address, and for the call. */
        int64_t part_ms = (until_ms - tick_ms()) / (int64_t)(client->url_count - i + 1);
        int rc = rpc_slot_open(slot, client->options.urls[at], &client->options.trust, part_ms);
        if (rc == 0) {
            slot->url = at;
            slot->is_open = true;
            return true;
        }
        rpc_client_pass_on(client, at);
        const char *why = rpc_trust_why(rc);
        why = why != NULL            ? why
              : rc == NNG_ENOENT     ? "there is no such socket"
              : rc == NNG_EADDRINVAL ? "there is no such host"
                                     : nng_strerror(rc);
        int len = snprintf(status->message + used, sizeof status->message - used, "%s%.100s: %s",
                           i > 0 ? "; " : "no node answers at ", client->options.urls[at], why);
        used += (size_t)len < sizeof status->message - used ? (size_t)len : 0;
    }
    return false;
}

/* Envelopes ------------------------------------------------------------------------------------ */

static nng_msg *rpc_client_pack(const struct rpc_client *client, const char *method, uint64_t id,
                                const ProtobufCMessage *request)
{
    char name[128];
    nng_msg *msg = NULL;
    snprintf(name, sizeof name, "/%s/%s", hgtp__control__control__descriptor.name, method);
    size_t payload_bytes = protobuf_c_message_get_packed_size(request);
    uint8_t *payload = malloc(payload_bytes + 1);
    Hgtp__Rpc__Request envelope = HGTP__RPC__REQUEST__INIT;
    envelope.method = name;
    envelope.id = id;
    envelope.timeout_ms = (uint32_t)client->options.timeout_ms;
    envelope.token = (char *)(uintptr_t)client->options.token;
    envelope.actor = (char *)(uintptr_t)client->options.actor;
    envelope.payload = (ProtobufCBinaryData){payload_bytes, payload};
    if (payload != NULL &&
        nng_msg_alloc(&msg, hgtp__rpc__request__get_packed_size(&envelope)) == 0) {
        (void)protobuf_c_message_pack(request, payload);
        (void)hgtp__rpc__request__pack(&envelope, nng_msg_body(msg));
    }
    free(payload);
    return msg;
}

static bool rpc_client_unpack(const char *method, const char *url, uint64_t id, nng_msg *answer,
                              ProtobufCMessage **ret_reply, struct rpc_status *status)
{
    const ProtobufCMethodDescriptor *type = protobuf_c_service_descriptor_get_method_by_name(
        &hgtp__control__control__descriptor, method);
    size_t len = nng_msg_len(answer);
    Hgtp__Rpc__Response *envelope =
        len <= RPC_ANSWER_MAX + 4096 ? hgtp__rpc__response__unpack(NULL, len, nng_msg_body(answer))
                                     : NULL;
    bool is_ok = false;
    if (envelope == NULL || envelope->id != id) {
        (void)rpc_fail(status, HGTP__RPC__CODE__INTERNAL, "what came from", url,
                       "is no answer to this call; is that a node's control address?");
    } else if (envelope->code != HGTP__RPC__CODE__OK) {
        status->code = envelope->code;
        status->is_answer = true;
        snprintf(status->message, sizeof status->message, "%.300s (%.180s)", envelope->message,
                 url);
    } else {
        *ret_reply = protobuf_c_message_unpack(type->output, NULL, envelope->payload.len,
                                               envelope->payload.data);
        is_ok = *ret_reply != NULL ||
                rpc_fail(status, HGTP__RPC__CODE__INTERNAL, "the answer of", url,
                         "cannot be read; are tool and node of the same version?");
    }
    if (envelope != NULL) {
        hgtp__rpc__response__free_unpacked(envelope, NULL);
    }
    return is_ok;
}

/* Calls ---------------------------------------------------------------------------------------- */

/* The answer; NULL and `ret_rc` when none came. */
static nng_msg *rpc_slot_exchange(struct rpc_slot *slot, nng_msg *msg, int64_t until_ms,
                                  int *ret_rc)
{
    nng_msg *answer = NULL;
    int64_t left_ms = until_ms - tick_ms();
    (void)nng_socket_set_ms(slot->socket, NNG_OPT_SENDTIMEO,
                            (nng_duration)(left_ms > 1 ? left_ms : 1));
    *ret_rc = nng_sendmsg(slot->socket, msg, 0);
    if (*ret_rc != 0) {
        nng_msg_free(msg);
        return NULL;
    }
    left_ms = until_ms - tick_ms() + RPC_GRACE_MS;
    (void)nng_socket_set_ms(slot->socket, NNG_OPT_RECVTIMEO,
                            (nng_duration)(left_ms > 1 ? left_ms : 1));
    *ret_rc = nng_recvmsg(slot->socket, &answer, 0);
    return *ret_rc == 0 ? answer : NULL;
}

static void rpc_slot_lost(struct rpc_client *client, struct rpc_slot *slot, int rc,
                          struct rpc_status *status)
{
    bool is_late = rc == NNG_ETIMEDOUT;
    (void)rpc_fail(status,
                   is_late ? HGTP__RPC__CODE__DEADLINE_EXCEEDED : HGTP__RPC__CODE__UNAVAILABLE,
                   "no answer from", client->options.urls[slot->url],
                   is_late ? "not in time; it may have been done, or not"
                           : "the connection broke; it may have been done, or not");
    rpc_client_pass_on(client, slot->url);
    if (is_late) {
        slot->is_open = false; /* left to itself: an answer may come in while nng closes it */
    } else {
        rpc_slot_close(slot);
    }
}

bool rpc_client_call(struct rpc_client *client, const char *method, const ProtobufCMessage *request,
                     ProtobufCMessage **ret_reply, struct rpc_status *ret_status)
{
    size_t url;
    uint64_t id;
    int rc = NNG_ENOMEM;
    int64_t until_ms = tick_ms() + client->options.timeout_ms;
    *ret_status = (struct rpc_status){.code = HGTP__RPC__CODE__OK};
    struct rpc_slot *slot = rpc_slot_take(client, &url, &id);
    if (!rpc_slot_connect(client, slot, url, until_ms, ret_status)) {
        rpc_slot_give(client, slot);
        return false;
    }
    nng_msg *msg = rpc_client_pack(client, method, id, request);
    nng_msg *answer = msg != NULL ? rpc_slot_exchange(slot, msg, until_ms, &rc) : NULL;
    bool is_ok = false;
    if (answer == NULL) {
        rpc_slot_lost(client, slot, rc, ret_status);
    } else {
        ret_status->message[0] = '\0';
        ret_status->code = HGTP__RPC__CODE__OK;
        is_ok = rpc_client_unpack(method, client->options.urls[slot->url], id, answer, ret_reply,
                                  ret_status);
        nng_msg_free(answer);
        if (ret_status->code == HGTP__RPC__CODE__UNAVAILABLE) {
            rpc_client_pass_on(client, slot->url); /* it is draining, say: another may do better */
        }
    }
    rpc_slot_give(client, slot);
    return is_ok;
}

/* The stubs' way in: what went wrong is not told, the closure gets NULL. */
static void rpc_client_invoke(ProtobufCService *service, unsigned method_index,
                              const ProtobufCMessage *input, ProtobufCClosure closure,
                              void *closure_data)
{
    struct rpc_client *client = (struct rpc_client *)service;
    struct rpc_status status;
    ProtobufCMessage *reply = NULL;
    const char *method = service->descriptor->methods[method_index].name;
    bool is_ok = rpc_client_call(client, method, input, &reply, &status);
    closure(is_ok ? reply : NULL, closure_data);
    if (is_ok) {
        protobuf_c_message_free_unpacked(reply, NULL);
    }
}

ProtobufCService *rpc_client_service(struct rpc_client *client)
{
    return &client->service;
}

const char *rpc_client_url(struct rpc_client *client)
{
    (void)pthread_mutex_lock(&client->lock);
    const char *url = client->options.urls[client->url];
    (void)pthread_mutex_unlock(&client->lock);
    return url;
}

struct rpc_client *rpc_client_open(const struct rpc_options *options, struct rpc_status *ret_status)
{
    if (options->urls[0] == NULL) {
        *ret_status = (struct rpc_status){
            .code = HGTP__RPC__CODE__UNAVAILABLE,
            .message = "no node's socket is found on this machine, and no other address "
                       "is known: --url names one, or a context"};
        return NULL;
    }
    struct rpc_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        *ret_status = (struct rpc_status){.code = HGTP__RPC__CODE__RESOURCE_EXHAUSTED,
                                          .message = "out of memory"};
        return NULL;
    }
    client->service =
        (ProtobufCService){&hgtp__control__control__descriptor, rpc_client_invoke, NULL};
    client->options = *options;
    while (options->urls[client->url_count] != NULL) {
        client->url_count++;
    }
    (void)pthread_mutex_init(&client->lock, NULL);
    (void)pthread_cond_init(&client->freed, NULL);
    return client;
}

void rpc_client_close(struct rpc_client *client)
{
    if (client == NULL) {
        return;
    }
    for (size_t i = 0; i < RPC_SLOTS; i++) {
        rpc_slot_close(&client->slots[i]);
    }
    (void)pthread_cond_destroy(&client->freed);
    (void)pthread_mutex_destroy(&client->lock);
    free(client);
}
