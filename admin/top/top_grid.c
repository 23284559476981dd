/* SPDX-License-Identifier: MIT */
/*
 * top_grid: the part of a table that a screen has room for. The first column, with the names, is
 * always there; of the others those that fit, shifted so far that the one that sorts is among them.
 */
#include "admin/top/top_grid.h"

#include <stdlib.h>
#include <string.h>

#include "admin/cells.h"
#include "admin/visible_print.h"

#define TOP_GRID_NUMBER_MIN 5  /* so that columns seldom move */
#define TOP_GRID_TEXT_MIN   12 /* texts are not cut shorter than that */

/* Pen ------------------------------------------------------------------------------------------ */

static bool top_pen_is_off(const struct top_pen *pen)
{
    return pen->row != SIZE_MAX && pen->row >= pen->rows;
}

void top_pen_line(struct top_pen *pen)
{
    pen->row++;
    pen->column = 0;
    if (!top_pen_is_off(pen)) {
        fprintf(pen->out, "\033[%zu;1H\033[0m\033[K", pen->row + 1);
    }
}

void top_pen_text(struct top_pen *pen, const char *style, const char *text)
{
    size_t room = pen->columns > pen->column ? pen->columns - pen->column : 0;
    if (room == 0 || text[0] == '\0' || top_pen_is_off(pen)) {
        return;
    }
    char *cut = visible_copy(bytes_str(text));
    if (cut == NULL) {
        return;
    }
    cells_shorten(cut, room);
    pen->column += cells_width(cut);
    fprintf(pen->out, "%s%s%s", style, cut, style[0] != '\0' ? "\033[0m" : "");
    free(cut);
}

void top_pen_fill(struct top_pen *pen)
{
    if (!top_pen_is_off(pen) && pen->column < pen->columns) {
        fprintf(pen->out, "\033[7m%*s\033[0m", (int)(pen->columns - pen->column), "");
    }
}

static void top_pen_at(struct top_pen *pen, size_t column)
{
    pen->column = column;
    if (!top_pen_is_off(pen) && column < pen->columns) {
        fprintf(pen->out, "\033[%zuG", column + 1);
    }
}

/* Columns -------------------------------------------------------------------------------------- */

struct top_grid {
    const struct top_table *table;
    const Hgtp__Tool__TopReply *reading;
    enum top_view view;
    size_t first_row, row_count; /* that are shown */
    char **cells;                /* row by row; NULL: memory was out */
    size_t widths[TOP_COLUMNS_MAX];
    size_t first_column, column_end; /* shown beside the names */
};

static bool top_grid_is_number(const struct top_grid *grid, size_t c)
{
    return grid->table->columns[c].shown.format >= FORMAT_COUNT;
}

static void top_grid_measure(struct top_grid *grid, size_t c, size_t screen_columns)
{
    size_t text_max =
        screen_columns / 4 > TOP_GRID_TEXT_MIN ? screen_columns / 4 : TOP_GRID_TEXT_MIN;
    size_t width = cells_width(grid->table->columns[c].shown.heading);
    for (size_t r = 0; r < grid->row_count; r++) {
        const char *cell = grid->cells[r * grid->table->column_count + c];
        size_t needed = cell != NULL ? cells_width(cell) : 1;
        width = needed > width ? needed : width;
    }
    if (top_grid_is_number(grid, c)) {
        width = width < TOP_GRID_NUMBER_MIN ? TOP_GRID_NUMBER_MIN : width;
    } else {
        width = width > text_max ? text_max : width;
    }
    grid->widths[c] = width;
}

/* Columns from `first` on that fit beside the names; the end of them. */
static size_t top_grid_end(const struct top_grid *grid, size_t first, size_t screen_columns)
{
    size_t used = grid->widths[0], c = first;
    while (c < grid->table->column_count && used + 1 + grid->widths[c] <= screen_columns) {
        used += 1 + grid->widths[c++];
    }
    return c;
}

static void top_grid_choose(struct top_grid *grid, size_t sorted, size_t screen_columns)
{
    size_t first = 1, end = top_grid_end(grid, first, screen_columns);
    while (sorted >= end && first < sorted) {
        end = top_grid_end(grid, ++first, screen_columns);
    }
    grid->first_column = first;
    grid->column_end = end;
}

static bool top_grid_fill(struct top_grid *grid, size_t screen_columns)
{
    size_t columns = grid->table->column_count;
    grid->cells = calloc(grid->row_count * columns + 1, sizeof *grid->cells);
    for (size_t i = 0; grid->cells != NULL && i < grid->row_count * columns; i++) {
        const ProtobufCMessage *row =
            top_row(grid->reading, grid->view, grid->first_row + i / columns);
        const struct top_column *column = &grid->table->columns[i % columns];
        bool is_known = !column->is_figure || top_row_error(row)[0] == '\0';
        grid->cells[i] = is_known ? output_cell(row, &column->shown) : NULL;
    }
    for (size_t c = 0; grid->cells != NULL && c < columns; c++) {
        top_grid_measure(grid, c, screen_columns);
    }
    return grid->cells != NULL;
}

static void top_grid_fini(struct top_grid *grid)
{
    for (size_t i = 0; i < grid->row_count * grid->table->column_count; i++) {
        free(grid->cells[i]);
    }
    free(grid->cells);
}

/* Drawing -------------------------------------------------------------------------------------- */

static void top_grid_cell(const struct top_grid *grid, struct top_pen *pen, size_t *at, size_t c,
                          const char *style, const char *text)
{
    const char *shown = text == NULL || text[0] == '\0' ? "-" : text;
    size_t width = cells_width(shown);
    bool is_right = top_grid_is_number(grid, c) && width < grid->widths[c];
    char *cut = strdup(shown);
    if (cut != NULL) {
        cells_shorten(cut, grid->widths[c]);
        top_pen_at(pen, *at + (is_right ? grid->widths[c] - width : 0));
        top_pen_text(pen, style, cut);
        free(cut);
    }
    *at += grid->widths[c] + 1;
}

static void top_grid_headings(const struct top_grid *grid, struct top_pen *pen, size_t sorted)
{
    size_t at = 0;
    top_pen_line(pen);
    top_pen_fill(pen);
    for (size_t c = 0; c < grid->column_end; c = c == 0 ? grid->first_column : c + 1) {
        const char *style = c == sorted ? "\033[1;4m" : "\033[7m";
        top_grid_cell(grid, pen, &at, c, style, grid->table->columns[c].shown.heading);
    }
}

static void top_grid_row(const struct top_grid *grid, struct top_pen *pen, size_t r,
                         bool has_colour)
{
    char *const *cells = grid->cells + r * grid->table->column_count;
    const char *error = top_row_error(top_row(grid->reading, grid->view, grid->first_row + r));
    size_t at = 0;
    top_pen_line(pen);
    for (size_t c = 0; c < grid->column_end; c = c == 0 ? grid->first_column : c + 1) {
        const struct top_column *column = &grid->table->columns[c];
        if (column->is_figure && error[0] != '\0') {
            top_pen_at(pen, at);
            top_pen_text(pen, has_colour ? "\033[31m" : "", error);
            return;
        }
        bool is_state = has_colour && column->shown.format == FORMAT_STATE && cells[c] != NULL;
        top_grid_cell(grid, pen, &at, c, is_state ? output_state_colour(cells[c]) : "", cells[c]);
    }
}

void top_grid(struct top_pen *pen, const struct top_scene *scene, const struct top_look *look)
{
    const struct top_look_view *view = &look->views[look->view];
    size_t count = top_row_count(scene->reading, look->view);
    size_t left = count > view->first ? count - view->first : 0;
    struct top_grid grid = {.table = top_table(look->view),
                            .reading = scene->reading,
                            .view = look->view,
                            .first_row = view->first,
                            .row_count = left < look->page ? left : look->page};
    if (!top_grid_fill(&grid, pen->columns)) {
        return;
    }
    top_grid_choose(&grid, view->column, pen->columns);
    top_grid_headings(&grid, pen, view->column);
    for (size_t r = 0; r < grid.row_count; r++) {
        top_grid_row(&grid, pen, r, scene->has_colour);
    }
    top_grid_fini(&grid);
}
