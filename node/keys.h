/* SPDX-License-Identifier: MIT */
/* keys: the shared keys: those that clients prove, from auth.key, from auth.key_file, or made for a
 * trial; and those that nodes prove to each other, from bus.key or bus.key_file. */
#ifndef NODE_KEYS_H
#define NODE_KEYS_H

#include "node/base/config.h"
#include "node/core/core.h"

#define KEYS_ERROR_BYTES 512

/** Zeroed storage is no key. */
struct keys_set {
    struct core_keys valid; /* views into what follows */
    uint8_t text[CORE_KEYS_MAX][1024];
};

struct keys {
    struct keys_set clients, bus;
};

/** True when both listeners are on loopback, so that a key for clients may be made up. */
bool keys_may_be_made(const struct config *config);

/**
 * Read the configured keys: each is set, or the lines of its file, of which two are taken. The file
 * must be private (secret_file.h).
 *
 * ret_error  on failure a sentence that names the key or file; KEYS_ERROR_BYTES
 * returns    true, with a count of 0 where none is configured; or false
 */
bool keys_load(const struct config *config, struct keys *ret_keys, char *ret_error);

/** Take over `from`; the views point into `to` afterwards. */
void keys_copy(struct keys_set *to, const struct keys_set *from);

/** Make a random key and write it to `path` (mode 0600). False with errno set. */
bool keys_make(const char *path, struct keys_set *ret_keys);

#endif
