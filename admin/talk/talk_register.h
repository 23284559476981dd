/* SPDX-License-Identifier: MIT */
/*
 * talk_register: REGISTER, the server's challenge, the proof of the key, and the token that comes
 * of it. Over a talk_ask, whose owner sends and hears.
 */
#ifndef ADMIN_TALK_TALK_REGISTER_H
#define ADMIN_TALK_TALK_REGISTER_H

#include "admin/talk/talk_ask.h"

enum talk_registered {
    TALK_REGISTERED,          /* ask->token is the session's */
    TALK_REGISTER_UNANSWERED, /* nobody is there, or it took too long */
    TALK_REGISTER_LATER,      /* nobody can help now: `answer` says why */
    TALK_REGISTER_REFUSED,    /* `answer` says why */
    TALK_REGISTER_ELSEWHERE, /* the key is right, and the name's session is somebody's: `takes_over`
                              */
    TALK_REGISTER_NO_TOKEN,  /* the server gives none that can be used */
};

struct talk_register {
    struct talk_ask *ask;
    const char *name, *key;
    unsigned expires_s; /* how long the session outlives its connection */
    bool takes_over;    /* go on with the session that an account's name has, wherever it is */
    void *ctx;
    /** Called once for each talk_register_begin, unless `ask` ends before. `answer` is NULL where
     * nobody has said why. */
    void (*on_end)(void *ctx, enum talk_registered what, const struct talk_answer *answer);
};

/** False: the name is too long, and nothing is sent. `reg` has to outlive the requests. A proof
 * that was not answered is sent again as it was: the session may stand, and only its OK be lost. */
bool talk_register_begin(struct talk_register *reg);

#endif
