/* SPDX-License-Identifier: MIT */
/*
 * lifecycle: assembles a node from its parts in the order in which they need each other, and takes
 * it apart again: STARTING (listening, waiting for Redis), SERVING, DRAINING (what is under way is
 * finished), CLOSING. The rules of talk and the protocols are elsewhere.
 */
#include "lifecycle.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "clock.h"
#include "front/push.h"
#include "front/routes.h"
#include "front/udp.h"
#include "keys.h"
#include "node/base/log.h"
#include "node/base/metrics.h"
#include "store/private_redis.h"
#include "store/store.h"

#define LIFECYCLE_DRAIN_MS       2000
#define LIFECYCLE_DRAIN_STEP_MS  20
#define LIFECYCLE_HEAD_MAX_BYTES 16384

enum phase { PHASE_STARTING, PHASE_SERVING, PHASE_DRAINING, PHASE_CLOSING };

struct node {
    uv_loop_t loop;
    struct config *config;
    const struct config_sources *sources;
    enum phase phase;
    struct keys keys;
    char id[128];
    char folder[256]; /* private and temporary; empty: none was needed */
    char hgtp_address[32];
    char http_address[32];
    struct private_redis *redis;
    struct store *store;
    struct udp *udp;
    struct http_server *http;
    struct push_settings push;
    struct routes routes;
    struct talk *talk;
    struct clock clock;
    uv_timer_t drain;
    uv_signal_t signals[3];
    int64_t drain_until_ms;
};

/* Checks -----------------------------------------------------------------------------------------
 */

bool lifecycle_check(const struct config *config, char *ret_error)
{
    bool has_key = config->auth_key[0] != '\0' || config->auth_key_file[0] != '\0';
    if (!has_key && !keys_may_be_made(config)) {
        snprintf(ret_error, LIFECYCLE_ERROR_BYTES,
                 "auth.key: no key is set, and hgtp.listen=%s, http.listen=%s reach beyond "
                 "loopback, where "
                 "anybody could register; set auth.key_file (or auth.key), or listen on 127.0.0.1",
                 config->hgtp_listen, config->http_listen);
        return false;
    }
    bool is_tcp = strncmp(config->control_listen, "ipc://", 6) != 0 &&
                  strncmp(config->control_listen, "inproc://", 9) != 0;
    if (is_tcp && config->control_token_file[0] == '\0') {
        snprintf(ret_error, LIFECYCLE_ERROR_BYTES,
                 "control.token_file: required when control.listen=%s is no unix socket",
                 config->control_listen);
        return false;
    }
    return true;
}

/* Serving ----------------------------------------------------------------------------------------
 */

static void lifecycle_on_wake(void *arg)
{
    struct node *node = arg;
    if (node->phase >= PHASE_DRAINING) {
        return;
    }
    struct clock_port clock = clock_port(&node->clock);
    clock.wake_in(clock.ctx, talk_tick(node->talk));
    const char *why;
    if (node->phase == PHASE_STARTING && talk_ready(node->talk, &why)) {
        node->phase = PHASE_SERVING;
        LOG(LOG_INFO, "ready", log_str("hgtp", node->hgtp_address),
            log_str("http", node->http_address), log_str("realm", node->config->node_realm),
            log_str("node", node->id));
    }
}

static void lifecycle_on_datagram(uint32_t ip, uint16_t port, struct bytes datagram, void *arg)
{
    struct node *node = arg;
    talk_on_datagram(node->talk, ip, port, datagram);
}

/* Start ------------------------------------------------------------------------------------------
 */

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

static bool lifecycle_start_keys(struct node *node)
{
    char error[KEYS_ERROR_BYTES];
    if (!keys_load(node->config, &node->keys, error)) {
        LOG(LOG_ERROR, "key_unusable", log_str("error", error));
        return false;
    }
    if (node->keys.valid.count > 0) {
        return true;
    }
    char path[sizeof node->folder + 8];
    if (!lifecycle_make_folder(node)) {
        return false;
    }
    snprintf(path, sizeof path, "%s/key", node->folder);
    if (!keys_make(path, &node->keys)) {
        LOG(LOG_ERROR, "key_unusable", log_str("path", path), log_str("error", strerror(errno)));
        return false;
    }
    LOG(LOG_INFO, "key_made", log_str("file", path),
        log_str("hint",
                "no auth.key is set; clients on this machine can prove the key in this file"));
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

static uint64_t lifecycle_body_max(const struct config *config)
{
    /* Base64 of the text, the JSON around it, and room for other members. */
    return (uint64_t)config->limits_message_bytes * 2 + 65536;
}

static bool lifecycle_start_listeners(struct node *node)
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
    const struct http_server_options http = {.ip = ip,
                                             .port = port,
                                             .head_max_bytes = LIFECYCLE_HEAD_MAX_BYTES,
                                             .body_max_bytes = lifecycle_body_max(node->config),
                                             .idle_ms = node->config->http_idle_s * 1000,
                                             .on_request = routes_on_request,
                                             .arg = &node->routes};
    error = http_server_open(&node->loop, &http, &node->http);
    if (error != 0) {
        lifecycle_listen_failed("http.listen", node->config->http_listen, error);
        return false;
    }
    lifecycle_address(node->http_address, ip, http_server_port(node->http));
    return true;
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

static void lifecycle_name(struct node *node)
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
    talk_on_store(node->talk, connected);
}

static void lifecycle_on_late(const struct result *result, void *arg)
{
    struct node *node = arg;
    talk_on_late(node->talk, result);
}

static bool lifecycle_start_store(struct node *node)
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
                                          .arg = node};
    node->store = store_open(&options);
    if (node->store == NULL) {
        LOG(LOG_ERROR, "redis_url_unusable", log_str("key", "redis.url"),
            log_str("hint", "use redis://host:port/db or unix:///path"));
        return false;
    }
    return true;
}

static bool lifecycle_start_talk(struct node *node)
{
    node->push = (struct push_settings){.loop = &node->loop,
                                        .queue_max_bytes = (size_t)node->config->limits_queue_bytes,
                                        .connect_ms = 2000,
                                        .retry_min_ms = 100,
                                        .retry_max_ms = 15000,
                                        .events = {.on_drained = talk_on_drained}};
    const struct talk_options options = {.config = node->config,
                                         .keys = &node->keys.valid,
                                         .node = node->id,
                                         .http_port = lifecycle_told_port(node),
                                         .hgtp_address = node->hgtp_address,
                                         .http_address = node->http_address,
                                         .store = store_port(node->store),
                                         .datagram = udp_datagram_port(node->udp),
                                         .push = push_port(&node->push),
                                         .clock = clock_port(&node->clock)};
    node->talk = talk_new(&options);
    node->routes.talk = node->talk;
    return node->talk != NULL;
}

/* Reload -----------------------------------------------------------------------------------------
 */

static void lifecycle_on_change(const char *key, bool applied, void *arg)
{
    (void)arg;
    if (applied) {
        LOG(LOG_INFO, "config_changed", log_str("key", key));
    } else {
        LOG(LOG_WARN, "config_needs_restart", log_str("key", key));
    }
}

static void lifecycle_reload(struct node *node)
{
    struct config fresh;
    char error[LIFECYCLE_ERROR_BYTES];
    struct keys keys;
    memset(&fresh, 0, sizeof fresh);
    bool is_good = config_load(node->sources, &fresh, error) && lifecycle_check(&fresh, error) &&
                   keys_load(&fresh, &keys, error);
    if (!is_good) {
        LOG(LOG_ERROR, "reload_refused", log_str("error", error),
            log_str("hint", "the settings stay as they were"));
        config_fini(&fresh);
        return;
    }
    config_reload(node->config, &fresh, lifecycle_on_change, NULL);
    config_fini(&fresh);
    if (keys.valid.count > 0) {
        keys_copy(&node->keys, &keys);
    }
    log_configure((enum log_level)node->config->log_level,
                  (enum log_format)node->config->log_format);
    node->push.queue_max_bytes = (size_t)node->config->limits_queue_bytes;
    http_server_limits(node->http, lifecycle_body_max(node->config),
                       node->config->http_idle_s * 1000);
    store_deadline(node->store, node->config->redis_deadline_ms);
    LOG(LOG_INFO, "reloaded");
}

/* End --------------------------------------------------------------------------------------------
 */

static void lifecycle_remove_folder(struct node *node)
{
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

static void lifecycle_on_redis_closed(void *arg)
{
    lifecycle_remove_folder(arg);
}

/* The last part: nothing asks the store any more. */
static void lifecycle_on_store_closed(void *arg)
{
    struct node *node = arg;
    talk_free(node->talk);
    node->talk = NULL;
    udp_close(node->udp);
    if (node->redis != NULL) {
        private_redis_close(node->redis, lifecycle_on_redis_closed, node);
    } else {
        lifecycle_remove_folder(node);
    }
}

static void lifecycle_close(struct node *node)
{
    node->phase = PHASE_CLOSING;
    udp_stop_hearing(node->udp);
    http_server_close(node->http);
    clock_close(&node->clock);
    uv_close((uv_handle_t *)&node->drain, NULL);
    for (size_t i = 0; i < sizeof node->signals / sizeof node->signals[0]; i++) {
        uv_close((uv_handle_t *)&node->signals[i], NULL);
    }
    store_close(node->store, lifecycle_on_store_closed, node);
}

static void lifecycle_on_drain_step(uv_timer_t *timer)
{
    struct node *node = timer->data;
    if (talk_in_flight(node->talk) == 0 || clock_now_ms() >= node->drain_until_ms) {
        lifecycle_close(node);
    }
}

static void lifecycle_end_at_once(struct node *node)
{
    LOG(LOG_WARN, "ended_at_once",
        log_str("hint", "a second signal came before the drain was over"));
    if (node->redis != NULL) {
        private_redis_kill(node->redis);
    }
    lifecycle_remove_folder(node);
    _exit(1);
}

static void lifecycle_on_signal(uv_signal_t *handle, int number)
{
    struct node *node = handle->data;
    if (number == SIGHUP) {
        lifecycle_reload(node);
        return;
    }
    if (node->phase >= PHASE_DRAINING) {
        lifecycle_end_at_once(node);
    }
    node->phase = PHASE_DRAINING;
    LOG(LOG_INFO, "draining", log_int("deadline_ms", LIFECYCLE_DRAIN_MS));
    node->drain_until_ms = clock_now_ms() + LIFECYCLE_DRAIN_MS;
    clock_stop(&node->clock);
    talk_drain(node->talk);
    http_server_drain(node->http);
    uv_timer_start(&node->drain, lifecycle_on_drain_step, LIFECYCLE_DRAIN_STEP_MS,
                   LIFECYCLE_DRAIN_STEP_MS);
}

/* Run --------------------------------------------------------------------------------------------
 */

static void lifecycle_start_signals(struct node *node)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        uv_signal_init(&node->loop, &node->signals[i]);
        node->signals[i].data = node;
        uv_signal_start(&node->signals[i], lifecycle_on_signal, numbers[i]);
    }
    clock_init(&node->clock, &node->loop, lifecycle_on_wake, node);
    uv_timer_init(&node->loop, &node->drain);
    node->drain.data = node;
}

static bool lifecycle_start(struct node *node)
{
    if (!lifecycle_start_keys(node) || !lifecycle_start_listeners(node)) {
        return false;
    }
    lifecycle_start_signals(node);
    lifecycle_name(node);
    LOG(LOG_INFO, "listening", log_str("hgtp", node->hgtp_address),
        log_str("http", node->http_address), log_int("pid", getpid()));
    if (!lifecycle_start_store(node) || !lifecycle_start_talk(node)) {
        return false;
    }
    struct clock_port clock = clock_port(&node->clock);
    clock.wake_in(clock.ctx, 0);
    return true;
}

int lifecycle_run(struct config *config, const struct config_sources *sources)
{
    struct node *node = calloc(1, sizeof *node);
    if (node == NULL) {
        return 1;
    }
    node->config = config;
    node->sources = sources;
    log_configure((enum log_level)config->log_level, (enum log_format)config->log_format);
    uv_loop_init(&node->loop);
    if (!lifecycle_start(node)) {
        if (node->redis != NULL) {
            private_redis_kill(node->redis);
        }
        lifecycle_remove_folder(node);
        _exit(1);
    }
    uv_run(&node->loop, UV_RUN_DEFAULT);
    uv_loop_close(&node->loop);
    LOG(LOG_INFO, "ended");
    config_fini(config);
    free(node);
    return 0;
}
