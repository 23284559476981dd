/* SPDX-License-Identifier: MIT */
/*
 * Every verb about rooms, sessions and what happened, against two nodes, as a table and as JSON,
 * with what it does to people of both kinds; long lists; events that go on when their node dies;
 * the doctor; who may do what.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/tool.h"

#define SOON_MS 20000

static struct daemon *at(const struct e2e *e, size_t node)
{
    return e->nodes[node].daemon;
}

/* The reply to one verb, asked of both nodes as JSON and as a table; the first one's JSON. */
#define BOTH(e, ...) both((e), (const char *const[]){__VA_ARGS__, NULL})
static json_t *both(const struct e2e *e, const char *const *words)
{
    const char *args[16] = {"-o", "json"};
    json_t *first = NULL;
    for (size_t i = 0; words[i] != NULL; i++) {
        args[2 + i] = words[i];
    }
    for (size_t node = 2; node-- > 0;) {
        tool_expect(at(e, node), 0, args, __FILE__, __LINE__);
        json_decref(first);
        first = tool_json();
        tool_expect(at(e, node), 0, args + 2, __FILE__, __LINE__);
        assert_true(tool.out[0] != '\0' && tool.out[0] != '{');
    }
    return first;
}

static const json_t *first_of(const json_t *root, const char *list)
{
    const json_t *row = json_array_get(json_object_get(root, list), 0);
    assert_non_null(row);
    return row;
}

E2E_SCENARIO(rooms_are_made_shown_filled_emptied_and_closed)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct original *bob = e2e_user_at(e, 0, "bob");
    struct talker *carol = e2e_talker_at(e, 1, "carol");

    TOOL(at(e, 0), 0, "-o", "json", "room", "create", "손님방", "--limit", "2");
    json_t *done = tool_json();
    assert_true(json_is_false(json_object_get(done, "dry_run")));
    assert_int_equal(tool_integer(done, "rooms"), 1);
    json_decref(done);
    TOOL(at(e, 1), 1, "room", "create", "손님방");
    e2e_join_room(bob, "손님방");
    e2e_talk_join_room(carol, "손님방");
    TOOL(at(e, 0), 0, "room", "limit", "손님방", "3");
    json_t *room = BOTH(e, "room", "show", "손님방");
    assert_int_equal(tool_integer(room, "limit"), 3);
    assert_int_equal(tool_integer(room, "members"), 2);
    assert_string_equal(tool_text(room, "manager"), "");
    assert_true(tool_integer(room, "age_ms") >= 0);
    json_decref(room);
    json_t *members = BOTH(e, "room", "members", "손님방");
    assert_int_equal(json_array_size(json_object_get(members, "members")), 2);
    json_decref(members);

    /* An operator's invitation is answered by its peer. */
    struct original *dave = e2e_user_at(e, 1, "dave");
    TOOL(at(e, 0), 0, "room", "invite", "손님방", "dave");
    e2e_came(original_wait_relay(dave, HGTP_INVITE_USER_FROM_ROOM));
    e2e_told(TALKER_WAIT(carol, "notice", "event", "invited", "user", "dave"));
    TOOL(at(e, 0), 0, "room", "notice", "손님방", "closing soon");
    e2e_came(original_wait_notice(dave, "closing soon"));
    e2e_told(TALKER_WAIT(carol, "notice", "notice", "closing soon"));
    assert_int_equal(talker_say_acked(carol, "already?", NULL), 6);
    json_t *history = BOTH(e, "room", "history", "손님방", "--count", "2");
    const json_t *entry = first_of(history, "entries");
    assert_int_equal(tool_integer(entry, "seq"), 5);
    assert_string_equal(tool_text(entry, "kind"), "notice");
    assert_true(json_is_true(json_object_get(history, "more")));
    json_decref(history);

    TOOL(at(e, 1), 0, "room", "kick", "손님방", "carol", "--yes");
    assert_true(talker_wait_relay(carol, HGTP_REMOVE_USER_FROM_ROOM).has_come);
    TOOL(at(e, 0), 4, "room", "kick", "손님방", "nobody", "--yes");
    TOOL(at(e, 0), 0, "-o", "json", "room", "delete", "손님방", "--dry-run");
    done = tool_json();
    assert_true(json_is_true(json_object_get(done, "dry_run")));
    assert_int_equal(json_array_size(json_object_get(done, "names")), tool_integer(done, "users"));
    json_decref(done);
    TOOL(at(e, 0), 0, "room", "show", "손님방");
    TOOL(at(e, 0), 0, "room", "delete", "손님방", "--yes");
    e2e_came(original_wait_relay(bob, HGTP_REMOVE_USER_FROM_ROOM));
    TOOL(at(e, 1), 4, "room", "show", "손님방");
    TOOL(at(e, 1), 4, "room", "notice", "손님방", "too late");
}

E2E_SCENARIO(sessions_are_listed_shown_and_ended)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    (void)e2e_user_at(e, 0, "alice");
    struct talker *bob = e2e_talker_at(e, 1, "bob");
    e2e_talk_open_room(bob, "den");
    json_t *list = BOTH(e, "session", "list", "--sort", "user", "--reverse");
    assert_int_equal(tool_integer(list, "total"), 2);
    assert_string_equal(tool_text(first_of(list, "sessions"), "user"), "bob");
    json_decref(list);
    list = BOTH(e, "session", "list", "--node", "n1");
    assert_int_equal(tool_integer(list, "total"), 1);
    json_decref(list);
    list = BOTH(e, "session", "list", "--room", "den", "--match", "b?b");
    assert_int_equal(tool_integer(list, "total"), 1);
    json_decref(list);
    json_t *shown = BOTH(e, "session", "show", "bob");
    assert_string_equal(tool_text(shown, "node"), "n1");
    assert_string_equal(tool_text(shown, "transport"), "websocket");
    assert_string_equal(tool_text(shown, "auth"), "hmac");
    json_decref(shown);
    TOOL(at(e, 0), 0, "session", "kick", "bob", "--dry-run");
    assert_non_null(strstr(tool.out, "den"));
    TOOL(at(e, 0), 0, "session", "kick", "bob", "--yes");
    assert_int_equal(ws_client_wait_close(bob->ws, SOON_MS), 4002);
    TOOL(at(e, 0), 4, "session", "show", "bob");
    TOOL(at(e, 0), 4, "room", "show", "den");
}

/* Issue 13, item 2: what was typed comes back in errors, but not to the terminal's ears. */
E2E_SCENARIO(what_was_typed_cannot_steer_the_terminal)
{
    E2E_CLUSTER(e, 1);
#define HOSTILE "a\033[2J\nb\u202e\xc2\x9b\xff"
    static const char *const lines[][6] = {
        {"room", "show", HOSTILE},
        {"room", HOSTILE},
        {HOSTILE},
        {"--" HOSTILE},
        {"room", "list", "--" HOSTILE "=1"},
        {"room", "list", "--sort", HOSTILE},
        {"room", "list", HOSTILE},
        {"room", "limit", "den", HOSTILE},
        {"room", "create", HOSTILE},
        {"session", "kick", HOSTILE, "--yes"},
        {"session", "kick", HOSTILE, "--dry-run"},
        {"node", "show", HOSTILE},
        {"node", "drain", HOSTILE, "--yes"},
        {"node", "restart-rolling", "--yes", "--wait", HOSTILE},
        {"config", "set", HOSTILE, "1", "--yes"},
        {"config", "set", "log.level", HOSTILE, "--yes"},
        {"events", "--after", HOSTILE},
        {"account", "remove", HOSTILE, "--yes"},
        {"--url", HOSTILE, "room", "list"},
        {"--url", "tcp://" HOSTILE ":1", "room", "list"},
        {"--url", "ipc:///" HOSTILE, "room", "list"},
        {"--context", HOSTILE, "room", "list"},
        {"--token-file", HOSTILE, "room", "list"},
        {"--ca-file", HOSTILE, "--url", "tls+tcp://127.0.0.1:1", "room", "list"},
        {"context", "use", HOSTILE},
        {"context", "add", HOSTILE, "tcp://127.0.0.1:1"},
        {"talk", "--key", "k", HOSTILE},
        {"talk", "--key-file", HOSTILE, "127.0.0.1:1"},
        {"talk", "--key", "k", "--name", HOSTILE, "127.0.0.1:1"},
        {"bench", "--key", "k", "--prefix", HOSTILE, "127.0.0.1:1"},
        {"completion", HOSTILE},
        {"help", HOSTILE},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *args[7] = {NULL};
        memcpy(args, lines[i], sizeof lines[i]);
        char url[TOOL_URL_BYTES];
        tool_url(at(e, 0), url);
        tool_run(args[0][0] == '-' && args[0][2] != 't' ? NULL : url, args);
        const char *const said[] = {tool.out, tool.err};
        for (size_t j = 0; j < 2; j++) {
            if (strchr(said[j], '\033') != NULL || strstr(said[j], "\nb") != NULL ||
                strstr(said[j], "\u202e") != NULL || strstr(said[j], "\xc2\x9b") != NULL ||
                strchr(said[j], '\xff') != NULL) {
                fail_msg("line %zu says: %s", i, said[j]);
            }
        }
    }
#undef HOSTILE
}

/* What is refused of several is told, and keeps nothing else from being done. */
E2E_SCENARIO(several_rooms_are_created_by_one_command)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    TOOL(at(e, 0), 0, "room", "create", "tea", "coffee", "--limit", "7");
    TOOL(at(e, 1), 1, "-o", "json", "room", "create", "juice", "tea", "water");
    assert_non_null(strstr(tool.err, "room create tea: "));
    size_t lines = 0;
    for (const char *at = tool.out; (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    assert_int_equal(lines, 2);
    json_t *list = BOTH(e, "room", "list");
    assert_int_equal(tool_integer(list, "total"), 4);
    assert_int_equal(tool_integer(first_of(list, "rooms"), "limit"), 7);
    json_decref(list);
}

E2E_SCENARIO(last_events_are_shown_however_many_there_were)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    for (int i = 0; i < 3; i++) {
        TOOL(at(e, 0), 0, "room", "create", "a", "b", "c", "d");
        TOOL(at(e, 0), 0, "room", "delete", "a", "--yes");
        TOOL(at(e, 0), 0, "room", "delete", "b", "--yes");
        TOOL(at(e, 0), 0, "room", "delete", "c", "--yes");
        TOOL(at(e, 0), 0, "room", "delete", "d", "--yes");
    }
    static const char *const rooms[] = {"b", "c", "d"};
    const char *const since[] = {NULL, "--since", "1h"};
    for (size_t with_since = 0; with_since < 2; with_since++) {
        const char *args[16] = {"-o",      "json", "events", "--kind", "ctl_room_delete",
                                "--count", "3"};
        for (size_t i = 0; with_since > 0 && i < 2; i++) {
            args[7 + i] = since[1 + i];
        }
        tool_expect(at(e, 1), 0, args, __FILE__, __LINE__);
        json_t *reply = tool_json();
        const json_t *events = json_object_get(reply, "events");
        assert_int_equal(json_array_size(events), 3);
        for (size_t i = 0; i < 3; i++) {
            assert_string_equal(tool_text(json_array_get(events, i), "room"), rooms[i]);
        }
        json_decref(reply);
    }
    TOOL(at(e, 1), 0, "-o", "json", "events", "--kind", "ctl_room_delete", "--after", "0",
         "--count", "2");
    json_t *first = tool_json();
    assert_string_equal(tool_text(first_of(first, "events"), "room"), "a");
    json_decref(first);
}

/* Issue 12, item 7. */
E2E_SCENARIO(lowered_limit_of_names_keeps_nobody_from_what_exists)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct original *alexandra = e2e_user_at(e, 0, "alexandra");
    struct original *carolina = e2e_user_at(e, 1, "carolina");
    struct talker *benjamin = e2e_talker_at(e, 1, "benjamin");
    e2e_open_room(alexandra, "kitchen");
    TOOL(at(e, 0), 0, "account", "add", "dominique");
    TOOL(at(e, 0), 0, "config", "set", "limits.name_bytes", "4", "--yes");

    e2e_join_room(carolina, "kitchen");
    e2e_ok(original_exit(carolina, "kitchen"));
    e2e_ok(original_invite(alexandra, "carolina"));
    e2e_ok(original_remove(alexandra, "carolina"));
    e2e_talk_join_room(benjamin, "kitchen");
    e2e_talk_ok(talker_exit(benjamin, "kitchen"));
    assert_true(original_register(carolina));
    json_decref(BOTH(e, "room", "show", "kitchen"));
    json_decref(BOTH(e, "room", "members", "kitchen"));
    json_decref(BOTH(e, "room", "history", "kitchen"));
    json_decref(BOTH(e, "session", "show", "benjamin"));
    json_decref(BOTH(e, "session", "list", "--room", "kitchen"));
    json_decref(BOTH(e, "events", "--after", "0", "--room", "kitchen"));
    TOOL(at(e, 0), 0, "room", "limit", "kitchen", "9");
    TOOL(at(e, 0), 0, "room", "notice", "kitchen", "tea");
    e2e_talk_join_room(benjamin, "kitchen");
    TOOL(at(e, 1), 0, "room", "kick", "kitchen", "benjamin", "--yes");
    TOOL(at(e, 0), 0, "session", "kick", "benjamin", "--yes");
    TOOL(at(e, 0), 0, "account", "remove", "dominique", "--yes");

    e2e_refused(original_create(carolina, "attic"), HGTP_BAD_REQUEST, ERR_NAME_INVALID);
    TOOL(at(e, 1), 1, "room", "create", "attic");
    TOOL(at(e, 1), 1, "account", "add", "emily");
    const struct original_options newcomer = {.name = "francis", .is_manual = true};
    struct original *francis = e2e_client_at(e, 0, &newcomer);
    original_send_register(francis);
    e2e_refused(original_wait_response(francis, HGTP_REGISTER), HGTP_BAD_REQUEST, ERR_NAME_INVALID);
    TOOL(at(e, 1), 0, "room", "delete", "kitchen", "--yes");
}

E2E_SCENARIO(every_change_is_written_down_with_who_what_and_what_came_of_it)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    (void)e2e_user_at(e, 0, "alice");
    TOOL(at(e, 0), 0, "room", "create", "den");
    TOOL(at(e, 1), 0, "room", "limit", "den", "7");
    TOOL(at(e, 0), 0, "room", "invite", "den", "alice");
    TOOL(at(e, 0), 0, "room", "notice", "den", "a \"word\"");
    TOOL(at(e, 0), 0, "notice", "to all");
    TOOL(at(e, 0), 0, "session", "kick", "alice", "--yes");
    TOOL(at(e, 0), 0, "room", "delete", "den", "--yes");
    TOOL(at(e, 0), 0, "account", "add", "bob");
    TOOL(at(e, 0), 0, "account", "remove", "bob", "--yes");
    TOOL(at(e, 0), 0, "config", "set", "lists.max", "500", "--yes");
    static const char *const kinds[] = {
        "room_create",  "room_limit",  "room_invite", "room_notice",    "notice",
        "session_kick", "room_delete", "account_add", "account_remove", "config_set"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char kind[40];
        snprintf(kind, sizeof kind, "ctl_%s", kinds[i]);
        json_t *events = BOTH(e, "events", "--after", "0", "--kind", kind);
        const json_t *event = first_of(events, "events");
        assert_string_equal(tool_text(event, "event"), kind);
        assert_non_null(strchr(tool_text(event, "actor"), '@'));
        assert_true(tool_text(event, "result")[0] != '\0');
        json_t *args = json_loads(tool_text(event, "args"), 0, NULL);
        assert_true(json_is_object(args));
        json_decref(args);
        json_decref(events);
    }
    /* What is only looked at, or only asked what it would do, is not. */
    TOOL(at(e, 0), 0, "room", "create", "hall");
    TOOL(at(e, 0), 0, "room", "delete", "hall", "--dry-run");
    TOOL(at(e, 0), 0, "-o", "json", "events", "--after", "0", "--kind", "ctl_room_delete");
    json_t *events = tool_json();
    assert_int_equal(json_array_size(json_object_get(events, "events")), 1);
    json_decref(events);
}

E2E_SCENARIO(lists_longer_than_one_answer_of_redis_are_whole)
{
    E2E_CLUSTER(e, 1);
    /* Made as the scripts make them, but at once. */
    static const char script[] =
        "for i = 1, 2500 do local id = string.format('room%08d', i) "
        "local p = KEYS[1] "
        "redis.call('HSET', p .. 'r:' .. id, 'name', 'r' .. i, 'name_key', 'r' .. i, 'manager', '', 'limit', 10, "
        "'epoch', '1', 'created', 1) "
        "redis.call('ZADD', p .. 'rooms', i, id) redis.call('SET', p .. 'rn:r' .. i, id) end";
    redisReply *reply = redis_server_command(e->redis, "EVAL %s 1 hgtp:{HGTP_SERVICE}:", script);
    assert_true(reply != NULL && reply->type != REDIS_REPLY_ERROR);
    freeReplyObject(reply);
    TOOL(at(e, 0), 0, "-o", "json", "room", "list", "--limit", "2400");
    json_t *list = tool_json();
    const json_t *rooms = json_object_get(list, "rooms");
    assert_int_equal(tool_integer(list, "total"), 2500);
    assert_int_equal(json_array_size(rooms), 2400);
    for (size_t i = 1; i < 2400; i++) {
        assert_true(strcmp(tool_text(json_array_get(rooms, i - 1), "room"),
                           tool_text(json_array_get(rooms, i), "room")) < 0);
    }
    json_decref(list);
    TOOL(at(e, 0), 0, "-o", "json", "room", "list", "--match", "r249?");
    list = tool_json();
    assert_int_equal(tool_integer(list, "total"), 10);
    json_decref(list);
    reply = redis_server_command(e->redis, "FLUSHALL");
    freeReplyObject(reply);
}

struct lines {
    struct process *tool;
    const char *text;
};

static bool has_printed(void *arg)
{
    const struct lines *lines = arg;
    return strstr(process_stdout(lines->tool), lines->text) != NULL;
}

E2E_SCENARIO(events_that_are_followed_go_on_at_another_node)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    char urls[2 * TOOL_URL_BYTES], url[TOOL_URL_BYTES];
    tool_url(at(e, 0), urls);
    tool_url(at(e, 1), url);
    snprintf(urls + strlen(urls), sizeof urls - strlen(urls), ",%s", url);
    const char *const argv[] = {HGTPCTL_PATH, "--url",    urls,     "-o",       "json",
                                "events",     "--follow", "--kind", "ctl_room", NULL};
    struct lines lines = {process_start(argv, "/tmp"), "\"room\":\"first\""};
    /* It reads from now on, whenever that is. */
    while (!has_printed(&lines)) {
        TOOL(at(e, 1), 0, "room", "create", "first");
        (void)pump_within(has_printed, &lines, 500);
        TOOL(at(e, 1), 0, "room", "delete", "first", "--yes");
    }
    TOOL(at(e, 0), 0, "room", "create", "second");
    lines.text = "\"room\":\"second\"";
    assert_true(pump_until(has_printed, &lines, SOON_MS));
    e2e_cluster_kill(e, 0);
    TOOL(at(e, 1), 0, "room", "create", "third");
    lines.text = "\"room\":\"third\"";
    assert_true(pump_until(has_printed, &lines, SOON_MS));
    const char *second = strstr(process_stdout(lines.tool), "\"room\":\"second\"");
    assert_null(strstr(second + 1, "\"room\":\"second\""));
    process_signal(lines.tool, SIGINT);
    assert_true(process_wait_exit(lines.tool, SOON_MS) >= 0);
    process_free(lines.tool);
}

E2E_SCENARIO(doctor_finds_nothing_until_something_is_wrong_and_repairs_it)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct original *alice = e2e_user_at(e, 0, "alice");
    e2e_open_room(alice, "den");
    json_t *doctor = BOTH(e, "doctor");
    assert_int_equal(json_array_size(json_object_get(doctor, "findings")), 0);
    assert_true(tool_integer(doctor, "checked") > 3);
    json_decref(doctor);
    redisReply *reply =
        redis_server_command(e->redis, "SET hgtp:{HGTP_SERVICE}:un:nobody nobodyyy");
    freeReplyObject(reply);
    TOOL(at(e, 1), 0, "-o", "json", "doctor");
    doctor = tool_json();
    const json_t *finding = first_of(doctor, "findings");
    assert_string_equal(tool_text(finding, "check"), "orphan-name");
    assert_true(tool_text(finding, "means")[0] != '\0');
    json_decref(doctor);
    TOOL(at(e, 1), 0, "doctor", "--fix");
    assert_non_null(strstr(tool.out, "orphan-name"));
    TOOL(at(e, 0), 0, "-o", "json", "doctor");
    doctor = tool_json();
    assert_int_equal(json_array_size(json_object_get(doctor, "findings")), 0);
    json_decref(doctor);
}

/* On TCP, by tokens: each role may what it may and no more. */
E2E_SCENARIO(roles_are_kept_apart_on_tcp)
{
    char path[] = "/tmp/hgtp-tokens-XXXXXX", file_set[64], url[64], one[3][40];
    static const char *const roles[] = {"view 0123456789abcdef v\n", "operate 0123456789abcdeg o\n",
                                        "administer 0123456789abcdeh a\n"};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    for (size_t i = 0; i < 3; i++) {
        assert_true(write(fd, roles[i], strlen(roles[i])) > 0);
        snprintf(one[i], sizeof one[i], "%s.%zu", path, i);
        FILE *file = fopen(one[i], "w");
        assert_non_null(file);
        fputs(roles[i], file);
        fclose(file);
    }
    close(fd);
    snprintf(file_set, sizeof file_set, "control.token_file=%s", path);
    E2E_NODE(e, "control.listen=tcp://127.0.0.1:0", file_set);
    const char *address = strstr(process_stderr(e->daemon->process), "control=tcp://");
    assert_non_null(address);
    snprintf(url, sizeof url, "%.*s", (int)strcspn(address + 8, " "), address + 8);
    static const struct {
        int least; /* role, from 0 */
        const char *words[6];
    } verbs[] = {{0, {"room", "list"}},
                 {0, {"doctor"}},
                 {0, {"account", "list"}},
                 {1, {"room", "create", "den"}},
                 {1, {"notice", "hello"}},
                 {1, {"room", "delete", "den", "--yes"}},
                 {2, {"doctor", "--fix"}},
                 {2, {"account", "add", "bob"}},
                 {2, {"config", "set", "lists.max", "99", "--yes"}},
                 {2, {"node", "resume"}}};
    for (size_t v = 0; v < sizeof verbs / sizeof verbs[0]; v++) {
        for (int role = 0; role < 3; role++) {
            const char *args[10] = {"--token-file", one[role]};
            for (size_t i = 0; i < 6 && verbs[v].words[i] != NULL; i++) {
                args[2 + i] = verbs[v].words[i];
            }
            tool_run(url, args);
            bool may = role >= verbs[v].least;
            /* What an earlier role has done already is refused for that, not for the role. */
            if ((tool.code == 5) == may) {
                fail_msg("%s %s by %s: %d %s", verbs[v].words[0], verbs[v].words[1], roles[role],
                         tool.code, tool.err);
            }
        }
    }
    tool_run(url, (const char *const[]){"room", "list", NULL});
    assert_int_equal(tool.code, 5);
    for (size_t i = 0; i < 3; i++) {
        (void)unlink(one[i]);
    }
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(rooms_are_made_shown_filled_emptied_and_closed),
        E2E_TEST(sessions_are_listed_shown_and_ended),
        E2E_TEST(what_was_typed_cannot_steer_the_terminal),
        E2E_TEST(several_rooms_are_created_by_one_command),
        E2E_TEST(last_events_are_shown_however_many_there_were),
        E2E_TEST(lowered_limit_of_names_keeps_nobody_from_what_exists),
        E2E_TEST(every_change_is_written_down_with_who_what_and_what_came_of_it),
        E2E_TEST(lists_longer_than_one_answer_of_redis_are_whole),
        E2E_TEST(events_that_are_followed_go_on_at_another_node),
        E2E_TEST(doctor_finds_nothing_until_something_is_wrong_and_repairs_it),
        E2E_TEST(roles_are_kept_apart_on_tcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
