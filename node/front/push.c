/* SPDX-License-Identifier: MIT */
/*
 * push: the connection of one push client: connecting again and again, writing what the queue has,
 * reading answers to count them. The order of requests, and what is forgotten or sent again, is
 * push_queue's; the form of a request and of a response is that of proto/.
 */
#include "node/front/push.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "node/base/ages.h"
#include "node/base/log.h"
#include "node/front/push_queue.h"
#include "node/front/tcp_socket.h"
#include "proto/http1.h"

enum {
    PUSH_SILENCE_MS = 30000,
    PUSH_LINGER_MS = 1000,
    PUSH_BATCH_BUFS = 128, /* two a request */
    PUSH_READ_BYTES = 16384
};

/* What a receiver does not acknowledge for so long ends the connection. */
#define PUSH_GIVE_UP_MS 30000

/**
 * WAITING -> CONNECTING -> CONNECTED; a failure leads by BROKEN (the socket is being closed) back
 * to WAITING. push_close leads from CONNECTED by LINGERING (all is written, the peer may still read
 * and answer) or straight to BROKEN, whose end is then the end of all.
 */
enum push_state { PUSH_WAITING, PUSH_CONNECTING, PUSH_CONNECTED, PUSH_LINGERING, PUSH_BROKEN };

struct push {
    const struct push_settings *settings; /* not touched after push_close */
    void *owner;
    struct sockaddr_in peer;
    uint8_t user_agent[8];
    char host[INET_ADDRSTRLEN]; /* our end's address */
    enum push_state state;
    bool closing;
    bool refused;      /* push_send has refused something; on_drained is owed */
    bool answered;     /* this connection has brought an answer */
    bool confirmed;    /* answers have come; on_confirmed is owed */
    int64_t opened_us; /* as metrics_now_us */
    int64_t connected_ms;
    int64_t silent_since_ms; /* since then something is unanswered and nothing was heard; 0: no */
    int64_t failed_since_ms; /* the first of the failures since it last worked; 0: it works */
    unsigned lost_count;     /* connections that stood */
    int64_t retry_ms;        /* lower bound of the next wait; 0: at the start of the range */
    int64_t wait_ms;         /* how long to wait when BROKEN is over */
    struct push_queue queue;
    struct http1_response_reader reader;
    uv_tcp_t tcp;
    uv_timer_t timer; /* the next attempt, the limit for this one, or the end of lingering */
    uv_idle_t idle;   /* active when there is something to write after this turn's events */
    uv_connect_t connect;
    uv_write_t write;
    uv_shutdown_t shutdown;
    unsigned handle_count; /* timer and idle */
};

/* What was read last, by whichever connection: used up before anything else is read. */
static char push_incoming[PUSH_READ_BYTES];

static void push_connect(struct push *push);

static int64_t push_now(const struct push *push)
{
    return (int64_t)uv_now(push->timer.loop);
}

static void push_on_handle_closed(uv_handle_t *handle)
{
    struct push *push = handle->data;
    if (--push->handle_count == 0) {
        push_queue_fini(&push->queue);
        free(push);
    }
}

static void push_finish(struct push *push)
{
    uv_close((uv_handle_t *)&push->timer, push_on_handle_closed);
    uv_close((uv_handle_t *)&push->idle, push_on_handle_closed);
}

static void push_on_retry(uv_timer_t *timer)
{
    push_connect(timer->data);
}

static void push_on_tcp_closed(uv_handle_t *handle)
{
    struct push *push = handle->data;
    if (push->closing) {
        push_finish(push);
        return;
    }
    push->state = PUSH_WAITING;
    uv_timer_start(&push->timer, push_on_retry, (uint64_t)push->wait_ms, 0);
}

/* Random between the lower bound and twice that, so that not all return at once. */
static int64_t push_next_wait(struct push *push)
{
    int64_t min_ms = push->settings->retry_min_ms > 0 ? push->settings->retry_min_ms : 1;
    int64_t max_ms = push->settings->retry_max_ms > min_ms ? push->settings->retry_max_ms : min_ms;
    int64_t low_ms = push->retry_ms > min_ms ? push->retry_ms : min_ms;
    int64_t high_ms = low_ms < max_ms / 2 ? low_ms * 2 : max_ms;
    push->retry_ms = low_ms < max_ms / 2 ? high_ms : low_ms;
    uint32_t random = 0;
    (void)uv_random(NULL, NULL, &random, sizeof random, 0, NULL);
    return low_ms < high_ms ? low_ms + (int64_t)random % (high_ms - low_ms + 1) : high_ms;
}

/* Close the socket. What was in flight is given back to the queue: libuv reads no buffer of a
 * closing stream any more. `wait_ms` counts unless the whole is closing. */
static void push_break(struct push *push, int64_t wait_ms)
{
    assert(push->state != PUSH_WAITING && push->state != PUSH_BROKEN);
    if (push->state == PUSH_CONNECTED || push->state == PUSH_LINGERING) {
        metric_add(METRIC_PUSH_CONNECTIONS, -1);
    }
    push->state = PUSH_BROKEN;
    push->wait_ms = wait_ms;
    push->silent_since_ms = 0;
    push_queue_rewind(&push->queue);
    uv_timer_stop(&push->timer);
    uv_idle_stop(&push->idle);
    uv_close((uv_handle_t *)&push->tcp, push_on_tcp_closed);
}

static void push_note_failure(struct push *push)
{
    if (push->failed_since_ms == 0) {
        push->failed_since_ms = push->silent_since_ms != 0 ? push->silent_since_ms : push_now(push);
    }
}

/* A connection that worked: one that brought answers is made anew at once, so a peer that closes
 * after each answer is served as fast as it takes; one that was only accepted must wait. */
static void push_lose(struct push *push, bool orderly)
{
    if (push->closing) {
        push_break(push, 0);
        return;
    }
    push->lost_count++;
    if (push->answered || push_now(push) - push->connected_ms >= push->settings->retry_max_ms) {
        push->retry_ms = 0;
        push->failed_since_ms = 0;
    }
    push_note_failure(push);
    push_break(push, orderly && push->answered ? 0 : push_next_wait(push));
}

static const char *push_peer_ip(const struct push *push, char *storage)
{
    (void)uv_ip4_name(&push->peer, storage, INET_ADDRSTRLEN);
    return storage;
}

static void push_fail(struct push *push, int error)
{
    char ip[INET_ADDRSTRLEN];
    metric_add(METRIC_PUSH_CONNECT_FAILED, 1);
    LOG_LIMITED(LOG_INFO, "push_connect_failed", log_str("ip", push_peer_ip(push, ip)),
                log_int("port", ntohs(push->peer.sin_port)), log_str("error", uv_strerror(error)));
    push_note_failure(push);
    push_break(push, push_next_wait(push));
}

/* ---- Reading ---- */

static void push_on_alloc(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *ret_buf)
{
    (void)suggested_bytes;
    (void)handle;
    *ret_buf = uv_buf_init(push_incoming, sizeof push_incoming);
}

/* False: the response answers nothing. */
static bool push_take_answer(struct push *push)
{
    int64_t logged_unix_ms;
    if (!push_queue_answered(&push->queue, &logged_unix_ms)) {
        return false;
    }
    ages_delivered(HISTOGRAM_DELIVERY_PUSH, logged_unix_ms, push->opened_us);
    metric_add(METRIC_PUSH_CONFIRMED, 1);
    push->answered = true;
    push->confirmed = true;
    push->failed_since_ms = 0;
    push->silent_since_ms = push_queue_unanswered(&push->queue) ? push_now(push) : 0;
    return true;
}

static void push_take(struct push *push, struct bytes in)
{
    while (in.len > 0 && push->state == PUSH_CONNECTED) {
        size_t used = 0;
        enum http1_result result = http1_response_take(&push->reader, in, &used);
        in = bytes_from(in, used);
        if (result == HTTP1_NEED_MORE) {
            return;
        }
        if (result != HTTP1_OK || !push_take_answer(push)) {
            char ip[INET_ADDRSTRLEN];
            LOG_LIMITED(LOG_INFO, "push_bad_response", log_str("ip", push_peer_ip(push, ip)),
                        log_int("port", ntohs(push->peer.sin_port)));
            push_lose(push, false);
        } else if (push->reader.closing) {
            push_lose(push, true);
        }
    }
}

/* The owner may close this push from inside. Even then it is freed in a later turn, not here. */
static void push_tell_confirmed(struct push *push)
{
    if (push->confirmed && !push->closing) {
        push->confirmed = false;
        if (push->settings->events.on_confirmed != NULL) {
            push->settings->events.on_confirmed(push->owner);
        }
    }
}

static void push_on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct push *push = stream->data;
    if (count > 0) {
        push_take(push, bytes_of(buf->base, (size_t)count));
    } else if (count < 0 && push->state == PUSH_CONNECTED) {
        if (count == UV_EOF && push->reader.closing) {
            (void)push_take_answer(push); /* a response without a length is complete only now */
        }
        push_lose(push, true);
    } else if (count < 0) {
        push_break(push, 0);
    }
    push_tell_confirmed(push);
}

/* ---- Writing ---- */

/* The connection broke. Answers that had come before are still there to be read, and what they
 * answer need not be sent again. */
static void push_write_failed(struct push *push)
{
    uv_os_fd_t fd = -1;
    ssize_t count = uv_fileno((uv_handle_t *)&push->tcp, &fd) == 0 ? 1 : 0;
    while (count > 0 && push->state == PUSH_CONNECTED) {
        count = recv(fd, push_incoming, sizeof push_incoming, MSG_DONTWAIT);
        if (count > 0) {
            push_take(push, bytes_of(push_incoming, (size_t)count));
        }
    }
    if (push->state == PUSH_CONNECTED) {
        push_lose(push, true);
    }
}

static void push_flush(struct push *push);

/* What a write has led to. Nothing may follow a call of this: the owner may have closed. */
static void push_tell(struct push *push)
{
    push_tell_confirmed(push);
    if (push->refused && !push->closing &&
        (push->queue.waiting == NULL ||
         push->queue.waiting_bytes < push->settings->queue_max_bytes / 2)) {
        push->refused = false;
        push->settings->events.on_drained(push->owner);
    }
}

static void push_wrote(struct push *push, size_t bytes)
{
    metric_add(METRIC_PUSH_SENT, (int64_t)push_queue_written(&push->queue, bytes));
}

static void push_on_written(uv_write_t *write, int status)
{
    struct push *push = write->handle->data;
    if (push->state != PUSH_CONNECTED) {
        return; /* the socket was closed meanwhile, and the queue wound back */
    }
    if (status != 0) {
        push_write_failed(push);
    } else {
        push_wrote(push, (size_t)(uintptr_t)write->data);
        push_flush(push);
    }
    push_tell(push);
}

/* What the socket did not take at once. The buffers stay where they are until the write ends. */
static void push_write_rest(struct push *push, const uv_buf_t *bufs, size_t count, size_t bytes)
{
    push->write.data = (void *)(uintptr_t)bytes;
    push_queue_lend(&push->queue, bytes);
    if (uv_write(&push->write, (uv_stream_t *)&push->tcp, bufs, (unsigned)count, push_on_written) !=
        0) {
        push_write_failed(push);
    }
}

/* Write all that waits, as far as the socket takes it. */
static void push_flush(struct push *push)
{
    struct bytes host = bytes_str(push->host);
    struct bytes user_agent = bytes_of(push->user_agent, sizeof push->user_agent);
    while (push->state == PUSH_CONNECTED && push->queue.lent_count == 0) {
        uv_buf_t bufs[PUSH_BATCH_BUFS];
        size_t bytes = 0;
        size_t count =
            push_queue_next(&push->queue, host, user_agent, bufs, PUSH_BATCH_BUFS, &bytes);
        if (count == 0) {
            return;
        }
        if (push->silent_since_ms == 0) {
            push->silent_since_ms = push_now(push);
        }
        int rc = uv_try_write((uv_stream_t *)&push->tcp, bufs, (unsigned)count);
        if (rc < 0 && rc != UV_EAGAIN) {
            push_write_failed(push);
            return;
        }
        size_t taken_bytes = rc > 0 ? (size_t)rc : 0;
        push_wrote(push, taken_bytes);
        if (taken_bytes < bytes && !push->closing) {
            count = push_queue_next(&push->queue, host, user_agent, bufs, PUSH_BATCH_BUFS, &bytes);
            push_write_rest(push, bufs, count, bytes);
        } else if (taken_bytes < bytes) {
            return;
        }
    }
}

static void push_on_idle(uv_idle_t *idle)
{
    struct push *push = idle->data;
    uv_idle_stop(idle);
    push_flush(push);
    push_tell(push);
}

/* ---- Connecting ---- */

static void push_on_connected(uv_connect_t *connect, int status)
{
    struct push *push = connect->handle->data;
    if (push->state != PUSH_CONNECTING) {
        return;
    }
    if (status == 0) {
        status = uv_read_start((uv_stream_t *)&push->tcp, push_on_alloc, push_on_read);
    }
    if (status != 0) {
        push_fail(push, status);
        return;
    }
    tcp_socket_set(&push->tcp, PUSH_GIVE_UP_MS);
    struct sockaddr_in own = {0};
    int own_bytes = sizeof own;
    (void)uv_tcp_getsockname(&push->tcp, (struct sockaddr *)&own, &own_bytes);
    (void)uv_ip4_name(&own, push->host, sizeof push->host);
    uv_timer_stop(&push->timer);
    metric_add(METRIC_PUSH_CONNECTIONS, 1);
    push->state = PUSH_CONNECTED;
    push->connected_ms = push_now(push);
    push->answered = false;
    push->reader = (struct http1_response_reader){0};
    push_flush(push);
    push_tell(push);
}

static void push_on_connect_limit(uv_timer_t *timer)
{
    push_fail(timer->data, UV_ETIMEDOUT);
}

static void push_connect(struct push *push)
{
    const struct push_settings *settings = push->settings;
    push->state = PUSH_CONNECTING;
    int rc = uv_tcp_init(settings->loop, &push->tcp);
    assert(rc == 0); /* no socket is made here, nothing can be short */
    push->tcp.data = push;
    uv_timer_start(&push->timer, push_on_connect_limit, (uint64_t)settings->connect_ms, 0);
    rc = uv_tcp_connect(&push->connect, &push->tcp, (const struct sockaddr *)&push->peer,
                        push_on_connected);
    if (rc != 0) {
        push_fail(push, rc);
    }
}

/* ---- Life ---- */

struct push *push_open(const struct push_settings *settings, const uint8_t user_agent[8],
                       uint32_t ip, uint16_t port, void *owner)
{
    struct push *push = calloc(1, sizeof *push);
    if (push == NULL) {
        return NULL;
    }
    push->settings = settings;
    push->owner = owner;
    push->opened_us = metrics_now_us();
    push->peer.sin_family = AF_INET;
    push->peer.sin_addr.s_addr = htonl(ip);
    push->peer.sin_port = htons(port);
    for (size_t i = 0; i < sizeof push->user_agent; i++) {
        /* It comes from a datagram and goes into a header, which it must not break. */
        bool printable = user_agent[i] >= 0x20 && user_agent[i] < 0x7f;
        push->user_agent[i] = printable ? user_agent[i] : '?';
    }
    (void)uv_timer_init(settings->loop, &push->timer);
    (void)uv_idle_init(settings->loop, &push->idle);
    push->timer.data = push;
    push->idle.data = push;
    push->handle_count = 2;
    push_connect(push);
    return push;
}

bool push_send(struct push *push, enum push_type type, struct frame *body, uint64_t mark)
{
    assert(!push->closing);
    bool taken = push_queue_add(&push->queue, push->settings->queue_max_bytes, type, body, mark);
    if (!taken) {
        push->refused = true;
        metric_add(METRIC_PUSH_DROPPED, 1);
    }
    if (push->state == PUSH_CONNECTED) {
        uv_idle_start(&push->idle, push_on_idle);
    }
    return taken;
}

void push_redirect(struct push *push, uint32_t ip, uint16_t port)
{
    assert(!push->closing);
    if (push->peer.sin_addr.s_addr == htonl(ip) && push->peer.sin_port == htons(port)) {
        return;
    }
    push->peer.sin_addr.s_addr = htonl(ip);
    push->peer.sin_port = htons(port);
    push->retry_ms = 0;
    push->wait_ms = 0;
    push->failed_since_ms = push->silent_since_ms = 0;
    if (push->state == PUSH_WAITING) {
        uv_timer_start(&push->timer, push_on_retry, 0, 0);
    } else if (push->state != PUSH_BROKEN) {
        push_break(push, 0);
    }
}

bool push_alive(const struct push *push)
{
    return push->state == PUSH_CONNECTED &&
           (push->silent_since_ms == 0 ||
            push_now(push) - push->silent_since_ms <= PUSH_SILENCE_MS);
}

struct push_health push_health(const struct push *push)
{
    struct push_health health = {.is_up = push->state == PUSH_CONNECTED,
                                 .lost_count = push->lost_count};
    /* One that stands, and owes nothing, works as far as can be told. */
    bool is_in_doubt = !health.is_up || push->silent_since_ms != 0;
    int64_t since_ms = push->failed_since_ms != 0 ? push->failed_since_ms : push->silent_since_ms;
    if (is_in_doubt && since_ms != 0) {
        health.failing_ms = push_now(push) - since_ms + 1;
    }
    return health;
}

uint64_t push_confirmed(const struct push *push)
{
    return push_queue_confirmed(&push->queue);
}

bool push_idle(const struct push *push)
{
    return push_queue_idle(&push->queue);
}

static void push_on_shutdown(uv_shutdown_t *shutdown, int status)
{
    struct push *push = shutdown->handle->data;
    if (status != 0 && status != UV_ECANCELED && push->state == PUSH_LINGERING) {
        push_break(push, 0);
    }
}

static void push_on_linger_over(uv_timer_t *timer)
{
    push_break(timer->data, 0);
}

/* Closing a socket that unread answers may still reach would reset the connection, and cost the
 * peer what it has not read. So the peer gets a moment to close its end first. */
static void push_linger(struct push *push)
{
    push->state = PUSH_LINGERING;
    uv_timer_start(&push->timer, push_on_linger_over, PUSH_LINGER_MS, 0);
    if (uv_shutdown(&push->shutdown, (uv_stream_t *)&push->tcp, push_on_shutdown) != 0) {
        push_break(push, 0);
    }
}

void push_close(struct push *push)
{
    assert(!push->closing);
    push->closing = true;
    if (push->state == PUSH_WAITING) {
        uv_timer_stop(&push->timer);
        push_finish(push);
        return;
    }
    push_flush(push);
    if (push->state == PUSH_CONNECTED && push->queue.waiting == NULL) {
        uv_idle_stop(&push->idle);
        push_linger(push);
    } else if (push->state != PUSH_BROKEN) {
        push_break(push, 0);
    }
}
