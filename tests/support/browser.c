/* SPDX-License-Identifier: MIT */
/*
 * browser: sessions of WebDriver, one per person, and what a person does in one: go, look, click,
 * type. Waiting is done by asking the page again; what the page is, this file does not know.
 */
#include "browser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "browser_parts.h"
#include "pump.h"

/* Between two looks at the page: an eighth of the time waited so far. Each look costs the browser.
 */
#define BROWSER_LOOK_LEAST_MS 20
#define BROWSER_LOOK_MOST_MS  200

static const char *const browser_arguments[] = {
    "--headless=new",          "--no-sandbox",
    "--disable-gpu",           "--disable-quic",
    "--no-first-run",          "--disable-background-networking",
    "--disable-sync",          "--disable-component-update",
    "--disable-breakpad",      "--disable-dev-shm-usage",
    "--remote-debugging-pipe", /* so that it ends with its driver */
};

json_t *browser_call(struct browser *browser, const char *method, const char *path, json_t *body)
{
    char full[256];
    snprintf(full, sizeof full, "/session/%s%s", browser->session, path);
    return webdriver_call(browser->driver, method, full, body);
}

/* The driver's messages go on with a stack. */
static void browser_fail(const struct browser *browser, const char *path, const json_t *value)
{
    const char *message = json_string_value(json_object_get(value, "message"));
    if (message == NULL) {
        message = "no answer from chromedriver";
    }
    fail_msg("%s: %s: %.*s", browser->name, path, (int)strcspn(message, "\n"), message);
}

json_t *browser_command(struct browser *browser, const char *method, const char *path, json_t *body)
{
    json_t *value = browser_call(browser, method, path, body);
    if (value == NULL || webdriver_is_error(value)) {
        browser_fail(browser, path, value);
    }
    return value;
}

static void browser_do(struct browser *browser, const char *path, json_t *body)
{
    json_decref(browser_command(browser, "POST", path, body));
}

/* Life ----------------------------------------------------------------------------------------- */

static json_t *browser_phone(const struct browser *browser)
{
    return json_pack(
        "{s:{s:i, s:i, s:f, s:b, s:b}, s:s}", "deviceMetrics", "width", browser->width, "height",
        browser->height, "pixelRatio", 2.0, "touch", 1, "mobile", 1, "userAgent",
        "Mozilla/5.0 (Linux; Android 14; Phone) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/120.0.0.0 Mobile Safari/537.36");
}

static void browser_add_argument(json_t *chrome, const char *format, const char *value)
{
    json_array_append_new(json_object_get(chrome, "args"), json_sprintf(format, value));
}

/* What it is started with, but for its profile. */
static json_t *browser_chrome_options(const struct browser *browser,
                                      const struct browser_options *options)
{
    const char *language = options->language != NULL ? options->language : "en";
    json_t *chrome =
        json_pack("{s:[], s:{s:s}}", "args", "prefs", "intl.accept_languages", language);
    for (size_t i = 0; i < sizeof browser_arguments / sizeof browser_arguments[0]; i++) {
        browser_add_argument(chrome, "%s", browser_arguments[i]);
    }
    browser_add_argument(chrome, "--lang=%s", language);
    browser_add_argument(chrome, "--accept-lang=%s", language);
    if (options->is_phone) {
        json_object_set_new(chrome, "mobileEmulation", browser_phone(browser));
    }
    return chrome;
}

static json_t *browser_capabilities(const struct browser *browser)
{
    char profile[256];
    snprintf(profile, sizeof profile, "%s/%s-%u", webdriver_folder(browser->driver), browser->name,
             browser->number);
    json_t *chrome = json_deep_copy(browser->started_with);
    browser_add_argument(chrome, "--user-data-dir=%s", profile);
    return json_pack("{s:{s:{s:s, s:s, s:{s:i, s:i, s:i}, s:{s:s}, s:o}}}", "capabilities",
                     "alwaysMatch", "browserName", "chrome", "unhandledPromptBehavior",
                     "dismiss and notify", "timeouts", "script", BROWSER_SCRIPT_MS, "pageLoad",
                     BROWSER_LOAD_MS, "implicit", 0, "goog:loggingPrefs", "browser", "ALL",
                     "goog:chromeOptions", chrome);
}

/* The window's frame takes some of what was asked for. */
static void browser_fit_window(struct browser *browser)
{
    int64_t wide = browser_run_integer(browser, "return outerWidth - innerWidth;", NULL);
    int64_t high = browser_run_integer(browser, "return outerHeight - innerHeight;", NULL);
    browser_do(browser, "/window/rect",
               json_pack("{s:I, s:I}", "width", (json_int_t)(browser->width + wide), "height",
                         (json_int_t)(browser->height + high)));
}

static void browser_start(struct browser *browser)
{
    static unsigned started;
    browser->number = started++;
    json_t *value =
        webdriver_call(browser->driver, "POST", "/session", browser_capabilities(browser));
    const char *session = json_string_value(json_object_get(value, "sessionId"));
    if (session == NULL) {
        browser_fail(browser, "new session", value);
        return;
    }
    snprintf(browser->session, sizeof browser->session, "%s", session);
    json_decref(value);
}

struct browser *browser_open(struct webdriver *driver, const struct browser_options *options)
{
    struct browser *browser = calloc(1, sizeof *browser);
    assert_non_null(browser);
    browser->driver = driver;
    browser->width = options->width != 0 ? options->width : 1280;
    browser->height = options->height != 0 ? options->height : 800;
    browser->log = json_array();
    snprintf(browser->name, sizeof browser->name, "%s", options->name);
    browser->started_with = browser_chrome_options(browser, options);
    if (!browser_take_rested(browser)) {
        browser_start(browser);
    }
    if (!options->is_phone) {
        browser_fit_window(browser);
    }
    if (options->is_dark) {
        json_decref(browser_cdp(browser, "Emulation.setEmulatedMedia",
                                json_pack("{s:[{s:s, s:s}]}", "features", "name",
                                          "prefers-color-scheme", "value", "dark")));
    }
    return browser;
}

void browser_close(struct browser *browser)
{
    if (browser == NULL) {
        return;
    }
    json_decref(browser_call(browser, "DELETE", "", NULL));
    json_decref(browser->log);
    json_decref(browser->started_with);
    free(browser);
}

const char *browser_name(const struct browser *browser)
{
    return browser->name;
}

/* Pages ---------------------------------------------------------------------------------------- */

void browser_goto(struct browser *browser, const char *url)
{
    browser_do(browser, "/url", json_pack("{s:s}", "url", url));
}

void browser_reload(struct browser *browser)
{
    browser_do(browser, "/refresh", NULL);
}

void browser_select_window(struct browser *browser, size_t index)
{
    json_t *handles = browser_command(browser, "GET", "/window/handles", NULL);
    const char *handle = json_string_value(json_array_get(handles, index));
    assert_non_null(handle);
    browser_do(browser, "/window", json_pack("{s:s}", "handle", handle));
    json_decref(handles);
}

void browser_open_window(struct browser *browser)
{
    json_t *window =
        browser_command(browser, "POST", "/window/new", json_pack("{s:s}", "type", "tab"));
    const char *handle = json_string_value(json_object_get(window, "handle"));
    assert_non_null(handle);
    browser_do(browser, "/window", json_pack("{s:s}", "handle", handle));
    json_decref(window);
}

void browser_close_window(struct browser *browser, size_t index)
{
    json_decref(browser_command(browser, "DELETE", "/window", NULL));
    browser_select_window(browser, index);
}

void browser_put_away(struct browser *browser)
{
    browser_do(browser, "/window/minimize", NULL);
    browser_expect(browser, "return document.hidden;", NULL);
}

void browser_bring_back(struct browser *browser)
{
    browser_do(browser, "/window/rect", json_pack("{s:i, s:i}", "x", 0, "y", 0));
    browser_expect(browser, "return !document.hidden;", NULL);
}

/* Scripts -------------------------------------------------------------------------------------- */

static json_t *browser_script(const char *script, json_t *args)
{
    return json_pack("{s:s, s:o}", "script", script, "args", args != NULL ? args : json_array());
}

json_t *browser_run(struct browser *browser, const char *script, json_t *args)
{
    return browser_command(browser, "POST", "/execute/sync", browser_script(script, args));
}

json_t *browser_run_async(struct browser *browser, const char *script, json_t *args)
{
    return browser_command(browser, "POST", "/execute/async", browser_script(script, args));
}

int64_t browser_run_integer(struct browser *browser, const char *script, json_t *args)
{
    json_t *value = browser_run(browser, script, args);
    int64_t integer = json_is_number(value) ? (int64_t)json_number_value(value) : -1;
    json_decref(value);
    return integer;
}

bool browser_run_bool(struct browser *browser, const char *script, json_t *args)
{
    json_t *value = browser_run(browser, script, args);
    bool is_true = json_is_true(value);
    json_decref(value);
    return is_true;
}

char *browser_run_text(struct browser *browser, const char *script, json_t *args)
{
    json_t *value = browser_run(browser, script, args);
    char *text = json_is_string(value)
                     ? strndup(json_string_value(value), json_string_length(value))
                     : strdup("");
    json_decref(value);
    assert_non_null(text);
    return text;
}

/* Waiting -------------------------------------------------------------------------------------- */

void browser_look_pause(int64_t since_ms)
{
    int64_t pause_ms = (pump_now_ms() - since_ms) / 8;
    pause_ms = pause_ms < BROWSER_LOOK_LEAST_MS ? BROWSER_LOOK_LEAST_MS : pause_ms;
    pause_ms = pause_ms > BROWSER_LOOK_MOST_MS ? BROWSER_LOOK_MOST_MS : pause_ms;
    pump_pause(pause_ms);
}

static bool browser_is_truthy(const json_t *value)
{
    return value != NULL && !webdriver_is_error(value) && !json_is_false(value) &&
           !json_is_null(value) && !(json_is_integer(value) && json_integer_value(value) == 0) &&
           !(json_is_string(value) && json_string_length(value) == 0);
}

/* A wrong script would otherwise look like a condition that never comes. */
static void browser_check_script(const struct browser *browser, const json_t *value)
{
    const char *message = json_string_value(json_object_get(value, "message"));
    if (webdriver_is_error(value) && strstr(message, "SyntaxError") != NULL) {
        browser_fail(browser, "script", value);
    }
}

/* What it returned at last, a new reference; `args` taken. */
static json_t *browser_look_until(struct browser *browser, const char *script, json_t *args,
                                  int64_t deadline_ms)
{
    int64_t begin_ms = pump_now_ms();
    json_t *value = NULL;
    for (;;) {
        value = browser_call(browser, "POST", "/execute/sync",
                             browser_script(script, json_incref(args)));
        browser_check_script(browser, value);
        if (browser_is_truthy(value) || pump_now_ms() >= deadline_ms) {
            break;
        }
        json_decref(value);
        browser_look_pause(begin_ms);
    }
    json_decref(args);
    return value;
}

json_t *browser_wait_value(struct browser *browser, const char *script, json_t *args)
{
    json_t *value = browser_look_until(browser, script, args, pump_deadline_ms(BROWSER_WAIT_MS));
    if (!browser_is_truthy(value)) {
        json_decref(value);
        return NULL;
    }
    return value;
}

static bool browser_wait_until(struct browser *browser, const char *script, json_t *args,
                               int64_t deadline_ms)
{
    json_t *value = browser_look_until(browser, script, args, deadline_ms);
    bool is_true = browser_is_truthy(value);
    json_decref(value);
    return is_true;
}

bool browser_wait(struct browser *browser, const char *script, json_t *args, int64_t timeout_ms)
{
    return browser_wait_until(browser, script, args, pump_deadline_ms(timeout_ms));
}

bool browser_stays(struct browser *browser, const char *script, json_t *args, int64_t for_ms)
{
    return !browser_wait_until(browser, script, args, pump_now_ms() + for_ms);
}

void browser_expect_at(struct browser *browser, const char *script, json_t *args, const char *file,
                       int line)
{
    char *shown = args != NULL ? json_dumps(args, JSON_COMPACT) : strdup("");
    if (!browser_wait(browser, script, args, BROWSER_WAIT_MS)) {
        print_error("%s: never true: %s %s\n", browser->name, script, shown);
        _fail(file, line);
    }
    free(shown);
}

json_t *browser_cdp(struct browser *browser, const char *command, json_t *params)
{
    return browser_command(
        browser, "POST", "/goog/cdp/execute",
        json_pack("{s:s, s:o}", "cmd", command, "params", params != NULL ? params : json_object()));
}
