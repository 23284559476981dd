/* SPDX-License-Identifier: MIT */
/*
 * The page when names and messages are attacks, and under a flood: everything is shown literally,
 * nothing runs, and what came is shown in order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/talk_page.h"

#define ATTACK_FLOOD 1000

/* Each would leave a mark if it were taken for more than text. */
static const char *const attack_names[] = {
    "<img src=x onerror=\"ran=1\">",
    "<script>ran=1</script>",
    "\"><svg/onload=ran=1>",
    "javascript:ran=1",
    "'-ran=1-'",
    "{{ran=1}}${ran=1}",
};

static const char *const attack_messages[] = {
    "<img src=x onerror=\"window.ran=1\">",
    "<script>window.ran=1</script>",
    "</p></div><iframe srcdoc=\"<script>parent.ran=1</script>\"></iframe>",
    "<a href=\"javascript:window.ran=1\">click</a>",
    "javascript:window.ran=1",
    "&lt;b&gt; &amp; &#60;i&#62; &nbsp;",
    "<style>*{display:none}</style><base href=//evil.example>",
    "\xe2\x80\xae"
    "gnirts desrever"
    "\xe2\x80\xac and on",
    "\xe2\x80\xae"
    "never ended",
    "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81 \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9 "
    "\xf0\x9f\x87\xb0",
    "two  blanks  and\ttab, and\xc2\xa0so on",
    "__proto__ constructor toString",
    "https://example.com/?a=<b>&c=\"d\"",
};

/* Nothing ran, and no element came from what people wrote. */
static void expect_unharmed(struct browser *person)
{
    browser_expect(person, "return window.ran === undefined;", NULL);
    browser_expect(person,
                   "return !document.querySelector('iframe, base, img[src=x], svg[onload], "
                   "[onerror], [onclick], a[href^=\"javascript:\" i], body script:not([src]), body "
                   "style');",
                   NULL);
}

PAGE_SCENARIO(messages_are_shown_as_they_were_written)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *bob = talk_page_person(scene, "bob");
    talk_page_create(alice, "den");
    talk_page_join(bob, "den");
    for (size_t i = 0; i < sizeof attack_messages / sizeof attack_messages[0]; i++) {
        talk_page_paste(bob, attack_messages[i]);
        talk_page_hears(alice, "bob", attack_messages[i]);
        expect_unharmed(alice);
        expect_unharmed(bob);
    }
    page_scene_picture(scene, alice, "messages");
    browser_reload(alice);
    talk_page_in_room(alice, "den");
    expect_unharmed(alice);
}

/* One who is called an attack opens a room that is called one, and everything that is told about it
 * bears those names. */
PAGE_SCENARIO(names_are_shown_as_they_were_written)
{
    PAGE_NODE(scene, "limits.registers_per_s=1000");
    struct browser *alice = talk_page_person(scene, "alice");
    struct browser *mallory = page_scene_person(scene, "mallory");
    for (size_t i = 0; i < sizeof attack_names / sizeof attack_names[0]; i++) {
        struct original *user = e2e_user(scene->e, attack_names[i]);
        e2e_open_room(user, attack_names[i]);
        talk_page_lists_room(alice, attack_names[i], 1);
        talk_page_join(alice, attack_names[i]);
        talk_page_is_told(alice, "alice", "joined");
        assert_true(original_say(user, attack_names[i]));
        talk_page_hears(alice, attack_names[i], attack_names[i]);
        expect_unharmed(alice);
        page_scene_picture(scene, alice, i == 0 ? "img" : "names");
        talk_page_leave(alice);
        original_send_peer(user, HGTP_INVITE_USER_FROM_ROOM, attack_names[i], "alice");
        talk_page_decline(alice);
        e2e_refused(original_wait_response(user, HGTP_INVITE_USER_FROM_ROOM), HGTP_DECLINE,
                    ERR_PEER_DECLINED);
    }
    talk_page_register(mallory, "<b onclick=ran=1>mallory");
    talk_page_create(mallory, "<i>room");
    talk_page_invite(mallory, "alice");
    talk_page_accept(alice);
    talk_page_in_room(alice, "<i>room");
    expect_unharmed(alice);
    expect_unharmed(mallory);
}

static const char *header_of(const struct http_answer *answer, const char *name)
{
    const char *at = strcasestr(answer->head, name);
    return at != NULL ? at + strlen(name) : "";
}

static bool line_has(const char *line, const char *text)
{
    const char *at = strstr(line, text);
    return at != NULL && at < line + strcspn(line, "\r\n");
}

PAGE_SCENARIO(page_comes_with_a_strict_security_policy)
{
    PAGE_NODE(scene);
    struct http_client *client = http_client_open(0, SOCKETS_LOOPBACK, scene->e->daemon->http_port);
    assert_non_null(client);
    http_client_send(client, bytes_str("GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"));
    struct http_answer answer = http_client_read(client, true);
    assert_int_equal(answer.status, 200);
    const char *policy = header_of(&answer, "\r\ncontent-security-policy:");
    print_message("content-security-policy:%.*s\n", (int)strcspn(policy, "\r"), policy);
    assert_true(line_has(policy, "default-src 'none'") || line_has(policy, "default-src 'self'"));
    assert_true(line_has(policy, "frame-ancestors 'none'"));
    assert_true(line_has(policy, "base-uri 'none'"));
    assert_true(line_has(policy, "form-action 'none'") || line_has(policy, "form-action 'self'"));
    static const char *const loose[] = {"unsafe-", "*", "data:", "blob:", "http:", "https:"};
    for (size_t i = 0; i < sizeof loose / sizeof loose[0]; i++) {
        assert_false(line_has(policy, loose[i]));
    }
    assert_true(line_has(header_of(&answer, "\r\nx-content-type-options:"), "nosniff"));
    assert_true(line_has(header_of(&answer, "\r\nreferrer-policy:"), "no-referrer"));
    http_client_close(client);
}

/* The policy is in force: what an attacker would have put into the page does not run. */
PAGE_SCENARIO(policy_stops_what_the_page_itself_would_let_through)
{
    PAGE_NODE(scene);
    struct browser *alice = talk_page_person(scene, "alice");
    browser_allow(alice, "Content Security Policy");
    browser_allow(alice, "/x - Failed to load resource");
    json_decref(browser_run(alice,
                            "const e = document.createElement('div'); document.body.append(e);"
                            "e.innerHTML = '<img src=x onerror=\"window.ran=1\">';"
                            "const s = document.createElement('script');"
                            "s.textContent = 'window.ran=1'; document.body.append(s);",
                            NULL));
    assert_true(browser_stays(alice, "return window.ran;", NULL, 500));
}

PAGE_SCENARIO(flood_of_messages_is_shown_whole_and_in_order)
{
    PAGE_NODE(scene, E2E_NO_RATES, "history.length=5000");
    struct browser *alice = talk_page_person(scene, "alice");
    struct original *bob = e2e_user(scene->e, "bob");
    talk_page_create(alice, "den");
    e2e_join_room(bob, "den");
    talk_page_lists_members(alice, "alice,bob");
    json_decref(browser_run(alice,
                            "window.gap = 0; let last = performance.now();"
                            "const frame = () => { const now = performance.now();"
                            "  window.gap = Math.max(window.gap, now - last); last = now;"
                            "  requestAnimationFrame(frame); }; requestAnimationFrame(frame);",
                            NULL));
    int64_t start_ms = pump_now_ms();
    for (int i = 0; i < ATTACK_FLOOD; i++) {
        char text[32];
        snprintf(text, sizeof text, "flood %d", i);
        assert_true(original_say(bob, text));
    }
    talk_page_hears(alice, "bob", "flood 999");
    print_message("%d messages shown after %d ms, longest gap between two frames %d ms\n",
                  ATTACK_FLOOD, (int)(pump_now_ms() - start_ms),
                  (int)browser_run_integer(alice, "return window.gap;", NULL));
    page_scene_picture(scene, alice, "flooded");
    talk_page_load_all(alice);
    char *transcript = talk_page_transcript(alice), *line = transcript;
    for (int i = 0; i < ATTACK_FLOOD; i++) {
        char expected[32];
        snprintf(expected, sizeof expected, "bob: flood %d\n", i);
        assert_memory_equal(line, expected, strlen(expected));
        line += strlen(expected);
    }
    assert_string_equal(line, "");
    free(transcript);
    talk_page_say(alice, "still here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGE_TEST(messages_are_shown_as_they_were_written),
        PAGE_TEST(names_are_shown_as_they_were_written),
        PAGE_TEST(page_comes_with_a_strict_security_policy),
        PAGE_TEST(policy_stops_what_the_page_itself_would_let_through),
        PAGE_TEST(flood_of_messages_is_shown_whole_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
