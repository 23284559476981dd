/* SPDX-License-Identifier: MIT */
/*
 * tls: this node's certificate, from tls.cert_file and its neighbours, checked and made into what
 * nng takes for addresses that begin with tls+tcp.
 */
#ifndef NODE_TLS_H
#define NODE_TLS_H

#include <nng/nng.h>

#include "node/base/config.h"

#define TLS_ERROR_BYTES 512

/** All NULL where no certificate is configured. */
struct tls {
    struct nng_tls_config *operators; /* to listen: whoever connects proves a token, later on */
    struct nng_tls_config *nodes_in;  /* to listen: whoever connects has a certificate, too */
    struct nng_tls_config *nodes_out; /* to connect */
};

/**
 * Read the files, and check what nng would refuse without a reason and what other nodes would
 * refuse later: that key and certificate belong together, that it has not expired, comes from
 * tls.ca_file and carries tls.name. Sets the metric of its expiry.
 *
 * ret_error  TLS_ERROR_BYTES; on failure a sentence that names setting and file
 * returns    true, also where nothing is configured
 */
bool tls_load(const struct config *config, struct tls *ret_tls, char *ret_error);

/** What nng's sockets hold of it, they keep. */
void tls_free(struct tls *tls);

#endif
