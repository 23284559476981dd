/* SPDX-License-Identifier: MIT */
/* talk_command: what a typed line means, and how it may be completed. Table: talk_command.def. */
#ifndef ADMIN_TALK_TALK_COMMAND_H
#define ADMIN_TALK_TALK_COMMAND_H

#include "admin/talk/talk_client.h"

/** What a line may go on with. */
struct talk_completion {
    size_t start; /* of the word to complete, in bytes of the line */
    char **words; /* candidates, whole; owned */
    size_t count;
};

/**
 * Candidates for the end of what stands before the cursor.
 *
 * returns  to be ended by talk_command_completed
 */
struct talk_completion talk_command_complete(const struct talk_client *client, const char *line);
void talk_command_completed(struct talk_completion *completion);

/** Bytes that all candidates begin with. */
size_t talk_command_common(const struct talk_completion *completion);

#endif
