/* SPDX-License-Identifier: MIT */
/* redis_url: where a Redis is and how to log in, from redis://[user:password@]host:port/db or
 * unix:///path. User and password may be percent-encoded. */
#ifndef STORE_REDIS_URL_H
#define STORE_REDIS_URL_H

#include <stdbool.h>
#include <stdint.h>

struct redis_url {
    char *storage;  /* all texts below point into it */
    char *path;     /* of a unix socket; NULL: TCP */
    char *host;     /* name or address, IPv6 without brackets */
    char *user;     /* "": none */
    char *password; /* "": none */
    uint16_t port;  /* 6379 when not given */
    int db;         /* 0 when not given */
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
