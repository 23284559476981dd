/* SPDX-License-Identifier: MIT */
/*
 * control_local: the operators' socket of this machine. It speaks the wire of nng's ipc on the
 * loop, so that hgtpctl and any other nng client reach it; nng's own listener may go deaf for good.
 * It doesn't know what is asked.
 */
#ifndef CONTROL_CONTROL_LOCAL_H
#define CONTROL_CONTROL_LOCAL_H

#include <uv.h>

#include "control_local_bind.h"
#include "control_slot.h"

#define CONTROL_LOCAL_SCHEME "ipc://"
/* Connections; one more takes the place of the one that has been idle for longest, or waits. */
#define CONTROL_LOCAL_PEERS 128
/* Requests of one connection under way; it is not read while it has so many. */
#define CONTROL_LOCAL_CALLS 16
/* Files kept for operators, for when the process has no others left. */
#define CONTROL_LOCAL_SPARES      4
#define CONTROL_LOCAL_PATIENCE_MS 10000

struct control_local;

/**
 * Listen at `path`, for this user only. A socket there that nobody listens at is taken away.
 *
 * path         relative or absolute; copied
 * patience_ms  how long a greeting, a request that has begun, or an answer may stand still; the
 *              time in which the node itself stands still does not count
 * ret_error    CONTROL_LOCAL_ERROR_BYTES; what is wrong with the path
 * returns      NULL on failure
 */
struct control_local *control_local_open(uv_loop_t *loop, const char *path, int64_t patience_ms,
                                         control_request_fn *on_request, void *arg,
                                         char *ret_error);

/** Connections that are open. */
size_t control_local_peer_count(const struct control_local *local);

/** Take the socket's name away, if it is still this one's. */
void control_local_unlink(const struct control_local *local);

/** No request comes any more, all connections end, the name is taken away; it frees itself when the
 * last slot has been answered and the loop has turned. */
void control_local_close(struct control_local *local);

#endif
