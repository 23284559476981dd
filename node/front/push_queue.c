/* SPDX-License-Identifier: MIT */
/*
 * push_queue: bookkeeping of requests and their answers, and the bound in bytes. Answers carry no
 * number: the n-th answer on a connection belongs to the n-th request on it, so requests that were
 * forgotten must still be counted. Sockets and time are push.c's.
 */
#include "node/front/push_queue.h"

#include <assert.h>
#include <stdlib.h>

#include "node/base/metrics.h"

static size_t push_item_bytes(const struct push_item *item)
{
    return PUSH_HEAD_BYTES + item->body->len;
}

static void push_queue_drop_oldest(struct push_queue *queue)
{
    struct push_item *item = queue->oldest;
    assert(item != NULL && item != queue->waiting);
    queue->oldest = item->next;
    if (queue->oldest == NULL) {
        queue->newest = NULL;
    }
    queue->bytes -= push_item_bytes(item);
    frame_unref(item->body);
    free(item);
}

/* What waits in all queues together is a metric. */
static void push_queue_set_waiting(struct push_queue *queue, size_t bytes)
{
    metric_add(METRIC_QUEUED_BYTES, (int64_t)bytes - (int64_t)queue->waiting_bytes);
    queue->waiting_bytes = bytes;
}

void push_queue_fini(struct push_queue *queue)
{
    push_queue_set_waiting(queue, 0);
    queue->waiting = NULL;
    while (queue->oldest != NULL) {
        push_queue_drop_oldest(queue);
    }
    *queue = (struct push_queue){0};
}

bool push_queue_add(struct push_queue *queue, size_t max_bytes, enum push_type type,
                    struct frame *body, uint64_t mark)
{
    size_t item_bytes = PUSH_HEAD_BYTES + body->len;
    if (queue->waiting != NULL && queue->waiting_bytes + item_bytes > max_bytes) {
        return false;
    }
    struct push_item *item = malloc(sizeof *item);
    if (item == NULL) {
        return false;
    }
    while (queue->oldest != queue->waiting && queue->bytes + item_bytes > max_bytes) {
        push_queue_drop_oldest(queue);
        queue->forgotten_count++;
    }
    item->next = NULL;
    item->body = frame_ref(body);
    item->type = type;
    item->was_written = false;
    item->mark = mark;
    item->head_len = 0;
    if (queue->newest != NULL) {
        queue->newest->next = item;
    } else {
        queue->oldest = item;
    }
    queue->newest = item;
    if (queue->waiting == NULL) {
        queue->waiting = item;
    }
    queue->bytes += item_bytes;
    push_queue_set_waiting(queue, queue->waiting_bytes + item_bytes);
    return true;
}

/* The rest of `part` behind its first *skip bytes, if any is left; *skip is used up. */
static size_t push_queue_put(uv_buf_t *buf, void *part, size_t len, size_t *skip)
{
    if (*skip >= len) {
        *skip -= len;
        return 0;
    }
    *buf = uv_buf_init((char *)part + *skip, (unsigned)(len - *skip));
    *skip = 0;
    return 1;
}

size_t push_queue_next(struct push_queue *queue, struct bytes host, struct bytes user_agent,
                       uv_buf_t *bufs, size_t buf_max, size_t *ret_bytes)
{
    assert(buf_max >= 2 && queue->lent_count == 0);
    size_t count = 0;
    size_t skip = queue->started_bytes;
    for (struct push_item *item = queue->waiting; item != NULL && count + 2 <= buf_max;
         item = item->next) {
        struct sink head = sink_into(item->head, sizeof item->head);
        push_request_head(item->type, host, user_agent, item->body->len, &head);
        assert(sink_fits(&head));
        item->head_len = head.len;
        count += push_queue_put(&bufs[count], item->head, item->head_len, &skip);
        count += push_queue_put(&bufs[count], item->body->data, item->body->len, &skip);
    }
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += bufs[i].len;
    }
    *ret_bytes = bytes;
    return count;
}

/* What was answered while its write was under way could not be freed then. */
static void push_queue_drop_early(struct push_queue *queue)
{
    for (; queue->early_count > 0; queue->early_count--) {
        push_queue_drop_oldest(queue);
    }
}

/* What is sent again was counted before; it would turn the mark back. */
static void push_queue_note_written(struct push_queue *queue, struct push_item *item)
{
    if (!item->was_written && item->mark != 0) {
        queue->written_mark = item->mark;
    }
    item->was_written = true;
}

size_t push_queue_written(struct push_queue *queue, size_t bytes)
{
    size_t done_count = 0;
    queue->started_bytes += bytes;
    while (queue->waiting != NULL) {
        struct push_item *item = queue->waiting;
        size_t wire_bytes = item->head_len + item->body->len;
        if (item->head_len == 0 || queue->started_bytes < wire_bytes) {
            break;
        }
        queue->started_bytes -= wire_bytes;
        push_queue_set_waiting(queue, queue->waiting_bytes - push_item_bytes(item));
        queue->waiting = item->next;
        push_queue_note_written(queue, item);
        done_count++;
    }
    queue->lent_count = 0;
    push_queue_drop_early(queue);
    return done_count;
}

void push_queue_lend(struct push_queue *queue, size_t bytes)
{
    assert(queue->lent_count == 0);
    size_t reach_bytes = queue->started_bytes + bytes;
    for (const struct push_item *item = queue->waiting; reach_bytes > 0; item = item->next) {
        size_t wire_bytes = item->head_len + item->body->len;
        reach_bytes -= reach_bytes < wire_bytes ? reach_bytes : wire_bytes;
        queue->lent_count++;
    }
}

static void push_queue_note_answered(struct push_queue *queue, const struct push_item *item,
                                     int64_t *ret_logged_unix_ms)
{
    *ret_logged_unix_ms = item->body->logged_unix_ms;
    if (item->mark != 0) {
        queue->answered_mark = item->mark;
    }
}

/* In a write under way, the first that is not answered; there are few. */
static const struct push_item *push_queue_next_early(const struct push_queue *queue)
{
    const struct push_item *item = queue->waiting;
    for (size_t i = 0; i < queue->early_count; i++) {
        item = item->next;
    }
    return item;
}

bool push_queue_answered(struct push_queue *queue, int64_t *ret_logged_unix_ms)
{
    if (queue->forgotten_count > 0) {
        *ret_logged_unix_ms = 0;
        queue->forgotten_count--; /* its mark went with it: newer answers will make up for it */
    } else if (queue->oldest != queue->waiting) {
        push_queue_note_answered(queue, queue->oldest, ret_logged_unix_ms);
        push_queue_drop_oldest(queue);
    } else if (queue->early_count < queue->lent_count) {
        push_queue_note_answered(queue, push_queue_next_early(queue), ret_logged_unix_ms);
        queue->early_count++;
    } else {
        return false;
    }
    queue->answers_at_all = true;
    return true;
}

bool push_queue_unanswered(const struct push_queue *queue)
{
    return queue->forgotten_count > 0 || queue->oldest != queue->waiting ||
           queue->lent_count > queue->early_count;
}

uint64_t push_queue_confirmed(const struct push_queue *queue)
{
    return queue->answers_at_all ? queue->answered_mark : queue->written_mark;
}

bool push_queue_idle(const struct push_queue *queue)
{
    return queue->waiting == NULL && !(queue->answers_at_all && push_queue_unanswered(queue));
}

void push_queue_rewind(struct push_queue *queue)
{
    queue->waiting = NULL;
    push_queue_drop_early(queue);
    queue->waiting = queue->oldest;
    push_queue_set_waiting(queue, queue->bytes);
    queue->started_bytes = 0;
    queue->lent_count = 0;
    queue->forgotten_count = 0;
}
