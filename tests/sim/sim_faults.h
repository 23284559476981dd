/* SPDX-License-Identifier: MIT */
/* sim_faults: which faults this world has (faults.def), and their happening. */
#ifndef SIM_SIM_FAULTS_H
#define SIM_SIM_FAULTS_H

#include "sim.h"

enum sim_fault {
#define FAULT(name, weight, on, help) FAULT_##name,
#include "faults.def"
    FAULT_COUNT
};

/** Those that worlds may have: names with commas, "all", "none", or "default". False: unknown. */
bool sim_faults_allow(const char *names);
void sim_faults_print(void);

/** Choose this world's faults; the first happens after a while. */
void sim_faults_begin(void);
/** Nothing goes wrong any more, and what is wrong is put right. */
void sim_faults_stop(void);
bool sim_fault_is_on(enum sim_fault fault);
/** This world has it, though it may be over. */
bool sim_fault_was_on(enum sim_fault fault);
uint64_t sim_faults_happened(void);

#endif
