/* SPDX-License-Identifier: MIT */
/*
 * config: the sources and their order, the form of files, and reload. How errors are worded is in
 * test_config_error.c, what values are accepted in test_config_check.c, what is printed in
 * test_config_print.c.
 */
#include <ctype.h>

#include "config_fixture.h"

/* Sources -------------------------------------------------------------------------------------- */

static void config_without_sources_has_the_defaults_of_the_table(void **state)
{
    (void)state;
    assert_true(load(NULL, NULL, NULL));
#define CONFIG_STR(section, key, fallback, reload, help)                                           \
    assert_string_equal(config.section##_##key, fallback);
#define CONFIG_CHECKED(section, key, fallback, check, reload, help)                                \
    assert_string_equal(config.section##_##key, fallback);
#define CONFIG_INT(section, key, fallback, min, max, unit, reload, help)                           \
    assert_true(config.section##_##key == (fallback));
#define CONFIG_ENUM(section, key, fallback, choices, reload, help)                                 \
    assert_in_range(config.section##_##key, 0, 3);
#include "node/base/config.def"
    assert_int_equal(config.auth_md5, 1);
    assert_int_equal(config.log_level, 1);
    assert_int_equal(config.notices_language, 0);
}

static void config_later_source_wins(void **state)
{
    (void)state;
    char variable[] = "HGTP_LIMITS_USERS=30";
    assert_true(load("[limits]\nusers = 20\n", NULL, NULL));
    assert_true(config.limits_users == 20);
    assert_true(load("[limits]\nusers = 20\n", variable, NULL));
    assert_true(config.limits_users == 30);
    assert_true(load("[limits]\nusers = 20\n", variable, "limits.users=40"));
    assert_true(config.limits_users == 40);
    assert_true(load("[limits]\nusers = 20\n", NULL, "limits.users=40"));
    assert_true(config.limits_users == 40);
    assert_true(load(NULL, variable, NULL));
    assert_true(config.limits_users == 30);
}

static void config_of_two_sets_the_later_wins(void **state)
{
    (void)state;
    const char *const sets[] = {"log.level=debug", "auth.key=one", "log.level=error", "auth.key="};
    const struct config_sources sources = {.sets = sets, .set_count = 4};
    assert_true(config_load(&sources, &config, error));
    assert_int_equal(config.log_level, 3);
    assert_string_equal(config.auth_key, "");
}

static void assert_variable(const char *section, const char *key, const char *value)
{
    char variable[128];
    (void)snprintf(variable, sizeof variable, "HGTP_%s_%s=%s", section, key, value);
    for (char *at = variable; *at != '='; at++) {
        *at = (char)toupper(*at);
    }
    if (!load(NULL, variable, NULL)) {
        fail_msg("%s", error);
    }
}

static void config_every_key_has_its_variable(void **state)
{
    (void)state;
#define CONFIG_STR(section, key, fallback, reload, help) assert_variable(#section, #key, fallback);
#define CONFIG_CHECKED(section, key, fallback, check, reload, help)                                \
    assert_variable(#section, #key, fallback);
#define CONFIG_INT(section, key, fallback, min, max, unit, reload, help)                           \
    assert_variable(#section, #key, #max);                                                         \
    assert_true(config.section##_##key == (max));
#define CONFIG_ENUM(section, key, fallback, choices, reload, help)                                 \
    assert_variable(#section, #key, fallback);
#include "node/base/config.def"
    assert_variable("hgtp", "listen", "1.2.3.4:5");
    assert_string_equal(config.hgtp_listen, "1.2.3.4:5");
    assert_variable("auth", "key", " 950817 ");
    assert_string_equal(config.auth_key, "950817");
    assert_variable("auth", "md5", "off");
    assert_int_equal(config.auth_md5, 0);
    assert_variable("auth", "key", "");
    assert_string_equal(config.auth_key, "");
}

static void config_variables_that_are_not_ours_are_left_alone(void **state)
{
    (void)state;
    static char others[][40] = {"HGTP_PORT=tcp://10.0.0.1:80",
                                "HGTP_SERVICE_HOST=x",
                                "HGTP_LOG=x",
                                "HGTP_log_level=loud",
                                "HGTPLOG_LEVEL=x",
                                "HGTP_LOGS_LEVEL=x",
                                "LOG_LEVEL=loud",
                                "hgtp_LOG_LEVEL=x",
                                "HGTP_LOG_LEVEL",
                                "HGTP_=x"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_true(load(NULL, others[i], NULL));
        assert_int_equal(config.log_level, 1);
    }
}

/* Files ---------------------------------------------------------------------------------------- */

static void config_file_may_be_written_in_many_ways(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[log]\nlevel = warn\n[auth]\nkey = a;b # c ; d\n",
        "\xef\xbb\xbf[log]\nlevel=warn\n[auth]\nkey=a;b # c ; d",
        "[log]\r\nlevel = warn\r\n\r\n[auth]\r\nkey = a;b # c ; d\r\n",
        "  # comment\n; other [\n\n\t[log]\n  level\t=\twarn  \n [auth] \n   key = a;b # c ; d\t\n",
        "[auth]\n[log]\nlevel = warn\n[auth]\nkey = a;b # c ; d\n[log]\nformat = logfmt\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_true(load(texts[i], NULL, NULL));
        assert_int_equal(config.log_level, 2);
        assert_string_equal(config.auth_key, "a;b # c ; d");
    }
    assert_true(load("", NULL, NULL));
    assert_true(load("[auth]\nkey =\nkey_file = \"x\" = y\n", NULL, NULL));
    assert_string_equal(config.auth_key, "");
    assert_string_equal(config.auth_key_file, "\"x\" = y");
}

static void config_malformed_line_is_an_error_with_its_line(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "level",       "level warn",   "level: warn",      "= warn",
        "[log",        "[]",           "[log] # x",        "[log]level=warn",
        "[lo g]",      "level info =", "\"level\" = warn", "\xff = x",
        "  continued", "[log]]",       "\xef\xbb\xbf[log]"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "# one\n[log]\nlevel = info\n%s\nnonsense = 1\n",
                       lines[i]);
        assert_file_error(
            text, 4,
            "the line is malformed; allowed are [section], key = value, and comments that "
            "begin with # or ;");
    }
}

static void config_indented_line_is_never_joined_to_a_value(void **state)
{
    (void)state;
    assert_file_error(
        "[auth]\nkey = abc\n  format = x\n", 3,
        "unknown key 'auth.format'; [auth] takes key, key_file, md5, accounts, challenge_ms");
    assert_true(load("[auth]\nkey = abc\n  md5 = off\n", NULL, NULL));
    assert_string_equal(config.auth_key, "abc");
    assert_int_equal(config.auth_md5, 0);
}

static void config_key_before_any_section_is_an_error(void **state)
{
    (void)state;
    assert_file_error("\nlevel = info\n", 2,
                      "'level' stands before any section; put a line like [node] above it");
}

static void config_duplicate_key_is_an_error_that_names_both_lines(void **state)
{
    (void)state;
    static const char expected[] = "log.level is set a second time; line 2 has it already";
    assert_file_error("[log]\nlevel = info\nlevel = info\n", 3, expected);
    assert_file_error("[log]\nlevel = info\n[auth]\nkey = level\n[log]\nlevel = warn\n", 6,
                      expected);
}

static void config_line_too_long_or_with_nul_is_an_error(void **state)
{
    (void)state;
    static char text[8192];
    memcpy(text, "[auth]\nkey = ", 13);
    memset(text + 13, 'k', 4000);
    assert_file_error(
        text, 2,
        "auth.key must be text of at most 1024 bytes without control characters, or empty; "
        "what it is instead is secret");
    memset(text + 13, 'k', 5000);
    assert_file_error(text, 2, "the line is longer than 4095 bytes");

    const struct config_sources sources = {.file = path};
    char source[96];
    write_file("[log]\nlevel = in\0fo\n", 20);
    assert_false(config_load(&sources, &config, error));
    (void)snprintf(source, sizeof source, "%s:2", path);
    assert_error(source, "the line holds a NUL byte; settings are text");
}

static void config_file_that_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    struct config_sources sources = {.file = "/nonexistent/hgtpd.conf"};
    assert_false(config_load(&sources, &config, error));
    assert_error("/nonexistent/hgtpd.conf", "cannot be opened: No such file or directory");
    sources.file = "/tmp";
    assert_false(config_load(&sources, &config, error));
    assert_error("/tmp", "cannot be read: Is a directory");
}

static void config_long_path_leaves_room_for_what_is_wrong(void **state)
{
    (void)state;
    static char far[2048];
    for (size_t i = 0; i < sizeof far - 16; i++) {
        far[i] = i % 100 == 0 ? '/' : 'd';
    }
    strcpy(far + sizeof far - 16, "/hgtpd.conf");
    const struct config_sources sources = {.file = far};
    assert_false(config_load(&sources, &config, error));
    assert_non_null(strstr(error, "/hgtpd.conf: cannot be opened: No such file or directory"));
    assert_int_equal(strncmp(error, "...", 3), 0);
}

static void config_failed_load_leaves_nothing_behind(void **state)
{
    (void)state;
    static const struct config none;
    assert_false(load("[auth]\nkey = abc\n[log]\nlevel = loud\n", NULL, NULL));
    assert_memory_equal(&config, &none, sizeof none);
    config_fini(&config);
    config_fini(&config);
}

/* Reload --------------------------------------------------------------------------------------- */

struct changes {
    char applied[1024];
    char refused[1024];
};

static void on_change(const char *key, bool applied, void *arg)
{
    struct changes *changes = arg;
    char *list = applied ? changes->applied : changes->refused;
    size_t len = strlen(list);
    (void)snprintf(list + len, 1024 - len, "%s ", key);
}

static void config_reload_applies_what_may_change_and_reports_the_rest(void **state)
{
    (void)state;
    static const char *const sets[] = {"log.level=debug",
                                       "auth.key=new",
                                       "limits.users=5",
                                       "node.id=other",
                                       "bus.key=new",
                                       "http.advertise_port=81",
                                       "hgtp.trusted_networks=10.0.0.0/8"};
    const struct config_sources sources = {.sets = sets, .set_count = 7};
    struct config fresh;
    struct changes changes = {.applied = ""};
    assert_true(load(NULL, NULL, NULL));
    assert_true(config_load(&sources, &fresh, error));
    config_reload(&config, &fresh, on_change, &changes);
    config_fini(&fresh); /* what was taken over is a copy */
    assert_string_equal(changes.applied,
                        "hgtp.trusted_networks auth.key bus.key limits.users log.level ");
    assert_string_equal(changes.refused, "node.id http.advertise_port ");
    assert_string_equal(config.hgtp_trusted_networks, "10.0.0.0/8");
    assert_string_equal(config.auth_key, "new");
    assert_true(config.limits_users == 5);
    assert_int_equal(config.log_level, 0);
    assert_string_equal(config.node_id, "");
    assert_string_equal(config.bus_key, "new");
    assert_true(config.http_advertise_port == 0);
}

static void config_reload_of_equal_settings_reports_nothing(void **state)
{
    (void)state;
    const struct config_sources none = {.file = NULL};
    struct config fresh;
    struct changes changes = {.applied = ""};
    assert_true(load(NULL, NULL, NULL));
    assert_true(config_load(&none, &fresh, error));
    config_reload(&config, &fresh, on_change, &changes);
    config_fini(&fresh);
    assert_string_equal(changes.applied, "");
    assert_string_equal(changes.refused, "");
}

#define CONFIG_TEST(name) cmocka_unit_test_teardown(name, free_config)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(config_without_sources_has_the_defaults_of_the_table),
        CONFIG_TEST(config_later_source_wins),
        CONFIG_TEST(config_of_two_sets_the_later_wins),
        CONFIG_TEST(config_every_key_has_its_variable),
        CONFIG_TEST(config_variables_that_are_not_ours_are_left_alone),
        CONFIG_TEST(config_file_may_be_written_in_many_ways),
        CONFIG_TEST(config_malformed_line_is_an_error_with_its_line),
        CONFIG_TEST(config_indented_line_is_never_joined_to_a_value),
        CONFIG_TEST(config_key_before_any_section_is_an_error),
        CONFIG_TEST(config_duplicate_key_is_an_error_that_names_both_lines),
        CONFIG_TEST(config_line_too_long_or_with_nul_is_an_error),
        CONFIG_TEST(config_file_that_cannot_be_read_is_an_error),
        CONFIG_TEST(config_long_path_leaves_room_for_what_is_wrong),
        CONFIG_TEST(config_failed_load_leaves_nothing_behind),
        CONFIG_TEST(config_reload_applies_what_may_change_and_reports_the_rest),
        CONFIG_TEST(config_reload_of_equal_settings_reports_nothing),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
