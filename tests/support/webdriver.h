/* SPDX-License-Identifier: MIT */
/*
 * webdriver: a real chromedriver (W3C WebDriver, JSON over HTTP) on a free loopback port. It and
 * all browsers that it starts end with the test, however that ends, and leave no file behind.
 */
#ifndef SUPPORT_WEBDRIVER_H
#define SUPPORT_WEBDRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#define WEBDRIVER_CALL_MS 60000

struct webdriver;

/** Whether chromium and chromedriver are there; without them nothing here can be run. */
bool webdriver_is_installed(void);

/** Started and listening; the test fails when it cannot be. Freed by the caller. */
struct webdriver *webdriver_start(void);
/** NULL is legal. */
void webdriver_free(struct webdriver *driver);

/** Where browsers may keep their files; removed with the driver. */
const char *webdriver_folder(const struct webdriver *driver);

/**
 * One command.
 *
 * method   "GET", "POST" or "DELETE"
 * path     begins with a slash
 * body     taken; NULL: an empty object for POST
 * returns  the answer's "value", a new reference; when the driver refuses the command it is an
 *          object with "error" and "message" (webdriver_is_error). NULL: no answer in
 *          WEBDRIVER_CALL_MS
 */
json_t *webdriver_call(struct webdriver *driver, const char *method, const char *path,
                       json_t *body);

bool webdriver_is_error(const json_t *value);

#endif
