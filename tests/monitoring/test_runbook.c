/* SPDX-License-Identifier: MIT */
/*
 * What belongs to an alert is there: its words in docs/operations.md, its case in alerts_test.yml
 * or alerts_slow_test.yml, what to do first where it wakes somebody; and the dashboard is one that
 * Grafana can lay out.
 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/yaml.h"

#define ALERTS     TEST_SOURCE_DIR "/deploy/prometheus/hgtp-alerts.yml"
#define CASES      TEST_SOURCE_DIR "/tests/monitoring/alerts_test.yml"
#define SLOW_CASES TEST_SOURCE_DIR "/tests/monitoring/alerts_slow_test.yml"
#define DASHBOARD  TEST_SOURCE_DIR "/deploy/grafana/hgtp.json"
#define RUNBOOK    TEST_SOURCE_DIR "/docs/operations.md"
#define TABLE      TEST_SOURCE_DIR "/node/base/metrics.def"

#define GRID_WIDTH  24
#define GRID_HEIGHT 200

static char runbook[131072], table[65536];
static json_t *rules, *cases, *slow_cases;

static void read_text(const char *path, char *text, size_t cap)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t len = fread(text, 1, cap - 1, file);
    text[len] = '\0';
    (void)fclose(file);
    assert_in_range(len, 1, cap - 2);
}

static int load(void **state)
{
    (void)state;
    json_t *alerts = yaml_load(ALERTS);
    rules = json_array();
    size_t i;
    json_t *group;
    json_array_foreach((json_t *)(uintptr_t)yaml_at(alerts, "0/groups"), i, group)
    {
        json_array_extend(rules, json_object_get(group, "rules"));
    }
    json_decref(alerts);
    cases = yaml_load(CASES);
    slow_cases = yaml_load(SLOW_CASES);
    read_text(RUNBOOK, runbook, sizeof runbook);
    read_text(TABLE, table, sizeof table);
    return json_array_size(rules) > 0 ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    json_decref(rules);
    json_decref(cases);
    json_decref(slow_cases);
    return 0;
}

static void every_alert_has_its_words_in_the_runbook(void **state)
{
    (void)state;
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);
        char heading[128], link[160];
        const char *name = yaml_text(rule, "alert");
        snprintf(heading, sizeof heading, "\n### %s\n", name);
        const char *at = strstr(runbook, heading);
        if (at == NULL || at[strlen(heading)] == '#' || at[strlen(heading)] == '\n') {
            fail_msg("docs/operations.md does not say what to do about %s", name);
        }
        snprintf(link, sizeof link, "docs/operations.md#%s", name);
        for (char *c = link + strlen("docs/operations.md#"); *c != '\0'; c++) {
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
        }
        assert_string_equal(yaml_text(rule, "annotations/runbook"), link);
        const char *severity = yaml_text(rule, "labels/severity");
        bool is_critical = strcmp(severity, "critical") == 0;
        assert_true(is_critical || strcmp(severity, "warning") == 0);
        const json_t *first = yaml_at(rule, "annotations/description");
        if (is_critical && json_string_length(first) == 0) {
            fail_msg("%s does not say what to do first", name);
        }
    }
}

static bool is_alert(const char *name, size_t len)
{
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const char *alert = yaml_text(json_array_get(rules, i), "alert");
        if (strlen(alert) == len && strncmp(alert, name, len) == 0) {
            return true;
        }
    }
    return false;
}

static void runbook_speaks_of_no_alert_that_there_is_not(void **state)
{
    (void)state;
    size_t count = 0;
    for (const char *at = strstr(runbook, "### Hgtp"); at != NULL; at = strstr(at, "### Hgtp")) {
        at += strlen("### ");
        size_t len = strcspn(at, "\n");
        if (!is_alert(at, len)) {
            fail_msg("there is no alert %.*s", (int)len, at);
        }
        count++;
    }
    assert_int_equal(count, json_array_size(rules));
    for (const char *at = strstr(runbook, "[Hgtp"); at != NULL; at = strstr(at, "[Hgtp")) {
        at++;
        assert_true(is_alert(at, strcspn(at, "]")));
    }
}

/* A link into the page itself leads to a heading of it. */
static void links_within_the_runbook_lead_somewhere(void **state)
{
    (void)state;
    for (const char *at = strstr(runbook, "](#"); at != NULL; at = strstr(at, "](#")) {
        at += strlen("](#");
        char anchor[128] = "", wanted[128];
        snprintf(wanted, sizeof wanted, "%.*s", (int)strcspn(at, ")"), at);
        bool is_found = false;
        for (const char *line = strstr(runbook, "\n#"); line != NULL && !is_found;
             line = strstr(line + 1, "\n#")) {
            const char *title = line + 1 + strspn(line + 1, "# ");
            size_t len = strcspn(title, "\n");
            assert_true(len < sizeof anchor);
            for (size_t i = 0; i < len; i++) {
                char c = title[i];
                anchor[i] = (char)(c == ' ' ? '-' : c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
            }
            anchor[len] = '\0';
            is_found = strcmp(anchor, wanted) == 0;
        }
        if (!is_found) {
            fail_msg("docs/operations.md has no heading for #%s", wanted);
        }
    }
}

/* Does promtool look at a moment where it comes (`comes`), or at one where it must not? */
static bool has_case(const json_t *file, const char *alert, bool comes)
{
    const json_t *tests = yaml_at(file, "0/tests");
    for (size_t i = 0; i < json_array_size(tests); i++) {
        const json_t *moments = yaml_at(json_array_get(tests, i), "alert_rule_test");
        for (size_t k = 0; k < json_array_size(moments); k++) {
            const json_t *moment = json_array_get(moments, k);
            if (strcmp(yaml_text(moment, "alertname"), alert) == 0 &&
                (json_array_size(yaml_at(moment, "exp_alerts")) > 0) == comes) {
                return true;
            }
        }
    }
    return false;
}

static void every_alert_is_tested_where_it_comes_and_where_it_must_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const char *name = yaml_text(json_array_get(rules, i), "alert");
        if ((!has_case(cases, name, true) && !has_case(slow_cases, name, true)) ||
            (!has_case(cases, name, false) && !has_case(slow_cases, name, false))) {
            fail_msg("alerts_test.yml lacks a case of %s", name);
        }
    }
}

/* Names that begin with hgtp_ stand for metrics there, with the samples of histograms. */
static void runbook_speaks_of_no_metric_that_there_is_not(void **state)
{
    (void)state;
    for (const char *at = strstr(runbook, "hgtp_"); at != NULL; at = strstr(at + 1, "hgtp_")) {
        size_t len = strspn(at, "abcdefghijklmnopqrstuvwxyz_");
        char quoted[128];
        snprintf(quoted, sizeof quoted, "\"%.*s\"", (int)len, at);
        if (strstr(table, quoted) == NULL) {
            fail_msg("there is no metric %s", quoted);
        }
    }
}

static void dashboard_has_no_two_panels_in_one_place(void **state)
{
    (void)state;
    static bool taken[GRID_HEIGHT][GRID_WIDTH];
    bool ids[256] = {false};
    json_error_t error;
    json_t *dashboard = json_load_file(DASHBOARD, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(dashboard);
    const json_t *panels = json_object_get(dashboard, "panels");
    assert_true(json_array_size(panels) > 20);
    for (size_t i = 0; i < json_array_size(panels); i++) {
        const json_t *panel = json_array_get(panels, i), *at = json_object_get(panel, "gridPos");
        json_int_t id = json_integer_value(json_object_get(panel, "id"));
        json_int_t x, y, w, h;
        assert_int_equal(json_unpack((json_t *)(uintptr_t)at, "{s:I, s:I, s:I, s:I}", "x", &x, "y",
                                     &y, "w", &w, "h", &h),
                         0);
        assert_true(id > 0 && id < 256 && !ids[id]);
        ids[id] = true;
        assert_true(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= GRID_WIDTH &&
                    y + h <= GRID_HEIGHT);
        for (json_int_t row = y; row < y + h; row++) {
            for (json_int_t column = x; column < x + w; column++) {
                assert_false(taken[row][column]);
                taken[row][column] = true;
            }
        }
    }
    json_decref(dashboard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_alert_has_its_words_in_the_runbook),
        cmocka_unit_test(runbook_speaks_of_no_alert_that_there_is_not),
        cmocka_unit_test(links_within_the_runbook_lead_somewhere),
        cmocka_unit_test(every_alert_is_tested_where_it_comes_and_where_it_must_not),
        cmocka_unit_test(runbook_speaks_of_no_metric_that_there_is_not),
        cmocka_unit_test(dashboard_has_no_two_panels_in_one_place),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
