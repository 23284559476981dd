/* SPDX-License-Identifier: MIT */
/*
 * log: one line per event on stderr, logfmt or JSON: time, level, event name, then fields.
 * Callers never pass message text, keys or tokens. What a stranger can trigger per packet goes
 * through log_limited.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/bytes.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVEL_COUNT };
enum log_format { LOG_LOGFMT, LOG_JSON };

/** One key=value. Made by the log_* constructors below; a NULL key ends the list. */
struct log_field {
    const char *key;
    enum { LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_BYTES } kind;
    const char *str;
    int64_t number;
    struct bytes bytes;
};

static inline struct log_field log_str(const char *key, const char *value)
{
    return (struct log_field){.key = key, .kind = LOG_FIELD_STR, .str = value ? value : ""};
}

static inline struct log_field log_int(const char *key, int64_t value)
{
    return (struct log_field){.key = key, .kind = LOG_FIELD_INT, .number = value};
}

/** Bytes of any content; control characters and invalid UTF-8 are escaped in the output. */
static inline struct log_field log_bytes(const char *key, struct bytes value)
{
    return (struct log_field){.key = key, .kind = LOG_FIELD_BYTES, .bytes = value};
}

/** Set level and format; may be called again (reload). The start is LOG_INFO, LOG_LOGFMT. */
void log_configure(enum log_level level, enum log_format format);
bool log_enabled(enum log_level level);

/** From now on a thread writes the lines, and no call waits for whoever reads them. Lines that he
 * does not take in time are dropped and counted (hgtp_log_lines_dropped_total); the log says how
 * many, where they would have stood. Once, when the node starts. */
void log_start(void);

/** Before the process ends: wait a second at most for the lines that are not written yet. */
void log_flush(void);

/** Write one line. `event` is a stable lower_snake name. Fields end with one whose key is NULL. */
void log_write(enum log_level level, const char *event, const struct log_field *fields);

#define LOG(level, event, ...)                                                                     \
    do {                                                                                           \
        if (log_enabled(level)) {                                                                  \
            log_write((level), (event),                                                            \
                      (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.key = NULL}});        \
        }                                                                                          \
    } while (0)

/**
 * As LOG, but at most one line per second and call site; the next line that passes says how many
 * were left out (field `suppressed`). `limit` is a static struct log_limit of the call site.
 */
struct log_limit {
    int64_t last_ms;
    int64_t suppressed_count;
};
bool log_limit_pass(struct log_limit *limit, int64_t *ret_suppressed);

#define LOG_LIMITED(level, event, ...)                                                             \
    do {                                                                                           \
        static struct log_limit log_limit_here;                                                    \
        int64_t suppressed_here = 0;                                                               \
        if (log_enabled(level) && log_limit_pass(&log_limit_here, &suppressed_here)) {             \
            LOG(level, event, log_int("suppressed", suppressed_here) __VA_OPT__(, ) __VA_ARGS__);  \
        }                                                                                          \
    } while (0)

#endif
