/* SPDX-License-Identifier: MIT */
/* redis_server: a real redis-server of a test's own, on a unix socket in a private folder. */
#ifndef SUPPORT_REDIS_SERVER_H
#define SUPPORT_REDIS_SERVER_H

#include <hiredis/hiredis.h>

#include "process.h"

struct redis_server {
    struct process *process; /* NULL: not running */
    char *folder;
    char socket[96];
    char url[128]; /* unix:///..., stays the same through restarts */
    redisContext *link;
    bool
        keeps; /* it writes everything to disk and has it again after a restart; set before start */
    bool has_debug; /* it takes DEBUG; set before start */
};

/** Its place is made; it does not run yet. */
struct redis_server *redis_server_new(void);
/** NULL is legal. */
void redis_server_free(struct redis_server *server);

/** Start it, empty unless it keeps; true when it takes commands. */
bool redis_server_start(struct redis_server *server);
/** SIGKILL. */
void redis_server_kill(struct redis_server *server);

/** One command, synchronously; freed by the caller; NULL when there is no answer within 2 s. */
redisReply *redis_server_command(struct redis_server *server, const char *format, ...);

#endif
