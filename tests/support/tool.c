/* SPDX-License-Identifier: MIT */
/* tool: starts hgtpctl, waits for its end, keeps what it said. What that has to be the tests say.
 */
#include "tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TOOL_WAIT_MS  30000
#define TOOL_ARGS_MAX 32

struct tool tool;

void tool_url(const struct daemon *daemon, char ret_url[TOOL_URL_BYTES])
{
    snprintf(ret_url, TOOL_URL_BYTES, "ipc://%s/hgtp/control.sock", daemon->folder);
}

void tool_run(const char *url, const char *const *args)
{
    const char *argv[TOOL_ARGS_MAX] = {HGTPCTL_PATH};
    size_t count = 1;
    if (url != NULL) {
        argv[count++] = "--url";
        argv[count++] = url;
    }
    for (; *args != NULL && count + 1 < TOOL_ARGS_MAX; args++) {
        argv[count++] = *args;
    }
    argv[count] = NULL;
    char *folder = process_folder_make();
    struct process *process = process_start(argv, folder);
    tool.code = process_wait_exit(process, TOOL_WAIT_MS);
    snprintf(tool.out, sizeof tool.out, "%s", process_stdout(process));
    snprintf(tool.err, sizeof tool.err, "%s", process_stderr(process));
    process_free(process);
    process_folder_remove(folder);
    free(folder);
}

void tool_expect(const struct daemon *daemon, int expected, const char *const *args,
                 const char *file, int line)
{
    char url[TOOL_URL_BYTES];
    tool_url(daemon, url);
    tool_run(url, args);
    if (tool.code != expected) {
        fprintf(stderr, "hgtpctl ended with %d instead of %d\n%s--- its stderr\n%s---\n", tool.code,
                expected, tool.out, tool.err);
        _fail(file, line);
    }
}

json_t *tool_json(void)
{
    json_error_t error;
    json_t *root = json_loads(tool.out, 0, &error);
    if (root == NULL) {
        fail_msg("no JSON (%s): %s", error.text, tool.out);
    }
    return root;
}

int64_t tool_integer(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value)) {
        fail_msg("%s is no whole number", name);
    }
    return json_integer_value(value);
}

const char *tool_text(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value)) {
        fail_msg("%s is no text", name);
    }
    return json_string_value(value);
}
