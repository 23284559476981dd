/* SPDX-License-Identifier: MIT */
/* session_state: the session's states and legal steps, from session.def. The scripts take the
 * steps. */
#ifndef CORE_SESSION_STATE_H
#define CORE_SESSION_STATE_H

#include <stdbool.h>

enum session_state {
#define SESSION_STATE(name, meaning) SESSION_##name,
#define SESSION_STEP(event, from, to)
#include "session.def"
    SESSION_STATE_COUNT
};

const char *session_state_name(enum session_state state);

/** The state that `event` ("JOIN_ROOM") leads to; false when it is illegal in `from`. */
bool session_state_step(enum session_state from, const char *event, enum session_state *ret_to);

#endif
