/* SPDX-License-Identifier: MIT */
/*
 * origins: lists of web origins and of host names, and comparing them. What follows from a foreign
 * one is the front's business.
 */
#include "origins.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

static struct bytes origins_next(struct bytes *rest)
{
    const uint8_t *comma = rest->len > 0 ? memchr(rest->ptr, ',', rest->len) : NULL;
    struct bytes item =
        bytes_of(rest->ptr, comma != NULL ? (size_t)(comma - rest->ptr) : rest->len);
    *rest = bytes_from(*rest, comma != NULL ? item.len + 1 : item.len);
    while (item.len > 0 && item.ptr[0] == ' ') {
        item = bytes_from(item, 1);
    }
    while (item.len > 0 && item.ptr[item.len - 1] == ' ') {
        item.len--;
    }
    return item;
}

static bool origins_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && a.len > 0 &&
           strncasecmp((const char *)a.ptr, (const char *)b.ptr, a.len) == 0;
}

/* What stands behind "://"; empty when there is no scheme. */
static struct bytes origins_host(struct bytes origin)
{
    for (size_t i = 1; i + 3 < origin.len; i++) {
        if (memcmp(origin.ptr + i, "://", 3) == 0) {
            return bytes_from(origin, i + 3);
        }
    }
    return bytes_of(NULL, 0);
}

static bool origins_is_one(struct bytes item)
{
    struct bytes host = origins_host(item);
    bool is_good = host.len > 0;
    for (size_t i = 0; i < host.len; i++) {
        is_good = is_good && host.ptr[i] > ' ' && host.ptr[i] != '/' && host.ptr[i] < 0x7f;
    }
    return is_good || bytes_equal(item, bytes_str("*"));
}

bool origins_valid(const char *list)
{
    struct bytes rest = bytes_str(list);
    bool is_good = rest.len > 0 && rest.ptr[rest.len - 1] != ',';
    while (is_good && rest.len > 0) {
        is_good = origins_is_one(origins_next(&rest));
    }
    return is_good;
}

bool origins_contain(const char *list, struct bytes origin)
{
    struct bytes rest = bytes_str(list);
    while (rest.len > 0) {
        struct bytes item = origins_next(&rest);
        if (bytes_equal(item, bytes_str("*")) || origins_equal(item, origin)) {
            return true;
        }
    }
    return false;
}

/* host[:port] without the port if it is the one of the origin's scheme. */
static struct bytes origins_without_port(struct bytes host, struct bytes origin)
{
    bool is_plain = origin.len > 7 && strncasecmp((const char *)origin.ptr, "http://", 7) == 0;
    bool is_tls = origin.len > 8 && strncasecmp((const char *)origin.ptr, "https://", 8) == 0;
    const char *port = is_plain ? ":80" : is_tls ? ":443" : "";
    size_t len = strlen(port);
    if (len > 0 && host.len > len && memcmp(host.ptr + host.len - len, port, len) == 0) {
        host.len -= len;
    }
    return host;
}

bool origins_same(struct bytes origin, struct bytes host)
{
    return origins_equal(origins_without_port(origins_host(origin), origin),
                         origins_without_port(host, origin));
}

/* Names ------------------------------------------------------------------------------------------
 */

/* host[:port] without its port and the dot of a full name. */
static struct bytes origins_name(struct bytes host)
{
    size_t len = host.len;
    while (len > 0 && host.ptr[len - 1] >= '0' && host.ptr[len - 1] <= '9') {
        len--;
    }
    if (len > 0 && host.ptr[len - 1] == ':') {
        host.len = len - 1;
    }
    if (host.len > 1 && host.ptr[host.len - 1] == '.') {
        host.len--;
    }
    return host;
}

/* No name server has a say in where it leads. */
static bool origins_is_literal(struct bytes name)
{
    char text[INET6_ADDRSTRLEN];
    bool is_bracketed = name.len > 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']';
    struct bytes address = is_bracketed ? bytes_of(name.ptr + 1, name.len - 2) : name;
    uint8_t binary[sizeof(struct in6_addr)];
    if (address.len >= sizeof text) {
        return false;
    }
    memcpy(text, address.ptr, address.len);
    text[address.len] = '\0';
    return inet_pton(is_bracketed ? AF_INET6 : AF_INET, text, binary) == 1;
}

bool origins_names_valid(const char *list)
{
    struct bytes rest = bytes_str(list);
    bool is_good = rest.len > 0 && rest.ptr[rest.len - 1] != ',';
    while (is_good && rest.len > 0) {
        struct bytes item = origins_next(&rest);
        is_good = item.len > 0;
        for (size_t i = 0; i < item.len; i++) {
            is_good = is_good && item.ptr[i] > ' ' && item.ptr[i] < 0x7f &&
                      strchr("/:@", item.ptr[i]) == NULL;
        }
    }
    return is_good;
}

bool origins_host_known(const char *names, const char *allowed, struct bytes host)
{
    struct bytes name = origins_name(host), rest = bytes_str(names);
    if (name.len == 0) {
        return false;
    }
    if (origins_is_literal(name) || origins_equal(name, bytes_str("localhost"))) {
        return true;
    }
    while (rest.len > 0) {
        struct bytes item = origins_next(&rest);
        if (bytes_equal(item, bytes_str("*")) || origins_equal(origins_name(item), name)) {
            return true;
        }
    }
    rest = bytes_str(allowed);
    while (rest.len > 0) {
        struct bytes item = origins_next(&rest);
        if (bytes_equal(item, bytes_str("*")) ||
            origins_equal(origins_name(origins_host(item)), name)) {
            return true;
        }
    }
    return false;
}
