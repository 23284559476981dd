/* SPDX-License-Identifier: MIT */
/* redis_url: where a Redis is and how to log in, from redis://[user:password@]host:port/db,
 * unix:///path or redis+sentinel://[user:password@]host:port,host:port/master[/db]. User and
 * password may be percent-encoded. What is legal is said by config_check too, for the line at which
 * an error in the configuration is reported; test_redis_url holds the two together. */
#ifndef STORE_REDIS_URL_H
#define STORE_REDIS_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REDIS_URL_SENTINELS_MAX 16

struct redis_url_host {
    char *host;    /* name or address, IPv6 without brackets */
    uint16_t port; /* 26379 when not given */
};

struct redis_url {
    char *storage;  /* all texts below point into it */
    char *path;     /* of a unix socket; NULL: TCP */
    char *host;     /* name or address, IPv6 without brackets; NULL: sentinels know it */
    char *user;     /* "": none; for the server, not for the sentinels */
    char *password; /* "": none */
    uint16_t port;  /* 6379 when not given */
    int db;         /* 0 when not given */
    bool is_named;  /* by a sentinel: it has to prove that it is a master */
    char *master;   /* what the sentinels call the server; NULL: there are none */
    struct redis_url_host sentinels[REDIS_URL_SENTINELS_MAX];
    size_t sentinel_count;
};

/**
 * Take a URL apart.
 *
 * ret_url  on true: filled; redis_url_fini when done
 * returns  true; false: not understood, or memory is out
 */
bool redis_url_parse(const char *text, struct redis_url *ret_url);

/** Legal on zeroed storage. */
void redis_url_fini(struct redis_url *url);

#endif
