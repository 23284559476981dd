/* SPDX-License-Identifier: MIT */
/*
 * top_screen: keys, signals and readings in one loop, and the screen drawn after what changes it.
 */
#include "admin/top/top_screen.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/call.h"
#include "admin/tick.h"
#include "admin/top/top_frame.h"
#include "admin/top/top_terminal.h"
#include "admin/units.h"

#define TOP_ESCAPE_MS 50    /* then a lone ESC is a key */
#define TOP_CLOCK_MS  1000  /* words of trouble tell how old the screen is */
#define TOP_NOTE_MS   10000 /* that another node is read from */

/* Readings ------------------------------------------------------------------------------------- */

static void top_keep(struct top *top, Hgtp__Tool__TopReply *reading)
{
    if (top->reading != NULL) {
        if (strcmp(top->reading->url, reading->url) != 0) {
            snprintf(top->left_url, sizeof top->left_url, "%s", top->reading->url);
            top->moved_ms = tick_ms();
        }
        hgtp__tool__top_reply__free_unpacked(top->reading, NULL);
    }
    top->reading = reading;
    top->failure.code = HGTP__RPC__CODE__OK;
}

bool top_read_now(struct top *top)
{
    const struct top_wish wish = top_look_wish(&top->look, top->limit);
    Hgtp__Tool__TopReply *reading = top_read(top->client, &wish, &top->past, &top->failure);
    if (reading != NULL) {
        top_keep(top, reading);
    }
    return reading != NULL;
}

/* Drawing -------------------------------------------------------------------------------------- */

static void top_trouble(const struct top *top, char *text, size_t cap)
{
    text[0] = '\0';
    if (top->failure.code != HGTP__RPC__CODE__OK) {
        char age[24];
        int64_t age_ms = tick_unix_ms() - top->reading->time_ms;
        units_age(age_ms > 0 ? age_ms / 1000 * 1000 : 0, age, sizeof age);
        snprintf(text, cap, "no reading for %s: %s", age, top->failure.message);
    } else if (top->moved_ms > 0 && tick_ms() < top->moved_ms + TOP_NOTE_MS) {
        snprintf(text, cap, "going on at the next address: %s does not answer", top->left_url);
    }
}

static void top_draw(struct top *top)
{
    char *text = NULL, trouble[640];
    size_t len = 0;
    top_trouble(top, trouble, sizeof trouble);
    struct top_scene scene = {.reading = top->reading,
                              .interval_ms = top->interval_ms,
                              .trouble = trouble,
                              .has_colour = output_style_of(top->cli->out).has_colour};
    FILE *out = open_memstream(&text, &len);
    if (out == NULL) {
        return;
    }
    top_terminal_size(&scene.columns, &scene.rows);
    top_frame(&scene, &top->look, out);
    bool is_whole = fclose(out) == 0;
    if (is_whole && !top_terminal_write(text, len)) {
        top->is_over = true;
    }
    free(text);
    top->is_stale = false;
}

/* What happens --------------------------------------------------------------------------------- */

static void top_wish(struct top *top)
{
    const struct top_wish wish = top_look_wish(&top->look, top->limit);
    top_reader_wish(top->reader, &wish);
}

/* What is there is put in order at once; what a node would put first by it comes with the next. */
static void top_on_sort(struct top *top)
{
    const struct top_look_view *view = &top->look.views[top->look.view];
    if (strcmp(top->reading->view, top_table(top->look.view)->name) == 0) {
        top_sort(top->reading, top->look.view, view->column, view->is_reverse);
    }
    if (!top->look.is_paused) {
        top_wish(top);
    }
}

static void top_on_key(struct top *top, uint32_t key)
{
    enum top_deed deed = top_look_key(&top->look, key);
    top->is_stale |= deed != TOP_NOTHING;
    switch (deed) {
    case TOP_SORT:
        top_on_sort(top);
        break;
    case TOP_READ:
        top_wish(top);
        break;
    case TOP_PAUSE:
        top_reader_pause(top->reader, top->look.is_paused);
        if (!top->look.is_paused) {
            top_wish(top);
        }
        break;
    case TOP_STOP:
        top_terminal_stop();
        break;
    case TOP_QUIT:
        top->is_over = true;
        break;
    default:
        break;
    }
}

static void top_on_keyboard(struct top *top, short revents)
{
    char bytes[256];
    ssize_t len = read(top_terminal_keyboard(), bytes, sizeof bytes);
    if (len <= 0 && (revents & (POLLHUP | POLLERR)) != 0) {
        top->is_over = true; /* the terminal is gone */
    }
    for (ssize_t i = 0; i < len && !top->is_over; i++) {
        uint32_t key = top_keys_take(&top->keys, bytes[i]);
        if (key != KEY_NONE) {
            top_on_key(top, key);
        }
    }
}

static void top_on_signals(struct top *top)
{
    for (int signal = top_terminal_signal(); signal != 0; signal = top_terminal_signal()) {
        switch (signal) {
        case SIGTSTP:
            top_terminal_stop();
            break;
        case SIGWINCH:
        case SIGCONT:
            break;
        default:
            top->is_over = true;
        }
        top->is_stale = true;
    }
}

static void top_on_news(struct top *top)
{
    Hgtp__Tool__TopReply *reading = NULL;
    if (!top_reader_take(top->reader, &reading, &top->failure)) {
        return;
    }
    top->is_stale = true;
    if (reading == NULL) {
        return;
    }
    top_keep(top, reading);
    top->left -= top->left != UINT64_MAX ? 1 : 0;
    if (top->left == 0) {
        top->is_over = true;
        top_draw(top);
    }
}

static void top_turn(struct top *top)
{
    struct pollfd fds[] = {{top_terminal_keyboard(), POLLIN, 0},
                           {top_terminal_signals(), POLLIN, 0},
                           {top_reader_fd(top->reader), POLLIN, 0}};
    bool is_waiting = top_keys_is_waiting(&top->keys);
    int ready = poll(fds, sizeof fds / sizeof fds[0], is_waiting ? TOP_ESCAPE_MS : TOP_CLOCK_MS);
    if (ready <= 0) {
        uint32_t key = is_waiting ? top_keys_end(&top->keys) : KEY_NONE;
        if (key != KEY_NONE) {
            top_on_key(top, key);
        }
        top->is_stale |= !is_waiting;
        return;
    }
    if (fds[1].revents != 0) {
        top_on_signals(top);
    }
    if (fds[2].revents != 0) {
        top_on_news(top);
    }
    if (fds[0].revents != 0) {
        top_on_keyboard(top, fds[0].revents);
    }
}

int top_screen_run(struct top *top)
{
    if (!top_read_now(top)) {
        call_explain(top->cli, &top->failure);
        return call_exit_code(top->failure.code);
    }
    const struct top_wish wish = top_look_wish(&top->look, top->limit);
    top->reader = top_reader_new(top->client, top->interval_ms, &wish, &top->past);
    if (top->reader == NULL || !top_terminal_open()) {
        cli_say(top->cli, "the terminal cannot be used as a screen; give -o json, or a pipe");
        return EXIT_FAILED;
    }
    top_draw(top);
    while (!top->is_over) {
        top_turn(top);
        if (top->is_stale && !top->is_over) {
            top_draw(top);
        }
    }
    top_terminal_close();
    return EXIT_DONE;
}
