/* SPDX-License-Identifier: MIT */
/*
 * hgtpctl top as operators have it: in a real terminal that changes its size, with keys, against
 * nodes of which one dies; and for programs, one reading after the other.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/terminal.h"
#include "tests/support/tool.h"

#define WAIT_MS   20000
#define SILENT_MS 10000

static struct daemon *at(const struct e2e *e, size_t node)
{
    return e->nodes[node].daemon;
}

static void print_terminal(const void *guest, FILE *out)
{
    fprintf(out, "--- the screen\n%s---\n", terminal_screen(guest));
}

static void free_terminal(void *guest)
{
    terminal_free(guest);
}

static void free_folder(void *guest)
{
    process_folder_remove(guest);
    free(guest);
}

struct seat {
    struct terminal *terminal;
    char *folder; /* has the files `pid`, and `before` and `after` of the terminal's modes */
};

/* The node's address in that folder, which stays the same when the node is started again. */
static void link_node(const struct e2e *e, const char *folder, size_t node, char ret_url[64])
{
    char url[TOOL_URL_BYTES];
    tool_url(at(e, node), url);
    snprintf(ret_url, 64, "ipc://%s/n%zu.sock", folder, node);
    (void)unlink(ret_url + strlen("ipc://"));
    assert_int_equal(symlink(url + strlen("ipc://"), ret_url + strlen("ipc://")), 0);
}

/* The terminal's modes; its size is tmux' business. */
#define MODES "stty -a | sed 's/rows [0-9]*; columns [0-9]*;//'"

/* A shell that runs `top OPTIONS` with all nodes as addresses, and then says what it has left. */
static struct seat sits_down(struct e2e *e, const char *options)
{
    static const char script[] =
        "cd \"$0\"; echo first line; " MODES " >before; "
        "sh -c 'echo $$ >pid; exec " HGTPCTL_PATH " --url \"$1\" top '\"$2\" sh \"$1\"; "
        "echo \"top ended with $?.\"; " MODES
        " >after; cmp before after && echo modes are the same";
    char urls[E2E_NODES_MAX * 64] = "", url[64];
    struct seat seat = {.folder = process_folder_make()};
    for (size_t i = 0; i < e->node_count; i++) {
        link_node(e, seat.folder, i, url);
        snprintf(urls + strlen(urls), sizeof urls - strlen(urls), "%s%s", i > 0 ? "," : "", url);
    }
    const char *const argv[] = {"sh", "-c", script, seat.folder, urls, options, NULL};
    seat.terminal = terminal_open(argv, seat.folder, 80, 24);
    const struct e2e_guest guests[] = {
        {.guest = seat.terminal, .print = print_terminal, .free = free_terminal},
        {.guest = seat.folder, .free = free_folder}};
    e2e_adopt(e, &guests[0]);
    e2e_adopt(e, &guests[1]);
    return seat;
}

#define sees(terminal, text) sees_at((terminal), (text), __LINE__)
static void sees_at(struct terminal *terminal, const char *text, int line)
{
    if (!terminal_shows(terminal, text, WAIT_MS)) {
        fail_msg("line %d: not on the screen: %s", line, text);
    }
}

/* The screen's line with that text; "" when there is none. Valid until the next call. */
static const char *line_with(struct terminal *terminal, const char *text)
{
    static char line[1024];
    line[0] = '\0';
    const char *found = strstr(terminal_look(terminal, false), text);
    if (found != NULL) {
        const char *begin = found;
        while (begin > terminal_screen(terminal) && begin[-1] != '\n') {
            begin--;
        }
        snprintf(line, sizeof line, "%.*s", (int)strcspn(begin, "\n"), begin);
    }
    return line;
}

struct wanted {
    struct terminal *terminal;
    const char *first, *then;
};

static bool is_in_order(void *arg)
{
    const struct wanted *wanted = arg;
    const char *screen = terminal_look(wanted->terminal, false);
    const char *first = strstr(screen, wanted->first), *then = strstr(screen, wanted->then);
    return first != NULL && then != NULL && first < then;
}

/* The screen says nothing by itself: it is looked at again and again. */
static bool comes_true(bool (*is_so)(void *arg), struct wanted *wanted)
{
    int64_t until_ms = pump_deadline_ms(WAIT_MS);
    while (!is_so(wanted) && pump_now_ms() < until_ms) {
        e2e_retry_pause();
    }
    return is_so(wanted);
}

/* `first` stands before, or above, `then`. */
#define sees_order(terminal, first, then) sees_order_at((terminal), (first), (then), __LINE__)
static void sees_order_at(struct terminal *terminal, const char *first, const char *then, int line)
{
    struct wanted wanted = {terminal, first, then};
    if (!comes_true(is_in_order, &wanted)) {
        fail_msg("line %d: not in this order: %s, %s", line, first, then);
    }
}

static bool lacks(void *arg)
{
    const struct wanted *wanted = arg;
    return strstr(terminal_look(wanted->terminal, false), wanted->first) == NULL;
}

/* It has ended with that code, and the terminal is as it was. */
static void left_clean(const struct seat *seat, const char *ended)
{
    sees(seat->terminal, ended);
    sees(seat->terminal, "modes are the same");
    assert_non_null(strstr(terminal_screen(seat->terminal), "first line\n"));
    assert_null(strstr(terminal_screen(seat->terminal), "q quit"));
    assert_false(terminal_flag(seat->terminal, "alternate_on"));
    assert_true(terminal_flag(seat->terminal, "cursor_flag"));
    assert_true(terminal_flag(seat->terminal, "wrap_flag"));
}

static void kill_top(const struct seat *seat, int signal)
{
    char path[512];
    int pid = 0;
    snprintf(path, sizeof path, "%s/pid", seat->folder);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    fclose(file);
    assert_int_equal(kill(pid, signal), 0);
}

/* The screen ----------------------------------------------------------------------------------- */

E2E_SCENARIO(views_are_sorted_filtered_and_fitted_to_the_terminal)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice"), *bob = e2e_talker_at(e, 1, "밥 🙂");
    e2e_talk_open_room(alice, "aroom");
    e2e_talk_open_room(bob, "한국어 방");
    e2e_talk_join_room(e2e_talker_at(e, 1, "carol"), "한국어 방");
    struct seat seat = sits_down(e, "");
    struct terminal *top = seat.terminal;

    sees(top, "\nNODE STATE   SESSIONS");
    sees_order(top, "\nn0   serving        1", "\nn1   serving        2");
    assert_non_null(strstr(terminal_screen(top), "nodes 2  sessions 3  rooms 2  messages "));
    assert_non_null(strstr(terminal_screen(top), "q quit"));
    terminal_press(top, ">", 2);
    sees(top, "by SESSIONS   2");
    sees_order(top, "\nn1 ", "\nn0 ");
    terminal_type(top, "R");
    sees(top, "by SESSIONS, reversed");
    sees_order(top, "\nn0 ", "\nn1 ");

    terminal_type(top, "r<");
    sees(top, "by MEMBERS   2");
    sees_order(top, "\n한국어 방       2 ", "\naroom           1 ");
    assert_true(strlen(line_with(top, "aroom")) > 0);
    terminal_type(top, "/어 방");
    sees(top, "\nfilter: 어 방");
    terminal_press(top, "Enter", 1);
    sees(top, "filter: 어 방   1\n");
    struct wanted gone = {.terminal = top, .first = "aroom"};
    assert_true(comes_true(lacks, &gone));

    terminal_press(top, "Tab", 1);
    sees(top, "by USER   3\n");
    sees_order(top, "\nalice ", "\n밥 🙂 ");
    assert_non_null(strstr(line_with(top, "carol"), "한국어 방"));
    terminal_resize(top, 60, 15);
    sees(top, "\nqueued ");
    assert_int_equal(strlen(line_with(top, "carol")) > 0, 1);
    terminal_resize(top, 120, 40);
    sees(top, "ADDRESS");
    sees_order(top, "\nalice ", "q quit");

    terminal_type(top, "?");
    sees(top, "Page Up, Page Down");
    terminal_type(top, "? ");
    sees(top, "PAUSED");
    e2e_talk_join_room(e2e_talker_at(e, 0, "zoe"), "aroom");
    terminal_press(top, "C-l", 1);
    sees(top, "by USER   3\n");
    terminal_type(top, " ");
    sees(top, "by USER   4\n");
    sees(top, "\nzoe ");
    terminal_type(top, "q");
    left_clean(&seat, "top ended with 0.");
}

/* A node that does not answer is shown as silent only until it is taken for dead. A busy machine
 * may miss that: then it falls silent once more. */
static void sees_silence(struct terminal *top, struct daemon *n1)
{
    int64_t until_ms = pump_deadline_ms(WAIT_MS);
    bool is_seen = false;
    while (!is_seen) {
        assert_true(pump_now_ms() < until_ms);
        process_signal(n1->process, SIGSTOP);
        int64_t look_until_ms = pump_now_ms() + SILENT_MS;
        while (!is_seen && pump_now_ms() < look_until_ms) {
            e2e_retry_pause();
            is_seen = strstr(terminal_look(top, false), "\nn1   silent") != NULL;
        }
        assert_true(!is_seen || strstr(terminal_screen(top), "silent 1") != NULL);
        process_signal(n1->process, SIGCONT);
        sees(top, "\nn1   serving");
    }
}

E2E_SCENARIO(top_goes_on_at_another_node_when_the_one_it_reads_from_dies)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    (void)e2e_talker_at(e, 1, "bob");
    struct seat seat = sits_down(e, "--interval 0.2");
    struct terminal *top = seat.terminal;
    sees(top, "\nn0   serving");
    sees_order(top, "\nn0   serving", "\nn1   serving");
    sees_silence(top, at(e, 1));
    char url[64];
    e2e_cluster_kill(e, 0);
    sees(top, "going on at the next address");
    sees(top, "/n1.sock\n");
    sees(top, "nodes 1  sessions 1");
    sees(top, "\nn1   serving        1");

    /* There is none left: what was read last stays, with its age, until one is back. */
    e2e_cluster_kill(e, 1);
    sees(top, "no reading for 3s");
    assert_non_null(strstr(terminal_screen(top), "\nn1   serving        1"));
    e2e_cluster_start(e, 1);
    link_node(e, seat.folder, 1, url);
    sees(top, "nodes 1  sessions 1");
    struct wanted trouble = {.terminal = top, .first = "no reading"};
    assert_true(comes_true(lacks, &trouble));
    terminal_press(top, "C-c", 1);
    left_clean(&seat, "top ended with 0.");
}

E2E_SCENARIO(terminal_is_left_clean_however_top_ends)
{
    static const struct {
        int signal;
        const char *ended;
    } ends[] = {{SIGTERM, "top ended with 0."},
                {SIGHUP, "top ended with 0."},
                {SIGINT, "top ended with 0."},
                {SIGABRT, "top ended with 134."}};
    E2E_CLUSTER(e, 1);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct seat seat = sits_down(e, "--view sessions");
        sees(seat.terminal, "by USER   0");
        assert_true(terminal_flag(seat.terminal, "alternate_on"));
        terminal_type(seat.terminal, "/half typed");
        sees(seat.terminal, "filter: half typed");
        kill_top(&seat, ends[i].signal);
        left_clean(&seat, ends[i].ended);
    }
    struct seat counted = sits_down(e, "--count 2 --interval 0.1");
    left_clean(&counted, "top ended with 0.");
}

E2E_SCENARIO(top_that_finds_no_node_says_so_and_touches_nothing)
{
    E2E_CLUSTER(e, 1);
    struct seat seat = sits_down(e, "--url ipc:///nowhere/control.sock --timeout 2");
    sees(seat.terminal, "hgtpctl: top: no node answers at ipc:///nowhere/control.sock");
    left_clean(&seat, "top ended with 3.");
}

/* Programs ------------------------------------------------------------------------------------- */

E2E_SCENARIO(reading_without_a_terminal_is_one_table_or_one_document)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice"), *bob = e2e_talker_at(e, 1, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_talk_join_room(bob, "den");
    TOOL(at(e, 0), 0, "top");
    assert_non_null(strstr(tool.out, "sessions          2\n"));
    assert_non_null(strstr(tool.out, "\nNODE  STATE"));
    assert_null(strstr(tool.out, "\033"));
    TOOL(at(e, 0), 0, "-o", "json", "top", "--view", "sessions", "--sort", "node", "--reverse");
    json_t *reading = tool_json();
    const json_t *summary = json_object_get(reading, "summary");
    const json_t *first = json_array_get(json_object_get(reading, "sessions"), 0);
    assert_string_equal(tool_text(reading, "view"), "sessions");
    assert_int_equal(tool_integer(reading, "total"), 2);
    assert_int_equal(tool_integer(summary, "nodes"), 2);
    assert_int_equal(tool_integer(summary, "silent"), 0);
    assert_int_equal(tool_integer(summary, "sessions"), 2);
    assert_int_equal(tool_integer(summary, "rooms"), 1);
    assert_int_equal(tool_integer(summary, "members"), 2);
    assert_true(tool_integer(summary, "memory_bytes") > 2000000);
    assert_string_equal(tool_text(first, "user"), "bob");
    assert_int_equal(json_array_size(json_object_get(reading, "nodes")), 2);
    json_decref(reading);
    TOOL(at(e, 0), 0, "-o", "json", "top", "--match", "n?", "--sort", "node", "--reverse");
    reading = tool_json();
    assert_string_equal(tool_text(json_array_get(json_object_get(reading, "nodes"), 0), "id"),
                        "n1");
    json_decref(reading);
    TOOL(at(e, 0), 2, "top", "--view", "rooms", "--sort", "user");
    assert_non_null(strstr(tool.err, "rooms have no column 'user'"));
    TOOL(at(e, 0), 2, "top", "--interval", "0.01");
    TOOL(at(e, 0), 2, "top", "--count", "0");
}

E2E_SCENARIO(rates_are_those_of_the_time_between_readings)
{
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice"), *bob = e2e_talker_at(e, 1, "bob");
    e2e_talk_open_room(alice, "busy");
    e2e_talk_open_room(bob, "idle");
    char url[TOOL_URL_BYTES];
    tool_url(at(e, 1), url);
    const char *const argv[] = {HGTPCTL_PATH, "--url",   url, "-o",         "json", "top", "--view",
                                "rooms",      "--count", "2", "--interval", "0.6",  NULL};
    struct process *top = process_start(argv, "/tmp");
    for (int i = 0; process_wait_exit(top, 0) < 0; i++) {
        char text[32];
        snprintf(text, sizeof text, "number %d", i);
        assert_true(i < 100000 && talker_say_acked(alice, text, NULL) > 0);
    }
    assert_int_equal(process_wait_exit(top, 0), 0);
    const char *second = strchr(process_stdout(top), '\n');
    assert_non_null(second);
    json_t *reading = json_loads(second + 1, 0, NULL);
    const json_t *rooms = json_object_get(reading, "rooms");
    assert_int_equal(json_array_size(rooms), 2);
    assert_string_equal(tool_text(json_array_get(rooms, 0), "room"), "busy");
    assert_true(json_number_value(json_object_get(json_array_get(rooms, 0), "messages_per_s")) > 1);
    assert_true(json_number_value(json_object_get(json_array_get(rooms, 1), "messages_per_s")) ==
                0);
    json_decref(reading);
    process_free(top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(views_are_sorted_filtered_and_fitted_to_the_terminal),
        E2E_TEST(top_goes_on_at_another_node_when_the_one_it_reads_from_dies),
        E2E_TEST(terminal_is_left_clean_however_top_ends),
        E2E_TEST(top_that_finds_no_node_says_so_and_touches_nothing),
        E2E_TEST(reading_without_a_terminal_is_one_table_or_one_document),
        E2E_TEST(rates_are_those_of_the_time_between_readings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
