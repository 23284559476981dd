/* SPDX-License-Identifier: MIT */
/* node_program: where Node finds a program and what it imports. Running it is process.c's. */
#include "node_program.h"

#include <stdio.h>

#include "process.h"
#include "tests/support/e2e_talk.h"

#define WS_PACKAGE "/usr/share/nodejs/ws"

char *node_program_folder(const char *program)
{
    char *folder = process_folder_make(), from[512], to[512];
    const char *const mkdir_argv[] = {"mkdir", to, NULL};
    const char *const link_argv[] = {"ln", "-s", WS_PACKAGE, to, NULL};
    const char *const copy_argv[] = {"cp", from, folder, NULL};
    const char *const *steps[] = {mkdir_argv, link_argv, copy_argv};
    snprintf(to, sizeof to, "%s/node_modules", folder);
    snprintf(from, sizeof from, TEST_SOURCE_DIR "/%s", program);
    for (size_t i = 0; i < 3; i++) {
        struct process *step = process_start(steps[i], folder);
        assert_int_equal(process_wait_exit(step, 10000), 0);
        process_free(step);
    }
    return folder;
}
