/* SPDX-License-Identifier: MIT */
/*
 * roster: the clients whose home is this node, and the rooms they are in. It mirrors what scripts
 * said and decides nothing: the truth is in Redis.
 */
#ifndef CORE_ROSTER_H
#define CORE_ROSTER_H

#include <uthash.h>

#include "listing.h"
#include "node/base/config.h"
#include "ports.h"
#include "rate.h"
#include "room_feed.h"

#define ROSTER_TOKEN_MAX 64
#define ROSTER_EPOCH_MAX 32
#define ROSTER_NODE_MAX  160 /* "id@incarnation" */
#define ROSTER_NAME_MAX  CONFIG_NAME_BYTES_MAX
#define ROSTER_LINE_MAX  24

struct core;

struct client {
    struct core *core; /* whose roster it is in */
    uint8_t uid[HGTP_USER_ID_BYTES];
    uint32_t push_ip;
    uint16_t push_port;
    void *push;                      /* of the push port; NULL: declared no HTTP address */
    void *line;                      /* of the line port; NULL: none is attached. Never both */
    char line_name[ROSTER_LINE_MAX]; /* as Redis knows it */
    bool has_unregistered;           /* by this line */
    char *name;                      /* NULL: not known */
    /* Of one of the original's kind: */
    uint32_t reach_ip;         /* where the server's own requests go */
    uint16_t reach_port;       /* 0: it is none */
    bool believes_in_room;     /* its client does, by what it was told from here */
    int64_t heard_ms;          /* its last datagram */
    unsigned heard_lost_count; /* connections to it that had been lost by then */
    int64_t probe_ms; /* by then a push has to be answered, or it is dead; 0: nobody asks */
    int64_t expires_ms;
    int64_t touched_ms;              /* when its sign of life was last passed on to Redis */
    uint8_t token[ROSTER_TOKEN_MAX]; /* last seen; only a match in Redis counts */
    size_t token_bytes;
    struct rate_bucket messages, cost;

    struct room *room; /* NULL: in none */
    int64_t stay;      /* number of its last stay in a room, of which it was told ... */
    bool is_stay_over; /* ... and that it is over */
    bool is_listed;    /* while a list of members is carried out */
    int64_t fence;     /* the last one under which Redis was asked about that */
    uint64_t first;    /* first entry of the room that is for this client */
    uint16_t turn;     /* counts the rooms it was in: tells their entries from each other */
    uint64_t seen;     /* last entry of the room that Redis knows it to have */
    int64_t seen_ms;
    bool is_full;     /* its connection has refused something: core_on_drained will come */
    bool behind;      /* its connection was full: entries from behind_at on are to be caught up */
    bool leaving;     /* its home is elsewhere by now: it gets nothing new from here */
    char *leaving_to; /* the node that waits to hear where it ended; NULL: none */
    int64_t move;     /* number of the last move by which it came here; 0: not known */
    int64_t held_move, leaving_move; /* of those that it waits to hear about, and to tell about */
    int64_t leave_ms;                /* the latest time to let it go */
    int64_t held_ms;  /* until then the node it comes from is waited for; 0: it is not */
    char *held_from;  /* that node; NULL: memory was out */
    bool catching_up; /* a read of the log for it is under way */
    uint64_t behind_at;
    int64_t list_wanted[LIST_COUNT];   /* least version that it is to be given; 0: it has asked for
                                          none, or has got it */
    bool wants_pages[LIST_COUNT];      /* ... all pages of it */
    struct listing *paged[LIST_COUNT]; /* whose pages it is being given, or NULL; from this place */
    size_t page_at[LIST_COUNT];
    bool lists_due[LIST_COUNT];    /* of a change in a long one it is told when its turn comes */
    bool lists_missed[LIST_COUNT]; /* the latest form has to be sent when there is space again */
    struct client *next_member, *prev_member;
    UT_hash_handle hh;
};

struct room {
    uint8_t id[HGTP_ROOM_ID_BYTES];
    char epoch[ROSTER_EPOCH_MAX];
    struct room_feed feed;
    bool repairing;      /* a read of the log is under way */
    int64_t gap_ms;      /* when entries that are missing are to be read from the log; 0: none is */
    bool check_due;      /* something may have been missed: compare with the log's top */
    int64_t list_due_ms; /* when its list of members is to be read; 0: it need not */
    struct listing *members; /* last list of its members that was shown, or NULL */
    int64_t list_free_ms;    /* ... and not before this time */
    struct bytes name;       /* in memory of the room's own */
    struct bytes manager;    /* as of the last entry that was delivered; nobody: empty */
    bool is_of_operators;
    int64_t members_version;    /* of the last list of its members that came */
    uint64_t members_at;        /* entry with which the last list of members that came is true */
    struct listing *list_ahead; /* a list that goes with entry ... */
    uint64_t list_ahead_at;     /* ... this number, whose turn has not come; NULL: none */
    unsigned hold_count;        /* it is being used: an empty one is freed later */
    struct client *first_member;
    UT_hash_handle hh;
};

struct roster {
    struct client *clients;
    struct room *rooms;
};

struct client *roster_client(const struct roster *roster, struct bytes uid);
struct room *roster_room(const struct roster *roster, struct bytes id);

/** The client of that id, made if it was not there; NULL when memory is out. */
struct client *roster_client_add(struct roster *roster, struct bytes uid);
/** Out of its room, out of the table, freed. Its push connection is the caller's. */
void roster_client_remove(struct roster *roster, struct client *client);

struct roster_room {
    struct bytes id, epoch, name, manager;
    struct bytes kind; /* users or operators */
    uint64_t next;     /* with which entry it begins if it was not here */
};
/** Put a client into a room (out of an earlier one), from entry `first` on. False: memory is out.
 */
bool roster_enter(struct roster *roster, struct client *client, const struct roster_room *of,
                  uint64_t first);
/** Who manages it, as of the entry that is delivered next; empty: nobody, or memory is out. */
void roster_set_manager(struct room *room, struct bytes name);
/** What an entry says of the room itself, when it is delivered: who manages it from there on. */
void roster_on_entry(struct room *room, const struct entry *entry);
/** Let it go on with entry `next` of its room. */
void roster_resume(struct client *client, uint64_t next);
/** False: memory is out, the old name stays. */
bool roster_client_name(struct client *client, struct bytes name);
/** The next entry of its room for a client that is in one. */
uint64_t roster_next(const struct client *client);
/** It is given nothing more of what it has asked for. */
void roster_drop_list(struct client *client, enum listing_kind list);
/** Take it out of its room, if any; an empty room is freed. */
void roster_leave(struct roster *roster, struct client *client);
/** Between these two the room is not freed, though it may be empty. */
void roster_hold(struct room *room);
void roster_let_go(struct roster *roster, struct room *room);

size_t roster_client_count(const struct roster *roster);
size_t roster_room_count(const struct roster *roster);

#endif
