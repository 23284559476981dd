/* SPDX-License-Identifier: MIT */
/*
 * Requests that come twice because a datagram was doubled or a reply was lost: byte for byte the
 * same means the same reply and no second effect; another timestamp means another request.
 */
#include "tests/support/e2e.h"

/* The same datagram again: same type, number and body of the reply. */
static void expect_same_reply(struct original *client, enum hgtp_type type,
                              const struct original_event *first)
{
    original_send_again(client);
    const struct original_event *second = e2e_came(original_wait_response(client, type));
    assert_int_equal(second->msg.header.type, first->msg.header.type);
    assert_int_equal(second->msg.header.seq, first->msg.header.seq);
    assert_true(bytes_equal(bytes_from(second->raw, 20), bytes_from(first->raw, 20)));
}

static size_t notices(struct original *client)
{
    assert_true(original_fence(client));
    const enum push_type notice = PUSH_NOTICE;
    return original_count(client, 0, original_is_push, &notice);
}

E2E_SCENARIO(repeated_proof_gets_the_same_token_and_opens_no_second_session)
{
    E2E_NODE(e);
    const struct original_options manual = {.name = "alice", .is_manual = true};
    struct original *alice = e2e_client_with(e, &manual);
    original_send_register(alice);
    expect_same_reply(alice, HGTP_REGISTER, e2e_came(original_wait_response(alice, HGTP_REGISTER)));
    original_send_proof(alice, 3, alice->realm, ORIGINAL_KEY);
    const struct original_event *ok = e2e_came(original_wait_response(alice, HGTP_REGISTER));
    e2e_ok(ok);
    assert_true(ok->msg.body.len > 4);
    expect_same_reply(alice, HGTP_REGISTER, ok);
    assert_true(original_fence(alice));
    assert_int_equal(e2e_metric(e, "hgtp_sessions"), 1);
    assert_int_equal(e2e_metric(e, "hgtp_push_connections"), 1);
}

E2E_SCENARIO(repeated_create_join_exit_and_delete_get_the_same_reply_and_no_second_notice)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    const struct original_event *ok = e2e_came(original_create(alice, "den"));
    e2e_ok(ok);
    expect_same_reply(alice, HGTP_CREATE_ROOM, ok);
    assert_int_equal(notices(alice), 1);

    ok = e2e_came(original_join(bob, "den"));
    e2e_ok(ok);
    expect_same_reply(bob, HGTP_JOIN_ROOM, ok);
    expect_same_reply(bob, HGTP_JOIN_ROOM, ok);
    assert_int_equal(notices(bob), 1);
    assert_int_equal(notices(alice), 2);

    ok = e2e_came(original_exit(bob, "den"));
    e2e_ok(ok);
    expect_same_reply(bob, HGTP_EXIT_ROOM, ok);
    assert_int_equal(notices(alice), 3);

    ok = e2e_came(original_delete(alice));
    e2e_ok(ok);
    expect_same_reply(alice, HGTP_DELETE_ROOM, ok);
    ok = e2e_came(original_unregister(alice));
    e2e_ok(ok);
    expect_same_reply(alice, HGTP_UNREGISTER, ok);
}

E2E_SCENARIO(repeated_refusal_is_the_same_refusal_even_when_things_have_changed)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    const struct original_event *refused = e2e_came(original_join(bob, "den"));
    e2e_refused(refused, HGTP_BAD_REQUEST, ERR_ROOM_UNKNOWN);
    e2e_open_room(alice, "den");
    expect_same_reply(bob, HGTP_JOIN_ROOM, refused);
    assert_int_equal(notices(alice), 1);
    e2e_ok(original_join(bob, "den"));
}

E2E_SCENARIO(same_request_with_a_new_timestamp_is_a_new_request)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    original_send_create(bob, "attic");
    e2e_refused(original_wait_response(bob, HGTP_CREATE_ROOM), HGTP_BAD_REQUEST, ERR_IN_ROOM);
    e2e_ok(original_exit(bob, "den"));
    e2e_ok(original_join(bob, "den"));
    assert_int_equal(notices(alice), 4);
}

E2E_SCENARIO(repeated_invite_is_met_by_silence_while_waiting_and_by_the_same_reply_after)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    const enum hgtp_type invite = HGTP_INVITE_USER_FROM_ROOM;
    const uint8_t invite_byte = HGTP_INVITE_USER_FROM_ROOM;
    e2e_open_room(alice, "den");
    bob->relay = ORIGINAL_RELAY_SILENT;
    original_send_peer(alice, invite, "den", "bob");
    const struct original_event *relay = e2e_came(original_wait_relay(bob, invite));
    uint8_t datagram[HGTP_DATAGRAM_MAX];
    size_t len = alice->sent_bytes;
    memcpy(datagram, alice->sent, len);
    original_send_raw(alice, bytes_of(datagram, len));
    assert_true(original_fence(alice) && original_fence(bob));
    assert_int_equal(original_count(alice, 0, original_is_response, &invite_byte), 0);
    assert_int_equal(original_count(bob, 0, original_is_relay, &invite_byte), 1);

    original_answer_relay(bob, relay, HGTP_OK);
    const struct original_event *ok = e2e_came(original_wait_response(alice, invite));
    e2e_ok(ok);
    memcpy(alice->sent, datagram, len);
    alice->sent_bytes = len;
    expect_same_reply(alice, invite, ok);
    assert_true(original_fence(bob));
    assert_int_equal(original_count(bob, 0, original_is_relay, &invite_byte), 1);
    assert_int_equal(notices(alice), 2);
}

E2E_SCENARIO(repeated_remove_gets_the_same_reply_and_removes_nobody_twice)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    const struct original_event *ok = e2e_came(original_remove(alice, "bob"));
    e2e_ok(ok);
    uint8_t datagram[HGTP_DATAGRAM_MAX];
    size_t len = alice->sent_bytes;
    memcpy(datagram, alice->sent, len);
    e2e_ok(original_join(bob, "den"));
    assert_int_equal(notices(alice), 4);
    memcpy(alice->sent, datagram, len);
    alice->sent_bytes = len;
    expect_same_reply(alice, HGTP_REMOVE_USER_FROM_ROOM, ok);
    assert_true(original_fence(bob));
    assert_true(bob->in_room);
    assert_int_equal(notices(alice), 4);
}

E2E_SCENARIO(repeated_answer_of_a_peer_changes_nothing_more)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_ok(original_invite(alice, "bob"));
    original_send_again(bob);
    original_send_again(bob);
    assert_true(original_fence(bob));
    assert_int_equal(notices(alice), 2);
    const uint8_t invite = HGTP_INVITE_USER_FROM_ROOM;
    assert_int_equal(original_count(alice, 0, original_is_response, &invite), 1);
}

E2E_SCENARIO(reply_is_kept_for_the_configured_time_only)
{
    E2E_NODE(e, "history.dedupe_s=1");
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_ok(original_create(bob, "attic"));
    const struct original_event *answer;
    int64_t deadline_ms = pump_deadline_ms(8000);
    do {
        e2e_retry_pause();
        original_send_again(bob);
        answer = e2e_came(original_wait_response(bob, HGTP_CREATE_ROOM));
        assert_true(pump_now_ms() < deadline_ms);
    } while (answer->msg.header.type == HGTP_OK);
    /* A refused CREATE has undone the client's idea of its room; the server's is what counts here.
     */
    e2e_refused(answer, HGTP_BAD_REQUEST, ERR_IN_ROOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(repeated_proof_gets_the_same_token_and_opens_no_second_session),
        E2E_TEST(repeated_create_join_exit_and_delete_get_the_same_reply_and_no_second_notice),
        E2E_TEST(repeated_refusal_is_the_same_refusal_even_when_things_have_changed),
        E2E_TEST(same_request_with_a_new_timestamp_is_a_new_request),
        E2E_TEST(repeated_invite_is_met_by_silence_while_waiting_and_by_the_same_reply_after),
        E2E_TEST(repeated_remove_gets_the_same_reply_and_removes_nobody_twice),
        E2E_TEST(repeated_answer_of_a_peer_changes_nothing_more),
        E2E_TEST(reply_is_kept_for_the_configured_time_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
