/* SPDX-License-Identifier: MIT */
/*
 * store: the scripts and their calls: loads them into Redis, runs them under a realm's prefix,
 * turns replies into results. What the scripts do is in scripts/ *.lua.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <uv.h>

#include "node/core/ports.h"

struct store;

struct store_options {
    uv_loop_t *loop;
    const char *url;     /* as redis.url; copied */
    const char *realm;   /* copied */
    int64_t deadline_ms; /* for one call */
    /** As redis_link's on_state; when it says connected, all scripts are loaded, and the state of
     * Redis is known. It may say connected twice: what Redis has is another state than before. */
    void (*on_state)(bool connected, const char *why, void *arg);
    /** What a script came to whose call was given up; nobody waits for it, but it has happened. */
    void (*on_late)(const struct result *result, void *arg);
    /** The realm has another schema, which is borrowed: this build cannot serve it. */
    void (*on_schema)(struct bytes schema, void *arg);
    void *arg;
};

/** Starts to connect; NULL when memory is out or the URL is not understood. */
struct store *store_open(const struct store_options *options);

/** The port for talk; valid until store_close. */
struct store_port store_port(struct store *store);

/** Applies to calls from now on (reload). */
void store_deadline(struct store *store, int64_t deadline_ms);

/** Open calls get NULL, then `on_closed` is called and the store is freed. */
void store_close(struct store *store, void (*on_closed)(void *arg), void *arg);

#endif
