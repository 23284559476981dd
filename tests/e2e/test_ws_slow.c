/* SPDX-License-Identifier: MIT */
/*
 * A modern user that does not read: nobody waits for it, the node keeps no more for it than it may,
 * and when it reads again it catches up from the room log, or is told what is not there any more.
 */
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/e2e_talk.h"

#define POUR_COUNT      20000
#define POUR_TEXT_BYTES 1000
#define POUR_MS         120000
#define POUR_LAST       (3 + POUR_COUNT)
#define PAUSE_MAX_MS    3000
#define GROWTH_MAX      (24 * 1024 * 1024)

struct talk {
    struct talker *alice, *bob, *slow;
    int64_t rss_bytes; /* of the node, before the talk */
};

static int64_t rss_bytes(const struct e2e *e)
{
    char path[64];
    long long pages = 0, resident = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)process_pid(e->daemon->process));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lld %lld", &pages, &resident), 2);
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

static void begin(struct e2e *e, struct talk *talk)
{
    const struct talker_options slow = {.name = "slow", .receive_bytes = 131072};
    talk->alice = e2e_talker(e, "alice");
    talk->bob = e2e_talker(e, "bob");
    talk->slow = e2e_talker_with(e, &slow);
    e2e_talk_open_room(talk->alice, "den");
    e2e_talk_join_room(talk->bob, "den");
    e2e_talk_join_room(talk->slow, "den");
    talk->rss_bytes = rss_bytes(e);
    talk->alice->text_bytes = POUR_TEXT_BYTES;
}

/* The longest time in which bob heard nothing. */
static int64_t longest_pause_ms(const struct talk_record *record)
{
    int64_t longest_ms = 0;
    for (size_t i = 4; i < record->count; i++) {
        int64_t pause_ms = record->entries[i]->at_ms - record->entries[i - 1]->at_ms;
        longest_ms = pause_ms > longest_ms ? pause_ms : longest_ms;
    }
    return longest_ms;
}

/* alice says everything while slow does not read; bob hears it as if slow were not there. */
static void pour(struct e2e *e, struct talk *talk)
{
    ws_client_stall(talk->slow->ws, true);
    talker_pour(talk->alice, POUR_COUNT, 200);
    assert_true(talker_poured(talk->alice, POUR_MS));
    assert_int_equal(talk->alice->errors, 0);
    assert_true(talker_has(talk->bob, POUR_LAST, PAUSE_MAX_MS));
    e2e_talk_whole(talk->bob, POUR_LAST);
    int64_t pause_ms = longest_pause_ms(&talk->bob->record);
    int64_t growth = rss_bytes(e) - talk->rss_bytes;
    print_message("longest pause %d ms, node grew by %d KiB, slow has %d\n", (int)pause_ms,
                  (int)(growth / 1024), (int)talk_record_last(&talk->slow->record));
    assert_true(pause_ms < PAUSE_MAX_MS);
    assert_true(talk_record_last(&talk->slow->record) < POUR_COUNT / 2);
#ifndef __SANITIZE_ADDRESS__
    assert_true(growth < GROWTH_MAX);
#endif
}

E2E_SCENARIO(slow_talker_delays_nobody_and_catches_up_from_the_log)
{
    struct talk talk = {0};
    E2E_NODE(e, "history.length=30000", E2E_NO_RATES, "http.ping_s=600", "redis.deadline_ms=30000");
    begin(e, &talk);
    pour(e, &talk);
    ws_client_stall(talk.slow->ws, false);
    assert_true(talker_has(talk.slow, POUR_LAST, POUR_MS));
    e2e_talk_whole(talk.slow, POUR_LAST);
    assert_true(talk_record_has_numbers(&talk.slow->record, "alice", POUR_COUNT));
    assert_true(talker_say_acked(talk.slow, "here I am", "1") == POUR_LAST + 1);
    assert_true(talker_has(talk.bob, POUR_LAST + 1, TALKER_WAIT_MS));
}

E2E_SCENARIO(slow_talker_that_misses_the_log_is_told_of_one_gap)
{
    struct talk talk = {0};
    E2E_NODE(e, "history.length=1000", E2E_NO_RATES, "http.ping_s=600", "redis.deadline_ms=30000");
    begin(e, &talk);
    pour(e, &talk);
    ws_client_stall(talk.slow->ws, false);
    assert_true(talker_has(talk.slow, POUR_LAST, POUR_MS));
    struct talk_account account = talk_record_account(&talk.slow->record);
    assert_null(talker_broken(talk.slow));
    assert_int_equal(account.gaps, 1);
    assert_int_equal(account.to, POUR_LAST);
    assert_true(account.missed <= POUR_COUNT - 1000);
    assert_true(talker_say_acked(talk.alice, "and on", "and on") == POUR_LAST + 1);
    assert_true(talker_has(talk.slow, POUR_LAST + 1, TALKER_WAIT_MS));
}

/* It reads, but slower than there is said, so that it is behind all the time. */
E2E_SCENARIO(talker_that_reads_now_and_then_gets_everything_in_order)
{
    struct talk talk = {0};
    E2E_NODE(e, "history.length=30000", E2E_NO_RATES, "http.ping_s=600", "redis.deadline_ms=30000",
             "limits.queue_bytes=65536");
    begin(e, &talk);
    talker_pour(talk.alice, POUR_COUNT / 4, 100);
    bool is_stalled = false;
    int64_t deadline_ms = pump_deadline_ms(POUR_MS);
    while (talk.alice->acked < talk.alice->goal) {
        assert_true(pump_now_ms() < deadline_ms);
        is_stalled = !is_stalled;
        ws_client_stall(talk.slow->ws, is_stalled);
        e2e_retry_pause();
    }
    ws_client_stall(talk.slow->ws, false);
    assert_true(talker_has(talk.slow, 3 + POUR_COUNT / 4, POUR_MS));
    e2e_talk_whole(talk.slow, 3 + POUR_COUNT / 4);
}

E2E_SCENARIO(slow_talker_that_gives_up_resumes_where_it_was)
{
    struct talk talk = {0};
    E2E_NODE(e, "history.length=30000", E2E_NO_RATES, "http.ping_s=600", "redis.deadline_ms=30000");
    begin(e, &talk);
    pour(e, &talk);
    ws_client_drop(talk.slow->ws);
    assert_int_equal(talker_resume(talk.slow, e->daemon->http_port), 101);
    assert_true(talker_has(talk.slow, POUR_LAST, POUR_MS));
    e2e_talk_whole(talk.slow, POUR_LAST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(slow_talker_delays_nobody_and_catches_up_from_the_log),
        E2E_TEST(slow_talker_that_misses_the_log_is_told_of_one_gap),
        E2E_TEST(talker_that_reads_now_and_then_gets_everything_in_order),
        E2E_TEST(slow_talker_that_gives_up_resumes_where_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
