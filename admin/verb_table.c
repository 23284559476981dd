/* SPDX-License-Identifier: MIT */
/*
 * verb_table: every group, verb, word and option, with what they mean. What can't be said in a
 * table is in a cmd_*.c of its own.
 */
#include "admin/cmd.h"
#include "admin/judge.h"
#include "admin/verb.h"
#include "admin/verb_columns.h"

/* clang-format off */
#define ROOM {"ROOM", "room", KIND_ROOM, "the room's name"}
#define USER {"USER", "user", KIND_USER, "the user's name"}
#define NODE_OR_ASKED {"NODE", "node", KIND_NODE, "the node's id; without it, the node that is asked", .is_optional = true}
#define TEXT {"TEXT", "text", KIND_TEXT, "what to say"}
#define MATCH {"match", "TEXT", "match", KIND_TEXT, "only names with TEXT in them; with * or ? in it: names that look like it"}
#define REVERSE {"reverse", NULL, "reverse", KIND_FLAG, "the other way round"}
#define LIMIT {"limit", "N", "limit", KIND_NUMBER, "at most N of them (100)"}

#define TOP_SORTS "node state sessions beat rooms messages delivered queued redis memory cpu lines room members rate idle age limit manager nodes user transport expires since address waiting"

const struct verb_group verb_groups[] = {
    {"node", "nodes of the cluster"},
    {"room", "rooms and who is in them"},
    {"session", "sessions of users"},
    {"account", "users that may sign in with a key of their own"},
    {"config", "settings of running nodes"},
    {"context", "clusters that you work with: where they are, and the token"},
};
const size_t verb_group_count = sizeof verb_groups / sizeof verb_groups[0];

const struct verb_option verb_globals[] = {
    [GLOBAL_URL] = {"url", "URL", NULL, KIND_URL, "a node's control address: ipc:///path, tcp://host:port or tls+tcp://host:port; of several, with commas between them, the first that answers"},
    [GLOBAL_CONTEXT] = {"context", "NAME", NULL, KIND_CONTEXT, "addresses, token and authorities of this context"},
    [GLOBAL_TOKEN_FILE] = {"token-file", "F", NULL, KIND_FILE, "file with the token, as its first word or behind a role"},
    [GLOBAL_CA_FILE] = {"ca-file", "F", NULL, KIND_FILE, "for tls+tcp: authorities (PEM) that the node's certificate has to come from (the system's)"},
    [GLOBAL_TLS_NAME] = {"tls-name", "NAME", NULL, KIND_TEXT, "for tls+tcp: the DNS name that the node's certificate has to carry (the address' host); nodes' tls.name, as a rule"},
    [GLOBAL_OUTPUT] = {"o", "table|json", NULL, KIND_CHOICE, "for people (table, the default) or for programs (json)", "table json"},
    [GLOBAL_TIMEOUT] = {"timeout", "S", NULL, KIND_DURATION, "how long to wait for an answer (5 s)"},
    [GLOBAL_HELP] = {"help", NULL, NULL, KIND_FLAG, "say what there is, or more about a verb"},
    [GLOBAL_SHORT_HELP] = {"h", NULL, NULL, KIND_FLAG, "the same"},
    [GLOBAL_VERSION] = {"version", NULL, NULL, KIND_FLAG, "the version of this tool"},
    [GLOBAL_COUNT] = {NULL},
};

const struct verb_option verb_cares[] = {
    [CARE_DRY_RUN] = {"dry-run", NULL, NULL, KIND_FLAG, "only say who and what would be hit"},
    [CARE_YES] = {"yes", NULL, NULL, KIND_FLAG, "don't ask; needed where there is no terminal"},
    [CARE_COUNT] = {NULL},
};

const struct verb verbs[] = {
    {"node", "list", "NodeList", "the nodes of the cluster, and how they are", ROLE_VIEW,
     .view = {.columns = verb_columns_nodes}, .judge = judge_nodes,
     .example = "node list"},
    {"node", "show", "NodeShow", "one node, with its metrics", ROLE_VIEW,
     .words = {NODE_OR_ASKED},
     .view = {verb_columns_node, "node", verb_columns_metrics}, .judge = judge_node,
     .example = "node show n1"},
    {"node", "drain", "NodeDrain", "hand a node's sessions to the others and take no new ones", ROLE_ADMINISTER, true,
     .words = {NODE_OR_ASKED},
     .options = {{"wait", "S", NULL, KIND_DURATION, "end when it has no session left, or after S seconds"}},
     .run = cmd_drain,
     .example = "node drain n1 --wait 60"},
    {"node", "resume", "NodeResume", "take a drained node into service again", ROLE_ADMINISTER,
     .words = {NODE_OR_ASKED},
     .example = "node resume n1"},
    {"node", "restart-rolling", NULL, "drain one node, wait until it is back under a new incarnation and serves, then the next; stop at the first that isn't", ROLE_ADMINISTER, true,
     .options = {{"wait", "S", NULL, KIND_DURATION, "how long a node may take to be back (120 s)"}},
     .view = {.columns = verb_columns_restarts}, .run = cmd_rolling,
     .example = "node restart-rolling --wait 60 --yes"},

    {"room", "list", "RoomList", "rooms, with members and messages", ROLE_VIEW,
     .options = {MATCH, {"sort", "FIELD", "sort", KIND_CHOICE, "by this (room)", "room members messages age idle"}, REVERSE, LIMIT},
     .view = {.columns = verb_columns_rooms},
     .example = "room list --sort members --reverse --limit 20"},
    {"room", "show", "RoomShow", "one room", ROLE_VIEW,
     .words = {ROOM}, .view = {.fields = verb_columns_room},
     .example = "room show tea"},
    {"room", "members", "RoomMembers", "who is in a room", ROLE_VIEW,
     .words = {ROOM}, .view = {.columns = verb_columns_members},
     .example = "room members tea"},
    {"room", "create", "RoomCreate", "open a room of the operators': without a manager, it stays until it is deleted", ROLE_OPERATE,
     .words = {{"ROOM", "room", KIND_TEXT, "the new room's name"}},
     .options = {{"limit", "N", "limit", KIND_NUMBER, "at most N members (limits.room_members)"}},
     .example = "room create tea --limit 50"},
    {"room", "delete", "RoomDelete", "close a room: everybody out, its log gone", ROLE_OPERATE, true,
     .words = {ROOM},
     .example = "room delete tea --dry-run"},
    {"room", "limit", "RoomLimit", "set how many members a room may have", ROLE_OPERATE,
     .words = {ROOM, {"N", "limit", KIND_NUMBER, "at most N members; 0: limits.room_members"}},
     .example = "room limit tea 200"},
    {"room", "invite", "RoomInvite", "invite a user to a room", ROLE_OPERATE,
     .words = {ROOM, USER},
     .example = "room invite tea bob"},
    {"room", "kick", "RoomKick", "take a user out of a room", ROLE_OPERATE, true,
     .words = {ROOM, USER},
     .example = "room kick tea bob --yes"},
    {"room", "notice", "RoomNotice", "say something to all in a room", ROLE_OPERATE,
     .words = {ROOM, TEXT},
     .example = "room notice tea \"we close at ten\""},
    {"room", "history", "RoomHistory", "the last entries of a room's log, oldest first", ROLE_VIEW,
     .words = {ROOM},
     .options = {{"before", "SEQ", "before", KIND_NUMBER, "those before this number"},
                 {"count", "N", "count", KIND_NUMBER, "at most N of them (50)"}},
     .view = {.columns = verb_columns_entries},
     .example = "room history tea --count 10"},

    {"session", "list", "SessionList", "sessions of users", ROLE_VIEW,
     .options = {MATCH, {"sort", "FIELD", "sort", KIND_CHOICE, "by this (user)", "user room node since expires"}, REVERSE, LIMIT,
                 {"node", "NODE", "node", KIND_NODE, "only those at this node"},
                 {"room", "ROOM", "room", KIND_ROOM, "only those in this room"}},
     .view = {.columns = verb_columns_sessions},
     .example = "session list --room tea"},
    {"session", "show", "SessionShow", "one session", ROLE_VIEW,
     .words = {USER}, .view = {.fields = verb_columns_session},
     .example = "session show bob"},
    {"session", "kick", "SessionKick", "end a session; a room that it manages is closed. Its user may come back at once: to keep out, see account", ROLE_OPERATE, true,
     .words = {USER},
     .example = "session kick bob --dry-run"},

    {NULL, "notice", "Notice", "say something to everybody", ROLE_OPERATE,
     .words = {TEXT},
     .example = "notice \"back in five minutes\""},

    {"account", "add", "AccountAdd", "make a key for a user; it is shown this once", ROLE_ADMINISTER,
     .words = {{"USER", "user", KIND_TEXT, "the user's name"}}, .view = {.fields = verb_columns_key},
     .example = "account add bob"},
    {"account", "list", "AccountList", "users with a key of their own", ROLE_VIEW,
     .view = {.columns = verb_columns_accounts},
     .example = "account list"},
    {"account", "remove", "AccountRemove", "take a user's key away, and end the session", ROLE_ADMINISTER, true,
     .words = {{"USER", "user", KIND_ACCOUNT, "the user's name"}},
     .example = "account remove bob --dry-run"},

    {"config", "show", "ConfigShow", "a node's settings as they are now", ROLE_VIEW,
     .words = {NODE_OR_ASKED},
     .view = {verb_columns_settings_of, NULL, verb_columns_settings},
     .example = "config show n1"},
    {"config", "set", "ConfigSet", "change a setting until the next restart; what needs a restart says so", ROLE_ADMINISTER, true,
     .words = {{"KEY", "key", KIND_SETTING, "as in log.level"}, {"VALUE", "value", KIND_TEXT, "what it is to be"}},
     .options = {{"node", "NODE", "node", KIND_NODE, "only at this node (all)"}},
     .view = {.columns = verb_columns_results}, .judge = judge_results,
     .example = "config set log.level debug --node n1 --yes"},

    {NULL, "stats", "Stats", "the cluster in numbers", ROLE_VIEW,
     .view = {verb_columns_stats, NULL, verb_columns_metrics}, .judge = judge_stats,
     .example = "stats"},
    {NULL, "top", NULL, "nodes, rooms and sessions as they change, on the terminal; one reading where stdout is none", ROLE_VIEW,
     .options = {{"view", "VIEW", NULL, KIND_CHOICE, "what to begin with (nodes)", "nodes rooms sessions"},
                 {"interval", "S", NULL, KIND_DURATION, "how often it is read (1 s)"},
                 {"sort", "COLUMN", NULL, KIND_CHOICE, "by this column of the view (nodes: node, rooms: rate, sessions: user)", TOP_SORTS},
                 {"reverse", NULL, NULL, KIND_FLAG, "the other way round"},
                 {"match", "TEXT", NULL, KIND_TEXT, "only names with TEXT in them; with * or ? in it: names that look like it"},
                 {"limit", "N", NULL, KIND_NUMBER, "at most N rooms or sessions (1000 on a terminal, else 100)"},
                 {"count", "N", NULL, KIND_NUMBER, "end after N readings"}},
     .run = cmd_top,
     .example = "top --view rooms --sort members"},
    {NULL, "events", "Events", "what happened, operators' changes included; of the last hour unless said otherwise", ROLE_VIEW,
     .options = {{"follow", NULL, NULL, KIND_FLAG, "go on with what happens from now on, at another node if this one ends"},
                 {"since", "S", "since_ms", KIND_DURATION, "those of the last S seconds, or 10m, 2h, 7d"},
                 {"after", "CURSOR", "after", KIND_TEXT, "those behind this one; 0: from the beginning"},
                 {"kind", "NAME", "kind", KIND_TEXT, "only those whose name begins so"},
                 {"user", "USER", "user", KIND_USER, "only of this user"},
                 {"room", "ROOM", "room", KIND_ROOM, "only of this room"},
                 {"count", "N", NULL, KIND_NUMBER, "end after N of them"}},
     .view = {.columns = verb_columns_events}, .run = cmd_events,
     .example = "events --follow --since 10m"},
    {NULL, "doctor", "Doctor", "compare the state with its own rules, and say what is wrong", ROLE_VIEW,
     .options = {{"fix", NULL, "fix", KIND_FLAG, "repair what can be repaired"}},
     .view = {verb_columns_checked, NULL, verb_columns_findings, .none = "nothing is wrong"}, .judge = judge_doctor,
     .example = "doctor"},

    {NULL, "talk", NULL, "talk as a user, in this terminal; or with what stdin says, where it is none", ROLE_NONE,
     .words = {{"SERVER", NULL, KIND_TEXT, "HOST or HOST:PORT where a node, or a balancer, speaks HTTP (127.0.0.1:8080)", .is_optional = true}},
     .options = {{"name", "NAME", NULL, KIND_TEXT, "your name ($USER)"},
                 {"key", "KEY", NULL, KIND_TEXT, "the key that the service, or your account, has ($HGTP_AUTH_KEY)"},
                 {"key-file", "F", NULL, KIND_FILE, "file with the key in its first line"},
                 {"room", "ROOM", NULL, KIND_TEXT, "enter this room first"},
                 {"hgtp", "SERVER", NULL, KIND_TEXT, "where it speaks HGTP over UDP (the same host, port 9000)"},
                 {"no-color", NULL, NULL, KIND_FLAG, "no colours"},
                 {"plain", NULL, NULL, KIND_FLAG, "lines in and out, on a terminal too"}},
     .run = cmd_talk,
     .example = "talk --name alice --key-file ~/hgtp.key --room tea chat.example.org"},

    {NULL, "bench", NULL, "load a running cluster with users of its own, and count what arrives; they are gone when it ends", ROLE_NONE,
     .words = {{"SERVER", NULL, KIND_TEXT, "HOST or HOST:PORT, as for talk (127.0.0.1:8080)", .is_optional = true}},
     .options = {{"users", "N", NULL, KIND_NUMBER, "so many users (20)"},
                 {"rooms", "N", NULL, KIND_NUMBER, "in so many rooms (one for each four users)"},
                 {"rate", "N", NULL, KIND_NUMBER, "messages per second of all together (100); 0: as many as --window allows"},
                 {"seconds", "S", NULL, KIND_DURATION, "talk so long (10 s)"},
                 {"size", "N", NULL, KIND_NUMBER, "bytes of a message (128)"},
                 {"window", "N", NULL, KIND_NUMBER, "so many messages of a user may be unacknowledged (8)"},
                 {"prefix", "NAME", NULL, KIND_TEXT, "names of users and rooms begin so (bench)"},
                 {"key", "KEY", NULL, KIND_TEXT, "the service's key ($HGTP_AUTH_KEY)"},
                 {"key-file", "F", NULL, KIND_FILE, "file with the key in its first line"},
                 {"hgtp", "SERVER", NULL, KIND_TEXT, "where it speaks HGTP over UDP (the same host, port 9000)"},
                 {"yes", NULL, NULL, KIND_FLAG, "go on although others have sessions there"}},
     .view = {.fields = verb_columns_bench}, .run = cmd_bench,
     .example = "bench --users 200 --rooms 20 --rate 500 --key-file ~/hgtp.key chat.example.org"},

    {"context", "add", NULL, "keep a cluster's addresses, the files of token and authorities, and --tls-name, under a name", ROLE_NONE,
     .words = {{"NAME", NULL, KIND_TEXT, "letters, digits, '-', '_', '.'"},
               {"URL", NULL, KIND_URL, "a node's control address, as for --url", .is_optional = true, .is_many = true}},
     .run = cmd_context_add,
     .example = "context add prod tcp://10.0.0.5:9300 tcp://10.0.0.6:9300 --token-file ~/hgtp.token"},
    {"context", "list", NULL, "the contexts there are", ROLE_NONE,
     .view = {.columns = verb_columns_contexts}, .run = cmd_context_list,
     .example = "context list"},
    {"context", "use", NULL, "use this context where --url, --context and HGTPCTL_URL say nothing", ROLE_NONE,
     .words = {{"NAME", NULL, KIND_CONTEXT, "its name; without it, none is used", .is_optional = true}},
     .run = cmd_context_use,
     .example = "context use prod"},
    {"context", "remove", NULL, "forget a context", ROLE_NONE,
     .words = {{"NAME", NULL, KIND_CONTEXT, "its name"}},
     .run = cmd_context_remove,
     .example = "context remove prod"},

    {NULL, "completion", NULL, "a script that makes the shell complete hgtpctl's words", ROLE_NONE,
     .words = {{"SHELL", NULL, KIND_CHOICE, "bash, zsh or fish", .choices = "bash zsh fish"}},
     .run = cmd_completion,
     .example = "completion bash"},
    {NULL, "version", NULL, "of this tool, and of the node that answers", ROLE_VIEW,
     .view = {.fields = verb_columns_versions}, .run = cmd_version,
     .example = "version"},
};
const size_t verb_count = sizeof verbs / sizeof verbs[0];
/* clang-format on */
