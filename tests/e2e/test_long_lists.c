/* SPDX-License-Identifier: MIT */
/*
 * Lists that are longer than lists.max, with many real sessions: what each kind of client is told
 * of them, on a connection by hand, on the page, in the terminal, and on the original's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/talk_page.h"
#include "tests/support/tool.h"

/* A session by POST alone, in a crowd named u0000, u0001, ... */
static void join_crowd(struct e2e *e, unsigned number)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    char name[16];
    snprintf(name, sizeof name, "u%04u", number);
    struct talk_speaker speaker;
    talk_request_init(&speaker);
    struct sink out = sink_into(storage, sizeof storage);
    talk_request_register(&speaker, name, &out);
    struct talker_reply reply = e2e_post_hgtp(e->daemon->http_port, NULL, sink_bytes(&out), NULL);
    e2e_talk_refused(reply, HGTP_UNAUTHORIZED, ERR_NONE);
    out = sink_into(storage, sizeof storage);
    talk_request_proof(&speaker, reply.msg.challenge.realm, TALKER_KEY, &out);
    e2e_talk_ok(e2e_post_hgtp(e->daemon->http_port, NULL, sink_bytes(&out), NULL));
}

static void crowd(struct e2e *e, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        join_crowd(e, i);
    }
}

/* Lists as a connection gets them ----------------------------------------------------------------
 */

struct told {
    const char *type;
    int64_t total; /* < 0: any */
    int64_t first; /* < 0: no page */
};

static int64_t number(const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);
    return json_is_integer(value) ? json_integer_value(value) : -1;
}

static bool is_told(const struct ws_client_message *message, const void *arg)
{
    const struct told *told = arg;
    return ws_client_is_type(message, told->type) &&
           number(message->json, "first") == told->first &&
           (told->total < 0 || number(message->json, "total") == told->total);
}

static const json_t *wait_told(struct talker *talker, const char *type, int64_t total,
                               int64_t first)
{
    const struct told told = {type, total, first};
    const struct ws_client_message *message =
        ws_client_wait(talker->ws, is_told, &told, TALKER_WAIT_MS);
    return e2e_told(message != NULL ? message->json : NULL);
}

static bool has_name(const json_t *list, const char *name)
{
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(list, "users"), i, one)
    {
        if (strcmp(json_string_value(one), name) == 0) {
            return true;
        }
    }
    return false;
}

static size_t length(const json_t *list)
{
    return json_array_size(json_object_get(list, "users"));
}

/* All pages of the list of users, asked for by REFRESH: of one version, each name once. */
static void expect_pages(struct talker *talker, int64_t total, size_t page)
{
    json_t *names = json_object();
    int64_t first = 0, version = -1;
    e2e_talk_ok(talker_refresh(talker));
    for (bool is_more = true; is_more; first += (int64_t)page) {
        const json_t *list = wait_told(talker, "user_list", total, first);
        size_t i;
        const json_t *name;
        json_array_foreach(json_object_get(list, "users"), i, name)
        {
            json_object_set_new(names, json_string_value(name), json_true());
        }
        assert_true(version < 0 || version == number(list, "version"));
        version = number(list, "version");
        is_more = json_is_true(json_object_get(list, "more"));
        assert_int_equal(length(list), is_more ? page : (size_t)(total - first));
    }
    assert_int_equal(json_object_size(names), total);
    json_decref(names);
}

/* Issue 13, item 18. */
E2E_SCENARIO(long_list_is_told_by_its_first_page_with_oneself_in_it)
{
    E2E_NODE(e, "lists.max=10", "redis.deadline_ms=30000");
    crowd(e, 25);
    struct talker *zoe = e2e_visitor(e, "zoe");
    assert_true(talker_register(zoe));
    const json_t *list = wait_told(zoe, "user_list", 26, -1);
    int64_t version = number(list, "version");
    assert_int_equal(length(list), 10);
    assert_true(has_name(list, "zoe") && has_name(list, "u0000"));
    expect_pages(zoe, 26, 10);
    join_crowd(e, 25);
    list = wait_told(zoe, "user_list", 27, -1);
    assert_true(number(list, "version") > version && has_name(list, "zoe"));
    expect_pages(zoe, 27, 10);
    struct talker *amy = e2e_visitor(e, "amy");
    assert_true(talker_register(amy));
    assert_true(has_name(wait_told(zoe, "user_list", 28, -1), "amy"));
    e2e_talk_ok(talker_unregister(amy));
    assert_false(has_name(wait_told(zoe, "user_list", 27, -1), "amy"));
}

/* Issue 13, item 18: more than one call reads. */
E2E_SCENARIO(list_of_more_than_a_thousand_is_whole_on_refresh)
{
    E2E_NODE(e, "limits.registers_per_s=100000", "redis.deadline_ms=30000");
    crowd(e, 1200);
    struct talker *zoe = e2e_visitor(e, "zoe");
    assert_true(talker_register(zoe));
    const json_t *list = wait_told(zoe, "user_list", 1201, -1);
    assert_int_equal(length(list), 1000);
    assert_true(has_name(list, "zoe"));
    expect_pages(zoe, 1201, 1000);
}

/* Issue 13, item 18. */
E2E_SCENARIO(members_beyond_the_first_page_are_counted_and_see_themselves)
{
    static const char *const names[] = {"amy", "bea", "cat", "dot", "eve"};
    struct talker *talkers[5];
    E2E_NODE(e, "lists.max=3", "redis.deadline_ms=30000");
    for (size_t i = 0; i < 5; i++) {
        talkers[i] = e2e_visitor(e, names[i]);
        assert_true(talker_register(talkers[i]));
    }
    e2e_talk_ok(talker_create(talkers[0], "den"));
    for (size_t i = 1; i < 5; i++) {
        e2e_talk_ok(talker_join(talkers[i], "den"));
    }
    for (size_t i = 0; i < 5; i++) {
        const json_t *list = wait_told(talkers[i], "room_user_list", 5, -1);
        assert_true(length(list) == 3 && has_name(list, names[i]));
        assert_string_equal(json_string_value(json_object_get(list, "manager")), "amy");
    }
    e2e_talk_ok(talker_refresh(talkers[4]));
    assert_true(length(wait_told(talkers[4], "room_user_list", 5, 0)) == 3);
    assert_true(length(wait_told(talkers[4], "room_user_list", 5, 3)) == 2);
    e2e_talk_ok(talker_exit(talkers[1], "den"));
    assert_false(has_name(wait_told(talkers[4], "room_user_list", 4, -1), "bea"));
    assert_true(talker_say_acked(talkers[4], "hello", "1") > 0);
}

/* Original clients ------------------------------------------------------------------------------
 */

static bool is_first_page(const struct original_event *event, const void *name)
{
    bool has = false;
    for (size_t i = 0; i < event->name_count; i++) {
        has = has || strcmp(event->names[i], name) == 0;
    }
    return has && event->name_count == 10;
}

/* It takes each list for the whole one, so it gets one page, and always the first one. */
E2E_SCENARIO(original_client_gets_the_first_page_with_itself)
{
    E2E_NODE(e, "lists.max=10", "redis.deadline_ms=30000");
    crowd(e, 25);
    struct original *zoe = e2e_client(e, "zoe");
    assert_true(original_register(zoe));
    e2e_came(original_wait_push(zoe, PUSH_USER_LIST, is_first_page, "zoe"));
    e2e_open_room(zoe, "den");
    struct talker *amy = e2e_visitor(e, "amy");
    assert_true(talker_register(amy));
    e2e_came(original_wait_push(zoe, PUSH_USER_LIST, is_first_page, "amy"));
    original_send_plain(zoe, HGTP_REFRESH);
    e2e_ok(original_wait_response(zoe, HGTP_REFRESH));
    e2e_came(original_wait_push(zoe, PUSH_USER_LIST, is_first_page, "zoe"));
    e2e_talk_join_room(amy, "den");
    assert_true(original_say(zoe, "hello"));
    e2e_told(TALKER_WAIT(amy, "message", "message", "hello"));
}

/* The terminal ----------------------------------------------------------------------------------
 */

E2E_SCENARIO(tools_say_how_many_there_are)
{
    char address[24], hgtp[24];
    E2E_NODE(e, "lists.max=10", "redis.deadline_ms=30000");
    crowd(e, 25);
    snprintf(address, sizeof address, "127.0.0.1:%u", e->daemon->http_port);
    snprintf(hgtp, sizeof hgtp, "127.0.0.1:%u", e->daemon->hgtp_port);
    const char *const argv[] = {HGTPCTL_PATH, "talk",   "--name", "zoe",   "--key",
                                TALKER_KEY,   "--hgtp", hgtp,     address, NULL};
    struct process *talk = process_start_fed(argv, "/tmp");
    assert_true(process_write(talk, "/create den\n"));
    assert_true(process_wait_output(talk, "opened the room", 20000));
    assert_true(process_write(talk, "/users\n"));
    assert_true(process_wait_output(talk, "in den (1):", 20000));
    assert_true(process_wait_output(talk, "elsewhere (25):", 20000));
    assert_true(process_wait_output(talk, "and 16 more; /refresh gets all of them", 20000));
    assert_null(strstr(process_stdout(talk), "u0024"));
    assert_true(process_write(talk, "/refresh\n"));
    while (strstr(process_stdout(talk), "u0024") == NULL) {
        assert_true(process_write(talk, "/users\n"));
        (void)process_wait_output(talk, "u0024", 500);
    }
    process_end_input(talk);
    assert_int_equal(process_wait_exit(talk, 20000), 0);
    process_free(talk);
    TOOL(e->daemon, 0, "session", "list", "--limit", "10");
    assert_non_null(strstr(tool.err, "10 of 25 are shown"));
    TOOL(e->daemon, 0, "session", "list");
    assert_null(strstr(tool.err, "are shown"));
}

/* The page --------------------------------------------------------------------------------------
 */

static void expect_people(struct browser *person, const char *count, size_t shown)
{
    browser_expect(person,
                   "const all = document.querySelectorAll('#users > li');"
                   "return document.querySelector('#users-count').textContent === arguments[0] && "
                   "all.length === arguments[1] && "
                   "[...all].some((li) => li.dataset.user === 'zoe') && "
                   "document.querySelector('#users-more').hidden === "
                   "(arguments[0] === String(arguments[1]));",
                   json_pack("[s, i]", count, (int)shown));
}

/* Issue 13, item 18: it said "Everybody 0". */
PAGE_SCENARIO(page_counts_everybody_and_shows_more)
{
    PAGE_NODE(scene, "lists.max=10");
    crowd(scene->e, 25);
    struct browser *zoe = page_scene_person(scene, "zoe");
    talk_page_send_form(zoe, "zoe", PAGE_KEY);
    expect_people(zoe, "26", 10);
    browser_expect(zoe,
                   "return document.querySelector('#users-more').textContent === 'Show more (10 of "
                   "26)';",
                   NULL);
    page_scene_picture(scene, zoe, "first");
    join_crowd(scene->e, 25);
    expect_people(zoe, "27", 10);
    browser_click(zoe, "#users-more");
    expect_people(zoe, "27", 27);
    join_crowd(scene->e, 26);
    expect_people(zoe, "28", 28);
    page_scene_picture(scene, zoe, "all");
    browser_reload(zoe);
    expect_people(zoe, "28", 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(long_list_is_told_by_its_first_page_with_oneself_in_it),
        E2E_TEST(list_of_more_than_a_thousand_is_whole_on_refresh),
        E2E_TEST(members_beyond_the_first_page_are_counted_and_see_themselves),
        E2E_TEST(original_client_gets_the_first_page_with_itself),
        E2E_TEST(tools_say_how_many_there_are),
        PAGE_TEST(page_counts_everybody_and_shows_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
