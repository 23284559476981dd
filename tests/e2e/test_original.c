/* SPDX-License-Identifier: MIT */
/*
 * A client of the original's kind is never stuck: whatever was lost on the way between it and the
 * service, and whatever became of its session, it gets out of a room by the one button it has, and
 * into another one. Tests carry the numbers of issue 12's items.
 */
#include "tests/support/e2e.h"
#include "tests/support/e2e_cluster.h"

static const struct original_event *sent_name(struct original *client, enum hgtp_type type,
                                              const char *room)
{
    original_send_name(client, type, room);
    return original_wait_response(client, type);
}

/* It is in no room, and can do what one in no room can. */
static void expect_usable(struct original *client, const char *room)
{
    assert_false(client->in_room);
    e2e_open_room(client, room);
    e2e_ok(original_delete(client));
}

/* What the client has decided while the server heard nothing of it: the datagram is never sent. */
static void leaves_unheard(struct original *client)
{
    client->in_room = client->is_manager = false;
}

/* Answers (items 12, 13) ----------------------------------------------------------------------- */

E2E_SCENARIO(member_whose_answer_to_remove_was_lost_is_out_after_the_second_remove)
{
    E2E_NODE(e, "hgtp.answer_ms=200");
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    bob->relay = ORIGINAL_RELAY_SILENT;
    original_send_peer(alice, HGTP_REMOVE_USER_FROM_ROOM, "den", "bob");
    e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    leaves_unheard(bob);
    e2e_refused(original_wait_response(alice, HGTP_REMOVE_USER_FROM_ROOM), HGTP_DECLINE,
                ERR_PEER_SILENT);
    bob->relay = ORIGINAL_RELAY_ANSWER; /* declines, because it is in no room */
    e2e_ok(original_remove(alice, "bob"));
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice"));
    expect_usable(bob, "attic");
}

E2E_SCENARIO(answer_to_remove_that_comes_after_the_deadline_counts)
{
    E2E_CLUSTER(e, 2, "hgtp.answer_ms=200");
    e2e_cluster_meshed(e);
    struct original *alice = e2e_user_at(e, 0, "alice"), *bob = e2e_user_at(e, 1, "bob");
    e2e_open_room(alice, "den");
    e2e_came(original_wait_list(bob, PUSH_ROOM_LIST, "den"));
    e2e_join_room(bob, "den");
    bob->relay = ORIGINAL_RELAY_SILENT;
    original_send_peer(alice, HGTP_REMOVE_USER_FROM_ROOM, "den", "bob");
    const struct original_event *relay =
        e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    e2e_refused(original_wait_response(alice, HGTP_REMOVE_USER_FROM_ROOM), HGTP_DECLINE,
                ERR_PEER_SILENT);
    original_answer_relay(bob, relay, HGTP_OK);
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice"));
    e2e_came(original_wait_notice(alice, "[bob] was removed."));
    expect_usable(bob, "attic");
}

E2E_SCENARIO(invitation_survives_a_join_that_is_refused_while_it_is_on_its_way)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    bob->relay = ORIGINAL_RELAY_SILENT;
    original_send_peer(alice, HGTP_INVITE_USER_FROM_ROOM, "den", "bob");
    const struct original_event *relay =
        e2e_came(original_wait_relay(bob, HGTP_INVITE_USER_FROM_ROOM));
    e2e_refused(sent_name(bob, HGTP_JOIN_ROOM, "nowhere"), HGTP_BAD_REQUEST, ERR_ROOM_UNKNOWN);
    original_answer_relay(bob, relay, HGTP_OK);
    e2e_ok(original_wait_response(alice, HGTP_INVITE_USER_FROM_ROOM));
    assert_true(original_say(bob, "here I am"));
    e2e_came(original_wait_message(alice, "here I am"));
    e2e_ok(original_exit(bob, "den"));
}

E2E_SCENARIO(two_managers_invite_one_and_it_is_asked_by_one_after_the_other)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_open_room(alice, "den");
    e2e_open_room(carol, "attic");
    bob->relay = ORIGINAL_RELAY_SILENT;
    original_send_peer(alice, HGTP_INVITE_USER_FROM_ROOM, "den", "bob");
    const struct original_event *relay =
        e2e_came(original_wait_relay(bob, HGTP_INVITE_USER_FROM_ROOM));
    original_send_peer(carol, HGTP_INVITE_USER_FROM_ROOM, "attic", "bob");
    assert_true(original_fence(carol));
    const uint8_t invite = HGTP_INVITE_USER_FROM_ROOM;
    assert_int_equal(original_count(bob, 0, original_is_relay, &invite), 1);
    bob->relay = ORIGINAL_RELAY_ANSWER;
    original_answer_relay(bob, relay, HGTP_DECLINE);
    e2e_refused(original_wait_response(alice, HGTP_INVITE_USER_FROM_ROOM), HGTP_DECLINE,
                ERR_PEER_DECLINED);
    e2e_ok(original_wait_response(carol, HGTP_INVITE_USER_FROM_ROOM));
    assert_string_equal(bob->room_name, "attic");
    e2e_came(original_wait_list(carol, PUSH_ROOM_USER_LIST, "bob,carol"));
}

/* Ways out (item 14) --------------------------------------------------------------------------- */

E2E_SCENARIO(lost_answers_to_exit_and_delete_are_made_up_for_by_pressing_again)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    e2e_ok(sent_name(bob, HGTP_EXIT_ROOM, "den"));
    e2e_ok(sent_name(bob, HGTP_EXIT_ROOM, "den"));
    char room_id[sizeof alice->room_id];
    memcpy(room_id, alice->room_id, sizeof room_id);
    for (int i = 0; i < 2; i++) {
        original_send_room(alice, HGTP_DELETE_ROOM, room_id, "");
        e2e_ok(original_wait_response(alice, HGTP_DELETE_ROOM));
    }
    expect_usable(alice, "attic");
    expect_usable(bob, "attic");
}

E2E_SCENARIO(member_that_was_not_told_of_its_rooms_end_gets_out_by_exit)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    bob->relay = ORIGINAL_RELAY_SILENT;
    e2e_ok(original_delete(alice));
    assert_true(bob->in_room);
    bob->relay = ORIGINAL_RELAY_ANSWER;
    e2e_ok(original_exit(bob, "den"));
    expect_usable(bob, "den");
}

E2E_SCENARIO(client_that_does_not_know_where_it_is_joins_the_room_it_is_in)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    leaves_unheard(bob);
    size_t before = bob->log.count;
    e2e_ok(original_join(bob, "den"));
    e2e_came(original_wait_list(bob, PUSH_ROOM_USER_LIST, "alice,bob"));
    assert_true(bob->log.count > before);
    assert_true(original_say(bob, "still here"));
    e2e_came(original_wait_message(alice, "still here"));
    e2e_ok(original_exit(bob, "den"));
}

E2E_SCENARIO(signed_exit_of_an_unknown_user_is_refused_as_every_other_request)
{
    E2E_NODE(e);
    const struct original_options options = {.name = "alice", .auth = ORIGINAL_HMAC};
    struct original *alice = e2e_user_with(e, &options);
    e2e_ok(original_unregister(alice));
    e2e_refused(sent_name(alice, HGTP_EXIT_ROOM, "den"), HGTP_BAD_REQUEST, ERR_NOT_REGISTERED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(member_whose_answer_to_remove_was_lost_is_out_after_the_second_remove),
        E2E_TEST(answer_to_remove_that_comes_after_the_deadline_counts),
        E2E_TEST(invitation_survives_a_join_that_is_refused_while_it_is_on_its_way),
        E2E_TEST(two_managers_invite_one_and_it_is_asked_by_one_after_the_other),
        E2E_TEST(lost_answers_to_exit_and_delete_are_made_up_for_by_pressing_again),
        E2E_TEST(member_that_was_not_told_of_its_rooms_end_gets_out_by_exit),
        E2E_TEST(client_that_does_not_know_where_it_is_joins_the_room_it_is_in),
        E2E_TEST(signed_exit_of_an_unknown_user_is_refused_as_every_other_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
