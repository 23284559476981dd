/* SPDX-License-Identifier: MIT */
/*
 * tcp_socket: the options of the sockets behind clients' connections. When they are opened, written
 * and closed is push.c's and line.c's.
 */
#include "node/front/tcp_socket.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

enum { TCP_SOCKET_KEEPALIVE_S = 15 };

void tcp_socket_set(uv_tcp_t *tcp, int give_up_ms)
{
    (void)uv_tcp_nodelay(tcp, 1);
    (void)uv_tcp_keepalive(tcp, 1, TCP_SOCKET_KEEPALIVE_S);
    uv_os_fd_t fd = -1;
    if (uv_fileno((uv_handle_t *)tcp, &fd) == 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &give_up_ms, sizeof give_up_ms);
    }
}
