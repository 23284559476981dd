/* SPDX-License-Identifier: MIT */
/* cmd: verbs with code of their own. Each returns the exit code. */
#ifndef ADMIN_CMD_H
#define ADMIN_CMD_H

struct cli;

int cmd_bench(struct cli *cli);
int cmd_completion(struct cli *cli);
int cmd_context_add(struct cli *cli);
int cmd_context_list(struct cli *cli);
int cmd_context_remove(struct cli *cli);
int cmd_context_use(struct cli *cli);
int cmd_drain(struct cli *cli);
int cmd_events(struct cli *cli);
int cmd_rolling(struct cli *cli);
int cmd_talk(struct cli *cli);
int cmd_top(struct cli *cli);
int cmd_version(struct cli *cli);

#endif
