/* SPDX-License-Identifier: MIT */
/*
 * complete: what may come next on a command line, by the table of verbs. The shells' scripts ask
 * the tool itself, so that they need not change when verbs do.
 */
#ifndef ADMIN_COMPLETE_H
#define ADMIN_COMPLETE_H

#include "admin/cli.h"

/** hgtpctl COMPLETE_WORD [WORD]... LAST: the words before the cursor; LAST may be empty. */
#define COMPLETE_WORD "__complete"
/** hgtpctl COMPLETE_BASH BREAKS LINE: $COMP_WORDBREAKS, and the line up to the cursor as typed. */
#define COMPLETE_BASH "__complete_bash"
/** Printed alone when files complete the last word; for bash with a blank and that word behind it.
 */
#define COMPLETE_FILES ":files"

/**
 * Print candidates for the last word, each with a tab and a short help behind it. Names of rooms,
 * users, nodes and accounts are asked for, quietly and for a second at most. What the shell would
 * have to change to type it, such as a control character, is not offered.
 */
int complete_run(struct cli *cli, char **words);

/** The same for bash, which inserts candidates as they are: each is written as it has to stand in
 * the line, without a help. `words`: BREAKS and LINE. */
int complete_run_bash(struct cli *cli, char **words);

#endif
