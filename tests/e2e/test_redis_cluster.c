/* SPDX-License-Identifier: MIT */
/*
 * Many realms on one Redis Cluster: nodes are told any of its addresses, find the master that has
 * their realm, and follow when another one takes it over.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/e2e_cluster.h"

#define MASTERS  2
#define SERVERS  3 /* the last is a replica of the one before */
#define START_MS 15000
/* The realms' slots, by `CLUSTER KEYSLOT hgtp:{NAME}:`: below the middle, and above. */
#define REALM_FIRST  "A"
#define REALM_SECOND "B"

struct shards {
    struct process *servers[SERVERS];
    char *folders[SERVERS];
    uint16_t ports[SERVERS];
};

static void shards_free(void *guest)
{
    struct shards *shards = guest;
    for (size_t i = 0; i < SERVERS; i++) {
        process_free(shards->servers[i]);
        process_folder_remove(shards->folders[i]);
        free(shards->folders[i]);
    }
    free(shards);
}

static void shards_print(const void *guest, FILE *out)
{
    const struct shards *shards = guest;
    for (size_t i = 0; i < SERVERS; i++) {
        fprintf(out, "---- redis %u\n%s", shards->ports[i], process_stdout(shards->servers[i]));
    }
}

/* One command; its answer as text, "" when there is none. */
static void ask(uint16_t port, const char *command, char ret_text[4096])
{
    redisContext *context =
        redisConnectWithTimeout("127.0.0.1", port, (struct timeval){.tv_sec = 2});
    ret_text[0] = '\0';
    redisReply *reply = context->err == 0 ? redisCommand(context, command) : NULL;
    if (reply != NULL && reply->str != NULL) {
        snprintf(ret_text, 4096, "%s", reply->str);
    } else if (reply != NULL) {
        snprintf(ret_text, 4096, "%lld", reply->integer);
    }
    freeReplyObject(reply);
    redisFree(context);
}

static void tell(uint16_t port, const char *command)
{
    char text[4096];
    ask(port, command, text);
    assert_string_equal(text, "OK");
}

struct asking {
    uint16_t port;
    const char *command, *expected;
};

static bool is_said(void *arg)
{
    const struct asking *asking = arg;
    char text[4096];
    ask(asking->port, asking->command, text);
    return strstr(text, asking->expected) != NULL;
}

static void wait_said(uint16_t port, const char *command, const char *expected)
{
    struct asking asking = {port, command, expected};
    int64_t until_ms = pump_deadline_ms(START_MS);
    while (!is_said(&asking)) {
        assert_true(pump_now_ms() < until_ms);
        e2e_retry_pause();
    }
}

static int64_t number_behind(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at != NULL ? atoll(at + strlen(name)) : -1;
}

/* The replica has all that the master has said by now: it tells so once a second. */
static void wait_replicated(uint16_t master)
{
    char text[4096];
    ask(master, "INFO replication", text);
    int64_t said = number_behind(text, "master_repl_offset:");
    int64_t until_ms = pump_deadline_ms(START_MS);
    while (number_behind(text, ",offset=") < said) {
        assert_true(pump_now_ms() < until_ms);
        e2e_retry_pause();
        ask(master, "INFO replication", text);
    }
}

/* A cluster's bus has a port 10000 above the server's. */
static uint16_t shard_port(void)
{
    for (int i = 0; i < 100; i++) {
        uint16_t port = sockets_free_port();
        int fd = sockets_listen(SOCKETS_LOOPBACK, (uint16_t)(port + 10000));
        if (fd >= 0) {
            close(fd);
            return port;
        }
    }
    fail_msg("no port is free");
    return 0;
}

static void shard_start(struct shards *shards, size_t i)
{
    char port[16];
    shards->folders[i] = process_folder_make();
    shards->ports[i] = shard_port();
    snprintf(port, sizeof port, "%u", shards->ports[i]);
    const char *const argv[] = {"redis-server",
                                "--port",
                                port,
                                "--bind",
                                "127.0.0.1",
                                "--cluster-enabled",
                                "yes",
                                "--cluster-node-timeout",
                                "2000",
                                "--repl-diskless-sync-delay",
                                "0",
                                "--save",
                                "",
                                "--appendonly",
                                "no",
                                "--dir",
                                shards->folders[i],
                                NULL};
    shards->servers[i] = process_start(argv, shards->folders[i]);
    assert_true(process_wait_output(shards->servers[i], "eady to accept connections", START_MS));
}

static struct shards *shards_open(struct e2e *e)
{
    struct shards *shards = calloc(1, sizeof *shards);
    char command[128], text[4096];
    for (size_t i = 0; i < SERVERS; i++) {
        shard_start(shards, i);
    }
    const struct e2e_guest guest = {shards, shards_print, NULL, shards_free};
    e2e_adopt(e, &guest);
    tell(shards->ports[0], "CLUSTER ADDSLOTSRANGE 0 8191");
    tell(shards->ports[1], "CLUSTER ADDSLOTSRANGE 8192 16383");
    for (size_t i = 1; i < SERVERS; i++) {
        snprintf(command, sizeof command, "CLUSTER MEET 127.0.0.1 %u", shards->ports[i]);
        tell(shards->ports[0], command);
    }
    for (size_t i = 0; i < SERVERS; i++) {
        wait_said(shards->ports[i], "CLUSTER INFO", "cluster_known_nodes:3");
        wait_said(shards->ports[i], "CLUSTER INFO", "cluster_slots_assigned:16384");
    }
    ask(shards->ports[1], "CLUSTER MYID", text);
    snprintf(command, sizeof command, "CLUSTER REPLICATE %.40s", text);
    tell(shards->ports[2], command);
    wait_said(shards->ports[2], "INFO replication", "master_link_status:up");
    for (size_t i = 0; i < SERVERS; i++) {
        wait_said(shards->ports[i], "CLUSTER INFO", "cluster_state:ok");
    }
    return shards;
}

static struct daemon *node_of(struct e2e *e, size_t place, const char *realm, uint16_t redis_port)
{
    char set_realm[64], url[64];
    snprintf(set_realm, sizeof set_realm, "node.realm=%s", realm);
    snprintf(url, sizeof url, "redis.url=redis://127.0.0.1:%u", redis_port);
    struct daemon *daemon =
        daemon_start((const char *const[]){set_realm, url, "bus.listen=tcp://127.0.0.1:0", NULL});
    e->nodes[place].daemon = daemon;
    e->node_count = place + 1;
    assert_true(daemon_wait_ready(daemon));
    e->nodes[place].hgtp_port = daemon->hgtp_port;
    e->nodes[place].http_port = daemon->http_port;
    return daemon;
}

static int64_t keys_at(uint16_t port)
{
    char text[4096];
    ask(port, "DBSIZE", text);
    return atoll(text);
}

static void expect_talk(struct original *alice, struct original *bob, const char *words)
{
    assert_true(original_say(alice, words));
    e2e_came(original_wait_message(bob, words));
}

E2E_SCENARIO(each_realm_is_served_from_the_master_that_has_it_whichever_was_named)
{
    struct shards *shards = shards_open(e);
    node_of(e, 0, REALM_FIRST, shards->ports[1]);
    node_of(e, 1, REALM_SECOND, shards->ports[0]);
    struct original *alice = e2e_user_at(e, 0, "alice"), *bob = e2e_user_at(e, 0, "bob");
    struct original *alice2 = e2e_user_at(e, 1, "alice"), *bob2 = e2e_user_at(e, 1, "bob");
    e2e_open_room(alice, "den");
    e2e_open_room(alice2, "den");
    e2e_join_room(bob, "den");
    e2e_join_room(bob2, "den");
    expect_talk(alice, bob, "in the first realm");
    expect_talk(alice2, bob2, "in the second realm");
    assert_true(keys_at(shards->ports[0]) > 5);
    assert_true(keys_at(shards->ports[1]) > 5);
    assert_null(strstr(process_stderr(e->nodes[0].daemon->process), "script_failed"));
}

E2E_SCENARIO(realm_goes_on_when_a_replica_takes_its_master_over)
{
    struct shards *shards = shards_open(e);
    node_of(e, 0, REALM_SECOND, shards->ports[0]);
    struct original *alice = e2e_user_at(e, 0, "alice"), *bob = e2e_user_at(e, 0, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    expect_talk(alice, bob, "before");
    wait_replicated(shards->ports[1]);
    process_signal(shards->servers[1], SIGKILL);
    assert_true(process_wait_exit(shards->servers[1], START_MS) > 0);
    tell(shards->ports[2], "CLUSTER FAILOVER TAKEOVER");
    int64_t until_ms = pump_deadline_ms(START_MS);
    while (e2e_get_at(e, 0, "/readyz", NULL, 0) != 200 ||
           e2e_metric_at(e, 0, "hgtp_store_reconnects_total") < 3) {
        assert_true(pump_now_ms() < until_ms);
        e2e_retry_pause();
    }
    expect_talk(alice, bob, "behind");
}

/* Nothing is written where the realm is not: that node is not ready, and nobody is told otherwise.
 */
E2E_SCENARIO(node_that_cannot_reach_the_master_of_its_realm_is_not_ready)
{
    struct shards *shards = shards_open(e);
    node_of(e, 0, REALM_SECOND, shards->ports[0]);
    process_signal(shards->servers[1], SIGSTOP);
    process_signal(shards->servers[2], SIGSTOP);
    int64_t until_ms = pump_deadline_ms(START_MS);
    while (e2e_get_at(e, 0, "/readyz", NULL, 0) != 503) {
        assert_true(pump_now_ms() < until_ms);
        e2e_retry_pause();
    }
    process_signal(shards->servers[1], SIGCONT);
    process_signal(shards->servers[2], SIGCONT);
    until_ms = pump_deadline_ms(START_MS);
    while (e2e_get_at(e, 0, "/readyz", NULL, 0) != 200) {
        assert_true(pump_now_ms() < until_ms);
        e2e_retry_pause();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(each_realm_is_served_from_the_master_that_has_it_whichever_was_named),
        E2E_TEST(realm_goes_on_when_a_replica_takes_its_master_over),
        E2E_TEST(node_that_cannot_reach_the_master_of_its_realm_is_not_ready),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
