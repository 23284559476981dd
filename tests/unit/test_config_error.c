/* SPDX-License-Identifier: MIT */
/* config: each error to the letter, from every source, and none that shows a secret. */
#include "config_fixture.h"

/* Errors --------------------------------------------------------------------------------------- */

struct wrong {
    const char *section;
    const char *pair;
    const char *expected;
};

static const struct wrong wrongs[] = {
    {"limits", "users = 0",
     "limits.users must be a whole number from 1 to 10000000 (sessions), not '0'"},
    {"limits", "users = many",
     "limits.users must be a whole number from 1 to 10000000 (sessions), not 'many'"},
    {"limits",
     "users =", "limits.users must be a whole number from 1 to 10000000 (sessions), not ''"},
    {"log", "level = loud", "log.level must be debug, info, warn or error, not 'loud'"},
    {"log", "format = json # no", "log.format must be logfmt or json, not 'json # no'"},
    {"http", "listen = 8080",
     "http.listen must be an IPv4 address and a port from 0 to 65535, as in 127.0.0.1:8080, not "
     "'8080'"},
    {"hgtp", "trusted_networks = 10/8",
     "hgtp.trusted_networks must be IPv4 networks a.b.c.d/bits, bits from 0 to 32, or addresses, "
     "separated "
     "by commas, or empty, not '10/8'"},
    {"redis", "url = http://x",
     "redis.url must be redis://[user:password@]host:port/db, unix:///path or "
     "redis+sentinel://[user:password@]host:port,host:port/master/db, or empty, not 'http://x'"},
    {"bus", "listen =",
     "bus.listen must be tcp://host:port, tls+tcp://host:port or inproc://name, not ''"},
    {"node", "realm = a b",
     "node.realm must be 1 to 64 letters, digits, '-', '_' or '.', not 'a b'"},
    {"log", "level = \x1b[31m\x7f", "log.level must be debug, info, warn or error, not '?[31m?'"},
    {"log", "level = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa4",
     "log.level must be debug, info, warn or error, not "
     "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...'"},
    {"limits", "user = 5",
     "unknown key 'limits.user' (did you mean 'limits.users'?); [limits] takes users, rooms, "
     "room_members, "
     "message_bytes, name_bytes, messages_per_s, invites, invites_to_one, registers_per_s, "
     "requests_per_s, cost_per_s, address_cost_per_s, "
     "connections_per_address, queue_bytes"},
    {"auth", "kye = 5",
     "unknown key 'auth.kye' (did you mean 'auth.key'?); [auth] takes key, key_file, md5, "
     "accounts, "
     "challenge_ms"},
    {"log", "LEVEL = info",
     "unknown key 'log.LEVEL' (did you mean 'log.level'?); [log] takes level, format"},
    {"auth", "k55 = on",
     "unknown key 'auth.k55'; [auth] takes key, key_file, md5, accounts, challenge_ms"},
    {"log", "colour = on", "unknown key 'log.colour'; [log] takes level, format"},
    {"limts", "users = 5",
     "unknown section 'limts' (did you mean 'limits'?); the sections are node, hgtp, http, auth, "
     "redis, bus, "
     "tls, control, limits, log, history, lists, notices"},
    {"Log", "level = info",
     "unknown section 'Log' (did you mean 'log'?); the sections are node, hgtp, http, auth, redis, "
     "bus, "
     "tls, control, limits, log, history, lists, notices"},
    {"database", "x = 5",
     "unknown section 'database'; the sections are node, hgtp, http, auth, redis, bus, tls, "
     "control, "
     "limits, log, "
     "history, lists, notices"},
};

static void config_wrong_setting_in_a_file_is_named_with_its_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "# first\n[%s]\n\n%s\n", wrongs[i].section,
                       wrongs[i].pair);
        assert_file_error(text, 4, wrongs[i].expected);
    }
}

static void config_wrong_set_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        char set[256];
        char source[128];
        const char *pair = wrongs[i].pair;
        size_t key_len = strcspn(pair, " ");
        (void)snprintf(set, sizeof set, "%s.%.*s%s", wrongs[i].section, (int)key_len, pair,
                       pair + key_len + 1);
        assert_false(load(NULL, NULL, set));
        (void)snprintf(source, sizeof source, "--set %s.%.*s", wrongs[i].section, (int)key_len,
                       pair);
        assert_error(source, wrongs[i].expected);
    }
}

static void config_set_without_section_key_or_value_is_an_error(void **state)
{
    (void)state;
    static const char expected[] = "section.key=value is expected, as in log.level=debug";
    assert_false(load(NULL, NULL, "log.level"));
    assert_error("--set log.level", expected);
    assert_false(load(NULL, NULL, "level=info"));
    assert_error("--set level", expected);
    assert_false(load(NULL, NULL, ""));
    assert_error("--set ", expected);
    assert_false(load(NULL, NULL, "auth.key 950817"));
    assert_error("--set auth.key", expected);
}

static void config_wrong_variable_is_named(void **state)
{
    (void)state;
    char value[] = "HGTP_LOG_LEVEL=loud";
    char key[] = "HGTP_LOG_LEVLE=info";
    char small[] = "HGTP_LOG_level=info";
    char nothing[] = "HGTP_LOG_=info";
    assert_false(load(NULL, value, NULL));
    assert_error("environment HGTP_LOG_LEVEL",
                 "log.level must be debug, info, warn or error, not 'loud'");
    assert_false(load(NULL, key, NULL));
    assert_error("environment HGTP_LOG_LEVLE",
                 "unknown key 'log.levle' (did you mean 'log.level'?); [log] takes level, format");
    assert_false(load(NULL, small, NULL));
    assert_error("environment HGTP_LOG_level",
                 "unknown key 'log.LEVEL' (did you mean 'log.level'?); [log] takes level, format");
    assert_false(load(NULL, nothing, NULL));
    assert_error("environment HGTP_LOG_", "unknown key 'log.'; [log] takes level, format");
}

/* Secrets -------------------------------------------------------------------------------------- */

static void config_error_never_shows_a_secret(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[auth]\nkey = 5ecret\x01\n",
        "[bus]\nkey = 5ecret\x01\n",
        "[auth]\nkye = 5ecret\n",
        "[auth]\nkey 5ecret\n",
        "[auth]\nkey 5ecret = x\n",
        "[auth]\nkey: 5ecret\n",
        "[auth]\nkey = x\nkey = 5ecret\n",
        "key = 5ecret\n",
        "[aut]\nkey = 5ecret\n",
        "[redis]\nurl = redis://u:5ecret@h:x/1\n",
        "[redis]\nurl = redis:/u:5ecret@host\n",
        "[auth] key = 5ecret\n",
    };
    static const char *const sets[] = {
        "auth.key=5ecret\n\x01x", "bus.key=5ecret\x01", "auth.kye=5ecret",     "auth.key 5ecret",
        "auth.key:5ecret=x",      "atuh.key=5ecret",    "redis.url=u:5ecret@h"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_false(load(texts[i], NULL, NULL));
        assert_null(strstr(error, "5ecret"));
    }
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        char variable[] = "HGTP_AUTH_KEYS=5ecret";
        assert_false(load(NULL, NULL, sets[i]));
        assert_null(strstr(error, "5ecret"));
        assert_false(load(NULL, variable, NULL));
        assert_null(strstr(error, "5ecret"));
    }
}

#define CONFIG_TEST(name) cmocka_unit_test_teardown(name, free_config)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG_TEST(config_wrong_setting_in_a_file_is_named_with_its_line),
        CONFIG_TEST(config_wrong_set_is_named),
        CONFIG_TEST(config_set_without_section_key_or_value_is_an_error),
        CONFIG_TEST(config_wrong_variable_is_named),
        CONFIG_TEST(config_error_never_shows_a_secret),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
