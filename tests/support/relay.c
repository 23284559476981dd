/* SPDX-License-Identifier: MIT */
/*
 * relay: connections in pairs, bytes from one to the other. What cannot be written is kept.
 */
#include "relay.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pump.h"
#include "sockets.h"

#define RELAY_CONNECT_MS 2000

struct relay_pair;

struct relay_end {
    struct pump_watch watch;
    struct relay_pair *pair;
    struct relay_end *other;
    struct queue out;
};

struct relay_pair {
    struct relay *relay;
    struct relay_end ends[2];
    struct relay_pair *next;
};

struct relay {
    struct pump_watch listener;
    uint16_t port, to_port;
    enum relay_mode mode;
    struct relay_pair *pairs;
    const char *words; /* NULL: nothing is listened for */
    int overheard;
};

static void relay_drop(struct relay_pair *pair)
{
    struct relay_pair **at = &pair->relay->pairs;
    while (*at != pair) {
        at = &(*at)->next;
    }
    *at = pair->next;
    for (size_t i = 0; i < 2; i++) {
        pump_remove(&pair->ends[i].watch);
        close(pair->ends[i].watch.fd);
        queue_fini(&pair->ends[i].out);
    }
    free(pair);
}

static void relay_set_events(struct relay_pair *pair)
{
    for (size_t i = 0; i < 2; i++) {
        struct relay_end *end = &pair->ends[i];
        enum relay_mode mode = pair->relay->mode;
        /* The first end is the one that has connected: it speaks, the second one answers. */
        bool reads = mode == RELAY_PASS || (mode == RELAY_HOLD_BACK && i == 0);
        bool writes = mode == RELAY_PASS || (mode == RELAY_HOLD_BACK && i == 1);
        end->watch.events =
            (short)((reads ? POLLIN : 0) | (writes && end->out.len > 0 ? POLLOUT : 0));
    }
}

static bool relay_read(struct relay_end *end)
{
    uint8_t buffer[65536];
    ssize_t got = recv(end->watch.fd, buffer, sizeof buffer, 0);
    if (got > 0) {
        struct relay *relay = end->pair->relay;
        relay->overheard += relay->words != NULL &&
                            memmem(buffer, (size_t)got, relay->words, strlen(relay->words)) != NULL;
        queue_put(&end->other->out, bytes_of(buffer, (size_t)got));
    }
    return got > 0;
}

static bool relay_write(struct relay_end *end)
{
    if (end->out.len == 0) {
        return true;
    }
    ssize_t put = send(end->watch.fd, end->out.ptr, end->out.len, MSG_NOSIGNAL);
    if (put > 0) {
        queue_take(&end->out, (size_t)put);
    }
    return put > 0;
}

static void relay_on_ready(short revents, void *arg)
{
    struct relay_end *end = arg;
    bool is_good = true;
    if (revents & (POLLIN | POLLHUP | POLLERR)) {
        is_good = relay_read(end);
    }
    if (is_good && (revents & POLLOUT)) {
        is_good = relay_write(end);
    }
    if (is_good) {
        relay_set_events(end->pair);
    } else {
        (void)relay_write(end->other); /* the last words of a side that has closed */
        relay_drop(end->pair);
    }
}

static void relay_on_connection(short revents, void *arg)
{
    struct relay *relay = arg;
    (void)revents;
    int from = accept4(relay->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (from < 0) {
        return;
    }
    int to = relay->mode != RELAY_CUT
                 ? sockets_connect(0, SOCKETS_LOOPBACK, relay->to_port, RELAY_CONNECT_MS)
                 : -1;
    if (to < 0) {
        close(from);
        return;
    }
    struct relay_pair *pair = calloc(1, sizeof *pair);
    assert(pair != NULL);
    pair->relay = relay;
    pair->next = relay->pairs;
    relay->pairs = pair;
    const int fds[] = {from, to};
    for (size_t i = 0; i < 2; i++) {
        struct relay_end *end = &pair->ends[i];
        end->pair = pair;
        end->other = &pair->ends[1 - i];
        end->watch = (struct pump_watch){.fd = fds[i], .on_ready = relay_on_ready, .arg = end};
        pump_add(&end->watch);
    }
    relay_set_events(pair);
}

struct relay *relay_open(uint16_t port)
{
    struct relay *relay = calloc(1, sizeof *relay);
    int fd = sockets_listen(SOCKETS_LOOPBACK, 0);
    assert(relay != NULL && fd >= 0);
    relay->to_port = port;
    relay->port = sockets_port(fd);
    relay->listener = (struct pump_watch){
        .fd = fd, .events = POLLIN, .on_ready = relay_on_connection, .arg = relay};
    pump_add(&relay->listener);
    return relay;
}

void relay_close(struct relay *relay)
{
    if (relay == NULL) {
        return;
    }
    while (relay->pairs != NULL) {
        relay_drop(relay->pairs);
    }
    pump_remove(&relay->listener);
    close(relay->listener.fd);
    free(relay);
}

uint16_t relay_port(const struct relay *relay)
{
    return relay->port;
}

void relay_tap(struct relay *relay, const char *words)
{
    relay->words = words;
}

int relay_overheard(const struct relay *relay)
{
    return relay->overheard;
}

void relay_set(struct relay *relay, enum relay_mode mode)
{
    relay->mode = mode;
    while (mode == RELAY_CUT && relay->pairs != NULL) {
        relay_drop(relay->pairs);
    }
    for (struct relay_pair *pair = relay->pairs; pair != NULL; pair = pair->next) {
        relay_set_events(pair);
    }
}
