/* SPDX-License-Identifier: MIT */
/* relay: a TCP way to somewhere that a test can cut, hold up and open again; pumped like everything
 * else. On loopback. */
#ifndef SUPPORT_RELAY_H
#define SUPPORT_RELAY_H

#include <stdbool.h>
#include <stdint.h>

struct relay;

enum relay_mode {
    RELAY_PASS,
    RELAY_HOLD_BACK, /* the same for what comes back from there; what goes there passes */
    RELAY_HOLD,      /* what comes stays with the senders, and passes later */
    RELAY_CUT,       /* connections break, new ones are accepted and closed */
};

/** A way to 127.0.0.1:`port` from a port of its own; it passes. */
struct relay *relay_open(uint16_t port);
/** NULL is legal. */
void relay_close(struct relay *relay);

uint16_t relay_port(const struct relay *relay);
void relay_set(struct relay *relay, enum relay_mode mode);

/** Listen for `words` (kept, not copied) in what passes; they are not found where two reads part
 * them. */
void relay_tap(struct relay *relay, const char *words);
/** How often they have passed. */
int relay_overheard(const struct relay *relay);

#endif
