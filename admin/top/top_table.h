/* SPDX-License-Identifier: MIT */
/*
 * top_table: what `hgtpctl top` can show: views, their columns, and the order and choice of rows. A
 * reading is a TopReply (admin/tool.proto) that owns all it has.
 */
#ifndef ADMIN_TOP_TOP_TABLE_H
#define ADMIN_TOP_TOP_TABLE_H

#include "admin/output.h"
#include "tool.pb-c.h"

#define TOP_COLUMNS_MAX 12

enum top_view { TOP_NODES, TOP_ROOMS, TOP_SESSIONS, TOP_VIEWS };

struct top_column {
    struct output_column shown;
    const char *asked;  /* the order in which a node gives its list when it is sorted by this */
    bool is_most_first; /* in its natural order */
    bool is_figure;     /* only the node itself knows it: there is none while it is silent */
};

struct top_table {
    const char *name; /* "rooms" */
    size_t order;     /* by which column it is sorted unless asked otherwise */
    const struct top_column *columns;
    size_t column_count;
};

const struct top_table *top_table(enum top_view view);

/** By a column's name, its heading in small letters; false: there is none. */
bool top_table_find(enum top_view view, const char *name, size_t *ret_column);
/** Names of all columns, with blanks between them. */
void top_table_names(enum top_view view, char *text, size_t cap);

size_t top_row_count(const Hgtp__Tool__TopReply *reading, enum top_view view);
const ProtobufCMessage *top_row(const Hgtp__Tool__TopReply *reading, enum top_view view, size_t i);
/** Why there are no figures in this row; "": there are. */
const char *top_row_error(const ProtobufCMessage *row);

/** Put the view's rows in order: that of the column, or the other way round. */
void top_sort(Hgtp__Tool__TopReply *reading, enum top_view view, size_t column, bool is_reverse);

/** Drop the nodes whose ids do not match, as nodes themselves match names of rooms and users: part
 * of it, or with * and ? in it, what it looks like. */
void top_match_nodes(Hgtp__Tool__TopReply *reading, const char *match);

#endif
