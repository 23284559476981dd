/* SPDX-License-Identifier: MIT */
/* keys: the shared keys that clients prove: from auth.key, from auth.key_file, or made for a trial.
 */
#ifndef NODE_KEYS_H
#define NODE_KEYS_H

#include "node/base/config.h"
#include "node/talk/talk.h"

#define KEYS_ERROR_BYTES 256

/** Zeroed storage is no key. */
struct keys {
    struct talk_keys valid; /* views into what follows */
    uint8_t text[TALK_KEYS_MAX][1024];
};

/** True when both listeners are on loopback, so that a key may be made up. */
bool keys_may_be_made(const struct config *config);

/**
 * Read the configured keys: auth.key, or the lines of auth.key_file, of which two are taken.
 *
 * ret_error  on failure a sentence that names the key or file; KEYS_ERROR_BYTES
 * returns    true, with ret_keys->valid.count 0 when none is configured; or false
 */
bool keys_load(const struct config *config, struct keys *ret_keys, char *ret_error);

/** Take over `from`; the views point into `to` afterwards. */
void keys_copy(struct keys *to, const struct keys *from);

/** Make a random key and write it to `path` (mode 0600). False with errno set. */
bool keys_make(const char *path, struct keys *ret_keys);

#endif
