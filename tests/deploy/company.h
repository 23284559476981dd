/* SPDX-License-Identifier: MIT */
/*
 * company: people of both kinds in one room behind the balancer, who talk all the time while
 * something is done to the nodes, and an account of every message in the end.
 */
#ifndef DEPLOY_COMPANY_H
#define DEPLOY_COMPANY_H

#include "stack.h"
#include "tests/support/e2e_talk.h"

#define COMPANY_SAID_MAX 8192

struct company {
    struct e2e *e;
    struct original *olga, *oscar; /* original clients: UDP and pushes */
    struct talker *wanda, *will;   /* WebSocket */
    char names[4][32];             /* of these four */
    int64_t attempts;              /* of olga to say something */
    bool is_acknowledged[COMPANY_SAID_MAX];
    int64_t again_ms[2];     /* when the talkers connect again; 0: they are connected */
    size_t resumes, refused; /* of their connections */
    int64_t unanswered;      /* of olga's messages; counted by company_account */
};

/**
 * Registered through the balancer and in one room.
 *
 * outside_ip  where the original clients live: nodes have to reach it
 * suffix      of all names, so that earlier companies don't matter
 */
void company_open(struct company *company, struct e2e *e, const struct stack *stack,
                  uint32_t outside_ip, const char *suffix);

/** All talk until the process has ended; returns its exit code, or -1 after `timeout_ms`. */
int company_talk_while(struct company *company, struct process *process, int64_t timeout_ms);
/** The same for a while. */
void company_talk_for(struct company *company, int64_t ms);

/** Nothing was lost, nothing came twice to a talker, everybody has the end of it. Returns how many
 * messages came twice to the original clients. */
size_t company_account(struct company *company);

#endif
