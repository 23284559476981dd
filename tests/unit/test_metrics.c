/* SPDX-License-Identifier: MIT */
/* metrics: the text that Prometheus reads, line by line, and the process' numbers against the
 * kernel's. */
#include "node/base/metrics.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT_BYTES 65536
#define FDS_MAX    1024

static char text[TEXT_BYTES];

static void render(void)
{
    struct sink out = sink_into(text, sizeof text - 1);
    metrics_render(&out);
    assert_true(sink_fits(&out));
    text[out.len] = '\0';
}

static int count(const char *what)
{
    int found = 0;
    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what)) {
        found++;
    }
    return found;
}

/* The value of the sample whose line begins with `name` and a blank. */
static double sample(const char *name)
{
    char start[128];
    (void)snprintf(start, sizeof start, "\n%s ", name);
    assert_int_equal(count(start), 1);
    return strtod(strstr(text, start) + strlen(start), NULL);
}

static void metrics_render_writes_every_row_with_its_value(void **state)
{
    (void)state;
    static const struct {
        const char *prom;
        const char *labels;
    } rows[] = {
#define METRIC(name, kind, prom, labels, help) {prom, labels},
#include "node/base/metrics.def"
    };
    for (int i = 0; i < METRIC_COUNT; i++) {
        metric_set((enum metric)i, 1000 + i);
    }
    render();
    for (int i = 0; i < METRIC_COUNT; i++) {
        char line[256];
        (void)snprintf(line, sizeof line, "\n%s%s %d\n", rows[i].prom, rows[i].labels, 1000 + i);
        assert_int_equal(count(line), 1);
    }
}

static void metrics_render_writes_help_and_type_once_before_the_samples(void **state)
{
    (void)state;
    render();
    assert_int_equal(count("# HELP hgtp_requests_total Requests answered, by outcome.\n"
                           "# TYPE hgtp_requests_total counter\n"
                           "hgtp_requests_total{outcome=\"ok\"} "),
                     1);
    assert_int_equal(count("# HELP hgtp_requests_total "), 1);
    assert_int_equal(count("# TYPE hgtp_requests_total "), 1);
    assert_int_equal(count("# TYPE hgtp_sessions gauge\nhgtp_sessions "), 1);
}

/* "name" of a line "name{labels} value". */
static void name_of(const char *line, char out[128])
{
    size_t len = strcspn(line, "{ ");
    assert_in_range(len, 1, 127);
    memcpy(out, line, len);
    out[len] = '\0';
}

static void metrics_render_keeps_samples_of_a_name_under_its_head(void **state)
{
    (void)state;
    render();
    static char copy[TEXT_BYTES];
    char head[128] = "";
    char name[128];
    int line_count = 0;
    memcpy(copy, text, sizeof copy);
    for (char *line = strtok(copy, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        line_count++;
        if (strncmp(line, "# HELP ", 7) == 0) {
            name_of(line + 7, head);
            char again[160];
            (void)snprintf(again, sizeof again, "# HELP %s ", head);
            assert_int_equal(count(again), 1);
        } else {
            name_of(strncmp(line, "# TYPE ", 7) == 0 ? line + 7 : line, name);
            assert_string_equal(name, head);
        }
    }
    assert_true(line_count > METRIC_COUNT);
    assert_int_equal(text[strlen(text) - 1], '\n');
}

static void metrics_add_adds_and_set_replaces(void **state)
{
    (void)state;
    metric_set(METRIC_SESSIONS, 7);
    metric_add(METRIC_SESSIONS, -9);
    metric_set(METRIC_MESSAGES, INT64_MAX);
    render();
    assert_int_equal((int)sample("hgtp_sessions"), -2);
    assert_int_equal(count("\nhgtp_messages_total 9223372036854775807\n"), 1);
}

static void metrics_render_tells_resident_memory(void **state)
{
    (void)state;
    render();
    assert_int_equal(count("# TYPE process_resident_memory_bytes gauge\n"), 1);
    double bytes = sample("process_resident_memory_bytes");
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    assert_true(bytes > 100e3);
    assert_true(bytes <= (double)usage.ru_maxrss * 1024 + 1e6);
}

static void metrics_render_tells_cpu_time(void **state)
{
    (void)state;
    struct timespec before;
    struct timespec after;
    do {
        /* Until there is something to tell; ends, because it uses CPU time. */
        assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before), 0);
    } while (before.tv_sec == 0 && before.tv_nsec < 50000000);
    render();
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after), 0);
    assert_int_equal(count("# TYPE process_cpu_seconds_total counter\n"), 1);
    double told = sample("process_cpu_seconds_total");
    assert_true(told > (double)before.tv_sec + (double)before.tv_nsec / 1e9 - 0.03);
    assert_true(told < (double)after.tv_sec + (double)after.tv_nsec / 1e9 + 0.03);
}

static void metrics_render_tells_when_the_process_started(void **state)
{
    (void)state;
    render();
    assert_int_equal(count("# TYPE process_start_time_seconds gauge\n"), 1);
    double age_s = difftime(time(NULL), (time_t)sample("process_start_time_seconds"));
    assert_true(age_s > -3 && age_s < 300);
}

static void metrics_render_counts_open_descriptors(void **state)
{
    (void)state;
    int open_count = 0;
    for (int fd = 0; fd < FDS_MAX; fd++) {
        open_count += fcntl(fd, F_GETFD) >= 0;
    }
    render();
    double before = sample("process_open_fds");
    assert_int_equal((int)before, open_count);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    render();
    assert_int_equal((int)(sample("process_open_fds") - before), 1);
    assert_int_equal(close(fd), 0);
    render();
    assert_int_equal((int)(sample("process_open_fds") - before), 0);
}

static void metrics_render_into_too_small_storage_tells_the_size(void **state)
{
    (void)state;
    uint8_t small[16];
    memset(small, 0x55, sizeof small);
    struct sink out = sink_into(small, 8);
    metrics_render(&out);
    assert_false(sink_fits(&out));
    assert_true(out.len > 1000);
    for (size_t i = 8; i < sizeof small; i++) {
        assert_int_equal(small[i], 0x55);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_render_writes_every_row_with_its_value),
        cmocka_unit_test(metrics_render_writes_help_and_type_once_before_the_samples),
        cmocka_unit_test(metrics_render_keeps_samples_of_a_name_under_its_head),
        cmocka_unit_test(metrics_add_adds_and_set_replaces),
        cmocka_unit_test(metrics_render_tells_resident_memory),
        cmocka_unit_test(metrics_render_tells_cpu_time),
        cmocka_unit_test(metrics_render_tells_when_the_process_started),
        cmocka_unit_test(metrics_render_counts_open_descriptors),
        cmocka_unit_test(metrics_render_into_too_small_storage_tells_the_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
