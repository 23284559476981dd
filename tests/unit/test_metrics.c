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
    assert_int_equal(count("# HELP hgtp_requests_total Requests answered, by outcome; failed: by "
                           "the service's fault.\n"
                           "# TYPE hgtp_requests_total counter\n"
                           "hgtp_requests_total{outcome=\"ok\"} "),
                     1);
    assert_int_equal(count("# HELP hgtp_requests_total "), 1);
    assert_int_equal(count("# TYPE hgtp_requests_total "), 1);
    assert_int_equal(count("# TYPE hgtp_sessions gauge\nhgtp_sessions "), 1);
}

static void metrics_observe_counts_each_bound_with_what_is_below_it(void **state)
{
    (void)state;
    memset(metrics_histograms, 0, sizeof metrics_histograms);
    const int64_t taken_us[] = {-5, 100, 101, 1000000, 1000001, 10000000, 10000001};
    for (size_t i = 0; i < sizeof taken_us / sizeof taken_us[0]; i++) {
        metric_observe(HISTOGRAM_STORE_CALL, taken_us[i]);
    }
    render();
    assert_int_equal(count("# TYPE hgtp_store_call_seconds histogram\n"), 1);
    assert_int_equal((int)sample("hgtp_store_call_seconds_bucket{le=\"0.0001\"}"), 2);
    assert_int_equal((int)sample("hgtp_store_call_seconds_bucket{le=\"0.00025\"}"), 3);
    assert_int_equal((int)sample("hgtp_store_call_seconds_bucket{le=\"1\"}"), 4);
    assert_int_equal((int)sample("hgtp_store_call_seconds_bucket{le=\"2.5\"}"), 5);
    assert_int_equal((int)sample("hgtp_store_call_seconds_bucket{le=\"10\"}"), 6);
    assert_int_equal((int)sample("hgtp_store_call_seconds_bucket{le=\"+Inf\"}"), 7);
    assert_int_equal((int)sample("hgtp_store_call_seconds_count"), 7);
    assert_int_equal(count("\nhgtp_store_call_seconds_sum 22.000203\n"), 1);
}

static void metrics_render_puts_the_bound_behind_the_labels_of_a_histogram(void **state)
{
    (void)state;
    memset(metrics_histograms, 0, sizeof metrics_histograms);
    metric_observe(HISTOGRAM_DELIVERY_EVENTS, 3000);
    render();
    assert_int_equal(count("# HELP hgtp_delivery_seconds "), 1);
    assert_int_equal((int)sample("hgtp_delivery_seconds_bucket{transport=\"events\",le=\"0.005\"}"),
                     1);
    assert_int_equal((int)sample("hgtp_delivery_seconds_bucket{transport=\"push\",le=\"+Inf\"}"),
                     0);
    assert_int_equal((int)sample("hgtp_delivery_seconds_count{transport=\"events\"}"), 1);
    assert_int_equal(count("\nhgtp_delivery_seconds_sum{transport=\"events\"} 0.003000\n"), 1);
}

/* Bounds have to rise, or a duration lands in the wrong range. */
static void metrics_bounds_rise(void **state)
{
    (void)state;
    static const char start[] = "\nhgtp_loop_lag_seconds_bucket{le=\"";
    render();
    double last = 0;
    int bounds = 0;
    for (const char *at = strstr(text, start); at != NULL; at = strstr(at + 1, start)) {
        double bound = strtod(at + strlen(start), NULL);
        assert_true(bound > last);
        last = bound;
        bounds++;
    }
    assert_int_equal(bounds, METRICS_BOUNDS + 1);
}

static void metrics_render_tells_the_version(void **state)
{
    (void)state;
    metrics_set_version("9.8.7+abcdef0");
    render();
    assert_int_equal(count("\nhgtp_build_info{version=\"9.8.7+abcdef0\"} 1\n"), 1);
}

/* "name" of a line "name{labels} value", without what a histogram's samples add to it. */
static void name_of(const char *line, char out[128])
{
    static const char *const added[] = {"_bucket", "_sum", "_count"};
    size_t len = strcspn(line, "{ ");
    for (size_t i = 0; i < sizeof added / sizeof added[0]; i++) {
        size_t added_len = strlen(added[i]);
        if (len > added_len && strncmp(line + len - added_len, added[i], added_len) == 0) {
            len -= added_len;
        }
    }
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
        cmocka_unit_test(metrics_observe_counts_each_bound_with_what_is_below_it),
        cmocka_unit_test(metrics_render_puts_the_bound_behind_the_labels_of_a_histogram),
        cmocka_unit_test(metrics_bounds_rise),
        cmocka_unit_test(metrics_render_tells_the_version),
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
