/* SPDX-License-Identifier: MIT */
/*
 * sim: virtual time as a heap of events, a generator of chance, and the memory of what happened.
 * Nothing here depends on an address, on the order of a hash table or on a real clock: a seed is a
 * run.
 */
#include "sim.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_client.h"
#include "sim_node.h"

#define STORY_LINES 40000
#define STORY_TOLD  70

int64_t sim_now_us;
bool sim_telling, sim_telling_all;

struct event {
    int64_t at_us;
    uint64_t order; /* of scheduling: decides between events of one time */
    sim_event_fn *fn;
    void *arg;
    struct sim_node *node;
    uint32_t life;
    enum sim_event_kind kind;
};

struct story_line {
    const struct sim_user *user;
    char room[16];
    char text[200];
};

static struct {
    uint64_t random[2];
    struct event *heap;
    size_t count, cap;
    uint64_t order, step_count, hash;
    struct event *kept; /* of paused nodes, in the order in which they came */
    size_t kept_count, kept_cap;
    struct sim_node *node_now;
    struct story_line *story;
    size_t story_count;
} world;

/* Chance ------------------------------------------------------------------------------------------
 */

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* xoroshiro128+ */
uint64_t sim_random(void)
{
    uint64_t a = world.random[0], b = world.random[1], sum = a + b;
    b ^= a;
    world.random[0] = (a << 24 | a >> 40) ^ b ^ b << 16;
    world.random[1] = b << 37 | b >> 27;
    return sum;
}

uint32_t sim_below(uint32_t count)
{
    assert(count > 0);
    return (uint32_t)((sim_random() >> 32) * count >> 32);
}

int64_t sim_between(int64_t least, int64_t most)
{
    assert(least <= most);
    return least + (int64_t)(sim_random() % (uint64_t)(most - least + 1));
}

bool sim_chance(uint32_t permille)
{
    return permille > 0 && sim_below(1000) < permille;
}

/* Events ------------------------------------------------------------------------------------------
 */

static bool event_is_before(const struct event *a, const struct event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void heap_push(struct event event)
{
    if (world.count == world.cap) {
        world.cap = world.cap == 0 ? 1024 : world.cap * 2;
        world.heap = realloc(world.heap, world.cap * sizeof *world.heap);
        assert(world.heap != NULL);
    }
    size_t at = world.count++;
    while (at > 0 && event_is_before(&event, &world.heap[(at - 1) / 2])) {
        world.heap[at] = world.heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    world.heap[at] = event;
}

static struct event heap_pop(void)
{
    struct event first = world.heap[0], last = world.heap[--world.count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= world.count) {
            break;
        }
        if (child + 1 < world.count &&
            event_is_before(&world.heap[child + 1], &world.heap[child])) {
            child++;
        }
        if (!event_is_before(&world.heap[child], &last)) {
            break;
        }
        world.heap[at] = world.heap[child];
        at = child;
    }
    world.heap[at] = last;
    return first;
}

static void event_add(struct sim_node *node, int64_t in_us, enum sim_event_kind kind,
                      sim_event_fn *fn, void *arg)
{
    heap_push((struct event){.at_us = sim_now_us + (in_us > 0 ? in_us : 0),
                             .order = ++world.order,
                             .fn = fn,
                             .arg = arg,
                             .node = node,
                             .life = node != NULL ? node->life : 0,
                             .kind = kind});
}

void sim_in(int64_t in_us, sim_event_fn *fn, void *arg)
{
    event_add(NULL, in_us, SIM_IO, fn, arg);
}

void sim_node_in(struct sim_node *node, int64_t in_us, enum sim_event_kind kind, sim_event_fn *fn,
                 void *arg)
{
    event_add(node, in_us, kind, fn, arg);
}

static void event_keep(struct event event)
{
    if (world.kept_count == world.kept_cap) {
        world.kept_cap = world.kept_cap == 0 ? 256 : world.kept_cap * 2;
        world.kept = realloc(world.kept, world.kept_cap * sizeof *world.kept);
        assert(world.kept != NULL);
    }
    world.kept[world.kept_count++] = event;
}

static void event_wake(struct sim_node *node, enum sim_event_kind kind)
{
    size_t left = 0;
    for (size_t i = 0; i < world.kept_count; i++) {
        struct event event = world.kept[i];
        if (event.node == node && event.kind == kind) {
            event.at_us = sim_now_us;
            event.order = ++world.order;
            heap_push(event);
        } else {
            world.kept[left++] = event;
        }
    }
    world.kept_count = left;
}

void sim_node_goes_on(struct sim_node *node)
{
    event_wake(node, SIM_TIMER);
    event_wake(node, SIM_IO);
}

bool sim_step(int64_t until_us)
{
    if (world.count == 0 || world.heap[0].at_us > until_us) {
        sim_now_us = until_us;
        return false;
    }
    struct event event = heap_pop();
    bool is_over = event.node != NULL && event.node->life != event.life;
    if (!is_over && event.node != NULL && event.node->is_paused) {
        event_keep(event);
        return true;
    }
    sim_now_us = event.at_us;
    world.step_count++;
    sim_trace((uint64_t)event.at_us * 31 + event.order);
    world.node_now = is_over ? NULL : event.node;
    event.fn(event.arg, is_over);
    world.node_now = NULL;
    if (!is_over && event.node != NULL) {
        sim_node_turn_ends(event.node);
    }
    return true;
}

uint64_t sim_steps(void)
{
    return world.step_count;
}

struct sim_node *sim_node_now(void)
{
    return world.node_now;
}

void sim_begin(uint64_t seed)
{
    sim_now_us = SIM_S; /* not 0: that means "never" in many places */
    world.random[0] = splitmix(&seed);
    world.random[1] = splitmix(&seed);
    world.order = world.step_count = 0;
    world.hash = 0xcbf29ce484222325u;
    world.story_count = 0;
}

void sim_end(void)
{
    while (world.count > 0 || world.kept_count > 0) {
        struct event event = world.count > 0 ? heap_pop() : world.kept[--world.kept_count];
        event.fn(event.arg, true);
    }
    free(world.heap);
    free(world.kept);
    free(world.story);
    world.heap = world.kept = NULL;
    world.story = NULL;
    world.cap = world.kept_cap = 0;
}

/* The trace --------------------------------------------------------------------------------------
 */

void sim_trace(uint64_t value)
{
    world.hash = (world.hash ^ value) * 0x100000001b3u;
    world.hash ^= world.hash >> 29;
}

void sim_trace_bytes(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ at[i]) * 0x100000001b3u;
    }
    sim_trace(hash);
}

uint64_t sim_trace_hash(void)
{
    return world.hash;
}

/* The story --------------------------------------------------------------------------------------
 */

void sim_tell_line(const struct sim_user *user, const char *room, const char *format, ...)
{
    if (world.story == NULL) {
        world.story = calloc(STORY_LINES, sizeof *world.story);
        assert(world.story != NULL);
    }
    struct story_line *line = &world.story[world.story_count++ % STORY_LINES];
    line->user = user;
    snprintf(line->room, sizeof line->room, "%s", room != NULL ? room : "");
    int at =
        snprintf(line->text, sizeof line->text, "%10.6f #%-6llu %-4s ", (double)sim_now_us / SIM_S,
                 (unsigned long long)world.step_count, user != NULL ? user->name : "");
    va_list list;
    va_start(list, format);
    vsnprintf(line->text + at, sizeof line->text - (size_t)at, format, list);
    va_end(list);
    if (sim_telling_all) {
        fprintf(stderr, "%s\n", line->text);
    }
}

static bool story_concerns(const struct story_line *line, const struct sim_user *user,
                           const char *room)
{
    bool is_of_world = line->user == NULL && line->room[0] == '\0';
    bool is_of_room = room != NULL && room[0] != '\0' && strcmp(line->room, room) == 0;
    return is_of_world || is_of_room || (user != NULL && line->user == user) ||
           (user == NULL && room == NULL);
}

void sim_story_print(const struct sim_user *user, const char *room)
{
    size_t first = world.story_count > STORY_LINES ? world.story_count - STORY_LINES : 0;
    size_t at = world.story_count, found = 0;
    while (at > first && found < STORY_TOLD) {
        at--;
        found += story_concerns(&world.story[at % STORY_LINES], user, room) ? 1 : 0;
    }
    for (; at < world.story_count; at++) {
        const struct story_line *line = &world.story[at % STORY_LINES];
        if (story_concerns(line, user, room)) {
            printf("  %s\n", line->text);
        }
    }
}
