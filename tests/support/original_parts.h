/* SPDX-License-Identifier: MIT */
/* original_parts: what the files of the original client share among themselves. */
#ifndef SUPPORT_ORIGINAL_PARTS_H
#define SUPPORT_ORIGINAL_PARTS_H

#include "original.h"

/** Tells the owner of the client about a logged event. */
void original_tell(struct original *original, const struct original_event *event);

/* original_datagram.c: read both UDP sockets. */
void original_datagram_on_declared(short revents, void *arg);
void original_datagram_on_sending(short revents, void *arg);

/* original_push.c */
bool original_push_open(struct original *original);
void original_push_close(struct original *original);

/* original_talk.c: the connection for messages. Opened when UNAUTHORIZED arrives. */
void original_talk_open(struct original *original, uint16_t port);
void original_talk_close(struct original *original);

#endif
