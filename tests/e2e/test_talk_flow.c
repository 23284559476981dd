/* SPDX-License-Identifier: MIT */
/*
 * Three users through everything that the original can do, with the order of responses and pushes
 * that it expects (docs/protocol.md "Pushes"). Refusals are in test_refusals.c.
 */
#include <stdio.h>
#include <stdlib.h>

#include "proto/base64.h"
#include "tests/support/e2e.h"

#define MESSAGES_EACH 334

static size_t pushes_after(const struct original *client, const struct original_event *event,
                           enum push_type type)
{
    return original_count(client, event->index, original_is_push, &type);
}

/* List, then notice, both after the response. */
static void expect_list_then_notice(struct original *client, const struct original_event *response,
                                    const char *members, const char *notice)
{
    const struct original_event *list =
        e2e_came(original_wait_list(client, PUSH_ROOM_USER_LIST, members));
    const struct original_event *words = e2e_came(original_wait_notice(client, notice));
    assert_true(list->index < words->index);
    if (response != NULL) {
        e2e_in_order(response, list);
    }
}

E2E_SCENARIO(register_to_the_byte_is_answered_as_by_the_original)
{
    E2E_NODE(e);
    const struct original_options options = {.name = "alice", .is_manual = true};
    struct original *alice = e2e_client_with(e, &options);
    original_send_register(alice);
    const struct original_event *challenge = e2e_came(original_wait_response(alice, HGTP_REGISTER));
    const uint8_t *raw = challenge->raw.ptr;
    assert_memory_equal(raw, "HS\x41\x80", 4);
    assert_memory_equal(raw + 4, alice->user_id, 8);
    assert_memory_equal(raw + 12, "\0\0\0\x02", 4);
    size_t body_bytes = be32_at(raw + 20);
    assert_int_equal(challenge->raw.len, 24 + body_bytes);
    assert_int_equal(be16_at(raw + 24), e->daemon->http_port);
    assert_true(e->daemon->http_port <= 32767);
    assert_int_equal(be32_at(raw + 26), body_bytes - 6);
    assert_memory_equal(raw + 30, "HGTP_SERVICE:", 13);
    assert_false(challenge->at_declared);

    original_send_proof(alice, 3, alice->realm, ORIGINAL_KEY);
    const struct original_event *ok = e2e_came(original_wait_response(alice, HGTP_REGISTER));
    assert_memory_equal(ok->raw.ptr, "HS\x20\x80", 4);
    assert_memory_equal(ok->raw.ptr + 12, "\0\0\0\x04", 4);
    assert_true(alice->token_bytes > 0);
}

E2E_SCENARIO(register_brings_the_room_list_and_then_everybody_the_user_list)
{
    E2E_NODE(e);
    struct original *alice = e2e_client(e, "alice");
    assert_true(original_register(alice));
    const struct original_event *rooms = e2e_came(original_wait_list(alice, PUSH_ROOM_LIST, ""));
    const struct original_event *users =
        e2e_came(original_wait_list(alice, PUSH_USER_LIST, "alice"));
    assert_true(rooms->index < users->index);
    assert_string_equal((const char *)rooms->raw.ptr, "{\n  \"roomListSet\": []\n}");
    assert_string_equal((const char *)users->raw.ptr,
                        "{\n  \"userListSet\": [\n    \"YWxpY2U\\u003d\"\n  ]\n}");

    e2e_pass_coalescing();
    struct original *bob = e2e_client(e, "bob");
    assert_true(original_register(bob));
    rooms = e2e_came(original_wait_push(bob, PUSH_ROOM_LIST, NULL, NULL));
    users = e2e_came(original_wait_list(bob, PUSH_USER_LIST, "alice,bob"));
    assert_true(rooms->index < users->index);
    e2e_came(original_wait_list(alice, PUSH_USER_LIST, "alice,bob"));
}

E2E_SCENARIO(create_shows_the_room_to_all_and_its_list_and_notice_to_the_creator)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    const struct original_event *ok = e2e_came(original_create(alice, "den"));
    e2e_ok(ok);
    assert_int_equal(ok->msg.header.seq, 2);
    const struct original_event *rooms = e2e_came(original_wait_list(alice, PUSH_ROOM_LIST, "den"));
    e2e_in_order(ok, rooms);
    expect_list_then_notice(alice, ok, "alice", "[alice] has opened the room [den].");
    e2e_came(original_wait_list(bob, PUSH_ROOM_LIST, "den"));
    assert_true(original_fence(bob));
    assert_int_equal(pushes_after(bob, bob->log.events[0], PUSH_NOTICE), 0);
    assert_int_equal(pushes_after(bob, bob->log.events[0], PUSH_ROOM_USER_LIST), 0);
}

E2E_SCENARIO(join_and_exit_show_list_and_then_notice_to_every_member)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_open_room(alice, "den");
    e2e_pass_coalescing();

    const struct original_event *joined = e2e_came(original_join(bob, "den"));
    e2e_ok(joined);
    assert_int_equal(joined->msg.header.seq, 2);
    expect_list_then_notice(bob, joined, "alice,bob", "[bob] has joined.");
    expect_list_then_notice(alice, NULL, "alice,bob", "[bob] has joined.");
    e2e_pass_coalescing();

    const struct original_event *left = e2e_came(original_exit(bob, "den"));
    e2e_ok(left);
    expect_list_then_notice(alice, NULL, "alice", "[bob] has left.");
    assert_false(bob->in_room);
    assert_true(original_fence(bob));
    assert_int_equal(pushes_after(bob, left, PUSH_NOTICE), 0);
    assert_int_equal(pushes_after(bob, left, PUSH_ROOM_USER_LIST), 0);
    assert_true(original_fence(carol));
    assert_int_equal(pushes_after(carol, carol->log.events[0], PUSH_NOTICE), 0);

    e2e_ok(original_join(bob, "den"));
    e2e_came(original_wait_notice(alice, "[bob] has joined."));
}

E2E_SCENARIO(invite_asks_the_peer_and_answers_the_manager_before_lists_and_notices)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_pass_coalescing();

    const struct original_event *ok = e2e_came(original_invite(alice, "bob"));
    e2e_ok(ok);
    assert_int_equal(ok->msg.header.seq, 4);
    assert_int_equal(ok->msg.header.request_type, HGTP_INVITE_USER_FROM_ROOM);

    const struct original_event *relay =
        e2e_came(original_wait_relay(bob, HGTP_INVITE_USER_FROM_ROOM));
    assert_true(relay->at_declared);
    assert_true(relay->raw.len >= 44);
    assert_int_equal(relay->msg.header.seq, 2);
    assert_int_equal(relay->msg.header.request_type, HGTP_INVITE_USER_FROM_ROOM);
    assert_memory_equal(relay->msg.header.user_id, bob->user_id, 8);
    assert_memory_equal(relay->raw.ptr + 24, "\0\0\0\x04ZGVu\0\0\0\x04Ym9i", 16);
    assert_true(bob->in_room);
    assert_string_equal(bob->room_name, "den");

    expect_list_then_notice(alice, ok, "alice,bob", "[bob] was invited and has joined.");
    expect_list_then_notice(bob, ok, "alice,bob", "[bob] was invited and has joined.");
}

E2E_SCENARIO(remove_asks_the_peer_and_answers_the_manager_before_lists_and_notices)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    e2e_join_room(carol, "den");
    e2e_pass_coalescing();

    const struct original_event *ok = e2e_came(original_remove(alice, "bob"));
    e2e_ok(ok);
    assert_int_equal(ok->msg.header.seq, 4);
    const struct original_event *relay =
        e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    assert_int_equal(relay->msg.header.seq, 2);
    assert_true(relay->raw.len >= 44);
    assert_false(bob->in_room);
    expect_list_then_notice(alice, ok, "alice,carol", "[bob] was removed.");
    expect_list_then_notice(carol, ok, "alice,carol", "[bob] was removed.");
    assert_true(original_fence(bob));
    assert_int_equal(pushes_after(bob, relay, PUSH_NOTICE), 0);
    e2e_ok(original_join(bob, "den"));
}

E2E_SCENARIO(delete_removes_the_members_before_the_manager_gets_ok)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    e2e_join_room(carol, "den");
    char room_id[HGTP_ROOM_ID_BYTES + 1];
    strcpy(room_id, alice->room_id);
    assert_true(original_fence(alice) && original_fence(bob));
    size_t alice_start = alice->log.count, bob_start = bob->log.count;

    const struct original_event *ok = e2e_came(original_delete(alice));
    e2e_ok(ok);
    const struct original_event *to_bob =
        e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    const struct original_event *to_carol =
        e2e_came(original_wait_relay(carol, HGTP_REMOVE_USER_FROM_ROOM));
    e2e_in_order(to_bob, ok);
    e2e_in_order(to_carol, ok);
    assert_int_equal(to_bob->msg.header.seq, 1);
    assert_memory_equal(to_bob->msg.header.user_id, bob->user_id, 8);
    uint8_t base64[16];
    struct sink out = sink_into(base64, sizeof base64);
    base64_encode(bytes_str(room_id), &out);
    assert_true(bytes_equal(to_bob->msg.peer.room_name, sink_bytes(&out)));

    e2e_came(original_wait_list(alice, PUSH_ROOM_LIST, ""));
    e2e_came(original_wait_list(bob, PUSH_ROOM_LIST, ""));
    assert_true(original_fence(bob));
    assert_true(original_fence(alice));
    const enum push_type notice = PUSH_NOTICE, members = PUSH_ROOM_USER_LIST;
    assert_int_equal(original_count(alice, alice_start, original_is_push, &notice), 0);
    assert_int_equal(original_count(bob, bob_start, original_is_push, &notice), 0);
    assert_int_equal(original_count(bob, bob_start, original_is_push, &members), 0);
    e2e_ok(original_create(bob, "den"));
}

E2E_SCENARIO(unregister_shows_the_user_list_to_those_left)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_came(original_wait_list(alice, PUSH_USER_LIST, "alice,bob"));
    size_t start = bob->log.count;
    e2e_ok(original_unregister(bob));
    e2e_came(original_wait_list(alice, PUSH_USER_LIST, "alice"));
    const enum push_type users = PUSH_USER_LIST;
    assert_int_equal(original_count(bob, start, original_is_push, &users), 0);
    assert_true(original_register(bob));
    e2e_came(original_wait_list(alice, PUSH_USER_LIST, "alice,bob"));
}

/* The next `count` pushes after `first` are of these types. */
static void expect_pushes(struct original *client, size_t first, const enum push_type *types,
                          size_t count)
{
    for (size_t i = first; i < client->log.count && count > 0; i++) {
        if (client->log.events[i]->kind == ORIGINAL_PUSH) {
            assert_int_equal(client->log.events[i]->push, *types);
            types++;
            count--;
        }
    }
    assert_int_equal(count, 0);
}

E2E_SCENARIO(refresh_brings_users_rooms_and_the_members_of_ones_own_room_in_this_order)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_pass_coalescing();
    assert_true(original_fence(alice) && original_fence(bob));
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice"));

    static const enum push_type order[] = {PUSH_USER_LIST, PUSH_ROOM_LIST, PUSH_ROOM_USER_LIST};
    size_t start = alice->log.count;
    assert_true(original_fence(alice));
    e2e_came(original_wait_list(alice, PUSH_USER_LIST, "alice,bob"));
    e2e_came(original_wait_list(alice, PUSH_ROOM_LIST, "den"));
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice"));
    expect_pushes(alice, start, order, 3);

    start = bob->log.count;
    assert_true(original_fence(bob));
    expect_pushes(bob, start, order, 2);
    assert_int_equal(original_count(bob, start, original_is_push, &order[2]), 0);
}

E2E_SCENARIO(message_reaches_every_member_once_unchanged_and_nobody_else)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    static const char text[] = "안녕 🙂 <b>&'\"\\ \t\n=";
    assert_true(original_say_at(alice, text, 1234567890123));
    struct original *const members[] = {alice, bob};
    for (size_t i = 0; i < 2; i++) {
        const struct original_event *message = e2e_came(original_wait_message(members[i], text));
        assert_string_equal(message->who, "alice");
        assert_int_equal(message->time_unix_ms, 1234567890123);
        char *exact = original_message_json("alice", text, 1234567890123);
        assert_string_equal((const char *)message->raw.ptr, exact);
        free(exact);
    }
    assert_int_equal(e2e_came(original_wait_answer(alice))->status, 200);

    const enum push_type messages = PUSH_MESSAGE;
    assert_true(original_fence(alice) && original_fence(bob) && original_fence(carol));
    assert_int_equal(original_count(alice, 0, original_is_push, &messages), 1);
    assert_int_equal(original_count(bob, 0, original_is_push, &messages), 1);
    assert_int_equal(original_count(carol, 0, original_is_push, &messages), 0);
}

E2E_SCENARIO(rooms_do_not_hear_each_other)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_open_room(bob, "attic");
    assert_true(original_say(alice, "in the den"));
    assert_true(original_say(bob, "in the attic"));
    e2e_came(original_wait_message(alice, "in the den"));
    e2e_came(original_wait_message(bob, "in the attic"));
    assert_true(original_fence(alice) && original_fence(bob));
    const enum push_type messages = PUSH_MESSAGE;
    assert_int_equal(original_count(alice, 0, original_is_push, &messages), 1);
    assert_int_equal(original_count(bob, 0, original_is_push, &messages), 1);
}

/* The texts of all messages that a client has, in its order. */
static size_t heard(const struct original *client, const char **texts, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < client->log.count; i++) {
        if (client->log.events[i]->kind == ORIGINAL_PUSH &&
            client->log.events[i]->push == PUSH_MESSAGE) {
            assert_true(count < max);
            texts[count++] = client->log.events[i]->text;
        }
    }
    return count;
}

E2E_SCENARIO(a_thousand_interleaved_messages_come_once_and_in_one_order_for_all)
{
    E2E_NODE(e);
    static const char *const names[] = {"alice", "bob", "carol"};
    struct original *users[3];
    for (size_t i = 0; i < 3; i++) {
        users[i] = e2e_user(e, names[i]);
    }
    e2e_open_room(users[0], "den");
    e2e_join_room(users[1], "den");
    e2e_join_room(users[2], "den");
    char text[64];
    for (int n = 0; n < MESSAGES_EACH; n++) {
        for (size_t i = 0; i < 3; i++) {
            snprintf(text, sizeof text, "%s %d", names[i], n);
            assert_true(original_say(users[i], text));
        }
    }
    for (int n = 0; n < MESSAGES_EACH; n++) {
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(e2e_came(original_wait_answer(users[i]))->status, 200);
        }
    }
    static const char *orders[3][3 * MESSAGES_EACH];
    for (size_t i = 0; i < 3; i++) {
        assert_true(original_fence(users[i]));
        assert_int_equal(heard(users[i], orders[i], 3 * MESSAGES_EACH), 3 * MESSAGES_EACH);
    }
    int next[3] = {0};
    for (size_t at = 0; at < 3 * MESSAGES_EACH; at++) {
        assert_string_equal(orders[0][at], orders[1][at]);
        assert_string_equal(orders[0][at], orders[2][at]);
        size_t who = orders[0][at][0] == 'a' ? 0 : orders[0][at][0] == 'b' ? 1 : 2;
        snprintf(text, sizeof text, "%s %d", names[who], next[who]++);
        assert_string_equal(orders[0][at], text);
    }
}

E2E_SCENARIO(notices_in_korean_are_the_originals_to_the_byte)
{
    E2E_NODE(e, "notices.language=ko");
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_ok(original_create(alice, "den"));
    const struct original_event *created =
        e2e_came(original_wait_notice(alice, "[alice] 님이 [den]방을 생성했습니다."));
    assert_string_equal(
        (const char *)created->raw.ptr,
        "{\n  \"notice\": "
        "\"W2FsaWNlXSDri5jsnbQgW2Rlbl3rsKnsnYQg7IOd7ISx7ZaI7Iq164uI64ukLg\\u003d\\u003d\"\n}");
    e2e_ok(original_join(bob, "den"));
    e2e_came(original_wait_notice(alice, "[bob]님이 입장 했습니다."));
    e2e_ok(original_exit(bob, "den"));
    e2e_came(original_wait_notice(alice, "[bob]님이 퇴장 했습니다."));
    e2e_ok(original_invite(alice, "bob"));
    e2e_came(original_wait_notice(alice, "[bob]님이 초대 되었습니다."));
    e2e_ok(original_remove(alice, "bob"));
    e2e_came(original_wait_notice(alice, "[bob]님이 퇴장 당하였습니다."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(register_to_the_byte_is_answered_as_by_the_original),
        E2E_TEST(register_brings_the_room_list_and_then_everybody_the_user_list),
        E2E_TEST(create_shows_the_room_to_all_and_its_list_and_notice_to_the_creator),
        E2E_TEST(join_and_exit_show_list_and_then_notice_to_every_member),
        E2E_TEST(invite_asks_the_peer_and_answers_the_manager_before_lists_and_notices),
        E2E_TEST(remove_asks_the_peer_and_answers_the_manager_before_lists_and_notices),
        E2E_TEST(delete_removes_the_members_before_the_manager_gets_ok),
        E2E_TEST(unregister_shows_the_user_list_to_those_left),
        E2E_TEST(refresh_brings_users_rooms_and_the_members_of_ones_own_room_in_this_order),
        E2E_TEST(message_reaches_every_member_once_unchanged_and_nobody_else),
        E2E_TEST(rooms_do_not_hear_each_other),
        E2E_TEST(a_thousand_interleaved_messages_come_once_and_in_one_order_for_all),
        E2E_TEST(notices_in_korean_are_the_originals_to_the_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
