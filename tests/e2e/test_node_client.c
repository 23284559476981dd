/* SPDX-License-Identifier: MIT */
/*
 * hgtp.js in Node: by the example of docs/examples, and case by case (hgtp_js.mjs), with the
 * package ws as Debian has it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/node_program.h"

#define HGTP_JS TEST_SOURCE_DIR "/node/front/web/hgtp.js"
#define NODE_MS 240000

static void node_has_passed(struct process *node, const char *last)
{
    int code = process_wait_exit(node, NODE_MS);
    if (code != 0 || strstr(process_stdout(node), last) == NULL) {
        fail_msg("node: %d\n%s\n%s", code, process_stdout(node), process_stderr(node));
    }
}

/* 10, 12, 18, 22 */
E2E_SCENARIO(client_settles_everything_over_websocket_and_stream)
{
    E2E_NODE(e, "limits.messages_per_s=1000", "lists.max=3");
    char *folder = node_program_folder("tests/e2e/hgtp_js.mjs"), program[512], origin[64];
    snprintf(program, sizeof program, "%s/hgtp_js.mjs", folder);
    snprintf(origin, sizeof origin, "http://127.0.0.1:%u", e->daemon->http_port);
    const char *const argv[] = {"node", program, HGTP_JS, origin, TALKER_KEY, NULL};
    struct process *node = process_start(argv, folder);
    node_has_passed(node, "all have passed");
    process_free(node);
    process_folder_remove(folder);
    free(folder);
}

/* 22: the example, as its first lines say. */
E2E_SCENARIO(example_talks_with_others)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    char *folder = node_program_folder("docs/examples/talk.mjs"), program[512], origin[64];
    snprintf(program, sizeof program, "%s/talk.mjs", folder);
    snprintf(origin, sizeof origin, "HGTP_URL=http://127.0.0.1:%u", e->daemon->http_port);
    const char *const argv[] = {
        "env", origin, "HGTP_KEY=" TALKER_KEY, "HGTP_JS=" HGTP_JS, "node", program, "bob",
        "den", NULL};
    struct process *node = process_start_fed(argv, folder);
    assert_true(process_wait_output(node, "bob", 20000));
    assert_true(talker_say_acked(alice, "hello from alice", "1") > 0);
    assert_true(process_wait_output(node, "alice: hello from alice", 20000));
    assert_true(process_write(node, "hello from bob\nand good bye\n"));
    process_end_input(node);
    node_has_passed(node, "hello from alice");
    e2e_talk_whole(alice, 6);
    assert_non_null(talk_record_message(&alice->record, "and good bye", NULL));
    process_free(node);
    process_folder_remove(folder);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(client_settles_everything_over_websocket_and_stream),
        E2E_TEST(example_talks_with_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
