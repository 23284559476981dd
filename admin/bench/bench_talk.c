/* SPDX-License-Identifier: MIT */
/*
 * bench_talk: pace and progress. With a rate, a message is due at its time whether or not the
 * service keeps up, and its latency counts from there: a service that stalls cannot make itself
 * look better by being asked less.
 */
#include <inttypes.h>
#include <stdio.h>

#include "admin/bench/bench_parts.h"
#include "admin/tick.h"
#include "admin/units.h"

#define BENCH_REST_MS      15000 /* without anything coming in: what is missing does not come */
#define BENCH_STOP_REST_MS 2000  /* the same when a person has had enough */
#define BENCH_PROGRESS_MS  1000

static void bench_progress(struct bench *bench, int64_t now_ms, bool is_forced)
{
    const struct bench_tally *tally = &bench->tally;
    int64_t passed_ms = now_ms - bench->told_ms;
    if (passed_ms < BENCH_PROGRESS_MS && !is_forced) {
        return;
    }
    char said[24], heard[24], age[24];
    double seconds = (double)(passed_ms > 0 ? passed_ms : 1) / 1000;
    units_rate((double)(tally->acked - bench->told_acked) / seconds, said, sizeof said);
    units_rate((double)(tally->heard - bench->told_heard) / seconds, heard, sizeof heard);
    units_age((now_ms - bench->talk_us / 1000) / 100 * 100, age, sizeof age);
    const char *begin = bench->options->is_terminal ? "\r\033[K" : "";
    const char *end = bench->options->is_terminal && !is_forced ? "" : "\n";
    fprintf(stderr,
            "%s%s  messages %s  deliveries %s  unacknowledged %" PRIu64 "  outstanding %" PRIu64
            "%s",
            begin, age, said, heard, bench_tally_unacked(tally), bench_tally_missing(tally), end);
    (void)fflush(stderr);
    bench->told_ms = now_ms;
    bench->told_acked = tally->acked;
    bench->told_heard = tally->heard;
}

/* The next user in turn that may say something; NULL: all have to wait. */
static struct bench_user *bench_next_sender(struct bench *bench)
{
    size_t count = bench->options->user_count;
    for (size_t i = 0; i < count; i++) {
        struct bench_user *user = &bench->users[bench->next_sender];
        bench->next_sender = (bench->next_sender + 1) % count;
        if (bench_user_may_say(user, bench->options->window)) {
            return user;
        }
    }
    return NULL;
}

/* When message number `count` is due. */
static int64_t bench_due_us(const struct bench *bench, uint64_t count)
{
    return bench->talk_us + (int64_t)((double)count * 1e6 / bench->options->rate);
}

/* Say what is due; returns when the next turn has to end. */
static int64_t bench_pace(struct bench *bench)
{
    bool has_rate = bench->options->rate > 0;
    int64_t now_us = bench_now_us();
    for (;;) {
        int64_t due_us = has_rate ? bench_due_us(bench, bench->due_count) : now_us;
        if (due_us >= bench->end_us || due_us > now_us) {
            return due_us;
        }
        struct bench_user *user = bench_next_sender(bench);
        if (user == NULL) {
            return now_us + 100000; /* an acknowledgement wakes it earlier */
        }
        bench_user_say(user, due_us);
        bench->due_count++;
    }
}

void bench_talk(struct bench *bench)
{
    bench->talk_us = bench_now_us();
    bench->told_ms = tick_ms();
    bench->end_us = bench->talk_us + bench->options->talk_ms * 1000;
    while (bench_now_us() < bench->end_us && !bench_is_stopped) {
        int64_t until_us = bench_pace(bench);
        bench_turn(bench, until_us < bench->end_us ? until_us : bench->end_us);
        bench_progress(bench, tick_ms(), false);
    }
    int64_t now_us = bench_now_us();
    bench->end_us = now_us < bench->end_us ? now_us : bench->end_us;
}

void bench_rest(struct bench *bench)
{
    const struct bench_tally *tally = &bench->tally;
    bench->moved_ms = tick_ms();
    while (bench_tally_unacked(tally) > 0 || bench_tally_missing(tally) > 0) {
        bench_turn_ms(bench, 100);
        uint64_t moved = tally->acked + tally->refused + tally->heard;
        int64_t now_ms = tick_ms();
        if (moved != bench->moved) {
            bench->moved = moved;
            bench->moved_ms = now_ms;
        }
        bench_progress(bench, now_ms, false);
        if (now_ms >= bench->moved_ms + (bench_is_stopped ? BENCH_STOP_REST_MS : BENCH_REST_MS)) {
            break;
        }
    }
    bench_progress(bench, tick_ms(), true);
}

uint64_t bench_unsaid(const struct bench *bench)
{
    double seconds = (double)(bench->end_us - bench->talk_us) / 1e6;
    uint64_t due_count = (uint64_t)(seconds * bench->options->rate);
    return due_count > bench->due_count ? due_count - bench->due_count : 0;
}
