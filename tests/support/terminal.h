/* SPDX-License-Identifier: MIT */
/*
 * terminal: a program in a real terminal (tmux), with what is on its screen to be read: keys go in,
 * cells come out. The terminal ends with its test, however that ends.
 */
#ifndef SUPPORT_TERMINAL_H
#define SUPPORT_TERMINAL_H

#include "process.h"

struct terminal;

/** Run a program in a terminal of this size, with UTF-8 and the time zone UTC. */
struct terminal *terminal_open(const char *const *argv, const char *folder, unsigned columns,
                               unsigned rows);
/** NULL is legal. */
void terminal_free(struct terminal *terminal);

/** Type these characters, as they are. */
void terminal_type(struct terminal *terminal, const char *text);
/** Press keys by tmux' names: "Enter", "Left", "C-c". */
void terminal_press(struct terminal *terminal, const char *key, unsigned times);
void terminal_resize(struct terminal *terminal, unsigned columns, unsigned rows);

/** True as soon as this stands on the screen; line ends are in it, blanks before them are not. */
bool terminal_shows(struct terminal *terminal, const char *text, int64_t timeout_ms);
/** The screen as of the last terminal_shows or terminal_look. */
const char *terminal_screen(const struct terminal *terminal);
/** Look at it once; `has_colours`: with the escape sequences that make its colours. */
const char *terminal_look(struct terminal *terminal, bool has_colours);
/** Exit code of the program; -1: it still runs after `timeout_ms`. */
int terminal_wait_exit(struct terminal *terminal, int64_t timeout_ms);
void terminal_cursor(struct terminal *terminal, unsigned *ret_column, unsigned *ret_row);
/** A flag of the terminal by tmux' names: "alternate_on", "cursor_flag", "wrap_flag". */
bool terminal_flag(struct terminal *terminal, const char *flag);

#endif
