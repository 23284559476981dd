/* SPDX-License-Identifier: MIT */
/*
 * sim: the simulated world's own matters: virtual time and its events, the one random generator,
 * the story of a run. A program has one world at a time.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_MS ((int64_t)1000)
#define SIM_S  ((int64_t)1000000)

struct sim_node;
struct sim_user;

/** Virtual time since the world began. */
extern int64_t sim_now_us;

/** A fresh world; everything that follows is decided by `seed`. */
void sim_begin(uint64_t seed);
/** Events that are left are run as over, then all is freed. */
void sim_end(void);

/* Chance ------------------------------------------------------------------------------------------
 */
uint64_t sim_random(void);
/** 0 .. count - 1 */
uint32_t sim_below(uint32_t count);
int64_t sim_between(int64_t least, int64_t most);
/** True `permille` times out of 1000. */
bool sim_chance(uint32_t permille);

/* Events ------------------------------------------------------------------------------------------
 */
/** `is_over`: the node that it was for is no more; what `arg` holds is freed, nothing else done. */
typedef void sim_event_fn(void *arg, bool is_over);
enum sim_event_kind { SIM_IO, SIM_TIMER }; /* a node that was paused serves its timers first */

void sim_in(int64_t in_us, sim_event_fn *fn, void *arg);
/** An event inside the present life of a node. */
void sim_node_in(struct sim_node *node, int64_t in_us, enum sim_event_kind kind, sim_event_fn *fn,
                 void *arg);
/** What a paused node has kept waiting comes now. */
void sim_node_goes_on(struct sim_node *node);
/** Run the next event if it is due before `until_us`; false: none is, and it is that time now. */
bool sim_step(int64_t until_us);
uint64_t sim_steps(void);
/** The node whose event is being run; NULL: none's. */
struct sim_node *sim_node_now(void);

/* The trace: a hash over all that happens, equal for equal seeds ---------------------------------
 */
void sim_trace(uint64_t value);
void sim_trace_bytes(const void *bytes, size_t len);
uint64_t sim_trace_hash(void);

/* The story: what happened, for people. Costs nothing while nobody listens. -----------------------
 */
extern bool sim_telling;
/** Also as it happens, on stderr. */
extern bool sim_telling_all;
/** `user` NULL: of none. `room`: its name, or NULL. */
void sim_tell_line(const struct sim_user *user, const char *room, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define SIM_TELL(...)                                                                              \
    do {                                                                                           \
        if (sim_telling) {                                                                         \
            sim_tell_line(__VA_ARGS__);                                                            \
        }                                                                                          \
    } while (0)
/** The last lines about a user, a room, and about the world. */
void sim_story_print(const struct sim_user *user, const char *room);

#endif
