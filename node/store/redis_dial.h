/* SPDX-License-Identifier: MIT */
/*
 * redis_dial: one attempt to get a usable connection to Redis: look the name up, connect, AUTH,
 * SELECT, ROLE where a sentinel has named it, PING, all of it within one deadline. Attempts are
 * repeated by redis_link.
 */
#ifndef STORE_REDIS_DIAL_H
#define STORE_REDIS_DIAL_H

#include <hiredis/async.h>
#include <uv.h>

#include "node/store/redis_url.h"

struct redis_dial;

/**
 * The attempt is over and freed. `ac` is connected, attached to the loop, without a disconnect
 * callback, and the receiver's from now on; or it is NULL and `why` says why, borrowed.
 */
typedef void redis_dial_on_done_fn(redisAsyncContext *ac, const char *why, void *arg);

/**
 * Begin an attempt. A unix socket that does not exist is looked for until the deadline: a private
 * server's appears a moment after its start.
 *
 * url      borrowed until the end of the attempt
 * turn     which of a name's addresses to take, counted round; IPv4 comes first
 * on_done  called exactly once, from the loop, unless the attempt is cancelled
 * returns  valid until on_done or redis_dial_cancel; NULL when memory is out
 */
struct redis_dial *redis_dial_open(uv_loop_t *loop, const struct redis_url *url, unsigned turn,
                                   int64_t deadline_ms, redis_dial_on_done_fn *on_done, void *arg);

/** Give the attempt up; on_done is not called. NULL is legal. */
void redis_dial_cancel(struct redis_dial *dial);

#endif
