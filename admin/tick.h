/* SPDX-License-Identifier: MIT */
/* tick: what time it is, and waiting. */
#ifndef ADMIN_TICK_H
#define ADMIN_TICK_H

#include <stdint.h>

/** A time that never comes. */
#define TICK_NEVER INT64_MAX

/** Monotonic. */
int64_t tick_ms(void);
int64_t tick_unix_ms(void);
void tick_sleep(int64_t ms);

#endif
