/* SPDX-License-Identifier: MIT */
/*
 * redis_cluster: all keys of a realm lie in one slot, so that a connection to the node which has
 * that slot is all that is needed of a cluster; any other one names it. When to go there is
 * redis_link's.
 */
#include "node/store/redis_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool redis_cluster_moved(const redisReply *reply, struct redis_cluster_place *ret_place)
{
    char place[sizeof ret_place->host];
    if (reply->type != REDIS_REPLY_ERROR || sscanf(reply->str, "MOVED %*d %255s", place) != 1) {
        return false;
    }
    char *colon = strrchr(place, ':');
    char *end = colon;
    long port = colon != NULL ? strtol(colon + 1, &end, 10) : 0;
    if (port <= 0 || port > UINT16_MAX || *end != '\0' || place[0] == '?') {
        return false;
    }
    *colon = '\0';
    memcpy(ret_place->host, place, sizeof place);
    ret_place->port = (uint16_t)port;
    return true;
}

void redis_cluster_go(struct redis_url *server, const struct redis_cluster_place *place,
                      char host[REDIS_CLUSTER_HOST_BYTES])
{
    server->path = NULL;
    server->port = place->port;
    if (place->host[0] != '\0') {
        memcpy(host, place->host, REDIS_CLUSTER_HOST_BYTES);
        server->host = host;
    }
}
