/* SPDX-License-Identifier: MIT */
/*
 * redis_sentinel: asks sentinels where the master is, one after the other until one knows it.
 * Whether what they name is a master is found out by who dials it.
 */
#ifndef STORE_REDIS_SENTINEL_H
#define STORE_REDIS_SENTINEL_H

#include <uv.h>

#include "node/store/redis_url.h"

struct redis_sentinel;

/** The question is answered and over. `host` is an address or a name, borrowed; or it is NULL and
 * `why` says what went wrong with the sentinel that was asked last, borrowed. */
typedef void redis_sentinel_on_found_fn(const char *host, uint16_t port, const char *why,
                                        void *arg);

/**
 * Ask.
 *
 * url          of sentinels; borrowed until the end of the question
 * turn         which sentinel to begin with, counted round
 * deadline_ms  for all of them together; shared out, so that a silent one does not use it up
 * on_found     called exactly once, from the loop, unless the question is cancelled
 * returns      valid until on_found or redis_sentinel_cancel; NULL when memory is out
 */
struct redis_sentinel *redis_sentinel_ask(uv_loop_t *loop, const struct redis_url *url,
                                          unsigned turn, int64_t deadline_ms,
                                          redis_sentinel_on_found_fn *on_found, void *arg);

/** Take the question back; on_found is not called. NULL is legal. */
void redis_sentinel_cancel(struct redis_sentinel *sentinel);

#endif
