/* SPDX-License-Identifier: MIT */
/* checks: what settings must fulfil together, beyond each one's own bounds. */
#ifndef NODE_CHECKS_H
#define NODE_CHECKS_H

#include "node/base/config.h"

#define CHECKS_ERROR_BYTES 512

/** ret_error: CHECKS_ERROR_BYTES; names the setting, and what to do, when false is returned. */
bool checks_pass(const struct config *config, char *ret_error);

/** What may be meant otherwise, a line for people; "" when there is nothing. */
const char *checks_hint(const struct config *config);

#endif
