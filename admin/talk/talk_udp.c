/* SPDX-License-Identifier: MIT */
/*
 * talk_udp: sockets for datagrams, connected, so that nothing else than the server's address is
 * heard. It knows nothing of what the datagrams say.
 */
#include "admin/talk/talk_udp.h"

#include <sys/socket.h>
#include <unistd.h>

void talk_udp_init(struct talk_udp *udp, const struct talk_address *server)
{
    *udp = (struct talk_udp){.server = *server};
}

void talk_udp_fini(struct talk_udp *udp)
{
    while (udp->count > 0) {
        close(udp->fds[--udp->count]);
    }
}

static void talk_udp_open(struct talk_udp *udp, unsigned attempt)
{
    struct talk_endpoint server;
    if (udp->count == TALK_UDP_SOCKETS ||
        !talk_net_resolve(&udp->server, SOCK_DGRAM, attempt, &server)) {
        return;
    }
    int fd = socket(server.address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&server.address, server.len) != 0) {
        close(fd);
        fd = -1;
    }
    if (fd >= 0) {
        udp->fds[udp->count++] = fd;
    }
}

void talk_udp_send(struct talk_udp *udp, unsigned attempt, struct bytes datagram)
{
    if (attempt == 0) {
        while (udp->count > 1) {
            close(udp->fds[--udp->count]);
        }
    }
    if (attempt > 0 || udp->count == 0) {
        talk_udp_open(udp, attempt);
    }
    if (udp->count > 0) {
        (void)!send(udp->fds[udp->count - 1], datagram.ptr, datagram.len, 0);
    }
}

size_t talk_udp_watch(const struct talk_udp *udp, struct pollfd *ret_fds)
{
    for (size_t i = 0; i < udp->count; i++) {
        ret_fds[i] = (struct pollfd){.fd = udp->fds[i], .events = POLLIN};
    }
    return udp->count;
}

bool talk_udp_receive(struct talk_udp *udp, uint8_t *storage, size_t cap, size_t *ret_len)
{
    for (size_t i = 0; i < udp->count; i++) {
        ssize_t len = recv(udp->fds[i], storage, cap, 0);
        if (len <= 0) {
            continue;
        }
        /* The way that works is the first one to be taken next time. */
        int fd = udp->fds[i];
        udp->fds[i] = udp->fds[0];
        udp->fds[0] = fd;
        *ret_len = (size_t)len;
        return true;
    }
    return false;
}
