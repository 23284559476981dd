/* SPDX-License-Identifier: MIT */
/* routes: what a node answers over HTTP, in one table. */
#ifndef FRONT_ROUTES_H
#define FRONT_ROUTES_H

#include "routes_handler.h"

/** http_on_request_fn: `arg` is a struct routes. */
void routes_on_request(struct http_exchange *exchange, const struct http1_request *req,
                       struct bytes body, void *arg);

/** http_on_too_large_fn: likewise. */
void routes_on_too_large(const struct http1_request *req, uint32_t peer_ip, void *arg);

#endif
