/* SPDX-License-Identifier: MIT */
/*
 * bus_reap: closes nng sockets without making the loop wait. A thread per socket: they are closed
 * when a node leaves, which is rare, and one that hangs must not hold up the others. Whether they
 * hang is bus_watchdog's question.
 */
#include "node/bus/bus_reap.h"

#include <pthread.h>
#include <stdlib.h>

struct bus_reap {
    nng_socket socket;
    void *storage;
};

static void *bus_reap_run(void *arg)
{
    struct bus_reap *reap = arg;
    (void)nng_close(reap->socket);
    free(reap->storage);
    free(reap);
    return NULL;
}

void bus_reap_socket(nng_socket socket, void *storage)
{
    pthread_attr_t detached;
    pthread_t thread;
    struct bus_reap *reap = malloc(sizeof *reap);
    if (reap == NULL || pthread_attr_init(&detached) != 0) {
        free(reap);
        return;
    }
    *reap = (struct bus_reap){socket, storage};
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    /* Without a thread the socket stays open: nothing is sent on it any more, it costs memory. */
    if (pthread_create(&thread, &detached, bus_reap_run, reap) != 0) {
        free(reap);
    }
    pthread_attr_destroy(&detached);
}
