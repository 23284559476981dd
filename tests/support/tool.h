/* SPDX-License-Identifier: MIT */
/* tool: runs of the real hgtpctl (HGTPCTL_PATH) against a node, with all pumped clients going on.
 */
#ifndef SUPPORT_TOOL_H
#define SUPPORT_TOOL_H

#include <jansson.h>

#include "daemon.h"

/** Room for a node's control address. */
#define TOOL_URL_BYTES 256

/** What the last run came to. */
struct tool {
    int code;
    char out[1 << 20]; /* cut */
    char err[8192];
};
extern struct tool tool;

/** The control address of a node of the tests: in its runtime directory. */
void tool_url(const struct daemon *daemon, char ret_url[TOOL_URL_BYTES]);

/** hgtpctl --url URL ARGS (NULL-terminated), until it ends. `url` NULL: without --url. */
void tool_run(const char *url, const char *const *args);

/** The same, and it has to end with that code: TOOL(daemon, 0, "room", "list"). */
#define TOOL(daemon, expected, ...)                                                                \
    tool_expect((daemon), (expected), (const char *const[]){__VA_ARGS__, NULL}, __FILE__, __LINE__)
void tool_expect(const struct daemon *daemon, int expected, const char *const *args,
                 const char *file, int line);

/** What the last run printed, which has to be one JSON value; freed by the caller. */
json_t *tool_json(void);

/** A number of an object, which has to be one. */
int64_t tool_integer(const json_t *object, const char *name);
/** A text of an object, which has to be one. */
const char *tool_text(const json_t *object, const char *name);

#endif
