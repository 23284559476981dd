/* SPDX-License-Identifier: MIT */
/* scripts_fixture: what the tests of the scripts share: a real Redis and calls of scripts in it. */
#ifndef IT_SCRIPTS_FIXTURE_H
#define IT_SCRIPTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/core/ports.h"

/* What the last call came to. Effects are kept as text: "name field field\n" for each. */
struct scripts_last {
    bool is_over;
    int code;
    char extra[16384];
    char effects[1 << 19];
};
extern struct scripts_last last;

int scripts_set_up(void **state);
int scripts_tear_down(void **state);

/* Runs a script with the usual arguments, then name, value pairs that win; returns the code. The
 * asking node is n1@1. */
int call(enum script script, const char *uid, ...);
#define CALL(script, ...) call(SCRIPT_##script, __VA_ARGS__, NULL)

bool has_effect(const char *text);

/* Plain commands; the second one's words are divided by blanks. The answer is valid until the next.
 */
const char *raw(size_t count, const struct bytes *words);
const char *command(const char *text);

/* Redis emptied, and the store over it. */
void empty_realm(void);

/* The world: alice manages "hall" with bob in it, carol is free, dave is invited, erin is to leave.
 */
void registered(const char *uid, const char *name);
/* By the original's digest and with a push port, as the original client. */
void registered_original(const char *uid, const char *name);
void world(void);
const char *state_of(const char *uid);

#endif
