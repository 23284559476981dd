/* SPDX-License-Identifier: MIT */
/* routes: what a node answers over HTTP, in one table. */
#ifndef FRONT_ROUTES_H
#define FRONT_ROUTES_H

#include "http_server.h"
#include "line.h"

struct routes {
    const struct config *config; /* live */
    struct core *core;
    struct lines *lines;
    struct connections *connections; /* where lines count for their clients' addresses */
};

/** http_on_request_fn: `arg` is a struct routes. */
void routes_on_request(struct http_exchange *exchange, const struct http1_request *req,
                       struct bytes body, void *arg);

/** http_on_too_large_fn: likewise. */
void routes_on_too_large(const struct http1_request *req, uint32_t peer_ip, void *arg);

#endif
