/* SPDX-License-Identifier: MIT */
/* talk_body: parts of the bodies of HGTP requests, as a client writes them. */
#ifndef ADMIN_TALK_TALK_BODY_H
#define ADMIN_TALK_TALK_BODY_H

#include "proto/bytes.h"

/** Append a name: its length, and base64. */
void talk_body_put_name(struct sink *body, const char *name);

/** Append the id of a room to be created: 12 random characters. */
void talk_body_put_new_room_id(struct sink *body);

/** Append how long the session is to outlive its connection, and no address: it will attach. */
void talk_body_put_no_address(struct sink *body, unsigned expires_s);

/** Append, behind the nonce, that the name's session is to be taken over; if not: nothing. */
void talk_body_put_takes_over(struct sink *body, bool takes_over);

#endif
