/* SPDX-License-Identifier: MIT */
/*
 * Tests of node/core/room_feed: order, duplicates, gaps, what the log has lost, and a random run in
 * which entries are dropped, doubled and shuffled on their way and read again from a log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/core/room_feed.h"

static struct entry *entry_at(uint64_t seq)
{
    struct entry *entry = entry_new(seq, ENTRY_message, bytes_str("u"), bytes_str("text"), 1, 1);
    assert_non_null(entry);
    return entry;
}

static enum feed_verdict take(struct room_feed *feed, uint64_t seq)
{
    struct entry *entry = entry_at(seq);
    enum feed_verdict verdict = room_feed_take(feed, entry);
    entry_unref(entry);
    return verdict;
}

static void room_feed_entries_in_turn_are_delivered(void **state)
{
    (void)state;
    struct room_feed feed;
    room_feed_init(&feed, 5);
    assert_int_equal(take(&feed, 5), FEED_DELIVER);
    assert_int_equal(take(&feed, 6), FEED_DELIVER);
    assert_null(room_feed_pop(&feed));
    uint64_t first, last;
    assert_false(room_feed_gap(&feed, &first, &last));
    room_feed_fini(&feed);
}

static void room_feed_older_entries_are_duplicates(void **state)
{
    (void)state;
    struct room_feed feed;
    room_feed_init(&feed, 5);
    assert_int_equal(take(&feed, 4), FEED_DUPLICATE);
    assert_int_equal(take(&feed, 5), FEED_DELIVER);
    assert_int_equal(take(&feed, 5), FEED_DUPLICATE);
    assert_int_equal(take(&feed, 8), FEED_EARLY);
    assert_int_equal(take(&feed, 8), FEED_DUPLICATE);
    room_feed_fini(&feed);
}

static void room_feed_early_entry_waits_for_the_gap_before_it(void **state)
{
    (void)state;
    struct room_feed feed;
    uint64_t first, last;
    room_feed_init(&feed, 1);
    assert_int_equal(take(&feed, 4), FEED_EARLY);
    assert_int_equal(take(&feed, 3), FEED_EARLY);
    assert_true(room_feed_gap(&feed, &first, &last));
    assert_int_equal(first, 1);
    assert_int_equal(last, 2);
    assert_int_equal(take(&feed, 1), FEED_DELIVER);
    assert_null(room_feed_pop(&feed));
    assert_int_equal(take(&feed, 2), FEED_DELIVER);
    assert_int_equal(room_feed_pop(&feed)->seq, 3);
    assert_int_equal(room_feed_pop(&feed)->seq, 4);
    assert_null(room_feed_pop(&feed));
    assert_false(room_feed_gap(&feed, &first, &last));
    room_feed_fini(&feed);
}

static void room_feed_top_of_the_log_shows_a_silent_loss(void **state)
{
    (void)state;
    struct room_feed feed;
    uint64_t first, last;
    room_feed_init(&feed, 10);
    room_feed_top(&feed, 9);
    assert_false(room_feed_gap(&feed, &first, &last));
    room_feed_top(&feed, 12);
    room_feed_top(&feed, 11);
    assert_true(room_feed_gap(&feed, &first, &last));
    assert_int_equal(first, 10);
    assert_int_equal(last, 12);
    room_feed_fini(&feed);
}

static void room_feed_skip_counts_what_is_lost_and_goes_on(void **state)
{
    (void)state;
    struct room_feed feed;
    room_feed_init(&feed, 1);
    assert_int_equal(take(&feed, 1), FEED_DELIVER);
    assert_int_equal(take(&feed, 7), FEED_EARLY);
    assert_int_equal(room_feed_skip(&feed, 6), 4);
    assert_int_equal(room_feed_skip(&feed, 2), 0);
    assert_null(room_feed_pop(&feed));
    assert_int_equal(take(&feed, 6), FEED_DELIVER);
    assert_int_equal(room_feed_pop(&feed)->seq, 7);
    room_feed_fini(&feed);
}

static void room_feed_ring_keeps_the_recent_and_nothing_else(void **state)
{
    (void)state;
    struct room_feed feed;
    room_feed_init(&feed, 1);
    for (uint64_t seq = 1; seq <= ROOM_FEED_RING + 10; seq++) {
        assert_int_equal(take(&feed, seq), FEED_DELIVER);
    }
    assert_null(room_feed_recent(&feed, 10));
    for (uint64_t seq = 11; seq <= ROOM_FEED_RING + 10; seq++) {
        assert_int_equal(room_feed_recent(&feed, seq)->seq, seq);
    }
    assert_null(room_feed_recent(&feed, ROOM_FEED_RING + 11));
    room_feed_fini(&feed);
}

static void room_feed_ring_is_bounded_in_bytes(void **state)
{
    (void)state;
    static uint8_t big[32 * 1024];
    struct room_feed feed;
    room_feed_init(&feed, 1);
    for (uint64_t seq = 1; seq <= 20; seq++) {
        struct entry *entry =
            entry_new(seq, ENTRY_message, bytes_str("u"), bytes_of(big, sizeof big), 1, 1);
        assert_int_equal(room_feed_take(&feed, entry), FEED_DELIVER);
        entry_unref(entry);
        assert_true(feed.ring_bytes <= ROOM_FEED_RING_BYTES);
    }
    assert_non_null(room_feed_recent(&feed, 20));
    assert_null(room_feed_recent(&feed, 1));
    room_feed_fini(&feed);
}

static void room_feed_more_early_entries_than_it_holds_are_found_again_by_the_gap(void **state)
{
    (void)state;
    struct room_feed feed;
    uint64_t first, last, delivered = 0;
    room_feed_init(&feed, 1);
    for (uint64_t seq = 2; seq <= ROOM_FEED_HELD + 50; seq++) {
        assert_int_equal(take(&feed, seq), FEED_EARLY);
    }
    assert_int_equal(feed.held_count, ROOM_FEED_HELD);
    while (room_feed_gap(&feed, &first, &last)) {
        for (uint64_t seq = first; seq <= last; seq++) {
            assert_int_equal(take(&feed, seq), FEED_DELIVER);
            delivered++;
            while (room_feed_pop(&feed) != NULL) {
                delivered++;
            }
        }
    }
    assert_int_equal(delivered, ROOM_FEED_HELD + 50);
    room_feed_fini(&feed);
}

/* A small generator, so that a failing case can be run again by its seed. */
static uint32_t random_next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

struct delivered {
    uint64_t last;
};

static void deliver_all(struct room_feed *feed, struct delivered *delivered, uint64_t seq)
{
    if (take(feed, seq) != FEED_DELIVER) {
        return;
    }
    assert_int_equal(seq, delivered->last + 1);
    delivered->last = seq;
    const struct entry *entry;
    while ((entry = room_feed_pop(feed)) != NULL) {
        assert_int_equal(entry->seq, delivered->last + 1);
        delivered->last = entry->seq;
    }
}

/* One room's life: entries 1..count, each lost, doubled or moved by up to `reach` places. */
static void random_case(uint32_t seed)
{
    uint64_t way[512];
    size_t way_count = 0;
    uint64_t count = 1 + random_next(&seed) % 200;
    uint32_t loss = random_next(&seed) % 60, doubling = random_next(&seed) % 60;
    uint32_t reach = 1 + random_next(&seed) % 40;
    for (uint64_t seq = 1; seq <= count; seq++) {
        for (uint32_t copies = random_next(&seed) % 100 < doubling ? 2 : 1; copies > 0; copies--) {
            if (random_next(&seed) % 100 >= loss) {
                way[way_count++] = seq;
            }
        }
    }
    for (size_t i = 0; i + 1 < way_count; i++) {
        size_t other = i + random_next(&seed) % reach;
        other = other < way_count ? other : way_count - 1;
        uint64_t moved = way[i];
        way[i] = way[other];
        way[other] = moved;
    }
    struct room_feed feed;
    struct delivered delivered = {0};
    uint64_t first, last;
    room_feed_init(&feed, 1);
    for (size_t i = 0; i < way_count; i++) {
        deliver_all(&feed, &delivered, way[i]);
        if (random_next(&seed) % 8 == 0 && room_feed_gap(&feed, &first, &last)) {
            for (uint64_t seq = first; seq <= last; seq++) {
                deliver_all(&feed, &delivered, seq);
            }
        }
    }
    room_feed_top(&feed, count);
    while (room_feed_gap(&feed, &first, &last)) {
        for (uint64_t seq = first; seq <= last; seq++) {
            deliver_all(&feed, &delivered, seq);
        }
    }
    assert_int_equal(delivered.last, count);
    room_feed_fini(&feed);
}

static void room_feed_any_order_loss_and_doubling_ends_complete_and_in_order(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 5000; seed++) {
        random_case(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_feed_entries_in_turn_are_delivered),
        cmocka_unit_test(room_feed_older_entries_are_duplicates),
        cmocka_unit_test(room_feed_early_entry_waits_for_the_gap_before_it),
        cmocka_unit_test(room_feed_top_of_the_log_shows_a_silent_loss),
        cmocka_unit_test(room_feed_skip_counts_what_is_lost_and_goes_on),
        cmocka_unit_test(room_feed_ring_keeps_the_recent_and_nothing_else),
        cmocka_unit_test(room_feed_ring_is_bounded_in_bytes),
        cmocka_unit_test(room_feed_more_early_entries_than_it_holds_are_found_again_by_the_gap),
        cmocka_unit_test(room_feed_any_order_loss_and_doubling_ends_complete_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
