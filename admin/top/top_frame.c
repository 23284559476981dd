/* SPDX-License-Identifier: MIT */
/*
 * top_frame: title, the cluster in a few lines, the table, and the keys in the last line; what does
 * not fit is left out from the end. The table itself is top_grid.c's.
 */
#include "admin/top/top_frame.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "admin/cells.h"
#include "admin/top/top_grid.h"
#include "admin/units.h"

#define TOP_SUMMARY_LINES 4

/* Title ---------------------------------------------------------------------------------------- */

static void top_frame_title(struct top_pen *pen, const struct top_scene *scene,
                            const struct top_look *look)
{
    char interval[24], time[32] = "", title[512];
    const char *url = scene->reading != NULL ? scene->reading->url : "";
    units_age(scene->interval_ms, interval, sizeof interval);
    if (scene->reading != NULL) {
        units_time(scene->reading->time_ms, time, sizeof time);
    }
    const char *hour = strchr(time, ' ') != NULL ? strchr(time, ' ') + 1 : "";
    snprintf(title, sizeof title, "hgtpctl top  %s%s  every %s  %.300s",
             look->is_paused ? "PAUSED " : "", hour, interval, url);
    top_pen_line(pen);
    top_pen_text(pen, "\033[7m", title);
    top_pen_fill(pen);
    if (scene->trouble[0] != '\0') {
        top_pen_line(pen);
        top_pen_text(pen, scene->has_colour ? "\033[1;31m" : "\033[1m", scene->trouble);
    }
}

/* Summary -------------------------------------------------------------------------------------- */

static void top_frame_item(struct top_pen *pen, size_t last_row, const char *name,
                           const char *value, const char *style)
{
    size_t width = cells_width(name) + 1 + cells_width(value);
    size_t gap = pen->column > 0 ? 2 : 0;
    if (pen->column + gap + width > pen->columns) {
        if (pen->row >= last_row) {
            pen->column = pen->columns; /* there is no more room for any */
            return;
        }
        top_pen_line(pen);
        gap = 0;
    }
    top_pen_text(pen, "", gap > 0 ? "  " : "");
    top_pen_text(pen, "", name);
    top_pen_text(pen, "", " ");
    top_pen_text(pen, style, value);
}

static void top_frame_count(struct top_pen *pen, size_t last_row, const char *name, uint64_t count,
                            const char *style)
{
    char value[24];
    snprintf(value, sizeof value, "%" PRIu64, count);
    top_frame_item(pen, last_row, name, value, style);
}

static void top_frame_summary(struct top_pen *pen, const struct top_scene *scene)
{
    static const struct output_column figures[] = {
        {"messages", "messages_per_s", FORMAT_RATE},
        {"delivered", "deliveries_per_s", FORMAT_RATE},
        {"queued", "queued_bytes", FORMAT_BYTES},
        {"Redis", "store_ms", FORMAT_AGE},
        {"memory", "memory_bytes", FORMAT_BYTES},
        {"CPU", "cpu_percent", FORMAT_PERCENT},
        {"lines", "lines", FORMAT_COUNT},
        {"members", "members", FORMAT_COUNT},
        {"Redis memory", "redis_memory_bytes", FORMAT_BYTES},
        {"Redis calls", "redis_ops_per_s", FORMAT_RATE},
    };
    const Hgtp__Tool__TopSummary *summary = scene->reading->summary;
    const char *bad = scene->has_colour ? "\033[1;31m" : "\033[1m";
    size_t last_row = pen->row + TOP_SUMMARY_LINES;
    top_pen_line(pen);
    top_frame_count(pen, last_row, "nodes", summary->nodes, "\033[1m");
    if (summary->silent > 0) {
        top_frame_count(pen, last_row, "silent", summary->silent, bad);
    }
    if (summary->draining > 0) {
        top_frame_count(pen, last_row, "draining", summary->draining, "\033[1m");
    }
    top_frame_count(pen, last_row, "sessions", summary->sessions, "\033[1m");
    top_frame_count(pen, last_row, "rooms", summary->rooms, "\033[1m");
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        char *value = output_cell(&summary->base, &figures[i]);
        top_frame_item(pen, last_row, figures[i].heading, value != NULL ? value : "", "\033[1m");
        free(value);
    }
}

/* What the table shows ------------------------------------------------------------------------- */

/* True when the reading is one of what is looked at. */
static bool top_frame_has_rows(const struct top_scene *scene, const struct top_look *look)
{
    return scene->reading != NULL && strcmp(scene->reading->view, top_table(look->view)->name) == 0;
}

static void top_frame_views(struct top_pen *pen, const struct top_scene *scene,
                            const struct top_look *look)
{
    const struct top_look_view *view = &look->views[look->view];
    const struct top_table *table = top_table(look->view);
    char words[384], by[24];
    top_pen_line(pen);
    for (size_t i = 0; i < TOP_VIEWS; i++) {
        top_pen_text(pen, "", i > 0 ? " " : "");
        top_pen_text(pen, i == look->view ? "\033[1;4m" : "", top_table((enum top_view)i)->name);
    }
    snprintf(by, sizeof by, "%s", table->columns[view->column].shown.heading);
    snprintf(words, sizeof words, "   by %s%s", by, view->is_reverse ? ", reversed" : "");
    top_pen_text(pen, "", words);
    if (view->match[0] != '\0') {
        snprintf(words, sizeof words, "   filter: %s", view->match);
        top_pen_text(pen, "\033[1m", words);
    }
    if (!top_frame_has_rows(scene, look)) {
        return;
    }
    size_t count = top_row_count(scene->reading, look->view);
    if (scene->reading->total > count) {
        snprintf(words, sizeof words, "   the first %zu of %" PRIu64, count, scene->reading->total);
    } else {
        snprintf(words, sizeof words, "   %zu", count);
    }
    top_pen_text(pen, "", words);
}

static void top_frame_help(struct top_pen *pen, size_t end_row)
{
    static const char *const lines[] = {
        "",
        "  n r s        nodes, rooms, sessions; Tab: the next of them",
        "  < >          sort by the column before, or behind; also the arrows left and right",
        "  R            sort the other way round",
        "  /            filter by name: part of it, or with * and ?; empty: all",
        "  space        pause, and go on",
        "  up down      scroll; also Page Up, Page Down, Home, End",
        "  Ctrl-L       draw again; Ctrl-Z: suspend",
        "  q            quit; also Ctrl-C",
        "",
        "  RATE is of the time between two readings. A silent node has not answered, or",
        "  beats no more: what it has of its own is not known then.",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0] && pen->row + 1 < end_row; i++) {
        top_pen_line(pen);
        top_pen_text(pen, "", lines[i]);
    }
}

static void top_frame_foot(struct top_pen *pen, const struct top_look *look)
{
    pen->row = pen->rows - 2; /* the line behind is the last one */
    top_pen_line(pen);
    if (look->is_typing) {
        top_pen_text(pen, "\033[1m", "filter: ");
        top_pen_text(pen, "", look->typed);
    } else {
        top_pen_text(pen, "\033[2m",
                     "n r s views  < > sort  R reverse  / filter  space pause  ? help  q quit");
    }
    fputs(look->is_typing ? "\033[?25h" : "\033[?25l", pen->out);
}

void top_frame(const struct top_scene *scene, struct top_look *look, FILE *out)
{
    struct top_pen pen = {.out = out, .columns = scene->columns, .rows = scene->rows};
    if (scene->columns < 2 || scene->rows < 3) {
        return;
    }
    pen.row = SIZE_MAX; /* before the first */
    top_frame_title(&pen, scene, look);
    if (scene->reading != NULL) {
        top_frame_summary(&pen, scene);
    }
    top_frame_views(&pen, scene, look);
    size_t end_row = scene->rows - 1;
    size_t page = end_row > pen.row + 2 ? end_row - pen.row - 2 : 0;
    if (look->has_help) {
        top_frame_help(&pen, end_row);
    } else if (!top_frame_has_rows(scene, look)) {
        top_pen_line(&pen);
        top_pen_text(&pen, "", scene->trouble[0] == '\0' ? "reading ..." : "");
    } else {
        size_t count = top_row_count(scene->reading, look->view);
        top_look_fit(look, count, page);
        top_grid(&pen, scene, look);
    }
    while (pen.row + 1 < end_row) {
        top_pen_line(&pen);
    }
    top_frame_foot(&pen, look);
}
