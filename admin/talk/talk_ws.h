/* SPDX-License-Identifier: MIT */
/*
 * talk_ws: one WebSocket to a server: connects, upgrades, reads messages, writes masked frames,
 * answers pings, notices when the other side has fallen silent. It opens once and ends once; trying
 * again is the owner's.
 */
#ifndef ADMIN_TALK_TALK_WS_H
#define ADMIN_TALK_TALK_WS_H

#include <poll.h>

#include "admin/talk/talk_frame.h"
#include "admin/talk/talk_net.h"

#define TALK_WS_OPEN_MS   10000
#define TALK_WS_SILENT_MS 30000 /* then a ping is sent, and as long its answer is waited for */

enum talk_ws_state {
    TALK_WS_CLOSED,
    TALK_WS_CONNECTING,
    TALK_WS_UPGRADING,
    TALK_WS_OPEN,
};

/** How it ended. */
struct talk_ws_end {
    int http_status; /* the upgrade was refused by it; 0: it was not */
    int close_code;  /* of the server's close frame; 0: none came */
    const char *why; /* in words; static */
};

/** All are called from talk_ws_ready and talk_ws_turn only. */
struct talk_ws_events {
    void *ctx;
    void (*on_open)(void *ctx);
    void (*on_message)(void *ctx, bool is_text, struct bytes message);
    void (*on_end)(void *ctx, const struct talk_ws_end *end); /* may open it again */
};

struct talk_ws {
    enum talk_ws_state state;
    /* The rest is private. */
    struct talk_ws_events events;
    int fd;
    int64_t due_ms; /* of the next thing that happens by time alone */
    bool is_pinged;
    char key[TALK_FRAME_KEY_BYTES + 1];
    struct ws_reader reader;
    uint8_t *out;
    size_t out_len, out_cap;
    uint8_t *head; /* of the answer, while upgrading */
    size_t head_len;
};

void talk_ws_init(struct talk_ws *ws, const struct talk_ws_events *events);
void talk_ws_fini(struct talk_ws *ws);

/**
 * Begin to connect. What comes of it is told by on_open or on_end.
 *
 * upgrade  its host and key are filled in
 * attempt  as of talk_net_resolve
 */
void talk_ws_connect(struct talk_ws *ws, const struct talk_address *server, unsigned attempt,
                     struct talk_upgrade *upgrade, int64_t now_ms);

/** Close without a call of on_end; with a close frame if it is open. */
void talk_ws_close(struct talk_ws *ws);

/** Only while open: queued, and sent as the socket takes it. */
void talk_ws_send(struct talk_ws *ws, enum ws_opcode opcode, struct bytes payload);

/** What to poll for; fd -1: nothing. */
struct pollfd talk_ws_watch(const struct talk_ws *ws);
/** After the poll. */
void talk_ws_ready(struct talk_ws *ws, short revents, int64_t now_ms);
/** What happens by time alone; due at talk_ws_due_ms. */
void talk_ws_turn(struct talk_ws *ws, int64_t now_ms);
int64_t talk_ws_due_ms(const struct talk_ws *ws);

#endif
