/* SPDX-License-Identifier: MIT */
/*
 * Operators at work: hgtpctl against real nodes, with people in rooms: what it shows, what it
 * changes and what the people see of it, its exit codes, roles and refusals.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/tool.h"

#define SOON_MS 20000

E2E_SCENARIO(rooms_and_members_are_shown_as_they_are)
{
    E2E_NODE(e, "limits.room_members=50");
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    TOOL(e->daemon, 0, "-o", "json", "room", "list");
    json_t *root = tool_json();
    assert_int_equal(tool_integer(root, "total"), 1);
    const json_t *room = json_array_get(json_object_get(root, "rooms"), 0);
    assert_string_equal(json_string_value(json_object_get(room, "room")), "den");
    assert_string_equal(json_string_value(json_object_get(room, "manager")), "alice");
    assert_int_equal(tool_integer(room, "members"), 2);
    assert_int_equal(tool_integer(room, "limit"), 50);
    assert_int_equal(tool_integer(room, "messages"), 2);
    json_decref(root);
    TOOL(e->daemon, 0, "room", "members", "den");
    assert_non_null(strstr(tool.out, "alice"));
    assert_non_null(strstr(tool.out, "bob"));
    TOOL(e->daemon, 0, "room", "list", "--match", "nothing");
    assert_null(strstr(tool.out, "den"));
    TOOL(e->daemon, 0, "session", "show", "bob", "-o", "json");
    root = tool_json();
    assert_string_equal(json_string_value(json_object_get(root, "room")), "den");
    json_decref(root);
    TOOL(e->daemon, 0, "node", "list");
    assert_non_null(strstr(tool.out, "serving"));
}

E2E_SCENARIO(changes_reach_the_people_they_concern)
{
    E2E_NODE(e, "lists.coalesce_ms=1");
    struct original *alice = e2e_user(e, "alice");
    struct original *bob = e2e_user(e, "bob");
    e2e_open_room(alice, "den");
    e2e_join_room(bob, "den");
    TOOL(e->daemon, 0, "room", "notice", "den", "we close at ten");
    e2e_came(original_wait_notice(bob, "we close at ten"));
    TOOL(e->daemon, 0, "room", "kick", "den", "bob", "--yes");
    e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    e2e_came(original_wait_notice(alice, "[bob] was removed."));
    TOOL(e->daemon, 0, "room", "create", "hall", "--limit", "3");
    e2e_join_room(bob, "hall");
    TOOL(e->daemon, 0, "room", "delete", "hall", "--dry-run");
    assert_non_null(strstr(tool.out, "would"));
    TOOL(e->daemon, 0, "room", "show", "hall");
    TOOL(e->daemon, 0, "room", "delete", "hall", "--yes");
    TOOL(e->daemon, 4, "room", "show", "hall");
    TOOL(e->daemon, 0, "session", "kick", "bob", "--yes");
    TOOL(e->daemon, 4, "session", "show", "bob");
    TOOL(e->daemon, 0, "events", "--after", "0", "-o", "json");
    assert_non_null(strstr(tool.out, "\"actor\":\""));
    assert_non_null(strstr(tool.out, "room_kick"));
}

E2E_SCENARIO(mistakes_are_told_with_what_to_do)
{
    E2E_NODE(e, "lists.coalesce_ms=1");
    TOOL(e->daemon, 2, "room", "lsit");
    assert_non_null(strstr(tool.err, "did you mean 'list'?"));
    TOOL(e->daemon, 2, "room", "show");
    assert_non_null(strstr(tool.err, "ROOM is missing"));
    TOOL(e->daemon, 2, "room", "list", "--limit", "many");
    TOOL(e->daemon, 2, "room", "list", "--nonsense");
    TOOL(e->daemon, 2, "room", "delete", "den");
    assert_non_null(strstr(tool.err, "--yes"));
    TOOL(e->daemon, 2, "-o", "xml", "version");
    TOOL(e->daemon, 0, "--help");
    TOOL(e->daemon, 0, "room", "--help");
    TOOL(e->daemon, 0, "room", "delete", "--help");
    TOOL(e->daemon, 0, "room", "help");
    assert_non_null(strstr(tool.out, "room list"));
    TOOL(e->daemon, 4, "room", "delete", "den", "--yes");
    assert_non_null(strstr(tool.err, "hgtpctl room list shows"));
    TOOL(e->daemon, 4, "room", "kick", "den", "bob", "--yes");
    assert_non_null(strstr(tool.err, "hgtpctl room list, hgtpctl session list show"));
    TOOL(e->daemon, 4, "config", "set", "log.level", "info", "--node", "n9", "--yes");
    assert_non_null(strstr(tool.err, "hgtpctl node list shows"));
    TOOL(e->daemon, 2, "events", "--after", "yesterday");
    assert_non_null(strstr(tool.err, "cursor"));
    TOOL(e->daemon, 0, "doctor");
    assert_non_null(strstr(tool.out, "nothing is wrong"));
    TOOL(e->daemon, 4, "--context", "nowhere", "version");
    tool_run("ipc:///nowhere/at/all", (const char *const[]){"version", NULL});
    assert_int_equal(tool.code, 3);
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
    E2E_NODE(e, set);
    TOOL(e->daemon, 0, "--token-file", file[0], "room", "list");
    TOOL(e->daemon, 5, "--token-file", file[0], "room", "create", "den");
    assert_non_null(strstr(tool.err, "operate"));
    TOOL(e->daemon, 5, "--token-file", file[0], "doctor", "--fix");
    assert_non_null(strstr(tool.err, "role administer"));
    assert_null(strstr(tool.err, "role view"));
    TOOL(e->daemon, 5, "--token-file", file[0], "node", "restart-rolling", "--yes");
    TOOL(e->daemon, 0, "--token-file", file[1], "room", "create", "den");
    TOOL(e->daemon, 5, "--token-file", file[2], "room", "list");
    assert_non_null(strstr(tool.err, "this token is in no line"));

    /* The environment's token is for the environment's address, and for no other. */
    char url[TOOL_URL_BYTES];
    tool_url(e->daemon, url);
    assert_int_equal(setenv("HGTPCTL_TOKEN_FILE", file[2], 1), 0);
    TOOL(e->daemon, 0, "room", "list");
    assert_int_equal(setenv("HGTPCTL_URL", url, 1), 0);
    tool_run(NULL, (const char *const[]){"room", "list", NULL});
    assert_int_equal(tool.code, 5);
    tool_run(NULL, (const char *const[]){"--token-file", file[0], "room", "list", NULL});
    assert_int_equal(tool.code, 0);
    unsetenv("HGTPCTL_URL");
    unsetenv("HGTPCTL_TOKEN_FILE");

    /* A file that cannot be read changes nothing; without a file no token counts. */
    TOOL(e->daemon, 1, "config", "set", "control.token_file", "/nowhere", "--yes");
    TOOL(e->daemon, 0, "--token-file", file[0], "room", "list");
    TOOL(e->daemon, 0, "config", "set", "control.token_file", "", "--yes");
    TOOL(e->daemon, 5, "--token-file", file[0], "room", "list");
    for (size_t i = 0; i < 3; i++) {
        (void)remove(file[i]);
    }
    (void)remove(path);
}

/* The first node of this machine has died, and its socket is still there. */
E2E_SCENARIO(without_an_address_the_next_socket_of_this_machine_is_asked)
{
    static const char *const argv[] = {HGTPCTL_PATH, "room", "list", NULL};
    char *folder = process_folder_make(); /* the runtime directory of what is started in it */
    char below[128], dead[160], link[160], url[TOOL_URL_BYTES];
    E2E_NODE(e, "lists.coalesce_ms=1");
    tool_url(e->daemon, url);
    snprintf(below, sizeof below, "%s/hgtp", folder);
    snprintf(dead, sizeof dead, "%s/control.sock", below);
    snprintf(link, sizeof link, "%s/control-8081.sock", below);
    assert_int_equal(mkdir(below, 0700), 0);
    assert_int_equal(symlink(url + strlen("ipc://"), link), 0);
    FILE *file = fopen(dead, "w");
    assert_non_null(file);
    fclose(file);
    struct process *tool_there = process_start(argv, folder);
    assert_int_equal(process_wait_exit(tool_there, SOON_MS), 0);
    assert_non_null(strstr(process_stderr(tool_there), "this is from ipc://"));
    process_free(tool_there);
    (void)remove(dead);
    tool_there = process_start(argv, folder);
    assert_int_equal(process_wait_exit(tool_there, SOON_MS), 0);
    assert_string_equal(process_stderr(tool_there), "");
    process_free(tool_there);
    (void)remove(link);
    (void)remove(below);
    process_folder_remove(folder);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(rooms_and_members_are_shown_as_they_are),
        E2E_TEST(changes_reach_the_people_they_concern),
        E2E_TEST(mistakes_are_told_with_what_to_do),
        E2E_TEST(tokens_say_who_may_do_what),
        E2E_TEST(without_an_address_the_next_socket_of_this_machine_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
