/* SPDX-License-Identifier: MIT */
/*
 * browser_act: elements, mouse and keys, pictures, and the browser's complaints: the part of
 * browser.h that a person would recognise.
 */
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "browser_parts.h"
#include "pump.h"

/* Name of the member that holds an element's id, by W3C WebDriver. */
#define BROWSER_ELEMENT "element-6066-11e4-a52e-4f735466cecf"

/* Elements ------------------------------------------------------------------------------------- */

size_t browser_count(struct browser *browser, const char *css)
{
    return (size_t)browser_run_integer(
        browser, "return document.querySelectorAll(arguments[0]).length;", json_pack("[s]", css));
}

#define BROWSER_SHOWN                                                                              \
    "const e = document.querySelector(arguments[0]);"                                              \
    "return e?.checkVisibility({visibilityProperty: true}) ? e : null;"

bool browser_is_shown(struct browser *browser, const char *css)
{
    json_t *element = browser_run(browser, BROWSER_SHOWN, json_pack("[s]", css));
    bool is_shown = json_is_object(element);
    json_decref(element);
    return is_shown;
}

char *browser_text(struct browser *browser, const char *css)
{
    return browser_run_text(browser,
                            "const e = document.querySelector(arguments[0]);"
                            "return e ? e.textContent : null;",
                            json_pack("[s]", css));
}

/* One act on the element that the script finds; `args` and `body` taken. It may be covered, or be
 * replaced between being found and being used: then a person tries again, and so does this. */
static void browser_act_found(struct browser *browser, const char *script, json_t *args,
                              const char *act, json_t *body)
{
    int64_t begin_ms = pump_now_ms(), deadline_ms = pump_deadline_ms(BROWSER_WAIT_MS);
    for (;;) {
        char path[256];
        json_t *element = browser_wait_value(browser, script, json_incref(args));
        if (element == NULL) {
            char *sought = json_dumps(args, JSON_COMPACT);
            fail_msg("%s: cannot be seen: %s", browser->name, sought);
            free(sought);
            return;
        }
        snprintf(path, sizeof path, "/session/%s/element/%s/%s", browser->session,
                 json_string_value(json_object_get(element, BROWSER_ELEMENT)), act);
        json_decref(element);
        json_t *value = webdriver_call(browser->driver, "POST", path, json_incref(body));
        bool is_done = value != NULL && !webdriver_is_error(value);
        if (!is_done && pump_now_ms() >= deadline_ms) {
            const char *message = json_string_value(json_object_get(value, "message"));
            char *sought = json_dumps(args, JSON_COMPACT);
            fail_msg("%s: %s of %s: %s", browser->name, act, sought,
                     message != NULL ? message : "?");
            free(sought);
        }
        json_decref(value);
        if (is_done) {
            break;
        }
        browser_look_pause(begin_ms);
    }
    json_decref(args);
    json_decref(body);
}

static void browser_act(struct browser *browser, const char *css, const char *act, json_t *body)
{
    browser_act_found(browser, BROWSER_SHOWN, json_pack("[s]", css), act, body);
}

void browser_click_found(struct browser *browser, const char *script, json_t *args)
{
    browser_act_found(browser, script, args, "click", json_object());
}

void browser_click(struct browser *browser, const char *css)
{
    browser_act(browser, css, "click", json_object());
}

void browser_type(struct browser *browser, const char *css, const char *text)
{
    browser_act(browser, css, "value", json_pack("{s:s}", "text", text));
}

void browser_fill(struct browser *browser, const char *css, const char *text)
{
    browser_act(browser, css, "clear", json_object());
    browser_type(browser, css, text);
}

/* Keys ----------------------------------------------------------------------------------------- */

static void browser_add_key(json_t *actions, const char *type, const char *key, size_t len)
{
    json_array_append_new(actions, json_pack("{s:s, s:s%}", "type", type, "value", key, len));
}

static size_t browser_key_bytes(const char *key)
{
    size_t len = 1;
    while (((unsigned char)key[len] & 0xc0) == 0x80) {
        len++;
    }
    return len;
}

void browser_keys(struct browser *browser, const char *keys)
{
    const char *held[4];
    size_t held_count = 0;
    json_t *actions = json_array();
    for (size_t len; *keys != '\0'; keys += len) {
        len = browser_key_bytes(keys);
        browser_add_key(actions, "keyDown", keys, len);
        bool is_held =
            strncmp(keys, BROWSER_SHIFT, len) == 0 || strncmp(keys, BROWSER_CONTROL, len) == 0;
        if (is_held && held_count < 4) {
            held[held_count++] = keys;
        } else {
            browser_add_key(actions, "keyUp", keys, len);
        }
    }
    while (held_count > 0) {
        held_count--;
        browser_add_key(actions, "keyUp", held[held_count], browser_key_bytes(held[held_count]));
    }
    json_decref(browser_command(browser, "POST", "/actions",
                                json_pack("{s:[{s:s, s:s, s:o}]}", "actions", "type", "key", "id",
                                          "keyboard", "actions", actions)));
}

/* Pictures ------------------------------------------------------------------------------------- */

static bool browser_write_png(const char *base64, size_t len, const char *path)
{
    unsigned char *png = malloc(len);
    assert_non_null(png);
    int png_len = EVP_DecodeBlock(png, (const unsigned char *)base64, (int)len);
    /* It counts the padding as bytes. */
    while (png_len > 0 && base64[--len] == '=') {
        png_len--;
    }
    FILE *file = png_len > 0 ? fopen(path, "we") : NULL;
    bool is_written = file != NULL && fwrite(png, 1, (size_t)png_len, file) == (size_t)png_len;
    free(png);
    return file != NULL && fclose(file) == 0 && is_written;
}

bool browser_screenshot(struct browser *browser, const char *path)
{
    json_t *value = browser_call(browser, "GET", "/screenshot", NULL);
    bool is_written = json_is_string(value) &&
                      browser_write_png(json_string_value(value), json_string_length(value), path);
    json_decref(value);
    return is_written;
}

/* Complaints ----------------------------------------------------------------------------------- */

const json_t *browser_log(struct browser *browser)
{
    json_t *entries =
        browser_command(browser, "POST", "/se/log", json_pack("{s:s}", "type", "browser"));
    json_array_extend(browser->log, entries);
    json_decref(entries);
    return browser->log;
}

void browser_print_log(struct browser *browser, FILE *out)
{
    size_t i;
    const json_t *entry;
    json_t *entries =
        browser_call(browser, "POST", "/se/log", json_pack("{s:s}", "type", "browser"));
    if (json_is_array(entries)) {
        json_array_extend(browser->log, entries);
    }
    json_decref(entries);
    fprintf(out, "--- console of %s\n", browser->name);
    json_array_foreach(browser->log, i, entry)
    {
        fprintf(out, "%s %s\n", json_string_value(json_object_get(entry, "level")),
                json_string_value(json_object_get(entry, "message")));
    }
}

void browser_allow(struct browser *browser, const char *text)
{
    assert_true(browser->allowed_count < BROWSER_ALLOWED_MAX);
    browser->allowed[browser->allowed_count++] = text;
}

static bool browser_is_complaint(const struct browser *browser, const json_t *entry)
{
    const char *level = json_string_value(json_object_get(entry, "level"));
    const char *message = json_string_value(json_object_get(entry, "message"));
    if (level == NULL || message == NULL ||
        (strcmp(level, "SEVERE") != 0 && strcmp(level, "WARNING") != 0)) {
        return false;
    }
    for (size_t i = 0; i < browser->allowed_count; i++) {
        if (strstr(message, browser->allowed[i]) != NULL) {
            return false;
        }
    }
    return true;
}

void browser_check_log(struct browser *browser)
{
    size_t i;
    const json_t *entry;
    bool has_complaint = false;
    json_array_foreach(browser_log(browser), i, entry)
    {
        if (browser_is_complaint(browser, entry)) {
            print_error("%s complains: %s\n", browser->name,
                        json_string_value(json_object_get(entry, "message")));
            has_complaint = true;
        }
    }
    assert_false(has_complaint);
}
