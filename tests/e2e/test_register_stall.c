/* SPDX-License-Identifier: MIT */
/*
 * Redis stands still while people register, earlier or later in it: who has the right key is never
 * told that it is wrong, nor that his own name is taken, and is in when Redis goes on. The node's
 * log has a line about it.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/node_program.h"

#define KEY         "950817"
#define AT_ONCE     6
#define STEPS       12
#define STEP_MS     6
#define STALL_MS    1300 /* longer than the node waits for Redis */
#define REGISTER_MS 60000

static void node_with_redis(struct e2e *e)
{
    char url[160];
    e->redis = redis_server_new();
    assert_true(redis_server_start(e->redis));
    snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    E2E_NODE(e, url);
}

/* Redis stands still from `after_ms` on. */
static void stall(struct e2e *e, int64_t after_ms)
{
    pump_pause(after_ms);
    process_signal(e->redis->process, SIGSTOP);
    pump_pause(STALL_MS);
    process_signal(e->redis->process, SIGCONT);
}

/* It has done what it was to do; or, where the machine was too busy for all its attempts, says what
 * was so: the state is out of reach. */
static void is_in(struct process *program)
{
    int code = process_wait_exit(program, REGISTER_MS);
    static const char *const wrong[] = {"wrong key", "is taken", "challenge"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (strstr(process_stderr(program), wrong[i]) != NULL ||
            strstr(process_stdout(program), wrong[i]) != NULL) {
            fail_msg("\"%s\" where Redis stood still", wrong[i]);
        }
    }
    bool is_disturbed = strstr(process_stderr(program), err_text(ERR_STORE_AWAY)) != NULL;
    if (code != 0 && !is_disturbed) {
        fail_msg("exit status %d: %s", code, process_stderr(program));
    }
    process_free(program);
}

/* 20 */
E2E_SCENARIO(talk_gets_in_whenever_redis_stalls)
{
    node_with_redis(e);
    char http[24], hgtp[24], name[24];
    snprintf(http, sizeof http, "127.0.0.1:%u", e->daemon->http_port);
    snprintf(hgtp, sizeof hgtp, "127.0.0.1:%u", e->daemon->hgtp_port);
    const char *const argv[] = {HGTPCTL_PATH, "talk",   "--name", name, "--key",
                                KEY,          "--hgtp", hgtp,     http, NULL};
    for (int64_t step = 0; step < STEPS; step++) {
        struct process *people[AT_ONCE];
        for (size_t i = 0; i < AT_ONCE; i++) {
            snprintf(name, sizeof name, "u%d-%zu", (int)step, i);
            people[i] = process_start_fed(argv, "/tmp");
        }
        stall(e, step * STEP_MS);
        for (size_t i = 0; i < AT_ONCE; i++) {
            assert_true(process_write(people[i], "/users\n"));
            process_end_input(people[i]);
            is_in(people[i]);
        }
    }
    assert_true(process_wait_output(e->daemon->process, "event=request_failed", REGISTER_MS));
}

E2E_SCENARIO(bench_gets_in_whenever_redis_stalls)
{
    node_with_redis(e);
    char http[24], hgtp[24];
    snprintf(http, sizeof http, "127.0.0.1:%u", e->daemon->http_port);
    snprintf(hgtp, sizeof hgtp, "127.0.0.1:%u", e->daemon->hgtp_port);
    const char *const argv[] = {HGTPCTL_PATH, "bench",  "--key", KEY,         "--users",
                                "100",        "--rate", "10",    "--seconds", "1",
                                "--yes",      "--hgtp", hgtp,    http,        NULL};
    for (int64_t step = 0; step < STEPS / 2; step++) {
        struct process *bench = process_start(argv, "/tmp");
        stall(e, 10 + 3 * step * STEP_MS);
        is_in(bench);
    }
}

E2E_SCENARIO(hgtp_js_gets_in_whenever_redis_stalls)
{
    node_with_redis(e);
    char *folder = node_program_folder("docs/examples/talk.mjs");
    char program[256], origin[64], name[24];
    snprintf(program, sizeof program, "%s/talk.mjs", folder);
    snprintf(origin, sizeof origin, "HGTP_URL=http://127.0.0.1:%u", e->daemon->http_port);
    const char *const argv[] = {"env",
                                origin,
                                "HGTP_KEY=" KEY,
                                "HGTP_JS=" TEST_SOURCE_DIR "/node/front/web/hgtp.js",
                                "node",
                                program,
                                name,
                                name,
                                NULL};
    for (int64_t step = 0; step < STEPS; step++) {
        struct process *people[AT_ONCE];
        for (size_t i = 0; i < AT_ONCE; i++) {
            snprintf(name, sizeof name, "js%d-%zu", (int)step, i);
            people[i] = process_start_fed(argv, folder);
            assert_true(process_write(people[i], "hello\n"));
            process_end_input(people[i]);
        }
        stall(e, 200 + 5 * step * STEP_MS); /* Node takes its time to start */
        for (size_t i = 0; i < AT_ONCE; i++) {
            is_in(people[i]);
        }
    }
    process_folder_remove(folder);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(talk_gets_in_whenever_redis_stalls),
        E2E_TEST(hgtp_js_gets_in_whenever_redis_stalls),
        E2E_TEST(bench_gets_in_whenever_redis_stalls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
