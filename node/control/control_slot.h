/* SPDX-License-Identifier: MIT */
/*
 * control_slot: a request that waits for its answer, as both ways to control hand it over: nng's
 * (control_socket) and this machine's socket (control_local).
 */
#ifndef CONTROL_CONTROL_SLOT_H
#define CONTROL_CONTROL_SLOT_H

#include "proto/bytes.h"

/* Longest request; a longer one is refused, and the connection of one far longer is cut. */
#define CONTROL_REQUEST_MAX ((size_t)1 << 20)
#define CONTROL_RECEIVE_MAX (4 * CONTROL_REQUEST_MAX)

struct control_slot {
    /** Exactly once, on the loop thread, from inside `control_request_fn` or later; `answer` is
     * copied, and nothing becomes of it when who asked has gone. The slot is used up. */
    void (*answer)(struct control_slot *slot, struct bytes answer);
    bool is_owner; /* the system says that the node's user asks, or root */
};

/** A request has come; `request` is borrowed for the call. On the loop thread. */
typedef void control_request_fn(struct control_slot *slot, struct bytes request, void *arg);

#endif
