/* SPDX-License-Identifier: MIT */
/*
 * top_table: the tables, and rows by their descriptors. Where readings come from is top_read.c's,
 * how they look top_frame.c's.
 */
#include "admin/top/top_table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct top_column top_nodes[] = {
    {{"NODE", "id", FORMAT_TEXT}, NULL, false, false},
    {{"STATE", "state", FORMAT_STATE}, NULL, false, false},
    {{"SESSIONS", "sessions", FORMAT_COUNT}, NULL, true, false},
    {{"BEAT", "beat_age_ms", FORMAT_AGE}, NULL, true, false},
    {{"ROOMS", "rooms", FORMAT_COUNT}, NULL, true, true},
    {{"MESSAGES", "messages_per_s", FORMAT_RATE}, NULL, true, true},
    {{"DELIVERED", "deliveries_per_s", FORMAT_RATE}, NULL, true, true},
    {{"QUEUED", "queued_bytes", FORMAT_BYTES}, NULL, true, true},
    {{"REDIS", "store_ms", FORMAT_AGE}, NULL, true, true},
    {{"MEMORY", "memory_bytes", FORMAT_BYTES}, NULL, true, true},
    {{"CPU", "cpu_percent", FORMAT_PERCENT}, NULL, true, true},
    {{"LINES", "lines", FORMAT_COUNT}, NULL, true, true},
};

static const struct top_column top_rooms[] = {
    {{"ROOM", "room", FORMAT_TEXT}, "room", false, false},
    {{"MEMBERS", "members", FORMAT_COUNT}, "members", true, false},
    {{"RATE", "messages_per_s", FORMAT_RATE}, "idle", true, false}, /* the busiest are among them */
    {{"MESSAGES", "messages", FORMAT_COUNT}, "messages", true, false},
    {{"IDLE", "idle_ms", FORMAT_AGE}, "idle", false, false},
    {{"AGE", "age_ms", FORMAT_AGE}, "age", false, false},
    {{"LIMIT", "limit", FORMAT_COUNT}, NULL, true, false},
    {{"MANAGER", "manager", FORMAT_TEXT}, NULL, false, false},
    {{"NODES", "nodes", FORMAT_TEXT}, NULL, false, false},
};

static const struct top_column top_sessions[] = {
    {{"USER", "user", FORMAT_TEXT}, "user", false, false},
    {{"ROOM", "room", FORMAT_TEXT}, "room", false, false},
    {{"NODE", "node", FORMAT_TEXT}, "node", false, false},
    {{"STATE", "state", FORMAT_TEXT}, NULL, false, false},
    {{"TRANSPORT", "transport", FORMAT_TEXT}, NULL, false, false},
    {{"EXPIRES", "expires_in_ms", FORMAT_AGE}, "expires", false, false},
    {{"SINCE", "since_ms", FORMAT_TIME}, "since", true, false},
    {{"ADDRESS", "address", FORMAT_TEXT}, NULL, false, false},
    {{"WAITING", "waiting", FORMAT_TEXT}, NULL, false, false},
};
/* clang-format on */

#define TOP_COUNT(columns) (columns), sizeof(columns) / sizeof(columns)[0]
static const struct top_table top_tables[TOP_VIEWS] = {
    [TOP_NODES] = {"nodes", 0, TOP_COUNT(top_nodes)},
    [TOP_ROOMS] = {"rooms", 2, TOP_COUNT(top_rooms)},
    [TOP_SESSIONS] = {"sessions", 0, TOP_COUNT(top_sessions)},
};

const struct top_table *top_table(enum top_view view)
{
    return &top_tables[view];
}

bool top_table_find(enum top_view view, const char *name, size_t *ret_column)
{
    for (size_t c = 0; c < top_tables[view].column_count; c++) {
        if (strcasecmp(top_tables[view].columns[c].shown.heading, name) == 0) {
            *ret_column = c;
            return true;
        }
    }
    return false;
}

void top_table_names(enum top_view view, char *text, size_t cap)
{
    size_t used = 0;
    for (size_t c = 0; c < top_tables[view].column_count && used + 1 < cap; c++) {
        const char *heading = top_tables[view].columns[c].shown.heading;
        if (c > 0) {
            text[used++] = ' ';
        }
        while (*heading != '\0' && used + 1 < cap) {
            text[used++] = (char)tolower((unsigned char)*heading++);
        }
    }
    text[used] = '\0';
}

/* Rows ----------------------------------------------------------------------------------------- */

static ProtobufCMessage **top_rows(const Hgtp__Tool__TopReply *reading, enum top_view view)
{
    switch (view) {
    case TOP_ROOMS:
        return (ProtobufCMessage **)reading->rooms;
    case TOP_SESSIONS:
        return (ProtobufCMessage **)reading->sessions;
    default:
        return (ProtobufCMessage **)reading->nodes;
    }
}

size_t top_row_count(const Hgtp__Tool__TopReply *reading, enum top_view view)
{
    switch (view) {
    case TOP_ROOMS:
        return reading->n_rooms;
    case TOP_SESSIONS:
        return reading->n_sessions;
    default:
        return reading->n_nodes;
    }
}

const ProtobufCMessage *top_row(const Hgtp__Tool__TopReply *reading, enum top_view view, size_t i)
{
    return top_rows(reading, view)[i];
}

const char *top_row_error(const ProtobufCMessage *row)
{
    if (row->descriptor != &hgtp__control__node__descriptor) {
        return "";
    }
    const Hgtp__Control__Node *node = (const Hgtp__Control__Node *)row;
    bool is_silent = strcmp(node->state, "silent") == 0;
    return is_silent && node->error[0] == '\0' ? "it does not answer" : node->error;
}

/* Order ---------------------------------------------------------------------------------------- */

struct top_order {
    const char *field, *name_field; /* rows that are equal stand by their names */
    bool is_descending;
};

static double top_number(const ProtobufCFieldDescriptor *field, const void *at)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_DOUBLE:
        return *(const double *)at;
    case PROTOBUF_C_TYPE_INT64:
        return (double)*(const int64_t *)at;
    default:
        return (double)*(const uint64_t *)at;
    }
}

/* The first of several texts counts. */
static struct bytes top_text(const ProtobufCMessage *row, const ProtobufCFieldDescriptor *field)
{
    bool is_there = field->label != PROTOBUF_C_LABEL_REPEATED || output_count(row, field) > 0;
    return is_there ? output_text(row, field, 0) : bytes_of(NULL, 0);
}

static int top_compare_texts(struct bytes a, struct bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int found = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;
    return found != 0 ? found : (a.len > b.len) - (a.len < b.len);
}

static int top_compare_field(const ProtobufCMessage *a, const ProtobufCMessage *b, const char *name)
{
    const ProtobufCFieldDescriptor *field = output_field(a, name);
    if (output_is_text(field)) {
        return top_compare_texts(top_text(a, field), top_text(b, field));
    }
    double x = top_number(field, output_at(a, field)), y = top_number(field, output_at(b, field));
    return (x > y) - (x < y);
}

static int top_compare(const void *a, const void *b, void *arg)
{
    const struct top_order *order = arg;
    const ProtobufCMessage *x = *(ProtobufCMessage *const *)a, *y = *(ProtobufCMessage *const *)b;
    int found = top_compare_field(x, y, order->field);
    found = order->is_descending ? -found : found;
    return found != 0 ? found : top_compare_field(x, y, order->name_field);
}

void top_sort(Hgtp__Tool__TopReply *reading, enum top_view view, size_t column, bool is_reverse)
{
    const struct top_column *columns = top_tables[view].columns;
    struct top_order order = {columns[column].shown.field, columns[0].shown.field,
                              columns[column].is_most_first != is_reverse};
    size_t count = top_row_count(reading, view);
    if (count > 1) {
        qsort_r(top_rows(reading, view), count, sizeof(ProtobufCMessage *), top_compare, &order);
    }
}

/* Choice --------------------------------------------------------------------------------------- */

static bool top_looks_like(const char *name, const char *glob)
{
    while (*glob != '\0' && *glob != '*') {
        if (*name == '\0' || (*glob != '?' && *glob != *name)) {
            return false;
        }
        name++;
        glob++;
    }
    if (*glob == '\0') {
        return *name == '\0';
    }
    do {
        if (top_looks_like(name, glob + 1)) {
            return true;
        }
    } while (*name++ != '\0');
    return false;
}

void top_match_nodes(Hgtp__Tool__TopReply *reading, const char *match)
{
    bool is_glob = strpbrk(match, "*?") != NULL;
    size_t kept = 0;
    for (size_t i = 0; i < reading->n_nodes; i++) {
        Hgtp__Control__Node *node = reading->nodes[i];
        bool fits = is_glob ? top_looks_like(node->id, match) : strstr(node->id, match) != NULL;
        if (fits) {
            reading->nodes[kept++] = node;
        } else {
            hgtp__control__node__free_unpacked(node, NULL);
        }
    }
    reading->n_nodes = kept;
}
