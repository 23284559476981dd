/* SPDX-License-Identifier: MIT */
/*
 * Tests of admin/top/top_keys, top_look and top_table: what a terminal sends, what it does, and the
 * order and choice of rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admin/top/top_look.h"

/* Keys ----------------------------------------------------------------------------------------- */

/* The last key that these bytes make, and how many they make. */
static uint32_t keys_of(const char *bytes, size_t *ret_count)
{
    struct top_keys keys = {.len = 0};
    uint32_t last = KEY_NONE;
    *ret_count = 0;
    for (; *bytes != '\0'; bytes++) {
        uint32_t key = top_keys_take(&keys, *bytes);
        last = key != KEY_NONE ? key : last;
        *ret_count += key != KEY_NONE ? 1 : 0;
    }
    if (top_keys_is_waiting(&keys) && top_keys_end(&keys) == KEY_ESCAPE) {
        last = KEY_ESCAPE;
        *ret_count += 1;
    }
    return last;
}

static void top_keys_are_characters_and_sequences(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        uint32_t key;
        size_t count;
    } cases[] = {{"q", 'q', 1},
                 {"\033[A", KEY_UP, 1},
                 {"\033OB", KEY_DOWN, 1},
                 {"\033[5~", KEY_PAGE_UP, 1},
                 {"\033[Z", KEY_BACK_TAB, 1},
                 {"\033", KEY_ESCAPE, 1},
                 {"\033\033[C", KEY_RIGHT, 1},
                 {"\033[1;5C", KEY_NONE, 0},
                 {"\033[200~q", 'q', 1},
                 {"\033[<0;1;1Mx", 'x', 1},
                 {"\033[1234567890123456", '6', 3},
                 {"\033f", KEY_NONE, 0},
                 {"\xed\x95\x9c", 0xd55c, 1},
                 {"\xf0\x9f\x99\x82", 0x1f642, 1},
                 {"\x80q", 'q', 1},
                 {"\xed"
                  "ab",
                  KEY_NONE, 0},
                 {"\xf4\x90\x80\x80", KEY_NONE, 0},
                 {"\r", KEY_ENTER, 1},
                 {"\n", KEY_ENTER, 1},
                 {"\b", KEY_BACKSPACE, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t count;
        assert_int_equal(keys_of(cases[i].bytes, &count), cases[i].key);
        assert_int_equal(count, cases[i].count);
    }
}

static void type(struct top_look *look, const char *text)
{
    struct top_keys keys = {.len = 0};
    for (; *text != '\0'; text++) {
        uint32_t key = top_keys_take(&keys, *text);
        if (key != KEY_NONE) {
            (void)top_look_key(look, key);
        }
    }
}

static void top_look_filter_is_typed_and_kept_for_its_view(void **state)
{
    (void)state;
    struct top_look look;
    top_look_init(&look, TOP_NODES);
    type(&look, "r/한국q");
    assert_true(look.is_typing);
    assert_string_equal(look.typed, "한국q");
    assert_string_equal(look.views[TOP_ROOMS].match, "");
    (void)top_look_key(&look, KEY_BACKSPACE);
    (void)top_look_key(&look, KEY_BACKSPACE);
    assert_string_equal(look.typed, "한");
    assert_int_equal(top_look_key(&look, KEY_ENTER), TOP_READ);
    assert_string_equal(top_look_wish(&look, 10).match, "한");
    type(&look, "/x");
    assert_int_equal(top_look_key(&look, KEY_ESCAPE), TOP_DRAW);
    assert_string_equal(look.views[TOP_ROOMS].match, "한");
    type(&look, "/");
    for (int i = 0; i < 500; i++) {
        type(&look, "🙂");
    }
    assert_true(strlen(look.typed) <= TOP_MATCH_MAX && strlen(look.typed) > TOP_MATCH_MAX - 4);
    (void)top_look_key(&look, KEY_CTRL_U);
    assert_string_equal(look.typed, "");
    (void)top_look_key(&look, KEY_BACKSPACE);
    (void)top_look_key(&look, KEY_ENTER);
    type(&look, "s");
    assert_string_equal(top_look_wish(&look, 10).match, "");
}

static void top_look_order_goes_round_all_columns(void **state)
{
    (void)state;
    struct top_look look;
    top_look_init(&look, TOP_SESSIONS);
    for (size_t i = 0; i < top_table(TOP_SESSIONS)->column_count; i++) {
        assert_int_equal(look.views[TOP_SESSIONS].column, i);
        assert_int_equal(top_look_key(&look, '>'), TOP_SORT);
    }
    assert_int_equal(look.views[TOP_SESSIONS].column, 0);
    assert_int_equal(top_look_key(&look, 'R'), TOP_SORT);
    assert_true(top_look_wish(&look, 10).is_reverse);
    assert_int_equal(top_look_key(&look, '<'), TOP_SORT);
    assert_false(top_look_wish(&look, 10).is_reverse);
    assert_int_equal(top_look_key(&look, KEY_TAB), TOP_READ);
    assert_int_equal(look.view, TOP_NODES);
    assert_int_equal(top_look_key(&look, KEY_BACK_TAB), TOP_READ);
    assert_int_equal(look.view, TOP_SESSIONS);
    assert_int_equal(top_look_key(&look, 'x'), TOP_NOTHING);
    assert_int_equal(top_look_key(&look, ' '), TOP_PAUSE);
    assert_int_equal(top_look_key(&look, 'q'), TOP_QUIT);
    assert_int_equal(top_look_key(&look, KEY_CTRL_C), TOP_QUIT);
}

/* Rows ----------------------------------------------------------------------------------------- */

static void top_sort_goes_by_number_then_by_name(void **state)
{
    static const struct {
        const char *name;
        double rate;
    } given[] = {{"c", 0}, {"b", 99}, {"a", 0}, {"d", -1}};
    Hgtp__Tool__TopReply reply = HGTP__TOOL__TOP_REPLY__INIT;
    Hgtp__Tool__TopRoom rooms[4], *rows[4];
    char order[5] = "";
    size_t column = 0;
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        hgtp__tool__top_room__init(&rooms[i]);
        rooms[i].room = (ProtobufCBinaryData){1, (uint8_t *)(uintptr_t)given[i].name};
        rooms[i].messages_per_s = given[i].rate;
        rows[i] = &rooms[i];
    }
    reply.rooms = rows;
    reply.n_rooms = 4;
    assert_true(top_table_find(TOP_ROOMS, "rate", &column));
    top_sort(&reply, TOP_ROOMS, column, false);
    for (size_t i = 0; i < 4; i++) {
        order[i] = (char)rows[i]->room.data[0];
    }
    assert_string_equal(order, "bacd"); /* the rate of d is not known */
    top_sort(&reply, TOP_ROOMS, column, true);
    for (size_t i = 0; i < 4; i++) {
        order[i] = (char)rows[i]->room.data[0];
    }
    assert_string_equal(order, "dacb");
    assert_false(top_table_find(TOP_ROOMS, "user", &column));
}

static size_t matching(const char *match)
{
    Hgtp__Tool__TopReply reply = HGTP__TOOL__TOP_REPLY__INIT;
    static const char *const ids[] = {"node-1", "node-10", "db*1", ""};
    reply.nodes = calloc(4, sizeof *reply.nodes);
    assert_non_null(reply.nodes);
    for (reply.n_nodes = 0; reply.n_nodes < 4; reply.n_nodes++) {
        Hgtp__Control__Node *node = malloc(sizeof *node);
        assert_non_null(node);
        hgtp__control__node__init(node);
        node->id = strdup(ids[reply.n_nodes]);
        reply.nodes[reply.n_nodes] = node;
    }
    top_match_nodes(&reply, match);
    size_t left = reply.n_nodes;
    for (size_t i = 0; i < left; i++) {
        hgtp__control__node__free_unpacked(reply.nodes[i], NULL);
    }
    free(reply.nodes);
    return left;
}

static void top_match_nodes_looks_for_a_part_or_a_likeness(void **state)
{
    (void)state;
    assert_int_equal(matching(""), 4);
    assert_int_equal(matching("de-1"), 2);
    assert_int_equal(matching("node-?"), 1);
    assert_int_equal(matching("node-1*"), 2);
    assert_int_equal(matching("*1*"), 3);
    assert_int_equal(matching("*1"), 2);
    assert_int_equal(matching("**"), 4);
    assert_int_equal(matching("?*?"), 3);
    assert_int_equal(matching("?"), 0);
    assert_int_equal(matching("nobody"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(top_keys_are_characters_and_sequences),
        cmocka_unit_test(top_look_filter_is_typed_and_kept_for_its_view),
        cmocka_unit_test(top_look_order_goes_round_all_columns),
        cmocka_unit_test(top_sort_goes_by_number_then_by_name),
        cmocka_unit_test(top_match_nodes_looks_for_a_part_or_a_likeness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
