/* SPDX-License-Identifier: MIT */
/*
 * Operators' words to people: to everybody at every node, or to one room, whatever a person is
 * connected by; and how operators see by what that is.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/e2e_cluster.h"
#include "tests/support/e2e_talk.h"
#include "tests/support/tool.h"

E2E_SCENARIO(announcement_reaches_everybody_at_every_node)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice"), *bob = e2e_talker_at(e, 1, "bob");
    struct original *carol = e2e_user_at(e, 0, "carol"), *dave = e2e_user_at(e, 1, "dave");
    e2e_talk_open_room(alice, "den");
    e2e_join_room(dave, "den");
    TOOL(e->nodes[0].daemon, 0, "notice", "we restart at ten");
    struct talker *const talkers[] = {alice, bob};
    for (size_t i = 0; i < 2; i++) {
        const json_t *told =
            e2e_told(TALKER_WAIT(talkers[i], "notice", "notice", "we restart at ten"));
        assert_true(json_is_null(json_object_get(told, "room")));
        assert_int_equal(json_integer_value(json_object_get(told, "seq")), 0);
        assert_string_equal(json_string_value(json_object_get(told, "event")), "notice");
        assert_true(json_integer_value(json_object_get(told, "time")) > 0);
    }
    e2e_came(original_wait_notice(carol, "we restart at ten"));
    e2e_came(original_wait_notice(dave, "we restart at ten"));
    assert_int_equal(talker_say_acked(alice, "after it", NULL), 3);
    e2e_came(original_wait_message(dave, "after it"));
}

E2E_SCENARIO(notice_to_a_room_is_as_long_as_a_message_and_reaches_no_other)
{
    char words[5001];
    memset(words, 'w', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice"), *outside = e2e_talker_at(e, 0, "outside");
    struct original *bob = e2e_user_at(e, 1, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_join_room(bob, "den");
    TOOL(e->nodes[1].daemon, 0, "room", "notice", "den", words);
    const json_t *told = e2e_told(TALKER_WAIT(alice, "notice", "event", "notice"));
    assert_string_equal(json_string_value(json_object_get(told, "notice")), words);
    assert_int_equal(json_integer_value(json_object_get(told, "seq")), 3);
    e2e_came(original_wait_notice(bob, words));
    assert_true(talker_fence(outside));
    assert_int_equal(outside->record.count, 0);
    e2e_talk_whole(alice, 3);
}

E2E_SCENARIO(operators_see_what_a_session_lives_by)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice");
    (void)e2e_user_at(e, 1, "bob");
    TOOL(e->nodes[1].daemon, 0, "-o", "json", "session", "show", "alice");
    assert_non_null(strstr(tool.out, "\"transport\":\"websocket\""));
    assert_null(strstr(tool.out, "\"since_ms\":0"));
    TOOL(e->nodes[0].daemon, 0, "-o", "json", "session", "show", "bob");
    assert_non_null(strstr(tool.out, "\"transport\":\"push\""));
    char target[256];
    snprintf(target, sizeof target, "/events?token=%s", alice->token);
    struct sse_client_options stream = {.port = e->nodes[0].daemon->http_port, .target = target};
    assert_int_equal(e2e_sse(e, &stream)->status, 200);
    TOOL(e->nodes[1].daemon, 0, "-o", "json", "session", "show", "alice");
    assert_non_null(strstr(tool.out, "\"transport\":\"stream\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(announcement_reaches_everybody_at_every_node),
        E2E_TEST(notice_to_a_room_is_as_long_as_a_message_and_reaches_no_other),
        E2E_TEST(operators_see_what_a_session_lives_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
