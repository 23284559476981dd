/* SPDX-License-Identifier: MIT */
/* cmd_talk: `hgtpctl talk`: the command line's words, and what stands in for those left out. */
#include <stdlib.h>

#include "admin/cli.h"
#include "admin/cmd.h"
#include "admin/talk/talk_run.h"

#define CMD_TALK_HTTP "127.0.0.1:8080"

int cmd_talk(struct cli *cli)
{
    const char *name = cli_option(cli, "name");
    struct talk_options options = {
        .http = cli->word_count > 0 ? cli->words[0] : CMD_TALK_HTTP,
        .hgtp = cli_option(cli, "hgtp"),
        .name = name != NULL ? name : getenv("USER"),
        .key = cli_option(cli, "key"),
        .key_file = cli_option(cli, "key-file"),
        .room = cli_option(cli, "room"),
        .take_over = cli_option(cli, "take-over") != NULL,
        .colour = cli_option(cli, "no-color") == NULL,
        .plain = cli_option(cli, "plain") != NULL,
    };
    if (options.key == NULL && options.key_file == NULL) {
        options.key = getenv("HGTP_AUTH_KEY");
    }
    return talk_run(&options);
}
