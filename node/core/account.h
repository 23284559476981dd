/* SPDX-License-Identifier: MIT */
/*
 * account: users' own keys: made, sealed for Redis, opened again. The digests of REGISTER are made
 * with the key itself, so a hash of it would not do. What seals them is bus.key, which only nodes
 * know, or, where there is none, the shared key.
 */
#ifndef CORE_ACCOUNT_H
#define CORE_ACCOUNT_H

#include "core_state.h"

/** A key's sealed form, in base64; false: it is too long, or there is no secret to seal it with. */
bool account_seal(struct core *core, struct bytes user, struct bytes key,
                  char ret_sealed[CORE_SEALED_MAX]);

enum account_state { ACCOUNT_UNREADABLE, ACCOUNT_OLD, ACCOUNT_CURRENT };

/** Append the key that is sealed for this user. ACCOUNT_OLD: by a secret that is being replaced. */
enum account_state account_open(const struct core *core, struct bytes user, struct bytes sealed,
                                struct sink *ret_key);

#endif
