/* SPDX-License-Identifier: MIT */
/*
 * stack: deploy/docker-compose.yml in a real engine, for the time of a test: with a project name,
 * ports, secrets and images of its own, all of which are gone when it is closed. While a command
 * runs, clients go on.
 */
#ifndef DEPLOY_STACK_H
#define DEPLOY_STACK_H

#include "tests/support/process.h"

#define STACK_RUN_MS      600000
#define STACK_WORDS_MAX   32
#define STACK_SETTINGS    8
#define STACK_SETTING_MAX 160

struct stack {
    char project[32];
    char image[64], redis_image[64]; /* as they are called in settings */
    char key[128];                   /* of all clients: what deploy/secrets.sh has made */
    char *folder, *secrets;
    bool has_plugin; /* `docker compose`, else `docker-compose` */
    uint16_t hgtp_port, http_port;
    /** Variables for Compose beside its own, "NAME=value"; set by tests. */
    char settings[STACK_SETTINGS][STACK_SETTING_MAX];
    size_t setting_count;
    struct process *last; /* the last command that was run to its end */
};

/** Why there can be none here; NULL: there can. The engine is the one that `docker` finds, by
 * DOCKER_HOST or not. */
const char *stack_missing(void);

/** Secrets are made, nothing is built or started yet. Fails the test when something goes wrong. */
struct stack *stack_open(void);
/** Everything of it is taken away; NULL is legal. */
void stack_close(struct stack *stack);

/** Start a command with the project's variables; owned by the caller. */
struct process *stack_start(struct stack *stack, const char *const *words);
/** The words for a Compose command before those of the command itself. */
struct process *stack_start_compose(struct stack *stack, const char *const *words);

/** Run one to its end, which must be good; its output, until the next one is run. */
#define STACK_RUN(stack, ...) stack_run((stack), (const char *const[]){__VA_ARGS__, NULL})
#define STACK_COMPOSE(stack, ...)                                                                  \
    stack_run_compose((stack), (const char *const[]){__VA_ARGS__, NULL})
const char *stack_run(struct stack *stack, const char *const *words);
const char *stack_run_compose(struct stack *stack, const char *const *words);

/** Containers of a service: short ids, one to a line. */
const char *stack_containers(struct stack *stack, const char *service);
size_t stack_count(const char *lines);
/** Copies line `at` of some output. */
void stack_line(const char *lines, size_t at, char *ret_line, size_t cap);

/** Address of the host on the clients' side network: from there nodes reach clients. */
uint32_t stack_outside_ip(struct stack *stack);

#endif
