/* SPDX-License-Identifier: MIT */
/*
 * sim_check: the checker. It keeps every room log as it was written, who was a member from which
 * entry to which, and holds against it what each client is shown, told and left believing.
 */
#include "sim_check.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "node/core/core_state.h"
#include "sim_faults.h"
#include "sim_node.h"
#include "sim_redis.h"

#define WHO_MAX  16
#define TEXT_MAX 40
#define FROM_MAX 64

enum truth_kind {
    TRUTH_message,
    TRUTH_enters,
    TRUTH_leaves,
    TRUTH_shown,
    TRUTH_closed,
    TRUTH_hidden
};

struct truth_entry {
    enum truth_kind kind;
    int user; /* -1: none of ours */
    char text[TEXT_MAX];
    bool is_lost; /* Redis has it no more */
};

/* A user is a member from entry `from` to entry `to`; 0: to the end. */
struct truth_stay {
    int user;
    uint64_t from, to;
};

/* Up to which message original clients were shown a room's talk; its epochs share it. */
struct truth_shown {
    unsigned holds;
    uint64_t to[SIM_USERS_MAX];
};

struct truth_room {
    char key[HGTP_ROOM_ID_BYTES + FROM_MAX]; /* id, epoch */
    char id[HGTP_ROOM_ID_BYTES + 1], epoch[40], name[WHO_MAX];
    struct truth_entry *entries;
    size_t count, cap;
    struct truth_stay *stays;
    size_t stay_count, stay_cap;
    struct truth_shown *shown;
    struct truth_room *older; /* earlier epoch of the same id */
    UT_hash_handle hh;
};

struct truth_text {
    char text[TEXT_MAX];
    struct truth_room *room; /* NULL: in none */
    uint64_t seq;
    bool is_refused;
    UT_hash_handle hh;
};

static struct {
    struct truth_room *rooms;
    struct truth_text *texts;
    bool is_wrong, had_loss;
    char wrong[240];
    struct sim_check_figures figures;
} check;

/* Wrong ------------------------------------------------------------------------------------------
 */

void sim_wrong(const struct sim_user *user, const char *room, const char *format, ...)
{
    if (check.is_wrong) {
        return;
    }
    check.is_wrong = true;
    int at = snprintf(check.wrong, sizeof check.wrong, "%s%s", user != NULL ? user->name : "",
                      user != NULL ? ": " : "");
    va_list list;
    va_start(list, format);
    vsnprintf(check.wrong + at, sizeof check.wrong - (size_t)at, format, list);
    va_end(list);
    if (sim_telling) {
        printf("step %llu, %.6f s: %s\n", (unsigned long long)sim_steps(),
               (double)sim_now_us / SIM_S, check.wrong);
        sim_story_print(user, room);
    }
}

bool sim_is_wrong(void)
{
    return check.is_wrong;
}

const char *sim_wrong_text(void)
{
    return check.wrong;
}

struct sim_check_figures sim_check_figures(void)
{
    return check.figures;
}

/* Life -------------------------------------------------------------------------------------------
 */

void sim_check_begin(void)
{
    check.is_wrong = check.had_loss = false;
    check.figures = (struct sim_check_figures){0};
    check.wrong[0] = '\0';
}

static void truth_drop_shown(struct truth_room *room)
{
    if (--room->shown->holds == 0) {
        free(room->shown);
    }
}

void sim_check_end(void)
{
    struct truth_room *room, *next_room;
    HASH_ITER(hh, check.rooms, room, next_room)
    {
        HASH_DEL(check.rooms, room);
        free(room->entries);
        free(room->stays);
        truth_drop_shown(room);
        free(room);
    }
    struct truth_text *text, *next_text;
    HASH_ITER(hh, check.texts, text, next_text)
    {
        HASH_DEL(check.texts, text);
        free(text);
    }
}

/* Truth ------------------------------------------------------------------------------------------
 */

static struct truth_room *truth_room(const char *id, const char *epoch)
{
    char key[HGTP_ROOM_ID_BYTES + FROM_MAX];
    snprintf(key, sizeof key, "%s %s", id, epoch);
    struct truth_room *room;
    HASH_FIND_STR(check.rooms, key, room);
    return room;
}

static struct truth_text *truth_text(const char *text, bool must_be)
{
    struct truth_text *found;
    HASH_FIND_STR(check.texts, text, found);
    if (found == NULL && must_be) {
        found = calloc(1, sizeof *found);
        assert(found != NULL);
        snprintf(found->text, sizeof found->text, "%s", text);
        HASH_ADD_STR(check.texts, text, found);
    }
    return found;
}

static void truth_text_of(struct bytes text, char ret_text[TEXT_MAX])
{
    snprintf(ret_text, TEXT_MAX, "%.*s", (int)text.len, (const char *)text.ptr);
}

static int truth_user(struct bytes name)
{
    const struct sim_user *user = sim_user_named(name);
    return user != NULL ? user->index : -1;
}

static struct truth_entry *truth_entry(const struct truth_room *room, uint64_t seq)
{
    return seq >= 1 && seq <= room->count ? &room->entries[seq - 1] : NULL;
}

static bool truth_is_member(const struct truth_room *room, int user, uint64_t seq)
{
    for (size_t i = room->stay_count; i > 0; i--) {
        const struct truth_stay *stay = &room->stays[i - 1];
        if (stay->user == user && stay->from <= seq && (stay->to == 0 || seq <= stay->to)) {
            return true;
        }
    }
    return false;
}

/* The user's last stay; NULL: it was never there. */
static struct truth_stay *truth_last_stay(const struct truth_room *room, int user)
{
    for (size_t i = room->stay_count; i > 0; i--) {
        if (room->stays[i - 1].user == user) {
            return &room->stays[i - 1];
        }
    }
    return NULL;
}

static bool truth_begins(const struct truth_room *room, int user, uint64_t seq)
{
    for (size_t i = 0; i < room->stay_count; i++) {
        if (room->stays[i].user == user && room->stays[i].from == seq) {
            return true;
        }
    }
    return false;
}

static void truth_add_stay(struct truth_room *room, struct truth_stay stay)
{
    if (room->stay_count == room->stay_cap) {
        room->stay_cap = room->stay_cap == 0 ? 16 : room->stay_cap * 2;
        room->stays = realloc(room->stays, room->stay_cap * sizeof *room->stays);
        assert(room->stays != NULL);
    }
    room->stays[room->stay_count++] = stay;
}

static void truth_put(struct truth_room *room, struct truth_entry entry)
{
    if (room->count == room->cap) {
        room->cap = room->cap == 0 ? 64 : room->cap * 2;
        room->entries = realloc(room->entries, room->cap * sizeof *room->entries);
        assert(room->entries != NULL);
    }
    room->entries[room->count++] = entry;
}

static enum truth_kind truth_kind(const char *word)
{
    static const struct {
        const char *word;
        enum truth_kind kind;
    } kinds[] = {{"message", TRUTH_message}, {"created", TRUTH_enters}, {"joined", TRUTH_enters},
                 {"invited", TRUTH_enters},  {"left", TRUTH_leaves},    {"removed", TRUTH_leaves},
                 {"manager", TRUTH_shown},   {"notice", TRUTH_shown},   {"closed", TRUTH_closed}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].word, word) == 0) {
            return kinds[i].kind;
        }
    }
    return TRUTH_hidden;
}

/* The log of a room goes on under a new epoch: what was there before is there still. */
static void truth_inherit(struct truth_room *room, uint64_t kept)
{
    const struct truth_room *older = room->older;
    if (older == NULL || older->count < kept) {
        sim_wrong(NULL, room->name, "a log begins with number %llu", (unsigned long long)kept + 1);
        return;
    }
    memcpy(room->name, older->name, sizeof room->name);
    for (uint64_t seq = 1; seq <= kept; seq++) {
        truth_put(room, older->entries[seq - 1]);
    }
    for (size_t i = 0; i < older->stay_count; i++) {
        struct truth_stay stay = older->stays[i];
        if (stay.from <= kept) {
            stay.to = stay.to > kept ? 0 : stay.to;
            truth_add_stay(room, stay);
        }
    }
    truth_drop_shown(room);
    room->shown = older->shown;
    room->shown->holds++;
    for (int i = 0; i < SIM_USERS_MAX; i++) {
        room->shown->to[i] = room->shown->to[i] > kept ? kept : room->shown->to[i];
    }
}

static struct truth_room *truth_room_new(const char *id, const char *epoch)
{
    struct truth_room *room = calloc(1, sizeof *room), *other, *next;
    assert(room != NULL);
    HASH_ITER(hh, check.rooms, other, next)
    {
        room->older = strcmp(other->id, id) == 0 ? other : room->older; /* the latest */
    }
    room->shown = calloc(1, sizeof *room->shown);
    assert(room->shown != NULL);
    room->shown->holds = 1;
    snprintf(room->id, sizeof room->id, "%s", id);
    snprintf(room->epoch, sizeof room->epoch, "%s", epoch);
    snprintf(room->key, sizeof room->key, "%s %s", id, epoch);
    HASH_ADD_STR(check.rooms, key, room);
    return room;
}

static void truth_move(struct truth_room *room, const struct truth_entry *entry)
{
    uint64_t seq = room->count;
    struct truth_stay *stay = entry->user >= 0 ? truth_last_stay(room, entry->user) : NULL;
    for (size_t i = 0; entry->kind == TRUTH_closed && i < room->stay_count; i++) {
        room->stays[i].to = room->stays[i].to == 0 ? seq : room->stays[i].to;
    }
    if (entry->user < 0) {
        return;
    }
    if (entry->kind == TRUTH_enters) {
        if (stay != NULL && stay->to == 0) {
            sim_wrong(&sim_users[entry->user], room->name, "enters twice: number %llu",
                      (unsigned long long)seq);
        }
        truth_add_stay(room, (struct truth_stay){entry->user, seq, 0});
    } else if (entry->kind == TRUTH_leaves) {
        if (stay == NULL || stay->to != 0) {
            sim_wrong(&sim_users[entry->user], room->name, "leaves and was not there: number %llu",
                      (unsigned long long)seq);
            return;
        }
        stay->to = seq;
    }
}

static void truth_say(struct truth_room *room, const struct truth_entry *entry)
{
    const struct sim_user *user = entry->user >= 0 ? &sim_users[entry->user] : NULL;
    uint64_t seq = room->count;
    struct truth_text *text = truth_text(entry->text, true);
    size_t name_len = user != NULL ? strlen(user->name) : 0;
    check.figures.entries++;
    if (text->room != NULL && !text->room->entries[text->seq - 1].is_lost) {
        sim_wrong(user, room->name, "'%s' is stored twice: numbers %llu and %llu", entry->text,
                  (unsigned long long)text->seq, (unsigned long long)seq);
    }
    if (user == NULL || strncmp(entry->text, user->name, name_len) != 0 ||
        entry->text[name_len] != ':') {
        sim_wrong(user, room->name, "'%s' is said in another's name", entry->text);
    } else if (!truth_is_member(room, entry->user, seq)) {
        sim_wrong(user, room->name, "says '%s' and is no member", entry->text);
    }
    if (text->is_refused) {
        sim_wrong(user, room->name, "'%s' was refused and is stored", entry->text);
    }
    text->room = room;
    text->seq = seq;
}

static void truth_on_entry(const redisReply *row)
{
    if (row->elements < 9) {
        return;
    }
    const char *id = row->element[1]->str, *epoch = row->element[2]->str;
    const char *kind = row->element[4]->str;
    struct bytes who = bytes_of(row->element[5]->str, row->element[5]->len);
    uint64_t seq = strtoull(row->element[3]->str, NULL, 10);
    struct truth_entry entry = {.kind = truth_kind(kind), .user = truth_user(who)};
    snprintf(entry.text, sizeof entry.text, "%s", row->element[6]->str);
    struct truth_room *room = truth_room(id, epoch);
    if (room == NULL) {
        room = truth_room_new(id, epoch);
        if (seq > 1) {
            truth_inherit(room, seq - 1);
        }
    }
    const struct truth_entry *known = truth_entry(room, seq);
    if (known != NULL) {
        if (known->kind != entry.kind || known->user != entry.user ||
            strcmp(known->text, entry.text) != 0) {
            sim_wrong(known->user >= 0 ? &sim_users[known->user] : NULL, room->name,
                      "number %llu was '%s' and is '%s' in one epoch", (unsigned long long)seq,
                      known->text, entry.text);
        }
        return;
    }
    if (seq != room->count + 1) {
        sim_wrong(NULL, room->name, "the log goes on with %llu behind %llu",
                  (unsigned long long)seq, (unsigned long long)room->count);
        return;
    }
    if (strcmp(kind, "created") == 0) {
        snprintf(room->name, sizeof room->name, "%.15s", entry.text);
    }
    truth_put(room, entry);
    SIM_TELL(NULL, room->name, "log %s %.*s: %s %llu %.*s '%s'", room->name, 16, epoch, kind,
             (unsigned long long)seq, (int)who.len, (const char *)who.ptr, entry.text);
    if (entry.kind == TRUTH_message) {
        truth_say(room, &entry);
    } else {
        truth_move(room, &entry);
    }
}

/* The log goes on under a new epoch, which has what there was up to some entry. */
static void truth_on_epoch(const redisReply *row)
{
    const char *id = row->element[1]->str, *epoch = row->element[3]->str;
    uint64_t kept = strtoull(row->element[4]->str, NULL, 10);
    if (truth_room(id, epoch) == NULL) {
        struct truth_room *room = truth_room_new(id, epoch);
        truth_inherit(room, kept);
        SIM_TELL(NULL, room->name, "a new epoch: %s, which has %llu entries", epoch,
                 (unsigned long long)kept);
    }
}

void sim_check_on_reply(const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ERROR) {
        sim_wrong(NULL, NULL, "a script fails: %s", reply->str);
        return;
    }
    for (size_t i = 2; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
        const redisReply *row = reply->element[i];
        if (row->type != REDIS_REPLY_ARRAY || row->elements < 1) {
            continue;
        }
        if (strcmp(row->element[0]->str, "entry") == 0) {
            truth_on_entry(row);
        } else if (strcmp(row->element[0]->str, "epoch") == 0 && row->elements > 4) {
            truth_on_epoch(row);
        }
    }
}

static uint64_t truth_redis_top(const struct truth_room *room)
{
    redisReply *epoch = sim_redis_ask("HGET %sr:%s epoch", SIM_PREFIX, room->id);
    bool is_there = epoch->type == REDIS_REPLY_STRING && strcmp(epoch->str, room->epoch) == 0;
    freeReplyObject(epoch);
    if (!is_there) {
        return 0;
    }
    redisReply *last = sim_redis_ask("XREVRANGE %slog:%s + - COUNT 1", SIM_PREFIX, room->id);
    uint64_t top = 0;
    if (last->type == REDIS_REPLY_ARRAY && last->elements == 1) {
        top = strtoull(last->element[0]->element[0]->str + 2, NULL, 10);
    }
    freeReplyObject(last);
    return top;
}

void sim_check_on_loss(void)
{
    struct truth_room *room, *next;
    size_t lost_count = 0;
    check.had_loss = true;
    HASH_ITER(hh, check.rooms, room, next)
    {
        for (uint64_t seq = truth_redis_top(room) + 1; seq <= room->count; seq++) {
            lost_count += room->entries[seq - 1].is_lost ? 0 : 1;
            room->entries[seq - 1].is_lost = true;
        }
    }
    SIM_TELL(NULL, NULL, "Redis has lost its last writes: %zu entries", lost_count);
}

/* What clients are shown --------------------------------------------------------------------------
 */

static bool truth_is_trimmed(const struct truth_room *room, uint64_t seq)
{
    return seq + (uint64_t)sim_config.history_length <= room->count;
}

/* The first entry between two that the user should have been shown; 0: none. */
static uint64_t truth_missing(const struct truth_room *room, int user, uint64_t from, uint64_t to,
                              bool is_messages_only)
{
    for (uint64_t seq = from; seq <= to; seq++) {
        const struct truth_entry *entry = truth_entry(room, seq);
        bool is_shown = entry != NULL && (entry->kind == TRUTH_message ||
                                          (!is_messages_only && entry->kind < TRUTH_closed));
        /* Whether one sees one's own way out is left open. */
        bool is_own_end = is_shown && entry->kind == TRUTH_leaves && entry->user == user;
        if (is_shown && !is_own_end && !entry->is_lost && truth_is_member(room, user, seq)) {
            return seq;
        }
    }
    return 0;
}

void sim_check_entry(const struct sim_user *user, struct sim_stay *stay, uint64_t seq,
                     bool is_message, struct bytes who, struct bytes content)
{
    const struct truth_room *room = truth_room(stay->room_id, stay->epoch);
    const struct truth_entry *entry = room != NULL ? truth_entry(room, seq) : NULL;
    char text[TEXT_MAX];
    truth_text_of(content, text);
    check.figures.deliveries++;
    if (entry == NULL) {
        sim_wrong(user, stay->room, "is shown number %llu, which never was",
                  (unsigned long long)seq);
        return;
    }
    if (is_message != (entry->kind == TRUTH_message) ||
        (is_message && (strcmp(text, entry->text) != 0 || truth_user(who) != entry->user))) {
        sim_wrong(user, stay->room, "is shown '%s' as number %llu, which is '%s'", text,
                  (unsigned long long)seq, entry->text);
        return;
    }
    /* A member may ask for what was said before it came; it does so by its number. */
    const struct truth_stay *present = truth_last_stay(room, user->index);
    bool is_history = present != NULL && present->to == 0 && seq < present->from;
    if (!is_history && !truth_is_member(room, user->index, seq)) {
        sim_wrong(user, stay->room, "reads number %llu ('%s') and was no member",
                  (unsigned long long)seq, entry->text);
        return;
    }
    if (stay->last == 0 ? !is_history && !truth_begins(room, user->index, seq)
                        : seq <= stay->last) {
        sim_wrong(user, stay->room,
                  stay->last == 0 ? "begins with number %llu%.0llu"
                                  : "is shown number %llu behind %llu",
                  (unsigned long long)seq, (unsigned long long)stay->last);
        return;
    }
    uint64_t missing =
        stay->last == 0 ? 0 : truth_missing(room, user->index, stay->last + 1, seq - 1, false);
    if (missing != 0) {
        sim_wrong(user, stay->room, "is shown number %llu and was not shown %llu",
                  (unsigned long long)seq, (unsigned long long)missing);
        return;
    }
    stay->last = seq;
}

void sim_check_gap(const struct sim_user *user, struct sim_stay *stay, uint64_t from, uint64_t to)
{
    const struct truth_room *room = truth_room(stay->room_id, stay->epoch);
    if (room == NULL) {
        return;
    }
    for (uint64_t seq = from; seq <= to && !check.had_loss; seq++) {
        if (!truth_is_trimmed(room, seq) &&
            truth_missing(room, user->index, seq, seq, false) != 0) {
            sim_wrong(user, stay->room, "is told that number %llu is lost, and it is there",
                      (unsigned long long)seq);
            return;
        }
    }
    stay->last = to > stay->last ? to : stay->last;
}

void sim_check_ack(const struct sim_user *user, struct bytes content, uint64_t seq)
{
    char text[TEXT_MAX];
    truth_text_of(content, text);
    const struct truth_text *known = truth_text(text, false);
    check.figures.acknowledged++;
    if (known == NULL || known->room == NULL) {
        sim_wrong(user, NULL, "'%s' is acknowledged and stored nowhere", text);
    } else if (seq != 0 && seq != known->seq && !check.had_loss) {
        sim_wrong(user, known->room->name, "'%s' is acknowledged as number %llu and is %llu", text,
                  (unsigned long long)seq, (unsigned long long)known->seq);
    }
}

void sim_check_refused(const struct sim_user *user, struct bytes content, enum err err)
{
    char text[TEXT_MAX];
    truth_text_of(content, text);
    struct truth_text *known = truth_text(text, true);
    if (err_is_fault(err)) {
        return; /* it says that it may be tried again, not that it was not done */
    }
    if (known->room != NULL) {
        sim_wrong(user, known->room->name, "'%s' is refused (%s) and stored", text, err_name(err));
    }
    known->is_refused = true;
}

void sim_check_push(const struct sim_user *user, struct bytes who, struct bytes content)
{
    char text[TEXT_MAX];
    truth_text_of(content, text);
    const struct truth_text *known = truth_text(text, false);
    check.figures.deliveries++;
    if (known == NULL || known->room == NULL) {
        sim_wrong(user, NULL, "is shown '%s', which nobody said", text);
        return;
    }
    struct truth_room *room = known->room;
    const struct truth_entry *entry = truth_entry(room, known->seq);
    if (truth_user(who) != entry->user) {
        sim_wrong(user, room->name, "is shown '%s' in another's name", text);
        return;
    }
    if (!truth_is_member(room, user->index, known->seq)) {
        sim_wrong(user, room->name, "reads '%s' (number %llu) and was no member", text,
                  (unsigned long long)known->seq);
        return;
    }
    uint64_t *shown_to = &room->shown->to[user->index];
    if (known->seq <= *shown_to) {
        return; /* once more, as after a node's death */
    }
    uint64_t from = known->seq;
    while (from - 1 > *shown_to && truth_is_member(room, user->index, from - 1) &&
           !truth_begins(room, user->index, from)) {
        from--;
    }
    uint64_t missing = truth_missing(room, user->index, from, known->seq - 1, true);
    if (missing != 0 && !truth_is_trimmed(room, missing)) {
        sim_wrong(user, room->name, "is shown '%s' (number %llu) and was not shown %llu", text,
                  (unsigned long long)known->seq, (unsigned long long)missing);
        return;
    }
    *shown_to = known->seq;
}

/* After quiet -------------------------------------------------------------------------------------
 */

struct redis_session {
    bool is_there;
    char uid[HGTP_USER_ID_BYTES + 1];
    char room[16], room_id[HGTP_ROOM_ID_BYTES + 1], epoch[40], home[32], state[16];
    uint64_t top;
};

static void check_get(char *ret, size_t cap, const char *kind, const char *id, const char *field)
{
    redisReply *reply = field != NULL
                            ? sim_redis_ask("HGET %s%s:%s %s", SIM_PREFIX, kind, id, field)
                            : sim_redis_ask("GET %s%s:%s", SIM_PREFIX, kind, id);
    snprintf(ret, cap, "%s", reply->type == REDIS_REPLY_STRING ? reply->str : "");
    freeReplyObject(reply);
}

static struct redis_session check_session(const char *name)
{
    struct redis_session s = {0};
    check_get(s.uid, sizeof s.uid, "un", name, NULL);
    s.is_there = s.uid[0] != '\0';
    if (!s.is_there) {
        return s;
    }
    check_get(s.room_id, sizeof s.room_id, "u", s.uid, "room");
    check_get(s.home, sizeof s.home, "u", s.uid, "home");
    check_get(s.state, sizeof s.state, "u", s.uid, "state");
    if (s.room_id[0] != '\0') {
        check_get(s.room, sizeof s.room, "r", s.room_id, "name");
        check_get(s.epoch, sizeof s.epoch, "r", s.room_id, "epoch");
    }
    return s;
}

static void check_completeness(const struct sim_user *user, const struct sim_belief *belief,
                               const struct redis_session *s)
{
    const struct truth_room *room = truth_room(s->room_id, s->epoch);
    if (room == NULL) {
        /* After a loss the new epoch begins with its first entry. */
        return;
    }
    const struct truth_stay *stay = truth_last_stay(room, user->index);
    if (stay == NULL) {
        sim_wrong(user, s->room, "is in a room whose log does not have it");
        return;
    }
    uint64_t from = user->is_original ? room->shown->to[user->index] : belief->last;
    from = from + 1 > stay->from ? from + 1 : stay->from;
    uint64_t missing = truth_missing(room, user->index, from, room->count, user->is_original);
    if (missing != 0) {
        sim_wrong(user, s->room, "was not shown number %llu ('%s')", (unsigned long long)missing,
                  room->entries[missing - 1].text);
    }
}

static void check_members(const struct sim_user *user, const struct sim_belief *belief,
                          const struct redis_session *s)
{
    redisReply *uids = sim_redis_ask("ZRANGE %sm:%s 0 -1", SIM_PREFIX, s->room_id);
    size_t count = 0;
    for (const char *at = belief->members; at != NULL && (at = strchr(at, ' ')) != NULL; at++) {
        count++;
    }
    bool is_equal = belief->members != NULL && count == uids->elements;
    for (size_t i = 0; is_equal && i < uids->elements; i++) {
        char name[16], word[20];
        check_get(name, sizeof name, "u", uids->element[i]->str, "name");
        snprintf(word, sizeof word, "%s ", name);
        is_equal = strstr(belief->members, word) != NULL;
    }
    if (!is_equal) {
        sim_wrong(user, s->room, "has the members' list '%s', and the room has %zu",
                  belief->members != NULL ? belief->members : "(none)", uids->elements);
    }
    freeReplyObject(uids);
}

static void check_user(const struct sim_user *user)
{
    const struct sim_belief belief = sim_belief(user);
    const struct redis_session s = check_session(user->name);
    if (user->is_original && (belief.was_misled || belief.is_unsure)) {
        return; /* what it does not know was lost on its way */
    }
    if (belief.is_unsure) {
        sim_wrong(user, NULL, "is still trying to connect or to be answered");
        return;
    }
    if (belief.is_registered && !s.is_there) {
        if (!user->is_original || belief.room[0] != '\0' || !user->was_kicked) {
            sim_wrong(user, belief.room, "believes to be registered, in room '%s'", belief.room);
        }
        return;
    }
    if (strcmp(belief.room, s.room) != 0) {
        sim_wrong(user, belief.room[0] != '\0' ? belief.room : s.room,
                  "believes to be in room '%s' and is in '%s'", belief.room, s.room);
        return;
    }
    if (s.room[0] == '\0') {
        return;
    }
    if (!user->is_original && (strcmp(belief.room_id, s.room_id) != 0 ||
                               (strcmp(belief.epoch, s.epoch) != 0 && !check.had_loss))) {
        sim_wrong(user, s.room, "has epoch %s of its room, which is %s", belief.epoch, s.epoch);
        return;
    }
    check_completeness(user, &belief, &s);
    check_members(user, &belief, &s);
}

/* What a node has of its clients is what Redis has. */
static void check_client(const struct sim_node *node, const struct client *client)
{
    char uid[HGTP_USER_ID_BYTES + 1] = "", name[16], home[32], room_id[16], epoch[40] = "";
    memcpy(uid, client->uid, HGTP_USER_ID_BYTES);
    check_get(name, sizeof name, "u", uid, "name");
    check_get(home, sizeof home, "u", uid, "home");
    check_get(room_id, sizeof room_id, "u", uid, "room");
    const struct sim_user *user = sim_user_named(bytes_str(name));
    if (strcmp(home, node->name) != 0) {
        sim_wrong(user, NULL, "n%d keeps the client %s (%s), which is at home at '%s'", node->index,
                  uid, name, home);
        return;
    }
    if (room_id[0] != '\0') {
        check_get(epoch, sizeof epoch, "r", room_id, "epoch");
    }
    const struct room *room = client->room;
    bool is_same = room == NULL ? room_id[0] == '\0'
                                : memcmp(room->id, room_id, sizeof room->id) == 0 &&
                                      (strcmp(room->epoch, epoch) == 0 || check.had_loss);
    if (!is_same) {
        sim_wrong(user, NULL, "n%d has it in room %.12s, and it is in '%s'", node->index,
                  room != NULL ? (const char *)room->id : "none", room_id);
    }
}

static void check_nodes(void)
{
    for (int i = 0; i < sim_node_count; i++) {
        const struct sim_node *node = &sim_nodes[i];
        struct client *client, *next;
        if (node->phase != SIM_UP) {
            continue;
        }
        HASH_ITER(hh, node->core->roster.clients, client, next)
        {
            check_client(node, client);
        }
    }
    redisReply *uids = sim_redis_ask("ZRANGE %ssessions 0 -1", SIM_PREFIX);
    for (size_t i = 0; i < uids->elements; i++) {
        char home[32], name[16];
        check_get(home, sizeof home, "u", uids->element[i]->str, "home");
        check_get(name, sizeof name, "u", uids->element[i]->str, "name");
        const struct sim_node *node = home[0] == 'n' ? &sim_nodes[home[1] - '0'] : NULL;
        struct bytes uid = bytes_str(uids->element[i]->str);
        if (home[0] != '\0' && (node->core == NULL || strcmp(node->name, home) != 0 ||
                                roster_client(&node->core->roster, uid) == NULL)) {
            sim_wrong(sim_user_named(bytes_str(name)), NULL,
                      "%s is at home at %s, which has it not", name, home);
        }
    }
    freeReplyObject(uids);
}

static void check_doctor_row(const redisReply *row)
{
    char what[200] = "", severity[16] = "", name[32] = "";
    for (size_t f = 2; f + 1 < row->elements; f += 2) {
        const char *field = row->element[f]->str, *value = row->element[f + 1]->str;
        if (strcmp(field, "what") == 0) {
            snprintf(what, sizeof what, "%s", value);
        } else if (strcmp(field, "severity") == 0) {
            snprintf(severity, sizeof severity, "%s", value);
        } else if (strcmp(field, "check") == 0) {
            snprintf(name, sizeof name, "%s", value);
        }
    }
    sim_wrong(NULL, NULL, "doctor finds %s (%s): %.150s", name, severity, what);
}

static void check_doctor(void)
{
    char cursor[64] = "";
    do {
        redisReply *reply = sim_redis_script(
            SCRIPT_ctl_doctor, "node", "sim", "history", "1000", "dedupe_ms", "30000", "lists_max",
            "1000", "coalesce_ms", "100", "members_max", "100", "rooms_max", "100", "answer_ms",
            "10000", "actor", "sim", "fix", "", "cursor", cursor, NULL);
        for (size_t i = 2; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
            const redisReply *row = reply->element[i];
            if (row->elements > 1 && strcmp(row->element[0]->str, "row") == 0 &&
                strcmp(row->element[1]->str, "Finding") == 0) {
                check_doctor_row(row);
            }
        }
        snprintf(cursor, sizeof cursor, "%s",
                 reply->type == REDIS_REPLY_ARRAY ? reply->element[1]->str : "0");
        freeReplyObject(reply);
    } while (strcmp(cursor, "0") != 0 && cursor[0] != '\0');
}

void sim_check_quiet(void)
{
    for (int i = 0; i < sim_user_count && !check.is_wrong; i++) {
        check_user(&sim_users[i]);
    }
    if (!check.is_wrong) {
        check_nodes();
    }
    if (!check.is_wrong) {
        check_doctor();
    }
}

void sim_check_gone(void)
{
    static const char *const kinds[] = {"u:", "un:", "r:", "rn:", "m:", "rh:", "i:"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        redisReply *keys = sim_redis_ask("KEYS %s%s*", SIM_PREFIX, kinds[i]);
        if (keys->elements > 0) {
            sim_wrong(NULL, NULL, "everybody has gone, and %s is left", keys->element[0]->str);
        }
        freeReplyObject(keys);
    }
    for (int i = 0; i < sim_node_count; i++) {
        if (sim_nodes[i].phase == SIM_UP && core_census(sim_nodes[i].core).rooms > 0) {
            sim_wrong(NULL, NULL, "everybody has gone, and n%d has a room left", i);
        }
    }
}
