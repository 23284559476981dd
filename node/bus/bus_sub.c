/* SPDX-License-Identifier: MIT */
/*
 * bus_sub: opens the listening socket and finds out how it is reached. It takes whatever comes:
 * there are no topics, because nng would look for them one by one at the receiver. What the
 * messages say is bus.c's affair.
 */
#include "node/bus/bus_sub.h"

#include <arpa/inet.h>
#include <assert.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/supplemental/tls/tls.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "proto/bus_batch.h"

enum { BUS_SUB_QUEUE = 8192 }; /* the most that nng allows */

/* Beyond what bus_batch_open takes, so that what is a little too large is refused and counted
 * there. For what is larger still, nng cuts the connection; that can hang the sender's nng 1.5, so
 * it is far from what nodes send. */
#define BUS_SUB_MESSAGE_MAX ((size_t)4 << 20)

static_assert(BUS_SUB_MESSAGE_MAX > BUS_BATCH_BYTES_MAX, "batches pass");

/* An address of the first interface that is up and not loopback; loopback where there is none. */
static struct in_addr bus_sub_first_ip(void)
{
    struct in_addr ip = {.s_addr = htonl(INADDR_LOOPBACK)};
    uv_interface_address_t *found = NULL; /* libuv lists those only that are up */
    int count = 0;
    if (uv_interface_addresses(&found, &count) != 0) {
        return ip;
    }
    for (int i = 0; i < count; i++) {
        if (!found[i].is_internal && found[i].address.address4.sin_family == AF_INET) {
            ip = found[i].address.address4.sin_addr;
            break;
        }
    }
    uv_free_interface_addresses(found, count);
    return ip;
}

static bool bus_sub_is_tls(const char *url)
{
    return strncmp(url, BUS_TLS, strlen(BUS_TLS)) == 0;
}

static void bus_sub_print(char *out, bool is_tls, struct in_addr ip, uint16_t port)
{
    char text[INET_ADDRSTRLEN];
    (void)inet_ntop(AF_INET, &ip, text, sizeof text);
    (void)snprintf(out, BUS_ADDRESS_MAX, "%s%s:%u", is_tls ? BUS_TLS : "tcp://", text, port);
}

/* Where it really listens: the URL may have left port and address open. */
static void bus_sub_find_address(struct bus_sub *sub, nng_listener listener, const char *url)
{
    nng_sockaddr bound;
    if (nng_listener_get_addr(listener, NNG_OPT_LOCADDR, &bound) != 0 ||
        bound.s_family != NNG_AF_INET) {
        (void)snprintf(sub->local, sizeof sub->local, "%s", url);
        (void)snprintf(sub->shown, sizeof sub->shown, "%s", url);
        return;
    }
    struct in_addr ip = {.s_addr = bound.s_in.sa_addr};
    uint16_t port = ntohs(bound.s_in.sa_port);
    bool is_any = ip.s_addr == htonl(INADDR_ANY), is_tls = bus_sub_is_tls(url);
    struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
    bus_sub_print(sub->local, is_tls, is_any ? loopback : ip, port);
    bus_sub_print(sub->shown, is_tls, is_any ? bus_sub_first_ip() : ip, port);
}

static int bus_sub_set_up(struct bus_sub *sub, nng_pipe_cb on_pipe, void *arg)
{
    int rc = nng_socket_set(sub->socket, NNG_OPT_SUB_SUBSCRIBE, "", 0);
    if (rc == 0) {
        rc = nng_socket_set_int(sub->socket, NNG_OPT_RECVBUF, BUS_SUB_QUEUE);
    }
    if (rc == 0) {
        rc = nng_socket_set_size(sub->socket, NNG_OPT_RECVMAXSZ, BUS_SUB_MESSAGE_MAX);
    }
    if (rc == 0) {
        rc = nng_pipe_notify(sub->socket, NNG_PIPE_EV_ADD_POST, on_pipe, arg);
    }
    if (rc == 0) {
        rc = nng_socket_get_int(sub->socket, NNG_OPT_RECVFD, &sub->fd);
    }
    return rc;
}

static int bus_sub_listen(struct bus_sub *sub, const char *url, struct nng_tls_config *tls,
                          nng_listener *ret_listener)
{
    int rc = nng_listener_create(ret_listener, sub->socket, url);
    if (rc == 0 && bus_sub_is_tls(url)) {
        rc = nng_listener_set_ptr(*ret_listener, NNG_OPT_TLS_CONFIG, tls);
    }
    return rc != 0 ? rc : nng_listener_start(*ret_listener, 0);
}

bool bus_sub_open(struct bus_sub *sub, const char *url, struct nng_tls_config *tls,
                  nng_pipe_cb on_pipe, void *arg, char *ret_error)
{
    int rc = nng_sub0_open(&sub->socket);
    if (rc != 0) {
        (void)snprintf(ret_error, BUS_ERROR_BYTES, "cannot open the bus: %s", nng_strerror(rc));
        return false;
    }
    nng_listener listener;
    rc = bus_sub_set_up(sub, on_pipe, arg);
    if (rc == 0) {
        rc = bus_sub_listen(sub, url, tls, &listener);
    }
    if (rc != 0) {
        (void)snprintf(ret_error, BUS_ERROR_BYTES, "cannot listen on %s: %s", url,
                       nng_strerror(rc));
        (void)nng_close(sub->socket); /* harmless: nobody could connect to it yet */
        return false;
    }
    bus_sub_find_address(sub, listener, url);
    return true;
}

nng_msg *bus_sub_take(struct bus_sub *sub)
{
    nng_msg *msg = NULL;
    return nng_recvmsg(sub->socket, &msg, NNG_FLAG_NONBLOCK) == 0 ? msg : NULL;
}
