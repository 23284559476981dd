/* SPDX-License-Identifier: MIT */
/* redis_server: starts, kills and asks the tests' own redis-server. */
#include "redis_server.h"

#include <assert.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#define REDIS_SERVER_START_MS  10000
#define REDIS_SERVER_END_MS    5000
#define REDIS_SERVER_COMMAND_S 2

struct redis_server *redis_server_new(void)
{
    struct redis_server *server = calloc(1, sizeof *server);
    assert(server != NULL);
    server->folder = process_folder_make();
    snprintf(server->socket, sizeof server->socket, "%s/redis.sock", server->folder);
    snprintf(server->url, sizeof server->url, "unix://%s", server->socket);
    return server;
}

void redis_server_free(struct redis_server *server)
{
    if (server == NULL) {
        return;
    }
    redis_server_kill(server);
    process_folder_remove(server->folder);
    free(server->folder);
    free(server);
}

bool redis_server_start(struct redis_server *server)
{
    const char *const argv[] = {"redis-server",
                                "--port",
                                "0",
                                "--unixsocket",
                                server->socket,
                                "--save",
                                "",
                                "--appendonly",
                                server->keeps ? "yes" : "no",
                                "--appendfsync",
                                "always",
                                "--enable-debug-command",
                                server->has_debug ? "yes" : "no",
                                "--dir",
                                server->folder,
                                NULL};
    assert(server->process == NULL);
    unlink(server->socket);
    server->process = process_start(argv, server->folder);
    return process_wait_output(server->process, "eady to accept connections",
                               REDIS_SERVER_START_MS);
}

void redis_server_kill(struct redis_server *server)
{
    if (server->link != NULL) {
        redisFree(server->link);
        server->link = NULL;
    }
    if (server->process != NULL) {
        process_signal(server->process, SIGKILL);
        (void)process_wait_exit(server->process, REDIS_SERVER_END_MS);
        process_free(server->process);
        server->process = NULL;
    }
}

redisReply *redis_server_command(struct redis_server *server, const char *format, ...)
{
    const struct timeval limit = {.tv_sec = REDIS_SERVER_COMMAND_S};
    if (server->link == NULL) {
        server->link = redisConnectUnixWithTimeout(server->socket, limit);
        if (server->link == NULL || server->link->err != 0) {
            return NULL;
        }
        redisSetTimeout(server->link, limit);
    }
    va_list args;
    va_start(args, format);
    redisReply *reply = redisvCommand(server->link, format, args);
    va_end(args);
    return reply;
}
