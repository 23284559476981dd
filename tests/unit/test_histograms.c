/* SPDX-License-Identifier: MIT */
/* histograms: buckets, sums and their text as Prometheus reads it. */
#include "node/base/histograms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char text[65536];

static void render(void)
{
    struct sink out = sink_into(text, sizeof text - 1);
    histograms_render(&out);
    assert_true(sink_fits(&out));
    text[out.len] = '\0';
}

/* The value of the one line that begins so. */
static double value(const char *line)
{
    char start[160];
    snprintf(start, sizeof start, "\n%s ", line);
    const char *at = strstr(text, start);
    assert_non_null(at);
    assert_null(strstr(at + 1, start));
    return strtod(at + strlen(start), NULL);
}

static void histograms_count_up_to_each_bound(void **state)
{
    (void)state;
    static const int64_t us[] = {-5, 0, 250, 251, 999, 1000, 1001, 10000000, 10000001};
    for (size_t i = 0; i < sizeof us / sizeof us[0]; i++) {
        histogram_observe(HISTOGRAM_REQUEST, us[i]);
    }
    render();
    assert_true(value("hgtp_request_seconds_bucket{le=\"0.00025\"}") == 3);
    assert_true(value("hgtp_request_seconds_bucket{le=\"0.0005\"}") == 4);
    assert_true(value("hgtp_request_seconds_bucket{le=\"0.001\"}") == 6);
    assert_true(value("hgtp_request_seconds_bucket{le=\"0.0025\"}") == 7);
    assert_true(value("hgtp_request_seconds_bucket{le=\"10\"}") == 8);
    assert_true(value("hgtp_request_seconds_bucket{le=\"+Inf\"}") == 9);
    assert_true(value("hgtp_request_seconds_count") == 9);
    assert_true(value("hgtp_request_seconds_sum") == 20.003502);
}

static void histograms_of_one_name_stand_under_one_head_with_their_labels(void **state)
{
    (void)state;
    histogram_observe(HISTOGRAM_DELIVERY_LINE, 3000);
    render();
    assert_true(value("hgtp_delivery_seconds_bucket{transport=\"line\",le=\"0.005\"}") == 1);
    assert_true(value("hgtp_delivery_seconds_bucket{transport=\"line\",le=\"0.0025\"}") == 0);
    assert_true(value("hgtp_delivery_seconds_count{transport=\"push\"}") == 0);
    assert_true(value("hgtp_delivery_seconds_sum{transport=\"line\"}") == 0.003);
    const char *type = strstr(text, "# TYPE hgtp_delivery_seconds histogram\n");
    assert_non_null(type);
    assert_null(strstr(type + 1, "# TYPE hgtp_delivery_seconds "));
    assert_int_equal(strncmp(text, "# HELP hgtp_delivery_seconds ", 29), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histograms_count_up_to_each_bound),
        cmocka_unit_test(histograms_of_one_name_stand_under_one_head_with_their_labels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
