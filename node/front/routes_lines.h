/* SPDX-License-Identifier: MIT */
/* routes_lines: WebSocket and event streams. */
#ifndef FRONT_ROUTES_LINES_H
#define FRONT_ROUTES_LINES_H

#include "routes_handler.h"

routes_answer_fn routes_ws;
routes_answer_fn routes_events;

#endif
