/* SPDX-License-Identifier: MIT */
/* authority: certificates for tests: an authority of one's own, and what it signs. EC keys; nothing
 * is kept but the files. */
#ifndef SUPPORT_AUTHORITY_H
#define SUPPORT_AUTHORITY_H

#include <stdint.h>

struct authority;

/** Never NULL. */
struct authority *authority_new(void);
void authority_free(struct authority *authority);

/** Its own certificate, PEM. */
void authority_write(const struct authority *authority, const char *path);

/**
 * A key and a certificate for `dns_name`, both into the file `path`.
 *
 * from_s, until_s  when it is valid, in seconds from now
 */
void authority_issue(struct authority *authority, const char *path, const char *dns_name,
                     int64_t from_s, int64_t until_s);

#endif
