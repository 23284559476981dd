/* SPDX-License-Identifier: MIT */
/*
 * redis_sentinel: one question, on a connection of its own to each sentinel that is tried. A
 * sentinel that cannot be reached, is silent, does not know the master, or missed a failover is
 * passed over. Sentinels count failovers: each raises the master's "config-epoch".
 */
#include "node/store/redis_sentinel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/log.h"
#include "node/store/redis_dial.h"

enum { SENTINEL_WATCH_MS = 1000, SENTINEL_WHY_BYTES = 512 };

struct redis_sentinel {
    uv_timer_t timer; /* the share of the sentinel that is asked; or until the next round */
    const struct redis_url *url;
    struct redis_url at; /* the sentinel that is asked, to be dialled */
    struct redis_sentinel_past *past;
    const char *known_host; /* watching: until it is another one; NULL: asking once */
    uint16_t known_port;
    unsigned turn;
    uint64_t epoch; /* as the present sentinel tells */
    size_t tried_count;
    int64_t share_ms;
    struct redis_dial *dial;
    redisAsyncContext *ac;
    char why[SENTINEL_WHY_BYTES];
    redis_sentinel_on_found_fn *on_found;
    void *arg;
};

static void redis_sentinel_next(struct redis_sentinel *sentinel);

static void redis_sentinel_on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

/* Ends what is under way with the present sentinel. */
static void redis_sentinel_hang_up(struct redis_sentinel *sentinel)
{
    redis_dial_cancel(sentinel->dial);
    sentinel->dial = NULL;
    redisAsyncContext *ac = sentinel->ac;
    sentinel->ac = NULL;
    if (ac != NULL) {
        ac->data = NULL; /* its reply goes nowhere from now on */
        redisAsyncFree(ac);
    }
}

void redis_sentinel_cancel(struct redis_sentinel *sentinel)
{
    if (sentinel != NULL) {
        redis_sentinel_hang_up(sentinel);
        uv_close((uv_handle_t *)&sentinel->timer, redis_sentinel_on_timer_closed);
    }
}

static void redis_sentinel_on_start(uv_timer_t *timer)
{
    struct redis_sentinel *sentinel = timer->data;
    sentinel->turn = sentinel->past->turn++;
    sentinel->tried_count = 0;
    redis_sentinel_next(sentinel);
}

/* Watching, a round without news is followed by another one. */
static bool redis_sentinel_go_on(struct redis_sentinel *sentinel, const char *host, uint16_t port)
{
    if (sentinel->known_host == NULL ||
        (host != NULL &&
         (port != sentinel->known_port || strcmp(host, sentinel->known_host) != 0))) {
        return false;
    }
    if (host == NULL) {
        LOG_LIMITED(LOG_WARN, "sentinels_silent", log_str("error", sentinel->why),
                    log_str("hint", "nobody would tell if the master changed; see the sentinels"));
    }
    redis_sentinel_hang_up(sentinel);
    uv_timer_start(&sentinel->timer, redis_sentinel_on_start, SENTINEL_WATCH_MS, 0);
    return true;
}

static void redis_sentinel_finish(struct redis_sentinel *sentinel, const char *host, uint16_t port)
{
    if (redis_sentinel_go_on(sentinel, host, port)) {
        return;
    }
    redis_sentinel_on_found_fn *on_found = sentinel->on_found;
    void *arg = sentinel->arg;
    char why[SENTINEL_WHY_BYTES];
    memcpy(why, sentinel->why, sizeof why);
    redis_sentinel_cancel(sentinel);
    on_found(host, port, why, arg);
}

static void redis_sentinel_pass_over(struct redis_sentinel *sentinel, const char *why)
{
    (void)snprintf(sentinel->why, sizeof sentinel->why, "sentinel %s:%u: %s", sentinel->at.host,
                   sentinel->at.port, why);
    redis_sentinel_hang_up(sentinel);
    redis_sentinel_next(sentinel);
}

/* The master's fields, by turns name and value; a master that is unknown has none. Where there is
 * no answer, there is none to the question that follows either. */
static void redis_sentinel_on_fields(redisAsyncContext *ac, void *data, void *privdata)
{
    struct redis_sentinel *sentinel = ac->data;
    const redisReply *reply = data;
    (void)privdata;
    if (sentinel == NULL || reply == NULL || reply->type != REDIS_REPLY_ARRAY) {
        return;
    }
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        const redisReply *name = reply->element[i];
        const redisReply *value = reply->element[i + 1];
        if (name->type == REDIS_REPLY_STRING && value->type == REDIS_REPLY_STRING &&
            strcmp(name->str, "config-epoch") == 0) {
            sentinel->epoch = strtoull(value->str, NULL, 10);
        }
    }
}

static void redis_sentinel_on_address(redisAsyncContext *ac, void *data, void *privdata)
{
    struct redis_sentinel *sentinel = ac->data;
    const redisReply *reply = data;
    (void)privdata;
    if (sentinel == NULL) {
        return;
    }
    if (reply == NULL) {
        sentinel->ac = NULL; /* hiredis is about to free it */
        ac->data = NULL;
        redis_sentinel_pass_over(sentinel, ac->c.errstr);
        return;
    }
    char host[256] = "";
    unsigned long port = 0;
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
        reply->element[0]->type == REDIS_REPLY_STRING &&
        reply->element[1]->type == REDIS_REPLY_STRING) {
        (void)snprintf(host, sizeof host, "%s", reply->element[0]->str);
        port = strtoul(reply->element[1]->str, NULL, 10);
    }
    bool is_address = host[0] != '\0' && port > 0 && port <= UINT16_MAX;
    if (is_address && sentinel->epoch < sentinel->past->epoch) {
        redis_sentinel_pass_over(sentinel, "it missed a failover that others know of");
        return;
    }
    if (is_address) {
        sentinel->past->epoch = sentinel->epoch;
        redis_sentinel_finish(sentinel, host, (uint16_t)port);
        return;
    }
    char why[SENTINEL_WHY_BYTES / 2];
    (void)snprintf(why, sizeof why, "%.100s '%.100s'",
                   reply->type == REDIS_REPLY_ERROR ? reply->str : "it knows no master of the name",
                   sentinel->url->master);
    redis_sentinel_pass_over(sentinel, why);
}

static void redis_sentinel_on_dialled(redisAsyncContext *ac, const char *why, void *arg)
{
    struct redis_sentinel *sentinel = arg;
    sentinel->dial = NULL;
    if (ac == NULL) {
        redis_sentinel_pass_over(sentinel, why);
        return;
    }
    ac->data = sentinel;
    sentinel->ac = ac;
    /* In this order: an address that is newer than its epoch does no harm, an older one would. */
    const char *fields[] = {"SENTINEL", "MASTER", sentinel->url->master};
    const char *address[] = {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", sentinel->url->master};
    if (redisAsyncCommandArgv(ac, redis_sentinel_on_fields, NULL, 3, fields, NULL) != REDIS_OK ||
        redisAsyncCommandArgv(ac, redis_sentinel_on_address, NULL, 3, address, NULL) != REDIS_OK) {
        redis_sentinel_pass_over(sentinel, "it cannot be asked");
    }
}

static void redis_sentinel_on_silent(uv_timer_t *timer)
{
    redis_sentinel_pass_over(timer->data, "no answer in time");
}

static void redis_sentinel_next(struct redis_sentinel *sentinel)
{
    const struct redis_url *url = sentinel->url;
    if (sentinel->tried_count == url->sentinel_count) {
        redis_sentinel_finish(sentinel, NULL, 0);
        return;
    }
    size_t at = (sentinel->turn + sentinel->tried_count++) % url->sentinel_count;
    sentinel->at = (struct redis_url){.host = url->sentinels[at].host,
                                      .port = url->sentinels[at].port,
                                      .user = "",
                                      .password = ""};
    sentinel->epoch = 0;
    sentinel->dial = redis_dial_open(sentinel->timer.loop, &sentinel->at, 0, sentinel->share_ms,
                                     redis_sentinel_on_dialled, sentinel);
    uv_timer_start(&sentinel->timer, redis_sentinel_on_silent, (uint64_t)sentinel->share_ms, 0);
}

struct redis_sentinel *redis_sentinel_ask(uv_loop_t *loop, const struct redis_url *url,
                                          struct redis_sentinel_past *past, int64_t deadline_ms,
                                          redis_sentinel_on_found_fn *on_found, void *arg)
{
    struct redis_sentinel *sentinel = calloc(1, sizeof *sentinel);
    if (sentinel == NULL) {
        return NULL;
    }
    (void)uv_timer_init(loop, &sentinel->timer);
    sentinel->timer.data = sentinel;
    sentinel->url = url;
    sentinel->past = past;
    sentinel->share_ms = deadline_ms / (int64_t)url->sentinel_count + 1;
    sentinel->on_found = on_found;
    sentinel->arg = arg;
    uv_timer_start(&sentinel->timer, redis_sentinel_on_start, 0, 0);
    return sentinel;
}

struct redis_sentinel *redis_sentinel_watch(uv_loop_t *loop, const struct redis_url *url,
                                            struct redis_sentinel_past *past, const char *host,
                                            uint16_t port, redis_sentinel_on_found_fn *on_found,
                                            void *arg)
{
    struct redis_sentinel *sentinel =
        redis_sentinel_ask(loop, url, past, SENTINEL_WATCH_MS, on_found, arg);
    if (sentinel != NULL) {
        sentinel->known_host = host;
        sentinel->known_port = port;
        uv_timer_start(&sentinel->timer, redis_sentinel_on_start, SENTINEL_WATCH_MS, 0);
    }
    return sentinel;
}
