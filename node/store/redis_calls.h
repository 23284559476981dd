/* SPDX-License-Identifier: MIT */
/* redis_calls: commands of a redis_link in the order in which they were sent. Not for others. */
#ifndef STORE_REDIS_CALLS_H
#define STORE_REDIS_CALLS_H

#include "node/store/redis_link.h"

struct redis_call {
    struct redis_call *next;
    struct redis_link *link;
    redis_link_on_reply_fn *on_reply; /* NULL once answered: the reply is not wanted any more */
    void *arg;
    int64_t due_ms;
    int64_t cut_ms; /* without a reply by then, the connection is cut */
};

struct redis_calls {
    struct redis_call *head;
    struct redis_call *tail;
};

static inline void redis_calls_append(struct redis_calls *calls, struct redis_call *call)
{
    call->next = NULL;
    if (calls->tail != NULL) {
        calls->tail->next = call;
    } else {
        calls->head = call;
    }
    calls->tail = call;
}

static inline struct redis_call *redis_calls_take(struct redis_calls *calls)
{
    struct redis_call *call = calls->head;
    if (call != NULL) {
        calls->head = call->next;
        if (calls->head == NULL) {
            calls->tail = NULL;
        }
    }
    return call;
}

#endif
