/* SPDX-License-Identifier: MIT */
/*
 * load: the life of a load and its phases: all sessions registered, rooms opened and filled, then
 * runs that are measured. What goes over the wire is in load_udp.c and load_http.c.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "load_parts.h"

#define LOAD_SETUP_MS    120000
#define LOAD_REST_MS     10000 /* for the last answers of a run */
#define LOAD_PUSHES_MS   1000  /* without a push: those that are missing do not come any more */
#define LOAD_SAMPLES_MAX (1u << 20)

int64_t load_now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

void load_sample(struct load *load, int64_t sent_us)
{
    if (load->figures.operations < LOAD_SAMPLES_MAX) {
        load->samples[load->figures.operations] = load_now_us() - sent_us;
    }
    load->figures.operations++;
    load->last_us = load_now_us();
}

void load_on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct load *load = handle->loop->data;
    (void)wanted;
    *buf = uv_buf_init(load->buffer, sizeof load->buffer);
}

struct sockaddr_in load_address(uint16_t port)
{
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", port, &address);
    return address;
}

static void load_on_clock(uv_timer_t *clock)
{
    load_udp_repeat(clock->data);
}

/* Sessions `from` up to `end` reach `wanted`. */
static bool load_set_up(struct load *load, enum load_step wanted, size_t from, size_t end)
{
    int64_t until_us = load_now_us() + LOAD_SETUP_MS * 1000;
    load->wanted = wanted;
    load->next_setup = load->ready_count = from;
    load->setup_end = end;
    load->is_setting_up = true;
    load_udp_set_up_next(load);
    while (load->ready_count < end && !load->is_failed) {
        if (load_now_us() > until_us) {
            fprintf(stderr, "only %zu of %zu sessions are %s in time\n", load->ready_count, end,
                    wanted == STEP_REGISTERED ? "registered" : "in their rooms");
            return false;
        }
        uv_run(&load->loop, UV_RUN_ONCE);
    }
    load->is_setting_up = false;
    return !load->is_failed;
}

struct load *load_open(const struct load_options *options)
{
    struct load *load = calloc(1, sizeof *load);
    assert(load != NULL && options->room_count <= options->session_count);
    size_t count = options->session_count, room_count = options->room_count;
    load->options = *options;
    load->sessions = calloc(count, sizeof *load->sessions);
    load->samples = calloc(LOAD_SAMPLES_MAX, sizeof *load->samples);
    assert(load->sessions != NULL && load->samples != NULL);
    for (size_t i = 0; i < count; i++) {
        snprintf(load->sessions[i].user_id, sizeof load->sessions[i].user_id, "%08zu",
                 i % 100000000);
    }
    uv_loop_init(&load->loop);
    load->loop.data = load;
    uv_timer_init(&load->loop, &load->clock);
    load->clock.data = load;
    uv_timer_start(&load->clock, load_on_clock, 100, 100);
    bool is_good = load_udp_open(load);
    is_good = load_http_open(load) && is_good;
    /* The rooms have to stand before anybody can enter them. */
    if (!is_good || !load_set_up(load, STEP_REGISTERED, 0, count) ||
        !load_set_up(load, STEP_IN_ROOM, 0, room_count) ||
        !load_set_up(load, STEP_IN_ROOM, room_count, count)) {
        load_close(load);
        return NULL;
    }
    return load;
}

static int load_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void load_rank(struct load *load)
{
    size_t count =
        load->figures.operations < LOAD_SAMPLES_MAX ? load->figures.operations : LOAD_SAMPLES_MAX;
    qsort(load->samples, count, sizeof *load->samples, load_compare);
    if (count > 0) {
        load->figures.p50_us = load->samples[count / 2];
        load->figures.p99_us = load->samples[count * 99 / 100];
    }
}

static void load_on_over(uv_timer_t *timer)
{
    struct load *load = timer->data;
    load->is_running = false;
    uv_stop(timer->loop);
}

/* Nothing may be left for the next run: its answers would come without a start. */
static void load_rest(struct load *load, int64_t until_us)
{
    while (load->under_way > 0 && !load->is_failed && load_now_us() < until_us) {
        uv_run(&load->loop, UV_RUN_ONCE);
    }
    while (load->figures.deliveries < load->figures.expected &&
           load_now_us() < load->last_us + LOAD_PUSHES_MS * 1000 && load_now_us() < until_us) {
        uv_run(&load->loop, UV_RUN_ONCE);
    }
}

bool load_run(struct load *load, enum load_kind kind, int64_t duration_ms,
              struct load_figures *ret_figures)
{
    uv_timer_t over;
    uv_timer_init(&load->loop, &over);
    over.data = load;
    uv_timer_start(&over, load_on_over, (uint64_t)duration_ms, 0);
    load->figures = (struct load_figures){0};
    load->is_running = true;
    int64_t start_us = load->last_us = load_now_us(),
            until_us = start_us + (duration_ms + LOAD_REST_MS) * 1000;
    if (kind == LOAD_SAY) {
        load_http_say(load);
    } else {
        load_udp_move_next(load);
    }
    uv_run(&load->loop, UV_RUN_DEFAULT);
    load_rest(load, until_us);
    load->figures.duration_us = load->last_us - start_us;
    if (load->under_way > 0) {
        fprintf(stderr, "%zu operations have got no answer\n", load->under_way);
        load->is_failed = true;
    }
    load_rank(load);
    *ret_figures = load->figures;
    uv_close((uv_handle_t *)&over, NULL);
    uv_run(&load->loop, UV_RUN_NOWAIT);
    return !load->is_failed;
}

void load_close(struct load *load)
{
    uv_close((uv_handle_t *)&load->clock, NULL);
    load_udp_close(load);
    load_http_close(load);
    uv_run(&load->loop, UV_RUN_DEFAULT);
    uv_loop_close(&load->loop);
    free(load->sessions);
    free(load->talks);
    free(load->samples);
    free(load);
}
