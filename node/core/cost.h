/* SPDX-License-Identifier: MIT */
/*
 * cost: what requests cost, by what they read, and how much of it a session (limits.cost_per_s) and
 * an address (limits.address_cost_per_s) may have in a second. A request costs 1, and 1 more for
 * each KiB or 10 names that it has read or sent. Of a session few scripts are at Redis at a time,
 * so that nobody stands behind all that another one has asked.
 */
#ifndef CORE_COST_H
#define CORE_COST_H

#include <uthash.h>

#include "ports.h"
#include "proto/hgtp.h"
#include "rate.h"

struct core;
struct client;
struct cost_queue;

/** Who pays for a request. */
struct cost {
    uint64_t key; /* of the session that is here, or of what was shown */
    uint8_t uid[HGTP_USER_ID_BYTES];
    uint32_t client_ip;
    bool is_own; /* the session is here, and it is shown to be its own request */
};

/** Who asks. All views are borrowed for the call. */
struct cost_asker {
    struct bytes uid;
    struct bytes token; /* shown, or found right; or empty */
    uint32_t ip, client_ip;
};

struct cost cost_of(struct core *core, const struct cost_asker *asker);

/** Take what a request costs at the least, 1 and so many KiB. ERR_NONE, or ERR_RATE_LIMITED,
 * counted and logged. */
enum err cost_take(struct core *core, const struct cost *cost, size_t bytes);
/** Charge what has been read or sent besides, there or not. */
void cost_charge(struct core *core, const struct cost *cost, size_t bytes, size_t names);
/** Charge what stands in a script's answer. */
void cost_read(struct core *core, const struct cost *cost, const struct result *result);
/** So many names were sent to a client on its own asking. */
void cost_names(struct core *core, struct client *client, size_t names);

/** What a call is for the one who pays. */
enum cost_kind {
    COST_SMALL,
    COST_LARGE,   /* may read much */
    COST_LEAVING, /* not refused for what it costs, so nothing has been taken for it: it waits until
                     there is enough */
};
/** core_call in its turn; what the script reads is charged. */
void cost_call(struct core *core, const struct cost *cost, enum cost_kind kind, enum script script,
               const struct script_args *args, store_on_result_fn *on_result, void *arg);

/** A share is used up, of whatever kind: counted, and logged so that operators know whose. */
void cost_refused(struct core *core, struct bytes uid, uint32_t client_ip);

/** Let those go on that wait until there is enough. */
void cost_tick(struct core *core);
/** Everybody who waits is refused. */
void cost_send_home(struct core *core);

#endif
