/* SPDX-License-Identifier: MIT */
/*
 * talk_loop: waits for everything at once and hands it on. On a terminal libedit calls for the next
 * key and the loop turns until there is one; else lines are cut from what stdin brings. Lines wait
 * here until the client takes them.
 */
#include "admin/talk/talk_loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "admin/talk/talk_editor.h"

#define TALK_LOOP_INPUT_MAX (1u << 20) /* a longer line is cut into several */

enum { TALK_LOOP_STDIN, TALK_LOOP_STDOUT, TALK_LOOP_SIGNAL, TALK_LOOP_CLIENT };

struct talk_loop {
    struct talk_client *client;
    struct talk_editor *editor; /* NULL: plain */
    bool is_plain;
    int signal_fd;
    char *input; /* bytes that were read and not used yet */
    size_t input_len, input_cap;
    bool input_ended;
    bool is_cancelled;
    char **lines; /* typed, not taken yet */
    size_t line_count;
    bool no_more_lines;
};

/* Showing -------------------------------------------------------------------------------------- */

static void talk_loop_show(void *ctx, enum talk_mark mark, const char *line)
{
    struct talk_loop *loop = ctx;
    if (loop->editor != NULL) {
        talk_editor_show(loop->editor, line);
        return;
    }
    FILE *out = loop->is_plain && (mark == TALK_STATUS || mark == TALK_ERROR) ? stderr : stdout;
    fputs(line, out);
    fputc('\n', out);
    fflush(out);
}

static void talk_loop_changed(void *ctx)
{
    struct talk_loop *loop = ctx;
    if (loop->editor != NULL) {
        talk_editor_changed(loop->editor);
    }
}

/* What was typed before it is no answer. */
static void talk_loop_ask(void *ctx, const char *question)
{
    struct talk_loop *loop = ctx;
    loop->input_len = 0;
    fputs(question, stdout);
    fflush(stdout);
}

struct talk_view talk_loop_view(struct talk_loop *loop)
{
    return (struct talk_view){loop, talk_loop_show, talk_loop_changed, talk_loop_ask};
}

/* Lines ---------------------------------------------------------------------------------------- */

/* Takes the line. */
static void talk_loop_add_line(struct talk_loop *loop, char *line)
{
    char **grown = realloc(loop->lines, (loop->line_count + 1) * sizeof *grown);
    if (grown == NULL || line == NULL) {
        abort();
    }
    loop->lines = grown;
    loop->lines[loop->line_count++] = line;
}

static void talk_loop_give_lines(struct talk_loop *loop)
{
    size_t given = 0;
    while (given < loop->line_count && talk_client_takes(loop->client, loop->lines[given])) {
        talk_client_line(loop->client, loop->lines[given]);
        free(loop->lines[given++]);
    }
    loop->line_count -= given;
    if (loop->line_count > 0) {
        memmove(loop->lines, loop->lines + given, loop->line_count * sizeof *loop->lines);
    }
    if (loop->no_more_lines && loop->line_count == 0) {
        talk_client_drain(loop->client);
    }
}

/* The first line of the input; NULL: there is no whole one. */
static char *talk_loop_cut_line(struct talk_loop *loop)
{
    const char *end = loop->input_len > 0 ? memchr(loop->input, '\n', loop->input_len) : NULL;
    bool is_last = end == NULL && loop->input_len > 0 &&
                   (loop->input_ended || loop->input_len >= TALK_LOOP_INPUT_MAX);
    if (end == NULL && !is_last) {
        return NULL;
    }
    size_t len = end != NULL ? (size_t)(end - loop->input) : loop->input_len;
    size_t used = end != NULL ? len + 1 : len;
    len -= len > 0 && loop->input[len - 1] == '\r' ? 1 : 0;
    bool has_nul = memchr(loop->input, '\0', len) != NULL;
    char *line = strndup(loop->input, has_nul ? 0 : len);
    if (has_nul) {
        talk_client_say(loop->client, TALK_ERROR,
                        "not sent: the line contains U+0000, which no text may");
    }
    loop->input_len -= used;
    memmove(loop->input, loop->input + used, loop->input_len);
    return line;
}

static void talk_loop_cut_lines(struct talk_loop *loop)
{
    char *line;
    while (loop->line_count == 0 && (line = talk_loop_cut_line(loop)) != NULL) {
        talk_loop_add_line(loop, line);
        talk_loop_give_lines(loop);
    }
    if (loop->input_ended && loop->input_len == 0) {
        loop->no_more_lines = true;
    }
}

static void talk_loop_answer(struct talk_loop *loop)
{
    char *line = talk_loop_cut_line(loop);
    if (line != NULL || loop->input_ended) {
        talk_client_decide(loop->client, line != NULL && (line[0] == 'y' || line[0] == 'Y'));
    }
    free(line);
}

static void talk_loop_read(struct talk_loop *loop)
{
    if (loop->input_cap - loop->input_len < 4096) {
        size_t cap = 2 * loop->input_cap + 8192;
        char *grown = realloc(loop->input, cap);
        if (grown == NULL) {
            abort();
        }
        loop->input = grown;
        loop->input_cap = cap;
    }
    ssize_t len = read(STDIN_FILENO, loop->input + loop->input_len, 4096);
    if (len > 0) {
        loop->input_len += (size_t)len;
    } else if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
        loop->input_ended = true;
    }
}

/* Signals -------------------------------------------------------------------------------------- */

static void talk_loop_suspend(struct talk_loop *loop)
{
    if (loop->editor != NULL) {
        talk_editor_suspend(loop->editor);
    }
    raise(SIGSTOP);
    if (loop->editor != NULL) {
        talk_editor_resume(loop->editor);
    }
}

static void talk_loop_on_signal(struct talk_loop *loop)
{
    struct signalfd_siginfo info;
    if (read(loop->signal_fd, &info, sizeof info) != sizeof info) {
        return;
    }
    switch (info.ssi_signo) {
    case SIGWINCH:
        if (loop->editor != NULL) {
            talk_editor_resized(loop->editor);
        }
        break;
    case SIGTSTP:
        talk_loop_suspend(loop);
        break;
    case SIGINT:
        if (loop->editor != NULL && talk_editor_has_text(loop->editor) && !loop->no_more_lines) {
            loop->is_cancelled = true;
            break;
        }
        talk_client_leave(loop->client, TALK_DONE);
        break;
    default:
        talk_client_leave(loop->client, TALK_DONE);
        break;
    }
}

/* The loop ------------------------------------------------------------------------------------- */

static bool talk_loop_wants_input(const struct talk_loop *loop)
{
    bool is_full =
        loop->editor == NULL && loop->line_count > 0 && loop->client->stage != TALK_ASKING;
    return !loop->input_ended && !loop->no_more_lines && !is_full;
}

static void talk_loop_turn(struct talk_loop *loop)
{
    struct pollfd fds[TALK_LOOP_CLIENT + TALK_CLIENT_FDS];
    fds[TALK_LOOP_STDIN] =
        (struct pollfd){.fd = talk_loop_wants_input(loop) ? STDIN_FILENO : -1, .events = POLLIN};
    /* Nothing is asked for: an error says that the reader of a pipe has gone. */
    fds[TALK_LOOP_STDOUT] = (struct pollfd){
        .fd = loop->is_plain && loop->client->leave_by_ms == 0 ? STDOUT_FILENO : -1};
    fds[TALK_LOOP_SIGNAL] = (struct pollfd){.fd = loop->signal_fd, .events = POLLIN};
    talk_client_watch(loop->client, fds + TALK_LOOP_CLIENT);
    if (poll(fds, sizeof fds / sizeof fds[0], talk_client_timeout(loop->client)) < 0) {
        return;
    }
    talk_client_ready(loop->client, fds + TALK_LOOP_CLIENT);
    if (fds[TALK_LOOP_SIGNAL].revents != 0) {
        talk_loop_on_signal(loop);
    }
    if (fds[TALK_LOOP_STDIN].revents != 0) {
        talk_loop_read(loop);
    }
    if (loop->client->stage == TALK_ASKING) {
        talk_loop_answer(loop);
    } else if (loop->editor == NULL) {
        talk_loop_cut_lines(loop);
    }
    talk_loop_give_lines(loop);
    talk_client_turn(loop->client);
    if (loop->is_plain && (ferror(stdout) || fds[TALK_LOOP_STDOUT].revents != 0)) {
        talk_client_leave(loop->client, TALK_REFUSED); /* nobody listens any more */
    }
}

/* As talk_editor_wait_fn. */
static int talk_loop_wait(void *ctx)
{
    struct talk_loop *loop = ctx;
    while (loop->input_len == 0) {
        bool is_leaving = loop->client->leave_by_ms > 0 || loop->client->drain_by_ms > 0;
        if (loop->client->stage == TALK_OVER || is_leaving || loop->input_ended) {
            return TALK_EDITOR_END;
        }
        talk_loop_turn(loop);
        if (loop->is_cancelled) {
            loop->is_cancelled = false;
            return TALK_EDITOR_CANCEL;
        }
    }
    int byte = (unsigned char)loop->input[0];
    loop->input_len--;
    memmove(loop->input, loop->input + 1, loop->input_len);
    return byte;
}

static void talk_loop_edit(struct talk_loop *loop)
{
    char *line;
    loop->editor = talk_editor_new(loop->client, talk_loop_wait, loop);
    if (loop->editor == NULL) {
        return;
    }
    while ((line = talk_editor_read(loop->editor)) != NULL) {
        talk_loop_add_line(loop, line);
        talk_loop_give_lines(loop);
    }
    loop->no_more_lines = true;
    talk_loop_give_lines(loop);
    talk_client_turn(loop->client);
}

void talk_loop_run(struct talk_loop *loop, struct talk_client *client)
{
    loop->client = client;
    /* Before somebody types, it is known whether there is anything to talk to. */
    while (!loop->is_plain && !client->was_attached && client->stage != TALK_OVER) {
        talk_loop_turn(loop);
    }
    if (!loop->is_plain && client->stage != TALK_OVER) {
        talk_loop_edit(loop);
    }
    while (client->stage != TALK_OVER) {
        talk_loop_turn(loop);
    }
}

struct talk_loop *talk_loop_new(bool is_plain)
{
    struct talk_loop *loop = calloc(1, sizeof *loop);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    if (!is_plain) {
        sigaddset(&signals, SIGWINCH);
        sigaddset(&signals, SIGTSTP);
    }
    if (loop == NULL || sigprocmask(SIG_BLOCK, &signals, NULL) != 0) {
        abort();
    }
    (void)signal(SIGPIPE, SIG_IGN);
    loop->is_plain = is_plain;
    loop->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    return loop;
}

void talk_loop_free(struct talk_loop *loop)
{
    talk_editor_free(loop->editor);
    if (loop->signal_fd >= 0) {
        close(loop->signal_fd);
    }
    for (size_t i = 0; i < loop->line_count; i++) {
        free(loop->lines[i]);
    }
    free(loop->lines);
    free(loop->input);
    free(loop);
}
