/* SPDX-License-Identifier: MIT */
/*
 * redis_link against real redis-servers on loopback, and against a few lines that play a server
 * where a real one will not do what is wanted. A server that is stopped (SIGSTOP) takes commands
 * and answers none, which is how lateness is made here without sleeping.
 */
#include "node/store/redis_link.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "node/base/metrics.h"

enum { PATIENCE_MS = 20000, REPLIES_MAX = 10000, PLAYED_CLIENTS_MAX = 8 };

/* A server that accepts, reads, and says one thing to whatever comes. */
struct played {
    uv_tcp_t listener;
    uv_tcp_t clients[PLAYED_CLIENTS_MAX];
    int client_count;
    bool listening;
    const char *answer; /* NULL: none */
    char incoming[4096];
};

struct fixture {
    uv_loop_t loop;
    uv_timer_t patience;
    bool expired;
    struct redis_link *link;
    char folder[32];
    char socket[64];
    uint16_t port;
    pid_t server;
    int up_count; /* calls of on_state, by what they said */
    int down_count;
    char why[256]; /* of the last that said "down" */
    int reply_count;
    int null_count;
    long long numbers[REPLIES_MAX];
    bool in_command;
    bool closed;
    bool close_on_reply;
    struct played played;
    int follow_up_count; /* further commands to send from inside on_reply */
};

/* ---- Helpers ---- */

static void on_patience(uv_timer_t *timer)
{
    struct fixture *f = timer->data;
    f->expired = true;
}

#define WAIT_UNTIL(f, condition)                                                                   \
    do {                                                                                           \
        (f)->expired = false;                                                                      \
        uv_timer_start(&(f)->patience, on_patience, PATIENCE_MS, 0);                               \
        while (!(condition)) {                                                                     \
            assert_false((f)->expired);                                                            \
            uv_run(&(f)->loop, UV_RUN_ONCE);                                                       \
        }                                                                                          \
        uv_timer_stop(&(f)->patience);                                                             \
    } while (0)

static void on_state(bool connected, const char *why, void *arg)
{
    struct fixture *f = arg;
    if (connected) {
        f->up_count++;
        assert_string_equal(why, "");
        assert_true(redis_link_connected(f->link));
    } else {
        f->down_count++;
        (void)snprintf(f->why, sizeof f->why, "%s", why);
        assert_false(redis_link_connected(f->link));
    }
}

static void on_closed(void *arg)
{
    struct fixture *f = arg;
    f->closed = true;
    f->link = NULL;
}

static void send_words(struct fixture *f, const char *first, const char *second);

static void on_reply(const redisReply *reply, void *arg)
{
    struct fixture *f = arg;
    assert_false(f->in_command);
    if (reply == NULL) {
        f->null_count++;
    } else {
        assert_true(f->reply_count < REPLIES_MAX);
        f->numbers[f->reply_count] = reply->type == REDIS_REPLY_INTEGER ? reply->integer : -1;
    }
    f->reply_count++;
    if (f->follow_up_count > 0) {
        f->follow_up_count--;
        send_words(f, "INCR", "n");
    }
    if (f->close_on_reply) {
        f->close_on_reply = false;
        redis_link_close(f->link, on_closed, f);
    }
}

static void send_words(struct fixture *f, const char *first, const char *second)
{
    const struct bytes words[] = {bytes_str(first), bytes_str(second)};
    f->in_command = true;
    redis_link_command(f->link, words, 2, on_reply, f);
    f->in_command = false;
}

static void open_link(struct fixture *f, const char *url, int64_t deadline_ms)
{
    const struct redis_link_options options = {
        .loop = &f->loop, .url = url, .deadline_ms = deadline_ms, .on_state = on_state, .arg = f};
    f->link = redis_link_open(&options);
    assert_non_null(f->link);
    assert_int_equal(f->up_count + f->down_count, 0);
}

static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t address_bytes = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &address_bytes), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* It listens on f->port and on f->socket; `password` NULL: none. */
static void start_server(struct fixture *f, const char *password)
{
    char port[8];
    (void)snprintf(port, sizeof port, "%d", f->port);
    f->server = fork();
    assert_true(f->server >= 0);
    if (f->server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp("redis-server", "redis-server", "--bind", "127.0.0.1", "--port", port,
               "--unixsocket", f->socket, "--save", "", "--appendonly", "no", "--dir", f->folder,
               "--logfile", "/dev/null", password != NULL ? "--requirepass" : NULL, password, NULL);
        _exit(127);
    }
}

static void stop_server(struct fixture *f)
{
    if (f->server > 0) {
        kill(f->server, SIGKILL);
        waitpid(f->server, NULL, 0);
        f->server = 0;
    }
}

static char *tcp_url(const struct fixture *f, const char *login, const char *host)
{
    static char url[128];
    (void)snprintf(url, sizeof url, "redis://%s%s:%d/0", login, host, f->port);
    return url;
}

static void connect_to_server(struct fixture *f, int64_t deadline_ms)
{
    start_server(f, NULL);
    open_link(f, tcp_url(f, "", "127.0.0.1"), deadline_ms);
    WAIT_UNTIL(f, f->up_count == 1);
    f->down_count = 0; /* refused until the server listened */
}

/* Why the link is down, behind the address of the server. */
static void expect_why(const struct fixture *f, const char *why)
{
    char expected[160];
    (void)snprintf(expected, sizeof expected, "127.0.0.1:%u: %s", f->port, why);
    assert_string_equal(f->why, expected);
}

static void close_link(struct fixture *f)
{
    redis_link_close(f->link, on_closed, f);
    WAIT_UNTIL(f, f->closed);
}

/* ---- The played server ---- */

static void played_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
    (void)suggested;
    struct played *played = handle->data;
    *ret_buf = uv_buf_init(played->incoming, sizeof played->incoming);
}

static void played_on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    (void)buf;
    struct played *played = stream->data;
    if (count > 0 && played->answer != NULL) {
        uv_buf_t answer =
            uv_buf_init((char *)(uintptr_t)played->answer, (unsigned)strlen(played->answer));
        assert_int_equal(uv_try_write(stream, &answer, 1), answer.len);
    } else if (count < 0) {
        uv_read_stop(stream);
    }
}

static void played_on_connection(uv_stream_t *listener, int status)
{
    struct played *played = listener->data;
    assert_int_equal(status, 0);
    assert_true(played->client_count < PLAYED_CLIENTS_MAX);
    uv_tcp_t *client = &played->clients[played->client_count++];
    uv_tcp_init(listener->loop, client);
    client->data = played;
    assert_int_equal(uv_accept(listener, (uv_stream_t *)client), 0);
    uv_read_start((uv_stream_t *)client, played_on_alloc, played_on_read);
}

static void played_open(struct fixture *f, const char *answer)
{
    struct played *played = &f->played;
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", f->port, &address);
    uv_tcp_init(&f->loop, &played->listener);
    played->listener.data = played;
    played->listening = true;
    played->answer = answer;
    assert_int_equal(uv_tcp_bind(&played->listener, (struct sockaddr *)&address, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&played->listener, 8, played_on_connection), 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/test-redis-link-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->socket, sizeof f->socket, "%s/redis.sock", f->folder);
    f->port = free_port();
    assert_int_equal(uv_loop_init(&f->loop), 0);
    uv_timer_init(&f->loop, &f->patience);
    f->patience.data = f;
    memset(metrics_values, 0, sizeof metrics_values);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->link != NULL) {
        close_link(f);
    }
    if (f->played.listening) {
        uv_close((uv_handle_t *)&f->played.listener, NULL);
    }
    for (int i = 0; i < f->played.client_count; i++) {
        if (!uv_is_closing((uv_handle_t *)&f->played.clients[i])) {
            uv_close((uv_handle_t *)&f->played.clients[i], NULL);
        }
    }
    stop_server(f);
    unlink(f->socket);
    assert_int_equal(rmdir(f->folder), 0);
    uv_close((uv_handle_t *)&f->patience, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    assert_int_equal(metrics_values[METRIC_STORE_IN_FLIGHT], 0);
    assert_int_equal(metrics_values[METRIC_STORE_CONNECTED], 0);
    free(f);
    return 0;
}

/* ---- Cases ---- */

static void redis_link_url_not_understood_opens_nothing(void **state)
{
    struct fixture *f = *state;
    const struct redis_link_options options = {
        .loop = &f->loop, .url = "http://127.0.0.1", .deadline_ms = 100, .on_state = on_state};
    assert_null(redis_link_open(&options));
}

static void redis_link_commands_are_answered_in_order(void **state)
{
    struct fixture *f = *state;
    connect_to_server(f, 5000);
    for (int i = 0; i < 5; i++) {
        send_words(f, "INCR", "n");
    }
    assert_int_equal(metrics_values[METRIC_STORE_IN_FLIGHT], 5);
    WAIT_UNTIL(f, f->reply_count == 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(f->numbers[i], i + 1);
    }
    assert_int_equal(metrics_values[METRIC_STORE_CONNECTED], 1);
    assert_int_equal(metrics_values[METRIC_STORE_RECONNECTS], 0);
}

static void redis_link_ten_thousand_at_once_are_answered_in_order(void **state)
{
    struct fixture *f = *state;
    connect_to_server(f, PATIENCE_MS);
    for (int i = 0; i < REPLIES_MAX; i++) {
        send_words(f, "INCR", "n");
    }
    WAIT_UNTIL(f, f->reply_count == REPLIES_MAX);
    assert_int_equal(f->null_count, 0);
    for (int i = 0; i < REPLIES_MAX; i++) {
        assert_int_equal(f->numbers[i], i + 1);
    }
}

static void redis_link_more_words_than_usual_arrive_whole(void **state)
{
    struct fixture *f = *state;
    struct bytes words[500] = {bytes_str("RPUSH"), bytes_str("list")};
    for (size_t i = 2; i < 500; i++) {
        words[i] = i % 2 == 0 ? bytes_of("a\0b", 3) : (struct bytes){NULL, 0};
    }
    connect_to_server(f, 5000);
    redis_link_command(f->link, words, 500, on_reply, f);
    WAIT_UNTIL(f, f->reply_count == 1);
    assert_int_equal(f->numbers[0], 498);
}

static void redis_link_host_name_is_looked_up(void **state)
{
    struct fixture *f = *state;
    start_server(f, NULL);
    open_link(f, tcp_url(f, "", "localhost"), 5000);
    WAIT_UNTIL(f, f->up_count == 1);
    send_words(f, "INCR", "n");
    WAIT_UNTIL(f, f->reply_count == 1);
    assert_int_equal(f->numbers[0], 1);
}

static void redis_link_command_while_not_connected_answers_null_from_the_loop(void **state)
{
    struct fixture *f = *state;
    open_link(f, tcp_url(f, "", "127.0.0.1"), 5000);
    send_words(f, "INCR", "n");
    assert_int_equal(f->reply_count, 0);
    WAIT_UNTIL(f, f->reply_count == 1);
    assert_int_equal(f->null_count, 1);
    assert_int_equal(metrics_values[METRIC_STORE_IN_FLIGHT], 0);
}

static void redis_link_refused_connect_is_reported_once_until_it_stands(void **state)
{
    struct fixture *f = *state;
    open_link(f, tcp_url(f, "", "127.0.0.1"), 5000);
    WAIT_UNTIL(f, f->down_count == 1);
    expect_why(f, "Connection refused");
    start_server(f, NULL);
    WAIT_UNTIL(f, f->up_count == 1);
    assert_int_equal(f->down_count, 1);
    assert_int_equal(metrics_values[METRIC_STORE_RECONNECTS], 0);
}

static void redis_link_socket_that_appears_later_is_no_failure(void **state)
{
    struct fixture *f = *state;
    char url[80];
    (void)snprintf(url, sizeof url, "unix://%s", f->socket);
    open_link(f, url, PATIENCE_MS);
    uv_run(&f->loop, UV_RUN_ONCE);
    start_server(f, NULL);
    WAIT_UNTIL(f, f->up_count == 1);
    assert_int_equal(f->down_count, 0);
}

static void redis_link_socket_that_never_appears_fails_at_the_deadline(void **state)
{
    struct fixture *f = *state;
    open_link(f, "unix:///nonexistent/redis.sock", 50);
    WAIT_UNTIL(f, f->down_count == 1);
    assert_string_equal(f->why, "/nonexistent/redis.sock: No such file or directory");
}

static void redis_link_wrong_password_says_why(void **state)
{
    struct fixture *f = *state;
    start_server(f, "right");
    open_link(f, tcp_url(f, "default:wrong@", "127.0.0.1"), 5000);
    WAIT_UNTIL(f, strstr(f->why, "WRONGPASS") != NULL);
    assert_null(strstr(f->why, "wrong@"));
    assert_int_equal(f->up_count, 0);
}

static void redis_link_missing_password_says_why(void **state)
{
    struct fixture *f = *state;
    start_server(f, "right");
    open_link(f, tcp_url(f, "", "127.0.0.1"), 5000);
    WAIT_UNTIL(f, strstr(f->why, "NOAUTH") != NULL);
    assert_int_equal(f->up_count, 0);
}

static void redis_link_right_password_connects(void **state)
{
    struct fixture *f = *state;
    start_server(f, "rig:ht@");
    open_link(f, tcp_url(f, ":rig:ht%40@", "127.0.0.1"), 5000);
    WAIT_UNTIL(f, f->up_count == 1);
    send_words(f, "INCR", "n");
    WAIT_UNTIL(f, f->reply_count == 1);
    assert_int_equal(f->numbers[0], 1);
}

static void redis_link_server_that_is_loading_does_not_count_as_connected(void **state)
{
    struct fixture *f = *state;
    played_open(f, "-LOADING Redis is loading the dataset in memory\r\n");
    open_link(f, tcp_url(f, "", "127.0.0.1"), 5000);
    WAIT_UNTIL(f, f->down_count == 1);
    expect_why(f, "PING: LOADING Redis is loading the dataset in memory");
}

static void redis_link_failure_is_reported_again_only_when_its_reason_changes(void **state)
{
    struct fixture *f = *state;
    played_open(f, "-LOADING one\r\n");
    open_link(f, tcp_url(f, "", "127.0.0.1"), 5000);
    WAIT_UNTIL(f, f->played.client_count == 4);
    assert_int_equal(f->down_count, 1);
    f->played.answer = "-MASTERDOWN two\r\n";
    WAIT_UNTIL(f, f->played.client_count == 6);
    assert_int_equal(f->down_count, 2);
    expect_why(f, "PING: MASTERDOWN two");
}

static void redis_link_error_that_repeats_the_password_is_cut_short(void **state)
{
    struct fixture *f = *state;
    played_open(f, "-ERR unknown command 'AUTH', with args beginning with: 'secret'\r\n");
    open_link(f, tcp_url(f, "me:secret@", "127.0.0.1"), 5000);
    WAIT_UNTIL(f, f->down_count == 1);
    expect_why(f, "AUTH: ERR unknown command 'AUTH'");
}

static void redis_link_server_that_says_nothing_fails_at_the_deadline(void **state)
{
    struct fixture *f = *state;
    played_open(f, NULL);
    open_link(f, tcp_url(f, "", "127.0.0.1"), 50);
    WAIT_UNTIL(f, f->down_count == 1);
    expect_why(f, "no connection within the deadline");
}

static void redis_link_reset_while_idle_is_noticed(void **state)
{
    struct fixture *f = *state;
    played_open(f, "+PONG\r\n");
    open_link(f, tcp_url(f, "", "127.0.0.1"), 5000);
    WAIT_UNTIL(f, f->up_count == 1);
    assert_int_equal(uv_tcp_close_reset(&f->played.clients[0], NULL), 0);
    WAIT_UNTIL(f, f->down_count == 1);
    expect_why(f, "Connection reset by peer");
}

static void redis_link_late_reply_is_dropped_and_the_next_one_is_its_own(void **state)
{
    struct fixture *f = *state;
    connect_to_server(f, 400);
    kill(f->server, SIGSTOP);
    send_words(f, "INCR", "n");
    WAIT_UNTIL(f, f->reply_count == 1);
    assert_int_equal(f->null_count, 1);
    assert_int_equal(metrics_values[METRIC_STORE_IN_FLIGHT], 0);
    kill(f->server, SIGCONT);
    redis_link_deadline(f->link, PATIENCE_MS);
    send_words(f, "INCR", "n");
    WAIT_UNTIL(f, f->reply_count == 2);
    assert_int_equal(f->numbers[1],
                     2); /* the late one was executed, and its reply not taken for this */
    assert_int_equal(f->null_count, 1);
    assert_int_equal(f->down_count, 0);
}

static void redis_link_deadline_shortened_applies_to_commands_from_now_on(void **state)
{
    struct fixture *f = *state;
    connect_to_server(f, PATIENCE_MS);
    kill(f->server, SIGSTOP);
    redis_link_deadline(f->link, 50);
    send_words(f, "INCR", "n");
    WAIT_UNTIL(f, f->reply_count == 1);
    assert_int_equal(f->null_count, 1);
}

static void redis_link_silent_server_is_given_up_and_connected_anew(void **state)
{
    struct fixture *f = *state;
    connect_to_server(f, 30);
    kill(f->server, SIGSTOP);
    send_words(f, "INCR", "n");
    WAIT_UNTIL(f, f->down_count == 1);
    assert_int_equal(f->null_count, 1);
    assert_non_null(strstr(f->why, "late"));
    redis_link_deadline(f->link, 5000);
    kill(f->server, SIGCONT);
    WAIT_UNTIL(f, f->up_count == 2);
    assert_int_equal(metrics_values[METRIC_STORE_RECONNECTS], 1);
    assert_int_equal(f->reply_count, 1);
}

static void redis_link_killed_server_answers_null_once_each_then_reconnects(void **state)
{
    struct fixture *f = *state;
    connect_to_server(f, PATIENCE_MS);
    kill(f->server, SIGSTOP);
    for (int i = 0; i < 100; i++) {
        send_words(f, "INCR", "n");
    }
    uv_run(&f->loop, UV_RUN_NOWAIT);
    stop_server(f);
    WAIT_UNTIL(f, f->reply_count == 100);
    assert_int_equal(f->null_count, 100);
    WAIT_UNTIL(f, f->down_count == 2); /* the loss, then the first attempt's refusal */
    start_server(f, NULL);
    WAIT_UNTIL(f, f->up_count == 2);
    send_words(f, "INCR", "n");
    WAIT_UNTIL(f, f->reply_count == 101);
    assert_int_equal(f->numbers[100], 1);
    assert_int_equal(f->null_count, 100);
    assert_int_equal(f->down_count, 2);
}

static void redis_link_close_answers_open_commands_by_null_first(void **state)
{
    struct fixture *f = *state;
    connect_to_server(f, PATIENCE_MS);
    kill(f->server, SIGSTOP);
    for (int i = 0; i < 3; i++) {
        send_words(f, "INCR", "n");
    }
    uv_run(&f->loop, UV_RUN_NOWAIT);
    redis_link_close(f->link, on_closed, f);
    assert_false(f->closed);
    assert_int_equal(f->reply_count, 0);
    WAIT_UNTIL(f, f->closed);
    assert_int_equal(f->null_count, 3);
    assert_int_equal(f->down_count, 0);
}

static void redis_link_close_from_inside_a_reply_is_safe(void **state)
{
    struct fixture *f = *state;
    connect_to_server(f, PATIENCE_MS);
    f->close_on_reply = true;
    for (int i = 0; i < 10; i++) {
        send_words(f, "INCR", "n");
    }
    WAIT_UNTIL(f, f->closed);
    assert_int_equal(f->reply_count, 10);
    assert_int_equal(f->numbers[0], 1);
    assert_int_equal(f->null_count, 9);
}

static void redis_link_close_while_connecting_is_safe(void **state)
{
    struct fixture *f = *state;
    played_open(f, NULL);
    open_link(f, tcp_url(f, "", "127.0.0.1"), 5000);
    WAIT_UNTIL(f, f->played.client_count == 1);
    close_link(f);
    assert_int_equal(f->down_count, 0);
}

static void redis_link_close_while_looking_up_is_safe(void **state)
{
    struct fixture *f = *state;
    open_link(f, tcp_url(f, "", "localhost"), 5000);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    close_link(f);
    assert_int_equal(f->down_count, 0);
}

static void redis_link_commands_sent_from_inside_replies_are_answered(void **state)
{
    struct fixture *f = *state;
    connect_to_server(f, 5000);
    f->follow_up_count = 20;
    send_words(f, "INCR", "n");
    WAIT_UNTIL(f, f->reply_count == 21);
    assert_int_equal(f->numbers[20], 21);
    f->follow_up_count = 3;
    kill(f->server, SIGSTOP);
    send_words(f, "INCR", "n");
    redis_link_close(f->link, on_closed, f);
    WAIT_UNTIL(f, f->closed);
    assert_int_equal(f->null_count, 4);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(redis_link_url_not_understood_opens_nothing),
        CASE(redis_link_commands_are_answered_in_order),
        CASE(redis_link_ten_thousand_at_once_are_answered_in_order),
        CASE(redis_link_more_words_than_usual_arrive_whole),
        CASE(redis_link_host_name_is_looked_up),
        CASE(redis_link_command_while_not_connected_answers_null_from_the_loop),
        CASE(redis_link_refused_connect_is_reported_once_until_it_stands),
        CASE(redis_link_socket_that_appears_later_is_no_failure),
        CASE(redis_link_socket_that_never_appears_fails_at_the_deadline),
        CASE(redis_link_wrong_password_says_why),
        CASE(redis_link_missing_password_says_why),
        CASE(redis_link_right_password_connects),
        CASE(redis_link_server_that_is_loading_does_not_count_as_connected),
        CASE(redis_link_failure_is_reported_again_only_when_its_reason_changes),
        CASE(redis_link_error_that_repeats_the_password_is_cut_short),
        CASE(redis_link_server_that_says_nothing_fails_at_the_deadline),
        CASE(redis_link_reset_while_idle_is_noticed),
        CASE(redis_link_late_reply_is_dropped_and_the_next_one_is_its_own),
        CASE(redis_link_deadline_shortened_applies_to_commands_from_now_on),
        CASE(redis_link_silent_server_is_given_up_and_connected_anew),
        CASE(redis_link_killed_server_answers_null_once_each_then_reconnects),
        CASE(redis_link_close_answers_open_commands_by_null_first),
        CASE(redis_link_close_from_inside_a_reply_is_safe),
        CASE(redis_link_close_while_connecting_is_safe),
        CASE(redis_link_close_while_looking_up_is_safe),
        CASE(redis_link_commands_sent_from_inside_replies_are_answered),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as the node does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
