/* SPDX-License-Identifier: MIT */
/*
 * talk_hear: what comes over the WebSocket: where the session is, entries of the room in order and
 * once, lists, acknowledgements, invitations. Nothing is sent from here but answers to relays.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/talk/talk_client.h"
#include "admin/tick.h"
#include "proto/base64.h"

static const char *talk_hear_string(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text != NULL ? text : "";
}

/* With its length: a text may hold a NUL. */
static struct bytes talk_hear_bytes(const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);
    const char *text = json_string_value(value);
    return bytes_of(text, text != NULL ? json_string_length(value) : 0);
}

static uint64_t talk_hear_number(const json_t *object, const char *member)
{
    json_int_t value = json_integer_value(json_object_get(object, member));
    return value > 0 ? (uint64_t)value : 0;
}

static void talk_hear_set(char **place, const char *text)
{
    char *copy = text != NULL ? talk_names_copy(text) : NULL;
    free(*place);
    *place = copy;
}

void talk_hear_fini(struct talk_client *client)
{
    free(client->room.name);
    free(client->room.id);
    free(client->room.epoch);
    free(client->lost.epoch);
    free(client->manager);
    free(client->successor);
    free(client->invitation.room);
    talk_names_fini(&client->users);
    talk_names_fini(&client->rooms);
    talk_names_fini(&client->members);
}

/* The session ---------------------------------------------------------------------------------- */

static void talk_hear_room_lost(struct talk_client *client, const char *name)
{
    const char *how = client->removed[0] != '\0' ? client->removed : "are no longer in";
    if (client->leave_by_ms == 0) {
        talk_client_say(client, TALK_TALK, "you %s %s", how, name);
    }
    talk_hear_set(&client->wanted, NULL);
    talk_names_fini(&client->members);
    talk_hear_set(&client->manager, NULL);
}

/* It has begun anew, outside of the room. */
static void talk_hear_rejoin(struct talk_client *client)
{
    client->must_rejoin = false;
    if (client->wanted != NULL) {
        talk_deed(client, HGTP_JOIN_ROOM, client->wanted, NULL);
    }
}

static void talk_hear_attached(struct talk_client *client)
{
    bool is_first = !client->was_attached;
    client->stage = TALK_ATTACHED;
    client->failures = 0;
    client->was_attached = true;
    talk_client_say(client, TALK_STATUS, "%s to %s:%s as %s%s",
                    is_first ? "connected" : "connected again", client->http.host,
                    client->http.port, client->name,
                    is_first && !client->style.is_plain ? "; /help says what to do here" : "");
    talk_deed_hand_over_again(client);
}

/* A new session enters its room like a stranger. If it is the room that it was in, it goes on where
 * it was: true when that takes another connection. */
static bool talk_hear_goes_on(struct talk_client *client, const char *epoch)
{
    if (epoch[0] == '\0' || strcmp(epoch, client->lost.epoch) != 0) {
        return false;
    }
    client->room.seen = client->lost.seen;
    client->outbox.acked_seq = client->lost.acked_seq;
    talk_hear_set(&client->lost.epoch, "");
    return client->room.last > client->room.seen;
}

/* What the client had is not all in the log any more, and other entries get its numbers. */
static void talk_hear_gone_back(struct talk_client *client, const char *epoch, uint64_t kept)
{
    struct talk_room *room = &client->room;
    talk_outbox_log_changed(&client->outbox, room->epoch, epoch, kept);
    if (room->seen > kept) {
        talk_client_say(client, TALK_TALK, "the last %llu entries of %s are lost",
                        (unsigned long long)(room->seen - kept), room->name);
        room->lost_to = room->seen;
        room->seen = kept;
    }
}

/* It is in another room now, or in none. */
static void talk_hear_moved(struct talk_client *client)
{
    if (client->must_rejoin && client->room.epoch[0] != '\0') {
        talk_hear_set(&client->lost.epoch, client->room.epoch);
        client->lost.seen = client->room.seen;
        client->lost.acked_seq = client->outbox.acked_seq;
    }
    client->room.seen = client->outbox.acked_seq = 0;
}

static void talk_hear_manager(struct talk_client *client, const char *name)
{
    talk_hear_set(&client->manager, name[0] != '\0' ? name : NULL);
}

static void talk_hear_place(struct talk_client *client, const json_t *text)
{
    const char *epoch = talk_hear_string(text, "epoch"), *id = talk_hear_string(text, "room_id");
    const json_t *kept = json_object_get(text, "kept");
    if (strcmp(epoch, client->room.epoch) != 0) {
        if (kept != NULL && strcmp(id, client->room.id) == 0) {
            talk_hear_gone_back(client, epoch, talk_hear_number(text, "kept"));
        } else {
            talk_hear_moved(client);
        }
    }
    client->room.last = talk_hear_number(text, "last");
    talk_hear_set(&client->room.name, talk_hear_string(text, "room"));
    talk_hear_set(&client->room.id, id);
    talk_hear_set(&client->room.epoch, epoch);
    talk_hear_manager(client, talk_hear_string(text, "manager"));
}

static void talk_hear_session(struct talk_client *client, const json_t *text)
{
    char *before = talk_names_copy(client->room.name);
    talk_hear_set(&client->name, talk_hear_string(text, "user"));
    talk_hear_place(client, text);
    if (client->stage != TALK_ATTACHED) {
        talk_hear_attached(client);
    }
    client->room_until_ms = 0;
    if (client->room.name[0] != '\0') {
        client->must_rejoin = false;
        talk_hear_set(&client->wanted, client->room.name);
        talk_hear_set(&client->invitation.room, NULL);
    } else if (client->must_rejoin) {
        talk_hear_rejoin(client);
    } else if (before[0] != '\0') {
        talk_hear_room_lost(client, before);
    }
    client->removed[0] = '\0';
    free(before);
    if (talk_hear_goes_on(client, client->room.epoch)) {
        talk_client_connect(client);
    }
    talk_client_changed(client);
}

/* Entries -------------------------------------------------------------------------------------- */

static void talk_hear_show(struct talk_client *client, const json_t *entry, struct sink *out)
{
    struct bytes from = talk_hear_bytes(entry, "from");
    json_int_t time = json_integer_value(json_object_get(entry, "time"));
    if (strcmp(talk_hear_string(entry, "type"), "message") == 0) {
        bool is_own = bytes_equal(from, bytes_str(client->name));
        talk_show_said(&client->style, time, from, is_own, talk_hear_bytes(entry, "message"), out);
    } else {
        talk_show_event(&client->style, talk_hear_bytes(entry, "event"),
                        talk_hear_bytes(entry, "user"), talk_hear_bytes(entry, "notice"), out);
    }
}

static void talk_hear_print(struct talk_client *client, const json_t *entry)
{
    struct sink measure = sink_into(NULL, 0);
    talk_hear_show(client, entry, &measure);
    char *line = malloc(measure.len + 1);
    if (line == NULL) {
        abort();
    }
    struct sink out = sink_into(line, measure.len);
    talk_hear_show(client, entry, &out);
    line[measure.len] = '\0';
    client->view.show(client->view.ctx, TALK_TALK, line);
    free(line);
}

static void talk_hear_event(struct talk_client *client, const char *event, const char *user)
{
    bool is_parting = strcmp(event, "left") == 0 || strcmp(event, "removed") == 0;
    if (strcmp(event, "manager") == 0) {
        talk_hear_manager(client, user);
    } else if (is_parting && client->manager != NULL && strcmp(client->manager, user) == 0) {
        talk_hear_manager(client, "");
    }
}

static void talk_hear_entry(struct talk_client *client, const json_t *entry)
{
    uint64_t seq = talk_hear_number(entry, "seq");
    if (seq <= client->room.seen ||
        strcmp(talk_hear_string(entry, "room"), client->room.name) != 0) {
        return;
    }
    client->room.seen = seq;
    client->room.lost_to = 0;
    talk_hear_event(client, talk_hear_string(entry, "event"), talk_hear_string(entry, "user"));
    if (strcmp(talk_hear_string(entry, "from"), client->name) == 0) {
        talk_outbox_on_own(&client->outbox, seq, talk_hear_string(entry, "message"));
    }
    talk_hear_print(client, entry);
}

static void talk_hear_gap(struct talk_client *client, const json_t *text)
{
    uint64_t from = talk_hear_number(text, "from"), to = talk_hear_number(text, "to");
    if (to > client->room.seen && to > client->room.lost_to) {
        client->room.seen = to;
        talk_client_say(client, TALK_TALK, "%llu entries of %s are not kept any more",
                        (unsigned long long)(to - from + 1), client->room.name);
    }
}

/* Answers -------------------------------------------------------------------------------------- */

static void talk_hear_ack(struct talk_client *client, const json_t *text)
{
    const char *id = talk_hear_string(text, "id");
    (void)talk_deed_handed_over(client, id, NULL);
    talk_outbox_on_ack(&client->outbox, id, talk_hear_number(text, "seq"));
    if (client->drain_by_ms > 0) {
        client->drain_by_ms = tick_ms() + TALK_CLIENT_DRAIN_MS;
    }
}

static void talk_hear_error(struct talk_client *client, const json_t *text)
{
    const char *id = talk_hear_string(text, "id");
    if (talk_deed_handed_over(client, id, talk_hear_string(text, "reason"))) {
        return;
    }
    char *lost =
        talk_outbox_on_error(&client->outbox, id, talk_hear_string(text, "name"), tick_ms());
    if (lost != NULL) {
        talk_client_say(client, TALK_ERROR, "not said: %s: %s", talk_hear_string(text, "reason"),
                        lost);
        free(lost);
    }
}

static void talk_hear_members(struct talk_client *client, const json_t *text)
{
    talk_names_take(&client->members, text, json_object_get(text, "users"), NULL);
    talk_hear_manager(client, talk_hear_string(text, "manager"));
}

static void talk_hear_object(struct talk_client *client, const json_t *text)
{
    const char *type = talk_hear_string(text, "type");
    if (strcmp(type, "session") == 0) {
        talk_hear_session(client, text);
    } else if (strcmp(type, "message") == 0 || strcmp(type, "notice") == 0) {
        talk_hear_entry(client, text);
    } else if (strcmp(type, "gap") == 0) {
        talk_hear_gap(client, text);
    } else if (strcmp(type, "ack") == 0) {
        talk_hear_ack(client, text);
    } else if (strcmp(type, "error") == 0) {
        talk_hear_error(client, text);
    } else if (strcmp(type, "user_list") == 0) {
        talk_names_take(&client->users, text, json_object_get(text, "users"), NULL);
    } else if (strcmp(type, "room_list") == 0) {
        talk_names_take(&client->rooms, text, json_object_get(text, "rooms"),
                        json_object_get(text, "members"));
    } else if (strcmp(type, "room_user_list") == 0) {
        talk_hear_members(client, text);
    } else if (strcmp(type, "reconnect") == 0) {
        talk_client_say(client, TALK_STATUS, "the node is going down; connecting again");
        talk_client_away(client, (int64_t)talk_hear_number(text, "after_ms"));
    }
}

void talk_hear_text(struct talk_client *client, struct bytes text)
{
    json_t *object = json_loadb((const char *)text.ptr, text.len, JSON_ALLOW_NUL, NULL);
    if (json_is_object(object)) {
        talk_hear_object(client, object);
    }
    json_decref(object);
}

/* HGTP ----------------------------------------------------------------------------------------- */

static void talk_hear_invitation(struct talk_client *client, const struct hgtp_message *msg)
{
    uint8_t name[HGTP_BODY_MAX + 1];
    struct sink out = sink_into(name, sizeof name - 1);
    if (!base64_decode(msg->peer.room_name, &out) || !sink_fits(&out)) {
        return;
    }
    name[out.len] = '\0';
    bool is_again = client->invitation.room != NULL &&
                    client->invitation.relay.seq == msg->header.seq &&
                    strcmp(client->invitation.room, (const char *)name) == 0;
    talk_hear_set(&client->invitation.room, (const char *)name);
    client->invitation.relay = msg->header;
    if (!is_again) {
        talk_client_say(client, TALK_TALK, "you are invited to %s: /accept or /decline",
                        (const char *)name);
        talk_client_changed(client);
    }
}

static void talk_hear_removal(struct talk_client *client, const struct hgtp_message *msg)
{
    /* The number of one that only tells of the room's end is 1. */
    bool is_closed = msg->header.seq == 1;
    if (client->room.name[0] == '\0') {
        client->room_until_ms = 0;
        talk_client_say(client, TALK_TALK, "the invitation is not open any more");
    }
    snprintf(client->removed, sizeof client->removed, "%s",
             is_closed ? "have left, because it was closed," : "were removed from");
    uint8_t storage[64];
    struct sink out = sink_into(storage, sizeof storage);
    talk_ask_answer(&client->ask, &msg->header, HGTP_OK, tick_unix_ms(), &out);
    talk_ws_send(&client->ws, WS_BINARY, sink_bytes(&out));
}

void talk_hear_hgtp(struct talk_client *client, struct bytes message)
{
    struct hgtp_message msg;
    if (talk_ask_take(&client->ask, message) || hgtp_decode(message, &msg) != HGTP_DECODED) {
        return;
    }
    if (msg.header.type == HGTP_INVITE_USER_FROM_ROOM) {
        talk_hear_invitation(client, &msg);
    } else if (msg.header.type == HGTP_REMOVE_USER_FROM_ROOM) {
        talk_hear_removal(client, &msg);
    }
}
