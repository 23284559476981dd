/* SPDX-License-Identifier: MIT */
/*
 * bus_batch: what is sealed opens as it was; what is not sealed with the key, changed in any bit,
 * for somebody else, or larger than allowed, doesn't open.
 */
#include "proto/bus_batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const key_text = "a key that all nodes share";
static const char *const node_a = "a@1";
static const char *const node_b = "b@2";

struct fixture {
    struct bus_arena pack_arena;
    struct bus_arena open_arena;
    struct sink out; /* the batch in the making */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->pack_arena = (struct bus_arena){malloc(BUS_ARENA_PACK_BYTES), BUS_ARENA_PACK_BYTES, 0};
    f->open_arena = (struct bus_arena){malloc(BUS_ARENA_OPEN_BYTES), BUS_ARENA_OPEN_BYTES, 0};
    f->out = sink_into(malloc(2 * BUS_BATCH_BYTES_MAX), 2 * BUS_BATCH_BYTES_MAX);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    free(f->pack_arena.ptr);
    free(f->open_arena.ptr);
    free(f->out.ptr);
    free(f);
    return 0;
}

static void add_text(struct fixture *f, const char *name, const char *operand)
{
    const struct bytes fields[] = {bytes_str(name), bytes_str(operand)};
    assert_true(bus_batch_add(fields, 2, &f->pack_arena, &f->out));
}

static struct bytes seal(struct fixture *f, const char *key, uint64_t number)
{
    const struct bus_batch_head head = {
        .sender = bytes_str(node_a), .receiver = bytes_str(node_b), .number = number};
    bus_batch_seal(&head, bytes_str(key), &f->out);
    assert_true(sink_fits(&f->out));
    return sink_bytes(&f->out);
}

static enum bus_batch_result open_with(struct fixture *f, const char *key, struct bytes in,
                                       struct bus_batch *ret_batch)
{
    return bus_batch_open(in, bytes_str(key), bytes_str(node_b), &f->open_arena, ret_batch);
}

static void assert_bytes(struct bytes is, const char *text)
{
    assert_int_equal(is.len, strlen(text));
    assert_memory_equal(is.ptr, text, is.len);
}

/* ---- What is sealed opens ---- */

static void opens_as_sealed(struct fixture *f, const char *key)
{
    static const uint8_t any[] = {0, 0xff, '\n', 0};
    const struct bytes odd[] = {bytes_str("odd"), bytes_of(any, sizeof any), bytes_of(NULL, 0)};
    add_text(f, "entry", "first");
    assert_true(bus_batch_add(odd, 3, &f->pack_arena, &f->out));
    add_text(f, "entry", "last");
    const struct bus_batch_head head = {.sender = bytes_str(node_a),
                                        .receiver = bytes_str(node_b),
                                        .number = UINT64_MAX,
                                        .is_beat = true};
    bus_batch_seal(&head, bytes_str(key), &f->out);

    struct bus_batch batch;
    assert_int_equal(open_with(f, key, sink_bytes(&f->out), &batch), BUS_BATCH_OK);
    assert_bytes(batch.head.sender, node_a);
    assert_bytes(batch.head.receiver, node_b);
    assert_true(batch.head.number == UINT64_MAX);
    assert_true(batch.head.is_beat);
    assert_int_equal(batch.effect_count, 3);
    assert_int_equal(batch.effects[0].count, 2);
    assert_bytes(batch.effects[0].fields[1], "first");
    assert_int_equal(batch.effects[1].count, 3);
    assert_true(bytes_equal(batch.effects[1].fields[1], bytes_of(any, sizeof any)));
    assert_int_equal(batch.effects[1].fields[2].len, 0);
    assert_bytes(batch.effects[2].fields[1], "last");
}

static void bus_batch_sealed_with_a_key_opens_as_it_was(void **state)
{
    opens_as_sealed(*state, key_text);
}

static void bus_batch_sealed_without_a_key_opens_as_it_was(void **state)
{
    opens_as_sealed(*state, "");
}

static void bus_batch_without_effects_opens(void **state)
{
    struct fixture *f = *state;
    struct bus_batch batch;
    assert_int_equal(open_with(f, key_text, seal(f, key_text, 1), &batch), BUS_BATCH_OK);
    assert_int_equal(batch.effect_count, 0);
    assert_false(batch.head.is_beat);
}

static void bus_batch_seal_adds_no_more_than_announced(void **state)
{
    struct fixture *f = *state;
    static const char name[BUS_BATCH_NAME_MAX];
    const struct bus_batch_head head = {.sender = bytes_of(name, sizeof name),
                                        .receiver = bytes_of(name, sizeof name),
                                        .number = UINT64_MAX,
                                        .is_beat = true};
    bus_batch_seal(&head, bytes_str(key_text), &f->out);
    assert_true(f->out.len <= BUS_BATCH_SEAL_MAX);
}

static void bus_batch_add_says_how_much_room_it_needs(void **state)
{
    struct fixture *f = *state;
    struct sink none = sink_into(NULL, 0);
    const struct bytes field = bytes_str("sweep");
    assert_true(bus_batch_add(&field, 1, &f->pack_arena, &none));
    assert_false(sink_fits(&none));
    assert_true(bus_batch_add(&field, 1, &f->pack_arena, &f->out));
    assert_int_equal(none.len, f->out.len);
}

/* ---- What was not made with the key does not ---- */

static void bus_batch_with_any_bit_changed_is_forged(void **state)
{
    struct fixture *f = *state;
    add_text(f, "entry", "text");
    struct bytes in = seal(f, key_text, 7);
    struct bus_batch batch = {0};
    for (size_t bit = 0; bit < in.len * 8; bit++) {
        f->out.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(open_with(f, key_text, in, &batch), BUS_BATCH_FORGED);
        f->out.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_null(batch.effects); /* untouched on failure */
    assert_int_equal(open_with(f, key_text, in, &batch), BUS_BATCH_OK);
}

static void bus_batch_cut_anywhere_is_forged(void **state)
{
    struct fixture *f = *state;
    add_text(f, "entry", "text");
    struct bytes in = seal(f, key_text, 7);
    struct bus_batch batch;
    for (size_t len = 0; len < in.len; len++) {
        assert_int_equal(open_with(f, key_text, bytes_of(in.ptr, len), &batch), BUS_BATCH_FORGED);
    }
}

static void bus_batch_of_another_key_is_forged(void **state)
{
    struct fixture *f = *state;
    struct bus_batch batch;
    assert_int_equal(open_with(f, "another key", seal(f, key_text, 1), &batch), BUS_BATCH_FORGED);
}

static void bus_batch_without_proof_is_forged_where_a_key_is_set(void **state)
{
    struct fixture *f = *state;
    struct bus_batch batch;
    add_text(f, "entry", "long enough to hold what could be taken for a proof of 32 bytes");
    assert_int_equal(open_with(f, key_text, seal(f, "", 1), &batch), BUS_BATCH_FORGED);
}

/* ---- What is for somebody else, or no batch at all ---- */

static void bus_batch_for_another_node_is_not_for_us(void **state)
{
    struct fixture *f = *state;
    struct bus_batch batch;
    struct bytes in = seal(f, key_text, 1);
    static const char *const others[] = {"c@2", "b@3", "b@", "b@22", "*"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(
            bus_batch_open(in, bytes_str(key_text), bytes_str(others[i]), &f->open_arena, &batch),
            BUS_BATCH_NOT_FOR_US);
    }
}

static void put(struct fixture *f, const char *raw, size_t len)
{
    sink_put(&f->out, bytes_of(raw, len));
}

static void bus_batch_that_is_none_is_malformed(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *what;
        const char *bytes;
        size_t len;
    } cases[] = {
        {"nothing", "", 0},
        {"text", "GET / HTTP/1.1\r\n", 16},
        {"no number",
         "\x0a\x01"
         "a\x12\x03"
         "b@2",
         8},
        {"number 0",
         "\x0a\x01"
         "a\x12\x03"
         "b@2\x18\x00",
         10},
        {"no sender",
         "\x12\x03"
         "b@2\x18\x01",
         7},
        {"no receiver",
         "\x0a\x01"
         "a\x18\x01",
         5},
        {"an effect without a name",
         "\x0a\x01"
         "a\x12\x03"
         "b@2\x18\x01\x2a\x00",
         12},
        {"a field longer than all",
         "\x0a\x7f"
         "a",
         3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bus_batch batch;
        f->out.len = 0;
        put(f, cases[i].bytes, cases[i].len);
        if (open_with(f, "", sink_bytes(&f->out), &batch) != BUS_BATCH_MALFORMED) {
            fail_msg("taken: %s", cases[i].what);
        }
    }
}

static void bus_batch_with_a_long_name_is_malformed(void **state)
{
    struct fixture *f = *state;
    struct bus_batch batch;
    put(f, "\x0a\xa1\x01", 3); /* a sender of 161 bytes */
    for (int i = 0; i < BUS_BATCH_NAME_MAX + 1; i++) {
        sink_u8(&f->out, 'a');
    }
    put(f,
        "\x12\x03"
        "b@2\x18\x01",
        7);
    assert_int_equal(open_with(f, "", sink_bytes(&f->out), &batch), BUS_BATCH_MALFORMED);
}

static void bus_batch_of_a_newer_node_opens_without_what_is_unknown(void **state)
{
    struct fixture *f = *state;
    struct bus_batch batch;
    add_text(f, "entry", "text");
    put(f,
        "\x9a\x06\x03"
        "new",
        6); /* field 99 */
    assert_int_equal(open_with(f, key_text, seal(f, key_text, 1), &batch), BUS_BATCH_OK);
    assert_int_equal(batch.effect_count, 1);
}

/* ---- Limits ---- */

static void bus_batch_beyond_the_largest_is_malformed_before_anything_else(void **state)
{
    struct fixture *f = *state;
    struct bus_batch batch;
    memset(f->out.ptr, 0, BUS_BATCH_BYTES_MAX + 1);
    assert_int_equal(open_with(f, key_text, bytes_of(f->out.ptr, BUS_BATCH_BYTES_MAX + 1), &batch),
                     BUS_BATCH_MALFORMED);
    assert_int_equal(open_with(f, key_text, bytes_of(f->out.ptr, BUS_BATCH_BYTES_MAX), &batch),
                     BUS_BATCH_FORGED);
}

static void bus_batch_add_takes_the_largest_effect_and_no_larger(void **state)
{
    struct fixture *f = *state;
    static const uint8_t zeros[BUS_EFFECT_BYTES_MAX];
    /* Two tags and two lengths of three bytes stand before the field. */
    struct bytes field = bytes_of(zeros, BUS_EFFECT_BYTES_MAX - 8);
    assert_true(bus_batch_add(&field, 1, &f->pack_arena, &f->out));
    assert_int_equal(f->out.len, BUS_EFFECT_BYTES_MAX);
    field.len++;
    assert_false(bus_batch_add(&field, 1, &f->pack_arena, &f->out));
    assert_int_equal(f->out.len, BUS_EFFECT_BYTES_MAX);
    struct bus_batch batch;
    assert_int_equal(open_with(f, key_text, seal(f, key_text, 1), &batch), BUS_BATCH_OK);
    assert_int_equal(batch.effects[0].fields[0].len, BUS_EFFECT_BYTES_MAX - 8);
}

static void bus_batch_add_refuses_no_field_and_too_many(void **state)
{
    struct fixture *f = *state;
    static const struct bytes fields[BUS_EFFECT_FIELDS_MAX + 1];
    assert_false(bus_batch_add(fields, 0, &f->pack_arena, &f->out));
    assert_false(bus_batch_add(fields, BUS_EFFECT_FIELDS_MAX + 1, &f->pack_arena, &f->out));
    assert_int_equal(f->out.len, 0);
    assert_true(bus_batch_add(fields, BUS_EFFECT_FIELDS_MAX, &f->pack_arena, &f->out));
}

static void bus_batch_of_the_most_fields_opens(void **state)
{
    struct fixture *f = *state;
    static const struct bytes fields[BUS_EFFECT_FIELDS_MAX];
    struct bytes name = bytes_str("x");
    for (size_t i = 0; i < BUS_BATCH_FIELDS_MAX - BUS_EFFECT_FIELDS_MAX; i++) {
        assert_true(bus_batch_add(&name, 1, &f->pack_arena, &f->out));
    }
    assert_true(bus_batch_add(fields, BUS_EFFECT_FIELDS_MAX, &f->pack_arena, &f->out));
    struct bus_batch batch;
    assert_int_equal(open_with(f, key_text, seal(f, key_text, 1), &batch), BUS_BATCH_OK);
    assert_int_equal(batch.effect_count, BUS_BATCH_FIELDS_MAX - BUS_EFFECT_FIELDS_MAX + 1);
}

/* As many two-byte fields as fit: known ones, ones of an effect, unknown ones. */
static void bus_batch_of_tiny_fields_beyond_the_limit_is_malformed(void **state)
{
    struct fixture *f = *state;
    static const char tiny[][2] = {{0x2a, 0}, {0x0a, 0}, {0x18, 1}, {0x78, 1}};
    for (size_t k = 0; k < sizeof tiny / sizeof *tiny; k++) {
        f->out.len = 0;
        while (f->out.len < BUS_BATCH_BYTES_MAX - BUS_BATCH_SEAL_MAX) {
            put(f, tiny[k], 2);
        }
        struct bus_batch batch;
        assert_int_equal(open_with(f, "", seal(f, "", 1), &batch), BUS_BATCH_MALFORMED);
        assert_true(f->open_arena.used <= f->open_arena.cap);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(bus_batch_sealed_with_a_key_opens_as_it_was),
        CASE(bus_batch_sealed_without_a_key_opens_as_it_was),
        CASE(bus_batch_without_effects_opens),
        CASE(bus_batch_seal_adds_no_more_than_announced),
        CASE(bus_batch_add_says_how_much_room_it_needs),
        CASE(bus_batch_with_any_bit_changed_is_forged),
        CASE(bus_batch_cut_anywhere_is_forged),
        CASE(bus_batch_of_another_key_is_forged),
        CASE(bus_batch_without_proof_is_forged_where_a_key_is_set),
        CASE(bus_batch_for_another_node_is_not_for_us),
        CASE(bus_batch_that_is_none_is_malformed),
        CASE(bus_batch_with_a_long_name_is_malformed),
        CASE(bus_batch_of_a_newer_node_opens_without_what_is_unknown),
        CASE(bus_batch_beyond_the_largest_is_malformed_before_anything_else),
        CASE(bus_batch_add_takes_the_largest_effect_and_no_larger),
        CASE(bus_batch_add_refuses_no_field_and_too_many),
        CASE(bus_batch_of_the_most_fields_opens),
        CASE(bus_batch_of_tiny_fields_beyond_the_limit_is_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
