/* SPDX-License-Identifier: MIT */
/*
 * sim_main: runs worlds, one seed after the other: a while of activity and faults, a while of quiet
 * and the checker's questions, then everybody leaves. What fails is run once more to tell its
 * story.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/base/log.h"
#include "sim_check.h"
#include "sim_faults.h"
#include "sim_node.h"
#include "sim_redis.h"

#define MAIN_QUIET_US (25 * SIM_S)
#define MAIN_LEAVE_US (40 * SIM_S)
#define MAIN_END_US   (8 * SIM_S)
#define MAIN_TEST_S   20

struct main_options {
    uint64_t from, count; /* seeds */
    int64_t seconds;      /* of activity, virtual */
    int nodes, users;
    double wall_s; /* no further seed is begun after so long; 0: all are */
    const char *faults;
    bool goes_on, checks_twice, traces, is_test;
};

struct main_sum {
    uint64_t seeds, operations, steps, faults, entries, deliveries, acknowledged;
    double virtual_s;
};

static double main_now(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void main_run_for(int64_t us)
{
    int64_t until_us = sim_now_us + us;
    while (!sim_is_wrong() && sim_step(until_us)) {
    }
}

static void main_configure(void)
{
    char history[40], queue[40], error[CONFIG_ERROR_BYTES];
    snprintf(history, sizeof history, "history.length=%d", sim_chance(200) ? 20 : 1000);
    snprintf(queue, sizeof queue, "limits.queue_bytes=%d", sim_chance(300) ? 4096 : 1048576);
    const char *const sets[] = {history,
                                queue,
                                "node.realm=" SIM_REALM,
                                "auth.key=" SIM_KEY,
                                "redis.url=unix:///sim",
                                "hgtp.answer_ms=4000",
                                "http.push_give_up_s=25",
                                "limits.registers_per_s=100000"};
    const struct config_sources sources = {.sets = sets, .set_count = sizeof sets / sizeof sets[0]};
    if (!config_load(&sources, &sim_config, error)) {
        fprintf(stderr, "sim: %s\n", error);
        exit(2);
    }
}

/* After quiet: everybody can leave and sign off. */
static void main_leave(void)
{
    struct sim_user *user = NULL;
    int64_t until_us = sim_now_us + MAIN_LEAVE_US;
    sim_users_go();
    while (!sim_is_wrong() && sim_now_us < until_us && !sim_users_are_gone(&user)) {
        main_run_for(SIM_S / 4);
    }
    if (!sim_is_wrong() && !sim_users_are_gone(&user)) {
        sim_wrong(user, sim_belief(user).room, "cannot leave and sign off");
    }
    main_run_for(MAIN_END_US);
    if (!sim_is_wrong()) {
        sim_check_gone();
    }
}

static void main_heal(void)
{
    sim_faults_stop();
    sim_redis_clock(0);
    for (int i = 0; i < sim_node_count; i++) {
        sim_link_delay(&sim_nodes[i], 0, 0);
        for (int k = 0; k < sim_node_count; k++) {
            sim_bus_cut(i, k, 0, false);
        }
    }
}

/* One world. Returns the trace's hash. */
static uint64_t main_world(const struct main_options *options, uint64_t seed, struct main_sum *sum)
{
    sim_begin(seed);
    main_configure();
    sim_check_begin();
    sim_redis_begin();
    sim_faults_begin();
    sim_nodes_begin(options->nodes);
    sim_users_begin(options->users);
    main_run_for(options->seconds * SIM_S);
    main_heal();
    main_run_for(10 * SIM_S);
    sim_users_rest();
    main_run_for(MAIN_QUIET_US);
    if (!sim_is_wrong()) {
        sim_check_quiet();
    }
    if (!sim_is_wrong()) {
        main_leave();
    }
    const struct sim_check_figures figures = sim_check_figures();
    uint64_t hash = sim_trace_hash();
    sum->seeds++;
    sum->operations += sim_operations();
    sum->steps += sim_steps();
    sum->faults += sim_faults_happened();
    sum->entries += figures.entries;
    sum->deliveries += figures.deliveries;
    sum->acknowledged += figures.acknowledged;
    sum->virtual_s += (double)sim_now_us / SIM_S;
    sim_users_end();
    sim_nodes_end();
    sim_end();
    sim_check_end();
    config_fini(&sim_config);
    return hash;
}

static void main_usage(void)
{
    printf(
        "usage: sim_run [--seed N | --from N] [--seeds COUNT] [--seconds S] [--nodes N] [--users "
        "N]\n"
        "               [--faults LIST] [--wall S] [--twice] [--keep-going] [--trace] [--test]\n\n"
        "  --seed N      one world, that of seed N\n"
        "  --from N      the first seed; without it, and without --seed, fresh ones\n"
        "  --seeds N     how many worlds (1)\n"
        "  --seconds S   virtual time of activity in each (60); quiet and leaving come on top\n"
        "  --nodes N     (3)   --users N (10)\n"
        "  --faults LIST names with commas, all, none or default\n"
        "  --wall S      begin no further world after S seconds\n"
        "  --twice       run each twice and compare\n"
        "  --keep-going  also after a world that fails; only its first line is told\n"
        "  --trace       tell everything, on stderr\n"
        "  --test        the seeds that are kept, then fresh ones for SIM_SECONDS (20)\n\n"
        "faults:\n");
    sim_faults_print();
}

static bool main_number(int argc, char **argv, int *at, const char *name, int64_t *ret_value)
{
    if (strcmp(argv[*at], name) != 0 || *at + 1 >= argc) {
        return false;
    }
    *ret_value = strtoll(argv[++*at], NULL, 10);
    return true;
}

static bool main_parse(int argc, char **argv, struct main_options *options)
{
    for (int i = 1; i < argc; i++) {
        int64_t value = 0;
        if (main_number(argc, argv, &i, "--seed", &value)) {
            options->from = (uint64_t)value;
            options->count = 1;
        } else if (main_number(argc, argv, &i, "--from", &value)) {
            options->from = (uint64_t)value;
        } else if (main_number(argc, argv, &i, "--seeds", &value)) {
            options->count = (uint64_t)value;
        } else if (main_number(argc, argv, &i, "--seconds", &options->seconds)) {
            continue;
        } else if (main_number(argc, argv, &i, "--nodes", &value)) {
            options->nodes = (int)value;
        } else if (main_number(argc, argv, &i, "--users", &value)) {
            options->users = (int)value;
        } else if (main_number(argc, argv, &i, "--wall", &value)) {
            options->wall_s = (double)value;
        } else if (strcmp(argv[i], "--faults") == 0 && i + 1 < argc) {
            options->faults = argv[++i];
        } else if (strcmp(argv[i], "--twice") == 0) {
            options->checks_twice = true;
        } else if (strcmp(argv[i], "--keep-going") == 0) {
            options->goes_on = true;
        } else if (strcmp(argv[i], "--trace") == 0) {
            options->traces = true;
        } else if (strcmp(argv[i], "--test") == 0) {
            options->is_test = true;
        } else {
            return false;
        }
    }
    return options->nodes >= 1 && options->nodes <= SIM_NODES_MAX && options->users >= 1 &&
           options->users <= SIM_USERS_MAX && options->seconds >= 1 &&
           sim_faults_allow(options->faults);
}

/* True when nothing was wrong. */
static bool main_seed(const struct main_options *options, uint64_t seed, struct main_sum *sum)
{
    sim_telling = sim_telling_all = options->traces;
    uint64_t hash = main_world(options, seed, sum);
    /* Something of Redis' own time still shows on a busy machine, now and then: once more, then. */
    if (!sim_is_wrong() && options->checks_twice && hash != main_world(options, seed, sum) &&
        !sim_is_wrong() && hash != main_world(options, seed, sum)) {
        printf("seed %llu: two runs differ\n", (unsigned long long)seed);
        return false;
    }
    if (!sim_is_wrong()) {
        return true;
    }
    printf("seed %llu fails: %s\n", (unsigned long long)seed, sim_wrong_text());
    if (!options->goes_on && !options->traces) {
        printf("  sim_run --seed %llu --seconds %lld --nodes %d --users %d --faults %s\n",
               (unsigned long long)seed, (long long)options->seconds, options->nodes,
               options->users, options->faults);
        struct main_sum again = {0};
        sim_telling = true;
        (void)main_world(options, seed, &again);
    }
    fflush(stdout);
    return false;
}

/* Seeds one after the other, as far as the time goes. Returns how many failed. */
static uint64_t main_seeds(const struct main_options *options, struct main_sum *sum)
{
    double start_s = main_now(CLOCK_MONOTONIC);
    uint64_t failed_count = 0;
    for (uint64_t i = 0; i < options->count; i++) {
        bool is_over = options->wall_s > 0 && main_now(CLOCK_MONOTONIC) - start_s > options->wall_s;
        if (is_over || (failed_count > 0 && !options->goes_on)) {
            break;
        }
        failed_count += main_seed(options, options->from + i, sum) ? 0 : 1;
    }
    return failed_count;
}

/* Those that once failed, or show that a seed is a run; then fresh ones. */
static uint64_t main_test(const struct main_options *options, struct main_sum *sum)
{
    static const uint64_t kept[] = {1, 2, 3};
    const char *seconds = getenv("SIM_SECONDS");
    struct main_options each = *options;
    uint64_t failed_count = 0;
    each.count = 1;
    each.checks_twice = true;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0] && failed_count == 0; i++) {
        each.from = kept[i];
        failed_count += main_seeds(&each, sum);
    }
    each = *options;
    each.count = UINT64_MAX;
    each.wall_s = seconds != NULL ? strtod(seconds, NULL) : MAIN_TEST_S;
    return failed_count > 0 ? failed_count : main_seeds(&each, sum);
}

int main(int argc, char **argv)
{
    struct main_options options = {
        .count = 1, .seconds = 60, .nodes = 3, .users = 10, .faults = "default"};
    options.from = (uint64_t)time(NULL) * 1000;
    if (!main_parse(argc, argv, &options)) {
        main_usage();
        return 2;
    }
    log_configure(options.traces ? LOG_INFO : LOG_LEVEL_COUNT, LOG_LOGFMT);
    sim_redis_start();
    struct main_sum sum = {0};
    double start_s = main_now(CLOCK_MONOTONIC);
    uint64_t failed_count =
        options.is_test ? main_test(&options, &sum) : main_seeds(&options, &sum);
    double wall_s = main_now(CLOCK_MONOTONIC) - start_s;
    sim_redis_stop();
    printf("%llu worlds from seed %llu, %llu failed; %.0f virtual s, %llu operations, %llu faults, "
           "%llu messages, %llu deliveries, %llu acknowledged; %.1f s, %.1f s of CPU, %.0f virtual "
           "s per s, %.0f operations per s\n",
           (unsigned long long)sum.seeds, (unsigned long long)options.from,
           (unsigned long long)failed_count, sum.virtual_s, (unsigned long long)sum.operations,
           (unsigned long long)sum.faults, (unsigned long long)sum.entries,
           (unsigned long long)sum.deliveries, (unsigned long long)sum.acknowledged, wall_s,
           main_now(CLOCK_PROCESS_CPUTIME_ID), sum.virtual_s / wall_s,
           (double)sum.operations / wall_s);
    return failed_count > 0 ? 1 : 0;
}
