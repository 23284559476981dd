/* SPDX-License-Identifier: MIT */
/*
 * Tests of the scripts that operators call, on a real Redis: what is shown of rooms, sessions and
 * nodes, in which order and in which pages, and what is told of events. What operators change is in
 * test_ctl_changes.c.
 */
#include "ctl_fixture.h"

/* Rooms ------------------------------------------------------------------------------------------
 */

static void ctl_room_shows_all_that_is_known_of_it(void **state)
{
    (void)state;
    world();
    assert_int_equal(CTL(ctl_room_show, "room", "hall"), ERR_NONE);
    assert_true(has_effect(
        "row Room room hall id hallhallhall kind users manager alice members 3 limit 100 "
        "messages 3 kept 3 created_ms "));
    assert_true(has_effect(" nodes n1: 3\n"));
    assert_int_equal(CTL(ctl_room_show, "room", "no"), ERR_ROOM_UNKNOWN);
}

static void ctl_room_with_members_at_two_runs_of_a_node_counts_them_together(void **state)
{
    (void)state;
    world();
    command("HSET hgtp:{T}:rh:hallhallhall n1@2 2 n0@1 1");
    CTL(ctl_room_show, "room", "hall");
    assert_true(has_effect(" nodes n0: 1 nodes n1: 5\n"));
}

static int list_rooms(const char *match, const char *sort, const char *reverse, const char *limit)
{
    return CTL(ctl_room_list, "match", match, "sort", sort, "reverse", reverse, "limit", limit);
}

/* The names of the rooms or users shown, each followed by a blank. */
static const char *shown(const char *row)
{
    static char names[1024];
    names[0] = '\0';
    for (const char *at = last.effects; (at = strstr(at, row)) != NULL; at++) {
        const char *name = at + strlen(row);
        strncat(names, name, strcspn(name, " ") + 1);
    }
    return names;
}

/* Four rooms: hall with 3 members, and three that differ in all that can be sorted by. */
static void four_rooms(void)
{
    world();
    CTL(ctl_room_create, "room", "tea-1", "limit", "");
    CTL(ctl_room_create, "room", "tea-2", "limit", "");
    CTL(ctl_room_create, "room", "coffee", "limit", "");
    CALL(join, "carol+++", "room", "tea-2");
    for (int i = 0; i < 3; i++) {
        CTL(ctl_room_notice, "room", "tea-1", "text", "x");
    }
    char text[200];
    const char *const names[] = {"tea-1", "tea-2", "coffee"};
    for (int i = 0; i < 3; i++) {
        snprintf(text, sizeof text, "GET hgtp:{T}:rn:%s", names[i]);
        char rid[32];
        snprintf(rid, sizeof rid, "%s", command(text));
        snprintf(text, sizeof text, "ZADD hgtp:{T}:rooms %d %s", 3000 - i, rid);
        command(text);
    }
    command("ZADD hgtp:{T}:rooms 4000 hallhallhall");
}

static void ctl_room_list_is_sorted_as_asked(void **state)
{
    (void)state;
    four_rooms();
    static const char *const orders[][2] = {{"", "coffee hall tea-1 tea-2 "},
                                            {"room", "coffee hall tea-1 tea-2 "},
                                            {"members", "coffee tea-1 tea-2 hall "},
                                            {"messages", "coffee tea-2 hall tea-1 "},
                                            {"age", "hall tea-1 tea-2 coffee "}};
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        assert_int_equal(list_rooms("", orders[i][0], "", "0"), ERR_NONE);
        assert_string_equal(shown("row Room room "), orders[i][1]);
        assert_string_equal(last.extra, "0");
        assert_true(has_effect("row RoomListReply total 4\n"));
    }
    list_rooms("", "members", "1", "2");
    assert_string_equal(shown("row Room room "), "hall tea-2 ");
    assert_true(has_effect("row RoomListReply total 4\n"));
    assert_int_equal(list_rooms("", "idle", "", "0"), ERR_NONE);
    assert_int_equal(list_rooms("", "colour", "", "0"), ERR_MALFORMED);
}

static void ctl_room_list_has_those_whose_names_match(void **state)
{
    (void)state;
    four_rooms();
    CTL(ctl_room_create, "room", "차-1", "limit", "");
    static const char *const matches[][2] = {{"tea", "tea-1 tea-2 "},
                                             {"ea-1", "tea-1 "},
                                             {"tea*", "tea-1 tea-2 "},
                                             {"ea*", ""},
                                             {"*ea?2", "tea-2 "},
                                             {"?", ""},
                                             {"?-1", "차-1 "},
                                             {"?????", "tea-1 tea-2 "},
                                             {"*", "coffee hall tea-1 tea-2 차-1 "},
                                             {"c*f*e", "coffee "},
                                             {"c*f*f*f*e", ""},
                                             {"te%w-1", ""},
                                             {"tea.1", ""},
                                             {"*-*", "tea-1 tea-2 차-1 "}};
    for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++) {
        list_rooms(matches[i][0], "", "", "0");
        assert_string_equal(shown("row Room room "), matches[i][1]);
    }
}

/* Rooms big00000 to big02499, as raw as they can be. */
static void many_rooms(void)
{
    eval(
        "for i = 0, 2499 do local id, name = string.format('%012d', i), string.format('big%05d', i)"
        " redis.call('HSET', 'hgtp:{T}:r:' .. id, 'name', name, 'manager', '', 'created', 1000 + i,"
        " 'epoch', 1, 'limit', 9)"
        " redis.call('ZADD', 'hgtp:{T}:rooms', 1000 + i, id) end return 1");
}

static void ctl_list_of_thousands_comes_complete_and_in_order_by_several_calls(void **state)
{
    (void)state;
    static char cursor[16384], expected[32];
    empty_realm();
    many_rooms();
    int count = 0, calls = 0;
    cursor[0] = '\0';
    do {
        assert_int_equal(CTL(ctl_room_list, "match", "", "sort", "", "reverse", "1", "limit",
                             "2100", "cursor", cursor),
                         ERR_NONE);
        for (const char *at = last.effects; (at = strstr(at, "row Room room ")) != NULL; at++) {
            snprintf(expected, sizeof expected, "row Room room big%05d ", 2499 - count++);
            assert_memory_equal(at, expected, strlen(expected));
        }
        snprintf(cursor, sizeof cursor, "%s", last.extra);
        calls++;
    } while (strcmp(cursor, "0") != 0);
    assert_int_equal(count, 2100);
    assert_true(calls > 3);
    assert_true(has_effect("row RoomListReply total 2500\n"));
}

static void ctl_members_are_shown_with_what_they_live_by(void **state)
{
    (void)state;
    world();
    command("HSET hgtp:{T}:u:alice+++ http 127.0.0.1:77");
    command("HSET hgtp:{T}:u:bob+++++ line w0123");
    command("HSET hgtp:{T}:u:erin++++ line s0123 home n7@3");
    assert_int_equal(CTL(ctl_room_members, "room", "hall"), ERR_NONE);
    assert_string_equal(shown("row Member user "), "alice bob erin ");
    assert_true(has_effect(" node n1 transport push manager 1\n"));
    assert_true(has_effect(" node n1 transport websocket manager \n"));
    assert_true(has_effect(" node n7 transport stream manager \n"));
    assert_string_equal(last.extra, "0");
    assert_int_equal(CTL(ctl_room_members, "room", "no"), ERR_ROOM_UNKNOWN);
}

static void ctl_history_is_oldest_first_and_says_whether_there_is_more(void **state)
{
    (void)state;
    world();
    CALL(say, "bob+++++", "text", "hello there", "sent", "1");
    assert_int_equal(CTL(ctl_room_history, "room", "hall", "before", "0", "count", "2"), ERR_NONE);
    const char *older =
        strstr(last.effects, "row Entry seq 3 kind joined user erin text  time_ms ");
    const char *newer = strstr(last.effects, "row Entry seq 4 kind message user bob text hello ");
    assert_true(older != NULL && newer != NULL && older < newer);
    assert_true(has_effect("row RoomHistoryReply room hall more 1\n"));
    CTL(ctl_room_history, "room", "hall", "before", "3", "count", "0");
    assert_true(has_effect("row Entry seq 1 kind created user alice text hall "));
    assert_true(has_effect("row Entry seq 2 "));
    assert_false(has_effect("row Entry seq 3 "));
    assert_true(has_effect("row RoomHistoryReply room hall more \n"));
    assert_int_equal(CTL(ctl_room_history, "room", "no", "before", "0", "count", "0"),
                     ERR_ROOM_UNKNOWN);
}

/* Sessions and nodes -----------------------------------------------------------------------------
 */

static int list_sessions(const char *match, const char *sort, const char *node, const char *room)
{
    return CTL(ctl_session_list, "match", match, "sort", sort, "reverse", "", "limit", "0", "node",
               node, "room", room);
}

static void ctl_session_list_is_sorted_and_filtered_as_asked(void **state)
{
    (void)state;
    world();
    command("HSET hgtp:{T}:u:bob+++++ home n2@1 since 5");
    command("ZADD hgtp:{T}:sessions 4000000000000 alice+++");
    static const char *const asked[][5] = {{"", "", "", "", "alice bob carol dave erin "},
                                           {"", "room", "", "", "carol dave alice bob erin "},
                                           {"", "node", "", "", "alice carol dave erin bob "},
                                           {"a", "", "", "", "alice carol dave "},
                                           {"", "", "n2", "", "bob "},
                                           {"", "", "n2@7", "", "bob "}, /* whichever run of it */
                                           {"", "", "", "hall", "alice bob erin "},
                                           {"*b*", "", "n2", "hall", "bob "},
                                           {"", "", "n3", "", ""}};
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        assert_int_equal(list_sessions(asked[i][0], asked[i][1], asked[i][2], asked[i][3]),
                         ERR_NONE);
        assert_string_equal(shown("row Session user "), asked[i][4]);
    }
    list_sessions("", "since", "", "");
    assert_memory_equal(shown("row Session user "), "bob ", 4);
    list_sessions("", "expires", "", "");
    assert_non_null(strstr(shown("row Session user "), " alice "));
    assert_true(has_effect("row SessionListReply total 5\n"));
    assert_int_equal(list_sessions("", "colour", "", ""), ERR_MALFORMED);
    assert_int_equal(list_sessions("", "", "", "no"), ERR_ROOM_UNKNOWN);
}

static void ctl_session_shows_where_it_is_and_what_it_owes(void **state)
{
    (void)state;
    world();
    assert_int_equal(CTL(ctl_session_show, "user", "dave"), ERR_NONE);
    assert_true(has_effect("row Session user dave id dave++++ state INVITE room  node n1 transport "
                           "none address 127.0.0.1:5 auth md5 since_ms 1"));
    assert_true(has_effect(" waiting INVITE\n"));
    CTL(ctl_session_show, "user", "erin");
    assert_true(has_effect(" state REMOVE room hall ") && has_effect(" waiting REMOVE\n"));
    assert_int_equal(CTL(ctl_session_show, "user", "nobody"), ERR_PEER_UNKNOWN);
}

static void ctl_nodes_tells_the_living_from_the_silent_and_the_lost(void **state)
{
    (void)state;
    world();
    assert_int_equal(CALL(beat, NULL, "node", "n1@1"), ERR_NONE);
    command("HSET hgtp:{T}:nodes n2@1 {\"beat\":1,\"steady\":1,\"since\":1,\"bus\":\"x\"}");
    command("HSET hgtp:{T}:nodes n3@1 what");
    command("SADD hgtp:{T}:lost n4@1");
    command("HSET hgtp:{T}:home:n4@1 zoe+++++ x");
    assert_int_equal(CTL(ctl_nodes, "text", ""), ERR_NONE);
    assert_true(has_effect("row Node id n1 incarnation 1 state serving hgtp 127.0.0.1:9 http  "
                           "bus tcp://127.0.0.1:9 since_ms 1"));
    assert_true(has_effect(" sessions 5 error \n"));
    assert_true(has_effect("row Node id n2 incarnation 1 state silent "));
    assert_true(has_effect("row Node id n3 incarnation 1 state silent "));
    assert_true(has_effect("cannot be read\n"));
    assert_true(has_effect("row Node id n4 incarnation 1 state silent "));
    assert_true(has_effect(" sessions 1 error it is no more"));
}

/* Events -----------------------------------------------------------------------------------------
 */

/* The cursor that the last reply gave for the next request. */
static char events_cursor[64];

static int read_events(const char *after, const char *since, const char *count, const char *kind,
                       const char *user, const char *room)
{
    int code = CTL(ctl_events, "after", after, "since_ms", since, "count", count, "kind", kind,
                   "user", user, "room", room);
    const char *cursor = strstr(last.effects, "row EventsReply cursor ");
    assert_true(code != ERR_NONE || cursor != NULL);
    (void)sscanf(cursor != NULL ? cursor : "", "row EventsReply cursor %63s", events_cursor);
    return code;
}

static size_t events_shown(void)
{
    size_t count = 0;
    for (const char *at = last.effects; (at = strstr(at, "row Event id ")) != NULL; at++) {
        count++;
    }
    return count;
}

static void ctl_events_are_read_once_each_from_cursor_to_cursor(void **state)
{
    (void)state;
    world(); /* 5 registered, 1 created, 2 joined */
    assert_int_equal(read_events("0", "0", "3", "", "", ""), ERR_NONE);
    assert_int_equal(events_shown(), 3);
    assert_true(has_effect(" event session_registered user alice room  node n1@1 actor  args  "));
    read_events(events_cursor, "0", "0", "", "", "");
    assert_int_equal(events_shown(), 5);
    assert_false(has_effect(" user alice room  "));
    read_events(events_cursor, "0", "0", "", "", "");
    assert_int_equal(events_shown(), 0);
    CALL(exit, "bob+++++", "room", "hall");
    read_events(events_cursor, "0", "0", "", "", "");
    assert_int_equal(events_shown(), 1);
    assert_true(has_effect(" event room_left user bob room hall "));
}

static void ctl_events_begin_now_or_so_long_ago(void **state)
{
    (void)state;
    world();
    read_events("", "0", "0", "", "", "");
    assert_int_equal(events_shown(), 0);
    CALL(exit, "bob+++++", "room", "hall");
    read_events(events_cursor, "0", "0", "", "", "");
    assert_int_equal(events_shown(), 1);
    read_events("", "3600000", "0", "", "", "");
    assert_int_equal(events_shown(), 9);
    assert_int_equal(read_events("yesterday", "0", "0", "", "", ""), ERR_MALFORMED);
    empty_realm();
    read_events("", "0", "0", "", "", "");
    assert_string_equal(events_cursor, "0");
    registered("alice+++", "alice");
    read_events("0", "0", "0", "", "", "");
    assert_int_equal(events_shown(), 1);
}

static void ctl_events_are_filtered_by_kind_user_and_room(void **state)
{
    (void)state;
    world();
    read_events("0", "0", "0", "room_", "", "");
    assert_int_equal(events_shown(), 3);
    read_events("0", "0", "0", "", "bob", "");
    assert_int_equal(events_shown(), 2);
    read_events("0", "0", "0", "room_joined", "", "hall");
    assert_int_equal(events_shown(), 2);
    read_events("0", "0", "0", "", "", "nook");
    assert_int_equal(events_shown(), 0);
    read_events(events_cursor, "0", "0", "", "", "");
    assert_int_equal(events_shown(), 0); /* what did not match has been passed */
}

static void ctl_events_that_were_trimmed_unread_are_told_as_a_gap(void **state)
{
    (void)state;
    world();
    read_events("0", "0", "2", "", "", "");
    char cursor[64];
    memcpy(cursor, events_cursor, sizeof cursor);
    read_events(cursor, "0", "0", "", "", "");
    assert_false(has_effect(" event gap "));
    command("XTRIM hgtp:{T}:events MAXLEN 4");
    read_events(cursor, "0", "0", "room_", "", "");
    assert_true(has_effect(" event gap user  room  node  actor  args  result events between "));
    assert_int_equal(events_shown(), 1 + 3);
    read_events(events_cursor, "0", "0", "", "", "");
    assert_int_equal(events_shown(), 0);
    read_events("0", "0", "0", "", "", "");
    assert_false(has_effect(" event gap "));
}

static void ctl_events_that_are_hard_to_find_take_several_calls(void **state)
{
    (void)state;
    empty_realm();
    eval("for i = 1, 2500 do redis.call('XADD', 'hgtp:{T}:events', '*', 'event',"
         " i % 1000 == 0 and 'rare' or 'common') end return 1");
    size_t found = 0;
    char cursor[64] = "";
    int calls = 0;
    do {
        assert_int_equal(CTL(ctl_events, "after", "0", "since_ms", "0", "count", "2", "kind",
                             "rare", "user", "", "room", "", "cursor", cursor),
                         ERR_NONE);
        found += events_shown();
        snprintf(cursor, sizeof cursor, "%.60s", last.extra);
        calls++;
    } while (strcmp(cursor, "0") != 0);
    assert_int_equal(found, 2);
    assert_int_equal(calls, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ctl_room_shows_all_that_is_known_of_it),
        cmocka_unit_test(ctl_room_with_members_at_two_runs_of_a_node_counts_them_together),
        cmocka_unit_test(ctl_room_list_is_sorted_as_asked),
        cmocka_unit_test(ctl_room_list_has_those_whose_names_match),
        cmocka_unit_test(ctl_list_of_thousands_comes_complete_and_in_order_by_several_calls),
        cmocka_unit_test(ctl_members_are_shown_with_what_they_live_by),
        cmocka_unit_test(ctl_history_is_oldest_first_and_says_whether_there_is_more),
        cmocka_unit_test(ctl_session_list_is_sorted_and_filtered_as_asked),
        cmocka_unit_test(ctl_session_shows_where_it_is_and_what_it_owes),
        cmocka_unit_test(ctl_nodes_tells_the_living_from_the_silent_and_the_lost),
        cmocka_unit_test(ctl_events_are_read_once_each_from_cursor_to_cursor),
        cmocka_unit_test(ctl_events_begin_now_or_so_long_ago),
        cmocka_unit_test(ctl_events_are_filtered_by_kind_user_and_room),
        cmocka_unit_test(ctl_events_that_were_trimmed_unread_are_told_as_a_gap),
        cmocka_unit_test(ctl_events_that_are_hard_to_find_take_several_calls),
    };
    return cmocka_run_group_tests(tests, scripts_set_up, scripts_tear_down);
}
