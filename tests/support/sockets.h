/* SPDX-License-Identifier: MIT */
/* sockets: opening what tests need on IPv4, and a byte queue that grows. All sockets are
 * non-blocking. */
#ifndef SUPPORT_SOCKETS_H
#define SUPPORT_SOCKETS_H

#include <arpa/inet.h>
#include <netinet/in.h>

#include "proto/bytes.h"

#define SOCKETS_LOOPBACK 0x7f000001u

struct sockaddr_in sockets_address(uint32_t ip, uint16_t port);
/** Port that a socket is bound to. */
uint16_t sockets_port(int fd);

/**
 * Bind a UDP socket, or a listening TCP socket, to `ip`. Port 0 takes a free one below 32768, as
 * far as the original's signed 16 bits go. UDP sockets get the kernel's time of arrival with each
 * datagram (SO_TIMESTAMPNS). Returns the descriptor, or -1 with errno set.
 */
int sockets_udp(uint32_t ip, uint16_t port);
int sockets_listen(uint32_t ip, uint16_t port);

/** A UDP socket on any free port of `ip` that talks to one address only; -1 with errno set. */
int sockets_udp_connected(uint32_t ip, uint32_t to_ip, uint16_t to_port);

/** Connect within `timeout_ms`; `ip` 0 leaves the source to the kernel. Returns -1 with errno set.
 */
int sockets_connect(uint32_t ip, uint32_t to_ip, uint16_t to_port, int64_t timeout_ms);

/** The address from which the kernel would reach `to_ip`; 0 when there is no way. */
uint32_t sockets_own_ip(uint32_t to_ip);

/** A UDP and a TCP port of 127.0.0.1 that are free, and that no other test gets before this process
 * ends: one number for both. Returns 0 when there is none. */
uint16_t sockets_free_port(void);

/** Bytes in order: appended behind, taken in front. Zeroed storage is empty. */
struct queue {
    uint8_t *ptr;
    size_t len;
    size_t cap;
};

void queue_put(struct queue *queue, struct bytes in);
void queue_take(struct queue *queue, size_t count);
void queue_fini(struct queue *queue);

#endif
