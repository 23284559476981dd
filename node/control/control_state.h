/* SPDX-License-Identifier: MIT */
/* control_state: what control.c and the methods of this node share. Not for others. */
#ifndef CONTROL_CONTROL_STATE_H
#define CONTROL_CONTROL_STATE_H

#include "control.h"
#include "control.pb-c.h"
#include "control_rows.h"
#include "control_socket.h"
#include "control_tokens.h"
#include "node/talk/script_args.h"
#include "rpc.pb-c.h"

/* Longest reply. */
#define CONTROL_REPLY_MAX ((size_t)4 << 20)

struct control_call;

struct control_method {
    const char *name;
    enum control_role role;
    void (*own)(struct control_call *call); /* NULL: the script does it */
    enum script script;
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
    size_t page_count;
    ProtobufCMessage *request;
    ProtobufCMessage *reply;
};

struct control {
    struct control_options options;
    struct control_socket *socket;
    struct control_tokens tokens;
    bool is_private;  /* only this user can open the socket */
    char folder[128]; /* made for the socket; empty: none was */
    uv_timer_t timer;
    struct control_call *calls;
};

/* Each answers, if that has not been done yet. */
void control_fail(struct control_call *call, Hgtp__Rpc__Code code, const char *message);
void control_refuse(struct control_call *call, enum err err);
void control_reply(struct control_call *call);
/** The call is over. */
void control_end(struct control_call *call);

/* control_own.c */
void control_version(struct control_call *call);

#endif
