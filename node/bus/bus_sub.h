/* SPDX-License-Identifier: MIT */
/*
 * bus_sub: the socket on which a node hears the others. Once it listens, it stays open for the life
 * of the process: see bus.h.
 */
#ifndef BUS_BUS_SUB_H
#define BUS_BUS_SUB_H

#include <nng/nng.h>
#include <stdbool.h>

#include "node/bus/bus_limits.h"

#define BUS_TLS "tls+tcp://"

struct nng_tls_config;

struct bus_sub {
    nng_socket socket;
    int fd;                      /* readable while a message waits; nng's own */
    char local[BUS_ADDRESS_MAX]; /* how this node reaches itself */
    char shown[BUS_ADDRESS_MAX]; /* how others reach it, as far as this machine can tell */
};

/**
 * Listen on `url`.
 *
 * tls        for a `url` that begins with tls+tcp; else NULL
 * on_pipe    called by nng's threads for each new connection
 * ret_error  BUS_ERROR_BYTES; on failure a sentence for the log
 * returns    false on failure; then there is nothing to close
 */
bool bus_sub_open(struct bus_sub *sub, const char *url, struct nng_tls_config *tls,
                  nng_pipe_cb on_pipe, void *arg, char *ret_error);

/** The next message, the caller's; NULL when none waits. */
nng_msg *bus_sub_take(struct bus_sub *sub);

#endif
