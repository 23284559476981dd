/* SPDX-License-Identifier: MIT */
/*
 * udp: receives datagrams in batches (recvmmsg) and sends replies from the same socket, which is
 * what the original client's connected socket needs. Content is talk's business.
 */
#include "udp.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "node/base/log.h"
#include "node/base/metrics.h"
#include "proto/hgtp.h"

/* libuv cuts the buffer into pieces of 64 KiB, one for each datagram of a batch. */
#define UDP_BATCH               16
#define UDP_PIECE_BYTES         (64 * 1024)
#define UDP_SOCKET_BUFFER_BYTES (4 * 1024 * 1024)

struct udp {
    uv_udp_t handle;
    udp_on_datagram_fn *on_datagram;
    void *arg;
    uint8_t buffer[UDP_BATCH * UDP_PIECE_BYTES];
};

/* A datagram that has to wait for the kernel. */
struct udp_waiting {
    uv_udp_send_t request;
    uint8_t data[];
};

static void udp_on_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct udp *udp = handle->data;
    *buf = uv_buf_init((char *)udp->buffer, sizeof udp->buffer);
}

static void udp_on_received(uv_udp_t *handle, ssize_t len, const uv_buf_t *buf,
                            const struct sockaddr *from, unsigned flags)
{
    (void)flags;
    struct udp *udp = handle->data;
    if (len < 0) {
        LOG_LIMITED(LOG_WARN, "udp_receive_failed", log_str("error", uv_strerror((int)len)));
        return;
    }
    if (from == NULL || from->sa_family != AF_INET || len == 0) {
        return;
    }
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)from;
    size_t taken = (size_t)len > HGTP_DATAGRAM_MAX ? HGTP_DATAGRAM_MAX : (size_t)len;
    udp->on_datagram(ntohl(in->sin_addr.s_addr), ntohs(in->sin_port), bytes_of(buf->base, taken),
                     udp->arg);
}

static struct sockaddr_in udp_address(uint32_t ip, uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {.s_addr = htonl(ip)}};
}

int udp_open(uv_loop_t *loop, uint32_t ip, uint16_t port, udp_on_datagram_fn *on_datagram,
             void *arg, struct udp **ret_udp)
{
    struct udp *udp = calloc(1, sizeof *udp);
    if (udp == NULL) {
        return UV_ENOMEM;
    }
    udp->on_datagram = on_datagram;
    udp->arg = arg;
    int error = uv_udp_init_ex(loop, &udp->handle, AF_INET | UV_UDP_RECVMMSG);
    if (error != 0) {
        free(udp);
        return error;
    }
    udp->handle.data = udp;
    const struct sockaddr_in address = udp_address(ip, port);
    error = uv_udp_bind(&udp->handle, (const struct sockaddr *)&address, 0);
    if (error == 0) {
        int size = UDP_SOCKET_BUFFER_BYTES;
        (void)uv_recv_buffer_size((uv_handle_t *)&udp->handle, &size);
        error = uv_udp_recv_start(&udp->handle, udp_on_buffer, udp_on_received);
    }
    if (error != 0) {
        udp_close(udp);
        return error;
    }
    *ret_udp = udp;
    return 0;
}

uint16_t udp_port(const struct udp *udp)
{
    struct sockaddr_in name;
    int len = sizeof name;
    return uv_udp_getsockname(&udp->handle, (struct sockaddr *)&name, &len) == 0
               ? ntohs(name.sin_port)
               : 0;
}

static void udp_on_sent(uv_udp_send_t *request, int status)
{
    metric_add(status == 0 ? METRIC_HGTP_SENT : METRIC_HGTP_SEND_FAILED, 1);
    free(request->data);
}

static int udp_send_later(struct udp *udp, const struct sockaddr_in *to, struct bytes datagram)
{
    struct udp_waiting *waiting = malloc(sizeof *waiting + datagram.len);
    if (waiting == NULL) {
        return UV_ENOMEM;
    }
    memcpy(waiting->data, datagram.ptr, datagram.len);
    waiting->request.data = waiting;
    uv_buf_t buf = uv_buf_init((char *)waiting->data, (unsigned)datagram.len);
    int error = uv_udp_send(&waiting->request, &udp->handle, &buf, 1, (const struct sockaddr *)to,
                            udp_on_sent);
    if (error != 0) {
        free(waiting);
    }
    return error;
}

void udp_send(struct udp *udp, uint32_t ip, uint16_t port, struct bytes datagram)
{
    const struct sockaddr_in to = udp_address(ip, port);
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)datagram.ptr, (unsigned)datagram.len);
    int sent = uv_udp_try_send(&udp->handle, &buf, 1, (const struct sockaddr *)&to);
    if (sent == UV_EAGAIN && udp_send_later(udp, &to, datagram) == 0) {
        return;
    }
    metric_add(sent >= 0 ? METRIC_HGTP_SENT : METRIC_HGTP_SEND_FAILED, 1);
}

static void udp_port_send(void *ctx, uint32_t ip, uint16_t port, struct bytes datagram)
{
    udp_send(ctx, ip, port, datagram);
}

struct datagram_port udp_datagram_port(struct udp *udp)
{
    return (struct datagram_port){udp, udp_port_send};
}

void udp_stop_hearing(struct udp *udp)
{
    (void)uv_udp_recv_stop(&udp->handle);
}

static void udp_on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void udp_close(struct udp *udp)
{
    uv_close((uv_handle_t *)&udp->handle, udp_on_closed);
}
