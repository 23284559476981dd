/* SPDX-License-Identifier: MIT */
/* control_state: what control.c and the methods of this node share. Not for others. */
#ifndef CONTROL_CONTROL_STATE_H
#define CONTROL_CONTROL_STATE_H

#include "control.h"
#include "control.pb-c.h"
#include "control_figures.h"
#include "control_local.h"
#include "control_rows.h"
#include "control_socket.h"
#include "control_tokens.h"
#include "node/core/script_args.h"
#include "rpc.pb-c.h"

#define CONTROL_NODE_MAX 160 /* id@incarnation */
/* Longest reply. */
#define CONTROL_REPLY_MAX ((size_t)4 << 20)

struct control_call;

/* What a node does itself for a call, which may have come to another one. */
struct control_here {
    const ProtobufCMessage *request;
    ProtobufCMessage *reply;
    Hgtp__Rpc__Code code;
    char message[CONFIG_ERROR_BYTES]; /* when `code` is not OK */
};

struct control_method {
    const char *name;
    enum control_role role;
    void (*own)(struct control_call *call); /* NULL: the script does it */
    enum script script;
    void (*here)(struct control *control, struct control_here *here); /* NULL: nothing */
};

/* A node that is asked for its part of an answer. */
struct control_part {
    char node[CONTROL_NODE_MAX]; /* id@incarnation */
    uint64_t id;                 /* of the question; 0: it is answered */
    Hgtp__Rpc__Code code;
    char message[CONFIG_ERROR_BYTES];
    ProtobufCMessage *reply; /* NULL unless `code` is OK */
};

/* A request that is being done. */
struct control_call {
    struct control *control;
    struct control_call *next, *prev;
    struct control_slot *slot; /* NULL: it is answered */
    const struct control_method *method;
    uint64_t id;
    int64_t until_ms;
    char actor[192];
    enum control_role role;
    enum script script; /* that is running */
    size_t page_count;
    char sealed[CORE_SEALED_MAX]; /* given to the script as `sealed`; empty: nothing is */
    void (*on_rows)(struct control_call *call);  /* NULL: the rows are the reply */
    ProtobufCMessage *rows;                      /* where they go */
    ProtobufCMessage *nodes;                     /* NodeListReply; NULL: not asked for */
    void (*on_nodes)(struct control_call *call); /* they are in `nodes` */
    const struct control_method *part_method;    /* that nodes are asked for */
    const ProtobufCMessage *part_request;
    struct control_part *parts; /* NULL: no node is asked */
    size_t part_count;
    int64_t parts_until_ms;
    void (*on_parts)(struct control_call *call); /* every node has answered, or the time is over */
    ProtobufCMessage *request;
    ProtobufCMessage *reply;
};

struct control {
    struct control_options options;
    /* It listens at one of them, or could not; other nodes reach it all the same. */
    struct control_socket *socket;
    struct control_local *local;
    char address[256]; /* of that; empty: none */
    struct control_tokens tokens;
    char folder[128]; /* made for the socket; empty: none was */
    uv_timer_t timer;
    struct control_call *calls;
    uint64_t last_question;
    struct control_figures figures;
};

/* Each answers, if that has not been done yet. */
void control_fail(struct control_call *call, Hgtp__Rpc__Code code, const char *message);
void control_refuse(struct control_call *call, enum err err);
void control_reply(struct control_call *call);
/** The call is over. */
void control_end(struct control_call *call);

/** Run a script with the request's fields; its rows go to call->rows, then call->on_rows is called.
 * A refusal ends the call. */
void control_run(struct control_call *call, enum script script);

/** A request has come, by either way. */
void control_on_request(struct control_slot *slot, struct bytes bytes, void *arg);

/* control_own.c */
void control_version(struct control_call *call);

/* control_accounts.c */
void control_account_add(struct control_call *call);
void control_account_list(struct control_call *call);

/* control_nodes.c */
void control_nodes_show(struct control_call *call);
void control_nodes_one(struct control_call *call);
void control_nodes_change(struct control_call *call);
void control_nodes_set(struct control_call *call);

/** Read the nodes from Redis; `then` finds them in call->nodes. */
void control_nodes_read(struct control_call *call, void (*then)(struct control_call *call));
/** What was read. */
const Hgtp__Control__NodeListReply *control_nodes_of(const struct control_call *call);
/** Make parts of all that beat, or beat until a moment ago, in their order. */
void control_nodes_add_all(struct control_call *call);

/* control_cluster.c */
void control_cluster_list(struct control_call *call);
void control_cluster_stats(struct control_call *call);

/* control_ask.c */
/** Ask the nodes in call->parts, this one among them or not; call->on_parts comes once, possibly
 * from inside. */
void control_ask(struct control_call *call);
/** Those that have not answered in time will not. */
void control_ask_tick(struct control_call *call, int64_t now_ms);
void control_ask_free(struct control_call *call);

/* control_here.c */
void control_here_show(struct control *control, struct control_here *here);
void control_here_drain(struct control *control, struct control_here *here);
void control_here_resume(struct control *control, struct control_here *here);
void control_here_config(struct control *control, struct control_here *here);
void control_here_set(struct control *control, struct control_here *here);

/** The method of that name, with or without the service in front; NULL: there is none. */
const struct control_method *control_method_find(const char *name);
const ProtobufCMethodDescriptor *control_method_types(const struct control_method *method);

#endif
