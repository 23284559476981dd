/* SPDX-License-Identifier: MIT */
/*
 * log_writer: takes lines to stderr by a thread of its own, so that a reader who does not read, a
 * terminal that is held and a disk that hangs stop nobody who logs. What lines say is log.c's.
 */
#ifndef BASE_LOG_WRITER_H
#define BASE_LOG_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/bytes.h"

#define LOG_LINE_MAX_BYTES 4096 /* as a pipe takes in one piece (PIPE_BUF) */

/** Write into `line`, which has LOG_LINE_MAX_BYTES, what says that `count` lines were dropped
 * before it; returns its length. Called by the writer's thread. */
typedef size_t log_writer_gap_fn(int64_t count, uint8_t *line);

/**
 * Start the thread. Until then, and if there can be none, lines are written by whoever logs.
 * At most once per process, after whatever forks.
 */
void log_writer_start(log_writer_gap_fn *gap);

/**
 * Write one line, which ends with its only '\n'; copied. Any thread; never waits once the writer is
 * started. When too many wait, lines are dropped until those before them have been written; then
 * comes the line of `gap`.
 *
 * returns  false: dropped
 */
bool log_writer_put(struct bytes line);

/** Wait until all lines are written, at most `timeout_ms`; the process is about to end. */
void log_writer_flush(int64_t timeout_ms);

#endif
