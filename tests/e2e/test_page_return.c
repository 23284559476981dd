/* SPDX-License-Identifier: MIT */
/*
 * The page and people who come back: to a tab that was closed, in another window, at another
 * machine. Who is here stays here, and nobody else gets in by it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/talk_page.h"
#include "tests/support/tool.h"

static void allow_refused_tokens(struct browser *person)
{
    browser_allow(person, "WebSocket connection to");
    browser_allow(person, "status of 401");
}

/* Another empty window on the page, selected. */
static void open_page(struct page_scene *scene, struct browser *person)
{
    browser_open_window(person);
    browser_goto(person, scene->url);
    talk_page_at_form(person);
}

static void close_and_open_page(struct page_scene *scene, struct browser *person)
{
    open_page(scene, person);
    browser_select_window(person, 0);
    browser_close_window(person, 0);
}

/* Item 17: README's two windows, on one browser. */
PAGE_SCENARIO(who_has_closed_the_tab_is_back_in_the_room_and_manages_it)
{
    PAGE_NODE(scene);
    struct browser *both = talk_page_person(scene, "alice");
    talk_page_create(both, "tea");
    talk_page_say(both, "before");
    open_page(scene, both);
    talk_page_register(both, "bob");
    talk_page_join(both, "tea");
    talk_page_lists_members(both, "alice,bob");
    browser_select_window(both, 0);
    browser_close_window(both, 0);
    talk_page_say(both, "meanwhile");
    talk_page_lists_members(both, "alice,bob");
    open_page(scene, both);
    /* The last one here was bob; she says who she is, in another writing, and no key. */
    talk_page_send_form(both, "Alice", NULL);
    talk_page_in_room(both, "tea");
    talk_page_lists_members(both, "alice,bob");
    talk_page_lists_manager(both, "alice");
    talk_page_hears(both, "alice", "before");
    talk_page_hears(both, "bob", "meanwhile");
    page_scene_picture(scene, both, "back");
    talk_page_delete(both);
    browser_select_window(both, 0);
    talk_page_in_lobby(both);
}

/* Item 17. */
PAGE_SCENARIO(who_has_closed_the_tab_is_shown_as_away_and_then_as_back)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_create(alice, "tea");
    talk_page_join(bob, "tea");
    close_and_open_page(scene, alice);
    talk_page_lists_away(bob, TALK_PAGE_MEMBERS, "alice");
    talk_page_lists_away(bob, TALK_PAGE_USERS, "alice");
    talk_page_lists_manager(bob, "alice");
    browser_expect(bob,
                   "return /away/.test(document.querySelector(arguments[0] + "
                   "'.away').textContent);",
                   json_pack("[s]", TALK_PAGE_MEMBERS));
    page_scene_picture(scene, bob, "away");
    talk_page_send_form(alice, "alice", NULL);
    talk_page_in_room(alice, "tea");
    talk_page_lists_away(bob, TALK_PAGE_MEMBERS, "");
    talk_page_lists_away(bob, TALK_PAGE_USERS, "");
    talk_page_lists_manager(bob, "alice");
}

/* Items 17 and 19: she is waited for so long, and then the room goes on without her. */
PAGE_SCENARIO(who_does_not_come_back_leaves_the_room_to_the_others)
{
    PAGE_NODE(scene, "http.away_s=1");
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    allow_refused_tokens(alice);
    talk_page_create(alice, "tea");
    talk_page_join(bob, "tea");
    close_and_open_page(scene, alice);
    talk_page_lists_members(bob, "bob");
    talk_page_lists_manager(bob, "bob");
    talk_page_is_told(bob, "alice", "left");
    /* And her name is free for her. */
    talk_page_send_form(alice, "alice", PAGE_KEY);
    talk_page_in_lobby(alice);
    talk_page_join(alice, "tea");
    talk_page_lists_manager(alice, "bob");
}

/* The connection breaks when the session stands and its token has not come: the first OK is lost.
 */
#define RETURN_LOSES_OK                                                                            \
    "const Real = WebSocket; let lost = 0; window.urls = [];"                                      \
    "window.WebSocket = class extends Real {"                                                      \
    "constructor(url, protocol) { super(url, protocol); urls.push(url); }"                         \
    "set onmessage(take) { super.onmessage = (event) => {"                                         \
    "const bytes = event.data instanceof ArrayBuffer ? new Uint8Array(event.data) : [];"           \
    "if (bytes[2] === 0x20 && bytes[3] === 0x80 && lost++ === 0) this.close();"                    \
    "else take(event); }; } };"

static int64_t kept_try(struct browser *person)
{
    return browser_run_integer(
        person, "return JSON.parse(localStorage.getItem('hgtp-session:alice')).try;", NULL);
}

/* Items 8 and 17. */
PAGE_SCENARIO(who_loses_the_answer_to_the_registration_is_in_all_the_same)
{
    static const struct browser_options options = {.name = "alice"};
    PAGE_NODE(scene);
    struct browser *alice = page_scene_browser(scene, &options);
    json_decref(browser_cdp(alice, "Page.addScriptToEvaluateOnNewDocument",
                            json_pack("{s:s}", "source", RETURN_LOSES_OK)));
    browser_goto(alice, scene->url);
    talk_page_register(alice, "alice");
    talk_page_lists_users(alice, "alice");
    assert_int_equal(browser_run_integer(alice, "return urls.length;", NULL), 2);
    talk_page_create(alice, "tea");
    /* Each try has a higher number, also over a reload. */
    int64_t before = kept_try(alice);
    browser_reload(alice);
    talk_page_in_room(alice, "tea");
    browser_expect(
        alice, "return JSON.parse(localStorage.getItem('hgtp-session:alice')).try > arguments[0];",
        json_pack("[I]", (json_int_t)before));
    char *url = browser_run_text(alice, "return urls[0];", NULL);
    char expected[32];
    snprintf(expected, sizeof expected, "try=%lld", (long long)kept_try(alice));
    assert_non_null(strstr(url, expected));
    free(url);
}

/* Item 17. */
PAGE_SCENARIO(windows_of_one_browser_keep_their_names)
{
    PAGE_NODE(scene);
    struct browser *both = talk_page_person(scene, "alice");
    talk_page_create(both, "tea");
    open_page(scene, both);
    talk_page_register(both, "bob");
    talk_page_join(both, "tea");
    for (size_t i = 0; i < 2; i++) {
        browser_select_window(both, i);
        browser_reload(both);
        talk_page_in_room(both, "tea");
        talk_page_say(both, i == 0 ? "this is alice" : "this is bob");
    }
    talk_page_hears(both, "alice", "this is alice");
    talk_page_hears(both, "bob", "this is bob");
    browser_select_window(both, 0);
    talk_page_hears(both, "bob", "this is bob");
    /* Sessions that nobody has come back to do not stay for ever. */
    json_decref(
        browser_run(both, "localStorage.setItem('hgtp-session:old', '{\"try\":1}');", NULL));
    browser_reload(both);
    talk_page_in_room(both, "tea");
    browser_expect(both,
                   "return localStorage.getItem('hgtp-session:old') === null && "
                   "localStorage.getItem('hgtp-session:bob') !== null;",
                   NULL);
}

/* Item 17. */
PAGE_SCENARIO(who_comes_back_to_a_session_that_has_ended_registers_by_the_same_form)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    allow_refused_tokens(alice);
    talk_page_create(alice, "tea");
    open_page(scene, alice);
    browser_select_window(alice, 0);
    browser_close_window(alice, 0);
    TOOL(scene->e->daemon, 0, "session", "kick", "alice", "--yes");
    talk_page_send_form(alice, "alice", PAGE_KEY);
    talk_page_in_lobby(alice);
    talk_page_lists_users(alice, "alice");
    /* Without the key she is asked for it. */
    close_and_open_page(scene, alice);
    TOOL(scene->e->daemon, 0, "session", "kick", "alice", "--yes");
    talk_page_send_form(alice, "alice", NULL);
    talk_page_is_warned(alice, "session has ended");
    talk_page_register(alice, "alice");
}

/* Item 17. */
PAGE_SCENARIO(what_was_said_before_the_tab_was_closed_arrives_once)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    allow_refused_tokens(alice);
    browser_allow(alice, "net::ERR_");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_create(alice, "tea");
    talk_page_join(bob, "tea");
    open_page(scene, alice);
    browser_select_window(alice, 0);
    json_decref(browser_cdp(alice, "Network.enable", NULL));
    json_decref(browser_cdp(alice, "Network.emulateNetworkConditions",
                            json_pack("{s:b, s:i, s:i, s:i}", "offline", 1, "latency", 0,
                                      "downloadThroughput", 0, "uploadThroughput", 0)));
    talk_page_put(alice, "on its way");
    browser_close_window(alice, 0);
    talk_page_send_form(alice, "alice", NULL);
    talk_page_in_room(alice, "tea");
    talk_page_hears(alice, "alice", "on its way");
    talk_page_say(alice, "here again");
    talk_page_hears(bob, "alice", "here again");
    talk_page_hears(bob, "alice", "on its way");
}

static void send_account_form(struct browser *person, const char *key)
{
    talk_page_send_form(person, "alice", key);
    browser_expect(person, "return document.querySelector('#ask').open;", NULL);
}

static void add_account(struct page_scene *scene, char key[64])
{
    TOOL(scene->e->daemon, 0, "-o", "json", "account", "add", "alice");
    json_t *added = tool_json();
    snprintf(key, 64, "%s", tool_text(added, "key"));
    json_decref(added);
}

/* Item 17: by the account's key, asked first; item 18: and back again. */
PAGE_SCENARIO(account_goes_on_elsewhere_after_a_question)
{
    char key[64];
    PAGE_NODE(scene);
    add_account(scene, key);
    struct browser *desk = page_scene_person(scene, "desk");
    talk_page_send_form(desk, "alice", key);
    talk_page_in_lobby(desk);
    talk_page_create(desk, "tea");
    talk_page_say(desk, "from the desk");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_join(bob, "tea");
    struct browser *phone = page_scene_person(scene, "phone");
    allow_refused_tokens(desk);
    allow_refused_tokens(phone);
    send_account_form(phone, key);
    page_scene_picture(scene, phone, "asked");
    browser_click(phone, TALK_PAGE_NO);
    talk_page_is_warned(phone, "has this name");
    talk_page_say(desk, "still here");
    talk_page_watch(desk);
    send_account_form(phone, key);
    browser_click(phone, TALK_PAGE_YES);
    talk_page_in_room(phone, "tea");
    talk_page_lists_members(phone, "alice,bob");
    talk_page_lists_manager(phone, "alice");
    talk_page_hears(phone, "alice", "from the desk");
    talk_page_is_replaced(desk);
    page_scene_picture(scene, desk, "replaced");
    talk_page_say(phone, "from the phone");
    /* And back: what was on the desk's page is there still, with what was said meanwhile. */
    browser_click(desk, TALK_PAGE_RETRY);
    talk_page_in_room(desk, "tea");
    talk_page_hears(desk, "alice", "from the phone");
    talk_page_hears(desk, "alice", "from the desk");
    talk_page_lists_members(desk, "alice,bob");
    talk_page_lists_manager(desk, "alice");
    talk_page_is_replaced(phone);
    talk_page_say(desk, "back");
    talk_page_hears(bob, "alice", "back");
    talk_page_was_not_told(desk, "no longer");
    page_scene_picture(scene, desk, "continued");
    talk_page_delete(desk);
    talk_page_in_lobby(bob);
}

/* Item 17: the shared key alone takes nobody's name, and the person is not asked in vain. */
PAGE_SCENARIO(shared_key_takes_over_nobody)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *other = page_scene_person(scene, "other");
    talk_page_send_form(other, "alice", PAGE_KEY);
    talk_page_is_warned(other, "has this name");
    browser_expect(other, "return !document.querySelector('#ask').open;", NULL);
    talk_page_create(alice, "tea");
}

/* Item 18. */
PAGE_SCENARIO(window_that_is_continued_keeps_its_room_and_says_nothing_else)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    talk_page_create(alice, "tea");
    talk_page_say(alice, "one");
    talk_page_watch(alice);
    open_page(scene, alice);
    talk_page_send_form(alice, "alice", NULL);
    talk_page_in_room(alice, "tea");
    talk_page_lists_members(alice, "alice");
    talk_page_say(alice, "two");
    browser_select_window(alice, 0);
    talk_page_is_replaced(alice);
    browser_expect(alice, "return document.body.dataset.room === 'tea';", NULL);
    browser_click(alice, TALK_PAGE_RETRY);
    talk_page_in_room(alice, "tea");
    talk_page_hears(alice, "alice", "one");
    talk_page_hears(alice, "alice", "two");
    talk_page_lists_members(alice, "alice");
    browser_expect(alice, "return document.querySelector(arguments[0]).checkVisibility();",
                   json_pack("[s]", TALK_PAGE_DELETE));
    talk_page_was_not_told(alice, "no longer");
    browser_select_window(alice, 1);
    talk_page_is_replaced(alice);
}

static void expect_manages(struct browser *person, bool is_manager)
{
    browser_expect(person,
                   "return document.querySelector(arguments[0]).checkVisibility() === arguments[1] "
                   "&& document.querySelector(arguments[2]).checkVisibility();",
                   json_pack("[s, b, s]", TALK_PAGE_DELETE, is_manager, TALK_PAGE_LEAVE));
}

/* Item 19. */
PAGE_SCENARIO(room_outlives_the_managers_tab_and_session)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    struct browser *carol = talk_page_person(scene, "carol");
    talk_page_create(alice, "tea");
    talk_page_join(bob, "tea");
    talk_page_join(carol, "tea");
    talk_page_say(bob, "before");
    talk_page_lists_manager(carol, "alice");
    expect_manages(bob, false);
    browser_click(alice, TALK_PAGE_UNREGISTER);
    page_scene_picture(scene, alice, "asked");
    browser_click(alice, TALK_PAGE_YES);
    talk_page_at_form(alice);
    talk_page_is_told(bob, "bob", "manages the room now");
    talk_page_lists_manager(bob, "bob");
    talk_page_lists_manager(carol, "bob");
    expect_manages(bob, true);
    expect_manages(carol, false);
    page_scene_picture(scene, bob, "successor");
    talk_page_kick(bob, "carol");
    talk_page_in_lobby(carol);
    /* The last one who leaves ends it. */
    talk_page_leave(bob);
    talk_page_lists_room(carol, "tea", -1);
}

/* Item 19. */
PAGE_SCENARIO(manager_makes_another_member_the_manager)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    struct original *old = e2e_user(scene->e, "old");
    talk_page_create(alice, "tea");
    talk_page_join(bob, "tea");
    e2e_join_room(old, "tea");
    talk_page_lists_members(alice, "alice,bob,old");
    talk_page_promote(alice, "old");
    talk_page_is_warned(alice, "cannot manage");
    talk_page_promote(alice, "bob");
    talk_page_lists_manager(alice, "bob");
    talk_page_lists_manager(bob, "bob");
    expect_manages(alice, false);
    expect_manages(bob, true);
    assert_int_equal(browser_count(alice, "#members .kick, #members .promote, #users .invite"), 0);
    page_scene_picture(scene, bob, "manager");
    /* It stays so over a reload. */
    browser_reload(alice);
    talk_page_in_room(alice, "tea");
    talk_page_lists_manager(alice, "bob");
    expect_manages(alice, false);
    /* A manager may go to another room, too. */
    struct browser *carol = talk_page_person(scene, "carol");
    talk_page_create(carol, "cake");
    talk_page_lists_room(bob, "cake", 1);
    browser_click(bob, "#rooms > li[data-room=cake] .open");
    browser_expect(
        bob, "return document.querySelector('#ask-text').textContent.includes('manager');", NULL);
    browser_click(bob, TALK_PAGE_YES);
    talk_page_in_room(bob, "cake");
    talk_page_lists_manager(alice, "alice");
    expect_manages(alice, true);
}

/* Item 19, on a phone, where words have room, and in Korean. */
PAGE_SCENARIO(manager_on_a_phone_has_the_words)
{
    static const struct browser_options options = {
        .name = "phone", .width = 390, .height = 780, .is_phone = true, .language = "ko"};
    PAGE_NODE(scene);
    struct browser *phone = page_scene_person_with(scene, &options);
    talk_page_register(phone, "phone");
    talk_page_create(phone, "tea");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_join(bob, "tea");
    browser_click(phone, TALK_PAGE_TAB_PEOPLE);
    talk_page_lists_members(phone, "phone,bob");
    browser_expect(
        phone,
        "const e = document.querySelector('.promote span');"
        "return e.textContent === '방장 넘기기' && e.getBoundingClientRect().width > 20;",
        NULL);
    browser_expect(phone, "return document.documentElement.scrollWidth <= innerWidth;", NULL);
    page_scene_picture(scene, phone, "people");
    talk_page_promote(phone, "bob");
    talk_page_lists_manager(phone, "bob");
    browser_click(phone, TALK_PAGE_TAB_TALK);
    talk_page_is_told(phone, "bob", "방장");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGE_TEST(who_has_closed_the_tab_is_back_in_the_room_and_manages_it),
        PAGE_TEST(who_has_closed_the_tab_is_shown_as_away_and_then_as_back),
        PAGE_TEST(who_does_not_come_back_leaves_the_room_to_the_others),
        PAGE_TEST(who_loses_the_answer_to_the_registration_is_in_all_the_same),
        PAGE_TEST(windows_of_one_browser_keep_their_names),
        PAGE_TEST(who_comes_back_to_a_session_that_has_ended_registers_by_the_same_form),
        PAGE_TEST(what_was_said_before_the_tab_was_closed_arrives_once),
        PAGE_TEST(account_goes_on_elsewhere_after_a_question),
        PAGE_TEST(shared_key_takes_over_nobody),
        PAGE_TEST(window_that_is_continued_keeps_its_room_and_says_nothing_else),
        PAGE_TEST(room_outlives_the_managers_tab_and_session),
        PAGE_TEST(manager_makes_another_member_the_manager),
        PAGE_TEST(manager_on_a_phone_has_the_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
