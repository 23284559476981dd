/* SPDX-License-Identifier: MIT */
/*
 * redis_link: keeps one connection to Redis and the commands that are open on it. Commands wait in
 * the order they were sent, which is the order of their deadlines and of their replies, so one
 * timer serves them all. How a connection is made is redis_dial's business, what the commands mean
 * is the caller's.
 */
#include "node/store/redis_link.h"

#include <assert.h>
#include <hiredis/async.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/metrics.h"
#include "node/store/redis_cluster.h"
#include "node/store/redis_dial.h"
#include "node/store/redis_sentinel.h"

enum {
    LINK_RETRY_MIN_MS = 50,
    LINK_RETRY_MAX_MS = 1000,
    LINK_SENTINEL_MS = 1000, /* for finding the master, and for an attempt to connect to it */
    LINK_CUT_DEADLINES = 3,  /* a reply this many deadlines late: the connection is given up */
    LINK_WORDS_ON_STACK = 64
};

/* A command that was sent. */
struct redis_call {
    struct redis_call *next;
    struct redis_link *link;
    redis_link_on_reply_fn *on_reply; /* NULL once answered: the reply is not wanted any more */
    void *arg;
    int64_t due_ms;
    int64_t cut_ms; /* without a reply by then, the connection is cut */
};

/* In the order in which they were sent. */
struct redis_calls {
    struct redis_call *head;
    struct redis_call *tail;
};

static void redis_calls_append(struct redis_calls *calls, struct redis_call *call)
{
    call->next = NULL;
    if (calls->tail != NULL) {
        calls->tail->next = call;
    } else {
        calls->head = call;
    }
    calls->tail = call;
}

static struct redis_call *redis_calls_take(struct redis_calls *calls)
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

/* WAITING: for the next attempt or for the end of this one. */
enum redis_link_state { LINK_WAITING, LINK_CONNECTED, LINK_CLOSING };

struct redis_link {
    struct redis_link_options options; /* its `url` is parsed, not kept */
    struct redis_url url;
    struct redis_url server; /* what is dialled: `url`, or the master that was named: by the
                                sentinels, or by a node of a Redis Cluster */
    char server_host[REDIS_CLUSTER_HOST_BYTES];
    bool is_sent_on; /* to a node of the cluster, by the next attempt; then `url` is asked anew */
    struct redis_sentinel *question; /* where the master is; connected: whether it is still there */
    struct redis_sentinel_past past;
    enum redis_link_state state;
    uv_timer_t timer; /* waiting: the next attempt; connected: the next deadline of a command */
    uv_idle_t idle;   /* runs while `lost` is to be answered, and when closing */
    struct redis_dial *dial;
    redisAsyncContext *ac;
    int64_t retry_ms;        /* lower bound of the next wait; shortest once a command is answered */
    unsigned attempt_count;  /* since it was last connected */
    bool was_connected;      /* ever */
    char why[160];           /* what was last reported; "" while connected and at the start */
    struct redis_calls sent; /* all that Redis has not replied to, oldest first */
    struct redis_call *open; /* the first of them that is not answered yet */
    int64_t timer_ms;        /* while connected: when the timer will fire */
    struct redis_calls lost; /* to be answered by NULL from the loop */
    unsigned handle_count;
    void (*on_closed)(void *arg);
    void *closed_arg;
};

static void redis_link_on_retry(uv_timer_t *timer);
static void redis_link_on_deadline(uv_timer_t *timer);
static void redis_link_on_demoted(struct redis_link *link);
static void redis_link_on_sent_on(struct redis_link *link, const struct redis_cluster_place *place);

static int64_t redis_link_now(const struct redis_link *link)
{
    return (int64_t)uv_now(link->options.loop);
}

static void redis_link_timer(struct redis_link *link, uv_timer_cb on_timer, int64_t in_ms)
{
    int rc = uv_timer_start(&link->timer, on_timer, in_ms > 0 ? (uint64_t)in_ms : 0, 0);
    assert(rc == 0);
    (void)rc;
}

/* ---- Commands ---- */

static void redis_link_on_closed(uv_handle_t *handle)
{
    struct redis_link *link = handle->data;
    if (--link->handle_count > 0) {
        return;
    }
    void (*on_closed)(void *arg) = link->on_closed;
    void *arg = link->closed_arg;
    redis_url_fini(&link->url);
    free(link);
    on_closed(arg);
}

/* Answers what was lost; an answer may send further commands: their turn is the next round. */
static void redis_link_on_idle(uv_idle_t *idle)
{
    struct redis_link *link = idle->data;
    struct redis_calls lost = link->lost;
    link->lost = (struct redis_calls){0};
    struct redis_call *call = NULL;
    while ((call = redis_calls_take(&lost)) != NULL) {
        call->on_reply(NULL, call->arg);
        free(call);
    }
    if (link->lost.head != NULL) {
        return;
    }
    uv_idle_stop(&link->idle);
    if (link->state == LINK_CLOSING) {
        assert(link->sent.head == NULL);
        uv_close((uv_handle_t *)&link->idle, redis_link_on_closed);
        uv_close((uv_handle_t *)&link->timer, redis_link_on_closed);
    }
}

static void redis_link_lose_call(struct redis_link *link, struct redis_call *call)
{
    redis_calls_append(&link->lost, call);
    uv_idle_start(&link->idle, redis_link_on_idle);
}

static bool redis_link_is_refused_by_replica(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "READONLY ", 9) == 0;
}

/* Called by hiredis in the order of sending; with NULL for what is open when its context ends. */
static void redis_link_on_reply(redisAsyncContext *ac, void *reply, void *privdata)
{
    struct redis_call *call = privdata;
    struct redis_link *link = call->link;
    struct redis_call *first = redis_calls_take(&link->sent);
    assert(first == call);
    (void)first;
    if (link->open == call) {
        link->open = call->next;
    }
    if (call->on_reply == NULL) {
        free(call);
        if (reply != NULL && link->options.on_late != NULL && link->state == LINK_CONNECTED) {
            link->options.on_late(reply, link->options.arg);
        }
        return;
    }
    metric_add(METRIC_STORE_IN_FLIGHT, -1);
    if (reply == NULL) {
        redis_link_lose_call(link, call);
        return;
    }
    redis_link_on_reply_fn *on_reply = call->on_reply;
    void *arg = call->arg;
    bool is_demoted = link->url.sentinel_count > 0 && redis_link_is_refused_by_replica(reply);
    struct redis_cluster_place place;
    bool is_sent_on = link->url.sentinel_count == 0 && redis_cluster_moved(reply, &place);
    if (!is_demoted && !is_sent_on) {
        link->retry_ms = LINK_RETRY_MIN_MS; /* it serves; one that only sends on does not */
    }
    free(call);
    on_reply(reply, arg);
    if (is_demoted && link->ac == ac) {
        redis_link_on_demoted(link);
    } else if (is_sent_on && link->ac == ac) {
        redis_link_on_sent_on(link, &place);
    }
}

static void redis_link_arm_deadline(struct redis_link *link)
{
    const struct redis_call *oldest = link->sent.head;
    if (oldest == NULL) {
        uv_timer_stop(&link->timer);
        return;
    }
    link->timer_ms = oldest->cut_ms;
    if (link->open != NULL && link->open->due_ms < link->timer_ms) {
        link->timer_ms = link->open->due_ms;
    }
    redis_link_timer(link, redis_link_on_deadline, link->timer_ms - redis_link_now(link));
}

/* Times of a new command. A deadline shortened by a reload must not overtake the older ones. */
static void redis_link_set_times(const struct redis_link *link, struct redis_call *call)
{
    const struct redis_call *before = link->sent.tail;
    call->due_ms = redis_link_now(link) + link->options.deadline_ms;
    if (before != NULL && before->due_ms > call->due_ms) {
        call->due_ms = before->due_ms;
    }
    call->cut_ms = call->due_ms + LINK_CUT_DEADLINES * link->options.deadline_ms;
}

static bool redis_link_write(struct redis_link *link, const struct bytes *argv, size_t argc,
                             struct redis_call *call)
{
    const char *words_here[LINK_WORDS_ON_STACK];
    size_t lengths_here[LINK_WORDS_ON_STACK];
    bool here = argc <= LINK_WORDS_ON_STACK;
    const char **words = here ? words_here : calloc(argc, sizeof *words);
    size_t *lengths = here ? lengths_here : calloc(argc, sizeof *lengths);
    bool ok = words != NULL && lengths != NULL;
    for (size_t i = 0; ok && i < argc; i++) {
        words[i] = argv[i].len > 0 ? (const char *)argv[i].ptr : "";
        lengths[i] = argv[i].len;
    }
    ok = ok && redisAsyncCommandArgv(link->ac, redis_link_on_reply, call, (int)argc, words,
                                     lengths) == REDIS_OK;
    if (!here) {
        free(words);
        free(lengths);
    }
    return ok;
}

void redis_link_command(struct redis_link *link, const struct bytes *argv, size_t argc,
                        redis_link_on_reply_fn *on_reply, void *arg)
{
    assert(argc > 0);
    struct redis_call *call = malloc(sizeof *call);
    if (call == NULL) {
        abort(); /* the promise to answer cannot be kept; hiredis ends the process here too */
    }
    *call = (struct redis_call){.link = link, .on_reply = on_reply, .arg = arg};
    if (link->state != LINK_CONNECTED || !redis_link_write(link, argv, argc, call)) {
        redis_link_lose_call(link, call);
        return;
    }
    metric_add(METRIC_STORE_IN_FLIGHT, 1);
    redis_link_set_times(link, call);
    redis_calls_append(&link->sent, call);
    if (link->open == NULL) {
        link->open = call;
    }
    if (!uv_is_active((uv_handle_t *)&link->timer) || call->due_ms < link->timer_ms) {
        redis_link_arm_deadline(link);
    }
}

/* ---- Connection ---- */

static void redis_link_stop_asking(struct redis_link *link)
{
    redis_sentinel_cancel(link->question);
    link->question = NULL;
}

/* Ends the connection or the attempt for one. Open commands go to `lost`: at once, or when the
 * callback of hiredis returns in which this is called. */
static void redis_link_drop(struct redis_link *link)
{
    struct redis_dial *dial = link->dial;
    redisAsyncContext *ac = link->ac;
    link->dial = NULL;
    link->ac = NULL;
    redis_link_stop_asking(link);
    redis_dial_cancel(dial);
    if (ac != NULL) {
        redisAsyncFree(ac);
    }
}

/* Nodes that lost the same Redis must not come back in step: up to twice the lower bound. */
static int64_t redis_link_next_wait(struct redis_link *link)
{
    uint32_t random = 0;
    (void)uv_random(NULL, NULL, &random, sizeof random, 0, NULL);
    int64_t wait_ms = link->retry_ms + (int64_t)random % link->retry_ms;
    link->retry_ms *= 2;
    if (link->retry_ms > LINK_RETRY_MAX_MS / 2) {
        link->retry_ms = LINK_RETRY_MAX_MS / 2;
    }
    return wait_ms;
}

/* The connection is lost or an attempt has failed. The caller's callback is the last thing here, as
 * it may close the link. */
static void redis_link_fail(struct redis_link *link, const char *why)
{
    assert(link->ac == NULL && link->dial == NULL && link->state != LINK_CLOSING);
    bool was_connected = link->state == LINK_CONNECTED;
    bool is_news = was_connected || strcmp(link->why, why) != 0;
    redis_link_stop_asking(link);
    link->state = LINK_WAITING;
    if (was_connected) {
        metric_set(METRIC_STORE_CONNECTED, 0);
    }
    if (!link->is_sent_on && link->url.sentinel_count == 0) {
        link->server = link->url;
    }
    link->is_sent_on = false;
    redis_link_timer(link, redis_link_on_retry, redis_link_next_wait(link));
    if (is_news) {
        (void)snprintf(link->why, sizeof link->why, "%s", why);
        link->options.on_state(false, link->why, link->options.arg);
    }
}

/* As redis_link_fail, by the fault of the server or of the way there: it is named. */
static void redis_link_fail_there(struct redis_link *link, const char *why)
{
    char news[sizeof link->why];
    const struct redis_url *server = &link->server;
    if (server->path != NULL) {
        (void)snprintf(news, sizeof news, "%.70s: %.80s", server->path, why);
    } else {
        (void)snprintf(news, sizeof news, "%.60s:%u: %.80s",
                       server->host != NULL ? server->host : "", server->port, why);
    }
    redis_link_fail(link, news);
}

static void redis_link_on_disconnected(const redisAsyncContext *ac, int status)
{
    (void)status;
    struct redis_link *link = ac->data;
    if (link->ac == ac) {
        link->ac = NULL; /* hiredis is about to free it */
        redis_link_fail_there(link, ac->c.errstr);
    }
}

/* ---- Attempts ---- */

/* The master is demoted, or cut off from the sentinels. */
static void redis_link_on_master_moved(const char *host, uint16_t port, const char *why, void *arg)
{
    struct redis_link *link = arg;
    char news[sizeof link->why];
    (void)why;
    (void)snprintf(news, sizeof news, "the master is %.60s:%u now, was %.60s:%u", host, port,
                   link->server_host, link->server.port);
    link->question = NULL;
    redis_link_drop(link);
    redis_link_fail(link, news);
}

/* It says so itself, before the sentinels do. */
static void redis_link_on_demoted(struct redis_link *link)
{
    redis_link_drop(link);
    redis_link_fail(link, "the master is a replica now");
}

/* The realm's slot is at another node of the cluster. */
static void redis_link_on_sent_on(struct redis_link *link, const struct redis_cluster_place *place)
{
    char news[sizeof link->why];
    redis_link_drop(link);
    redis_cluster_go(&link->server, place, link->server_host);
    (void)snprintf(news, sizeof news, "the cluster has this realm at %.60s:%u",
                   link->server.host != NULL ? link->server.host : "", link->server.port);
    link->is_sent_on = true;
    redis_link_fail(link, news);
}

static bool redis_link_watch(struct redis_link *link)
{
    if (link->url.sentinel_count == 0) {
        return true;
    }
    link->question =
        redis_sentinel_watch(link->options.loop, &link->url, &link->past, link->server_host,
                             link->server.port, redis_link_on_master_moved, link);
    return link->question != NULL;
}

static void redis_link_on_dialled(redisAsyncContext *ac, const char *why, void *arg)
{
    struct redis_link *link = arg;
    link->dial = NULL;
    if (ac == NULL) {
        redis_link_fail_there(link, why);
        return;
    }
    ac->data = link;
    (void)redisAsyncSetDisconnectCallback(ac, redis_link_on_disconnected);
    link->ac = ac;
    if (!redis_link_watch(link)) {
        redis_link_drop(link);
        redis_link_fail(link, "out of memory");
        return;
    }
    link->state = LINK_CONNECTED;
    link->attempt_count = 0;
    link->why[0] = '\0';
    metric_set(METRIC_STORE_CONNECTED, 1);
    metric_add(METRIC_STORE_RECONNECTS, link->was_connected ? 1 : 0);
    link->was_connected = true;
    link->options.on_state(true, "", link->options.arg);
}

static void redis_link_dial(struct redis_link *link, int64_t deadline_ms)
{
    link->dial = redis_dial_open(link->options.loop, &link->server, link->attempt_count++,
                                 deadline_ms, redis_link_on_dialled, link);
    if (link->dial == NULL) {
        redis_link_fail(link, "out of memory");
    }
}

static void redis_link_on_master_found(const char *host, uint16_t port, const char *why, void *arg)
{
    struct redis_link *link = arg;
    link->question = NULL;
    if (host == NULL) {
        link->past.epoch = 0; /* rather a sentinel that may have missed something than none */
        redis_link_fail(link, why);
        return;
    }
    (void)snprintf(link->server_host, sizeof link->server_host, "%s", host);
    link->server.host = link->server_host;
    link->server.port = port;
    redis_link_dial(link, LINK_SENTINEL_MS);
}

static void redis_link_on_retry(uv_timer_t *timer)
{
    struct redis_link *link = timer->data;
    if (link->url.sentinel_count == 0) {
        redis_link_dial(link, link->options.deadline_ms);
        return;
    }
    link->question = redis_sentinel_ask(link->options.loop, &link->url, &link->past,
                                        LINK_SENTINEL_MS, redis_link_on_master_found, link);
    if (link->question == NULL) {
        redis_link_fail(link, "out of memory");
    }
}

static void redis_link_on_deadline(uv_timer_t *timer)
{
    struct redis_link *link = timer->data;
    int64_t now_ms = redis_link_now(link);
    if (link->sent.head != NULL && link->sent.head->cut_ms <= now_ms) {
        redis_link_drop(link);
        redis_link_fail_there(link, "replies are late by several deadlines");
        return;
    }
    while (link->open != NULL && link->open->due_ms <= now_ms) {
        struct redis_call *call = link->open;
        redis_link_on_reply_fn *on_reply = call->on_reply;
        link->open = call->next;
        call->on_reply = NULL;
        metric_add(METRIC_STORE_IN_FLIGHT, -1);
        on_reply(NULL, call->arg);
        if (link->state != LINK_CONNECTED) {
            return;
        }
    }
    redis_link_arm_deadline(link);
}

/* ---- Life ---- */

struct redis_link *redis_link_open(const struct redis_link_options *options)
{
    struct redis_link *link = calloc(1, sizeof *link);
    if (link == NULL || !redis_url_parse(options->url, &link->url)) {
        free(link);
        return NULL;
    }
    link->options = *options;
    link->options.url = NULL;
    link->retry_ms = LINK_RETRY_MIN_MS;
    link->server = link->url;
    link->server.is_named = link->url.sentinel_count > 0;
    (void)uv_timer_init(options->loop, &link->timer);
    (void)uv_idle_init(options->loop, &link->idle);
    link->timer.data = link;
    link->idle.data = link;
    link->handle_count = 2;
    redis_link_timer(link, redis_link_on_retry, 0);
    return link;
}

bool redis_link_connected(const struct redis_link *link)
{
    return link->state == LINK_CONNECTED;
}

void redis_link_deadline(struct redis_link *link, int64_t deadline_ms)
{
    link->options.deadline_ms = deadline_ms;
}

void redis_link_close(struct redis_link *link, void (*on_closed)(void *arg), void *arg)
{
    assert(link->state != LINK_CLOSING);
    if (link->state == LINK_CONNECTED) {
        metric_set(METRIC_STORE_CONNECTED, 0);
    }
    link->state = LINK_CLOSING;
    link->on_closed = on_closed;
    link->closed_arg = arg;
    uv_timer_stop(&link->timer);
    redis_link_drop(link);
    uv_idle_start(&link->idle, redis_link_on_idle);
}
