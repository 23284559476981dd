/* SPDX-License-Identifier: MIT */
/* control_tokens: who may ask for what: the tokens of control.token_file and their roles. */
#ifndef CONTROL_CONTROL_TOKENS_H
#define CONTROL_CONTROL_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

/** Each may what those before it may. */
enum control_role {
    CONTROL_ROLE_NONE,
    CONTROL_ROLE_VIEW,
    CONTROL_ROLE_OPERATE,
    CONTROL_ROLE_ADMINISTER
};
const char *control_role_name(enum control_role role);

#define CONTROL_TOKENS_MAX     64
#define CONTROL_TOKEN_MAX      256
#define CONTROL_TOKEN_MIN      16
#define CONTROL_TOKEN_NAME_MAX 64
#define CONTROL_TOKENS_ERROR   512

struct control_tokens {
    size_t count;
    struct control_token {
        enum control_role role;
        char token[CONTROL_TOKEN_MAX];
        char name[CONTROL_TOKEN_NAME_MAX]; /* whose it is, for the record; may be empty */
    } tokens[CONTROL_TOKENS_MAX];
};

/**
 * Read lines `role token [name]`, roles view, operate, administer; empty lines and those that begin
 * with # count for nothing. The file must be private (secret_file.h).
 *
 * ret_error  CONTROL_TOKENS_ERROR; names file and line
 * returns    false: `ret_tokens` is untouched
 */
bool control_tokens_load(const char *path, struct control_tokens *ret_tokens, char *ret_error);

/** NULL: nobody's. Compared in constant time. */
const struct control_token *control_tokens_find(const struct control_tokens *tokens,
                                                const char *token);

#endif
