/* SPDX-License-Identifier: MIT */
/*
 * lifecycle_parts: makes each part of a node from the settings and connects it with the others.
 * When they start and end is lifecycle.c's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lifecycle_state.h"
#include "node/base/log.h"

#define LIFECYCLE_HEAD_MAX_BYTES 16384
/* Where the bus listens when somebody else has the default port: a second node on one machine needs
 * no setting for it. */
#define LIFECYCLE_BUS_ANY "tcp://127.0.0.1:0"

static bool lifecycle_make_folder(struct node *node)
{
    if (node->folder[0] != '\0') {
        return true;
    }
    const char *base = getenv("TMPDIR");
    char path[sizeof node->folder];
    int len = snprintf(path, sizeof path, "%s/hgtpd-XXXXXX",
                       base != NULL && base[0] == '/' ? base : "/tmp");
    if (len < 0 || (size_t)len >= sizeof path || mkdtemp(path) == NULL) {
        LOG(LOG_ERROR, "folder_failed", log_str("path", path), log_str("error", strerror(errno)),
            log_str("hint", "set TMPDIR to a folder that this user may write"));
        return false;
    }
    memcpy(node->folder, path, sizeof path);
    return true;
}

void lifecycle_remove_folder(struct node *node)
{
    control_remove_files(node->control);
    if (node->folder[0] == '\0') {
        return;
    }
    char path[sizeof node->folder + 8];
    snprintf(path, sizeof path, "%s/key", node->folder);
    (void)unlink(path);
    if (rmdir(node->folder) != 0 && errno != ENOENT) {
        LOG(LOG_WARN, "folder_left", log_str("path", node->folder),
            log_str("error", strerror(errno)));
    }
}

void lifecycle_fail(struct node *node)
{
    if (node->redis != NULL) {
        private_redis_kill(node->redis);
    }
    lifecycle_remove_folder(node);
    log_flush();
    _exit(1);
}

bool lifecycle_start_keys(struct node *node)
{
    char error[KEYS_ERROR_BYTES];
    if (!keys_load(node->config, &node->keys, error)) {
        LOG(LOG_ERROR, "key_unusable", log_str("error", error));
        return false;
    }
    if (node->keys.clients.valid.count > 0) {
        return true;
    }
    char path[sizeof node->folder + 8];
    if (!lifecycle_make_folder(node)) {
        return false;
    }
    snprintf(path, sizeof path, "%s/key", node->folder);
    if (!keys_make(path, &node->keys.clients)) {
        LOG(LOG_ERROR, "key_unusable", log_str("path", path), log_str("error", strerror(errno)));
        return false;
    }
    LOG(LOG_INFO, "key_made", log_str("file", path),
        log_str("hint",
                "no auth.key is set; clients on this machine can prove the key in this file"));
    return true;
}

bool lifecycle_start_tls(struct node *node)
{
    char error[TLS_ERROR_BYTES];
    if (!tls_load(node->config, &node->tls, error)) {
        LOG(LOG_ERROR, "certificate_unusable", log_str("error", error));
        return false;
    }
    return true;
}

static void lifecycle_listen_failed(const char *key, const char *address, int error)
{
    char hint[128];
    snprintf(hint, sizeof hint,
             error == UV_EADDRINUSE ? "end what uses this port, or choose another by %s"
                                    : "choose another address or port by %s",
             key);
    LOG(LOG_ERROR, "listen_failed", log_str("key", key), log_str("address", address),
        log_str("error", uv_strerror(error)), log_str("hint", hint));
}

static void lifecycle_address(char text[32], uint32_t ip, uint16_t port)
{
    snprintf(text, 32, "%u.%u.%u.%u:%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255, port);
}

uint64_t lifecycle_body_max(const struct config *config)
{
    /* Base64 of the text with every character escaped, the JSON around it, and room for other
     * members. */
    return (uint64_t)config->limits_message_bytes * 8 + 65536;
}

void lifecycle_line_settings(struct node *node)
{
    const struct config *config = node->config;
    node->line.queue_max_bytes = (size_t)config->limits_queue_bytes;
    node->line.message_max_bytes = (size_t)lifecycle_body_max(config);
    node->line.ping_ms = config->http_ping_s * 1000;
    node->line.idle_ms = config->http_idle_s * 1000;
}

static void lifecycle_on_datagram(uint32_t ip, uint16_t port, struct bytes datagram, void *arg)
{
    struct node *node = arg;
    core_on_datagram(node->core, ip, port, datagram);
}

bool lifecycle_start_listeners(struct node *node)
{
    uint32_t ip;
    uint16_t port;
    (void)config_ipv4_port(node->config->hgtp_listen, &ip, &port);
    int error = udp_open(&node->loop, ip, port, lifecycle_on_datagram, node, &node->udp);
    if (error != 0) {
        lifecycle_listen_failed("hgtp.listen", node->config->hgtp_listen, error);
        return false;
    }
    lifecycle_address(node->hgtp_address, ip, udp_port(node->udp));

    (void)config_ipv4_port(node->config->http_listen, &ip, &port);
    connections_init(&node->connections, node->config);
    const struct http_server_options http = {.ip = ip,
                                             .port = port,
                                             .head_max_bytes = LIFECYCLE_HEAD_MAX_BYTES,
                                             .body_max_bytes = lifecycle_body_max(node->config),
                                             .idle_ms = node->config->http_idle_s * 1000,
                                             .connections = &node->connections,
                                             .on_request = routes_on_request,
                                             .on_too_large = routes_on_too_large,
                                             .arg = &node->routes};
    error = http_server_open(&node->loop, &http, &node->http);
    if (error != 0) {
        lifecycle_listen_failed("http.listen", node->config->http_listen, error);
        return false;
    }
    lifecycle_address(node->http_address, ip, http_server_port(node->http));
    return true;
}

static void lifecycle_on_bus_effect(const struct effect *effect, void *arg)
{
    struct node *node = arg;
    if (node->control == NULL || !control_on_bus_effect(node->control, effect)) {
        core_on_bus_effect(node->core, effect);
    }
}

static void lifecycle_on_bus_gap(const char *why, void *arg)
{
    struct node *node = arg;
    LOG_LIMITED(LOG_INFO, "bus_gap", log_str("why", why),
                log_str("effect", "what may have been missed is looked for in Redis"));
    core_on_bus_gap(node->core);
}

static void lifecycle_on_bus_stranger(void *arg)
{
    struct node *node = arg;
    core_on_bus_stranger(node->core);
}

static void lifecycle_on_bus_echo(void *arg)
{
    struct node *node = arg;
    core_on_bus_echo(node->core);
}

static void lifecycle_on_bus_stuck(void *arg)
{
    struct node *node = arg;
    LOG(LOG_ERROR, "bus_stuck",
        log_str("hint", "connections between nodes are not torn down any more; this node ends, its "
                        "supervisor has to start it anew"));
    node->exit_code = 1;
    lifecycle_drain(node, true);
}

bool lifecycle_start_bus(struct node *node)
{
    if (node->config->redis_url[0] == '\0') {
        return true;
    }
    char error[BUS_ERROR_BYTES];
    struct bus_options options = {.loop = &node->loop,
                                  .listen = node->config->bus_listen,
                                  .advertise = node->config->bus_advertise,
                                  .keys = &node->keys.bus.valid,
                                  .tls_in = node->tls.nodes_in,
                                  .tls_out = node->tls.nodes_out,
                                  .events = {lifecycle_on_bus_effect, lifecycle_on_bus_gap,
                                             lifecycle_on_bus_stranger, lifecycle_on_bus_echo,
                                             lifecycle_on_bus_stuck},
                                  .arg = node};
    node->bus = bus_open(&options, error);
    if (node->bus == NULL && config_is_default("bus", "listen", options.listen)) {
        LOG(LOG_INFO, "bus_port_in_use", log_str("address", options.listen),
            log_str("effect", "another one is taken; the other nodes learn it from Redis"));
        options.listen = LIFECYCLE_BUS_ANY;
        node->bus = bus_open(&options, error);
    }
    if (node->bus == NULL) {
        LOG(LOG_ERROR, "listen_failed", log_str("key", "bus.listen"),
            log_str("address", node->config->bus_listen), log_str("error", error),
            log_str("hint", "end what uses this port, or choose another by bus.listen"));
    }
    return node->bus != NULL;
}

static uint16_t lifecycle_told_port(const struct node *node)
{
    uint16_t port = node->config->http_advertise_port != 0
                        ? (uint16_t)node->config->http_advertise_port
                        : http_server_port(node->http);
    if (port > 32767) {
        LOG(LOG_WARN, "http_port_high", log_int("port", port),
            log_str("hint", "the original client cannot use a port above 32767; set http.listen or "
                            "http.advertise_port"));
    }
    return port;
}

void lifecycle_name(struct node *node)
{
    uint8_t noise[4];
    char host[65] = "node";
    struct clock_port clock = clock_port(&node->clock);
    clock.random(clock.ctx, noise, sizeof noise);
    (void)gethostname(host, sizeof host - 1);
    int len =
        node->config->node_id[0] != '\0'
            ? snprintf(node->id, sizeof node->id, "%s", node->config->node_id)
            : snprintf(node->id, sizeof node->id, "%s-%u", host, http_server_port(node->http));
    snprintf(node->id + len, sizeof node->id - (size_t)len, "@%02x%02x%02x%02x", noise[0], noise[1],
             noise[2], noise[3]);
}

static void lifecycle_on_store(bool connected, const char *why, void *arg)
{
    struct node *node = arg;
    if (connected) {
        LOG(LOG_INFO, "redis_connected");
    } else if (node->phase < PHASE_CLOSING) {
        LOG(LOG_WARN, "redis_away", log_str("error", why),
            log_str("hint", "requests are refused until it is back; trying again all the time"));
    }
    core_on_store(node->core, connected);
}

static void lifecycle_on_late(const struct result *result, void *arg)
{
    struct node *node = arg;
    core_on_late(node->core, result);
}

static void lifecycle_on_schema(struct bytes schema, void *arg)
{
    struct node *node = arg;
    LOG(LOG_ERROR, "schema_foreign", log_str("realm", node->config->node_realm),
        log_bytes("found", schema),
        log_str("hint", "the realm in Redis was written by another version of hgtpd, and is not "
                        "converted: end all nodes of the realm, delete its keys "
                        "(hgtp:{REALM}:*), and start this version; or run the version that wrote "
                        "it"));
    lifecycle_fail(node);
}

bool lifecycle_start_store(struct node *node)
{
    const char *url = node->config->redis_url;
    if (url[0] == '\0') {
        if (!lifecycle_make_folder(node)) {
            return false;
        }
        int error = private_redis_open(&node->loop, node->folder, &node->redis);
        if (error != 0) {
            LOG(LOG_ERROR, "private_redis_failed", log_str("error", uv_strerror(error)),
                log_str("hint", "install redis-server (and util-linux), or set redis.url"));
            return false;
        }
        url = private_redis_url(node->redis);
        LOG(LOG_INFO, "private_redis", log_str("url", url),
            log_int("pid", private_redis_pid(node->redis)),
            log_str("hint",
                    "no redis.url is set: the state is private to this node and ends with it"));
    }
    const struct store_options options = {.loop = &node->loop,
                                          .url = url,
                                          .realm = node->config->node_realm,
                                          .deadline_ms = node->config->redis_deadline_ms,
                                          .on_state = lifecycle_on_store,
                                          .on_late = lifecycle_on_late,
                                          .on_schema = lifecycle_on_schema,
                                          .arg = node};
    node->store = store_open(&options);
    if (node->store == NULL) {
        LOG(LOG_ERROR, "redis_url_unusable", log_str("key", "redis.url"),
            log_str("hint", "see redis.url in --print-config"));
        return false;
    }
    return true;
}

bool lifecycle_start_talk(struct node *node)
{
    node->push = (struct push_settings){.loop = &node->loop,
                                        .queue_max_bytes = (size_t)node->config->limits_queue_bytes,
                                        .connect_ms = 2000,
                                        .retry_min_ms = 100,
                                        .retry_max_ms = 15000,
                                        .events = {core_on_drained, core_on_confirmed}};
    node->line = (struct line_settings){.loop = &node->loop};
    lifecycle_line_settings(node);
    node->line.connections = &node->connections;
    node->lines = lines_open(&node->line);
    const struct core_options options = {.config = node->config,
                                         .keys = &node->keys.clients.valid,
                                         .bus_keys = &node->keys.bus.valid,
                                         .node = node->id,
                                         .http_port = lifecycle_told_port(node),
                                         .hgtp_address = node->hgtp_address,
                                         .http_address = node->http_address,
                                         .store = store_port(node->store),
                                         .datagram = udp_datagram_port(node->udp),
                                         .push = push_port(&node->push),
                                         .line = line_port(),
                                         .bus_address =
                                             node->bus != NULL ? bus_address(node->bus) : "",
                                         .bus = bus_port(node->bus),
                                         .clock = clock_port(&node->clock)};
    node->core = core_new(&options);
    node->line.core = node->core;
    node->routes = (struct routes){node->config, node->core, node->lines, &node->connections};
    if (node->core == NULL || node->lines == NULL) {
        return false;
    }
    if (node->bus != NULL) {
        bus_start(node->bus, node->id);
    }
    return true;
}
