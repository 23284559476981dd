/* SPDX-License-Identifier: MIT */
/* ctl_fixture: what the tests of operators' scripts share on top of scripts_fixture. */
#ifndef IT_CTL_FIXTURE_H
#define IT_CTL_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "scripts_fixture.h"

/* An operator's call, for real or dry: the request's fields by name. */
#define CTL(script, ...) CALL(script, NULL, "actor", "root@ops", "dry_run", "", __VA_ARGS__)
#define DRY(script, ...) CALL(script, NULL, "actor", "root@ops", "dry_run", "1", __VA_ARGS__)

/* A script of the test's own; what it returns. */
static inline const char *eval(const char *script)
{
    const struct bytes words[] = {bytes_str("EVAL"), bytes_str(script), bytes_str("0")};
    return raw(3, words);
}

/* Tells any two states of Redis from each other. */
static inline void digest(char ret_digest[64])
{
    snprintf(ret_digest, 64, "%s",
             eval("local keys, sum = redis.call('KEYS', '*'), '' table.sort(keys)"
                  " for _, key in ipairs(keys) do"
                  " sum = redis.sha1hex(sum .. key .. redis.call('DUMP', key)) end return sum"));
}

#endif
