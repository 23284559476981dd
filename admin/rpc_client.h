/* SPDX-License-Identifier: MIT */
/*
 * rpc_client: calls of the control service from the tool's side: one envelope out, one back, one
 * call at a time. It blocks; every call has a deadline.
 */
#ifndef ADMIN_RPC_CLIENT_H
#define ADMIN_RPC_CLIENT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rpc.pb-c.h"

struct rpc_client;

struct rpc_options {
    const char *const *urls; /* NULL-terminated: tried in turn until one answers */
    const char *token;       /* "" for none */
    const char *actor;       /* user@host, for the record */
    int64_t timeout_ms;      /* of a call */
};

/** What a call came to. */
struct rpc_status {
    Hgtp__Rpc__Code code;
    char message[512]; /* why, when not OK: names what was asked, where, and what to do */
};

/** Connects with the first call. NULL when memory is out. */
struct rpc_client *rpc_client_open(const struct rpc_options *options);
void rpc_client_close(struct rpc_client *client);

/**
 * Call `method` ("RoomList").
 *
 * request    of the method's input type
 * ret_reply  on OK: of its output type, to be freed by protobuf_c_message_free_unpacked
 * returns    true on OK; else `ret_status` says why
 */
bool rpc_client_call(struct rpc_client *client, const char *method, const ProtobufCMessage *request,
                     ProtobufCMessage **ret_reply, struct rpc_status *ret_status);

#endif
