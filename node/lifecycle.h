/* SPDX-License-Identifier: MIT */
/* lifecycle: one node from start to end: puts the parts together, serves, reloads, drains, ends. */
#ifndef NODE_LIFECYCLE_H
#define NODE_LIFECYCLE_H

#include "node/base/config.h"

/**
 * Run until a signal ends it. SIGTERM, SIGINT: drain and end; a second one: at once. SIGHUP:
 * reload.
 *
 * config    taken over; freed before the return
 * sources   read again on reload; borrowed for the whole run
 * returns   exit status of the process: 0 after a drain, 1 when it could not start
 */
int lifecycle_run(struct config *config, const struct config_sources *sources);

#endif
