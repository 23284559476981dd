/* SPDX-License-Identifier: MIT */
/*
 * top_read: NodeList, Stats and the list that is looked at, called at the same time, into one
 * TopReply. Replies are taken apart: what is shown moves, the rest is freed.
 */
#include "admin/top/top_read.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "admin/tick.h"

#define TOP_PAST_MS 500 /* readings that are closer to each other say little of rates */

struct top_past_room {
    char id[32];
    uint64_t messages;
};

void top_past_fini(struct top_past *past)
{
    free(past->rooms);
    *past = (struct top_past){0};
}

/* Calls ---------------------------------------------------------------------------------------- */

enum { TOP_CALL_NODES, TOP_CALL_STATS, TOP_CALL_LIST, TOP_CALLS };

struct top_call {
    struct rpc_client *client;
    const char *method; /* NULL: nothing is called */
    const ProtobufCMessage *request;
    ProtobufCMessage *reply;
    struct rpc_status status;
    int64_t took_ms;
};

static void *top_call_run(void *arg)
{
    struct top_call *call = arg;
    int64_t begin_ms = tick_ms();
    if (call->method != NULL) {
        (void)rpc_client_call(call->client, call->method, call->request, &call->reply,
                              &call->status);
    }
    call->took_ms = tick_ms() - begin_ms;
    return NULL;
}

/* All at the same time: a node that is silent makes each of them wait. */
static void top_call_all(struct top_call *calls)
{
    pthread_t threads[TOP_CALLS];
    bool is_apart[TOP_CALLS] = {false};
    for (size_t i = 1; i < TOP_CALLS; i++) {
        is_apart[i] = calls[i].method != NULL &&
                      pthread_create(&threads[i], NULL, top_call_run, &calls[i]) == 0;
    }
    for (size_t i = 0; i < TOP_CALLS; i++) {
        if (is_apart[i]) {
            (void)pthread_join(threads[i], NULL);
        } else {
            (void)top_call_run(&calls[i]);
        }
    }
}

/* The figures of a cluster whose nodes know no Stats are those that its nodes add up to. */
static const struct rpc_status *top_call_failure(const struct top_call *calls)
{
    for (size_t i = 0; i < TOP_CALLS; i++) {
        bool is_needed =
            i != TOP_CALL_STATS || calls[i].status.code != HGTP__RPC__CODE__UNIMPLEMENTED;
        if (calls[i].method != NULL && calls[i].reply == NULL && is_needed) {
            return &calls[i].status;
        }
    }
    return NULL;
}

/* Rates of rooms ------------------------------------------------------------------------------- */

static int top_past_compare(const void *a, const void *b)
{
    const struct top_past_room *x = a, *y = b;
    return strcmp(x->id, y->id);
}

static double top_past_rate(const struct top_past *past, const Hgtp__Control__Room *room,
                            int64_t now_ms)
{
    struct top_past_room wanted = {.messages = 0};
    const struct top_past_room *found = NULL;
    snprintf(wanted.id, sizeof wanted.id, "%s", room->id);
    if (past->count > 0) {
        found = bsearch(&wanted, past->rooms, past->count, sizeof wanted, top_past_compare);
    }
    int64_t passed_ms = now_ms - past->at_ms;
    bool is_new = found == NULL && past->at_ms > 0 && room->age_ms < passed_ms;
    if ((found == NULL && !is_new) || passed_ms <= 0) {
        return -1;
    }
    uint64_t before = is_new ? 0 : found->messages;
    return room->messages > before ? (double)(room->messages - before) * 1000 / (double)passed_ms
                                   : 0;
}

static void top_past_keep(struct top_past *past, const Hgtp__Control__RoomListReply *list,
                          int64_t now_ms)
{
    if (past->at_ms > 0 && now_ms - past->at_ms < TOP_PAST_MS) {
        return;
    }
    free(past->rooms);
    past->rooms = calloc(list->n_rooms + 1, sizeof *past->rooms);
    past->count = 0;
    past->at_ms = now_ms;
    for (size_t i = 0; past->rooms != NULL && i < list->n_rooms; i++) {
        struct top_past_room *room = &past->rooms[past->count++];
        snprintf(room->id, sizeof room->id, "%s", list->rooms[i]->id);
        room->messages = list->rooms[i]->messages;
    }
    if (past->count > 0) {
        qsort(past->rooms, past->count, sizeof *past->rooms, top_past_compare);
    }
}

/* Putting together ----------------------------------------------------------------------------- */

static void *top_alloc(size_t count, size_t size)
{
    void *made = calloc(count + 1, size);
    if (made == NULL) {
        abort();
    }
    return made;
}

static ProtobufCBinaryData top_move(ProtobufCBinaryData *text)
{
    ProtobufCBinaryData moved = *text;
    *text = (ProtobufCBinaryData){0, NULL};
    return moved;
}

static void top_take_rooms(Hgtp__Tool__TopReply *reading, Hgtp__Control__RoomListReply *list,
                           struct top_past *past)
{
    int64_t now_ms = tick_ms();
    reading->rooms = top_alloc(list->n_rooms, sizeof(Hgtp__Tool__TopRoom *));
    reading->n_rooms = list->n_rooms;
    reading->total = list->total;
    for (size_t i = 0; i < list->n_rooms; i++) {
        Hgtp__Control__Room *from = list->rooms[i];
        Hgtp__Tool__TopRoom *room = top_alloc(0, sizeof *room);
        hgtp__tool__top_room__init(room);
        room->room = top_move(&from->room);
        room->manager = top_move(&from->manager);
        room->members = from->members;
        room->limit = from->limit;
        room->messages = from->messages;
        room->messages_per_s = top_past_rate(past, from, now_ms);
        room->age_ms = from->age_ms;
        room->idle_ms = from->idle_ms;
        room->nodes = from->nodes;
        room->n_nodes = from->n_nodes;
        from->nodes = NULL;
        from->n_nodes = 0;
        reading->rooms[i] = room;
    }
    top_past_keep(past, list, now_ms);
}

static void top_add_up(Hgtp__Tool__TopSummary *summary, const Hgtp__Control__Node *node)
{
    summary->nodes++;
    summary->silent += top_row_error(&node->base)[0] != '\0';
    summary->draining += strcmp(node->state, "draining") == 0;
    summary->sessions += node->sessions;
    summary->lines += node->lines;
    summary->messages_per_s += node->messages_per_s;
    summary->deliveries_per_s += node->deliveries_per_s;
    summary->queued_bytes += node->queued_bytes;
    summary->store_ms = node->store_ms > summary->store_ms ? node->store_ms : summary->store_ms;
    summary->memory_bytes += node->memory_bytes;
    summary->cpu_percent += node->cpu_percent;
}

static void top_summarize(Hgtp__Tool__TopReply *reading, const Hgtp__Control__StatsReply *stats)
{
    Hgtp__Tool__TopSummary *summary = top_alloc(0, sizeof *summary);
    hgtp__tool__top_summary__init(summary);
    reading->summary = summary;
    for (size_t i = 0; i < reading->n_nodes; i++) {
        top_add_up(summary, reading->nodes[i]);
    }
    if (stats != NULL) {
        summary->sessions = stats->sessions;
        summary->rooms = stats->rooms;
        summary->members = stats->members;
        summary->redis_memory_bytes = stats->redis_memory_bytes;
        summary->redis_ops_per_s = stats->redis_ops_per_s;
    }
}

static Hgtp__Tool__TopReply *top_put_together(struct rpc_client *client, struct top_call *calls,
                                              const struct top_wish *wish, struct top_past *past)
{
    Hgtp__Control__NodeListReply *nodes = (void *)calls[TOP_CALL_NODES].reply;
    Hgtp__Tool__TopReply *reading = top_alloc(0, sizeof *reading);
    hgtp__tool__top_reply__init(reading);
    reading->time_ms = tick_unix_ms();
    reading->url = strdup(rpc_client_url(client));
    reading->view = strdup(top_table(wish->view)->name);
    reading->nodes = nodes->nodes;
    reading->n_nodes = nodes->n_nodes;
    nodes->nodes = NULL;
    nodes->n_nodes = 0;
    top_summarize(reading, (const void *)calls[TOP_CALL_STATS].reply);
    if (wish->view == TOP_ROOMS) {
        top_take_rooms(reading, (void *)calls[TOP_CALL_LIST].reply, past);
    } else if (wish->view == TOP_SESSIONS) {
        Hgtp__Control__SessionListReply *list = (void *)calls[TOP_CALL_LIST].reply;
        reading->sessions = list->sessions;
        reading->n_sessions = list->n_sessions;
        reading->total = list->total;
        list->sessions = NULL;
        list->n_sessions = 0;
    } else {
        top_match_nodes(reading, wish->match);
        reading->total = reading->n_nodes;
    }
    top_sort(reading, wish->view, wish->column, wish->is_reverse);
    return reading;
}

Hgtp__Tool__TopReply *top_read(struct rpc_client *client, const struct top_wish *wish,
                               struct top_past *past, struct rpc_status *ret_status)
{
    const struct top_column *column = &top_table(wish->view)->columns[wish->column];
    const Hgtp__Control__Empty empty = HGTP__CONTROL__EMPTY__INIT;
    Hgtp__Control__RoomListRequest rooms = HGTP__CONTROL__ROOM_LIST_REQUEST__INIT;
    Hgtp__Control__SessionListRequest sessions = HGTP__CONTROL__SESSION_LIST_REQUEST__INIT;
    struct top_call calls[TOP_CALLS] = {
        [TOP_CALL_NODES] = {.client = client, .method = "NodeList", .request = &empty.base},
        [TOP_CALL_STATS] = {.client = client, .method = "Stats", .request = &empty.base},
        [TOP_CALL_LIST] = {.client = client}};
    bool is_rate = column->asked != NULL && strcmp(column->shown.field, "messages_per_s") == 0;
    rooms.match = sessions.match =
        (ProtobufCBinaryData){strlen(wish->match), (uint8_t *)(uintptr_t)wish->match};
    if (column->asked != NULL) {
        rooms.sort = sessions.sort = (char *)(uintptr_t)column->asked;
        rooms.reverse = sessions.reverse = !is_rate && column->is_most_first != wish->is_reverse;
    }
    rooms.limit = sessions.limit = wish->limit;
    if (wish->view == TOP_ROOMS) {
        calls[TOP_CALL_LIST].method = "RoomList";
        calls[TOP_CALL_LIST].request = &rooms.base;
    } else if (wish->view == TOP_SESSIONS) {
        calls[TOP_CALL_LIST].method = "SessionList";
        calls[TOP_CALL_LIST].request = &sessions.base;
    }
    top_call_all(calls);
    past->list_ms = calls[TOP_CALL_LIST].took_ms;
    const struct rpc_status *failure = top_call_failure(calls);
    Hgtp__Tool__TopReply *reading = NULL;
    if (failure != NULL) {
        *ret_status = *failure;
    } else {
        reading = top_put_together(client, calls, wish, past);
    }
    for (size_t i = 0; i < TOP_CALLS; i++) {
        if (calls[i].reply != NULL) {
            protobuf_c_message_free_unpacked(calls[i].reply, NULL);
        }
    }
    return reading;
}
