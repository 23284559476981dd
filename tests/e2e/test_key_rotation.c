/* SPDX-License-Identifier: MIT */
/*
 * Secrets are replaced while people talk: each step as docs/operations.md has it, and at no moment
 * is anybody refused who is to be let in. (auth.key_file is test_operation.c's.)
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/e2e_cluster.h"
#include "tests/support/tool.h"

#define NODES     3
#define RELOAD_MS 10000

static void write_secret(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* So often a node has said that it has read its settings again. */
static int reloads_of(const struct daemon *daemon)
{
    int count = 0;
    const char *at = process_stderr(daemon->process);
    for (at = strstr(at, "event=reloaded"); at != NULL; at = strstr(at + 1, "event=reloaded")) {
        count++;
    }
    return count;
}

struct reloading {
    const struct daemon *daemon;
    int before;
};

static bool has_reloaded(void *arg)
{
    const struct reloading *reloading = arg;
    return reloads_of(reloading->daemon) > reloading->before;
}

static void reload(const struct daemon *daemon)
{
    struct reloading reloading = {daemon, reloads_of(daemon)};
    process_signal(daemon->process, SIGHUP);
    assert_true(pump_until(has_reloaded, &reloading, RELOAD_MS));
}

/* Each beat of a node is a batch to every other one, so two more of these show that all are taken.
 */
static void expect_batches(const struct e2e *e, size_t node)
{
    int64_t before = e2e_metric_at(e, node, "hgtp_bus_batches_total{direction=\"received\"}");
    int64_t until_ms = pump_deadline_ms(RELOAD_MS);
    while (e2e_metric_at(e, node, "hgtp_bus_batches_total{direction=\"received\"}") <
           before + 2 * NODES) {
        assert_true(pump_now_ms() < until_ms);
        e2e_retry_pause();
    }
}

static int64_t forged(const struct e2e *e)
{
    int64_t sum = 0;
    for (size_t node = 0; node < NODES; node++) {
        sum += e2e_metric_at(e, node, "hgtp_bus_refused_total{reason=\"forged\"}");
    }
    return sum;
}

/* One node after the other, as an operator goes about it; in between they have different files. */
static void rotate_bus_key(struct e2e *e, const char *path, const char *text,
                           struct original *speaker, struct original *hearer)
{
    write_secret(path, text);
    for (size_t node = 0; node < NODES; node++) {
        char words[96];
        reload(e->nodes[node].daemon);
        expect_batches(e, (node + 1) % NODES);
        snprintf(words, sizeof words, "node %zu has %.20s", node, text);
        words[strcspn(words, "\n")] = '\0';
        assert_true(original_say(speaker, words));
        e2e_came(original_wait_message(hearer, words));
    }
}

static void expect_keys(const struct e2e *e, int64_t count)
{
    for (size_t node = 0; node < NODES; node++) {
        assert_true(e2e_metric_becomes(e, node, "hgtp_keys{of=\"node\"}", count, RELOAD_MS));
    }
}

static int64_t by_second_key(const struct e2e *e, size_t node)
{
    return e2e_metric_at(e, node, "hgtp_second_key_total{of=\"node\"}");
}

/* Once all nodes use the new key nobody hears the old one any more, which is what an operator looks
 * at before he takes it away. */
static void expect_second_key_unused(const struct e2e *e)
{
    for (size_t node = 0; node < NODES; node++) {
        int64_t before, until_ms = pump_deadline_ms(RELOAD_MS);
        do {
            assert_true(pump_now_ms() < until_ms);
            before = by_second_key(e, node);
            expect_batches(e, node);
        } while (by_second_key(e, node) != before);
        assert_true(before > 0);
    }
}

E2E_SCENARIO(bus_key_is_replaced_without_a_batch_refused)
{
    char *folder = process_folder_make();
    char path[128], setting[160];
    snprintf(path, sizeof path, "%s/bus_key", folder);
    snprintf(setting, sizeof setting, "bus.key_file=%s", path);
    write_secret(path, "the old key\n");
    E2E_CLUSTER(e, NODES, "bus.key=", setting);
    e2e_cluster_meshed(e);
    struct original *alice = e2e_user_at(e, 0, "alice");
    struct original *bob = e2e_user_at(e, 2, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");

    expect_keys(e, 1);
    rotate_bus_key(e, path, "the old key\nthe new key\n", alice, bob);
    expect_keys(e, 2);
    rotate_bus_key(e, path, "the new key\nthe old key\n", alice, bob);
    expect_second_key_unused(e);
    rotate_bus_key(e, path, "the new key\n", alice, bob);
    expect_keys(e, 1);
    assert_int_equal(forged(e), 0);

    /* What the steps are for: a key that the others don't have is not taken. */
    write_secret(path, "a foreign key\n");
    reload(e->nodes[1].daemon);
    int64_t until_ms = pump_deadline_ms(RELOAD_MS);
    while (e2e_metric_at(e, 0, "hgtp_bus_refused_total{reason=\"forged\"}") == 0) {
        assert_true(pump_now_ms() < until_ms);
        e2e_retry_pause();
    }
    process_folder_remove(folder);
    free(folder);
}

static void expect_account(const struct e2e *e, const char *state)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\"", state);
    TOOL(e->daemon, 0, "-o", "json", "account", "list");
    assert_non_null(strstr(tool.out, quoted));
}

/* What was sealed by the old key is sealed anew when its user comes. */
E2E_SCENARIO(accounts_outlive_the_bus_key_that_seals_them)
{
    char *folder = process_folder_make();
    char path[128], setting[160], key[64];
    snprintf(path, sizeof path, "%s/bus_key", folder);
    snprintf(setting, sizeof setting, "bus.key_file=%s", path);
    write_secret(path, "the old key\n");
    E2E_NODE(e, "bus.key=", setting);
    TOOL(e->daemon, 0, "-o", "json", "account", "add", "bob");
    json_t *added = tool_json();
    snprintf(key, sizeof key, "%s", tool_text(added, "key"));
    json_decref(added);
    const struct original_options options = {.name = "bob", .key = key};
    write_secret(path, "the old key\nthe new key\n");
    reload(e->daemon);
    expect_account(e, "sealed");
    write_secret(path, "the new key\nthe old key\n");
    reload(e->daemon);
    expect_account(e, "old");
    struct original *bob = e2e_user_with(e, &options);
    expect_account(e, "sealed");
    write_secret(path, "the new key\n");
    reload(e->daemon);
    expect_account(e, "sealed");
    assert_true(original_register(bob));
    write_secret(path, "a foreign key\n");
    reload(e->daemon);
    expect_account(e, "unreadable");
    assert_false(original_register(bob));
    process_folder_remove(folder);
    free(folder);
}

E2E_SCENARIO(bus_key_in_a_file_is_enough_beyond_loopback_and_an_empty_file_is_not)
{
    char *folder = process_folder_make();
    char path[128], setting[160];
    snprintf(path, sizeof path, "%s/bus_key", folder);
    snprintf(setting, sizeof setting, "bus.key_file=%s", path);
    write_secret(path, "");
    e->daemon = daemon_start((const char *const[]){setting, "bus.listen=tcp://0.0.0.0:0", NULL});
    assert_true(process_wait_exit(e->daemon->process, RELOAD_MS) > 0);
    assert_non_null(strstr(process_stderr(e->daemon->process), "is empty"));
    daemon_free(e->daemon);
    write_secret(path, "a key of some length\n");
    e->redis = redis_server_new();
    assert_true(redis_server_start(e->redis));
    char url[160];
    snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    e->daemon = NULL;
    E2E_NODE(e, setting, url, "bus.listen=tcp://0.0.0.0:0");
    assert_null(strstr(process_stderr(e->daemon->process), "a key of some length"));
    process_folder_remove(folder);
    free(folder);
}

/* Both tokens count between the first reload and the second. */
E2E_SCENARIO(control_token_is_replaced_while_one_of_the_two_always_counts)
{
    static const char old_line[] = "operate 0123456789abcdef shift\n";
    static const char new_line[] = "operate fedcba9876543210 shift\n";
    char *folder = process_folder_make();
    char tokens[128], old_token[128], new_token[128], setting[160], both[128];
    snprintf(tokens, sizeof tokens, "%s/tokens", folder);
    snprintf(old_token, sizeof old_token, "%s/old", folder);
    snprintf(new_token, sizeof new_token, "%s/new", folder);
    snprintf(setting, sizeof setting, "control.token_file=%s", tokens);
    snprintf(both, sizeof both, "%s%s", old_line, new_line);
    write_secret(tokens, old_line);
    write_secret(old_token, old_line);
    write_secret(new_token, new_line);
    E2E_NODE(e, setting);
    TOOL(e->daemon, 0, "--token-file", old_token, "room", "list");
    TOOL(e->daemon, 5, "--token-file", new_token, "room", "list");
    write_secret(tokens, both);
    reload(e->daemon);
    TOOL(e->daemon, 0, "--token-file", old_token, "room", "list");
    TOOL(e->daemon, 0, "--token-file", new_token, "room", "list");
    write_secret(tokens, new_line);
    reload(e->daemon);
    TOOL(e->daemon, 0, "--token-file", new_token, "room", "list");
    TOOL(e->daemon, 5, "--token-file", old_token, "room", "list");
    process_folder_remove(folder);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(bus_key_is_replaced_without_a_batch_refused),
        E2E_TEST(accounts_outlive_the_bus_key_that_seals_them),
        E2E_TEST(bus_key_in_a_file_is_enough_beyond_loopback_and_an_empty_file_is_not),
        E2E_TEST(control_token_is_replaced_while_one_of_the_two_always_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
