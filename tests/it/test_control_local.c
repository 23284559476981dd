/* SPDX-License-Identifier: MIT */
/*
 * Tests of node/control/control_local with real sockets: nng clients and raw ones; those that come
 * and go, keep silent, send garbage or do not read; no files left; names that are taken or left
 * over (issue 13, item 14).
 */
#include "node/control/control_local.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>

#include "proto/sp.h"

#define ANSWERED_MS 20000
#define PATIENCE_MS 600
#define HELD_MAX    64
#define LARGE_BYTES ((size_t)1 << 20)

struct fixture {
    char folder[64], path[96], url[112];
    uv_loop_t loop; /* of the other thread, as all up to `thread` */
    uv_async_t stop;
    struct control_local *local;
    struct control_slot *held[HELD_MAX];
    size_t held_count;
    uv_thread_t thread;
};

/* "hold" is answered when somebody says "release"; "large" with much; "who" with who asks. */
static void on_request(struct control_slot *slot, struct bytes request, void *arg)
{
    struct fixture *f = arg;
    if (bytes_equal(request, bytes_str("hold"))) {
        assert_true(f->held_count < HELD_MAX);
        f->held[f->held_count++] = slot;
        return;
    }
    if (bytes_equal(request, bytes_str("release"))) {
        while (f->held_count > 0) {
            struct control_slot *held = f->held[--f->held_count];
            held->answer(held, bytes_str("released"));
        }
    }
    if (bytes_equal(request, bytes_str("large"))) {
        uint8_t *large = calloc(1, LARGE_BYTES);
        slot->answer(slot, bytes_of(large, LARGE_BYTES));
        free(large);
    } else if (bytes_equal(request, bytes_str("who"))) {
        slot->answer(slot, bytes_str(slot->is_owner ? "owner" : "other"));
    } else {
        slot->answer(slot, request);
    }
}

static void on_stop(uv_async_t *stop)
{
    struct fixture *f = stop->data;
    control_local_close(f->local);
    while (f->held_count > 0) { /* whoever asked has gone by now */
        struct control_slot *held = f->held[--f->held_count];
        held->answer(held, bytes_str("too late"));
    }
    uv_close((uv_handle_t *)stop, NULL);
}

static void run_loop(void *arg)
{
    (void)uv_run(arg, UV_RUN_DEFAULT);
}

static int open_fixture(void **state)
{
    char error[CONTROL_LOCAL_ERROR_BYTES];
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    snprintf(f->folder, sizeof f->folder, "/tmp/test_control_local-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/socket", f->folder);
    snprintf(f->url, sizeof f->url, "ipc://%s", f->path);
    uv_loop_init(&f->loop);
    f->local = control_local_open(&f->loop, f->path, PATIENCE_MS, on_request, f, error);
    assert_non_null(f->local);
    uv_async_init(&f->loop, &f->stop, on_stop);
    f->stop.data = f;
    assert_int_equal(uv_thread_create(&f->thread, run_loop, &f->loop), 0);
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;
    struct stat info;
    (void)uv_async_send(&f->stop);
    uv_thread_join(&f->thread);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    assert_int_equal(lstat(f->path, &info), -1);
    assert_int_equal(rmdir(f->folder), 0);
    free(f);
    return 0;
}

/* nng clients ------------------------------------------------------------------------------------
 */

static nng_socket nng_caller(const struct fixture *f)
{
    nng_socket caller;
    assert_int_equal(nng_req0_open(&caller), 0);
    assert_int_equal(nng_socket_set_ms(caller, NNG_OPT_RECVTIMEO, ANSWERED_MS), 0);
    assert_int_equal(nng_socket_set_ms(caller, NNG_OPT_SENDTIMEO, ANSWERED_MS), 0);
    assert_int_equal(nng_dial(caller, f->url, NULL, 0), 0);
    return caller;
}

static void nng_asks(nng_socket caller, const char *text, const char *expected)
{
    nng_msg *answer;
    assert_int_equal(nng_send(caller, (void *)(uintptr_t)text, strlen(text), 0), 0);
    assert_int_equal(nng_recvmsg(caller, &answer, 0), 0);
    assert_int_equal(nng_msg_len(answer), strlen(expected));
    assert_memory_equal(nng_msg_body(answer), expected, strlen(expected));
    nng_msg_free(answer);
}

static void expect_served(const struct fixture *f)
{
    nng_socket caller = nng_caller(f);
    nng_asks(caller, "still there?", "still there?");
    assert_int_equal(nng_close(caller), 0);
}

/* Raw clients ------------------------------------------------------------------------------------
 */

static int raw_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval patience = {ANSWERED_MS / 1000, 0};
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), 0);
    return fd;
}

static void raw_connect(const struct fixture *f, int fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", f->path);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
}

static int raw_caller(const struct fixture *f)
{
    int fd = raw_socket();
    raw_connect(f, fd);
    return fd;
}

static void raw_send(int fd, struct bytes bytes)
{
    assert_int_equal(send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL), bytes.len);
}

/* The loop's own work wakes this thread, too, where libuv uses io_uring: the ring is its. */
static ssize_t raw_recv(int fd, uint8_t *into, size_t cap, int flags)
{
    return TEMP_FAILURE_RETRY(recv(fd, into, cap, flags));
}

static void raw_greets(int fd)
{
    uint8_t greeting[SP_GREETING_BYTES];
    struct sink out = sink_into(greeting, sizeof greeting);
    sp_greet(SP_REQ, &out);
    raw_send(fd, sink_bytes(&out));
    assert_int_equal(raw_recv(fd, greeting, sizeof greeting, MSG_WAITALL), sizeof greeting);
    assert_int_equal(sp_greeting_read(bytes_of(greeting, sizeof greeting), SP_REP), SP_WHOLE);
}

/* Append a request with that number. */
static void request(struct sink *out, uint32_t number, const char *text)
{
    sp_frame_head(4 + strlen(text), out);
    sink_be32(out, 0x80000000u | number);
    sink_text(out, text);
}

static void raw_asks(int fd, uint32_t number, const char *text)
{
    uint8_t frame[64];
    struct sink out = sink_into(frame, sizeof frame);
    request(&out, number, text);
    raw_send(fd, sink_bytes(&out));
}

static void raw_hears(int fd, uint32_t number, const char *text)
{
    uint8_t expected[64], got[64];
    struct sink out = sink_into(expected, sizeof expected);
    request(&out, number, text);
    assert_int_equal(raw_recv(fd, got, out.len, MSG_WAITALL), out.len);
    assert_memory_equal(got, expected, out.len);
}

/* The other side ends it. */
static void raw_is_cut(int fd)
{
    uint8_t rest[4096];
    ssize_t got;
    while ((got = raw_recv(fd, rest, sizeof rest, 0)) > 0) {
    }
    assert_true(got == 0 || errno == ECONNRESET);
    assert_int_equal(close(fd), 0);
}

/* The wire ---------------------------------------------------------------------------------------
 */

static void control_local_answers_an_nng_client(void **state)
{
    const struct fixture *f = *state;
    nng_socket caller = nng_caller(f);
    nng_asks(caller, "hello", "hello");
    nng_asks(caller, "", "");
    nng_asks(caller, "who", "owner");
    assert_int_equal(nng_close(caller), 0);
}

static void control_local_answers_calls_in_flight_on_one_connection_in_any_order(void **state)
{
    enum { CALLS = 8 };
    const struct fixture *f = *state;
    nng_socket caller = nng_caller(f);
    nng_ctx ctx[CALLS];
    nng_aio *aio[CALLS];
    for (size_t i = 0; i < CALLS; i++) {
        nng_msg *msg;
        assert_int_equal(nng_ctx_open(&ctx[i], caller), 0);
        assert_int_equal(nng_aio_alloc(&aio[i], NULL, NULL), 0);
        nng_aio_set_timeout(aio[i], ANSWERED_MS);
        assert_int_equal(nng_msg_alloc(&msg, 0), 0);
        assert_int_equal(
            nng_msg_append(msg, i + 1 < CALLS ? "hold" : "release", i + 1 < CALLS ? 4 : 7), 0);
        nng_aio_set_msg(aio[i], msg);
        nng_ctx_send(ctx[i], aio[i]);
        nng_aio_wait(aio[i]);
        assert_int_equal(nng_aio_result(aio[i]), 0);
    }
    for (size_t i = 0; i < CALLS; i++) {
        nng_ctx_recv(ctx[i], aio[i]);
        nng_aio_wait(aio[i]);
        assert_int_equal(nng_aio_result(aio[i]), 0);
        nng_msg_free(nng_aio_get_msg(aio[i]));
        nng_aio_free(aio[i]);
    }
    assert_int_equal(nng_close(caller), 0);
}

static void control_local_answers_a_raw_client_byte_by_byte_and_all_at_once(void **state)
{
    const struct fixture *f = *state;
    uint8_t all[128];
    struct sink out = sink_into(all, sizeof all);
    sp_greet(SP_REQ, &out);
    request(&out, 1, "one");
    request(&out, 2, "");
    request(&out, 3, "three");
    for (int round = 0; round < 2; round++) {
        uint8_t greeting[SP_GREETING_BYTES];
        int fd = raw_caller(f);
        size_t step = round == 0 ? 1 : out.len;
        for (size_t at = 0; at < out.len; at += step) {
            raw_send(fd, bytes_of(all + at, step));
        }
        assert_int_equal(raw_recv(fd, greeting, sizeof greeting, MSG_WAITALL), sizeof greeting);
        raw_hears(fd, 1, "one");
        raw_hears(fd, 2, "");
        raw_hears(fd, 3, "three");
        assert_int_equal(close(fd), 0);
    }
}

static void control_local_gives_the_whole_header_stack_back(void **state)
{
    static const uint8_t asked[] = {1,    0, 0, 0, 0,    0,    0, 0, 14, 0,   0,  0,
                                    0x17, 0, 0, 1, 0x42, 0x80, 0, 0, 7,  'h', 'i'};
    const struct fixture *f = *state;
    uint8_t got[sizeof asked];
    int fd = raw_caller(f);
    raw_greets(fd);
    raw_send(fd, bytes_of(asked, sizeof asked));
    assert_int_equal(raw_recv(fd, got, sizeof got, MSG_WAITALL), sizeof got);
    assert_memory_equal(got, asked, sizeof got);
    assert_int_equal(close(fd), 0);
}

static void control_local_takes_a_request_of_more_than_a_mebibyte(void **state)
{
    const struct fixture *f = *state;
    nng_socket caller = nng_caller(f);
    char *large = calloc(1, 2 * LARGE_BYTES + 1);
    assert_non_null(large);
    memset(large, 'x', 2 * LARGE_BYTES);
    nng_asks(caller, large, large);
    free(large);
    assert_int_equal(nng_close(caller), 0);
}

/* Peers that do not behave -----------------------------------------------------------------------
 */

static void control_local_serves_on_when_thousands_connect_and_close(void **state)
{
    enum { TIMES = 2000 };
    const struct fixture *f = *state;
    nng_socket before = nng_caller(f);
    for (int i = 0; i < TIMES; i++) {
        int fd = raw_caller(f);
        if (i % 4 == 1) {
            raw_send(fd, bytes_of("\0SP", 3));
        } else if (i % 4 == 2) {
            raw_greets(fd);
        } else if (i % 4 == 3) {
            raw_greets(fd);
            raw_asks(fd, 7, "nobody waits for this");
        }
        assert_int_equal(close(fd), 0);
    }
    nng_asks(before, "here all the time", "here all the time");
    assert_int_equal(nng_close(before), 0);
    expect_served(f);
}

static void control_local_cuts_garbage(void **state)
{
    static const struct {
        size_t len;
        const char *bytes;
    } garbage[] = {{16, "GET / HTTP/1.1\r\n"},
                   {8, "\0SP\0\0\x31\0\0"},
                   {8, "\0SP\0\0\x30\0\1"},
                   {9, "\0SP\0\0\x30\0\0\2"},
                   {17, "\0SP\0\0\x30\0\0\1\x7f\xff\xff\xff\xff\xff\xff\xff"},
                   {17, "\0SP\0\0\x30\0\0\1\0\0\0\0\1\0\0\0"},
                   {17, "\0SP\0\0\x30\0\0\1\0\0\0\0\0\0\0\0"},
                   {21, "\0SP\0\0\x30\0\0\1\0\0\0\0\0\0\0\4\0\0\0\7"}};
    const struct fixture *f = *state;
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        int fd = raw_caller(f);
        raw_send(fd, bytes_of(garbage[i].bytes, garbage[i].len));
        raw_is_cut(fd);
    }
    expect_served(f);
}

static void control_local_gives_up_what_stands_still(void **state)
{
    const struct fixture *f = *state;
    int silent = raw_caller(f);
    int half_greeted = raw_caller(f);
    raw_send(half_greeted, bytes_of("\0SP", 3));
    int half_asked = raw_caller(f);
    raw_greets(half_asked);
    raw_send(half_asked, bytes_of("\1\0\0\0\0\0\0\0\x20half", 13));
    nng_socket idle = nng_caller(f);
    raw_is_cut(silent);
    raw_is_cut(half_greeted);
    raw_is_cut(half_asked);
    nng_asks(idle, "idle, but well", "idle, but well"); /* its first word: it was not cut */
    assert_int_equal(nng_close(idle), 0);
}

/* It asks for more than its socket holds, reads nothing, and holds up nobody. */
static void control_local_gives_up_who_does_not_read(void **state)
{
    const struct fixture *f = *state;
    int slow = raw_caller(f);
    raw_greets(slow);
    for (uint32_t i = 0; i < 8; i++) {
        raw_asks(slow, i, "large");
    }
    expect_served(f);
    uint8_t *rest = calloc(8, LARGE_BYTES);
    size_t got = 0;
    assert_non_null(rest);
    /* Its own word is not read meanwhile: a full socket ends the waiting for its cut. */
    while (TEMP_FAILURE_RETRY(send(slow, rest, 1000, MSG_NOSIGNAL)) > 0) {
    }
    for (ssize_t n = 1; n > 0 && got<8 * LARGE_BYTES; got += n> 0 ? (size_t)n : 0) {
        n = raw_recv(slow, rest, LARGE_BYTES, 0);
    }
    assert_true(got < 8 * LARGE_BYTES);
    free(rest);
    assert_int_equal(close(slow), 0);
    expect_served(f);
}

static void control_local_has_room_for_one_more_when_all_places_are_held(void **state)
{
    enum { HELD = 3 * CONTROL_LOCAL_PEERS };
    const struct fixture *f = *state;
    static int fds[HELD];
    for (size_t i = 0; i < HELD; i++) {
        fds[i] = raw_caller(f);
    }
    expect_served(f);
    for (size_t i = 0; i < HELD; i++) {
        assert_int_equal(close(fds[i]), 0);
    }
}

/* What is asked ahead of answers waits, and none of it is lost. */
static void control_local_bounds_what_one_connection_has_under_way(void **state)
{
    enum { ASKED = CONTROL_LOCAL_CALLS + 5 };
    const struct fixture *f = *state;
    int fd = raw_caller(f);
    nng_socket other = nng_caller(f);
    bool is_answered[ASKED] = {false};
    raw_greets(fd);
    for (uint32_t i = 0; i < ASKED; i++) {
        raw_asks(fd, i, "hold");
    }
    for (size_t count = 0; count < ASKED; count++) {
        uint8_t got[SP_FRAME_HEAD_BYTES + 4 + 8];
        while (recv(fd, got, sizeof got, MSG_DONTWAIT | MSG_PEEK) < (ssize_t)sizeof got) {
            nng_asks(other, "release", "release");
        }
        assert_int_equal(raw_recv(fd, got, sizeof got, MSG_WAITALL), sizeof got);
        uint32_t number = be32_at(got + SP_FRAME_HEAD_BYTES) & 0x7fffffff;
        assert_true(number < ASKED && !is_answered[number]);
        is_answered[number] = true;
    }
    assert_int_equal(nng_close(other), 0);
    assert_int_equal(close(fd), 0);
}

static void control_local_answer_to_who_has_gone_hurts_nobody(void **state)
{
    const struct fixture *f = *state;
    for (int i = 0; i < 20; i++) {
        int fd = raw_caller(f);
        raw_greets(fd);
        raw_asks(fd, 1, "hold");
        assert_int_equal(close(fd), 0);
        if (i == 10) {
            nng_socket caller = nng_caller(f);
            nng_asks(caller, "release", "release");
            assert_int_equal(nng_close(caller), 0);
        }
    }
    expect_served(f);
}

/* No files left ----------------------------------------------------------------------------------
 */

static void control_local_serves_operators_when_no_files_are_left(void **state)
{
    enum { CALLERS = CONTROL_LOCAL_SPARES + 1, FILES_MAX = 1024 };
    const struct fixture *f = *state;
    int callers[CALLERS];
    static int taken[FILES_MAX];
    size_t taken_count = 0;
    struct rlimit limit, low;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = (struct rlimit){FILES_MAX, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    for (size_t i = 0; i < CALLERS; i++) {
        callers[i] = raw_socket();
    }
    while (taken_count < FILES_MAX &&
           (taken[taken_count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
        taken_count++;
    }
    assert_int_equal(errno, EMFILE);
    for (size_t i = 0; i < CALLERS; i++) {
        raw_connect(f, callers[i]);
    }
    for (size_t i = 0; i + 1 < CALLERS; i++) {
        raw_greets(callers[i]);
        raw_asks(callers[i], 1, "in need");
        raw_hears(callers[i], 1, "in need");
    }
    /* The next one waits for one of them. */
    assert_int_equal(shutdown(callers[0], SHUT_RDWR), 0);
    raw_greets(callers[CALLERS - 1]);
    raw_asks(callers[CALLERS - 1], 1, "at last");
    raw_hears(callers[CALLERS - 1], 1, "at last");
    for (size_t i = 0; i < CALLERS; i++) {
        assert_int_equal(close(callers[i]), 0);
    }
    while (taken_count > 0) {
        assert_int_equal(close(taken[--taken_count]), 0);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    expect_served(f);
}

/* Names ------------------------------------------------------------------------------------------
 */

static void expect_refused(struct fixture *f, const char *path, const char *reason)
{
    char error[CONTROL_LOCAL_ERROR_BYTES] = "";
    uv_loop_t loop;
    uv_loop_init(&loop);
    assert_null(control_local_open(&loop, path, PATIENCE_MS, on_request, f, error));
    if (strstr(error, reason) == NULL) {
        fail_msg("%s: %s", path, error);
    }
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void control_local_is_its_users_and_not_taken_from_one_that_lives(void **state)
{
    struct fixture *f = *state;
    struct stat info;
    assert_int_equal(stat(f->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    for (int i = 0; i < 200; i++) {
        expect_refused(f, f->path, "another process listens there");
    }
    expect_served(f);
}

static void control_local_takes_the_place_of_one_that_is_dead(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char error[CONTROL_LOCAL_ERROR_BYTES];
    uv_loop_t loop;
    uv_loop_init(&loop);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/dead", f->folder);
    int fd = raw_socket();
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(close(fd), 0);
    struct control_local *heir =
        control_local_open(&loop, address.sun_path, PATIENCE_MS, on_request, f, error);
    assert_non_null(heir);
    control_local_close(heir);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(access(address.sun_path, F_OK), -1);
}

static void control_local_removes_nothing_that_is_not_its_own(void **state)
{
    struct fixture *f = *state;
    char path[128], error[CONTROL_LOCAL_ERROR_BYTES];
    uv_loop_t loop;
    snprintf(path, sizeof path, "%s/file", f->folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && close(fd) == 0);
    expect_refused(f, path, "it is no socket");
    assert_int_equal(unlink(path), 0);
    /* A name that somebody else has by now stays his. */
    uv_loop_init(&loop);
    struct control_local *local =
        control_local_open(&loop, path, PATIENCE_MS, on_request, f, error);
    assert_non_null(local);
    assert_int_equal(unlink(path), 0);
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && close(fd) == 0);
    control_local_close(local);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(unlink(path), 0);
}

static void control_local_says_what_is_wrong_with_a_path(void **state)
{
    struct fixture *f = *state;
    char path[256];
    expect_refused(f, "/nonexistent/folder/socket", "No such file or directory");
    expect_refused(f, "", "1 to 107 bytes");
    snprintf(path, sizeof path, "%s/%0108d", f->folder, 0);
    expect_refused(f, path, "the path of a socket has 1 to 107 bytes");
}

/* A socket whose mode somebody has opened, say: the system says who is there. */
static void control_local_tells_its_owner_from_others(void **state)
{
    struct fixture *f = *state;
    if (getuid() != 0) {
        skip();
    }
    assert_int_equal(chmod(f->folder, 0755), 0);
    assert_int_equal(chmod(f->path, 0666), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (setuid(65534) != 0) {
            _exit(2);
        }
        int fd = raw_caller(f);
        raw_greets(fd);
        raw_asks(fd, 1, "who");
        raw_hears(fd, 1, "other");
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

#define LOCAL_TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOCAL_TEST(control_local_answers_an_nng_client),
        LOCAL_TEST(control_local_answers_calls_in_flight_on_one_connection_in_any_order),
        LOCAL_TEST(control_local_answers_a_raw_client_byte_by_byte_and_all_at_once),
        LOCAL_TEST(control_local_gives_the_whole_header_stack_back),
        LOCAL_TEST(control_local_takes_a_request_of_more_than_a_mebibyte),
        LOCAL_TEST(control_local_serves_on_when_thousands_connect_and_close),
        LOCAL_TEST(control_local_cuts_garbage),
        LOCAL_TEST(control_local_gives_up_what_stands_still),
        LOCAL_TEST(control_local_gives_up_who_does_not_read),
        LOCAL_TEST(control_local_has_room_for_one_more_when_all_places_are_held),
        LOCAL_TEST(control_local_bounds_what_one_connection_has_under_way),
        LOCAL_TEST(control_local_answer_to_who_has_gone_hurts_nobody),
        LOCAL_TEST(control_local_serves_operators_when_no_files_are_left),
        LOCAL_TEST(control_local_is_its_users_and_not_taken_from_one_that_lives),
        LOCAL_TEST(control_local_takes_the_place_of_one_that_is_dead),
        LOCAL_TEST(control_local_removes_nothing_that_is_not_its_own),
        LOCAL_TEST(control_local_says_what_is_wrong_with_a_path),
        LOCAL_TEST(control_local_tells_its_owner_from_others),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as the node does */
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fflush(NULL);
    _exit(failed);
}
