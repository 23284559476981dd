/* SPDX-License-Identifier: MIT */
/* base64: the standard alphabet with padding, read as strictly or loosely as the original does. */
#ifndef PROTO_BASE64_H
#define PROTO_BASE64_H

#include "bytes.h"

/** Append base64 of `in`, padded. */
void base64_encode(struct bytes in, struct sink *out);

/** Bytes that base64_encode appends for `len` bytes. */
size_t base64_encoded_bytes(size_t len);

/**
 * Decode as java.util.Base64's basic decoder: standard alphabet, no white space, padding optional
 * but right if present, a single left-over character is an error, left-over bits are ignored.
 *
 * returns   true and the bytes appended to `out`; false: not base64 (`out` may hold a part)
 * limits    at most in.len / 4 * 3 + 2 bytes are appended
 */
bool base64_decode(struct bytes in, struct sink *out);

#endif
