/* SPDX-License-Identifier: MIT */
/* cmd_version: the tool's own version is told even where no node answers. */
#include "admin/call.h"
#include "admin/cmd.h"
#include "control.pb-c.h"
#include "proto/build_info.h"
#include "tool.pb-c.h"

int cmd_version(struct cli *cli)
{
    int code;
    Hgtp__Tool__Versions versions = HGTP__TOOL__VERSIONS__INIT;
    const Hgtp__Control__Empty nothing = HGTP__CONTROL__EMPTY__INIT;
    ProtobufCMessage *reply = call_method(cli, "Version", &nothing.base, &code);
    versions.tool = (char *)(uintptr_t)build_info_version;
    if (reply != NULL) {
        const Hgtp__Control__VersionReply *node = (const Hgtp__Control__VersionReply *)reply;
        versions.node = node->node;
        versions.version = node->version;
        versions.realm = node->realm;
    }
    cli_print(cli, &versions.base);
    if (reply != NULL) {
        protobuf_c_message_free_unpacked(reply, NULL);
    }
    return code;
}
