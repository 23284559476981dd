/* SPDX-License-Identifier: MIT */
/* control_tokens: reading and comparing operators' tokens. What a role may do is in
 * control_method.def. */
#include "control_tokens.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/secret_file.h"
#include "proto/digest.h"
#include "proto/utf8.h"

static const char *const control_role_names[] = {"none", "view", "operate", "administer"};

const char *control_role_name(enum control_role role)
{
    return control_role_names[role];
}

/* What is wrong with a line; NULL: nothing. */
static const char *control_tokens_add(struct control_tokens *tokens, const char *line)
{
    char role[16] = "", token[CONTROL_TOKEN_MAX] = "", name[CONTROL_TOKEN_NAME_MAX] = "";
    int found = sscanf(line, "%15s %255s %63s", role, token, name);
    if (found <= 0 || role[0] == '#') {
        return NULL;
    }
    if (tokens->count == CONTROL_TOKENS_MAX) {
        return "there are more than 64 tokens";
    }
    struct control_token *added = &tokens->tokens[tokens->count];
    for (int i = CONTROL_ROLE_VIEW; i <= CONTROL_ROLE_ADMINISTER; i++) {
        if (strcmp(role, control_role_names[i]) == 0) {
            added->role = (enum control_role)i;
        }
    }
    if (added->role == CONTROL_ROLE_NONE) {
        return "the first word must be a role: view, operate or administer";
    }
    if (strlen(token) < CONTROL_TOKEN_MIN || strlen(token) == CONTROL_TOKEN_MAX - 1) {
        return "a token has 16 to 254 characters";
    }
    memcpy(added->token, token, sizeof token);
    memcpy(added->name, name, sizeof name);
    tokens->count++;
    return NULL;
}

static bool control_tokens_read(FILE *file, const char *path, struct control_tokens *tokens,
                                char *ret_error)
{
    char line[512];
    for (int number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        const char *wrong = control_tokens_add(tokens, number == 1 ? utf8_past_mark(line) : line);
        if (wrong != NULL) {
            snprintf(ret_error, CONTROL_TOKENS_ERROR, "control.token_file: %s, line %d: %s", path,
                     number, wrong);
            return false;
        }
    }
    if (tokens->count == 0) {
        snprintf(ret_error, CONTROL_TOKENS_ERROR,
                 "control.token_file: %s holds no token; a line is: role token [name]", path);
    }
    return tokens->count > 0;
}

bool control_tokens_load(const char *path, struct control_tokens *ret_tokens, char *ret_error)
{
    FILE *file = secret_file_open("control.token_file", path, ret_error, CONTROL_TOKENS_ERROR);
    if (file == NULL) {
        return false;
    }
    struct control_tokens *tokens = calloc(1, sizeof *tokens);
    bool is_read = tokens != NULL && control_tokens_read(file, path, tokens, ret_error);
    if (is_read) {
        *ret_tokens = *tokens;
    }
    free(tokens);
    (void)fclose(file);
    return is_read;
}

const struct control_token *control_tokens_find(const struct control_tokens *tokens,
                                                const char *token)
{
    const struct control_token *found = NULL;
    for (size_t i = 0; i < tokens->count; i++) {
        if (digest_equal(bytes_str(tokens->tokens[i].token), bytes_str(token))) {
            found = &tokens->tokens[i];
        }
    }
    return found;
}
