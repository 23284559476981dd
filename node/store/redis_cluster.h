/* SPDX-License-Identifier: MIT */
/* redis_cluster: what a node of a Redis Cluster says when it has not the keys. */
#ifndef STORE_REDIS_CLUSTER_H
#define STORE_REDIS_CLUSTER_H

#include <hiredis/hiredis.h>
#include <stdbool.h>

#include "node/store/redis_url.h"

#define REDIS_CLUSTER_HOST_BYTES 256

struct redis_cluster_place {
    char host[REDIS_CLUSTER_HOST_BYTES]; /* "": the one that was asked */
    uint16_t port;
};

/** "MOVED 6373 10.0.0.7:6379": who has the slot. False: the reply says something else. */
bool redis_cluster_moved(const redisReply *reply, struct redis_cluster_place *ret_place);

/** Have `server` mean that place. Its host is copied to `host`, to which `server` points then,
 * unless it stays: `server` may point there already. */
void redis_cluster_go(struct redis_url *server, const struct redis_cluster_place *place,
                      char host[REDIS_CLUSTER_HOST_BYTES]);

#endif
