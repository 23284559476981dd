/* SPDX-License-Identifier: MIT */
/* top_screen: a run of `hgtpctl top`, and its life on a terminal. */
#ifndef ADMIN_TOP_TOP_SCREEN_H
#define ADMIN_TOP_TOP_SCREEN_H

#include "admin/cli.h"
#include "admin/top/top_look.h"

struct top {
    struct cli *cli;
    struct rpc_client *client;
    int64_t interval_ms;
    uint64_t left; /* readings; UINT64_MAX: without end */
    uint32_t limit;
    struct top_look look;
    struct top_past past;
    Hgtp__Tool__TopReply *reading; /* the last one */
    struct top_reader *reader;
    struct top_keys keys;
    struct rpc_status failure; /* of the last attempt; OK: it was none */
    char left_url[512];        /* that was read from before */
    int64_t moved_ms;          /* when that changed */
    bool is_over, is_stale;    /* stale: the screen is not what it should be */
};

/** Read; false: it failed, top->failure says why. */
bool top_read_now(struct top *top);

/** Until the person has seen enough; returns an exit code. `top` has to outlive the process, as of
 * top_reader_new. */
int top_screen_run(struct top *top);

#endif
