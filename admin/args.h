/* SPDX-License-Identifier: MIT */
/*
 * args: reads a command line by the table of verbs. Options of all verbs may stand anywhere, those
 * of a verb behind it; "--" ends options; a value may be joined to its option by '='.
 */
#ifndef ADMIN_ARGS_H
#define ADMIN_ARGS_H

#include "admin/cli.h"

/** For cli with its streams set and the rest zero. */
void args_init(struct cli *cli);
void args_fini(struct cli *cli);

/** One word of argv; kept. Returns EXIT_DONE, or EXIT_USAGE: what is wrong was said. */
int args_feed(struct cli *cli, const char *word);

/** Another value for the verb's last word, which may be given many times, into the request. */
void args_set_last(struct cli *cli, const char *word);

/** After the last word: whether something is missing. */
int args_end(struct cli *cli);

/** All words of argv behind the first. */
int args_read(struct cli *cli, char **argv);

#endif
