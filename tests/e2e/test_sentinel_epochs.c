/* SPDX-License-Identifier: MIT */
/*
 * A real failover by Sentinel to a replica that was behind: what was acknowledged meanwhile is
 * lost, its numbers are used again, and everybody is told so.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/e2e_talk.h"

#define START_MS    15000
#define FAILOVER_MS 60000

enum { MASTER, REPLICA, SENTINEL, PROCESSES };

struct trio {
    struct process *processes[PROCESSES];
    uint16_t ports[PROCESSES];
    char *folder;
};

static void trio_free(void *guest)
{
    struct trio *trio = guest;
    for (size_t i = 0; i < PROCESSES; i++) {
        process_free(trio->processes[i]);
    }
    process_folder_remove(trio->folder);
    free(trio->folder);
    free(trio);
}

static void trio_print(const void *guest, FILE *out)
{
    const struct trio *trio = guest;
    for (size_t i = 0; i < PROCESSES; i++) {
        if (trio->processes[i] != NULL) {
            fprintf(out, "---- %zu\n%s", i, process_stdout(trio->processes[i]));
        }
    }
}

/* One command; its answer as text, that of an array its second element. */
static void ask(uint16_t port, const char *command, char ret_text[4096])
{
    redisContext *context =
        redisConnectWithTimeout("127.0.0.1", port, (struct timeval){.tv_sec = 2});
    ret_text[0] = '\0';
    redisReply *reply = context->err == 0 ? redisCommand(context, command) : NULL;
    const redisReply *said =
        reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements > 1 ? reply->element[1]
                                                                                 : reply;
    if (said != NULL && said->str != NULL) {
        snprintf(ret_text, 4096, "%s", said->str);
    } else if (said != NULL && said->type == REDIS_REPLY_INTEGER) {
        snprintf(ret_text, 4096, "%lld", said->integer);
    }
    freeReplyObject(reply);
    redisFree(context);
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
    int64_t until_ms = pump_deadline_ms(FAILOVER_MS);
    while (!is_said(&asking)) {
        assert_true(pump_now_ms() < until_ms);
        e2e_retry_pause();
    }
}

static void start_server(struct trio *trio, int at)
{
    char port[16], master[32];
    trio->ports[at] = sockets_free_port();
    snprintf(port, sizeof port, "%u", trio->ports[at]);
    snprintf(master, sizeof master, "127.0.0.1 %u", trio->ports[MASTER]);
    const char *const argv[] = {"redis-server",
                                "--port",
                                port,
                                "--bind",
                                "127.0.0.1",
                                "--save",
                                "",
                                "--repl-diskless-sync-delay",
                                "0",
                                at == REPLICA ? "--replicaof" : NULL,
                                master,
                                NULL};
    trio->processes[at] = process_start(argv, trio->folder);
    assert_true(process_wait_output(trio->processes[at], "eady to accept connections", START_MS));
}

static void start_sentinel(struct trio *trio)
{
    char path[256];
    trio->ports[SENTINEL] = sockets_free_port();
    snprintf(path, sizeof path, "%s/sentinel.conf", trio->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "port %u\nbind 127.0.0.1\ndir %s\nsentinel monitor main 127.0.0.1 %u 1\n"
            "sentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 5000\n",
            trio->ports[SENTINEL], trio->folder, trio->ports[MASTER]);
    fclose(file);
    const char *const argv[] = {"redis-server", path, "--sentinel", NULL};
    trio->processes[SENTINEL] = process_start(argv, trio->folder);
    assert_true(process_wait_output(trio->processes[SENTINEL], "+monitor master main", START_MS));
}

static struct trio *trio_open(struct e2e *e)
{
    struct trio *trio = calloc(1, sizeof *trio);
    trio->folder = process_folder_make();
    const struct e2e_guest guest = {trio, trio_print, NULL, trio_free};
    e2e_adopt(e, &guest);
    start_server(trio, MASTER);
    start_server(trio, REPLICA);
    wait_said(trio->ports[REPLICA], "INFO replication", "master_link_status:up");
    start_sentinel(trio);
    assert_true(process_wait_output(trio->processes[SENTINEL], "+slave slave", START_MS));
    return trio;
}

/* The replica is not let in any more, and those who are connected stay so. */
static void lag(struct trio *trio)
{
    char text[4096];
    ask(trio->ports[MASTER], "CONFIG SET requirepass secret", text);
    assert_string_equal(text, "OK");
    redisContext *context =
        redisConnectWithTimeout("127.0.0.1", trio->ports[MASTER], (struct timeval){.tv_sec = 2});
    freeReplyObject(redisCommand(context, "AUTH secret"));
    freeReplyObject(redisCommand(context, "CLIENT KILL TYPE replica"));
    redisFree(context);
    wait_said(trio->ports[REPLICA], "INFO replication", "master_link_status:down");
}

E2E_SCENARIO(failover_that_loses_messages_is_told_and_nothing_new_is_taken_for_them)
{
    struct trio *trio = trio_open(e);
    char url[96];
    snprintf(url, sizeof url, "redis.url=redis+sentinel://127.0.0.1:%u/main",
             trio->ports[SENTINEL]);
    E2E_NODE(e, url);
    struct talker *alice = e2e_talker(e, "alice"), *bob = e2e_talker(e, "bob");
    e2e_talk_ok(talker_create(alice, "den"));
    e2e_talk_ok(talker_join(bob, "den"));
    int64_t kept = talker_say_acked(alice, "kept", NULL);
    char length[96], expected[24];
    snprintf(length, sizeof length, "XLEN hgtp:{HGTP_SERVICE}:log:%s", alice->room_id);
    snprintf(expected, sizeof expected, "%lld", (long long)kept);
    wait_said(trio->ports[REPLICA], length, expected);
    lag(trio);
    int64_t lost = kept;
    for (int i = 0; i < 3; i++) {
        lost = talker_say_acked(alice, "lost", NULL);
    }
    assert_int_equal(lost, kept + 3);
    assert_true(talker_has(bob, lost, START_MS));
    process_signal(trio->processes[MASTER], SIGKILL);
    wait_said(trio->ports[REPLICA], "INFO replication", "role:master");
    int64_t anew = -1, deadline_ms = pump_deadline_ms(FAILOVER_MS);
    while (anew < 0) {
        assert_true(pump_now_ms() < deadline_ms);
        anew = talker_say_acked(alice, "said anew", NULL);
    }
    assert_int_equal(anew, kept + 1);
    struct talker *const both[] = {alice, bob};
    for (size_t i = 0; i < 2; i++) {
        assert_non_null(TALKER_WAIT(both[i], "message", "message", "said anew"));
        assert_int_equal(both[i]->record.kept, kept);
        assert_null(talker_broken(both[i]));
        bool has_gap = false;
        for (size_t n = 0; n < both[i]->record.count; n++) {
            const struct talk_entry *entry = both[i]->record.entries[n];
            has_gap =
                has_gap || (entry->kind == TALK_GAP && entry->seq == kept + 1 && entry->to == lost);
        }
        assert_true(has_gap);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(failover_that_loses_messages_is_told_and_nothing_new_is_taken_for_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
