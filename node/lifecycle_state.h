/* SPDX-License-Identifier: MIT */
/* lifecycle_state: a node's parts, and what lifecycle.c and lifecycle_parts.c call of each other.
 * Not for others. */
#ifndef NODE_LIFECYCLE_STATE_H
#define NODE_LIFECYCLE_STATE_H

#include <uv.h>

#include "bus/bus.h"
#include "clock.h"
#include "control/control.h"
#include "front/connections.h"
#include "front/push.h"
#include "front/routes.h"
#include "front/udp.h"
#include "keys.h"
#include "loop_lag.h"
#include "store/private_redis.h"
#include "store/store.h"
#include "supervise.h"
#include "tls.h"

/* DRAINING: the clients go to other nodes; it may serve again after that, unless it is to end. Then
 * it is STOPPING: what is under way is confirmed, LEAVING: Redis and the others are told, CLOSING.
 */
enum phase {
    PHASE_STARTING,
    PHASE_SERVING,
    PHASE_DRAINING,
    PHASE_STOPPING,
    PHASE_LEAVING,
    PHASE_CLOSING
};

struct node {
    uv_loop_t loop;
    struct config *config;
    const struct config_sources *sources;
    enum phase phase;
    struct keys keys;
    struct tls tls;
    char id[128];
    char folder[256]; /* private and temporary; empty: none was needed */
    char hgtp_address[32];
    char http_address[32];
    struct private_redis *redis;
    struct store *store;
    struct bus *bus; /* NULL: this node is alone */
    struct udp *udp;
    struct http_server *http;
    struct connections connections;
    struct push_settings push;
    struct line_settings line;
    struct lines *lines;
    struct control *control;
    struct routes routes;
    struct core *core;
    struct clock clock;
    struct supervise supervise;
    struct loop_lag loop_lag;
    uv_timer_t drain;
    uv_signal_t signals[3];
    int64_t phase_since_ms;
    int64_t phase_until_ms; /* from DRAINING on: the next one begins then at the latest */
    bool is_ending;         /* once it has drained */
    bool was_signalled;     /* to end */
    bool was_ready;         /* it has been serving */
    int exit_code;
};

/* lifecycle_parts.c and lifecycle_control.c: each logs why when it returns false. */
bool lifecycle_start_keys(struct node *node);
bool lifecycle_start_tls(struct node *node);
bool lifecycle_start_listeners(struct node *node);
/** Needs the listeners. */
void lifecycle_name(struct node *node);
bool lifecycle_start_bus(struct node *node);
bool lifecycle_start_store(struct node *node);
bool lifecycle_start_talk(struct node *node);
/** Needs the talk. */
bool lifecycle_start_control(struct node *node);
/** Take the settings of lines from the configuration. */
void lifecycle_line_settings(struct node *node);
/** Longest body of an HTTP request, in bytes. */
uint64_t lifecycle_body_max(const struct config *config);
/** The private temporary folder, with what this node put there. */
void lifecycle_remove_folder(struct node *node);
/** End the process at once, with what it must not leave behind removed; the log has said why. */
_Noreturn void lifecycle_fail(struct node *node);

/* lifecycle.c */
/** Have the clients go to other nodes, and end after that if `is_ending`. */
void lifecycle_drain(struct node *node, bool is_ending);
/** Serve again; false: it ends. */
bool lifecycle_resume(struct node *node);
/** Take over what `fresh` has; it is left to its owner. */
void lifecycle_take_settings(struct node *node, const struct config *fresh, const struct keys *keys,
                             void (*on_change)(const char *key, bool applied, void *arg),
                             void *arg);

#endif
