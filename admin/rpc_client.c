/* SPDX-License-Identifier: MIT */
/*
 * rpc_client: one call of the control service: an envelope over an nng REQ socket, to the first of
 * some addresses where a node answers. What is asked, and what becomes of the reply, is the verbs'.
 */
#include "rpc_client.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.pb-c.h"

/* How much longer than the node the tool waits: it says itself that something was not done in time.
 */
#define RPC_GRACE_MS   500
#define RPC_ANSWER_MAX ((size_t)8 << 20)

struct rpc_client {
    struct rpc_options options;
    nng_socket socket;
    const char *url; /* connected to this one; NULL: to none */
    uint64_t id;
};

struct rpc_client *rpc_client_open(const struct rpc_options *options)
{
    struct rpc_client *client = calloc(1, sizeof *client);
    if (client != NULL) {
        client->options = *options;
    }
    return client;
}

static void rpc_client_drop(struct rpc_client *client)
{
    if (client->url != NULL) {
        (void)nng_close(client->socket); /* nothing is under way */
        client->url = NULL;
    }
}

void rpc_client_close(struct rpc_client *client)
{
    if (client != NULL) {
        rpc_client_drop(client);
        free(client);
    }
}

static int rpc_client_dial(struct rpc_client *client, const char *url)
{
    int rc = nng_req0_open(&client->socket);
    if (rc != 0) {
        return rc;
    }
    (void)nng_socket_set_ms(client->socket, NNG_OPT_REQ_RESENDTIME, -1);
    (void)nng_socket_set_size(client->socket, NNG_OPT_RECVMAXSZ, RPC_ANSWER_MAX);
    (void)nng_socket_set_ms(client->socket, NNG_OPT_SENDTIMEO,
                            (nng_duration)client->options.timeout_ms);
    (void)nng_socket_set_ms(client->socket, NNG_OPT_RECVTIMEO,
                            (nng_duration)(client->options.timeout_ms + RPC_GRACE_MS));
    rc = nng_dial(client->socket, url, NULL, 0);
    if (rc != 0) {
        (void)nng_close(client->socket);
        return rc;
    }
    client->url = url;
    return 0;
}

static bool rpc_fail(struct rpc_status *status, Hgtp__Rpc__Code code, const char *what,
                     const char *where, const char *why)
{
    status->code = code;
    snprintf(status->message, sizeof status->message, "%s %s: %s", what, where, why);
    return false;
}

/* Connects to the first that answers. */
static bool rpc_client_connect(struct rpc_client *client, struct rpc_status *status)
{
    bool is_named = false;
    for (size_t i = 0; client->url == NULL && client->options.urls[i] != NULL; i++) {
        int rc = rpc_client_dial(client, client->options.urls[i]);
        if (rc != 0) {
            (void)rpc_fail(status, HGTP__RPC__CODE__UNAVAILABLE, "no node answers at",
                           client->options.urls[i], nng_strerror(rc));
            is_named = true;
        }
    }
    if (client->url == NULL && !is_named) {
        snprintf(status->message, sizeof status->message,
                 "no address of a node is known: give --url, or start a node");
        status->code = HGTP__RPC__CODE__UNAVAILABLE;
    }
    return client->url != NULL;
}

static nng_msg *rpc_client_pack(struct rpc_client *client, const char *method,
                                const ProtobufCMessage *request)
{
    char name[128];
    nng_msg *msg = NULL;
    snprintf(name, sizeof name, "/%s/%s", hgtp__control__control__descriptor.name, method);
    size_t payload_bytes = protobuf_c_message_get_packed_size(request);
    uint8_t *payload = malloc(payload_bytes + 1);
    Hgtp__Rpc__Request envelope = HGTP__RPC__REQUEST__INIT;
    envelope.method = name;
    envelope.id = ++client->id;
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

/* The answer to a request that was sent; NULL and `ret_rc` when none came. */
static nng_msg *rpc_client_exchange(struct rpc_client *client, nng_msg *msg, int *ret_rc)
{
    nng_msg *answer = NULL;
    *ret_rc = nng_sendmsg(client->socket, msg, 0);
    if (*ret_rc != 0) {
        nng_msg_free(msg);
        return NULL;
    }
    *ret_rc = nng_recvmsg(client->socket, &answer, 0);
    return answer;
}

static bool rpc_client_unpack(struct rpc_client *client, const char *method, nng_msg *answer,
                              ProtobufCMessage **ret_reply, struct rpc_status *status)
{
    const ProtobufCMethodDescriptor *type = protobuf_c_service_descriptor_get_method_by_name(
        &hgtp__control__control__descriptor, method);
    Hgtp__Rpc__Response *envelope =
        hgtp__rpc__response__unpack(NULL, nng_msg_len(answer), nng_msg_body(answer));
    bool is_ok = false;
    if (envelope == NULL || envelope->id != client->id) {
        (void)rpc_fail(status, HGTP__RPC__CODE__INTERNAL, "no answer to", method,
                       "what came is none: is this a node's control address?");
    } else if (envelope->code != HGTP__RPC__CODE__OK) {
        status->code = envelope->code;
        snprintf(status->message, sizeof status->message, "%s", envelope->message);
    } else {
        *ret_reply = protobuf_c_message_unpack(type->output, NULL, envelope->payload.len,
                                               envelope->payload.data);
        is_ok = *ret_reply != NULL ||
                rpc_fail(status, HGTP__RPC__CODE__INTERNAL, "no answer to", method,
                         "it cannot be read: are tool and node of the same version?");
    }
    if (envelope != NULL) {
        hgtp__rpc__response__free_unpacked(envelope, NULL);
    }
    return is_ok;
}

bool rpc_client_call(struct rpc_client *client, const char *method, const ProtobufCMessage *request,
                     ProtobufCMessage **ret_reply, struct rpc_status *ret_status)
{
    *ret_status = (struct rpc_status){.code = HGTP__RPC__CODE__OK};
    if (!rpc_client_connect(client, ret_status)) {
        return false;
    }
    int rc = NNG_ENOMEM;
    nng_msg *msg = rpc_client_pack(client, method, request);
    nng_msg *answer = msg != NULL ? rpc_client_exchange(client, msg, &rc) : NULL;
    if (answer == NULL) {
        Hgtp__Rpc__Code code =
            rc == NNG_ETIMEDOUT ? HGTP__RPC__CODE__DEADLINE_EXCEEDED : HGTP__RPC__CODE__UNAVAILABLE;
        (void)rpc_fail(ret_status, code, "no answer from", client->url, nng_strerror(rc));
        rpc_client_drop(client);
        return false;
    }
    bool is_ok = rpc_client_unpack(client, method, answer, ret_reply, ret_status);
    nng_msg_free(answer);
    return is_ok;
}
