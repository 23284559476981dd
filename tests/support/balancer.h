/* SPDX-License-Identifier: MIT */
/*
 * balancer: a real nginx with the configuration that is shipped (deploy/nginx/hgtp.conf), of which
 * only addresses, ports and paths are replaced.
 */
#ifndef SUPPORT_BALANCER_H
#define SUPPORT_BALANCER_H

#include "process.h"

#define BALANCER_NODES 3 /* as many as the configuration names */

struct balancer_node {
    uint16_t hgtp_port, http_port;
};

struct balancer {
    struct process *process; /* NULL: does not run yet */
    char *folder;
    uint16_t hgtp_port, talk_port, web_port; /* free ones of 127.0.0.1 */
    bool is_behind_path; /* browsers find the nodes under /chat/; docs/balancer.md, "Behind a path"
                          */
};

/** Its ports are picked; it does not run yet. */
struct balancer *balancer_new(void);
/** SIGTERM and its end. NULL is legal. */
void balancer_free(struct balancer *balancer);

/** False for nginx after 1.22, which leads a client to a dead node for as long as it sends there;
 * docs/balancer.md. */
bool balancer_leaves_dead_nodes(void);

/** Run it in front of these nodes on 127.0.0.1; true when it takes connections. */
bool balancer_start(struct balancer *balancer, const struct balancer_node nodes[BALANCER_NODES]);

void balancer_print_log(const struct balancer *balancer);

#endif
