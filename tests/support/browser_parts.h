/* SPDX-License-Identifier: MIT */
/* What browser.c and browser_act.c share. */
#ifndef SUPPORT_BROWSER_PARTS_H
#define SUPPORT_BROWSER_PARTS_H

#include "browser.h"

#define BROWSER_ALLOWED_MAX 8

struct browser {
    struct webdriver *driver;
    char session[80];
    char name[32];
    unsigned number; /* no two browsers of a process have the same profile */
    int width, height;
    json_t *started_with; /* two with the same may stand in for each other */
    json_t *log;
    const char *allowed[BROWSER_ALLOWED_MAX];
    size_t allowed_count;
    struct browser *next_rested;
};

/** A command that may fail; `path` is within the session, `body` taken. See webdriver_call. */
json_t *browser_call(struct browser *browser, const char *method, const char *path, json_t *body);
/** A command that must not fail; as above. */
json_t *browser_command(struct browser *browser, const char *method, const char *path,
                        json_t *body);

/** Between two looks at a page that is waited for since then; everything else of the test goes on.
 */
void browser_look_pause(int64_t since_ms);

/** What the script returns as soon as that is true, a new reference; NULL: never. `args` taken. */
json_t *browser_wait_value(struct browser *browser, const char *script, json_t *args);

/** Take the place of one that rests and was started with the same; false: there is none. */
bool browser_take_rested(struct browser *browser);

#endif
