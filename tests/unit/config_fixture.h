/* SPDX-License-Identifier: MIT */
/*
 * config_fixture: what the tests of config share: a file to load from, one variable, one --set, and
 * the error that came of it. Included once by a test program.
 */
#ifndef UNIT_CONFIG_FIXTURE_H
#define UNIT_CONFIG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/base/config.h"

static char path[64];
static char error[CONFIG_ERROR_BYTES];
static struct config config;

static int make_file(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/test_config-XXXXXX");
    int fd = mkstemp(path);
    return fd >= 0 ? close(fd) : -1;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static int free_config(void **state)
{
    (void)state;
    config_fini(&config);
    return 0;
}

static void write_file(const void *text, size_t len)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

/* NULL: none of this source; `variable` and `set` are one each. */
static bool load(const char *text, char *variable, const char *set)
{
    char *environment[] = {variable, NULL};
    struct config_sources sources = {
        .environment = environment, .sets = &set, .set_count = set != NULL};
    if (text != NULL) {
        write_file(text, strlen(text));
        sources.file = path;
    }
    config_fini(&config);
    memset(error, 0x7f, sizeof error);
    return config_load(&sources, &config, error);
}

/* What stands behind "FILE:LINE: ", "environment NAME: " or "--set NAME: ". */
static void assert_error(const char *source, const char *expected)
{
    char whole[CONFIG_ERROR_BYTES];
    (void)snprintf(whole, sizeof whole, "%s: %s", source, expected);
    assert_string_equal(error, whole);
}

static void assert_file_error(const char *text, int line, const char *expected)
{
    char source[96];
    assert_false(load(text, NULL, NULL));
    (void)snprintf(source, sizeof source, "%s:%d", path, line);
    assert_error(source, expected);
}

#endif
