/* SPDX-License-Identifier: MIT */
/*
 * The page in use, as people meet it: words that are links and code, names of other scripts, long
 * notices, sessions that end, drafts, browsers that keep nothing, a proxy's path.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/talk_page.h"
#include "tests/support/tool.h"

#define USE_NAME_OF_HEBREW "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"
#define USE_MARKS          300
#define USE_FLOOD          "450"

static void expect_field(struct browser *person, const char *text)
{
    browser_expect(person, "return document.querySelector('#say').value === arguments[0];",
                   json_pack("[s]", text));
}

static void expect_focused(struct browser *person, const char *css)
{
    browser_expect(person, "return document.activeElement.matches(arguments[0]);",
                   json_pack("[s]", css));
}

static void say_many(struct browser *person)
{
    json_decref(browser_run(person,
                            "const field = document.querySelector('#say');"
                            "for (let i = 1; i <= " USE_FLOOD "; i++) { field.value = 'no. ' + i;"
                            "document.querySelector('#say-form').requestSubmit(); }",
                            NULL));
}

/* Issue 13, items 21 and 25. */
PAGE_SCENARIO(words_are_shown_as_what_they_are)
{
    char marks[8 + 2 * USE_MARKS];
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    talk_page_create(alice, "den");
    talk_page_paste(alice,
                    "see (https://example.org/a_(b)?c=1#d). or `a < b` or javascript:alert(1) "
                    "<b>x</b>");
    browser_expect(alice,
                   "const text = document.querySelector('#messages .text');"
                   "const link = text?.querySelector('a');"
                   "return link?.textContent === 'https://example.org/a_(b)?c=1#d' && "
                   "link.rel.includes('noopener') && text.querySelectorAll('a').length === 1 && "
                   "text.querySelector('code').textContent === 'a < b' && !text.querySelector('b') "
                   "&& text.innerText.includes('or a < b or javascript:');",
                   NULL);
    talk_page_paste(alice, "```js\nif (a) {\n  b(`c`);\n}\n```");
    browser_expect(alice,
                   "const code = document.querySelector('#messages code.block');"
                   "return code?.textContent === 'if (a) {\\n  b(`c`);\\n}' && "
                   "code.parentNode.innerText.trim() === code.textContent;",
                   NULL);
    strcpy(marks, "z");
    for (size_t i = 0; i < USE_MARKS; i++) {
        strcat(marks, "\xcc\x81");
    }
    talk_page_paste(alice, marks);
    talk_page_hears(alice, "alice", marks);
    browser_expect(alice,
                   "const s = document.querySelector('#scroller'); s.scrollLeft = 50;"
                   "const y = getComputedStyle([...document.querySelectorAll('.text')].at(-1));"
                   "return s.scrollLeft === 0 && y.overflowY === 'clip';",
                   NULL);
    page_scene_picture(scene, alice, "words");
}

/* Issue 13, item 25. */
PAGE_SCENARIO(names_that_run_the_other_way_stand_beside_their_pictures)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, USE_NAME_OF_HEBREW);
    talk_page_create(bob, USE_NAME_OF_HEBREW);
    talk_page_join(alice, USE_NAME_OF_HEBREW);
    talk_page_say(bob, USE_NAME_OF_HEBREW);
    talk_page_hears(alice, USE_NAME_OF_HEBREW, USE_NAME_OF_HEBREW);
    talk_page_lists_members(alice, "alice," USE_NAME_OF_HEBREW);
    browser_expect(
        alice,
        "return [...document.querySelectorAll('#rooms .name, #members .name, #users .name, "
        "#messages .who')].filter(e => e.checkVisibility()).every(e => {"
        "  const range = document.createRange(); range.selectNodeContents(e);"
        "  return range.getBoundingClientRect().left - e.getBoundingClientRect().left < 3; });",
        NULL);
    page_scene_picture(scene, alice, "names");
}

/* Issue 13, item 25: four hundred are all that the document has; the line is above all of them. */
PAGE_SCENARIO(many_unread_messages_have_a_line_above_and_are_one_announcement)
{
    PAGE_NODE(scene, E2E_NO_RATES);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_create(alice, "den");
    talk_page_join(bob, "den");
    talk_page_is_told(alice, "bob", "joined");
    browser_put_away(alice);
    json_decref(browser_run(alice,
                            "window.heard = [];"
                            "new MutationObserver(() => heard.push(document.querySelector('#news')."
                            "textContent)).observe(document.querySelector('#news'), {childList: "
                            "true});",
                            NULL));
    say_many(bob);
    browser_expect(alice, "return document.title.includes('(" USE_FLOOD ")');", NULL);
    browser_expect(alice,
                   "return document.querySelector('#messages').firstElementChild.matches("
                   "'.unread-line');",
                   NULL);
    browser_expect(alice, "return heard.length > 0 && /^\\d+ new messages$/.test(heard.at(-1));",
                   NULL);
    assert_true(browser_run_bool(alice, "return heard.length < 40;", NULL));
    browser_bring_back(alice);
}

/* Issue 13, item 25. */
PAGE_SCENARIO(long_notice_is_bounded_closed_and_read_again)
{
    char notice[2001];
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    for (size_t i = 0; i < sizeof notice - 1; i++) {
        notice[i] = i % 8 == 7 ? ' ' : 'n';
    }
    notice[sizeof notice - 2] = '!';
    notice[sizeof notice - 1] = '\0';
    TOOL(scene->e->daemon, 0, "notice", notice);
    browser_expect(alice,
                   "const toast = document.querySelector('.toast');"
                   "const words = toast?.querySelector('p');"
                   "return toast?.getBoundingClientRect().bottom < innerHeight && "
                   "words.scrollHeight > words.clientHeight && "
                   "words.textContent === arguments[0];",
                   json_pack("[s]", notice));
    page_scene_picture(scene, alice, "notice");
    browser_click(alice, ".toast .close");
    browser_expect(alice,
                   "return !document.querySelector('.toast') && "
                   "document.querySelector('#notices').checkVisibility() && "
                   "document.querySelector('#notices').textContent.includes(arguments[0]);",
                   json_pack("[s]", notice));
}

/* Issue 13, item 25: the next blank belongs to the field, be it empty. */
PAGE_SCENARIO(focus_is_taken_from_no_field_and_never_lost)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_create(alice, "den");
    browser_click(bob, TALK_PAGE_ROOM_NAME);
    talk_page_invite(alice, "bob");
    browser_expect(bob, "return document.querySelector('#accept').checkVisibility();", NULL);
    browser_keys(bob, " x");
    browser_expect(bob,
                   "return document.activeElement.value === ' x' && document.body.dataset.room === "
                   "'' && document.querySelector('#accept').checkVisibility();",
                   NULL);
    talk_page_accept(bob);
    talk_page_in_room(bob, "den");
    talk_page_lists_members(alice, "alice,bob");
    talk_page_leave(bob);
    expect_focused(bob, "input, button, [tabindex]");
    /* What had the focus goes, whatever the reason. */
    json_decref(browser_run(bob,
                            "const b = document.createElement('button'); b.textContent = 'b';"
                            "document.querySelector('#app').append(b); b.focus(); b.remove();",
                            NULL));
    expect_focused(bob, TALK_PAGE_ROOM_NAME);
    json_decref(browser_run(bob,
                            "document.querySelector('#language').focus();"
                            "document.querySelector('#skip').click();",
                            NULL));
    expect_focused(bob, TALK_PAGE_ROOM_NAME);
    json_decref(browser_run(alice,
                            "document.querySelector('#language').focus();"
                            "document.querySelector('#skip').click();",
                            NULL));
    expect_focused(alice, TALK_PAGE_MESSAGE);
    browser_click(bob, TALK_PAGE_UNREGISTER);
    talk_page_at_form(bob);
    json_decref(browser_run(bob,
                            "document.querySelector('#language').focus();"
                            "document.querySelector('#skip').click();",
                            NULL));
    expect_focused(bob, TALK_PAGE_NAME);
    assert_true(browser_run_bool(alice,
                                 "return [...document.querySelectorAll('main')].filter(e => "
                                 "e.checkVisibility()).length === 1;",
                                 NULL));
}

static void allow_ended(struct browser *person)
{
    browser_allow(person, "WebSocket connection to");
    browser_allow(person, "status of 401");
    browser_allow(person, "status of 503");
}

/* Issue 13, item 25. */
PAGE_SCENARIO(session_that_ends_is_told_and_takes_no_text_with_it)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    allow_ended(alice);
    talk_page_create(alice, "den");
    talk_page_say(alice, "just said");
    browser_type(alice, TALK_PAGE_MESSAGE, "half writ");
    TOOL(scene->e->daemon, 0, "session", "kick", "alice", "--yes");
    talk_page_in_lobby(alice);
    talk_page_is_warned(alice, "den");
    talk_page_is_warned(alice, "just said");
    expect_field(alice, "just said\nhalf writ");
    page_scene_picture(scene, alice, "ended");
    talk_page_create(alice, "burrow");
    expect_field(alice, "just said\nhalf writ");
    browser_reload(alice);
    talk_page_in_room(alice, "burrow");
    expect_field(alice, "just said\nhalf writ");
    browser_click(alice, TALK_PAGE_UNREGISTER);
    browser_click(alice, TALK_PAGE_YES);
    talk_page_at_form(alice);
    expect_field(alice, "");
}

/* Issue 13, item 21. */
PAGE_SCENARIO(replaced_window_keeps_what_is_typed)
{
    PAGE_NODE(scene);
    struct browser *both = talk_page_person(scene, "alice");
    talk_page_create(both, "den");
    browser_open_window(both);
    browser_goto(both, scene->url);
    talk_page_at_form(both);
    talk_page_send_form(both, "alice", NULL);
    talk_page_in_room(both, "den");
    browser_select_window(both, 0);
    talk_page_is_replaced(both);
    talk_page_put(both, "from the old window");
    talk_page_is_warned(both, "another window");
    expect_field(both, "from the old window");
    assert_int_equal(browser_count(both, TALK_PAGE_PENDING), 0);
    browser_click(both, TALK_PAGE_RETRY);
    talk_page_in_room(both, "den");
    browser_click(both, TALK_PAGE_SEND);
    talk_page_hears(both, "alice", "from the old window");
}

/* Issue 13, items 21 and 25. */
PAGE_SCENARIO(browser_that_keeps_nothing_keeps_the_key_of_the_link)
{
    char url[160];
    PAGE_NODE(scene);
    const struct browser_options options = {.name = "alice"};
    struct browser *alice = page_scene_browser(scene, &options);
    json_decref(browser_cdp(
        alice, "Page.addScriptToEvaluateOnNewDocument",
        json_pack("{s:s}", "source",
                  "for (const name of ['localStorage', 'sessionStorage']) "
                  "Object.defineProperty(window, name, {get() { throw new Error('no'); }});")));
    snprintf(url, sizeof url, "%s#key=" PAGE_KEY, scene->url);
    browser_goto(alice, url);
    talk_page_at_form(alice);
    assert_false(browser_is_shown(alice, TALK_PAGE_KEY));
    talk_page_send_form(alice, "alice", NULL);
    talk_page_in_lobby(alice);
    browser_click(alice, TALK_PAGE_UNREGISTER);
    talk_page_at_form(alice);
    talk_page_send_form(alice, "bob", NULL);
    talk_page_in_lobby(alice);
    /* And a wrong one can be mended. */
    browser_click(alice, TALK_PAGE_UNREGISTER);
    talk_page_at_form(alice);
    snprintf(url, sizeof url, "%s#key=wrong", scene->url);
    browser_goto(alice, url);
    talk_page_send_form(alice, "bob", NULL);
    talk_page_is_warned(alice, "key is wrong");
    browser_expect(alice, "return document.querySelector('#key').checkVisibility();", NULL);
    talk_page_register(alice, "bob");
}

/* Issue 13, item 25: the colours are the system's, the size of the text is the browser's. */
PAGE_SCENARIO(page_follows_the_colours_and_the_size_of_the_system)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    talk_page_create(alice, "den");
    talk_page_say(alice, "hello");
    TOOL(scene->e->daemon, 0, "notice", "tea");
    talk_page_is_warned(alice, "tea");
    json_decref(browser_cdp(
        alice, "Emulation.setEmulatedMedia",
        json_pack("{s:[{s:s, s:s}]}", "features", "name", "forced-colors", "value", "active")));
    browser_expect(alice,
                   "return ['.toast', '.mark', '.text'].every(css => parseFloat("
                   "getComputedStyle(document.querySelector(css)).borderTopWidth) >= 1) && "
                   "parseFloat(getComputedStyle(document.querySelector('#status'), '::before')"
                   ".borderTopWidth) >= 1;",
                   NULL);
    page_scene_picture(scene, alice, "forced");
    json_decref(browser_cdp(alice, "Emulation.setEmulatedMedia", json_pack("{s:[]}", "features")));
    browser_expect(alice,
                   "document.documentElement.style.fontSize = '32px';"
                   "return getComputedStyle(document.querySelector('.text')).fontSize === '32px';",
                   NULL);
    /* What is seen of a button is in what it is called. */
    browser_expect(alice,
                   "return [...document.querySelectorAll('button[aria-label]')].every(e => "
                   "e.ariaLabel.includes(e.innerText.trim()));",
                   NULL);
}

/* Issue 13, item 21. */
PAGE_SCENARIO(history_says_where_it_begins)
{
    PAGE_NODE(scene, "history.length=10", E2E_NO_RATES);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_create(alice, "den");
    say_many(alice);
    talk_page_hears(alice, "alice", "no. " USE_FLOOD);
    talk_page_join(bob, "den");
    talk_page_load_all(bob);
    browser_expect(bob, "return document.querySelector('#oldest').checkVisibility();", NULL);
    assert_false(browser_is_shown(alice, "#oldest"));
}

/* Issue 13, item 21: who looks at something else is told, if he has asked for it. */
PAGE_SCENARIO(background_tab_notifies_who_wants_it)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    json_decref(
        browser_run(alice,
                    "window.notes = []; window.Notification = class {"
                    "  static permission = 'default';"
                    "  static async requestPermission() { return this.permission = "
                    "'granted'; }"
                    "  constructor(title, { body }) { notes.push(`${title}: ${body}`); } };",
                    NULL));
    talk_page_create(alice, "den");
    talk_page_join(bob, "den");
    talk_page_say(bob, "seen");
    talk_page_hears(alice, "bob", "seen");
    browser_click(alice, "#notify");
    browser_expect(alice,
                   "return document.querySelector('#notify').textContent === 'Stop "
                   "notifying';",
                   NULL);
    browser_put_away(alice);
    talk_page_say(bob, "<b>unseen</b>");
    browser_expect(alice, "return notes.join() === 'den: bob: <b>unseen</b>';", NULL);
    browser_bring_back(alice);
}

/* Issue 13, item 25: docs/balancer.md, "Behind a path". */
PAGE_SCENARIO(page_behind_a_path_of_a_proxy_is_whole)
{
    scene->is_behind_path = true;
    PAGE_CLUSTER(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    browser_expect(alice,
                   "return location.pathname === '/chat/' && "
                   "getComputedStyle(document.body).display === 'flex' && "
                   "document.querySelector('h1 img').naturalWidth > 0;",
                   NULL);
    talk_page_create(alice, "den");
    talk_page_join(bob, "den");
    talk_page_say(alice, "over a path");
    talk_page_hears(bob, "alice", "over a path");
    browser_reload(bob);
    talk_page_hears(bob, "alice", "over a path");
    /* Without WebSockets: the event stream and POST. */
    json_decref(browser_cdp(bob, "Page.addScriptToEvaluateOnNewDocument",
                            json_pack("{s:s}", "source",
                                      "window.WebSocket = class { constructor() { "
                                      "queueMicrotask(() => this.onclose({code: 1006})); } close() "
                                      "{} };")));
    browser_reload(bob);
    talk_page_in_room(bob, "den");
    talk_page_say(bob, "by a stream");
    talk_page_hears(alice, "bob", "by a stream");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGE_TEST(words_are_shown_as_what_they_are),
        PAGE_TEST(names_that_run_the_other_way_stand_beside_their_pictures),
        PAGE_TEST(many_unread_messages_have_a_line_above_and_are_one_announcement),
        PAGE_TEST(long_notice_is_bounded_closed_and_read_again),
        PAGE_TEST(focus_is_taken_from_no_field_and_never_lost),
        PAGE_TEST(session_that_ends_is_told_and_takes_no_text_with_it),
        PAGE_TEST(replaced_window_keeps_what_is_typed),
        PAGE_TEST(browser_that_keeps_nothing_keeps_the_key_of_the_link),
        PAGE_TEST(page_follows_the_colours_and_the_size_of_the_system),
        PAGE_TEST(history_says_where_it_begins),
        PAGE_TEST(background_tab_notifies_who_wants_it),
        PAGE_TEST(page_behind_a_path_of_a_proxy_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
