/* SPDX-License-Identifier: MIT */
/*
 * bus_peers: the nodes that this one has heard of, by name. To those that are current it holds a
 * connection and a batch in the making; of the others it remembers the numbers, so that nothing is
 * taken twice and nothing that is lost goes unnoticed.
 */
#ifndef BUS_BUS_PEERS_H
#define BUS_BUS_PEERS_H

#include <nng/nng.h>
#include <uthash.h>

#include "node/bus/bus_sub.h"
#include "node/core/ports.h"

#define BUS_PEERS_KNOWN_MAX 1024 /* unless more than that are current */
#define BUS_PEER_SILENT_MS  3000 /* not named for longer than that: not current any more */
#define BUS_PEER_LONELY_MS  7000 /* named and not connected for longer than a dead one is: said */
#define BUS_PEER_HELD_MS    1000 /* what is sent before the first connection waits so long for it */
#define BUS_BODY_FULL       (256 * 1024) /* a batch that has grown beyond is sent at once */

struct bus_peer {
    char name[BUS_NAME_MAX];
    size_t name_len;
    uint64_t heard_number; /* of its last batch that was taken; 0: none */
    uint64_t sent_number;  /* of the last batch sent to it; 0: none */
    int64_t seen_ms;       /* last named or heard */
    int64_t named_ms;
    int64_t held_ms; /* since when what is to be sent waits for the first connection; 0: it does not
                      */
    int64_t lonely_ms; /* since when it is named and not connected; 0: it is connected */
    bool is_missed;    /* that has been said */
    bool is_current;
    bool has_connected;            /* at this address, at some time */
    char address[BUS_ADDRESS_MAX]; /* dialled; "" without a connection */
    nng_socket socket;
    struct bus_wire *wire; /* of the socket: whether it is connected */
    uint8_t *body;         /* packed effects that wait */
    size_t body_len;
    size_t body_cap;
    size_t field_count;
    UT_hash_handle hh;
};

/** Zeroed storage is empty. */
struct bus_peers {
    struct bus_peer *table;
    size_t current_count;
    struct nng_tls_config *tls; /* to connect by tls+tcp; NULL: there is none */
    uint64_t floor_number;      /* of whom nothing is remembered, none got a higher number */
};

static inline struct bytes bus_peer_name(const struct bus_peer *peer)
{
    return bytes_of(peer->name, peer->name_len);
}

/** NULL when it isn't known. */
struct bus_peer *bus_peers_find(struct bus_peers *peers, struct bytes name);

/** Find it or add it; the one that was silent for longest may be forgotten for it. NULL when memory
 * is out. The name isn't empty and shorter than BUS_NAME_MAX. */
struct bus_peer *bus_peers_take(struct bus_peers *peers, struct bytes name, int64_t now_ms);

/** It is there, at that address: connect, unless it is so already. */
void bus_peers_name(struct bus_peers *peers, struct bus_peer *peer, struct bytes address,
                    int64_t now_ms);

/** Take leave of those that were not named for BUS_PEER_SILENT_MS; count who is connected. */
void bus_peers_look(struct bus_peers *peers, int64_t now_ms);

/** Forget everybody; what was sent is still on its way, so the connections stay open. */
void bus_peers_fini(struct bus_peers *peers);

/** Connect to `address`, in place of what it was connected to; what waits goes there. Doesn't wait
 * for the connection; nng goes on trying. False when the address is none; `tls` NULL: also one that
 * begins with tls+tcp. */
bool bus_peer_dial(struct bus_peer *peer, struct bytes address, struct nng_tls_config *tls);
/** Close its connection, if it has one; what it has not taken yet is lost. */
void bus_peer_hang_up(struct bus_peer *peer);
/** Send nothing more; the connection stays open for the rest of the process. */
void bus_peer_leave_open(struct bus_peer *peer);

/** Have a packed effect wait for the next batch; false when memory is out. */
bool bus_peer_append(struct bus_peer *peer, struct bytes packed, size_t field_count);

/**
 * Send what waits, as one batch: nothing, unless `is_beat`, makes no batch. Before the first
 * connection it goes on waiting for that, for BUS_PEER_HELD_MS at most and while there is not too
 * much of it.
 *
 * returns  true: something waits for a connection
 */
bool bus_peer_flush(struct bus_peer *peer, struct bytes sender, struct bytes key, bool is_beat,
                    int64_t now_ms);

#endif
