/* SPDX-License-Identifier: MIT */
/* control_own: methods that a node answers by what it knows itself. */
#include <stdlib.h>

#include "control_state.h"

void control_version(struct control_call *call)
{
    const struct control_options *options = &call->control->options;
    bool is_whole = control_rows_str(call->reply, "node", options->node) &&
                    control_rows_str(call->reply, "version", options->version) &&
                    control_rows_str(call->reply, "realm", options->config->node_realm);
    if (is_whole) {
        control_reply(call);
    }
    control_end(call);
}
