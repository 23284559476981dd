/* SPDX-License-Identifier: MIT */
/* tcp_socket: how the socket of a long-lived connection to a client is set. */
#ifndef FRONT_TCP_SOCKET_H
#define FRONT_TCP_SOCKET_H

#include <uv.h>

/**
 * No delay, keep-alive, and an end for what a peer that is gone does not acknowledge within
 * `give_up_ms`. What the system refuses is left as it is.
 */
void tcp_socket_set(uv_tcp_t *tcp, int give_up_ms);

#endif
