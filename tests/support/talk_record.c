/* SPDX-License-Identifier: MIT */
/*
 * talk_record: checks the shape of every object and keeps the entries of rooms. It sends nothing
 * and waits for nothing.
 */
#include "talk_record.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "pump.h"

__attribute__((format(printf, 2, 3))) static void talk_record_break(struct talk_record *record,
                                                                    const char *format, ...)
{
    va_list args;
    if (record->broken[0] != '\0') {
        return;
    }
    va_start(args, format);
    vsnprintf(record->broken, sizeof record->broken, format, args);
    va_end(args);
}

/* Shapes --------------------------------------------------------------------------------------- */

/* Members of each type, one letter for each: s string, S string or null, i integer not below 0,
 * b boolean, l list of strings, n list of integers, e list of entries; after '?' optional ones. */
static const struct talk_record_shape {
    const char *type, *kinds;
    const char *members[9];
} talk_record_shapes[] = {
    {"session", "sSsi?Ssi", {"user", "room", "epoch", "last", "room_id", "manager", "kept"}},
    {"message", "sissi", {"room", "seq", "from", "message", "time"}},
    {"notice", "Sisssi", {"room", "seq", "event", "user", "notice", "time"}},
    {"room_list", "lnii?ib", {"rooms", "members", "total", "version", "first", "more"}},
    {"user_list", "lii?lib", {"users", "total", "version", "away", "first", "more"}},
    {"room_user_list",
     "slsii?lsib",
     {"room", "users", "kind", "total", "version", "away", "manager", "first", "more"}},
    {"ack", "i?s", {"seq", "id"}},
    {"error", "sss?s", {"code", "reason", "name", "id"}},
    {"gap", "sii", {"room", "from", "to"}},
    {"history", "seb?s", {"room", "entries", "more", "id"}},
    {"reconnect", "i", {"after_ms"}},
    {"closed", "is", {"code", "reason"}},
};

static bool talk_record_shape_object(const json_t *object);

static bool talk_record_shape_list(const json_t *list, char kind)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if ((kind == 'l' && !json_is_string(item)) || (kind == 'n' && !json_is_integer(item)) ||
            (kind == 'e' && !talk_record_shape_object(item))) {
            return false;
        }
    }
    return json_is_array(list);
}

static bool talk_record_shape_value(const json_t *value, char kind)
{
    switch (kind) {
    case 's':
        return json_is_string(value);
    case 'S':
        return json_is_string(value) || json_is_null(value);
    case 'i':
        return json_is_integer(value) && json_integer_value(value) >= 0;
    case 'b':
        return json_is_boolean(value);
    default:
        return talk_record_shape_list(value, kind);
    }
}

static bool talk_record_shape_fits(const struct talk_record_shape *shape, const json_t *object)
{
    bool is_optional = false;
    size_t member = 0, known = 1;
    for (const char *kind = shape->kinds; *kind != '\0'; kind++) {
        if (*kind == '?') {
            is_optional = true;
            continue;
        }
        const json_t *value = json_object_get(object, shape->members[member++]);
        if (value == NULL ? !is_optional : !talk_record_shape_value(value, *kind)) {
            return false;
        }
        known += value != NULL;
    }
    return json_object_size(object) == known;
}

static bool talk_record_shape_object(const json_t *object)
{
    const char *type = json_string_value(json_object_get(object, "type"));
    for (size_t i = 0; type != NULL && i < sizeof talk_record_shapes / sizeof talk_record_shapes[0];
         i++) {
        if (strcmp(talk_record_shapes[i].type, type) == 0) {
            return talk_record_shape_fits(&talk_record_shapes[i], object);
        }
    }
    return false;
}

/* Objects -------------------------------------------------------------------------------------- */

static const char *talk_record_string(const json_t *object, const char *member)
{
    const char *value = json_string_value(json_object_get(object, member));
    return value != NULL ? value : "";
}

static int64_t talk_record_integer(const json_t *object, const char *member)
{
    return json_integer_value(json_object_get(object, member));
}

static void talk_record_session(struct talk_record *record, const json_t *object)
{
    const char *room = talk_record_string(object, "room"),
               *epoch = talk_record_string(object, "epoch");
    int64_t last = talk_record_integer(object, "last");
    if ((room[0] == '\0') != (epoch[0] == '\0') || (room[0] == '\0' && last != 0)) {
        talk_record_break(record, "a session says room [%s], epoch [%s], last %lld", room, epoch,
                          (long long)last);
    }
    if (record->user[0] != '\0' && strcmp(record->user, talk_record_string(object, "user")) != 0) {
        talk_record_break(record, "the session's user has changed");
    }
    bool is_new = strcmp(record->epoch, epoch) != 0 || strcmp(record->room, room) != 0;
    record->stay += is_new;
    record->is_turned = json_object_get(object, "kept") != NULL;
    record->has_kept = record->is_turned || (record->has_kept && !is_new);
    record->kept = record->is_turned ? talk_record_integer(object, "kept") : record->kept;
    record->sessions++;
    record->last = last;
    snprintf(record->user, sizeof record->user, "%s", talk_record_string(object, "user"));
    snprintf(record->room, sizeof record->room, "%s", room);
    snprintf(record->room_id, sizeof record->room_id, "%s", talk_record_string(object, "room_id"));
    snprintf(record->epoch, sizeof record->epoch, "%s", epoch);
}

static const struct talk_entry *talk_record_newest(const struct talk_record *record)
{
    return record->count > 0 && record->entries[record->count - 1]->stay == record->stay
               ? record->entries[record->count - 1]
               : NULL;
}

static void talk_record_check_number(struct talk_record *record, const struct talk_entry *entry)
{
    const struct talk_entry *before = talk_record_newest(record);
    if (entry->seq < 1 || entry->to < entry->seq) {
        talk_record_break(record, "an entry is numbered %lld to %lld", (long long)entry->seq,
                          (long long)entry->to);
    }
    if (before != NULL && entry->seq != before->to + 1) {
        talk_record_break(record, "number %lld follows %lld", (long long)entry->seq,
                          (long long)before->to);
    }
    if (strcmp(entry->room, record->room) != 0) {
        talk_record_break(record, "an entry of the room [%s], the session is in [%s]", entry->room,
                          record->room);
    }
}

static void talk_record_entry(struct talk_record *record, enum talk_kind kind, json_t *object)
{
    struct talk_entry *entry = calloc(1, sizeof *entry);
    assert(entry != NULL);
    *entry = (struct talk_entry){
        .kind = kind,
        .seq = talk_record_integer(object, kind == TALK_GAP ? "from" : "seq"),
        .to = talk_record_integer(object, kind == TALK_GAP ? "to" : "seq"),
        .at_ms = pump_now_ms(),
        .stay = record->stay,
        .room = talk_record_string(object, "room"),
        .json = json_incref(object),
    };
    if (kind != TALK_GAP) {
        entry->who = talk_record_string(object, kind == TALK_MESSAGE ? "from" : "user");
        entry->text = talk_record_string(object, kind == TALK_MESSAGE ? "message" : "notice");
        entry->event = kind == TALK_NOTICE ? talk_record_string(object, "event") : NULL;
    }
    talk_record_check_number(record, entry);
    if ((record->count & (record->count - 1)) == 0) {
        size_t cap = record->count == 0 ? 1 : 2 * record->count;
        record->entries = realloc(record->entries, cap * sizeof(struct talk_entry *));
        assert(record->entries != NULL);
    }
    record->entries[record->count++] = entry;
    record->stay += kind == TALK_GAP && record->is_turned; /* their numbers are used again */
    record->is_turned = false;
}

/* An operator's words to everybody are of no room, and no entry: only they may be without one. */
static void talk_record_notice(struct talk_record *record, json_t *object)
{
    if (!json_is_null(json_object_get(object, "room"))) {
        talk_record_entry(record, TALK_NOTICE, object);
    } else if (talk_record_integer(object, "seq") != 0 ||
               strcmp(talk_record_string(object, "event"), "notice") != 0) {
        talk_record_break(record, "an entry of no room");
    }
}

void talk_record_take(struct talk_record *record, json_t *object)
{
    if (!talk_record_shape_object(object)) {
        char *text = json_dumps(object, JSON_COMPACT);
        talk_record_break(record, "unknown or malformed: %.150s", text);
        free(text);
        return;
    }
    const char *type = talk_record_string(object, "type");
    if (strcmp(type, "session") == 0) {
        talk_record_session(record, object);
    } else if (strcmp(type, "message") == 0) {
        talk_record_entry(record, TALK_MESSAGE, object);
    } else if (strcmp(type, "notice") == 0) {
        talk_record_notice(record, object);
    } else if (strcmp(type, "gap") == 0) {
        talk_record_entry(record, TALK_GAP, object);
    } else if (strcmp(type, "room_list") == 0 &&
               json_array_size(json_object_get(object, "rooms")) !=
                   json_array_size(json_object_get(object, "members"))) {
        talk_record_break(record, "a room_list has not as many members as rooms");
    }
}

void talk_record_fini(struct talk_record *record)
{
    for (size_t i = 0; i < record->count; i++) {
        json_decref(record->entries[i]->json);
        free(record->entries[i]);
    }
    free(record->entries);
    *record = (struct talk_record){0};
}

/* Questions ------------------------------------------------------------------------------------ */

int64_t talk_record_last(const struct talk_record *record)
{
    const struct talk_entry *newest = talk_record_newest(record);
    return newest != NULL ? newest->to : record->has_kept ? record->kept : -1;
}

struct talk_account talk_record_account(const struct talk_record *record)
{
    struct talk_account account = {0};
    bool after_gap = false;
    for (size_t i = 0; i < record->count; i++) {
        const struct talk_entry *entry = record->entries[i];
        if (entry->stay != record->stay) {
            continue;
        }
        account.from = account.from == 0 ? entry->seq : account.from;
        account.to = entry->to;
        account.messages += entry->kind == TALK_MESSAGE;
        account.notices += entry->kind == TALK_NOTICE;
        account.gaps += entry->kind == TALK_GAP && !after_gap;
        account.missed += entry->kind == TALK_GAP ? entry->to - entry->seq + 1 : 0;
        after_gap = entry->kind == TALK_GAP;
    }
    return account;
}

const struct talk_entry *talk_record_message(const struct talk_record *record, const char *text,
                                             size_t *ret_times)
{
    const struct talk_entry *first = NULL;
    size_t times = 0;
    for (size_t i = 0; i < record->count; i++) {
        const struct talk_entry *entry = record->entries[i];
        if (entry->kind == TALK_MESSAGE && strcmp(entry->text, text) == 0) {
            first = first != NULL ? first : entry;
            times++;
        }
    }
    if (ret_times != NULL) {
        *ret_times = times;
    }
    return first;
}

bool talk_record_has_numbers(const struct talk_record *record, const char *who, int64_t count)
{
    int64_t next = 0;
    size_t name_len = strlen(who);
    for (size_t i = 0; i < record->count; i++) {
        const struct talk_entry *entry = record->entries[i];
        if (entry->kind != TALK_MESSAGE || entry->stay != record->stay ||
            strcmp(entry->who, who) != 0) {
            continue;
        }
        long long number = -1;
        if (strncmp(entry->text, who, name_len) != 0 ||
            sscanf(entry->text + name_len, " %lld", &number) != 1 || number != next) {
            fprintf(stderr, "%s: [%.60s] stands where %lld should\n", record->user, entry->text,
                    (long long)next);
            return false;
        }
        next++;
    }
    if (next != count) {
        fprintf(stderr, "%s: %lld messages of %s, not %lld\n", record->user, (long long)next, who,
                (long long)count);
    }
    return next == count;
}
