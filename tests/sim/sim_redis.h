/* SPDX-License-Identifier: MIT */
/*
 * sim_redis: the one real redis-server behind all simulated nodes and seeds, its clock replaced by
 * the simulator's: each script gets the time as an argument (embed.cmake puts it where the scripts
 * ask for it). It can be stalled, can lose its last writes, and its clock can leap.
 */
#ifndef SIM_SIM_REDIS_H
#define SIM_SIM_REDIS_H

#include <hiredis/hiredis.h>

#include "proto/bytes.h"
#include "sim.h"

/** For the program's life. */
void sim_redis_start(void);
void sim_redis_stop(void);
/** Empty, at the start of a world. */
void sim_redis_begin(void);

/** Run a command now, at its place among all others. The reply has to be taken. */
uint64_t sim_redis_send(const struct bytes *argv, size_t argc);
/** Owned by the caller. */
redisReply *sim_redis_take(uint64_t ticket);
/** For the checker: all that was sent before is done. Owned by the caller. */
redisReply *sim_redis_ask(const char *format, ...);
/** A script of script.def, for the checker; name, value, ... NULL. */
redisReply *sim_redis_script(int script, ...);

/** Nothing is run before that time. */
void sim_redis_stall(int64_t until_us);
int64_t sim_redis_stalled_until(void);
/** Its clock is ahead of virtual time by so much, from now on. */
void sim_redis_clock(int64_t ahead_us);
/** Remember what is there ... */
void sim_redis_keep(void);
/** ... and be that again: another run, which has lost what came after it. */
void sim_redis_go_back(void);
/** Another run with everything still there. */
void sim_redis_restart(void);

/* sim_link.c: the connections of the nodes, behind node/store/redis_link.h */
/** Every connection breaks; nodes connect again by themselves. */
void sim_link_break_all(void);
/** A node's connection breaks: what is on its way may arrive up to some point, replies are lost. */
void sim_link_break(struct sim_node *node);
/** Nothing arrives before that time, there (to Redis) and back. */
void sim_link_delay(struct sim_node *node, int64_t there_until_us, int64_t back_until_us);

#endif
