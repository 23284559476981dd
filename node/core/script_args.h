/* SPDX-License-Identifier: MIT */
/* script_args: building the arguments of a script. Values are borrowed until the call is made. */
#ifndef CORE_SCRIPT_ARGS_H
#define CORE_SCRIPT_ARGS_H

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "ports.h"

static inline void script_args_bytes(struct script_args *args, const char *name, struct bytes value)
{
    assert(args->count + 2 <= SCRIPT_ARGS_MAX);
    args->items[args->count++] = bytes_str(name);
    args->items[args->count++] = value;
}

static inline void script_args_str(struct script_args *args, const char *name, const char *value)
{
    script_args_bytes(args, name, bytes_str(value));
}

/* The name as it is shown, and as NAME_key its key, by which the scripts look it up; empty: it is
 * the name of nothing. */
static inline void script_args_name(struct script_args *args, const char *name, struct bytes value)
{
    assert(args->keys_used < sizeof args->keys / sizeof args->keys[0]);
    char *key_name = args->keys[args->keys_used].name;
    struct bytes key = bytes_str("");
    (void)name_key(value, args->keys[args->keys_used].key, &key);
    snprintf(key_name, sizeof args->keys[0].name, "%s_key", name);
    args->keys_used++;
    script_args_bytes(args, name, name_shown(value));
    script_args_bytes(args, key_name, key);
}

static inline void script_args_int(struct script_args *args, const char *name, int64_t value)
{
    assert(args->digits_used < sizeof args->digits / sizeof args->digits[0]);
    char *digits = args->digits[args->digits_used++];
    snprintf(digits, sizeof args->digits[0], "%" PRId64, value);
    script_args_str(args, name, digits);
}

/** `ip` in host order, as "a.b.c.d". */
static inline void script_args_ip(struct script_args *args, const char *name, uint32_t ip)
{
    assert(args->digits_used < sizeof args->digits / sizeof args->digits[0]);
    char *text = args->digits[args->digits_used++];
    snprintf(text, sizeof args->digits[0], "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255,
             ip & 255);
    script_args_str(args, name, text);
}

#endif
