/* SPDX-License-Identifier: MIT */
/* sockets: the few system calls behind the tests' clients and servers. It waits in connect only. */
#include "sockets.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Below the kernel's range of ephemeral ports, so that no outgoing connection sits on them. */
#define SOCKETS_PORT_FIRST 20000
#define SOCKETS_PORT_COUNT 12000
#define SOCKETS_PORT_TRIES 200

/* Those that stay free until somebody binds them are out of these and out of what a node chooses
 * from. */
#define SOCKETS_KEPT_FIRST 7000
#define SOCKETS_KEPT_COUNT 3000

struct sockaddr_in sockets_address(uint32_t ip, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(ip)}};
}

uint16_t sockets_port(int fd)
{
    struct sockaddr_in name;
    socklen_t len = sizeof name;
    return getsockname(fd, (struct sockaddr *)&name, &len) == 0 ? ntohs(name.sin_port) : 0;
}

static int sockets_close(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int sockets_bound(int type, uint32_t ip, uint16_t port)
{
    int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    int on = 1;
    const struct sockaddr_in name = sockets_address(ip, port);
    if ((type == SOCK_STREAM && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) ||
        bind(fd, (const struct sockaddr *)&name, sizeof name) != 0 ||
        (type == SOCK_STREAM && listen(fd, 128) != 0)) {
        return sockets_close(fd);
    }
    if (type == SOCK_DGRAM) {
        (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    }
    return fd;
}

static uint16_t sockets_any_port(uint32_t first, uint32_t count)
{
    uint32_t noise = 0;
    (void)!getrandom(&noise, sizeof noise, 0);
    return (uint16_t)(first + noise % count);
}

static int sockets_bound_low(int type, uint32_t ip, uint16_t port)
{
    if (port != 0) {
        return sockets_bound(type, ip, port);
    }
    int fd = -1;
    for (int i = 0; i < SOCKETS_PORT_TRIES && fd < 0; i++) {
        fd = sockets_bound(type, ip, sockets_any_port(SOCKETS_PORT_FIRST, SOCKETS_PORT_COUNT));
    }
    return fd;
}

int sockets_udp(uint32_t ip, uint16_t port)
{
    int fd = sockets_bound_low(SOCK_DGRAM, ip, port);
    if (fd >= 0) {
        /* A test may look at other sockets for a while. */
        int size = 4 * 1024 * 1024;
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    return fd;
}

int sockets_listen(uint32_t ip, uint16_t port)
{
    return sockets_bound_low(SOCK_STREAM, ip, port);
}

int sockets_udp_connected(uint32_t ip, uint32_t to_ip, uint16_t to_port)
{
    int fd = sockets_bound(SOCK_DGRAM, ip, 0);
    const struct sockaddr_in to = sockets_address(to_ip, to_port);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        return sockets_close(fd);
    }
    return fd;
}

static bool sockets_wait_connected(int fd, int64_t timeout_ms)
{
    struct pollfd waiting = {.fd = fd, .events = POLLOUT};
    int error = ETIMEDOUT;
    socklen_t len = sizeof error;
    if (poll(&waiting, 1, (int)timeout_ms) == 1) {
        (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    }
    errno = error;
    return error == 0;
}

int sockets_connect(uint32_t ip, uint32_t to_ip, uint16_t to_port, int64_t timeout_ms)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const struct sockaddr_in from = sockets_address(ip, 0);
    const struct sockaddr_in to = sockets_address(to_ip, to_port);
    if (ip != 0 && bind(fd, (const struct sockaddr *)&from, sizeof from) != 0) {
        return sockets_close(fd);
    }
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) {
        return fd;
    }
    if (errno != EINPROGRESS || !sockets_wait_connected(fd, timeout_ms)) {
        return sockets_close(fd);
    }
    return fd;
}

uint32_t sockets_own_ip(uint32_t to_ip)
{
    struct sockaddr_in name = {0};
    socklen_t len = sizeof name;
    int fd = sockets_udp_connected(0, to_ip, 9);
    if (fd < 0) {
        return 0;
    }
    (void)getsockname(fd, (struct sockaddr *)&name, &len);
    close(fd);
    return ntohl(name.sin_addr.s_addr);
}

/* No other test gets this port until this process ends: a name that only one can have stands for
 * it. */
static bool sockets_keep_port(uint16_t port)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int len = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "hgtp-test-port-%u", port);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
    if (bind(fd, (const struct sockaddr *)&name, size) != 0) {
        close(fd);
        return false;
    }
    return true; /* it stays open */
}

static bool sockets_is_free(int type, uint16_t port)
{
    int fd = sockets_bound(type, SOCKETS_LOOPBACK, port);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

uint16_t sockets_free_port(void)
{
    for (int i = 0; i < SOCKETS_PORT_TRIES; i++) {
        uint16_t port = sockets_any_port(SOCKETS_KEPT_FIRST, SOCKETS_KEPT_COUNT);
        if (sockets_keep_port(port) && sockets_is_free(SOCK_DGRAM, port) &&
            sockets_is_free(SOCK_STREAM, port)) {
            return port;
        }
    }
    return 0;
}

void queue_put(struct queue *queue, struct bytes in)
{
    if (queue->len + in.len > queue->cap) {
        queue->cap = 2 * (queue->len + in.len);
        queue->ptr = realloc(queue->ptr, queue->cap);
        assert(queue->ptr != NULL);
    }
    if (in.len > 0) {
        memcpy(queue->ptr + queue->len, in.ptr, in.len);
        queue->len += in.len;
    }
}

void queue_take(struct queue *queue, size_t count)
{
    assert(count <= queue->len);
    if (count > 0) {
        memmove(queue->ptr, queue->ptr + count, queue->len - count);
        queue->len -= count;
    }
}

void queue_fini(struct queue *queue)
{
    free(queue->ptr);
    *queue = (struct queue){0};
}
