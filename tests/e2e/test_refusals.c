/* SPDX-License-Identifier: MIT */
/*
 * Every request that is refused, with the response that leaves the original client usable and the
 * reason in its body; and that a refusal changes nothing. One condition at a time.
 */
#include "tests/support/e2e.h"

static struct original *half_open(struct e2e *e, const char *name)
{
    const struct original_options options = {.name = name, .is_manual = true};
    struct original *client = e2e_client_with(e, &options);
    original_send_register(client);
    return client;
}

static const struct original_event *sent_name(struct original *client, enum hgtp_type type,
                                              const char *room)
{
    original_send_name(client, type, room);
    return original_wait_response(client, type);
}

static const struct original_event *sent_peer(struct original *client, enum hgtp_type type,
                                              const char *room, const char *peer)
{
    original_send_peer(client, type, room, peer);
    return original_wait_response(client, type);
}

static const struct original_event *sent_room(struct original *client, enum hgtp_type type,
                                              const char *room_id, const char *room)
{
    original_send_room(client, type, room_id, room);
    return original_wait_response(client, type);
}

/* REGISTER ------------------------------------------------------------------------------------- */

E2E_SCENARIO(register_with_an_unusable_name_is_a_bad_request)
{
    E2E_NODE(e, "limits.name_bytes=10");
    static const char *const names[] = {"",      "elevenbytes", "a\nb",
                                        "a\x7f", "\xff\xfe",    "x\xe2\x80\xaex"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct original *client = half_open(e, names[i]);
        e2e_refused(original_wait_response(client, HGTP_REGISTER), HGTP_BAD_REQUEST,
                    ERR_NAME_INVALID);
    }
    e2e_user(e, "tenbytes10");
}

E2E_SCENARIO(register_with_a_name_that_is_no_base64_is_a_bad_request)
{
    E2E_NODE(e);
    struct original *client = e2e_client(e, "alice");
    uint8_t body[64];
    struct sink out = sink_into(body, sizeof body);
    sink_be64(&out, 3600);
    sink_be64(&out, SOCKETS_LOOPBACK);
    sink_be16(&out, client->options.udp_port);
    sink_be32(&out, 4);
    sink_text(&out, "!?!?");
    original_send(client, HGTP_REGISTER, HGTP_REGISTER, 1, sink_bytes(&out));
    const struct original_event *event = e2e_came(original_wait_response(client, HGTP_REGISTER));
    assert_int_equal(event->msg.header.type, HGTP_BAD_REQUEST);
}

E2E_SCENARIO(register_with_a_taken_name_is_declined)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *other = half_open(e, "alice");
    e2e_refused(original_wait_response(other, HGTP_REGISTER), HGTP_DECLINE, ERR_NAME_TAKEN);
    struct original *upper = half_open(e, "Alice"); /* issue 13, item 4 */
    e2e_refused(original_wait_response(upper, HGTP_REGISTER), HGTP_DECLINE, ERR_NAME_TAKEN);
    struct original *bob = e2e_user(e, "bob");
    assert_true(original_fence(alice) && original_fence(bob));
    e2e_came(original_wait_list(alice, PUSH_USER_LIST, "alice,bob"));
}

E2E_SCENARIO(register_beyond_the_limit_of_users_is_unavailable_and_exactly_so)
{
    E2E_NODE(e, "limits.users=2");
    e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    struct original *carol = half_open(e, "carol");
    e2e_refused(original_wait_response(carol, HGTP_REGISTER), HGTP_SERVER_UNAVAILABLE,
                ERR_USERS_FULL);
    e2e_ok(original_unregister(bob));
    struct original *dave = e2e_client(e, "dave");
    assert_true(original_register(dave));
}

E2E_SCENARIO(two_half_open_registrations_cannot_pass_the_limit_of_users_together)
{
    E2E_NODE(e, "limits.users=1");
    struct original *alice = half_open(e, "alice");
    struct original *bob = half_open(e, "bob");
    assert_int_equal(e2e_came(original_wait_response(alice, HGTP_REGISTER))->msg.header.type,
                     HGTP_UNAUTHORIZED);
    assert_int_equal(e2e_came(original_wait_response(bob, HGTP_REGISTER))->msg.header.type,
                     HGTP_UNAUTHORIZED);
    original_send_proof(alice, 3, alice->realm, ORIGINAL_KEY);
    e2e_ok(original_wait_response(alice, HGTP_REGISTER));
    original_send_proof(bob, 3, bob->realm, ORIGINAL_KEY);
    e2e_refused(original_wait_response(bob, HGTP_REGISTER), HGTP_SERVER_UNAVAILABLE,
                ERR_USERS_FULL);
}

/* Unknown and half-open users ------------------------------------------------------------------ */

static void expect_not_registered(struct original *client)
{
    static const enum hgtp_type plain[] = {HGTP_UNREGISTER, HGTP_REFRESH};
    static const enum hgtp_type peers[] = {HGTP_INVITE_USER_FROM_ROOM, HGTP_REMOVE_USER_FROM_ROOM};
    for (size_t i = 0; i < 2; i++) {
        original_send_plain(client, plain[i]);
        e2e_refused(original_wait_response(client, plain[i]), HGTP_BAD_REQUEST, ERR_NOT_REGISTERED);
        e2e_refused(sent_peer(client, peers[i], "den", "bob"), HGTP_BAD_REQUEST,
                    ERR_NOT_REGISTERED);
    }
    e2e_refused(sent_name(client, HGTP_JOIN_ROOM, "den"), HGTP_BAD_REQUEST, ERR_NOT_REGISTERED);
    e2e_refused(sent_room(client, HGTP_CREATE_ROOM, "gAAAAAAAAAAA", "den"), HGTP_BAD_REQUEST,
                ERR_NOT_REGISTERED);
    /* The ways out stand open (issue 12). */
    e2e_ok(sent_name(client, HGTP_EXIT_ROOM, "den"));
    e2e_ok(sent_room(client, HGTP_DELETE_ROOM, "gAAAAAAAAAAA", "den"));
}

E2E_SCENARIO(requests_of_an_unknown_user_are_bad_requests)
{
    E2E_NODE(e);
    expect_not_registered(e2e_client(e, "nobody"));
}

E2E_SCENARIO(requests_of_a_half_open_user_are_bad_requests)
{
    E2E_NODE(e);
    struct original *client = half_open(e, "alice");
    e2e_came(original_wait_response(client, HGTP_REGISTER));
    expect_not_registered(client);
}

E2E_SCENARIO(proof_without_a_challenge_is_a_bad_request)
{
    E2E_NODE(e);
    struct original *client = e2e_client(e, "alice");
    original_send_proof(client, 3, "HGTP_SERVICE", ORIGINAL_KEY);
    const struct original_event *event = e2e_came(original_wait_response(client, HGTP_REGISTER));
    assert_int_equal(event->msg.header.type, HGTP_BAD_REQUEST);
}

/* Rooms ---------------------------------------------------------------------------------------- */

E2E_SCENARIO(create_is_refused_for_each_reason_and_the_client_stays_usable)
{
    E2E_NODE(e, "limits.name_bytes=10");
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_refused(original_create(bob, "den"), HGTP_DECLINE, ERR_ROOM_NAME_TAKEN);
    e2e_refused(sent_room(bob, HGTP_CREATE_ROOM, alice->room_id, "attic"), HGTP_BAD_REQUEST,
                ERR_ROOM_ID_TAKEN);
    e2e_refused(sent_room(bob, HGTP_CREATE_ROOM, "not base64!!", "attic"), HGTP_BAD_REQUEST,
                ERR_ROOM_ID_INVALID);
    original_send(bob, HGTP_CREATE_ROOM, HGTP_CREATE_ROOM, 1, bytes_of(NULL, 0));
    e2e_refused(original_wait_response(bob, HGTP_CREATE_ROOM), HGTP_BAD_REQUEST,
                ERR_ROOM_ID_INVALID);
    e2e_refused(original_create(bob, ""), HGTP_BAD_REQUEST, ERR_NAME_INVALID);
    e2e_refused(original_create(bob, "elevenbytes"), HGTP_BAD_REQUEST, ERR_NAME_INVALID);
    e2e_refused(sent_room(alice, HGTP_CREATE_ROOM, "gBBBBBBBBBBB", "attic"), HGTP_BAD_REQUEST,
                ERR_IN_ROOM);
    e2e_open_room(bob, "attic");
    assert_true(original_fence(alice));
    e2e_came(original_wait_list(alice, PUSH_ROOM_LIST, "den,attic"));
}

E2E_SCENARIO(create_beyond_the_limit_of_rooms_is_a_bad_request_and_exactly_so)
{
    E2E_NODE(e, "limits.rooms=2");
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_open_room(alice, "one");
    e2e_open_room(bob, "two");
    e2e_refused(original_create(carol, "three"), HGTP_BAD_REQUEST, ERR_ROOMS_FULL);
    e2e_ok(original_delete(bob));
    e2e_ok(original_create(carol, "three"));
}

E2E_SCENARIO(delete_is_refused_for_each_reason)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    char den[sizeof alice->room_id];
    memcpy(den, alice->room_id, sizeof den);
    e2e_refused(sent_room(bob, HGTP_DELETE_ROOM, den, ""), HGTP_BAD_REQUEST, ERR_NOT_MANAGER);
    /* One that is gone, or never was: OK, and nothing is closed by it (issue 12). */
    e2e_ok(sent_room(alice, HGTP_DELETE_ROOM, "gAAAAAAAAAAA", ""));
    original_send(alice, HGTP_DELETE_ROOM, HGTP_DELETE_ROOM, 1, bytes_of(NULL, 0));
    e2e_ok(original_wait_response(alice, HGTP_DELETE_ROOM));
    assert_true(bob->in_room);
    e2e_ok(sent_room(alice, HGTP_DELETE_ROOM, den, ""));
    e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
}

E2E_SCENARIO(join_is_refused_for_each_reason_and_the_client_stays_usable)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_refused(original_join(bob, "nowhere"), HGTP_BAD_REQUEST, ERR_ROOM_UNKNOWN);
    e2e_refused(original_join(bob, ""), HGTP_BAD_REQUEST, ERR_ROOM_UNKNOWN);
    e2e_refused(original_join(bob, "Dent"), HGTP_BAD_REQUEST, ERR_ROOM_UNKNOWN);
    e2e_open_room(e2e_user(e, "carol"), "attic");
    e2e_join_room(bob, "den");
    e2e_refused(sent_name(bob, HGTP_JOIN_ROOM, "attic"), HGTP_BAD_REQUEST, ERR_IN_ROOM);
}

E2E_SCENARIO(join_beyond_the_limit_of_members_is_a_bad_request_and_exactly_so)
{
    E2E_NODE(e, "limits.room_members=2");
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    e2e_refused(original_join(carol, "den"), HGTP_BAD_REQUEST, ERR_ROOM_FULL);
    e2e_refused(original_invite(alice, "carol"), HGTP_BAD_REQUEST, ERR_ROOM_FULL);
    e2e_ok(original_exit(bob, "den"));
    e2e_ok(original_join(carol, "den"));
}

E2E_SCENARIO(exit_is_refused_for_each_reason)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_open_room(alice, "den");
    e2e_open_room(bob, "attic");
    e2e_join_room(carol, "attic");
    e2e_refused(original_exit(alice, "den"), HGTP_BAD_REQUEST, ERR_MANAGER_STAYS);
    e2e_refused(original_exit(alice, "attic"), HGTP_BAD_REQUEST, ERR_NOT_IN_ROOM);
    e2e_refused(original_exit(alice, "nowhere"), HGTP_BAD_REQUEST, ERR_ROOM_UNKNOWN);
    e2e_ok(original_exit(carol, "attic"));
    e2e_ok(original_exit(carol, "attic"));
}

E2E_SCENARIO(unregister_in_a_room_is_a_bad_request)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    e2e_refused(original_unregister(alice), HGTP_BAD_REQUEST, ERR_MANAGER_STAYS);
    e2e_refused(original_unregister(bob), HGTP_BAD_REQUEST, ERR_IN_ROOM);
    e2e_ok(original_exit(bob, "den"));
    e2e_ok(original_unregister(bob));
    e2e_refused(original_unregister(bob), HGTP_BAD_REQUEST, ERR_NOT_REGISTERED);
}

/* Peers ---------------------------------------------------------------------------------------- */

E2E_SCENARIO(invite_is_refused_for_each_reason)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    struct original *dave = e2e_user(e, "dave");
    const enum hgtp_type invite = HGTP_INVITE_USER_FROM_ROOM;
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    e2e_refused(sent_peer(alice, invite, "den", "nobody"), HGTP_BAD_REQUEST, ERR_PEER_UNKNOWN);
    e2e_refused(sent_peer(alice, invite, "nowhere", "carol"), HGTP_BAD_REQUEST, ERR_ROOM_UNKNOWN);
    e2e_refused(sent_peer(carol, invite, "den", "dave"), HGTP_BAD_REQUEST, ERR_NOT_IN_ROOM);
    e2e_refused(sent_peer(bob, invite, "den", "dave"), HGTP_BAD_REQUEST, ERR_NOT_MANAGER);
    e2e_refused(sent_peer(alice, invite, "den", "bob"), HGTP_DECLINE, ERR_PEER_IN_ROOM);
    e2e_refused(sent_peer(alice, invite, "den", "alice"), HGTP_DECLINE, ERR_PEER_IN_ROOM);
    e2e_open_room(carol, "attic");
    e2e_refused(sent_peer(alice, invite, "attic", "dave"), HGTP_BAD_REQUEST, ERR_NOT_MANAGER);
    e2e_refused(sent_peer(alice, invite, "den", "carol"), HGTP_DECLINE, ERR_PEER_IN_ROOM);

    dave->relay = ORIGINAL_RELAY_SILENT;
    original_send_peer(alice, invite, "den", "dave");
    e2e_came(original_wait_relay(dave, invite));
    e2e_refused(sent_peer(alice, invite, "den", "dave"), HGTP_DECLINE, ERR_PEER_BUSY);
    dave->relay = ORIGINAL_RELAY_ANSWER;
    e2e_ok(original_join(dave, "attic"));
    e2e_refused(original_wait_response(alice, invite), HGTP_DECLINE, ERR_PEER_DECLINED);
}

E2E_SCENARIO(remove_is_refused_for_each_reason)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    const enum hgtp_type remove = HGTP_REMOVE_USER_FROM_ROOM;
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    e2e_refused(sent_peer(alice, remove, "den", "nobody"), HGTP_BAD_REQUEST, ERR_PEER_UNKNOWN);
    e2e_refused(sent_peer(alice, remove, "nowhere", "bob"), HGTP_BAD_REQUEST, ERR_ROOM_UNKNOWN);
    e2e_refused(sent_peer(carol, remove, "den", "bob"), HGTP_BAD_REQUEST, ERR_NOT_IN_ROOM);
    e2e_refused(sent_peer(bob, remove, "den", "alice"), HGTP_BAD_REQUEST, ERR_NOT_MANAGER);
    e2e_refused(sent_peer(alice, remove, "den", "carol"), HGTP_DECLINE, ERR_PEER_NOT_MEMBER);
    e2e_refused(sent_peer(alice, remove, "den", "alice"), HGTP_BAD_REQUEST, ERR_PEER_IS_MANAGER);

    bob->relay = ORIGINAL_RELAY_SILENT;
    original_send_peer(alice, remove, "den", "bob");
    const struct original_event *relay = e2e_came(original_wait_relay(bob, remove));
    e2e_refused(sent_peer(alice, remove, "den", "bob"), HGTP_DECLINE, ERR_PEER_BUSY);
    original_answer_relay(bob, relay, HGTP_OK);
    e2e_ok(original_wait_response(alice, remove));
}

E2E_SCENARIO(declined_invite_is_declined_to_the_manager_and_changes_nothing)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    bob->relay = ORIGINAL_RELAY_DECLINE;
    const struct original_event *declined = e2e_came(original_invite(alice, "bob"));
    e2e_refused(declined, HGTP_DECLINE, ERR_PEER_DECLINED);
    assert_int_equal(declined->msg.header.seq, 4);
    e2e_ok(original_join(bob, "den"));
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice,bob"));
}

/* Messages of a kind that no client sends ------------------------------------------------------ */

E2E_SCENARIO(responses_to_nothing_are_ignored_and_a_challenge_to_the_server_is_a_bad_request)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    static const enum hgtp_type ignored[] = {HGTP_OK, HGTP_BAD_REQUEST, HGTP_FORBIDDEN,
                                             HGTP_SERVER_UNAVAILABLE, HGTP_DECLINE};
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
        original_send(alice, ignored[i], HGTP_JOIN_ROOM, 7, bytes_of(NULL, 0));
        original_send(alice, ignored[i], HGTP_INVITE_USER_FROM_ROOM, 7, bytes_of(NULL, 0));
    }
    uint8_t body[16];
    struct sink out = sink_into(body, sizeof body);
    sink_be16(&out, 8080);
    sink_be32(&out, 1);
    sink_text(&out, "R");
    original_send(alice, HGTP_UNAUTHORIZED, HGTP_EXIT_ROOM, 7, sink_bytes(&out));
    const struct original_event *refused = e2e_came(original_wait_response(alice, HGTP_EXIT_ROOM));
    e2e_refused(refused, HGTP_BAD_REQUEST, ERR_UNEXPECTED);
    assert_int_equal(refused->msg.header.seq, 8);
    assert_true(original_fence(alice));
    const uint8_t join = HGTP_JOIN_ROOM, invite = HGTP_INVITE_USER_FROM_ROOM;
    assert_int_equal(original_count(alice, 0, original_is_response, &join), 0);
    assert_int_equal(original_count(alice, 0, original_is_response, &invite), 0);
}

E2E_SCENARIO(response_copies_user_id_and_request_type_byte_and_adds_one_to_the_number)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    original_send(alice, HGTP_REFRESH, 0x17, INT32_MAX, bytes_of(NULL, 0));
    const struct original_event *ok = e2e_came(original_wait_response(alice, (enum hgtp_type)0x17));
    assert_memory_equal(ok->raw.ptr, "HS\x20\x17", 4);
    assert_memory_equal(ok->raw.ptr + 4, alice->user_id, 8);
    assert_memory_equal(ok->raw.ptr + 12, "\x80\0\0\0", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(register_with_an_unusable_name_is_a_bad_request),
        E2E_TEST(register_with_a_name_that_is_no_base64_is_a_bad_request),
        E2E_TEST(register_with_a_taken_name_is_declined),
        E2E_TEST(register_beyond_the_limit_of_users_is_unavailable_and_exactly_so),
        E2E_TEST(two_half_open_registrations_cannot_pass_the_limit_of_users_together),
        E2E_TEST(requests_of_an_unknown_user_are_bad_requests),
        E2E_TEST(requests_of_a_half_open_user_are_bad_requests),
        E2E_TEST(proof_without_a_challenge_is_a_bad_request),
        E2E_TEST(create_is_refused_for_each_reason_and_the_client_stays_usable),
        E2E_TEST(create_beyond_the_limit_of_rooms_is_a_bad_request_and_exactly_so),
        E2E_TEST(delete_is_refused_for_each_reason),
        E2E_TEST(join_is_refused_for_each_reason_and_the_client_stays_usable),
        E2E_TEST(join_beyond_the_limit_of_members_is_a_bad_request_and_exactly_so),
        E2E_TEST(exit_is_refused_for_each_reason),
        E2E_TEST(unregister_in_a_room_is_a_bad_request),
        E2E_TEST(invite_is_refused_for_each_reason),
        E2E_TEST(remove_is_refused_for_each_reason),
        E2E_TEST(declined_invite_is_declined_to_the_manager_and_changes_nothing),
        E2E_TEST(responses_to_nothing_are_ignored_and_a_challenge_to_the_server_is_a_bad_request),
        E2E_TEST(response_copies_user_id_and_request_type_byte_and_adds_one_to_the_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
