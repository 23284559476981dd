/* SPDX-License-Identifier: MIT */
/*
 * control: what operators' tools ask of this node, over nng: envelopes of rpc.proto with messages
 * of control.proto. Any node answers for the whole cluster. Who may ask what is decided here, by
 * tokens; what is asked is done by scripts.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <uv.h>

#include "node/talk/talk.h"

#define CONTROL_ERROR_BYTES 256

struct control;

struct control_options {
    uv_loop_t *loop;
    const struct config *config; /* live: control.listen, control.token_file */
    struct talk *talk;
    const char *node;    /* id and incarnation */
    const char *version; /* of this program */
    uint16_t http_port;  /* tells nodes on one machine from each other */
};

/**
 * Listen. The default address is given up for one that this node can have: in the runtime directory
 * of its user, and one with its HTTP port when another node has the name.
 *
 * ret_error  CONTROL_ERROR_BYTES; on failure what went wrong, for the log
 * returns    NULL on failure
 */
struct control *control_open(const struct control_options *options, char *ret_error);

/** Where it listens. Valid until the end. */
const char *control_address(const struct control *control);

/** Read the tokens again; on failure the old ones stay and `ret_error` says why. */
bool control_reload(struct control *control, char *ret_error);

/** Take away what listening has left in the file system; NULL is legal. */
void control_remove_files(const struct control *control);

/** Nothing is answered any more. The process has to end: nng's sockets stay open. */
void control_close(struct control *control);

#endif
