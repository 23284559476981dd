/* SPDX-License-Identifier: MIT */
/* push_socket: how the socket of a push connection is set. */
#ifndef FRONT_PUSH_SOCKET_H
#define FRONT_PUSH_SOCKET_H

#include <netinet/in.h>
#include <uv.h>

/**
 * No delay, keep-alive, and an end for what a peer that is gone does not acknowledge. What the
 * system refuses is left as it is.
 *
 * tcp       connected
 * ret_host  our end's address as text
 */
void push_socket_set(uv_tcp_t *tcp, char ret_host[INET_ADDRSTRLEN]);

#endif
