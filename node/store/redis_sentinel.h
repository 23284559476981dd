/* SPDX-License-Identifier: MIT */
/*
 * redis_sentinel: asks sentinels where the master is, one after the other until one knows it that
 * has not missed a failover others knew of. Whether what they name is a master is found out by who
 * dials it.
 */
#ifndef STORE_REDIS_SENTINEL_H
#define STORE_REDIS_SENTINEL_H

#include <uv.h>

#include "node/store/redis_url.h"

struct redis_sentinel;

/** What is remembered from one question to the next; zeroed at the start. */
struct redis_sentinel_past {
    unsigned turn;  /* which sentinel to begin with, counted round */
    uint64_t epoch; /* of the latest failover heard of; 0: none, any answer will do */
};

/** The question is answered and over. `host` is an address or a name, borrowed; or it is NULL and
 * `why` says what went wrong with the sentinel that was asked last, borrowed. */
typedef void redis_sentinel_on_found_fn(const char *host, uint16_t port, const char *why,
                                        void *arg);

/**
 * Ask.
 *
 * url          of sentinels; borrowed until the end of the question
 * past         borrowed until the end of the question; an answer from before its epoch is passed
 *              over: that sentinel is cut off from the others, and may name a server that is too
 * deadline_ms  for all of them together; shared out, so that a silent one does not use it up
 * on_found     called exactly once, from the loop, unless the question is cancelled
 * returns      valid until on_found or redis_sentinel_cancel; NULL when memory is out
 */
struct redis_sentinel *redis_sentinel_ask(uv_loop_t *loop, const struct redis_url *url,
                                          struct redis_sentinel_past *past, int64_t deadline_ms,
                                          redis_sentinel_on_found_fn *on_found, void *arg);

/**
 * Ask every second until a sentinel names another server than `host` and `port`; then on_found is
 * called with that one, never with NULL. Without an answer the asking goes on, and the log says so.
 *
 * host  borrowed until the end; all else as with redis_sentinel_ask
 */
struct redis_sentinel *redis_sentinel_watch(uv_loop_t *loop, const struct redis_url *url,
                                            struct redis_sentinel_past *past, const char *host,
                                            uint16_t port, redis_sentinel_on_found_fn *on_found,
                                            void *arg);

/** Take the question back; on_found is not called. NULL is legal. */
void redis_sentinel_cancel(struct redis_sentinel *sentinel);

#endif
