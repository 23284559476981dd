/* SPDX-License-Identifier: MIT */
/*
 * The talk client as people and scripts use it: real processes over pipes and in a real terminal,
 * against real nodes, behind the balancer and through relays that break.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/terminal.h"
#include "tests/support/tool.h"

#define KEY     "950817"
#define WAIT_MS 20000

/* Programs --------------------------------------------------------------------------------------
 */

static void print_cli(const void *guest, FILE *out)
{
    const struct process *cli = guest;
    fprintf(out, "--- talk %d\n%s--- its stderr\n%s", process_pid(cli), process_stdout(cli),
            process_stderr(cli));
}

static void free_cli(void *guest)
{
    process_free(guest);
}

static void free_terminal(void *guest)
{
    terminal_free(guest);
}

static void print_terminal(const void *guest, FILE *out)
{
    fprintf(out, "--- the screen\n%s---\n", terminal_screen(guest));
}

/* Addresses of 127.0.0.1. */
struct server {
    uint16_t http_port, hgtp_port;
};

struct command {
    const char *argv[16];
    char http[24], hgtp[24];
};

static void command_of(struct command *command, struct server server, const char *name,
                       const char *key, const char *room)
{
    snprintf(command->http, sizeof command->http, "127.0.0.1:%u", server.http_port);
    snprintf(command->hgtp, sizeof command->hgtp, "127.0.0.1:%u", server.hgtp_port);
    const char *const argv[] = {HGTPCTL_PATH, "talk",        "--name", name, "--key",       key,
                                "--hgtp",     command->hgtp, "--room", room, command->http, NULL};
    memcpy(command->argv, argv, sizeof argv);
    if (room == NULL) {
        command->argv[8] = command->http;
        command->argv[9] = NULL;
    }
}

static struct process *talk_by(struct e2e *e, const struct command *command)
{
    struct process *cli = process_start_fed(command->argv, "/tmp");
    const struct e2e_guest guest = {.guest = cli, .print = print_cli, .free = free_cli};
    e2e_adopt(e, &guest);
    return cli;
}

static struct process *talk_with_key(struct e2e *e, struct server server, const char *name,
                                     const char *key, const char *room)
{
    struct command command;
    command_of(&command, server, name, key, room);
    return talk_by(e, &command);
}

static struct process *talk(struct e2e *e, struct server server, const char *name, const char *room)
{
    return talk_with_key(e, server, name, KEY, room);
}

static struct server node_of(const struct e2e *e)
{
    return (struct server){e->daemon->http_port, e->daemon->hgtp_port};
}

#define hears(cli, text) hears_at((cli), (text), __LINE__)
static void hears_at(struct process *cli, const char *text, int line)
{
    if (!process_wait_output(cli, text, WAIT_MS)) {
        fail_msg("line %d: not heard: %s", line, text);
    }
}

/* End of input; everything is said and the program ends with this code. */
static void ends_with(struct process *cli, int exit_code)
{
    process_end_input(cli);
    assert_int_equal(process_wait_exit(cli, WAIT_MS), exit_code);
}

static size_t count_of(const char *text, const char *needle)
{
    size_t count = 0;
    for (const char *at = strstr(text, needle); at != NULL; at = strstr(at + 1, needle)) {
        count++;
    }
    return count;
}

static void says(struct process *cli, const char *who, int first, int last)
{
    for (int i = first; i <= last; i++) {
        char line[64];
        snprintf(line, sizeof line, "%s number %d\n", who, i);
        assert_true(process_write(cli, line));
    }
}

/* Each of them once, in order. */
static void expect_all(const struct process *cli, const char *who, int last)
{
    const char *at = process_stdout(cli);
    for (int i = 1; i <= last; i++) {
        char line[96];
        snprintf(line, sizeof line, " %s: %s number %d\n", who, who, i);
        assert_int_equal(count_of(process_stdout(cli), line), 1);
        at = strstr(at, line);
        assert_non_null(at);
    }
}

/* Scripts -------------------------------------------------------------------------------------- */

E2E_SCENARIO(talkers_over_pipes_hear_each_other_and_end_with_their_input)
{
    E2E_NODE(e);
    struct process *alice = talk(e, node_of(e), "alice", NULL);
    assert_true(process_write(alice, "/create 한국어 방\nis anybody here?\n"));
    hears(alice, " alice: is anybody here?\n");
    struct process *bob = talk(e, node_of(e), "bob", "한국어 방");
    hears(alice, "* bob joined\n");
    assert_true(process_write(bob, "안녕 🙂\n//help is no command here\nbye\n/exit\n"));
    ends_with(bob, 0);
    hears(alice, "* bob left\n");
    assert_non_null(strstr(process_stdout(alice), "* alice opened the room\n"));
    assert_non_null(strstr(process_stdout(bob), " bob: 안녕 🙂\n"));
    assert_non_null(strstr(process_stdout(alice), " bob: 안녕 🙂\n"));
    assert_non_null(strstr(process_stdout(alice), " bob: /help is no command here\n"));
    assert_null(strstr(process_stdout(bob), "anybody"));
    assert_null(strstr(process_stdout(bob), "\033"));
    ends_with(alice, 0);
    assert_int_equal(e2e_metric(e, "hgtp_sessions"), 0);
}

E2E_SCENARIO(message_of_a_script_is_delivered_even_if_it_is_its_last_word)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    struct process *bob = talk(e, node_of(e), "bob", "den");
    says(bob, "bob", 1, 500);
    ends_with(bob, 0);
    assert_true(talker_fence(alice));
    assert_true(talk_record_account(&alice->record).messages >= 500);
    expect_all(bob, "bob", 500);
}

E2E_SCENARIO(invited_is_asked_and_the_kicked_one_is_told)
{
    E2E_NODE(e);
    struct process *alice = talk(e, node_of(e), "alice", NULL);
    struct process *bob = talk(e, node_of(e), "bob", NULL);
    struct process *carol = talk(e, node_of(e), "carol", NULL);
    hears(bob, "connected to");
    hears(carol, "connected to");
    assert_true(process_write(alice, "/create den\n/invite carol\n/invite bob\n"));
    hears(carol, "* you are invited to den: /accept or /decline\n");
    assert_true(process_write(carol, "/decline\n"));
    hears(alice, "cannot invite carol: that user declined\n");
    hears(bob, "* you are invited to den: /accept or /decline\n");
    assert_true(process_write(bob, "/accept\nthank you\n"));
    hears(alice, " bob: thank you\n");
    assert_non_null(strstr(process_stdout(alice), "* bob was invited and joined\n"));
    assert_true(process_write(alice, "/kick bob\n"));
    hears(bob, "* you were removed from den\n");
    hears(alice, "* bob was removed\n");
    ends_with(alice, 1);
    ends_with(bob, 0);
    ends_with(carol, 0);
}

E2E_SCENARIO(members_of_a_closed_room_are_told)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    struct process *bob = talk(e, node_of(e), "bob", "den");
    hears(bob, "* bob joined\n");
    e2e_talk_ok(talker_delete(alice));
    hears(bob, "* you have left, because it was closed, den\n");
    assert_true(process_write(bob, "is anybody here?\n"));
    hears(bob, "you are in no room");
    ends_with(bob, 1);
}

E2E_SCENARIO(text_with_escape_sequences_is_shown_and_does_nothing)
{
    E2E_NODE(e);
    struct talker *mallory = e2e_talker(e, "mallory");
    e2e_talk_open_room(mallory, "den");
    struct process *bob = talk(e, node_of(e), "bob", "den");
    hears(bob, "* bob joined\n");
    assert_true(talker_say_acked(mallory,
                                 "\033]0;title\a\033[2J\r\n12:00 alice: forged\u202e\xc2\x85",
                                 NULL) > 0);
    assert_true(talker_say_acked(mallory, "the end", NULL) > 0);
    hears(bob, "the end\n");
    assert_non_null(
        strstr(process_stdout(bob), " mallory: ␛]0;title␇␛[2J␍␤12:00 alice: forged\ufffd\ufffd\n"));
    assert_null(strstr(process_stdout(bob), "\n12:00 alice"));
    ends_with(bob, 0);
}

E2E_SCENARIO(exit_code_tells_what_went_wrong)
{
    E2E_NODE(e);
    struct server server = node_of(e);
    struct process *wrong = talk_with_key(e, server, "alice", "wrong", NULL);
    ends_with(wrong, 1);
    assert_non_null(strstr(process_stderr(wrong), "cannot register as alice: wrong key"));
    ends_with(talk(e, server, "alice", "nowhere"), 1);
    const struct server no_http = {sockets_free_port(), server.hgtp_port};
    ends_with(talk(e, no_http, "alice", NULL), 3);
    const struct server no_hgtp = {server.http_port, sockets_free_port()};
    struct process *unheard = talk(e, no_hgtp, "alice", NULL);
    struct process *no_port = talk(e, (struct server){0, 0}, "alice", NULL);
    ends_with(no_port, 2);
    ends_with(talk(e, server, "alice", NULL), 0); /* the name is free */
    process_end_input(unheard);
    assert_int_equal(process_wait_exit(unheard, 40000), 3);
    char where[32];
    snprintf(where, sizeof where, "127.0.0.1:%d: no answer", no_hgtp.hgtp_port);
    const char *waits = strstr(process_stderr(unheard), where);
    assert_non_null(waits); /* it says so while it goes on trying, and at the end */
    assert_non_null(strstr(waits, "trying again"));
    assert_non_null(strstr(waits + 1, where));
    assert_non_null(strstr(waits, "--hgtp"));
}

/* Issue 12, item 17. */
E2E_SCENARIO(who_has_lost_the_connection_is_listed_as_away)
{
    E2E_NODE(e);
    struct relay *relay = e2e_relay(e, e->daemon->http_port);
    struct process *alice = talk(e, node_of(e), "alice", NULL);
    assert_true(process_write(alice, "/create den\n"));
    hears(alice, "opened the room");
    const struct server cut = {relay_port(relay), e->daemon->hgtp_port};
    struct process *bob = talk(e, cut, "bob", "den");
    hears(alice, "* bob joined\n");
    relay_set(relay, RELAY_CUT);
    hears(bob, "connecting again");
    int64_t until_ms = pump_deadline_ms(WAIT_MS);
    while (!process_wait_output(alice, "  bob (away)\n", 0)) {
        assert_true(pump_now_ms() < until_ms);
        assert_true(process_write(alice, "/users\n"));
        pump_pause(200);
    }
    relay_set(relay, RELAY_PASS);
    assert_true(process_write(bob, "here again\n"));
    hears(alice, " bob: here again\n");
    ends_with(bob, 0);
    ends_with(alice, 0);
}

/* Issue 12, item 19. */
E2E_SCENARIO(manager_hands_over_and_leaves_and_the_room_goes_on)
{
    E2E_NODE(e);
    struct process *alice = talk(e, node_of(e), "alice", NULL);
    assert_true(process_write(alice, "/create den\n"));
    hears(alice, "opened the room");
    struct process *bob = talk(e, node_of(e), "bob", "den");
    struct process *carol = talk(e, node_of(e), "carol", "den");
    hears(alice, "* bob joined\n");
    hears(alice, "* carol joined\n");
    assert_true(process_write(bob, "/manager bob\n"));
    hears(bob, "cannot make bob the manager: only the room's manager may do this\n");
    assert_true(process_write(alice, "/manager nobody\n/manager carol\n/manager bob\n/users\n"));
    hears(alice, "cannot make nobody the manager: no such user\n");
    hears(alice, "cannot make bob the manager: only the room's manager may do this\n");
    hears(alice, "  carol (manager)\n");
    hears(bob, "* carol manages the room now\n");
    ends_with(carol, 0); /* who has been there longest follows */
    hears(bob, "* alice manages the room now\n");
    assert_true(process_write(alice, "/exit\n"));
    hears(alice, "you have left den");
    hears(bob, "* bob manages the room now\n");
    assert_true(process_write(bob, "/users\nstill here\n"));
    hears(bob, "  bob (manager)\n");
    hears(bob, " bob: still here\n");
    ends_with(bob, 1);
    ends_with(alice, 1);
    assert_int_equal(e2e_metric(e, "hgtp_sessions"), 0);
}

/* Elsewhere ------------------------------------------------------------------------------------ */

static void add_account(struct e2e *e, const char *user, char key[64])
{
    TOOL(e->daemon, 0, "-o", "json", "account", "add", user);
    json_t *added = tool_json();
    snprintf(key, 64, "%s", tool_text(added, "key"));
    json_decref(added);
}

static struct process *takes_over(struct e2e *e, const char *name, const char *key)
{
    struct command command;
    command_of(&command, node_of(e), name, key, NULL);
    command.argv[9] = "--take-over";
    command.argv[10] = NULL;
    return talk_by(e, &command);
}

/* Issue 12, item 17. */
E2E_SCENARIO(account_that_is_in_use_is_taken_over_only_when_that_is_said)
{
    char key[64];
    E2E_NODE(e);
    add_account(e, "alice", key);
    struct process *first = talk_with_key(e, node_of(e), "alice", key, NULL);
    assert_true(process_write(first, "/create den\nhello\n"));
    hears(first, " alice: hello\n");
    struct process *second = talk_with_key(e, node_of(e), "alice", key, NULL);
    hears(second, "cannot register as alice: this name is signed in elsewhere; --take-over");
    assert_int_equal(process_wait_exit(second, WAIT_MS), 1);
    assert_true(process_write(first, "still here\n"));
    hears(first, " alice: still here\n");
    struct process *third = takes_over(e, "ALICE", key); /* the room knows her as alice */
    hears(third, "127.0.0.1:");
    hears(third, " as alice");
    hears(third, " alice: still here\n");
    hears(first, "another program has taken over this session");
    assert_int_equal(process_wait_exit(first, WAIT_MS), 1);
    assert_true(process_write(third, "from here now\n/delete\n"));
    hears(third, " alice: from here now\n");
    ends_with(third, 0);
    assert_int_equal(e2e_metric(e, "hgtp_sessions"), 0);
}

/* Issue 12, item 17. */
E2E_SCENARIO(name_that_all_share_a_key_for_is_taken_over_by_nobody)
{
    E2E_NODE(e);
    struct process *alice = talk(e, node_of(e), "alice", NULL);
    assert_true(process_write(alice, "/create den\n"));
    hears(alice, "opened the room");
    struct process *other = takes_over(e, "alice", KEY);
    hears(other, "cannot register as alice: the name is taken");
    assert_int_equal(process_wait_exit(other, WAIT_MS), 1);
    assert_true(process_write(alice, "still here\n"));
    hears(alice, " alice: still here\n");
    ends_with(alice, 0);
}

/* Interruptions -------------------------------------------------------------------------------- */

/* Two nodes behind the balancer, whose configuration has places for three. */
static struct server two_nodes(struct e2e *e)
{
    E2E_CLUSTER(e, 2, E2E_NO_RATES);
    e2e_cluster_meshed(e);
    struct balancer_node nodes[BALANCER_NODES];
    for (size_t i = 0; i < BALANCER_NODES; i++) {
        size_t node = i < 2 ? i : 1;
        nodes[i] = (struct balancer_node){e->nodes[node].hgtp_port, e->nodes[node].http_port};
    }
    e->balancer = balancer_new();
    assert_true(balancer_start(e->balancer, nodes));
    return (struct server){e->balancer->talk_port, e->balancer->hgtp_port};
}

E2E_SCENARIO(death_of_a_node_in_mid_talk_loses_and_repeats_nothing)
{
    struct server server = two_nodes(e);
    struct process *alice = talk(e, server, "alice", NULL);
    assert_true(process_write(alice, "/create den\n"));
    hears(alice, "opened the room");
    struct process *bob = talk(e, server, "bob", "den");
    hears(bob, "* bob joined\n");
    says(alice, "alice", 1, 400);
    says(bob, "bob", 1, 400);
    hears(alice, " alice: alice number 50\n");
    hears(bob, " bob: bob number 50\n");
    e2e_cluster_kill(e, e2e_metric_at(e, 0, "hgtp_sessions") > 0 ? 0 : 1);
    says(alice, "alice", 401, 800);
    says(bob, "bob", 401, 800);
    hears(bob, " alice: alice number 800\n");
    hears(alice, " bob: bob number 800\n");
    assert_true(strstr(process_stderr(alice), "connected again") != NULL ||
                strstr(process_stderr(bob), "connected again") != NULL);
    ends_with(bob, 0);
    hears(alice, "* bob left\n");
    ends_with(alice, 0);
    expect_all(alice, "alice", 800);
    expect_all(alice, "bob", 800);
    expect_all(bob, "alice", 800);
    expect_all(bob, "bob", 800);
}

E2E_SCENARIO(connection_that_is_cut_again_and_again_loses_and_repeats_nothing)
{
    E2E_NODE(e, E2E_NO_RATES);
    struct relay *relay = e2e_relay(e, e->daemon->http_port);
    struct process *alice = talk(e, node_of(e), "alice", NULL);
    assert_true(process_write(alice, "/create den\n"));
    hears(alice, "opened the room");
    const struct server cut = {relay_port(relay), e->daemon->hgtp_port};
    struct process *bob = talk(e, cut, "bob", "den");
    hears(bob, "* bob joined\n");
    for (int i = 0; i < 8; i++) {
        char line[64];
        says(alice, "alice", 100 * i + 1, 100 * i + 100);
        says(bob, "bob", 100 * i + 1, 100 * i + 100);
        snprintf(line, sizeof line, " bob: bob number %d\n", 100 * i + 30);
        hears(alice, line);
        relay_set(relay, i % 2 == 0 ? RELAY_CUT : RELAY_HOLD);
        snprintf(line, sizeof line, " alice: alice number %d\n", 100 * i + 90);
        hears(alice, line);
        relay_set(relay, RELAY_CUT);
        relay_set(relay, RELAY_PASS);
    }
    hears(bob, " bob: bob number 800\n");
    ends_with(bob, 0);
    hears(alice, "* bob left\n");
    ends_with(alice, 0);
    expect_all(alice, "alice", 800);
    expect_all(alice, "bob", 800);
    expect_all(bob, "alice", 800);
    expect_all(bob, "bob", 800);
}

#define DEN_LOG "local logs = redis.call('KEYS', 'hgtp:{HGTP_SERVICE}:log:*') assert(#logs == 1) "

static void redis_does(struct e2e *e, const char *script)
{
    redisReply *reply = redis_server_command(e->redis, "EVAL %s 0", script);
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
    assert_int_equal(reply->integer, 1);
    freeReplyObject(reply);
}

/* Issue 12, item 3: as after a failover to a replica that has not got the last writes. */
E2E_SCENARIO(log_that_went_back_is_told_of_and_what_is_said_next_is_shown)
{
    char url[160];
    e->redis = redis_server_new();
    assert_true(redis_server_start(e->redis));
    snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    E2E_NODE(e, url);
    struct process *alice = talk(e, node_of(e), "alice", NULL);
    assert_true(process_write(alice, "/create den\n"));
    hears(alice, "opened the room");
    struct process *bob = talk(e, node_of(e), "bob", "den");
    assert_true(process_write(bob, "kept\n"));
    hears(alice, " bob: kept\n");
    redis_does(e, DEN_LOG "return redis.call('COPY', logs[1], 'hgtp:{HGTP_SERVICE}:before')");
    assert_true(process_write(bob, "lost one\nlost two\n"));
    hears(alice, " bob: lost two\n");
    hears(bob, " bob: lost two\n");
    redis_does(e, DEN_LOG
               "return redis.call('COPY', 'hgtp:{HGTP_SERVICE}:before', logs[1], 'REPLACE')");
    hears(alice, "* the last 2 entries of den are lost\n");
    hears(bob, "* the last 2 entries of den are lost\n");
    assert_true(process_write(bob, "after one\nafter two\nafter three\n"));
    hears(alice, " bob: after three\n");
    hears(bob, " bob: after three\n");
    assert_int_equal(count_of(process_stdout(alice), " bob: after "), 3);
    assert_int_equal(count_of(process_stdout(alice), " bob: lost "), 2);
    assert_null(strstr(process_stdout(alice), "not kept"));
    ends_with(bob, 0);
    ends_with(alice, 0);
}

/* bob's session runs out while he is cut off; his room stands. */
E2E_SCENARIO(dead_session_is_replaced_and_the_room_entered_again_without_loss)
{
    E2E_NODE(e, "hgtp.expires_s=1");
    struct relay *relay = e2e_relay(e, e->daemon->http_port);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    const struct server cut = {relay_port(relay), e->daemon->hgtp_port};
    struct process *bob = talk(e, cut, "bob", "den");
    hears(bob, "* bob joined\n");
    relay_set(relay, RELAY_CUT);
    hears(bob, "connecting again");
    assert_true(process_write(bob, "from far away\n"));
    assert_true(talker_say_acked(alice, "bob is away", NULL) > 0);
    assert_true(talker_has(alice, 4, WAIT_MS)); /* bob left */
    relay_set(relay, RELAY_PASS);
    hears(bob, " bob: from far away\n");
    assert_non_null(strstr(process_stdout(bob), " alice: bob is away\n* bob left\n* bob joined\n"));
    assert_int_equal(count_of(process_stdout(bob), "from far away"), 1);
    ends_with(bob, 0);
}

E2E_SCENARIO(client_that_is_ended_by_a_signal_leaves_in_good_order)
{
    E2E_NODE(e);
    struct process *alice = talk(e, node_of(e), "alice", NULL);
    assert_true(process_write(alice, "/create den\n"));
    hears(alice, "opened the room");
    process_signal(alice, SIGTERM);
    assert_int_equal(process_wait_exit(alice, WAIT_MS), 0);
    ends_with(talk(e, node_of(e), "alice", NULL), 0);
}

E2E_SCENARIO(client_whose_reader_ends_leaves_in_good_order)
{
    E2E_NODE(e);
    struct command alice, piped = {.argv = {"sh", "-c", "\"$@\" | head -n 1", "sh"}};
    command_of(&alice, node_of(e), "alice", KEY, NULL);
    for (size_t i = 0; alice.argv[i] != NULL; i++) {
        piped.argv[4 + i] = alice.argv[i];
    }
    struct process *shell = talk_by(e, &piped);
    assert_true(process_write(shell, "/create den\n/users\n/users\n"));
    assert_int_equal(process_wait_exit(shell, WAIT_MS), 0);
    /* Its input is still open, and its session has ended all the same. */
    assert_int_equal(e2e_metric(e, "hgtp_sessions"), 0);
    ends_with(talk(e, node_of(e), "alice", NULL), 0);
}

/* A person ------------------------------------------------------------------------------------- */

static void free_folder(void *guest)
{
    process_folder_remove(guest);
    free(guest);
}

static struct terminal *sits_down_with(struct e2e *e, const char *name, const char *key,
                                       const char *first, unsigned columns)
{
    struct command command;
    char *folder = process_folder_make();
    command_of(&command, node_of(e), name, key, NULL);
    const char *argv[20] = {"env", first};
    memcpy(argv + 2, command.argv, sizeof command.argv);
    struct terminal *terminal = terminal_open(argv, folder, columns, 16);
    const struct e2e_guest guests[] = {
        {.guest = terminal, .print = print_terminal, .free = free_terminal},
        {.guest = folder, .free = free_folder}};
    e2e_adopt(e, &guests[0]);
    e2e_adopt(e, &guests[1]);
    return terminal;
}

static struct terminal *sits_down(struct e2e *e, const char *name, const char *first,
                                  unsigned columns)
{
    return sits_down_with(e, name, KEY, first, columns);
}

#define sees(terminal, text) sees_at((terminal), (text), __LINE__)
static void sees_at(struct terminal *terminal, const char *text, int line)
{
    if (!terminal_shows(terminal, text, WAIT_MS)) {
        fail_msg("line %d: not on the screen: %s", line, text);
    }
}

E2E_SCENARIO(message_that_comes_while_a_line_is_typed_does_not_tear_it)
{
    E2E_NODE(e);
    struct terminal *alice = sits_down(e, "alice", "NO_COLOR=1", 44);
    unsigned column, row;
    sees(alice, "\n>");
    terminal_type(alice, "/create 한국어방");
    terminal_press(alice, "Enter", 1);
    sees(alice, "\n한국어방>");
    terminal_type(alice, "안녕하세요 half typed 줄 🙂 that goes on over the edge");
    terminal_press(alice, "Left", 12);
    sees(alice, "한국어방> 안녕하세요 half typed 줄 🙂 that g\noes on over the edge\n");
    struct process *bob = talk(e, node_of(e), "bob", "한국어방");
    assert_true(process_write(bob, "hi alice\n반갑습니다 🎉\n"));
    hears(bob, "반갑습니다");
    sees(alice,
         "반갑습니다 🎉\n한국어방> 안녕하세요 half typed 줄 🙂 that g\noes on "
         "over "
         "the "
         "edge\n");
    assert_int_equal(count_of(terminal_screen(alice), "half typed"), 1);
    assert_int_equal(count_of(terminal_screen(alice), " bob: hi alice\n"), 1);
    terminal_cursor(alice, &column, &row);
    assert_int_equal(column, 8);
    terminal_type(alice, "XX");
    terminal_press(alice, "Enter", 1);
    hears(bob, " alice: 안녕하세요 half typed 줄 🙂 that goes on oXXver the edge\n");
    sees(alice, "on oXXver the edge\n한국어방>");
    assert_int_equal(count_of(terminal_screen(alice), "half typed"), 1);
    assert_null(strstr(terminal_look(alice, true), "\033["));
    ends_with(bob, 0);
    terminal_press(alice, "C-d", 1);
    assert_int_equal(terminal_wait_exit(alice, WAIT_MS), 0);
}

E2E_SCENARIO(names_and_commands_are_completed_and_lines_remembered)
{
    E2E_NODE(e);
    struct talker *bob = e2e_talker(e, "bob the builder");
    struct terminal *alice = sits_down(e, "alice", "COLORTERM=", 60);
    e2e_talk_open_room(bob, "방 하나");
    sees(alice, ">");
    terminal_type(alice, "/j");
    terminal_press(alice, "Tab", 1);
    sees(alice, "> /join");
    terminal_press(alice, "Tab", 1);
    sees(alice, "> /join 방 하나\n");
    terminal_press(alice, "Enter", 1);
    sees(alice, "방 하나>");
    terminal_type(alice, "hello b");
    terminal_press(alice, "Tab", 1);
    terminal_press(alice, "Enter", 1);
    sees(alice, " alice: hello bob the builder\n");
    assert_non_null(strstr(terminal_look(alice, true), "\033[32malice"));
    terminal_press(alice, "Up", 2);
    sees(alice, "방 하나> /join 방 하나\n");
    terminal_press(alice, "C-c", 1);
    sees(alice, "방 하나>\n");
    terminal_press(alice, "C-c", 1);
    assert_int_equal(terminal_wait_exit(alice, WAIT_MS), 0);
}

/* Issue 12, item 17. */
E2E_SCENARIO(person_is_asked_whether_to_go_on_here)
{
    char key[64];
    E2E_NODE(e);
    add_account(e, "alice", key);
    struct process *first = talk_with_key(e, node_of(e), "alice", key, NULL);
    assert_true(process_write(first, "/create den\nhello\n"));
    hears(first, " alice: hello\n");
    struct terminal *no = sits_down_with(e, "alice", key, "NO_COLOR=1", 70);
    sees(no, "alice is signed in elsewhere. Continue here? [y/N]");
    terminal_press(no, "Enter", 1);
    assert_int_equal(terminal_wait_exit(no, WAIT_MS), 1);
    struct terminal *yes = sits_down_with(e, "alice", key, "NO_COLOR=1", 70);
    sees(yes, "alice is signed in elsewhere. Continue here? [y/N]");
    terminal_type(yes, "y");
    terminal_press(yes, "Enter", 1);
    sees(yes, "\nden>");
    sees(yes, " alice: hello\n");
    hears(first, "another program has taken over this session");
    assert_int_equal(process_wait_exit(first, WAIT_MS), 1);
    terminal_type(yes, "here I am");
    terminal_press(yes, "Enter", 1);
    sees(yes, " alice: here I am\n");
    terminal_press(yes, "C-d", 1);
    assert_int_equal(terminal_wait_exit(yes, WAIT_MS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(talkers_over_pipes_hear_each_other_and_end_with_their_input),
        E2E_TEST(message_of_a_script_is_delivered_even_if_it_is_its_last_word),
        E2E_TEST(invited_is_asked_and_the_kicked_one_is_told),
        E2E_TEST(members_of_a_closed_room_are_told),
        E2E_TEST(text_with_escape_sequences_is_shown_and_does_nothing),
        E2E_TEST(exit_code_tells_what_went_wrong),
        E2E_TEST(who_has_lost_the_connection_is_listed_as_away),
        E2E_TEST(manager_hands_over_and_leaves_and_the_room_goes_on),
        E2E_TEST(account_that_is_in_use_is_taken_over_only_when_that_is_said),
        E2E_TEST(name_that_all_share_a_key_for_is_taken_over_by_nobody),
        E2E_TEST(death_of_a_node_in_mid_talk_loses_and_repeats_nothing),
        E2E_TEST(connection_that_is_cut_again_and_again_loses_and_repeats_nothing),
        E2E_TEST(log_that_went_back_is_told_of_and_what_is_said_next_is_shown),
        E2E_TEST(dead_session_is_replaced_and_the_room_entered_again_without_loss),
        E2E_TEST(client_whose_reader_ends_leaves_in_good_order),
        E2E_TEST(client_that_is_ended_by_a_signal_leaves_in_good_order),
        E2E_TEST(message_that_comes_while_a_line_is_typed_does_not_tear_it),
        E2E_TEST(person_is_asked_whether_to_go_on_here),
        E2E_TEST(names_and_commands_are_completed_and_lines_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
