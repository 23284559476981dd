/* SPDX-License-Identifier: MIT */
/*
 * top_terminal: the terminal as a screen of its own, key by key; and as it was, however the process
 * ends: by return, by a signal that asks for the end, or by one of a fault. There is one in a
 * process.
 */
#ifndef ADMIN_TOP_TOP_TERMINAL_H
#define ADMIN_TOP_TOP_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/** False: stdout is no terminal that can move its cursor, or there is no keyboard. Nothing has
 * changed yet. */
bool top_terminal_is_there(void);

/** From here on it is ours. False: it is not to be had; errno says why. */
bool top_terminal_open(void);
void top_terminal_close(void);

int top_terminal_keyboard(void); /* descriptors, to be polled for reading */
int top_terminal_signals(void);

/** The next signal that has come: SIGWINCH, SIGCONT, SIGTSTP, or one that asks for the end; 0:
 * none.
 */
int top_terminal_signal(void);

void top_terminal_size(size_t *ret_columns, size_t *ret_rows);
/** False: nobody sees it any more. */
bool top_terminal_write(const char *text, size_t len);

/** Give the terminal back and stop, as Ctrl-Z does; returns when the process goes on, with the
 * terminal taken again. */
void top_terminal_stop(void);

#endif
