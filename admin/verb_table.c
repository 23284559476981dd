/* SPDX-License-Identifier: MIT */
/* verb_table: every verb, its words, its options and the columns of its table. */
#include "verb.h"

static const struct output_column version_columns[] = {{"node", "node", FORMAT_TEXT},
                                                       {"version", "version", FORMAT_TEXT},
                                                       {"realm", "realm", FORMAT_TEXT},
                                                       {NULL, NULL, FORMAT_TEXT}};

static const struct output_column node_columns[] = {{"NODE", "id", FORMAT_TEXT},
                                                    {"STATE", "state", FORMAT_TEXT},
                                                    {"SESSIONS", "sessions", FORMAT_COUNT},
                                                    {"BEAT", "beat_age_ms", FORMAT_AGE},
                                                    {"SINCE", "since_ms", FORMAT_TIME},
                                                    {"HGTP", "hgtp", FORMAT_TEXT},
                                                    {"HTTP", "http", FORMAT_TEXT},
                                                    {"BUS", "bus", FORMAT_TEXT},
                                                    {NULL, NULL, FORMAT_TEXT}};

static const struct output_column room_columns[] = {
    {"ROOM", "room", FORMAT_TEXT},       {"MEMBERS", "members", FORMAT_COUNT},
    {"LIMIT", "limit", FORMAT_COUNT},    {"MESSAGES", "messages", FORMAT_COUNT},
    {"AGE", "age_ms", FORMAT_AGE},       {"IDLE", "idle_ms", FORMAT_AGE},
    {"MANAGER", "manager", FORMAT_TEXT}, {NULL, NULL, FORMAT_TEXT}};

static const struct output_column one_room_columns[] = {
    {"room", "room", FORMAT_TEXT},       {"id", "id", FORMAT_TEXT},
    {"manager", "manager", FORMAT_TEXT}, {"members", "members", FORMAT_COUNT},
    {"limit", "limit", FORMAT_COUNT},    {"messages", "messages", FORMAT_COUNT},
    {"kept", "kept", FORMAT_COUNT},      {"created", "created_ms", FORMAT_TIME},
    {"age", "age_ms", FORMAT_AGE},       {"idle", "idle_ms", FORMAT_AGE},
    {"nodes", "nodes", FORMAT_TEXT},     {NULL, NULL, FORMAT_TEXT}};

static const struct output_column member_columns[] = {
    {"USER", "user", FORMAT_TEXT},       {"JOINED", "joined_ms", FORMAT_TIME},
    {"NODE", "node", FORMAT_TEXT},       {"TRANSPORT", "transport", FORMAT_TEXT},
    {"MANAGER", "manager", FORMAT_TEXT}, {NULL, NULL, FORMAT_TEXT}};

static const struct output_column entry_columns[] = {
    {"SEQ", "seq", FORMAT_COUNT},  {"TIME", "time_ms", FORMAT_TIME}, {"KIND", "kind", FORMAT_TEXT},
    {"USER", "user", FORMAT_TEXT}, {"TEXT", "text", FORMAT_TEXT},    {NULL, NULL, FORMAT_TEXT}};

static const struct output_column session_columns[] = {
    {"USER", "user", FORMAT_TEXT},           {"STATE", "state", FORMAT_TEXT},
    {"ROOM", "room", FORMAT_TEXT},           {"NODE", "node", FORMAT_TEXT},
    {"TRANSPORT", "transport", FORMAT_TEXT}, {"EXPIRES", "expires_in_ms", FORMAT_AGE},
    {"ADDRESS", "address", FORMAT_TEXT},     {NULL, NULL, FORMAT_TEXT}};

static const struct output_column one_session_columns[] = {
    {"user", "user", FORMAT_TEXT},       {"id", "id", FORMAT_TEXT},
    {"state", "state", FORMAT_TEXT},     {"room", "room", FORMAT_TEXT},
    {"node", "node", FORMAT_TEXT},       {"transport", "transport", FORMAT_TEXT},
    {"address", "address", FORMAT_TEXT}, {"auth", "auth", FORMAT_TEXT},
    {"since", "since_ms", FORMAT_TIME},  {"expires in", "expires_in_ms", FORMAT_AGE},
    {"waiting", "waiting", FORMAT_TEXT}, {NULL, NULL, FORMAT_TEXT}};

static const struct output_column event_columns[] = {
    {"TIME", "time_ms", FORMAT_TIME},  {"EVENT", "event", FORMAT_TEXT},
    {"USER", "user", FORMAT_TEXT},     {"ROOM", "room", FORMAT_TEXT},
    {"NODE", "node", FORMAT_TEXT},     {"ACTOR", "actor", FORMAT_TEXT},
    {"RESULT", "result", FORMAT_TEXT}, {NULL, NULL, FORMAT_TEXT}};

#define ROOM_WORD                                                                                  \
    {                                                                                              \
        "ROOM", "room"                                                                             \
    }
#define USER_WORD                                                                                  \
    {                                                                                              \
        "USER", "user"                                                                             \
    }
#define LIST_OPTIONS(orders)                                                                       \
    {"match", "TEXT", "match", "only names with TEXT in them; with * and ?: that look like it"},   \
        {"sort", "FIELD", "sort", "by " orders},                                                   \
        {"reverse", NULL, "reverse", "the other way round"},                                       \
    {                                                                                              \
        "limit", "N", "limit", "at most N of them (100)"                                           \
    }

const struct verb verbs[] = {
    {"node", "list", "NodeList", "the nodes of the cluster", .columns = node_columns},
    {"room", "list", "RoomList", "rooms, with members and messages",
     .options = {LIST_OPTIONS("room, members, messages, age or idle")}, .columns = room_columns},
    {"room", "show", "RoomShow", "one room", .words = {ROOM_WORD}, .columns = one_room_columns},
    {"room", "members", "RoomMembers", "who is in a room", .words = {ROOM_WORD},
     .columns = member_columns},
    {"room", "create", "RoomCreate",
     "open a room of the operators', which stays until it is deleted", .words = {ROOM_WORD},
     .options = {{"limit", "N", "limit", "at most N members"}}},
    {"room", "delete", "RoomDelete", "close a room: everybody out, its log gone", true,
     .words = {ROOM_WORD}},
    {"room", "limit", "RoomLimit", "how many members a room may have",
     .words = {ROOM_WORD, {"N", "limit"}}},
    {"room", "invite", "RoomInvite", "invite a user to a room", .words = {ROOM_WORD, USER_WORD}},
    {"room", "kick", "RoomKick", "take a user out of a room", true,
     .words = {ROOM_WORD, USER_WORD}},
    {"room", "notice", "RoomNotice", "say something to all in a room",
     .words = {ROOM_WORD, {"TEXT", "text"}}},
    {"room", "history", "RoomHistory", "the last entries of a room's log", .words = {ROOM_WORD},
     .options = {{"before", "SEQ", "before", "those before this number"},
                 {"count", "N", "count", "so many (50)"}},
     .columns = entry_columns},
    {"session", "list", "SessionList", "sessions of users",
     .options = {LIST_OPTIONS("user, room, node, since or expires"),
                 {"node", "ID", "node", "only those at this node"},
                 {"room", "ROOM", "room", "only those in this room"}},
     .columns = session_columns},
    {"session", "show", "SessionShow", "one session", .words = {USER_WORD},
     .columns = one_session_columns},
    {"session", "kick", "SessionKick", "end a session; a room that it manages is closed", true,
     .words = {USER_WORD}},
    {NULL, "notice", "Notice", "say something to everybody", .words = {{"TEXT", "text"}}},
    {NULL, "events", "Events", "what happened in the realm, operators' changes included",
     .options = {{"since", "MS", "since_ms", "those of the last so many ms"},
                 {"after", "CURSOR", "after", "those behind this one; 0: from the beginning"},
                 {"kind", "NAME", "kind", "only those whose name begins so"},
                 {"user", "USER", "user", "only of this user"},
                 {"room", "ROOM", "room", "only of this room"},
                 {"count", "N", "count", "at most N of them (100)"}},
     .columns = event_columns},
    {NULL, "version", "Version", "of the node that answers, and of this tool",
     .columns = version_columns},
};
const size_t verb_count = sizeof verbs / sizeof verbs[0];
