/* SPDX-License-Identifier: MIT */
/*
 * output_people: tables, lists of fields, and what a change has done. A table that is wider than
 * the terminal is fitted by shortening its widest columns of text.
 */
#include <stdlib.h>
#include <string.h>

#include "admin/cells.h"
#include "admin/output.h"

#define OUTPUT_COLUMNS_MAX 16
#define OUTPUT_GAP         2 /* blanks between columns */
#define OUTPUT_WIDTH_MIN   8 /* text is not cut shorter than that */

struct output_table {
    const struct output_column *columns;
    size_t column_count, row_count;
    char **cells; /* row by row; NULL: memory was out */
    size_t widths[OUTPUT_COLUMNS_MAX];
};

static bool output_is_number(const struct output_column *column)
{
    return column->format >= FORMAT_COUNT;
}

/* What stands for nothing, so that columns can be counted. */
static const char *output_shown(const char *cell)
{
    return cell == NULL || cell[0] == '\0' ? "-" : cell;
}

static void output_table_widen(struct output_table *table, size_t c, const char *text)
{
    size_t width = cells_width(text);
    table->widths[c] = width > table->widths[c] ? width : table->widths[c];
}

/* The rows of a table; NULL: the reply has none. */
static const ProtobufCFieldDescriptor *output_list_of(const ProtobufCMessage *reply,
                                                      const struct output_view *view)
{
    return view->columns_in != NULL ? output_field(reply, view->columns_in) : output_list(reply);
}

static bool output_table_fill(struct output_table *table, const ProtobufCMessage *reply,
                              const struct output_view *view)
{
    const ProtobufCFieldDescriptor *list = output_list_of(reply, view);
    const struct output_column *columns = view->columns;
    *table = (struct output_table){.columns = columns};
    while (columns[table->column_count].heading != NULL &&
           table->column_count < OUTPUT_COLUMNS_MAX) {
        output_table_widen(table, table->column_count, columns[table->column_count].heading);
        table->column_count++;
    }
    table->row_count = list != NULL ? output_count(reply, list) : 0;
    table->cells = calloc(table->row_count * table->column_count + 1, sizeof *table->cells);
    for (size_t i = 0; table->cells != NULL && i < table->row_count * table->column_count; i++) {
        size_t c = i % table->column_count;
        table->cells[i] =
            output_cell(output_row(reply, list, i / table->column_count), &columns[c]);
        output_table_widen(table, c, output_shown(table->cells[i]));
    }
    return table->cells != NULL;
}

static void output_table_fini(struct output_table *table)
{
    for (size_t i = 0; table->cells != NULL && i < table->row_count * table->column_count; i++) {
        free(table->cells[i]);
    }
    free(table->cells);
}

/* The widest column of text gives way, one cell at a time, until the lines fit. */
static void output_table_fit(struct output_table *table, size_t columns)
{
    size_t width = OUTPUT_GAP * (table->column_count - 1);
    for (size_t c = 0; c < table->column_count; c++) {
        width += table->widths[c];
    }
    while (columns > 0 && width > columns) {
        size_t widest = OUTPUT_COLUMNS_MAX;
        for (size_t c = 0; c < table->column_count; c++) {
            if (!output_is_number(&table->columns[c]) && table->widths[c] > OUTPUT_WIDTH_MIN &&
                (widest == OUTPUT_COLUMNS_MAX || table->widths[c] > table->widths[widest])) {
                widest = c;
            }
        }
        if (widest == OUTPUT_COLUMNS_MAX) {
            return;
        }
        table->widths[widest]--;
        width--;
    }
}

const char *output_state_colour(const char *state)
{
    static const struct {
        const char *state, *colour;
    } colours[] = {{"serving", "\033[32m"},  {"restarted", "\033[32m"}, {"ok", "\033[32m"},
                   {"draining", "\033[33m"}, {"warning", "\033[33m"},   {"waiting", "\033[33m"},
                   {"silent", "\033[31m"},   {"error", "\033[31m"},     {"failed", "\033[31m"}};
    for (size_t i = 0; i < sizeof colours / sizeof colours[0]; i++) {
        if (strcmp(state, colours[i].state) == 0) {
            return colours[i].colour;
        }
    }
    return "";
}

static void output_table_cell(const struct output_table *table, size_t c, char *cell,
                              const char *colour, FILE *out)
{
    bool is_last = c + 1 == table->column_count;
    bool is_right = output_is_number(&table->columns[c]);
    cells_shorten(cell, table->widths[c]);
    fputs(colour, out);
    cells_pad(cell, is_last && !is_right ? 0 : table->widths[c], is_right, out);
    fputs(colour[0] != '\0' ? "\033[0m" : "", out);
    fputs(is_last ? "\n" : "  ", out);
}

static void output_table_print(const struct output_table *table, const struct output_style *style,
                               FILE *out)
{
    for (size_t c = 0; c < table->column_count; c++) {
        char heading[64];
        snprintf(heading, sizeof heading, "%s", table->columns[c].heading);
        output_table_cell(table, c, heading, style->has_colour ? "\033[1m" : "", out);
    }
    for (size_t i = 0; i < table->row_count * table->column_count; i++) {
        size_t c = i % table->column_count;
        char empty[] = "-";
        char *cell = table->cells[i];
        bool is_coloured = style->has_colour && table->columns[c].format == FORMAT_STATE;
        const char *colour = is_coloured && cell != NULL ? output_state_colour(cell) : "";
        output_table_cell(table, c, output_shown(cell) == cell ? cell : empty, colour, out);
    }
}

static void output_fields(const ProtobufCMessage *message, const struct output_column *columns,
                          const struct output_style *style, FILE *out)
{
    size_t width = 0;
    for (size_t c = 0; columns[c].heading != NULL; c++) {
        size_t len = strlen(columns[c].heading);
        width = len > width ? len : width;
    }
    for (size_t c = 0; columns[c].heading != NULL; c++) {
        char *cell = output_cell(message, &columns[c]);
        bool is_coloured = style->has_colour && columns[c].format == FORMAT_STATE && cell != NULL;
        const char *colour = is_coloured ? output_state_colour(cell) : "";
        fprintf(out, "%-*s  %s%s%s\n", (int)width, columns[c].heading, colour, output_shown(cell),
                colour[0] != '\0' ? "\033[0m" : "");
        free(cell);
    }
}

/* What a change has done, or would do: in words, and to whom. */
static void output_what(const ProtobufCMessage *reply, FILE *out)
{
    static const struct output_column what = {"", "what", FORMAT_TEXT},
                                      names = {"", "names", FORMAT_TEXT},
                                      state = {"", "state", FORMAT_TEXT};
    const ProtobufCFieldDescriptor *dry_run = output_field(reply, "dry_run");
    bool is_dry = dry_run != NULL && *(const protobuf_c_boolean *)output_at(reply, dry_run);
    char *cells[] = {output_cell(reply, &what), output_cell(reply, &names),
                     output_cell(reply, &state)};
    fputs(cells[0] != NULL ? cells[0] : "", out);
    bool is_said = cells[0] != NULL && cells[2] != NULL && strstr(cells[0], cells[2]) != NULL;
    if (cells[2] != NULL && !is_said && strcmp(cells[2], "done") != 0) {
        fprintf(out, " (%s)", cells[2]);
    }
    fputc('\n', out);
    if (is_dry && cells[1] != NULL && cells[1][0] != '\0') {
        fprintf(out, "  %s\n", cells[1]);
    }
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        free(cells[i]);
    }
}

void output_people(const ProtobufCMessage *reply, const struct output_view *view,
                   const struct output_style *style, FILE *out)
{
    if (view->fields == NULL && view->columns == NULL) {
        output_what(reply, out);
        return;
    }
    const ProtobufCMessage *message = reply;
    if (view->fields_in != NULL) {
        message =
            *(ProtobufCMessage *const *)output_at(reply, output_field(reply, view->fields_in));
    }
    if (view->fields != NULL && message != NULL) {
        output_fields(message, view->fields, style, out);
    }
    struct output_table table;
    bool is_empty = view->columns != NULL && output_count(reply, output_list_of(reply, view)) == 0;
    bool is_needed = view->columns != NULL && (view->fields == NULL || !is_empty);
    if (is_empty && view->none != NULL) {
        fprintf(out, "\n%s\n", view->none);
    } else if (is_needed && output_table_fill(&table, reply, view)) {
        fputs(view->fields != NULL ? "\n" : "", out);
        output_table_fit(&table, style->columns);
        output_table_print(&table, style, out);
        output_table_fini(&table);
    }
}
