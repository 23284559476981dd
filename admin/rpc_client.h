/* SPDX-License-Identifier: MIT */
/*
 * rpc_client: calls of the control service from the tool's side: one envelope out, one back, over a
 * pool of nng sockets with one call each. It blocks; every call has a deadline.
 */
#ifndef ADMIN_RPC_CLIENT_H
#define ADMIN_RPC_CLIENT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admin/rpc_trust.h"
#include "rpc.pb-c.h"

struct rpc_client;

/** Whose certificates are believed, for addresses that begin with tls+tcp. */
struct rpc_options {
    const char *const *urls; /* NULL-terminated: tried in order until one answers */
    const char *token;       /* "" for none */
    struct rpc_trust trust;
    const char *actor;  /* user@host, for the record */
    int64_t timeout_ms; /* of a call */
};

/** What a call came to. */
struct rpc_status {
    Hgtp__Rpc__Code code;
    char message[512]; /* why, when not OK: names what was asked, where, and what to do */
    bool is_answer;    /* a node has said so; else none was reached */
};

/**
 * Nothing is dialled yet. The strings of `options` have to outlive the client.
 *
 * returns  NULL when there is no address, or memory is out: `ret_status` says so
 */
struct rpc_client *rpc_client_open(const struct rpc_options *options,
                                   struct rpc_status *ret_status);
/**
 * No call may be under way. Sockets on which an answer may still come in stay open, because nng 1.5
 * can hang in closing them: a process that has had a call without an answer ends by _exit.
 */
void rpc_client_close(struct rpc_client *client);

/**
 * Call `method` ("RoomList"). The addresses are tried in order, from the one that answered last;
 * what was sent to one is never sent to another, since it may have been done.
 *
 * request    of the method's input type
 * ret_reply  on OK: of its output type, freed by protobuf_c_message_free_unpacked
 * returns    true on OK. Thread-safe: several calls may be under way from several threads.
 */
bool rpc_client_call(struct rpc_client *client, const char *method, const ProtobufCMessage *request,
                     ProtobufCMessage **ret_reply, struct rpc_status *ret_status);

/** A ProtobufCService of Control over this client, for the stubs that protoc-c makes. */
ProtobufCService *rpc_client_service(struct rpc_client *client);

/** The address that the next call goes to first. */
const char *rpc_client_url(struct rpc_client *client);

#endif
