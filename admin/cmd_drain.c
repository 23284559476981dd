/* SPDX-License-Identifier: MIT */
/* cmd_drain: node drain; with --wait it ends when the node has no session left. */
#include <inttypes.h>

#include "admin/call.h"
#include "admin/cmd.h"
#include "admin/tick.h"
#include "admin/units.h"
#include "control.pb-c.h"

#define DRAIN_STEP_MS 200

/* Sessions left; UINT64_MAX: it does not say, and `ret_code` is the exit code. */
static uint64_t drain_left(struct cli *cli, int *ret_code)
{
    Hgtp__Control__NodeName request = HGTP__CONTROL__NODE_NAME__INIT;
    request.node = ((const Hgtp__Control__NodeName *)cli->request)->node;
    ProtobufCMessage *reply = call_method(cli, "NodeShow", &request.base, ret_code);
    uint64_t left = UINT64_MAX;
    if (reply != NULL) {
        const Hgtp__Control__Node *node = ((Hgtp__Control__NodeShowReply *)reply)->node;
        if (node != NULL && node->error[0] == '\0') {
            left = node->sessions;
        }
        protobuf_c_message_free_unpacked(reply, NULL);
    }
    return left;
}

static int drain_await(struct cli *cli, int64_t wait_ms)
{
    int64_t until_ms = tick_ms() + wait_ms;
    int code = EXIT_UNREACHABLE;
    uint64_t left = drain_left(cli, &code);
    while (left != 0 && left != UINT64_MAX && tick_ms() < until_ms) {
        tick_sleep(DRAIN_STEP_MS);
        left = drain_left(cli, &code);
    }
    if (left == 0) {
        fputs(cli->is_json ? "" : "no session is left\n", cli->out);
        return EXIT_DONE;
    }
    if (left == UINT64_MAX) {
        cli_say(cli, "the node does not say how many sessions it has left");
        return code != EXIT_DONE ? code : EXIT_UNREACHABLE;
    }
    cli_say(cli, "%" PRIu64 " session%s left; it goes on draining", left,
            left == 1 ? " is" : "s are");
    return EXIT_FAILED;
}

int cmd_drain(struct cli *cli)
{
    int64_t wait_ms = 0;
    const char *wait = cli_option(cli, "wait");
    int code = call_verb(cli);
    if (code != EXIT_DONE || wait == NULL || cli->cares[CARE_DRY_RUN]) {
        return code;
    }
    (void)units_duration(wait, &wait_ms);
    return drain_await(cli, wait_ms);
}
