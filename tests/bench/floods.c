/* SPDX-License-Identifier: MIT */
/*
 * floods: for each kind a Redis and a node of their own, two people who talk, and a process that
 * sends as much of one thing as it can, or so many in a second. What the pair says, and how long
 * it takes to come, is measured here; what is sent is in floods_sender.c.
 */
#include "floods.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "floods_sender.h"
#include "machine.h"
#include "tests/support/redis_server.h"
#include "tests/support/tool.h"

#define FLOODS_ROOMS      1000
#define FLOODS_ROOMS_CALL 100
#define FLOODS_PAUSE_MS   20   /* between two messages of the pair */
#define FLOODS_WAIT_MS    2000 /* later is too late */
#define FLOODS_SAMPLES    4096

static const char *const floods_sets[] = {"auth.key=" TALKER_KEY, "node.id=n0"};

struct floods_world {
    struct redis_server *redis;
    struct daemon *daemon;
    struct talker *alice, *bob;
};

/* What the pair has noticed. */
struct floods_pair {
    size_t said, missed; /* those that did not come within FLOODS_WAIT_MS, or were refused */
    int64_t took_us[FLOODS_SAMPLES];
};

static bool floods_open_rooms(const struct daemon *daemon)
{
    char url[TOOL_URL_BYTES], names[FLOODS_ROOMS_CALL][24];
    const char *args[FLOODS_ROOMS_CALL + 3] = {"room", "create"};
    tool_url(daemon, url);
    for (int from = 0; from < FLOODS_ROOMS; from += FLOODS_ROOMS_CALL) {
        for (int i = 0; i < FLOODS_ROOMS_CALL; i++) {
            snprintf(names[i], sizeof names[i], "a room, number %04d", from + i);
            args[2 + i] = names[i];
        }
        tool_run(url, args);
        if (tool.code != 0) {
            fprintf(stderr, "hgtpctl room create: %s\n", tool.err);
            return false;
        }
    }
    return true;
}

static struct talker *floods_talker(const struct daemon *daemon, const char *name)
{
    struct talker *talker =
        talker_open(&(struct talker_options){.name = name, .port = daemon->http_port});
    if (!talker_register(talker)) {
        fprintf(stderr, "%s does not get in\n", name);
        talker_free(talker);
        return NULL;
    }
    return talker;
}

static bool floods_world_open(struct floods_world *world)
{
    *world = (struct floods_world){.redis = redis_server_new()};
    if (!redis_server_start(world->redis)) {
        fprintf(stderr, "redis-server does not start\n");
        return false;
    }
    char url[160];
    snprintf(url, sizeof url, "redis.url=%s", world->redis->url);
    const char *sets[] = {url, floods_sets[0], floods_sets[1], "lists.coalesce_ms=100", NULL};
    world->daemon = daemon_start(sets);
    if (!daemon_wait_ready(world->daemon)) {
        daemon_print_log(world->daemon);
        return false;
    }
    if (!floods_open_rooms(world->daemon)) {
        return false;
    }
    world->alice = floods_talker(world->daemon, "alice");
    world->bob = floods_talker(world->daemon, "bob");
    return world->alice != NULL && world->bob != NULL &&
           talker_create(world->alice, "den").has_come && talker_join(world->bob, "den").has_come;
}

static void floods_world_close(struct floods_world *world)
{
    talker_free(world->alice);
    talker_free(world->bob);
    daemon_free(world->daemon);
    redis_server_free(world->redis);
}

/* The pair ------------------------------------------------------------------------------------- */

static bool floods_say(const struct floods_world *world, int64_t number, int64_t *ret_us)
{
    char text[32], id[32];
    snprintf(text, sizeof text, "text %d", (int)number);
    snprintf(id, sizeof id, "%d", (int)number);
    int64_t from_ns = pump_now_unix_ns();
    talker_say(world->alice, text, id);
    const char *const pairs[] = {"message", text, NULL};
    bool has_come = talker_wait(world->bob, "message", pairs) != NULL;
    *ret_us = (pump_now_unix_ns() - from_ns) / 1000;
    return has_come && *ret_us <= FLOODS_WAIT_MS * 1000;
}

static void floods_talk(const struct floods_world *world, int64_t duration_ms,
                        struct floods_pair *pair)
{
    int64_t until_ms = pump_now_ms() + duration_ms;
    while (pump_now_ms() < until_ms && pair->said < FLOODS_SAMPLES) {
        bool has_come = floods_say(world, (int64_t)pair->said, &pair->took_us[pair->said]);
        pair->missed += has_come ? 0 : 1;
        pair->said++;
        pump_pause(FLOODS_PAUSE_MS);
    }
}

static int floods_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* One flood ------------------------------------------------------------------------------------ */

static double floods_quiet_p50_us; /* of the first row */

struct floods_usage {
    int64_t redis_us, node_us;
};

static struct floods_usage floods_usage(const struct floods_world *world)
{
    return (struct floods_usage){machine_cpu_us(process_pid(world->redis->process)),
                                 machine_cpu_us(process_pid(world->daemon->process))};
}

static void floods_print(const struct flood *flood, const struct floods_shared *shared,
                         struct floods_pair *pair, const struct floods_usage *used,
                         int64_t duration_ms)
{
    double seconds = (double)duration_ms / 1000;
    qsort(pair->took_us, pair->said, sizeof pair->took_us[0], floods_compare);
    double p50_us = pair->said > 0 ? (double)pair->took_us[pair->said / 2] : 0;
    double p99_us = pair->said > 0 ? (double)pair->took_us[pair->said * 99 / 100] : 0;
    floods_quiet_p50_us = floods_quiet_p50_us == 0 ? p50_us : floods_quiet_p50_us;
    printf("%-13s | %8.0f %8.0f %8.0f | %5zu %6zu | %8.2f %8.2f %6.1f | %5.0f %5.0f | %s\n",
           flood->name, (double)shared->sent / seconds, (double)shared->done / seconds,
           (double)shared->refused / seconds, pair->said, pair->missed, p50_us / 1000,
           p99_us / 1000, floods_quiet_p50_us > 0 ? p50_us / floods_quiet_p50_us : 0,
           (double)used->redis_us / 10 / (double)duration_ms,
           (double)used->node_us / 10 / (double)duration_ms, flood->help);
    fflush(stdout);
}

static bool floods_wait_flowing(const struct floods_shared *shared, pid_t pid)
{
    int64_t until_ms = pump_deadline_ms(30000);
    while (!shared->is_flowing) {
        if (pump_now_ms() > until_ms || waitpid(pid, NULL, WNOHANG) == pid) {
            fprintf(stderr, "the flood does not begin\n");
            return false;
        }
        pump_pause(10);
    }
    return true;
}

static bool floods_measure_one(const struct flood *flood, int64_t duration_ms)
{
    static struct floods_pair pair;
    struct floods_world world = {0};
    struct floods_shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pair = (struct floods_pair){0};
    bool is_good = shared != MAP_FAILED && floods_world_open(&world);
    pid_t pid = 0;
    if (is_good && flood->ask != NULL) {
        pid = fork();
        if (pid == 0) {
            _exit(floods_send(flood, world.daemon->http_port, shared) ? 0 : 1);
        }
        is_good = floods_wait_flowing(shared, pid);
    }
    if (is_good) {
        struct floods_usage before = floods_usage(&world);
        struct floods_shared had = *shared;
        int64_t from_ms = pump_now_ms();
        floods_talk(&world, duration_ms, &pair);
        int64_t took_ms = pump_now_ms() - from_ms;
        struct floods_usage after = floods_usage(&world);
        const struct floods_usage used = {after.redis_us - before.redis_us,
                                          after.node_us - before.node_us};
        const struct floods_shared now = {.sent = shared->sent - had.sent,
                                          .done = shared->done - had.done,
                                          .refused = shared->refused - had.refused};
        floods_print(flood, &now, &pair, &used, took_ms);
    }
    if (pid > 0) {
        kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
    }
    floods_world_close(&world);
    munmap(shared, sizeof *shared);
    return is_good;
}

bool floods_has(const char *name)
{
    for (size_t i = 0; floods_table[i].name != NULL; i++) {
        if (strcmp(name, floods_table[i].name) == 0) {
            return true;
        }
    }
    return false;
}

bool floods_measure(const char *only, int64_t duration_ms)
{
    bool is_good = true;
    pump_be_prompt();
    printf("%-13s | %8s %8s %8s | %5s %6s | %8s %8s %6s | %5s %5s |\n", "flood", "sent/s", "done/s",
           "refused", "said", "missed", "p50", "p99", "ratio", "Redis", "node");
    printf("%-13s | %26s | %12s | %24s | %11s |\n", "", "of the flood", "of the pair",
           "ms from saying to reading", "% of a CPU");
    for (size_t i = 0; floods_table[i].name != NULL; i++) {
        bool is_wanted =
            only == NULL || strcmp(only, floods_table[i].name) == 0 || floods_table[i].ask == NULL;
        is_good = is_good && (!is_wanted || floods_measure_one(&floods_table[i], duration_ms));
    }
    return is_good;
}
