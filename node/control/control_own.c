/* SPDX-License-Identifier: MIT */
/* control_own: methods that a node answers by what it knows itself. */
#include <stdlib.h>

#include "control_state.h"

static bool control_own_put(ProtobufCMessage *reply, const char *field, const char *value)
{
    const struct bytes fields[] = {bytes_str("row"), bytes_str(reply->descriptor->short_name),
                                   bytes_str(field), bytes_str(value)};
    const struct effect row = {fields, sizeof fields / sizeof fields[0]};
    return control_rows_put(reply, &row);
}

void control_version(struct control_call *call)
{
    const struct control_options *options = &call->control->options;
    bool is_whole = control_own_put(call->reply, "node", options->node) &&
                    control_own_put(call->reply, "version", options->version) &&
                    control_own_put(call->reply, "realm", options->config->node_realm);
    if (is_whole) {
        control_reply(call);
    }
    control_end(call);
}
