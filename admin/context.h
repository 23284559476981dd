/* SPDX-License-Identifier: MIT */
/*
 * context: clusters that an operator works with, kept under names in $XDG_CONFIG_HOME/hgtp, or
 * ~/.config/hgtp: a file contexts/NAME for each, and the name of the one in use in the file
 * `context`. Written whole or not at all, and readable by their owner only.
 */
#ifndef ADMIN_CONTEXT_H
#define ADMIN_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#define CONTEXT_URLS_MAX  8
#define CONTEXT_NAME_MAX  64
#define CONTEXT_VALUE_MAX 512
#define CONTEXT_ERROR     256

struct context {
    char name[CONTEXT_NAME_MAX + 1];
    char urls[CONTEXT_URLS_MAX][CONTEXT_VALUE_MAX];
    size_t url_count;
    /* "": none */
    char token_file[CONTEXT_VALUE_MAX], ca_file[CONTEXT_VALUE_MAX], tls_name[CONTEXT_VALUE_MAX];
};

/** 1 to 64 letters, digits, '-', '_', '.', not beginning with '.'. */
bool context_name_valid(const char *name);

/** False: `ret_error` (CONTEXT_ERROR bytes) says why not, and names the file. */
bool context_load(const char *name, struct context *ret_context, char *ret_error);
/** Does not replace one that is there. */
bool context_save(const struct context *context, char *ret_error);
/** Takes it out of use as well. */
bool context_remove(const char *name, char *ret_error);
bool context_exists(const char *name);

/** Name of the one in use; "" for none. */
void context_current(char ret_name[CONTEXT_NAME_MAX + 1]);
/** "": none is in use from now on. */
bool context_use(const char *name, char *ret_error);

/** Names in order; returns how many, at most `max` are stored. */
size_t context_names(char (*ret_names)[CONTEXT_NAME_MAX + 1], size_t max);

#endif
