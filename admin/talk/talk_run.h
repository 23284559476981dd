/* SPDX-License-Identifier: MIT */
/*
 * talk_run: `hgtpctl talk`, a person's chat client in the terminal: HGTP over UDP, the talk over a
 * WebSocket. On a terminal it edits lines; else it takes lines from stdin and writes lines to
 * stdout.
 */
#ifndef ADMIN_TALK_TALK_RUN_H
#define ADMIN_TALK_TALK_RUN_H

#include "admin/talk/talk_options.h"

/**
 * Talk until the person or the input ends.
 *
 * options  borrowed; strings are UTF-8
 * returns  enum talk_exit: done · something was refused or not delivered · the options are not
 *          usable (said on stderr) · nobody is there
 */
int talk_run(const struct talk_options *options);

#endif
