/* SPDX-License-Identifier: MIT */
/* talk_net: addresses that people type, and randomness. */
#ifndef ADMIN_TALK_TALK_NET_H
#define ADMIN_TALK_TALK_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TALK_NET_HOST_MAX 255

struct talk_address {
    char host[TALK_NET_HOST_MAX + 1];
    char port[6];
};

/** Read "host:port" or "host". False: it is neither. */
bool talk_net_parse(const char *text, const char *default_port, struct talk_address *ret_address);

/**
 * Ask for an IPv4 address of the host; may wait for a name server.
 *
 * socket_type  SOCK_STREAM or SOCK_DGRAM
 * attempt      which one of several: the next attempt gets the next one
 * returns      false: there is none
 */
bool talk_net_resolve(const struct talk_address *address, int socket_type, unsigned attempt,
                      struct sockaddr_in *ret_address);

/** Fill with random bytes. */
void talk_net_random(void *out, size_t len);

#endif
