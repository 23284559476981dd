/* SPDX-License-Identifier: MIT */
/*
 * guesses: who has shown wrong keys for a name has to wait, the longer, the more there were: by
 * pairs of name and address, so that nobody holds back others. What comes by datagrams counts apart
 * from connections, and only if it was heard where it says to come from: their addresses can be
 * forged. Whether a key is right is not known here.
 */
#ifndef CORE_GUESSES_H
#define CORE_GUESSES_H

#include "proto/bytes.h"

/** The pairs of which the fewest wrong keys are known are forgotten first, where there are more. */
#define GUESSES_SETS 512
#define GUESSES_WAYS 8
struct guess {
    uint64_t pair[2]; /* a hash; 0, 0: none */
    uint32_t wrong_count;
    uint32_t doubtful_count; /* by datagrams that anybody may have sent */
    int64_t last_ms;
    int64_t until_ms; /* so long it has to wait */
};
struct guesses {
    uint8_t secret[16]; /* so that nobody can choose pairs that displace each other */
    struct guess pairs[GUESSES_SETS][GUESSES_WAYS];
};

/** One who registers. */
struct guesser {
    struct bytes name_key;
    uint32_t client_ip;
    bool is_datagram;
    bool is_heard; /* he has answered a number that he could not know without having got it */
};

/** So many wrong keys of this pair have come that from now on only who is heard may try more. */
bool guesses_is_doubted(struct guesses *guesses, const struct guesser *guesser, int64_t now_ms);

enum guesses_verdict {
    GUESSES_MAY,
    GUESSES_WAIT, /* too many keys were wrong: later */
    GUESSES_ANEW, /* he has to register anew, and is heard then */
};
/** May another key be tried? */
enum guesses_verdict guesses_may(struct guesses *guesses, const struct guesser *guesser,
                                 int64_t now_ms);
/** It was wrong. Returns for how many ms no other one may be tried. */
int64_t guesses_wrong(struct guesses *guesses, const struct guesser *guesser, int64_t now_ms);
/** It was right. */
void guesses_right(struct guesses *guesses, const struct guesser *guesser);

#endif
