/* SPDX-License-Identifier: MIT */
/*
 * browser: one person's browser: a headless chromium with an empty profile, one window, driven
 * through webdriver.h. What cannot be done fails the test and says why. Elements are meant by CSS
 * selectors, the first that fits. Scripts are bodies of functions, as in WebDriver: `return ...`,
 * with `arguments[0]`; the page's content security policy does not bind them.
 */
#ifndef SUPPORT_BROWSER_H
#define SUPPORT_BROWSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "webdriver.h"

#define BROWSER_WAIT_MS   15000 /* see pump_deadline_ms */
#define BROWSER_LOAD_MS   120000
#define BROWSER_SCRIPT_MS 450000 /* less than WEBDRIVER_CALL_MS on a busy machine */

/* Keys as WebDriver names them; in browser_keys SHIFT and CONTROL are held down until its end. */
#define BROWSER_SHIFT     "\xee\x80\x88"
#define BROWSER_CONTROL   "\xee\x80\x89"
#define BROWSER_TAB       "\xee\x80\x84"
#define BROWSER_ENTER     "\xee\x80\x87"
#define BROWSER_ESCAPE    "\xee\x80\x8c"
#define BROWSER_SPACE     " "
#define BROWSER_BACKSPACE "\xee\x80\x83"
#define BROWSER_END       "\xee\x80\x90"
#define BROWSER_HOME      "\xee\x80\x91"
#define BROWSER_UP        "\xee\x80\x93"
#define BROWSER_DOWN      "\xee\x80\x95"

struct browser_options {
    const char *name;     /* in messages and file names */
    int width, height;    /* of the page; 0: 1280 x 800 */
    bool is_phone;        /* touch, a phone's pixels and user agent, no mouse */
    bool is_dark;         /* prefers-color-scheme */
    const char *language; /* "en", "ko", ...; NULL: en */
};

struct browser;

struct browser *browser_open(struct webdriver *driver, const struct browser_options *options);
/** NULL is legal. The driver must still be there. */
void browser_close(struct browser *browser);
/**
 * As close, but the process may be the next person's whose options are the same: starting one costs
 * more than most scenarios. What this person had is gone: windows, storage, cache, permissions.
 */
void browser_rest(struct browser *browser);
/** Close all that rest. */
void browser_end_rested(void);

const char *browser_name(const struct browser *browser);

/** Returns when the page is loaded. A URL that differs in its fragment only loads nothing. */
void browser_goto(struct browser *browser, const char *url);
void browser_reload(struct browser *browser);
/** Another empty window on the same profile, or back to the n-th, in order of opening. */
void browser_open_window(struct browser *browser);
void browser_select_window(struct browser *browser, size_t index);
/** Close this window as a person closes a tab, and go to the n-th of those that are left. */
void browser_close_window(struct browser *browser, size_t index);
/** The window is put away, so that the page knows it is not seen (document.hidden); and back. */
void browser_put_away(struct browser *browser);
void browser_bring_back(struct browser *browser);

/**
 * Run a script and return its result, a new reference.
 *
 * args  a JSON array, taken; NULL: none
 */
json_t *browser_run(struct browser *browser, const char *script, json_t *args);
/** The same for one that calls its last argument with its result. */
json_t *browser_run_async(struct browser *browser, const char *script, json_t *args);
/** For results of one kind only; -1 and false where it is another. */
int64_t browser_run_integer(struct browser *browser, const char *script, json_t *args);
bool browser_run_bool(struct browser *browser, const char *script, json_t *args);
/** Freed by the caller; "" for null and undefined. */
char *browser_run_text(struct browser *browser, const char *script, json_t *args);

/** True as soon as the script returns something true; false when `timeout_ms` (pump_deadline_ms)
 * have passed. A page that is just being loaded counts as not yet. */
bool browser_wait(struct browser *browser, const char *script, json_t *args, int64_t timeout_ms);

/** It stays untrue for that long. */
bool browser_stays(struct browser *browser, const char *script, json_t *args, int64_t for_ms);

/** browser_wait, with a failure that names script, arguments and line. */
#define browser_expect(browser, script, args)                                                      \
    browser_expect_at((browser), (script), (args), __FILE__, __LINE__)
void browser_expect_at(struct browser *browser, const char *script, json_t *args, const char *file,
                       int line);

/** How many elements fit, seen or not; whether the first is visible. */
size_t browser_count(struct browser *browser, const char *css);
bool browser_is_shown(struct browser *browser, const char *css);
/** Its text as it is in the document; freed by the caller. */
char *browser_text(struct browser *browser, const char *css);

/** As a person does it: waits until the element can be used, brings it into view, then acts. */
void browser_click(struct browser *browser, const char *css);
void browser_type(struct browser *browser, const char *css, const char *text);
/** The same for the element that the script returns, null as long as there is none; `args` taken.
 */
void browser_click_found(struct browser *browser, const char *script, json_t *args);
/** Empties a field before. */
void browser_fill(struct browser *browser, const char *css, const char *text);

/** Keys to whatever has the focus. */
void browser_keys(struct browser *browser, const char *keys);

/** A command of Chrome's DevTools; `params` taken. Returns its result, a new reference. */
json_t *browser_cdp(struct browser *browser, const char *command, json_t *params);

/** What is seen, as PNG; false when the browser or the file refuses. */
bool browser_screenshot(struct browser *browser, const char *path);

/**
 * Everything in the console and everything that the browser complained about since it was opened
 * (objects with level, source and message), errors and violations of the security policy included;
 * owned by the browser, valid until the next call.
 */
const json_t *browser_log(struct browser *browser);
/** From now on, complaints with this text in them are expected. Up to 8. */
void browser_allow(struct browser *browser, const char *text);
/** Fails on any complaint (level SEVERE or WARNING) that was not expected. */
void browser_check_log(struct browser *browser);
/** All of it, as far as it can be had. */
void browser_print_log(struct browser *browser, FILE *out);

#endif
