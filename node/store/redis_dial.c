/* SPDX-License-Identifier: MIT */
/*
 * redis_dial: the way to one usable connection. AUTH, SELECT and PING are queued before the
 * connection stands and leave in one write; the first of them that fails, or that hiredis gives
 * back unanswered because there is no connection, ends the attempt.
 */
#include "node/store/redis_dial.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/store/redis_uv.h"

enum { DIAL_SOCKET_POLL_MS = 20, DIAL_WHY_BYTES = 160 };

struct redis_dial {
    uv_timer_t timer; /* the deadline; before it, the next look for a unix socket */
    uv_getaddrinfo_t lookup;
    const struct redis_url *url;
    redisAsyncContext *ac;
    unsigned turn;
    uint64_t until_ms;
    redis_dial_on_done_fn *on_done; /* NULL once the attempt is over */
    void *arg;
    unsigned ref_count; /* the timer, and the look-up while it runs: it cannot always be stopped */
};

static void redis_dial_release(struct redis_dial *dial)
{
    if (--dial->ref_count == 0) {
        free(dial);
    }
}

static void redis_dial_on_timer_closed(uv_handle_t *handle)
{
    redis_dial_release(handle->data);
}

void redis_dial_cancel(struct redis_dial *dial)
{
    if (dial == NULL) {
        return;
    }
    redisAsyncContext *ac = dial->ac;
    dial->ac = NULL;
    dial->on_done = NULL;
    if (ac != NULL) {
        ac->data = NULL; /* replies to the handshake go nowhere from now on */
        redisAsyncFree(ac);
    }
    if (dial->ref_count > 1) {
        (void)uv_cancel((uv_req_t *)&dial->lookup);
    }
    uv_close((uv_handle_t *)&dial->timer, redis_dial_on_timer_closed);
}

static void redis_dial_fail(struct redis_dial *dial, const char *why)
{
    redis_dial_on_done_fn *on_done = dial->on_done;
    void *arg = dial->arg;
    redis_dial_cancel(dial);
    on_done(NULL, why, arg);
}

static void redis_dial_succeed(struct redis_dial *dial)
{
    redis_dial_on_done_fn *on_done = dial->on_done;
    void *arg = dial->arg;
    redisAsyncContext *ac = dial->ac;
    ac->data = NULL;
    dial->ac = NULL;
    redis_dial_cancel(dial);
    on_done(ac, "", arg);
}

/* A sentinel may name one that was demoted a moment ago, or is not promoted yet. */
static bool redis_dial_is_master(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 &&
           reply->element[0]->type == REDIS_REPLY_STRING &&
           strcmp(reply->element[0]->str, "master") == 0;
}

static void redis_dial_on_shake(redisAsyncContext *ac, void *data, void *privdata)
{
    struct redis_dial *dial = ac->data;
    const redisReply *reply = data;
    const char *step = privdata;
    char why[DIAL_WHY_BYTES];
    if (dial == NULL) {
        return;
    }
    if (reply == NULL) {
        (void)snprintf(why, sizeof why, "%s", ac->c.errstr);
        dial->ac = NULL; /* hiredis is about to free it */
        ac->data = NULL;
        redis_dial_fail(dial, why);
    } else if (reply->type == REDIS_REPLY_ERROR) {
        /* Up to a comma: the error for an unknown command goes on with its arguments, which may be
         * the password. */
        (void)snprintf(why, sizeof why, "%s: %.*s", step, (int)strcspn(reply->str, ","),
                       reply->str);
        redis_dial_fail(dial, why);
    } else if (strcmp(step, "ROLE") == 0 && !redis_dial_is_master(reply)) {
        (void)snprintf(why, sizeof why, "%s:%u is named as the master and is none (yet)",
                       dial->url->host, dial->url->port);
        redis_dial_fail(dial, why);
    } else if (strcmp(step, "PING") == 0) {
        redis_dial_succeed(dial);
    }
}

/* `words` begins with the name of the step, a literal. */
static bool redis_dial_shake(struct redis_dial *dial, const char **words, int count)
{
    return redisAsyncCommandArgv(dial->ac, redis_dial_on_shake, (void *)(uintptr_t)words[0], count,
                                 words, NULL) == REDIS_OK;
}

static bool redis_dial_shake_all(struct redis_dial *dial)
{
    const struct redis_url *url = dial->url;
    char db[12];
    (void)snprintf(db, sizeof db, "%d", url->db);
    bool ok = true;
    if (url->user[0] != '\0') {
        ok = redis_dial_shake(dial, (const char *[]){"AUTH", url->user, url->password}, 3);
    } else if (url->password[0] != '\0') {
        ok = redis_dial_shake(dial, (const char *[]){"AUTH", url->password}, 2);
    }
    if (url->db != 0) {
        ok = ok && redis_dial_shake(dial, (const char *[]){"SELECT", db}, 2);
    }
    if (url->is_named) {
        ok = ok && redis_dial_shake(dial, (const char *[]){"ROLE"}, 1);
    }
    return ok && redis_dial_shake(dial, (const char *[]){"PING"}, 1);
}

/* `ac` is what hiredis made of the address; NULL when memory is out. */
static void redis_dial_connect(struct redis_dial *dial, redisAsyncContext *ac)
{
    char why[DIAL_WHY_BYTES] = "out of memory";
    bool ok = ac != NULL && ac->err == 0 && redis_uv_attach(ac, dial->timer.loop) == 0;
    if (ok) {
        ac->data = dial;
        dial->ac = ac;
        ok = redis_dial_shake_all(dial);
    } else if (ac != NULL) {
        if (ac->err != 0) {
            (void)snprintf(why, sizeof why, "%s", ac->c.errstr);
        }
        redisAsyncFree(ac);
    }
    if (!ok) {
        redis_dial_fail(dial, why);
    }
}

static void redis_dial_connect_tcp(struct redis_dial *dial, const char *ip)
{
    redisAsyncContext *ac = redisAsyncConnect(ip, dial->url->port);
    if (ac != NULL && ac->err == 0) {
        (void)redisEnableKeepAlive(&ac->c);
    }
    redis_dial_connect(dial, ac);
}

/* IPv4 first, because Redis listens there when nothing else is said. */
static const struct addrinfo *redis_dial_pick(const struct addrinfo *found, unsigned turn)
{
    static const int families[] = {AF_INET, AF_INET6};
    unsigned count = 0;
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        count++;
    }
    unsigned wanted = count > 0 ? turn % count : 0;
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
            if (at->ai_family == families[i] && wanted-- == 0) {
                return at;
            }
        }
    }
    return NULL;
}

static void redis_dial_on_lookup(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct redis_dial *dial = request->data;
    assert(dial->ref_count > 0);
    if (dial->on_done != NULL) {
        char ip[INET6_ADDRSTRLEN] = "";
        const struct addrinfo *at = status == 0 ? redis_dial_pick(found, dial->turn) : NULL;
        if (at != NULL && uv_ip_name(at->ai_addr, ip, sizeof ip) == 0) {
            redis_dial_connect_tcp(dial, ip);
        } else {
            redis_dial_fail(dial, status != 0 ? uv_strerror(status) : "the name has no address");
        }
    }
    uv_freeaddrinfo(found);
    redis_dial_release(dial);
}

static void redis_dial_look_up(struct redis_dial *dial)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    dial->lookup.data = dial;
    int rc = uv_getaddrinfo(dial->timer.loop, &dial->lookup, redis_dial_on_lookup, dial->url->host,
                            NULL, &hints);
    if (rc != 0) {
        redis_dial_fail(dial, uv_strerror(rc));
        return;
    }
    dial->ref_count++;
}

static void redis_dial_on_deadline(uv_timer_t *timer)
{
    redis_dial_fail(timer->data, "no connection within the deadline");
}

static void redis_dial_on_step(uv_timer_t *timer)
{
    struct redis_dial *dial = timer->data;
    const struct redis_url *url = dial->url;
    uint64_t now_ms = uv_now(timer->loop);
    unsigned char address[sizeof(struct in6_addr)];
    if (url->path != NULL && now_ms < dial->until_ms && access(url->path, F_OK) != 0 &&
        errno == ENOENT) {
        uv_timer_start(timer, redis_dial_on_step, DIAL_SOCKET_POLL_MS, 0);
        return;
    }
    uv_timer_start(timer, redis_dial_on_deadline,
                   dial->until_ms > now_ms ? dial->until_ms - now_ms : 0, 0);
    if (url->path != NULL) {
        redis_dial_connect(dial, redisAsyncConnectUnix(url->path));
    } else if (uv_inet_pton(AF_INET, url->host, address) == 0 ||
               uv_inet_pton(AF_INET6, url->host, address) == 0) {
        redis_dial_connect_tcp(dial, url->host);
    } else {
        redis_dial_look_up(dial);
    }
}

struct redis_dial *redis_dial_open(uv_loop_t *loop, const struct redis_url *url, unsigned turn,
                                   int64_t deadline_ms, redis_dial_on_done_fn *on_done, void *arg)
{
    struct redis_dial *dial = calloc(1, sizeof *dial);
    if (dial == NULL) {
        return NULL;
    }
    (void)uv_timer_init(loop, &dial->timer);
    dial->timer.data = dial;
    dial->url = url;
    dial->turn = turn;
    dial->until_ms = uv_now(loop) + (uint64_t)deadline_ms;
    dial->on_done = on_done;
    dial->arg = arg;
    dial->ref_count = 1;
    uv_timer_start(&dial->timer, redis_dial_on_step, 0, 0);
    return dial;
}
