/* SPDX-License-Identifier: MIT */
/* udp: the socket on which a node hears and speaks HGTP. It does not look into datagrams. */
#ifndef FRONT_UDP_H
#define FRONT_UDP_H

#include <uv.h>

#include "node/core/ports.h"

struct udp;

/** On the loop thread; `datagram` is borrowed for the call. Addresses in host order. */
typedef void udp_on_datagram_fn(uint32_t ip, uint16_t port, struct bytes datagram, void *arg);

/** ret_udp on 0: owned by the caller until udp_close. Returns 0 or a negative libuv error. */
int udp_open(uv_loop_t *loop, uint32_t ip, uint16_t port, udp_on_datagram_fn *on_datagram,
             void *arg, struct udp **ret_udp);

uint16_t udp_port(const struct udp *udp);

/** Send from the listening socket; what the kernel does not take at once waits, as far as memory
 * goes. */
void udp_send(struct udp *udp, uint32_t ip, uint16_t port, struct bytes datagram);

/** The port for talk; valid until udp_close. */
struct datagram_port udp_datagram_port(struct udp *udp);

/** Hear nothing any more; sending goes on. */
void udp_stop_hearing(struct udp *udp);

/** Freed when libuv has closed it. */
void udp_close(struct udp *udp);

#endif
