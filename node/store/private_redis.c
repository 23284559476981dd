/* SPDX-License-Identifier: MIT */
/*
 * private_redis: starts redis-server, starts it anew when it ends by itself, ends it with the node.
 * It never talks to it; that is redis_link's business. The server gets a session of its own, so
 * that Ctrl-C at a terminal reaches the node only, which still needs its state while it drains;
 * setpriv sees to it that the kernel ends the server should the node be killed.
 */
#include "node/store/private_redis.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/base/log.h"

enum {
    PRIVATE_REDIS_RETRY_MIN_MS = 100,
    PRIVATE_REDIS_RETRY_MAX_MS = 5000,
    PRIVATE_REDIS_STEADY_MS = 10000, /* after running this long the next start is quick again */
    PRIVATE_REDIS_KILL_MS = 2000,
    PRIVATE_REDIS_PATH_BYTES = sizeof(((struct sockaddr_un *)0)->sun_path)
};

struct private_redis {
    uv_process_t process;
    uv_timer_t timer; /* next start; when closing: SIGKILL */
    bool running;     /* there is a process to end */
    bool handle_open; /* `process` is; a moment longer than it runs */
    uint64_t started_ms;
    uint64_t retry_ms;
    char folder[PRIVATE_REDIS_PATH_BYTES];
    char socket[PRIVATE_REDIS_PATH_BYTES];
    char log[PRIVATE_REDIS_PATH_BYTES];
    char pid[PRIVATE_REDIS_PATH_BYTES];
    char url[PRIVATE_REDIS_PATH_BYTES + sizeof "unix://"];
    bool closing;
    void (*on_closed)(void *arg);
    void *closed_arg;
};

static void private_redis_on_retry(uv_timer_t *timer);

static bool private_redis_installed(const char *program)
{
    const char *folders = getenv("PATH");
    while (folders != NULL && *folders != '\0') {
        int len = (int)strcspn(folders, ":");
        char path[4096];
        int path_len = snprintf(path, sizeof path, "%.*s/%s", len, folders, program);
        if (path_len < (int)sizeof path && access(path, X_OK) == 0) {
            return true;
        }
        folders += len;
        folders += *folders == ':';
    }
    return false;
}

static void private_redis_on_timer_closed(uv_handle_t *handle)
{
    struct private_redis *server = handle->data;
    void (*on_closed)(void *arg) = server->on_closed;
    void *arg = server->closed_arg;
    free(server);
    if (on_closed != NULL) {
        on_closed(arg);
    }
}

static void private_redis_finish(struct private_redis *server)
{
    (void)unlink(server->socket);
    (void)unlink(server->pid);
    (void)unlink(server->log);
    uv_close((uv_handle_t *)&server->timer, private_redis_on_timer_closed);
}

static void private_redis_on_process_closed(uv_handle_t *handle)
{
    struct private_redis *server = handle->data;
    server->handle_open = false;
    if (server->closing) {
        private_redis_finish(server);
        return;
    }
    uv_timer_start(&server->timer, private_redis_on_retry, server->retry_ms, 0);
    server->retry_ms *= 2;
    if (server->retry_ms > PRIVATE_REDIS_RETRY_MAX_MS) {
        server->retry_ms = PRIVATE_REDIS_RETRY_MAX_MS;
    }
}

static void private_redis_on_exit(uv_process_t *process, int64_t status, int signal_number)
{
    struct private_redis *server = process->data;
    server->running = false;
    if (!server->closing) {
        LOG(LOG_ERROR, "private_redis_ended", log_int("status", status),
            log_int("signal", signal_number),
            log_str("effect",
                    "all sessions, rooms and messages are lost; it is started anew, empty"));
        if (uv_now(process->loop) - server->started_ms >= PRIVATE_REDIS_STEADY_MS) {
            server->retry_ms = PRIVATE_REDIS_RETRY_MIN_MS;
        }
    }
    uv_close((uv_handle_t *)process, private_redis_on_process_closed);
}

/* On failure the handle is to be closed, as after a process has ended. */
static int private_redis_spawn(struct private_redis *server)
{
    char *args[] = {"setpriv",
                    "--pdeathsig",
                    "TERM",
                    "redis-server",
                    "--port",
                    "0",
                    "--unixsocket",
                    server->socket,
                    "--save",
                    "",
                    "--unixsocketperm",
                    "700",
                    "--appendonly",
                    "no",
                    "--dir",
                    server->folder,
                    "--logfile",
                    server->log,
                    "--pidfile",
                    server->pid,
                    "--daemonize",
                    "no",
                    NULL};
    /* What setpriv and redis-server say before the latter opens its log goes there as well. */
    int log_fd = open(server->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    uv_stdio_flags output = log_fd >= 0 ? UV_INHERIT_FD : UV_IGNORE;
    uv_stdio_container_t stdio[3] = {{.flags = UV_IGNORE},
                                     {.flags = output, .data.fd = log_fd},
                                     {.flags = output, .data.fd = log_fd}};
    const uv_process_options_t options = {.file = args[0],
                                          .args = args,
                                          .flags = UV_PROCESS_DETACHED,
                                          .stdio_count = 3,
                                          .stdio = stdio,
                                          .exit_cb = private_redis_on_exit};
    uv_loop_t *loop = server->timer.loop;
    int rc = uv_spawn(loop, &server->process, &options);
    server->process.data = server;
    server->handle_open = true;
    server->running = rc == 0;
    server->started_ms = uv_now(loop);
    if (log_fd >= 0) {
        (void)close(log_fd);
    }
    if (rc == 0) {
        LOG(LOG_INFO, "private_redis_started", log_int("pid", server->process.pid),
            log_str("socket", server->socket));
    }
    return rc;
}

static void private_redis_on_retry(uv_timer_t *timer)
{
    struct private_redis *server = timer->data;
    int rc = private_redis_spawn(server);
    if (rc != 0) {
        LOG(LOG_ERROR, "private_redis_start_failed", log_str("error", uv_strerror(rc)));
        uv_close((uv_handle_t *)&server->process, private_redis_on_process_closed);
    }
}

static bool private_redis_set_paths(struct private_redis *server, const char *folder)
{
    size_t cap = PRIVATE_REDIS_PATH_BYTES;
    (void)snprintf(server->folder, cap, "%s", folder);
    (void)snprintf(server->log, cap, "%s/redis.log", folder);
    (void)snprintf(server->pid, cap, "%s/redis.pid", folder);
    int len = snprintf(server->socket, cap, "%s/redis.sock", folder);
    (void)snprintf(server->url, sizeof server->url, "unix://%s", server->socket);
    return len < (int)cap; /* it is the longest */
}

int private_redis_open(uv_loop_t *loop, const char *folder, struct private_redis **ret_server)
{
    if (!private_redis_installed("redis-server") || !private_redis_installed("setpriv")) {
        return UV_ENOENT;
    }
    struct private_redis *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return UV_ENOMEM;
    }
    if (!private_redis_set_paths(server, folder)) {
        free(server);
        return UV_ENAMETOOLONG;
    }
    server->retry_ms = PRIVATE_REDIS_RETRY_MIN_MS;
    (void)uv_timer_init(loop, &server->timer);
    server->timer.data = server;
    int rc = private_redis_spawn(server);
    if (rc != 0) {
        server->closing = true; /* freed by the loop, without a word to anybody */
        uv_close((uv_handle_t *)&server->process, private_redis_on_process_closed);
        return rc;
    }
    *ret_server = server;
    return 0;
}

const char *private_redis_url(const struct private_redis *server)
{
    return server->url;
}

int private_redis_pid(const struct private_redis *server)
{
    return server->running ? server->process.pid : 0;
}

static void private_redis_on_kill(uv_timer_t *timer)
{
    struct private_redis *server = timer->data;
    if (server->running) {
        (void)uv_process_kill(&server->process, SIGKILL);
    }
}

void private_redis_close(struct private_redis *server, void (*on_closed)(void *arg), void *arg)
{
    assert(!server->closing);
    server->closing = true;
    server->on_closed = on_closed;
    server->closed_arg = arg;
    uv_timer_stop(&server->timer);
    if (server->running) {
        (void)uv_process_kill(&server->process, SIGTERM);
        uv_timer_start(&server->timer, private_redis_on_kill, PRIVATE_REDIS_KILL_MS, 0);
    } else if (!server->handle_open) {
        private_redis_finish(server);
    }
}

void private_redis_kill(struct private_redis *server)
{
    if (server->running) {
        (void)uv_process_kill(&server->process, SIGKILL);
    }
    (void)unlink(server->socket);
    (void)unlink(server->pid);
    (void)unlink(server->log);
}
