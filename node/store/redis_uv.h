/* SPDX-License-Identifier: MIT */
/*
 * redis_uv: drives a hiredis context by a libuv loop. Unlike the adapter that comes with hiredis it
 * lets the context see errors of its socket: a refused connect, a reset connection.
 */
#ifndef STORE_REDIS_UV_H
#define STORE_REDIS_UV_H

#include <hiredis/async.h>
#include <uv.h>

/**
 * Watch the context's socket; until the context is freed, which also ends the watch.
 *
 * returns  0, or a negative libuv error: nothing is attached, free the context
 */
int redis_uv_attach(redisAsyncContext *ac, uv_loop_t *loop);

#endif
