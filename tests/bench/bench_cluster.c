/* SPDX-License-Identifier: MIT */
/*
 * bench_cluster: how operations per second and the cost of one grow with nodes, sessions and rooms.
 * Each row has a Redis and nodes of its own. It prints figures and ratios and judges nothing.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "floods.h"
#include "load.h"
#include "machine.h"
#include "tests/support/authority.h"
#include "tests/support/daemon.h"
#include "tests/support/http_client.h"
#include "tests/support/pump.h"
#include "tests/support/redis_server.h"

static const char help[] =
    "usage: bench_cluster [--seconds N] [--only nodes|sessions|rooms|moves|realms|tls] [--smoke]\n"
    "       bench_cluster [--seconds N] --floods [--only FLOOD]\n"
    "\n"
    "Starts a Redis and nodes on loopback for each row and prints what they do and what it costs.\n"
    "  --seconds N  how long each row is measured (3)\n"
    "  --only SET   only the rows of one set\n"
    "  --floods     what two people notice of one client that floods their node, kind by kind\n"
    "  --smoke      one small row, to see that all of it works\n";

static const struct row {
    const char *set;
    enum load_kind kind;
    size_t nodes, sessions, rooms;
    size_t realms, redises; /* node i is of realm i % realms, which is in Redis i % redises */
    bool is_tls;            /* the bus */
} rows[] = {
    {"nodes", LOAD_SAY, 1, 1000, 100, 1, 1, false},
    {"nodes", LOAD_SAY, 2, 1000, 100, 1, 1, false},
    {"nodes", LOAD_SAY, 3, 1000, 100, 1, 1, false},
    {"sessions", LOAD_SAY, 3, 100, 10, 1, 1, false},
    {"sessions", LOAD_SAY, 3, 1000, 100, 1, 1, false},
    {"sessions", LOAD_SAY, 3, 10000, 1000, 1, 1, false},
    {"rooms", LOAD_SAY, 3, 1000, 10, 1, 1, false},
    {"rooms", LOAD_SAY, 3, 1000, 100, 1, 1, false},
    {"rooms", LOAD_SAY, 3, 1000, 1000, 1, 1, false},
    {"moves", LOAD_MOVE, 1, 1000, 100, 1, 1, false},
    {"moves", LOAD_MOVE, 3, 1000, 100, 1, 1, false},
    {"realms", LOAD_SAY, 2, 100, 50, 2, 1, false},
    {"realms", LOAD_SAY, 2, 100, 50, 2, 2, false},
    {"tls", LOAD_SAY, 3, 1000, 100, 1, 1, false},
    {"tls", LOAD_SAY, 3, 1000, 100, 1, 1, true},
};

enum bound { BOUND_REDIS, BOUND_NODE, BOUND_LOAD, BOUND_CPUS, BOUND_WINDOW, BOUND_COUNT };

static const char *const bound_names[BOUND_COUNT] = {"Redis", "a node", "the load", "the CPUs",
                                                     "the window"};
/* Shares of a CPU; from this on something is full. Sharing CPUs with others nobody gets to 1. */
#define BENCH_FULL      0.90
#define BENCH_MESH_MS   15000
#define BENCH_REDIS_MAX 2

struct world {
    struct redis_server *redises[BENCH_REDIS_MAX];
    size_t redis_count, realm_count;
    struct daemon *daemons[LOAD_NODES_MAX];
    size_t node_count;
    char *certificates; /* their folder; NULL: no TLS */
};

/* Makes a certificate for the nodes, and the settings for it. */
static void world_certify(struct world *world, char ret_cert[160], char ret_ca[160])
{
    world->certificates = process_folder_make();
    snprintf(ret_cert, 160, "tls.cert_file=%s/node.pem", world->certificates);
    snprintf(ret_ca, 160, "tls.ca_file=%s/ca.pem", world->certificates);
    struct authority *authority = authority_new();
    authority_write(authority, strchr(ret_ca, '=') + 1);
    authority_issue(authority, strchr(ret_cert, '=') + 1, "hgtp", -60, 86400);
    authority_free(authority);
}

/* A metric, `line` being its name between line ends and a space; over all nodes. */
static int64_t metric(const struct world *world, const char *line)
{
    static char text[65536];
    int64_t sum = 0;
    for (size_t i = 0; i < world->node_count; i++) {
        http_client_get(SOCKETS_LOOPBACK, world->daemons[i]->http_port, "/metrics", text,
                        sizeof text);
        const char *at = strstr(text, line);
        sum += at != NULL ? atoll(at + strlen(line)) : 0;
    }
    return sum;
}

static int64_t calls(const struct world *world)
{
    return metric(world, "\nhgtp_store_calls_total ");
}

/* Every node is connected to all others: what is said before would come out of the log. */
static bool world_meshed(const struct world *world)
{
    int64_t until_ms = pump_deadline_ms(BENCH_MESH_MS);
    int64_t wanted = (int64_t)(world->node_count * (world->node_count / world->realm_count - 1));
    while (metric(world, "\nhgtp_bus_peers ") < wanted) {
        if (pump_now_ms() > until_ms) {
            fprintf(stderr, "the nodes do not connect to each other\n");
            return false;
        }
    }
    return true;
}

static bool world_open(struct world *world, const struct row *row)
{
    char url[160], id[32], realm[48], cert[160], ca[160];
    size_t node_count = row->nodes;
    *world = (struct world){.realm_count = row->realms};
    if (row->is_tls) {
        world_certify(world, cert, ca);
    }
    do {
        struct redis_server *redis = redis_server_new();
        world->redises[world->redis_count++] = redis;
        if (!redis_server_start(redis)) {
            fprintf(stderr, "redis-server does not start\n");
            return false;
        }
    } while (world->redis_count < row->redises);
    for (size_t i = 0; i < node_count; i++) {
        snprintf(id, sizeof id, "node.id=n%zu", i);
        snprintf(realm, sizeof realm, "node.realm=R%zu", i % world->realm_count);
        snprintf(url, sizeof url, "redis.url=%s", world->redises[i % world->redis_count]->url);
        const char *const sets[] = {url,
                                    "hgtp.trusted_networks=127.0.0.0/8",
                                    id,
                                    realm,
                                    "auth.key=950817",
                                    "limits.registers_per_s=1000000",
                                    "limits.requests_per_s=10000000",
                                    "limits.messages_per_s=1000000",
                                    "redis.deadline_ms=30000",
                                    "limits.cost_per_s=10000000",
                                    "limits.address_cost_per_s=100000000",
                                    "lists.max=1",
                                    "lists.coalesce_ms=1000",
                                    row->is_tls ? "bus.listen=tls+tcp://127.0.0.1:0" : NULL,
                                    cert,
                                    ca,
                                    NULL};
        world->daemons[world->node_count++] = daemon_start(sets);
    }
    for (size_t i = 0; i < node_count; i++) {
        if (!daemon_wait_ready(world->daemons[i])) {
            daemon_print_log(world->daemons[i]);
            return false;
        }
    }
    return world_meshed(world);
}

static void world_close(struct world *world)
{
    for (size_t i = 0; i < world->node_count; i++) {
        daemon_free(world->daemons[i]);
    }
    for (size_t i = 0; i < world->redis_count; i++) {
        redis_server_free(world->redises[i]);
    }
    if (world->certificates != NULL) {
        process_folder_remove(world->certificates);
        free(world->certificates);
    }
}

/* What has been used up to a moment, and between two of them. */
struct usage {
    int64_t redis_us, load_us, nodes_us, node_us[LOAD_NODES_MAX];
    int64_t one_redis_us[BENCH_REDIS_MAX];
    int64_t idle_ticks, all_ticks;
    int64_t calls;
};

static struct usage usage_now(const struct world *world)
{
    struct usage u = {.load_us = machine_cpu_us(getpid())};
    for (size_t i = 0; i < world->redis_count; i++) {
        u.one_redis_us[i] = machine_cpu_us(process_pid(world->redises[i]->process));
        u.redis_us += u.one_redis_us[i];
    }
    for (size_t i = 0; i < world->node_count; i++) {
        u.node_us[i] = machine_cpu_us(process_pid(world->daemons[i]->process));
        u.nodes_us += u.node_us[i];
    }
    machine_ticks(&u.idle_ticks, &u.all_ticks);
    return u;
}

static struct usage usage_between(const struct usage *a, const struct usage *b)
{
    struct usage u = {.redis_us = b->redis_us - a->redis_us,
                      .load_us = b->load_us - a->load_us,
                      .nodes_us = b->nodes_us - a->nodes_us,
                      .idle_ticks = b->idle_ticks - a->idle_ticks,
                      .all_ticks = b->all_ticks - a->all_ticks,
                      .calls = b->calls - a->calls};
    for (size_t i = 0; i < LOAD_NODES_MAX; i++) {
        u.node_us[i] = b->node_us[i] - a->node_us[i];
    }
    for (size_t i = 0; i < BENCH_REDIS_MAX; i++) {
        u.one_redis_us[i] = b->one_redis_us[i] - a->one_redis_us[i];
    }
    return u;
}

/* Shares of a CPU; `cpus`: the busy share of all of them; `own`: what of them our processes took.
 * Much between the two, beyond the kernel's interrupts, is work of others: measure again. */
struct shares {
    double redis, node, load, cpus, own;
};

static struct shares shares_of(const struct usage *used, int64_t duration_us)
{
    double duration = (double)duration_us;
    struct shares s = {.load = (double)used->load_us / duration};
    for (size_t i = 0; i < BENCH_REDIS_MAX; i++) {
        double share = (double)used->one_redis_us[i] / duration;
        s.redis = share > s.redis ? share : s.redis;
    }
    for (size_t i = 0; i < LOAD_NODES_MAX; i++) {
        double share = (double)used->node_us[i] / duration;
        s.node = share > s.node ? share : s.node;
    }
    s.own = (double)(used->redis_us + used->nodes_us + used->load_us) / duration /
            (double)sysconf(_SC_NPROCESSORS_ONLN);
    if (used->all_ticks > 0) {
        s.cpus = 1 - (double)used->idle_ticks / (double)used->all_ticks;
    }
    return s;
}

/* Redis, a node and the load have one thread each, so one that fills a CPU is the bound. */
static enum bound bound_of(const struct shares *s)
{
    return s->redis >= BENCH_FULL  ? BOUND_REDIS
           : s->node >= BENCH_FULL ? BOUND_NODE
           : s->load >= BENCH_FULL ? BOUND_LOAD
           : s->cpus >= BENCH_FULL ? BOUND_CPUS
                                   : BOUND_WINDOW;
}

static struct {
    double ops, cost; /* of the set's first row */
    size_t bound_counts[BOUND_COUNT];
    struct shares most;
} seen;

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static enum bound see_bound(const struct shares *s)
{
    enum bound bound = bound_of(s);
    seen.bound_counts[bound]++;
    seen.most.redis = larger(seen.most.redis, s->redis);
    seen.most.node = larger(seen.most.node, s->node);
    seen.most.load = larger(seen.most.load, s->load);
    seen.most.cpus = larger(seen.most.cpus, s->cpus);
    return bound;
}

static void print_head(void)
{
    printf("%-8s %5s %8s %5s | %6s %5s %9s | %6s %6s %5s %6s | %6s %6s | %5s %5s | %4s %4s %s\n",
           "rows", "nodes", "sessions", "rooms", "op/s", "ratio", "pushed/s", "Redis", "nodes",
           "ratio", "load", "p50", "p99", "node", "calls", "own", "busy", "bound");
    printf("%-8s %5s %8s %5s | %6s %5s %9s | %26s | %13s | %5s %5s | %9s\n", "", "", "", "", "", "",
           "", "us of CPU per operation", "ms", "MiB", "/op", "% of CPUs");
}

static void print_row(const struct row *row, const struct load_figures *f, const struct usage *used,
                      int64_t node_kib, int64_t lost)
{
    struct shares shares = shares_of(used, f->duration_us);
    double seconds = (double)f->duration_us / 1e6;
    double ops = (double)f->operations / seconds;
    double per = f->operations > 0 ? 1.0 / (double)f->operations : 0;
    double cost = (double)(used->redis_us + used->nodes_us) * per;
    if (seen.ops == 0) {
        seen.ops = ops;
        seen.cost = cost;
    }
    printf("%-8s %5zu %8zu %5zu | %6.0f %5.2f %9.0f | %6.1f %6.1f %5.2f %6.1f | %6.2f %6.2f | "
           "%5.1f %5.2f | %4.0f %4.0f %s%s\n",
           row->set, row->nodes, row->sessions, row->rooms, ops, seen.ops > 0 ? ops / seen.ops : 0,
           (double)f->deliveries / seconds, (double)used->redis_us * per,
           (double)used->nodes_us * per, seen.cost > 0 ? cost / seen.cost : 0,
           (double)used->load_us * per, (double)f->p50_us / 1000, (double)f->p99_us / 1000,
           (double)node_kib / 1024, (double)used->calls * per, shares.own * 100, shares.cpus * 100,
           bound_names[see_bound(&shares)], f->refused > 0 ? " (some were refused)" : "");
    if (f->deliveries != f->expected) {
        printf("%-8s ^ %" PRIu64 " pushes instead of %" PRIu64
               "; beyond repair for the nodes: %" PRId64 "\n",
               "", f->deliveries, f->expected, lost);
    }
    if (row->realms > 1) {
        printf("%-8s ^ %zu realms on %zu Redis, of which the busiest took %.0f %% of a CPU\n", "",
               row->realms, row->redises, shares.redis * 100);
    }
    if (row->is_tls) {
        printf("%-8s ^ with TLS between the nodes\n", "");
    }
    fflush(stdout);
}

static void print_bound(void)
{
    const char *before = "Bound by ";
    for (size_t i = 0; i < BOUND_COUNT; i++) {
        if (seen.bound_counts[i] > 0) {
            printf("%s%s in %zu", before, bound_names[i], seen.bound_counts[i]);
            before = ", ";
        }
    }
    printf(" of the rows; the most that was taken of one CPU: %.0f %% by Redis, %.0f %% by a node, "
           "%.0f %% by the load; of all CPUs: %.0f %%.\n",
           seen.most.redis * 100, seen.most.node * 100, seen.most.load * 100, seen.most.cpus * 100);
}

static bool measure_load(const struct row *row, const struct world *world, struct load *load,
                         int64_t duration_ms, struct load_figures *ret_figures)
{
    if (!load_run(load, row->kind, duration_ms / 4, ret_figures)) { /* to warm up */
        return false;
    }
    /* Asking for the calls costs CPU as well: outside of what is measured. */
    int64_t called = calls(world);
    struct usage before = usage_now(world);
    bool is_good = load_run(load, row->kind, duration_ms, ret_figures);
    struct usage after = usage_now(world);
    struct usage used = usage_between(&before, &after);
    used.calls = calls(world) - called;
    print_row(row, ret_figures, &used, machine_rss_kib(process_pid(world->daemons[0]->process)),
              metric(world, "\nhgtp_feed_gaps_total{outcome=\"lost\"} "));
    return is_good && ret_figures->operations > 0;
}

static bool measure(const struct row *row, int64_t duration_ms, struct load_figures *ret_figures)
{
    struct world world;
    struct load_options options = {
        .node_count = row->nodes, .session_count = row->sessions, .room_count = row->rooms};
    bool is_good = world_open(&world, row);
    for (size_t i = 0; i < world.node_count; i++) {
        options.hgtp_ports[i] = world.daemons[i]->hgtp_port;
        options.http_ports[i] = world.daemons[i]->http_port;
    }
    fprintf(stderr, "%s: %zu nodes, %zu sessions, %zu rooms ...\n", row->set, row->nodes,
            row->sessions, row->rooms);
    struct load *load = is_good ? load_open(&options) : NULL;
    if (load != NULL) {
        is_good = measure_load(row, &world, load, duration_ms, ret_figures);
        load_close(load);
    }
    world_close(&world);
    return is_good && load != NULL;
}

/* Is all of it alive? More operations than sessions, so that none has stood still after its first,
 * and every push: on a machine so busy that a node does not beat in time, the others go on with its
 * clients, and a few get the last quarter second twice. */
static bool smoke(void)
{
    static const struct row smoke_rows[] = {{"smoke", LOAD_SAY, 2, 20, 4, 1, 1, false},
                                            {"smoke", LOAD_MOVE, 2, 20, 4, 1, 1, false},
                                            {"smoke", LOAD_SAY, 2, 20, 4, 2, 2, false},
                                            {"smoke", LOAD_SAY, 2, 20, 4, 1, 1, true}};
    bool is_good = true;
    for (size_t i = 0; i < sizeof smoke_rows / sizeof smoke_rows[0]; i++) {
        const struct row *row = &smoke_rows[i];
        struct load_figures figures = {0};
        seen.ops = 0;
        if (!measure(row, 500, &figures) || figures.operations <= row->sessions ||
            figures.refused > 0 || figures.deliveries < figures.expected) {
            fprintf(stderr, "bench_cluster: this row is not as it should be\n");
            is_good = false;
        }
    }
    return is_good;
}

static bool measure_rows(const char *only, int64_t duration_ms)
{
    const char *set = "";
    bool is_good = true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (only != NULL && strcmp(only, rows[i].set) != 0) {
            continue;
        }
        if (strcmp(set, rows[i].set) != 0) {
            seen.ops = 0;
        }
        set = rows[i].set;
        struct load_figures figures;
        is_good = measure(&rows[i], duration_ms, &figures) && is_good;
    }
    return is_good;
}

static bool is_set(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(name, rows[i].set) == 0) {
            return true;
        }
    }
    return false;
}

static void print_where(void)
{
    struct utsname name;
    char date[32];
    double load[1] = {0};
    time_t now = time(NULL);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", gmtime(&now));
    (void)uname(&name);
    (void)getloadavg(load, 1);
    printf("bench_cluster, %s, %ld CPUs, Linux %s, load average before: %.2f; Redis, nodes and "
           "load share the CPUs, perhaps with others: read the ratios\n",
           date, sysconf(_SC_NPROCESSORS_ONLN), name.release, load[0]);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"seconds", required_argument, NULL, 's'}, {"only", required_argument, NULL, 'o'},
        {"floods", no_argument, NULL, 'f'},        {"smoke", no_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    int64_t duration_ms = 3000;
    const char *only = NULL;
    bool is_smoke = false, is_floods = false;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 's':
            duration_ms = atoll(optarg) * 1000;
            break;
        case 'o':
            only = optarg;
            break;
        case 'f':
            is_floods = true;
            break;
        case 'm':
            is_smoke = true;
            break;
        default:
            fputs(help, option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : 2;
        }
    }
    if (only != NULL && !(is_floods ? floods_has(only) : is_set(only))) {
        fprintf(stderr, "bench_cluster: no rows are called '%s'\n%s", only, help);
        return 2;
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
    if (is_floods) {
        return floods_measure(only, duration_ms) ? 0 : 1;
    }
    print_head();
    bool is_good = is_smoke ? smoke() : measure_rows(only, duration_ms);
    print_bound();
    return is_good ? 0 : 1;
}
