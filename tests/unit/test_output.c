/* SPDX-License-Identifier: MIT */
/* output: tables and JSON of the same replies, units and cells. */
#include "admin/output.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "admin/cells.h"
#include "admin/units.h"
#include "control.pb-c.h"

#define DATA(x) ((ProtobufCBinaryData){strlen(x), (uint8_t *)(uintptr_t)(x)})

static char *text;
static size_t text_bytes;

static const struct output_column columns[] = {{"ROOM", "room", FORMAT_TEXT},
                                               {"MANAGER", "manager", FORMAT_TEXT},
                                               {"MEMBERS", "members", FORMAT_COUNT},
                                               {NULL, NULL, FORMAT_TEXT}};

static Hgtp__Control__RoomListReply *reply_of(const char *const (*rooms)[2], size_t count)
{
    static Hgtp__Control__Room storage[8];
    static Hgtp__Control__Room *list[8];
    static Hgtp__Control__RoomListReply reply;
    hgtp__control__room_list_reply__init(&reply);
    for (size_t i = 0; i < count; i++) {
        hgtp__control__room__init(&storage[i]);
        storage[i].room = DATA(rooms[i][0]);
        storage[i].manager = DATA(rooms[i][1]);
        storage[i].members = (i + 1) * 100;
        list[i] = &storage[i];
    }
    reply.n_rooms = count;
    reply.rooms = list;
    reply.total = UINT64_MAX;
    return &reply;
}

static const char *table(const ProtobufCMessage *reply, size_t width, bool has_colour)
{
    const struct output_view view = {.columns = columns};
    const struct output_style style = {has_colour, width};
    free(text);
    FILE *out = open_memstream(&text, &text_bytes);
    output_people(reply, &view, &style, out);
    fclose(out);
    return text;
}

static void output_table_is_aligned_whatever_is_in_it(void **state)
{
    (void)state;
    static const char *const rooms[][2] = {
        {"tea", "alice"}, {"차와 이야기", "소피아"}, {"party 🎉🎉", ""}, {"cafe\u0301", "x"}};
    const char *at = table(&reply_of(rooms, 4)->base, 0, false);
    size_t width = 0;
    for (size_t lines = 0; *at != '\0'; lines++) {
        char line[256];
        size_t len = strcspn(at, "\n");
        snprintf(line, sizeof line, "%.*s", (int)len, at);
        assert_true(lines == 0 || cells_width(line) == width);
        width = cells_width(line);
        at += len + 1;
        assert_true(lines < 5);
    }
    assert_non_null(strstr(text, "party 🎉🎉"));
    assert_null(strchr(text, '\033'));
}

static void output_table_fits_a_narrow_terminal(void **state)
{
    (void)state;
    static const char *const rooms[][2] = {
        {"a room with a long name that nobody can remember", "alice"},
        {"차와 이야기와 그 밖의 모든 것", "소피아 소피아 소피아"}};
    for (size_t width = 30; width <= 80; width += 5) {
        const char *at = table(&reply_of(rooms, 2)->base, width, false);
        while (*at != '\0') {
            char line[256];
            size_t len = strcspn(at, "\n");
            snprintf(line, sizeof line, "%.*s", (int)len, at);
            assert_true(cells_width(line) <= width);
            at += len + 1;
        }
    }
}

static void output_names_cannot_steer_the_terminal(void **state)
{
    (void)state;
    static const char *const rooms[][2] = {{"\033[2Jgone\r", "a\u202eb\xc2\x85"}};
    (void)table(&reply_of(rooms, 1)->base, 0, true);
    assert_null(strstr(text, "\033[2J"));
    assert_null(strchr(text, '\r'));
    assert_non_null(strstr(text, "a\ufffdb\ufffd"));
}

static void output_json_is_exact(void **state)
{
    (void)state;
    static const char *const rooms[][2] = {{"quote \" slash \\ \n\001 차", ""}};
    free(text);
    FILE *out = open_memstream(&text, &text_bytes);
    output_json(&reply_of(rooms, 1)->base, out);
    fclose(out);
    assert_non_null(strstr(text, "\"total\":18446744073709551615"));
    assert_int_equal(strcspn(text, "\n"), text_bytes - 1);
    char *total = strstr(text, "18446744073709551615");
    memset(total, '1', 1);
    memset(total + 1, ' ', 19); /* more than jansson's integers hold */
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    const json_t *room = json_array_get(json_object_get(root, "rooms"), 0);
    assert_string_equal(json_string_value(json_object_get(room, "room")), rooms[0][0]);
    assert_true(json_is_array(json_object_get(room, "nodes")));
    assert_int_equal(json_integer_value(json_object_get(room, "members")), 100);
    assert_int_equal(json_integer_value(json_object_get(room, "created_ms")), 0);
    json_decref(root);
}

static void output_json_has_no_numbers_that_json_has_not(void **state)
{
    (void)state;
    const double values[] = {0.1, 1e300, -0.0, (double)INFINITY, (double)NAN, 1.0 / 3};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        Hgtp__Control__Metric metric = HGTP__CONTROL__METRIC__INIT;
        metric.value = values[i];
        free(text);
        FILE *out = open_memstream(&text, &text_bytes);
        output_json(&metric.base, out);
        fclose(out);
        json_t *root = json_loads(text, JSON_DECODE_INT_AS_REAL, NULL);
        assert_non_null(root);
        if (isfinite(values[i])) {
            assert_true(json_real_value(json_object_get(root, "value")) == values[i]);
        }
        json_decref(root);
    }
}

static void units_are_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } ages[] = {{0, "0ms"},      {999, "999ms"},  {1000, "1s"},
                {61000, "1m1s"}, {3600000, "1h"}, {90061000, "1d1h"},
                {-5000, "-5s"},  {59999, "59s"},  {86400000, "1d"}};
    char out[32];
    for (size_t i = 0; i < sizeof ages / sizeof ages[0]; i++) {
        units_age(ages[i].ms, out, sizeof out);
        assert_string_equal(out, ages[i].text);
    }
    units_bytes(1536, out, sizeof out);
    assert_string_equal(out, "1.5K");
    units_bytes(0, out, sizeof out);
    assert_string_equal(out, "0B");
    units_rate(12345, out, sizeof out);
    assert_string_equal(out, "12k/s");
    units_rate(0.5, out, sizeof out);
    assert_string_equal(out, "0.5/s");
    units_value(0.1, out, sizeof out);
    assert_string_equal(out, "0.1");
    units_time(0, out, sizeof out);
    assert_string_equal(out, "-");
}

static void cells_shorten_keeps_whole_characters(void **state)
{
    (void)state;
    for (size_t width = 1; width < 12; width++) {
        char name[64] = "소피아🎉abc";
        cells_shorten(name, width);
        assert_true(cells_width(name) <= width);
        assert_int_not_equal(mbstowcs(NULL, name, 0), (size_t)-1);
    }
    char whole[] = "abc";
    cells_shorten(whole, 3);
    assert_string_equal(whole, "abc");
}

static int set_up(void **state)
{
    (void)state;
    return setlocale(LC_CTYPE, "C.UTF-8") == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    free(text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_table_is_aligned_whatever_is_in_it),
        cmocka_unit_test(output_table_fits_a_narrow_terminal),
        cmocka_unit_test(output_names_cannot_steer_the_terminal),
        cmocka_unit_test(output_json_is_exact),
        cmocka_unit_test(output_json_has_no_numbers_that_json_has_not),
        cmocka_unit_test(units_are_as_people_write_them),
        cmocka_unit_test(cells_shorten_keeps_whole_characters),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
