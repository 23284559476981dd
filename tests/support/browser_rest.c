/* SPDX-License-Identifier: MIT */
/*
 * browser_rest: browsers between two scenarios. The process goes on; what a person had in it does
 * not. Whatever a scenario sets by DevTools holds for its windows, which are closed.
 */
#include <stdlib.h>
#include <string.h>

#include "browser_parts.h"

static struct browser *browser_rested;

static bool browser_may(struct browser *browser, const char *method, const char *path, json_t *body)
{
    json_t *value = browser_call(browser, method, path, body);
    bool is_done = value != NULL && !webdriver_is_error(value);
    json_decref(value);
    return is_done;
}

static bool browser_select(struct browser *browser, const char *handle)
{
    return handle != NULL &&
           browser_may(browser, "POST", "/window", json_pack("{s:s}", "handle", handle));
}

/* One new window instead of those that are there. */
static bool browser_renew_windows(struct browser *browser)
{
    size_t i;
    const json_t *old;
    json_t *handles = browser_call(browser, "GET", "/window/handles", NULL);
    json_t *window =
        browser_call(browser, "POST", "/window/new", json_pack("{s:s}", "type", "window"));
    const char *fresh = json_string_value(json_object_get(window, "handle"));
    bool is_done = fresh != NULL;
    json_array_foreach(handles, i, old)
    {
        is_done = is_done && browser_select(browser, json_string_value(old)) &&
                  browser_may(browser, "DELETE", "/window", NULL);
    }
    is_done = is_done && browser_select(browser, fresh);
    json_decref(window);
    json_decref(handles);
    return is_done;
}

static bool browser_tells(struct browser *browser, const char *command, json_t *params)
{
    return browser_may(browser, "POST", "/goog/cdp/execute",
                       json_pack("{s:s, s:o}", "cmd", command, "params", params));
}

static bool browser_forget(struct browser *browser)
{
    return browser_renew_windows(browser) &&
           browser_tells(browser, "Storage.clearDataForOrigin",
                         json_pack("{s:s, s:s}", "origin", "*", "storageTypes", "all")) &&
           browser_tells(browser, "Network.clearBrowserCookies", json_object()) &&
           browser_tells(browser, "Network.clearBrowserCache", json_object()) &&
           browser_tells(browser, "Browser.resetPermissions", json_object()) &&
           browser_may(browser, "POST", "/se/log", json_pack("{s:s}", "type", "browser"));
}

void browser_rest(struct browser *browser)
{
    /* A phone is emulated for the window that it was started with. */
    bool is_phone = json_object_get(browser->started_with, "mobileEmulation") != NULL;
    if (is_phone || !browser_forget(browser)) {
        browser_close(browser);
        return;
    }
    browser->next_rested = browser_rested;
    browser_rested = browser;
}

bool browser_take_rested(struct browser *browser)
{
    for (struct browser **at = &browser_rested; *at != NULL; at = &(*at)->next_rested) {
        struct browser *rested = *at;
        if (rested->driver == browser->driver &&
            json_equal(rested->started_with, browser->started_with)) {
            *at = rested->next_rested;
            memcpy(browser->session, rested->session, sizeof browser->session);
            json_decref(rested->log);
            json_decref(rested->started_with);
            free(rested);
            return true;
        }
    }
    return false;
}

void browser_end_rested(void)
{
    while (browser_rested != NULL) {
        struct browser *next = browser_rested->next_rested;
        browser_close(browser_rested);
        browser_rested = next;
    }
}
