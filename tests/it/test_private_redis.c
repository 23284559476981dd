/* SPDX-License-Identifier: MIT */
/* private_redis with the real redis-server: its start, its end, and that nothing is left of it. */
#include "node/store/private_redis.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

enum { PATIENCE_MS = 20000 };

struct fixture {
    uv_loop_t loop;
    uv_timer_t patience;
    uv_timer_t tick; /* wakes the loop to look at a condition that no event announces */
    bool expired;
    char folder[32];
    struct private_redis *server;
    bool closed;
};

static void on_patience(uv_timer_t *timer)
{
    struct fixture *f = timer->data;
    f->expired = true;
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
}

#define WAIT_UNTIL(f, condition)                                                                   \
    do {                                                                                           \
        (f)->expired = false;                                                                      \
        uv_timer_start(&(f)->patience, on_patience, PATIENCE_MS, 0);                               \
        uv_timer_start(&(f)->tick, on_tick, 5, 5);                                                 \
        while (!(condition)) {                                                                     \
            assert_false((f)->expired);                                                            \
            uv_run(&(f)->loop, UV_RUN_ONCE);                                                       \
        }                                                                                          \
        uv_timer_stop(&(f)->patience);                                                             \
        uv_timer_stop(&(f)->tick);                                                                 \
    } while (0)

static void on_closed(void *arg)
{
    struct fixture *f = arg;
    f->closed = true;
}

/* The reply to one command as a number, -1 for +OK or a text; -2 while the server cannot be
 * reached. */
static long long ask(const struct fixture *f, const char *command)
{
    const char *path = private_redis_url(f->server) + strlen("unix://");
    struct timeval limit = {.tv_sec = 5};
    redisContext *c = redisConnectUnixWithTimeout(path, limit);
    redisReply *reply = c != NULL && c->err == 0 ? redisCommand(c, command) : NULL;
    long long number = reply == NULL                        ? -2
                       : reply->type == REDIS_REPLY_INTEGER ? reply->integer
                                                            : -1;
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    redisFree(c);
    return number;
}

static bool is_file(const struct fixture *f, const char *name)
{
    char path[80];
    (void)snprintf(path, sizeof path, "%s/%s", f->folder, name);
    return access(path, F_OK) == 0;
}

static void open_server(struct fixture *f)
{
    assert_int_equal(private_redis_open(&f->loop, f->folder, &f->server), 0);
    WAIT_UNTIL(f, ask(f, "PING") == -1);
}

static void close_server(struct fixture *f)
{
    private_redis_close(f->server, on_closed, f);
    f->server = NULL;
    WAIT_UNTIL(f, f->closed);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/test-private-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    assert_int_equal(uv_loop_init(&f->loop), 0);
    uv_timer_init(&f->loop, &f->patience);
    uv_timer_init(&f->loop, &f->tick);
    f->patience.data = f;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->server != NULL) {
        close_server(f);
    }
    assert_int_equal(rmdir(f->folder), 0); /* which also says that it is empty */
    uv_close((uv_handle_t *)&f->patience, NULL);
    uv_close((uv_handle_t *)&f->tick, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

static void private_redis_open_serves_on_its_socket(void **state)
{
    struct fixture *f = *state;
    char url[80];
    (void)snprintf(url, sizeof url, "unix://%s/redis.sock", f->folder);
    open_server(f);
    assert_string_equal(private_redis_url(f->server), url);
    assert_int_equal(ask(f, "INCR n"), 1);
    assert_int_equal(ask(f, "INCR n"), 2);
    assert_true(is_file(f, "redis.log"));
    assert_true(is_file(f, "redis.pid"));
}

static void private_redis_socket_is_for_its_owner_only(void **state)
{
    struct fixture *f = *state;
    struct stat status;
    open_server(f);
    assert_int_equal(stat(private_redis_url(f->server) + strlen("unix://"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
}

static void private_redis_has_a_session_of_its_own(void **state)
{
    struct fixture *f = *state;
    open_server(f);
    int pid = private_redis_pid(f->server);
    assert_int_equal(getpgid(pid), pid);
    assert_int_equal(getsid(pid), pid);
}

static void private_redis_killed_is_started_anew_and_empty(void **state)
{
    struct fixture *f = *state;
    open_server(f);
    assert_int_equal(ask(f, "INCR n"), 1);
    int first = private_redis_pid(f->server);
    assert_true(first > 0);
    kill(first, SIGKILL);
    WAIT_UNTIL(f, private_redis_pid(f->server) == 0);
    WAIT_UNTIL(f, private_redis_pid(f->server) != 0 && ask(f, "INCR n") == 1);
    assert_int_not_equal(private_redis_pid(f->server), first);
}

static void private_redis_close_leaves_no_process_and_no_file(void **state)
{
    struct fixture *f = *state;
    open_server(f);
    int pid = private_redis_pid(f->server);
    close_server(f);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    assert_false(is_file(f, "redis.sock"));
    assert_false(is_file(f, "redis.log"));
    assert_false(is_file(f, "redis.pid"));
}

static void private_redis_close_right_after_open_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(private_redis_open(&f->loop, f->folder, &f->server), 0);
    int pid = private_redis_pid(f->server);
    close_server(f);
    assert_int_equal(kill(pid, 0), -1);
}

static void private_redis_close_while_waiting_to_start_anew_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    open_server(f);
    kill(private_redis_pid(f->server), SIGKILL);
    WAIT_UNTIL(f, private_redis_pid(f->server) == 0);
    close_server(f);
}

static void private_redis_that_does_not_end_on_request_is_killed(void **state)
{
    struct fixture *f = *state;
    open_server(f);
    int pid = private_redis_pid(f->server);
    kill(pid, SIGSTOP);
    close_server(f);
    assert_int_equal(kill(pid, 0), -1);
}

static void private_redis_without_programs_says_so(void **state)
{
    struct fixture *f = *state;
    char path[4096];
    (void)snprintf(path, sizeof path, "%s", getenv("PATH"));
    setenv("PATH", "/nonexistent", 1);
    int rc = private_redis_open(&f->loop, f->folder, &f->server);
    setenv("PATH", path, 1);
    assert_int_equal(rc, UV_ENOENT);
    assert_null(f->server);
}

static void private_redis_folder_too_long_for_a_socket_is_refused(void **state)
{
    struct fixture *f = *state;
    char folder[200];
    memset(folder, 'a', sizeof folder - 1);
    folder[0] = '/';
    folder[sizeof folder - 1] = '\0';
    assert_int_equal(private_redis_open(&f->loop, folder, &f->server), UV_ENAMETOOLONG);
    assert_null(f->server);
}

/* In a child: a node that starts a server, tells its pid, and runs until it is killed. */
static void run_node(const struct fixture *f, int out)
{
    uv_loop_t loop;
    struct private_redis *server = NULL;
    if (uv_loop_init(&loop) != 0 || private_redis_open(&loop, f->folder, &server) != 0) {
        _exit(1);
    }
    int pid = private_redis_pid(server);
    if (write(out, &pid, sizeof pid) != sizeof pid) {
        _exit(1);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    _exit(0);
}

static bool is_running_redis(int pid)
{
    char path[64];
    char name[32] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/comm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t len = read(fd, name, sizeof name - 1);
        (void)len;
        close(fd);
    }
    return strncmp(name, "redis-server", strlen("redis-server")) == 0;
}

static void private_redis_of_a_killed_node_ends_with_it(void **state)
{
    struct fixture *f = *state;
    int ends[2];
    int redis = 0;
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* so the orphan is ours to reap */
    assert_int_equal(pipe(ends), 0);
    pid_t node = fork();
    assert_true(node >= 0);
    if (node == 0) {
        run_node(f, ends[1]);
    }
    assert_int_equal(read(ends[0], &redis, sizeof redis), sizeof redis);
    close(ends[0]);
    close(ends[1]);
    WAIT_UNTIL(f, is_running_redis(redis)); /* from here on setpriv has done its part */
    kill(node, SIGKILL);
    assert_int_equal(waitpid(node, NULL, 0), node);
    WAIT_UNTIL(f, waitpid(redis, NULL, WNOHANG) == redis);
    char path[80];
    static const char *const left[] = {"redis.sock", "redis.log", "redis.pid"};
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", f->folder, left[i]);
        unlink(path);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(private_redis_open_serves_on_its_socket),
        CASE(private_redis_socket_is_for_its_owner_only),
        CASE(private_redis_has_a_session_of_its_own),
        CASE(private_redis_killed_is_started_anew_and_empty),
        CASE(private_redis_close_leaves_no_process_and_no_file),
        CASE(private_redis_close_right_after_open_leaves_nothing),
        CASE(private_redis_close_while_waiting_to_start_anew_leaves_nothing),
        CASE(private_redis_that_does_not_end_on_request_is_killed),
        CASE(private_redis_without_programs_says_so),
        CASE(private_redis_folder_too_long_for_a_socket_is_refused),
        CASE(private_redis_of_a_killed_node_ends_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
