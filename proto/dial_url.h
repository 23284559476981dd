/* SPDX-License-Identifier: MIT */
/* dial_url: the address to have nng dial. Nodes listen on IPv4, and of a host name that has both
 * nng takes the first address alone, which is often that of IPv6: localhost's, for one. */
#ifndef PROTO_DIAL_URL_H
#define PROTO_DIAL_URL_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/**
 * `url`, or the same with the scheme by which its host is looked up for IPv4 only.
 *
 * ret      where that is written
 * cap      two bytes more than the url has are enough; one that does not fit stays as it is
 * returns  url or ret
 */
static inline const char *dial_url(const char *url, char *ret, size_t cap)
{
    const char *rest = strstr(url, "tcp://");
    bool is_name = rest != NULL && rest[strlen("tcp://")] != '[' &&
                   (rest == url || strncmp(url, "tls+tcp://", strlen("tls+tcp://")) == 0);
    if (!is_name || strlen(url) + 2 > cap) {
        return url;
    }
    int scheme = (int)(rest - url) + 3;
    (void)snprintf(ret, cap, "%.*s4%s", scheme, url, url + scheme);
    return ret;
}

#endif
