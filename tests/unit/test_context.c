/* SPDX-License-Identifier: MIT */
/* context: what is kept is read back, readable by its owner only; broken files are named. */
#include "admin/context.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/hgtp-context-XXXXXX";
static char error[CONTEXT_ERROR];

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || setenv("XDG_CONFIG_HOME", folder, 1) != 0;
}

static int tear_down(void **state)
{
    (void)state;
    char path[256];
    static const char *const files[] = {"/hgtp/contexts/broken", "/hgtp/contexts", "/hgtp", ""};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s%s", folder, files[i]);
        (void)remove(path);
    }
    return 0;
}

static struct context prod(void)
{
    struct context context = {.url_count = 2};
    strcpy(context.name, "prod");
    strcpy(context.urls[0], "tcp://10.0.0.5:9300");
    strcpy(context.urls[1], "ipc:///run/a b/control.sock");
    strcpy(context.token_file, "/home/op/a token");
    return context;
}

static void context_is_kept_used_and_forgotten(void **state)
{
    (void)state;
    struct context kept = prod(), found;
    char name[CONTEXT_NAME_MAX + 1], path[256];
    assert_true(context_save(&kept, error));
    assert_true(context_load("prod", &found, error));
    assert_int_equal(found.url_count, 2);
    assert_string_equal(found.urls[1], kept.urls[1]);
    assert_string_equal(found.token_file, kept.token_file);
    struct stat info;
    snprintf(path, sizeof path, "%s/hgtp/contexts/prod", folder);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 077, 0);
    assert_false(context_save(&kept, error));
    assert_true(context_use("prod", error));
    context_current(name);
    assert_string_equal(name, "prod");
    assert_false(context_use("none", error));
    char names[4][CONTEXT_NAME_MAX + 1];
    assert_int_equal(context_names(names, 4), 1);
    assert_true(context_remove("prod", error));
    context_current(name);
    assert_string_equal(name, "");
    assert_false(context_load("prod", &found, error));
    assert_non_null(strstr(error, "prod"));
    assert_false(context_remove("prod", error));
}

static void context_that_is_broken_is_named_with_its_file(void **state)
{
    (void)state;
    struct context kept = prod(), found;
    char path[256];
    assert_true(context_save(&kept, error));
    assert_true(context_remove("prod", error));
    snprintf(path, sizeof path, "%s/hgtp/contexts/broken", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("what is this\n", file);
    fclose(file);
    assert_false(context_load("broken", &found, error));
    assert_non_null(strstr(error, "broken"));
}

static void context_names_that_lead_elsewhere_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", ".", "..", "../x", "a/b", ".hidden", "a b", "소"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(context_name_valid(bad[i]));
    }
    assert_true(context_name_valid("prod-1_eu.x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(context_is_kept_used_and_forgotten),
        cmocka_unit_test(context_that_is_broken_is_named_with_its_file),
        cmocka_unit_test(context_names_that_lead_elsewhere_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
