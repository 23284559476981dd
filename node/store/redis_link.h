/* SPDX-License-Identifier: MIT */
/*
 * redis_link: one pipelined connection to Redis on the libuv loop: connecting with back-off and
 * jitter, a deadline per command, commands by their arguments, replies as hiredis parses them. A
 * node of a Redis Cluster that has not the keys is left for the one that it names.
 * It knows no key and no script.
 */
#ifndef STORE_REDIS_LINK_H
#define STORE_REDIS_LINK_H

#include <hiredis/hiredis.h>
#include <uv.h>

#include "proto/bytes.h"

struct redis_link;

struct redis_link_options {
    uv_loop_t *loop;
    const char *url;     /* as redis_url.h has it; copied. Sentinels are asked for the master, and
                            watched for another one */
    int64_t deadline_ms; /* for a command, and for an attempt to connect */
    /**
     * A connection stands and has answered PING (after AUTH and SELECT as the URL says), or was
     * lost. `why` is a sentence for the log, borrowed, "" when connected.
     */
    void (*on_state)(bool connected, const char *why, void *arg);
    /** A reply that came after its command was answered by NULL, borrowed; NULL: it is not wanted.
     */
    void (*on_late)(const redisReply *reply, void *arg);
    void *arg;
};

/**
 * `reply` is borrowed for the call and NULL when there was none: not connected, the connection was
 * lost, or the deadline passed (the command may have been executed all the same). A reply that
 * comes after its deadline goes to on_late. Called exactly once per command, never from inside
 * redis_link_command.
 */
typedef void redis_link_on_reply_fn(const redisReply *reply, void *arg);

/** Starts to connect; NULL when memory is out or the URL is not understood. */
struct redis_link *redis_link_open(const struct redis_link_options *options);

bool redis_link_connected(const struct redis_link *link);

/** Applies to commands from now on (reload). */
void redis_link_deadline(struct redis_link *link, int64_t deadline_ms);

/**
 * Send one command; all that a loop turn sends goes out in one write. While not connected it
 * answers NULL at once (from the loop, not from inside this call).
 *
 * argv, argc   borrowed for the call
 */
void redis_link_command(struct redis_link *link, const struct bytes *argv, size_t argc,
                        redis_link_on_reply_fn *on_reply, void *arg);

/** Open commands answer NULL, then `on_closed` is called and the link is freed. */
void redis_link_close(struct redis_link *link, void (*on_closed)(void *arg), void *arg);

#endif
