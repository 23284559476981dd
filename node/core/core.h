/* SPDX-License-Identifier: MIT */
/*
 * core: the heart of a node: takes requests and messages from the front, has the scripts decide,
 * and carries out what they answer at the clients whose home is here. It knows no socket.
 */
#ifndef CORE_TALK_H
#define CORE_TALK_H

#include "node/base/config.h"
#include "ports.h"

struct core;

struct core_options {
    const struct config *config;      /* live: values may change between calls */
    const struct core_keys *keys;     /* live */
    const struct core_keys *bus_keys; /* live; what seals accounts, if there is one */
    const char *node;                 /* id and incarnation of this node */
    uint16_t http_port;               /* told to clients */
    const char *hgtp_address;         /* told to other nodes, "ip:port" */
    const char *http_address;
    const char *bus_address; /* "": there is no bus, this node is alone */
    struct store_port store;
    struct datagram_port datagram;
    struct push_port push;
    struct line_port line;
    struct bus_port bus; /* unused when bus_address is "" */
    struct clock_port clock;
};

/** NULL when memory is out. `options` is copied, what it points to is not. */
struct core *core_new(const struct core_options *options);

/** Every call to the store must have been answered before. Closes the push connections. */
void core_free(struct core *core);

/** What waits to be asked of the store is answered as if that were away; to be called before it
 * closes. */
void core_end_waiting(struct core *core);

/** One datagram from the listening socket; `datagram` is borrowed for the call. */
void core_on_datagram(struct core *core, uint32_t ip, uint16_t port, struct bytes datagram);

/** Who asks for something otherwise than by a datagram. All views are borrowed for the call. */
struct core_asker {
    uint32_t ip;        /* of the connection: what may be done from an address goes by this one */
    uint32_t client_ip; /* behind a proxy what that says, else the same: to count and show by */
    struct bytes token; /* shown by the client; or empty */
    void *line;         /* of the line port, on which it asks; or NULL */
    void *owner;        /* of that line: its session's token counts instead of `token` */
};

/** `reply`: an HGTP message, borrowed; empty when there is none to give (yet). */
typedef void core_on_reply_fn(struct bytes reply, void *arg);
/**
 * One HGTP message. A REGISTER that succeeds attaches the line it came by.
 *
 * on_reply  comes exactly once, possibly from inside the call
 */
void core_ask(struct core *core, const struct core_asker *asker, struct bytes message,
              core_on_reply_fn *on_reply, void *arg);

/** A client wants to attach a line to its session. */
struct core_attach {
    struct core_asker asker; /* by its token */
    bool has_after;
    uint64_t after;     /* it has its room's entries up to this one */
    struct bytes epoch; /* ... if this is the room's epoch; empty: it does not know */
    bool has_try;
    uint64_t try_number; /* of the client's, rising: a lower one than before comes too late */
    enum format format;  /* of the line to be */
};
/** ERR_NONE: returns the line to attach, or NULL when there is none any more. */
typedef void *core_on_attach_fn(enum err err, void *arg);
/** `on_attach` comes exactly once, possibly from inside the call. */
void core_attach(struct core *core, const struct core_attach *attach, core_on_attach_fn *on_attach,
                 void *arg);

/** The line of `owner` has ended; it will not be used again. */
void core_on_line_ended(void *owner);

/** Entries of the room's log, as the texts of WebSocket: `text` is borrowed; empty unless ERR_NONE.
 */
typedef void core_on_history_fn(enum err err, struct bytes text, void *arg);
#define CORE_HISTORY_MAX 100
/**
 * The last `count` (at most CORE_HISTORY_MAX) entries before number `before` (0: from the end) of
 * the room that the asker is in. `on_history` comes exactly once, possibly from inside the call.
 */
void core_history(struct core *core, const struct core_asker *asker, uint64_t before, size_t count,
                  core_on_history_fn *on_history, void *arg);

/** Who says something over HTTP, and what. All views are borrowed for the call. */
struct core_message {
    struct core_asker asker;
    struct bytes user_id; /* used when the asker shows no token */
    struct bytes id;      /* the client's own; a repetition is stored once. Empty: it has none */
    struct bytes text;    /* checked here: UTF-8, limits.message_bytes */
    bool is_originals;    /* in the original's form; else it is given Redis' time */
    bool is_manager;      /* nothing is said: `text` names the member who is to manage the room */
    int64_t sent_unix_ms; /* by the sender's clock */
};
#define CORE_MESSAGE_ID_MAX 64

/** `seq`: the number of its entry in the room log, when `err` is ERR_NONE. */
typedef void core_on_said_fn(enum err err, uint64_t seq, void *arg);
/** `on_said` comes exactly once, possibly from inside the call. */
void core_say(struct core *core, const struct core_message *message, core_on_said_fn *on_said,
              void *arg);

/** A message in the original's form did not come this far, because of `err`: its client is told by
 * a notice, as for one that core_say refuses. `message->text` is not looked at. */
void core_unsaid(struct core *core, const struct core_message *message, enum err err);

/** Start the arguments of a script for operators with what every such script gets. */
void core_control_args(struct core *core, struct script_args *args);
/**
 * Run it: `on_result` comes once, with its rows among the effects, which are carried out otherwise
 * as they are for every script.
 */
void core_control(struct core *core, enum script script, const struct script_args *args,
                  store_on_result_fn *on_result, void *arg);

/** From inside an on_result: the code of a result, or, of none, why there is none. What Redis
 * itself refuses shows in core_ready, too. */
enum err core_outcome(struct core *core, const struct result *result);

/* Users' own keys. */
#define CORE_ACCOUNT_KEY_CHARS 32
#define CORE_SEALED_MAX        2048
/** A new key for a user, as text, and as it may be kept in Redis; false: no secret is configured
 * that could seal it. */
bool core_account_make(struct core *core, struct bytes user,
                       char ret_key[CORE_ACCOUNT_KEY_CHARS + 1], char ret_sealed[CORE_SEALED_MAX]);
/** "sealed", "old" (by a secret that is being replaced) or "unreadable"; static. */
const char *core_account_state(const struct core *core, struct bytes user, struct bytes sealed);

/** There is space again on the push connection of `owner`, what the push port's open was given, or
 * on its line. */
void core_on_drained(void *owner);

/** A client has confirmed something; `owner` as above. */
void core_on_confirmed(void *owner);

/** Another node wants this carried out here. */
void core_on_bus_effect(struct core *core, const struct effect *effect);
/** Something from other nodes may have been missed. */
void core_on_bus_gap(struct core *core);
/** A node was heard that is not on the list of nodes as known here. */
void core_on_bus_stranger(struct core *core);
/** What bus_port.beat sent to this node itself came back. */
void core_on_bus_echo(struct core *core);

/** The store is connected (again): what was missed meanwhile is looked for. */
void core_on_store(struct core *core, bool connected);

/** What a script did whose call had been given up: it has happened and is carried out. */
void core_on_late(struct core *core, const struct result *result);

/** Do what is due. Returns ms until it wants to be called again. */
int64_t core_tick(struct core *core);

/** REGISTER and new lines are refused, the other nodes take the push clients over, clients with
 * lines are told to go to another node, one after the other within `within_ms`. */
void core_drain(struct core *core, int64_t within_ms);
/** After core_drain: serve again. What has gone stays where it is. */
void core_resume(struct core *core);
/** After core_drain: close the lines of those that did not go. */
void core_send_off(struct core *core);
/** The node ends: push clients get nothing new, so that what they have confirmed is final. */
void core_stop(struct core *core);
/** True when all push clients have confirmed what was sent to them and no line is left. */
bool core_settled(const struct core *core);
/** After core_stop: leave the cluster; the others go on with the sessions where they end here. */
void core_leave(struct core *core);

/** How many other nodes serve, as of the last beat. */
size_t core_others(const struct core *core);

struct core_census {
    size_t sessions, lines, rooms; /* at home here; rooms with members that are */
    int64_t store_ms;              /* how long the last beat took */
    int64_t beat_age_ms;           /* since Redis took it; 0: it never has */
};
struct core_census core_census(const struct core *core);

/** Since when another living node uses this one's id, so that it may not serve; 0: none does. */
int64_t core_id_taken_ms(const struct core *core);

/** True when Redis has taken a write of this node, and a batch of its own came back over the bus,
 * within the last 3 s; else why not. */
bool core_ready(const struct core *core, const char **ret_why);

/** Calls to the store that have not been answered. */
size_t core_in_flight(const struct core *core);

#endif
