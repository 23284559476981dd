/* SPDX-License-Identifier: MIT */
/*
 * Tests of what the scripts know of lines (WebSocket, event streams): who may attach, where a
 * client goes on, who may still speak for it otherwise, which node it belongs to, and what it is
 * told.
 */
#include <stdio.h>
#include <string.h>

#include "scripts_fixture.h"

#define HALL "hallhallhall"
#define BOB  "hgtp:{T}:u:bob+++++ "

static void beat(const char *node, const char *bus)
{
    assert_int_equal(CALL(beat, NULL, "node", node, "bus", bus), ERR_NONE);
}

static void two_nodes(void)
{
    world();
    beat("n1@1", "tcp://127.0.0.1:9");
    beat("n2@1", "tcp://127.0.0.1:8");
}

static int attach(const char *after, const char *epoch)
{
    return CALL(attach, "bob+++++", "token", "t", "line", "L1", "after", after, "epoch", epoch);
}

/* The next entry, the last of those that are lost, up to which one the epoch is kept. */
static void resumes_as(const char *expected)
{
    char epoch[64], effect[192];
    snprintf(epoch, sizeof epoch, "%s", command("HGET hgtp:{T}:r:" HALL " epoch"));
    snprintf(effect, sizeof effect, "resume bob+++++ %s %s\n", epoch, expected);
    if (!has_effect(effect)) {
        fail_msg("no %s in %s", effect, last.effects);
    }
}

static void resumes_at(const char *next)
{
    char expected[64];
    snprintf(expected, sizeof expected, "%s 0 ", next);
    resumes_as(expected);
}

/* Attaching ------------------------------------------------------------------------------------
 */

/* Its node has none of them. Those of the realm it keeps and gives to the client; that of the room
 * is for all members. */
static void is_given_all_lists(void)
{
    assert_true(has_effect("keep users  "));
    assert_true(has_effect("give bob+++++ users "));
    assert_true(has_effect("keep counts  "));
    assert_true(has_effect(" hall 3\n"));
    assert_true(has_effect("give bob+++++ counts "));
    assert_true(has_effect("list members " HALL " "));
    assert_true(has_effect(" alice  bob  erin \n"));
}

static void scripts_attach_wants_the_token_of_a_living_session(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(attach, "bob+++++", "token", "wrong", "line", "L1"), ERR_NOT_REGISTERED);
    assert_int_equal(CALL(attach, "nobody++", "token", "t", "line", "L1"), ERR_NOT_REGISTERED);
    assert_string_equal(command("HGET " BOB "line"), "");
    CALL(unregister, "carol+++");
    assert_int_equal(CALL(attach, "carol+++", "token", "t", "line", "L1"), ERR_NOT_REGISTERED);
}

static void scripts_attached_client_is_shown_where_it_is_and_all_lists(void **state)
{
    (void)state;
    world();
    command("HSET " BOB "http 127.0.0.1:77");
    assert_int_equal(attach("", ""), ERR_NONE);
    assert_true(has_effect("home bob+++++ bob  3600 " HALL));
    assert_true(has_effect("hall alice  "));
    is_given_all_lists();
    assert_false(has_effect("give bob+++++ rooms"));
    assert_string_equal(command("HGET " BOB "line"), "L1");
    assert_string_equal(command("HGET " BOB "http"), "");
    assert_true(strstr(last.effects, "home ") < strstr(last.effects, "reply"));
    assert_true(strstr(last.effects, "reply") < strstr(last.effects, "give "));
    assert_true(strstr(last.effects, "give ") < strstr(last.effects, "resume "));
}

static void scripts_attached_client_goes_on_behind_what_it_has(void **state)
{
    (void)state;
    world(); /* entries: 1 created, 2 bob, 3 erin */
    char epoch[64];
    snprintf(epoch, sizeof epoch, "%s", command("HGET hgtp:{T}:r:" HALL " epoch"));
    attach("", "");
    resumes_at("2"); /* all since he joined */
    attach("0", "");
    resumes_at("1"); /* what was before he joined, if he asks for it */
    attach("2", epoch);
    resumes_at("3");
    attach("3", "");
    resumes_at("4");
    attach("4", ""); /* more than there is: of some other room */
    resumes_at("2");
    attach("2", "12345"); /* of another room, as he says himself */
    resumes_as("2 0 1");
}

/* Redis has lost what stood behind entry `top`. */
static void lose_entries(const char *top)
{
    static const char again[] =
        "local log = 'hgtp:{T}:log:" HALL "' local kept = redis.call('XRANGE', log, '-', ARGV[1]) "
        "redis.call('DEL', log) for _, item in ipairs(kept) do "
        "redis.call('XADD', log, item[1], unpack(item[2])) end";
    const struct bytes words[] = {bytes_str("EVAL"), bytes_str(again), bytes_str("0"),
                                  bytes_str(top)};
    raw(4, words);
    command("HSET hgtp:{T}:realm run another");
    assert_int_equal(CALL(connect, NULL, "known", "1"), ERR_NONE);
}

/* The process of Redis is another one, and has lost nothing. */
static void restart_redis(void)
{
    command("HSET hgtp:{T}:realm run another");
    assert_int_equal(CALL(connect, NULL, "known", "1"), ERR_NONE);
}

static void scripts_attached_client_hears_what_of_an_earlier_epoch_is_lost(void **state)
{
    (void)state;
    world(); /* entries: 1 created, 2 bob, 3 erin */
    char epoch[64], second[64];
    snprintf(epoch, sizeof epoch, "%s", command("HGET hgtp:{T}:r:" HALL " epoch"));
    CALL(say, "bob+++++", "text", "four", "sent", "1");
    CALL(say, "bob+++++", "text", "five", "sent", "1");
    attach("5", epoch);
    resumes_at("6");
    lose_entries("0-3");
    attach("3", epoch);
    resumes_at("4"); /* nothing was written yet, and nothing is missing to him */
    attach("5", epoch);
    resumes_as("4 5 3");
    CALL(say, "alice+++", "text", "four anew", "sent", "1");
    snprintf(second, sizeof second, "%s", command("HGET hgtp:{T}:r:" HALL " epoch"));
    attach("4", second);
    resumes_at("5"); /* he knows the present epoch, and has all of it */
    attach("4", "");
    resumes_at("5");
    CALL(attach, "erin++++", "token", "t", "line", "L9", "after", "2", "epoch", epoch);
    assert_true(has_effect(" 3 0 2\n")); /* goes on, in another epoch */
    lose_entries("0-2");
    CALL(say, "alice+++", "text", "three", "sent", "1");
    attach("5", epoch);
    resumes_as("3 5 2");
    attach("4", second);
    resumes_as("3 4 2");
}

static void scripts_only_so_many_epochs_are_remembered(void **state)
{
    (void)state;
    world();
    char first[64];
    snprintf(first, sizeof first, "%s", command("HGET hgtp:{T}:r:" HALL " epoch"));
    for (int i = 0; i < 8; i++) {
        restart_redis();
        CALL(say, "alice+++", "text", "x", "sent", "1");
    }
    attach("3", first);
    resumes_as("4 0 3");
    restart_redis();
    CALL(say, "alice+++", "text", "x", "sent", "1");
    attach("3", first);
    resumes_as("2 0 1"); /* everything since he joined */
}

static void scripts_attached_client_is_asked_again_what_it_has_not_answered(void **state)
{
    (void)state;
    world();
    CALL(attach, "dave++++", "token", "t", "line", "L1");
    assert_true(has_effect("relay INVITE dave++++ 127.0.0.1:9 2 hall dave\n"));
    CALL(attach, "erin++++", "token", "t", "line", "L2");
    assert_true(has_effect("relay REMOVE erin++++ 127.0.0.1:9 2 " HALL " erin\n"));
    CALL(attach, "carol+++", "token", "t", "line", "L3");
    assert_false(has_effect("relay"));
    assert_false(has_effect("resume"));
}

static int proved(const char *challenge, const char *token, const char *line)
{
    CALL(register, "bob+++++", "name", "bob", "challenge", challenge);
    return CALL(prove, "bob+++++", "challenge", challenge, "token", token, "new_token", challenge,
                "seq", "3", "line", line);
}

static void scripts_register_over_a_line_attaches_and_another_one_detaches(void **state)
{
    (void)state;
    world();
    assert_int_equal(proved("d", "t", "L5"), ERR_NONE);
    assert_string_equal(command("HGET " BOB "line"), "L5");
    resumes_at("2");
    assert_int_equal(proved("e", "d", ""), ERR_NONE);
    assert_string_equal(command("HGET " BOB "line"), "");
    assert_false(has_effect("resume"));
}

/* Item 18. */
static void scripts_session_that_is_registered_again_is_told_what_an_attached_one_is(void **state)
{
    (void)state;
    world();
    assert_int_equal(proved("d", "t", "L5"), ERR_NONE);
    is_given_all_lists();
    assert_true(strstr(last.effects, "reply") < strstr(last.effects, "give "));
    assert_true(strstr(last.effects, "give ") < strstr(last.effects, "resume "));
    CALL(register, "erin++++", "name", "erin", "challenge", "f");
    assert_int_equal(CALL(prove, "erin++++", "challenge", "f", "token", "t", "new_token", "x",
                          "http", "127.0.0.1:77"),
                     ERR_NONE);
    assert_true(has_effect("list members " HALL " "));
    assert_true(has_effect("relay REMOVE erin++++ 127.0.0.1:9 2 " HALL " erin\n"));
}

static void scripts_line_that_has_ended_is_forgotten_unless_a_newer_one_is_there(void **state)
{
    (void)state;
    world();
    attach("", "");
    CALL(detach, "bob+++++", "line", "L0");
    assert_string_equal(command("HGET " BOB "line"), "L1");
    CALL(detach, "bob+++++", "line", "L1");
    assert_string_equal(command("HGET " BOB "line"), "");
    CALL(detach, "nobody++", "line", "");
    assert_string_equal(command("EXISTS hgtp:{T}:u:nobody++"), "0");
}

/* Who may speak --------------------------------------------------------------------------------
 */

static void scripts_session_that_had_a_line_takes_nothing_unsigned_otherwise(void **state)
{
    (void)state;
    world();
    command("HSET " BOB "auth md5");
    assert_int_equal(CALL(refresh, "bob+++++"), ERR_NONE);
    attach("", "");
    assert_int_equal(CALL(exit, "bob+++++", "room", "hall"), ERR_SIGNATURE_REQUIRED);
    assert_int_equal(CALL(say, "bob+++++", "text", "x", "sent", "1"), ERR_SIGNATURE_REQUIRED);
    assert_int_equal(CALL(refresh, "bob+++++", "token", "t", "timestamp", "9"), ERR_NONE);
    CALL(detach, "bob+++++", "line", "L1");
    assert_int_equal(CALL(exit, "bob+++++", "room", "hall"), ERR_SIGNATURE_REQUIRED);
    assert_int_equal(CALL(exit, "bob+++++", "room", "hall", "token", "t", "timestamp", "10"),
                     ERR_NONE);
}

static void scripts_message_with_an_id_is_stored_once(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(say, "bob+++++", "token", "t", "timestamp", "101", "text", "x", "sent",
                          "1", "id", "1"),
                     ERR_NONE);
    assert_string_equal(last.extra, "4");
    assert_int_equal(CALL(say, "bob+++++", "token", "t", "timestamp", "102", "text", "x", "sent",
                          "2", "id", "1", "node", "n2@1"),
                     ERR_NONE);
    assert_string_equal(last.extra, "4");
    assert_false(has_effect("entry"));
    assert_string_equal(command("XLEN hgtp:{T}:log:" HALL), "4");
    assert_int_equal(CALL(say, "bob+++++", "token", "wrong", "text", "x", "id", "1"),
                     ERR_SIGNATURE_REQUIRED);
    assert_int_equal(CALL(say, "alice+++", "token", "t", "timestamp", "103", "text", "z", "sent",
                          "1", "id", "1"),
                     ERR_NONE);
    assert_string_equal(last.extra, "5");
}

static void scripts_history_is_for_those_in_the_room(void **state)
{
    (void)state;
    world();
    assert_int_equal(
        CALL(history, "bob+++++", "token", "t", "timestamp", "104", "before", "+", "count", "2"),
        ERR_NONE);
    assert_string_equal(last.extra, "hall");
    const char *newest = strstr(last.effects, " 3 joined erin");
    const char *older = strstr(last.effects, " 2 joined bob");
    assert_true(newest != NULL && older != NULL && newest < older);
    assert_false(has_effect(" 1 created"));
    CALL(history, "bob+++++", "token", "t", "timestamp", "105", "before", "(0-2", "count", "9");
    assert_true(has_effect(" 1 created alice hall"));
    assert_false(has_effect(" 2 joined"));
    assert_int_equal(
        CALL(history, "carol+++", "token", "t", "timestamp", "106", "before", "+", "count", "2"),
        ERR_NOT_IN_ROOM);
    assert_int_equal(CALL(history, "bob+++++", "token", "x", "before", "+", "count", "2"),
                     ERR_SIGNATURE_REQUIRED);
}

/* Several nodes --------------------------------------------------------------------------------
 */

static void scripts_datagram_moves_nobody_who_has_a_line(void **state)
{
    (void)state;
    two_nodes();
    attach("", "");
    assert_int_equal(CALL(refresh, "bob+++++", "node", "n2@1", "token", "t", "timestamp", "9"),
                     ERR_NONE);
    assert_string_equal(command("HGET " BOB "home"), "n1@1");
    assert_true(has_effect("to n1@1\ngive bob+++++ users "));
    assert_true(has_effect("to n1@1\ngive bob+++++ members "));
    assert_false(has_effect("keep"));
    assert_int_equal(
        CALL(exit, "bob+++++", "node", "n2@1", "room", "hall", "token", "t", "timestamp", "10"),
        ERR_NONE);
    assert_true(has_effect("to n1@1\ninbox "));
    assert_int_equal(
        CALL(join, "bob+++++", "node", "n2@1", "room", "hall", "token", "t", "timestamp", "11"),
        ERR_NONE);
    assert_true(has_effect("to n1@1\ninbox "));
    assert_false(has_effect("join bob"));
}

static void scripts_request_by_http_moves_nobody_whose_home_lives(void **state)
{
    (void)state;
    two_nodes();
    assert_int_equal(
        CALL(refresh, "bob+++++", "node", "n2@1", "src", "", "token", "t", "timestamp", "107"),
        ERR_NONE);
    assert_string_equal(command("HGET " BOB "home"), "n1@1");
    CALL(beat, NULL, "bye", "1");
    CALL(refresh, "bob+++++", "node", "n2@1", "src", "", "token", "t", "timestamp", "108", "seq",
         "2");
    assert_string_equal(command("HGET " BOB "home"), "n2@1");
}

static void scripts_line_at_another_node_takes_the_session_there(void **state)
{
    (void)state;
    two_nodes();
    attach("", "");
    assert_int_equal(CALL(attach, "bob+++++", "node", "n2@1", "token", "t", "line", "L2", "after",
                          "2", "epoch", ""),
                     ERR_NONE);
    resumes_at("3");
    assert_true(has_effect("to n1@1\nrelease bob+++++ n2@1 L1 2\n"));
    assert_true(has_effect(" n1@1  hall alice 2 ")); /* from there, and nobody is waited for */
    assert_string_equal(command("HGET " BOB "line"), "L2");
    CALL(detach, "bob+++++", "line", "L1");
    assert_string_equal(command("HGET " BOB "line"), "L2");
    CALL(look, "bob+++++");
    assert_true(has_effect("gone bob+++++ moved\n"));
}

static void scripts_node_that_was_taken_for_dead_keeps_the_lines_that_outlived_it(void **state)
{
    (void)state;
    two_nodes();
    attach("", "");
    CALL(beat, NULL, "bye", "1");
    CALL(adopt, NULL, "node", "n2@1", "from", "n1@1", "cursor", "0", "count", "100");
    assert_string_equal(command("HGET " BOB "home"), "");
    assert_string_equal(command("HGET " BOB "line"), "");
    beat("n1@1", "tcp://127.0.0.1:9");
    CALL(look, "bob+++++", "line", "");
    assert_true(has_effect("gone bob+++++ detached\n"));
    CALL(look, "bob+++++", "line", "L1");
    assert_true(has_effect("home bob+++++ bob"));
    assert_string_equal(command("HGET " BOB "home"), "n1@1");
    assert_string_equal(command("HGET " BOB "line"), "L1");
}

static void scripts_end_of_a_session_is_told_from_its_move(void **state)
{
    (void)state;
    two_nodes();
    CALL(unregister, "carol+++");
    assert_true(has_effect("gone carol+++ ended\n"));
    CALL(look, "carol+++");
    assert_true(has_effect("gone carol+++ ended\n"));
}

/* Counts ---------------------------------------------------------------------------------------
 */

static void scripts_all_nodes_hear_that_a_room_has_more_or_less_members(void **state)
{
    (void)state;
    two_nodes();
    CALL(exit, "bob+++++", "room", "hall");
    assert_true(has_effect("to *\ndirty counts \n"));
    CALL(join, "bob+++++", "room", "hall");
    assert_true(has_effect("to *\ndirty counts \n"));
    CALL(create, "carol+++", "room_id", "nooknooknook", "room", "nook");
    assert_true(has_effect("to *\ndirty counts \n"));
    CALL(lists, NULL, "what", "counts ");
    assert_true(has_effect(" hall 3 nook 1\n"));
    CALL(delete, "carol+++", "room_id", "nooknooknook");
    assert_true(has_effect("to *\ndirty counts \n"));
    CALL(lists, NULL, "what", "rooms ");
    assert_true(has_effect(" hall\n"));
}

/* The extra of a call, and its versions: of users, rooms, members, counts. */
static void has_lists(const char *of_members, char *ret_has, size_t cap)
{
    char versions[4][32];
    static const char *const fields[] = {"users:version", "rooms:version", NULL, "counts:version"};
    for (size_t i = 0; i < 4; i++) {
        char text[96];
        snprintf(text, sizeof text, "HGET hgtp:{T}:%s %s",
                 fields[i] != NULL ? "listed" : of_members,
                 fields[i] != NULL ? fields[i] : "version");
        snprintf(versions[i], sizeof versions[i], "%s", command(text));
    }
    snprintf(ret_has, cap, "%s %s %s %s", versions[0], versions[1], versions[2], versions[3]);
}

/* Issue 13, item 6: a list that the node has is not read. */
static void scripts_refresh_reads_nothing_that_the_node_has(void **state)
{
    (void)state;
    world();
    char has[160];
    has_lists("r:hallhallhall", has, sizeof has);
    CALL(refresh, "bob+++++", "token", "t", "timestamp", "9", "has", has);
    assert_true(has_effect("give bob+++++ users "));
    assert_true(has_effect("give bob+++++ members "));
    assert_false(has_effect("keep"));
    assert_false(has_effect("list"));
    CALL(detach, "erin++++", "line", "none");
    command("HSET hgtp:{T}:u:erin++++ line w");
    CALL(detach, "erin++++", "line", "w"); /* she is away: users and members have changed */
    CALL(refresh, "bob+++++", "token", "t", "timestamp", "10", "has", has);
    assert_true(has_effect("keep users  "));
    assert_true(has_effect("list members hallhallhall "));
    assert_false(has_effect("keep counts"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_attach_wants_the_token_of_a_living_session),
        cmocka_unit_test(scripts_attached_client_is_shown_where_it_is_and_all_lists),
        cmocka_unit_test(scripts_attached_client_goes_on_behind_what_it_has),
        cmocka_unit_test(scripts_attached_client_hears_what_of_an_earlier_epoch_is_lost),
        cmocka_unit_test(scripts_only_so_many_epochs_are_remembered),
        cmocka_unit_test(scripts_attached_client_is_asked_again_what_it_has_not_answered),
        cmocka_unit_test(scripts_register_over_a_line_attaches_and_another_one_detaches),
        cmocka_unit_test(scripts_session_that_is_registered_again_is_told_what_an_attached_one_is),
        cmocka_unit_test(scripts_line_that_has_ended_is_forgotten_unless_a_newer_one_is_there),
        cmocka_unit_test(scripts_session_that_had_a_line_takes_nothing_unsigned_otherwise),
        cmocka_unit_test(scripts_message_with_an_id_is_stored_once),
        cmocka_unit_test(scripts_history_is_for_those_in_the_room),
        cmocka_unit_test(scripts_datagram_moves_nobody_who_has_a_line),
        cmocka_unit_test(scripts_request_by_http_moves_nobody_whose_home_lives),
        cmocka_unit_test(scripts_line_at_another_node_takes_the_session_there),
        cmocka_unit_test(scripts_node_that_was_taken_for_dead_keeps_the_lines_that_outlived_it),
        cmocka_unit_test(scripts_end_of_a_session_is_told_from_its_move),
        cmocka_unit_test(scripts_all_nodes_hear_that_a_room_has_more_or_less_members),
        cmocka_unit_test(scripts_refresh_reads_nothing_that_the_node_has),
    };
    return cmocka_run_group_tests(tests, scripts_set_up, scripts_tear_down);
}
