/* SPDX-License-Identifier: MIT */
/* routes_talk: HGTP messages and the talk's texts by POST. */
#ifndef FRONT_ROUTES_TALK_H
#define FRONT_ROUTES_TALK_H

#include "routes_handler.h"

routes_answer_fn routes_message;
routes_answer_fn routes_hgtp;

/** A message whose body is more than is read at all. */
void routes_message_too_large(const struct http1_request *req, uint32_t peer_ip,
                              struct routes *routes);

/** Who asks: addresses and bearer token, which may be empty. */
struct core_asker routes_asker(const struct http1_request *req, uint32_t peer_ip,
                               const struct routes *routes);

#endif
