/* SPDX-License-Identifier: MIT */
/*
 * log: makes of one event one line, as logfmt or JSON, and counts what a limited call site leaves
 * out. No content can forge a line or reach the terminal as a command: quotes, control characters,
 * characters that turn the text's direction and bytes that are no UTF-8 are escaped. How lines get
 * to stderr is log_writer's.
 */
#include "node/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "node/base/log_writer.h"
#include "node/base/metrics.h"
#include "proto/utf8.h"

#define LOG_TAIL_BYTES 32 /* kept free for what ends a cut line */
#define LOG_LIMIT_MS   1000
#define LOG_FLUSH_MS   1000

static enum log_level log_level_min = LOG_INFO;
static _Atomic(enum log_format) log_format_now = LOG_LOGFMT; /* the writer's thread reads it too */

void log_configure(enum log_level level, enum log_format format)
{
    log_level_min = level;
    log_format_now = format;
}

bool log_enabled(enum log_level level)
{
    return level >= log_level_min;
}

/* Text ----------------------------------------------------------------------------------------- */

/* Bytes of the well-formed character at the front of `in`, which is not empty; 0: there is none. */
static size_t log_character(struct bytes in)
{
    uint8_t lead = in.ptr[0];
    size_t len = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    return len <= in.len && utf8_valid(bytes_of(in.ptr, len)) ? len : 0;
}

/* What is no name by itself is a control character, turns the direction, or is a rare blank. */
static bool log_is_plain(struct bytes character)
{
    return character.ptr[0] == ' ' || utf8_name_valid(character, character.len);
}

static void log_hex(struct sink *out, const char *prefix, int digits, unsigned number)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%s%0*x", prefix, digits, number);
    sink_text(out, text);
}

/* Code of a character of two or three bytes, or of one. None of those escaped has four. */
static unsigned log_code(struct bytes character)
{
    const uint8_t *at = character.ptr;
    if (character.len == 1) {
        return at[0];
    }
    if (character.len == 2) {
        return (at[0] & 0x1fu) << 6 | (at[1] & 0x3fu);
    }
    return (at[0] & 0x0fu) << 12 | (at[1] & 0x3fu) << 6 | (at[2] & 0x3fu);
}

static void log_escape(struct sink *out, struct bytes character)
{
    static const char special[] = "\"\\\n\r\t";
    static const char *const escapes[] = {"\\\"", "\\\\", "\\n", "\\r", "\\t"};
    const char *found = character.ptr[0] != 0 ? strchr(special, character.ptr[0]) : NULL;
    if (found != NULL) {
        sink_text(out, escapes[found - special]);
    } else if (log_is_plain(character)) {
        sink_put(out, character);
    } else {
        log_hex(out, "\\u", 4, log_code(character));
    }
}

/* In quotes. JSON knows no escape for a byte, so there the backslash is itself escaped. */
static void log_quoted(struct sink *out, struct bytes in)
{
    const char *byte_prefix = log_format_now == LOG_JSON ? "\\\\x" : "\\x";
    sink_text(out, "\"");
    while (in.len > 0 && sink_fits(out)) {
        size_t len = log_character(in);
        if (len > 0) {
            log_escape(out, bytes_of(in.ptr, len));
        } else {
            log_hex(out, byte_prefix, 2, in.ptr[0]);
            len = 1;
        }
        in = bytes_from(in, len);
    }
    sink_text(out, "\"");
}

/* True when a logfmt value needs no quotes. */
static bool log_is_bare(struct bytes in)
{
    if (in.len == 0 || in.len > LOG_LINE_MAX_BYTES) {
        return false;
    }
    for (size_t i = 0; i < in.len; i++) {
        if (in.ptr[i] <= ' ' || in.ptr[i] == '=' || in.ptr[i] == '"' || in.ptr[i] == '\\') {
            return false;
        }
    }
    return utf8_name_valid(in, in.len);
}

/* Lines ---------------------------------------------------------------------------------------- */

static void log_key(struct sink *out, const char *key)
{
    bool is_first = out->len == 0;
    if (log_format_now == LOG_JSON) {
        sink_text(out, is_first ? "{\"" : ",\"");
        sink_text(out, key);
        sink_text(out, "\":");
    } else {
        sink_text(out, is_first ? "" : " ");
        sink_text(out, key);
        sink_text(out, "=");
    }
}

static void log_value(struct sink *out, const struct log_field *field)
{
    if (field->kind == LOG_FIELD_INT) {
        char number[24];
        (void)snprintf(number, sizeof number, "%" PRId64, field->number);
        sink_text(out, number);
        return;
    }
    struct bytes text = field->kind == LOG_FIELD_STR ? bytes_str(field->str) : field->bytes;
    if (log_format_now == LOG_LOGFMT && log_is_bare(text)) {
        sink_put(out, text);
    } else {
        log_quoted(out, text);
    }
}

/* False, with `out` as it was, when the field does not fit. */
static bool log_append(struct sink *out, const struct log_field *field)
{
    size_t len = out->len;
    log_key(out, field->key);
    log_value(out, field);
    if (!sink_fits(out)) {
        out->len = len;
        return false;
    }
    return true;
}

static void log_time(char text[32])
{
    struct timespec now;
    struct tm parts;
    char seconds[24];
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &parts);
    (void)strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(text, 32, "%s.%03uZ", seconds, (unsigned)(now.tv_nsec / 1000000) % 1000);
}

/* Makes the line in `line`, which has LOG_LINE_MAX_BYTES; returns its length. */
static size_t log_line(enum log_level level, const char *event, const struct log_field *fields,
                       uint8_t *line)
{
    static const char *const levels[LOG_LEVEL_COUNT] = {"debug", "info", "warn", "error"};
    char now[32];
    log_time(now);
    const struct log_field head[] = {log_str("time", now),
                                     log_str("level", levels[level]),
                                     log_str("event", event),
                                     {.key = NULL}};

    struct sink out = sink_into(line, LOG_LINE_MAX_BYTES - LOG_TAIL_BYTES);
    bool is_whole = true;
    for (const struct log_field *field = head; is_whole && field->key != NULL; field++) {
        is_whole = log_append(&out, field);
    }
    for (const struct log_field *field = fields; is_whole && field->key != NULL; field++) {
        is_whole = log_append(&out, field);
    }
    out.cap = LOG_LINE_MAX_BYTES;
    bool is_json = log_format_now == LOG_JSON;
    if (!is_whole) {
        log_key(&out, "truncated");
        sink_text(&out, "true");
    }
    sink_text(&out, is_json ? "}\n" : "\n");
    return out.len;
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    int saved_errno = errno;
    uint8_t line[LOG_LINE_MAX_BYTES];
    if (!log_writer_put(bytes_of(line, log_line(level, event, fields, line)))) {
        metric_add(METRIC_LOG_DROPPED, 1);
    }
    errno = saved_errno;
}

static size_t log_gap(int64_t count, uint8_t *line)
{
    const struct log_field fields[] = {
        log_int("count", count),
        log_str("hint", "whoever reads this log was too slow or stood still; these lines are lost"),
        {.key = NULL}};
    return log_line(LOG_WARN, "log_lines_dropped", fields, line);
}

void log_start(void)
{
    log_writer_start(log_gap);
}

void log_flush(void)
{
    log_writer_flush(LOG_FLUSH_MS);
}

/* Limits --------------------------------------------------------------------------------------- */

bool log_limit_pass(struct log_limit *limit, int64_t *ret_suppressed)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (limit->last_ms != 0 && now_ms - limit->last_ms < LOG_LIMIT_MS) {
        limit->suppressed_count++;
        return false;
    }
    *ret_suppressed = limit->suppressed_count;
    limit->suppressed_count = 0;
    limit->last_ms = now_ms;
    return true;
}
