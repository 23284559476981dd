/* SPDX-License-Identifier: MIT */
/*
 * talk_command: commands and messages. A command has one argument at most, and that is the rest of
 * the line: names may have blanks. "//" begins a message that begins with "/".
 */
#include "admin/talk/talk_command.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/utf8.h"

typedef void talk_command_fn(struct talk_client *client, const char *argument);

enum talk_command_from { TALK_FROM_NOTHING, TALK_FROM_ROOMS, TALK_FROM_USERS, TALK_FROM_MEMBERS };

#define TALK_COMMAND(name, argument, from, help) static talk_command_fn talk_command_on_##name;
#include "talk_command.def"

static const struct talk_command {
    const char *name, *argument, *help;
    enum talk_command_from from;
    talk_command_fn *on;
} talk_commands[] = {
#define TALK_COMMAND(name, argument, from, help)                                                   \
    {#name, argument, help, TALK_FROM_##from, talk_command_on_##name},
#include "talk_command.def"
};

#define TALK_COMMANDS (sizeof talk_commands / sizeof talk_commands[0])

/* Deeds ---------------------------------------------------------------------------------------- */

static bool talk_command_needs_room(struct talk_client *client)
{
    if (client->room.name[0] == '\0') {
        talk_client_say(client, TALK_ERROR, "you are in no room: /join or /create one");
        return false;
    }
    return true;
}

static void talk_command_on_create(struct talk_client *client, const char *argument)
{
    talk_deed(client, HGTP_CREATE_ROOM, argument, NULL);
}

static void talk_command_on_join(struct talk_client *client, const char *argument)
{
    talk_deed(client, HGTP_JOIN_ROOM, argument, NULL);
}

static void talk_command_on_exit(struct talk_client *client, const char *argument)
{
    (void)argument;
    if (talk_command_needs_room(client)) {
        talk_deed(client, HGTP_EXIT_ROOM, client->room.name, NULL);
    }
}

static void talk_command_on_delete(struct talk_client *client, const char *argument)
{
    (void)argument;
    if (talk_command_needs_room(client)) {
        talk_deed(client, HGTP_DELETE_ROOM, client->room.name, NULL);
    }
}

static void talk_command_on_invite(struct talk_client *client, const char *argument)
{
    if (talk_command_needs_room(client)) {
        talk_deed(client, HGTP_INVITE_USER_FROM_ROOM, client->room.name, argument);
    }
}

static void talk_command_on_kick(struct talk_client *client, const char *argument)
{
    if (talk_command_needs_room(client)) {
        talk_deed(client, HGTP_REMOVE_USER_FROM_ROOM, client->room.name, argument);
    }
}

static void talk_command_on_manager(struct talk_client *client, const char *argument)
{
    if (talk_command_needs_room(client)) {
        talk_deed_hand_over(client, argument);
    }
}

static void talk_command_on_accept(struct talk_client *client, const char *argument)
{
    (void)argument;
    talk_deed_answer(client, true);
}

static void talk_command_on_decline(struct talk_client *client, const char *argument)
{
    (void)argument;
    talk_deed_answer(client, false);
}

static void talk_command_on_refresh(struct talk_client *client, const char *argument)
{
    (void)argument;
    talk_deed(client, HGTP_REFRESH, NULL, NULL);
}

static void talk_command_on_quit(struct talk_client *client, const char *argument)
{
    (void)argument;
    talk_client_drain(client);
}

/* Lists ---------------------------------------------------------------------------------------- */

/* Of a long list only a part is here. */
static void talk_command_more(struct talk_client *client, const struct talk_names *list)
{
    if (list->total > list->count) {
        talk_client_say(client, TALK_ANSWER, "  and %zu more; /refresh gets all of them",
                        list->total - list->count);
    }
}

static void talk_command_on_rooms(struct talk_client *client, const char *argument)
{
    (void)argument;
    const struct talk_names *rooms = &client->rooms;
    if (rooms->total == 0) {
        talk_client_say(client, TALK_ANSWER, "there are no rooms");
        return;
    }
    talk_client_say(client, TALK_ANSWER, "rooms (%zu):", rooms->total);
    for (size_t i = 0; i < rooms->count; i++) {
        talk_client_say(client, TALK_ANSWER, "  %s (%ld)", rooms->names[i].name,
                        rooms->names[i].members);
    }
    talk_command_more(client, rooms);
}

static void talk_command_user(struct talk_client *client, const struct talk_name *user,
                              bool is_manager)
{
    static const char *const words[2][2] = {{"", " (away)"}, {" (manager)", " (manager, away)"}};
    talk_client_say(client, TALK_ANSWER, "  %s%s", user->name, words[is_manager][user->is_away]);
}

static void talk_command_on_users(struct talk_client *client, const char *argument)
{
    (void)argument;
    if (client->room.name[0] != '\0') {
        talk_client_say(client, TALK_ANSWER, "in %s (%zu):", client->room.name,
                        client->members.total);
    }
    for (size_t i = 0; i < client->members.count; i++) {
        const struct talk_name *user = &client->members.names[i];
        talk_command_user(client, user,
                          client->manager != NULL && strcmp(client->manager, user->name) == 0);
    }
    talk_command_more(client, &client->members);
    size_t here = client->members.total, everybody = client->users.total;
    if (everybody > here) {
        talk_client_say(client, TALK_ANSWER, "elsewhere (%zu):", everybody - here);
    }
    for (size_t i = 0; i < client->users.count; i++) {
        if (!talk_names_has(&client->members, client->users.names[i].name)) {
            talk_command_user(client, &client->users.names[i], false);
        }
    }
    talk_command_more(client, &client->users);
}

static void talk_command_on_help(struct talk_client *client, const char *argument)
{
    (void)argument;
    for (size_t i = 0; i < TALK_COMMANDS; i++) {
        char words[48];
        snprintf(words, sizeof words, "/%s %s", talk_commands[i].name, talk_commands[i].argument);
        talk_client_say(client, TALK_ANSWER, "%-16s %s", words, talk_commands[i].help);
    }
    talk_client_say(client, TALK_ANSWER, "%-16s %s", "//text", "say a text that begins with /");
}

/* Lines ---------------------------------------------------------------------------------------- */

static void talk_command_message(struct talk_client *client, const char *text)
{
    if (talk_command_needs_room(client)) {
        talk_outbox_put(&client->outbox, client->room.epoch, text);
        talk_client_changed(client);
    }
}

static void talk_command_run(struct talk_client *client, char *line)
{
    size_t name_len = strcspn(line, " ");
    char *argument = line + name_len + strspn(line + name_len, " ");
    size_t argument_len = strlen(argument);
    while (argument_len > 0 && argument[argument_len - 1] == ' ') {
        argument[--argument_len] = '\0';
    }
    line[name_len] = '\0';
    for (size_t i = 0; i < TALK_COMMANDS; i++) {
        const struct talk_command *command = &talk_commands[i];
        if (strcmp(command->name, line) != 0) {
            continue;
        }
        if ((command->argument[0] == '\0') != (argument_len == 0)) {
            talk_client_say(client, TALK_ERROR, "it is /%s %s", command->name, command->argument);
        } else {
            command->on(client, argument);
        }
        return;
    }
    talk_client_say(client, TALK_ERROR, "there is no command /%s; see /help", line);
}

void talk_client_line(struct talk_client *client, const char *line)
{
    size_t len = strlen(line);
    char *copy = malloc(VISIBLE_FACTOR * len + 1);
    if (copy == NULL) {
        abort();
    }
    struct sink out = sink_into(copy, VISIBLE_FACTOR * len);
    utf8_replace(bytes_of(line, len), &out);
    copy[out.len] = '\0';
    if (copy[0] == '/' && copy[1] != '/') {
        talk_command_run(client, copy + 1);
    } else if (copy[0] != '\0') {
        talk_command_message(client, copy + (copy[0] == '/' ? 1 : 0));
    }
    free(copy);
}

bool talk_client_takes(const struct talk_client *client, const char *line)
{
    bool is_command = line[0] == '/' && line[1] != '/';
    bool waits = client->stage == TALK_ATTACHED || client->style.is_plain;
    size_t ahead_max = is_command && waits ? 0 : TALK_CLIENT_AHEAD_MAX;
    return client->stage != TALK_OVER && client->leave_by_ms == 0 && client->drain_by_ms == 0 &&
           talk_client_is_settled(client) &&
           (client->outbox.count <= ahead_max || (!is_command && !client->style.is_plain));
}

/* Completion ----------------------------------------------------------------------------------- */

static void talk_command_offer(struct talk_completion *completion, const char *prefix,
                               const char *word, const char *tail)
{
    size_t len = strlen(prefix);
    if (strncmp(prefix, word, len) != 0) {
        return;
    }
    char **grown = realloc(completion->words, (completion->count + 1) * sizeof *grown);
    size_t bytes = strlen(word) + strlen(tail) + 1;
    char *copy = malloc(bytes);
    if (grown == NULL || copy == NULL) {
        abort();
    }
    snprintf(copy, bytes, "%s%s", word, tail);
    completion->words = grown;
    completion->words[completion->count++] = copy;
}

static void talk_command_offer_names(const struct talk_client *client,
                                     struct talk_completion *completion, const char *prefix,
                                     enum talk_command_from from)
{
    const struct talk_names *names = from == TALK_FROM_ROOMS   ? &client->rooms
                                     : from == TALK_FROM_USERS ? &client->users
                                                               : &client->members;
    for (size_t i = 0; from != TALK_FROM_NOTHING && i < names->count; i++) {
        const char *name = names->names[i].name;
        bool is_there = from == TALK_FROM_USERS && talk_names_has(&client->members, name);
        bool is_own = from != TALK_FROM_ROOMS && strcmp(name, client->name) == 0;
        if (!is_there && !is_own) {
            talk_command_offer(completion, prefix, name, "");
        }
    }
}

struct talk_completion talk_command_complete(const struct talk_client *client, const char *line)
{
    struct talk_completion completion = {0};
    const char *blank = strchr(line, ' ');
    if (line[0] == '/' && blank == NULL) {
        completion.start = 1;
        for (size_t i = 0; i < TALK_COMMANDS; i++) {
            bool has_argument = talk_commands[i].argument[0] != '\0';
            talk_command_offer(&completion, line + 1, talk_commands[i].name,
                               has_argument ? " " : "");
        }
    } else if (line[0] == '/') {
        completion.start = (size_t)(blank - line) + strspn(blank, " ");
        for (size_t i = 0; i < TALK_COMMANDS; i++) {
            size_t len = strlen(talk_commands[i].name);
            if (len == (size_t)(blank - line) - 1 &&
                strncmp(talk_commands[i].name, line + 1, len) == 0) {
                talk_command_offer_names(client, &completion, line + completion.start,
                                         talk_commands[i].from);
            }
        }
    } else {
        const char *last = strrchr(line, ' ');
        completion.start = last != NULL ? (size_t)(last - line) + 1 : 0;
        if (line[completion.start] != '\0') {
            talk_command_offer_names(client, &completion, line + completion.start,
                                     TALK_FROM_MEMBERS);
        }
    }
    return completion;
}

void talk_command_completed(struct talk_completion *completion)
{
    while (completion->count > 0) {
        free(completion->words[--completion->count]);
    }
    free(completion->words);
    completion->words = NULL;
}

size_t talk_command_common(const struct talk_completion *completion)
{
    size_t common = completion->count > 0 ? strlen(completion->words[0]) : 0;
    for (size_t i = 1; i < completion->count; i++) {
        size_t at = 0;
        while (at < common && completion->words[i][at] == completion->words[0][at]) {
            at++;
        }
        common = at;
    }
    /* Not in the middle of a character. */
    while (completion->count > 0 && (completion->words[0][common] & 0xc0) == 0x80) {
        common--;
    }
    return common;
}
