/* SPDX-License-Identifier: MIT */
/*
 * bench_run: the loop, and the order of things: coming, talking (bench_talk.c), leaving, figures.
 */
#include "admin/bench/bench_run.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "admin/bench/bench_parts.h"
#include "admin/tick.h"
#include "admin/units.h"
#include "admin/visible_print.h"

#define BENCH_AT_ONCE   64 /* users that are set up, or leave, at the same time */
#define BENCH_COUNT_MS  15000
#define BENCH_ASK_MS    1000 /* a list should be complete by then */
#define BENCH_CLOSE_MS  5000
#define BENCH_LEAVE_MS  15000
#define BENCH_FDS_SPARE 32

volatile sig_atomic_t bench_is_stopped;

static void bench_on_signal(int signal)
{
    (void)signal;
    bench_is_stopped = 1;
}

/* The loop ------------------------------------------------------------------------------------- */

void bench_turn(struct bench *bench, int64_t until_us)
{
    size_t count = 0;
    int64_t due_ms = TICK_NEVER;
    for (size_t i = 0; i < bench->options->user_count; i++) {
        int64_t user_due_ms = bench_user_turn(&bench->users[i]);
        due_ms = user_due_ms < due_ms ? user_due_ms : due_ms;
        bench->fd_counts[i] = bench_user_watch(&bench->users[i], bench->fds + count);
        count += bench->fd_counts[i];
    }
    int64_t now_us = bench_now_us(), wait_us = until_us - now_us;
    if (due_ms != TICK_NEVER && due_ms * 1000 - now_us < wait_us) {
        wait_us = due_ms * 1000 - now_us;
    }
    wait_us = wait_us > 0 ? wait_us : 0;
    const struct timespec wait = {wait_us / 1000000, wait_us % 1000000 * 1000};
    if (ppoll(bench->fds, count, &wait, NULL) <= 0) {
        return;
    }
    const struct pollfd *fds = bench->fds;
    for (size_t i = 0; i < bench->options->user_count; i++) {
        bench_user_ready(&bench->users[i], fds, bench->fd_counts[i]);
        fds += bench->fd_counts[i];
    }
}

void bench_turn_ms(struct bench *bench, int64_t ms)
{
    bench_turn(bench, bench_now_us() + ms * 1000);
}

/* Coming --------------------------------------------------------------------------------------- */

/* What users do until all are there. */
struct bench_phase {
    const char *name; /* as progress and failures call it */
    void (*act)(struct bench_user *user);
    enum bench_stage stage; /* which it leads to */
    const size_t *arrived;  /* users that it has led there */
};

/* One who has not arrived; there is one. */
static const struct bench_user *bench_missing(const struct bench *bench, size_t from, size_t end,
                                              enum bench_stage stage)
{
    size_t at = from;
    while (at + 1 < end && bench->users[at].stage == stage) {
        at++;
    }
    return &bench->users[at];
}

static void bench_give_up(struct bench *bench, const struct bench_phase *phase, size_t from,
                          size_t end)
{
    const struct bench_user *missing = bench_missing(bench, from, end, phase->stage);
    char waited[24];
    units_age(bench->options->wait_ms, waited, sizeof waited);
    snprintf(bench->crew.words, sizeof bench->crew.words,
             "%s: %zu of %zu users have come so far, and nobody for %s; one of those who are "
             "missing is %s (--wait S waits longer)",
             phase->name, *phase->arrived, end, waited, missing->name);
    bench->crew.has_failed = true;
}

/* The users from `from` to `end` take part, some at a time; those before them have arrived. */
static bool bench_all(struct bench *bench, size_t from, size_t end, const struct bench_phase *phase)
{
    size_t next = from, arrived_before = *phase->arrived;
    int64_t moved_ms = tick_ms();
    while (*phase->arrived < end && !bench->crew.has_failed && !bench_is_stopped) {
        while (next < end && next < *phase->arrived + BENCH_AT_ONCE) {
            phase->act(&bench->users[next++]);
        }
        bench_turn_ms(bench, 100);
        if (*phase->arrived != arrived_before) {
            arrived_before = *phase->arrived;
            moved_ms = tick_ms();
        } else if (tick_ms() - moved_ms >= bench->options->wait_ms && !bench->crew.has_failed) {
            bench_give_up(bench, phase, from, end);
        }
    }
    return *phase->arrived >= end;
}

/* Asks for lists until they are complete: one that changes meanwhile may break off. */
static bool bench_count_others(struct bench *bench)
{
    struct bench_user *first = &bench->users[0];
    int64_t now_ms = tick_ms(), until_ms = now_ms + BENCH_COUNT_MS, ask_ms = now_ms;
    first->counts_others = true;
    while (first->counts_others && !bench->crew.has_failed && !bench_is_stopped) {
        now_ms = tick_ms();
        if (now_ms >= until_ms) {
            snprintf(bench->crew.words, sizeof bench->crew.words,
                     "the service does not say who else is there");
            return false;
        }
        if (now_ms >= ask_ms) {
            bench_user_refresh(first);
            ask_ms = now_ms + BENCH_ASK_MS;
        }
        bench_turn_ms(bench, 100);
    }
    return !first->counts_others;
}

static bool bench_register(struct bench *bench, size_t from, size_t end)
{
    const struct bench_phase phase = {"registering", bench_user_register, BENCH_ATTACHED,
                                      &bench->crew.attached_count};
    return bench_all(bench, from, end, &phase);
}

static bool bench_enter(struct bench *bench, size_t from, size_t end)
{
    const struct bench_phase phase = {"entering rooms", bench_user_enter, BENCH_IN_ROOM,
                                      &bench->crew.in_room_count};
    return bench_all(bench, from, end, &phase);
}

static bool bench_set_up(struct bench *bench)
{
    size_t count = bench->options->user_count, rooms = bench->options->room_count;
    fprintf(stderr, "registering %zu users\n", count);
    if (!bench_register(bench, 1, count)) {
        return false;
    }
    fprintf(stderr, "entering %zu rooms\n", rooms);
    bench->crew.is_talking = bench_enter(bench, 0, rooms) && bench_enter(bench, rooms, count);
    return bench->crew.is_talking;
}

/* Leaving -------------------------------------------------------------------------------------- */

/* Rooms first, and everybody with them; what is in the way of that only costs time. */
static void bench_leave(struct bench *bench)
{
    size_t count = bench->options->user_count;
    int64_t until_ms = tick_ms() + BENCH_CLOSE_MS;
    bench->crew.is_leaving = true;
    for (size_t i = 0; i < bench->options->room_count; i++) {
        bench_user_close_room(&bench->users[i]);
    }
    while (bench->crew.in_room_count > 0 && tick_ms() < until_ms) {
        bench_turn_ms(bench, 100);
    }
    until_ms = tick_ms() + BENCH_LEAVE_MS;
    for (size_t next = 0; bench->crew.gone_count < count && tick_ms() < until_ms;) {
        while (next < count && next < bench->crew.gone_count + BENCH_AT_ONCE) {
            bench_user_leave(&bench->users[next++]);
        }
        bench_turn_ms(bench, 100);
    }
    if (bench->crew.gone_count < count) {
        fprintf(stderr, "%zu users could not be signed off; they end by themselves in a minute\n",
                count - bench->crew.gone_count);
    }
}

/* Figures -------------------------------------------------------------------------------------- */

static double bench_per_s(uint64_t count, int64_t from_us, int64_t to_us)
{
    return to_us > from_us ? (double)count * 1e6 / (double)(to_us - from_us) : 0;
}

static int64_t bench_cpu_us(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void bench_figures(const struct bench *bench, Hgtp__Tool__BenchReply *figures)
{
    const struct bench_tally *tally = &bench->tally;
    const struct bench_crew *crew = &bench->crew;
    int64_t last_us =
        tally->last_heard_us > tally->last_ack_us ? tally->last_heard_us : tally->last_ack_us;
    figures->talk_ms = last_us > tally->first_us ? (last_us - tally->first_us) / 1000 : 0;
    figures->messages = tally->acked;
    figures->messages_per_s = bench_per_s(tally->acked, tally->first_us, tally->last_ack_us);
    figures->deliveries = tally->heard;
    figures->deliveries_per_s = bench_per_s(tally->heard, tally->first_us, tally->last_heard_us);
    figures->lost = bench_tally_missing(tally);
    figures->twice = tally->twice;
    figures->out_of_order = tally->out_of_order;
    figures->wrong = tally->wrong;
    figures->unacknowledged = bench_tally_unacked(tally);
    figures->refused = tally->refused;
    figures->held_back = crew->held_back;
    figures->unsaid = bench_unsaid(bench);
    figures->reconnects = crew->reconnects;
    figures->sessions_lost = crew->sessions_lost;
    figures->latency_p50_ms = (double)bench_histogram_at(&tally->latency, 0.5) / 1000;
    figures->latency_p99_ms = (double)bench_histogram_at(&tally->latency, 0.99) / 1000;
    figures->latency_max_ms = (double)tally->latency.max_us / 1000;
}

/* Life ----------------------------------------------------------------------------------------- */

static void bench_init(struct bench *bench, const struct bench_options *options)
{
    uint32_t noise;
    size_t count = options->user_count;
    *bench = (struct bench){.options = options,
                            .users = calloc(count, sizeof *bench->users),
                            .fds = calloc(count * BENCH_USER_FDS, sizeof *bench->fds),
                            .fd_counts = calloc(count, sizeof *bench->fd_counts)};
    if (bench->users == NULL || bench->fds == NULL || bench->fd_counts == NULL) {
        abort();
    }
    talk_net_random(&noise, sizeof noise);
    bench_tally_init(&bench->tally, options->room_count, count);
    bench->crew = (struct bench_crew){.target = options->target,
                                      .room_count = options->room_count,
                                      .message_bytes = options->message_bytes,
                                      .tally = &bench->tally};
    snprintf(bench->crew.tag, sizeof bench->crew.tag, "%.24s-%06" PRIx32, options->prefix,
             noise & 0xffffff);
    for (size_t i = 0; i < count; i++) {
        bench_user_init(&bench->users[i], &bench->crew, i);
    }
}

static void bench_fini(struct bench *bench)
{
    for (size_t i = 0; i < bench->options->user_count; i++) {
        bench_user_fini(&bench->users[i]);
    }
    bench_tally_fini(&bench->tally);
    free(bench->users);
    free(bench->fds);
    free(bench->fd_counts);
}

/* Each user has a connection, and some sockets for datagrams. */
static bool bench_has_descriptors(size_t user_count)
{
    struct rlimit limit;
    rlim_t needed = user_count * 2 + BENCH_AT_ONCE * BENCH_USER_FDS + BENCH_FDS_SPARE;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) {
        return true;
    }
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= needed) {
        return true;
    }
    fprintf(stderr,
            "hgtpctl bench: %zu users need %ju descriptors, and %ju are allowed: ulimit -n\n",
            user_count, (uintmax_t)needed, (uintmax_t)limit.rlim_cur);
    return false;
}

static enum bench_outcome bench_go(struct bench *bench, Hgtp__Tool__BenchReply *figures)
{
    int64_t begin_ms = tick_ms();
    if (!bench_register(bench, 0, 1)) {
        return bench->crew.is_unreachable ? BENCH_UNREACHABLE : BENCH_REFUSED;
    }
    if (!bench_count_others(bench)) {
        return BENCH_REFUSED;
    }
    figures->foreign_sessions = bench->users[0].others;
    if (figures->foreign_sessions > 0 && !bench->options->may_disturb) {
        return BENCH_OTHERS;
    }
    if (!bench_set_up(bench)) {
        return bench->crew.is_unreachable ? BENCH_UNREACHABLE : BENCH_REFUSED;
    }
    figures->set_up_ms = tick_ms() - begin_ms;
    int64_t cpu_us = bench_cpu_us(), begin_us = bench_now_us();
    bench_talk(bench);
    figures->tool_cpu_percent =
        (double)(bench_cpu_us() - cpu_us) * 100 / (double)(bench_now_us() - begin_us);
    bench_rest(bench);
    bench_figures(bench, figures);
    return BENCH_DONE;
}

enum bench_outcome bench_run(const struct bench_options *options,
                             Hgtp__Tool__BenchReply *ret_figures)
{
    struct bench bench;
    const struct sigaction on_signal = {.sa_handler = bench_on_signal,
                                        .sa_flags = (int)SA_RESETHAND};
    if (!bench_has_descriptors(options->user_count)) {
        return BENCH_REFUSED;
    }
    (void)sigaction(SIGINT, &on_signal, NULL);
    (void)sigaction(SIGTERM, &on_signal, NULL);
    bench_init(&bench, options);
    enum bench_outcome outcome = bench_go(&bench, ret_figures);
    const char *words = bench.crew.words;
    if (words[0] != '\0' || (outcome == BENCH_REFUSED && bench_is_stopped)) {
        visible_printf(stderr, "hgtpctl bench: %s%s\n",
                       outcome == BENCH_DONE ? "the last refusal: " : "",
                       words[0] != '\0' ? words : "stopped before all were there");
    }
    bench_leave(&bench);
    bench_fini(&bench);
    return outcome;
}
