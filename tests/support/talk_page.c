/* SPDX-License-Identifier: MIT */
/*
 * talk_page: what people do and see on the page, by its elements (talk_page.h). It knows what the
 * page looks like, not how it works.
 */
#include "talk_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the scripts: `all(css)` are the elements that fit, `part(element, css)` is the text of a part
 * of it. */
#define TALK_PAGE_SCRIPT                                                                           \
    "const all = css => [...document.querySelectorAll(css)];"                                      \
    "const part = (e, css) => e.querySelector(css)?.textContent ?? '';"                            \
    "const shown = css => !!document.querySelector(css)?.checkVisibility({visibilityProperty: "    \
    "true});"

static void talk_page_click_in(struct browser *person, const char *items, const char *name)
{
    browser_click_found(
        person,
        TALK_PAGE_SCRIPT
        "const item = all(arguments[0]).find(e => part(e, '.name') === arguments[1]);"
        "return item && (item.matches('button') ? item : "
        "[...item.querySelectorAll('button')].find(e => e.checkVisibility() && !e.disabled));",
        json_pack("[s, s]", items, name));
}

/* Registering ---------------------------------------------------------------------------------- */

void talk_page_send_form(struct browser *person, const char *name, const char *key)
{
    if (name != NULL) {
        browser_fill(person, TALK_PAGE_NAME, name);
    }
    if (key != NULL) {
        browser_fill(person, TALK_PAGE_KEY, key);
    }
    browser_click(person, TALK_PAGE_REGISTER);
}

void talk_page_register(struct browser *person, const char *name)
{
    talk_page_send_form(person, name, PAGE_KEY);
    talk_page_in_lobby(person);
}

struct browser *talk_page_person(struct page_scene *scene, const char *name)
{
    struct browser *person = page_scene_person(scene, name);
    talk_page_register(person, name);
    return person;
}

/* Acts ----------------------------------------------------------------------------------------- */

void talk_page_create(struct browser *person, const char *room)
{
    browser_fill(person, TALK_PAGE_ROOM_NAME, room);
    browser_keys(person, BROWSER_ENTER);
    talk_page_in_room(person, room);
}

void talk_page_join(struct browser *person, const char *room)
{
    talk_page_click_in(person, TALK_PAGE_ROOMS, room);
    talk_page_in_room(person, room);
}

void talk_page_leave(struct browser *person)
{
    browser_click(person, TALK_PAGE_LEAVE);
    browser_click(person, TALK_PAGE_YES);
    talk_page_in_lobby(person);
}

void talk_page_delete(struct browser *person)
{
    browser_click(person, TALK_PAGE_DELETE);
    browser_click(person, TALK_PAGE_YES);
    talk_page_in_lobby(person);
}

void talk_page_put(struct browser *person, const char *text)
{
    browser_type(person, TALK_PAGE_MESSAGE, text);
    browser_keys(person, BROWSER_ENTER);
}

void talk_page_paste(struct browser *person, const char *text)
{
    browser_click(person, TALK_PAGE_MESSAGE);
    json_decref(browser_cdp(person, "Input.insertText", json_pack("{s:s}", "text", text)));
    browser_keys(person, BROWSER_ENTER);
}

void talk_page_say(struct browser *person, const char *text)
{
    talk_page_put(person, text);
    talk_page_hears(person, NULL, text);
    browser_expect(person, "return !document.querySelector(arguments[0]);",
                   json_pack("[s]", TALK_PAGE_PENDING));
}

void talk_page_invite(struct browser *person, const char *user)
{
    talk_page_click_in(person, TALK_PAGE_USERS, user);
}

void talk_page_kick(struct browser *person, const char *user)
{
    talk_page_click_in(person, TALK_PAGE_MEMBERS, user);
    browser_click(person, TALK_PAGE_YES);
}

void talk_page_promote(struct browser *person, const char *user)
{
    char css[160];
    snprintf(css, sizeof css, TALK_PAGE_MEMBERS "[data-user=\"%s\"] .promote", user);
    browser_click(person, css);
    browser_click(person, TALK_PAGE_YES);
}

void talk_page_accept(struct browser *person)
{
    browser_click(person, TALK_PAGE_ACCEPT);
}

void talk_page_decline(struct browser *person)
{
    browser_click(person, TALK_PAGE_DECLINE);
}

void talk_page_language(struct browser *person, const char *language)
{
    browser_type(person, TALK_PAGE_LANGUAGE, strcmp(language, "ko") == 0 ? "한국어" : "English");
}

/* Sights --------------------------------------------------------------------------------------- */

static void talk_page_shows(struct browser *person, const char *css)
{
    browser_expect(person, TALK_PAGE_SCRIPT "return shown(arguments[0]);", json_pack("[s]", css));
}

void talk_page_at_form(struct browser *person)
{
    talk_page_shows(person, TALK_PAGE_NAME);
}

void talk_page_in_lobby(struct browser *person)
{
    browser_expect(person,
                   TALK_PAGE_SCRIPT "return shown('" TALK_PAGE_INSIDE
                                    "') && document.body.dataset.state === 'online' && "
                                    "document.body.dataset.room === '';",
                   NULL);
}

void talk_page_in_room(struct browser *person, const char *room)
{
    browser_expect(person,
                   TALK_PAGE_SCRIPT "return shown('" TALK_PAGE_MESSAGE
                                    "') && document.body.dataset.state === 'online' && "
                                    "document.body.dataset.room === arguments[0] && "
                                    "part(document, '#room-title') === arguments[0];",
                   json_pack("[s]", room));
}

void talk_page_lists_room(struct browser *person, const char *room, int members)
{
    browser_expect(person,
                   TALK_PAGE_SCRIPT
                   "const found = all('" TALK_PAGE_ROOMS
                   "').filter(e => part(e, '.name') === arguments[0]);"
                   "return arguments[1] < 0 ? found.length === 0 : found.length === 1 && "
                   "parseInt(part(found[0], '.count').match(/\\d+/)?.[0]) === arguments[1];",
                   json_pack("[s, i]", room, members));
}

static void talk_page_lists(struct browser *person, const char *items, const char *names)
{
    browser_expect(person,
                   TALK_PAGE_SCRIPT "return all(arguments[0]).map(e => part(e, '.name')).sort()"
                                    ".join() === arguments[1].split(',').sort().join();",
                   json_pack("[s, s]", items, names));
}

void talk_page_lists_users(struct browser *person, const char *names)
{
    talk_page_lists(person, TALK_PAGE_USERS, names);
}

void talk_page_lists_members(struct browser *person, const char *names)
{
    talk_page_lists(person, TALK_PAGE_MEMBERS, names);
}

void talk_page_lists_manager(struct browser *person, const char *name)
{
    browser_expect(person,
                   TALK_PAGE_SCRIPT
                   "const found = all('" TALK_PAGE_MEMBERS "').filter(e => [...e.querySelectorAll("
                   "'.mark')].some(m => /manager|방장/.test(m.textContent)));"
                   "return arguments[0] === null ? found.length === 0 : found.length === 1 && "
                   "part(found[0], '.name') === arguments[0];",
                   json_pack("[s?]", name));
}

void talk_page_lists_away(struct browser *person, const char *list, const char *names)
{
    browser_expect(person,
                   TALK_PAGE_SCRIPT "return all(arguments[0] + '.away').map(e => part(e, '.name'))"
                                    ".sort().join() === arguments[1].split(',').sort().join();",
                   json_pack("[s, s]", list, names));
}

void talk_page_is_replaced(struct browser *person)
{
    browser_expect(person, "return document.body.dataset.state === 'replaced';", NULL);
}

void talk_page_watch(struct browser *person)
{
    json_decref(browser_run(
        person,
        "window.told = []; window.counts = [];"
        "const see = () => { told.push(document.querySelector('#toasts').textContent);"
        "const section = document.querySelector('#members-section');"
        "if (!section.hidden) { counts.push(section.querySelector('h2').textContent); } };"
        "new MutationObserver(see).observe(document.body, {subtree: true, childList: true, "
        "characterData: true, attributes: true}); see();",
        NULL));
}

void talk_page_was_not_told(struct browser *person, const char *text)
{
    char *bad = browser_run_text(person,
                                 "return told.find(t => t.includes(arguments[0])) ?? "
                                 "counts.find(c => /\\b0\\b/.test(c));",
                                 json_pack("[s]", text));
    assert_string_equal(bad, "");
    free(bad);
}

void talk_page_hears(struct browser *person, const char *from, const char *text)
{
    browser_expect(person,
                   TALK_PAGE_SCRIPT
                   "return all('" TALK_PAGE_SAID "').filter(e => part(e, '.text') === arguments[1] "
                   "&& (arguments[0] === null || part(e, '.who') === arguments[0])).length === 1;",
                   json_pack("[s?, s]", from, text));
}

void talk_page_is_told(struct browser *person, const char *who, const char *what)
{
    browser_expect(person,
                   TALK_PAGE_SCRIPT "return all('" TALK_PAGE_NOTICES
                                    "').some(e => e.textContent.includes(arguments[0]) && "
                                    "e.textContent.includes(arguments[1]));",
                   json_pack("[s, s]", who, what));
}

void talk_page_is_warned(struct browser *person, const char *text)
{
    browser_expect(person,
                   TALK_PAGE_SCRIPT "return all('" TALK_PAGE_WARNINGS
                                    "').some(e => e.checkVisibility() && "
                                    "e.textContent.includes(arguments[0]));",
                   json_pack("[s]", text));
}

void talk_page_load_all(struct browser *person)
{
    /* Scrolling asks as well, so the button may go at any moment: by script. */
    browser_expect(person,
                   TALK_PAGE_SCRIPT "if (!shown('" TALK_PAGE_EARLIER "')) { return true; }"
                                    "document.querySelector('" TALK_PAGE_EARLIER "').click();"
                                    "return false;",
                   NULL);
}

char *talk_page_transcript(struct browser *person)
{
    return browser_run_text(person,
                            TALK_PAGE_SCRIPT "return all('" TALK_PAGE_SAID
                                             "').map(e => part(e, '.who') + ': ' + part(e, "
                                             "'.text') + '\\n').join('');",
                            NULL);
}
