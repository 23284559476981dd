/* SPDX-License-Identifier: MIT */
/*
 * talk: the heart of a node: takes requests and messages from the front, has the scripts decide,
 * and carries out what they answer at the clients whose home is here. It knows no socket.
 */
#ifndef TALK_TALK_H
#define TALK_TALK_H

#include "node/base/config.h"
#include "ports.h"

struct talk;

struct talk_options {
    const struct config *config;      /* live: values may change between calls */
    const struct talk_keys *keys;     /* live */
    const struct talk_keys *bus_keys; /* live; what seals accounts, if there is one */
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
struct talk *talk_new(const struct talk_options *options);

/** Every call to the store must have been answered before. Closes the push connections. */
void talk_free(struct talk *talk);

/** What waits to be asked of the store is answered as if that were away; to be called before it
 * closes. */
void talk_end_waiting(struct talk *talk);

/** One datagram from the listening socket; `datagram` is borrowed for the call. */
void talk_on_datagram(struct talk *talk, uint32_t ip, uint16_t port, struct bytes datagram);

/** Who asks for something otherwise than by a datagram. All views are borrowed for the call. */
struct talk_asker {
    uint32_t ip;        /* of the connection: what may be done from an address goes by this one */
    uint32_t client_ip; /* behind a proxy what that says, else the same: to count and show by */
    struct bytes token; /* shown by the client; or empty */
    void *line;         /* of the line port, on which it asks; or NULL */
    void *owner;        /* of that line: its session's token counts instead of `token` */
};

/** `reply`: an HGTP message, borrowed; empty when there is none to give (yet). */
typedef void talk_on_reply_fn(struct bytes reply, void *arg);
/**
 * One HGTP message. A REGISTER that succeeds attaches the line it came by.
 *
 * on_reply  comes exactly once, possibly from inside the call
 */
void talk_ask(struct talk *talk, const struct talk_asker *asker, struct bytes message,
              talk_on_reply_fn *on_reply, void *arg);

/** A client wants to attach a line to its session. */
struct talk_attach {
    struct talk_asker asker; /* by its token */
    bool has_after;
    uint64_t after;     /* it has its room's entries up to this one */
    struct bytes epoch; /* ... if this is the room's epoch; empty: it does not know */
    bool has_try;
    uint64_t try_number; /* of the client's, rising: a lower one than before comes too late */
    enum format format;  /* of the line to be */
};
/** ERR_NONE: returns the line to attach, or NULL when there is none any more. */
typedef void *talk_on_attach_fn(enum err err, void *arg);
/** `on_attach` comes exactly once, possibly from inside the call. */
void talk_attach(struct talk *talk, const struct talk_attach *attach, talk_on_attach_fn *on_attach,
                 void *arg);

/** The line of `owner` has ended; it will not be used again. */
void talk_on_line_ended(void *owner);

/** Entries of the room's log, as the texts of WebSocket: `text` is borrowed; empty unless ERR_NONE.
 */
typedef void talk_on_history_fn(enum err err, struct bytes text, void *arg);
#define TALK_HISTORY_MAX 100
/**
 * The last `count` (at most TALK_HISTORY_MAX) entries before number `before` (0: from the end) of
 * the room that the asker is in. `on_history` comes exactly once, possibly from inside the call.
 */
void talk_history(struct talk *talk, const struct talk_asker *asker, uint64_t before, size_t count,
                  talk_on_history_fn *on_history, void *arg);

/** Who says something over HTTP, and what. All views are borrowed for the call. */
struct talk_message {
    struct talk_asker asker;
    struct bytes user_id; /* used when the asker shows no token */
    struct bytes id;      /* the client's own; a repetition is stored once. Empty: it has none */
    struct bytes text;    /* checked here: UTF-8, limits.message_bytes */
    bool is_originals;    /* in the original's form; else it is given Redis' time */
    bool is_manager;      /* nothing is said: `text` names the member who is to manage the room */
    int64_t sent_unix_ms; /* by the sender's clock */
};
#define TALK_MESSAGE_ID_MAX 64

/** `seq`: the number of its entry in the room log, when `err` is ERR_NONE. */
typedef void talk_on_said_fn(enum err err, uint64_t seq, void *arg);
/** `on_said` comes exactly once, possibly from inside the call. */
void talk_say(struct talk *talk, const struct talk_message *message, talk_on_said_fn *on_said,
              void *arg);

/** A message in the original's form did not come this far, because of `err`: its client is told by
 * a notice, as for one that talk_say refuses. `message->text` is not looked at. */
void talk_unsaid(struct talk *talk, const struct talk_message *message, enum err err);

/** Start the arguments of a script for operators with what every such script gets. */
void talk_control_args(struct talk *talk, struct script_args *args);
/**
 * Run it: `on_result` comes once, with its rows among the effects, which are carried out otherwise
 * as they are for every script.
 */
void talk_control(struct talk *talk, enum script script, const struct script_args *args,
                  store_on_result_fn *on_result, void *arg);

/** From inside an on_result: the code of a result, or, of none, why there is none. What Redis
 * itself refuses shows in talk_ready, too. */
enum err talk_outcome(struct talk *talk, const struct result *result);

/* Users' own keys. */
#define TALK_ACCOUNT_KEY_CHARS 32
#define TALK_SEALED_MAX        2048
/** A new key for a user, as text, and as it may be kept in Redis; false: no secret is configured
 * that could seal it. */
bool talk_account_make(struct talk *talk, struct bytes user,
                       char ret_key[TALK_ACCOUNT_KEY_CHARS + 1], char ret_sealed[TALK_SEALED_MAX]);
/** "sealed", "old" (by a secret that is being replaced) or "unreadable"; static. */
const char *talk_account_state(const struct talk *talk, struct bytes user, struct bytes sealed);

/** There is space again on the push connection of `owner`, what the push port's open was given, or
 * on its line. */
void talk_on_drained(void *owner);

/** A client has confirmed something; `owner` as above. */
void talk_on_confirmed(void *owner);

/** Another node wants this carried out here. */
void talk_on_bus_effect(struct talk *talk, const struct effect *effect);
/** Something from other nodes may have been missed. */
void talk_on_bus_gap(struct talk *talk);
/** A node was heard that is not on the list of nodes as known here. */
void talk_on_bus_stranger(struct talk *talk);
/** What bus_port.beat sent to this node itself came back. */
void talk_on_bus_echo(struct talk *talk);

/** The store is connected (again): what was missed meanwhile is looked for. */
void talk_on_store(struct talk *talk, bool connected);

/** What a script did whose call had been given up: it has happened and is carried out. */
void talk_on_late(struct talk *talk, const struct result *result);

/** Do what is due. Returns ms until it wants to be called again. */
int64_t talk_tick(struct talk *talk);

/** REGISTER and new lines are refused, the other nodes take the push clients over, clients with
 * lines are told to go to another node, one after the other within `within_ms`. */
void talk_drain(struct talk *talk, int64_t within_ms);
/** After talk_drain: serve again. What has gone stays where it is. */
void talk_resume(struct talk *talk);
/** After talk_drain: close the lines of those that did not go. */
void talk_send_off(struct talk *talk);
/** The node ends: push clients get nothing new, so that what they have confirmed is final. */
void talk_stop(struct talk *talk);
/** True when all push clients have confirmed what was sent to them and no line is left. */
bool talk_settled(const struct talk *talk);
/** After talk_stop: leave the cluster; the others go on with the sessions where they end here. */
void talk_leave(struct talk *talk);

/** How many other nodes serve, as of the last beat. */
size_t talk_others(const struct talk *talk);

struct talk_census {
    size_t sessions, lines, rooms; /* at home here; rooms with members that are */
    int64_t store_ms;              /* how long the last beat took */
    int64_t beat_age_ms;           /* since Redis took it; 0: it never has */
};
struct talk_census talk_census(const struct talk *talk);

/** Since when another living node uses this one's id, so that it may not serve; 0: none does. */
int64_t talk_id_taken_ms(const struct talk *talk);

/** True when Redis has taken a write of this node, and a batch of its own came back over the bus,
 * within the last 3 s; else why not. */
bool talk_ready(const struct talk *talk, const char **ret_why);

/** Calls to the store that have not been answered. */
size_t talk_in_flight(const struct talk *talk);

#endif
