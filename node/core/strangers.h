/* SPDX-License-Identifier: MIT */
/*
 * strangers: scripts for those of whom this node knows no session: who registers, whose session is
 * at another node, or who has none. They wait for each other, not the node's own clients for them;
 * who is known to be nobody is not asked about again at once; and an address that tries many is
 * held back. Whose session it is, is the script's to say.
 */
#ifndef CORE_STRANGERS_H
#define CORE_STRANGERS_H

#include "cost.h"
#include "ports.h"
#include "rate.h"

#define STRANGERS_MEMORY 4096 /* of one kind; the last that falls on a slot stays */
#define STRANGERS_PLACES 65536
struct strangers_memory {
    uint64_t key;
    int64_t until_ms;
};

/** Zeroed storage is the start. */
struct strangers {
    struct rate_table failures; /* by address: who turned out to be nobody, or could not prove it */
    struct strangers_memory nobodies[STRANGERS_MEMORY]; /* they had no session */
    struct strangers_memory proved[STRANGERS_MEMORY];   /* they had, at another node */
    struct strangers_call *first, *last;                /* waiting for their turn */
    uint16_t waiting_by_key[STRANGERS_PLACES];          /* how many, of those who share a place */
    size_t waiting_count, in_flight; /* in_flight: of those that had to take turns */
};

struct core;

/** Who asks for what. Everything is borrowed for the call. */
struct stranger {
    struct bytes uid;
    struct bytes token; /* shown, or empty */
    const struct cost *cost;
    enum cost_kind kind;
    uint32_t ip;      /* the client's, for counting */
    bool is_datagram; /* so that the address may be another one's */
    bool is_opening;  /* a session, or tries to: nobody has to know it yet */
    bool is_leaving;  /* a room, or everything, or answers: never held back by address */
    bool is_unproved; /* it shows a signature that has not been found right */
    bool is_proof;    /* that it is who it says, if the script answers ERR_NONE */
};

/**
 * Run a script on behalf of `stranger`; for one whose session is here, and who has shown that, it
 * is cost_call.
 *
 * returns  ERR_NONE: `on_result` comes once; else it does not, and this is the answer:
 *          ERR_NOT_REGISTERED, ERR_RATE_LIMITED or ERR_BUSY
 */
enum err strangers_call(struct core *core, const struct stranger *stranger, enum script script,
                        const struct script_args *args, store_on_result_fn *on_result, void *arg);

/** The session of `uid` has been opened, from this address: it is nobody no more. */
void strangers_registered(struct core *core, struct bytes uid, uint32_t ip);

/** Everybody who waits is answered by ERR_BUSY. */
void strangers_send_home(struct core *core);

#endif
