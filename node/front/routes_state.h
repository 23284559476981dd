/* SPDX-License-Identifier: MIT */
/* routes_state: what routes.c and routes_core.c share. Not for others. */
#ifndef FRONT_ROUTES_STATE_H
#define FRONT_ROUTES_STATE_H

#include "routes.h"

/** Answers by http_respond, now or later; everything is borrowed for the call. */
typedef void routes_answer_fn(struct http_exchange *exchange, const struct http1_request *req,
                              struct bytes body, struct routes *routes);

/* routes.c */
/** Answer with the status and the JSON of `err`. */
void routes_refuse(struct http_exchange *exchange, enum err err);

/* routes_core.c: HGTP messages and the talk's texts by POST */
routes_answer_fn routes_message;
routes_answer_fn routes_hgtp;
/** A message whose body is more than is read at all. */
void routes_message_too_large(const struct http1_request *req, uint32_t peer_ip,
                              struct routes *routes);
/** Who asks: addresses and bearer token, which may be empty. */
struct core_asker routes_asker(const struct http1_request *req, uint32_t peer_ip,
                               const struct routes *routes);

/* routes_lines.c: WebSocket and event streams */
routes_answer_fn routes_ws;
routes_answer_fn routes_events;

#endif
