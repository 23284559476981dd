/* SPDX-License-Identifier: MIT */
/*
 * private_redis: the redis-server of a node that was given none: on a unix socket in the node's
 * temporary folder, nothing saved, ends with the node even when that is killed (setpriv
 * --pdeathsig). Started anew, empty, if it ends by itself.
 */
#ifndef STORE_PRIVATE_REDIS_H
#define STORE_PRIVATE_REDIS_H

#include <uv.h>

struct private_redis;

/**
 * Start redis-server.
 *
 * folder      existing, private to this node (0700); socket, log and pid live there; copied
 * ret_server  on 0: owned by the caller until private_redis_close
 * returns     0 or a negative libuv error; UV_ENOENT: redis-server or setpriv is not installed
 */
int private_redis_open(uv_loop_t *loop, const char *folder, struct private_redis **ret_server);

/** "unix:///folder/redis.sock"; valid as long as the server. The socket may appear a moment later.
 */
const char *private_redis_url(const struct private_redis *server);

/** 0 while it is down, waiting to be started anew. */
int private_redis_pid(const struct private_redis *server);

/** SIGTERM, SIGKILL after 2 s, files removed; then `on_closed`, and the structure is freed. */
void private_redis_close(struct private_redis *server, void (*on_closed)(void *arg), void *arg);

/** SIGKILL and the files removed, at once, for a process that is about to end. */
void private_redis_kill(struct private_redis *server);

#endif
