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
/** Printed alone when files complete the last word. */
#define COMPLETE_FILES ":files"

/**
 * Prints candidates for the last word, each with a tab and a short help behind it. Names of rooms,
 * users, nodes and accounts are asked for, quietly and for a second at most.
 */
int complete_run(struct cli *cli, char **words);

#endif
