/* SPDX-License-Identifier: MIT */
/*
 * talk_client: a person's session: registers, attaches, comes back after every interruption where
 * it was, asks, says and hears. It has sockets, but neither screen nor keyboard: what is to be seen
 * goes to a talk_view, what was typed comes line by line.
 */
#ifndef ADMIN_TALK_TALK_CLIENT_H
#define ADMIN_TALK_TALK_CLIENT_H

#include "admin/talk/talk_ask.h"
#include "admin/talk/talk_names.h"
#include "admin/talk/talk_options.h"
#include "admin/talk/talk_outbox.h"
#include "admin/talk/talk_register.h"
#include "admin/talk/talk_show.h"
#include "admin/talk/talk_udp.h"
#include "admin/talk/talk_ws.h"

#define TALK_CLIENT_EXPIRES_S 300   /* how long the session outlives its connection */
#define TALK_CLIENT_LEAVE_MS  6000  /* for leaving the room and the service in good order */
#define TALK_CLIENT_DRAIN_MS  60000 /* for what was said to arrive when the input has ended */
#define TALK_CLIENT_QUIT_MS   5000  /* the same when a person waits */
#define TALK_CLIENT_AHEAD_MAX 64    /* messages that programs may be ahead of the server */
#define TALK_CLIENT_ROOM_MS   10000 /* between the answer to a JOIN and the word that it is done */
#define TALK_CLIENT_FDS       (TALK_UDP_SOCKETS + 1)

enum talk_stage {
    TALK_REGISTERING,
    TALK_ASKING, /* the person is asked: see talk_view */
    TALK_AWAY,   /* until due_ms */
    TALK_CONNECTING,
    TALK_ATTACHED,
    TALK_OVER,
};

/** Where lines go. */
enum talk_mark {
    TALK_TALK,   /* what was said and what has happened */
    TALK_ANSWER, /* what was asked for: lists */
    TALK_STATUS, /* about the connection */
    TALK_ERROR,
};

struct talk_view {
    void *ctx;
    /** A line to show, without its end; safe, coloured if wanted. */
    void (*show)(void *ctx, enum talk_mark mark, const char *line);
    /** Something that the prompt tells has changed. */
    void (*changed)(void *ctx);
    /** A question, to be answered by talk_client_decide. Only before it was attached once, and
     * never for programs. */
    void (*ask)(void *ctx, const char *question);
};

/** The room the session is in; empty strings: in none. */
struct talk_room {
    char *name, *id, *epoch;
    uint64_t seen; /* number of the last entry that was shown */
    uint64_t last; /* of the log when the session was told: what was said is said again from here */
    uint64_t lost_to; /* up to here a gap tells what was told when the log had gone back */
};

/** Where the talk was when the session died; empty epoch: nowhere. */
struct talk_lost {
    char *epoch;
    uint64_t seen, acked_seq;
};

struct talk_invitation {
    char *room; /* NULL: there is none */
    struct hgtp_header relay;
};

struct talk_client {
    const struct talk_options *options; /* with key set */
    struct talk_view view;
    struct talk_show style;
    struct talk_address http;

    enum talk_stage stage;
    int exit_code;         /* when over, or leaving */
    bool has_failed;       /* something was refused or not delivered */
    bool was_attached;     /* once: from then on it tries for ever */
    bool must_register;    /* before the next connection */
    bool must_rejoin;      /* the session is new: `wanted` has to be entered again */
    unsigned failures;     /* in a row */
    int64_t due_ms;        /* TALK_AWAY: of the next try */
    uint64_t attempts;     /* to connect: rises, also with the clock */
    unsigned moves;        /* requests under way that change the room */
    int64_t room_until_ms; /* > 0: the word about a change of the room is on its way */
    int64_t drain_by_ms;   /* > 0: no more lines; end when all is said */
    int64_t leave_by_ms;   /* > 0: is leaving */
    char removed[64];      /* how the room was lost, for the next word about it */

    struct talk_ask ask;
    struct talk_register registering;
    struct talk_udp udp;
    struct talk_ws ws;
    struct talk_outbox outbox;
    struct talk_room room;
    struct talk_lost lost;
    char *name;      /* its own, as it is shown */
    char *wanted;    /* room to be in; NULL: none */
    char *manager;   /* of the room; NULL: nobody */
    char *successor; /* who is to be it, which was not answered yet; NULL: nobody */
    char successor_id[TALK_OUTBOX_ID_MAX + 1];
    struct talk_invitation invitation;
    struct talk_names users, rooms, members;
};

/** `options`, and what they point to, have to outlive the client. */
void talk_client_init(struct talk_client *client, const struct talk_options *options,
                      const struct talk_address *http, const struct talk_address *hgtp,
                      const struct talk_view *view, const struct talk_show *style);
void talk_client_fini(struct talk_client *client);

/** What to poll for: `ret_fds` has TALK_CLIENT_FDS places, all are filled. */
void talk_client_watch(const struct talk_client *client, struct pollfd *ret_fds);
void talk_client_ready(struct talk_client *client, const struct pollfd *fds);
/** Everything that is due; to be called after each poll. */
void talk_client_turn(struct talk_client *client);
/** How long a poll may take, for poll(). */
int talk_client_timeout(const struct talk_client *client);

/** True when the next line can be taken: not in the middle of a change of the room, and a command
 * not before what was said has arrived. For programs also not while anything is unanswered. */
bool talk_client_takes(const struct talk_client *client, const char *line);
/** A line that was typed. */
void talk_client_line(struct talk_client *client, const char *line);

/** What the person has answered to the question; only in TALK_ASKING. */
void talk_client_decide(struct talk_client *client, bool is_yes);

/** There are no more lines: end when all is said. */
void talk_client_drain(struct talk_client *client);
/** Leave the room and the service, now, and be over with this exit code. */
void talk_client_leave(struct talk_client *client, int exit_code);

/* Between the files of the client -------------------------------------------------------------- */

void talk_client_over(struct talk_client *client, int exit_code);
/** It has left, as far as that was possible. */
void talk_client_left(struct talk_client *client);
/** Show a sentence of our own, made safe; TALK_ERROR counts as a failure. */
void talk_client_say(struct talk_client *client, enum talk_mark mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void talk_client_changed(struct talk_client *client);
/** Nothing is under way that changes the room; for programs: nothing at all. */
bool talk_client_is_settled(const struct talk_client *client);
/** Begin, or begin again, with REGISTER. */
void talk_client_register(struct talk_client *client);
/** Connect by the token that there is; what was heard is not sent again. */
void talk_client_connect(struct talk_client *client);
/** The connection is gone, or to be gone: try again by and by, at the earliest after `pause_ms`. */
void talk_client_away(struct talk_client *client, int64_t pause_ms);

/** What has come over the WebSocket. */
void talk_hear_text(struct talk_client *client, struct bytes text);
void talk_hear_hgtp(struct talk_client *client, struct bytes message);
void talk_hear_fini(struct talk_client *client);

/** Ask for something about a room or a user; refusals are shown. */
void talk_deed(struct talk_client *client, enum hgtp_type type, const char *room, const char *peer);
/** Ask that somebody else manages the room; refusals are shown. */
void talk_deed_hand_over(struct talk_client *client, const char *user);
/** Ask it again, on a new connection, if it was not answered: it is done once. */
void talk_deed_hand_over_again(struct talk_client *client);
/** What was asked with this id is answered; `why_not` NULL: it is done. False: that was something
 * else. */
bool talk_deed_handed_over(struct talk_client *client, const char *id, const char *why_not);
/** Leave the service, and the room before it. */
void talk_deed_leave(struct talk_client *client);
/** Answer the invitation. */
void talk_deed_answer(struct talk_client *client, bool accepts);

#endif
