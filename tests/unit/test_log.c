/* SPDX-License-Identifier: MIT */
/*
 * log: lines as they arrive at the other end of stderr, in both forms, with hostile content, at the
 * limits of length and frequency, and when nobody reads it. stderr is a packet pipe meanwhile: one
 * write is one read.
 */
#include "node/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "node/base/metrics.h"

#define LINE_MAX_BYTES 4096
#define FLOOD_LINES    20000
#define READ_MS        60000
#define TIME_PATTERN   "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"

static int pipe_out;
static int real_stderr;
static char line[2 * LINE_MAX_BYTES];

static int catch_stderr(void **state)
{
    (void)state;
    int ends[2];
    if (pipe2(ends, O_DIRECT | O_NONBLOCK | O_CLOEXEC) != 0) {
        return -1;
    }
    real_stderr = dup(STDERR_FILENO);
    pipe_out = ends[0];
    bool is_caught = real_stderr >= 0 && dup2(ends[1], STDERR_FILENO) >= 0;
    (void)close(ends[1]);
    log_configure(LOG_INFO, LOG_LOGFMT);
    return is_caught ? 0 : -1;
}

static int release_stderr(void **state)
{
    (void)state;
    (void)dup2(real_stderr, STDERR_FILENO);
    (void)close(real_stderr);
    (void)close(pipe_out);
    return 0;
}

/* What one write(2) brought, in `line`; "" when there was none. */
static const char *next_line(void)
{
    ssize_t len = read(pipe_out, line, sizeof line - 1);
    line[len > 0 ? len : 0] = '\0';
    return line;
}

/* The line without its time, level and line end. */
static const char *next_fields(void)
{
    const char *at = strstr(next_line(), " event=");
    assert_non_null(at);
    size_t len = strlen(line);
    assert_int_equal(line[len - 1], '\n');
    line[len - 1] = '\0';
    assert_null(strchr(line, '\n'));
    return at + 1;
}

static json_t *next_json(void)
{
    json_error_t error;
    next_line();
    assert_int_equal(line[strlen(line) - 1], '\n');
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    assert_non_null(object);
    return object;
}

static void assert_matches(const char *text, const char *pattern)
{
    regex_t regex;
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    int result = regexec(&regex, text, 0, NULL, 0);
    regfree(&regex);
    assert_int_equal(result, 0);
}

/* Forms ---------------------------------------------------------------------------------------- */

static void log_logfmt_writes_time_level_event_and_fields_in_order(void **state)
{
    (void)state;
    LOG(LOG_INFO, "ready", log_str("http", "127.0.0.1:8080"), log_int("pid", -42));
    assert_matches(next_line(), "^time=" TIME_PATTERN
                                " level=info event=ready http=127\\.0\\.0\\.1:8080 pid=-42\n$");
    assert_string_equal(next_line(), "");
}

static void log_json_writes_the_same_keys_with_numbers_as_numbers(void **state)
{
    (void)state;
    log_configure(LOG_INFO, LOG_JSON);
    LOG(LOG_WARN, "ready", log_str("http", "127.0.0.1:8080"), log_int("top", INT64_MAX),
        log_int("low", INT64_MIN), log_bytes("name", bytes_str("a b")));
    json_t *object = next_json();
    const char *at = json_string_value(json_object_get(object, "time"));
    assert_non_null(at);
    assert_matches(at, "^" TIME_PATTERN "$");
    assert_string_equal(json_string_value(json_object_get(object, "level")), "warn");
    assert_string_equal(json_string_value(json_object_get(object, "event")), "ready");
    assert_string_equal(json_string_value(json_object_get(object, "http")), "127.0.0.1:8080");
    assert_string_equal(json_string_value(json_object_get(object, "name")), "a b");
    assert_true(json_integer_value(json_object_get(object, "top")) == INT64_MAX);
    assert_true(json_integer_value(json_object_get(object, "low")) == INT64_MIN);
    assert_int_equal(json_object_size(object), 7);
    assert_matches(line,
                   "^\\{\"time\":\"[^\"]*\",\"level\":\"warn\",\"event\":\"ready\",\"http\":");
    json_decref(object);
}

static void log_event_without_fields_is_a_whole_line(void **state)
{
    (void)state;
    LOG(LOG_ERROR, "ended");
    assert_matches(next_line(), "^time=" TIME_PATTERN " level=error event=ended\n$");
    log_configure(LOG_INFO, LOG_JSON);
    LOG(LOG_ERROR, "ended");
    json_t *object = next_json();
    assert_int_equal(json_object_size(object), 3);
    json_decref(object);
}

static void log_below_the_level_writes_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"debug", "info", "warn", "error"};
    for (int least = LOG_DEBUG; least < LOG_LEVEL_COUNT; least++) {
        log_configure((enum log_level)least, LOG_LOGFMT);
        for (int level = LOG_DEBUG; level < LOG_LEVEL_COUNT; level++) {
            char expected[32];
            (void)snprintf(expected, sizeof expected, " level=%s event=x\n", names[level]);
            LOG((enum log_level)level, "x");
            assert_int_equal(log_enabled((enum log_level)level), level >= least);
            assert_int_equal(strstr(next_line(), expected) != NULL, level >= least);
            assert_int_equal(line[0] != '\0', level >= least);
        }
    }
}

static void log_write_keeps_errno(void **state)
{
    (void)state;
    errno = ENOTTY;
    LOG(LOG_INFO, "x");
    assert_int_equal(errno, ENOTTY);
    assert_int_equal(close(STDERR_FILENO), 0);
    errno = ENOTTY;
    LOG(LOG_INFO, "x");
    assert_int_equal(errno, ENOTTY);
}

/* Content -------------------------------------------------------------------------------------- */

struct escaping {
    const char *raw;
    const char *logfmt;
    const char *json; /* as it stands between the quotes */
};

static const struct escaping escapings[] = {
    {"plain", "plain", "plain"},
    {"", "\"\"", ""},
    {"a b", "\"a b\"", "a b"},
    {"a=b", "\"a=b\"", "a=b"},
    {"say \"hi\"", "\"say \\\"hi\\\"\"", "say \\\"hi\\\""},
    {"back\\slash", "\"back\\\\slash\"", "back\\\\slash"},
    {"x\nlevel=error", "\"x\\nlevel=error\"", "x\\nlevel=error"},
    {"\r\t", "\"\\r\\t\"", "\\r\\t"},
    {"\x1b[31mred", "\"\\u001b[31mred\"", "\\u001b[31mred"},
    {"\x7f", "\"\\u007f\"", "\\u007f"},
    {"\xc2\x9b", "\"\\u009b\"", "\\u009b"},
    {"\xe2\x80\xa8", "\"\\u2028\"", "\\u2028"},
    {"\xe2\x80\xae", "\"\\u202e\"", "\\u202e"},
    {"\xed\x99\x8d\xea\xb8\xb8", "\xed\x99\x8d\xea\xb8\xb8", "\xed\x99\x8d\xea\xb8\xb8"},
    {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
    {"\xc3\xa4 \xf0\x9f\x98\x80", "\"\xc3\xa4 \xf0\x9f\x98\x80\"", "\xc3\xa4 \xf0\x9f\x98\x80"},
    {"\xff", "\"\\xff\"", "\\\\xff"},
    {"a\x80z", "\"a\\x80z\"", "a\\\\x80z"},
    {"cut\xf0\x9f\x98", "\"cut\\xf0\\x9f\\x98\"", "cut\\\\xf0\\\\x9f\\\\x98"},
    {"\xed\xa0\x80", "\"\\xed\\xa0\\x80\"", "\\\\xed\\\\xa0\\\\x80"},
    {"\xc0\x8a", "\"\\xc0\\x8a\"", "\\\\xc0\\\\x8a"},
};

static void log_content_is_quoted_and_escaped_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof escapings / sizeof escapings[0]; i++) {
        const struct escaping *row = &escapings[i];
        char expected[256];
        log_configure(LOG_INFO, LOG_LOGFMT);
        LOG(LOG_INFO, "x", log_str("s", row->raw), log_bytes("b", bytes_str(row->raw)));
        (void)snprintf(expected, sizeof expected, "event=x s=%s b=%s", row->logfmt, row->logfmt);
        assert_string_equal(next_fields(), expected);
        log_configure(LOG_INFO, LOG_JSON);
        LOG(LOG_INFO, "x", log_str("s", row->raw), log_bytes("b", bytes_str(row->raw)));
        (void)snprintf(expected, sizeof expected, ",\"s\":\"%s\",\"b\":\"%s\"}\n", row->json,
                       row->json);
        json_decref(next_json());
        assert_non_null(strstr(line, expected));
    }
}

static void log_bytes_with_nul_are_escaped_not_cut(void **state)
{
    (void)state;
    LOG(LOG_INFO, "x", log_bytes("b", bytes_of("a\0b", 3)), log_bytes("none", bytes_of(NULL, 0)));
    assert_string_equal(next_fields(), "event=x b=\"a\\u0000b\" none=\"\"");
}

static void log_every_byte_alone_stays_one_valid_line(void **state)
{
    (void)state;
    for (int byte = 0; byte <= UINT8_MAX; byte++) {
        uint8_t raw = (uint8_t)byte;
        log_configure(LOG_INFO, LOG_LOGFMT);
        LOG(LOG_INFO, "x", log_bytes("b", bytes_of(&raw, 1)));
        for (const char *at = next_fields(); *at != '\0'; at++) {
            assert_in_range((unsigned char)*at, ' ', '~');
        }
        log_configure(LOG_INFO, LOG_JSON);
        LOG(LOG_INFO, "x", log_bytes("b", bytes_of(&raw, 1)));
        json_decref(next_json());
    }
}

static void log_str_of_null_is_empty(void **state)
{
    (void)state;
    LOG(LOG_INFO, "x", log_str("s", NULL));
    assert_string_equal(next_fields(), "event=x s=\"\"");
}

/* Length --------------------------------------------------------------------------------------- */

static void log_line_is_cut_at_a_field_with_truncated_true(void **state)
{
    (void)state;
    static uint8_t big[100000];
    memset(big, 'x', sizeof big);
    LOG(LOG_INFO, "x", log_int("first", 1), log_bytes("big", bytes_of(big, sizeof big)),
        log_int("last", 3));
    assert_string_equal(next_fields(), "event=x first=1 truncated=true");
    log_configure(LOG_INFO, LOG_JSON);
    LOG(LOG_INFO, "x", log_int("first", 1), log_bytes("big", bytes_of(big, sizeof big)),
        log_int("last", 3));
    json_t *object = next_json();
    assert_int_equal(json_integer_value(json_object_get(object, "first")), 1);
    assert_true(json_is_true(json_object_get(object, "truncated")));
    assert_int_equal(json_object_size(object), 5);
    json_decref(object);
}

/* Escaped bytes are the longest; each length from short to too long is tried, in both forms. */
static void log_line_of_any_length_is_whole_or_marked_and_bounded(void **state)
{
    (void)state;
    static uint8_t big[LINE_MAX_BYTES];
    static const uint8_t fills[] = {'x', '\n', 0xff};
    for (size_t fill = 0; fill < sizeof fills; fill++) {
        memset(big, fills[fill], sizeof big);
        for (size_t len = 0; len < sizeof big; len += fill == 0 && len > 3900 ? 1 : 97) {
            log_configure(LOG_INFO, fill == 0 && len % 2 == 0 ? LOG_LOGFMT : LOG_JSON);
            LOG(LOG_INFO, "x", log_bytes("big", bytes_of(big, len)));
            size_t got = strlen(next_line());
            assert_in_range(got, 40, LINE_MAX_BYTES);
            assert_int_equal(line[got - 1], '\n');
            assert_true((strstr(line, "big") != NULL) != (strstr(line, "truncated") != NULL));
            assert_string_equal(next_line(), "");
        }
    }
}

/* Limit ---------------------------------------------------------------------------------------- */

static void log_limit_passes_the_first_and_counts_the_rest(void **state)
{
    (void)state;
    struct log_limit limit = {0};
    int64_t suppressed = -1;
    assert_true(log_limit_pass(&limit, &suppressed));
    assert_int_equal(suppressed, 0);
    limit.last_ms += 3600000; /* as if it had just passed, however slow this machine is */
    suppressed = -1;
    for (int i = 0; i < 5; i++) {
        assert_false(log_limit_pass(&limit, &suppressed));
        assert_int_equal(suppressed, -1);
    }
    limit.last_ms -= 3600000 + 1000; /* as if a second had gone by */
    assert_true(log_limit_pass(&limit, &suppressed));
    assert_int_equal(suppressed, 5);
    limit.last_ms -= 1000;
    assert_true(log_limit_pass(&limit, &suppressed));
    assert_int_equal(suppressed, 0);
}

static void log_limited_writes_one_line_of_a_flood(void **state)
{
    (void)state;
    int lines = 0;
    for (int i = 0; i < 1000; i++) {
        LOG_LIMITED(LOG_WARN, "flood", log_int("round", i));
        if (next_line()[0] != '\0') {
            lines++;
            assert_true(lines > 1 || strstr(line, " event=flood suppressed=0 round=0\n") != NULL);
        }
    }
    /* Two where the loop happens to take longer than a second. */
    assert_in_range(lines, 1, 2);
}

static void log_limited_below_the_level_does_not_use_up_the_limit(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        log_configure(i == 0 ? LOG_ERROR : LOG_DEBUG, LOG_LOGFMT);
        LOG_LIMITED(LOG_DEBUG, "rare");
        assert_int_equal(strstr(next_line(), "event=rare suppressed=0\n") != NULL, i == 1);
    }
}

/* Writer --------------------------------------------------------------------------------------- */

/* One line from `in`, without its end. */
static bool read_line(FILE *in, char *text, size_t cap)
{
    struct pollfd ready = {.fd = fileno(in), .events = POLLIN};
    if (poll(&ready, 1, READ_MS) != 1 || fgets(text, (int)cap, in) == NULL) {
        return false;
    }
    text[strcspn(text, "\n")] = '\0';
    return true;
}

/* Lines "n" from 0 on, until another one comes, which stands in `line` then; how many there were.
 */
static int64_t read_numbers(FILE *in)
{
    int64_t count = 0;
    char number[48];
    for (;;) {
        assert_true(read_line(in, line, sizeof line));
        (void)snprintf(number, sizeof number, " event=n number=%" PRId64, count);
        if (strstr(line, " event=n ") == NULL) {
            return count;
        }
        assert_string_equal(strstr(line, " event=n "), number);
        count++;
    }
}

/* The last one: from here on this process has a writer. */
static void log_started_drops_what_nobody_reads_and_says_how_much(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    FILE *in = fdopen(ends[0], "re");
    assert_non_null(in);
    (void)setvbuf(in, NULL, _IONBF, 0); /* so that poll sees all there is */
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    (void)close(ends[1]);
    log_start();
    int64_t before = metrics_values[METRIC_LOG_DROPPED];
    for (int64_t i = 0; i < FLOOD_LINES; i++) {
        LOG(LOG_INFO, "n", log_int("number", i));
    }
    int64_t dropped = metrics_values[METRIC_LOG_DROPPED] - before;
    assert_in_range(dropped, 1, FLOOD_LINES - 1);
    assert_int_equal(read_numbers(in), FLOOD_LINES - dropped);
    char said[64];
    (void)snprintf(said, sizeof said, " event=log_lines_dropped count=%" PRId64 " ", dropped);
    assert_non_null(strstr(line, said));

    log_flush();
    LOG(LOG_INFO, "after");
    log_flush();
    assert_true(read_line(in, line, sizeof line));
    assert_non_null(strstr(line, " event=after"));
    assert_int_equal(metrics_values[METRIC_LOG_DROPPED] - before, dropped);
    (void)fclose(in);
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, catch_stderr, release_stderr)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(log_logfmt_writes_time_level_event_and_fields_in_order),
        LOG_TEST(log_json_writes_the_same_keys_with_numbers_as_numbers),
        LOG_TEST(log_event_without_fields_is_a_whole_line),
        LOG_TEST(log_below_the_level_writes_nothing),
        LOG_TEST(log_write_keeps_errno),
        LOG_TEST(log_content_is_quoted_and_escaped_as_the_table_says),
        LOG_TEST(log_bytes_with_nul_are_escaped_not_cut),
        LOG_TEST(log_every_byte_alone_stays_one_valid_line),
        LOG_TEST(log_str_of_null_is_empty),
        LOG_TEST(log_line_is_cut_at_a_field_with_truncated_true),
        LOG_TEST(log_line_of_any_length_is_whole_or_marked_and_bounded),
        LOG_TEST(log_limit_passes_the_first_and_counts_the_rest),
        LOG_TEST(log_limited_writes_one_line_of_a_flood),
        LOG_TEST(log_limited_below_the_level_does_not_use_up_the_limit),
        LOG_TEST(log_started_drops_what_nobody_reads_and_says_how_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
