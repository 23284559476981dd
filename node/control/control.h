/* SPDX-License-Identifier: MIT */
/*
 * control: what operators' tools ask of this node, over nng: envelopes of rpc.proto with messages
 * of control.proto. Any node answers for the whole cluster. Who may ask what is decided here, by
 * tokens; what is asked is done by scripts.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <uv.h>

#include "node/core/core.h"

#define CONTROL_ERROR_BYTES 512

struct control;

/** What control has the rest of the node do. */
struct control_node {
    void *ctx;
    /** Send the clients to other nodes, and end after that if `is_ending`. */
    void (*drain)(void *ctx, bool is_ending);
    /** "starting", "serving" or "draining"; static. */
    const char *(*state)(void *ctx);
    /** Serve again; false: it is about to end. */
    bool (*resume)(void *ctx);
    /** Judge settings, and take over what may change while running unless `is_dry`. `on_change` as
     * in config_reload; false: `ret_error` (CONFIG_ERROR_BYTES) says why not. `changed` is used up.
     */
    bool (*configure)(void *ctx, struct config *changed, bool is_dry,
                      void (*on_change)(const char *key, bool applied, void *arg), void *arg,
                      char *ret_error);
};

struct control_options {
    uv_loop_t *loop;
    const struct config *config; /* live: control.listen, control.token_file */
    struct core *core;
    const char *node;                                      /* id and incarnation */
    const char *hgtp_address, *http_address, *bus_address; /* bus "": it is alone */
    struct bus_port bus;
    struct control_node act;
    struct nng_tls_config *tls; /* for a control.listen that begins with tls+tcp; nng keeps it */
    const char *version;        /* of this program */
    uint16_t http_port;         /* tells nodes on one machine from each other */
    int64_t since_unix_ms;      /* when this process began to serve */
};

/** NULL when memory is out. `options` is copied, what it points to is not. */
struct control *control_new(const struct control_options *options);

/**
 * Listen. The default address is given up for one that this node can have: in the runtime directory
 * of its user, and one with its HTTP port when another node has the name.
 *
 * ret_error  CONTROL_ERROR_BYTES; on failure what went wrong, for the log
 * returns    false on failure; other nodes can reach this one all the same
 */
bool control_listen(struct control *control, char *ret_error);

/** Where it listens; empty: nowhere. Valid until the end. */
const char *control_address(const struct control *control);

/** Another node has sent this; false: it is not control's. Views are borrowed for the call. */
bool control_on_bus_effect(struct control *control, const struct effect *effect);

/** Read the tokens again; on failure the old ones stay and `ret_error` says why. */
bool control_reload(struct control *control, char *ret_error);

/** Take away what listening has left in the file system; NULL is legal. */
void control_remove_files(const struct control *control);

/** Nothing is answered any more. The process has to end: nng's sockets stay open. */
void control_close(struct control *control);
/** When the loop has ended after control_close. NULL is legal. */
void control_free(struct control *control);

#endif
