/* SPDX-License-Identifier: MIT */
/* origins: lists of web origins, and comparing them. What follows from a foreign one is the front's
 * business. */
#include "origins.h"

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

bool origins_same(struct bytes origin, struct bytes host)
{
    return origins_equal(origins_host(origin), host);
}
