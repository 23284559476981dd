/* SPDX-License-Identifier: MIT */
/* core_state: what the modules of talk/ share, and what they call of each other. Not for others. */
#ifndef CORE_TALK_STATE_H
#define CORE_TALK_STATE_H

#include "core.h"
#include "cost.h"
#include "guesses.h"
#include "roster.h"
#include "script_args.h"
#include "strangers.h"

/* A node without a beat for so long is taken for dead. */
#define CORE_DEAD_MS 3000

/* Nodes whose sessions are to be walked through, one after the other. */
#define HOMES_WALKS_MAX 16
struct homes_walks {
    char nodes[HOMES_WALKS_MAX][ROSTER_NODE_MAX];
    size_t count;
    char cursor[24]; /* of the first */
    bool under_way;
};

struct core {
    struct core_options options;
    struct roster roster;
    struct rate_table registers; /* by address: REGISTER */
    struct rate_table requests;  /* by address: every datagram */
    struct rate_table visitors;  /* by user id: messages of sessions whose home is elsewhere */
    struct rate_table unsaid;    /* by user id: being told that a message was refused */
    struct strangers strangers;
    struct rate_table payers;    /* what requests cost, by key (cost.h): of those not known here */
    struct rate_table addresses; /* the same by address (cost.c) */
    uint64_t payers_seed;
    struct cost_queue *cost_queues;
    struct guesses guesses;
    struct history *history_reads; /* reads of the log under way that others may share */
    size_t in_flight;
    size_t line_count;  /* clients with a line */
    bool draining;      /* no new sessions; those here go to other nodes */
    bool stopped;       /* nothing new to push clients */
    size_t other_count; /* nodes that serve, without this one */
    bool store_connected;
    bool was_listed;    /* as a living node, by an earlier beat */
    bool is_store_full; /* as of the last beat, as is the next */
    bool is_store_evicting;
    enum err refused; /* by Redis, the last time; ERR_NONE: never */
    int64_t refused_ms;
    int64_t beat_ms; /* when Redis last took our beat; 0: never */
    int64_t beat_sent_ms, beat_took_ms;
    int64_t echo_ms;     /* when our batch to ourselves last came back over the bus; 0: never */
    int64_t id_taken_ms; /* since when the beat is refused because of our id; 0: it is not */
    bool beating, sweeping, touching, checking, seeing; /* a call of that kind is under way */
    bool touch_was_full, check_was_full, seen_was_full; /* the last batch had no place for more */
    bool missed; /* something may have been missed: compare everything with Redis */
    struct homes_walks walks;
    struct undecided *undecided; /* requests that may have been done though they were refused */
    size_t undecided_count;
    uint64_t inbox_seen, inbox_top; /* read up to, and known to reach up to */
    bool inbox_reading;
    struct lines_ended *ended_lines; /* Redis has not been told yet */
    int64_t next_beat_ms, next_sweep_ms, next_touch_ms, next_check_ms;
    int64_t resume_ms;          /* when to compare everything with Redis once more; 0: no need */
    int64_t gaps_ms;            /* when deliver_gaps has something to do; 0: there is no gap */
    struct rivals_wait *rivals; /* REGISTERs that wait for a word about another session */
    size_t rival_count, probe_count; /* ... and sessions here about which one is waited for */
    bool giving_up;                  /* sessions with dead ports */
    int64_t next_ports_ms;           /* when to look for them */
    int64_t ports_doubted_ms;        /* when most push connections failed last; 0: never */
    int64_t lists_due_ms;            /* when the next list is to be read; 0: none is */
    bool lists_reading;
    int64_t list_due_ms[LIST_COUNT];  /* when it is to be read; 0: it need not */
    int64_t list_free_ms[LIST_COUNT]; /* it is not read before: reading and telling has its price */
    struct listing *lists[LIST_COUNT]; /* of the realm, as last read; NULL: never */
    int64_t lists_told[LIST_COUNT];    /* the version that everybody here has been told; 0: none */
    struct lists_scan *scans;          /* long lists that are being read */
    bool is_telling;                   /* clients are told of long lists in turn; the last one: */
    uint8_t told_last[HGTP_USER_ID_BYTES];
    char lists_had[LIST_COUNT * 21]; /* versions, as scripts are told them */
};

/* core.c */
int64_t core_now_ms(const struct core *core);
/** Start the arguments with what every script gets. */
void core_args_init(struct core *core, struct script_args *args, struct bytes uid);
/** The arguments with all that they view; freed by the caller. NULL: memory is out. */
struct script_args *core_args_keep(const struct script_args *args);
void core_call(struct core *core, enum script script, const struct script_args *args,
               store_on_result_fn *on_result, void *arg);
/** So much is waiting for the store that more would only wait for its deadline. */
bool core_is_busy(const struct core *core);
/** Takes one of what `ip`, a client's, may do in this second by `table`. Behind a proxy are many,
 * who have no rate by its address. */
bool core_address_in_time(struct core *core, struct rate_table *table, uint32_t ip, int64_t per_s);
/** Every result callback calls this first. */
void core_call_over(struct core *core);

/* effects.c */
typedef void effects_on_reply_fn(const struct result *result, void *arg);
/** Carry out all effects in order; `on_reply` (NULL: nobody waits) where the reply has its place.
 */
void effects_apply(struct core *core, const struct result *result, effects_on_reply_fn *on_reply,
                   void *arg);
/** The entry of an `entry` effect, one reference; NULL when it is malformed or memory is out. */
struct entry *effects_entry(const struct effect *effect);
bool effect_is(const struct effect *effect, const char *name);
/** A decimal number; `fallback` when it is none. */
int64_t effects_number(struct bytes digits, int64_t fallback);
/** True when the result was kept from an earlier time: then "repeated" is its last effect. */
bool effects_are_repeated(const struct result *result);
/** True when the client that attaches has entries of an earlier epoch: up to which one they still
 * are the room's. It is told with its session. */
bool effects_kept(const struct result *result, uint64_t *ret_kept);
/** "a.b.c.d:port" with a port that can be sent to; else false. */
bool effects_address(struct bytes address, uint32_t *ret_ip, uint16_t *ret_port);
/** Forget a session that ended or moved: its connection, its place in the room. */
void effects_gone(struct core *core, struct client *client, enum ws_close why);

/* lines.c */
/** Tell Redis of lines that have ended what it could not be told before. */
void lines_tick(struct core *core);
void lines_fini(struct core *core);

/* homes.c */
/** Walk through that node's sessions: our own are shown again, those of a dead one shared out. */
void homes_walk(struct core *core, struct bytes node);
/** Find out what this node should have of a session. */
void homes_look(struct core *core, struct bytes uid);
/** A move of a session, as its effects have it. */
struct homes_move {
    struct bytes uid, node; /* from where, or where to; empty: elsewhere */
    int64_t number;         /* 0: not known */
};
/** Its home is `move->node` now: finish with it and say where it ended. `line`: the one it had
 * here, or empty. */
void homes_release(struct core *core, const struct homes_move *move, struct bytes line);
/** Before a beat is noted: if the last one is too old, every client stays closed until Redis has
 * said that it is still at home here. */
void homes_doubt_if_given_up(struct core *core);
/** Every client stays closed until then. */
void homes_doubt(struct core *core);
/** It does not leave any more. */
void homes_keep(struct client *client);
/** The node that had it has finished; `next` is its next entry. */
void homes_released(struct core *core, const struct homes_move *move, struct bytes epoch,
                    uint64_t next);
/** A client that is here already comes here. True: nobody has been told where it ended here, so no
 * node that it was at since then has sent it anything; it goes on as it is. One that waits for an
 * earlier word goes on waiting, if there is somebody to give one (`is_held`). */
bool homes_has_stayed(struct core *core, struct client *client, bool is_held);
/** The session has come here from another node, which is to release it if `is_held`. */
void homes_arrived(struct core *core, struct client *client, const struct homes_move *move,
                   bool is_held);
/** True while the client gets nothing new: it leaves, has not quite arrived, or the node is
 * about to end. */
bool homes_is_closed(const struct core *core, const struct client *client);
/** Do what is due for clients that come and go, and report what clients have confirmed. */
void homes_tick(struct core *core, int64_t now_ms);
/** Report at once what all clients have confirmed, without regard to how long ago it was. */
void homes_report_all(struct core *core);

/* undecided.c */
#define UNDECIDED_PRINT_BYTES 32
/** A request of this session, told from others by `print` (that many bytes), was refused because
 * Redis did not answer. */
void undecided_note(struct core *core, struct bytes uid, struct bytes print);
/** The same request has been repeated, and its client told that it was done. */
void undecided_forget(struct core *core, struct bytes uid, struct bytes print);
/** Ask again what Redis has not answered. */
void undecided_tick(struct core *core, int64_t now_ms);
void undecided_free(struct core *core);

/* inbox.c */
/** It has reached that number. */
void inbox_reached(struct core *core, uint64_t number);
/** Its last number, as Redis has it. */
void inbox_is_at(struct core *core, uint64_t top);
/** Redis has another state than before. */
void inbox_begin_anew(struct core *core);

/* deliver.c */
/** Send the client's number of an entry along, so that its confirmation tells which it was. */
#define DELIVER_MARK_BITS 48
/** Offer an entry to its room's feed, deliver what is in turn, have gaps repaired. */
void deliver_entry(struct core *core, struct room *room, struct entry *entry);
/** The room's log goes on under another epoch, behind entry `kept`: what was delivered beyond it is
 * lost, and those who have it are told so. */
void deliver_epoch(struct core *core, struct room *room, struct bytes epoch, uint64_t kept);
/** Repair the gaps that have stayed for long enough. */
void deliver_gaps(struct core *core, int64_t now_ms);
/** Repair a gap of the room's feed, if there is one and nobody is at it. */
void deliver_repair(struct core *core, struct room *room);
/** A list as it is now, of that version, to all it concerns (`is_told`), and kept for those who
 * ask. `room` only for LIST_MEMBERS: who is in it with its entry `at`, to whom it goes when that
 * entry's turn has come. An earlier version than the one that is here is dropped. */
struct deliver_list {
    enum listing_kind list;
    struct room *room;
    int64_t version;
    uint64_t at;
    bool is_told;
};
void deliver_list(struct core *core, const struct deliver_list *as, const struct bytes *names,
                  size_t count);
/** Entries up to `seq` have had their turn, or have it now. */
void deliver_list_ahead(struct core *core, struct room *room, uint64_t seq);
/** Give one client a list that is at least of that version, as soon as it is here; `is_paged`: all
 * of it, page by page as the client takes them. */
void deliver_give(struct core *core, struct client *client, enum listing_kind list, int64_t version,
                  bool is_paged);
/** All lists that concern the client, as they are now. */
void deliver_give_all(struct core *core, struct client *client);
/** Tell a few more clients of changes in long lists; true when there may be more of them. */
bool deliver_lists_in_turn(struct core *core);
/** True when there is something for deliver_lists_owed to do. */
bool deliver_owes_lists(const struct client *client);
/** Send a client the lists and pages that its connection had no place for. */
void deliver_lists_owed(struct core *core, struct client *client);
/** Send a client what it missed while its connection was full. */
void deliver_catch_up(struct core *core, struct client *client);

/* lists_read.c */
/** A list has changed: it is read when the pause is over in which changes are collected. Of
 * LIST_MEMBERS that of `room`. */
void lists_dirty(struct core *core, enum listing_kind list, struct room *room);
/** The same, when nothing in it has changed but who is away. */
void lists_presence_dirty(struct core *core, enum listing_kind list, struct room *room);
/** A client waits for it. */
void lists_wanted(struct core *core, enum listing_kind list, struct room *room);
/** So many names have been told: it rests for a time in proportion. */
void lists_told(struct core *core, enum listing_kind list, struct room *room, size_t name_count);
/** Effect: it is too long for one call. */
void lists_on_long(struct core *core, const struct effect *effect);
/** Read what is due; in how many ms the next one is, at most `wait_ms`. */
int64_t lists_tick(struct core *core, int64_t now_ms, int64_t wait_ms);
/** Tell a script which lists are here, that of the client's room included. */
void lists_args(struct core *core, struct script_args *args, struct bytes uid);

/* datagrams.c */
/** A request of the server to a client (INVITE, REMOVE). */
void datagrams_relay(struct core *core, const struct effect *effect);
/** The late answer to a client's INVITE or REMOVE. */
void datagrams_answer(struct core *core, const struct effect *effect);

/* originals.c */
/** Where its datagrams go, "ip:port"; empty: it is no client of the original's kind. */
void originals_reach(struct client *client, struct bytes address);
/** It has heard that it is in no room. */
void originals_is_out(struct core *core, struct bytes uid);
/** Its session is no more, a script has said so: if its client believes to be in a room, it is told
 * that it is not. */
void originals_tell_out(struct core *core, const struct client *client);
struct request;
/** A script has answered its request. */
void originals_heard(struct core *core, const struct request *request, enum err err);
void originals_tick(struct core *core, int64_t now_ms);

/* rivals.c */
/** Effects: whether a session's push connection works is asked, and told. */
void rivals_on_probe(struct core *core, const struct effect *effect);
void rivals_on_probed(struct core *core, const struct effect *effect);
/** Find out whether the session of `uid`, at home at `node`, still has its client;
 * request_rival_seen follows. */
void rivals_ask(struct core *core, struct request *request, struct bytes uid, struct bytes node);
/** The client has answered a push; or goes. */
void rivals_on_confirmed(struct core *core, struct client *client);
void rivals_on_gone(struct core *core, struct client *client);
void rivals_tick(struct core *core, int64_t now_ms);
/** Nobody waits any more. */
void rivals_fini(struct core *core);

/* say.c */
/** A token begins with the user id; false: this is none. */
bool say_token_uid(struct bytes token, uint8_t ret_uid[HGTP_USER_ID_BYTES]);

/* upkeep.c */
/** What a beat tells has changed. */
void upkeep_beat_soon(struct core *core);
/** This node is going: it is taken off the list of nodes. */
void upkeep_leave(struct core *core);
/** Answers of Redis are missing: be shown this node's sessions again, compare everything. */
void upkeep_resume(struct core *core);
/** Something may have been missed: compare rooms, sessions and lists with Redis. */
void upkeep_missed(struct core *core);
/** Compare this room at once. */
void upkeep_compare(struct core *core, struct room *room);
/** Compare the rooms that are due at once. */
void upkeep_check_soon(struct core *core);

#endif
