/* SPDX-License-Identifier: MIT */
/*
 * origins: which web pages may use a node: the list of http.allowed_origins; and by which host
 * names: the list of http.names.
 */
#ifndef BASE_ORIGINS_H
#define BASE_ORIGINS_H

#include "proto/bytes.h"

/** True for "*", or scheme://host[:port], separated by commas, blanks around them. */
bool origins_valid(const char *list);
/** `origin` is the value of a browser's Origin header; letters' case does not matter. */
bool origins_contain(const char *list, struct bytes origin);
/** True when `origin` is that of the host a request was sent to (its Host header), the scheme's own
 * port written or not. */
bool origins_same(struct bytes origin, struct bytes host);

/** True for "*", or host names without ports, separated by commas, blanks around them. */
bool origins_names_valid(const char *list);
/**
 * True when web pages may use a node by the name in `host`, a Host header, whatever its port: it is
 * a literal address, localhost, in `names`, or a host of `allowed`.
 */
bool origins_host_known(const char *names, const char *allowed, struct bytes host);

#endif
