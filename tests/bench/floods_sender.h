/* SPDX-License-Identifier: MIT */
/* floods_sender: one registered client that sends too much of one thing. Used by floods.c alone. */
#ifndef BENCH_FLOODS_SENDER_H
#define BENCH_FLOODS_SENDER_H

#include "tests/support/talker.h"

/* How it reaches the node. */
enum flood_way {
    FLOOD_FRAMES, /* over its WebSocket */
    FLOOD_POSTS,  /* requests one behind the other on a connection */
    FLOOD_OPENS,  /* a connection for each */
};

struct flood_talker;
/** Appends the bytes of request number `number`. */
typedef void flood_ask_fn(struct talker *talker, int64_t number, struct queue *out);

struct flood {
    const char *name, *help;
    enum flood_way way;
    int64_t per_s;     /* 0: as many as get answers, FLOOD_WINDOW under way */
    const char *in;    /* the room that it opens and fills; NULL: it is in none */
    flood_ask_fn *ask; /* NULL: nothing is sent */
};
/** Ends with one without a name. */
extern const struct flood floods_table[];

/** Written by the sender, read by the one who measures. */
struct floods_shared {
    volatile int64_t sent, done, refused;
    volatile bool is_flowing;
};

/** Until it is killed. False, after a sentence on stderr, when it cannot. */
bool floods_send(const struct flood *flood, uint16_t port, struct floods_shared *shared);

#endif
