/* SPDX-License-Identifier: MIT */
/*
 * config_check: config.def as rows, what each setting accepts, which are secret, and what addresses
 * and networks mean. Where a text came from, and how a refusal is worded, is config_load.c's business;
 * what needs several settings to be judged is the caller's.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/un.h>

#include "node/base/config_table.h"
#include "node/base/origins.h"

#define CONFIG_DIGITS  "0123456789"
#define CONFIG_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define CONFIG_NAME    CONFIG_LETTERS CONFIG_DIGITS "-_."

/* Parts of addresses --------------------------------------------------------------------------- */

/* A range of a text. */
struct config_span {
    const char *at;
    size_t len;
};

static struct config_span config_span(const char *text)
{
    return (struct config_span){text, strlen(text)};
}

/* Cuts the part in front of the first `mark` off `rest`; without a mark, all of it. */
static struct config_span config_cut(struct config_span *rest, char mark)
{
    const char *end = rest->len > 0 ? memchr(rest->at, mark, rest->len) : NULL;
    struct config_span part = {rest->at, end != NULL ? (size_t)(end - rest->at) : rest->len};
    size_t skip = end != NULL ? part.len + 1 : part.len;
    *rest = (struct config_span){rest->at + skip, rest->len - skip};
    return part;
}

static bool config_consists_of(struct config_span text, const char *set)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\0' || strchr(set, text.at[i]) == NULL) {
            return false;
        }
    }
    return text.len > 0;
}

/* At most nine digits: no sign, no blank. */
static bool config_number(struct config_span text, uint32_t max, uint32_t *ret_number)
{
    uint32_t number = 0;
    if (text.len > 9 || !config_consists_of(text, CONFIG_DIGITS)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        number = number * 10 + (uint32_t)(text.at[i] - '0');
    }
    if (number > max) {
        return false;
    }
    *ret_number = number;
    return true;
}

static bool config_ipv4(struct config_span text, uint32_t *ret_ip)
{
    char copy[INET_ADDRSTRLEN];
    struct in_addr address;
    if (text.len >= sizeof copy) {
        return false;
    }
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, &address) != 1) {
        return false;
    }
    *ret_ip = ntohl(address.s_addr);
    return true;
}

/* Bytes of the host at the front: a name, IPv4, or IPv6 in brackets; 0: there is none. */
static size_t config_host_bytes(struct config_span text)
{
    bool is_ipv6 = text.len > 0 && text.at[0] == '[';
    const char *set = is_ipv6 ? CONFIG_DIGITS "abcdefABCDEF:." : CONFIG_NAME;
    size_t len = is_ipv6 ? 1 : 0;
    while (len < text.len && text.at[len] != '\0' && strchr(set, text.at[len]) != NULL) {
        len++;
    }
    if (!is_ipv6) {
        return len;
    }
    return len > 1 && len < text.len && text.at[len] == ']' ? len + 1 : 0;
}

/* ":port" and nothing else. */
static bool config_is_port(struct config_span text, uint32_t min)
{
    uint32_t port;
    return text.len > 1 && text.at[0] == ':' &&
           config_number((struct config_span){text.at + 1, text.len - 1}, UINT16_MAX, &port) &&
           port >= min;
}

static bool config_host_port(struct config_span text, size_t host_bytes, uint32_t port_min)
{
    return config_is_port((struct config_span){text.at + host_bytes, text.len - host_bytes},
                          port_min);
}

/* What follows `scheme`, or NULL. */
static const char *config_after(const char *text, const char *scheme)
{
    size_t len = strlen(scheme);
    return strncmp(text, scheme, len) == 0 ? text + len : NULL;
}

static bool config_is_socket_path(const char *path)
{
    return path[0] != '\0' && strlen(path) < sizeof((struct sockaddr_un *)0)->sun_path;
}

/* Addresses that others ask about -------------------------------------------------------------- */

bool config_ipv4_port(const char *text, uint32_t *ret_ip, uint16_t *ret_port)
{
    struct config_span port_text = config_span(text);
    struct config_span ip_text = config_cut(&port_text, ':');
    uint32_t ip;
    uint32_t port;
    if (!config_ipv4(ip_text, &ip) || !config_number(port_text, UINT16_MAX, &port)) {
        return false;
    }
    *ret_ip = ip;
    *ret_port = (uint16_t)port;
    return true;
}

struct config_network {
    uint32_t ip;
    uint32_t mask;
};

/* "a.b.c.d" or "a.b.c.d/bits", blanks around it. Bits beyond the mask don't matter. */
static bool config_network(struct config_span text, struct config_network *ret_network)
{
    while (text.len > 0 && text.at[0] == ' ') {
        text = (struct config_span){text.at + 1, text.len - 1};
    }
    while (text.len > 0 && text.at[text.len - 1] == ' ') {
        text.len--;
    }
    bool has_bits = text.len > 0 && memchr(text.at, '/', text.len) != NULL;
    uint32_t bits = 32;
    uint32_t ip;
    struct config_span ip_text = config_cut(&text, '/');
    if (!config_ipv4(ip_text, &ip) || (has_bits && !config_number(text, 32, &bits))) {
        return false;
    }
    *ret_network = (struct config_network){ip, bits == 0 ? 0 : UINT32_MAX << (32 - bits)};
    return true;
}

bool config_networks_contain(const char *networks, uint32_t ip)
{
    struct config_span rest = config_span(networks);
    while (rest.len > 0) {
        struct config_network network;
        if (config_network(config_cut(&rest, ','), &network) &&
            ((ip ^ network.ip) & network.mask) == 0) {
            return true;
        }
    }
    return false;
}

/* The named checks of config.def; an empty text is judged by config_check_take ----------------- */

static const char config_allowed_node_id[] = "1 to 64 letters, digits, '-', '_' or '.'";

static bool config_check_node_id(const char *text)
{
    struct config_span span = config_span(text);
    return span.len <= 64 && config_consists_of(span, CONFIG_NAME);
}

static const char config_allowed_realm[] = "1 to 64 letters, digits, '-', '_' or '.'";

static bool config_check_realm(const char *text)
{
    return config_check_node_id(text);
}

static const char config_allowed_ipv4_port[] =
    "an IPv4 address and a port from 0 to 65535, as in 127.0.0.1:8080";

static bool config_check_ipv4_port(const char *text)
{
    uint32_t ip;
    uint16_t port;
    return config_ipv4_port(text, &ip, &port);
}

static const char config_allowed_networks[] =
    "IPv4 networks a.b.c.d/bits, bits from 0 to 32, or addresses, separated by commas";

static bool config_check_networks(const char *text)
{
    struct config_span rest = config_span(text);
    struct config_network network;
    bool ends_early = text[0] == '\0' || text[rest.len - 1] == ',';
    while (rest.len > 0) {
        if (!config_network(config_cut(&rest, ','), &network)) {
            return false;
        }
    }
    return !ends_early;
}

static const char config_allowed_origins[] =
    "origins scheme://host or scheme://host:port, separated by commas, or *";

static bool config_check_origins(const char *text)
{
    return origins_valid(text);
}

static const char config_allowed_host_names[] =
    "host names without port, separated by commas, or *";

static bool config_check_host_names(const char *text)
{
    return origins_names_valid(text);
}

/* user:password, percent-encoded; the user may be empty. */
static bool config_is_login(struct config_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        struct config_span hex = {text.at + i + 1, 2};
        if (text.at[i] == '%' &&
            (i + 2 >= text.len || !config_consists_of(hex, CONFIG_DIGITS "abcdefABCDEF") ||
             memcmp(hex.at, "00", 2) == 0)) {
            return false;
        }
    }
    (void)config_cut(&text, ':');
    return text.len > 0;
}

/* "user:password@" in front is cut off; false when it is not well formed. */
static bool config_cut_login(struct config_span *address)
{
    const char *at = address->len > 0 ? memrchr(address->at, '@', address->len) : NULL;
    if (at == NULL) {
        return true;
    }
    struct config_span login = {address->at, (size_t)(at - address->at)};
    *address = (struct config_span){at + 1, address->len - login.len - 1};
    return config_is_login(login);
}

/* host[:port] */
static bool config_is_redis_host(struct config_span text)
{
    size_t host_bytes = config_host_bytes(text);
    return host_bytes > 0 && (host_bytes == text.len || config_host_port(text, host_bytes, 1));
}

/* "" is 0. */
static bool config_is_redis_db(struct config_span text)
{
    uint32_t number;
    return text.len == 0 || config_number(text, 999999999, &number);
}

/* [user:password@]host[:port][/db] */
static bool config_is_redis_tcp(const char *text)
{
    struct config_span db = config_span(text);
    struct config_span address = config_cut(&db, '/');
    return config_cut_login(&address) && config_is_redis_host(address) && config_is_redis_db(db);
}

/* [user:password@]host[:port],host[:port]/master[/db], at most 16 hosts */
static bool config_is_redis_sentinel(const char *text)
{
    struct config_span db = config_span(text);
    struct config_span hosts = config_cut(&db, '/');
    struct config_span master = config_cut(&db, '/');
    bool is_good = config_cut_login(&hosts) && config_consists_of(master, CONFIG_NAME) &&
                   config_is_redis_db(db) && hosts.len > 0 && hosts.at[hosts.len - 1] != ',';
    for (int count = 1; is_good && hosts.len > 0; count++) {
        is_good = count <= 16 && config_is_redis_host(config_cut(&hosts, ','));
    }
    return is_good;
}

static const char config_allowed_redis_url[] =
    "redis://[user:password@]host:port/db, unix:///path or "
    "redis+sentinel://[user:password@]host:port,host:port/master/db";

static bool config_check_redis_url(const char *text)
{
    const char *rest = config_after(text, "redis://");
    if (rest != NULL) {
        return config_is_redis_tcp(rest);
    }
    rest = config_after(text, "redis+sentinel://");
    if (rest != NULL) {
        return config_is_redis_sentinel(rest);
    }
    rest = config_after(text, "unix://");
    return rest != NULL && rest[0] == '/' && config_is_socket_path(rest);
}

static const char config_allowed_bus_url[] =
    "tcp://host:port, tls+tcp://host:port or inproc://name";

static bool config_check_bus_url(const char *text)
{
    const char *rest = config_after(text, "tcp://");
    rest = rest != NULL ? rest : config_after(text, "tls+tcp://");
    if (rest != NULL) {
        struct config_span address = config_span(rest);
        bool is_any = rest[0] == '*';
        size_t host_bytes = is_any ? 1 : config_host_bytes(address);
        return host_bytes > 0 && config_host_port(address, host_bytes, 0);
    }
    rest = config_after(text, "inproc://");
    return rest != NULL && config_is_socket_path(rest);
}

static const char config_allowed_control_url[] =
    "tcp://host:port, tls+tcp://host:port, ipc:///path or inproc://name";

static bool config_check_control_url(const char *text)
{
    const char *rest = config_after(text, "ipc://");
    return rest != NULL ? config_is_socket_path(rest) : config_check_bus_url(text);
}

static const char config_allowed_host_name[] = "a DNS name: letters, digits, '-', '.'";

static bool config_check_host_name(const char *text)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    size_t len = strlen(text);
    return len > 0 && len <= 253 && strspn(text, allowed) == len;
}

/* The rows ------------------------------------------------------------------------------------- */

#define CONFIG_RELOAD  true
#define CONFIG_RESTART false

const struct config_row config_rows[CONFIG_ROW_COUNT] = {
#define CONFIG_COMMON(row_section, row_key, row_fallback, row_reload, row_help)                    \
    .section = #row_section, .key = #row_key, .fallback = (row_fallback),                          \
    .reloads = CONFIG_##row_reload, .help = (row_help),                                            \
    .offset = offsetof(struct config, row_section##_##row_key)
#define CONFIG_STR(section_, key_, fallback_, reload_, help_)                                      \
    {.kind = CONFIG_KIND_STR, CONFIG_COMMON(section_, key_, fallback_, reload_, help_)},
#define CONFIG_CHECKED(section_, key_, fallback_, check_, reload_, help_)                          \
    {.kind = CONFIG_KIND_STR,                                                                      \
     .check = config_check_##check_,                                                               \
     .allowed = config_allowed_##check_,                                                           \
     CONFIG_COMMON(section_, key_, fallback_, reload_, help_)},
#define CONFIG_INT(section_, key_, fallback_, min_, max_, unit_, reload_, help_)                   \
    {.kind = CONFIG_KIND_INT,                                                                      \
     .min = (min_),                                                                                \
     .max = (max_),                                                                                \
     .unit = (unit_),                                                                              \
     CONFIG_COMMON(section_, key_, #fallback_, reload_, help_)},
#define CONFIG_ENUM(section_, key_, fallback_, choices_, reload_, help_)                           \
    {.kind = CONFIG_KIND_ENUM,                                                                     \
     .choices = (choices_),                                                                        \
     CONFIG_COMMON(section_, key_, fallback_, reload_, help_)},
#include "node/base/config.def"
};

/* Keys that must never be shown. */
static const int config_secrets[] = {CONFIG_ROW_auth_key, CONFIG_ROW_bus_key};

bool config_check_is_secret(const struct config_row *row, const char *value)
{
    for (size_t i = 0; i < sizeof config_secrets / sizeof config_secrets[0]; i++) {
        if (row == &config_rows[config_secrets[i]]) {
            return true;
        }
    }
    /* A Redis URL may hold a password; a malformed one still shows by its '@'. */
    return row == &config_rows[CONFIG_ROW_redis_url] && strchr(value, '@') != NULL;
}

/* Values --------------------------------------------------------------------------------------- */

bool config_check_choice(const struct config_row *row, int index, const char **ret_text,
                         int *ret_len)
{
    struct config_span rest = config_span(row->choices);
    for (int i = 0; rest.len > 0; i++) {
        struct config_span choice = config_cut(&rest, '|');
        if (i == index) {
            *ret_text = choice.at;
            *ret_len = (int)choice.len;
            return true;
        }
    }
    return false;
}

static enum config_taken config_take_int(const struct config_row *row, const char *text,
                                         int64_t *field)
{
    const char *digits = text + (text[0] == '-');
    if (!config_consists_of(config_span(digits), CONFIG_DIGITS)) {
        return CONFIG_REFUSED;
    }
    /* What is too long for the type becomes its end, which is beyond every row's bounds. */
    long long number = strtoll(text, NULL, 10);
    if (number < row->min || number > row->max) {
        return CONFIG_REFUSED;
    }
    *field = number;
    return CONFIG_TAKEN;
}

static enum config_taken config_take_enum(const struct config_row *row, const char *text,
                                          int *field)
{
    const char *choice;
    int len;
    for (int i = 0; config_check_choice(row, i, &choice, &len); i++) {
        if (strlen(text) == (size_t)len && memcmp(text, choice, (size_t)len) == 0) {
            *field = i;
            return CONFIG_TAKEN;
        }
    }
    return CONFIG_REFUSED;
}

static bool config_is_text(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f) {
            return false;
        }
    }
    return strlen(text) <= CONFIG_VALUE_MAX_BYTES;
}

static enum config_taken config_take_str(const struct config_row *row, const char *text,
                                         char **field)
{
    bool is_good = text[0] == '\0'
                       ? row->fallback[0] == '\0'
                       : config_is_text(text) && (row->check == NULL || row->check(text));
    if (!is_good) {
        return CONFIG_REFUSED;
    }
    char *copy = strdup(text);
    if (copy == NULL) {
        return CONFIG_NO_MEMORY;
    }
    free(*field);
    *field = copy;
    return CONFIG_TAKEN;
}

enum config_taken config_check_take(const struct config_row *row, const char *text,
                                    struct config *config)
{
    void *field = config_field(config, row);
    switch (row->kind) {
    case CONFIG_KIND_INT:
        return config_take_int(row, text, field);
    case CONFIG_KIND_ENUM:
        return config_take_enum(row, text, field);
    case CONFIG_KIND_STR:
        break;
    }
    return config_take_str(row, text, field);
}
