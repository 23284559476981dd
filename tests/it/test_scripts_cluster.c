/* SPDX-License-Identifier: MIT */
/*
 * Tests of what the scripts do with several nodes, on a real Redis: who is told what, where
 * sessions are at home and how they move, nodes that come, go, die and come again.
 */
#include "scripts_fixture.h"

#include <stdio.h>

#define HALL "hallhallhall"

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

/* Bob's next datagram reaches the second node. */
static void bob_moves(void)
{
    command("HSET hgtp:{T}:u:bob+++++ http 127.0.0.1:77");
    assert_int_equal(CALL(refresh, "bob+++++", "node", "n2@1"), ERR_NONE);
}

/* A node has not beaten for so long that any other may say so; the other has beaten long enough. */
static void silence(const char *node, const char *judge)
{
    char text[200];
    snprintf(text, sizeof text,
             "HSET hgtp:{T}:nodes %s {\"beat\":1,\"steady\":1,\"since\":1,\"bus\":\"x\"}", node);
    command(text);
    snprintf(text, sizeof text, "HGET hgtp:{T}:nodes %s", judge);
    char info[256];
    snprintf(info, sizeof info, "%s", command(text));
    char *since = strstr(info, "\"steady\":");
    assert_non_null(since);
    since[strlen("\"steady\":")] = '0'; /* some 15 years ago */
    const struct bytes words[] = {bytes_str("HSET"), bytes_str("hgtp:{T}:nodes"), bytes_str(judge),
                                  bytes_str(info)};
    raw(4, words);
}

/* Who is told ------------------------------------------------------------------------------------
 */

static void scripts_entry_goes_to_every_node_with_members_and_to_no_other(void **state)
{
    (void)state;
    two_nodes();
    beat("n3@1", "tcp://127.0.0.1:7");
    bob_moves();
    assert_int_equal(CALL(say, "bob+++++", "node", "n2@1", "text", "hi", "sent", "1"), ERR_NONE);
    bool is_told =
        has_effect("to n1@1 n2@1\nentry " HALL) || has_effect("to n2@1 n1@1\nentry " HALL);
    assert_true(is_told);
    assert_int_equal(CALL(exit, "bob+++++", "node", "n2@1", "room", "hall"), ERR_NONE);
    is_told = has_effect("to n1@1 n2@1\nentry " HALL); /* the node of the one who leaves, too */
    assert_true(is_told);
    assert_int_equal(CALL(say, "alice+++", "text", "ho", "sent", "1"), ERR_NONE);
    assert_false(has_effect("to "));
    assert_true(has_effect("entry " HALL));
}

static void scripts_members_per_node_are_exact_through_every_change(void **state)
{
    (void)state;
    two_nodes();
    assert_string_equal(command("HGET hgtp:{T}:rh:" HALL " n1@1"), "3");
    bob_moves();
    assert_string_equal(command("HGET hgtp:{T}:rh:" HALL " n1@1"), "2");
    assert_string_equal(command("HGET hgtp:{T}:rh:" HALL " n2@1"), "1");
    CALL(answer, "dave++++", "node", "n2@1", "kind", "INVITE", "accepted", "1");
    assert_string_equal(command("HGET hgtp:{T}:rh:" HALL " n2@1"), "2");
    CALL(answer, "erin++++", "kind", "REMOVE", "accepted", "1");
    assert_string_equal(command("HGET hgtp:{T}:rh:" HALL " n1@1"), "1");
    command("ZADD hgtp:{T}:sessions 1 dave++++ 1 bob+++++");
    CALL(sweep, NULL);
    assert_string_equal(command("HEXISTS hgtp:{T}:rh:" HALL " n2@1"), "0");
    CALL(delete, "alice+++", "room_id", HALL);
    assert_string_equal(command("EXISTS hgtp:{T}:rh:" HALL), "0");
}

static void
scripts_relay_goes_through_the_peers_home_and_the_answer_through_the_askers(void **state)
{
    (void)state;
    two_nodes();
    assert_int_equal(CALL(refresh, "carol+++", "node", "n2@1", "src", "127.0.0.1:6"), ERR_NONE);
    assert_int_equal(CALL(invite, "alice+++", "room", "hall", "peer", "carol"), ERR_WAITING);
    assert_true(has_effect("to n2@1\nrelay INVITE carol+++"));
    CALL(answer, "carol+++", "node", "n2@1", "kind", "INVITE", "accepted", "1");
    assert_true(has_effect("to n1@1\nanswer INVITE alice+++ 127.0.0.1:5 4 0"));
    assert_true(has_effect("join carol+++ " HALL));
}

static void scripts_answer_follows_an_asker_who_has_moved(void **state)
{
    (void)state;
    two_nodes();
    assert_int_equal(CALL(refresh, "alice+++", "node", "n2@1", "src", "127.0.0.1:66"), ERR_NONE);
    CALL(answer, "dave++++", "kind", "INVITE", "accepted", "0");
    assert_true(has_effect("to n2@1\nanswer INVITE alice+++ 127.0.0.1:66 4 35"));
}

static void scripts_effect_for_a_node_that_is_gone_is_done_here(void **state)
{
    (void)state;
    two_nodes();
    assert_int_equal(CALL(refresh, "carol+++", "node", "n2@1"), ERR_NONE);
    CALL(beat, NULL, "node", "n2@1", "bye", "1");
    assert_int_equal(CALL(invite, "alice+++", "room", "hall", "peer", "carol"), ERR_WAITING);
    assert_true(has_effect("relay INVITE carol+++"));
    assert_false(has_effect("to n2@1"));
}

static void scripts_lists_of_all_go_to_all_and_those_of_a_room_to_its_nodes(void **state)
{
    (void)state;
    two_nodes();
    bob_moves();
    command("DEL hgtp:{T}:listed");
    command("HDEL hgtp:{T}:r:" HALL " listed");
    registered("faye++++", "faye");
    assert_true(has_effect("to *\nlist users"));
    assert_int_equal(CALL(join, "faye++++", "room", "hall"), ERR_NONE);
    assert_true(has_effect("n2@1\nlist members " HALL) || has_effect("n1@1\nlist members " HALL));
}

static void scripts_sweep_writes_to_the_inbox_of_another_home_which_reads_the_truth(void **state)
{
    (void)state;
    two_nodes();
    bob_moves();
    command("ZADD hgtp:{T}:sessions 1 bob+++++");
    CALL(sweep, NULL);
    assert_true(has_effect("to n2@1\ninbox "));
    assert_false(has_effect("gone bob"));
    CALL(inbox, NULL, "node", "n2@1", "after", "0", "count", "10");
    assert_true(has_effect("gone bob+++++"));
}

static void scripts_closed_room_is_told_to_all_its_nodes_with_its_epoch(void **state)
{
    (void)state;
    two_nodes();
    bob_moves();
    char epoch[64], expected[128];
    snprintf(epoch, sizeof epoch, "%s", command("HGET hgtp:{T}:r:" HALL " epoch"));
    CALL(delete, "alice+++", "room_id", HALL);
    snprintf(expected, sizeof expected, "\nentry " HALL " %s 4 closed alice", epoch);
    assert_true(has_effect(expected));
    assert_true(has_effect("to n2@1\nrelay REMOVE bob+++++"));
}

/* Moves ------------------------------------------------------------------------------------------
 */

static void
scripts_datagram_at_another_node_moves_the_session_and_its_old_home_releases_it(void **state)
{
    (void)state;
    two_nodes();
    command("HSET hgtp:{T}:u:bob+++++ http 127.0.0.1:77");
    for (int i = 0; i < 3; i++) {
        CALL(say, "alice+++", "text", "x", "sent", "1");
    }
    char seen[128];
    snprintf(seen, sizeof seen, "bob+++++ 4 %s ", command("HGET hgtp:{T}:r:" HALL " epoch"));
    CALL(seen, NULL, "seen", seen);
    assert_false(has_effect("release"));
    CALL(refresh, "bob+++++", "node", "n2@1");
    assert_true(has_effect("home bob+++++ bob 127.0.0.1:77 3600 " HALL));
    /* The room's next entry, Bob's, from where, is held; the number of the move. */
    assert_true(has_effect(" 7 5 n1@1 1 hall alice 2 "));
    assert_true(has_effect("to n1@1\nrelease bob+++++ n2@1  2\n"));
    CALL(look, "bob+++++");
    assert_true(has_effect("gone bob+++++"));
    CALL(seen, NULL, "seen", seen);
    assert_true(has_effect("release bob+++++  \n"));
    assert_string_equal(command("HEXISTS hgtp:{T}:home:n1@1 bob+++++"), "0");
}

static void scripts_number_of_an_earlier_room_or_visit_does_not_count(void **state)
{
    (void)state;
    two_nodes();
    command("HSET hgtp:{T}:u:bob+++++ http 127.0.0.1:77");
    CALL(seen, NULL, "seen", "bob+++++ 9 12345 ");
    CALL(refresh, "bob+++++", "node", "n2@1");
    assert_true(has_effect(" 4 2 n1@1 1 hall alice 2 "));
    char seen[128];
    snprintf(seen, sizeof seen, "bob+++++ 2 %s ", command("HGET hgtp:{T}:r:" HALL " epoch"));
    CALL(seen, NULL, "node", "n2@1", "seen", seen);
    CALL(exit, "bob+++++", "node", "n2@1", "room", "hall");
    CALL(join, "bob+++++", "node", "n2@1", "room", "hall");
    CALL(refresh, "bob+++++");
    assert_true(has_effect(" 6 5 n2@1 1 hall alice 3 "));
}

static void scripts_message_through_another_node_moves_nobody_whose_home_lives(void **state)
{
    (void)state;
    two_nodes();
    assert_int_equal(CALL(say, "bob+++++", "node", "n2@1", "text", "hi", "sent", "1"), ERR_NONE);
    assert_false(has_effect("home "));
    assert_true(has_effect("to n1@1\nentry"));
    assert_string_equal(command("HGET hgtp:{T}:u:bob+++++ home"), "n1@1");
    CALL(beat, NULL, "bye", "1");
    assert_int_equal(CALL(say, "bob+++++", "node", "n2@1", "text", "hi", "sent", "2"), ERR_NONE);
    assert_true(has_effect("home bob"));
}

/* Nodes ------------------------------------------------------------------------------------------
 */

static void scripts_beat_names_the_other_nodes(void **state)
{
    (void)state;
    two_nodes();
    beat("n1@1", "tcp://127.0.0.1:9");
    assert_true(has_effect("peer n2@1 tcp://127.0.0.1:8"));
    assert_false(has_effect("peer n1@1"));
    CALL(beat, NULL, "node", "n2@1", "bye", "1");
    beat("n1@1", "tcp://127.0.0.1:9");
    assert_false(has_effect("peer n2@1"));
}

static void scripts_silent_node_is_dead_and_its_push_clients_are_shared_out(void **state)
{
    (void)state;
    two_nodes();
    beat("n3@1", "tcp://127.0.0.1:7");
    command("HSET hgtp:{T}:u:bob+++++ http 127.0.0.1:77");
    command("HSET hgtp:{T}:u:erin++++ http 127.0.0.1:78");
    silence("n1@1", "n2@1");
    beat("n2@1", "tcp://127.0.0.1:8");
    assert_true(has_effect("dead n1@1") && has_effect("lost n1@1"));
    CALL(adopt, NULL, "node", "n2@1", "from", "n1@1", "cursor", "0", "count", "100");
    bool has_bob = has_effect("home bob+++++"), has_erin = has_effect("home erin++++");
    assert_string_equal(last.extra, "0");
    assert_false(has_effect("release"));
    assert_string_equal(command("HGET hgtp:{T}:u:alice+++ home"), "");
    beat("n3@1", "tcp://127.0.0.1:7");
    assert_int_equal(has_effect("lost n1@1"), !(has_bob && has_erin));
    CALL(adopt, NULL, "node", "n3@1", "from", "n1@1", "cursor", "0", "count", "100");
    assert_int_equal(has_effect("home bob+++++"), !has_bob);
    assert_int_equal(has_effect("home erin++++"), !has_erin);
    beat("n2@1", "tcp://127.0.0.1:8");
    assert_false(has_effect("lost"));
    assert_string_equal(command("EXISTS hgtp:{T}:home:n1@1"), "0");
    assert_string_equal(command("HEXISTS hgtp:{T}:rh:" HALL " n1@1"), "0");
}

static void scripts_node_that_has_just_come_does_not_judge_the_others(void **state)
{
    (void)state;
    two_nodes();
    command("HSET hgtp:{T}:nodes n1@1 {\"beat\":1,\"steady\":1,\"since\":1,\"bus\":\"x\"}");
    beat("n2@1", "tcp://127.0.0.1:8");
    assert_false(has_effect("dead"));
}

static void scripts_second_living_node_with_one_id_is_refused(void **state)
{
    (void)state;
    two_nodes();
    assert_int_equal(CALL(beat, NULL, "node", "n1@2", "bus", "tcp://127.0.0.1:6"),
                     ERR_NODE_ID_TAKEN);
    assert_string_equal(last.extra, "127.0.0.1:9");
    assert_string_equal(command("HLEN hgtp:{T}:nodes"), "2");
    beat("n1@2", "tcp://127.0.0.1:9"); /* at the same address: the other one cannot live */
    assert_true(has_effect("lost n1@1"));
    assert_string_equal(command("HEXISTS hgtp:{T}:nodes n1@1"), "0");
}

static void scripts_silent_namesake_is_replaced(void **state)
{
    (void)state;
    two_nodes();
    command("HSET hgtp:{T}:nodes n1@1 {\"beat\":1,\"steady\":1,\"since\":1,\"bus\":\"x\"}");
    beat("n1@2", "tcp://127.0.0.1:6");
    assert_string_equal(command("HEXISTS hgtp:{T}:nodes n1@1"), "0");
}

static void scripts_node_that_is_shown_its_sessions_again_gets_its_own_only(void **state)
{
    (void)state;
    two_nodes();
    bob_moves();
    CALL(adopt, NULL, "node", "n2@1", "from", "n2@1", "cursor", "0", "count", "100");
    assert_true(has_effect("home bob+++++"));
    assert_false(has_effect("home alice+++"));
}

static void scripts_sessions_of_a_node_that_serves_again_stay_there(void **state)
{
    (void)state;
    two_nodes();
    CALL(adopt, NULL, "node", "n2@1", "from", "n1@1", "cursor", "0", "count", "100");
    assert_false(has_effect("home") || has_effect("look"));
    assert_string_equal(last.extra, "0");
    assert_string_equal(command("HLEN hgtp:{T}:home:n1@1"), "5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts_entry_goes_to_every_node_with_members_and_to_no_other),
        cmocka_unit_test(scripts_members_per_node_are_exact_through_every_change),
        cmocka_unit_test(
            scripts_relay_goes_through_the_peers_home_and_the_answer_through_the_askers),
        cmocka_unit_test(scripts_answer_follows_an_asker_who_has_moved),
        cmocka_unit_test(scripts_effect_for_a_node_that_is_gone_is_done_here),
        cmocka_unit_test(scripts_lists_of_all_go_to_all_and_those_of_a_room_to_its_nodes),
        cmocka_unit_test(scripts_sweep_writes_to_the_inbox_of_another_home_which_reads_the_truth),
        cmocka_unit_test(scripts_closed_room_is_told_to_all_its_nodes_with_its_epoch),
        cmocka_unit_test(
            scripts_datagram_at_another_node_moves_the_session_and_its_old_home_releases_it),
        cmocka_unit_test(scripts_number_of_an_earlier_room_or_visit_does_not_count),
        cmocka_unit_test(scripts_message_through_another_node_moves_nobody_whose_home_lives),
        cmocka_unit_test(scripts_beat_names_the_other_nodes),
        cmocka_unit_test(scripts_silent_node_is_dead_and_its_push_clients_are_shared_out),
        cmocka_unit_test(scripts_node_that_has_just_come_does_not_judge_the_others),
        cmocka_unit_test(scripts_second_living_node_with_one_id_is_refused),
        cmocka_unit_test(scripts_silent_namesake_is_replaced),
        cmocka_unit_test(scripts_node_that_is_shown_its_sessions_again_gets_its_own_only),
        cmocka_unit_test(scripts_sessions_of_a_node_that_serves_again_stay_there),
    };
    return cmocka_run_group_tests(tests, scripts_set_up, scripts_tear_down);
}
