/* SPDX-License-Identifier: MIT */
/*
 * control_local: accepting, reading, answering and giving up on peers. Whatever a peer does costs
 * at most one place, one request's memory and the patience below. How the socket comes to its name
 * is control_local_bind.c's.
 */
#include "control_local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "node/base/log.h"
#include "proto/sp.h"

#define CONTROL_LOCAL_READ_BYTES 4096
#define CONTROL_LOCAL_STEPS      20 /* of the timer, in a peer's patience */

/* A connection. */
struct control_peer {
    uv_pipe_t pipe;
    struct control_local *local;
    struct control_peer *next, *prev; /* the one that has done something last stands last */
    struct control_call_slot *calls;  /* under way */
    size_t call_count;
    uint8_t *in; /* what has been read and is no whole request yet */
    size_t in_bytes, in_cap;
    size_t unsent_bytes; /* when it was last looked at */
    unsigned steps_left; /* of its patience */
    bool has_greeted, is_owner, is_reading;
};

struct control_call_slot {
    struct control_slot slot; /* the first: control has its address */
    struct control_local *local;
    struct control_peer *peer; /* NULL: gone */
    struct control_call_slot *next, *prev;
    uint8_t stack[SP_STACK_BYTES_MAX];
    size_t stack_bytes;
};

struct control_answer {
    uv_write_t write;
    struct control_peer *peer;
    uint8_t bytes[];
};

struct control_local {
    uv_loop_t *loop;
    uv_poll_t listener;
    uv_timer_t timer;
    struct control_local_name name;
    int fd;
    int spares[CONTROL_LOCAL_SPARES]; /* -1: given to a connection */
    struct control_peer *peers;
    size_t peer_count;
    size_t hold_count; /* handles, peers and slots that keep this alive */
    bool is_accepting;
    control_request_fn *on_request; /* NULL: closed */
    void *arg;
};

static void control_peer_pump(struct control_peer *peer);

static void control_local_let_go(struct control_local *local)
{
    if (--local->hold_count == 0) {
        free(local);
    }
}

static void control_local_on_closed(uv_handle_t *handle)
{
    control_local_let_go(handle->data);
}

/* Files for when there are none ----------------------------------------------------------------
 */

static void control_local_fill_spares(struct control_local *local)
{
    for (size_t i = 0; i < CONTROL_LOCAL_SPARES; i++) {
        if (local->spares[i] < 0) {
            local->spares[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        }
    }
}

/* False: there is none. */
static bool control_local_give_spare(struct control_local *local)
{
    for (size_t i = 0; i < CONTROL_LOCAL_SPARES; i++) {
        if (local->spares[i] >= 0) {
            (void)close(local->spares[i]);
            local->spares[i] = -1;
            return true;
        }
    }
    return false;
}

/* Peers ------------------------------------------------------------------------------------------
 */

static void control_peer_on_closed(uv_handle_t *handle)
{
    struct control_peer *peer = handle->data;
    struct control_local *local = peer->local;
    free(peer->in);
    free(peer);
    control_local_let_go(local);
}

/* What is under way for it goes on, and its answers go nowhere. */
static void control_peer_close(struct control_peer *peer)
{
    struct control_call_slot *call;
    if (uv_is_closing((uv_handle_t *)&peer->pipe)) {
        return;
    }
    DL_FOREACH(peer->calls, call)
    {
        call->peer = NULL;
    }
    peer->calls = NULL;
    DL_DELETE(peer->local->peers, peer);
    peer->local->peer_count--;
    uv_close((uv_handle_t *)&peer->pipe, control_peer_on_closed);
    if (peer->local->on_request != NULL) {
        control_local_fill_spares(peer->local); /* its file is free: before anybody else has it */
    }
}

static void control_peer_cut(struct control_peer *peer, const char *reason)
{
    LOG_LIMITED(LOG_WARN, "control_peer_cut", log_str("reason", reason));
    control_peer_close(peer);
}

/* Something whole has come from it, or goes to it. */
static void control_peer_is_alive(struct control_peer *peer)
{
    peer->steps_left = CONTROL_LOCAL_STEPS;
    DL_DELETE(peer->local->peers, peer);
    DL_APPEND(peer->local->peers, peer);
}

/* Something is expected of it: a greeting, the rest of a request, that it takes its answer. */
static bool control_peer_owes(const struct control_peer *peer)
{
    return !peer->has_greeted || (peer->in_bytes > 0 && peer->is_reading) ||
           uv_stream_get_write_queue_size((const uv_stream_t *)&peer->pipe) > 0;
}

static void control_peer_tick(struct control_peer *peer)
{
    size_t unsent_bytes = uv_stream_get_write_queue_size((const uv_stream_t *)&peer->pipe);
    if (!control_peer_owes(peer) || unsent_bytes < peer->unsent_bytes) {
        peer->steps_left = CONTROL_LOCAL_STEPS;
    } else if (--peer->steps_left == 0) {
        control_peer_cut(peer, !peer->has_greeted ? "it sent no greeting"
                               : unsent_bytes > 0 ? "it does not read its answers"
                                                  : "the rest of its request did not come");
        return;
    }
    peer->unsent_bytes = unsent_bytes;
}

/* Answers ----------------------------------------------------------------------------------------
 */

static void control_answer_on_written(uv_write_t *write, int status)
{
    struct control_answer *answer = write->data;
    struct control_peer *peer = answer->peer;
    free(answer);
    if (status == 0) {
        control_peer_pump(peer);
    } else {
        control_peer_close(peer);
    }
}

static void control_peer_send(struct control_peer *peer, struct bytes stack, struct bytes body)
{
    size_t len = SP_FRAME_HEAD_BYTES + stack.len + body.len;
    struct control_answer *answer = malloc(sizeof *answer + len);
    if (answer == NULL) {
        control_peer_cut(peer, "memory is out");
        return;
    }
    struct sink out = sink_into(answer->bytes, len);
    sp_frame_head(stack.len + body.len, &out);
    sink_put(&out, stack);
    sink_put(&out, body);
    answer->peer = peer;
    answer->write.data = answer;
    uv_buf_t buffer = uv_buf_init((char *)answer->bytes, (unsigned)len);
    if (uv_write(&answer->write, (uv_stream_t *)&peer->pipe, &buffer, 1,
                 control_answer_on_written) != 0) {
        free(answer);
        control_peer_close(peer);
    }
}

static void control_call_answer(struct control_slot *slot, struct bytes answer)
{
    struct control_call_slot *call = (struct control_call_slot *)slot;
    struct control_peer *peer = call->peer;
    struct control_local *local = call->local;
    if (peer != NULL) {
        DL_DELETE(peer->calls, call);
        peer->call_count--;
        control_peer_is_alive(peer);
        control_peer_send(peer, bytes_of(call->stack, call->stack_bytes), answer);
    }
    free(call);
    control_local_let_go(local);
}

/* Requests ---------------------------------------------------------------------------------------
 */

static bool control_peer_ask(struct control_peer *peer, struct bytes payload)
{
    struct bytes stack, body;
    struct control_local *local = peer->local;
    struct control_call_slot *call =
        sp_request_split(payload, &stack, &body) ? calloc(1, sizeof *call) : NULL;
    if (call == NULL) {
        return false;
    }
    call->slot = (struct control_slot){.answer = control_call_answer, .is_owner = peer->is_owner};
    call->local = local;
    call->peer = peer;
    memcpy(call->stack, stack.ptr, stack.len);
    call->stack_bytes = stack.len;
    DL_APPEND(peer->calls, call);
    peer->call_count++;
    local->hold_count++;
    local->on_request(&call->slot, body, local->arg);
    return true;
}

/* What is in front of the buffer, taken; its length, or 0: nothing is whole. */
static size_t control_peer_take(struct control_peer *peer, size_t at, enum sp_result *ret_result)
{
    struct bytes in = bytes_of(peer->in + at, peer->in_bytes - at), payload;
    if (!peer->has_greeted) {
        *ret_result = sp_greeting_read(in, SP_REQ);
        peer->has_greeted = *ret_result == SP_WHOLE;
        return peer->has_greeted ? SP_GREETING_BYTES : 0;
    }
    *ret_result = sp_frame_read(in, SP_STACK_BYTES_MAX + CONTROL_RECEIVE_MAX, &payload);
    if (*ret_result != SP_WHOLE) {
        return 0;
    }
    if (!control_peer_ask(peer, payload)) {
        *ret_result = SP_BAD;
        return 0;
    }
    return SP_FRAME_HEAD_BYTES + payload.len;
}

static void control_peer_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    struct control_peer *peer = handle->data;
    (void)suggested;
    if (peer->in_cap - peer->in_bytes < CONTROL_LOCAL_READ_BYTES) {
        size_t cap = peer->in_cap * 2 + CONTROL_LOCAL_READ_BYTES;
        uint8_t *in = realloc(peer->in, cap);
        if (in == NULL) {
            *ret_buffer = uv_buf_init(NULL, 0); /* it comes as UV_ENOBUFS */
            return;
        }
        peer->in = in;
        peer->in_cap = cap;
    }
    *ret_buffer =
        uv_buf_init((char *)peer->in + peer->in_bytes, (unsigned)(peer->in_cap - peer->in_bytes));
}

static void control_peer_on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct control_peer *peer = stream->data;
    (void)buffer;
    if (count < 0) {
        control_peer_close(peer);
    } else if (count > 0) {
        peer->in_bytes += (size_t)count;
        control_peer_pump(peer);
    }
}

/* It is read only while it may ask, so that what it sends ahead waits in its own socket. */
static void control_peer_read_if(struct control_peer *peer, bool may_ask)
{
    if (peer->is_reading == may_ask) {
        return;
    }
    peer->is_reading = may_ask;
    if (!may_ask) {
        (void)uv_read_stop((uv_stream_t *)&peer->pipe);
    } else if (uv_read_start((uv_stream_t *)&peer->pipe, control_peer_alloc,
                             control_peer_on_read) != 0) {
        control_peer_close(peer);
    }
}

static bool control_peer_may_ask(const struct control_peer *peer)
{
    return peer->call_count < CONTROL_LOCAL_CALLS &&
           uv_stream_get_write_queue_size((const uv_stream_t *)&peer->pipe) == 0;
}

static void control_peer_pump(struct control_peer *peer)
{
    size_t used = 0;
    enum sp_result result = SP_WHOLE;
    /* What is asked may be answered at once, and the peer be lost by that. */
    while (result == SP_WHOLE && used < peer->in_bytes &&
           !uv_is_closing((uv_handle_t *)&peer->pipe) && control_peer_may_ask(peer)) {
        used += control_peer_take(peer, used, &result);
    }
    if (uv_is_closing((uv_handle_t *)&peer->pipe)) {
        return;
    }
    if (result == SP_BAD) {
        control_peer_cut(peer, peer->has_greeted ? "what it sent is no request of this wire"
                                                 : "it does not speak this wire");
        return;
    }
    if (used > 0) {
        control_peer_is_alive(peer);
        peer->in_bytes -= used;
        memmove(peer->in, peer->in + used, peer->in_bytes);
    }
    if (peer->in_bytes == 0) {
        free(peer->in);
        peer->in = NULL;
        peer->in_cap = 0;
    }
    control_peer_read_if(peer, control_peer_may_ask(peer));
}

/* Accepting --------------------------------------------------------------------------------------
 */

/* Room for one more; false: everybody here waits for an answer. */
static bool control_local_make_room(struct control_local *local)
{
    struct control_peer *peer;
    if (local->peer_count < CONTROL_LOCAL_PEERS) {
        return true;
    }
    DL_FOREACH(local->peers, peer)
    {
        if (peer->call_count == 0) {
            control_peer_cut(peer, "another one needs its place");
            return true;
        }
    }
    return false;
}

static bool control_local_is_owner(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

static void control_local_add(struct control_local *local, int fd)
{
    struct control_peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL) {
        (void)close(fd);
        return;
    }
    peer->local = local;
    peer->is_owner = control_local_is_owner(fd);
    peer->steps_left = CONTROL_LOCAL_STEPS;
    (void)uv_pipe_init(local->loop, &peer->pipe, 0);
    peer->pipe.data = peer;
    local->hold_count++;
    local->peer_count++;
    DL_APPEND(local->peers, peer);
    if (uv_pipe_open(&peer->pipe, fd) != 0) {
        (void)close(fd);
        control_peer_close(peer);
        return;
    }
    uint8_t greeting[SP_GREETING_BYTES];
    struct sink out = sink_into(greeting, sizeof greeting);
    sp_greet(SP_REP, &out);
    uv_buf_t buffer = uv_buf_init((char *)greeting, sizeof greeting);
    /* A new socket has room for it. */
    if (uv_try_write((uv_stream_t *)&peer->pipe, &buffer, 1) != sizeof greeting) {
        control_peer_close(peer);
        return;
    }
    control_peer_read_if(peer, true);
}

static void control_local_accept_if(struct control_local *local, bool can);

/* False: nobody waits, or nobody can be taken now. */
static bool control_local_accept(struct control_local *local)
{
    if (!control_local_make_room(local)) {
        control_local_accept_if(local, false);
        return false;
    }
    int fd = accept4(local->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        control_local_add(local, fd);
        return true;
    }
    if (errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != ENOBUFS) {
        return errno == ECONNABORTED || errno == EINTR;
    }
    LOG_LIMITED(LOG_ERROR, "control_out_of_files", log_str("error", strerror(errno)),
                log_str("hint", "operators have a few files of their own; raise the limit of open "
                                "files (LimitNOFILE)"));
    if (control_local_give_spare(local)) {
        return true;
    }
    control_local_accept_if(local, false); /* until the timer, or it would turn the loop for ever */
    return false;
}

static void control_local_on_connection(uv_poll_t *listener, int status, int events)
{
    struct control_local *local = listener->data;
    (void)status;
    (void)events;
    /* So many at once, then the others' turn. */
    for (size_t i = 0; i < CONTROL_LOCAL_PEERS && control_local_accept(local); i++) {
    }
}

static void control_local_accept_if(struct control_local *local, bool can)
{
    if (local->is_accepting != can) {
        local->is_accepting = can;
        if (can) {
            (void)uv_poll_start(&local->listener, UV_READABLE, control_local_on_connection);
        } else {
            (void)uv_poll_stop(&local->listener);
        }
    }
}

static void control_local_on_timer(uv_timer_t *timer)
{
    struct control_local *local = timer->data;
    struct control_peer *peer, *next;
    DL_FOREACH_SAFE(local->peers, peer, next)
    {
        control_peer_tick(peer);
    }
    control_local_fill_spares(local);
    control_local_accept_if(local, true);
}

/* Life -------------------------------------------------------------------------------------------
 */

struct control_local *control_local_open(uv_loop_t *loop, const char *path, int64_t patience_ms,
                                         control_request_fn *on_request, void *arg, char *ret_error)
{
    struct control_local *local = calloc(1, sizeof *local);
    if (local == NULL) {
        snprintf(ret_error, CONTROL_LOCAL_ERROR_BYTES, "out of memory");
        return NULL;
    }
    local->fd = control_local_bind(path, &local->name, ret_error);
    if (local->fd < 0) {
        free(local);
        return NULL;
    }
    local->loop = loop;
    local->on_request = on_request;
    local->arg = arg;
    local->hold_count = 2;
    memset(local->spares, -1, sizeof local->spares);
    control_local_fill_spares(local);
    (void)uv_poll_init(loop, &local->listener, local->fd);
    (void)uv_timer_init(loop, &local->timer);
    local->listener.data = local->timer.data = local;
    uint64_t step_ms = (uint64_t)patience_ms / CONTROL_LOCAL_STEPS + 1;
    (void)uv_timer_start(&local->timer, control_local_on_timer, step_ms, step_ms);
    control_local_accept_if(local, true);
    return local;
}

size_t control_local_peer_count(const struct control_local *local)
{
    return local->peer_count;
}

void control_local_unlink(const struct control_local *local)
{
    control_local_name_remove(&local->name);
}

void control_local_close(struct control_local *local)
{
    struct control_peer *peer, *next;
    local->on_request = NULL;
    control_local_unlink(local);
    DL_FOREACH_SAFE(local->peers, peer, next)
    {
        control_peer_close(peer);
    }
    while (control_local_give_spare(local)) {
    }
    uv_close((uv_handle_t *)&local->listener, control_local_on_closed);
    uv_close((uv_handle_t *)&local->timer, control_local_on_closed);
    (void)close(local->fd);
}
