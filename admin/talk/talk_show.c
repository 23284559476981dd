/* SPDX-License-Identifier: MIT */
/*
 * talk_show: puts lines together. Pure, but for the time zone. Where lines go
 * is talk_screen.c's.
 */
#include "admin/talk/talk_show.h"

#include <stdio.h>
#include <time.h>

#include "proto/visible.h"

#define TALK_SHOW_DIM    "\033[90m"
#define TALK_SHOW_NAME   "\033[36m"
#define TALK_SHOW_OWN    "\033[32m"
#define TALK_SHOW_WARN   "\033[33m"
#define TALK_SHOW_NORMAL "\033[0m"

/* Lines ---------------------------------------------------------------------------------------- */

static void talk_show_colour(const struct talk_show *show, const char *colour, struct sink *out)
{
    if (show->has_colour) {
        sink_text(out, colour);
    }
}

static void talk_show_time(int64_t unix_ms, struct sink *out)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm local;
    char text[16] = "--:--";
    if (localtime_r(&seconds, &local) != NULL) {
        (void)strftime(text, sizeof text, "%H:%M", &local);
    }
    sink_text(out, text);
}

/* "\r\n" ends a line, too. */
static void talk_show_lines(const struct talk_show *show, struct bytes text, struct sink *out)
{
    const uint8_t *end;
    while (!show->is_plain && text.len > 0 && (end = memchr(text.ptr, '\n', text.len)) != NULL) {
        size_t len = (size_t)(end - text.ptr);
        size_t shown = len > 0 && text.ptr[len - 1] == '\r' ? len - 1 : len;
        visible_put(bytes_of(text.ptr, shown), out);
        text = bytes_from(text, len + 1);
        sink_text(out, "\n      ");
    }
    visible_put(text, out);
}

void talk_show_said(const struct talk_show *show, int64_t time_unix_ms, struct bytes from,
                    bool is_own, struct bytes text, struct sink *out)
{
    talk_show_colour(show, TALK_SHOW_DIM, out);
    talk_show_time(time_unix_ms, out);
    talk_show_colour(show, TALK_SHOW_NORMAL, out);
    sink_u8(out, ' ');
    talk_show_colour(show, is_own ? TALK_SHOW_OWN : TALK_SHOW_NAME, out);
    visible_put(from, out);
    talk_show_colour(show, TALK_SHOW_NORMAL, out);
    sink_text(out, ": ");
    talk_show_lines(show, text, out);
}

void talk_show_event(const struct talk_show *show, struct bytes event, struct bytes user,
                     struct bytes notice, struct sink *out)
{
    static const struct {
        const char *event, *words;
    } table[] = {{"created", " opened the room"},
                 {"joined", " joined"},
                 {"left", " left"},
                 {"invited", " was invited and joined"},
                 {"removed", " was removed"},
                 {"manager", " manages the room now"}};
    const char *words = NULL;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (bytes_equal(event, bytes_str(table[i].event))) {
            words = table[i].words;
        }
    }
    talk_show_colour(show, TALK_SHOW_DIM, out);
    sink_text(out, "* ");
    visible_put(words != NULL ? user : notice, out);
    sink_text(out, words != NULL ? words : "");
    talk_show_colour(show, TALK_SHOW_NORMAL, out);
}

void talk_show_status(const struct talk_show *show, const char *text, struct sink *out)
{
    talk_show_colour(show, TALK_SHOW_DIM, out);
    sink_text(out, "* ");
    sink_text(out, text);
    talk_show_colour(show, TALK_SHOW_NORMAL, out);
}

void talk_show_error(const struct talk_show *show, const char *text, struct sink *out)
{
    talk_show_colour(show, TALK_SHOW_WARN, out);
    sink_text(out, show->is_plain ? "hgtpctl talk: " : "! ");
    sink_text(out, text);
    talk_show_colour(show, TALK_SHOW_NORMAL, out);
}
