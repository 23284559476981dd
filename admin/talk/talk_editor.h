/* SPDX-License-Identifier: MIT */
/*
 * talk_editor: a line that a person edits at the bottom of the terminal (libedit), with history and
 * completion, and lines that appear above it without tearing it.
 */
#ifndef ADMIN_TALK_TALK_EDITOR_H
#define ADMIN_TALK_TALK_EDITOR_H

#include "admin/talk/talk_client.h"

/* What a wait can return besides a byte. */
#define TALK_EDITOR_END    (-1) /* no more input */
#define TALK_EDITOR_CANCEL (-2) /* the line so far is thrown away */

/** Wait for the next byte from the keyboard; meanwhile everything else goes on. */
typedef int talk_editor_wait_fn(void *ctx);

struct talk_editor;

/** On stdin and stdout; NULL: the terminal cannot do it. `client` is asked for names and for what
 * the prompt says. */
struct talk_editor *talk_editor_new(struct talk_client *client, talk_editor_wait_fn *wait,
                                    void *ctx);
/** NULL is legal. The terminal is as it was. */
void talk_editor_free(struct talk_editor *editor);

/** The next line, in UTF-8, to be freed; NULL: there are no more. */
char *talk_editor_read(struct talk_editor *editor);

/** True when something stands on the line. */
bool talk_editor_has_text(const struct talk_editor *editor);

/* While a line is being read, from inside the wait; and at other times. -------------------------
 */

/** Show a line above the one that is edited. */
void talk_editor_show(struct talk_editor *editor, const char *line);
/** Draw the prompt anew if it has changed. */
void talk_editor_changed(struct talk_editor *editor);
/** The terminal has another size. */
void talk_editor_resized(struct talk_editor *editor);
/** The terminal goes to another program, and comes back. */
void talk_editor_suspend(struct talk_editor *editor);
void talk_editor_resume(struct talk_editor *editor);

#endif
