/* SPDX-License-Identifier: MIT */
/* node_program: programs of the repository for Node, with the package ws as Debian has it. */
#ifndef SUPPORT_NODE_PROGRAM_H
#define SUPPORT_NODE_PROGRAM_H

/** A folder as `npm install ws` leaves it, with that file of the repository in it; to be removed by
 * process_folder_remove, and freed, by the caller. */
char *node_program_folder(const char *program);

#endif
