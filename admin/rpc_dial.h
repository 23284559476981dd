/* SPDX-License-Identifier: MIT */
/* rpc_dial: nng's dialling with a deadline, which nng does not have. */
#ifndef ADMIN_RPC_DIAL_H
#define ADMIN_RPC_DIAL_H

#include <nng/nng.h>
#include <stdint.h>

struct nng_tls_config;

/**
 * Connect `socket` to `url`.
 *
 * tls      for a `url` that begins with tls+tcp; the caller's
 * returns  0, or nng's error: then the socket is closed, at once or when the attempt has ended
 */
int rpc_dial(nng_socket socket, const char *url, struct nng_tls_config *tls, int64_t timeout_ms);

#endif
