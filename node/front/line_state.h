/* SPDX-License-Identifier: MIT */
/* line_state: what line.c and its two kinds share. Not for others. */
#ifndef FRONT_LINE_STATE_H
#define FRONT_LINE_STATE_H

#include "line.h"

/* Messages of one line that wait for their acknowledgement; then reading pauses. */
#define LINE_IN_FLIGHT_MAX 64
/* What is read at a time, into one buffer for all lines. */
#define LINE_READ_BYTES 65536

enum line_state {
    LINE_OPEN,
    LINE_ENDING, /* nothing new is queued; it ends when the rest is written, or at its deadline */
    LINE_CLOSED, /* libuv is closing it, or has */
};

struct line {
    struct lines *lines;
    struct line *next, *prev;
    struct line *next_dirty;
    uv_tcp_t *tcp;
    uint32_t peer_ip;
    uint32_t client_ip; /* what it counts for */
    enum format format;
    enum line_state state;
    size_t holds; /* by requests, writes and libuv */
    void *owner;
    int64_t opened_ms;
    int64_t heard_ms;
    int64_t pinged_ms; /* 0: it is not waited for a sign of life */
    int64_t wrote_ms;
    int64_t end_ms; /* LINE_ENDING: deadline */
    bool is_dirty;
    bool is_writing;
    bool is_shut; /* our end of the connection */
    bool has_refused;
    bool is_paused; /* reading */
    bool is_slowed; /* it asks for more than its share: not read until the next step */
    size_t in_flight;
    uv_write_t write;
    size_t write_count; /* frames of the write under way */
    uv_shutdown_t shutdown;
    struct frame **queue; /* a ring */
    size_t queue_cap, queue_at, queue_count;
    size_t queue_bytes;
    size_t started_bytes;     /* of the first frame: written already */
    struct ws_reader *reader; /* FORMAT_WS */
};

struct lines {
    struct line_settings *settings;
    uv_timer_t timer;
    uv_idle_t flush;
    bool is_closed;
    size_t open_count; /* handles and lines that keep it alive */
    struct line *first;
    struct line *dirty;
    uint8_t in[LINE_READ_BYTES];
};

/* line.c */
/** A line around `tcp`, its answer queued; NULL when memory is out, `tcp` is closed then. */
struct line *line_new(struct lines *lines, uv_tcp_t *tcp, const struct line_peer *peer,
                      enum format format, struct bytes head);
int64_t line_now_ms(const struct lines *lines);
/** See line_port.send; true also when the line has ended. */
bool line_send(struct line *line, struct frame *frame, bool is_urgent);
/** True when so much more can be sent that nobody else gets. */
bool line_has_room(const struct line *line, size_t bytes);
/** Send what nobody else gets; a reference is taken over; NULL: memory was out, the line ends. */
void line_send_own(struct line *line, struct frame *frame);
/** Its owner is told that it has ended. */
void line_disown(struct line *line);
/** End when what is queued is written. */
void line_end(struct line *line);
/** Why it ends, in words. */
const char *line_close_reason(enum ws_close why);
/** End now. */
void line_drop(struct line *line);
void line_hold(struct line *line);
void line_let_go(struct line *line);
/** It has been told that it asks too fast: it is read again a moment later. */
void line_slow(struct line *line);
/** Read again if that was paused, or pause it. */
void line_pace(struct line *line);

/* ws_line.c */
void ws_line_on_bytes(struct line *line, struct bytes in);
void ws_line_ping(struct line *line);
void ws_line_close(struct line *line, enum ws_close why);
void ws_line_free(struct line *line);

/* sse_line.c */
/** Say why it ends, and end it. */
void sse_line_close(struct line *line, enum ws_close why);
void sse_line_ping(struct line *line);

/* line_text.c */
/** A text that the client has sent. */
void line_text_take(struct line *line, struct bytes text);
/** An error text for something that had no id. */
void line_text_error(struct line *line, enum err err, struct bytes id);

#endif
