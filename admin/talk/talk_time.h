/* SPDX-License-Identifier: MIT */
/* talk_time: what time it is. */
#ifndef ADMIN_TALK_TALK_TIME_H
#define ADMIN_TALK_TALK_TIME_H

#include <stdint.h>

#define TALK_TIME_NEVER INT64_MAX

/** Monotonic. */
int64_t talk_time_ms(void);
int64_t talk_time_unix_ms(void);

#endif
