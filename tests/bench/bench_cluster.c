/* SPDX-License-Identifier: MIT */
/*
 * bench_cluster: how operations per second and the cost of one grow with nodes, sessions and rooms.
 * Each row has a Redis and nodes of its own. It prints figures and ratios and judges nothing.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "load.h"
#include "tests/support/daemon.h"
#include "tests/support/http_client.h"
#include "tests/support/redis_server.h"

static const char help[] =
    "usage: bench_cluster [--seconds N] [--only nodes|sessions|rooms|moves] [--smoke]\n"
    "\n"
    "Starts a Redis and nodes on loopback for each row and prints what they do and what it costs.\n"
    "  --seconds N  how long each row is measured (3)\n"
    "  --only SET   only the rows of one set\n"
    "  --smoke      one small row, to see that all of it works\n";

static const struct row {
    const char *set;
    enum load_kind kind;
    size_t nodes, sessions, rooms;
} rows[] = {
    {"nodes", LOAD_SAY, 1, 1000, 100},    {"nodes", LOAD_SAY, 2, 1000, 100},
    {"nodes", LOAD_SAY, 3, 1000, 100},    {"sessions", LOAD_SAY, 3, 100, 10},
    {"sessions", LOAD_SAY, 3, 1000, 100}, {"sessions", LOAD_SAY, 3, 10000, 1000},
    {"rooms", LOAD_SAY, 3, 1000, 10},     {"rooms", LOAD_SAY, 3, 1000, 100},
    {"rooms", LOAD_SAY, 3, 1000, 1000},   {"moves", LOAD_MOVE, 1, 1000, 100},
    {"moves", LOAD_MOVE, 3, 1000, 100},
};

struct world {
    struct redis_server *redis;
    struct daemon *daemons[LOAD_NODES_MAX];
    size_t node_count;
};

/* User and system time of a process, in microseconds. */
static int64_t cpu_us(pid_t pid)
{
    char path[64], text[1024] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return 0;
    }
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    const char *after = strrchr(text, ')');
    unsigned long user = 0, system = 0;
    if (after == NULL || sscanf(after, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                                &user, &system) != 2) {
        return 0;
    }
    return (int64_t)(user + system) * 1000000 / sysconf(_SC_CLK_TCK);
}

static int64_t rss_kib(pid_t pid)
{
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fscanf(file, "%*d %ld", &pages) != 1) {
            pages = 0;
        }
        fclose(file);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int64_t nodes_cpu_us(const struct world *world)
{
    int64_t sum = 0;
    for (size_t i = 0; i < world->node_count; i++) {
        sum += cpu_us(process_pid(world->daemons[i]->process));
    }
    return sum;
}

/* Scripts sent to Redis by all nodes. */
static int64_t calls(const struct world *world)
{
    static char text[65536];
    int64_t sum = 0;
    for (size_t i = 0; i < world->node_count; i++) {
        http_client_get(SOCKETS_LOOPBACK, world->daemons[i]->http_port, "/metrics", text,
                        sizeof text);
        const char *at = strstr(text, "\nhgtp_store_calls_total ");
        sum += at != NULL ? atoll(at + strlen("\nhgtp_store_calls_total ")) : 0;
    }
    return sum;
}

static bool world_open(struct world *world, size_t node_count)
{
    char url[160], id[32];
    *world = (struct world){.redis = redis_server_new()};
    if (!redis_server_start(world->redis)) {
        fprintf(stderr, "redis-server does not start\n");
        return false;
    }
    snprintf(url, sizeof url, "redis.url=%s", world->redis->url);
    for (size_t i = 0; i < node_count; i++) {
        snprintf(id, sizeof id, "node.id=n%zu", i);
        const char *const sets[] = {url,
                                    id,
                                    "auth.key=950817",
                                    "limits.registers_per_s=1000000",
                                    "limits.requests_per_s=10000000",
                                    "limits.messages_per_s=1000000",
                                    "lists.max=1",
                                    "lists.coalesce_ms=1000",
                                    NULL};
        world->daemons[world->node_count++] = daemon_start(sets);
    }
    for (size_t i = 0; i < node_count; i++) {
        if (!daemon_wait_ready(world->daemons[i])) {
            daemon_print_log(world->daemons[i]);
            return false;
        }
    }
    return true;
}

static void world_close(struct world *world)
{
    for (size_t i = 0; i < world->node_count; i++) {
        daemon_free(world->daemons[i]);
    }
    redis_server_free(world->redis);
}

static void print_head(void)
{
    printf("%-9s %5s %8s %5s %9s %11s %5s | %7s %7s %7s | %8s %8s | %8s | %5s\n", "rows", "nodes",
           "sessions", "rooms", "op/s", "delivered/s", "ratio", "Redis", "nodes", "load", "p50 ms",
           "p99 ms", "node MiB", "calls");
    printf("%-9s %5s %8s %5s %9s %11s %5s | %23s | %17s | %8s | %5s\n", "", "", "", "", "", "",
           "op/s", "us of CPU per operation", "of an operation", "", "per op");
}

static double first_ops; /* of the present set */

static void print_row(const struct row *row, const struct load_figures *f, const int64_t cpu[3],
                      int64_t mib_10, double calls_per_op)
{
    double seconds = (double)f->duration_us / 1e6;
    double ops = (double)f->operations / seconds;
    double per = f->operations > 0 ? 1.0 / (double)f->operations : 0;
    if (first_ops == 0) {
        first_ops = ops;
    }
    printf("%-9s %5zu %8zu %5zu %9.0f %11.0f %5.2f | %7.1f %7.1f %7.1f | %8.2f %8.2f | %8.1f | "
           "%5.2f%s\n",
           row->set, row->nodes, row->sessions, row->rooms, ops, (double)f->deliveries / seconds,
           ops / first_ops, (double)cpu[0] * per, (double)cpu[1] * per, (double)cpu[2] * per,
           (double)f->p50_us / 1000, (double)f->p99_us / 1000, (double)mib_10 / 10, calls_per_op,
           f->refused > 0 ? "  (some were refused)" : "");
    fflush(stdout);
}

static bool measure(const struct row *row, int64_t duration_ms)
{
    struct world world;
    struct load_options options = {
        .node_count = row->nodes, .session_count = row->sessions, .room_count = row->rooms};
    bool is_good = world_open(&world, row->nodes);
    for (size_t i = 0; i < world.node_count; i++) {
        options.hgtp_ports[i] = world.daemons[i]->hgtp_port;
        options.http_ports[i] = world.daemons[i]->http_port;
    }
    fprintf(stderr, "%s: %zu nodes, %zu sessions, %zu rooms ...\n", row->set, row->nodes,
            row->sessions, row->rooms);
    struct load *load = is_good ? load_open(&options) : NULL;
    if (load != NULL) {
        struct load_figures figures;
        pid_t redis = process_pid(world.redis->process);
        load_run(load, row->kind, duration_ms / 4, &figures); /* to warm up */
        int64_t cpu[] = {-cpu_us(redis), -nodes_cpu_us(&world), -cpu_us(getpid())};
        int64_t called = -calls(&world);
        load_run(load, row->kind, duration_ms, &figures);
        cpu[0] += cpu_us(redis);
        cpu[1] += nodes_cpu_us(&world);
        cpu[2] += cpu_us(getpid());
        called += calls(&world);
        int64_t mib_10 = rss_kib(process_pid(world.daemons[0]->process)) * 10 / 1024;
        double per_op = figures.operations > 0 ? (double)called / (double)figures.operations : 0;
        print_row(row, &figures, cpu, mib_10, per_op);
        is_good = figures.operations > 0;
        load_close(load);
    }
    world_close(&world);
    return is_good && load != NULL;
}

static void print_where(void)
{
    struct utsname name;
    char date[32];
    time_t now = time(NULL);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", gmtime(&now));
    (void)uname(&name);
    printf("bench_cluster, %s, %ld CPUs, Linux %s; all on one machine, Redis 1 thread\n", date,
           sysconf(_SC_NPROCESSORS_ONLN), name.release);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"seconds", required_argument, NULL, 's'},
                                            {"only", required_argument, NULL, 'o'},
                                            {"smoke", no_argument, NULL, 'm'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int64_t duration_ms = 3000;
    const char *only = NULL;
    bool is_smoke = false;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 's':
            duration_ms = atoll(optarg) * 1000;
            break;
        case 'o':
            only = optarg;
            break;
        case 'm':
            is_smoke = true;
            break;
        default:
            fputs(help, option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : 2;
        }
    }
    if (duration_ms <= 0) {
        fputs("bench_cluster: --seconds takes a whole number above 0\n", stderr);
        return 2;
    }
    struct rlimit files = {0};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    print_where();
    print_head();
    if (is_smoke) {
        static const struct row say = {"smoke", LOAD_SAY, 2, 20, 4};
        static const struct row move = {"smoke", LOAD_MOVE, 2, 20, 4};
        return measure(&say, 500) && measure(&move, 500) ? 0 : 1;
    }
    const char *set = "";
    bool is_good = true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (only != NULL && strcmp(only, rows[i].set) != 0) {
            continue;
        }
        first_ops = strcmp(set, rows[i].set) == 0 ? first_ops : 0;
        set = rows[i].set;
        is_good = measure(&rows[i], duration_ms) && is_good;
    }
    return is_good ? 0 : 1;
}
