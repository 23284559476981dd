/* SPDX-License-Identifier: MIT */
/* bus_reap: closing what nng may take its time to close. */
#ifndef BUS_BUS_REAP_H
#define BUS_BUS_REAP_H

#include <nng/nng.h>

/**
 * Close `socket` on a thread of its own: nng_close waits for nng's own threads, and where those
 * hang (see bus_watchdog.h) it never returns. Never for the SUB socket: see bus.h.
 *
 * storage  what the socket's callbacks use; freed once it is closed
 */
void bus_reap_socket(nng_socket socket, void *storage);

#endif
