/* SPDX-License-Identifier: MIT */
/*
 * process: a child process with its output kept. It ends with its parent, however that ends. All
 * waiting is done by the pump.
 */
#ifndef SUPPORT_PROCESS_H
#define SUPPORT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process;

/**
 * Start a program.
 *
 * argv    NULL-terminated; argv[0] is looked up in PATH unless it has a slash
 * folder  its TMPDIR and XDG_RUNTIME_DIR; variables beginning with HGTP_ are taken away
 * returns owned by the caller until process_free; a program that cannot be run ends with 127
 */
struct process *process_start(const char *const *argv, const char *folder);

/** The same, with a pipe as its input. */
struct process *process_start_fed(const char *const *argv, const char *folder);
/** Into that pipe; false: nobody reads it any more. */
bool process_write(struct process *process, const char *text);
/** End of its input. */
void process_end_input(struct process *process);

/** SIGKILL if it still runs. NULL is legal. */
void process_free(struct process *process);

pid_t process_pid(const struct process *process);
void process_signal(struct process *process, int signal);

/** Exit code, or 128 + signal; -1 when it still runs after `timeout_ms`. */
int process_wait_exit(struct process *process, int64_t timeout_ms);
/** True as soon as `text` stands anywhere in its output, early or late. */
bool process_wait_output(struct process *process, const char *text, int64_t timeout_ms);

/** What it has written so far; valid until the next wait. */
const char *process_stdout(const struct process *process);
const char *process_stderr(const struct process *process);

/** Leave its stderr unread, so that it fills up soon: the pipe takes 4096 bytes from now on. */
void process_hold_stderr(struct process *process);
/** Read it again. */
void process_read_stderr(struct process *process);

/** Its present children; returns how many, at most `max` are stored. */
size_t process_children(const struct process *process, pid_t *pids, size_t max);
/** True when that process (no child of ours) has ended within `timeout_ms`. */
bool process_gone(pid_t pid, int64_t timeout_ms);

/** A new private folder under /tmp; freed by the caller after process_folder_remove. */
char *process_folder_make(void);
void process_folder_remove(const char *folder);
/** Entries in it, "." and ".." not counted. */
size_t process_folder_count(const char *folder);

#endif
