/* SPDX-License-Identifier: MIT */
/*
 * sim_check: what must never happen, looked for all the time, and what must be so after a while of
 * quiet. The truth is what scripts appended to the room logs, in the order in which Redis ran them.
 */
#ifndef SIM_SIM_CHECK_H
#define SIM_SIM_CHECK_H

#include <hiredis/hiredis.h>

#include "proto/err.h"
#include "sim_client.h"

void sim_check_begin(void);
void sim_check_end(void);

/** Something is wrong: told once, with its story; the world ends. */
void sim_wrong(const struct sim_user *user, const char *room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool sim_is_wrong(void);
/** What it was, and of what kind (the first words). */
const char *sim_wrong_text(void);

/** A script's reply, in the order in which scripts ran. */
void sim_check_on_reply(const redisReply *reply);
/** Redis has lost its last writes. */
void sim_check_on_loss(void);

/* What a modern client is told. `last`: up to where it has the room's entries. */
struct sim_stay {
    char room_id[HGTP_ROOM_ID_BYTES + 1];
    char epoch[40];
    char room[16];
    uint64_t last; /* 0: nothing yet */
};
void sim_check_entry(const struct sim_user *user, struct sim_stay *stay, uint64_t seq,
                     bool is_message, struct bytes who, struct bytes text);
void sim_check_gap(const struct sim_user *user, struct sim_stay *stay, uint64_t from, uint64_t to);
/** A message is acknowledged; `seq` 0: without its number. */
void sim_check_ack(const struct sim_user *user, struct bytes text, uint64_t seq);
/** A message is refused: it must not be in a log. */
void sim_check_refused(const struct sim_user *user, struct bytes text, enum err err);
/** An original client is shown a message. */
void sim_check_push(const struct sim_user *user, struct bytes who, struct bytes text);

/** After quiet: what clients believe, what they have, what nodes have, what doctor finds. */
void sim_check_quiet(void);
/** Everybody has gone. */
void sim_check_gone(void);

struct sim_check_figures {
    uint64_t entries, deliveries, acknowledged;
};
struct sim_check_figures sim_check_figures(void);

#endif
