/* SPDX-License-Identifier: MIT */
/* ws_client_parts: what the files of the WebSocket client share among themselves. */
#ifndef SUPPORT_WS_CLIENT_PARTS_H
#define SUPPORT_WS_CLIENT_PARTS_H

#include "ws_client.h"

/* ws_client_frames.c: take all complete frames from the front of what has come. */
void ws_client_read_frames(struct ws_client *client);

/* ws_client_handshake.c */
void ws_client_send_handshake(struct ws_client *client);
/** Reads the answer when it is complete. */
void ws_client_read_answer(struct ws_client *client);

/** Keeps the first rule that the server has broken. */
void ws_client_break(struct ws_client *client, const char *rule);

#endif
