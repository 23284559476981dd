/* SPDX-License-Identifier: MIT */
/* rpc_trust: whose certificates the tool believes, as nng takes it. */
#ifndef ADMIN_RPC_TRUST_H
#define ADMIN_RPC_TRUST_H

struct nng_tls_config;

struct rpc_trust {
    const char *ca_file; /* "": the system's */
    const char *name;    /* that the certificate has to carry; "": the address' host */
};

/**
 * What a connection to `url` has to prove.
 *
 * ret_tls  freed by rpc_trust_free; NULL where `url` does not begin with tls+tcp
 * returns  0 or nng's error
 */
int rpc_trust_load(const struct rpc_trust *trust, const char *url, struct nng_tls_config **ret_tls);
void rpc_trust_free(struct nng_tls_config *tls);

/** What an error of nng's says of certificates, and what to do; NULL: nothing. Static. */
const char *rpc_trust_why(int rc);

#endif
