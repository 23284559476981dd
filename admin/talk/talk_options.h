/* SPDX-License-Identifier: MIT */
/* talk_options: what `hgtpctl talk` was asked for, and how it may end. */
#ifndef ADMIN_TALK_TALK_OPTIONS_H
#define ADMIN_TALK_TALK_OPTIONS_H

#include <stdbool.h>

/* Exit codes, as of all of hgtpctl. */
enum talk_exit { TALK_DONE = 0, TALK_REFUSED = 1, TALK_USAGE = 2, TALK_UNREACHABLE = 3 };

struct talk_options {
    const char *http;     /* "host:port" of a node or a balancer; the port may be left out: 8080 */
    const char *hgtp;     /* the same for HGTP over UDP, port 9000; NULL: host of `http` */
    const char *name;     /* the user's, UTF-8 */
    const char *key;      /* NULL: in the first line of key_file */
    const char *key_file; /* NULL: `key` is given */
    const char *room;     /* to join at the start; NULL: none */
    bool take_over;       /* go on with the session that an account's name has elsewhere, unasked */
    bool colour;          /* where the terminal and NO_COLOR allow it */
    bool plain;           /* lines in and out, on a terminal too */
};

#endif
