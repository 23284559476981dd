/* SPDX-License-Identifier: MIT */
/*
 * Tests of admin/top/top_frame and top_grid: frames of every size, drawn on a small terminal of our
 * own that fails when anything goes over its edge.
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admin/cells.h"
#include "admin/top/top_frame.h"

/* A reading ------------------------------------------------------------------------------------ */

#define NODES    3
#define ROOMS    200
#define SESSIONS 3

static struct {
    Hgtp__Tool__TopReply reply;
    Hgtp__Tool__TopSummary summary;
    Hgtp__Control__Node nodes[NODES], *node_rows[NODES];
    Hgtp__Tool__TopRoom rooms[ROOMS], *room_rows[ROOMS];
    Hgtp__Control__Session sessions[SESSIONS], *session_rows[SESSIONS];
    char room_names[ROOMS][64];
} r;

static void fill_nodes(void)
{
    static char *const ids[NODES] = {"n1", "n2", "한국"};
    for (size_t i = 0; i < NODES; i++) {
        hgtp__control__node__init(&r.nodes[i]);
        r.nodes[i].id = ids[i];
        r.nodes[i].state = (char *)(uintptr_t) "serving";
        r.nodes[i].sessions = 10 * (i + 1);
        r.nodes[i].messages_per_s = 5.5 * (double)(NODES - i);
        r.node_rows[i] = &r.nodes[i];
    }
    r.nodes[1].state = (char *)(uintptr_t) "silent";
    r.nodes[1].error = (char *)(uintptr_t) "it does not answer\033[2J in time";
}

static void fill_rooms(void)
{
    for (size_t i = 0; i < ROOMS; i++) {
        hgtp__tool__top_room__init(&r.rooms[i]);
        snprintf(r.room_names[i], sizeof r.room_names[i],
                 i % 2 == 0 ? "room %03zu" : "방 🙂 %03zu", i);
        r.rooms[i].room =
            (ProtobufCBinaryData){strlen(r.room_names[i]), (uint8_t *)r.room_names[i]};
        r.rooms[i].members = i;
        r.rooms[i].messages_per_s = i == 7 ? 99 : i == 8 ? -1 : 0;
        r.room_rows[i] = &r.rooms[i];
    }
}

static int set_up(void **state)
{
    (void)state;
    static char *const users[SESSIONS] = {"carol", "alice", "bob"};
    hgtp__tool__top_reply__init(&r.reply);
    hgtp__tool__top_summary__init(&r.summary);
    fill_nodes();
    fill_rooms();
    for (size_t i = 0; i < SESSIONS; i++) {
        hgtp__control__session__init(&r.sessions[i]);
        r.sessions[i].user = (ProtobufCBinaryData){strlen(users[i]), (uint8_t *)users[i]};
        r.sessions[i].room = (ProtobufCBinaryData){4, (uint8_t *)(uintptr_t) "same"};
        r.session_rows[i] = &r.sessions[i];
    }
    r.reply.url = (char *)(uintptr_t) "ipc:///run/hgtp/control.sock";
    r.reply.view = (char *)(uintptr_t) "nodes";
    r.reply.time_ms = 1795417219000;
    r.reply.summary = &r.summary;
    r.reply.nodes = r.node_rows;
    r.reply.n_nodes = NODES;
    r.reply.rooms = r.room_rows;
    r.reply.n_rooms = ROOMS;
    r.reply.sessions = r.session_rows;
    r.reply.n_sessions = SESSIONS;
    r.reply.total = 5000;
    return 0;
}

/* A terminal ----------------------------------------------------------------------------------- */

#define SCREEN_MAX 260

static struct {
    size_t columns, rows, column, row;
    char cells[SCREEN_MAX][SCREEN_MAX][8]; /* "" behind a wide one */
} screen;

static const char *screen_escape(const char *at)
{
    char *end = NULL;
    assert_int_equal(*at, '[');
    if (at[1] == '?') {
        at += 2 + strspn(at + 2, "0123456789");
        assert_non_null(strchr("hl", *at));
        return at + 1;
    }
    unsigned long first = strtoul(at + 1, &end, 10), second = 1;
    if (*end == ';') {
        second = strtoul(end + 1, &end, 10);
    }
    while (*end == ';') {
        (void)strtoul(end + 1, &end, 10);
    }
    switch (*end) {
    case 'H':
        assert_true(first >= 1 && first <= screen.rows && second >= 1 && second <= screen.columns);
        screen.row = first - 1;
        screen.column = second - 1;
        break;
    case 'G':
        assert_true(first >= 1 && first <= screen.columns);
        screen.column = first - 1;
        break;
    case 'K':
        for (size_t c = screen.column; c < screen.columns; c++) {
            strcpy(screen.cells[screen.row][c], " ");
        }
        break;
    default:
        assert_int_equal(*end, 'm');
    }
    return end + 1;
}

static const char *screen_character(const char *at)
{
    size_t len = 1;
    while (((unsigned char)at[len] & 0xc0) == 0x80) {
        len++;
    }
    char text[8] = "";
    assert_true(len < sizeof text && (unsigned char)at[0] >= 0x20);
    memcpy(text, at, len);
    size_t width = cells_width(text);
    assert_true(screen.column + width <= screen.columns); /* nothing goes over the edge */
    strcpy(screen.cells[screen.row][screen.column], text);
    for (size_t i = 1; i < width; i++) {
        screen.cells[screen.row][screen.column + i][0] = '\0';
    }
    screen.column += width;
    return at + len;
}

static void draw(struct top_look *look, size_t columns, size_t rows, const char *trouble)
{
    char *text = NULL;
    size_t len = 0;
    const struct top_scene scene = {.reading = &r.reply,
                                    .interval_ms = 1000,
                                    .trouble = trouble,
                                    .has_colour = true,
                                    .columns = columns,
                                    .rows = rows};
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    top_frame(&scene, look, out);
    assert_int_equal(fclose(out), 0);
    memset(&screen, 0, sizeof screen);
    screen.columns = columns;
    screen.rows = rows;
    for (const char *at = text; *at != '\0';) {
        at = *at == '\033' ? screen_escape(at + 1) : screen_character(at);
    }
    free(text);
}

static const char *row_text(size_t row)
{
    static char text[8 * SCREEN_MAX];
    text[0] = '\0';
    for (size_t c = 0; c < screen.columns; c++) {
        strcat(text, screen.cells[row][c]);
    }
    return text;
}

/* The first row with that text; rows is none. */
static size_t find_row(const char *text)
{
    size_t row = 0;
    while (row < screen.rows && strstr(row_text(row), text) == NULL) {
        row++;
    }
    return row;
}

/* Frames --------------------------------------------------------------------------------------- */

static void top_frame_of_any_size_stays_inside_it(void **state)
{
    (void)state;
    for (size_t columns = 1; columns <= 130; columns++) {
        for (size_t rows = 1; rows <= 30; rows += columns % 3 + 1) {
            struct top_look look;
            enum top_view view = (enum top_view)((columns + rows) % TOP_VIEWS);
            top_look_init(&look, view);
            r.reply.view = (char *)(uintptr_t)top_table(view)->name;
            look.views[view].column = rows % top_table(view)->column_count;
            look.views[view].first = 1000;
            look.has_help = columns % 7 == 0;
            look.is_typing = rows % 5 == 0;
            snprintf(look.typed, sizeof look.typed, "한국어 방 이름이 아주 깁니다");
            draw(&look, columns, rows,
                 rows % 2 == 0 ? "no reading for 3s: 밥 🙂 it is gone" : "");
        }
    }
}

static void top_frame_of_usual_size_shows_all_there_is(void **state)
{
    (void)state;
    struct top_look look;
    top_look_init(&look, TOP_NODES);
    draw(&look, 80, 24, "");
    assert_non_null(strstr(row_text(0), "hgtpctl top "));
    assert_non_null(strstr(row_text(0), "ipc:///run/hgtp/control.sock"));
    assert_true(find_row("nodes rooms sessions   by NODE") < 6);
    assert_true(find_row("NODE STATE   SESSIONS") < 7);
    assert_non_null(strstr(row_text(23), "q quit"));
    size_t silent = find_row("silent"); /* what the node has of its own is not known */
    assert_non_null(strstr(row_text(silent), " 20 "));
    assert_non_null(strstr(row_text(silent), "it does not answer␛[2J in time"));
    assert_null(strstr(row_text(silent), "/s"));
}

static void top_frame_numbers_of_a_column_end_in_one_place(void **state)
{
    (void)state;
    struct top_look look;
    top_look_init(&look, TOP_ROOMS);
    r.reply.view = (char *)(uintptr_t) "rooms";
    look.views[TOP_ROOMS].first = 98;
    draw(&look, 80, 24, "");
    size_t heading = find_row("MEMBERS");
    size_t end = 0;
    while (strcmp(screen.cells[heading][end], "S") != 0) {
        end++; /* the last letter of MEMBERS: ROOM has none */
    }
    for (size_t i = 0; i < look.page; i++) {
        char last[2];
        snprintf(last, sizeof last, "%zu", (98 + i) % 10);
        assert_string_equal(screen.cells[heading + 1 + i][end], last);
        assert_string_equal(screen.cells[heading + 1 + i][end + 1], " ");
    }
    assert_true(find_row("the first 200 of 5000") < heading);
}

static void top_frame_column_that_sorts_is_always_to_be_seen(void **state)
{
    (void)state;
    for (size_t view = 0; view < TOP_VIEWS; view++) {
        const struct top_table *table = top_table((enum top_view)view);
        r.reply.view = (char *)(uintptr_t)table->name;
        for (size_t c = 0; c < table->column_count; c++) {
            struct top_look look;
            top_look_init(&look, (enum top_view)view);
            look.views[view].column = c;
            draw(&look, 40, 24, "");
            size_t heading = find_row(table->columns[0].shown.heading);
            while (strstr(row_text(heading), "by ") != NULL) {
                heading++; /* that line only tells of it */
            }
            assert_non_null(strstr(row_text(heading), table->columns[c].shown.heading));
        }
    }
}

static void top_frame_scrolls_to_the_last_row_and_no_further(void **state)
{
    (void)state;
    struct top_look look;
    top_look_init(&look, TOP_ROOMS);
    r.reply.view = (char *)(uintptr_t) "rooms";
    draw(&look, 80, 24, "");
    assert_true(look.page > 10 && find_row("room 000") < screen.rows);
    assert_int_equal(top_look_key(&look, KEY_END), TOP_DRAW);
    draw(&look, 80, 24, "");
    assert_int_equal(find_row("199"), screen.rows - 2);
    assert_int_equal(look.views[TOP_ROOMS].first, ROOMS - look.page);
    assert_int_equal(top_look_key(&look, KEY_PAGE_UP), TOP_DRAW);
    draw(&look, 80, 24, "");
    assert_int_equal(look.views[TOP_ROOMS].first, ROOMS - 2 * look.page);
    (void)top_look_key(&look, KEY_HOME);
    draw(&look, 80, 60, "");
    assert_true(find_row("room 000") < screen.rows);
}

#define TOP_TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    const struct CMUnitTest tests[] = {
        TOP_TEST(top_frame_of_any_size_stays_inside_it),
        TOP_TEST(top_frame_of_usual_size_shows_all_there_is),
        TOP_TEST(top_frame_numbers_of_a_column_end_in_one_place),
        TOP_TEST(top_frame_column_that_sorts_is_always_to_be_seen),
        TOP_TEST(top_frame_scrolls_to_the_last_row_and_no_further),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
