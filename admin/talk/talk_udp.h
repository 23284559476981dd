/* SPDX-License-Identifier: MIT */
/*
 * talk_udp: the way of HGTP datagrams. Each repetition goes by a socket of its own: a balancer that
 * has bound the first one to a dead node binds the next to another. Answers are taken on all.
 */
#ifndef ADMIN_TALK_TALK_UDP_H
#define ADMIN_TALK_TALK_UDP_H

#include <poll.h>

#include "admin/talk/talk_net.h"
#include "proto/bytes.h"

#define TALK_UDP_SOCKETS 3

struct talk_udp {
    struct talk_address server;
    int fds[TALK_UDP_SOCKETS];
    size_t count;
};

void talk_udp_init(struct talk_udp *udp, const struct talk_address *server);
void talk_udp_fini(struct talk_udp *udp);

/** `attempt`: 0 for the first time that these bytes are sent. What cannot be sent is as good as
 * lost on the way. */
void talk_udp_send(struct talk_udp *udp, unsigned attempt, struct bytes datagram);

/** What to poll for; returns how many, at most TALK_UDP_SOCKETS. */
size_t talk_udp_watch(const struct talk_udp *udp, struct pollfd *ret_fds);

/** The next datagram that has come; false: there is none. An empty one, as a balancer sends it for
 * a dead node, is skipped. */
bool talk_udp_receive(struct talk_udp *udp, uint8_t *storage, size_t cap, size_t *ret_len);

#endif
