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
    char host[TALK_NET_HOST_MAX + 1]; /* without brackets */
    char port[6];
};

/** For socket() and connect(). */
struct talk_endpoint {
    struct sockaddr_storage address;
    socklen_t len;
};

/** Read "host:port" or "host"; an IPv6 address stands in brackets. False: it is neither. */
bool talk_net_parse(const char *text, const char *default_port, struct talk_address *ret_address);

/**
 * Ask for an address of the host; may wait for a name server.
 *
 * socket_type  SOCK_STREAM or SOCK_DGRAM
 * attempt      which one of several: the next attempt gets the next one
 * returns      false: there is none
 */
bool talk_net_resolve(const struct talk_address *address, int socket_type, unsigned attempt,
                      struct talk_endpoint *ret_endpoint);

/** "host:port" as it stands in a Host header. */
void talk_net_print(const struct talk_address *address, char *text, size_t cap);

/** Fill with random bytes. */
void talk_net_random(void *out, size_t len);

#endif
