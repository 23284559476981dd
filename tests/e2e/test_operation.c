/* SPDX-License-Identifier: MIT */
/*
 * hgtpd as its operators meet it: command line, settings, refusals to start, signals, and what is
 * left behind when it has ended.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/e2e.h"

#define ENDS_MS 10000

/* Runs hgtpd with these arguments to its end; the exit code. */
#define run(e, ...) run_args((e), (const char *const[]){__VA_ARGS__, NULL})
static int run_args(struct e2e *e, const char *const *args)
{
    daemon_free(e->daemon);
    e->daemon = daemon_run(args);
    return process_wait_exit(e->daemon->process, ENDS_MS);
}

static void expect_said(const struct e2e *e, const char *text)
{
    if (strstr(process_stderr(e->daemon->process), text) == NULL &&
        strstr(process_stdout(e->daemon->process), text) == NULL) {
        fail_msg("it did not say: %s", text);
    }
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Command line --------------------------------------------------------------------------------- */

E2E_SCENARIO(version_and_help_are_printed_and_nothing_is_started)
{
    assert_int_equal(run(e, "--version"), 0);
    assert_non_null(strstr(process_stdout(e->daemon->process), "(commit "));
    assert_memory_equal(process_stdout(e->daemon->process), "hgtpd ", 6);
    assert_int_equal(run(e, "--help"), 0);
    expect_said(e, "--print-config");
    assert_int_equal(process_folder_count(e->daemon->folder), 0);
}

E2E_SCENARIO(wrong_usage_ends_with_2_and_points_to_the_help)
{
    assert_int_equal(run(e, "--nonsense"), 2);
    expect_said(e, "nonsense");
    expect_said(e, "--help");
    assert_int_equal(run(e, "--set"), 2);
    expect_said(e, "--set needs a value");
    assert_int_equal(run(e, "argument"), 2);
    expect_said(e, "argument");
    static const char *const hostile[][3] = {{"a\033[2J\nb", NULL},
                                             {"--a\033[2J\nb", NULL},
                                             {"--set", "log.level=a\033[2J\nb", NULL},
                                             {"--set", "a\033[2J\nb", NULL},
                                             {"--config", "/a\033[2J\nb", NULL}};
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        assert_in_range(run_args(e, hostile[i]), 1, 2);
        const char *said = process_stderr(e->daemon->process);
        assert_null(strchr(said, '\033'));
        assert_null(strstr(said, "\nb"));
    }
}

E2E_SCENARIO(wrong_settings_end_with_1_and_name_key_and_allowed_values)
{
    assert_int_equal(run(e, "--check-config", "--set", "limits.users=0"), 1);
    expect_said(e, "limits.users");
    expect_said(e, "10000000");
    assert_int_equal(run(e, "--check-config", "--set", "limits.user=5"), 1);
    expect_said(e, "limits.users");
    assert_int_equal(run(e, "--set", "hgtp.listen=localhost"), 1);
    expect_said(e, "hgtp.listen");
    assert_int_equal(run(e, "--set", "notices.language=fr"), 1);
    expect_said(e, "ko");
    assert_int_equal(run(e, "--set", "nonsense"), 1);
}

E2E_SCENARIO(wrong_line_in_the_file_is_named_by_file_and_number)
{
    char *folder = process_folder_make();
    char path[128], place[160];
    snprintf(path, sizeof path, "%s/hgtpd.ini", folder);
    write_file(path, "[hgtp]\nlisten=127.0.0.1:0\nanswer_ms=soon\n[http]\nlisten=127.0.0.1:0\n");
    assert_int_equal(run(e, "--config", path, "--check-config"), 1);
    snprintf(place, sizeof place, "%s:3", path);
    expect_said(e, place);
    expect_said(e, "answer_ms");
    write_file(path, "[hgtp]\nlisten=127.0.0.1:0\n[http]\nlisten=127.0.0.1:0\n");
    assert_int_equal(run(e, "--config", path, "--check-config"), 0);
    assert_int_equal(run(e, "--config", "/nowhere/hgtpd.ini", "--check-config"), 1);
    expect_said(e, "/nowhere/hgtpd.ini");
    process_folder_remove(folder);
    free(folder);
}

E2E_SCENARIO(print_config_shows_every_setting_and_no_secret)
{
    assert_int_equal(
        run(e, "--print-config", "--set", "auth.key=sesame", "--set", "limits.users=7"), 0);
    expect_said(e, "users");
    expect_said(e, "answer_ms");
    expect_said(e, "= 7");
    expect_said(e, "(set)");
    assert_null(strstr(process_stdout(e->daemon->process), "sesame"));
    assert_null(strstr(process_stderr(e->daemon->process), "sesame"));
}

/* Refusals to start ---------------------------------------------------------------------------- */

E2E_SCENARIO(port_in_use_ends_with_1_and_names_port_and_key)
{
    int udp = sockets_udp(SOCKETS_LOOPBACK, 0), tcp = sockets_listen(SOCKETS_LOOPBACK, 0);
    assert_true(udp >= 0 && tcp >= 0);
    char setting[64], address[32];
    snprintf(address, sizeof address, "127.0.0.1:%u", sockets_port(udp));
    snprintf(setting, sizeof setting, "hgtp.listen=%s", address);
    assert_int_equal(
        run(e, "--set", setting, "--set", "http.listen=127.0.0.1:0", "--set", "auth.key=k"), 1);
    expect_said(e, address);
    expect_said(e, "hgtp.listen");
    assert_int_equal(process_folder_count(e->daemon->folder), 0);

    snprintf(address, sizeof address, "127.0.0.1:%u", sockets_port(tcp));
    snprintf(setting, sizeof setting, "http.listen=%s", address);
    assert_int_equal(
        run(e, "--set", setting, "--set", "hgtp.listen=127.0.0.1:0", "--set", "auth.key=k"), 1);
    expect_said(e, address);
    expect_said(e, "http.listen");
    assert_int_equal(process_folder_count(e->daemon->folder), 0);
    close(udp);
    close(tcp);
}

E2E_SCENARIO(node_without_a_key_listens_on_loopback_only)
{
    assert_int_equal(run(e, "--set", "hgtp.listen=0.0.0.0:0", "--set", "http.listen=127.0.0.1:0"),
                     1);
    expect_said(e, "auth.key");
    assert_int_equal(run(e, "--set", "hgtp.listen=127.0.0.1:0", "--set", "http.listen=0.0.0.0:0",
                         "--check-config"),
                     1);
    expect_said(e, "auth.key");
    daemon_free(e->daemon);
    e->daemon = NULL;
    E2E_NODE(e, "auth.key=");
    struct original *alice = e2e_client(e, "alice");
    assert_false(original_register(alice));
}

E2E_SCENARIO(two_nodes_do_not_share_a_port)
{
    E2E_NODE(e);
    char setting[64];
    snprintf(setting, sizeof setting, "hgtp.listen=127.0.0.1:%u", e->daemon->hgtp_port);
    struct daemon *second = daemon_start((const char *const[]){setting, NULL});
    assert_int_equal(process_wait_exit(second->process, ENDS_MS), 1);
    daemon_free(second);
    e2e_user(e, "alice");
}

/* Signals -------------------------------------------------------------------------------------- */

E2E_SCENARIO(terminated_node_ends_with_0_and_leaves_neither_redis_nor_folder)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    e2e_open_room(alice, "den");
    pid_t children[4];
    assert_int_equal(process_children(e->daemon->process, children, 4), 1);
    assert_true(process_folder_count(e->daemon->folder) > 0);
    assert_int_equal(daemon_stop(e->daemon), 0);
    assert_true(process_gone(children[0], ENDS_MS));
    assert_int_equal(process_folder_count(e->daemon->folder), 0);
}

E2E_SCENARIO(interrupted_node_ends_like_a_terminated_one)
{
    E2E_NODE(e);
    process_signal(e->daemon->process, SIGINT);
    assert_int_equal(process_wait_exit(e->daemon->process, ENDS_MS), 0);
    assert_int_equal(process_folder_count(e->daemon->folder), 0);
}

E2E_SCENARIO(killed_node_takes_its_redis_with_it)
{
    E2E_NODE(e);
    pid_t children[4];
    assert_int_equal(process_children(e->daemon->process, children, 4), 1);
    process_signal(e->daemon->process, SIGKILL);
    assert_int_equal(process_wait_exit(e->daemon->process, ENDS_MS), 128 + SIGKILL);
    assert_true(process_gone(children[0], ENDS_MS));
}

/* By default they would end it, and nobody means that by them. */
E2E_SCENARIO(signals_without_a_meaning_end_nothing)
{
    E2E_NODE(e);
    process_signal(e->daemon->process, SIGUSR1);
    process_signal(e->daemon->process, SIGUSR2);
    struct original *alice = e2e_user(e, "alice");
    assert_true(original_fence(alice));
    assert_int_equal(process_wait_exit(e->daemon->process, 0), -1);
}

E2E_SCENARIO(second_sigterm_ends_a_drain_at_once)
{
    e->redis = redis_server_new();
    assert_true(redis_server_start(e->redis));
    char url[160];
    snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    E2E_NODE(e, url, "redis.deadline_ms=60000", "node.drain_s=60");
    struct original *alice = e2e_user(e, "alice");
    /* A request that gets no answer keeps the drain waiting. */
    process_signal(e->redis->process, SIGSTOP);
    original_send_plain(alice, HGTP_REFRESH);
    assert_int_equal(e2e_get(e, "/healthz", NULL, 0), 200);
    process_signal(e->daemon->process, SIGTERM);
    assert_true(process_wait_output(e->daemon->process, "event=draining", ENDS_MS));
    process_signal(e->daemon->process, SIGTERM);
    assert_true(process_wait_exit(e->daemon->process, ENDS_MS) > 0);
    process_signal(e->redis->process, SIGCONT);
}

E2E_SCENARIO(drain_answers_what_was_asked_before_it)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    e2e_open_room(alice, "den");
    for (int i = 0; i < 50; i++) {
        assert_true(original_say(alice, "before the end"));
    }
    e2e_came(original_wait_message(alice, "before the end"));
    process_signal(e->daemon->process, SIGTERM);
    size_t taken = 0;
    const struct original_event *answer;
    while (taken < 50 && (answer = original_wait_answer(alice)) != NULL) {
        assert_int_equal(answer->status, 200);
        taken++;
    }
    assert_int_equal(process_wait_exit(e->daemon->process, ENDS_MS), 0);
    const enum push_type messages = PUSH_MESSAGE;
    /* Whatever was acknowledged has been delivered. */
    assert_true(original_count(alice, 0, original_is_push, &messages) >= taken);
}

E2E_SCENARIO(hangup_takes_new_settings_and_names_those_that_need_a_restart)
{
    char *folder = process_folder_make();
    char path[128];
    snprintf(path, sizeof path, "%s/hgtpd.ini", folder);
    static const char format[] = "[hgtp]\nlisten=127.0.0.1:0\n[http]\nlisten=127.0.0.1:0\n"
                                 "[auth]\nkey=950817\n[notices]\nlanguage=%s\n[node]\nrealm=%s\n";
    char text[512];
    snprintf(text, sizeof text, format, "en", "FIRST");
    write_file(path, text);
    e->daemon = daemon_run((const char *const[]){"--config", path, NULL});
    assert_true(daemon_wait_ready(e->daemon));
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");

    snprintf(text, sizeof text, format, "ko", "SECOND");
    write_file(path, text);
    process_signal(e->daemon->process, SIGHUP);
    assert_true(process_wait_output(e->daemon->process, "event=reloaded", ENDS_MS));
    expect_said(e, "notices.language");
    expect_said(e, "node.realm");
    e2e_ok(original_join(bob, "den"));
    e2e_came(original_wait_notice(alice, "[bob]님이 입장 했습니다."));

    write_file(path, "[notices]\nlanguage=klingon\n");
    process_signal(e->daemon->process, SIGHUP);
    assert_true(process_wait_output(e->daemon->process, "klingon", ENDS_MS));
    e2e_ok(original_exit(bob, "den"));
    e2e_came(original_wait_notice(alice, "[bob]님이 퇴장 했습니다."));
    process_folder_remove(folder);
    free(folder);
}

/* So the environment overrides a file of keys, as for a trial in a container. */
E2E_SCENARIO(key_that_is_set_is_the_only_one_beside_a_file_of_keys)
{
    char *folder = process_folder_make();
    char path[128], setting[160];
    snprintf(path, sizeof path, "%s/key", folder);
    snprintf(setting, sizeof setting, "auth.key_file=%s", path);
    write_file(path, "first of the file\nsecond of the file\n");
    E2E_NODE(e, "auth.key=set", setting);
    const struct original_options by_file = {.name = "bob", .key = "first of the file"};
    const struct original_options by_setting = {.name = "alice", .key = "set"};
    assert_false(original_register(e2e_client_with(e, &by_file)));
    (void)e2e_user_with(e, &by_setting);
    process_folder_remove(folder);
    free(folder);
}

/* A node whose key file has this text takes that key. */
static void expect_key(struct e2e *e, const char *text, const char *key)
{
    char *folder = process_folder_make();
    char path[128], setting[160];
    snprintf(path, sizeof path, "%s/key", folder);
    snprintf(setting, sizeof setting, "auth.key_file=%s", path);
    write_file(path, text);
    E2E_NODE(e, "auth.key=", setting);
    const struct original_options options = {.name = "alice", .key = key};
    (void)e2e_user_with(e, &options);
    process_folder_remove(folder);
    free(folder);
}

E2E_SCENARIO(byte_order_mark_is_no_part_of_a_key)
{
    expect_key(e,
               "\xef\xbb\xbf"
               "a key\n",
               "a key");
}

E2E_SCENARIO(key_may_begin_with_the_byte_that_the_mark_begins_with)
{
    expect_key(e, "\uff41 key\n", "\uff41 key");
}

E2E_SCENARIO(keys_are_rotated_without_a_restart)
{
    char *folder = process_folder_make();
    char path[128], setting[160];
    snprintf(path, sizeof path, "%s/key", folder);
    snprintf(setting, sizeof setting, "auth.key_file=%s", path);
    write_file(path, "old key\n");
    E2E_NODE(e, "auth.key=", setting);
    const struct original_options old_key = {.name = "old", .key = "old key"};
    const struct original_options new_key = {.name = "new", .key = "new key"};
    struct original *old_user = e2e_user_with(e, &old_key);
    struct original *new_user = e2e_client_with(e, &new_key);
    assert_false(original_register(new_user));

    write_file(path, "new key\nold key\n");
    process_signal(e->daemon->process, SIGHUP);
    int64_t deadline_ms = pump_deadline_ms(ENDS_MS);
    while (!original_register(new_user)) {
        assert_true(pump_now_ms() < deadline_ms);
        e2e_retry_pause();
    }
    int64_t before = e2e_metric(e, "hgtp_second_key_total{of=\"client\"}");
    assert_true(original_register(new_user));
    assert_int_equal(e2e_metric(e, "hgtp_second_key_total{of=\"client\"}"), before);
    assert_true(original_register(old_user));
    assert_int_equal(e2e_metric(e, "hgtp_second_key_total{of=\"client\"}"), before + 1);

    write_file(path, "new key\n");
    process_signal(e->daemon->process, SIGHUP);
    while (original_register(old_user)) {
        assert_true(pump_now_ms() < deadline_ms);
        e2e_retry_pause();
    }
    assert_true(original_register(new_user));
    assert_true(original_fence(old_user));
    process_folder_remove(folder);
    free(folder);
}

/* A node that would read a secret from a file that others may read does not start. */
E2E_SCENARIO(secrets_in_files_that_others_may_read_are_refused)
{
    char *folder = process_folder_make();
    char key[96], config[96], sets[2][128];
    snprintf(key, sizeof key, "%s/key", folder);
    snprintf(config, sizeof config, "%s/hgtpd.ini", folder);
    snprintf(sets[0], sizeof sets[0], "auth.key_file=%s", key);
    snprintf(sets[1], sizeof sets[1], "bus.key_file=%s", key);
    write_file(key, "a key\n");
    for (int i = 0; i < 2; i++) {
        const char *by_setting = i == 0 ? "bus.key=x" : "auth.key=x"; /* the other one's */
        assert_int_equal(chmod(key, 0644), 0);
        assert_int_equal(run(e, "--check-config", "--set", by_setting, "--set", sets[i]), 1);
        expect_said(e, i == 0 ? "auth.key_file: " : "bus.key_file: ");
        expect_said(e, key);
        expect_said(e, "chmod 600");
        assert_int_equal(chmod(key, 0600), 0);
        assert_int_equal(run(e, "--check-config", "--set", by_setting, "--set", sets[i]), 0);
    }
    static const char *const secrets[] = {"[auth]\nkey = a key\n", "[bus]\nkey = a key\n",
                                          "[redis]\nurl = redis://:word@127.0.0.1:6379/0\n"};
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        write_file(config, secrets[i]);
        assert_int_equal(chmod(config, 0644), 0);
        assert_int_equal(run(e, "--config", config, "--check-config", "--set", "auth.key=x"), 1);
        expect_said(e, "hgtpd.ini:2");
        expect_said(e, "chmod 600");
        assert_int_equal(chmod(config, 0600), 0);
        assert_int_equal(run(e, "--config", config, "--check-config", "--set", "auth.key=x"), 0);
    }
    write_file(config, "[auth]\nmd5 = off\n[redis]\nurl = redis://127.0.0.1:6379/0\n");
    assert_int_equal(chmod(config, 0644), 0); /* no secret in it */
    assert_int_equal(run(e, "--config", config, "--check-config", "--set", "auth.key=x"), 0);
    /* Root may share it with the node's group. */
    write_file(config, secrets[0]);
    assert_int_equal(chmod(config, 0640), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(config, 0, 65534), 0);
        assert_int_equal(run(e, "--config", config, "--check-config"), 0);
    } else {
        assert_int_equal(run(e, "--config", config, "--check-config"), 1);
    }
    process_folder_remove(folder);
    free(folder);
}

/* Log ------------------------------------------------------------------------------------------ */

E2E_SCENARIO(log_as_json_is_json_on_every_line)
{
    e->daemon = daemon_start((const char *const[]){"log.format=json", NULL});
    assert_true(process_wait_output(e->daemon->process, "\"ready\"", DAEMON_START_MS));
    assert_int_equal(daemon_stop(e->daemon), 0);
    const char *line = process_stderr(e->daemon->process);
    size_t lines = 0;
    while (*line != '\0') {
        size_t len = strcspn(line, "\n");
        assert_true(len > 2 && line[0] == '{' && line[len - 1] == '}');
        line += len + (line[len] == '\n');
        lines++;
    }
    assert_true(lines >= 2);
}

E2E_SCENARIO(log_holds_neither_keys_nor_tokens_nor_what_people_say)
{
    E2E_NODE(e, "log.level=debug", "auth.key=a-secret-key");
    const struct original_options options = {.name = "alice", .key = "a-secret-key"};
    struct original *alice = e2e_user_with(e, &options);
    e2e_open_room(alice, "den");
    assert_true(original_say(alice, "a private word"));
    e2e_came(original_wait_message(alice, "a private word"));
    char token[ORIGINAL_TOKEN_MAX + 1];
    memcpy(token, alice->token, alice->token_bytes);
    token[alice->token_bytes] = '\0';
    assert_int_equal(daemon_stop(e->daemon), 0);
    const char *log = process_stderr(e->daemon->process);
    assert_null(strstr(log, "a-secret-key"));
    assert_null(strstr(log, token));
    assert_null(strstr(log, "a private word"));
}

/* A node whose reload writes many lines, and nobody reads its log. */
static void start_unread(struct e2e *e, char *folder)
{
    char path[128];
    snprintf(path, sizeof path, "%s/hgtpd.ini", folder);
    write_file(path,
               "[hgtp]\nlisten=127.0.0.1:0\n[http]\nlisten=127.0.0.1:0\n[auth]\nkey=950817\n");
    e->daemon = daemon_run((const char *const[]){"--config", path, NULL});
    assert_true(daemon_wait_ready(e->daemon));
    write_file(path, "[hgtp]\nlisten=127.0.0.1:1\n[http]\nlisten=127.0.0.1:1\nadvertise_port=1\n"
                     "[auth]\nkey=950817\n[node]\nid=other\nrealm=OTHER\n[bus]\n"
                     "listen=tcp://127.0.0.1:1\nadvertise=tcp://127.0.0.1:1\n");
    process_hold_stderr(e->daemon->process);
}

E2E_SCENARIO(log_that_nobody_reads_stops_nobody_and_says_later_what_it_lost)
{
    char *folder = process_folder_make();
    start_unread(e, folder);
    int64_t deadline_ms = pump_now_ms() + 6 * ENDS_MS;
    while (e2e_metric(e, "hgtp_log_lines_dropped_total") == 0) {
        assert_true(pump_now_ms() < deadline_ms);
        process_signal(e->daemon->process, SIGHUP);
    }
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    assert_true(original_say(alice, "is anybody listening?"));
    e2e_came(original_wait_message(bob, "is anybody listening?"));
    assert_int_equal(e2e_get(e, "/readyz", NULL, 0), 200);

    process_read_stderr(e->daemon->process);
    assert_true(process_wait_output(e->daemon->process, "event=log_lines_dropped count=", ENDS_MS));
    process_folder_remove(folder);
    free(folder);
}

E2E_SCENARIO(terminated_node_ends_though_nobody_reads_its_log)
{
    char *folder = process_folder_make();
    start_unread(e, folder);
    for (int i = 0; i < 20; i++) {
        process_signal(e->daemon->process, SIGHUP);
        assert_int_equal(e2e_get(e, "/healthz", NULL, 0), 200);
    }
    assert_int_equal(daemon_stop(e->daemon), 0);
    process_folder_remove(folder);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(version_and_help_are_printed_and_nothing_is_started),
        E2E_TEST(wrong_usage_ends_with_2_and_points_to_the_help),
        E2E_TEST(wrong_settings_end_with_1_and_name_key_and_allowed_values),
        E2E_TEST(wrong_line_in_the_file_is_named_by_file_and_number),
        E2E_TEST(print_config_shows_every_setting_and_no_secret),
        E2E_TEST(port_in_use_ends_with_1_and_names_port_and_key),
        E2E_TEST(node_without_a_key_listens_on_loopback_only),
        E2E_TEST(two_nodes_do_not_share_a_port),
        E2E_TEST(terminated_node_ends_with_0_and_leaves_neither_redis_nor_folder),
        E2E_TEST(interrupted_node_ends_like_a_terminated_one),
        E2E_TEST(killed_node_takes_its_redis_with_it),
        E2E_TEST(signals_without_a_meaning_end_nothing),
        E2E_TEST(second_sigterm_ends_a_drain_at_once),
        E2E_TEST(drain_answers_what_was_asked_before_it),
        E2E_TEST(hangup_takes_new_settings_and_names_those_that_need_a_restart),
        E2E_TEST(key_that_is_set_is_the_only_one_beside_a_file_of_keys),
        E2E_TEST(byte_order_mark_is_no_part_of_a_key),
        E2E_TEST(key_may_begin_with_the_byte_that_the_mark_begins_with),
        E2E_TEST(keys_are_rotated_without_a_restart),
        E2E_TEST(secrets_in_files_that_others_may_read_are_refused),
        E2E_TEST(log_as_json_is_json_on_every_line),
        E2E_TEST(log_holds_neither_keys_nor_tokens_nor_what_people_say),
        E2E_TEST(log_that_nobody_reads_stops_nobody_and_says_later_what_it_lost),
        E2E_TEST(terminated_node_ends_though_nobody_reads_its_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
