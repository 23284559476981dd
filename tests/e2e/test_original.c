/* SPDX-License-Identifier: MIT */
/*
 * A client of the original's kind is never stuck: whatever was lost on the way between it and the
 * service, and whatever became of its session, it gets out of a room by the one button it has, and
 * into another one. Tests carry the numbers of issue 12's items.
 */
#include <stdlib.h>

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

/* Messages that are refused (item 16) ---------------------------------------------------------- */

static const char too_long_en[] = "Your message was not sent: it is longer than 100 bytes.";

E2E_SCENARIO(message_that_is_too_long_is_answered_by_a_notice)
{
    E2E_NODE(e, "limits.message_bytes=100");
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    char text[102] = {0};
    memset(text, 'x', 101);
    assert_true(original_say(alice, text));
    e2e_came(original_wait_notice(alice, too_long_en));
    text[100] = '\0';
    assert_true(original_say(alice, text));
    e2e_came(original_wait_message(bob, text));
    assert_true(original_fence(bob));
    const enum push_type notice = PUSH_NOTICE;
    assert_int_equal(original_count(bob, 0, original_is_push, &notice), 1); /* its own joining */
}

E2E_SCENARIO(message_that_is_too_long_to_be_read_at_all_is_answered_by_a_notice)
{
    E2E_NODE(e, "limits.message_bytes=100", "notices.language=ko");
    struct original *alice = e2e_user(e, "alice");
    e2e_open_room(alice, "den");
    enum { LENGTH = 100000 };
    char *text = calloc(1, LENGTH + 1);
    memset(text, 'x', LENGTH);
    assert_true(original_say(alice, text));
    free(text);
    e2e_came(original_wait_notice(alice, "메시지가 전송되지 않았습니다: 100바이트를 넘습니다."));
}

static bool says_too_fast(const struct original_event *event, const void *arg)
{
    (void)arg;
    return event->kind == ORIGINAL_PUSH && event->push == PUSH_NOTICE &&
           strstr(event->text, "too many at once") != NULL;
}

E2E_SCENARIO(notice_about_a_message_comes_from_the_node_that_has_the_connection)
{
    E2E_CLUSTER(e, 2, "limits.message_bytes=100", "limits.messages_per_s=2");
    e2e_cluster_meshed(e);
    struct original *alice = e2e_user_at(e, 0, "alice");
    e2e_open_room(alice, "den");
    e2e_rebind_talk(e, alice, 1);
    char text[102] = {0};
    memset(text, 'x', 101);
    assert_true(original_say(alice, text));
    e2e_came(original_wait_notice(alice, too_long_en));
    size_t count = 0;
    int64_t deadline_ms = pump_deadline_ms(ORIGINAL_WAIT_MS);
    while (count == 0 && pump_now_ms() < deadline_ms) {
        for (int i = 0; i < 5; i++) {
            assert_true(original_say(alice, "quick"));
        }
        assert_true(original_fence(alice));
        count = original_count(alice, 0, says_too_fast, NULL);
    }
    assert_true(count > 0);
}

E2E_SCENARIO(message_of_one_in_no_room_is_answered_by_a_notice)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    assert_true(original_say(alice, "anybody?"));
    e2e_came(original_wait_notice(
        alice, "Your message was not sent: you are in no room any more. Leave it."));
}

/* Floods (rule 18) ----------------------------------------------------------------------------- */

static void flood(struct original *client)
{
    for (int i = 0; i < 1000; i++) {
        original_send_plain(client, HGTP_REFRESH);
    }
}

E2E_SCENARIO(join_beyond_the_rate_is_a_bad_request_and_the_ways_out_stay_open)
{
    E2E_NODE(e, "limits.requests_per_s=50");
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    const struct original_options options = {.name = "mallory"};
    struct original *mallory = e2e_client_with(e, &options);
    bool was_refused = false;
    int64_t deadline_ms = pump_deadline_ms(ORIGINAL_WAIT_MS);
    while (!was_refused && pump_now_ms() < deadline_ms) {
        flood(mallory);
        const struct original_event *event = e2e_came(sent_name(bob, HGTP_JOIN_ROOM, "den"));
        was_refused = event->msg.header.type != HGTP_OK;
        if (was_refused) {
            e2e_refused(event, HGTP_BAD_REQUEST, ERR_RATE_LIMITED);
        }
    }
    assert_true(was_refused);
    for (int i = 0; i < 5; i++) {
        flood(mallory);
        e2e_ok(sent_name(bob, HGTP_EXIT_ROOM, "den"));
    }
    flood(mallory);
    e2e_ok(original_delete(alice));
    flood(mallory);
    e2e_ok(original_unregister(alice));
    assert_true(e2e_metric(e, "hgtp_rate_limited_total") > 100);
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
        E2E_TEST(message_that_is_too_long_is_answered_by_a_notice),
        E2E_TEST(message_that_is_too_long_to_be_read_at_all_is_answered_by_a_notice),
        E2E_TEST(notice_about_a_message_comes_from_the_node_that_has_the_connection),
        E2E_TEST(message_of_one_in_no_room_is_answered_by_a_notice),
        E2E_TEST(join_beyond_the_rate_is_a_bad_request_and_the_ways_out_stay_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
