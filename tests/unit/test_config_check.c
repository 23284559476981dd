/* SPDX-License-Identifier: MIT */
/* config_check: what each setting accepts, to the bounds, and what addresses and networks mean. */
#include "node/base/config.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char error[CONFIG_ERROR_BYTES];
static struct config config;

/* Loads `key`=`value` as --set; what was loaded is in `config` until the next time. */
static bool takes(const char *key, const char *value)
{
    static char set[4096];
    const char *sets[] = {set};
    const struct config_sources sources = {.sets = sets, .set_count = 1};
    (void)snprintf(set, sizeof set, "%s=%s", key, value);
    config_fini(&config);
    return config_load(&sources, &config, error);
}

static bool takes_number(const char *key, int64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, value);
    return takes(key, text);
}

static int free_config(void **state)
{
    (void)state;
    config_fini(&config);
    return 0;
}

static void config_check_default_of_each_row_passes_its_own_check(void **state)
{
    (void)state;
#define CONFIG_STR(section, key, fallback, reload, help)                                           \
    assert_true(takes(#section "." #key, fallback));
#define CONFIG_CHECKED(section, key, fallback, check, reload, help)                                \
    assert_true(takes(#section "." #key, fallback));
#define CONFIG_INT(section, key, fallback, min, max, unit, reload, help)                           \
    assert_true(takes_number(#section "." #key, fallback));
#define CONFIG_ENUM(section, key, fallback, choices, reload, help)                                 \
    assert_true(takes(#section "." #key, fallback));
#include "node/base/config.def"
}

struct bounds {
    const char *key;
    int64_t min;
    int64_t max;
    const char *unit;
    const int64_t *field;
};

static const struct bounds bounds[] = {
#define CONFIG_STR(section, key, fallback, reload, help)
#define CONFIG_CHECKED(section, key, fallback, check, reload, help)
#define CONFIG_INT(section, key, fallback, min, max, unit, reload, help)                           \
    {#section "." #key, min, max, unit, &config.section##_##key},
#define CONFIG_ENUM(section, key, fallback, choices, reload, help)
#include "node/base/config.def"
};

static void config_check_bounds_of_each_number_are_exact(void **state)
{
    (void)state;
    assert_true(sizeof bounds / sizeof bounds[0] > 10);
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        const struct bounds *row = &bounds[i];
        char range[96];
        (void)snprintf(range, sizeof range,
                       "%s must be a whole number from %" PRId64 " to %" PRId64 " (%s)", row->key,
                       row->min, row->max, row->unit);
        assert_true(takes_number(row->key, row->min));
        assert_true(*row->field == row->min);
        assert_true(takes_number(row->key, row->max));
        assert_true(*row->field == row->max);
        assert_false(takes_number(row->key, row->min - 1));
        assert_non_null(strstr(error, range));
        assert_false(takes_number(row->key, row->max + 1));
        assert_non_null(strstr(error, range));
    }
}

static void config_check_number_is_digits_and_nothing_else(void **state)
{
    (void)state;
    static const char *const refused[] = {"",
                                          "-",
                                          "+5",
                                          "5s",
                                          "5 s",
                                          "0x5",
                                          "1e3",
                                          "5.0",
                                          "5,0",
                                          "--5",
                                          "five",
                                          "9223372036854775808",
                                          "18446744073709551621",
                                          "-18446744073709551611"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_false(takes("limits.users", refused[i]));
    }
    assert_true(takes("limits.users", " \t05 "));
    assert_true(config.limits_users == 5);
}

static void config_check_each_choice_is_stored_by_its_place(void **state)
{
    (void)state;
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    static const char *const refused[] = {"", "deb", "debugs", "Debug", "debug|info", "|", "0"};
    for (int i = 0; i < 4; i++) {
        assert_true(takes("log.level", levels[i]));
        assert_int_equal(config.log_level, i);
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_false(takes("log.level", refused[i]));
    }
    assert_true(takes("log.format", "json"));
    assert_int_equal(config.log_format, 1);
    assert_true(takes("notices.language", "ko"));
    assert_int_equal(config.notices_language, 1);
    assert_true(takes("auth.md5", "off"));
    assert_int_equal(config.auth_md5, 0);
}

/* Lists end with NULL. */
static void assert_check(const char *key, const char *const *accepted, const char *const *refused)
{
    for (; *accepted != NULL; accepted++) {
        if (!takes(key, *accepted)) {
            fail_msg("%s refuses '%s': %s", key, *accepted, error);
        }
    }
    for (; *refused != NULL; refused++) {
        if (takes(key, *refused)) {
            fail_msg("%s takes '%s'", key, *refused);
        }
    }
}

#define SIXTY_FOUR "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void config_check_names_are_of_few_characters_and_64_at_most(void **state)
{
    (void)state;
    static const char *const accepted[] = {"a", "Node-1_b.example", SIXTY_FOUR, NULL};
    static const char *const refused[] = {SIXTY_FOUR "x", "a b",      "a:b",  "a{b}",
                                          "a/b",          "\xc3\xa4", "a\nb", NULL};
    static const char *const none[] = {NULL};
    static const char *const empty[] = {"", " ", NULL};
    assert_check("node.id", accepted, refused);
    assert_check("node.realm", accepted, refused);
    assert_check("node.id", empty, none);
    assert_check("node.realm", none, empty);
}

static void config_check_ipv4_port(void **state)
{
    (void)state;
    static const char *const accepted[] = {"0.0.0.0:0", "255.255.255.255:65535", "127.0.0.1:8080",
                                           NULL};
    static const char *const refused[] = {"",
                                          "127.0.0.1",
                                          "127.0.0.1:",
                                          ":8080",
                                          "8080",
                                          "127.0.0.1:65536",
                                          "127.0.0.1:-1",
                                          "127.0.0.1:+1",
                                          "127.0.0.1: 1",
                                          "127.0.0.1:1x",
                                          "127.0.0.1:1:2",
                                          "127.0.0:1",
                                          "127.0.0.256:1",
                                          "127.0.0.01:1",
                                          "localhost:8080",
                                          "[::1]:80",
                                          "*:80",
                                          "127.0.0.1:99999999999999999999",
                                          NULL};
    assert_check("http.listen", accepted, refused);
    assert_check("hgtp.listen", accepted, refused);
}

static void config_check_networks(void **state)
{
    (void)state;
    static const char *const accepted[] = {"",          "10.0.0.0/8", "10.0.0.0/8,192.168.1.7",
                                           "0.0.0.0/0", "1.2.3.4/32", "10.0.0.0/8 , 172.16.0.0/12",
                                           NULL};
    static const char *const refused[] = {"10.0.0.0/33",
                                          "10.0.0.0/",
                                          "10.0.0.0/-1",
                                          "10.0.0.0/8/8",
                                          "10/8",
                                          "10.0.0.0/8,",
                                          ",10.0.0.0/8",
                                          "10.0.0.0/8,,1.2.3.4",
                                          ",",
                                          "10.0.0.0/8 172.16.0.0/12",
                                          "10.0.0.0/8;1.2.3.4",
                                          "host",
                                          "10.0.0.0 /8",
                                          "fe80::/10",
                                          "10.0.0.0/255.0.0.0",
                                          NULL};
    assert_check("hgtp.trusted_networks", accepted, refused);
}

static void config_check_redis_url(void **state)
{
    (void)state;
    static const char *const accepted[] = {"",
                                           "redis://localhost:6379/0",
                                           "redis://localhost",
                                           "redis://10.0.0.1:1/15",
                                           "redis://h:65535/",
                                           "redis://user:pass@h:1/0",
                                           "redis://:pass@h:1/0",
                                           "redis://u:p%40ss@h:1/0",
                                           "redis://u:p:@x@h:1/0",
                                           "redis://[::1]:6379/0",
                                           "unix:///run/redis.sock",
                                           "redis+sentinel://h:26379/main",
                                           "redis+sentinel://a:1,b:2,10.0.0.1:3/my-master",
                                           "redis+sentinel://[::1]:1,b:2/m",
                                           "redis+sentinel://h/m",
                                           "redis+sentinel://h:1,i/m/3",
                                           "redis+sentinel://me:p%40ss@a:1,b:2/m",
                                           NULL};
    static const char *const refused[] = {"localhost:6379",
                                          "http://h",
                                          "rediss://h:1",
                                          "redis:",
                                          "redis://",
                                          "redis:///0",
                                          "redis://h:/0",
                                          "redis://h:0/0",
                                          "redis://h:65536/0",
                                          "redis://h:x",
                                          "redis://h:1/x",
                                          "redis://h:1/-1",
                                          "redis://h:1/0/0",
                                          "redis://h:1/4294967296",
                                          "redis://user@h:1",
                                          "redis://user:@h:1",
                                          "redis://u:%zz@h:1",
                                          "redis://u:%00@h:1",
                                          "redis://u:%4@h:1",
                                          "redis://u:p@",
                                          "redis://[::1:1/0",
                                          "redis://[]:1/0",
                                          "redis://h h:1",
                                          "unix://",
                                          "unix://path",
                                          "unix:/run/redis.sock",
                                          "unix:///" SIXTY_FOUR SIXTY_FOUR,
                                          "redis+sentinel://",
                                          "redis+sentinel://h:1",
                                          "redis+sentinel://h:1/",
                                          "redis+sentinel:///m",
                                          "redis+sentinel://h:1,/m",
                                          "redis+sentinel://,h:1/m",
                                          "redis+sentinel://h:0/m",
                                          "redis+sentinel://h:1/m/x",
                                          "redis+sentinel://me@h:1/m",
                                          NULL};
    assert_check("redis.url", accepted, refused);
}

static void config_check_url_of_bus_and_control(void **state)
{
    (void)state;
    static const char *const accepted[] = {"tcp://127.0.0.1:9200",
                                           "tcp://*:9200",
                                           "tcp://host.example:0",
                                           "tcp://[::1]:9200",
                                           "tls+tcp://h:1",
                                           "inproc://x",
                                           NULL};
    static const char *const local[] = {"ipc:///run/hgtp/x.sock", "ipc://x.sock", NULL};
    static const char *const refused[] = {"127.0.0.1:9200", "tcp://",
                                          "tcp://h",        "tcp://h:",
                                          "tcp://:1",       "tcp://h:65536",
                                          "tcp://h:1/x",    "tcp://h:x",
                                          "tcp://**:1",     "tcp:/h:1",
                                          "ws://h:1",       "wss://h:1",
                                          "udp://h:1",      "ipc://",
                                          "inproc://",      "ipc:///" SIXTY_FOUR SIXTY_FOUR,
                                          "TCP://h:1",      NULL};
    static const char *const none[] = {NULL};
    static const char *const empty[] = {"", NULL};
    static const char *const keys[] = {"bus.listen", "bus.advertise", "control.listen"};
    for (size_t i = 0; i < 3; i++) {
        assert_check(keys[i], accepted, refused);
    }
    assert_check("control.listen", local, empty);
    assert_check("bus.listen", none, local); /* nng's listener at such a path goes deaf */
    assert_check("bus.advertise", none, local);
    assert_check("bus.listen", none, empty);
    assert_check("bus.advertise", empty, none);
}

static void config_check_text_is_bounded_and_without_control_characters(void **state)
{
    (void)state;
    static char longest[1026];
    memset(longest, 'x', 1024);
    assert_true(takes("auth.key", longest));
    assert_string_equal(config.auth_key, longest);
    longest[1024] = 'x';
    assert_false(takes("auth.key", longest));
    assert_true(takes("auth.key", " \t a b \xed\x99\x8d=;#\"' \n"));
    assert_string_equal(config.auth_key, "a b \xed\x99\x8d=;#\"'");
    assert_false(takes("auth.key", "a\nb"));
    assert_false(takes("auth.key", "a\x7f"));
    assert_false(takes("auth.key_file", "a\x01"));
}

/* Addresses ------------------------------------------------------------------------------------ */

static void config_ipv4_port_is_in_host_order_and_untouched_on_failure(void **state)
{
    (void)state;
    uint32_t ip = 7;
    uint16_t port = 9;
    assert_false(config_ipv4_port("1.2.3.4:65536", &ip, &port));
    assert_false(config_ipv4_port("1.2.3:1", &ip, &port));
    assert_false(config_ipv4_port("", &ip, &port));
    assert_int_equal(ip, 7);
    assert_int_equal(port, 9);
    assert_true(config_ipv4_port("1.2.3.4:9000", &ip, &port));
    assert_int_equal(ip, 0x01020304);
    assert_int_equal(port, 9000);
}

struct membership {
    const char *networks;
    uint32_t ip;
    bool is_inside;
};

static const struct membership memberships[] = {
    {"", 0x0a000001, false},
    {"10.0.0.0/8", 0x0a000000, true},
    {"10.0.0.0/8", 0x0affffff, true},
    {"10.0.0.0/8", 0x09ffffff, false},
    {"10.0.0.0/8", 0x0b000000, false},
    {"10.9.9.9/8", 0x0a010101, true},
    {"192.168.1.7", 0xc0a80107, true},
    {"192.168.1.7", 0xc0a80106, false},
    {"192.168.1.6/31", 0xc0a80107, true},
    {"192.168.1.6/31", 0xc0a80108, false},
    {"10.0.0.0/8,192.168.1.7", 0xc0a80107, true},
    {"10.0.0.0/8 , 192.168.1.7", 0xc0a80107, true},
    {"10.0.0.0/8,192.168.1.7", 0xc0a80108, false},
    {"0.0.0.0/0", 0xffffffff, true},
    {"0.0.0.0/0", 0, true},
    {"128.0.0.0/1", 0x7fffffff, false},
    {"128.0.0.0/1", 0x80000000, true},
    {"nonsense,10.0.0.0/33", 0x0a000000, false},
    {"nonsense,10.0.0.0/8", 0x0a000000, true},
};

static void config_networks_contain_what_their_bits_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof memberships / sizeof memberships[0]; i++) {
        const struct membership *row = &memberships[i];
        if (config_networks_contain(row->networks, row->ip) != row->is_inside) {
            fail_msg("'%s' and %08" PRIx32, row->networks, row->ip);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_check_default_of_each_row_passes_its_own_check),
        cmocka_unit_test(config_check_bounds_of_each_number_are_exact),
        cmocka_unit_test(config_check_number_is_digits_and_nothing_else),
        cmocka_unit_test(config_check_each_choice_is_stored_by_its_place),
        cmocka_unit_test(config_check_names_are_of_few_characters_and_64_at_most),
        cmocka_unit_test(config_check_ipv4_port),
        cmocka_unit_test(config_check_networks),
        cmocka_unit_test(config_check_redis_url),
        cmocka_unit_test(config_check_url_of_bus_and_control),
        cmocka_unit_test(config_check_text_is_bounded_and_without_control_characters),
        cmocka_unit_test(config_ipv4_port_is_in_host_order_and_untouched_on_failure),
        cmocka_unit_test(config_networks_contain_what_their_bits_say),
    };
    return cmocka_run_group_tests(tests, NULL, free_config);
}
