/* SPDX-License-Identifier: MIT */
/*
 * The tests' own browser: that it does what a person does, and above all that it does not overlook
 * what a page does wrong. Nothing of the product is used.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/browser.h"
#include "tests/support/process.h"

#define KIT_TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

struct kit {
    struct webdriver *driver;
    struct browser *browser;
};

static int kit_setup(void **state)
{
    signal(SIGPIPE, SIG_IGN);
    *state = calloc(1, sizeof(struct kit));
    return *state != NULL ? 0 : -1;
}

static int kit_teardown(void **state)
{
    struct kit *kit = *state;
    browser_close(kit->browser);
    webdriver_free(kit->driver);
    free(kit);
    return 0;
}

static void kit_show(struct browser *browser, const char *html)
{
    char url[4096] = "data:text/html;charset=utf-8,";
    size_t len = strlen(url);
    for (; *html != '\0' && len + 4 < sizeof url; html++) {
        len += (size_t)snprintf(url + len, sizeof url - len, "%%%02x", (unsigned char)*html);
    }
    browser_goto(browser, url);
}

static struct browser *kit_open(void **state, const struct browser_options *options)
{
    struct kit *kit = *state;
    if (!webdriver_is_installed()) {
        print_message("chromium and chromium-driver are not installed: nothing is tested here\n");
        skip();
    }
    kit->driver = webdriver_start();
    kit->browser = browser_open(kit->driver, options);
    return kit->browser;
}

static const struct browser_options kit_person = {.name = "person"};

static void browser_types_clicks_and_reads_what_comes_of_it(void **state)
{
    struct browser *browser = kit_open(state, &kit_person);
    kit_show(browser, "<input id=a value=old><button id=b>ok</button><p id=c></p><p id=d hidden>"
                      "<script>b.onclick = () => { c.textContent = a.value; };</script>");
    browser_fill(browser, "#a", "안녕 <b>");
    browser_click(browser, "#b");
    char *text = browser_text(browser, "#c");
    assert_string_equal(text, "안녕 <b>");
    free(text);
    assert_int_equal(browser_count(browser, "p"), 2);
    assert_true(browser_is_shown(browser, "#c"));
    assert_false(browser_is_shown(browser, "#d"));
    browser_check_log(browser);
}

static void keys_go_to_what_has_the_focus(void **state)
{
    struct browser *browser = kit_open(state, &kit_person);
    kit_show(browser, "<form><input id=a><input id=b><button>ok</button></form><p "
                      "id=c></p><script>document.forms[0]"
                      ".onsubmit = e => { c.textContent = 'sent'; e.preventDefault(); };</script>");
    browser_keys(browser, BROWSER_TAB "Abc" BROWSER_TAB "def" BROWSER_SHIFT BROWSER_TAB);
    browser_expect(browser, "return a.value === 'Abc' && b.value === 'def';", NULL);
    browser_expect(browser, "return document.activeElement === a;", NULL);
    browser_keys(browser, BROWSER_ENTER);
    browser_expect(browser, "return c.textContent === arguments[0];", json_pack("[s]", "sent"));
}

static void waiting_ends_when_the_page_says_so_and_at_the_deadline(void **state)
{
    struct browser *browser = kit_open(state, &kit_person);
    kit_show(browser, "<script>setTimeout(() => { window.done = true; }, 300);</script>");
    assert_true(browser_wait(browser, "return window.done;", NULL, 10000));
    assert_true(browser_stays(browser, "return window.never;", NULL, 200));
    json_t *value = browser_run_async(
        browser, "const done = arguments[1]; setTimeout(() => done(arguments[0] + 1), 10);",
        json_pack("[i]", 41));
    assert_int_equal(json_integer_value(value), 42);
    json_decref(value);
}

static bool kit_log_has(struct browser *browser, const char *level, const char *text)
{
    size_t i;
    const json_t *entry;
    json_array_foreach(browser_log(browser), i, entry)
    {
        if (strcmp(json_string_value(json_object_get(entry, "level")), level) == 0 &&
            strstr(json_string_value(json_object_get(entry, "message")), text) != NULL) {
            return true;
        }
    }
    return false;
}

static void what_a_page_does_wrong_is_in_the_log(void **state)
{
    struct browser *browser = kit_open(state, &kit_person);
    kit_show(browser, "<script>console.error('said by the page'); nobody.knows();</script>");
    assert_true(kit_log_has(browser, "SEVERE", "said by the page"));
    assert_true(kit_log_has(browser, "SEVERE", "nobody is not defined"));
    kit_show(browser, "<script>Promise.reject(new Error('left alone'));</script>");
    assert_true(kit_log_has(browser, "SEVERE", "left alone"));
    kit_show(browser, "<meta http-equiv=content-security-policy content=\"script-src 'none'\">"
                      "<script>window.ran = true;</script>");
    assert_true(kit_log_has(browser, "SEVERE", "Content Security Policy"));
    assert_false(browser_run_bool(browser, "return window.ran === true;", NULL));
}

static void what_was_expected_to_go_wrong_is_no_complaint(void **state)
{
    struct browser *browser = kit_open(state, &kit_person);
    browser_allow(browser, "said by the page");
    kit_show(browser, "<script>console.error('said by the page'); console.log('so');</script>");
    browser_check_log(browser);
}

static void phone_has_its_width_its_touch_and_its_language(void **state)
{
    const struct browser_options options = {
        .name = "phone", .width = 360, .height = 640, .is_phone = true, .language = "ko"};
    struct browser *browser = kit_open(state, &options);
    kit_show(browser, "<meta name=viewport content='width=device-width'>");
    assert_int_equal(browser_run_integer(browser, "return innerWidth;", NULL), 360);
    assert_true(browser_run_bool(browser, "return matchMedia('(pointer: coarse)').matches;", NULL));
    char *language = browser_run_text(browser, "return navigator.language;", NULL);
    assert_memory_equal(language, "ko", 2);
    free(language);
}

static void window_has_its_size_and_its_colours(void **state)
{
    static const char *const dark = "return matchMedia('(prefers-color-scheme: dark)').matches;";
    const struct browser_options options = {
        .name = "dark", .width = 900, .height = 700, .is_dark = true};
    struct browser *browser = kit_open(state, &options);
    kit_show(browser, "<p>dark");
    assert_int_equal(browser_run_integer(browser, "return innerWidth;", NULL), 900);
    assert_int_equal(browser_run_integer(browser, "return innerHeight;", NULL), 700);
    assert_true(browser_run_bool(browser, dark, NULL));
    char *language = browser_run_text(browser, "return navigator.language;", NULL);
    assert_memory_equal(language, "en", 2);
    free(language);
}

static void windows_of_one_browser_are_told_apart(void **state)
{
    struct browser *browser = kit_open(state, &kit_person);
    kit_show(browser, "<p id=first>");
    browser_open_window(browser);
    assert_int_equal(browser_count(browser, "#first"), 0);
    browser_select_window(browser, 0);
    assert_int_equal(browser_count(browser, "#first"), 1);
}

static void window_that_is_put_away_knows_that_it_is_not_seen(void **state)
{
    struct browser *browser = kit_open(state, &kit_person);
    kit_show(browser, "<p>seen");
    assert_false(browser_run_bool(browser, "return document.hidden;", NULL));
    browser_put_away(browser);
    browser_bring_back(browser);
    assert_int_equal(browser_run_integer(browser, "return innerWidth;", NULL), 1280);
}

static void screenshot_is_a_picture_of_the_page(void **state)
{
    struct browser *browser = kit_open(state, &kit_person);
    char path[256], head[25] = "";
    kit_show(browser, "<p>seen");
    snprintf(path, sizeof path, "%s/page.png", webdriver_folder(((struct kit *)*state)->driver));
    assert_true(browser_screenshot(browser, path));
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fread(head, 1, sizeof head - 1, file), sizeof head - 1);
    fclose(file);
    assert_memory_equal(head, "\x89PNG\r\n\x1a\n", 8);
    assert_memory_equal(head + 16, "\0\0\5\0\0\0\3\x20", 8); /* 1280 x 800 */
}

static size_t kit_read_all(int fd, char *text, size_t cap)
{
    size_t len = 0;
    for (ssize_t part; len < cap && (part = read(fd, text + len, cap - len)) > 0;) {
        len += (size_t)part;
    }
    return len;
}

/* A test that dies with a browser open, as by a failed assertion in a library or by SIGKILL. */
static void kit_die_with_a_browser(void **state, int out)
{
    (void)kit_open(state, &kit_person);
    struct kit *kit = *state;
    dprintf(out, "%s", webdriver_folder(kit->driver));
    close(out);
    raise(SIGKILL);
}

static void browsers_and_their_files_go_with_a_test_that_dies(void **state)
{
    int pipe_fds[2];
    char folder[256] = "";
    if (!webdriver_is_installed()) {
        skip();
    }
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        kit_die_with_a_browser(state, pipe_fds[1]);
    }
    close(pipe_fds[1]);
    /* The pipe is inherited by all that the dead one started: it ends with the last of them. */
    (void)kit_read_all(pipe_fds[0], folder, sizeof folder - 1);
    close(pipe_fds[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_memory_equal(folder, "/tmp/", 5);
    assert_int_not_equal(access(folder, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KIT_TEST(browser_types_clicks_and_reads_what_comes_of_it),
        KIT_TEST(keys_go_to_what_has_the_focus),
        KIT_TEST(waiting_ends_when_the_page_says_so_and_at_the_deadline),
        KIT_TEST(what_a_page_does_wrong_is_in_the_log),
        KIT_TEST(what_was_expected_to_go_wrong_is_no_complaint),
        KIT_TEST(phone_has_its_width_its_touch_and_its_language),
        KIT_TEST(window_has_its_size_and_its_colours),
        KIT_TEST(windows_of_one_browser_are_told_apart),
        KIT_TEST(window_that_is_put_away_knows_that_it_is_not_seen),
        KIT_TEST(screenshot_is_a_picture_of_the_page),
        KIT_TEST(browsers_and_their_files_go_with_a_test_that_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
