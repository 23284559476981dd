/* SPDX-License-Identifier: MIT */
/*
 * talk_loop: the one poll loop of the talk client: its connections, the keyboard or the input, and
 * signals.
 */
#ifndef ADMIN_TALK_TALK_LOOP_H
#define ADMIN_TALK_TALK_LOOP_H

#include "admin/talk/talk_client.h"

struct talk_loop;

/** Signals are taken from here on. `is_plain`: lines in and out, no editing. */
struct talk_loop *talk_loop_new(bool is_plain);
void talk_loop_free(struct talk_loop *loop);

/** Where the client's lines go. */
struct talk_view talk_loop_view(struct talk_loop *loop);

/** Until the client is over. */
void talk_loop_run(struct talk_loop *loop, struct talk_client *client);

#endif
