/* SPDX-License-Identifier: MIT */
/*
 * top_read: one reading of the cluster by calls of the control service, and readings one after the
 * other in a thread of their own, so that keys are heard while a node does not answer.
 */
#ifndef ADMIN_TOP_TOP_READ_H
#define ADMIN_TOP_TOP_READ_H

#include "admin/rpc_client.h"
#include "admin/top/top_table.h"

#define TOP_MATCH_MAX 127

/** What is to be read. */
struct top_wish {
    enum top_view view;
    size_t column; /* by which it is sorted */
    bool is_reverse;
    uint32_t limit; /* of rooms or sessions */
    char match[TOP_MATCH_MAX + 1];
};

/** What a reading leaves for the next; zeroed storage: there was none. */
struct top_past {
    struct top_past_room *rooms; /* by their ids */
    size_t count;
    int64_t at_ms;   /* of `rooms` */
    int64_t list_ms; /* that the list of rooms or sessions took */
};
void top_past_fini(struct top_past *past);

/**
 * Read, once.
 *
 * returns  freed by hgtp__tool__top_reply__free_unpacked, and sorted; NULL: `ret_status` says why
 */
Hgtp__Tool__TopReply *top_read(struct rpc_client *client, const struct top_wish *wish,
                               struct top_past *past, struct rpc_status *ret_status);

/* Again and again ------------------------------------------------------------------------------ */

struct top_reader;

/**
 * Begin after one interval.
 *
 * client   used until the process ends: the thread is never waited for
 * past     of the reading before; taken
 * returns  NULL: there is no thread to be had
 */
struct top_reader *top_reader_new(struct rpc_client *client, int64_t interval_ms,
                                  const struct top_wish *wish, const struct top_past *past);

/** From now on this is read, at once. */
void top_reader_wish(struct top_reader *reader, const struct top_wish *wish);
void top_reader_pause(struct top_reader *reader, bool is_paused);

/** Readable when something has come. */
int top_reader_fd(const struct top_reader *reader);

/** What has come: a reading, owned by the caller; or NULL and why there is none. False: nothing. */
bool top_reader_take(struct top_reader *reader, Hgtp__Tool__TopReply **ret_reading,
                     struct rpc_status *ret_status);

#endif
