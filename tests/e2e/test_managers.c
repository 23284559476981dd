/* SPDX-License-Identifier: MIT */
/*
 * Who manages a room, at nodes of a cluster: a manager that leaves, ends or hands over, what
 * members of both kinds are told of it, operators, and rooms that go on without one. The rules
 * themselves are in tests/it/test_scripts_rooms.c. Issue 12, item 19.
 */
#include "tests/support/e2e_talk.h"
#include "tests/support/tool.h"

static struct daemon *at(const struct e2e *e, size_t node)
{
    return e->nodes[node].daemon;
}

static int64_t hand_over(struct talker *talker, const char *user, const char *id)
{
    ws_client_send_json(talker->ws,
                        json_pack("{s:s, s:s, s:s}", "type", "manager", "user", user, "id", id));
    const json_t *ack = e2e_told(TALKER_WAIT(talker, "ack", "id", id));
    return json_integer_value(json_object_get(ack, "seq"));
}

static void refused(struct talker *talker, const char *user, enum err err)
{
    ws_client_send_json(talker->ws,
                        json_pack("{s:s, s:s, s:s}", "type", "manager", "user", user, "id", "r"));
    e2e_talk_error(talker, err, "r");
}

/* The notice, at its number. */
static void told_of_manager(struct talker *talker, const char *user, int64_t seq)
{
    const json_t *notice =
        e2e_told(TALKER_WAIT(talker, "notice", "event", "manager", "user", user));
    assert_int_equal(json_integer_value(json_object_get(notice, "seq")), seq);
}

/* Lists of members that come from now on name this one; "": nobody. */
static void listed_manager(struct talker *talker, const char *user)
{
    assert_true(talker_fence(talker));
    const json_t *list = NULL;
    for (size_t i = 0; i < talker->ws->count; i++) {
        if (ws_client_is_type(talker->ws->messages[i], "room_user_list")) {
            list = talker->ws->messages[i]->json;
        }
    }
    assert_non_null(list);
    const char *manager = json_string_value(json_object_get(list, "manager"));
    assert_string_equal(manager != NULL ? manager : "", user);
}

static void shown_manager(const struct e2e *e, const char *room, const char *user)
{
    for (size_t node = 0; node < e->node_count; node++) {
        TOOL(at(e, node), 0, "-o", "json", "room", "show", room);
        json_t *shown = tool_json();
        assert_string_equal(tool_text(shown, "manager"), user);
        assert_string_equal(tool_text(shown, "kind"), "users");
        json_decref(shown);
    }
}

/* Who joins in one and the same millisecond has been there equally long. */
static void join_later(struct talker *talker, const char *room)
{
    e2e_retry_pause();
    e2e_talk_join_room(talker, room);
}

static void two_nodes(struct e2e *e)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
}

E2E_SCENARIO(manager_who_leaves_is_followed_by_the_member_who_has_been_there_longest)
{
    two_nodes(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice"), *bob = e2e_talker_at(e, 1, "bob"),
                  *carol = e2e_talker_at(e, 0, "carol");
    struct original *dave = e2e_user_at(e, 1, "dave");
    e2e_talk_open_room(alice, "den");
    e2e_join_room(dave, "den"); /* longer than bob, but never a manager */
    e2e_talk_join_room(bob, "den");
    join_later(carol, "den");
    e2e_talk_ok(talker_exit(alice, "den"));
    told_of_manager(bob, "bob", 6);
    told_of_manager(carol, "bob", 6);
    e2e_came(original_wait_notice(dave, "[alice] has left."));
    e2e_came(original_wait_notice(dave, "[bob] manages the room now."));
    listed_manager(bob, "bob");
    listed_manager(carol, "bob");
    shown_manager(e, "den", "bob");
    /* Who comes later is told so at once. */
    struct talker *frank = e2e_talker_at(e, 0, "frank");
    e2e_talk_join_room(alice, "den");
    e2e_talk_ok(talker_join(frank, "den"));
    const json_t *session = e2e_told(TALKER_WAIT(frank, "session", "room", "den"));
    assert_string_equal(json_string_value(json_object_get(session, "manager")), "bob");
    /* The new one can do what the old one could. */
    e2e_talk_ok(talker_remove(bob, "den", "dave"));
    strcpy(alice->room_id, alice->record.room_id);
    e2e_talk_refused(talker_delete(alice), HGTP_BAD_REQUEST, ERR_NOT_MANAGER);
    strcpy(bob->room_id, alice->room_id);
    e2e_talk_ok(talker_delete(bob));
    assert_true(talker_is_in(alice, "") && talker_is_in(carol, ""));
}

E2E_SCENARIO(manager_hands_over_by_a_text_and_all_are_told_at_one_number)
{
    two_nodes(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice"), *bob = e2e_talker_at(e, 1, "bob"),
                  *eve = e2e_talker_at(e, 1, "eve");
    struct original *dave = e2e_user_at(e, 0, "dave");
    e2e_talk_open_room(alice, "den");
    e2e_talk_join_room(bob, "den");
    e2e_join_room(dave, "den");
    refused(alice, "nobody", ERR_PEER_UNKNOWN);
    refused(alice, "eve", ERR_PEER_NOT_MEMBER);
    refused(alice, "dave", ERR_PEER_ORIGINAL);
    refused(bob, "bob", ERR_NOT_MANAGER);
    refused(eve, "eve", ERR_NOT_IN_ROOM);
    assert_int_equal(hand_over(alice, "bob", "h1"), 4);
    assert_int_equal(hand_over(alice, "bob", "h1"), 4); /* its acknowledgement was lost, say */
    told_of_manager(alice, "bob", 4);
    told_of_manager(bob, "bob", 4);
    e2e_came(original_wait_notice(dave, "[bob] manages the room now."));
    refused(alice, "alice", ERR_NOT_MANAGER);
    listed_manager(alice, "bob");
    shown_manager(e, "den", "bob");

    /* Back, by POST at the other node. */
    json_t *answer = NULL;
    assert_int_equal(e2e_post_message(e->nodes[0].http_port, bob->token,
                                      json_pack("{s:s, s:s}", "type", "manager", "user", "alice"),
                                      &answer),
                     200);
    assert_int_equal(tool_integer(answer, "seq"), 5);
    json_decref(answer);
    told_of_manager(alice, "alice", 5);
    told_of_manager(bob, "alice", 5);
    const json_t *history = e2e_told(talker_history(bob, 0, 2));
    const json_t *entries = json_object_get(history, "entries");
    assert_string_equal(json_string_value(json_object_get(json_array_get(entries, 0), "event")),
                        "manager");
    assert_string_equal(json_string_value(json_object_get(json_array_get(entries, 1), "user")),
                        "alice");
    e2e_talk_ok(talker_exit(bob, "den"));
    assert_true(talker_has(alice, 6, TALKER_WAIT_MS));
    e2e_talk_whole(alice, 6);
}

E2E_SCENARIO(session_of_a_manager_that_ends_leaves_its_room_to_another)
{
    two_nodes(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice"), *bob = e2e_talker_at(e, 1, "bob"),
                  *carol = e2e_talker_at(e, 0, "carol");
    e2e_talk_open_room(alice, "den");
    e2e_talk_join_room(bob, "den");
    join_later(carol, "den");
    TOOL(at(e, 1), 0, "session", "kick", "alice", "--dry-run");
    assert_non_null(strstr(tool.out, "bob manages the room den from then on"));
    TOOL(at(e, 1), 0, "session", "kick", "alice", "--yes");
    assert_int_equal(ws_client_wait_close(alice->ws, WS_CLIENT_WAIT_MS), 4002);
    told_of_manager(bob, "bob", 5);
    told_of_manager(carol, "bob", 5);
    e2e_talk_ok(talker_unregister(bob));
    told_of_manager(carol, "carol", 7);
    shown_manager(e, "den", "carol");
    e2e_talk_whole(carol, 7);
    TOOL(at(e, 0), 0, "session", "kick", "carol", "--dry-run");
    assert_non_null(strstr(tool.out, "the room den, which nobody else is in"));
    e2e_talk_ok(talker_unregister(carol));
    TOOL(at(e, 0), 4, "room", "show", "den");
}

E2E_SCENARIO(operators_make_a_member_the_manager)
{
    two_nodes(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice"), *bob = e2e_talker_at(e, 1, "bob");
    (void)e2e_talker_at(e, 0, "eve");
    struct original *dave = e2e_user_at(e, 0, "dave");
    e2e_talk_open_room(alice, "den");
    e2e_talk_join_room(bob, "den");
    e2e_join_room(dave, "den");
    TOOL(at(e, 0), 2, "room", "manager", "den", "bob");
    TOOL(at(e, 0), 0, "room", "manager", "den", "bob", "--dry-run");
    assert_non_null(strstr(tool.out, "would hand the room den to bob"));
    shown_manager(e, "den", "alice");
    TOOL(at(e, 0), 0, "room", "manager", "den", "bob", "--yes");
    told_of_manager(alice, "bob", 4);
    told_of_manager(bob, "bob", 4);
    shown_manager(e, "den", "bob");
    TOOL(at(e, 0), 1, "room", "manager", "den", "dave", "--yes");
    assert_non_null(strstr(tool.err, e2e_reason_text(ERR_PEER_ORIGINAL)));
    TOOL(at(e, 0), 4, "room", "manager", "den", "eve", "--yes");
    TOOL(at(e, 0), 4, "room", "manager", "hut", "bob", "--yes");
    TOOL(at(e, 0), 0, "room", "create", "lobby");
    TOOL(at(e, 0), 1, "room", "manager", "lobby", "bob", "--yes");
    TOOL(at(e, 1), 0, "-o", "json", "events", "--after", "0", "--kind", "ctl_room_manager");
    assert_non_null(strstr(tool.out, "handed the room den to bob"));
    TOOL(at(e, 1), 0, "doctor");
}

E2E_SCENARIO(room_of_originals_goes_on_without_a_manager_until_it_is_empty)
{
    two_nodes(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice");
    struct original *dave = e2e_user_at(e, 1, "dave"), *frank = e2e_user_at(e, 0, "frank");
    e2e_talk_open_room(alice, "den");
    e2e_join_room(dave, "den");
    e2e_join_room(frank, "den");
    e2e_talk_ok(talker_exit(alice, "den"));
    e2e_came(original_wait_notice(dave, "[alice] has left."));
    shown_manager(e, "den", "");
    assert_true(original_say(dave, "still here"));
    e2e_came(original_wait_message(frank, "still here"));
    e2e_ok(original_exit(frank, "den"));
    /* A modern member who comes has it. */
    struct talker *carol = e2e_talker_at(e, 1, "carol");
    e2e_talk_join_room(carol, "den");
    e2e_told(TALKER_WAIT(carol, "notice", "event", "manager", "user", "carol"));
    listed_manager(carol, "carol");
    shown_manager(e, "den", "carol");
    e2e_talk_ok(talker_exit(carol, "den"));
    shown_manager(e, "den", "");
    e2e_ok(original_exit(dave, "den"));
    TOOL(at(e, 0), 4, "room", "show", "den");
    e2e_told(talker_wait_list(alice, "room_list", ""));
    e2e_talk_open_room(alice, "den");
}

E2E_SCENARIO(original_manager_keeps_its_rules_and_its_end_hands_over)
{
    two_nodes(e);
    struct original *dave = e2e_user_at(e, 0, "dave"), *frank = e2e_user_at(e, 1, "frank");
    struct talker *carol = e2e_talker_at(e, 1, "carol");
    e2e_open_room(dave, "den");
    e2e_join_room(frank, "den");
    e2e_talk_join_room(carol, "den");
    e2e_refused(original_exit(dave, "den"), HGTP_BAD_REQUEST, ERR_MANAGER_STAYS);
    e2e_refused(original_unregister(dave), HGTP_BAD_REQUEST, ERR_MANAGER_STAYS);
    TOOL(at(e, 1), 0, "session", "kick", "dave", "--yes");
    told_of_manager(carol, "carol", 5);
    e2e_came(original_wait_notice(frank, "[carol] manages the room now."));
    listed_manager(carol, "carol");
    shown_manager(e, "den", "carol");
}

E2E_SCENARIO(new_manager_is_told_in_the_language_of_the_service)
{
    E2E_NODE(e, "notices.language=ko");
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    struct original *dave = e2e_user(e, "dave");
    e2e_talk_open_room(alice, "den");
    e2e_talk_join_room(bob, "den");
    e2e_ok(original_join(dave, "den"));
    assert_int_equal(hand_over(alice, "bob", "1"), 4);
    e2e_came(original_wait_notice(dave, "[bob]님이 방장이 되었습니다."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(manager_who_leaves_is_followed_by_the_member_who_has_been_there_longest),
        E2E_TEST(manager_hands_over_by_a_text_and_all_are_told_at_one_number),
        E2E_TEST(session_of_a_manager_that_ends_leaves_its_room_to_another),
        E2E_TEST(operators_make_a_member_the_manager),
        E2E_TEST(room_of_originals_goes_on_without_a_manager_until_it_is_empty),
        E2E_TEST(original_manager_keeps_its_rules_and_its_end_hands_over),
        E2E_TEST(new_manager_is_told_in_the_language_of_the_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
