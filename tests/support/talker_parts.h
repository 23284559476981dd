/* SPDX-License-Identifier: MIT */
/* talker_parts: what the files of the modern user share among themselves. */
#ifndef SUPPORT_TALKER_PARTS_H
#define SUPPORT_TALKER_PARTS_H

#include "talker.h"

/* talker_requests.c: a binary frame has come that is a request of the server. */
void talker_on_relay(struct talker *talker, const struct hgtp_message *msg);
/** False when it is not HGTP. */
bool talker_decode(const struct ws_client_message *message, struct hgtp_message *ret_msg);

/* talker_pour.c */
void talker_pour_on_text(struct talker *talker, const json_t *object);
void talker_pour_again(struct talker *talker);

#endif
