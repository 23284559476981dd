/* SPDX-License-Identifier: MIT */
/*
 * Who may act for a session: the digest and its challenge, the bond to the source address, and the
 * signatures of sessions that registered by HMAC. Nothing unproven changes anything.
 */
#include <openssl/evp.h>

#include "tests/support/e2e.h"

#define OTHER_IP (SOCKETS_LOOPBACK + 1) /* 127.0.0.2 */

static struct original *challenged(struct e2e *e, const struct original_options *options)
{
    struct original_options manual = *options;
    manual.is_manual = true;
    struct original *client = e2e_client_with(e, &manual);
    original_send_register(client);
    assert_int_equal(e2e_came(original_wait_response(client, HGTP_REGISTER))->msg.header.type,
                     HGTP_UNAUTHORIZED);
    return client;
}

/* Another process that uses somebody's user id, name and all. */
static struct original *impostor(struct e2e *e, const struct original *of, uint32_t own_ip)
{
    const struct original_options options = {
        .name = of->options.name, .is_manual = true, .own_ip = own_ip, .auth = of->options.auth};
    struct original *other = e2e_client_with(e, &options);
    strcpy(other->user_id, of->user_id);
    return other;
}

static const struct original_event *proof(struct original *client, int32_t seq, const char *key)
{
    original_send_proof(client, seq, client->realm, key);
    return original_wait_response(client, HGTP_REGISTER);
}

/* The digest ----------------------------------------------------------------------------------- */

E2E_SCENARIO(wrong_digest_is_forbidden_and_the_right_one_still_opens_the_session)
{
    E2E_NODE(e);
    const struct original_options options = {.name = "alice"};
    struct original *alice = challenged(e, &options);
    const struct original_event *refused = e2e_came(proof(alice, 3, "950818"));
    e2e_refused(refused, HGTP_FORBIDDEN, ERR_WRONG_DIGEST);
    assert_int_equal(refused->msg.header.seq, 4);
    e2e_refused(proof(alice, 3, ""), HGTP_FORBIDDEN, ERR_WRONG_DIGEST);
    e2e_ok(proof(alice, 3, ORIGINAL_KEY));
    e2e_came(original_wait_list(alice, PUSH_USER_LIST, "alice"));
}

E2E_SCENARIO(wrong_digest_of_a_registered_user_leaves_session_and_room_as_they_are)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    bob->options.is_manual = true;
    original_send_register(bob);
    e2e_came(original_wait_response(bob, HGTP_REGISTER));
    e2e_refused(proof(bob, 3, "wrong"), HGTP_FORBIDDEN, ERR_WRONG_DIGEST);
    assert_true(original_say(bob, "still in"));
    e2e_came(original_wait_message(alice, "still in"));
    e2e_ok(proof(bob, 3, ORIGINAL_KEY));
    assert_true(original_say(bob, "and again"));
    e2e_came(original_wait_message(alice, "and again"));
}

/* The original compared after a lossy conversion, so the bare 16 bytes passed as well. */
E2E_SCENARIO(digest_before_the_lossy_conversion_is_forbidden)
{
    E2E_NODE(e);
    const struct original_options options = {.name = "alice"};
    struct original *alice = challenged(e, &options);
    uint8_t text[512], inner[16], body[64];
    struct sink input = sink_into(text, sizeof text);
    sink_text(&input, alice->realm);
    sink_text(&input, ORIGINAL_KEY);
    struct sink out = sink_into(body, sizeof body);
    sink_be64(&out, 3600);
    sink_be64(&out, SOCKETS_LOOPBACK);
    sink_be16(&out, alice->options.http_port);
    sink_be32(&out, 16);
    assert_int_equal(EVP_Digest(text, input.len, inner, NULL, EVP_md5(), NULL), 1);
    assert_int_equal(EVP_Digest(inner, sizeof inner, body + out.len, NULL, EVP_md5(), NULL), 1);
    out.len += 16;
    original_send(alice, HGTP_REGISTER, HGTP_REGISTER, 3, sink_bytes(&out));
    e2e_refused(original_wait_response(alice, HGTP_REGISTER), HGTP_FORBIDDEN, ERR_WRONG_DIGEST);
}

E2E_SCENARIO(used_challenge_proves_nothing_a_second_time)
{
    E2E_NODE(e);
    const struct original_options options = {.name = "alice"};
    struct original *alice = challenged(e, &options);
    e2e_ok(proof(alice, 3, ORIGINAL_KEY));
    e2e_refused(proof(alice, 3, ORIGINAL_KEY), HGTP_FORBIDDEN, ERR_CHALLENGE_USED);
    assert_true(original_fence(alice));
}

E2E_SCENARIO(md5_off_forbids_the_legacy_digest_and_takes_hmac)
{
    E2E_NODE(e, "auth.md5=off");
    const struct original_options legacy = {.name = "alice"};
    e2e_refused(proof(challenged(e, &legacy), 3, ORIGINAL_KEY), HGTP_FORBIDDEN, ERR_WRONG_DIGEST);
    const struct original_options hmac = {.name = "bob", .auth = ORIGINAL_HMAC};
    e2e_user_with(e, &hmac);
}

E2E_SCENARIO(registering_again_keeps_the_room_and_brings_a_new_token)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    char token[ORIGINAL_TOKEN_MAX];
    size_t token_bytes = bob->token_bytes;
    memcpy(token, bob->token, token_bytes);
    assert_true(original_register(bob));
    assert_false(bytes_equal(bytes_of(token, token_bytes), bytes_of(bob->token, bob->token_bytes)));
    assert_true(original_say(bob, "after"));
    e2e_came(original_wait_message(alice, "after"));
    e2e_came(original_wait_message(bob, "after"));
}

/* The address ---------------------------------------------------------------------------------- */

E2E_SCENARIO(stranger_with_the_user_id_may_not_act_from_another_address)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    struct original *fake = impostor(e, bob, OTHER_IP);
    original_send_name(fake, HGTP_EXIT_ROOM, "den");
    e2e_refused(original_wait_response(fake, HGTP_EXIT_ROOM), HGTP_BAD_REQUEST,
                ERR_ADDRESS_MISMATCH);
    original_send_plain(fake, HGTP_UNREGISTER);
    e2e_refused(original_wait_response(fake, HGTP_UNREGISTER), HGTP_BAD_REQUEST,
                ERR_ADDRESS_MISMATCH);
    original_send_plain(fake, HGTP_REFRESH);
    e2e_refused(original_wait_response(fake, HGTP_REFRESH), HGTP_BAD_REQUEST, ERR_ADDRESS_MISMATCH);
    fake->talk_port = e->daemon->http_port;
    assert_true(original_say(fake, "I am bob"));
    const struct original_event *answer = e2e_came(original_wait_answer(fake));
    assert_int_equal(answer->status, 403);
    assert_non_null(strstr((const char *)answer->raw.ptr, "\"ADDRESS_MISMATCH\""));

    assert_true(original_say(bob, "no, I am"));
    e2e_came(original_wait_message(alice, "no, I am"));
    const enum push_type messages = PUSH_MESSAGE;
    assert_int_equal(original_count(alice, 0, original_is_push, &messages), 1);
}

E2E_SCENARIO(stranger_may_not_answer_a_peers_invitation)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    bob->relay = ORIGINAL_RELAY_SILENT;
    original_send_peer(alice, HGTP_INVITE_USER_FROM_ROOM, "den", "bob");
    const struct original_event *relay =
        e2e_came(original_wait_relay(bob, HGTP_INVITE_USER_FROM_ROOM));
    struct original *fake = impostor(e, bob, OTHER_IP);
    original_send(fake, HGTP_OK, HGTP_INVITE_USER_FROM_ROOM, 3, bytes_of(NULL, 0));
    original_send_plain(fake, HGTP_REFRESH);
    e2e_came(original_wait_response(fake, HGTP_REFRESH));
    assert_true(original_fence(alice));
    const uint8_t invite = HGTP_INVITE_USER_FROM_ROOM;
    assert_int_equal(original_count(alice, 0, original_is_response, &invite), 0);
    original_answer_relay(bob, relay, HGTP_OK);
    e2e_ok(original_wait_response(alice, HGTP_INVITE_USER_FROM_ROOM));
}

E2E_SCENARIO(foreign_declared_address_is_a_bad_request_unless_trusted)
{
    E2E_NODE(e, "hgtp.trusted_networks=127.0.0.16/28");
    struct original *mallory = e2e_client(e, "mallory");
    mallory->declared_ip = OTHER_IP;
    original_send_register(mallory);
    e2e_refused(original_wait_response(mallory, HGTP_REGISTER), HGTP_BAD_REQUEST,
                ERR_ADDRESS_FOREIGN);

    /* Behind a gateway: heard at 127.0.0.20, sending from 127.0.0.1. */
    struct original *alice = e2e_client(e, "alice");
    alice->declared_ip = SOCKETS_LOOPBACK + 19;
    alice->declared_port = 1;
    assert_true(original_register(alice));
}

/* A stranger who knows a user id must not lock its owner out. */
E2E_SCENARIO(open_challenge_of_a_stranger_keeps_nobody_from_registering)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *fake = impostor(e, alice, OTHER_IP);
    fake->options.name = "mallory";
    original_send_register(fake);
    e2e_came(original_wait_response(fake, HGTP_REGISTER));
    assert_true(original_register(alice));
    original_send_register(fake);
    e2e_came(original_wait_response(fake, HGTP_REGISTER));
    assert_true(original_register(alice));
}

/* Signatures ----------------------------------------------------------------------------------- */

static struct original *signing_user(struct e2e *e, const char *name)
{
    const struct original_options options = {.name = name, .auth = ORIGINAL_HMAC};
    return e2e_user_with(e, &options);
}

E2E_SCENARIO(signing_session_does_everything)
{
    E2E_NODE(e);
    struct original *alice = signing_user(e, "alice");
    struct original *bob = signing_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    e2e_ok(original_invite(alice, "carol"));
    assert_true(original_say(bob, "signed"));
    e2e_came(original_wait_message(carol, "signed"));
    assert_int_equal(e2e_came(original_wait_answer(bob))->status, 200);
    e2e_ok(original_remove(alice, "bob"));
    e2e_ok(original_delete(alice));
    e2e_ok(original_unregister(alice));
}

E2E_SCENARIO(signing_session_must_sign)
{
    E2E_NODE(e);
    struct original *alice = signing_user(e, "alice");
    size_t token_bytes = alice->token_bytes;
    alice->token_bytes = 0;
    e2e_refused(original_create(alice, "den"), HGTP_BAD_REQUEST, ERR_SIGNATURE_REQUIRED);
    original_send_plain(alice, HGTP_UNREGISTER);
    e2e_refused(original_wait_response(alice, HGTP_UNREGISTER), HGTP_BAD_REQUEST,
                ERR_SIGNATURE_REQUIRED);
    alice->token_bytes = token_bytes;
    e2e_open_room(alice, "den");
}

E2E_SCENARIO(signing_session_must_show_its_token_over_http)
{
    E2E_NODE(e);
    struct original *alice = signing_user(e, "alice");
    e2e_open_room(alice, "den");
    alice->options.auth = ORIGINAL_MD5;
    assert_true(original_say(alice, "without"));
    assert_int_equal(e2e_came(original_wait_answer(alice))->status, 401);
    alice->options.auth = ORIGINAL_HMAC;
    alice->token[alice->token_bytes - 1] ^= 1;
    assert_true(original_say(alice, "with another"));
    assert_int_equal(e2e_came(original_wait_answer(alice))->status, 401);
    alice->token[alice->token_bytes - 1] ^= 1;
    assert_true(original_say(alice, "with"));
    assert_int_equal(e2e_came(original_wait_answer(alice))->status, 200);
    e2e_came(original_wait_message(alice, "with"));
    const enum push_type messages = PUSH_MESSAGE;
    assert_int_equal(original_count(alice, 0, original_is_push, &messages), 1);
}

E2E_SCENARIO(tampered_datagram_is_refused_wherever_the_bit_was)
{
    E2E_NODE(e);
    struct original *alice = signing_user(e, "alice");
    e2e_open_room(alice, "den");
    original_send_name(alice, HGTP_EXIT_ROOM, "hut");
    e2e_refused(original_wait_response(alice, HGTP_EXIT_ROOM), HGTP_BAD_REQUEST, ERR_ROOM_UNKNOWN);
    uint8_t datagram[HGTP_DATAGRAM_MAX];
    size_t len = alice->sent_bytes;
    /* Number, timestamp, name, signature: whatever leaves the message readable. */
    static const size_t places[] = {15, 19, 31};
    for (size_t i = 0; i < 3 + HGTP_SIGNATURE_BYTES; i++) {
        memcpy(datagram, alice->sent, len);
        datagram[i < 3 ? places[i] : len - 1 - (i - 3)] ^= 1;
        original_send_raw(alice, bytes_of(datagram, len));
        e2e_refused(original_wait_response(alice, HGTP_EXIT_ROOM), HGTP_BAD_REQUEST,
                    ERR_SIGNATURE_REQUIRED);
    }
}

E2E_SCENARIO(replayed_signature_is_refused_from_elsewhere_and_when_its_reply_is_forgotten)
{
    E2E_NODE(e, "history.dedupe_s=1");
    struct original *alice = signing_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(bob, "den");
    e2e_ok(original_join(alice, "den"));
    uint8_t join[HGTP_DATAGRAM_MAX];
    size_t join_bytes = alice->sent_bytes;
    memcpy(join, alice->sent, join_bytes);
    e2e_ok(original_exit(alice, "den"));

    struct original *thief = impostor(e, alice, OTHER_IP);
    original_send_raw(thief, bytes_of(join, join_bytes));
    e2e_refused(original_wait_response(thief, HGTP_JOIN_ROOM), HGTP_BAD_REQUEST, ERR_REPLAYED);

    const struct original_event *answer;
    int64_t deadline_ms = pump_deadline_ms(8000);
    do {
        e2e_retry_pause();
        original_send_raw(alice, bytes_of(join, join_bytes));
        answer = e2e_came(original_wait_response(alice, HGTP_JOIN_ROOM));
        assert_true(pump_now_ms() < deadline_ms);
    } while (answer->msg.header.type == HGTP_OK);
    e2e_refused(answer, HGTP_BAD_REQUEST, ERR_REPLAYED);
    assert_true(original_say(alice, "not in the room"));
    assert_int_equal(e2e_came(original_wait_answer(alice))->status, 409);
}

E2E_SCENARIO(signing_session_moves_between_addresses)
{
    E2E_NODE(e);
    struct original *alice = signing_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(bob, "den");
    struct original *moved = impostor(e, alice, OTHER_IP);
    memcpy(moved->token, alice->token, alice->token_bytes);
    moved->token_bytes = alice->token_bytes;
    moved->last_timestamp_ms = alice->last_timestamp_ms; /* it is one client, so one clock */
    e2e_ok(original_join(moved, "den"));
    moved->talk_port = e->daemon->http_port;
    assert_true(original_say(moved, "from elsewhere"));
    e2e_came(original_wait_message(bob, "from elsewhere"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(wrong_digest_is_forbidden_and_the_right_one_still_opens_the_session),
        E2E_TEST(wrong_digest_of_a_registered_user_leaves_session_and_room_as_they_are),
        E2E_TEST(digest_before_the_lossy_conversion_is_forbidden),
        E2E_TEST(used_challenge_proves_nothing_a_second_time),
        E2E_TEST(md5_off_forbids_the_legacy_digest_and_takes_hmac),
        E2E_TEST(registering_again_keeps_the_room_and_brings_a_new_token),
        E2E_TEST(stranger_with_the_user_id_may_not_act_from_another_address),
        E2E_TEST(stranger_may_not_answer_a_peers_invitation),
        E2E_TEST(foreign_declared_address_is_a_bad_request_unless_trusted),
        E2E_TEST(open_challenge_of_a_stranger_keeps_nobody_from_registering),
        E2E_TEST(signing_session_does_everything),
        E2E_TEST(signing_session_must_sign),
        E2E_TEST(signing_session_must_show_its_token_over_http),
        E2E_TEST(tampered_datagram_is_refused_wherever_the_bit_was),
        E2E_TEST(replayed_signature_is_refused_from_elsewhere_and_when_its_reply_is_forgotten),
        E2E_TEST(signing_session_moves_between_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
