/* SPDX-License-Identifier: MIT */
/*
 * What people do on the page: come, open rooms, talk, ask others in, send them out, go. Each in a
 * browser of their own, on one node; also together with a client of the original's kind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/talk_page.h"

#define TALK_MESSAGES 20

#define TALK_PAGE_LAST_IS_SEEN                                                                     \
    "const last = document.querySelector('" TALK_PAGE_MESSAGES "').lastElementChild;"              \
    "const form = document.querySelector('" TALK_PAGE_MESSAGE "').closest('form');"                \
    "return last.getBoundingClientRect().bottom <= form.getBoundingClientRect().top + 1;"

PAGE_SCENARIO(person_registers_by_the_form)
{
    PAGE_NODE(scene);
    struct browser *alice = page_scene_person(scene, "alice");
    page_scene_picture(scene, alice, "form");
    talk_page_register(alice, "alice");
    talk_page_lists_users(alice, "alice");
}

PAGE_SCENARIO(person_who_follows_the_link_with_the_key_gives_a_name_only)
{
    PAGE_NODE(scene);
    char url[128];
    const struct browser_options options = {.name = "alice"};
    struct browser *alice = page_scene_browser(scene, &options);
    snprintf(url, sizeof url, "%s#key=" PAGE_KEY, scene->url);
    browser_goto(alice, url);
    talk_page_send_form(alice, "alice", NULL);
    talk_page_in_lobby(alice);
    /* Whoever looks at the address, or gets it sent, must not get the key. */
    browser_expect(alice, "return !location.href.includes(arguments[0]);",
                   json_pack("[s]", PAGE_KEY));
}

PAGE_SCENARIO(wrong_key_is_told_and_the_right_one_then_works)
{
    PAGE_NODE(scene);
    struct browser *alice = page_scene_person(scene, "alice");
    talk_page_send_form(alice, "alice", "wrong");
    talk_page_is_warned(alice, "key");
    page_scene_picture(scene, alice, "wrong-key");
    talk_page_register(alice, "alice");
}

PAGE_SCENARIO(name_that_is_taken_is_told_and_another_one_works)
{
    PAGE_NODE(scene);
    (void)talk_page_person(scene, "alice");
    struct browser *other = page_scene_person(scene, "other");
    talk_page_send_form(other, "alice", PAGE_KEY);
    talk_page_is_warned(other, "has this name");
    page_scene_picture(scene, other, "name-taken");
    talk_page_send_form(other, "other", NULL); /* the key stands there still */
    talk_page_in_lobby(other);
    talk_page_lists_users(other, "alice,other");
}

PAGE_SCENARIO(person_who_signs_out_is_gone_and_may_come_again_under_another_name)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_lists_users(bob, "alice,bob");
    browser_click(alice, TALK_PAGE_UNREGISTER);
    talk_page_at_form(alice);
    talk_page_lists_users(bob, "bob");
    browser_reload(alice);
    talk_page_at_form(alice);
    /* Her tab still has the key. */
    talk_page_send_form(alice, "alicia", NULL);
    talk_page_in_lobby(alice);
    talk_page_lists_users(bob, "alicia,bob");
}

PAGE_SCENARIO(rooms_are_listed_with_how_many_are_in_them)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_lists_users(alice, "alice,bob");
    talk_page_create(alice, "den");
    talk_page_lists_room(bob, "den", 1);
    page_scene_picture(scene, bob, "lobby");
    talk_page_join(bob, "den");
    talk_page_lists_members(alice, "alice,bob");
    talk_page_lists_members(bob, "alice,bob");
    struct browser *carol = talk_page_person(scene, "carol");
    talk_page_lists_room(carol, "den", 2);
    talk_page_leave(bob);
    talk_page_lists_room(carol, "den", 1);
    talk_page_lists_members(alice, "alice");
}

PAGE_SCENARIO(people_talk_both_ways_and_read_the_same)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_create(alice, "den");
    talk_page_join(bob, "den");
    for (int i = 0; i < TALK_MESSAGES; i++) {
        char text[32];
        snprintf(text, sizeof text, "말 number %d", i);
        talk_page_say(i % 2 == 0 ? alice : bob, text);
    }
    talk_page_hears(alice, "bob", "말 number 19");
    talk_page_hears(bob, "alice", "말 number 18");
    char *alices = talk_page_transcript(alice), *bobs = talk_page_transcript(bob);
    assert_string_equal(alices, bobs);
    free(alices);
    free(bobs);
    page_scene_picture(scene, alice, "talk");
}

PAGE_SCENARIO(same_words_said_thrice_are_heard_thrice)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    talk_page_create(alice, "den");
    talk_page_put(alice, "knock");
    talk_page_put(alice, "knock");
    talk_page_put(alice, "knock");
    talk_page_say(alice, "who is there");
    char *transcript = talk_page_transcript(alice);
    assert_string_equal(transcript, "alice: knock\nalice: knock\nalice: knock\n"
                                    "alice: who is there\n");
    free(transcript);
}

PAGE_SCENARIO(message_that_is_too_long_is_told_and_can_be_discarded)
{
    char text[301] = "";
    memset(text, 'x', sizeof text - 1);
    PAGE_NODE(scene, "limits.message_bytes=200");
    struct browser *alice = talk_page_person(scene, "alice");
    talk_page_create(alice, "den");
    talk_page_paste(alice, text);
    browser_expect(alice,
                   "return document.querySelector(arguments[0])?.textContent.includes('too long');",
                   json_pack("[s]", TALK_PAGE_PENDING));
    page_scene_picture(scene, alice, "too-long");
    static const char *const focused = "return document.activeElement.matches(arguments[0]);";
    /* Issue 13, item 25: the button that has the focus goes. */
    browser_click(alice, TALK_PAGE_PENDING " .retry");
    browser_expect(alice,
                   "return document.activeElement !== document.body && "
                   "document.querySelector(arguments[0])?.textContent.includes('too long');",
                   json_pack("[s]", TALK_PAGE_PENDING));
    browser_click(alice, TALK_PAGE_PENDING " .discard");
    browser_expect(alice, focused, json_pack("[s]", TALK_PAGE_MESSAGE));
    talk_page_say(alice, "short");
}

PAGE_SCENARIO(reader_who_has_scrolled_up_stays_there_and_sees_how_much_is_new)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_create(alice, "den");
    talk_page_join(bob, "den");
    for (int i = 0; i < 40; i++) {
        char text[32];
        snprintf(text, sizeof text, "line %d", i);
        talk_page_put(bob, text);
    }
    talk_page_hears(alice, "bob", "line 39");
    /* The last one is seen without doing anything. */
    browser_expect(alice, TALK_PAGE_LAST_IS_SEEN, NULL);
    json_decref(browser_run(alice, "document.querySelector('#scroller').scrollTop = 200;", NULL));
    talk_page_say(bob, "new one");
    talk_page_say(bob, "new two");
    browser_expect(alice, "return /2/.test(document.querySelector(arguments[0]).textContent);",
                   json_pack("[s]", TALK_PAGE_JUMP));
    browser_expect(alice, "return /2/.test(document.title);", NULL);
    assert_int_equal(
        browser_run_integer(alice, "return document.querySelector('#scroller').scrollTop;", NULL),
        200);
    page_scene_picture(scene, alice, "scrolled-up");
    browser_click(alice, TALK_PAGE_JUMP);
    browser_expect(alice, TALK_PAGE_LAST_IS_SEEN, NULL);
    browser_expect(alice, "return !/\\d/.test(document.title);", NULL);
}

PAGE_SCENARIO(notices_say_who_came_and_went)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_create(alice, "den");
    talk_page_join(bob, "den");
    talk_page_is_told(alice, "bob", "joined");
    talk_page_leave(bob);
    talk_page_is_told(alice, "bob", "left");
}

PAGE_SCENARIO(invited_person_who_accepts_is_in_the_room)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_create(alice, "den");
    talk_page_invite(alice, "bob");
    talk_page_accept(bob);
    talk_page_in_room(bob, "den");
    talk_page_lists_members(alice, "alice,bob");
    talk_page_say(bob, "here I am");
    talk_page_hears(alice, "bob", "here I am");
}

PAGE_SCENARIO(invited_person_who_declines_stays_in_the_lobby_and_the_manager_is_told)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_create(alice, "den");
    talk_page_invite(alice, "bob");
    talk_page_decline(bob);
    talk_page_is_warned(alice, "declined");
    talk_page_in_lobby(bob);
    talk_page_lists_members(alice, "alice");
}

PAGE_SCENARIO(kicked_person_is_back_in_the_lobby_and_may_come_again)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_create(alice, "den");
    talk_page_join(bob, "den");
    talk_page_lists_members(alice, "alice,bob");
    talk_page_kick(alice, "bob");
    talk_page_in_lobby(bob);
    page_scene_picture(scene, bob, "kicked");
    talk_page_lists_members(alice, "alice");
    talk_page_join(bob, "den");
    talk_page_lists_members(alice, "alice,bob");
}

PAGE_SCENARIO(deleted_room_is_gone_for_everybody)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_create(alice, "den");
    talk_page_join(bob, "den");
    talk_page_delete(alice);
    talk_page_in_lobby(bob);
    talk_page_lists_room(alice, "den", -1);
    talk_page_lists_room(bob, "den", -1);
    talk_page_create(bob, "den");
}

PAGE_SCENARIO(person_who_joins_reads_what_was_said_before)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_create(alice, "den");
    for (int i = 0; i < 5; i++) {
        char text[32];
        snprintf(text, sizeof text, "before %d", i);
        talk_page_say(alice, text);
    }
    talk_page_join(bob, "den");
    for (int i = 0; i < 5; i++) {
        char text[32];
        snprintf(text, sizeof text, "before %d", i);
        talk_page_hears(bob, "alice", text);
    }
    char *alices = talk_page_transcript(alice), *bobs = talk_page_transcript(bob);
    assert_string_equal(alices, bobs);
    free(alices);
    free(bobs);
}

PAGE_SCENARIO(page_and_original_client_talk_invite_and_kick_each_other)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct original *bob = e2e_user(scene->e, "bob");
    talk_page_create(alice, "den");
    e2e_join_room(bob, "den");
    talk_page_lists_members(alice, "alice,bob");
    talk_page_say(alice, "from the page 페이지");
    e2e_came(original_wait_message(bob, "from the page 페이지"));
    assert_true(original_say(bob, "from the original"));
    talk_page_hears(alice, "bob", "from the original");
    talk_page_kick(alice, "bob");
    e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    talk_page_lists_members(alice, "alice");
    talk_page_delete(alice);
    e2e_open_room(bob, "burrow");
    original_send_peer(bob, HGTP_INVITE_USER_FROM_ROOM, "burrow", "alice");
    talk_page_accept(alice);
    e2e_ok(original_wait_response(bob, HGTP_INVITE_USER_FROM_ROOM));
    talk_page_in_room(alice, "burrow");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGE_TEST(person_registers_by_the_form),
        PAGE_TEST(person_who_follows_the_link_with_the_key_gives_a_name_only),
        PAGE_TEST(wrong_key_is_told_and_the_right_one_then_works),
        PAGE_TEST(name_that_is_taken_is_told_and_another_one_works),
        PAGE_TEST(person_who_signs_out_is_gone_and_may_come_again_under_another_name),
        PAGE_TEST(rooms_are_listed_with_how_many_are_in_them),
        PAGE_TEST(people_talk_both_ways_and_read_the_same),
        PAGE_TEST(same_words_said_thrice_are_heard_thrice),
        PAGE_TEST(message_that_is_too_long_is_told_and_can_be_discarded),
        PAGE_TEST(reader_who_has_scrolled_up_stays_there_and_sees_how_much_is_new),
        PAGE_TEST(notices_say_who_came_and_went),
        PAGE_TEST(invited_person_who_accepts_is_in_the_room),
        PAGE_TEST(invited_person_who_declines_stays_in_the_lobby_and_the_manager_is_told),
        PAGE_TEST(kicked_person_is_back_in_the_lobby_and_may_come_again),
        PAGE_TEST(deleted_room_is_gone_for_everybody),
        PAGE_TEST(person_who_joins_reads_what_was_said_before),
        PAGE_TEST(page_and_original_client_talk_invite_and_kick_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
