/* SPDX-License-Identifier: MIT */
/*
 * What modern users do by HGTP over WebSocket, and see of it as JSON: registering, lists, rooms,
 * notices, inviting and removing, beside originals. The talk is in test_ws_talk.c.
 */
#include "tests/support/e2e_talk.h"

static int64_t number(const json_t *object, const char *member)
{
    return json_integer_value(json_object_get(object, member));
}

static const char *text(const json_t *object, const char *member)
{
    const char *value = json_string_value(json_object_get(object, member));
    return value != NULL ? value : "";
}

static void expect_now(int64_t time_unix_ms)
{
    int64_t off_ms = pump_now_unix_ms() - time_unix_ms;
    assert_true(off_ms > -5000 && off_ms < 60000);
}

/* Registering and lists ------------------------------------------------------------------------ */

E2E_SCENARIO(register_brings_token_session_and_lists)
{
    E2E_NODE(e);
    struct talker *alice = e2e_visitor(e, "앨리스");
    assert_true(talker_register(alice));
    assert_true(strlen(alice->token) >= 16);
    const json_t *session = e2e_told(ws_client_wait_type(alice->ws, "session"));
    assert_string_equal(text(session, "user"), "앨리스");
    assert_true(json_is_null(json_object_get(session, "room")));
    assert_string_equal(text(session, "epoch"), "");
    assert_int_equal(number(session, "last"), 0);
    e2e_told(talker_wait_list(alice, "user_list", "앨리스"));
    e2e_told(talker_wait_list(alice, "room_list", ""));
}

E2E_SCENARIO(register_tells_who_one_is_before_anything_else)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    for (size_t i = 0; i < alice->ws->count; i++) {
        if (alice->ws->messages[i]->kind == WS_CLIENT_TEXT) {
            assert_true(ws_client_is_type(alice->ws->messages[i], "session"));
            return;
        }
    }
    fail_msg("nothing was told");
}

E2E_SCENARIO(register_with_a_name_that_is_taken_is_declined)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    static const char *const names[] = {"alice", "bob"};
    for (size_t i = 0; i < 2; i++) {
        struct talker *second = e2e_visitor(e, names[i]);
        uint8_t storage[256];
        struct sink out = sink_into(storage, sizeof storage);
        talk_request_register(&second->speaker, names[i], &out);
        talker_send(second, sink_bytes(&out));
        e2e_talk_refused(talker_wait_response(second, HGTP_REGISTER), HGTP_DECLINE, ERR_NAME_TAKEN);
    }
    assert_true(talker_fence(alice) && original_fence(bob));
}

E2E_SCENARIO(register_with_a_wrong_key_is_forbidden_and_can_be_tried_again)
{
    E2E_NODE(e);
    struct talker *mallory = e2e_visitor(e, "mallory");
    mallory->options.key = "wrong";
    assert_false(talker_register(mallory));
    assert_int_equal(mallory->record.sessions, 0);
    mallory->options.key = TALKER_KEY;
    assert_true(talker_register(mallory));
}

E2E_SCENARIO(visitor_without_a_session_can_do_nothing)
{
    E2E_NODE(e);
    struct talker *eve = e2e_visitor(e, "eve");
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    talker_say(eve, "hello", "1");
    e2e_talk_error(eve, ERR_NOT_REGISTERED, "1");
    ws_client_send_text(eve->ws, "{\"type\":\"history\"}");
    e2e_talk_error(eve, ERR_NOT_REGISTERED, NULL);
    e2e_talk_refused(talker_refresh(eve), HGTP_BAD_REQUEST, ERR_NOT_REGISTERED);
    e2e_talk_refused(talker_join(eve, "den"), HGTP_BAD_REQUEST, ERR_NOT_REGISTERED);
    /* An id that somebody has is no proof of anything. */
    strcpy(eve->speaker.user_id, alice->speaker.user_id);
    e2e_talk_refused(talker_delete(eve), HGTP_BAD_REQUEST, ERR_SIGNATURE_REQUIRED);
    assert_true(talker_fence(alice));
    assert_string_equal(alice->record.room, "den");
}

E2E_SCENARIO(lists_change_for_all_as_users_and_rooms_come_and_go)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_told(talker_wait_list(alice, "user_list", "alice,bob"));
    struct talker *carol = e2e_talker(e, "carol");
    e2e_told(talker_wait_list(alice, "user_list", "alice,bob,carol"));
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "alice,bob,carol"));
    e2e_open_room(bob, "den");
    const json_t *rooms = e2e_told(talker_wait_list(alice, "room_list", "den"));
    assert_int_equal(json_integer_value(json_array_get(json_object_get(rooms, "members"), 0)), 1);
    e2e_talk_open_room(carol, "attic");
    e2e_told(talker_wait_list(alice, "room_list", "attic,den"));
    e2e_came(original_wait_list(bob, PUSH_ROOM_LIST, "attic,den"));
    e2e_talk_ok(talker_delete(carol));
    e2e_told(talker_wait_list(alice, "room_list", "den"));
    e2e_talk_ok(talker_unregister(carol));
    e2e_told(talker_wait_list(alice, "user_list", "alice,bob"));
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "alice,bob"));
}

E2E_SCENARIO(refresh_brings_all_lists)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    e2e_told(talker_wait_list(alice, "room_list", "den"));
    assert_true(talker_fence(alice));
    e2e_told(talker_wait_list(alice, "user_list", "alice"));
    e2e_told(talker_wait_list(alice, "room_list", "den"));
    const json_t *members = e2e_told(talker_wait_list(alice, "room_user_list", "alice"));
    assert_string_equal(text(members, "manager"), "alice");
    assert_string_equal(text(members, "room"), "den");
}

static bool is_page_from(const struct ws_client_message *message, const void *place)
{
    const json_t *first = json_object_get(message->json, "first");
    return ws_client_is_type(message, "user_list") && first != NULL &&
           json_integer_value(first) == *(const int64_t *)place;
}

E2E_SCENARIO(long_list_comes_on_refresh_in_pages)
{
    E2E_NODE(e, "lists.max=2");
    static const char *const names[] = {"u0", "u1", "u2", "u3", "u4"};
    struct talker *users[5];
    for (size_t i = 0; i < 5; i++) {
        users[i] = e2e_visitor(e, names[i]);
        assert_true(talker_register(users[i]));
    }
    assert_true(talker_fence(users[4]));
    int64_t seen = 0;
    while (seen < 5) {
        const struct ws_client_message *page =
            ws_client_wait(users[4]->ws, is_page_from, &seen, TALKER_WAIT_MS);
        assert_non_null(page);
        size_t count = json_array_size(json_object_get(page->json, "users"));
        assert_true(count > 0 && count <= 2);
        seen += (int64_t)count;
        assert_true(json_is_true(json_object_get(page->json, "more")) == (seen < 5));
    }
    assert_int_equal(seen, 5);
}

/* Rooms and notices ---------------------------------------------------------------------------- */

E2E_SCENARIO(create_moves_the_session_into_its_room)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_ok(talker_create(alice, "the den"));
    assert_true(talker_is_in(alice, "the den"));
    assert_string_equal(alice->record.room_id, alice->room_id);
    assert_true(alice->record.epoch[0] != '\0');
    const json_t *notice =
        e2e_told(TALKER_WAIT(alice, "notice", "event", "created", "user", "alice"));
    assert_string_equal(text(notice, "room"), "the den");
    assert_string_equal(text(notice, "notice"), "[alice] has opened the room [the den].");
    assert_int_equal(number(notice, "seq"), 1);
    expect_now(number(notice, "time"));
    const json_t *members = e2e_told(talker_wait_list(alice, "room_user_list", "alice"));
    assert_string_equal(text(members, "manager"), "alice");
}

E2E_SCENARIO(notices_say_who_did_what_whoever_it_was)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    struct talker *carol = e2e_talker(e, "carol");
    e2e_talk_open_room(alice, "den");
    e2e_join_room(bob, "den");
    const json_t *notice = e2e_told(TALKER_WAIT(alice, "notice", "event", "joined"));
    assert_string_equal(text(notice, "user"), "bob");
    assert_string_equal(text(notice, "notice"), "[bob] has joined.");
    e2e_talk_join_room(carol, "den");
    e2e_told(TALKER_WAIT(alice, "notice", "event", "joined", "user", "carol"));
    e2e_came(original_wait_notice(bob, "[carol] has joined."));
    e2e_told(talker_wait_list(alice, "room_user_list", "alice,bob,carol"));
    e2e_ok(original_exit(bob, "den"));
    notice = e2e_told(TALKER_WAIT(alice, "notice", "event", "left"));
    assert_string_equal(text(notice, "user"), "bob");
    e2e_told(TALKER_WAIT(carol, "notice", "event", "left", "user", "bob"));
    e2e_talk_ok(talker_exit(carol, "den"));
    assert_true(talker_is_in(carol, ""));
    e2e_told(TALKER_WAIT(alice, "notice", "event", "left", "user", "carol"));
    e2e_told(talker_wait_list(alice, "room_user_list", "alice"));
    e2e_talk_whole(alice, 5);
}

E2E_SCENARIO(room_that_is_deleted_sends_all_its_members_away)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *carol = e2e_talker(e, "carol");
    struct original *bob = e2e_user(e, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_talk_join_room(carol, "den");
    e2e_join_room(bob, "den");
    e2e_talk_ok(talker_delete(alice));
    assert_true(talker_is_in(alice, "") && talker_is_in(carol, ""));
    struct talker_reply relay = talker_wait_relay(carol, HGTP_REMOVE_USER_FROM_ROOM);
    assert_true(relay.has_come);
    assert_int_equal(relay.msg.header.seq, 1);
    e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    e2e_talk_open_room(carol, "den");
    e2e_talk_whole(carol, 1);
    talker_say(alice, "to nobody", "1");
    e2e_talk_error(alice, ERR_NOT_IN_ROOM, "1");
}

E2E_SCENARIO(refusals_carry_their_reason)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    e2e_talk_refused(talker_join(bob, "nowhere"), HGTP_BAD_REQUEST, ERR_ROOM_UNKNOWN);
    e2e_talk_refused(talker_exit(bob, "nowhere"), HGTP_BAD_REQUEST, ERR_ROOM_UNKNOWN);
    e2e_talk_open_room(alice, "den");
    e2e_talk_refused(talker_create(alice, "another"), HGTP_BAD_REQUEST, ERR_IN_ROOM);
    e2e_talk_refused(talker_create(bob, "den"), HGTP_DECLINE, ERR_ROOM_NAME_TAKEN);
    e2e_talk_refused(talker_invite(alice, "den", "nobody"), HGTP_BAD_REQUEST, ERR_PEER_UNKNOWN);
    e2e_talk_refused(talker_remove(alice, "den", "bob"), HGTP_DECLINE, ERR_PEER_NOT_MEMBER);
    strcpy(bob->room_id, alice->record.room_id);
    e2e_talk_refused(talker_delete(bob), HGTP_BAD_REQUEST, ERR_NOT_MANAGER);
    assert_true(talker_fence(alice));
    e2e_talk_whole(alice, 1);
}

/* Repeated to the byte, it gets the stored reply; the room is opened once. */
E2E_SCENARIO(repeated_request_gets_the_same_reply_and_changes_nothing)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    uint8_t storage[256];
    struct sink out = sink_into(storage, sizeof storage);
    talk_request_room_id(alice->room_id);
    int32_t seq = talk_request_room(&alice->speaker, HGTP_CREATE_ROOM, alice->room_id, "den", &out);
    for (int i = 0; i < 3; i++) {
        talker_send(alice, sink_bytes(&out));
        struct talker_reply reply = talker_wait_response(alice, HGTP_CREATE_ROOM);
        e2e_talk_ok(reply);
        assert_int_equal(reply.msg.header.seq, seq + 1);
    }
    assert_true(talker_fence(alice));
    e2e_talk_whole(alice, 1);
}

/* Inviting and removing ------------------------------------------------------------------------ */

E2E_SCENARIO(talker_invites_an_original_and_removes_it)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_talk_ok(talker_invite(alice, "den", "bob"));
    assert_true(bob->in_room);
    e2e_told(TALKER_WAIT(alice, "notice", "event", "invited", "user", "bob"));
    e2e_told(talker_wait_list(alice, "room_user_list", "alice,bob"));
    e2e_came(original_wait_list(bob, PUSH_ROOM_USER_LIST, "alice,bob"));
    assert_true(original_say(bob, "thank you"));
    e2e_told(TALKER_WAIT(alice, "message", "from", "bob", "message", "thank you"));
    e2e_talk_ok(talker_remove(alice, "den", "bob"));
    assert_false(bob->in_room);
    e2e_told(TALKER_WAIT(alice, "notice", "event", "removed", "user", "bob"));
    e2e_told(talker_wait_list(alice, "room_user_list", "alice"));
    e2e_talk_whole(alice, 4);
}

E2E_SCENARIO(original_invites_a_talker_and_removes_it)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct talker *bob = e2e_talker(e, "bob");
    e2e_open_room(alice, "den");
    e2e_ok(original_invite(alice, "bob"));
    struct talker_reply relay = talker_wait_relay(bob, HGTP_INVITE_USER_FROM_ROOM);
    assert_true(relay.has_come);
    assert_int_equal(relay.msg.header.seq, 2);
    assert_memory_equal(relay.msg.header.user_id, bob->speaker.user_id, HGTP_USER_ID_BYTES);
    assert_true(bytes_equal(relay.msg.peer.room_name, bytes_str("ZGVu")));
    assert_true(talker_is_in(bob, "den"));
    e2e_told(TALKER_WAIT(bob, "notice", "event", "invited", "user", "bob"));
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice,bob"));
    assert_true(talker_say_acked(bob, "thank you", NULL) > 0);
    e2e_came(original_wait_message(alice, "thank you"));
    e2e_ok(original_remove(alice, "bob"));
    assert_true(talker_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM).has_come);
    assert_true(talker_is_in(bob, ""));
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice"));
}

E2E_SCENARIO(talkers_decline_and_are_silent_as_others_are)
{
    E2E_NODE(e, "hgtp.answer_ms=500");
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    e2e_talk_open_room(alice, "den");
    bob->relay = ORIGINAL_RELAY_DECLINE;
    e2e_talk_refused(talker_invite(alice, "den", "bob"), HGTP_DECLINE, ERR_PEER_DECLINED);
    bob->relay = ORIGINAL_RELAY_SILENT;
    e2e_talk_refused(talker_invite(alice, "den", "bob"), HGTP_DECLINE, ERR_PEER_SILENT);
    bob->relay = ORIGINAL_RELAY_ANSWER;
    e2e_talk_ok(talker_invite(alice, "den", "bob"));
    assert_true(talker_is_in(bob, "den"));
    e2e_talk_refused(talker_invite(alice, "den", "bob"), HGTP_DECLINE, ERR_PEER_IN_ROOM);
    bob->relay = ORIGINAL_RELAY_DECLINE;
    e2e_talk_refused(talker_remove(alice, "den", "bob"), HGTP_DECLINE, ERR_PEER_DECLINED);
    assert_true(talker_say_acked(bob, "I stay", "1") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(register_brings_token_session_and_lists),
        E2E_TEST(register_tells_who_one_is_before_anything_else),
        E2E_TEST(register_with_a_name_that_is_taken_is_declined),
        E2E_TEST(register_with_a_wrong_key_is_forbidden_and_can_be_tried_again),
        E2E_TEST(visitor_without_a_session_can_do_nothing),
        E2E_TEST(lists_change_for_all_as_users_and_rooms_come_and_go),
        E2E_TEST(refresh_brings_all_lists),
        E2E_TEST(long_list_comes_on_refresh_in_pages),
        E2E_TEST(create_moves_the_session_into_its_room),
        E2E_TEST(notices_say_who_did_what_whoever_it_was),
        E2E_TEST(room_that_is_deleted_sends_all_its_members_away),
        E2E_TEST(refusals_carry_their_reason),
        E2E_TEST(repeated_request_gets_the_same_reply_and_changes_nothing),
        E2E_TEST(talker_invites_an_original_and_removes_it),
        E2E_TEST(original_invites_a_talker_and_removes_it),
        E2E_TEST(talkers_decline_and_are_silent_as_others_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
