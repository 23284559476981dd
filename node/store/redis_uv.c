/* SPDX-License-Identifier: MIT */
/*
 * redis_uv: one poll handle per hiredis context. It turns readiness into the context's read and
 * write calls, and hiredis' wishes into the events watched. It knows no command and no deadline.
 */
#include "node/store/redis_uv.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>

struct redis_uv {
    uv_poll_t poll;
    redisAsyncContext *ac; /* NULL once hiredis has freed it */
    int events;
};

static void redis_uv_watch(struct redis_uv *watch, int events);

static void redis_uv_on_poll(uv_poll_t *poll, int status, int events)
{
    struct redis_uv *watch = poll->data;
    if (status != 0) {
        /* The socket has an error and libuv has stopped the watch. Reading brings the error to
         * hiredis; what had arrived before it is read first, so the watch goes on. */
        int wanted = watch->events;
        watch->events = 0;
        redisAsyncHandleRead(watch->ac);
        if (watch->ac != NULL) {
            redis_uv_watch(watch, wanted | watch->events);
        }
        return;
    }
    if (events & UV_READABLE) {
        redisAsyncHandleRead(watch->ac);
    }
    if (watch->ac != NULL && (events & UV_WRITABLE)) {
        redisAsyncHandleWrite(watch->ac);
    }
}

static void redis_uv_watch(struct redis_uv *watch, int events)
{
    if (watch->events == events) {
        return;
    }
    watch->events = events;
    int rc = events != 0 ? uv_poll_start(&watch->poll, events, redis_uv_on_poll)
                         : uv_poll_stop(&watch->poll);
    assert(rc == 0);
    (void)rc;
}

static void redis_uv_add_read(void *data)
{
    struct redis_uv *watch = data;
    redis_uv_watch(watch, watch->events | UV_READABLE);
}

static void redis_uv_del_read(void *data)
{
    struct redis_uv *watch = data;
    redis_uv_watch(watch, watch->events & ~UV_READABLE);
}

static void redis_uv_add_write(void *data)
{
    struct redis_uv *watch = data;
    redis_uv_watch(watch, watch->events | UV_WRITABLE);
}

static void redis_uv_del_write(void *data)
{
    struct redis_uv *watch = data;
    redis_uv_watch(watch, watch->events & ~UV_WRITABLE);
}

static void redis_uv_on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void redis_uv_cleanup(void *data)
{
    struct redis_uv *watch = data;
    watch->ac = NULL;
    uv_close((uv_handle_t *)&watch->poll, redis_uv_on_closed);
}

int redis_uv_attach(redisAsyncContext *ac, uv_loop_t *loop)
{
    struct redis_uv *watch = calloc(1, sizeof *watch);
    if (watch == NULL) {
        return UV_ENOMEM;
    }
    /* hiredis forgets this; a child process must not hold the connection open. */
    (void)fcntl(ac->c.fd, F_SETFD, FD_CLOEXEC);
    int rc = uv_poll_init(loop, &watch->poll, ac->c.fd);
    if (rc != 0) {
        free(watch);
        return rc;
    }
    watch->poll.data = watch;
    watch->ac = ac;
    ac->ev.data = watch;
    ac->ev.addRead = redis_uv_add_read;
    ac->ev.delRead = redis_uv_del_read;
    ac->ev.addWrite = redis_uv_add_write;
    ac->ev.delWrite = redis_uv_del_write;
    ac->ev.cleanup = redis_uv_cleanup;
    return 0;
}
