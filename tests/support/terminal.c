/* SPDX-License-Identifier: MIT */
/*
 * terminal: a tmux server of its own, in the foreground, so that it is a child that ends with the
 * test; every question to it is one more short-lived tmux.
 */
#include "terminal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pump.h"

#define TERMINAL_WAIT_MS 10000
#define TERMINAL_LOOK_MS 30 /* between two looks */

struct terminal {
    struct process *server;
    char *folder; /* of the caller */
    char socket[128];
    char *screen;
};

#define TERMINAL_ARGS_MAX 48
#define TERMINAL_EXIT     "exit code "

/* Run tmux with these arguments; its output, to be freed; NULL: it failed. */
static char *terminal_ask(const struct terminal *terminal, const char *const *args)
{
    const char *argv[TERMINAL_ARGS_MAX] = {"tmux", "-u", "-S", terminal->socket};
    size_t count = 4;
    while (*args != NULL) {
        assert(count < TERMINAL_ARGS_MAX - 1);
        argv[count++] = *args++;
    }
    struct process *process = process_start(argv, terminal->folder);
    bool is_good = process_wait_exit(process, TERMINAL_WAIT_MS) == 0;
    char *out = is_good ? strdup(process_stdout(process)) : NULL;
    process_free(process);
    return out;
}

#define TERMINAL_DO(terminal, ...) terminal_do((terminal), (const char *const[]){__VA_ARGS__, NULL})
static void terminal_do(const struct terminal *terminal, const char *const *args)
{
    char *out = terminal_ask(terminal, args);
    assert(out != NULL);
    free(out);
}

static bool terminal_answers(const struct terminal *terminal)
{
    char *out =
        terminal_ask(terminal, (const char *const[]){"show-options", "-s", "exit-empty", NULL});
    free(out);
    return out != NULL;
}

struct terminal *terminal_open(const char *const *argv, const char *folder, unsigned columns,
                               unsigned rows)
{
    struct terminal *terminal = calloc(1, sizeof *terminal);
    assert(terminal != NULL);
    terminal->folder = strdup(folder);
    snprintf(terminal->socket, sizeof terminal->socket, "%s/tmux", folder);
    const char *const server[] = {"tmux", "-S", terminal->socket, "-f", "/dev/null", "-D", NULL};
    terminal->server = process_start(server, folder);
    int64_t deadline_ms = pump_deadline_ms(TERMINAL_WAIT_MS);
    while (!terminal_answers(terminal)) {
        assert(pump_now_ms() < deadline_ms);
        pump_pause(TERMINAL_LOOK_MS);
    }
    char width[16], height[16];
    snprintf(width, sizeof width, "%u", columns);
    snprintf(height, sizeof height, "%u", rows);
    /* tmux itself is sometimes late to see that a program has ended: a shell says it. */
    const char *args[TERMINAL_ARGS_MAX] = {
        "new-session", "-d",
        "-x",          width,
        "-y",          height,
        "env",         "LC_ALL=C.UTF-8",
        "TZ=UTC",      "sh",
        "-c",          "trap : INT; \"$@\"; echo \"" TERMINAL_EXIT "$?.\"; exec sleep 1000",
        "sh"};
    for (size_t count = 13; *argv != NULL; count++) {
        assert(count < TERMINAL_ARGS_MAX - 1);
        args[count] = *argv++;
    }
    terminal_do(terminal, args);
    return terminal;
}

void terminal_free(struct terminal *terminal)
{
    if (terminal == NULL) {
        return;
    }
    free(terminal_ask(terminal, (const char *const[]){"kill-server", NULL}));
    (void)process_wait_exit(terminal->server, TERMINAL_WAIT_MS);
    process_free(terminal->server);
    free(terminal->screen);
    free(terminal->folder);
    free(terminal);
}

void terminal_type(struct terminal *terminal, const char *text)
{
    TERMINAL_DO(terminal, "send-keys", "-l", text);
}

void terminal_press(struct terminal *terminal, const char *key, unsigned times)
{
    char count[16];
    snprintf(count, sizeof count, "%u", times);
    TERMINAL_DO(terminal, "send-keys", "-N", count, key);
}

void terminal_resize(struct terminal *terminal, unsigned columns, unsigned rows)
{
    char width[16], height[16];
    snprintf(width, sizeof width, "%u", columns);
    snprintf(height, sizeof height, "%u", rows);
    TERMINAL_DO(terminal, "resize-window", "-x", width, "-y", height);
}

const char *terminal_look(struct terminal *terminal, bool has_colours)
{
    free(terminal->screen);
    terminal->screen = terminal_ask(
        terminal, (const char *const[]){"capture-pane", "-p", has_colours ? "-e" : NULL, NULL});
    assert(terminal->screen != NULL);
    return terminal->screen;
}

const char *terminal_screen(const struct terminal *terminal)
{
    return terminal->screen != NULL ? terminal->screen : "";
}

/* Its screen says nothing by itself: it is looked at again and again. */
bool terminal_shows(struct terminal *terminal, const char *text, int64_t timeout_ms)
{
    int64_t deadline_ms = pump_deadline_ms(timeout_ms);
    while (strstr(terminal_look(terminal, false), text) == NULL) {
        if (pump_now_ms() >= deadline_ms) {
            return false;
        }
        pump_pause(TERMINAL_LOOK_MS);
    }
    return true;
}

int terminal_wait_exit(struct terminal *terminal, int64_t timeout_ms)
{
    int code = -1;
    if (terminal_shows(terminal, TERMINAL_EXIT, timeout_ms)) {
        code = atoi(strstr(terminal->screen, TERMINAL_EXIT) + strlen(TERMINAL_EXIT));
    }
    return code;
}

void terminal_cursor(struct terminal *terminal, unsigned *ret_column, unsigned *ret_row)
{
    char *out = terminal_ask(
        terminal, (const char *const[]){"display-message", "-p", "#{cursor_x} #{cursor_y}", NULL});
    int count = out != NULL ? sscanf(out, "%u %u", ret_column, ret_row) : 0;
    free(out);
    assert(count == 2);
}

bool terminal_flag(struct terminal *terminal, const char *flag)
{
    char format[64];
    snprintf(format, sizeof format, "#{%s}", flag);
    char *out =
        terminal_ask(terminal, (const char *const[]){"display-message", "-p", format, NULL});
    assert(out != NULL);
    bool is_set = out[0] == '1';
    free(out);
    return is_set;
}
