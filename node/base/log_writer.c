/* SPDX-License-Identifier: MIT */
/*
 * log_writer: a ring of whole lines, and the thread that writes them, one by one write(2). A write
 * may block for as long as it likes: only the thread waits. stderr itself is left as it is, as it
 * is shared with whoever started the process.
 */
#include "node/base/log_writer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_WRITER_BYTES 262144

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled; /* for the thread: there is something to write */
    pthread_cond_t idle;   /* for log_writer_flush */
    bool is_started;
    bool is_writing; /* a line, or that of `gap`, is out of the ring and not written yet */
    log_writer_gap_fn *gap;
    size_t start, len;    /* of the ring */
    int64_t unsaid_count; /* dropped behind what is in the ring; until it is said all are */
    uint8_t ring[LOG_WRITER_BYTES];
} writer = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

/* A line that nobody can take, as when stderr is closed, is lost: there is nowhere to say so. */
static void log_writer_write(struct bytes line)
{
    while (line.len > 0) {
        ssize_t sent = write(STDERR_FILENO, line.ptr, line.len);
        if (sent >= 0) {
            line = bytes_from(line, (size_t)sent);
        } else if (errno == EAGAIN) { /* whoever shares it made it so */
            (void)poll(&(struct pollfd){.fd = STDERR_FILENO, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            return;
        }
    }
}

/* The first line of the ring, taken out of it. */
static size_t log_writer_take(uint8_t *line)
{
    size_t len = 0;
    do {
        line[len] = writer.ring[writer.start];
        writer.start = (writer.start + 1) % LOG_WRITER_BYTES;
    } while (line[len++] != '\n');
    writer.len -= len;
    return len;
}

static void *log_writer_run(void *arg)
{
    (void)arg;
    uint8_t line[LOG_LINE_MAX_BYTES];
    pthread_mutex_lock(&writer.lock);
    for (;;) {
        while (writer.len == 0 && writer.unsaid_count == 0) {
            pthread_cond_broadcast(&writer.idle);
            pthread_cond_wait(&writer.filled, &writer.lock);
        }
        int64_t unsaid_count = writer.len == 0 ? writer.unsaid_count : 0;
        size_t len = writer.len > 0 ? log_writer_take(line) : 0;
        writer.unsaid_count -= unsaid_count;
        writer.is_writing = true;
        pthread_mutex_unlock(&writer.lock);
        if (unsaid_count > 0) {
            len = writer.gap(unsaid_count, line);
        }
        log_writer_write(bytes_of(line, len));
        pthread_mutex_lock(&writer.lock);
        writer.is_writing = false;
    }
    return NULL;
}

void log_writer_start(log_writer_gap_fn *gap)
{
    pthread_t thread;
    pthread_condattr_t monotonic;
    sigset_t all, before;
    writer.gap = gap;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&writer.idle, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    writer.is_started = pthread_create(&thread, NULL, log_writer_run, NULL) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (writer.is_started) {
        (void)pthread_detach(thread);
    }
}

static void log_writer_add(struct bytes line)
{
    size_t end = (writer.start + writer.len) % LOG_WRITER_BYTES;
    size_t before_wrap = LOG_WRITER_BYTES - end < line.len ? LOG_WRITER_BYTES - end : line.len;
    memcpy(writer.ring + end, line.ptr, before_wrap);
    memcpy(writer.ring, line.ptr + before_wrap, line.len - before_wrap);
    writer.len += line.len;
    pthread_cond_signal(&writer.filled);
}

bool log_writer_put(struct bytes line)
{
    if (!writer.is_started) {
        log_writer_write(line);
        return true;
    }
    pthread_mutex_lock(&writer.lock);
    bool has_space = writer.unsaid_count == 0 && line.len <= LOG_WRITER_BYTES - writer.len;
    if (has_space) {
        log_writer_add(line);
    } else {
        writer.unsaid_count++;
    }
    pthread_mutex_unlock(&writer.lock);
    return has_space;
}

void log_writer_flush(int64_t timeout_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    if (!writer.is_started) {
        return;
    }
    pthread_mutex_lock(&writer.lock);
    int error = 0;
    while (error == 0 && (writer.len > 0 || writer.unsaid_count > 0 || writer.is_writing)) {
        error = pthread_cond_timedwait(&writer.idle, &writer.lock, &until);
    }
    pthread_mutex_unlock(&writer.lock);
}
