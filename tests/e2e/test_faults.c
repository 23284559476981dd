/* SPDX-License-Identifier: MIT */
/*
 * The original server's faults of availability and security, one by one, and that this one does not
 * have them. The numbers are those of the list in docs/protocol.md "Faults of the original". Faults
 * of state and format are in test_faults_state.c.
 */
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/e2e.h"

#define HOSTILE_IP (SOCKETS_LOOPBACK + 1) /* 127.0.0.2 */

/* A REGISTER with everything free to choose. */
static void send_register(struct original *client, int32_t seq, uint32_t ip, uint16_t port,
                          int32_t nonce_bytes, struct bytes nonce)
{
    uint8_t body[256];
    struct sink out = sink_into(body, sizeof body);
    sink_be64(&out, 3600);
    sink_be64(&out, ip);
    sink_be16(&out, port);
    sink_be32(&out, (uint32_t)nonce_bytes);
    sink_put(&out, nonce);
    original_send(client, HGTP_REGISTER, HGTP_REGISTER, seq, sink_bytes(&out));
}

/* Availability --------------------------------------------------------------------------------- */

/* 1, 3, 4: anything unexpected ended one of two worker threads. */
E2E_SCENARIO(bad_datagrams_by_the_dozen_leave_the_node_serving)
{
    E2E_NODE(e, "limits.users=3");
    struct original *alice = e2e_user(e, "alice");
    const struct original_options manual = {.name = "mallory", .is_manual = true};
    struct original *mallory = e2e_client_with(e, &manual);
    for (int i = 0; i < 24; i++) {
        send_register(mallory, 1, SOCKETS_LOOPBACK, 9100, -1, bytes_str(""));
        send_register(mallory, 1, SOCKETS_LOOPBACK, 9100, INT32_MAX, bytes_str(""));
        send_register(mallory, 1, SOCKETS_LOOPBACK, 9100, 4, bytes_str("!!!!"));
        send_register(mallory, 1, SOCKETS_LOOPBACK, 0, 8, bytes_str("bWFsbG9y"));
        send_register(mallory, 1, SOCKETS_LOOPBACK, 40000, 8, bytes_str("bWFsbG9y"));
        send_register(mallory, 1, SOCKETS_LOOPBACK, 9100, 8, bytes_str("YWxpY2U="));
    }
    assert_true(original_fence(alice));
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
}

/* 2: silence where a client needs an answer is shown in refusals; here the peer that is gone. */
E2E_SCENARIO(invite_of_a_vanished_peer_is_answered)
{
    E2E_NODE(e, "hgtp.answer_ms=200");
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_vanish(e, bob);
    e2e_refused(original_invite(alice, "bob"), HGTP_DECLINE, ERR_PEER_SILENT);
}

/* 3: a refused double stayed behind, half-open. */
E2E_SCENARIO(declined_names_leave_no_double_behind)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *other = e2e_client(e, "alice");
    assert_false(original_register(other));
    e2e_ok(original_unregister(alice));
    assert_true(original_register(other));
    e2e_came(original_wait_list(other, PUSH_USER_LIST, "alice"));
}

/* 5: half-open sessions lived for ever and blocked their names. */
E2E_SCENARIO(half_open_registration_blocks_no_name_and_runs_out)
{
    E2E_NODE(e, "auth.challenge_ms=1000");
    const struct original_options manual = {.name = "alice", .is_manual = true};
    struct original *first = e2e_client_with(e, &manual);
    original_send_register(first);
    e2e_came(original_wait_response(first, HGTP_REGISTER));
    struct original *second = e2e_user(e, "alice");
    original_send_proof(first, 3, first->realm, ORIGINAL_KEY);
    e2e_refused(original_wait_response(first, HGTP_REGISTER), HGTP_DECLINE, ERR_NAME_TAKEN);
    e2e_ok(original_unregister(second));

    const struct original_options late_options = {.name = "late", .is_manual = true};
    struct original *late = e2e_client_with(e, &late_options);
    original_send_register(late);
    e2e_came(original_wait_response(late, HGTP_REGISTER));
    const struct original_event *answer;
    int64_t deadline_ms = pump_deadline_ms(8000);
    do {
        /* Wrong while the challenge is open, out of place when it has run out. */
        original_send_proof(late, 3, late->realm, "wrong");
        answer = e2e_came(original_wait_response(late, HGTP_REGISTER));
        assert_true(pump_now_ms() < deadline_ms);
        e2e_retry_pause();
    } while (answer->msg.header.type == HGTP_FORBIDDEN);
    e2e_refused(answer, HGTP_BAD_REQUEST, ERR_NOT_CHALLENGED);
}

static bool has_no_push_connection(void *arg)
{
    const struct original *client = arg;
    return client->push_connections == NULL;
}

/* 6: a deleted user's connection, listener and port stayed. */
E2E_SCENARIO(unregister_closes_the_push_connection_again_and_again)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    for (int i = 0; i < 100; i++) {
        e2e_ok(original_unregister(alice));
        assert_true(pump_until(has_no_push_connection, alice, ORIGINAL_WAIT_MS));
        assert_int_equal(e2e_metric(e, "hgtp_push_connections"), 0);
        assert_true(original_register(alice));
        e2e_came(original_wait_list(alice, PUSH_USER_LIST, "alice"));
    }
    assert_int_equal(e2e_metric(e, "hgtp_push_connections"), 1);
    assert_int_equal(e2e_metric(e, "hgtp_sessions"), 1);
}

/* 7: one dead member delayed everybody, by 1 s per push. */
E2E_SCENARIO(members_that_do_not_take_pushes_delay_nobody)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *deaf = e2e_user(e, "deaf");
    struct original *mute = e2e_user(e, "mute");
    e2e_open_room(alice, "den");
    e2e_join_room(deaf, "den");
    e2e_join_room(mute, "den");
    original_set_pushes(deaf, ORIGINAL_PUSHES_REFUSE);
    original_set_pushes(mute, ORIGINAL_PUSHES_SILENT);
    int64_t start_ms = pump_now_ms();
    for (int i = 0; i < 20; i++) {
        assert_true(original_say(alice, "hello"));
        e2e_came(original_wait_message(alice, "hello"));
    }
    assert_true(pump_now_ms() - start_ms < 10000); /* half of what it would be */
}

/* 7: the OK to the second REGISTER waited for a connection to the client. */
E2E_SCENARIO(register_needs_no_listening_client)
{
    E2E_NODE(e);
    struct original *alice = e2e_client(e, "alice");
    original_set_pushes(alice, ORIGINAL_PUSHES_REFUSE);
    assert_true(original_register(alice));
    original_set_pushes(alice, ORIGINAL_PUSHES_ANSWER);
    e2e_came(original_wait_list(alice, PUSH_USER_LIST, "alice"));
    e2e_open_room(alice, "den");
}

/* 8: bodies up to 100 MiB were taken in. */
E2E_SCENARIO(announced_giant_body_is_refused_before_it_comes)
{
    E2E_NODE(e);
    struct http_client *client = http_client_open(0, SOCKETS_LOOPBACK, e->daemon->http_port);
    assert_non_null(client);
    http_client_send(
        client, bytes_str("POST message HTTP/1.1\r\nhost: x\r\ncontent-length: 104857600\r\n\r\n"));
    assert_int_equal(http_client_read(client, true).status, 413);
    assert_true(http_client_ended(client));
    http_client_close(client);
}

/* 9: a repeated first REGISTER counted as a wrong digest. */
E2E_SCENARIO(repeated_first_register_is_challenged_again_with_the_same_challenge)
{
    E2E_NODE(e);
    const struct original_options manual = {.name = "alice", .is_manual = true};
    struct original *alice = e2e_client_with(e, &manual);
    char realm[sizeof alice->realm];
    original_send_register(alice);
    e2e_came(original_wait_response(alice, HGTP_REGISTER));
    strcpy(realm, alice->realm);
    original_send_again(alice);
    assert_int_equal(e2e_came(original_wait_response(alice, HGTP_REGISTER))->msg.header.type,
                     HGTP_UNAUTHORIZED);
    assert_string_equal(alice->realm, realm);
    original_send_register(alice);
    assert_int_equal(e2e_came(original_wait_response(alice, HGTP_REGISTER))->msg.header.type,
                     HGTP_UNAUTHORIZED);
    original_send_proof(alice, 3, alice->realm, ORIGINAL_KEY);
    e2e_ok(original_wait_response(alice, HGTP_REGISTER));
}

/* Security ------------------------------------------------------------------------------------- */

/* 10: the challenge was a constant. */
E2E_SCENARIO(challenge_is_fresh_and_the_constant_digest_proves_nothing)
{
    E2E_NODE(e);
    const struct original_options manual = {.name = "alice", .is_manual = true};
    const struct original_options other = {.name = "bob", .is_manual = true};
    struct original *alice = e2e_client_with(e, &manual);
    struct original *bob = e2e_client_with(e, &other);
    original_send_register(alice);
    original_send_register(bob);
    e2e_came(original_wait_response(alice, HGTP_REGISTER));
    e2e_came(original_wait_response(bob, HGTP_REGISTER));
    assert_string_not_equal(alice->realm, bob->realm);
    original_send_proof(alice, 3, "HGTP_SERVICE", ORIGINAL_KEY);
    e2e_refused(original_wait_response(alice, HGTP_REGISTER), HGTP_FORBIDDEN, ERR_WRONG_DIGEST);
    original_send_proof(alice, 3, bob->realm, ORIGINAL_KEY);
    e2e_refused(original_wait_response(alice, HGTP_REGISTER), HGTP_FORBIDDEN, ERR_WRONG_DIGEST);
}

/* 11: the server connected to whatever a client declared. */
E2E_SCENARIO(node_connects_to_no_foreign_address)
{
    E2E_NODE(e);
    int victim = sockets_listen(HOSTILE_IP, 0);
    assert_true(victim >= 0);
    struct original *mallory = e2e_client(e, "mallory");
    mallory->options.is_manual = true;
    original_send_register(mallory);
    e2e_came(original_wait_response(mallory, HGTP_REGISTER));
    mallory->declared_ip = HOSTILE_IP;
    mallory->declared_port = sockets_port(victim);
    original_send_proof(mallory, 3, mallory->realm, ORIGINAL_KEY);
    e2e_refused(original_wait_response(mallory, HGTP_REGISTER), HGTP_BAD_REQUEST,
                ERR_ADDRESS_FOREIGN);

    struct original *alice = e2e_user(e, "alice");
    e2e_open_room(alice, "den");
    struct pollfd waiting = {.fd = victim, .events = POLLIN};
    assert_int_equal(poll(&waiting, 1, 0), 0);
    close(victim);
}

/* 12: a REGISTER with a wrong digest deleted any user. */
E2E_SCENARIO(wrong_digest_in_anothers_name_ends_no_session)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    e2e_open_room(alice, "den");
    const struct original_options hostile = {
        .name = "mallory", .is_manual = true, .own_ip = HOSTILE_IP};
    struct original *mallory = e2e_client_with(e, &hostile);
    strcpy(mallory->user_id, alice->user_id);
    original_send_proof(mallory, 3, "HGTP_SERVICE", "wrong");
    e2e_came(original_wait_response(mallory, HGTP_REGISTER));
    original_send_register(mallory);
    e2e_came(original_wait_response(mallory, HGTP_REGISTER));
    original_send_proof(mallory, 3, "HGTP_SERVICE", "wrong");
    e2e_came(original_wait_response(mallory, HGTP_REGISTER));
    assert_true(original_say(alice, "still here"));
    e2e_came(original_wait_message(alice, "still here"));
    assert_true(original_fence(alice));
    assert_true(original_event_lists(
        e2e_came(original_wait_push(alice, PUSH_USER_LIST, NULL, NULL)), "alice"));
}

/* 13: whoever could reach the port could speak as anybody. */
E2E_SCENARIO(message_is_the_speakers_whatever_name_it_claims)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    bob->options.name = "alice";
    assert_true(original_say(bob, "I am alice"));
    bob->options.name = "bob";
    assert_string_equal(e2e_came(original_wait_message(alice, "I am alice"))->who, "bob");
    assert_string_equal(e2e_came(original_wait_message(bob, "I am alice"))->who, "bob");
}

/* 14: anyone in any room could remove anyone; unasked answers were believed. They are only about
 * the one who gives them: test_original.c has what the answer to a REMOVE means. */
E2E_SCENARIO(unasked_answers_to_an_invite_bring_nobody_in)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    e2e_came(original_wait_notice(alice, "[bob] has joined."));
    static const enum hgtp_type types[] = {HGTP_OK, HGTP_DECLINE};
    for (size_t i = 0; i < 2; i++) {
        original_send(bob, types[i], HGTP_INVITE_USER_FROM_ROOM, 3, bytes_of(NULL, 0));
        original_send(carol, types[i], HGTP_INVITE_USER_FROM_ROOM, 3, bytes_of(NULL, 0));
        original_send(carol, types[i], HGTP_REMOVE_USER_FROM_ROOM, 3, bytes_of(NULL, 0));
    }
    assert_true(original_fence(bob) && original_fence(carol) && original_fence(alice));
    assert_true(original_say(bob, "still in"));
    e2e_came(original_wait_message(alice, "still in"));
    const uint8_t remove = HGTP_REMOVE_USER_FROM_ROOM, invite = HGTP_INVITE_USER_FROM_ROOM;
    assert_int_equal(original_count(alice, 0, original_is_response, &remove), 0);
    assert_int_equal(original_count(alice, 0, original_is_response, &invite), 0);
    e2e_ok(original_join(carol, "den"));
}

/* 15: lists posted to the server opened its window. */
E2E_SCENARIO(lists_posted_to_the_node_are_not_found)
{
    E2E_NODE(e);
    static const char *const targets[] = {"room_list", "user_list", "room_user_list", "notice",
                                          "refresh"};
    char body[256];
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        assert_int_equal(http_client_post(SOCKETS_LOOPBACK, e->daemon->http_port, targets[i], "",
                                          "{\"roomListSet\":[]}", body, sizeof body),
                         404);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(bad_datagrams_by_the_dozen_leave_the_node_serving),
        E2E_TEST(invite_of_a_vanished_peer_is_answered),
        E2E_TEST(declined_names_leave_no_double_behind),
        E2E_TEST(half_open_registration_blocks_no_name_and_runs_out),
        E2E_TEST(unregister_closes_the_push_connection_again_and_again),
        E2E_TEST(members_that_do_not_take_pushes_delay_nobody),
        E2E_TEST(register_needs_no_listening_client),
        E2E_TEST(announced_giant_body_is_refused_before_it_comes),
        E2E_TEST(repeated_first_register_is_challenged_again_with_the_same_challenge),
        E2E_TEST(challenge_is_fresh_and_the_constant_digest_proves_nothing),
        E2E_TEST(node_connects_to_no_foreign_address),
        E2E_TEST(wrong_digest_in_anothers_name_ends_no_session),
        E2E_TEST(message_is_the_speakers_whatever_name_it_claims),
        E2E_TEST(unasked_answers_to_an_invite_bring_nobody_in),
        E2E_TEST(lists_posted_to_the_node_are_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
