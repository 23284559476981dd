/* SPDX-License-Identifier: MIT */
/*
 * load: many sessions of the original's kind on one loop: registered over UDP, put into rooms, made
 * to say things by HTTP or to enter and leave rooms, and pushed to. Light enough not to be the
 * bound where it can be helped; it checks statuses, not contents.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_NODES_MAX 8

struct load;

struct load_options {
    size_t node_count;
    uint16_t hgtp_ports[LOAD_NODES_MAX]; /* on 127.0.0.1 */
    uint16_t http_ports[LOAD_NODES_MAX];
    size_t session_count; /* session i is at home on node i % node_count, in room i % room_count */
    size_t room_count;
};

enum load_kind {
    LOAD_SAY,  /* POST message */
    LOAD_MOVE, /* JOIN_ROOM and EXIT_ROOM in turn */
};

struct load_figures {
    uint64_t operations; /* answered with success */
    uint64_t refused;
    uint64_t deliveries;    /* messages pushed to members */
    uint64_t expected;      /* deliveries, if every member of a room gets what was said there */
    int64_t duration_us;    /* until the last answer or push */
    int64_t p50_us, p99_us; /* from sending an operation to its answer */
};

/** Registers all, opens the rooms and fills them; false, after a sentence on stderr, when that does
 * not succeed. */
struct load *load_open(const struct load_options *options);
void load_close(struct load *load);

/**
 * Does operations for that long and waits for the last answers and pushes, which count as well.
 * False, after a sentence on stderr, when a connection has ended or an answer has not come. Pushes
 * that do not come are only to be seen in the figures.
 */
bool load_run(struct load *load, enum load_kind kind, int64_t duration_ms,
              struct load_figures *ret_figures);

#endif
