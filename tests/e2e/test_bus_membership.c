/* SPDX-License-Identifier: MIT */
/*
 * Who is in a room, while the nodes do not hear each other: changes that are asked for at one node
 * about sessions whose connections are at another. Who was removed reads nothing that was said
 * afterwards, and who came in reads all of it, whether the bus comes back or not.
 */
#include <stdio.h>

#include "tests/support/e2e_cluster.h"
#include "tests/support/e2e_talk.h"
#include "tests/support/tool.h"

#define ARRIVES_MS 20000

/* Node 0 has the connections of vic, joiner, leaver and witness; all is asked at node 1. */
struct people {
    struct talker *boss, *witness, *vic, *joiner, *leaver;
};

static struct people room_at_two_nodes(struct e2e *e)
{
    E2E_CLUSTER_RELAYED(e, 2);
    e2e_cluster_meshed(e);
    struct people p = {.boss = e2e_talker_at(e, 1, "boss"),
                       .witness = e2e_talker_at(e, 0, "witness"),
                       .vic = e2e_talker_at(e, 0, "vic"),
                       .joiner = e2e_talker_at(e, 0, "joiner"),
                       .leaver = e2e_talker_at(e, 0, "leaver")};
    e2e_talk_ok(talker_create(p.boss, "tea"));
    struct talker *const members[] = {p.witness, p.vic, p.leaver};
    for (size_t i = 0; i < 3; i++) {
        e2e_talk_ok(talker_join(members[i], "tea"));
        assert_true(talker_is_in(members[i], "tea"));
    }
    return p;
}

static void ask_by_post(struct e2e *e, struct talker *talker, enum hgtp_type type)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    talk_request_name(&talker->speaker, type, "tea", &out);
    e2e_talk_ok(
        e2e_post_hgtp(e->nodes[1].daemon->http_port, talker->token, sink_bytes(&out), NULL));
}

/* The room changes at node 1, and something is said that is only for who is in it then. */
static void change_the_room(struct e2e *e, struct people *p)
{
    TOOL(e->nodes[1].daemon, 0, "room", "kick", "tea", "vic", "--yes");
    ask_by_post(e, p->joiner, HGTP_JOIN_ROOM);
    ask_by_post(e, p->leaver, HGTP_EXIT_ROOM);
    assert_true(talker_say_acked(p->boss, "for those in the room", "1") > 0);
}

static void expect_no_message(const struct talker *talker)
{
    for (size_t i = 0; i < talker->record.count; i++) {
        assert_int_not_equal(talker->record.entries[i]->kind, TALK_MESSAGE);
    }
}

static void expect_the_room_is_right(struct people *p)
{
    assert_non_null(TALKER_WAIT(p->witness, "message", "message", "for those in the room"));
    assert_true(talker_is_in(p->joiner, "tea"));
    assert_non_null(TALKER_WAIT(p->joiner, "message", "message", "for those in the room"));
    assert_true(talker_is_in(p->vic, ""));
    assert_true(talker_is_in(p->leaver, ""));
    assert_true(talker_say_acked(p->boss, "once more", "2") > 0);
    assert_non_null(TALKER_WAIT(p->joiner, "message", "message", "once more"));
    assert_true(talker_fence(p->vic) && talker_fence(p->leaver));
    expect_no_message(p->vic);
    expect_no_message(p->leaver);
    struct talker *const all[] = {p->boss, p->witness, p->vic, p->joiner, p->leaver};
    for (size_t i = 0; i < 5; i++) {
        assert_null(talker_broken(all[i]));
    }
}

E2E_SCENARIO(room_is_right_after_the_bus_was_cut_for_a_moment)
{
    struct people p = room_at_two_nodes(e);
    relay_set(e->nodes[0].bus_relay, RELAY_CUT);
    relay_set(e->nodes[1].bus_relay, RELAY_CUT);
    change_the_room(e, &p);
    relay_set(e->nodes[0].bus_relay, RELAY_PASS);
    relay_set(e->nodes[1].bus_relay, RELAY_PASS);
    expect_the_room_is_right(&p);
}

E2E_SCENARIO(room_is_right_though_the_bus_stays_cut)
{
    struct people p = room_at_two_nodes(e);
    relay_set(e->nodes[0].bus_relay, RELAY_CUT);
    relay_set(e->nodes[1].bus_relay, RELAY_CUT);
    change_the_room(e, &p);
    expect_the_room_is_right(&p);
}

E2E_SCENARIO(room_is_right_though_one_node_does_not_hear_the_other)
{
    struct people p = room_at_two_nodes(e);
    relay_set(e->nodes[0].bus_relay, RELAY_CUT);
    change_the_room(e, &p);
    expect_the_room_is_right(&p);
}

E2E_SCENARIO(session_that_is_kicked_reads_nothing_more_though_the_bus_is_cut)
{
    struct people p = room_at_two_nodes(e);
    relay_set(e->nodes[0].bus_relay, RELAY_CUT);
    relay_set(e->nodes[1].bus_relay, RELAY_CUT);
    TOOL(e->nodes[1].daemon, 0, "session", "kick", "vic", "--yes");
    assert_true(talker_say_acked(p.boss, "without vic", "1") > 0);
    assert_non_null(TALKER_WAIT(p.witness, "message", "message", "without vic"));
    assert_true(ws_client_wait_close(p.vic->ws, ARRIVES_MS) != 0);
    expect_no_message(p.vic);
}

E2E_SCENARIO(room_that_is_closed_is_left_though_the_bus_is_cut)
{
    struct people p = room_at_two_nodes(e);
    relay_set(e->nodes[0].bus_relay, RELAY_CUT);
    relay_set(e->nodes[1].bus_relay, RELAY_CUT);
    assert_true(talker_say_acked(p.boss, "the last word", "1") > 0);
    e2e_talk_ok(talker_delete(p.boss));
    assert_true(talker_is_in(p.vic, ""));
    assert_true(talker_is_in(p.witness, ""));
    e2e_talk_ok(talker_create(p.boss, "tea"));
    e2e_talk_ok(talker_join(p.vic, "tea"));
    assert_true(talker_is_in(p.vic, "tea"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(room_is_right_after_the_bus_was_cut_for_a_moment),
        E2E_TEST(room_is_right_though_the_bus_stays_cut),
        E2E_TEST(room_is_right_though_one_node_does_not_hear_the_other),
        E2E_TEST(session_that_is_kicked_reads_nothing_more_though_the_bus_is_cut),
        E2E_TEST(room_that_is_closed_is_left_though_the_bus_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
