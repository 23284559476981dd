/* SPDX-License-Identifier: MIT */
/*
 * control_socket: the nng side of control: a REP socket with as many requests under way as it has
 * slots, handed over to the loop thread. It doesn't know what is in them.
 */
#ifndef CONTROL_CONTROL_SOCKET_H
#define CONTROL_CONTROL_SOCKET_H

#include <uv.h>

#include "proto/bytes.h"

/* Requests under way; more wait in their senders' connections. */
#define CONTROL_SLOTS 64
/* Longest request; a longer one is refused, and nng cuts the connection of one far longer. */
#define CONTROL_REQUEST_MAX ((size_t)1 << 20)
#define CONTROL_RECEIVE_MAX (4 * CONTROL_REQUEST_MAX)

struct control_socket;
struct nng_tls_config;
/** A request that waits for its answer; `request` is borrowed until control_socket_answer. */
struct control_slot;
typedef void control_socket_fn(struct control_slot *slot, struct bytes request, void *arg);

/** nng's error in `ret_rc`; NULL then. `on_request` comes on the loop thread. `tls` is for a `url`
 * that begins with tls+tcp, and nng keeps it. */
struct control_socket *control_socket_open(uv_loop_t *loop, const char *url,
                                           struct nng_tls_config *tls,
                                           control_socket_fn *on_request, void *arg, int *ret_rc);
/** `url` that was listened on, with the port that was picked. */
const char *control_socket_url(const struct control_socket *socket);
/** Exactly once for each request. */
void control_socket_answer(struct control_slot *slot, struct bytes answer);
/** on_request does not come any more. */
void control_socket_close(struct control_socket *socket);

#endif
