/* SPDX-License-Identifier: MIT */
/*
 * where: which node is asked, and as whom: --url, else HGTPCTL_URL, else the context, else the
 * sockets that a node of this machine listens on.
 */
#ifndef ADMIN_WHERE_H
#define ADMIN_WHERE_H

#include "admin/cli.h"

/**
 * Fill cli->where, token and actor. A context's token goes to that context's addresses, or, if the
 * context was named, to those of --url; never to those of HGTPCTL_URL.
 *
 * returns  EXIT_DONE, or EXIT_USAGE: why was said
 */
int where_find(struct cli *cli);
void where_fini(struct cli *cli);

#endif
