/* SPDX-License-Identifier: MIT */
/* load_parts: what load.c, load_udp.c and load_http.c share; nobody else includes it. */
#ifndef BENCH_LOAD_PARTS_H
#define BENCH_LOAD_PARTS_H

#include <uv.h>

#include "load.h"
#include "proto/hgtp.h"

#define LOAD_BUFFER 65536

enum load_step { STEP_NEW, STEP_PROVING, STEP_REGISTERED, STEP_IN_ROOM };

struct load_session {
    char user_id[HGTP_USER_ID_BYTES + 1];
    enum load_step step;
    bool is_busy; /* a request of it is under way: the one in `sent` */
    int64_t sent_us;
    int64_t repeat_ms;
    uint32_t timestamp_ms;
    uint8_t sent_type;
    size_t sent_bytes;
    uint8_t sent[160];
};

struct load_talk;

struct load {
    struct load_options options;
    uv_loop_t loop;
    uv_udp_t udp[LOAD_NODES_MAX];
    uv_tcp_t push_listener;
    uint16_t push_port;
    uv_timer_t clock;
    struct load_session *sessions;
    size_t next_setup, setup_end, ready_count;
    enum load_step wanted;
    bool is_setting_up, is_running, is_failed;
    size_t under_way; /* requests or messages without an answer */
    int64_t last_us;  /* of a run: the last answer or push */
    size_t next_mover;
    struct load_talk *talks;
    int64_t *samples;
    struct load_figures figures;
    char buffer[LOAD_BUFFER];
};

int64_t load_now_us(void);
/** An operation sent at that time has been answered with success. */
void load_sample(struct load *load, int64_t sent_us);
/** For all reads whose bytes are looked at before the next one. */
void load_on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf);
struct sockaddr_in load_address(uint16_t port);

/* load_udp.c: one socket per node. */
bool load_udp_open(struct load *load);
void load_udp_close(struct load *load);
/** As many sessions as the window allows take their next step towards `wanted`. */
void load_udp_set_up_next(struct load *load);
void load_udp_move_next(struct load *load);
/** Sends again what has had no answer for long. */
void load_udp_repeat(struct load *load);

/* load_http.c: connections on which messages are said, and the listener for pushes. */
bool load_http_open(struct load *load);
/** The push connections too. They are gone after the loop's next run to its end. */
void load_http_close(struct load *load);
void load_http_say(struct load *load);

#endif
