/* SPDX-License-Identifier: MIT */
/*
 * session_state: look-ups in the session's state machine (session.def). It takes no step itself:
 * sessions live in Redis, and the scripts move them by the same table.
 */
#include "session_state.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

struct session_step {
    const char *event;
    enum session_state from;
    enum session_state to;
};

static const char *const session_state_names[] = {
#define SESSION_STATE(name, meaning) #name,
#define SESSION_STEP(event, from, to)
#include "session.def"
};

static const struct session_step session_steps[] = {
#define SESSION_STATE(name, meaning)
#define SESSION_STEP(event, from, to) {#event, SESSION_##from, SESSION_##to},
#include "session.def"
};

const char *session_state_name(enum session_state state)
{
    assert(state < SESSION_STATE_COUNT);
    return session_state_names[state];
}

bool session_state_step(enum session_state from, const char *event, enum session_state *ret_to)
{
    for (size_t i = 0; i < sizeof session_steps / sizeof session_steps[0]; i++) {
        if (session_steps[i].from == from && strcmp(session_steps[i].event, event) == 0) {
            *ret_to = session_steps[i].to;
            return true;
        }
    }
    return false;
}
