/* SPDX-License-Identifier: MIT */
/* routes_handler: what everything that answers HTTP requests gets, and how it refuses. */
#ifndef FRONT_ROUTES_HANDLER_H
#define FRONT_ROUTES_HANDLER_H

#include "http_server.h"
#include "line.h"

struct routes {
    const struct config *config; /* live */
    struct core *core;
    struct lines *lines;
    struct connections *connections; /* where lines count for their clients' addresses */
};

/** Answers by http_respond, now or later; everything is borrowed for the call. */
typedef void routes_answer_fn(struct http_exchange *exchange, const struct http1_request *req,
                              struct bytes body, struct routes *routes);

/** Answer with the status and the JSON of `err`. */
static inline void routes_refuse(struct http_exchange *exchange, enum err err)
{
    const char *retry = err_is_worth_repeating(err) ? "Retry-After: 1\r\n" : NULL;
    http_refuse(exchange, err_http_status(err), err_name(err), err_text(err), retry);
}

#endif
