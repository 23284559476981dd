/* SPDX-License-Identifier: MIT */
/* rpc_trust: authorities and the name that a node's certificate has to carry. Proving who one is,
 * is the token's. */
#include "admin/rpc_trust.h"

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>
#include <stdio.h>
#include <string.h>

#define RPC_TRUST_SYSTEM "/etc/ssl/certs/ca-certificates.crt"
#define RPC_TRUST_SCHEME "tls+tcp://"

/* The host of tls+tcp://host:port. */
static void rpc_trust_host(const char *url, char ret_name[256])
{
    const char *host = url + strlen(RPC_TRUST_SCHEME);
    const char *end = strrchr(host, ':');
    snprintf(ret_name, 256, "%.*s", (int)(end != NULL ? (size_t)(end - host) : strlen(host)), host);
}

int rpc_trust_load(const struct rpc_trust *trust, const char *url, struct nng_tls_config **ret_tls)
{
    char name[256];
    *ret_tls = NULL;
    if (strncmp(url, RPC_TRUST_SCHEME, strlen(RPC_TRUST_SCHEME)) != 0) {
        return 0;
    }
    rpc_trust_host(url, name);
    nng_tls_config *tls = NULL;
    int rc = nng_tls_config_alloc(&tls, NNG_TLS_MODE_CLIENT);
    if (rc != 0) {
        return rc;
    }
    rc = nng_tls_config_version(tls, NNG_TLS_1_2, NNG_TLS_1_2);
    if (rc == 0) {
        rc = nng_tls_config_ca_file(tls,
                                    trust->ca_file[0] != '\0' ? trust->ca_file : RPC_TRUST_SYSTEM);
    }
    if (rc == 0) {
        rc = nng_tls_config_server_name(tls, trust->name[0] != '\0' ? trust->name : name);
    }
    if (rc == 0) {
        rc = nng_tls_config_auth_mode(tls, NNG_TLS_AUTH_MODE_REQUIRED);
    }
    if (rc != 0) {
        nng_tls_config_free(tls);
        return rc == NNG_ENOENT || rc == NNG_EINVAL ? NNG_ECRYPTO : rc;
    }
    *ret_tls = tls;
    return 0;
}

void rpc_trust_free(struct nng_tls_config *tls)
{
    if (tls != NULL) {
        nng_tls_config_free(tls);
    }
}

const char *rpc_trust_why(int rc)
{
    switch (rc) {
    case NNG_EPEERAUTH:
    case NNG_ECRYPTO:
        return "TLS failed: is its certificate from the authorities in --ca-file, and does it "
               "carry "
               "the name of --tls-name (without it, the address' host)?";
    case NNG_ECONNSHUT:
        return "it ends the connection at once: does it want tls+tcp:// instead of tcp://, or is "
               "it "
               "no control address?";
    default:
        return NULL;
    }
}
