/* SPDX-License-Identifier: MIT */
/*
 * cmd_events: events by their cursor: batch after batch until there is no more, of which the last
 * ones are kept, or, with --follow, for ever: any node goes on where another has stopped.
 */
#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/cells.h"
#include "admin/cmd.h"
#include "admin/tick.h"
#include "admin/units.h"
#include "control.pb-c.h"

#define EVENTS_SINCE_MS     3600000 /* when nothing else is said */
#define EVENTS_BATCH        500
#define EVENTS_PAUSE_MIN_MS 100 /* between calls that bring nothing */
#define EVENTS_PAUSE_MAX_MS 2000

struct events {
    struct cli *cli;
    Hgtp__Control__EventsRequest *request;
    char cursor[64];
    uint64_t left; /* to print; UINT64_MAX: without end */
    uint64_t last; /* only so many, from the end; UINT64_MAX: all */
    bool is_broken;
    int64_t pause_ms;
    Hgtp__Control__EventsReply all; /* when the answer is one document */
};

/* A line for each, as they come: there is no table when nobody knows what follows. */
static void events_print_line(const struct cli *cli, const Hgtp__Control__Event *event)
{
    static const struct output_column columns[] = {
        {"TIME", "time_ms", FORMAT_TIME}, {"EVENT", "event", FORMAT_TEXT},
        {"user=", "user", FORMAT_TEXT},   {"room=", "room", FORMAT_TEXT},
        {"node=", "node", FORMAT_TEXT},   {"actor=", "actor", FORMAT_TEXT},
        {"args=", "args", FORMAT_TEXT},   {"result=", "result", FORMAT_TEXT}};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        char *cell = output_cell(&event->base, &columns[i]);
        if (cell != NULL && i < 2) {
            cells_pad(cell, i == 0 ? 0 : 16, false, cli->out);
            fputs(i == 0 ? "  " : "", cli->out);
        } else if (cell != NULL && cell[0] != '\0') {
            fprintf(cli->out, "  %s%s", columns[i].heading, cell);
        }
        free(cell);
    }
    fputc('\n', cli->out);
}

/* Drops what is before the last ones. */
static void events_cut(struct events *events)
{
    Hgtp__Control__EventsReply *all = &events->all;
    size_t over = all->n_events > events->last ? all->n_events - (size_t)events->last : 0;
    for (size_t i = 0; i < over; i++) {
        hgtp__control__event__free_unpacked(all->events[i], NULL);
    }
    if (over > 0) {
        all->n_events -= over;
        memmove(all->events, all->events + over, all->n_events * sizeof(Hgtp__Control__Event *));
    }
}

/* Moves the events of a batch behind those of the batches before; false: memory is out. */
static bool events_keep(struct events *events, Hgtp__Control__EventsReply *batch)
{
    size_t count = events->all.n_events + batch->n_events;
    Hgtp__Control__Event **grown =
        realloc(events->all.events, (count + 1) * sizeof(Hgtp__Control__Event *));
    if (grown == NULL) {
        return false;
    }
    events->all.events = grown;
    for (size_t i = 0; i < batch->n_events; i++) {
        grown[events->all.n_events++] = batch->events[i];
    }
    batch->n_events = 0;
    events_cut(events);
    return true;
}

static bool events_print(struct events *events, const Hgtp__Control__EventsReply *batch)
{
    const struct cli *cli = events->cli;
    for (size_t i = 0; i < batch->n_events; i++) {
        if (cli->is_json) {
            output_json(&batch->events[i]->base, cli->out);
        } else {
            events_print_line(cli, batch->events[i]);
        }
    }
    return fflush(cli->out) == 0;
}

/* The next batch; NULL: `ret_status` says why. Its cursor is what comes next. */
static Hgtp__Control__EventsReply *events_next(struct events *events, struct rpc_client *client,
                                               struct rpc_status *ret_status)
{
    ProtobufCMessage *reply = NULL;
    uint64_t count = events->left < EVENTS_BATCH ? events->left : EVENTS_BATCH;
    events->request->count = (uint32_t)count;
    if (!rpc_client_call(client, "Events", &events->request->base, &reply, ret_status)) {
        return NULL;
    }
    Hgtp__Control__EventsReply *batch = (Hgtp__Control__EventsReply *)reply;
    if (batch->n_events > count + 1) { /* one more may tell that there is a gap before them */
        ret_status->code = HGTP__RPC__CODE__INTERNAL;
        snprintf(ret_status->message, sizeof ret_status->message,
                 "the node sent more events than were asked for");
        protobuf_c_message_free_unpacked(reply, NULL);
        return NULL;
    }
    if (events->left != UINT64_MAX) {
        events->left -= batch->n_events < events->left ? batch->n_events : events->left;
    }
    if (batch->cursor[0] != '\0') {
        snprintf(events->cursor, sizeof events->cursor, "%s", batch->cursor);
        events->request->after = events->cursor;
        events->request->since_ms = 0;
    }
    return batch;
}

/* What there is, as one answer ------------------------------------------------------------------
 */

static int events_list(struct events *events, struct rpc_client *client)
{
    struct rpc_status status = {0};
    bool has_more = true;
    while (has_more && events->left > 0) {
        Hgtp__Control__EventsReply *batch = events_next(events, client, &status);
        if (batch == NULL) {
            call_explain(events->cli, &status);
            return call_exit_code(status.code);
        }
        has_more = batch->n_events >= events->request->count;
        bool is_kept = events_keep(events, batch);
        hgtp__control__events_reply__free_unpacked(batch, NULL);
        if (!is_kept) {
            cli_say(events->cli, "out of memory: ask for less by --count");
            return EXIT_FAILED;
        }
    }
    events->all.cursor = events->cursor;
    cli_print(events->cli, &events->all.base);
    return EXIT_DONE;
}

/* What comes, as it comes -----------------------------------------------------------------------
 */

/* Whether another node, or this one later, may answer. */
static bool events_is_passing(Hgtp__Rpc__Code code)
{
    return code == HGTP__RPC__CODE__UNAVAILABLE || code == HGTP__RPC__CODE__DEADLINE_EXCEEDED;
}

static void events_wait(struct events *events)
{
    tick_sleep(events->pause_ms);
    events->pause_ms *= 2;
    if (events->pause_ms > EVENTS_PAUSE_MAX_MS) {
        events->pause_ms = EVENTS_PAUSE_MAX_MS;
    }
}

static int events_follow(struct events *events, struct rpc_client *client)
{
    int64_t timeout_ms = events->cli->timeout_ms;
    int64_t wait_ms = timeout_ms > 2000 ? timeout_ms - 1000 : timeout_ms / 2;
    bool has_begun = false;
    while (events->left > 0) {
        struct rpc_status status;
        int64_t begin_ms = tick_ms();
        Hgtp__Control__EventsReply *batch = events_next(events, client, &status);
        if (batch == NULL && (!has_begun || !events_is_passing(status.code))) {
            call_explain(events->cli, &status);
            return call_exit_code(status.code);
        }
        if (batch == NULL) {
            if (!events->is_broken) {
                cli_say(events->cli, "events: %s; %s", status.message,
                        events->cli->where[1] != NULL ? "going on elsewhere" : "trying again");
            }
            events->is_broken = true;
            events_wait(events);
            continue;
        }
        if (events->is_broken) {
            cli_say(events->cli, "events: %s answers", rpc_client_url(client));
        }
        bool has_waited = tick_ms() - begin_ms >= EVENTS_PAUSE_MIN_MS;
        bool is_empty = batch->n_events == 0;
        bool is_printed = events_print(events, batch);
        hgtp__control__events_reply__free_unpacked(batch, NULL);
        if (!is_printed) {
            return EXIT_FAILED;
        }
        /* The first call only asks where now is, so that a node that ends meanwhile costs nothing.
         */
        bool is_pausing = is_empty && !has_waited && has_begun;
        events->is_broken = false;
        has_begun = true;
        events->request->wait_ms = (uint32_t)wait_ms;
        if (is_pausing) {
            events_wait(events);
        } else {
            events->pause_ms = EVENTS_PAUSE_MIN_MS;
        }
    }
    return EXIT_DONE;
}

/* What a batch has named as the cursor behind it, or a time in ms. */
static bool events_is_cursor(const char *text)
{
    static const char digits[] = "0123456789";
    size_t ms = strspn(text, digits);
    size_t place = text[ms] == '-' ? strspn(text + ms + 1, digits) : 0;
    return ms > 0 && (text[ms] == '\0' || (place > 0 && text[ms + 1 + place] == '\0'));
}

int cmd_events(struct cli *cli)
{
    struct events events = {.cli = cli,
                            .request = (Hgtp__Control__EventsRequest *)cli->request,
                            .left = UINT64_MAX,
                            .last = UINT64_MAX,
                            .pause_ms = EVENTS_PAUSE_MIN_MS,
                            .all = HGTP__CONTROL__EVENTS_REPLY__INIT};
    const char *count = cli_option(cli, "count");
    bool is_following = cli_option(cli, "follow") != NULL;
    bool has_start = cli_option(cli, "since") != NULL || cli_option(cli, "after") != NULL;
    if (count != NULL) {
        bool is_tail = !is_following && cli_option(cli, "after") == NULL;
        (void)units_number(count, is_tail ? &events.last : &events.left);
    }
    if (cli_option(cli, "after") != NULL && !events_is_cursor(cli_option(cli, "after"))) {
        cli_say(cli, "--after is a cursor as in -o json's field of that name, or 0; not '%s'",
                cli_option(cli, "after"));
        return EXIT_USAGE;
    }
    if (!has_start && !is_following && count == NULL) {
        events.request->since_ms = EVENTS_SINCE_MS;
    } else if (!has_start && !is_following) {
        events.request->after = (char *)(uintptr_t) "0"; /* the last ones, however old */
    }
    int code;
    struct rpc_client *client = call_client(cli, &code);
    if (client == NULL) {
        return code;
    }
    code = is_following ? events_follow(&events, client) : events_list(&events, client);
    for (size_t i = 0; i < events.all.n_events; i++) {
        hgtp__control__event__free_unpacked(events.all.events[i], NULL);
    }
    free(events.all.events);
    return code;
}
