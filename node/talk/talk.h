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

/** The key is borrowed from the caller for the life of talk; two are valid while keys are rotated.
 */
#define TALK_KEYS_MAX 2
struct talk_keys {
    struct bytes keys[TALK_KEYS_MAX];
    size_t count;
};

struct talk_options {
    const struct config *config;  /* live: values may change between calls */
    const struct talk_keys *keys; /* live */
    const char *node;             /* id and incarnation of this node */
    uint16_t http_port;           /* told to clients */
    const char *hgtp_address;     /* told to other nodes, "ip:port" */
    const char *http_address;
    const char *bus_address; /* "": there is no bus, this node is alone */
    struct store_port store;
    struct datagram_port datagram;
    struct push_port push;
    struct bus_port bus; /* unused when bus_address is "" */
    struct clock_port clock;
};

/** NULL when memory is out. `options` is copied, what it points to is not. */
struct talk *talk_new(const struct talk_options *options);

/** Every call to the store must have been answered before. Closes the push connections. */
void talk_free(struct talk *talk);

/** One datagram from the listening socket; `datagram` is borrowed for the call. */
void talk_on_datagram(struct talk *talk, uint32_t ip, uint16_t port, struct bytes datagram);

/** Who says something over HTTP, and what. All views are borrowed for the call. */
struct talk_message {
    struct bytes token;   /* session token, or empty: the session is told by uid and ip */
    struct bytes user_id; /* used when `token` is empty */
    uint32_t ip;
    struct bytes text; /* checked here: UTF-8, limits.message_bytes */
    int64_t sent_unix_ms;
};

/** `seq`: the message's number in the room log, when `err` is ERR_NONE. */
typedef void talk_on_said_fn(enum err err, uint64_t seq, void *arg);
/** `on_said` comes exactly once, possibly from inside the call. */
void talk_say(struct talk *talk, const struct talk_message *message, talk_on_said_fn *on_said,
              void *arg);

/** There is space again on the push connection of `owner`: what the push port's open was given. */
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

/** The node is going down: REGISTER is refused, clients get nothing new. */
void talk_drain(struct talk *talk);
/** True when all clients have confirmed what was sent to them. */
bool talk_settled(const struct talk *talk);
/** After talk_drain: leave the cluster; the others go on with the sessions where they end here. */
void talk_leave(struct talk *talk);

/** Since when another living node uses this one's id, so that it may not serve; 0: none does. */
int64_t talk_id_taken_ms(const struct talk *talk);

/** True when Redis has taken a write of this node, and a batch of its own came back over the bus,
 * within the last 3 s; else why not. */
bool talk_ready(const struct talk *talk, const char **ret_why);

/** Calls to the store that have not been answered. */
size_t talk_in_flight(const struct talk *talk);

#endif
