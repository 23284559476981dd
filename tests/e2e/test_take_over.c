/* SPDX-License-Identifier: MIT */
/*
 * Who may have a session that stands, by its user id or by its name, and what all who are concerned
 * see of it: the one who comes, the one who had it, the others in the room. Items 2, 17 and 18.
 */
#include <string.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/tool.h"

static struct daemon *at(const struct e2e *e, size_t node)
{
    return e->nodes[node].daemon;
}

static void add_account(const struct e2e *e, const char *user, char key[64])
{
    TOOL(at(e, 0), 0, "-o", "json", "account", "add", user);
    json_t *added = tool_json();
    snprintf(key, 64, "%s", tool_text(added, "key"));
    json_decref(added);
}

/* Connected to that node, of that name and key. */
static struct talker *newcomer(struct e2e *e, size_t node, const char *name, const char *key)
{
    struct talker *talker = talker_open(
        &(struct talker_options){.name = name, .key = key, .port = at(e, node)->http_port});
    e2e_adopt(e, &(struct e2e_guest){.guest = talker, .free = (void (*)(void *))talker_free});
    return talker;
}

static const json_t *expect_manager(struct talker *talker, const char *manager, const char *users)
{
    const json_t *list = e2e_told(talker_wait_list(talker, "room_user_list", users));
    assert_string_equal(json_string_value(json_object_get(list, "manager")), manager);
    return list;
}

/* By the user id ------------------------------------------------------------------------------- */

E2E_SCENARIO(user_id_and_shared_key_take_over_nobody_and_rename_nobody)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_talk_join_room(bob, "den");
    static const char *const names[] = {"bob", "mallory"};
    for (size_t i = 0; i < 2; i++) {
        struct talker *thief = e2e_visitor(e, names[i]);
        strcpy(thief->speaker.user_id, bob->speaker.user_id);
        e2e_talk_refused(talker_prove(thief), HGTP_FORBIDDEN, ERR_TOKEN_REQUIRED);
        thief->speaker.flags = 1;
        e2e_talk_refused(talker_prove(thief), HGTP_FORBIDDEN, ERR_TOKEN_REQUIRED);
        const struct original_options options = {.name = names[i], .is_manual = true};
        struct original *other = e2e_client_with(e, &options);
        strcpy(other->user_id, bob->speaker.user_id);
        original_send_register(other);
        e2e_came(original_wait_response(other, HGTP_REGISTER));
        original_send_proof(other, 3, other->realm, ORIGINAL_KEY);
        e2e_refused(original_wait_response(other, HGTP_REGISTER), HGTP_FORBIDDEN,
                    ERR_TOKEN_REQUIRED);
    }
    int64_t seq = talker_say_acked(bob, "still me", "1");
    assert_true(seq > 0 && talker_has(alice, seq, TALKER_WAIT_MS));
    assert_true(talker_fence(alice));
    e2e_talk_whole(alice, seq);
    assert_false(bob->ws->ended);
}

E2E_SCENARIO(signed_register_keeps_room_and_name_or_takes_another_name)
{
    E2E_NODE(e);
    const struct original_options options = {.name = "bob", .auth = ORIGINAL_HMAC};
    struct original *bob = e2e_user_with(e, &options), *alice = e2e_user(e, "alice");
    e2e_open_room(alice, "den");
    e2e_ok(original_join(bob, "den"));
    e2e_came(original_wait_list(bob, PUSH_ROOM_USER_LIST, "alice,bob"));
    assert_true(original_register(bob));
    e2e_came(original_wait_list(bob, PUSH_ROOM_USER_LIST, "alice,bob"));
    bob->options.name = "robert";
    assert_false(original_register(bob));
    e2e_ok(original_exit(bob, "den"));
    assert_true(original_register(bob));
    e2e_came(original_wait_list(alice, PUSH_USER_LIST, "robert,alice"));
    bob->token_bytes = 0;
    assert_false(original_register(bob));
}

E2E_SCENARIO(original_that_registers_again_has_its_lists_and_may_rename_outside_rooms)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice"), *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    assert_true(original_register(bob));
    e2e_came(original_wait_list(bob, PUSH_ROOM_USER_LIST, "alice,bob"));
    bob->options.name = "robert";
    assert_false(original_register(bob));
    e2e_ok(original_exit(bob, "den"));
    assert_true(original_register(bob));
    e2e_came(original_wait_list(alice, PUSH_USER_LIST, "alice,robert"));
}

/* By the name ---------------------------------------------------------------------------------- */

E2E_SCENARIO(account_that_comes_again_is_asked_and_gets_session_room_and_management)
{
    char key[64];
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    add_account(e, "bob", key);
    struct talker *bob = newcomer(e, 0, "bob", key);
    assert_true(talker_register(bob));
    e2e_talk_open_room(bob, "den");
    struct talker *alice = e2e_talker_at(e, 0, "alice");
    e2e_talk_join_room(alice, "den");
    assert_true(talker_say_acked(bob, "before", "1") == 3);

    for (size_t node = 2; node-- > 0;) {
        struct talker *again = newcomer(e, node, "bob", key);
        e2e_talk_refused(talker_prove(again), HGTP_DECLINE, ERR_NAME_TAKEN);
        assert_int_equal(talker_say_acked(bob, "here", NULL), node == 1 ? 4 : 6);
        again->speaker.flags = HGTP_REGISTER_TAKE_OVER;
        assert_true(talker_register(again));
        assert_int_equal(ws_client_wait_close(bob->ws, WS_CLIENT_WAIT_MS), 4001);
        assert_string_equal(again->speaker.user_id, bob->speaker.user_id);
        assert_true(talker_is_in(again, "den"));
        expect_manager(again, "bob", "bob,alice");
        assert_true(talker_has(again, 4, TALKER_WAIT_MS));
        assert_int_equal(talker_say_acked(again, "again", NULL), node == 1 ? 5 : 7);
        assert_int_equal(talker_resume(bob, at(e, 0)->http_port), 401);
        bob = again;
    }
    strcpy(bob->room_id, json_string_value(json_object_get(
                             e2e_told(ws_client_wait_type(bob->ws, "session")), "room_id")));
    e2e_talk_ok(talker_delete(bob));
    assert_true(talker_is_in(alice, ""));
}

E2E_SCENARIO(shared_key_takes_no_name_over)
{
    E2E_NODE(e);
    struct talker *bob = e2e_talker(e, "bob"), *other = e2e_visitor(e, "bob");
    other->speaker.flags = HGTP_REGISTER_TAKE_OVER;
    e2e_talk_refused(talker_prove(other), HGTP_DECLINE, ERR_NAME_TAKEN);
    ws_client_drop(bob->ws);
    e2e_talk_refused(talker_prove(other), HGTP_DECLINE, ERR_NAME_TAKEN);
    assert_int_equal(talker_resume(bob, e->daemon->http_port), 101);
}

E2E_SCENARIO(originals_session_ends_when_its_account_comes_by_another_client)
{
    char key[64];
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    add_account(e, "bob", key);
    struct talker *alice = e2e_talker_at(e, 0, "alice");
    e2e_talk_open_room(alice, "den");
    struct original *old =
        e2e_client_at(e, 0, &(struct original_options){.name = "bob", .key = key});
    assert_true(original_register(old));
    e2e_ok(original_join(old, "den"));
    struct talker *bob = newcomer(e, 1, "bob", key);
    e2e_talk_refused(talker_prove(bob), HGTP_DECLINE, ERR_NAME_TAKEN);
    bob->speaker.flags = HGTP_REGISTER_TAKE_OVER;
    assert_true(talker_register(bob));
    e2e_told(TALKER_WAIT(alice, "notice", "event", "left", "user", "bob"));
    assert_true(talker_is_in(bob, ""));
    e2e_talk_join_room(bob, "den");
    original_send_plain(old, HGTP_REFRESH);
    e2e_refused(original_wait_response(old, HGTP_REFRESH), HGTP_BAD_REQUEST, ERR_NOT_REGISTERED);
    old->in_room = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(user_id_and_shared_key_take_over_nobody_and_rename_nobody),
        E2E_TEST(signed_register_keeps_room_and_name_or_takes_another_name),
        E2E_TEST(original_that_registers_again_has_its_lists_and_may_rename_outside_rooms),
        E2E_TEST(account_that_comes_again_is_asked_and_gets_session_room_and_management),
        E2E_TEST(shared_key_takes_no_name_over),
        E2E_TEST(originals_session_ends_when_its_account_comes_by_another_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
