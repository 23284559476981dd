/* SPDX-License-Identifier: MIT */
/*
 * talk_deed: what the person wants done, as HGTP requests, and what is said when it is refused.
 * That it is done is seen by what comes over the connection.
 */
#include <stdio.h>
#include <stdlib.h>

#include "admin/talk/talk_body.h"
#include "admin/talk/talk_client.h"
#include "admin/tick.h"
#include "proto/talk_text.h"

/* One request under way. */
struct talk_deed {
    struct talk_client *client;
    enum hgtp_type type;
    char *room, *peer;
};

static const struct {
    enum hgtp_type type;
    const char *words; /* "cannot WORDS ROOM" */
} talk_deed_words[] = {{HGTP_CREATE_ROOM, "open"},
                       {HGTP_DELETE_ROOM, "close"},
                       {HGTP_JOIN_ROOM, "join"},
                       {HGTP_EXIT_ROOM, "leave"},
                       {HGTP_INVITE_USER_FROM_ROOM, "invite"},
                       {HGTP_REMOVE_USER_FROM_ROOM, "remove"},
                       {HGTP_REFRESH, "refresh"},
                       {HGTP_UNREGISTER, "leave the service"}};

static const char *talk_deed_word(enum hgtp_type type)
{
    size_t i = 0;
    while (talk_deed_words[i].type != type && talk_deed_words[i].type != HGTP_UNREGISTER) {
        i++;
    }
    return talk_deed_words[i].words;
}

static void talk_deed_free(struct talk_deed *deed)
{
    free(deed->room);
    free(deed->peer);
    free(deed);
}

/* Bodies --------------------------------------------------------------------------------------- */

static void talk_deed_put_room_id(struct talk_client *client, enum hgtp_type type,
                                  struct sink *body)
{
    if (type == HGTP_CREATE_ROOM) {
        talk_body_put_new_room_id(body);
    } else {
        sink_text(body, client->room.id);
    }
}

static void talk_deed_put_body(struct talk_deed *deed, struct sink *body)
{
    switch (deed->type) {
    case HGTP_CREATE_ROOM:
    case HGTP_DELETE_ROOM:
        talk_deed_put_room_id(deed->client, deed->type, body);
        talk_body_put_name(body, deed->room);
        break;
    case HGTP_INVITE_USER_FROM_ROOM:
    case HGTP_REMOVE_USER_FROM_ROOM:
        talk_body_put_name(body, deed->room);
        talk_body_put_name(body, deed->peer);
        break;
    case HGTP_JOIN_ROOM:
    case HGTP_EXIT_ROOM:
        talk_body_put_name(body, deed->room);
        break;
    default:
        break;
    }
}

/* Answers -------------------------------------------------------------------------------------- */

static bool talk_deed_enters(enum hgtp_type type)
{
    return type == HGTP_CREATE_ROOM || type == HGTP_JOIN_ROOM;
}

static bool talk_deed_leaves(enum hgtp_type type)
{
    return type == HGTP_EXIT_ROOM || type == HGTP_DELETE_ROOM;
}

static bool talk_deed_moves(enum hgtp_type type)
{
    return talk_deed_enters(type) || talk_deed_leaves(type);
}

/* The word about the room comes by the connection, before this one or after it. */
static void talk_deed_done(struct talk_deed *deed)
{
    struct talk_client *client = deed->client;
    bool is_in = client->room.name[0] != '\0'; /* who enters was in none */
    if ((talk_deed_enters(deed->type) && !is_in) || (talk_deed_leaves(deed->type) && is_in)) {
        client->room_until_ms = tick_ms() + TALK_CLIENT_ROOM_MS;
    }
    if (talk_deed_leaves(deed->type)) {
        free(client->wanted);
        client->wanted = NULL;
    }
}

/* The room that it was in, or should begin in, is out of reach now, but maybe not for ever. */
static bool talk_deed_is_tried_again(const struct talk_deed *deed, const struct talk_answer *answer)
{
    bool is_return = deed->type == HGTP_JOIN_ROOM && deed->client->room.name[0] == '\0' &&
                     deed->client->wanted != NULL;
    bool may_help = answer->msg == NULL ||
                    (answer->reason >= ERR_RATE_LIMITED && answer->reason <= ERR_INTERNAL);
    return is_return && may_help;
}

static void talk_deed_no_return(struct talk_client *client)
{
    bool was_wanted = client->wanted != NULL;
    free(client->wanted);
    client->wanted = NULL;
    if (was_wanted && client->style.is_plain) {
        talk_client_leave(client, TALK_REFUSED); /* what the program says would go nowhere */
    }
}

static void talk_deed_refused(struct talk_deed *deed, const struct talk_answer *answer)
{
    struct talk_client *client = deed->client;
    const char *object = deed->peer != NULL ? deed->peer : deed->room;
    client->removed[0] = talk_deed_leaves(deed->type) ? '\0' : client->removed[0];
    if (talk_deed_is_tried_again(deed, answer)) {
        client->must_rejoin = true;
        talk_client_away(client, 0);
        return;
    }
    talk_client_say(client, TALK_ERROR, "cannot %s%s%s: %s", talk_deed_word(deed->type),
                    object[0] != '\0' ? " " : "", object,
                    answer->text[0] != '\0' ? answer->text : "refused");
    if (deed->type == HGTP_JOIN_ROOM && client->room.name[0] == '\0') {
        talk_deed_no_return(client);
    }
    if (answer->reason == ERR_NOT_REGISTERED || answer->reason == ERR_SIGNATURE_REQUIRED) {
        client->must_register = true;
        talk_client_away(client, 0);
    }
}

static void talk_deed_on_answer(const struct talk_answer *answer, void *arg)
{
    struct talk_deed *deed = arg;
    struct talk_client *client = deed->client;
    client->moves -= talk_deed_moves(deed->type) ? 1 : 0;
    if (answer != NULL && (answer->msg == NULL || answer->msg->header.type != HGTP_OK)) {
        talk_deed_refused(deed, answer);
        talk_client_changed(client);
    } else if (answer != NULL) {
        talk_deed_done(deed);
        talk_client_changed(client);
    }
    talk_deed_free(deed);
}

/* False: it cannot be asked, which was said. */
static bool talk_deed_ask(struct talk_client *client, enum hgtp_type type, const char *room,
                          const char *peer, talk_ask_on_answer_fn *on_answer)
{
    uint8_t storage[HGTP_BODY_MAX];
    struct sink body = sink_into(storage, sizeof storage);
    struct talk_deed *deed = calloc(1, sizeof *deed);
    if (deed == NULL) {
        abort();
    }
    *deed = (struct talk_deed){.client = client,
                               .type = type,
                               .room = talk_names_copy(room != NULL ? room : ""),
                               .peer = peer != NULL ? talk_names_copy(peer) : NULL};
    talk_deed_put_body(deed, &body);
    if (!sink_fits(&body)) {
        talk_client_say(client, TALK_ERROR, "the name is too long");
        talk_deed_free(deed);
        return false;
    }
    talk_ask_put(&client->ask, type, sink_bytes(&body), TALK_ASK_STEP, on_answer, deed);
    return true;
}

void talk_deed(struct talk_client *client, enum hgtp_type type, const char *room, const char *peer)
{
    if (talk_deed_ask(client, type, room, peer, talk_deed_on_answer)) {
        client->moves += talk_deed_moves(type) ? 1 : 0;
        if (talk_deed_leaves(type)) {
            snprintf(client->removed, sizeof client->removed, "have left");
        }
    }
}

/* Management ----------------------------------------------------------------------------------- */

static void talk_deed_put_hand_over(const struct talk_client *client, struct sink *out)
{
    sink_text(out, "{\"type\":\"manager\",\"user\":");
    talk_text_string(bytes_str(client->successor), out);
    sink_text(out, ",\"id\":");
    talk_text_string(bytes_str(client->successor_id), out);
    sink_text(out, "}");
}

void talk_deed_hand_over_again(struct talk_client *client)
{
    if (client->successor == NULL || client->stage != TALK_ATTACHED) {
        return;
    }
    struct sink measure = sink_into(NULL, 0);
    talk_deed_put_hand_over(client, &measure);
    uint8_t *text = malloc(measure.len);
    if (text == NULL) {
        abort();
    }
    struct sink out = sink_into(text, measure.len);
    talk_deed_put_hand_over(client, &out);
    talk_ws_send(&client->ws, WS_TEXT, sink_bytes(&out));
    free(text);
}

void talk_deed_hand_over(struct talk_client *client, const char *user)
{
    talk_outbox_new_id(&client->outbox, client->successor_id);
    free(client->successor);
    client->successor = talk_names_copy(user);
    talk_deed_hand_over_again(client);
}

bool talk_deed_handed_over(struct talk_client *client, const char *id, const char *why_not)
{
    if (client->successor == NULL || strcmp(client->successor_id, id) != 0) {
        return false;
    }
    if (why_not != NULL) {
        talk_client_say(client, TALK_ERROR, "cannot make %s the manager: %s", client->successor,
                        why_not);
    }
    free(client->successor);
    client->successor = NULL;
    return true;
}

/* Leaving -------------------------------------------------------------------------------------- */

static void talk_deed_on_unregistered(const struct talk_answer *answer, void *arg)
{
    struct talk_deed *deed = arg;
    struct talk_client *client = deed->client;
    talk_deed_free(deed);
    if (answer != NULL) {
        talk_client_left(client);
    }
}

void talk_deed_leave(struct talk_client *client)
{
    (void)talk_deed_ask(client, HGTP_UNREGISTER, NULL, NULL, talk_deed_on_unregistered);
}

/* Invitations ---------------------------------------------------------------------------------- */

void talk_deed_answer(struct talk_client *client, bool accepts)
{
    if (client->invitation.room == NULL) {
        talk_client_say(client, TALK_ERROR, "there is no invitation");
        return;
    }
    if (client->stage != TALK_ATTACHED) {
        talk_client_say(client, TALK_ERROR, "not connected: try again");
        return;
    }
    uint8_t storage[64];
    struct sink out = sink_into(storage, sizeof storage);
    talk_ask_answer(&client->ask, &client->invitation.relay, accepts ? HGTP_OK : HGTP_DECLINE,
                    tick_unix_ms(), &out);
    talk_ws_send(&client->ws, WS_BINARY, sink_bytes(&out));
    if (accepts) {
        client->room_until_ms = tick_ms() + TALK_CLIENT_ROOM_MS;
    }
    free(client->invitation.room);
    client->invitation.room = NULL;
    talk_client_changed(client);
}
