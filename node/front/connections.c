/* SPDX-License-Identifier: MIT */
/*
 * connections: a count for each address that has any. What becomes of a connection that is too many
 * is http_connection.c's.
 */
#include "node/front/connections.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <uthash.h>

#include "node/base/log.h"
#include "node/base/metrics.h"

#define CONNECTIONS_FILES_LEAST                                                                    \
    64 /* kept back for Redis, the bus, operators and the node itself                              \
        */

struct connections_address {
    uint32_t ip;
    size_t count;
    UT_hash_handle hh;
};

void connections_init(struct connections *connections, const struct config *config)
{
    struct rlimit files;
    *connections = (struct connections){.config = config, .files_max = SIZE_MAX};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY) {
        size_t kept = (size_t)files.rlim_cur / 8 + CONNECTIONS_FILES_LEAST;
        connections->files_max = files.rlim_cur > kept ? (size_t)files.rlim_cur - kept : 1;
    }
}

void connections_fini(struct connections *connections)
{
    struct connections_address *address, *next;
    HASH_ITER(hh, connections->addresses, address, next)
    {
        HASH_DEL(connections->addresses, address);
        free(address);
    }
}

static bool connections_refuse(uint32_t ip, size_t count, enum metric metric, const char *hint)
{
    const struct in_addr address = {.s_addr = htonl(ip)};
    char text[INET_ADDRSTRLEN];
    metric_add(metric, 1);
    LOG_LIMITED(LOG_WARN, "connections_refused",
                log_str("address", inet_ntop(AF_INET, &address, text, sizeof text)),
                log_int("count", (int64_t)count), log_str("hint", hint));
    return false;
}

/* How many this address may have. */
static size_t connections_share(const struct connections *connections, uint32_t ip)
{
    size_t per_address = (size_t)connections->config->limits_connections_per_address;
    bool is_proxy = config_networks_contain(connections->config->http_trusted_proxies, ip);
    size_t half = connections->files_max / 2 + 1; /* no address alone can have them all */
    return is_proxy ? connections->files_max : per_address < half ? per_address : half;
}

bool connections_take_share(struct connections *connections, uint32_t ip)
{
    struct connections_address *address = NULL;
    HASH_FIND(hh, connections->addresses, &ip, sizeof ip, address);
    size_t count = address != NULL ? address->count : 0;
    if (count >= connections_share(connections, ip)) {
        return connections_refuse(ip, count, METRIC_CONNECTIONS_REFUSED_ADDRESS,
                                  "this address has as many as limits.connections_per_address "
                                  "allows; name a balancer's in http.trusted_proxies");
    }
    if (address == NULL) {
        address = calloc(1, sizeof *address);
        if (address == NULL) {
            return false;
        }
        address->ip = ip;
        HASH_ADD(hh, connections->addresses, ip, sizeof address->ip, address);
    }
    address->count++;
    return true;
}

void connections_give_share(struct connections *connections, uint32_t ip)
{
    struct connections_address *address = NULL;
    HASH_FIND(hh, connections->addresses, &ip, sizeof ip, address);
    assert(address != NULL && address->count > 0);
    if (--address->count == 0) {
        HASH_DEL(connections->addresses, address);
        free(address);
    }
}

bool connections_take(struct connections *connections, uint32_t ip)
{
    if (connections->count >= connections->files_max) {
        return connections_refuse(ip, connections->count, METRIC_CONNECTIONS_REFUSED_ALL,
                                  "all files that clients may have are in use: raise the limit of "
                                  "open files (LimitNOFILE), or start more nodes");
    }
    bool is_taken = connections_take_share(connections, ip);
    connections->count += is_taken ? 1 : 0;
    return is_taken;
}

void connections_give(struct connections *connections, uint32_t ip)
{
    assert(connections->count > 0);
    connections->count--;
    connections_give_share(connections, ip);
}
