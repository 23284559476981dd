/* SPDX-License-Identifier: MIT */
/*
 * bench_hear: what the bench's users are told: where they are, messages, acknowledgements, and
 * errors. Lists are read only where others are counted: with many users they are long.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "admin/bench/bench_user.h"
#include "admin/tick.h"

#define BENCH_LISTS   2   /* that others are counted in */
#define BENCH_HOLD_MS 100 /* a message that was refused for now is sent again after so long */

static const struct bench_reason {
    const char *name;
    bool is_passing;
} bench_reasons[] = {
#define ERR(name, code, hgtp, http, control, retry, text) {#name, retry},
#include "proto/err.def"
};

static const char *bench_hear_string(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text != NULL ? text : "";
}

static uint64_t bench_hear_number(const json_t *object, const char *member)
{
    json_int_t value = json_integer_value(json_object_get(object, member));
    return value > 0 ? (uint64_t)value : 0;
}

/* The session ---------------------------------------------------------------------------------- */

static void bench_hear_session(struct bench_user *user, const json_t *text)
{
    const char *room = bench_hear_string(text, "room");
    bool was_in = user->stage == BENCH_IN_ROOM;
    user->failures = 0;
    snprintf(user->epoch, sizeof user->epoch, "%s", bench_hear_string(text, "epoch"));
    snprintf(user->room_id, sizeof user->room_id, "%s", bench_hear_string(text, "room_id"));
    if (strcmp(room, user->room) == 0) {
        if (!was_in) {
            user->seen = 0;
            bench_user_arrive(user, BENCH_IN_ROOM);
        }
        bench_user_say_again(user);
    } else if (user->stage != BENCH_BUSY || !user->was_attached) {
        user->crew->sessions_lost += was_in && !user->crew->is_leaving ? 1 : 0;
        bench_user_arrive(user, BENCH_ATTACHED);
    }
}

/* The index of a message of this run; false: it is none. */
static bool bench_hear_index(const struct bench_user *user, const char *text, char behind,
                             size_t *ret_index)
{
    size_t len = strlen(user->crew->tag);
    char end = '\0';
    if (strncmp(text, user->crew->tag, len) != 0 || text[len] == '\0') {
        return false;
    }
    int found = sscanf(text + len + 1, "%zu%c", ret_index, &end);
    return found >= 1 && (found == 1 ? '\0' : end) == behind;
}

static void bench_hear_entry(struct bench_user *user, const json_t *entry, bool is_message)
{
    size_t index;
    uint64_t seq = bench_hear_number(entry, "seq");
    if (seq == 0 || strcmp(bench_hear_string(entry, "room"), user->room) != 0) {
        return; /* told to everybody */
    }
    user->seen = seq > user->seen ? seq : user->seen;
    if (!is_message) {
        return;
    }
    if (bench_hear_index(user, bench_hear_string(entry, "message"), ' ', &index)) {
        bench_tally_heard(user->crew->tally, user->number, index, seq, bench_now_us());
    } else {
        user->crew->tally->wrong++;
    }
}

/* Acknowledgements ----------------------------------------------------------------------------- */

static struct bench_said *bench_hear_said(struct bench_user *user, const char *id)
{
    size_t index;
    if (!bench_hear_index(user, id, '\0', &index)) {
        return NULL;
    }
    for (size_t i = 0; i < user->said_count; i++) {
        if (user->said[i].index == index) {
            return &user->said[i];
        }
    }
    return NULL;
}

static void bench_hear_settle(struct bench_user *user, struct bench_said *said)
{
    size_t left = (size_t)(user->said + user->said_count - (said + 1));
    memmove(said, said + 1, left * sizeof *said);
    user->said_count--;
}

static void bench_hear_ack(struct bench_user *user, const json_t *text)
{
    struct bench_said *said = bench_hear_said(user, bench_hear_string(text, "id"));
    if (said != NULL) {
        bench_tally_acked(user->crew->tally, user->number, said->index,
                          bench_hear_number(text, "seq"), bench_now_us());
        bench_hear_settle(user, said);
    }
}

static bool bench_hear_is_passing(const char *name)
{
    for (size_t i = 0; i < sizeof bench_reasons / sizeof bench_reasons[0]; i++) {
        if (strcmp(bench_reasons[i].name, name) == 0) {
            return bench_reasons[i].is_passing;
        }
    }
    return false;
}

static void bench_hear_error(struct bench_user *user, const json_t *text)
{
    struct bench_crew *crew = user->crew;
    struct bench_said *said = bench_hear_said(user, bench_hear_string(text, "id"));
    if (said == NULL) {
        return;
    }
    snprintf(crew->words, sizeof crew->words, "%s", bench_hear_string(text, "reason"));
    if (bench_hear_is_passing(bench_hear_string(text, "name"))) {
        said->is_under_way = false;
        said->sent_ms = tick_ms() + BENCH_HOLD_MS;
        crew->held_back++;
    } else {
        bench_tally_refused(crew->tally, user->number, said->index);
        bench_hear_settle(user, said);
    }
}

/* Others --------------------------------------------------------------------------------------- */

/* The list is complete. The first one may be old: a list that has grown beyond lists.max since is
 * shown as it was to who has just come. */
static void bench_hear_counted(struct bench_user *user)
{
    user->others = user->counting > user->others ? user->counting : user->others;
    user->is_counting = false;
    if (++user->lists_heard < BENCH_LISTS) {
        bench_user_refresh(user);
    } else {
        user->counts_others = false;
    }
}

/* A list comes whole, or page by page; perhaps in the middle of one that was under way before. */
static void bench_hear_users(struct bench_user *user, const json_t *text)
{
    size_t i;
    const json_t *name;
    uint64_t first = bench_hear_number(text, "first");
    if (first == 0) {
        user->counting = user->listed = 0;
        user->is_counting = user->counts_others;
    }
    if (!user->is_counting || first != user->listed) {
        return;
    }
    json_array_foreach(json_object_get(text, "users"), i, name)
    {
        const char *other = json_string_value(name);
        user->listed++;
        user->counting += other != NULL && strcmp(other, user->name) != 0 ? 1 : 0;
    }
    if (!json_is_true(json_object_get(text, "more"))) {
        bench_hear_counted(user);
    }
}

/* Taking apart --------------------------------------------------------------------------------- */

static void bench_hear_object(struct bench_user *user, const json_t *text)
{
    const char *type = bench_hear_string(text, "type");
    if (strcmp(type, "message") == 0) {
        bench_hear_entry(user, text, true);
    } else if (strcmp(type, "notice") == 0) {
        bench_hear_entry(user, text, false);
    } else if (strcmp(type, "ack") == 0) {
        bench_hear_ack(user, text);
    } else if (strcmp(type, "error") == 0) {
        bench_hear_error(user, text);
    } else if (strcmp(type, "session") == 0) {
        bench_hear_session(user, text);
    } else if (strcmp(type, "user_list") == 0) {
        bench_hear_users(user, text);
    } else if (strcmp(type, "gap") == 0) {
        uint64_t to = bench_hear_number(text, "to");
        user->seen = to > user->seen ? to : user->seen;
    } else if (strcmp(type, "reconnect") == 0) {
        bench_user_away(user, (int64_t)bench_hear_number(text, "after_ms"));
    }
}

static bool bench_hear_begins(struct bytes text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.ptr, with, len) == 0;
}

void bench_hear_text(struct bench_user *user, struct bytes text)
{
    bool is_list = bench_hear_begins(text, "{\"type\":\"room_") ||
                   (!user->counts_others && bench_hear_begins(text, "{\"type\":\"user_"));
    if (is_list) {
        return;
    }
    json_t *object = json_loadb((const char *)text.ptr, text.len, JSON_ALLOW_NUL, NULL);
    if (json_is_object(object)) {
        bench_hear_object(user, object);
    }
    json_decref(object);
}

void bench_hear_hgtp(struct bench_user *user, struct bytes message)
{
    struct hgtp_message msg;
    uint8_t storage[64];
    struct sink out = sink_into(storage, sizeof storage);
    if (talk_ask_take(&user->ask, message) || hgtp_decode(message, &msg) != HGTP_DECODED) {
        return;
    }
    if (msg.header.type == HGTP_REMOVE_USER_FROM_ROOM && user->ws.state == TALK_WS_OPEN) {
        talk_ask_answer(&user->ask, &msg.header, HGTP_OK, tick_unix_ms(), &out);
        talk_ws_send(&user->ws, WS_BINARY, sink_bytes(&out));
    } else if (msg.header.type == HGTP_INVITE_USER_FROM_ROOM && user->ws.state == TALK_WS_OPEN) {
        talk_ask_answer(&user->ask, &msg.header, HGTP_DECLINE, tick_unix_ms(), &out);
        talk_ws_send(&user->ws, WS_BINARY, sink_bytes(&out));
    }
}
