/* SPDX-License-Identifier: MIT */
/*
 * bench_user: one of the bench's users: registers and asks over UDP, talks over a WebSocket, comes
 * back where it was after every interruption. It has sockets; the loop is bench_run.c's.
 */
#ifndef ADMIN_BENCH_BENCH_USER_H
#define ADMIN_BENCH_BENCH_USER_H

#include "admin/bench/bench_tally.h"
#include "admin/talk/talk_register.h"
#include "admin/talk/talk_target.h"
#include "admin/talk/talk_udp.h"
#include "admin/talk/talk_ws.h"

#define BENCH_NAME_MAX  63
#define BENCH_WINDOW    64 /* most messages of a user that may wait for their acknowledgement */
#define BENCH_USER_FDS  (TALK_UDP_SOCKETS + 1)
#define BENCH_WORDS_MAX 255

/** How far a user has come. */
enum bench_stage {
    BENCH_IDLE,
    BENCH_BUSY,     /* on its way to the next one */
    BENCH_ATTACHED, /* in no room */
    BENCH_IN_ROOM,
    BENCH_GONE,
};

/** What all users of a bench have in common. */
struct bench_crew {
    const struct talk_target *target;
    char tag[BENCH_NAME_MAX + 1]; /* names begin so: it is of this run only */
    size_t room_count;
    size_t message_bytes;
    struct bench_tally *tally;
    size_t attached_count, in_room_count, gone_count; /* users that have come so far, once each */
    uint64_t held_back;                               /* messages that a node took only later */
    uint64_t reconnects, sessions_lost;
    char words[BENCH_WORDS_MAX + 1]; /* of the last refusal; "": there was none */
    bool has_failed, is_unreachable; /* the set-up has come to an end */
    bool is_talking;                 /* all have come */
    bool is_leaving;
};

struct bench_said {
    size_t index;
    bool is_under_way;
    int64_t sent_ms; /* or, when it isn't under way: when to send it again */
};

struct bench_user {
    struct bench_crew *crew;
    size_t number;
    char name[BENCH_NAME_MAX + 1], room[BENCH_NAME_MAX + 1];
    enum bench_stage stage;
    unsigned failures; /* in a row */
    bool was_attached;
    int64_t due_ms;   /* of the next attempt; TICK_NEVER: none is needed */
    int64_t enter_ms; /* when to ask for its room again; TICK_NEVER: no need */
    bool must_register;

    struct talk_ask ask;
    struct talk_register registering;
    struct talk_udp udp;
    struct talk_ws ws;

    uint64_t seen; /* the last number in its room */
    char epoch[32], room_id[16];
    struct bench_said said[BENCH_WINDOW];
    size_t said_count;

    bool counts_others;      /* reads lists of users */
    bool is_counting;        /* the first page has come */
    size_t counting, listed; /* names in that list, so far: of others, and all */
    size_t others, lists_heard;
};

void bench_user_init(struct bench_user *user, struct bench_crew *crew, size_t number);
void bench_user_fini(struct bench_user *user);

/* What it is to do next, each from the stage before. */
void bench_user_register(struct bench_user *user);
/** Ask for the lists once more. */
void bench_user_refresh(struct bench_user *user);
/** Opens its room, if it is the first in there; else joins it. */
void bench_user_enter(struct bench_user *user);
/** Closes its room, if it has opened it. */
void bench_user_close_room(struct bench_user *user);
void bench_user_leave(struct bench_user *user);

/** True when it could say something now. `window`: how much may be under way. */
bool bench_user_may_say(const struct bench_user *user, size_t window);
void bench_user_say(struct bench_user *user, int64_t due_us);

/** What to poll for; returns how many, at most BENCH_USER_FDS. */
size_t bench_user_watch(const struct bench_user *user, struct pollfd *ret_fds);
/** After the poll, with what bench_user_watch has returned. */
void bench_user_ready(struct bench_user *user, const struct pollfd *fds, size_t count);
/** What happens by time alone, due at the time that it returns. */
int64_t bench_user_turn(struct bench_user *user);

int64_t bench_now_us(void);

/* Between the files of a user ------------------------------------------------------------------ */

/** What has come over the WebSocket. */
void bench_hear_text(struct bench_user *user, struct bytes text);
void bench_hear_hgtp(struct bench_user *user, struct bytes message);
/** A stage is reached. */
void bench_user_arrive(struct bench_user *user, enum bench_stage stage);
/** Connect again, at the earliest after `pause_ms`. */
void bench_user_away(struct bench_user *user, int64_t pause_ms);
/** Say everything again that was said and not acknowledged. */
void bench_user_say_again(struct bench_user *user);

#endif
