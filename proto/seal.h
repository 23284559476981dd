/* SPDX-License-Identifier: MIT */
/*
 * seal: keeps a secret where others may read and write it: AES-256-GCM under a key made from a
 * secret of our own by HKDF-SHA-256. Pure use of libcrypto; the nonce comes from the caller.
 */
#ifndef PROTO_SEAL_H
#define PROTO_SEAL_H

#include "bytes.h"

#define SEAL_NONCE_BYTES 12
#define SEAL_EXTRA_BYTES (SEAL_NONCE_BYTES + 16) /* longer than what is in it */
#define SEAL_PLAIN_MAX   1024

/**
 * Append the sealed form of `plain`: nonce, ciphertext, tag.
 *
 * secret  makes the key
 * bound   has to be the same when it is opened; not kept in it
 * nonce   never used before with this secret: random
 */
void seal_close(struct bytes secret, struct bytes bound, const uint8_t nonce[SEAL_NONCE_BYTES],
                struct bytes plain, struct sink *out);

/** Append what is in it. False, with nothing appended: it was made by another secret, for something
 * else, or is damaged; or `out` is too small. */
bool seal_open(struct bytes secret, struct bytes bound, struct bytes sealed, struct sink *out);

#endif
