/* SPDX-License-Identifier: MIT */
/*
 * sim_client: the users of a simulated world and the programs they use: modern clients
 * (sim_modern.c) over WebSockets and event streams (sim_line.c), original ones (sim_original.c)
 * over datagrams (sim_net.c) and pushes (sim_push.c). What users want is sim_user.c's.
 */
#ifndef SIM_SIM_CLIENT_H
#define SIM_SIM_CLIENT_H

#include "node/core/core.h"
#include "proto/hgtp.h"
#include "sim.h"

#define SIM_USERS_MAX 32
#define SIM_ROOMS     4 /* names that users know */

struct sim_conn;
struct sim_modern;
struct sim_original;

struct sim_user {
    int index;
    char name[16];
    bool is_original;
    uint32_t ip;
    bool wants_out;  /* the end of the world: it leaves and signs off */
    bool is_done;    /* ... and has */
    bool was_kicked; /* by an operator: its session may be gone without its doing */
    uint32_t message_count;
    int64_t act_us; /* when it does something next */
    union {
        struct sim_modern *modern;
        struct sim_original *original;
    };
};

extern struct sim_user sim_users[SIM_USERS_MAX];
extern int sim_user_count;

struct sim_user *sim_user_named(struct bytes name);
const char *sim_room_name(int index);

/* sim_user.c */
void sim_users_begin(int count);
void sim_users_end(void);
/** Users do nothing of their own accord any more. */
void sim_users_rest(void);
/** Everybody leaves and signs off. */
void sim_users_go(void);
/** Does every user know that it is signed off? Else `ret_user` is one that is not. */
bool sim_users_are_gone(struct sim_user **ret_user);
uint64_t sim_operations(void);
void sim_operation(void);

/* Users' programs. `act`: the user does something, as far as it can. */
void sim_modern_new(struct sim_user *user);
void sim_modern_free(struct sim_user *user);
void sim_modern_act(struct sim_user *user);
/** Beside what the user does: connects again, says again. */
void sim_modern_tick(struct sim_user *user);
void sim_original_new(struct sim_user *user);
void sim_original_free(struct sim_user *user);
void sim_original_act(struct sim_user *user);
void sim_original_tick(struct sim_user *user);
/** Its program crashes; the user starts it again. */
void sim_original_crash(struct sim_user *user);
/** It takes and answers nothing until then. */
void sim_original_freeze(struct sim_user *user, int64_t until_us);

/* What they believe, for the checker. */
struct sim_belief {
    bool is_registered;
    char room[16];   /* ""; none */
    bool is_unsure;  /* it waits for an answer, or is about to connect */
    bool was_misled; /* a datagram that would have told it was lost */
    char uid[HGTP_USER_ID_BYTES + 1];
    /* modern */
    char room_id[HGTP_ROOM_ID_BYTES + 1];
    char epoch[40];
    uint64_t last;
    const char *members; /* as last told: names, each followed by a blank; NULL: never */
};
struct sim_belief sim_modern_belief(const struct sim_user *user);
struct sim_belief sim_original_belief(const struct sim_user *user);
struct sim_belief sim_belief(const struct sim_user *user);

/* sim_line.c: a connection that a modern client has opened */
enum sim_said { SIM_SAID_HGTP, SIM_SAID_MESSAGE };
struct sim_conn *sim_conn_open(struct sim_user *user, struct sim_node *node, enum format format,
                               const struct core_attach *attach);
void sim_conn_send(struct sim_conn *conn, enum sim_said what, struct bytes id,
                   struct bytes content);
/** The client does not want it any more; nothing comes from it. */
void sim_conn_close(struct sim_conn *conn);
/** Something between breaks it. */
void sim_conn_break(struct sim_conn *conn);
/** The client reads nothing before that time. */
void sim_conn_slow(struct sim_conn *conn, int64_t until_us);
/** Nothing can be said over it, only heard. */
bool sim_conn_is_stream(const struct sim_conn *conn);
/** Lines of a node that drains: it closes them. */
void sim_lines_send_off(struct sim_node *node);

void sim_modern_on_open(struct sim_user *user, struct sim_conn *conn);
void sim_modern_on_refused(struct sim_user *user, struct sim_conn *conn, enum err err);
/** A text, or an HGTP message. */
void sim_modern_on_frame(struct sim_user *user, struct sim_conn *conn, bool is_text,
                         struct bytes content);
void sim_modern_on_closed(struct sim_user *user, struct sim_conn *conn, enum ws_close why);
struct sim_conn *sim_modern_conn(const struct sim_user *user);

/* POST to a node. The callback comes once unless the node dies: reply empty: none or an error. */
typedef void sim_on_post_fn(struct sim_user *user, enum err err, uint64_t seq, struct bytes reply,
                            uint64_t tag);
void sim_post(struct sim_user *user, struct sim_node *node, enum sim_said what, struct bytes token,
              struct bytes id, struct bytes content, sim_on_post_fn *on_post, uint64_t tag);

/* sim_net.c: datagrams */
void sim_datagram_to_node(struct sim_user *user, uint16_t port, struct sim_node *node,
                          struct bytes datagram);
void sim_original_on_datagram(struct sim_user *user, uint16_t port, struct bytes datagram);
/** One that would have told the client something is lost. */
void sim_original_on_lost(struct sim_user *user, struct bytes datagram);
bool sim_original_has_port(const struct sim_user *user, uint16_t port);

/* sim_push.c: what the client's HTTP port takes; false: nobody listens there, or nobody answers */
bool sim_original_listens(const struct sim_user *user, uint16_t port);
bool sim_original_answers(const struct sim_user *user);
/** When it does again. */
int64_t sim_original_answers_at(const struct sim_user *user);
void sim_original_on_push(struct sim_user *user, const uint8_t uid[8], enum push_type type,
                          struct bytes body);
struct sim_user *sim_user_at(uint32_t ip);

#endif
