/* SPDX-License-Identifier: MIT */
/*
 * top_reader: the thread that reads, and what goes to and fro between it and the one with the
 * terminal: a wish in, the newest reading or failure out. A list that takes long is read less
 * often, so that a look at many rooms is at most a fifth of what Redis does. Waiting for a node
 * that is silent is no work, and does not count.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "admin/tick.h"
#include "admin/top/top_read.h"

#define TOP_READER_SHARE    4   /* it rests at least so many times as long as a list takes */
#define TOP_READER_AGAIN_MS 200 /* after a failure: another node may do better */

struct top_reader {
    struct rpc_client *client;
    int64_t interval_ms;
    int fd;
    struct top_past past; /* of the thread */

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    struct top_wish wish;
    bool is_urgent, is_paused, has_news;
    Hgtp__Tool__TopReply *reading; /* NULL: it failed */
    struct rpc_status status;
};

static void top_reader_tell(struct top_reader *reader, Hgtp__Tool__TopReply *reading,
                            const struct rpc_status *status)
{
    const uint64_t one = 1;
    (void)pthread_mutex_lock(&reader->lock);
    if (reader->reading != NULL) {
        hgtp__tool__top_reply__free_unpacked(reader->reading, NULL);
    }
    reader->reading = reading;
    reader->status = *status;
    reader->has_news = true;
    (void)pthread_mutex_unlock(&reader->lock);
    (void)!write(reader->fd, &one, sizeof one);
}

/* Until it is time again, or something else is wished for. */
static void top_reader_rest(struct top_reader *reader, int64_t until_ms)
{
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    (void)pthread_mutex_lock(&reader->lock);
    while (!reader->is_urgent && (reader->is_paused || tick_ms() < until_ms)) {
        if (reader->is_paused) {
            (void)pthread_cond_wait(&reader->changed, &reader->lock);
        } else {
            (void)pthread_cond_timedwait(&reader->changed, &reader->lock, &until);
        }
    }
    (void)pthread_mutex_unlock(&reader->lock);
}

static void *top_reader_run(void *arg)
{
    struct top_reader *reader = arg;
    int64_t next_ms = tick_ms() + reader->interval_ms;
    for (;;) {
        top_reader_rest(reader, next_ms);
        struct rpc_status status = {.code = HGTP__RPC__CODE__OK};
        (void)pthread_mutex_lock(&reader->lock);
        const struct top_wish wish = reader->wish;
        reader->is_urgent = false;
        (void)pthread_mutex_unlock(&reader->lock);
        int64_t begin_ms = tick_ms();
        Hgtp__Tool__TopReply *reading = top_read(reader->client, &wish, &reader->past, &status);
        bool has_come = reading != NULL;
        top_reader_tell(reader, reading, &status);
        int64_t end_ms = tick_ms();
        int64_t rested_ms = end_ms + reader->past.list_ms * TOP_READER_SHARE;
        next_ms = begin_ms + reader->interval_ms;
        next_ms = !has_come             ? end_ms + TOP_READER_AGAIN_MS
                  : rested_ms > next_ms ? rested_ms
                                        : next_ms;
    }
    return NULL;
}

struct top_reader *top_reader_new(struct rpc_client *client, int64_t interval_ms,
                                  const struct top_wish *wish, const struct top_past *past)
{
    pthread_t thread;
    pthread_condattr_t attributes;
    struct top_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        return NULL;
    }
    reader->client = client;
    reader->interval_ms = interval_ms;
    reader->wish = *wish;
    reader->past = *past;
    reader->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void)pthread_mutex_init(&reader->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&reader->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    if (reader->fd < 0 || pthread_create(&thread, NULL, top_reader_run, reader) != 0) {
        free(reader);
        return NULL;
    }
    (void)pthread_detach(thread);
    return reader;
}

void top_reader_wish(struct top_reader *reader, const struct top_wish *wish)
{
    (void)pthread_mutex_lock(&reader->lock);
    reader->wish = *wish;
    reader->is_urgent = true;
    (void)pthread_cond_signal(&reader->changed);
    (void)pthread_mutex_unlock(&reader->lock);
}

void top_reader_pause(struct top_reader *reader, bool is_paused)
{
    (void)pthread_mutex_lock(&reader->lock);
    reader->is_paused = is_paused;
    (void)pthread_cond_signal(&reader->changed);
    (void)pthread_mutex_unlock(&reader->lock);
}

int top_reader_fd(const struct top_reader *reader)
{
    return reader->fd;
}

bool top_reader_take(struct top_reader *reader, Hgtp__Tool__TopReply **ret_reading,
                     struct rpc_status *ret_status)
{
    uint64_t count;
    (void)!read(reader->fd, &count, sizeof count);
    (void)pthread_mutex_lock(&reader->lock);
    bool has_news = reader->has_news;
    if (has_news) {
        *ret_reading = reader->reading;
        *ret_status = reader->status;
        reader->reading = NULL;
        reader->has_news = false;
    }
    (void)pthread_mutex_unlock(&reader->lock);
    return has_news;
}
