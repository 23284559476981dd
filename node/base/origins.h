/* SPDX-License-Identifier: MIT */
/* origins: which web pages may use a node: the list of http.allowed_origins. */
#ifndef BASE_ORIGINS_H
#define BASE_ORIGINS_H

#include "proto/bytes.h"

/** True for "*", or scheme://host[:port], separated by commas, blanks around them. */
bool origins_valid(const char *list);
/** `origin` is the value of a browser's Origin header; letters' case does not matter. */
bool origins_contain(const char *list, struct bytes origin);
/** True when `origin` is that of the host a request was sent to (its Host header). */
bool origins_same(struct bytes origin, struct bytes host);

#endif
