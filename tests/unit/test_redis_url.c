/* SPDX-License-Identifier: MIT */
#include "node/store/redis_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/base/config.h"

struct expected {
    const char *text;
    const char *path;
    const char *host;
    const char *user;
    const char *password;
    int port;
    int db;
};

static void assert_parsed(const struct expected *expected)
{
    struct redis_url url = {0};
    assert_true(redis_url_parse(expected->text, &url));
    if (expected->path != NULL) {
        assert_string_equal(url.path, expected->path);
    } else {
        assert_null(url.path);
        assert_string_equal(url.host, expected->host);
    }
    assert_string_equal(url.user, expected->user);
    assert_string_equal(url.password, expected->password);
    assert_int_equal(url.port, expected->port);
    assert_int_equal(url.db, expected->db);
    redis_url_fini(&url);
}

static void redis_url_understood_is_taken_apart(void **state)
{
    (void)state;
    static const struct expected cases[] = {
        {"redis://127.0.0.1:6380/2", NULL, "127.0.0.1", "", "", 6380, 2},
        {"redis://redis", NULL, "redis", "", "", 6379, 0},
        {"redis://redis/", NULL, "redis", "", "", 6379, 0},
        {"redis://redis:65535", NULL, "redis", "", "", 65535, 0},
        {"redis://[::1]:7000/1", NULL, "::1", "", "", 7000, 1},
        {"redis://[fe80::1]", NULL, "fe80::1", "", "", 6379, 0},
        {"redis://me:pass@host:1/0", NULL, "host", "me", "pass", 1, 0},
        {"redis://:pass@host", NULL, "host", "", "pass", 6379, 0},
        {"redis://m%65:p%40%2f%3A@host", NULL, "host", "me", "p@/:", 6379, 0},
        {"redis://me:a@b:c@host", NULL, "host", "me", "a@b:c", 6379, 0},
        {"unix:///run/redis.sock", "/run/redis.sock", NULL, "", "", 6379, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_parsed(&cases[i]);
    }
}

static void redis_url_of_sentinels_names_them_and_the_master(void **state)
{
    (void)state;
    struct redis_url url = {0};
    assert_true(
        redis_url_parse("redis+sentinel://me:p%40ss@a:1,[::1]:26379,10.0.0.3:3/main", &url));
    assert_int_equal(url.sentinel_count, 3);
    assert_string_equal(url.sentinels[0].host, "a");
    assert_int_equal(url.sentinels[0].port, 1);
    assert_string_equal(url.sentinels[1].host, "::1");
    assert_int_equal(url.sentinels[1].port, 26379);
    assert_string_equal(url.sentinels[2].host, "10.0.0.3");
    assert_string_equal(url.master, "main");
    assert_int_equal(url.db, 0);
    assert_string_equal(url.user, "me");
    assert_string_equal(url.password, "p@ss");
    assert_null(url.host);
    redis_url_fini(&url);
}

static void redis_url_of_sentinels_may_name_a_db_and_no_port(void **state)
{
    (void)state;
    struct redis_url url = {0};
    assert_true(redis_url_parse("redis+sentinel://a,[::1]/main/7", &url));
    assert_int_equal(url.sentinel_count, 2);
    assert_int_equal(url.sentinels[0].port, 26379);
    assert_int_equal(url.sentinels[1].port, 26379);
    assert_string_equal(url.master, "main");
    assert_int_equal(url.db, 7);
    redis_url_fini(&url);
}

static void redis_url_not_understood_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "redis",
        "redis://",
        "redis:///1",
        "redis://:6379",
        "redis://host:",
        "redis://host:0",
        "redis://host:65536",
        "redis://host:63 79",
        "redis://host:+1",
        "redis://host/x",
        "redis://host/-1",
        "redis://host/1/2",
        "redis://host/99999999999999999999",
        "redis://[::1",
        "redis://[::1]6379",
        "redis://pass@host",
        "redis://me:@host",
        "redis://me:%@host",
        "redis://me:%4@host",
        "redis://me:%zz@host",
        "redis://me:%00@host",
        "redis+sentinel://host:26379",
        "redis+sentinel://host:26379/",
        "redis+sentinel://host:1,/master",
        "redis+sentinel://,host:1/master",
        "redis+sentinel://host:0/master",
        "redis+sentinel://host:1/master/x",
        "redis+sentinel://host:1/master/0/0",
        "redis+sentinel://me@host:1/master",
        "redis+sentinel://a:1,a:2,a:3,a:4,a:5,a:6,a:7,a:8,a:9,b:1,b:2,b:3,b:4,b:5,b:6,b:7,b:8/m",
        "rediss://host",
        "unix://run/redis.sock",
        "unix://",
        "http://host",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct redis_url url = {0};
        if (redis_url_parse(cases[i], &url)) {
            fail_msg("\"%s\" was understood", cases[i]);
        }
        assert_null(url.storage);
    }
}

static bool config_takes(const char *text)
{
    static struct config config;
    static char error[CONFIG_ERROR_BYTES];
    char set[512];
    const char *sets[] = {set};
    const struct config_sources sources = {.sets = sets, .set_count = 1};
    (void)snprintf(set, sizeof set, "redis.url=%s", text);
    bool is_taken = config_load(&sources, &config, error);
    config_fini(&config);
    return is_taken;
}

/* The rule is written twice, because the configuration knows nothing of Redis. */
static void redis_url_and_the_configuration_agree_on_what_is_legal(void **state)
{
    (void)state;
    static const char *const logins[] = {"", "u:p@", ":p%40@", "u:p:@@", "u@", "u:@", "u:%0@"};
    static const char *const hosts[] = {"a",  "a:1",  "[::1]", "[::1]:2", "a:0",     "a:65536",
                                        "a:", ":1",   "a,b:1", "a:1,b",   "[::1],b", "a,",
                                        ",a", "a,,b", "a,b:0", "[::1",    "",        "a,b:x"};
    static const char *const ends[] = {"",     "/",      "/m", "/m/", "/m/0", "/m/15",
                                       "/m/x", "/m/0/0", "/0", "//0", "/-1"};
    static const char *const schemes[] = {"redis://", "redis+sentinel://"};
    size_t legal_count = 0;
    for (size_t i = 0; i < 2 * 7 * 18 * 11; i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "%s%s%s%s", schemes[i % 2], logins[i / 2 % 7],
                       hosts[i / 2 / 7 % 18], ends[i / 2 / 7 / 18]);
        struct redis_url url = {0};
        bool is_legal = redis_url_parse(text, &url);
        if (is_legal != config_takes(text)) {
            fail_msg("\"%s\": %s only", text, is_legal ? "redis_url" : "the configuration");
        }
        legal_count += is_legal ? 1 : 0;
        redis_url_fini(&url);
    }
    assert_true(legal_count > 100);
}

static void redis_url_socket_path_that_a_socket_cannot_have_is_refused(void **state)
{
    (void)state;
    struct redis_url url = {0};
    char text[7 + 108 + 1] = "unix:///";
    memset(text + 8, 'a', sizeof text - 9);
    text[sizeof text - 1] = '\0'; /* a path of 108 bytes: no room for its NUL */
    assert_false(redis_url_parse(text, &url));
    text[sizeof text - 2] = '\0';
    assert_true(redis_url_parse(text, &url));
    redis_url_fini(&url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redis_url_understood_is_taken_apart),
        cmocka_unit_test(redis_url_of_sentinels_names_them_and_the_master),
        cmocka_unit_test(redis_url_of_sentinels_may_name_a_db_and_no_port),
        cmocka_unit_test(redis_url_not_understood_is_refused),
        cmocka_unit_test(redis_url_and_the_configuration_agree_on_what_is_legal),
        cmocka_unit_test(redis_url_socket_path_that_a_socket_cannot_have_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
