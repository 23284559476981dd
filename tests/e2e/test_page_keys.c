/* SPDX-License-Identifier: MIT */
/*
 * The page for those who use no mouse: everything can be reached by keys, the focus is where a
 * person expects it, and keys that belong to an input method or to something half written do
 * nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/talk_page.h"

#define KEYS_TABS 60 /* more than the page has stops */

/* Tab until `css` has the focus; a person gives up after a while. */
static void tab_to(struct browser *person, const char *css)
{
    for (int i = 0; i < KEYS_TABS; i++) {
        if (browser_run_bool(person,
                             "return !!document.activeElement && "
                             "document.activeElement.matches(arguments[0]);",
                             json_pack("[s]", css))) {
            return;
        }
        browser_keys(person, BROWSER_TAB);
    }
    fail_msg("%s cannot be reached by Tab", css);
}

static void answer_by_keys(struct browser *person)
{
    browser_expect(person, "return document.querySelector(arguments[0]).checkVisibility();",
                   json_pack("[s]", TALK_PAGE_YES));
    tab_to(person, TALK_PAGE_YES);
    browser_keys(person, BROWSER_ENTER);
}

PAGE_SCENARIO(everything_can_be_done_by_keyboard_alone)
{
    PAGE_NODE(scene);
    struct browser *alice = page_scene_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    tab_to(alice, TALK_PAGE_NAME);
    browser_keys(alice, "alice");
    tab_to(alice, TALK_PAGE_KEY);
    browser_keys(alice, PAGE_KEY BROWSER_ENTER);
    talk_page_in_lobby(alice);
    tab_to(alice, TALK_PAGE_ROOM_NAME);
    browser_keys(alice, "den" BROWSER_ENTER);
    talk_page_in_room(alice, "den");
    tab_to(alice, TALK_PAGE_MESSAGE);
    browser_keys(alice, "by keys" BROWSER_ENTER);
    talk_page_hears(alice, "alice", "by keys");
    talk_page_join(bob, "den");
    talk_page_hears(bob, "alice", "by keys");
    talk_page_leave(bob);
    tab_to(alice, TALK_PAGE_DELETE);
    page_scene_picture(scene, alice, "focus");
    browser_keys(alice, BROWSER_ENTER);
    answer_by_keys(alice);
    talk_page_in_lobby(alice);
    talk_page_create(bob, "burrow");
    talk_page_lists_room(alice, "burrow", 1);
    tab_to(alice, TALK_PAGE_JOIN_BUTTON);
    browser_keys(alice, BROWSER_ENTER);
    talk_page_in_room(alice, "burrow");
    tab_to(alice, TALK_PAGE_LEAVE);
    browser_keys(alice, BROWSER_ENTER);
    answer_by_keys(alice);
    talk_page_in_lobby(alice);
}

static void expect_focus(struct browser *person, const char *css, const char *when)
{
    if (!browser_wait(person, "return document.activeElement.matches(arguments[0]);",
                      json_pack("[s]", css), 2000)) {
        char *where = browser_run_text(person,
                                       "const e = document.activeElement;"
                                       "return e.tagName + '#' + e.id + '.' + e.className;",
                                       NULL);
        fail_msg("%s: the focus is not at %s but at %s", when, css, where);
    }
}

/* Who comes into a room wants to say something; who is out of it, to go elsewhere. The focus is
 * never lost to the page as a whole, where a keyboard begins anew and a screen reader too. */
PAGE_SCENARIO(focus_goes_where_the_person_goes)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_create(alice, "den");
    expect_focus(alice, TALK_PAGE_MESSAGE, "room opened");
    talk_page_join(bob, "den");
    expect_focus(bob, TALK_PAGE_MESSAGE, "room joined");
    talk_page_leave(bob);
    expect_focus(bob, "body *", "room left");
    talk_page_invite(alice, "bob");
    talk_page_accept(bob);
    talk_page_in_room(bob, "den");
    expect_focus(bob, TALK_PAGE_MESSAGE, "invitation accepted");
    talk_page_lists_members(alice, "alice,bob");
    talk_page_kick(alice, "bob");
    talk_page_in_lobby(bob);
    expect_focus(bob, "body *", "removed");
    expect_focus(alice, "body *", "somebody else removed");
}

/* Whoever writes when an invitation comes has not answered it by the next blank or Enter. */
PAGE_SCENARIO(invitation_is_not_answered_by_somebody_who_is_writing)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_create(alice, "den");
    browser_type(bob, TALK_PAGE_ROOM_NAME, "my");
    talk_page_invite(alice, "bob");
    browser_expect(bob, "return document.querySelector(arguments[0]).checkVisibility();",
                   json_pack("[s]", TALK_PAGE_ACCEPT));
    browser_keys(bob, " own room");
    assert_true(browser_stays(bob, "return document.body.dataset.room === 'den';", NULL, 1000));
    browser_expect(bob, "return document.querySelector(arguments[0]).value === arguments[1];",
                   json_pack("[s, s]", TALK_PAGE_ROOM_NAME, "my own room"));
    talk_page_decline(bob);
    talk_page_is_warned(alice, "declined");
}

/* Enter as a browser reports it while an input method has it: with code 229, and without a
 * character of its own. */
static void press_enter_in_composition(struct browser *person)
{
    static const char *const types[] = {"rawKeyDown", "keyUp"};
    for (int i = 0; i < 2; i++) {
        json_decref(browser_cdp(person, "Input.dispatchKeyEvent",
                                json_pack("{s:s, s:s, s:s, s:i}", "type", types[i], "key", "Enter",
                                          "code", "Enter", "windowsVirtualKeyCode", 229)));
    }
}

/* In Korean, Enter ends the syllable that is being composed, and must not send anything yet. */
PAGE_SCENARIO(enter_that_ends_a_composition_sends_nothing)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    talk_page_create(alice, "den");
    browser_click(alice, TALK_PAGE_MESSAGE);
    json_decref(browser_cdp(
        alice, "Input.imeSetComposition",
        json_pack("{s:s, s:i, s:i}", "text", "안녕", "selectionStart", 2, "selectionEnd", 2)));
    press_enter_in_composition(alice);
    json_decref(browser_cdp(alice, "Input.insertText", json_pack("{s:s}", "text", "안녕")));
    browser_keys(alice, "!" BROWSER_ENTER);
    talk_page_hears(alice, "alice", "안녕!");
    char *transcript = talk_page_transcript(alice);
    assert_string_equal(transcript, "alice: 안녕!\n");
    free(transcript);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGE_TEST(everything_can_be_done_by_keyboard_alone),
        PAGE_TEST(focus_goes_where_the_person_goes),
        PAGE_TEST(invitation_is_not_answered_by_somebody_who_is_writing),
        PAGE_TEST(enter_that_ends_a_composition_sends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
