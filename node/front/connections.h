/* SPDX-License-Identifier: MIT */
/*
 * connections: how many connections each address has to this node, so that none takes the files
 * that the others and the operators need.
 */
#ifndef FRONT_CONNECTIONS_H
#define FRONT_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/base/config.h"

struct connections {
    const struct config *config; /* live: limits.connections_per_address, http.trusted_proxies */
    size_t files_max; /* connections of all together; the rest of the files is kept back */
    size_t count;
    struct connections_address *addresses;
};

/** `config` is kept. Reads how many files this process may have. */
void connections_init(struct connections *connections, const struct config *config);
/** Legal on zeroed storage. */
void connections_fini(struct connections *connections);

/** One that is counted already counts in this address' share, too. False: it has its share; logged.
 */
bool connections_take_share(struct connections *connections, uint32_t ip);
/** ... or not any more. */
void connections_give_share(struct connections *connections, uint32_t ip);

/** A new connection of this address (host order). False: it has its share, or all have; logged, and
 * nothing is to be given back. */
bool connections_take(struct connections *connections, uint32_t ip);
/** One that was taken has ended. */
void connections_give(struct connections *connections, uint32_t ip);

#endif
