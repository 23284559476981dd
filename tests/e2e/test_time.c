/* SPDX-License-Identifier: MIT */
/*
 * What happens by time alone: sessions that show no sign of life, invitations that nobody answers.
 * No scenario sleeps; each waits for what has to come.
 */
#include "tests/support/e2e.h"

/* A user whose process seems to be gone: nothing listens at its HTTP port. */
static struct original *silent_user(struct e2e *e, const char *name, int64_t expires_s)
{
    const struct original_options options = {.name = name, .expires_s = expires_s};
    struct original *user = e2e_client_with(e, &options);
    original_set_pushes(user, ORIGINAL_PUSHES_REFUSE);
    assert_true(original_register(user));
    return user;
}

E2E_SCENARIO(session_without_a_sign_of_life_ends_and_frees_its_name)
{
    E2E_NODE(e);
    struct original *bob = e2e_user(e, "bob");
    struct original *alice = silent_user(e, "alice", 1);
    int64_t start_ms = pump_now_ms();
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "alice,bob"));
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "bob"));
    assert_true(pump_now_ms() - start_ms >= 900);
    original_send_plain(alice, HGTP_REFRESH);
    e2e_refused(original_wait_response(alice, HGTP_REFRESH), HGTP_BAD_REQUEST, ERR_NOT_REGISTERED);
    e2e_user(e, "alice");
}

E2E_SCENARIO(members_see_list_and_notice_when_a_member_expires)
{
    E2E_NODE(e);
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(bob, "den");
    struct original *alice = silent_user(e, "alice", 1);
    e2e_ok(original_join(alice, "den"));
    e2e_came(original_wait_notice(bob, "[alice] has joined."));
    const struct original_event *list =
        e2e_came(original_wait_list(bob, PUSH_ROOM_USER_LIST, "alice,bob"));
    const struct original_event *after =
        e2e_came(original_wait_list(bob, PUSH_ROOM_USER_LIST, "bob"));
    const struct original_event *notice = e2e_came(original_wait_notice(bob, "[alice] has left."));
    assert_true(list->index < after->index && after->index < notice->index);
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "bob"));
}

E2E_SCENARIO(room_goes_on_when_its_manager_expires_and_ends_when_it_is_empty)
{
    E2E_NODE(e);
    struct original *bob = e2e_user(e, "bob");
    struct original *alice = silent_user(e, "alice", 1);
    e2e_ok(original_create(alice, "den"));
    e2e_join_room(bob, "den");
    e2e_came(original_wait_notice(bob, "[alice] has left."));
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "bob"));
    assert_true(bob->in_room);
    assert_true(original_say(bob, "alone"));
    e2e_came(original_wait_message(bob, "alone"));
    e2e_ok(original_exit(bob, "den"));
    e2e_came(original_wait_list(bob, PUSH_ROOM_LIST, ""));
    e2e_refused(original_join(bob, "den"), HGTP_BAD_REQUEST, ERR_ROOM_UNKNOWN);
    e2e_open_room(bob, "den");
}

E2E_SCENARIO(answered_push_connection_keeps_a_session_beyond_its_expires)
{
    E2E_NODE(e);
    const struct original_options options = {.name = "alice", .expires_s = 1};
    struct original *alice = e2e_user_with(e, &options);
    struct original *bob = e2e_user(e, "bob");
    /* Three sessions run out one after the other, the last 3 s from now; alice says nothing
     * meanwhile. */
    silent_user(e, "one", 1);
    silent_user(e, "two", 2);
    silent_user(e, "three", 3);
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "alice,bob,one,two,three"));
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "alice,bob,two,three"));
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "alice,bob,three"));
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "alice,bob"));
    assert_true(original_fence(alice));
}

E2E_SCENARIO(requests_keep_a_session_beyond_its_expires)
{
    E2E_NODE(e);
    struct original *bob = e2e_user(e, "bob");
    struct original *alice = silent_user(e, "alice", 1);
    int64_t end_ms = pump_now_ms() + 2500;
    while (pump_now_ms() < end_ms) {
        e2e_ok(original_refresh(alice));
        e2e_retry_pause();
    }
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "alice,bob"));
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "bob"));
}

E2E_SCENARIO(expires_is_cut_to_what_the_node_allows)
{
    E2E_NODE(e, "hgtp.expires_s=1");
    struct original *bob = e2e_user(e, "bob");
    silent_user(e, "alice", 3600);
    silent_user(e, "carol", -1);
    silent_user(e, "dave", INT64_MAX);
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "alice,bob,carol,dave"));
    e2e_came(original_wait_list(bob, PUSH_USER_LIST, "bob"));
}

E2E_SCENARIO(unanswered_invite_is_declined_at_the_deadline)
{
    E2E_NODE(e, "hgtp.answer_ms=400");
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    bob->relay = ORIGINAL_RELAY_SILENT;
    int64_t start_ms = pump_now_ms();
    const struct original_event *declined = e2e_came(original_invite(alice, "bob"));
    e2e_refused(declined, HGTP_DECLINE, ERR_PEER_SILENT);
    assert_int_equal(declined->msg.header.seq, 4);
    int64_t took_ms = pump_now_ms() - start_ms;
    assert_true(took_ms >= 390 && took_ms < 4000);

    bob->relay = ORIGINAL_RELAY_ANSWER;
    e2e_ok(original_invite(alice, "bob"));
}

/* The original's client has entered the room in its own eyes: so it is in, as long as there is one
 * (issue 12, item 13). */
E2E_SCENARIO(invite_accepted_too_late_is_accepted)
{
    E2E_NODE(e, "hgtp.answer_ms=200");
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    bob->relay = ORIGINAL_RELAY_SILENT;
    original_send_peer(alice, HGTP_INVITE_USER_FROM_ROOM, "den", "bob");
    const struct original_event *relay =
        e2e_came(original_wait_relay(bob, HGTP_INVITE_USER_FROM_ROOM));
    e2e_refused(original_wait_response(alice, HGTP_INVITE_USER_FROM_ROOM), HGTP_DECLINE,
                ERR_PEER_SILENT);
    bob->relay = ORIGINAL_RELAY_ANSWER;
    original_answer_relay(bob, relay, HGTP_OK);
    assert_true(bob->in_room);
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice,bob"));
    assert_true(original_say(bob, "late"));
    e2e_came(original_wait_message(alice, "late"));
}

E2E_SCENARIO(invite_accepted_when_the_room_is_gone_puts_the_client_back_outside)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    bob->relay = ORIGINAL_RELAY_SILENT;
    original_send_peer(alice, HGTP_INVITE_USER_FROM_ROOM, "den", "bob");
    const struct original_event *relay =
        e2e_came(original_wait_relay(bob, HGTP_INVITE_USER_FROM_ROOM));
    e2e_ok(original_delete(alice));
    bob->relay = ORIGINAL_RELAY_ANSWER;
    original_answer_relay(bob, relay, HGTP_OK);
    assert_true(bob->in_room);
    e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    assert_false(bob->in_room);
    e2e_open_room(bob, "attic");
}

E2E_SCENARIO(unanswered_remove_is_declined_and_the_member_stays)
{
    E2E_NODE(e, "hgtp.answer_ms=200");
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    bob->relay = ORIGINAL_RELAY_SILENT;
    e2e_refused(original_remove(alice, "bob"), HGTP_DECLINE, ERR_PEER_SILENT);
    assert_true(original_say(bob, "still in"));
    e2e_came(original_wait_message(alice, "still in"));
}

E2E_SCENARIO(invited_peer_that_expires_declines)
{
    E2E_NODE(e, "hgtp.answer_ms=60000");
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = silent_user(e, "bob", 1);
    bob->relay = ORIGINAL_RELAY_SILENT;
    e2e_open_room(alice, "den");
    const struct original_event *declined = e2e_came(original_invite(alice, "bob"));
    assert_int_equal(declined->msg.header.type, HGTP_DECLINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(session_without_a_sign_of_life_ends_and_frees_its_name),
        E2E_TEST(members_see_list_and_notice_when_a_member_expires),
        E2E_TEST(room_goes_on_when_its_manager_expires_and_ends_when_it_is_empty),
        E2E_TEST(answered_push_connection_keeps_a_session_beyond_its_expires),
        E2E_TEST(requests_keep_a_session_beyond_its_expires),
        E2E_TEST(expires_is_cut_to_what_the_node_allows),
        E2E_TEST(unanswered_invite_is_declined_at_the_deadline),
        E2E_TEST(invite_accepted_too_late_is_accepted),
        E2E_TEST(invite_accepted_when_the_room_is_gone_puts_the_client_back_outside),
        E2E_TEST(unanswered_remove_is_declined_and_the_member_stays),
        E2E_TEST(invited_peer_that_expires_declines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
