/* SPDX-License-Identifier: MIT */
/*
 * Operators at work: hgtpctl against real nodes, with people in rooms: what it shows, what it
 * changes and what the people see of it, its exit codes, roles and refusals.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/process.h"

#define TOOL_WAIT_MS 10000

/* What one run of the tool came to; valid until the next. */
static struct {
    int code;
    char out[65536];
    char err[8192];
} tool;

static char control_url[256];

static void run_tool(const struct e2e *e, const char *const *args)
{
    const char *argv[32] = {HGTPCTL_PATH, "--url", control_url};
    size_t count = 3;
    for (; *args != NULL; args++) {
        argv[count++] = *args;
    }
    argv[count] = NULL;
    struct process *process = process_start(argv, e->daemon->folder);
    tool.code = process_wait_exit(process, TOOL_WAIT_MS);
    snprintf(tool.out, sizeof tool.out, "%s", process_stdout(process));
    snprintf(tool.err, sizeof tool.err, "%s", process_stderr(process));
    process_free(process);
}

/* TOOL(e, code, "room", "list"): it ends with that code. */
#define TOOL(e, expected, ...)                                                                     \
    do {                                                                                           \
        run_tool((e), (const char *const[]){__VA_ARGS__, NULL});                                   \
        if (tool.code != (expected)) {                                                             \
            fail_msg("ended with %d: %s%s", tool.code, tool.out, tool.err);                        \
        }                                                                                          \
    } while (0)

/* Nobody may use /run here, so the node's control socket is in its runtime directory. */
static void start(struct e2e *e, const char *extra)
{
    E2E_NODE(e, extra);
    snprintf(control_url, sizeof control_url, "ipc://%s/hgtp/control.sock", e->daemon->folder);
}

static json_t *tool_json(void)
{
    json_t *root = json_loads(tool.out, 0, NULL);
    assert_non_null(root);
    return root;
}

static int64_t integer_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

E2E_SCENARIO(rooms_and_members_are_shown_as_they_are)
{
    start(e, "limits.room_members=50");
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    TOOL(e, 0, "-o", "json", "room", "list");
    json_t *root = tool_json();
    assert_int_equal(integer_of(root, "total"), 1);
    const json_t *room = json_array_get(json_object_get(root, "rooms"), 0);
    assert_string_equal(json_string_value(json_object_get(room, "room")), "den");
    assert_string_equal(json_string_value(json_object_get(room, "manager")), "alice");
    assert_int_equal(integer_of(room, "members"), 2);
    assert_int_equal(integer_of(room, "limit"), 50);
    assert_int_equal(integer_of(room, "messages"), 2);
    json_decref(root);
    TOOL(e, 0, "room", "members", "den");
    assert_non_null(strstr(tool.out, "alice"));
    assert_non_null(strstr(tool.out, "bob"));
    TOOL(e, 0, "room", "list", "--match", "nothing");
    assert_null(strstr(tool.out, "den"));
    TOOL(e, 0, "session", "show", "bob", "-o", "json");
    root = tool_json();
    assert_string_equal(json_string_value(json_object_get(root, "room")), "den");
    json_decref(root);
    TOOL(e, 0, "node", "list");
    assert_non_null(strstr(tool.out, "serving"));
}

E2E_SCENARIO(changes_reach_the_people_they_concern)
{
    start(e, "lists.coalesce_ms=1");
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    TOOL(e, 0, "room", "notice", "den", "we close at ten");
    e2e_came(original_wait_notice(bob, "we close at ten"));
    TOOL(e, 0, "room", "kick", "den", "bob", "--yes");
    e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    e2e_came(original_wait_notice(alice, "[bob] was removed."));
    TOOL(e, 0, "room", "create", "hall", "--limit", "3");
    e2e_join_room(bob, "hall");
    TOOL(e, 0, "room", "delete", "hall", "--dry-run");
    assert_non_null(strstr(tool.out, "would"));
    TOOL(e, 0, "room", "show", "hall");
    TOOL(e, 0, "room", "delete", "hall", "--yes");
    TOOL(e, 4, "room", "show", "hall");
    TOOL(e, 0, "session", "kick", "bob", "--yes");
    TOOL(e, 4, "session", "show", "bob");
    TOOL(e, 0, "events", "--after", "0", "-o", "json");
    assert_non_null(strstr(tool.out, "\"actor\":\""));
    assert_non_null(strstr(tool.out, "room_kick"));
}

E2E_SCENARIO(mistakes_are_told_with_what_to_do)
{
    start(e, "lists.coalesce_ms=1");
    TOOL(e, 2, "room", "lsit");
    assert_non_null(strstr(tool.err, "did you mean 'list'?"));
    TOOL(e, 2, "room", "show");
    assert_non_null(strstr(tool.err, "ROOM is missing"));
    TOOL(e, 2, "room", "list", "--limit", "many");
    TOOL(e, 2, "room", "list", "--nonsense");
    TOOL(e, 2, "room", "delete", "den");
    assert_non_null(strstr(tool.err, "--yes"));
    TOOL(e, 2, "-o", "xml", "version");
    TOOL(e, 0, "--help");
    TOOL(e, 0, "room", "--help");
    TOOL(e, 0, "room", "delete", "--help");
    TOOL(e, 4, "room", "delete", "den", "--yes");
    TOOL(e, 3, "--url", "ipc:///nowhere/at/all", "version");
}

E2E_SCENARIO(tokens_say_who_may_do_what)
{
    char path[64] = "/tmp/hgtp-tokens-XXXXXX", set[128];
    char file[3][96];
    static const char *const lines[] = {"view 0123456789abcdef watcher\n",
                                        "operate fedcba9876543210 night shift\n",
                                        "view aaaaaaaaaaaaaaaaaaaa nobody\n"};
    assert_non_null(mkdtemp(path));
    for (size_t i = 0; i < 3; i++) {
        snprintf(file[i], sizeof file[i], "%s/%zu", path, i);
        FILE *out = fopen(file[i], "w");
        assert_non_null(out);
        fputs(lines[i], out);
        fputs(i == 0 ? lines[1] : "", out);
        fclose(out);
        assert_int_equal(chmod(file[i], 0600), 0);
    }
    snprintf(set, sizeof set, "control.token_file=%s", file[0]);
    start(e, set);
    TOOL(e, 0, "--token-file", file[0], "room", "list");
    TOOL(e, 5, "--token-file", file[0], "room", "create", "den");
    assert_non_null(strstr(tool.err, "operate"));
    TOOL(e, 0, "--token-file", file[1], "room", "create", "den");
    TOOL(e, 5, "--token-file", file[2], "room", "list");
    for (size_t i = 0; i < 3; i++) {
        (void)remove(file[i]);
    }
    (void)remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(rooms_and_members_are_shown_as_they_are),
        E2E_TEST(changes_reach_the_people_they_concern),
        E2E_TEST(mistakes_are_told_with_what_to_do),
        E2E_TEST(tokens_say_who_may_do_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
