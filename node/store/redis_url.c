/* SPDX-License-Identifier: MIT */
/*
 * redis_url: splits a URL in place, in its own copy. It looks nothing up and opens nothing.
 */
#include "node/store/redis_url.h"

#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define URL_HEX  "0123456789abcdefABCDEF"
#define URL_NAME URL_HEX "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ-_."

enum { URL_PORT = 6379, URL_SENTINEL_PORT = 26379 };

/* A whole number of digits only, 0 to `max`; an empty text is none. */
static bool redis_url_number(const char *text, long max, long *ret_number)
{
    size_t digit_count = strspn(text, "0123456789");
    if (digit_count == 0 || digit_count > 9 || text[digit_count] != '\0') {
        return false;
    }
    long number = strtol(text, NULL, 10);
    if (number > max) {
        return false;
    }
    *ret_number = number;
    return true;
}

/* Some of these characters, and no other. */
static bool redis_url_consists_of(const char *text, const char *set)
{
    return text[0] != '\0' && text[strspn(text, set)] == '\0';
}

static int redis_url_hex(char digit)
{
    const char *digits = "0123456789abcdef";
    const char *at = digit != '\0' ? strchr(digits, digit | 0x20) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* Percent-decoding in place. An encoded NUL would cut the text short: refused. */
static bool redis_url_decode(char *text)
{
    char *out = text;
    for (const char *in = text; *in != '\0'; in++) {
        if (*in != '%') {
            *out++ = *in;
            continue;
        }
        int high = redis_url_hex(in[1]);
        int low = high >= 0 ? redis_url_hex(in[2]) : -1;
        if (low < 0 || high + low == 0) {
            return false;
        }
        *out++ = (char)(high << 4 | low);
        in += 2;
    }
    *out = '\0';
    return true;
}

/* "user:password@" in front of the host; cut off, and `authority` moved past it. */
static bool redis_url_take_login(struct redis_url *url, char **authority)
{
    char *at = strrchr(*authority, '@');
    if (at == NULL) {
        return true;
    }
    *at = '\0';
    char *colon = strchr(*authority, ':');
    if (colon == NULL || colon[1] == '\0') {
        return false;
    }
    *colon = '\0';
    url->user = *authority;
    url->password = colon + 1;
    *authority = at + 1;
    return redis_url_decode(url->user) && redis_url_decode(url->password);
}

/* "" is 0. */
static bool redis_url_take_db(struct redis_url *url, const char *text)
{
    long db = 0;
    bool is_good = text[0] == '\0' || redis_url_number(text, INT32_MAX, &db);
    url->db = (int)db;
    return is_good;
}

/* host[:port]; without a port ret_host->port stays as it is. */
static bool redis_url_take_host(char *authority, struct redis_url_host *ret_host)
{
    char *after = NULL;
    bool is_ipv6 = authority[0] == '[';
    if (is_ipv6) {
        ret_host->host = authority + 1;
        after = strchr(authority, ']');
        if (after == NULL) {
            return false;
        }
        *after++ = '\0';
    } else {
        ret_host->host = authority;
        after = authority + strcspn(authority, ":");
    }
    if (*after != '\0') {
        long port = 0;
        if (*after != ':' || !redis_url_number(after + 1, UINT16_MAX, &port) || port == 0) {
            return false;
        }
        *after = '\0';
        ret_host->port = (uint16_t)port;
    }
    return redis_url_consists_of(ret_host->host, is_ipv6 ? URL_HEX ":." : URL_NAME);
}

static bool redis_url_split_tcp(struct redis_url *url, char *authority)
{
    char *slash = strchr(authority, '/');
    if (slash != NULL) {
        *slash = '\0';
        if (!redis_url_take_db(url, slash + 1)) {
            return false;
        }
    }
    struct redis_url_host server = {.port = url->port};
    bool is_good = redis_url_take_login(url, &authority) && redis_url_take_host(authority, &server);
    url->host = server.host;
    url->port = server.port;
    return is_good;
}

static bool redis_url_split_sentinel(struct redis_url *url, char *authority)
{
    char *slash = strchr(authority, '/');
    if (slash == NULL) {
        return false;
    }
    *slash = '\0';
    char *db = slash + 1;
    url->master = strsep(&db, "/");
    bool is_good = redis_url_consists_of(url->master, URL_NAME) &&
                   (db == NULL || redis_url_take_db(url, db)) &&
                   redis_url_take_login(url, &authority);
    char *address = NULL;
    while (is_good && (address = strsep(&authority, ",")) != NULL) {
        struct redis_url_host sentinel = {.port = URL_SENTINEL_PORT};
        is_good = url->sentinel_count < REDIS_URL_SENTINELS_MAX &&
                  redis_url_take_host(address, &sentinel);
        if (is_good) {
            url->sentinels[url->sentinel_count++] = sentinel;
        }
    }
    return is_good;
}

static bool redis_url_split(struct redis_url *url)
{
    static const char tcp_scheme[] = "redis://";
    static const char unix_scheme[] = "unix://";
    static const char sentinel_scheme[] = "redis+sentinel://";
    if (strncmp(url->storage, tcp_scheme, sizeof tcp_scheme - 1) == 0) {
        return redis_url_split_tcp(url, url->storage + sizeof tcp_scheme - 1);
    }
    if (strncmp(url->storage, sentinel_scheme, sizeof sentinel_scheme - 1) == 0) {
        return redis_url_split_sentinel(url, url->storage + sizeof sentinel_scheme - 1);
    }
    if (strncmp(url->storage, unix_scheme, sizeof unix_scheme - 1) == 0) {
        url->path = url->storage + sizeof unix_scheme - 1;
        return url->path[0] == '/' && strlen(url->path) < sizeof((struct sockaddr_un *)0)->sun_path;
    }
    return false;
}

bool redis_url_parse(const char *text, struct redis_url *ret_url)
{
    struct redis_url url = {.storage = strdup(text), .port = URL_PORT};
    if (url.storage == NULL) {
        return false;
    }
    url.user = url.password = url.storage + strlen(url.storage);
    if (!redis_url_split(&url)) {
        redis_url_fini(&url);
        return false;
    }
    *ret_url = url;
    return true;
}

void redis_url_fini(struct redis_url *url)
{
    free(url->storage);
    *url = (struct redis_url){0};
}
