/* SPDX-License-Identifier: MIT */
/*
 * cmd_top: `hgtpctl top`: on a terminal a screen that keeps up with the cluster until q; without
 * one, or as JSON, one reading after the other, one unless said otherwise. A node that does not
 * answer any more is told, and read from another.
 */
#include <string.h>

#include "admin/call.h"
#include "admin/cmd.h"
#include "admin/tick.h"
#include "admin/top/top_screen.h"
#include "admin/top/top_terminal.h"
#include "admin/units.h"
#include "admin/verb_columns.h"

#define TOP_INTERVAL_MS     1000
#define TOP_INTERVAL_MIN_MS 100
#define TOP_LIMIT_PLAIN     100
#define TOP_LIMIT_SCREEN    1000 /* to scroll in */

/* Options -------------------------------------------------------------------------------------- */

static bool top_set_sort(struct top *top)
{
    char names[160];
    const char *sort = cli_option(top->cli, "sort");
    struct top_look_view *view = &top->look.views[top->look.view];
    view->is_reverse = cli_option(top->cli, "reverse") != NULL;
    if (sort == NULL || top_table_find(top->look.view, sort, &view->column)) {
        return true;
    }
    top_table_names(top->look.view, names, sizeof names);
    cli_say(top->cli, "%s have no column '%s'; they have: %s", top_table(top->look.view)->name,
            sort, names);
    return false;
}

/* False: it was said what is wrong. */
static bool top_set(struct top *top)
{
    const char *view = cli_option(top->cli, "view"), *match = cli_option(top->cli, "match");
    const char *interval = cli_option(top->cli, "interval"), *count = cli_option(top->cli, "count");
    const char *limit = cli_option(top->cli, "limit");
    uint64_t rows = 0;
    top_look_init(&top->look, TOP_NODES);
    for (size_t i = 0; i < TOP_VIEWS && view != NULL; i++) {
        if (strcmp(view, top_table((enum top_view)i)->name) == 0) {
            top->look.view = (enum top_view)i;
        }
    }
    snprintf(top->look.views[top->look.view].match, TOP_MATCH_MAX + 1, "%s",
             match != NULL ? match : "");
    top->interval_ms = TOP_INTERVAL_MS;
    if (interval != NULL) {
        (void)units_duration(interval, &top->interval_ms);
    }
    if (top->interval_ms < TOP_INTERVAL_MIN_MS) {
        cli_say(top->cli, "--interval is at least 0.1 s, not '%s'", interval);
        return false;
    }
    if (count != NULL) {
        (void)units_number(count, &top->left);
    }
    if (top->left == 0) {
        cli_say(top->cli, "--count is at least 1");
        return false;
    }
    if (limit != NULL) {
        (void)units_number(limit, &rows);
    }
    top->limit = rows < UINT32_MAX ? (uint32_t)rows : UINT32_MAX;
    return top_set_sort(top);
}

/* Without a screen ----------------------------------------------------------------------------- */

/* Whether another node, or this one later, may answer. */
static bool top_is_passing(Hgtp__Rpc__Code code)
{
    return code == HGTP__RPC__CODE__UNAVAILABLE || code == HGTP__RPC__CODE__DEADLINE_EXCEEDED;
}

static bool top_print(struct top *top)
{
    const struct cli *cli = top->cli;
    const struct top_table *table = top_table(top->look.view);
    struct output_column columns[TOP_COLUMNS_MAX + 2] = {{NULL, NULL, FORMAT_TEXT}};
    for (size_t c = 0; c < table->column_count; c++) {
        columns[c] = table->columns[c].shown;
        columns[c + 1].heading = NULL;
    }
    if (top->look.view == TOP_NODES) {
        columns[table->column_count] = (struct output_column){"ERROR", "error", FORMAT_TEXT};
        columns[table->column_count + 1].heading = NULL;
    }
    if (cli->is_json) {
        output_json(&top->reading->base, cli->out);
    } else {
        const struct output_view view = {.fields = verb_columns_top,
                                         .fields_in = "summary",
                                         .columns = columns,
                                         .columns_in = table->name};
        const struct output_style style = output_style_of(cli->out);
        output_people(&top->reading->base, &view, &style, cli->out);
    }
    return fflush(cli->out) == 0;
}

/* One that failed is told, and tried again unless it was the first, or nothing can help. */
static int top_run_plain(struct top *top)
{
    bool needs_past = top->look.view == TOP_ROOMS; /* a rate is of two readings */
    bool has_begun = false;
    while (top->left > 0) {
        int64_t begin_ms = tick_ms();
        bool has_come = top_read_now(top);
        if (!has_come && (!has_begun || !top_is_passing(top->failure.code))) {
            call_explain(top->cli, &top->failure);
            return call_exit_code(top->failure.code);
        }
        if (!has_come) {
            cli_say(top->cli, "top: %s", top->failure.message);
        } else if (!needs_past) {
            top->left -= top->left != UINT64_MAX ? 1 : 0;
            if (!top_print(top)) {
                return EXIT_FAILED;
            }
            fputs(top->left > 0 && !top->cli->is_json ? "\n" : "", top->cli->out);
        }
        has_begun = true;
        needs_past = needs_past && !has_come;
        int64_t left_ms = begin_ms + top->interval_ms - tick_ms();
        if (top->left > 0 && left_ms > 0) {
            tick_sleep(left_ms);
        }
    }
    return top->reading->summary->silent > 0 ? EXIT_UNREACHABLE : EXIT_DONE;
}

int cmd_top(struct cli *cli)
{
    static struct top top; /* the reader's thread may outlive this call */
    int code;
    bool has_screen = !cli->is_json && top_terminal_is_there();
    top = (struct top){.cli = cli, .left = has_screen ? UINT64_MAX : 1};
    if (!top_set(&top)) {
        return EXIT_USAGE;
    }
    if (top.limit == 0) {
        top.limit = has_screen ? TOP_LIMIT_SCREEN : TOP_LIMIT_PLAIN;
    }
    top.client = call_client(cli, &code);
    if (top.client == NULL) {
        return code;
    }
    code = has_screen ? top_screen_run(&top) : top_run_plain(&top);
    if (top.reading != NULL) {
        hgtp__tool__top_reply__free_unpacked(top.reading, NULL);
    }
    return code;
}
