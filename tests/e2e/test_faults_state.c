/* SPDX-License-Identifier: MIT */
/*
 * The original server's faults of state and format, one by one, and that this one does not have
 * them; numbered as in test_faults.c.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "proto/base64.h"
#include "tests/support/e2e.h"

/* State ---------------------------------------------------------------------------------------- */

/* 17: members of a deleted room could never join again. */
E2E_SCENARIO(members_of_a_deleted_room_are_free)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    struct original *carol = e2e_user(e, "carol");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    carol->relay = ORIGINAL_RELAY_SILENT;
    e2e_join_room(carol, "den");
    e2e_ok(original_delete(alice));
    e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    e2e_came(original_wait_relay(carol, HGTP_REMOVE_USER_FROM_ROOM));
    e2e_open_room(alice, "den");
    e2e_ok(original_join(bob, "den"));
    e2e_ok(original_join(carol, "den"));
}

/* 18: a pending INVITE took the peer out of his own hands. */
E2E_SCENARIO(pending_invite_binds_nobody)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    const enum hgtp_type invite = HGTP_INVITE_USER_FROM_ROOM;
    e2e_open_room(alice, "den");
    bob->relay = ORIGINAL_RELAY_SILENT;

    original_send_peer(alice, invite, "den", "bob");
    e2e_came(original_wait_relay(bob, invite));
    assert_true(original_say(bob, "not into that room"));
    assert_int_equal(e2e_came(original_wait_answer(bob))->status, 409);
    e2e_open_room(bob, "attic");
    e2e_refused(original_wait_response(alice, invite), HGTP_DECLINE, ERR_PEER_DECLINED);
    assert_true(original_say(bob, "in my own"));
    e2e_came(original_wait_message(bob, "in my own"));
    e2e_ok(original_delete(bob));

    original_send_peer(alice, invite, "den", "bob");
    e2e_came(original_wait_relay(bob, invite));
    e2e_ok(original_join(bob, "den"));
    e2e_refused(original_wait_response(alice, invite), HGTP_DECLINE, ERR_PEER_DECLINED);
    e2e_ok(original_exit(bob, "den"));

    original_send_peer(alice, invite, "den", "bob");
    e2e_came(original_wait_relay(bob, invite));
    e2e_ok(original_unregister(bob));
    e2e_refused(original_wait_response(alice, invite), HGTP_DECLINE, ERR_PEER_DECLINED);
    const enum push_type messages = PUSH_MESSAGE;
    assert_true(original_fence(alice));
    assert_int_equal(original_count(alice, 0, original_is_push, &messages), 0);
}

/* 20: CREATE from inside a room; DELETE of one cleared the other; EXIT of a foreign room gave OK.
 */
E2E_SCENARIO(foreign_rooms_cannot_be_left_and_nobody_owns_two)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_open_room(bob, "attic");
    assert_true(original_fence(alice));
    size_t start = alice->log.count;
    e2e_refused(original_exit(bob, "den"), HGTP_BAD_REQUEST, ERR_NOT_IN_ROOM);
    original_send_room(bob, HGTP_CREATE_ROOM, "gCCCCCCCCCCC", "cellar");
    e2e_refused(original_wait_response(bob, HGTP_CREATE_ROOM), HGTP_BAD_REQUEST, ERR_IN_ROOM);
    original_send_room(bob, HGTP_DELETE_ROOM, alice->room_id, "");
    e2e_refused(original_wait_response(bob, HGTP_DELETE_ROOM), HGTP_BAD_REQUEST, ERR_NOT_MANAGER);
    assert_true(original_fence(alice));
    const enum push_type notice = PUSH_NOTICE;
    assert_int_equal(original_count(alice, start, original_is_push, &notice), 0);
}

static bool lists_name(const struct original_event *event, const void *name)
{
    for (size_t i = 0; i < event->name_count; i++) {
        if (strcmp(event->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* 22: user_list showed half-open users. */
E2E_SCENARIO(half_open_users_are_in_no_list)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    const struct original_options manual = {.name = "ghost", .is_manual = true};
    struct original *ghost = e2e_client_with(e, &manual);
    original_send_register(ghost);
    e2e_came(original_wait_response(ghost, HGTP_REGISTER));
    assert_true(original_fence(alice));
    assert_int_equal(original_count(alice, 0, lists_name, "ghost"), 0);
}

/* 24: check-then-act by two threads let two take one name. */
E2E_SCENARIO(one_name_taken_by_many_at_once_is_taken_once)
{
    E2E_NODE(e);
    struct original *users[8];
    static const char *const names[] = {"a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8"};
    for (size_t i = 0; i < 8; i++) {
        users[i] = e2e_user(e, names[i]);
    }
    for (size_t i = 0; i < 8; i++) {
        original_send_create(users[i], "den");
    }
    size_t winners = 0;
    for (size_t i = 0; i < 8; i++) {
        const struct original_event *event =
            e2e_came(original_wait_response(users[i], HGTP_CREATE_ROOM));
        winners += event->msg.header.type == HGTP_OK;
        if (event->msg.header.type != HGTP_OK) {
            e2e_refused(event, HGTP_DECLINE, ERR_ROOM_NAME_TAKEN);
        }
    }
    assert_int_equal(winners, 1);
}

/* Format --------------------------------------------------------------------------------------- */

/* 25: minimum sizes dropped short names, in requests and in relays. */
E2E_SCENARIO(names_of_one_byte_do_everything)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "a");
    struct original *bob = e2e_user(e, "b");
    e2e_open_room(alice, "r");
    e2e_join_room(bob, "r");
    e2e_ok(original_exit(bob, "r"));
    e2e_ok(original_invite(alice, "b"));
    e2e_ok(original_remove(alice, "b"));
    const struct original_event *relay =
        e2e_came(original_wait_relay(bob, HGTP_INVITE_USER_FROM_ROOM));
    assert_int_equal(relay->raw.len, 44);
    assert_memory_equal(relay->raw.ptr + 20,
                        "\0\0\0\x10\0\0\0\x04"
                        "cg==\0\0\0\x04"
                        "Yg==\0\0\0\0",
                        24);
}

/* 23: the name in a REMOVE is the room's id; the old client expects no better. */
E2E_SCENARIO(relayed_remove_carries_the_room_id_and_the_peers_own_name)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    uint8_t expected[16];
    struct sink out = sink_into(expected, sizeof expected);
    base64_encode(bytes_str(alice->room_id), &out);
    e2e_ok(original_remove(alice, "bob"));
    const struct original_event *relay =
        e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    assert_true(bytes_equal(relay->msg.peer.room_name, sink_bytes(&out)));
    assert_true(bytes_equal(relay->msg.peer.peer_name, bytes_str("Ym9i")));
}

/* Two ports above 32767 that are free now, from the kernel's own range. */
static void high_ports(uint16_t *ret_udp, uint16_t *ret_tcp)
{
    int udp = sockets_udp_connected(SOCKETS_LOOPBACK, SOCKETS_LOOPBACK, 9);
    int tcp = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in any = sockets_address(SOCKETS_LOOPBACK, 0);
    assert_true(udp >= 0 && tcp >= 0);
    assert_int_equal(bind(tcp, (const struct sockaddr *)&any, sizeof any), 0);
    *ret_udp = sockets_port(udp);
    *ret_tcp = sockets_port(tcp);
    close(udp);
    close(tcp);
}

/* 26: ports were signed. */
E2E_SCENARIO(client_ports_above_32767_work)
{
    E2E_NODE(e);
    struct original_options high = {.name = "alice"};
    do {
        high_ports(&high.udp_port, &high.http_port);
    } while (high.udp_port < 32768 || high.http_port < 32768);
    struct original *alice = e2e_user_with(e, &high);
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(bob, "den");
    e2e_ok(original_invite(bob, "alice"));
    e2e_came(original_wait_notice(alice, "[alice] was invited and has joined."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(members_of_a_deleted_room_are_free),
        E2E_TEST(pending_invite_binds_nobody),
        E2E_TEST(foreign_rooms_cannot_be_left_and_nobody_owns_two),
        E2E_TEST(half_open_users_are_in_no_list),
        E2E_TEST(one_name_taken_by_many_at_once_is_taken_once),
        E2E_TEST(names_of_one_byte_do_everything),
        E2E_TEST(relayed_remove_carries_the_room_id_and_the_peers_own_name),
        E2E_TEST(client_ports_above_32767_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
