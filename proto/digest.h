/* SPDX-License-Identifier: MIT */
/* digest: what proves the knowledge of a key. Pure use of libcrypto; no state, no randomness. */
#ifndef PROTO_DIGEST_H
#define PROTO_DIGEST_H

#include "bytes.h"

#define DIGEST_LEGACY_MAX   48 /* the original's digest after its lossy conversion: 16..48 bytes */
#define DIGEST_SHA256_BYTES 32
#define DIGEST_SHA1_BYTES   20

/** The original's digest: J(MD5(MD5(realm | key))), see docs/protocol.md "Legacy digest". */
void digest_legacy(struct bytes realm, struct bytes key, struct sink *out);

/** HMAC-SHA-256 of `data` under `key`. */
void digest_hmac_sha256(struct bytes key, struct bytes data, uint8_t ret_mac[DIGEST_SHA256_BYTES]);

/** SHA-256 of `a` followed by `b`. */
void digest_sha256(struct bytes a, struct bytes b, uint8_t ret_hash[DIGEST_SHA256_BYTES]);

/** SHA-1 of `a` followed by `b`: the handshake of WebSocket has it; it proves nothing. */
void digest_sha1(struct bytes a, struct bytes b, uint8_t ret_hash[DIGEST_SHA1_BYTES]);

/** Constant-time comparison; lengths are not secret. */
bool digest_equal(struct bytes a, struct bytes b);

/** Append the 16-byte signature of what `datagram` holds so far: HMAC-SHA-256 under the token, cut.
 */
void digest_sign(struct bytes token, struct sink *datagram);

/** True when the last 16 bytes of `datagram` sign what stands before them. Constant time. */
bool digest_signature_valid(struct bytes token, struct bytes datagram);

#endif
