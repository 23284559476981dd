/* SPDX-License-Identifier: MIT */
/* machine: what processes have used of this machine. 0 where that can't be read. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stdint.h>
#include <sys/types.h>

/** User and system time of a process, in microseconds. */
int64_t machine_cpu_us(pid_t pid);
/** Its resident memory. */
int64_t machine_rss_kib(pid_t pid);
/** Ticks of all CPUs since boot: those without work, and all. */
void machine_ticks(int64_t *ret_idle, int64_t *ret_all);

#endif
