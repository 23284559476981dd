/* SPDX-License-Identifier: MIT */
/*
 * bus_reap: closes nng sockets without making the loop wait. A thread per socket: they are closed
 * when a node leaves, which is rare, and one that hangs must not hold up the others. Whether they
 * hang is bus_watchdog's question.
 */
#include "node/bus/bus_reap.h"

#include <pthread.h>
#include <stdint.h>

static void *bus_reap_run(void *arg)
{
    nng_socket socket = {.id = (uint32_t)(uintptr_t)arg};
    (void)nng_close(socket);
    return NULL;
}

void bus_reap_socket(nng_socket socket)
{
    pthread_attr_t detached;
    pthread_t thread;
    if (pthread_attr_init(&detached) != 0) {
        return;
    }
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    /* Without a thread the socket stays open: nothing is sent on it any more, so it costs memory.
     */
    (void)pthread_create(&thread, &detached, bus_reap_run, (void *)(uintptr_t)socket.id);
    pthread_attr_destroy(&detached);
}
