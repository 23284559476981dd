/* SPDX-License-Identifier: MIT */
/*
 * push_socket: the options of a push connection's socket, and what can be asked of it. When it is
 * opened, written and closed is push.c's.
 */
#include "node/front/push_socket.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

enum { PUSH_SOCKET_KEEPALIVE_S = 15, PUSH_SOCKET_USER_TIMEOUT_MS = 30000 };

void push_socket_set(uv_tcp_t *tcp, char ret_host[INET_ADDRSTRLEN])
{
    struct sockaddr_in own = {0};
    int own_bytes = sizeof own;
    (void)uv_tcp_getsockname(tcp, (struct sockaddr *)&own, &own_bytes);
    (void)uv_ip4_name(&own, ret_host, INET_ADDRSTRLEN);
    (void)uv_tcp_nodelay(tcp, 1);
    (void)uv_tcp_keepalive(tcp, 1, PUSH_SOCKET_KEEPALIVE_S);
    uv_os_fd_t fd = -1;
    int timeout_ms = PUSH_SOCKET_USER_TIMEOUT_MS;
    if (uv_fileno((uv_handle_t *)tcp, &fd) == 0) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, sizeof timeout_ms);
    }
}
