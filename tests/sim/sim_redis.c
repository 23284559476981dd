/* SPDX-License-Identifier: MIT */
/*
 * sim_redis: commands go to the real server at once and in their order; replies are read when they
 * are due, so that the server works while the simulator does. What every script has appended to the
 * logs is shown to the checker in the order in which it happened.
 */
#include "sim_redis.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "node/store/script_text.h"
#include "sim.h"
#include "sim_check.h"
#include "sim_node.h"
#include "tests/support/redis_server.h"

#define REDIS_TICKETS 65536
#define REDIS_WORDS   128
/* Virtual time 0, as Redis tells it. */
#define REDIS_EPOCH_US ((int64_t)1700000000 * SIM_S)

static struct {
    struct redis_server *server;
    redisContext *link;
    redisReply *replies[REDIS_TICKETS];
    bool is_script[REDIS_TICKETS];
    uint64_t sent, read;
    int64_t last_us, ahead_us, stall_us;
    unsigned run;
    char shas[SCRIPT_COUNT][64];
} redis;

static void redis_fail(const char *what, const redisReply *reply)
{
    fprintf(stderr, "sim: redis-server: %s: %s\n", what,
            reply != NULL && reply->str != NULL ? reply->str : "no answer");
    abort();
}

static void redis_do(const char *command)
{
    redisReply *reply = sim_redis_ask(command);
    if (reply->type == REDIS_REPLY_ERROR) {
        redis_fail(command, reply);
    }
    freeReplyObject(reply);
}

void sim_redis_start(void)
{
    redis.server = redis_server_new();
    redis.server->has_debug = true;
    if (!redis_server_start(redis.server)) {
        redis_fail("does not start", NULL);
    }
    redis.link = redisConnectUnix(redis.server->socket);
    if (redis.link == NULL || redis.link->err != 0) {
        redis_fail("no connection", NULL);
    }
    /* What a page of SCAN holds must not depend on how far a timer of Redis' has moved a table. */
    redis_do("CONFIG SET activerehashing no");
    for (size_t i = 0; i < SCRIPT_COUNT; i++) {
        redisReply *reply =
            redisCommand(redis.link, "SCRIPT LOAD %b", script_texts[i].text, script_texts[i].len);
        if (reply == NULL || reply->type != REDIS_REPLY_STRING) {
            redis_fail(script_texts[i].name, reply);
        }
        snprintf(redis.shas[i], sizeof redis.shas[i], "%s", reply->str);
        freeReplyObject(reply);
    }
}

void sim_redis_stop(void)
{
    redisFree(redis.link);
    redis_server_free(redis.server);
}

/* Reads the next reply of those that were sent. */
static void redis_read(void)
{
    void *reply = NULL;
    if (redisGetReply(redis.link, &reply) != REDIS_OK || reply == NULL) {
        redis_fail(redis.link->errstr, NULL);
    }
    size_t at = redis.read++ % REDIS_TICKETS;
    redis.replies[at] = reply;
    if (redis.is_script[at]) {
        sim_check_on_reply(reply);
    }
}

static void redis_drain(void)
{
    while (redis.read < redis.sent) {
        redis_read();
    }
}

/* Every script has a time of its own. */
static int64_t redis_now_us(void)
{
    redis.last_us = sim_now_us > redis.last_us ? sim_now_us : redis.last_us + 1;
    return REDIS_EPOCH_US + redis.last_us + redis.ahead_us;
}

uint64_t sim_redis_send(const struct bytes *argv, size_t argc)
{
    const char *words[REDIS_WORDS];
    size_t lengths[REDIS_WORDS], count = 0;
    char seconds[24], us[24], run[24];
    assert(argc + 6 <= REDIS_WORDS && redis.sent - redis.read < REDIS_TICKETS);
    for (; count < argc; count++) {
        words[count] = argv[count].len > 0 ? (const char *)argv[count].ptr : "";
        lengths[count] = argv[count].len;
    }
    bool is_script = argc > 3 && (bytes_equal(argv[0], bytes_str("EVALSHA")) ||
                                  bytes_equal(argv[0], bytes_str("EVAL")));
    if (is_script) {
        int64_t now_us = redis_now_us();
        snprintf(seconds, sizeof seconds, "%lld", (long long)(now_us / SIM_S));
        snprintf(us, sizeof us, "%lld", (long long)(now_us % SIM_S));
        snprintf(run, sizeof run, "run%u", redis.run);
        const char *const more[] = {"sim_s", seconds, "sim_us", us, "sim_run", run};
        for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
            words[count] = more[i];
            lengths[count++] = strlen(more[i]);
        }
    }
    int done = 0;
    if (redisAppendCommandArgv(redis.link, (int)count, words, lengths) != REDIS_OK) {
        redis_fail("cannot be asked", NULL);
    }
    while (!done) {
        if (redisBufferWrite(redis.link, &done) != REDIS_OK) {
            redis_fail(redis.link->errstr, NULL);
        }
    }
    redis.is_script[redis.sent % REDIS_TICKETS] = is_script;
    return redis.sent++;
}

redisReply *sim_redis_take(uint64_t ticket)
{
    while (redis.read <= ticket) {
        redis_read();
    }
    redisReply *reply = redis.replies[ticket % REDIS_TICKETS];
    redis.replies[ticket % REDIS_TICKETS] = NULL;
    assert(reply != NULL);
    return reply;
}

redisReply *sim_redis_ask(const char *format, ...)
{
    redis_drain();
    va_list list;
    va_start(list, format);
    redisReply *reply = redisvCommand(redis.link, format, list);
    va_end(list);
    if (reply == NULL) {
        redis_fail(format, NULL);
    }
    return reply;
}

redisReply *sim_redis_script(int script, ...)
{
    struct bytes words[REDIS_WORDS - 6] = {bytes_str("EVALSHA"), bytes_str(redis.shas[script]),
                                           bytes_str("1"),       bytes_str(SIM_PREFIX "sessions"),
                                           bytes_str("prefix"),  bytes_str(SIM_PREFIX)};
    size_t count = 6;
    va_list list;
    va_start(list, script);
    const char *word;
    while ((word = va_arg(list, const char *)) != NULL) {
        words[count++] = bytes_str(word);
    }
    va_end(list);
    return sim_redis_take(sim_redis_send(words, count));
}

void sim_redis_begin(void)
{
    redis_do("FLUSHALL");
    redis.last_us = redis.ahead_us = redis.stall_us = 0;
    redis.run = 1;
}

void sim_redis_stall(int64_t until_us)
{
    redis.stall_us = until_us > redis.stall_us ? until_us : redis.stall_us;
}

int64_t sim_redis_stalled_until(void)
{
    return redis.stall_us;
}

void sim_redis_clock(int64_t ahead_us)
{
    redis.ahead_us = ahead_us;
}

void sim_redis_keep(void)
{
    redis_do("SAVE");
}

void sim_redis_go_back(void)
{
    redis_do("DEBUG RELOAD NOSAVE");
    sim_check_on_loss();
    sim_redis_restart();
}

void sim_redis_restart(void)
{
    redis.run++;
    sim_link_break_all();
}
