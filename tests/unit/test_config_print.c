/* SPDX-License-Identifier: MIT */
/*
 * config_print: what is printed loads again to the same values, says all about each key, and shows
 * no secret; the documents in the repository are what the table says.
 */
#include "node/base/config.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT_BYTES 65536

static char path[64];
static char error[CONFIG_ERROR_BYTES];

static int make_file(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "/tmp/test_config_print-XXXXXX");
    int fd = mkstemp(path);
    return fd >= 0 ? close(fd) : -1;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void read_file(const char *name, char text[TEXT_BYTES])
{
    FILE *file = fopen(name, "re");
    if (file == NULL) {
        fail_msg("cannot open %s", name);
        return;
    }
    size_t len = fread(text, 1, TEXT_BYTES - 1, file);
    text[len] = '\0';
    assert_int_equal(fclose(file), 0);
    assert_in_range(len, 1, TEXT_BYTES - 2);
}

/* Everything other than the default, secrets excepted. */
static const char *const sets[] = {"node.id=n-1",
                                   "node.realm=R",
                                   "node.drain_s=7",
                                   "hgtp.listen=127.0.0.1:1",
                                   "hgtp.trusted_networks=10.0.0.0/8, 1.2.3.4",
                                   "hgtp.answer_ms=101",
                                   "hgtp.expires_s=2",
                                   "http.listen=127.0.0.1:2",
                                   "http.advertise_port=3",
                                   "http.idle_s=4",
                                   "http.ping_s=17",
                                   "http.push_give_up_s=18",
                                   "http.away_s=18",
                                   "http.allowed_origins=https://a.example, http://b:1",
                                   "auth.key_file=/a b ; c # d",
                                   "auth.md5=off",
                                   "auth.accounts=only",
                                   "auth.challenge_ms=1001",
                                   "redis.url=unix:///run/r.sock",
                                   "redis.deadline_ms=11",
                                   "bus.listen=tcp://1.2.3.4:5",
                                   "bus.advertise=tcp://h:6",
                                   "bus.key_file=/b k",
                                   "tls.cert_file=/c",
                                   "tls.key_file=/k",
                                   "tls.ca_file=/a",
                                   "tls.name=n.example.org",
                                   "control.listen=ipc:///x",
                                   "control.token_file=[\"quoted\"] = \xed\x99\x8d",
                                   "limits.users=5",
                                   "limits.rooms=0",
                                   "limits.room_members=6",
                                   "limits.message_bytes=7",
                                   "limits.name_bytes=8",
                                   "limits.messages_per_s=9",
                                   "limits.invites=18",
                                   "limits.invites_to_one=19",
                                   "limits.registers_per_s=10",
                                   "limits.requests_per_s=16",
                                   "limits.cost_per_s=18",
                                   "limits.address_cost_per_s=19",
                                   "limits.connections_per_address=17",
                                   "http.trusted_proxies=10.0.0.0/8",
                                   "limits.queue_bytes=4097",
                                   "log.level=error",
                                   "log.format=json",
                                   "http.names=talk.example.org",
                                   "history.length=12",
                                   "history.dedupe_s=13",
                                   "lists.max=14",
                                   "lists.coalesce_ms=15",
                                   "notices.language=ko"};

#define SET_COUNT (sizeof sets / sizeof sets[0])

static void load_sets(struct config *ret_config)
{
    const struct config_sources sources = {.sets = sets, .set_count = SET_COUNT};
    assert_true(config_load(&sources, ret_config, error));
}

static void load_defaults(struct config *ret_config)
{
    const struct config_sources sources = {.file = NULL};
    assert_true(config_load(&sources, ret_config, error));
}

static void load_file(struct config *ret_config)
{
    const struct config_sources sources = {.file = path};
    if (!config_load(&sources, ret_config, error)) {
        fail_msg("%s", error);
    }
}

static int count_differing(const struct config *a, const struct config *b)
{
    int count = 0;
#define CONFIG_STR(section, key, fallback, reload, help)                                           \
    count += strcmp(a->section##_##key, b->section##_##key) != 0;
#define CONFIG_CHECKED(section, key, fallback, check, reload, help)                                \
    count += strcmp(a->section##_##key, b->section##_##key) != 0;
#define CONFIG_INT(section, key, fallback, min, max, unit, reload, help)                           \
    count += a->section##_##key != b->section##_##key;
#define CONFIG_ENUM(section, key, fallback, choices, reload, help)                                 \
    count += a->section##_##key != b->section##_##key;
#include "node/base/config.def"
    return count;
}

static int count(const char *text, const char *what)
{
    int found = 0;
    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what)) {
        found++;
    }
    return found;
}

static void print_to_file(const struct config *config)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    config_print(config, file);
    assert_int_equal(fclose(file), 0);
}

static void config_print_loads_again_to_the_same_values(void **state)
{
    (void)state;
    struct config defaults;
    struct config changed;
    struct config again;
    load_defaults(&defaults);
    load_sets(&changed);
    assert_int_equal(count_differing(&defaults, &changed), SET_COUNT);

    print_to_file(&changed);
    load_file(&again);
    assert_int_equal(count_differing(&changed, &again), 0);
    config_fini(&again);

    print_to_file(&defaults);
    load_file(&again);
    assert_int_equal(count_differing(&defaults, &again), 0);
    config_fini(&again);
    config_fini(&changed);
    config_fini(&defaults);
}

static void config_print_says_all_about_each_key(void **state)
{
    (void)state;
    static char text[TEXT_BYTES];
    static char flat[TEXT_BYTES];
    struct config config;
    load_sets(&config);
    print_to_file(&config);
    config_fini(&config);
    read_file(path, text);
    assert_int_equal(count(text, "\n[limits]\n\n"
                                 "# Most sessions in the realm.\n"
                                 "# Default: 100000. Allowed: a whole number from 1 to 10000000 "
                                 "(sessions). A change is taken on\n"
                                 "# reload (SIGHUP).\n"
                                 "users = 5\n"),
                     1);
    /* Comments are broken into lines anywhere. */
    size_t len = 0;
    for (const char *at = text; *at != '\0'; at++) {
        at += strncmp(at, "\n# ", 3) == 0 ? 2 : 0;
        flat[len++] = *at;
    }
    flat[len] = '\0';
#define CONFIG_STR(section, key, fallback, reload, help)                                           \
    assert_int_equal(count(flat, " " help " Default: "), 1);
#define CONFIG_CHECKED(section, key, fallback, check, reload, help)                                \
    assert_int_equal(count(flat, " " help " Default: "), 1);
#define CONFIG_INT(section, key, fallback, min, max, unit, reload, help)                           \
    assert_int_equal(count(flat,                                                                   \
                           " " help " Default: " #fallback ". Allowed: a whole number from " #min  \
                           " to " #max " (" unit "). A change"),                                   \
                     1);
#define CONFIG_ENUM(section, key, fallback, choices, reload, help)                                 \
    assert_int_equal(count(flat, " " help " Default: " fallback ". Allowed: "), 1);
#include "node/base/config.def"
}

static void config_print_never_shows_a_secret(void **state)
{
    (void)state;
    static char text[TEXT_BYTES];
    static const char *const secrets[] = {"auth.key=5ecret", "bus.key=5ecret",
                                          "redis.url=redis://u:5ecret@h:1/0"};
    const struct config_sources sources = {.sets = secrets, .set_count = 3};
    struct config config;
    assert_true(config_load(&sources, &config, error));
    print_to_file(&config);
    config_fini(&config);
    read_file(path, text);
    assert_null(strstr(text, "5ecret"));
    assert_int_equal(count(text, "\n# key = (set)\n"), 2);
    assert_int_equal(count(text, "\n# url = (set)\n"), 1);
    assert_int_equal(count(text, "\nkey ="), 0);
    /* "(set)" must not become a key when the output is used as a file. */
    load_file(&config);
    assert_string_equal(config.auth_key, "");
    assert_string_equal(config.bus_key, "");
    config_fini(&config);
}

static void config_print_shows_that_a_secret_is_not_set(void **state)
{
    (void)state;
    static char text[TEXT_BYTES];
    struct config config;
    load_defaults(&config);
    print_to_file(&config);
    config_fini(&config);
    read_file(path, text);
    assert_int_equal(count(text, "\nkey =\n"), 2);
    assert_int_equal(count(text, "= (set)"), 0);
}

/* Documents ------------------------------------------------------------------------------------ */

/* Prints by `print` into memory. */
static void print_text(void (*print)(FILE *out), char text[TEXT_BYTES])
{
    FILE *out = fmemopen(text, TEXT_BYTES, "w");
    assert_non_null(out);
    print(out);
    assert_int_equal(fclose(out), 0);
    assert_in_range(strlen(text), 1, TEXT_BYTES - 2);
}

static void config_print_example_has_every_key_as_a_comment(void **state)
{
    (void)state;
    static char text[TEXT_BYTES];
    struct config config;
    struct config defaults;
    print_text(config_print_example, text);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    int keys = 0;
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        bool is_key = line[0] == '#' && line[1] != ' ';
        keys += is_key;
        assert_true(is_key || line[0] == '#' || line[0] == '[' || line[0] == '\n');
        (void)fprintf(file, "%.*s\n", (int)strcspn(line, "\n") - is_key, line + is_key);
    }
    assert_int_equal(fclose(file), 0);
    load_file(&config);
    load_defaults(&defaults);
    assert_int_equal(count_differing(&config, &defaults), 0);
    assert_int_equal(keys, SET_COUNT + 2);
    config_fini(&config);
    config_fini(&defaults);
}

static void config_print_markdown_has_a_row_of_five_cells_for_every_key(void **state)
{
    (void)state;
    static char text[TEXT_BYTES];
    int rows = 0;
    print_text(config_print_markdown, text);
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        if (strncmp(line, "| `", 3) == 0) {
            int bars = 0;
            for (const char *at = line; *at != '\n'; at++) {
                bars += *at == '|' && (at == line || at[-1] != '\\');
            }
            assert_int_equal(bars, 6);
            rows++;
        }
    }
    assert_int_equal(rows, SET_COUNT + 2);
    assert_int_equal(
        count(text, "\n| `rooms` | `100000` | a whole number from 0 to 10000000 (rooms) | reload | "
                    "Most rooms in the realm. |\n"),
        1);
}

/* Says that it is made, and how, in its first lines. */
static void assert_document(const char *name, void (*print)(FILE *out))
{
    static char expected[TEXT_BYTES];
    static char kept[TEXT_BYTES];
    print_text(print, expected);
    read_file(name, kept);
    assert_string_equal(kept, expected);
    const char *command = strstr(kept, "cmake --build build --target docs");
    assert_non_null(command);
    assert_true(command - kept < 200);
}

static void config_documents_in_the_repository_are_what_the_table_says(void **state)
{
    (void)state;
    assert_document(TEST_SOURCE_DIR "/docs/configuration.md", config_print_markdown);
    assert_document(TEST_SOURCE_DIR "/deploy/hgtpd.conf.example", config_print_example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_print_loads_again_to_the_same_values),
        cmocka_unit_test(config_print_says_all_about_each_key),
        cmocka_unit_test(config_print_never_shows_a_secret),
        cmocka_unit_test(config_print_shows_that_a_secret_is_not_set),
        cmocka_unit_test(config_print_example_has_every_key_as_a_comment),
        cmocka_unit_test(config_print_markdown_has_a_row_of_five_cells_for_every_key),
        cmocka_unit_test(config_documents_in_the_repository_are_what_the_table_says),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
