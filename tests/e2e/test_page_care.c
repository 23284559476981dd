/* SPDX-License-Identifier: MIT */
/*
 * The page for everybody: for those who cannot see it, on a phone, in Korean, in the dark.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/talk_page.h"

/* Assistive technology ------------------------------------------------------------------------- */

static bool is_control(const char *role)
{
    static const char *const roles[] = {"button", "textbox",  "searchbox", "combobox",   "listbox",
                                        "link",   "checkbox", "radio",     "switch",     "tab",
                                        "slider", "menuitem", "dialog",    "alertdialog"};
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (strcmp(role, roles[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const char *ax_value(const json_t *node, const char *key)
{
    const char *value = json_string_value(json_object_get(json_object_get(node, key), "value"));
    return value != NULL ? value : "";
}

/* As Chromium tells a screen reader. Returns how many controls there are. */
static size_t expect_controls_with_names(struct browser *person)
{
    size_t i, count = 0;
    const json_t *node;
    json_t *tree = browser_cdp(person, "Accessibility.getFullAXTree", NULL);
    json_array_foreach(json_object_get(tree, "nodes"), i, node)
    {
        const char *role = ax_value(node, "role"), *name = ax_value(node, "name");
        if (json_is_true(json_object_get(node, "ignored")) || !is_control(role)) {
            continue;
        }
        count++;
        if (name[strspn(name, " ")] == '\0') {
            char *shown = json_dumps(node, JSON_COMPACT);
            fail_msg("a %s has no name: %s", role, shown);
        }
    }
    json_decref(tree);
    return count;
}

PAGE_SCENARIO(every_control_has_a_name_and_what_happens_is_announced)
{
    PAGE_NODE(scene);
    struct browser *alice = page_scene_person(scene, "alice");
    assert_true(expect_controls_with_names(alice) >= 3);
    browser_expect(alice, "return document.documentElement.lang === 'en';", NULL);
    talk_page_register(alice, "alice");
    assert_true(expect_controls_with_names(alice) >= 2);
    talk_page_create(alice, "den");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_lists_users(alice, "alice,bob");
    assert_true(expect_controls_with_names(alice) >= 4);
    browser_expect(alice,
                   "const log = document.querySelector(arguments[0]).closest('[aria-live], "
                   "[role=log], [role=status]'); return !!log && log.ariaLive !== 'off';",
                   json_pack("[s]", TALK_PAGE_MESSAGES));
    talk_page_invite(alice, "bob");
    browser_expect(bob, "return document.querySelector(arguments[0])?.checkVisibility();",
                   json_pack("[s]", TALK_PAGE_ACCEPT));
    assert_true(expect_controls_with_names(bob) >= 2);
    page_scene_picture(scene, bob, "invited");
    talk_page_accept(bob);
    assert_true(expect_controls_with_names(bob) >= 2);
}

/* Sizes, colours, languages -------------------------------------------------------------------- */

static void expect_no_sideways_scrolling(struct browser *person, const char *where)
{
    int64_t wide = browser_run_integer(
        person, "return document.scrollingElement.scrollWidth - innerWidth;", NULL);
    if (wide > 0) {
        char *who = browser_run_text(
            person,
            "return [...document.querySelectorAll('body *')].filter(e => "
            "e.getBoundingClientRect().right > innerWidth).map(e => e.tagName + '#' + "
            "e.id).join(' ');",
            NULL);
        fail_msg("%s: the page is %d pixels too wide: %s", where, (int)wide, who);
    }
}

/* Each control can be hit by a thumb: its middle is on the screen after scrolling to it, and
 * nothing lies over it. */
static void expect_reachable_controls(struct browser *person)
{
    char *hidden = browser_run_text(
        person,
        "return [...document.querySelectorAll('button, input, textarea, select, a')].filter(e => {"
        "  if (!e.checkVisibility({visibilityProperty: true}) || e.disabled) { return false; }"
        "  e.focus({preventScroll: true}); e.scrollIntoView({block: 'center', behavior: "
        "'instant'});"
        "  const box = e.getBoundingClientRect();"
        "  const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / "
        "2);"
        "  return !hit || !(e.contains(hit) || hit.closest('label')?.control === e);"
        "}).map(e => e.id || e.outerHTML).join(' ');",
        NULL);
    assert_string_equal(hidden, "");
    free(hidden);
}

/* As wide as a name may be, without a place to break. */
#define CARE_LONG_NAME "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunter"

static void expect_fits(struct page_scene *scene, struct browser *person, const char *where)
{
    page_scene_picture(scene, person, where);
    expect_no_sideways_scrolling(person, where);
    expect_reachable_controls(person);
}

PAGE_SCENARIO(phone_shows_everything_without_scrolling_sideways)
{
    static const struct browser_options phone = {
        .name = "phone", .width = 320, .height = 568, .is_phone = true};
    PAGE_NODE(scene, "limits.name_bytes=64");
    struct browser *alice = page_scene_person_with(scene, &phone);
    struct browser *bob = page_scene_person(scene, "desk");
    expect_fits(scene, alice, "form");
    talk_page_register(alice, CARE_LONG_NAME);
    talk_page_register(bob, "bob");
    expect_fits(scene, alice, "lobby");
    talk_page_create(bob, "R" CARE_LONG_NAME);
    talk_page_lists_room(alice, "R" CARE_LONG_NAME, 1);
    expect_fits(scene, alice, "rooms");
    talk_page_invite(bob, CARE_LONG_NAME);
    browser_expect(alice, "return document.querySelector(arguments[0]).checkVisibility();",
                   json_pack("[s]", TALK_PAGE_ACCEPT));
    expect_no_sideways_scrolling(alice, "invited");
    page_scene_picture(scene, alice, "invited");
    talk_page_accept(alice);
    talk_page_in_room(alice, "R" CARE_LONG_NAME);
    talk_page_say(bob, CARE_LONG_NAME CARE_LONG_NAME);
    talk_page_say(alice, "short");
    talk_page_hears(alice, "bob", CARE_LONG_NAME CARE_LONG_NAME);
    expect_fits(scene, alice, "room");
    browser_click(alice, TALK_PAGE_TAB_PEOPLE);
    expect_fits(scene, alice, "people");
    browser_click(alice, TALK_PAGE_TAB_TALK);
    browser_click(alice, TALK_PAGE_LEAVE);
    browser_expect(alice, "return document.querySelector(arguments[0]).checkVisibility();",
                   json_pack("[s]", TALK_PAGE_YES));
    expect_no_sideways_scrolling(alice, "question");
    page_scene_picture(scene, alice, "question");
    browser_click(alice, TALK_PAGE_NO);
    talk_page_leave(alice);
}

/* Everything that is seen or read out is in that language; what people wrote is in none. */
static void expect_language(struct browser *person, const char *language)
{
    browser_expect(person, "return document.documentElement.lang === arguments[0];",
                   json_pack("[s]", language));
    char *other = browser_run_text(
        person,
        "const korean = arguments[0] === 'ko';"
        "const texts = [document.title, ...[...document.querySelectorAll('body *')]"
        "  .filter(e => e.checkVisibility() && !e.matches('option, .name, .who, bdi, noscript'))"
        "  .flatMap(e => [e.ariaLabel, e.placeholder, ...[...e.childNodes].filter(n => n.nodeType "
        "=== 3).map(n => n.data)])];"
        "return texts.filter(x => x?.trim() && (korean ? !/[가-힣]/.test(x) && /[a-z]{3}/.test(x) "
        ": "
        "/[가-힣]/.test(x))).join(' | ');",
        json_pack("[s]", language));
    if (other[0] != '\0') {
        fail_msg("not in %s: %s", language, other);
    }
    free(other);
}

PAGE_SCENARIO(browser_that_speaks_korean_gets_a_korean_page_and_may_change)
{
    static const struct browser_options korean = {.name = "alice", .language = "ko"};
    PAGE_NODE(scene);
    struct browser *alice = page_scene_person_with(scene, &korean);
    expect_language(alice, "ko");
    page_scene_picture(scene, alice, "form");
    talk_page_register(alice, "01");
    expect_language(alice, "ko");
    page_scene_picture(scene, alice, "lobby");
    talk_page_language(alice, "en");
    expect_language(alice, "en");
    browser_reload(alice);
    talk_page_in_lobby(alice);
    expect_language(alice, "en");
}

PAGE_SCENARIO(language_may_change_in_a_room_where_something_has_happened)
{
    PAGE_NODE(scene);
    struct browser *alice = page_scene_person(scene, "alice");
    talk_page_register(alice, "01");
    talk_page_create(alice, "02");
    talk_page_is_told(alice, "01", "opened");
    talk_page_say(alice, "03");
    expect_language(alice, "en");
    talk_page_language(alice, "ko");
    page_scene_picture(scene, alice, "room");
    expect_language(alice, "ko");
}

/* What a person can read: 4.5 to 1 between text and what lies behind it, by WCAG. */
#define CARE_CONTRAST                                                                              \
    "const rgb = c => { const n = c.match(/[\\d.]+/g).map(Number); return n.length > 3 ? n : "     \
    "[...n, 1]; };"                                                                                \
    "const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : "      \
    "((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], "  \
    "0);"                                                                                          \
    "const behind = e => { for (; e; e = e.parentElement) { const c = "                            \
    "rgb(getComputedStyle(e).backgroundColor); if (c[3] === 1) { return c; } } return "            \
    "rgb(getComputedStyle(document.documentElement).colorScheme.includes('dark') && "              \
    "matchMedia('(prefers-color-scheme: dark)').matches ? '18 18 18' : '255 255 255'); };"         \
    "return [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && "          \
    "!e.matches(':disabled') && [...e.childNodes].some(n => n.nodeType === 3 && "                  \
    "n.data.trim())).filter(e => { const [a, b] = [light(rgb(getComputedStyle(e).color)), "        \
    "light(behind(e))].sort((x, y) => y - x); return (a + 0.05) / (b + 0.05) < 4.5; })"            \
    ".map(e => e.id + ' ' + e.textContent.slice(0, 20)).join('; ');"

static void expect_contrast(struct browser *person, const char *where)
{
    char *bad = browser_run_text(person, CARE_CONTRAST, NULL);
    if (bad[0] != '\0') {
        fail_msg("%s: hard to read: %s", where, bad);
    }
    free(bad);
}

static void look_around(struct page_scene *scene, struct browser *person, const char *room)
{
    page_scene_picture(scene, person, "form");
    expect_contrast(person, "form");
    talk_page_register(person, browser_name(person));
    page_scene_picture(scene, person, "lobby");
    expect_contrast(person, "lobby");
    talk_page_create(person, room);
    talk_page_say(person, "hello");
    page_scene_picture(scene, person, "room");
    expect_contrast(person, "room");
}

PAGE_SCENARIO(page_can_be_read_in_the_light_and_in_the_dark)
{
    static const struct browser_options dark = {.name = "dark", .is_dark = true};
    PAGE_NODE(scene);
    look_around(scene, page_scene_person(scene, "light"), "sun");
    look_around(scene, page_scene_person_with(scene, &dark), "moon");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGE_TEST(every_control_has_a_name_and_what_happens_is_announced),
        PAGE_TEST(phone_shows_everything_without_scrolling_sideways),
        PAGE_TEST(browser_that_speaks_korean_gets_a_korean_page_and_may_change),
        PAGE_TEST(language_may_change_in_a_room_where_something_has_happened),
        PAGE_TEST(page_can_be_read_in_the_light_and_in_the_dark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
