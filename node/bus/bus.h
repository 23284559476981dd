/* SPDX-License-Identifier: MIT */
/*
 * bus: from node to node, over nng: effects of scripts that concern another node, in one batch per
 * peer and loop turn. It may lose: batches are numbered, and a missing number is reported, so that
 * what was in it is looked up in Redis. It doesn't know what an effect means.
 *
 * PUB dials and SUB listens, because nng 1.5 can hang for good when a receiving pipe is closed
 * under traffic; for the same reason nothing here ever closes the SUB socket, and the process ends
 * with it open.
 */
#ifndef BUS_BUS_H
#define BUS_BUS_H

#include <uv.h>

#include "node/bus/bus_limits.h"
#include "node/core/ports.h"

struct bus;

struct bus_events {
    /** Another node, or this one, has sent this; views are borrowed for the call. */
    void (*on_effect)(const struct effect *effect, void *arg);
    /** Batches may have been missed: a number is missing, or a connection is new. `why` is a few
     * words for the log, borrowed. */
    void (*on_gap)(const char *why, void *arg);
    /** A batch of a node came, or something is for one, that bus_port.peer has not named: the list
     * of nodes is out of date. */
    void (*on_stranger)(void *arg);
    /** The batch that bus_port.beat sent to this node itself came back. */
    void (*on_echo)(void *arg);
    /** nng does not tear down connections any more and never will again: end this process. Called
     * once. */
    void (*on_stuck)(void *arg);
};

struct bus_options {
    uv_loop_t *loop;
    const char *listen;           /* tcp://ip:port or tls+tcp://ip:port (port 0 picks a free one);
                                     copied */
    const char *advertise;        /* told to the others; "": derived from `listen`; copied */
    const struct core_keys *keys; /* live: batches carry an HMAC by the first, if there is one, and
                                     are taken by any */
    struct nng_tls_config *tls_in, *tls_out; /* for tls+tcp, to listen and to connect; nng keeps
                                                them. NULL: no such addresses */
    struct bus_events events;
    void *arg;
};

/**
 * Listen. Nothing is received before bus_start.
 *
 * ret_error  BUS_ERROR_BYTES; on failure what went wrong (address in use, ...), for the log
 * returns    NULL on failure
 */
struct bus *bus_open(const struct bus_options *options, char *ret_error);

/** What the others have to dial: bus.advertise, or the address listened on with the port that was
 * picked; where that is 0.0.0.0, an address of this machine's first interface that is up and not
 * loopback. Valid until the end. */
const char *bus_address(const struct bus *bus);

/** `node` ("id@incarnation", shorter than BUS_NAME_MAX, copied) is this node's name from now on;
 * receive, and connect to oneself for bus_port.beat. */
void bus_start(struct bus *bus, const char *node);

/** Valid for the life of the process. */
struct bus_port bus_port(struct bus *bus);

/** Something is still to be sent, in this turn of the loop or when a node is connected. */
bool bus_is_waiting(const struct bus *bus);

/** Send what waits, then stop all timers and handles of the loop. nng's sockets stay open, so that
 * what was sent arrives: the process has to end. Nothing is called any more. */
void bus_close(struct bus *bus);

#endif
