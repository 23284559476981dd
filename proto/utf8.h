/* SPDX-License-Identifier: MIT */
/* utf8: validation, name checks and the original's lossy conversion. */
#ifndef PROTO_UTF8_H
#define PROTO_UTF8_H

#include "bytes.h"

/** True when `in` is well-formed UTF-8 (Unicode table 3-7; no surrogates, no overlong forms). */
bool utf8_valid(struct bytes in);

/**
 * For text that is still coming: false when it is ill-formed whatever follows.
 *
 * ret_whole  bytes of the whole sequences at the front, set in either case
 */
bool utf8_begins_valid(struct bytes in, size_t *ret_whole);

/**
 * True when `in` may be shown as a name: well-formed UTF-8, 1 to `max_bytes` bytes, no control
 * characters (C0, DEL, C1), no line or paragraph separator, no bidirectional override or isolate
 * (U+202A..E, U+2066..9), not only white space.
 */
bool utf8_name_valid(struct bytes in, size_t max_bytes);

/** Behind the byte order mark at the front of a file's text, if there is one. */
const char *utf8_past_mark(const char *text);

/**
 * Java's `new String(in, UTF_8).getBytes(UTF_8)`: every ill-formed maximal subpart becomes U+FFFD;
 * an encoded surrogate is one U+FFFD for its three bytes.
 */
void utf8_replace(struct bytes in, struct sink *out);

#endif
