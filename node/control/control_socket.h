/* SPDX-License-Identifier: MIT */
/*
 * control_socket: the nng side of control: a REP socket with as many requests under way as it has
 * slots, handed over to the loop thread. It doesn't know what is in them. Sockets of this machine
 * are control_local's.
 */
#ifndef CONTROL_CONTROL_SOCKET_H
#define CONTROL_CONTROL_SOCKET_H

#include <uv.h>

#include "control_slot.h"

/* Requests under way; more wait in their senders' connections. */
#define CONTROL_SOCKET_SLOTS 64

struct control_socket;
struct nng_tls_config;

/** nng's error in `ret_rc`; NULL then. `on_request` comes on the loop thread. `tls` is for a `url`
 * that begins with tls+tcp, and nng keeps it. */
struct control_socket *control_socket_open(uv_loop_t *loop, const char *url,
                                           struct nng_tls_config *tls,
                                           control_request_fn *on_request, void *arg, int *ret_rc);
/** `url` that was listened on, with the port that was picked. */
const char *control_socket_url(const struct control_socket *socket);
/** on_request does not come any more. */
void control_socket_close(struct control_socket *socket);

#endif
